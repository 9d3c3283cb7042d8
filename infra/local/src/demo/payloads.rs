//! Webhook payloads as their senders write them, with as many of their fields as we read and some that we do
//! not. Used by the demo and by the stories in `tests/`.

use jiff::Timestamp;
use serde_json::{Value, json};

/// A pull request that was merged.
#[derive(Debug, Clone)]
pub struct Merge<'a> {
    pub repository: &'a str,
    pub number: u64,
    pub title: &'a str,
    pub author: &'a str,
    pub merger: &'a str,
    pub commit: &'a str,
    pub at: Timestamp,
}

/// GitHub's `pull_request`, action `closed`, merged.
#[must_use]
pub fn pull_request_merged(merge: &Merge<'_>) -> Value {
    let account =
        |login: &str| json!({ "login": login, "type": if login.ends_with("[bot]") { "Bot" } else { "User" } });
    json!({
        "action": "closed",
        "number": merge.number,
        "pull_request": {
            "url": format!("https://api.github.com/repos/{}/pulls/{}", merge.repository, merge.number),
            "html_url": format!("https://github.com/{}/pull/{}", merge.repository, merge.number),
            "number": merge.number,
            "state": "closed",
            "title": merge.title,
            "user": account(merge.author),
            "merged_at": merge.at,
            "closed_at": merge.at,
            "updated_at": merge.at,
            "merge_commit_sha": merge.commit,
            "labels": [],
            "auto_merge": null,
            "base": { "ref": "master", "sha": "0".repeat(40) },
            "merged": true,
            "merged_by": account(merge.merger),
            "additions": merge.title.len(),
            "deletions": 3,
            "changed_files": 4
        },
        "repository": { "full_name": merge.repository, "default_branch": "master" },
        "sender": account(merge.merger)
    })
}

/// A deployment that moved.
#[derive(Debug, Clone)]
pub struct Deployment<'a> {
    pub repository: &'a str,
    pub id: u64,
    pub environment: &'a str,
    pub commit: &'a str,
    pub state: &'a str,
    pub created_at: Timestamp,
    pub at: Timestamp,
}

/// GitHub's `deployment_status`.
#[must_use]
pub fn deployment_status(deployment: &Deployment<'_>) -> Value {
    json!({
        "action": "created",
        "deployment_status": {
            "id": deployment.id * 10,
            "state": deployment.state,
            "environment": deployment.environment,
            "created_at": deployment.at,
            "updated_at": deployment.at,
            "log_url": format!("https://github.com/{}/actions/runs/{}", deployment.repository, deployment.id)
        },
        "deployment": {
            "id": deployment.id,
            "sha": deployment.commit,
            "ref": "master",
            "task": "deploy",
            "environment": deployment.environment,
            "created_at": deployment.created_at,
            "updated_at": deployment.at
        },
        "repository": { "full_name": deployment.repository, "default_branch": "master" },
        "sender": { "login": "github-actions[bot]", "type": "Bot" }
    })
}

/// An alert that fires, or did.
#[derive(Debug, Clone)]
pub struct Alert<'a> {
    pub service: &'a str,
    pub name: &'a str,
    pub summary: &'a str,
    pub severity: &'a str,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// Alertmanager's webhook message, version 4.
#[must_use]
pub fn alertmanager(alerts: &[Alert<'_>]) -> Value {
    let status = |resolved: bool| if resolved { "resolved" } else { "firing" };
    let all_over = alerts.iter().all(|a| a.ended_at.is_some());
    let list: Vec<Value> = alerts
        .iter()
        .map(|alert| {
            let ended = alert.ended_at.map_or_else(|| json!("0001-01-01T00:00:00Z"), |at| json!(at));
            json!({
                "status": status(alert.ended_at.is_some()),
                "labels": { "alertname": alert.name, "service": alert.service, "environment": "production", "severity": alert.severity },
                "annotations": { "summary": alert.summary },
                "startsAt": alert.started_at,
                "endsAt": ended,
                "generatorURL": "https://prometheus.example.com/graph",
                "fingerprint": fingerprint(alert)
            })
        })
        .collect();
    json!({
        "version": "4",
        "groupKey": "{}:{alertname=\"x\"}",
        "truncatedAlerts": 0,
        "status": status(all_over),
        "receiver": "recent-deployers",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "https://alertmanager.example.com",
        "alerts": list
    })
}

fn fingerprint(alert: &Alert<'_>) -> String {
    let text = format!("{}/{}", alert.service, alert.name);
    aws::verify::to_hex(&aws::verify::hmac_sha256(b"fingerprint", &[text.as_bytes()])[..8])
}

/// The headers with which GitHub sends a body: its event and its signature.
#[must_use]
pub fn github_headers(event: &str, secret: &str, body: &[u8]) -> Vec<(String, String)> {
    let signature = aws::verify::to_hex(&aws::verify::hmac_sha256(secret.as_bytes(), &[body]));
    vec![
        ("content-type".into(), "application/json".into()),
        ("x-github-event".into(), event.into()),
        ("x-hub-signature-256".into(), format!("sha256={signature}")),
    ]
}

/// The headers with which Alertmanager sends a body: a bearer token.
#[must_use]
pub fn token_headers(token: &str) -> Vec<(String, String)> {
    vec![("content-type".into(), "application/json".into()), ("authorization".into(), format!("Bearer {token}"))]
}
