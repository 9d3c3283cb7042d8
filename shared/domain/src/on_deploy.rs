//! A pipeline says a commit moved. One item is written, whatever the size of the release: what it means for
//! each change is computed on read (`release`, `window`), and the notices are due work of `on_schedule`.

mod places;
mod recurring;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::alert::{Alert, AlertState, Severity};
use crate::decision::{Decisions, Record, Wake};
use crate::deployment::{Carries, Deployment, DeploymentEvent, DeploymentKey, DeploymentState, Manner};
use crate::ids::{Commit, ServiceId};
use crate::reason::Reason;
use crate::release;
use crate::service::Service;
use crate::situation::Situation;
use crate::text;

pub use places::{Place, places};

/// Adds one report to what is known of a deployment, and says what it means.
#[must_use]
pub fn decide(
    event: &DeploymentEvent,
    situation: &Situation,
    service: &Service,
    place: &Place<'_>,
    now: Timestamp,
) -> (Decisions, Reason) {
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let event = &DeploymentEvent { id: recurring::id(event, situation, place, now), ..event.clone() };
    let first = Deployment::first(event, place, now);
    let known = situation.deployments.get(&first.key);
    let deployment = known.map_or(first, |known| {
        let mut deployment = known.value.clone();
        deployment.learn(event, place, now);
        deployment
    });
    if known.is_some_and(|known| known.value == deployment) {
        return (decisions, Reason::AlreadyKnown);
    }
    let (changes, taken_back) = moved(situation, &deployment, service);
    let reason = if let Manner::Test(suite) = &event.manner {
        match event.state {
            DeploymentState::Started => Reason::TestsStarted { suite: suite.clone() },
            DeploymentState::Succeeded => Reason::TestsPassed { suite: suite.clone() },
            DeploymentState::Failed | DeploymentState::Aborted => Reason::TestsFailed { suite: suite.clone(), changes },
        }
    } else if !service.is_live(&place.environment) {
        Reason::NotTheLiveEnvironment { environment: place.environment.clone() }
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
    let what = format!("{} {} in {}", deployment.label(), state_word(event.state), place.environment);
    decisions.log(now, None, None, what, reason.clone());
    decisions.put(Record::Deployment(deployment), known.map_or(0, |k| k.rev));
    (decisions, reason)
}

/// How many changes this deployment brings, or tried to bring, into the environment; and how many it takes back.
fn moved(situation: &Situation, deployment: &Deployment, service: &Service) -> (usize, usize) {
    let changes: Vec<_> = situation.changes.values().map(|c| &c.value).collect();
    let others = situation.deployments.values().map(|d| &d.value).filter(|d| d.key != deployment.key);
    let deployments: Vec<_> = others.chain(std::iter::once(deployment)).collect();
    let exposures = release::exposures(&changes, &deployments, &deployment.key.environment, &service.upstreams);
    let this = |d: &Deployment| d.key == deployment.key;
    let brought = exposures.values().filter(|e| e.live.into_iter().chain(e.attempts.iter().copied()).any(this));
    let taken_back = exposures.values().filter(|e| e.rolled_back.iter().any(|r| this(r.by)));
    (brought.count(), taken_back.count())
}

/// The alert that a rollout in the live environment is when it gives up; its traffic is back where it was, so it is over by itself when its
/// changes are no longer suspects.
#[must_use]
pub fn alarm(event: &DeploymentEvent, place: &Place<'_>, service: &Service, now: Timestamp) -> Option<Alert> {
    if !service.is_live(&place.environment) {
        return None;
    }
    let at = event.at.unwrap_or(now);
    let name = match (&event.manner, event.state) {
        (Manner::Progressive, DeploymentState::Failed) => "CanaryAnalysisFailed",
        (Manner::Progressive, DeploymentState::Aborted) => "RolloutAborted",
        (Manner::Progressive, DeploymentState::Started | DeploymentState::Succeeded)
        | (Manner::Whole | Manner::Test(_), _) => return None,
    };
    let what = event.names.first().map_or(place.service.as_str(), String::as_str);
    let said = format!("the rollout of {what} gave up and was taken back");
    Some(Alert {
        source: event.source.clone(),
        // The analysis that failed and the rollout that it aborts are one failure.
        fingerprint: text::line(&format!("rollout/{}/{}", place.service, event.id), 200),
        name: name.to_owned(),
        summary: text::line(event.note.as_deref().unwrap_or(&said), 300),
        severity: Severity::Warning,
        state: AlertState::Firing,
        started_at: Some(at),
        ended_at: None,
        acknowledged: None,
        released_at: None,
        group: None,
        lasts: Some(service.policy.after_failure),
        labels: BTreeMap::new(),
        detail: None,
        url: event.url.clone(),
    })
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
            let (base, head) = (base.commit.as_ref()?, d.commit.as_ref()?);
            let open = match &d.carries {
                Carries::Unasked => true,
                Carries::Commits { since, .. } => since != base,
                Carries::Unanswered { .. } => retry_at(d).is_some_and(|at| at <= now),
            };
            (open && base != head).then(|| Question {
                service: service.id.clone(),
                deployment: d.key.clone(),
                repository: d.repository.clone(),
                base: base.clone(),
                head: head.clone(),
            })
        })
        .collect()
}

/// When an unanswered question is asked again.
#[must_use]
pub fn retry_at(deployment: &Deployment) -> Option<Timestamp> {
    match &deployment.carries {
        Carries::Unanswered { tries, last } => asked_again_at(*tries, *last),
        Carries::Unasked | Carries::Commits { .. } => None,
    }
}

/// When a forge that did not answer is asked again: after 1, 2, 4 ... minutes, five times.
pub(crate) fn asked_again_at(tries: u32, last: Timestamp) -> Option<Timestamp> {
    (tries < 5).then(|| last + SignedDuration::from_mins(1 << tries.saturating_sub(1)))
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

#[cfg(test)]
#[path = "on_deploy_tests.rs"]
mod tests;
