//! A time in which a service may break: what fires is recorded, and nobody is paged until it is over. By somebody's
//! word ([`crate::on_request::maintenance`]), or each week by configuration.

use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::calendar::{WorkingHours, day_at};
use crate::ids::{EnvironmentName, PersonId};
use crate::service::Service;

/// The longest that one maintenance may last: longer ones hide incidents.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 3);
/// How many a service keeps: those that are over leave first.
pub const MOST: usize = 50;

/// One time of maintenance, by somebody's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// Absent: of every environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
    pub from: Timestamp,
    pub until: Timestamp,
    pub why: String,
    pub by: PersonId,
    /// When it was ended before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl Maintenance {
    #[must_use]
    pub fn over_at(&self) -> Timestamp {
        self.ended_at.map_or(self.until, |ended| ended.min(self.until))
    }

    /// Whether it is under way, or yet to come.
    #[must_use]
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        now < self.over_at()
    }

    /// Whether it is under way at `now`, for this environment.
    #[must_use]
    pub fn covers(&self, environment: &EnvironmentName, now: Timestamp) -> bool {
        let here = self.environment.as_ref().is_none_or(|own| own == environment);
        here && self.from <= now && now < self.over_at()
    }
}

/// The maintenance of each week that is under way at `now`: from when until when.
#[must_use]
pub fn weekly_now(service: &Service, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let covers = |(from, until): &(Timestamp, Timestamp)| *from <= now && now < *until;
    service.maintenance.iter().flat_map(|weekly| this_week(weekly, now)).filter(covers).max_by_key(|(_, until)| *until)
}

/// The next one that is yet to begin.
#[must_use]
pub fn weekly_next(service: &Service, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    service.maintenance.iter().flat_map(|weekly| this_week(weekly, now)).find(|(from, _)| now < *from)
}

/// Each time, from what began yesterday until what begins in a week.
fn this_week(weekly: &WorkingHours, now: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let today = day_at(&weekly.zone, now);
    today.yesterday().unwrap_or(today).series(1.day()).take(9).filter_map(|day| weekly.shift(day))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::testing::{at, service};

    /// Sunday 01:30-03:30 in London, whose clocks skip from 01:00 to 02:00 on 29 March, and Friday from 23:00 for two hours.
    fn weekly() -> Service {
        let clock = |hour, minute| jiff::civil::time(hour, minute, 0, 0);
        let mut week = [None; 7];
        (week[4], week[6]) = (Some((clock(23, 0), clock(1, 0))), Some((clock(1, 30), clock(3, 30))));
        let zone = TimeZone::get("Europe/London").unwrap();
        Service { maintenance: Some(WorkingHours { zone, week }), ..service() }
    }

    #[test]
    fn it_comes_each_week_in_its_zone_over_midnight_and_where_clocks_change() {
        let service = weekly();
        let until = |when: Timestamp| weekly_now(&service, when).map(|(_, until)| until.to_string());
        assert_eq!(until(at("22:59")), None);
        assert_eq!(until(at("23:00")).as_deref(), Some("2026-03-21T01:00:00Z"));
        assert_eq!(until(at("Sat 00:59")).as_deref(), Some("2026-03-21T01:00:00Z"));
        assert_eq!(until(at("Sat 01:00")), None);
        assert_eq!(until(at("Sun 01:30")).as_deref(), Some("2026-03-22T03:30:00Z"));
        let skipped = |text: &str| until(text.parse().unwrap());
        assert_eq!(skipped("2026-03-29T00:59:00Z"), None, "01:30 is skipped");
        assert_eq!(skipped("2026-03-29T01:00:00Z").as_deref(), Some("2026-03-29T02:30:00Z"));
    }

    #[test]
    fn the_next_one_is_the_first_that_is_yet_to_begin() {
        let service = weekly();
        let next = |when| weekly_next(&service, at(when)).map(|(from, _)| from.to_string());
        assert_eq!(next("12:00").as_deref(), Some("2026-03-20T23:00:00Z"));
        assert_eq!(next("23:00").as_deref(), Some("2026-03-22T01:30:00Z"));
        assert_eq!(next("Sun 02:00").as_deref(), Some("2026-03-27T23:00:00Z"));
        assert_eq!(weekly_next(&crate::testing::service(), at("12:00")), None);
    }
}
