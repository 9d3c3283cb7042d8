//! What the board shows of a service at a glance, kept ready by whoever looks at the service last: so a board of a hundred services
//! is one query. Everything is bounded; times stand in it as times, so that it stays right as they pass, and each reader has them in
//! their own zone. What is here decides nothing: whoever acts reads the working set.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::Severity;
use crate::attendance::Attendance;
use crate::because::Because;
use crate::decision::Decisions;
use crate::ids::{ChangeId, EnvironmentName, IncidentId, PersonId, ServiceId};
use crate::incident::Incident;
use crate::ladder::{self, Reach, Standing};
use crate::maintenance;
use crate::outcome::State;
use crate::queue::{self, Stalled, history::Sample};
use crate::release;
use crate::service::{Mode, Service};
use crate::settings::Settings;
use crate::shift;
use crate::situation::Situation;
use crate::text;
use crate::window::{Phase, Window, windows};
use crate::wording;

/// So many people on call, changes in the queue, and incidents are named; of the others only their number is.
pub const MOST_ON_CALL: usize = 8;
pub const MOST_WAITING: usize = 5;
pub const MOST_INCIDENTS: usize = 6;
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

/// Why a service is not as it always is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Special {
    /// People take and hand over the pager, and we page nobody.
    Manual,
    /// Somebody has the pager for everything by somebody's word.
    Pager {
        person: PersonId,
        by: PersonId,
        until: Option<Timestamp>,
    },
    Maintenance {
        until: Timestamp,
    },
    Paused {
        by: PersonId,
        since: Timestamp,
        until: Option<Timestamp>,
        why: String,
    },
    Frozen {
        name: String,
        until: Timestamp,
    },
    Failing {
        environment: EnvironmentName,
        at: Timestamp,
        times: usize,
    },
}

/// An incident that is open, or was until lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glance {
    pub id: IncidentId,
    pub headline: String,
    pub severity: Severity,
    pub state: State,
    pub began_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// The likeliest change, whose it is, and how likely in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect: Option<(Named, PersonId, Option<u16>)>,
    /// Who is at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<String>,
    /// Who is paged next, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<(PersonId, Timestamp)>,
    pub paged: Vec<PersonId>,
    /// Nobody is paged for it just now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub judged: bool,
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
        let (incidents, open_incidents) = incidents(situation, service, settings, now);
        Self {
            service: service.id.clone(),
            on_call,
            more_on_call,
            rotation: situation.paging.value.rotation(service, now),
            queue: queued(&all, situation, service, now),
            tail: all.iter().filter(|window| matches!(window.phase, Phase::Tail { .. })).count(),
            live: live(situation, service),
            special: special(situation, service, now),
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
        if until > known.until {
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
    let oldest = waiting.first();
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

fn special(situation: &Situation, service: &Service, now: Timestamp) -> Vec<Special> {
    let mut special = Vec::new();
    if service.mode == Mode::Manual {
        special.push(Special::Manual);
    }
    if let Some(shift) = shift::of_service(situation.shifts.values().map(|s| &s.value), now) {
        special.push(Special::Pager { person: shift.person.clone(), by: shift.by.clone(), until: shift.until });
    }
    let told = situation.paging.value.maintenance.iter().filter(|m| m.from <= now && m.is_ahead(now));
    let until = told.map(crate::maintenance::Maintenance::over_at).max();
    let weekly = maintenance::weekly_now(service, now).map(|(_, until)| until);
    special.extend(until.max(weekly).map(|until| Special::Maintenance { until }));
    let stalled = |r: &crate::service::ServedRepository| queue::stalled(situation, service, &r.repository, now);
    special.extend(service.repositories.iter().find_map(stalled).map(|stalled| match stalled {
        Stalled::Paused(pause) => {
            let (by, why) = (pause.by.clone(), text::line(&pause.why, MOST_TITLE));
            Special::Paused { by, since: pause.from, until: pause.until, why }
        }
        Stalled::Frozen(frozen) => Special::Frozen { name: text::line(&frozen.name, MOST_TITLE), until: frozen.until },
        Stalled::Failing { environment, at, times } => Special::Failing { environment: environment.clone(), at, times },
    }));
    special
}

/// What is open, then what was lately; and how many are open.
fn incidents(situation: &Situation, service: &Service, settings: &Settings, now: Timestamp) -> (Vec<Glance>, usize) {
    let mut all: Vec<&Incident> = situation.incidents.values().map(|i| &i.value).collect();
    all.sort_by_key(|i| (!i.is_open(), std::cmp::Reverse(i.severity), std::cmp::Reverse(i.began_at)));
    let open = all.iter().filter(|i| i.is_open()).count();
    let reach = Reach::of(situation, service, now);
    let glance = |incident: &&Incident| {
        let rows = ladder::rows(&reach.call(incident, service), now);
        let next = rows.iter().find(|row| row.standing == Standing::Next);
        let mut paged: Vec<PersonId> = incident.pages.iter().rev().map(|page| page.person.clone()).collect();
        paged.dedup();
        paged.truncate(3);
        Glance {
            id: incident.id.clone(),
            headline: text::line(&wording::headline(incident), 160),
            severity: incident.severity,
            state: incident.state(&service.policy, now),
            began_at: incident.began_at,
            resolved_at: incident.resolved_at,
            suspect: incident.suspects.first().map(|suspect| {
                let title = text::line(&suspect.title, MOST_TITLE);
                let (id, label, url) = (suspect.change.clone(), suspect.label.clone(), suspect.url.clone());
                (Named { id, label, title, url }, suspect.responder.clone(), suspect.percent())
            }),
            taken_by: incident.taken(&service.policy, now).map(|taken| taken.name(&settings.roster).to_owned()),
            next: next.map(|row| (row.person.clone(), row.at)),
            paged,
            held: incident.held.is_some(),
            judged: incident.verdict.is_some(),
        }
    };
    (all.iter().take(MOST_INCIDENTS).map(glance).collect(), open)
}

#[cfg(test)]
#[path = "card_tests.rs"]
mod tests;
