//! `[calendars.<id>]`, and what a person or a service says of its own times: `zone`, `hours`, `calendars`, `days_off`,
//! `maintenance`.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::maintenance::LONGEST;
use domain::measures::digest::Weekly;
use domain::{Calendar, Occasion, OccasionKind, Span, Timetable, WorkingHours};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use super::icalendar;
use super::section::Section;

/// Every calendar by its id.
pub(super) type Calendars = BTreeMap<String, Arc<Calendar>>;

const WEEK: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

pub(super) fn read(root: &mut Section<'_, '_>) -> Calendars {
    root.tables("calendars", |id, section| Arc::new(calendar(id, section)))
}

fn calendar(id: &str, section: &mut Section<'_, '_>) -> Calendar {
    let zone = zone(section);
    if !section.has("kind") {
        section.problem("`kind` is missing");
    }
    let kinds = [("holiday", OccasionKind::Holiday), ("event", OccasionKind::Event)];
    let kind = section.choice("kind", &kinds).unwrap_or(OccasionKind::Holiday);
    let name = section.text("name").unwrap_or_else(|| id.to_owned());
    let mut occasions = days(section, "days", &domain::text::line(&name, 80), kind);
    if let Some(text) = section.file("file") {
        match icalendar::read(&text, &zone, kind) {
            Ok(read) => occasions.extend(read),
            Err(problems) => {
                problems.into_iter().for_each(|what| section.problem_with("file", format!("`file`: {what}")));
            }
        }
    }
    if !section.has("file") && !section.has("days") {
        section.problem("has neither `file`, an iCalendar file, nor `days`");
    }
    Calendar::new(occasions)
}

/// Explicit, because a wrong zone is worse than none.
pub(super) fn zone(section: &mut Section<'_, '_>) -> TimeZone {
    let name = section.need_text("zone");
    if name.is_empty() {
        return TimeZone::UTC;
    }
    TimeZone::get(&name).unwrap_or_else(|_| {
        section.problem_with(
            "zone",
            format!("`{}` is not a time zone; write one such as \"Europe/London\"", domain::text::line(&name, 60)),
        );
        TimeZone::UTC
    })
}

/// A person's times, in the person's zone.
pub(super) fn of_person(section: &mut Section<'_, '_>, zone: &TimeZone, known: &Calendars) -> Timetable {
    let mut timetable = timetable(section, zone, known);
    let days_off = days(section, "days_off", "", OccasionKind::DayOff);
    if !days_off.is_empty() {
        timetable.calendars.push(Arc::new(Calendar::new(days_off)));
    }
    timetable
}

/// A service's times. Its zone has to be written where it means something.
pub(super) fn of_service(section: &mut Section<'_, '_>, known: &Calendars) -> Timetable {
    let timed = ["zone", "hours", "calendars", "maintenance", "digest"].into_iter().any(|key| section.has(key));
    let zone = if timed { zone(section) } else { TimeZone::UTC };
    timetable(section, &zone, known)
}

/// `hours` and `calendars`.
fn timetable(section: &mut Section<'_, '_>, zone: &TimeZone, known: &Calendars) -> Timetable {
    let hours = weekly(section, "hours", zone);
    let mut calendars = Vec::new();
    for (id, span) in section.texts("calendars") {
        match known.get(&id) {
            Some(calendar) => calendars.push(Arc::clone(calendar)),
            None => {
                let id = domain::text::line(&id, 60);
                section.problem_in(&span, format!("`calendars` names {id}, but there is no [calendars.{id}]"));
            }
        }
    }
    Timetable { zone: zone.clone(), hours, calendars }
}

/// `maintenance = ["Sun 02:00-04:00"]`: when in each week a service may break, in its zone.
pub(super) fn maintenance(section: &mut Section<'_, '_>, zone: &TimeZone) -> Option<WorkingHours> {
    let weekly = weekly(section, "maintenance", zone)?;
    let minutes = |(start, end): &(Time, Time)| {
        let minutes = start.duration_until(*end).as_mins();
        if minutes > 0 { minutes } else { minutes + 24 * 60 }
    };
    if weekly.week.iter().flatten().map(minutes).sum::<i64>() > LONGEST.as_mins() {
        let what = "`maintenance` is more than three days of the week: that would hide incidents; see `mode`";
        section.problem_with("maintenance", what);
    }
    Some(weekly)
}

/// `digest = "Mon 09:00"`: when in each week its channel reads what the week was like, in its zone.
pub(super) fn digest(section: &mut Section<'_, '_>) -> Option<Weekly> {
    let text = section.text("digest")?;
    let read = || {
        let (day, time) = text.split_once(char::is_whitespace)?;
        let day = WEEK.iter().position(|known| known.eq_ignore_ascii_case(day))?;
        let day = Weekday::from_monday_zero_offset(i8::try_from(day).ok()?).ok()?;
        Some(Weekly { day, at: Time::strptime("%H:%M", time.trim()).ok()? })
    };
    let weekly = read();
    if weekly.is_none() {
        section.problem_with("digest", "`digest` is a day of the week and a time, such as \"Mon 09:00\"");
    } else if !section.has("channel") {
        section.problem_with("digest", "`digest` is told to the service's `channel`, and it has none");
    }
    weekly
}

/// `hours = "Mon-Fri 09:00-17:00"`, or a list of such.
fn weekly(section: &mut Section<'_, '_>, key: &str, zone: &TimeZone) -> Option<WorkingHours> {
    let entries = section.text_or_texts(key);
    let mut week = [None; 7];
    for (text, span) in &entries {
        let Some((days, shift)) = shift(text) else {
            let what = format!("an entry of `{key}` is such as \"Mon-Fri 09:00-17:00\" or \"Sat 22:00-06:00\"");
            section.problem_in(span, what);
            continue;
        };
        for day in days {
            if week[day].replace(shift).is_some() {
                section.problem_in(span, format!("`{key}` names {} twice", WEEK[day]));
            }
        }
    }
    (!entries.is_empty()).then(|| WorkingHours { zone: zone.clone(), week })
}

/// Days, counted from Monday, and the shift that begins on each of them.
fn shift(text: &str) -> Option<(Vec<usize>, (Time, Time))> {
    let (days, times) = text.split_once(char::is_whitespace)?;
    let day = |name: &str| WEEK.iter().position(|known| known.eq_ignore_ascii_case(name.trim()));
    let (first, last) = match days.split_once('-') {
        Some((first, last)) => (day(first)?, day(last)?),
        None => (day(days)?, day(days)?),
    };
    let days = (0..=(last + 7 - first) % 7).map(|further| (first + further) % 7).collect();
    let (start, end) = times.split_once('-')?;
    let clock = |text: &str| Time::strptime("%H:%M", text.trim()).ok();
    let end = if end.trim() == "24:00" { Some(Time::midnight()) } else { clock(end) };
    Some((days, (clock(start)?, end?)))
}

/// `["2026-12-25", "2026-12-28..2027-01-01"]`, the last day included.
pub(super) fn days(section: &mut Section<'_, '_>, key: &str, name: &str, kind: OccasionKind) -> Vec<Occasion> {
    let mut found = Vec::new();
    for (text, span) in section.texts(key) {
        let (first, last) = text.split_once("..").unwrap_or((&text, &text));
        match (day(first), day(last)) {
            (Some(first), Some(last)) if first <= last => {
                found.push(Occasion { name: name.to_owned(), kind, span: Span::Days { first, last } });
            }
            (Some(_), Some(_)) => section.problem_in(&span, format!("`{key}` has days that end before they begin")),
            (Some(_) | None, _) => section.problem_in(
                &span,
                format!("an entry of `{key}` is a day such as \"2026-12-25\", or several: \"2026-12-28..2027-01-01\""),
            ),
        }
    }
    found
}

fn day(text: &str) -> Option<Date> {
    Date::strptime("%Y-%m-%d", text.trim()).ok().filter(|day| (2000..2100).contains(&day.year()))
}

#[cfg(test)]
#[path = "calendars_tests.rs"]
mod tests;
