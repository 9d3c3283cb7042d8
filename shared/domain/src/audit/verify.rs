//! Whether a chain of seals is as it was made, and whether the log still says what was sealed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

use super::redact::unexplained;
use super::{Head, Line, Logged, Proof, Removals, Seal, digest_of};

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
    /// Of a seal's lines not all can be compared with the log, though it is kept.
    ProofsGone { number: u64, hour: Timestamp, lines: usize, proofs: usize },
    /// A line has no salt, as if somebody's data had been removed, and the log tells of no such removal.
    Unexplained { at: String },
    /// A line is not as the removal of somebody's data left it.
    LineUnredacted { at: Timestamp },
    /// The end of the chain was gone when this was sealed, or could not be read.
    Anew { number: u64, hour: Timestamp },
    /// The end of the chain is not there, and something was sealed, or should have been.
    EndGone,
    /// Something of the audit log cannot be read.
    Unreadable(String),
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
            Self::ProofsGone { number, hour, lines, proofs } => {
                write!(f, "seal {number} of {hour} has {lines} lines, and what compares them with the log is kept for {proofs}")
            }
            Self::Unexplained { at } => {
                write!(f, "the line of {at} has lost its salt, and no removal of a person's data explains it")
            }
            Self::LineUnredacted { at } => write!(
                f,
                "the line of {at} is not as the removal of a person's data left it: run the removal again if it was interrupted"
            ),
            Self::Anew { number, hour } => write!(
                f,
                "seal {number} of {hour} begins anew: the end of the chain before it was gone, or could not be read"
            ),
            Self::EndGone => f.write_str(
                "the end of the chain is gone: there are seals, or lines of the log that are older than what a chain begins with",
            ),
            Self::Unreadable(what) => write!(f, "{what} cannot be read"),
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
        if seal.anew {
            faults.push(Fault::Anew { number, hour });
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
        faults.push(head.map_or(Fault::EndGone, |head| Fault::NoEnd { number: head.number }));
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

/// A seal, and by what its lines are compared with the log; `None`: that was not asked for, or cannot be read.
pub type Kept = (Seal, Option<Vec<Proof>>);

/// What the table has of late: seals with what is kept beside them, and the log.
#[derive(Debug, Clone, Copy)]
pub struct Lately<'a> {
    pub sealed: &'a [Kept],
    /// What is kept beside seals that are gone or cannot be read: of these it is said, not of their lines.
    pub orphans: &'a [Proof],
    pub logged: &'a [Logged],
    pub removals: &'a Removals,
    /// Lines before this have expired, or may have.
    pub from: Timestamp,
    /// Lines from this on are not sealed yet.
    pub until: Timestamp,
}

/// The seals, from this time on, of whose lines not all can be compared with the log.
#[must_use]
pub fn incomplete(sealed: &[Kept], from: Timestamp) -> Vec<Fault> {
    let fault = |(seal, proofs): &Kept| {
        let (lines, proofs) = (seal.lines.len(), proofs.as_ref()?.len());
        let is_one = lines != proofs && from <= seal.hour && seal.reckoned() == seal.digest;
        is_one.then_some(Fault::ProofsGone { number: seal.number, hour: seal.hour, lines, proofs })
    };
    sealed.iter().filter_map(fault).collect()
}

/// Whether the log still says what was sealed, and all of it was. Of a seal that was changed nothing more is said.
#[must_use]
pub fn compare(lately: Lately<'_>) -> Vec<Fault> {
    let within = |at: Timestamp| lately.from <= at && at < lately.until;
    let logged: BTreeMap<&str, &Logged> = lately.logged.iter().map(|line| (line.place.as_str(), line)).collect();
    let mut sealed: BTreeSet<&str> = lately.orphans.iter().map(|proof| proof.place.as_str()).collect();
    let mut unsure = BTreeSet::new();
    let mut faults = incomplete(lately.sealed, lately.from);
    for (seal, proofs) in lately.sealed {
        let kept = proofs.as_deref().unwrap_or_default();
        sealed.extend(kept.iter().map(|proof| proof.place.as_str()));
        if seal.reckoned() != seal.digest {
            continue;
        }
        if kept.len() != seal.lines.len() {
            // Which line is which cannot be told: nothing is said of any that was written at one of these moments.
            unsure.extend(seal.lines.iter().map(|line| line.at));
            continue;
        }
        if lately.from <= seal.hour {
            let at = |place: &str| place.split('#').next().unwrap_or("").to_owned();
            let places = unexplained(seal, kept, lately.removals);
            faults.extend(places.into_iter().map(|place| Fault::Unexplained { at: at(place) }));
        }
        for (line, proof) in seal.lines.iter().zip(kept) {
            match logged.get(proof.place.as_str()) {
                Some(found) => faults.extend(differs(line, proof, found)),
                None if within(line.at) => faults.push(Fault::LineGone { at: line.at }),
                None => {}
            }
        }
    }
    let unsealed = lately.logged.iter().filter(|line| within(line.at) && !sealed.contains(line.place.as_str()));
    let unsealed = unsealed.filter(|line| !unsure.contains(&line.at));
    faults.extend(unsealed.map(|line| Fault::LineUnsealed { at: line.at }));
    faults
}

/// Whether a line of the log is another than was sealed, or than a removal left.
fn differs(line: &Line, proof: &Proof, found: &Logged) -> Option<Fault> {
    let at = line.at;
    match (&proof.salt, proof.redacted.last()) {
        (Some(salt), _) if digest_of(&found.full, salt) != line.digest => Some(Fault::LineChanged { at }),
        (None, Some(since)) if digest_of(&found.full, &since.salt) != since.digest => {
            Some(Fault::LineUnredacted { at })
        }
        (Some(_), _) | (None, _) => None,
    }
}
