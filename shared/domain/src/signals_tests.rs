//! How large a signal is, who has taken it over, and when it is out of words.

use super::*;
use crate::alert::AcknowledgedThere;
use crate::testing::{alert, at};

fn blank() -> Signal {
    Signal {
        name: String::new(),
        summary: String::new(),
        severity: Severity::Critical,
        started_at: None,
        ended_at: None,
        acknowledged: None,
        released_at: None,
        lasts_until: None,
        group: None,
        url: None,
        names: vec![],
        canary: false,
        earlier_starts: BTreeSet::new(),
        earlier_ends: BTreeSet::new(),
    }
}

fn signal() -> Signal {
    let mut signal = Signal { started_at: Some(at("12:00")), ..blank() };
    signal.say(&alert("HighErrorRate", at("12:00"), None));
    signal
}

#[test]
fn about_how_large_it_is_grows_with_all_it_says() {
    let empty = blank();
    assert_eq!(empty.bytes("abc"), 123);
    let larger = |change: &dyn Fn(&mut Signal)| {
        let mut signal = blank();
        change(&mut signal);
        signal.bytes("") - empty.bytes("")
    };
    assert_eq!(larger(&|signal| signal.name = "12345".into()), 5);
    assert_eq!(larger(&|signal| signal.summary = "1234567".into()), 7);
    assert_eq!(larger(&|signal| signal.url = Some("123456789".into())), 9);
    assert_eq!(larger(&|signal| signal.group = Some("123456".into())), 6);
    assert_eq!(larger(&|signal| signal.names = vec!["12".into(), "1234".into()]), 12);
    assert_eq!(larger(&|signal| signal.earlier_starts = [at("12:00"), at("12:01")].into()), 80);
    assert_eq!(larger(&|signal| signal.earlier_ends = [at("12:00")].into()), 40);
    let there = AcknowledgedThere { at: at("12:00"), login: None, name: "1234".into() };
    assert_eq!(larger(&|signal| signal.acknowledged = Some(there.clone())), 124);
}

#[test]
fn it_is_wordless_without_name_summary_and_address() {
    assert!(blank().is_wordless());
    let with = |change: &dyn Fn(&mut Signal)| {
        let mut signal = blank();
        change(&mut signal);
        signal.is_wordless()
    };
    assert!(!with(&|signal| signal.name = "a".into()));
    assert!(!with(&|signal| signal.summary = "a".into()));
    assert!(!with(&|signal| signal.url = Some("a".into())));
}

#[test]
fn it_says_no_address_of_more_than_300_characters() {
    for (length, kept) in [(300, true), (301, false)] {
        let mut alert = alert("HighErrorRate", at("12:00"), None);
        alert.url = Some("x".repeat(length));
        let mut signal = blank();
        signal.say(&alert);
        assert_eq!(signal.url.is_some(), kept, "{length}");
    }
}

#[test]
fn it_is_taken_over_by_whoever_did_so_since_it_began_and_has_not_given_it_back() {
    let by = |when: &str, released: Option<&str>| {
        let acknowledged = Some(AcknowledgedThere { at: at(when), login: None, name: "Anna".into() });
        Signal { acknowledged, released_at: released.map(at), ..signal() }.taken_over().is_some()
    };
    assert!(!by("11:59", None));
    assert!(by("12:00", None) && by("12:05", Some("12:04")));
    assert!(!by("12:05", Some("12:05")) && !by("12:05", Some("12:06")));
    let ended = Signal { ended_at: Some(at("12:10")), ..signal() };
    assert!(ended.taken_over().is_none());
}

#[test]
fn of_times_the_latest_counts_and_those_before_are_remembered_a_few_in_any_order() {
    let joined = |times: &[&str]| {
        let (mut latest, mut earlier) = (None, BTreeSet::new());
        times.iter().for_each(|time| join(&mut latest, &mut earlier, at(time)));
        (latest.unwrap(), earlier.len())
    };
    assert_eq!(joined(&["12:00"]), (at("12:00"), 0));
    assert_eq!(joined(&["12:00", "12:00"]), (at("12:00"), 0));
    for order in [["12:00", "12:05"], ["12:05", "12:00"]] {
        assert_eq!(joined(&order), (at("12:05"), 1));
    }
    let minutes: Vec<String> = (0..MOST_EARLIER + 3).map(|minute| format!("12:{minute:02}")).collect();
    let all: Vec<&str> = minutes.iter().map(String::as_str).collect();
    assert_eq!(joined(&all).1, MOST_EARLIER);
}

fn trimmed(signals: impl Iterator<Item = (String, Signal)>) -> Signals {
    let mut all = Signals { by_key: signals.collect(), ..Signals::default() };
    all.trim(at("20:00"));
    all
}

#[test]
fn of_many_the_least_severe_and_longest_over_lose_their_words_first() {
    let ended = |n: usize| Signal {
        started_at: Some(at("10:00")),
        ended_at: Some(at("12:00") + SignedDuration::from_mins(i64::try_from(n).unwrap())),
        ..signal()
    };
    let many = (0..=MOST_SIGNALS).map(|n| (format!("a/{n:04}"), ended(n)));
    let wordless = trimmed(many);
    let without: Vec<&str> =
        wordless.by_key.iter().filter(|(_, s)| s.is_wordless()).map(|(key, _)| key.as_str()).collect();
    assert_eq!(without, ["a/0000"], "the longest over");
    assert_eq!((wordless.by_key.len(), wordless.lost_at), (MOST_SIGNALS + 1, None));
}

#[test]
fn what_is_too_large_is_kept_without_words_and_what_fires_and_is_forgotten_is_remembered_to_be() {
    let long = || Signal { names: vec!["x".repeat(9_997)], ..signal() };
    let bytes = long().bytes("a/0000");
    let kept = trimmed((0..40).map(|n| (format!("a/{n:04}"), long())));
    let in_words = kept.by_key.values().filter(|signal| !signal.is_wordless()).count();
    assert_eq!(in_words, MOST_BYTES_IN_WORDS / bytes);
    assert_eq!((kept.by_key.len(), kept.lost_at, kept.unsure_until()), (40, None, None));
    let firing = trimmed((0..=MOST_REMEMBERED).map(|n| (format!("a/{n:05}"), signal())));
    assert_eq!((firing.by_key.len(), firing.lost_at), (MOST_REMEMBERED, Some(at("20:00"))));
    assert_eq!(firing.unsure_until(), Some(at("20:00") + UNSURE));
    let over = || Signal { ended_at: Some(at("12:30")), ..signal() };
    let ended = trimmed((0..=MOST_REMEMBERED).map(|n| (format!("a/{n:05}"), over())));
    assert_eq!((ended.by_key.len(), ended.lost_at), (MOST_REMEMBERED, None));
}

#[test]
fn of_two_reports_of_one_start_the_first_words_and_the_greater_severity_count() {
    let mut signals = Signals::default();
    let first = alert("HighErrorRate", at("12:00"), None);
    let weaker = Alert { severity: Severity::Warning, summary: "other words".into(), ..first.clone() };
    for said in [&first, &weaker] {
        signals.learn(said, at("12:01"));
        let signal = &signals.by_key[&first.key()];
        assert_eq!((signal.severity, signal.summary.as_str()), (Severity::Critical, "7 % of requests fail"));
    }
    // A start after it speaks for itself.
    signals.learn(&Alert { started_at: Some(at("12:02")), ..weaker.clone() }, at("12:03"));
    let signal = &signals.by_key[&first.key()];
    assert_eq!((signal.severity, signal.summary.as_str()), (Severity::Warning, "other words"));
}

#[test]
fn words_are_kept_as_far_as_there_is_room_for_them_and_no_byte_more() {
    for (more, kept) in [(0, true), (1, false)] {
        let mut signals = Signals::default();
        let rest = signal().bytes("one") - signal().summary.len();
        let long = Signal { summary: "x".repeat(MOST_BYTES_IN_WORDS - rest + more), ..signal() };
        signals.by_key.insert("one".into(), long);
        signals.trim(at("12:30"));
        assert_eq!(!signals.by_key["one"].is_wordless(), kept, "{more} over");
        assert!(signals.by_key["one"].is_firing() && signals.lost_at.is_none());
    }
}
