//! The clock. Looks at one service and makes true what time has made due: notices of turns, pages of open
//! incidents, what was left unsent, what is closed. Then says when it wants to look again.
//!
//! It compares what is with what should be, so it does not matter whether it is woken late, twice, or after
//! a crash. What does not fit one transaction is left for the next round, which follows at once.

mod counting;
mod expedites;
pub mod feeds;
pub mod freezes;
pub mod merge_desks;
mod pipelines;
mod retold;
mod tidy;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::autopilot;
use crate::beside;
use crate::comments;
use crate::decision::{Decisions, MOST_ACTIONS, Record, RecordKey, Wake};
use crate::ids::ChangeId;
use crate::maintenance;
use crate::measures;
use crate::message::{Kind, Message, Outgoing, Subject};
use crate::mode::step_down;
use crate::notices::{Look, Told};
use crate::on_alert::{escalate_among, look_back, next_look};
use crate::queue::{growth, history};
use crate::service::Service;
use crate::settings::Settings;
use crate::shown;
use crate::situation::Situation;
use crate::suite;
use crate::track::Track;
use crate::window::{Closed, Phase, Window, windows};

/// A published message that no receiver accepted is published again after this long.
pub const REPUBLISH: SignedDuration = SignedDuration::from_secs(60);
/// A page that has reached nobody for so long is a failure of ours, which somebody has to look at.
const OVERDUE: SignedDuration = SignedDuration::from_mins(10);
/// How long another function may take between deciding a message and marking it published.
const IN_HAND: SignedDuration = SignedDuration::from_secs(15);
/// How long a resolved incident, or a superseded deployment, stays in the working set.
const LINGER: SignedDuration = SignedDuration::from_hours(24);

/// What one look at a service came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    pub decisions: Decisions,
    /// Decided earlier and left unsent, or published and accepted by nobody.
    pub republish: Vec<Message>,
}

/// Whether this is a page that has waited for too long.
#[must_use]
pub fn is_overdue(message: &Message, now: Timestamp) -> bool {
    message.kind == Kind::Page && message.decided_at + OVERDUE <= now
}

/// The minute, counted from `now`, by which a clock that ticks each minute has seen something that is due.
#[must_use]
pub fn tick_after(due: Timestamp, now: Timestamp) -> Timestamp {
    let left = due.duration_since(now).as_secs();
    let minutes = left.max(1).div_euclid(60);
    let late = left.rem_euclid(60) > 0 || minutes == 0;
    now + SignedDuration::from_mins(minutes + i64::from(late))
}

/// Looks at one service.
#[must_use]
pub fn decide(
    situation: &Situation,
    outbox: &[Outgoing],
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> Round {
    let service = &*situation.posted.value.applied(service);
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let mut next = Next::default();
    let all = windows(situation, service, &settings.roster, now);
    let failures = suite::failures(situation, service, now);
    let mut look = Look { situation, service, settings, all: &all, failures: &failures, now, owner_told: false };

    let (counted, all_counted) = counting::deployments(&mut decisions, &mut next, &look);
    let mut track = situation.track.value.clone();
    incidents(&mut decisions, &mut next, &mut track, &look);
    tidy::signals(&mut decisions, &mut next, &look);
    tidy::shifts(&mut decisions, &mut next, &look);
    tidy::lists(&mut decisions, &mut next, situation, now);
    tidy::errands(&mut decisions, &mut next, situation, now);
    tidy::undos(&mut decisions, &mut next, &look);
    let mut ceiling = step_down::learnt(situation, now);
    let stepped = step_down::look(&mut decisions, &look, &mut ceiling);
    let proposed = autopilot::look(&mut decisions, &look, &mut ceiling);
    for at in stepped.into_iter().chain(proposed).chain(autopilot::next_at(situation, now)) {
        next.at(at);
    }
    if ceiling != situation.ceiling.value {
        decisions.put(Record::Ceiling(ceiling), situation.ceiling.rev);
    }
    let mut queue = situation.queue.value.clone();
    let untold: BTreeSet<ChangeId> =
        comments::line::untold(situation, service, settings, &all, now).into_iter().map(|news| news.change).collect();
    let stays = Stays { untold: &untold, all_counted };
    for window in &all {
        // A window is at the most a handful of messages, each with its line, its notes and the queue's record.
        if decisions.actions() + 12 > MOST_ACTIONS {
            next.at(now);
            break;
        }
        let said = turn(&mut decisions, &mut next, &mut track, &look, &stays, window);
        if let Some(turn) = window.turn().filter(|_| said.went_live) {
            queue.learn(turn.since.duration_since(window.change.merged_at));
        }
        if let Some(step) = said.owner_told {
            queue.owner_told_at.insert(step, now);
            look.owner_told = true;
        }
    }
    if let Some(until) = queue.paused(now).and_then(|pause| pause.until) {
        next.at(until);
    }
    if let Some(at) = growth::look(&mut decisions, &mut queue, &look) {
        next.at(at);
    }
    let waiting = all.iter().filter(|window| window.phase == Phase::Standby).count();
    history::sample(&mut queue.history, waiting, now);
    pipelines::look(&mut decisions, &mut next, &look);
    if queue != situation.queue.value {
        decisions.put(Record::Queue(queue), situation.queue.rev);
    }
    if track != situation.track.value {
        decisions.put(Record::Track(track), situation.track.rev);
    }
    tidy::deployments(&mut decisions, &mut next, &counted, &look);
    let (digest, later) = measures::digest::due(service, &situation.queue.value, now);
    if let Some(at) = digest.map(|_| now + REPUBLISH).or(later) {
        // What is due now is told after this look; should that fail, the tick comes again.
        next.at(at);
    }
    if !untold.is_empty() {
        // It is told after this look; should that fail, the tick comes again.
        next.at(now + REPUBLISH);
    }
    if let Some(at) = beside::due_at(situation, service, &settings.roster, now) {
        // What is due now is done after this look; should that fail, the tick comes again.
        next.at(at.max(now + REPUBLISH));
    }
    if let Some(at) = shown::due_at(situation, service, &settings.roster, now) {
        next.at(at.max(now + REPUBLISH));
    }
    let republish = unsent(&mut next, outbox, now);
    if !decisions.messages.is_empty() {
        next.at(now + REPUBLISH);
    }
    decisions.wake = Wake::Exactly(next.0);
    Round { decisions, republish }
}

/// What keeps a closed window from leaving.
struct Stays<'a> {
    /// The changes whose last word is yet to be told at their forge.
    untold: &'a BTreeSet<ChangeId>,
    all_counted: bool,
}

/// The earliest of all deadlines.
#[derive(Default)]
struct Next(Option<Timestamp>);

impl Next {
    fn at(&mut self, at: Timestamp) {
        self.0 = Some(self.0.map_or(at, |known| known.min(at)));
    }
}

/// Open incidents escalate; resolved ones leave the working set after a day.
fn incidents(decisions: &mut Decisions, next: &mut Next, track: &mut Track, look: &Look<'_>) {
    let Look { situation, service, settings, now, .. } = *look;
    for (id, known) in &situation.incidents {
        if decisions.actions() + 60 > MOST_ACTIONS {
            next.at(now);
            return;
        }
        let mut incident = known.value.clone();
        if let Some(resolved) = known.value.resolved_at {
            if look_back(decisions, &mut incident, look) {
                decisions.put(Record::Incident(incident), known.rev);
                next.at(now);
            } else if now < resolved + LINGER {
                next.at(resolved + LINGER);
            } else {
                track.closes(&known.value);
                decisions.facts.extend(measures::of_incident(&known.value, service, &settings.roster));
                decisions.drop_record(RecordKey::Incident(id.clone()), known.rev);
            }
            continue;
        }
        if escalate_among(decisions, &mut incident, look) {
            decisions.put(Record::Incident(incident.clone()), known.rev);
        }
        if let Some(at) = next_look(&incident, situation, service, settings, now) {
            next.at(at);
        }
        if let Some((from, _)) = maintenance::weekly_next(service, now) {
            next.at(from);
        }
    }
}

/// One window: the notices that are due, its end, and when it wants to be looked at again. What was said.
fn turn(
    decisions: &mut Decisions,
    next: &mut Next,
    track: &mut Track,
    look: &Look<'_>,
    stays: &Stays<'_>,
    window: &Window<'_>,
) -> Told {
    let (situation, now) = (look.situation, look.now);
    let known = situation.notes.get(&window.change.id);
    let before = known.map(|k| k.value.clone()).unwrap_or_default();
    let mut notes = before.clone();
    let mut told = look.window(window, &mut notes);
    let subject = Some(Subject::Change(window.change.id.clone()));
    for (person, step, reason) in std::mem::take(&mut told.unsaid) {
        let what = format!("{} of {} not said", step.word(), window.change.label());
        decisions.log(now, subject.clone(), Some(person), what, reason);
    }
    for message in std::mem::take(&mut told.messages) {
        decisions.tell(message);
    }
    if let Some(at) = told.next {
        next.at(at);
    }
    if let Phase::Closed { at, reason } = window.phase
        && notes == before
    {
        // What is not this service's stays a while, so that another report of it, which lists no files, finds them.
        let leaves = if reason == Closed::OtherPaths { at + LINGER } else { at };
        if leaves > now {
            next.at(leaves);
        } else if stays.untold.contains(&window.change.id) {
            // It leaves once its last word is told.
            next.at(now + REPUBLISH);
        } else if !stays.all_counted {
            // What is counted next may be about it.
            next.at(now);
        } else {
            tidy::close(decisions, next, track, look, window);
        }
        return told;
    }
    if notes != before {
        decisions.put(Record::Notes(window.change.id.clone(), notes), known.map_or(0, |k| k.rev));
    }
    match window.phase {
        Phase::Standby => {
            if let Some(since) = window.turn().map(|turn| turn.since).filter(|since| *since > now) {
                next.at(since);
            }
        }
        Phase::Active { until, .. } | Phase::Tail { until, .. } => next.at(until),
        Phase::Closed { .. } => next.at(now),
    }
    told
}

/// Messages that nobody has accepted and nobody has in hand.
fn unsent(next: &mut Next, outbox: &[Outgoing], now: Timestamp) -> Vec<Message> {
    let mut due = Vec::new();
    for outgoing in outbox {
        let at = outgoing.published_at.map_or(outgoing.message.decided_at + IN_HAND, |at| at + REPUBLISH);
        if at <= now {
            due.push(outgoing.message.clone());
            next.at(now + REPUBLISH);
        } else {
            next.at(at);
        }
    }
    due
}

#[cfg(test)]
#[path = "on_schedule/look_tests.rs"]
mod look_tests;
