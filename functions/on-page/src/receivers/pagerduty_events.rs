//! PagerDuty's Events API: an alert of the service whose routing key is the secret. Events name no person: whoever is
//! on call for that service is woken.
//! <https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>
//!
//! What became of a page needs no look-up here: an event about something that is not open is dropped by PagerDuty.

use domain::message::Link;
use domain::{Message, Severity};
use serde_json::{Value, json};

use super::pager::{Told, key, lines, links, refused, said, text, title};
use super::{Letter, Undelivered, post};

const MOST_KEY: usize = 255;
const MOST_TITLE: usize = 1024;
const MOST_TEXT: usize = 8000;

pub(super) async fn send(letter: &Letter<'_>) -> Result<(), Undelivered> {
    let board = &letter.house.settings().public_url;
    let body = event(letter.message, letter.actions, letter.secret()?.expose(), board).to_string();
    let url = format!("{}/v2/enqueue", letter.receiver.url);
    let answer = post::send(letter, "POST", &url, &[("content-type", "application/json")], body.as_bytes()).await?;
    if (200..300).contains(&answer.status) {
        return Ok(());
    }
    let fault: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let why = fault.get("errors").map(said).unwrap_or_default();
    Err(if why.is_empty() { Undelivered::Status(answer.status) } else { refused(letter, &why) })
}

fn event(message: &Message, actions: &[Link], routing_key: &str, board: &str) -> Value {
    let event =
        |action| json!({ "routing_key": routing_key, "event_action": action, "dedup_key": key(message, MOST_KEY) });
    match Told::by(message) {
        Told::Open => {
            let mut event = event("trigger");
            event["client"] = "Recent Deployers".into();
            event["client_url"] = board.into();
            event["payload"] = payload(message);
            event["links"] =
                links(message, actions).map(|link| json!({ "href": link.url, "text": link.label })).collect();
            event
        }
        Told::Taken => event("acknowledge"),
        Told::Over => event("resolve"),
    }
}

fn payload(message: &Message) -> Value {
    let severity = match message.severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let lines: Vec<String> = lines(message).collect();
    json!({
        "summary": title(message, MOST_TITLE),
        "source": message.key.service,
        "severity": severity,
        "timestamp": message.decided_at,
        "class": message.key.step.word(),
        "custom_details": { "meant for": message.key.person, "details": text(&lines, &[], MOST_TEXT) },
    })
}

#[cfg(test)]
mod tests {
    use domain::Step;
    use expect_test::expect;

    use super::super::pager::tests::{hostile, update};
    use super::*;

    #[test]
    fn a_page_becomes_a_trigger() {
        let (message, actions) = hostile();
        expect![[r#"
            {
              "client": "Recent Deployers",
              "client_url": "https://deployers.example",
              "dedup_key": "deployers/edxapp/2026-03-06-abc/anna",
              "event_action": "trigger",
              "links": [
                {
                  "href": "https://deployers.example/do/a.b_c",
                  "text": "Acknowledge"
                },
                {
                  "href": "https://deployers.example/incidents/2026-03-06-abc",
                  "text": "Board"
                }
              ],
              "payload": {
                "class": "first-responder",
                "custom_details": {
                  "details": "edx-platform#12 *Fix* the [thing](https://evil.example) <img src=x>\n> quoted # not a heading \\ `rm` & | ~ _x_",
                  "meant for": "anna"
                },
                "severity": "critical",
                "source": "edxapp",
                "summary": "[critical] <b>edxapp</b> \"down\" [31m 🔥 {{x}}",
                "timestamp": "1970-01-01T00:00:00Z"
              },
              "routing_key": "r0ut1ng"
            }"#]].assert_eq(&format!("{:#}", event(&message, &actions, "r0ut1ng", "https://deployers.example")));
    }

    #[test]
    fn what_became_of_it_is_told_under_the_same_key() {
        let told = |step| event(&update(step), &[], "r0ut1ng", "https://deployers.example").to_string();
        expect![[r#"{"dedup_key":"deployers/edxapp/2026-03-06-abc/anna","event_action":"acknowledge","routing_key":"r0ut1ng"}"#]].assert_eq(&told(Step::PagerAcknowledged));
        expect![[
            r#"{"dedup_key":"deployers/edxapp/2026-03-06-abc/anna","event_action":"resolve","routing_key":"r0ut1ng"}"#
        ]]
        .assert_eq(&told(Step::PagerResolved));
    }
}
