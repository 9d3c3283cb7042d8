//! How long a turn lasts: what prolongs it, what cuts it short, at the second.

use jiff::SignedDuration;

use super::*;
use crate::DeploymentState::{Started, Succeeded};
use crate::testing::{World, at, deployment};

fn secs(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn policy() -> Policy {
    Policy {
        active: secs(3600),
        at_most: secs(4 * 3600),
        tail: secs(24 * 3600),
        after_failure: secs(900),
        ..Policy::default()
    }
}

/// Started then, and succeeded ten minutes later if it did.
fn release(id: u64, started: Timestamp, succeeded: bool) -> Deployment {
    let mut world = World::new();
    world.now = started + secs(600);
    world.deploy(&deployment(id, 11, "production", Started, started));
    if succeeded {
        world.deploy(&deployment(id, 11, "production", Succeeded, started + secs(600)));
    }
    world.situation.deployments.values().next().unwrap().value.clone()
}

/// Until when the turn of a release of 15:00, which ends at 16:10, lasts; why, and whether that is settled.
fn lasts(again: &[Timestamp], broken: &[(Timestamp, Option<Timestamp>)]) -> (Timestamp, Option<Extension>, bool) {
    let first = release(1, at("15:00"), true);
    let again: Vec<Deployment> = (2..).zip(again).map(|(id, started)| release(id, *started, true)).collect();
    let broken: Vec<Broken> = broken.iter().map(|(since, until)| Broken { since: *since, until: *until }).collect();
    let turn = live(&first, &again.iter().collect::<Vec<_>>(), &broken, None, &policy()).unwrap();
    assert_eq!((turn.since, turn.planned, turn.over), (at("15:00"), at("16:10"), turn.until + policy().tail));
    (turn.until, turn.extended, turn.settled)
}

#[test]
fn the_same_commit_deployed_again_before_it_ends_prolongs_it_and_not_at_its_end() {
    let ended = (at("16:10"), None, true);
    assert_eq!(lasts(&[], &[]), ended);
    assert_eq!(lasts(&[at("16:10")], &[]), ended);
    let then = at("16:10") - secs(1);
    assert_eq!(lasts(&[then], &[]), (then + secs(4200), Some(Extension::Redeployed), true));
    // One makes room for the next; four hours are the most.
    let longest = (at("19:00"), Some(Extension::Redeployed), true);
    assert_eq!(lasts(&[at("16:00"), at("17:00"), at("18:00")], &[]), longest);
}

#[test]
fn what_breaks_within_it_prolongs_it_until_that_is_over() {
    let ended = (at("16:10"), None, true);
    let over = |until: Timestamp| (until, Some(Extension::IncidentOver), true);
    let second = secs(1);
    assert_eq!(lasts(&[], &[(at("16:10"), Some(at("16:30")))]), ended, "it is over by then");
    assert_eq!(lasts(&[], &[(at("16:10") - second, Some(at("16:30")))]), over(at("16:30")));
    assert_eq!(lasts(&[], &[(at("15:00"), Some(at("16:30")))]), over(at("16:30")));
    assert_eq!(lasts(&[], &[(at("15:00") - second, Some(at("16:30")))]), ended, "it was broken before");
    // What is over by its end makes no difference.
    assert_eq!(lasts(&[], &[(at("15:30"), Some(at("16:10")))]), ended);
    assert_eq!(lasts(&[], &[(at("15:30"), Some(at("16:10") + second))]), over(at("16:10") + second));
    assert_eq!(lasts(&[], &[(at("15:30"), None)]), (at("19:00"), Some(Extension::IncidentOpen), false));
}

/// Until when it lasts, and its tail, and whether that is settled, where a revert is live since then.
fn cut(succeeded: bool, reverted: Timestamp) -> (Timestamp, Timestamp, bool) {
    let first = release(1, at("15:00"), succeeded);
    let turn = live(&first, &[], &[], Some(reverted), &policy()).unwrap();
    assert_eq!(turn.cut, Some(Cut::Reverted));
    (turn.until, turn.over, turn.settled)
}

#[test]
fn what_is_taken_back_ends_a_quarter_of_an_hour_later_if_it_would_last_longer() {
    let tail = at("Sat 16:10");
    assert_eq!(cut(true, at("15:30")), (at("15:45"), at("15:45"), true));
    assert_eq!(cut(true, at("14:00")), (at("15:15"), at("15:15"), true), "taken back before it was live");
    assert_eq!(cut(true, at("17:00")), (at("16:10"), at("17:15"), true), "its turn was over");
    assert_eq!(cut(true, at("Sun 17:00")), (at("16:10"), tail, true));
    // Its end is known by that, though its deployment has not succeeded.
    assert_eq!(cut(false, at("15:30")), (at("15:45"), at("15:45"), true));
    assert_eq!(cut(false, at("18:45")), (at("19:00"), at("19:00"), true));
    assert_eq!(cut(false, at("18:46")), (at("19:00"), at("19:01"), false));
}
