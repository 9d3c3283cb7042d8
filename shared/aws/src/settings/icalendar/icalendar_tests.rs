//! The examples of RFC 5545, changes of clocks, and files that are wrong or hostile.

use calcard::icalendar::ICalendarValue;
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

/// A file of these lines; `|` separates the events.
fn file(events: &str) -> String {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\n".to_owned();
    for event in events.split('|') {
        let lines: Vec<&str> = event.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        text.push_str(&format!("BEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\n", lines.join("\r\n")));
    }
    text.push_str("END:VCALENDAR\r\n");
    text
}

fn told(text: &str) -> String {
    let stockholm = TimeZone::get("Europe/Stockholm").unwrap();
    let mut said = String::new();
    match read(text, &stockholm, OccasionKind::Holiday) {
        Ok(occasions) => {
            for occasion in domain::Calendar::new(occasions).occasions() {
                let span = match occasion.span {
                    Span::Days { first, last } if first == last => first.to_string(),
                    Span::Days { first, last } => format!("{first}..{last}"),
                    Span::Times { from, until } => format!("{from}..{until}"),
                };
                said.push_str(&format!("{span} {}\n", occasion.name));
            }
        }
        Err(problems) => problems.iter().for_each(|problem| said.push_str(&format!("! {problem}\n"))),
    }
    said
}

fn check(events: &str, expected: Expect) {
    expected.assert_eq(&told(&file(events)));
}

/// What `calcard` makes of a rule, up to the horizon.
fn walked(start: &str, rule: &str) -> Vec<String> {
    let zone = TimeZone::get("America/New_York").unwrap();
    let text = file(&format!("DTSTART:{start}\nRRULE:{rule}"));
    assert_eq!(text::check(&text), Vec::<String>::new());
    let calendar = parse(&text).remove(0);
    let component = &calendar.components[1];
    let start = event::read(component, &calendar.build_tz_resolver(), &zone).unwrap().start;
    let value = component.entries.iter().find_map(|entry| match entry.values.first() {
        Some(ICalendarValue::RecurrenceRule(rule)) => Some(rule.clone()),
        _ => None,
    });
    let times = rule::walk(&value.unwrap(), &start, &mut Budget::default()).unwrap();
    times.iter().map(|time| time.strftime("%Y-%m-%d").to_string()).collect()
}

#[test]
fn the_examples_of_rfc_5545_come_out_as_it_says() {
    // Section 3.8.5.3; all begin at 09:00 in New York. `+`: goes on.
    for (start, rule, wanted) in [
        ("19970902", "FREQ=DAILY;COUNT=3", "1997-09-02 1997-09-03 1997-09-04"),
        ("19970902", "FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02 1997-09-12 1997-09-22 1997-10-02 1997-10-12"),
        ("19970902", "FREQ=WEEKLY;INTERVAL=2;WKST=SU", "1997-09-02 1997-09-16 1997-09-30 1997-10-14 1997-10-28 +"),
        ("19970902", "FREQ=WEEKLY;COUNT=4;WKST=SU;BYDAY=TU,TH", "1997-09-02 1997-09-04 1997-09-09 1997-09-11"),
        (
            "19970901",
            "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
            "1997-09-01 1997-09-03 1997-09-05 1997-09-15 1997-09-17 1997-09-19 1997-09-29 1997-10-01 1997-10-03 \
             1997-10-13 1997-10-15 1997-10-17 1997-10-27 1997-10-29 1997-10-31 1997-11-10 1997-11-12 1997-11-14 \
             1997-11-24 1997-11-26 1997-11-28 1997-12-08 1997-12-10 1997-12-12 1997-12-22",
        ),
        (
            "19970902",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
            "1997-09-02 1997-09-04 1997-09-16 1997-09-18 1997-09-30 1997-10-02 1997-10-14 1997-10-16",
        ),
        (
            "19970905",
            "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
            "1997-09-05 1997-10-03 1997-11-07 1997-12-05 1998-01-02 1998-02-06 1998-03-06 1998-04-03 1998-05-01 \
             1998-06-05",
        ),
        (
            "19970907",
            "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
            "1997-09-07 1997-09-28 1997-11-02 1997-11-30 1998-01-04 1998-01-25 1998-03-01 1998-03-29 1998-05-03 \
             1998-05-31",
        ),
        (
            "19970922",
            "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
            "1997-09-22 1997-10-20 1997-11-17 1997-12-22 1998-01-19 1998-02-16",
        ),
        (
            "19970928",
            "FREQ=MONTHLY;BYMONTHDAY=-3",
            "1997-09-28 1997-10-29 1997-11-28 1997-12-29 1998-01-29 1998-02-26 +",
        ),
        (
            "19970930",
            "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
            "1997-09-30 1997-10-01 1997-10-31 1997-11-01 1997-11-30 1997-12-01 1997-12-31 1998-01-01 1998-01-31 \
             1998-02-01",
        ),
        (
            "19970910",
            "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
            "1997-09-10 1997-09-11 1997-09-12 1997-09-13 1997-09-14 1997-09-15 1999-03-10 1999-03-11 1999-03-12 \
             1999-03-13",
        ),
        (
            "19970610",
            "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
            "1997-06-10 1997-07-10 1998-06-10 1998-07-10 1999-06-10 1999-07-10 2000-06-10 2000-07-10 2001-06-10 \
             2001-07-10",
        ),
        (
            "19970310",
            "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
            "1997-03-10 1999-01-10 1999-02-10 1999-03-10 2001-01-10 2001-02-10 2001-03-10 2003-01-10 2003-02-10 \
             2003-03-10",
        ),
        (
            "19970101",
            "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
            "1997-01-01 1997-04-10 1997-07-19 2000-01-01 2000-04-09 2000-07-18 2003-01-01 2003-04-10 2003-07-19 \
             2006-01-01",
        ),
        ("19970519", "FREQ=YEARLY;BYDAY=20MO", "1997-05-19 1998-05-18 1999-05-17 +"),
        ("19970512", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "1997-05-12 1998-05-11 1999-05-17 +"),
        (
            "19970313",
            "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
            "1997-03-13 1997-03-20 1997-03-27 1998-03-05 1998-03-12 1998-03-19 1998-03-26 1999-03-04 +",
        ),
        ("19980213", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "1998-02-13 1998-03-13 1998-11-13 1999-08-13 2000-10-13 +"),
        (
            "19970913",
            "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
            "1997-09-13 1997-10-11 1997-11-08 1997-12-13 1998-01-10 1998-02-07 1998-03-07 1998-04-11 1998-05-09 \
             1998-06-13 +",
        ),
        (
            "19961105",
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
            "1996-11-05 2000-11-07 2004-11-02 +",
        ),
        ("19970904", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04 1997-10-07 1997-11-06"),
        (
            "19970929",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
            "1997-09-29 1997-10-30 1997-11-27 1997-12-30 1998-01-29 1998-02-26 1998-03-30 +",
        ),
        (
            "19970805",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
            "1997-08-05 1997-08-10 1997-08-19 1997-08-24",
        ),
        (
            "19970805",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            "1997-08-05 1997-08-17 1997-08-19 1997-08-31",
        ),
        ("20070115", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01-15 2007-01-30 2007-02-15 2007-03-15 2007-03-30"),
        // Not of the RFC: leap days, days that not every month has, the 53rd week.
        ("20240229", "FREQ=YEARLY;COUNT=3", "2024-02-29 2028-02-29 2032-02-29"),
        ("20260131", "FREQ=MONTHLY;COUNT=3", "2026-01-31 2026-03-31 2026-05-31"),
        ("20201228", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;COUNT=3", "2020-12-28 2026-12-28 2032-12-27"),
    ] {
        let found = walked(&format!("{start}T090000"), rule);
        let wanted: Vec<&str> = wanted.split_whitespace().collect();
        match wanted.split_last() {
            Some((&"+", wanted)) => assert_eq!(found[..wanted.len()], *wanted, "{start} {rule}"),
            _ => assert_eq!(found, wanted, "{start} {rule}"),
        }
    }
}

#[test]
fn whole_days_are_of_no_zone_and_their_end_is_exclusive() {
    check(
        "SUMMARY:Epiphany
         DTSTART;VALUE=DATE:20260106
         |SUMMARY:Christmas\\, long
         DTSTART;VALUE=DATE:20261224
         DTEND;VALUE=DATE:20261227
         |SUMMARY:Same day
         DTSTART;VALUE=DATE:20260201
         DTEND;VALUE=DATE:20260201
         |SUMMARY:A week
         DTSTART;VALUE=DATE:20260301
         DURATION:P1W
         |DTSTART:20260401",
        expect![[r#"
            2026-01-06 Epiphany
            2026-02-01 Same day
            2026-03-01..2026-03-07 A week
            2026-04-01 without a SUMMARY
            2026-12-24..2026-12-26 Christmas, long
        "#]],
    );
}

#[test]
fn timed_events_are_in_their_own_zone_in_utc_or_in_the_calendars() {
    check(
        "SUMMARY:Floating is Stockholm
         DTSTART:20260106T090000
         DTEND:20260106T100000
         |SUMMARY:UTC
         DTSTART:20260106T090000Z
         DURATION:PT90M
         |SUMMARY:New York to London
         DTSTART;TZID=America/New_York:20260107T090000
         DTEND;TZID=Europe/London:20260107T160000
         |SUMMARY:Named by Outlook
         DTSTART;TZID=W. Europe Standard Time:20260108T090000
         DTEND;TZID=W. Europe Standard Time:20260108T100000
         |SUMMARY:Named by a registry
         DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260108T120000
         DURATION:PT1H
         |SUMMARY:Takes no time
         DTSTART:20260109T090000Z",
        expect![[r#"
            2026-01-06T08:00:00Z..2026-01-06T09:00:00Z Floating is Stockholm
            2026-01-06T09:00:00Z..2026-01-06T10:30:00Z UTC
            2026-01-07T14:00:00Z..2026-01-07T16:00:00Z New York to London
            2026-01-08T08:00:00Z..2026-01-08T09:00:00Z Named by Outlook
            2026-01-08T11:00:00Z..2026-01-08T12:00:00Z Named by a registry
        "#]],
    );
}

#[test]
fn a_time_zone_of_the_file_is_known_by_its_location() {
    let timezone = "BEGIN:VTIMEZONE\nTZID:Office\nX-LIC-LOCATION:Asia/Karachi\nBEGIN:STANDARD\nDTSTART:19700101T000000\n\
                    TZOFFSETFROM:+0500\nTZOFFSETTO:+0500\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT";
    let event = "SUMMARY:Noon\nDTSTART;TZID=Office:20260106T120000\nDURATION:PT1H";
    let text = file(event).replacen("BEGIN:VEVENT", timezone, 1);
    expect![[r#"
        2026-01-06T07:00:00Z..2026-01-06T08:00:00Z Noon
    "#]]
    .assert_eq(&told(&text));
    let unknown = text.replace("X-LIC-LOCATION:Asia/Karachi\n", "");
    expect![[r#"
        ! the event "Noon" is in the zone `Office`, which is not known: write a TZID such as Europe/Stockholm
    "#]]
    .assert_eq(&told(&unknown));
}

#[test]
fn a_recurrence_stays_on_the_wall_in_skipped_and_repeated_hours_and_its_end_is_exact() {
    // New York skips 02:00 to 03:00 on 8 March and repeats 01:00 to 02:00 on 1 November 2026.
    check(
        "SUMMARY:Skipped
         DTSTART;TZID=America/New_York:20260307T023000
         DTEND;TZID=America/New_York:20260307T033000
         RRULE:FREQ=DAILY;COUNT=3
         |SUMMARY:Repeated
         DTSTART;TZID=America/New_York:20261031T013000
         DTEND;TZID=America/New_York:20261031T033000
         RRULE:FREQ=DAILY;COUNT=3
         |SUMMARY:By the calendar
         DTSTART;TZID=America/New_York:20261031T120000
         DURATION:P1D
         RRULE:FREQ=DAILY;COUNT=2
         |SUMMARY:Half an hour
         DTSTART;TZID=Australia/Lord_Howe:20260404T014500
         DTEND;TZID=Australia/Lord_Howe:20260404T024500
         RRULE:FREQ=DAILY;COUNT=2",
        expect![[r#"
            2026-03-07T07:30:00Z..2026-03-07T08:30:00Z Skipped
            2026-03-08T07:30:00Z..2026-03-08T08:30:00Z Skipped
            2026-03-09T06:30:00Z..2026-03-09T07:30:00Z Skipped
            2026-04-03T14:45:00Z..2026-04-03T15:45:00Z Half an hour
            2026-04-04T14:45:00Z..2026-04-04T15:45:00Z Half an hour
            2026-10-31T05:30:00Z..2026-10-31T07:30:00Z Repeated
            2026-10-31T16:00:00Z..2026-11-01T17:00:00Z By the calendar
            2026-11-01T05:30:00Z..2026-11-01T07:30:00Z Repeated
            2026-11-01T17:00:00Z..2026-11-02T17:00:00Z By the calendar
            2026-11-02T06:30:00Z..2026-11-02T08:30:00Z Repeated
        "#]],
    );
}

#[test]
fn until_in_utc_is_compared_in_the_zone_of_the_event() {
    // The last is at 20:00 in Los Angeles, which is 04:00 UTC the day after, just UNTIL.
    check(
        "SUMMARY:Evening
         DTSTART;TZID=America/Los_Angeles:20260101T200000
         DURATION:PT1H
         RRULE:FREQ=DAILY;UNTIL=20260103T040000Z
         |SUMMARY:Morning in Karachi
         DTSTART;TZID=Asia/Karachi:20260201T030000
         DURATION:PT1H
         RRULE:FREQ=DAILY;UNTIL=20260202T220000Z
         |SUMMARY:Whole days
         DTSTART;VALUE=DATE:20260301
         RRULE:FREQ=DAILY;UNTIL=20260302
         |SUMMARY:Over before it began
         DTSTART;VALUE=DATE:20260401
         RRULE:FREQ=DAILY;UNTIL=20260331",
        expect![[r#"
            2026-03-01 Whole days
            2026-03-02 Whole days
            2026-04-01 Over before it began
            2026-01-02T04:00:00Z..2026-01-02T05:00:00Z Evening
            2026-01-03T04:00:00Z..2026-01-03T05:00:00Z Evening
            2026-01-31T22:00:00Z..2026-01-31T23:00:00Z Morning in Karachi
            2026-02-01T22:00:00Z..2026-02-01T23:00:00Z Morning in Karachi
            2026-02-02T22:00:00Z..2026-02-02T23:00:00Z Morning in Karachi
        "#]],
    );
}

#[test]
fn dates_are_added_and_excluded_in_whatever_zone_they_are_written() {
    check(
        "SUMMARY:Standup
         DTSTART;TZID=Europe/Stockholm:20260302T090000
         DURATION:PT15M
         RRULE:FREQ=DAILY;COUNT=4
         EXDATE;TZID=Europe/Stockholm:20260303T090000
         EXDATE:20260304T080000Z
         RDATE;TZID=Europe/London:20260310T090000
         RDATE;VALUE=PERIOD:20260311T090000Z/PT2H,20260312T090000Z/20260312T100000Z
         |SUMMARY:Days
         DTSTART;VALUE=DATE:20260401
         RRULE:FREQ=WEEKLY;COUNT=4
         EXDATE;VALUE=DATE:20260408
         EXDATE:20260415T000000Z
         RDATE;VALUE=DATE:20260501,20260502,20260401
         |SUMMARY:Excluded by day
         DTSTART:20260601T090000
         DURATION:PT1H
         RRULE:FREQ=DAILY;COUNT=2
         EXDATE;VALUE=DATE:20260602",
        expect![[r#"
            2026-04-01 Days
            2026-04-22 Days
            2026-05-01 Days
            2026-05-02 Days
            2026-03-02T08:00:00Z..2026-03-02T08:15:00Z Standup
            2026-03-05T08:00:00Z..2026-03-05T08:15:00Z Standup
            2026-03-10T09:00:00Z..2026-03-10T09:15:00Z Standup
            2026-03-11T09:00:00Z..2026-03-11T11:00:00Z Standup
            2026-03-12T09:00:00Z..2026-03-12T10:00:00Z Standup
            2026-06-01T07:00:00Z..2026-06-01T08:00:00Z Excluded by day
        "#]],
    );
}

#[test]
fn an_override_replaces_the_occurrence_of_its_own_uid_whatever_its_sequence() {
    check(
        "UID:a
         SUMMARY:Hackathon
         DTSTART;VALUE=DATE:20260105
         RRULE:FREQ=WEEKLY;COUNT=4
         |UID:b
         SUMMARY:Other
         DTSTART;VALUE=DATE:20260105
         RRULE:FREQ=WEEKLY;COUNT=2
         |UID:a
         SUMMARY:Hackathon\\, moved
         SEQUENCE:3
         RECURRENCE-ID;VALUE=DATE:20260112
         DTSTART;VALUE=DATE:20260114
         |UID:a
         SUMMARY:Hackathon\\, as first moved
         SEQUENCE:1
         RECURRENCE-ID;VALUE=DATE:20260112
         DTSTART;VALUE=DATE:20260113
         |UID:a
         SUMMARY:Hackathon
         RECURRENCE-ID;VALUE=DATE:20260119
         STATUS:CANCELLED
         |UID:c
         SUMMARY:Invited to one
         RECURRENCE-ID:20260120T100000Z
         DTSTART:20260120T110000Z
         DURATION:PT1H
         |UID:d
         SUMMARY:Cancelled
         STATUS:CANCELLED
         DTSTART;VALUE=DATE:20260107
         RRULE:FREQ=DAILY",
        expect![[r#"
            2026-01-05 Hackathon
            2026-01-05 Other
            2026-01-12 Other
            2026-01-14 Hackathon, moved
            2026-01-26 Hackathon
            2026-01-20T11:00:00Z..2026-01-20T12:00:00Z Invited to one
        "#]],
    );
}

#[test]
fn a_rule_without_an_end_ends_at_the_horizon_and_history_is_left_out() {
    let text = file(
        "SUMMARY:New Year
         DTSTART;VALUE=DATE:19850101
         RRULE:FREQ=YEARLY",
    );
    let told = told(&text);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!((lines[0], lines[lines.len() - 1], lines.len()), ("2000-01-01 New Year", "2060-01-01 New Year", 61));
}

#[test]
fn names_are_made_harmless_and_folded_lines_are_one() {
    check(
        "SUMMARY:Long \u{202e}\\n name
           \tfolded
         DTSTART;VALUE=DATE:20260106",
        expect![[r#"
            2026-01-06 Long name
        "#]],
    );
    let folded =
        file("SUMMARY:A\nDTSTART;VALUE=DATE:20260106\nRRULE:FREQ=DA").replace("FREQ=DA", "FREQ=DA\r\n ILY;COUNT=2");
    assert_eq!(told(&folded), "2026-01-06 A\n2026-01-07 A\n");
}

#[test]
fn several_calendars_in_one_file_are_all_read() {
    let one = file("SUMMARY:A\nDTSTART;VALUE=DATE:20260106");
    let other = file("SUMMARY:B\nDTSTART;VALUE=DATE:20260107");
    assert_eq!(told(&format!("\u{feff}{one}{other}")), "2026-01-06 A\n2026-01-07 B\n");
}

#[test]
fn every_mistake_is_said_with_what_to_do() {
    for (events, expected) in [
        (
            "SUMMARY:No start",
            expect![[r#"
            ! the event "No start" has no DTSTART
        "#]],
        ),
        (
            "SUMMARY:Bad\nDTSTART;VALUE=DATE:20260230",
            expect![[r#"
            ! the event "Bad" has a DTSTART that cannot be read: write it as 20260106 or 20260106T090000Z
        "#]],
        ),
        (
            "SUMMARY:Words\nDTSTART:tomorrow",
            expect![[r#"
            ! the event "Words" has a DTSTART that cannot be read: write it as 20260106 or 20260106T090000Z
        "#]],
        ),
        (
            "SUMMARY:Mars\nDTSTART;TZID=Mars/Olympus:20260106T090000",
            expect![[r#"
            ! the event "Mars" is in the zone `Mars/Olympus`, which is not known: write a TZID such as Europe/Stockholm
        "#]],
        ),
        (
            "SUMMARY:Back\nDTSTART:20260106T090000Z\nDTEND:20260105T090000Z",
            expect![[r#"
            ! the event "Back" ends before it begins
        "#]],
        ),
        (
            "SUMMARY:Back\nDTSTART:20260106T090000Z\nDURATION:-PT1H",
            expect![[r#"
            ! the event "Back" ends before it begins, or beyond the calendar
        "#]],
        ),
        (
            "SUMMARY:Mixed\nDTSTART;VALUE=DATE:20260106\nDTEND:20260105T090000Z",
            expect![[r#"
            ! the event "Mixed" begins with a day and ends with a time, or the other way round
        "#]],
        ),
        (
            "SUMMARY:Rule\nDTSTART;VALUE=DATE:20260106\nRRULE:FREQ=FORTNIGHTLY",
            expect![[r#"
            ! the event "Rule" has an RRULE that cannot be read
        "#]],
        ),
        (
            "SUMMARY:Rule\nDTSTART;VALUE=DATE:20260106\nRRULE:FREQ=YEARLY;BYEASTER=1",
            expect![[r#"
            ! has an RRULE with `BYEASTER=1`, which iCalendar does not know
        "#]],
        ),
        (
            "SUMMARY:Rule\nDTSTART;VALUE=DATE:20260106\nRRULE:FREQ=YEARLY;INTERVAL=65537",
            expect![[r#"
            ! has an RRULE with `INTERVAL=65537`, a number that is too large
        "#]],
        ),
        (
            "SUMMARY:Rule\nDTSTART;VALUE=DATE:20260106\nRRULE:FREQ=WEEKLY;BYMONTHDAY=1",
            expect![[r#"
            ! the event "Rule" has an RRULE that is not allowed: Invalid BY rule `BYMONTHDAY` with frequency `WEEKLY`
        "#]],
        ),
        (
            "SUMMARY:Never\nDTSTART;VALUE=DATE:20260106\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            expect![[r#"
            ! the event "Never" has an RRULE that never comes true
        "#]],
        ),
        (
            "SUMMARY:Ticks\nDTSTART:20260106T000000Z\nRRULE:FREQ=SECONDLY",
            expect![[r#"
            ! the event "Ticks" recurs many times a day: write longer events
        "#]],
        ),
        (
            "SUMMARY:From now on\nUID:a\nDTSTART:20260106T000000Z\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260106T000000Z",
            expect![[r#"
            ! the event "From now on" changes all that follow (RANGE=THISANDFUTURE): write that as an event of its own
        "#]],
        ),
        (
            "SUMMARY:Every day\nDTSTART;VALUE=DATE:20260106\nRRULE:FREQ=DAILY",
            expect![[r#"
            ! comes to more than 5000 occasions until 2060-12-31: give its rules an UNTIL or COUNT
        "#]],
        ),
    ] {
        check(events, expected);
    }
    for (text, wanted) in [
        ("", "! has no VCALENDAR: it has to be an iCalendar file\n"),
        ("<html>", "! has no VCALENDAR: it has to be an iCalendar file\n"),
        ("BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n", "! has no events (VEVENT)\n"),
        (
            &file("SUMMARY:A\nDTSTART;VALUE=DATE:20260106")[..90],
            "! is cut off or garbled: a BEGIN has no END, or the other way round\n",
        ),
        (&" ".repeat(MOST_BYTES + 1), "! is larger than 1 MB: leave in it what is still to come\n"),
    ] {
        let told = told(text);
        assert!(told.contains(wanted), "{told}");
    }
    let many = file(&["SUMMARY:No start"; 50].join("|"));
    assert!(told(&many).ends_with("! has 40 more problems\n"));
}

/// As much as fits of one event.
fn filled(event: &str) -> String {
    let size = file(event).len();
    file(&vec![event; (MOST_BYTES / size).max(1)].join("|"))
}

#[test]
fn a_hostile_file_is_refused_and_costs_little() {
    for event in [
        "DTSTART:20260106T000000Z\nRRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "DTSTART:20260106T000000Z\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "DTSTART:20260106T000000Z\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;BYSETPOS=366",
        "DTSTART:20260106T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
        "UID:a\nDTSTART:20260106T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY",
        "DTSTART:00010101T000000Z\nRRULE:FREQ=DAILY",
        "DTSTART:00010101T000000Z\nRRULE:FREQ=DAILY;INTERVAL=3650;COUNT=9999",
        "DTSTART:99991231T235959Z\nDTEND:99991231T235959Z\nRRULE:FREQ=YEARLY;COUNT=9999",
        "DTSTART:20260106T000000Z\nRRULE:FREQ=YEARLY;COUNT=4294967297;INTERVAL=65536",
        "DTSTART:20260106T000000Z\nDURATION:P4294967295W\nRRULE:FREQ=YEARLY;COUNT=9",
    ] {
        let told = told(&filled(event));
        assert!(told.starts_with("! "), "{event}: {}", domain::text::line(&told, 200));
        assert!(told.lines().count() <= MOST_PROBLEMS + 1, "{event}");
    }
    let rules = "RRULE:FREQ=DAILY;BYHOUR=1,2\n".repeat(20_000);
    assert!(told(&file(&format!("DTSTART:20260106T000000Z\n{rules}"))).starts_with("! "));
    // Overrides of one occurrence: the last stands.
    let one =
        filled("UID:a\nRECURRENCE-ID:20260106T000000Z\nDTSTART:20260106T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY");
    assert_eq!(told(&one).lines().count(), 1);
    let days: Vec<String> =
        (0..50_000).map(|n| format!("{:04}{:02}{:02}", 2000 + n / 336, n / 28 % 12 + 1, n % 28 + 1)).collect();
    let dates = days.join(",");
    let text = file(&format!(
        "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY;COUNT=4000\nEXDATE;VALUE=DATE:{dates}\nRDATE;VALUE=DATE:{dates}"
    ));
    told(&text);
    let nested = "BEGIN:VCALENDAR\n".repeat(50_000);
    told(&nested);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn garbage_is_never_a_panic(text in "\\PC{0,400}") {
        told(&text);
    }

    #[test]
    fn parts_of_calendars_in_any_order_are_never_a_panic(
        parts in prop::collection::vec(prop::sample::select(&[
            "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTIMEZONE", "END:VTIMEZONE",
            "UID:a", "UID:", "SUMMARY:x", "DTSTART;VALUE=DATE:20260106", "DTSTART:20260329T013000",
            "DTSTART;TZID=Europe/London:20260329T013000", "DTSTART:99991231T235959", "DTSTART:00000101", "DTSTART",
            "DTEND:20260106T240000", "DTEND;VALUE=DATE:20260107", "DURATION:PT1H", "DURATION:P99999999999D", "DURATION:",
            "EXDATE:20260106", "RDATE;VALUE=PERIOD:20260106T090000Z/PT1H", "RECURRENCE-ID:20260106",
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20260106", "STATUS:CANCELLED", "SEQUENCE:99999999999999999999", "TZID:x",
            "RRULE:FREQ=YEARLY", "RRULE:FREQ=MONTHLY;BYDAY=-5MO,5SU;BYSETPOS=-366", "RRULE:FREQ=YEARLY;BYWEEKNO=-53,53",
            "RRULE:FREQ=WEEKLY;BYDAY=53MO;WKST=SU", "RRULE:FREQ=DAILY;COUNT=0;UNTIL=00000101", "RRULE:;;=;", " folded",
            "RRULE:FREQ=YEARLY;BYYEARDAY=366,-366;BYMONTHDAY=31;BYHOUR=23;BYMINUTE=59;BYSECOND=60", "RRULE:",
        ][..]), 0..40),
    ) {
        told(&parts.join("\r\n"));
        told(&format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}\nEND:VEVENT\nEND:VCALENDAR", parts.join("\n")));
    }

    #[test]
    fn any_rule_ends_in_occasions_or_in_a_problem(
        start in (1u16..9999, 1u8..13, 1u8..29, 0u8..24),
        frequency in prop::sample::select(&["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "SECONDLY"][..]),
        parts in prop::collection::vec((prop::sample::select(&[
            "COUNT", "INTERVAL", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYHOUR", "BYMINUTE", "BYDAY",
        ][..]), -400i32..400), 0..5),
    ) {
        let parts: String = parts.iter().map(|(name, n)| match *name {
            "BYDAY" => format!(";BYDAY={}TU", n / 8),
            _ => format!(";{name}={n}"),
        }).collect();
        let (year, month, day, hour) = start;
        told(&file(&format!("DTSTART:{year:04}{month:02}{day:02}T{hour:02}0000\nDURATION:PT1H\nRRULE:FREQ={frequency}{parts}")));
    }
}
