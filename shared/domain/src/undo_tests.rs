//! What becomes of a press: claimed, opened, refused, tried again; and what is known before it.

use std::collections::BTreeSet;

use expect_test::expect;
use jiff::SignedDuration;

use super::outlook::{Outlook, migrations, outlook};
use super::*;
use crate::change::Files;
use crate::expedite::{Expedite, Over, Signed, Way};
use crate::freeze::{Declared, Preset, Scope};
use crate::on_request::freezes::Desk;
use crate::testing::{World, at, change, repository};
use crate::wording::reverts::stands;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// #12 is merged, and Anna asks at 15:00 for its revert.
fn asked() -> World {
    let mut world = World::new();
    world.settings.reverts = [(repository(), Opens::PullRequests)].into();
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("14:00")));
    let undo = Undo::new(&change(12, "feanil", at("14:00")), &"anna".parse().unwrap(), world.now);
    world.situation.note(Record::Undo(undo), 1);
    world
}

fn claimed(world: &mut World) -> Option<Undo> {
    let id = change(12, "feanil", at("14:00")).id;
    let (decisions, undo) = claim(&id, &world.situation, &world.service, &world.settings, world.now);
    world.commit(&decisions);
    undo
}

fn hears(world: &mut World, claimed: &Undo, said: &Said) {
    let decisions = heard(claimed, said, &world.situation, &world.service, &world.settings, world.now);
    world.commit(&decisions);
}

fn opened(number: u64) -> Said {
    let url = Some(format!("https://github.com/openedx/edx-platform/pull/{number}"));
    Said::Opened(Opened { number, url, head: None, found: false }, Lane::NothingHolds)
}

fn stage(world: &World) -> &Stage {
    &world.situation.undos.values().next().unwrap().value.stage
}

#[test]
fn one_claims_it_and_whoever_is_gone_is_replaced() {
    let mut world = asked();
    let first = claimed(&mut world).unwrap();
    assert_eq!(claimed(&mut world), None, "somebody is at it");
    world.now += LEASE;
    let second = claimed(&mut world).unwrap();
    assert_eq!(second.stage, Stage::UnderWay { tries: 1, since: world.now });
    // Whoever was given up for gone has not opened it, they say: that counts no more.
    hears(&mut world, &first, &Said::Refused(Why::Conflicts));
    assert_eq!(*stage(&world), second.stage);
    // What is open is open, whoever says so; and said once.
    hears(&mut world, &first, &opened(13));
    hears(&mut world, &second, &opened(14));
    assert!(matches!(stage(&world), Stage::Opened(Opened { number: 13, .. })));
    assert_eq!(world.heard(), "notice anna revert-opened (revert_opened)");
    assert_eq!((claimed(&mut world), due(&world.situation, at("Sat 15:00"))), (None, vec![]));
}

#[test]
fn a_forge_that_does_not_answer_is_asked_again_and_not_for_ever() {
    let mut world = asked();
    let mut waits = Vec::new();
    for _ in 0..5 {
        let undo = claimed(&mut world).unwrap();
        hears(&mut world, &undo, &Said::Silent("the forge answered 503".to_owned()));
        if let Stage::Asked { due_at, .. } = stage(&world) {
            waits.push(due_at.duration_since(world.now).as_mins());
            assert_eq!(claimed(&mut world), None, "not before its time");
            world.now = *match stage(&world) {
                Stage::Asked { due_at, .. } => due_at,
                Stage::UnderWay { .. } | Stage::Opened(_) | Stage::Refused { .. } => unreachable!(),
            };
        }
    }
    assert_eq!(waits, [1, 2, 4, 8]);
    assert_eq!(
        *stage(&world),
        Stage::Refused { why: Why::Silent { why: "the forge answered 503".into() }, at: world.now }
    );
    assert_eq!(world.heard(), "notice anna revert-refused (revert_refused)");
}

#[test]
fn whoever_is_cut_off_each_time_is_not_replaced_for_ever() {
    let mut world = asked();
    let mut claims = 0;
    while claimed(&mut world).is_some() {
        claims += 1;
        assert!(claims < 9, "for ever");
        world.now += LEASE;
    }
    assert_eq!(claims, 5);
    assert_eq!(
        *stage(&world),
        Stage::Refused { why: Why::Silent { why: "each try was cut off".into() }, at: world.now }
    );
    assert_eq!(world.heard(), "notice anna revert-refused (revert_refused)");
}

#[test]
fn what_nobody_opens_is_given_up_and_whoever_pressed_knows() {
    let mut world = asked();
    world.until(at("15:09"));
    assert!(matches!(stage(&world), Stage::Asked { .. }), "{:?}", stage(&world));
    world.told.clear();
    assert_eq!(due(&world.situation, world.now).len(), 1);
    assert_eq!(due(&world.situation, at("15:10")), vec![], "that long nobody waits");
    world.until(at("15:10"));
    assert_eq!(*stage(&world), Stage::Refused { why: Why::Silent { why: "nobody asked it".into() }, at: at("15:10") });
    assert_eq!(world.heard(), "notice anna revert-refused (revert_refused)");
    // It is over, and known as long as any other.
    world.situation.changes.clear();
    world.until(at("15:00") + KEPT);
    assert!(world.situation.undos.is_empty());
}

#[test]
fn what_somebody_asked_to_let_pass_already_stays_theirs() {
    let world = asked();
    let settings = &world.settings;
    let undo = world.situation.undos.values().next().unwrap().value.clone();
    let opened = Opened { number: 13, url: None, head: None, found: true };
    let mut desk = Situation::empty(settings.freeze_desk().id.clone());
    let known = |world: &World| Expedite {
        repository: repository(),
        number: 13,
        title: "Revert it".to_owned(),
        url: None,
        by: "feanil".parse().unwrap(),
        at: world.now,
        way: Way::Label,
        heard_at: world.now,
        head: None,
        reason: "checkout fails".to_owned(),
        signed: vec![Signed { person: "olga".parse().unwrap(), at: world.now, approver: true, rotation: false }],
        over: None,
        passed: None,
        told: [].into(),
        counted: false,
    };
    let asks = |desk: &mut Situation, now| {
        let (decisions, lane) = ask_to_pass(&undo, &opened, &Desk { situation: desk, settings, now });
        desk.apply(&decisions, now);
        (decisions.is_quiet(), lane)
    };
    let freeze = Declared {
        id: "monday".parse().unwrap(),
        name: "Cyber Monday".to_owned(),
        stops: Preset::PeakEvent.stops(),
        rotation_signs: true,
        scope: Scope::default(),
        zone: "UTC".to_owned(),
        from: at("10:00"),
        until: at("Mon 10:00"),
        by: "olga".parse().unwrap(),
        declared_at: at("09:00"),
        changed_at: None,
        widened_at: None,
        ended: None,
    };
    desk.note(Record::Freeze(freeze), 1);
    desk.note(Record::Expedite(known(&world)), 1);
    let later = world.now + MINUTE;
    assert_eq!(asks(&mut desk, later), (true, Lane::Asked));
    assert_eq!(desk.expedites.values().next().unwrap().value, known(&world), "with what was signed");
    // What an approver refused stays refused, for as long as for everybody.
    let over = Some((world.now, "olga".parse().unwrap(), Over::Refused { why: "not tonight".to_owned() }));
    desk.note(Record::Expedite(Expedite { over, ..known(&world) }), 2);
    let why = "it was refused: not tonight. Ask whoever refused it".to_owned();
    assert_eq!(asks(&mut desk, later), (true, Lane::NotAsked(why)));
    assert_eq!(asks(&mut desk.clone(), world.now + crate::expedite::LASTS), (false, Lane::Asked));
    // By the label alone no reason was said: this is it.
    let bare = Expedite { reason: String::new(), signed: Vec::new(), ..known(&world) };
    desk.note(Record::Expedite(bare), 3);
    assert_eq!(asks(&mut desk, later), (false, Lane::Asked));
    assert_eq!(desk.expedites.values().next().unwrap().value.reason, "revert of edx-platform#12");
}

#[test]
fn what_is_told_says_where_it_is_or_how_to_do_it_by_hand() {
    let mut world = asked();
    world.change_service(|service| service.channel = Some("usama".parse().unwrap()));
    let undo = claimed(&mut world).unwrap();
    let texts = |world: &mut World| {
        let told = std::mem::take(&mut world.told);
        told.iter().map(|m| format!("to {}: {}", m.key.person, m.plain())).collect::<Vec<_>>().join("\n\n")
    };
    world.now += MINUTE;
    let mut refused = world.situation.clone();
    hears(&mut world, &undo, &opened(13));
    expect![[r#"
        to anna: edx-platform#13 reverts edx-platform#12: merge it
        You asked for it at 16:00 (Europe/Stockholm).
        It is labelled expedite, and no freeze holds it.
        Nothing is reverted before it is merged and live. Then the window of what it reverts is closed.
        Revert pull request: https://github.com/openedx/edx-platform/pull/13
        Board: https://deployers.example.com/#edxapp

        to usama: edx-platform#13 reverts edx-platform#12: merge it
        Anna asked for it at 20:00 (Asia/Karachi).
        It is labelled expedite, and no freeze holds it.
        Nothing is reverted before it is merged and live. Then the window of what it reverts is closed.
        Revert pull request: https://github.com/openedx/edx-platform/pull/13
        Board: https://deployers.example.com/#edxapp"#]]
    .assert_eq(&texts(&mut world));
    std::mem::swap(&mut world.situation, &mut refused);
    hears(&mut world, &undo, &Said::Refused(Why::Conflicts));
    expect![[r#"
        to anna: edx-platform#12 could not be reverted by one click
        Later changes are in its way: it conflicts.
        By hand: git revert 000000000000000000000000000000000000000c (a merge commit: -m 1) on a new branch, and a pull request of it.
        Board: https://deployers.example.com/#edxapp"#]]
    .assert_eq(&texts(&mut world));
    let reader = |person| Reader { settings: &world.settings, service: &world.service, person, now: world.now };
    let olga = "olga".parse().unwrap();
    let known = |situation: &Situation| stands(reader(&olga), &situation.undos.values().next().unwrap().value);
    expect!["Revert: asked for by Anna at 15:00 (Europe/London). edx-platform#13 has to be merged: https://github.com/openedx/edx-platform/pull/13"].assert_eq(&known(&refused));
    expect!["Revert: asked for by Anna at 15:00 (Europe/London). At 15:01 (Europe/London): later changes are in its way: it conflicts. By hand: git revert 000000000000000000000000000000000000000c (a merge commit: -m 1) on a new branch, and a pull request of it."].assert_eq(&known(&world.situation));
}

#[test]
fn another_service_with_the_change_knows_what_is_open() {
    let mut world = asked();
    let undo = claimed(&mut world).unwrap();
    hears(&mut world, &undo, &opened(13));
    let known = world.situation.undos.values().next().unwrap().value.clone();
    let mut there = Situation::empty("cms".parse().unwrap());
    assert!(known_there(&known, &there, world.now).is_quiet(), "the change is not here");
    there.note(Record::Change(change(12, "feanil", at("14:00"))), 1);
    let decisions = known_there(&known, &there, world.now);
    there.apply(&decisions, world.now);
    assert!(there.undos.values().all(|undo| undo.value == known) && there.undos.len() == 1);
    assert!(known_there(&known, &there, world.now).is_quiet(), "it is known");
}

#[test]
fn it_leaves_after_its_change_and_a_while() {
    let mut world = asked();
    let undo = claimed(&mut world).unwrap();
    hears(&mut world, &undo, &opened(13));
    world.until(at("15:00") + KEPT - MINUTE);
    assert_eq!(world.situation.undos.len(), 1);
    let id = change(12, "feanil", at("14:00")).id;
    world.situation.changes.remove(&id);
    world.until(at("15:00") + KEPT);
    assert!(world.situation.undos.is_empty());
}

#[test]
fn whether_it_conflicts_is_told_by_the_files_of_what_was_merged_later() {
    let mut world = World::new();
    let merged = |number| change(number, "feanil", at("14:00") + MINUTE * i32::try_from(number).unwrap());
    let list = |world: &mut World, number, files: &[&str]| {
        let files = Files::of(files.iter().copied());
        world.situation.note(Record::Files(merged(number).id, files), 1);
    };
    for number in 12..=15 {
        world.situation.note(Record::Change(merged(number)), 1);
    }
    let look = |world: &World| outlook(&merged(13), &world.situation);
    assert_eq!(look(&world), Outlook::Unknown);
    list(&mut world, 12, &["lms/urls.py"]);
    list(&mut world, 13, &["lms/urls.py", "db/migrate/0007_pay.rb", "common/schema.sql"]);
    assert_eq!(look(&world), Outlook::Unknown, "of #14 and #15 it is not known");
    list(&mut world, 14, &["cms/urls.py"]);
    list(&mut world, 15, &["docs/x.md"]);
    assert_eq!(look(&world), Outlook::Clean, "what was merged before is not in its way");
    list(&mut world, 15, &["lms/urls.py"]);
    assert_eq!(look(&world), Outlook::MayConflict(vec!["edx-platform#15".to_owned()]));
    let elsewhere = crate::Change { base: "release".to_owned(), ..merged(15) };
    world.situation.note(Record::Change(elsewhere), 2);
    assert_eq!(look(&world), Outlook::Clean, "on another branch");
    let said = |number| migrations(&merged(number).id, &world.situation, &world.service.migrations);
    expect!["It touches 2 migrations (common/schema.sql, db/migrate/0007_pay.rb): a revert does not take back what they did to the data. Look at that first."]
        .assert_eq(&said(13).unwrap());
    assert_eq!((said(12), said(16)), (None, None));
    let names: BTreeSet<&str> = ["Clean, it", "It may co", "Whether i"].into();
    let all = [Outlook::Clean, Outlook::MayConflict(vec!["x#1".into()]), Outlook::Unknown].map(|o| o.to_string());
    assert_eq!(all.iter().map(|words| &words[..9]).collect::<BTreeSet<_>>(), names);
}

#[test]
fn one_service_keeps_it_for_a_repository_and_none_for_another() {
    let world = World::new();
    let other = "openedx/unknown".parse().unwrap();
    assert_eq!(home(&world.settings, &repository()).map(|service| service.id.as_str()), Some("edxapp"));
    assert_eq!(home(&world.settings, &other).map(|service| service.id.as_str()), None);
}

#[test]
fn what_came_of_it_is_in_the_log() {
    let lines = |said: &Said| {
        let mut world = asked();
        let undo = claimed(&mut world).unwrap();
        let before = world.log.len();
        hears(&mut world, &undo, said);
        let line = |line: &crate::Entry| format!("{}: {} ({})", line.person.as_ref().unwrap(), line.what, line.reason);
        world.log[before..].iter().map(line).collect::<Vec<_>>().join("\n")
    };
    let all = [
        opened(13),
        Said::Refused(Why::Conflicts),
        Said::Refused(Why::Said { why: "no ".repeat(200) }),
        Said::Silent("timeout".to_owned()),
    ];
    expect![[r#"
        anna: edx-platform#13 reverts edx-platform#12 (#13 is open: nothing is reverted before it is merged and live)
        anna: notice to anna: edx-platform#13 reverts edx-platform#12: merge it (#13 is open: nothing is reverted before it is merged and live)

        anna: no revert of edx-platform#12 is opened (later changes are in its way: it conflicts)
        anna: notice to anna: edx-platform#12 could not be reverted by one click (later changes are in its way: it conflicts)

        anna: no revert of edx-platform#12 is opened (the forge does not take it: no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no…)
        anna: notice to anna: edx-platform#12 could not be reverted by one click (the forge does not take it: no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no no…)

        anna: the revert of edx-platform#12 is not opened yet (timeout; it is tried again)"#]].assert_eq(&all.iter().map(lines).collect::<Vec<_>>().join("\n\n"));
}

#[test]
fn what_may_be_in_its_way_is_named_up_to_three() {
    let may =
        |labels: &[&str]| Outlook::MayConflict(labels.iter().map(|label| (*label).to_owned()).collect()).to_string();
    assert_eq!(may(&["x#1"]), "It may conflict: x#1 touches the same files since.");
    assert_eq!(may(&["x#1", "x#2"]), "It may conflict: x#1, x#2 touch the same files since.");
    assert_eq!(may(&["x#1", "x#2", "x#3"]), "It may conflict: x#1, x#2, x#3 touch the same files since.");
    let five = may(&["x#1", "x#2", "x#3", "x#4", "x#5"]);
    assert_eq!(five, "It may conflict: x#1, x#2, x#3 and 2 more touch the same files since.");
}

#[test]
fn of_lists_that_are_cut_or_empty_nothing_is_concluded() {
    let merged = |number| change(number, "feanil", at("14:00") + MINUTE * i32::try_from(number).unwrap());
    let looks = |lists: [(&[&str], bool); 3]| {
        let mut world = World::new();
        for (number, (files, cut)) in (12..).zip(lists) {
            world.situation.note(Record::Change(merged(number)), 1);
            let files = Files { cut, ..Files::of(files.iter().copied()) };
            world.situation.note(Record::Files(merged(number).id, files), 1);
        }
        outlook(&merged(12), &world.situation)
    };
    let (own, other): (&[&str], &[&str]) = (&["a.py"], &["b.py"]);
    assert_eq!(looks([(own, false), (other, false), (other, false)]), Outlook::Clean);
    assert_eq!(looks([(own, true), (other, false), (other, false)]), Outlook::Unknown);
    assert_eq!(looks([(own, false), (other, true), (other, false)]), Outlook::Unknown);
    assert_eq!(looks([(own, false), (other, false), (other, true)]), Outlook::Unknown);
    assert_eq!(looks([(own, false), (&[], false), (other, false)]), Outlook::Unknown, "nobody told which it touches");
    assert_eq!(looks([(own, false), (&[], true), (own, false)]), Outlook::MayConflict(vec!["edx-platform#14".into()]));
}
