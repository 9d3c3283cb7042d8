//! Prometheus Alertmanager: the webhook receiver's version 4 message. It cannot sign; it sends a token.
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>
//!
//! It drops what it is told it cannot send, so whatever can be read of a message is read.

use std::collections::BTreeMap;

use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, Severity, text, times};
use jiff::Timestamp;
use serde_json::Value;

pub const SENDER: Sender<AlertEvent> = Sender {
    name: "alertmanager",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide {
        title: "Prometheus Alertmanager",
        steps: &[
            "Add to a receiver in alertmanager.yml:",
            "  webhook_configs:",
            "    - url: {url}",
            "      send_resolved: true",
            "      http_config: { authorization: { credentials: {secret} } }",
        ],
        reads: "firing and resolved alerts; of more than 2,000 in a message the most severe; without what cannot be read, which is counted in the answer",
        ignores: "a message without alerts",
        docs: "https://prometheus.io/docs/alerting/latest/configuration/#webhook_config",
    },
};

const SOURCE: &str = "alertmanager";

type Labels = BTreeMap<String, String>;

fn read(body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    let message: Value = parse(body)?;
    let Some(items) = message.get("alerts").and_then(Value::as_array) else {
        return Ok(Reading::Ignored("not an Alertmanager message: it has no list of alerts".to_owned()));
    };
    if items.is_empty() {
        return Ok(Reading::Ignored("the message has no alerts".to_owned()));
    }
    let common = words(message.get("commonLabels")).unwrap_or_default();
    let status = message.get("status").and_then(Value::as_str);
    let alerts: Vec<Alert> = items.iter().filter_map(|item| alert(item, &common, status)).collect();
    if alerts.is_empty() {
        return Err(Malformed::new(format!("none of the {} alerts is an object with labels", items.len())));
    }
    Ok(Reading::Event(super::bounded(alerts, items.len())))
}

/// One alert. What is wrong with its details costs these details; `None` only if it is no alert at all.
fn alert(item: &Value, common: &Labels, status: Option<&str>) -> Option<Alert> {
    let own = match item.as_object()?.get("labels") {
        None | Some(Value::Null) => Labels::new(),
        given => words(given)?,
    };
    let word = |name: &str| item.get(name).and_then(Value::as_str);
    let time = |name: &str| word(name)?.parse::<Timestamp>().ok().filter(|at| times::plausible(*at));
    let mut labels = common.clone();
    labels.extend(own);
    let labels: Labels =
        labels.iter().take(50).map(|(name, value)| (text::line(name, 100), text::line(value, 200))).collect();
    let annotations = words(item.get("annotations")).unwrap_or_default();
    let summary = ["summary", "message", "description"].into_iter().find_map(|name| annotations.get(name));
    let resolved = word("status").or(status) == Some("resolved");
    let state = if resolved { AlertState::Resolved } else { AlertState::Firing };
    let known = word("fingerprint").filter(|f| !f.is_empty());
    Some(Alert {
        source: SOURCE.to_owned(),
        fingerprint: known.map_or_else(|| fingerprint(&labels), |f| text::line(f, 100)),
        name: labels.get("alertname").cloned().unwrap_or_else(|| "alert".to_owned()),
        summary: text::line(summary.map_or("", String::as_str), 300),
        severity: Severity::from_label(labels.get("severity").map(String::as_str)),
        state,
        started_at: time("startsAt"),
        // Alertmanager writes year 1 for "not ended".
        ended_at: time("endsAt").filter(|_| resolved),
        acknowledged: None,
        lasts_until: None,
        labels,
        url: word("generatorURL").and_then(text::url),
    })
}

/// The texts of an object, by name. `None` if it is not an object.
fn words(object: Option<&Value>) -> Option<Labels> {
    let texts =
        object?.as_object()?.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    Some(texts.collect())
}

/// Versions before 0.19 send no fingerprint: the labels are the identity of an alert.
fn fingerprint(labels: &Labels) -> String {
    let text: String = labels.iter().map(|(name, value)| format!("{name}\u{1}{value}\u{2}")).collect();
    aws::verify::to_hex(&aws::verify::hmac_sha256(b"labels", &[text.as_bytes()])[..8])
}
