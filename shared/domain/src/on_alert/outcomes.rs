//! What mitigates an incident, and which change it was, as far as that follows from what is live.

use jiff::Timestamp;

use crate::decision::Decisions;
use crate::incident::Incident;
use crate::message::Subject;
use crate::outcome::{Judge, Mitigated, TakenBack, Verdict};
use crate::reason::Reason;
use crate::turn::Cut;
use crate::window::Window;
use crate::wording;

/// A suspect that was reverted or rolled back since it began may have been it.
pub(super) fn mitigate(decisions: &mut Decisions, incident: &mut Incident, all: &[Window<'_>], now: Timestamp) {
    let back = incident.suspects.iter().filter_map(|suspect| {
        let window = all.iter().find(|w| w.change.id == suspect.change)?;
        let (at, how) = taken_back(window)?;
        let since = at >= incident.began_at && at <= now;
        let label = suspect.label.clone();
        since.then(|| Mitigated { at, change: suspect.change.clone(), label, how })
    });
    let back: Vec<Mitigated> = back.collect();
    // What it fired again after, or worsened after, has not helped.
    incident.doubt_mitigation();
    let helps_from = incident.unhelped_until();
    let newest = back.iter().filter(|b| b.at >= helps_from).max_by_key(|b| b.at);
    if incident.is_open()
        && let Some(newest) = newest.filter(|n| incident.mitigated.as_ref().is_none_or(|known| known.at < n.at))
    {
        let reason = Reason::TakenBack { change: newest.label.clone(), how: newest.how.word().to_owned() };
        let what = format!("{} {}", newest.label, newest.how.word());
        decisions.log(now, Some(Subject::Incident(incident.id.clone())), None, what, reason);
        incident.mitigated = Some(newest.clone());
    }
    // A revert names one change; a rollback takes back everything since, so it names one only if it took back one.
    let reverted = back.iter().find(|b| b.how == TakenBack::Reverted);
    let named = reverted.or_else(|| back.first().filter(|_| back.len() == 1));
    if let Some(named) = named {
        let (change, label) = (Some(named.change.clone()), named.label.clone());
        judge(decisions, incident, Verdict { change, label, by: Judge::Revert, at: named.at }, now);
    }
}

/// Since when users no longer have a change, and how that came.
fn taken_back(window: &Window<'_>) -> Option<(Timestamp, TakenBack)> {
    let rolled_back = window.rolled_back.iter().filter_map(|back| back.by.live_since()).max();
    match window.turn().and_then(|turn| turn.cut) {
        Some(Cut::Reverted) => window.reverted_live_at.map(|at| (at, TakenBack::Reverted)),
        Some(Cut::RolledBack) => rolled_back.map(|at| (at, TakenBack::RolledBack)),
        // What a rollout gave up by itself is told to those who are in it, as an alert of its own.
        None => None,
    }
}

/// Keeps which change it was, unless somebody with more weight has said so.
pub(crate) fn judge(decisions: &mut Decisions, incident: &mut Incident, verdict: Verdict, now: Timestamp) {
    let known = incident.verdict.as_ref();
    let same = known.is_some_and(|known| known.change == verdict.change && known.by == verdict.by);
    if same || known.is_some_and(|known| !verdict.by.outweighs(&known.by)) {
        return;
    }
    let person = match &verdict.by {
        Judge::Person(person) | Judge::Guess(person) => Some(person.clone()),
        Judge::Revert => None,
    };
    let what = format!("{}: it was {}", wording::headline(incident), verdict.label);
    let reason = Reason::JudgedToBe { change: verdict.label.clone() };
    decisions.log(now, Some(Subject::Incident(incident.id.clone())), person, what, reason);
    incident.verdict = Some(verdict);
}

#[cfg(test)]
#[path = "outcomes_tests.rs"]
mod tests;
