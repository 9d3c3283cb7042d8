//! What is asked of a pager and written into it, a moment at a time.

use super::*;
use crate::DeploymentState::Succeeded;
use crate::service::Schedule;
use crate::testing::{World, at, change, deployment};

/// The service has a pager beside it, and feanil's turn lasts from 15:40 until 16:40.
fn world() -> World {
    let mut world = World::new();
    let schedule = |id: &str| Some(Schedule { receiver: "pagerduty".into(), id: id.into() });
    world.change_service(|service| (service.beside, service.schedule) = (schedule("P1"), schedule("S1")));
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("15:00")));
    world.deploy(&deployment(1, 12, "prod", Succeeded, at("15:40")));
    world.now = at("15:45");
    world
}

fn planned(world: &mut World) -> Plan {
    let (decisions, plan) = plan(&world.situation, &world.service, &world.settings.roster, world.now);
    world.commit(&decisions);
    plan
}

fn hears(world: &mut World, said: &Said) {
    let decisions = hear(said, &world.situation, &world.service, &world.settings.roster, world.now);
    world.commit(&decisions);
}

fn due(world: &World) -> Option<Timestamp> {
    due_at(&world.situation, &world.service, &world.settings.roster, world.now)
}

fn written(world: &mut World, id: &str) -> Layer {
    let layer = planned(world).put.unwrap();
    hears(world, &Said::Written { layer: layer.clone(), id: id.into() });
    layer
}

fn layer(who: &str, from: &str, until: &str) -> Layer {
    Layer { person: who.parse().unwrap(), from: at(from), until: at(until), id: None, seen_at: None }
}

#[test]
fn whoever_has_the_turn_is_written_once_and_looked_for_each_ten_minutes() {
    let mut world = world();
    let first = planned(&mut world);
    assert_eq!(first.put, Some(layer("feanil", "15:45", "16:40")));
    assert_eq!((first.take_out, first.ask), (vec![], true));
    assert_eq!(planned(&mut world).put, first.put, "whoever died before it was written goes on");
    let first_written = written(&mut world, "L1");
    let lines = world.log.len();
    assert_eq!(planned(&mut world).put, None);
    let kept = world.situation.paging.value.layer.clone().unwrap();
    assert_eq!((kept.id.as_deref(), kept.seen_at), (Some("L1"), Some(at("15:45"))));
    world.now = at("15:54");
    assert_eq!(planned(&mut world).put, None);
    world.now = at("15:55");
    let again = planned(&mut world).put.unwrap();
    assert_eq!(again.id.as_deref(), Some("L1"));
    hears(&mut world, &Said::Written { layer: Layer { id: Some("L1".into()), ..first_written }, id: "L1".into() });
    assert_eq!(world.log.len(), lines, "that it is still there is no news");
    assert_eq!(world.situation.paging.value.layer.as_ref().unwrap().seen_at, Some(at("15:55")));
    // One that runs out any moment is not looked for.
    world.now = at("16:28");
    hears(&mut world, &Said::Written { layer: layer("feanil", "15:45", "16:40"), id: "L1".into() });
    world.now = at("16:38");
    assert_eq!(planned(&mut world).put, None);
}

#[test]
fn when_it_is_over_it_is_forgotten_and_not_taken_out() {
    let mut world = world();
    written(&mut world, "L1");
    world.now = at("16:40");
    assert_eq!(planned(&mut world), Plan { ask: true, put: None, take_out: vec![] });
    assert_eq!(world.situation.paging.value.layer, None);
    let before = world.situation.paging.clone();
    assert_eq!(planned(&mut world).put, None);
    assert_eq!(world.situation.paging, before, "what is as it was is not written");
}

#[test]
fn who_comes_after_is_written_and_who_was_there_taken_out() {
    let mut world = world();
    written(&mut world, "L1");
    world.merge(change(13, "usama", at("15:46")));
    world.deploy(&deployment(2, 13, "prod", Succeeded, at("15:50")));
    world.now = at("15:50");
    let plan = planned(&mut world);
    assert_eq!(plan.put, Some(layer("usama", "15:50", "16:50")));
    let former: Vec<_> = plan.take_out.iter().map(|layer| layer.id.as_deref()).collect();
    assert_eq!(former, [Some("L1")]);
    assert_eq!(due(&world), Some(at("15:50")));
    // Both are told; another one that waits stays until it is told too.
    let other = layer("feanil", "15:44", "16:30");
    let mut paging = world.situation.paging.value.clone();
    let same_time = Layer { person: "anna".parse().unwrap(), ..plan.take_out[0].clone() };
    paging.former.extend([other.clone(), same_time.clone()]);
    world.situation.note(Record::Paging(paging), 9);
    hears(&mut world, &Said::TakenOut { layer: plan.take_out[0].clone() });
    assert_eq!(world.situation.paging.value.former, [other, same_time]);
    assert_eq!(world.log.last().unwrap().what, "Feanil is the first level in the pager no more");
}

#[test]
fn what_was_written_while_somebody_else_came_is_taken_out() {
    let mut world = world();
    let old = planned(&mut world).put.unwrap();
    world.merge(change(13, "usama", at("15:46")));
    world.deploy(&deployment(2, 13, "prod", Succeeded, at("15:50")));
    world.now = at("15:50");
    let plan = planned(&mut world);
    assert_eq!(
        plan.take_out,
        std::slice::from_ref(&old),
        "it may have been written: whoever takes it out looks for it"
    );
    // Of the layer that is wanted neither another person's id, nor the id of another time.
    hears(&mut world, &Said::Written { layer: old.clone(), id: "L1".into() });
    let paging = &world.situation.paging.value;
    assert_eq!(paging.layer.as_ref().unwrap().id, None);
    assert_eq!(paging.former.last(), Some(&Layer { id: Some("L1".into()), ..old.clone() }));
    let count = paging.former.len();
    hears(&mut world, &Said::Written { layer: Layer { id: Some("L1".into()), ..old }, id: "L1".into() });
    assert_eq!(world.situation.paging.value.former.len(), count, "told again it is not there twice");
    let earlier = layer("usama", "15:49", "16:50");
    hears(&mut world, &Said::Written { layer: earlier, id: "L2".into() });
    assert_eq!(world.situation.paging.value.layer.as_ref().unwrap().id, None);
    // What has run out meanwhile needs nobody.
    world.now = at("16:45");
    world.merge(change(14, "olga", at("16:44")));
    world.deploy(&deployment(3, 14, "prod", Succeeded, at("16:45")));
    let plan = planned(&mut world);
    let waiting: Vec<_> = plan.take_out.iter().map(|layer| (layer.person.as_str(), layer.until)).collect();
    assert_eq!(waiting, [("usama", at("16:50")), ("usama", at("16:50"))]);
}

#[test]
fn a_pager_that_cannot_be_told_is_left_alone_for_a_minute() {
    let mut world = world();
    world.service.schedule = None;
    written(&mut world, "L1");
    world.merge(change(13, "usama", at("15:46")));
    world.deploy(&deployment(2, 13, "prod", Succeeded, at("15:50")));
    world.now = at("15:50");
    planned(&mut world);
    hears(&mut world, &Said::NotWritten { why: "503".into() });
    let lines = world.log.len();
    world.now = at("15:50") + SignedDuration::from_secs(59);
    let plan = planned(&mut world);
    assert_eq!((plan.put, plan.take_out), (None, vec![]));
    assert_eq!(due(&world), Some(at("15:51")));
    world.now = at("15:51");
    let plan = planned(&mut world);
    assert!(plan.put.is_some() && plan.take_out.len() == 1);
    hears(&mut world, &Said::NotWritten { why: "503".into() });
    assert_eq!(world.log.len(), lines, "it is said once");
    let failing = world.situation.paging.value.unwritten.as_ref().unwrap();
    assert_eq!((failing.since, failing.last), (at("15:50"), at("15:51")));
}

#[test]
fn whoever_has_the_pager_by_somebodys_word_comes_first_until_then() {
    let mut world = world();
    let (usama, anna) = ("usama".parse().unwrap(), "anna".parse().unwrap());
    let shift = Shift::new(crate::shift::Scope::Service, &usama, &anna, at("15:45"), Some(at("18:00")), at("15:45"));
    world.situation.note(Record::Shift(shift), 1);
    assert_eq!(planned(&mut world).put, Some(layer("usama", "15:45", "18:00")));
}

#[test]
fn an_end_that_moves_by_less_than_two_minutes_stays_and_so_short_a_turn_is_not_written() {
    let mut world = world();
    written(&mut world, "L1");
    for (until, put) in [("16:41", false), ("16:39", false), ("16:42", true), ("16:38", true)] {
        let mut paging = world.situation.paging.value.clone();
        paging.layer.as_mut().unwrap().until = at(until);
        world.situation.note(Record::Paging(paging), 9);
        let (_, plan) = plan(&world.situation, &world.service, &world.settings.roster, world.now);
        assert_eq!(plan.put.is_some(), put, "{until}");
    }
    let mut world = self::world();
    for (now, put) in [("16:38", true), ("16:39", false)] {
        world.now = at(now);
        let (_, plan) = plan(&world.situation, &world.service, &world.settings.roster, world.now);
        assert_eq!(plan.put.is_some(), put, "{now}");
    }
}

#[test]
fn the_rotation_is_asked_each_ten_minutes_or_when_the_pager_says_that_it_changes() {
    let mut world = world();
    written(&mut world, "L1");
    assert_eq!(due(&world), Some(at("15:45")), "nobody has asked yet");
    for (until, want) in [(None, "15:55"), (Some("15:50"), "15:50"), (Some("17:00"), "15:55")] {
        hears(&mut world, &Said::OnCall { people: vec!["anna".parse().unwrap()], until: until.map(at) });
        assert_eq!(due(&world), Some(at(want)), "{until:?}");
    }
    assert_eq!(world.log.iter().filter(|entry| entry.what == "on call: Anna").count(), 1);
    world.now = at("15:54");
    assert!(!planned(&mut world).ask);
    world.now = at("15:55");
    assert!(planned(&mut world).ask);
    hears(&mut world, &Said::OnCall { people: vec![], until: None });
    assert_eq!(world.log.last().unwrap().what, "on call: nobody of the roster");
}

#[test]
fn a_rotation_that_cannot_be_read_is_said_once_and_tried_again() {
    let mut world = world();
    written(&mut world, "L1");
    hears(&mut world, &Said::OnCall { people: vec!["anna".parse().unwrap()], until: None });
    for minute in ["15:45", "15:46"] {
        world.now = at(minute);
        hears(&mut world, &Said::NotRead { why: "401".into() });
    }
    assert_eq!(world.log.iter().filter(|entry| entry.what == "the rotation cannot be read").count(), 1);
    assert_eq!(due(&world), Some(at("15:47")));
    let known = world.situation.paging.value.on_call.as_ref().unwrap();
    assert_eq!(known.people, ["anna".parse().unwrap()], "who was on call stays known");
    assert_eq!(known.unread.as_ref().unwrap().since, at("15:45"));
}

#[test]
fn too_many_that_wait_to_be_taken_out_leave_the_oldest_first() {
    let mut world = world();
    written(&mut world, "L1");
    let mut paging = world.situation.paging.value.clone();
    paging.former = vec![layer("anna", "15:44", "16:30"); MOST_FORMER];
    world.situation.note(Record::Paging(paging), 9);
    world.merge(change(13, "usama", at("15:46")));
    world.deploy(&deployment(2, 13, "prod", Succeeded, at("15:50")));
    world.now = at("15:50");
    let plan = planned(&mut world);
    assert_eq!(plan.take_out.len(), MOST_FORMER);
    assert_eq!(plan.take_out.last().unwrap().id.as_deref(), Some("L1"));
}

#[test]
fn what_is_written_is_what_is_wanted_if_it_ends_within_two_minutes_of_that() {
    let second = SignedDuration::from_secs(1);
    let same = |who: &str, until: Timestamp| {
        let written = Layer { until, ..layer(who, "15:00", "16:00") };
        is_same(Some(&written), Some(&layer("feanil", "15:30", "16:40")), at("15:30"))
    };
    let end = at("16:40");
    assert!(same("feanil", end) && same("feanil", at("16:42") - second) && same("feanil", at("16:38") + second));
    assert!(!same("feanil", at("16:42")) && !same("feanil", at("16:38")) && !same("usama", end));
    let one = layer("feanil", "15:00", "16:00");
    assert!(is_same(None, None, at("15:30")));
    assert!(!is_same(Some(&one), None, at("15:30")) && !is_same(None, Some(&one), at("15:30")));
    assert!(!is_same(Some(&one), Some(&one), at("16:00")), "what ran out is to be forgotten");
    assert!(is_same(Some(&one), Some(&one), at("16:00") - second));
}

#[test]
fn whoever_has_the_pager_without_an_end_is_written_for_two_weeks() {
    let mut world = world();
    let usama = "usama".parse().unwrap();
    let shift = Shift::new(crate::shift::Scope::Service, &usama, &usama, at("15:00"), None, at("15:00"));
    world.situation.note(Record::Shift(shift), 1);
    let until = at("15:45") + crate::shift::LONGEST;
    assert_eq!(planned(&mut world).put, Some(Layer { until, ..layer("usama", "15:45", "16:40") }));
}

#[test]
fn a_turn_that_is_almost_over_is_not_written_but_one_that_stands_there_stays() {
    let second = SignedDuration::from_secs(1);
    let put = |now: Timestamp| {
        let mut world = world();
        world.now = now;
        planned(&mut world).put.map(|layer| layer.until)
    };
    assert_eq!((put(at("16:38")), put(at("16:38") + second)), (Some(at("16:40")), None));
    let mut world = world();
    written(&mut world, "L1");
    world.now = at("16:39");
    assert_eq!(planned(&mut world).take_out, [], "it runs out by itself");
    assert_eq!(world.situation.paging.value.layer.as_ref().unwrap().id.as_deref(), Some("L1"));
}

#[test]
fn what_is_not_written_yet_or_not_taken_out_yet_is_due_at_once() {
    let mut world = world();
    world.service.schedule = None;
    assert_eq!(due(&world), Some(at("15:45")), "nothing is kept yet");
    let first = planned(&mut world).put.unwrap();
    assert_eq!(due(&world), Some(at("15:45")), "it is kept, and not written");
    hears(&mut world, &Said::Written { layer: first, id: "L1".into() });
    assert_eq!(due(&world), Some(at("15:55")), "it is looked for");
    let mut paging = world.situation.paging.value.clone();
    paging.former = vec![layer("usama", "15:40", "16:30")];
    world.situation.note(Record::Paging(paging), 9);
    assert_eq!(due(&world), Some(at("15:45")), "who was there before is there still");
}
