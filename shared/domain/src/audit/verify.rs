//! Whether a chain of seals is as it was made, and whether the log still says what was sealed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

use super::{Head, Line, Logged, Proof, Seal, digest_of};

/// Something that is not as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The lines of a seal are not those that were sealed.
    Changed { number: u64, hour: Timestamp },
    /// A seal does not follow the one before.
    Unlinked { number: u64, hour: Timestamp },
    /// Seals are not there, between these numbers.
    Missing { from: u64, to: u64 },
    /// The seals before the first that is there are not, and would still be kept.
    NoBeginning { number: u64 },
    /// The chain does not end where its head says.
    NoEnd { number: u64 },
    /// A line of the log is not the one that was sealed.
    LineChanged { at: Timestamp },
    /// A line that was sealed is not in the log.
    LineGone { at: Timestamp },
    /// A line of the log was not sealed.
    LineUnsealed { at: Timestamp },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { number, hour } => write!(f, "seal {number} of {hour} was changed"),
            Self::Unlinked { number, hour } => write!(f, "seal {number} of {hour} does not follow the one before"),
            Self::Missing { from, to } if from == to => write!(f, "seal {from} is missing"),
            Self::Missing { from, to } => write!(f, "seals {from} to {to} are missing"),
            Self::NoBeginning { number } => write!(f, "what comes before seal {number} is missing"),
            Self::NoEnd { number } => write!(f, "the chain does not end with seal {number}, as its head says"),
            Self::LineChanged { at } => write!(f, "the line of {at} in the log was changed after it was sealed"),
            Self::LineGone { at } => write!(f, "the line of {at} was sealed, and is no longer in the log"),
            Self::LineUnsealed { at } => write!(f, "the line of {at} in the log was never sealed"),
        }
    }
}

/// Which part of a chain is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Seals from this hour on have to be there: what is older than they are kept need not be.
    pub from: Timestamp,
    /// They go to the end of the chain.
    pub to_the_end: bool,
}

/// What is wrong with these seals, which are in the order of their hours and parts.
#[must_use]
pub fn verify(seals: &[Seal], head: Option<&Head>, extent: Extent) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut last: Option<&Seal> = None;
    for seal in seals {
        let (number, hour) = (seal.number, seal.hour);
        if seal.reckoned() != seal.digest {
            faults.push(Fault::Changed { number, hour });
        }
        match last {
            // The chain begins here, or what is before is not looked at.
            None if number == 1 && seal.previous.is_empty() && seal.before.is_none() => {}
            None if seal.before.is_none_or(|before| before >= extent.from) => {
                faults.push(Fault::NoBeginning { number });
            }
            None => {}
            Some(before) if number > before.number + 1 => {
                faults.push(Fault::Missing { from: before.number + 1, to: number - 1 });
            }
            Some(before) => {
                let follows =
                    number == before.number + 1 && seal.previous == before.digest && seal.before == Some(before.hour);
                if !follows {
                    faults.push(Fault::Unlinked { number, hour });
                }
            }
        }
        last = Some(seal);
    }
    if extent.to_the_end && !ends(last, head, extent) {
        faults.push(Fault::NoEnd { number: head.map_or(0, |head| head.number) });
    }
    faults
}

fn ends(last: Option<&Seal>, head: Option<&Head>, extent: Extent) -> bool {
    match (last, head) {
        (Some(last), Some(head)) => {
            (last.number, last.hour, last.part, &last.digest) == (head.number, head.hour, head.part, &head.digest)
        }
        (None, None) => true,
        // The last seal is older than what is looked at.
        (None, Some(head)) => head.hour < extent.from,
        (Some(_), None) => false,
    }
}

/// What the table has of late: the lines that were sealed, each with its proof, and the log. Of a seal that was changed the lines are
/// absent, so that nothing is said of them.
#[derive(Debug, Clone, Copy)]
pub struct Lately<'a> {
    pub sealed: &'a [(Option<Line>, Proof)],
    pub logged: &'a [Logged],
    /// Lines before this have expired, or may have.
    pub from: Timestamp,
    /// Lines from this on are not sealed yet.
    pub until: Timestamp,
}

/// Whether the log still says what was sealed, and all of it was. Of a line from which somebody's data were removed only
/// its place is compared.
#[must_use]
pub fn compare(lately: Lately<'_>) -> Vec<Fault> {
    let within = |at: Timestamp| lately.from <= at && at < lately.until;
    let logged: BTreeMap<&str, &Logged> = lately.logged.iter().map(|line| (line.place.as_str(), line)).collect();
    let mut sealed = BTreeSet::new();
    let mut faults = Vec::new();
    for (line, proof) in lately.sealed {
        sealed.insert(proof.place.as_str());
        let Some(line) = line else { continue };
        let Some(found) = logged.get(proof.place.as_str()) else {
            if within(line.at) {
                faults.push(Fault::LineGone { at: line.at });
            }
            continue;
        };
        if proof.salt.as_ref().is_some_and(|salt| digest_of(&found.full, salt) != line.digest) {
            faults.push(Fault::LineChanged { at: line.at });
        }
    }
    let unsealed = lately.logged.iter().filter(|line| within(line.at) && !sealed.contains(line.place.as_str()));
    faults.extend(unsealed.map(|line| Fault::LineUnsealed { at: line.at }));
    faults
}
