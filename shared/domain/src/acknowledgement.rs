//! An acknowledgement: somebody has taken an incident, which stops its escalation. By a link or the board, or in the
//! monitor or pager that told us of it: then perhaps by somebody whom the roster does not know.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decision::Decisions;
use crate::ids::PersonId;
use crate::incident::Incident;
use crate::message::{Step, Subject};
use crate::reason::Reason;
use crate::roster::Roster;
use crate::service::Service;
use crate::settings::Settings;
use crate::wording::{self, Reader};

/// Who acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acknowledger {
    Person(PersonId),
    /// By the name they have there.
    Stranger(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    pub by: Acknowledger,
    pub at: Timestamp,
}

impl Acknowledgement {
    /// What people call who acknowledged.
    #[must_use]
    pub fn name<'a>(&'a self, roster: &'a Roster) -> &'a str {
        match &self.by {
            Acknowledger::Person(person) => roster.name_of(person),
            Acknowledger::Stranger(name) => name,
        }
    }

    #[must_use]
    pub fn is_by(&self, person: &PersonId) -> bool {
        self.by == Acknowledger::Person(person.clone())
    }

    #[must_use]
    pub fn reason(&self) -> Reason {
        match &self.by {
            Acknowledger::Person(person) => Reason::AcknowledgedBy { person: person.clone() },
            Acknowledger::Stranger(name) => Reason::AcknowledgedThere { name: name.clone() },
        }
    }
}

/// Adds an acknowledgement; the others who were paged hear of the first one.
pub(crate) fn acknowledge(
    decisions: &mut Decisions,
    incident: &mut Incident,
    acknowledgement: Acknowledgement,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) {
    let first = incident.acknowledged.is_empty();
    incident.acknowledged.push(acknowledgement.clone());
    let name = acknowledgement.name(&settings.roster);
    let person = match &acknowledgement.by {
        Acknowledger::Person(person) => Some(person),
        Acknowledger::Stranger(_) => None,
    };
    let what = format!("{name} acknowledged {}", wording::headline(incident));
    let subject = Some(Subject::Incident(incident.id.clone()));
    decisions.log(now, subject, person.cloned(), what, acknowledgement.reason());
    let others: Vec<&PersonId> =
        incident.pages.iter().map(|p| &p.person).filter(|p| first && Some(*p) != person).collect();
    for (i, other) in others.iter().enumerate() {
        if !others[..i].contains(other) {
            let reader = Reader { settings, service, person: other, now };
            decisions.tell(wording::incident_notice(reader, incident, Step::Acknowledged, acknowledgement.reason()));
        }
    }
}
