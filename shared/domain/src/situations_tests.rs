//! When am I on call? One line a situation: given and events, then whose each change is at the end, then who was
//! told what. The words are those of PRODUCT.md; how they are read stands at the end of this file.
//!
//! `office`: edxapp is worked on from Monday to Friday, 09:00-17:00 in Stockholm (08:00-16:00 UTC in that week);
//! Usama works 10:00-18:00 in Karachi (05:00-13:00 UTC) and has Tuesday off, when Olga stands in; Carol is an outside
//! contributor, her champions are Anna and Usama; Monday is a company holiday.

use std::sync::Arc;

use expect_test::{Expect, expect};
use jiff::civil::{date, time};
use jiff::tz::TimeZone;

use crate::calendar::{Calendar, Occasion, OccasionKind, Span, Timetable, WorkingHours};
use crate::on_request::hands::{Desk, Refused};
use crate::service::{Declined, Pin, Upstream};
use crate::testing::{World, alert, at, change, commit, deployment, person, repository};
use crate::{Change, ChangeId, ChangeKind, Credit, Decisions, DeploymentState, Kind, Login, Mode, Phase};

fn situation(story: &str, windows: Expect, told: Expect) {
    let mut story = Story::begin(story);
    windows.assert_eq(&story.windows());
    story.world.nobody_told_twice();
    told.assert_eq(&story.told());
}

// ---- merged, and not live -----------------------------------------------------------------------------

#[test]
fn merged_and_not_live_is_standby() {
    situation("15:00 feanil merges 12", expect!["12 feanil standby"], expect!["feanil receipt"]);
}

#[test]
fn the_merger_answers_not_the_author() {
    situation("15:00 feanil merges 12 of usama", expect!["12 feanil standby"], expect!["feanil receipt"]);
}

#[test]
fn a_queue_bot_merged_so_who_enqueued_answers() {
    situation("15:00 bot merges 12 of usama for feanil", expect!["12 feanil standby"], expect!["feanil receipt"]);
}

#[test]
fn a_queue_bot_merged_and_nobody_is_known_to_have_enqueued_so_the_author_answers() {
    situation("15:00 bot merges 12 of usama", expect!["12 usama standby"], expect!["usama receipt"]);
}

#[test]
fn a_bot_bumped_a_dependency_so_who_approved_answers() {
    situation(
        "15:00 bot merges 12 of renovate[bot] approved by anna",
        expect!["12 anna standby"],
        expect!["anna receipt"],
    );
}

#[test]
fn a_bot_bumped_a_dependency_and_nobody_approved_so_the_owner_answers() {
    situation("15:00 bot merges 12 of renovate[bot]", expect!["12 olga standby"], expect!["olga receipt"]);
}

#[test]
fn letter_case_never_loses_a_person() {
    situation("15:00 FeaNil merges 12", expect!["12 feanil standby"], expect!["feanil receipt"]);
}

#[test]
fn a_noreply_address_is_the_account_it_hides() {
    situation(
        "15:00 77+Feanil@users.noreply.github.com pushes 12",
        expect!["12 feanil standby"],
        expect!["feanil receipt"],
    );
}

#[test]
fn nobody_knows_the_merger_so_the_owner_stands_in_and_it_is_flagged() {
    situation("15:00 stranger merges 12", expect!["12 olga standby, flagged"], expect!["olga receipt"]);
}

#[test]
fn several_changes_wait_in_merge_order() {
    situation(
        "15:00 feanil merges 12; 15:05 usama merges 13; 15:10 anna merges 14",
        expect![[r#"
            12 feanil standby
            13 usama standby
            14 anna standby"#]],
        expect!["feanil receipt; usama receipt; anna receipt"],
    );
}

#[test]
fn reaching_stage_changes_nothing_for_the_pager() {
    situation(
        "15:00 feanil merges 12; 15:20 stage succeeds 12; 15:30 now",
        expect!["12 feanil standby"],
        expect!["feanil receipt"],
    );
}

#[test]
fn a_stalled_queue_never_starts_or_burns_a_window_and_the_owner_hears_after_a_day() {
    situation(
        "15:00 feanil merges 12; 15:05 usama merges 13; Sat 15:01 now",
        expect![[r#"
            12 feanil standby
            13 usama standby"#]],
        expect!["feanil receipt; usama receipt; olga queue-slow"],
    );
}

#[test]
fn after_72_hours_the_owner_is_deputy_and_the_merger_stays_responder() {
    situation(
        "15:00 feanil merges 12; Mon 15:01 now",
        expect!["12 feanil standby"],
        expect!["feanil receipt; olga queue-slow; olga deputy"],
    );
}

#[test]
fn a_paused_pipeline_does_not_count_towards_the_72_hours() {
    situation(
        "15:00 feanil merges 12; 16:00 anna pauses flaky end-to-end tests; Sun 16:00 anna resumes; Mon 15:01 now",
        expect!["12 feanil standby"],
        expect!["feanil receipt; olga queue-slow"],
    );
}

#[test]
fn the_pipeline_fails_twice_and_is_paused_overnight_so_the_turn_starts_next_morning() {
    situation(
        "Fri 16:00 feanil merges 12; 16:20 stage starts 12; 16:30 stage fails 12; 17:00 stage starts 12 again; 17:10 stage fails 12 again; \
         22:00 anna pauses flaky; Sat 08:00 anna resumes; Sat 09:00 prod starts 12; Sat 09:10 prod succeeds 12",
        expect!["12 feanil active until Sat 10:10"],
        expect!["feanil receipt; feanil started"],
    );
}

// ---- live -------------------------------------------------------------------------------------------

#[test]
fn the_turn_starts_when_the_live_deployment_starts_not_when_it_was_scheduled() {
    situation(
        "14:00 feanil merges 12; 15:30 prod starts 12",
        expect!["12 feanil active until Fri 19:30"],
        expect!["feanil receipt; feanil started"],
    );
}

#[test]
fn the_turn_ends_an_hour_after_the_deployment_succeeded() {
    situation(
        "14:00 feanil merges 12; 15:30 prod starts 12; 15:40 prod succeeds 12",
        expect!["12 feanil active until Fri 16:40"],
        expect!["feanil receipt; feanil started"],
    );
}

#[test]
fn a_slow_deployment_never_makes_a_turn_longer_than_four_hours() {
    situation(
        "14:00 feanil merges 12; 15:30 prod starts 12; 19:20 prod succeeds 12; 19:25 now",
        expect!["12 feanil active until Fri 19:30"],
        expect!["feanil receipt; feanil started; feanil ending-soon"],
    );
}

#[test]
fn after_the_turn_comes_the_tail() {
    situation(
        "14:00 feanil merges 12; 15:40 prod succeeds 12; 17:00 now",
        expect!["12 feanil tail until Sat 16:40"],
        expect!["feanil receipt; feanil started; feanil ending-soon; feanil ended"],
    );
}

#[test]
fn after_the_tail_the_window_is_closed_and_gone() {
    situation(
        "14:00 feanil merges 12; 15:40 prod succeeds 12; Sat 16:41 now",
        expect![""],
        expect!["feanil receipt; feanil started; feanil ending-soon; feanil ended"],
    );
}

#[test]
fn a_redeploy_extends_the_turn() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:30 prod succeeds 12 again; 15:31 now",
        expect!["12 feanil active until Fri 16:30"],
        expect!["feanil receipt; feanil started"],
    );
}

#[test]
fn a_redeploy_extends_the_turn_by_no_more_than_the_cap() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:50 prod succeeds 12 again; 16:40 prod succeeds 12 again; \
         17:30 prod succeeds 12 again; 17:31 forget; 18:20 prod succeeds 12 again; 18:30 now",
        expect!["12 feanil active until Fri 19:00"],
        expect!["feanil ending-soon; feanil extended"],
    );
}

#[test]
fn each_extension_is_said_when_the_turn_would_have_ended_and_so_is_the_end() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:01 forget; 15:55 prod succeeds 12 again; \
         16:50 prod succeeds 12 again; 17:51 now",
        expect!["12 feanil tail until Sat 17:50"],
        expect![
            "feanil ending-soon; feanil extended; feanil ending-soon; feanil extended; feanil ending-soon; feanil ended"
        ],
    );
}

#[test]
fn an_alert_that_flaps_does_not_end_what_another_one_extended() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:01 forget; 15:50 alert A; 15:51 feanil acknowledges; 16:20 alert B; \
         16:30 over A; 16:40 alert A; 16:45 now",
        expect!["12 feanil active until Fri 19:00"],
        expect![
            "feanil ending-soon; PAGE feanil first-responder; feanil extended; PAGE feanil first-responder; PAGE anna rotation; PAGE feanil first-responder; PAGE olga owner; PAGE anna rotation; PAGE olga owner"
        ],
    );
}

#[test]
fn a_rollback_and_then_a_live_revert_start_no_turn_again() {
    situation(
        "13:00 usama merges 11; 13:30 prod succeeds 11; 14:00 feanil merges 12; 14:10 prod succeeds 12; 14:20 prod succeeds 11 again; \
         14:36 forget; 14:40 usama merges 13 which reverts 12; 14:50 prod succeeds 13; 15:10 now",
        expect![[r#"
            11 usama tail until Sat 14:30
            13 usama active until Fri 15:50, reverts edx-platform#12"#]],
        expect!["usama receipt; usama started"],
    );
}

#[test]
fn a_roll_forward_right_after_a_rollback_is_a_turn_of_its_own() {
    situation(
        "13:00 usama merges 11; 13:30 prod succeeds 11; 14:00 feanil merges 12; 14:10 prod succeeds 12; 15:30 forget; \
         16:00 prod succeeds 11 again; 16:05 prod succeeds 12 again; 16:30 now",
        expect![[r#"
            11 usama tail until Sat 14:30
            12 feanil active until Fri 17:05"#]],
        expect!["feanil started"],
    );
}

#[test]
fn a_canary_that_is_reverted_before_it_is_live_stays_a_suspect_for_a_quarter_of_an_hour() {
    situation(
        "14:00 feanil merges 12; 15:30 prod starts 12; 15:35 prod aborts 12; 15:36 usama merges 13 which reverts 12; \
         15:37 forget; 15:38 prod succeeds 13; 15:39 alert",
        expect![[r#"
            12 feanil standby, reverted by 13
            13 usama active until Fri 19:38, reverts edx-platform#12"#]],
        expect!["usama started; PAGE feanil first-responder"],
    );
}

#[test]
fn a_library_is_taken_back_with_the_change_that_pins_it() {
    situation(
        "13:00 usama merges 41 of the library; 14:30 anna merges 13 titled Bump edx-enterprise to 4.2; 15:00 prod succeeds 13; \
         15:01 forget; 15:05 anna merges 14 which reverts 13; 15:10 prod succeeds 14; 15:40 now",
        expect!["14 anna active until Fri 16:10, reverts edx-platform#13"],
        expect!["anna receipt; anna started; usama ended; anna ended"],
    );
}

#[test]
fn who_took_the_pager_keeps_it_on_a_day_off() {
    situation(
        "office; Fri 17:00 usama merges 12; Fri 17:05 usama takes 12; Tue 10:00 prod succeeds 12; Tue 10:01 now",
        expect!["12 usama active until Tue 11:00, taken by usama"],
        expect!["usama ask; olga queue-slow; usama started"],
    );
}

#[test]
fn who_declined_as_merger_is_not_asked_again_as_owner() {
    situation(
        "office; Fri 22:40 olga merges 12; 22:41 olga declines 12; 23:30 now",
        expect!["12 anna standby, declined"],
        expect!["olga ask; anna forewarned"],
    );
}

#[test]
fn who_is_back_from_a_day_off_has_their_change_again_and_the_deputy_hears_it() {
    situation(
        "office; Tue 10:00 usama merges 12; Tue 20:00 prod succeeds 12; Tue 20:05 now",
        expect!["12 usama active until Tue 21:00"],
        expect!["olga receipt; olga stood-in-for; usama started"],
    );
}

#[test]
fn a_change_that_is_stuck_does_not_hide_the_next_one_from_the_owner() {
    situation(
        "13:00 usama merges 41 of the library; Sat 14:00 feanil merges 12; Sun 13:30 forget; Sun 15:00 now",
        expect![[r#"
            enterprise#41 usama standby
            12 feanil standby"#]],
        expect!["olga queue-slow"],
    );
}

#[test]
fn nobody_outside_is_handed_anything_and_no_time_is_too_far_for_an_answer() {
    let story = Story::begin("14:00 feanil merges 12; 15:00 prod succeeds 12; 15:10 now");
    let World { situation, service, settings, now, .. } = &story.world;
    let desk = Desk { situation, service, settings, now: *now };
    let (carol, olga) = ("carol".parse().unwrap(), "olga".parse().unwrap());
    let far = jiff::Timestamp::MAX - jiff::SignedDuration::from_hours(1);
    assert_eq!(desk.hand_over(&story.id("12"), &carol, &olga), Err(Refused::Outside(carol.clone())));
    assert_eq!(desk.take(&carol, &olga, None, at("17:00")), Err(Refused::Outside(carol)));
    assert_eq!(desk.take(&olga, &olga, Some(far), jiff::Timestamp::MAX), Err(Refused::TooLong));
    assert_eq!(desk.take(&olga, &olga, None, far), Err(Refused::TooLong));
    assert_eq!(desk.pause(&olga, "x", Some(far)), Err(Refused::PausedTooLong));
}

#[test]
fn a_redeploy_after_the_turn_starts_no_new_one() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 17:00 prod succeeds 12 again; 17:10 now",
        expect!["12 feanil tail until Sat 16:00"],
        expect!["feanil receipt; feanil started; feanil ending-soon; feanil ended"],
    );
}

#[test]
fn an_open_incident_extends_the_turn() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:50 alert; 15:51 feanil acknowledges; 16:30 now",
        expect!["12 feanil active until Fri 19:00"],
        expect!["feanil receipt; feanil started; feanil ending-soon; PAGE feanil first-responder; feanil extended"],
    );
}

#[test]
fn the_turn_that_an_incident_extended_ends_with_it() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:50 alert; 15:51 feanil acknowledges; 16:30 over; 16:31 now",
        expect!["12 feanil tail until Sat 16:30"],
        expect![[
            r#"feanil receipt; feanil started; feanil ending-soon; PAGE feanil first-responder; feanil extended; feanil resolved; feanil ended"#
        ]],
    );
}

#[test]
fn an_incident_that_is_over_before_the_turn_changes_nothing() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:10 alert; 15:11 feanil acknowledges; 15:20 over; 15:21 now",
        expect!["12 feanil active until Fri 16:00"],
        expect!["feanil receipt; feanil started; PAGE feanil first-responder; feanil resolved"],
    );
}

#[test]
fn the_first_live_deployment_is_a_baseline_and_blames_nobody_for_the_past() {
    situation(
        "15:00 prod succeeds 99; 15:10 feanil merges 12; 15:20 alert",
        expect!["12 feanil standby"],
        expect!["feanil receipt; PAGE anna rotation"],
    );
}

#[test]
fn a_release_is_what_came_since_the_previous_live_commit() {
    situation(
        "13:00 usama merges 11; 13:30 prod succeeds 11; 14:00 feanil merges 12; 14:10 usama merges 13; 14:15 prod succeeds 12",
        expect![[r#"
            11 usama active until Fri 14:30
            12 feanil active until Fri 15:15
            13 usama standby"#]],
        expect!["usama receipt; usama started; feanil receipt; usama receipt; feanil started"],
    );
}

#[test]
fn dozens_that_reached_stage_long_ago_are_not_blamed_for_what_goes_live_now() {
    situation(
        "13:00 usama merges 11; 13:10 stage succeeds 11; 13:30 prod succeeds 11; 14:00 feanil merges 12; 14:10 stage succeeds 12; \
         14:20 anna merges 13; 14:30 stage succeeds 13; 15:00 prod succeeds 12; 15:01 forget; 15:10 alert",
        expect![[r#"
            11 usama tail until Sat 14:30
            12 feanil active until Fri 19:00
            13 anna standby"#]],
        expect!["PAGE feanil first-responder"],
    );
}

#[test]
fn a_configuration_repository_that_no_service_deploys_blames_nobody() {
    situation(
        "15:00 feanil merges 12 in openedx/configuration; 15:10 prod succeeds 99; 15:20 alert",
        expect![""],
        expect!["PAGE anna rotation"],
    );
}

#[test]
fn with_nobody_on_the_list_the_rotation_is_paged_at_once() {
    situation("15:20 alert", expect![""], expect!["PAGE anna rotation"]);
}

#[test]
fn when_every_turn_is_over_the_rotation_is_first_and_the_last_merger_next() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 17:00 forget; 17:10 alert; 17:15 now",
        expect!["12 feanil tail until Sat 16:00"],
        expect!["PAGE anna rotation; PAGE feanil tail-responder"],
    );
}

// ---- failed, rolled back, reverted, landed again --------------------------------------------------------

#[test]
fn a_failed_deployment_puts_its_changes_back_on_standby() {
    situation(
        "14:00 feanil merges 12; 15:30 prod starts 12; 15:35 prod fails 12",
        expect!["12 feanil standby"],
        expect!["feanil receipt; feanil started; feanil standby-again"],
    );
}

#[test]
fn after_a_failed_deployment_the_next_one_starts_a_turn_of_its_own() {
    situation(
        "14:00 feanil merges 12; 15:30 prod starts 12; 15:35 prod aborts 12; 16:00 prod starts 12 again; 16:05 prod succeeds 12 again",
        expect!["12 feanil active until Fri 17:05"],
        expect!["feanil receipt; feanil started; feanil standby-again; feanil started"],
    );
}

#[test]
fn a_canary_that_was_aborted_stays_a_suspect_for_a_quarter_of_an_hour() {
    situation(
        "14:00 feanil merges 12; 15:30 prod starts 12; 15:35 prod aborts 12; 15:45 alert",
        expect!["12 feanil standby"],
        expect!["feanil receipt; feanil started; feanil standby-again; PAGE feanil first-responder"],
    );
}

#[test]
fn a_rollback_returns_what_it_took_back_to_standby_and_leaves_the_others_alone() {
    situation(
        "13:00 usama merges 11; 13:30 prod succeeds 11; 14:00 feanil merges 12; 14:10 prod succeeds 12; 14:20 prod succeeds 11 again; 14:40 now",
        expect![[r#"
            11 usama tail until Sat 14:30
            12 feanil standby"#]],
        expect![[
            r#"usama receipt; usama started; feanil receipt; feanil started; usama ending-soon; usama ended; feanil standby-again"#
        ]],
    );
}

#[test]
fn a_revert_that_is_live_closes_the_window_a_quarter_of_an_hour_later() {
    situation(
        "14:00 feanil merges 12; 14:10 prod succeeds 12; 14:30 usama merges 13 which reverts 12; 14:40 prod succeeds 13; 14:56 now",
        expect!["13 usama active until Fri 15:40, reverts edx-platform#12"],
        expect!["feanil receipt; feanil started; usama receipt; usama started; feanil ended"],
    );
}

#[test]
fn a_revert_that_is_only_merged_changes_nothing_yet() {
    situation(
        "14:00 feanil merges 12; 14:10 prod succeeds 12; 14:30 usama merges 13 which reverts 12; 14:56 now",
        expect![[r#"
            12 feanil active until Fri 15:10, reverted by 13
            13 usama standby, reverts edx-platform#12"#]],
        expect!["feanil receipt; feanil started; usama receipt"],
    );
}

#[test]
fn what_is_reverted_before_it_was_live_has_no_turn() {
    situation(
        "14:00 feanil merges 12; 14:30 usama merges 13 which reverts 12; 14:40 prod succeeds 13; 14:41 now",
        expect!["13 usama active until Fri 15:40, reverts edx-platform#12"],
        expect!["feanil receipt; usama receipt; feanil ended; usama started"],
    );
}

#[test]
fn what_lands_again_has_a_window_that_remembers_the_revert() {
    situation(
        "14:00 feanil merges 12; 14:10 prod succeeds 12; 14:30 usama merges 13 which reverts 12; 14:40 prod succeeds 13; \
         14:50 feanil merges 14 which lands 13 again; 15:00 now",
        expect![[r#"
            13 usama active until Fri 15:40, reverted by 14, reverts edx-platform#12
            14 feanil standby, lands edx-platform#12 again, which edx-platform#13 had reverted"#]],
        expect!["feanil receipt; feanil started; usama receipt; usama started; feanil receipt; feanil ended"],
    );
}

// ---- people -----------------------------------------------------------------------------------------

#[test]
fn in_working_hours_nobody_is_asked_anything() {
    situation("office; Fri 12:00 feanil merges 12", expect!["12 feanil standby"], expect!["feanil receipt"]);
}

#[test]
fn merged_at_night_so_the_merger_is_asked_and_takes_the_pager() {
    situation(
        "office; Fri 22:40 feanil merges 12; 22:45 feanil takes 12; 23:30 now",
        expect!["12 feanil standby, taken by feanil"],
        expect!["feanil ask"],
    );
}

#[test]
fn merged_at_night_and_nobody_answers_so_it_is_unattended_and_the_rotation_is_forewarned() {
    situation(
        "office; Fri 22:40 feanil merges 12; 23:30 now",
        expect!["12 feanil standby, unattended"],
        expect!["feanil ask; anna forewarned"],
    );
}

#[test]
fn merged_at_night_and_declined_so_the_owner_answers() {
    situation(
        "office; Fri 22:40 feanil merges 12; 22:41 feanil declines 12; 23:30 now",
        expect!["12 olga standby, declined"],
        expect!["feanil ask; anna forewarned; olga receipt"],
    );
}

#[test]
fn merged_at_night_and_declined_and_policy_says_the_rotation_answers() {
    situation(
        "office; declined goes to the rotation; Fri 22:40 feanil merges 12; 22:41 feanil declines 12; 23:30 now",
        expect!["12 anna standby, declined"],
        expect!["feanil ask; anna forewarned"],
    );
}

#[test]
fn an_off_hours_merge_that_breaks_production_pages_the_merger_first_and_the_rotation_after_five_minutes() {
    situation(
        "office; Fri 22:40 feanil merges 12; 22:45 feanil takes 12; 22:55 prod succeeds 12; 23:05 alert; 23:09 now",
        expect!["12 feanil active until Sat 02:55, taken by feanil"],
        expect!["feanil ask; feanil started; PAGE feanil first-responder; PAGE anna rotation"],
    );
}

#[test]
fn the_colleague_whose_day_is_our_night_is_not_asked() {
    situation("office; Fri 05:30 usama merges 12", expect!["12 usama standby"], expect!["usama receipt"]);
}

#[test]
fn the_colleague_whose_night_is_our_day_is_asked() {
    situation("office; Fri 14:00 usama merges 12", expect!["12 usama standby, asked"], expect!["usama ask"]);
}

#[test]
fn on_a_company_holiday_everybody_is_asked() {
    situation("office; Mon 12:00 feanil merges 12", expect!["12 feanil standby, asked"], expect!["feanil ask"]);
}

#[test]
fn who_merges_on_a_day_off_is_stood_in_for() {
    situation("office; Tue 10:00 usama merges 12", expect!["12 olga standby"], expect!["olga receipt"]);
}

#[test]
fn whose_change_goes_live_on_their_day_off_hears_who_stands_in() {
    situation(
        "office; Fri 12:00 usama merges 12; Tue 10:00 prod succeeds 12",
        expect!["12 olga active until Tue 11:00"],
        expect!["usama receipt; olga queue-slow; usama stood-in-for; olga started"],
    );
}

#[test]
fn an_outside_contributor_merges_in_working_hours_so_the_champion_at_work_answers() {
    situation("office; Fri 14:00 carol merges 12", expect!["12 anna standby"], expect!["anna receipt; carol thanks"]);
}

#[test]
fn an_outside_contributor_merges_while_only_the_second_champion_works() {
    situation("office; Fri 06:00 carol merges 12", expect!["12 usama standby"], expect!["usama receipt; carol thanks"]);
}

#[test]
fn an_outside_contributor_merges_on_saturday_and_the_second_champion_takes_it() {
    situation(
        "office; Sat 14:00 carol merges 12; Sat 14:20 usama takes 12; Sat 15:00 now",
        expect!["12 usama standby, taken by usama"],
        expect!["anna ask; carol thanks; usama ask"],
    );
}

#[test]
fn an_outside_contributor_merges_on_saturday_and_no_champion_answers_so_the_rotation_holds_it() {
    situation(
        "office; rotation is olga; Sat 14:00 carol merges 12; Sat 15:00 now",
        expect!["12 olga standby, flagged, unattended"],
        expect!["anna ask; carol thanks; usama ask; olga forewarned"],
    );
}

#[test]
fn a_person_may_mute_everything_but_the_start() {
    situation(
        "feanil mutes receipt, ending-soon, ended; 14:00 feanil merges 12; 15:40 prod succeeds 12; 17:00 now",
        expect!["12 feanil tail until Sat 16:40"],
        expect!["feanil started"],
    );
}

// ---- handover, take, override -----------------------------------------------------------------------

#[test]
fn a_window_that_was_handed_over_is_the_colleagues() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:10 feanil hands 12 to usama; 15:20 alert",
        expect!["12 usama active until Fri 19:00"],
        expect!["feanil receipt; feanil started; usama handed-over; PAGE usama first-responder"],
    );
}

#[test]
fn a_window_that_was_handed_back_is_the_first_ones_again_and_nobody_hears_the_start_twice() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:10 feanil hands 12 to usama; 15:20 usama hands 12 to feanil; 15:30 now",
        expect!["12 feanil active until Fri 16:00"],
        expect!["feanil receipt; feanil started; usama handed-over; feanil handed-over"],
    );
}

#[test]
fn who_takes_the_pager_is_paged_first_for_every_window_until_it_runs_out() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:01 forget; 15:10 olga takes the pager until 15:40; 15:20 alert; 15:21 olga acknowledges; 15:25 over; 15:41 now",
        expect!["12 feanil active until Fri 16:00"],
        expect!["olga handed-over; feanil taken-over; PAGE olga first-responder; olga resolved; olga ended"],
    );
}

#[test]
fn who_has_the_pager_is_paged_where_no_change_is_a_suspect() {
    situation(
        "15:10 olga takes the pager until 17:40; 15:20 alert; 15:24 now",
        expect![""],
        expect!["olga handed-over; PAGE olga first-responder; PAGE anna rotation"],
    );
}

#[test]
fn of_overlapping_shifts_the_one_said_last_holds() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:10 olga takes the pager until 15:50; 15:11 forget; 15:20 usama takes the pager until 15:30; 15:25 alert",
        expect!["12 usama active until Fri 19:00"],
        expect!["usama handed-over; feanil taken-over; olga taken-over; PAGE usama first-responder"],
    );
}

#[test]
fn who_gives_the_pager_back_is_no_longer_paged_first() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:10 olga takes the pager until 15:50; 15:20 olga gives back; 15:25 alert",
        expect!["12 feanil active until Fri 19:00"],
        expect!["feanil receipt; feanil started; olga handed-over; feanil taken-over; PAGE feanil first-responder"],
    );
}

#[test]
fn who_takes_the_pager_for_longer_has_it_once_and_gives_it_back_whole() {
    situation(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:10 olga takes the pager until 15:50; 15:11 forget; \
         15:15 olga takes the pager until 16:50; 15:20 olga gives back; 15:21 now",
        expect!["12 feanil active until Fri 16:00"],
        expect!["olga handed-over; feanil taken-over"],
    );
}

#[test]
fn in_manual_mode_people_take_the_pager_themselves_and_we_only_record() {
    situation(
        "manual; 14:00 feanil merges 12; 15:00 prod succeeds 12; 15:05 feanil takes the pager until 17:00; 15:10 alert; 15:30 over",
        expect!["12 feanil active until Fri 16:00"],
        expect!["feanil handed-over"],
    );
}

// ---- several repositories ---------------------------------------------------------------------------

#[test]
fn a_library_goes_live_with_the_change_that_pins_it() {
    situation(
        "13:00 usama merges 41 of the library; 14:00 feanil merges 12; 14:10 prod succeeds 12; 14:30 anna merges 13 titled Bump edx-enterprise to 4.2; 15:00 prod succeeds 13",
        expect![[r#"
            enterprise#41 usama active until Fri 16:00
            12 feanil active until Fri 15:10
            13 anna active until Fri 16:00"#]],
        expect![[
            r#"usama receipt; feanil receipt; feanil started; anna receipt; feanil ending-soon; usama started; anna started"#
        ]],
    );
}

#[test]
fn a_library_of_which_the_newest_is_taken_goes_live_with_the_next_deployment() {
    situation(
        "newest library; 13:00 usama merges 41 of the library; 14:00 feanil merges 12; 15:10 prod succeeds 12",
        expect![[r#"
            enterprise#41 usama active until Fri 16:10
            12 feanil active until Fri 16:10"#]],
        expect!["usama receipt; feanil receipt; usama started; feanil started"],
    );
}

/// Every message of a story, as its reader has it.
pub fn texts(story: &str) -> String {
    let story = Story::begin(story);
    let text = |m: &crate::Message| format!("{} to {}\n{}", m.kind.word(), m.key.person, m.plain());
    story.world.told.iter().map(text).collect::<Vec<_>>().join("\n\n")
}

// ---- the language -----------------------------------------------------------------------------------

struct Story {
    world: World,
    /// Deployments so far: a commit that is deployed `again` is another deployment.
    deployments: u64,
    again: u64,
}

impl Story {
    fn begin(text: &str) -> Self {
        let mut world = World::new();
        let mut carol = person("carol", "Carol", "Europe/Berlin");
        carol.champions = vec!["anna".parse().unwrap(), "usama".parse().unwrap()];
        world.change_roster(|people| people.push(carol));
        let library = Upstream { repository: library(), pin: Pin::Named("edx-enterprise".into()) };
        world.change_service(|service| service.upstreams = vec![library]);
        let mut story = Self { world, deployments: 0, again: 0 };
        for event in text.split(';').map(str::trim) {
            story.happen(event);
        }
        story
    }

    fn happen(&mut self, event: &str) {
        let words: Vec<&str> = event.split_whitespace().collect();
        if let ["office"] | ["manual"] | ["newest", ..] | ["rotation", ..] | ["declined", ..] | [_, "mutes", ..] =
            words.as_slice()
        {
            return self.given(&words, event);
        }
        let (when, words) = if words[0].contains(':') {
            (words[0].to_owned(), &words[1..])
        } else {
            (words[..2].join(" "), &words[2..])
        };
        self.world.until(at(&when));
        match words {
            ["now"] => {}
            // What was said so far is told in another situation.
            ["forget"] => self.world.told.clear(),
            [who, "merges", ..] | [who, "pushes", ..] => self.merge(who, words, event),
            ["alert", name @ ..] => {
                self.world.alert(&[alert(name.first().unwrap_or(&"HighErrorRate"), at(&when), None)]);
            }
            ["over", name @ ..] => {
                let since = self.world.situation.incidents.values().map(|i| i.value.began_at).max().unwrap();
                self.world.alert(&[alert(name.first().unwrap_or(&"HighErrorRate"), since, Some(at(&when)))]);
            }
            [who, "acknowledges"] => {
                let _ = self.world.acknowledge(who);
            }
            [who, "pauses", why @ ..] => self.by(|desk| desk.pause(&who.parse().unwrap(), &why.join(" "), None)),
            [who, "resumes"] => self.by(|desk| desk.resume(&who.parse().unwrap())),
            [who, "takes", "the", "pager", "until", until] => {
                let who = who.parse().unwrap();
                self.by(|desk| desk.take(&who, &who, None, at(until)));
            }
            [who, "gives", "back"] => self.by(|desk| desk.give_back(&who.parse().unwrap())),
            [who, "hands", number, "to", other] => {
                let id = self.id(number);
                self.by(|desk| desk.hand_over(&id, &other.parse().unwrap(), &who.parse().unwrap()));
            }
            [who, verb @ ("takes" | "declines"), number] => {
                let id = self.id(number);
                self.by(|desk| desk.answer(&id, &who.parse().unwrap(), *verb == "takes"));
            }
            [environment, verb, number, again @ ..] => {
                self.deploy(environment, verb, number.parse().unwrap(), !again.is_empty(), &when)
            }
            _ => panic!("not understood: {event}"),
        }
        self.world.settle();
    }

    /// What holds from the beginning.
    fn given(&mut self, words: &[&str], event: &str) {
        let world = &mut self.world;
        match words {
            ["manual"] => world.change_service(|s| s.mode = Mode::Manual),
            ["newest", "library"] => world.change_service(|s| s.upstreams[0].pin = Pin::Newest),
            ["declined", "goes", "to", "the", "rotation"] => {
                world.change_service(|s| s.policy.declined = Declined::Rotation);
            }
            ["rotation", "is", who] => world.change_service(|s| s.rotation = vec![who.parse().unwrap()]),
            ["office"] => {
                let rest = Some((date(2026, 3, 23), OccasionKind::Holiday));
                world.change_service(|s| s.timetable = timetable("Europe/Stockholm", 9, 17, rest));
                world.change_roster(|people| {
                    let usama = people.iter_mut().find(|p| p.id.as_str() == "usama").unwrap();
                    usama.timetable =
                        timetable("Asia/Karachi", 10, 18, Some((date(2026, 3, 24), OccasionKind::DayOff)));
                    usama.deputies = vec!["olga".parse().unwrap()];
                });
            }
            [who, "mutes", ..] => {
                let steps = event.split_once("mutes").unwrap().1;
                let muted = steps.split(',').map(|step| step.trim().parse().unwrap()).collect();
                self.world
                    .change_roster(|people| people.iter_mut().find(|p| p.id.as_str() == *who).unwrap().muted = muted);
            }
            _ => panic!("not understood: {event}"),
        }
    }

    /// `feanil merges 12 [of usama] [for anna] [approved by olga] [which reverts 11 | which lands 11 again] [titled ...]`
    fn merge(&mut self, who: &str, words: &[&str], event: &str) {
        let number: u64 = words[2].parse().unwrap();
        let after = |word: &str| words.iter().position(|w| *w == word).map(|i| words[i + 1]);
        let mut change = change(number, "feanil", self.world.now);
        let login = |name: &str| {
            if name.contains('@') { Login::from_email(name).unwrap() } else { Login::new("github", name).unwrap() }
        };
        change.merger.login = login(who);
        change.author = login(who);
        if event.ends_with("of the library") {
            change.id.repository = library();
        } else if let Some(other) = after("in") {
            change.id.repository = other.parse().unwrap();
        } else if let Some(author) = after("of") {
            change.author = login(author);
        }
        if words[1] == "pushes" {
            (change.kind, change.merger.credit) = (ChangeKind::DirectPush, Credit::Pushed);
        }
        if who == "bot" {
            (change.merger.login, change.merger.credit) = match (after("for"), after("by")) {
                (Some(enqueued), _) => (login(enqueued), Credit::Enqueued),
                (_, Some(approved)) => (login(approved), Credit::Approved),
                (None, None) => (change.author.clone(), Credit::AuthorOfBotMerge),
            };
        }
        if let Some(title) = event.split_once("titled ") {
            change.title = title.1.to_owned();
        }
        if let Some(other) = after("reverts") {
            change.reverts = crate::revert::read(
                &format!("Revert \"change number {other}\""),
                &format!("Reverts openedx/edx-platform#{other}"),
                &repository(),
            );
        }
        if let Some(other) = after("lands") {
            change.reverts = crate::revert::read(
                "Revert \"Revert \"it\"\"",
                &format!("Reverts openedx/edx-platform#{other}"),
                &repository(),
            );
        }
        self.world.merge(change);
    }

    fn deploy(&mut self, environment: &str, verb: &str, number: u64, again: bool, when: &str) {
        let state = match verb {
            "starts" => DeploymentState::Started,
            "succeeds" => DeploymentState::Succeeded,
            "fails" => DeploymentState::Failed,
            "aborts" => DeploymentState::Aborted,
            other => panic!("not understood: {other}"),
        };
        // The reports of one deployment have one id; what is deployed again is another one.
        let begins =
            matches!(state, DeploymentState::Started) || !matches!(verb, "fails" | "aborts") && self.deployments == 0;
        if begins || (again && state == DeploymentState::Succeeded && !self.runs(number)) || !self.runs(number) {
            self.deployments += 1;
            self.again = self.deployments * 1000 + number;
        }
        let mut event = deployment(self.again, number, environment, state, at(when));
        event.created_at = Some(self.created(at(when)));
        self.world.deploy(&event);
    }

    /// Whether the newest deployment is of this commit and has not ended.
    fn runs(&self, number: u64) -> bool {
        let newest = self.world.situation.deployments.values().find(|d| d.value.key.id == self.again.to_string());
        newest.is_some_and(|d| {
            d.value.commit == Some(commit(number)) && d.value.succeeded_at.is_none() && d.value.failed_at.is_none()
        })
    }

    fn created(&self, now: jiff::Timestamp) -> jiff::Timestamp {
        let newest = self.world.situation.deployments.values().find(|d| d.value.key.id == self.again.to_string());
        newest.map_or(now, |d| d.value.created_at)
    }

    fn by(&mut self, act: impl FnOnce(Desk<'_>) -> Result<Decisions, Refused>) {
        let World { situation, service, settings, now, .. } = &self.world;
        let decisions = act(Desk { situation, service, settings, now: *now }).unwrap();
        self.world.commit(&decisions);
    }

    fn id(&self, number: &str) -> ChangeId {
        ChangeId { repository: repository(), commit: commit(number.parse().unwrap()) }
    }

    fn windows(&self) -> String {
        let World { situation, service, settings, now, .. } = &self.world;
        let all = crate::window::windows(situation, service, &settings.roster, *now);
        let clock = |at: jiff::Timestamp| at.strftime("%a %H:%M").to_string();
        let short = |change: &Change| {
            change.label().replace("edx-platform#", "").replace("edx-platform@", "").replace("edx-", "")
        };
        let line = |w: &crate::Window<'_>| {
            let mut words = match w.phase {
                Phase::Standby => vec!["standby".to_owned()],
                Phase::Active { until, .. } => vec![format!("active until {}", clock(until))],
                Phase::Tail { until, .. } => vec![format!("tail until {}", clock(until))],
                Phase::Closed { reason, .. } => vec![format!("closed {reason:?}")],
            };
            if w.responder.because.is_flagged() {
                words.push("flagged".into());
            }
            words.extend(match &w.attendance {
                crate::Attendance::NotAsked => None,
                crate::Attendance::Asking { .. } => Some("asked".to_owned()),
                crate::Attendance::Taken { person, .. } => Some(format!("taken by {person}")),
                crate::Attendance::Declined { .. } => Some("declined".to_owned()),
                crate::Attendance::Unattended { .. } => Some("unattended".to_owned()),
            });
            words.extend(w.reverted_by.map(|by| format!("reverted by {}", short(by))));
            words.extend(w.lineage.clone());
            let label = if let ChangeKind::DirectPush = w.change.kind { "12".to_owned() } else { short(w.change) };
            format!("{label} {} {}", w.responder.person, words.join(", "))
        };
        all.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn told(&mut self) -> String {
        let line = |m: &crate::Message| {
            let page = if m.kind == Kind::Page { "PAGE " } else { "" };
            format!("{page}{} {}", m.key.person, m.key.step.word())
        };
        self.world.told.iter().map(line).collect::<Vec<_>>().join("; ")
    }
}

fn library() -> crate::Repository {
    "openedx/edx-enterprise".parse().unwrap()
}

/// Monday to Friday from `from` to `to` o'clock, with one occasion.
pub fn timetable(zone: &str, from: i8, to: i8, occasion: Option<(jiff::civil::Date, OccasionKind)>) -> Timetable {
    let zone = TimeZone::get(zone).unwrap();
    let day = Some((time(from, 0, 0, 0), time(to, 0, 0, 0)));
    let week = [day, day, day, day, day, None, None];
    let occasions = occasion.map(|(day, kind)| Occasion {
        name: "a rest".into(),
        kind,
        span: Span::Days { first: day, last: day },
    });
    Timetable {
        zone: zone.clone(),
        hours: Some(WorkingHours { zone, week }),
        calendars: vec![Arc::new(Calendar::new(occasions))],
    }
}
