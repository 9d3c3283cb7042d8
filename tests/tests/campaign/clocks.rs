//! Clocks that are wrong. What has expired is never deleted: everything goes on as if it were. The senders' clocks, or the clock
//! of one function, are ten minutes wrong: the page is out, once, and no later than that. The tick comes twice, late, or not at
//! all for an hour: what is stored says what is due.

use std::collections::BTreeSet;

use aws::House;
use house_tests::Stage;
use house_tests::dice::Dice;
use house_tests::peer::Peer;
use house_tests::time;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

use crate::judge::judge;
use crate::outcome::{Outcome, Plan};
use crate::world::{self, Event, MERGERS, Page, hear, pages, services};

/// How wrong clocks are, in minutes.
const WRONG: i64 = 10;

fn at(minutes: i64) -> Timestamp {
    time("Fri 12:00") + SignedDuration::from_mins(minutes)
}

pub fn run(plan: &Plan) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let plan = plan.clone();
    runtime.block_on(async move {
        let mut outcome = Outcome::default();
        let days = plan.either(15, 130);
        outcome.add(without_expiry(plan.seed, days).await, "without expiry");
        for (name, senders, function, clock) in [
            ("senders ahead", WRONG, 0, 0),
            ("senders behind", -WRONG, 0, 0),
            ("on-alert ahead", 0, WRONG, 0),
            ("on-alert behind", 0, -WRONG, 0),
            ("on-schedule ahead", 0, 0, WRONG),
            ("on-schedule behind", 0, 0, -WRONG),
            ("all apart", WRONG / 2, -WRONG / 2, WRONG / 2),
        ] {
            outcome.add(wrong(senders, function, clock).await, name);
        }
        for ticks in [Ticks::Twice, Ticks::Late(7), Ticks::Late(13), Ticks::Never(60)] {
            outcome.add(ticking(ticks).await, &format!("{ticks:?}"));
        }
        outcome.done = format!(
            "{days} days in which nothing that expired is deleted; clocks of senders and functions {WRONG} min wrong; ticks \
             twice at once, 7 and 13 min late, none for an hour"
        );
        outcome
    })
}

async fn tell(stage: &Stage, house: &House, event: &Event) {
    assert_eq!(hear(house, event).await, 200, "{}", event.what);
    stage.bundle.quiesce().await;
}

/// Two worlds with the same past, of which one deletes what has expired and the other never does: both tell people the same.
async fn without_expiry(seed: u64, days: i64) -> Outcome {
    let mut outcome = Outcome { runs: 1, ..Outcome::default() };
    let (swept, pager) = long_past(seed, days, true).await;
    let (kept, other) = long_past(seed, days, false).await;
    let (came, as_well) = (told(&pager), told(&other));
    outcome.must(came.len() > 20, || format!("only {} messages", came.len()));
    for message in came.difference(&as_well) {
        outcome.is_lost(format!("{message}, where nothing is deleted"));
    }
    for message in as_well.difference(&came) {
        outcome.is_wrong(format!("{message} was told because it had not been deleted"));
    }
    for service in services(2) {
        let (one, two) = (swept.windows(&service).await, kept.windows(&service).await);
        outcome.must(one == two, || format!("{service}: {two:?}, not {one:?}"));
    }
    println!("without expiry: {} messages in {days} days", came.len());
    outcome
}

/// Everything that the pager got: which message, and when.
fn told(pager: &Peer) -> BTreeSet<String> {
    let received = pager.received();
    received.iter().map(|r| format!("{} at {}", r.header("webhook-id"), r.header("webhook-timestamp"))).collect()
}

async fn long_past(seed: u64, days: i64, deletes: bool) -> (Stage, Peer) {
    let services = services(2);
    let (stage, pager) = world::stage(&services).await;
    let mut dice = Dice(seed);
    let mut number = 0;
    for day in 0..days {
        let now = at(day * 24 * 60);
        passes(&stage, now, deletes).await;
        for service in &services {
            number += 1;
            let who = dice.of::<&str>(&MERGERS);
            tell(&stage, &stage.house, &Event::merge(service, number, who, now)).await;
            if dice.roll(3) > 0 {
                tell(&stage, &stage.house, &Event::deploy(service, number, number, "success", now, now)).await;
            }
            let name = format!("Alert{}", dice.roll(3));
            if dice.roll(2) == 0 {
                tell(&stage, &stage.house, &Event::alert(service, &name, now, None)).await;
                let over = now + SignedDuration::from_mins(20);
                passes(&stage, over, deletes).await;
                tell(&stage, &stage.house, &Event::alert(service, &name, now, Some(over))).await;
            }
        }
    }
    (stage, pager)
}

/// As [`Stage::until`], with or without deleting what has expired.
async fn passes(stage: &Stage, then: Timestamp, deletes: bool) {
    let store = &stage.house.store;
    loop {
        let now = stage.clock.now();
        let due = store.earliest_due().await.expect("the table answers");
        let next = due.map(|due| domain::on_schedule::tick_after(due, now)).filter(|tick| *tick <= then);
        let Some(next) = next else { break };
        stage.clock.set(next);
        match deletes {
            true => stage.bundle.tick().await,
            false => drop(on_schedule::tick(&stage.bundle.house).await),
        }
        stage.bundle.quiesce().await;
    }
    stage.clock.set(then);
}

/// The same house, whose clock is so many minutes wrong.
fn off(stage: &Stage, minutes: i64) -> House {
    let clock = stage.clock.clone();
    House { now: Arc::new(move || clock.now() + SignedDuration::from_mins(minutes)), ..stage.bundle.house.clone() }
}

/// A merge, its deployment and an alert, where the senders' clocks, that of the functions that hear them and that of the
/// scheduler are wrong by so many minutes.
async fn wrong(senders: i64, function: i64, clock: i64) -> Outcome {
    let services = services(1);
    let (stage, pager) = world::stage(&services).await;
    let (hearing, scheduling) = (off(&stage, function), off(&stage, clock));
    let mut outcome = Outcome { runs: 1, ..Outcome::default() };
    let said = |minutes: i64| at(minutes + senders);
    let service = &services[0];
    let events = [
        (30, Event::merge(service, 1, "feanil", said(30))),
        (32, Event::deploy(service, 1, 1, "success", said(31), said(32))),
        (45, Event::alert(service, "Slow", said(45), None)),
    ];
    for minute in 28..=100 {
        stage.clock.set(at(minute));
        for (_, event) in events.iter().filter(|(when, _)| *when == minute) {
            tell(&stage, &hearing, event).await;
        }
        drop(on_schedule::tick(&scheduling).await);
        stage.bundle.quiesce().await;
    }
    let came = pages(&pager.received());
    let about = SignedDuration::from_mins(WRONG);
    in_time(&came, "feanil", at(45) + about, &mut outcome);
    in_time(&came, "anna", at(50) + about * 2 + SignedDuration::from_mins(1), &mut outcome);
    judge(&stage.house.store, &services, &came, &BTreeSet::new(), &mut outcome).await;
    outcome
}

/// This person is paged by then; `sent_at` is by the clock of whoever delivers, which is right.
fn in_time(came: &[Page], person: &str, by: Timestamp, outcome: &mut Outcome) {
    match came.iter().filter(|page| page.person == person).map(|page| page.sent_at).min() {
        Some(first) => outcome.must(first <= by, || format!("{person} was paged at {first}, not by {by}")),
        None => outcome.is_lost(format!("{person} was never paged")),
    }
}

/// When the tick comes.
#[derive(Debug, Clone, Copy)]
enum Ticks {
    /// Two at once, each minute.
    Twice,
    /// Each one so many minutes after the last.
    Late(i64),
    /// None for so long, from the alert on.
    Never(i64),
}

async fn ticking(ticks: Ticks) -> Outcome {
    let services = services(1);
    let (stage, pager) = world::stage(&services).await;
    let mut outcome = Outcome { runs: 1, ..Outcome::default() };
    let service = &services[0];
    let events = [
        (0, Event::merge(service, 1, "feanil", at(0))),
        (1, Event::deploy(service, 1, 1, "success", at(1), at(1))),
        (5, Event::alert(service, "Slow", at(5), None)),
    ];
    for minute in 0..=100 {
        stage.clock.set(at(minute));
        for (_, event) in events.iter().filter(|(when, _)| *when == minute) {
            match ticks {
                // The stream that would wake the scheduler is as dead as the tick.
                Ticks::Never(_) => {
                    tell(&stage, &House { nudge: Arc::new(|_| {}), ..stage.bundle.house.clone() }, event).await;
                }
                Ticks::Twice | Ticks::Late(_) => tell(&stage, &stage.bundle.house, event).await,
            }
        }
        let comes = match ticks {
            Ticks::Twice => true,
            Ticks::Late(every) => minute % every == 0,
            Ticks::Never(long) => !(5..5 + long).contains(&minute),
        };
        if comes {
            let house = &stage.bundle.house;
            match ticks {
                Ticks::Twice => drop(tokio::join!(on_schedule::tick(house), on_schedule::tick(house))),
                Ticks::Late(_) | Ticks::Never(_) => drop(on_schedule::tick(house).await),
            }
            stage.bundle.quiesce().await;
        }
    }
    let came = pages(&pager.received());
    let late = match ticks {
        Ticks::Twice => 0,
        Ticks::Late(every) => every,
        Ticks::Never(long) => long,
    };
    in_time(&came, "feanil", at(6), &mut outcome);
    in_time(&came, "anna", at(10 + late), &mut outcome);
    judge(&stage.house.store, &services, &came, &BTreeSet::new(), &mut outcome).await;
    outcome
}
