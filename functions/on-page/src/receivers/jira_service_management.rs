//! Jira Service Management's Operations: an alert whose responder is the user, by Atlassian account id.
//! <https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-alerts/>
//!
//! By the REST API, with an account's API token, since the API of integrations knows no users for sure. It does
//! something to an alert only by its id, so that is asked for first. Absent: a note of what became of it, which takes
//! one request more.

use aws::secrets::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Message;
use domain::message::Link;
use serde_json::{Value, json};

use super::atlassian::{self, Act, Api, data, encoded, read, text};
use super::{Letter, Undelivered};

pub(super) async fn send(letter: &Letter<'_>) -> Result<(), Undelivered> {
    let act = Act::of(letter.message)?;
    let (from, cloud) = (letter.receiver.from.as_deref(), letter.receiver.cloud.as_deref());
    let path = format!("/jsm/ops/api/{}/v1", encoded(cloud.unwrap_or_default()));
    let api = Api::new(letter, &path, |token| basic(from.unwrap_or_default(), token))?;
    match act {
        Act::Open => api.open(&page(letter.message, letter.actions, letter.address)).await,
        Act::Tell(what) => match open_alert(&api, &atlassian::alias(letter.message)).await? {
            Some(id) => api.act(&format!("/alerts/{}/{what}", encoded(&id)), None).await,
            None => Ok(()),
        },
    }
}

fn page(message: &Message, actions: &[Link], address: &str) -> Value {
    atlassian::alert(message, actions, &json!({ "type": "user", "id": address }), "extraProperties")
}

fn basic(from: &str, token: &Secret) -> String {
    format!("Basic {}", STANDARD.encode(format!("{from}:{}", token.expose())))
}

/// The id of the alert, if there is one. By its alias they may tell of one that was closed while another is open:
/// <https://jira.atlassian.com/browse/JSDCLOUD-14179>
async fn open_alert(api: &Api<'_>, alias: &str) -> Result<Option<String>, Undelivered> {
    let answer = api.get(&format!("/alerts/alias?alias={}", encoded(alias))).await?;
    match answer.status {
        404 => return Ok(None),
        200 => {}
        _ => return Err(api.refusal(&answer)),
    }
    let alert = data(read(&answer));
    if alert["status"] != "closed" {
        return Ok(text(&alert, "id"));
    }
    let query = encoded(&format!("status: \"open\" AND alias: \"{alias}\""));
    let answer = api.get(&format!("/alerts?query={query}")).await?;
    if answer.status != 200 {
        return Err(api.refusal(&answer));
    }
    Ok(text(&read(&answer)["values"][0], "id"))
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
              "entity": "edxapp",
              "extraProperties": {
                "Acknowledge": "https://deployers.example.com/do/abc",
                "Board": "https://deployers.example.com/edxapp",
                "about": "edxapp-production-1",
                "person": "anna",
                "service": "edxapp",
                "step": "first-responder"
              },
              "message": "[critical] edxapp production: HighErrorRate",
              "priority": "P1",
              "responders": [
                {
                  "id": "5b10ac8d82e05b22cc7d4ef5",
                  "type": "user"
                }
              ],
              "source": "Recent Deployers",
              "tags": [
                "recent-deployers",
                "edxapp",
                "first-responder",
                "critical"
              ]
            }"#]].assert_eq(&pretty(&page(&sample::page(), &sample::actions(), "5b10ac8d82e05b22cc7d4ef5")));
    }

    #[test]
    fn what_strangers_wrote_is_text() {
        expect![[r#"
            {
              "alias": "deployers.edxapp#a.b.2F.c.056772806c80bbc625b414e451bd7eff",
              "description": "‹b›\"it's\" \\ 🔥 ‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img s\n‹script›alert(\"x\")‹/script› {{alert}} 🔥\nAcknowledge: https://deployers.example.com/do/abc",
              "entity": "edxapp",
              "extraProperties": {
                "Acknowledge": "https://deployers.example.com/do/abc",
                "about": "edxapp-production-1",
                "person": "anna",
                "service": "edxapp",
                "step": "first-responder"
              },
              "message": "‹b›\"it's\" \\ 🔥 ‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›é🔥‹img src='https://evil.example.com'›…",
              "priority": "P3",
              "responders": [
                {
                  "id": "5b10ac8d82e05b22cc7d4ef5",
                  "type": "user"
                }
              ],
              "source": "Recent Deployers",
              "tags": [
                "recent-deployers",
                "edxapp",
                "first-responder",
                "warning"
              ]
            }"#]].assert_eq(&pretty(&page(&sample::hostile(), &sample::actions(), "5b10ac8d82e05b22cc7d4ef5")));
    }

    #[test]
    fn the_account_is_named_with_its_token() {
        let token = Secret::new("api-token").unwrap();
        assert_eq!(basic("anna@example.com", &token), "Basic YW5uYUBleGFtcGxlLmNvbTphcGktdG9rZW4=");
    }
}
