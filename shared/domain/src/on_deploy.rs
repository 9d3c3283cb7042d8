//! A pipeline says a commit moved. One item is written, whatever the size of the release: what it means for
//! each change is computed on read (`release`, `window`), and the notices are due work of `on_schedule`.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::decision::{Decisions, Record, Wake};
use crate::deployment::{Carries, Deployment, DeploymentEvent, DeploymentKey, DeploymentState};
use crate::ids::{Commit, ServiceId};
use crate::reason::Reason;
use crate::release;
use crate::service::{Environment, Service};
use crate::settings::Settings;
use crate::situation::Situation;

/// The services and environments a report is about, or why there are none.
pub fn places<'a>(
    event: &DeploymentEvent,
    settings: &'a Settings,
) -> Result<Vec<(&'a Service, &'a Environment)>, Reason> {
    let mut served = false;
    let found: Vec<_> = settings
        .services()
        .filter(|service| service.deploys(&event.repository))
        .inspect(|_| served = true)
        .filter_map(|service| Some((service, service.environment_called(&event.environment)?)))
        .collect();
    match (found.is_empty(), served) {
        (false, _) => Ok(found),
        (true, true) => Err(Reason::EnvironmentUnknown),
        (true, false) => Err(Reason::RepositoryNotServed),
    }
}

/// Adds one report to what is known of a deployment, and says what it means.
#[must_use]
pub fn decide(
    event: &DeploymentEvent,
    situation: &Situation,
    service: &Service,
    environment: &Environment,
    now: Timestamp,
) -> (Decisions, Reason) {
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let first = Deployment::first(event, environment.name.clone());
    let known = situation.deployments.get(&first.key);
    let deployment = known.map_or(first, |known| {
        let mut deployment = known.value.clone();
        deployment.learn(event);
        deployment
    });
    if known.is_some_and(|known| known.value == deployment) {
        return (decisions, Reason::AlreadyKnown);
    }
    let (changes, taken_back) = moved(situation, &deployment, service, environment);
    let reason = if !environment.live {
        Reason::NotTheLiveEnvironment { environment: environment.name.clone() }
    } else {
        match event.state {
            DeploymentState::Started | DeploymentState::Succeeded if taken_back > 0 => {
                Reason::RolledBack { changes: taken_back }
            }
            DeploymentState::Started => Reason::LiveDeploymentStarted { changes },
            DeploymentState::Succeeded => Reason::LiveDeploymentSucceeded { changes },
            DeploymentState::Failed | DeploymentState::Aborted => Reason::LiveDeploymentFailed { changes },
        }
    };
    let what = format!(
        "{}@{} {} in {}",
        deployment.repository.short(),
        deployment.commit.short(),
        state_word(event.state),
        environment.name
    );
    decisions.log(now, None, None, what, reason.clone());
    decisions.put(Record::Deployment(deployment), known.map_or(0, |k| k.rev));
    (decisions, reason)
}

/// How many changes this deployment brings, or tried to bring, into the environment; and how many it takes back.
fn moved(
    situation: &Situation,
    deployment: &Deployment,
    service: &Service,
    environment: &Environment,
) -> (usize, usize) {
    let changes: Vec<_> = situation.changes.values().map(|c| &c.value).collect();
    let others = situation.deployments.values().map(|d| &d.value).filter(|d| d.key != deployment.key);
    let deployments: Vec<_> = others.chain(std::iter::once(deployment)).collect();
    let exposures = release::exposures(&changes, &deployments, &environment.name, &service.upstreams);
    let this = |d: &Deployment| d.key == deployment.key;
    let brought = exposures.values().filter(|e| e.live.into_iter().chain(e.attempts.iter().copied()).any(this));
    let taken_back = exposures.values().filter(|e| e.rolled_back.iter().any(|r| this(r.by)));
    (brought.count(), taken_back.count())
}

fn state_word(state: DeploymentState) -> &'static str {
    match state {
        DeploymentState::Started => "started",
        DeploymentState::Succeeded => "succeeded",
        DeploymentState::Failed => "failed",
        DeploymentState::Aborted => "was aborted",
    }
}

/// A question to the forge: which commits are in `head` that were not in `base`?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub service: ServiceId,
    pub deployment: DeploymentKey,
    pub repository: crate::ids::Repository,
    pub base: Commit,
    pub head: Commit,
}

/// The live deployments whose content the forge has not told yet, or told against another base.
#[must_use]
pub fn questions(situation: &Situation, service: &Service, now: Timestamp) -> Vec<Question> {
    let Some(live) = service.live_environment() else {
        return Vec::new();
    };
    let deployments = || situation.deployments.values().map(|d| &d.value);
    deployments()
        .filter(|d| d.key.environment == live.name && !d.has_failed() && d.live_since().is_some())
        .filter_map(|d| {
            let base = release::newest_live(deployments(), &live.name, Some(d), &d.repository)?;
            let open = match &d.carries {
                Carries::Unasked => true,
                Carries::Commits { since, .. } => *since != base.commit,
                Carries::Unanswered { .. } => retry_at(d).is_some_and(|at| at <= now),
            };
            (open && base.commit != d.commit).then(|| Question {
                service: service.id.clone(),
                deployment: d.key.clone(),
                repository: d.repository.clone(),
                base: base.commit.clone(),
                head: d.commit.clone(),
            })
        })
        .collect()
}

/// When an unanswered question is asked again: after 1, 2, 4 ... minutes, five times.
#[must_use]
pub fn retry_at(deployment: &Deployment) -> Option<Timestamp> {
    match &deployment.carries {
        Carries::Unanswered { tries, last } if *tries < 5 => {
            Some(*last + jiff::SignedDuration::from_mins(1 << tries.saturating_sub(1)))
        }
        Carries::Unanswered { .. } | Carries::Unasked | Carries::Commits { .. } => None,
    }
}

/// Keeps the forge's answer. `Err`: why there was none.
#[must_use]
pub fn answered(
    question: &Question,
    answer: Result<BTreeSet<Commit>, String>,
    situation: &Situation,
    now: Timestamp,
) -> Decisions {
    let mut decisions = Decisions::none(&question.service, Wake::Now);
    let Some(known) = situation.deployments.get(&question.deployment) else {
        return decisions;
    };
    let mut deployment = known.value.clone();
    let reason = match answer {
        Ok(commits) => {
            let count = commits.len();
            deployment.carries = Carries::Commits { since: question.base.clone(), commits };
            Reason::ReleaseCompared { commits: count }
        }
        Err(why) => {
            let tries = match deployment.carries {
                Carries::Unanswered { tries, .. } => tries + 1,
                Carries::Unasked | Carries::Commits { .. } => 1,
            };
            deployment.carries = Carries::Unanswered { tries, last: now };
            Reason::CompareUnanswered { why }
        }
    };
    let what =
        format!("{} compared {}...{}", question.repository.short(), question.base.short(), question.head.short());
    decisions.log(now, None, None, what, reason);
    decisions.put(Record::Deployment(deployment), known.rev);
    decisions
}
