//! Who hears that an incident is over, and what became of their pages.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::decision::Decisions;
use crate::ids::PersonId;
use crate::incident::Incident;
use crate::message::Step;
use crate::reason::Reason;
use crate::service::Service;
use crate::settings::Settings;
use crate::wording::{Reader, incidents};

/// How many people are told that it is over, in the transaction that closes it.
const MOST_TOLD: usize = 25;

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
    let paged: BTreeSet<&PersonId> = incident.pages.iter().map(|p| &p.person).collect();
    let channel = service.channel.iter().filter(|_| incident.channel_said > 0);
    let others = incident.told.iter().filter(|person| !paged.contains(person));
    for person in paged.iter().copied().chain(channel).chain(others).take(MOST_TOLD) {
        let reader = Reader { settings, service, person, now };
        let mut message = incidents::notice(reader, incident, Step::Resolved, reason.clone());
        message.key.nth = incident.round;
        decisions.tell(message);
    }
    let open = incident.pages.iter().filter(|p| !p.over);
    let open: BTreeSet<(PersonId, u32)> = open.map(|p| (p.person.clone(), p.round)).collect();
    for (person, round) in open.into_iter().rev().take(MOST_TOLD / 2) {
        tell_pager(decisions, incident, &person, round, Step::PagerResolved, &reason, service, settings, now);
        let told = incident.pages.iter_mut().filter(|p| p.person == person && p.round == round);
        told.for_each(|page| page.over = true);
    }
}

/// Tells a person's pagers what became of their page, if they have any that keep pages.
#[expect(clippy::too_many_arguments, reason = "what a message needs, spelled out; a bag would hide it")]
pub(crate) fn tell_pager(
    decisions: &mut Decisions,
    incident: &Incident,
    person: &PersonId,
    round: u32,
    step: Step,
    reason: &Reason,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) {
    let keeps = |p: &crate::Person| p.contacts.iter().any(|contact| contact.keeps);
    if settings.roster.person(person).is_some_and(keeps) {
        let reader = Reader { settings, service, person, now };
        decisions.tell(incidents::update(reader, incident, step, round, reason.clone()));
    }
}
