//! Errands: kept, asked about, given up. Each test is given, event, expectation.

use jiff::SignedDuration;

use super::*;
use crate::Write;

fn start() -> Timestamp {
    "2026-03-20T12:00:00Z".parse().unwrap()
}

fn told(which: Which) -> Errand {
    let repository = "openedx/edx-platform".parse().unwrap();
    Errand::new(Unread { repository, which, forge: None, at: None }, start())
}

fn empty() -> Situation {
    Situation::empty("edxapp".parse().unwrap())
}

/// The situation after these decisions, with the reasons they logged.
fn after(mut situation: Situation, decisions: &Decisions, now: Timestamp) -> (Situation, Vec<String>) {
    situation.apply(decisions, now);
    (situation, decisions.entries.iter().map(|entry| format!("{}: {}", entry.what, entry.reason)).collect())
}

fn kept(errand: &Errand) -> Situation {
    let (decisions, reason) = noted(errand, &empty(), start());
    assert_eq!(reason, Some(Reason::MergeToBeRead));
    after(empty(), &decisions, start()).0
}

#[test]
fn a_merge_is_kept_once_and_due_at_once() {
    for (which, label) in [
        (Which::Number(12), "edx-platform#12"),
        (Which::Commit("8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1".parse().unwrap()), "edx-platform@8c1c06a1a8"),
        (Which::Named("usama/fix".to_owned()), "edx-platform, usama/fix"),
    ] {
        let errand = told(which);
        assert_eq!(errand.label(), label);
        let situation = kept(&errand);
        assert_eq!(due(&situation, start()), std::slice::from_ref(&errand));
        let (decisions, reason) = noted(&Errand { last: start(), ..errand }, &situation, start());
        assert_eq!(reason, Some(Reason::AlreadyKnown));
        assert!(decisions.is_quiet());
    }
}

#[test]
fn what_the_forge_answers_ends_the_errand() {
    let errand = told(Which::Number(12));
    let situation = kept(&errand);
    let decisions = answered(&errand, Ok(Reason::MergedOnStandby), &situation.service, &situation, start());
    let (situation, log) = after(situation, &decisions, start());
    assert!(situation.errands.is_empty());
    assert_eq!(log, ["asked the forge about edx-platform#12: merged and not live yet: on standby"]);
    let again = answered(&errand, Err("late".to_owned()), &situation.service, &situation, start());
    assert!(again.is_quiet(), "another answer to the same errand says nothing");
}

#[test]
fn a_forge_that_does_not_answer_is_asked_five_times() {
    let errand = told(Which::Number(12));
    let (mut situation, mut now) = (kept(&errand), start());
    for wait in [1, 2, 4, 8, 0] {
        let decisions = answered(&errand, Err("no answer".to_owned()), &situation.service, &situation, now);
        assert!(matches!(decisions.entries[0].reason, Reason::MergeUnread { .. }));
        situation = after(situation, &decisions, now).0;
        let (asked_at, wait) = (now, SignedDuration::from_mins(wait));
        now += wait - SignedDuration::from_secs(1);
        assert!(due(&situation, asked_at).is_empty() && due(&situation, now).is_empty(), "before {wait:?}");
        now = asked_at + wait;
        assert_eq!(due(&situation, now).len(), usize::from(!wait.is_zero()), "after {wait:?}");
    }
    assert!(situation.errands.is_empty());
}

#[test]
fn there_are_never_too_many() {
    let mut situation = empty();
    for number in 0..u64::try_from(MOST).unwrap() {
        situation.note(Record::Errand(told(Which::Number(number))), 1);
    }
    let (decisions, reason) = noted(&told(Which::Number(1000)), &situation, start());
    assert_eq!((reason, decisions.writes), (None, Vec::<Write>::new()));
    assert_eq!(due(&situation, start()).len(), MOST_AT_ONCE);
}
