//! A person acts. Here: acknowledges an incident, which stops its escalation. [`hands`] moves responsibility.

pub mod hands;

use jiff::Timestamp;

use crate::acknowledgement::{self, Acknowledgement, Acknowledger};
use crate::decision::{Decisions, Record, Wake};
use crate::ids::{IncidentId, PersonId};
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::Situation;

/// What came of pressing Acknowledge. Pressing again, or too late, is harmless and says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acknowledged {
    Now(Decisions),
    Before { at: Timestamp },
    Resolved { at: Timestamp },
    NoSuchIncident,
}

/// `person` acknowledges `incident`.
#[must_use]
pub fn acknowledge(
    incident: &IncidentId,
    person: &PersonId,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> Acknowledged {
    let Some(known) = situation.incidents.get(incident) else {
        return Acknowledged::NoSuchIncident;
    };
    let mut incident = known.value.clone();
    if let Some(at) = incident.resolved_at {
        return Acknowledged::Resolved { at };
    }
    if let Some(before) = incident.acknowledged.iter().find(|a| a.is_by(person)) {
        return Acknowledged::Before { at: before.at };
    }
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let acknowledgement = Acknowledgement { by: Acknowledger::Person(person.clone()), at: now };
    acknowledgement::acknowledge(&mut decisions, &mut incident, acknowledgement, service, settings, now);
    decisions.put(Record::Incident(incident), known.rev);
    Acknowledged::Now(decisions)
}
