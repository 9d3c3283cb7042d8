//! What happens after somebody answered: an echo, a change of mind, a failure that goes on or comes back, a night of it.
//! `escalation_tests` has the ladder itself.

use expect_test::expect;
use jiff::SignedDuration;

use crate::DeploymentState::Succeeded;
use crate::acknowledgement::{Acknowledgement, Acknowledger};
use crate::alert::{AcknowledgedThere, Place};
use crate::escalation_tests::{check, fires, incident, is_over, release};
use crate::hold::Hold;
use crate::message::OwnPage;
use crate::on_alert::{self, Elsewhere};
use crate::on_request::incidents::Refused;
use crate::outcome::{NotMine, State};
use crate::paging::{Layer, OnCall};
use crate::service::Schedule;
use crate::testing::{World, alert, at, change, deployment, person};
use crate::{
    Alert, AlertState, Contact, DeploymentEvent, Incident, Kind, Login, Reason, Record, Settings, Severity, Step,
};

/// As `release`, and everybody has a pager that keeps pages.
fn with_pagers() -> World {
    let mut world = release();
    world.change_roster(|people| {
        for person in people {
            person.contacts = vec![Contact { receiver: "pd".into(), address: "P1".into(), keeps: true }];
        }
    });
    world
}

/// `olga pager-resolved 0/olga`, a line for each thing that pagers were told since the last time.
fn pagers(world: &mut World) -> String {
    world.nobody_told_twice();
    let line = |m: &crate::Message| {
        let (_, key) = m.pager_key.as_deref()?.split_once('/')?;
        (m.kind == Kind::Update).then(|| format!("{} {key} {}", m.key.step.word(), m.again))
    };
    std::mem::take(&mut world.told).iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

fn taken_there(by: &str, when: &str, since: &str) -> Alert {
    let there = AcknowledgedThere { at: at(when), login: Some(Login::new("github", by).unwrap()), name: by.into() };
    Alert { state: AlertState::Acknowledged, acknowledged: Some(there), ..alert("HighErrorRate", at(since), None) }
}

#[test]
fn a_monitor_that_says_again_who_had_taken_it_does_not_take_back_a_not_mine() {
    for ahead in [0, 5] {
        let mut world = release();
        fires(&mut world, "15:50");
        world.until(at("15:51"));
        // Its clock may be ahead of ours.
        let there = at("15:51") + SignedDuration::from_mins(ahead);
        let mut told = taken_there("olga", "15:51", "15:50");
        told.acknowledged.as_mut().unwrap().at = there;
        world.alert(std::slice::from_ref(&told));
        assert_eq!(incident(&world).state(&world.service.policy, world.now), State::Acknowledged);
        world.until(at("15:52"));
        world.does("olga", |counter| counter.not_mine(None)).unwrap();
        world.told.clear();
        world.until(at("15:53"));
        world.alert(&[Alert { summary: "still".into(), ..told.clone() }, alert("Other", at("15:53"), None)]);
        assert_eq!(incident(&world).taken(&world.service.policy, world.now), None, "{ahead} min ahead");
        // Taken there anew, it counts.
        world.until(at("15:58"));
        world.alert(&[taken_there("olga", "15:58", "15:50")]);
        assert!(incident(&world).taken(&world.service.policy, world.now).is_some(), "{ahead} min ahead");
    }
}

#[test]
fn who_takes_it_keeps_their_page_at_the_pager_and_those_of_the_others_are_closed() {
    let mut world = with_pagers();
    fires(&mut world, "15:50");
    world.until(at("15:55"));
    world.told.clear();
    world.acknowledge("usama").unwrap();
    expect![[r#"
        pager-acknowledged 0/usama 0
        pager-resolved 0/olga 0
        pager-resolved 0/anna 0"#]]
    .assert_eq(&pagers(&mut world));
    // A second one joins; it grows stale for both.
    world.until(at("16:54"));
    assert_eq!(pagers(&mut world), "");
    world.until(at("16:56"));
    expect!["pager-resolved 0/usama 0"].assert_eq(&pagers(&mut world));
    is_over(&mut world, "15:50", "16:56");
    assert_eq!(pagers(&mut world), "pager-resolved 1/usama 0");
}

/// What a pager tells of this person's page of the present round.
fn told_of_page(
    world: &mut World,
    whose: &str,
    state: AlertState,
    by: Option<&str>,
    released: Option<&str>,
) -> &'static str {
    let page = OwnPage { incident: incident(world).id.clone(), round: incident(world).round, person: whose.into() };
    let login = by.map(|by| Login::new("pagerduty", by).unwrap());
    let there = AcknowledgedThere { at: world.now, login, name: "Zoe".into() };
    let acknowledged = Some(there).filter(|_| state == AlertState::Acknowledged);
    let answer = Alert { state, acknowledged, released_at: released.map(at), ..alert("Q1", at("15:50"), None) };
    let World { situation, service, settings, now, .. } = &*world;
    let (decisions, reason) = on_alert::answered(&page, &answer, situation, service, settings, *now);
    world.commit(&decisions);
    reason.name()
}

#[test]
fn whoever_takes_it_at_somebodys_page_has_that_open_before_them() {
    // By an account that nobody knows, by that of a contact, by somebody else's.
    for (by, reason, left) in [
        (None, "acknowledged_there", ""),
        (Some("pduty"), "acknowledged_by", "pager-resolved 0/usama 0"),
        (Some("panna"), "acknowledged_by", "pager-resolved 0/usama 0"),
    ] {
        let mut world = with_pagers();
        world.change_roster(|people| {
            let of = |id: &str| Contact { receiver: "pd".into(), address: id.into(), keeps: true };
            people.iter_mut().find(|p| p.id.as_str() == "olga").unwrap().contacts = vec![of("PDUTY")];
            people.iter_mut().find(|p| p.id.as_str() == "anna").unwrap().contacts = vec![of("PANNA")];
        });
        fires(&mut world, "15:50");
        world.until(at("15:53"));
        world.told.clear();
        assert_eq!(told_of_page(&mut world, "olga", AlertState::Acknowledged, by, None), reason);
        let told = pagers(&mut world);
        assert!(!told.contains("resolved 0/olga"), "{by:?}: {told}");
        assert!(told.contains(left), "{by:?}: {told}");
    }
}

#[test]
fn a_strangers_word_at_ones_own_page_is_ones_own_to_give_back() {
    let mut world = with_pagers();
    fires(&mut world, "15:50");
    assert_eq!(told_of_page(&mut world, "olga", AlertState::Acknowledged, None, None), "acknowledged_there");
    world.until(at("15:52"));
    world.told.clear();
    world.does("olga", |counter| counter.not_mine(None)).unwrap();
    check(&mut world, "15:52", expect!["15:52 usama first-responder #1000 (first_suspect)"]);
}

#[test]
fn what_is_given_back_where_it_was_taken_is_asked_for_anew() {
    // At our own page, as when a pager's acknowledgement runs out.
    let mut world = with_pagers();
    fires(&mut world, "15:50");
    assert_eq!(told_of_page(&mut world, "olga", AlertState::Acknowledged, None, None), "acknowledged_there");
    world.until(at("16:20"));
    world.told.clear();
    assert_eq!(told_of_page(&mut world, "olga", AlertState::Firing, None, Some("15:49")), "our_own_page", "of before");
    assert_eq!(told_of_page(&mut world, "olga", AlertState::Firing, None, Some("16:20")), "given_back_there");
    check(&mut world, "16:20", expect!["16:20 olga first-responder #1000 (first_suspect)"]);
    // In the monitor: what was not given back counts on.
    let mut world = release();
    fires(&mut world, "15:50");
    world.until(at("15:51"));
    let other = Alert { fingerprint: "Other".into(), ..taken_there("anna", "15:51", "15:50") };
    world.alert(&[taken_there("olga", "15:51", "15:50"), other]);
    let released = |name: &str, when: &str| Alert {
        released_at: Some(at(when)),
        fingerprint: name.into(),
        ..alert("HighErrorRate", at("15:50"), None)
    };
    world.until(at("15:55"));
    world.alert(&[released("Other", "15:55")]);
    assert!(incident(&world).taken(&world.service.policy, world.now).is_some(), "olga has hers");
    world.told.clear();
    world.alert(&[released("HighErrorRate", "15:56")]);
    check(&mut world, "15:55", expect!["15:55 olga first-responder #1000 (first_suspect)"]);
    // The news of its taking comes again, late.
    world.alert(&[taken_there("olga", "15:51", "15:50")]);
    assert_eq!(incident(&world).taken(&world.service.policy, world.now), None);
}

#[test]
fn what_is_given_back_of_one_alert_leaves_what_was_taken_of_another() {
    let mut world = release();
    fires(&mut world, "15:50");
    let other = |alert: Alert| Alert { fingerprint: "Other".into(), ..alert };
    world.until(at("15:52"));
    world.alert(&[taken_there("olga", "15:51", "15:50"), other(taken_there("anna", "15:52", "15:50"))]);
    world.until(at("15:55"));
    let released = Alert { released_at: Some(at("15:55")), ..alert("HighErrorRate", at("15:50"), None) };
    world.alert(&[other(released)]);
    // What olga took is over; the other, which nobody has, goes on. She has the incident.
    world.until(at("16:10"));
    world.told.clear();
    world.alert(&[alert("HighErrorRate", at("15:50"), Some(at("16:10")))]);
    check(&mut world, "16:40", expect![""]);
}

#[test]
fn the_news_that_it_was_taken_may_come_after_that_it_was_given_back() {
    let mut world = with_pagers();
    fires(&mut world, "15:50");
    world.until(at("15:51"));
    assert_eq!(told_of_page(&mut world, "olga", AlertState::Firing, None, Some("15:52")), "our_own_page");
    assert_eq!(told_of_page(&mut world, "olga", AlertState::Acknowledged, None, None), "our_own_page", "of 15:51");
    world.until(at("15:53"));
    // That it was given back at usama's page says nothing of hers.
    assert_eq!(told_of_page(&mut world, "usama", AlertState::Firing, None, Some("15:54")), "our_own_page");
    assert_eq!(told_of_page(&mut world, "usama", AlertState::Acknowledged, None, None), "our_own_page", "of 15:53");
    assert_eq!(told_of_page(&mut world, "olga", AlertState::Acknowledged, None, None), "acknowledged_there");
}

#[test]
fn what_was_taken_as_a_warning_is_not_taken_when_the_same_alert_becomes_critical() {
    for (taken, counts) in [("15:54", false), ("15:57", true)] {
        let mut world = release();
        let told = |severity| Alert { severity, ..alert("HighErrorRate", at("15:50"), None) };
        world.until(at("15:50"));
        world.alert(&[told(Severity::Warning)]);
        world.until(at("15:52"));
        world.acknowledge("olga").unwrap();
        world.until(at("15:56"));
        world.alert(&[told(Severity::Critical)]);
        assert_eq!(incident(&world).round, 1);
        world.until(at("15:57"));
        world.alert(&[taken_there("anna", taken, "15:50")]);
        assert_eq!(incident(&world).taken(&world.service.policy, world.now).is_some(), counts, "{taken}");
    }
}

#[test]
fn in_a_round_asked_anew_an_answer_at_the_pager_counts() {
    let mut world = with_pagers();
    world.change_service(|service| {
        service.rotation = vec!["anna".parse().unwrap()];
        service.owners = vec!["anna".parse().unwrap()];
    });
    fires(&mut world, "15:50");
    for who in ["olga", "usama", "feanil", "anna"] {
        world.does(who, |counter| counter.not_mine(None)).unwrap();
    }
    assert_eq!(told_of_page(&mut world, "anna", AlertState::Acknowledged, None, None), "not_mine");
    world.until(at("16:01"));
    assert_eq!(told_of_page(&mut world, "anna", AlertState::Acknowledged, None, None), "acknowledged_there");
}

#[test]
fn who_refuses_again_at_once_does_not_keep_the_others_from_being_asked() {
    let mut world = release();
    fires(&mut world, "15:50");
    for who in ["olga", "usama", "feanil", "anna", "bert", "carl"] {
        world.does(who, |counter| counter.not_mine(None)).unwrap();
    }
    world.until(at("16:01"));
    world.does("anna", |counter| counter.not_mine(None)).unwrap();
    world.told.clear();
    check(
        &mut world,
        "16:16",
        expect![[r#"
            16:11 bert rotation #1001 (still_unacknowledged)
            16:14 carl owner #1000 (nobody_acknowledged)"#]],
    );
}

#[test]
fn who_took_the_last_of_it_in_the_monitor_before_we_heard_has_taken_it_and_who_took_less_has_not() {
    for (taken, counts) in [("15:56", true), ("15:54", false)] {
        let mut world = release();
        world.until(at("15:50"));
        world.alert(&[Alert { severity: Severity::Warning, ..alert("Slow", at("15:50"), None) }]);
        world.until(at("15:52"));
        world.acknowledge("olga").unwrap();
        // The monitor's first word of it was lost.
        world.until(at("15:57"));
        world.alert(&[alert("Down", at("15:55"), None)]);
        world.told.clear();
        let there = AcknowledgedThere { at: at(taken), login: None, name: "Bob".into() };
        let state = AlertState::Acknowledged;
        world.alert(&[Alert {
            state,
            acknowledged: Some(there),
            severity: Severity::Info,
            ..alert("Slow", at("15:50"), None)
        }]);
        assert_eq!(incident(&world).taken(&world.service.policy, world.now).is_some(), counts, "{taken}");
        let told = world.heard();
        assert_eq!(told.contains("acknowledged (acknowledged_there)"), counts, "{taken}: {told}");
    }
}

#[test]
fn taking_it_renews_ones_word_and_the_channel_hears_of_pages_only() {
    let mut world = with_pagers();
    world.change_roster(|people| people.push(person("channel", "the channel", "UTC")));
    world.change_service(|service| service.channel = Some("channel".parse().unwrap()));
    fires(&mut world, "15:50");
    world.acknowledge("olga").unwrap();
    world.until(at("16:48"));
    assert_eq!(world.does("olga", |counter| counter.take()), Ok(()));
    world.told.clear();
    check(&mut world, "17:40", expect![""]);
    world.does("olga", |counter| counter.not_mine(None)).unwrap();
    let channel = world.told.iter().filter(|m| m.key.person.as_str() == "channel").flat_map(|m| m.lines.clone());
    let paged: Vec<String> = channel.filter(|line| line.contains("Paged")).collect();
    assert!(paged.iter().all(|line| !line.contains("Olga")) && !paged.is_empty(), "{paged:?}");
}

#[test]
fn not_mine_closes_ones_own_page_and_asked_again_it_is_another_one() {
    let mut world = with_pagers();
    fires(&mut world, "15:50");
    world.until(at("16:00"));
    world.told.clear();
    world.does("olga", |counter| counter.not_mine(None)).unwrap();
    expect!["pager-resolved 0/olga 1"].assert_eq(&pagers(&mut world));
    // They take it after all; then not.
    world.does("olga", |counter| counter.take()).unwrap();
    assert_eq!(world.does("olga", |counter| counter.not_mine(None)), Ok(()), "they had taken it since");
    assert_eq!(world.does("olga", |counter| counter.not_mine(None)), Err(Refused::SaidAlready));
}

#[test]
fn a_page_that_nobody_answers_is_another_page_at_the_pager_each_time_and_all_are_closed() {
    let mut world = with_pagers();
    fires(&mut world, "15:50");
    world.until(at("16:25"));
    let keys: Vec<String> = world
        .told
        .iter()
        .filter(|m| m.kind == Kind::Page && m.key.person.as_str() == "anna")
        .map(|m| m.at_pager())
        .collect();
    let id = &incident(&world).id;
    let want: Vec<String> = ["", "/1", "/2"].iter().map(|again| format!("deployers/{id}/0/anna{again}")).collect();
    assert_eq!(keys, want);
    is_over(&mut world, "15:50", "16:25");
    let closed = world.told.iter().filter(|m| m.key.step == Step::PagerResolved && m.key.person.as_str() == "anna");
    let closed: Vec<String> = closed.flat_map(crate::Message::of_each_repeat).map(|m| m.at_pager()).collect();
    assert_eq!(closed, want);
}

#[test]
fn what_had_begun_before_somebody_took_it_and_was_told_after_is_not_taken() {
    let mut world = release();
    world.until(at("15:50"));
    world.alert(&[Alert { severity: Severity::Warning, ..alert("Slow", at("15:50"), None) }]);
    world.until(at("15:52"));
    world.acknowledge("olga").unwrap();
    world.told.clear();
    // It fired at 15:51 and is told at 15:56, as rules that wait do.
    world.until(at("15:56"));
    world.alert(&[alert("Down", at("15:51"), None)]);
    check(&mut world, "15:56", expect!["15:56 olga first-responder #1000 (worsened)"]);
    // Taken in the very second in which it is told, it is taken.
    world.acknowledge("olga").unwrap();
    world.alert(&[
        alert("Down", at("15:51"), None),
        Alert { summary: "more".into(), ..alert("Slow", at("15:50"), None) },
    ]);
    check(&mut world, "16:30", expect![""]);
}

#[test]
fn a_monitor_whose_clock_is_ahead_worsens_it_once() {
    let mut world = release();
    world.until(at("15:50"));
    world.alert(&[Alert { severity: Severity::Warning, ..alert("Slow", at("15:50"), None) }]);
    world.acknowledge("olga").unwrap();
    world.until(at("15:56"));
    world.told.clear();
    world.alert(&[alert("Down", at("16:05"), None)]);
    check(&mut world, "15:56", expect!["15:56 olga first-responder #1000 (worsened)"]);
    world.acknowledge("olga").unwrap();
    check(&mut world, "16:30", expect![""]);
}

#[test]
fn a_revert_after_which_it_fires_again_was_not_it() {
    let mut world = release();
    fires(&mut world, "15:50");
    let mut revert = change(15, "carl", at("15:52"));
    revert.reverts =
        crate::revert::read("Revert \"change number 14\"", "Reverts openedx/edx-platform#14", &revert.id.repository);
    world.until(at("15:52"));
    world.merge(revert);
    let live = deployment(2, 15, "prod", Succeeded, at("15:53"));
    world.deploy(&DeploymentEvent { created_at: Some(at("15:53")), ..live });
    world.until(at("15:53"));
    assert_eq!(incident(&world).state(&world.service.policy, world.now), State::Mitigated);
    is_over(&mut world, "15:50", "15:54");
    world.told.clear();
    fires(&mut world, "15:57");
    assert_eq!(incident(&world).state(&world.service.policy, world.now), State::Paged);
    check(
        &mut world,
        "16:00",
        expect![[r#"
            15:57 usama first-responder #1000 (first_suspect)
            16:00 feanil next-responder #1000 (next_suspect)"#]],
    );
    assert_eq!(world.situation.incidents.len(), 1);
}

#[test]
fn where_everybody_says_not_mine_they_are_asked_once_more() {
    let mut world = release();
    fires(&mut world, "15:50");
    for who in ["olga", "usama", "feanil"] {
        world.does(who, |counter| counter.not_mine(None)).unwrap();
    }
    world.until(at("15:51"));
    for who in ["anna", "bert", "carl"] {
        world.does(who, |counter| counter.not_mine(None)).unwrap();
    }
    world.told.clear();
    check(&mut world, "16:00", expect![""]);
    check(
        &mut world,
        "16:15",
        expect![[r#"
            16:01 anna rotation #1000 (nobodys_own)
            16:06 bert rotation #1000 (nobody_acknowledged)
            16:11 anna rotation #1001 (still_unacknowledged)
            16:15 carl owner #1000 (nobody_acknowledged)"#]],
    );
    // One of them says so again: the others go on; all of them: once more.
    for who in ["anna", "bert", "carl"] {
        world.does(who, |counter| counter.not_mine(None)).unwrap();
    }
    check(
        &mut world,
        "16:30",
        expect![[r#"
            16:25 anna rotation #2000 (nobodys_own)
            16:30 bert rotation #2000 (nobody_acknowledged)"#]],
    );
    world.acknowledge("bert").unwrap();
    check(&mut world, "17:20", expect![""]);
}

#[test]
fn a_night_of_flapping_stays_within_a_record_and_a_transaction() {
    let mut world = with_pagers();
    world.change_roster(|people| {
        for n in 0..40 {
            let mut extra = person(&format!("extra{n}"), "Extra", "UTC");
            extra.contacts = vec![Contact { receiver: "pd".into(), address: "P1".into(), keeps: true }];
            people.push(extra);
        }
    });
    world.change_service(|service| {
        service.rotation = (0..40).map(|n| format!("extra{n}").parse().unwrap()).collect();
        service.policy.rotation_after = SignedDuration::from_secs(10);
    });
    let mut now = at("15:50");
    for round in 0..12 {
        world.until(now);
        world.alert(&[alert("HighErrorRate", now, None)]);
        world.until(now + SignedDuration::from_mins(9));
        if round % 3 == 0 {
            world.acknowledge("usama").unwrap();
            world.settle();
        }
        let over = now + SignedDuration::from_mins(9);
        world.alert(&[alert("HighErrorRate", now, Some(over))]);
        world.settle();
        let incident = incident(&world);
        assert!(incident.pages.len() <= 150 && incident.acknowledged.len() <= 50);
        assert!(incident.pages.iter().all(|page| page.over), "in the end no page is open at a pager");
        now += SignedDuration::from_mins(10);
    }
    assert!(incident(&world).pages.len() > 100, "it was a bad night");
    assert!(world.most_actions <= 100, "{} actions", world.most_actions);
    world.nobody_told_twice();
}

#[test]
fn a_pager_that_pages_somebody_itself_is_left_out_and_only_then() {
    let schedule = |id: &str| Some(Schedule { receiver: "pd".into(), id: id.into() });
    let mut world = with_pagers();
    world.change_service(|service| {
        (service.schedule, service.beside) = (schedule("rotation"), schedule("first"));
    });
    let on_call = |who: &str, unread| OnCall {
        people: vec![who.parse().unwrap()],
        read_at: at("15:45"),
        until: Some(at("Sat 15:45")),
        unread,
    };
    let layer = Layer {
        person: "olga".parse().unwrap(),
        from: at("15:40"),
        until: at("16:40"),
        id: Some("L".into()),
        seen_at: None,
    };
    let unread = crate::paging::Unread { since: at("15:44"), last: at("15:44"), why: "500".into() };
    for (who, unread, want) in [
        ("anna", None, "olga true, usama false, anna true, olga false, usama false, carl false, anna false"),
        ("anna", Some(unread), "olga true, usama false, anna false, olga false, usama false, carl false, anna false"),
    ] {
        let mut world = World { settings: world.settings.clone(), service: world.service.clone(), ..release() };
        let mut paging = world.situation.paging.value.clone();
        (paging.on_call, paging.layer) = (Some(on_call(who, unread)), Some(Layer { seen_at: None, ..layer.clone() }));
        world.situation.note(Record::Paging(paging), world.situation.paging.rev + 1);
        fires(&mut world, "15:50");
        world.until(at("16:04"));
        let pages = world.told.iter().filter(|m| m.kind == Kind::Page && m.key.person.as_str() != "feanil");
        let pages = pages.filter(|m| m.key.person.as_str() != "bert");
        let left: Vec<String> = pages.map(|m| format!("{} {}", m.key.person, m.not_by.is_some())).collect();
        assert_eq!(left.join(", "), want);
    }
}

#[test]
fn a_page_speaks_for_another_service_only_while_it_waits_for_an_answer() {
    let shop = |world: &World, spoil: &dyn Fn(&mut Incident)| {
        let mut other = incident(world).clone();
        (other.id, other.service) = ("shop-aaaaaaaa".parse().unwrap(), "shop".parse().unwrap());
        spoil(&mut other);
        Elsewhere { incident: other, now: false }
    };
    let taken = |by: &str, when: &str| Acknowledgement {
        by: Acknowledger::Person(by.parse().unwrap()),
        at: at(when),
        there: None,
        at_page: None,
    };
    let refused = |by: &str| NotMine { person: by.parse().unwrap(), at: at("15:51"), instead: None };
    let held = || Hold { reason: Reason::ManualMode, until: None };
    type Spoil<'a> = (&'a str, &'a dyn Fn(&mut Incident), bool);
    let cases: [Spoil<'_>; 9] = [
        ("it waits", &|_| {}, true),
        ("she has taken it", &|other| other.acknowledged.push(taken("olga", "15:51")), false),
        ("somebody has", &|other| other.acknowledged.push(taken("anna", "15:51")), false),
        ("not hers, she says", &|other| other.not_mine.push(refused("olga")), false),
        ("not his, says another", &|other| other.not_mine.push(refused("usama")), true),
        ("it is over", &|other| other.resolved_at = Some(at("15:51")), false),
        ("nobody is paged for it now", &|other| other.held = Some(held()), false),
        ("that was in another round", &|other| other.round += 1, false),
        ("that was long ago", &|other| other.pages[0].at = at("15:40"), false),
    ];
    for (what, spoil, want) in cases {
        let mut world = release();
        let mut service = world.service.clone();
        service.id = "shop".parse().unwrap();
        let unmapped = world.settings.service(&"unmapped".parse().unwrap()).unwrap().clone();
        let roster = world.settings.roster.clone();
        let all = [world.service.clone(), service];
        world.settings = Settings::new(all, roster, unmapped, "https://deployers.example.com".into());
        let mut before = World { situation: world.situation.clone(), ..release() };
        fires(&mut before, "15:50");
        let elsewhere = [shop(&before, spoil)];
        world.until(at("15:52"));
        world.told.clear();
        let place = Place { service: world.service.id.clone(), environment: "production".parse().unwrap() };
        let told = [alert("HighErrorRate", at("15:52"), None)];
        let World { situation, service, settings, now, .. } = &world;
        let (decisions, _) = on_alert::decide(&told, &place, situation, service, settings, &elsewhere, *now);
        let page = decisions.messages.iter().find(|m| m.kind == Kind::Page).unwrap();
        let speaks = page.unless.as_ref().map(|key| key.service.to_string());
        assert_eq!(speaks.as_deref(), Some("shop").filter(|_| want), "{what}");
        let also = decisions.messages.iter().any(|m| m.key.step == Step::AlsoBroken);
        assert_eq!(also, want, "{what}");
        // Paged once for this one, she is paged again for it.
        world.commit(&decisions);
        world.until(at("16:05"));
        let again = world.told.iter().filter(|m| m.kind == Kind::Page && m.key.person.as_str() == "olga");
        assert!(again.skip(1).all(|m| m.unless.is_none()), "{what}");
    }
}
