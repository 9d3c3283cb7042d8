//! What users had, at the second.

use super::*;
use crate::DeploymentState::{self, Failed, Started, Succeeded};
use crate::testing::{World, at, change, deployment};
use crate::window::windows;

/// A change of 15:00, whose deployment was told to be so.
fn world(reports: &[(DeploymentState, &str)]) -> World {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(11, "feanil", at("15:00"))).settle();
    for (state, when) in reports {
        world.until(at(when)).deploy(&deployment(1, 11, "production", *state, at(when)));
        world.settle();
    }
    world
}

fn stands(world: &World, when: Timestamp) -> Option<Stand> {
    let all = windows(&world.situation, &world.service, &world.settings.roster, world.now);
    exposed(&all[0], &world.service.policy, when).map(|(_, stand)| stand)
}

#[test]
fn a_change_is_active_until_its_turn_ends_and_a_suspect_until_its_tail_does() {
    let world = world(&[(Started, "15:10"), (Succeeded, "15:20")]);
    let second = SignedDuration::from_secs(1);
    assert_eq!((stands(&world, at("15:10") - second), stands(&world, at("15:10"))), (None, Some(Stand::Active)));
    assert_eq!(
        (stands(&world, at("16:20") - second), stands(&world, at("16:20"))),
        (Some(Stand::Active), Some(Stand::Tail))
    );
    assert_eq!((stands(&world, at("Sat 16:20") - second), stands(&world, at("Sat 16:20"))), (Some(Stand::Tail), None));
}

#[test]
fn one_that_failed_is_a_suspect_a_while_longer() {
    let world = world(&[(Started, "15:10"), (Failed, "15:20")]);
    let over = at("15:20") + world.service.policy.after_failure;
    let second = SignedDuration::from_secs(1);
    assert_eq!((stands(&world, at("15:10") - second), stands(&world, at("15:10"))), (None, Some(Stand::Active)));
    assert_eq!((stands(&world, over - second), stands(&world, over)), (Some(Stand::Active), None));
}

#[test]
fn it_is_under_way_until_it_ends_and_four_hours_where_nobody_says_so() {
    let rolls = |reports: &[(DeploymentState, &str)], when: Timestamp| {
        let world = world(reports);
        is_rolling_out(&world.situation.deployments.values().next().unwrap().value, when)
    };
    let second = SignedDuration::from_secs(1);
    for ended in [Succeeded, Failed] {
        let reports = [(Started, "15:10"), (ended, "15:20")];
        assert_eq!((rolls(&reports, at("15:20") - second), rolls(&reports, at("15:20"))), (true, false));
    }
    let open = [(Started, "15:10")];
    assert_eq!((rolls(&open, at("19:10") - second), rolls(&open, at("19:10"))), (true, false));
}
