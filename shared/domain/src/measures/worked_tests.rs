//! The stories of `MEASURES.md`, played, and compared with what is reckoned there by hand: each row of its tables names a figure,
//! what it has to be, and how that comes about.

use std::collections::BTreeMap;

use jiff::civil::time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Ended, Fact, MEASURES, Measure, Month, OfPerson, Period, Tally, Timeline};
use crate::calendar::{Timetable, WorkingHours};
use crate::expedite::{self, Expedite, Over, Way};
use crate::freeze::{Declared, Scope, Stops, Strength};
use crate::revert::{Claim, Reverts};
use crate::testing::{World, alert, at, change, deployment};
use crate::{DeploymentEvent, DeploymentState, Record, on_schedule};

const DOCUMENT: &str = include_str!("../../../../MEASURES.md");

/// The rows of the table below this heading: a figure's name, and what it is.
fn told(heading: &str) -> BTreeMap<&'static str, &'static str> {
    let (_, part) = DOCUMENT.split_once(&format!("### {heading}\n")).unwrap_or_else(|| panic!("no part {heading}"));
    let part = part.split("\n### ").next().unwrap();
    let rows = part.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.map(|(name, rest)| (name, rest.split(" | ").next().unwrap())).collect()
}

/// What a roll-up says of each figure that the table names.
fn compare(heading: &str, tally: &Tally, days: u64) {
    let told = told(heading);
    assert!(!told.is_empty(), "{heading} has a table");
    let said: BTreeMap<&str, String> = told
        .keys()
        .map(|name| {
            let measure = Measure::called(name).unwrap_or_else(|| panic!("no figure is called {name}"));
            let amount = measure.of(tally, days).map(|amount| measure.unit.words(amount));
            (measure.name, amount.unwrap_or_else(|| "not known".to_owned()))
        })
        .collect();
    let told: BTreeMap<&str, String> = told.into_iter().map(|(name, text)| (name, text.to_owned())).collect();
    assert_eq!(said, told, "{heading}");
}

/// Into the live environment, from one time until another.
fn deploys(world: &mut World, id: u64, number: u64, from: &str, until: &str, end: DeploymentState) {
    let report = |state, when: Timestamp| DeploymentEvent {
        created_at: Some(at(from) - SignedDuration::from_mins(1)),
        ..deployment(id, number, "prod", state, when)
    };
    world.until(at(from));
    world.deploy(&report(DeploymentState::Started, at(from)));
    world.settle();
    world.until(at(until));
    world.deploy(&report(end, at(until)));
    world.settle();
}

/// The first story, as it is told there.
fn two_days_at_edxapp() -> World {
    let mut world = World::new();
    world.now = at("08:00");
    world.change_roster(|people| {
        let zone = TimeZone::get("Asia/Karachi").unwrap();
        let day = Some((time(9, 0, 0, 0), time(17, 0, 0, 0)));
        let week = [day, day, day, day, day, None, None];
        let hours = Some(WorkingHours { zone: zone.clone(), week });
        people.iter_mut().filter(|person| person.id.as_str() == "usama").for_each(|usama| {
            usama.timetable = Timetable { zone: zone.clone(), hours: hours.clone(), calendars: vec![] };
        });
    });
    world.until(at("09:00")).merge(change(1, "feanil", at("09:00"))).settle();
    world.until(at("10:00")).merge(change(2, "usama", at("10:00"))).settle();
    deploys(&mut world, 1, 2, "12:00", "12:10", DeploymentState::Succeeded);
    world.until(at("12:22")).alert(&[alert("HighErrorRate", at("12:20"), None)]);
    world.settle();
    world.until(at("12:24")).acknowledge("usama").unwrap();
    world.settle();
    let back = Reverts { of: vec![Claim::Number(2)], lands_again: false };
    let revert = crate::Change { reverts: Some(back), ..change(3, "feanil", at("12:40")) };
    world.until(at("12:40")).merge(revert).settle();
    deploys(&mut world, 2, 3, "12:50", "12:55", DeploymentState::Succeeded);
    world.until(at("13:00")).alert(&[alert("HighErrorRate", at("12:20"), Some(at("13:00")))]);
    world.settle();

    world.until(at("Sat 08:00")).merge(change(4, "feanil", at("Sat 08:00"))).settle();
    deploys(&mut world, 3, 4, "Sat 08:30", "Sat 08:40", DeploymentState::Succeeded);
    world.until(at("Sat 09:01")).alert(&[alert("DiskFull", at("Sat 09:00"), None)]);
    world.settle();
    world.until(at("Sat 09:10")).acknowledge("anna").unwrap();
    world.settle();
    world.until(at("Sat 09:31")).alert(&[alert("DiskFull", at("Sat 09:00"), Some(at("Sat 09:31")))]);
    world.settle();
    world.until(at("Sat 09:40")).does("anna", |counter| counter.judge(None)).unwrap();
    world.settle();
    deploys(&mut world, 4, 4, "Sat 12:00", "Sat 12:05", DeploymentState::Failed);
    deploys(&mut world, 5, 3, "Sat 13:00", "Sat 13:05", DeploymentState::Succeeded);
    world.until(at("Tue 12:00"));
    world
}

fn tally(facts: &[Fact]) -> Tally {
    let mut tally = Tally::default();
    facts.iter().for_each(|fact| tally.learn(fact));
    tally
}

#[test]
fn two_days_are_counted_as_they_are_reckoned_by_hand() {
    let mut world = two_days_at_edxapp();
    compare("Two days at edxapp", &tally(&world.facts), 7);
    // Whoever looks again counts nothing again.
    let counted = world.facts.len();
    world.until(at("Tue 18:00"));
    // Nor does what is told once more after it has left.
    world.deploy(&deployment(1, 2, "prod", DeploymentState::Succeeded, at("12:10")));
    world.settle();
    assert_eq!(world.facts.len(), counted);
    assert!(world.most_actions <= 100, "{}", world.most_actions);
}

/// An incident of this day, with so many pages of which so many came off hours; who was paged for a change, and whether in vain.
fn incident(day: &str, place: Option<Option<u32>>, pages: [u32; 2], people: &[(&str, u32)]) -> Fact {
    let at: Timestamp = format!("{day}T12:00:00Z").parse().unwrap();
    let mark = |who: &str| format!("{who} in {}", Month::of(super::timeline::day(at)));
    Fact::Incident(Box::new(Ended {
        at,
        detect: 0,
        acknowledge: None,
        mitigate: None,
        resolve: 60,
        place,
        none_of_ours: place.is_none(),
        pages: pages[0],
        off_hours: pages[1],
        rotation: pages[0] as usize > people.len(),
        people: people.iter().map(|(who, wrong)| OfPerson { mark: mark(who), wrong: *wrong }).collect(),
    }))
}

#[test]
fn five_incidents_are_counted_as_they_are_reckoned_by_hand() {
    let facts = [
        incident("2026-03-03", Some(Some(1)), [1, 0], &[("a", 0)]),
        incident("2026-03-09", Some(Some(2)), [2, 0], &[("a", 1), ("b", 0)]),
        incident("2026-03-30", Some(Some(4)), [1, 0], &[("a", 1)]),
        incident("2026-04-01", Some(None), [1, 1], &[("a", 1)]),
        incident("2026-04-02", None, [2, 1], &[("b", 1)]),
    ];
    compare("Five incidents", &tally(&facts), 61);
    // The same by roll-ups of each month.
    let mut months = tally(&facts[..3]);
    months.merge(&tally(&facts[3..]));
    assert_eq!(months, tally(&facts));
}

fn declared(id: &str, from: &str, until: &str) -> Declared {
    Declared {
        id: id.parse().unwrap(),
        name: id.into(),
        stops: Stops { merges: None, deployments: Some(Strength::Require) },
        rotation_signs: false,
        scope: Scope::default(),
        zone: "UTC".into(),
        from: at(from),
        until: at(until),
        by: "olga".parse().unwrap(),
        declared_at: at("12:00"),
        changed_at: None,
        widened_at: None,
        ended: None,
    }
}

fn asked(number: u64, over: Option<Over>) -> Expedite {
    let by: crate::PersonId = "feanil".parse().unwrap();
    Expedite {
        repository: crate::testing::repository(),
        number,
        title: String::new(),
        url: None,
        by: by.clone(),
        at: at("Mon 10:00"),
        way: Way::Board,
        heard_at: at("Mon 10:00"),
        head: None,
        reason: "checkout fails".into(),
        signed: vec![expedite::Signed {
            person: "olga".parse().unwrap(),
            at: at("Mon 10:05"),
            approver: true,
            rotation: false,
        }],
        over: over.map(|over| (at("Mon 10:10"), by, over)),
        passed: None,
        told: [].into(),
        counted: false,
    }
}

#[test]
fn a_freeze_is_counted_as_it_is_reckoned_by_hand() {
    let settings = crate::testing::settings();
    let mut desk = crate::Situation::empty(settings.freeze_desk().id.clone());
    desk.note(Record::Freeze(declared("sale", "Mon 09:00", "Tue 17:00")), 1);
    let off = Declared {
        ended: Some((at("Mon 12:00"), "olga".parse().unwrap())),
        ..declared("off", "Tue 09:00", "Tue 10:00")
    };
    desk.note(Record::Freeze(off), 1);
    let mut facts = Vec::new();
    for when in ["Sun 10:00", "Mon 09:00", "Mon 10:10", "Mon 12:00", "Tue 09:30", "Tue 17:00", "Tue 18:00"] {
        if when == "Mon 10:10" {
            desk.note(Record::Expedite(asked(1, None)), 1);
            desk.note(Record::Expedite(asked(2, Some(Over::Refused { why: "no".into() }))), 1);
            desk.note(Record::Expedite(asked(3, Some(Over::Withdrawn))), 1);
        }
        // Each twice: whoever looks again counts nothing again.
        for _ in 0..20 {
            let round = on_schedule::freezes::decide(&desk, &[], &settings, at(when));
            desk.apply(&round.decisions, at(when));
            facts.extend(round.decisions.facts);
        }
    }
    compare("A freeze", &tally(&facts), 31);
}

#[test]
fn before_and_after_are_counted_as_they_are_reckoned_by_hand() {
    let of = |deployments, failed| Tally { deployments, failed, ..Tally::default() };
    let mut known = Timeline::default();
    let day = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
    for (month, tally) in
        [("2026-01", of(99, 9)), ("2026-02", of(8, 2)), ("2026-03", of(10, 1)), ("2026-04", of(10, 1))]
    {
        known.note(Period::Month(month.parse().unwrap()), tally);
    }
    for (date, tally) in [("2026-03-05", of(4, 1)), ("2026-03-12", of(6, 0)), ("2026-04-14", of(10, 1))] {
        known.note(Period::Day(day(date)), tally);
    }
    let from = "2026-02".parse().unwrap();
    let two = known.cohorts(day("2026-03-10"), from, day("2026-04-15"), day("2026-01-05"));
    assert_eq!(two.cut, day("2026-03-10"));
    compare("Before 10 March", &two.before.0, two.before.1);
    compare("From 10 March", &two.after.0, two.after.1);
    // Of days that nobody knows any more: the whole month is after.
    let two = known.cohorts(day("2026-03-10"), from, day("2026-07-15"), day("2026-04-06"));
    assert_eq!((two.cut, two.before.0.deployments, two.after.0.deployments), (day("2026-03-01"), 8, 20));
}

#[test]
fn each_figure_has_an_example() {
    let missing = MEASURES.iter().filter(|measure| !DOCUMENT.contains(&format!("| `{}` |", measure.name)));
    assert_eq!(missing.map(|measure| measure.name).collect::<Vec<_>>(), Vec::<&str>::new());
}
