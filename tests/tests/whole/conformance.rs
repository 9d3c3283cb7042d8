//! Every payload that other projects recorded, through every reader we have: nothing panics, and each is read
//! into an event or ignored with a named reason. `../shared/payloads` is read in place; what is expected of
//! each file is the reviewed golden `tests/golden/payloads.txt` (UPDATE_EXPECT=1 writes it anew).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use house_tests::root;
use recent_deployers::explain::{ExplainError, explain_bytes};
use serde_json::Value;

/// The readers, and the folders whose payloads their senders sent.
const READERS: [(&str, &str, &[&str]); 28] = [
    ("on-merge", "github", &["bors", "github-goscm", "github-octokit"]),
    ("on-merge", "gitlab", &["gitlab-goscm", "gitlab-gogitlab"]),
    ("on-merge", "bitbucket", &["bitbucket-goscm"]),
    ("on-merge", "bitbucket-server", &["stash-goscm"]),
    ("on-merge", "gitea", &["gitea-goscm"]),
    ("on-merge", "cdevents", &["cdevents"]),
    ("on-deploy", "github", &["bors", "github-goscm", "github-octokit"]),
    ("on-deploy", "gitlab", &["gitlab-goscm", "gitlab-gogitlab"]),
    ("on-deploy", "argo-cd", &["argocd-notifications"]),
    ("on-deploy", "flagger", &["flagger"]),
    ("on-deploy", "flux", &["flux-notification"]),
    ("on-deploy", "gocd", &["gocd-docs", "zulip-gocd"]),
    ("on-deploy", "aws", &["aws-lambda-events", "aws-powertools", "keep-cloudwatch"]),
    ("on-deploy", "cdevents", &["cdevents"]),
    ("on-alert", "alertmanager", &["alertmanager-msteams", "goalert", "keep-prometheus"]),
    ("on-alert", "grafana", &["goalert", "keep-grafana"]),
    ("on-alert", "cloudwatch", &["aws-lambda-events", "aws-powertools", "keep-cloudwatch"]),
    ("on-alert", "datadog", &["keep-datadog"]),
    ("on-alert", "new-relic", &["zulip-newrelic"]),
    ("on-alert", "pagerduty", &["pagerduty-go", "zulip-pagerduty"]),
    ("on-alert", "opsgenie", &["zulip-opsgenie"]),
    ("on-alert", "jira-service-management", &["zulip-opsgenie"]),
    ("on-alert", "sentry", &["sentry", "keep-sentry"]),
    ("on-alert", "gcp-monitoring", &["keep-gcpmonitoring"]),
    // What has no payloads of its own is tried on those of its kind: nothing of somebody else's is an error.
    ("on-merge", "azure", &["bitbucket-goscm"]),
    ("on-deploy", "jenkins", &["github-goscm"]),
    ("on-deploy", "spinnaker", &["cdevents"]),
    ("on-alert", "azure-monitor", &["keep-datadog"]),
];

/// Readers without payloads of their own, tried on those of others.
const ON_OTHERS: [&str; 4] = ["azure", "jenkins", "spinnaker", "azure-monitor"];

/// Payloads that have to be read into an event, so that ignoring is no way to pass: a file, its reader, each.
const MUST_BE_READ: &str = include_str!("../../golden/must-be-read.txt");

fn must_be_read() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    MUST_BE_READ.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let [function, sender, file] = words.as_slice() else { panic!("not a function, a sender and a file: {line}") };
        (*function, *sender, *file)
    })
}

fn payloads() -> Option<(PathBuf, Vec<String>)> {
    let folder = root().join("../shared/payloads");
    let mut files = Vec::new();
    for sender in std::fs::read_dir(&folder).ok()?.filter_map(Result::ok).filter(|e| e.path().is_dir()) {
        let inside = std::fs::read_dir(sender.path()).ok()?.filter_map(Result::ok);
        files.extend(
            inside.map(|f| format!("{}/{}", sender.file_name().to_string_lossy(), f.file_name().to_string_lossy())),
        );
    }
    files.sort();
    Some((folder, files))
}

fn read(folder: &Path, function: &str, sender: &str, file: &str) -> Result<Value, ExplainError> {
    let body = std::fs::read(folder.join(file)).unwrap();
    explain_bytes(function, sender, &body)
}

#[test]
fn every_payload_is_read_as_the_reviewed_golden_says() {
    let Some((folder, files)) = payloads() else {
        println!("not present: ../shared/payloads; 0 payloads walked");
        return;
    };
    let mut golden = String::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (function, sender, folders) in READERS {
        for file in files.iter().filter(|f| folders.iter().any(|folder| f.starts_with(&format!("{folder}/")))) {
            let line = match read(&folder, function, sender, file) {
                Ok(event) => {
                    *counts.entry(if event.get("ignored").is_some() { "ignored" } else { "read" }).or_default() += 1;
                    event.to_string()
                }
                // What somebody else sent may be refused, never what its own sender did.
                Err(error) if ON_OTHERS.contains(&sender) => format!("{{\"refused\":\"{error}\"}}"),
                Err(error) => panic!("{function} {sender} {file}: {error}: {:?}", std::error::Error::source(&error)),
            };
            writeln!(golden, "{function} {sender} {file}\n    {line}").unwrap();
        }
    }
    expect_file!["../../golden/payloads.txt"].assert_eq(&golden);
    println!("{} payloads walked: {counts:?}", files.len());
}

#[test]
fn the_payloads_that_matter_are_read_and_not_ignored() {
    let Some((folder, files)) = payloads() else { return };
    for (function, sender, file) in must_be_read() {
        if !files.iter().any(|f| f == file) {
            println!("not present: {file}");
            continue;
        }
        let event = read(&folder, function, sender, file).unwrap();
        assert!(event.get("ignored").is_none(), "{function} {sender} {file}: {event}");
    }
}

#[test]
fn no_reader_panics_on_what_another_sender_sent_or_on_a_damaged_payload() {
    let Some((folder, files)) = payloads() else { return };
    for file in &files {
        let body = std::fs::read(folder.join(file)).unwrap();
        for (function, sender, _) in READERS {
            let _ = explain_bytes(function, sender, &body);
            // Cut short, and with a byte changed, at a few places.
            for at in (0..body.len()).step_by(1 + body.len() / 12) {
                let _ = explain_bytes(function, sender, &body[..at]);
                let mut damaged = body.clone();
                damaged[at] = damaged[at].wrapping_add(1);
                let _ = explain_bytes(function, sender, &damaged);
            }
        }
    }
}

/// Each value of an event replaced by every kind of value, one at a time: a sender may send anything.
#[test]
fn no_reader_panics_when_a_field_is_of_another_kind() {
    let Some((folder, _)) = payloads() else { return };
    let strange =
        [Value::Null, Value::Bool(true), 1e300.into(), "x".into(), Value::Array(vec![]), serde_json::json!({"a": {}})];
    for (function, sender, file) in must_be_read() {
        let Ok(body) = std::fs::read(folder.join(file)) else { continue };
        let event: Value = serde_json::from_slice(&body).unwrap();
        for pointer in pointers(&event, "", 0) {
            for value in &strange {
                let mut changed = event.clone();
                *changed.pointer_mut(&pointer).unwrap() = value.clone();
                let _ = explain_bytes(function, sender, changed.to_string().as_bytes());
            }
        }
    }
}

fn pointers(value: &Value, at: &str, depth: usize) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(k, v)| (k.replace('~', "~0").replace('/', "~1"), v)).collect(),
        Value::Array(list) => list.iter().take(2).enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![],
    };
    let own = std::iter::once(at.to_owned());
    let below = children
        .into_iter()
        .filter(|_| depth < 4)
        .flat_map(|(name, v)| pointers(v, &format!("{at}/{name}"), depth + 1));
    own.chain(below.collect::<Vec<_>>()).collect()
}
