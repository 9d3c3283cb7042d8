//! Who is paged when an alert fires. Each test is given, event, expectation.

use expect_test::{Expect, expect};

use crate::DeploymentState::{Started, Succeeded};
use crate::Reason;
use crate::on_request::incidents::Refused;
use crate::testing::{World, alert, at, change, deployment};

/// Two changes: usama's is live since 14:30 (its turn ends at 15:30), feanil's since 15:40.
fn two_releases() -> World {
    let mut world = World::new();
    world.now = at("14:00");
    world.merge(change(11, "usama", at("14:00")));
    world.deploy(&deployment(1, 11, "prod", Succeeded, at("14:30")));
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("15:00")));
    world.deploy(&deployment(2, 12, "prod", Started, at("15:40")));
    world.until(at("15:41"));
    world.told.clear();
    world
}

fn fires(world: &mut World, when: &str) -> Reason {
    world.until(at(when));
    world.heard();
    let reason = world.alert(&[alert("HighErrorRate", at(when), None)]);
    world.settle();
    reason
}

fn check(world: &mut World, heard: Expect) {
    world.nobody_told_twice();
    heard.assert_eq(&world.heard());
}

#[test]
fn the_responder_of_what_went_live_last_is_paged_at_once() {
    let mut world = two_releases();
    fires(&mut world, "15:50");
    assert_eq!(world.suspects(), "edx-platform#12, edx-platform#11");
    check(&mut world, expect!["page feanil first-responder (first_suspect)"]);
}

#[test]
fn without_a_suspect_the_rotation_is_paged_at_once() {
    let mut world = World::new();
    fires(&mut world, "15:50");
    check(&mut world, expect!["page anna rotation (no_suspect)"]);
}

#[test]
fn when_every_suspects_turn_is_over_the_rotation_is_first_and_the_responder_next() {
    let mut world = two_releases();
    fires(&mut world, "22:00");
    check(&mut world, expect!["page anna rotation (only_tail_suspects)"]);
    world.until(at("22:05"));
    check(&mut world, expect!["page feanil tail-responder (nobody_acknowledged)"]);
}

#[test]
fn unacknowledged_the_rotation_follows_within_five_minutes() {
    let mut world = two_releases();
    fires(&mut world, "15:50");
    world.heard();
    world.until(at("15:53"));
    check(&mut world, expect![""]);
    world.until(at("15:54"));
    check(&mut world, expect!["page anna rotation (nobody_acknowledged)"]);
    world.service.policy.again_after = jiff::SignedDuration::ZERO;
    world.until(at("16:03"));
    check(&mut world, expect![""]);
    world.until(at("16:04"));
    check(&mut world, expect!["page olga owner (nobody_acknowledged)"]);
    world.until(at("18:00"));
    assert!(!world.heard().contains("page"), "nobody is paged twice");
}

#[test]
fn a_short_patience_still_leaves_the_first_responder_time_to_answer() {
    for (seconds, due) in [(60, 48), (120, 96), (300, 240), (3600, 3540)] {
        let mut world = two_releases();
        world.service.policy.rotation_after = jiff::SignedDuration::from_secs(seconds);
        world.service.policy.again_after = jiff::SignedDuration::ZERO;
        fires(&mut world, "15:50");
        world.heard();
        world.until(at("15:50") + jiff::SignedDuration::from_secs(due - 1));
        check(&mut world, expect![""]);
        world.until(at("15:50") + jiff::SignedDuration::from_secs(due));
        assert!(world.heard().contains("page anna rotation (nobody_acknowledged)"), "{seconds} s");
    }
}

#[test]
fn an_acknowledgement_stops_the_escalation_and_tells_the_others() {
    let mut world = two_releases();
    fires(&mut world, "15:50");
    world.until(at("15:55"));
    world.heard();
    assert!(matches!(world.acknowledge("feanil"), Ok(())));
    check(&mut world, expect!["notice anna acknowledged (acknowledged_by)"]);
    assert!(matches!(world.acknowledge("feanil"), Err(Refused::Before { .. })));
    assert!(matches!(world.acknowledge("anna"), Ok(())), "several may acknowledge");
    check(&mut world, expect![""]);
}

#[test]
fn a_resolution_closes_the_incident_and_tells_whoever_was_paged() {
    let mut world = two_releases();
    fires(&mut world, "15:50");
    world.heard();
    world.now = at("15:52");
    assert_eq!(world.alert(&[alert("HighErrorRate", at("15:50"), Some(at("15:52")))]), Reason::IncidentResolved);
    check(&mut world, expect!["notice feanil resolved (resolved_at)"]);
    assert!(matches!(world.acknowledge("feanil"), Err(Refused::Resolved { .. })));
    world.until(at("16:30"));
    assert!(!world.heard().contains("page"), "nobody is paged for what is over");
}

#[test]
fn a_repetition_pages_nobody_before_or_after_the_resolution() {
    let mut world = two_releases();
    fires(&mut world, "15:50");
    assert_eq!(world.alert(&[alert("HighErrorRate", at("15:50"), None)]), Reason::AlreadyKnown);
    world.now = at("15:52");
    world.alert(&[alert("HighErrorRate", at("15:50"), Some(at("15:52")))]);
    world.heard();
    assert_eq!(world.alert(&[alert("HighErrorRate", at("15:50"), None)]), Reason::AlreadyKnown);
    world.until(at("Sun 15:00"));
    assert_eq!(world.alert(&[alert("HighErrorRate", at("15:50"), None)]), Reason::AlreadyKnown);
    assert!(!world.heard().contains("page"));
}

#[test]
fn a_resolution_that_overtakes_its_alert_keeps_everybody_asleep() {
    let mut world = two_releases();
    world.now = at("15:52");
    let over = world.alert(&[alert("HighErrorRate", at("15:50"), Some(at("15:52")))]);
    assert_eq!(over, Reason::ResolvedBeforeItFired);
    assert_eq!(world.alert(&[alert("HighErrorRate", at("15:50"), None)]), Reason::ResolvedBeforeItFired);
    assert_eq!(world.alert(&[alert("HighErrorRate", at("15:50"), None)]), Reason::AlreadyKnown);
    check(&mut world, expect![""]);
}

#[test]
fn a_second_alert_joins_the_open_incident() {
    let mut world = two_releases();
    fires(&mut world, "15:50");
    world.now = at("15:51");
    assert_eq!(world.alert(&[alert("SlowRequests", at("15:51"), None)]), Reason::IncidentGrew { alerts: 2 });
    assert_eq!(world.situation.incidents.len(), 1);
    check(&mut world, expect!["page feanil first-responder (first_suspect)"]);
    world.now = at("15:52");
    let reason = world.alert(&[alert("HighErrorRate", at("15:50"), Some(at("15:52")))]);
    assert_eq!(reason, Reason::IncidentGrew { alerts: 2 }, "one of them still fires");
}

#[test]
fn firing_anew_soon_after_the_resolution_opens_the_same_incident_once_more() {
    let mut world = two_releases();
    fires(&mut world, "15:50");
    world.now = at("15:52");
    world.alert(&[alert("HighErrorRate", at("15:50"), Some(at("15:52")))]);
    world.heard();
    world.now = at("15:58");
    assert_eq!(world.alert(&[alert("HighErrorRate", at("15:58"), None)]), Reason::FiresAgain);
    assert_eq!(world.situation.incidents.len(), 1);
    let text = world.told[0].plain();
    assert!(text.contains("Once more: it fires again after it was over."), "{text}");
    check(&mut world, expect!["page feanil first-responder (first_suspect)"]);
    world.now = at("16:00");
    world.alert(&[alert("HighErrorRate", at("15:58"), Some(at("16:00")))]);
    world.now = at("16:15");
    let late = world.alert(&[alert("HighErrorRate", at("16:15"), None)]);
    assert_eq!(late, Reason::IncidentOpened { alerts: 1 }, "later it is a new one");
    let another = world.situation.incidents.len();
    assert_eq!(another, 2);
}

#[test]
fn what_went_live_after_the_alert_is_no_suspect() {
    let mut world = two_releases();
    world.now = at("15:45");
    world.alert(&[alert("HighErrorRate", at("15:20"), None)]);
    assert_eq!(world.suspects(), "edx-platform#11");
    check(&mut world, expect!["page usama first-responder (first_suspect)"]);
}

#[test]
fn an_alert_in_an_environment_that_is_not_live_goes_to_the_rotation() {
    let mut world = two_releases();
    let place = crate::alert::Place { service: world.service.id.clone(), environment: "stage".parse().unwrap() };
    let alerts = [alert("HighErrorRate", at("15:50"), None)];
    let (decisions, _) =
        crate::on_alert::decide(&alerts, &place, &world.situation, &world.service, &world.settings, &[], at("15:50"));
    world.situation.apply(&decisions, at("15:50"));
    world.told = decisions.messages;
    check(&mut world, expect!["page anna rotation (no_suspect)"]);
}

#[test]
fn evidence_that_arrives_late_adds_a_page_and_takes_none_back() {
    let mut world = World::new();
    fires(&mut world, "15:50");
    check(&mut world, expect!["page anna rotation (no_suspect)"]);
    world.now = at("15:51");
    world.deploy(&deployment(1, 12, "prod", Started, at("15:40")));
    world.merge(change(12, "feanil", at("15:00"))).settle();
    assert_eq!(world.suspects(), "edx-platform#12");
    world.told.retain(|m| m.kind == crate::Kind::Page);
    check(&mut world, expect!["page feanil first-responder (first_suspect)"]);
}

#[test]
fn an_alert_that_tells_no_time_counts_from_when_we_heard_it() {
    let mut world = two_releases();
    let mut timeless = alert("HighErrorRate", at("15:50"), None);
    timeless.started_at = None;
    world.now = at("15:50");
    assert_eq!(world.alert(&[timeless.clone()]), Reason::IncidentOpened { alerts: 1 });
    world.now = at("15:51");
    assert_eq!(world.alert(&[timeless]), Reason::AlreadyKnown);
    check(&mut world, expect!["page feanil first-responder (first_suspect)"]);
}

#[test]
fn alerts_are_placed_by_label_and_what_cannot_be_placed_is_never_dropped() {
    let world = World::new();
    let place = |labels: &[(&str, &str)]| {
        let mut alert = alert("X", at("15:50"), None);
        alert.labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let (service, environment) = world.settings.place(&alert);
        format!("{} {environment}", service.id)
    };
    assert_eq!(place(&[("service", "edxapp"), ("env", "prod")]), "edxapp production");
    assert_eq!(place(&[("service", "EdxApp"), ("environment", "staging")]), "edxapp stage");
    assert_eq!(place(&[("app", "edxapp")]), "edxapp production");
    assert_eq!(place(&[("service", "billing"), ("namespace", "shop")]), "unmapped billing");
    assert_eq!(place(&[("service", " "), ("namespace", "Shop")]), "unmapped shop");
    assert_eq!(place(&[]), "unmapped x", "an alert that says nothing else is about what it is called");
}

#[test]
fn a_storm_of_alerts_is_one_incident_and_one_page_and_fits_one_item() {
    let mut world = two_releases();
    world.now = at("15:50");
    let storm: Vec<_> = (0..500).map(|i| alert(&format!("{:0>100}", i), at("15:50"), None)).collect();
    assert_eq!(world.alert(&storm), Reason::IncidentOpened { alerts: 500 }, "all are counted");
    assert_eq!(world.alert(&storm), Reason::AlreadyKnown, "what is forgotten is the same each time");
    check(&mut world, expect!["page feanil first-responder (first_suspect)"]);
    let signals = serde_json::to_string(&world.situation.signals.values().next().unwrap().value).unwrap();
    let incident = serde_json::to_string(&world.situation.incidents.values().next().unwrap().value).unwrap();
    assert!(signals.len() < 380_000 && incident.len() < 380_000, "{} {}", signals.len(), incident.len());
}

#[test]
fn many_incidents_that_leave_at_once_fit_the_transactions_they_are_given() {
    let mut world = two_releases();
    world.service.policy.reopen_within = jiff::SignedDuration::ZERO;
    for i in 0..150 {
        let (from, to) = (
            at("15:50") + jiff::SignedDuration::from_secs(2 * i),
            at("15:50") + jiff::SignedDuration::from_secs(2 * i + 1),
        );
        world.now = to;
        world.alert(&[alert("Flapping", from, None)]);
        world.alert(&[alert("Flapping", from, Some(to))]);
    }
    assert_eq!(world.situation.incidents.len(), 150);
    world.now = at("Sun 15:50");
    let first = crate::on_schedule::decide(&world.situation, &[], &world.service, &world.settings, world.now);
    assert!(first.decisions.actions() <= 100, "{}", first.decisions.actions());
    world.settle();
    assert!(world.situation.incidents.is_empty());
}

/// `count` alerts with long words, firing or over.
fn storm(count: usize, over: bool) -> Vec<crate::Alert> {
    let words = "\u{1f525}".repeat(300);
    let named = |i| alert(&format!("{i:0>100}"), at("15:50"), over.then(|| at("15:55")));
    (0..count).map(|i| crate::Alert { summary: words.clone(), ..named(i) }).collect()
}

#[test]
fn an_incident_is_not_over_while_any_alert_of_its_storm_fires_whatever_order_they_come_in() {
    for (reversed, count) in [(false, 700), (true, 700), (false, 201), (true, 201)] {
        let mut world = two_releases();
        world.now = at("15:50");
        let (mut firing, mut over) = (storm(count, false), storm(count, true));
        if reversed {
            firing.reverse();
            over.reverse();
        }
        firing.chunks(100).for_each(|some| drop(world.alert(some)));
        let incident = world.situation.incidents.values().next().unwrap().value.clone();
        assert_eq!(incident.alerts(), count);
        world.now = at("15:56");
        let last = over.pop().unwrap();
        for some in over.chunks(100).chain(over.chunks(100)) {
            assert_ne!(world.alert(some), Reason::IncidentResolved, "one of {count} still fires");
        }
        let signals = serde_json::to_string(&world.situation.signals.values().next().unwrap().value).unwrap();
        assert!(signals.len() < 400_000, "{}", signals.len());
        assert_eq!(world.alert(&[last]), Reason::IncidentResolved);
        assert_eq!(world.alert(&firing), Reason::AlreadyKnown, "and what comes late opens nothing");
    }
}

#[test]
fn where_even_times_are_too_many_an_incident_is_over_a_day_after_the_last_that_was_forgotten() {
    let mut world = two_releases();
    world.now = at("15:50");
    assert!(matches!(world.alert(&storm(3000, false)), Reason::IncidentOpened { alerts: 700.. }));
    world.now = at("15:56");
    let known: Vec<_> = storm(3000, true);
    assert_ne!(world.alert(&known), Reason::IncidentResolved, "who knows");
    world.until(at("Sat 15:49"));
    let open = |world: &World| world.situation.incidents.values().any(|i| i.value.is_open());
    assert!(open(&world));
    world.heard();
    world.until(at("Sat 15:50"));
    assert!(!open(&world) && world.situation.signals.values().all(|s| s.value.open.is_none()));
    assert!(world.heard().contains("notice feanil resolved (resolved_at)"));
}

#[test]
fn the_most_severe_alert_of_many_is_the_headline() {
    let mut world = two_releases();
    world.now = at("15:50");
    let mut many: Vec<_> = (0..30).map(|i| alert(&format!("a{i:02}"), at("15:50"), None)).collect();
    many.iter_mut().for_each(|a| a.severity = crate::Severity::Warning);
    many.push(alert("zzz", at("15:51"), None));
    world.alert(&many);
    assert_eq!(world.told[0].title, "[critical] edxapp production: zzz");
}

#[test]
fn what_was_forgotten_because_there_is_too_much_may_fire_for_a_day_yet() {
    for (minutes, over) in [(24 * 60 - 1, false), (24 * 60, true), (24 * 60 + 1, true)] {
        let mut world = World::new();
        world.now = at("12:00");
        world.alert(&[alert("HighErrorRate", at("12:00"), None)]);
        world.situation.signals.values_mut().next().unwrap().value.lost_at = Some(at("12:00"));
        world.now = at("12:00") + jiff::SignedDuration::from_mins(minutes);
        world.alert(&[alert("HighErrorRate", at("12:00"), Some(world.now))]);
        let incident = &world.situation.incidents.values().next().unwrap().value;
        assert_eq!(incident.resolved_at.is_some(), over, "{minutes}");
        assert_eq!(world.situation.signals.values().next().unwrap().value.open.is_none(), over, "{minutes}");
    }
}

#[test]
fn what_a_message_left_out_is_written_only_where_it_is_something_and_each_alert_goes_to_its_place() {
    use crate::on_alert::AlertEvent;
    let event = |left_out| AlertEvent { alerts: vec![], left_out, brief: false };
    let written = |left_out| serde_json::to_value(event(left_out)).unwrap().get("left_out").cloned();
    assert_eq!((written(0), written(1), written(7)), (None, Some(1.into()), Some(7.into())));
    let settings = crate::testing::settings();
    let alerts = vec![
        alert("One", at("12:00"), None),
        alert("Two", at("12:00"), None),
        crate::Alert { labels: [].into(), ..alert("Lost", at("12:00"), None) },
    ];
    let places = |may: bool| {
        let all = AlertEvent { alerts: alerts.clone(), ..event(0) }.by_place(&settings, |_| may);
        let line = |(place, alerts): (crate::alert::Place, Vec<crate::Alert>)| {
            let names: Vec<String> = alerts.into_iter().map(|alert| alert.name).collect();
            format!("{}: {}", place.service, names.join(", "))
        };
        all.into_iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(places(true), ["edxapp: One, Two", "unmapped: Lost"]);
    assert_eq!(
        places(false),
        ["unmapped: One, Two", "unmapped: Lost"],
        "who may not speak for the service speaks for none"
    );
}
