//! Every message as its reader has it. They are the product: change them here on purpose, not by accident.

use expect_test::{Expect, expect};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::DeploymentState::{Started, Succeeded};
use crate::situations_tests::texts;
use crate::testing::{World, change, deployment};

fn reads(story: &str, expected: Expect) {
    expected.assert_eq(&texts(story));
}

#[test]
fn a_turn_from_merge_to_end() {
    reads(
        "14:00 feanil merges 12; 14:05 usama merges 13; 15:00 prod starts 13; 15:05 prod succeeds 13; 16:10 now",
        expect![[r#"
            notice to feanil
            edx-platform#12 is merged: you are on standby for edxapp
            “change number 12”. You merged it.
            Nothing is ahead of it in the queue.
            You are not paged for it until it is live in production. Then your turn starts, until 1 h after the deployment succeeds: stay reachable, and be ready to revert.
            Board: https://deployers.example.com/#edxapp

            notice to usama
            edx-platform#13 is merged: you are on standby for edxapp
            “change number 13”. You merged it.
            1 change is ahead of it in the queue.
            You are not paged for it until it is live in production. Then your turn starts, until 1 h after the deployment succeeds: stay reachable, and be ready to revert.
            Board: https://deployers.example.com/#edxapp

            notice to feanil
            Your turn starts: edx-platform#12 is live in edxapp production
            “change number 12”. You merged it.
            You are paged first until 1 h after the deployment succeeds, at the latest until 15:00 (America/New_York).
            In the same release: edx-platform#13 (Usama).
            Revert: press Revert on https://github.com/openedx/edx-platform/pull/12
            Board: https://deployers.example.com/#edxapp

            notice to usama
            Your turn starts: edx-platform#13 is live in edxapp production
            “change number 13”. You merged it.
            You are paged first until 1 h after the deployment succeeds, at the latest until 2026-03-21 00:00 (Asia/Karachi).
            In the same release: edx-platform#12 (Feanil).
            Revert: press Revert on https://github.com/openedx/edx-platform/pull/13
            Board: https://deployers.example.com/#edxapp

            notice to feanil
            Your turn for edx-platform#12 in edxapp ends soon
            You are paged first until 12:05 (America/New_York). After that you are no longer paged first.
            Board: https://deployers.example.com/#edxapp

            notice to usama
            Your turn for edx-platform#13 in edxapp ends soon
            You are paged first until 21:05 (Asia/Karachi). After that you are no longer paged first.
            Board: https://deployers.example.com/#edxapp

            notice to feanil
            Your turn for edx-platform#12 in edxapp is over
            It stays a suspect for 24 h, but you are no longer paged first. Thank you.
            Board: https://deployers.example.com/#edxapp

            notice to usama
            Your turn for edx-platform#13 in edxapp is over
            It stays a suspect for 24 h, but you are no longer paged first. Thank you.
            Board: https://deployers.example.com/#edxapp"#]],
    );
}

#[test]
fn a_receipt_says_what_holds_the_queue_up_and_what_is_reverted() {
    reads(
        "13:00 usama merges 11; 13:20 prod succeeds 11; 13:21 forget; 14:00 feanil merges 12; 14:05 prod starts 12; 14:06 prod fails 12; \
         14:10 forget; 14:20 usama merges 13 which reverts 12; 14:30 anna pauses flaky end-to-end tests; 14:40 olga merges 14",
        expect![[r#"
            notice to usama
            Your turn for edx-platform#11 in edxapp is over
            It stays a suspect for 24 h, but you are no longer paged first. Thank you.
            Board: https://deployers.example.com/#edxapp

            notice to usama
            edx-platform#13 is merged: you are on standby for edxapp
            “change number 13”. You merged it. It reverts edx-platform#12.
            1 change is ahead of it in the queue.
            The last deployment to production failed at 19:06 (Asia/Karachi).
            You are not paged for it until it is live in production. Then your turn starts, until 1 h after the deployment succeeds: stay reachable, and be ready to revert.
            Board: https://deployers.example.com/#edxapp

            notice to olga
            edx-platform#14 is merged: you are on standby for edxapp
            “change number 14”. You merged it.
            2 changes are ahead of it in the queue.
            The pipeline is paused since 14:30 (Europe/London): flaky end-to-end tests (Anna).
            You are not paged for it until it is live in production. Then your turn starts, until 1 h after the deployment succeeds: stay reachable, and be ready to revert.
            Board: https://deployers.example.com/#edxapp"#]],
    );
}

#[test]
fn what_is_said_when_a_turn_is_prolonged_taken_back_or_reverted() {
    reads(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:01 forget; 15:40 alert; 15:41 feanil acknowledges; 15:42 forget; 15:51 now",
        expect![[r#"
            notice to feanil
            Your turn for edx-platform#12 in edxapp lasts longer
            Something broke while it was live. You are paged first until it is over, at the latest until 15:00 (America/New_York).
            Board: https://deployers.example.com/#edxapp"#]],
    );
    reads(
        "16:10 usama merges 13; 16:20 prod starts 13; 16:21 forget; 16:25 prod fails 13",
        expect![[r#"
            notice to usama
            edx-platform#13 is back on standby: the deployment to edxapp production failed
            Your turn is off until it goes live again; you will be told.
            Board: https://deployers.example.com/#edxapp"#]],
    );
    reads(
        "14:00 feanil merges 12; 14:10 prod succeeds 12; 14:20 usama merges 13 which reverts 12; 14:30 prod succeeds 13; 14:31 forget; 14:46 now",
        expect![[r#"
            notice to feanil
            Your turn for edx-platform#12 in edxapp is over
            edx-platform#13 reverted it, and that is live. You are no longer paged for it. Thank you.
            Board: https://deployers.example.com/#edxapp"#]],
    );
    reads(
        "14:00 feanil merges 12; 14:20 usama merges 13 which reverts 12; 14:21 forget; 14:30 prod starts 13",
        expect![[r#"
            notice to feanil
            edx-platform#12 is taken back: you have no turn for it in edxapp
            edx-platform#13 reverts it and went live with it. There is nothing to do. Thank you.
            Board: https://deployers.example.com/#edxapp

            notice to usama
            Your turn starts: edx-platform#13 is live in edxapp production
            “change number 13”. You merged it. It reverts edx-platform#12.
            You are paged first until 1 h after the deployment succeeds, at the latest until 23:30 (Asia/Karachi).
            It is alone in its release.
            Revert: press Revert on https://github.com/openedx/edx-platform/pull/13
            Board: https://deployers.example.com/#edxapp"#]],
    );
}

#[test]
fn what_is_asked_and_said_about_a_merge_outside_working_hours() {
    reads(
        "office; Fri 22:40 feanil merges 12; 23:10 now",
        expect![[r#"
            notice to feanil
            edx-platform#12 was merged outside working hours: do you take the pager for edxapp?
            “change number 12”. You merged it.
            Taking it says that you are reachable until your turn for it is over, and that nobody else need be woken first.
            Without an answer by 18:55 (America/New_York) it counts as unattended: the rotation is warned, and you are still paged first.
            Nothing is ahead of it in the queue.
            Board: https://deployers.example.com/#edxapp

            notice to anna
            Be warned: edx-platform#12 was merged outside working hours, unattended
            “change number 12”. Feanil did not answer, and is still paged first.
            Revert: press Revert on https://github.com/openedx/edx-platform/pull/12
            Board: https://deployers.example.com/#edxapp"#]],
    );
    reads(
        "office; Fri 22:40 feanil merges 12; 22:41 forget; 22:42 feanil declines 12; 23:10 now",
        expect![[r#"
            notice to anna
            Be warned: edx-platform#12 was merged outside working hours, and nobody takes the pager
            “change number 12”. Feanil declined; Olga answers for it.
            Revert: press Revert on https://github.com/openedx/edx-platform/pull/12
            Board: https://deployers.example.com/#edxapp

            notice to olga
            edx-platform#12 is merged: you are on standby for edxapp
            “change number 12”. Feanil, who merged it, declined the pager.
            Nothing is ahead of it in the queue.
            You are not paged for it until it is live in production. Then your turn starts, until 1 h after the deployment succeeds: stay reachable, and be ready to revert.
            Board: https://deployers.example.com/#edxapp"#]],
    );
    reads(
        "office; Sat 14:00 carol merges 12; Sat 14:16 now",
        expect![[r#"
        notice to anna
        edx-platform#12 was merged on the weekend: do you take the pager for edxapp?
        “change number 12”. Carol merged it, and you are a champion.
        Taking it says that you are reachable until your turn for it is over, and that nobody else need be woken first.
        Without an answer by 15:15 (Europe/Stockholm), Usama is asked.
        Nothing is ahead of it in the queue.
        Board: https://deployers.example.com/#edxapp

        notice to carol
        edx-platform#12 is merged, thank you
        “change number 12”. You will not be paged for it: Anna is asked to answer for it in edxapp, and may ask you.
        Board: https://deployers.example.com/#edxapp

        notice to usama
        edx-platform#12 was merged on the weekend: do you take the pager for edxapp?
        “change number 12”. Carol merged it, and you are a champion.
        Taking it says that you are reachable until your turn for it is over, and that nobody else need be woken first.
        Without an answer by 19:30 (Asia/Karachi) it counts as unattended: the rotation is warned and holds it.
        Nothing is ahead of it in the queue.
        Board: https://deployers.example.com/#edxapp"#]],
    );
    reads(
        "office; Fri 14:00 carol merges 12",
        expect![[r#"
        notice to anna
        edx-platform#12 is merged: you are on standby for edxapp
        “change number 12”. You are the champion of Carol, who merged it.
        Nothing is ahead of it in the queue.
        You are not paged for it until it is live in production. Then your turn starts, until 1 h after the deployment succeeds: stay reachable, and be ready to revert.
        Board: https://deployers.example.com/#edxapp

        notice to carol
        edx-platform#12 is merged, thank you
        “change number 12”. You will not be paged for it: Anna answers for it in edxapp, and may ask you.
        Board: https://deployers.example.com/#edxapp"#]],
    );
}

/// Why somebody is asked, in a story's first question.
fn asked(story: &str) -> String {
    let all = texts(story);
    let question = all.split("\n\n").find(|text| text.contains("do you take the pager")).unwrap();
    question.lines().nth(2).unwrap().to_owned()
}

#[test]
fn who_is_asked_about_a_merge_reads_why_it_is_theirs() {
    assert_eq!(
        asked("office; Fri 22:40 bot merges 12 of usama for feanil"),
        "“change number 12”. You put it into the merge queue."
    );
    assert_eq!(
        asked("office; Tue 17:00 usama merges 12"),
        "“change number 12”. You stand in for Usama, who merged it and has a day off."
    );
    let mut world = World::new();
    world.merge(change(12, "feanil", world.now));
    let World { situation, service, settings, now, .. } = &world;
    let all = crate::window::windows(situation, service, &settings.roster, *now);
    let (feanil, usama) = ("feanil".parse().unwrap(), "usama".parse().unwrap());
    let because = crate::Because::HandedOver { by: crate::PersonId::clone(&feanil) };
    let window = crate::Window { holder: crate::Responder { person: usama, because }, ..all[0].clone() };
    let reader = crate::wording::Reader { settings, service, person: &feanil, now: *now };
    let asking = crate::attendance::Asking { why: crate::TimeKind::OffHours, candidates: vec![feanil.clone()] };
    let question = crate::wording::hands::ask(reader, &window, &asking, &Default::default());
    assert_eq!(question.lines[0], "“change number 12”. You merged it.", "usama holds it");
}

#[test]
fn a_pager_that_is_taken_for_later_is_told_of_with_its_times() {
    let (settings, service) = (crate::testing::settings(), crate::testing::service());
    let at = crate::testing::at;
    let usama: crate::PersonId = "usama".parse().unwrap();
    let reads = |from: &str, now: &str| {
        let scope = crate::shift::Scope::Service;
        let shift = crate::Shift::new(scope, &usama, &usama, at(from), Some(at("20:00")), at("12:00"));
        let reader = crate::wording::Reader { settings: &settings, service: &service, person: &usama, now: at(now) };
        let message = crate::wording::hands::handed_over(reader, &shift, None, 0);
        format!("{}. {}", message.title, message.lines[0])
    };
    let now = "You have the pager of edxapp now. You are paged first for it until 2026-03-21 01:00 (Asia/Karachi).";
    assert_eq!((reads("12:00", "12:00"), reads("12:00", "12:10")), (now.to_owned(), now.to_owned()));
    assert_eq!(
        reads("18:00", "12:00"),
        "You will have the pager of edxapp. \
         You are paged first for it from 23:00 (Asia/Karachi) until 2026-03-21 01:00 (Asia/Karachi)."
    );
}

#[test]
fn what_is_said_when_responsibility_moves() {
    reads(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:01 forget; 15:10 olga takes the pager until 15:20; 15:21 now",
        expect![[r#"
            notice to olga
            You have the pager of edxapp now
            You are paged first for it until 15:20 (Europe/London).
            Board: https://deployers.example.com/#edxapp

            notice to feanil
            Olga has the pager of edxapp now
            You are not paged for it until 11:20 (America/New_York).
            Board: https://deployers.example.com/#edxapp

            notice to olga
            You no longer have the pager of edxapp
            Thank you. Whoever answers for each change is paged first again.
            Board: https://deployers.example.com/#edxapp"#]],
    );
    reads(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:01 forget; 15:10 feanil hands 12 to usama",
        expect![[r#"
            notice to usama
            Feanil handed edx-platform#12 over to you
            “change number 12”.
            You are paged first until 21:00 (Asia/Karachi).
            Revert: press Revert on https://github.com/openedx/edx-platform/pull/12
            Board: https://deployers.example.com/#edxapp"#]],
    );
    reads(
        "office; Fri 12:00 usama merges 12; Sat 13:00 forget; Tue 10:00 prod succeeds 12",
        expect![[r#"
            notice to usama
            Olga answers for edx-platform#12: it is live in edxapp
            You are away, so you are not paged for it. There is nothing to do.
            Board: https://deployers.example.com/#edxapp

            notice to olga
            Your turn starts: edx-platform#12 is live in edxapp production
            “change number 12”. You stand in for Usama, who merged it and has a day off.
            You are paged first until 11:00 (Europe/London).
            It is alone in its release.
            Revert: press Revert on https://github.com/openedx/edx-platform/pull/12
            Board: https://deployers.example.com/#edxapp"#]],
    );
}

#[test]
fn what_the_owner_hears_of_a_queue_that_does_not_move() {
    reads(
        "15:00 stranger merges 12; 15:05 usama merges 13; 15:06 forget; Mon 15:01 now",
        expect![[r#"
            notice to olga
            2 changes wait to go live in edxapp, the oldest for 24 h
            The oldest is edx-platform#12 “change number 12”; Olga answers for it.
            Nobody's turn has begun or been used up by waiting. You are told at most once a day.
            Board: https://deployers.example.com/#edxapp

            notice to olga
            2 changes wait to go live in edxapp, the oldest for 48 h
            The oldest is edx-platform#12 “change number 12”; Olga answers for it.
            Nobody's turn has begun or been used up by waiting. You are told at most once a day.
            Board: https://deployers.example.com/#edxapp

            notice to olga
            2 changes wait to go live in edxapp, the oldest for 72 h
            The oldest is edx-platform#12 “change number 12”; Olga answers for it.
            You are now deputy for it: its merger may not remember it by heart when it goes live, so stand by with them.
            Board: https://deployers.example.com/#edxapp"#]],
    );
}

#[test]
fn a_page_to_who_has_the_pager_and_to_a_colleague() {
    reads(
        "15:10 olga takes the pager until 17:40; 15:11 forget; 15:20 alert",
        expect![[r#"
            page to olga
            [critical] edxapp production: HighErrorRate
            7 % of requests fail, since 15:20 (Europe/London).
            Why you: you have the pager of edxapp just now.
            What changed: no change went live lately.
            Cannot take it? Leave it: without an acknowledgement by 15:24 (Europe/London), Anna is paged. Not yours? Say so by the link.
            Board: https://deployers.example.com/incidents/edxapp-mtchk598
            Runbook: https://wiki.example.com/edxapp"#]],
    );
    reads(
        "14:00 feanil merges 12; 15:00 prod succeeds 12; 15:10 feanil hands 12 to usama; 15:11 forget; 15:20 alert",
        expect![[r#"
            page to usama
            [critical] edxapp production: HighErrorRate
            7 % of requests fail, since 20:20 (Asia/Karachi).
            Why you: Feanil handed edx-platform#12 over to you, live 20 min before the alert.
            What changed:
              1. edx-platform#12 change number 12 (you; about 80 %: live 20 min before the alert)
            Revert: press Revert on https://github.com/openedx/edx-platform/pull/12
            Cannot take it? Leave it: without an acknowledgement by 20:24 (Asia/Karachi), Anna is paged. Not yours? Say so by the link.
            Board: https://deployers.example.com/incidents/edxapp-mtchk598
            Runbook: https://wiki.example.com/edxapp"#]],
    );
}

/// The end of a turn as it is printed to somebody who lives there, an hour after the deployment succeeded.
fn printed_end(zone: &str, succeeded: &str) -> String {
    let succeeded: Timestamp = succeeded.parse().unwrap();
    let mut world = World::new();
    world.change_roster(|people| {
        let feanil = people.iter_mut().find(|p| p.id.as_str() == "feanil").unwrap();
        feanil.zone = TimeZone::get(zone).unwrap();
    });
    world.now = succeeded - SignedDuration::from_mins(10);
    world.merge(change(12, "feanil", world.now));
    for (state, at) in [(Started, succeeded - SignedDuration::from_mins(5)), (Succeeded, succeeded)] {
        let mut event = deployment(1, 12, "prod", state, at);
        event.created_at = Some(succeeded - SignedDuration::from_mins(6));
        world.now = at;
        world.deploy(&event);
    }
    world.told.clear();
    world.situation.notes.clear();
    world.settle();
    let started = world.told.iter().find(|m| m.key.step == crate::Step::Started).unwrap();
    let line = started.lines.iter().find_map(|l| l.strip_prefix("You are paged first until ")).unwrap();
    line.trim_end_matches('.').to_owned()
}

#[test]
fn the_end_of_a_turn_is_right_in_the_readers_zone_over_every_change_of_clocks() {
    for (zone, succeeded, end) in [
        // New York skips 02:00-03:00 on 8 March 2026 and repeats 01:00-02:00 on 1 November.
        ("America/New_York", "2026-03-08T06:30:00Z", "03:30 (America/New_York)"),
        ("America/New_York", "2026-11-01T04:45:00Z", "01:45 UTC-04:00 (America/New_York)"),
        ("America/New_York", "2026-11-01T05:45:00Z", "01:45 UTC-05:00 (America/New_York)"),
        ("America/New_York", "2026-11-01T06:30:00Z", "02:30 (America/New_York)"),
        // Karachi changes nothing; the day does.
        ("Asia/Karachi", "2026-03-08T06:30:00Z", "12:30 (Asia/Karachi)"),
        ("Asia/Karachi", "2026-03-08T18:30:00Z", "2026-03-09 00:30 (Asia/Karachi)"),
        // London skips 01:00-02:00 on 29 March 2026 and repeats 01:00-02:00 on 25 October.
        ("Europe/London", "2026-03-29T00:40:00Z", "02:40 (Europe/London)"),
        ("Europe/London", "2026-10-25T00:30:00Z", "01:30 UTC+00:00 (Europe/London)"),
        // Lord Howe goes back half an hour on 5 April 2026 (01:30-02:00 comes twice), forward on 4 October.
        ("Australia/Lord_Howe", "2026-04-04T13:45:00Z", "01:45 UTC+11:00 (Australia/Lord_Howe)"),
        ("Australia/Lord_Howe", "2026-04-04T14:15:00Z", "01:45 UTC+10:30 (Australia/Lord_Howe)"),
        ("Australia/Lord_Howe", "2026-04-04T14:45:00Z", "02:15 (Australia/Lord_Howe)"),
        ("Australia/Lord_Howe", "2026-10-03T15:00:00Z", "03:00 (Australia/Lord_Howe)"),
    ] {
        assert_eq!(printed_end(zone, succeeded), end, "{zone} {succeeded}");
    }
}

#[test]
fn where_one_click_reverts_the_message_has_the_change_and_says_so_and_then_where_it_is() {
    let mut world = World::new();
    world.settings.reverts = [(crate::testing::repository(), crate::undo::Opens::PullRequests)].into();
    world.now = crate::testing::at("15:00");
    let merged = change(12, "feanil", world.now);
    world.merge(merged.clone()).settle();
    let mut event = deployment(1, 12, "prod", Succeeded, world.now);
    event.created_at = Some(world.now);
    world.deploy(&event);
    world.settle();
    world.alert(&[crate::testing::alert("HighErrorRate", world.now, None)]);
    let undo = crate::Undo::new(&merged, &"feanil".parse().unwrap(), world.now);
    world.situation.note(crate::Record::Undo(undo), 1);
    world.until(crate::testing::at("15:05"));
    let told = world.told.iter().filter(|message| message.lines.iter().any(|line| line.starts_with("Revert:")));
    let line = |message: &crate::Message| {
        let line = message.lines.iter().find(|line| line.starts_with("Revert:")).unwrap();
        format!(
            "{} {}: {line} {}",
            message.key.step.word(),
            message.key.person,
            message.revert == Some(merged.id.clone())
        )
    };
    expect![[r#"
        started feanil: Revert: press Revert, which opens the pull request, once. By hand: git revert 0000000000 true
        first-responder feanil: Revert: press Revert, which opens the pull request, once. By hand: git revert 0000000000 true
        rotation anna: Revert: asked for by Feanil at 16:00 (Europe/Stockholm). The pull request is being opened. true"#]]
    .assert_eq(&told.map(line).collect::<Vec<_>>().join("\n"));
}
