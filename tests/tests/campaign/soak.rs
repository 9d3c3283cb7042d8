//! A long time under mixed load, in virtual days: memory, open files and the size of the table level off. Changes are known for
//! 400 days and the log for 90, so what is kept is steady only after that; `--minutes N` goes on for so long by the real clock.

use aws::clients;
use aws_sdk_dynamodb::types::Select;
use house_tests::dice::Dice;
use house_tests::{Stage, time};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Duration, Instant};

use crate::outcome::{Outcome, Plan};
use crate::world::{self, Event, MERGERS, pages, services};

/// After a step of so many days there is a day of work.
const SHORT_STEP: i64 = 25;
/// How much more in the last quarter than in the one before is level: memory in kB, files, and of the table one part of so many.
const LEVEL_KB: u64 = 12 * 1024;
const LEVEL_FILES: u64 = 8;
const LEVEL_PART: u64 = 20;

/// What is measured after each day.
#[derive(Debug, Clone, Copy)]
struct Measured {
    memory_kb: u64,
    files: u64,
    items: u64,
}

pub fn run(plan: &Plan) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let plan = plan.clone();
    runtime.block_on(async move {
        let mut outcome = Outcome::default();
        let (days, step) = plan.either((40, SHORT_STEP), (120, 8));
        let real = Duration::from_secs(60 * plan.minutes.unwrap_or(0));
        let names = services(3);
        let (stage, pager) = world::stage(&names).await;
        let (mut dice, begun) = (Dice(plan.seed), Instant::now());
        let (mut measured, mut paged) = (Vec::new(), 0);
        let mut day = 0;
        while day < days || begun.elapsed() < real {
            let morning = time("Fri 12:00") + SignedDuration::from_hours(24 * step * day);
            stage.until(morning).await;
            work(&stage, &names, day.unsigned_abs(), &mut dice, &mut outcome).await;
            paged += pages(&pager.received()).len();
            measured.push(measure(&stage).await);
            day += 1;
            if day % 100 == 0 {
                println!("day {day}: {:?}", measured.last());
            }
        }
        outcome.must(paged > 0, || "nobody was paged".to_owned());
        levels(&measured, &mut outcome);
        let last = measured.last().copied().expect("a day");
        outcome.done = format!(
            "{day} days of work over {} days in {} services, {paged} pages: {} MB, {} open files, {} items in the end",
            day * step,
            names.len(),
            last.memory_kb / 1024,
            last.files,
            last.items
        );
        outcome
    })
}

/// One day: merges and their deployments, something that breaks and is mended.
async fn work(stage: &Stage, names: &[String], day: u64, dice: &mut Dice, outcome: &mut Outcome) {
    for (place, service) in names.iter().enumerate() {
        let now = stage.clock.now();
        let number = day * 10 + 1;
        let mut events = vec![Event::merge(service, number, dice.of::<&str>(&MERGERS), now)];
        if dice.roll(4) > 0 {
            events.push(Event::deploy(service, number, number, "in_progress", now, now));
            events.push(Event::deploy(service, number, number, "success", now, now));
        }
        tell(stage, &events, outcome).await;
        if day as usize % names.len() == place {
            let alert = |over: Option<Timestamp>| Event::alert(service, "Slow", now, over);
            tell(stage, &[alert(None)], outcome).await;
            let over = now + SignedDuration::from_mins(12);
            stage.until(over).await;
            tell(stage, &[alert(Some(over))], outcome).await;
        }
    }
    assert_eq!(stage.get("/").await.status, 200, "the board");
}

async fn tell(stage: &Stage, events: &[Event], outcome: &mut Outcome) {
    for event in events {
        outcome.runs += 1;
        let status = stage.bundle.route(event.request()).await.status;
        outcome.must(status == 200, || format!("{} is answered with {status}", event.what));
        stage.bundle.quiesce().await;
    }
}

async fn measure(stage: &Stage) -> Measured {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let memory_kb = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0);
    let files = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as u64;
    Measured { memory_kb, files, items: items(stage).await }
}

/// How many items the table has. We count them by a scan, which the house itself never does.
async fn items(stage: &Stage) -> u64 {
    let client = clients::dynamodb(&stage.endpoints().await, &stage.house.http);
    let (mut count, mut start) = (0, None);
    loop {
        let scan = client.scan().table_name("recent-deployers").select(Select::Count).set_exclusive_start_key(start);
        let answer = scan.send().await.expect("the table answers");
        count += answer.count().unsigned_abs() as u64;
        start = answer.last_evaluated_key().cloned();
        if start.is_none() {
            return count;
        }
    }
}

/// The last quarter against the one before.
fn levels(measured: &[Measured], outcome: &mut Outcome) {
    let quarter = measured.len() / 4;
    let (before, last) = (&measured[2 * quarter..3 * quarter], &measured[3 * quarter..]);
    let most = |part: &[Measured], of: fn(&Measured) -> u64| part.iter().map(of).max().unwrap_or(0);
    for (what, of, more) in [
        ("memory in kB", (|m| m.memory_kb) as fn(&Measured) -> u64, LEVEL_KB),
        ("open files", |m| m.files, LEVEL_FILES),
        ("items", |m| m.items, most(before, |m| m.items) / LEVEL_PART),
    ] {
        let (before, last) = (most(before, of), most(last, of));
        outcome.must(before > 0 && last <= before + more, || format!("{what}: {before}, a quarter later {last}"));
    }
}
