//! What Slack's own library describes of its payloads: each is understood, or ignored by a reason that has a name.

use house_tests::root;
use serde_json::{Value, json};

use crate::chat::*;

fn described() -> Vec<(String, Value)> {
    let folder = root().join("../shared/payloads/slack-sdk");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("not present: ../shared/payloads; 0 payloads read");
        return Vec::new();
    };
    let mut all: Vec<(String, Value)> = files
        .map(|file| file.unwrap().path())
        .map(|path| {
            let text = std::fs::read(&path).unwrap();
            (path.file_stem().unwrap().to_string_lossy().into_owned(), serde_json::from_slice(&text).unwrap())
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// What came of it: the status, and the reason or what the person was told.
async fn sent(chat: &Chat, payload: &Value) -> String {
    let answer = chat.send(payload).await;
    let told: Vec<Value> = chat.slack.received().iter().filter_map(|r| serde_json::from_str(&r.body).ok()).collect();
    let told: Vec<&str> = told.iter().filter_map(|told| told["text"].as_str()).collect();
    format!("{} {}{}", answer.status, answer.body.trim(), told.join(" "))
}

#[tokio::test]
async fn each_is_understood_or_ignored_by_name() {
    let chat = Chat::of_everybody("").await;
    let mut outcomes = Vec::new();
    for (name, payload) in described() {
        match payload["type"].as_str() {
            // A command is a form of its own.
            None => {
                let text = chat.types(FEANIL, "/oncall", "").await;
                outcomes.push(format!("{name}: {}", text.lines().next().unwrap()));
            }
            Some("block_actions") => {
                outcomes.push(format!("{name}: {}", sent(&chat, &payload).await));
                // Each kind of element that a message can have, used.
                let elements = payload["message"]["blocks"].as_array().unwrap().iter();
                let elements = elements.flat_map(|block| block["elements"].as_array().into_iter().flatten());
                let mut kinds = std::collections::BTreeMap::new();
                for element in payload["actions"].as_array().unwrap().iter().chain(elements) {
                    kinds.entry(element["type"].as_str().unwrap_or("")).or_insert(element);
                }
                for action in kinds.values().filter(|element| element.get("action_id").is_some()) {
                    let mut one = payload.clone();
                    one["actions"] = json!([action]);
                    one["user"]["id"] = json!(ANNA);
                    one["response_url"] = json!(format!("{}/actions/T1/2/x", chat.slack.address));
                    let kind = action["type"].as_str().unwrap_or("");
                    outcomes.push(format!("{name} {kind}: {}", sent(&chat, &one).await));
                }
            }
            Some(_) => outcomes.push(format!("{name}: {}", sent(&chat, &payload).await)),
        }
    }
    if outcomes.is_empty() {
        return;
    }
    expect_test::expect![[r#"
        BlockActionPayload: 200 {"ignored":"nobody pressed a button of ours"}
        BlockActionPayload : 200 {"ignored":"nobody pressed a button of ours"}
        BlockActionPayload button: 200 This button does not work. Nothing was done: it is not one of ours, or was changed. Open the board for the newest state.
        BlockActionPayload channels_select: 200 {"ignored":"nobody pressed a button of ours"}
        BlockActionPayload conversations_select: 200 {"ignored":"nobody pressed a button of ours"}
        BlockActionPayload datepicker: 200 {"ignored":"nobody pressed a button of ours"}
        BlockActionPayload external_select: 200 {"ignored":"nobody pressed a button of ours"}
        BlockActionPayload multi_channels_select: 200 {"ignored":"nobody pressed a button of ours"}
        BlockActionPayload multi_conversations_select: 200 {"ignored":"nobody pressed a button of ours"}
        BlockActionPayload multi_external_select: 200 {"ignored":"nobody pressed a button of ours"}
        BlockActionPayload multi_static_select: 200 {"ignored":"nobody pressed a button of ours"}
        BlockActionPayload multi_users_select: 200 {"ignored":"nobody pressed a button of ours"}
        BlockActionPayload overflow: 200 {"ignored":"nobody pressed a button of ours"}
        BlockActionPayload static_select: 200 {"ignored":"nothing was chosen"}
        BlockActionPayload users_select: 200 {"ignored":"nothing was chosen"}
        MessageShortcutPayload: 200 {"ignored":"a shortcut, and we have none"}
        SlashCommandPayload: You answer for. Nothing: you are not on call, and nothing of yours waits.
        ViewClosedPayload: 200 {"ignored":"a dialog was closed"}
        ViewSubmissionPayload: 200 {"ignored":"a dialog was sent, and we have none"}
    "#]]
    .assert_eq(&(outcomes.join("\n") + "\n"));
    assert!(chat.acknowledged_nothing().await);
}

impl Chat {
    async fn acknowledged_nothing(&self) -> bool {
        let situation = self.stage.situation("edxapp").await;
        situation.incidents.is_empty() && situation.shifts.is_empty()
    }
}
