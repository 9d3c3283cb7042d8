//! What came of asking who takes the pager, and until when a deployment waits for them.

use jiff::tz::TimeZone;

use super::*;
use crate::Person;
use crate::calendar::{Timetable, WorkingHours};
use crate::testing::{at, change, service, settings};
use crate::window::WindowNotes;

fn id(who: &str) -> PersonId {
    who.parse().unwrap()
}

fn notes(asked: &[&str], answers: &[(&str, bool, &str)], unattended: Option<&str>) -> WindowNotes {
    WindowNotes {
        asked: asked.iter().map(|who| Asked { person: id(who), at: at("12:00") }).collect(),
        answers: answers.iter().map(|(who, takes, when)| (id(who), Answer { takes: *takes, at: at(when) })).collect(),
        unattended_at: unattended.map(at),
        ..WindowNotes::default()
    }
}

#[test]
fn what_came_of_asking_follows_from_the_answers() {
    let policy = service().policy;
    let of = |notes: WindowNotes| attendance(&notes, &policy);
    let both = ["anna", "olga"];
    assert_eq!(of(notes(&[], &[], None)), Attendance::NotAsked);
    let until = at("12:00") + policy.answer_within;
    assert_eq!(of(notes(&both, &[], None)), Attendance::Asking { person: id("olga"), until });
    let unattended = Attendance::Unattended { at: at("12:30") };
    assert_eq!(of(notes(&both, &[], Some("12:30"))), unattended);
    assert_eq!(of(notes(&[], &[], Some("12:30"))), unattended, "nobody could be asked");
    assert_eq!(of(notes(&both, &[("anna", false, "12:05")], Some("12:30"))), unattended);
    let refused = [("anna", false, "12:05"), ("olga", false, "12:06")];
    assert_eq!(of(notes(&both, &refused, Some("12:30"))), Attendance::Declined { at: at("12:30") });
    let taken = [("anna", true, "12:07"), ("olga", true, "12:06"), ("usama", false, "12:05")];
    assert_eq!(of(notes(&both, &taken, None)), Attendance::Taken { person: id("olga"), at: at("12:06") });
}

/// Anna and the service work from nine to five in UTC.
fn at_work() -> (Service, Roster) {
    let nine_to_five = Some((jiff::civil::time(9, 0, 0, 0), jiff::civil::time(17, 0, 0, 0)));
    let hours = WorkingHours { zone: TimeZone::UTC, week: [nine_to_five; 7] };
    let mut service = service();
    service.policy.off_hours = OffHours::Hold;
    service.timetable.hours = Some(hours.clone());
    let mut people: Vec<Person> = settings().roster.people().cloned().collect();
    let early = Some((jiff::civil::time(7, 0, 0, 0), jiff::civil::time(15, 0, 0, 0)));
    let anna = people.iter_mut().find(|person| person.id.as_str() == "anna").unwrap();
    anna.timetable = Timetable { hours: Some(WorkingHours { week: [early; 7], ..hours }), ..anna.timetable.clone() };
    (service, Roster::new(people))
}

#[test]
fn a_deployment_waits_until_somebody_who_answers_is_at_work() {
    let (service, roster) = at_work();
    let why = service.timetable.kind_at(at("20:00"));
    let held = |who: &[&str], notes: Option<&WindowNotes>, service: &Service, now: &str| {
        let asking = Asking { why: why.clone(), candidates: who.iter().map(|who| id(who)).collect() };
        held_until(&asking, notes, service, &roster, at(now))
    };
    assert_eq!(held(&["anna"], None, &service, "20:00"), Some(at("Sat 07:00")));
    assert_eq!(held(&["anna", "olga"], None, &service, "20:00"), Some(at("Sat 07:00")));
    assert_eq!(held(&["olga"], None, &service, "20:00"), Some(at("Sat 09:00")), "by the service's hours");
    assert_eq!(held(&[], None, &service, "20:00"), Some(at("Sat 09:00")));
    assert_eq!(held(&["anna"], None, &service, "Sat 07:00"), None);
    let open = notes(&["anna"], &[], None);
    assert_eq!(held(&["anna"], Some(&open), &service, "20:00"), Some(at("Sat 07:00")));
    let taken = notes(&["anna"], &[("anna", true, "19:00")], None);
    assert_eq!(held(&["anna"], Some(&taken), &service, "20:00"), None);
    let mut asks = service.clone();
    asks.policy.off_hours = OffHours::Ask;
    assert_eq!(held(&["anna"], None, &asks, "20:00"), None);
}

#[test]
fn nobody_is_asked_where_policy_allows_it_or_people_decide_themselves() {
    let (mut service, roster) = at_work();
    let asked = |service: &Service| asking(&change(12, "anna", at("20:00")), service, &roster).is_some();
    assert!(asked(&service));
    service.mode = crate::Mode::Manual;
    assert!(!asked(&service));
    service.mode = crate::Mode::Page;
    service.policy.off_hours = OffHours::Allow;
    assert!(!asked(&service));
}

#[test]
fn who_took_the_pager_holds_it_because_they_merged_it_or_because_they_took_it() {
    let holder = |who: &str| {
        let mut world = crate::testing::World::new();
        let merged = change(12, "feanil", at("12:00"));
        let id = merged.id.clone();
        world.merge(merged);
        world.situation.note(crate::Record::Notes(id, notes(&["feanil", who], &[(who, true, "12:05")], None)), 1);
        let all = crate::window::windows(&world.situation, &world.service, &world.settings.roster, world.now);
        (all[0].holder.person.to_string(), all[0].holder.because.clone())
    };
    assert_eq!(holder("feanil"), ("feanil".to_owned(), crate::Because::Merged));
    assert_eq!(holder("anna"), ("anna".to_owned(), crate::Because::Took));
}

#[test]
fn nobody_is_asked_about_a_fix_that_passed_a_freeze_nor_while_people_decide_themselves_for_now() {
    let (service, roster) = at_work();
    let merged = change(12, "anna", at("20:00"));
    let mut situation = crate::Situation::empty(service.id.clone());
    let asked = |situation: &crate::Situation| situation.asking(&merged, &service, &roster).is_some();
    assert!(asked(&situation));
    let why = crate::mode::Why::WrongPages { pages: 4 };
    situation.ceiling.value.lowered = Some(crate::mode::Lowered { to: crate::Mode::Manual, at: at("12:00"), why });
    assert!(!asked(&situation));
    situation.ceiling = crate::Noted::default();
    situation.posted.value.expedites = vec![crate::expedite::Granted {
        repository: crate::testing::repository(),
        number: 12,
        by: id("anna"),
        at: at("19:00"),
        until: at("Sat 19:00"),
        head: None,
        reason: "checkout fails".to_owned(),
        signed: vec![],
    }];
    assert!(!asked(&situation), "whoever asked for it has the pager");
}
