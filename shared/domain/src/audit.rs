//! The audit log: each line of a service's log once more, without names, sealed each hour into a chain of digests.
//!
//! A line of it holds the person under a pseudonym, the name of the reason, and a digest of the whole line made with a salt. The mapping
//! of pseudonyms and the salts are kept elsewhere: without them the chain can still be verified, and says of nobody who they were.
//! What is sealed when is decided here; reading, randomness and writing are the shell's. An empty hour is not sealed.

mod due;
mod redact;
mod verify;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::PersonId;
pub use due::{Batch, due, is_late};
pub use redact::{Redacted, Redaction, Removals, is_vouched, redact};
pub use verify::{Extent, Fault, Kept, Lately, compare, incomplete, verify};

/// An hour is sealed when it has been over for so long: no function decides something and writes it later than that.
pub const GRACE: SignedDuration = SignedDuration::from_mins(10);
/// Lines that come later still are looked for so far back from the last that was sealed, and sealed as late. What comes later than
/// that is not sealed; verification finds it, for as long as the log is kept.
pub const LOOK_BACK: SignedDuration = SignedDuration::from_hours(1);
/// Where nothing was sealed for so long, nothing late is looked for.
pub const LATE_UNTIL: SignedDuration = SignedDuration::from_hours(24);
/// A service's chain begins with what was said at most so long ago: what is older was there before there was an audit log.
pub const FIRST: SignedDuration = SignedDuration::from_hours(48);
/// A seal holds at most so many lines, and about so many bytes: an item of the table holds 400 kB.
pub const MOST_LINES: usize = 1000;
pub const MOST_BYTES: usize = 300_000;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What a person is called in the audit log: random, and known to the mapping alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pseudonym(pub String);

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A line of the log as it is to be sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Where it is in the log: lines are sealed in this order.
    pub place: String,
    pub at: Timestamp,
    pub subject: Option<String>,
    pub person: Option<PersonId>,
    pub reason: String,
    /// All of it, as it is stored.
    pub full: String,
    /// The seals that have lines from which somebody's data were removed, where it says so.
    pub redacted: Vec<Redacted>,
}

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Pseudonym>,
    pub reason: String,
    /// Of the whole line, with its salt.
    pub digest: String,
    /// It came after its hour was sealed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// By what a line of the log is told to be the one that was sealed. It is kept beside the seal for as long as the log is; without it
/// nobody can try out whose line it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    pub place: String,
    /// Absent: somebody's data were removed from this line of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// How the line stands since then, once for each removal: the last one is how it stands now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redacted: Vec<Redaction>,
}

/// The lines of an hour of a service, or a part of them, and the digest of these and of the seal before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The first one of a service is 1.
    pub number: u64,
    /// When the hour began.
    pub hour: Timestamp,
    #[serde(default)]
    pub part: u32,
    /// The hour of the seal before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Timestamp>,
    /// The digest of the seal before; empty: there is none.
    #[serde(default)]
    pub previous: String,
    /// The end of the chain was gone when this was sealed, or could not be read: whatever was behind it is not linked to this.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anew: bool,
    pub lines: Vec<Line>,
    pub digest: String,
}

/// The end of a service's chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The hour of its first seal.
    pub began: Timestamp,
    pub number: u64,
    pub hour: Timestamp,
    #[serde(default)]
    pub part: u32,
    pub digest: String,
    /// Where the last line is in the log that was sealed in its order, and when it was said.
    pub after: String,
    pub at: Timestamp,
    /// Its hour has more lines, which belong to the next seal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// The beginning of the hour in which something was.
#[must_use]
pub fn hour_of(at: Timestamp) -> Timestamp {
    let seconds = at.as_second().div_euclid(HOUR.as_secs()) * HOUR.as_secs();
    Timestamp::from_second(seconds).unwrap_or(at)
}

/// What was said before this is sealed now.
#[must_use]
pub fn sealed_until(now: Timestamp) -> Timestamp {
    hour_of(now - GRACE)
}

/// A line with its salt, in digest.
#[must_use]
pub fn digest_of(full: &str, salt: &str) -> String {
    hex(&[salt, full])
}

/// Seals lines of one hour behind the head; what is kept beside, and the new head. `anew`: the head had to be found again.
#[must_use]
pub fn seal(
    head: Option<&Head>,
    anew: bool,
    batch: &Batch,
    called: impl Fn(&PersonId) -> Pseudonym,
    salt: impl Fn(&str) -> String,
) -> (Seal, Vec<Proof>, Head) {
    let (mut lines, mut proofs) = (Vec::new(), Vec::new());
    for logged in &batch.lines {
        let salt = salt(&logged.place);
        lines.push(Line {
            at: logged.at,
            subject: logged.subject.clone(),
            person: logged.person.as_ref().map(&called),
            reason: logged.reason.clone(),
            digest: digest_of(&logged.full, &salt),
            late: batch.late,
        });
        proofs.push(Proof { place: logged.place.clone(), salt: Some(salt), redacted: Vec::new() });
    }
    let same_hour = head.filter(|head| head.hour == batch.hour);
    let mut seal = Seal {
        number: head.map_or(1, |head| head.number + 1),
        hour: batch.hour,
        part: same_hour.map_or(0, |head| head.part + 1),
        before: head.map(|head| head.hour),
        previous: head.map(|head| head.digest.clone()).unwrap_or_default(),
        anew,
        lines,
        digest: String::new(),
    };
    seal.digest = seal.reckoned();
    let last = batch.lines.last().map(|line| (line.place.clone(), line.at));
    let known = head.map(|head| (head.after.clone(), head.at));
    // What is late is behind what was sealed in its order.
    let (after, at) = known.into_iter().chain(last).max().unwrap_or((String::new(), batch.hour));
    let (number, hour, part, digest) = (seal.number, seal.hour, seal.part, seal.digest.clone());
    let began = head.map_or(batch.hour, |head| head.began);
    let head = Head { began, number, hour, part, digest, after, at, more: batch.more };
    (seal, proofs, head)
}

impl Head {
    /// The end of a chain whose head is gone: behind its newest seal, of this hour and part. `last`: the newest that can be read, and how
    /// many behind it cannot.
    #[must_use]
    pub fn found(began: Timestamp, (hour, part): (Timestamp, u32), last: Option<&Seal>, unread: u64) -> Self {
        let in_order = last.into_iter().flat_map(|seal| &seal.lines).filter(|line| !line.late);
        let at = in_order.map(|line| line.at).max().unwrap_or_else(|| last.map_or(hour, |seal| seal.hour));
        let number = last.map_or(0, |seal| seal.number) + unread;
        let digest = last.map(|seal| seal.digest.clone()).unwrap_or_default();
        // Behind every line of that moment: one of them that was not sealed is found as late.
        let after = format!("{}~", at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"));
        Self { began, number, hour, part, digest, after, at, more: false }
    }
}

impl Seal {
    /// The digest that it has to have.
    #[must_use]
    pub fn reckoned(&self) -> String {
        let number = self.number.to_string();
        let (hour, part) = (self.hour.to_string(), self.part.to_string());
        let before = self.before.map(|hour| hour.to_string()).unwrap_or_default();
        let mut texts = vec![self.previous.clone(), number, hour, part, before, self.lines.len().to_string()];
        texts.extend(self.anew.then(|| "anew".to_owned()));
        texts.extend(self.lines.iter().flat_map(Line::canonical));
        hex(&texts)
    }
}

impl Line {
    /// Everything that it says, in this order. What is absent is another text than what is empty.
    fn canonical(&self) -> [String; 6] {
        let given = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), |text| format!("+{text}"));
        [
            self.at.to_string(),
            given(self.subject.as_deref()),
            given(self.person.as_ref().map(|person| person.0.as_str())),
            self.reason.clone(),
            self.digest.clone(),
            if self.late { "late" } else { "" }.to_owned(),
        ]
    }
}

/// SHA-256 of texts, each led by its length, so that none runs into the next.
fn hex<T: AsRef<str>>(texts: &[T]) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        let text = text.as_ref();
        hasher.update(format!("{}:", text.len()));
        hasher.update(text);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "audit/audit_tests.rs"]
mod audit_tests;
