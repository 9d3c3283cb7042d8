//! The topic is away for five minutes; a pager answers 429, 500, nothing at all, or 202 and breaks off, for ten. Whoever has a
//! second contact is reached by it at once, the rotation in its time, and whoever has no other contact as soon as the pager is
//! back: each page once.

use std::collections::{BTreeMap, BTreeSet};

use house_tests::peer::{Mishap, Peer};
use house_tests::{Stage, time};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Duration, Instant};

use crate::judge::judge;
use crate::outcome::{Outcome, Plan};
use crate::world::{self, Event, configuration, pages, services};

/// How a pager is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Says(u16),
    Silence,
    BreaksOff,
    Resets,
}

const FAULTS: [Fault; 5] = [Fault::Says(429), Fault::Says(500), Fault::Silence, Fault::BreaksOff, Fault::Resets];
/// Longer than the house waits, in seconds.
const SILENT: u64 = 30;
/// How long a delivery may take by the real clock: a function under way for 30 s is ended.
const DELIVERED_WITHIN: Duration = Duration::from_secs(30);
/// `feanil` has another contact, `usama` has none.
const MERGERS: [&str; 2] = ["feanil", "usama"];

fn at(minutes: i64) -> Timestamp {
    time("Fri 12:00") + SignedDuration::from_mins(minutes)
}

pub fn run(plan: &Plan) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let plan = plan.clone();
    runtime.block_on(async move {
        let mut outcome = Outcome::default();
        let long = |fault| if fault == Fault::Silence { plan.either(2, 10) } else { 10 };
        let bad = FAULTS.map(|fault| tokio::spawn(bad_pager(fault, long(fault))));
        for (fault, run) in FAULTS.iter().zip(bad) {
            let came = run.await.expect("no panic");
            println!("{fault:?}: {} faults", came.faults.len());
            outcome.add(came, &format!("{fault:?}"));
        }
        for begins in 0..plan.either(2, 12) {
            outcome.add(topic_away(begins).await, &format!("topic away from 12:{begins:02}"));
        }
        outcome.done = "topic away for 5 min, from each minute; a pager that answers 429, 500, nothing, 202 and breaks off, or \
                        resets for 10 min: second contact within the minute, rotation in 5, the only contact 2 min after it is back"
            .to_owned();
        outcome
    })
}

/// Two services, whose mergers have this pager first; one of them has nothing else.
async fn bad_pager(fault: Fault, minutes: i64) -> Outcome {
    let services = services(2);
    let (bad, good) = (Peer::start().await, Peer::start().await);
    let text = configuration(&services, &bad.address)
        .replace(
            "github = [\"feanil\"]\ncontacts = [\"pager\"]",
            "github = [\"feanil\"]\ncontacts = [\"pager\", \"other\"]",
        )
        .replace(
            "github = [\"anna\"]\ncontacts = [\"pager\"]",
            "github = [\"anna\"]\ncontacts = [\"pager\", \"other\"]",
        );
    let other = format!("[receivers.other]\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"hook\"\n", good.address);
    let stage = Stage::with(&format!("{text}{other}"), |_| {}).await;
    let mut outcome = Outcome { runs: 1, ..Outcome::default() };
    for (service, who) in services.iter().zip(MERGERS) {
        tell(&stage, &Event::merge(service, 1, who, at(0))).await;
        tell(&stage, &Event::deploy(service, 1, 1, "success", at(1), at(1))).await;
    }
    stage.until(at(4)).await;
    let (before, _) = (pages(&bad.received()), good.received());
    outcome.must(before.is_empty(), || format!("{before:?} before anything broke"));
    breaks(&bad, fault);
    stage.clock.set(at(5));
    for service in &services {
        let begun = Instant::now();
        tell(&stage, &Event::alert(service, "Slow", at(5), None)).await;
        let took = begun.elapsed();
        outcome.must(took < DELIVERED_WITHIN, || format!("the page for {service} took {took:?}"));
    }
    passes(&stage, at(5 + minutes), &mut outcome).await;
    bad.recovers();
    // What came to it while it was of no use does not count as having come.
    drop(bad.received());
    passes(&stage, at(5 + minutes + 25), &mut outcome).await;
    let (from_bad, from_good) = (pages(&bad.received()), pages(&good.received()));
    let first = |person: &str, service: &str| {
        let all = from_good.iter().chain(&from_bad).filter(|page| page.person == person);
        all.filter(|page| page.key.starts_with(service)).map(|page| page.sent_at).min()
    };
    let back = at(5 + minutes);
    for (who, service, by) in [
        ("feanil", &services[0], at(5)),
        ("anna", &services[0], at(10).max(back.min(at(10)))),
        ("usama", &services[1], back + SignedDuration::from_mins(2)),
        ("anna", &services[1], at(10)),
    ] {
        let when = first(who, service);
        outcome
            .must(when.is_some_and(|when| when <= by), || format!("{who} heard of {service} at {when:?}, not by {by}"));
    }
    let came: Vec<_> = from_bad.into_iter().chain(from_good).collect();
    judge(&stage.house.store, &services, &came, &BTreeSet::new(), &mut outcome).await;
    outcome
}

fn breaks(pager: &Peer, fault: Fault) {
    let mishap = match fault {
        Fault::Says(status) => return pager.always_answers("POST", status, ""),
        Fault::Silence => return pager.takes(Duration::from_secs(SILENT)),
        Fault::BreaksOff => Mishap::BreaksOff(202),
        Fault::Resets => Mishap::Resets,
    };
    (0..200).for_each(|_| pager.will("POST", mishap.clone()));
}

/// Minute by minute; none of them may take longer than a function lives.
async fn passes(stage: &Stage, until: Timestamp, outcome: &mut Outcome) {
    while stage.clock.now() < until {
        stage.clock.set(stage.clock.now() + SignedDuration::from_mins(1));
        stage.bundle.tick().await;
        let begun = Instant::now();
        stage.bundle.quiesce().await;
        outcome.must(begun.elapsed() < DELIVERED_WITHIN, || format!("a minute's pages took {:?}", begun.elapsed()));
    }
}

async fn tell(stage: &Stage, event: &Event) {
    let answer = stage.bundle.route(event.request()).await;
    assert_eq!(answer.status, 200, "{}: {}", event.what, answer.body);
    stage.bundle.quiesce().await;
}

/// Alerts before and within five minutes without the topic; some are over before anybody heard of them.
async fn topic_away(begins: i64) -> Outcome {
    let services = services(4);
    let (mut stage, pager) = world::stage(&services).await;
    let (_, topic) = stage.gated().await;
    let mut outcome = Outcome { runs: 1, ..Outcome::default() };
    for service in &services {
        tell(&stage, &Event::merge(service, 1, "feanil", at(-2))).await;
        tell(&stage, &Event::deploy(service, 1, 1, "success", at(-1), at(-1))).await;
    }
    // One service breaks every two minutes; the last one is over again two minutes later.
    let alerts: BTreeMap<i64, usize> = (0..4).map(|nth| (1 + 2 * nth, nth as usize)).collect();
    for minute in 0..=40 {
        stage.clock.set(at(minute));
        if minute == begins {
            topic.close();
        }
        if minute == begins + 5 {
            topic.open();
        }
        if let Some(nth) = alerts.get(&minute) {
            tell(&stage, &Event::alert(&services[*nth], "Slow", at(minute), None)).await;
        }
        if minute == 9 {
            tell(&stage, &Event::alert(&services[3], "Slow", at(7), Some(at(9)))).await;
        }
        stage.bundle.tick().await;
        stage.bundle.quiesce().await;
    }
    let came = pages(&pager.received());
    for (minute, nth) in alerts.iter().take(3) {
        let service = services[*nth].as_str();
        // Not before the topic is back, and then within two minutes; unless it was told before.
        let away = |minute: i64| (begins..begins + 5).contains(&minute);
        let due = |minute: i64| if away(minute) { begins + 5 + 2 } else { minute + 1 };
        let anna = came.iter().find(|page| page.person == "anna" && page.key.starts_with(service));
        let by = at(due(minute + 5));
        outcome.must(anna.is_some_and(|page| page.sent_at <= by), || format!("{service}: anna by {by}: {anna:?}"));
        let first = came.iter().find(|page| page.key.starts_with(service));
        let by = at(due(*minute));
        outcome.must(first.is_some_and(|page| page.sent_at <= by), || format!("{service}: anybody by {by}: {first:?}"));
    }
    judge(&stage.house.store, &services, &came, &BTreeSet::new(), &mut outcome).await;
    outcome
}
