//! Fits the weights of the ranking on the development histories, and writes the report on how often it is right.
//!
//! `cargo run --release -p learn` does both from a clean clone. Nothing is drawn by chance but by stated seeds, so the same histories give
//! the same weights and the same page.

#![expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "statistics")]

pub mod fit;
pub mod plot;
pub mod report;
pub mod speed;
pub mod study;
pub mod synthetic;

use std::fmt::Write as _;
use std::path::Path;

use backtest::history::Unreadable;
use backtest::sweep::{Example, View};
use backtest::{History, Measures, Ranker};
use domain::rank::table::Weight;
use domain::rank::{Feature, Table};
use fit::{Lesson, fit};
use jiff::SignedDuration;
use strum::IntoEnumIterator as _;
use study::{Found, Lots, Seen, Trade, fitted};
use synthetic::{Noise, traced};

/// What the weights are fitted on.
const FITTED_ON: i64 = 72;
/// The window that ships: a turn of an hour and a tail of a day.
const SHIPPED: i64 = 25;
/// How long turns may last: as shipped, at most, and as long as anything is a suspect.
const TURNS: [i64; 3] = [1, 4, SHIPPED];
/// The traces by which the weight of a named file is found: half of the failures have one, six in ten of these name the culprit.
const MODERATE: Noise = Noise { traced: 0.5, true_: 0.6, others: 4 };
/// What no history shows is assumed: so surely does it speak for a change.
const ASSUMED: [(Feature, f64); 2] = [(Feature::Alike, 0.7), (Feature::RollingOut, 1.0)];

fn view(hours: i64) -> View {
    View::of(SignedDuration::from_hours(hours))
}

/// Everything that was found out.
pub struct Studied {
    pub table: Table,
    pub repositories: usize,
    pub changes: usize,
    /// By view: what is shown first is what it was fitted on.
    pub views: Vec<(&'static str, Found)>,
    /// By how many hours a turn lasts: what each threshold comes to, and paging everyone.
    pub trades: Vec<(i64, Vec<Trade>, Trade)>,
    pub among: f64,
    /// By how many other frames a trace has: the share of traces that name the culprit, and hits.
    pub curves: Vec<(usize, Vec<(f64, Measures)>)>,
}

/// Reads every history in a folder.
pub fn histories(folder: &Path) -> Result<Vec<History>, Unreadable> {
    let unreadable = |source| Unreadable::File { path: folder.to_owned(), source };
    History::all_in(folder).map_err(unreadable)?.iter().map(|path| History::read(path)).collect()
}

/// The features that histories can show.
fn shown() -> Vec<Feature> {
    let hidden =
        |feature: &Feature| *feature == Feature::NamedFile || ASSUMED.iter().any(|(known, _)| known == feature);
    Feature::iter().filter(|feature| !hidden(feature)).collect()
}

/// The weights that ship: fitted on all the histories; a named file's on synthetic traces.
pub fn weights(histories: &[History], seen: &Seen<'_>, scoped: &Seen<'_>) -> Table {
    let used = shown();
    let mut table = fitted(&[seen, scoped], None, &used);
    let lessons: Vec<Lesson> =
        examples(histories, seen, MODERATE, 7).iter().map(|(example, _)| Lesson::of(example)).collect();
    let with_files: Vec<Feature> = used.iter().copied().chain([Feature::NamedFile]).collect();
    let named = fit(&lessons, &with_files).weight(Feature::NamedFile).weight;
    table = table.with(Feature::NamedFile, Weight { weight: named, typical: 0.0 });
    for (feature, weight) in ASSUMED {
        table = table.with(feature, Weight { weight, typical: 0.0 });
    }
    table
}

fn examples<'a>(histories: &'a [History], seen: &Seen<'_>, noise: Noise, seed: u64) -> Vec<(Example, &'a History)> {
    let mut lots = Lots(seed);
    let mut all = Vec::new();
    for (history, (_, swept)) in histories.iter().zip(&seen.histories) {
        let several = swept.examples.iter().filter(|example| example.lineup.candidates.len() > 1);
        all.extend(several.map(|example| (traced(example, history, noise, &mut lots), history)));
    }
    all
}

/// The table as `weights.csv` has it.
#[must_use]
pub fn csv(table: &Table, among: f64) -> String {
    let mut text = "feature,weight,typical,source\n".to_owned();
    for feature in Feature::iter() {
        let Weight { weight, typical } = table.weight(feature);
        let assumed = ASSUMED.iter().any(|(known, _)| *known == feature);
        let source = if assumed {
            "assumed"
        } else if feature == Feature::NamedFile {
            "synthetic"
        } else {
            "fitted"
        };
        let name: &str = feature.into();
        let _ = writeln!(text, "{name},{weight:.3},{typical:.3},{source}");
    }
    let _ = writeln!(text, "none,{:.3},0.000,fitted", table.none);
    let _ = writeln!(text, "among,0.000,{among:.3},fitted");
    text
}

/// Finds everything out.
pub fn study(histories: &[History]) -> Studied {
    let seen = Seen::by(histories, view(FITTED_ON));
    let scoped = Seen::by(histories, View { scope: true, ..view(FITTED_ON) });
    let shipped = Seen::by(histories, view(SHIPPED));
    let mut table = weights(histories, &seen, &scoped);
    (table.none, table.among) = (shipped.none(&table, None), shipped.among());
    let used = shown();
    let without = |i: usize| {
        let mut table = fitted(&[&seen, &scoped], Some(i), &used);
        (table.none, table.among) = (shipped.none(&table, Some(i)), shipped.among());
        table
    };
    let tables: Vec<Table> = (0..histories.len()).map(without).collect();
    let midpoint = View { midpoint: true, ..view(FITTED_ON) };
    let among = shipped.among();
    let views = vec![
        ("72 h", seen.found(&tables)),
        ("25 h, the shipped window", shipped.found(&tables)),
        ("24 h", Seen::by(histories, view(24)).found(&tables)),
        ("168 h", Seen::by(histories, view(168)).found(&tables)),
        ("72 h, scope: the culprit's top directory", scoped.found(&tables)),
        ("72 h, the alert at the midpoint", Seen::by(histories, midpoint).found(&tables)),
    ];
    let trade = |hours: i64| {
        let turn = SignedDuration::from_hours(hours);
        let of = |i: i32| shipped.trade(&tables, f64::from(i) * 0.05, turn, false);
        (hours, (0..=18).map(of).collect(), shipped.trade(&tables, 0.0, turn, true))
    };
    let trades = TURNS.into_iter().map(trade).collect();
    let curves = [2, 6].into_iter().map(|others| (others, curve(histories, &seen, &table, others))).collect();
    Studied {
        table,
        repositories: histories.len(),
        changes: histories.iter().map(|history| history.changes.len()).sum(),
        views,
        trades,
        among,
        curves,
    }
}

/// Hits by how many traces name the culprit, every failure having one.
fn curve(histories: &[History], seen: &Seen<'_>, table: &Table, others: usize) -> Vec<(f64, Measures)> {
    let at = |rate: f64| {
        let noise = Noise { traced: 1.0, true_: rate, others };
        let all = examples(histories, seen, noise, 11);
        let outcomes: Vec<_> =
            all.iter().map(|(example, history)| Ranker::Ranked(table).outcome(example, history)).collect();
        (rate, Measures::of(&outcomes))
    };
    (0..=5).map(|i| at(f64::from(i) / 5.0)).collect()
}
