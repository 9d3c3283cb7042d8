//! What came of a backtest, in words and in JSON.

use std::fmt::Write as _;

use domain::rank::words::{Told, words};
use domain::rank::{Table, score};
use jiff::SignedDuration;
use serde::Serialize;

use crate::history::History;
use crate::measure::{Measures, Outcome, Ranker, likelihoods, shares};
use crate::sweep::{Example, Lineup, Swept, View, sweep};

/// So many of the worst misses are told.
const MOST_MISSES: usize = 10;

/// How each way of putting suspects in order did on one history.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub repository: String,
    pub changes: usize,
    pub window_hours: i64,
    /// Those with at least two suspects, the culprit among them.
    pub incidents: usize,
    pub median_candidates: usize,
    /// Of all incidents with a suspect, also where the culprit is older than the window: how often people would have been shown 70 % or more, and how often that was right.
    pub sure: f64,
    pub sure_and_right: f64,
    pub ranker: Measures,
    pub two_rules: Measures,
    pub most_recent: Measures,
    pub largest_diff: Measures,
    pub random: Measures,
    pub worst_misses: Vec<Miss>,
}

/// An incident in which the culprit was far from first.
#[derive(Debug, Clone, Serialize)]
pub struct Miss {
    pub incident: String,
    pub place: usize,
    pub of: usize,
    pub culprit: String,
    pub title: String,
    pub likelihood: f64,
    /// What speaks for and against it, the weightiest first.
    pub evidence: Vec<String>,
    /// What was put first instead.
    pub first: String,
}

/// Walks through a history and measures. `progress` hears how many changes are done.
pub fn backtest(history: &History, window: SignedDuration, table: &Table, progress: impl FnMut(usize)) -> Report {
    let swept = sweep(history, View::of(window), progress);
    let examples: Vec<&Example> = swept.examples.iter().filter(|e| e.lineup.candidates.len() > 1).collect();
    let outcomes =
        |ranker: Ranker<'_>| -> Vec<Outcome> { examples.iter().map(|e| ranker.outcome(e, history)).collect() };
    let measures = |ranker| Measures::of(&outcomes(ranker));
    let mut sizes: Vec<usize> = examples.iter().map(|example| example.lineup.candidates.len()).collect();
    sizes.sort_unstable();
    let (sure, right, all) = sure(&swept, table);
    Report {
        repository: history.name.clone(),
        changes: history.changes.len(),
        window_hours: window.as_hours(),
        incidents: examples.len(),
        median_candidates: sizes.get(sizes.len() / 2).copied().unwrap_or(0),
        sure: sure / all.max(1.0),
        sure_and_right: right / sure.max(1.0),
        ranker: measures(Ranker::Ranked(table)),
        two_rules: measures(Ranker::TwoRules),
        most_recent: measures(Ranker::MostRecent),
        largest_diff: measures(Ranker::LargestDiff),
        random: measures(Ranker::Random),
        worst_misses: misses(&examples, history, table),
    }
}

/// How often people would have been shown 70 % or more, how often that was right, and of how many incidents.
fn sure(swept: &Swept, table: &Table) -> (f64, f64, f64) {
    let most = |lineup: &Lineup| {
        let likely = likelihoods(lineup, table);
        let most = likely.iter().copied().fold(0.0, f64::max);
        (most >= 0.7, most, likely)
    };
    let (mut sure, mut right, mut all) = (0.0, 0.0, 0.0);
    for example in &swept.examples {
        let (is_sure, most, likely) = most(&example.lineup);
        all += 1.0;
        sure += f64::from(u8::from(is_sure));
        right += f64::from(u8::from(is_sure && likely[example.culprit] >= most));
    }
    for lineup in &swept.elsewhere {
        all += 1.0;
        sure += f64::from(u8::from(most(lineup).0));
    }
    (sure, right, all)
}

fn misses(examples: &[&Example], history: &History, table: &Table) -> Vec<Miss> {
    let place = |example: &Example| {
        let shares = shares(&example.lineup, table);
        let own = shares[example.culprit];
        (shares.iter().filter(|share| **share > own).count() + 1, own, shares)
    };
    let mut all: Vec<(usize, f64, &Example)> = examples.iter().map(|e| (place(e).0, place(e).1, *e)).collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.total_cmp(&b.1)).then(a.2.lineup.id.cmp(&b.2.lineup.id)));
    let miss = |(nth, likelihood, example): (usize, f64, &Example)| {
        let lineup = &example.lineup;
        let named = |i: usize| {
            let change = &history.changes[lineup.candidates[i]];
            (change.commit.chars().take(10).collect::<String>(), change.title.chars().take(100).collect::<String>())
        };
        let (_, _, shares) = place(example);
        let first = (0..shares.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap_or_default();
        let (culprit, title) = named(example.culprit);
        let (first, first_title) = named(first);
        let mut parts = score(&lineup.facts[example.culprit], table).parts;
        parts.sort_by_key(|part| std::cmp::Reverse(part.points.abs()));
        let age = format!("{} h", example.age.as_hours());
        let told = Told { age: &age, ..Told::default() };
        let evidence = parts.iter().filter(|part| part.points != 0).take(4);
        let line = |part| format!("{} ({:+.1})", words(part, told), points(part.points));
        Miss {
            incident: lineup.id.clone(),
            place: nth,
            of: lineup.candidates.len(),
            culprit,
            title,
            likelihood,
            evidence: evidence.map(line).collect(),
            first: format!("{first} {first_title}"),
        }
    };
    all.into_iter().filter(|(nth, _, _)| *nth > 1).take(MOST_MISSES).map(miss).collect()
}

fn points(thousandths: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "thousandths of a logarithm")]
    let points = thousandths as f64 / 1000.0;
    points
}

impl Report {
    /// What a person reads.
    #[must_use]
    pub fn words(&self) -> String {
        let mut said = format!(
            "{}: {} changes, {} incidents with two suspects or more in {} h before the revert (median {} suspects).\n",
            self.repository, self.changes, self.incidents, self.window_hours, self.median_candidates
        );
        if self.incidents == 0 {
            said.push_str("Nothing to measure: no change of the main line was reverted within that time, as far as the reverts say what they take back.\n");
            return said;
        }
        said.push_str("\n                  culprit is  first  of 3   of 5    MRR   its author asked first  of 3\n");
        let all = [
            ("ours", &self.ranker),
            ("two rules", &self.two_rules),
            ("most recent", &self.most_recent),
            ("largest diff", &self.largest_diff),
            ("random", &self.random),
        ];
        for (name, m) in all {
            let _ = writeln!(
                said,
                "  {name:<25} {:>6.3} {:>6.3} {:>6.3} {:>6.3} {:>20.3} {:>8.3}",
                m.hit_at_1, m.hit_at_3, m.hit_at_5, m.mrr, m.person_hit_at_1, m.person_hit_at_3
            );
        }
        let _ = writeln!(
            said,
            "\nIn {:.0} % of all incidents people would have been shown 70 % or more, and that was right in {:.0} % of these.",
            self.sure * 100.0,
            self.sure_and_right * 100.0
        );
        if !self.worst_misses.is_empty() {
            said.push_str("\nThe worst misses:\n");
        }
        for miss in &self.worst_misses {
            let _ = writeln!(
                said,
                "  {}: the culprit {} was number {} of {}, at {:.0} %: {}\n      {}\n      first was {}",
                miss.incident,
                miss.culprit,
                miss.place,
                miss.of,
                miss.likelihood * 100.0,
                miss.title,
                miss.evidence.join("; "),
                miss.first
            );
        }
        said.push_str(
            "\nA revert stands for an incident and merging for going live; the alert's own text, which real alerts have, is missing here.\n",
        );
        said
    }
}
