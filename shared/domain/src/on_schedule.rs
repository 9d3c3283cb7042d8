//! The clock. Looks at one service and makes true what time has made due: notices of turns, pages of open
//! incidents, what was left unsent, what is closed. Then says when it wants to look again.
//!
//! It compares what is with what should be, so it does not matter whether it is woken late, twice, or after
//! a crash. What does not fit one transaction is left for the next round, which follows at once.

use jiff::{SignedDuration, Timestamp};

use crate::change::Change;
use crate::decision::{Decisions, Record, RecordKey, Wake};
use crate::deployment::Deployment;
use crate::escalation;
use crate::message::{Message, Outgoing, Subject};
use crate::notices;
use crate::on_alert::escalate;
use crate::on_deploy::retry_at;
use crate::reason::Reason;
use crate::release;
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::window::{Phase, Window, windows};
use crate::wording::{self, Reader};

/// A transaction holds 100 actions; one notice is three (the note, the message, the log line).
const MOST_ACTIONS: usize = 90;
/// A published message that no receiver accepted is published again after this long.
pub const REPUBLISH: SignedDuration = SignedDuration::from_secs(60);
/// How long another function may take between deciding a message and marking it published.
const IN_HAND: SignedDuration = SignedDuration::from_secs(15);
/// How long a resolved incident, or a superseded deployment, stays in the working set.
const LINGER: SignedDuration = SignedDuration::from_hours(24);
/// How long a resolved alert is remembered, so that its late repetitions open nothing: monitors retry for a day.
const MEMORY: SignedDuration = SignedDuration::from_hours(72);

/// What one look at a service came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    pub decisions: Decisions,
    /// Decided earlier and left unsent, or published and accepted by nobody.
    pub republish: Vec<Message>,
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
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let mut next = Next::default();
    let all = windows(situation, service, &settings.roster, now);

    incidents(&mut decisions, &mut next, situation, service, settings, now);
    signals(&mut decisions, &mut next, situation, now);
    for window in &all {
        if decisions.actions() + 4 > MOST_ACTIONS {
            next.at(now);
            break;
        }
        turn(&mut decisions, &mut next, window, &all, situation, service, settings, now);
    }
    deployments(&mut decisions, &mut next, &all, situation, service, now);
    let republish = unsent(&mut next, outbox, now);
    if !decisions.messages.is_empty() {
        next.at(now + REPUBLISH);
    }
    decisions.wake = Wake::Exactly(next.0);
    Round { decisions, republish }
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
fn incidents(
    decisions: &mut Decisions,
    next: &mut Next,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) {
    for (id, known) in &situation.incidents {
        if decisions.actions() + 10 > MOST_ACTIONS {
            next.at(now);
            return;
        }
        if let Some(resolved) = known.value.resolved_at {
            if now < resolved + LINGER {
                next.at(resolved + LINGER);
            } else {
                decisions.drop_record(RecordKey::Incident(id.clone()), known.rev);
            }
            continue;
        }
        let mut incident = known.value.clone();
        if escalate(decisions, &mut incident, situation, service, settings, now) {
            decisions.put(Record::Incident(incident.clone()), known.rev);
        }
        if let Some(at) = escalation::next_due_at(&incident, service, now) {
            next.at(at);
        }
    }
}

/// What monitors said is forgotten once nobody can repeat it.
fn signals(decisions: &mut Decisions, next: &mut Next, situation: &Situation, now: Timestamp) {
    for (environment, known) in &situation.signals {
        if known.value.firing().next().is_some() || known.value.open.is_some() {
            continue;
        }
        let last = known.value.by_key.values().filter_map(|s| s.ended_at).max();
        match last.map(|last| last + MEMORY).filter(|until| *until > now) {
            Some(until) => next.at(until),
            None => decisions.drop_record(RecordKey::Signals(environment.clone()), known.rev),
        }
    }
}

/// One window: the notice that is due, its end, and when it wants to be looked at again.
#[expect(clippy::too_many_arguments, reason = "what a decision needs, spelled out; a bag would hide it")]
fn turn(
    decisions: &mut Decisions,
    next: &mut Next,
    window: &Window<'_>,
    all: &[Window<'_>],
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) {
    let known = situation.notes.get(&window.change.id);
    let before = known.map(|k| k.value.clone()).unwrap_or_default();
    let mut notes = before.clone();
    let person = &window.responder.person;
    for (step, reason) in notices::due(window, &mut notes, &service.policy, now) {
        let subject = Some(Subject::Change(window.change.id.clone()));
        if reason == Reason::TurnWasOverWhenHeard {
            let what = format!("nobody is told of {}", window.change.label());
            decisions.log(now, subject, Some(person.clone()), what, reason);
            continue;
        }
        let ahead =
            all.iter().take_while(|w| w.change.id != window.change.id).filter(|w| w.phase == Phase::Standby).count();
        let reader = Reader { settings, service, person, now };
        decisions.tell(wording::window_notice(
            reader,
            window,
            step,
            reason,
            ahead,
            &notices::released_with(window, all, settings),
        ));
    }
    if let Phase::Closed { .. } = window.phase
        && notes == before
    {
        // First its deployments have to remember when it was merged, or their releases would change.
        if situation.deployments.values().any(|d| forgets(&d.value, window.change)) {
            next.at(now);
            return;
        }
        let what = format!("{} leaves the working set", window.change.label());
        let subject = Some(Subject::Change(window.change.id.clone()));
        decisions.log(now, subject, Some(person.clone()), what, Reason::WindowClosed);
        let rev = situation.changes.get(&window.change.id).map_or(0, |c| c.rev);
        decisions.drop_record(RecordKey::Change(window.change.id.clone()), rev);
        if let Some(known) = known {
            decisions.drop_record(RecordKey::Notes(window.change.id.clone()), known.rev);
        }
        return;
    }
    if notes != before {
        decisions.put(Record::Notes(window.change.id.clone(), notes), known.map_or(0, |k| k.rev));
    }
    match window.phase {
        Phase::Standby => {
            if let Some(since) = window.release.and_then(Deployment::live_since).filter(|since| *since > now) {
                next.at(since);
            }
        }
        Phase::Active { until, settled, .. } => {
            let soon = until - service.policy.ending_notice;
            next.at(if settled && soon > now { soon } else { until });
        }
        Phase::Tail { until, .. } => next.at(until),
        Phase::Closed { .. } => next.at(now),
    }
}

/// Superseded deployments leave; what is live, and what still carries a window, stays.
fn deployments(
    decisions: &mut Decisions,
    next: &mut Next,
    all: &[Window<'_>],
    situation: &Situation,
    service: &Service,
    now: Timestamp,
) {
    let everything = || situation.deployments.values().map(|d| &d.value);
    for (key, known) in &situation.deployments {
        let deployment = &known.value;
        if let Some(at) = retry_at(deployment) {
            next.at(at.max(now + SignedDuration::from_secs(1)));
        }
        if let Some(window) = all.iter().find(|w| forgets(deployment, w.change)) {
            if decisions.actions() < MOST_ACTIONS {
                let commit_merged_at = Some(window.change.merged_at);
                let remembering = Deployment { commit_merged_at, ..deployment.clone() };
                decisions.put(Record::Deployment(remembering), known.rev);
            } else {
                next.at(now);
            }
            continue;
        }
        let carries = all.iter().any(|w| w.involves(key));
        let newest = release::newest_live(everything(), &key.environment, None, &deployment.repository);
        if carries || newest.is_some_and(|n| n.key == *key) {
            continue;
        }
        let last = [Some(deployment.created_at), deployment.started_at, deployment.succeeded_at, deployment.failed_at];
        let end = last.into_iter().flatten().max().unwrap_or(deployment.created_at);
        let until = end + service.policy.at_most + service.policy.tail + LINGER;
        if until > now {
            next.at(until);
        } else if decisions.actions() < MOST_ACTIONS {
            decisions.drop_record(RecordKey::Deployment(key.clone()), known.rev);
        } else {
            next.at(now);
        }
    }
}

/// Whether the change is this deployment's commit, and the deployment does not remember when it was merged.
fn forgets(deployment: &Deployment, change: &Change) -> bool {
    deployment.repository == change.id.repository
        && deployment.commit.same(&change.id.commit)
        && deployment.commit_merged_at != Some(change.merged_at)
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
