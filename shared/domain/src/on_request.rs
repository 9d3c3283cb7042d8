//! A person acts. Here: acknowledges an incident, which stops its escalation. [`hands`] moves responsibility.

pub mod hands;

use jiff::Timestamp;

use crate::decision::{Decisions, Record, Wake};
use crate::ids::{IncidentId, PersonId};
use crate::incident::Acknowledgement;
use crate::message::{Step, Subject};
use crate::reason::Reason;
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::wording::{self, Reader};

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
    if let Some(before) = incident.acknowledged.iter().find(|a| a.person == *person) {
        return Acknowledged::Before { at: before.at };
    }
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let first = incident.acknowledged.is_empty();
    incident.acknowledged.push(Acknowledgement { person: person.clone(), at: now });
    let reason = Reason::AcknowledgedBy { person: person.clone() };
    let what = format!("{} acknowledged {}", settings.roster.name_of(person), wording::headline(&incident));
    decisions.log(now, Some(Subject::Incident(incident.id.clone())), Some(person.clone()), what, reason.clone());
    let others: Vec<&PersonId> = incident.pages.iter().map(|p| &p.person).filter(|p| first && *p != person).collect();
    for (i, other) in others.iter().enumerate() {
        if !others[..i].contains(other) {
            let reader = Reader { settings, service, person: other, now };
            decisions.tell(wording::incident_notice(reader, &incident, Step::Acknowledged, reason.clone()));
        }
    }
    decisions.put(Record::Incident(incident), known.rev);
    Acknowledged::Now(decisions)
}
