//! Few suspects are kept, and whoever may be paged is among them.

use super::*;
use crate::DeploymentState::Succeeded;
use crate::testing::{World, at, change, commit, deployment, repository};
use crate::window::windows;

/// Which are kept of seven changes that went live together: of feanil 0, 1, 5 and 6, of usama 2, of anna 3, of olga 4. `likely`: how
/// likely it is each of the four.
fn kept_of(order: &[usize], likely: [f64; 4], from: u16, clues: &Clues, tail: &[usize]) -> Vec<usize> {
    let mut world = World::new();
    for (number, who) in (1..).zip(["feanil", "feanil", "usama", "anna", "olga", "feanil", "feanil"]) {
        world.merge(change(number, who, at("12:00")));
    }
    world.deploy(&deployment(1, 7, "production", Succeeded, at("12:00")));
    world.settle();
    let all = windows(&world.situation, &world.service, &world.settings.roster, world.now);
    let deployment = &world.situation.deployments.values().next().unwrap().value;
    let mut found: Vec<Exposed<'_, '_>> =
        all.iter().map(|window| Exposed { window, deployment, stand: Stand::Active }).collect();
    found.sort_by_key(|one| one.window.change.id.commit.to_string());
    tail.iter().for_each(|i| found[*i].stand = Stand::Tail);
    let ids = ["feanil", "usama", "anna", "olga"].map(|id| id.parse::<PersonId>().unwrap());
    let people: BTreeMap<&PersonId, f64> = ids.iter().zip(likely).collect();
    kept(order, &found, &people, clues, from).into_iter().collect()
}

const ORDER: [usize; 7] = [0, 1, 5, 6, 4, 3, 2];

#[test]
fn the_likeliest_are_kept_and_the_change_that_somebody_named() {
    let sure = [0.9, 0.05, 0.03, 0.02];
    assert_eq!(kept_of(&ORDER, sure, 20, &Clues::default(), &[]), [0, 1, 4, 5, 6], "five, in their order");
    let named = crate::ChangeId { repository: repository(), commit: commit(3) };
    let clues = Clues { named: Some(named), ..Clues::default() };
    assert_eq!(kept_of(&ORDER, sure, 20, &clues, &[]), [0, 1, 2, 5, 6]);
}

#[test]
fn whoever_is_likely_enough_to_be_paged_is_among_them() {
    let with = |usama: f64| kept_of(&ORDER, [0.6, usama, 0.1, 0.1], 20, &Clues::default(), &[]);
    assert_eq!((with(0.2), with(0.199)), (vec![0, 1, 2, 5, 6], vec![0, 1, 4, 5, 6]));
    // Three people, each with their likeliest change.
    let all = kept_of(&ORDER, [0.4, 0.3, 0.2, 0.1], 0, &Clues::default(), &[]);
    assert_eq!(all, [0, 1, 2, 3, 5]);
    // Whose turn is over is not paged first.
    assert_eq!(kept_of(&ORDER, [0.4, 0.3, 0.2, 0.1], 0, &Clues::default(), &[2, 3]), [0, 1, 4, 5, 6]);
}

#[test]
fn where_somebody_said_that_it_is_not_theirs_the_others_are_so_much_likelier() {
    let refused = Clues { refused: ["feanil".parse().unwrap()].into(), ..Clues::default() };
    let with = |anna: f64| kept_of(&ORDER, [0.5, 0.3, anna, 0.01], 20, &refused, &[]);
    assert_eq!(with(0.1), [0, 1, 2, 3, 5], "a tenth of a half is as likely as a fifth of all");
    assert_eq!(with(0.099), [0, 1, 2, 5, 6]);
}
