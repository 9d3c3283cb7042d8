//! Who is asked before the rotation, and who is passed over, by pages and words of exact moments.

use super::*;
use crate::acknowledgement::{Acknowledgement, Acknowledger};
use crate::hold::Hold;
use crate::incident::bounds_tests::{failing, page, suspect, taken};
use crate::mode::Mode;
use crate::outcome::NotMine;
use crate::testing::{at, service};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Anna has the rotation, then Bert; Olga owns the service. It fails since 12:00.
fn called<T>(incident: &Incident, act: impl FnOnce(&Call<'_>) -> T) -> T {
    let service = Service { owners: vec!["olga".parse().unwrap()], ..service() };
    let rotation: Vec<PersonId> = ["anna", "bert"].map(|id| id.parse().unwrap()).into();
    act(&Call { incident, pager: None, service: &service, rotation: &rotation })
}

fn ladder(incident: &Incident) -> Vec<String> {
    let line = |rung: Rung| {
        format!("{} {} {} ({})", rung.at.strftime("%H:%M"), rung.person, rung.step.word(), rung.reason.name())
    };
    called(incident, |call| call.ladder().into_iter().map(line).collect())
}

fn due(incident: &Incident, now: Timestamp) -> Vec<String> {
    called(incident, |call| call.due(now).iter().map(|page| format!("{} {}", page.person, page.step.word())).collect())
}

fn paged(person: &str, step: Step, when: Timestamp) -> PageRecord {
    PageRecord { step, at: when, ..page(person, 0, false, Mode::Page) }
}

fn refused(person: &str, when: &str) -> NotMine {
    NotMine { person: person.parse().unwrap(), at: at(when), instead: None }
}

/// Suspects of these people, each as likely, per thousand.
fn suspected(people: &[(&str, u16)]) -> Vec<Suspect> {
    let numbered = people.iter().zip(1..);
    let one = |((person, likely), number): (&(&str, u16), u64)| Suspect {
        likelihood: Some(*likely),
        together: Some(*likely),
        ..suspect(number, person)
    };
    numbered.map(one).collect()
}

#[test]
fn whoever_was_paged_for_their_change_does_not_stand_for_the_rotation_nor_does_who_refused() {
    let mut incident = failing();
    incident.suspects = suspected(&[("anna", 800)]);
    incident.pages = vec![paged("anna", Step::FirstResponder, at("12:00"))];
    expect_test::expect![[r#"
        12:00 anna first-responder (first_suspect)
        12:04 bert rotation (nobody_acknowledged)
        12:14 olga owner (nobody_acknowledged)"#]]
    .assert_eq(&ladder(&incident).join("\n"));
    incident.pages = vec![paged("bert", Step::NextResponder, at("12:00"))];
    incident.suspects = suspected(&[("feanil", 800), ("bert", 200)]);
    expect_test::expect![[r#"
        12:00 feanil first-responder (first_suspect)
        12:03 bert next-responder (next_suspect)
        12:04 anna rotation (nobody_acknowledged)
        12:14 olga owner (nobody_acknowledged)"#]]
    .assert_eq(&ladder(&incident).join("\n"));
    incident.pages.clear();
    incident.not_mine = vec![refused("bert", "12:01")];
    expect_test::expect![[r#"
        12:00 feanil first-responder (first_suspect)
        12:04 anna rotation (nobody_acknowledged)
        12:14 olga owner (nobody_acknowledged)"#]]
    .assert_eq(&ladder(&incident).join("\n"));
}

#[test]
fn three_are_asked_for_their_changes_in_a_round_also_where_some_refuse() {
    let mut incident = failing();
    incident.suspects = suspected(&[("a", 200), ("b", 200), ("c", 200), ("d", 200), ("e", 200)]);
    let all = due(&incident, at("12:10"));
    let responders: Vec<&String> = all.iter().filter(|page| page.ends_with("responder")).collect();
    assert_eq!(responders, ["a first-responder", "b next-responder", "c next-responder"]);
    incident.pages = vec![paged("a", Step::FirstResponder, at("12:00")), paged("b", Step::NextResponder, at("12:01"))];
    incident.not_mine = vec![refused("a", "12:02"), refused("b", "12:02")];
    let now = due(&incident, at("12:07"));
    assert_eq!(now.iter().filter(|page| page.ends_with("responder")).collect::<Vec<_>>(), ["c first-responder"]);
    incident.pages.push(paged("c", Step::NextResponder, at("12:03")));
    let now = due(&incident, at("12:07"));
    assert!(now.iter().all(|page| !page.ends_with("responder")), "{now:?}");
}

#[test]
fn it_is_looked_at_when_the_hold_or_a_rung_is_ahead_and_not_for_what_is_due_now() {
    let mut incident = failing();
    let next = |incident: &Incident, now| called(incident, |call| call.next_at(now));
    let hold = |until| Some(Hold { reason: Reason::NoSuspect, until });
    incident.held = hold(Some(at("12:30")));
    assert_eq!(next(&incident, at("12:30") - SECOND), Some(at("12:30")));
    assert_eq!(next(&incident, at("12:30")), None);
    assert_eq!(next(&incident, at("12:31")), None);
    incident.held = hold(None);
    assert_eq!(next(&incident, at("12:00")), None);
    incident.held = None;
    // Anna at 12:00, Bert after 5 minutes, Olga after 15, less a tick.
    let rungs = called(&incident, |call| call.ladder().iter().map(|rung| rung.at).collect::<Vec<_>>());
    assert_eq!(rungs.len(), 3);
    for pair in rungs.windows(2) {
        assert_eq!(next(&incident, pair[0]), Some(pair[1]), "the one that is due now is not ahead");
        assert_eq!(next(&incident, pair[1] - SECOND), Some(pair[1]));
    }
}

#[test]
fn whoever_was_paged_before_the_rotation_or_together_with_it_as_the_first_may_still_answer() {
    let first = |pages: Vec<PageRecord>, not_mine: Vec<NotMine>| {
        let incident = Incident { pages, not_mine, ..failing() };
        called(&incident, |call| call.is_asked_first())
    };
    let rotation = || paged("anna", Step::Rotation, at("12:05"));
    let page = |step, when| vec![rotation(), paged("feanil", step, when)];
    assert!(!first(vec![], vec![]) && !first(vec![rotation()], vec![]));
    for (step, by) in [(Step::FirstResponder, true), (Step::NextResponder, false)] {
        assert!(first(page(step, at("12:05") - SECOND), vec![]), "{step:?}");
        assert_eq!(first(page(step, at("12:05")), vec![]), by, "{step:?}");
        assert!(!first(page(step, at("12:05") + SECOND), vec![]), "{step:?}");
        assert!(first(vec![paged("feanil", step, at("12:30"))], vec![]), "without the rotation, whenever");
    }
    assert!(!first(page(Step::TailResponder, at("12:00")), vec![]));
    assert!(!first(vec![paged("feanil", Step::FirstResponder, at("12:00"))], vec![refused("feanil", "12:01")]));
    // Of two of the rotation the first counts.
    let two =
        vec![paged("bert", Step::Rotation, at("12:10")), paged("feanil", Step::NextResponder, at("12:07")), rotation()];
    assert!(!first(two, vec![]));
}

#[test]
fn why_nobody_is_paged_before_the_rotation_is_said_by_what_is_known() {
    let why = |change: &dyn Fn(&mut Incident, &mut Service)| {
        let (mut incident, mut service) = (failing(), service());
        change(&mut incident, &mut service);
        let rotation = service.rotation.clone();
        let call = Call { incident: &incident, pager: None, service: &service, rotation: &rotation };
        call.why_nobody_first()
    };
    assert_eq!(why(&|_, _| ()), Reason::NoSuspect);
    assert_eq!(why(&|_, service| service.repositories.clear()), Reason::AlertNotPlaced);
    let tail = || vec![Suspect { stand: Stand::Tail, ..suspect(1, "feanil") }];
    assert_eq!(why(&|incident, _| incident.suspects = tail()), Reason::OnlyTailSuspects);
    assert_eq!(why(&|incident, _| incident.not_mine.push(refused("feanil", "12:01"))), Reason::NobodysOwn);
    let from = service().policy.first_suspect_from;
    let likely = |percent: u16| why(&move |incident, _| incident.suspects = suspected(&[("feanil", 10 * percent)]));
    assert_eq!(likely(from - 1), Reason::NobodyStandsOut { percent: from - 1 });
    assert_eq!(likely(from), Reason::OnlyTailSuspects, "that one stands out");
}

#[test]
fn whom_somebody_named_instead_comes_first_however_unlikely() {
    let mut incident = failing();
    incident.suspects = suspected(&[("feanil", 600), ("usama", 200), ("carl", 10)]);
    let firsts = |incident: &Incident| {
        called(incident, |call| call.firsts().iter().map(|(person, _)| person.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(firsts(&incident), ["feanil", "usama"]);
    let instead = Some(incident.suspects[2].change.clone());
    incident.not_mine.push(NotMine { instead, ..refused("feanil", "12:01") });
    assert_eq!(firsts(&incident)[..2], ["carl", "usama"]);
    let named = |incident: &Incident| {
        called(incident, |call| call.suspects(Stand::Active).map(|s| s.responder.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(named(&incident), ["carl", "usama"]);
    // Where nobody stands out, whom somebody named is asked before whoever is likelier.
    incident.suspects[2].stand = Stand::Tail;
    let unlikely = called(&incident, |call| call.unlikely().map(|(person, step)| (person.clone(), step)));
    assert_eq!(unlikely, Some(("carl".parse().unwrap(), Step::TailResponder)));
    incident.not_mine[0].instead = None;
    let unlikely = called(&incident, |call| call.unlikely().map(|(person, step)| (person.clone(), step)));
    assert_eq!(unlikely, Some(("usama".parse().unwrap(), Step::NextResponder)));
}

#[test]
fn whoever_had_taken_it_before_it_worsened_is_asked_first_unless_they_refused() {
    let mut incident = failing();
    incident.suspects = suspected(&[("feanil", 300), ("usama", 250), ("carl", 200), ("dora", 200)]);
    incident.acknowledged = vec![taken("bert", at("12:05"))];
    incident.begin_round(at("12:20"), Reason::Worsened);
    let firsts = |incident: &Incident| {
        let line = |(person, reason): &(&PersonId, Reason)| format!("{person} {}", reason.name());
        called(incident, |call| call.firsts().iter().map(line).collect::<Vec<_>>())
    };
    assert_eq!(firsts(&incident), ["bert worsened", "feanil next_suspect", "usama next_suspect"], "three at most");
    incident.not_mine = vec![refused("bert", "12:21")];
    assert_eq!(firsts(&incident), ["feanil first_suspect", "usama next_suspect", "carl next_suspect"]);
    incident.not_mine.clear();
    let by = Acknowledger::Stranger("Somebody".to_owned());
    incident.acknowledged = vec![Acknowledgement { by, ..taken("x", at("12:05")) }];
    assert_eq!(firsts(&incident).len(), 3);
    assert_eq!(firsts(&incident)[0], "feanil first_suspect");
}
