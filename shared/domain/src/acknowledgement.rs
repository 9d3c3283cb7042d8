//! An acknowledgement: somebody has taken an incident, which stops its escalation. By a link or the board, or in the
//! monitor or pager that told us of it: then perhaps by somebody whom the roster does not know.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decision::Decisions;
use crate::ids::PersonId;
use crate::incident::Incident;
use crate::message::{Step, Subject};
use crate::on_alert::tell_pager;
use crate::reason::Reason;
use crate::roster::Roster;
use crate::service::Service;
use crate::settings::Settings;
use crate::wording::{self, Reader, incidents};

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

/// Adds an acknowledgement; the others who were paged hear of the first one of a round, and so does the channel. The
/// pagers that keep a page of this round open hear it too.
pub(crate) fn acknowledge(
    decisions: &mut Decisions,
    incident: &mut Incident,
    acknowledgement: Acknowledgement,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) {
    let first = incident.last_taken().is_none();
    incident.acknowledged.push(acknowledgement.clone());
    let name = acknowledgement.name(&settings.roster);
    let person = match &acknowledgement.by {
        Acknowledger::Person(person) => Some(person),
        Acknowledger::Stranger(_) => None,
    };
    let what = format!("{name} acknowledged {}", wording::headline(incident));
    let subject = Some(Subject::Incident(incident.id.clone()));
    let reason = acknowledgement.reason();
    decisions.log(now, subject, person.cloned(), what, reason.clone());
    if !first {
        return;
    }
    let paged: BTreeSet<&PersonId> = incident.pages.iter().map(|p| &p.person).collect();
    let channel = service.channel.iter().filter(|_| incident.channel_said > 0);
    for other in paged.into_iter().chain(channel).filter(|other| Some(*other) != person) {
        let reader = Reader { settings, service, person: other, now };
        let mut message = incidents::notice(reader, incident, Step::Acknowledged, reason.clone());
        message.key.nth = incident.taken_said;
        decisions.tell(message);
    }
    let of_round: BTreeSet<&PersonId> =
        incident.pages.iter().filter(|p| p.round == incident.round).map(|p| &p.person).collect();
    for paged in of_round {
        let (round, step) = (incident.round, Step::PagerAcknowledged);
        tell_pager(decisions, incident, paged, round, step, &reason, service, settings, now);
    }
    incident.taken_said += 1;
}
