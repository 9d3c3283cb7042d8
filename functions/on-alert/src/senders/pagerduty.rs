//! PagerDuty: webhook subscriptions (v3), and the `messages` of the older v2 and v1 webhooks.
//!
//! What an incident's state is, its `status` says; the event says who moved it there and when. So an escalation or a
//! change of priority never opens again what is over: but for a trigger and a reopening an incident starts when it was
//! created.
//! <https://developer.pagerduty.com/docs/webhooks-overview>

use std::collections::BTreeMap;

use aws::given::{list, time, told, word};
use aws::verify::{Signature, Signed};
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::alert::AcknowledgedThere;
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, Login, Severity, text};
use jiff::Timestamp;
use serde_json::Value;

use super::detail;

pub const SENDER: Sender<AlertEvent> = Sender {
    name: "pagerduty",
    proofs: &[Proof::Signature(Signature {
        header: "x-pagerduty-signature",
        prefix: "v1=",
        several: true,
        signed: Signed::Body,
    })],
    parse: read,
    guide: Guide {
        title: "PagerDuty",
        steps: &[
            "In Integrations, Generic Webhooks (v3), New Webhook: Webhook URL {url}",
            "Scope: the service, the team or the account; Event Subscription: every `incident.` event but notes, responders and status updates",
            "PagerDuty makes the secret and shows it once, after Add Webhook: give it to this source as its secret",
            "Send Test Event (in the webhook's menu) answers that the connection works",
        ],
        reads: "triggered, reopened, acknowledged, unacknowledged, escalated, reassigned, delegated, priority updated, resolved: by the incident's `status`; v2 and v1 `messages` likewise",
        ignores: "notes, responders, status updates, workflows, custom fields, services, the test event",
        docs: "https://support.pagerduty.com/main/docs/webhooks",
    },
};

const SOURCE: &str = "pagerduty";
/// At most this many messages of one v2 or v1 webhook are read; PagerDuty sends a few.
const MOST_MESSAGES: usize = 500;

fn read(body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    let whole: Value = parse(body)?;
    if let Some(event) = whole.get("event").filter(|event| event.is_object()) {
        return Ok(read_v3(event)?.map(|alert| super::bounded(vec![alert], 1)));
    }
    match whole.get("messages").and_then(Value::as_array) {
        Some(messages) => read_messages(messages),
        None => Ok(Reading::ignored("not a PagerDuty webhook: it has neither an event nor messages")),
    }
}

/// What can be read of the messages is; an error only where nothing can.
fn read_messages(messages: &[Value]) -> Result<Reading<AlertEvent>, Malformed> {
    let (mut alerts, mut of, mut ignored, mut unread) = (Vec::new(), messages.len(), None, None);
    for message in messages.iter().take(MOST_MESSAGES) {
        match read_message(message) {
            Ok(Reading::Event(alert)) => alerts.push(alert),
            Ok(Reading::Ignored(why)) => {
                ignored = Some(why);
                of -= 1;
            }
            Err(why) => unread = Some(why),
        }
    }
    match (alerts.is_empty(), ignored, unread) {
        (false, ..) => Ok(Reading::Event(super::bounded(alerts, of))),
        (true, None, Some(why)) => Err(why),
        (true, why, _) => Ok(Reading::Ignored(why.unwrap_or_else(|| "the message is empty".to_owned()))),
    }
}

fn read_v3(event: &Value) -> Result<Reading<Alert>, Malformed> {
    let kind = word(event, "/event_type").unwrap_or("");
    if kind == "pagey.ping" || word(event, "/resource_type") == Some("pagey") {
        return Ok(Reading::ignored("PagerDuty's test event: the connection works"));
    }
    let incident = event.get("data").unwrap_or(&Value::Null);
    // Notes, responders and the like are about an incident without saying its state.
    let is_incident = word(incident, "/type").is_none_or(|kind| matches!(kind, "incident" | "incident_reference"));
    if !kind.starts_with("incident.") || !is_incident {
        return Ok(silent(kind));
    }
    let agent = event.get("agent").unwrap_or(&Value::Null);
    read_incident(incident, kind, time(event, "/occurred_at"), agent)
}

/// v2 tells `event` and `incident`, v1 `type` and `data.incident`.
fn read_message(message: &Value) -> Result<Reading<Alert>, Malformed> {
    let kind = word(message, "/event").or(word(message, "/type")).unwrap_or("");
    let incident = message.get("incident").or_else(|| message.pointer("/data/incident")).unwrap_or(&Value::Null);
    if !kind.starts_with("incident.") || !incident.is_object() {
        return Ok(silent(kind));
    }
    let last = |place: &str| list(incident, place).next_back();
    let acknowledger = last("/acknowledgements")
        .and_then(|one| one.get("acknowledger"))
        .or_else(|| last("/acknowledgers").and_then(|one| one.get("object")));
    let agent = acknowledger
        .or_else(|| incident.get("last_status_change_by").filter(|by| by.is_object()))
        .or_else(|| message.pointer("/log_entries/0/agent"));
    read_incident(incident, kind, time(message, "/created_on"), agent.unwrap_or(&Value::Null))
}

fn silent<E>(kind: &str) -> Reading<E> {
    let kind = text::line(kind, 60);
    let kind = if kind.is_empty() { "an event without a type".to_owned() } else { kind };
    Reading::ignored(format!("{kind}: says nothing of an incident's state"))
}

/// What an event did to its incident, by its v3 name or the older one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Did {
    Open,
    Acknowledge,
    Resolve,
    /// Anything after which it is as its status says.
    Other,
}

impl Did {
    fn of(kind: &str) -> Option<Self> {
        Some(match kind.strip_prefix("incident.")? {
            "triggered" | "trigger" | "reopened" | "reopen" => Self::Open,
            "acknowledged" | "acknowledge" => Self::Acknowledge,
            "resolved" | "resolve" => Self::Resolve,
            "annotated" | "annotate" => return None,
            _ => Self::Other,
        })
    }
}

fn read_incident(
    incident: &Value,
    kind: &str,
    at: Option<Timestamp>,
    agent: &Value,
) -> Result<Reading<Alert>, Malformed> {
    let Some(did) = Did::of(kind) else { return Ok(silent(kind)) };
    let state = match (word(incident, "/status"), did) {
        (Some("resolved"), _) | (_, Did::Resolve) => AlertState::Resolved,
        (Some("acknowledged"), _) | (None, Did::Acknowledge) => AlertState::Acknowledged,
        (Some("triggered"), _) | (None, Did::Open) => AlertState::Firing,
        (Some(_) | None, _) => return Ok(silent(kind)),
    };
    let id = told(incident, "/id").map(|id| text::line(&id, 100)).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| Malformed::new("a PagerDuty incident without an id"))?;
    let created = time(incident, "/created_at").or(time(incident, "/created_on"));
    let reopened = kind.starts_with("incident.reopen");
    // Without the time of its creation it starts with the event: no event from before its end opens it again.
    let started = created.filter(|_| !reopened).or(at).or(created);
    let fires = state != AlertState::Resolved;
    let changed = time(incident, "/last_status_change_at").or(time(incident, "/last_status_change_on"));
    let moved = if did == Did::Other { changed.or(at) } else { at.or(changed) };
    // Otherwise the agent is who changed the priority, and so on.
    let by = if did == Did::Acknowledge || names_acknowledgers(incident) { agent } else { &Value::Null };
    let says = ["/trigger_summary_data/description", "/body/details", "/first_trigger_log_entry/summary"];
    Ok(Reading::Event(Alert {
        source: SOURCE.to_owned(),
        fingerprint: id,
        name: name(incident),
        summary: says
            .into_iter()
            .find_map(|from| word(incident, from))
            .map_or_else(String::new, |s| text::line(s, 300)),
        severity: severity(incident),
        state,
        started_at: started.filter(|_| fires || created.is_some()),
        ended_at: moved.filter(|_| !fires),
        acknowledged: moved.filter(|_| state == AlertState::Acknowledged).and_then(|at| acknowledged(by, at)),
        released_at: moved.filter(|_| kind.starts_with("incident.unacknowledge") && state == AlertState::Firing),
        lasts: None,
        group: None,
        detail: detail(says.into_iter().filter_map(|from| word(incident, from))),
        labels: labels(incident),
        url: word(incident, "/html_url").and_then(text::url),
    }))
}

fn name(incident: &Value) -> String {
    let titles = ["/title", "/description", "/trigger_summary_data/subject", "/summary"];
    let mut titles = titles.into_iter().filter_map(|from| word(incident, from)).map(|title| text::line(title, 200));
    titles.find(|title| !title.is_empty()).unwrap_or_else(|| "PagerDuty incident".to_owned())
}

/// The older webhooks say in the incident who acknowledged it, whatever the event is.
fn names_acknowledgers(incident: &Value) -> bool {
    let list = incident.get("acknowledgements").or_else(|| incident.get("acknowledgers")).and_then(Value::as_array);
    list.is_some_and(|list| !list.is_empty())
}

/// Who acknowledged: a person, or an integration that did it for somebody.
fn acknowledged(agent: &Value, at: Timestamp) -> Option<AcknowledgedThere> {
    let name = word(agent, "/summary").or(word(agent, "/name")).map(|name| text::line(name, 100));
    let is_person = word(agent, "/type").is_none_or(|kind| kind.starts_with("user"));
    let id = told(agent, "/id");
    if name.is_none() && id.is_none() {
        return None;
    }
    let address = word(agent, "/email").and_then(|address| Login::from_email(address).ok());
    let login = address.or_else(|| Login::new(SOURCE, id.as_deref()?).ok()).filter(|_| is_person);
    let name = name.filter(|name| !name.is_empty()).or_else(|| id.map(|id| text::line(&id, 100)));
    Some(AcknowledgedThere { at, login, name: name.unwrap_or_default() })
}

fn labels(incident: &Value) -> BTreeMap<String, String> {
    let number = told(incident, "/number").or_else(|| told(incident, "/incident_number"));
    let service = word(incident, "/service/summary").or(word(incident, "/service/name"));
    let given = [
        ("service", service),
        ("pagerduty_service", word(incident, "/service/id")),
        ("team", word(incident, "/teams/0/summary").or(word(incident, "/teams/0/name"))),
        (
            "escalation_policy",
            word(incident, "/escalation_policy/summary").or(word(incident, "/escalation_policy/name")),
        ),
        ("urgency", word(incident, "/urgency")),
        ("priority", priority(incident)),
        ("incident_type", word(incident, "/incident_type/name")),
        ("incident_key", word(incident, "/incident_key")),
        ("incident_number", number.as_deref()),
    ];
    let told = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), text::line(value?, 200))));
    told.filter(|(_, value)| !value.is_empty()).collect()
}

fn priority(incident: &Value) -> Option<&str> {
    word(incident, "/priority/summary").or(word(incident, "/priority/name"))
}

/// By the priority's rank, else by the urgency.
fn severity(incident: &Value) -> Severity {
    let ranked = priority(incident).and_then(rank);
    ranked.unwrap_or_else(|| {
        if word(incident, "/urgency") == Some("low") { Severity::Warning } else { Severity::Critical }
    })
}

/// `P1`, `SEV-2`, `Priority 3 (minor)`, `High`: each account names its priorities. `None` where a name says no rank.
fn rank(priority: &str) -> Option<Severity> {
    let plain: String = priority.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let number = ["priority", "prio", "p", "severity", "sev", "s", ""]
        .into_iter()
        .find_map(|before| plain.strip_prefix(before)?.chars().next().filter(char::is_ascii_digit));
    Some(match (number, plain.as_str()) {
        (Some('0'..='2'), _) | (None, "critical" | "highest" | "high" | "major" | "urgent") => Severity::Critical,
        (Some('3'), _) | (None, "medium" | "moderate" | "minor" | "warning") => Severity::Warning,
        (Some(_), _) | (None, "low" | "lowest" | "info" | "informational") => Severity::Info,
        (None, _) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn v3(kind: &str, occurred: &str, changes: Value) -> Value {
        let mut data = json!({
            "id": "PINC1", "type": "incident", "number": 7, "status": "triggered", "title": "Checkout is down",
            "created_at": "2026-03-02T10:00:00Z", "urgency": "high", "html_url": "https://acme.pagerduty.com/incidents/PINC1",
            "service": { "id": "PSVC1", "summary": "checkout" }, "teams": [{ "id": "PT1", "summary": "Payments" }],
        });
        for (name, value) in changes.as_object().unwrap() {
            data[name] = value.clone();
        }
        let agent = json!({ "id": "PUSR1", "type": "user_reference", "summary": "Anna Lindqvist" });
        json!({ "event": { "event_type": kind, "resource_type": "incident", "occurred_at": occurred, "agent": agent, "data": data } })
    }

    fn alert(body: &Value) -> Alert {
        match read(body.to_string().as_bytes()).unwrap() {
            Reading::Event(mut event) => event.alerts.remove(0),
            Reading::Ignored(why) => panic!("ignored: {why}"),
        }
    }

    fn ignored(body: &Value) -> String {
        match read(body.to_string().as_bytes()).unwrap() {
            Reading::Event(event) => panic!("read: {event:?}"),
            Reading::Ignored(why) => why,
        }
    }

    fn at(time: Option<Timestamp>) -> String {
        time.map_or_else(|| "-".to_owned(), |at| at.strftime("%H:%M").to_string())
    }

    #[test]
    fn the_status_is_the_state_and_only_a_reopening_starts_anew() {
        let (open, taken, over) = (json!({}), json!({ "status": "acknowledged" }), json!({ "status": "resolved" }));
        for (kind, changes, want) in [
            ("incident.triggered", &open, "Firing 10:00 -"),
            ("incident.reopened", &open, "Firing 11:00 -"),
            ("incident.escalated", &open, "Firing 10:00 -"),
            ("incident.unacknowledged", &open, "Firing 10:00 -"),
            ("incident.reassigned", &taken, "Acknowledged 10:00 -"),
            ("incident.priority_updated", &over, "Resolved 10:00 11:00"),
            ("incident.acknowledged", &taken, "Acknowledged 10:00 -"),
            ("incident.resolved", &over, "Resolved 10:00 11:00"),
        ] {
            let read = alert(&v3(kind, "2026-03-02T11:00:00Z", changes.clone()));
            assert_eq!(format!("{:?} {} {}", read.state, at(read.started_at), at(read.ended_at)), want, "{kind}");
            assert_eq!(read.fingerprint, "PINC1");
        }
        let old = v3("incident.triggered", "2026-03-02T11:00:00Z", json!({ "created_at": null }));
        assert_eq!(at(alert(&old).started_at), "11:00");
    }

    #[test]
    fn a_late_escalation_does_not_open_again_what_is_over() {
        let mut signals = domain::Signals::default();
        let (over, now) = (json!({ "status": "resolved" }), "2026-03-02T12:00:00Z".parse().unwrap());
        for (kind, time, changes) in [
            ("incident.triggered", "2026-03-02T10:00:01Z", json!({})),
            ("incident.resolved", "2026-03-02T11:00:00Z", over),
            ("incident.escalated", "2026-03-02T10:30:00Z", json!({})),
        ] {
            signals.learn(&alert(&v3(kind, time, changes)), now);
        }
        assert_eq!(signals.firing().count(), 0);
        signals.learn(&alert(&v3("incident.reopened", "2026-03-02T11:30:00Z", json!({}))), now);
        assert_eq!(signals.firing().count(), 1);
    }

    #[test]
    fn who_acknowledged_is_a_person_or_what_acted_for_one() {
        let taken = json!({ "status": "acknowledged" });
        let mut body = v3("incident.acknowledged", "2026-03-02T11:00:00Z", taken.clone());
        let there = alert(&body).acknowledged.unwrap();
        assert_eq!(
            (there.name.as_str(), there.login.unwrap().to_string().as_str()),
            ("Anna Lindqvist", "pagerduty:pusr1")
        );
        body["event"]["agent"] = json!({ "id": "PINT", "type": "inbound_integration_reference", "summary": "Datadog" });
        let there = alert(&body).acknowledged.unwrap();
        assert_eq!((there.name.as_str(), there.login), ("Datadog", None));
        body["event"]["agent"] = Value::Null;
        let read = alert(&body);
        assert_eq!((read.state, read.acknowledged), (AlertState::Acknowledged, None));
        // Who changed the priority is not who acknowledged.
        let other = alert(&v3("incident.priority_updated", "2026-03-02T11:00:00Z", taken));
        assert_eq!((other.state, other.acknowledged), (AlertState::Acknowledged, None));
    }

    #[test]
    fn severity_is_the_priority_else_the_urgency() {
        for (priority, urgency, want) in [
            (Some("P1"), "low", Severity::Critical),
            (Some("SEV-2"), "low", Severity::Critical),
            (Some("P3 - minor"), "high", Severity::Warning),
            (Some("P5"), "high", Severity::Info),
            (Some("High"), "low", Severity::Critical),
            (Some("Teal"), "low", Severity::Warning),
            (None, "high", Severity::Critical),
            (None, "low", Severity::Warning),
        ] {
            let priority = priority.map(|summary| json!({ "summary": summary }));
            let body =
                v3("incident.triggered", "2026-03-02T11:00:00Z", json!({ "priority": priority, "urgency": urgency }));
            assert_eq!(alert(&body).severity, want, "{priority:?} {urgency}");
        }
        let labels = alert(&v3("incident.triggered", "2026-03-02T11:00:00Z", json!({}))).labels;
        assert_eq!(labels["service"], "checkout");
        assert_eq!((labels["pagerduty_service"].as_str(), labels["team"].as_str()), ("PSVC1", "Payments"));
    }

    #[test]
    fn what_says_nothing_of_the_state_is_ignored() {
        let note = json!({ "type": "incident_note", "status": null, "incident": { "id": "PINC1" } });
        let about = |kind: &str, changes: Value| ignored(&v3(kind, "2026-03-02T11:00:00Z", changes));
        assert!(about("incident.annotated", note.clone()).starts_with("incident.annotated: says nothing"));
        assert!(about("incident.responder.added", json!({ "type": "incident_responder" })).contains("responder"));
        assert!(about("service.updated", json!({ "type": "service" })).starts_with("service.updated"));
        assert!(about("incident.triggered", json!({ "status": "snoring" })).contains("says nothing"));
        let ping =
            json!({ "event": { "event_type": "pagey.ping", "resource_type": "pagey", "data": { "type": "ping" } } });
        assert!(ignored(&ping).contains("the connection works"));
        assert!(ignored(&json!({ "event": {} })).contains("without a type"));
        assert!(ignored(&json!([1])).contains("not a PagerDuty webhook"));
        assert!(ignored(&json!({ "messages": [] })).contains("empty"));
        assert!(
            ignored(&json!({ "messages": [{ "event": "incident.trigger" }] })).starts_with("incident.trigger: says")
        );
        assert!(read(b"{").is_err());
        let nameless = v3("incident.triggered", "2026-03-02T11:00:00Z", json!({ "id": null }));
        assert!(read(nameless.to_string().as_bytes()).is_err());
    }

    #[test]
    fn the_older_webhooks_are_read_too() {
        let service = json!({ "id": "PSVC1", "name": "checkout" });
        let v2 = |event: &str, status: &str, acknowledgements: Value| {
            json!({ "event": event, "created_on": "2026-03-02T10:05:00Z", "incident": {
                "id": "PINC1", "incident_number": 7, "title": "Checkout is down", "status": status,
                "created_at": "2026-03-02T10:00:00Z", "service": service, "acknowledgements": acknowledgements,
            }})
        };
        let anna = json!([{ "at": "2026-03-02T10:05:00Z", "acknowledger": { "id": "PUSR1", "type": "user_reference", "summary": "Anna" } }]);
        let body = json!({ "messages": [v2("incident.annotate", "triggered", json!([])), v2("incident.acknowledge", "acknowledged", anna)] });
        let read = alert(&body);
        assert_eq!((read.state, read.acknowledged.unwrap().name.as_str()), (AlertState::Acknowledged, "Anna"));
        // What cannot be read is passed over, unless there is nothing else.
        let mut nameless = v2("incident.trigger", "triggered", json!([]));
        nameless["incident"]["id"] = Value::Null;
        let both = json!({ "messages": [nameless, v2("incident.trigger", "triggered", json!([]))] });
        assert_eq!(alert(&both).fingerprint, "PINC1");
        assert!(super::read(json!({ "messages": [nameless] }).to_string().as_bytes()).is_err());
        let v1 = json!({ "messages": [{ "type": "incident.resolve", "created_on": "2026-03-02T10:30:00Z", "data": { "incident": {
            "id": "PINC1", "incident_number": 7, "status": "resolved", "created_on": "2026-03-02T10:00:00Z", "service": service,
            "trigger_summary_data": { "subject": "Checkout is down" },
        }}}]});
        let read = alert(&v1);
        assert_eq!(
            (read.state, read.name.as_str(), at(read.ended_at)),
            (AlertState::Resolved, "Checkout is down", "10:30".to_owned())
        );
        assert_eq!(read.labels["service"], "checkout");
    }
}
