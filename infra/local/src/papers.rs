//! The commands that print what is known: an incident for its retrospective, the sealed log of a service.

use aws::clients::Answer;
use domain::{IncidentId, ServiceId, text, times};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::hands::{Hands, HandsError};

/// Which part of a service's sealed log is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// As a person says it; without it the last week.
    pub from: Option<String>,
    pub until: Option<String>,
    /// Only whether it is as it was sealed.
    pub verify: bool,
    pub zone: TimeZone,
}

/// A service's sealed log, and whether it is as it was sealed.
pub struct Audited {
    /// What to print.
    pub words: String,
    pub holds: bool,
}

impl Hands<'_> {
    /// All that is known of an incident: as Markdown, with times in UTC and in this zone, or as JSON.
    pub async fn export(&self, incident: &str, json: bool, zone: &TimeZone) -> Result<String, HandsError> {
        let id: IncidentId = incident.parse()?;
        let zone = zone.iana_name().map(|name| format!("?zone={}", name.replace('/', "%2F"))).unwrap_or_default();
        let path = if json { format!("/incidents/{id}/export.json") } else { format!("/incidents/{id}.md{zone}") };
        let answer = self.send("GET", &path, Vec::new()).await?;
        match answer.status {
            200 if json => pretty(&answer),
            200 => Ok(String::from_utf8_lossy(&answer.body).trim_end().to_owned()),
            404 => Err(HandsError::NoIncident(id)),
            status => Err(HandsError::Answer(status)),
        }
    }

    /// The sealed log of a service, a line for each of its lines, and whether it is as it was sealed. Times are UTC.
    pub async fn audit(&self, service: &str, wanted: &Wanted) -> Result<Audited, HandsError> {
        let service: ServiceId = service.parse()?;
        let until = self.moment(wanted.until.as_deref(), wanted)?;
        let mut from = self.moment(wanted.from.as_deref(), wanted)?.map(|at| at.to_string());
        let (mut lines, mut faults, mut seals, mut sealed) = (Vec::new(), Vec::new(), 0, 0);
        loop {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("service", service.as_str());
            let until = until.map(|until| until.to_string());
            query
                .extend_pairs(from.iter().map(|from| ("from", from)))
                .extend_pairs(until.map(|until| ("until", until)));
            let said = self.told(&format!("/audit?{}", query.finish())).await?;
            for seal in list(&said, "seals") {
                seals += 1;
                sealed += list(seal, "lines").len();
                lines.extend(list(seal, "lines").iter().map(line));
            }
            // The seal behind the last that was shown is looked at twice.
            let new = list(&said, "faults").iter().filter_map(Value::as_str).map(str::to_owned);
            new.for_each(|fault| {
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
            });
            match said.get("next").and_then(Value::as_str) {
                Some(next) if from.as_deref() != Some(next) => from = Some(next.to_owned()),
                Some(_) | None => break,
            }
        }
        let much = format!("{} in {}", text::count(sealed, "line", "lines"), text::count(seals, "seal", "seals"));
        let verdict = match faults.len() {
            0 => format!("{much}: all of it is as it was sealed"),
            _ => format!("{much}: NOT as it was sealed\n  {}", faults.join("\n  ")),
        };
        lines.retain(|_| !wanted.verify);
        lines.push(verdict);
        Ok(Audited { words: lines.join("\n"), holds: faults.is_empty() })
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

fn pretty(answer: &Answer) -> Result<String, HandsError> {
    let unread = |_| HandsError::Answer(answer.status);
    let said: Value = serde_json::from_slice(&answer.body).map_err(unread)?;
    serde_json::to_string_pretty(&said).map_err(unread)
}
