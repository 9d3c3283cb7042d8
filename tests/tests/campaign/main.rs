//! The fault campaign: what goes wrong on purpose, and what has to hold all the same. `tests/campaign [--seed N] [--short]
//! [--minutes N] [scenario ...]` runs it; without arguments, as `cargo test` starts it, its short form.
//!
//! Each scenario is a process of its own, so that what it takes of memory and files is its own, and a crash is a row of the
//! table. Whatever chance decides follows from the seed. A failure prints the command that does it again.

mod burst;
mod clocks;
mod copies;
mod dead_tick;
mod judge;
mod kills;
mod life;
mod mutants;
mod mutation;
mod orders;
mod outcome;
mod pagers;
mod sizes;
mod soak;
mod throttled;
mod world;

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use outcome::{Outcome, Plan};

/// Named, with what it does in full.
type Scenario = (&'static str, fn(&Plan) -> Outcome);

const SCENARIOS: [Scenario; 11] = [
    ("copies", copies::run),
    ("kills", kills::run),
    ("throttled", throttled::run),
    ("pagers", pagers::run),
    ("clocks", clocks::run),
    ("orders", orders::run),
    ("sizes", sizes::run),
    ("mutants", mutants::run),
    ("burst", burst::run),
    ("dead-tick", dead_tick::run),
    ("soak", soak::run),
];
/// Scenarios of the short form that run at once.
const AT_ONCE: usize = 3;
const DEFAULT_SEED: u64 = 20_260_320;

/// What was asked for.
struct Asked {
    plan: Plan,
    named: Vec<String>,
    /// By ourselves: one scenario, here, whose outcome is the last line.
    alone: bool,
    /// By `tests/campaign`, and not by `cargo test` with a filter for other programs: then every name has to be one of ours.
    by_name: bool,
}

fn asked() -> Asked {
    let mut arguments = std::env::args().skip(1);
    let plan = Plan { seed: DEFAULT_SEED, short: true, minutes: None };
    let mut asked = Asked { plan, named: vec![], alone: false, by_name: false };
    let number = |text: Option<String>| text.and_then(|text| text.parse().ok());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--full" => (asked.plan.short, asked.by_name) = (false, true),
            "--short" => asked.plan.short = true,
            "--alone" => asked.alone = true,
            "--seed" => asked.plan.seed = number(arguments.next()).expect("--seed N"),
            "--minutes" => asked.plan.minutes = Some(number(arguments.next()).expect("--minutes N")),
            // What cargo tells every test program.
            other if other.starts_with("--") => {}
            name => asked.named.push(name.to_owned()),
        }
    }
    asked
}

fn main() -> ExitCode {
    let asked = asked();
    let unknown = asked.named.iter().find(|named| SCENARIOS.iter().all(|(name, _)| name != named));
    if let Some(unknown) = unknown.filter(|_| asked.by_name) {
        println!("there is no scenario {unknown}; there are {}", SCENARIOS.map(|(name, _)| name).join(", "));
        return ExitCode::FAILURE;
    }
    let wanted = |name: &str| asked.named.is_empty() || asked.named.iter().any(|n| n == name);
    let chosen: Vec<&Scenario> = SCENARIOS.iter().filter(|(name, _)| wanted(name)).collect();
    if asked.alone {
        for (_, run) in chosen {
            println!("{}", run(&asked.plan).to_line());
        }
        return ExitCode::SUCCESS;
    }
    println!("campaign: seed {}, {}", asked.plan.seed, if asked.plan.short { "short" } else { "full" });
    let queue = Mutex::new(chosen.iter().enumerate());
    let rows = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        // Most of them wait most of the time. In full each has the machine to itself: some measure how long things take.
        for _ in 0..asked.plan.either(AT_ONCE, 1) {
            scope.spawn(|| {
                while let Some((nth, (name, _))) = { queue.lock().expect("no panic").next() } {
                    #[expect(clippy::disallowed_methods, reason = "how long it took is printed")]
                    let begun = Instant::now();
                    let outcome = apart(name, &asked.plan);
                    let seconds = begun.elapsed().as_secs_f64();
                    say(name, &outcome, seconds, &asked.plan);
                    rows.lock().expect("no panic").push((nth, (*name, outcome, seconds)));
                }
            });
        }
    });
    let mut rows = rows.into_inner().expect("no panic");
    rows.sort_by_key(|(nth, _)| *nth);
    let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
    println!("\n{}", outcome::table(&rows));
    let failed = rows.iter().filter(|(_, outcome, _)| !outcome.holds()).count();
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {word}. {} passed; {failed} failed; 0 ignored", rows.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(name: &str, outcome: &Outcome, seconds: f64, plan: &Plan) {
    let mut said = format!("test {name} ... {} ({seconds:.1} s)\n", if outcome.holds() { "ok" } else { "FAILED" });
    outcome.faults.iter().for_each(|fault| said.push_str(&format!("  {fault}\n")));
    if !outcome.holds() {
        said.push_str(&format!("  again: {}\n", plan.command(name)));
    }
    print!("{said}");
}

/// Runs one scenario in a process of its own.
fn apart(name: &str, plan: &Plan) -> Outcome {
    let own = std::env::current_exe().expect("our own program");
    let mut command = Command::new(own);
    command.args(["--alone", "--seed", &plan.seed.to_string(), if plan.short { "--short" } else { "--full" }]);
    if let Some(minutes) = plan.minutes {
        command.args(["--minutes", &minutes.to_string()]);
    }
    let mut child = command.arg(name).stdout(Stdio::piped()).spawn().expect("our own program runs");
    let mut outcome = None;
    for line in BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok) {
        match Outcome::from_line(&line) {
            Some(told) => outcome = Some(told),
            None => println!("  {name}: {line}"),
        }
    }
    let status = child.wait().expect("it ends");
    outcome.unwrap_or_else(|| Outcome::crashed(&format!("it ended without an outcome: {status}")))
}
