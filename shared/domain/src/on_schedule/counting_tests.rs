//! What takes long, and what comes all at once, is counted all the same.

use jiff::SignedDuration;

use crate::DeploymentState::{Failed, Started, Succeeded};
use crate::measures::Fact;
use crate::testing::{World, at, change, deployment};

/// Two changes are live, and the second is being taken back since 13:00.
fn rolling_back() -> World {
    let mut world = World::new();
    world.now = at("11:00");
    world.merge(change(1, "feanil", at("11:00"))).merge(change(2, "usama", at("11:50"))).settle();
    world.deploy(&deployment(1, 1, "prod", Succeeded, at("11:30")));
    world.until(at("12:10")).deploy(&deployment(2, 2, "prod", Succeeded, at("12:10")));
    world.until(at("13:00")).deploy(&deployment(3, 1, "prod", Started, at("13:00")));
    world.until(at("13:40"));
    world
}

fn failed(world: &World) -> usize {
    world.facts.iter().filter(|fact| matches!(fact, Fact::Failed { .. })).count()
}

fn reworks(world: &World) -> Vec<bool> {
    let rework = |fact: &Fact| if let Fact::Released(released) = fact { Some(released.rework) } else { None };
    world.facts.iter().filter_map(rework).collect()
}

#[test]
fn what_is_taken_back_slowly_had_to_be_put_right() {
    let mut world = rolling_back();
    assert_eq!(failed(&world), 0, "it may fail yet");
    world.deploy(&deployment(3, 1, "prod", Succeeded, at("13:40")));
    world.until(at("Tue 12:00"));
    assert_eq!((failed(&world), reworks(&world)), (1, vec![false, false, true]));
}

#[test]
fn what_was_not_taken_back_after_all_had_not_to_be_put_right() {
    let mut world = rolling_back();
    world.deploy(&deployment(3, 1, "prod", Failed, at("13:40")));
    world.until(at("Tue 12:00"));
    assert_eq!((failed(&world), reworks(&world)), (0, vec![false, false]));
}

/// A release an hour from 09:00 on, of change after change; all windows are closed a day later, and nothing is left of them.
fn a_day_of_releases() -> World {
    let mut world = World::new();
    for (number, hour) in [(1, "09:00"), (2, "10:00"), (3, "11:00"), (4, "12:00")] {
        world.now = at(hour);
        world.merge(change(number, "usama", at(hour))).settle();
        world.deploy(&deployment(number, number, "prod", Succeeded, at(hour) + SignedDuration::from_mins(30)));
        world.until(at(hour) + SignedDuration::from_mins(35));
    }
    // The newest is deployed once more.
    world.until(at("16:00")).deploy(&deployment(5, 4, "prod", Succeeded, at("16:00")));
    world.until(at("Sat 20:00"));
    assert!(world.is_empty(), "{}", world.windows());
    world
}

#[test]
fn what_is_taken_back_when_its_window_has_long_left_had_to_be_put_right() {
    let mut world = a_day_of_releases();
    world.deploy(&deployment(6, 2, "prod", Succeeded, at("Sat 20:00")));
    world.until(at("Sat 20:30"));
    assert_eq!((failed(&world), reworks(&world).last()), (2, Some(&true)), "the third and the fourth");
    // Nor is it taken back by whoever goes further back.
    world.deploy(&deployment(7, 1, "prod", Succeeded, at("Sat 20:40")));
    world.until(at("Tue 12:00"));
    assert_eq!(failed(&world), 3, "the second, once, however often it was deployed");
}

#[test]
fn going_forward_takes_nothing_back() {
    let mut world = a_day_of_releases();
    world.merge(change(5, "usama", at("Sat 20:00"))).settle();
    world.deploy(&deployment(6, 5, "prod", Succeeded, at("Sat 20:10")));
    world.until(at("Tue 12:00"));
    assert_eq!((failed(&world), reworks(&world).contains(&true)), (0, false));
}

#[test]
fn all_that_closed_while_nobody_looked_is_counted() {
    let mut world = World::new();
    world.now = at("08:00");
    let many: i16 = 25;
    for number in 1..=many {
        let number = u64::from(number.unsigned_abs());
        let live = at("08:00") + SignedDuration::from_mins(i64::try_from(number).unwrap());
        world.now = live;
        world.merge(change(number, "usama", live - SignedDuration::from_secs(30)));
        world.deploy(&deployment(number, number, "prod", Succeeded, live));
    }
    world.now = at("14:00");
    world.settle();
    world.until(at("Tue 18:00"));
    assert_eq!(reworks(&world).len(), usize::try_from(many).unwrap());
    assert!(world.is_empty(), "{}", world.windows());
}
