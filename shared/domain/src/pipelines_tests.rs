//! Pipelines that hold: what is asked of them when, and what a crash between any two steps leaves behind.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::freeze::Time;
use crate::testing::{World, at};

fn pipeline() -> Pipeline {
    Pipeline::parse("gocd:edxapp-production").unwrap()
}

/// A service whose deployments wait from Friday 16:00 to Monday 10:00, with one pipeline.
fn world() -> World {
    let mut world = World::new();
    world.change_service(|service| {
        let time = Time { from: at("16:00"), until: at("Mon 10:00"), name: "gratitude week".to_owned() };
        service.frozen = vec![Arc::new(vec![time])];
        service.holds = vec![pipeline()];
    });
    world.settings.pipelines.insert("gocd".to_owned());
    world
}

/// A pipeline out there: who holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Out {
    Open,
    Ours,
    Theirs,
}

impl Out {
    /// What it does when it is asked, as the clients of [`crate::pipelines`] do.
    fn is_asked(&mut self, ask: &Ask) -> Said {
        *self = match (&ask, *self) {
            (Ask::Hold { .. }, Self::Open) => Self::Ours,
            (Ask::LetGo, Self::Ours) => Self::Open,
            (_, other) => other,
        };
        match self {
            Self::Open => Said::Open,
            Self::Ours => Said::Ours,
            Self::Theirs => Said::Theirs("release day".to_owned()),
        }
    }
}

fn plan_now(world: &mut World) -> Vec<(Pipeline, Ask)> {
    let (decisions, asks) = plan(&world.situation, &world.service, &world.settings.pipelines, world.now);
    world.commit(&decisions);
    asks
}

fn heard(world: &mut World, ask: &Ask, said: &Said) {
    let decisions = hear(&pipeline(), ask, said, &world.situation, world.now);
    world.commit(&decisions);
}

/// One look of the clock, with everything asked and heard.
fn look(world: &mut World, out: &mut Out) {
    for _ in 0..3 {
        let asks = plan_now(world);
        if asks.is_empty() {
            return;
        }
        for (_, ask) in asks {
            let said = out.is_asked(&ask);
            heard(world, &ask, &said);
        }
    }
}

fn until(world: &mut World, out: &mut Out, when: &str) {
    world.now = at(when);
    look(world, out);
}

#[test]
fn it_holds_from_the_beginning_of_the_freeze_to_its_end() {
    let (mut world, mut out) = (world(), Out::Open);
    until(&mut world, &mut out, "15:00");
    assert_eq!(
        (out, due_at(&world.situation, &world.service, &world.settings.pipelines, world.now)),
        (Out::Open, Some(at("16:00")))
    );
    until(&mut world, &mut out, "16:00");
    assert_eq!(out, Out::Ours);
    assert_eq!(world.reasons, ["pipeline_held"]);
    assert_eq!(
        due_at(&world.situation, &world.service, &world.settings.pipelines, world.now),
        Some(at("16:10")),
        "it is looked at again"
    );
    until(&mut world, &mut out, "Mon 10:00");
    assert_eq!(out, Out::Open);
    assert_eq!(world.reasons, ["pipeline_held", "pipeline_let_go"]);
    assert_eq!(due_at(&world.situation, &world.service, &world.settings.pipelines, world.now), None);
}

#[test]
fn what_somebody_else_holds_is_left_alone_and_held_once_they_let_it_go() {
    let (mut world, mut out) = (world(), Out::Theirs);
    until(&mut world, &mut out, "16:00");
    until(&mut world, &mut out, "16:30");
    assert_eq!((out, world.reasons.as_slice()), (Out::Theirs, &["pipeline_theirs"][..]));
    out = Out::Open;
    until(&mut world, &mut out, "17:00");
    assert_eq!(out, Out::Ours);
    // Somebody holds it too, in our place: it is theirs at the end.
    out = Out::Theirs;
    until(&mut world, &mut out, "Mon 10:00");
    assert_eq!(out, Out::Theirs);
    assert!(world.situation.pipelines.value.held.is_empty());
}

#[test]
fn what_somebody_opened_by_hand_stays_open() {
    let (mut world, mut out) = (world(), Out::Open);
    until(&mut world, &mut out, "16:00");
    out = Out::Open;
    until(&mut world, &mut out, "16:10");
    until(&mut world, &mut out, "18:00");
    assert_eq!((out, world.reasons.as_slice()), (Out::Open, &["pipeline_held", "pipeline_opened"][..]));
    until(&mut world, &mut out, "Mon 10:00");
    assert!(world.situation.pipelines.value.held.is_empty());
}

#[test]
fn a_freeze_that_lasts_longer_or_is_called_off_is_followed() {
    let (mut world, mut out) = (world(), Out::Open);
    until(&mut world, &mut out, "16:00");
    world.service.frozen =
        vec![Arc::new(vec![Time { from: at("16:00"), until: at("Tue 10:00"), name: "longer".into() }])];
    world.now = at("17:00");
    let asks = plan_now(&mut world);
    assert!(matches!(&asks[..], [(_, Ask::Hold { until, .. })] if *until == at("Tue 10:00")), "{asks:?}");
    look(&mut world, &mut out);
    until(&mut world, &mut out, "Mon 11:00");
    assert_eq!(out, Out::Ours);
    world.service.frozen.clear();
    until(&mut world, &mut out, "Mon 11:05");
    assert_eq!(out, Out::Open);
}

#[test]
fn a_pipeline_that_left_the_configuration_is_let_go() {
    let (mut world, mut out) = (world(), Out::Open);
    until(&mut world, &mut out, "16:00");
    world.service.holds.clear();
    until(&mut world, &mut out, "17:00");
    assert_eq!(out, Out::Open);
    assert!(world.situation.pipelines.value.held.is_empty());
}

#[test]
fn the_owner_hears_once_that_a_pipeline_cannot_be_held() {
    let mut world = world();
    world.now = at("16:00");
    for minute in 0..20 {
        world.now = at("16:00") + SignedDuration::from_mins(minute);
        for (_, ask) in plan_now(&mut world) {
            heard(&mut world, &ask, &Said::Nothing("it answered 503".to_owned()));
        }
        world.settle();
    }
    assert_eq!(world.heard(), "notice olga pipeline-silent (pipeline_silent)");
    assert_eq!(world.reasons.iter().filter(|reason| **reason == "pipeline_silent").count(), 2, "{:?}", world.reasons);
}

#[test]
fn it_is_opened_for_a_fix_until_a_deployment_begins() {
    let (mut world, mut out) = (world(), Out::Open);
    until(&mut world, &mut out, "16:00");
    let through = Through {
        by: "feanil".parse().unwrap(),
        from: at("17:00"),
        until: at("17:30"),
        label: "edx-platform#7".to_owned(),
    };
    world.now = at("17:00");
    world.situation.pipelines.value.through = Some(through);
    look(&mut world, &mut out);
    assert_eq!(out, Out::Open);
    assert_eq!(due_at(&world.situation, &world.service, &world.settings.pipelines, world.now), Some(at("17:30")));
    until(&mut world, &mut out, "17:30");
    assert_eq!(out, Out::Ours, "nobody used it");
}

#[test]
fn what_was_asked_to_hold_too_late_is_let_go_by_the_next_look() {
    let (mut world, mut out) = (world(), Out::Open);
    world.now = at("Mon 09:59");
    let late = plan_now(&mut world).remove(0).1;
    // Meanwhile the freeze ends, and somebody else finds it open.
    until(&mut world, &mut out, "Mon 10:00");
    assert!(world.situation.pipelines.value.held.is_empty());
    let said = out.is_asked(&late);
    heard(&mut world, &late, &said);
    assert_eq!(out, Out::Ours);
    until(&mut world, &mut out, "Mon 10:01");
    assert_eq!(out, Out::Open);
}

#[test]
fn the_owner_hears_that_what_we_hold_is_not_in_the_configuration_any_more() {
    let (mut world, mut out) = (world(), Out::Open);
    until(&mut world, &mut out, "16:00");
    world.settings.pipelines.clear();
    world.service.holds.clear();
    world.now = at("16:05");
    world.settle();
    world.now = at("16:30");
    world.settle();
    assert_eq!(world.heard(), "notice olga pipeline-silent (pipeline_silent)");
    assert!(world.situation.clock.value.due_at.is_none_or(|at| at > world.now), "and it is not looked at all the time");
    // Of a service that is gone all is let go.
    let asks = all_let_go(&world.situation, at("20:00"));
    assert_eq!(asks, [(pipeline(), Ask::LetGo)]);
}

proptest! {
    /// Whatever is lost between any two steps, and whatever people do meanwhile: nothing that we paused stays paused after the end,
    /// and nothing that somebody else paused is opened.
    #[test]
    fn nothing_that_we_paused_stays_paused(steps in proptest::collection::vec((0_u8..5, 1_i64..400), 1..60)) {
        let (mut world, mut out) = (world(), Out::Open);
        let mut theirs = false;
        world.now = at("15:00");
        for (what, minutes) in steps {
            world.now += SignedDuration::from_mins(minutes);
            match what {
                // The process dies after it planned; after it asked; the answer is lost.
                0 => drop(plan_now(&mut world)),
                1 => for (_, ask) in plan_now(&mut world) { out.is_asked(&ask); },
                2 => for (_, ask) in plan_now(&mut world) { heard(&mut world, &ask, &Said::Nothing("lost".to_owned())); },
                // Somebody takes it over, or gives it back.
                3 => {
                    theirs = out != Out::Theirs;
                    out = if theirs { Out::Theirs } else { Out::Open };
                }
                _ => look(&mut world, &mut out),
            }
            prop_assert_eq!(out == Out::Theirs, theirs, "we touched what is theirs");
        }
        world.now = world.now.max(at("Mon 10:00"));
        for _ in 0..30 {
            world.now += SignedDuration::from_mins(11);
            look(&mut world, &mut out);
        }
        prop_assert_ne!(out, Out::Ours);
        prop_assert!(world.situation.pipelines.value.held.is_empty());
    }
}

#[test]
fn a_pipeline_is_open_until_a_live_deployment_begins_or_the_time_is_up() {
    let opened = |when: &str, deployed: Option<(&str, crate::DeploymentState, &str)>| {
        let mut world = world();
        let (from, until) = (at("17:00"), at("17:30"));
        let through = Through { by: "feanil".parse().unwrap(), from, until, label: String::new() };
        world.situation.pipelines.value.through = Some(through);
        if let Some((environment, state, created)) = deployed {
            world.now = at(created);
            let mut event = crate::testing::deployment(9, 12, environment, state, at(created));
            event.created_at = Some(at(created));
            world.deploy(&event);
        }
        open_until(&world.situation, &world.service, at(when)).is_some()
    };
    use crate::DeploymentState::{Failed, Started};
    assert!(opened("17:29", None) && !opened("17:30", None));
    assert!(!opened("17:10", Some(("prod", Started, "17:00"))));
    assert!(!opened("17:10", Some(("prod", Failed, "17:05"))));
    assert!(opened("17:10", Some(("prod", Started, "16:59"))), "it was under way before");
    assert!(opened("17:10", Some(("staging", Started, "17:05"))));
}

/// What the log says once a pipeline that holds since Friday was asked for this and said that.
fn logged(stands: Stands, ask: &Ask, said: &Said, now: jiff::Timestamp) -> Vec<String> {
    let mut world = world();
    let held = Held {
        freeze: "gratitude week".to_owned(),
        from: at("16:00"),
        until: at("Mon 10:00"),
        stands,
        seen_at: at("16:00"),
        told_silent: false,
        failed: None,
    };
    world.situation.pipelines.value.held.insert(pipeline().to_string(), held);
    let decisions = hear(&pipeline(), ask, said, &world.situation, now);
    decisions.entries.iter().map(|entry| entry.what.clone()).collect()
}

#[test]
fn what_held_for_more_than_thirty_days_may_have_to_be_released_by_hand() {
    let second = jiff::SignedDuration::from_secs(1);
    let month = at("16:00") + jiff::SignedDuration::from_hours(24 * 30);
    let says = |now| logged(Stands::Held, &Ask::LetGo, &Said::Open, now);
    assert_eq!(says(month), ["the pipeline gocd:edxapp-production goes on"]);
    assert_eq!(
        says(month + second),
        [
            "the pipeline gocd:edxapp-production goes on; what waited there for more than 30 days may have to be released by hand"
        ]
    );
}

#[test]
fn that_somebody_else_holds_it_is_said_once() {
    let theirs = Said::Theirs("release day".to_owned());
    let says = |stands| logged(stands, &Ask::Look, &theirs, at("17:00"));
    assert_eq!(says(Stands::Wanted), ["the pipeline gocd:edxapp-production is held by somebody else"]);
    assert_eq!(says(Stands::Held), ["the pipeline gocd:edxapp-production is held by somebody else"]);
    assert_eq!(says(Stands::Theirs { why: "another".to_owned() }), [""; 0]);
}

#[test]
fn what_nobody_can_ask_is_looked_at_again_when_its_freeze_ends() {
    let mut world = world();
    world.now = at("16:00");
    plan_now(&mut world);
    let due = |known: &BTreeSet<String>| due_at(&world.situation, &world.service, known, world.now);
    assert_eq!(due(&world.settings.pipelines), Some(at("16:00")));
    assert_eq!(due(&BTreeSet::new()), Some(at("Mon 10:00")));
}

#[test]
fn a_freeze_of_the_same_name_or_to_the_same_end_is_told_to_the_pipeline_too() {
    for (until, name) in [("Tue 10:00", "gratitude week"), ("Mon 10:00", "another")] {
        let (mut world, mut out) = (world(), Out::Open);
        self::until(&mut world, &mut out, "16:00");
        world.service.frozen = vec![Arc::new(vec![Time { from: at("16:00"), until: at(until), name: name.into() }])];
        let hold = Ask::Hold { freeze: name.into(), from: at("16:00"), until: at(until) };
        assert_eq!(plan_now(&mut world), [(pipeline(), hold)]);
    }
}

#[test]
fn what_is_to_be_let_go_is_left_alone_for_a_minute_where_it_did_not_answer_and_always_where_it_is_theirs() {
    let (mut world, mut out) = (world(), Out::Open);
    until(&mut world, &mut out, "16:00");
    world.now = at("Mon 10:00");
    heard(&mut world, &Ask::LetGo, &Said::Nothing("it answered 503".to_owned()));
    let minute = SignedDuration::from_mins(1);
    let let_go = [(pipeline(), Ask::LetGo)];
    assert_eq!((plan_now(&mut world), all_let_go(&world.situation, world.now)), (vec![], vec![]));
    assert_eq!(all_let_go(&world.situation, world.now + minute), let_go);
    world.now += minute;
    assert_eq!(plan_now(&mut world), let_go);
    for stands in [Stands::Theirs { why: String::new() }, Stands::Opened] {
        let held = world.situation.pipelines.value.held.values_mut().next().unwrap();
        (held.stands, held.failed) = (stands, None);
        assert_eq!(all_let_go(&world.situation, world.now), []);
    }
}
