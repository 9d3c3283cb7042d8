//! How times and lengths of time are written for a reader, in the reader's own zone.

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
