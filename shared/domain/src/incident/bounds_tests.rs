//! What an incident keeps and what it makes of times that are the same, one before or one after.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::*;
use crate::acknowledgement::Acknowledger;
use crate::message::Step;
use crate::mode::Mode;
use crate::outcome::{Judge, TakenBack};
use crate::signals::Signals;
use crate::suspect::Stand;
use crate::testing::{World, alert, at, change};
use crate::{Alert, Because};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Something fails since 12:00.
pub(crate) fn failing() -> Incident {
    let mut world = World::new();
    world.now = at("12:00");
    world.alert(&[alert("HighErrorRate", at("12:00"), None)]);
    let mut incident = world.situation.incidents.values().next().unwrap().value.clone();
    incident.pages.clear();
    incident
}

fn firing(alerts: &[Alert], now: Timestamp) -> BTreeMap<String, Signal> {
    let mut signals = Signals::default();
    alerts.iter().for_each(|alert| signals.learn(alert, now));
    signals.by_key
}

pub(crate) fn suspect(number: u64, responder: &str) -> Suspect {
    Suspect {
        change: change(number, responder, at("11:00")).id,
        label: format!("edx-platform#{number}"),
        title: String::new(),
        url: None,
        responder: responder.parse().unwrap(),
        because: Because::Merged,
        stand: Stand::Active,
        live_since: at("11:00"),
        evidence: vec![],
        likelihood: None,
        together: None,
        weighed: vec![],
    }
}

pub(crate) fn page(person: &str, round: u32, over: bool, mode: Mode) -> PageRecord {
    PageRecord {
        person: person.parse().unwrap(),
        step: Step::Rotation,
        at: at("12:00"),
        reason: Reason::NoSuspect,
        round,
        joined: None,
        again: 0,
        again_at: None,
        released_at: None,
        over,
        mode,
    }
}

pub(crate) fn taken(person: &str, when: Timestamp) -> Acknowledgement {
    Acknowledgement { by: Acknowledger::Person(person.parse().unwrap()), at: when, there: None, at_page: None }
}

fn keep(incident: &mut Incident, person: &str) {
    let person = person.parse().unwrap();
    incident.keep_page(&person, Step::Rotation, &Reason::NoSuspect, None, (Mode::Page, at("13:00")));
}

#[test]
fn of_too_many_pages_the_first_leaves_of_which_nobody_has_to_be_told_in_an_earlier_round() {
    let mut incident = failing();
    incident.round = 1;
    // p1 is over, but of this round; p3 and p5 of an earlier one are, too.
    for n in 0..149 {
        incident.pages.push(page(&format!("p{n}"), u32::from(n == 1), [1, 3, 5].contains(&n), Mode::Page));
    }
    keep(&mut incident, "p149");
    assert_eq!(incident.pages.len(), 150, "so many are kept");
    let people = |incident: &Incident| incident.pages.iter().map(|page| page.person.to_string()).collect::<Vec<_>>();
    keep(&mut incident, "p150");
    assert_eq!(people(&incident)[..5], ["p0", "p1", "p2", "p4", "p5"]);
    keep(&mut incident, "p151");
    assert_eq!(people(&incident)[..5], ["p0", "p1", "p2", "p4", "p6"]);
    keep(&mut incident, "p152");
    assert_eq!(people(&incident)[..3], ["p1", "p2", "p4"], "then the oldest");
    assert_eq!(incident.pages.len(), 150);
    // The same person once more is the same page.
    keep(&mut incident, "p152");
    let last = incident.pages.last().unwrap();
    assert_eq!((last.again, last.again_at, incident.pages.len()), (1, Some(at("13:00")), 150));
}

#[test]
fn the_mode_of_a_page_is_written_where_no_pager_had_it() {
    let written = |mode| serde_json::to_value(page("anna", 0, false, mode)).unwrap().get("mode").cloned();
    assert_eq!(written(Mode::Page), None);
    assert_eq!(written(Mode::Notify), Some(serde_json::json!("notify")));
}

#[test]
fn it_was_paged_in_words_only_if_no_page_of_this_round_woke_anybody() {
    let words_only = |pages: Vec<PageRecord>| Incident { round: 1, pages, ..failing() }.was_paged_in_words_only();
    assert!(!words_only(vec![]), "there is none");
    assert!(words_only(vec![page("anna", 1, false, Mode::Notify)]));
    assert!(!words_only(vec![page("anna", 1, false, Mode::Page)]));
    assert!(!words_only(vec![page("anna", 1, false, Mode::Notify), page("olga", 1, false, Mode::Page)]));
    assert!(words_only(vec![page("olga", 0, false, Mode::Page), page("anna", 1, false, Mode::Notify)]));
    assert!(!words_only(vec![page("anna", 0, false, Mode::Notify)]), "that was the round before");
}

#[test]
fn what_was_taken_back_in_the_second_in_which_it_worsened_may_have_helped() {
    for (when, helped) in [(at("12:30"), true), (at("12:30") - SECOND, false), (at("12:30") + SECOND, true)] {
        let mut incident = failing();
        incident.worsened_at = Some(at("12:30"));
        let first = suspect(1, "feanil");
        incident.mitigated =
            Some(Mitigated { at: when, change: first.change.clone(), label: first.label, how: TakenBack::Reverted });
        incident.doubt_mitigation();
        assert_eq!(
            (incident.mitigated.is_some(), incident.in_vain.contains(&first.change)),
            (helped, !helped),
            "{when}"
        );
        assert!(incident.is_taken_back(&first.change), "users have it no more, either way");
    }
}

#[test]
fn an_acknowledgement_holds_for_as_long_as_policy_says_and_is_of_a_round_before_only_if_it_was_before_it() {
    let policy = Policy::default();
    let mut incident = failing();
    incident.acknowledged = vec![taken("anna", at("12:10"))];
    let stale = at("12:10") + policy.acknowledged_for;
    assert!(incident.taken(&policy, stale - SECOND).is_some());
    assert!(incident.taken(&policy, stale).is_none() && incident.taken(&policy, stale + SECOND).is_none());
    assert_eq!(incident.state(&policy, stale - SECOND), State::Acknowledged);
    assert_eq!(incident.state(&policy, stale), State::Detected);
    incident.acknowledged.push(taken("olga", at("12:20")));
    incident.begin_round(at("12:20"), Reason::Worsened);
    let before = |incident: &Incident| incident.taken_before().map(|(taken, _)| taken.by.clone());
    assert_eq!(before(&incident), Some(Acknowledger::Person("anna".parse().unwrap())), "olga's is of this round");
    incident.round_at = Some(at("12:20") + SECOND);
    assert_eq!(before(&incident), Some(Acknowledger::Person("olga".parse().unwrap())));
    incident.round_why = Some(Reason::FiresAgain);
    assert_eq!(before(&incident), None);
}

#[test]
fn the_culprits_place_is_counted_from_one_and_only_whose_it_was_not_was_woken_wrongly() {
    let mut incident = failing();
    incident.resolved_at = Some(at("13:00"));
    incident.suspects = vec![suspect(1, "feanil"), suspect(2, "usama")];
    let judged = |number| Verdict {
        change: Some(change(number, "x", at("11:00")).id),
        label: String::new(),
        by: Judge::Person("anna".parse().unwrap()),
        at: at("13:00"),
    };
    let mut place = |number| {
        incident.verdict = Some(judged(number));
        incident.place_of_culprit()
    };
    assert_eq!((place(1), place(2), place(3)), (Some(Some(1)), Some(Some(2)), Some(None)));
}

#[test]
fn whoever_was_paged_for_a_change_that_was_not_it_was_woken_for_nothing() {
    let mut incident = failing();
    incident.suspects = vec![suspect(1, "feanil"), suspect(2, "usama"), suspect(3, "feanil")];
    incident.pages = ["feanil", "usama", "anna"]
        .map(|person| PageRecord { step: Step::FirstResponder, ..page(person, 0, false, Mode::Page) })
        .into();
    incident.pages[2].step = Step::Rotation;
    let wrong = |incident: &Incident| {
        let people = incident.wrong_pages().into_iter().map(|page| page.person.to_string());
        people.collect::<Vec<_>>()
    };
    assert_eq!(wrong(&incident), Vec::<String>::new());
    for (number, whom) in [(1, vec!["usama"]), (2, vec!["feanil"]), (3, vec!["usama"]), (9, vec!["feanil", "usama"])] {
        incident.verdict = Some(Verdict {
            change: Some(change(number, "x", at("11:00")).id),
            label: String::new(),
            by: Judge::Revert,
            at: at("13:00"),
        });
        assert_eq!(wrong(&incident), whom, "{number}");
    }
}

#[test]
fn the_suspect_of_whom_somebody_named_is_what_they_are_paged_for() {
    let mut incident = failing();
    incident.suspects = vec![suspect(1, "feanil"), suspect(2, "feanil"), suspect(3, "usama")];
    let feanil = "feanil".parse().unwrap();
    let label = |incident: &Incident| incident.suspect_of(&feanil).unwrap().label.clone();
    assert_eq!(label(&incident), "edx-platform#1");
    let instead = Some(incident.suspects[1].change.clone());
    incident.not_mine.push(NotMine { person: "usama".parse().unwrap(), at: at("12:10"), instead });
    assert_eq!(label(&incident), "edx-platform#2");
}

#[test]
fn twenty_alerts_are_kept_in_words_and_those_without_a_name_are_not() {
    let mut incident = failing();
    incident.alerts.clear();
    let many: Vec<Alert> = (0..25).map(|n| alert(&format!("alert {n:02}"), at("12:00"), None)).collect();
    incident.join(&firing(&many[..19], at("12:00")), at("12:00"));
    assert_eq!(incident.alerts.len(), 19);
    let mut nameless = firing(&many[20..21], at("12:00"));
    nameless.values_mut().for_each(|signal| signal.name.clear());
    incident.join(&nameless, at("12:00"));
    assert_eq!(incident.alerts.len(), 19, "it is counted only");
    incident.join(&firing(&many, at("12:00")), at("12:00"));
    assert_eq!((incident.alerts.len(), incident.alerts()), (20, 25));
}

#[test]
fn something_else_that_is_heard_of_after_it_was_taken_was_not_taken_whenever_it_began() {
    let worsened = |severity, began: &str| {
        let mut incident = failing();
        incident.acknowledged = vec![taken("anna", at("12:40"))];
        let other = Alert { severity, ..alert("DiskFull", at(began), None) };
        incident.join(&firing(&[other], at("12:45")), at("12:45"));
        incident.worsened_at
    };
    let after = Some(at("12:40") + SignedDuration::from_nanos(1));
    assert_eq!(worsened(Severity::Warning, "12:10"), None, "it began with the rest");
    assert_eq!(worsened(Severity::Warning, "12:15"), None);
    assert_eq!(worsened(Severity::Warning, "12:16"), after, "it is something else");
    assert_eq!(worsened(Severity::Critical, "12:16"), after);
    assert_eq!(worsened(Severity::Warning, "12:42"), Some(at("12:42")));
}
