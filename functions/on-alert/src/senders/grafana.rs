//! Grafana: the webhook contact point of its alerting (version 8 and later), and the webhook channel of the legacy
//! alerting before it.
//! <https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/>
//!
//! It signs since version 12, with headers of the user's choice: the guide names the two that are read here.

use aws::verify::{Signature, Signed};
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender, given};
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, Severity, text};
use serde_json::Value;

use super::labels::Said;
use super::prometheus_shape::Shape;

pub const SENDER: Sender<AlertEvent> = Sender {
    name: "grafana",
    proofs: &[Proof::Signature(SIGNATURE), Proof::Token],
    parse: read,
    guide: Guide {
        title: "Grafana",
        steps: &[
            "Alerts & IRM > Alerting > Contact points > Add contact point, integration Webhook, URL {url}, method POST.",
            "Optional Webhook settings > HMAC Signature: Secret {secret}, Header X-Grafana-Alerting-Signature, Timestamp Header X-Grafana-Alerting-Timestamp.",
            "Before version 12 instead: Authorization Header - Scheme Bearer, Credentials {secret}.",
            "Leave Disable resolved message off, and the payload as it is; press Test; use the contact point in a notification policy.",
        ],
        reads: "firing and resolved alerts, DatasourceNoData and DatasourceError; of the legacy alerting alerting, no_data and ok",
        ignores: "test notifications, paused and pending rules of the legacy alerting",
        docs: "https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/",
    },
};

/// Bare hexadecimal digits over the body, or over `<time>:<body>` where a timestamp header is configured.
const SIGNATURE: Signature = Signature {
    header: "x-grafana-alerting-signature",
    prefix: "",
    several: false,
    signed: Signed::PerhapsTimed { header: "x-grafana-alerting-timestamp", between: ":" },
};

const SOURCE: &str = "grafana";
/// More alerts than a message can have are not believed to have been left out of it.
const MOST_TRUNCATED: u64 = 1_000_000;

fn read(body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    let message: Value = parse(body)?;
    match message.get("alerts").and_then(Value::as_array) {
        Some(items) => unified(&message, items),
        None => legacy(&message),
    }
}

/// A message of the alerting since version 8: each alert as Alertmanager writes it, and more.
fn unified(message: &Value, items: &[Value]) -> Result<Reading<AlertEvent>, Malformed> {
    if items.is_empty() {
        return Ok(Reading::ignored("the message has no alerts"));
    }
    if items.iter().all(is_test) {
        return Ok(Reading::ignored("a test notification: the connection works"));
    }
    let shape = Shape::of(message, SOURCE);
    let alerts: Vec<Alert> =
        items.iter().take(super::MOST_LOOKED_AT).filter_map(|item| Some(in_full(shape.alert(item)?, item))).collect();
    if alerts.is_empty() {
        return Err(Malformed::new(format!("none of the {} alerts is an object with labels", items.len())));
    }
    let truncated = message.get("truncatedAlerts").and_then(Value::as_u64).unwrap_or(0).min(MOST_TRUNCATED);
    Ok(Reading::Event(super::bounded(alerts, items.len() + usize::try_from(truncated).unwrap_or(0))))
}

/// What the button `Test` of a contact point sends.
fn is_test(item: &Value) -> bool {
    let label = |name: &str| item.get("labels")?.get(name)?.as_str();
    label("alertname") == Some("TestAlert") && label("instance") == Some("Grafana")
}

/// With what Grafana adds to Alertmanager's shape.
fn in_full(mut alert: Alert, item: &Value) -> Alert {
    let kind = match alert.name.as_str() {
        "DatasourceNoData" => Some("no data"),
        "DatasourceError" => Some("error"),
        _ => None,
    };
    // These two stand for the rule that they are about.
    if let (Some(kind), Some(rule)) = (kind, alert.labels.get("rulename")) {
        alert.name = text::line(&format!("{rule}: {kind}"), 200);
    }
    if alert.summary.is_empty() {
        let error = given::any(item, &["/annotations/Error"]);
        alert.summary = text::line(&error.or_else(|| values(item)).unwrap_or_default(), 300);
    }
    let link = |name: &str| item.get(name).and_then(Value::as_str).and_then(text::url);
    alert.url = alert.url.or_else(|| link("panelURL")).or_else(|| link("dashboardURL"));
    alert
}

/// `B = 44.2, C = 1`: what was measured.
fn values(item: &Value) -> Option<String> {
    let values = item.get("values").and_then(Value::as_object).into_iter().flatten().take(10);
    let each = values.filter_map(|(name, value)| Some(format!("{name} = {}", given::made(value)?)));
    let said = each.collect::<Vec<_>>().join(", ");
    Some(said).filter(|said| !said.is_empty()).or_else(|| given::any(item, &["/valueString"]))
}

/// A message of the alerting before version 9: one rule, whose state changed. It tells no time.
/// <https://grafana.com/docs/grafana/v6.4/alerting/notifications/>
fn legacy(message: &Value) -> Result<Reading<AlertEvent>, Malformed> {
    let name = given::any(message, &["/ruleName"]);
    let rule = given::any(message, &["/ruleId"]).or_else(|| name.clone());
    let Some(state) = given::any(message, &["/state"]).filter(|_| rule.is_some()) else {
        let why = match message.get("noDataState").or_else(|| message.get("ruleGroup")) {
            Some(_) => "the definition of an alert rule: nothing fires",
            None => "not an alert of Grafana: no list of alerts, no rule with a state",
        };
        return Ok(Reading::ignored(why));
    };
    let summary = given::any(message, &["/message"]).unwrap_or_default();
    if summary.contains("is testing the alert notification within") {
        return Ok(Reading::ignored("a test notification: the connection works"));
    }
    let state = match state.as_str() {
        "alerting" | "no_data" => AlertState::Firing,
        "ok" => AlertState::Resolved,
        "paused" => return Ok(Reading::ignored("paused: neither firing nor over")),
        "pending" | "unknown" => return Ok(Reading::ignored("pending: not firing yet")),
        _ => return Ok(Reading::ignored("the rule has no state that we know")),
    };
    let mut labels = Said::default();
    labels.members(message.get("tags"));
    labels.members(message.pointer("/evalMatches/0/tags"));
    labels.add("rule", name.as_deref());
    let organisation = given::any(message, &["/orgId"]).unwrap_or_else(|| "1".to_owned());
    let alert = Alert {
        source: SOURCE.to_owned(),
        fingerprint: super::identity(&format!("rule/{organisation}/{}", rule.unwrap_or_default())),
        name: text::line(&name.or_else(|| given::any(message, &["/title"])).unwrap_or_default(), 200),
        summary: text::line(&summary, 300),
        severity: Severity::from_label(labels.get("severity")),
        state,
        started_at: None,
        ended_at: None,
        acknowledged: None,
        released_at: None,
        lasts: None,
        group: None,
        detail: None,
        labels: labels.labels(),
        url: given::any(message, &["/ruleUrl"]).as_deref().and_then(text::url),
    };
    Ok(Reading::Event(super::bounded(vec![alert], 1)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(message: &Value) -> Value {
        match read(message.to_string().as_bytes()) {
            Ok(Reading::Event(event)) => json!(event),
            Ok(Reading::Ignored(why)) => json!(why),
            Err(why) => panic!("{why}"),
        }
    }

    #[test]
    fn an_alert_is_the_same_while_it_fires_and_when_it_is_over() {
        let one = |status: &str, ended: &str| {
            json!({"status": status, "version": "1", "truncatedAlerts": 3, "state": "alerting", "commonLabels": {"env": "prod"},
                "alerts": [{"status": status, "labels": {"alertname": "HighMemory", "service": "edxapp", "severity": "warning"},
                    "annotations": {}, "startsAt": "2026-03-12T09:51:03.157+02:00", "endsAt": ended, "fingerprint": "c6ea",
                    "values": {"B": 44.2, "C": 1}, "generatorURL": "", "panelURL": "https://g.example.com/d/1?viewPanel=2"}]})
        };
        let alert = json!({"source": "grafana", "fingerprint": "c6ea", "name": "HighMemory", "summary": "B = 44.2, C = 1",
            "severity": "warning", "state": "firing", "started_at": "2026-03-12T07:51:03.157Z",
            "labels": {"alertname": "HighMemory", "service": "edxapp", "severity": "warning", "env": "prod"},
            "url": "https://g.example.com/d/1?viewPanel=2"});
        assert_eq!(said(&one("firing", "0001-01-01T00:00:00Z")), json!({"alerts": [alert], "left_out": 3}));
        let over = said(&one("resolved", "2026-03-12T08:00:00Z"));
        assert_eq!(over["alerts"][0]["state"], "resolved");
        assert_eq!(over["alerts"][0]["fingerprint"], "c6ea");
        assert_eq!(over["alerts"][0]["ended_at"], "2026-03-12T08:00:00Z");
    }

    #[test]
    fn a_rule_without_data_is_named_and_a_test_is_not_an_alert() {
        let labels = json!({"alertname": "DatasourceError", "rulename": "Latency", "datasource_uid": "x"});
        let broken = said(&json!({"alerts": [{"labels": labels, "annotations": {"Error": "timeout"}}]}));
        assert_eq!(broken["alerts"][0]["name"], "Latency: error");
        assert_eq!(broken["alerts"][0]["summary"], "timeout");
        let test = json!({"labels": {"alertname": "TestAlert", "instance": "Grafana"}});
        assert_eq!(said(&json!({"alerts": [test]})), "a test notification: the connection works");
        assert_eq!(said(&json!({"alerts": []})), "the message has no alerts");
        assert!(read(br#"{"alerts":[7]}"#).is_err());
    }

    #[test]
    fn a_legacy_rule_fires_and_is_over() {
        let one = |state: &str| {
            json!({"ruleId": 4, "ruleName": "CPU", "state": state, "title": "[Alerting] CPU", "message": "hot\nvery",
                "ruleUrl": "https://g.example.com/d/1", "orgId": 2, "tags": {"service": "edxapp"},
                "evalMatches": [{"metric": "cpu", "value": 99, "tags": {"host": "a"}}]})
        };
        let alert = json!({"source": "grafana", "fingerprint": "rule/2/4", "name": "CPU", "summary": "hot very",
            "severity": "critical", "state": "firing", "labels": {"service": "edxapp", "host": "a", "rule": "CPU"},
            "url": "https://g.example.com/d/1"});
        assert_eq!(said(&one("alerting")), json!({"alerts": [alert]}));
        for (state, want) in [("no_data", "firing"), ("ok", "resolved")] {
            assert_eq!(said(&one(state))["alerts"][0]["state"], want);
        }
        assert_eq!(said(&one("paused")), "paused: neither firing nor over");
        assert_eq!(said(&one("pending")), "pending: not firing yet");
        assert_eq!(said(&one("snoring")), "the rule has no state that we know");
        let neither = "not an alert of Grafana: no list of alerts, no rule with a state";
        assert_eq!(said(&json!({"ruleName": "CPU"})), neither);
        let test = json!({"ruleId": 0, "ruleName": "Test notification", "state": "alerting",
            "message": "Someone is testing the alert notification within Grafana."});
        assert_eq!(said(&test), "a test notification: the connection works");
        assert_eq!(said(&json!({"ruleGroup": "a", "title": "b"})), "the definition of an alert rule: nothing fires");
    }
}
