//! When what waits for a forge is looked at again, and when it is given up; how far ahead a tick is.

use jiff::{SignedDuration, Timestamp};

use crate::change::{Asked, Files};
use crate::decision::{MOST_ACTIONS, Wake};
use crate::deployment::Carries;
use crate::message::{Kind, Message, Outgoing};
use crate::on_merge::errands::{Errand, Unread, Which};
use crate::on_schedule::{is_overdue, tick_after};
use crate::testing::{World, alert, at, change, deployment, repository};
use crate::{DeploymentState, Record, on_schedule};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// When the service is looked at again, if nothing happens, and what leaves it now.
fn looks(world: &World) -> (Option<Timestamp>, usize) {
    let round = on_schedule::decide(&world.situation, &[], &world.service, &world.settings, world.now);
    let Wake::Exactly(next) = round.decisions.wake else { panic!("{:?}", round.decisions.wake) };
    let drops = round.decisions.writes.iter().filter(|write| matches!(write, crate::Write::Drop { .. }));
    (next, drops.count())
}

fn errand(tries: u32, last: Timestamp) -> Errand {
    let told = Unread { repository: repository(), which: Which::Number(12), forge: None, at: None };
    Errand { tries, last, ..Errand::new(told, last) }
}

#[test]
fn an_errand_is_looked_at_when_it_is_due_then_each_minute_for_a_while_and_given_up_after_three_days() {
    let mut world = World::new();
    // Asked once at 12:00: due at 12:01.
    world.situation.note(Record::Errand(errand(1, at("12:00"))), 1);
    let end = at("12:00") + SignedDuration::from_hours(72);
    for (now, next) in [
        (at("12:00"), at("12:01")),
        (at("12:01"), at("12:02")),
        (at("12:10"), at("12:11")),
        (at("12:11"), end),
        (end - MINUTE, end),
    ] {
        world.now = now;
        assert_eq!(looks(&world), (Some(next), 0), "{now}");
    }
    world.now = end;
    world.settle();
    assert!(world.situation.errands.is_empty());
    assert_eq!(world.log.last().unwrap().what, "edx-platform#12 is not asked about");
}

#[test]
fn errands_without_end_leave_in_several_looks() {
    let mut world = World::new();
    for number in 0..60 {
        let errand = Errand { which: Which::Number(number), ..errand(1, at("12:00")) };
        world.situation.note(Record::Errand(errand), 1);
    }
    world.now = at("12:00") + SignedDuration::from_hours(72);
    world.settle();
    assert!(world.situation.errands.is_empty());
    assert!((MOST_ACTIONS - 2..=MOST_ACTIONS).contains(&world.most_actions), "{}", world.most_actions);
}

#[test]
fn the_files_of_a_change_are_asked_for_when_they_are_due_and_then_each_minute_for_a_while() {
    let mut world = World::new();
    world.now = at("12:00");
    let change = change(12, "feanil", at("12:00"));
    let unanswered = Files { asked: Asked::Unanswered { tries: 1, last: at("12:00") }, ..Files::default() };
    world.merge(change.clone());
    world.situation.note(Record::Files(change.id, unanswered), 1);
    for (now, next) in [("12:00", Some("12:01")), ("12:01", Some("12:02")), ("12:10", Some("12:11"))] {
        world.now = at(now);
        world.settle();
        assert_eq!(looks(&world).0, next.map(at), "{now}");
    }
    world.now = at("12:11");
    world.settle();
    assert!(looks(&world).0.is_none_or(|next| next > at("12:12")), "not for ever");
}

#[test]
fn what_a_release_carries_is_asked_for_when_it_is_due_and_not_for_ever_nor_of_one_that_failed() {
    for (state, asks) in [(DeploymentState::Succeeded, true), (DeploymentState::Failed, false)] {
        let mut world = World::new();
        world.now = at("12:00");
        world.merge(change(12, "feanil", at("11:00")));
        world.deploy(&deployment(1, 12, "prod", state, at("12:00")));
        world.until(at("12:05"));
        let mut known = world.situation.deployments.values().next().unwrap().value.clone();
        known.carries = Carries::Unanswered { tries: 1, last: at("12:05") };
        world.situation.note(Record::Deployment(known), 9);
        for (now, next) in [("12:05", "12:06:00"), ("12:06", "12:06:01"), ("12:15", "12:15:01")] {
            world.now = at(now);
            world.settle();
            let next: Timestamp = format!("2026-03-20T{next}Z").parse().unwrap();
            assert_eq!(looks(&world).0 == Some(next), asks, "{now}: {:?}", looks(&world));
        }
        world.now = at("12:16");
        world.settle();
        assert!(looks(&world).0.is_none_or(|next| next > at("12:17")));
    }
}

#[test]
fn a_page_is_overdue_after_ten_minutes_and_a_notice_never() {
    let mut world = World::new();
    world.alert(&[alert("HighErrorRate", at("12:00"), None)]);
    let page = world.told.iter().find(|message| message.kind == Kind::Page).unwrap().clone();
    let decided = page.decided_at;
    assert!(!is_overdue(&page, decided) && !is_overdue(&page, decided + 10 * MINUTE - SignedDuration::from_secs(1)));
    assert!(is_overdue(&page, decided + 10 * MINUTE));
    let notice = Message { kind: Kind::Notice, ..page };
    assert!(!is_overdue(&notice, decided + 60 * MINUTE));
}

#[test]
fn a_tick_comes_in_the_minute_after_something_is_due() {
    let now = at("12:00");
    for (seconds, minutes) in [(-90, 1), (0, 1), (1, 1), (59, 1), (60, 1), (61, 2), (119, 2), (120, 2), (121, 3)] {
        let tick = tick_after(now + SignedDuration::from_secs(seconds), now);
        assert_eq!(tick, now + SignedDuration::from_mins(minutes), "{seconds}");
    }
}

#[test]
fn what_was_not_sent_is_sent_again_after_fifteen_seconds_and_what_nobody_took_after_a_minute() {
    let mut world = World::new();
    world.alert(&[alert("HighErrorRate", at("12:00"), None)]);
    let message = world.told.iter().find(|message| message.kind == Kind::Page).unwrap().clone();
    let seconds = SignedDuration::from_secs;
    for (published, after, again) in [
        (None, 14, false),
        (None, 15, true),
        (Some(at("12:00") + seconds(5)), 64, false),
        (Some(at("12:00") + seconds(5)), 65, true),
    ] {
        let outgoing =
            Outgoing { message: message.clone(), published_at: published, claimed_at: None, tries: 0, trying: None };
        let now = message.decided_at + seconds(after);
        let round = on_schedule::decide(&world.situation, &[outgoing], &world.service, &world.settings, now);
        assert_eq!(!round.republish.is_empty(), again, "{published:?} {after}");
    }
}
