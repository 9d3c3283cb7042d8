//! Who hears that it is over, and what becomes of the pages that pagers keep.

use super::*;
use crate::decision::{MOST_ACTIONS, Wake};
use crate::mode::Mode;
use crate::on_alert::next_look;
use crate::roster::Contact;
use crate::testing::{World, alert, at, person};

/// Something fails, and Anna, whose pager keeps what it is told, is paged.
fn failing() -> (World, Incident) {
    let mut world = World::new();
    world.change_roster(|people| {
        people.retain(|person| person.id.as_str() != "anna");
        for n in 0..15 {
            people.push(person(&format!("p{n}"), "P", "UTC"));
        }
        people.push(person("anna", "Anna", "UTC"));
        for person in people.iter_mut().filter(|person| person.id.as_str() != "olga") {
            person.contacts = vec![Contact { receiver: "pager".to_owned(), address: String::new(), keeps: true }];
        }
    });
    world.service.channel = Some("channel".parse().unwrap());
    world.now = at("12:00");
    world.alert(&[alert("HighErrorRate", at("12:00"), None)]);
    let mut incident = world.situation.incidents.values().next().unwrap().value.clone();
    assert_eq!(incident.pages.len(), 1);
    incident.channel_said = 0;
    (world, incident)
}

fn over(world: &World, incident: &mut Incident) -> Vec<String> {
    incident.resolved_at = Some(at("12:30"));
    let mut decisions = Decisions::none(&world.service.id, Wake::Now);
    say_over(&mut decisions, incident, &world.service, &world.settings, at("12:31"));
    assert!(decisions.actions() <= MOST_ACTIONS);
    decisions.messages.iter().map(|m| format!("{} {} {}", m.key.person, m.key.step.word(), m.key.nth)).collect()
}

#[test]
fn whoever_was_paged_or_told_hears_that_it_is_over_once_and_the_channel_if_it_heard_of_it() {
    let (world, mut incident) = failing();
    assert_eq!(over(&world, &mut incident.clone()), ["anna resolved 0", "anna pager-resolved 0"]);
    incident.told = ["anna", "usama"].map(|id| id.parse().unwrap()).into();
    assert_eq!(
        over(&world, &mut incident.clone()),
        ["anna resolved 0", "usama resolved 0", "anna pager-resolved 0"],
        "anna hears it once"
    );
    incident.channel_said = 1;
    assert_eq!(
        over(&world, &mut incident),
        ["anna resolved 0", "channel resolved 0", "usama resolved 0", "anna pager-resolved 0"]
    );
    assert!(incident.pages[0].over);
}

#[test]
fn twelve_pages_are_closed_at_once_and_the_next_look_goes_on_at_once() {
    let (world, mut incident) = failing();
    let first = incident.pages[0].clone();
    incident.pages = (0..14)
        .map(|n| PageRecord { person: format!("p{n}").parse().unwrap(), mode: Mode::Page, ..first.clone() })
        .collect();
    incident.round = 1;
    let looks =
        |incident: &Incident| next_look(incident, &world.situation, &world.service, &world.settings, at("12:00"));
    assert_eq!(looks(&incident), Some(at("12:00")));
    let closed = |incident: &mut Incident| {
        let mut decisions = Decisions::none(&world.service.id, Wake::Now);
        close_pages(&mut decisions, incident, &world.service, &world.settings, at("12:00"));
        (decisions.messages.len(), leaves_pages_open(incident, &world.settings))
    };
    assert_eq!(closed(&mut incident), (12, true));
    assert_eq!(closed(&mut incident), (2, false));
    assert_eq!(closed(&mut incident), (0, false));
    // What no pager keeps need not be closed.
    incident.pages = vec![PageRecord { person: "olga".parse().unwrap(), ..first }];
    assert_eq!(closed(&mut incident), (0, false));
}
