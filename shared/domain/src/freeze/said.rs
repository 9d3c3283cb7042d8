//! What is said of one time of a freeze, and what is kept of that, so that it is said once.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Occurrence;
use crate::ids::PersonId;
use crate::message::Step;
use crate::reason::Reason;

/// What is said of one time of a freeze, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    WithinADay,
    WithinAnHour,
    Began,
    Over,
}

impl Said {
    #[must_use]
    pub fn step(self) -> Step {
        match self {
            Self::WithinADay => Step::FreezeTomorrow,
            Self::WithinAnHour => Step::FreezeSoon,
            Self::Began => Step::FreezeBegan,
            Self::Over => Step::FreezeOver,
        }
    }

    /// Why it is said.
    #[must_use]
    pub fn reason(self, one: &Occurrence<'_>) -> Reason {
        let freeze = one.name.to_owned();
        match self {
            Self::WithinADay | Self::WithinAnHour => Reason::FreezeAhead { freeze },
            Self::Began => Reason::FreezeBegan { freeze },
            Self::Over => Reason::FreezeOver { freeze },
        }
    }
}

/// What was said of one time of a freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeNotes {
    pub said: BTreeSet<Said>,
    /// Who was told each.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub told: BTreeSet<(Said, PersonId)>,
    /// Who has open pull requests that it is about: they hear of it too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub mergers: BTreeSet<PersonId>,
    /// Who heard anything of it: they hear what becomes of it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub heard: BTreeSet<PersonId>,
    /// What it was when that was said, as a digest, and who heard since that it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_told: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub retold: BTreeSet<PersonId>,
    /// When it is over, as far as was known.
    pub until: Timestamp,
    pub name: String,
}
