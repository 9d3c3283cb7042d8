//! What a forge is asked about releases, and what is kept of its answer.

use super::*;
use crate::DeploymentState::{Failed, Started, Succeeded};
use crate::testing::{World, at, change, commit, deployment};

/// #11 is live, then #12.
fn two_releases() -> World {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(11, "anna", at("14:00"))).merge(change(12, "usama", at("14:30")));
    world.deploy(&deployment(1, 11, "prod", Succeeded, at("15:10")));
    world.now = at("15:20");
    world.deploy(&deployment(2, 12, "prod", Succeeded, at("15:20")));
    world
}

fn asked(world: &World) -> Vec<(String, Commit, Commit)> {
    let all = questions(&world.situation, &world.service, world.now);
    all.into_iter().map(|question| (question.deployment.id, question.base, question.head)).collect()
}

fn one() -> Vec<(String, Commit, Commit)> {
    vec![("2".to_owned(), commit(11), commit(12))]
}

fn with(world: &mut World, carries: Carries) {
    let mut second = world.situation.deployments.values().find(|d| d.value.key.id == "2").unwrap().value.clone();
    second.carries = carries;
    world.situation.note(Record::Deployment(second), 9);
}

#[test]
fn a_forge_is_asked_what_a_release_brought_since_the_one_before_it() {
    assert_eq!(asked(&two_releases()), one());
    for (id, environment, state) in [(3, "staging", Succeeded), (3, "prod", Failed)] {
        let mut world = two_releases();
        world.deploy(&deployment(id, 13, environment, state, at("15:30")));
        assert_eq!(asked(&world), one(), "{environment} {state:?}");
    }
    let mut again = two_releases();
    again.deploy(&deployment(3, 12, "prod", Started, at("15:30")));
    assert_eq!(asked(&again), one(), "the same commit brings nothing");
    let mut stage = World::new();
    stage.service.environments.iter_mut().for_each(|environment| environment.live = false);
    assert!(questions(&two_releases().situation, &stage.service, at("15:20")).is_empty());
}

#[test]
fn it_is_asked_again_where_it_did_not_answer_or_the_one_before_is_another_meanwhile() {
    let mut world = two_releases();
    with(&mut world, Carries::Commits { since: commit(11), commits: BTreeSet::new() });
    assert_eq!(asked(&world), []);
    with(&mut world, Carries::Commits { since: commit(10), commits: BTreeSet::new() });
    assert_eq!(asked(&world), one());
    with(&mut world, Carries::Unanswered { tries: 1, last: at("15:20") });
    for (now, want) in [("15:20", false), ("15:21", true), ("15:22", true)] {
        world.now = at(now);
        assert_eq!(!asked(&world).is_empty(), want, "{now}");
    }
}

#[test]
fn the_tries_are_counted_until_there_is_an_answer() {
    let mut world = two_releases();
    let question = questions(&world.situation, &world.service, world.now).remove(0);
    let second = |world: &World| world.situation.deployments[&question.deployment].value.clone();
    for (tries, again) in [(1, Some(1)), (2, Some(2)), (3, Some(4)), (4, Some(8)), (5, None)] {
        let decisions = answered(&question, Err("503".into()), &world.situation, at("15:20"));
        world.commit(&decisions);
        let known = second(&world);
        assert_eq!(known.carries, Carries::Unanswered { tries, last: at("15:20") });
        assert_eq!(retry_at(&known), again.map(|minutes| at("15:20") + SignedDuration::from_mins(minutes)));
    }
    let commits: BTreeSet<Commit> = [commit(12)].into();
    let decisions = answered(&question, Ok(commits.clone()), &world.situation, at("15:30"));
    world.commit(&decisions);
    assert_eq!(second(&world).carries, Carries::Commits { since: commit(11), commits });
    assert_eq!(retry_at(&second(&world)), None);
}

#[test]
fn the_log_says_how_a_deployment_ended_and_how_much_it_moved_or_took_back() {
    for (state, word, reason) in [
        (Started, "started", "live_deployment_started"),
        (Succeeded, "succeeded", "live_deployment_succeeded"),
        (Failed, "failed", "live_deployment_failed"),
        (DeploymentState::Aborted, "was aborted", "live_deployment_failed"),
    ] {
        let mut world = World::new();
        world.now = at("15:00");
        world.merge(change(11, "anna", at("14:00"))).merge(change(12, "usama", at("14:30")));
        let said = world.deploy(&deployment(1, 12, "prod", state, at("15:10")));
        assert_eq!(said.name(), reason);
        let line = &world.log.last().unwrap().what;
        assert!(line.ends_with(&format!("{word} in production")), "{line}");
    }
    let mut world = two_releases();
    assert_eq!(world.reasons.iter().filter(|reason| **reason == "live_deployment_succeeded").count(), 2);
    let back = world.deploy(&deployment(3, 11, "prod", Started, at("15:30")));
    assert_eq!(back, Reason::RolledBack { changes: 1 });
    let back = world.deploy(&deployment(3, 11, "prod", Succeeded, at("15:35")));
    assert_eq!(back, Reason::RolledBack { changes: 1 });
    let forward = world.deploy(&deployment(4, 12, "prod", Succeeded, at("15:50")));
    assert_eq!(forward, Reason::LiveDeploymentSucceeded { changes: 1 });
}
