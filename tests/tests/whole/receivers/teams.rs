//! A workflow of Microsoft Teams: it says "accepted", and knows nobody.

use house_tests::peer::Peer;
use house_tests::{Stage, configuration};
use serde_json::Value;

use super::contract::Fake;

pub const FAKE: Fake = Fake {
    kind: "teams",
    section: "secret = \"address\"",
    contact: "it",
    takes: &[("POST /address", 202, "")],
    page: "POST /address",
    unknown: None,
    key: |received| received.body.clone(),
    keeps: None,
};

#[tokio::test]
async fn the_address_is_used_as_it_is_and_shown_to_nobody() {
    let peer = Peer::start().await;
    let path =
        "/workflows/0a1b/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=s3-c_r3t";
    let contacts = |list: &str| format!("github = [\"anna\"]\ncontacts = [{list}]");
    let text = configuration(&["edxapp"]).replace(&contacts("\"terminal\""), &contacts("\"teams\", \"terminal\""));
    let text = format!("{text}\n[receivers.teams]\nsecret = \"workflow\"\n");
    let address = format!("{}{path}", peer.address);
    let stage = Stage::with_secrets(&text, &[("workflow", &address)], |_| {}).await;
    peer.will_answer(202, "");
    stage.alert("edxapp", "Fri 12:00", false).await;
    let taken = peer.received().remove(0);
    assert_eq!(taken.line, format!("POST {path} HTTP/1.1"));
    let body: Value = serde_json::from_str(&taken.body).unwrap();
    assert_eq!(body["attachments"][0]["content"]["actions"][0]["title"], "Acknowledge");
    assert!(stage.heard().is_empty());

    peer.always_answers("POST", 401, "");
    stage.alert("edxapp", "Fri 12:00", true).await;
    stage.alert("edxapp", "Fri 12:01", false).await;
    assert_eq!((peer.received().len(), stage.heard().len()), (2, 2), "that it is over, and the next page");
    let log = stage.house.store.log(&"edxapp".parse().unwrap(), 50).await.unwrap();
    assert!(!format!("{log:?}").contains("s3-c_r3t"));
}
