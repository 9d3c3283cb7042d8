//! The nights it was made for, with the tools that a team has: Slack, PagerDuty and Opsgenie, each a fake of its API. In
//! front of the pager the monitor tells only us; beside it we write into the pager who is first, and it pages too.

use aws::links::Action;
use house_tests::peer::{Peer, Received};
use house_tests::{Stage, configuration};
use serde_json::{Value, json};

const TAKEN: &str = r#"{"result":"Request will be processed","took":0.3,"requestId":"r1"}"#;
const MADE: &str = r#"{"data":{"success":true,"action":"Create","isSuccess":true,"status":"Created alert","alertId":"a1","alias":"x"}}"#;
const ALERT: &str = r#"{"data":{"id":"a1","responders":[{"type":"user","id":"u1"}]}}"#;

/// A team: feanil and usama are in Slack first, and have PagerDuty; anna, on the rotation, has Opsgenie; olga, the owner,
/// has Slack alone. The service has a channel.
struct Team {
    stage: Stage,
    slack: Peer,
    pagerduty: Peer,
    opsgenie: Peer,
}

impl Team {
    async fn with(services: &[&str], beside: bool) -> Self {
        let (slack, pagerduty, opsgenie) = (Peer::start().await, Peer::start().await, Peer::start().await);
        slack.always_answers("POST /api", 200, r#"{"ok":true,"channel":"D1","ts":"1.2"}"#);
        pagerduty.always_answers("POST /incidents", 201, r#"{"incident":{"id":"PI1","status":"triggered"}}"#);
        pagerduty.always_answers(
            "GET /incidents?",
            200,
            r#"{"incidents":[{"id":"PI1","status":"triggered"}],"more":false}"#,
        );
        pagerduty.always_answers("PUT /incidents", 200, r#"{"incidents":[{"id":"PI1"}]}"#);
        pagerduty.always_answers("GET /schedules/PFIRST/overrides?", 200, r#"{"overrides":[]}"#);
        pagerduty.always_answers("POST /schedules/PFIRST/overrides", 201, r#"[{"status":201,"override":{"id":"Q1","start":"2026-03-20T14:00:00Z","end":"2026-03-20T16:00:00Z","user":{"id":"P","type":"user_reference"}}}]"#);
        pagerduty.always_answers("DELETE /schedules/PFIRST/overrides/", 204, "");
        opsgenie.always_answers("/v2/alerts", 202, TAKEN);
        opsgenie.always_answers("GET /v2/alerts/requests/", 200, MADE);
        opsgenie.always_answers("GET /v2/alerts/a1", 200, ALERT);
        let mut text = configuration(services);
        for (who, contacts) in [
            ("feanil", r#""slack:U0FEANIL001", "pd:PFEANIL""#),
            ("usama", r#""pd:PUSAMA", "slack:U0USAMA0001""#),
            ("anna", r#""og:anna@example.com""#),
            ("olga", r#""slack:U0OLGA00001""#),
        ] {
            let plain = format!("github = [\"{who}\"]\ncontacts = [\"terminal\"]");
            text = text.replace(&plain, &format!("github = [\"{who}\"]\ncontacts = [{contacts}]"));
        }
        let stands = if beside { "beside = \"pd:PFIRST\"\n" } else { "" };
        text = text
            .replace("[services.edxapp]\n", &format!("[services.edxapp]\nchannel = [\"slack:C0EDXAPP001\"]\n{stands}"));
        let receivers = format!(
            "\n[receivers.slack]\nurl = \"{}/api\"\nsecret = \"api\"\nsigning_secret = \"signing\"\n\
             [receivers.pd]\nkind = \"pagerduty\"\nurl = \"{}\"\nsecret = \"api\"\nfrom = \"bot@example.com\"\nservice = \"PSVC\"\n\
             [receivers.og]\nkind = \"opsgenie\"\nurl = \"{}\"\nsecret = \"api\"\n",
            slack.address, pagerduty.address, opsgenie.address
        );
        let stage = Stage::with(&format!("{text}{receivers}"), |_| {}).await;
        Self { stage, slack, pagerduty, opsgenie }
    }

    /// What Slack was sent since this was last asked: `channel: first line`.
    fn slack(&self) -> Vec<(String, Value)> {
        let posted = self.slack.received().into_iter().filter(|r| r.line.contains("chat.postMessage"));
        let bodies = posted.map(|r| serde_json::from_str::<Value>(&r.body).unwrap());
        bodies.map(|body| (body["channel"].as_str().unwrap().to_owned(), body)).collect()
    }

    /// What PagerDuty was sent about incidents, first line and body together.
    fn pagerduty(&self) -> Vec<String> {
        let told = |r: &Received| r.line.starts_with("POST /incidents") || r.line.starts_with("PUT /incidents");
        self.pagerduty.received().iter().filter(|r| told(r)).map(|r| format!("{} {}", r.line, r.body)).collect()
    }

    fn opsgenie(&self) -> Vec<String> {
        self.opsgenie
            .received()
            .iter()
            .filter(|r| r.line.starts_with("POST"))
            .map(|r| format!("{} {}", r.line, r.body))
            .collect()
    }

    fn forget(&self) {
        let _ = (self.slack(), self.pagerduty(), self.opsgenie());
    }
}

/// A night: an off-hours merge of this person goes live, and breaks production ten minutes later.
async fn breaks_production(team: &mut Team, who: &str) {
    team.stage.at("Fri 23:40").await.merge(who, 12).await;
    team.stage.at("Fri 23:55").await.deploy("prod", "success", 12).await;
    team.stage.at("Sat 00:04").await;
    team.forget();
    team.stage.at("Sat 00:05").await.alert("edxapp", "Sat 00:05", false).await;
}

#[tokio::test]
async fn in_front_the_merger_is_paged_at_once_and_the_rotation_only_when_nobody_answers() {
    let mut team = Team::with(&["edxapp"], false).await;
    breaks_production(&mut team, "usama").await;
    let paged = team.pagerduty();
    assert_eq!(paged.len(), 1, "{paged:?}");
    assert!(
        paged[0].contains(r#""id":"PUSAMA""#) && paged[0].contains("Why you: you merged edx-platform#12"),
        "{paged:?}"
    );
    let channel = team.slack();
    assert_eq!(channel.len(), 1, "the channel follows");
    assert_eq!(channel[0].0, "C0EDXAPP001");
    let text = channel[0].1.to_string();
    assert!(text.contains("Paged: usama") && text.contains("not-mine"), "{text}");
    team.stage.at("Sat 00:08").await;
    assert!(team.opsgenie().is_empty(), "the rotation sleeps for five minutes");
    team.stage.at("Sat 00:10").await;
    let rotation = team.opsgenie();
    assert_eq!(rotation.iter().filter(|told| told.contains("anna@example.com")).count(), 1, "{rotation:?}");
    assert!(rotation[0].contains("edx-platform#12") && rotation[0].contains("Acknowledge"), "everything at hand");
    assert!(team.pagerduty().is_empty(), "nobody is paged twice");

    // Usama takes it by the link: every pager that keeps a page of it hears.
    let id = team.stage.incident("edxapp").await.id;
    let link = team.stage.link(Action::Acknowledge(id), "usama");
    assert_eq!(team.stage.post(&link, Vec::new(), b"do=acknowledge").await.status, 200);
    let told = team.pagerduty();
    assert!(told.iter().any(|t| t.starts_with("PUT") && t.contains("acknowledged")), "{told:?}");
    assert!(team.opsgenie().iter().any(|told| told.contains("/close?")), "and the rotation's pager is quiet");
    team.stage.at("Sat 00:30").await.alert("edxapp", "Sat 00:05", true).await;
    assert!(team.pagerduty().iter().any(|t| t.starts_with("PUT") && t.contains("resolved")));
    assert!(team.opsgenie().is_empty(), "closed once");
}

#[tokio::test]
async fn a_page_that_nobody_answers_wakes_again_and_every_one_of_them_is_closed() {
    let mut team = Team::with(&["edxapp"], false).await;
    breaks_production(&mut team, "usama").await;
    let id = team.stage.incident("edxapp").await.id;
    let keys = |told: &[Received], line: &str| -> Vec<String> {
        let of = |r: &Received| {
            serde_json::from_str::<Value>(&r.body).ok()?["incident"]["incident_key"].as_str().map(str::to_owned)
        };
        told.iter().filter(|r| r.line.starts_with(line)).filter_map(of).collect()
    };
    team.stage.at("Sat 00:36").await;
    let first = format!("deployers/{id}/0/usama");
    let told = team.pagerduty.received();
    let made = keys(&told, "POST /incidents");
    assert!(!told.iter().any(|r| r.line.contains("incident_key=")), "none is closed while nobody has answered");
    // The first time he is asked again it is by his other contact.
    assert_eq!(made, [first.clone(), format!("{first}/2")], "another page there, or it would wake nobody");
    team.stage.alert("edxapp", "Sat 00:05", true).await;
    let looked =
        |r: &Received| r.line.strip_prefix("GET /incidents?incident_key=")?.split('&').next().map(str::to_owned);
    let asked: Vec<String> = team.pagerduty.received().iter().filter_map(looked).collect();
    let all = [first.clone(), format!("{first}/1"), format!("{first}/2")].map(|key| key.replace('/', "%2F"));
    assert_eq!(asked, all, "wherever each of them went");
}

#[tokio::test]
async fn a_press_in_slack_stops_it_for_everybody() {
    let mut team = Team::with(&["edxapp"], false).await;
    breaks_production(&mut team, "feanil").await;
    let posted = team.slack();
    let page = &posted.iter().find(|(to, _)| to == "U0FEANIL001").expect("a direct message").1;
    let value = press(page, "acknowledge");
    assert_eq!(pressed(&team, "U0FEANIL001", "acknowledge", &value).await, 200);
    assert_eq!(team.stage.incident("edxapp").await.acknowledged.len(), 1);
    team.stage.at("Sat 00:20").await;
    assert!(team.opsgenie().is_empty(), "nobody else is woken");
    assert!(team.pagerduty().iter().all(|told| !told.starts_with("POST")), "nor he by another way");
    let channel: Vec<_> = team.slack().into_iter().filter(|(to, _)| to.starts_with('C') || to == "D1").collect();
    assert!(channel.iter().any(|(_, body)| body.to_string().contains("feanil acknowledged")), "{channel:?}");
}

#[tokio::test]
async fn not_mine_in_slack_passes_to_the_next_at_once() {
    let mut team = Team::with(&["edxapp"], false).await;
    team.stage.at("Fri 23:30").await.merge("usama", 11).await;
    breaks_production(&mut team, "feanil").await;
    let posted = team.slack();
    let page = &posted.iter().find(|(to, _)| to == "U0FEANIL001").expect("a direct message").1;
    let value = press(page, "not-mine");
    assert!(team.pagerduty().is_empty());
    assert_eq!(pressed(&team, "U0FEANIL001", "not-mine", &value).await, 200);
    let next: Vec<String> = team.pagerduty().into_iter().filter(|told| told.starts_with("POST")).collect();
    assert!(
        next.len() == 1 && next[0].contains("PUSAMA") && next[0].contains("Not theirs, they say: feanil"),
        "{next:?}"
    );
    assert_eq!(team.stage.incident("edxapp").await.not_mine[0].person.as_str(), "feanil");
}

#[tokio::test]
async fn beside_the_pager_it_pages_itself_and_we_add_what_it_does_not_know() {
    let mut team = Team::with(&["edxapp"], true).await;
    team.stage.at("Fri 23:40").await.merge("usama", 12).await;
    team.stage.at("Fri 23:55").await.deploy("prod", "success", 12).await;
    let written: Vec<String> = team
        .pagerduty
        .received()
        .iter()
        .filter(|r| r.line.starts_with("POST /schedules"))
        .map(|r| r.body.clone())
        .collect();
    assert!(written.len() == 1 && written[0].contains("PUSAMA"), "its first level while it is his turn: {written:?}");
    team.stage.at("Sat 00:04").await;
    team.forget();
    team.stage.at("Sat 00:05").await.alert("edxapp", "Sat 00:05", false).await;
    assert!(team.pagerduty().is_empty(), "PagerDuty pages him by itself");
    let posted = team.slack();
    let page = &posted.iter().find(|(to, _)| to == "U0USAMA0001").expect("and we tell him why, in Slack").1;
    assert!(page.to_string().contains("Why you: you merged edx-platform#12"), "{page}");
}

#[tokio::test]
async fn one_change_that_breaks_two_services_is_one_page_that_names_both() {
    for beside in [false, true] {
        names_both(Team::with(&["edxapp", "ecommerce"], beside).await).await;
    }
}

async fn names_both(mut team: Team) {
    team.stage.at("Fri 14:00").await.merge("feanil", 12).await;
    team.stage.at("Fri 15:00").await.deploy("prod", "success", 12).await;
    team.stage.at("Fri 15:09").await;
    team.forget();
    team.stage.at("Fri 15:10").await;
    let mut both = team.stage.alerting("edxapp", "Fri 15:10", false);
    let other = team.stage.alerting("ecommerce", "Fri 15:10", false);
    both["alerts"].as_array_mut().unwrap().push(other["alerts"][0].clone());
    both["commonLabels"] = json!({});
    let headers = recent_deployers::demo::payloads::token_headers(house_tests::TOKEN);
    let answer = team.stage.post("/alert/alertmanager", headers, both.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let to_feanil: Vec<Value> =
        team.slack().into_iter().filter(|(to, _)| to == "U0FEANIL001" || to == "D1").map(|(_, body)| body).collect();
    assert_eq!(to_feanil.len(), 1, "{to_feanil:?}");
    let text = to_feanil[0].to_string();
    assert!(text.contains("ecommerce production") && text.contains("edxapp production"), "{text}");
    for service in ["edxapp", "ecommerce"] {
        let incident = team.stage.incident(service).await;
        assert_eq!(incident.suspects[0].label, "edx-platform#12", "a suspect in both");
        assert_eq!(incident.pages[0].person.as_str(), "feanil");
    }
    // Acknowledging what one page named acknowledges both.
    let id = team.stage.incident("ecommerce").await.id;
    let link = team.stage.link(Action::Acknowledge(id), "feanil");
    assert_eq!(team.stage.post(&link, Vec::new(), b"do=acknowledge").await.status, 200);
    for service in ["edxapp", "ecommerce"] {
        assert_eq!(team.stage.incident(service).await.acknowledged.len(), 1, "{service}");
    }
    team.stage.at("Fri 15:40").await;
    assert!(team.opsgenie().is_empty(), "and the rotation of neither is woken");
}

#[tokio::test]
async fn what_breaks_a_moment_later_by_the_same_change_is_told_and_not_paged_again() {
    let mut team = Team::with(&["edxapp", "ecommerce"], false).await;
    team.stage.at("Fri 14:00").await.merge("feanil", 12).await;
    team.stage.at("Fri 15:00").await.deploy("prod", "success", 12).await;
    team.stage.at("Fri 15:10").await.alert("edxapp", "Fri 15:10", false).await;
    team.forget();
    team.stage.at("Fri 15:12").await.alert("ecommerce", "Fri 15:12", false).await;
    let told: Vec<String> = team
        .slack()
        .into_iter()
        .filter(|(to, _)| to == "U0FEANIL001" || to == "D1")
        .map(|(_, b)| b.to_string())
        .collect();
    assert!(told.len() == 1 && told[0].contains("Also broken: [critical] ecommerce production"), "{told:?}");
    let id = team.stage.incident("edxapp").await.id;
    let link = team.stage.link(Action::Acknowledge(id), "feanil");
    team.stage.post(&link, Vec::new(), b"do=acknowledge").await;
    assert_eq!(team.stage.incident("ecommerce").await.acknowledged.len(), 1, "one of them acknowledges both");
    // What breaks once it was acknowledged is a page of its own.
    assert!(told[0].contains("\"acknowledge\""), "the notice can be acknowledged by itself: {}", told[0]);
}

/// What the button that does this carries.
fn press(message: &Value, does: &str) -> String {
    let elements = message["blocks"].as_array().unwrap().iter().flat_map(|block| block["elements"].as_array().cloned());
    let found = elements.flatten().find(|element| element["action_id"] == does);
    found.unwrap_or_else(|| panic!("no {does} in {message}"))["value"].as_str().unwrap().to_owned()
}

/// Somebody presses a button in Slack.
async fn pressed(team: &Team, user: &str, does: &str, value: &str) -> u16 {
    let payload = json!({
        "type": "block_actions",
        "user": { "id": user },
        "response_url": format!("{}/actions/T1/2/x", team.slack.address),
        "actions": [{ "type": "button", "action_id": does, "block_id": "b", "value": value, "action_ts": "1.3" }],
    });
    let body = form(&payload.to_string());
    let time = team.stage.clock.now().as_second().to_string();
    let signed = aws::verify::hmac_sha256(
        b"8f742231b10e8888abcd99yyyzzz85a5",
        &[b"v0:", time.as_bytes(), b":", body.as_bytes()],
    );
    let headers = vec![
        ("x-slack-signature".to_owned(), format!("v0={}", aws::verify::to_hex(&signed))),
        ("x-slack-request-timestamp".to_owned(), time),
        ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
    ];
    team.stage.post("/chat/slack", headers, body.as_bytes()).await.status
}

fn form(payload: &str) -> String {
    let encoded: String = payload.bytes().map(|b| format!("%{b:02X}")).collect();
    format!("payload={encoded}")
}
