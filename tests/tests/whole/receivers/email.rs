//! SES's `SendEmail`. <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>

use aws::House;
use domain::{Contact, Kind, Message, MessageKey, Reason, Severity, Step, Subject};
use house_tests::peer::{Mishap, Peer};
use house_tests::{Stage, configuration};

use super::contract::Fake;

pub const FAKE: Fake = Fake {
    kind: "email",
    section: "url = \"{url}\"\nfrom = \"Deployers <oncall@example.com>\"",
    contact: "it:anna@example.com",
    takes: &[(
        "POST /v2/email/outbound-emails",
        200,
        "{\"MessageId\":\"0100017d41d36138-496e8b33-1f5e-4b0e-9a7e-5a6f0e6c6d2a-000000\"}",
    )],
    page: "POST /v2/email/outbound-emails",
    unknown: Some((
        "POST /v2/email/outbound-emails",
        400,
        "{\"__type\":\"BadRequestException\",\"message\":\"Missing final '@domain'\"}",
    )),
    key: |received| {
        assert!(received.header("authorization").contains("/eu-west-1/ses/aws4_request, "), "signed: {received:?}");
        received.body.clone()
    },
    keeps: None,
};

fn page() -> Message {
    Message {
        key: MessageKey {
            service: "edxapp".parse().unwrap(),
            subject: Subject::Service,
            person: "anna".parse().unwrap(),
            step: Step::Rotation,
            nth: 0,
        },
        kind: Kind::Page,
        severity: Severity::Critical,
        title: "edxapp is down".to_owned(),
        lines: Vec::new(),
        links: Vec::new(),
        short: String::new(),
        pager_key: None,
        not_by: None,
        unless: None,
        ends: None,
        again: 0,
        revert: None,
        reason: Reason::NoSuspect,
        decided_at: house_tests::time("Fri 12:00"),
    }
}

#[tokio::test]
async fn what_went_wrong_is_told_by_its_name() {
    let peer = Peer::start().await;
    let receiver = format!("[receivers.email]\nurl = \"{}\"\nfrom = \"oncall@example.com\"", peer.address);
    let text = format!("{}\n{receiver}\n[receivers.sms]\nurl = \"{}\"\n", configuration(&["edxapp"]), peer.address);
    let stage = Stage::with(&text, |_| {}).await;
    let contact = |receiver: &str, address: &str| Contact {
        receiver: receiver.to_owned(),
        address: address.to_owned(),
        keeps: false,
    };
    let (email, sms) = (contact("email", "anna@example.com"), contact("sms", "+15555550123"));

    let header = "x-amzn-errortype: BadRequestException\r\n".to_owned();
    peer.will("POST", Mishap::Says(400, header, "{\"message\":\"Illegal address\"}".to_owned()));
    let refused = on_page::receivers::send(&stage.house, &email, &page(), &[]).await.unwrap_err();
    assert_eq!(refused.to_string(), "it knows nobody by this address");

    let nowhere = House { aws: None, ..stage.house.clone() };
    for contact in [&email, &sms] {
        let refused = on_page::receivers::send(&nowhere, contact, &page(), &[]).await.unwrap_err();
        assert_eq!(refused.to_string(), "there is no AWS account to send it by");
    }
    assert_eq!(peer.received().len(), 1);
}
