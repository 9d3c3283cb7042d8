//! What is known of the changes that may have caused a failure, feature by feature.

use std::collections::BTreeMap;

use jiff::Timestamp;
use strum::{EnumCount as _, IntoEnumIterator as _};

use super::past::{Past, Traits, ln_hours};
use super::{Feature, Score, Table, score};
use crate::change::Size;

/// One change that was in front of users when something broke.
#[derive(Debug, Clone, Default)]
pub struct Candidate<'a> {
    /// Since when it is live.
    pub since: Timestamp,
    /// When it was merged, and its place among those that were merged at the same time: orders what went live together.
    pub merged: (Timestamp, usize),
    pub author: &'a str,
    pub title: &'a str,
    /// It takes something back, or (`true`) lands it again.
    pub lands_again: Option<bool>,
    /// What takes it back is live already.
    pub taken_back: bool,
    pub traits: Traits,
    /// Empty: not known.
    pub paths: &'a [&'a str],
    pub size: Option<Size>,
    pub commits: Option<u32>,
    pub by_machine: bool,
    /// How surely the alert names one of its files: 0 to 1.
    pub named: Option<f64>,
    /// How surely the alert speaks of the same thing: 0 to 1.
    pub alike: Option<f64>,
    /// The failure began while only a part of its users had it.
    pub rolling_out: bool,
}

/// What is known of one change: a value for each feature.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Facts([Option<f64>; Feature::COUNT]);

impl Facts {
    pub fn set(&mut self, feature: Feature, value: impl Into<Option<f64>>) {
        self.0[feature as usize] = value.into();
    }

    #[must_use]
    pub fn get(&self, feature: Feature) -> Option<f64> {
        self.0[feature as usize]
    }

    pub fn known(&self) -> impl Iterator<Item = (Feature, f64)> {
        Feature::iter().filter_map(|feature| Some((feature, self.get(feature)?)))
    }
}

/// The facts of these changes about a failure that began at `at`, in the order in which they are given.
#[must_use]
pub fn facts(candidates: &[Candidate<'_>], past: &Past, at: Timestamp) -> Vec<Facts> {
    let standing = standing(candidates);
    let pace = past.pace();
    let each = candidates.iter().zip(standing);
    each.map(|(candidate, (newer, by_author))| {
        let age = ln_hours(at.duration_since(candidate.since));
        let mut facts = of_itself(candidate);
        facts.set(Feature::Age, age);
        facts.set(Feature::Pace, age * pace);
        facts.set(Feature::Newer, newer.ln_1p());
        facts.set(Feature::LaterByAuthor, by_author.ln_1p());
        facts
    })
    .collect()
}

/// The scores of these changes, in the order in which they are given.
#[must_use]
pub fn scores(candidates: &[Candidate<'_>], past: &Past, at: Timestamp, table: &Table) -> Vec<Score> {
    facts(candidates, past, at).iter().map(|facts| score(facts, table)).collect()
}

/// How many came after each, and how many of these are of its author. Of those that went live together the one that was
/// merged later came later.
fn standing(candidates: &[Candidate<'_>]) -> Vec<(f64, f64)> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse((candidates[*i].since, candidates[*i].merged)));
    let mut found = vec![(0.0, 0.0); candidates.len()];
    let mut by_author: BTreeMap<&str, f64> = BTreeMap::new();
    for (newer, i) in order.into_iter().enumerate() {
        let later = by_author.entry(candidates[i].author).or_default();
        found[i] = (count(newer), *later);
        *later += 1.0;
    }
    found
}

fn of_itself(candidate: &Candidate<'_>) -> Facts {
    let yes = |is: bool| f64::from(u8::from(is));
    let mut facts = Facts::default();
    let lands_again =
        candidate.lands_again == Some(true) || candidate.traits.returns && candidate.lands_again.is_none();
    facts.set(Feature::IsRevert, yes(candidate.lands_again == Some(false)));
    facts.set(Feature::TakenBack, yes(candidate.taken_back));
    facts.set(Feature::LandsAgain, yes(lands_again));
    facts.set(Feature::DirectoryReverts, candidate.traits.directory);
    facts.set(Feature::Familiarity, candidate.traits.familiarity);
    let only_documents = || candidate.paths.iter().all(|path| is_document(path));
    facts.set(Feature::OnlyDocuments, (!candidate.paths.is_empty()).then(|| yes(only_documents())));
    facts.set(Feature::SaysFix, yes(says_fix(candidate.title)));
    facts.set(Feature::Commits, candidate.commits.map(|n| f64::from(n.max(1)).ln()));
    facts.set(Feature::Lines, candidate.size.map(|size| large(size.added.saturating_add(size.deleted)).ln_1p()));
    facts.set(Feature::ByMachine, yes(candidate.by_machine));
    facts.set(Feature::NamedFile, candidate.named);
    facts.set(Feature::Alike, candidate.alike);
    facts.set(Feature::RollingOut, yes(candidate.rolling_out));
    facts
}

pub(super) fn count(n: usize) -> f64 {
    large(u64::try_from(n).unwrap_or(u64::MAX))
}

fn large(n: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "its logarithm is taken")]
    let n = n as f64;
    n
}

/// What nobody runs: prose, pictures, fonts, styles.
const DOCUMENTS: [&str; 23] = [
    "md", "txt", "rst", "adoc", "png", "jpg", "jpeg", "gif", "svg", "ico", "css", "scss", "sass", "less", "woff",
    "woff2", "ttf", "eot", "pdf", "csv", "webp", "markdown", "mdx",
];
const DOCUMENT_NAMES: [&str; 5] = ["readme", "license", "changelog", "codeowners", "authors"];

fn is_document(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let one_of = |list: &[&str], word: &str| list.iter().any(|known| known.eq_ignore_ascii_case(word));
    let in_docs = path.split('/').rev().skip(1).any(|folder| one_of(&["doc", "docs"], folder));
    in_docs || one_of(&DOCUMENTS, extension) || one_of(&DOCUMENT_NAMES, stem)
}

fn says_fix(title: &str) -> bool {
    const WORDS: [&str; 8] = ["fix", "fixes", "fixed", "fixing", "hotfix", "bug", "bugfix", "typo"];
    let mut words = title.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
