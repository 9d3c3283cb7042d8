//! What holds in every history, generated ten thousand times: windows never run backwards, somebody always answers,
//! the order in which events arrive does not matter, nothing is decided without a reason.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::calendar::OccasionKind;
use crate::on_request::hands::Desk;
use crate::situations_tests::timetable;
use crate::testing::{World, alert, at, change, commit, deployment, person, repository};
use crate::{ChangeId, Decisions, DeploymentState, Phase, ServiceId};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

pub(crate) const PEOPLE: [&str; 6] = ["feanil", "usama", "anna", "olga", "carol", "stranger"];
const CHANGES: u64 = 5;
pub(crate) const MINUTES: i64 = 60 * 30;

/// Something that a machine tells us.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Told {
    Merge { number: u64, who: usize, reverts: Option<u64> },
    Deploy { id: u64, number: u64, live: bool, state: DeploymentState },
    Alert { name: usize, over: bool },
}

/// Something that a person does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Done {
    Take { who: usize, minutes: i64 },
    GiveBack { who: usize },
    HandOver { number: u64, to: usize },
    Answer { number: u64, who: usize, takes: bool },
    Pause,
    Resume,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    Told(Told),
    Done(Done),
}

fn state() -> impl Strategy<Value = DeploymentState> {
    prop_oneof![
        Just(DeploymentState::Started),
        Just(DeploymentState::Succeeded),
        Just(DeploymentState::Failed),
        Just(DeploymentState::Aborted),
    ]
}

fn telling() -> impl Strategy<Value = Told> {
    let merge = (1..=CHANGES, 0..PEOPLE.len(), prop::option::weighted(0.2, 1..=CHANGES))
        .prop_map(|(number, who, reverts)| Told::Merge { number, who, reverts: reverts.filter(|r| *r < number) });
    let deploy = (1..4_u64, 1..=CHANGES, prop::bool::weighted(0.8), state())
        .prop_map(|(id, number, live, state)| Told::Deploy { id: id * 100 + number, number, live, state });
    let alert = (0..2_usize, any::<bool>()).prop_map(|(name, over)| Told::Alert { name, over });
    prop_oneof![3 => merge, 4 => deploy, 1 => alert]
}

fn done() -> impl Strategy<Value = Done> {
    let who = 0..PEOPLE.len() - 1;
    prop_oneof![
        (who.clone(), 10..300_i64).prop_map(|(who, minutes)| Done::Take { who, minutes }),
        who.clone().prop_map(|who| Done::GiveBack { who }),
        (1..=CHANGES, who.clone()).prop_map(|(number, to)| Done::HandOver { number, to }),
        (1..=CHANGES, who, any::<bool>()).prop_map(|(number, who, takes)| Done::Answer { number, who, takes }),
        Just(Done::Pause),
        Just(Done::Resume),
    ]
}

/// Events with the minute at which they happen, in order.
pub(crate) fn history(people_act: bool) -> impl Strategy<Value = Vec<(i64, Event)>> {
    let event = if people_act {
        prop_oneof![3 => telling().prop_map(Event::Told), 1 => done().prop_map(Event::Done)].boxed()
    } else {
        telling().prop_map(Event::Told).boxed()
    };
    prop::collection::vec((0..MINUTES, event), 1..14).prop_map(|mut events| {
        events.sort_by_key(|(minute, _)| *minute);
        events
    })
}

pub(crate) fn begin() -> World {
    let mut world = World::new();
    let mut carol = person("carol", "Carol", "Europe/Berlin");
    carol.champions = vec!["anna".parse().unwrap(), "usama".parse().unwrap()];
    world.change_roster(|people| {
        people.push(carol);
        let usama = people.iter_mut().find(|p| p.id.as_str() == "usama").unwrap();
        let day_off = Some((date(2026, 3, 21), OccasionKind::DayOff));
        usama.timetable = timetable("Asia/Karachi", 12, 21, day_off);
    });
    world.change_service(|service| service.timetable = timetable("Europe/Stockholm", 10, 15, None));
    world
}

pub(crate) fn moment(minute: i64) -> Timestamp {
    at("08:00") + SignedDuration::from_mins(minute)
}

fn id(number: u64) -> ChangeId {
    ChangeId { repository: repository(), commit: commit(number) }
}

/// Some changes are merged in the morning, some in the afternoon, when nobody works any more.
fn merged_at(number: u64) -> Timestamp {
    moment(i64::try_from(number).unwrap() + if number.is_multiple_of(2) { 0 } else { 60 * 8 })
}

/// Tells the world what happened at `when`. What a forge says of a merge is the same whenever it says it, so the
/// minute of a change's merge follows from its number.
pub(crate) fn tell(world: &mut World, event: Told, when: Timestamp) {
    match event {
        Told::Merge { number, who, reverts } => {
            let mut change = change(number, PEOPLE[who], merged_at(number));
            let words = reverts.map(|n| format!("Reverts openedx/edx-platform#{n}"));
            change.reverts = words.and_then(|body| crate::revert::read("Revert \"it\"", &body, &repository()));
            world.merge(change);
        }
        Told::Deploy { id, number, live, state } => {
            let mut event = deployment(id, number, if live { "prod" } else { "stage" }, state, when);
            event.created_at = Some(moment(0));
            world.deploy(&event);
        }
        Told::Alert { name, over } => {
            let name = ["HighErrorRate", "SlowRequests"][name];
            world.alert(&[alert(name, when, over.then_some(when))]);
        }
    }
}

pub(crate) fn act(world: &mut World, event: Done) {
    let person = |i: usize| PEOPLE[i].parse().unwrap();
    let World { situation, service, settings, now, .. } = &*world;
    let desk = Desk { situation, service, settings, now: *now };
    let outcome = match event {
        Done::Take { who, minutes } => {
            desk.take(&person(who), &person(who), None, *now + SignedDuration::from_mins(minutes))
        }
        Done::GiveBack { who } => desk.give_back(&person(who)),
        Done::HandOver { number, to } => desk.hand_over(&id(number), &person(to), &person(0)),
        Done::Answer { number, who, takes } => desk.answer(&id(number), &person(who), takes),
        Done::Pause => desk.pause(&person(2), "flaky", None),
        Done::Resume => desk.resume(&person(2)),
    };
    if let Ok(decisions) = outcome {
        assert!(explained(&decisions), "{decisions:?}");
        world.commit(&decisions);
    }
}

/// Whoever writes something says why.
fn explained(decisions: &Decisions) -> bool {
    decisions.writes.is_empty() || !decisions.entries.is_empty()
}

fn rank(phase: Phase) -> u8 {
    match phase {
        Phase::Standby => 0,
        Phase::Active { .. } => 1,
        Phase::Tail { .. } => 2,
        Phase::Closed { .. } => 3,
    }
}

/// Every window by its change: how far it is, and how many turns it had before.
fn stand(world: &World) -> BTreeMap<ChangeId, (u32, u8)> {
    let all = crate::window::windows(&world.situation, &world.service, &world.settings.roster, world.now);
    all.iter().map(|w| (w.change.id.clone(), (w.nth_turn(), rank(w.phase)))).collect()
}

/// One responder, who is a person of the roster or of the service.
fn answered(world: &World) {
    let all = crate::window::windows(&world.situation, &world.service, &world.settings.roster, world.now);
    assert_eq!(all.len(), world.situation.changes.len(), "every change has a window, and every window somebody");
    for window in &all {
        for person in [&window.responder.person, &window.holder.person] {
            assert!(world.settings.roster.person(person).is_some(), "{person} answers and is nobody");
        }
    }
}

/// Whoever is on call knows it.
fn told(world: &World) {
    let all = crate::window::windows(&world.situation, &world.service, &world.settings.roster, world.now);
    for window in all.iter().filter(|w| matches!(w.phase, Phase::Active { .. })) {
        let notes = &world.situation.notes[&window.change.id].value;
        let holder = &window.holder.person;
        assert!(notes.has_heard(crate::Step::Started, holder), "{holder} is on call for {} unawares", window.change.id);
    }
}

/// The windows and suspects at the end, when everything has arrived.
fn end(events: &[(i64, Told)], order: &[usize]) -> (String, String) {
    let mut world = begin();
    world.now = moment(MINUTES);
    for i in order {
        let (minute, event) = events[*i % events.len()];
        tell(&mut world, event, moment(minute));
    }
    (world.windows(), world.suspects())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_window_never_runs_backwards_and_somebody_always_answers(events in history(true)) {
        let mut world = begin();
        let mut before = BTreeMap::new();
        for (minute, event) in events {
            world.until(moment(minute));
            let after = stand(&world);
            for (change, stood) in &before {
                // A turn that failed or was rolled back is another turn; within one, time goes forward only.
                prop_assert!(after.get(change).is_none_or(|now| now >= stood), "{change} ran backwards");
            }
            answered(&world);
            match event {
                Event::Told(event) => tell(&mut world, event, moment(minute)),
                Event::Done(event) => act(&mut world, event),
            }
            world.settle();
            answered(&world);
            told(&world);
            before = stand(&world);
        }
        world.nobody_told_twice();
        for message in &world.told {
            prop_assert!(!message.reason.name().is_empty() && !message.reason.to_string().is_empty());
        }
    }

    #[test]
    fn the_same_events_in_any_order_and_number_end_in_the_same_windows(
        events in history(false),
        copies in 1..4_usize,
        seed in any::<u64>(),
    ) {
        let told = without_contradictions(&events);
        prop_assume!(!told.is_empty());
        let straight: Vec<usize> = (0..told.len()).collect();
        let mut shuffled: Vec<usize> = (0..told.len() * copies).collect();
        shuffled.sort_by_key(|i| (*i as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        prop_assert_eq!(end(&told, &straight), end(&told, &shuffled));
    }
}

/// One change is merged once, by one person: a forge does not say two things about it. Alerts have an order of their
/// own, which `convergence_tests` plays with.
fn without_contradictions(events: &[(i64, Event)]) -> Vec<(i64, Told)> {
    let mut merges = BTreeMap::new();
    let once = |(minute, event): &(i64, Event)| match event {
        Event::Told(told @ Told::Merge { number, who, reverts }) => {
            (*merges.entry(*number).or_insert((*who, *reverts)) == (*who, *reverts)).then_some((*minute, *told))
        }
        Event::Told(told @ Told::Deploy { .. }) => Some((*minute, *told)),
        Event::Told(Told::Alert { .. }) | Event::Done(_) => None,
    };
    events.iter().filter_map(once).collect()
}

#[test]
fn a_service_of_nobody_is_refused_by_check_and_drops_nothing_silently() {
    let mut world = World::new();
    world.change_service(|service| (service.owners, service.rotation) = (vec![], vec![]));
    world.merge(change(1, "stranger", moment(1)));
    let id: ServiceId = "edxapp".parse().unwrap();
    assert_eq!(world.settings.service(&id).unwrap().last_resort(), None);
    assert!(world.situation.changes.is_empty(), "without owner and rotation nobody can answer: `check` refuses that");
}

/// Found in one of tens of thousands of histories: the rotation's own change, declined by the rotation.
#[test]
fn whoever_gets_what_the_rotation_declined_hears_of_it_at_once() {
    let mut world = begin();
    for (minute, event) in [
        (0, Event::Told(Told::Merge { number: 5, who: 0, reverts: None })),
        (476, Event::Told(Told::Deploy { id: 105, number: 5, live: true, state: DeploymentState::Started })),
        (688, Event::Told(Told::Merge { number: 1, who: 2, reverts: None })),
        (702, Event::Done(Done::Answer { number: 1, who: 2, takes: false })),
    ] {
        world.until(moment(minute));
        match event {
            Event::Told(event) => tell(&mut world, event, moment(minute)),
            Event::Done(event) => act(&mut world, event),
        }
        world.settle();
        told(&world);
    }
    assert!(world.windows().contains("olga active until"), "{}", world.windows());
}
