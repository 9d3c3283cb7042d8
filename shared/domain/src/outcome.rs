//! How an incident comes to its end: who said that it is not theirs, what mitigated it, which change it really was.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ChangeId, PersonId};

/// Somebody who was paged, or might be, says that it is not theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotMine {
    pub person: PersonId,
    pub at: Timestamp,
    /// The suspect that they think it is instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<ChangeId>,
}

/// How a suspect was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenBack {
    Reverted,
    RolledBack,
}

impl TakenBack {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reverted => "reverted",
            Self::RolledBack => "rolled back",
        }
    }
}

/// A suspect was taken back and users no longer have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mitigated {
    pub at: Timestamp,
    pub change: ChangeId,
    /// What people call it.
    pub label: String,
    pub how: TakenBack,
}

/// Who says which change it was. A person's word counts for more than a revert, that for more than a guess.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// Somebody who was paged for another one named it instead.
    Guess(PersonId),
    /// It was reverted, or rolled back alone, because of this.
    Revert,
    /// Somebody judged.
    Person(PersonId),
}

impl Judge {
    fn weight(&self) -> u8 {
        match self {
            Self::Guess(_) => 0,
            Self::Revert => 1,
            Self::Person(_) => 2,
        }
    }

    /// Whether its word replaces the other's.
    #[must_use]
    pub fn outweighs(&self, other: &Self) -> bool {
        self.weight() >= other.weight()
    }
}

/// Which change it really was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Absent: none of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeId>,
    /// What people call it.
    pub label: String,
    pub by: Judge,
    pub at: Timestamp,
}

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody was paged; why not is said beside it.
    Detected,
    Paged,
    Acknowledged,
    /// A suspect was taken back; whether that was it, time will tell.
    Mitigated,
    Resolved,
    /// Resolved, and it is known which change it was.
    Judged,
}

impl State {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Paged => "paged",
            Self::Acknowledged => "acknowledged",
            Self::Mitigated => "mitigated",
            Self::Resolved => "resolved",
            Self::Judged => "judged",
        }
    }
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
