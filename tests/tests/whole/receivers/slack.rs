//! Slack's Web API: it answers 200 also where it refuses.

use domain::{Kind, Message, MessageKey, Reason, Severity, Step, Subject};
use house_tests::Stage;
use house_tests::peer::{Mishap, Peer};
use serde_json::{Value, json};

use super::contract::Fake;

pub const FAKE: Fake = Fake {
    kind: "slack",
    section: "url = \"{url}/api\"\nsecret = \"api\"",
    contact: "it:U024BE7LH",
    takes: &[("POST /api/chat.postMessage", 200, r#"{"ok":true,"channel":"D024BE91L","ts":"1503435956.000247"}"#)],
    page: "POST /api/chat.postMessage",
    unknown: Some(("POST /api/chat.postMessage", 200, r#"{"ok":false,"error":"channel_not_found"}"#)),
    key: |received| received.body.clone(),
    keeps: None,
};

/// What was posted since this was last asked.
fn posted(peer: &Peer) -> Vec<Value> {
    peer.received().iter().map(|request| serde_json::from_str(&request.body).unwrap()).collect()
}

/// `channel thread broadcast`, of each.
fn places(peer: &Peer) -> Vec<String> {
    let place = |body: Value| format!("{} {} {}", body["channel"], body["thread_ts"], body["reply_broadcast"]);
    posted(peer).into_iter().map(|body| place(body).replace('"', "")).collect()
}

#[tokio::test]
async fn what_is_said_of_one_change_is_one_thread_and_what_must_be_seen_is_shown_beside_it() {
    let (mut stage, peer) = FAKE.stage().await;
    stage.at("Fri 13:00").await.merge("anna", 12).await;
    assert_eq!(places(&peer), ["U024BE7LH null null"]);
    stage.deploy("prod", "success", 12).await;
    assert_eq!(places(&peer), ["D024BE91L 1503435956.000247 true"], "the turn starts");
    peer.always_answers("POST", 200, r#"{"ok":true,"channel":"D024BE91L","ts":"1503435999.000300"}"#);
    stage.at("Fri 14:30").await;
    let later = places(&peer);
    assert_eq!(later, ["D024BE91L 1503435956.000247 false"; 2], "ends soon, has ended");
    stage.merge("anna", 13).await;
    assert_eq!(places(&peer), ["U024BE7LH null null"], "another change is another thread");
    stage.alert("edxapp", "Fri 14:30", false).await;
    assert_eq!(places(&peer), ["U024BE7LH null null"], "so is an incident");
}

#[tokio::test]
async fn a_thread_costs_one_get_before_each_message_and_one_put_after_the_first() {
    let plain = Stage::new().await;
    let (chat, peer) = FAKE.stage().await;
    for wanted in [[0, 1, 1, 0], [0, 1, 0, 0]] {
        let act = async |stage: &Stage| match wanted[2] {
            1 => stage.merge("anna", 12).await,
            _ => stage.deploy("prod", "success", 12).await,
        };
        let (_, without) = plain.cost(act(&plain)).await;
        let (_, with) = chat.cost(act(&chat)).await;
        let more: [u64; 4] = std::array::from_fn(|i| with[i] - without[i]);
        assert_eq!((more, peer.received().len()), (wanted, 1));
    }
}

#[tokio::test]
async fn a_thread_that_is_gone_holds_nothing_back() {
    let (stage, peer) = FAKE.stage().await;
    stage.merge("anna", 12).await;
    peer.will("POST", Mishap::Says(200, String::new(), r#"{"ok":false,"error":"thread_not_found"}"#.to_owned()));
    places(&peer);
    stage.deploy("prod", "success", 12).await;
    assert_eq!(places(&peer), ["D024BE91L 1503435956.000247 true", "U024BE7LH null null"]);
    assert!(stage.heard().is_empty());
}

#[tokio::test]
async fn every_refusal_has_its_name_and_the_next_contact_is_told() {
    for (said, want) in [
        (r#"{"ok":false,"error":"channel_not_found"}"#, "it knows nobody by this address"),
        (r#"{"ok":false,"error":"ratelimited"}"#, "it asks to be left alone for 1 s"),
        (r#"{"ok":false,"error":"not_in_channel"}"#, "it refused: not_in_channel"),
        (r#"{"ok":false,"error":"internal_error"}"#, "it refused: internal_error"),
        (r#"{"ok":false}"#, "it refused: "),
        (r#"{"ok":"#, "it refused: its answer cannot be read"),
        ("[]", "it refused: its answer cannot be read"),
    ] {
        let (stage, peer) = FAKE.stage().await;
        peer.always_answers("POST", 200, said);
        stage.alert("edxapp", "Fri 12:00", false).await;
        assert_eq!((peer.received().len(), stage.heard().len()), (1, 1), "{said}");
        let contact = domain::Contact { receiver: "it".into(), address: "U024BE7LH".into(), keeps: false };
        let log = stage.house.store.log(&"edxapp".parse().unwrap(), 20).await.unwrap();
        assert!(log.iter().any(|entry| entry.reason.to_string().contains("terminal")), "{said}: {log:?}");
        let message = message(&stage);
        let why = on_page::receivers::send(&stage.house, &contact, &message, &[]).await.unwrap_err();
        assert_eq!(why.to_string(), want, "{said}");
    }
}

#[tokio::test]
async fn the_token_is_sent_as_a_header_and_the_message_says_nothing_that_slack_would_make_a_link_of() {
    let (stage, peer) = FAKE.stage().await;
    stage.alert("edxapp", "Fri 12:00", false).await;
    let request = peer.received().remove(0);
    assert_eq!(request.header("authorization"), "Bearer api-token");
    assert_eq!(request.header("content-type"), "application/json; charset=utf-8");
    let body: Value = serde_json::from_str(&request.body).unwrap();
    let kinds: Vec<&str> = body["blocks"].as_array().unwrap().iter().map(|b| b["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["header", "section", "context"],
        "without a signing secret nobody tells us who presses a button"
    );
    let context = &body["blocks"][2]["elements"][0]["text"];
    assert!(context.as_str().unwrap().ends_with("|Acknowledge>"), "{context}");
    let rest = json!([body["parse"], body["mrkdwn"], body["unfurl_links"], body["unfurl_media"], body["link_names"]]);
    assert_eq!(rest, json!(["none", false, false, false, null]));
}

#[tokio::test]
async fn a_link_that_acts_for_one_person_is_never_shown_in_a_channel() {
    for (contact, shown) in [("it:U024BE7LH", true), ("it:C024BE91L", false), ("it:G024BE91L", false)] {
        let (stage, peer) = Fake { contact, ..FAKE }.stage().await;
        stage.alert("edxapp", "Fri 12:00", false).await;
        let body = peer.received().remove(0).body;
        assert!(body.contains("/incidents/edxapp-"), "{body}");
        assert_eq!(body.contains("/acknowledge/edxapp-"), shown, "{contact}: {body}");
    }
}

fn message(stage: &Stage) -> Message {
    Message {
        key: MessageKey {
            service: "edxapp".parse().unwrap(),
            subject: Subject::Service,
            person: "anna".parse().unwrap(),
            step: Step::QueueSlow,
            nth: 0,
        },
        kind: Kind::Notice,
        severity: Severity::Warning,
        title: "the queue is slow".to_owned(),
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
        decided_at: stage.clock.now(),
    }
}
