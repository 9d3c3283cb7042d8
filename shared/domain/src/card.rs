//! What the board shows of a service at a glance, kept ready by whoever looks at the service last: so a board of a hundred services
//! is one query. Everything is bounded; times stand in it as times, so that it stays right as they pass, and each reader has them in
//! their own zone. What is here decides nothing: whoever acts reads the working set.

mod glance;
mod special;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attendance::Attendance;
use crate::because::Because;
use crate::decision::Decisions;
use crate::ids::{ChangeId, PersonId, ServiceId};
use crate::queue::{self, history::Sample};
use crate::release;
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::text;
use crate::window::{Phase, Window, windows};
pub use glance::{Glance, MOST_INCIDENTS};
pub use special::Special;

/// So many people on call and changes in the queue are named; of the others only their number is.
pub const MOST_ON_CALL: usize = 8;
pub const MOST_WAITING: usize = 5;
/// So many samples of the queue's length: a week of them.
const MOST_SAMPLES: usize = 29;
const MOST_TITLE: usize = 90;

/// Somebody who is on call now, for one change or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnCall {
    pub person: PersonId,
    /// Until when, for the one of them that lasts longest.
    pub until: Timestamp,
    /// Why, for that one.
    pub because: Because,
    pub change: Named,
    pub changes: usize,
}

/// A change as people know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub id: ChangeId,
    pub label: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A change that was merged and is not live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub change: Named,
    pub person: PersonId,
    pub merged_at: Timestamp,
    /// Merged outside working hours, and nobody has taken the pager for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unattended: bool,
    /// Whether somebody let it pass a freeze.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expedited: bool,
}

/// What was merged and is not live, as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    pub changes: usize,
    pub people: usize,
    /// Those that nobody attends to first, then the oldest.
    pub first: Vec<Waiting>,
    pub unattended: usize,
    /// When the oldest was merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
    /// When the oldest is likely to be live, where the past tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Timestamp>,
    /// How long it was lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Sample>,
}

/// What is live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    pub label: String,
    pub since: Timestamp,
    /// Whether its deployment still goes on.
    pub running: bool,
}

/// A service at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    pub service: ServiceId,
    /// Those whose turn ends last first.
    pub on_call: Vec<OnCall>,
    /// How many more there are.
    pub more_on_call: usize,
    pub rotation: Vec<PersonId>,
    pub queue: Queued,
    /// How many changes are still suspects.
    pub tail: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub special: Vec<Special>,
    /// Open ones first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<Glance>,
    pub open_incidents: usize,
}

impl Card {
    /// A service as it stands at `now`.
    #[must_use]
    pub fn of(situation: &Situation, service: &Service, settings: &Settings, now: Timestamp) -> Self {
        let service = &*situation.posted.value.applied(service);
        let all = windows(situation, service, &settings.roster, now);
        let (on_call, more_on_call) = on_call(&all);
        let (incidents, open_incidents) = glance::incidents(situation, service, settings, now);
        Self {
            service: service.id.clone(),
            on_call,
            more_on_call,
            rotation: situation.paging.value.rotation(service, now),
            queue: queued(&all, situation, service, now),
            tail: all.iter().filter(|window| matches!(window.phase, Phase::Tail { .. })).count(),
            live: live(situation, service),
            special: special::of(situation, service, now),
            incidents,
            open_incidents,
        }
    }

    /// A service as it stands once these decisions are kept.
    #[must_use]
    pub fn after(
        decisions: &Decisions,
        situation: &Situation,
        service: &Service,
        settings: &Settings,
        now: Timestamp,
    ) -> Self {
        if decisions.writes.is_empty() {
            return Self::of(situation, service, settings, now);
        }
        let mut then = situation.clone();
        then.apply(decisions, now);
        Self::of(&then, service, settings, now)
    }

    /// Who has the pager for everything at `now`, and until when.
    #[must_use]
    pub fn pager(&self, now: Timestamp) -> Option<(&PersonId, Option<Timestamp>)> {
        self.special.iter().find_map(|special| match special {
            Special::Pager { person, until, .. } if special.is_now(now) => Some((person, *until)),
            Special::Pager { .. }
            | Special::Manual
            | Special::Mode { .. }
            | Special::Maintenance { .. }
            | Special::Paused { .. }
            | Special::Frozen { .. }
            | Special::Failing { .. } => None,
        })
    }

    /// By which it is known whether another one says the same.
    #[must_use]
    pub fn digest(&self) -> String {
        text::digest(&format!("{self:?}"))
    }
}

fn named(window: &Window<'_>) -> Named {
    let change = window.change;
    let title = text::line(&change.title, MOST_TITLE);
    Named { id: change.id.clone(), label: change.label(), title, url: change.url.clone() }
}

/// Who is on call, each once, and how many more there are than are named.
fn on_call(all: &[Window<'_>]) -> (Vec<OnCall>, usize) {
    let mut people: BTreeMap<&PersonId, OnCall> = BTreeMap::new();
    for window in all {
        let Phase::Active { until, .. } = window.phase else { continue };
        let seat = || OnCall {
            person: window.responder.person.clone(),
            until,
            because: window.responder.because.clone(),
            change: named(window),
            changes: 0,
        };
        let known = people.entry(&window.responder.person).or_insert_with(seat);
        let changes = known.changes + 1;
        // Of those that last as long, the newest.
        if until >= known.until {
            *known = seat();
        }
        known.changes = changes;
    }
    let mut seats: Vec<OnCall> = people.into_values().collect();
    seats.sort_by(|a, b| (b.until, &a.person).cmp(&(a.until, &b.person)));
    let more = seats.len().saturating_sub(MOST_ON_CALL);
    seats.truncate(MOST_ON_CALL);
    (seats, more)
}

fn queued(all: &[Window<'_>], situation: &Situation, service: &Service, now: Timestamp) -> Queued {
    let waits = |window: &&Window<'_>| window.phase == Phase::Standby;
    let unattended = |window: &Window<'_>| matches!(window.attendance, Attendance::Unattended { .. });
    let mut waiting: Vec<&Window<'_>> = all.iter().filter(waits).collect();
    let mut people: Vec<&PersonId> = waiting.iter().map(|window| &window.holder.person).collect();
    people.sort_unstable();
    people.dedup();
    let (changes, people) = (waiting.len(), people.len());
    let nobody = waiting.iter().filter(|window| unattended(window)).count();
    let oldest = waiting.first().copied();
    let expected = oldest.and_then(|window| queue::expected_live(window.change, &situation.queue.value, service, now));
    // They are in the order in which they were merged, which stays.
    waiting.sort_by_key(|window| !unattended(window));
    let shown = waiting.into_iter().take(MOST_WAITING).map(|window| Waiting {
        change: named(window),
        person: window.holder.person.clone(),
        merged_at: window.change.merged_at,
        unattended: unattended(window),
        expedited: window.expedited,
    });
    let history = &situation.queue.value.history;
    Queued {
        changes,
        people,
        first: shown.collect(),
        unattended: nobody,
        oldest: oldest.map(|window| window.change.merged_at),
        expected,
        history: history[history.len().saturating_sub(MOST_SAMPLES)..].to_vec(),
    }
}

fn live(situation: &Situation, service: &Service) -> Option<Live> {
    let environment = &service.live_environment()?.name;
    let deployments = || situation.deployments.values().map(|d| &d.value);
    let newest = service.repositories.iter();
    let newest = newest.filter_map(|r| release::newest_live(deployments(), environment, None, &r.repository));
    let newest = newest.max_by(|a, b| a.order().cmp(&b.order()))?;
    Some(Live { label: newest.label(), since: newest.live_since()?, running: newest.succeeded_at.is_none() })
}

#[cfg(test)]
#[path = "card_tests.rs"]
mod tests;
