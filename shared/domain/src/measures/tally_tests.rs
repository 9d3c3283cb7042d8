//! What a roll-up counts, and that it is bounded.

use super::*;
use crate::testing::at;

fn ended() -> Ended {
    Ended {
        at: at("15:00"),
        detect: 60,
        acknowledge: None,
        mitigate: None,
        resolve: 600,
        place: None,
        none_of_ours: false,
        pages: 0,
        off_hours: 0,
        rotation: false,
        people: vec![],
    }
}

fn tally(facts: impl IntoIterator<Item = Ended>) -> Tally {
    let mut tally = Tally::default();
    facts.into_iter().for_each(|fact| tally.learn(&Fact::Incident(Box::new(fact))));
    tally
}

#[test]
fn an_incident_of_which_nobody_was_paged_spares_nobody() {
    let counted = |pages, rotation| {
        let tally = tally([Ended { pages, rotation, off_hours: pages / 2, ..ended() }]);
        (tally.incidents, tally.paged, tally.spared, tally.pages, tally.off_hours)
    };
    assert_eq!(counted(0, false), (1, 0, 0, 0, 0));
    assert_eq!(counted(1, false), (1, 1, 1, 1, 0));
    assert_eq!(counted(2, true), (1, 1, 0, 2, 1));
}

#[test]
fn what_was_judged_is_counted_by_its_place() {
    let places = [Some(Some(1)), Some(Some(2)), Some(Some(3)), Some(Some(4)), Some(Some(5)), Some(Some(6)), Some(None)];
    let tally = tally(places.into_iter().chain([None]).map(|place| Ended { place, ..ended() }));
    assert_eq!((tally.incidents, tally.judged, tally.first, tally.three, tally.five), (8, 7, 1, 3, 5));
    let none = super::tests::tally((0..3).map(|n| Ended { none_of_ours: n > 0, ..ended() }));
    assert_eq!((none.judged, none.none_of_ours), (0, 2));
}

#[test]
fn more_people_than_are_told_apart_are_counted_as_if_of_one() {
    let of = |n: usize, wrong| OfPerson { mark: format!("p{n}"), wrong };
    let all = (0..MOST_PEOPLE + 2).map(|n| Ended { people: vec![of(n, 1)], ..ended() });
    let tally = tally(all.chain([Ended { people: vec![of(3, 1), of(MOST_PEOPLE + 9, 5)], ..ended() }]));
    assert_eq!(tally.people.len(), MOST_PEOPLE + 1);
    assert_eq!((tally.people["p499"], tally.people["p3"], tally.people[""]), (1, 2, 7));
}

#[test]
fn more_environments_than_are_told_apart_are_left_out() {
    let mut tally = Tally::default();
    let stalled = |n: usize| Fact::Stalled { at: at("15:00"), environment: format!("e{n}").parse().unwrap() };
    (0..MOST_ENVIRONMENTS + 1).for_each(|n| tally.learn(&stalled(n)));
    tally.learn(&stalled(7));
    assert_eq!(tally.stalled.len(), MOST_ENVIRONMENTS);
    let times = |name: &str| tally.stalled.get(&name.parse::<EnvironmentName>().unwrap()).copied();
    assert_eq!((times("e7"), times("e19"), times("e20")), (Some(2), Some(1), None));
}
