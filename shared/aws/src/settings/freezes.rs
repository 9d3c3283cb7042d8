//! `[freezes.<id>]`: when merging and deploying should wait, or have to.

use std::collections::BTreeSet;

use domain::calendar::Occasion;
use domain::expedite::Lane;
use domain::freeze::{Address, Freeze, Preset, Scope, Stops, Strength, Time};
use domain::{OccasionKind, Roster, Service, ServiceId, Span, Squad, text};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::calendars::{self, Calendars};
use super::icalendar;
use super::section::Section;
use super::sign_in::is_safe;

pub(super) fn read(root: &mut Section<'_, '_>, services: &[Service], calendars: &Calendars) -> Vec<Freeze> {
    let freezes = root.tables("freezes", |id, section| freeze(id, section, services, calendars));
    freezes.into_values().flatten().collect()
}

fn freeze(id: &str, section: &mut Section<'_, '_>, services: &[Service], known: &Calendars) -> Option<Freeze> {
    let zone = calendars::zone(section);
    let (stops, peak) = stops(section);
    let rotation_signs = section.flag("rotation_signs").unwrap_or(peak);
    let name = section.text("name").unwrap_or_else(|| id.replace('-', " "));
    let feed = feed(section);
    let times = if feed.is_some() { Vec::new() } else { times(section, &text::line(&name, 80), &zone, known) };
    let scope = scope(section, services);
    match id.parse() {
        Ok(id) => Some(Freeze { id, stops, rotation_signs, scope, zone, times, feed }),
        Err(error) => {
            section.problem(format!("not a {error}"));
            None
        }
    }
}

/// `preset = "holiday"`, or `merges` and `deployments`; what is said of a side goes before the preset. And whether at such a time
/// the rotation signs too.
fn stops(section: &mut Section<'_, '_>) -> (Stops, bool) {
    let presets = [
        ("weekend", Preset::Weekend),
        ("holiday", Preset::Holiday),
        ("hackathon", Preset::Hackathon),
        ("peak-event", Preset::PeakEvent),
    ];
    let preset = section.choice("preset", &presets);
    let peak = preset.is_some_and(Preset::rotation_signs);
    let preset = preset.map(Preset::stops).unwrap_or_default();
    let words = [("allow", None), ("advise", Some(Strength::Advise)), ("require", Some(Strength::Require))];
    let stops = Stops {
        merges: section.choice("merges", &words).unwrap_or(preset.merges),
        deployments: section.choice("deployments", &words).unwrap_or(preset.deployments),
    };
    if stops == Stops::default() {
        section.problem("asks for nothing: give it a `preset`, or `merges` or `deployments`");
    }
    (stops, peak)
}

/// `feed`: where the calendar is that it follows. Nobody is asked for it here; see [`read_feed`].
fn feed(section: &mut Section<'_, '_>) -> Option<Address> {
    const TIMES: [&str; 6] = ["from", "until", "rule", "days", "calendar", "name"];
    let address = section.text("feed")?;
    if !is_safe(&address) {
        section.problem_with("feed", "`feed` has to be the https address of a calendar (iCalendar)");
    }
    for key in TIMES.into_iter().filter(|key| section.has(key)).collect::<Vec<_>>() {
        section.text_or_texts(key);
        section.problem_with(key, format!("`{key}` says nothing beside `feed`, whose events have times and names"));
    }
    Some(Address::new(&address))
}

/// The times of the calendar that a freeze follows; else what is wrong with it. That it is no calendar is wrong; that there is
/// nothing in it is not.
pub fn read_feed(text: &str, freeze: &Freeze) -> Result<Vec<Time>, String> {
    let read = icalendar::read_kept(text, &freeze.zone, OccasionKind::Event).map_err(|problems| problems.join("; "))?;
    Ok(joined(read.into_iter().filter_map(|occasion| time(occasion, freeze.id.as_str(), &freeze.zone)).collect()))
}

/// `from` and `until`, again by `rule`; or `days`; or each occasion of a `calendar`.
fn times(section: &mut Section<'_, '_>, name: &str, zone: &TimeZone, known: &Calendars) -> Vec<Time> {
    let mut occasions = calendars::days(section, "days", name, OccasionKind::Event);
    if let Some(id) = section.text("calendar") {
        match known.get(&id) {
            Some(calendar) => occasions.extend(calendar.occasions().iter().cloned()),
            None => {
                let id = text::line(&id, 60);
                section.problem_with("calendar", format!("`calendar` names {id}, but there is no [calendars.{id}]"));
            }
        }
    }
    let (from, until) = (moment(section, "from"), moment(section, "until"));
    let rule = section.text("rule");
    match (from, until) {
        (Some(from), Some(until)) if from < until => match event(name, from, until, rule.as_deref(), zone) {
            Ok(times) => occasions.extend(times),
            Err(why) => section.problem_with(if rule.is_some() { "rule" } else { "from" }, why),
        },
        (Some(_), Some(_)) => section.problem_with("until", "`until` has to be after `from`"),
        (None, None) if rule.is_some() => section.problem("`rule` says how `from` and `until` come again: give both"),
        (None, None) if occasions.is_empty() && !section.has("calendar") && !section.has("days") => {
            section.problem("is never: give it `from` and `until`, `days`, a `calendar`, or a `feed`");
        }
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => section.problem("needs both `from` and `until`"),
    }
    joined(occasions.into_iter().filter_map(|occasion| time(occasion, name, zone)).collect())
}

fn time(occasion: Occasion, name: &str, zone: &TimeZone) -> Option<Time> {
    let Occasion { name: own, span, .. } = occasion;
    // What has no end in the calendar has one in this century.
    let (from, until) = match span {
        Span::Days { first, .. } => {
            span.moments(zone).or(Some((Span::Days { first, last: first }.moments(zone)?.0, LAST)))
        }
        Span::Times { .. } => span.moments(zone),
    }?;
    let (until, name) = (until.min(LAST), if own.is_empty() { name.to_owned() } else { own });
    (from < until).then_some(Time { from, until, name })
}

/// The end of what has none: the year 2100.
const LAST: Timestamp = Timestamp::constant(4_102_444_800, 0);
/// How many names are said of times that are one.
const MOST_NAMES: usize = 4;

/// Times that overlap or touch are one, by all their names.
fn joined(mut times: Vec<Time>) -> Vec<Time> {
    times.sort();
    let mut all: Vec<(Time, Vec<String>)> = Vec::new();
    for time in times {
        match all.last_mut().filter(|(last, _)| time.from <= last.until) {
            Some((last, names)) => {
                last.until = last.until.max(time.until);
                if !names.contains(&time.name) {
                    names.push(time.name);
                }
            }
            None => {
                let names = vec![time.name.clone()];
                all.push((time, names));
            }
        }
    }
    let named = |(time, names): (Time, Vec<String>)| Time {
        name: text::line(&names[..names.len().min(MOST_NAMES)].join(", "), 80),
        ..time
    };
    all.into_iter().map(named).collect()
}

/// `"2026-12-28 09:00"`, or a day, which begins at midnight.
fn moment(section: &mut Section<'_, '_>, key: &'static str) -> Option<DateTime> {
    let text = section.text(key)?;
    let whole = format!("{text} 00:00");
    let read = [text.as_str(), whole.as_str()].iter().find_map(|text| DateTime::strptime("%Y-%m-%d %H:%M", text).ok());
    let read = read.filter(|moment| (2000..2100).contains(&moment.year()));
    if read.is_none() {
        section.problem_with(key, format!("`{key}` has to be a day or a time such as \"2026-12-28 09:00\""));
    }
    read
}

/// One event, again by its rule, as an iCalendar file would have it: read in the same way.
fn event(
    name: &str,
    from: DateTime,
    until: DateTime,
    rule: Option<&str>,
    zone: &TimeZone,
) -> Result<Vec<Occasion>, String> {
    let rule = rule.map(|rule| rule.trim().trim_start_matches("RRULE:"));
    if rule.is_some_and(|rule| !rule.bytes().all(|b| b.is_ascii_alphanumeric() || b"=;,+-".contains(&b))) {
        return Err("`rule` has to be such as \"FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\" (RFC 5545)".to_owned());
    }
    let local = |moment: DateTime| moment.strftime("%Y%m%dT%H%M%S").to_string();
    let again = rule.map(|rule| format!("RRULE:{rule}\r\n")).unwrap_or_default();
    let calendar = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//deployers\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:freeze\r\nDTSTART:{}\r\nDTEND:{}\r\n{again}END:VEVENT\r\nEND:VCALENDAR\r\n",
        local(from),
        local(until),
    );
    let mut read = icalendar::read(&calendar, zone, OccasionKind::Event)
        .map_err(|problems| format!("`rule`: {}", problems.join("; ")))?;
    for occasion in &mut read {
        name.clone_into(&mut occasion.name);
        // iCalendar counts hours; a freeze ends when the clock on the wall says so, also where clocks change meanwhile.
        if let Span::Times { from: begins, until: ends } = &mut occasion.span {
            let last = zone.to_datetime(*begins).checked_add(from.duration_until(until));
            *ends = last.and_then(|last| zone.to_timestamp(last)).unwrap_or(*ends);
        }
    }
    Ok(read)
}

/// `[expedite]`: who may ask to let a fix pass, and who signs for it. `squad:lms` is everybody of a squad.
pub(super) fn lane(section: &mut Section<'_, '_>, roster: &Roster, squads: &[Squad]) -> Lane {
    let mut people = |key: &'static str| {
        let mut all = BTreeSet::new();
        for (name, span) in section.texts(key) {
            if let Some(id) = name.strip_prefix("squad:") {
                match squads.iter().find(|squad| squad.id.as_str().eq_ignore_ascii_case(id)) {
                    Some(squad) => all.extend(squad.members.iter().cloned()),
                    None => {
                        section.problem_in(&span, format!("`{key}` names {}, which is not a squad", text::line(id, 60)))
                    }
                }
                continue;
            }
            match name.parse().ok().and_then(|id| roster.person(&id)) {
                Some(person) if !person.is_outside() => drop(all.insert(person.id.clone())),
                Some(person) => {
                    section.problem_in(&span, format!("`{key}` names {}, an outside contributor", person.id))
                }
                None => section
                    .problem_in(&span, format!("`{key}` names {}, who is not in [people]", text::line(&name, 60))),
            }
        }
        all
    };
    Lane { may: people("may"), approvers: people("approvers") }
}

fn scope(section: &mut Section<'_, '_>, services: &[Service]) -> Scope {
    let named: Vec<(ServiceId, _)> = section.ids("services");
    for (id, span) in &named {
        if !services.iter().any(|service| service.id == *id) {
            section.problem_in(span, format!("`services` names {id}, which is not a service"));
        }
    }
    let environments: Vec<(domain::EnvironmentName, _)> = section.ids("environments");
    for (name, span) in &environments {
        if !services.iter().flat_map(|service| &service.environments).any(|known| known.name == *name) {
            section.problem_in(span, format!("`environments` names {name}, which no service has"));
        }
    }
    Scope {
        services: named.into_iter().map(|(id, _)| id).collect(),
        repositories: section.texts("repositories").into_iter().map(|(pattern, _)| pattern).collect(),
        environments: environments.into_iter().map(|(name, _)| name).collect(),
    }
}

#[cfg(test)]
#[path = "freezes_tests.rs"]
mod tests;
