//! New Relic: issues by the webhook of a workflow, in its default template or one that names more, and incidents by the
//! notification channels before that.
//! <https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/>

use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender, given};
use domain::alert::AcknowledgedThere;
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, Login, Severity, text, times};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::labels::{Labels, Said, parts};
pub const SENDER: Sender<AlertEvent> = Sender {
    name: "new-relic",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide {
        title: "New Relic",
        steps: &[
            "Alerts > Destinations > Webhook: Endpoint URL {url}, Authorization: Bearer token {secret}.",
            "Alerts > Workflows > Add a workflow > Webhook: this destination, and after the `{` of the template add",
            "  {{#if owner}}\"owner\": {{ json owner }},{{/if}} {{#if closedAt}}\"closedAt\": {{ json closedAt }},{{/if}} {{#if accumulations.tag}}\"tags\": {{ json accumulations.tag }},{{/if}}",
            "Additional settings: notify when an issue is activated, acknowledged and closed.",
        ],
        reads: "issues that are created, activated, acknowledged and closed; incidents of the notification channels before workflows",
        ignores: "test notifications, issues that are deactivated and may come back, deployments",
        docs: "https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/",
    },
};

const SOURCE: &str = "new-relic";
const IDS: [&str; 3] = ["/issueId", "/issue_id", "/id"];

fn read(body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    let message: Value = parse(body)?;
    if is_test(&message) {
        return Ok(Reading::ignored("a test notification: the connection works"));
    }
    let of_channel = message.get("current_state").is_some() || message.get("incident_id").is_some();
    let reading = if of_channel {
        incident(&message)?
    } else if message.get("state").is_some() || message.get("issueId").is_some() || message.get("issueUrl").is_some() {
        issue(&message)?
    } else {
        Reading::ignored("not an issue of New Relic: it has no state")
    };
    Ok(reading.map(|alert| super::bounded(vec![alert], 1)))
}

/// What the test of a workflow is about, and that of a channel.
fn is_test(message: &Value) -> bool {
    let has = |pointer: &str, part: &str| given::any(message, &[pointer]).is_some_and(|word| word.contains(part));
    let sample = has("/title", "'Some-Entity'") && has("/alertPolicyNames", "Policy1");
    sample || has("/current_state", "test") || has("/details", "New Relic Alert - Channel Test")
}

/// What both say about where an alert stands.
enum Standing {
    Is(AlertState),
    Ignored(&'static str),
}

fn standing(state: &str) -> Standing {
    match state.to_lowercase().as_str() {
        "created" | "activated" | "active" | "open" | "opened" => Standing::Is(AlertState::Firing),
        "acknowledged" => Standing::Is(AlertState::Acknowledged),
        "closed" | "resolved" => Standing::Is(AlertState::Resolved),
        "deactivated" => Standing::Ignored("deactivated: it is over when it is closed"),
        _ => Standing::Ignored("the issue has no state that we know"),
    }
}

/// An issue, from a workflow.
fn issue(message: &Value) -> Result<Reading<Alert>, Malformed> {
    let id = given::any(message, &IDS).ok_or_else(|| Malformed::new("the issue has no id: send `issueId`"))?;
    let word = given::any(message, &["/state", "/issueState"]).unwrap_or_default();
    let mut state = match standing(&word) {
        Standing::Is(state) => state,
        Standing::Ignored(why) => return Ok(Reading::ignored(why)),
    };
    let trigger = given::any(message, &["/trigger", "/triggerEvent"]).unwrap_or_default().to_lowercase();
    // The state of an issue stays as it is when somebody takes it; that somebody is its owner from then on.
    let owned = given::any(message, &["/owner"]).is_some_and(|owner| !is_nobody(&owner));
    if state == AlertState::Firing && (trigger.contains("acknowledged") || trigger == "user_action" || owned) {
        state = AlertState::Acknowledged;
    }
    let updated = given::time(message, "/updatedAt");
    let at = given::time(message, "/acknowledgedAt").or(updated);
    let conditions = ["/alertConditionNames", "/accumulations/conditionName", "/conditionName", "/condition_name"];
    let title = given::any(message, &["/title", "/issueTitle", "/annotations/title", "/details"]);
    let name = given::any(message, &conditions).or_else(|| title.clone());
    let priority = given::any(message, &["/priority", "/severity"]);
    Ok(Reading::Event(Alert {
        source: SOURCE.to_owned(),
        fingerprint: super::identity(&id),
        name: text::line(&name.unwrap_or_else(|| "issue".to_owned()), 200),
        summary: text::line(&title.unwrap_or_default(), 300),
        severity: Severity::from_label(priority.as_deref()),
        state,
        started_at: given::time(message, "/activatedAt").or_else(|| given::time(message, "/createdAt")),
        ended_at: given::time(message, "/closedAt").or(updated).filter(|_| state == AlertState::Resolved),
        acknowledged: taken_over(message, &["/owner", "/acknowledgedBy", "/issueAcknowledgedBy"], state, at),
        released_at: None,
        lasts: None,
        group: None,
        detail: None,
        labels: issue_labels(message),
        url: given::any(message, &["/issueUrl", "/issuePageUrl", "/issueLink"]).as_deref().and_then(text::url),
    }))
}

/// What templates write where there is no owner.
fn is_nobody(owner: &str) -> bool {
    ["n/a", "none", "-", "unknown"].iter().any(|word| owner.trim().eq_ignore_ascii_case(word))
}

fn issue_labels(message: &Value) -> Labels {
    let mut labels = Said::default();
    for place in ["/tags", "/labels", "/accumulations/tag", "/customAttributes"] {
        labels.members(message.pointer(place));
        labels.tags(message.pointer(place));
    }
    for (name, places) in [
        ("entity", &["/impactedEntities", "/entitiesData/names", "/accumulations/targetName"][..]),
        ("policy", &["/alertPolicyNames", "/accumulations/policyName", "/policyName"]),
        ("condition", &["/alertConditionNames", "/accumulations/conditionName", "/conditionName"]),
        ("workflow", &["/workflowName"]),
    ] {
        labels.add(name, given::any(message, places).as_deref());
    }
    // An entity is called as the application that reports it. Of several, none is meant alone.
    if parts(message.get("impactedEntities")).len() == 1 {
        labels.also("entity", "application");
    }
    labels.labels()
}

/// An incident, from a notification channel.
/// <https://docs.newrelic.com/docs/alerts-applied-intelligence/new-relic-alerts/advanced-alerts/advanced-techniques/customize-your-webhook-payload/>
fn incident(message: &Value) -> Result<Reading<Alert>, Malformed> {
    let id = given::any(message, &["/incident_id"]).or_else(|| given::any(message, &["/condition_id"]));
    let id = id.ok_or_else(|| Malformed::new("neither `incident_id` nor `condition_id`"))?;
    let state = match standing(&given::any(message, &["/current_state", "/state"]).unwrap_or_default()) {
        Standing::Is(state) => state,
        Standing::Ignored(why) => return Ok(Reading::ignored(why)),
    };
    let at = given::time(message, "/timestamp").or_else(|| given::time(message, "/timestamp_utc_string"));
    let duration = given::any(message, &["/duration"]);
    let began = at.zip(duration).and_then(|(at, duration)| before(at, &duration));
    let name = given::any(message, &["/condition_name", "/policy_name"]);
    let mut labels = Said::default();
    labels.members(message.pointer("/targets/0/labels"));
    for (name, place) in [
        ("entity", "/targets/0/name"),
        ("product", "/targets/0/product"),
        ("policy", "/policy_name"),
        ("condition", "/condition_name"),
        ("account", "/account_name"),
    ] {
        labels.add(name, given::any(message, &[place]).as_deref());
    }
    if given::any(message, &["/targets/0/type"]).is_some_and(|kind| kind.eq_ignore_ascii_case("application")) {
        labels.also("entity", "application");
    }
    Ok(Reading::Event(Alert {
        source: SOURCE.to_owned(),
        fingerprint: super::identity(&id),
        name: text::line(&name.unwrap_or_else(|| "incident".to_owned()), 200),
        summary: text::line(&given::any(message, &["/details", "/condition_description"]).unwrap_or_default(), 300),
        severity: Severity::from_label(given::any(message, &["/severity"]).as_deref()),
        state,
        started_at: began.or(at.filter(|_| state == AlertState::Firing)),
        ended_at: at.filter(|_| state == AlertState::Resolved),
        acknowledged: taken_over(message, &["/owner"], state, at),
        released_at: None,
        lasts: None,
        group: None,
        detail: None,
        labels: labels.labels(),
        url: given::any(message, &["/incident_url"]).as_deref().and_then(text::url),
    }))
}

/// Who acknowledged it there, where it says.
fn taken_over(message: &Value, names: &[&str], state: AlertState, at: Option<Timestamp>) -> Option<AcknowledgedThere> {
    let name = given::any(message, names).filter(|_| state == AlertState::Acknowledged)?;
    Some(AcknowledgedThere { at: at?, login: Login::from_email(&name).ok(), name: text::line(&name, 100) })
}

/// How long before `at` this many milliseconds are.
fn before(at: Timestamp, milliseconds: &str) -> Option<Timestamp> {
    let long = SignedDuration::from_millis(milliseconds.parse().ok()?);
    at.checked_sub(long).ok().filter(|at| times::plausible(*at))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(message: &Value) -> Value {
        crate::senders::tests::said(read(message.to_string().as_bytes()))
    }

    fn issue(state: &str) -> Value {
        json!({"id": "95a9", "issueUrl": "https://radar-api.service.newrelic.com/accounts/1/issues/95a9", "title": "CPU > 2 on 'edxapp'",
            "priority": "HIGH", "impactedEntities": ["edxapp"], "state": state, "trigger": "STATE_CHANGE", "owner": "Ada@Example.com",
            "createdAt": 1_770_000_000_000_u64, "updatedAt": "1770000600000", "alertPolicyNames": ["Golden"],
            "alertConditionNames": ["High CPU"], "tags": {"environment": ["production"]}})
    }

    #[test]
    fn an_issue_is_the_same_in_each_state() {
        let want = json!({"source": "new-relic", "fingerprint": "95a9", "name": "High CPU", "summary": "CPU > 2 on 'edxapp'",
            "severity": "critical", "state": "firing", "started_at": "2026-02-02T02:40:00Z",
            "labels": {"environment": "production", "entity": "edxapp", "application": "edxapp", "policy": "Golden", "condition": "High CPU"},
            "url": "https://radar-api.service.newrelic.com/accounts/1/issues/95a9"});
        for state in ["CREATED", "ACTIVATED"] {
            for nobody in [json!(null), json!(""), json!("N/A")] {
                let mut message = issue(state);
                message["owner"] = nobody;
                assert_eq!(said(&message), want);
            }
            // Its state stays as it was when somebody takes it.
            assert_eq!(said(&issue(state))["state"], "acknowledged");
        }
        let taken = said(&issue("ACKNOWLEDGED"));
        let who = json!({"at": "2026-02-02T02:50:00Z", "login": "email:ada@example.com", "name": "Ada@Example.com"});
        assert_eq!((&taken["state"], &taken["acknowledged"]), (&json!("acknowledged"), &who));
        let over = said(&issue("CLOSED"));
        assert_eq!((&over["state"], &over["ended_at"]), (&json!("resolved"), &json!("2026-02-02T02:50:00Z")));
        assert_eq!(over["fingerprint"], "95a9");
        assert_eq!(said(&issue("DEACTIVATED")), "deactivated: it is over when it is closed");
    }

    #[test]
    fn an_incident_of_a_channel_is_read() {
        let one = |state: &str| {
            json!({"incident_id": 42, "current_state": state, "severity": "WARNING", "condition_name": "Apdex", "policy_name": "P",
                "details": "Apdex < 0.8", "timestamp": 1_770_000_600_000_u64, "duration": 600_000, "owner": "Ada",
                "incident_url": "https://alerts.newrelic.com/accounts/1/incidents/42",
                "targets": [{"name": "edxapp", "type": "application", "labels": {"team": "a"}}]})
        };
        let open = said(&one("open"));
        assert_eq!(
            (&open["fingerprint"], &open["state"], &open["severity"]),
            (&json!("42"), &json!("firing"), &json!("warning"))
        );
        assert_eq!(open["started_at"], "2026-02-02T02:40:00Z");
        assert_eq!(open["labels"]["application"], "edxapp");
        assert_eq!(said(&one("acknowledged"))["acknowledged"], json!({"at": "2026-02-02T02:50:00Z", "name": "Ada"}));
        assert_eq!(said(&one("CLOSED"))["ended_at"], "2026-02-02T02:50:00Z");
        assert_eq!(said(&one("test")), "a test notification: the connection works");
        assert_eq!(said(&one("snoring")), "the issue has no state that we know");
    }

    #[test]
    fn what_is_no_issue_is_said_to_be_none() {
        let test = json!({"id": "1", "state": "ACTIVATED", "title": "Memory Used % > 90 on 'Some-Entity'", "alertPolicyNames": ["Policy1", "Policy2"]});
        assert_eq!(said(&test), "a test notification: the connection works");
        assert_eq!(said(&json!({"deployment": {}})), "not an issue of New Relic: it has no state");
        assert_eq!(said(&json!({"id": "1", "state": "odd"})), "the issue has no state that we know");
        assert!(said(&json!({"state": "ACTIVATED"}))["malformed"].is_string());
    }
}
