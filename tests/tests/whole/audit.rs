//! The audit log: sealed each hour by the tick, verified by whoever asks, and of nobody once their pseudonym is forgotten.

use aws::secrets::Secret;
use aws::session::{MACHINE, Session};
use aws::{Request, keys, records};
use domain::audit::Seal;
use domain::{Entry, Reason, ServiceId, Subject};
use expect_test::expect;
use house_tests::{Stage, configuration, time};
use jiff::tz::TimeZone;
use recent_deployers::audited::Wanted;
use recent_deployers::hands::Hands;
use recent_deployers::server::{self, Board};
use serde_json::Value;
use tokio::net::TcpListener;

pub fn edxapp() -> ServiceId {
    "edxapp".parse().unwrap()
}

pub async fn audited(stage: &Stage, query: &str) -> Value {
    let request = Request::new("GET", "/audit", vec![], vec![]).with_query(&format!("service=edxapp{query}"));
    let answer = stage.bundle.route(request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

/// `hour part lines` for each seal.
pub fn seals(answer: &Value) -> Vec<String> {
    let line = |seal: &Value| {
        let lines = seal["lines"].as_array().unwrap();
        let late = lines.iter().filter(|line| line["late"] == true).count();
        format!("{} {}: {} lines, {late} late", seal["number"], &seal["hour"].as_str().unwrap()[11..16], lines.len())
    };
    answer["seals"].as_array().unwrap().iter().map(line).collect()
}

pub fn faults(answer: &Value) -> Vec<&str> {
    answer["faults"].as_array().unwrap().iter().map(|fault| fault.as_str().unwrap()).collect()
}

/// A change is merged, goes live and breaks something; then nothing happens for some hours.
pub async fn day() -> Stage {
    let mut day = Stage::new().await;
    day.merge("feanil", 12).await;
    day.at("Fri 12:20").await.deploy("prod", "success", 12).await;
    day.at("Fri 13:05").await.alert("edxapp", "Fri 13:04", false).await;
    day.at("Fri 13:07").await.acknowledge("feanil").await;
    day.at("Fri 13:30").await.alert("edxapp", "Fri 13:04", true).await;
    day
}

#[tokio::test]
async fn each_hour_is_sealed_once_ten_minutes_after_it_is_over() {
    let mut day = Stage::new().await;
    day.merge("feanil", 12).await;
    day.at("Fri 12:20").await.deploy("prod", "success", 12).await;
    day.tick_until("Fri 13:09").await;
    let answer = audited(&day, "").await;
    assert_eq!((seals(&answer).len(), answer["until"].as_str().unwrap()), (0, "2026-03-20T12:00:00Z"));
    day.tick_until("Fri 13:10").await;
    let first = audited(&day, "").await;
    assert_eq!(seals(&first).len(), 1, "that of 12:00");
    day.alert("edxapp", "Fri 13:09", false).await;
    day.acknowledge("feanil").await;
    day.tick_until("Fri 19:00").await;
    let whole = audited(&day, "").await;
    assert_eq!(whole["seals"][0], first["seals"][0], "what is sealed stays");
    assert_eq!(faults(&whole), [""; 0]);
    let mut log = day.house.store.log(&edxapp(), 1000).await.unwrap();
    log.retain(|entry| entry.at < time("Fri 18:00"));
    let sealed: usize =
        whole["seals"].as_array().unwrap().iter().map(|seal| seal["lines"].as_array().unwrap().len()).sum();
    assert_eq!(sealed, log.len());
    let line =
        |line: &Value| format!("{} {} {}", &line["at"].as_str().unwrap()[11..], line["person"]["name"], line["reason"]);
    let lines: Vec<String> = whole["seals"][0]["lines"].as_array().unwrap().iter().map(line).collect();
    expect![[r#"
        12:00:00Z "feanil" "merged_on_standby"
        12:00:00Z "feanil" "merged_on_standby"
        12:00:00Z "feanil" "accepted_by"
        12:20:00Z null "live_deployment_succeeded"
        12:20:00Z "feanil" "turn_started"
        12:20:00Z "feanil" "accepted_by""#]]
    .assert_eq(&lines.join("\n"));
    let pseudonyms = day.house.store.pseudonyms().await.unwrap();
    let feanil = pseudonyms[&"feanil".parse().unwrap()].to_string();
    assert!(feanil.starts_with("p-") && !whole["seals"].to_string().is_empty());
    let raw = format!(
        "{:?}",
        day.house
            .store
            .sealed(&edxapp(), time("Fri 00:00"), time("Sat 00:00"))
            .await
            .unwrap()
            .seals
            .iter()
            .map(|(seal, _)| seal)
            .collect::<Vec<_>>()
    );
    assert!(raw.contains(&feanil) && !raw.contains("feanil"), "{raw}");
}

#[tokio::test]
async fn a_program_that_was_off_for_days_seals_what_it_missed_as_if_it_had_been_on() {
    let (on, off) = (day().await, day().await);
    on.tick_until("Sat 12:00").await;
    off.clock.set(time("Sat 12:00"));
    off.tick_until("Sat 12:01").await;
    let (on, off) = (audited(&on, "").await, audited(&off, "").await);
    let first: Vec<String> = seals(&on).into_iter().take(2).collect();
    assert_eq!(seals(&off)[..2], first[..], "{:?}", seals(&off));
    assert_eq!(faults(&off), [""; 0]);
}

#[tokio::test]
async fn a_tick_in_an_empty_hour_writes_nothing_and_two_at_once_seal_once() {
    let day = day().await;
    day.tick_until("Fri 14:09").await;
    day.clock.set(time("Fri 14:10"));
    let houses: Vec<_> = (0..3)
        .map(|_| {
            let mut house = day.house.clone();
            house.sealed_until = std::sync::Arc::default();
            house.store = house.store.racing();
            house
        })
        .collect();
    let [a, b, c] = houses.as_slice() else { panic!() };
    tokio::join!(on_schedule::sealing::seal(a), on_schedule::sealing::seal(b), on_schedule::sealing::seal(c));
    on_schedule::sealing::seal(a).await;
    let answer = audited(&day, "").await;
    assert_eq!((seals(&answer).len(), faults(&answer).len()), (2, 0), "{answer}");
    // Nothing more is said in the hours from 15:00 on.
    day.tick_until("Fri 18:30").await;
    let before = seals(&audited(&day, "").await);
    day.clock.set(time("Fri 23:30"));
    let ((), [_, _, writes, transactions]) = day.cost(on_schedule::sealing::seal(&day.house)).await;
    assert_eq!((writes, transactions), (0, 0));
    assert_eq!(seals(&audited(&day, "").await), before);
    let ((), cost) = day.cost(on_schedule::sealing::seal(&day.house)).await;
    assert_eq!(cost, [0; 4], "this process has looked");
}

/// A log that is older than the audit log is not sealed, and what this program cannot read keeps nobody from the rest.
#[tokio::test]
async fn the_chain_begins_with_the_last_days_and_goes_on_over_what_cannot_be_read() {
    let day = Stage::new().await;
    for (sort, body) in [("2025-01-01T00:00:00Z#old", "{}"), ("2026-03-20T12:10:00.000000Z#00-aaaaaaaa", "newer")] {
        let line = [("pk", "L#edxapp"), ("sk", sort), ("body", body)];
        put(&day, line.map(|(name, text)| (name.to_owned(), records::text(text))).into()).await;
    }
    day.merge("feanil", 12).await;
    day.tick_until("Fri 13:10").await;
    let answer = audited(&day, "").await;
    assert_eq!(answer["seals"].as_array().unwrap().len(), 1, "{answer}");
    assert!(answer["seals"][0]["lines"].to_string().contains("unreadable"), "{answer}");
    assert_eq!(faults(&answer), [""; 0]);
}

pub fn entry(at: &str, what: &str) -> Entry {
    let person = Some("olga".parse().unwrap());
    Entry { at: time(at), subject: Some(Subject::Service), person, what: what.into(), reason: Reason::QueueResumed }
}

#[tokio::test]
async fn what_comes_late_is_sealed_as_late_and_what_comes_too_late_is_found() {
    let day = day().await;
    day.tick_until("Fri 14:30").await;
    day.house.store.append(&edxapp(), &entry("Fri 13:29", "late")).await.unwrap();
    day.tick_until("Fri 16:00").await;
    let answer = audited(&day, "").await;
    assert!(seals(&answer).iter().any(|seal| seal.ends_with(" 1 late")), "{:?}", seals(&answer));
    assert_eq!(faults(&answer), [""; 0]);
    day.house.store.append(&edxapp(), &entry("Fri 12:05", "much too late")).await.unwrap();
    day.clock.set(time("Sat 23:00"));
    on_schedule::sealing::seal(&day.house).await;
    let answer = audited(&day, "").await;
    assert_eq!(faults(&answer), ["the line of 2026-03-20T12:05:00Z in the log was never sealed"]);
}

#[tokio::test]
async fn whatever_is_changed_is_found_and_said() {
    let day = day().await;
    day.tick_until("Fri 15:30").await;
    let sealed = day.house.store.sealed(&edxapp(), time("Fri 12:00"), time("Fri 16:00")).await.unwrap();
    let (seal, _) = sealed.seals.last().unwrap().clone();
    let changed = Seal { lines: seal.lines[1..].to_vec(), ..seal.clone() };
    let key = keys::seal(&edxapp(), seal.hour, seal.part);
    let item = records::item(&key, &changed, None).unwrap();
    put(&day, item).await;
    let found = audited(&day, "").await;
    assert_eq!(faults(&found), [format!("seal {} of {} was changed", seal.number, seal.hour)]);
    // The next hour in which something is said is sealed behind it, and says so.
    day.house.store.append(&edxapp(), &entry("Fri 15:40", "something")).await.unwrap();
    day.tick_until("Fri 16:11").await;
    let log = day.house.store.log(&edxapp(), 5).await.unwrap();
    let said: Vec<&str> = log.iter().map(|entry| entry.reason.name()).collect();
    assert!(said.contains(&"audit_broken"), "{said:?}");
    assert_eq!(faults(&audited(&day, "").await).len(), 1, "the rest of the chain holds");
}

#[tokio::test]
async fn the_audit_log_is_for_owners_and_for_tokens() {
    let mut text = configuration(&["edxapp"]);
    for who in ["olga", "usama"] {
        let github = format!("github = [\"{who}\"]\n");
        text = text.replace(&github, &format!("{github}emails = [\"{who}@example.com\"]\n"));
    }
    let sign_in = "\n[sign_in]\nissuer = \"https://id.example.com\"\nclient_id = \"deployers\"\n";
    let stage = Stage::with(&format!("api_secret = \"api\"\n{text}{sign_in}"), |_| {}).await;
    let ask = async |name: &str, value: String| {
        let request =
            Request::new("GET", "/audit", vec![(name.to_owned(), value)], vec![]).with_query("service=edxapp");
        stage.bundle.route(request).await.status
    };
    let session = |who: &str| {
        let secret = Secret::new("links-key").unwrap();
        format!("__Host-deployers-session={}", Session { who: who.into(), expires: time("Sat 12:00") }.seal(&secret))
    };
    assert_eq!(ask("cookie", session("olga@example.com")).await, 200, "she owns it");
    assert_eq!(ask("cookie", session("usama@example.com")).await, 403);
    assert_eq!(ask("cookie", session(MACHINE)).await, 200, "a command on the machine that has the secret");
    assert_eq!(ask("authorization", "Bearer api-token".into()).await, 200);
    assert_eq!(ask("authorization", "Bearer guessed".into()).await, 401);
    assert_eq!(ask("accept", "application/json".into()).await, 401);
}

#[tokio::test]
async fn the_command_prints_it_and_says_whether_it_holds() {
    let day = day().await;
    day.tick_until("Fri 15:30").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(server::serve(listener, day.bundle.clone(), Board::ThisMachine, std::future::pending()));
    let (configuration, secrets) = (&day.house.configuration, &day.house.secrets);
    let hands = Hands { configuration, secrets, address, now: day.clock.now() };
    let wanted = |verify: bool, from: Option<&str>| Wanted {
        from: from.map(str::to_owned),
        until: None,
        verify,
        head: None,
        zone: TimeZone::UTC,
    };
    let said = hands.audit("edxapp", &wanted(false, None)).await.unwrap();
    let lines: Vec<&str> = said.words.lines().collect();
    let pseudonyms = day.house.store.pseudonyms().await.unwrap();
    let feanil = &pseudonyms[&"feanil".parse().unwrap()];
    assert!(said.holds && lines[0].contains("merged_on_standby"), "{}", said.words);
    assert!(lines[0].ends_with(&format!("feanil ({feanil})")), "{}", said.words);
    let (verdict, end) = lines.last().unwrap().split_once("; write down: --head ").unwrap();
    assert_eq!(verdict, format!("{} lines in 2 seals: all of it is as it was sealed", lines.len() - 1));
    let only = hands.audit("edxapp", &wanted(true, Some("12:00"))).await.unwrap();
    assert_eq!(only.words, *lines.last().unwrap());
    assert!(hands.audit("edxapp", &wanted(true, Some("soon"))).await.is_err());
    let missing = hands.audit("lms", &wanted(true, None)).await.err().unwrap();
    assert!(missing.to_string().contains("no service of the configuration"), "{missing}");
    // What was written down is compared, wherever in the chain it is.
    let against = async |head: &str, from: Option<&str>| {
        let wanted = Wanted { head: Some(head.parse().unwrap()), ..wanted(true, from) };
        let said = hands.audit("edxapp", &wanted).await.unwrap();
        (said.holds, said.words)
    };
    assert!(against(end, None).await.0 && against(end, Some("14:00")).await.0, "{end}");
    let digest = "0".repeat(64);
    for (head, fault) in [
        (format!("1:{digest}"), "seal 1 is another than was written down: the chain was made anew"),
        (
            format!("9:{digest}"),
            "the chain ends with seal 2, and seal 9 was written down: it was cut off, or begun anew",
        ),
    ] {
        let (holds, words) = against(&head, Some("14:00")).await;
        assert!(!holds && words.contains(fault), "{words}");
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let stage = Stage::new().await;
    for (query, status) in [
        ("", 400),
        ("service=lms", 404),
        ("service=edxapp&from=2026-03-20T12:00:00Z&until=2026-03-19T12:00:00Z", 400),
        ("service=edxapp&from=2026-01-20T12:00:00Z", 400),
        ("service=edxapp&from=yesterday", 400),
        ("service=edxapp&until=2026-03-20T12:00:00Z", 200),
        ("service=freezes", 200),
    ] {
        let request = Request::new("GET", "/audit", vec![], vec![]).with_query(query);
        assert_eq!(stage.bundle.route(request).await.status, status, "{query}");
    }
}

pub async fn put(stage: &Stage, item: records::Item) {
    let client = aws::clients::dynamodb(&stage.endpoints().await, &stage.house.http);
    client.put_item().table_name("recent-deployers").set_item(Some(item)).send().await.unwrap();
}
