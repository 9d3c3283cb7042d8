//! Every key of the table, and so every access pattern. There is no scan.
//!
//! | what | partition | sort | read by | cost |
//! | --- | --- | --- | --- | --- |
//! | a service's working set: changes, files, notes, deployments, signals, incidents, shifts, queue, errands, paging, track, reverts that were asked for, what is posted there of freezes, pipelines that hold, how far automation may go, clock; of the desk of freezes: what people declared, what was said, what calendars said, the fixes that are to pass; of the desk of a repository: what stands at its pull requests | `S#service` | by kind | every decision | 1 query |
//! | a service's outbox: what no receiver has accepted | `O#service` | subject, person, step | `on-schedule`, `on-page` | 1 query or 1 get |
//! | a service's log, newest first | `L#service` | time | board | 1 query, bounded |
//! | old incidents | `P#service` | time | board | 1 query, bounded |
//! | where one of them is | `J#incident` | `J` | an incident's page | 1 get, and 1 of the incident |
//! | that a page was accepted, where it may speak for another service's | `Y#page` | `Y` | `on-page` | 1 get |
//! | a change, once, for ever | `C#repository@commit` | `C` | duplicates of a merge | condition of the merge's transaction |
//! | who enqueued a pull request | `Q#repository#number` | `Q` | bot merges | 1 get |
//! | what another name for a commit stands for, and who awaits that | `R#reference` | `R` | deployments of images and the like | 1 get |
//! | where an alert of a monitor that says so once belongs | `F#sender/fingerprint` | `F` | alerts of such monitors | 1 get |
//! | how far a repository's deliveries were looked at | `G#repository` | `G` | `on-schedule` | 1 get |
//! | where a thread of a chat begins: one a receiver, address and subject | `T#receiver:address#subject` | `T` | `on-page`, before a message to a chat | 1 get |
//! | what was measured of a service: a roll-up a day, kept 100 days, and a month, kept 800 | `M#service` | `D#` day or `M#` month | measures, the digest | 1 query; counting: 1 get and 1 put each, where something is counted |
//! | what the board shows of each service at a glance | `B` | service | board | 1 query for all |
//! | the audit log: the sealed lines of an hour, and the end of the chain | `Z#service` | `S` and the hour, `H` | `on-schedule` once an hour, `audit` | 1 get, and 1 query of the log; where there is something to seal 3 queries and a transaction; where the end is gone 3 queries more |
//! | by what a line of the log is told to be the one that was sealed: for as long as the log | `Z#service` | `N` and the hour | `audit` | 1 query |
//! | what each person is called in the audit log | `K` | person | sealing, `audit` | 1 query for all |
//! | services that are due | index `due`: `due`, time | | the tick | 1 query |
//! | the services in which a person has changes or shifts | index `person`: person, time | | board | 1 query |
//!
//! `expires` is the time-to-live attribute: garbage collection only. Nothing reads it.

mod measured;
mod sealed;

use domain::{
    ChangeId, Commit, DeploymentKey, EnvironmentName, FreezeId, IncidentId, MessageKey, Reference, Repository,
    ServiceId,
};
use jiff::{SignedDuration, Timestamp};

pub use measured::{KEEP_DAY, KEEP_MONTH, parse_period, tally, tally_expires};
pub use sealed::{PEOPLE, audit, head, parse_sealed, person, proofs, seal};

pub const PARTITION: &str = "pk";
pub const SORT: &str = "sk";
pub const REVISION: &str = "rev";
pub const BODY: &str = "body";
pub const EXPIRES: &str = "expires";
/// The version of what is in the body: see [`crate::schema`].
pub const VERSION: &str = "v";
/// The index of services that are due, and its attributes.
pub const DUE_INDEX: &str = "due";
pub const DUE: &str = "due";
pub const DUE_AT: &str = "due_at";
/// Whether a service's clock was rung from outside: the table's stream wakes `on-schedule` for that alone.
pub const RUNG: &str = "rung";
/// The index of a person's changes and shifts, and its attributes.
pub const PERSON_INDEX: &str = "person";
pub const PERSON: &str = "person";
pub const PERSON_AT: &str = "person_at";

/// The partition of what the board shows of each service at a glance.
pub const BOARD: &str = "B";
/// On a service's clock: the digest of its card, by which it is known whether another one says the same.
pub const CARD: &str = "card";

/// How long the log is kept.
pub const KEEP_LOG: SignedDuration = SignedDuration::from_hours(24 * 90);
/// How long the audit log is kept: a year, and a month in which somebody asks for it.
pub const KEEP_AUDIT: SignedDuration = SignedDuration::from_hours(24 * 400);
/// How long a change is known, so that a late repetition of its merge opens nothing.
pub const KEEP_CHANGE: SignedDuration = SignedDuration::from_hours(24 * 400);
/// How long a message nobody accepted is kept after its last try.
pub const KEEP_MESSAGE: SignedDuration = SignedDuration::from_hours(24 * 7);
/// How long it is known who enqueued a pull request.
pub const KEEP_ENQUEUED: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How long it is known where an alert belongs.
pub const KEEP_PLACEMENT: SignedDuration = SignedDuration::from_hours(24 * 90);
/// How long it is known what a reference stands for: images are rolled back to after months.
pub const KEEP_REFERENCE: SignedDuration = SignedDuration::from_hours(24 * 400);
/// How long it is known how far deliveries were looked at; forges keep them for days.
pub const KEEP_LOOK: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How long a chat's thread is known: longer than anything is talked about.
pub const KEEP_THREAD: SignedDuration = SignedDuration::from_hours(24 * 30);

/// A key: partition and sort.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub struct Key {
    pub partition: String,
    pub sort: String,
}

fn key(partition: String, sort: impl Into<String>) -> Key {
    Key { partition, sort: sort.into() }
}

/// A sort key as DynamoDB takes it. What is longer ends in a digest of all of it, so that different things stay different.
fn bounded(sort: String) -> String {
    const MOST: usize = 1024;
    if sort.len() <= MOST {
        return sort;
    }
    let digest = crate::verify::to_hex(&crate::verify::hmac_sha256(b"key", &[sort.as_bytes()])[..16]);
    format!("{}{digest}", &sort[..sort.floor_char_boundary(MOST - digest.len())])
}

#[must_use]
pub fn working_set(service: &ServiceId) -> String {
    format!("S#{service}")
}

/// The service whose working set a partition is.
#[must_use]
pub fn service_of(partition: &str) -> Option<ServiceId> {
    partition.strip_prefix("S#")?.parse().ok()
}

#[must_use]
pub fn outbox(service: &ServiceId) -> String {
    format!("O#{service}")
}

#[must_use]
pub fn log(service: &ServiceId) -> String {
    format!("L#{service}")
}

#[must_use]
pub fn past(service: &ServiceId) -> String {
    format!("P#{service}")
}

pub fn clock(service: &ServiceId) -> Key {
    key(working_set(service), "T")
}

/// What the board shows of a service at a glance. It does not expire: a service may be quiet for years.
pub fn card(service: &ServiceId) -> Key {
    key(BOARD.to_owned(), service.as_str())
}

pub fn window(service: &ServiceId, change: &ChangeId) -> Key {
    key(working_set(service), format!("C#{change}"))
}

pub fn notes(service: &ServiceId, change: &ChangeId) -> Key {
    key(working_set(service), format!("N#{change}"))
}

pub fn deployment(service: &ServiceId, deployment: &DeploymentKey) -> Key {
    key(working_set(service), bounded(format!("D#{deployment}")))
}

pub fn signals(service: &ServiceId, environment: &EnvironmentName) -> Key {
    key(working_set(service), format!("A#{environment}"))
}

pub fn incident(service: &ServiceId, incident: &IncidentId) -> Key {
    key(working_set(service), format!("I#{incident}"))
}

pub fn shift(service: &ServiceId, id: &str) -> Key {
    key(working_set(service), format!("H#{id}"))
}

/// Which files a change touches, where a forge has told.
pub fn files(service: &ServiceId, change: &ChangeId) -> Key {
    key(working_set(service), format!("F#{change}"))
}

/// A merge about which a forge is to be asked.
pub fn errand(service: &ServiceId, errand: &str) -> Key {
    key(working_set(service), format!("E#{errand}"))
}

/// A freeze that somebody declared.
pub fn freeze(service: &ServiceId, freeze: &FreezeId) -> Key {
    key(working_set(service), format!("Z#{freeze}"))
}

pub fn freeze_notes(service: &ServiceId, time: &str) -> Key {
    key(working_set(service), format!("Y#{time}"))
}

/// A fix that somebody asks to let pass a freeze.
pub fn expedite(service: &ServiceId, expedite: &str) -> Key {
    key(working_set(service), bounded(format!("X#{expedite}")))
}

/// What the desk of freezes has posted at a service.
pub fn posted(service: &ServiceId) -> Key {
    key(working_set(service), "B#")
}

/// By which digest that desk knows what it has posted everywhere.
pub fn posted_all(service: &ServiceId) -> Key {
    key(working_set(service), "M#")
}

/// What stands at a repository's open pull requests.
pub fn pulls(service: &ServiceId) -> Key {
    key(working_set(service), "U#")
}

pub fn comment(service: &ServiceId, number: u64) -> Key {
    key(working_set(service), format!("J#{number}"))
}

/// The pipelines that are to hold.
pub fn pipelines(service: &ServiceId) -> Key {
    key(working_set(service), "V#")
}

/// What was read of the calendar that a freeze follows.
pub fn feed(service: &ServiceId, freeze: &FreezeId) -> Key {
    key(working_set(service), format!("W#{freeze}"))
}

/// A revert that somebody asked for.
pub fn undo(service: &ServiceId, change: &ChangeId) -> Key {
    key(working_set(service), bounded(format!("R#{change}")))
}

/// How far automation may go at most.
pub fn ceiling(service: &ServiceId) -> Key {
    key(working_set(service), "G#")
}

/// What is kept of the queue beside its changes: pauses, and how long changes took.
pub fn queue(service: &ServiceId) -> Key {
    key(working_set(service), "Q#")
}

/// What is kept of the service's paging beside its incidents: maintenance, the pager's rotation, what we wrote into it.
pub fn paging(service: &ServiceId) -> Key {
    key(working_set(service), "P#")
}

/// The bounded record of the service's past, out of which suspects are ranked.
pub fn track(service: &ServiceId) -> Key {
    key(working_set(service), "K#")
}

pub fn past_incident(service: &ServiceId, resolved_at: Timestamp, incident: &IncidentId) -> Key {
    key(past(service), format!("I#{}#{incident}", instant(resolved_at)))
}

/// Where an incident is that has left the working set: when it was over.
pub fn whereabouts(incident: &IncidentId) -> Key {
    key(format!("J#{incident}"), "J")
}

/// That a page was accepted, for what it spoke for too.
pub fn accepted(message: &MessageKey) -> Key {
    key(format!("Y#{message}"), "Y")
}

pub fn message(message: &MessageKey) -> Key {
    key(outbox(&message.service), message.within_service())
}

/// `digest` tells entries of the same moment apart and orders them.
pub fn entry(service: &ServiceId, at: Timestamp, digest: &str) -> Key {
    key(log(service), format!("{}#{digest}", instant(at)))
}

pub fn change(change: &ChangeId) -> Key {
    key(format!("C#{change}"), "C")
}

pub fn enqueued(repository: &Repository, number: u64) -> Key {
    key(format!("Q#{repository}#{number}"), "Q")
}

pub fn reference(reference: &Reference) -> Key {
    key(format!("R#{reference}"), "R")
}

/// Where the alert with this key belongs.
pub fn placement(alert: &str) -> Key {
    key(format!("F#{alert}"), "F")
}

/// When a forge's deliveries were last looked at.
pub fn look(repository: &Repository) -> Key {
    key(format!("G#{repository}"), "G")
}

/// Where messages about a subject to an address of a receiver are one thread. No receiver's name has a colon, no address a `#`.
pub fn thread(receiver: &str, address: &str, subject: &str) -> Key {
    key(format!("T#{receiver}:{address}#{subject}"), "T")
}

/// The change behind a window's or notes' sort key, without its leading kind.
pub fn parse_change(text: &str) -> Option<ChangeId> {
    let (repository, commit) = text.rsplit_once('@')?;
    Some(ChangeId { repository: repository.parse::<Repository>().ok()?, commit: commit.parse::<Commit>().ok()? })
}

/// A time as text that sorts as time does.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
