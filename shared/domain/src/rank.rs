//! Which change was it? Ranks the changes that were live when something broke, by what is known of each, and says how sure it is.
//!
//! A suspect's score is a sum: each [`Feature`] has one line in `rank/weights.csv`, and adds its weight times how far the change
//! is from what is typical. Nothing else counts, so the parts of a score are its whole explanation ([`words`]). From the
//! scores come shares of suspicion that add up to one, with a share for "none of these" ([`probability`]).
//!
//! Points are thousandths of a natural logarithm of odds, whole numbers: the same on every machine and in any order. How the
//! weights were found, how often the ranking is right, and where it is not, is in `tests/learn/REPORT.md`.

pub mod alike;
pub mod facts;
pub mod named;
pub mod past;
pub mod probability;
pub mod table;
pub mod words;

use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr};

pub use facts::{Candidate, Facts, facts};
pub use past::{Past, Touches, Traits};
pub use table::Table;

/// What counts for or against a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumCount, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Feature {
    /// Since when it is live: ln(1 + hours).
    Age,
    /// The same, times how much older than elsewhere the culprits of this service are.
    Pace,
    /// How many changes went live after it, or with it and were merged later: ln(1 + n).
    Newer,
    /// How many of them are of the same author: ln(1 + n).
    LaterByAuthor,
    /// It takes something back.
    IsRevert,
    /// It is taken back already.
    TakenBack,
    /// It lands again what was taken back.
    LandsAgain,
    /// How much oftener than usual changes of its worst directory had to be taken back: a natural logarithm.
    DirectoryReverts,
    /// How many of its files its author had touched before: a share.
    Familiarity,
    /// It touches documents, styles and pictures only.
    OnlyDocuments,
    /// Its title says that it mends something.
    SaysFix,
    /// How many commits it has: ln(n).
    Commits,
    /// How many lines it touches: ln(1 + n).
    Lines,
    /// A machine made it.
    ByMachine,
    /// The alert names one of its files: 0 to 1, by how surely and how near to the failure.
    NamedFile,
    /// The alert speaks of what it speaks of, and few others do: 0 to 1.
    Alike,
    /// The failure began while only a part of its users had it.
    RollingOut,
}

/// One line of a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    pub feature: Feature,
    /// What the feature is for this change, in its own unit.
    pub value: f64,
    /// What it adds, in thousandths.
    pub points: i64,
}

/// The score of one change, with what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    pub points: i64,
    /// What is not known adds nothing and is not here.
    pub parts: Vec<Part>,
}

/// The score of a change of which this is known.
#[must_use]
pub fn score(facts: &Facts, table: &Table) -> Score {
    let points = |feature: Feature, value: f64| match (feature, facts.get(Feature::Age)) {
        (Feature::Pace, Some(age)) => table.pace_points(age, value),
        _ => table.points(feature, value),
    };
    let part = |(feature, value): (Feature, f64)| Part { feature, value, points: points(feature, value) };
    let parts: Vec<Part> = facts.known().map(part).collect();
    Score { points: parts.iter().map(|part| part.points).sum(), parts }
}
