//! What is measured: each repository by weights that were found without it, the spread by bootstrap over repositories.

use std::collections::BTreeMap;

use backtest::measure::{Outcome, likelihoods, shares};
use backtest::sweep::{Lineup, Swept, View, sweep};
use backtest::{History, Measures, Ranker};
use domain::rank::{Feature, Table};
use jiff::SignedDuration;

use crate::fit::{Lesson, fit};

/// The rankers that are compared, ours first.
pub const RANKERS: [&str; 5] = ["ours", "two rules", "most recent", "largest diff", "random"];
const RESAMPLED: usize = 2_000;

/// Numbers that look random and are the same each time: SplitMix64.
pub struct Lots(pub u64);

impl Lots {
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.draw() % u64::try_from(n.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    pub fn chance(&mut self, of: f64) -> bool {
        (self.draw() >> 11) as f64 / (1u64 << 53) as f64 <= of && of > 0.0
    }
}

/// The histories as one view shows them.
pub struct Seen<'a> {
    pub histories: Vec<(&'a History, Swept)>,
}

/// Weights out of what these views show of all repositories, or of all but one.
pub fn fitted(views: &[&Seen<'_>], but: Option<usize>, used: &[Feature]) -> Table {
    let lessons: Vec<Lesson> = views.iter().flat_map(|seen| seen.lessons(but)).collect();
    fit(&lessons, used)
}

/// One incident by our ranking: how likely it said the first was, and whether it was.
pub struct Said {
    pub likelihood: f64,
    pub right: bool,
}

/// What came of one view, repository by repository.
pub struct Found {
    /// Of each ranker, of each repository, of each incident.
    pub outcomes: Vec<Vec<Vec<Outcome>>>,
    /// The share of suspicion of the first, where the culprit is among several suspects: what a ranking can be held to.
    pub said: Vec<Said>,
    /// The likelihood that is shown to people, of every incident with a suspect, also where the culprit is none of them.
    pub shown: Vec<Said>,
    pub candidates: Vec<usize>,
}

/// What a threshold of likelihood comes to.
#[derive(Clone, Copy, Default)]
pub struct Trade {
    pub threshold: f64,
    /// Incidents in which the culprit's author was paged, and first.
    pub reached: f64,
    pub first: f64,
    /// People who were paged for what was not theirs, for each incident.
    pub wrong: f64,
    /// Incidents in which the rotation was paged at once.
    pub abstained: f64,
}

impl<'a> Seen<'a> {
    pub fn by(histories: &'a [History], view: View) -> Self {
        Self { histories: histories.iter().map(|history| (history, sweep(history, view, |_| ()))).collect() }
    }

    fn lessons(&self, but: Option<usize>) -> Vec<Lesson> {
        let others = self.histories.iter().enumerate().filter(|(i, _)| Some(*i) != but);
        let examples = others.flat_map(|(_, (_, swept))| &swept.examples);
        examples.filter(|example| example.lineup.candidates.len() > 1).map(Lesson::of).collect()
    }

    /// Each repository by the table that was found without it.
    pub fn found(&self, tables: &[Table]) -> Found {
        let (said, shown, candidates) = (Vec::new(), Vec::new(), Vec::new());
        let mut found = Found { outcomes: vec![Vec::new(); RANKERS.len()], said, shown, candidates };
        for ((history, swept), table) in self.histories.iter().zip(tables) {
            let examples = || swept.examples.iter().filter(|example| example.lineup.candidates.len() > 1);
            let rankers =
                [Ranker::Ranked(table), Ranker::TwoRules, Ranker::MostRecent, Ranker::LargestDiff, Ranker::Random];
            for (outcomes, ranker) in found.outcomes.iter_mut().zip(rankers) {
                outcomes.push(examples().map(|example| ranker.outcome(example, history)).collect());
            }
            for example in &swept.examples {
                let likely = likelihoods(&example.lineup, table);
                let most = likely.iter().copied().fold(0.0, f64::max);
                found.shown.push(Said { likelihood: most, right: likely[example.culprit] >= most });
            }
            for lineup in &swept.elsewhere {
                let most = likelihoods(lineup, table).into_iter().fold(0.0, f64::max);
                found.shown.push(Said { likelihood: most, right: false });
            }
            for example in examples() {
                let shares = shares(&example.lineup, table);
                let most = shares.iter().copied().fold(0.0, f64::max);
                found.said.push(Said { likelihood: most, right: shares[example.culprit] >= most });
                found.candidates.push(example.lineup.candidates.len());
            }
        }
        found.candidates.sort_unstable();
        found
    }

    /// In how many of the incidents that had suspects the culprit was among them.
    pub fn among(&self) -> f64 {
        let (inside, outside) = self
            .histories
            .iter()
            .fold((0, 0), |(a, b), (_, swept)| (a + swept.examples.len(), b + swept.elsewhere.len()));
        inside as f64 / (inside + outside).max(1) as f64
    }

    /// What it has to score that it is none of the suspects, for as many incidents to be expected so as there are; without one repository.
    pub fn none(&self, table: &Table, but: Option<usize>) -> f64 {
        let swept: Vec<&Swept> =
            self.histories.iter().enumerate().filter(|(i, _)| Some(*i) != but).map(|(_, (_, swept))| swept).collect();
        let lineups = || swept.iter().flat_map(|s| s.examples.iter().map(|e| &e.lineup).chain(&s.elsewhere));
        // Of each lineup the logarithm of all its suspects' odds together.
        let together: Vec<f64> = lineups()
            .map(|lineup| {
                let points = lineup.facts.iter().map(|facts| domain::rank::score(facts, table).points as f64 / 1000.0);
                points.map(f64::exp).sum::<f64>().ln()
            })
            .collect();
        let outside = swept.iter().map(|swept| swept.elsewhere.len()).sum::<usize>() as f64;
        let expected = |none: f64| together.iter().map(|all| 1.0 / (1.0 + (all - none).exp())).sum::<f64>();
        // More points expect more of it: halve where it lies.
        let (mut low, mut high) = (-20.0, 20.0);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if expected(middle) < outside { low = middle } else { high = middle }
        }
        f64::midpoint(low, high)
    }

    /// Whom a policy would have paged: up to three people with a change no older than `turn`, each at least as likely as `threshold`.
    /// `everyone`: all of these.
    pub fn trade(&self, tables: &[Table], threshold: f64, turn: SignedDuration, everyone: bool) -> Trade {
        let mut trade = Trade { threshold, ..Trade::default() };
        let mut incidents = 0.0;
        let mut page = |history: &History, lineup: &Lineup, table: &Table, culprit: Option<usize>| {
            incidents += 1.0;
            let mut people: BTreeMap<&str, f64> = BTreeMap::new();
            for (i, likely) in lineup.candidates.iter().zip(likelihoods(lineup, table)) {
                *people.entry(&history.changes[*i].author).or_default() += likely;
            }
            let on_call = |person: &str| {
                let mut theirs = lineup.candidates.iter().map(|i| &history.changes[*i]).filter(|c| c.author == person);
                theirs.any(|change| lineup.at.duration_since(change.merged_at) <= turn)
            };
            let mut people: Vec<(&str, f64)> = people.into_iter().filter(|(person, _)| on_call(person)).collect();
            people.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
            if !everyone {
                people.truncate(3);
                people.retain(|(_, share)| *share >= threshold);
            }
            let whose = culprit.map(|place| history.changes[lineup.candidates[place]].author.as_str());
            let place = people.iter().position(|(person, _)| Some(*person) == whose);
            trade.reached += f64::from(u8::from(place.is_some()));
            trade.first += f64::from(u8::from(place == Some(0)));
            trade.wrong += people.len() as f64 - f64::from(u8::from(place.is_some()));
            trade.abstained += f64::from(u8::from(people.is_empty()));
        };
        for ((history, swept), table) in self.histories.iter().zip(tables) {
            swept.examples.iter().for_each(|e| page(history, &e.lineup, table, Some(e.culprit)));
            swept.elsewhere.iter().for_each(|lineup| page(history, lineup, table, None));
        }
        for of in [&mut trade.reached, &mut trade.first, &mut trade.wrong, &mut trade.abstained] {
            *of /= f64::max(incidents, 1.0);
        }
        trade
    }
}

impl Found {
    pub fn incidents(&self) -> usize {
        self.said.len()
    }

    pub fn measures(&self, ranker: usize) -> Measures {
        Measures::of(self.outcomes[ranker].iter().flatten())
    }

    /// The mean of something over incidents and its 95 % interval, by bootstrap over repositories. `of` gets the outcomes of all rankers of
    /// one incident.
    pub fn interval(&self, of: impl Fn(&[&Outcome]) -> f64) -> (f64, f64, f64) {
        let repositories = self.outcomes[0].len();
        let sums: Vec<(f64, f64)> = (0..repositories)
            .map(|r| {
                let n = self.outcomes[0][r].len();
                let value = |i: usize| of(&self.outcomes.iter().map(|ranker| &ranker[r][i]).collect::<Vec<_>>());
                ((0..n).map(value).sum(), n as f64)
            })
            .collect();
        let mean = |picked: &mut dyn Iterator<Item = (f64, f64)>| {
            let (sum, n) = picked.fold((0.0, 0.0), |(a, b), (sum, n)| (a + sum, b + n));
            sum / f64::max(n, 1.0)
        };
        let mut lots = Lots(20_261_126);
        let mut means: Vec<f64> = (0..RESAMPLED)
            .map(|_| {
                mean(&mut (0..repositories).map(|_| sums[lots.below(repositories)]).collect::<Vec<_>>().into_iter())
            })
            .collect();
        means.sort_by(f64::total_cmp);
        (mean(&mut sums.iter().copied()), means[RESAMPLED / 40], means[RESAMPLED - RESAMPLED / 40 - 1])
    }

    /// Tenths of likelihood: how many, what was said on average, how often it was right.
    #[must_use]
    pub fn reliability(said: &[Said]) -> Vec<(usize, f64, f64)> {
        let mut tenths = vec![(0, 0.0, 0.0); 10];
        for said in said {
            let tenth = &mut tenths[((said.likelihood * 10.0) as usize).min(9)];
            tenth.0 += 1;
            tenth.1 += said.likelihood;
            tenth.2 += f64::from(u8::from(said.right));
        }
        tenths.into_iter().map(|(n, said, right)| (n, said / n.max(1) as f64, right / n.max(1) as f64)).collect()
    }

    /// The expected calibration error, in ten bins.
    #[must_use]
    pub fn calibration_error(said: &[Said]) -> f64 {
        let all = said.len().max(1) as f64;
        Self::reliability(said).iter().map(|(n, said, right)| (said - right).abs() * *n as f64 / all).sum()
    }

    /// How often it says at least this, and how often it is right then.
    #[must_use]
    pub fn sure(said: &[Said], from: f64) -> (f64, f64) {
        let sure: Vec<&Said> = said.iter().filter(|said| said.likelihood >= from).collect();
        let right = sure.iter().filter(|said| said.right).count();
        (sure.len() as f64 / said.len().max(1) as f64, right as f64 / sure.len().max(1) as f64)
    }
}
