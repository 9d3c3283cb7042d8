//! How long a ranking takes: printed, never a test.

use std::time::Instant;

use domain::change::Size;
use domain::rank::facts::scores;
use domain::rank::{Candidate, Past, Table, probability};
use jiff::{SignedDuration, Timestamp};

/// Ranks a thousand changes, many times: the median.
#[must_use]
pub fn told() -> String {
    const CHANGES: i64 = 1_000;
    const TIMES: usize = 200;
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365);
    let authors: Vec<String> = (0..40).map(|i| format!("author {i}")).collect();
    let candidate = |i: i64| {
        let since = at - SignedDuration::from_mins(i);
        let nth = usize::try_from(i).unwrap_or(0);
        Candidate {
            since,
            merged: (since, nth),
            author: &authors[nth % authors.len()],
            title: "Fix: the cart counts again",
            paths: &["shop/cart/views.py", "shop/cart/models.py", "docs/cart.md"],
            size: Some(Size { files: 3, added: 100, deleted: 10 }),
            commits: Some(2),
            named: Some(0.5),
            ..Candidate::default()
        }
    };
    let all: Vec<Candidate<'_>> = (0..CHANGES).map(candidate).collect();
    let (past, table) = (Past::default(), Table::shipped());
    let mut taken: Vec<u128> = (0..TIMES)
        .map(|_| {
            #[expect(clippy::disallowed_methods, reason = "a stopwatch")]
            let begun = Instant::now();
            let scores = scores(&all, &past, at, table);
            let shares = probability::shares(&scores.iter().map(|score| score.points).collect::<Vec<_>>());
            assert_eq!(shares.len(), all.len());
            begun.elapsed().as_micros()
        })
        .collect();
    taken.sort_unstable();
    format!("{CHANGES} candidates are ranked in {} us (median of {TIMES})", taken[TIMES / 2])
}
