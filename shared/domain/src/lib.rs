//! Who answers for which change, from when until when, and who is told what.
//!
//! Pure: no async, no clock, no randomness, no I/O, no wire format. Every `decide` takes the time as an
//! argument and returns what to change, whom to tell, and a named [`Reason`] for what it did and did not do.
//!
//! Start reading at [`window`] (when am I on call?), then [`release`] (which change went live when),
//! [`escalation`] (who is paged, and when) and the `on_*` modules (one event, one decision).

pub mod acknowledgement;
pub mod address;
pub mod alert;
pub mod attendance;
pub mod audit;
pub mod autopilot;
pub mod because;
pub mod beside;
pub mod calendar;
pub mod card;
pub mod carried;
pub mod change;
pub mod code_owners;
pub mod comments;
pub mod decision;
pub mod deployment;
pub mod escalation;
pub mod expedite;
pub mod export;
pub mod freeze;
pub mod gates;
pub mod hold;
pub mod ids;
pub mod incident;
pub mod ladder;
pub mod lineage;
pub mod login;
pub mod maintenance;
pub mod measures;
pub mod merge_desk;
pub mod message;
pub mod mode;
pub mod notices;
pub mod on_alert;
pub mod on_deploy;
pub mod on_merge;
pub mod on_page;
pub mod on_request;
pub mod on_schedule;
pub mod outcome;
pub mod paging;
pub mod paths;
pub mod pipelines;
pub mod posted;
pub mod privacy;
pub mod pull;
pub mod queue;
pub mod rank;
pub mod reason;
pub mod release;
pub mod responder;
pub mod revert;
pub mod roster;
pub mod service;
pub mod settings;
pub mod shift;
pub mod shown;
pub mod signals;
pub mod situation;
pub mod squad;
pub mod suite;
pub mod suspect;
pub mod text;
pub mod times;
pub mod track;
pub mod turn;
pub mod undo;
pub mod window;
pub mod wording;

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod convergence_tests;
#[cfg(test)]
mod elsewhere_tests;
#[cfg(test)]
mod escalation_tests;
#[cfg(test)]
mod machine_tests;
#[cfg(test)]
mod names_tests;
#[cfg(test)]
mod pages_in_words_tests;
#[cfg(test)]
mod properties_tests;
#[cfg(test)]
mod second_thoughts_tests;
#[cfg(test)]
mod situations_tests;
#[cfg(test)]
mod suspect_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod track_tests;
#[cfg(test)]
mod wording_tests;

pub use acknowledgement::{Acknowledgement, Acknowledger};
pub use alert::{AcknowledgedThere, Alert, AlertState, Severity};
pub use attendance::Attendance;
pub use because::Because;
pub use calendar::{Calendar, Occasion, OccasionKind, Span, TimeKind, Timetable, WorkingHours};
pub use change::{Change, ChangeKind, Credit, Merger};
pub use code_owners::CodeOwners;
pub use decision::{Decisions, Entry, Record, Write};
pub use deployment::{
    Carries, DeployEvent, Deployment, DeploymentEvent, DeploymentKey, DeploymentState, Manner, Revision, StandsFor,
};
pub use ids::{
    ChangeId, Commit, EnvironmentName, FreezeId, IncidentId, InvalidId, PersonId, Reference, Repository, ServiceId,
    SquadId,
};
pub use incident::{Incident, PageRecord};
pub use login::Login;
pub use message::{Kind, Message, MessageKey, Outgoing, Step, Subject};
pub use mode::{Ceiling, Mode};
pub use paths::Paths;
pub use pull::{MergeStatus, OpenPull, PullEvent, Verdict};
pub use queue::Queue;
pub use reason::Reason;
pub use responder::Responder;
pub use revert::{Claim, Reverts};
pub use roster::{Contact, Person, Roster};
pub use service::{Environment, Matcher, Policy, ServedRepository, Service};
pub use settings::Settings;
pub use shift::Shift;
pub use signals::Signals;
pub use situation::{Clock, Noted, Situation};
pub use squad::{Ownership, Squad, Wish, WishReason};
pub use suspect::Suspect;
pub use undo::Undo;
pub use window::{Phase, Window, WindowNotes};
