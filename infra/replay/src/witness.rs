//! Who looks on while a past is played: keeps the log of decisions, counts, or both.

use std::io::{self, Write};

use domain::{Decisions, Entry, IncidentId, ServiceId, Settings, Situation};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::event::Happened;

/// Something that reached nobody, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Passed {
    /// Its reader says that it is not for us.
    Ignored,
    /// No service of the configuration deploys the repository, or the branch.
    NotServed,
    /// No service and environment is called so.
    Unplaced,
    /// The source is bound to other repositories or services.
    OutOfScope,
    /// Only a forge could say what it is, and none is asked.
    NobodyToAsk,
    /// An image or execution of which nobody had told the commit: it waits.
    Awaits,
    /// Refused, or not understood: what somebody did.
    Refused,
}

/// Sees everything that is decided, in order.
pub trait Witness {
    /// `before`: the working set on which it was decided.
    fn decided(&mut self, before: &Situation, decisions: &Decisions, settings: &Settings, now: Timestamp);
    /// A merge opened a window in this service.
    fn merged(&mut self, service: &ServiceId, entry: &Entry);
    fn passed(&mut self, _why: Passed, _words: &str) {}
    fn happened(&mut self, _what: Happened) {}
    /// What caused this incident was not among its suspects.
    fn missed(&mut self, _incident: &IncidentId) {}
    /// Nothing comes after.
    fn ended(&mut self, _situation: &Situation, _now: Timestamp) {}
}

/// A line of the decision log.
#[derive(Debug, Serialize)]
struct Line<'a> {
    service: &'a ServiceId,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// The decision log, as JSON lines in the order in which they were decided, and its digest.
pub struct Log<W> {
    digest: Sha256,
    lines: u64,
    out: Option<W>,
    failed: Option<io::Error>,
    line: Vec<u8>,
}

impl<W: Write> Log<W> {
    pub fn new(out: Option<W>) -> Self {
        Self { digest: Sha256::new(), lines: 0, out, failed: None, line: Vec::new() }
    }

    fn add(&mut self, service: &ServiceId, entry: &Entry) {
        self.line.clear();
        if let Err(error) = serde_json::to_writer(&mut self.line, &Line { service, entry }) {
            self.failed = Some(error.into());
            return;
        }
        self.line.push(b'\n');
        self.digest.update(&self.line);
        self.lines += 1;
        if let Some(out) = &mut self.out
            && let Err(error) = out.write_all(&self.line)
        {
            self.failed.get_or_insert(error);
        }
    }

    /// How many lines there are, and their SHA-256. It fails where they could not be written.
    pub fn finish(mut self) -> io::Result<(u64, String)> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        if let Some(out) = &mut self.out {
            out.flush()?;
        }
        Ok((self.lines, aws::verify::to_hex(&self.digest.finalize())))
    }
}

impl<W: Write> Witness for Log<W> {
    fn decided(&mut self, _: &Situation, decisions: &Decisions, _: &Settings, _: Timestamp) {
        for entry in &decisions.entries {
            self.add(&decisions.service, entry);
        }
    }

    fn merged(&mut self, service: &ServiceId, entry: &Entry) {
        self.add(service, entry);
    }
}

impl<A: Witness, B: Witness> Witness for (A, B) {
    fn decided(&mut self, before: &Situation, decisions: &Decisions, settings: &Settings, now: Timestamp) {
        self.0.decided(before, decisions, settings, now);
        self.1.decided(before, decisions, settings, now);
    }

    fn merged(&mut self, service: &ServiceId, entry: &Entry) {
        self.0.merged(service, entry);
        self.1.merged(service, entry);
    }

    fn passed(&mut self, why: Passed, words: &str) {
        self.0.passed(why, words);
        self.1.passed(why, words);
    }

    fn happened(&mut self, what: Happened) {
        self.0.happened(what.clone());
        self.1.happened(what);
    }

    fn missed(&mut self, incident: &IncidentId) {
        self.0.missed(incident);
        self.1.missed(incident);
    }

    fn ended(&mut self, situation: &Situation, now: Timestamp) {
        self.0.ended(situation, now);
        self.1.ended(situation, now);
    }
}
