//! Whether an alert and a change speak of the same thing: words that both have and few other changes do.

use std::collections::{BTreeMap, BTreeSet};

/// Words that alerts and titles of every kind have.
const EVERYDAY: [&str; 48] = [
    "alert",
    "error",
    "errors",
    "errorrate",
    "rate",
    "high",
    "latency",
    "failed",
    "failing",
    "failure",
    "failures",
    "exception",
    "service",
    "services",
    "down",
    "unavailable",
    "timeout",
    "timeouts",
    "requests",
    "request",
    "response",
    "responses",
    "status",
    "code",
    "above",
    "below",
    "threshold",
    "percent",
    "seconds",
    "minutes",
    "last",
    "more",
    "than",
    "with",
    "from",
    "this",
    "that",
    "have",
    "been",
    "critical",
    "warning",
    "production",
    "staging",
    "test",
    "tests",
    "update",
    "merge",
    "number",
];
const SHORTEST: usize = 4;
const MOST_WORDS: usize = 12;

/// The telling words of an alert: `CheckoutErrorRate` and `checkout_errors` are about `checkout`. `but`: words that say where it belongs, and
/// so are nothing new.
#[must_use]
pub fn words(text: &str, but: &str) -> BTreeSet<String> {
    let known: BTreeSet<String> = split(but).map(str::to_lowercase).collect();
    let telling = |word: &String| word.len() >= SHORTEST && !EVERYDAY.contains(&word.as_str()) && !known.contains(word);
    split(text).map(str::to_lowercase).filter(telling).take(MOST_WORDS).collect()
}

/// The words of a text as they stand there; a new one begins at a capital after a small letter.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let chunks = text.split(|c: char| !c.is_alphanumeric());
    chunks.flat_map(|chunk| {
        let mut rest = chunk;
        std::iter::from_fn(move || {
            let bytes = rest.as_bytes();
            let hump = |at: &usize| bytes[*at].is_ascii_uppercase() && !bytes[*at - 1].is_ascii_uppercase();
            let end = (1..bytes.len()).find(hump).unwrap_or(bytes.len());
            let (word, left) = rest.split_at_checked(end).unwrap_or((rest, ""));
            rest = left;
            Some(word).filter(|word| !word.is_empty())
        })
    })
}

/// One of several.
fn one(word: &str) -> &str {
    word.strip_suffix(['s', 'S']).filter(|one| one.len() >= SHORTEST).unwrap_or(word)
}

/// For each change, by its title and files: how rare the rarest word is that it has in common with the alert, and which.
#[must_use]
pub fn alike<'a>(alert: &'a BTreeSet<String>, changes: &[(&str, &[&str])]) -> Vec<Option<(f64, &'a str)>> {
    if alert.is_empty() {
        return vec![None; changes.len()];
    }
    let shared: Vec<BTreeSet<&str>> = changes
        .iter()
        .map(|(title, paths)| {
            let all = std::iter::once(*title).chain(paths.iter().copied()).flat_map(split);
            let same = |known: &str, word: &str| one(known).eq_ignore_ascii_case(one(word));
            let known = |word: &str| alert.iter().find(|known| same(known, word)).map(String::as_str);
            all.filter(|word| word.len() >= SHORTEST).filter_map(known).collect()
        })
        .collect();
    let mut have: BTreeMap<&str, usize> = BTreeMap::new();
    shared.iter().flatten().for_each(|word| *have.entry(word).or_default() += 1);
    let rarity = |word: &str| 1.0 - super::past::share(have[word].saturating_sub(1), changes.len());
    let rarest = |words: &BTreeSet<&'a str>| {
        words.iter().map(|word| (rarity(word), *word)).max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)))
    };
    shared.iter().map(rarest).collect()
}

#[cfg(test)]
#[path = "alike_tests.rs"]
mod tests;
