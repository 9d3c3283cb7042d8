//! Who takes an incident twice, and when that says something new.

use super::*;
use crate::DeploymentState::Succeeded;
use crate::testing::{World, alert, at, change, deployment};

/// Feanil's change breaks something at 12:20; anna takes it over at 12:30, which lasts for an hour.
fn taken() -> World {
    let mut world = World::new();
    world.merge(change(11, "feanil", at("12:00")));
    world.until(at("12:10")).deploy(&deployment(1, 11, "production", Succeeded, at("12:10")));
    world.settle();
    world.until(at("12:20")).alert(&[alert("Down", at("12:20"), None)]);
    world.settle();
    world.until(at("12:30")).acknowledge("anna").unwrap();
    world.settle();
    world
}

fn of_newest(world: &mut World, change: impl FnOnce(&mut Incident)) {
    let known = world.situation.incidents.values_mut().next().unwrap();
    change(&mut known.value);
}

#[test]
fn taken_again_within_half_of_its_time_says_nothing_new() {
    let again = |when: &str| {
        let mut world = taken();
        world.now = at(when);
        world.acknowledge("anna")
    };
    let before = Err(Refused::Before { at: at("12:30") });
    assert_eq!((again("12:30"), again("12:59"), again("13:00")), (before.clone(), before, Ok(())));
    let mut world = taken();
    world.now = at("12:40");
    assert_eq!(world.acknowledge("feanil"), Ok(()), "somebody else");
}

#[test]
fn what_began_anew_or_got_worse_since_can_be_taken_again() {
    let again = |round: Option<&str>, worse: Option<&str>| {
        let mut world = taken();
        of_newest(&mut world, |incident| {
            (incident.round_at, incident.worsened_at) = (round.map(at), worse.map(at));
        });
        world.now = at("12:40");
        world.acknowledge("anna")
    };
    let before = Err(Refused::Before { at: at("12:30") });
    assert_eq!(again(None, None), before);
    assert_eq!((again(Some("12:30"), None), again(Some("12:31"), None)), (before.clone(), Ok(())));
    assert_eq!((again(None, Some("12:30")), again(None, Some("12:31"))), (before, Ok(())));
}

#[test]
fn who_is_at_it_already_may_still_take_the_change_over() {
    let mut world = taken();
    world.now = at("12:40");
    assert_eq!(world.does("anna", |counter| counter.take()), Ok(()));
    let shifts: Vec<&str> = world.situation.shifts.values().map(|shift| shift.value.person.as_str()).collect();
    assert_eq!(shifts, ["anna"]);
    of_newest(&mut world, |incident| incident.suspects.clear());
    assert_eq!(world.does("anna", |counter| counter.take()), Err(Refused::Before { at: at("12:30") }));
}
