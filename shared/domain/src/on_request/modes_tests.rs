//! People say how far a service goes by itself.

use super::*;
use crate::testing::{World, person};

fn set(world: &mut World, by: &str, to: Mode, why: &str) -> Result<Mode, Refused> {
    let World { situation, service, settings, now, .. } = &*world;
    let desk = Desk { situation, service, settings, now: *now };
    let decisions = desk.set_mode(&by.parse().unwrap(), to, why)?;
    world.commit(&decisions);
    Ok(world.situation.mode(&world.service))
}

#[test]
fn anybody_lowers_it_the_owner_and_the_rotation_raise_it_and_nobody_above_the_configuration() {
    let mut world = World::new();
    world.change_roster(|people| {
        let mut carol = person("carol", "Carol", "UTC");
        carol.champions = vec!["anna".parse().unwrap()];
        people.push(carol);
    });
    assert_eq!(set(&mut world, "carol", Mode::Shadow, ""), Err(Refused::ByOutside));
    assert_eq!(set(&mut world, "stranger", Mode::Shadow, ""), Err(Refused::ByOutside));
    assert_eq!(set(&mut world, "usama", Mode::Act, ""), Err(Refused::AboveConfiguration(Mode::Page)));
    assert_eq!(set(&mut world, "usama", Mode::Page, ""), Err(Refused::AlreadySo));
    assert_eq!(set(&mut world, "usama", Mode::Shadow, "too many\nwrong pages"), Ok(Mode::Shadow));
    assert_eq!(world.log[0].what, "Usama says: edxapp is in mode shadow");
    assert_eq!(world.log[0].reason.to_string(), "mode shadow: too many wrong pages");
    assert_eq!(set(&mut world, "usama", Mode::Notify, ""), Err(Refused::OwnersRaise));
    assert_eq!(set(&mut world, "anna", Mode::Notify, ""), Ok(Mode::Notify));
    assert_eq!(set(&mut world, "olga", Mode::Page, ""), Ok(Mode::Page));
    assert_eq!(world.situation.ceiling.value.lowered, None);
    assert_eq!(world.situation.ceiling.value.counts_from, Some(world.now));
}

#[test]
fn who_raises_it_has_looked_at_the_wrong_pages_of_before_and_who_lowers_it_has_not() {
    let mut world = World::new();
    let counts_from = |world: &World| world.situation.ceiling.value.counts_from;
    set(&mut world, "usama", Mode::Shadow, "").unwrap();
    assert_eq!(counts_from(&world), None);
    world.now += jiff::SignedDuration::from_hours(1);
    set(&mut world, "anna", Mode::Notify, "").unwrap();
    let raised = Some(world.now);
    assert_eq!(counts_from(&world), raised);
    world.now += jiff::SignedDuration::from_hours(1);
    set(&mut world, "usama", Mode::Shadow, "").unwrap();
    assert_eq!(counts_from(&world), raised, "it stays");
}
