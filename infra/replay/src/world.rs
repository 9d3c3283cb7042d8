//! The whole house in memory: a working set for each service, what the store keeps beside, a clock that jumps from deadline to deadline.
//!
//! It does what the shells around the `decide` functions do ([`merges`], [`deployments`], [`alerts`], [`people`] follow `on-merge`, `on-deploy`,
//! `on-alert`, `on-request`; [`clock`] follows `on-schedule`), without a store, a wire or a wait. That both come to the same is tested bit
//! for bit (`tests/tests/whole/replay.rs`).
//!
//! Deliberately absent: whatever is outside. Each message counts as accepted at once; no forge, pager or pipeline is asked or told; nobody
//! acts who is not in what is replayed.

mod alerts;
mod clock;
mod deployments;
mod kept;
mod merges;
mod people;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws::settings::{Configuration, SenderConfig};
use domain::decision::Wake;
use domain::{Decisions, ServiceId, Settings, Situation};
use jiff::Timestamp;

use crate::event::{Told, What};
use crate::witness::{Passed, Witness};
use kept::Kept;

/// The house as it stands at one moment of the past.
pub struct World<'a, W> {
    senders: &'a BTreeMap<String, SenderConfig>,
    settings: Arc<Settings>,
    situations: BTreeMap<ServiceId, Situation>,
    kept: Kept,
    now: Timestamp,
    /// Those that somebody just changed and nobody has looked at since.
    nudged: BTreeSet<ServiceId>,
    /// Those that nobody has looked at yet: the first tick does. Emptied then.
    unseen: BTreeSet<ServiceId>,
    desk_seen: bool,
    pub witness: W,
}

impl<'a, W: Witness> World<'a, W> {
    /// Nothing has happened yet. `settings`: those of the configuration, or others that are to be tried.
    pub fn new(configuration: &'a Configuration, settings: Settings, witness: W) -> Self {
        let settings = settings.alone(|_| ());
        let unseen = settings.services().map(|service| service.id.clone()).collect();
        Self {
            senders: &configuration.senders,
            settings: Arc::new(settings),
            situations: BTreeMap::new(),
            kept: Kept::default(),
            now: Timestamp::MIN,
            nudged: BTreeSet::new(),
            unseen,
            desk_seen: false,
            witness,
        }
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Lets time pass until it is told, and hears it. What comes out of its order is heard now.
    pub fn hear(&mut self, told: Told) {
        self.until(told.at);
        match told.what {
            What::Merge(source, events) => self.merged(&source, events),
            What::Deploy(source, events) => self.deployed(&source, events),
            What::Alert(source, event) => self.alerted(&source, event),
            What::Act { action, by, form } => self.acted(action, by, &form),
            What::Truth { alert, culprit } => self.judged(&alert, culprit),
            What::Happened(happened) => self.witness.happened(happened),
            What::Ignored(why) => self.witness.passed(Passed::Ignored, &why),
        }
        self.settle();
    }

    /// Nothing comes any more: lets pass what is still to come within `rest`, and ends.
    pub fn end(mut self, rest: jiff::SignedDuration) -> W {
        if self.now > Timestamp::MIN {
            self.until(self.now.saturating_add(rest).unwrap_or(Timestamp::MAX));
        }
        for situation in self.situations.values() {
            self.witness.ended(situation, self.now);
        }
        self.witness
    }

    /// The source of this name; nothing where the configuration has none: then it is bound to nothing.
    fn source(&self, name: &str) -> Option<&'a SenderConfig> {
        self.senders.get(name)
    }

    /// Load, decide, commit: what the store does, in memory.
    fn decide<T>(
        &mut self,
        service: &ServiceId,
        decide: impl FnOnce(&Situation, &Settings) -> (Decisions, T),
    ) -> (Decisions, T) {
        let situation = self.situations.entry(service.clone()).or_insert_with(|| Situation::empty(service.clone()));
        let (decisions, result) = decide(situation, &self.settings);
        // A decision that came from outside and says nothing new writes nothing.
        if !(decisions.wake == Wake::Now && decisions.is_quiet()) {
            self.witness.decided(situation, &decisions, &self.settings, self.now);
            situation.apply(&decisions, self.now);
        }
        (decisions, result)
    }

    fn situation(&self, service: &ServiceId) -> Option<&Situation> {
        self.situations.get(service)
    }

    fn nudge(&mut self, service: &ServiceId) {
        self.nudged.insert(service.clone());
    }
}
