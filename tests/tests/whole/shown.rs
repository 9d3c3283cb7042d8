//! Who is on call, in a channel's topic and as a user group: kept so by the clock, against a Slack that behaves as documented.

use aws::links::Action;
use house_tests::peer::{Mishap, Peer};
use house_tests::{Stage, configuration};
use serde_json::json;

const INFO: &str = "POST /api/conversations.info";
const SET: &str = "POST /api/conversations.setTopic";
const LIST: &str = "POST /api/usergroups.users.list";
const UPDATE: &str = "POST /api/usergroups.users.update";

/// feanil, usama and anna are in Slack; olga is not.
async fn stage(spots: &str) -> (Stage, Peer) {
    let slack = Peer::start().await;
    let mut text = configuration(&["edxapp"]);
    for id in ["feanil", "usama", "anna"] {
        let plain = format!("github = [\"{id}\"]\ncontacts = [\"terminal\"]");
        let account = format!("U0{}000000", id.to_uppercase());
        text = text.replace(&plain, &plain.replace("[\"terminal\"]", &format!("[\"terminal\", \"slack:{account}\"]")));
    }
    text = text.replace("[services.edxapp]\n", &format!("[services.edxapp]\n{spots}\n"));
    let receiver = format!("\n[receivers.slack]\nurl = \"{}/api\"\nsecret = \"api\"\n", slack.address);
    slack.always_answers("POST /api/", 200, r#"{"ok":true}"#);
    has_topic(&slack, "Deploys &amp; more");
    has_members(&slack, &["U0SOMEBODY1"]);
    (Stage::with(&format!("{text}{receiver}"), |_| {}).await, slack)
}

const TOPIC: &str = "channel_topic = \"slack:C024BE91L\"";
const GROUP: &str = "user_group = \"slack:S0614TZR7\"";

fn has_topic(slack: &Peer, topic: &str) {
    let body = json!({ "ok": true, "channel": { "id": "C024BE91L", "topic": { "value": topic, "creator": "U1", "last_set": 1 } } });
    slack.always_answers(INFO, 200, body.to_string());
}

fn has_members(slack: &Peer, users: &[&str]) {
    slack.always_answers(LIST, 200, json!({ "ok": true, "users": users }).to_string());
}

/// What was asked and written, in short: `setTopic topic=...`.
fn asked(slack: &Peer) -> Vec<String> {
    let line = |r: house_tests::peer::Received| {
        let method = r.line.trim_start_matches("POST /api/").trim_end_matches(" HTTP/1.1").to_owned();
        assert_eq!(r.header("authorization"), "Bearer api-token");
        assert_eq!(r.header("content-type"), "application/x-www-form-urlencoded");
        let fields: Vec<String> =
            form_urlencoded::parse(r.body.as_bytes()).map(|(name, value)| format!("{name}={value}")).collect();
        format!("{method} {}", fields.join(" "))
    };
    slack.received().into_iter().filter(|r| !r.line.contains("chat.postMessage")).map(line).collect()
}

fn written(slack: &Peer) -> Vec<String> {
    let writes =
        |line: &String| line.starts_with("conversations.setTopic") || line.starts_with("usergroups.users.update");
    asked(slack).into_iter().filter(writes).collect()
}

async fn log(stage: &Stage) -> Vec<String> {
    let log = stage.house.store.log(&"edxapp".parse().unwrap(), 50).await.unwrap();
    let about = |what: &str| what.contains("who is on call");
    log.into_iter()
        .filter(|entry| about(&entry.what))
        .map(|entry| format!("{}: {}", entry.what, entry.reason))
        .collect()
}

#[tokio::test]
async fn both_follow_the_turns_and_the_rotation_stands_there_between_them() {
    let (mut day, slack) = stage(&format!("{TOPIC}\n{GROUP}")).await;
    day.at("Fri 13:00").await.merge("feanil", 12).await;
    assert_eq!(
        asked(&slack),
        [
            "conversations.info channel=C024BE91L",
            "conversations.setTopic channel=C024BE91L topic=[on call: anna] Deploys & more",
            "usergroups.users.list usergroup=S0614TZR7",
            "usergroups.users.update usergroup=S0614TZR7 users=U0ANNA000000",
        ],
        "on standby nobody is on call but the rotation"
    );
    has_topic(&slack, "[on call: anna] Deploys &amp; more");
    has_members(&slack, &["U0ANNA000000"]);
    day.at("Fri 14:00").await.deploy("prod", "success", 12).await;
    day.at("Fri 14:02").await;
    assert_eq!(
        written(&slack),
        [
            "conversations.setTopic channel=C024BE91L topic=[on call: feanil] Deploys & more",
            "usergroups.users.update usergroup=S0614TZR7 users=U0FEANIL000000",
        ]
    );
    has_topic(&slack, "[on call: feanil] Deploys &amp; more");
    has_members(&slack, &["U0FEANIL000000"]);
    let link = day.link(Action::OnCall("edxapp".parse().unwrap()), "usama");
    assert_eq!(day.post(&link, Vec::new(), b"do=take&for=30+min").await.status, 200);
    day.at("Fri 14:05").await;
    assert_eq!(
        written(&slack),
        [
            "conversations.setTopic channel=C024BE91L topic=[on call: usama] Deploys & more",
            "usergroups.users.update usergroup=S0614TZR7 users=U0USAMA000000",
        ],
        "who has the pager is paged instead of him"
    );
    has_topic(&slack, "[on call: usama] Deploys &amp; more");
    has_members(&slack, &["U0USAMA000000"]);
    day.at("Fri 15:05").await;
    assert_eq!(
        written(&slack),
        [
            "conversations.setTopic channel=C024BE91L topic=[on call: feanil] Deploys & more",
            "usergroups.users.update usergroup=S0614TZR7 users=U0FEANIL000000",
            "conversations.setTopic channel=C024BE91L topic=[on call: anna] Deploys & more",
            "usergroups.users.update usergroup=S0614TZR7 users=U0ANNA000000",
        ],
        "his turn is over at 15:00"
    );
    assert_eq!(log(&day).await.len(), 10);
    assert_eq!(
        log(&day).await.last().map(String::as_str),
        Some("the channel's topic says who is on call: anna: written to slack:C024BE91L")
    );
}

#[tokio::test]
async fn what_people_write_stays_and_what_they_take_away_is_there_again_within_the_hour() {
    let (mut day, slack) = stage(TOPIC).await;
    day.at("Fri 12:01").await;
    day.bundle.tick().await;
    assert_eq!(
        written(&slack),
        ["conversations.setTopic channel=C024BE91L topic=[on call: anna] Deploys & more"],
        "each service is looked at once when the program starts"
    );
    day.merge("feanil", 12).await;
    assert_eq!(written(&slack), [""; 0], "it stands there");
    has_topic(&slack, "Deploys: see &lt;https://wiki.example.com&gt; [on call: anna] | be nice");
    day.at("Fri 13:05").await;
    assert_eq!(asked(&slack), ["conversations.info channel=C024BE91L"], "it stands there: nothing is written again");
    has_topic(&slack, "somebody wiped it");
    day.at("Fri 14:05").await;
    assert_eq!(written(&slack), ["conversations.setTopic channel=C024BE91L topic=[on call: anna] somebody wiped it"]);
}

#[tokio::test]
async fn what_slack_refuses_has_a_name_in_the_log_once_and_is_tried_again() {
    for (part, mishap, why) in [
        (
            INFO,
            said(r#"{"ok":false,"error":"missing_scope","needed":"channels:read","provided":"chat:write"}"#),
            "the app lacks the scope channels:read: add it, and install the app again",
        ),
        (
            SET,
            said(r#"{"ok":false,"error":"missing_scope","needed":"channels:write.topic"}"#),
            "the app lacks the scope channels:write.topic",
        ),
        (SET, said(r#"{"ok":false,"error":"not_in_channel"}"#), "the app is not in the channel: invite it"),
        (INFO, said(r#"{"ok":false,"error":"channel_not_found"}"#), "it knows no such channel or user group"),
        (SET, said(r#"{"ok":false,"error":"user_is_restricted"}"#), "it refused: user_is_restricted"),
        (LIST, said(r#"{"ok":false,"error":"no_such_subteam"}"#), "it knows no such channel or user group"),
        (
            UPDATE,
            said(r#"{"ok":false,"error":"missing_scope","needed":"usergroups:write"}"#),
            "the app lacks the scope usergroups:write",
        ),
        (UPDATE, Mishap::Says(500, String::new(), String::new()), "it answered 500"),
        (INFO, Mishap::Says(200, String::new(), "{".to_owned()), "its answer cannot be read"),
        (INFO, Mishap::Says(200, String::new(), r#"{"ok":true,"channel":{}}"#.to_owned()), "its answer cannot be read"),
        (INFO, Mishap::Resets, "it cannot be reached"),
    ] {
        let (mut day, slack) = stage(&format!("{TOPIC}\n{GROUP}")).await;
        slack.will(part, mishap.clone());
        slack.will(part, mishap);
        day.merge("feanil", 12).await;
        let failed: Vec<String> = log(&day).await.into_iter().filter(|line| line.contains("cannot say")).collect();
        assert!(
            failed.len() == 1 && failed[0].contains(why) && failed[0].ends_with("what stands there stays"),
            "{why}: {failed:?}"
        );
        assert!(!failed[0].contains("api-token"));
        drop(asked(&slack));
        day.at("Fri 12:05").await;
        assert!(!written(&slack).is_empty(), "{why}: it is written in the end");
        let lines = log(&day).await;
        assert_eq!(lines.iter().filter(|line| line.contains("cannot say")).count(), 1, "{why}: {lines:?}");
        assert_eq!(lines.iter().filter(|line| line.contains("says who is on call")).count(), 2, "{why}: {lines:?}");
    }
}

fn said(body: &str) -> Mishap {
    Mishap::Says(200, String::new(), body.to_owned())
}

#[tokio::test]
async fn where_it_asks_to_be_left_alone_it_is() {
    let (mut day, slack) = stage(TOPIC).await;
    slack.will(INFO, Mishap::Says(429, "retry-after: 600\r\n".to_owned(), String::new()));
    day.merge("feanil", 12).await;
    drop(asked(&slack));
    day.at("Fri 12:09").await;
    assert_eq!(asked(&slack), [""; 0]);
    day.at("Fri 12:12").await;
    assert_eq!(written(&slack).len(), 1);
}

#[tokio::test]
async fn a_group_of_nobody_and_a_topic_without_room_stay_as_they_are_and_it_is_said() {
    let (mut day, slack) = stage(&format!("{TOPIC}\n{GROUP}")).await;
    has_topic(&slack, &"x".repeat(245));
    // olga, who has the pager, is not in Slack.
    let link = day.link(Action::OnCall("edxapp".parse().unwrap()), "olga");
    assert_eq!(day.post(&link, Vec::new(), b"do=take&for=30+min").await.status, 200);
    day.at("Fri 12:03").await;
    assert_eq!(written(&slack), [""; 0]);
    let lines = log(&day).await.join("\n");
    assert!(lines.contains("the user group cannot say who is on call: nobody who is on call has a contact there, and a user group cannot be empty"), "{lines}");
    assert!(lines.contains("the rest of the topic leaves no room for who is on call: shorten it"), "{lines}");
}
