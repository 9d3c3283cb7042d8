//! A million changed payloads of the corpus, each through a reader that might get it: no panic, and the process never takes more
//! than 256 MB. The corpus is `../shared/payloads`, read in place; where it is absent, the seeds of the fuzzer alone.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use aws::{Reading, Sender};
use house_tests::dice::Dice;
use house_tests::root;
use serde_json::Value;

use crate::mutation::mutated;
use crate::outcome::{Outcome, Plan};

const MOST_MEMORY_KB: u64 = 256 * 1024;
/// Larger files are left to the fuzzer.
const MOST_BYTES: u64 = 48 * 1024;
const THREADS: usize = 2;

struct Payload {
    name: String,
    body: Value,
    text: Vec<u8>,
    /// The readers that make an event of it as it is.
    readers: Vec<usize>,
}

/// Whether it made an event of a body.
type Reader = Box<dyn Fn(&[u8]) -> bool + Sync>;

/// Every sender's. What is read is written to the table: `writes`.
fn readers() -> Vec<Reader> {
    fn of<E>(senders: &'static [Sender<E>], writes: fn(&E) -> bool) -> impl Iterator<Item = Reader> {
        senders.iter().map(move |sender| -> Reader {
            Box::new(move |body| match (sender.parse)(body) {
                Ok(Reading::Event(event)) => writes(&event),
                Ok(Reading::Ignored(_)) | Err(_) => false,
            })
        })
    }
    let merges = of(on_merge::senders::SENDERS, |event| serde_json::to_vec(event).is_ok());
    let deployments = of(on_deploy::senders::SENDERS, |event| serde_json::to_vec(event).is_ok());
    let alerts = of(on_alert::senders::SENDERS, |event| serde_json::to_vec(event).is_ok());
    merges.chain(deployments).chain(alerts).collect()
}

pub fn run(plan: &Plan) -> Outcome {
    let readers = readers();
    let (corpus, seeds) = (payloads("../shared/payloads", &readers), payloads("tests/fuzz/seeds", &readers));
    if corpus.is_empty() {
        println!("not present: ../shared/payloads; {} seeds of the fuzzer alone", seeds.len());
    }
    let all: Vec<Payload> = corpus.into_iter().chain(seeds).collect();
    let mut outcome = Outcome::default();
    outcome.must(!all.is_empty(), || "there is no payload at all".to_owned());
    let count = plan.either(30_000, 1_000_000);
    let (events, faults) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    // A panic is a row of the table, not a page of text.
    std::panic::set_hook(Box::new(|_| ()));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (all, readers, events, faults) = (&all, &readers, &events, &faults);
            scope.spawn(move || {
                for nth in (thread..count).step_by(THREADS) {
                    // Each mutant has a seed of its own, so that it can be made again alone.
                    let mut dice = Dice(plan.seed ^ (nth as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                    let payload = dice.of(all);
                    let mutant = mutated(&payload.body, &payload.text, &mut dice);
                    let reader = reader(payload, readers.len(), &mut dice);
                    match catch_unwind(AssertUnwindSafe(|| readers[reader](&mutant))) {
                        Ok(true) => drop(events.fetch_add(1, Ordering::Relaxed)),
                        Ok(false) => {}
                        Err(_) => {
                            let text = String::from_utf8_lossy(&mutant).into_owned();
                            let what = format!("mutant {nth} of {} panics: {text}", payload.name);
                            faults.lock().unwrap_or_else(PoisonError::into_inner).push(what);
                        }
                    }
                    if (nth + 1) % 100_000 == 0 {
                        println!("{} of {count}, at most {} MB", nth + 1, peak_kb() / 1024);
                    }
                }
            });
        }
    });
    drop(std::panic::take_hook());
    for fault in faults.into_inner().unwrap_or_else(PoisonError::into_inner) {
        outcome.is_wrong(fault);
    }
    outcome.runs = count;
    let (peak, events) = (peak_kb(), events.into_inner());
    outcome.must(peak < MOST_MEMORY_KB, || format!("it took {} MB", peak / 1024));
    outcome.must(events * 20 > count, || format!("only {events} were read into an event: the mutants are too wild"));
    outcome.done = format!(
        "mutants of {} payloads through {} readers on {THREADS} threads; {events} were read into an event; VmHWM {} MB",
        all.len(),
        readers.len(),
        peak / 1024
    );
    outcome
}

/// One of those that read it as it was, three times in four; else any.
fn reader(payload: &Payload, count: usize, dice: &mut Dice) -> usize {
    match dice.roll(4) {
        0 => dice.below(count),
        _ if payload.readers.is_empty() => dice.below(count),
        _ => *dice.of(&payload.readers),
    }
}

fn payloads(folder: &str, readers: &[Reader]) -> Vec<Payload> {
    let read = |path: &PathBuf| {
        let small = fs::metadata(path).is_ok_and(|about| about.len() <= MOST_BYTES);
        let text = fs::read(path).ok().filter(|_| small)?;
        let body = serde_json::from_slice(&text).ok()?;
        let name = path.file_name()?.to_string_lossy().into_owned();
        let reading = readers.iter().enumerate().filter(|(_, reads)| reads(&text)).map(|(nth, _)| nth).collect();
        Some(Payload { name, body, text, readers: reading })
    };
    files(&root().join(folder)).iter().filter_map(read).collect()
}

/// The files in a folder and in folders of it, always in the same order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut found: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    found.sort();
    found
}

/// The most memory that this process ever had, in kB; 0 where the system does not say.
fn peak_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
