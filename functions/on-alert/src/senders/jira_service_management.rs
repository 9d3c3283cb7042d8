//! Jira Service Management: the Webhook integration of its Operations (of Opsgenie's shape), and Jira's own webhook of
//! incidents, also as an automation rule sends it.
//!
//! Jira signs; Operations and automation cannot, and send a token in a header. Which issues are incidents the webhook's
//! JQL says; only what is plainly other work is ignored here.
//! <https://developer.atlassian.com/cloud/jira/platform/webhooks/>

use aws::given::{list, time, told, word};
use aws::verify::Signature;
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, Severity, text};
use serde_json::Value;

use super::labels::Labels;
use super::opsgenie_shape::{self, Speaker};

pub const SENDER: Sender<AlertEvent> = Sender {
    name: "jira-service-management",
    proofs: &[Proof::Signature(Signature::sha256("x-hub-signature")), Proof::Token],
    parse: read,
    guide: Guide {
        title: "Jira Service Management",
        steps: &[
            "Alerts: in Operations, Integrations, Add integration: Webhook, Webhook URL {url}, custom header Authorization: Bearer {secret}; turn it on",
            "Say the service and environment in tags (service:edxapp, env:prod) or in the entity: details come with Create only",
            "Incidents: in Settings, System, WebHooks, Create a WebHook: URL {url}, Secret {secret}, issue created, updated and deleted",
            "with the JQL: issuetype = \"[System] Incident\"; say the service in a label (service:edxapp) or as the component",
        ],
        reads: "alerts as Opsgenie's; issues created, updated and deleted: over when their status is of the category done",
        ignores: "notes, tags, responders, comments, worklogs, stories, tasks and other work",
        docs: "https://developer.atlassian.com/cloud/jira/platform/webhooks/",
    },
};

const SOURCE: &str = "jira-service-management";
const SPEAKER: Speaker = Speaker { source: SOURCE, forge: "jira", shows: None };

fn read(body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    let message: Value = parse(body)?;
    if opsgenie_shape::is_told(&message) {
        return opsgenie_shape::read(&message, SPEAKER);
    }
    let event = word(&message, "/webhookEvent").unwrap_or("");
    if !event.is_empty() && !event.starts_with("jira:issue_") {
        return Ok(Reading::ignored(format!("{}: not about an issue's state", text::line(event, 60))));
    }
    // An automation rule sends the issue alone, as it is or as `issue`.
    let issue = message.get("issue").unwrap_or(&message);
    if !issue.get("fields").is_some_and(Value::is_object) {
        return Ok(Reading::ignored("neither an action on an alert nor an issue with its fields"));
    }
    if let Some(kind) = word(issue, "/fields/issuetype/name").filter(|kind| is_other_work(kind)) {
        return Ok(Reading::ignored(format!("an issue of the type {}: not an incident", text::line(kind, 60))));
    }
    let alert = read_issue(issue, &message, event == "jira:issue_deleted")?;
    Ok(Reading::Event(super::brief(alert)))
}

/// Types which Jira itself comes with, that are not about something being broken.
fn is_other_work(kind: &str) -> bool {
    const OTHER: [&str; 10] = [
        "story",
        "epic",
        "task",
        "sub-task",
        "subtask",
        "new feature",
        "improvement",
        "change",
        "service request",
        "service request with approvals",
    ];
    let kind = kind.to_lowercase();
    let kind = kind.strip_prefix("[system] ").unwrap_or(&kind).trim();
    OTHER.contains(&kind)
}

fn read_issue(issue: &Value, message: &Value, deleted: bool) -> Result<Alert, Malformed> {
    let key = told(issue, "/key").map(|key| text::line(&key, 60)).filter(|key| !key.is_empty());
    let id = told(issue, "/id").map(|id| text::line(&id, 60)).filter(|id| !id.is_empty());
    let identity = id.or_else(|| key.clone()).ok_or_else(|| Malformed::new("an issue without an id"))?;
    let sent = time(message, "/timestamp");
    let over = deleted || is_done(issue);
    let (created, resolved) = (time(issue, "/fields/created"), time(issue, "/fields/resolutiondate"));
    let changed = || time(issue, "/fields/statuscategorychangedate").or(sent).or(time(issue, "/fields/updated"));
    let ended = if deleted { sent.or_else(changed) } else { resolved.or_else(changed) };
    let started = if was_reopened(message) { sent.or_else(changed) } else { created.or(sent) };
    let name = word(issue, "/fields/summary").map(|summary| text::line(summary, 200));
    let said = word(issue, "/fields/description").map_or_else(String::new, |text| text::line(text, 300));
    Ok(Alert {
        source: SOURCE.to_owned(),
        fingerprint: format!("issue/{identity}"),
        name: name.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("issue {identity}")),
        summary: said,
        severity: severity(word(issue, "/fields/priority/name")),
        state: if over { AlertState::Resolved } else { AlertState::Firing },
        started_at: started.filter(|_| !over || ended.is_some()),
        ended_at: ended.filter(|_| over),
        acknowledged: None,
        released_at: None,
        lasts: None,
        group: None,
        detail: None,
        labels: labels(issue, key.as_deref()),
        url: key.and_then(|key| link(issue, &key)),
    })
}

/// By the category of its status; where that is missing, by its resolution or the name of the status.
fn is_done(issue: &Value) -> bool {
    if let Some(category) = word(issue, "/fields/status/statusCategory/key") {
        return category == "done";
    }
    let status = word(issue, "/fields/status/name").unwrap_or("").to_lowercase();
    let resolved = issue.pointer("/fields/resolution").is_some_and(Value::is_object);
    resolved || matches!(status.as_str(), "done" | "closed" | "resolved" | "completed" | "canceled" | "cancelled")
}

/// Whether this message takes the resolution away again.
fn was_reopened(message: &Value) -> bool {
    let items = list(message, "/changelog/items").take(100);
    let mut changes = items.filter(|item| word(item, "/field") == Some("resolution"));
    changes.any(|item| {
        let set = |side: &str| word(item, &format!("/{side}")).or(word(item, &format!("/{side}String"))).is_some();
        set("from") && !set("to")
    })
}

fn severity(priority: Option<&str>) -> Severity {
    match priority.map(str::to_lowercase).as_deref() {
        Some("lowest" | "trivial") => Severity::Info,
        other => Severity::from_label(other),
    }
}

fn labels(issue: &Value, key: Option<&str>) -> Labels {
    let mut labels = Labels::new();
    opsgenie_shape::add_tags(&mut labels, issue.pointer("/fields/labels"));
    let component = word(issue, "/fields/components/0/name");
    let given = [
        ("component", component),
        ("service", component),
        ("environment", word(issue, "/fields/environment")),
        ("project", word(issue, "/fields/project/key")),
        ("priority", word(issue, "/fields/priority/name")),
        ("issue_type", word(issue, "/fields/issuetype/name")),
        ("status", word(issue, "/fields/status/name")),
        ("issue", key),
    ];
    for (name, value) in given.into_iter().filter_map(|(name, value)| Some((name, text::line(value?, 200)))) {
        labels.entry(name.to_owned()).or_insert(value);
    }
    labels
}

/// The page of an issue, of the site whose API it names as its own address.
fn link(issue: &Value, key: &str) -> Option<String> {
    let (site, _) = word(issue, "/self")?.split_once("/rest/")?;
    text::url(&format!("{site}/browse/{key}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn issue(event: &str, category: &str) -> Value {
        json!({ "timestamp": 1_772_449_200_000_u64, "webhookEvent": event, "issue": {
            "id": "10021", "key": "INC-7", "self": "https://acme.atlassian.net/rest/api/2/issue/10021",
            "fields": {
                "summary": "Checkout is down", "created": "2026-03-02T12:00:00.000+0200", "priority": { "name": "Medium" },
                "status": { "name": "Somehow", "statusCategory": { "key": category } }, "labels": ["env:prod", "vip"],
                "components": [{ "name": "checkout" }], "issuetype": { "name": "[System] Incident" },
            },
        }})
    }

    fn alert(body: &Value) -> Alert {
        match read(body.to_string().as_bytes()).unwrap() {
            Reading::Event(mut event) => event.alerts.remove(0),
            Reading::Ignored(why) => panic!("ignored: {why}"),
        }
    }

    #[test]
    fn an_issue_is_over_when_it_is_done_or_gone() {
        for (event, category, want) in [
            ("jira:issue_created", "new", AlertState::Firing),
            ("jira:issue_updated", "indeterminate", AlertState::Firing),
            ("jira:issue_updated", "done", AlertState::Resolved),
            ("jira:issue_deleted", "new", AlertState::Resolved),
        ] {
            let read = alert(&issue(event, category));
            assert_eq!((read.state, read.fingerprint.as_str()), (want, "issue/10021"), "{event} {category}");
            assert_eq!(read.started_at, "2026-03-02T10:00:00Z".parse().ok());
            let ended = (want == AlertState::Resolved).then(|| "2026-03-02T11:00:00Z".parse().unwrap());
            assert_eq!(read.ended_at, ended);
        }
        let read = alert(&issue("jira:issue_created", "new"));
        assert_eq!((read.labels["service"].as_str(), read.labels["env"].as_str()), ("checkout", "prod"));
        assert_eq!(
            (read.severity, read.url.as_deref()),
            (Severity::Warning, Some("https://acme.atlassian.net/browse/INC-7"))
        );
    }

    #[test]
    fn an_issue_without_the_category_of_its_status_is_over_by_its_resolution_or_its_status() {
        for (status, resolution, want) in [
            ("Open", Value::Null, AlertState::Firing),
            ("Closed", Value::Null, AlertState::Resolved),
            ("Open", json!({ "name": "Won't do" }), AlertState::Resolved),
        ] {
            let mut body = issue("jira:issue_updated", "new");
            body["issue"]["fields"]["status"] = json!({ "name": status });
            body["issue"]["fields"]["resolution"] = resolution.clone();
            assert_eq!(alert(&body).state, want, "{status} {resolution}");
        }
    }

    #[test]
    fn what_was_done_and_is_taken_up_again_starts_anew() {
        let mut body = issue("jira:issue_updated", "new");
        body["changelog"] =
            json!({ "items": [{ "field": "resolution", "from": "10000", "fromString": "Done", "to": null }] });
        assert_eq!(alert(&body).started_at, "2026-03-02T11:00:00Z".parse().ok());
    }

    #[test]
    fn an_automation_rule_sends_the_issue_alone() {
        let body = issue("jira:issue_created", "new")["issue"].clone();
        assert_eq!(alert(&body).name, "Checkout is down");
    }

    #[test]
    fn an_alert_of_operations_is_read_as_opsgenies() {
        let body = json!({ "action": "Close", "alert": { "alertId": "a-1", "updatedAt": 1_772_449_200_000_u64, "message": "Queue" } });
        let read = alert(&body);
        assert_eq!((read.source.as_str(), read.state), ("jira-service-management", AlertState::Resolved));
    }

    #[test]
    fn other_work_is_ignored() {
        let ignored = |body: &Value| match read(body.to_string().as_bytes()).unwrap() {
            Reading::Event(event) => panic!("read: {event:?}"),
            Reading::Ignored(why) => why,
        };
        let mut story = issue("jira:issue_created", "new");
        story["issue"]["fields"]["issuetype"]["name"] = json!("Story");
        assert_eq!(ignored(&story), "an issue of the type Story: not an incident");
        assert_eq!(ignored(&issue("comment_created", "new")), "comment_created: not about an issue's state");
        assert!(ignored(&json!({ "webhookEvent": "jira:issue_updated" })).contains("nor an issue"));
        assert!(read(br#"{"issue":{"fields":{}}}"#).is_err());
    }
}
