//! 500 events, each of them sent 20 times, shuffled, 64 at a time: each page comes exactly once, and everything ends as if each
//! had been sent once, in order. Half of the runs race as between the processes of AWS, half take turns as in one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use house_tests::dice::Dice;
use house_tests::{Stage, time};
use jiff::SignedDuration;

use crate::judge::{differ, end, judge};
use crate::outcome::{Outcome, Plan};
use crate::world::{self, Event, MERGERS, pages, services};

const COPIES: usize = 20;
const AT_ONCE: usize = 64;
/// Of each service.
const MERGES: u64 = 12;
const DEPLOYMENTS: u64 = 4;
const ALERTS: u64 = 5;
/// How often a sender sends what is answered with 503, at most.
const PATIENCE: usize = 60;

pub fn run(plan: &Plan) -> Outcome {
    let services = services(plan.either(4, 20));
    let events = events(&services);
    let (runs, copies) = (plan.either(1, 2), plan.either(6, COPIES));
    let mut outcome = Outcome::default();
    let mut dice = Dice(plan.seed);
    let (mut again, mut count) = (0, 0);
    let in_order = wait(play(services.clone(), events.clone(), 1, false));
    for run in 0..runs {
        let mut all: Vec<Event> = (0..copies).flat_map(|_| events.iter().cloned()).collect();
        dice.shuffle(&mut all);
        count = all.len();
        let mut played = wait(play(services.clone(), all, AT_ONCE, run % 2 == 0));
        for (service, want) in &in_order.ends {
            let have = &played.ends[service];
            played.outcome.must(want == have, || format!("{service} ended as {}", differ(want, have)));
        }
        again += played.again;
        println!("run {run}: {} pages, {} answered with 503 and sent again", played.pages, played.again);
        outcome.add(played.outcome, &format!("run {run}"));
    }
    outcome.add(in_order.outcome, "in order");
    outcome.done = format!(
        "{} events x {copies} copies = {count} requests a run, shuffled, {AT_ONCE} at a time, in {} services; {again} were \
         answered with 503 and sent again",
        events.len(),
        services.len()
    );
    outcome
}

/// Merges, deployments with both their reports, alerts; all of them happened before anybody tells us.
fn events(services: &[String]) -> Vec<Event> {
    let at = |minutes: u64| time("Fri 10:00") + SignedDuration::from_mins(minutes.cast_signed());
    let mut events = Vec::new();
    for service in services {
        events.extend((1..=MERGES).map(|n| Event::merge(service, n, MERGERS[n as usize % 2], at(n))));
        for deployment in 1..=DEPLOYMENTS {
            let (newest, begun) = (deployment * MERGES / DEPLOYMENTS, at(20 + 10 * deployment));
            for (state, at) in [("in_progress", begun), ("success", at(25 + 10 * deployment))] {
                events.push(Event::deploy(service, newest, deployment, state, begun, at));
            }
        }
        events.extend((1..=ALERTS).map(|n| Event::alert(service, &format!("Alert{n}"), at(110 + n), None)));
    }
    events
}

struct Played {
    ends: BTreeMap<String, Vec<String>>,
    pages: usize,
    /// How often something was answered with 503.
    again: usize,
    outcome: Outcome,
}

fn wait(playing: impl Future<Output = Played>) -> Played {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(playing)
}

async fn play(services: Vec<String>, events: Vec<Event>, at_once: usize, races: bool) -> Played {
    let (mut stage, pager) = world::stage(&services).await;
    if races {
        stage.bundle.house.store = stage.bundle.house.store.racing();
    }
    let stage = Arc::new(stage);
    let mut outcome = Outcome { runs: 1, ..Outcome::default() };
    let mut again = 0;
    for group in events.chunks(at_once) {
        let sending = group.iter().cloned().map(|event| tokio::spawn(send(Arc::clone(&stage), event)));
        for sent in sending.collect::<Vec<_>>() {
            match sent.await.expect("no panic") {
                Ok(times) => again += times,
                Err(why) => outcome.is_lost(why),
            }
        }
        // Now and then somebody looks meanwhile, as the table's stream has it.
        stage.bundle.quiesce().await;
    }
    stage.until(time("Fri 12:30")).await;
    let came = pages(&pager.received());
    let decided = judge(&stage.house.store, &services, &came, &BTreeSet::new(), &mut outcome).await;
    let mut ends = BTreeMap::new();
    for service in services {
        let end = end(&stage, &service).await;
        ends.insert(service, end);
    }
    Played { ends, pages: decided.keys.len(), again, outcome }
}

/// As senders do: again while it is answered with 503. How often that was.
async fn send(stage: Arc<Stage>, event: Event) -> Result<usize, String> {
    for times in 0..PATIENCE {
        match stage.bundle.route(event.request()).await.status {
            200 => return Ok(times),
            503 => {}
            status => return Err(format!("{} was answered with {status}", event.what)),
        }
    }
    Err(format!("{} was never accepted", event.what))
}
