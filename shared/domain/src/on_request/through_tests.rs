//! Who may open pipelines that hold, for which fix, and for how long.

use super::*;
use crate::DeploymentState::{Failed, Started, Succeeded};
use crate::pipelines::{Held, Pipelines, Stands};
use crate::posted::Posted;
use crate::testing::{World, at, change, deployment, repository};

/// A pipeline holds; olga owns the service; usama asked for #12, which anna signed, and it may pass.
fn world() -> World {
    let mut world = World::new();
    world.now = at("12:00");
    let held = Held {
        freeze: "peak".into(),
        from: at("10:00"),
        until: at("20:00"),
        stands: Stands::Held,
        seen_at: at("11:59"),
        told_silent: false,
        failed: None,
    };
    let pipelines = Pipelines { held: [("argo".to_owned(), held)].into(), ..Pipelines::default() };
    world.situation.note(Record::Pipelines(pipelines), 1);
    let fix = granted(12, "usama");
    let posted = Posted { passing: vec![fix.key()], expedites: vec![fix], ..Posted::default() };
    world.situation.note(Record::Posted(posted), 1);
    world
}

fn granted(number: u64, by: &str) -> Granted {
    Granted {
        repository: repository(),
        number,
        by: by.parse().unwrap(),
        at: at("11:30"),
        until: at("23:00"),
        head: None,
        reason: "users cannot pay".into(),
        signed: vec!["anna".parse().unwrap()],
    }
}

fn opens(world: &mut World, who: &str) -> Result<(), Refused> {
    let by: PersonId = who.parse().unwrap();
    let decisions = {
        let (situation, service, settings) = (&world.situation, &world.service, &world.settings);
        Desk { situation, service, settings, now: world.now }.let_through(&by)?
    };
    world.commit(&decisions);
    Ok(())
}

#[test]
fn whoever_asked_signed_or_owns_opens_them_for_a_while_and_once() {
    for who in ["usama", "anna", "olga"] {
        let mut world = world();
        assert_eq!(opens(&mut world, who), Ok(()), "{who}");
        let through = world.situation.pipelines.value.through.clone().unwrap();
        assert_eq!((through.by.as_str(), through.from, through.until), (who, at("12:00"), at("12:00") + LET_THROUGH));
        assert_eq!(through.label, "edx-platform#12");
        assert_eq!(opens(&mut world, who), Err(Refused::AlreadySo));
    }
    assert_eq!(opens(&mut world(), "feanil"), Err(Refused::NotYours));
}

#[test]
fn where_nothing_holds_or_nothing_may_pass_nothing_is_opened() {
    let mut open = world();
    open.situation.pipelines.value.held.clear();
    assert_eq!(opens(&mut open, "usama"), Err(Refused::NothingHolds));
    let mut refused = world();
    refused.situation.posted.value.passing.clear();
    assert_eq!(opens(&mut refused, "usama"), Err(Refused::NothingPasses));
}

#[test]
fn a_fix_that_is_live_passes_no_more() {
    // #12 is the fix; #13 is another change, and a fix of another repository has the same number.
    for (state, number, elsewhere, want) in [
        (Started, 12, false, Ok(())),
        (Failed, 12, false, Ok(())),
        (Succeeded, 12, false, Err(Refused::NothingPasses)),
        (Succeeded, 13, false, Ok(())),
        (Succeeded, 12, true, Ok(())),
    ] {
        let mut world = world();
        if elsewhere {
            let mut fix = granted(12, "usama");
            fix.repository = "openedx/other".parse().unwrap();
            world.situation.posted.value.passing = vec![fix.key()];
            world.situation.posted.value.expedites = vec![fix];
        }
        world.now = at("11:40");
        world.merge(change(number, "usama", at("11:35")));
        if state != Started {
            world.deploy(&deployment(1, number, "prod", state, at("11:50")));
        }
        world.now = at("12:00");
        assert_eq!(opens(&mut world, "usama"), want, "{state:?} #{number}, elsewhere: {elsewhere}");
    }
}
