//! The words for how a change was taken back.

use super::TakenBack;

#[test]
fn how_it_was_taken_back_has_words() {
    assert_eq!([TakenBack::Reverted, TakenBack::RolledBack].map(TakenBack::word), ["reverted", "rolled back"]);
}
