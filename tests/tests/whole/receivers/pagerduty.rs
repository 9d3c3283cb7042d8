//! PagerDuty's REST API, as <https://developer.pagerduty.com/api-reference> documents it.

use aws::wire::error_chain;
use domain::{Contact, Kind, Message, MessageKey, Reason, Severity, Step, Subject};
use jiff::Timestamp;

use super::contract::{Fake, field};

pub const FAKE: Fake = Fake {
    kind: "pagerduty",
    section: "url = \"{url}\"\nsecret = \"api\"\nfrom = \"deployers@example.com\"\nservice = \"PWIXJZS\"",
    contact: "it:PXPGF42",
    takes: &[
        ("POST /incidents", 201, r#"{"incident":{"id":"PT4KHLK","incident_number":1234,"status":"triggered"}}"#),
        (
            "GET /incidents?incident_key=deployers%2F",
            200,
            r#"{"incidents":[{"id":"PT4KHLK","status":"triggered"}],"limit":25,"offset":0,"more":false}"#,
        ),
        ("PUT /incidents", 200, r#"{"incidents":[{"id":"PT4KHLK"}]}"#),
    ],
    page: "POST /incidents",
    unknown: Some(("POST /incidents", 400, r#"{"error":{"message":"Assigned To User Not Found","code":1007}}"#)),
    key: |received| field(received, "/incident/incident_key"),
    keeps: Some((
        &["PUT /incidents", r#""id":"PT4KHLK""#, r#""status":"acknowledged""#],
        &["PUT /incidents", r#""id":"PT4KHLK""#, r#""status":"resolved""#],
    )),
};

/// What comes of a message to anna, and the first lines of what was asked.
async fn sent(kind: Kind, step: Step, answers: &[(&str, u16, &str)]) -> (Result<(), String>, Vec<String>) {
    let (stage, peer) = FAKE.stage().await;
    for (part, status, body) in answers {
        peer.always_answers(part, *status, *body);
    }
    let message = Message {
        key: MessageKey {
            service: "edxapp".parse().unwrap(),
            subject: Subject::Service,
            person: "anna".parse().unwrap(),
            step,
            nth: 0,
        },
        kind,
        severity: Severity::Critical,
        title: "<b>edxapp</b> is \"down\" 🔥\u{7}".to_owned(),
        lines: Vec::new(),
        links: Vec::new(),
        short: String::new(),
        pager_key: Some("a b&c#d".to_owned()),
        not_by: None,
        unless: None,
        ends: None,
        again: 0,
        revert: None,
        reason: Reason::NoSuspect,
        decided_at: Timestamp::UNIX_EPOCH,
    };
    let contact = Contact { receiver: "it".to_owned(), address: "PXPGF42".to_owned(), keeps: true };
    let result = on_page::receivers::send(&stage.house, &contact, &message, &[]).await;
    let lines = peer.received().into_iter().map(|r| r.line).collect();
    (result.map_err(|error| error_chain(&error)), lines)
}

const TAKEN: (Kind, Step) = (Kind::Update, Step::PagerAcknowledged);
const OVER: (Kind, Step) = (Kind::Update, Step::PagerResolved);
const OPEN: (Kind, Step) = (Kind::Page, Step::FirstResponder);

#[tokio::test]
async fn what_is_open_already_under_its_key_was_delivered() {
    let body = r#"{"error":{"message":"Arguments Caused Error","code":2002,
        "errors":["Open incident with matching dedup key already exists on this service"]}}"#;
    let (result, lines) = sent(OPEN.0, OPEN.1, &[("POST /incidents", 400, body)]).await;
    assert_eq!((result, lines.len()), (Ok(()), 1));
}

#[tokio::test]
async fn an_incident_that_nobody_is_woken_for_was_not_delivered() {
    let body = r#"{"incident":{"id":"PT4KHLK","status":"acknowledged"}}"#;
    let (result, _) = sent(OPEN.0, OPEN.1, &[("POST /incidents", 201, body)]).await;
    assert!(result.unwrap_err().contains("`from`"));
}

#[tokio::test]
async fn a_refusal_repeats_neither_the_address_nor_the_key() {
    let body = r#"{"error":{"message":"No","code":2001,"errors":["PXPGF42 with api-token is not welcome"]}}"#;
    let (result, _) = sent(OPEN.0, OPEN.1, &[("POST /incidents", 400, body)]).await;
    assert_eq!(result.unwrap_err(), "it refused: … with … is not welcome");
}

#[tokio::test]
async fn only_what_is_open_is_acknowledged_or_resolved() {
    let found = "GET /incidents?incident_key=deployers%2Fa%20b%26c%23d&service_ids%5B%5D=PWIXJZS&";
    for (kind, step) in [TAKEN, OVER] {
        let (result, lines) = sent(kind, step, &[(found, 200, r#"{"incidents":[]}"#)]).await;
        assert_eq!(result, Ok(()));
        assert_eq!(lines.len(), 1, "nothing is open: {lines:?}");
    }
    let acknowledged = r#"{"incidents":[{"id":"PT4KHLK","status":"acknowledged"}]}"#;
    let (result, lines) = sent(TAKEN.0, TAKEN.1, &[(found, 200, acknowledged)]).await;
    assert_eq!((result, lines.len()), (Ok(()), 1), "acknowledged already");
    let (result, lines) = sent(OVER.0, OVER.1, &[(found, 200, acknowledged)]).await;
    assert_eq!((result, lines.last().map(String::as_str)), (Ok(()), Some("PUT /incidents HTTP/1.1")));
}

#[tokio::test]
async fn who_was_faster_is_no_error_and_what_is_broken_is() {
    let resolved = r#"{"error":{"message":"Incident Already Resolved","code":1001}}"#;
    let (result, _) = sent(OVER.0, OVER.1, &[("PUT /incidents", 400, resolved)]).await;
    assert_eq!(result, Ok(()));
    let (result, _) = sent(OVER.0, OVER.1, &[("PUT /incidents", 403, "{}")]).await;
    assert_eq!(result, Err("it answered 403".to_owned()));
    for (status, body) in [(500, ""), (401, "{}"), (200, "<html>"), (200, r#"{"incidents":null}"#)] {
        let (result, lines) = sent(OVER.0, OVER.1, &[("GET /incidents", status, body)]).await;
        assert!(result.is_err() && lines.iter().all(|line| line.starts_with("GET")), "{status} {body}: {lines:?}");
    }
}
