//! Whom a failure points at, and whether whoever is paged can see why.

use expect_test::{Expect, expect};

use crate::DeploymentState::{Failed, Started, Succeeded};
use crate::change::Files;
use crate::testing::{World, alert, at, change, deployment};
use crate::{Alert, Change, Kind, Person};

/// A change with its files.
fn of(number: u64, who: &str, when: &str, title: &str, paths: &[&str]) -> Change {
    let files = Some(Files::of(paths.iter().copied()));
    Change { title: title.into(), files, ..change(number, who, at(when)) }
}

/// Four changes of three people, live together since 15:40.
fn release() -> World {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(of(11, "usama", "14:00", "Coupons in the cart", &["shop/cart/coupons.py", "shop/cart/views.py"]));
    world.merge(of(12, "feanil", "14:10", "Faster search", &["search/index.py"]));
    world.merge(of(13, "usama", "14:20", "Fix the help page", &["help/README.md"]));
    world.merge(of(14, "olga", "14:30", "New colours", &["static/site.css"]));
    world.deploy(&deployment(1, 14, "prod", Succeeded, at("15:40")));
    world.until(at("15:50"));
    world.told.clear();
    world
}

fn fires(world: &mut World, alert: Alert) {
    world.alert(&[alert]);
    world.settle();
}

/// The first page, as its reader has it.
fn page(world: &World, expected: Expect) {
    let page = world.told.iter().find(|message| message.kind == Kind::Page).unwrap();
    expected.assert_eq(&format!("to {}: {}\n{}", page.key.person, page.title, page.lines.join("\n")));
}

/// `12 feanil 35 % +0.2`, a line for each suspect.
fn suspects(world: &World, expected: Expect) {
    let incident = &world.situation.incidents.values().next().unwrap().value;
    let line = |s: &crate::Suspect| {
        let percent = s.percent().unwrap();
        format!("{} {} {percent} %: {}", s.label, s.responder, s.evidence.join(", "))
    };
    expected.assert_eq(&incident.suspects.iter().map(line).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_page_says_why_you_and_not_the_others() {
    let mut world = release();
    let trace = "Traceback (most recent call last):\n  File \"/app/shop/urls.py\", line 3, in route\n  File \"/app/shop/cart/views.py\", line 42, in total\nKeyError";
    fires(&mut world, Alert { detail: Some(trace.into()), ..alert("CartErrors", at("15:50"), None) });
    page(
        &world,
        expect![[r#"
            to usama: [critical] edxapp production: CartErrors
            7 % of requests fail, since 20:50 (Asia/Karachi).
            Why you: you merged edx-platform#11, live 49 min before the alert; the alert names shop/cart/views.py.
            What changed:
              1. edx-platform#11 Coupons in the cart (you; about 95 %: live 49 min before the alert, the alert names shop/cart/views.py, the alert speaks of “cart” too)
              2. edx-platform#12 Faster search (Feanil; about 1 %: live 49 min before the alert)
              3. edx-platform#14 New colours (Olga; about 1 %: live 49 min before the alert, documents, styles and pictures only)
              4. edx-platform#13 Fix the help page (you; about 1 %: live 49 min before the alert, documents, styles and pictures only, says that it mends something)
            Revert: press Revert on https://github.com/openedx/edx-platform/pull/11
            Cannot take it? Leave it: without an acknowledgement by 20:54 (Asia/Karachi), Anna is paged. Not yours? Say so by the link."#]],
    );
}

#[test]
fn without_a_trace_it_is_less_sure() {
    let mut world = release();
    fires(&mut world, alert("HighErrorRate", at("15:50"), None));
    suspects(
        &world,
        expect![[r#"
            edx-platform#12 feanil 25 %: live 49 min before the alert
            edx-platform#14 olga 25 %: live 49 min before the alert, documents, styles and pictures only
            edx-platform#11 usama 20 %: live 49 min before the alert
            edx-platform#13 usama 10 %: live 49 min before the alert, documents, styles and pictures only, says that it mends something"#]],
    );
}

#[test]
fn the_parts_of_each_score_add_up_to_it() {
    let mut world = release();
    fires(&mut world, alert("CouponFailures", at("15:50"), None));
    let incident = &world.situation.incidents.values().next().unwrap().value;
    let first = &incident.suspects[0];
    let lines: Vec<String> = first.weighed.iter().map(|part| format!("{:+} {}", part.points, part.words)).collect();
    expect![[r#"
        +1113 live 49 min before the alert
        +434 3 changes after it
        -219 1 change by its author after it
        +700 the alert speaks of “coupon” too
        = +2028"#]]
    .assert_eq(&format!("{}\n= {:+}", lines.join("\n"), first.score()));
    let likely: u32 = incident.suspects.iter().filter_map(|s| s.likelihood).map(u32::from).sum();
    assert!((500..1_000).contains(&likely), "there is room for none of them: {likely}");
}

/// Eight people, a change each, live together.
fn crowd(world: &mut World) {
    world.change_roster(|people| {
        let one: Person = people[0].clone();
        people.extend((1..=8).map(|i| Person {
            id: format!("p{i}").parse().unwrap(),
            logins: vec![crate::Login::new("github", &format!("p{i}")).unwrap()],
            ..one.clone()
        }));
    });
    for i in 1..=8 {
        world.merge(change(20 + i, &format!("p{i}"), at(&format!("14:0{i}"))));
    }
    world.deploy(&deployment(1, 28, "prod", Succeeded, at("15:40")));
    world.until(at("15:50"));
    world.told.clear();
}

fn heard(world: &mut World, when: &str, expected: Expect) {
    world.until(at(when));
    expected.assert_eq(&world.heard());
}

#[test]
fn where_nobody_stands_out_the_rotation_is_paged_at_once_and_the_likeliest_later() {
    let mut world = World::new();
    world.change_service(|service| service.policy.first_suspect_from = 40);
    world.now = at("15:00");
    crowd(&mut world);
    fires(&mut world, alert("HighErrorRate", at("15:50"), None));
    heard(&mut world, "15:50", expect!["page anna rotation (nobody_stands_out)"]);
    heard(&mut world, "15:56", expect!["page p8 next-responder (nobody_acknowledged)"]);
}

#[test]
fn of_many_only_those_are_paged_who_are_likely_enough() {
    let mut world = World::new();
    world.now = at("15:00");
    crowd(&mut world);
    fires(&mut world, alert("HighErrorRate", at("15:50"), None));
    heard(
        &mut world,
        "16:00",
        expect![[r#"
            page p8 first-responder (first_suspect)
            page p7 next-responder (next_suspect)
            page anna rotation (nobody_acknowledged)
            page p8 first-responder (still_unacknowledged)"#]],
    );
}

#[test]
fn a_person_is_as_likely_as_their_changes_together() {
    let mut world = World::new();
    world.now = at("15:00");
    for (number, who) in [(11, "usama"), (12, "usama"), (13, "usama"), (14, "feanil")] {
        world.merge(change(number, who, at(&format!("14:{number}"))));
    }
    world.deploy(&deployment(1, 14, "prod", Succeeded, at("15:40")));
    world.until(at("15:50"));
    world.told.clear();
    fires(&mut world, alert("HighErrorRate", at("15:50"), None));
    suspects(
        &world,
        expect![[r#"
            edx-platform#14 feanil 40 %: live 49 min before the alert
            edx-platform#13 usama 25 %: live 49 min before the alert
            edx-platform#12 usama 15 %: live 49 min before the alert
            edx-platform#11 usama 10 %: live 49 min before the alert"#]],
    );
    heard(&mut world, "15:50", expect!["page usama first-responder (first_suspect)"]);
}

#[test]
fn who_says_not_mine_makes_the_others_likelier() {
    let mut world = World::new();
    world.change_service(|service| service.policy.next_suspect_from = 60);
    world.now = at("15:00");
    for (number, who) in [(11, "usama"), (14, "feanil")] {
        world.merge(change(number, who, at(&format!("14:{number}"))));
    }
    world.deploy(&deployment(1, 14, "prod", Succeeded, at("15:40")));
    world.until(at("15:50"));
    world.told.clear();
    fires(&mut world, alert("HighErrorRate", at("15:50"), None));
    heard(&mut world, "15:53", expect!["page feanil first-responder (first_suspect)"]);
    world.does("feanil", |counter| counter.not_mine(None)).unwrap();
    heard(&mut world, "15:53", expect!["page usama first-responder (first_suspect)"]);
}

#[test]
fn who_is_on_call_is_among_those_that_are_kept() {
    let mut world = World::new();
    world.now = at("12:00");
    // A revert is hardly ever it, and is the only one whose turn is not over.
    for number in 11..=16 {
        world.merge(change(number, "usama", at("12:00")));
    }
    world.deploy(&deployment(1, 16, "prod", Succeeded, at("12:30")));
    world.until(at("15:00"));
    let mut revert = change(17, "feanil", at("15:00"));
    revert.reverts = crate::revert::read("Revert \"something old\"", "", &revert.id.repository);
    world.merge(revert);
    world.deploy(&deployment(2, 17, "prod", Succeeded, at("15:40")));
    world.until(at("15:50"));
    world.told.clear();
    fires(&mut world, alert("HighErrorRate", at("15:50"), None));
    let incident = &world.situation.incidents.values().next().unwrap().value;
    assert!(incident.suspects.iter().any(|s| s.responder.as_str() == "feanil"));
}

#[test]
fn many_changes_of_a_few_people_do_not_hide_the_people() {
    let mut world = World::new();
    world.now = at("15:00");
    for number in 0..30 {
        let who = ["usama", "feanil", "olga"][number % 3];
        world.merge(change(100 + number as u64, who, at(&format!("14:{number:02}"))));
    }
    world.deploy(&deployment(1, 129, "prod", Succeeded, at("15:40")));
    world.until(at("15:50"));
    world.told.clear();
    fires(&mut world, alert("HighErrorRate", at("15:50"), None));
    heard(
        &mut world,
        "15:57",
        expect![[r#"
        page olga first-responder (first_suspect)
        page feanil next-responder (next_suspect)
        page anna rotation (nobody_acknowledged)
        page usama next-responder (next_suspect)"#]],
    );
}

#[test]
fn whoever_is_left_after_a_not_mine_is_found_however_many_changes_that_was_about() {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(20, "feanil", at("14:00")));
    for number in 21..=28 {
        world.merge(change(number, "usama", at(&format!("14:{number}"))));
    }
    world.deploy(&deployment(1, 28, "prod", Succeeded, at("15:40")));
    world.until(at("15:50"));
    world.told.clear();
    fires(&mut world, alert("HighErrorRate", at("15:50"), None));
    heard(&mut world, "15:50", expect!["page usama first-responder (first_suspect)"]);
    world.does("usama", |counter| counter.not_mine(None)).unwrap();
    heard(&mut world, "15:51", expect!["page feanil first-responder (first_suspect)"]);
}

#[test]
fn a_likely_suspect_whose_turn_is_over_is_asked_before_an_unlikely_one() {
    let mut world = World::new();
    world.now = at("09:00");
    world.merge(of(11, "usama", "09:00", "Carts", &["shop/cart/views.py"]));
    world.deploy(&deployment(1, 11, "prod", Succeeded, at("09:30")));
    world.until(at("15:00"));
    world.merge(of(12, "feanil", "15:00", "New colours", &["static/site.css"]));
    world.deploy(&deployment(2, 12, "prod", Succeeded, at("15:10")));
    world.until(at("15:50"));
    world.told.clear();
    let trace = "File \"/app/shop/cart/views.py\", line 42, in total";
    fires(&mut world, Alert { detail: Some(trace.into()), ..alert("CartErrors", at("15:50"), None) });
    heard(
        &mut world,
        "15:56",
        expect![[r#"
        page anna rotation (nobody_stands_out)
        page usama tail-responder (nobody_acknowledged)"#]],
    );
}

#[test]
fn what_is_learnt_later_does_not_wake_the_rotation_earlier() {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(of(11, "usama", "14:00", "Carts", &["shop/cart/views.py"]));
    world.merge(of(12, "feanil", "14:10", "Search", &["search/index.py"]));
    world.deploy(&deployment(1, 12, "prod", Succeeded, at("15:40")));
    world.until(at("15:50"));
    world.told.clear();
    fires(&mut world, alert("HighErrorRate", at("15:50"), None));
    heard(&mut world, "15:50", expect!["page feanil first-responder (first_suspect)"]);
    world.until(at("15:51"));
    // Nobody is likely enough any more.
    world.service.policy.first_suspect_from = 95;
    let trace = "File \"/app/shop/cart/views.py\", line 42, in total";
    fires(&mut world, Alert { detail: Some(trace.into()), ..alert("CartErrors", at("15:51"), None) });
    heard(&mut world, "15:51", expect!["page usama first-responder (first_suspect)"]);
    heard(&mut world, "15:55", expect!["page anna rotation (nobody_acknowledged)"]);
}

#[test]
fn a_canary_is_as_suspicious_after_it_was_given_up() {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("15:00")));
    world.deploy(&deployment(1, 12, "prod", Started, at("15:40")));
    world.until(at("15:45"));
    fires(&mut world, alert("HighErrorRate", at("15:45"), None));
    let likely = |world: &World| world.situation.incidents.values().next().unwrap().value.suspects[0].likelihood;
    let before = likely(&world);
    world.deploy(&deployment(1, 12, "prod", Failed, at("15:47")));
    world.until(at("15:47"));
    assert_eq!(likely(&world), before);
}

/// Two of the rotation, of whom Anna merged what went live with Feanil's.
fn rotation_of_two() -> World {
    let mut world = World::new();
    world.change_service(|service| service.rotation = vec!["anna".parse().unwrap(), "olga".parse().unwrap()]);
    world.now = at("15:00");
    world.merge(of(11, "usama", "14:00", "Carts", &["shop/cart/views.py"]));
    world.merge(of(12, "anna", "14:10", "Search", &["search/index.py"]));
    world.deploy(&deployment(1, 12, "prod", Succeeded, at("15:40")));
    world.until(at("15:50"));
    world.told.clear();
    world
}

#[test]
fn whoever_was_asked_for_a_change_does_not_stand_for_the_rotation_too() {
    let mut world = rotation_of_two();
    fires(&mut world, alert("HighErrorRate", at("15:50"), None));
    heard(&mut world, "15:50", expect!["page anna first-responder (first_suspect)"]);
    world.until(at("15:51"));
    // Anna is not likely enough any more, and has not answered.
    world.service.policy.first_suspect_from = 99;
    world.service.policy.next_suspect_from = 99;
    fires(&mut world, alert("Slow", at("15:51"), None));
    heard(&mut world, "15:55", expect!["page olga rotation (nobody_acknowledged)"]);
}

#[test]
fn whoever_is_found_later_does_not_keep_the_next_of_the_rotation_asleep() {
    let mut world = rotation_of_two();
    world.service.policy.first_suspect_from = 99;
    fires(&mut world, alert("HighErrorRate", at("15:50"), None));
    heard(&mut world, "15:50", expect!["page anna rotation (nobody_stands_out)"]);
    world.until(at("15:52"));
    world.service.policy.first_suspect_from = 1;
    fires(&mut world, alert("Slow", at("15:52"), None));
    heard(
        &mut world,
        "15:56",
        expect![[r#"
        page usama next-responder (next_suspect)
        page olga rotation (nobody_acknowledged)"#]],
    );
}

#[test]
fn what_was_taken_back_does_not_speak_for_the_rest_of_a_persons_changes() {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(11, "usama", at("14:00")));
    world.merge(change(12, "feanil", at("14:10")));
    world.merge(change(13, "usama", at("14:20")));
    world.deploy(&deployment(1, 13, "prod", Succeeded, at("15:40")));
    world.until(at("15:50"));
    fires(&mut world, alert("HighErrorRate", at("15:50"), None));
    let mut revert = change(14, "olga", at("15:52"));
    revert.reverts = crate::revert::read("Revert \"change number 13\"", "Reverts #13", &revert.id.repository);
    world.until(at("15:52"));
    world.merge(revert);
    world.deploy(&deployment(2, 14, "prod", Succeeded, at("15:55")));
    world.told.clear();
    heard(
        &mut world,
        "16:20",
        expect![[r#"
        notice olga receipt (merged_on_standby)
        page feanil next-responder (next_suspect)
        page anna rotation (nobody_acknowledged)
        notice olga started (turn_started)
        page feanil first-responder (first_suspect)
        notice usama ended (turn_reverted)
        page usama next-responder (next_suspect)
        page anna rotation (nobody_acknowledged)
        page feanil first-responder (still_unacknowledged)"#]],
    );
}

/// One that says so much.
fn suspect(more: serde_json::Value) -> crate::Suspect {
    let mut all = serde_json::json!({
        "change": {"repository": "openedx/edx-platform", "commit": crate::testing::commit(12).to_string()},
        "label": "edx-platform#12", "title": "", "responder": "feanil", "because": "merged", "stand": "active",
        "live_since": "2026-03-20T12:00:00Z", "evidence": [],
    });
    let serde_json::Value::Object(more) = more else { panic!() };
    all.as_object_mut().unwrap().extend(more);
    serde_json::from_value(all).unwrap()
}

#[test]
fn how_likely_it_is_is_said_as_exactly_as_it_can_be_known() {
    let percent = |likelihood: u16| suspect(serde_json::json!({ "likelihood": likelihood })).percent().unwrap();
    assert_eq!([4, 5, 14, 44, 49].map(percent), [0, 1, 1, 4, 5]);
    assert_eq!([50, 74, 75, 124, 125, 974, 975, 1000].map(percent), [5, 5, 10, 10, 15, 95, 100, 100]);
}

#[test]
fn what_speaks_for_it_most_is_told_where_it_speaks_clearly() {
    let telling = |points: [i64; 3]| {
        let words = ["live since 12:00", "small", "named"];
        let weighed: Vec<_> = words
            .iter()
            .zip(points)
            .map(|(words, points)| serde_json::json!({"words": words, "points": points}))
            .collect();
        let one = suspect(serde_json::json!({ "evidence": words, "weighed": weighed }));
        assert_eq!(one.score(), points.iter().sum::<i64>());
        one.telling().map(str::to_owned)
    };
    assert_eq!(telling([900, 499, 499]), None, "beside its being live nothing is clear");
    assert_eq!(telling([0, 499, 500]).as_deref(), Some("named"));
    assert_eq!(telling([0, 500, 900]).as_deref(), Some("small"), "the first of them");
}

#[test]
fn a_title_that_was_taken_back_before_speaks_against_a_change_also_where_that_has_long_left() {
    let mut world = release();
    let touches = crate::rank::Touches { author: "feanil", title: "Faster search", paths: &["search/index.py"] };
    world.situation.track.value.past.taken_back(touches);
    fires(&mut world, alert("HighErrorRate", at("15:50"), None));
    let incident = &world.situation.incidents.values().next().unwrap().value;
    let first = &incident.suspects[0];
    assert_eq!(first.label, "edx-platform#12");
    expect!["live 49 min before the alert, lands again what was taken back"].assert_eq(&first.evidence.join(", "));
}

#[test]
fn what_a_revert_takes_back_is_said_once_and_what_else_speaks_for_it_too() {
    let mut world = release();
    let mut revert = of(15, "olga", "14:40", "Revert \"Faster search\"", &["search/index.py"]);
    revert.reverts = crate::revert::read("Revert \"Faster search\"", "Reverts #12", &revert.id.repository);
    world.merge(revert);
    world.deploy(&deployment(2, 15, "prod", Succeeded, at("15:49")));
    let trace = "File \"/app/search/index.py\", line 42, in total";
    fires(&mut world, Alert { detail: Some(trace.into()), ..alert("Slow", at("15:50"), None) });
    let incident = &world.situation.incidents.values().next().unwrap().value;
    let revert = incident.suspects.iter().find(|suspect| suspect.label == "edx-platform#15").unwrap();
    expect!["live 48 min before the alert, the alert names search/index.py, reverts edx-platform#12"]
        .assert_eq(&revert.evidence.join(", "));
}

#[test]
fn many_commits_speak_against_a_change() {
    let points = |commits: u64| {
        let mut world = World::new();
        world.now = at("15:00");
        let commits = (100..100 + commits).map(crate::testing::commit).collect();
        world.merge(Change { commits, ..change(12, "feanil", at("15:00")) });
        world.deploy(&deployment(1, 12, "prod", Succeeded, at("15:40")));
        world.until(at("15:50"));
        fires(&mut world, alert("HighErrorRate", at("15:50"), None));
        let incident = &world.situation.incidents.values().next().unwrap().value;
        let told = incident.suspects[0].weighed.iter().filter(|part| part.words.contains("commits"));
        told.map(|part| part.points).sum::<i64>()
    };
    assert_eq!([0, 1, 8].map(points), [0, 0, 318]);
}
