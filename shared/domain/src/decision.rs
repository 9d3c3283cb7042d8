//! What a `decide` returns: what to change, whom to tell, why, and when to look again.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::card::Card;
use crate::change::{Change, Files};
use crate::comments::Comment;
use crate::deployment::{Deployment, DeploymentKey};
use crate::expedite::Expedite;
use crate::freeze::{Declared, Feed, FreezeNotes};
use crate::ids::{ChangeId, EnvironmentName, FreezeId, IncidentId, PersonId, ServiceId};
use crate::incident::Incident;
use crate::measures::{Fact, Period};
use crate::merge_desk::Pulls;
use crate::message::{Message, Subject};
use crate::mode::Ceiling;
use crate::on_merge::errands::Errand;
use crate::paging::Paging;
use crate::pipelines::Pipelines;
use crate::posted::Posted;
use crate::queue::Queue;
use crate::reason::Reason;
use crate::shift::Shift;
use crate::signals::Signals;
use crate::track::Track;
use crate::undo::Undo;
use crate::window::WindowNotes;

/// Something kept in a service's working set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a write boxes it")]
pub enum Record {
    Change(Change),
    Notes(ChangeId, WindowNotes),
    Deployment(Deployment),
    Signals(EnvironmentName, Signals),
    Incident(Incident),
    Shift(Shift),
    Queue(Queue),
    Files(ChangeId, Files),
    Errand(Errand),
    Paging(Paging),
    /// What is kept of the service's past.
    Track(Track),
    /// By somebody's word.
    Freeze(Declared),
    /// What was said of one time of a freeze.
    FreezeNotes(String, FreezeNotes),
    /// A fix that somebody asks to let pass.
    Expedite(Expedite),
    /// What the desk of freezes has posted at the service.
    Posted(Posted),
    /// By which digest the desk knows what it has posted everywhere.
    PostedAll(String),
    Pipelines(Pipelines),
    /// What stands at a repository's open pull requests.
    Pulls(Pulls),
    /// What stands at a merged pull request, by its number.
    Comment(u64, Comment),
    /// What was read of the calendar that a freeze follows.
    Feed(FreezeId, Feed),
    /// Somebody asked for a change to be taken back.
    Undo(Undo),
    /// How far automation may go at most.
    Ceiling(Ceiling),
}

/// The name of a record within its service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordKey {
    Change(ChangeId),
    Notes(ChangeId),
    Deployment(DeploymentKey),
    Signals(EnvironmentName),
    Incident(IncidentId),
    Shift(String),
    Queue,
    Files(ChangeId),
    Errand(String),
    Paging,
    Track,
    Freeze(FreezeId),
    FreezeNotes(String),
    Expedite(String),
    Posted,
    PostedAll,
    Pipelines,
    Pulls,
    Comment(u64),
    Feed(FreezeId),
    Undo(ChangeId),
    Ceiling,
}

impl Record {
    #[must_use]
    pub fn key(&self) -> RecordKey {
        match self {
            Self::Change(change) => RecordKey::Change(change.id.clone()),
            Self::Notes(id, _) => RecordKey::Notes(id.clone()),
            Self::Deployment(deployment) => RecordKey::Deployment(deployment.key.clone()),
            Self::Signals(environment, _) => RecordKey::Signals(environment.clone()),
            Self::Incident(incident) => RecordKey::Incident(incident.id.clone()),
            Self::Shift(shift) => RecordKey::Shift(shift.id.clone()),
            Self::Queue(_) => RecordKey::Queue,
            Self::Files(id, _) => RecordKey::Files(id.clone()),
            Self::Errand(errand) => RecordKey::Errand(errand.key()),
            Self::Paging(_) => RecordKey::Paging,
            Self::Track(_) => RecordKey::Track,
            Self::Freeze(freeze) => RecordKey::Freeze(freeze.id.clone()),
            Self::FreezeNotes(key, _) => RecordKey::FreezeNotes(key.clone()),
            Self::Expedite(expedite) => RecordKey::Expedite(expedite.key()),
            Self::Posted(_) => RecordKey::Posted,
            Self::PostedAll(_) => RecordKey::PostedAll,
            Self::Pipelines(_) => RecordKey::Pipelines,
            Self::Pulls(_) => RecordKey::Pulls,
            Self::Comment(number, _) => RecordKey::Comment(*number),
            Self::Feed(id, _) => RecordKey::Feed(id.clone()),
            Self::Undo(undo) => RecordKey::Undo(undo.change.clone()),
            Self::Ceiling(_) => RecordKey::Ceiling,
        }
    }
}

/// One change to the working set, valid only if the record still is at the revision that was seen (0: absent).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    Put {
        record: Box<Record>,
        seen: u64,
    },
    /// Leaves the working set: a closed change, a superseded deployment, an old incident (kept as history).
    Drop {
        key: RecordKey,
        seen: u64,
    },
}

/// When the service is to be looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// As soon as can be. Every event from outside says this: looking too early is harmless.
    Now,
    /// At the earliest stored deadline, if there is one. Only `on_schedule` says this, having seen them all.
    Exactly(Option<Timestamp>),
}

/// A line of the service's log: what happened and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// What happened, as a sentence.
    pub what: String,
    pub reason: Reason,
}

/// Everything one decision about one service asks to be done, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decisions {
    pub service: ServiceId,
    pub writes: Vec<Write>,
    pub messages: Vec<Message>,
    pub entries: Vec<Entry>,
    /// What is counted, once: in the transaction that makes it true.
    pub facts: Vec<Fact>,
    pub wake: Wake,
    /// What the board is to show from now on, where whoever looks at the service has said so.
    pub card: Option<Box<Card>>,
}

/// A transaction holds 100 actions. The rest is for the records that are put at its end.
pub const MOST_ACTIONS: usize = 90;

impl Decisions {
    #[must_use]
    pub fn none(service: &ServiceId, wake: Wake) -> Self {
        Self {
            service: service.clone(),
            writes: Vec::new(),
            messages: Vec::new(),
            entries: Vec::new(),
            facts: Vec::new(),
            wake,
            card: None,
        }
    }

    pub fn put(&mut self, record: Record, seen: u64) {
        self.writes.push(Write::Put { record: Box::new(record), seen });
    }

    pub fn drop_record(&mut self, key: RecordKey, seen: u64) {
        self.writes.push(Write::Drop { key, seen });
    }

    pub fn log(
        &mut self,
        at: Timestamp,
        subject: Option<Subject>,
        person: Option<PersonId>,
        what: String,
        reason: Reason,
    ) {
        self.entries.push(Entry { at, subject, person, what, reason });
    }

    /// Adds a message and the log line that says it was sent.
    pub fn tell(&mut self, message: Message) {
        let key = &message.key;
        let what = format!("{} to {}: {}", message.kind.word(), key.person, message.title);
        self.log(message.decided_at, Some(key.subject.clone()), Some(key.person.clone()), what, message.reason.clone());
        self.messages.push(message);
    }

    /// Nothing to write but the time at which to look again.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.writes.is_empty() && self.messages.is_empty() && self.entries.is_empty() && self.facts.is_empty()
    }

    /// How many more messages fit the transaction, each with its line in the log.
    #[must_use]
    pub fn room(&self) -> usize {
        MOST_ACTIONS.saturating_sub(self.actions()) / 2
    }

    /// The roll-ups that its facts are counted in.
    #[must_use]
    pub fn periods(&self) -> BTreeSet<Period> {
        self.facts.iter().flat_map(|fact| Period::all_of(fact.at())).collect()
    }

    /// How many items a transaction of these decisions writes, the clock included.
    #[must_use]
    pub fn actions(&self) -> usize {
        // An incident that leaves the working set is written to the history as well, and where it is there.
        let leaves = |w: &&Write| matches!(w, Write::Drop { key: RecordKey::Incident(_), .. });
        let kept = 2 * self.writes.iter().filter(leaves).count();
        1 + self.writes.len() + kept + self.messages.len() + self.entries.len() + self.periods().len()
    }
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
