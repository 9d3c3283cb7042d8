//! The store on a second, independent engine: one long day ends in the same table on the embedded one and in MiniStack's.
//! Without MiniStack this test says that it did nothing.

use aws::clients::{self, Aws};
use aws::keys;
use aws_sdk_dynamodb::types::TimeToLiveSpecification;
use domain::ServiceId;
use house_tests::long_day::LongDay;
use house_tests::ministack::{self, MiniStack};

/// Everything that a service's table says, in lines.
async fn table(day: &LongDay, service: &str) -> Vec<String> {
    let (store, service): (_, ServiceId) = (&day.stage.house.store, service.parse().unwrap());
    let situation = store.situation(&service).await.unwrap();
    let mut lines = vec![format!("{:?}", situation.clock.value)];
    lines.extend(situation.changes.values().map(|known| format!("{:?}", known.value)));
    lines.extend(situation.notes.values().map(|known| format!("{:?}", known.value)));
    lines.extend(situation.deployments.values().map(|known| format!("{:?}", known.value)));
    lines.extend(situation.signals.values().map(|known| format!("{:?}", known.value)));
    lines.extend(situation.incidents.values().map(|known| format!("{:?}", known.value)));
    lines.extend(situation.shifts.values().map(|known| format!("{:?}", known.value)));
    lines.extend(store.past_incidents(&service, 50).await.unwrap().iter().map(|past| format!("{past:?}")));
    lines.extend(store.outbox(&service).await.unwrap().iter().map(|out| format!("{out:?}")));
    let mut log: Vec<String> =
        store.log(&service, 1000).await.unwrap().iter().map(|entry| format!("{entry:?}")).collect();
    // Deliveries of one moment come in any order.
    log.sort();
    lines.extend(log);
    let mut lines: Vec<String> = lines.iter().map(|line| without_chance(line)).collect();
    lines.sort();
    lines
}

/// What is there by chance: the placeholder of whoever was removed, and digests of what was made with salts.
fn without_chance(line: &str) -> String {
    let mut parts = line.split("former-");
    let first = parts.next().unwrap_or_default().to_owned();
    let hex = |c: char| c.is_ascii_hexdigit();
    let line = parts.fold(first, |line, part| format!("{line}former-{}", part.trim_start_matches(hex)));
    if !line.contains("LinesRedacted") {
        return line;
    }
    let words = line.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| word.chars().filter(|c| hex(*c)).count() < 12).collect()
}

/// Has the emulator keep what has expired: it looks once a minute, by the real clock, by which that day is long over.
async fn keeps_everything(day: &LongDay, endpoint: &str, table: &str) {
    let client = clients::dynamodb(&Aws::local(endpoint.to_owned(), String::new()), &day.stage.house.http);
    let never = TimeToLiveSpecification::builder().enabled(false).attribute_name(keys::EXPIRES).build().unwrap();
    client.update_time_to_live().table_name(table).time_to_live_specification(never).send().await.unwrap();
}

#[tokio::test]
async fn one_long_day_ends_in_the_same_table_on_both_engines() {
    let Some(folder) = ministack::folder() else {
        println!("not present: RECENT_DEPLOYERS_MINISTACK; 0 engines compared");
        return;
    };
    let emulator = MiniStack::start(&folder, "engines").await;
    let mut embedded = LongDay::begin().await;
    let mut other = LongDay::begin().await;
    other.stage.moves_to(&emulator.endpoint, "recent-deployers").await;
    keeps_everything(&other, &emulator.endpoint, "recent-deployers").await;
    embedded.passes().await;
    other.passes().await;
    let mut compared = 0;
    for service in ["edxapp", "ecommerce", "unmapped", "many7"] {
        let (here, there) = (table(&embedded, service).await, table(&other, service).await);
        assert_eq!(here, there, "{service}");
        compared += here.len();
    }
    assert!(compared > 50, "{compared}");
    assert_eq!(embedded.stage.heard(), other.stage.heard());
    let due = |day: &LongDay| day.stage.house.store.clone();
    assert_eq!(due(&embedded).earliest_due().await.unwrap(), due(&other).earliest_due().await.unwrap(), "by the index");
    println!("engines: {compared} items and lines compared");
}
