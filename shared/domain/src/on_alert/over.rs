//! Who hears that an incident is over, and what became of their pages.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::acknowledgement::Acknowledger;
use crate::decision::Decisions;
use crate::ids::PersonId;
use crate::incident::{Incident, PageRecord};
use crate::message::Step;
use crate::reason::Reason;
use crate::roster::Person;
use crate::service::Service;
use crate::settings::Settings;
use crate::wording::{Reader, incidents};

/// How many people are told that it is over, in the transaction that closes it.
const MOST_TOLD: usize = 25;
/// How many pages are closed at pagers in one transaction.
const MOST_CLOSED: usize = 12;

/// It is over: whoever was paged or told hears it, and so do the pagers that keep a page of it open.
pub(super) fn say_over(
    decisions: &mut Decisions,
    incident: &mut Incident,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) {
    let at = incident.resolved_at.unwrap_or(now);
    let reason = Reason::ResolvedAt { at };
    let room = decisions.room().saturating_sub(MOST_CLOSED).min(MOST_TOLD);
    let paged: BTreeSet<&PersonId> = incident.pages.iter().map(|p| &p.person).collect();
    let channel = service.channel.iter().filter(|_| incident.channel_said > 0);
    let others = incident.told.iter().filter(|person| !paged.contains(person));
    for person in paged.iter().copied().chain(channel).chain(others).take(room) {
        let reader = Reader { settings, service, person, now };
        let mut message = incidents::notice(reader, incident, Step::Resolved, reason.clone());
        message.key.nth = incident.round;
        decisions.tell(message);
    }
    close_pages(decisions, incident, service, settings, now);
}

/// Why a page waits for nobody any more, if that is so.
fn closed(incident: &Incident, page: &PageRecord) -> Option<Reason> {
    if let Some(at) = incident.resolved_at {
        return Some(Reason::ResolvedAt { at });
    }
    if incident.not_mine.iter().any(|said| said.person == page.person && said.at >= page.last_at()) {
        return Some(Reason::NotMine { person: page.person.clone() });
    }
    if page.round < incident.round {
        return Some(Reason::Superseded);
    }
    let taken = incident.last_taken()?;
    match &taken.by {
        // Theirs stays there, as taken; several may be at it.
        Acknowledger::Person(person) if *person != page.person && !incident.is_taken_by(&page.person) => {
            Some(taken.reason())
        }
        Acknowledger::Person(_) | Acknowledger::Stranger(_) => None,
    }
}

/// The pages that wait for nobody any more and are still open at a pager.
fn open_in_vain(incident: &Incident, settings: &Settings) -> impl Iterator<Item = (usize, Reason)> {
    let kept = |page: &PageRecord| settings.roster.person(&page.person).is_some_and(keeps_pages);
    let pages = incident.pages.iter().enumerate().filter(move |(_, page)| !page.over && kept(page));
    pages.filter_map(|(i, page)| Some((i, closed(incident, page)?)))
}

/// Closes at the pagers what waits for nobody any more, as much as has room: the next look goes on.
pub(crate) fn close_pages(
    decisions: &mut Decisions,
    incident: &mut Incident,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) {
    let room = decisions.room().min(MOST_CLOSED);
    let due: Vec<(usize, Reason)> = open_in_vain(incident, settings).take(room).collect();
    for (i, reason) in due {
        let step = Step::PagerResolved;
        tell_pager(decisions, incident, &incident.pages[i], step, &reason, service, settings, now);
        incident.pages[i].over = true;
    }
}

/// Whether there are more of them than had room.
pub(crate) fn leaves_pages_open(incident: &Incident, settings: &Settings) -> bool {
    open_in_vain(incident, settings).next().is_some()
}

fn keeps_pages(person: &Person) -> bool {
    person.contacts.iter().any(|contact| contact.keeps)
}

/// Tells a person's pagers what became of their page, if they have any that keep pages.
#[expect(clippy::too_many_arguments, reason = "what a message needs, spelled out; a bag would hide it")]
pub(crate) fn tell_pager(
    decisions: &mut Decisions,
    incident: &Incident,
    page: &PageRecord,
    step: Step,
    reason: &Reason,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) {
    if settings.roster.person(&page.person).is_some_and(keeps_pages) {
        let reader = Reader { settings, service, person: &page.person, now };
        decisions.tell(incidents::update(reader, incident, page, step, reason.clone()));
    }
}

#[cfg(test)]
#[path = "over_tests.rs"]
mod tests;
