//! What takes long, and what comes all at once, is counted all the same.

use jiff::SignedDuration;

use super::*;
use crate::DeploymentState::{Failed, Started, Succeeded};
use crate::decision::Wake;
use crate::outcome::{Judge, Verdict};
use crate::reason::Reason;
use crate::suite;
use crate::testing::{World, alert, at, change, commit, deployment};
use crate::window::{Closed, windows};

/// Two changes are live, and the second is being taken back since 13:00.
fn rolling_back() -> World {
    let mut world = World::new();
    world.now = at("11:00");
    world.merge(change(1, "feanil", at("11:00"))).merge(change(2, "usama", at("11:50"))).settle();
    world.deploy(&deployment(1, 1, "prod", Succeeded, at("11:30")));
    world.until(at("12:10")).deploy(&deployment(2, 2, "prod", Succeeded, at("12:10")));
    world.until(at("13:00")).deploy(&deployment(3, 1, "prod", Started, at("13:00")));
    world.until(at("13:40"));
    world
}

fn failed(world: &World) -> usize {
    world.facts.iter().filter(|fact| matches!(fact, Fact::Failed { .. })).count()
}

fn reworks(world: &World) -> Vec<bool> {
    let rework = |fact: &Fact| if let Fact::Released(released) = fact { Some(released.rework) } else { None };
    world.facts.iter().filter_map(rework).collect()
}

#[test]
fn what_is_taken_back_slowly_had_to_be_put_right() {
    let mut world = rolling_back();
    assert_eq!(failed(&world), 0, "it may fail yet");
    world.deploy(&deployment(3, 1, "prod", Succeeded, at("13:40")));
    world.until(at("Tue 12:00"));
    assert_eq!((failed(&world), reworks(&world)), (1, vec![false, false, true]));
}

#[test]
fn what_was_not_taken_back_after_all_had_not_to_be_put_right() {
    let mut world = rolling_back();
    world.deploy(&deployment(3, 1, "prod", Failed, at("13:40")));
    world.until(at("Tue 12:00"));
    assert_eq!((failed(&world), reworks(&world)), (0, vec![false, false]));
}

/// A release an hour from 09:00 on, of change after change; all windows are closed a day later, and nothing is left of them.
fn a_day_of_releases() -> World {
    let mut world = World::new();
    for (number, hour) in [(1, "09:00"), (2, "10:00"), (3, "11:00"), (4, "12:00")] {
        world.now = at(hour);
        world.merge(change(number, "usama", at(hour))).settle();
        world.deploy(&deployment(number, number, "prod", Succeeded, at(hour) + SignedDuration::from_mins(30)));
        world.until(at(hour) + SignedDuration::from_mins(35));
    }
    // The newest is deployed once more.
    world.until(at("16:00")).deploy(&deployment(5, 4, "prod", Succeeded, at("16:00")));
    world.until(at("Sat 20:00"));
    assert!(world.is_empty(), "{}", world.windows());
    world
}

#[test]
fn what_is_taken_back_when_its_window_has_long_left_had_to_be_put_right() {
    let mut world = a_day_of_releases();
    world.deploy(&deployment(6, 2, "prod", Succeeded, at("Sat 20:00")));
    world.until(at("Sat 20:30"));
    assert_eq!((failed(&world), reworks(&world).last()), (2, Some(&true)), "the third and the fourth");
    // Nor is it taken back by whoever goes further back.
    world.deploy(&deployment(7, 1, "prod", Succeeded, at("Sat 20:40")));
    world.until(at("Tue 12:00"));
    assert_eq!(failed(&world), 3, "the second, once, however often it was deployed");
}

#[test]
fn going_forward_takes_nothing_back() {
    let mut world = a_day_of_releases();
    world.merge(change(5, "usama", at("Sat 20:00"))).settle();
    world.deploy(&deployment(6, 5, "prod", Succeeded, at("Sat 20:10")));
    world.until(at("Tue 12:00"));
    assert_eq!((failed(&world), reworks(&world).contains(&true)), (0, false));
}

#[test]
fn all_that_closed_while_nobody_looked_is_counted() {
    let mut world = World::new();
    world.now = at("08:00");
    let many: i16 = 25;
    for number in 1..=many {
        let number = u64::from(number.unsigned_abs());
        let live = at("08:00") + SignedDuration::from_mins(i64::try_from(number).unwrap());
        world.now = live;
        world.merge(change(number, "usama", live - SignedDuration::from_secs(30)));
        world.deploy(&deployment(number, number, "prod", Succeeded, live));
    }
    world.now = at("14:00");
    world.settle();
    world.until(at("Tue 18:00"));
    assert_eq!(reworks(&world).len(), usize::try_from(many).unwrap());
    assert!(world.is_empty(), "{}", world.windows());
}

/// What would be counted now, in a transaction that does so much already; whether all is, and when it looks again.
fn counted_after(world: &World, actions: usize) -> (Vec<Fact>, Counted, bool, Option<Timestamp>) {
    let World { situation, service, settings, now, .. } = world;
    let all = windows(situation, service, &settings.roster, *now);
    let failures = suite::failures(situation, service, *now);
    let look = Look { situation, service, settings, all: &all, failures: &failures, now: *now, owner_told: false };
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    while decisions.actions() < actions {
        decisions.log(*now, None, None, "something else".to_owned(), Reason::WindowClosed);
    }
    let mut next = Next::default();
    let (counted, all_counted) = deployments(&mut decisions, &mut next, &look);
    assert_eq!(decisions.writes.len(), counted.len());
    (decisions.facts, counted, all_counted, next.0)
}

fn counted(world: &World) -> Vec<Fact> {
    counted_after(world, 1).0
}

/// A change that is live since 15:10, just so.
fn live() -> World {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(1, "feanil", at("15:00")));
    world.now = at("15:10");
    world.deploy(&deployment(1, 1, "prod", Succeeded, at("15:10")));
    world
}

fn second() -> SignedDuration {
    SignedDuration::from_secs(1)
}

#[test]
fn a_release_is_counted_ten_minutes_after_it_went_live_as_long_as_it_could_not_have_left() {
    let mut world = live();
    let policy = &mut world.service.policy;
    (policy.at_most, policy.tail) = (SignedDuration::from_hours(30), SignedDuration::from_hours(5));
    let last = at("15:10") + SignedDuration::from_hours(30 + 5 + 24);
    for (now, counts) in [
        (at("15:10"), false),
        (at("15:20") - second(), false),
        (at("15:20"), true),
        (at("Sat 15:10"), true),
        (last - second(), true),
        (last, false),
        (last + second(), false),
    ] {
        world.now = now;
        assert_eq!(counted(&world).len(), usize::from(counts), "{now}");
    }
}

#[test]
fn what_is_counted_keeps_that_it_was_and_when_its_commit_was_merged() {
    let mut world = live();
    world.now = at("15:20");
    world.situation.deployments.values_mut().for_each(|known| known.value.commit_merged_at = None);
    let (facts, marked, all, next) = counted_after(&world, 1);
    assert_eq!((facts.len(), all, next), (1, true, None));
    let kept = marked.values().next().unwrap();
    assert_eq!(kept.commit_merged_at, Some(at("15:00")));
    assert_eq!((kept.counted.live, kept.counted.failed, kept.counted.stalled), (true, false, false));
    let before = world.situation.deployments.values().next().unwrap().value.clone();
    assert_eq!(Deployment { commit_merged_at: None, counted: before.counted, ..kept.clone() }, before);
    world.situation.note(Record::Deployment(kept.clone()), 9);
    assert_eq!(counted(&world), [], "once");
}

#[test]
fn a_release_is_counted_at_once_where_its_own_window_closes_and_not_for_anothers() {
    let mut world = live();
    world.now = at("15:15");
    let looks = |world: &World, closed: &[u64]| {
        let World { situation, service, settings, now, .. } = world;
        let mut all = windows(situation, service, &settings.roster, *now);
        for window in &mut all {
            if closed.iter().any(|number| window.change.id.commit == commit(*number)) {
                window.phase = Phase::Closed { at: *now, reason: Closed::Reverted };
            }
        }
        let failures = BTreeMap::new();
        let look = Look { situation, service, settings, all: &all, failures: &failures, now: *now, owner_told: false };
        let mut decisions = Decisions::none(&service.id, Wake::Now);
        deployments(&mut decisions, &mut Next::default(), &look);
        decisions.facts.len()
    };
    world.merge(change(2, "usama", at("15:12")));
    assert_eq!(looks(&world, &[]), 0);
    assert_eq!(looks(&world, &[2]), 0, "that one is not live by it");
    assert_eq!(looks(&world, &[1]), 1);
    world.now = at("15:10") + SignedDuration::from_hours(24 * 20);
    assert_eq!(looks(&world, &[1]), 0, "it is told once more of what has left");
}

#[test]
fn what_does_not_fit_is_counted_by_the_next_look() {
    let mut world = live();
    world.now = at("15:20");
    let (facts, _, all, next) = counted_after(&world, 45);
    assert_eq!((facts.len(), all, next), (1, true, None));
    for full in [46, 47, 60] {
        let (facts, _, all, next) = counted_after(&world, full);
        assert_eq!((facts.len(), all, next), (0, false, Some(at("15:20"))), "{full}");
    }
    // Eight at a time.
    for number in 2..=9 {
        world.now = at("15:20");
        world.deploy(&deployment(number, number, "prod", Succeeded, at("15:20")));
    }
    world.now = at("15:40");
    let (facts, _, all, next) = counted_after(&world, 1);
    assert_eq!((facts.len(), all, next), (8, false, Some(at("15:40"))));
}

#[test]
fn only_what_took_something_back_itself_is_rework() {
    let mut world = rolling_back();
    world.deploy(&deployment(3, 1, "prod", Succeeded, at("13:40")));
    world.until(at("13:52")).merge(change(4, "usama", at("13:52"))).settle();
    world.until(at("13:55")).deploy(&deployment(4, 4, "prod", Succeeded, at("13:55")));
    world.until(at("14:10"));
    assert_eq!(reworks(&world), [false, false, true, false]);
    assert_eq!(failed(&world), 1);
}

/// How long users were unwell of what was taken back at 13:00, having been live since 12:10, by incidents of these times.
fn recovery(incidents: &[(&str, Option<&str>)]) -> Vec<Option<u64>> {
    let mut world = World::new();
    world.now = at("11:00");
    world.merge(change(1, "feanil", at("11:00"))).merge(change(2, "usama", at("11:50")));
    world.deploy(&deployment(1, 1, "prod", Succeeded, at("11:30")));
    world.now = at("12:10");
    world.deploy(&deployment(2, 2, "prod", Succeeded, at("12:10")));
    world.now = at("12:30");
    world.settle();
    world.now = at("13:00");
    let mut breaks = World::new();
    breaks.now = at("12:00");
    breaks.alert(&[alert("HighErrorRate", at("12:00"), None)]);
    let one = breaks.situation.incidents.values().next().unwrap().value.clone();
    for (began, over) in incidents {
        let id = crate::IncidentId::of(&world.service.id, &format!("i{}", world.situation.incidents.len()));
        let incident = Incident { id, began_at: at(began), resolved_at: over.map(at), suspects: vec![], ..one.clone() };
        world.situation.note(Record::Incident(incident), 1);
    }
    world.deploy(&deployment(3, 1, "prod", Succeeded, at("13:00")));
    world.now = at("13:10");
    let recovered = |fact: Fact| if let Fact::Failed { recovery, .. } = fact { Some(recovery) } else { None };
    counted(&world).into_iter().filter_map(recovered).collect()
}

#[test]
fn users_are_unwell_from_the_first_incident_of_its_time_until_it_was_taken_back() {
    let minutes = |minutes: u64| vec![Some(60 * minutes)];
    assert_eq!(recovery(&[]), minutes(50), "else since it was live");
    assert_eq!(recovery(&[("12:20", None)]), minutes(40));
    assert_eq!(recovery(&[("12:40", None), ("12:20", None), ("12:30", None)]), minutes(40));
    assert_eq!(recovery(&[("12:10", None), ("12:20", None)]), minutes(50));
    assert_eq!(recovery(&[("12:09", None), ("12:20", None)]), minutes(40), "that one began before it");
    assert_eq!(recovery(&[("12:09", None)]), minutes(50));
    assert_eq!(recovery(&[("13:00", None)]), minutes(0));
    assert_eq!(recovery(&[("13:01", None)]), minutes(50), "nor that");
    assert_eq!(recovery(&[("12:20", Some("12:59"))]), minutes(50), "it was over before");
    assert_eq!(recovery(&[("12:20", Some("13:00"))]), minutes(40));
}

/// A change that was the second suspect, and by somebody's word the cause, of what was over at 16:00.
fn judged() -> World {
    let mut world = live();
    world.now = at("15:12");
    world.merge(change(2, "usama", at("15:02")));
    world.deploy(&deployment(2, 2, "prod", Succeeded, at("15:12")));
    world.now = at("15:30");
    world.settle();
    world.alert(&[alert("HighErrorRate", at("15:30"), None)]);
    world.settle();
    world.now = at("16:00");
    world.alert(&[alert("HighErrorRate", at("15:30"), Some(at("16:00")))]);
    let incident = &mut world.situation.incidents.values_mut().next().unwrap().value;
    let last = incident.suspects.last().unwrap();
    assert_eq!(incident.suspects.len(), 2);
    incident.verdict = Some(Verdict {
        change: Some(last.change.clone()),
        label: last.label.clone(),
        by: Judge::Person("anna".parse().unwrap()),
        at: at("16:00"),
    });
    world
}

#[test]
fn what_caused_an_incident_had_to_be_put_right_a_day_after_its_end_once() {
    let mut world = judged();
    let over = at("16:00") + SignedDuration::from_hours(24);
    let culprit = world.situation.incidents.values().next().unwrap().value.culprit().unwrap().unwrap().clone();
    let live_at = if culprit.commit == commit(1) { at("15:10") } else { at("15:12") };
    world.now = over - second();
    assert_eq!(counted(&world), []);
    for now in [over, over + second()] {
        world.now = now;
        let want = Fact::Failed { at: live_at, recovery: Some(30 * 60) };
        assert_eq!(counted(&world), [want], "{now}");
    }
    let (_, marked, ..) = counted_after(&world, 1);
    assert_eq!(marked.len(), 1);
    let kept = marked.values().next().unwrap().clone();
    assert!(kept.counted.failed && kept.is_of(&culprit.commit));
    world.situation.note(Record::Deployment(kept.clone()), 9);
    assert_eq!(counted(&world), [], "once");
    // What was too late to be counted as live is not counted as failed either.
    let mut late = kept;
    (late.counted.live, late.counted.failed) = (false, false);
    late.succeeded_at = late.succeeded_at.map(|at| at - SignedDuration::from_hours(24 * 30));
    late.started_at = Some(live_at);
    world.situation.note(Record::Deployment(late), 10);
    assert_eq!(counted(&world), []);
}

#[test]
fn of_two_releases_of_one_moment_that_of_the_changes_repository_was_it() {
    let mut world = judged();
    let culprit = world.situation.incidents.values().next().unwrap().value.culprit().unwrap().unwrap().clone();
    let own = world.situation.deployments.values().find(|known| known.value.is_of(&culprit.commit)).unwrap().clone();
    for id in ["0", "9"] {
        let mut other = own.value.clone();
        other.key.id = id.to_owned();
        other.repository = "openedx/other".parse().unwrap();
        world.situation.note(Record::Deployment(other), 1);
    }
    world.now = at("16:00") + SignedDuration::from_hours(24);
    let (facts, marked, ..) = counted_after(&world, 1);
    assert_eq!(facts.len(), 1);
    assert!(marked[&own.value.key].counted.failed);
}

#[test]
fn of_a_rollback_over_more_releases_than_there_is_room_for_the_newest_are_counted() {
    let mut world = World::new();
    world.now = at("08:00");
    for number in 1..=40 {
        let live = at("08:00") + SignedDuration::from_mins(i64::try_from(number).unwrap());
        world.merge(change(number, "usama", live - SignedDuration::from_secs(30)));
        world.now = live;
        world.deploy(&deployment(number, number, "prod", Succeeded, live));
    }
    world.situation.deployments.values_mut().for_each(|known| known.value.counted.live = true);
    world.now = at("09:00");
    world.deploy(&deployment(99, 1, "prod", Succeeded, at("09:00")));
    world.now = at("09:10");
    let (_, marked, all, _) = counted_after(&world, 1);
    assert_eq!((marked.len(), all), (MOST_MARKED, true), "it, and what it took back");
    let failed = marked.values().filter(|deployment| deployment.counted.failed);
    let ids: Vec<u64> = failed.map(|deployment| deployment.key.id.parse().unwrap()).collect();
    assert_eq!((ids.len(), ids.iter().min()), (MOST_MARKED - 1, Some(&12)));
}
