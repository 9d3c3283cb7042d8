//! Opens the revert pull requests that people asked for by one click. What is to be opened, and what is said then, is the domain's
//! business ([`domain::undo`]); how, that of [`crate::forges::reverts`].

use std::time::Duration;

use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::on_request::freezes::Desk;
use domain::undo::{self, Lane, Opened, Said, Stage, Undo};
use domain::{ServiceId, Situation};

use crate::forges::reverts::{Unopened, Wanted};
use crate::forges::{Forge, Unanswered};

/// All requests of one try together: shorter than the claim lasts, and than the function may run.
const ONE_TAKES: Duration = Duration::from_secs(30);

/// Opens what is due in one service.
pub(crate) async fn keep(house: &House, id: &ServiceId) -> Result<(), StoreError> {
    let settings = house.settings();
    let Some(service) = settings.service(id).filter(|_| !settings.reverts.is_empty()) else { return Ok(()) };
    let situation = house.store.situation(id).await?;
    for change in undo::due(&situation, house.now()) {
        let now = house.now();
        let claim = |situation: &Situation| undo::claim(&change, situation, service, settings, now);
        let (decisions, claimed) = house.store.decide(id, now, claim).await?;
        house.publish(&decisions.messages).await;
        let Some(claimed) = claimed else { continue };
        let said = ask(house, &claimed).await;
        // Whoever does it again finds it: so the others hear first. Whoever pressed hears it whatever becomes of that.
        if let Said::Opened(opened, _) = &said
            && let Err(error) = tell_others(house, id, &claimed, opened).await
        {
            tracing::error!(service.name = %id, cause = error_chain(&error), "the other services do not know of a revert");
        }
        let now = house.now();
        let hear = |situation: &Situation| (undo::heard(&claimed, &said, situation, service, settings, now), ());
        let (decisions, ()) = house.store.decide(id, now, hear).await?;
        house.publish(&decisions.messages).await;
    }
    Ok(())
}

async fn ask(house: &House, undo: &Undo) -> Said {
    let repository = &undo.change.repository;
    let Some(forge) = Forge::that_reverts(house, repository) else {
        return Said::Silent(error_chain(&Unanswered::NoForge));
    };
    let wanted = Wanted { undo, by: house.settings().roster.name_of(&undo.by) };
    let answer = tokio::time::timeout(ONE_TAKES, forge.revert(&wanted)).await;
    let opened = match answer.unwrap_or(Err(Unopened::Unanswered(Unanswered::TooLate))) {
        Ok(opened) => opened,
        Err(Unopened::Refused(why)) => return Said::Refused(why),
        Err(Unopened::Unanswered(error)) => {
            tracing::warn!(%repository, cause = error_chain(&error), "no revert pull request is opened yet");
            return Said::Silent(error_chain(&error));
        }
    };
    // Before the label, which says no reason.
    let lane = lane(house, undo, &opened).await.unwrap_or_else(|error| {
        tracing::error!(%repository, number = opened.number, cause = error_chain(&error), "nobody was asked to let a revert pass");
        Lane::NotAsked("the table did not answer".to_owned())
    });
    if let Err(error) = forge.label_urgent(repository, opened.number).await {
        tracing::warn!(%repository, number = opened.number, cause = error_chain(&error), "a revert is not labelled");
    }
    Said::Opened(opened, lane)
}

/// Asks for it to pass the freezes that hold, in the name of whoever pressed.
async fn lane(house: &House, undo: &Undo, opened: &Opened) -> Result<Lane, StoreError> {
    let (settings, now) = (house.settings(), house.now());
    let desk = &settings.freeze_desk().id;
    let decide = |situation: &Situation| undo::ask_to_pass(undo, opened, &Desk { situation, settings, now });
    let (decisions, lane) = house.store.decide(desk, now, decide).await?;
    if !decisions.is_quiet() {
        (house.nudge)(desk);
    }
    Ok(lane)
}

/// The other services into which it went know of it.
async fn tell_others(house: &House, home: &ServiceId, undo: &Undo, opened: &Opened) -> Result<(), StoreError> {
    let (settings, now) = (house.settings(), house.now());
    let known = Undo { stage: Stage::Opened(opened.clone()), ..undo.clone() };
    for other in settings.services_of(&undo.change.repository).filter(|service| service.id != *home) {
        let decide = |situation: &Situation| (undo::known_there(&known, situation, now), ());
        house.store.decide(&other.id, now, decide).await?;
    }
    Ok(())
}
