//! What one acknowledgement says, and how many are kept.

use super::*;
use crate::testing::{World, alert, at};

fn by(who: &str, when: &str) -> Acknowledgement {
    Acknowledgement { by: Acknowledger::Person(who.parse().unwrap()), at: at(when), there: None, at_page: None }
}

#[test]
fn it_covers_the_same_word_of_before_and_of_nobody_else() {
    let word = by("anna", "12:00");
    for (who, there, want) in
        [("anna", "11:59", true), ("anna", "12:00", true), ("anna", "12:01", false), ("olga", "12:00", false)]
    {
        assert_eq!(word.covers(&Acknowledger::Person(who.parse().unwrap()), at(there)), want, "{who} {there}");
    }
    let there = Acknowledgement { there: Some(at("12:05")), ..word };
    assert!(there.covers(&there.by, at("12:05")), "by the clock there");
}

#[test]
fn a_strangers_word_is_of_whose_page_it_was_and_a_persons_their_own() {
    let anna: PersonId = "anna".parse().unwrap();
    let at_annas = |by| Acknowledgement { by, at: at("12:00"), there: None, at_page: Some(anna.clone()) };
    assert!(at_annas(Acknowledger::Stranger("Somebody".into())).is_of(&anna));
    assert!(!at_annas(Acknowledger::Person("olga".parse().unwrap())).is_of(&anna), "that is olga's own");
    let elsewhere = Acknowledgement { at_page: None, ..at_annas(Acknowledger::Stranger("Somebody".into())) };
    assert!(!elsewhere.is_of(&anna));
    assert!(by("anna", "12:00").is_of(&anna));
}

#[test]
fn the_newest_fifty_are_kept() {
    let mut world = World::new();
    world.now = at("12:00");
    world.alert(&[alert("HighErrorRate", at("12:00"), None)]);
    let mut incident = world.situation.incidents.values().next().unwrap().value.clone();
    for minute in 0..=MOST {
        let at = at("12:01") + jiff::SignedDuration::from_mins(i64::try_from(minute).unwrap());
        let word = Acknowledgement { at, ..by("anna", "12:00") };
        let mut decisions = Decisions::none(&world.service.id, crate::decision::Wake::Now);
        acknowledge(&mut decisions, &mut incident, word, &world.service, &world.settings, at);
        assert_eq!(incident.acknowledged.len(), (minute + 1).min(MOST));
    }
    assert_eq!(incident.acknowledged[0].at, at("12:02"));
}

#[test]
fn a_channel_hears_of_it_where_it_heard_of_the_incident() {
    for said in [0, 1] {
        let mut world = World::new();
        world.service.channel = Some("usama".parse().unwrap());
        world.now = at("12:00");
        world.alert(&[alert("HighErrorRate", at("12:00"), None)]);
        let mut incident = world.situation.incidents.values().next().unwrap().value.clone();
        incident.channel_said = said;
        let mut decisions = Decisions::none(&world.service.id, crate::decision::Wake::Now);
        acknowledge(&mut decisions, &mut incident, by("olga", "12:01"), &world.service, &world.settings, at("12:01"));
        let told = decisions.messages.iter().any(|message| message.key.person.as_str() == "usama");
        assert_eq!(told, said > 0, "{said}");
    }
}

#[test]
fn a_pager_hears_that_its_page_is_taken_where_that_is_open_there_and_of_this_round() {
    use crate::incident::bounds_tests::{failing, page};
    let mut world = World::new();
    world.change_roster(|people| {
        let anna = people.iter_mut().find(|person| person.id.as_str() == "anna").unwrap();
        anna.contacts = vec![crate::Contact { receiver: "pager".into(), address: String::new(), keeps: true }];
    });
    let hears = |round: u32, over: bool| {
        let pages = vec![page("anna", round, over, crate::Mode::Page)];
        let mut incident = Incident { round: 1, pages, ..failing() };
        let mut decisions = Decisions::none(&world.service.id, crate::decision::Wake::Now);
        acknowledge(&mut decisions, &mut incident, by("anna", "12:01"), &world.service, &world.settings, at("12:01"));
        decisions.messages.iter().any(|message| message.key.step == Step::PagerAcknowledged)
    };
    assert!(hears(1, false));
    assert!(!hears(1, true) && !hears(0, false) && !hears(0, true));
}
