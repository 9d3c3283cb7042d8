//! What is done and said elsewhere: acknowledgements in a monitor or pager, rollouts that give up, end-to-end tests
//! that fail. Each test is given, event, expectation.

use expect_test::{Expect, expect};
use jiff::SignedDuration;

use crate::DeploymentState::{Aborted, Failed, Started, Succeeded};
use crate::alert::{AcknowledgedThere, Alert, AlertState};
use crate::deployment::{DeploymentEvent, Manner};
use crate::testing::{World, alert, at, change, deployment};
use crate::{Login, on_deploy};

fn check(world: &mut World, heard: Expect) {
    world.nobody_told_twice();
    heard.assert_eq(&world.heard());
}

/// The alert of 15:50, as somebody takes it there.
fn taken(when: &str, login: Option<&str>, name: &str) -> Alert {
    let login = login.map(|login| Login::try_from(login.to_owned()).unwrap());
    let acknowledged = Some(AcknowledgedThere { at: at(when), login, name: name.to_owned() });
    Alert { state: AlertState::Acknowledged, acknowledged, ..alert("HighErrorRate", at("15:50"), None) }
}

fn live_at_15_40() -> World {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("15:00")));
    world.deploy(&deployment(2, 12, "prod", Started, at("15:40")));
    world.until(at("15:50"));
    world.told.clear();
    world
}

#[test]
fn an_acknowledgement_made_there_stops_the_escalation_here() {
    let mut world = live_at_15_40();
    world.alert(&[alert("HighErrorRate", at("15:50"), None)]);
    check(&mut world, expect!["page feanil first-responder (first_suspect)"]);
    world.now = at("15:52");
    world.alert(&[taken("15:52", Some("github:anna"), "Anna L.")]);
    check(&mut world, expect!["notice feanil acknowledged (acknowledged_by)"]);
    world.alert(&[taken("15:52", Some("github:anna"), "Anna L.")]);
    world.until(at("16:51"));
    assert!(!world.heard().contains("page"), "it stays acknowledged, and once");
    let incident = &world.situation.incidents.values().next().unwrap().value;
    assert_eq!(incident.acknowledged.len(), 1);
}

#[test]
fn somebody_whom_the_roster_does_not_know_stops_it_too_and_is_named() {
    let mut world = live_at_15_40();
    world.alert(&[alert("HighErrorRate", at("15:50"), None)]);
    world.now = at("15:52");
    world.alert(&[taken("15:52", Some("pagerduty:plh1hkv"), "Tenex\nEngineer")]);
    let text = world.told.last().unwrap().plain();
    assert!(text.contains("Tenex Engineer acknowledged after 2 min. You need not act."), "{text}");
    world.told.clear();
    world.until(at("16:51"));
    assert!(!world.heard().contains("page"));
}

#[test]
fn in_any_order_of_news_the_incident_ends_acknowledged() {
    let fires = || alert("HighErrorRate", at("15:50"), None);
    let takes = || taken("15:52", Some("github:anna"), "Anna L.");
    for order in [[fires(), takes()], [takes(), fires()]] {
        let mut world = live_at_15_40();
        world.now = at("15:53");
        for news in order {
            world.alert(&[news]);
        }
        world.until(at("16:30"));
        let incident = &world.situation.incidents.values().next().unwrap().value;
        let by: Vec<&str> = incident.acknowledged.iter().map(|a| a.name(&world.settings.roster)).collect();
        assert_eq!(by, ["Anna"]);
        assert!(!world.heard().contains("page anna"), "who took it is not woken by it");
    }
}

#[test]
fn an_acknowledgement_of_what_broke_before_says_nothing_about_what_breaks_now() {
    let mut world = live_at_15_40();
    world.alert(&[taken("15:51", Some("github:anna"), "Anna L.")]);
    world.now = at("16:00");
    world.alert(&[alert("HighErrorRate", at("15:50"), Some(at("16:00")))]);
    world.told.clear();
    world.now = at("16:10");
    world.alert(&[alert("HighErrorRate", at("16:10"), None)]);
    check(&mut world, expect!["page feanil first-responder (first_suspect)"]);
}

/// A rollout of change 12 that serves a part of the traffic from 15:40.
fn rollout(state: crate::DeploymentState, when: &str) -> DeploymentEvent {
    let names = vec!["edxapp".to_owned()];
    let note = Some("metric error-rate: 7 > 1".to_owned());
    DeploymentEvent { names, note, manner: Manner::Progressive, ..deployment(2, 12, "prod", state, at(when)) }
}

/// What the shell does with a report: the deployment, and the alert that it is.
fn report(world: &mut World, event: &DeploymentEvent) {
    world.until(event.at.unwrap());
    world.deploy(event);
    let settings = world.settings.clone();
    let place = on_deploy::places(event, &settings).unwrap().remove(0);
    if let Some(alert) = on_deploy::alarm(event, &place, &world.service, world.now) {
        world.alert(&[alert]);
    }
    world.settle();
}

#[test]
fn a_canary_that_gives_up_pages_whose_change_it_was_and_is_over_by_itself() {
    let mut world = World::new();
    world.now = at("14:00");
    world.merge(change(11, "usama", at("14:00")));
    world.deploy(&deployment(1, 11, "prod", Succeeded, at("14:10")));
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("15:00")));
    report(&mut world, &rollout(Started, "15:40"));
    world.heard();
    report(&mut world, &rollout(Failed, "15:48"));
    report(&mut world, &rollout(Aborted, "15:48"));
    assert_eq!(world.suspects(), "edx-platform#12, edx-platform#11");
    check(
        &mut world,
        expect![[r#"
        page feanil first-responder (first_suspect)
        notice feanil standby-again (back_on_standby)"#]],
    );
    world.until(at("16:10"));
    let incident = &world.situation.incidents.values().next().unwrap().value;
    assert_eq!(incident.resolved_at, Some(at("16:03")), "its traffic is back, nobody will say that it is over");
    assert!(world.windows().contains("edx-platform#12 feanil standby"), "{}", world.windows());
}

#[test]
fn a_rollout_that_goes_well_is_no_alert() {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("15:00")));
    for (state, when) in [(Started, "15:40"), (Started, "15:45"), (Succeeded, "15:50")] {
        report(&mut world, &rollout(state, when));
    }
    assert!(world.situation.incidents.is_empty() && world.situation.signals.is_empty());
    assert_eq!(world.windows(), "edx-platform#12 feanil active until Fri 16:50");
}

/// A run of the smoke tests on change `number`.
fn smoke(run: u64, number: u64, state: crate::DeploymentState, when: &str) -> DeploymentEvent {
    let event = deployment(run, number, "stage", state, at(when));
    DeploymentEvent { manner: Manner::Test("smoke".to_owned()), created_at: Some(at(when)), ..event }
}

#[test]
fn a_failing_end_to_end_test_tells_whose_changes_are_in_it_and_wakes_nobody() {
    let mut world = World::new();
    world.now = at("14:00");
    world.merge(change(11, "usama", at("13:00")));
    world.deploy(&smoke(1, 11, Succeeded, "14:00"));
    world.merge(change(12, "feanil", at("14:10")));
    world.merge(change(13, "usama", at("14:20")));
    world.until(at("14:30"));
    world.heard();
    world.deploy(&smoke(2, 13, Started, "14:30"));
    world.until(at("14:40"));
    check(&mut world, expect![""]);
    world.deploy(&smoke(2, 13, Failed, "14:40"));
    world.until(at("14:41"));
    let text = world.told.first().unwrap().plain();
    expect![[r#"
        The tests smoke failed with edx-platform#12 in them
        “change number 12”. You merged it.
        They failed at 10:40 (America/New_York) on 0000000000. Since they last passed there are also edx-platform#13.
        Nobody is paged for it. Please look: is it yours? A revert is the quickest way out.
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/12
        Board: https://deployers.example.com/#edxapp"#]]
    .assert_eq(&text);
    check(
        &mut world,
        expect![[r#"
            notice feanil tests-failed (tests_failed)
            notice usama tests-failed (tests_failed)"#]],
    );
    // Again red, with nothing new: nobody hears of it again.
    world.deploy(&smoke(3, 13, Failed, "15:00"));
    world.until(at("15:01"));
    check(&mut world, expect![""]);
    // Green, and red with the next change: only that one's.
    world.deploy(&smoke(4, 13, Succeeded, "15:10"));
    world.merge(change(14, "feanil", at("15:15")));
    world.until(at("15:16"));
    world.heard();
    world.deploy(&smoke(5, 14, Failed, "15:20"));
    world.until(at("15:21"));
    check(&mut world, expect!["notice feanil tests-failed (tests_failed)"]);
    assert!(world.situation.incidents.is_empty(), "nobody is paged");
    assert!(world.windows().contains("standby"), "tests move nothing: {}", world.windows());
}

#[test]
fn an_old_failure_and_one_of_changes_whose_turn_is_over_are_no_news() {
    let mut world = World::new();
    world.now = at("14:00");
    world.merge(change(11, "usama", at("13:00")));
    world.deploy(&deployment(1, 11, "prod", Succeeded, at("14:00")));
    world.until(at("16:00"));
    world.heard();
    world.deploy(&smoke(2, 11, Failed, "16:00"));
    world.until(at("16:01"));
    check(&mut world, expect![""]);
    let mut world = World::new();
    world.now = at("14:00");
    world.merge(change(12, "feanil", at("13:00")));
    world.settle();
    world.heard();
    let long_ago = at("14:00") - SignedDuration::from_hours(25);
    world.deploy(&DeploymentEvent { at: Some(long_ago), ..smoke(2, 12, Failed, "14:00") });
    world.settle();
    check(&mut world, expect![""]);
}

#[test]
fn what_was_taken_as_a_warning_is_not_taken_when_it_becomes_critical() {
    let mut world = live_at_15_40();
    let warning = Alert { severity: crate::Severity::Warning, ..alert("Slow", at("15:50"), None) };
    world.alert(std::slice::from_ref(&warning));
    let there = AcknowledgedThere { at: at("15:51"), login: None, name: "Somebody".into() };
    world.now = at("15:51");
    world.alert(&[Alert { state: AlertState::Acknowledged, acknowledged: Some(there), ..warning }]);
    world.until(at("16:30"));
    world.heard();
    world.alert(&[alert("Down", at("16:30"), None)]);
    world.settle();
    check(&mut world, expect!["page feanil first-responder (first_suspect)"]);
    // As severe as before it is the same failure.
    world.acknowledge("anna").unwrap();
    world.heard();
    world.alert(&[alert("AlsoDown", at("16:30"), None)]);
    world.until(at("17:29"));
    assert!(!world.heard().contains("page"));
}

#[test]
fn who_gives_one_alert_back_there_keeps_the_others_and_others_keep_theirs() {
    let second = |alert: Alert| Alert { fingerprint: "second".into(), ..alert };
    for (who, left) in [("github:olga", vec!["Olga"]), ("github:anna", vec!["Anna"])] {
        let mut world = live_at_15_40();
        world.now = at("15:53");
        world.alert(&[taken("15:52", Some("github:anna"), "Anna"), second(taken("15:51", Some(who), "x"))]);
        world.now = at("15:55");
        let back = Alert { released_at: Some(at("15:54")), ..alert("HighErrorRate", at("15:50"), None) };
        world.alert(&[back]);
        let incident = &world.situation.incidents.values().next().unwrap().value;
        let mut by: Vec<&str> = incident.acknowledged.iter().map(|a| a.name(&world.settings.roster)).collect();
        by.dedup();
        assert_eq!(by, left, "{who}");
    }
}

#[test]
fn a_run_that_failed_is_news_for_a_day() {
    let mut world = World::new();
    world.now = at("12:00");
    world.merge(change(12, "feanil", at("12:00")));
    let manner = Manner::Test("smoke".to_owned());
    world.deploy(&DeploymentEvent { manner, created_at: None, ..deployment(1, 12, "stage", Failed, at("12:10")) });
    let failures = |now| crate::suite::failures(&world.situation, &world.service, now).len();
    assert_eq!(failures(at("Sat 12:10") - SignedDuration::from_secs(1)), 1);
    assert_eq!(failures(at("Sat 12:10")), 0);
}
