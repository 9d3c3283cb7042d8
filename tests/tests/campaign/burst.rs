//! Ten times as much as usual for five minutes: nothing that is accepted is lost, alerts do not wait behind merges, and answers
//! come within what senders wait for. How long they took is printed; what is asserted are the senders' own deadlines.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use house_tests::dice::Dice;
use house_tests::{Stage, time};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Duration, Instant};

use crate::judge::judge;
use crate::outcome::{Outcome, Plan};
use crate::world::{self, Event, MERGERS, pages, services};

/// Usual, in events a second; what is always under way at once in a burst.
const USUAL: usize = 2;
const AT_ONCE: usize = 40;
/// shared/TRIALS.md: GitHub waits 10 s. Alertmanager, whose alerts these are, waits longer; PagerDuty would wait 5 s, which a
/// debug build on cores that others use does not promise: what is printed says how far it was.
const SENDERS_WAIT: Duration = Duration::from_secs(10);
/// API Gateway gives nobody more. What one answer in a hundred may take: this is a debug build on cores that others use.
const GATEWAY_WAITS: Duration = Duration::from_secs(29);

pub fn run(plan: &Plan) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let plan = plan.clone();
    runtime.block_on(async move {
        let services = services(10);
        let (stage, pager) = world::stage(&services).await;
        let mut outcome = Outcome::default();
        let seconds = plan.either(30, 300);
        let events = events(&services, seconds * USUAL * 10, &mut Dice(plan.seed));
        outcome.runs = events.len();
        let shared = all(stage, &events, seconds).await;
        let (stage, accepted) = (&shared.stage, std::mem::take(&mut *locked(&shared.accepted)));
        let enough = accepted.len() * 100 >= events.len() * 99;
        outcome.must(enough, || format!("of {} only {} were accepted", events.len(), accepted.len()));
        stage.until(stage.clock.now() + SignedDuration::from_mins(40)).await;
        let came = pages(&pager.received());
        judge(&stage.house.store, &services, &came, &BTreeSet::new(), &mut outcome).await;
        stored(stage, &accepted, &mut outcome).await;
        let took = std::mem::take(&mut *locked(&shared.took));
        let mut said = Vec::new();
        for door in ["merge", "deploy", "alert"] {
            let times = &took[door];
            let (middle, high, most) = (of(times, 50), of(times, 99), of(times, 100));
            outcome.must(high < SENDERS_WAIT, || format!("{door}: {high:?}, and its sender waits {SENDERS_WAIT:?}"));
            outcome.must(most < GATEWAY_WAITS, || format!("{door}: {most:?}, and nobody waits for that"));
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

/// What the senders share.
struct Shared {
    stage: Stage,
    /// The next one last, with the second in which it comes.
    queue: Mutex<Vec<(i64, Event)>>,
    begun: Timestamp,
    took: Mutex<Took>,
    accepted: Mutex<Vec<Event>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// One sender: the next event as soon as the last one is answered.
    async fn sends(self: Arc<Self>) {
        while let Some((second, event)) = { locked(&self.queue).pop() } {
            let clock = &self.stage.clock;
            clock.set(clock.now().max(self.begun + SignedDuration::from_secs(second)));
            let sent = Instant::now();
            let status = self.stage.bundle.route(event.request()).await.status;
            let took = sent.elapsed();
            let door = ["merge", "deploy"].into_iter().find(|door| event.path[1..].starts_with(door));
            locked(&self.took).entry(door.unwrap_or("alert")).or_default().push(took);
            if status == 200 {
                locked(&self.accepted).push(event);
            }
        }
    }

    /// The clock each minute; whatever rang as soon as it can, as one machine does.
    async fn ticks(self: Arc<Self>) {
        let mut ticked = None;
        loop {
            let minute = self.stage.clock.now().as_second() / 60;
            if ticked.replace(minute) != Some(minute) {
                self.stage.bundle.tick().await;
            }
            self.stage.bundle.quiesce().await;
            tokio::task::yield_now().await;
        }
    }
}

/// Sends them all within these seconds of the house's clock, so many at once.
async fn all(stage: Stage, events: &[Event], seconds: usize) -> Arc<Shared> {
    let second = |nth: usize| i64::try_from(nth * seconds / events.len()).unwrap_or(0);
    let queue = events.iter().cloned().enumerate().rev().map(|(nth, event)| (second(nth), event)).collect();
    let (begun, queue) = (stage.clock.now(), Mutex::new(queue));
    let shared = Arc::new(Shared { stage, queue, begun, took: Mutex::default(), accepted: Mutex::default() });
    let ticking = tokio::spawn(Arc::clone(&shared).ticks());
    let senders: Vec<_> = (0..AT_ONCE).map(|_| tokio::spawn(Arc::clone(&shared).sends())).collect();
    for sender in senders {
        sender.await.expect("no panic");
    }
    ticking.abort();
    shared.stage.bundle.quiesce().await;
    shared
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
