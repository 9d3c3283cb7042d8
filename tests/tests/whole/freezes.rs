//! Freezes over the wire: declared by link, answered to pipelines, told in channels, with a job for each begin and end.

use aws::House;
use aws::Response;
use aws::clients::{Aws, Http};
use aws::links::Action;
use aws::wake::Waker;
use house_tests::peer::Peer;
use house_tests::{Stage, configuration};
use serde_json::Value;

async fn stage(more: &str) -> (Stage, Peer) {
    let chat = Peer::start().await;
    chat.always_answers("chat.postMessage", 200, r#"{"ok":true,"channel":"C024BE91L","ts":"1503435956.000247"}"#);
    let text = configuration(&["edxapp", "ecommerce"])
        .replace("[services.edxapp]\n", "[services.edxapp]\nchannel = [\"slack:C024BE91L\"]\n");
    let slack = format!("\n[receivers.slack]\nkind = \"slack\"\nurl = \"{}/api\"\nsecret = \"api\"\n", chat.address);
    (Stage::with(&format!("{text}{slack}{more}"), |_| {}).await, chat)
}

async fn does(stage: &Stage, who: &str, form: &str) -> Response {
    let link = stage.link(Action::Freezes, who);
    stage.post(&link, Vec::new(), form.as_bytes()).await
}

async fn asks(stage: &Stage, query: &str) -> (u16, Value) {
    let (path, query) = query.split_once('?').unwrap();
    let request = aws::Request::new("GET", path, Vec::new(), Vec::new()).with_query(query);
    let answer = stage.bundle.route(request).await;
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

/// The titles of what the channel was told.
fn told(chat: &Peer) -> Vec<String> {
    let text = |body: &str| serde_json::from_str::<Value>(body).unwrap()["text"].as_str().unwrap_or("").to_owned();
    chat.received().iter().map(|request| text(&request.body).lines().next().unwrap_or("").to_owned()).collect()
}

#[tokio::test]
async fn cyber_monday_is_declared_weeks_ahead_and_every_pipeline_that_asks_is_told() {
    let (mut stage, chat) = stage("").await;
    let form =
        "do=freeze&name=Cyber+Monday&preset=peak-event&from=2026-03-23+00:00&until=2026-03-24+00:00&zone=Europe/London";
    let said = does(&stage, "olga", form).await;
    let words = "Cyber Monday from 2026-03-23 00:00 (Europe/London) until 2026-03-24 00:00 (Europe/London): please do not merge; nothing is deployed (every service). It is called cyber-monday.";
    assert!(said.status == 200 && said.body.replace("&#x2f;", "/").contains(words), "{}", said.body);
    assert!(does(&stage, "olga", form).await.body.contains("That is so already"));
    let board = stage.get("/").await.body;
    assert!(board.contains("Cyber Monday from 2026-03-23 00:00 (Europe"), "{board}");

    let (status, before) = asks(&stage, "/may-deploy?service=edxapp").await;
    assert_eq!((status, &before["may_deploy"], &before["until"]), (200, &true.into(), &Value::Null));
    assert_eq!(before["next"]["name"], "Cyber Monday");

    stage.at("Mon 00:00").await;
    for query in ["/may-deploy?service=edxapp", "/may-deploy?service=ecommerce&environment=prod"] {
        let (status, answer) = asks(&stage, query).await;
        assert_eq!(
            (status, &answer["may_deploy"], &answer["until"]),
            (200, &false.into(), &"2026-03-24T00:00:00Z".into())
        );
        assert_eq!(answer["because"][0]["declared_by"], "olga");
        assert_eq!(asks(&stage, &format!("{query}&strict")).await.0, 423, "for whoever reads exit codes only");
    }
    let (status, merge) = asks(&stage, "/may-merge?repository=openedx/edx-platform&strict").await;
    assert_eq!((status, &merge["may_merge"], &merge["advised_against"]), (200, &true.into(), &true.into()));
    assert_eq!(asks(&stage, "/may-merge?repository=openedx/edx-platform&strict=advise").await.0, 423);

    stage.at("Tue 12:00").await;
    assert_eq!(asks(&stage, "/may-deploy?service=edxapp&strict").await.0, 200);
    assert_eq!(
        told(&chat),
        [
            "A freeze begins within a day, at 2026-03-23 00:00 (Europe/London): Cyber Monday",
            "A freeze begins within an hour, at 2026-03-23 00:00 (Europe/London): Cyber Monday",
            "Freeze until 2026-03-24 00:00 (Europe/London): Cyber Monday",
            "The freeze is over: Cyber Monday",
        ]
    );
}

#[tokio::test]
async fn gratitude_week_of_the_configuration_is_told_of_and_who_merges_all_the_same_is_asked() {
    let week = "\n[freezes.gratitude-week]\npreset = \"holiday\"\nzone = \"America/New_York\"\nfrom = \"2026-03-20 10:00\"\nuntil = \"2026-03-23 09:00\"\n";
    let (mut stage, chat) = stage(week).await;
    stage.bundle.tick().await;
    stage.bundle.quiesce().await;
    assert_eq!(told(&chat), ["A freeze begins within a day, at 10:00 (America/New_York): gratitude week"]);
    stage.at("Fri 15:00").await;
    assert_eq!(told(&chat).len(), 2);
    stage.heard();
    stage.merge("feanil", 1).await;
    let heard = stage.heard();
    assert!(
        heard.iter().any(|text| text.contains("during an event (gratitude week): do you take the pager")),
        "{heard:#?}"
    );
    let (_, answer) = asks(&stage, "/may-deploy?service=edxapp").await;
    assert_eq!((&answer["may_deploy"], &answer["until"]), (&false.into(), &"2026-03-23T13:00:00Z".into()));
    assert_eq!(answer["because"][0]["declared_by"], Value::Null);
    // Only the configuration changes what it says.
    let refused = does(&stage, "olga", "do=thaw&freeze=gratitude-week").await;
    assert!(refused.status == 409 && refused.body.contains("only that changes it"), "{}", refused.body);
}

#[tokio::test]
async fn a_freeze_is_changed_while_it_runs_and_ended_by_whoever_says_so() {
    let (mut stage, chat) = stage("").await;
    let declare = |until: &str| {
        format!("do=freeze&name=Migration&until={until}&merges=allow&deployments=require&services=edxapp&zone=UTC")
    };
    assert_eq!(does(&stage, "olga", &declare("2026-03-20+18:00")).await.status, 200);
    assert_eq!(told(&chat), ["Freeze until 18:00 (UTC): Migration"]);
    assert_eq!(asks(&stage, "/may-deploy?service=ecommerce&strict").await.0, 200, "it is about another service");
    stage.at("Fri 13:00").await;
    assert_eq!(does(&stage, "usama", &declare("2026-03-20+20:00")).await.status, 200);
    stage.at("Fri 18:30").await;
    assert_eq!(asks(&stage, "/may-deploy?service=edxapp&strict").await.0, 423);
    assert_eq!(told(&chat), ["The freeze is another now, until 20:00 (UTC): Migration"]);
    assert_eq!(does(&stage, "anna", "do=thaw&freeze=migration").await.status, 200);
    assert_eq!(asks(&stage, "/may-deploy?service=edxapp&strict").await.0, 200);
    let heard = chat.received();
    assert!(
        heard.len() == 1 && heard[0].body.contains("Anna ended it before its time")
            || heard[0].body.contains("anna ended it before its time"),
        "{heard:?}"
    );
    let again = does(&stage, "anna", "do=thaw&freeze=migration").await;
    assert_eq!(again.status, 409, "{}", again.body);
}

#[tokio::test]
async fn what_is_not_understood_is_said_and_nothing_is_declared() {
    let (stage, _chat) = stage("").await;
    for (form, why) in [
        ("do=freeze&until=2026-03-24", "`name` is what"),
        ("do=freeze&name=x&until=soon", "`from` and `until` are times"),
        ("do=freeze&name=x&until=2026-03-24&zone=Mars", "`zone` is a time zone"),
        ("do=freeze&name=x&until=2026-03-24&merges=perhaps", "are advise, require or allow"),
        ("do=freeze&name=x&until=2026-03-24&preset=fun", "`preset` is weekend"),
        ("do=freeze&name=%3Cb%3E&freeze=a/b&until=2026-03-24&deployments=require", "`freeze` is a short name"),
        ("do=freeze&name=x&until=2026-03-24&services=,", "are names, with commas between them"),
        ("do=pause&why=x", "names something that this link does not allow"),
        ("do=thaw", "`freeze` is the name of one"),
    ] {
        let answer = does(&stage, "olga", form).await;
        assert!(answer.status == 400 && answer.body.contains(why), "{form}: {}", answer.body);
    }
    for (query, status) in [
        ("/may-deploy?x=1", 400),
        ("/may-deploy?service=nothing", 404),
        ("/may-deploy?service=unmapped", 404),
        ("/may-deploy?service=freezes", 404),
        ("/may-deploy?service=edxapp&environment=moon", 404),
        ("/may-merge?repository=x", 400),
        ("/may-merge?repository=nobody/knows", 200),
    ] {
        assert_eq!(asks(&stage, query).await.0, status, "{query}");
    }
    assert!(stage.situation("freezes").await.freezes.is_empty());
    // Whose link it is not.
    let link = stage.link(Action::Freezes, "olga").replace("/olga/", "/anna/");
    assert_eq!(stage.post(&link, Vec::new(), b"do=thaw&freeze=x").await.status, 403);
}

#[tokio::test]
async fn each_begin_and_end_has_a_job_that_changes_nothing_by_firing_twice_late_or_never() {
    let scheduler = Peer::start().await;
    let (mut stage, chat) = stage("").await;
    let aws = Aws { scheduler_endpoint: Some(scheduler.address.clone()), ..Aws::local(String::new(), String::new()) };
    let text = str::to_owned;
    let waker =
        Waker { aws, http: Http::new(), group: text("wakes"), target: text("on-schedule"), role: text("scheduler") };
    stage.bundle.house = House { waker: Some(waker), ..stage.bundle.house.clone() };
    let form = "do=freeze&name=Sale&preset=peak-event&from=2026-03-20+18:00&until=2026-03-20+20:00&zone=UTC";
    assert_eq!(does(&stage, "olga", form).await.status, 200);
    let made: Vec<String> = scheduler.received().iter().map(|r| r.line.split(' ').nth(1).unwrap().to_owned()).collect();
    assert!(made.contains(&"/schedules/freezes-20260320T180000Z".to_owned()), "{made:?}");
    assert!(made.contains(&"/schedules/freezes-20260320T200000Z".to_owned()), "{made:?}");
    assert_eq!(told(&chat), ["A freeze begins within a day, at 18:00 (UTC): Sale"]);
    // The job of its begin fires at its time, and twice; no tick comes.
    let wake = serde_json::json!({ "wake": "freezes" });
    stage.clock.set(house_tests::time("Fri 18:00"));
    for _ in 0..2 {
        on_schedule::handle(&stage.bundle.house, &wake).await.unwrap();
        stage.bundle.quiesce().await;
    }
    assert_eq!(told(&chat), ["Freeze until 20:00 (UTC): Sale"]);
    // That of its end never fires: the tick finds it, and until then the answer is right all the same.
    stage.clock.set(house_tests::time("Fri 20:00"));
    assert_eq!(asks(&stage, "/may-deploy?service=edxapp&strict").await.0, 200);
    assert!(told(&chat).is_empty());
    stage.tick_until("Fri 20:01").await;
    assert_eq!(told(&chat), ["The freeze is over: Sale"]);
    // One that fires late says nothing new.
    on_schedule::handle(&stage.bundle.house, &wake).await.unwrap();
    stage.bundle.quiesce().await;
    assert!(told(&chat).is_empty());
}

#[tokio::test]
async fn a_program_proves_itself_by_a_secret_and_is_never_sent_elsewhere_to_sign_in() {
    let sign_in = "\n[sign_in]\nissuer = \"https://id.example.com\"\nclient_id = \"deployers\"\n";
    let text = format!("api_secret = \"api\"\n{}{sign_in}", configuration(&["edxapp"]));
    let stage = Stage::with(&text, |_| {}).await;
    let ask = async |stage: &Stage, headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let request = aws::Request::new("GET", "/may-deploy", headers, Vec::new()).with_query("service=edxapp&strict");
        stage.bundle.route(request).await.status
    };
    for headers in [&[][..], &[("accept", "*/*")], &[("authorization", "Bearer guessed")], &[("authorization", "")]] {
        assert_eq!(ask(&stage, headers).await, 401, "{headers:?}");
    }
    assert_eq!(ask(&stage, &[("authorization", "Bearer api-token")]).await, 200);
    // Nor is a wrong secret taken where nobody signs in, and on AWS without one nobody is answered.
    let mut plain = Stage::with(&format!("api_secret = \"api\"\n{}", configuration(&["edxapp"])), |_| {}).await;
    assert_eq!(ask(&plain, &[]).await, 200);
    assert_eq!(ask(&plain, &[("authorization", "Bearer guessed")]).await, 401);
    plain.bundle.house = House { vouched: false, ..plain.bundle.house.clone() };
    assert_eq!(ask(&plain, &[]).await, 401);
    assert_eq!(ask(&plain, &[("authorization", "Bearer api-token")]).await, 200);
}

#[tokio::test]
async fn the_desk_of_freezes_is_no_service_that_people_could_take() {
    let (stage, _chat) = stage("").await;
    for action in [Action::OnCall("freezes".parse().unwrap()), Action::Queue("freezes".parse().unwrap())] {
        let link = stage.link(action, "olga");
        assert_eq!(stage.get(&link).await.status, 403);
        assert_eq!(stage.post(&link, Vec::new(), b"do=take&for=30").await.status, 403);
    }
    let drill = serde_json::json!({ "drill": { "service": "freezes", "person": "olga" } });
    assert!(on_schedule::handle(&stage.house, &drill).await.unwrap().to_string().contains("refused"));
}
