//! What a deployment carries that waits, and what is said of it during a freeze.

use super::*;
use crate::freeze::Strength;
use crate::testing::{World, at, change, commit, repository};

fn granted(number: u64) -> Granted {
    let (by, at_noon) = ("usama".parse().unwrap(), at("12:00"));
    let until = at("23:00");
    Granted {
        repository: repository(),
        number,
        by,
        at: at_noon,
        until,
        head: None,
        reason: String::new(),
        signed: vec![],
    }
}

fn answer(strength: Option<Strength>) -> Answer<'static> {
    Answer { strength, until: None, because: vec![], next: None }
}

#[test]
fn what_waits_in_the_same_repository_up_to_the_commit_is_carried() {
    let mut world = World::new();
    world.now = at("15:00");
    let mut other = world.service.repositories[0].clone();
    other.repository = "openedx/other".parse().unwrap();
    world.change_service(|service| service.repositories.push(other.clone()));
    let mut beside = change(13, "usama", at("12:10"));
    beside.id.repository = other.repository;
    let push = Change { kind: ChangeKind::DirectPush, ..change(14, "usama", at("12:20")) };
    world.merge(change(12, "feanil", at("12:00"))).merge(beside).merge(push).merge(change(15, "anna", at("12:30")));
    let carried = Carried::of(&commit(14), &world.situation, &world.service, &world.settings, world.now).unwrap();
    assert_eq!((carried.pulls.clone(), carried.others), (vec![(repository(), 12)], 1));
    assert_eq!(carried.changes(), 2);
    assert_eq!(carried.first_batch, None);
    world.service.policy.release_at_most = 1;
    let carried = Carried::of(&commit(14), &world.situation, &world.service, &world.settings, world.now).unwrap();
    assert_eq!(carried.first_batch, Some(commit(12)));
}

#[test]
fn a_release_that_carries_more_than_the_fix_says_what_keeps_it_back() {
    let pulls = |numbers: &[u64]| numbers.iter().map(|number| (repository(), *number)).collect::<Vec<_>>();
    let carried = |numbers: &[u64], others| Carried { pulls: pulls(numbers), others, first_batch: None };
    let words = |carried: Carried, strength| carried.words(&answer(strength), &[granted(12)]);
    let require = Some(Strength::Require);
    assert_eq!(words(carried(&[12], 0), require), None);
    let start = |text: Option<String>| text.map(|text| text.split(", which").next().unwrap().to_owned());
    assert_eq!(start(words(carried(&[12, 13], 0), require)).as_deref(), Some("it carries edx-platform#13"));
    assert_eq!(
        start(words(carried(&[12, 13], 2), require)).as_deref(),
        Some("it carries edx-platform#13 and 2 others")
    );
    let many: Vec<u64> = (12..=12 + u64::try_from(MOST_NAMED).unwrap() + 2).collect();
    let text = start(words(carried(&many, 1), require)).unwrap();
    assert!(text.ends_with(" and 3 others"), "{text}");
    // Where none of it may pass, or it is only advised, there is nothing to take out of it.
    assert_eq!(words(carried(&[13], 0), require), None);
    assert_eq!(words(carried(&[12, 13], 0), Some(Strength::Advise)), None);
}

#[test]
fn a_large_release_says_what_to_deploy_first_unless_a_freeze_holds() {
    let carried = Carried { pulls: vec![(repository(), 13)], others: 4, first_batch: Some(commit(13)) };
    assert_eq!(
        carried.words(&answer(None), &[]).as_deref(),
        Some(format!("it carries 5 changes: deploy {} first", commit(13).short()).as_str())
    );
    assert_eq!(carried.words(&answer(Some(Strength::Advise)), &[]), None);
}

#[test]
fn what_two_services_say_of_one_deployment_is_said_once() {
    let of = |numbers: &[u64], others, first: Option<u64>| Carried {
        pulls: numbers.iter().map(|number| (repository(), *number)).collect(),
        others,
        first_batch: first.map(commit),
    };
    assert_eq!(of(&[1, 2], 1, None).with(of(&[2, 3], 3, Some(2))), of(&[1, 2, 3], 3, Some(2)));
    assert_eq!(of(&[1], 2, Some(1)).with(of(&[1], 0, Some(2))), of(&[1], 2, Some(1)));
    let passing = [granted(2), granted(4)];
    let words: Vec<u64> = of(&[1, 2], 0, None).passing(&passing).map(|one| one.number).collect();
    assert_eq!(words, [2], "by whose word it passes");
}
