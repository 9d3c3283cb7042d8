//! What Opsgenie and Jira Service Management are told of a page that somebody took, or that is over.

use domain::{Contact, Kind, Message, MessageKey, Reason, Severity, Step, Subject};
use house_tests::peer::Mishap;
use jiff::Timestamp;
use on_page::receivers;

use super::contract::Fake;
use super::{jira_service_management, opsgenie};

/// What they are asked when this happened to a page, as the first lines of the requests, or why that failed.
async fn told(fake: &Fake, step: Step, mishaps: &[(&str, u16, &str)]) -> Result<Vec<String>, String> {
    let (stage, peer) = fake.stage().await;
    for (part, status, body) in mishaps {
        peer.will(part, Mishap::Says(*status, String::new(), (*body).to_owned()));
    }
    let message = Message {
        key: MessageKey {
            service: "edxapp".parse().unwrap(),
            subject: Subject::Service,
            person: "anna".parse().unwrap(),
            step,
            nth: 0,
        },
        kind: Kind::Update,
        severity: Severity::Critical,
        title: "olga took it".to_owned(),
        lines: Vec::new(),
        links: Vec::new(),
        short: String::new(),
        pager_key: Some("edxapp#1#anna".to_owned()),
        not_by: None,
        unless: None,
        ends: None,
        again: 0,
        revert: None,
        reason: Reason::NoSuspect,
        decided_at: Timestamp::UNIX_EPOCH,
    };
    let (_, address) = fake.contact.split_once(':').unwrap();
    let contact = Contact { receiver: "it".to_owned(), address: address.to_owned(), keeps: true };
    receivers::send(&stage.house, &contact, &message, &[]).await.map_err(|error| error.to_string())?;
    Ok(peer.received().iter().map(|r| format!("{} {}", r.line.trim_end_matches(" HTTP/1.1"), r.body)).collect())
}

#[tokio::test]
async fn opsgenie_is_told_by_alias() {
    let path = "POST /v2/alerts/deployers.edxapp%231%23anna";
    let body = r#"{"note":"olga took it","source":"Recent Deployers"}"#;
    for (step, word) in [(Step::PagerAcknowledged, "acknowledge"), (Step::PagerResolved, "close")] {
        let want = format!("{path}/{word}?identifierType=alias {body}");
        assert_eq!(told(&opsgenie::FAKE, step, &[]).await, Ok(vec![want.clone()]));
        assert_eq!(told(&opsgenie::FAKE, step, &[(path, 404, "{}")]).await, Ok(vec![want]), "it is not there");
    }
    let refused = told(&opsgenie::FAKE, Step::PagerResolved, &[(path, 401, r#"{"message":"no api-token"}"#)]).await;
    assert_eq!(refused, Err("it refused: 401, no …".to_owned()));
}

#[tokio::test]
async fn jira_service_management_is_told_by_the_id_of_the_alert_that_is_open() {
    let fake = &jira_service_management::FAKE;
    let alerts = "/jsm/ops/api/f3b2-site/v1/alerts";
    let asked = format!("GET {alerts}/alias?alias=deployers.edxapp%231%23anna ");
    for (step, word) in [(Step::PagerAcknowledged, "acknowledge"), (Step::PagerResolved, "close")] {
        let want = vec![asked.clone(), format!("POST {alerts}/8743a1b2-1700/{word} ")];
        assert_eq!(told(fake, step, &[]).await, Ok(want));
    }
    assert_eq!(
        told(fake, Step::PagerResolved, &[("alias?", 404, "{}")]).await,
        Ok(vec![asked.clone()]),
        "it is not there"
    );
    let closed = ("alias?", 200, r#"{"id":"old","status":"closed"}"#);
    let query =
        format!("GET {alerts}?query=status%3A%20%22open%22%20AND%20alias%3A%20%22deployers.edxapp%231%23anna%22 ");
    let other = ("alerts?query", 200, r#"{"values":[{"id":"8743a1b2-1700"}],"count":1}"#);
    let want = vec![asked.clone(), query.clone(), format!("POST {alerts}/8743a1b2-1700/close ")];
    assert_eq!(told(fake, Step::PagerResolved, &[closed, other]).await, Ok(want), "another one is open");
    let none = ("alerts?query", 200, r#"{"values":[],"count":0}"#);
    assert_eq!(told(fake, Step::PagerResolved, &[closed, none]).await, Ok(vec![asked, query]), "none is open");
    let forbidden = ("alias?", 403, r#"{"errors":[{"title":"not allowed"}]}"#);
    assert_eq!(told(fake, Step::PagerResolved, &[forbidden]).await, Err("it refused: 403, not allowed".to_owned()));
}
