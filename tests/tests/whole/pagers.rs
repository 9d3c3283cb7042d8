//! What pagers are asked, and told, of their schedules. Each answers as its API documents it; then none does as it
//! should.

use aws::receiver::{ReceiverConfig, ReceiverKind};
use aws::wire::error_chain;
use house_tests::peer::{Mishap, Peer};
use house_tests::{Stage, time};
use on_schedule::pagers::{self, Layer, NoAnswer, OnCall, Pager};

/// A house at Friday 12:00, and a PagerDuty.
struct Duty {
    stage: Stage,
    peer: Peer,
    receiver: ReceiverConfig,
}

const ONCALLS: &str = "GET /oncalls?schedule_ids%5B%5D=PI7DH85&";
const SCHEDULE: &str = "GET /schedules/PI7DH85?";
const LIST: &str = "GET /schedules/PI7DH85/overrides?";
const POST: &str = "POST /schedules/PI7DH85/overrides";
const DELETE: &str = "DELETE /schedules/PI7DH85/overrides/PQ47DCP";
const V3: &str = "GET /v3/schedules/PI7DH85";

const NONE: &str = r#"{"overrides":[]}"#;
const MADE: &str = r#"[{"status":201,"override":{"id":"PQ47DCP","start":"2026-03-20T14:00:00Z","end":"2026-03-20T16:00:00Z","user":{"id":"PXPGF42","type":"user_reference"}}}]"#;

impl Duty {
    async fn new() -> Self {
        let (stage, peer) = (Stage::new().await, Peer::start().await);
        let receiver = ReceiverConfig {
            name: "it".to_owned(),
            kind: ReceiverKind::PagerDuty,
            url: peer.address.clone(),
            secret: Some("api".to_owned()),
            ..ReceiverConfig::terminal()
        };
        Self { stage, peer, receiver }
    }

    /// One that answers so.
    async fn answering(answers: &[(&str, u16, &str)]) -> Self {
        let duty = Self::new().await;
        for (part, status, body) in answers {
            duty.peer.always_answers(part, *status, *body);
        }
        duty
    }

    fn pager(&self) -> Pager<'_> {
        Pager { house: &self.stage.house, receiver: &self.receiver }
    }

    async fn on_call(&self) -> Result<OnCall, NoAnswer> {
        pagers::on_call(&self.pager(), "PI7DH85", time("Fri 12:00")).await
    }

    async fn put(&self, layer: &Layer) -> Result<String, NoAnswer> {
        pagers::put(&self.pager(), "PI7DH85", layer).await
    }

    async fn take_out(&self, id: &str, layer: &Layer) -> Result<(), NoAnswer> {
        pagers::take_out(&self.pager(), "PI7DH85", id, layer).await
    }

    /// What was asked since, without the protocol, with what was sent.
    fn asked(&self) -> Vec<String> {
        let text = |r: house_tests::peer::Received| format!("{} {}", r.line.trim_end_matches(" HTTP/1.1"), r.body);
        self.peer.received().into_iter().map(|r| text(r).trim_end().to_owned()).collect()
    }
}

fn layer(from: &str, until: &str) -> Layer {
    Layer { user: "PXPGF42".to_owned(), from: time(from), until: time(until), mark: "edxapp#12#anna".to_owned() }
}

fn told(error: &NoAnswer) -> String {
    error_chain(error)
}

/// An override as PagerDuty lists it; days as the stories count them.
fn listed(user: &str, from: &str, until: &str) -> String {
    let (from, until) = (time(from), time(until));
    format!(
        r#"{{"overrides":[{{"id":"PQ47DCP","start":"{from}","end":"{until}","user":{{"id":"{user}","type":"user_reference"}}}}]}}"#
    )
}

#[tokio::test]
async fn who_is_on_call_is_told_once_and_until_the_first_one_goes() {
    let turn = |user: &str, level: u64, from: &str, until: &str| {
        format!(
            r#"{{"user":{{"id":"{user}","type":"user","summary":"x","name":"{user} <b>","email":"{user}@example.com"}},
            "schedule":{{"id":"PI7DH85","type":"schedule_reference"}},"escalation_policy":{{"id":"PE"}},
            "escalation_level":{level},"start":{from},"end":{until}}}"#
        )
    };
    let at = |text: &str| format!("\"{}\"", time(text));
    let turns = [
        turn("PSECOND", 2, "null", "null"),
        turn("PFIRST", 1, &at("Fri 09:00"), &at("Fri 18:00")),
        turn("PFIRST", 1, &at("Fri 09:00"), &at("Fri 18:00")),
        turn("PGONE", 1, &at("Fri 09:00"), &at("Fri 12:00")),
        turn("POTHER", 1, "null", "null").replace("PI7DH85", "PANOTHER"),
    ];
    let body = format!(r#"{{"oncalls":[{}],"limit":100,"offset":0,"more":false,"total":null}}"#, turns.join(","));
    let duty = Duty::answering(&[(ONCALLS, 200, &body)]).await;
    let found = duty.on_call().await.unwrap();
    let people: Vec<_> = found.people.iter().map(|p| (p.id.as_deref().unwrap(), p.email.as_deref().unwrap())).collect();
    assert_eq!(people, [("PFIRST", "PFIRST@example.com"), ("PSECOND", "PSECOND@example.com")]);
    assert_eq!(found.people[0].name, "PFIRST <b>");
    assert_eq!(found.until, Some(time("Fri 18:00")));
    let request = &duty.peer.received()[0];
    assert_eq!(request.header("authorization"), "Token token=api-token");
    assert_eq!(request.header("accept"), "application/vnd.pagerduty+json;version=2");
}

#[tokio::test]
async fn a_schedule_that_no_policy_uses_tells_itself() {
    let body = format!(
        r#"{{"schedule":{{"id":"PI7DH85","final_schedule":{{"name":"Final Schedule","rendered_schedule_entries":[
        {{"start":"{}","end":"{}","user":{{"id":"PXPGF42","type":"user_reference","summary":"Anna"}}}}]}}}}}}"#,
        time("Fri 09:00"),
        time("Fri 18:00")
    );
    let nobody = r#"{"oncalls":[]}"#;
    let duty = Duty::answering(&[(ONCALLS, 200, nobody), (SCHEDULE, 200, &body)]).await;
    let found = duty.on_call().await.unwrap();
    assert_eq!((found.people[0].name.as_str(), found.until), ("Anna", Some(time("Fri 18:00"))));
    let empty = r#"{"schedule":{"final_schedule":{"rendered_schedule_entries":[]}}}"#;
    let duty = Duty::answering(&[(ONCALLS, 200, nobody), (SCHEDULE, 200, empty)]).await;
    assert_eq!(duty.on_call().await.unwrap(), OnCall { people: Vec::new(), until: None });
}

#[tokio::test]
async fn a_schedule_that_is_unknown_or_of_the_other_kind_has_a_name_for_it() {
    let missing = r#"{"error":{"message":"Schedule Not Found","code":3004}}"#;
    let others: &[(&str, u16, &str)] =
        &[(ONCALLS, 200, r#"{"oncalls":[]}"#), (SCHEDULE, 404, missing), (LIST, 404, missing), (DELETE, 404, missing)];
    let duty = Duty::answering(others).await;
    duty.peer.always_answers(V3, 404, missing);
    assert!(matches!(duty.on_call().await, Err(NoAnswer::UnknownSchedule)));
    assert!(matches!(duty.put(&layer("Fri 14:00", "Fri 16:00")).await, Err(NoAnswer::UnknownSchedule)));
    assert!(duty.take_out("PQ47DCP", &layer("Fri 14:00", "Fri 16:00")).await.is_ok(), "it is gone");
    duty.peer.always_answers(V3, 200, r#"{"schedule":{"id":"PI7DH85","type":"schedule_v3"}}"#);
    let errors = [
        duty.on_call().await.map(|_| ()),
        duty.put(&layer("Fri 14:00", "Fri 16:00")).await.map(|_| ()),
        duty.take_out("PQ47DCP", &layer("Fri 14:00", "Fri 16:00")).await,
    ];
    for error in errors {
        assert!(matches!(&error, Err(NoAnswer::ShiftBased)), "{error:?}");
    }
    assert!(duty.asked().iter().all(|line| !line.starts_with("POST")));
}

#[tokio::test]
async fn an_override_is_written_once() {
    let duty = Duty::answering(&[(LIST, 200, NONE), (POST, 201, MADE)]).await;
    let wanted = layer("Fri 14:00", "Fri 16:00");
    assert_eq!(duty.put(&wanted).await.unwrap(), "PQ47DCP");
    let (from, until) = (time("Fri 14:00"), time("Fri 16:00"));
    assert_eq!(
        duty.asked(),
        [
            format!("{LIST}since={from}&until={until}&overflow=true"),
            format!(
                r#"{POST} {{"overrides":[{{"end":"{until}","start":"{from}","user":{{"id":"PXPGF42","type":"user_reference"}}}}]}}"#
            ),
        ]
    );
    for named in [format!(r#"{{"overrides":{MADE}}}"#), r#"{"overrides":[{"id":"PQ47DCP"}]}"#.to_owned()] {
        duty.peer.always_answers(POST, 201, named);
        assert_eq!(duty.put(&wanted).await.unwrap(), "PQ47DCP");
    }
}

#[tokio::test]
async fn after_a_lost_answer_there_is_no_second_override() {
    for lost in [Mishap::Resets, Mishap::BreaksOff(201)] {
        let duty = Duty::answering(&[(LIST, 200, NONE), (POST, 201, MADE)]).await;
        let wanted = layer("Fri 14:00", "Fri 16:00");
        duty.peer.will(POST, lost);
        assert!(matches!(duty.put(&wanted).await, Err(NoAnswer::Http(_))));
        duty.peer.always_answers(LIST, 200, listed("PXPGF42", "Fri 14:00", "Fri 16:00"));
        let _ = duty.asked();
        assert_eq!(duty.put(&wanted).await.unwrap(), "PQ47DCP");
        assert_eq!(duty.asked().len(), 1, "only the list");
    }
    // One that runs may start when it was written.
    let duty = Duty::answering(&[(LIST, 200, &listed("PXPGF42", "Fri 11:58", "Fri 16:00")), (POST, 201, MADE)]).await;
    assert_eq!(duty.put(&layer("Fri 11:30", "Fri 16:00")).await.unwrap(), "PQ47DCP");
    assert_eq!(duty.asked().len(), 1);
    for other in [listed("POTHER1", "Fri 14:00", "Fri 16:00"), listed("PXPGF42", "Fri 14:30", "Fri 16:00")] {
        duty.peer.always_answers(LIST, 200, other);
        duty.put(&layer("Fri 14:00", "Fri 16:00")).await.unwrap();
        assert_eq!(duty.asked().len(), 2, "of somebody else, or at another time");
    }
}

#[tokio::test]
async fn what_has_begun_is_written_from_now_and_what_is_over_not_at_all() {
    let duty = Duty::answering(&[(LIST, 200, NONE), (POST, 201, MADE)]).await;
    duty.put(&layer("Fri 11:00", "Fri 16:00")).await.unwrap();
    assert!(duty.asked()[1].contains(&format!(r#""start":"{}""#, time("Fri 12:00"))));
    let over = layer("Fri 10:00", "Fri 12:00");
    assert!(matches!(duty.put(&over).await, Err(NoAnswer::Over)));
    assert!(duty.take_out("PQ47DCP", &over).await.is_ok());
    assert_eq!(duty.asked().len(), 0);
}

#[tokio::test]
async fn a_success_may_hold_a_failure() {
    let answers = [
        (
            201,
            r#"[{"status":400,"errors":["Override must end after its start"],"override":{}}]"#,
            "it refused: Override must end after its start",
        ),
        (
            201,
            r#"{"overrides":[{"status":400,"errors":["User does not exist"]}]}"#,
            "it knows no such user: correct the roster",
        ),
        (
            400,
            r#"{"error":{"message":"Invalid Input Provided","code":2001,"errors":["User not found"]}}"#,
            "it knows no such user: correct the roster",
        ),
        (
            400,
            r#"{"error":{"message":"Invalid Input Provided","code":2001,"errors":["api-token: no"]}}"#,
            "it refused: …: no",
        ),
        (201, "[]", "its answer cannot be read"),
        (201, "oops", "its answer cannot be read"),
        (201, r#"[{"status":201,"override":{"id":7}}]"#, "its answer cannot be read"),
        (403, "{}", "it answered 403"),
        (429, r#"{"error":{"message":"Rate Limit Exceeded","code":2020}}"#, "it asks to be left alone for 60 s"),
        (500, "", "it answered 500"),
    ];
    for (status, body, why) in answers {
        let duty = Duty::answering(&[(LIST, 200, NONE), (POST, status, body), (V3, 400, "{}")]).await;
        let error = duty.put(&layer("Fri 14:00", "Fri 16:00")).await.unwrap_err();
        assert_eq!(told(&error), why, "{status} {body}");
    }
}

#[tokio::test]
async fn an_override_is_taken_out_whatever_is_left_of_it() {
    let (wanted, past) = (
        layer("Fri 14:00", "Fri 16:00"),
        r#"{"error":{"message":"Invalid Override","code":4004,"errors":["cannot remove a past override"]}}"#,
    );
    let gone = r#"{"error":{"message":"Override Not Found","code":4004}}"#;
    for (status, body) in [(204, ""), (200, r#"{"override":{}}"#), (400, past), (404, gone)] {
        let duty = Duty::answering(&[(DELETE, status, body), (V3, 400, "{}")]).await;
        assert!(duty.take_out("PQ47DCP", &wanted).await.is_ok(), "{status}");
    }
    for (status, body) in [(400, "{}"), (401, "{}"), (429, ""), (500, "")] {
        let duty = Duty::answering(&[(DELETE, status, body), (V3, 400, "{}")]).await;
        assert!(duty.take_out("PQ47DCP", &wanted).await.is_err(), "{status}");
    }
    // Its id was in an answer that was lost.
    let duty = Duty::answering(&[(LIST, 200, &listed("PXPGF42", "Fri 14:00", "Fri 16:00")), (DELETE, 204, "")]).await;
    duty.take_out("", &wanted).await.unwrap();
    assert_eq!(duty.asked().last().map(String::as_str), Some(DELETE));
    let duty = Duty::answering(&[(LIST, 200, NONE)]).await;
    duty.take_out("", &wanted).await.unwrap();
    assert_eq!(duty.asked().len(), 1);
}

#[tokio::test]
async fn a_pager_that_hangs_hurries_or_breaks_is_no_answer() {
    let broken = [
        (Mishap::Says(429, "ratelimit-reset: 7\r\n".to_owned(), String::new()), "it asks to be left alone for 7 s"),
        (Mishap::Says(500, String::new(), "oops".to_owned()), "it answered 500"),
        (Mishap::Says(401, String::new(), "{}".to_owned()), "it answered 401"),
        (Mishap::Says(200, String::new(), "<html>".to_owned()), "its answer cannot be read"),
        (Mishap::Resets, "it cannot be reached"),
        (Mishap::BreaksOff(200), "it cannot be reached"),
        (Mishap::Takes(30), "it cannot be reached"),
    ];
    for (mishap, why) in broken {
        let duty = Duty::answering(&[(ONCALLS, 200, r#"{"oncalls":[]}"#)]).await;
        duty.peer.will(ONCALLS, mishap.clone());
        let error = duty.on_call().await.unwrap_err();
        assert!(told(&error).starts_with(why), "{mishap:?}: {}", told(&error));
        assert_eq!(duty.asked().len(), 1, "{mishap:?}");
    }
}

#[tokio::test]
async fn names_never_leave_their_place_and_what_is_no_pager_is_not_asked() {
    let mut duty = Duty::new().await;
    let _ = pagers::on_call(&duty.pager(), "a/../b?c#d&e", time("Fri 12:00")).await;
    let wanted = layer("Fri 14:00", "Fri 16:00");
    let _ = pagers::take_out(&duty.pager(), "a/b", "../c?d", &wanted).await;
    let asked = duty.asked();
    assert!(asked[0].starts_with("GET /oncalls?schedule_ids%5B%5D=a%2F..%2Fb%3Fc%23d%26e&"), "{asked:?}");
    assert_eq!(asked.last().map(String::as_str), Some("DELETE /schedules/a%2Fb/overrides/..%2Fc%3Fd"));
    duty.receiver.kind = ReceiverKind::Slack;
    assert!(matches!(duty.put(&wanted).await, Err(NoAnswer::NotKnown("slack"))));
    duty.receiver.kind = ReceiverKind::PagerDuty;
    duty.receiver.secret = None;
    assert!(matches!(duty.put(&wanted).await, Err(NoAnswer::NoSecret)));
    assert_eq!(duty.asked().len(), 0);
}
