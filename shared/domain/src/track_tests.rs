//! What is learnt of a service, once, when it leaves the working set.

use expect_test::expect;

use crate::DeploymentState::Succeeded;
use crate::change::Files;
use crate::on_request::hands::{Desk, Refused};
use crate::rank::Touches;
use crate::testing::{World, alert, at, change, deployment};
use crate::{Change, Reason, Record};

fn in_cart(number: u64, when: &str) -> Change {
    Change { files: Some(Files::of(["shop/cart.py"])), ..change(number, "usama", at(when)) }
}

/// Usama's change is live since 15:40, breaks something at 15:50, and is reverted at 16:00.
fn reverted() -> World {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(in_cart(12, "15:00"));
    world.deploy(&deployment(1, 12, "prod", Succeeded, at("15:40")));
    world.until(at("15:50"));
    world.alert(&[alert("Down", at("15:50"), None)]);
    world.until(at("15:55"));
    let mut revert = Change { files: Some(Files::of(["shop/cart.py"])), ..change(13, "feanil", at("15:55")) };
    revert.reverts = crate::revert::read("Revert \"change number 12\"", "Reverts #12", &revert.id.repository);
    world.merge(revert);
    world.deploy(&deployment(2, 13, "prod", Succeeded, at("16:00")));
    world.until(at("16:10"));
    world.alert(&[alert("Down", at("15:50"), Some(at("16:05")))]);
    world.until(at("16:11"));
    world
}

#[test]
fn a_change_is_counted_when_it_leaves_and_its_incident_when_that_does() {
    let mut world = reverted();
    assert_eq!(world.situation.track.value.past.counted(), (0, 0), "it is in the working set still");
    world.until(at("Tue 12:00"));
    assert!(world.is_empty() && world.situation.incidents.is_empty());
    let past = &world.situation.track.value.past;
    // The revert is no change, and what it took back is counted once.
    assert_eq!((past.counted(), past.judged()), ((1, 1), (1, 0)));
    let words = world.situation.track.value.words().unwrap();
    expect!["Ranked by 1 earlier change of this service too, 1 of them taken back, and by 1 judged incident, 0 of which no suspect; what breaks it is newer than elsewhere."]
        .assert_eq(&words);
}

#[test]
fn what_is_in_the_working_set_counts_as_what_has_left_it_does() {
    let mut world = reverted();
    let later = in_cart(14, "17:00");
    world.until(at("17:00"));
    // Enough is known of the service.
    let mut track = world.situation.track.value.clone();
    let touches = Touches { author: "anna", title: "Help", paths: &["help/page.html"] };
    (0..20).for_each(|_| track.past.landed(touches, false));
    let rev = world.situation.track.rev;
    world.situation.note(Record::Track(track), rev);
    world.merge(later.clone());
    let of = |world: &World| {
        let here = world.situation.changes.values().map(|known| &known.value);
        world.situation.track.value.traits(&world.situation, here, [&later.id])[0]
    };
    let before = of(&world);
    assert!(before.directory.unwrap() > 0.0 && before.familiarity == Some(1.0));
    world.until(at("Tue 12:00"));
    assert_eq!(world.situation.changes.len(), 1, "it waits in the queue");
    assert_eq!(of(&world), before);
}

#[test]
fn a_revert_of_what_left_long_ago_is_counted_on_its_own_files() {
    let mut world = World::new();
    world.now = at("15:00");
    let mut revert = Change { files: Some(Files::of(["shop/cart.py"])), ..change(13, "feanil", at("15:00")) };
    revert.reverts = crate::revert::read("Revert \"Old things\"", "", &revert.id.repository);
    world.merge(revert);
    world.deploy(&deployment(1, 13, "prod", Succeeded, at("15:40")));
    world.until(at("Tue 12:00"));
    assert_eq!(world.situation.track.value.past.counted(), (0, 1));
    assert!(world.situation.track.value.past.has_taken_back("Old things"));
}

#[test]
fn it_is_forgotten_where_somebody_wishes() {
    let mut world = reverted();
    world.until(at("Tue 12:00"));
    let olga = "olga".parse().unwrap();
    let forget = |world: &World| {
        let (situation, service, settings, now) = (&world.situation, &world.service, &world.settings, world.now);
        Desk { situation, service, settings, now }.unlearn(&olga)
    };
    let decisions = forget(&world).unwrap();
    assert_eq!(decisions.entries[0].reason, Reason::Unlearnt);
    world.commit(&decisions);
    assert_eq!(world.situation.track.value.words(), None);
    assert_eq!(world.situation.track.value.reset_at, Some(world.now));
    assert_eq!(forget(&world), Err(Refused::AlreadySo));
}

#[test]
fn what_was_learnt_is_said_once_anything_was_and_its_pace_where_it_is_another_than_elsewhere() {
    let words = |changes: usize, hours: &[i64], others: usize| {
        let mut track = crate::track::Track::default();
        let touches = Touches { author: "anna", title: "Help", paths: &["help/page.html"] };
        (0..changes).for_each(|_| track.past.landed(touches, false));
        hours.iter().for_each(|hours| track.past.caused(jiff::SignedDuration::from_hours(*hours)));
        (0..others).for_each(|_| track.past.caused_by_none());
        track.words()
    };
    assert_eq!(words(0, &[], 0), None);
    let all = [words(1, &[], 0), words(0, &[], 2), words(2, &[4], 1), words(2, &[100], 1), words(2, &[0], 0)];
    expect![[r#"
        Ranked by 1 earlier change of this service too, 0 of them taken back, and by 0 judged incidents, 0 of which no suspect.
        Ranked by 0 earlier changes of this service too, 0 of them taken back, and by 2 judged incidents, 2 of which no suspect.
        Ranked by 2 earlier changes of this service too, 0 of them taken back, and by 2 judged incidents, 1 of which no suspect.
        Ranked by 2 earlier changes of this service too, 0 of them taken back, and by 2 judged incidents, 1 of which no suspect; what breaks it is older than elsewhere.
        Ranked by 2 earlier changes of this service too, 0 of them taken back, and by 1 judged incident, 0 of which no suspect; what breaks it is newer than elsewhere."#]].assert_eq(&all.map(Option::unwrap).join("\n"));
}

#[test]
fn what_lands_again_took_nothing_back_and_neither_did_a_revert_that_was_reverted() {
    let taken_back = |title: &str, reverted: bool| {
        let revert = Change {
            reverts: crate::revert::read(title, "", &crate::testing::repository()),
            title: title.to_owned(),
            ..in_cart(13, "15:00")
        };
        assert!(revert.reverts.is_some());
        let mut track = crate::track::Track::default();
        track.leaves(&World::new().situation, &revert, reverted);
        track.past.has_taken_back("Old things")
    };
    assert!(taken_back("Revert \"Old things\"", false));
    assert!(!taken_back("Revert \"Old things\"", true));
    assert!(!taken_back("Reapply \"Old things\"", false));
}

#[test]
fn an_incident_teaches_how_old_the_change_was_which_somebody_named_and_a_guess_teaches_nothing() {
    use crate::incident::bounds_tests::{failing, suspect};
    use crate::outcome::{Judge, Verdict};
    let of = |number: u64, live: &str| crate::Suspect { live_since: at(live), ..suspect(number, "feanil") };
    let learnt = |by: Judge, number: Option<u64>| {
        let change = number.map(|number| change(number, "feanil", at("11:00")).id);
        let verdict = Some(Verdict { change, label: String::new(), by, at: at("13:00") });
        let incident = crate::Incident { verdict, suspects: vec![of(1, "09:00"), of(2, "11:00")], ..failing() };
        let mut track = crate::track::Track::default();
        track.closes(&incident);
        track.past
    };
    let caused = |hours: i64| {
        let mut past = crate::rank::Past::default();
        past.caused(jiff::SignedDuration::from_hours(hours));
        past
    };
    let anna = || Judge::Person("anna".parse().unwrap());
    assert_eq!((learnt(anna(), Some(1)), learnt(anna(), Some(2))), (caused(3), caused(1)));
    assert_eq!(learnt(anna(), None).judged(), (0, 1));
    let guess = || Judge::Guess("usama".parse().unwrap());
    assert_eq!([learnt(guess(), Some(1)), learnt(guess(), None)].map(|past| past.judged()), [(0, 0), (0, 0)]);
}
