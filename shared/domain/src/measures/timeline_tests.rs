//! Before and after a day.

use super::*;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn deployments(deployments: u32) -> Tally {
    Tally { deployments, ..Tally::default() }
}

/// From January to May, of which there are roll-ups by month; from 10 March on also by day.
fn known() -> Timeline {
    let mut known = Timeline::default();
    for (month, n) in
        [("2026-01-01", 1), ("2026-02-01", 10), ("2026-03-01", 100), ("2026-04-01", 1000), ("2026-05-01", 10_000)]
    {
        known.note(Period::Month(Month::of(day(month))), deployments(n));
    }
    for (date, n) in [("2026-03-10", 20), ("2026-03-19", 30), ("2026-03-20", 40), ("2026-03-31", 5)] {
        known.note(Period::Day(day(date)), deployments(n));
    }
    known
}

/// The cut; what was counted before and after it, each with its days.
fn cohorts(cut: &str, from: &str, today: &str, days_since: &str) -> (String, (u32, u64), (u32, u64)) {
    let found = known().cohorts(day(cut), Month::of(day(from)), day(today), day(days_since));
    let of = |(tally, days): &(Tally, u64)| (tally.deployments, *days);
    (found.cut.to_string(), of(&found.before), of(&found.after))
}

#[test]
fn the_month_that_is_cut_is_counted_by_its_days() {
    let cut = "2026-03-20".to_owned();
    assert_eq!(cohorts(&cut, "2026-01-01", "2026-04-30", "2026-03-01"), (cut.clone(), (61, 78), (1045, 42)));
    // Of what is older than asked for nothing is counted.
    assert_eq!(cohorts(&cut, "2026-02-01", "2026-04-30", "2026-02-01"), (cut, (60, 47), (1045, 42)));
}

#[test]
fn where_days_are_no_longer_known_the_cut_is_moved_to_the_first_of_its_month() {
    let first = "2026-03-01".to_owned();
    assert_eq!(cohorts("2026-03-20", "2026-01-01", "2026-04-30", "2026-03-02"), (first.clone(), (11, 59), (1100, 61)));
    // The first of a month is counted by the months alone.
    assert_eq!(cohorts(&first, "2026-01-01", "2026-04-30", "2026-01-01"), (first.clone(), (11, 59), (1100, 61)));
}

#[test]
fn months_to_come_are_not_counted_and_one_that_begins_today_is() {
    let first = "2026-03-01".to_owned();
    assert_eq!(cohorts(&first, "2026-01-01", "2026-05-01", "2026-01-01"), (first.clone(), (11, 59), (11_100, 62)));
    assert_eq!(cohorts(&first, "2026-01-01", "2026-03-31", "2026-01-01"), (first.clone(), (11, 59), (100, 31)));
}
