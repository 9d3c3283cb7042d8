//! Google Cloud Monitoring: an incident of an alerting policy, by a webhook or by a push subscription of Pub/Sub.
//! <https://docs.cloud.google.com/monitoring/support/notification-options>
//!
//! It cannot sign. A webhook sends basic authentication or what stands in its address, a push the latter only: what
//! else it can send is a token of Google's own, which says nothing about us.

use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender, given};
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, Severity, text};
use serde_json::Value;

use super::labels::Said;
pub const SENDER: Sender<AlertEvent> = Sender {
    name: "gcp-monitoring",
    proofs: &[Proof::Token, Proof::Query],
    parse: read,
    guide: Guide {
        title: "Google Cloud Monitoring",
        steps: &[
            "Monitoring > Alerting > Edit notification channels > Webhooks > Add new: Endpoint URL {url}, Use HTTP Basic Auth with any user and the password {secret}; press Test connection.",
            "Choose the channel under Notifications and name of each alerting policy, with Notify on incident closure; put `service` and `environment` into its policy user labels.",
            "Or through Pub/Sub: a push subscription without authentication to {url}?token={secret}.",
        ],
        reads: "incidents that open and close, of metrics, logs and uptime checks",
        ignores: "the test of the connection, other messages of the same topic",
        docs: "https://docs.cloud.google.com/monitoring/support/notification-options",
    },
};

const SOURCE: &str = "gcp-monitoring";

fn read(body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    let message: Value = parse(body)?;
    let Some(data) = message.pointer("/message/data") else { return notification(&message) };
    let carried = data.as_str().and_then(base64).and_then(|bytes| parse(&bytes).ok());
    match carried {
        Some(inner) => notification(&inner),
        None => Ok(Reading::ignored("a message of Pub/Sub that is not JSON")),
    }
}

fn notification(message: &Value) -> Result<Reading<AlertEvent>, Malformed> {
    let Some(incident) = message.get("incident").filter(|incident| incident.is_object()) else {
        return Ok(Reading::ignored("not a notification of Cloud Monitoring: it has no incident"));
    };
    if message.get("version").and_then(Value::as_str) == Some("test") {
        return Ok(Reading::ignored("a test of the connection: it works"));
    }
    let id = given::any(incident, &["/incident_id"]);
    let id = id.ok_or_else(|| Malformed::new("the incident has no `incident_id`"))?;
    let started_at = given::time(incident, "/started_at");
    let ended_at = given::time(incident, "/ended_at");
    let state = match given::any(incident, &["/state"]).map(|state| state.to_lowercase()).as_deref() {
        Some("closed" | "resolved") => AlertState::Resolved,
        Some("open" | "acknowledged") => AlertState::Firing,
        None if ended_at.is_some() => AlertState::Resolved,
        None => AlertState::Firing,
        Some(_) => return Ok(Reading::ignored("the incident has no state that we know")),
    };
    let summary =
        given::any(incident, &["/summary", "/documentation/subject", "/documentation/content", "/documentation"]);
    let labels = labels(incident);
    let alert = Alert {
        source: SOURCE.to_owned(),
        fingerprint: super::identity(&id),
        name: text::line(&name(incident), 200),
        summary: text::line(&summary.unwrap_or_default(), 300),
        severity: severity(incident, &labels),
        state,
        started_at,
        ended_at: ended_at.filter(|_| state == AlertState::Resolved),
        acknowledged: None,
        released_at: None,
        lasts: None,
        group: None,
        detail: None,
        labels: labels.labels(),
        url: given::any(incident, &["/url"]).as_deref().and_then(text::url),
    };
    Ok(Reading::Event(super::bounded(vec![alert], 1)))
}

/// What people call the policy; its condition where the policy is given by its path.
fn name(incident: &Value) -> String {
    let policy = given::any(incident, &["/policy_name"]).filter(|name| !name.starts_with("projects/"));
    let condition = || given::any(incident, &["/condition_name", "/condition/displayName", "/metric/displayName"]);
    policy.or_else(condition).unwrap_or_else(|| "incident".to_owned())
}

/// The policy's, else what its labels or those of the resource say; `No severity` says nothing.
fn severity(incident: &Value, labels: &Said) -> Severity {
    let own = given::any(incident, &["/severity"]).filter(|word| !word.to_lowercase().starts_with("no"));
    let system = || given::any(incident, &["/metadata/system_labels/severity"]);
    let word = own.or_else(|| labels.get("severity").map(str::to_owned)).or_else(system);
    Severity::from_label(word.as_deref())
}

/// What the people who wrote the policy say comes first, then what Google knows.
fn labels(incident: &Value) -> Said {
    let mut labels = Said::default();
    for place in ["/policy_user_labels", "/metadata/user_labels", "/resource/labels", "/metric/labels"] {
        labels.members(incident.pointer(place));
    }
    // What Kubernetes and App Engine call what they run.
    for (theirs, common) in [("namespace_name", "namespace"), ("container_name", "app"), ("module_id", "app")] {
        labels.also(theirs, common);
    }
    for (name, places) in [
        ("project", &["/scoping_project_id", "/resource/labels/project_id"][..]),
        ("policy", &["/policy_name"]),
        ("condition", &["/condition_name"]),
        ("resource", &["/resource_display_name", "/resource_name", "/resource_id"]),
        ("resource_type", &["/resource/type"]),
        ("metric", &["/metric/type"]),
    ] {
        labels.add(name, given::any(incident, places).as_deref());
    }
    labels
}

/// Base64 of either alphabet, as Pub/Sub wraps a message.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for digit in text.trim().trim_end_matches('=').bytes() {
        let six = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(message: &Value) -> Value {
        crate::senders::tests::said(read(message.to_string().as_bytes()))
    }

    fn incident(state: &str, ended: Value) -> Value {
        json!({"version": "1.2", "incident": {"incident_id": "0.lx4k", "scoping_project_id": "shop", "state": state,
            "started_at": 1_770_000_000, "ended_at": ended, "summary": "CPU is above 0.9", "severity": "Warning",
            "url": "https://console.cloud.google.com/monitoring/alerting/incidents/0.lx4k?project=shop",
            "policy_name": "CPU", "condition_name": "CPU > 90%", "policy_user_labels": {"service": "edxapp"},
            "resource": {"type": "k8s_container", "labels": {"namespace_name": "edx", "container_name": "lms"}}}})
    }

    #[test]
    fn an_incident_opens_and_closes() {
        let want = json!({"source": "gcp-monitoring", "fingerprint": "0.lx4k", "name": "CPU", "summary": "CPU is above 0.9",
            "severity": "warning", "state": "firing", "started_at": "2026-02-02T02:40:00Z",
            "labels": {"service": "edxapp", "namespace_name": "edx", "namespace": "edx", "container_name": "lms", "app": "lms",
                "project": "shop", "policy": "CPU", "condition": "CPU > 90%", "resource_type": "k8s_container"},
            "url": "https://console.cloud.google.com/monitoring/alerting/incidents/0.lx4k?project=shop"});
        assert_eq!(said(&incident("open", Value::Null)), want);
        let over = said(&incident("closed", json!(1_770_000_600)));
        assert_eq!((&over["state"], &over["fingerprint"]), (&json!("resolved"), &want["fingerprint"]));
        assert_eq!(over["ended_at"], "2026-02-02T02:50:00Z");
        assert_eq!(said(&incident("OPEN", json!(0)))["state"], "firing");
    }

    #[test]
    fn pub_sub_carries_the_same() {
        // {"version":"1.2","incident":{"incident_id":"0.a","state":"open"}}
        let data = "eyJ2ZXJzaW9uIjoiMS4yIiwiaW5jaWRlbnQiOnsiaW5jaWRlbnRfaWQiOiIwLmEiLCJzdGF0ZSI6Im9wZW4ifX0=";
        let push = |data: &str| json!({"message": {"data": data, "messageId": "1"}, "subscription": "s"});
        assert_eq!(said(&push(data))["fingerprint"], "0.a");
        assert_eq!(said(&push("aGVsbG8=")), "a message of Pub/Sub that is not JSON");
        assert_eq!(said(&push("%%%")), "a message of Pub/Sub that is not JSON");
        assert_eq!(base64("Zm9v-_8").as_deref(), Some(&b"foo\xfb\xff"[..]));
    }

    #[test]
    fn what_is_no_incident_is_said_to_be_none() {
        let test = json!({"version": "test", "incident": {"incident_id": "12345", "state": "OPEN"}});
        assert_eq!(said(&test), "a test of the connection: it works");
        assert_eq!(said(&json!({"a": 1})), "not a notification of Cloud Monitoring: it has no incident");
        assert!(said(&json!({"incident": {"state": "open"}}))["malformed"].is_string());
        assert_eq!(said(&incident("snoring", Value::Null)), "the incident has no state that we know");
        let by_path = json!({"incident": {"incident_id": 7, "policy_name": "projects/1/alertPolicies/2", "condition_name": "5xx",
            "severity": "No severity", "metadata": {"system_labels": {"severity": "info"}}}});
        assert_eq!(said(&by_path)["name"], "5xx");
        assert_eq!(said(&by_path)["severity"], "info");
    }
}
