//! An event of Sentry: of an issue alert, of an error webhook, or of a project's plugin or service hook. It tells where
//! it happened: environment, release, and the files of its stack trace, by which suspects can be told apart.
//! <https://docs.sentry.io/organization/integrations/integration-platform/webhooks/issue-alerts/>

use std::collections::BTreeSet;

use aws::given::{list, time, told, word};
use aws::{Malformed, Reading};
use domain::{Alert, AlertState, text};
use serde_json::Value;

use super::super::detail;
use super::{SOURCE, add, link, named, severity};
use crate::senders::labels::Labels;

/// At most this many tags become labels, and this many files are named.
const MOST_TAGS: usize = 40;
const MOST_FILES: usize = 12;
/// How long the names of the files are together, in characters.
const MOST_FILE_NAMES: usize = 600;
/// At most this many exceptions, entries and stack frames are looked at.
const MOST_FRAMES: usize = 400;

/// `around` is what the event came in: it may name the project, the issue and the rule that was triggered.
pub(super) fn read(event: &Value, around: &Value) -> Result<Reading<Alert>, Malformed> {
    let tags = tags(event);
    if tags.get("sample_event").is_some_and(|value| value == "yes") {
        return Ok(Reading::ignored("a sample event of Sentry's: the connection works"));
    }
    let id = identity(event, around).ok_or_else(|| Malformed::new("an event without an id, of no issue"))?;
    let level = word(event, "/level").or(word(around, "/level")).or(tags.get("level").map(String::as_str));
    let title = [
        word(event, "/title"),
        word(around, "/group/title"),
        word(event, "/metadata/title"),
        word(event, "/metadata/type"),
        word(around, "/message"),
        word(event, "/message"),
    ];
    let name = named(&title, "Sentry issue");
    let said = [
        word(around, "/message"),
        word(event, "/logentry/formatted"),
        word(event, "/message"),
        word(event, "/metadata/value"),
        word(event, "/culprit"),
        word(around, "/culprit"),
    ];
    let mut said = said.into_iter().flatten().map(|said| text::line(said, 300));
    let summary = said.find(|said| *said != name).unwrap_or_default();
    let happened = ["/datetime", "/dateCreated", "/timestamp", "/received"];
    Ok(Reading::Event(Alert {
        source: SOURCE.to_owned(),
        fingerprint: id,
        name,
        summary,
        severity: severity(level),
        state: AlertState::Firing,
        started_at: happened.into_iter().find_map(|place| time(event, place)),
        ended_at: None,
        acknowledged: None,
        released_at: None,
        lasts: Some(super::super::UNENDED),
        group: None,
        detail: detail(word(event, "/culprit").or(word(around, "/culprit"))),
        labels: labels(event, around, &tags, level),
        url: link(event, &["/web_url"])
            .or_else(|| link(around, &["/url", "/group/url"]))
            .or_else(|| link(event, &["/url"])),
    }))
}

/// The issue that the event belongs to: the same alert as the issue's own webhooks. Else the event itself.
fn identity(event: &Value, around: &Value) -> Option<String> {
    let in_address = |address: &str| {
        let (id, _) = address.split_once("/issues/")?.1.split_once('/')?;
        (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).then(|| id.to_owned())
    };
    // A plugin's own id is the issue's; an event that comes alone calls its own id so.
    let plugin = around.get("event").is_some() && around.get("triggered_rule").is_none();
    let bare = std::ptr::eq(event, around) && word(event, "/event_id").is_none();
    let issue = told(event, "/issue_id")
        .or_else(|| told(around, "/group/id"))
        .or_else(|| told(around, "/id").filter(|_| (plugin && around.get("group").is_none()) || bare))
        .or_else(|| word(event, "/issue_url").and_then(in_address))
        .or_else(|| word(event, "/web_url").and_then(in_address))
        .or_else(|| told(event, "/groupID"))
        .or_else(|| told(event, "/group_id"));
    let line = |id: String| Some(text::line(&id, 60)).filter(|id| !id.is_empty());
    let own = || told(event, "/event_id").and_then(line).map(|id| format!("event/{id}"));
    issue.and_then(line).map(|id| format!("issue/{id}")).or_else(own)
}

fn labels(event: &Value, around: &Value, tags: &Labels, level: Option<&str>) -> Labels {
    let tag = |name: &str| tags.get(name).map(String::as_str);
    let files = files(event);
    let (organization, in_address) = word(event, "/url").map_or((None, None), project_of);
    let project = word(around, "/project_slug")
        .or(word(around, "/project/slug"))
        .or(word(around, "/project"))
        .or(word(event, "/project_slug"))
        .or(word(event, "/project/slug"))
        .or(in_address);
    let release =
        word(event, "/release").or(word(event, "/release/version")).or(tag("release")).or(tag("sentry:release"));
    let given = [
        ("project", project),
        ("organization", organization),
        ("environment", word(event, "/environment").or(tag("environment"))),
        ("release", release),
        ("level", level),
        ("platform", word(event, "/platform")),
        ("server_name", word(event, "/server_name").or(tag("server_name"))),
        ("transaction", word(event, "/transaction").or(tag("transaction"))),
        ("culprit", word(event, "/culprit").or(word(around, "/culprit"))),
        ("rule", word(around, "/triggered_rule").or(word(around, "/triggering_rules/0"))),
    ];
    let mut labels = Labels::new();
    add(&mut labels, &given);
    // A tag may name the service; what Sentry itself says of the rest goes before.
    for (name, value) in tags {
        add(&mut labels, &[(name, Some(value))]);
    }
    labels.remove("sentry:release");
    if let Some(project) = project {
        add(&mut labels, &[("service", Some(project))]);
    }
    labels.extend(files.map(|files| ("files".to_owned(), files)));
    labels
}

/// Tags are pairs, objects of key and value, or one object. Those about the user are left out.
fn tags(event: &Value) -> Labels {
    let of_user = |name: &str| name == "user" || name.starts_with("user.") || name.starts_with("sentry:user");
    let pair = |tag: &Value| {
        let name = tag.pointer("/0").or_else(|| tag.get("key"))?.as_str()?;
        let value = tag.pointer("/1").or_else(|| tag.get("value"))?.as_str()?;
        Some((text::line(name, 100), text::line(value, 200)))
    };
    let pairs = list(event, "/tags").take(MOST_TAGS).filter_map(pair);
    let object = event.get("tags").and_then(Value::as_object).into_iter().flatten().take(MOST_TAGS);
    let object = object.filter_map(|(name, value)| Some((text::line(name, 100), text::line(value.as_str()?, 200))));
    pairs.chain(object).filter(|(name, value)| !name.is_empty() && !value.is_empty() && !of_user(name)).collect()
}

/// Organisation and project of `https://sentry.io/api/0/projects/<organisation>/<project>/events/...`.
fn project_of(address: &str) -> (Option<&str>, Option<&str>) {
    let rest = address.split_once("/api/0/projects/").map_or("", |(_, rest)| rest);
    let mut parts = rest.split('/').map(Some).map(|part| part.filter(|part| !part.is_empty()));
    (parts.next().flatten(), parts.next().flatten())
}

/// The files of the stack traces, innermost first: those of the application, else all.
fn files(event: &Value) -> Option<String> {
    let frames = frames(event);
    let ours =
        frames.iter().any(|frame| frame.get("in_app").or_else(|| frame.get("inApp")) == Some(&Value::Bool(true)));
    let is_ours =
        |frame: &&&Value| !ours || frame.get("in_app").or_else(|| frame.get("inApp")) == Some(&Value::Bool(true));
    let named =
        frames.iter().rev().filter(is_ours).filter_map(|frame| word(frame, "/filename").or(word(frame, "/absPath")));
    let mut seen = BTreeSet::new();
    let mut names: Vec<&str> =
        named.filter(|name| !name.starts_with('<') && seen.insert(*name)).take(MOST_FILES).collect();
    if names.is_empty() {
        names.extend(word(event, "/metadata/filename").filter(|name| !name.starts_with('<')));
    }
    Some(text::line(&names.join(", "), MOST_FILE_NAMES)).filter(|names| !names.is_empty())
}

/// Every frame, the oldest first, as Sentry lists them: of `exception`, of its older name, and of the API's `entries`.
fn frames(event: &Value) -> Vec<&Value> {
    let listed = |of, place| list(of, place).take(MOST_FRAMES);
    let entries = listed(event, "/entries").filter(|entry| word(entry, "/type") == Some("exception"));
    let of_entries = entries.flat_map(|entry| listed(entry, "/data/values"));
    let direct = listed(event, "/exception/values").chain(listed(event, "/sentry.interfaces.Exception/values"));
    let of_exceptions = direct.chain(of_entries).flat_map(|exception| listed(exception, "/stacktrace/frames"));
    let own = listed(event, "/stacktrace/frames").chain(listed(event, "/sentry.interfaces.Stacktrace/frames"));
    own.chain(of_exceptions).take(MOST_FRAMES).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{alert, ignored as why};
    use super::*;
    use domain::Severity;
    use serde_json::json;

    fn event() -> Value {
        json!({
            "event_id": "e1", "issue_id": "412", "title": "KeyError: 'cart'", "level": "fatal", "platform": "python",
            "culprit": "cart.views in pay", "datetime": "2026-03-02T10:00:00.500000Z", "release": "shop@2.1", "message": "",
            "url": "https://sentry.io/api/0/projects/acme/shop/events/e1/", "project": 1, "metadata": { "value": "'cart'" },
            "web_url": "https://sentry.io/organizations/acme/issues/412/events/e1/",
            "tags": [["environment", "prod"], ["user", "id:7"], ["user.email", "x@example.com"], ["browser", "Chrome 75"]],
            "exception": { "values": [{ "stacktrace": { "frames": [
                { "filename": "lib/wsgi.py", "in_app": false },
                { "filename": "cart/urls.py", "in_app": true },
                { "filename": "cart/views.py", "in_app": true },
                { "filename": "cart/views.py", "in_app": true },
            ]}}]},
        })
    }

    #[test]
    fn an_issue_alert_is_its_issue_firing() {
        let read =
            alert(&json!({ "action": "triggered", "data": { "event": event(), "triggered_rule": "New in prod" } }));
        assert_eq!(
            (read.fingerprint.as_str(), read.state, read.severity),
            ("issue/412", AlertState::Firing, Severity::Critical)
        );
        assert_eq!(read.summary, "'cart'");
        assert_eq!(read.url.as_deref(), Some("https://sentry.io/organizations/acme/issues/412/events/e1/"));
        let label = |name: &str| read.labels.get(name).map_or("-", String::as_str);
        for (name, want) in [
            ("project", "shop"),
            ("service", "shop"),
            ("organization", "acme"),
            ("environment", "prod"),
            ("release", "shop@2.1"),
            ("rule", "New in prod"),
            ("browser", "Chrome 75"),
            ("files", "cart/views.py, cart/urls.py"),
            ("user", "-"),
            ("user.email", "-"),
        ] {
            assert_eq!(label(name), want, "{name}");
        }
    }

    #[test]
    fn every_teller_of_an_issue_names_the_same_alert() {
        let (mut without, mut alone) = (event(), event());
        without["issue_id"] = Value::Null;
        alone["issue_id"] = Value::Null;
        alone["web_url"] = Value::Null;
        for (body, want) in [
            (json!({ "action": "created", "data": { "error": event() } }), "issue/412"),
            (json!({ "action": "triggered", "data": { "event": without, "triggered_rule": "x" } }), "issue/412"),
            (
                json!({ "id": "412", "project": "shop", "level": "error", "event": { "event_id": "e1", "id": "e1" } }),
                "issue/412",
            ),
            (json!({ "project": { "slug": "shop" }, "group": { "id": 412 }, "event": { "id": "9" } }), "issue/412"),
            (json!({ "id": "412", "project": "shop", "level": "error", "message": "No cart" }), "issue/412"),
            (alone, "event/e1"),
        ] {
            let read = alert(&body);
            assert_eq!((read.fingerprint.as_str(), read.labels["service"].as_str()), (want, "shop"), "{body}");
        }
    }

    #[test]
    fn the_level_is_the_severity_and_a_tag_may_name_the_service() {
        for (level, want) in [
            ("error", Severity::Critical),
            ("warning", Severity::Warning),
            ("info", Severity::Info),
            ("debug", Severity::Info),
        ] {
            let mut event = event();
            event["level"] = json!(level);
            event["tags"] = json!([{ "key": "service", "value": "checkout" }]);
            let read = alert(&json!({ "action": "triggered", "data": { "event": event } }));
            assert_eq!((read.severity, read.labels["service"].as_str()), (want, "checkout"), "{level}");
        }
    }

    #[test]
    fn a_sample_event_shows_that_the_connection_works() {
        let body =
            json!({ "id": "1", "project": "shop", "event": { "event_id": "e", "tags": [["sample_event", "yes"]] } });
        assert_eq!(why(&body), "a sample event of Sentry's: the connection works");
    }
}
