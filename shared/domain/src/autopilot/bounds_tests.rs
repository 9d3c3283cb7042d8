//! Each rule of what is done by itself, at the moment and the figure from which it holds, and one beside it.

use jiff::SignedDuration;

use super::tests::{breaks, firing, live, proposed, shell};
use super::*;
use crate::alert::Severity;
use crate::decision::Wake;
use crate::hold::Hold;
use crate::ids::IncidentId;
use crate::outcome::{Mitigated, NotMine, TakenBack};
use crate::suite;
use crate::testing::{World, at, commit};
use crate::window::windows;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Something fails with a signal of the canary; the service has not been looked at since.
fn failing(mode: Mode) -> World {
    let mut world = live(mode);
    world.until(at("15:41"));
    world.alert(&[firing("HighErrorRate", true, at("15:40"), None)]);
    assert_eq!(proposed(&world), None, "it is proposed by the next look");
    world
}

fn incident(world: &World) -> Incident {
    world.situation.incidents.values().next().unwrap().value.clone()
}

/// What would be proposed for its incident if that, or the service's past, were another.
fn would(
    world: &World,
    mode: Mode,
    change: impl FnOnce(&mut Incident, &mut Ceiling),
) -> Result<Proposal, Option<Reason>> {
    let (mut incident, mut ceiling) = (incident(world), Ceiling::default());
    change(&mut incident, &mut ceiling);
    propose(&incident, &world.situation, &world.service, &world.settings, (mode, &ceiling), world.now)
}

fn moved(at: Timestamp, acts: bool) -> Moved {
    let service = "edxapp".parse().unwrap();
    let change = ChangeId { repository: crate::testing::repository(), commit: commit(1) };
    Moved { at, incident: IncidentId::of(&service, "earlier"), change, acts }
}

#[test]
fn only_what_fails_most_severely_in_the_live_environment_and_is_not_held_is_reverted() {
    let world = failing(Mode::Act);
    assert!(would(&world, Mode::Act, |_, _| ()).is_ok());
    let elsewhere = would(&world, Mode::Act, |incident, _| incident.environment = "stage".parse().unwrap());
    assert_eq!(elsewhere, Err(None), "in the live environment only");
    for severity in [Severity::Warning, Severity::Info] {
        assert_eq!(would(&world, Mode::Act, |incident, _| incident.severity = severity), Err(None), "{severity:?}");
    }
    let hold = Hold { reason: Reason::LeftToPeople, until: None };
    assert_eq!(would(&world, Mode::Act, |incident, _| incident.held = Some(hold)), Err(None), "nobody is woken for it");
    let first = incident(&world).suspects[0].clone();
    let mitigated = Mitigated { at: world.now, change: first.change, label: first.label, how: TakenBack::Reverted };
    assert_eq!(would(&world, Mode::Act, |incident, _| incident.mitigated = Some(mitigated)), Err(None));
    assert_eq!(would(&world, Mode::Act, |incident, _| incident.suspects.clear()), Err(None));
}

#[test]
fn a_revert_is_opened_an_hour_after_the_last_one_and_not_a_second_sooner() {
    let world = failing(Mode::Propose);
    let after = |ago| would(&world, Mode::Propose, |_, past| past.moved(moved(world.now - ago, false)));
    assert!(after(APART).is_ok() && after(APART + SECOND).is_ok());
    let until = world.now + SECOND;
    assert_eq!(after(APART - SECOND), Err(Some(Reason::OneWasProposedLately { until })));
    let until = world.now + APART - SECOND;
    assert_eq!(after(SECOND), Err(Some(Reason::OneWasProposedLately { until })));
}

#[test]
fn a_revert_is_merged_a_cool_down_after_the_last_one_that_was_and_not_a_second_sooner() {
    let world = failing(Mode::Act);
    let cool_down = SignedDuration::from_hours(2);
    let after = |ago, acts| would(&world, Mode::Act, |_, past| past.moved(moved(world.now - ago, acts))).unwrap().left;
    assert_eq!(after(cool_down, true), None);
    assert_eq!(after(cool_down + SECOND, true), None);
    assert_eq!(after(cool_down - SECOND, true), Some(Reason::CoolsDown { until: world.now + SECOND }));
    assert_eq!(after(APART, true), Some(Reason::CoolsDown { until: world.now + APART }));
    assert_eq!(after(APART, false), None, "that one was left to people");
}

#[test]
fn the_first_suspect_has_to_be_as_likely_as_policy_says_and_no_likelier() {
    let mut world = failing(Mode::Act);
    let percent = would(&world, Mode::Act, |_, _| ()).unwrap().percent;
    let unlikely = Reason::NotLikelyEnough { percent };
    world.service.policy.propose_from = percent;
    world.service.acts.as_mut().unwrap().likely_from = percent;
    assert_eq!(would(&world, Mode::Act, |_, _| ()).unwrap().left, None);
    world.service.acts.as_mut().unwrap().likely_from = percent + 1;
    assert_eq!(would(&world, Mode::Act, |_, _| ()).unwrap().left, Some(unlikely.clone()), "it is opened, not merged");
    world.service.acts.as_mut().unwrap().likely_from = 100;
    assert_eq!(would(&world, Mode::Act, |_, _| ()).unwrap().left, Some(unlikely.clone()));
    world.service.policy.propose_from = percent + 1;
    assert_eq!(would(&world, Mode::Act, |_, _| ()), Err(Some(unlikely.clone())));
    world.service.policy.propose_from = 0;
    let over = would(&world, Mode::Act, |incident, _| incident.suspects[0].stand = Stand::Tail);
    assert_eq!(over, Err(Some(unlikely)), "its turn was over");
}

#[test]
fn its_responders_word_that_it_is_not_theirs_counts_and_nobody_elses() {
    let world = failing(Mode::Act);
    let said = |who: &str| {
        let said = NotMine { person: who.parse().unwrap(), at: world.now, instead: None };
        would(&world, Mode::Act, |incident, _| incident.not_mine.push(said))
    };
    assert_eq!(said("feanil"), Err(Some(Reason::NotMine { person: "feanil".parse().unwrap() })));
    assert!(said("anna").is_ok());
}

/// What a look at this service adds, where the transaction has to do all this already; and when it wants to look again.
fn looked(world: &World, before: Decisions) -> (usize, Option<Timestamp>) {
    let World { situation, service, settings, now, .. } = world;
    let all = windows(situation, service, &settings.roster, *now);
    let failures = suite::failures(situation, service, *now);
    let at = Look { situation, service, settings, all: &all, failures: &failures, now: *now, owner_told: false };
    let mut decisions = before.clone();
    let again = look(&mut decisions, &at, &mut Ceiling::default());
    (decisions.actions() - before.actions(), again)
}

#[test]
fn what_does_not_fit_or_is_written_already_is_proposed_by_the_next_look() {
    let world = failing(Mode::Act);
    let none = || Decisions::none(&world.service.id, Wake::Now);
    assert_eq!(looked(&world, none()), (2, None), "the incident and a line of the log");
    // With others it fits up to the last of ninety.
    let filled = |actions| {
        let mut decisions = none();
        while decisions.actions() < actions {
            decisions.log(world.now, None, None, "something else".to_owned(), Reason::LeftToPeople);
        }
        decisions
    };
    assert_eq!(looked(&world, filled(87)), (2, None));
    assert_eq!(looked(&world, filled(88)), (0, Some(world.now)));
    assert_eq!(looked(&world, filled(90)), (0, Some(world.now)));
    // Its incident is written once in a transaction; another's write is in nobody's way.
    let put = |incident| {
        let mut decisions = none();
        decisions.put(Record::Incident(incident), 1);
        decisions
    };
    let own = incident(&world);
    let other = Incident { id: IncidentId::of(&world.service.id, "other"), ..own.clone() };
    assert_eq!(looked(&world, put(own)), (0, Some(world.now)));
    assert_eq!(looked(&world, put(other)), (2, None));
}

#[test]
fn what_was_proposed_is_not_thought_about_again() {
    let mut world = live(Mode::Propose);
    breaks(&mut world, &firing("HighErrorRate", true, at("15:40"), None), at("15:41"));
    assert_eq!(shell(&mut world), []);
    let known = incident(&world);
    assert!(!known.proposed.as_ref().unwrap().is_done());
    let lines = world.log.len();
    let lately = world.situation.ceiling.value.clone();
    world.until(at("15:45"));
    assert_eq!(incident(&world).unproposed, None, "its revert is asked for, which is no reason against it");
    assert!(world.log[lines..].iter().all(|line| line.what != "no revert is opened by itself"));
    assert_eq!(world.situation.ceiling.value.moves, lately.moves);
}

#[test]
fn for_what_is_over_nothing_is_opened() {
    let mut world = failing(Mode::Propose);
    world.alert(&[firing("HighErrorRate", true, at("15:40"), Some(at("15:41")))]);
    assert_eq!(looked(&world, Decisions::none(&world.service.id, Wake::Now)), (0, None));
    world.settle();
    assert_eq!((proposed(&world), incident(&world).unproposed), (None, None));
}

#[test]
fn what_is_proposed_is_asked_for_within_half_an_hour_unless_it_is_over_or_not_theirs() {
    let mut world = live(Mode::Propose);
    breaks(&mut world, &firing("HighErrorRate", true, at("15:40"), None), at("15:41"));
    let proposal = proposed(&world).unwrap().clone();
    let known = incident(&world);
    let asks = |change: &dyn Fn(&mut Incident), later: SignedDuration| {
        let mut situation = world.situation.clone();
        let mut incident = known.clone();
        change(&mut incident);
        situation.note(Record::Incident(incident), 9);
        unasked(&situation, &world.service, proposal.at + later).len()
    };
    let half = SignedDuration::from_mins(30);
    assert_eq!(asks(&|_| (), half - SECOND), 1);
    assert_eq!(asks(&|_| (), half), 0, "then it is left to people");
    assert_eq!(asks(&|incident| incident.resolved_at = Some(world.now), SECOND), 0);
    let mitigated = Mitigated {
        at: world.now,
        change: proposal.change.clone(),
        label: proposal.label.clone(),
        how: TakenBack::RolledBack,
    };
    assert_eq!(asks(&|incident| incident.mitigated = Some(mitigated.clone()), SECOND), 0);
    let said = |who: &str| NotMine { person: who.parse().unwrap(), at: world.now, instead: None };
    assert_eq!(asks(&|incident| incident.not_mine.push(said("feanil")), SECOND), 0);
    assert_eq!(asks(&|incident| incident.not_mine.push(said("anna")), SECOND), 1);
    // Asked for once.
    let mut situation = world.situation.clone();
    let decisions = ask(&proposal, &situation, world.now);
    situation.apply(&decisions, world.now);
    assert_eq!(unasked(&situation, &world.service, world.now), []);
}
