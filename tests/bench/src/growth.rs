//! What each event takes as the table fills: with 10, 1,000 and 100,000 open windows, in other services or in the one that is asked
//! about, and with what happened long ago. The engine is the embedded one, in memory; units are counted as DynamoDB counts them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws::records;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use house_tests::gate::{Gate, Spent};
use house_tests::{GITHUB_SECRET, Stage, TOKEN, configuration, time};
use recent_deployers::demo::payloads::{self, Alert};
use serde_json::Value;

use crate::figures::{median, millis};

/// How often each event is measured.
const TIMES: u64 = 21;
/// The open windows of each of the other services.
const EACH: usize = 100;
const OTHER: &str = "service0000";
const TABLE: &str = "recent-deployers";

/// How full the table is.
struct Case {
    name: String,
    /// Open windows of the service that is asked about.
    own: u64,
    /// Other services, with [`EACH`] open windows.
    others: usize,
    /// Items of long ago.
    old: usize,
}

/// What one event took.
struct Row {
    event: &'static str,
    latency: f64,
    calls: String,
}

/// Measures, and prints.
pub async fn measure(old: usize) {
    let case = |name: &str, own, others, old| Case { name: name.to_owned(), own, others, old };
    let cases = [
        case("10 windows", 10, 0, 0),
        case("1,000 in 11 services", 10, 1_000 / EACH, 0),
        case("100,000 in 1,001 services", 10, 100_000 / EACH, 0),
        case("1,000 in one service", 1_000, 0, 0),
        case(&format!("10, and {old} old items"), 10, 0, old),
    ];
    let mut all: Vec<(Case, Vec<Row>)> = Vec::new();
    for case in cases {
        let begun = Instant::now();
        let rows = case.rows().await;
        eprintln!("{}: {:.0} s", case.name, begun.elapsed().as_secs_f64());
        all.push((case, rows));
    }
    println!("| | {} |", all.iter().map(|(case, _)| case.name.as_str()).collect::<Vec<_>>().join(" | "));
    println!("| --- |{}", " ---: |".repeat(all.len()));
    let first = &all[0].1;
    for (at, row) in first.iter().enumerate() {
        let cell = |(_, rows): &(Case, Vec<Row>)| {
            let of = rows[at].latency;
            format!("{of:.2} ms ({:.2}); {}", of / row.latency, rows[at].calls)
        };
        println!("| {} | {} |", row.event, all.iter().map(cell).collect::<Vec<_>>().join(" | "));
    }
}

impl Case {
    async fn rows(&self) -> Vec<Row> {
        let mut stage = Stage::with(&settings(self.others), |_| {}).await;
        // What each sets off is looked at once, when all are there.
        for number in 1..=self.own {
            post(&stage, "/merge/github", &stage.merged("feanil", number)).await;
            // Half of them are live.
            if number == self.own / 2 {
                post(&stage, "/deploy/github", &stage.deployed("prod", "success", number)).await;
            }
        }
        stage.bundle.quiesce().await;
        fill(&stage, self.others).await;
        remember(&stage, self.old).await;
        stage.clock.set(time("Fri 12:01"));
        stage.bundle.tick().await;
        stage.bundle.quiesce().await;
        let latency = latency(&stage, self.own).await;
        let gates = stage.watched("").await;
        let calls = units(&stage, &gates, self.own).await;
        let events = ["a merge", "an alert that pages", "a tick with nothing due", "the board", "a service's page"];
        let rows = events.into_iter().zip(latency).zip(calls);
        rows.map(|((event, latency), calls)| Row { event, latency, calls }).collect()
    }
}

fn settings(others: usize) -> String {
    let mut text = configuration(&["edxapp"]);
    for nth in 0..others {
        let service = format!("service{nth:04}");
        text.push_str(&format!(
            "[services.{service}]\nowners = [\"olga\"]\nrotation = [\"anna\"]\nalerts = [\"service={service}\"]\n\
             repositories = [{{ name = \"openedx/{service}\" }}]\n[services.{service}.environments.prod]\nlive = true\n"
        ));
    }
    text
}

fn alert(nth: u64, over: bool) -> Value {
    let name = format!("HighErrorRate{nth}");
    payloads::alertmanager(&[Alert {
        service: "edxapp",
        name: &name,
        summary: "7 % of requests fail",
        severity: "critical",
        started_at: time("Fri 12:00"),
        ended_at: over.then(|| time("Fri 12:01")),
    }])
}

/// The medians, in milliseconds: a merge, an alert, a tick, the board, a service's page.
async fn latency(stage: &Stage, own: u64) -> [f64; 5] {
    let mut took: [Vec<f64>; 5] = Default::default();
    for nth in 1..=TIMES {
        let merge = stage.merged("feanil", own + nth).to_string();
        let headers = payloads::github_headers("", GITHUB_SECRET, merge.as_bytes());
        took[0].push(timed(stage, "POST", "/merge/github", headers, &merge).await);
        let alerts = [alert(nth, false).to_string(), alert(nth, true).to_string()];
        took[1].push(timed(stage, "POST", "/alert/alertmanager", payloads::token_headers(TOKEN), &alerts[0]).await);
        stage.post("/alert/alertmanager", payloads::token_headers(TOKEN), alerts[1].as_bytes()).await;
        let began = Instant::now();
        stage.bundle.tick().await;
        took[2].push(millis(began.elapsed()));
        stage.bundle.quiesce().await;
        took[3].push(timed(stage, "GET", "/", Vec::new(), "").await);
        took[4].push(timed(stage, "GET", "/services/edxapp", Vec::new(), "").await);
    }
    took.map(median)
}

/// Tells it, and waits for nothing that it sets off.
async fn post(stage: &Stage, path: &str, payload: &Value) {
    let body = payload.to_string();
    let headers = payloads::github_headers("", GITHUB_SECRET, body.as_bytes());
    let answer = stage.bundle.route(aws::Request::new("POST", path, headers, body.into_bytes())).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
}

/// How long until the answer; what it sets off comes to rest before the next.
async fn timed(stage: &Stage, method: &str, path: &str, headers: Vec<(String, String)>, body: &str) -> f64 {
    let request = aws::Request::new(method, path, headers, body.as_bytes().to_vec());
    let began = Instant::now();
    let answer = stage.bundle.route(request).await;
    let took = began.elapsed();
    assert_eq!(answer.status, 200, "{method} {path}");
    stage.bundle.quiesce().await;
    millis(took)
}

/// The calls that each makes, and their units.
async fn units(stage: &Stage, gates: &BTreeMap<&'static str, [Gate; 3]>, own: u64) -> [String; 5] {
    let forget = || gates.values().flatten().for_each(|gate| drop(gate.spent()));
    let spent = |function: &str| {
        let calls: Vec<Spent> = gates[function][0].spent();
        calls.iter().map(|spent| format!("{} {:.1}", spent.call, spent.units)).collect::<Vec<_>>().join(", ")
    };
    forget();
    stage.merge("feanil", own + TIMES + 1).await;
    let merge = spent("on-merge");
    let body = alert(TIMES + 1, false).to_string();
    forget();
    stage.post("/alert/alertmanager", payloads::token_headers(TOKEN), body.as_bytes()).await;
    let alert = spent("on-alert");
    stage.tick_until("Fri 12:03").await;
    forget();
    stage.tick_until("Fri 12:04").await;
    let tick = spent("on-schedule");
    forget();
    stage.get("/").await;
    let board = spent("on-request");
    stage.get("/services/edxapp").await;
    [merge, alert, tick, board, spent("on-request")]
}

/// One other service is played, and the rest are copies of it.
async fn fill(stage: &Stage, others: usize) {
    if others == 0 {
        return;
    }
    let repository = format!("openedx/{OTHER}");
    for number in 1..=EACH as u64 {
        let mut merge = stage.merged("usama", 100_000 + number);
        merge["repository"]["full_name"] = repository.clone().into();
        post(stage, "/merge/github", &merge).await;
        if number == EACH as u64 / 2 {
            let mut deployment = stage.deployed("prod", "success", 100_000 + number);
            deployment["repository"]["full_name"] = repository.clone().into();
            post(stage, "/deploy/github", &deployment).await;
        }
    }
    stage.bundle.quiesce().await;
    let client = aws::clients::dynamodb(&stage.endpoints().await, &stage.house.http);
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let page = client.scan().table_name(TABLE).set_exclusive_start_key(after).send().await.unwrap();
        items.extend(page.items.unwrap_or_default().into_iter().filter(|item| item.values().any(|v| names(v, OTHER))));
        after = page.last_evaluated_key;
        if after.is_none() {
            break;
        }
    }
    assert!(items.len() > EACH, "{} items", items.len());
    for nth in 1..others {
        let service = format!("service{nth:04}");
        let copy = |item: &records::Item| -> records::Item {
            item.iter().map(|(name, value)| (name.clone(), renamed(value, &service))).collect()
        };
        write(&client, items.iter().map(copy)).await;
    }
}

fn names(value: &AttributeValue, name: &str) -> bool {
    value.as_s().is_ok_and(|text| text.contains(name))
}

fn renamed(value: &AttributeValue, service: &str) -> AttributeValue {
    match value.as_s() {
        Ok(text) => AttributeValue::S(text.replace(OTHER, service)),
        Err(other) => other.clone(),
    }
}

/// Lines of the log, old incidents, changes.
async fn remember(stage: &Stage, items: usize) {
    let client = aws::clients::dynamodb(&stage.endpoints().await, &stage.house.http);
    let partitions = ["L#edxapp", "P#edxapp", "C#openedx/edx-platform@old"];
    let item = |n: usize| -> records::Item {
        [
            ("pk".to_owned(), records::text(partitions[n % 3])),
            ("sk".to_owned(), records::text(format!("2025-01-01T00:00:00Z#{n:09}"))),
            ("body".to_owned(), records::text("{}")),
        ]
        .into()
    };
    write(&client, (0..items).map(item)).await;
}

async fn write(client: &aws_sdk_dynamodb::Client, items: impl Iterator<Item = records::Item>) {
    let put =
        |item| WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().unwrap()).build();
    let requests: Vec<WriteRequest> = items.map(put).collect();
    for chunk in requests.chunks(25) {
        let sent = tokio::time::timeout(
            Duration::from_secs(60),
            client.batch_write_item().request_items(TABLE, chunk.to_vec()).send(),
        );
        sent.await.unwrap().unwrap();
    }
}
