//! When a service is looked at again, and what one look leaves to the next.

use super::*;
use crate::DeploymentState::Succeeded;
use crate::change::Files;
use crate::queue::history::Sample;
use crate::reason::Reason;
use crate::service::Schedule;
use crate::shown::Spot;
use crate::testing::{World, alert, at, change, deployment};
use crate::turn::Turn;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn round(world: &World) -> Round {
    decide(&world.situation, &[], &world.service, &world.settings, world.now)
}

/// A transaction that does so much already.
fn filled(world: &World, actions: usize) -> Decisions {
    let mut decisions = Decisions::none(&world.service.id, Wake::Now);
    while decisions.actions() < actions {
        decisions.log(world.now, None, None, "something else".to_owned(), Reason::WindowClosed);
    }
    decisions
}

fn with_look<T>(world: &World, act: impl FnOnce(&Look<'_>) -> T) -> T {
    let World { situation, service, settings, now, .. } = world;
    let all = windows(situation, service, &settings.roster, *now);
    let failures = suite::failures(situation, service, *now);
    act(&Look { situation, service, settings, all: &all, failures: &failures, now: *now, owner_told: false })
}

#[test]
fn a_window_is_looked_at_as_long_as_all_that_may_be_said_of_it_fits() {
    let told = |others: u64| {
        let mut world = World::new();
        world.now = at("15:00");
        world.merge(change(12, "feanil", at("15:00")));
        // Lists of files of changes that have left leave too: an action each.
        for number in 100..100 + others {
            world.situation.note(Record::Files(change(number, "x", at("12:00")).id, Files::of(["a.py"])), 1);
        }
        let round = round(&world);
        assert!(round.decisions.actions() <= 100);
        (round.decisions.messages.len(), round.decisions.wake == Wake::Exactly(Some(world.now)))
    };
    assert_eq!(told(0).0, 1, "its receipt");
    assert_eq!(told(77), told(0), "with 78 actions there is room for twelve more");
    for others in [78, 79, 85] {
        assert_eq!(told(others), (0, true), "{others}");
    }
}

#[test]
fn an_incident_is_looked_at_as_long_as_all_that_may_be_said_of_it_fits() {
    let mut world = World::new();
    world.now = at("12:00");
    world.alert(&[alert("HighErrorRate", at("12:00"), None)]);
    world.alert(&[alert("HighErrorRate", at("12:00"), Some(at("12:00")))]);
    let over = at("12:00") + LINGER;
    let looked = |world: &World, actions| {
        let (mut decisions, mut next, mut track) = (filled(world, actions), Next::default(), Track::default());
        with_look(world, |look| incidents(&mut decisions, &mut next, &mut track, look));
        (decisions.writes.len(), next.0)
    };
    world.now = over - SECOND;
    assert_eq!(looked(&world, 1), (0, Some(over)));
    world.now = over;
    assert_eq!(looked(&world, 1), (1, None), "it leaves");
    assert_eq!(looked(&world, 30), (1, None));
    for full in [31, 32, 60] {
        assert_eq!(looked(&world, full), (0, Some(over)), "{full}");
    }
}

#[test]
fn the_queue_is_remembered_by_what_waits_to_go_live() {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(11, "feanil", at("15:00")));
    world.deploy(&deployment(1, 11, "prod", Succeeded, at("15:00")));
    world.now = at("15:05");
    for number in 12..=13 {
        world.merge(change(number, "feanil", at("15:05")));
    }
    let waiting = |world: &World| {
        let all = windows(&world.situation, &world.service, &world.settings.roster, world.now);
        all.iter().filter(|window| window.phase == Phase::Standby).count()
    };
    let (waits, all) = (u16::try_from(waiting(&world)).unwrap(), world.situation.changes.len());
    assert!(waits > 0 && all != 2 * usize::from(waits), "{waits} of {all}");
    world.settle();
    let Some(Sample(_, most, last)) = world.situation.queue.value.history.last() else { panic!("no sample") };
    assert_eq!((*most, *last), (waits, waits));
}

#[test]
fn what_is_written_where_people_look_is_tried_again_in_a_minute() {
    let mut world = World::new();
    world.now = at("12:00");
    assert_eq!(round(&world).decisions.wake, Wake::Exactly(None));
    world.service.channel_topic = Some(Spot { receiver: "slack".to_owned(), id: "C024BE91L".to_owned() });
    assert_eq!(round(&world).decisions.wake, Wake::Exactly(Some(at("12:01"))));
    let mut world = World::new();
    world.now = at("12:00");
    let schedule = |id: &str| Some(Schedule { receiver: "pagerduty".into(), id: id.into() });
    (world.service.beside, world.service.schedule) = (schedule("P1"), schedule("S1"));
    assert_eq!(round(&world).decisions.wake, Wake::Exactly(Some(at("12:01"))));
}

#[test]
fn what_was_told_is_looked_at_in_a_minute_whether_it_was_sent() {
    let mut world = World::new();
    world.now = at("12:00");
    let mut over = crate::shift::Shift::new(
        crate::shift::Scope::Service,
        &"olga".parse().unwrap(),
        &"olga".parse().unwrap(),
        at("10:00"),
        Some(at("12:00")),
        at("09:00"),
    );
    world.situation.note(Record::Shift(over.clone()), 1);
    let round_of = round(&world);
    assert_eq!((round_of.decisions.messages.len(), round_of.decisions.wake), (1, Wake::Exactly(Some(at("12:00")))));
    over.told_over = true;
    world.situation.note(Record::Shift(over), 2);
    let quiet = round(&world);
    assert!(quiet.decisions.messages.is_empty());
    assert_eq!(quiet.decisions.wake, Wake::Exactly(Some(at("12:00") + crate::shift::KEEP)));
}

/// What comes of looking at its first window, as it is made to be.
fn turned(world: &World, stays: &Stays<'_>, change: impl Fn(&mut Window<'_>)) -> (Option<Timestamp>, usize) {
    with_look(world, |look| {
        let mut window = look.all[0].clone();
        change(&mut window);
        let all = [window.clone()];
        let look = Look { all: &all, ..*look };
        let (mut decisions, mut next, mut track) = (filled(world, 1), Next::default(), Track::default());
        turn(&mut decisions, &mut next, &mut track, &look, stays, &window);
        let drops = decisions.writes.iter().filter(|write| matches!(write, crate::Write::Drop { .. }));
        (next.0, drops.count())
    })
}

#[test]
fn a_closed_window_stays_until_its_last_word_is_told_and_all_is_counted() {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("15:00"))).settle();
    let closed = |when: Timestamp| {
        move |window: &mut Window<'_>| {
            window.phase = Phase::Closed { at: when, reason: Closed::Reverted };
        }
    };
    let (none, own) = (BTreeSet::new(), BTreeSet::from([change(12, "feanil", at("15:00")).id]));
    let now = world.now;
    let stays = |untold, all_counted| Stays { untold, all_counted };
    // Its notices are said first.
    world.settle();
    let (next, drops) = turned(&world, &stays(&none, true), closed(now));
    if drops == 0 {
        assert_eq!(next, Some(now), "what is said of its end is kept first");
    }
    let other = |window: &mut Window<'_>| {
        window.phase = Phase::Closed { at: now + SECOND, reason: Closed::RevertedBeforeLive };
    };
    assert_eq!(turned(&world, &stays(&none, true), other).1, 0);
    let paths = |at: Timestamp| {
        move |window: &mut Window<'_>| {
            window.phase = Phase::Closed { at, reason: Closed::OtherPaths };
        }
    };
    assert_eq!(turned(&world, &stays(&none, true), paths(now - LINGER + SECOND)), (Some(now + SECOND), 0));
    assert_eq!(turned(&world, &stays(&none, true), paths(now - LINGER)), (None, 2), "its change and its notes leave");
    assert_eq!(turned(&world, &stays(&own, true), paths(now - LINGER)), (Some(now + REPUBLISH), 0));
    assert_eq!(turned(&world, &stays(&none, false), paths(now - LINGER)), (Some(now), 0));
}

#[test]
fn a_window_on_standby_is_looked_at_when_its_turn_begins() {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("15:00"))).settle();
    world.now = at("15:10");
    let mut live = World::new();
    live.now = at("15:10");
    live.deploy(&deployment(1, 12, "prod", Succeeded, at("15:10")));
    let release = live.situation.deployments.values().next().unwrap().value.clone();
    let without = turned(&world, &Stays { untold: &BTreeSet::new(), all_counted: true }, |_| ()).0;
    for (since, next) in
        [(at("15:10") - SECOND, without), (at("15:10"), without), (at("15:10") + SECOND, Some(at("15:10") + SECOND))]
    {
        let untold = BTreeSet::new();
        let found = with_look(&world, |look| {
            let mut window = look.all[0].clone();
            let turn_of = Turn {
                release: &release,
                since,
                until: at("16:10"),
                planned: at("16:10"),
                over: at("17:10"),
                settled: true,
                extended: None,
                cut: None,
            };
            window.turns = vec![turn_of];
            window.phase = Phase::Standby;
            let (mut decisions, mut next, mut track) = (filled(&world, 1), Next::default(), Track::default());
            let stays = Stays { untold: &untold, all_counted: true };
            turn(&mut decisions, &mut next, &mut track, look, &stays, &window);
            next.0
        });
        assert_eq!(found, next, "{since}");
    }
}
