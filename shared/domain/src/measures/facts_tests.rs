//! What is counted of an incident that is over.

use super::*;
use crate::calendar::{Timetable, WorkingHours};
use crate::incident::PageRecord;
use crate::outcome::{Judge, Verdict};
use crate::reason::Reason;
use crate::testing::{World, alert, at};

/// An incident from 15:00 until 15:30, of which anna was paged; she works from nine to five in Stockholm, until 16:00 in UTC.
fn world() -> (World, Incident) {
    let mut world = World::new();
    world.change_roster(|people| {
        let anna = people.iter_mut().find(|person| person.id.as_str() == "anna").unwrap();
        let day = Some((jiff::civil::time(9, 0, 0, 0), jiff::civil::time(17, 0, 0, 0)));
        let hours = WorkingHours { zone: anna.zone.clone(), week: [day; 7] };
        anna.timetable = Timetable { hours: Some(hours), ..anna.timetable.clone() };
    });
    world.until(at("15:02")).alert(&[alert("HighErrorRate", at("15:00"), None)]);
    world.until(at("15:30")).alert(&[alert("HighErrorRate", at("15:00"), Some(at("15:30")))]);
    world.settle();
    let mut incident = world.situation.incidents.values().next().unwrap().value.clone();
    incident.pages.clear();
    (world, incident)
}

fn ended(world: &World, incident: &Incident) -> Option<Ended> {
    let fact = of_incident(incident, &world.service, &world.settings.roster)?;
    let Fact::Incident(ended) = fact else { panic!("{fact:?}") };
    Some(*ended)
}

fn page(who: &str, step: Step, when: &str, again: u32, again_at: Option<&str>) -> PageRecord {
    PageRecord {
        person: who.parse().unwrap(),
        step,
        at: at(when),
        reason: Reason::Unattended,
        round: 0,
        joined: None,
        again,
        again_at: again_at.map(at),
        released_at: None,
        over: false,
        mode: crate::Mode::Page,
    }
}

#[test]
fn each_repetition_of_a_page_counts_and_those_outside_working_hours_by_the_first_and_the_last() {
    let (world, mut incident) = world();
    let mut counted = |pages: Vec<PageRecord>| {
        incident.pages = pages;
        let ended = ended(&world, &incident).unwrap();
        (ended.pages, ended.off_hours, ended.rotation, ended.people.len())
    };
    assert_eq!(counted(vec![]), (0, 0, false, 0));
    assert_eq!(counted(vec![page("anna", Step::Rotation, "15:59", 0, None)]), (1, 0, true, 0));
    assert_eq!(counted(vec![page("anna", Step::Rotation, "16:00", 0, None)]), (1, 1, true, 0));
    assert_eq!(counted(vec![page("anna", Step::FirstResponder, "15:59", 3, Some("16:05"))]), (4, 3, false, 1));
    assert_eq!(counted(vec![page("anna", Step::FirstResponder, "16:01", 3, Some("16:05"))]), (4, 4, false, 1));
    assert_eq!(counted(vec![page("anna", Step::FirstResponder, "15:40", 2, Some("15:50"))]), (3, 0, false, 1));
    // Olga is at work around the clock; who was not paged for this one is left out.
    let joined =
        PageRecord { joined: Some("other-qaqn6jef".parse().unwrap()), ..page("olga", Step::Owner, "16:10", 9, None) };
    let two = vec![page("olga", Step::Owner, "16:10", 1, Some("16:15")), joined];
    assert_eq!(counted(two), (2, 0, true, 0));
}

#[test]
fn how_long_it_took_is_counted_from_its_beginning_and_what_nobody_judged_is_not() {
    let (world, mut incident) = world();
    let one = ended(&world, &incident).unwrap();
    assert_eq!((one.at, one.detect, one.resolve), (at("15:02"), 120, 1800));
    assert_eq!((one.acknowledge, one.mitigate, one.place, one.none_of_ours), (None, None, None, false));
    let judged = |by| Some(Verdict { by, at: at("15:20"), change: None, label: String::new() });
    incident.verdict = judged(Judge::Person("anna".parse().unwrap()));
    assert!(ended(&world, &incident).unwrap().none_of_ours, "somebody says that it was none of ours");
    incident.verdict = judged(Judge::Guess("anna".parse().unwrap()));
    assert!(!ended(&world, &incident).unwrap().none_of_ours, "a guess is no judgement");
    incident.resolved_at = None;
    assert_eq!(ended(&world, &incident), None, "it is not over");
}

#[test]
fn what_no_user_sees_is_not_counted_but_what_belongs_to_no_service_is() {
    let (mut world, mut incident) = world();
    assert!(ended(&world, &incident).is_some());
    incident.environment = "stage".parse().unwrap();
    assert_eq!(ended(&world, &incident), None);
    world.change_service(|service| service.repositories.clear());
    assert!(ended(&world, &incident).is_some(), "it has an environment of its own each time");
}
