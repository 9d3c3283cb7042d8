//! Argo CD: a sync window of a project denies syncs, of all its applications or of one, until the freeze is over. Windows of
//! others stand beside ours, and the strictest counts, so nobody ever holds it instead of us. What else the project says is
//! sent back as it came, with its `resourceVersion`: what somebody changed in between is not written over.
//! <https://argo-cd.readthedocs.io/en/stable/user-guide/sync_windows/>
//!
//! `manualSync` is true: a freeze is a backstop against what goes out by itself, and a person who syncs by hand is the
//! emergency exit. So a pipeline that calls `argocd app sync` passes too: it has to ask GET /may-deploy. Who hardens a window
//! there by turning it off keeps that.
//!
//! A window recurs each year, as cron does: it is taken out again. We know it by its description, and where that is lost
//! (older versions drop it) by a fraction of a second in its duration, which also sets it apart from other services'
//! windows of the same freeze: of two windows of one kind, schedule and duration Argo CD refuses the second.
//!
//! The token's account needs `projects, get` and `projects, update` of the project.

use aws::clients::Answer;
use aws::verify::hmac_sha256;
use domain::ServiceId;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Mark, NoAnswer, Place, State, beginning, read, segment};

/// Code of an error of gRPC, as its bodies tell it: what is to be added is there. The others of its status are conflicts.
const ALREADY_EXISTS: u64 = 6;

pub(super) async fn state(place: &Place<'_>, id: &str, service: &ServiceId) -> Result<State, NoAnswer> {
    let ours = Ours::of(id, service);
    let mut project = get(place, &ours).await?;
    Ok(if ours.is_in(&mut project)? { State::Ours } else { State::Open })
}

/// Ours is there once, with the freeze's times.
pub(super) async fn hold(place: &Place<'_>, id: &str, mark: &Mark<'_>) -> Result<State, NoAnswer> {
    let ours = Ours::of(id, mark.service);
    let mut project = get(place, &ours).await?;
    let (schedule, duration) = (schedule(mark), ours.duration(mark));
    let (mut there, mut changed) = (false, false);
    let all = windows(&mut project)?;
    all.retain_mut(|window| {
        if !ours.is(window) {
            return true;
        }
        if std::mem::replace(&mut there, true) {
            changed = true;
            return false;
        }
        if window["schedule"] != schedule || window["duration"] != duration || !is_utc(window) {
            window["schedule"] = json!(schedule);
            window["duration"] = json!(duration);
            window["timeZone"] = json!("UTC");
            window["description"] = json!(mark.text());
            changed = true;
        }
        true
    });
    if !there {
        all.push(json!({
            "kind": "deny", "schedule": schedule, "duration": duration, "timeZone": "UTC",
            "applications": [ours.applications], "manualSync": true, "description": mark.text(),
        }));
    }
    if !there || changed {
        let mut saved = put(place, &ours, project).await?;
        if !ours.is_in(&mut saved)? {
            return Err(NoAnswer::NotRead);
        }
    }
    Ok(State::Ours)
}

pub(super) async fn release(place: &Place<'_>, id: &str, service: &ServiceId) -> Result<State, NoAnswer> {
    let ours = Ours::of(id, service);
    let mut project = get(place, &ours).await?;
    if ours.is_in(&mut project)? {
        windows(&mut project)?.retain(|window| !ours.is(window));
        let mut saved = put(place, &ours, project).await?;
        if ours.is_in(&mut saved)? {
            return Err(NoAnswer::NotRead);
        }
    }
    Ok(State::Open)
}

/// How our window is known.
struct Ours<'a> {
    project: &'a str,
    /// All, or one.
    applications: &'a str,
    beginning: String,
    /// What its duration ends in.
    fraction: String,
}

impl<'a> Ours<'a> {
    /// `edx-project`, or `edx-project/edxapp`.
    fn of(id: &'a str, service: &ServiceId) -> Self {
        let (project, applications) = id.split_once('/').unwrap_or((id, "*"));
        let digest = hmac_sha256(b"sync window", &[service.as_str().as_bytes(), b":", id.as_bytes()]);
        let number = digest.iter().take(7).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let fraction = format!("m0.{:09}s", number % 1_000_000_000);
        Self { project, applications, beginning: beginning(service), fraction }
    }

    fn is(&self, window: &Value) -> bool {
        let text = |key: &str| window.get(key).and_then(Value::as_str).unwrap_or("");
        let marked = match text("description") {
            "" => text("duration").ends_with(&self.fraction),
            description => description.starts_with(&self.beginning),
        };
        marked && text("kind") == "deny" && window.get("applications") == Some(&json!([self.applications]))
    }

    fn is_in(&self, project: &mut Value) -> Result<bool, NoAnswer> {
        Ok(windows(project)?.iter().any(|window| self.is(window)))
    }

    /// From the minute in which the freeze begins to that in which it is over.
    fn duration(&self, mark: &Mark<'_>) -> String {
        let minute = |milliseconds: i64| milliseconds.div_euclid(60_000);
        let minutes = minute(mark.until.as_millisecond() + 59_999) - minute(mark.from.as_millisecond());
        format!("{}{}", minutes.max(1), self.fraction)
    }

    fn address(&self, place: &Place<'_>) -> Result<String, NoAnswer> {
        Ok(format!("{}/api/v1/projects/{}", place.url()?, segment(self.project)?))
    }
}

/// The minute in which the freeze begins, as cron writes it.
fn schedule(mark: &Mark<'_>) -> String {
    let from = TimeZone::UTC.to_datetime(mark.from);
    format!("{} {} {} {} *", from.minute(), from.hour(), from.day(), from.month())
}

/// Where it says nothing, it is.
fn is_utc(window: &Value) -> bool {
    window.get("timeZone").and_then(Value::as_str).is_none_or(|zone| zone.is_empty() || zone == "UTC")
}

/// The windows of a project, which may have none.
fn windows(project: &mut Value) -> Result<&mut Vec<Value>, NoAnswer> {
    let spec = project.get_mut("spec").and_then(Value::as_object_mut).ok_or(NoAnswer::NotRead)?;
    let windows = spec.entry("syncWindows").or_insert(Value::Null);
    if windows.is_null() {
        *windows = json!([]);
    }
    windows.as_array_mut().ok_or(NoAnswer::NotRead)
}

/// The project, as it can be sent back.
async fn get(place: &Place<'_>, ours: &Ours<'_>) -> Result<Value, NoAnswer> {
    let answer = place.ask("GET", &ours.address(place)?, &[], None).await?;
    if answer.status != 200 {
        return Err(place.refused(&answer));
    }
    let project: Value = read(&answer.body)?;
    let text = |at: &str| project.pointer(at).and_then(Value::as_str).unwrap_or("");
    if text("/metadata/name") != ours.project || text("/metadata/resourceVersion").is_empty() {
        return Err(NoAnswer::NotRead);
    }
    Ok(project)
}

/// The project, as it is saved.
async fn put(place: &Place<'_>, ours: &Ours<'_>, project: Value) -> Result<Value, NoAnswer> {
    let answer = place.ask("PUT", &ours.address(place)?, &[], Some(&json!({ "project": project }))).await?;
    match answer.status {
        200 => read(&answer.body),
        409 | 500 if is_conflict(&answer) => Err(NoAnswer::Changed),
        _ => Err(place.refused(&answer)),
    }
}

/// Older versions tell it by Kubernetes' words only.
fn is_conflict(answer: &Answer) -> bool {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let words = said.get("message").and_then(Value::as_str).unwrap_or("").contains("object has been modified");
    let exists = said.get("code").and_then(Value::as_u64) == Some(ALREADY_EXISTS);
    words || (answer.status == 409 && !exists)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_covers_the_freeze_to_the_minute() {
        let service: ServiceId = "edxapp".parse().unwrap();
        let ours = Ours::of("edx", &service);
        for (from, until, when, minutes) in [
            ("2026-12-24T23:05:00Z", "2026-12-25T23:05:00Z", "5 23 24 12 *", 1440),
            ("2026-12-24T23:05:59.9Z", "2026-12-24T23:06:00.1Z", "5 23 24 12 *", 2),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "0 0 29 2 *", 1),
        ] {
            let mark = Mark { service: &service, why: "", from: from.parse().unwrap(), until: until.parse().unwrap() };
            assert_eq!(schedule(&mark), when);
            assert_eq!(ours.duration(&mark), format!("{minutes}{}", ours.fraction));
        }
    }

    #[test]
    fn no_two_that_hold_have_a_window_of_the_same_duration() {
        let fraction = |service: &str, id: &str| Ours::of(id, &service.parse().unwrap()).fraction;
        let all = [("edxapp", "edx"), ("edxapp", "edx/edxapp"), ("other", "edx/other"), ("other", "edx")]
            .map(|(service, id)| fraction(service, id));
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len(), "{all:?}");
        assert!(all.iter().all(|fraction| fraction.len() == "m0.123456789s".len()), "{all:?}");
    }
}
