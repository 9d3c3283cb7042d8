//! How long what a pager said counts, and how soon one that fails is tried again.

use super::*;
use crate::testing::at;

#[test]
fn a_pager_that_fails_is_tried_each_minute_for_ten_and_then_each_ten() {
    let tried = |last: &str| {
        let unread = Unread { since: at("12:00"), last: at(last), why: String::new() };
        unread.try_again_at()
    };
    assert_eq!((tried("12:00"), tried("12:09")), (at("12:01"), at("12:10")));
    assert_eq!((tried("12:10"), tried("13:00")), (at("12:20"), at("13:10")));
}

#[test]
fn what_a_pager_said_counts_for_a_day() {
    let on_call = Some(OnCall { people: vec![], read_at: at("12:00"), until: None, unread: None });
    let paging = Paging { on_call, ..Paging::default() };
    assert!(paging.said(at("Sat 11:59")).is_some());
    assert!(paging.said(at("Sat 12:00")).is_none());
}
