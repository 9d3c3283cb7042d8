//! Who wants to hear of everything subscribes to the page topic: a mailing list, a queue, a chat. Their filter policies
//! rest on the attributes of what is published, and on the body.

use std::collections::BTreeMap;

use aws::clients::{self, Aws, Http};
use aws::topic::Topic;
use domain::{Kind, Message, MessageKey, Reason, Severity, Step, Subject};
use expect_test::expect;
use house_tests::peer::Peer;

const ARN: &str = "arn:aws:sns:eu-west-1:123456789012:recent-deployers-pages";

fn message() -> Message {
    Message {
        key: MessageKey {
            service: "edxapp".parse().unwrap(),
            subject: Subject::Incident("edxapp-k3v7q2ma".parse().unwrap()),
            person: "feanil".parse().unwrap(),
            step: Step::FirstResponder,
            nth: 0,
        },
        kind: Kind::Page,
        severity: Severity::Critical,
        title: "[critical] edxapp production: HighErrorRate".to_owned(),
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

/// The attributes with which SNS is given a message: `name: type value`.
async fn attributes(message: &Message) -> String {
    let sns = Peer::start().await;
    sns.always_answers(
        "POST / ",
        200,
        "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>1</MessageId>\
         </PublishResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></PublishResponse>",
    );
    let aws = Aws::local(String::new(), sns.address.clone());
    Topic::new(clients::sns(&aws, &Http::new()), ARN).publish(message).await.unwrap();
    let received = sns.received();
    assert_eq!(received.len(), 1, "{received:?}");
    let form: BTreeMap<String, String> = form_urlencoded::parse(received[0].body.as_bytes()).into_owned().collect();
    assert_eq!((form["Action"].as_str(), form["TopicArn"].as_str()), ("Publish", ARN));
    assert_eq!(serde_json::from_str::<Message>(&form["Message"]).unwrap(), *message);
    let names = form.iter().filter_map(|(field, name)| Some((field.strip_suffix(".Name")?, name)));
    let line = |(entry, name): (&str, &String)| {
        format!(
            "{name}: {} {}\n",
            form[&format!("{entry}.Value.DataType")],
            form[&format!("{entry}.Value.StringValue")]
        )
    };
    let mut lines: Vec<String> = names.map(line).collect();
    lines.sort();
    lines.concat()
}

#[tokio::test]
async fn subscribers_choose_by_kind_severity_service_and_person() {
    let page = message();
    expect![[r#"
        kind: String page
        person: String feanil
        service: String edxapp
        severity: String critical
    "#]]
    .assert_eq(&attributes(&page).await);
    let notice = Message { kind: Kind::Notice, severity: Severity::Info, ..page };
    expect![[r#"
        kind: String notice
        person: String feanil
        service: String edxapp
        severity: String info
    "#]]
    .assert_eq(&attributes(&notice).await);
}
