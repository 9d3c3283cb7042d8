//! PagerDuty's REST API: an incident that is assigned to one user, who alone is notified.
//! <https://developer.pagerduty.com/docs/incident-creation-api>
//!
//! Two things to know when it is set up. The user of `from` cannot be paged: an incident that somebody makes for
//! themselves is acknowledged from its birth and wakes nobody; that is seen in the answer, and the next contact is tried.
//! And PagerDuty thinks that it is the user of `from` who acknowledges and resolves: take one for this purpose.
//!
//! An acknowledgement that comes after the end would open the incident again. So it is looked up first, and what is not
//! open is left alone.

use aws::clients::Answer;
use domain::message::Link;
use domain::{Message, Severity};
use serde::Deserialize;
use serde_json::{Value, json};

use super::pager::{Told, encoded, key, lines, links, refused, said, text, title};
use super::{Letter, Undelivered, post};

/// The bound of a key is documented for events; a title's is documented nowhere.
const MOST_KEY: usize = 255;
const MOST_TITLE: usize = 255;
const MOST_TEXT: usize = 4000;

/// Error codes, as <https://developer.pagerduty.com/docs/errors> lists them.
const ALREADY_RESOLVED: u64 = 1001;
const ALREADY_ACKNOWLEDGED: u64 = 1002;
const NO_SUCH_ASSIGNEE: u64 = 1007;

pub(super) async fn send(letter: &Letter<'_>) -> Result<(), Undelivered> {
    match Told::by(letter.message) {
        Told::Open => open(letter).await,
        Told::Taken => change(letter, "acknowledged").await,
        Told::Over => change(letter, "resolved").await,
    }
}

async fn open(letter: &Letter<'_>) -> Result<(), Undelivered> {
    let service = letter.receiver.service.as_deref().unwrap_or_default();
    let body = incident(letter.message, letter.actions, service, letter.address);
    let answer = ask(letter, "POST", "/incidents", Some(&body)).await?;
    if (200..300).contains(&answer.status) {
        return taken(&answer.body);
    }
    let error = Fault::read(&answer.body);
    if error.is_a_repetition() {
        return Ok(());
    }
    Err(if error.knows_no_assignee() { Undelivered::UnknownPerson } else { error.refusal(letter, answer.status) })
}

/// Whether the incident that was made wakes somebody.
fn taken(body: &[u8]) -> Result<(), Undelivered> {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    if answer.pointer("/incident/status").and_then(Value::as_str) == Some("acknowledged") {
        return Err(Undelivered::refused("the user of `from` cannot be paged: let `from` be another user"));
    }
    Ok(())
}

/// Brings the incidents with this page's key to a state, those that are open and not in it yet.
async fn change(letter: &Letter<'_>, state: &str) -> Result<(), Undelivered> {
    let service = letter.receiver.service.as_deref().unwrap_or_default();
    let key = key(letter.message, MOST_KEY);
    let path = format!(
        "/incidents?incident_key={}&service_ids%5B%5D={}&statuses%5B%5D=triggered&statuses%5B%5D=acknowledged&date_range=all&limit=25",
        encoded(&key),
        encoded(service)
    );
    let answer = ask(letter, "GET", &path, None).await?;
    if answer.status != 200 {
        return Err(Fault::read(&answer.body).refusal(letter, answer.status));
    }
    let Ok(found) = serde_json::from_slice::<Found>(&answer.body) else {
        return Err(Undelivered::refused("its list of incidents cannot be read"));
    };
    let Some(body) = found.changes(&key, state) else { return Ok(()) };
    let answer = ask(letter, "PUT", "/incidents", Some(&body)).await?;
    let error = Fault::read(&answer.body);
    match answer.status {
        200..300 => Ok(()),
        // Somebody was faster.
        _ if [ALREADY_RESOLVED, ALREADY_ACKNOWLEDGED].contains(&error.code) => Ok(()),
        status => Err(error.refusal(letter, status)),
    }
}

async fn ask(letter: &Letter<'_>, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, Undelivered> {
    let token = format!("Token token={}", letter.secret()?.expose());
    let headers = [
        ("authorization", token.as_str()),
        ("accept", "application/vnd.pagerduty+json;version=2"),
        ("content-type", "application/json"),
        ("from", letter.receiver.from.as_deref().unwrap_or_default()),
    ];
    let url = format!("{}{path}", letter.receiver.url);
    let body = body.map(Value::to_string).unwrap_or_default();
    post::send(letter, method, &url, &headers, body.as_bytes()).await
}

/// The incident as it is made.
fn incident(message: &Message, actions: &[Link], service: &str, user: &str) -> Value {
    let lines: Vec<String> = lines(message).collect();
    let links: Vec<String> = links(message, actions).map(|link| format!("{}: {}", link.label, link.url)).collect();
    let urgency = match message.severity {
        Severity::Critical | Severity::Warning => "high",
        Severity::Info => "low",
    };
    json!({
        "incident": {
            "type": "incident",
            "title": title(message, MOST_TITLE),
            "service": { "id": service, "type": "service_reference" },
            "urgency": urgency,
            "incident_key": key(message, MOST_KEY),
            "body": { "type": "incident_body", "details": text(&lines, &links, MOST_TEXT) },
            "assignments": [{ "assignee": { "id": user, "type": "user_reference" } }],
        }
    })
}

/// The open incidents.
#[derive(Deserialize)]
struct Found {
    incidents: Vec<Open>,
}

#[derive(Deserialize)]
struct Open {
    id: String,
    status: String,
    incident_key: Option<String>,
}

impl Found {
    /// What has to be asked for so that all of them are in this state; nothing, if they are.
    fn changes(&self, key: &str, state: &str) -> Option<Value> {
        // One that was merged out of others is found by a key of theirs: it is no page of ours alone.
        let ours = self.incidents.iter().filter(|i| i.incident_key.as_deref().is_none_or(|own| own == key));
        let open = ours.filter(|i| ["triggered", "acknowledged"].contains(&i.status.as_str()) && i.status != state);
        let changes: Vec<Value> =
            open.map(|i| json!({ "id": i.id, "type": "incident_reference", "status": state })).collect();
        (!changes.is_empty()).then(|| json!({ "incidents": changes }))
    }
}

/// What it says is wrong: its list of errors, where it has one, says more than its message.
#[derive(Debug, Default)]
struct Fault {
    code: u64,
    why: String,
}

impl Fault {
    fn read(body: &[u8]) -> Self {
        let answer: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = answer.get("error").unwrap_or(&Value::Null);
        let code = error.get("code").and_then(Value::as_u64).unwrap_or(0);
        let message = error.get("message").and_then(Value::as_str).unwrap_or("");
        let said = error.get("errors").map(said).unwrap_or_default();
        let why = if said.is_empty() { message.to_owned() } else { said };
        Self { code, why }
    }

    /// Its code, 2002, says no more than that something is wrong: what is, stands in the text.
    fn is_a_repetition(&self) -> bool {
        let why = self.why.to_lowercase();
        why.contains("already exists") && why.contains("key")
    }

    fn knows_no_assignee(&self) -> bool {
        let why = self.why.to_lowercase();
        let missing = ["not found", "invalid", "not exist"];
        self.code == NO_SUCH_ASSIGNEE || (why.contains("assign") && missing.iter().any(|word| why.contains(word)))
    }

    fn refusal(&self, letter: &Letter<'_>, status: u16) -> Undelivered {
        if self.why.is_empty() { Undelivered::Status(status) } else { refused(letter, &self.why) }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::pager::tests::hostile;
    use super::*;

    #[test]
    fn a_page_becomes_an_incident_for_one_user() {
        let (message, actions) = hostile();
        expect![[r#"
            {
              "incident": {
                "assignments": [
                  {
                    "assignee": {
                      "id": "PXPGF42",
                      "type": "user_reference"
                    }
                  }
                ],
                "body": {
                  "details": "edx-platform#12 *Fix* the [thing](https://evil.example) <img src=x>\n> quoted # not a heading \\ `rm` & | ~ _x_\n\nAcknowledge: https://deployers.example/do/a.b_c\nBoard: https://deployers.example/incidents/2026-03-06-abc",
                  "type": "incident_body"
                },
                "incident_key": "deployers/edxapp/2026-03-06-abc/anna",
                "service": {
                  "id": "PSERVIC",
                  "type": "service_reference"
                },
                "title": "[critical] <b>edxapp</b> \"down\" [31m 🔥 {{x}}",
                "type": "incident",
                "urgency": "high"
              }
            }"#]].assert_eq(&format!("{:#}", incident(&message, &actions, "PSERVIC", "PXPGF42")));
    }

    #[test]
    fn only_what_is_open_is_changed_and_only_once() {
        let body = r#"{"incidents":[
            {"id":"P1","status":"triggered","incident_key":"k"},
            {"id":"P2","status":"acknowledged","incident_key":null},
            {"id":"P3","status":"resolved","incident_key":"k"},
            {"id":"P4","status":"triggered","incident_key":"of another"}]}"#;
        let found: Found = serde_json::from_str(body).unwrap();
        expect![[
            r#"Some("{\"incidents\":[{\"id\":\"P1\",\"status\":\"acknowledged\",\"type\":\"incident_reference\"}]}")"#
        ]]
        .assert_eq(&format!("{:?}", found.changes("k", "acknowledged").map(|v| v.to_string())));
        expect![[r#"Some("{\"incidents\":[{\"id\":\"P1\",\"status\":\"resolved\",\"type\":\"incident_reference\"},{\"id\":\"P2\",\"status\":\"resolved\",\"type\":\"incident_reference\"}]}")"#]].assert_eq(&format!("{:?}", found.changes("k", "resolved").map(|v| v.to_string())));
        assert_eq!(Found { incidents: Vec::new() }.changes("k", "resolved"), None);
    }

    #[test]
    fn what_it_says_is_understood() {
        let open = r#"{"error":{"message":"Arguments Caused Error","code":2002,
            "errors":["Open incident with matching dedup key already exists on this service"]}}"#;
        assert!(Fault::read(open.as_bytes()).is_a_repetition());
        let other = r#"{"error":{"message":"Invalid Input Provided","code":2001,"errors":["Title cannot be empty."]}}"#;
        let other = Fault::read(other.as_bytes());
        assert!(!other.is_a_repetition() && !other.knows_no_assignee());
        assert_eq!(other.why, "Title cannot be empty.");
        for unknown in [
            r#"{"error":{"message":"Assigned To User Not Found","code":1007}}"#,
            r#"{"error":{"message":"Arguments Caused Error","code":2002,"errors":["Assignee is invalid"]}}"#,
        ] {
            assert!(Fault::read(unknown.as_bytes()).knows_no_assignee(), "{unknown}");
        }
        for nothing in ["", "{}", "[]", "oops", r#"{"error":"no"}"#] {
            let fault = Fault::read(nothing.as_bytes());
            assert!(fault.why.is_empty() && !fault.is_a_repetition() && !fault.knows_no_assignee(), "{nothing}");
        }
    }

    #[test]
    fn an_incident_that_wakes_nobody_is_not_delivered() {
        assert!(taken(br#"{"incident":{"id":"P1","status":"triggered"}}"#).is_ok());
        assert!(taken(b"").is_ok());
        assert!(taken(br#"{"incident":{"id":"P1","status":"acknowledged"}}"#).is_err());
    }
}
