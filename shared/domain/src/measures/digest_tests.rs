//! The weekly digest: when it is due, what is in it, how its channel reads it.

use expect_test::expect;
use jiff::civil::{Time, Weekday};

use super::*;
use crate::Person;
use crate::measures::Period;
use crate::testing::{World, alert, at, person};

fn weekly() -> Weekly {
    Weekly { day: Weekday::Monday, at: Time::constant(9, 0, 0, 0) }
}

/// A service with a channel that reads a digest each Monday, and a failure on Friday that is over.
fn world() -> World {
    let mut world = World::new();
    world.change_roster(|people| people.push(Person { logins: vec![], ..person("channel", "channel", "UTC") }));
    world.change_service(|service| {
        service.channel = Some("channel".parse().unwrap());
        service.digest = Some(weekly());
    });
    world.until(at("15:02")).alert(&[alert("HighErrorRate", at("15:00"), None)]);
    world.settle();
    world.until(at("15:04")).acknowledge("anna").unwrap();
    world.until(at("15:30")).alert(&[alert("HighErrorRate", at("15:00"), Some(at("15:30")))]);
    world.settle();
    world
}

/// What was counted before: four weeks of slower recovery, and ten judged incidents.
fn loaded() -> Loaded {
    let mut slow = Tally { deployments: 8, judged: 10, first: 5, three: 7, five: 8, ..Tally::default() };
    slow.resolve.learn(7200);
    let mut known = Timeline::default();
    known.note(Period::Day("2026-03-02".parse().unwrap()), slow);
    let stalled = [("production".parse().unwrap(), 2)].into();
    known.note(
        Period::Day("2026-03-18".parse().unwrap()),
        Tally { deployments: 4, failed: 1, stalled, ..Tally::default() },
    );
    Loaded { known, past: vec![], unmapped: vec![] }
}

fn told(world: &World, now: Timestamp) -> Decisions {
    decide(&world.situation, &world.service, &world.settings, &loaded(), now)
}

#[test]
fn it_is_due_on_the_wall_of_its_zone_once_a_week() {
    let zone = TimeZone::get("Europe/Stockholm").unwrap();
    let around = |now: &str| {
        let (last, next) = weekly().around(&zone, now.parse().unwrap()).unwrap();
        (last.to_string(), next.to_string())
    };
    // The clocks change on 29 March.
    let (last, next) = ("2026-03-23T08:00:00Z".to_owned(), "2026-03-30T07:00:00Z".to_owned());
    assert_eq!(around("2026-03-23T08:00:00Z"), (last.clone(), next.clone()));
    assert_eq!(around("2026-03-30T06:59:59Z"), (last, next.clone()));
    assert_eq!(around("2026-03-30T07:00:00Z"), (next, "2026-04-06T07:00:00Z".to_owned()));
}

#[test]
fn it_is_told_once_and_not_long_after() {
    let mut world = world();
    let queue = |world: &World, now| due(&world.service, &world.situation.queue.value, now);
    assert_eq!(queue(&world, at("Mon 08:59")), (None, Some(at("Mon 09:00"))));
    assert_eq!(queue(&world, at("Mon 09:00")).0, Some(at("Mon 09:00")));
    assert_eq!(queue(&world, at("Tue 09:00")).0, None, "a day late");
    world.until(at("Mon 09:01"));
    let decisions = told(&world, at("Mon 09:01"));
    assert_eq!(decisions.messages.len(), 1);
    world.commit(&decisions);
    assert_eq!(told(&world, at("Mon 09:02")).messages.len() + told(&world, at("Mon 09:02")).writes.len(), 0);
    // Whoever does not see it was told decides the same message.
    assert_eq!(decisions.messages[0].key.nth, told(&super::tests::world(), at("Mon 10:00")).messages[0].key.nth);
    world.change_service(|service| service.channel = None);
    assert_eq!(queue(&world, at("Tue 08:00")), (None, None));
}

#[test]
fn a_channel_reads_what_improved_who_carried_it_and_what_is_proposed() {
    let mut world = world();
    world.change_service(|service| service.mode = Mode::Shadow);
    let mut loaded = loaded();
    let mut lost = world.situation.incidents.values().next().unwrap().value.clone();
    lost.alerts.values_mut().for_each(|alert| alert.name = "DiskFull".into());
    loaded.unmapped.push(lost);
    world.now = at("Mon 09:00");
    let decisions = decide(&world.situation, &world.service, &world.settings, &loaded, at("Mon 09:00"));
    expect![[r#"
        edxapp from 2026-03-16 to 2026-03-22
        4 deployments live, 1 of them put right. 1 incident, 1 page.
        Better than in the four weeks before: time to resolve 30 min (was 2 h); deployments per week 4 (was 2).
        Not as good: change fail rate 25 % (1 of 4) (was 0 % (0 of 8)).
        Who carried it: Anna. Thank you.
        What held changes up: deployments that failed or were aborted: production 2.
        Alerts that belong to no service: DiskFull. Say in `alerts` whose they are, or label them.
        Proposed: `mode = "notify"` instead of "shadow". In five weeks the change that it was stood among the first three suspects in 7 of 10 judged incidents, and nobody had a wrong page.
        Measures: https://deployers.example.com/measures?service=edxapp"#]].assert_eq(&decisions.messages[0].plain());
}

#[test]
fn a_week_of_nothing_is_not_told_of() {
    let mut world = World::new();
    world.change_service(|service| {
        service.channel = Some("anna".parse().unwrap());
        service.digest = Some(weekly());
    });
    let decisions = decide(&world.situation, &world.service, &world.settings, &Loaded::default(), at("Mon 09:00"));
    assert!(decisions.messages.is_empty() && decisions.writes.len() == 1, "{decisions:?}");
}
