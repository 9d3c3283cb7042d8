//! Prometheus Alertmanager: the webhook receiver's version 4 message. It cannot sign; it sends a token.
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>

use std::collections::BTreeMap;

use aws::wire::parse;
use aws::{Malformed, Proof, Reading, Sender};
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, Severity, text, times};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::MOST_ALERTS;

pub const SENDER: Sender<AlertEvent> = Sender { name: "alertmanager", proof: Proof::Token, parse: read };

const SOURCE: &str = "alertmanager";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    status: Option<String>,
    #[serde(default)]
    common_labels: BTreeMap<String, String>,
    alerts: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    status: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    #[serde(rename = "generatorURL")]
    generator_url: Option<String>,
    fingerprint: Option<String>,
}

fn read(body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    let event: Value = parse(body)?;
    if !event.get("alerts").is_some_and(Value::is_array) {
        return Ok(Reading::Ignored("not an Alertmanager message: it has no list of alerts".to_owned()));
    }
    let message: Message = parse(body)?;
    if message.alerts.is_empty() {
        return Ok(Reading::Ignored("the message has no alerts".to_owned()));
    }
    if message.alerts.len() > MOST_ALERTS {
        return Err(Malformed::new(format!(
            "more than {MOST_ALERTS} alerts in one message: set max_alerts in Alertmanager"
        )));
    }
    let alerts = message.alerts.iter().map(|item| alert(item, &message)).collect();
    Ok(Reading::Event(AlertEvent { alerts }))
}

fn alert(item: &Item, message: &Message) -> Alert {
    let mut labels: BTreeMap<String, String> = message.common_labels.clone();
    labels.extend(item.labels.clone());
    let labels: BTreeMap<String, String> =
        labels.iter().take(50).map(|(name, value)| (text::line(name, 100), text::line(value, 200))).collect();
    let status = item.status.as_deref().or(message.status.as_deref());
    let state = if status == Some("resolved") { AlertState::Resolved } else { AlertState::Firing };
    let annotation =
        |names: [&str; 3]| names.into_iter().find_map(|n| item.annotations.get(n)).map_or("", String::as_str);
    // Alertmanager writes year 1 for "not ended".
    let ended_at = item.ends_at.filter(|end| state == AlertState::Resolved && times::plausible(*end));
    Alert {
        source: SOURCE.to_owned(),
        fingerprint: item
            .fingerprint
            .as_deref()
            .filter(|f| !f.is_empty())
            .map_or_else(|| fingerprint(&labels), |f| text::line(f, 100)),
        name: labels.get("alertname").cloned().unwrap_or_else(|| "alert".to_owned()),
        summary: text::line(annotation(["summary", "message", "description"]), 300),
        severity: Severity::from_label(labels.get("severity").map(String::as_str)),
        state,
        started_at: item.starts_at.filter(|start| times::plausible(*start)),
        ended_at,
        labels,
        url: item.generator_url.as_deref().and_then(text::url),
    }
}

/// Versions before 0.19 send no fingerprint: the labels are the identity of an alert.
fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    let text: String = labels.iter().map(|(name, value)| format!("{name}\u{1}{value}\u{2}")).collect();
    aws::verify::to_hex(&aws::verify::hmac_sha256(b"labels", &[text.as_bytes()])[..8])
}
