//! The webhook that Opsgenie and its successor, Jira Service Management's Operations, share: an `action` on an `alert`.
//!
//! What an action says of the alert's state is read; the rest (notes, tags, responders, custom actions) is ignored.
//! Details come only with the creation and with custom actions; tags, alias and entity come with every action.
//! <https://support.atlassian.com/jira-service-management-cloud/docs/alert-action-data-for-jira-edge-connector>

use aws::given::{list, made, time, told, word};
use aws::{Malformed, Reading};
use domain::alert::AcknowledgedThere;
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, Login, Severity, text};
use jiff::Timestamp;
use serde_json::Value;

use super::detail;
use super::labels::Labels;

/// At most this many tags and details each become labels.
const MOST_LABELS: usize = 40;

/// Which product speaks.
#[derive(Clone, Copy)]
pub struct Speaker {
    pub source: &'static str,
    /// Where its accounts are.
    pub forge: &'static str,
    /// Where it shows an alert, before the alert's id, where that is known.
    pub shows: Option<&'static str>,
}

/// Whether a message is of this shape.
pub fn is_told(message: &Value) -> bool {
    word(message, "/action").is_some() && message.get("alert").is_some_and(Value::is_object)
}

pub fn read(message: &Value, speaker: Speaker) -> Result<Reading<AlertEvent>, Malformed> {
    let given = word(message, "/action").unwrap_or("");
    let alert = message.get("alert").unwrap_or(&Value::Null);
    let state = match state_after(given) {
        Ok(state) => state,
        Err(why) => return Ok(Reading::ignored(format!("{}: {why}", text::line(given, 60)))),
    };
    let id = told(alert, "/alertId").or_else(|| told(alert, "/id")).map(|id| text::line(&id, 100));
    let id = id.filter(|id| !id.is_empty()).ok_or_else(|| Malformed::new("an alert without an alertId"))?;
    let (created, updated) = (time(alert, "/createdAt"), time(alert, "/updatedAt"));
    let fires = state != AlertState::Resolved;
    let name = word(alert, "/message").map(|message| text::line(message, 200)).filter(|name| !name.is_empty());
    let acknowledged = updated.or(created).filter(|_| state == AlertState::Acknowledged);
    let read = Alert {
        source: speaker.source.to_owned(),
        name: name
            .unwrap_or_else(|| format!("alert {}", told(alert, "/tinyId").map_or(id.clone(), |t| text::line(&t, 20)))),
        summary: text::line(word(alert, "/description").unwrap_or(""), 300),
        severity: severity(alert.get("priority"), state),
        state,
        // Without an end the alert is over now, not when it began.
        started_at: created.filter(|_| fires || updated.is_some()),
        ended_at: updated.filter(|_| !fires),
        acknowledged: acknowledged.and_then(|at| acknowledged_by(alert, at, speaker)),
        released_at: updated.filter(|_| gives_back(given)),
        lasts: None,
        group: None,
        detail: detail(word(alert, "/description")),
        labels: labels(alert, message),
        url: link(alert, &id, speaker),
        fingerprint: id,
    };
    Ok(Reading::Event(super::brief(read)))
}

fn plain(action: &str) -> String {
    action.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether by this action whoever had taken the alert has it no more.
fn gives_back(action: &str) -> bool {
    ["unacknowledge", "unack"].contains(&plain(action).as_str())
}

/// In what state an action leaves its alert, or why it says nothing of that. Spelled `AddNote`, `add_note`, `Add Note`.
fn state_after(action: &str) -> Result<AlertState, &'static str> {
    Ok(match plain(action).as_str() {
        "create" | "created" | "open" | "reopen" | "unacknowledge" | "unack" | "escalate" | "escalatenext"
        | "escalatetonext" | "snoozeended" | "unsnooze" | "updatepriority" => AlertState::Firing,
        // Whoever takes the ownership has taken it over.
        "acknowledge" | "acknowledged" | "ack" | "takeownership" => AlertState::Acknowledged,
        "close" | "closed" | "resolve" | "resolved" | "delete" | "deleted" => AlertState::Resolved,
        "snooze" => return Err("still open, and nothing new"),
        "assign" | "assignownership" => return Err("given to somebody, who has not taken it yet"),
        "addnote" | "addtags" | "removetags" | "adddetails" | "removedetails" | "updatemessage"
        | "updatedescription" => {
            return Err("its words changed, not its state");
        }
        "addrecipient" | "addresponder" | "removeresponder" | "addteam" | "removeteam" => {
            return Err("who hears of it changed, not its state");
        }
        _ => return Err("not an action that changes an alert's state"),
    })
}

fn acknowledged_by(alert: &Value, at: Timestamp, speaker: Speaker) -> Option<AcknowledgedThere> {
    let (username, id) = (word(alert, "/username"), word(alert, "/userId"));
    let name = text::line(username.or(id)?, 100);
    let address = username.and_then(|username| Login::from_email(username).ok());
    let mut accounts = [username, id].into_iter().flatten().filter_map(|name| Login::new(speaker.forge, name).ok());
    Some(AcknowledgedThere { at, login: address.or_else(|| accounts.next()), name })
}

/// `P1` to `P5`, or the number alone. Without one it counts as critical, but older acknowledgements tell none and make
/// nothing worse.
fn severity(priority: Option<&Value>, state: AlertState) -> Severity {
    let number = priority.and_then(Value::as_u64).map(|number| format!("p{number}"));
    let text = priority.and_then(Value::as_str).map(|text| text.chars().take(20).collect::<String>());
    match number.or(text) {
        None if state == AlertState::Acknowledged => Severity::Info,
        told => Severity::from_label(told.as_deref()),
    }
}

fn labels(alert: &Value, message: &Value) -> Labels {
    let mut labels = Labels::new();
    for details in ["/details", "/extraProperties"] {
        let pairs = alert.pointer(details).and_then(Value::as_object).into_iter().flatten();
        let pairs = pairs.take(MOST_LABELS).filter_map(|(name, value)| Some((name, made(value)?)));
        labels.extend(pairs.map(|(name, value)| (text::line(name, 100), text::line(&value, 200))));
    }
    add_tags(&mut labels, alert.get("tags"));
    let priority = alert.get("priority").and_then(made);
    let own = [
        ("alias", word(alert, "/alias")),
        ("entity", word(alert, "/entity")),
        ("priority", priority.as_deref()),
        ("team", team(alert)),
        ("source", word(alert, "/source")),
        ("integration", word(message, "/integrationName")),
    ];
    for (name, value) in own.into_iter().filter_map(|(name, value)| Some((name, text::line(value?, 200)))) {
        labels.entry(name.to_owned()).or_insert(value);
    }
    labels.retain(|name, value| !name.is_empty() && !value.is_empty());
    labels
}

/// The name of the first team. Older messages list teams by name or id alone.
fn team(alert: &Value) -> Option<&str> {
    let listed = |place| list(alert, place).take(20);
    let named =
        listed("/responders").filter(|one| word(one, "/type") == Some("team")).find_map(|one| word(one, "/name"));
    let teams = || listed("/teams").find_map(|one| one.as_str().filter(|t| !t.is_empty()).or(word(one, "/name")));
    named.or_else(teams).or(word(alert, "/team")).or(word(alert, "/ownerTeam"))
}

/// Tags such as `service:edxapp` and `env=prod` are labels; what is left over is kept together as `tags`.
pub fn add_tags(labels: &mut Labels, tags: Option<&Value>) {
    let mut others = Vec::new();
    for tag in tags.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).take(MOST_LABELS) {
        match tag.split_once([':', '=']) {
            Some((name, value)) if is_name(name.trim()) && !value.trim().is_empty() && !value.starts_with("//") => {
                labels.entry(text::line(name, 100)).or_insert_with(|| text::line(value, 200));
            }
            Some(_) | None => others.push(tag),
        }
    }
    if !others.is_empty() {
        labels.entry("tags".to_owned()).or_insert_with(|| text::line(&others.join(" "), 200));
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

fn link(alert: &Value, id: &str, speaker: Speaker) -> Option<String> {
    let safe = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let made = || speaker.shows.filter(|_| safe).and_then(|shows| text::url(&format!("{shows}{id}")));
    word(alert, "/url").and_then(text::url).or_else(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SPEAKER: Speaker =
        Speaker { source: "opsgenie", forge: "opsgenie", shows: Some("https://app.opsgenie.com/alert/detail/") };

    fn message(action: &str) -> Value {
        json!({ "action": action, "integrationName": "Recent Deployers", "alert": {
            "alertId": "0c1-22", "tinyId": "31", "message": "Queue is long", "alias": "queue", "entity": "celery",
            "createdAt": 1_772_445_600_000_u64, "updatedAt": 1_772_449_200_000_000_123_u64,
            "username": "anna@example.com", "userId": "u-1", "priority": "P3",
            "tags": ["service:edxapp", "env=prod", "vip", "see https://example.com"],
            "details": { "region": "eu-north-1", "attempts": 3, "nested": {} },
            "responders": [{ "type": "user", "name": "x" }, { "type": "team", "name": "Platform" }],
        }})
    }

    fn alert(message: &Value) -> Alert {
        match read(message, SPEAKER).unwrap() {
            Reading::Event(mut event) => event.alerts.remove(0),
            Reading::Ignored(why) => panic!("ignored: {why}"),
        }
    }

    #[test]
    fn an_action_says_in_what_state_the_alert_is() {
        for (action, want) in [
            ("Create", "Firing"),
            ("UnAcknowledge", "Firing"),
            ("Escalate", "Firing"),
            ("SnoozeEnded", "Firing"),
            ("UpdatePriority", "Firing"),
            ("Acknowledge", "Acknowledged"),
            ("Take Ownership", "Acknowledged"),
            ("Close", "Resolved"),
            ("delete", "Resolved"),
            ("AddNote", "AddNote: its words changed, not its state"),
            ("AddTeam", "AddTeam: who hears of it changed, not its state"),
            ("Snooze", "Snooze: still open, and nothing new"),
            ("AssignOwnership", "AssignOwnership: given to somebody, who has not taken it yet"),
            ("Restart\nit", "Restart it: not an action that changes an alert's state"),
        ] {
            let got = match read(&message(action), SPEAKER).unwrap() {
                Reading::Event(event) => format!("{:?}", event.alerts[0].state),
                Reading::Ignored(why) => why,
            };
            assert_eq!(got, want, "{action}");
        }
    }

    #[test]
    fn times_people_and_labels_are_read() {
        let read = alert(&message("Acknowledge"));
        assert_eq!(read.started_at, "2026-03-02T10:00:00Z".parse().ok());
        let there = read.acknowledged.unwrap();
        assert_eq!(there.at.as_second(), 1_772_449_200);
        assert_eq!(there.login.unwrap().to_string(), "email:anna@example.com");
        let label = |name: &str| read.labels.get(name).map_or("-", String::as_str);
        for (name, want) in [
            ("service", "edxapp"),
            ("env", "prod"),
            ("tags", "vip see https://example.com"),
            ("region", "eu-north-1"),
            ("attempts", "3"),
            ("nested", "-"),
            ("team", "Platform"),
            ("alias", "queue"),
            ("entity", "celery"),
        ] {
            assert_eq!(label(name), want, "{name}");
        }
        assert_eq!((read.severity, read.fingerprint.as_str()), (Severity::Warning, "0c1-22"));
        assert_eq!(read.url.as_deref(), Some("https://app.opsgenie.com/alert/detail/0c1-22"));
    }

    #[test]
    fn little_is_enough_but_not_nothing() {
        let few = json!({ "action": "Escalate", "alert": { "alertId": "7" } });
        let read = alert(&few);
        assert_eq!((read.state, read.started_at, read.name.as_str()), (AlertState::Firing, None, "alert 7"));
        let closed =
            alert(&json!({ "action": "Close", "alert": { "alertId": 7, "createdAt": 1_772_445_600_000_u64 } }));
        assert_eq!((closed.started_at, closed.ended_at), (None, None));
        let system = json!({ "action": "ack", "alert": { "alertId": 7, "updatedAt": "2026-03-02T10:00:00Z", "username": "Alert API" } });
        let there = alert(&system).acknowledged.unwrap();
        assert_eq!((there.name.as_str(), there.login), ("Alert API", None));
        let nobody = json!({ "action": "Create", "alert": {} });
        assert!(super::read(&nobody, SPEAKER).is_err());
    }
}
