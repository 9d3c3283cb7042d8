//! A responsibility window: one person's responsibility for one change in one service. This file answers
//! "when am I on call?"; to change how long a window lasts, change it here or in [`crate::Policy`].
//!
//! A window's phase is a function of what is known now. Nothing has to happen at the right moment for it to
//! be right: timers only send the notices. What is kept of a window is only what was said about it.
//!
//! Absent on purpose: extension, handover, stalled queues and reverts, which have an issue of their own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::{Change, ChangeKind, Credit};
use crate::deployment::{Deployment, DeploymentKey};
use crate::ids::{ChangeId, Login, PersonId, ServiceId};
use crate::message::Step;
use crate::release::{self, Exposure, RolledBack};
use crate::roster::Roster;
use crate::service::{Policy, Service};
use crate::situation::Situation;

/// Where a window stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
pub enum Phase {
    /// Merged, not live: named, not paged.
    Standby,
    /// Live: paged first, until `until`. `settled` when the deployment has succeeded, so the end is known.
    Active { since: Timestamp, until: Timestamp, settled: bool },
    /// Still a suspect, no longer paged first.
    Tail { since: Timestamp, until: Timestamp },
    /// Over.
    Closed { at: Timestamp, reason: Closed },
}

/// Why a window is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// The tail ran out.
    TailOver,
}

/// Who answers, and why this person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responder {
    pub person: PersonId,
    pub because: Because,
}

/// Why somebody holds a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    Merged,
    Enqueued,
    Authored,
    Pushed,
    /// Nobody in the roster has the merger's account: the service's owner stands in.
    StandsIn {
        unknown: Login,
    },
}

/// What has been said about a window, and to whom: kept, so that nothing is said twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowNotes {
    #[serde(default)]
    pub told: BTreeMap<Step, PersonId>,
}

/// A window as it stands at one moment.
#[derive(Debug, Clone)]
pub struct Window<'a> {
    pub service: &'a ServiceId,
    pub change: &'a Change,
    pub responder: Responder,
    pub phase: Phase,
    /// The deployment that brought the change live.
    pub release: Option<&'a Deployment>,
    /// Deployments that tried and failed.
    pub attempts: Vec<&'a Deployment>,
    /// Releases of it that were taken back.
    pub rolled_back: Vec<RolledBack<'a>>,
}

impl Window<'_> {
    /// Whether this deployment brought the change live, now or before, or tried to, or took it back.
    #[must_use]
    pub fn involves(&self, key: &DeploymentKey) -> bool {
        let back = self.rolled_back.iter().flat_map(|r| [r.release, r.by]);
        self.release.into_iter().chain(self.attempts.iter().copied()).chain(back).any(|d| d.key == *key)
    }
}

/// The turn: from the start of the live deployment, until it succeeded plus `active`, at most `at_most`.
#[must_use]
pub fn turn(release: &Deployment, policy: &Policy) -> Option<(Timestamp, Timestamp)> {
    let since = release.live_since()?;
    let cap = since + policy.at_most;
    let until = release.succeeded_at.map_or(cap, |succeeded| cap.min(succeeded + policy.active));
    Some((since, until))
}

/// The turn of a release that was taken back: it ends a while after that, for it may have done its harm.
#[must_use]
pub fn turn_taken_back(rolled_back: &RolledBack<'_>, policy: &Policy) -> Option<(Timestamp, Timestamp, Timestamp)> {
    let (since, until) = turn(rolled_back.release, policy)?;
    let over = rolled_back.by.live_since()? + policy.after_failure;
    Some((since, until.min(over), (until + policy.tail).min(over)))
}

/// The phase at `now` of a change with this exposure.
#[must_use]
pub fn phase(exposure: &Exposure<'_>, policy: &Policy, now: Timestamp) -> Phase {
    if exposure.live.is_none()
        && let Some((since, until, over)) = exposure.rolled_back.last().and_then(|r| turn_taken_back(r, policy))
        && now < over
        && since <= now
    {
        return if now < until {
            Phase::Active { since, until, settled: true }
        } else {
            Phase::Tail { since: until, until: over }
        };
    }
    let Some((release, (since, until))) = exposure.live.and_then(|r| turn(r, policy).map(|t| (r, t))) else {
        return Phase::Standby;
    };
    let tail_until = until + policy.tail;
    if now < since {
        Phase::Standby
    } else if now < until {
        Phase::Active { since, until, settled: release.succeeded_at.is_some() }
    } else if now < tail_until {
        Phase::Tail { since: until, until: tail_until }
    } else {
        Phase::Closed { at: tail_until, reason: Closed::TailOver }
    }
}

/// Who answers for a change: the merger, or the service's owner where nobody knows the merger.
#[must_use]
pub fn responder(change: &Change, service: &Service, roster: &Roster) -> Option<Responder> {
    let merger = &change.merger;
    if let Some(person) = roster.by_login(&merger.login) {
        let because = match (merger.credit, change.kind) {
            // The push that merging a pull request makes tells who merged.
            (Credit::Merged, _) | (Credit::Pushed, ChangeKind::PullRequest { .. }) => Because::Merged,
            (Credit::Enqueued, _) => Because::Enqueued,
            (Credit::Pushed, ChangeKind::DirectPush) => Because::Pushed,
            (Credit::AuthorOfBotMerge, _) => Because::Authored,
        };
        return Some(Responder { person: person.id.clone(), because });
    }
    let stand_in = service.owners.first().or_else(|| service.rotation.first())?;
    Some(Responder { person: stand_in.clone(), because: Because::StandsIn { unknown: merger.login.clone() } })
}

/// Every window of the service as it stands at `now`, in merge order.
#[must_use]
pub fn windows<'a>(situation: &'a Situation, service: &'a Service, roster: &Roster, now: Timestamp) -> Vec<Window<'a>> {
    let mut changes: Vec<&Change> = situation.changes.values().map(|c| &c.value).collect();
    changes.sort_by(|a, b| a.order().cmp(&b.order()));
    let deployments: Vec<&Deployment> = situation.deployments.values().map(|d| &d.value).collect();
    let mut exposures: BTreeMap<&ChangeId, Exposure<'a>> = service
        .live_environment()
        .map(|live| release::exposures(&changes, &deployments, &live.name))
        .unwrap_or_default();
    changes
        .into_iter()
        .filter_map(|change| {
            let exposure = exposures.remove(&change.id).unwrap_or_default();
            Some(Window {
                service: &service.id,
                change,
                responder: responder(change, service, roster)?,
                phase: phase(&exposure, &service.policy, now),
                release: exposure.live,
                attempts: exposure.attempts,
                rolled_back: exposure.rolled_back,
            })
        })
        .collect()
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
