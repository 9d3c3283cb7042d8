//! What each event costs beside the least that it could: round trips, and DynamoDB's capacity units as the engine counts them.
//!
//! The least is what cannot be left out if nothing is to be lost and nobody paged twice: one read of what is known (a unit for 4 kB),
//! one transaction (two units for each item that has to be new or other than before), and for a page one publish and one mark.

use std::collections::BTreeMap;

use aws::links::Action;
use house_tests::gate::{Gate, Spent};
use house_tests::{Stage, configuration};

/// For a million, in dollars: what AWS asks in us-east-1 on demand (infra/README.md says where that is written).
const READS: f64 = 0.125;
const WRITES: f64 = 0.625;
const PUBLISHES: f64 = 0.50;
const REQUESTS: f64 = 1.00;
const INVOCATIONS: f64 = 0.20;
const GIGABYTE_SECOND: f64 = 16.6667;
/// How long a function is billed for, in seconds, with so many gigabytes: infra/README.md reckons with the same.
const BILLED: f64 = 0.050;
const GIGABYTES: f64 = 0.25;

struct Event {
    name: &'static str,
    calls: Vec<Spent>,
    /// Comes through API Gateway.
    is_request: bool,
    /// What has to be read, and the items that have to be new or other than before.
    reads: f64,
    items: &'static [&'static str],
    /// Publishing, and noting that it was.
    publishes: bool,
}

/// Measures, and prints.
pub async fn measure() {
    let events = a_day().await;
    println!("| event | round trips (least) | read units (least) | write units (least) | dollars a million |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for event in &events {
        event.print();
    }
    println!();
    for event in &events {
        let items: Vec<&str> = event.calls.iter().flat_map(|call| &call.items).map(String::as_str).collect();
        println!("- {}: {}; has to: {}", event.name, items.join(", "), event.items.join(", "));
    }
}

impl Event {
    fn print(&self) {
        let is_read =
            |call: &&Spent| matches!(call.call.as_str(), "Query" | "GetItem" | "BatchGetItem" | "TransactGetItems");
        let reads: f64 = self.calls.iter().filter(is_read).map(|call| call.units).sum();
        let all: f64 = self.calls.iter().map(|call| call.units).sum();
        let writes = all - reads;
        let published = self.calls.iter().filter(|call| call.call == "Publish").count();
        let least = 2 + 2 * usize::from(self.publishes);
        let least_writes = 2.0 * self.items.len() as f64 + f64::from(u8::from(self.publishes));
        let dollars = reads * READS
            + writes * WRITES
            + published as f64 * PUBLISHES
            + if self.is_request { REQUESTS } else { 0.0 }
            + INVOCATIONS
            + GIGABYTE_SECOND * BILLED * GIGABYTES;
        println!(
            "| {} | {} ({least}) | {reads:.1} ({:.1}) | {writes:.0} ({least_writes:.0}) | {dollars:.2} |",
            self.name,
            self.calls.len(),
            self.reads,
        );
    }
}

type Gates = BTreeMap<&'static str, [Gate; 3]>;

/// What a function asked of the table, and then of the topic.
fn spent(gates: &Gates, function: &str) -> Vec<Spent> {
    gates[function][..2].iter().flat_map(Gate::spent).collect()
}

fn forget(gates: &Gates) {
    gates.values().flatten().for_each(|gate| drop(gate.spent()));
}

/// A merge, a release of three, an alert, its page, an acknowledgement.
async fn a_day() -> Vec<Event> {
    let mut day = Stage::with(&configuration(&["edxapp"]), |_| {}).await;
    day.deploy("prod", "success", 1).await;
    let gates = day.watched("").await;
    let mut events = Vec::new();
    let mut event = |name, calls, is_request, reads, items, publishes| {
        events.push(Event { name, calls, is_request, reads, items, publishes });
    };
    for number in 10..13 {
        forget(&gates);
        assert_eq!(day.merge("feanil", number).await.status, 200);
    }
    event("a merge", spent(&gates, "on-merge"), true, 1.0, &["change", "line of the log"][..], false);
    day.at("Fri 13:00").await;
    forget(&gates);
    day.deploy("prod", "success", 12).await;
    let items = &["deployment", "what is live", "line of the log"][..];
    event("a release of three", spent(&gates, "on-deploy"), true, 1.0, items, false);
    day.at("Fri 13:10").await;
    forget(&gates);
    day.alert("edxapp", "Fri 13:10", false).await;
    let items = &["incident", "page in the outbox", "line of the log"][..];
    event("an alert that pages", spent(&gates, "on-alert"), true, 1.0, items, true);
    event(
        "the delivery of the page",
        spent(&gates, "on-page"),
        false,
        1.0,
        &["page delivered", "line of the log"][..],
        false,
    );
    let link = day.link(Action::Acknowledge(day.incident("edxapp").await.id), "feanil");
    forget(&gates);
    assert_eq!(day.post(&link, Vec::new(), b"do=acknowledge").await.status, 200);
    event("an acknowledgement", spent(&gates, "on-request"), true, 1.0, &["incident", "line of the log"][..], false);
    events
}
