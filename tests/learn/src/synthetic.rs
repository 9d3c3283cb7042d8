//! A synthetic alert for each real failure, since the histories lack them: a stack trace that names a file of the culprit at a stated
//! rate, among files that are touched often. SYNTHETIC: it shows what the reading of traces can be worth, not what it is worth.

use backtest::sweep::Example;
use backtest::{History, Landed};
use domain::rank::{Feature, named};

use crate::study::Lots;

/// How the traces are made.
#[derive(Clone, Copy)]
pub struct Noise {
    /// How many failures come with a trace at all.
    pub traced: f64,
    /// How many traces name a file of the culprit.
    pub true_: f64,
    /// How many other frames a trace has.
    pub others: usize,
}

/// The trace of one failure as its language writes it, innermost frame where that language has it.
fn trace(frames: &[&str]) -> String {
    let python = frames.first().is_some_and(|path| path.ends_with(".py"));
    let line = |path: &&str| match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("py") => format!("  File \"/app/{path}\", line 12, in handle"),
        Some("rb" | "erb" | "rake") => format!("/app/{path}:12:in 'handle'"),
        Some("java" | "kt") => {
            let class = path.trim_end_matches(".java").trim_end_matches(".kt").replace('/', ".");
            format!("    at {class}.handle({}:12)", path.rsplit('/').next().unwrap_or(path))
        }
        Some("go") => format!("\t/src/{path}:12 +0x1d"),
        Some("rs") => format!("             at ./{path}:12:5"),
        _ => format!("    at handle (/app/{path}:12:5)"),
    };
    let mut lines: Vec<String> = frames.iter().map(line).collect();
    if python {
        lines.reverse();
        lines.insert(0, "Traceback (most recent call last):".to_owned());
    }
    lines.join("\n")
}

/// Gives one failure a trace, and its candidates what that says of them.
pub fn traced(example: &Example, history: &History, noise: Noise, lots: &mut Lots) -> Example {
    let mut example = example.clone();
    if !lots.chance(noise.traced) {
        return example;
    }
    let changes: Vec<&Landed> = example.lineup.candidates.iter().map(|i| &history.changes[*i]).collect();
    let first = example.lineup.candidates.first().copied().unwrap_or_default();
    let mut frames: Vec<&str> = Vec::new();
    for _ in 0..noise.others {
        // A file of some earlier change: what is touched often comes often.
        let change = &history.changes[lots.below(first.max(1))];
        if !change.paths.is_empty() {
            frames.push(&change.paths[lots.below(change.paths.len())]);
        }
    }
    let own = &changes[example.culprit].paths;
    if lots.chance(noise.true_) && !own.is_empty() {
        let depth = lots.below(3).min(frames.len());
        frames.insert(depth, &own[lots.below(own.len())]);
    }
    let names = named::names(&trace(&frames));
    let matched: Vec<Option<f64>> = changes
        .iter()
        .map(|change| {
            let paths: Vec<&str> = change.paths.iter().map(String::as_str).collect();
            named::matches(&names, &paths).map(|(sure, _)| sure)
        })
        .collect();
    if matched.iter().any(Option::is_some) {
        for (facts, matched) in example.lineup.facts.iter_mut().zip(matched) {
            facts.set(Feature::NamedFile, matched.unwrap_or(0.0));
        }
    }
    example
}
