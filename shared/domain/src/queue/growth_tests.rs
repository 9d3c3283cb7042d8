//! Who hears how the queue grows, and what of the thaw.

use std::sync::Arc;

use crate::DeploymentState;
use crate::freeze::Time;
use crate::testing::{World, at, change, deployment};

fn merge(world: &mut World, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        world.now += jiff::SignedDuration::from_mins(1);
        world.merge(change(number, if number % 2 == 0 { "feanil" } else { "usama" }, world.now)).settle();
    }
}

/// What was heard of the queue as a whole.
fn heard(world: &mut World) -> Vec<String> {
    let told = std::mem::take(&mut world.told);
    let of_queue = |m: &&crate::Message| matches!(m.key.step, crate::Step::QueueGrew | crate::Step::Thaw);
    told.iter().filter(of_queue).map(|m| format!("{}: {}", m.key.person, m.title)).collect()
}

#[test]
fn the_owner_is_warned_once_at_eight_and_once_at_sixteen_and_again_after_it_was_small() {
    let mut world = World::new();
    merge(&mut world, 1..=7);
    assert!(heard(&mut world).is_empty());
    merge(&mut world, 8..=15);
    assert_eq!(heard(&mut world), ["olga: 8 changes wait to go live in edxapp"]);
    merge(&mut world, 16..=20);
    assert_eq!(heard(&mut world), ["olga: 16 changes wait to go live in edxapp"]);
    // All of it goes live; then it grows again.
    world.deploy(&deployment(1, 20, "production", DeploymentState::Succeeded, world.now));
    world.settle();
    merge(&mut world, 21..=28);
    assert_eq!(heard(&mut world), ["olga: 8 changes wait to go live in edxapp"]);
    world.nobody_told_twice();
}

#[test]
fn before_a_freeze_ends_the_owner_hears_of_the_releases_and_each_merger_of_their_own() {
    let mut world = World::new();
    world.change_service(|service| {
        let time = Time { from: at("10:00"), until: at("Mon 09:00"), name: "gratitude week".to_owned() };
        service.frozen = vec![Arc::new(vec![time])];
    });
    world.now = at("10:00");
    merge(&mut world, 1..=2);
    assert!(heard(&mut world).is_empty());
    // A day before is a Sunday: it is told on Friday at noon.
    world.until(at("11:59"));
    assert!(heard(&mut world).is_empty());
    world.until(at("12:00"));
    assert_eq!(
        heard(&mut world),
        [
            "olga: edxapp goes on at 2026-03-23 09:00 (Europe/London): 2 changes, 2 mergers, oldest 1 h 59 min: 1 release",
            "feanil: edxapp goes on at 2026-03-23 05:00 (America/New_York): yours is in the first of 1 release",
            "usama: edxapp goes on at 2026-03-23 14:00 (Asia/Karachi): yours is in the first of 1 release",
        ]
    );
    // Who merges later hears of it too, once.
    world.now = at("13:00");
    world.merge(change(3, "anna", world.now)).settle();
    assert_eq!(heard(&mut world).len(), 1);
    world.until(at("Mon 10:00"));
    assert!(heard(&mut world).is_empty());
    world.nobody_told_twice();
}

#[test]
fn nobody_is_on_call_for_what_a_freeze_holds_and_waiting_for_it_does_not_count() {
    let mut world = World::new();
    world.change_service(|service| {
        let time = Time { from: at("10:00"), until: at("Tue 09:00"), name: "gratitude week".to_owned() };
        service.frozen = vec![Arc::new(vec![time])];
    });
    world.now = at("11:00");
    world.merge(change(1, "feanil", world.now)).settle();
    assert!(
        world.told[0].lines.iter().any(|line| {
            line == "Deployments wait until 2026-03-24 05:00 (America/New_York), for the freeze gratitude week."
        }),
        "{:#?}",
        world.told[0].lines
    );
    world.until(at("Tue 08:59"));
    assert_eq!(world.windows(), "edx-platform#1 feanil standby");
    let heard = world.heard();
    assert!(!heard.contains("deputy"), "{heard}");
}

fn texts(world: &mut World) -> String {
    let told = std::mem::take(&mut world.told);
    let of_queue = |m: &&crate::Message| matches!(m.key.step, crate::Step::QueueGrew | crate::Step::Thaw);
    let all = told.iter().filter(of_queue).map(|m| format!("to {}\n{}", m.key.person, m.plain()));
    all.collect::<Vec<_>>().join("\n\n")
}

#[test]
fn a_queue_that_grew_and_a_thaw_in_words() {
    let mut world = World::new();
    merge(&mut world, 1..=8);
    expect_test::expect![[r#"
        to olga
        8 changes wait to go live in edxapp
        2 people answer for them, the oldest since 7 min.
        Nothing is known to hold them up.
        Board: https://deployers.example.com/#edxapp"#]]
    .assert_eq(&texts(&mut world));
    merge(&mut world, 9..=16);
    expect_test::expect![[r#"
        to olga
        16 changes wait to go live in edxapp
        2 people answer for them, the oldest since 15 min.
        Nothing is known to hold them up.
        At 8 a release that is 2 releases. Each change more makes it harder to say which one broke something.
        Board: https://deployers.example.com/#edxapp"#]]
    .assert_eq(&texts(&mut world));
    let mut world = World::new();
    world.change_service(|service| {
        let time = Time { from: at("10:00"), until: at("Mon 09:00"), name: "gratitude week".to_owned() };
        service.frozen = vec![Arc::new(vec![time])];
        service.policy.release_at_most = 2;
    });
    world.now = at("10:00");
    merge(&mut world, 1..=15);
    world.told.clear();
    world.until(at("Mon 09:00"));
    expect_test::expect![[r#"
        to olga
        edxapp goes on at 2026-03-23 09:00 (Europe/London): 15 changes, 2 mergers, oldest 1 h 59 min: 8 releases
        first: 2026-03-23 09:00 (Europe/London), edx-platform#1 to edx-platform#2 (2 changes), deploy 0000000000. Feanil, Usama.
        second: 2026-03-23 10:00 (Europe/London), edx-platform#3 to edx-platform#4 (2 changes), deploy 0000000000. Feanil, Usama.
        third: 2026-03-23 11:00 (Europe/London), edx-platform#5 to edx-platform#6 (2 changes), deploy 0000000000. Feanil, Usama.
        4th: 2026-03-23 12:00 (Europe/London), edx-platform#7 to edx-platform#8 (2 changes), deploy 0000000000. Feanil, Usama.
        5th: 2026-03-23 13:00 (Europe/London), edx-platform#9 to edx-platform#10 (2 changes), deploy 0000000000. Feanil, Usama.
        And 3 more.
        Board: https://deployers.example.com/#edxapp

        to feanil
        edxapp goes on at 2026-03-23 05:00 (America/New_York): yours is in the first of 8 releases
        Proposed for 2026-03-23 05:00 (America/New_York), with edx-platform#1 to edx-platform#2 (2 changes).
        Your turn starts when it is live: you are told then. Nothing is asked of you before.
        Board: https://deployers.example.com/#edxapp

        to usama
        edxapp goes on at 2026-03-23 14:00 (Asia/Karachi): yours is in the first of 8 releases
        Proposed for 2026-03-23 14:00 (Asia/Karachi), with edx-platform#1 to edx-platform#2 (2 changes).
        Your turn starts when it is live: you are told then. Nothing is asked of you before.
        Board: https://deployers.example.com/#edxapp"#]].assert_eq(&texts(&mut world));
}

#[test]
fn it_has_to_shrink_to_half_before_it_is_told_of_again() {
    for (live, waiting, again) in [(3, 5, false), (4, 4, true)] {
        let mut world = World::new();
        merge(&mut world, 1..=8);
        assert_eq!(heard(&mut world).len(), 1);
        world.deploy(&deployment(1, live, "production", DeploymentState::Succeeded, world.now));
        world.settle();
        assert_eq!(world.windows().matches("standby").count(), waiting);
        merge(&mut world, 9..=8 + live);
        assert_eq!(!heard(&mut world).is_empty(), again, "{waiting} were left");
    }
}

#[test]
fn each_warning_is_counted_and_a_size_of_nothing_warns_of_nothing() {
    let mut world = World::new();
    merge(&mut world, 1..=16);
    let nths = |world: &World| {
        let all = world.told.iter().filter(|m| m.key.step == crate::Step::QueueGrew);
        all.map(|m| m.key.nth).collect::<Vec<_>>()
    };
    assert_eq!((nths(&world), &world.situation.queue.value.warned[..]), (vec![1, 2], &[8, 16][..]));
    let mut world = World::new();
    world.change_service(|service| service.policy.queue_warned_at = [0, 3]);
    merge(&mut world, 1..=2);
    assert_eq!(nths(&world), [0; 0]);
    merge(&mut world, 3..=4);
    assert_eq!((nths(&world), &world.situation.queue.value.warned[..]), (vec![1], &[3][..]));
}

#[test]
fn a_service_that_nobody_uses_yet_has_no_queue_to_be_warned_of() {
    let mut world = World::new();
    world.change_service(|service| service.environments.iter_mut().for_each(|environment| environment.live = false));
    merge(&mut world, 1..=9);
    assert!(heard(&mut world).is_empty());
    let mut world = World::new();
    world.change_service(|service| service.mode = crate::Mode::Manual);
    merge(&mut world, 1..=9);
    assert!(heard(&mut world).is_empty(), "by hand");
}

/// What is left to write in a transaction with room for so many messages, and when it is looked at again.
fn with_room(world: &World, room: usize) -> (usize, Option<jiff::Timestamp>) {
    let World { situation, service, settings, now, .. } = world;
    let all = crate::window::windows(situation, service, &settings.roster, *now);
    let failures = std::collections::BTreeMap::new();
    let look =
        super::Look { situation, service, settings, all: &all, failures: &failures, now: *now, owner_told: false };
    let mut decisions = crate::Decisions::none(&service.id, crate::decision::Wake::Now);
    let mut key = 0;
    while decisions.room() > room {
        let mut message = super::queues::grown(super::reader(&look, &service.owners[0]), &look, 0);
        key += 1;
        message.key.nth = 1000 + key;
        decisions.tell(message);
    }
    assert_eq!(decisions.room(), room);
    let before = decisions.messages.len();
    let next = super::look(&mut decisions, &mut situation.queue.value.clone(), &look);
    (decisions.messages.len() - before, next)
}

#[test]
fn what_does_not_fit_is_told_at_once_again() {
    let mut world = World::new();
    for number in 1..=8 {
        world.merge(change(number, "feanil", at("12:00")));
    }
    assert_eq!(with_room(&world, 3), (1, None), "the owner hears of it");
    assert_eq!(with_room(&world, 2), (0, Some(world.now)));
    // A thaw: the owner and whoever merged.
    world.situation.queue.value.warned = vec![8];
    world.change_service(|service| {
        let time = Time { from: at("10:00"), until: at("16:00"), name: "a test".to_owned() };
        service.frozen = vec![Arc::new(vec![time])];
    });
    assert_eq!(with_room(&world, 20), (2, None));
    assert_eq!(with_room(&world, 6), (1, Some(world.now)), "one after the other");
    assert_eq!(with_room(&world, 5), (0, Some(world.now)));
}

/// Who hears when of the thaw of a freeze, a change having waited since 10:00.
fn thaw_of(from: &str, until: &str, times: &[&str]) -> Vec<usize> {
    let mut world = World::new();
    world.change_service(|service| {
        let time = Time { from: at(from), until: at(until), name: "a test".to_owned() };
        service.frozen = vec![Arc::new(vec![time])];
    });
    world.now = at("09:00");
    world.merge(change(1, "feanil", world.now)).settle();
    let mut told = Vec::new();
    for time in times {
        world.until(at(time));
        told.push(heard(&mut world).len());
    }
    told
}

#[test]
fn a_thaw_is_foretold_a_day_ahead_and_on_a_friday_where_that_is_a_weekend() {
    assert_eq!(thaw_of("10:00", "Mon 09:00", &["11:59", "12:00", "Sun 12:00"]), [0, 2, 0], "on Sunday");
    assert_eq!(thaw_of("10:00", "Sun 15:00", &["11:59", "12:00", "Sat 18:00"]), [0, 2, 0], "on Saturday");
    assert_eq!(thaw_of("13:00", "Sun 15:00", &["14:59", "Sat 14:59", "Sat 15:00"]), [0, 0, 2], "noon was before it");
    assert_eq!(thaw_of("10:00", "Tue 15:00", &["Mon 14:59", "Mon 15:00", "Tue 14:59"]), [0, 2, 0], "on Monday");
    assert_eq!(thaw_of("10:00", "Sat 09:00", &["10:00", "Sat 08:59"]), [2, 0], "at once, where it is shorter");
}

#[test]
fn one_of_less_than_two_hours_piles_nothing_up() {
    assert_eq!(thaw_of("10:00", "11:59", &["10:00", "11:58"]), [0, 0]);
    assert_eq!(thaw_of("10:00", "12:00", &["10:00", "11:58"]), [2, 0]);
    assert_eq!(thaw_of("10:00", "12:01", &["10:00", "11:58"]), [2, 0]);
}

#[test]
fn each_thaw_has_a_key_by_the_minute_in_which_it_comes() {
    let mut world = World::new();
    world.change_service(|service| {
        let time = Time { from: at("10:00"), until: at("16:00"), name: "a test".to_owned() };
        service.frozen = vec![Arc::new(vec![time])];
    });
    world.now = at("10:00");
    merge(&mut world, 1..=1);
    let thaw = world.told.iter().find(|m| m.key.step == crate::Step::Thaw).unwrap();
    assert_eq!(i64::from(thaw.key.nth), at("16:00").as_second() / 60);
}

#[test]
fn a_queue_that_grew_says_what_holds_it_up() {
    let grown = |hold: &dyn Fn(&mut World)| {
        let mut world = World::new();
        hold(&mut world);
        merge(&mut world, 1..=8);
        let grew = world.told.iter().find(|message| message.key.step == crate::Step::QueueGrew).unwrap();
        grew.lines[1].clone()
    };
    let paused = |world: &mut World| {
        let (by, why) = ("anna".parse().unwrap(), "flaky tests".to_owned());
        world.situation.queue.value.pauses.push(crate::queue::Pause { from: at("11:00"), until: None, by, why });
    };
    assert_eq!(grown(&paused), "The pipeline is paused since 11:00 (Europe/London): flaky tests (Anna).");
    let failing = |times: u64| {
        move |world: &mut World| {
            for number in 1..=times {
                world.deploy(&deployment(number, 99, "production", DeploymentState::Failed, at("11:30")));
            }
        }
    };
    assert_eq!(grown(&failing(1)), "The last deployment to production failed at 11:30 (Europe/London).");
    assert_eq!(
        grown(&failing(2)),
        "The last deployment to production failed at 11:30 (Europe/London), 2 times in a row."
    );
}

#[test]
fn a_thaw_of_five_releases_names_them_all() {
    let mut world = World::new();
    world.change_service(|service| {
        let time = Time { from: at("10:00"), until: at("Mon 09:00"), name: "gratitude week".to_owned() };
        service.frozen = vec![Arc::new(vec![time])];
        service.policy.release_at_most = 2;
    });
    world.now = at("10:00");
    merge(&mut world, 1..=10);
    world.told.clear();
    world.until(at("Mon 09:00"));
    let thaw = world.told.iter().find(|message| message.key.person.as_str() == "olga").unwrap();
    assert_eq!(thaw.lines.len(), 5, "{:#?}", thaw.lines);
    assert!(thaw.lines[4].starts_with("5th: "));
}
