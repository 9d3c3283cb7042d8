//! Kinds of time, for a person or a service: working hours, outside of them, the weekend, a holiday, an event.
//!
//! All is computed in named zones, with one rule where the clocks change: a shift and a day begin and end at the
//! first moment at which the wall clock shows their time *or later*. So hours that begin in a skipped hour begin
//! when it was skipped, and a repeated hour neither begins nor ends anything twice.
//!
//! Absent on purpose: reading calendars (`aws::settings`), recurrence (they arrive expanded), and what a kind of
//! time means for merges, deployments and pages.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::civil::{self, Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// How far ahead the next working moment is looked for.
const LOOK_AHEAD_DAYS: i64 = 400;

/// When somebody works, in an ordinary week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingHours {
    pub zone: TimeZone,
    /// Monday first. `None`: no work begins that day. An end at or before the start means the next day.
    pub week: [Option<(civil::Time, civil::Time)>; 7],
}

impl WorkingHours {
    fn on(&self, day: Date) -> Option<(civil::Time, civil::Time)> {
        self.week[usize::from(day.weekday().to_monday_zero_offset().unsigned_abs())]
    }

    /// From when until when is worked in the shift that begins on `day`.
    pub(crate) fn shift(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let (start, end) = self.on(day)?;
        let last = if end <= start { day.tomorrow().ok()? } else { day };
        Some((first_moment(&self.zone, day.to_datetime(start))?, first_moment(&self.zone, last.to_datetime(end))?))
    }
}

/// What sets a time apart, the higher rank last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OccasionKind {
    /// Something happens that the work has to make room for: a hackathon, Cyber Monday.
    Event,
    /// A public or company holiday.
    Holiday,
    /// One person is away.
    DayOff,
}

/// When an occasion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// Whole days, inclusive, in the zone of whoever's timetable it is.
    Days { first: Date, last: Date },
    /// From a moment until just before another, the same for everybody.
    Times { from: Timestamp, until: Timestamp },
}

impl Span {
    /// From when until when, for whoever lives in this zone; none at the ends of the calendar.
    #[must_use]
    pub fn moments(self, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        match self {
            Self::Days { first, last } => {
                Some((first_moment(zone, first.into())?, first_moment(zone, last.tomorrow().ok()?.into())?))
            }
            Self::Times { from, until } => Some((from, until)),
        }
    }
}

/// A time that is set apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion {
    pub name: String,
    pub kind: OccasionKind,
    pub span: Span,
}

/// For each point at which that changes: which occasion ranks highest from then on.
type Turns<T> = Vec<(T, Option<usize>)>;

/// Many occasions, by time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    occasions: Vec<Occasion>,
    days: Turns<Date>,
    times: Turns<Timestamp>,
}

impl Calendar {
    /// An occasion that ends before it begins is kept and covers nothing.
    #[must_use]
    pub fn new(occasions: impl IntoIterator<Item = Occasion>) -> Self {
        let mut occasions: Vec<Occasion> = occasions.into_iter().collect();
        occasions.sort_by(|a, b| (a.span, Reverse(a.kind), &a.name).cmp(&(b.span, Reverse(b.kind), &b.name)));
        let (mut days, mut times) = (Vec::new(), Vec::new());
        for (index, occasion) in occasions.iter().enumerate() {
            let rank = (Reverse(occasion.kind), index);
            match occasion.span {
                Span::Days { first, last } => days.push((first, last.tomorrow().ok(), rank)),
                Span::Times { from, until } => times.push((from, Some(until), rank)),
            }
        }
        Self { occasions, days: turns(days), times: turns(times) }
    }

    /// By when they begin, those of whole days first.
    #[must_use]
    pub fn occasions(&self) -> &[Occasion] {
        &self.occasions
    }

    /// The highest-ranking occasion at a moment that is on `day` for whoever asks.
    fn highest(&self, at: Timestamp, day: Date) -> Option<&Occasion> {
        let found = [turn_at(&self.days, day), turn_at(&self.times, at)];
        found.into_iter().flatten().filter_map(|index| self.occasions.get(index)).min_by_key(|o| Reverse(o.kind))
    }
}

type Rank = (Reverse<OccasionKind>, usize);

/// Sweeps over spans (first, just after the last, rank) once, so that every later question is a binary search.
fn turns<T: Ord + Copy>(spans: Vec<(T, Option<T>, Rank)>) -> Turns<T> {
    let mut edges: Vec<(T, bool, Rank)> = Vec::with_capacity(spans.len() * 2);
    for (from, until, rank) in spans.into_iter().filter(|(from, until, _)| until.is_none_or(|until| *from < until)) {
        edges.push((from, true, rank));
        edges.extend(until.map(|until| (until, false, rank)));
    }
    edges.sort();
    let mut running: BTreeSet<Rank> = BTreeSet::new();
    let mut turns: Turns<T> = Vec::new();
    for same in edges.chunk_by(|a, b| a.0 == b.0) {
        for (_, begins, rank) in same {
            if *begins {
                running.insert(*rank)
            } else {
                running.remove(rank)
            };
        }
        let highest = running.first().map(|(_, index)| *index);
        if turns.last().is_none_or(|(_, before)| *before != highest) {
            turns.push((same[0].0, highest));
        }
    }
    turns
}

fn turn_at<T: Ord>(turns: &Turns<T>, at: T) -> Option<usize> {
    let after = turns.partition_point(|(from, _)| *from <= at);
    turns[..after].last().and_then(|(_, index)| *index)
}

/// What kind of time it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TimeKind {
    Working,
    OffHours,
    Weekend,
    DayOff { name: String },
    Holiday { name: String },
    Event { name: String },
}

impl TimeKind {
    #[must_use]
    pub fn is_working(&self) -> bool {
        matches!(self, Self::Working)
    }
}

impl fmt::Display for TimeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, name) = match self {
            Self::Working => ("working hours", ""),
            Self::OffHours => ("outside working hours", ""),
            Self::Weekend => ("the weekend", ""),
            Self::DayOff { name } => ("a day off", name.as_str()),
            Self::Holiday { name } => ("a public holiday", name.as_str()),
            Self::Event { name } => ("an event", name.as_str()),
        };
        if name.is_empty() { f.write_str(what) } else { write!(f, "{what} ({name})") }
    }
}

/// The times of one person or service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    /// In which days off, holidays and events of whole days are meant.
    pub zone: TimeZone,
    /// `None`: every time that no occasion covers is working time.
    pub hours: Option<WorkingHours>,
    pub calendars: Vec<Arc<Calendar>>,
}

impl Timetable {
    /// Always working: no hours, no calendars.
    #[must_use]
    pub fn always(zone: TimeZone) -> Self {
        Self { zone, hours: None, calendars: Vec::new() }
    }

    /// A day off before a holiday, before an event, before the weekend, before outside working hours. The weekend
    /// is every day of the week without hours, except what the shift of the day before still covers.
    #[must_use]
    pub fn kind_at(&self, at: Timestamp) -> TimeKind {
        if let Some(occasion) = self.occasion_at(at) {
            let name = occasion.name.clone();
            return match occasion.kind {
                OccasionKind::DayOff => TimeKind::DayOff { name },
                OccasionKind::Holiday => TimeKind::Holiday { name },
                OccasionKind::Event => TimeKind::Event { name },
            };
        }
        let Some(hours) = &self.hours else {
            return TimeKind::Working;
        };
        let day = day_at(&hours.zone, at);
        let works = |day| hours.shift(day).is_some_and(|(from, until)| from <= at && at < until);
        if works(day) || day.yesterday().is_ok_and(works) {
            TimeKind::Working
        } else if hours.on(day).is_none() {
            TimeKind::Weekend
        } else {
            TimeKind::OffHours
        }
    }

    /// The highest-ranking occasion that covers `at`; of equals that of the first calendar.
    #[must_use]
    pub fn occasion_at(&self, at: Timestamp) -> Option<&Occasion> {
        if self.calendars.is_empty() {
            return None;
        }
        let day = day_at(&self.zone, at);
        self.calendars.iter().filter_map(|calendar| calendar.highest(at, day)).min_by_key(|o| Reverse(o.kind))
    }

    /// The first moment from `from` on that is working time; `None` if there is none within 400 days.
    #[must_use]
    pub fn next_working(&self, from: Timestamp) -> Option<Timestamp> {
        let limit = from.checked_add(SignedDuration::from_hours(24 * LOOK_AHEAD_DAYS)).unwrap_or(Timestamp::MAX);
        let Some(hours) = &self.hours else {
            return self.free(from, limit);
        };
        let today = day_at(&hours.zone, from);
        let shifts = today.yesterday().unwrap_or(today).series(1.day()).map(|day| (day, hours.shift(day)));
        let last = day_at(&hours.zone, limit);
        shifts
            .take_while(|(day, _)| *day <= last)
            .filter_map(|(_, shift)| shift)
            .find_map(|(start, end)| self.free(start.max(from), end.min(limit)))
    }

    /// The first moment of a stretch that no occasion covers.
    fn free(&self, mut at: Timestamp, until: Timestamp) -> Option<Timestamp> {
        while at < until {
            let Some(occasion) = self.occasion_at(at) else {
                return Some(at);
            };
            let end = match occasion.span {
                Span::Days { last, .. } => first_moment(&self.zone, last.tomorrow().ok()?.into())?,
                Span::Times { until, .. } => until,
            };
            at = Some(end).filter(|end| at < *end)?;
        }
        None
    }
}

/// The first moment at which the clock on the wall shows `time` or later; none at the ends of the calendar.
fn first_moment(zone: &TimeZone, time: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
        // Read with the later offset it lies before the change, so the change is the next one.
        AmbiguousOffset::Gap { .. } => {
            zone.following(ambiguous.earlier().ok()?).next().map(|change| change.timestamp())
        }
    }
}

/// The day that `at` belongs to. Where clocks go back over midnight the new day has begun all the same.
pub(crate) fn day_at(zone: &TimeZone, at: Timestamp) -> Date {
    let day = zone.to_datetime(at).date();
    let next = day.tomorrow().ok();
    next.filter(|next| first_moment(zone, (*next).into()).is_some_and(|start| start <= at)).unwrap_or(day)
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
