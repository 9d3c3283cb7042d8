//! What each mode sends; that shadow, notify and page decide the same; and how a service steps down.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::Situation;
use crate::mode::ceiling::COUNTS;
use crate::properties_tests::{Event, MINUTES, PEOPLE, act, begin, history, moment, tell};
use crate::testing::{World, alert, at, change, deployment};
use crate::{DeploymentState, Entry};

/// What somebody does about the newest incident.
#[derive(Debug, Clone, Copy)]
enum About {
    Acknowledge,
    NotMine,
    Take,
    Judge { first: bool },
}

fn about() -> impl Strategy<Value = (i64, usize, About)> {
    let act = prop_oneof![
        Just(About::Acknowledge),
        Just(About::NotMine),
        Just(About::Take),
        any::<bool>().prop_map(|first| About::Judge { first }),
    ];
    (0..MINUTES, 0..4_usize, act)
}

fn does(world: &mut World, who: usize, what: About) {
    // Refused is nothing done.
    let _ = world.does(PEOPLE[who], |counter| match what {
        About::Acknowledge => counter.acknowledge(),
        About::NotMine => counter.not_mine(None),
        About::Take => counter.take(),
        About::Judge { first } => {
            let suspects = counter.situation.incidents[counter.id].value.suspects.first();
            counter.judge(suspects.filter(|_| first).map(|suspect| &suspect.change))
        }
    });
}

/// Everything that was decided, and what is kept at the end but for the marks of the mode itself.
fn play(mode: Mode, events: &[(i64, Event)], abouts: &[(i64, usize, About)]) -> (Vec<Message>, Vec<Entry>, Situation) {
    let mut world = begin();
    world.change_service(|service| {
        service.mode = mode;
        service.policy.wrong_pages_at_most = 0;
    });
    let machine = events.iter().map(|(minute, event)| (*minute, Some(*event), None));
    let people = abouts.iter().map(|(minute, who, what)| (*minute, None, Some((*who, *what))));
    let mut all: Vec<_> = machine.chain(people).collect();
    all.sort_by_key(|(minute, ..)| *minute);
    for (minute, event, person) in all {
        world.until(moment(minute));
        match event {
            Some(Event::Told(event)) => tell(&mut world, event, moment(minute)),
            Some(Event::Done(done)) => act(&mut world, done),
            None => {}
        }
        if let Some((who, what)) = person {
            does(&mut world, who, what);
        }
        world.settle();
    }
    world.until(moment(MINUTES) + SignedDuration::from_hours(72));
    let mut situation = world.situation;
    for incident in situation.incidents.values_mut() {
        incident.value.pages.iter_mut().for_each(|page| page.mode = Mode::Page);
    }
    // What counts for stepping down is what woke somebody.
    situation.ceiling = crate::Noted::default();
    (world.told, world.log, situation)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shadow_notify_and_page_decide_the_same(events in history(true), abouts in prop::collection::vec(about(), 0..5)) {
        let paged = play(Mode::Page, &events, &abouts);
        for mode in [Mode::Shadow, Mode::Notify] {
            let other = play(mode, &events, &abouts);
            prop_assert_eq!(&other.0, &paged.0, "messages");
            prop_assert_eq!(&other.1, &paged.1, "log");
            prop_assert_eq!(&other.2, &paged.2, "what is kept");
        }
    }

    #[test]
    fn the_mode_in_force_is_never_above_the_configuration_nor_above_what_the_table_says(
        configured in 0..6_usize, lowered in prop::option::of(0..6_usize),
    ) {
        let to = lowered.map(|i| Mode::ALL[i]);
        let why = Why::WrongPages { pages: 4 };
        let lowered = to.map(|to| Lowered { to, at: at("15:00"), why });
        let ceiling = Ceiling { lowered, ..Ceiling::default() };
        let mode = ceiling.in_force(Mode::ALL[configured]);
        prop_assert!(mode <= Mode::ALL[configured] && to.is_none_or(|to| mode <= to));
        prop_assert!(mode == Mode::ALL[configured] || Some(mode) == to);
    }
}

/// A service in this mode whose change by feanil breaks it, and is paged for.
fn broken(mode: Mode) -> World {
    let mut world = World::new();
    world.change_service(|service| {
        service.mode = mode;
        service.policy.wrong_pages_at_most = 1;
        service.channel = Some("usama".parse().unwrap());
    });
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("15:00"))).settle();
    world.until(at("15:30"));
    world.deploy(&deployment(1, 12, "prod", DeploymentState::Succeeded, at("15:30")));
    world.settle();
    world
}

/// An alert of this name fires; feanil, who is paged, says that it is not his; it is over.
fn wrongly(world: &mut World, name: &str, minute: i64) {
    let when = at("15:40") + SignedDuration::from_mins(minute);
    world.until(when);
    world.alert(&[alert(name, when, None)]);
    world.settle();
    world.until(when + SignedDuration::from_mins(1));
    world.does("feanil", |counter| counter.not_mine(None)).unwrap();
    world.settle();
    let over = when + SignedDuration::from_mins(3);
    world.until(over);
    world.alert(&[alert(name, when, Some(over))]);
    world.settle();
}

fn stepped(world: &World) -> Vec<String> {
    let of = |m: &&Message| m.key.step == Step::SteppedDown;
    world.told.iter().filter(of).map(|m| format!("{}: {}", m.key.person, m.title)).collect()
}

#[test]
fn wrong_pages_beyond_the_policy_lower_the_mode_once_loudly_and_count_anew_from_there() {
    let mut world = broken(Mode::Propose);
    wrongly(&mut world, "First", 0);
    assert_eq!((world.situation.mode(&world.service), stepped(&world).len()), (Mode::Propose, 0));
    wrongly(&mut world, "Second", 20);
    assert_eq!(world.situation.mode(&world.service), Mode::Page);
    assert_eq!(
        stepped(&world),
        ["usama: edxapp has gone down from propose to page", "olga: edxapp has gone down from propose to page"]
    );
    // The same two say nothing more, whenever it is looked.
    world.until(at("16:10"));
    assert_eq!((world.situation.mode(&world.service), stepped(&world).len()), (Mode::Page, 2));
    // From here on it takes two more.
    wrongly(&mut world, "Third", 40);
    assert_eq!(world.situation.mode(&world.service), Mode::Page);
    wrongly(&mut world, "Fourth", 45);
    assert_eq!((world.situation.mode(&world.service), stepped(&world).len()), (Mode::Notify, 4));
    let down: Vec<_> = world.log.iter().filter(|line| line.what.contains("goes down")).collect();
    assert_eq!(down.len(), 2, "{down:?}");
    assert_eq!(down[1].reason.to_string(), "from page down to notify: 2 wrong pages to one person within 30 days");
}

#[test]
fn a_storm_lowers_it_no_further_than_to_chat_and_a_page_that_was_right_never() {
    let mut world = broken(Mode::Page);
    for (i, name) in ["A", "B", "C", "D", "E", "F", "G", "H"].iter().enumerate() {
        wrongly(&mut world, name, i64::try_from(i).unwrap() * 5);
    }
    assert_eq!(world.situation.mode(&world.service), Mode::Notify);
    assert_eq!(stepped(&world).len(), 2, "told once");
    let mut world = broken(Mode::Page);
    for (i, name) in ["A", "B", "C", "D"].iter().enumerate() {
        let when = at("15:40") + SignedDuration::from_mins(i64::try_from(i).unwrap() * 20);
        world.until(when);
        world.alert(&[alert(name, when, None)]);
        world
            .does("feanil", |counter| {
                let change = counter.situation.incidents[counter.id].value.suspects[0].change.clone();
                counter.judge(Some(&change))
            })
            .unwrap();
        world.until(when + SignedDuration::from_mins(2));
        world.alert(&[alert(name, when, Some(when + SignedDuration::from_mins(2)))]);
        world.settle();
    }
    assert_eq!((world.situation.mode(&world.service), stepped(&world).len()), (Mode::Page, 0));
    assert!(world.situation.ceiling.value.wrong.is_empty());
}

#[test]
fn a_wrong_page_counts_for_a_month_and_not_after_somebody_thought_better_of_it() {
    let mut world = broken(Mode::Page);
    wrongly(&mut world, "First", 0);
    assert_eq!(world.situation.ceiling.value.most_wrong(world.now), 1);
    assert_eq!(world.situation.ceiling.value.most_wrong(at("15:40") + COUNTS), 1);
    assert_eq!(world.situation.ceiling.value.most_wrong(at("15:41") + COUNTS), 0);
    // It was his after all.
    world
        .does("anna", |counter| {
            let change = counter.situation.incidents[counter.id].value.suspects[0].change.clone();
            counter.judge(Some(&change))
        })
        .unwrap();
    world.settle();
    assert!(world.situation.ceiling.value.wrong.is_empty());
}

#[test]
fn each_mode_sends_what_it_says() {
    let mut world = broken(Mode::Page);
    world.until(at("15:45"));
    world.alert(&[alert("HighErrorRate", at("15:45"), None)]);
    let page = world.told.iter().find(|m| m.kind == Kind::Page).unwrap().clone();
    let notice = world.told.iter().find(|m| m.key.step == Step::Started).unwrap().clone();
    let of = |message: &Message, step, kind| {
        let mut message = message.clone();
        (message.key.step, message.kind) = (step, kind);
        message
    };
    let drill = of(&page, Step::Drill, Kind::Page);
    let update = of(&page, Step::PagerResolved, Kind::Update);
    for (mode, sends) in [
        (Mode::Manual, [Sends::ByAll, Sends::ByAll]),
        (Mode::Shadow, [Sends::Nothing, Sends::Nothing]),
        (Mode::Notify, [Sends::ByChat, Sends::ByChat]),
        (Mode::Page, [Sends::ByAll, Sends::ByAll]),
        (Mode::Propose, [Sends::ByAll, Sends::ByAll]),
        (Mode::Act, [Sends::ByAll, Sends::ByAll]),
    ] {
        assert_eq!([&page, &notice].map(|message| mode.sends(message, None)), sends, "{mode:?}");
        assert_eq!(mode.sends(&drill, None), Sends::ByAll, "a person asked for it: {mode:?}");
        // What was opened at a pager is closed there, however low the mode is by now; what was not is left alone.
        assert_eq!(mode.sends(&update, Some(Mode::Page)), Sends::ByAll, "{mode:?}");
        let was_shadow = if mode.pages() { Sends::ByAll } else { Sends::Nothing };
        assert_eq!(mode.sends(&update, Some(Mode::Shadow)), was_shadow, "{mode:?}");
    }
}

#[test]
fn of_other_incidents_what_was_known_of_wrong_pages_stays_for_a_month() {
    let id = |name: &str| crate::IncidentId::of(&"edxapp".parse().unwrap(), name);
    let wrong = |name: &str, when| WrongPage { at: when, incident: id(name), person: "feanil".parse().unwrap() };
    let (first, now) = (at("12:00"), at("12:00") + COUNTS);
    let mut ceiling = Ceiling::default();
    ceiling.learn(&[&id("a"), &id("b")], vec![wrong("a", first), wrong("b", first)], first);
    ceiling.learn(&[&id("b"), &id("c")], vec![wrong("c", now)], now);
    assert_eq!(ceiling.wrong, [wrong("a", first), wrong("c", now)], "the page of b was right after all");
    ceiling.learn(&[], vec![], now + SignedDuration::from_secs(1));
    assert_eq!(ceiling.wrong, [wrong("c", now)]);
}
