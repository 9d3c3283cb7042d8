//! What is over leaves the working set, so that its size follows the work in hand: closed windows, superseded
//! deployments, shifts that ran out, what monitors said long ago.

use jiff::{SignedDuration, Timestamp};

use super::counting::{Counted, forgets};
use super::{LINGER, MOST_ACTIONS, Next, REPUBLISH};
use crate::decision::{Decisions, Record, RecordKey};
use crate::deployment::Deployment;
use crate::message::Subject;
use crate::notices::Look;
use crate::on_alert::{give_up, lapse};
use crate::on_deploy::retry_at;
use crate::on_merge::files;
use crate::reason::Reason;
use crate::release;
use crate::shift::{self, Scope, Shift};
use crate::situation::Situation;
use crate::suspect;
use crate::track::Track;
use crate::undo;
use crate::window::{Closed, Phase, Window};
use crate::wording::{Reader, hands};

/// How long a resolved alert is remembered, so that its late repetitions open nothing: monitors retry for a day.
const MEMORY: SignedDuration = SignedDuration::from_hours(72);
/// A question that is overdue by so much is not waited for.
const FORGOTTEN: SignedDuration = SignedDuration::from_mins(10);

/// What monitors said is forgotten once nobody can repeat it, and no turn that it prolonged has a tail any more.
pub(super) fn signals(decisions: &mut Decisions, next: &mut Next, look: &Look<'_>) {
    let (situation, service, now) = (look.situation, look.service, look.now);
    let memory = MEMORY.max(service.policy.at_most + service.policy.tail);
    for (environment, known) in &situation.signals {
        if let Some(at) = known.value.next_lapse() {
            // Its incident may be written once in a transaction, and there has to be room.
            if at <= now && decisions.is_quiet() {
                lapse(decisions, known, environment, situation, service, look.settings, now);
                next.at(now);
            } else {
                next.at(at.max(now));
            }
            continue;
        }
        if known.value.firing().next().is_some() {
            continue;
        }
        if known.value.open.is_some() {
            match known.value.unsure_until() {
                Some(until) if until > now => next.at(until),
                // Its incident may be written once in a transaction, and there has to be room.
                Some(_) if !decisions.is_quiet() => next.at(now),
                Some(_) => give_up(decisions, known, environment, situation, service, look.settings, now),
                None => {}
            }
            continue;
        }
        let last = known.value.by_key.values().filter_map(|s| s.ended_at).max();
        match last.map(|last| last + memory).filter(|until| *until > now) {
            Some(until) => next.at(until),
            None => decisions.drop_record(RecordKey::Signals(environment.clone()), known.rev),
        }
    }
}

/// A closed window leaves the working set, once nothing else needs what it knows.
pub(super) fn close(
    decisions: &mut Decisions,
    next: &mut Next,
    track: &mut Track,
    look: &Look<'_>,
    window: &Window<'_>,
) {
    let (situation, id) = (look.situation, &window.change.id);
    // First its deployments have to remember when it was merged, or their releases would change; and what is live
    // only because of it has to leave before it.
    let remembered = situation.deployments.values().all(|d| !forgets(&d.value, window.change));
    let needed = look.all.iter().any(|w| w.pinned_by.is_some_and(|by| by.id == *id));
    if !remembered || needed {
        next.at(if remembered { look.now + REPUBLISH } else { look.now });
        return;
    }
    let what = format!("{} leaves the working set", window.change.label());
    let person = Some(window.holder.person.clone());
    let reason = match window.phase {
        Phase::Closed { reason: Closed::OtherPaths, .. } => Reason::TouchesOtherPaths,
        Phase::Closed { reason: Closed::Reverted, .. } => Reason::TurnReverted,
        Phase::Closed { reason: Closed::RevertedBeforeLive, .. } => Reason::RevertedBeforeLive,
        Phase::Standby | Phase::Active { .. } | Phase::Tail { .. } | Phase::Closed { .. } => Reason::WindowClosed,
    };
    decisions.log(look.now, Some(Subject::Change(id.clone())), person, what, reason);
    if !matches!(window.phase, Phase::Closed { reason: Closed::OtherPaths, .. }) {
        track.leaves(situation, window.change, window.reverted_by.is_some());
    }
    decisions.drop_record(RecordKey::Change(id.clone()), situation.changes.get(id).map_or(0, |c| c.rev));
    if let Some(known) = situation.notes.get(id) {
        decisions.drop_record(RecordKey::Notes(id.clone()), known.rev);
    }
    if let Some(known) = situation.files.get(id) {
        decisions.drop_record(RecordKey::Files(id.clone()), known.rev);
    }
}

/// Lists of files that came after their change had left; and when the forge is asked again for the others.
pub(super) fn lists(decisions: &mut Decisions, next: &mut Next, situation: &Situation, now: Timestamp) {
    for known in situation.files.values() {
        // Whoever looks then asks too. Not for ever: there may be no token any more.
        if let Some(at) = files::retry_at(&known.value).filter(|at| now < *at + FORGOTTEN) {
            next.at(if at > now { at } else { now + REPUBLISH });
        }
    }
    for (id, known) in situation.files.iter().filter(|(id, _)| !situation.changes.contains_key(id)) {
        if decisions.actions() < MOST_ACTIONS {
            decisions.drop_record(RecordKey::Files(id.clone()), known.rev);
        } else {
            next.at(now);
        }
    }
}

/// Errands: when they are due. Whoever looks then runs them; what nobody runs, because there is no token any more, is
/// given up.
pub(super) fn errands(decisions: &mut Decisions, next: &mut Next, situation: &Situation, now: Timestamp) {
    for (key, known) in &situation.errands {
        let (due, end) = (known.value.due_at(), known.value.last + MEMORY);
        if now < end {
            let overdue = if now < due + FORGOTTEN { now + REPUBLISH } else { end };
            next.at(if due > now { due } else { overdue });
        } else if decisions.actions() + 2 > MOST_ACTIONS {
            next.at(now);
        } else {
            decisions.log(now, None, None, format!("{} is not asked about", known.value.label()), Reason::NoForgeToAsk);
            decisions.drop_record(RecordKey::Errand(key.clone()), known.rev);
        }
    }
}

/// Reverts that were asked for: when the forge is asked. What nobody opened is given up; what is over is known as long as its change
/// is here, and a while yet.
pub(super) fn undos(decisions: &mut Decisions, next: &mut Next, look: &Look<'_>) {
    let (situation, now) = (look.situation, look.now);
    for (id, known) in &situation.undos {
        let end = known.value.at + undo::KEPT;
        if let (Some(due), Some(given_up)) = (known.value.due_at(), known.value.given_up_at()) {
            if now < given_up {
                // Should it fail, the tick comes again. Not for ever: there may be no token any more.
                next.at(due.max(now + REPUBLISH).min(given_up));
                continue;
            }
            if decisions.actions() + 4 <= MOST_ACTIONS {
                let (settings, service, person) = (look.settings, look.service, &known.value.by);
                undo::give_up(decisions, known, "nobody asked it", Reader { settings, service, person, now });
            }
            next.at(now);
        } else if now < end {
            next.at(end);
        } else if situation.changes.contains_key(id) {
            // It is looked at again when that leaves.
        } else if decisions.actions() < MOST_ACTIONS {
            decisions.drop_record(RecordKey::Undo(id.clone()), known.rev);
        } else {
            next.at(now);
        }
    }
}

/// Shifts that run out, and those that are long over.
pub(super) fn shifts(decisions: &mut Decisions, next: &mut Next, look: &Look<'_>) {
    for (id, known) in &look.situation.shifts {
        let shift = &known.value;
        let gone = matches!(&shift.scope, Scope::Change(change) if !look.situation.changes.contains_key(change));
        let over = shift.over_at().filter(|over| *over <= look.now);
        if decisions.actions() + 4 > MOST_ACTIONS {
            next.at(look.now);
            return;
        }
        if gone || over.is_some_and(|over| over + shift::KEEP <= look.now) {
            decisions.drop_record(RecordKey::Shift(id.clone()), known.rev);
            continue;
        }
        match (over, shift.over_at()) {
            (Some(_), _) if !shift.told_over && shift.ended_at.is_none() => {
                let (settings, service, person) = (look.settings, look.service, &shift.person);
                decisions.tell(hands::shift_over(Reader { settings, service, person, now: look.now }, shift));
                decisions.put(Record::Shift(Shift { told_over: true, ..shift.clone() }), known.rev);
                next.at(look.now);
            }
            (Some(over), _) => next.at(over + shift::KEEP),
            (None, over) => {
                let ahead = [Some(shift.from), over].into_iter().flatten().filter(|at| *at > look.now);
                ahead.for_each(|at| next.at(at));
            }
        }
    }
}

/// Superseded deployments leave; what is live, and what still carries a window, stays.
pub(super) fn deployments(decisions: &mut Decisions, next: &mut Next, counted: &Counted, look: &Look<'_>) {
    let (situation, service, all, now) = (look.situation, look.service, look.all, look.now);
    let everything = || situation.deployments.values().map(|d| &d.value);
    for (key, known) in &situation.deployments {
        let deployment = counted.get(key).unwrap_or(&known.value);
        // Whoever looks then asks too. Not for ever: there may be no token any more.
        let awaited = |at: &Timestamp| !deployment.has_failed() && now < *at + FORGOTTEN;
        if let Some(at) = retry_at(deployment).filter(awaited) {
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
        } else if suspected(situation, deployment) {
            // Whether it was the cause is counted once that incident leaves.
            next.at(now + SignedDuration::from_hours(1));
        } else if decisions.actions() < MOST_ACTIONS && !counted.contains_key(key) {
            decisions.drop_record(RecordKey::Deployment(key.clone()), known.rev);
        } else {
            next.at(now);
        }
    }
}

/// Whether an incident has a change of it among its suspects.
fn suspected(situation: &Situation, deployment: &Deployment) -> bool {
    let since = suspect::live_since(deployment);
    situation.incidents.values().any(|known| known.value.suspects.iter().any(|suspect| suspect.live_since == since))
}

#[cfg(test)]
#[path = "tidy_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "tidy_bounds_tests.rs"]
mod bounds_tests;
