//! Sentry: the webhooks of an integration (issue alerts, issues, errors, metric alerts), and the older plugin and
//! service hooks of a project.
//!
//! Told apart by the body's shape: the header `Sentry-Hook-Resource` is not part of what is signed. An issue is one
//! alert whatever tells of it: an issue alert lets it fire, resolving or archiving the issue ends it.
//! <https://docs.sentry.io/organization/integrations/integration-platform/webhooks/>

mod event;

use aws::given::{time, told, word};
use aws::verify::Signature;
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::alert::AcknowledgedThere;
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, Login, Severity, text};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::labels::Labels;

pub const SENDER: Sender<AlertEvent> = Sender {
    name: "sentry",
    proofs: &[
        Proof::Signature(Signature::bare("sentry-hook-signature")),
        Proof::Signature(Signature::bare("x-servicehook-signature")),
        Proof::Query,
    ],
    parse: read,
    guide: Guide {
        title: "Sentry",
        steps: &[
            "In Settings, Developer Settings (Custom Integrations), Create New Integration, Internal: Webhook URL {url}, Alert Rule Action on",
            "Permissions: Issue & Event: Read; Webhooks: issue",
            "Sentry makes the secret: give the integration's Client Secret to this source as its secret",
            "Add the integration as an action to the alerts that shall page",
            "The older WebHooks plugin of a project cannot sign; its Callback URL is {url}?token={secret}",
        ],
        reads: "issue alerts and errors, issues created, assigned, resolved, archived and unresolved, metric alerts (critical, warning, resolved); the plugin's and service hooks' events",
        ignores: "sample events, comments, installations, assignments to teams and of what is long known",
        docs: "https://docs.sentry.io/organization/integrations/integration-platform/webhooks/",
    },
};

const SOURCE: &str = "sentry";

fn read(body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    let message: Value = parse(body)?;
    Ok(read_one(&message)?.map(super::brief))
}

fn read_one(message: &Value) -> Result<Reading<Alert>, Malformed> {
    let action = word(message, "/action").unwrap_or("");
    if let Some(data) = message.get("data").filter(|data| data.is_object()) {
        let has = |name: &str| data.get(name).filter(|value| value.is_object());
        return match (has("metric_alert"), has("event").or(has("error")), has("issue")) {
            (Some(alert), ..) => read_metric(alert, data, action),
            (None, Some(event), _) => event::read(event, data),
            (None, None, Some(_)) if action == "assigned" && !by_person(message) => {
                Ok(Reading::ignored("issue assigned by a rule: nobody has taken it over"))
            }
            (None, None, Some(issue)) => read_issue(issue, action),
            (None, None, None) => Ok(Reading::ignored(format!("{}: about no issue or metric", resource(data, action)))),
        };
    }
    let has = |name: &str| message.get(name).is_some_and(Value::is_object);
    let tells = |name: &str| message.get(name).is_some_and(|value| !value.is_null());
    if has("event") && ["project", "project_slug", "group", "culprit", "level"].into_iter().any(tells) {
        // A project's plugin, or its service hook, which tells the issue as `group`.
        return event::read(message.get("event").unwrap_or(&Value::Null), message);
    }
    if has("alert_rule") {
        return read_metric(message, &Value::Null, action);
    }
    if tells("shortId") || (has("project") && tells("firstSeen")) {
        return read_issue(message, action);
    }
    if word(message, "/event_id").is_some()
        || (word(message, "/project").is_some() && word(message, "/level").is_some())
    {
        return event::read(message, message);
    }
    Ok(Reading::ignored("not a Sentry webhook: it tells neither an event, an issue nor a metric alert"))
}

/// Whether a person did it, as far as Sentry says who did.
fn by_person(message: &Value) -> bool {
    word(message, "/actor/type").is_none_or(|kind| kind == "user")
}

/// What a message without an issue is about: `installation created`.
fn resource(data: &Value, action: &str) -> String {
    let known = ["installation", "comment", "comment_id", "preprod_artifact", "run_id"];
    let found = known.into_iter().find(|name| data.get(name).is_some()).unwrap_or("a message");
    text::line(&format!("{found} {action}"), 80)
}

/// An issue: what its action says, else its status.
fn read_issue(issue: &Value, action: &str) -> Result<Reading<Alert>, Malformed> {
    let id = issue_id(issue).ok_or_else(|| Malformed::new("a Sentry issue without an id"))?;
    let (first, last) = (time(issue, "/firstSeen"), time(issue, "/lastSeen"));
    let state = match state_after(issue, action, first, last) {
        Ok(state) => state,
        Err(why) => return Ok(Reading::ignored(format!("issue {}: {why}", text::line(action, 40)))),
    };
    // An issue that is taken up again is told without a time: since when we hear of it.
    let started = first.filter(|_| !matches!(action, "unresolved" | "triggered" | "escalating" | "regressed"));
    let taken = issue.get("assignedTo").zip(last.or(first)).filter(|_| state == AlertState::Acknowledged);
    let mut labels = project_labels(issue, "/project/slug");
    let given = [
        ("level", word(issue, "/level")),
        ("platform", word(issue, "/platform")),
        ("culprit", word(issue, "/culprit")),
        ("issue", word(issue, "/shortId")),
        ("issue_type", word(issue, "/issueType")),
        ("files", word(issue, "/metadata/filename")),
    ];
    add(&mut labels, &given);
    let value = word(issue, "/metadata/value").or(word(issue, "/culprit")).unwrap_or("");
    Ok(Reading::Event(Alert {
        source: SOURCE.to_owned(),
        fingerprint: format!("issue/{id}"),
        name: named(&[word(issue, "/title"), word(issue, "/metadata/type"), word(issue, "/culprit")], "Sentry issue"),
        summary: text::line(value, 300),
        severity: severity(word(issue, "/level")),
        state,
        started_at: started.filter(|_| state != AlertState::Resolved),
        ended_at: None,
        acknowledged: taken.and_then(|(who, at)| taken_by(who, at)),
        released_at: None,
        lasts: Some(super::UNENDED),
        group: None,
        detail: None,
        labels,
        url: link(issue, &["/web_url", "/permalink"]),
    }))
}

/// In what state an action leaves its issue, or why it says nothing of that.
fn state_after(
    issue: &Value,
    action: &str,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
) -> Result<AlertState, &'static str> {
    let status = word(issue, "/status").unwrap_or("");
    let over = matches!(status, "resolved" | "resolvedInNextRelease" | "ignored" | "archived" | "muted");
    match action {
        "resolved" | "archived" | "ignored" => Ok(AlertState::Resolved),
        "unresolved" => Ok(AlertState::Firing),
        "assigned" if over => Err("it is over"),
        "assigned" if word(issue, "/assignedTo/type") != Some("user") => Err("no person has taken it over"),
        // Tidying up what has been there for long is not news.
        "assigned" if !is_fresh(issue, first, last) => Err("known for long, so that nothing new is wrong"),
        "assigned" => Ok(AlertState::Acknowledged),
        "" | "created" | "triggered" | "escalating" | "regressed" if over => Ok(AlertState::Resolved),
        "" | "created" | "triggered" | "escalating" | "regressed" => Ok(AlertState::Firing),
        _ => Err("says nothing of its state"),
    }
}

/// Whether Sentry itself takes it for something new: `ongoing` is what it has known for more than seven days.
fn is_fresh(issue: &Value, first: Option<Timestamp>, last: Option<Timestamp>) -> bool {
    match word(issue, "/substatus") {
        Some(substatus) => matches!(substatus, "new" | "escalating" | "regressed"),
        None => {
            first.zip(last).is_none_or(|(first, last)| last.duration_since(first) < SignedDuration::from_hours(7 * 24))
        }
    }
}

/// The assignee; Sentry does not say when, only when the issue was last seen.
fn taken_by(who: &Value, at: Timestamp) -> Option<AcknowledgedThere> {
    let address = word(who, "/email").and_then(|address| Login::from_email(address).ok());
    let login = address.or_else(|| Login::new(SOURCE, &told(who, "/id")?).ok());
    let name = text::line(word(who, "/name").or(word(who, "/email")).unwrap_or(""), 100);
    (login.is_some() || !name.is_empty()).then_some(AcknowledgedThere { at, login, name })
}

/// A metric alert: its id is the same until it is resolved, and another when the rule fires again.
fn read_metric(alert: &Value, data: &Value, action: &str) -> Result<Reading<Alert>, Malformed> {
    let id = told(alert, "/id").or_else(|| told(alert, "/identifier")).or_else(|| told(alert, "/alert_rule/id"));
    let id = id.map(|id| text::line(&id, 60)).ok_or_else(|| Malformed::new("a metric alert without an id"))?;
    // The numbers of its status: 1 open, 2 closed, 10 warning, 20 critical.
    let status = alert.get("status").and_then(Value::as_u64);
    let (state, severity) = match (action, status) {
        ("resolved" | "closed", _) | ("", Some(2)) => (AlertState::Resolved, Severity::Critical),
        ("warning", _) | ("" | "open", Some(10)) => (AlertState::Firing, Severity::Warning),
        ("critical" | "open" | "triggered", _) | ("", Some(1 | 20)) => (AlertState::Firing, Severity::Critical),
        _ => return Ok(Reading::ignored("a metric alert in no state that we know")),
    };
    let fires = state == AlertState::Firing;
    let started = ["/date_started", "/date_detected", "/date_created"].into_iter().find_map(|place| time(alert, place));
    let ended = time(alert, "/date_closed").filter(|_| !fires);
    let mut labels = project_labels(alert, "/projects/0");
    let rule = word(alert, "/alert_rule/name");
    let environment = word(alert, "/alert_rule/environment").or(word(alert, "/alert_rule/environment/name"));
    let given = [
        ("alert_rule", rule),
        ("environment", environment),
        ("aggregate", word(alert, "/alert_rule/aggregate")),
        ("query", word(alert, "/alert_rule/query")),
    ];
    add(&mut labels, &given);
    let summary = word(data, "/description_text").unwrap_or("");
    Ok(Reading::Event(Alert {
        source: SOURCE.to_owned(),
        fingerprint: format!("metric/{id}"),
        name: named(&[rule, word(alert, "/title"), word(data, "/description_title")], "Sentry metric alert"),
        summary: text::line(summary, 300),
        severity,
        state,
        // Without an end it is over now, not when it began.
        started_at: started.filter(|_| fires || ended.is_some()),
        ended_at: ended,
        acknowledged: None,
        released_at: None,
        lasts: None,
        group: None,
        detail: None,
        labels,
        url: link(data, &["/web_url"]),
    }))
}

/// The id of an issue, as itself tells it.
fn issue_id(issue: &Value) -> Option<String> {
    let id = told(issue, "/id").map(|id| text::line(&id, 60));
    id.filter(|id| !id.is_empty())
}

/// The project, which is also the service unless a tag names one.
fn project_labels(value: &Value, slug: &str) -> Labels {
    let mut labels = Labels::new();
    let project = word(value, slug);
    add(&mut labels, &[("project", project), ("service", project)]);
    labels
}

/// Adds labels that are not there yet.
fn add(labels: &mut Labels, given: &[(&str, Option<&str>)]) {
    for (name, value) in given {
        let value = value.map(|value| text::line(value, 200)).filter(|value| !value.is_empty());
        if let Some(value) = value {
            labels.entry((*name).to_owned()).or_insert(value);
        }
    }
}

fn named(candidates: &[Option<&str>], otherwise: &str) -> String {
    let mut names = candidates.iter().flatten().map(|name| text::line(name, 200));
    names.find(|name| !name.is_empty()).unwrap_or_else(|| otherwise.to_owned())
}

/// `sample` is what Sentry's own examples have; what has no level counts as critical.
fn severity(level: Option<&str>) -> Severity {
    match level.map(str::to_lowercase).as_deref() {
        Some("debug" | "sample") => Severity::Info,
        other => Severity::from_label(other),
    }
}

/// The first of these that is a page: the API's own addresses are none.
fn link(value: &Value, pointers: &[&str]) -> Option<String> {
    let mut links = pointers.iter().filter_map(|pointer| word(value, pointer)).filter(|link| !link.contains("/api/0/"));
    links.find_map(text::url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    pub(super) fn alert(body: &Value) -> Alert {
        match read(body.to_string().as_bytes()).unwrap() {
            Reading::Event(mut event) => event.alerts.remove(0),
            Reading::Ignored(why) => panic!("ignored: {why}"),
        }
    }

    pub(super) fn ignored(body: &Value) -> String {
        match read(body.to_string().as_bytes()).unwrap() {
            Reading::Event(event) => panic!("read: {event:?}"),
            Reading::Ignored(why) => why,
        }
    }

    fn issue(action: &str, changes: Value) -> Value {
        let mut issue = json!({
            "id": "412", "shortId": "SHOP-1", "title": "KeyError: 'cart'", "culprit": "cart.views in pay", "level": "error",
            "status": "unresolved", "substatus": "new", "platform": "python", "project": { "id": "1", "slug": "shop" },
            "metadata": { "filename": "cart/views.py", "type": "KeyError", "value": "'cart'" }, "assignedTo": null,
            "firstSeen": "2026-03-02T10:00:00.320000Z", "lastSeen": "2026-03-02T10:30:00.000000Z",
            "web_url": "https://acme.sentry.io/issues/412/",
        });
        for (name, value) in changes.as_object().unwrap() {
            issue[name] = value.clone();
        }
        json!({ "action": action, "data": { "issue": issue }, "installation": { "uuid": "u" } })
    }

    #[test]
    fn an_issue_fires_until_it_is_resolved_or_archived() {
        let anna = json!({ "assignedTo": { "type": "user", "id": "9", "name": "Anna", "email": "anna@example.com" } });
        for (action, changes, want) in [
            ("created", json!({}), "Firing told"),
            ("unresolved", json!({ "substatus": "regressed" }), "Firing untold"),
            ("triggered", json!({ "substatus": "escalating" }), "Firing untold"),
            ("resolved", json!({ "status": "resolved" }), "Resolved untold"),
            ("archived", json!({ "status": "ignored" }), "Resolved untold"),
            ("ignored", json!({}), "Resolved untold"),
            ("assigned", anna.clone(), "Acknowledged told"),
        ] {
            let read = alert(&issue(action, changes));
            let told = if read.started_at.is_some() { "told" } else { "untold" };
            assert_eq!(format!("{:?} {told}", read.state), want, "{action}");
            assert_eq!(read.fingerprint, "issue/412");
        }
        let there = alert(&issue("assigned", anna)).acknowledged.unwrap();
        assert_eq!(
            (there.name.as_str(), there.login.unwrap().to_string().as_str()),
            ("Anna", "email:anna@example.com")
        );
        let labels = alert(&issue("created", json!({}))).labels;
        assert_eq!(
            (labels["project"].as_str(), labels["service"].as_str(), labels["files"].as_str()),
            ("shop", "shop", "cart/views.py")
        );
    }

    #[test]
    fn tidying_up_is_not_news() {
        let to = |kind: &str| json!({ "type": kind, "id": "9", "name": "Anna" });
        assert!(ignored(&issue("assigned", json!({ "assignedTo": to("team") }))).contains("no person"));
        let mut by_rule = issue("assigned", json!({ "assignedTo": to("user") }));
        by_rule["actor"] = json!({ "type": "application", "id": "sentry", "name": "Sentry" });
        assert!(ignored(&by_rule).contains("by a rule"));
        let old = json!({ "assignedTo": to("user"), "substatus": "ongoing" });
        assert!(ignored(&issue("assigned", old)).contains("known for long"));
        let older = json!({ "assignedTo": to("user"), "substatus": null, "firstSeen": "2026-01-02T10:00:00Z" });
        assert!(ignored(&issue("assigned", older)).contains("known for long"));
        assert!(ignored(&issue("viewed", json!({}))).contains("says nothing"));
    }

    fn metric(action: &str, changes: Value) -> Value {
        let mut alert = json!({
            "id": "4", "status": 20, "title": "Sacred Marmot", "projects": ["shop"], "date_started": "2026-03-02T10:00:00.000000Z",
            "alert_rule": { "id": "7", "name": "Too many errors", "environment": "prod", "aggregate": "count()" },
        });
        for (name, value) in changes.as_object().unwrap() {
            alert[name] = value.clone();
        }
        json!({ "action": action, "data": {
            "metric_alert": alert, "description_text": "1000 events", "web_url": "https://acme.sentry.io/alerts/1/",
        }})
    }

    #[test]
    fn a_metric_alert_says_its_severity_and_its_end() {
        for (action, changes, want) in [
            ("critical", json!({}), "Firing Critical true false"),
            ("warning", json!({ "status": 10 }), "Firing Warning true false"),
            ("resolved", json!({ "status": 2 }), "Resolved Critical false false"),
            ("resolved", json!({ "date_closed": "2026-03-02T11:00:00Z" }), "Resolved Critical true true"),
            ("", json!({ "status": 2 }), "Resolved Critical false false"),
        ] {
            let read = alert(&metric(action, changes));
            let times = (read.started_at.is_some(), read.ended_at.is_some());
            assert_eq!(format!("{:?} {:?} {} {}", read.state, read.severity, times.0, times.1), want);
            assert_eq!((read.fingerprint.as_str(), read.name.as_str()), ("metric/4", "Too many errors"));
            assert_eq!((read.labels["service"].as_str(), read.labels["environment"].as_str()), ("shop", "prod"));
        }
        let fragment = metric("", json!({ "status": 2 }))["data"]["metric_alert"].clone();
        assert_eq!(alert(&fragment).state, AlertState::Resolved);
        assert!(ignored(&metric("snored", json!({}))).contains("no state"));
    }

    #[test]
    fn what_is_about_something_else_is_ignored() {
        let about = |data: Value| ignored(&json!({ "action": "created", "data": data }));
        assert_eq!(about(json!({ "installation": {} })), "installation created: about no issue or metric");
        assert_eq!(about(json!({ "comment": "hello", "issue_id": 1 })), "comment created: about no issue or metric");
        assert!(ignored(&json!({ "title": "A form", "userId": 1 })).starts_with("not a Sentry webhook"));
        assert!(ignored(&json!({ "event": { "id": "another product's" } })).starts_with("not a Sentry webhook"));
        assert!(ignored(&json!(["x"])).starts_with("not a Sentry webhook"));
        assert!(read(b"{").is_err() && read(br#"{"action":"created","data":{"issue":{}}}"#).is_err());
    }
}
