//! Answers jobs that wait for us, at GitHub. What they are told is the domain's business ([`domain::gates`]).

use aws::settings::{GitHubApp, SenderConfig};
use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::gates::{self, Tell};
use domain::{ServiceId, Situation};

use crate::forges::Unanswered;
use crate::forges::api::Api;
use crate::forges::github::{self, app};
use crate::pipelines;

/// Tells what is due to the jobs that wait in one service.
pub(crate) async fn keep(house: &House, id: &ServiceId) -> Result<(), StoreError> {
    let settings = house.settings();
    let Some(service) = settings.service(id).filter(|service| !service.repositories.is_empty()) else {
        return Ok(());
    };
    if !house.configuration.senders.values().any(|source| source.app.is_some()) {
        return Ok(());
    }
    let situation = house.store.situation(id).await?;
    if situation.pipelines.value.gates.is_empty() {
        return Ok(());
    }
    let desk = house.store.situation(&settings.freeze_desk().id).await?;
    for tell in gates::plan(&situation, &desk, service, settings, house.now()) {
        let said = said(house, &tell).await.map_err(|error| {
            tracing::warn!(service.name = %id, cause = error_chain(&error), "a job that waits was not told");
            error_chain(&error)
        });
        let now = house.now();
        let hear = |situation: &Situation| (gates::hear(&tell, &said, situation, now), ());
        house.store.decide(id, now, hear).await?;
    }
    Ok(())
}

async fn said(house: &House, tell: &Tell) -> Result<(), Unanswered> {
    let waiting = &tell.gate.waiting;
    let knows = |source: &&SenderConfig| source.app.is_some() && source.speaks_for_repository(&waiting.repository);
    let source = house.configuration.senders.values().find(knows).ok_or(Unanswered::NoForge)?;
    let own: &GitHubApp = source.app.as_ref().ok_or(Unanswered::NoForge)?;
    let base = source.api_url.as_deref().unwrap_or(github::API);
    let installation = waiting.installation.ok_or(Unanswered::NoForge)?;
    let token = app::token(house, base, own, installation).await?;
    let api = Api::new(&house.http, base, github::headers(&token));
    let (run, environment) = (waiting.run, &waiting.environment);
    pipelines::github::review(&api, &waiting.repository, run, environment, tell.may, &tell.words).await
}
