//! What leaves, to the second, and as long as it fits a transaction: up to ninety actions.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::change::Files;
use crate::decision::{Wake, Write};
use crate::ids::PersonId;
use crate::shift::KEEP;
use crate::suspect::{Stand, Suspect};
use crate::testing::{World, alert, at, change, deployment};
use crate::undo::{Opened, Stage, Undo};
use crate::window::windows;
use crate::{Because, DeploymentState, suite};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A transaction that does so much already.
fn filled(world: &World, actions: usize) -> Decisions {
    let mut decisions = Decisions::none(&world.service.id, Wake::Now);
    while decisions.actions() < actions {
        decisions.log(world.now, None, None, "something else".to_owned(), Reason::WindowClosed);
    }
    decisions
}

/// What one part of the tidying adds to a transaction of so many actions; and when it wants to look again.
fn part(
    world: &World,
    actions: usize,
    tidy: impl FnOnce(&mut Decisions, &mut Next, &Look<'_>),
) -> (Vec<String>, Option<Timestamp>) {
    let World { situation, service, settings, now, .. } = world;
    let all = windows(situation, service, &settings.roster, *now);
    let failures = suite::failures(situation, service, *now);
    let look = Look { situation, service, settings, all: &all, failures: &failures, now: *now, owner_told: false };
    let mut decisions = filled(world, actions);
    let before = decisions.entries.len();
    let mut next = Next::default();
    tidy(&mut decisions, &mut next, &look);
    let lines = decisions.entries[before..].iter().map(|line| format!("says: {}", line.what));
    let writes = decisions.writes.iter().map(|write| match write {
        Write::Put { record, seen } => format!("keeps at {seen}: {}", name(&record.key())),
        Write::Drop { key, seen } => format!("drops at {seen}: {}", name(key)),
    });
    (lines.chain(writes).collect(), next.0)
}

fn name(key: &RecordKey) -> String {
    if let RecordKey::Deployment(key) = key {
        return format!("deployment {}", key.id);
    }
    if let RecordKey::Signals(environment) = key {
        return format!("signals {environment}");
    }
    format!("{key:?}").split(['(', '{']).next().unwrap_or_default().to_lowercase()
}

fn nothing(next: Option<Timestamp>) -> (Vec<String>, Option<Timestamp>) {
    (vec![], next)
}

#[test]
fn what_monitors_said_is_forgotten_when_no_turn_that_it_prolonged_has_a_tail_any_more() {
    for (at_most, tail, hours) in [(1, 1, 72), (60, 20, 80), (100, 10, 110)] {
        let mut world = World::new();
        world.service.policy.at_most = SignedDuration::from_hours(at_most);
        world.service.policy.tail = SignedDuration::from_hours(tail);
        world.now = at("12:00");
        world.alert(&[alert("HighErrorRate", at("11:00"), Some(at("12:00")))]);
        assert!(world.situation.incidents.is_empty());
        let until = at("12:00") + SignedDuration::from_hours(hours);
        world.now = until - SECOND;
        assert_eq!(part(&world, 1, signals), nothing(Some(until)), "{hours}");
        world.now = until;
        assert_eq!(part(&world, 1, signals), (vec!["drops at 1: signals production".to_owned()], None), "{hours}");
    }
}

#[test]
fn what_fired_and_was_forgotten_is_given_up_a_day_later_where_nothing_else_is_written() {
    let mut world = World::new();
    world.now = at("12:00");
    world.alert(&[alert("HighErrorRate", at("12:00"), None)]);
    let known = world.situation.signals.values_mut().next().unwrap();
    known.value.lost_at = Some(at("12:10"));
    known.value.by_key.values_mut().for_each(|signal| signal.ended_at = Some(at("12:20")));
    let until = at("12:10") + DAY;
    world.now = until - SECOND;
    assert_eq!(part(&world, 1, signals), nothing(Some(until)));
    assert_eq!(part(&world, 2, signals), nothing(Some(until)));
    world.now = until;
    assert_eq!(part(&world, 2, signals), nothing(Some(until)), "its incident is written once in a transaction");
    let (done, next) = part(&world, 1, signals);
    assert_eq!(next, None);
    assert!(
        done.ends_with(&["keeps at 1: incident".to_owned(), "keeps at 1: signals production".to_owned()]),
        "{done:?}"
    );
    let mut after = World { now: until, situation: world.situation.clone(), ..World::new() };
    after.settle();
    let kept = &after.situation.signals.values().next().unwrap().value;
    assert_eq!((&kept.open, kept.lost_at, kept.by_key.len()), (&None, None, 1));
    let incident = &after.situation.incidents.values().next().unwrap().value;
    assert_eq!(incident.resolved_at, Some(at("12:20")));
    assert!(after.log.iter().any(|line| line.reason == Reason::IncidentResolved));
    world.now = until + SECOND;
    assert_eq!(part(&world, 1, signals).1, None);
    assert_eq!(part(&world, 2, signals), nothing(Some(world.now)));
}

#[test]
fn a_closed_window_leaves_once_its_release_remembers_it_and_nothing_is_live_by_it() {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("15:00"))).merge(change(13, "usama", at("15:01"))).settle();
    let closes = |world: &World, pinned: bool| {
        part(world, 1, |decisions, next, look| {
            let mut all = look.all.to_vec();
            let first = all.iter().position(|window| window.change.id.commit == crate::testing::commit(12)).unwrap();
            let pins = all[first].change;
            if pinned {
                all[1 - first].pinned_by = Some(pins);
            }
            let window = all[first].clone();
            let look = Look { all: &all, ..*look };
            close(decisions, next, &mut Track::default(), &look, &window);
        })
    };
    let (done, next) = closes(&world, false);
    assert_eq!((done[0].as_str(), next), ("says: edx-platform#12 leaves the working set", None));
    assert!(done[1].starts_with("drops at ") && done[1].ends_with(": change"), "{done:?}");
    assert_eq!(closes(&world, true), nothing(Some(at("15:01"))), "looked at again in a minute");
    // A release of its commit does not remember yet when that was merged.
    world.deploy(&deployment(12, 12, "prod", DeploymentState::Succeeded, at("15:00")));
    world.situation.deployments.values_mut().for_each(|known| known.value.commit_merged_at = None);
    assert_eq!(closes(&world, false), nothing(Some(at("15:00"))));
    assert_eq!(closes(&world, true), nothing(Some(at("15:00"))));
    world.situation.deployments.values_mut().for_each(|known| known.value.commit_merged_at = Some(at("15:00")));
    assert_eq!(closes(&world, true), nothing(Some(at("15:01"))));
    assert_eq!(closes(&world, false).1, None);
}

#[test]
fn lists_of_files_without_a_change_leave_while_they_fit() {
    let mut world = World::new();
    world.situation.note(Record::Files(change(12, "feanil", at("15:00")).id, Files::of(["a.py"])), 4);
    let lists = |world: &World, actions| part(world, actions, |d, n, look| lists(d, n, look.situation, look.now));
    assert_eq!(lists(&world, 89), (vec!["drops at 4: files".to_owned()], None));
    assert_eq!(lists(&world, 90), nothing(Some(world.now)));
    assert_eq!(lists(&world, 91), nothing(Some(world.now)));
}

#[test]
fn errands_that_nobody_runs_are_given_up_while_they_fit() {
    use crate::on_merge::errands::{Errand, Unread, Which};
    let mut world = World::new();
    let told = Unread { repository: crate::testing::repository(), which: Which::Number(12), forge: None, at: None };
    world.situation.note(Record::Errand(Errand { tries: 1, ..Errand::new(told, at("12:00")) }), 3);
    world.now = at("12:00") + MEMORY;
    let errands = |world: &World, actions| part(world, actions, |d, n, look| errands(d, n, look.situation, look.now));
    let given_up = ["says: edx-platform#12 is not asked about", "drops at 3: errand"].map(str::to_owned).to_vec();
    assert_eq!(errands(&world, 88), (given_up, None));
    assert_eq!(errands(&world, 89), nothing(Some(world.now)));
    assert_eq!(errands(&world, 90), nothing(Some(world.now)));
}

/// #12 is known, and Anna asked for its revert at 15:00.
fn undone(stage: Stage) -> World {
    let mut world = World::new();
    world.now = at("15:00");
    let change = change(12, "feanil", at("14:00"));
    world.situation.note(Record::Undo(Undo { stage, ..Undo::new(&change, &"anna".parse().unwrap(), at("15:00")) }), 2);
    world
}

#[test]
fn a_revert_that_nobody_opens_is_asked_for_each_minute_and_given_up_ten_minutes_after_it_was_due() {
    let mut world = undone(Stage::Asked { tries: 0, due_at: at("15:03"), why: None });
    for (now, next) in [
        (at("15:00"), at("15:03")),
        (at("15:02"), at("15:03")),
        (at("15:03"), at("15:04")),
        (at("15:08"), at("15:09")),
        (at("15:12"), at("15:13")),
        (at("15:13") - SECOND, at("15:13")),
    ] {
        world.now = now;
        assert_eq!(part(&world, 1, undos), nothing(Some(next)), "{now}");
    }
    world.now = at("15:13");
    let (done, next) = part(&world, 86, undos);
    assert_eq!(
        done,
        [
            "says: no revert of edx-platform#12 is opened",
            "says: notice to anna: edx-platform#12 could not be reverted by one click",
            "keeps at 2: undo"
        ]
    );
    assert_eq!(next, Some(at("15:13")));
    assert_eq!(part(&world, 1, undos).0.len(), 3);
    for full in [87, 88, 90] {
        assert_eq!(part(&world, full, undos), nothing(Some(at("15:13"))), "{full}");
    }
}

#[test]
fn a_revert_that_is_opened_is_known_for_a_while_and_as_long_as_its_change_is_here() {
    let mut world = undone(Stage::Opened(Opened { number: 13, url: None, head: None, found: false }));
    let end = at("15:00") + undo::KEPT;
    for now in [at("15:00"), at("16:00"), end - SECOND] {
        world.now = now;
        assert_eq!(part(&world, 1, undos), nothing(Some(end)), "{now}");
    }
    world.now = end;
    assert_eq!(part(&world, 89, undos), (vec!["drops at 2: undo".to_owned()], None));
    assert_eq!(part(&world, 90, undos), nothing(Some(end)));
    assert_eq!(part(&world, 91, undos), nothing(Some(end)));
    world.situation.note(Record::Change(change(12, "feanil", at("14:00"))), 1);
    assert_eq!(part(&world, 1, undos), nothing(None));
    world.now = end - SECOND;
    assert_eq!(part(&world, 1, undos), nothing(Some(end)));
}

fn taken(scope: Scope, until: Option<&str>) -> Shift {
    let olga: PersonId = "olga".parse().unwrap();
    Shift::new(scope, &olga, &olga, at("13:00"), until.map(at), at("12:00"))
}

#[test]
fn a_shift_is_looked_at_when_it_begins_and_ends_and_leaves_two_days_later() {
    let mut world = World::new();
    world.situation.note(Record::Shift(taken(Scope::Service, Some("14:00"))), 5);
    let kept = at("14:00") + KEEP;
    for (now, next) in [("12:00", "13:00"), ("12:59", "13:00"), ("13:00", "14:00"), ("13:59", "14:00")] {
        world.now = at(now);
        assert_eq!(part(&world, 1, shifts), nothing(Some(at(next))), "{now}");
    }
    world.now = at("14:00");
    let (done, next) = part(&world, 86, shifts);
    assert_eq!((done.len(), done.last().map(String::as_str), next), (2, Some("keeps at 5: shift"), Some(at("14:00"))));
    for full in [87, 88, 90] {
        assert_eq!(part(&world, full, shifts), nothing(Some(at("14:00"))), "{full}");
    }
    world.settle();
    assert_eq!(world.told.len(), 1, "its holder hears it once");
    for now in [at("14:00"), at("15:00"), kept - SECOND] {
        world.now = now;
        assert_eq!(part(&world, 1, shifts), nothing(Some(kept)), "{now}");
    }
    for now in [kept, kept + SECOND] {
        world.now = now;
        assert_eq!(part(&world, 86, shifts), (vec!["drops at 6: shift".to_owned()], None), "{now}");
    }
}

#[test]
fn a_shift_for_one_window_leaves_with_it() {
    let mut world = World::new();
    world.now = at("14:00");
    let change = change(12, "feanil", at("12:00"));
    world.situation.note(Record::Shift(taken(Scope::Change(change.id.clone()), None)), 5);
    assert_eq!(part(&world, 1, shifts), (vec!["drops at 5: shift".to_owned()], None));
    world.situation.note(Record::Change(change), 1);
    assert_eq!(part(&world, 1, shifts), nothing(None));
}

/// Deployment 1 is superseded by 2; of neither is a change here.
fn superseded() -> World {
    let mut world = World::new();
    for id in [1, 2] {
        let when = at("15:20") + SignedDuration::from_mins(i64::try_from(id).unwrap());
        world.now = when;
        world.deploy(&deployment(id, id, "prod", DeploymentState::Succeeded, when));
    }
    world
}

fn until(world: &World) -> Timestamp {
    at("15:21") + world.service.policy.at_most + world.service.policy.tail + DAY
}

fn leave(world: &World, actions: usize) -> (Vec<String>, Option<Timestamp>) {
    part(world, actions, |d, n, look| deployments(d, n, &Counted::new(), look))
}

#[test]
fn a_superseded_deployment_leaves_a_day_after_the_last_tail_it_could_have_and_what_is_live_stays() {
    let mut world = superseded();
    world.service.policy.at_most = SignedDuration::from_hours(30);
    world.service.policy.tail = SignedDuration::from_hours(5);
    let rev = world.situation.deployments.values().next().unwrap().rev;
    let gone = (vec![format!("drops at {rev}: deployment 1")], None);
    let end = until(&world);
    world.now = end - SECOND;
    assert_eq!(leave(&world, 1), nothing(Some(end)));
    for now in [end, end + SECOND, end + 30 * DAY] {
        world.now = now;
        assert_eq!(leave(&world, 1), gone, "{now}");
    }
    world.now = end;
    assert_eq!(leave(&world, 89), gone);
    assert_eq!(leave(&world, 90), nothing(Some(end)));
    assert_eq!(leave(&world, 91), nothing(Some(end)));
    // What is counted in this look is written already.
    let first = world.situation.deployments.values().next().unwrap().value.clone();
    let counted = Counted::from([(first.key.clone(), first)]);
    assert_eq!(part(&world, 1, |d, n, look| deployments(d, n, &counted, look)), nothing(Some(end)));
}

#[test]
fn a_deployment_stays_as_long_as_an_incident_suspects_it() {
    let mut world = superseded();
    let first = world.situation.deployments.values().next().unwrap().value.clone();
    let (mut breaks, now) = (World::new(), at("15:30"));
    breaks.now = now;
    breaks.alert(&[alert("HighErrorRate", now, None)]);
    let mut incident = breaks.situation.incidents.values().next().unwrap().value.clone();
    let suspect = Suspect {
        change: change(1, "feanil", now).id,
        label: "edx-platform#1".to_owned(),
        title: String::new(),
        url: None,
        responder: "feanil".parse().unwrap(),
        because: Because::Merged,
        stand: Stand::Active,
        live_since: suspect::live_since(&first),
        evidence: vec![],
        likelihood: None,
        together: None,
        weighed: vec![],
    };
    incident.suspects = vec![suspect.clone()];
    world.situation.note(Record::Incident(incident.clone()), 1);
    world.now = until(&world);
    assert_eq!(leave(&world, 1), nothing(Some(world.now + SignedDuration::from_hours(1))));
    incident.suspects = vec![Suspect { live_since: suspect.live_since + SECOND, ..suspect }];
    world.situation.note(Record::Incident(incident), 2);
    assert_eq!(leave(&world, 1).0.len(), 1, "another one is suspected");
}

#[test]
fn a_deployment_stays_as_long_as_a_window_was_live_by_it_and_remembers_when_its_commit_was_merged() {
    let mut world = superseded();
    let merged_at = at("15:10");
    world.situation.note(Record::Change(change(1, "feanil", merged_at)), 1);
    world.now = until(&world) + DAY;
    let rev = world.situation.deployments.values().next().unwrap().rev;
    assert_eq!(leave(&world, 89), (vec![format!("keeps at {rev}: deployment 1")], None));
    for full in [90, 91] {
        assert_eq!(leave(&world, full), nothing(Some(world.now)), "{full}");
    }
    let first = world.situation.deployments.values_mut().next().unwrap();
    first.value.commit_merged_at = Some(merged_at);
    assert_eq!(leave(&world, 1), nothing(None));
}
