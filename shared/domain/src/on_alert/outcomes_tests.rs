//! What was taken back helps, and names a change, only where it can.

use jiff::SignedDuration;

use super::*;
use crate::DeploymentState::Succeeded;
use crate::decision::Wake;
use crate::testing::{World, alert, at, change, deployment};
use crate::window::windows;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Changes of feanil and usama went live at once at 15:40, something fails since 15:50, and at 16:00 the release before is back.
fn rolled_back(changes: u64) -> (World, Incident) {
    let mut world = World::new();
    world.now = at("14:00");
    world.merge(change(11, "olga", at("14:00")));
    world.deploy(&deployment(1, 11, "prod", Succeeded, at("14:10")));
    world.until(at("15:00"));
    for number in 12..12 + changes {
        let minute = SignedDuration::from_mins(i64::try_from(number).unwrap());
        world.merge(change(number, if number == 12 { "feanil" } else { "usama" }, at("15:00") + minute));
    }
    world.until(at("15:40")).deploy(&deployment(12, 11 + changes, "prod", Succeeded, at("15:40")));
    world.until(at("15:50")).alert(&[alert("HighErrorRate", at("15:50"), None)]);
    world.settle();
    let mut incident = world.situation.incidents.values().next().unwrap().value.clone();
    incident.suspects.retain(|suspect| suspect.label != "edx-platform#11");
    assert_eq!(incident.suspects.len(), usize::try_from(changes).unwrap());
    world.until(at("16:00")).deploy(&deployment(13, 11, "prod", Succeeded, at("16:00")));
    (world, incident)
}

fn mitigated(world: &World, incident: &mut Incident) -> Vec<String> {
    let all = windows(&world.situation, &world.service, &world.settings.roster, world.now);
    let mut decisions = Decisions::none(&world.service.id, Wake::Now);
    mitigate(&mut decisions, incident, &all, world.now);
    decisions.entries.iter().map(|line| format!("{} ({})", line.what, line.reason.name())).collect()
}

#[test]
fn one_that_was_rolled_back_alone_was_it_and_of_two_nobody_knows() {
    let (world, mut incident) = rolled_back(1);
    assert_eq!(
        mitigated(&world, &mut incident),
        [
            "edx-platform#12 rolled back (taken_back)",
            "[critical] edxapp production: HighErrorRate: it was edx-platform#12 (judged_to_be)"
        ]
    );
    assert_eq!(incident.mitigated.as_ref().unwrap().at, at("16:00"));
    assert_eq!(incident.verdict.as_ref().unwrap().by, Judge::Revert);
    assert_eq!(mitigated(&world, &mut incident), Vec::<String>::new(), "once");
    let (world, mut incident) = rolled_back(2);
    assert_eq!(mitigated(&world, &mut incident).len(), 1);
    assert_eq!(incident.verdict, None);
}

#[test]
fn what_was_taken_back_last_is_what_helped() {
    let (world, incident) = rolled_back(1);
    for (before, says) in [(at("16:00") - SECOND, true), (at("16:00"), false), (at("16:00") + SECOND, false)] {
        let mut known = incident.clone();
        let another = Mitigated {
            at: before,
            change: change(99, "x", at("15:00")).id,
            label: "other#99".into(),
            how: TakenBack::Reverted,
        };
        known.mitigated = Some(another.clone());
        let lines = mitigated(&world, &mut known);
        assert_eq!(lines.iter().any(|line| line.contains("taken_back")), says, "{before}");
        assert_eq!(known.mitigated == Some(another), !says);
    }
}

#[test]
fn a_verdict_is_replaced_by_one_that_weighs_as_much_and_said_once() {
    let (_, incident) = rolled_back(1);
    let verdict = |number: u64, by: Judge| Verdict {
        change: Some(change(number, "x", at("15:00")).id),
        label: format!("edx-platform#{number}"),
        by,
        at: at("16:00"),
    };
    let anna = || Judge::Person("anna".parse().unwrap());
    let olga = || Judge::Person("olga".parse().unwrap());
    let judged = |known: Option<Verdict>, new: Verdict| {
        let mut incident = Incident { verdict: known.clone(), ..incident.clone() };
        let mut decisions = Decisions::none(&incident.service, Wake::Now);
        judge(&mut decisions, &mut incident, new.clone(), at("16:01"));
        assert_eq!(decisions.entries.len() == 1, incident.verdict != known, "what changes is said");
        incident.verdict == Some(new) && incident.verdict != known
    };
    assert!(judged(None, verdict(1, Judge::Revert)));
    assert!(
        !judged(Some(verdict(1, Judge::Revert)), Verdict { at: at("17:00"), ..verdict(1, Judge::Revert) }),
        "known"
    );
    assert!(judged(Some(verdict(1, Judge::Revert)), verdict(2, Judge::Revert)));
    assert!(judged(Some(verdict(1, Judge::Revert)), verdict(1, anna())), "a person says so too");
    assert!(judged(Some(verdict(1, anna())), verdict(1, olga())));
    assert!(!judged(Some(verdict(1, anna())), verdict(2, Judge::Revert)), "a person's word weighs more");
}
