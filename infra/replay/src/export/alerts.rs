//! Alerts: PagerDuty's `GET /incidents`, Opsgenie's `GET /v2/alerts`, or a list of our own (`at`, `service`, `name`, `severity`,
//! `resolved_at`, `environment`, `culprit`). With what did happen: whom the pager told, who took it, when it was over.

use std::collections::BTreeMap;

use domain::message::own_page;
use domain::on_alert::AlertEvent;
use domain::{AcknowledgedThere, Alert, AlertState, Login, Severity, text, times};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Exported;
use crate::event::{Happened, What};

/// What a list of alerts is told by.
const LIST: &str = "alerts";

/// One alert of a pager or a list, before it is cut into what was told when.
struct Known {
    source: &'static str,
    id: String,
    name: String,
    severity: Severity,
    labels: BTreeMap<String, String>,
    at: Timestamp,
    resolved_at: Option<Timestamp>,
    told: Vec<String>,
    taken: Option<(String, Timestamp)>,
    culprit: Option<String>,
}

/// An alert, if its times can be right.
pub(super) enum Read {
    Told(Vec<Exported>),
    BadlyTimed,
}

/// What was told of an alert, and when. `None`: it is none.
pub(super) fn read(object: &Value) -> Option<Read> {
    let known = pagerduty(object).or_else(|| opsgenie(object)).or_else(|| listed(object))?;
    let taken = known.taken.as_ref().map(|(_, at)| *at);
    let all = [Some(known.at), known.resolved_at, taken];
    let can_be = all.into_iter().flatten().all(times::plausible);
    Some(if can_be { Read::Told(known.events()) } else { Read::BadlyTimed })
}

fn string(object: &Value, path: &str) -> Option<String> {
    let value = object.pointer(path)?;
    let text = value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|n| n.to_string()))?;
    Some(text::line(&text, 200)).filter(|text| !text.is_empty())
}

fn time(object: &Value, path: &str) -> Option<Timestamp> {
    object.pointer(path)?.as_str()?.parse().ok()
}

fn pagerduty(incident: &Value) -> Option<Known> {
    incident.get("incident_number")?;
    let names = |list: &str, who: &str| -> Vec<(String, Option<Timestamp>)> {
        let list = incident.get(list).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|one| Some((string(one, &format!("/{who}/summary"))?, time(one, "/at")))).collect()
    };
    let at = time(incident, "/created_at")?;
    let over = string(incident, "/status").is_some_and(|status| status == "resolved");
    let resolved_at = time(incident, "/resolved_at").or(time(incident, "/last_status_change_at").filter(|_| over));
    let severity = string(incident, "/priority/summary").or(string(incident, "/urgency"));
    let taken = names("acknowledgements", "acknowledger").into_iter().next();
    let mut labels = BTreeMap::new();
    labels.extend(string(incident, "/service/summary").map(|name| ("service".to_owned(), name)));
    labels.extend(string(incident, "/service/id").map(|id| ("service_id".to_owned(), id)));
    // What we paged there ourselves is no alert.
    if string(incident, "/incident_key").is_some_and(|key| own_page(&key).is_some()) {
        return None;
    }
    Some(Known {
        source: "pagerduty",
        id: string(incident, "/id")?,
        name: string(incident, "/title").or(string(incident, "/summary"))?,
        severity: Severity::from_label(severity.as_deref()),
        labels,
        at,
        resolved_at,
        told: names("assignments", "assignee").into_iter().map(|(name, _)| name).collect(),
        taken: taken.map(|(name, when)| (name, when.unwrap_or(at))),
        culprit: None,
    })
}

fn opsgenie(alert: &Value) -> Option<Known> {
    alert.get("tinyId")?;
    let at = time(alert, "/createdAt")?;
    // How long after its creation, in milliseconds.
    let after = |path: &str| {
        let millis = alert.pointer(path)?.as_i64().filter(|millis| *millis > 0)?;
        at.checked_add(SignedDuration::from_millis(millis)).ok()
    };
    let closed = string(alert, "/status").is_some_and(|status| status == "closed");
    let closed_at = after("/report/closeTime").or(time(alert, "/updatedAt")).filter(|_| closed);
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    let tags = alert.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    labels.extend(tags.filter_map(|tag| tag.split_once([':', '='])).map(|(k, v)| (k.to_owned(), text::line(v, 200))));
    let details = alert.get("details").and_then(Value::as_object).into_iter().flatten();
    labels.extend(details.filter_map(|(k, v)| Some((k.clone(), text::line(v.as_str()?, 200)))));
    labels.extend(string(alert, "/entity").map(|entity| ("entity".to_owned(), entity)));
    let taken = string(alert, "/report/acknowledgedBy").or(string(alert, "/owner"));
    Some(Known {
        source: "opsgenie",
        id: string(alert, "/id")?,
        name: string(alert, "/message")?,
        severity: Severity::from_label(string(alert, "/priority").as_deref()),
        labels,
        at,
        resolved_at: closed_at,
        told: string(alert, "/owner").into_iter().collect(),
        taken: taken.and_then(|by| Some((by, after("/report/ackTime")?))),
        culprit: None,
    })
}

/// One of a list of our own.
fn listed(object: &Value) -> Option<Known> {
    let (at, name) = (time(object, "/at")?, string(object, "/name")?);
    let fields = object.as_object()?.iter();
    const OURS: [&str; 7] = ["at", "name", "severity", "resolved_at", "culprit", "taken_by", "taken_at"];
    let labels = fields
        .filter(|(key, _)| !OURS.contains(&key.as_str()))
        .filter_map(|(key, value)| Some((text::line(key, 80), text::line(value.as_str()?, 200))))
        .collect();
    let id = string(object, "/id").unwrap_or_else(|| format!("{name}@{at}"));
    let taken = string(object, "/taken_by").map(|by| (by, time(object, "/taken_at").unwrap_or(at)));
    Some(Known {
        source: LIST,
        id,
        severity: Severity::from_label(string(object, "/severity").as_deref()),
        labels,
        at,
        resolved_at: time(object, "/resolved_at"),
        told: Vec::new(),
        taken,
        culprit: string(object, "/culprit"),
        name,
    })
}

impl Known {
    fn events(self) -> Vec<Exported> {
        let key = format!("{}/{}", self.source, self.id);
        let mut events = vec![self.told(self.at, AlertState::Firing)];
        if let Some((_, at)) = self.taken.as_ref().filter(|(_, at)| self.resolved_at.is_none_or(|over| *at < over)) {
            events.push(self.told(*at, AlertState::Acknowledged));
        }
        events.extend(self.resolved_at.map(|at| self.told(at.max(self.at), AlertState::Resolved)));
        let last = self.resolved_at.unwrap_or(self.at);
        if let Some(culprit) = self.culprit.as_deref().map(aws::keys::parse_change) {
            events.push(Exported::is(last, What::Truth { alert: key.clone(), culprit }));
        }
        if !self.told.is_empty() || self.taken.is_some() {
            let (taken_by, taken_at) = self.taken.clone().unzip();
            let happened = Happened { alert: key, told: self.told.clone(), taken_by, taken_at };
            events.push(Exported::is(self.at, What::Happened(happened)));
        }
        events
    }

    fn told(&self, at: Timestamp, state: AlertState) -> Exported {
        let by = self.taken.as_ref().filter(|_| state == AlertState::Acknowledged);
        let acknowledged = by.map(|(name, at)| {
            let login = Login::from_email(name).or_else(|_| Login::new(self.source, name)).ok();
            AcknowledgedThere { at: *at, login, name: name.clone() }
        });
        let alert = Alert {
            source: self.source.to_owned(),
            fingerprint: self.id.clone(),
            name: self.name.clone(),
            summary: self.name.clone(),
            severity: self.severity,
            state,
            started_at: Some(self.at),
            ended_at: (state == AlertState::Resolved).then_some(at),
            acknowledged,
            released_at: None,
            lasts: None,
            labels: self.labels.clone(),
            group: None,
            url: None,
            detail: None,
        };
        let event = AlertEvent { alerts: vec![alert], left_out: 0, brief: false };
        Exported::is(at, What::Alert(self.source.to_owned(), event))
    }
}
