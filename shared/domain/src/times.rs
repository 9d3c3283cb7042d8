//! How times and lengths of time are written for a reader, in the reader's own zone; and how a person's words for a time are read.

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// Whether a time that a sender tells can be right: in this century or close to it. Arithmetic on anything
/// further off could leave the calendar.
#[must_use]
pub fn plausible(at: Timestamp) -> bool {
    const YEAR_2000: i64 = 946_684_800;
    const YEAR_2100: i64 = 4_102_444_800;
    (YEAR_2000..YEAR_2100).contains(&at.as_second())
}

/// What a person means by `2026-12-28 09:00`, `2026-12-28`, `Mon 09:00` (the next one), `tomorrow 09:00`, `09:00` (today's), each on the
/// wall in this zone, or by `2026-12-28T09:00Z`. Without a time of day it is midnight.
#[must_use]
pub fn read(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at).filter(|at| plausible(*at));
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let time_of_day = |text: &str| Time::strptime("%H:%M", text).ok();
    let (day, time) = match words.as_slice() {
        [time] if time_of_day(time).is_some() => ("today", time_of_day(time)?),
        [day] => (*day, Time::midnight()),
        [day, time] => (*day, time_of_day(time)?),
        _ => return None,
    };
    let at = |date: Date| zone.to_timestamp(DateTime::from_parts(date, time)).ok();
    let today = now.to_zoned_datetime(zone.clone()).date();
    let found = match day.to_lowercase().as_str() {
        "today" => at(today),
        "tomorrow" => at(today.tomorrow().ok()?),
        name => match ["%a", "%A"].iter().find_map(|form| BrokenDownTime::parse(form, name).ok()?.weekday()) {
            Some(weekday) => {
                let days = today.series(jiff::Span::new().days(1)).take(8).filter(|date| date.weekday() == weekday);
                days.filter_map(at).find(|at| *at > now)
            }
            None => at(Date::strptime("%Y-%m-%d", name).ok()?),
        },
    };
    found.filter(|at| plausible(*at))
}

/// `06:02 (Asia/Karachi)`, with the date where it is not the reader's today. No word of any language in it.
#[must_use]
pub fn time(at: Timestamp, zone: &TimeZone, now: Timestamp) -> String {
    let there = at.to_zoned_datetime(zone.clone());
    let name = zone.iana_name().unwrap_or("UTC");
    let form = if there.date() == now.to_zoned_datetime(zone.clone()).date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    // Where clocks go back an hour comes twice: which of the two is meant has to be said.
    let twice = matches!(zone.to_ambiguous_timestamp(there.datetime()).offset(), AmbiguousOffset::Fold { .. });
    let which = if twice { format!(" UTC{}", there.strftime("%:z")) } else { String::new() };
    format!("{}{which} ({name})", there.strftime(form))
}

/// `2026-03-20 11:50 to 12:09 (America/New_York)`
#[must_use]
pub fn period(from: Timestamp, to: Timestamp, zone: &TimeZone) -> String {
    let begin = from.to_zoned_datetime(zone.clone());
    format!("{} to {}", begin.strftime("%Y-%m-%d %H:%M"), time(to, zone, from))
}

/// `45 s`, `12 min`, `3 h`, `3 h 20 min`.
#[must_use]
pub fn span(duration: SignedDuration) -> String {
    let minutes = duration.as_mins();
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{} s", duration.as_secs()),
        (0, m) => format!("{m} min"),
        (h, 0) => format!("{h} h"),
        (h, m) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_persons_words_for_a_time_are_read_on_the_wall_of_their_zone() {
        // A Friday, 13:00 in New York, whose clocks have gone forward already; London's do on the 29th.
        let now = at("2026-03-20T17:00:00Z");
        for (text, zone, want) in [
            ("2026-12-28 09:00", "America/New_York", "2026-12-28T14:00:00Z"),
            ("2026-12-28", "America/New_York", "2026-12-28T05:00:00Z"),
            ("2026-12-28T09:00Z", "America/New_York", "2026-12-28T09:00:00Z"),
            ("Mon 09:00", "America/New_York", "2026-03-23T13:00:00Z"),
            ("monday  9:00", "Europe/London", "2026-03-23T09:00:00Z"),
            ("Fri 14:00", "America/New_York", "2026-03-20T18:00:00Z"),
            ("Fri 13:00", "America/New_York", "2026-03-27T17:00:00Z"),
            ("FRI", "America/New_York", "2026-03-27T04:00:00Z"),
            ("Sun 12:00", "Europe/London", "2026-03-22T12:00:00Z"),
            ("tomorrow 09:00", "America/New_York", "2026-03-21T13:00:00Z"),
            ("Today 18:00", "America/New_York", "2026-03-20T22:00:00Z"),
            ("18:00", "Europe/London", "2026-03-20T18:00:00Z"),
            // Where it is Saturday already.
            ("Sat 09:00", "Asia/Tokyo", "2026-03-21T00:00:00Z"),
            // An hour that this night does not have is the one after it.
            ("2026-03-29 01:30", "Europe/London", "2026-03-29T01:30:00Z"),
        ] {
            assert_eq!(read(text, &TimeZone::get(zone).unwrap(), now), Some(at(want)), "{text} in {zone}");
        }
        for bad in [
            "",
            "soon",
            "2026-13-01",
            "2026-12-28 25:00",
            "2026-12-28 09:00 sharp",
            "09:00 Mon",
            "Mon Tue",
            "2126-12-28",
            "1026-12-28 09:00",
            "26-12-28",
            "Monday week",
        ] {
            assert_eq!(read(bad, &TimeZone::UTC, now), None, "{bad}");
        }
    }

    #[test]
    fn the_same_moment_is_written_for_each_reader() {
        let (end, now) = (at("2026-03-20T19:30:00Z"), at("2026-03-20T15:30:00Z"));
        for (zone, want) in [
            ("America/New_York", "15:30 (America/New_York)"),
            ("Asia/Karachi", "2026-03-21 00:30 (Asia/Karachi)"),
            ("Australia/Lord_Howe", "06:30 (Australia/Lord_Howe)"),
            ("UTC", "19:30 (UTC)"),
        ] {
            assert_eq!(time(end, &TimeZone::get(zone).unwrap(), now), want);
        }
    }

    #[test]
    fn over_a_change_of_clocks_the_end_is_right_in_the_readers_zone() {
        // London skips from 01:00 to 02:00 on 29 March 2026: an hour after 00:40 is 02:40.
        let london = TimeZone::get("Europe/London").unwrap();
        let now = at("2026-03-29T00:40:00Z");
        assert_eq!(time(now + SignedDuration::from_hours(1), &london, now), "02:40 (Europe/London)");
        assert_eq!(
            period(now, now + SignedDuration::from_hours(1), &london),
            "2026-03-29 00:40 to 02:40 (Europe/London)"
        );
    }

    #[test]
    fn lengths_of_time_are_short() {
        for (seconds, want) in [(45, "45 s"), (720, "12 min"), (3600, "1 h"), (12_000, "3 h 20 min"), (86_400, "24 h")]
        {
            assert_eq!(span(SignedDuration::from_secs(seconds)), want);
        }
    }
}
