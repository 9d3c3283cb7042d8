//! What a service's past says: which directories held changes that had to be taken back, who knows which
//! files, how old the changes are that break it, how often its incidents were one of its suspects.
//!
//! Small and bounded: counts under fingerprints, no names. A change is counted once, in the transaction by which it leaves
//! the working set; those that are still in it are added when somebody asks. So the order in which they came does not matter.
//! Deliberately absent: a record of persons. Whose changes had to be taken back is not counted.

mod sketch;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use sketch::{Counts, Marks};

/// After so many changes the older half of what is known counts half.
const ROLLS_AT: u32 = 20_000;
/// As many changes' worth of doubt stands against what a directory has shown.
const DOUBT: f64 = 20.0;
/// As many incidents' worth of doubt stands against what a service's own incidents have shown, so that it can only bend what holds
/// everywhere.
const DOUBT_OF_INCIDENTS: f64 = 10.0;
/// The average logarithm of a culprit's age in hours (plus one), on the development histories.
const USUAL_PACE: f64 = 1.64;
/// So far, at most, a service's pace bends the weight of age.
pub const MOST_PACE: f64 = 0.5;
/// However often it was none of the suspects, so many of its next incidents are taken to be one.
const FEWEST_AMONG: f64 = 0.5;
/// Before so many changes are known, nobody is new to a file, and no folder is better than another.
const FEWEST: u32 = 10;
/// Of how many of a change's files the past is asked.
pub const MOST_FILES: usize = 100;

/// The past of one service, or of one repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Changes that are counted here.
    #[serde(default)]
    changes: u32,
    /// How many of them were taken back.
    #[serde(default)]
    reverted: u32,
    #[serde(default)]
    directories: Counts,
    /// Who touched which file.
    #[serde(default)]
    known: Marks<16384>,
    /// What was reverted, by its title.
    #[serde(default)]
    titles: Marks<4096>,
    /// Incidents of which it is known which change it was, and how old these changes were: thousandths of ln(1 + hours), summed.
    #[serde(default)]
    culprits: u32,
    #[serde(default)]
    ages: u64,
    /// Incidents of which somebody said that it was none of the suspects.
    #[serde(default)]
    others: u32,
}

/// What the past says of one change, by what had landed before it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Traits {
    /// How much oftener than usual changes of its worst directory had to be taken back: a natural logarithm.
    pub directory: Option<f64>,
    /// Of how many of its files its author had touched before: a share.
    pub familiarity: Option<f64>,
    /// A change of this title was taken back before.
    pub returns: bool,
}

/// What is asked about one change, and counted of it.
#[derive(Clone, Copy)]
pub struct Touches<'a> {
    pub author: &'a str,
    pub title: &'a str,
    /// The first [`MOST_FILES`] of them count. Empty: not known.
    pub paths: &'a [&'a str],
}

impl Touches<'_> {
    fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().take(MOST_FILES).copied()
    }

    /// Each directory once.
    fn directories(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.paths().map(directory).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// A title without the number that a squash puts at its end, in one letter case.
fn bare(title: &str) -> String {
    let title = title.trim_end();
    let numbered = title.rsplit_once(" (#").filter(|(_, end)| end.ends_with(')'));
    numbered.map_or(title, |(start, _)| start).trim_end().to_ascii_lowercase()
}

impl Past {
    /// What is known of a change by what had landed before it.
    #[must_use]
    pub fn traits(&self, of: Touches<'_>) -> Traits {
        let returns = self.has_taken_back(of.title);
        let files = of.paths().count();
        if files == 0 || self.changes < FEWEST {
            return Traits { returns, ..Traits::default() };
        }
        let usual = self.usual();
        let rate = |(changes, reverted): (u16, u16)| {
            let smoothed = (f64::from(reverted) + usual * DOUBT) / (f64::from(changes) + DOUBT);
            (smoothed / usual).ln()
        };
        let known = of.paths().filter(|path| self.known.has(&[of.author, path])).count();
        Traits {
            directory: of
                .directories()
                .into_iter()
                .map(|directory| rate(self.directories.of(directory)))
                .reduce(f64::max),
            familiarity: Some(share(known, files)),
            returns,
        }
    }

    /// How many of a hundred changes are taken back, as far as is known.
    fn usual(&self) -> f64 {
        (f64::from(self.reverted) + 1.0) / (f64::from(self.changes) + 50.0)
    }

    /// Counts a change that landed. A revert is not counted as a change, but its author has touched the files.
    pub fn landed(&mut self, change: Touches<'_>, is_revert: bool) {
        for path in change.paths() {
            self.known.put(&[change.author, path]);
        }
        if is_revert {
            return;
        }
        self.changes = self.changes.saturating_add(1);
        change.directories().into_iter().for_each(|directory| self.directories.changed(directory));
        if self.changes >= ROLLS_AT {
            self.roll();
        }
    }

    /// Counts that a change, which landed, was taken back.
    pub fn taken_back(&mut self, change: Touches<'_>) {
        self.reverted = self.reverted.saturating_add(1);
        change.directories().into_iter().for_each(|directory| self.directories.reverted(directory));
        self.titles.put(&[&bare(change.title)]);
    }

    /// Whether something of this title was taken back, of late.
    #[must_use]
    pub fn has_taken_back(&self, title: &str) -> bool {
        self.titles.has(&[&bare(title)])
    }

    /// Counts an incident of which it is known that a change of this age caused it.
    pub fn caused(&mut self, age: SignedDuration) {
        self.culprits = self.culprits.saturating_add(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a logarithm of hours is small and not negative"
        )]
        let thousandths = (ln_hours(age) * 1000.0).round() as u64;
        self.ages = self.ages.saturating_add(thousandths);
    }

    /// Counts an incident that was none of its suspects.
    pub fn caused_by_none(&mut self) {
        self.others = self.others.saturating_add(1);
    }

    /// How much older than elsewhere the changes are that break this service; bounded by [`MOST_PACE`].
    #[must_use]
    pub fn pace(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a sum of small numbers")]
        let sum = self.ages as f64 / 1000.0;
        let mean = (sum + USUAL_PACE * DOUBT_OF_INCIDENTS) / (f64::from(self.culprits) + DOUBT_OF_INCIDENTS);
        (mean - USUAL_PACE).clamp(-MOST_PACE, MOST_PACE)
    }

    /// How many of this service's incidents were one of the suspects: what holds elsewhere, bent by its own.
    #[must_use]
    pub fn among(&self, usual: f64) -> f64 {
        let judged = f64::from(self.culprits) + f64::from(self.others);
        let among = (f64::from(self.culprits) + usual * DOUBT_OF_INCIDENTS) / (judged + DOUBT_OF_INCIDENTS);
        among.max(FEWEST_AMONG)
    }

    /// Incidents that are judged: of how many it was a suspect, of how many none.
    #[must_use]
    pub fn judged(&self) -> (u32, u32) {
        (self.culprits, self.others)
    }

    /// Changes that are counted, and how many of them were taken back.
    #[must_use]
    pub fn counted(&self) -> (u32, u32) {
        (self.changes, self.reverted)
    }

    fn roll(&mut self) {
        self.changes /= 2;
        self.reverted /= 2;
        self.directories.halve();
    }
}

/// ln(1 + hours): what ages are reckoned in.
#[must_use]
pub fn ln_hours(age: SignedDuration) -> f64 {
    (age.as_secs_f64().max(0.0) / 3600.0).ln_1p()
}

pub(super) fn share(part: usize, whole: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of files")]
    let share = part as f64 / whole.max(1) as f64;
    share
}

#[cfg(test)]
#[path = "past_tests.rs"]
mod tests;
