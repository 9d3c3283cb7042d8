//! What one service has to say of a change: who answers for it, where it stands, what holds it, which incidents name it. Nothing in it
//! changes by time alone but with the phase, so that the comment is edited seldom.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::change::{Change, ChangeKind};
use crate::ids::{ChangeId, IncidentId, PersonId, Repository};
use crate::incident::Incident;
use crate::mode::Mode;
use crate::outcome::{Judge, Verdict};
use crate::queue::{self, Stalled};
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::text;
use crate::turn::{Extension, Turn};
use crate::window::{Closed, Phase, Window, WindowNotes};

/// So many incidents of one change are told in one service.
pub const MOST_INCIDENTS: usize = 3;
/// The names of freezes and of alerts are cut.
const MOST_NAME: usize = 80;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub responder: PersonId,
    /// Who has the pager of the whole service, and is paged instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<PersonId>,
    pub standing: Standing,
    /// What reverts it, as people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverted_by: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub incidents: BTreeMap<IncidentId, Suspected>,
}

/// Where the window stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Standby {
        /// It was live, or was to be, and was taken back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        again: bool,
        #[serde(default, skip_serializing_if = "is_none_ahead")]
        ahead: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held: Option<Held>,
    },
    Active {
        since: Timestamp,
        until: Timestamp,
        end: End,
    },
    /// Its turn is over, and it stays a suspect for a while.
    Ended {
        since: Timestamp,
        at: Timestamp,
        until: Timestamp,
    },
    Reverted {
        /// Nothing: it was never live.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
        at: Timestamp,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_none_ahead(ahead: &usize) -> bool {
    *ahead == 0
}

/// What the end of a turn follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    Known,
    /// So long after the deployment succeeds.
    AfterSuccess(SignedDuration),
    /// When what broke meanwhile is over.
    AfterIncident,
}

/// What holds the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    Frozen {
        name: String,
        until: Timestamp,
    },
    Paused {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
}

/// An incident that names the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspected {
    pub what: String,
    pub began_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_at: Option<Timestamp>,
    /// Whether it was this change, where somebody says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub it_was: Option<bool>,
}

/// What a service has to tell the desk of a change's repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    pub change: ChangeId,
    pub number: u64,
    /// Nothing: it is not this service's, as it turned out.
    pub line: Option<Line>,
}

impl News {
    /// By which the service knows what it told last.
    #[must_use]
    pub fn digest(&self) -> Option<String> {
        self.line.as_ref().map(|line| text::digest(&format!("{line:?}")))
    }
}

/// What is to be told and was not yet; of `all` windows, which are those of this service at `now`.
#[must_use]
pub fn untold(
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    all: &[Window<'_>],
    now: Timestamp,
) -> Vec<News> {
    let (mut ahead, mut untold) = (0, Vec::new());
    let mut stalls: BTreeMap<&Repository, Option<Held>> = BTreeMap::new();
    for window in all {
        let change = window.change;
        let before = ahead;
        ahead += usize::from(window.phase == Phase::Standby);
        let Some(number) = wanted(change, situation.mode(service), settings) else { continue };
        let held = stalls.entry(&change.id.repository).or_insert_with(|| held(situation, service, change, now));
        let line = Line::of(window, before, held.clone(), situation, service);
        let news = News { change: change.id.clone(), number, line };
        let told = situation.notes.get(&change.id).and_then(|notes| notes.value.commented.as_ref());
        // What was over before anything was said of it is left at that.
        let late = told.is_none() && matches!(window.phase, Phase::Closed { .. });
        if !late && news.digest().as_ref() != told {
            untold.push(news);
        }
    }
    untold
}

/// The pull request at which something is to be told of a change.
fn wanted(change: &Change, mode: Mode, settings: &Settings) -> Option<u64> {
    let ChangeKind::PullRequest { number } = change.kind else { return None };
    (mode.decides() && mode.tells() && settings.comments_at(&change.id.repository)).then_some(number)
}

fn held(situation: &Situation, service: &Service, change: &Change, now: Timestamp) -> Option<Held> {
    match queue::stalled(situation, service, &change.id.repository, now)? {
        Stalled::Paused(pause) => Some(Held::Paused { until: pause.until }),
        Stalled::Frozen(frozen) => {
            Some(Held::Frozen { name: text::line(&frozen.name, MOST_NAME), until: frozen.until })
        }
        Stalled::Failing { .. } => None,
    }
}

impl Line {
    fn of(
        window: &Window<'_>,
        ahead: usize,
        held: Option<Held>,
        situation: &Situation,
        service: &Service,
    ) -> Option<Self> {
        let live = |turn: Option<&Turn<'_>>| turn.map(|turn| turn.since);
        let standing = match window.phase {
            Phase::Standby => {
                let again = !window.attempts.is_empty() || !window.rolled_back.is_empty();
                Standing::Standby { again, ahead: rounded(ahead), held }
            }
            Phase::Active { since, until, settled } => {
                let open = window.turn().is_some_and(|turn| turn.extended == Some(Extension::IncidentOpen));
                let end = match (settled, open) {
                    (true, _) => End::Known,
                    (false, true) => End::AfterIncident,
                    (false, false) => End::AfterSuccess(service.policy.active),
                };
                Standing::Active { since, until, end }
            }
            Phase::Tail { since, until } => {
                Standing::Ended { since: live(window.turn()).unwrap_or(since), at: since, until }
            }
            // The same as before: that a tail is over is known by its time.
            Phase::Closed { reason: Closed::TailOver, at } => {
                let turn = window.turn();
                let ended = turn.map_or(at, |turn| turn.until);
                Standing::Ended { since: live(turn).unwrap_or(ended), at: ended, until: at }
            }
            Phase::Closed { reason: Closed::Reverted, at } => {
                Standing::Reverted { since: live(window.turn()), at: window.reverted_live_at.unwrap_or(at) }
            }
            Phase::Closed { reason: Closed::RevertedBeforeLive, at } => Standing::Reverted { since: None, at },
            Phase::Closed { reason: Closed::OtherPaths, .. } => return None,
        };
        let instead = (window.responder.person != window.holder.person).then(|| window.responder.person.clone());
        let asked = matches!(standing, Standing::Standby { .. } | Standing::Active { .. });
        Some(Self {
            responder: window.holder.person.clone(),
            instead: instead.filter(|_| asked),
            standing,
            reverted_by: window.reverted_by.map(Change::label),
            incidents: incidents(situation, &window.change.id),
        })
    }
}

/// Exact while it is few; else rounded down, so that a long queue that moves does not change each comment each time.
pub(super) fn rounded(ahead: usize) -> usize {
    match ahead {
        0..=4 => ahead,
        5..=9 => 5,
        10..=99 => ahead / 10 * 10,
        _ => 100,
    }
}

/// The incidents that name a change among their suspects, or of which it was the cause; the newest ones.
fn incidents(situation: &Situation, change: &ChangeId) -> BTreeMap<IncidentId, Suspected> {
    let is_it = |verdict: &Verdict| verdict.change.as_ref() == Some(change);
    let names = |incident: &&Incident| {
        incident.verdict.as_ref().is_some_and(|verdict| is_judged(verdict) && is_it(verdict))
            || incident.suspects.iter().any(|suspect| suspect.change == *change)
    };
    let mut all: Vec<&Incident> = situation.incidents.values().map(|known| &known.value).filter(names).collect();
    all.sort_by_key(|incident| (std::cmp::Reverse(incident.began_at), &incident.id));
    let told = |incident: &Incident| Suspected {
        what: text::line(incident.headline().map_or("an alert", |alert| alert.name.as_str()), MOST_NAME),
        began_at: incident.began_at,
        over_at: incident.resolved_at,
        it_was: incident.verdict.as_ref().filter(|verdict| is_judged(verdict)).map(is_it),
    };
    all.into_iter().take(MOST_INCIDENTS).map(|incident| (incident.id.clone(), told(incident))).collect()
}

/// What somebody guessed is not for everybody to read.
fn is_judged(verdict: &Verdict) -> bool {
    matches!(verdict.by, Judge::Person(_) | Judge::Revert)
}

impl WindowNotes {
    /// What was told is known by this.
    pub(super) fn tells(&mut self, news: &News) {
        self.commented = news.digest();
    }
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
