//! What people and services may say of their times, and what becomes of it.

use domain::{OccasionKind, Span, Timetable};
use expect_test::{Expect, expect};
use jiff::tz::TimeZone;

use crate::settings::{Configuration, no_files};

/// A configuration with these additions for its person and its service.
fn parse(person: &str, service: &str, more: &str) -> Result<Configuration, String> {
    let text = format!(
        "
        [people.anna]
        zone = \"Europe/Stockholm\"
        contacts = [\"terminal\"]
        {person}

        [services.edxapp]
        owners = [\"anna\"]
        rotation = [\"anna\"]
        repositories = [{{ name = \"openedx/edx-platform\" }}]
        environments.production.live = true
        {service}

        [unmapped]
        rotation = [\"anna\"]
        {more}"
    );
    let files = |name: &str| {
        match name {
        "days.ics" => Ok("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Epiphany\nDTSTART;VALUE=DATE:20260106\nEND:VEVENT\n\
                          BEGIN:VEVENT\nSUMMARY:Fair\nDTSTART:20260107T090000\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n"
            .to_owned()),
        _ => no_files(name),
    }
    };
    Configuration::parse(&text, &files).map_err(|problems| problems.iter().map(|p| format!("{}\n", p.what)).collect())
}

fn told(timetable: &Timetable) -> String {
    let mut said = timetable.zone.iana_name().unwrap_or("?").to_owned();
    if let Some(hours) = &timetable.hours {
        let week = hours.week.map(|day| {
            day.map_or("-".to_owned(), |(start, end)| format!("{}-{}", start.strftime("%H:%M"), end.strftime("%H:%M")))
        });
        said.push_str(&format!("; {} in {}", week.join(" "), hours.zone.iana_name().unwrap_or("?")));
    }
    said.push('\n');
    for occasion in timetable.calendars.iter().flat_map(|calendar| calendar.occasions()) {
        let kind = match occasion.kind {
            OccasionKind::Event => "event",
            OccasionKind::Holiday => "holiday",
            OccasionKind::DayOff => "day off",
        };
        let span = match occasion.span {
            Span::Days { first, last } => format!("{first}..{last}"),
            Span::Times { from, until } => format!("{from}..{until}"),
        };
        said.push_str(&format!("{kind} {span} {}\n", occasion.name));
    }
    said
}

fn person(settings: &str, more: &str, expected: Expect) {
    let read = parse(settings, "", more).map(|read| {
        let id = "anna".parse().unwrap();
        told(&read.settings.roster.person(&id).unwrap().timetable)
    });
    expected.assert_eq(&read.unwrap_or_else(|problems| problems));
}

fn service(settings: &str, more: &str, expected: Expect) {
    let read = parse("", settings, more).map(|read| {
        let id = "edxapp".parse().unwrap();
        told(&read.settings.service(&id).unwrap().timetable)
    });
    expected.assert_eq(&read.unwrap_or_else(|problems| problems));
}

#[test]
fn hours_are_said_in_one_line_or_several_and_days_may_wrap() {
    person(
        "",
        "",
        expect![[r#"
        Europe/Stockholm
    "#]],
    );
    person(
        "hours = \"Mon-Fri 09:00-17:00\"",
        "",
        expect![[r#"
        Europe/Stockholm; 09:00-17:00 09:00-17:00 09:00-17:00 09:00-17:00 09:00-17:00 - - in Europe/Stockholm
    "#]],
    );
    person(
        "hours = [\"mon-thu 9:00-17:00\", \"Fri 09:00-15:00\"]",
        "",
        expect![[r#"
        Europe/Stockholm; 09:00-17:00 09:00-17:00 09:00-17:00 09:00-17:00 09:00-15:00 - - in Europe/Stockholm
    "#]],
    );
    person(
        "hours = [\"Sun-Thu 08:00-16:00\"]",
        "",
        expect![[r#"
        Europe/Stockholm; 08:00-16:00 08:00-16:00 08:00-16:00 08:00-16:00 - - 08:00-16:00 in Europe/Stockholm
    "#]],
    );
    person(
        "hours = [\"Sat 22:00-06:00\", \"Sun 00:00-24:00\"]",
        "",
        expect![[r#"
        Europe/Stockholm; - - - - - 22:00-06:00 00:00-00:00 in Europe/Stockholm
    "#]],
    );
}

#[test]
fn hours_that_cannot_be_meant_are_problems() {
    for hours in [
        "\"9 to 5\"",
        "\"Mon\"",
        "\"Mon-Someday 09:00-17:00\"",
        "\"Mon 09:00\"",
        "\"Mon 25:00-26:00\"",
        "\"Mon 24:00-09:00\"",
    ] {
        person(
            &format!("hours = {hours}"),
            "",
            expect![[r#"
            [people.anna] an entry of `hours` is such as "Mon-Fri 09:00-17:00" or "Sat 22:00-06:00"
        "#]],
        );
    }
    person(
        "hours = 9",
        "",
        expect![[r#"
            [people.anna] `hours` has to be a text or a list of texts, not of the kind integer
        "#]],
    );
    person(
        "hours = [\"Mon-Fri 09:00-17:00\", \"Fri-Sat 09:00-15:00\"]",
        "",
        expect![[r#"
        [people.anna] `hours` names Fri twice
    "#]],
    );
}

#[test]
fn a_person_follows_calendars_and_has_days_off() {
    let calendars = "
        [calendars.se]
        zone = \"Asia/Karachi\"
        kind = \"holiday\"
        file = \"days.ics\"
        [calendars.company]
        zone = \"Europe/Stockholm\"
        kind = \"event\"
        name = \"Gratitude week\"
        days = [\"2026-12-28..2027-01-01\", \"2026-11-27\"]";
    person(
        "calendars = [\"se\", \"company\"]\ndays_off = [\"2026-07-06..2026-07-31\"]",
        calendars,
        expect![[r#"
        Europe/Stockholm
        holiday 2026-01-06..2026-01-06 Epiphany
        holiday 2026-01-07T04:00:00Z..2026-01-07T05:00:00Z Fair
        event 2026-11-27..2026-11-27 Gratitude week
        event 2026-12-28..2027-01-01 Gratitude week
        day off 2026-07-06..2026-07-31 
    "#]],
    );
    person(
        "calendars = [\"sweden\"]",
        calendars,
        expect![[r#"
        [people.anna] `calendars` names sweden, but there is no [calendars.sweden]
    "#]],
    );
    person(
        "days_off = [\"2026-07-31..2026-07-06\", \"July\", \"2026-02-30\", \"1026-07-06\"]",
        "",
        expect![[r#"
        [people.anna] `days_off` has days that end before they begin
        [people.anna] an entry of `days_off` is a day such as "2026-12-25", or several: "2026-12-28..2027-01-01"
    "#]],
    );
}

#[test]
fn a_services_zone_is_needed_where_it_means_something() {
    service(
        "",
        "",
        expect![[r#"
        UTC
    "#]],
    );
    service(
        "hours = \"Mon-Fri 09:00-17:00\"",
        "",
        expect![[r#"
        [services.edxapp] `zone` is missing
    "#]],
    );
    service(
        "zone = \"America/New_York\"\nhours = \"Mon-Fri 09:00-17:00\"",
        "",
        expect![[r#"
        America/New_York; 09:00-17:00 09:00-17:00 09:00-17:00 09:00-17:00 09:00-17:00 - - in America/New_York
    "#]],
    );
    service(
        "calendars = [\"nowhere\"]",
        "",
        expect![[r#"
        [services.edxapp] `zone` is missing
        [services.edxapp] `calendars` names nowhere, but there is no [calendars.nowhere]
    "#]],
    );
}

#[test]
fn maintenance_comes_each_week_in_the_services_zone() {
    let read = |maintenance: &str| {
        let service = format!("zone = \"Europe/London\"\nmaintenance = {maintenance}");
        let read = parse("", &service, "")?;
        let found = read.settings.service(&"edxapp".parse().unwrap()).unwrap().maintenance.clone();
        Ok::<_, String>(found.map(|hours| told(&Timetable { hours: Some(hours), ..Timetable::always(TimeZone::UTC) })))
    };
    expect![[r#"
        UTC; - - - - 23:00-01:00 - 02:00-04:00 in Europe/London
    "#]]
    .assert_eq(&read("[\"Sun 02:00-04:00\", \"Fri 23:00-01:00\"]").unwrap().unwrap());
    assert_eq!(read("[]"), Ok(None));
    assert!(read("\"Mon-Wed 00:00-24:00\"").is_ok(), "three days");
    for (maintenance, want) in [
        ("\"Sunday night\"", "an entry of `maintenance` is such as \"Mon-Fri 09:00-17:00\" or \"Sat 22:00-06:00\""),
        ("[\"Sun 02:00-04:00\", \"Sun 05:00-06:00\"]", "`maintenance` names Sun twice"),
        (
            "\"Mon-Thu 00:00-24:00\"",
            "`maintenance` is more than three days of the week: that would hide incidents; see `mode`",
        ),
    ] {
        assert_eq!(read(maintenance), Err(format!("[services.edxapp] {want}\n")));
    }
    service(
        "maintenance = \"Sun 02:00-04:00\"",
        "",
        expect![[r#"
            [services.edxapp] `zone` is missing
        "#]],
    );
}

#[test]
fn a_calendar_says_its_zone_and_kind_and_has_something_in_it() {
    person(
        "",
        "[calendars.se]",
        expect![[r#"
        [calendars.se] `kind` is missing
        [calendars.se] `zone` is missing
        [calendars.se] has neither `file`, an iCalendar file, nor `days`
    "#]],
    );
    person(
        "",
        "[calendars.se]\nzone = \"Mars\"\nkind = \"party\"\ndays = []\nfile = \"absent.ics\"",
        expect![[r#"
        [calendars.se] `Mars` is not a time zone; write one such as "Europe/London"
        [calendars.se] `kind` has to be "holiday" or "event"
        [calendars.se] `file`: absent.ics cannot be read here
    "#]],
    );
}

#[test]
fn alerts_of_no_service_are_always_in_working_hours() {
    let read = parse("", "", "").unwrap();
    let id = "unmapped".parse().unwrap();
    assert_eq!(told(&read.settings.service(&id).unwrap().timetable), "UTC\n");
}
