//! An iCalendar file (RFC 5545) becomes occasions: holidays or events, every recurrence written out.
//!
//! `calcard` reads the text and walks each recurrence rule in local time; here the events of a file are put
//! together (RDATE, EXDATE, overrides by UID) and given their zones. Never silently wrong: whatever is not
//! understood is a problem. Bounded in size and work, and by a fixed horizon, so that the same file reads the same
//! on every day. Deliberately absent: to-dos, alarms, and TRANSP, which public holiday calendars set at will.

mod event;
mod rule;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use calcard::icalendar::{ICalendar, ICalendarComponentType};
use calcard::{Entry, Parser};
use domain::{Occasion, OccasionKind, Span};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use event::{Event, Key, Length, Moment};
use rule::Budget;

const MOST_BYTES: usize = 1_000_000;
/// Occasions of one calendar.
const MOST: usize = 5_000;
/// Problems that are told of one file.
const MOST_PROBLEMS: usize = 10;
/// What ends before this is history.
const FROM: Date = civil::date(2000, 1, 1);
/// The last day to which rules without an end are written out.
const HORIZON: Date = civil::date(2060, 12, 31);

/// The occasions of a file, by the zone in which its floating times are meant; else all that is wrong with it. A file without any
/// is the wrong file.
pub fn read(text: &str, zone: &TimeZone, kind: OccasionKind) -> Result<Vec<Occasion>, Vec<String>> {
    occasions(text, zone, kind, Some("has no events (VEVENT)"))
}

/// The same, of a calendar that somebody keeps elsewhere: just now it may have none.
pub fn read_kept(text: &str, zone: &TimeZone, kind: OccasionKind) -> Result<Vec<Occasion>, Vec<String>> {
    occasions(text, zone, kind, None)
}

fn occasions(
    text: &str,
    zone: &TimeZone,
    kind: OccasionKind,
    empty: Option<&str>,
) -> Result<Vec<Occasion>, Vec<String>> {
    if text.len() > MOST_BYTES {
        return Err(vec!["is larger than 1 MB: leave in it what is still to come".to_owned()]);
    }
    let mut problems = text::check(text);
    let mut found = Found { zone, kind, occasions: Vec::new(), budget: Budget::default() };
    let (mut calendars, mut events) = (0, 0);
    for calendar in parse(text) {
        calendars += 1;
        events += found.read(&calendar, &mut problems);
    }
    if calendars == 0 {
        problems.push("has no VCALENDAR: it has to be an iCalendar file".to_owned());
    } else if let Some(problem) = empty.filter(|_| events == 0) {
        problems.push(problem.to_owned());
    }
    if found.budget.is_spent() {
        problems.push("has rules that take too long to follow: give them an UNTIL or COUNT".to_owned());
    } else if found.occasions.len() > MOST {
        problems.push(format!("comes to more than {MOST} occasions until {HORIZON}: give its rules an UNTIL or COUNT"));
    }
    let more = problems.len().saturating_sub(MOST_PROBLEMS);
    if more > 0 {
        problems.truncate(MOST_PROBLEMS);
        problems.push(format!("has {}", domain::text::count(more, "more problem", "more problems")));
    }
    if problems.is_empty() { Ok(found.occasions) } else { Err(problems) }
}

/// The calendars of a text: exports of several are often one file.
fn parse(text: &str) -> Vec<ICalendar> {
    let mut parser = Parser::new(text);
    let mut calendars = Vec::new();
    // Each entry takes at least a byte.
    for _ in 0..=text.len() {
        // Other entries, and lines between them, are not for us; a file that is cut off was found before.
        let entry = parser.entry();
        if entry == Entry::Eof {
            break;
        }
        if let Entry::ICalendar(calendar) = entry {
            calendars.push(calendar);
        }
    }
    calendars.retain(|calendar: &ICalendar| {
        calendar.components.first().is_some_and(|c| c.component_type == ICalendarComponentType::VCalendar)
    });
    calendars
}

struct Found<'z> {
    zone: &'z TimeZone,
    kind: OccasionKind,
    occasions: Vec<Occasion>,
    budget: Budget,
}

impl Found<'_> {
    /// Reads the events of one VCALENDAR; how many there were.
    fn read(&mut self, calendar: &ICalendar, problems: &mut Vec<String>) -> usize {
        let zones = calendar.build_tz_resolver();
        let mut groups: BTreeMap<String, Vec<Event>> = BTreeMap::new();
        let mut events = 0;
        for component in calendar.components.iter().filter(|c| c.component_type == ICalendarComponentType::VEvent) {
            events += 1;
            match event::read(component, &zones, self.zone) {
                // Without a UID nothing can override it.
                Ok(event) => groups
                    .entry(component.uid().map_or_else(|| format!("\n{events}"), str::to_owned))
                    .or_default()
                    .push(event),
                Err(problem) => problems.push(problem),
            }
        }
        for group in groups.into_values() {
            if self.occasions.len() > MOST || self.budget.is_spent() {
                break;
            }
            self.compose(group, problems);
        }
        events
    }

    /// The events of one UID: those that recur, and those that stand in for one of their occurrences.
    fn compose(&mut self, group: Vec<Event>, problems: &mut Vec<String>) {
        let (overrides, series): (Vec<Event>, Vec<Event>) = group.into_iter().partition(|e| e.instead_of.is_some());
        let whole_days = series.iter().any(|event| event.start.zone.is_none());
        let mut instead: BTreeMap<Key, Event> = BTreeMap::new();
        for event in overrides {
            let Some(key) = event.instead_of.as_ref().and_then(|moment| moment.key(whole_days)) else { continue };
            if instead.get(&key).is_none_or(|known| known.sequence <= event.sequence) {
                instead.insert(key, event);
            }
        }
        let mut replaced = BTreeSet::new();
        for event in series.iter().filter(|event| !event.cancelled) {
            if self.occasions.len() > MOST {
                return;
            }
            match self.occurrences(event) {
                Ok(occurrences) => {
                    for (moment, length) in occurrences {
                        match moment.keys().into_iter().flatten().find(|key| instead.contains_key(key)) {
                            Some(key) => drop(replaced.insert(key)),
                            None => self.keep(event, &moment, length, problems),
                        }
                    }
                }
                Err(problem) => problems.push(problem),
            }
        }
        // An override without its occurrence is an invitation to that one alone.
        let cancelled = series.iter().any(|event| event.cancelled);
        for (_, event) in instead.iter().filter(|(key, e)| !e.cancelled && (replaced.contains(key) || !cancelled)) {
            self.keep(event, &event.start, event.length, problems);
        }
    }

    /// Every occurrence of an event, without those that it excludes.
    fn occurrences(&mut self, event: &Event) -> Result<Vec<(Moment, Length)>, String> {
        let whole_days = event.start.zone.is_none();
        let excluded: BTreeSet<Key> = event.without.iter().filter_map(|moment| moment.key(whole_days)).collect();
        let mut all: BTreeMap<Key, (Moment, Length)> = BTreeMap::new();
        let mut add = |moment: Moment, length: Length| {
            if let Some(key) = moment.key(whole_days).filter(|key| !excluded.contains(key)) {
                let by_day = moment.keys().into_iter().flatten().any(|key| excluded.contains(&key));
                if !by_day {
                    all.entry(key).or_insert((moment, length));
                }
            }
        };
        add(event.start.clone(), event.length);
        for (moment, length) in &event.also {
            add(moment.clone(), length.unwrap_or(event.length));
        }
        if event.rules.len() > 10 {
            return Err(event.problem("has more than 10 RRULEs: write several events"));
        }
        for rule in &event.rules {
            for wall in rule::walk(rule, &event.start, &mut self.budget).map_err(|why| event.problem(&why))? {
                add(Moment { wall, zone: event.start.zone.clone() }, event.length);
            }
        }
        Ok(all.into_values().collect())
    }

    /// Keeps what is not history and not beyond the horizon.
    fn keep(&mut self, event: &Event, moment: &Moment, length: Length, problems: &mut Vec<String>) {
        let Some(span) = span(moment, length) else {
            problems.push(event.problem("ends before it begins, or beyond the calendar"));
            return;
        };
        let matters = match span {
            Span::Days { first, last } => last >= FROM && first <= HORIZON,
            Span::Times { from, until } => {
                let day = |at: Timestamp| TimeZone::UTC.to_datetime(at).date();
                from < until && day(until) >= FROM && day(from) <= HORIZON
            }
        };
        if matters {
            self.occasions.push(Occasion { name: event.name.clone(), kind: self.kind, span });
        }
    }
}

/// From a beginning and a length to a span; `None` where there is none.
fn span(moment: &Moment, length: Length) -> Option<Span> {
    match &moment.zone {
        None => {
            let (first, days) = (moment.wall.date(), length.days + length.exact.as_hours() / 24);
            let last = first.checked_add(jiff::Span::new().try_days(days.max(1) - 1).ok()?).ok()?;
            (days >= 0).then_some(Span::Days { first, last })
        }
        Some(zone) => {
            let days = moment.wall.checked_add(jiff::Span::new().try_days(length.days).ok()?).ok()?;
            let (from, until) = (moment.at()?, zone.to_timestamp(days).ok()?.checked_add(length.exact).ok()?);
            (from <= until).then_some(Span::Times { from, until })
        }
    }
}

#[cfg(test)]
#[path = "icalendar_tests.rs"]
mod tests;
