//! Down by itself: at the limit, with room for it or not, and who hears of it.

use std::collections::BTreeMap;

use super::*;
use crate::decision::Wake;
use crate::testing::{World, at};

/// What comes of so many wrong pages of one person, where so much is to be written already.
fn looked(world: &World, wrong: usize, actions: usize) -> (Option<Timestamp>, Option<Mode>, usize) {
    let World { situation, service, settings, now, .. } = world;
    let failures = BTreeMap::new();
    let at_it = Look { situation, service, settings, all: &[], failures: &failures, now: *now, owner_told: false };
    let page = |n: usize| WrongPage {
        at: at("11:00"),
        incident: format!("edxapp-qaqn6j{n:02}").parse().unwrap(),
        person: "feanil".parse().unwrap(),
    };
    let mut ceiling = Ceiling { wrong: (0..wrong).map(page).collect(), ..Ceiling::default() };
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    while decisions.actions() < actions {
        decisions.log(*now, None, None, "something".to_owned(), Reason::ManualMode);
    }
    let before = decisions.actions();
    let again = look(&mut decisions, &at_it, &mut ceiling);
    (again, ceiling.lowered.map(|lowered| lowered.to), decisions.actions() - before)
}

#[test]
fn more_wrong_pages_than_policy_has_lower_it_and_without_a_limit_none_do() {
    let mut world = World::new();
    let lowered = |world: &World, wrong| looked(world, wrong, 0).1;
    world.change_service(|service| service.policy.wrong_pages_at_most = 2);
    assert_eq!([1, 2, 3].map(|wrong| lowered(&world, wrong)), [None, None, Some(Mode::Notify)]);
    world.change_service(|service| service.policy.wrong_pages_at_most = 0);
    assert_eq!(lowered(&world, 50), None);
    world.change_service(|service| {
        service.policy.wrong_pages_at_most = 2;
        service.mode = Mode::Notify;
    });
    assert_eq!(lowered(&world, 3), None, "nobody is woken any more");
}

#[test]
fn what_does_not_fit_a_transaction_is_done_at_once_again() {
    let mut world = World::new();
    world.change_service(|service| service.policy.wrong_pages_at_most = 2);
    // Its line in the log, the ceiling, and for the owner a message with its line.
    assert_eq!(looked(&world, 3, MOST_ACTIONS - 4), (None, Some(Mode::Notify), 3));
    assert_eq!(looked(&world, 3, MOST_ACTIONS - 3), (Some(world.now), None, 0));
    world.change_service(|service| {
        service.policy.wrong_pages_at_most = 2;
        service.owners = ["olga", "anna", "usama"].map(|id| id.parse().unwrap()).to_vec();
    });
    assert_eq!(looked(&world, 3, MOST_ACTIONS - 8), (None, Some(Mode::Notify), 7));
    assert_eq!(looked(&world, 3, MOST_ACTIONS - 7), (Some(world.now), None, 0));
}

#[test]
fn twelve_people_hear_of_it_at_most_and_each_once() {
    let mut service = crate::testing::service();
    service.owners = (0..20).map(|n| format!("p{n:02}").parse().unwrap()).collect();
    service.channel = Some("p03".parse().unwrap());
    let names: Vec<&str> = told(&service).into_iter().map(|id| id.as_str()).collect();
    assert_eq!(names.len(), MOST_TOLD);
    assert_eq!(names[..5], ["p03", "p00", "p01", "p02", "p04"]);
}
