//! Any order and any number of copies of the same events end in the same windows and suspects, and nobody is
//! told the same thing twice on the way.

use proptest::prelude::*;

use crate::DeploymentState::{Started, Succeeded};
use crate::testing::{World, alert, at, change, deployment};

/// The events of one failure: two merges, the live deployment's two reports, an alert.
#[derive(Debug, Clone, Copy)]
enum Event {
    Merge,
    SecondMerge,
    Start,
    Success,
    Alert,
    Resolution,
}

const THREE: [Event; 3] = [Event::Merge, Event::Success, Event::Alert];
const ALL: [Event; 5] = [Event::Merge, Event::SecondMerge, Event::Start, Event::Success, Event::Alert];

fn happen(world: &mut World, event: Event) {
    match event {
        Event::Merge => {
            world.merge(change(12, "feanil", at("15:00")));
        }
        Event::SecondMerge => {
            world.merge(change(13, "usama", at("15:05")));
        }
        Event::Start => {
            world.deploy(&deployment(1, 13, "prod", Started, at("15:30")));
        }
        Event::Success => {
            world.deploy(&deployment(1, 13, "prod", Succeeded, at("15:40")));
        }
        Event::Alert => {
            world.alert(&[alert("HighErrorRate", at("15:50"), None)]);
        }
        // It had broken before, and that was over: an alert that flaps, told only when it resolved.
        Event::Resolution => {
            world.alert(&[alert("HighErrorRate", at("15:42"), Some(at("15:45")))]);
        }
    }
}

/// Everything arrives within a minute after the alert; `settle` says after which events the scheduler looks.
fn play(events: &[Event], settle: impl Fn(usize) -> bool) -> World {
    let mut world = World::new();
    world.now = at("15:50");
    for (i, event) in events.iter().enumerate() {
        happen(&mut world, *event);
        if settle(i) {
            world.settle();
        }
    }
    world.settle();
    world.nobody_told_twice();
    world
}

fn end(world: &World) -> (String, String) {
    (world.windows(), world.suspects())
}

#[test]
fn a_merge_a_deployment_and_an_alert_converge_in_all_six_orders() {
    let want = end(&play(&THREE, |_| true));
    assert_eq!(want.1, "edx-platform#12");
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let world = play(&order.map(|i| THREE[i]), |_| true);
        assert_eq!(end(&world), want, "{order:?}");
        let pages: Vec<_> = world.told.iter().filter(|m| m.kind == crate::Kind::Page).collect();
        assert!(pages.iter().any(|p| p.key.person.as_str() == "feanil"), "{order:?}: the merger is paged in the end");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ten_copies_of_each_event_in_any_order_end_the_same(
        order in Just(THREE.repeat(10)).prop_shuffle(),
        settled in any::<u32>(),
    ) {
        let want = end(&play(&THREE, |_| true));
        let world = play(&order, |i| settled & (1 << (i % 32)) != 0);
        prop_assert_eq!(end(&world), want);
    }

    #[test]
    fn two_merges_and_every_report_of_their_deployment_end_the_same(
        order in Just(ALL.repeat(3)).prop_shuffle(),
        settled in any::<u32>(),
    ) {
        let want = end(&play(&ALL, |_| true));
        let world = play(&order, |i| settled & (1 << (i % 32)) != 0);
        prop_assert_eq!(end(&world), want);
    }

    #[test]
    fn a_resolution_may_overtake_its_alert_and_the_windows_end_the_same(
        order in Just([Event::Merge, Event::Success, Event::Alert, Event::Resolution].repeat(3)).prop_shuffle(),
        settled in any::<u32>(),
    ) {
        let want = play(&[Event::Merge, Event::Success, Event::Resolution, Event::Alert], |_| true).windows();
        let world = play(&order, |i| settled & (1 << (i % 32)) != 0);
        prop_assert_eq!(world.windows(), want);
    }
}
