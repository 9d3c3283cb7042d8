//! Opsgenie: an alert whose responder is the user, by user name (an e-mail address) or id.
//! <https://docs.opsgenie.com/docs/alert-api>
//!
//! The key is one of an API integration of the whole account, with rights to read and to write: one of a team's
//! integration puts its team in the place of every responder, and reaches nobody's phone but theirs. An account in the EU
//! has its API at `https://api.eu.opsgenie.com`. It is to be switched off in April 2027.

use domain::Message;
use domain::message::Link;
use serde_json::{Value, json};

use super::atlassian::{self, Act, Api, encoded};
use super::{Letter, Undelivered};

pub(super) async fn send(letter: &Letter<'_>) -> Result<(), Undelivered> {
    let act = Act::of(letter.message)?;
    let api = Api::new(letter, "/v2", |key| format!("GenieKey {}", key.expose()))?;
    match act {
        Act::Open => api.open(&page(letter.message, letter.actions, letter.address)).await,
        Act::Tell(what) => {
            let alias = encoded(&atlassian::alias(letter.message));
            api.act(&format!("/alerts/{alias}/{what}?identifierType=alias"), Some(&update(letter.message))).await
        }
    }
}

fn page(message: &Message, actions: &[Link], address: &str) -> Value {
    let named = if address.contains('@') { "username" } else { "id" };
    atlassian::alert(message, actions, &json!({ "type": "user", named: address }), "details")
}

fn update(message: &Message) -> Value {
    json!({ "source": "Recent Deployers", "note": atlassian::note(message) })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::atlassian::sample;
    use super::*;

    fn pretty(value: &Value) -> String {
        serde_json::to_string_pretty(value).unwrap()
    }

    #[test]
    fn a_page_is_an_alert_for_one_user() {
        expect![[r#"
            {
              "alias": "deployers.edxapp#edxapp-production-1#anna#0",
              "description": "7 % of requests fail, since 12:00\nSuspect: edx-platform#12\nAcknowledge: https://deployers.example.com/do/abc\nBoard: https://deployers.example.com/edxapp",
              "details": {
                "Acknowledge": "https://deployers.example.com/do/abc",
                "Board": "https://deployers.example.com/edxapp",
                "about": "edxapp-production-1",
                "person": "anna",
                "service": "edxapp",
                "step": "first-responder"
              },
              "entity": "edxapp",
              "message": "[critical] edxapp production: HighErrorRate",
              "priority": "P1",
              "responders": [
                {
                  "type": "user",
                  "username": "feanil@example.com"
                }
              ],
              "source": "Recent Deployers",
              "tags": [
                "recent-deployers",
                "edxapp",
                "first-responder",
                "critical"
              ]
            }"#]].assert_eq(&pretty(&page(&sample::page(), &sample::actions(), "feanil@example.com")));
        let by_id = page(&sample::page(), &[], "bb4d9938-c3c2-455d-aaab-727aa701c0d8");
        assert_eq!(by_id["responders"], json!([{ "type": "user", "id": "bb4d9938-c3c2-455d-aaab-727aa701c0d8" }]));
    }

    #[test]
    fn what_strangers_wrote_is_text() {
        expect![[r#"
            {
              "alias": "deployers.edxapp#a.b.2F.c.056772806c80bbc625b414e451bd7eff",
              "description": "‹b›\"it's\" \\ 🔥 ‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img s\n‹script›alert(\"x\")‹/script› {{alert}} 🔥\nAcknowledge: https://deployers.example.com/do/abc",
              "details": {
                "Acknowledge": "https://deployers.example.com/do/abc",
                "about": "edxapp-production-1",
                "person": "anna",
                "service": "edxapp",
                "step": "first-responder"
              },
              "entity": "edxapp",
              "message": "‹b›\"it's\" \\ 🔥 ‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›…",
              "priority": "P3",
              "responders": [
                {
                  "type": "user",
                  "username": "feanil@example.com"
                }
              ],
              "source": "Recent Deployers",
              "tags": [
                "recent-deployers",
                "edxapp",
                "first-responder",
                "warning"
              ]
            }"#]].assert_eq(&pretty(&page(&sample::hostile(), &sample::actions(), "feanil@example.com")));
    }

    #[test]
    fn what_became_of_it_is_a_note() {
        expect![[r#"
            {
              "note": "[critical] edxapp production: HighErrorRate\n7 % of requests fail, since 12:00\nSuspect: edx-platform#12",
              "source": "Recent Deployers"
            }"#]].assert_eq(&pretty(&update(&sample::page())));
    }
}
