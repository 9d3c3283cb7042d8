//! Freezes as a configuration writes them: rules, zones, presets, and what is wrong with them.

use domain::freeze::{Answer, Freezes, Question, Side};
use jiff::{SignedDuration, Timestamp};

use crate::settings::{Configuration, Problem, no_files, read_feed};

const BASE: &str = r#"
[people.olga]
zone = "Europe/London"
contacts = ["terminal"]
[unmapped]
rotation = ["olga"]
[services.edxapp]
owners = ["olga"]
rotation = ["olga"]
repositories = [{ name = "openedx/edx-platform" }]
[services.edxapp.environments.production]
live = true
"#;

fn read(freezes: &str) -> Result<Configuration, Vec<Problem>> {
    Configuration::parse(&format!("{BASE}\n{freezes}"), &no_files)
}

fn times(freezes: &str) -> Vec<String> {
    let configuration = read(freezes).unwrap();
    let freeze = configuration.settings.freezes.first().unwrap();
    let shown = |at: Timestamp| {
        format!("{} {}", freeze.zone.to_datetime(at).strftime("%a %Y-%m-%d %H:%M"), freeze.zone.to_offset(at))
    };
    freeze.times.iter().map(|time| format!("{} .. {}", shown(time.from), shown(time.until))).collect()
}

fn said(configuration: &Configuration, side: Side, at: &str) -> (Option<&'static str>, Option<String>) {
    let desk = domain::Situation::empty(configuration.settings.freeze_desk().id.clone());
    let freezes = Freezes::of(&configuration.settings, &desk);
    let service = configuration.settings.services().next().unwrap();
    let Answer { strength, until, .. } = freezes.answer(&Question::about(side, service, None), at.parse().unwrap());
    (strength.map(Into::into), until.map(|until| until.to_string()))
}

#[test]
fn thanksgiving_by_rule_is_the_fourth_thursday_of_each_november() {
    let all = times(
        r#"
        [freezes.thanksgiving]
        preset = "holiday"
        zone = "America/New_York"
        from = "2026-11-26"
        until = "2026-11-30"
        rule = "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"
        "#,
    );
    let days = [
        "2026-11-26",
        "2027-11-25",
        "2028-11-23",
        "2029-11-22",
        "2030-11-28",
        "2031-11-27",
        "2032-11-25",
        "2033-11-24",
        "2034-11-23",
        "2035-11-22",
    ];
    for (time, day) in all.iter().zip(days) {
        assert!(time.starts_with(&format!("Thu {day} 00:00 -05 .. Mon ")), "{time}");
    }
    assert!(all.len() > 30);
}

#[test]
fn a_weekend_is_as_long_as_its_clock_says_where_clocks_change() {
    let weekend = |zone: &str| {
        times(&format!(
            "[freezes.weekend]\npreset = \"weekend\"\nzone = \"{zone}\"\nfrom = \"2026-03-20 17:00\"\nuntil = \"2026-03-23 09:00\"\nrule = \"FREQ=WEEKLY;COUNT=3\"\n"
        ))
    };
    assert_eq!(
        weekend("America/New_York"),
        [
            "Fri 2026-03-20 17:00 -04 .. Mon 2026-03-23 09:00 -04",
            "Fri 2026-03-27 17:00 -04 .. Mon 2026-03-30 09:00 -04",
            "Fri 2026-04-03 17:00 -04 .. Mon 2026-04-06 09:00 -04",
        ]
    );
    assert_eq!(weekend("Europe/London")[1], "Fri 2026-03-27 17:00 +00 .. Mon 2026-03-30 09:00 +01");
    assert_eq!(weekend("Asia/Kathmandu")[0], "Fri 2026-03-20 17:00 +05:45 .. Mon 2026-03-23 09:00 +05:45");
}

#[test]
fn each_preset_lasts_as_its_clock_says_over_the_night_in_which_clocks_change() {
    // In spring an hour is missing, in autumn there is one more: from Friday 17:00 until Monday 09:00 all the same.
    for preset in ["weekend", "holiday", "hackathon", "peak-event"] {
        for (zone, friday, monday, from, until) in [
            ("Europe/London", "2026-03-27", "2026-03-30", "2026-03-27T17:00:00Z", "2026-03-30T08:00:00Z"),
            ("Europe/London", "2026-10-23", "2026-10-26", "2026-10-23T16:00:00Z", "2026-10-26T09:00:00Z"),
            ("America/New_York", "2026-03-06", "2026-03-09", "2026-03-06T22:00:00Z", "2026-03-09T13:00:00Z"),
            ("America/New_York", "2026-10-30", "2026-11-02", "2026-10-30T21:00:00Z", "2026-11-02T14:00:00Z"),
        ] {
            let once = format!("zone = \"{zone}\"\nfrom = \"{friday} 17:00\"\nuntil = \"{monday} 09:00\"\n");
            let weekly = format!("{once}rule = \"FREQ=WEEKLY;COUNT=2\"\n");
            for times in [once, weekly] {
                let configuration = read(&format!("[freezes.some]\npreset = \"{preset}\"\n{times}")).unwrap();
                let at = |text: &str, seconds: i64| {
                    let at: Timestamp = text.parse().unwrap();
                    said(&configuration, Side::Deployments, &(at + SignedDuration::from_secs(seconds)).to_string()).1
                };
                let what = format!("{preset} {zone} {friday}");
                assert_eq!(at(from, -1), None, "{what}");
                assert_eq!(at(from, 0), Some(until.to_owned()), "{what}");
                assert_eq!(at(until, -1), Some(until.to_owned()), "{what}");
                assert_eq!(at(until, 0), None, "{what}");
            }
        }
    }
}

#[test]
fn each_preset_asks_for_what_the_product_says_in_its_own_zone() {
    for (preset, merges, deployments) in [
        ("weekend", None, Some("advise")),
        ("holiday", Some("advise"), Some("require")),
        ("hackathon", Some("advise"), Some("require")),
        ("peak-event", Some("advise"), Some("require")),
    ] {
        for (zone, within, after) in [
            ("America/New_York", "2026-12-28T05:00:00Z", "2027-01-01T05:00:00Z"),
            ("Asia/Karachi", "2026-12-27T19:00:00Z", "2026-12-31T19:00:00Z"),
        ] {
            let text = format!(
                "[freezes.some]\npreset = \"{preset}\"\nzone = \"{zone}\"\ndays = [\"2026-12-28..2026-12-31\"]\n"
            );
            let configuration = read(&text).unwrap();
            for (side, says) in [(Side::Merges, merges), (Side::Deployments, deployments)] {
                let until = says.map(|_| after.to_owned());
                assert_eq!(said(&configuration, side, within), (says, until), "{preset} {zone}");
                assert_eq!(said(&configuration, side, after), (None, None), "{preset} {zone}");
            }
        }
    }
}

#[test]
fn what_is_said_of_a_side_goes_before_the_preset_and_a_calendar_names_its_own() {
    let configuration = read(
        r#"
        [calendars.company]
        zone = "America/New_York"
        kind = "event"
        name = "Gratitude week"
        days = ["2026-12-28..2026-12-31"]
        [freezes.company]
        preset = "peak-event"
        merges = "require"
        calendar = "company"
        zone = "Europe/Stockholm"
        services = ["edxapp"]
        environments = ["production"]
        repositories = ["openedx/*"]
        "#,
    )
    .unwrap();
    let freeze = &configuration.settings.freezes[0];
    assert_eq!(freeze.times[0].name, "Gratitude week");
    assert_eq!(freeze.times[0].from.to_string(), "2026-12-27T23:00:00Z", "days are those of the freeze's zone");
    assert_eq!(said(&configuration, Side::Merges, "2026-12-28T12:00:00Z").0, Some("require"));
    // Who merges then is asked, as at any time that is set apart.
    let service = configuration.settings.services().next().unwrap();
    let kind = service.timetable.kind_at("2026-12-28T12:00:00Z".parse().unwrap());
    assert_eq!(kind.to_string(), "an event (Gratitude week)");
}

#[test]
fn whatever_is_wrong_is_said_at_once_each_with_its_line() {
    let problems = read(
        r#"
        [freezes.nothing]
        zone = "UTC"
        days = ["2026-12-28"]
        [freezes.never]
        preset = "holiday"
        zone = "UTC"
        [freezes.backwards]
        preset = "holiday"
        zone = "UTC"
        from = "2026-12-28 09:00"
        until = "2026-12-28 08:00"
        [freezes.half]
        preset = "sometimes"
        zone = "Mars/Olympus"
        from = "tomorrow"
        [freezes.ruled]
        preset = "holiday"
        zone = "UTC"
        from = "2026-11-26"
        until = "2026-11-27"
        rule = "FREQ=SOMETIMES"
        calendar = "nobodys"
        services = ["discovery"]
        environments = ["moon"]
        [freezes.sly]
        preset = "holiday"
        zone = "UTC"
        from = "2026-11-26"
        until = "2026-11-27"
        rule = "FREQ=DAILY\nBEGIN:VEVENT"
        "#,
    )
    .unwrap_err();
    let shown: Vec<String> = problems.iter().map(|p| p.what.clone()).collect();
    expect_test::expect![[r#"
        [freezes.nothing] asks for nothing: give it a `preset`, or `merges` or `deployments`
        [freezes.never] is never: give it `from` and `until`, `days`, a `calendar`, or a `feed`
        [freezes.backwards] `until` has to be after `from`
        [freezes.half] asks for nothing: give it a `preset`, or `merges` or `deployments`
        [freezes.half] is never: give it `from` and `until`, `days`, a `calendar`, or a `feed`
        [freezes.half] `preset` has to be "weekend" or "holiday" or "hackathon" or "peak-event"
        [freezes.half] `Mars/Olympus` is not a time zone; write one such as "Europe/London"
        [freezes.half] `from` has to be a day or a time such as "2026-12-28 09:00"
        [freezes.ruled] `rule`: the event "freeze" has an RRULE that cannot be read
        [freezes.ruled] `calendar` names nobodys, but there is no [calendars.nobodys]
        [freezes.ruled] `services` names discovery, which is not a service
        [freezes.ruled] `environments` names moon, which no service has
        [freezes.sly] `rule` has to be such as "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH" (RFC 5545)"#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn days_that_touch_and_times_that_overlap_are_one_by_all_their_names() {
    let calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n\
        BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Christmas Eve\r\nDTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261225\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Christmas Day\r\nDTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261226\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:3\r\nSUMMARY:Christmas Day\r\nDTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261226\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:4\r\nSUMMARY:For ever\r\nDTSTART;VALUE=DATE:20300101\r\nDTEND;VALUE=DATE:99991231\r\nEND:VEVENT\r\n\
        END:VCALENDAR\r\n";
    let text = format!(
        "{BASE}\n[calendars.us]\nzone = \"UTC\"\nkind = \"holiday\"\nfile = \"us.ics\"\n[freezes.us]\npreset = \"holiday\"\nzone = \"UTC\"\ncalendar = \"us\"\n"
    );
    let configuration = Configuration::parse(&text, &|_| Ok(calendar.to_owned())).unwrap();
    let times = &configuration.settings.freezes[0].times;
    let shown: Vec<String> = times.iter().map(|t| format!("{} {} {}", t.from, t.until, t.name)).collect();
    assert_eq!(
        shown,
        [
            "2026-12-24T00:00:00Z 2026-12-26T00:00:00Z Christmas Eve, Christmas Day",
            "2030-01-01T00:00:00Z 2100-01-01T00:00:00Z For ever",
        ]
    );
}

#[test]
fn a_calendar_elsewhere_is_followed_and_says_the_times_alone() {
    let followed = |more: &str| format!("[freezes.holidays]\npreset = \"holiday\"\nzone = \"Europe/London\"\n{more}\n");
    for address in ["https://calendar.example.com/h.ics?key=1", "http://127.0.0.1:8000/h.ics"] {
        let configuration = read(&followed(&format!("feed = \"{address}\""))).unwrap();
        let freeze = configuration.settings.freezes.first().unwrap();
        assert!(!format!("{configuration:?}").contains(address), "it may be a secret");
        assert_eq!((freeze.feed.as_ref().map(|feed| feed.as_str()), freeze.times.len()), (Some(address), 0));
    }
    let problems = |more: &str| read(&followed(more)).unwrap_err().into_iter().map(|p| p.what).collect::<Vec<_>>();
    for address in ["http://calendar.example.com/h.ics", "webcal://calendar.example.com/h.ics", "holidays.ics"] {
        let feed = format!("feed = \"{address}\"");
        assert_eq!(
            problems(&feed),
            ["[freezes.holidays] `feed` has to be the https address of a calendar (iCalendar)"]
        );
    }
    let both = "feed = \"https://calendar.example.com/h.ics\"\ndays = [\"2026-12-24\"]";
    let beside = "[freezes.holidays] `days` says nothing beside `feed`, whose events have times and names";
    assert_eq!(problems(both), [beside]);
}

#[test]
fn what_a_calendar_elsewhere_says_is_read_in_the_freezes_zone_and_nothing_of_it_is_guessed() {
    let text =
        "[freezes.h]\npreset = \"holiday\"\nzone = \"Europe/London\"\nfeed = \"https://calendar.example.com/h.ics\"\n";
    let configuration = read(text).unwrap();
    let freeze = configuration.settings.freezes.first().unwrap();
    let calendar = |events: &str| format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n");
    let days = "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Midsummer\r\nDTSTART;VALUE=DATE:20260619\r\nEND:VEVENT\r\n";
    let shown = |read: Vec<domain::freeze::Time>| {
        read.iter().map(|time| format!("{} {} {}", time.name, time.from, time.until)).collect::<Vec<_>>()
    };
    let read = |text: &str| read_feed(text, freeze).map(shown);
    assert_eq!(read(&calendar(days)).unwrap(), ["Midsummer 2026-06-18T23:00:00Z 2026-06-19T23:00:00Z"]);
    assert_eq!(read(&calendar("")).unwrap(), [""; 0], "empty, and a calendar");
    for (text, why) in [
        ("<!doctype html><title>Sign in</title>", "has no VCALENDAR"),
        ("", "has no VCALENDAR"),
        (&calendar(days)[..80], "is cut off"),
        (&calendar(&days.replace("20260619", "soon")), "has a DTSTART that cannot be read"),
        (&"x".repeat(1_000_001), "is larger than 1 MB"),
    ] {
        let said = read(text).unwrap_err();
        assert!(said.contains(why), "{why}: {said}");
    }
}
