//! Which notice of a window is due. Each is said once to each responder; what was over before we heard of it is
//! not said at all.

use jiff::Timestamp;

use crate::message::Step;
use crate::reason::Reason;
use crate::service::Policy;
use crate::settings::Settings;
use crate::window::{Phase, Window, WindowNotes};

/// Which notices are due, marking in `notes` what has then been said. At most one is sent a round, but for a
/// window that is closed at once.
#[must_use]
pub fn due(window: &Window<'_>, notes: &mut WindowNotes, policy: &Policy, now: Timestamp) -> Vec<(Step, Reason)> {
    let person = &window.responder.person;
    let told = |notes: &WindowNotes, step: Step| notes.told.get(&step) == Some(person);
    let mut due = Vec::new();
    let mut say = |notes: &mut WindowNotes, step: Step, reason: Reason| {
        notes.told.insert(step, person.clone());
        due.push((step, reason));
    };
    match window.phase {
        Phase::Standby => {
            if told(notes, Step::Started) && !(window.attempts.is_empty() && window.rolled_back.is_empty()) {
                for step in [Step::Started, Step::EndingSoon, Step::Ended] {
                    notes.told.remove(&step);
                }
                say(notes, Step::StandbyAgain, Reason::BackOnStandby);
            } else if !told(notes, Step::Receipt) {
                say(notes, Step::Receipt, Reason::MergedOnStandby);
            }
        }
        Phase::Active { until, settled, .. } => {
            if !told(notes, Step::Started) {
                notes.told.insert(Step::Receipt, person.clone());
                notes.told.remove(&Step::StandbyAgain);
                say(notes, Step::Started, Reason::TurnStarted);
            } else if settled && now >= until - policy.ending_notice && !told(notes, Step::EndingSoon) {
                say(notes, Step::EndingSoon, Reason::TurnEndsSoon);
            }
        }
        Phase::Tail { .. } | Phase::Closed { .. } => {
            if !told(notes, Step::Ended) {
                let heard = told(notes, Step::Started);
                let reason = if heard { Reason::TurnEnded } else { Reason::TurnWasOverWhenHeard };
                notes.told.insert(Step::Receipt, person.clone());
                notes.told.insert(Step::Started, person.clone());
                say(notes, Step::Ended, reason);
            }
        }
    }
    due
}

/// The other changes of the same release and who answers for them, a few by name.
#[must_use]
pub fn released_with(window: &Window<'_>, all: &[Window<'_>], settings: &Settings) -> Vec<String> {
    const MOST_NAMED: usize = 5;
    let Some(release) = window.release else {
        return Vec::new();
    };
    let mut others: Vec<String> = all
        .iter()
        .filter(|w| w.change.id != window.change.id && w.release.is_some_and(|r| r.key == release.key))
        .map(|w| format!("{} ({})", w.change.label(), settings.roster.name_of(&w.responder.person)))
        .collect();
    let more = others.len().saturating_sub(MOST_NAMED);
    others.truncate(MOST_NAMED);
    if more > 0 {
        others.push(format!("{more} more"));
    }
    others
}
