//! Everything a decision about one service needs: its working set, read in one query.
//!
//! What is closed leaves the working set, so that its size follows the work in hand, not the history.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::attendance::{self, Asking};
use crate::change::{Change, Files};
use crate::comments::Comment;
use crate::decision::{Decisions, Record, RecordKey, Wake, Write};
use crate::deployment::{Deployment, DeploymentKey};
use crate::expedite::Expedite;
use crate::freeze::{Declared, Feed, FreezeNotes};
use crate::ids::{ChangeId, EnvironmentName, FreezeId, IncidentId, ServiceId};
use crate::incident::Incident;
use crate::merge_desk::Pulls;
use crate::mode::{Ceiling, Mode};
use crate::on_merge::errands::Errand;
use crate::paging::Paging;
use crate::pipelines::Pipelines;
use crate::posted::Posted;
use crate::queue::Queue;
use crate::roster::Roster;
use crate::service::Service;
use crate::shift::Shift;
use crate::signals::Signals;
use crate::track::Track;
use crate::undo::Undo;
use crate::window::WindowNotes;

/// A record with the revision at which it was read. A write names it, and fails if somebody was faster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted<T> {
    pub value: T,
    pub rev: u64,
}

/// When the service has to be looked at again. Each service has one; timers only wake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clock {
    pub due_at: Option<Timestamp>,
    /// By which digest it is known what the board shows of it.
    pub card: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    pub service: ServiceId,
    pub changes: BTreeMap<ChangeId, Noted<Change>>,
    pub notes: BTreeMap<ChangeId, Noted<WindowNotes>>,
    pub deployments: BTreeMap<DeploymentKey, Noted<Deployment>>,
    pub signals: BTreeMap<EnvironmentName, Noted<Signals>>,
    pub incidents: BTreeMap<IncidentId, Noted<Incident>>,
    pub shifts: BTreeMap<String, Noted<Shift>>,
    pub queue: Noted<Queue>,
    pub files: BTreeMap<ChangeId, Noted<Files>>,
    pub errands: BTreeMap<String, Noted<Errand>>,
    pub paging: Noted<Paging>,
    pub track: Noted<Track>,
    /// Those that people declared, what was said of each time of each, and what was read of the calendars that freezes follow: at
    /// the desk of freezes only.
    pub freezes: BTreeMap<FreezeId, Noted<Declared>>,
    pub freeze_notes: BTreeMap<String, Noted<FreezeNotes>>,
    pub expedites: BTreeMap<String, Noted<Expedite>>,
    pub posted_all: Noted<String>,
    /// What that desk has posted at this service.
    pub posted: Noted<Posted>,
    pub pipelines: Noted<Pipelines>,
    /// At the desk of a repository only.
    pub pulls: Noted<Pulls>,
    pub comments: BTreeMap<u64, Noted<Comment>>,
    pub feeds: BTreeMap<FreezeId, Noted<Feed>>,
    /// Reverts that people asked for by one click. One that is open is known in each service that has its change.
    pub undos: BTreeMap<ChangeId, Noted<Undo>>,
    /// How far automation may go at most, whatever the configuration says.
    pub ceiling: Noted<Ceiling>,
    pub clock: Noted<Clock>,
}

impl Situation {
    #[must_use]
    pub fn empty(service: ServiceId) -> Self {
        Self {
            service,
            changes: BTreeMap::new(),
            notes: BTreeMap::new(),
            deployments: BTreeMap::new(),
            signals: BTreeMap::new(),
            incidents: BTreeMap::new(),
            shifts: BTreeMap::new(),
            queue: Noted::default(),
            files: BTreeMap::new(),
            errands: BTreeMap::new(),
            paging: Noted::default(),
            track: Noted::default(),
            freezes: BTreeMap::new(),
            freeze_notes: BTreeMap::new(),
            expedites: BTreeMap::new(),
            posted_all: Noted::default(),
            posted: Noted::default(),
            pipelines: Noted::default(),
            pulls: Noted::default(),
            comments: BTreeMap::new(),
            feeds: BTreeMap::new(),
            undos: BTreeMap::new(),
            ceiling: Noted::default(),
            clock: Noted::default(),
        }
    }

    /// The mode in force: the lower of the configuration's and the one that stands here.
    #[must_use]
    pub fn mode(&self, service: &Service) -> Mode {
        self.ceiling.value.in_force(service.mode)
    }

    /// Who is to be asked about this merge, if anybody, also for what was declared. Whoever let it pass a freeze has the pager by
    /// that act.
    #[must_use]
    pub fn asking(&self, change: &Change, service: &Service, roster: &Roster) -> Option<Asking> {
        if self.posted.value.expedite_of(change).is_some() || !self.mode(service).decides() {
            return None;
        }
        attendance::asking(change, &self.posted.value.applied(service), roster)
    }

    /// Places a record that was read, or just written, at `rev`.
    pub fn note(&mut self, record: Record, rev: u64) {
        match record {
            Record::Change(value) => {
                self.changes.insert(value.id.clone(), Noted { value, rev });
            }
            Record::Notes(id, value) => {
                self.notes.insert(id, Noted { value, rev });
            }
            Record::Deployment(value) => {
                self.deployments.insert(value.key.clone(), Noted { value, rev });
            }
            Record::Signals(environment, value) => {
                self.signals.insert(environment, Noted { value, rev });
            }
            Record::Incident(value) => {
                self.incidents.insert(value.id.clone(), Noted { value, rev });
            }
            Record::Shift(value) => {
                self.shifts.insert(value.id.clone(), Noted { value, rev });
            }
            Record::Queue(value) => self.queue = Noted { value, rev },
            Record::Paging(value) => self.paging = Noted { value, rev },
            Record::Track(value) => self.track = Noted { value, rev },
            Record::Files(id, value) => {
                self.files.insert(id, Noted { value, rev });
            }
            Record::Errand(value) => {
                self.errands.insert(value.key(), Noted { value, rev });
            }
            Record::Freeze(value) => {
                self.freezes.insert(value.id.clone(), Noted { value, rev });
            }
            Record::FreezeNotes(key, value) => {
                self.freeze_notes.insert(key, Noted { value, rev });
            }
            Record::Expedite(value) => {
                self.expedites.insert(value.key(), Noted { value, rev });
            }
            Record::Posted(value) => self.posted = Noted { value, rev },
            Record::PostedAll(value) => self.posted_all = Noted { value, rev },
            Record::Pipelines(value) => self.pipelines = Noted { value, rev },
            Record::Pulls(value) => self.pulls = Noted { value, rev },
            Record::Comment(number, value) => {
                self.comments.insert(number, Noted { value, rev });
            }
            Record::Feed(id, value) => {
                self.feeds.insert(id, Noted { value, rev });
            }
            Record::Undo(value) => {
                self.undos.insert(value.change.clone(), Noted { value, rev });
            }
            Record::Ceiling(value) => self.ceiling = Noted { value, rev },
        }
    }

    /// The situation after these decisions were committed. What the store does to the table, in memory.
    pub fn apply(&mut self, decisions: &Decisions, now: Timestamp) {
        for write in &decisions.writes {
            match write {
                Write::Put { record, seen } => self.note((**record).clone(), seen + 1),
                Write::Drop { key, .. } => self.forget(key),
            }
        }
        self.clock.rev += 1;
        if let Some(card) = &decisions.card {
            self.clock.value.card = card.digest();
        }
        self.clock.value.due_at = match decisions.wake {
            Wake::Now => Some(now),
            Wake::Exactly(due_at) => due_at,
        };
    }

    fn forget(&mut self, key: &RecordKey) {
        match key {
            RecordKey::Change(id) => {
                self.changes.remove(id);
            }
            RecordKey::Notes(id) => {
                self.notes.remove(id);
            }
            RecordKey::Deployment(key) => {
                self.deployments.remove(key);
            }
            RecordKey::Signals(environment) => {
                self.signals.remove(environment);
            }
            RecordKey::Incident(id) => {
                self.incidents.remove(id);
            }
            RecordKey::Shift(id) => {
                self.shifts.remove(id);
            }
            RecordKey::Queue => self.queue = Noted::default(),
            RecordKey::Paging => self.paging = Noted::default(),
            RecordKey::Track => self.track = Noted::default(),
            RecordKey::Files(id) => {
                self.files.remove(id);
            }
            RecordKey::Errand(key) => {
                self.errands.remove(key);
            }
            RecordKey::Freeze(id) => {
                self.freezes.remove(id);
            }
            RecordKey::FreezeNotes(key) => {
                self.freeze_notes.remove(key);
            }
            RecordKey::Expedite(key) => {
                self.expedites.remove(key);
            }
            RecordKey::Posted => self.posted = Noted::default(),
            RecordKey::PostedAll => self.posted_all = Noted::default(),
            RecordKey::Pipelines => self.pipelines = Noted::default(),
            RecordKey::Pulls => self.pulls = Noted::default(),
            RecordKey::Comment(number) => {
                self.comments.remove(number);
            }
            RecordKey::Feed(id) => {
                self.feeds.remove(id);
            }
            RecordKey::Undo(id) => {
                self.undos.remove(id);
            }
            RecordKey::Ceiling => self.ceiling = Noted::default(),
        }
    }
}
