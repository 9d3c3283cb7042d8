//! One recurrence rule, walked by `calcard` in local time, with a bound on the work.
//!
//! UNTIL, which may be in UTC, is brought to the wall clock that the rule runs by.

use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarFrequency, ICalendarProperty,
    ICalendarRecurrenceRule, ICalendarValue,
};
use jiff::Timestamp;
use jiff::civil::{DateTime, time};
use jiff::tz::TimeZone;

use super::HORIZON;
use super::event::{Moment, clock, date, offset};

/// The most occurrences of one rule; those before our time count too.
const MOST_STEPS: usize = 30_000;

/// How many days the rules of a file may be walked over. A rule that finds nothing costs `calcard` a long search.
pub(super) struct Budget(i64);

const EACH_RULE: i64 = 1_000;
const FOUND_NOTHING: i64 = 2_000_000;

impl Default for Budget {
    fn default() -> Self {
        Self(5_000_000)
    }
}

impl Budget {
    pub(super) fn is_spent(&self) -> bool {
        self.0 <= 0
    }
}

/// The occurrences of a rule from `start` on, as times on the wall of the zone of `start`.
pub(super) fn walk(
    rule: &ICalendarRecurrenceRule,
    start: &Moment,
    budget: &mut Budget,
) -> Result<Vec<DateTime>, String> {
    let a_day = rule.byhour.len().max(1) * rule.byminute.len().max(1) * rule.bysecond.len().max(1);
    if rule.freq >= ICalendarFrequency::Hourly || a_day > 24 {
        return Err("recurs many times a day: write longer events".to_owned());
    }
    let horizon = HORIZON.to_datetime(time(23, 59, 59, 0));
    let until = match &rule.until {
        Some(until) => last(until, start).ok_or("has an RRULE with an UNTIL that cannot be read")?.min(horizon),
        None => horizon,
    };
    if until < start.wall {
        return Ok(Vec::new());
    }
    let days = start.wall.date().until(until.date()).map_or(i32::MAX, |span| span.get_days());
    budget.0 -= i64::from(days) / i64::from(rule.interval.unwrap_or(1).max(1)) + EACH_RULE;
    if budget.is_spent() {
        return Ok(Vec::new());
    }
    let rule = ICalendarRecurrenceRule { until: Some(partial(until)?), ..rule.clone() };
    let expanded = alone(rule, partial(start.wall)?).expand_dates(Tz::Floating, MOST_STEPS);
    if let Some(error) = expanded.errors.first() {
        let error = error.error.to_string();
        let error = domain::text::line(error.trim_start_matches("RRule error: "), 120);
        return Err(format!("has an RRULE that is not allowed: {error}"));
    }
    match expanded.events.len() {
        0 => {
            budget.0 -= FOUND_NOTHING;
            Err("has an RRULE that never comes true".to_owned())
        }
        MOST_STEPS.. => Err(format!("recurs more than {MOST_STEPS} times: give its rule an UNTIL or COUNT")),
        _ => Ok(expanded.events.iter().filter_map(|event| wall(event.timestamps().0)).collect()),
    }
}

/// The last moment on the wall at which the rule may still come true.
fn last(until: &PartialDateTime, start: &Moment) -> Option<DateTime> {
    let day = date(until)?;
    let (Some(hour), Some(minute)) = (until.hour, until.minute) else {
        return Some(day.to_datetime(time(23, 59, 59, 0)));
    };
    let wall = day.to_datetime(clock(hour, minute, until.second.unwrap_or(0))?);
    match (offset(until), &start.zone) {
        (Some(offset), Some(zone)) => Some(zone.to_datetime(offset.to_timestamp(wall).ok()?)),
        (Some(_) | None, _) => Some(wall),
    }
}

/// A calendar of one event that recurs by one rule, without a zone.
fn alone(rule: ICalendarRecurrenceRule, start: PartialDateTime) -> ICalendar {
    let entry = |name, value| ICalendarEntry { name, params: Vec::new(), values: vec![value] };
    let event = ICalendarComponent {
        component_type: ICalendarComponentType::VEvent,
        entries: vec![
            entry(ICalendarProperty::Dtstart, ICalendarValue::PartialDateTime(Box::new(start))),
            entry(ICalendarProperty::Rrule, ICalendarValue::RecurrenceRule(Box::new(rule))),
        ],
        component_ids: Vec::new(),
    };
    ICalendar { components: vec![event] }
}

fn partial(wall: DateTime) -> Result<PartialDateTime, String> {
    let before_christ = |_| "is before the year 0".to_owned();
    Ok(PartialDateTime {
        year: Some(u16::try_from(wall.year()).map_err(before_christ)?),
        month: Some(wall.month().unsigned_abs()),
        day: Some(wall.day().unsigned_abs()),
        hour: Some(wall.hour().unsigned_abs()),
        minute: Some(wall.minute().unsigned_abs()),
        second: Some(wall.second().unsigned_abs()),
        ..PartialDateTime::default()
    })
}

/// `calcard` tells a time without a zone as if it were UTC.
fn wall(second: i64) -> Option<DateTime> {
    Some(TimeZone::UTC.to_datetime(Timestamp::from_second(second).ok()?))
}
