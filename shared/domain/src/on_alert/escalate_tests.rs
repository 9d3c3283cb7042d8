//! One look at an incident, part by part, at the second from which it holds.

use super::*;
use crate::decision::{Record, Wake};
use crate::hold::Hold;
use crate::ids::IncidentId;
use crate::incident::bounds_tests::{failing, page, suspect, taken};
use crate::maintenance::Maintenance;
use crate::mode::Mode;
use crate::outcome::NotMine;
use crate::paging::{Layer, Paging};
use crate::service::Schedule;
use crate::suspect::Stand;
use crate::testing::{World, at};
use jiff::Timestamp;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn with_desk<T>(world: &World, elsewhere: &[Elsewhere], act: impl FnOnce(&Desk<'_>) -> T) -> T {
    let World { situation, service, settings, now, .. } = world;
    act(&Desk { elsewhere, situation, service, settings, all: &[], now: *now })
}

/// It is 12:00, and Feanil is to be paged for #1, which is live here and elsewhere.
fn world() -> World {
    let mut world = World::new();
    world.now = at("12:00");
    world
}

fn own() -> Incident {
    Incident { suspects: vec![suspect(1, "feanil")], ..failing() }
}

fn feanils() -> DuePage {
    let reason = Reason::FirstSuspect { change: "edx-platform#1".to_owned(), percent: None };
    DuePage { person: "feanil".parse().unwrap(), step: Step::FirstResponder, reason, again: false }
}

/// The incident of another service, for which Feanil was paged at 12:00.
fn other(now: bool) -> Elsewhere {
    let pages = vec![page("feanil", 0, false, Mode::Page)];
    let id = IncidentId::of(&"edxapp".parse().unwrap(), "other");
    Elsewhere { incident: Incident { id, pages, ..own() }, now }
}

fn empty(world: &World, actions: usize) -> Decisions {
    let mut decisions = Decisions::none(&world.service.id, Wake::Now);
    while decisions.actions() < actions {
        decisions.log(world.now, None, None, "something else".to_owned(), Reason::NoSuspect);
    }
    decisions
}

#[test]
fn a_page_speaks_for_what_the_same_change_breaks_elsewhere_for_ten_minutes_while_both_wait() {
    let same = |later: SignedDuration, change: &dyn Fn(&mut Incident, &mut Incident, &mut DuePage)| {
        let (mut here, mut there, mut page) = (own(), other(false), feanils());
        change(&mut here, &mut there.incident, &mut page);
        let world = World { now: at("12:00") + later, ..world() };
        with_desk(&world, &[there], |desk| desk.by_the_same_change(&here, &page).len())
    };
    let soon = SignedDuration::ZERO;
    assert_eq!(same(soon, &|_, _, _| ()), 1);
    assert_eq!(same(SPEAKS_FOR - SECOND, &|_, _, _| ()), 1);
    assert_eq!(same(SPEAKS_FOR, &|_, _, _| ()), 0);
    assert_eq!(same(soon, &|_, _, page| page.again = true), 0);
    assert_eq!(
        same(soon, &|here, _, _| here.pages.push(page("feanil", 0, false, Mode::Page))),
        0,
        "paged for this already"
    );
    assert_eq!(same(soon, &|here, _, _| here.suspects.clear()), 0);
    assert_eq!(same(soon, &|_, there, _| there.suspects[0].change = suspect(2, "x").change), 0);
    assert_eq!(same(soon, &|_, there, _| there.suspects[0].responder = "usama".parse().unwrap()), 0);
    assert_eq!(same(soon, &|_, there, _| there.suspects[0].stand = Stand::Tail), 0);
    assert_eq!(same(soon, &|_, there, _| there.pages[0].joined = Some(own().id)), 0, "that one was spoken for itself");
    assert_eq!(same(soon, &|_, there, _| there.resolved_at = Some(at("12:00"))), 0);
    assert_eq!(same(soon, &|_, there, _| there.held = Some(Hold { reason: Reason::NoSuspect, until: None })), 0);
    assert_eq!(same(soon, &|_, there, _| there.acknowledged.push(taken("anna", at("12:00")))), 0);
    let refuses = |person: &str| NotMine { person: person.parse().unwrap(), at: at("12:00"), instead: None };
    assert_eq!(same(soon, &|_, there, _| there.not_mine.push(refuses("feanil"))), 0);
    assert_eq!(same(soon, &|_, there, _| there.not_mine.push(refuses("usama"))), 1);
}

#[test]
fn of_what_breaks_at_one_moment_the_first_services_page_speaks_for_the_others() {
    let speaks = |service: &str, now: bool| {
        let mut there = other(now);
        there.incident.service = service.parse().unwrap();
        speaks_for(&there, &own())
    };
    assert_eq!([speaks("apart", true), speaks("edxapp", true), speaks("zoo", true)], [true, false, false]);
    assert_eq!([speaks("apart", false), speaks("edxapp", false), speaks("zoo", false)], [true; 3]);
}

#[test]
fn who_was_paged_for_it_elsewhere_before_hears_that_this_broke_too() {
    for (now, told) in
        [(false, ["notice also-broken", "page first-responder"].as_slice()), (true, &["page first-responder"])]
    {
        let mut there = other(now);
        there.incident.service = "apart".parse().unwrap();
        let world = world();
        let mut incident = own();
        let mut decisions = empty(&world, 1);
        with_desk(&world, &[there.clone()], |desk| desk.page(&mut decisions, &mut incident));
        let said: Vec<String> =
            decisions.messages.iter().map(|m| format!("{} {}", m.kind.word(), m.key.step.word())).collect();
        assert_eq!(said, told, "{now}");
        let last = decisions.messages.last().unwrap();
        assert_eq!(last.unless, there.incident.last_page(&"feanil".parse().unwrap()));
        assert_eq!(incident.pages[0].joined, Some(there.incident.id));
    }
}

#[test]
fn as_many_are_paged_at_once_as_have_room_for_a_notice_each_and_one_for_the_channel() {
    let world = World { now: at("13:00"), ..world() };
    let paged = |actions| {
        let (mut decisions, mut incident) = (empty(&world, actions), failing());
        with_desk(&world, &[], |desk| desk.page(&mut decisions, &mut incident));
        assert_eq!(decisions.messages.len(), incident.pages.len());
        incident.pages.len()
    };
    // Anna has the rotation, Olga owns it: both are due.
    assert_eq!([1, 80, 81, 84, 85, 86, 90].map(paged), [2, 2, 1, 1, 0, 0, 0]);
}

#[test]
fn a_pager_beside_us_pages_its_own_first_level_while_it_is_written_there() {
    let layer = |id: Option<&str>| Layer {
        person: "feanil".parse().unwrap(),
        from: at("11:00"),
        until: at("12:30"),
        id: id.map(str::to_owned),
        seen_at: None,
    };
    let there = |now: Timestamp, id: Option<&str>, change: &dyn Fn(&mut Incident, &mut DuePage)| {
        let mut world = World { now, ..world() };
        world.service.beside = Some(Schedule { receiver: "pagerduty".into(), id: "P1".into() });
        let paging = Paging { layer: Some(layer(id)), ..Paging::default() };
        world.situation.note(Record::Paging(paging), 1);
        let (mut incident, mut page) = (own(), feanils());
        change(&mut incident, &mut page);
        with_desk(&world, &[], |desk| desk.paged_there(&incident, &page)).is_some()
    };
    let written = Some("L1");
    assert!(there(at("12:30") - SECOND, written, &|_, _| ()));
    assert!(!there(at("12:30"), written, &|_, _| ()), "that is over");
    assert!(!there(at("12:00"), None, &|_, _| ()), "it is not written there yet");
    assert!(!there(at("12:00"), written, &|_, page| page.person = "usama".parse().unwrap()));
    assert!(!there(at("12:00"), written, &|_, page| page.again = true));
    assert!(there(at("12:00"), written, &|incident, _| incident.round_why = Some(Reason::FiresAgain)));
    assert!(!there(at("12:00"), written, &|incident, _| incident.round_why = Some(Reason::Worsened)));
    let refused = NotMine { person: "olga".parse().unwrap(), at: at("12:00"), instead: None };
    assert!(!there(at("12:00"), written, &|incident, _| incident.not_mine.push(refused.clone())));
}

#[test]
fn the_channel_hears_that_somebody_is_paged_or_why_nobody_is_once() {
    let mut world = world();
    world.service.channel = Some("channel".parse().unwrap());
    let hold = |reason| Some(Hold { reason, until: None });
    let hears = |before: Incident, after: Incident| {
        let (mut decisions, mut incident) = (empty(&world, 1), after);
        with_desk(&world, &[], |desk| desk.tell_channel(&mut decisions, &mut incident, &before));
        assert_eq!(decisions.messages.len(), incident.channel_said as usize);
        incident.channel_said == 1
    };
    let held = |reason| Incident { held: hold(reason), ..own() };
    assert!(!hears(own(), own()));
    assert!(hears(own(), Incident { pages: vec![page("feanil", 0, false, Mode::Page)], ..own() }));
    assert!(hears(own(), held(Reason::NoSuspect)));
    assert!(!hears(held(Reason::NoSuspect), held(Reason::NoSuspect)));
    assert!(hears(held(Reason::NoSuspect), held(Reason::LeftToPeople)), "why nobody is paged is another now");
    assert!(!hears(held(Reason::NoSuspect), own()), "whoever is paged then is news of its own");
}

#[test]
fn when_nothing_holds_it_any_more_a_round_begins_unless_somebody_is_at_it() {
    let world = world();
    let rounds = |change: &dyn Fn(&mut Incident)| {
        let mut incident = Incident { held: Some(Hold { reason: Reason::NoSuspect, until: None }), ..own() };
        change(&mut incident);
        let mut decisions = empty(&world, 1);
        with_desk(&world, &[], |desk| desk.hold(&mut decisions, &mut incident));
        assert_eq!(incident.held, None);
        (incident.round, decisions.entries.len())
    };
    assert_eq!(rounds(&|_| ()), (1, 1));
    assert_eq!(rounds(&|incident| incident.acknowledged.push(taken("anna", at("11:59")))), (0, 0));
    assert_eq!(rounds(&|incident| incident.held = None), (0, 0));
}

#[test]
fn where_everybody_refused_they_are_asked_anew_ten_minutes_after_the_last_of_them_did() {
    let rounds = |now: Timestamp| {
        let mut incident = failing();
        for (person, when) in [("anna", "12:05"), ("olga", "12:07")] {
            incident.not_mine.push(NotMine { person: person.parse().unwrap(), at: at(when), instead: None });
        }
        let world = World { now, ..world() };
        let mut decisions = empty(&world, 1);
        with_desk(&world, &[], |desk| desk.begin_round(&mut decisions, &mut incident));
        (incident.round, incident.round_at)
    };
    assert_eq!(rounds(at("12:17") - SECOND), (0, None));
    assert_eq!(rounds(at("12:17")), (1, Some(at("12:17"))));
    assert_eq!(rounds(at("12:30")), (1, Some(at("12:17"))), "as of when it was due");
}

#[test]
fn maintenance_that_is_yet_to_begin_is_looked_at_and_one_that_begins_now_is_not() {
    let looks = |from: Option<Timestamp>| {
        let mut world = world();
        let maintenance = from.map(|from| Maintenance {
            environment: None,
            from,
            until: at("18:00"),
            why: String::new(),
            by: "anna".parse().unwrap(),
            ended_at: None,
        });
        let paging = Paging { maintenance: maintenance.into_iter().collect(), ..Paging::default() };
        world.situation.note(Record::Paging(paging), 1);
        let incident = Incident { pages: vec![page("anna", 0, false, Mode::Page)], ..failing() };
        next_look(&incident, &world.situation, &world.service, &world.settings, world.now)
    };
    let rung = looks(None);
    assert!(rung > Some(at("12:01")), "{rung:?}");
    assert_eq!(looks(Some(at("12:00"))), rung);
    assert_eq!(looks(Some(at("11:00"))), rung);
    assert_eq!(looks(Some(at("12:01"))), Some(at("12:01")));
    assert_eq!(looks(Some(at("17:00"))), rung);
}
