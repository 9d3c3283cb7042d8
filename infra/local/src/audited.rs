//! The command that prints the sealed log of a service, and says whether it is as it was sealed: in itself, against the log, and against an
//! end of the chain that was written down where writers of the table do not reach.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::{ServiceId, text, times};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::hands::{Hands, HandsError};

/// At most so much is asked for at a time, and so often: longer ago nothing is kept.
const MOST: SignedDuration = SignedDuration::from_hours(24 * 31);
const TIMES: usize = 13;

/// Which part of a service's sealed log is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// As a person says it; without it the last week.
    pub from: Option<String>,
    pub until: Option<String>,
    /// Only whether it is as it was sealed.
    pub verify: bool,
    /// An end of the chain that was written down.
    pub head: Option<Written>,
    pub zone: TimeZone,
}

/// A seal as somebody wrote it down, or as a function's log has it (`audit.sealed`): its number and its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub number: u64,
    pub digest: String,
}

/// Why that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a head is a seal's number and its digest, 64 letters and digits, such as 17:9f86d0…: the function's log has it as audit.sealed"
)]
pub struct NotWritten;

impl FromStr for Written {
    type Err = NotWritten;

    fn from_str(text: &str) -> Result<Self, NotWritten> {
        let (number, digest) = text.trim().split_once(':').ok_or(NotWritten)?;
        let number = number.parse().ok().filter(|number| *number > 0).ok_or(NotWritten)?;
        let is_one = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_one.then(|| Self { number, digest: digest.to_lowercase() }).ok_or(NotWritten)
    }
}

/// A service's sealed log, and whether it is as it was sealed.
pub struct Audited {
    /// What to print.
    pub words: String,
    pub holds: bool,
}

/// What was read of it.
#[derive(Default)]
struct Read {
    lines: Vec<String>,
    faults: Vec<String>,
    seals: BTreeMap<u64, String>,
    /// From where on.
    from: Option<Timestamp>,
    /// The end of the whole chain.
    head: Option<(u64, String)>,
    sealed: usize,
}

impl Hands<'_> {
    /// The sealed log of a service, a line for each of its lines, and whether it is as it was sealed. Times are UTC.
    pub async fn audit(&self, service: &str, wanted: &Wanted) -> Result<Audited, HandsError> {
        let service: ServiceId = service.parse()?;
        let until = self.moment(wanted.until.as_deref(), wanted)?;
        let from = self.moment(wanted.from.as_deref(), wanted)?;
        let mut read = self.sealed(&service, from, until).await?;
        if let Some(written) = &wanted.head {
            let fault = self.against(&service, written, &read).await?;
            read.faults.extend(fault);
        }
        let Read { mut lines, faults, seals, head, sealed, .. } = read;
        let much = format!("{} in {}", text::count(sealed, "line", "lines"), text::count(seals.len(), "seal", "seals"));
        let same = if wanted.head.is_some() { ", and follows what was written down" } else { "" };
        let end = head.map(|(number, digest)| format!("; write down: --head {number}:{digest}")).unwrap_or_default();
        let verdict = match faults.len() {
            0 => format!("{much}: all of it is as it was sealed{same}{end}"),
            _ => format!("{much}: NOT as it was sealed\n  {}", faults.join("\n  ")),
        };
        lines.retain(|_| !wanted.verify);
        lines.push(verdict);
        Ok(Audited { words: lines.join("\n"), holds: faults.is_empty() })
    }

    /// A part of the sealed log, page by page.
    async fn sealed(
        &self,
        service: &ServiceId,
        mut from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Read, HandsError> {
        let mut read = Read::default();
        loop {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("service", service.as_str());
            let (given_from, given_until) = (from.map(|at| at.to_string()), until.map(|at| at.to_string()));
            query
                .extend_pairs(given_from.iter().map(|from| ("from", from)))
                .extend_pairs(given_until.iter().map(|until| ("until", until)));
            let said = self.told(&format!("/audit?{}", query.finish())).await?;
            let next = read.add(&said);
            match next {
                Some(next) if from != Some(next) => from = Some(next),
                Some(_) | None => return Ok(read),
            }
        }
    }

    /// What of the chain is not as it was written down.
    async fn against(&self, service: &ServiceId, written: &Written, read: &Read) -> Result<Option<String>, HandsError> {
        let Written { number, digest } = written;
        let end = read.head.as_ref().map_or(0, |(end, _)| *end);
        if end < *number {
            let ends =
                if end == 0 { "there is no chain".to_owned() } else { format!("the chain ends with seal {end}") };
            return Ok(Some(format!("{ends}, and seal {number} was written down: it was cut off, or begun anew")));
        }
        let mut found = read.seals.get(number).cloned();
        let mut until = read.from;
        for _ in 0..TIMES {
            let Some(end) = until.filter(|_| found.is_none()) else { break };
            let from = end - MOST;
            found = self.sealed(service, Some(from), Some(end)).await?.seals.remove(number);
            until = Some(from);
        }
        Ok(match found {
            Some(found) if found == *digest => None,
            Some(_) => Some(format!("seal {number} is another than was written down: the chain was made anew")),
            None => Some(format!(
                "seal {number}, which was written down, is not there: it was deleted, or is older than what is kept"
            )),
        })
    }

    fn moment(&self, given: Option<&str>, wanted: &Wanted) -> Result<Option<Timestamp>, HandsError> {
        let Some(given) = given else { return Ok(None) };
        let read = times::read(given, &wanted.zone, self.now);
        read.map(Some).ok_or_else(|| HandsError::NoTime(text::line(given, 40)))
    }

    /// What the bundle answers a program.
    async fn told(&self, path: &str) -> Result<Value, HandsError> {
        serde_json::from_slice(&self.read(path).await?).map_err(|_| HandsError::Answer(200))
    }
}

impl Read {
    /// Adds a page, and says from where the next one is.
    fn add(&mut self, said: &Value) -> Option<Timestamp> {
        let time = |name: &str| said.get(name)?.as_str()?.parse::<Timestamp>().ok();
        let numbered = |seal: &Value| Some((seal.get("number")?.as_u64()?, seal.get("digest")?.as_str()?.to_owned()));
        for seal in list(said, "seals") {
            self.sealed += list(seal, "lines").len();
            self.lines.extend(list(seal, "lines").iter().map(line));
            self.seals.extend(numbered(seal));
        }
        // The seal behind the last that was shown is looked at twice.
        for fault in list(said, "faults").iter().filter_map(Value::as_str) {
            if !self.faults.iter().any(|known| known == fault) {
                self.faults.push(fault.to_owned());
            }
        }
        self.from = self.from.or_else(|| time("from"));
        self.head = said.get("head").and_then(numbered);
        time("next")
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// `2026-03-20 12:05:00  feanil (p-3f..)  first_suspect  incident edxapp-fc2v3z6h`
fn line(line: &Value) -> String {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("").to_owned();
    let at = text(line.get("at")).parse::<Timestamp>();
    let at = at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default();
    let called = text(line.get("pseudonym"));
    let who = match line.get("person").and_then(|person| person.get("name")).and_then(Value::as_str) {
        Some(name) => format!("{name} ({called})"),
        None => called,
    };
    let late = if line.get("late") == Some(&Value::Bool(true)) { "  late" } else { "" };
    let (reason, subject) = (text(line.get("reason")), text(line.get("subject")));
    let digest = text(line.get("digest"));
    let digest = digest.get(..12).unwrap_or("");
    let parts = [at, digest.to_owned(), reason, subject, who];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ") + late
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_a_number_and_a_digest() {
        let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let read = |text: &str| text.parse::<Written>();
        assert_eq!(read(&format!(" 17:{}", digest.to_uppercase())), Ok(Written { number: 17, digest: digest.into() }));
        for text in
            ["", "17", "17:", "17:9f86", &format!("0:{digest}"), &format!("-1:{digest}"), &format!("a:{digest}")]
        {
            assert_eq!(read(text), Err(NotWritten), "{text}");
        }
    }
}
