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

/// Each card in a line, with the titles of its buttons, and what their addresses are about.
fn cards(peer: &Peer) -> Vec<String> {
    let card = |body: &str| {
        let body: Value = serde_json::from_str(body).unwrap();
        let card = &body["attachments"][0]["content"];
        let buttons = card["actions"].as_array().unwrap().iter().map(|button| {
            assert_eq!(button["type"], "Action.OpenUrl", "Teams cannot tell us who pressed a button");
            let path = button["url"].as_str().unwrap().replace("https://deployers.example.com/", "");
            format!("{} ({})", button["title"].as_str().unwrap(), path.split(['/', '#']).next().unwrap_or(""))
        });
        format!(
            "{}: {}",
            card["body"][0]["inlines"][0]["text"].as_str().unwrap(),
            buttons.collect::<Vec<_>>().join(", ")
        )
    };
    peer.received().iter().map(|taken| card(&taken.body)).collect()
}

#[tokio::test]
async fn whatever_a_message_offers_is_a_link_of_its_person() {
    let peer = Peer::start().await;
    peer.always_answers("POST", 202, "");
    let text = configuration(&["edxapp"])
        .replace("contacts = [\"terminal\"]", "contacts = [\"teams\", \"terminal\"]")
        .replace("[services.edxapp]\n", "[services.edxapp]\nzone = \"UTC\"\nhours = \"Mon-Fri 09:00-17:00\"\n");
    let text = format!("{text}\n[receivers.teams]\nsecret = \"workflow\"\n[policy]\nqueue_warned_at = 2\n");
    let mut day = Stage::with_secrets(&text, &[("workflow", &peer.address)], |_| {}).await;
    day.merge("feanil", 12).await;
    day.merge("feanil", 13).await;
    day.at("Fri 12:01").await.deploy("prod", "success", 13).await;
    day.at("Fri 12:10").await.alert("edxapp", "Fri 12:10", false).await;
    day.at("Fri 12:11").await.alert("edxapp", "Fri 12:10", true).await;
    let freezes = day.link(aws::links::Action::Freezes, "feanil");
    let declares = b"do=freeze&name=Gratitude+days&until=2026-03-24+09:00&preset=holiday";
    assert_eq!(day.post(&freezes, Vec::new(), declares).await.status, 200);
    day.post(&freezes, Vec::new(), b"do=expedite&pull=openedx/edx-platform%2314").await;
    day.at("Fri 12:13").await;
    day.post(&freezes, Vec::new(), b"do=expedite&pull=openedx/edx-platform%2314&why=checkout").await;
    day.at("Fri 12:15").await;
    let pager = day.link(aws::links::Action::OnCall("edxapp".parse().unwrap()), "usama");
    day.post(&pager, Vec::new(), b"do=take&for=10+min").await;
    day.at("Fri 23:00").await.merge("feanil", 15).await;
    day.at("Fri 23:20").await;
    expect_test::expect![[r#"
        edx-platform#12 is merged: you are on standby for edxapp: Hand over (hand-over), Board ()
        edx-platform#13 is merged: you are on standby for edxapp: Hand over (hand-over), Board ()
        2 changes wait to go live in edxapp: The pipeline (queue), Board ()
        Your turn starts: edx-platform#12 is live in edxapp production: Hand over (hand-over), Board ()
        Your turn starts: edx-platform#13 is live in edxapp production: Hand over (hand-over), Board ()
        [critical] edxapp production: HighErrorRate: Acknowledge (acknowledge), Hand over (hand-over), Board (incidents), Alert (https:)
        Resolved: [critical] edxapp production: HighErrorRate: Say which change it was (judge)
        Why should edx-platform#14 pass the freeze?: Say why (expedite), Board ()
        feanil asks to let edx-platform#14 pass the freeze: do you sign?: Sign, or refuse (expedite), Board ()
        You have the pager of edxapp now: Give back (on-call), Board ()
        usama has the pager of edxapp now: Board ()
        You no longer have the pager of edxapp: Board ()
        Your turn for edx-platform#12 in edxapp ends soon: Board ()
        Your turn for edx-platform#13 in edxapp ends soon: Board ()
        Your turn for edx-platform#12 in edxapp is over: Board ()
        Your turn for edx-platform#13 in edxapp is over: Board ()
        edx-platform#15 was merged during an event (Gratitude days): do you take the pager for edxapp?: Take it, or not (answer), Board ()
        Be warned: edx-platform#15 was merged during an event (Gratitude days), unattended: Take it (hand-over), Board ()
    "#]]
    .assert_eq(&(cards(&peer).join("\n") + "\n"));
}
