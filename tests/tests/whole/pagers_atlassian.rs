//! What Opsgenie and Jira Service Management are asked, and told, of their schedules: each answers as it is documented,
//! then none as it should.

use aws::receiver::{ReceiverConfig, ReceiverKind};
use aws::wire::error_chain;
use house_tests::peer::{Mishap, Peer};
use house_tests::{Stage, time};
use on_schedule::pagers::{self, Account, Layer, NoAnswer, OnCall, Pager};
use serde_json::json;

/// A house at Friday 12:00, and one of them.
struct Desk {
    stage: Stage,
    peer: Peer,
    receiver: ReceiverConfig,
}

/// What holds for both, where it is.
struct Which {
    kind: ReceiverKind,
    /// What is on call, and where overrides are written.
    on_calls: &'static str,
    overrides: &'static str,
    user: &'static str,
}

const OPSGENIE: Which = Which {
    kind: ReceiverKind::Opsgenie,
    on_calls: "GET /v2/schedules/edxapp%20prod/on-calls?",
    overrides: "POST /v2/schedules/edxapp%20prod/overrides?scheduleIdentifierType=name",
    user: "anna@example.com",
};
const JSM: Which = Which {
    kind: ReceiverKind::JiraServiceManagement,
    on_calls: "GET /jsm/ops/api/f3b2-site/v1/schedules/edxapp%20prod/on-calls?",
    overrides: "POST /jsm/ops/api/f3b2-site/v1/schedules/edxapp%20prod/overrides ",
    user: "5b10ac8d82e05b22cc7d4ef5",
};
const ALIAS: &str = "/v2/schedules/edxapp%20prod/overrides/edxapp%2312%23anna?scheduleIdentifierType=name";
const LIST: &str = "GET /jsm/ops/api/f3b2-site/v1/schedules/edxapp%20prod/overrides?size=50&offset=0";
const OVERRIDE: &str = "/jsm/ops/api/f3b2-site/v1/schedules/edxapp%20prod/overrides/b4f1";

impl Desk {
    async fn new(which: &Which) -> Self {
        let (stage, peer) = (Stage::new().await, Peer::start().await);
        peer.always_answers(LIST, 200, r#"{"values":[],"links":{}}"#);
        let receiver = ReceiverConfig {
            name: "it".to_owned(),
            kind: which.kind,
            url: peer.address.clone(),
            secret: Some("api".to_owned()),
            from: Some("anna@example.com".to_owned()),
            cloud: Some("f3b2-site".to_owned()),
            ..ReceiverConfig::terminal()
        };
        Self { stage, peer, receiver }
    }

    fn pager(&self) -> Pager<'_> {
        Pager { house: &self.stage.house, receiver: &self.receiver }
    }

    async fn on_call(&self) -> Result<OnCall, NoAnswer> {
        pagers::on_call(&self.pager(), "edxapp prod", time("Fri 12:00")).await
    }

    async fn put(&self, layer: &Layer) -> Result<String, NoAnswer> {
        pagers::put(&self.pager(), "edxapp prod", layer).await
    }

    async fn take_out(&self, id: &str, layer: &Layer) -> Result<(), NoAnswer> {
        pagers::take_out(&self.pager(), "edxapp prod", id, layer).await
    }

    /// What was asked since, without the protocol, with what was sent.
    fn asked(&self) -> Vec<String> {
        let text = |r: house_tests::peer::Received| format!("{} {}", r.line.trim_end_matches(" HTTP/1.1"), r.body);
        self.peer.received().into_iter().map(|r| text(r).trim_end().to_owned()).collect()
    }
}

fn layer(which: &Which, from: &str, until: &str) -> Layer {
    Layer { user: which.user.to_owned(), from: time(from), until: time(until), mark: "edxapp#12#anna".to_owned() }
}

/// An override as each of them tells it.
fn there(which: &Which, user: &str, from: &str, until: &str) -> serde_json::Value {
    let (start, end) = (time(from).to_string(), time(until).to_string());
    if which.kind == ReceiverKind::Opsgenie {
        json!({ "alias": "edxapp#12#anna", "user": { "type": "user", "id": "bb4d", "username": user }, "startDate": start, "endDate": end })
    } else {
        json!({ "alias": "b4f1", "responder": { "type": "user", "id": user }, "startDate": start, "endDate": end })
    }
}

#[tokio::test]
async fn who_is_on_call_is_told_first_one_first() {
    let desk = Desk::new(&OPSGENIE).await;
    let body = r#"{"data":{"_parent":{"id":"x","name":"edxapp prod","enabled":true},"onCallRecipients":["anna@example.com","olga@example.com"]},"took":0.1,"requestId":"r"}"#;
    desk.peer.always_answers(OPSGENIE.on_calls, 200, body);
    let person = |email: &str| Account { id: None, email: Some(email.to_owned()), name: email.to_owned() };
    let want = OnCall { people: vec![person("anna@example.com"), person("olga@example.com")], until: None };
    assert_eq!(desk.on_call().await.unwrap(), want);
    let query = "scheduleIdentifierType=name&flat=true&date=2026-03-20T12%3A00%3A00Z";
    assert_eq!(desk.asked(), [format!("{}{query}", OPSGENIE.on_calls)]);
    let id = "d875e654-9b4e-4219-a803-0c26936d18de";
    pagers::on_call(&desk.pager(), id, time("Fri 12:00")).await.unwrap_err();
    assert!(desk.asked()[0].contains("?scheduleIdentifierType=id&"));

    let desk = Desk::new(&JSM).await;
    desk.peer.always_answers(JSM.on_calls, 200, r#"{"onCallUsers":["5b10ac8d82e05b22cc7d4ef5"]}"#);
    let person = |id: &str| Account { id: Some(id.to_owned()), email: None, name: id.to_owned() };
    assert_eq!(desk.on_call().await.unwrap(), OnCall { people: vec![person(JSM.user)], until: None });
    assert_eq!(desk.asked(), [format!("{}flat=true&date=2026-03-20T12%3A00%3A00Z", JSM.on_calls)]);
}

#[tokio::test]
async fn that_nobody_is_on_call_is_an_answer() {
    for (which, bodies) in [
        (&OPSGENIE, [r#"{"data":{}}"#, r#"{"data":{"onCallRecipients":[]}}"#]),
        (&JSM, ["{}", r#"{"onCallUsers":[]}"#]),
    ] {
        for body in bodies {
            let desk = Desk::new(which).await;
            desk.peer.always_answers(which.on_calls, 200, body);
            assert_eq!(desk.on_call().await.unwrap(), OnCall { people: Vec::new(), until: None }, "{body}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_told_is_said_so() {
    for which in [&OPSGENIE, &JSM] {
        for (status, header, body, want) in [
            (404, "", r#"{"message":"Schedule not found with id [x]"}"#, "it knows no such schedule"),
            (404, "", r#"{"errors":[{"title":"Not Found","code":"x"}]}"#, "it knows no such schedule"),
            (401, "", r#"{"code":401,"message":"bad api-token"}"#, "it refused: 401, bad …"),
            (403, "", r#"{"errors":[{"title":"no","detail":"access"}]}"#, "it refused: 403, access, no"),
            (402, "", "", "it answered 402"),
            (429, "retry-after: 7\r\n", "{}", "it asks to be left alone for 7 s"),
            (429, "", "{}", "it asks to be left alone for 60 s"),
            (500, "", "{}", "it answered 500"),
            (200, "", "<html>", "its answer cannot be read"),
            (200, "", "[]", "its answer cannot be read"),
        ] {
            let desk = Desk::new(which).await;
            desk.peer.will(which.on_calls, Mishap::Says(status, header.to_owned(), body.to_owned()));
            let said = error_chain(&desk.on_call().await.unwrap_err());
            assert!(said.starts_with(want), "{:?} {status} {body}: {said}", which.kind);
        }
        let desk = Desk::new(which).await;
        desk.peer.will(which.on_calls, Mishap::Takes(30));
        let said = error_chain(&desk.on_call().await.unwrap_err());
        assert!(said.starts_with("it cannot be reached: no answer within"), "{said}");
    }
}

#[tokio::test]
async fn an_override_is_written_for_a_while() {
    let desk = Desk::new(&OPSGENIE).await;
    desk.peer.always_answers(OPSGENIE.overrides, 201, r#"{"data":{"alias":"edxapp#12#anna"},"took":0.1}"#);
    assert_eq!(desk.put(&layer(&OPSGENIE, "Fri 14:00", "Fri 16:00")).await.unwrap(), "edxapp#12#anna");
    let body = r##"{"alias":"edxapp#12#anna","endDate":"2026-03-20T16:00:00Z","startDate":"2026-03-20T14:00:00Z","user":{"type":"user","username":"anna@example.com"}}"##;
    assert_eq!(desk.asked(), [format!("{} {body}", OPSGENIE.overrides)]);

    let desk = Desk::new(&JSM).await;
    desk.peer.always_answers(JSM.overrides, 201, r#"{"alias":"b4f1"}"#);
    // What is past is not written.
    assert_eq!(desk.put(&layer(&JSM, "Fri 11:00", "Fri 16:00")).await.unwrap(), "b4f1");
    let body = r#"{"endDate":"2026-03-20T16:00:00Z","responder":{"id":"5b10ac8d82e05b22cc7d4ef5","type":"user"},"startDate":"2026-03-20T12:00:00Z"}"#;
    assert_eq!(desk.asked(), [LIST.to_owned(), format!("{}{body}", JSM.overrides)]);
}

#[tokio::test]
async fn an_override_whose_answer_was_lost_is_not_written_twice() {
    for mishap in [Mishap::BreaksOff(201), Mishap::Resets, Mishap::Takes(30)] {
        let (desk, layer) = (Desk::new(&OPSGENIE).await, layer(&OPSGENIE, "Fri 12:00", "Fri 16:00"));
        desk.peer.will(OPSGENIE.overrides, mishap.clone());
        assert!(matches!(desk.put(&layer).await, Err(NoAnswer::Http(_))));
        // It was made, and began a little later.
        desk.peer.always_answers(OPSGENIE.overrides, 422, r#"{"message":"Override with alias exists"}"#);
        let made = json!({ "data": there(&OPSGENIE, OPSGENIE.user, "Fri 12:00", "Fri 16:00") });
        desk.peer.always_answers(&format!("GET {ALIAS}"), 200, made.to_string());
        let _ = desk.asked();
        assert_eq!(desk.put(&layer).await.unwrap(), "edxapp#12#anna");
        let asked = desk.asked();
        assert_eq!(asked.len(), 2, "{asked:?}");

        let (desk, layer) = (Desk::new(&JSM).await, self::layer(&JSM, "Fri 12:00", "Fri 16:00"));
        desk.peer.will(JSM.overrides, mishap);
        assert!(matches!(desk.put(&layer).await, Err(NoAnswer::Http(_))));
        let made = json!({ "values": [there(&JSM, JSM.user, "Fri 12:00", "Fri 16:00")] });
        desk.peer.always_answers(LIST, 200, made.to_string());
        let _ = desk.asked();
        assert_eq!(desk.put(&layer).await.unwrap(), "b4f1");
        assert_eq!(desk.asked(), [LIST], "nothing is written");
    }
}

#[tokio::test]
async fn an_override_that_says_something_else_is_written_again_in_its_place() {
    let desk = Desk::new(&OPSGENIE).await;
    desk.peer.always_answers(OPSGENIE.overrides, 409, r#"{"message":"conflict"}"#);
    desk.peer.always_answers(&format!("PUT {ALIAS}"), 200, r#"{"data":{"alias":"edxapp#12#anna"}}"#);
    for (user, from, until) in [
        ("olga@example.com", "Fri 14:00", "Fri 16:00"),
        ("anna@example.com", "Fri 13:00", "Fri 16:00"),
        ("anna@example.com", "Fri 14:00", "Fri 15:00"),
    ] {
        let made = json!({ "data": there(&OPSGENIE, user, from, until) });
        desk.peer.always_answers(&format!("GET {ALIAS}"), 200, made.to_string());
        assert_eq!(desk.put(&layer(&OPSGENIE, "Fri 14:00", "Fri 16:00")).await.unwrap(), "edxapp#12#anna");
        let body = r#"{"endDate":"2026-03-20T16:00:00Z","startDate":"2026-03-20T14:00:00Z","user":{"type":"user","username":"anna@example.com"}}"#;
        assert_eq!(desk.asked()[2], format!("PUT {ALIAS} {body}"), "{user} {from} {until}");
    }

    let desk = Desk::new(&JSM).await;
    desk.peer.always_answers(JSM.overrides, 201, r#"{"alias":"other"}"#);
    desk.peer.always_answers(&format!("PUT {OVERRIDE}"), 200, r#"{"alias":"b4f1"}"#);
    for (user, from, until, want) in [
        (JSM.user, "Fri 14:00", "Fri 15:00", "b4f1"),
        // Somebody else's: another's, or one of other times.
        ("olga", "Fri 14:00", "Fri 16:00", "other"),
        (JSM.user, "Fri 11:00", "Fri 15:00", "other"),
        (JSM.user, "Fri 13:00", "Fri 16:00", "other"),
    ] {
        let made = json!({ "values": [there(&JSM, user, from, until)] });
        desk.peer.always_answers(LIST, 200, made.to_string());
        let put = desk.put(&layer(&JSM, "Fri 14:00", "Fri 16:00")).await.unwrap();
        assert_eq!(put, want, "{user} {from} {until}");
    }
    // One that runs keeps its beginning.
    let made = json!({ "values": [there(&JSM, JSM.user, "Fri 11:00", "Fri 15:00")] });
    desk.peer.always_answers(LIST, 200, made.to_string());
    let _ = desk.asked();
    assert_eq!(desk.put(&layer(&JSM, "Fri 11:00", "Fri 16:00")).await.unwrap(), "b4f1");
    assert!(desk.asked()[1].contains(r#""startDate":"2026-03-20T11:00:00Z""#));
}

#[tokio::test]
async fn overrides_are_read_page_by_page() {
    let desk = Desk::new(&JSM).await;
    let others = json!({ "values": vec![there(&JSM, "olga", "Fri 14:00", "Fri 16:00"); 50] });
    desk.peer.always_answers(LIST, 200, others.to_string());
    let ours = json!({ "values": [there(&JSM, JSM.user, "Fri 14:00", "Fri 16:00")] });
    desk.peer.always_answers("overrides?size=50&offset=50", 200, ours.to_string());
    assert_eq!(desk.put(&layer(&JSM, "Fri 14:00", "Fri 16:00")).await.unwrap(), "b4f1");
    desk.peer.always_answers("overrides?size=50", 200, others.to_string());
    let _ = desk.asked();
    assert!(matches!(desk.put(&layer(&JSM, "Fri 14:00", "Fri 16:00")).await, Err(NoAnswer::NotRead)));
    assert_eq!(desk.asked().len(), 10);
}

#[tokio::test]
async fn what_is_not_written_is_said_so() {
    for which in [&OPSGENIE, &JSM] {
        for (status, body, want) in [
            (422, r#"{"message":"not processable","errors":{"user":"does not exist"}}"#, "it knows no such user"),
            (422, r#"{"errors":[{"title":"Responder not found"}]}"#, "it knows no such user"),
            (422, r#"{"errors":[{"title":"end before start"}]}"#, "it refused: 422, end before start"),
            (404, r#"{"message":"No such schedule"}"#, "it knows no such schedule"),
            (403, r#"{"message":"no right","code":40301}"#, "it refused: 403, no right"),
            (429, "{}", "it asks to be left alone for 60 s"),
            (503, "{}", "it answered 503"),
        ] {
            let desk = Desk::new(which).await;
            desk.peer.always_answers(&format!("GET {ALIAS}"), 404, "{}");
            desk.peer.will(which.overrides, Mishap::Says(status, String::new(), body.to_owned()));
            let said = desk.put(&layer(which, "Fri 14:00", "Fri 16:00")).await.unwrap_err();
            assert!(error_chain(&said).starts_with(want), "{:?} {status} {body}: {said}", which.kind);
        }
    }
}

#[tokio::test]
async fn an_override_is_taken_out_once() {
    for (which, id, delete, done) in [
        (&OPSGENIE, "edxapp#12#anna", format!("DELETE {ALIAS}"), 200),
        (&JSM, "b4f1", format!("DELETE {OVERRIDE}"), 204),
    ] {
        let desk = Desk::new(which).await;
        let layer = |from, until| layer(which, from, until);
        for status in [done, 404] {
            desk.peer.always_answers(&delete, status, "");
            desk.take_out(id, &layer("Fri 11:00", "Fri 16:00")).await.unwrap();
            assert_eq!(desk.asked(), [delete.as_str()], "{status}");
        }
        // What is over is in the past, and stays in their history.
        desk.take_out(id, &layer("Fri 10:00", "Fri 12:00")).await.unwrap();
        assert!(desk.asked().is_empty());
        // Its id was never told.
        let there = there(which, which.user, "Fri 14:00", "Fri 16:00");
        desk.peer.always_answers(LIST, 200, json!({ "values": [there] }).to_string());
        desk.take_out("", &layer("Fri 14:00", "Fri 16:00")).await.unwrap();
        assert_eq!(desk.asked().last(), Some(&delete));
        for (status, body, want) in [
            (403, r#"{"message":"no right"}"#, "it refused: 403, no right"),
            (500, "", "it answered 500"),
            (429, "", "it asks to be left alone for 60 s"),
        ] {
            desk.peer.will(&delete, Mishap::Says(status, String::new(), body.to_owned()));
            let said = desk.take_out(id, &layer("Fri 14:00", "Fri 16:00")).await.unwrap_err();
            assert_eq!(error_chain(&said), want);
        }
    }
}

#[tokio::test]
async fn names_of_others_stay_in_their_place_in_an_address() {
    for (which, place) in [(&OPSGENIE, "/v2/schedules/"), (&JSM, "/jsm/ops/api/f3b2-site/v1/schedules/")] {
        let desk = Desk::new(which).await;
        let id = "../x?y#z%2F";
        pagers::take_out(&desk.pager(), id, id, &layer(which, "Fri 14:00", "Fri 16:00")).await.unwrap();
        let name = "%2E%2E%2Fx%3Fy%23z%252F";
        let want = format!("DELETE {place}{name}/overrides/{name}");
        let asked = desk.asked();
        assert!(asked[0].starts_with(&want), "{asked:?}");
    }
}
