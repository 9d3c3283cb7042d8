//! Who may press the revert button, of what, and what a second press does.

use expect_test::{Expect, expect};

use super::*;
use crate::change::ChangeKind;
use crate::testing::{World, at, change, repository};
use crate::undo::{Opened, Opens, Why};

/// #12 and #13 are merged; reverts are opened of what `opens` says.
fn world(opens: Option<Opens>) -> World {
    let mut world = World::new();
    world.change_roster(|people| {
        let usama = people.iter_mut().find(|person| person.id.as_str() == "usama").unwrap();
        usama.champions = vec!["anna".parse().unwrap()];
    });
    world.settings.reverts = opens.map(|opens| (repository(), opens)).into_iter().collect();
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("14:00"))).merge(change(13, "feanil", at("14:30")));
    world
}

fn press(world: &mut World, who: &str, number: u64) -> String {
    let by: PersonId = who.parse().unwrap();
    let id = change(number, "feanil", at("14:00")).id;
    let decided = {
        let (situation, service, settings) = (&world.situation, &world.service, &world.settings);
        let desk = Desk { situation, service, settings, now: world.now };
        desk.revertible(&id, &by).and_then(|change| desk.revert(change, &by))
    };
    match decided {
        Ok(decisions) => {
            let line = format!("{}: {}", decisions.entries[0].what, decisions.entries[0].reason);
            world.commit(&decisions);
            line
        }
        Err(Refused::AskedBefore(undo)) => format!("asked before by {}", undo.by),
        Err(why) => why.to_string(),
    }
}

fn check(lines: &[String], want: &Expect) {
    want.assert_eq(&lines.join("\n"));
}

#[test]
fn it_is_asked_for_once_by_whoever_is_inside() {
    let mut world = world(Some(Opens::PullRequests));
    let said = [
        press(&mut world, "usama", 12),
        press(&mut world, "stranger", 12),
        press(&mut world, "anna", 14),
        press(&mut world, "anna", 12),
        press(&mut world, "anna", 12),
        press(&mut world, "olga", 12),
        press(&mut world, "olga", 13),
    ];
    check(
        &said,
        &expect![[r#"
            only people of the roster who are no outside contributors press it
            only people of the roster who are no outside contributors press it
            no change of this name waits or is live here lately
            Anna asks to revert edx-platform#12: one revert pull request is opened, however often it is pressed
            asked before by anna
            asked before by anna
            Olga asks to revert edx-platform#13: one revert pull request is opened, however often it is pressed"#]],
    );
}

#[test]
fn what_cannot_be_opened_is_told_how_it_is_done_by_hand() {
    let commit = crate::testing::commit;
    let mut unconfigured = world(None);
    let mut github = world(Some(Opens::PullRequests));
    let mut gitlab = world(Some(Opens::Anything));
    for world in [&mut unconfigured, &mut github, &mut gitlab] {
        let mut pushed = change(14, "feanil", at("14:40"));
        (pushed.kind, pushed.id.commit) = (ChangeKind::DirectPush, commit(14));
        world.merge(pushed);
    }
    let mut revert = change(15, "feanil", at("14:50"));
    revert.reverts = crate::revert::read("Revert \"change number 12\"", "Reverts #12", &repository());
    github.merge(revert);
    let said = [
        press(&mut unconfigured, "anna", 12),
        press(&mut unconfigured, "anna", 14),
        press(&mut github, "anna", 14),
        press(&mut gitlab, "anna", 14),
        press(&mut github, "anna", 12),
    ];
    check(
        &said,
        &expect![[r#"
            no source has `reverts = true` for its repository, so nobody opens the pull request. By hand: git revert 000000000000000000000000000000000000000c (a merge commit: -m 1) on a new branch, and a pull request of it
            no source has `reverts = true` for its repository, so nobody opens the pull request. By hand: git revert 000000000000000000000000000000000000000e (a merge commit: -m 1) on a new branch, and a pull request of it
            it was pushed without a pull request, and its forge takes back pull requests only. By hand: git revert 000000000000000000000000000000000000000e (a merge commit: -m 1) on a new branch, and a pull request of it
            Anna asks to revert edx-platform@0000000000: one revert pull request is opened, however often it is pressed
            edx-platform#15 has reverted it already"#]],
    );
}

#[test]
fn what_the_forge_refused_is_asked_again_and_what_is_open_is_not() {
    let mut world = world(Some(Opens::PullRequests));
    press(&mut world, "anna", 12);
    let set = |world: &mut World, stage| {
        let id = change(12, "feanil", at("14:00")).id;
        let known = world.situation.undos.get_mut(&id).unwrap();
        known.value.stage = stage;
    };
    set(&mut world, Stage::Refused { why: Why::Conflicts, at: at("15:01") });
    assert!(press(&mut world, "olga", 12).starts_with("Olga asks to revert"));
    set(&mut world, Stage::Opened(Opened { number: 20, url: None, head: None, found: false }));
    assert_eq!(press(&mut world, "anna", 12), "asked before by olga");
    set(&mut world, Stage::UnderWay { tries: 0, since: at("15:01") });
    assert_eq!(press(&mut world, "anna", 12), "asked before by olga");
}
