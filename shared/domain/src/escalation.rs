//! Who is paged for an open incident, and when. Read it as a table:
//!
//! | who | when | step |
//! | --- | --- | --- |
//! | who has the pager of the service by a person's word | at once | `first-responder` |
//! | else the responder of the first suspect | at once, if the suspect's turn is not over | `first-responder` |
//! | the rotation | at once if there is neither, else when nobody acknowledged in time | `rotation` |
//! | the responder of a suspect whose turn is over | when nobody acknowledged in time | `tail-responder` |
//!
//! Nobody is paged twice for one incident; an acknowledgement or the resolution stops everything, until something more
//! severe begins. Evidence
//! that arrives later adds a page to a new first suspect, for at most [`MOST_FIRST_RESPONDERS`] people.
//!
//! In a service of mode `manual` nobody is paged: people take and hand over the pager there, and we show and record.
//!
//! Absent on purpose: re-notification, stale acknowledgements, "not mine"; they have an issue of their own.

use jiff::{SignedDuration, Timestamp};

use crate::ids::PersonId;
use crate::incident::Incident;
use crate::message::Step;
use crate::reason::Reason;
use crate::responder::Responder;
use crate::service::{Mode, Service};
use crate::suspect::{Stand, Suspect};

/// At most this many suspects' responders are paged for one incident.
pub const MOST_FIRST_RESPONDERS: usize = 3;

/// The tick that wakes us; a deadline is due this much earlier, so that a late tick is still in time. Of a short
/// deadline it takes a fifth at most: nobody is passed over in the second in which they are paged.
pub const TICK: SignedDuration = SignedDuration::from_mins(1);

/// A page that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuePage {
    pub person: PersonId,
    pub step: Step,
    pub reason: Reason,
}

/// When the rotation is paged if nobody acknowledges.
#[must_use]
pub fn rotation_due_at(incident: &Incident, service: &Service) -> Timestamp {
    let after = service.policy.rotation_after;
    incident.detected_at + (after - TICK.min(after / 5))
}

/// The pages that are due at `now` and were not decided before, in order. `pager`: who has the pager of the whole
/// service by a person's word.
#[must_use]
pub fn due_pages(
    incident: &Incident,
    suspects: &[Suspect],
    pager: Option<&Responder>,
    service: &Service,
    now: Timestamp,
) -> Vec<DuePage> {
    if !incident.is_open() || incident.is_taken() || service.mode == Mode::Manual {
        return Vec::new();
    }
    let mut due: Vec<DuePage> = Vec::new();
    let suspect = suspects.first().filter(|s| s.stand == Stand::Active);
    let first = match (pager, suspect) {
        (Some(pager), _) => Some((&pager.person, Reason::HasThePager)),
        (None, suspect) => suspect.map(|s| (&s.responder, Reason::FirstSuspect { change: s.label.clone() })),
    };
    if let Some((person, reason)) = &first
        && pages_at(incident, Step::FirstResponder) < MOST_FIRST_RESPONDERS
    {
        add(&mut due, incident, person, Step::FirstResponder, reason.clone());
    }
    let minutes = service.policy.rotation_after.as_mins();
    let late = now >= rotation_due_at(incident, service);
    if pages_at(incident, Step::Rotation) == 0 && (first.is_none() || late) {
        let reason = match (&first, suspects.is_empty()) {
            (Some(_), _) => Reason::NobodyAcknowledged { minutes },
            (None, false) => Reason::OnlyTailSuspects,
            (None, true) if service.repositories.is_empty() => Reason::AlertNotPlaced,
            (None, true) => Reason::NoSuspect,
        };
        let next = service.rotation.iter().chain(&service.owners).find(|p| !paged(&due, incident, p));
        if let Some(person) = next {
            add(&mut due, incident, person, Step::Rotation, reason);
        }
    }
    let tail = suspects.iter().find(|s| s.stand == Stand::Tail);
    if let Some(suspect) = tail
        && first.is_none()
        && late
        && pages_at(incident, Step::TailResponder) == 0
    {
        add(&mut due, incident, &suspect.responder, Step::TailResponder, Reason::NobodyAcknowledged { minutes });
    }
    due
}

/// When [`due_pages`] has to be asked again, if time alone can make another page due.
#[must_use]
pub fn next_due_at(incident: &Incident, service: &Service, now: Timestamp) -> Option<Timestamp> {
    let waits = incident.is_open() && !incident.is_taken() && service.mode != Mode::Manual;
    Some(rotation_due_at(incident, service)).filter(|at| waits && *at > now)
}

fn pages_at(incident: &Incident, step: Step) -> usize {
    incident.pages.iter().filter(|p| p.step == step).count()
}

fn paged(due: &[DuePage], incident: &Incident, person: &PersonId) -> bool {
    incident.was_paged(person) || due.iter().any(|d| d.person == *person)
}

fn add(due: &mut Vec<DuePage>, incident: &Incident, person: &PersonId, step: Step, reason: Reason) {
    if !paged(due, incident, person) {
        due.push(DuePage { person: person.clone(), step, reason });
    }
}
