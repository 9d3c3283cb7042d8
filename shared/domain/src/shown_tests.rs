//! Who is on call where people look: what is written when, what of a topic stays, and what a failure leaves behind.

use proptest::prelude::*;

use super::*;
use crate::deployment::DeploymentState;
use crate::testing::{World, at, change, deployment};

fn world() -> World {
    let mut world = World::new();
    world.change_service(|service| {
        service.channel_topic = Some(Spot { receiver: "slack".to_owned(), id: "C024BE91L".to_owned() });
        service.user_group = Some(Spot { receiver: "slack".to_owned(), id: "S0614TZR7".to_owned() });
    });
    world
}

/// `Topic feanil, usama`, of each that is due.
fn due(world: &World) -> Vec<String> {
    let due = plan(&world.situation, &world.service, &world.settings.roster, world.now);
    let line = |due: &Due| {
        let people: Vec<&str> = due.people.iter().map(|person| person.as_str()).collect();
        format!("{:?} {}", due.place, people.join(", "))
    };
    due.iter().map(line).collect()
}

/// All that is due is done, or fails like this.
fn heard(world: &mut World, said: &Said) -> Vec<String> {
    let mut log = Vec::new();
    for due in plan(&world.situation, &world.service, &world.settings.roster, world.now) {
        let decisions = hear(&due, said, &world.situation, &world.settings.roster, world.now);
        log.extend(decisions.entries.iter().map(|entry| format!("{} ({})", entry.what, entry.reason.name())));
        world.commit(&decisions);
    }
    log
}

fn next(world: &World) -> Option<Timestamp> {
    due_at(&world.situation, &world.service, &world.settings.roster, world.now)
}

#[test]
fn the_rotation_stands_there_until_somebodys_turn_starts_and_again_after_it() {
    let mut world = world();
    world.now = at("12:00");
    assert_eq!(due(&world), ["Topic anna", "Group anna"]);
    assert_eq!(
        heard(&mut world, &Said::Stands),
        [
            "the channel's topic says who is on call: Anna (on_call_shown)",
            "the user group says who is on call: Anna (on_call_shown)"
        ]
    );
    assert_eq!((due(&world), next(&world)), (vec![], Some(at("13:00"))), "it is looked at again");
    world.now = at("12:10");
    world.merge(change(12, "feanil", at("12:10")));
    assert_eq!(due(&world), [""; 0], "on standby nobody is on call");
    world.now = at("12:30");
    world.deploy(&deployment(12, 12, "prod", DeploymentState::Succeeded, at("12:30")));
    world.now = at("12:30");
    assert_eq!((due(&world), next(&world)), (vec!["Topic feanil".into(), "Group feanil".into()], Some(at("12:30"))));
    heard(&mut world, &Said::Stands);
    world.now = at("12:40");
    world.merge(change(13, "usama", at("12:40")));
    world.now = at("12:50");
    world.deploy(&deployment(13, 13, "prod", DeploymentState::Succeeded, at("12:50")));
    world.now = at("12:50");
    assert_eq!(due(&world), ["Topic usama, feanil", "Group usama, feanil"], "the newest first");
    world.now = at("15:00");
    assert_eq!(due(&world), ["Topic anna", "Group anna"]);
    heard(&mut world, &Said::Stands);
    world.now = at("15:30");
    assert_eq!(heard(&mut world, &Said::Stands), [""; 0]);
}

#[test]
fn what_fails_is_said_once_and_tried_again_later_and_later_still_where_it_asks_for_that() {
    let mut world = world();
    world.service.user_group = None;
    world.now = at("12:00");
    let fails = |rest| Said::Failed { why: "it answered 500".to_owned(), rest: SignedDuration::from_mins(rest) };
    assert_eq!(heard(&mut world, &fails(0)), ["the channel's topic cannot say who is on call (on_call_not_shown)"]);
    assert_eq!((due(&world), next(&world)), (vec![], Some(at("12:01"))));
    world.now = at("12:01");
    assert_eq!(heard(&mut world, &fails(5)), [""; 0], "the log has it once");
    assert_eq!(next(&world), Some(at("12:06")));
    world.now = at("12:06");
    assert_eq!(heard(&mut world, &Said::Stands).len(), 1);
    assert_eq!(next(&world), Some(at("13:06")));
    // Another channel is another place.
    world.service.channel_topic = Some(Spot { receiver: "slack".to_owned(), id: "C0OTHER001".to_owned() });
    assert_eq!(due(&world), ["Topic anna"]);
    world.service.channel_topic = None;
    assert_eq!((due(&world), next(&world)), (vec![], None));
}

#[test]
fn of_a_topic_all_but_our_part_stays() {
    for (before, names, after) in [
        ("", vec!["Feanil"], Some("[on call: Feanil]")),
        ("Deploys & more", vec!["Feanil"], Some("[on call: Feanil] Deploys & more")),
        ("[on call: Feanil] Deploys", vec!["Feanil"], None),
        ("[on call: Feanil] Deploys", vec!["Usama", "Anna"], Some("[on call: Usama, Anna] Deploys")),
        ("Deploys | [on call: Feanil] | runbook", vec![], Some("Deploys | [on call: nobody] | runbook")),
        ("Deploys [on call: Feanil", vec!["Anna"], Some("Deploys [on call: Anna]")),
        ("[on call: x]y", vec!["A] <!channel>\u{202e}"], Some("[on call: A) <!channel>] y")),
    ] {
        assert_eq!(topic(before, &names).unwrap().as_deref(), after, "{before}");
    }
    let long = "x".repeat(200);
    assert_eq!(
        topic(&long, &["Feanil Patel", "Usama Sadiq", "Anna Lindqvist"]).unwrap().unwrap(),
        format!("[on call: Feanil Patel, Usama Sadiq and 1 more] {long}")
    );
    assert_eq!(topic(&"x".repeat(230), &["Feanil Patel"]).unwrap().unwrap().len(), 250, "1 person");
    assert_eq!(topic(&"x".repeat(240), &["Feanil Patel"]), Err(NoRoom));
    assert_eq!(topic(&"🔥".repeat(120), &["Feanil Patel"]), Err(NoRoom), "it is counted as Slack may count");
}

proptest! {
    #[test]
    fn written_twice_a_topic_is_written_once_and_people_keep_their_words(
        before in ".{0,120}", first in prop::collection::vec(".{0,60}", 0..6), second in prop::collection::vec(".{0,60}", 0..6)
    ) {
        fn names(all: &[String]) -> Vec<&str> {
            all.iter().map(String::as_str).collect()
        }
        if let Ok(written) = topic(&before, &names(&first)) {
            let written = written.unwrap_or_else(|| before.clone());
            prop_assert!(written.encode_utf16().count() <= MOST_TOPIC);
            prop_assert_eq!(topic(&written, &names(&first)), Ok(None));
            if !before.contains("[on call: ") {
                prop_assert!(written.ends_with(&before));
            }
            if let Ok(Some(next)) = topic(&written, &names(&second))
                && !before.contains("[on call: ")
            {
                prop_assert!(next.ends_with(&before));
            }
        }
    }
}

#[test]
fn where_nobody_is_told_anything_nothing_is_written_and_nothing_is_due() {
    let mut world = world();
    world.service.mode = crate::Mode::Shadow;
    assert_eq!((due(&world), next(&world)), (vec![], None));
}
