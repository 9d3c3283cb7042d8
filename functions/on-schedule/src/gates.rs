//! Answers jobs that wait for us, at GitHub. What they are told is the domain's business ([`domain::gates`]).

use aws::settings::{GitHubApp, SenderConfig};
use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::carried::Carried;
use domain::gates::{self, Tell, Waiting};
use domain::on_deploy::Question;
use domain::{EnvironmentName, ServiceId, Situation, release};

use crate::forges::api::Api;
use crate::forges::github::{self, app};
use crate::forges::{Commits, Forge, Unanswered};
use crate::pipelines;

/// Tells what is due to the jobs that wait in one service.
pub(crate) async fn keep(house: &House, id: &ServiceId) -> Result<(), StoreError> {
    let settings = house.settings();
    let service = settings.service(id).filter(|service| settings.answers_jobs && !service.repositories.is_empty());
    let Some(service) = service else { return Ok(()) };
    let situation = house.store.situation(id).await?;
    if situation.pipelines.value.gates.is_empty() {
        return Ok(());
    }
    let desk = house.store.situation(&settings.freeze_desk().id).await?;
    let mut carried = Vec::new();
    for gate in &situation.pipelines.value.gates {
        carried.push(carries(house, &gate.waiting, &gate.environment, &situation).await?);
    }
    for tell in gates::plan(&situation, &desk, service, settings, &carried, house.now()) {
        let said = said(house, &tell).await.map_err(|error| {
            tracing::warn!(service.name = %id, cause = error_chain(&error), "a job that waits was not told");
            error_chain(&error)
        });
        let now = house.now();
        let hear = |situation: &Situation| (gates::hear(&tell, &said, situation, now), ());
        house.store.decide(id, now, hear).await?;
    }
    let now = house.now();
    house.store.decide(id, now, |situation| (gates::looked(situation, now), ())).await.map(|_| ())
}

/// What a job carries, of every service that it deploys.
async fn carries(
    house: &House,
    waiting: &Waiting,
    environment: &EnvironmentName,
    own: &Situation,
) -> Result<Option<Carried>, StoreError> {
    let (settings, now) = (house.settings(), house.now());
    let mut all: Option<Carried> = None;
    let mut picked: Option<Option<Commits>> = None;
    for service in gates::shares(waiting, settings) {
        let situation =
            if service.id == own.service { own.clone() } else { house.store.situation(&service.id).await? };
        let mut one = Carried::of(&waiting.commit, &situation, service, settings, now);
        if one.is_none() {
            // A hot fix is on a branch of its own: the forge knows what it was picked from.
            if picked.is_none() {
                picked = Some(compared(house, waiting, environment, &situation).await);
            }
            let commits = picked.as_ref().and_then(Option::as_ref);
            one = commits.and_then(|commits| Carried::of_commits(commits, &situation, service, settings, now));
        }
        all = match (all, one) {
            (Some(all), Some(one)) => Some(all.with(one)),
            (all, one) => all.or(one),
        };
    }
    Ok(all)
}

/// What a commit brings beside what runs in its environment, where the forge can be asked.
async fn compared(
    house: &House,
    waiting: &Waiting,
    environment: &EnvironmentName,
    situation: &Situation,
) -> Option<Commits> {
    let deployments = situation.deployments.values().map(|noted| &noted.value);
    let live = release::newest_live(deployments, environment, None, &waiting.repository)?;
    let forge = Forge::of(house, &waiting.repository, Some("github"))?;
    let question = Question {
        service: situation.service.clone(),
        deployment: live.key.clone(),
        repository: waiting.repository.clone(),
        base: live.commit.clone()?,
        head: waiting.commit.clone(),
    };
    forge.compare(&question).await.ok()
}

async fn said(house: &House, tell: &Tell) -> Result<(), Unanswered> {
    let waiting = &tell.gate.waiting;
    let source: &SenderConfig = house.configuration.senders.get(&waiting.source).ok_or(Unanswered::NoForge)?;
    let own: &GitHubApp = source.app.as_ref().ok_or(Unanswered::NoForge)?;
    let base = source.api_url.as_deref().unwrap_or(github::API);
    let installation = waiting.installation.ok_or(Unanswered::NoForge)?;
    let token = app::token(house, base, own, installation, app::Permission::Deployments).await?;
    let api = Api::new(&house.http, base, github::headers(&token));
    let (run, environment) = (waiting.run, &waiting.environment);
    pipelines::github::review(&api, &waiting.repository, run, environment, tell.may, &tell.words).await
}
