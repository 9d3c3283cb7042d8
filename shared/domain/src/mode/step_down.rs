//! Down by itself: where wrong pages pass what policy allows, the service goes one mode down, and says so loudly. Up again is a
//! person's word ([`crate::on_request::modes`]).

use jiff::Timestamp;

use super::{Ceiling, Lowered, Mode, Why, WrongPage};
use crate::decision::{Decisions, MOST_ACTIONS};
use crate::ids::{IncidentId, PersonId};
use crate::message::Subject;
use crate::notices::Look;
use crate::outcome::Judge;
use crate::reason::Reason;
use crate::service::Service;
use crate::situation::Situation;
use crate::wording::{Reader, modes};

/// So many are told at most, in one transaction.
const MOST_TOLD: usize = 12;

/// Steps down where wrong pages are too many, or what was reverted by itself was not it. When it wants to look again, where it had no
/// room. `ceiling`: with the wrong pages of the incidents that are here.
pub(crate) fn look(decisions: &mut Decisions, look: &Look<'_>, ceiling: &mut Ceiling) -> Option<Timestamp> {
    let Look { service, now, .. } = *look;
    let mode = ceiling.in_force(service.mode);
    let most = ceiling.most_wrong(now);
    let pages = limit(service).filter(|limit| most > *limit).map(|_| Why::WrongPages { pages: most });
    let revert = || wrong_revert(look, ceiling).filter(|_| mode == Mode::Act);
    let (to, why) = (mode.below()?, revert().or(pages)?);
    if decisions.actions() + 2 + 2 * told(service).len() > MOST_ACTIONS {
        return Some(now);
    }
    *ceiling = down(decisions, look, ceiling.clone(), (mode, to), why);
    None
}

/// What was merged, or taken back, by itself since somebody last looked, and was not it: a person says so, or it fired again after that was live.
fn wrong_revert(look: &Look<'_>, ceiling: &Ceiling) -> Option<Why> {
    let (situation, helps_by) = (look.situation, look.service.policy.after_failure);
    let since = ceiling.counts_from.unwrap_or(Timestamp::MIN);
    ceiling.moves.iter().filter(|moved| moved.acts && moved.at >= since).find_map(|moved| {
        let incident = &situation.incidents.get(&moved.incident)?.value;
        let proposal = incident.proposed.as_ref().filter(|proposal| proposal.is_done())?;
        let judged = incident.verdict.as_ref().filter(|verdict| matches!(verdict.by, Judge::Person(_)));
        let other = judged.is_some_and(|verdict| verdict.change.as_ref() != Some(&moved.change));
        let label = proposal.label.clone();
        // Taken back, and it fires all the same.
        let back = incident.mitigated.as_ref().filter(|back| back.change == moved.change && incident.is_open());
        let helped_nothing = back.is_some_and(|back| back.at + helps_by <= look.now);
        (other || helped_nothing || incident.in_vain.contains(&moved.change))
            .then(|| Why::WrongRevert { change: moved.change.clone(), label })
    })
}

/// More wrong pages to one person within a month than this lower the mode; nothing: never.
fn limit(service: &Service) -> Option<usize> {
    Some(usize::from(service.policy.wrong_pages_at_most)).filter(|limit| *limit > 0)
}

/// What is known of wrong pages, those of the incidents that are here included.
#[must_use]
pub fn learnt(situation: &Situation, now: Timestamp) -> Ceiling {
    let incidents = || situation.incidents.values().map(|known| &known.value);
    let wrong = incidents().flat_map(|incident| {
        // What was only recorded, or said in a chat, woke nobody.
        let woken = incident.wrong_pages().into_iter().filter(|page| page.mode.pages());
        woken.map(|page| WrongPage { at: page.at, incident: incident.id.clone(), person: page.person.clone() })
    });
    let mut ceiling = situation.ceiling.value.clone();
    let here: Vec<&IncidentId> = incidents().map(|incident| &incident.id).collect();
    ceiling.learn(&here, wrong.collect(), now);
    ceiling
}

/// Lowers it: logged, and told to whoever owns the service and to its channel.
pub(crate) fn down(
    decisions: &mut Decisions,
    look: &Look<'_>,
    ceiling: Ceiling,
    (from, to): (Mode, Mode),
    why: Why,
) -> Ceiling {
    let Look { service, settings, now, .. } = *look;
    let reason = Reason::SteppedDown { from: from.word().to_owned(), to: to.word().to_owned(), why: modes::why(&why) };
    let what = format!("{} goes down to {}", service.id, to.word());
    decisions.log(now, Some(Subject::Service), None, what, reason.clone());
    let lowered = Lowered { to, at: now, why };
    for person in told(service) {
        let reader = Reader { settings, service, person, now };
        decisions.tell(modes::stepped_down(reader, from, &lowered, reason.clone()));
    }
    // From here on it is counted anew: what brought it here brings it no further.
    Ceiling { lowered: Some(lowered), counts_from: Some(now), ..ceiling }
}

fn told(service: &Service) -> Vec<&PersonId> {
    let people = service.channel.iter().chain(&service.owners).chain(service.last_resort());
    let mut told: Vec<&PersonId> = Vec::new();
    for person in people {
        if told.len() < MOST_TOLD && !told.contains(&person) {
            told.push(person);
        }
    }
    told
}

#[cfg(test)]
#[path = "step_down_tests.rs"]
mod tests;
