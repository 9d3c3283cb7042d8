//! What is measured, from wire to figure: counted once, whoever looks and however often it fails; read by one query a service; as JSON,
//! CSV, to scrapers, as a page, on the command line.

use aws::Request;
use domain::ServiceId;
use domain::measures::{Month, Period, Tally};
use expect_test::expect;
use house_tests::gate::Fault;
use house_tests::peer::Peer;
use house_tests::{Stage, configuration};
use recent_deployers::hands::Hands;
use recent_deployers::measures::{self, Form, Question};
use recent_deployers::server::{self, Board};
use serde_json::Value;
use tokio::net::TcpListener;

/// A change that goes live, breaks something and is taken to be nobody's: then two days in which nothing happens.
async fn told() -> Stage {
    let mut stage = Stage::with(&configuration(&["edxapp", "discovery"]), |_| {}).await;
    stage.merge("feanil", 1).await;
    stage.at("Fri 12:05").await.deploy("prod", "success", 1).await;
    stage.at("Fri 12:22").await.alert("edxapp", "Fri 12:20", false).await;
    stage.at("Fri 12:24").await.acknowledge("feanil").await;
    stage.at("Fri 13:00").await.alert("edxapp", "Fri 12:20", true).await;
    stage
}

async fn known(stage: &Stage, service: &str) -> Tally {
    let service: ServiceId = service.parse().unwrap();
    let month: Month = "2026-03".parse().unwrap();
    let all = stage.house.store.timeline(&service, Period::Month(month), Period::Month(month)).await.unwrap();
    all.months.get(&month).cloned().unwrap_or_default()
}

async fn ask(stage: &Stage, target: &str) -> aws::Response {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    stage.bundle.route(Request::new("GET", path, Vec::new(), Vec::new()).with_query(query)).await
}

#[tokio::test]
async fn each_thing_is_counted_once_and_read_by_one_query() {
    let mut stage = told().await;
    stage.at("Sat 11:00").await;
    let before = known(&stage, "edxapp").await;
    assert_eq!((before.incidents, before.deployments), (0, 1), "an incident counts a day after it was over");
    stage.at("Sun 12:00").await;
    let after = known(&stage, "edxapp").await;
    assert_eq!((after.incidents, after.deployments, after.pages), (1, 1, 1));
    assert_eq!(after.resolve.sum(), 40 * 60);
    let other = known(&stage, "discovery").await;
    assert_eq!((other.incidents, other.deployments), (0, 1), "its repository is the same");
    let (answer, cost) = stage.cost(ask(&stage, "/measures.json?service=edxapp")).await;
    assert_eq!((answer.status, cost), (200, [1, 0, 0, 0]), "{}", answer.body);
    let said: Value = serde_json::from_str(&answer.body).unwrap();
    let months = said["services"][0]["periods"].as_array().unwrap();
    assert_eq!(months.len(), 6);
    assert_eq!(months[5]["period"], "2026-03");
    assert_eq!(months[5]["figures"]["time_to_resolve_median"], 2400);
    assert_eq!(months[0]["figures"]["time_to_resolve_median"], Value::Null);
    let cut = ask(&stage, "/measures.json?service=edxapp&cut=2026-03-21").await;
    let said: Value = serde_json::from_str(&cut.body).unwrap();
    let [before, after] = ["0", "1"].map(|n| said.pointer(&format!("/services/0/periods/{n}")).unwrap().clone());
    assert_eq!((&before["figures"]["deployments"], &after["figures"]["deployments"]), (&1.into(), &0.into()));
    for wrong in ["from=2026-13", "cut=yesterday", "from=2026-1", "surely=not"] {
        assert_eq!(ask(&stage, &format!("/measures.json?{wrong}")).await.status, 400, "{wrong}");
    }
}

/// Each of the calls to the table that a look makes is struck once, in one way or another: it is counted once all the same.
#[tokio::test]
async fn a_look_that_dies_counts_nothing_or_everything() {
    for (nth, fault) in (0..10).zip(Fault::ALL.into_iter().cycle()) {
        let mut stage = told().await;
        let (table, _) = stage.gated().await;
        stage.at("Sat 12:58").await;
        table.fails(nth, fault);
        stage.tick_until("Sat 13:10").await;
        let counted = known(&stage, "edxapp").await;
        assert_eq!((counted.incidents, counted.deployments), (1, 1), "{fault:?} {nth} {:?}", table.struck());
    }
}

#[tokio::test]
async fn spreadsheets_scrapers_and_people_read_the_same() {
    let mut stage = told().await;
    stage.at("Sun 12:00").await;
    let csv = ask(&stage, "/measures.csv?from=2026-03&until=2026-03").await;
    let rows: Vec<Vec<&str>> = csv.body.trim_end().split("\r\n").map(|line| line.split(',').collect()).collect();
    assert_eq!((csv.status, rows[0][..5].join(" ").as_str()), (200, "service period from until days"));
    let edxapp = rows.iter().find(|row| row[0] == "edxapp").unwrap();
    assert_eq!(edxapp[1..6], ["2026-03", "2026-03-01", "2026-03-22", "22", "1"]);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()) && rows.iter().any(|row| row[0] == "freezes"));
    let scraped = ask(&stage, "/metrics").await;
    let kind = scraped.headers.iter().find(|(name, _)| name == "content-type").unwrap();
    assert_eq!(kind.1, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    for line in [
        "recent_deployers_incidents{service=\"edxapp\"} 1",
        "recent_deployers_time_to_resolve_median_seconds{service=\"edxapp\"} 2400",
    ] {
        assert!(scraped.body.lines().any(|known| known == line), "{line}\n{}", scraped.body);
    }
    assert!(scraped.body.ends_with("# EOF\n"));
    let page = ask(&stage, "/measures").await;
    assert!(page.status == 200 && page.body.contains("40 min"), "{}", page.body);
    let (page, cost) = stage.cost(ask(&stage, "/measures?service=edxapp&cut=2026-03-21")).await;
    assert!(page.status == 200 && page.body.contains("before") && cost == [1, 0, 0, 0], "{cost:?} {}", page.body);
    assert!(page.body.len() < 100_000);
    for (path, status) in [("/measures?service=nope", 404), ("/measures?measure=nope", 404), ("/measures?cut=x", 400)] {
        assert_eq!(ask(&stage, path).await.status, status, "{path}");
    }
    // No figure of anything names anybody.
    for text in [&csv.body, &scraped.body, &page.body] {
        assert!(!text.to_lowercase().contains("feanil"));
    }
}

#[tokio::test]
async fn a_week_is_told_to_the_channel_once() {
    let chat = Peer::start().await;
    chat.always_answers("chat.postMessage", 200, r#"{"ok":true,"channel":"C024BE91L","ts":"1503435956.000247"}"#);
    let weekly =
        "[services.edxapp]\nchannel = [\"slack:C024BE91L\"]\nzone = \"Europe/Stockholm\"\ndigest = \"Sun 09:00\"\n";
    let slack = format!("\n[receivers.slack]\nkind = \"slack\"\nurl = \"{}/api\"\nsecret = \"api\"\n", chat.address);
    let text = configuration(&["edxapp", "discovery"]).replace("[services.edxapp]\n", weekly);
    let mut stage = Stage::with(&format!("{text}{slack}"), |_| {}).await;
    stage.merge("feanil", 1).await;
    stage.at("Fri 12:05").await.deploy("prod", "success", 1).await;
    stage.alert("lost", "Fri 12:20", false).await;
    let digests = || {
        let said = chat.received().into_iter().map(|request| request.body);
        said.filter(|body| body.contains("from 2026-03-15 to 2026-03-21")).collect::<Vec<_>>()
    };
    stage.at("Sun 07:59").await;
    assert_eq!(digests(), Vec::<String>::new());
    // The clock of Stockholm shows 09:00, and the table fails now and then.
    let (table, _) = stage.gated().await;
    for (nth, until) in ["Sun 08:01", "Sun 08:03", "Sun 08:05", "Sun 08:08"].into_iter().enumerate() {
        table.fails(4 + nth, Fault::ALL[nth]);
        stage.tick_until(until).await;
    }
    stage.tick_until("Sun 08:20").await;
    let told = digests();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("1 deployment live") && told[0].contains("HighErrorRate"), "{}", told[0]);
}

#[tokio::test]
async fn a_terminal_prints_a_table() {
    let mut stage = told().await;
    stage.at("Sun 12:00").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(server::serve(listener, stage.bundle.clone(), Board::ThisMachine, std::future::pending()));
    let (configuration, secrets) = (&stage.house.configuration, &stage.house.secrets);
    let hands = Hands { configuration, secrets, address, now: stage.clock.now() };
    let question = |form| Question { service: Some("edxapp"), from: None, until: None, cut: Some("2026-03-20"), form };
    expect![[r#"
        edxapp                                            before         after
          incidents                                            0             1
          time_to_detect_median                                -         2 min
          time_to_detect_p90                                   -         2 min
          time_to_acknowledge_median                           -         2 min
          time_to_acknowledge_p90                              -         2 min
          time_to_resolve_median                               -        40 min
          time_to_resolve_p90                                  -        40 min
          deployments                                          0             1
          deployments_per_week                                 0           2.3
          change_lead_time_median                              -         5 min
          change_lead_time_p90                                 -         5 min
          pages                                                0             1
          rotation_pages_avoided                               -         100 %
          queue_age_median                                     -         5 min
          queue_age_p90                                        -         5 min
          release_size_median                                  -             1
          release_size_p90                                     -             1"#]]
    .assert_eq(&measures::ask(&hands, &question(Form::Table)).await.unwrap());
    let csv = measures::ask(&hands, &question(Form::Csv)).await.unwrap();
    assert!(csv.starts_with("service,period,") && csv.lines().count() == 3, "{csv}");
    let json = measures::ask(&hands, &question(Form::Json)).await.unwrap();
    assert!(serde_json::from_str::<Value>(&json).unwrap()["services"].is_array());
    let nobody = Question { service: Some("lms"), ..question(Form::Table) };
    assert!(measures::ask(&hands, &nobody).await.unwrap_err().to_string().contains("no service of the configuration"));
}
