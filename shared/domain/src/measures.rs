//! What is measured: facts, each counted once in the transaction that makes it true; roll-ups of them by day and by month; and
//! the figures that people read. Each figure is explained, with a story worked out by hand, in `MEASURES.md`, which a test reads.
//!
//! Measures are for teams. What is kept of a person here is a mark that is another one each month; no figure names anybody.

pub mod digest;
mod facts;
mod figures;
mod marks;
mod spread;
mod tally;
mod timeline;

#[cfg(test)]
mod worked_tests;

pub use facts::{Ended, Fact, OfPerson, Outcome, Released, of_expedite, of_incident};
pub use figures::{Amount, MEASURES, Measure, Unit};
pub use marks::Marks;
pub use spread::Spread;
pub use tally::Tally;
pub use timeline::{Cohorts, Month, Period, Timeline, day, days_between};

pub(crate) use facts::{of_release, recovered};
