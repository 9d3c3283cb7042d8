//! What `tests/fuzz/run` and its large bodies have found, each as a test of its own: an input that nobody sends, and
//! what the house relies on all the same.

use recent_deployers::explain::explain_bytes;
use serde_json::{Value, json};

/// What a sender makes of a body; a body that it refuses is `null`.
fn read(function: &str, sender: &str, body: &Value) -> Value {
    explain_bytes(function, sender, body.to_string().as_bytes()).unwrap_or_default()
}

/// A region without end would be the name under which the alert is remembered.
#[test]
fn an_alarm_without_an_arn_has_a_short_identity() {
    for (region, arn) in [("x".repeat(5000).as_str(), None), ("eu\u{0}\n\u{202e}north-1", None), ("", Some(""))] {
        let body = json!({ "AlarmName": "edxapp", "NewStateValue": "ALARM", "Region": region, "AlarmArn": arn });
        let read = read("on-alert", "cloudwatch", &body);
        let identity = read["alerts"][0]["fingerprint"].as_str().unwrap();
        assert!((1..=300).contains(&identity.chars().count()), "{identity:?}");
        assert!(identity.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{identity:?}");
    }
}
