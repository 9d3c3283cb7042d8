//! Prometheus Alertmanager: the webhook receiver's version 4 message. It cannot sign; it sends a token.
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>
//!
//! It drops what it is told it cannot send, so whatever can be read of a message is read.

use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::Alert;
use domain::on_alert::AlertEvent;
use serde_json::Value;

use super::prometheus_shape::Shape;

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

fn read(body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    let message: Value = parse(body)?;
    // Prometheus itself sends a bare list to its Alertmanagers; some relays send one alert by itself.
    let one = std::slice::from_ref(&message);
    let itself = || Some(one).filter(|_| message.get("labels").is_some_and(Value::is_object));
    let listed = message.get("alerts").unwrap_or(&message).as_array().map(Vec::as_slice);
    let Some(items) = listed.or_else(itself) else {
        return Ok(Reading::ignored("not an Alertmanager message: it has no list of alerts"));
    };
    if items.is_empty() {
        return Ok(Reading::ignored("the message has no alerts"));
    }
    let shape = Shape::of(&message, SOURCE);
    let alerts: Vec<Alert> = items.iter().take(super::MOST_LOOKED_AT).filter_map(|item| shape.alert(item)).collect();
    if alerts.is_empty() {
        return Err(Malformed::new(format!("none of the {} alerts is an object with labels", items.len())));
    }
    Ok(Reading::Event(super::bounded(alerts, items.len())))
}
