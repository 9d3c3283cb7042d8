//! How often the culprit came first: hits among the first one, three and five, and the mean reciprocal rank. Ties count by
//! expectation, as if they were broken by lot. By person: whether somebody who is asked is the culprit's author.

use std::collections::BTreeMap;

use domain::rank::{Past, Table, probability, score};
use serde::Serialize;

use crate::history::History;
use crate::sweep::{Example, Lineup};

/// How suspects can be put in order.
#[derive(Debug, Clone, Copy)]
pub enum Ranker<'a> {
    /// Ours.
    Ranked(&'a Table),
    /// The most recent first; reverts, and what is reverted already, last.
    TwoRules,
    MostRecent,
    LargestDiff,
    Random,
}

/// How one way of putting in order did on one failure.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Outcome {
    pub hits: [f64; 3],
    pub reciprocal: f64,
    pub person_hits: [f64; 2],
}

/// The averages over failures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Measures {
    pub hit_at_1: f64,
    pub hit_at_3: f64,
    pub hit_at_5: f64,
    pub mrr: f64,
    pub person_hit_at_1: f64,
    pub person_hit_at_3: f64,
}

impl Measures {
    pub fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let (mut sum, mut n) = (Self::default(), 0.0);
        for outcome in outcomes {
            sum.hit_at_1 += outcome.hits[0];
            sum.hit_at_3 += outcome.hits[1];
            sum.hit_at_5 += outcome.hits[2];
            sum.mrr += outcome.reciprocal;
            sum.person_hit_at_1 += outcome.person_hits[0];
            sum.person_hit_at_3 += outcome.person_hits[1];
            n += 1.0;
        }
        let n = f64::max(n, 1.0);
        Self {
            hit_at_1: sum.hit_at_1 / n,
            hit_at_3: sum.hit_at_3 / n,
            hit_at_5: sum.hit_at_5 / n,
            mrr: sum.mrr / n,
            person_hit_at_1: sum.person_hit_at_1 / n,
            person_hit_at_3: sum.person_hit_at_3 / n,
        }
    }
}

impl Ranker<'_> {
    /// How suspicious each candidate is: only the order counts, and what is equal is equal.
    fn suspicion(self, lineup: &Lineup, history: &History) -> Vec<f64> {
        let nth = || 0..lineup.candidates.len();
        match self {
            Self::Ranked(table) => shares(lineup, table),
            Self::TwoRules => nth().map(|i| place(i) - if lineup.last[i] { 1e9 } else { 0.0 }).collect(),
            Self::MostRecent => nth().map(place).collect(),
            Self::LargestDiff => lineup.candidates.iter().map(|i| large(history.changes[*i].lines)).collect(),
            Self::Random => vec![0.0; lineup.candidates.len()],
        }
    }

    #[must_use]
    pub fn outcome(self, example: &Example, history: &History) -> Outcome {
        let lineup = &example.lineup;
        let suspicion = self.suspicion(lineup, history);
        let (better, tied) = standing(&suspicion, example.culprit);
        let mut people: BTreeMap<&str, f64> = BTreeMap::new();
        for (i, suspicion) in lineup.candidates.iter().zip(&suspicion) {
            // A person is as suspicious as all their changes together, where that can be said; else as the worst of them.
            let person = people.entry(&history.changes[*i].author).or_insert(f64::MIN);
            let sums = matches!(self, Self::Ranked(_)) && *person > f64::MIN;
            *person = if sums { *person + suspicion } else { person.max(*suspicion) };
        }
        let author = history.changes[lineup.candidates[example.culprit]].author.as_str();
        let whose = people.keys().position(|person| *person == author).unwrap_or_default();
        let people: Vec<f64> = people.into_values().collect();
        let (better_people, tied_people) = standing(&people, whose);
        Outcome {
            hits: [1, 3, 5].map(|k| hit(better, tied, k)),
            reciprocal: (better..better + tied).map(|rank| 1.0 / count(rank + 1)).sum::<f64>() / count(tied),
            person_hits: [1, 3].map(|k| hit(better_people, tied_people, k)),
        }
    }
}

/// How likely it is each candidate, as people are shown it.
#[must_use]
pub fn likelihoods(lineup: &Lineup, table: &Table) -> Vec<f64> {
    let points: Vec<i64> = lineup.facts.iter().map(|facts| score(facts, table).points).collect();
    probability::likelihoods(&points, table.none_of(&Past::default()))
}

/// The share of suspicion of each candidate.
#[must_use]
pub fn shares(lineup: &Lineup, table: &Table) -> Vec<f64> {
    let points: Vec<i64> = lineup.facts.iter().map(|facts| score(facts, table).points).collect();
    probability::shares(&points)
}

/// How many are more suspicious than this one, and how many are as suspicious, itself included.
fn standing(suspicion: &[f64], of: usize) -> (usize, usize) {
    let own = suspicion[of];
    let close = |other: f64| (other - own).abs() <= 1e-12;
    let better = suspicion.iter().filter(|other| **other > own && !close(**other)).count();
    (better, suspicion.iter().filter(|other| close(**other)).count())
}

/// How likely one of so many that are tied is among the first `k`.
fn hit(better: usize, tied: usize, k: usize) -> f64 {
    (count(k.saturating_sub(better)) / count(tied)).min(1.0)
}

fn place(i: usize) -> f64 {
    count(i)
}

fn count(n: usize) -> f64 {
    large(u64::try_from(n).unwrap_or(u64::MAX))
}

fn large(n: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of changes and lines")]
    let n = n as f64;
    n
}
