//! What a link and its form ask for, without the house: which working set it is decided on, and what is decided. For whoever plays what
//! people did once more (`infra/replay`).

use aws::links::{Action, Grant};
use domain::on_request::{freezes, hands};
use domain::{Decisions, Service, ServiceId, Settings, Situation};
use jiff::Timestamp;

use super::{Filled, expedites, maintenance, modes};

pub use super::incident::Said;

/// The working set on which it is decided; none for what is about one incident: see [`Said`].
#[must_use]
pub fn place(action: &Action, settings: &Settings) -> Option<ServiceId> {
    match action {
        Action::Answer(service, _)
        | Action::HandOver(service, _)
        | Action::OnCall(service)
        | Action::Queue(service) => Some(service.clone()),
        Action::Freezes | Action::Freeze(_) | Action::Expedite(..) => Some(settings.freeze_desk().id.clone()),
        Action::Acknowledge(_) | Action::Judge(_) | Action::Revert(..) | Action::Person(_) => None,
    }
}

/// What is decided; nothing where it is not understood, or refused.
#[must_use]
pub fn decide(
    grant: &Grant,
    form: &Filled,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> Option<Decisions> {
    let (person, zone) = (&grant.person, settings.roster.zone_of(&grant.person));
    let desk = freezes::Desk { situation, settings, now };
    let room = hands::Desk { situation, service, settings, now };
    let lane = |about| expedites::Wish::read(about, form).ok()?.decide(desk, person).ok();
    match &grant.action {
        Action::Queue(_) if super::through::is_meant(form) => room.let_through(person).ok(),
        Action::Queue(_) if modes::is_meant(form) => {
            let (mode, why) = modes::wanted(form)?;
            room.set_mode(person, mode, why).ok()
        }
        Action::Queue(_) if maintenance::is_meant(form) => {
            maintenance::Wish::read(form, &zone, now).ok()?.decide(room, person).ok()
        }
        Action::Answer(..) | Action::HandOver(..) | Action::OnCall(_) | Action::Queue(_) => {
            super::hands::Wish::read(grant, form, &zone, now).ok()?.decide(room, person).ok()
        }
        Action::Freezes if expedites::is_meant(form) => lane(None),
        Action::Freezes => super::freezes::Wish::read(form, &zone, now).ok()?.decide(desk, person).ok(),
        Action::Freeze(id) => desk.end(person, id).ok(),
        Action::Expedite(repository, number) => lane(Some((repository, *number))),
        Action::Acknowledge(_) | Action::Judge(_) | Action::Revert(..) | Action::Person(_) => None,
    }
}
