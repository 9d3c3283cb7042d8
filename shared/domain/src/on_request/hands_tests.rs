//! What people may do with the pager and the pipeline, at the bounds.

use super::*;
use crate::DeploymentState::Succeeded;
use crate::service::OffHours;
use crate::testing::{World, at, change, deployment};
use crate::window::WindowNotes;

fn id(who: &str) -> PersonId {
    who.parse().unwrap()
}

/// Eve is an outside contributor, and anna her champion.
fn world() -> World {
    let mut world = World::new();
    world.change_roster(|people| {
        let mut eve = crate::testing::person("eve", "Eve", "UTC");
        eve.champions = vec![id("anna")];
        people.push(eve);
    });
    world.now = at("12:00");
    world
}

fn does(world: &mut World, act: impl FnOnce(&Desk<'_>) -> Result<Decisions, Refused>) -> Result<(), Refused> {
    let decisions = {
        let (situation, service, settings) = (&world.situation, &world.service, &world.settings);
        act(&Desk { situation, service, settings, now: world.now })?
    };
    world.commit(&decisions);
    Ok(())
}

fn takes(world: &mut World, who: &str, from: Option<Timestamp>, until: Timestamp) -> Result<(), Refused> {
    does(world, |desk| desk.take(&id(who), &id("anna"), from, until))
}

#[test]
fn a_shift_lasts_two_weeks_and_begins_in_three_months_at_most() {
    let second = SignedDuration::from_secs(1);
    let (now, longest, furthest) = (at("12:00"), shift::LONGEST, shift::FURTHEST);
    for (from, until, want) in [
        (None, now + longest, Ok(())),
        (None, now + longest + second, Err(Refused::TooLong)),
        (Some(now + furthest), now + furthest + second, Ok(())),
        (Some(now + furthest + second), now + furthest + second + second, Err(Refused::TooLong)),
        (None, now, Err(Refused::Backwards)),
        (None, now + second, Ok(())),
    ] {
        assert_eq!(takes(&mut world(), "olga", from, until), want, "{from:?} {until}");
    }
}

#[test]
fn a_second_click_is_no_wish_for_longer_and_a_longer_shift_takes_the_place_of_the_first() {
    let mut world = world();
    takes(&mut world, "olga", None, at("18:00")).unwrap();
    for (until, want) in [("17:00", Err(Refused::AlreadySo)), ("18:01", Err(Refused::AlreadySo)), ("18:02", Ok(()))] {
        assert_eq!(takes(&mut world, "olga", None, at(until)), want, "{until}");
    }
    let ahead = |world: &World| world.situation.shifts.values().filter(|s| s.value.is_ahead(world.now)).count();
    assert_eq!(ahead(&world), 1, "the two are one");
    takes(&mut world, "olga", Some(at("20:00")), at("21:00")).unwrap();
    assert_eq!(ahead(&world), 2, "what comes later stays");
    takes(&mut world, "olga", Some(at("21:00")), at("22:00")).unwrap();
    assert_eq!(ahead(&world), 2, "what touches becomes one");
    takes(&mut world, "anna", None, at("13:00")).unwrap();
    assert_eq!(ahead(&world), 3, "of another person");
    takes(&mut world, "olga", Some(at("23:00")), at("23:30")).unwrap();
    takes(&mut world, "olga", Some(at("22:30")), at("23:00")).unwrap();
    assert_eq!(ahead(&world), 5, "what begins when it ends is another");
}

#[test]
fn outside_contributors_move_nothing_and_are_given_nothing() {
    let mut world = world();
    let refused = does(&mut world, |desk| desk.take(&id("olga"), &id("eve"), None, at("18:00")));
    assert_eq!(refused, Err(Refused::ByOutside));
    assert_eq!(does(&mut world, |desk| desk.pause(&id("eve"), "", None)), Err(Refused::ByOutside));
    assert_eq!(takes(&mut world, "eve", None, at("18:00")), Err(Refused::Outside(id("eve"))));
    assert_eq!(takes(&mut world, "nobody", None, at("18:00")), Err(Refused::Nobody(id("nobody"))));
}

#[test]
fn each_handover_of_a_window_has_a_number_of_its_own() {
    let mut world = world();
    world.merge(change(12, "feanil", at("12:00")));
    world.merge(change(13, "feanil", at("12:00")));
    let (first, other) = (change(12, "feanil", at("12:00")).id, change(13, "feanil", at("12:00")).id);
    let hands = |world: &mut World, change: &ChangeId, to: &str| {
        world.now += SignedDuration::from_mins(1);
        world.told.clear();
        does(world, |desk| desk.hand_over(change, &id(to), &id("anna"))).unwrap();
        world.told.iter().map(|message| message.key.nth).max()
    };
    assert_eq!(hands(&mut world, &first, "usama"), Some(1));
    assert_eq!(hands(&mut world, &other, "usama"), Some(1));
    assert_eq!(hands(&mut world, &first, "olga"), Some(2));
    let again = does(&mut world, |desk| desk.hand_over(&first, &id("olga"), &id("anna")));
    assert_eq!(again, Err(Refused::AlreadySo));
}

#[test]
fn giving_back_ends_ones_own_shift_of_the_service_alone() {
    let mut world = world();
    world.merge(change(12, "feanil", at("12:00")));
    let window = change(12, "feanil", at("12:00")).id;
    does(&mut world, |desk| desk.hand_over(&window, &id("olga"), &id("anna"))).unwrap();
    takes(&mut world, "anna", None, at("18:00")).unwrap();
    assert_eq!(does(&mut world, |desk| desk.give_back(&id("olga"))), Err(Refused::NothingToGiveBack));
    takes(&mut world, "olga", None, at("18:00")).unwrap();
    assert_eq!(does(&mut world, |desk| desk.give_back(&id("olga"))), Ok(()));
    let ended: Vec<_> = world.situation.shifts.values().filter(|s| s.value.ended_at.is_some()).collect();
    assert_eq!(ended.len(), 1);
    assert_eq!((ended[0].value.person.as_str(), &ended[0].value.scope), ("olga", &Scope::Service));
}

#[test]
fn whoever_is_asked_answers_once_and_another_who_has_taken_it_is_named() {
    let mut world = world();
    world.service.policy.off_hours = OffHours::Ask;
    world.change_service(|service| {
        let hours = Some((jiff::civil::time(9, 0, 0, 0), jiff::civil::time(10, 0, 0, 0)));
        let zone = jiff::tz::TimeZone::UTC;
        service.policy.off_hours = OffHours::Ask;
        service.timetable.hours = Some(crate::WorkingHours { zone, week: [hours; 7] });
    });
    world.change_roster(|people| {
        let eve = people.iter_mut().find(|person| person.id.as_str() == "eve").unwrap();
        eve.champions = vec![id("anna"), id("olga")];
    });
    world.merge(change(12, "eve", at("12:00")));
    let merged = change(12, "eve", at("12:00")).id;
    world.situation.note(Record::Notes(merged.clone(), WindowNotes::default()), 1);
    let answers = |world: &mut World, who: &str, takes| does(world, |desk| desk.answer(&merged, &id(who), takes));
    assert_eq!(answers(&mut world, "usama", true), Err(Refused::NotAsked));
    assert_eq!(answers(&mut world, "anna", false), Ok(()));
    assert_eq!(answers(&mut world, "anna", false), Err(Refused::AlreadySo));
    assert_eq!(answers(&mut world, "anna", true), Ok(()), "they think better of it");
    assert_eq!(answers(&mut world, "anna", true), Err(Refused::AlreadySo));
    assert_eq!(answers(&mut world, "olga", true), Err(Refused::TakenBy(id("anna"))));
}

#[test]
fn a_pause_lasts_ninety_days_at_most_where_its_end_is_said() {
    for (until, want) in [
        (Some(at("12:00") + LONGEST_PAUSE), Ok(())),
        (Some(at("12:00") + LONGEST_PAUSE + SignedDuration::from_secs(1)), Err(Refused::PausedTooLong)),
        (Some(at("12:00")), Err(Refused::Backwards)),
        (None, Ok(())),
    ] {
        assert_eq!(does(&mut world(), |desk| desk.pause(&id("anna"), "", until)), want, "{until:?}");
    }
}

#[test]
fn whoever_has_a_turn_hears_that_somebody_has_the_pager_now() {
    let mut world = world();
    world.merge(change(12, "feanil", at("11:00")));
    world.deploy(&deployment(1, 12, "prod", Succeeded, at("11:50")));
    world.told.clear();
    takes(&mut world, "olga", None, at("18:00")).unwrap();
    assert!(world.told.iter().any(|message| message.key.person == id("feanil")), "{}", world.heard());
}
