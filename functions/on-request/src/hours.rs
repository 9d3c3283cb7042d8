//! How times are written on pages: in the reader's own zone, which the head of each page names once.

use aws::{House, Request};
use domain::times;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::sign_in::Reader;

/// By which a browser says in which zone it is, where nobody has signed in: the pages' script sets it.
pub(crate) const COOKIE: &str = "deployers-zone";
/// No zone's name is longer.
const MOST_NAME: usize = 64;

/// A reader's zone, and what time it is.
#[derive(Debug, Clone)]
pub(crate) struct Hours {
    zone: TimeZone,
    /// With the date and the zone each time, for whoever reads a text alone.
    in_full: bool,
    pub(crate) now: Timestamp,
}

/// A time on a page: for people, and for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Moment {
    /// `14:20`, `Mon 09:00`, `2026-03-20 14:20`
    text: String,
    /// `2026-03-20T13:20:00Z`
    iso: String,
}

impl Hours {
    pub(crate) fn of(house: &House, request: &Request, reader: &Reader) -> Self {
        let zone = match reader {
            Reader::Person(id) => house.settings().roster.zone_of(id),
            Reader::Guest(_) | Reader::Unasked => told(request).unwrap_or(TimeZone::UTC),
        };
        Self { zone, in_full: false, now: house.now() }
    }

    /// As programs have them: `2026-03-20 14:20 UTC`.
    pub(crate) fn utc(now: Timestamp) -> Self {
        Self { zone: TimeZone::UTC, in_full: true, now }
    }

    /// `Europe/Stockholm`
    pub(crate) fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    pub(crate) fn own_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// With the weekday where it is not today, with the date where that would not tell.
    pub(crate) fn at(&self, at: Timestamp) -> String {
        let (there, today) = (at.to_zoned_datetime(self.zone.clone()), self.now.to_zoned_datetime(self.zone.clone()));
        if self.in_full {
            return there.strftime("%Y-%m-%d %H:%M UTC").to_string();
        }
        let days = (there.date() - today.date()).get_days();
        let form = match days {
            0 => "%H:%M",
            -6..=6 => "%a %H:%M",
            _ => "%Y-%m-%d %H:%M",
        };
        there.strftime(form).to_string()
    }

    pub(crate) fn moment(&self, at: Timestamp) -> Moment {
        Moment { text: self.at(at), iso: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string() }
    }

    /// `Fri 2026-03-20`
    pub(crate) fn day(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%a %Y-%m-%d").to_string()
    }

    /// The midnight before.
    pub(crate) fn midnight(&self, at: Timestamp) -> Timestamp {
        at.to_zoned_datetime(self.zone.clone()).start_of_day().map_or(at, |day| day.timestamp())
    }

    /// How long ago: `12 min`, `3 h`, `2 days`.
    pub(crate) fn ago(&self, at: Timestamp) -> String {
        length(self.now.duration_since(at))
    }
}

/// `45 s`, `12 min`, `3 h 20 min`, `26 h`, `3 days`.
pub(crate) fn length(span: SignedDuration) -> String {
    match span.as_hours() {
        ..10 => times::span(span.max(SignedDuration::ZERO)),
        hours @ 10..48 => format!("{hours} h"),
        hours => format!("{} days", hours / 24),
    }
}

fn told(request: &Request) -> Option<TimeZone> {
    let name = request.cookie(COOKIE)?.replace("%2F", "/");
    TimeZone::get(Some(name.as_str()).filter(|name| name.len() <= MOST_NAME)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn in_stockholm() -> Hours {
        Hours { zone: TimeZone::get("Europe/Stockholm").unwrap(), in_full: false, now: at("2026-03-20T12:00:00Z") }
    }

    #[test]
    fn times_are_the_readers_with_no_more_of_the_date_than_it_takes() {
        let hours = in_stockholm();
        for (time, text) in [
            ("2026-03-20T13:20:00Z", "14:20"),
            ("2026-03-20T23:30:00Z", "Sat 00:30"),
            ("2026-03-14T08:00:00Z", "Sat 09:00"),
            ("2026-03-13T08:00:00Z", "2026-03-13 09:00"),
            ("2026-03-29T01:30:00Z", "2026-03-29 03:30"),
        ] {
            assert_eq!(hours.at(at(time)), text);
        }
        assert_eq!(hours.moment(at("2026-03-20T13:20:00Z")).iso, "2026-03-20T13:20:00Z");
        assert_eq!(hours.midnight(at("2026-03-20T13:20:00Z")), at("2026-03-19T23:00:00Z"));
        for (time, text) in [
            ("2026-03-20T11:59:15Z", "45 s"),
            ("2026-03-20T12:05:00Z", "0 s"),
            ("2026-03-20T08:40:00Z", "3 h 20 min"),
            ("2026-03-19T10:00:00Z", "26 h"),
            ("2026-03-17T10:00:00Z", "3 days"),
        ] {
            assert_eq!(hours.ago(at(time)), text);
        }
    }

    #[test]
    fn a_browsers_zone_is_believed_if_there_is_such_a_one() {
        let zone = |cookie: &str| {
            let headers = vec![("cookie".to_owned(), cookie.to_owned())];
            told(&Request::new("GET", "/", headers, Vec::new())).map(|zone| zone.iana_name().unwrap().to_owned())
        };
        assert_eq!(zone("deployers-zone=Asia/Karachi").as_deref(), Some("Asia/Karachi"));
        assert_eq!(zone("a=b; deployers-zone=Asia%2FKarachi").as_deref(), Some("Asia/Karachi"));
        let long = format!("deployers-zone={}", "A/".repeat(200));
        for bad in ["", "deployers-zone=", "deployers-zone=../../etc/passwd", "deployers-zone=<b>", &long] {
            assert_eq!(zone(bad), None, "{bad}");
        }
    }
}
