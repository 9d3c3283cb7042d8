//! Given a timetable, a moment: what kind of time it is, above all where clocks change.

use expect_test::{Expect, expect};
use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// Monday to Friday, as `09:00-17:00`.
fn weekdays(zone_name: &str, hours: &str) -> Timetable {
    let (start, end) = hours.split_once('-').unwrap();
    let day = Some((start.parse().unwrap(), end.parse().unwrap()));
    let week = [day, day, day, day, day, None, None];
    let zone = zone(zone_name);
    Timetable { hours: Some(WorkingHours { zone: zone.clone(), week }), ..Timetable::always(zone) }
}

/// Every day, so that changes of clocks, which come on Sundays, are worked through.
fn every_day(zone_name: &str, hours: &str) -> Timetable {
    let mut timetable = weekdays(zone_name, hours);
    let hours = timetable.hours.as_mut().unwrap();
    hours.week = [hours.week[0]; 7];
    timetable
}

fn occasion(name: &str, kind: OccasionKind, span: Span) -> Occasion {
    Occasion { name: name.into(), kind, span }
}

fn days(first: &str, last: &str) -> Span {
    Span::Days { first: first.parse().unwrap(), last: last.parse().unwrap() }
}

fn times(from: &str, until: &str) -> Span {
    Span::Times { from: at(from), until: at(until) }
}

impl Timetable {
    fn with(mut self, occasions: impl IntoIterator<Item = Occasion>) -> Self {
        self.calendars.push(Arc::new(Calendar::new(occasions)));
        self
    }
}

/// Every stretch of one kind between two moments, on the wall of the timetable's zone.
fn check(given: &Timetable, from: &str, until: &str, expected: Expect) {
    let (mut now, until) = (at(from), at(until));
    let mut said = String::new();
    let mut last = None;
    while now < until {
        let kind = given.kind_at(now);
        if last.as_ref() != Some(&kind) {
            let wall = now.to_zoned_datetime(given.zone.clone());
            said.push_str(&format!("{}  {kind}\n", wall.strftime("%a %-d %b %H:%M %z")));
        }
        last = Some(kind);
        now += SignedDuration::from_mins(1);
    }
    expected.assert_eq(&said);
}

#[test]
fn an_ordinary_week() {
    check(
        &weekdays("Asia/Karachi", "09:00-17:00"),
        "2026-03-18T19:00:00Z",
        "2026-03-23T19:00:00Z",
        expect![[r#"
            Thu 19 Mar 00:00 +0500  outside working hours
            Thu 19 Mar 09:00 +0500  working hours
            Thu 19 Mar 17:00 +0500  outside working hours
            Fri 20 Mar 09:00 +0500  working hours
            Fri 20 Mar 17:00 +0500  outside working hours
            Sat 21 Mar 00:00 +0500  the weekend
            Mon 23 Mar 00:00 +0500  outside working hours
            Mon 23 Mar 09:00 +0500  working hours
            Mon 23 Mar 17:00 +0500  outside working hours
        "#]],
    );
}

#[test]
fn hours_stay_on_the_wall_when_the_clocks_change() {
    // The Fridays before and the Mondays after the changes of 2026, by UTC.
    for (zone, moment, working) in [
        ("America/New_York", "2026-03-06T13:59:00Z", false),
        ("America/New_York", "2026-03-06T14:00:00Z", true),
        ("America/New_York", "2026-03-09T12:59:00Z", false),
        ("America/New_York", "2026-03-09T13:00:00Z", true),
        ("America/New_York", "2026-10-30T13:00:00Z", true),
        ("America/New_York", "2026-11-02T13:59:00Z", false),
        ("Europe/London", "2026-03-27T09:00:00Z", true),
        ("Europe/London", "2026-03-30T08:00:00Z", true),
        ("Europe/London", "2026-03-30T16:00:00Z", false),
        ("Australia/Lord_Howe", "2026-04-02T22:00:00Z", true), // +11:00
        ("Australia/Lord_Howe", "2026-04-05T22:29:00Z", false), // +10:30
        ("Australia/Lord_Howe", "2026-04-05T22:30:00Z", true),
    ] {
        assert_eq!(weekdays(zone, "09:00-17:00").kind_at(at(moment)).is_working(), working, "{zone} {moment}");
    }
}

#[test]
fn hours_that_begin_or_end_in_a_skipped_hour_begin_or_end_when_it_is_skipped() {
    check(
        &every_day("America/New_York", "02:30-10:00"),
        "2026-03-08T05:00:00Z",
        "2026-03-08T15:00:00Z",
        expect![[r#"
            Sun 8 Mar 00:00 -0500  outside working hours
            Sun 8 Mar 03:00 -0400  working hours
            Sun 8 Mar 10:00 -0400  outside working hours
        "#]],
    );
    check(
        &every_day("Europe/London", "00:15-01:30"),
        "2026-03-29T00:00:00Z",
        "2026-03-29T03:00:00Z",
        expect![[r#"
            Sun 29 Mar 00:00 +0000  outside working hours
            Sun 29 Mar 00:15 +0000  working hours
            Sun 29 Mar 02:00 +0100  outside working hours
        "#]],
    );
    // All of it is skipped: nobody works.
    check(
        &every_day("Australia/Lord_Howe", "02:05-02:25"),
        "2026-10-03T14:00:00Z",
        "2026-10-03T17:00:00Z",
        expect![[r#"
            Sun 4 Oct 00:30 +1030  outside working hours
        "#]],
    );
}

#[test]
fn a_repeated_hour_neither_begins_nor_ends_hours_twice() {
    check(
        &every_day("America/New_York", "01:30-10:00"),
        "2026-11-01T04:00:00Z",
        "2026-11-01T16:00:00Z",
        expect![[r#"
            Sun 1 Nov 00:00 -0400  outside working hours
            Sun 1 Nov 01:30 -0400  working hours
            Sun 1 Nov 10:00 -0500  outside working hours
        "#]],
    );
    check(
        &every_day("Australia/Lord_Howe", "01:00-01:45"),
        "2026-04-04T13:00:00Z",
        "2026-04-04T17:00:00Z",
        expect![[r#"
            Sun 5 Apr 00:00 +1100  outside working hours
            Sun 5 Apr 01:00 +1100  working hours
            Sun 5 Apr 01:45 +1100  outside working hours
        "#]],
    );
}

#[test]
fn a_night_shift_runs_into_the_weekend_and_over_the_change() {
    check(
        &weekdays("Europe/London", "22:00-06:00"),
        "2026-03-27T12:00:00Z",
        "2026-03-30T23:00:00Z",
        expect![[r#"
            Fri 27 Mar 12:00 +0000  outside working hours
            Fri 27 Mar 22:00 +0000  working hours
            Sat 28 Mar 06:00 +0000  the weekend
            Mon 30 Mar 00:00 +0100  outside working hours
            Mon 30 Mar 22:00 +0100  working hours
        "#]],
    );
    let night = every_day("Europe/London", "22:00-06:00").hours.unwrap();
    let length = |day: Date| night.shift(day).map(|(from, until)| until.duration_since(from).as_hours());
    assert_eq!(length(date(2026, 3, 27)), Some(8));
    assert_eq!(length(date(2026, 3, 28)), Some(7), "an hour is skipped");
    assert_eq!(length(date(2026, 10, 24)), Some(9), "an hour is repeated");
    let round_the_clock = every_day("Europe/London", "09:00-09:00");
    assert!(round_the_clock.kind_at(at("2026-03-29T03:00:00Z")).is_working(), "an end at the start is the next day's");
}

#[test]
fn a_day_off_is_as_long_as_the_day() {
    for (zone, day, from, until, hours) in [
        ("America/New_York", "2026-03-08", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z", 23),
        ("America/New_York", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", 25),
        ("Europe/London", "2026-03-29", "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z", 23),
        ("Asia/Karachi", "2026-03-29", "2026-03-28T19:00:00Z", "2026-03-29T19:00:00Z", 24),
    ] {
        let given =
            Timetable::always(super::tests::zone(zone)).with([occasion("", OccasionKind::DayOff, days(day, day))]);
        assert_eq!(at(until).duration_since(at(from)).as_hours(), hours);
        let nanosecond = SignedDuration::from_nanos(1);
        for (moment, working) in [(at(from) - nanosecond, true), (at(from), false), (at(until) - nanosecond, false)] {
            assert_eq!(given.kind_at(moment).is_working(), working, "{zone} {moment}");
        }
        assert_eq!(given.next_working(at(from)), Some(at(until)), "{zone}");
    }
}

#[test]
fn a_day_without_a_midnight_begins_when_there_is_a_clock_again() {
    let holiday = |zone_name, day| {
        Timetable::always(zone(zone_name)).with([occasion("Holiday", OccasionKind::Holiday, days(day, day))])
    };
    // Paraguay skipped from 00:00 to 01:00 on 1 October 2023, Egypt on 28 April 2023.
    check(
        &holiday("America/Asuncion", "2023-10-01"),
        "2023-10-01T03:58:00Z",
        "2023-10-02T04:00:00Z",
        expect![[r#"
            Sat 30 Sep 23:58 -0400  working hours
            Sun 1 Oct 01:00 -0300  a public holiday (Holiday)
            Mon 2 Oct 00:00 -0300  working hours
        "#]],
    );
    check(
        &holiday("Africa/Cairo", "2023-04-27"),
        "2023-04-26T21:58:00Z",
        "2023-04-27T22:02:00Z",
        expect![[r#"
            Wed 26 Apr 23:58 +0200  working hours
            Thu 27 Apr 00:00 +0200  a public holiday (Holiday)
            Fri 28 Apr 01:00 +0300  working hours
        "#]],
    );
    // Samoa had no 30 December 2011 at all.
    assert_eq!(
        holiday("Pacific/Apia", "2011-12-30").next_working(at("2011-12-30T10:00:00Z")),
        Some(at("2011-12-30T10:00:00Z"))
    );
    // In Newfoundland clocks once went back from 00:01 to 23:01: the day that has begun is not taken back.
    check(
        &holiday("America/St_Johns", "2010-11-07"),
        "2010-11-07T02:28:00Z",
        "2010-11-08T03:32:00Z",
        expect![[r#"
            Sat 6 Nov 23:58 -0230  working hours
            Sun 7 Nov 00:00 -0230  a public holiday (Holiday)
            Mon 8 Nov 00:00 -0330  working hours
        "#]],
    );
}

#[test]
fn the_highest_rank_is_told_and_what_ends_uncovers_what_is_below() {
    let given = weekdays("Europe/Stockholm", "09:00-17:00").with([
        occasion("Hackathon", OccasionKind::Event, times("2026-01-05T08:00:00Z", "2026-01-09T16:00:00Z")),
        occasion("Epiphany", OccasionKind::Holiday, days("2026-01-06", "2026-01-06")),
    ]);
    let given = given.with([occasion("", OccasionKind::DayOff, days("2026-01-07", "2026-01-07"))]);
    check(
        &given,
        "2026-01-05T07:00:00Z",
        "2026-01-10T08:00:00Z",
        expect![[r#"
            Mon 5 Jan 08:00 +0100  outside working hours
            Mon 5 Jan 09:00 +0100  an event (Hackathon)
            Tue 6 Jan 00:00 +0100  a public holiday (Epiphany)
            Wed 7 Jan 00:00 +0100  a day off
            Thu 8 Jan 00:00 +0100  an event (Hackathon)
            Fri 9 Jan 17:00 +0100  outside working hours
            Sat 10 Jan 00:00 +0100  the weekend
        "#]],
    );
    assert_eq!(given.occasion_at(at("2026-01-07T10:00:00Z")).unwrap().kind, OccasionKind::DayOff);
    assert_eq!(given.next_working(at("2026-01-05T10:00:00Z")), Some(at("2026-01-12T08:00:00Z")));
}

#[test]
fn one_holiday_is_another_time_for_each_reader() {
    let epiphany = [occasion("Epiphany", OccasionKind::Holiday, days("2026-01-06", "2026-01-06"))];
    let noon_in_karachi = at("2026-01-06T07:00:00Z");
    for (zone, kind) in [
        ("Asia/Karachi", "a public holiday (Epiphany)"),
        ("America/Los_Angeles", "outside working hours"), // still the 5th
    ] {
        assert_eq!(weekdays(zone, "09:00-17:00").with(epiphany.clone()).kind_at(noon_in_karachi).to_string(), kind);
    }
}

#[test]
fn hours_may_be_of_another_zone_than_the_days() {
    let mut given = weekdays("Europe/London", "09:00-17:00");
    given.zone = zone("Asia/Karachi");
    let given = given.with([occasion("", OccasionKind::DayOff, days("2026-01-06", "2026-01-06"))]);
    assert_eq!(given.next_working(at("2026-01-06T12:00:00Z")), Some(at("2026-01-07T09:00:00Z")));
    assert!(given.kind_at(at("2026-01-05T16:59:00Z")).is_working());
}

#[test]
fn without_a_working_moment_in_sight_there_is_none() {
    let now = at("2026-03-20T12:00:00Z");
    let always = Timetable::always(TimeZone::UTC);
    assert_eq!(always.next_working(now), Some(now));
    assert_eq!(
        always.clone().with([occasion("", OccasionKind::DayOff, days("2026-01-01", "2028-01-01"))]).next_working(now),
        None
    );
    let mut idle = weekdays("UTC", "09:00-17:00");
    idle.hours.as_mut().unwrap().week = [None; 7];
    assert_eq!(idle.next_working(now), None);
    assert_eq!(idle.kind_at(now), TimeKind::Weekend);
}

#[test]
fn an_occasion_that_ends_before_it_begins_covers_nothing() {
    let given = Timetable::always(TimeZone::UTC).with([
        occasion("a", OccasionKind::Holiday, days("2026-03-20", "2026-03-19")),
        occasion("b", OccasionKind::Event, times("2026-03-20T12:00:00Z", "2026-03-20T12:00:00Z")),
    ]);
    assert_eq!(given.calendars[0].occasions().len(), 2);
    assert_eq!(given.kind_at(at("2026-03-20T12:00:00Z")), TimeKind::Working);
}

#[test]
fn a_kind_of_time_is_kept_as_plain_json() {
    let holiday = TimeKind::Holiday { name: "Epiphany".into() };
    let json = serde_json::to_string(&[TimeKind::OffHours, holiday.clone()]).unwrap();
    assert_eq!(json, r#"[{"kind":"off_hours"},{"kind":"holiday","name":"Epiphany"}]"#);
    assert_eq!(serde_json::from_str::<Vec<TimeKind>>(&json).unwrap(), [TimeKind::OffHours, holiday]);
}

const ZONES: [&str; 10] = [
    "UTC",
    "America/New_York",
    "Europe/London",
    "Asia/Karachi",
    "Australia/Lord_Howe",
    "America/Asuncion",
    "America/St_Johns",
    "Pacific/Apia",
    "Antarctica/Troll",
    "America/Juneau",
];

fn any_zone() -> impl Strategy<Value = TimeZone> {
    prop::sample::select(&ZONES[..]).prop_map(zone)
}

fn any_time() -> impl Strategy<Value = civil::Time> {
    (0i8..24, 0i8..60).prop_map(|(hour, minute)| civil::time(hour, minute, 0, 0))
}

fn any_moment() -> impl Strategy<Value = Timestamp> {
    let seconds = prop_oneof![
        8 => 946_684_800i64..4_102_444_800,
        1 => Timestamp::MIN.as_second()..=Timestamp::MAX.as_second(),
        1 => prop::sample::select(vec![Timestamp::MIN.as_second(), Timestamp::MAX.as_second()]),
    ];
    seconds.prop_map(|second| Timestamp::from_second(second).unwrap())
}

/// Near `around`, so that occasions and questions meet.
fn any_occasion(around: Timestamp) -> impl Strategy<Value = Occasion> {
    let kind = prop::sample::select(vec![OccasionKind::DayOff, OccasionKind::Holiday, OccasionKind::Event]);
    (kind, any::<bool>(), -100_000i64..100_000, 0i64..200_000).prop_map(move |(kind, whole, minutes, length)| {
        let moment = |minutes| {
            let moment = around.checked_add(SignedDuration::from_mins(minutes));
            moment.unwrap_or(if minutes < 0 { Timestamp::MIN } else { Timestamp::MAX })
        };
        let (from, until) = (moment(minutes), moment(minutes + length));
        let day = |at: Timestamp| TimeZone::UTC.to_datetime(at).date();
        let span = if whole { Span::Days { first: day(from), last: day(until) } } else { Span::Times { from, until } };
        occasion("x", kind, span)
    })
}

fn any_timetable() -> impl Strategy<Value = (Timetable, Timestamp)> {
    let day = prop::option::weighted(0.7, (any_time(), any_time()));
    let hours = prop::option::weighted(0.8, (any_zone(), prop::array::uniform7(day)));
    (any_zone(), hours, any_moment()).prop_flat_map(|(zone, hours, at)| {
        prop::collection::vec(prop::collection::vec(any_occasion(at), 0..6), 0..3).prop_map(move |calendars| {
            let hours = hours.clone().map(|(zone, week)| WorkingHours { zone, week });
            let calendars = calendars.into_iter().map(|occasions| Arc::new(Calendar::new(occasions))).collect();
            (Timetable { zone: zone.clone(), hours, calendars }, at)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_next_working_moment_is_not_before_and_is_working_and_nothing_before_it_is(
        (given, from) in any_timetable(),
        part in 0i64..1000,
    ) {
        let now = given.kind_at(from);
        let next = given.next_working(from);
        if now.is_working() && from < Timestamp::MAX {
            prop_assert_eq!(next, Some(from));
        }
        if let Some(next) = next {
            prop_assert!(next >= from);
            prop_assert!(given.kind_at(next).is_working());
            let between = from + next.duration_since(from) * i32::try_from(part).unwrap() / 1000;
            prop_assert!(between >= next || !given.kind_at(between).is_working(), "{} is working too", between);
        }
    }

    #[test]
    fn the_highest_occasion_is_the_one_that_reading_them_all_finds((given, at) in any_timetable()) {
        let day = day_at(&given.zone, at);
        let covering = given.calendars.iter().flat_map(|c| c.occasions()).filter(|o| match o.span {
            Span::Days { first, last } => first <= day && day <= last,
            Span::Times { from, until } => from <= at && at < until,
        });
        prop_assert_eq!(given.occasion_at(at).map(|o| o.kind), covering.map(|o| o.kind).max());
    }
}

#[test]
fn somebody_who_is_away_for_long_is_back_some_day_within_four_hundred() {
    let weekdays = weekdays("UTC", "09:00-17:00");
    let away = |days_away: &str| {
        weekdays.clone().with([occasion("leave", OccasionKind::DayOff, days("2026-03-20", days_away))])
    };
    let from = at("2026-03-20T10:00:00Z");
    assert_eq!(away("2026-06-30").next_working(from), Some(at("2026-07-01T09:00:00Z")));
    assert_eq!(away("2027-04-21").next_working(from), Some(at("2027-04-22T09:00:00Z")));
    assert_eq!(away("2027-04-24").next_working(from), None, "longer than is looked ahead");
}
