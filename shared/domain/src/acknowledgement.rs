//! An acknowledgement: somebody has taken an incident, which stops its escalation. By a link or the board, or in the
//! monitor or pager that told us of it: then perhaps by somebody whom the roster does not know.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decision::Decisions;
use crate::ids::PersonId;
use crate::incident::{Incident, PageRecord};
use crate::message::{Step, Subject};
use crate::on_alert::{close_pages, tell_pager};
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
    /// When that was by the clock of the monitor in which it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub there: Option<Timestamp>,
    /// Whose page of ours it was done at, in a pager: they may be somebody else there, or nobody whom we know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_page: Option<PersonId>,
}

/// So many acknowledgements of an incident are kept, the newest.
const MOST: usize = 50;
/// So many people are told of one, in the transaction that keeps it.
const MOST_TOLD: usize = 15;

impl Acknowledgement {
    /// Somebody acknowledges an incident as they see it now: what has worsened is meant too.
    #[must_use]
    pub fn of_now(person: &PersonId, incident: &Incident, now: Timestamp) -> Self {
        let at = incident.worsened_at.map_or(now, |worse| worse.max(now)).max(incident.round_began());
        Self { by: Acknowledger::Person(person.clone()), at, there: None, at_page: None }
    }

    /// Whether it is the one that a monitor tells of, or a later one.
    #[must_use]
    pub fn covers(&self, by: &Acknowledger, there: Timestamp) -> bool {
        self.by == *by && self.there.unwrap_or(self.at) >= there
    }

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

    /// Whether it is this person's to give back: their own, or a stranger's at their page.
    #[must_use]
    pub fn is_of(&self, person: &PersonId) -> bool {
        let at_theirs = self.at_page.as_ref() == Some(person);
        self.is_by(person) || (at_theirs && matches!(self.by, Acknowledger::Stranger(_)))
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
/// pages of the others are closed at their pagers, or would go on there; whoever took it has it as taken.
pub(crate) fn acknowledge(
    decisions: &mut Decisions,
    incident: &mut Incident,
    acknowledgement: Acknowledgement,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) {
    let untaken = incident.last_taken().is_none();
    incident.acknowledged.push(acknowledgement.clone());
    if incident.acknowledged.len() > MOST {
        let oldest = incident.acknowledged.iter().enumerate().min_by_key(|(_, a)| a.at).map(|(i, _)| i);
        incident.acknowledged.remove(oldest.unwrap_or(0));
    }
    let name = acknowledgement.name(&settings.roster);
    let person = match &acknowledgement.by {
        Acknowledger::Person(person) => Some(person),
        Acknowledger::Stranger(_) => None,
    };
    let what = format!("{name} acknowledged {}", wording::headline(incident));
    let subject = Some(Subject::Incident(incident.id.clone()));
    let reason = acknowledgement.reason();
    decisions.log(now, subject, person.cloned(), what, reason.clone());
    // What was said of an earlier round, or before it worsened, takes nothing: the ladder goes on.
    if !untaken || incident.last_taken().is_none() {
        return;
    }
    // The newest pages first: theirs is the phone that rings.
    let mut others: Vec<&PersonId> = Vec::new();
    for page in incident.pages.iter().rev().filter(|page| Some(&page.person) != person) {
        if !others.contains(&&page.person) {
            others.push(&page.person);
        }
    }
    let channel = service.channel.iter().filter(|_| incident.channel_said > 0);
    for other in channel.chain(others.into_iter().take(MOST_TOLD)).take(decisions.room()) {
        let reader = Reader { settings, service, person: other, now };
        let mut message = incidents::notice(reader, incident, Step::Acknowledged, reason.clone());
        message.key.nth = incident.taken_said;
        decisions.tell(message);
    }
    let taken = |page: &&PageRecord| page.round == incident.round && !page.over;
    let of_round = incident.pages.iter().filter(taken).filter(|page| person.is_none_or(|own| *own == page.person));
    for page in of_round.take(MOST_TOLD.min(decisions.room())) {
        tell_pager(decisions, incident, page, Step::PagerAcknowledged, &reason, service, settings, now);
    }
    incident.taken_said += 1;
    close_pages(decisions, incident, service, settings, now);
}

#[cfg(test)]
#[path = "acknowledgement_tests.rs"]
mod tests;
