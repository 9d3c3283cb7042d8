//! The thaw, foreseen: once nothing holds the queue any more, in how many releases it goes out, what each carries, and when
//! whoever answers for that is at work.
//!
//! Changes go out in the order in which they were merged, at most so many at a time as policy says, each release an hour of turns
//! after the one before it. A fix that may pass is not part of it: it goes alone.

use jiff::{SignedDuration, Timestamp};

use crate::attendance::off_hours;
use crate::ids::PersonId;
use crate::roster::Roster;
use crate::service::Service;
use crate::window::{Phase, Window};

/// How far ahead a moment is looked for at which everybody of a release is at work, and how finely.
const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 6);
const STEP: SignedDuration = SignedDuration::from_mins(15);

/// What becomes of a queue once it may move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    pub at: Timestamp,
    /// How many people answer for what waits.
    pub people: usize,
    pub oldest: Option<SignedDuration>,
    pub releases: Vec<Release>,
}

/// One release of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub at: Timestamp,
    /// What it carries, as people call it, in merge order.
    pub labels: Vec<String>,
    /// The commit to deploy for it.
    pub commit: String,
    /// Who answers for it.
    pub people: Vec<PersonId>,
    /// Those of them who are not at work then.
    pub away: Vec<PersonId>,
}

impl Forecast {
    #[must_use]
    pub fn changes(&self) -> usize {
        self.releases.iter().map(|release| release.labels.len()).sum()
    }

    /// In which release somebody's first change goes out, from 0.
    #[must_use]
    pub fn first_of(&self, person: &PersonId) -> Option<usize> {
        self.releases.iter().position(|release| release.people.contains(person))
    }
}

/// What waits to go live, in merge order; what may pass by itself, and what is reverted before it was live, does not.
pub fn waiting<'a, 'b>(all: &'b [Window<'a>]) -> impl Iterator<Item = &'b Window<'a>> {
    all.iter().filter(|window| window.phase == Phase::Standby && !window.expedited)
}

/// What becomes of the queue if it may move from `at` on.
#[must_use]
pub fn forecast(all: &[Window<'_>], service: &Service, roster: &Roster, at: Timestamp, now: Timestamp) -> Forecast {
    let queue: Vec<&Window<'_>> = waiting(all).collect();
    let mut people: Vec<&PersonId> = queue.iter().map(|window| &window.holder.person).collect();
    people.sort();
    people.dedup();
    let mut releases = Vec::new();
    let mut earliest = at.max(now);
    for batch in queue.chunks(usize::from(service.policy.release_at_most).max(1)) {
        let release = release(batch, service, roster, earliest);
        earliest = release.at + service.policy.active;
        releases.push(release);
    }
    let oldest = queue.first().map(|window| now.duration_since(window.change.merged_at));
    Forecast { at, people: people.len(), oldest, releases }
}

/// The first moment from `at` on at which no freeze holds, as far as that is soon.
fn not_frozen(service: &Service, at: Timestamp) -> Timestamp {
    service.frozen_at(at).map_or(at, |frozen| frozen.until)
}

fn release(batch: &[&Window<'_>], service: &Service, roster: &Roster, earliest: Timestamp) -> Release {
    let mut people: Vec<PersonId> = batch.iter().map(|window| window.holder.person.clone()).collect();
    people.sort();
    people.dedup();
    let away = |at: Timestamp| -> Vec<PersonId> {
        people.iter().filter(|person| off_hours(person, service, roster, at).is_some()).cloned().collect()
    };
    let earliest = not_frozen(service, earliest);
    let mut best = (earliest, away(earliest));
    let mut at = earliest;
    while !best.1.is_empty() && at < earliest + LOOK_AHEAD {
        at = not_frozen(service, at + STEP);
        let then = away(at);
        if then.len() < best.1.len() {
            best = (at, then);
        }
    }
    Release {
        at: best.0,
        labels: batch.iter().map(|window| window.change.label()).collect(),
        commit: batch.last().map_or_else(String::new, |window| window.change.id.commit.to_string()),
        people,
        away: best.1,
    }
}

#[cfg(test)]
#[path = "thaw_tests.rs"]
mod tests;
