//! What is kept of a window: what was said about it, and what people answered. All else about it is computed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attendance::{Answer, Asked};
use crate::ids::PersonId;
use crate::message::{Step, is_zero};

/// What has been said about a window, to whom, and what people answered: kept, so that nothing is said twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowNotes {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub heard: BTreeMap<Step, Vec<PersonId>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Asked>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<PersonId, Answer>,
    /// When everybody had been asked and nobody had taken the pager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unattended_at: Option<Timestamp>,
    /// How often it went back to standby after its turn had begun: tells the notices of one turn from the next one's.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub restarts: u32,
    /// Since when the turn lasts whose start was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_since: Option<Timestamp>,
    /// Until when it lasts, by what was last said about its lasting longer, and how often that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extensions: u32,
    /// The suites of end-to-end tests whose failing was said, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suites: Vec<String>,
    /// What was last said of it at its pull request, as a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commented: Option<String>,
}

impl WindowNotes {
    #[must_use]
    pub fn has_heard(&self, step: Step, person: &PersonId) -> bool {
        self.heard.get(&step).is_some_and(|people| people.contains(person))
    }

    pub fn hears(&mut self, step: Step, person: &PersonId) {
        let people = self.heard.entry(step).or_default();
        if !people.contains(person) {
            people.push(person.clone());
        }
    }

    /// The turn that was spoken of is no longer the turn it has: what is said of the next one is said anew.
    pub fn begin_anew(&mut self) {
        for step in [Step::Started, Step::EndingSoon, Step::Extended, Step::Ended, Step::StoodInFor] {
            self.heard.remove(&step);
        }
        self.restarts += 1;
        (self.turn_since, self.told_until, self.extensions) = (None, None, 0);
    }

    /// Tells this turn's notices, and the extensions of one turn, from each other.
    #[must_use]
    pub fn nth(&self) -> u32 {
        self.restarts.saturating_mul(100).saturating_add(self.extensions)
    }

    /// Whether anybody has heard this.
    #[must_use]
    pub fn was_said(&self, step: Step) -> bool {
        self.heard.contains_key(&step)
    }
}
