//! Who answers where somebody is away.

use std::sync::Arc;

use super::*;
use crate::calendar::{Calendar, Occasion, Span};
use crate::testing::{at, change, person, service, settings};

fn ids<const N: usize>(all: [&str; N]) -> Vec<PersonId> {
    all.map(|id| id.parse().unwrap()).into()
}

/// Anna and Olga have a day off on Friday; both are champions of Carol, and so is Usama.
fn friday() -> (Person, Roster) {
    let span = Span::Times { from: at("00:00"), until: at("Sat 00:00") };
    let off = Calendar::new([Occasion { name: "off".to_owned(), kind: OccasionKind::DayOff, span }]);
    let off = Arc::new(off);
    let mut people: Vec<Person> = settings().roster.people().cloned().collect();
    for person in people.iter_mut().filter(|person| ["anna", "olga"].contains(&person.id.as_str())) {
        person.timetable.calendars.push(Arc::clone(&off));
    }
    let carol = Person { champions: ids(["anna", "olga", "usama"]), ..person("carol", "Carol", "UTC") };
    people.push(carol.clone());
    (carol, Roster::new(people))
}

#[test]
fn who_is_away_is_no_champion_no_deputy_and_no_owner_while_somebody_else_is_there() {
    let (carol, roster) = friday();
    let champions = |when: &str| champions(&carol, &roster, at(when)).into_iter().cloned().collect::<Vec<_>>();
    assert_eq!(champions("12:00"), ids(["usama"]));
    assert_eq!(champions("Sat 12:00"), ids(["anna", "olga", "usama"]));
    let service = Service { owners: ids(["olga", "feanil"]), ..service() };
    let answers = |merger: &str, when: &str| {
        by_policy(&change(12, merger, at(when)), &service, &roster, at(when)).unwrap().person.to_string()
    };
    assert_eq!((answers("carol", "12:00"), answers("carol", "Sat 12:00")), ("usama".into(), "anna".into()));
    assert_eq!(answers("anna", "12:00"), "feanil", "an owner stands in who is there");
    assert_eq!((answers("stranger", "12:00"), answers("stranger", "Sat 12:00")), ("feanil".into(), "olga".into()));
}
