//! What a service says of a change: what holds it, how many are ahead, which incidents name it.

use super::*;
use crate::incident::Incident;
use crate::queue::Pause;
use crate::testing::{World, alert, at, change, commit, deployment, repository};
use crate::window::windows;
use crate::{DeploymentState, Record};

fn id(number: u64) -> ChangeId {
    ChangeId { repository: repository(), commit: commit(number) }
}

fn world() -> World {
    let mut world = World::new();
    world.settings = world.settings.with_comments(|_| true);
    world.now = at("15:00");
    world.merge(change(11, "feanil", at("15:00"))).settle();
    world
}

/// What is to be told of a change.
fn told(world: &World, number: u64) -> Line {
    let World { situation, service, settings, now, .. } = world;
    let all = windows(situation, service, &settings.roster, *now);
    let news = untold(situation, service, settings, &all, *now);
    news.into_iter().find(|news| news.number == number).unwrap().line.unwrap()
}

#[test]
fn few_are_counted_exactly_and_many_are_rounded_down() {
    let all = [0, 1, 4, 5, 9, 10, 19, 20, 99, 100, 1000].map(rounded);
    assert_eq!(all, [0, 1, 4, 5, 5, 10, 10, 20, 90, 100, 100]);
}

#[test]
fn what_is_usual_is_not_written_down() {
    let written = |ahead, again| serde_json::to_string(&Standing::Standby { again, ahead, held: None }).unwrap();
    assert_eq!(written(0, false), r#"{"standby":{}}"#);
    assert_eq!(written(3, true), r#"{"standby":{"again":true,"ahead":3}}"#);
    for json in [written(0, false), written(3, true)] {
        let back: Standing = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&back).unwrap(), json);
    }
}

#[test]
fn a_queue_that_is_held_says_by_what_and_until_when() {
    let standing = |world: &World| told(world, 11).standing;
    let held = |held| Standing::Standby { again: false, ahead: 0, held };
    let mut world = world();
    assert_eq!(standing(&world), held(None));
    let pause = |until| Pause { from: at("14:00"), until, by: "anna".parse().unwrap(), why: "a test".into() };
    world.situation.queue.value.pause(pause(Some(at("15:01"))));
    assert_eq!(standing(&world), held(Some(Held::Paused { until: Some(at("15:01")) })));
    world.now = at("15:01");
    assert_eq!(standing(&world), held(None), "it is over");
    world.situation.queue.value.pause(pause(None));
    assert_eq!(standing(&world), held(Some(Held::Paused { until: None })));
    world.situation.queue.value.resume(at("15:01"));
    world.change_service(|service| {
        let time = crate::freeze::Time { from: at("10:00"), until: at("Mon 09:00"), name: "x".repeat(200) };
        service.frozen = vec![std::sync::Arc::new(vec![time])];
    });
    world.settings = world.settings.clone().with_comments(|_| true);
    let Standing::Standby { held: Some(Held::Frozen { name, until }), .. } = standing(&world) else { panic!() };
    assert_eq!((name.chars().count(), until), (MOST_NAME, at("Mon 09:00")));
}

#[test]
fn what_was_on_its_way_and_came_back_says_again() {
    let mut world = world();
    world.deploy(&deployment(1, 11, "production", DeploymentState::Started, at("15:00")));
    world.settle();
    assert!(matches!(told(&world, 11).standing, Standing::Active { end: End::AfterSuccess(_), .. }));
    world.until(at("15:05")).deploy(&deployment(1, 11, "production", DeploymentState::Failed, at("15:05")));
    world.settle();
    let Standing::Standby { again, .. } = told(&world, 11).standing else { panic!("{:?}", told(&world, 11)) };
    assert!(again);
}

/// An incident of which these are suspects, and of which somebody says that it was that.
fn incident(world: &World, suspects: &[u64], verdict: Option<(Judge, Option<u64>)>) -> Incident {
    let mut incident = world.situation.incidents.values().next().unwrap().value.clone();
    let suspect = incident.suspects[0].clone();
    incident.suspects = suspects.iter().map(|n| crate::Suspect { change: id(*n), ..suspect.clone() }).collect();
    incident.verdict = verdict.map(|(by, n)| Verdict { change: n.map(id), label: String::new(), by, at: at("15:40") });
    incident
}

fn broken() -> World {
    let mut world = world();
    world.deploy(&deployment(1, 11, "production", DeploymentState::Succeeded, at("15:00")));
    world.until(at("15:30")).alert(&[alert("HighErrorRate", at("15:30"), None)]);
    world.settle();
    assert_eq!(world.suspects(), "edx-platform#11");
    world
}

#[test]
fn an_incident_names_its_suspects_and_what_somebody_who_knows_says_it_was() {
    let world = broken();
    let says = |suspects: &[u64], verdict: Option<(Judge, Option<u64>)>| {
        let mut situation = world.situation.clone();
        situation.note(Record::Incident(incident(&world, suspects, verdict)), 1);
        [11, 12].map(|n| incidents(&situation, &id(n)).into_values().next().map(|incident| incident.it_was))
    };
    let person = || Judge::Person("anna".parse().unwrap());
    let guess = || Judge::Guess("anna".parse().unwrap());
    assert_eq!(says(&[11], None), [Some(None), None]);
    assert_eq!(says(&[11], Some((person(), Some(11)))), [Some(Some(true)), None]);
    assert_eq!(says(&[11], Some((person(), Some(12)))), [Some(Some(false)), Some(Some(true))]);
    assert_eq!(says(&[11], Some((person(), None))), [Some(Some(false)), None], "none of ours");
    assert_eq!(says(&[], Some((Judge::Revert, Some(12)))), [None, Some(Some(true))]);
    // What somebody guessed is not for everybody to read.
    assert_eq!(says(&[], Some((guess(), Some(12)))), [None, None]);
    assert_eq!(says(&[12], Some((guess(), Some(12)))), [None, Some(None)]);
}

#[test]
fn of_many_incidents_the_three_newest_are_told() {
    let world = broken();
    let mut situation = world.situation.clone();
    let one = incident(&world, &[11], None);
    situation.incidents.clear();
    for n in 1..=5 {
        let id = format!("edxapp-qaqn6je{n}").parse().unwrap();
        let began_at = at("15:30") + SignedDuration::from_mins(n % 4);
        situation.note(Record::Incident(Incident { id, began_at, ..one.clone() }), 1);
    }
    let told: Vec<String> = incidents(&situation, &id(11)).into_keys().map(|id| id.to_string()).collect();
    // 1 and 5 began together: the first by name is told.
    assert_eq!(told, ["edxapp-qaqn6je1", "edxapp-qaqn6je2", "edxapp-qaqn6je3"]);
}
