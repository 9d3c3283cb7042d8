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

/// An incident of a change that was reverted by itself at 12:30, as it stands at 13:00; and what that says of the revert.
fn reverted(
    change: impl FnOnce(&mut crate::Incident),
    moved: impl FnOnce(&mut super::super::Moved),
    counts_from: &str,
) -> bool {
    let mut world = World::new();
    world.until(at("12:20")).alert(&[crate::testing::alert("Down", at("12:20"), None)]);
    world.settle();
    let id = of(12);
    let known = world.situation.incidents.values_mut().next().unwrap();
    known.value.proposed = Some(crate::autopilot::Proposal {
        change: id.clone(),
        label: "edx-platform#12".to_owned(),
        responder: "feanil".parse().unwrap(),
        at: at("12:30"),
        percent: 90,
        left: None,
        back: None,
        merging: crate::autopilot::Merging::Done { at: at("12:31") },
    });
    change(&mut known.value);
    let mut of_it =
        super::super::Moved { at: at("12:30"), incident: known.value.id.clone(), change: id.clone(), acts: true };
    moved(&mut of_it);
    let ceiling = Ceiling { moves: vec![of_it], counts_from: Some(at(counts_from)), ..Ceiling::default() };
    world.now = at("13:00");
    world.change_service(|service| service.policy.after_failure = jiff::SignedDuration::from_mins(15));
    let World { situation, service, settings, now, .. } = &world;
    let failures = BTreeMap::new();
    let look = Look { situation, service, settings, all: &[], failures: &failures, now: *now, owner_told: false };
    let wrong = wrong_revert(&look, &ceiling);
    let why = Why::WrongRevert { change: id, label: "edx-platform#12".to_owned() };
    assert!(wrong.is_none() || wrong == Some(why));
    wrong.is_some()
}

fn of(number: u64) -> crate::ChangeId {
    crate::ChangeId { repository: crate::testing::repository(), commit: crate::testing::commit(number) }
}

fn judged(by: Judge, change: Option<u64>) -> Option<crate::outcome::Verdict> {
    Some(crate::outcome::Verdict { change: change.map(of), label: String::new(), by, at: at("12:50") })
}

#[test]
fn what_was_reverted_by_itself_was_wrong_where_a_person_says_that_it_was_another() {
    let person = || Judge::Person("anna".parse().unwrap());
    let says = |verdict| reverted(|incident| incident.verdict = verdict, |_| (), "12:00");
    assert!(!says(None));
    assert!(says(judged(person(), Some(13))) && says(judged(person(), None)));
    assert!(!says(judged(person(), Some(12))), "it was it");
    assert!(!says(judged(Judge::Guess("anna".parse().unwrap()), Some(13))), "a guess");
}

#[test]
fn it_was_wrong_too_where_it_fires_all_the_same_a_while_after_that_was_live() {
    let back = |number: u64, when: &str, over: bool| {
        let mitigated = crate::outcome::Mitigated {
            at: at(when),
            change: of(number),
            label: String::new(),
            how: crate::outcome::TakenBack::Reverted,
        };
        let change = |incident: &mut crate::Incident| {
            incident.mitigated = Some(mitigated);
            incident.resolved_at = over.then(|| at("12:50"));
        };
        reverted(change, |_| (), "12:00")
    };
    assert_eq!((back(12, "12:45", false), back(12, "12:46", false)), (true, false));
    assert!(!back(12, "12:45", true), "it is over");
    assert!(!back(13, "12:45", false), "another one was taken back");
    assert!(reverted(|incident| incident.in_vain = [of(12)].into(), |_| (), "12:00"), "it was known to be in vain");
    assert!(!reverted(|incident| incident.in_vain = [of(13)].into(), |_| (), "12:00"));
}

#[test]
fn only_what_acted_since_somebody_last_looked_counts() {
    let wrong = |incident: &mut crate::Incident| incident.in_vain = [of(12)].into();
    assert!(reverted(wrong, |_| (), "12:30"));
    assert!(!reverted(wrong, |_| (), "12:31"), "that was known then");
    assert!(!reverted(wrong, |moved| moved.acts = false, "12:00"), "a person merged it");
}
