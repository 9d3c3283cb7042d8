//! What each event costs, in DynamoDB's capacity units as the engine counts them (as AWS does): so many calls and no more,
//! and the same however much has happened before. infra/README.md's costs are computed from what is printed here.
//! `OLD=1000000 cargo test -p house-tests --test whole units` does it with a million old items instead of 20,000.

use std::collections::BTreeMap;

use aws::records;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use expect_test::expect;
use house_tests::gate::Gate;
use house_tests::{Stage, configuration};

/// `Query 3.0, TransactWriteItems 24.0`, in the order of the calls.
fn spent(gates: &BTreeMap<&'static str, [Gate; 3]>, function: &str) -> String {
    let calls = gates[function][0].spent().into_iter().map(|spent| format!("{} {:.1}", spent.call, spent.units));
    calls.collect::<Vec<_>>().join(", ")
}

fn forget(gates: &BTreeMap<&'static str, [Gate; 3]>) {
    gates.values().for_each(|[table, ..]| drop(table.spent()));
}

/// One day: a merge, a deployment of `size` changes, an alert, an acknowledgement, a quiet tick; what each cost.
async fn a_day(size: u64, old: usize) -> Vec<String> {
    let mut day = Stage::with(&configuration(&["edxapp"]), |_| {}).await;
    remember(&day, old).await;
    day.deploy("prod", "success", 1).await;
    // What is merged from now on is not in it.
    day.at("Fri 12:05").await;
    let gates = day.watched("").await;
    let mut costs = Vec::new();
    for number in 10..10 + size {
        forget(&gates);
        assert_eq!(day.merge("feanil", number).await.status, 200);
    }
    costs.push(format!("a merge: {}", spent(&gates, "on-merge")));
    day.at("Fri 13:00").await;
    forget(&gates);
    day.deploy("prod", "success", 9 + size).await;
    assert!(
        day.windows("edxapp").await.iter().all(|window| window.ends_with("active until Fri 14:00")),
        "{size} are live"
    );
    costs.push(format!("a deployment of {size}: {}", spent(&gates, "on-deploy")));
    day.at("Fri 13:10").await;
    forget(&gates);
    day.alert("edxapp", "Fri 13:10", false).await;
    costs.push(format!("an alert: {}", spent(&gates, "on-alert")));
    costs.push(format!("its page: {}", spent(&gates, "on-page")));
    let link = day.link(aws::links::Action::Acknowledge(day.incident("edxapp").await.id), "feanil");
    forget(&gates);
    assert_eq!(day.post(&link, Vec::new(), b"do=acknowledge").await.status, 200);
    costs.push(format!("an acknowledgement: {}", spent(&gates, "on-request")));
    // The hour before is sealed once it has been over for ten minutes.
    day.tick_until("Fri 13:12").await;
    forget(&gates);
    day.tick_until("Fri 13:13").await;
    costs.push(format!("a tick with nothing due: {}", spent(&gates, "on-schedule")));
    costs
}

/// What happened long ago: lines of the log, old incidents, changes.
async fn remember(day: &Stage, items: usize) {
    let client = aws::clients::dynamodb(&day.endpoints().await, &day.house.http);
    let partitions = ["L#edxapp", "P#edxapp", "C#openedx/edx-platform@old"];
    let all: Vec<usize> = (0..items).collect();
    for chunk in all.chunks(25) {
        let put = |n: &usize| {
            let item = [
                ("pk".to_owned(), records::text(partitions[n % 3])),
                ("sk".to_owned(), records::text(format!("2025-01-01T00:00:00Z#{n:09}"))),
                ("body".to_owned(), records::text("{}")),
            ];
            let request = PutRequest::builder().set_item(Some(item.into())).build().unwrap();
            WriteRequest::builder().put_request(request).build()
        };
        let requests: Vec<WriteRequest> = chunk.iter().map(put).collect();
        client.batch_write_item().request_items("recent-deployers", requests).send().await.unwrap();
    }
}

#[tokio::test]
async fn an_event_costs_so_many_calls_and_the_same_units_however_much_has_happened() {
    let old = std::env::var("OLD").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let fresh = a_day(3, 0).await;
    fresh.iter().for_each(|cost| println!("units: {cost}"));
    let aged = a_day(3, old).await;
    assert_eq!(fresh, aged, "with {old} old items");
    expect![[r#"
        a merge: GetItem 1.0, TransactWriteItems 11.0
        a deployment of 3: Query 1.0, TransactWriteItems 8.0
        an alert: Query 1.0, TransactWriteItems 20.0, UpdateItem 2.0
        its page: BatchGetItem 3.0, UpdateItem 2.0, TransactWriteItems 6.0
        an acknowledgement: Query 2.0, TransactWriteItems 12.0
        a tick with nothing due: Query 0.5"#]]
    .assert_eq(&fresh.join("\n"));
}

#[tokio::test]
async fn a_release_of_any_size_costs_the_same_handful_of_writes() {
    let (small, large) = (a_day(2, 0).await, a_day(60, 0).await);
    let of = |costs: &[String]| {
        let line = costs[1].split_once(": ").unwrap().1.to_owned();
        line.split(", ").last().unwrap().to_owned()
    };
    assert_eq!(of(&small), of(&large), "{small:#?} {large:#?}");
}
