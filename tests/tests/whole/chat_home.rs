//! The home tab of Slack: what somebody answers for, what is open and who is on call, as it is when they open it and after what they
//! pressed there.

use aws::Response;
use aws::links::{self, Action};
use aws::secrets::Secret;
use expect_test::expect;
use house_tests::peer::Mishap;
use serde_json::{Value, json};

use crate::chat::*;

fn opened(user: &str, tab: &str) -> Value {
    json!({
        "token": "x", "team_id": "T1", "api_app_id": "A1", "type": "event_callback", "event_id": "Ev1", "event_time": 1,
        "event": { "type": "app_home_opened", "user": user, "channel": "D1", "tab": tab, "event_ts": "1.2",
            "view": { "id": "V1", "type": "home", "blocks": [], "hash": "1.2" } },
    })
}

impl Chat {
    async fn event(&self, event: &Value) -> Response {
        let body = event.to_string();
        self.stage.post("/chat/slack", signed(&self.stage, &body), body.as_bytes()).await
    }

    /// What was published since this was last asked: for whom, and the view.
    fn published(&self) -> Vec<(String, Value)> {
        let published = self.slack.received().into_iter().filter(|r| r.line.starts_with("POST /api/views.publish"));
        let read = |body: &str| -> Value { serde_json::from_str(body).unwrap() };
        published
            .map(|r| read(&r.body))
            .map(|b| (b["user_id"].as_str().unwrap().to_owned(), b["view"].clone()))
            .collect()
    }

    async fn home(&self, user: &str) -> Value {
        drop(self.slack.received());
        let answer = self.event(&opened(user, "home")).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        self.the_view(user)
    }

    fn the_view(&self, user: &str) -> Value {
        let mut published = self.published();
        assert_eq!(published.len(), 1);
        let (whose, view) = published.remove(0);
        assert_eq!((whose.as_str(), &view["type"]), (user, &json!("home")));
        view
    }

    /// Presses the button of this id at home.
    async fn presses_at_home(&self, user: &str, view: &Value, id: &str) -> Value {
        let blocks = view["blocks"].as_array().unwrap();
        let found = blocks.iter().flat_map(|block| block["elements"].as_array().into_iter().flatten());
        let button = found.into_iter().find(|element| element["action_id"] == id).unwrap();
        let mut payload = self
            .pressing(user, json!({ "type": "button", "action_id": id, "block_id": "b", "value": button["value"] }));
        payload["container"] = json!({ "type": "view", "view_id": "V1" });
        payload["view"] = view.clone();
        payload.as_object_mut().unwrap().remove("response_url");
        let answer = self.send(&payload).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        self.the_view(user)
    }
}

/// Each block in a line: headers, words, what can be pressed.
fn shown(view: &Value) -> String {
    let mut out = String::new();
    for block in view["blocks"].as_array().unwrap() {
        let ids = |all: &Value| -> Vec<String> {
            all.as_array()
                .unwrap()
                .iter()
                .map(|e| e["action_id"].as_str().or(e["text"].as_str()).unwrap().to_owned())
                .collect()
        };
        let text = || block["text"]["text"].as_str().unwrap().replace('\n', "\n  ");
        match block["type"].as_str().unwrap() {
            "header" => out.push_str(&format!("# {}\n", text())),
            "section" => out.push_str(&format!("{}\n", text())),
            "actions" => out.push_str(&format!("    [{}]\n", ids(&block["elements"]).join("] ["))),
            "input" => out.push_str(&format!("    [{}: ___]\n", block["element"]["action_id"].as_str().unwrap())),
            "context" => out.push_str(&format!("{}\n", ids(&block["elements"]).join(" "))),
            other => panic!("{other}"),
        }
    }
    out
}

#[tokio::test]
async fn slack_confirms_the_address_and_what_is_no_event_of_ours_is_ignored() {
    let chat = Chat::of_everybody("").await;
    let answer = chat.event(&json!({ "token": "x", "type": "url_verification", "challenge": "3eZbrw1aBm2" })).await;
    assert_eq!((answer.status, answer.body.trim()), (200, r#"{"challenge":"3eZbrw1aBm2"}"#));
    let limited = json!({ "type": "app_rate_limited", "minute_rate_limited": 1, "team_id": "T1", "api_app_id": "A1" });
    let other = json!({ "type": "event_callback", "event": { "type": "reaction_added", "user": ANNA } });
    for ignored in [limited, other, opened(ANNA, "messages"), opened(ANNA, "")] {
        let (answer, cost) = chat.stage.cost(chat.event(&ignored)).await;
        assert_eq!((answer.status, cost), (200, [0; 4]), "{ignored}");
        assert!(answer.body.starts_with(r#"{"ignored":"#), "{}", answer.body);
    }
    let challenge = |text: String| json!({ "type": "url_verification", "challenge": text });
    for bad in [
        json!({ "type": "event_callback" }),
        json!({ "type": "view_submission" }),
        json!({ "challenge": "x" }),
        challenge(String::new()),
        challenge("x".repeat(501)),
        opened("", "home"),
        opened("<!channel>", "home"),
        opened("U\u{202e}0ANNA00001", "home"),
        json!({ "type": "event_callback", "event": { "type": "app_home_opened", "user": 7, "tab": "home" } }),
    ] {
        let body = bad.to_string();
        chat.refused(signed(&chat.stage, &body), &body, 400).await;
    }
    let body = opened(ANNA, "home").to_string();
    chat.refused(signed(&chat.stage, "{}"), &body, 401).await;
    chat.refused(Vec::new(), &body, 401).await;
    let late = signed(&chat.stage, &body);
    chat.stage.clock.set(chat.stage.clock.now() + jiff::SignedDuration::from_secs(301));
    chat.refused(late, &body, 401).await;
    assert!(chat.slack.received().is_empty());
}

#[tokio::test]
async fn it_says_what_somebody_answers_for_what_is_open_and_who_is_on_call() {
    let mut chat = Chat::of_everybody("").await;
    expect![[r#"
        # You
        You are not on call, and nothing of yours waits.
        # Who is on call
        edxapp:
          Nobody has its pager by their word: the responder of each change is paged first.
          The rotation: anna.
        <https://deployers.example.com/|Board> <https://deployers.example.com/people/feanil|Your page> <https://deployers.example.com/freezes.ics/feanil/7f91174d04787756e2d466d44121dff349cd845e|Calendar of freezes>
    "#]]
    .assert_eq(&shown(&chat.home(FEANIL).await));
    chat.stage.merge("feanil", 12).await;
    chat.stage.deploy("prod", "success", 12).await;
    chat.stage.at("Fri 12:10").await.alert("edxapp", "Fri 12:10", false).await;
    chat.answer(FEANIL, "/freeze", "Gratitude days until 2026-03-24 09:00 preset holiday").await;
    chat.answer(USAMA, "/expedite", "openedx/edx-platform#14 checkout answers 500").await;
    chat.stage.at("Fri 12:20").await.merge("usama", 13).await;
    chat.stage.merge("feanil", 14).await;
    expect![[r#"
        # You
        You are on call for edx-platform#12 in edxapp until 12:00 (America/New_York).
            [hand-over.to]
        edx-platform#14 waits to go live in edxapp: 1 change is ahead of it in the queue.
            [hand-over.to]
        # Something is broken
        [critical] edxapp production: HighErrorRate, since 08:10 (America/New_York). Nobody has acknowledged it.
            [acknowledge] [not-mine] [take] [not-mine.change]
        # Freezes
        Gratitude days until 2026-03-24 09:00 (America/New_York): please do not merge; nothing is deployed (every service).
            [thaw]
        # Who is on call
        edxapp:
          Nobody has its pager by their word: the responder of each change is paged first.
          feanil is on call for edx-platform#12 until 12:00 (America/New_York).
          2 changes wait to go live: feanil, usama.
          The rotation: anna.
            [take] [give-back]
        <https://deployers.example.com/|Board> <https://deployers.example.com/people/feanil|Your page> <https://deployers.example.com/freezes.ics/feanil/7f91174d04787756e2d466d44121dff349cd845e|Calendar of freezes>
    "#]]
    .assert_eq(&shown(&chat.home(FEANIL).await));
    expect![[r#"
        # You
        You are not on call, and nothing of yours waits.
        # Something is broken
        [critical] edxapp production: HighErrorRate, since 12:10 (Europe/London). Nobody has acknowledged it.
            [acknowledge] [not-mine] [take] [not-mine.change]
        # May it pass the freeze?
        edx-platform#14 waits for an approver, asked for by usama: checkout answers 500.
            [sign]
            [refuse.why: ___]
        # Freezes
        Gratitude days until 2026-03-24 09:00 (America/New_York): please do not merge; nothing is deployed (every service).
        # Who is on call
        edxapp:
          Nobody has its pager by their word: the responder of each change is paged first.
          feanil is on call for edx-platform#12 until 16:00 (Europe/London).
          2 changes wait to go live: feanil, usama.
          The rotation: anna.
            [take] [give-back]
        <https://deployers.example.com/|Board> <https://deployers.example.com/people/olga|Your page> <https://deployers.example.com/freezes.ics/olga/ad11a832df788eb8182d5db69fcfb1ccb070246f|Calendar of freezes>
    "#]]
    .assert_eq(&shown(&chat.home(OLGA).await));
    expect![[r#"
        # You
        You are an outside contributor: you are not paged, and your champions answer for what you merge.
        # Something is broken
        [critical] edxapp production: HighErrorRate, since 12:10 (UTC). Nobody has acknowledged it.
        # Freezes
        Gratitude days until 2026-03-24 09:00 (America/New_York): please do not merge; nothing is deployed (every service).
        # Who is on call
        edxapp:
          Nobody has its pager by their word: the responder of each change is paged first.
          feanil is on call for edx-platform#12 until 16:00 (UTC).
          2 changes wait to go live: feanil, usama.
          The rotation: anna.
        <https://deployers.example.com/|Board> <https://deployers.example.com/people/carol|Your page> <https://deployers.example.com/freezes.ics/carol/7bbd0352b949acfd56daec15c76321437023c57b|Calendar of freezes>
    "#]]
    .assert_eq(&shown(&chat.home(CAROL).await));
    expect![[r##"
        # You are not in the roster
        This app says who is on call for what was just released. Ask whoever keeps the roster to add "slack:U0STRANGER1" to your contacts.
    "##]]
    .assert_eq(&shown(&chat.home(STRANGER).await));
}

#[tokio::test]
async fn what_is_pressed_there_is_done_and_shown_there() {
    let mut chat = Chat::of_everybody("").await;
    chat.stage.at("Fri 12:10").await.alert("edxapp", "Fri 12:10", false).await;
    let view = chat.home(ANNA).await;
    let after = chat.presses_at_home(ANNA, &view, "acknowledge").await;
    let words = shown(&after);
    assert!(words.starts_with("Acknowledged. It is yours. Nobody else will be paged for it.\n# You\n"), "{words}");
    assert!(words.contains("Acknowledged by anna."), "{words}");
    assert_eq!(chat.acknowledged().await, ["anna"]);
    let again = shown(&chat.presses_at_home(ANNA, &view, "acknowledge").await);
    assert!(again.starts_with("Acknowledged before. "), "{again}");
    let taken = shown(&chat.presses_at_home(ANNA, &after, "give-back").await);
    assert!(taken.starts_with("Nothing was done. You do not have the pager"), "{taken}");

    // A stranger, and a button of somebody else's making.
    let stranger = shown(&chat.presses_at_home(STRANGER, &view, "acknowledge").await);
    assert!(stranger.starts_with("# You are not in the roster\n"), "{stranger}");
    let forged = links::button(
        &Secret::new("guessed").unwrap(),
        &Action::OnCall("edxapp".parse().unwrap()),
        chat.stage.clock.now() + links::LIFE,
    );
    let mut made_up = view.clone();
    made_up["blocks"] =
        json!([{ "type": "actions", "elements": [{ "type": "button", "action_id": "take", "value": forged }] }]);
    let refused = shown(&chat.presses_at_home(ANNA, &made_up, "take").await);
    assert!(refused.starts_with("This button does not work. Nothing was done: it is not one of ours"), "{refused}");
    assert_eq!(chat.acknowledged().await, ["anna"]);
    assert!(chat.stage.situation("edxapp").await.shifts.is_empty());
}

#[tokio::test]
async fn whether_slack_takes_it_or_not_it_is_answered_and_what_was_pressed_is_done() {
    for mishap in [
        Mishap::Resets,
        Mishap::Takes(5),
        Mishap::Says(200, String::new(), r#"{"ok":false,"error":"not_enabled"}"#.to_owned()),
        Mishap::Says(429, "retry-after: 30\r\n".to_owned(), String::new()),
        Mishap::Says(500, String::new(), String::new()),
    ] {
        let chat = Chat::of_everybody("").await;
        chat.stage.alert("edxapp", "Fri 12:00", false).await;
        let view = chat.home(ANNA).await;
        chat.slack.will("POST /api/views.publish", mishap);
        chat.presses_at_home(ANNA, &view, "acknowledge").await;
        assert_eq!(chat.acknowledged().await, ["anna"]);
    }
}

#[tokio::test]
async fn however_much_there_is_it_keeps_slacks_limits_and_costs_one_query_a_service() {
    let mut more = String::new();
    for n in 0..60 {
        more.push_str(&format!(
            "[services.service-{n:02}]\nowners = [\"feanil\"]\nrotation = [\"anna\"]\nalerts = [\"service=service-{n:02}\"]\n\
             repositories = [{{ name = \"openedx/edx-platform\" }}]\n[services.service-{n:02}.environments.production]\nlive = true\naliases = [\"prod\"]\n"
        ));
    }
    let chat = Chat::of_everybody(&more).await;
    for number in 1..13 {
        chat.stage.merge("feanil", number).await;
    }
    chat.stage.deploy("prod", "success", 6).await;
    for n in 0..12 {
        chat.stage.alert(&format!("service-{n:02}"), "Fri 12:00", false).await;
    }
    drop(chat.slack.received());
    let (answer, cost) = chat.stage.cost(chat.event(&opened(FEANIL, "home"))).await;
    assert_eq!((answer.status, cost), (200, [32, 0, 0, 0]), "whose they are, 30 services, the desk of freezes");
    let view = chat.the_view(FEANIL);
    let blocks = view["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 100, "{}", blocks.len());
    assert!(view.to_string().len() < 250_000);
    let mut names: Vec<&str> = blocks.iter().filter_map(|block| block["block_id"].as_str()).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "each block has its own name");
    for block in blocks {
        assert!(block["text"]["text"].as_str().is_none_or(|text| (1..=3_000).contains(&text.len())), "{block}");
        assert!(block["elements"].as_array().is_none_or(|all| all.len() <= 25));
    }
    let words = shown(&view);
    assert!(words.contains("# Something is broken\n") && words.contains("the board shows"), "{words}");
}
