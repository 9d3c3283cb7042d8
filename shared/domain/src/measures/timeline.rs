//! Roll-ups in time: which days and months there are, and what is known of a stretch of them. All in UTC: a fact is of the day on
//! which it happened there.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::Tally;

/// A month of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(Date);

impl Month {
    #[must_use]
    pub fn of(day: Date) -> Self {
        Self(day.first_of_month())
    }

    #[must_use]
    pub fn first(self) -> Date {
        self.0
    }

    #[must_use]
    pub fn last(self) -> Date {
        self.0.last_of_month()
    }

    /// The month so many before this one.
    #[must_use]
    pub fn back(self, months: i32) -> Self {
        Self(self.0.checked_sub(months.months()).unwrap_or(self.0))
    }
}

/// `2026-11`
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl FromStr for Month {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(format!("{text}-01").parse()?))
    }
}

/// What one roll-up is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    Day(Date),
    Month(Month),
}

impl Period {
    /// The roll-ups that a fact of this moment is counted in.
    #[must_use]
    pub fn all_of(at: Timestamp) -> [Self; 2] {
        let day = day(at);
        [Self::Day(day), Self::Month(Month::of(day))]
    }
}

/// The day that it is then, in UTC.
#[must_use]
pub fn day(at: Timestamp) -> Date {
    at.to_zoned_datetime(TimeZone::UTC).date()
}

/// What is known of one service: by day lately, by month for longer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    pub days: BTreeMap<Date, Tally>,
    pub months: BTreeMap<Month, Tally>,
}

/// Before and after a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohorts {
    /// The day from which on it is after. Where nothing is known of single days any more, the first of a month.
    pub cut: Date,
    pub before: (Tally, u64),
    pub after: (Tally, u64),
}

impl Timeline {
    pub fn note(&mut self, period: Period, tally: Tally) {
        match period {
            Period::Day(day) => drop(self.days.insert(day, tally)),
            Period::Month(month) => drop(self.months.insert(month, tally)),
        }
    }

    /// From one day until the other, inclusive, by their days.
    #[must_use]
    pub fn days(&self, from: Date, until: Date) -> Tally {
        let mut all = Tally::default();
        if from <= until {
            self.days.range(from..=until).for_each(|(_, tally)| all.merge(tally));
        }
        all
    }

    /// Before and after this day, of `months` back from `today`: whole months by their own roll-ups, the one that is cut by its
    /// days. Nothing is known of days before `days_since`: a cut before that is moved to the first of its month.
    #[must_use]
    pub fn cohorts(&self, cut: Date, from: Month, today: Date, days_since: Date) -> Cohorts {
        let cut_month = Month::of(cut);
        let cut = if cut_month.first() < days_since { cut_month.first() } else { cut };
        let yesterday = cut.yesterday().unwrap_or(cut);
        let (mut before, mut after) = (Tally::default(), Tally::default());
        for (month, tally) in &self.months {
            match month.cmp(&cut_month) {
                _ if *month < from || month.first() > today => {}
                std::cmp::Ordering::Less => before.merge(tally),
                std::cmp::Ordering::Greater => after.merge(tally),
                std::cmp::Ordering::Equal if cut == cut_month.first() => after.merge(tally),
                std::cmp::Ordering::Equal => {
                    before.merge(&self.days(cut_month.first(), yesterday));
                    after.merge(&self.days(cut, cut_month.last()));
                }
            }
        }
        // What nothing is known of does not make a rate smaller: time begins with the first roll-up.
        let known = self.months.keys().find(|month| **month >= from).map_or(cut, |month| month.first());
        Cohorts { cut, before: (before, days_between(known, yesterday)), after: (after, days_between(cut, today)) }
    }
}

/// How many days there are from one until the other, both counted.
#[must_use]
pub fn days_between(from: Date, until: Date) -> u64 {
    let days = from.until(until).map_or(0, |span| i64::from(span.get_days()) + 1);
    u64::try_from(days).unwrap_or(0)
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
