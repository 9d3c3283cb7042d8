//! What the weights add, and what it scores that it is none of the suspects.

use super::super::probability::{likelihoods, shares};
use super::*;

fn weight(weight: f64, typical: f64) -> Weight {
    Weight { weight, typical }
}

#[test]
fn without_weights_all_are_equally_suspicious_and_it_is_one_of_them() {
    let flat = Table::flat();
    let of_three = likelihoods(&[0, 0, 0], flat.none_of(&Past::default()));
    assert!(of_three.iter().all(|likely| (likely - 1.0 / 3.0).abs() < 1e-9), "{of_three:?}");
    assert_eq!(flat.none_of(&Past::default()), -100_000);
}

#[test]
fn the_pace_of_a_service_adds_to_what_age_did() {
    let table = Table::flat().with(Feature::Age, weight(-0.5, 1.0)).with(Feature::Pace, weight(0.3, 0.0));
    assert_eq!((table.points(Feature::Age, 3.0), table.pace_points(3.0, 0.4)), (-1000, 120));
    assert_eq!(table.pace_points(3.0, -0.4), -120);
    // Rounded together: 0.4 and 0.3 thousandths are one.
    let small = Table::flat().with(Feature::Age, weight(0.001, 0.0)).with(Feature::Pace, weight(0.001, 0.0));
    assert_eq!((small.points(Feature::Age, 0.4), small.points(Feature::Pace, 0.3)), (0, 0));
    assert_eq!(small.pace_points(0.4, 0.3), 1);
}

#[test]
fn the_oftener_it_was_none_of_the_suspects_the_more_that_scores() {
    let table = Table { none: -1.0, ..Table::flat() };
    let mut past = Past::default();
    assert_eq!(table.none_of(&past), -1000);
    // Eight of ten elsewhere and none of ten here are taken to be a half: the odds are 4 to 1, and 1 to 1.
    (0..10).for_each(|_| past.caused_by_none());
    assert_eq!(table.none_of(&past), 386);
    let mut past = Past::default();
    // (10 + 8) of 20: the odds are 9 to 1.
    (0..10).for_each(|_| past.caused(jiff::SignedDuration::from_hours(1)));
    assert_eq!(table.none_of(&past), -1811);
}

#[test]
fn shares_are_of_differences_however_large_the_scores() {
    assert_eq!(shares(&[1_000_000, 1_000_000]), [0.5, 0.5]);
    assert_eq!(shares(&[-1_000_000, -1_000_000]), [0.5, 0.5]);
    let far = shares(&[1_000_000, 1_000_693]);
    assert!((far[0] - 1.0 / 3.0).abs() < 1e-4 && (far[1] - 2.0 / 3.0).abs() < 1e-4, "{far:?}");
}
