//! When am I on call? Each test is one line of given, event, expectation in the words of PRODUCT.md.

use expect_test::{Expect, expect};

use crate::DeploymentState::{Aborted, Failed, Started, Succeeded};
use crate::testing::{World, alert, at, change, deployment};
use crate::{ChangeKind, Credit, Login};

/// Plays `story`, then compares windows and messages.
fn check(story: impl FnOnce(&mut World), windows: Expect, heard: Expect) {
    let mut world = World::new();
    story(&mut world);
    windows.assert_eq(&world.windows());
    world.nobody_told_twice();
    heard.assert_eq(&world.heard());
}

fn merged(world: &mut World, number: u64, who: &str, when: &str) {
    world.now = at(when);
    world.merge(change(number, who, at(when))).settle();
}

fn moved(world: &mut World, id: u64, number: u64, to: &str, state: crate::DeploymentState, when: &str) {
    world.until(at(when));
    world.deploy(&deployment(id, number, to, state, at(when)));
    world.settle();
}

#[test]
fn merged_and_not_live_is_standby() {
    check(
        |w| merged(w, 12, "feanil", "15:00"),
        expect!["edx-platform#12 feanil standby"],
        expect!["notice feanil receipt (merged_on_standby)"],
    );
}

#[test]
fn a_queue_that_stalls_never_starts_or_burns_a_window() {
    check(
        |w| {
            merged(w, 12, "feanil", "15:00");
            w.until(at("Tue 15:00"));
        },
        expect!["edx-platform#12 feanil standby"],
        expect![[r#"
            notice feanil receipt (merged_on_standby)
            notice olga queue-slow (queue_waits)
            notice olga deputy (queue_deputy)"#]],
    );
}

#[test]
fn reaching_stage_changes_nothing_for_the_pager() {
    check(
        |w| {
            merged(w, 12, "feanil", "15:00");
            moved(w, 1, 12, "staging", Started, "15:10");
            moved(w, 1, 12, "staging", Succeeded, "15:20");
        },
        expect!["edx-platform#12 feanil standby"],
        expect!["notice feanil receipt (merged_on_standby)"],
    );
}

#[test]
fn the_turn_starts_when_the_live_deployment_starts_not_when_it_was_created() {
    check(
        |w| {
            merged(w, 12, "feanil", "14:00");
            moved(w, 1, 12, "prod", Started, "15:30");
        },
        // The end is not known yet: at most four hours.
        expect!["edx-platform#12 feanil active until Fri 19:30"],
        expect![[r#"
            notice feanil receipt (merged_on_standby)
            notice feanil started (turn_started)"#]],
    );
}

#[test]
fn the_turn_ends_an_hour_after_the_deployment_succeeded() {
    check(
        |w| {
            merged(w, 12, "feanil", "14:00");
            moved(w, 1, 12, "prod", Started, "15:30");
            moved(w, 1, 12, "prod", Succeeded, "15:40");
        },
        expect!["edx-platform#12 feanil active until Fri 16:40"],
        expect![[r#"
            notice feanil receipt (merged_on_standby)
            notice feanil started (turn_started)"#]],
    );
}

#[test]
fn a_pipeline_that_reports_only_success_starts_the_turn_too() {
    check(
        |w| {
            merged(w, 12, "feanil", "14:00");
            moved(w, 1, 12, "PROD", Succeeded, "15:40");
        },
        expect!["edx-platform#12 feanil active until Fri 16:40"],
        expect![[r#"
            notice feanil receipt (merged_on_standby)
            notice feanil started (turn_started)"#]],
    );
}

#[test]
fn a_slow_deployment_never_makes_a_turn_longer_than_four_hours() {
    check(
        |w| {
            merged(w, 12, "feanil", "14:00");
            moved(w, 1, 12, "prod", Started, "15:30");
            moved(w, 1, 12, "prod", Succeeded, "19:20");
        },
        expect!["edx-platform#12 feanil active until Fri 19:30"],
        expect![[r#"
            notice feanil receipt (merged_on_standby)
            notice feanil started (turn_started)
            notice feanil ending-soon (turn_ends_soon)"#]],
    );
}

#[test]
fn after_the_turn_the_change_stays_a_suspect_for_a_day() {
    check(
        |w| {
            merged(w, 12, "feanil", "14:00");
            moved(w, 1, 12, "prod", Succeeded, "15:40");
            w.until(at("16:45"));
        },
        expect!["edx-platform#12 feanil tail until Sat 16:40"],
        expect![[r#"
            notice feanil receipt (merged_on_standby)
            notice feanil started (turn_started)
            notice feanil ending-soon (turn_ends_soon)
            notice feanil ended (turn_ended)"#]],
    );
}

#[test]
fn after_the_tail_the_window_is_closed_and_leaves_the_working_set() {
    let mut world = World::new();
    merged(&mut world, 12, "feanil", "14:00");
    moved(&mut world, 1, 12, "prod", Succeeded, "15:40");
    world.until(at("Sat 16:40"));
    assert!(world.is_empty());
    assert_eq!(world.reasons.last(), Some(&"window_closed"));
    assert_eq!(world.situation.deployments.len(), 1, "what is live stays known");
}

#[test]
fn a_failed_deployment_puts_its_changes_back_on_standby_and_the_next_one_starts_a_turn() {
    check(
        |w| {
            merged(w, 12, "feanil", "14:00");
            moved(w, 1, 12, "prod", Started, "15:30");
            moved(w, 1, 12, "prod", Failed, "15:35");
        },
        expect!["edx-platform#12 feanil standby"],
        expect![[r#"
            notice feanil receipt (merged_on_standby)
            notice feanil started (turn_started)
            notice feanil standby-again (back_on_standby)"#]],
    );
}

#[test]
fn a_change_that_took_traffic_in_an_aborted_deployment_is_a_suspect_for_fifteen_minutes() {
    for (when, suspects) in [("15:33", "edx-platform#12"), ("15:49", "edx-platform#12"), ("15:51", "")] {
        let mut world = World::new();
        merged(&mut world, 12, "feanil", "14:00");
        moved(&mut world, 1, 12, "prod", Started, "15:30");
        moved(&mut world, 1, 12, "prod", Aborted, "15:35");
        world.until(at("16:00"));
        world.alert(&[alert("HighErrorRate", at(when), None)]);
        assert_eq!(world.suspects(), suspects, "alert at {when}");
    }
}

#[test]
fn a_release_is_what_was_merged_since_the_previous_live_commit() {
    check(
        |w| {
            merged(w, 11, "usama", "13:00");
            moved(w, 1, 11, "prod", Succeeded, "13:30");
            merged(w, 12, "feanil", "14:00");
            merged(w, 13, "usama", "14:10");
            moved(w, 2, 12, "prod", Succeeded, "14:20");
        },
        // 11 was live before, 13 was merged after the deployed commit.
        expect![[r#"
            edx-platform#11 usama active until Fri 14:30
            edx-platform#12 feanil active until Fri 15:20
            edx-platform#13 usama standby"#]],
        expect![[r#"
            notice usama receipt (merged_on_standby)
            notice usama started (turn_started)
            notice feanil receipt (merged_on_standby)
            notice usama receipt (merged_on_standby)
            notice usama ending-soon (turn_ends_soon)
            notice feanil started (turn_started)"#]],
    );
}

#[test]
fn the_merger_answers_not_the_author() {
    check(
        |w| {
            let mut change = change(12, "feanil", at("15:00"));
            change.author = Login::new("github", "some-contributor").unwrap();
            w.now = at("15:00");
            w.merge(change).settle();
        },
        expect!["edx-platform#12 feanil standby"],
        expect!["notice feanil receipt (merged_on_standby)"],
    );
}

#[test]
fn letter_case_never_loses_a_person() {
    check(
        |w| merged(w, 12, "FeaNil", "15:00"),
        expect!["edx-platform#12 feanil standby"],
        expect!["notice feanil receipt (merged_on_standby)"],
    );
}

#[test]
fn for_a_merger_nobody_knows_the_owner_stands_in() {
    check(
        |w| merged(w, 12, "stranger", "15:00"),
        expect!["edx-platform#12 olga standby"],
        expect!["notice olga receipt (merged_on_standby)"],
    );
}

#[test]
fn a_direct_push_opens_a_window_and_the_pull_requests_own_report_replaces_the_push() {
    let mut push = change(12, "anna", at("15:00"));
    push.kind = ChangeKind::DirectPush;
    push.merger.credit = Credit::Pushed;
    let pull_request = change(12, "feanil", at("15:00"));
    for order in [[&push, &pull_request], [&pull_request, &push]] {
        let mut world = World::new();
        for report in order {
            world.merge(report.clone());
        }
        assert_eq!(world.windows(), "edx-platform#12 feanil standby");
    }
    let mut world = World::new();
    world.merge(push);
    assert_eq!(world.windows(), "edx-platform@0000000000 anna standby");
}

#[test]
fn who_hears_of_a_turn_only_after_it_is_told_nothing_of_the_past() {
    let mut world = World::new();
    world.now = at("Sat 10:00");
    world.merge(change(12, "feanil", at("14:00")));
    world.deploy(&deployment(1, 12, "prod", Succeeded, at("15:40")));
    world.settle();
    assert_eq!(world.windows(), "edx-platform#12 feanil tail until Sat 16:40");
    assert_eq!(world.heard(), "");
    assert!(world.reasons.contains(&"turn_was_over_when_heard"));
}

#[test]
fn a_deployment_that_comes_before_its_merge_starts_the_turn_when_the_merge_arrives() {
    check(
        |w| {
            moved(w, 1, 12, "prod", Succeeded, "15:40");
            w.now = at("15:41");
            w.merge(change(12, "feanil", at("15:00"))).settle();
        },
        expect!["edx-platform#12 feanil active until Fri 16:40"],
        expect!["notice feanil started (turn_started)"],
    );
}

#[test]
fn what_was_merged_before_we_knew_of_any_deployment_goes_live_with_the_first() {
    check(
        |w| {
            merged(w, 12, "feanil", "14:00");
            // A commit that we never saw merged: the time at which the deployment was created decides.
            moved(w, 30, 99, "prod", Succeeded, "15:40");
        },
        expect!["edx-platform#12 feanil active until Fri 16:40"],
        expect![[r#"
            notice feanil receipt (merged_on_standby)
            notice feanil started (turn_started)"#]],
    );
}

#[test]
fn a_rollback_ends_the_turn_a_quarter_of_an_hour_later_and_the_next_deployment_starts_another() {
    check(
        |w| {
            merged(w, 11, "usama", "13:00");
            moved(w, 1, 11, "prod", Succeeded, "13:30");
            merged(w, 12, "feanil", "14:00");
            moved(w, 2, 12, "prod", Succeeded, "14:10");
            moved(w, 3, 11, "prod", Succeeded, "14:20");
        },
        // Usama's change went out at 13:30 and stays; Feanil's is taken back.
        expect![[r#"
            edx-platform#11 usama active until Fri 14:30
            edx-platform#12 feanil active until Fri 14:35"#]],
        expect![[r#"
            notice usama receipt (merged_on_standby)
            notice usama started (turn_started)
            notice feanil receipt (merged_on_standby)
            notice feanil started (turn_started)
            notice usama ending-soon (turn_ends_soon)"#]],
    );
    let mut world = World::new();
    merged(&mut world, 11, "usama", "13:00");
    moved(&mut world, 1, 11, "prod", Succeeded, "13:30");
    merged(&mut world, 12, "feanil", "14:00");
    moved(&mut world, 2, 12, "prod", Succeeded, "14:10");
    moved(&mut world, 3, 11, "prod", Succeeded, "14:20");
    assert!(world.reasons.contains(&"rolled_back"));
    world.until(at("14:40"));
    world.heard();
    assert_eq!(world.windows().lines().nth(1), Some("edx-platform#12 feanil standby"));
    moved(&mut world, 4, 12, "prod", Succeeded, "15:00");
    assert_eq!(world.windows().lines().nth(1), Some("edx-platform#12 feanil active until Fri 16:00"));
    assert_eq!(world.heard(), "notice feanil started (turn_started)");
}

#[test]
fn what_was_rolled_back_is_still_the_suspect_of_what_broke_before_and_just_after() {
    for (when, suspects) in [
        ("14:15", "edx-platform#12, edx-platform#11"),
        ("14:30", "edx-platform#12, edx-platform#11"),
        ("14:50", "edx-platform#11"),
    ] {
        let mut world = World::new();
        merged(&mut world, 11, "usama", "13:00");
        moved(&mut world, 1, 11, "prod", Succeeded, "13:30");
        merged(&mut world, 12, "feanil", "14:00");
        moved(&mut world, 2, 12, "prod", Succeeded, "14:10");
        moved(&mut world, 3, 11, "prod", Succeeded, "14:20");
        world.until(at("15:00"));
        world.alert(&[alert("HighErrorRate", at(when), None)]);
        assert_eq!(world.suspects(), suspects, "alert at {when}");
    }
}

#[test]
fn a_redeployment_of_an_old_commit_never_takes_the_queue_live_with_it() {
    let mut world = World::new();
    merged(&mut world, 11, "usama", "13:00");
    moved(&mut world, 1, 11, "prod", Succeeded, "13:30");
    // A day later 11 has left the working set; what is merged since is not in it.
    merged(&mut world, 12, "feanil", "Sun 09:00");
    world.until(at("Sun 10:00"));
    assert_eq!(world.windows(), "edx-platform#12 feanil standby");
    let mut again = deployment(2, 11, "prod", Succeeded, at("Sun 10:00"));
    again.created_at = Some(at("Sun 09:59"));
    world.deploy(&again);
    world.settle();
    assert_eq!(world.windows(), "edx-platform#12 feanil standby");
}

#[test]
fn a_window_does_not_move_when_the_change_before_it_leaves_the_working_set() {
    let mut world = World::new();
    merged(&mut world, 11, "usama", "13:00");
    merged(&mut world, 12, "feanil", "13:05");
    // Created after both were merged, but of the first one's commit.
    let mut first = deployment(1, 11, "prod", Succeeded, at("13:30"));
    first.created_at = Some(at("13:10"));
    world.until(at("13:30"));
    world.deploy(&first);
    world.settle();
    assert_eq!(world.windows().lines().nth(1), Some("edx-platform#12 feanil standby"));
    world.until(at("Sun 13:00"));
    assert_eq!(world.windows(), "edx-platform#12 feanil standby", "11 is closed and gone, 12 was never live");
}

#[test]
fn the_turns_that_a_change_had_before_are_counted_and_who_brought_it_live_or_back_is_involved() {
    let mut world = World::new();
    merged(&mut world, 11, "olga", "14:00");
    moved(&mut world, 1, 11, "prod", Succeeded, "14:10");
    merged(&mut world, 12, "feanil", "15:00");
    let turns = |world: &World| {
        let all = crate::window::windows(&world.situation, &world.service, &world.settings.roster, world.now);
        let window = all.iter().find(|window| window.change.label() == "edx-platform#12").unwrap();
        let ids = ["1", "2", "3", "4"].into_iter().filter(|id| {
            let key = |known: &&crate::Deployment| known.key.id == *id;
            let known = world.situation.deployments.values().map(|known| &known.value).find(key);
            known.is_some_and(|known| window.involves(&known.key))
        });
        (window.nth_turn(), ids.collect::<Vec<_>>().join(" "))
    };
    assert_eq!(turns(&world), (0, String::new()));
    moved(&mut world, 2, 12, "prod", Succeeded, "15:10");
    assert_eq!(turns(&world), (0, "2".to_owned()));
    moved(&mut world, 3, 11, "prod", Succeeded, "15:20");
    assert_eq!(turns(&world).1, "2 3");
    moved(&mut world, 4, 12, "prod", Succeeded, "15:30");
    assert_eq!(turns(&world), (1, "2 3 4".to_owned()));
}
