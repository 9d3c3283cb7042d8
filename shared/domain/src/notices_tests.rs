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

#[test]
fn what_was_not_in_the_release_after_all_was_not_rolled_back() {
    let mut world = World::new();
    world.merge(change(12, "feanil", at("11:00"))).merge(change(13, "usama", at("11:30"))).settle();
    world.deploy(&deployment(1, 13, "production", Succeeded, at("12:00")));
    world.settle();
    assert!(world.heard().contains("notice feanil started"));
    // The forge tells what the release carries, late.
    let release = &mut world.situation.deployments.values_mut().next().unwrap().value;
    let commits = [crate::testing::commit(13)].into();
    release.carries = crate::deployment::Carries::Commits { since: crate::testing::commit(1), commits };
    world.settle();
    assert!(world.windows().contains("edx-platform#12 feanil standby"), "{}", world.windows());
    assert_eq!(world.heard(), "");
}

#[test]
fn whoever_hears_of_failed_tests_reads_how_many_changes_are_in_them_and_five_by_name() {
    let reads = |others: u64| {
        let mut world = World::new();
        for number in 0..=others {
            world.merge(change(10 + number, "feanil", at("12:00")));
        }
        let manner = Manner::Test("smoke".to_owned());
        let run = deployment(1, 10 + others, "stage", Failed, at("12:10"));
        world.until(at("12:10")).deploy(&DeploymentEvent { manner, created_at: None, ..run });
        world.settle();
        let told = world.told.iter().find(|message| message.key.step == Step::TestsFailed).unwrap();
        let Reason::TestsFailed { changes, .. } = &told.reason else { panic!("{:?}", told.reason) };
        (*changes, told.lines[1].split_once(". ").unwrap().1.to_owned())
    };
    assert_eq!(reads(0), (1, "Yours is the only change since they last passed.".to_owned()));
    let (changes, five) = reads(5);
    assert_eq!((changes, five.matches("edx-platform#").count(), five.contains(" more")), (6, 5, false), "{five}");
    let (changes, seven) = reads(7);
    assert_eq!((changes, seven.matches("edx-platform#").count()), (8, 5), "{seven}");
    assert!(seven.ends_with(", 2 more."), "{seven}");
}

#[test]
fn whoever_is_asked_has_a_while_before_it_is_looked_at_again() {
    let mut world = World::new();
    world.change_service(|service| {
        let office = Some((jiff::civil::time(9, 0, 0, 0), jiff::civil::time(17, 0, 0, 0)));
        let hours = crate::calendar::WorkingHours { zone: jiff::tz::TimeZone::UTC, week: [office; 7] };
        service.timetable.hours = Some(hours);
    });
    world.now = at("20:00");
    world.merge(change(12, "feanil", at("20:00"))).settle();
    assert_eq!(world.heard(), "notice feanil ask (merged_off_hours)");
    let answer_by = at("20:00") + world.service.policy.answer_within;
    let World { situation, service, settings, now, .. } = &world;
    let all = crate::window::windows(situation, service, &settings.roster, *now);
    let failures = BTreeMap::new();
    let look = Look { situation, service, settings, all: &all, failures: &failures, now: *now, owner_told: false };
    assert_eq!(look.window(&all[0], &mut WindowNotes::default()).next, Some(answer_by));
}
