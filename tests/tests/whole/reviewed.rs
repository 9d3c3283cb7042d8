//! What a review of the senders against their documentation found: small messages of our own, each with what has to be
//! read of it.

use recent_deployers::explain::explain_bytes;
use serde_json::{Value, json};

fn read(function: &str, sender: &str, message: &Value) -> Value {
    explain_bytes(function, sender, message.to_string().as_bytes()).unwrap()
}

#[test]
fn monitors_are_read_as_they_mean_it() {
    let datadog =
        |title: &str| json!({ "id": "1", "alert_id": "7", "title": title, "event_type": "query_alert_monitor" });
    let new_relic = |owner: &str| {
        json!({ "id": "95a9", "title": "CPU", "priority": "HIGH", "state": "ACTIVATED", "trigger": "INCIDENT_ADDED",
        "owner": owner, "createdAt": 1_770_000_000_000_u64, "updatedAt": 1_770_000_600_000_u64 })
    };
    let metric =
        json!({ "MetricStat": { "Metric": { "Dimensions": [{ "name": "ServiceName", "value": "edxapp" }] } } });
    let cloudwatch = json!({ "AlarmName": "a", "NewStateValue": "ALARM", "Trigger": { "Metrics": [metric] } });
    let prometheus = json!([{ "labels": { "alertname": "Down" }, "startsAt": "2026-03-20T12:00:00Z", "endsAt": "2026-03-20T12:04:00Z" }]);
    for (sender, message, pointer, want) in [
        (
            "datadog",
            datadog("[Triggered on {service:checkout,host:web-1}] CPU high"),
            "/alerts/0/labels/service",
            json!("checkout"),
        ),
        ("new-relic", new_relic("Ada"), "/alerts/0/state", json!("acknowledged")),
        ("new-relic", new_relic("N/A"), "/alerts/0/state", json!("firing")),
        ("cloudwatch", cloudwatch, "/alerts/0/labels/ServiceName", json!("edxapp")),
        ("alertmanager", prometheus, "/alerts/0/lasts", json!("PT4M")),
    ] {
        let event = read("on-alert", sender, &message);
        assert_eq!(event.pointer(pointer), Some(&want), "{sender}: {event}");
    }
    let group = |title: &str| read("on-alert", "datadog", &datadog(title))["alerts"][0]["fingerprint"].clone();
    let (fires, over) = ("[Triggered on {host:web-1,service:a}] CPU", "[Recovered on {service:a,host:web-1}] CPU");
    assert_eq!(group(fires), group(over), "the order of a group's tags says nothing");
}

#[test]
fn pipelines_are_read_as_they_mean_it() {
    let sha = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";
    let material = |kind: &str, changed: bool, revision: &str| {
        json!({ "material": { "type": kind, "git-configuration": { "url": "https://github.com/openedx/scripts" } },
            "changed": changed, "modifications": [{ "revision": revision }] })
    };
    let gocd = json!({ "pipeline": { "name": "deploy", "counter": "3", "build-cause": [material("git", false, sha), material("pipeline", true, "build/7/pkg/1")],
        "stage": { "name": "prod", "counter": "1", "state": "Building", "result": "Unknown", "create-time": "2026-03-20T12:00:00.000+0000" } } });
    let gitlab = json!({ "object_kind": "deployment", "status": "success", "deployable_id": 7, "environment": "eu-1", "environment_tier": "production",
        "short_sha": &sha[..8], "project": { "path_with_namespace": "openedx/edx-platform" } });
    let release = json!({ "action": "completed", "workflow_run": { "id": 7, "name": "Deploy", "head_branch": "v1.2.3", "head_sha": sha, "event": "release",
        "conclusion": "success", "run_attempt": 1, "created_at": "2026-03-20T12:00:00Z", "updated_at": "2026-03-20T12:09:00Z" },
        "workflow": { "name": "Deploy" }, "repository": { "full_name": "openedx/edx-platform", "default_branch": "main" } });
    let jenkins = |branch: &str| {
        json!({ "name": "shop", "url": format!("job/shop/job/{}/", branch.replace('/', "%252F")),
        "build": { "number": 7, "phase": "FINISHED", "status": "FAILED", "scm": { "branch": format!("origin/{branch}"), "commit": sha } } })
    };
    for (sender, message, pointer, want) in [
        ("gocd", gocd, "/moved/revision/named", json!("gocd:build/7/pkg/1")),
        ("gitlab", gitlab, "/moved/environments", json!(["eu-1", "production"])),
        ("github", release, "/moved/state", json!("succeeded")),
        ("jenkins", jenkins("main"), "/moved/state", json!("failed")),
        ("jenkins", jenkins("feature/x"), "/moved/names", json!(["shop/feature%2Fx"])),
    ] {
        let event = read("on-deploy", sender, &message);
        let names =
            |event: &Value| event.pointer(pointer).cloned().or_else(|| event.pointer(&format!("/0{pointer}")).cloned());
        let found = names(&event).unwrap_or_else(|| panic!("{sender}: {event}"));
        if pointer == "/moved/names" {
            assert!(
                !found.as_array().unwrap().contains(&json!("shop")),
                "{sender}: a feature branch is not the job: {event}"
            );
        } else {
            assert_eq!(found, want, "{sender}: {event}");
        }
    }
}

#[test]
fn a_form_says_which_content_type_to_choose() {
    let refused = explain_bytes("on-merge", "github", b"payload=%7B%22zen%22%3A1%7D").unwrap_err();
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(cause, "a form: choose the content type application/json");
}
