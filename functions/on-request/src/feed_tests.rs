//! What is written is read again by our own reader of calendars, and says the same.

use std::collections::BTreeMap;

use aws::settings::{Configuration, icalendar, no_files};
use domain::calendar::Occasion;
use domain::freeze::{Declared, Preset, Scope};
use domain::{OccasionKind, Situation, Span, text};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

const BASE: &str = r#"
public_url = "https://deployers.example.com"
[people.olga]
name = "Olga"
zone = "Europe/London"
contacts = ["terminal"]
[people.anna]
name = "Anna"
zone = "Europe/Stockholm"
contacts = ["terminal"]
[unmapped]
rotation = ["anna"]
[services.edxapp]
owners = ["olga"]
rotation = ["olga"]
repositories = [{ name = "openedx/edx-platform" }]
[services.edxapp.environments.production]
live = true
[services.discovery]
owners = ["anna"]
rotation = ["anna"]
repositories = [{ name = "openedx/course-discovery" }]
[services.discovery.environments.production]
live = true
[freezes.gratitude-week]
preset = "holiday"
zone = "America/New_York"
name = "gratitude week"
days = ["2026-01-05", "2026-03-02", "2026-12-28..2026-12-31", "2028-01-01"]
"#;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-03-20T12:00:00Z")
}

fn declared(name: &str) -> Declared {
    Declared {
        id: "sale".parse().unwrap(),
        name: name.to_owned(),
        stops: Preset::PeakEvent.stops(),
        rotation_signs: false,
        scope: Scope { services: ["edxapp".parse().unwrap()].into(), ..Scope::default() },
        zone: "Europe/London".to_owned(),
        from: at("2026-03-21T18:00:00Z"),
        until: at("2026-03-21T20:30:00.5Z"),
        by: "olga".parse().unwrap(),
        declared_at: now(),
        changed_at: None,
        widened_at: None,
        ended: None,
    }
}

fn settings() -> Settings {
    Configuration::parse(BASE, &no_files).unwrap().settings
}

fn written(settings: &Settings, declared: &[Declared], query: &str) -> String {
    let mut desk = Situation::empty(settings.freeze_desk().id.clone());
    for freeze in declared {
        desk.note(domain::Record::Freeze(freeze.clone()), 1);
    }
    let request = Request::new("GET", "/freezes.ics", Vec::new(), Vec::new()).with_query(query);
    let Ok(about) = About::read(&request, settings) else { panic!("{query}") };
    about.calendar(&Freezes::of(settings, &desk), settings, now())
}

/// The events, each as its properties by name, unfolded.
fn events(text: &str) -> Vec<BTreeMap<String, String>> {
    let unfolded = text.replace("\r\n ", "");
    let events = unfolded.split("BEGIN:VEVENT\r\n").skip(1);
    let property = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.to_owned()));
    events.map(|event| event.lines().filter_map(property).collect()).collect()
}

fn read(text: &str) -> Vec<Occasion> {
    icalendar::read_kept(text, &TimeZone::UTC, OccasionKind::Event).unwrap()
}

#[test]
fn every_time_is_an_event_that_our_own_reader_reads_with_the_same_times() {
    let settings = settings();
    let text = written(&settings, &[declared("Cyber Monday, at last; \\o/")], "");
    let mut shown: Vec<String> = read(&text)
        .into_iter()
        .map(|one| match one.span {
            Span::Times { from, until } => format!("{from} {until} {}", one.name),
            Span::Days { .. } => panic!("times are moments"),
        })
        .collect();
    shown.sort();
    assert_eq!(
        shown,
        [
            "2026-03-02T05:00:00Z 2026-03-03T05:00:00Z Freeze: gratitude week",
            "2026-03-21T18:00:00Z 2026-03-21T20:30:00Z Freeze: Cyber Monday, at last; \\o/",
            "2026-12-28T05:00:00Z 2027-01-01T05:00:00Z Freeze: gratitude week",
        ]
    );
    let events = events(&text);
    assert_eq!(events[0]["UID"], "gratitude-week@20260302T050000Z");
    let sale = &events[1];
    assert_eq!(sale["UID"], "sale@declared-20260320T120000Z");
    assert_eq!((sale["SEQUENCE"].as_str(), sale["LAST-MODIFIED"].as_str()), ("0", "20260320T120000Z"));
    assert_eq!((sale["STATUS"].as_str(), sale["TRANSP"].as_str()), ("CONFIRMED", "TRANSPARENT"));
    assert_eq!(sale["URL"], "https://deployers.example.com/");
    assert_eq!(
        sale["DESCRIPTION"],
        "Please do not merge\\; nothing is deployed. For edxapp.\\n2026-03-21 18:00 to 20:30 (Europe/London).\\nOlga declared it."
    );
    for line in ["VERSION:2.0", "METHOD:PUBLISH", "X-WR-CALNAME:Freezes", "X-PUBLISHED-TTL:PT1H"] {
        assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}");
    }
}

#[test]
fn a_freeze_that_moves_stays_the_same_event_and_one_that_is_called_off_says_so() {
    let settings = settings();
    let of = |freeze: &Declared| {
        let all = events(&written(&settings, std::slice::from_ref(freeze), "service=edxapp"));
        all.into_iter().find(|event| event["UID"].starts_with("sale@")).unwrap()
    };
    let first = declared("sale");
    let moved = Declared { from: at("2026-04-01T09:00:00Z"), until: at("2026-04-02T09:00:00Z"), ..first.clone() };
    let moved = Declared { changed_at: Some(at("2026-03-20T13:00:00Z")), ..moved };
    let (before, after) = (of(&first), of(&moved));
    assert_eq!(before["UID"], after["UID"]);
    assert_eq!((after["SEQUENCE"].as_str(), after["DTSTART"].as_str()), ("3600", "20260401T090000Z"));

    let off = Declared { ended: Some((at("2026-03-20T14:00:00Z"), "anna".parse().unwrap())), ..moved.clone() };
    let event = of(&off);
    assert_eq!((event["STATUS"].as_str(), event["UID"] == before["UID"]), ("CANCELLED", true));
    assert_eq!((event["DTSTART"].as_str(), event["DTEND"].as_str()), ("20260401T090000Z", "20260402T090000Z"));
    assert_eq!(event["LAST-MODIFIED"], "20260320T140000Z");
    assert!(event["DESCRIPTION"].ends_with("Olga declared it.\\nAnna called it off."), "{}", event["DESCRIPTION"]);
    assert_eq!(read(&written(&settings, &[off], "service=edxapp")).len(), 2, "whoever reads it takes it for none");

    let ended = Declared { ended: Some((at("2026-04-01T12:00:00Z"), "anna".parse().unwrap())), ..moved };
    let event = of(&ended);
    assert_eq!((event["STATUS"].as_str(), event["DTEND"].as_str()), ("CONFIRMED", "20260401T120000Z"));
    assert!(event["DESCRIPTION"].ends_with("Anna ended it before its time."));
}

#[test]
fn those_of_a_service_or_of_a_persons_services_can_be_asked_for() {
    let settings = settings();
    let sale = [declared("sale")];
    for (query, name, events) in [
        ("", "Freezes", 3),
        ("service=edxapp", "Freezes: edxapp", 3),
        ("service=discovery", "Freezes: discovery", 2),
        ("person=olga", "Freezes: Olga", 3),
        ("person=anna", "Freezes: Anna", 2),
    ] {
        let text = written(&settings, &sale, query);
        assert_eq!(read(&text).len(), events, "{query}");
        assert!(text.contains(&format!("X-WR-CALNAME:{name}\r\n")), "{query}");
    }
    for (query, status) in
        [("service=nothing", 404), ("person=nobody", 404), ("service=unmapped", 404), ("person=a/b", 400)]
    {
        let request = Request::new("GET", "/freezes.ics", Vec::new(), Vec::new()).with_query(query);
        assert_eq!(About::read(&request, &settings).err().map(|refusal| refusal.status()), Some(status), "{query}");
    }
}

#[test]
fn without_freezes_it_is_an_empty_calendar() {
    let settings = Configuration::parse(BASE.split("[freezes.").next().unwrap(), &no_files).unwrap().settings;
    assert_eq!(read(&written(&settings, &[], "")).len(), 0);
}

/// Letters of one to four octets, what the format escapes, what ends lines, and what looks like a line of its own.
fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<char>().prop_map(String::from),
        "[a-z ,;:\\\\\"=]{0,12}",
        "[äß漢字🎄 ]{0,12}",
        Just("\r\nEND:VEVENT\r\n".to_owned()),
        Just("\nRRULE:FREQ=SECONDLY;COUNT=9".to_owned()),
        Just("\\n".to_owned()),
    ];
    prop::collection::vec(part, 0..20).prop_map(|parts| parts.concat())
}

proptest! {
    /// Whatever a freeze is called: no line is longer than the format allows, no letter is cut, and what is read is what was meant.
    #[test]
    fn any_name_survives_being_written_and_read(name in hostile()) {
        let settings = settings();
        let text = written(&settings, &[declared(&name)], "service=edxapp");
        prop_assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(char::is_control));
        for line in text.split("\r\n") {
            prop_assert!(line.len() <= WIDTH, "{line}");
        }
        let read = read(&text);
        prop_assert_eq!(read.len(), 3);
        let wanted = text::line(&format!("Freeze: {name}"), 80);
        prop_assert!(read.iter().any(|one| one.name == wanted), "{wanted:?} in {read:?}");
    }
}
