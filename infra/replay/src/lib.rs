//! A team's own past through the very same decide functions, in virtual time: who would have been on call, paged, woken.
//!
//! [`archive`], [`history`] and the other readers turn what was exported into [`event::Told`]; [`world::World`] hears it and decides by the
//! domain's functions; a [`witness::Witness`] looks on: [`witness::Log`] keeps the log of decisions, [`tally::Tally`] counts.
//!
//! Deliberately absent: any decision. What decides is `domain`, what reads a payload is its sender's file in `functions/`.

pub mod archive;
pub mod event;
pub mod export;
pub mod history;
pub mod input;
pub mod lines;
pub mod outcome;
pub mod page;
pub mod run;
pub mod tally;
pub mod witness;
pub mod words;
pub mod world;

pub use event::{Happened, Told, What};
pub use outcome::Outcome;
pub use tally::Tally;
pub use witness::{Log, Passed, Witness};
pub use world::World;
