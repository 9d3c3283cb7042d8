//! Which change takes back which, where several say so.

use super::*;
use crate::testing::{at, change, commit};

fn reverting(number: u64, of: Claim, merged: &str) -> Change {
    Change { reverts: Some(Reverts { of: vec![of], lands_again: false }), ..change(number, "usama", at(merged)) }
}

fn by(changes: &[&Change]) -> Vec<String> {
    reverts(changes).iter().map(|(id, by)| format!("{} by {}", id.commit.short(), by.label())).collect()
}

#[test]
fn what_is_taken_back_twice_was_so_by_whoever_merged_first_in_any_order() {
    let taken = change(0x12, "feanil", at("12:00"));
    let first = reverting(21, Claim::Number(0x12), "13:00");
    let second = reverting(20, Claim::Number(0x12), "13:01");
    let want = [format!("{} by edx-platform#21", commit(0x12).short())];
    assert_eq!(by(&[&taken, &first, &second]), want);
    assert_eq!(by(&[&second, &first, &taken]), want);
}

#[test]
fn a_change_means_neither_itself_nor_one_of_another_repository() {
    let own = reverting(12, Claim::Number(12), "13:00");
    let mut other = change(13, "feanil", at("12:00"));
    other.id.repository = "openedx/other".parse().unwrap();
    let of_other = reverting(14, Claim::Number(13), "13:00");
    assert!(by(&[&own]).is_empty());
    assert!(by(&[&other, &of_other]).is_empty());
}

#[test]
fn a_title_means_what_was_merged_before_with_or_without_the_number_of_a_squash() {
    let of = |title: &str, squashed: &str, merged: &str| {
        let taken = Change { title: squashed.to_owned(), ..change(18, "feanil", at(merged)) };
        let by_title = reverting(21, Claim::Title(title.to_owned()), "13:00");
        !by(&[&taken, &by_title]).is_empty()
    };
    assert!(of("Fix the cart", "Fix the cart", "12:00"));
    assert!(of("Fix the cart", "Fix the cart (#18)", "12:00"));
    assert!(of("Fix the cart (#18)", "Fix the cart", "12:00"));
    assert!(!of("Fix the cart", "Fix the cart (#draft)", "12:00"), "that is no number");
    assert!(!of("Fix the cart", "Fix the card", "12:00"));
    assert!(!of("Fix the cart", "Fix the cart", "13:01"), "it came later");
}
