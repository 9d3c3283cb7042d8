//! The keys of what was measured: a roll-up a day and a month of each service.

use domain::ServiceId;
use domain::measures::Period;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Key, key};

/// How long it is known what was measured on a day: for the digest, and for what is cut within a month.
pub const KEEP_DAY: SignedDuration = SignedDuration::from_hours(24 * 100);
/// The same of a month: two years beside each other.
pub const KEEP_MONTH: SignedDuration = SignedDuration::from_hours(24 * 800);

/// What was measured of a service in a day or a month.
pub fn tally(service: &ServiceId, period: Period) -> Key {
    let sort = match period {
        Period::Day(day) => format!("D#{day}"),
        Period::Month(month) => format!("M#{month}"),
    };
    key(format!("M#{service}"), sort)
}

/// The period behind such a sort key.
#[must_use]
pub fn parse_period(sort: &str) -> Option<Period> {
    match sort.split_once('#')? {
        ("D", day) => day.parse().ok().map(Period::Day),
        ("M", month) => month.parse().ok().map(Period::Month),
        _ => None,
    }
}

/// When it is forgotten.
#[must_use]
pub fn tally_expires(period: Period) -> Option<Timestamp> {
    let (last, keep) = match period {
        Period::Day(day) => (day, KEEP_DAY),
        Period::Month(month) => (month.last(), KEEP_MONTH),
    };
    TimeZone::UTC.to_timestamp(last.at(0, 0, 0, 0)).ok()?.checked_add(keep).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_come_before_months_and_both_are_read_back() {
        let service = "edxapp".parse().unwrap();
        let [day, month] = Period::all_of("2026-11-27T23:59:59Z".parse().unwrap());
        let sorts = [day, month].map(|period| tally(&service, period).sort);
        assert_eq!(sorts, ["D#2026-11-27", "M#2026-11"]);
        assert_eq!(sorts.map(|sort| parse_period(&sort)), [Some(day), Some(month)]);
        assert_eq!([parse_period("M#2026"), parse_period("T"), parse_period("D#x")], [None; 3]);
        let expires = [day, month].map(|period| tally_expires(period).unwrap().to_string());
        assert_eq!(expires, ["2027-03-07T00:00:00Z", "2029-02-07T00:00:00Z"]);
    }
}
