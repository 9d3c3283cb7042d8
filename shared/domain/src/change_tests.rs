//! Whose word on a merge gives way, and how two lists of files become one.

use super::*;

#[test]
fn who_is_credited_for_a_bots_merge_gives_way_and_whoever_merged_does_not() {
    let gives_way = [Credit::AuthorOfBotMerge, Credit::Approved, Credit::QueueTried];
    assert!(gives_way.iter().all(|credit| credit.gives_way()));
    assert!([Credit::Enqueued, Credit::Pushed, Credit::Merged].iter().all(|credit| !credit.gives_way()));
}

#[test]
fn of_two_lists_nothing_is_lost_that_one_of_them_knew() {
    let asked = Asked::Unanswered { tries: 2, last: Timestamp::UNIX_EPOCH };
    let first = Files { asked, ..Files::of(["a.py"]) };
    let other = Files::of(["b.py"]);
    let both = first.and(&other);
    assert_eq!(both.paths, ["a.py".to_owned(), "b.py".to_owned()].into());
    assert_eq!((both.cut, both.asked), (false, asked), "what came of asking stays");
    for (one, two) in [(true, false), (false, true)] {
        let both = Files { cut: one, ..first.clone() }.and(&Files { cut: two, ..other.clone() });
        assert!(both.cut, "{one} {two}");
    }
    let many: Vec<String> = (0..Files::MOST).map(|n| format!("{n:03}.py")).collect();
    let full = Files::of(many.iter().map(String::as_str));
    assert!(!full.cut && full.and(&first).cut);
}
