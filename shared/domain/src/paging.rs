//! What is kept of a service's paging, beside its incidents: maintenance, who the pager says is on call, and what we
//! have written into it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::PersonId;
use crate::maintenance::{self, Maintenance};
use crate::service::Service;
use crate::shown::Shown;

/// A pager that has been failing for so long is tried less often: as often as this.
const LATER: SignedDuration = SignedDuration::from_mins(10);
/// How long what the pager said of its rotation counts, where it cannot be asked again.
const COUNTS: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maintenance: Vec<Maintenance>,
    /// Who is on call in the pager's own schedule, as it said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_call: Option<OnCall>,
    /// Whom we have written into the pager's schedule, beside it, or are about to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Layer>,
    /// What was written there before, and has to be taken out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Layer>,
    /// Where it is shown who is on call, and what stands there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Shown>,
    /// Why the pager cannot be written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwritten: Option<Unread>,
}

/// Who is on call in a pager's schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnCall {
    /// Those of them whom the roster knows, first one first.
    pub people: Vec<PersonId>,
    pub read_at: Timestamp,
    /// Until when the pager says that this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Since when it cannot be read, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Unread>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    pub since: Timestamp,
    pub last: Timestamp,
    pub why: String,
}

impl Unread {
    /// When it is tried again: each minute at first, later now and then.
    #[must_use]
    pub fn try_again_at(&self) -> Timestamp {
        let fresh = self.last.duration_since(self.since) < LATER;
        self.last + if fresh { SignedDuration::from_mins(1) } else { LATER }
    }
}

/// Somebody as the first level of the service's escalation in its pager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    pub person: PersonId,
    pub from: Timestamp,
    pub until: Timestamp,
    /// What the pager calls it; absent: it is not written there yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When it was last seen there: somebody may take it out by hand, or by mistake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
}

impl Paging {
    /// One more; of too many, what was over first leaves.
    pub fn add_maintenance(&mut self, maintenance: Maintenance) {
        self.maintenance.push(maintenance);
        while self.maintenance.len() > maintenance::MOST {
            let first = self.maintenance.iter().enumerate().min_by_key(|(_, m)| m.over_at()).map(|(i, _)| i);
            self.maintenance.remove(first.unwrap_or(0));
        }
    }

    /// What the pager said of its rotation, where that still counts.
    #[must_use]
    pub fn said(&self, now: Timestamp) -> Option<&OnCall> {
        self.on_call.as_ref().filter(|said| now < said.read_at + COUNTS)
    }

    /// The rotation as it is at `now`: whom the pager says, then whom the configuration names in case it says nobody.
    #[must_use]
    pub fn rotation(&self, service: &Service, now: Timestamp) -> Vec<PersonId> {
        let said = self.said(now).into_iter().flat_map(|said| &said.people);
        let mut rotation: Vec<PersonId> = Vec::new();
        for person in said.chain(&service.rotation) {
            if !rotation.contains(person) {
                rotation.push(person.clone());
            }
        }
        rotation
    }
}

#[cfg(test)]
#[path = "paging_tests.rs"]
mod tests;
