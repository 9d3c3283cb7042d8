//! What a notice says beside what it is about, and when it is another one.

use super::*;
use crate::DeploymentState::{Failed, Succeeded};
use crate::deployment::Manner;
use crate::testing::{World, alert, at, change, deployment};
use crate::{DeploymentEvent, Step};

/// What somebody reads when so many changes go live together.
fn started(changes: u64) -> String {
    let mut world = World::new();
    for number in 1..=changes {
        world.merge(change(number, "feanil", at("12:00")));
    }
    world.settle();
    world.deploy(&deployment(1, changes, "production", Succeeded, at("12:00")));
    world.settle();
    let first = world.told.iter().find(|message| message.key.step == Step::Started).unwrap();
    first.plain()
}

#[test]
fn five_others_of_a_release_are_named_and_further_ones_counted() {
    let others = |changes| started(changes).matches("edx-platform#").count();
    assert!(others(6) > others(5), "all of them are named");
    assert!(!started(6).contains(" more"), "{}", started(6));
    assert!(started(7).contains("1 more"), "{}", started(7));
    assert!(started(8).contains("2 more"), "{}", started(8));
}

#[test]
fn each_run_of_the_tests_that_fails_is_another_notice() {
    let mut world = World::new();
    world.merge(change(12, "feanil", at("12:00"))).settle();
    let run = |id: u64, state, when: &str| DeploymentEvent {
        manner: Manner::Test("smoke".to_owned()),
        created_at: None,
        ..deployment(id, 12, "stage", state, at(when))
    };
    let told = |world: &World| -> Vec<i64> {
        let all = world.told.iter().filter(|message| message.key.step == Step::TestsFailed);
        all.map(|message| i64::from(message.key.nth)).collect()
    };
    world.until(at("12:10")).deploy(&run(1, Failed, "12:10"));
    world.settle();
    assert_eq!(told(&world), [at("12:10").as_second() / 60]);
    world.until(at("12:20")).deploy(&run(2, Succeeded, "12:20"));
    world.settle();
    world.until(at("12:30")).deploy(&run(3, Failed, "12:30"));
    world.settle();
    assert_eq!(told(&world).len(), 1, "it passed with it: what fails now is something else");
}

#[test]
fn a_turn_that_begins_is_told_of_as_new_once() {
    let mut world = World::new();
    world.merge(change(12, "feanil", at("12:00"))).settle();
    world.deploy(&deployment(1, 12, "production", Succeeded, at("12:00")));
    let live = |world: &World| {
        let World { situation, service, settings, now, .. } = world;
        let all = crate::window::windows(situation, service, &settings.roster, *now);
        let failures = BTreeMap::new();
        let look = Look { situation, service, settings, all: &all, failures: &failures, now: *now, owner_told: false };
        let mut notes = situation.notes.values().next().map(|notes| notes.value.clone()).unwrap_or_default();
        look.window(&all[0], &mut notes).went_live
    };
    assert!(live(&world));
    world.settle();
    assert!(!live(&world));
    world.until(at("12:10")).alert(&[alert("Down", at("12:10"), None)]);
    world.settle();
    assert!(!live(&world));
}
