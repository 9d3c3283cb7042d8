//! What is opened, merged and taken back without anybody's pressing it. When, and whether still, is the domain's business
//! ([`domain::autopilot`]); how a forge merges, that of [`crate::forges`]; how a pipeline goes back, that of [`crate::pipelines`].

use std::time::Duration;

use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::autopilot::{self, Back, Claim, Proposal, Said, Work};
use domain::on_request::freezes::Desk;
use domain::service::Pipeline;
use domain::undo::Undo;
use domain::{Mode, Repository, Service, ServiceId, Situation, undo};

use crate::forges::Forge;
use crate::forges::reverts::Unmerged;
use crate::pipelines::{NoAnswer, Place, Rolled, roll_back};

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
        // Its window may be closed there already.
        if !asked_at(house, &home.id, &proposal).await? && home.id != *id {
            asked_at(house, id, &proposal).await?;
        }
        if home.id != *id {
            (house.nudge)(&home.id);
        }
    }
    Ok(())
}

/// Asks for it in one service; whether the change is known there.
async fn asked_at(house: &House, id: &ServiceId, proposal: &Proposal) -> Result<bool, StoreError> {
    let now = house.now();
    let decide = |situation: &Situation| {
        (autopilot::ask(proposal, situation, now), situation.changes.contains_key(&proposal.change))
    };
    Ok(house.store.decide(id, now, decide).await?.1)
}

/// Merges those that are open, and has those releases taken back that are to be.
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
        let (said, now) = (said(house, id, &claim).await, house.now());
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

async fn said(house: &House, service: &ServiceId, claim: &Claim) -> Said {
    let asked = async {
        match &claim.work {
            Work::Merge(undo) => merged(house, undo, claim.only_look.as_deref()).await,
            Work::RollBack(back) => rolled_back(house, service, back, claim.only_look.as_deref()).await,
        }
    };
    let late = || Said::NotNow("there was no time left for the question".to_owned());
    tokio::time::timeout(ONE_TAKES, asked).await.unwrap_or_else(|_| late())
}

/// `only_look`: why it is not to be merged any more.
async fn merged(house: &House, undo: &Undo, only_look: Option<&str>) -> Said {
    let repository = &undo.change.repository;
    let (Some(forge), Some((opened, _))) = (Forge::that_reverts(house, repository), undo.opened()) else {
        return Said::Refused("there is no forge to ask any more".to_owned());
    };
    match forge.merge(repository, opened, only_look.is_none()).await {
        Ok(()) => Said::Merged,
        Err(Unmerged::Refused(why)) => Said::Refused(only_look.map_or(why, str::to_owned)),
        Err(Unmerged::NotNow(why)) => Said::NotNow(why),
        Err(Unmerged::Unanswered(error)) => {
            tracing::warn!(%repository, cause = error_chain(&error), "a revert is not merged yet");
            Said::NotNow(error_chain(&error))
        }
    }
}

/// `only_look`: why it is not to be asked any more.
async fn rolled_back(house: &House, service: &ServiceId, back: &Back, only_look: Option<&str>) -> Said {
    let pipeline = Pipeline::parse(&back.pipeline);
    let config = pipeline.as_ref().and_then(|one| house.configuration.pipelines.get(&one.at));
    let (Some(pipeline), Some(config)) = (&pipeline, config) else {
        return Said::Refused(format!("{} is not in the configuration any more", back.pipeline));
    };
    match roll_back(&Place { house, pipeline: config }, &pipeline.id, back, only_look.is_none()).await {
        Ok(Rolled::Back(to)) => Said::RolledBack { to },
        Ok(Rolled::Not(why)) => Said::Refused(only_look.map_or(why, str::to_owned)),
        Err(error) => {
            let why = error_chain(&error);
            tracing::warn!(service.name = %service, pipeline = %pipeline, cause = why, "a pipeline does not go back yet");
            match error {
                NoAnswer::Http(_)
                | NoAnswer::Status(_)
                | NoAnswer::LimitedFor(_)
                | NoAnswer::Changed
                | NoAnswer::NotRead
                | NoAnswer::Secret(_) => Said::NotNow(why),
                NoAnswer::Lacks(_)
                | NoAnswer::Unsignable(_)
                | NoAnswer::UnknownPipeline
                | NoAnswer::NotAllowed(_)
                | NoAnswer::Refused(_) => Said::Refused(why),
            }
        }
    }
}
