//! The ladder, told as stories: who is paged when, what stops it, what starts it again, why nobody is.

use expect_test::{Expect, expect};
use jiff::{SignedDuration, Timestamp};

use crate::DeploymentState::Succeeded;
use crate::maintenance::Maintenance;
use crate::mode::Mode;
use crate::on_request::incidents::Refused;
use crate::outcome::State;
use crate::testing::{World, alert, at, change, deployment, person};
use crate::{Alert, ChangeId, Contact, DeploymentEvent, Reason, Record, Severity};

/// Three changes of three people live since 15:40, the newest of olga, then usama, then feanil; anna has the rotation,
/// then bert; carl owns the service.
pub(crate) fn release() -> World {
    let mut world = World::new();
    world.change_roster(|people| {
        people.push(person("bert", "Bert", "Europe/Berlin"));
        people.push(person("carl", "Carl", "Europe/Berlin"));
    });
    world.change_service(|service| {
        service.rotation = vec!["anna".parse().unwrap(), "bert".parse().unwrap()];
        service.owners = vec!["carl".parse().unwrap()];
    });
    world.now = at("15:00");
    for (number, who) in [(12, "feanil"), (13, "usama"), (14, "olga")] {
        world.merge(change(number, who, at("15:00") + SignedDuration::from_mins(number as i64)));
    }
    world.deploy(&deployment(1, 14, "prod", Succeeded, at("15:40")));
    world.until(at("15:45"));
    world.told.clear();
    world
}

pub(crate) fn fires(world: &mut World, when: &str) -> Reason {
    world.until(at(when));
    let reason = world.alert(&[alert("HighErrorRate", at(when), None)]);
    world.settle();
    reason
}

pub(crate) fn is_over(world: &mut World, since: &str, when: &str) {
    world.until(at(when));
    world.alert(&[alert("HighErrorRate", at(since), Some(at(when)))]);
    world.settle();
}

/// `15:50 olga first-responder (first_suspect)`, a line for each page until then, notices left out.
fn pages(world: &mut World, until: &str) -> String {
    world.until(at(until));
    world.nobody_told_twice();
    let line = |m: &crate::Message| {
        let nth = if m.key.nth > 0 { format!(" #{}", m.key.nth) } else { String::new() };
        let time = m.decided_at.strftime("%H:%M");
        format!("{time} {} {}{nth} ({})", m.key.person, m.key.step.word(), m.reason.name())
    };
    let told = std::mem::take(&mut world.told);
    told.iter().filter(|m| m.kind == crate::Kind::Page).map(line).collect::<Vec<_>>().join("\n")
}

pub(crate) fn check(world: &mut World, until: &str, want: Expect) {
    want.assert_eq(&pages(world, until));
}

pub(crate) fn incident(world: &World) -> &crate::Incident {
    &world.situation.incidents.values().max_by_key(|i| i.value.detected_at).unwrap().value
}

fn change_of(number: u64) -> ChangeId {
    ChangeId { repository: crate::testing::repository(), commit: crate::testing::commit(number) }
}

fn reasons(world: &World, name: &str) -> usize {
    world.reasons.iter().filter(|reason| **reason == name).count()
}

#[test]
fn the_whole_ladder_if_nobody_ever_answers() {
    let mut world = release();
    fires(&mut world, "15:50");
    check(
        &mut world,
        "16:40",
        expect![[r#"
            15:50 olga first-responder (first_suspect)
            15:53 usama next-responder (next_suspect)
            15:54 anna rotation (nobody_acknowledged)
            15:56 feanil next-responder (next_suspect)
            15:59 bert rotation (nobody_acknowledged)
            16:00 olga first-responder #1 (still_unacknowledged)
            16:03 usama next-responder #1 (still_unacknowledged)
            16:04 carl owner (nobody_acknowledged)
            16:04 anna rotation #1 (still_unacknowledged)
            16:06 feanil next-responder #1 (still_unacknowledged)
            16:09 bert rotation #1 (still_unacknowledged)
            16:14 carl owner #1 (still_unacknowledged)
            16:20 olga first-responder #2 (still_unacknowledged)
            16:23 usama next-responder #2 (still_unacknowledged)
            16:24 anna rotation #2 (still_unacknowledged)
            16:26 feanil next-responder #2 (still_unacknowledged)
            16:29 bert rotation #2 (still_unacknowledged)
            16:34 carl owner #2 (still_unacknowledged)"#]],
    );
    // Suspects are left alone after three repetitions; the rotation and the owner are asked each hour.
    let later = pages(&mut world, "Sat 15:50");
    assert_eq!(later.matches("olga").count(), 1, "{later}");
    assert!(later.matches("anna").count() > 20 && later.matches("carl").count() > 20, "{later}");
}

#[test]
fn late_wakes_page_whoever_is_due_by_then_in_order_and_once() {
    let mut world = release();
    fires(&mut world, "15:50");
    world.told.clear();
    world.now = at("16:03");
    world.settle();
    check(
        &mut world,
        "16:03",
        expect![[r#"
            16:03 usama next-responder (next_suspect)
            16:03 anna rotation (nobody_acknowledged)
            16:03 feanil next-responder (next_suspect)
            16:03 bert rotation (nobody_acknowledged)
            16:03 olga first-responder #1 (still_unacknowledged)"#]],
    );
}

#[test]
fn an_acknowledgement_stops_it_until_it_grows_stale_and_then_whoever_gave_it_is_asked_first() {
    let mut world = release();
    fires(&mut world, "15:50");
    world.now = at("15:51");
    world.acknowledge("olga").unwrap();
    assert_eq!(incident(&world).state(&world.service.policy, world.now), State::Acknowledged);
    check(&mut world, "16:50", expect!["15:50 olga first-responder (first_suspect)"]);
    check(&mut world, "16:51", expect!["16:51 olga first-responder #1000 (acknowledgement_stale)"]);
    let again = incident(&world).pages.last().unwrap().clone();
    assert_eq!((again.round, again.reason.name()), (1, "acknowledgement_stale"));
    world.now = at("16:52");
    world.acknowledge("olga").unwrap();
    check(&mut world, "17:51", expect![""]);
    check(
        &mut world,
        "17:56",
        expect![[r#"
            17:52 olga first-responder #2000 (acknowledgement_stale)
            17:55 usama next-responder #2000 (next_suspect)
            17:56 anna rotation #2000 (nobody_acknowledged)"#]],
    );
}

#[test]
fn several_may_acknowledge_and_saying_it_again_is_harmless() {
    let mut world = release();
    fires(&mut world, "15:50");
    world.until(at("15:55"));
    world.told.clear();
    world.acknowledge("olga").unwrap();
    assert_eq!(world.acknowledge("olga"), Err(Refused::Before { at: at("15:55") }));
    world.acknowledge("anna").unwrap();
    expect![[r#"
        notice anna acknowledged (acknowledged_by)
        notice usama acknowledged (acknowledged_by)"#]]
    .assert_eq(&world.heard());
}

#[test]
fn not_mine_passes_to_the_next_suspect_at_once_and_is_remembered() {
    let mut world = release();
    fires(&mut world, "15:50");
    world.now = at("15:51");
    world.does("olga", |counter| counter.not_mine(None)).unwrap();
    assert_eq!(world.does("olga", |counter| counter.not_mine(None)), Err(Refused::SaidAlready));
    check(
        &mut world,
        "15:53",
        expect![[r#"
            15:50 olga first-responder (first_suspect)
            15:51 usama first-responder (first_suspect)
            15:53 feanil next-responder (next_suspect)"#]],
    );
    world.does("usama", |counter| counter.not_mine(None)).unwrap();
    world.does("feanil", |counter| counter.not_mine(None)).unwrap();
    check(&mut world, "15:53", expect!["15:53 anna rotation (nobodys_own)"]);
    let asked_again = pages(&mut world, "18:00");
    assert!(!["olga", "usama", "feanil"].iter().any(|who| asked_again.contains(who)), "{asked_again}");
}

#[test]
fn whom_somebody_names_instead_is_asked_next_and_it_is_a_first_verdict() {
    let mut world = release();
    fires(&mut world, "15:50");
    world.now = at("15:51");
    assert_eq!(world.does("olga", |c| c.not_mine(Some(&change_of(99)))), Err(Refused::NoSuchSuspect));
    world.does("olga", |counter| counter.not_mine(Some(&change_of(12)))).unwrap();
    check(
        &mut world,
        "15:51",
        expect![[r#"
            15:50 olga first-responder (first_suspect)
            15:51 feanil first-responder (first_suspect)"#]],
    );
    assert_eq!(incident(&world).verdict.as_ref().unwrap().label, "edx-platform#12");
    world.does("anna", |counter| counter.judge(Some(&change_of(13)))).unwrap();
    world.does("olga", |counter| counter.not_mine(Some(&change_of(14)))).unwrap();
    assert_eq!(incident(&world).verdict.as_ref().unwrap().label, "edx-platform#13", "a judgement outweighs a guess");
}

#[test]
fn whoever_takes_it_answers_for_the_first_suspect_too() {
    let mut world = release();
    fires(&mut world, "15:50");
    world.now = at("15:51");
    world.does("anna", |counter| counter.take()).unwrap();
    assert!(world.windows().contains("edx-platform#14 anna active"), "{}", world.windows());
    check(&mut world, "16:50", expect!["15:50 olga first-responder (first_suspect)"]);
    assert_eq!(world.does("anna", |counter| counter.take()), Ok(()), "it would have grown stale in a minute");
    assert!(matches!(world.does("anna", |counter| counter.take()), Err(Refused::Before { .. })));
}

#[test]
fn whoever_says_not_mine_after_taking_it_gives_it_back() {
    let mut world = release();
    fires(&mut world, "15:50");
    world.now = at("15:51");
    world.acknowledge("olga").unwrap();
    world.now = at("15:56");
    world.told.clear();
    world.does("olga", |counter| counter.not_mine(None)).unwrap();
    check(
        &mut world,
        "15:56",
        expect![[r#"
            15:56 usama first-responder #1000 (first_suspect)
            15:56 feanil next-responder #1000 (next_suspect)
            15:56 anna rotation #1000 (nobody_acknowledged)"#]],
    );
}

#[test]
fn what_began_much_later_is_something_else_unless_its_monitor_groups_it() {
    for (minutes, group, again) in [(10, None, false), (20, None, true), (20, Some("g"), false)] {
        let mut world = release();
        let grouped =
            |name: &str, when: Timestamp| Alert { group: group.map(str::to_owned), ..alert(name, when, None) };
        world.until(at("15:50"));
        world.alert(&[grouped("HighErrorRate", at("15:50"))]);
        world.now = at("15:51");
        world.acknowledge("olga").unwrap();
        world.told.clear();
        let then = at("15:50") + SignedDuration::from_mins(minutes);
        world.until(then);
        world.alert(&[grouped("SomethingElse", then)]);
        world.settle();
        let pages = world.heard();
        assert_eq!(pages.contains("page olga first-responder (worsened)"), again, "{minutes} {group:?}: {pages}");
        assert_eq!(world.situation.incidents.len(), 1);
    }
}

#[test]
fn a_warning_that_flaps_is_damped_and_what_is_most_severe_never_is() {
    for (severity, want) in [(Severity::Warning, [1, 1, 1, 0, 0]), (Severity::Critical, [1, 1, 1, 1, 1])] {
        let mut world = release();
        let mut paged = Vec::new();
        for i in 0..5 {
            let (from, to) =
                (at("15:50") + SignedDuration::from_mins(4 * i), at("15:51") + SignedDuration::from_mins(4 * i));
            let told = |over| Alert { severity, ..alert("HighErrorRate", from, over) };
            world.until(from);
            world.alert(&[told(None)]);
            world.settle();
            world.until(to);
            world.alert(&[told(Some(to))]);
            world.settle();
            paged.push(world.heard().matches("page olga").count());
        }
        assert_eq!(paged, want, "{severity:?}");
        assert_eq!(world.situation.incidents.len(), 1, "one incident, opened again");
        assert_eq!(reasons(&world, "flapping") > 0, severity == Severity::Warning, "and it says why");
    }
}

#[test]
fn what_flaps_and_then_stays_pages_once_it_has_fired_for_a_while() {
    let mut world = release();
    for i in 0..4 {
        let (from, to) =
            (at("15:50") + SignedDuration::from_mins(4 * i), at("15:51") + SignedDuration::from_mins(4 * i));
        world.until(from);
        world.alert(&[Alert { severity: Severity::Warning, ..alert("Slow", from, None) }]);
        world.until(to);
        if i < 3 {
            world.alert(&[Alert { severity: Severity::Warning, ..alert("Slow", from, Some(to)) }]);
        }
    }
    world.told.clear();
    check(&mut world, "16:11", expect![""]);
    check(&mut world, "16:12", expect!["16:12 olga first-responder #4000 (first_suspect)"]);
}

#[test]
fn maintenance_keeps_everybody_asleep_and_what_still_fires_after_it_pages() {
    let mut world = release();
    let mut paging = world.situation.paging.value.clone();
    paging.add_maintenance(Maintenance {
        environment: None,
        from: at("15:45"),
        until: at("16:10"),
        why: "database upgrade".into(),
        by: "anna".parse().unwrap(),
        ended_at: None,
    });
    world.situation.note(Record::Paging(paging), 1);
    fires(&mut world, "15:50");
    check(&mut world, "16:09", expect![""]);
    assert_eq!(incident(&world).state(&world.service.policy, world.now), State::Detected);
    assert_eq!(reasons(&world, "under_maintenance"), 1, "said once");
    check(
        &mut world,
        "16:13",
        expect![[r#"
            16:10 olga first-responder #1000 (first_suspect)
            16:13 usama next-responder #1000 (next_suspect)"#]],
    );
}

#[test]
fn a_revert_that_is_live_is_given_time_and_judges() {
    let mut world = release();
    fires(&mut world, "15:50");
    world.until(at("15:55"));
    world.told.clear();
    let mut revert = change(15, "olga", at("15:56"));
    revert.reverts =
        crate::revert::read("Revert \"change number 14\"", "Reverts openedx/edx-platform#14", &revert.id.repository);
    revert.title = "Revert \"change number 14\"".into();
    world.now = at("15:56");
    world.merge(revert);
    world.deploy(&DeploymentEvent {
        created_at: Some(at("15:57")),
        ..deployment(2, 15, "prod", Succeeded, at("15:57"))
    });
    world.until(at("15:57"));
    assert_eq!(incident(&world).state(&world.service.policy, world.now), State::Mitigated);
    check(&mut world, "16:11", expect!["15:56 feanil next-responder (next_suspect)"]);
    // It was not that: a new round, and whoever was reverted is not asked again.
    check(
        &mut world,
        "16:15",
        expect![[r#"
            16:12 usama first-responder #1000 (first_suspect)
            16:15 feanil next-responder #1000 (next_suspect)"#]],
    );
    is_over(&mut world, "15:50", "16:15");
    assert_eq!(incident(&world).state(&world.service.policy, world.now), State::Judged);
    assert_eq!(incident(&world).verdict.as_ref().unwrap().label, "edx-platform#14");
}

#[test]
fn what_is_less_severe_than_the_service_pages_for_is_shown_and_pages_nobody() {
    let mut world = release();
    world.until(at("15:50"));
    world.alert(&[Alert { severity: Severity::Info, ..alert("Watchdog", at("15:50"), None) }]);
    check(&mut world, "Sat 15:50", expect![""]);
    assert_eq!(reasons(&world, "not_severe_enough"), 1);
    let mut worse = release();
    worse.until(at("15:50"));
    worse.alert(&[Alert { severity: Severity::Info, ..alert("Slow", at("15:50"), None) }]);
    worse.until(at("15:58"));
    worse.alert(&[alert("Down", at("15:58"), None)]);
    check(&mut worse, "15:58", expect!["15:58 olga first-responder #1000 (first_suspect)"]);
}

#[test]
fn in_manual_mode_nobody_is_paged_and_it_says_why() {
    let mut world = release();
    world.change_service(|service| service.mode = Mode::Manual);
    fires(&mut world, "15:50");
    check(&mut world, "18:00", expect![""]);
    assert_eq!(reasons(&world, "manual_mode"), 1);
}

#[test]
fn the_pagers_rotation_goes_before_the_configured_one_while_it_is_fresh() {
    let mut world = World::new();
    let mut paging = crate::paging::Paging::default();
    paging.on_call = Some(crate::paging::OnCall {
        people: vec!["usama".parse().unwrap()],
        read_at: at("15:00"),
        until: None,
        unread: None,
    });
    world.situation.note(Record::Paging(paging.clone()), 1);
    fires(&mut world, "15:50");
    check(
        &mut world,
        "15:55",
        expect![[r#"
            15:50 usama rotation (no_suspect)
            15:55 anna rotation (nobody_acknowledged)"#]],
    );
    assert_eq!(
        paging.rotation(&world.service, at("Sat 15:01")),
        world.service.rotation,
        "a day later it counts no more"
    );
}

#[test]
fn pagers_and_channels_hear_what_became_of_a_page() {
    let mut world = release();
    world.change_roster(|people| {
        let olga = people.iter_mut().find(|p| p.id.as_str() == "olga").unwrap();
        olga.contacts = vec![Contact { receiver: "pd".into(), address: "P1".into(), keeps: true }];
        people.push(person("channel-of-edxapp", "the channel of edxapp", "UTC"));
    });
    world.change_service(|service| service.channel = Some("channel-of-edxapp".parse().unwrap()));
    fires(&mut world, "15:50");
    world.now = at("15:51");
    world.acknowledge("olga").unwrap();
    is_over(&mut world, "15:50", "15:55");
    let keys: Vec<String> = world
        .told
        .iter()
        .map(|m| {
            let key = m.pager_key.as_ref().and_then(|key| key.split_once('/')).map_or("", |(_, rest)| rest);
            format!("{} {} {} {key}", m.kind.word(), m.key.person, m.key.step.word())
        })
        .collect();
    expect![[r#"
        page olga first-responder 0/olga
        notice channel-of-edxapp opened 
        notice channel-of-edxapp acknowledged 
        update olga pager-acknowledged 0/olga
        notice olga resolved 
        notice channel-of-edxapp resolved 
        update olga pager-resolved 0/olga"#]]
    .assert_eq(&keys.join("\n"));
    let channel = world.told.iter().find(|m| m.key.step == crate::Step::Opened).unwrap();
    expect![[r#"
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 15:50 (UTC).
        Paged: Olga (edx-platform#14: likely the cause by 42 %).
        What changed:
          1. edx-platform#14 change number 14 (Olga; about 40 %: live 49 min before the alert)
          2. edx-platform#13 change number 13 (Usama; about 25 %: live 49 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 49 min before the alert)
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp"#]]
    .assert_eq(&channel.plain());
}

#[test]
fn who_heard_that_it_is_taken_is_asked_anew_when_that_is_given_back() {
    let mut world = release();
    fires(&mut world, "15:50");
    world.until(at("15:52"));
    // Whether usama's page has reached him or was withdrawn for this, nobody knows here.
    world.acknowledge("olga").unwrap();
    world.until(at("15:55"));
    world.told.clear();
    world.does("olga", |counter| counter.not_mine(None)).unwrap();
    check(
        &mut world,
        "15:55",
        expect![[r#"
            15:55 usama first-responder #1000 (first_suspect)
            15:55 feanil next-responder #1000 (next_suspect)
            15:55 anna rotation #1000 (nobody_acknowledged)"#]],
    );
    // While somebody else is still at it, nothing begins anew.
    world.acknowledge("anna").unwrap();
    world.acknowledge("bert").unwrap();
    world.does("anna", |counter| counter.not_mine(None)).unwrap();
    check(&mut world, "16:30", expect![""]);
}

#[test]
fn a_second_acknowledgement_of_a_round_and_a_second_end_are_told_once_each() {
    let mut world = release();
    world.change_roster(|people| {
        let olga = people.iter_mut().find(|p| p.id.as_str() == "olga").unwrap();
        olga.contacts = vec![Contact { receiver: "pd".into(), address: "P1".into(), keeps: true }];
    });
    fires(&mut world, "15:50");
    world.acknowledge("usama").unwrap();
    world.does("usama", |counter| counter.not_mine(None)).unwrap();
    world.acknowledge("feanil").unwrap();
    is_over(&mut world, "15:50", "15:51");
    fires(&mut world, "15:55");
    is_over(&mut world, "15:55", "15:56");
    world.nobody_told_twice();
    let of_olga = |step| world.told.iter().filter(|m| m.key.step == step && m.key.person.as_str() == "olga").count();
    assert_eq!(of_olga(crate::Step::Acknowledged), 2, "of usama, who gave it back, and of feanil");
    let over = world.told.iter().filter(|m| m.key.step == crate::Step::PagerResolved);
    let over: Vec<&str> = over.filter_map(|m| m.pager_key.as_deref()?.split_once('/')).map(|(_, key)| key).collect();
    assert_eq!(over, ["0/olga", "1/olga", "2/olga"], "each page once");
}
