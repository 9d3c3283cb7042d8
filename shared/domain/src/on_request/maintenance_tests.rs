//! Maintenance by a person's word: what is kept, what is refused, what it comes to for an incident.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::*;
use crate::calendar::WorkingHours;
use crate::testing::{World, alert, at};

fn wanted(from: Option<&str>, until: Timestamp) -> Wanted {
    Wanted { environment: None, from: from.map(at), until, why: "database upgrade".into() }
}

/// What olga says to a world, if nothing is against it.
fn says(world: &mut World, act: impl FnOnce(Desk<'_>, &PersonId) -> Result<Decisions, Refused>) -> Result<(), Refused> {
    let World { situation, service, settings, now, .. } = &*world;
    let decisions = act(Desk { situation, service, settings, now: *now }, &"olga".parse().unwrap())?;
    world.commit(&decisions);
    world.settle();
    Ok(())
}

fn begins(world: &mut World, wanted: &Wanted) -> Result<(), Refused> {
    says(world, |desk, by| desk.begin_maintenance(by, wanted))
}

fn ends(world: &mut World) -> Result<(), Refused> {
    says(world, |desk, by| desk.end_maintenance(by))
}

fn fires(world: &mut World, when: &str) {
    world.until(at(when));
    world.alert(&[alert("HighErrorRate", at(when), None)]);
    world.settle();
}

#[test]
fn nobody_is_paged_until_somebody_says_that_it_is_over() {
    let mut world = World::new();
    assert_eq!(begins(&mut world, &wanted(None, at("13:00"))), Ok(()));
    fires(&mut world, "12:10");
    assert_eq!(world.heard(), "");
    world.now = at("12:20");
    assert_eq!(ends(&mut world), Ok(()));
    assert_eq!(world.heard(), "page anna rotation (no_suspect)");
    assert_eq!(ends(&mut world), Err(Refused::NotUnderMaintenance));
    let said = |name: &str| world.reasons.iter().filter(|reason| **reason == name).count();
    assert_eq!((said("maintenance_began"), said("maintenance_ended"), said("under_maintenance")), (1, 1, 1));
}

#[test]
fn an_open_incident_is_held_from_the_moment_it_begins() {
    let mut world = World::new();
    assert_eq!(begins(&mut world, &wanted(Some("12:03"), at("12:30"))), Ok(()));
    fires(&mut world, "12:00");
    assert_eq!(world.heard(), "page anna rotation (no_suspect)");
    world.until(at("12:29"));
    assert_eq!(world.heard(), "", "the owner is not paged at 12:15");
    world.until(at("12:30"));
    assert_eq!(world.heard(), "page anna rotation (no_suspect)");
}

#[test]
fn what_is_so_already_backwards_too_long_or_elsewhere_is_refused() {
    let mut world = World::new();
    let now = world.now;
    let long = now + LONGEST;
    for (wanted, why) in [
        (wanted(None, now), Refused::Backwards),
        (wanted(Some("11:00"), at("11:30")), Refused::Backwards),
        (wanted(Some("14:00"), at("13:00")), Refused::Backwards),
        (wanted(None, long + SignedDuration::from_secs(1)), Refused::TooLong),
        (Wanted { from: Some(now + FURTHEST * 2), ..wanted(None, now + FURTHEST * 2 + LONGEST) }, Refused::TooLong),
        (
            Wanted { environment: Some("moon\u{202e}".into()), ..wanted(None, long) },
            Refused::NoEnvironment("moon".into()),
        ),
    ] {
        assert_eq!(begins(&mut world, &wanted), Err(why), "{wanted:?}");
    }
    assert!(world.situation.paging.value.maintenance.is_empty());
    assert_eq!(begins(&mut world, &wanted(None, long)), Ok(()));
    assert_eq!(begins(&mut world, &wanted(None, long)), Err(Refused::AlreadySo), "a second click");
    let stage = Wanted { environment: Some("staging".into()), ..wanted(None, at("13:00")) };
    assert_eq!(begins(&mut world, &stage), Err(Refused::AlreadySo), "all of it is");
    assert_eq!(ends(&mut world), Ok(()));
    assert_eq!(begins(&mut world, &stage), Ok(()), "by its alias");
    assert_eq!(begins(&mut world, &wanted(None, at("13:00"))), Ok(()), "stage is not all of it");
    fires(&mut world, "12:10");
    assert_eq!(world.heard(), "");
}

#[test]
fn what_is_only_ahead_is_called_off_and_of_too_many_the_oldest_leave() {
    let mut world = World::new();
    assert_eq!(begins(&mut world, &wanted(Some("13:00"), at("14:00"))), Ok(()));
    assert_eq!(begins(&mut world, &wanted(None, at("12:30"))), Ok(()));
    assert_eq!(ends(&mut world), Ok(()), "what is under way");
    let ahead =
        |world: &World| world.situation.paging.value.maintenance.iter().filter(|m| m.is_ahead(world.now)).count();
    assert_eq!(ahead(&world), 1);
    assert_eq!(ends(&mut world), Ok(()), "what is ahead");
    assert_eq!(ahead(&world), 0);
    for i in 0..MOST {
        let from = world.now + SignedDuration::from_hours(i as i64);
        let wanted = Wanted { from: Some(from), ..wanted(None, from + SignedDuration::from_mins(30)) };
        assert_eq!(begins(&mut world, &wanted), Ok(()));
    }
    assert_eq!(ahead(&world), MOST, "what was over left");
    assert_eq!(begins(&mut world, &wanted(None, at("Sun 12:00"))), Err(Refused::TooMany));
}

#[test]
fn the_maintenance_of_each_week_holds_and_only_the_configuration_ends_it() {
    let mut world = World::new();
    let (noon, one) = (jiff::civil::time(12, 2, 0, 0), jiff::civil::time(13, 0, 0, 0));
    let mut week = [None; 7];
    week[4] = Some((noon, one));
    world.change_service(|service| service.maintenance = Some(WorkingHours { zone: TimeZone::UTC, week }));
    fires(&mut world, "12:00");
    assert_eq!(world.heard(), "page anna rotation (no_suspect)", "it begins in two minutes");
    world.until(at("12:02"));
    let held = || world.situation.incidents.values().find_map(|i| i.value.held.clone()).unwrap();
    assert_eq!(held().until, Some(at("13:00")));
    assert_eq!(ends(&mut world), Err(Refused::Weekly));
    world.until(at("12:59"));
    assert_eq!(world.heard(), "");
    world.until(at("13:00"));
    assert_eq!(world.heard(), "page anna rotation (no_suspect)", "it still fires");
}

#[test]
fn it_is_ahead_and_lasts_no_longer_than_that() {
    let second = SignedDuration::from_secs(1);
    let says = |from: Timestamp, until: Timestamp| {
        begins(&mut World::new(), &Wanted { from: Some(from), ..wanted(None, until) })
    };
    let now = World::new().now;
    let last = now + FURTHEST;
    assert_eq!(
        (says(last, last + second), says(last + second, last + second + second)),
        (Ok(()), Err(Refused::TooLong))
    );
    assert_eq!((says(now, now + LONGEST), says(now, now + LONGEST + second)), (Ok(()), Err(Refused::TooLong)));
    assert_eq!((says(now, now), says(now, now + second)), (Err(Refused::Backwards), Ok(())));
}

#[test]
fn what_is_under_way_is_ended_and_what_is_ahead_is_called_off_only_where_nothing_is() {
    let mut world = World::new();
    begins(&mut world, &wanted(None, at("13:00"))).unwrap();
    begins(&mut world, &wanted(Some("15:00"), at("16:00"))).unwrap();
    world.now = at("12:10");
    ends(&mut world).unwrap();
    let ended = |world: &World| -> Vec<Option<Timestamp>> {
        world.situation.paging.value.maintenance.iter().map(|m| m.ended_at).collect()
    };
    let last =
        |world: &World| world.log.iter().rev().find(|line| line.what.contains("maintenance")).unwrap().what.clone();
    assert_eq!(ended(&world).iter().filter(|at| at.is_some()).count(), 1);
    assert_eq!(last(&world), "Olga ended the maintenance of edxapp");
    world.now = at("14:00");
    ends(&mut world).unwrap();
    assert_eq!(last(&world), "Olga called off the maintenance of edxapp");
    assert_eq!(ends(&mut world), Err(Refused::NotUnderMaintenance));
    // One that begins now is under way.
    begins(&mut world, &wanted(None, at("15:00"))).unwrap();
    ends(&mut world).unwrap();
    assert_eq!(last(&world), "Olga ended the maintenance of edxapp");
}
