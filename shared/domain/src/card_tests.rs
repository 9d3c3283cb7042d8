//! What a card says of a service, and that it is bounded.

use expect_test::{Expect, expect};

use super::*;
use crate::DeploymentState::Succeeded;
use crate::on_schedule;
use crate::testing::{World, alert, at, change, deployment};

fn card(world: &World) -> Card {
    Card::of(&world.situation, &world.service, &world.settings, world.now)
}

fn check(world: &World, want: Expect) {
    let card = card(world);
    let mut lines: Vec<String> = Vec::new();
    let clock = |at: Timestamp| at.strftime("%a %H:%M").to_string();
    for seat in &card.on_call {
        let OnCall { person, until, change, changes, .. } = seat;
        lines.push(format!("{person} is on call until {}: {} of {changes}", clock(*until), change.label));
    }
    let queue = &card.queue;
    lines.push(format!("queue: {} of {} people, {} unattended", queue.changes, queue.people, queue.unattended));
    lines.extend(queue.first.iter().map(|waiting| format!("  {} of {}", waiting.change.label, waiting.person)));
    lines.extend(card.live.iter().map(|live| format!("live: {} since {}", live.label, clock(live.since))));
    lines.extend(card.special.iter().map(|special| format!("{special:?}")));
    for glance in &card.incidents {
        let suspect = glance.suspect.as_ref().map(|(change, ..)| change.label.as_str());
        let next = glance.next.as_ref().map(|(person, at)| format!("{person} at {}", clock(*at)));
        lines.push(format!(
            "{} {}: {suspect:?}, taken by {:?}, next {next:?}",
            glance.state.word(),
            glance.headline,
            glance.taken_by
        ));
    }
    lines.push(format!("{} still suspect, {} open", card.tail, card.open_incidents));
    want.assert_eq(&lines.join("\n"));
}

fn world() -> World {
    let mut world = World::new();
    world.now = at("15:00");
    for (number, who) in [(12, "feanil"), (13, "usama"), (14, "usama")] {
        world.merge(change(number, who, at("15:00")));
    }
    world.deploy(&deployment(1, 13, "prod", Succeeded, at("15:40")));
    world.until(at("15:45"));
    world.merge(change(15, "usama", at("15:45")));
    world.until(at("15:50"));
    world
}

#[test]
fn a_card_says_who_is_on_call_what_waits_what_is_live_and_what_is_broken() {
    let mut world = world();
    check(
        &world,
        expect![[r#"
            feanil is on call until Fri 16:40: edx-platform#12 of 1
            usama is on call until Fri 16:40: edx-platform#14 of 2
            queue: 1 of 1 people, 0 unattended
              edx-platform#15 of usama
            live: edx-platform@0000000000 since Fri 15:40
            0 still suspect, 0 open"#]],
    );
    world.alert(&[alert("HighErrorRate", at("15:50"), None)]);
    world.settle();
    check(
        &world,
        expect![[r#"
            feanil is on call until Fri 19:40: edx-platform#12 of 1
            usama is on call until Fri 19:40: edx-platform#14 of 2
            queue: 1 of 1 people, 0 unattended
              edx-platform#15 of usama
            live: edx-platform@0000000000 since Fri 15:40
            paged [critical] edxapp production: HighErrorRate: Some("edx-platform#14"), taken by None, next Some("feanil at Fri 15:53")
            0 still suspect, 1 open"#]],
    );
    world.acknowledge("usama").unwrap();
    world.until(at("Sat 12:00"));
    world.alert(&[alert("HighErrorRate", at("15:50"), Some(at("15:52")))]);
    check(
        &world,
        expect![[r#"
            queue: 1 of 1 people, 0 unattended
              edx-platform#15 of usama
            live: edx-platform@0000000000 since Fri 15:40
            resolved [critical] edxapp production: HighErrorRate: Some("edx-platform#14"), taken by None, next None
            3 still suspect, 0 open"#]],
    );
}

#[test]
fn after_a_decision_it_says_what_will_be_so() {
    let mut world = world();
    world.alert(&[alert("HighErrorRate", at("15:50"), None)]);
    let World { situation, service, settings, now, .. } = &world;
    let round = on_schedule::decide(situation, &[], service, settings, *now);
    let before = Card::after(&round.decisions, situation, service, settings, *now);
    let decisions = round.decisions.clone();
    world.commit(&decisions);
    assert_eq!(before, card(&world));
    assert_eq!(before.digest(), card(&world).digest());
}

#[test]
fn however_much_there_is_a_card_stays_small() {
    let mut world = World::new();
    world.now = at("15:00");
    for number in 100..400 {
        let mut change = change(number, "feanil", at("15:00"));
        change.title = "x".repeat(200);
        world.situation.note(crate::Record::Change(change), 1);
    }
    let card = card(&world);
    assert_eq!(card.queue.oldest, Some(at("15:00")));
    assert_eq!((card.queue.changes, card.queue.first.len(), card.queue.people), (300, MOST_WAITING, 1));
    assert!(serde_json::to_string(&card).unwrap().len() < 4000);
}

#[test]
fn who_has_the_pager_for_everything_has_it_until_then() {
    let mut world = world();
    assert_eq!(card(&world).pager(world.now), None);
    let (olga, anna) = ("olga".parse().unwrap(), "anna".parse().unwrap());
    let shift =
        crate::Shift::new(crate::shift::Scope::Service, &olga, &anna, at("15:00"), Some(at("16:00")), at("15:00"));
    let id = shift.id.clone();
    world.situation.note(crate::Record::Shift(shift), 1);
    let card = card(&world);
    assert_eq!(card.pager(world.now), Some((&olga, Some(at("16:00")))));
    assert_eq!(card.pager(at("16:00")), None, "it is over");
    // Until somebody else has it.
    world.situation.shifts.get_mut(&id).unwrap().value.until = None;
    assert_eq!(super::tests::card(&world).pager(at("Sun 16:00")), Some((&olga, None)));
}

#[test]
fn another_card_has_another_digest() {
    let mut world = world();
    let before = card(&world).digest();
    assert_eq!(before, card(&world).digest());
    world.merge(change(16, "usama", at("15:50")));
    assert_ne!(before, card(&world).digest());
}

#[test]
fn what_waits_without_anybody_comes_first_and_what_is_open_before_what_is_over() {
    let mut world = world();
    for number in [16, 17] {
        world.merge(change(number, "usama", at("15:50")));
    }
    let id = crate::ChangeId { repository: crate::testing::repository(), commit: crate::testing::commit(16) };
    let notes = crate::WindowNotes { unattended_at: Some(at("15:50")), ..crate::WindowNotes::default() };
    world.situation.note(crate::Record::Notes(id, notes), 1);
    world.alert(&[alert("HighErrorRate", at("15:50"), None)]);
    world.settle();
    world.until(at("16:00")).alert(&[alert("HighErrorRate", at("15:50"), Some(at("16:00")))]);
    world
        .until(at("22:00"))
        .alert(&[crate::Alert { severity: crate::Severity::Warning, ..alert("DiskFull", at("22:00"), None) }]);
    let card = card(&world);
    let waiting: Vec<(&str, bool)> =
        card.queue.first.iter().map(|waiting| (waiting.change.label.as_str(), waiting.unattended)).collect();
    assert_eq!(waiting, [("edx-platform#16", true), ("edx-platform#15", false), ("edx-platform#17", false)]);
    let glances: Vec<&str> = card.incidents.iter().map(|glance| glance.headline.as_str()).collect();
    expect![[r#"
        ["[warning] edxapp production: DiskFull", "[critical] edxapp production: HighErrorRate"]"#]]
    .assert_eq(&format!("{glances:?}"));
    assert_eq!(card.open_incidents, 1);
}
