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

/// What a message says of all its alerts is given to each: many of one times many of the other took minutes, and
/// hundreds of megabytes for a body of a fifth of one.
#[test]
fn labels_of_all_alerts_and_many_alerts_stay_small() {
    let common: serde_json::Map<String, Value> = (0..4000).map(|i| (format!("k{i:04}"), json!("v"))).collect();
    let alerts = vec![json!({}); 200_000];
    let body = json!({ "status": "firing", "commonLabels": common, "alerts": alerts });
    for sender in ["alertmanager", "grafana"] {
        let read = read("on-alert", sender, &body);
        let kept = read["alerts"].as_array().unwrap();
        assert!(kept.len() <= 2000 && kept[0]["labels"].as_object().unwrap().len() <= 50, "{sender}");
        assert_eq!(read["left_out"], 198_000, "{sender}");
    }
}

/// Marks that nobody sees are no identity: two alerts that have only such marks would be one, and one would hide the other.
#[test]
fn an_identity_of_invisible_marks_is_none() {
    let mark = |mark: &str, name: &str| json!({ "fingerprint": mark, "labels": { "alertname": name } });
    for (one, other) in [("\u{202e}", "\u{200b}"), (" \t\n", " "), ("\u{0}", "\u{feff}")] {
        let body = json!({ "alerts": [mark(one, "Slow"), mark(other, "Down")] });
        for sender in ["alertmanager", "grafana"] {
            let read = read("on-alert", sender, &body);
            let of = |i: usize| read["alerts"][i]["fingerprint"].as_str().unwrap();
            assert!(!of(0).is_empty() && !of(1).is_empty() && of(0) != of(1), "{sender}: {read}");
        }
    }
    let body = json!({ "service": "edxapp", "name": "probe", "id": "\u{202e}" });
    assert_ne!(read("on-alert", "generic", &body)["alerts"][0]["fingerprint"], "");
}

/// DynamoDB takes sort keys of 1024 bytes: a deployment whose id is longer could never be kept.
#[test]
fn a_deployment_with_a_long_id_has_a_key_that_fits() {
    let id = |end: &str| format!("{}{end}", "\u{1f525}".repeat(290));
    let body = |end: &str| json!({ "id": id(end), "service": "edxapp", "environment": "prod", "state": "started" });
    let sort = |end: &str| {
        let read = read("on-deploy", "generic", &body(end));
        let id = read["moved"]["id"].as_str().unwrap().to_owned();
        let environment = "production".parse().unwrap();
        let key = domain::DeploymentKey { environment, source: "generic".to_owned(), id };
        aws::keys::deployment(&"edxapp".parse().unwrap(), &key).sort
    };
    assert!((1..=1024).contains(&sort("a").len()));
    assert_eq!(sort("a"), sort("a"));
    assert_ne!(sort("a"), sort("b"));
}

/// A suite's name stands in the title of a message to those whose changes it failed with.
#[test]
fn the_name_of_a_suite_fits_a_message() {
    let long = format!("smoke {}", "x".repeat(5000));
    let run = json!({ "id": 1, "name": long, "head_sha": "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1", "conclusion": "failure" });
    let github =
        json!({ "action": "completed", "workflow_run": run, "repository": { "full_name": "openedx/edx-platform" } });
    let generic = json!({ "service": "edxapp", "environment": "prod", "state": "failed", "test": &long[..150], "commit": "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1" });
    let cdevents = json!({
        "context": { "specversion": "0.5.0", "id": "1", "source": "/ci", "type": "dev.cdevents.testsuiterun.finished.0.2.0", "timestamp": "2026-03-20T10:00:00Z" },
        "subject": { "id": "r-1", "content": { "testSuite": { "id": "s", "name": long }, "outcome": "fail", "environment": { "id": "prod" } } }
    });
    let jenkins = json!({ "name": long, "build": { "phase": "FINALIZED", "status": "FAILURE", "number": 7 } });
    for (sender, body) in [("github", github), ("generic", generic), ("cdevents", cdevents), ("jenkins", jenkins)] {
        let read = read("on-deploy", sender, &body);
        let suite = read["moved"]["manner"]["test"].as_str().unwrap_or_else(|| panic!("{sender}: {read}"));
        assert!(suite.starts_with("smoke x") && suite.chars().count() <= 100, "{sender}: {suite}");
    }
}

/// Five jobs with long names that failed are still one line.
#[test]
fn the_names_of_failed_jobs_fit_a_note() {
    let job = json!({ "name": "j".repeat(300), "result": "Failed" });
    let stage = json!({ "name": "deploy", "counter": "1", "state": "Failed", "jobs": vec![job; 9] });
    let body = json!({ "pipeline": { "name": "edxapp", "counter": "7", "stage": stage } });
    let read = read("on-deploy", "gocd", &body);
    let note = read["moved"]["note"].as_str().unwrap_or_else(|| panic!("{read}"));
    assert!(note.starts_with("failed: jjj") && note.chars().count() <= 300, "{note}");
}
