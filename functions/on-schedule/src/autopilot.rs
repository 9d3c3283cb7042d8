//! What is opened and merged without anybody's pressing it. When, and whether still, is the domain's business
//! ([`domain::autopilot`]); how a forge merges, that of [`crate::forges`].

use std::time::Duration;

use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::autopilot::{self, Claim, MergeSaid};
use domain::on_request::freezes::Desk;
use domain::{Mode, Repository, Service, ServiceId, Situation, undo};

use crate::forges::Forge;
use crate::forges::reverts::Unmerged;

/// All requests of one try together: shorter than the claim lasts, and than the function may run.
const ONE_TAKES: Duration = Duration::from_secs(25);

/// The service, where anything is done by itself.
fn proposing<'a>(house: &'a House, id: &ServiceId) -> Option<&'a Service> {
    house.settings().service(id).filter(|service| service.mode >= Mode::Propose)
}

/// Asks for the reverts that are proposed, at the home of each change.
pub(crate) async fn ask(house: &House, id: &ServiceId) -> Result<(), StoreError> {
    let Some(service) = proposing(house, id) else { return Ok(()) };
    let (settings, now) = (house.settings(), house.now());
    let situation = house.store.situation(id).await?;
    for proposal in autopilot::unasked(&situation, service, now) {
        let Some(home) = undo::home(settings, &proposal.change.repository) else { continue };
        let decide = |situation: &Situation| (autopilot::ask(&proposal, situation, now), ());
        let (decisions, ()) = house.store.decide(&home.id, now, decide).await?;
        if !decisions.is_quiet() && home.id != *id {
            (house.nudge)(&home.id);
        }
    }
    Ok(())
}

/// Merges those that are open.
pub(crate) async fn merge(house: &House, id: &ServiceId) -> Result<(), StoreError> {
    let Some(service) = proposing(house, id).filter(|service| service.mode == Mode::Act) else { return Ok(()) };
    let settings = house.settings();
    let situation = house.store.situation(id).await?;
    for incident in autopilot::due(&situation, house.now()) {
        let repository = situation.incidents.get(&incident).and_then(|known| known.value.proposed.as_ref());
        let Some(repository) = repository.map(|proposal| proposal.change.repository.clone()) else { continue };
        let (frozen, now) = (is_frozen(house, &repository).await?, house.now());
        let decide = |situation: &Situation| autopilot::claim(&incident, frozen, situation, service, settings, now);
        let (decisions, claimed) = house.store.decide(id, now, decide).await?;
        house.publish(&decisions.messages).await;
        let Some(claim) = claimed else { continue };
        let (said, now) = (asked(house, &claim).await, house.now());
        let decide = |situation: &Situation| (autopilot::heard(&claim, &said, situation, service, settings, now), ());
        let (decisions, ()) = house.store.decide(id, now, decide).await?;
        house.publish(&decisions.messages).await;
    }
    Ok(())
}

/// Whether a freeze holds merging there. Nothing that is done by itself passes one.
async fn is_frozen(house: &House, repository: &Repository) -> Result<bool, StoreError> {
    let (settings, now) = (house.settings(), house.now());
    let situation = house.store.situation(&settings.freeze_desk().id).await?;
    Ok(Desk { situation: &situation, settings, now }.needs(repository).is_some())
}

async fn asked(house: &House, claim: &Claim) -> MergeSaid {
    let repository = &claim.undo.change.repository;
    let (Some(forge), Some((opened, _))) = (Forge::that_reverts(house, repository), claim.undo.opened()) else {
        return MergeSaid::Refused("there is no forge to ask any more".to_owned());
    };
    let answer = tokio::time::timeout(ONE_TAKES, forge.merge(repository, opened, claim.only_look.is_none())).await;
    match answer {
        Ok(Ok(())) => MergeSaid::Merged,
        Ok(Err(Unmerged::Refused(why))) => MergeSaid::Refused(claim.only_look.clone().unwrap_or(why)),
        Ok(Err(Unmerged::NotNow(why))) => MergeSaid::NotNow(why),
        Ok(Err(Unmerged::Unanswered(error))) => {
            tracing::warn!(%repository, cause = error_chain(&error), "a revert is not merged yet");
            MergeSaid::NotNow(error_chain(&error))
        }
        Err(_) => MergeSaid::NotNow("there was no time left for the question".to_owned()),
    }
}
