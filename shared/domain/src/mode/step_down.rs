//! Down by itself: where wrong pages pass what policy allows, the service goes one mode down, and says so loudly. Up again is a
//! person's word ([`crate::on_request::modes`]).

use jiff::Timestamp;

use super::{Ceiling, Lowered, Mode, Why, WrongPage};
use crate::decision::{Decisions, MOST_ACTIONS, Record};
use crate::ids::{IncidentId, PersonId};
use crate::message::Subject;
use crate::notices::Look;
use crate::reason::Reason;
use crate::service::Service;
use crate::situation::Situation;
use crate::wording::{Reader, modes};

/// Learns of the wrong pages of the incidents that are here, and steps down where they are too many. When it wants to look again,
/// where it had no room.
pub(crate) fn look(decisions: &mut Decisions, look: &Look<'_>) -> Option<Timestamp> {
    let Look { situation, service, now, .. } = *look;
    let known = &situation.ceiling;
    let ceiling = learnt(situation, now);
    let (mode, most) = (ceiling.in_force(service.mode), ceiling.most_wrong(now));
    let over = limit(service).is_some_and(|limit| most > limit);
    let lowered = mode.below().filter(|_| over);
    let people = told(service);
    if ceiling == known.value && lowered.is_none() {
        return None;
    }
    if decisions.actions() + 2 + 2 * people.len() > MOST_ACTIONS {
        return Some(now);
    }
    let ceiling = match lowered {
        Some(to) => down(decisions, look, ceiling, (mode, to), Why::WrongPages { pages: most }),
        None => ceiling,
    };
    decisions.put(Record::Ceiling(ceiling), known.rev);
    None
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
        incident.wrong_pages().into_iter().map(|page| WrongPage {
            at: page.at,
            incident: incident.id.clone(),
            person: page.person.clone(),
        })
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
    let mut people: Vec<&PersonId> = service.owners.iter().chain(&service.channel).collect();
    if people.is_empty() {
        people.extend(service.last_resort());
    }
    people.dedup();
    people
}
