//! Beside the pager: whoever is paged first is written there as the first level, and taken out in the end; the rotation
//! is read from where it lives; what the pager says itself is not said twice.

use domain::paging::Paging;
use house_tests::peer::{Mishap, Peer};
use house_tests::{Stage, configuration};
use serde_json::json;

const LIST: &str = "GET /schedules/PFIRST/overrides?";
const POST: &str = "POST /schedules/PFIRST/overrides";
const DELETE: &str = "DELETE /schedules/PFIRST/overrides/";
const ONCALLS: &str = "GET /oncalls?schedule_ids%5B%5D=PROTA&";

/// A service that stands beside a PagerDuty; feanil and usama have accounts there, and are reached at the terminal too.
async fn beside() -> (Stage, Peer) {
    let peer = Peer::start().await;
    let mut text = configuration(&["edxapp"]);
    for (who, account) in [("feanil", "PFEANIL"), ("usama", "PUSAMA"), ("anna", "PANNA")] {
        let plain = format!("github = [\"{who}\"]\ncontacts = [\"terminal\"]");
        text = text.replace(&plain, &plain.replace("[\"terminal\"]", &format!("[\"pd:{account}\", \"terminal\"]")));
    }
    text = text.replace("[services.edxapp]\n", "[services.edxapp]\nschedule = \"pd:PROTA\"\nbeside = \"pd:PFIRST\"\n");
    let receiver = format!(
        "\n[receivers.pd]\nkind = \"pagerduty\"\nurl = \"{}\"\nsecret = \"api\"\nfrom = \"bot@example.com\"\nservice = \"PSVC\"\n",
        peer.address
    );
    peer.always_answers(LIST, 200, r#"{"overrides":[]}"#);
    peer.always_answers(DELETE, 204, "");
    writes_as(&peer, "Q1");
    on_call(&peer, "PANNA");
    (Stage::with(&format!("{text}{receiver}"), |_| {}).await, peer)
}

/// A service whose rotation is read at a PagerDuty: anna has a contact there, usama an account, olga an address. Without any anna is asked.
fn of_roster() -> String {
    configuration(&["edxapp"])
        .replace("github = [\"anna\"]\ncontacts = [", "github = [\"anna\"]\ncontacts = [\"pd:PANNA\", ")
        .replace("github = [\"usama\"]\n", "github = [\"usama\"]\npagerduty = [\"PUSAMA2\"]\n")
        .replace("github = [\"olga\"]\n", "github = [\"olga\"]\nemails = [\"olga@example.com\"]\n")
        .replace("[services.edxapp]\n", "[services.edxapp]\nschedule = \"pd:PROTA\"\n")
        + "\n[receivers.pd]\nkind = \"pagerduty\"\nurl = \"{address}\"\nsecret = \"api\"\nfrom = \"bot@example.com\"\nservice = \"PSVC\"\n"
}

/// The override that it makes next is called so.
fn writes_as(peer: &Peer, id: &str) {
    let body = format!(
        r#"[{{"status":201,"override":{{"id":"{id}","start":"2026-03-20T14:00:00Z","end":"2026-03-20T16:00:00Z","user":{{"id":"P","type":"user_reference"}}}}}}]"#
    );
    peer.always_answers(POST, 201, body);
}

/// The override that is there when it is asked.
fn has(peer: &Peer, id: &str, user: &str, from: &str, to: &str) {
    let body = format!(
        r#"{{"overrides":[{{"id":"{id}","start":"2026-03-20T{from}:00Z","end":"2026-03-20T{to}:00Z","user":{{"id":"{user}","type":"user_reference"}}}}]}}"#
    );
    peer.always_answers(LIST, 200, body);
}

fn on_call(peer: &Peer, account: &str) {
    let body = format!(
        r#"{{"oncalls":[{{"user":{{"id":"{account}","type":"user","summary":"x","name":"x","email":"x@example.com"}},"schedule":{{"id":"PROTA","type":"schedule_reference"}},"escalation_policy":{{"id":"PE"}},"escalation_level":1,"start":null,"end":null}}],"more":false}}"#
    );
    peer.always_answers(ONCALLS, 200, body);
}

/// What was written to the schedule, in short: `POST PFEANIL 15:00-16:00`, `DELETE Q1`.
fn written(peer: &Peer) -> Vec<String> {
    let told = peer.received().into_iter().filter_map(|r| {
        if r.line.starts_with(DELETE) {
            return Some(format!("DELETE {}", r.line.trim_start_matches(DELETE).trim_end_matches(" HTTP/1.1")));
        }
        let body: serde_json::Value = serde_json::from_str(&r.body).ok().filter(|_| r.line.starts_with(POST))?;
        let made = &body["overrides"][0];
        let clock = |time: &serde_json::Value| time.as_str().unwrap()[11..16].to_owned();
        Some(format!("POST {} {}-{}", made["user"]["id"].as_str().unwrap(), clock(&made["start"]), clock(&made["end"])))
    });
    told.collect()
}

async fn paging(stage: &Stage) -> Paging {
    stage.situation("edxapp").await.paging.value
}

#[tokio::test]
async fn an_active_windows_responder_is_the_first_level_until_its_end() {
    let (mut day, peer) = beside().await;
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    assert_eq!(written(&peer), [""; 0], "on standby nobody is on call");
    day.at("Fri 15:00").await.deploy("prod", "in_progress", 12).await;
    assert_eq!(written(&peer), ["POST PFEANIL 15:00-19:00"], "at the latest until then");
    has(&peer, "Q1", "PFEANIL", "15:00", "19:00");
    day.at("Fri 15:10").await;
    writes_as(&peer, "Q2");
    day.deploy("prod", "success", 12).await;
    day.at("Fri 15:12").await;
    assert_eq!(written(&peer), ["POST PFEANIL 15:10-16:10", "DELETE Q1"], "first the new one, then the old one goes");
    assert_eq!(paging(&day).await.layer.unwrap().id.as_deref(), Some("Q2"));
    has(&peer, "Q2", "PFEANIL", "15:10", "16:10");
    day.at("Fri 16:09").await;
    assert_eq!(paging(&day).await.layer.unwrap().id.as_deref(), Some("Q2"), "to its end");
    day.at("Fri 16:15").await;
    assert_eq!(written(&peer), [""; 0], "it ran out by itself");
    assert_eq!(paging(&day).await.layer, None);
}

#[tokio::test]
async fn a_handover_and_a_revert_move_it_at_once() {
    let (mut day, peer) = beside().await;
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    day.at("Fri 15:00").await.deploy("prod", "success", 12).await;
    assert_eq!(written(&peer), ["POST PFEANIL 15:00-16:00"]);
    writes_as(&peer, "Q2");
    let link = day.link(aws::links::Action::OnCall("edxapp".parse().unwrap()), "usama");
    let took = day.post(&link, Vec::new(), b"do=take&for=30+min").await;
    assert_eq!(took.status, 200, "{}", took.body);
    day.at("Fri 15:02").await;
    assert_eq!(written(&peer), ["POST PUSAMA 15:00-15:30", "DELETE Q1"]);
    has(&peer, "Q2", "PUSAMA", "15:00", "15:30");
    writes_as(&peer, "Q3");
    day.at("Fri 15:32").await;
    assert_eq!(written(&peer), ["POST PFEANIL 15:30-16:00"], "the pager is his again");
}

#[tokio::test]
async fn what_was_lost_on_the_way_is_repaired_by_the_tick_and_nothing_is_written_twice() {
    let (mut day, peer) = beside().await;
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    peer.will(POST, Mishap::Resets);
    day.at("Fri 15:00").await.deploy("prod", "success", 12).await;
    assert_eq!(written(&peer).len(), 1, "it was taken, and the answer never came");
    assert!(paging(&day).await.unwritten.is_some());
    has(&peer, "Q1", "PFEANIL", "15:00", "16:00");
    day.at("Fri 15:05").await;
    assert_eq!(written(&peer), [""; 0], "it is there: found, not made again");
    let kept = paging(&day).await;
    assert_eq!((kept.layer.unwrap().id.as_deref(), kept.unwritten), (Some("Q1"), None));
}

#[tokio::test]
async fn what_somebody_takes_out_at_the_pager_is_there_again_within_ten_minutes() {
    let (mut day, peer) = beside().await;
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    day.at("Fri 15:00").await.deploy("prod", "success", 12).await;
    assert_eq!(written(&peer), ["POST PFEANIL 15:00-16:00"]);
    has(&peer, "Q1", "PFEANIL", "15:00", "16:00");
    day.at("Fri 15:15").await;
    assert_eq!(written(&peer), [""; 0], "it is there");
    peer.always_answers(LIST, 200, r#"{"overrides":[]}"#);
    writes_as(&peer, "Q2");
    day.at("Fri 15:21").await;
    assert_eq!(written(&peer), ["POST PFEANIL 15:20-16:00"]);
    assert_eq!(paging(&day).await.layer.unwrap().id.as_deref(), Some("Q2"));
    let log = day.house.store.log(&"edxapp".parse().unwrap(), 100).await.unwrap();
    assert_eq!(log.iter().filter(|entry| entry.reason.name() == "written_into_pager").count(), 2, "and that is said");
}

#[tokio::test]
async fn a_pager_that_cannot_be_told_says_why_and_is_told_once_it_can() {
    let (mut day, peer) = beside().await;
    peer.always_answers(POST, 403, r#"{"error":{"code":2010,"message":"Access Denied"}}"#);
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    day.at("Fri 15:00").await.deploy("prod", "success", 12).await;
    day.at("Fri 15:10").await;
    let unwritten = paging(&day).await.unwritten.unwrap();
    assert!(unwritten.why.contains("403") || unwritten.why.contains("Access Denied"), "{}", unwritten.why);
    let log = day.house.store.log(&"edxapp".parse().unwrap(), 100).await.unwrap();
    assert_eq!(log.iter().filter(|entry| entry.reason.name() == "pager_unwritten").count(), 1, "said once");
    assert!(written(&peer).len() >= 5, "and tried each minute");
    writes_as(&peer, "Q9");
    day.at("Fri 15:22").await;
    assert_eq!(paging(&day).await.layer.unwrap().id.as_deref(), Some("Q9"));
}

#[tokio::test]
async fn what_the_pager_tells_somebody_itself_we_do_not_tell_by_it_again() {
    let (mut day, peer) = beside().await;
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    day.at("Fri 15:00").await.deploy("prod", "success", 12).await;
    let _ = (peer.received(), day.heard());
    day.at("Fri 15:20").await.alert("edxapp", "Fri 15:20", false).await;
    assert_eq!(
        day.heard(),
        ["PAGE to feanil: [critical] edxapp production: HighErrorRate"],
        "with the evidence, in chat"
    );
    day.at("Fri 15:26").await;
    let lines: Vec<String> = peer.received().into_iter().map(|r| r.line).collect();
    assert!(!lines.iter().any(|line| line.starts_with("POST /incidents")), "{lines:?}");
    let heard = day.heard();
    assert!(heard.contains(&"PAGE to anna: [critical] edxapp production: HighErrorRate".to_owned()), "{heard:?}");
}

#[tokio::test]
async fn the_rotation_is_read_from_the_pager_and_what_cannot_be_read_falls_back() {
    let (mut day, peer) = beside().await;
    on_call(&peer, "PUSAMA");
    day.at("Fri 14:00").await.merge("olga", 12).await;
    day.at("Fri 14:05").await.alert("edxapp", "Fri 14:05", false).await;
    assert_eq!(paging(&day).await.on_call.unwrap().people, ["usama".parse().unwrap()]);
    let situation = day.situation("edxapp").await;
    let incident = situation.incidents.values().next().unwrap();
    assert_eq!(incident.value.pages[0].person.as_str(), "usama", "no suspect: whoever is on call there");
    day.alert("edxapp", "Fri 14:05", true).await;
    peer.always_answers(ONCALLS, 500, "");
    day.at("Fri 16:00").await.alert("edxapp", "Fri 16:00", false).await;
    let newest =
        |s: &domain::Situation| s.incidents.values().max_by_key(|i| i.value.detected_at).unwrap().value.clone();
    assert_eq!(newest(&day.situation("edxapp").await).pages[0].person.as_str(), "usama", "what was read last counts");
    let unread = paging(&day).await.on_call.unwrap().unread.unwrap();
    assert!(unread.why.contains("500"), "{}", unread.why);
}

#[tokio::test]
async fn who_is_on_call_there_is_known_by_contact_account_or_address_and_a_stranger_is_nobody() {
    let text = of_roster();
    for (account, want) in [("PANNA", "anna"), ("PUSAMA2", "usama"), ("PNOBODY", "olga"), ("PSTRANGER", "anna")] {
        let peer = Peer::start().await;
        let address = if account == "PNOBODY" { "olga@example.com" } else { "x@example.net" };
        let body = json!({ "oncalls": [{
            "user": { "id": account, "type": "user", "summary": "x", "name": "x", "email": address },
            "schedule": { "id": "PROTA", "type": "schedule_reference" }, "escalation_policy": { "id": "PE" }, "escalation_level": 1,
            "start": null, "end": null,
        }], "more": false });
        peer.always_answers(ONCALLS, 200, body.to_string());
        let mut day = Stage::with(&text.replace("{address}", &peer.address), |_| {}).await;
        day.at("Fri 14:00").await.merge("olga", 12).await;
        day.at("Fri 14:05").await.alert("edxapp", "Fri 14:05", false).await;
        let paged = day.situation("edxapp").await.incidents.values().next().unwrap().value.pages[0].person.clone();
        assert_eq!(paged.as_str(), want, "{account}");
    }
}

#[test]
fn a_schedule_is_the_first_level_of_one_service() {
    let receiver =
        "\n[receivers.pd]\nkind = \"pagerduty\"\nsecret = \"api\"\nfrom = \"bot@example.com\"\nservice = \"PSVC\"\n";
    for (own, rotation, problem) in [
        ("PTWO", "PROTA", ""),
        ("PFIRST", "PROTA", "ecommerce is written into this schedule too"),
        ("PTWO", "PTWO", "`beside` has to be another schedule than `schedule`"),
    ] {
        let text = configuration(&["edxapp", "ecommerce"])
            .replace("[services.ecommerce]\n", "[services.ecommerce]\nbeside = \"pd:PFIRST\"\n")
            .replace(
                "[services.edxapp]\n",
                &format!("[services.edxapp]\nschedule = \"pd:{rotation}\"\nbeside = \"pd:{own}\"\n"),
            );
        let parsed = aws::settings::Configuration::parse(&format!("{text}{receiver}"), &aws::settings::no_files);
        let problems = parsed.err().map(|problems| format!("{problems:?}")).unwrap_or_default();
        assert!(
            problems.contains(problem) && problem.is_empty() == problems.is_empty(),
            "{own} {rotation}: {problems}"
        );
    }
}
