//! One VEVENT, understood: its times with their zones, its rules, what it adds, excludes or stands in for.

use calcard::common::PartialDateTime;
use calcard::icalendar::timezone::TzResolver;
use calcard::icalendar::{
    ICalendarComponent, ICalendarDuration, ICalendarEntry, ICalendarParameterName, ICalendarPeriod, ICalendarProperty,
    ICalendarRecurrenceRule, ICalendarStatus, ICalendarValue,
};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// A time as it is written: on the wall of a zone, or a whole day, which is of no zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    pub wall: DateTime,
    pub zone: Option<TimeZone>,
}

/// By what two writings of one occurrence are known to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Day(Date),
    Time(Timestamp),
}

impl Moment {
    /// In a skipped hour, by the offset before it; in a repeated one, the first: as RFC 5545 says.
    pub(super) fn at(&self) -> Option<Timestamp> {
        self.zone.as_ref().unwrap_or(&TimeZone::UTC).to_timestamp(self.wall).ok()
    }

    /// Its key among occurrences that are whole days, or are not.
    pub(super) fn key(&self, whole_days: bool) -> Option<Key> {
        if whole_days || self.zone.is_none() { Some(Key::Day(self.wall.date())) } else { self.at().map(Key::Time) }
    }

    /// What may be written to mean it: its time, or only its day.
    pub(super) fn keys(&self) -> [Option<Key>; 2] {
        [self.key(false), self.key(true)]
    }
}

/// Days by the calendar, then a length by the stopwatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    pub days: i64,
    pub exact: SignedDuration,
}

#[derive(Debug)]
pub(super) struct Event {
    pub name: String,
    pub start: Moment,
    pub length: Length,
    pub rules: Vec<ICalendarRecurrenceRule>,
    /// RDATE, each with its own length if it has one.
    pub also: Vec<(Moment, Option<Length>)>,
    /// EXDATE.
    pub without: Vec<Moment>,
    /// RECURRENCE-ID: the occurrence that it stands in for.
    pub instead_of: Option<Moment>,
    pub sequence: i64,
    pub cancelled: bool,
}

impl Event {
    pub(super) fn problem(&self, what: &str) -> String {
        problem(&self.name, what)
    }
}

fn problem(name: &str, what: &str) -> String {
    format!("the event \"{name}\" {what}")
}

type Zones<'a> = TzResolver<&'a str>;

/// `Err`: what is wrong with the event.
pub(super) fn read(component: &ICalendarComponent, zones: &Zones<'_>, floating: &TimeZone) -> Result<Event, String> {
    let name = component.property(&ICalendarProperty::Summary).and_then(|e| e.values.first()?.as_text());
    let name = domain::text::line(name.unwrap_or("without a SUMMARY"), 80);
    Reader { component, zones, floating }.event(name.clone()).map_err(|what| problem(&name, &what))
}

struct Reader<'a> {
    component: &'a ICalendarComponent,
    zones: &'a Zones<'a>,
    floating: &'a TimeZone,
}

impl Reader<'_> {
    fn event(&self, name: String) -> Result<Event, String> {
        let instead_of = self.moment(ICalendarProperty::RecurrenceId)?;
        let whole_series = self
            .component
            .property(&ICalendarProperty::RecurrenceId)
            .is_some_and(|e| e.has_parameter(&ICalendarParameterName::Range));
        if whole_series {
            return Err("changes all that follow (RANGE=THISANDFUTURE): write that as an event of its own".to_owned());
        }
        let cancelled = self.component.status() == Some(&ICalendarStatus::Cancelled);
        let start = match self.moment(ICalendarProperty::Dtstart)? {
            Some(start) => start,
            None => instead_of.clone().filter(|_| cancelled).ok_or("has no DTSTART")?,
        };
        let length = self.length(&start)?;
        let mut rules = Vec::new();
        for entry in self.entries(ICalendarProperty::Rrule) {
            match entry.values.first() {
                Some(ICalendarValue::RecurrenceRule(rule)) => rules.push((**rule).clone()),
                Some(_) | None => return Err("has an RRULE that cannot be read".to_owned()),
            }
        }
        if self.entries(ICalendarProperty::Exrule).next().is_some() {
            return Err("has an EXRULE, which is no longer part of iCalendar: write EXDATE".to_owned());
        }
        let (mut also, mut without) = (Vec::new(), Vec::new());
        for entry in self.entries(ICalendarProperty::Rdate) {
            for value in &entry.values {
                also.push(self.additional(entry, value)?);
            }
        }
        for entry in self.entries(ICalendarProperty::Exdate) {
            for value in &entry.values {
                without.push(self.written(entry, value)?);
            }
        }
        let sequence =
            self.component.property(&ICalendarProperty::Sequence).and_then(|e| e.values.first()?.as_integer());
        let sequence = sequence.unwrap_or(0);
        Ok(Event { name, start, length, rules, also, without, instead_of, sequence, cancelled })
    }

    fn entries(&self, name: ICalendarProperty) -> impl Iterator<Item = &ICalendarEntry> {
        self.component.entries.iter().filter(move |entry| entry.name == name)
    }

    fn moment(&self, name: ICalendarProperty) -> Result<Option<Moment>, String> {
        let Some(entry) = self.component.property(&name) else {
            return Ok(None);
        };
        let value = entry.values.first().ok_or_else(|| format!("has an empty {}", name.as_str()))?;
        self.written(entry, value).map(Some)
    }

    fn written(&self, entry: &ICalendarEntry, value: &ICalendarValue) -> Result<Moment, String> {
        let time = value.as_partial_date_time();
        self.at(entry, time.ok_or_else(|| unreadable(entry))?)
    }

    fn at(&self, entry: &ICalendarEntry, time: &PartialDateTime) -> Result<Moment, String> {
        let day = date(time).ok_or_else(|| unreadable(entry))?;
        let (Some(hour), Some(minute)) = (time.hour, time.minute) else {
            return Ok(Moment { wall: day.into(), zone: None });
        };
        let clock = clock(hour, minute, time.second.unwrap_or(0)).ok_or_else(|| unreadable(entry))?;
        let zone = match (offset(time), entry.tz_id()) {
            (Some(offset), _) => offset,
            (None, Some(name)) => self.zone(name).ok_or_else(|| {
                let name = domain::text::line(name, 60);
                format!("is in the zone `{name}`, which is not known: write a TZID such as Europe/Stockholm")
            })?,
            (None, None) => self.floating.clone(),
        };
        Ok(Moment { wall: day.to_datetime(clock), zone: Some(zone) })
    }

    /// By the file's own VTIMEZONE, by the names of Windows and Outlook, or by the name in the zone database, which
    /// registries put behind a path of their own: `/freeassociation.sourceforge.net/Europe/Berlin`.
    fn zone(&self, name: &str) -> Option<TimeZone> {
        if let Some(known) = self.zones.resolve(name).and_then(|zone| zone.name()) {
            return TimeZone::get(&known).ok();
        }
        let within = name.starts_with('/').then(|| name.match_indices('/').map(|(slash, _)| &name[slash + 1..]));
        std::iter::once(name).chain(within.into_iter().flatten()).find_map(|name| TimeZone::get(name).ok())
    }

    fn additional(&self, entry: &ICalendarEntry, value: &ICalendarValue) -> Result<(Moment, Option<Length>), String> {
        let ICalendarValue::Period(period) = value else {
            return Ok((self.written(entry, value)?, None));
        };
        match period {
            ICalendarPeriod::Range { start, end } => {
                let (start, end) = (self.at(entry, start)?, self.at(entry, end)?);
                let length = between(&start, &end)?;
                Ok((start, Some(length)))
            }
            ICalendarPeriod::Duration { start, duration } => Ok((self.at(entry, start)?, Some(lasting(duration)))),
        }
    }

    fn length(&self, start: &Moment) -> Result<Length, String> {
        if let Some(end) = self.moment(ICalendarProperty::Dtend)? {
            return between(start, &end);
        }
        let Some(entry) = self.component.property(&ICalendarProperty::Duration) else {
            // A whole day, or a moment that takes no time.
            return Ok(Length { days: i64::from(start.zone.is_none()), exact: SignedDuration::ZERO });
        };
        match entry.values.first() {
            Some(ICalendarValue::Duration(duration)) => Ok(lasting(duration)),
            Some(_) | None => Err(unreadable(entry)),
        }
    }
}

fn unreadable(entry: &ICalendarEntry) -> String {
    format!("has a {} that cannot be read: write it as 20260106 or 20260106T090000Z", entry.name.as_str())
}

fn between(start: &Moment, end: &Moment) -> Result<Length, String> {
    if start.zone.is_none() != end.zone.is_none() {
        return Err("begins with a day and ends with a time, or the other way round".to_owned());
    }
    let length = match start.zone {
        None => start
            .wall
            .date()
            .until(end.wall.date())
            .ok()
            .map(|span| Length { days: i64::from(span.get_days()), exact: SignedDuration::ZERO }),
        Some(_) => start.at().zip(end.at()).map(|(from, until)| Length { days: 0, exact: until.duration_since(from) }),
    };
    length
        .filter(|length| length.days >= 0 && !length.exact.is_negative())
        .ok_or_else(|| "ends before it begins".to_owned())
}

fn lasting(duration: &ICalendarDuration) -> Length {
    let sign = if duration.neg { -1 } else { 1 };
    let seconds = i64::from(duration.hours) * 3600 + i64::from(duration.minutes) * 60 + i64::from(duration.seconds);
    Length {
        days: sign * (i64::from(duration.weeks) * 7 + i64::from(duration.days)),
        exact: SignedDuration::from_secs(sign * seconds),
    }
}

pub(super) fn date(time: &PartialDateTime) -> Option<Date> {
    let (year, month, day) = (time.year?, time.month?, time.day?);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// A leap second is taken for the second before it.
pub(super) fn clock(hour: u8, minute: u8, second: u8) -> Option<Time> {
    let part = |n: u8| i8::try_from(n).ok();
    Time::new(part(hour)?, part(minute)?, part(second.min(59))?, 0).ok()
}

/// The zone of a time that says its offset; almost always UTC.
pub(super) fn offset(time: &PartialDateTime) -> Option<TimeZone> {
    let seconds = i32::from(time.tz_hour?) * 3600 + i32::from(time.tz_minute.unwrap_or(0)) * 60;
    match if time.tz_minus { -seconds } else { seconds } {
        0 => Some(TimeZone::UTC),
        seconds => Offset::from_seconds(seconds).ok().map(TimeZone::fixed),
    }
}
