//! The keys of the audit log, and of what people are called in it.

use domain::{PersonId, ServiceId};
use jiff::Timestamp;

use super::{Key, instant, key};

/// The partition of what is kept of each person by itself.
pub const PEOPLE: &str = "K";

#[must_use]
pub fn audit(service: &ServiceId) -> String {
    format!("Z#{service}")
}

/// The end of a service's chain.
pub fn head(service: &ServiceId) -> Key {
    key(audit(service), "H")
}

/// The lines of an hour of a service, or a part of them, sealed.
pub fn seal(service: &ServiceId, hour: Timestamp, part: u32) -> Key {
    key(audit(service), format!("S#{}#{part:03}", instant(hour)))
}

/// By what the lines of the log are told to be those that were sealed.
pub fn proofs(service: &ServiceId, hour: Timestamp, part: u32) -> Key {
    key(audit(service), format!("N#{}#{part:03}", instant(hour)))
}

pub fn person(person: &PersonId) -> Key {
    key(PEOPLE.to_owned(), person.as_str())
}

/// The hour and the part that are behind the kind in the keys of a seal, and of what is kept beside it.
#[must_use]
pub fn parse_sealed(place: &str) -> Option<(Timestamp, u32)> {
    let (hour, part) = place.split_once('#')?;
    Some((hour.parse().ok()?, part.parse().ok()?))
}
