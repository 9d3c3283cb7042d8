//! Opsgenie's alerts: made asynchronously, known by their alias.

use house_tests::peer::{Mishap, Peer};

use super::contract::Fake;

const TAKEN: &str = r#"{"result":"Request will be processed","took":0.3,"requestId":"43a29c5c-3dbf"}"#;
const STATUS: &str = "GET /v2/alerts/requests/43a29c5c-3dbf";
const ALERT: &str = "GET /v2/alerts/8743a1b2-11da ";

pub const FAKE: Fake = Fake {
    kind: "opsgenie",
    section: "url = \"{url}\"\nsecret = \"api\"",
    contact: "it:anna@example.com",
    takes: &[
        ("POST /v2/alerts ", 202, TAKEN),
        (
            STATUS,
            200,
            r#"{"data":{"success":true,"action":"Create","isSuccess":true,"status":"Created alert","alertId":"8743a1b2-11da","alias":"x"},"took":0.022,"requestId":"r"}"#,
        ),
        (
            ALERT,
            200,
            r#"{"data":{"id":"8743a1b2-11da","responders":[{"type":"user","id":"bb4d9938-c3c2"}]},"took":0.02,"requestId":"r"}"#,
        ),
        ("/acknowledge?identifierType=alias", 202, TAKEN),
        ("/close?identifierType=alias", 202, TAKEN),
    ],
    page: "POST /v2/alerts ",
    unknown: Some((ALERT, 200, r#"{"data":{"id":"8743a1b2-11da","responders":[]},"took":0.02,"requestId":"r"}"#)),
    key: |received| {
        let body: serde_json::Value = serde_json::from_str(&received.body).unwrap();
        body["alias"].as_str().unwrap().to_owned()
    },
    keeps: Some((
        &["POST /v2/alerts/deployers.edxapp", "/acknowledge?identifierType=alias"],
        &["POST /v2/alerts/deployers.edxapp", "/close?identifierType=alias"],
    )),
};

/// How many pages fell through to the terminal where this goes wrong, and what was asked.
async fn falls_through(wrong: &[(&str, u16, &str)]) -> (usize, Vec<String>) {
    let (stage, peer) = FAKE.stage().await;
    for (part, status, body) in wrong {
        peer.will(part, Mishap::Says(*status, String::new(), (*body).to_owned()));
    }
    stage.alert("edxapp", "Fri 12:00", false).await;
    (stage.heard().len(), asked(&peer))
}

/// The first lines of what was asked, without the protocol.
fn asked(peer: &Peer) -> Vec<String> {
    peer.received().iter().map(|r| r.line.trim_end_matches(" HTTP/1.1").to_owned()).collect()
}

#[tokio::test]
async fn what_was_accepted_and_then_not_made_is_passed_on() {
    for status in ["Integration is disabled.", "Responder user does not exist", ""] {
        let body = format!(r#"{{"data":{{"isSuccess":false,"status":"{status}","alertId":"","alias":""}}}}"#);
        assert_eq!(falls_through(&[(STATUS, 200, &body)]).await.0, 1, "{status}");
    }
    let team = r#"{"data":{"responders":[{"type":"team","id":"4513b7ea"}]}}"#;
    assert_eq!(falls_through(&[(ALERT, 200, team)]).await.0, 1, "a team in the place of the user");
    let body = r#"{"message":"Request body is not processable.","errors":{"responders#id":"unknown"}}"#;
    assert_eq!(falls_through(&[(FAKE.page, 422, body)]).await.0, 1);
}

#[tokio::test]
async fn what_is_not_known_of_an_accepted_alert_counts_as_made() {
    let not_yet = (STATUS, 404, r#"{"message":"Request not found. It might not be processed, yet."}"#);
    let (fell, asked) = falls_through(&[not_yet, not_yet, not_yet]).await;
    assert_eq!((fell, asked.len()), (0, 4), "{asked:?}");
    let (fell, asked) = falls_through(&[not_yet]).await;
    assert_eq!((fell, asked.len()), (0, 4), "{asked:?}");
    for (part, status, body) in [
        (STATUS, 403, "{}"),
        (STATUS, 200, "<html>"),
        (STATUS, 200, "{}"),
        (ALERT, 403, "{}"),
        (ALERT, 404, "{}"),
        (ALERT, 200, r#"{"data":{"teams":[]}}"#),
    ] {
        assert_eq!(falls_through(&[(part, status, body)]).await.0, 0, "{part} {status} {body}");
    }
    assert_eq!(falls_through(&[(FAKE.page, 202, "")]).await.0, 0, "no id of the request");
}

#[tokio::test]
async fn an_id_of_theirs_never_leaves_its_place_in_an_address() {
    let (_, asked) = falls_through(&[(FAKE.page, 202, r#"{"requestId":"../users?x#y"}"#)]).await;
    assert_eq!(asked[1], "GET /v2/alerts/requests/..%2Fusers%3Fx%23y");
}

#[tokio::test]
async fn the_key_is_sent_and_never_told() {
    let (stage, peer) = FAKE.stage().await;
    let body = r#"{"message":"Could not authenticate with GenieKey api-token"}"#;
    peer.will(FAKE.page, Mishap::Says(401, String::new(), body.to_owned()));
    stage.alert("edxapp", "Fri 12:00", false).await;
    assert_eq!(peer.received()[0].header("authorization"), "GenieKey api-token");
    let log = format!("{:?}", stage.situation("edxapp").await);
    assert!(!log.contains("api-token"), "{log}");
}
