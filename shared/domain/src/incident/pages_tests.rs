//! Which pages speak for two incidents.

use crate::testing::{World, alert, at};
use crate::{Incident, PersonId};

/// Two incidents, the first of which has a page to the rotation.
fn two() -> (Incident, Incident, PersonId) {
    let mut world = World::new();
    world.now = at("12:00");
    world.alert(&[alert("HighErrorRate", at("12:00"), None)]);
    let one = world.situation.incidents.values().next().unwrap().value.clone();
    let other = Incident { id: crate::IncidentId::of(&world.service.id, "other"), pages: vec![], ..one.clone() };
    let person = one.pages[0].person.clone();
    (one, other, person)
}

#[test]
fn a_page_that_names_another_incident_speaks_for_both_from_either_side() {
    let (mut one, other, person) = two();
    let olga: PersonId = "olga".parse().unwrap();
    assert!(!one.is_named_with(&other, &person) && !one.was_named_with(&other, &person));
    one.pages[0].joined = Some(other.id.clone());
    assert!(one.is_named_with(&other, &person) && other.is_named_with(&one, &person));
    assert!(one.was_named_with(&other, &person) && other.was_named_with(&one, &person));
    assert!(!one.is_named_with(&other, &olga) && !one.was_named_with(&other, &olga), "it is somebody else's page");
    let third = Incident { id: crate::IncidentId::of(&one.service, "third"), ..other };
    assert!(!one.is_named_with(&third, &person) && !one.was_named_with(&third, &person));
}

#[test]
fn a_page_of_an_earlier_round_did_speak_for_both_and_does_no_more() {
    let (mut one, other, person) = two();
    one.pages[0].joined = Some(other.id.clone());
    one.round += 1;
    assert!(!one.is_named_with(&other, &person));
    assert!(one.was_named_with(&other, &person));
}
