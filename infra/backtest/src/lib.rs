//! How often the ranking is right, measured on a history of which the truth is known.
//!
//! A revert names the change that it takes back: that is the culprit, and the time of the revert is the latest time at which the
//! failure can have been noticed. [`history`] and [`git`] read the changes, [`sweep`] walks through them in order of time and
//! ranks what had landed before each revert, by what was known then; [`measure`] says how often the culprit came first, and
//! [`report`] says it in words.
//!
//! Deliberately absent: the ranking itself, which is `domain::rank` and the same that pages people.

pub mod git;
pub mod history;
pub mod measure;
pub mod report;
pub mod sweep;

pub use history::{History, Incident, Landed};
pub use measure::{Measures, Ranker};
pub use sweep::Example;
