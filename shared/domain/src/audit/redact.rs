//! Lines of the log from which somebody's data were removed: what is kept of them instead of their salts, and how the log tells it.
//!
//! Whoever can write to the table can take away a salt as well. So the removal is a line of the log itself, which is sealed like any
//! other: it names each seal that has such lines, how many, and a digest of how they stand since. It does not say who was removed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Kept, Logged, Proof, Seal, digest_of, hex};

/// How a line stands since somebody's data were removed from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// Where the removal is in the log.
    pub by: String,
    pub salt: String,
    /// Of the line as it stands since, with this salt.
    pub digest: String,
}

/// What a line of the log says of a removal: so many lines of this seal are no longer what was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redacted {
    pub hour: Timestamp,
    pub part: u32,
    pub lines: usize,
    /// Of where they are, and of how they stand since.
    pub digest: String,
}

/// What the log says of removals, by the place where it does.
pub type Removals = BTreeMap<String, Vec<Redacted>>;

/// Forgets the salts of these lines of a seal (place, and the line as it will stand), and notes how they stand then; `None`: none of them
/// is of this seal, or all of it was done. Where the log will say so is filled in by [`Proof::is_by`].
#[must_use]
pub fn redact(
    (hour, part): (Timestamp, u32),
    proofs: &mut [Proof],
    lines: &BTreeMap<String, String>,
    salt: impl Fn(&str) -> String,
) -> Option<Redacted> {
    for proof in proofs.iter_mut() {
        let Some(full) = lines.get(&proof.place) else { continue };
        let stands = |done: &Redaction| digest_of(full, &done.salt) == done.digest;
        if proof.salt.take().is_none() && proof.redacted.last().is_some_and(stands) {
            // A removal that ended in the middle came so far.
            continue;
        }
        let salt = salt(&proof.place);
        let digest = digest_of(full, &salt);
        proof.redacted.push(Redaction { by: String::new(), salt, digest });
    }
    let (lines, digest) = summed(proofs, "")?;
    Some(Redacted { hour, part, lines, digest })
}

impl Proof {
    /// Says where in the log the removal is that was just done.
    pub fn is_by(&mut self, place: &str) {
        for done in self.redacted.iter_mut().filter(|done| done.by.is_empty()) {
            place.clone_into(&mut done.by);
        }
    }
}

/// How many of these lines a removal took, and the digest of how they stand since. `None`: it took none.
fn summed(proofs: &[Proof], by: &str) -> Option<(usize, String)> {
    let taken = proofs.iter().flat_map(|proof| proof.redacted.iter().map(|done| (&proof.place, done)));
    let taken: Vec<_> = taken.filter(|(_, done)| done.by == by).collect();
    let texts: Vec<&String> = taken.iter().flat_map(|(place, done)| [*place, &done.salt, &done.digest]).collect();
    (!taken.is_empty()).then(|| (taken.len(), hex(&texts)))
}

/// The places of lines without a salt which no removal explains that the log tells of.
pub(super) fn unexplained<'a>(seal: &Seal, proofs: &'a [Proof], removals: &Removals) -> Vec<&'a str> {
    let by: BTreeSet<&str> = proofs.iter().flat_map(|proof| &proof.redacted).map(|done| done.by.as_str()).collect();
    let told = |by: &&str| {
        let of_seal = |told: &&Redacted| (told.hour, told.part) == (seal.hour, seal.part);
        let told = removals.get(*by).and_then(|told| told.iter().find(of_seal));
        summed(proofs, by) == told.map(|told| (told.lines, told.digest.clone()))
    };
    let told: BTreeSet<&str> = by.into_iter().filter(told).collect();
    let explained = |proof: &&Proof| {
        !proof.redacted.is_empty() && proof.redacted.iter().all(|done| told.contains(done.by.as_str()))
    };
    let without = proofs.iter().filter(|proof| proof.salt.is_none() && !explained(proof));
    without.map(|proof| proof.place.as_str()).collect()
}

/// Whether a line that tells of a removal is itself as it was sealed; from `due` on it need not be sealed yet.
#[must_use]
pub fn is_vouched(line: &Logged, sealed: &[Kept], due: Timestamp, now: Timestamp) -> bool {
    let is_it = |proof: &Proof, digest: &str| {
        proof.place == line.place && proof.salt.as_ref().is_some_and(|salt| digest_of(&line.full, salt) == digest)
    };
    let holds = |(seal, proofs): &Kept| {
        let pairs = || seal.lines.iter().zip(proofs.iter().flatten());
        seal.reckoned() == seal.digest && pairs().any(|(sealed, proof)| is_it(proof, &sealed.digest))
    };
    (due <= line.at && line.at <= now) || sealed.iter().any(holds)
}
