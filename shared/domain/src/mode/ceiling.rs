//! What stands in the table of a service's mode: how far automation may go there at most, why, and the wrong pages by which that is
//! judged.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Mode;
use crate::ids::{ChangeId, IncidentId, PersonId};

/// How long a wrong page counts: what policy bounds is a month's.
pub const COUNTS: SignedDuration = SignedDuration::from_hours(24 * 30);
/// So many are kept. A service that has more has long stepped down.
const MOST: usize = 100;
/// So many reverts are remembered: they are an hour apart, and the last one counts.
const MOST_MOVES: usize = 50;

/// How far automation may go at most, whatever the configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceiling {
    /// Absent: as far as the configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowered: Option<Lowered>,
    /// When somebody last said how far it goes: wrong pages of before were known then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts_from: Option<Timestamp>,
    /// The wrong pages of the last month, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<WrongPage>,
    /// The reverts that were opened by themselves, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Moved>,
}

/// A revert was opened without anybody's pressing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    pub at: Timestamp,
    pub incident: IncidentId,
    pub change: ChangeId,
    /// It was merged by itself, too, or was to be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub acts: bool,
}

/// Down to where, since when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lowered {
    pub to: Mode,
    pub at: Timestamp,
    pub why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Somebody said so.
    Said {
        by: PersonId,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
    },
    /// More wrong pages to one person within a month than policy has it.
    WrongPages { pages: usize },
    /// What was reverted by itself was not it.
    WrongRevert { change: ChangeId, label: String },
}

/// A page that woke somebody for nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WrongPage {
    pub at: Timestamp,
    pub incident: IncidentId,
    pub person: PersonId,
}

impl Ceiling {
    /// The mode in force, where the configuration says this one.
    #[must_use]
    pub fn in_force(&self, configured: Mode) -> Mode {
        self.lowered.as_ref().map_or(configured, |lowered| configured.min(lowered.to))
    }

    /// The wrong pages that count at `now`: within a month, and since somebody last said how far it goes.
    pub fn counted(&self, now: Timestamp) -> impl Iterator<Item = &WrongPage> {
        let from = (now - COUNTS).max(self.counts_from.unwrap_or(Timestamp::MIN));
        self.wrong.iter().filter(move |page| page.at >= from)
    }

    /// Keeps that a revert was opened by itself.
    pub fn moved(&mut self, moved: Moved) {
        self.moves.push(moved);
        let more = self.moves.len().saturating_sub(MOST_MOVES);
        self.moves.drain(..more);
    }

    /// The most of them that any one person had.
    #[must_use]
    pub fn most_wrong(&self, now: Timestamp) -> usize {
        let mut of: BTreeMap<&PersonId, usize> = BTreeMap::new();
        self.counted(now).for_each(|page| *of.entry(&page.person).or_default() += 1);
        of.into_values().max().unwrap_or(0)
    }

    /// Keeps what is known now of the wrong pages of these incidents; of others what was known stays, for a month.
    pub fn learn(&mut self, of: &[&IncidentId], wrong: Vec<WrongPage>, now: Timestamp) {
        self.wrong.retain(|known| known.at >= now - COUNTS && !of.contains(&&known.incident));
        self.wrong.extend(wrong.into_iter().filter(|page| page.at >= now - COUNTS));
        self.wrong.sort();
        let more = self.wrong.len().saturating_sub(MOST);
        self.wrong.drain(..more);
    }
}
