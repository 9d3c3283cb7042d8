//! What a score must be, whatever the changes are.

use jiff::SignedDuration;
use proptest::prelude::*;
use strum::IntoEnumIterator as _;

use super::*;
use crate::rank::probability::shares;

/// A change as numbers: hours live, author, title, flags, past, size.
type Made = (u32, u8, u8, [bool; 4], Option<(f64, f64)>, Option<u64>, Option<f64>);

fn made() -> impl Strategy<Value = Made> {
    (
        0..2_000u32,
        0..4u8,
        0..3u8,
        any::<[bool; 4]>(),
        proptest::option::of((-2.0..2.0f64, 0.0..1.0f64)),
        proptest::option::of(0..100_000u64),
        proptest::option::of(0.0..1.0f64),
    )
}

const AUTHORS: [&str; 4] = ["ann", "ben", "cid", "dee"];
const TITLES: [&str; 3] = ["Add a thing", "fix: a thing", "Bump a thing"];

fn at() -> Timestamp {
    Timestamp::from_second(1_770_000_000).unwrap()
}

fn candidate(nth: usize, made: &Made) -> Candidate<'static> {
    let (minutes, author, title, [reverts, again, back, machine], past, lines, named) = made;
    let since = at() - SignedDuration::from_mins(i64::from(*minutes));
    Candidate {
        since,
        merged: (since, nth),
        author: AUTHORS[usize::from(*author)],
        title: TITLES[usize::from(*title)],
        lands_again: reverts.then_some(*again),
        taken_back: *back,
        traits: Traits {
            directory: past.map(|(rate, _)| rate),
            familiarity: past.map(|(_, share)| share),
            returns: false,
        },
        paths: &["a/b.py"],
        size: lines.map(|added| Size { files: 1, added, deleted: 0 }),
        commits: lines.map(|n| u32::try_from(n % 9).unwrap()),
        by_machine: *machine,
        named: *named,
        alike: None,
        rolling_out: false,
    }
}

fn points(candidates: &[Candidate<'_>], past: &Past) -> Vec<i64> {
    scores(candidates, past, at(), Table::shipped()).into_iter().map(|score| score.points).collect()
}

#[test]
fn a_change_lands_again_where_it_says_so_or_where_its_title_was_taken_back() {
    let lands = |says: Option<bool>, returns: bool| {
        let mut one = candidate(0, &(10, 0, 0, [false; 4], None, None, None));
        (one.lands_again, one.traits.returns) = (says, returns);
        let facts = facts(&[one], &Past::default(), at());
        (facts[0].get(Feature::LandsAgain), facts[0].get(Feature::IsRevert))
    };
    let (yes, no) = (Some(1.0), Some(0.0));
    assert_eq!(lands(Some(true), false), (yes, no));
    assert_eq!(lands(Some(true), true), (yes, no));
    assert_eq!(lands(None, true), (yes, no));
    assert_eq!(lands(None, false), (no, no));
    assert_eq!(lands(Some(false), true), (no, yes), "a revert is none");
}

fn slow() -> Past {
    let mut past = Past::default();
    (0..500).for_each(|_| past.caused(SignedDuration::from_hours(200)));
    past
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_order_in_which_changes_are_given_does_not_matter(
        (made, order) in proptest::collection::vec(made(), 1..12).prop_flat_map(|made| {
            let order: Vec<usize> = (0..made.len()).collect();
            (Just(made), Just(order).prop_shuffle())
        })
    ) {
        let given: Vec<Candidate<'_>> = made.iter().enumerate().map(|(i, made)| candidate(i, made)).collect();
        let shuffled: Vec<Candidate<'_>> = order.iter().map(|i| given[*i].clone()).collect();
        let (a, b) = (points(&given, &slow()), points(&shuffled, &slow()));
        for (place, i) in order.iter().enumerate() {
            prop_assert_eq!(a[*i], b[place]);
        }
        let (a, b) = (shares(&a), shares(&b));
        for (place, i) in order.iter().enumerate() {
            prop_assert_eq!(a[*i].to_bits(), b[place].to_bits());
        }
    }

    #[test]
    fn being_live_for_longer_never_raises_suspicion(
        made in proptest::collection::vec(made(), 1..12), of in any::<prop::sample::Index>(), longer in 1..5_000u32
    ) {
        let given: Vec<Candidate<'_>> = made.iter().enumerate().map(|(i, made)| candidate(i, made)).collect();
        let of = of.index(given.len());
        for past in [Past::default(), slow()] {
            let before = points(&given, &past)[of];
            let mut older = given.clone();
            older[of].since -= SignedDuration::from_mins(i64::from(longer));
            prop_assert!(points(&older, &past)[of] <= before);
        }
    }

    #[test]
    fn the_parts_add_up_to_the_score_and_the_shares_to_one(made in proptest::collection::vec(made(), 1..40)) {
        let given: Vec<Candidate<'_>> = made.iter().enumerate().map(|(i, made)| candidate(i, made)).collect();
        let scores = scores(&given, &slow(), at(), Table::shipped());
        for score in &scores {
            prop_assert_eq!(score.points, score.parts.iter().map(|part| part.points).sum::<i64>());
        }
        let sum: f64 = shares(&scores.iter().map(|score| score.points).collect::<Vec<_>>()).into_iter().sum();
        prop_assert!((sum - 1.0).abs() < 1e-9);
    }
}

#[test]
fn the_weights_that_ship_are_whole_and_say_what_they_must() {
    let table = Table::parse(include_str!("weights.csv")).unwrap();
    let weight = |feature| table.weight(feature).weight;
    // However slow a service is, age never speaks for a change.
    assert!(weight(Feature::Age) + crate::rank::past::MOST_PACE * weight(Feature::Pace).abs() <= 0.0);
    for feature in [Feature::Newer, Feature::IsRevert, Feature::TakenBack, Feature::LaterByAuthor] {
        assert!(weight(feature) < 0.0, "{feature:?}");
    }
    assert!(weight(Feature::NamedFile) > 0.0 && (0.5..1.0).contains(&table.among));
    assert!(Feature::iter().all(|feature| weight(feature).abs() < 10.0));
}

#[test]
fn a_table_that_is_not_whole_is_refused() {
    use crate::rank::table::Unusable;
    assert_eq!(Table::parse("feature\nage,1"), Err(Unusable::Line { line: 2 }));
    assert_eq!(Table::parse("feature\nage,1,nan,x"), Err(Unusable::Line { line: 2 }));
    assert_eq!(Table::parse("feature\nsize,1,0,x"), Err(Unusable::Line { line: 2 }));
    assert_eq!(Table::parse("feature\nage,1,0,x"), Err(Unusable::Missing("pace")));
}

#[test]
fn of_what_went_live_together_the_later_merged_came_later() {
    let together = |nth: usize, author: &'static str, merged: i64| Candidate {
        since: at(),
        merged: (at() + SignedDuration::from_mins(merged), nth),
        author,
        ..Candidate::default()
    };
    let given = [together(0, "ann", 2), together(1, "ann", 1), together(2, "ben", 3)];
    let found: Vec<(Option<f64>, Option<f64>)> = facts(&given, &Past::default(), at())
        .iter()
        .map(|facts| (facts.get(Feature::Newer).map(f64::exp_m1), facts.get(Feature::LaterByAuthor).map(f64::exp_m1)))
        .map(|(newer, own)| (newer.map(f64::round), own.map(f64::round)))
        .collect();
    assert_eq!(found, [(Some(1.0), Some(0.0)), (Some(2.0), Some(1.0)), (Some(0.0), Some(0.0))]);
}

#[test]
fn documents_and_mending_are_known_by_their_names() {
    for path in ["README", "docs/setup.py", "a/b.MD", "app/x.scss", "CHANGELOG.rst"] {
        assert!(is_document(path), "{path}");
    }
    for path in ["docs.py", "a/readme_view.py", "Makefile", "x.json"] {
        assert!(!is_document(path), "{path}");
    }
    assert!(says_fix("Fix: login") && says_fix("a hotfix") && !says_fix("prefix the suffix"));
}

#[test]
fn a_minute_more_does_not_round_up() {
    // Where age hardly counts, age and pace rounded by themselves added up to one more.
    let made = |minutes| (minutes, 0, 0, [false; 4], None, None, None);
    let points = |minutes| {
        let all = [made(0), made(minutes), made(0)];
        let given: Vec<Candidate<'_>> = all.iter().enumerate().map(|(i, made)| candidate(i, made)).collect();
        points(&given, &slow())[1]
    };
    assert!((1..3_000).all(|minutes| points(minutes + 1) <= points(minutes)));
}
