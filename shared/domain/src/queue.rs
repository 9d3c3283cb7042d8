//! The queue: what is merged and not live. What holds it up, when it is likely to move, how long a change has waited.
//!
//! Waiting never starts or burns a window. It is shown, and after a while the owner hears of it.

pub mod growth;
pub mod history;
pub mod thaw;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::calendar::OccasionKind;
use crate::change::Change;
use crate::deployment::Deployment;
use crate::ids::{EnvironmentName, PersonId, Repository};
use crate::message::{Step, is_zero};
use crate::queue::growth::Foretold;
use crate::service::{Frozen, Service};
use crate::situation::Situation;

/// How many pauses are remembered, for reckoning how long a change has waited without them.
const MOST_PAUSES: usize = 50;
/// Of how many of the last changes it is remembered how long they took to go live.
const MOST_LEADS: usize = 20;
/// How few are not enough to foretell anything from.
const FEWEST_LEADS: usize = 3;

/// A time in which the pipeline is kept from moving on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub from: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    pub by: PersonId,
    pub why: String,
}

/// What is kept of a service's queue, beside its changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    /// How many minutes the last changes took from merge to live, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leads: Vec<u32>,
    /// When the owner last heard that it does not move, by what was said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub owner_told_at: BTreeMap<Step, Timestamp>,
    /// At which sizes it was warned of since it was last small, and how often at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warned: Vec<u16>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warnings: u32,
    /// The thaw that was foretold last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foretold: Option<Foretold>,
    /// How long it was lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<history::Sample>,
    /// The time of the weekly digest that was told last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digested: Option<Timestamp>,
}

impl Queue {
    /// The pause that is on at `now`.
    #[must_use]
    pub fn paused(&self, now: Timestamp) -> Option<&Pause> {
        self.pauses.iter().rev().find(|p| p.from <= now && p.until.is_none_or(|until| now < until))
    }

    pub fn pause(&mut self, pause: Pause) {
        self.pauses.push(pause);
        let more = self.pauses.len().saturating_sub(MOST_PAUSES);
        self.pauses.drain(..more);
    }

    /// Ends the pause that is on. Whether there was one.
    pub fn resume(&mut self, now: Timestamp) -> bool {
        let paused = self.pauses.iter_mut().rev().find(|p| p.from <= now && p.until.is_none_or(|until| now < until));
        paused.map(|pause| pause.until = Some(now)).is_some()
    }

    /// Remembers how long a change took.
    pub fn learn(&mut self, lead: SignedDuration) {
        self.leads.push(u32::try_from(lead.as_mins().max(0)).unwrap_or(u32::MAX));
        let more = self.leads.len().saturating_sub(MOST_LEADS);
        self.leads.drain(..more);
    }

    /// How long changes lately took from merge to live: the median.
    #[must_use]
    pub fn usual_lead(&self) -> Option<SignedDuration> {
        let mut leads = self.leads.clone();
        leads.sort_unstable();
        let median = leads.get(leads.len() / 2).filter(|_| leads.len() >= FEWEST_LEADS)?;
        Some(SignedDuration::from_mins(i64::from(*median)))
    }
}

/// What holds a queue up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stalled<'a> {
    /// Somebody paused the pipeline.
    Paused(&'a Pause),
    /// Deployments have to wait for the end of a freeze.
    Frozen(Frozen),
    /// The newest deployment of the repository failed, for the `times`th time in a row.
    Failing { environment: &'a EnvironmentName, at: Timestamp, times: usize },
}

/// What holds up the changes of this repository, if anything is known to.
#[must_use]
pub fn stalled<'a>(
    situation: &'a Situation,
    service: &Service,
    repository: &Repository,
    now: Timestamp,
) -> Option<Stalled<'a>> {
    if let Some(pause) = situation.queue.value.paused(now) {
        return Some(Stalled::Paused(pause));
    }
    if let Some(frozen) = service.frozen_at(now) {
        return Some(Stalled::Frozen(frozen));
    }
    let mut tried: Vec<&Deployment> =
        situation.deployments.values().map(|d| &d.value).filter(|d| d.repository == *repository).collect();
    tried.sort_by(|a, b| (b.created_at, &b.key).cmp(&(a.created_at, &a.key)));
    let times = tried.iter().take_while(|d| d.has_failed()).count();
    let newest = tried.first().filter(|d| d.has_failed())?;
    Some(Stalled::Failing { environment: &newest.key.environment, at: newest.failed_at?, times })
}

/// When a change is likely to be live; nothing where the past does not tell, or a pause has no end.
#[must_use]
pub fn expected_live(change: &Change, queue: &Queue, service: &Service, now: Timestamp) -> Option<Timestamp> {
    let lead = queue.usual_lead()?;
    let from = match queue.paused(now) {
        None => change.merged_at,
        Some(pause) => change.merged_at.max(pause.until?),
    };
    let from = service.frozen_at(from.max(now)).map_or(from, |frozen| from.max(frozen.until));
    from.checked_add(lead).ok().filter(|at| *at > now)
}

/// How long a change has waited, not counting pauses, freezes, holidays and events of the service.
#[must_use]
pub fn waited(change: &Change, queue: &Queue, service: &Service, now: Timestamp) -> SignedDuration {
    let pauses = queue.pauses.iter().map(|p| (p.from, p.until.unwrap_or(now)));
    let frozen = service.timetable.calendars.iter().flat_map(|c| c.occasions());
    // What stops the work of one person only stops no queue.
    let frozen = frozen.filter(|occasion| occasion.kind != OccasionKind::DayOff);
    let frozen = frozen.filter_map(|occasion| occasion.span.moments(&service.timetable.zone));
    let freezes = service.frozen.iter().flat_map(|times| times.iter()).map(|time| (time.from, time.until));
    let mut spans: Vec<(Timestamp, Timestamp)> = pauses
        .chain(frozen)
        .chain(freezes)
        .map(|(from, until)| (from.max(change.merged_at), until.min(now)))
        .filter(|(from, until)| from < until)
        .collect();
    spans.sort_unstable();
    let mut waited = now.duration_since(change.merged_at);
    let mut counted = change.merged_at;
    for (from, until) in spans {
        let from = from.max(counted);
        if from < until {
            waited -= until.duration_since(from);
            counted = until;
        }
    }
    waited
}

/// What makes a queue of changes old enough to be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Age {
    /// The owner is told.
    Told,
    /// The owner becomes deputy.
    Deputy,
}

/// How old a waiting change is, and when it gets older.
#[must_use]
pub fn age(change: &Change, queue: &Queue, service: &Service, now: Timestamp) -> (Option<Age>, Option<Timestamp>) {
    let told_at = change.merged_at + service.policy.queue_told_after;
    if now < told_at {
        return (None, Some(told_at));
    }
    let left = service.policy.queue_deputy_after - waited(change, queue, service, now);
    if left.is_positive() { (Some(Age::Told), Some(now + left)) } else { (Some(Age::Deputy), None) }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
