//! Ten times as much as usual for five minutes: nothing that is accepted is lost, alerts do not wait behind merges, and answers
//! come within what senders wait for. How long they took is printed; what is asserted are the senders' own deadlines.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use house_tests::dice::Dice;
use house_tests::{Stage, time};
use jiff::SignedDuration;
use tokio::time::{Duration, Instant};

use crate::judge::judge;
use crate::outcome::{Outcome, Plan};
use crate::world::{self, Event, MERGERS, pages, services};

/// Usual, in events a second; what is always under way at once in a burst.
const USUAL: usize = 2;
const AT_ONCE: usize = 40;
/// shared/TRIALS.md: GitHub waits 10 s; of those who send alerts and are served by an answer at all, PagerDuty waits 5 s.
const FORGES_WAIT: Duration = Duration::from_secs(10);
const MONITORS_WAIT: Duration = Duration::from_secs(5);

pub fn run(plan: &Plan) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let plan = plan.clone();
    runtime.block_on(async move {
        let services = services(10);
        let (stage, pager) = world::stage(&services).await;
        let stage = Arc::new(stage);
        let mut outcome = Outcome::default();
        let seconds = plan.either(30, 300);
        let events = events(&services, seconds * USUAL * 10, &mut Dice(plan.seed));
        outcome.runs = events.len();
        let (took, accepted) = all(&stage, &events, seconds, &mut outcome).await;
        stage.until(stage.clock.now() + SignedDuration::from_mins(40)).await;
        let came = pages(&pager.received());
        judge(&stage.house.store, &services, &came, &BTreeSet::new(), &mut outcome).await;
        stored(&stage, &accepted, &mut outcome).await;
        let mut said = Vec::new();
        for (door, deadline) in [("merge", FORGES_WAIT), ("deploy", FORGES_WAIT), ("alert", MONITORS_WAIT)] {
            let times = &took[door];
            let (middle, high, most) = (of(times, 50), of(times, 99), of(times, 100));
            outcome.must(most < deadline, || format!("{door}: {most:?}, and its sender waits {deadline:?}"));
            said.push(format!("{door} {} / {} / {} ms", middle.as_millis(), high.as_millis(), most.as_millis()));
        }
        outcome.done = format!(
            "{} events within {seconds} s, {AT_ONCE} at once, in {} services; median / p99 / most: {}",
            events.len(),
            services.len(),
            said.join(", ")
        );
        outcome
    })
}

/// As percent of them took at most.
fn of(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Merges mostly; a deployment now and then, and one event in five is an alert.
fn events(services: &[String], count: usize, dice: &mut Dice) -> Vec<Event> {
    let now = time("Fri 12:00");
    let mut newest = BTreeMap::new();
    let event = |nth: usize| {
        let service = dice.of(services).clone();
        let number = nth as u64 + 1;
        match dice.roll(10) {
            0 | 1 => Event::alert(&service, &format!("Alert{number}"), now, None),
            2 if newest.contains_key(&service) => {
                Event::deploy(&service, newest[&service], number, "success", now, now)
            }
            _ => {
                newest.insert(service.clone(), number);
                Event::merge(&service, number, dice.of::<&str>(&MERGERS), now)
            }
        }
    };
    (0..count).map(event).collect()
}

type Took = BTreeMap<&'static str, Vec<Duration>>;

/// Sends them all, so many at once; meanwhile the clock ticks. How long each took, and what was accepted.
async fn all(stage: &Arc<Stage>, events: &[Event], seconds: usize, outcome: &mut Outcome) -> (Took, Vec<Event>) {
    let queue = Arc::new(Mutex::new(events.to_vec().into_iter().enumerate().collect::<Vec<_>>()));
    queue.lock().unwrap_or_else(PoisonError::into_inner).reverse();
    let took: Arc<Mutex<Took>> = Arc::default();
    let accepted: Arc<Mutex<Vec<Event>>> = Arc::default();
    let (begun, count) = (stage.clock.now(), events.len());
    let senders = (0..AT_ONCE).map(|_| {
        let (stage, queue) = (Arc::clone(stage), Arc::clone(&queue));
        let (took, accepted) = (Arc::clone(&took), Arc::clone(&accepted));
        tokio::spawn(async move {
            while let Some((nth, event)) = { queue.lock().unwrap_or_else(PoisonError::into_inner).pop() } {
                let passed = i64::try_from(nth * seconds / count).unwrap_or(0);
                stage.clock.set(stage.clock.now().max(begun + SignedDuration::from_secs(passed)));
                let sent = Instant::now();
                let status = stage.bundle.route(event.request()).await.status;
                let door = ["merge", "deploy", "alert"].into_iter().find(|door| event.path[1..].starts_with(door));
                let mut took = took.lock().unwrap_or_else(PoisonError::into_inner);
                took.entry(door.unwrap_or("alert")).or_default().push(sent.elapsed());
                if status == 200 {
                    accepted.lock().unwrap_or_else(PoisonError::into_inner).push(event);
                }
            }
        })
    });
    let senders: Vec<_> = senders.collect();
    let ticking = tokio::spawn({
        let stage = Arc::clone(stage);
        async move {
            loop {
                stage.bundle.tick().await;
                stage.bundle.quiesce().await;
                tokio::task::yield_now().await;
            }
        }
    });
    for sender in senders {
        sender.await.expect("no panic");
    }
    ticking.abort();
    stage.bundle.quiesce().await;
    let accepted = std::mem::take(&mut *accepted.lock().unwrap_or_else(PoisonError::into_inner));
    outcome.must(accepted.len() * 100 >= count * 99, || format!("of {count} only {} were accepted", accepted.len()));
    (std::mem::take(&mut *took.lock().unwrap_or_else(PoisonError::into_inner)), accepted)
}

/// What was accepted is there.
async fn stored(stage: &Stage, accepted: &[Event], outcome: &mut Outcome) {
    let mut known = BTreeMap::new();
    for service in services(10) {
        let situation = stage.situation(&service).await;
        let signals = situation.signals.values().flat_map(|known| known.value.by_key.values());
        let mut have: BTreeSet<String> = signals.map(|signal| signal.name.clone()).collect();
        have.extend(situation.changes.values().map(|known| known.value.label()));
        known.insert(service, have);
    }
    for event in accepted {
        let words: Vec<&str> = event.what.split(' ').collect();
        let (service, name) = match words[..] {
            ["merge", change] => (change.split('#').next().unwrap_or(""), change),
            ["alert", service, name, _] => (service, name),
            _ => continue,
        };
        if !known[service].contains(name) {
            outcome.is_lost(format!("{} was accepted", event.what));
        }
    }
}
