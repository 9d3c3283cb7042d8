//! One alert as Prometheus Alertmanager writes it, and whoever writes as it does: labels, annotations, a status,
//! two times and a fingerprint.

use aws::given::time;
use domain::{Alert, AlertState, Severity, text};
use jiff::SignedDuration;
use serde_json::Value;

use super::detail;
use super::labels::Labels;

/// So many labels of all alerts are read: each alert gets them, and there may be many.
const MOST_COMMON: usize = 20;

/// What is told to last longer is not over by itself.
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// What a message says of all its alerts.
pub struct Shape<'a> {
    source: &'static str,
    common: Labels,
    status: Option<&'a str>,
    /// What Alertmanager groups them by: alerts of one failure.
    group: Option<String>,
}

impl<'a> Shape<'a> {
    pub fn of(message: &'a Value, source: &'static str) -> Self {
        let common = words(message.get("commonLabels")).unwrap_or_default().into_iter().take(MOST_COMMON).collect();
        let word = |name: &str| message.get(name).and_then(Value::as_str);
        let group = word("groupKey").map(|key| text::line(key, 200)).filter(|key| !key.is_empty());
        Self { source, common, status: word("status"), group }
    }

    /// One alert. What is wrong with its details costs these details; `None` only if it is no alert at all.
    pub fn alert(&self, item: &Value) -> Option<Alert> {
        let own = match item.as_object()?.get("labels") {
            None | Some(Value::Null) => Labels::new(),
            given => words(given)?,
        };
        let word = |name: &str| item.get(name).and_then(Value::as_str);
        let mut labels = self.common.clone();
        labels.extend(own);
        let labels: Labels =
            labels.iter().take(50).map(|(name, value)| (text::line(name, 100), text::line(value, 200))).collect();
        let annotations = words(item.get("annotations")).unwrap_or_default();
        let told = ["summary", "message", "description"];
        let summary =
            told.into_iter().find_map(|name| annotations.get(name).map(String::as_str).or_else(|| word(name)));
        let name = labels.get("alertname").cloned().or_else(|| summary.map(|said| text::line(said, 100)));
        let status = word("status").or(self.status);
        let resolved = status == Some("resolved");
        let (started_at, ends_at) = (time(item, "/startsAt"), time(item, "/endsAt"));
        // Prometheus itself says by the end alone whether it is over, and repeats what is not with a later end.
        let lasts = started_at.zip(ends_at).filter(|(start, end)| status.is_none() && start < end);
        let lasts = lasts.map(|(start, end)| end.duration_since(start)).filter(|lasts| *lasts <= LONGEST);
        let state = if resolved { AlertState::Resolved } else { AlertState::Firing };
        let known = word("fingerprint").map(|f| text::line(f, 100)).filter(|f| !f.is_empty());
        Some(Alert {
            source: self.source.to_owned(),
            fingerprint: known.unwrap_or_else(|| fingerprint(&labels, name.as_deref())),
            name: name.unwrap_or_else(|| "alert".to_owned()),
            summary: text::line(summary.unwrap_or(""), 300),
            severity: Severity::from_label(labels.get("severity").map(String::as_str)),
            state,
            started_at,
            // Alertmanager writes year 1 for "not ended".
            ended_at: ends_at.filter(|_| resolved),
            acknowledged: None,
            released_at: None,
            lasts,
            group: self.group.clone(),
            detail: detail(told.into_iter().filter_map(|name| annotations.get(name).map(String::as_str))),
            labels,
            url: word("generatorURL").and_then(text::url),
        })
    }
}

/// The texts of an object, by name. `None` if it is not an object.
fn words(object: Option<&Value>) -> Option<Labels> {
    let texts =
        object?.as_object()?.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    Some(texts.collect())
}

/// Versions before 0.19 send no fingerprint: the labels are the identity of an alert.
fn fingerprint(labels: &Labels, name: Option<&str>) -> String {
    let unnamed = name.filter(|_| !labels.contains_key("alertname")).unwrap_or("");
    let text: String = labels.iter().map(|(name, value)| format!("{name}\u{1}{value}\u{2}")).collect();
    aws::verify::to_hex(&aws::verify::hmac_sha256(b"labels", &[text.as_bytes(), unnamed.as_bytes()])[..8])
}
