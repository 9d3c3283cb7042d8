//! What a queue remembers: its pauses, and how long changes take.

use super::*;
use crate::testing::{at, change, service};

fn pause(from: &str, until: Option<&str>) -> Pause {
    Pause { from: at(from), until: until.map(at), by: "anna".parse().unwrap(), why: String::new() }
}

#[test]
fn resuming_ends_the_pause_that_is_on_and_no_other() {
    for (from, until, now, was_on, ends) in [
        ("12:00", None, "12:30", true, Some("12:30")),
        ("12:00", Some("13:00"), "12:30", true, Some("12:30")),
        ("12:00", None, "12:00", true, Some("12:00")),
        ("12:00", Some("13:00"), "13:00", false, Some("13:00")),
        ("12:00", Some("13:00"), "13:30", false, Some("13:00")),
        ("12:00", None, "11:30", false, None),
    ] {
        let mut queue = Queue::default();
        queue.pause(pause(from, until));
        assert_eq!(queue.resume(at(now)), was_on, "{from} {until:?} {now}");
        assert_eq!(queue.pauses[0].until, ends.map(at), "{from} {until:?} {now}");
    }
}

fn learnt(minutes: &[i64]) -> Queue {
    let mut queue = Queue::default();
    minutes.iter().for_each(|minutes| queue.learn(SignedDuration::from_mins(*minutes)));
    queue
}

#[test]
fn how_long_changes_usually_take_is_the_median_of_the_last_ones() {
    assert_eq!(learnt(&[30; FEWEST_LEADS - 1]).usual_lead(), None);
    let mut minutes = vec![30; FEWEST_LEADS];
    minutes[0] = 600;
    assert_eq!(learnt(&minutes).usual_lead(), Some(SignedDuration::from_mins(30)));
    assert_eq!(learnt(&[9, 1, 5, 3, 7]).usual_lead(), Some(SignedDuration::from_mins(5)));
    assert_eq!(learnt(&[-5]).leads, [0], "a forge's clock may be ahead");
    let many: Vec<i64> = (0..i64::try_from(MOST_LEADS).unwrap() + 1).collect();
    assert_eq!((learnt(&many).leads.len(), learnt(&many).leads[0]), (MOST_LEADS, 1));
}

#[test]
fn a_change_is_expected_as_long_after_its_merge_as_usual_or_after_what_holds_it() {
    let mut queue = learnt(&[30; FEWEST_LEADS]);
    let waiting = change(12, "feanil", at("12:00"));
    let expected = |queue: &Queue, now: &str| expected_live(&waiting, queue, &service(), at(now));
    assert_eq!(expected(&queue, "12:29"), Some(at("12:30")));
    assert_eq!(expected(&queue, "12:30"), None, "it should be there");
    assert_eq!(expected(&queue, "13:00"), None);
    queue.pause(pause("12:10", Some("14:00")));
    assert_eq!(expected(&queue, "12:29"), Some(at("14:30")));
    queue.pause(pause("12:20", None));
    assert_eq!(expected(&queue, "12:29"), None, "nobody knows when that is over");
    assert_eq!(expected_live(&waiting, &Queue::default(), &service(), at("12:10")), None);
}
