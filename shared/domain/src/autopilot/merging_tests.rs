//! What is claimed, tried again and given up, to the second; and what is written back of it.

use expect_test::expect;

use super::super::tests::{breaks, firing, live, proposed, release, rolls_back};
use super::super::{ask, still};
use super::*;
use crate::change::Files;
use crate::hold::Hold;
use crate::ids::ChangeId;
use crate::mode::Mode;
use crate::outcome::{Mitigated, NotMine, TakenBack};
use crate::testing::{World, at, change, commit};
use crate::undo::{Opened, Why};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn opened(found: bool, head: bool) -> Stage {
    Stage::Opened(Opened { number: 900, url: None, head: head.then(|| commit(900)), found })
}

/// A revert is proposed at 15:41 and opened at once, by us: it is to be merged.
fn ready() -> World {
    let mut world = live(Mode::Act);
    breaks(&mut world, &firing("HighErrorRate", true, at("15:40"), None), at("15:41"));
    assert_eq!(proposed(&world).unwrap().left, None);
    world.commit(&ask(&proposed(&world).unwrap().clone(), &world.situation.clone(), world.now));
    set_stage(&mut world, opened(false, true));
    world
}

fn change_of(world: &World) -> ChangeId {
    proposed(world).unwrap().change.clone()
}

fn set_stage(world: &mut World, stage: Stage) {
    let change = change_of(world);
    world.situation.undos.get_mut(&change).unwrap().value.stage = stage;
}

fn set(world: &mut World, change: impl FnOnce(&mut Incident)) {
    change(&mut world.situation.incidents.values_mut().next().unwrap().value);
}

fn set_merging(world: &mut World, merging: Merging) {
    set(world, |incident| incident.proposed.as_mut().unwrap().merging = merging);
}

fn claims(world: &World) -> (Decisions, Option<Claim>) {
    let id = world.situation.incidents.keys().next().unwrap();
    claim(id, false, &world.situation, &world.service, &world.settings, world.now)
}

/// What is kept of the merging by these decisions, with the reasons that are logged.
fn kept(decisions: &Decisions) -> String {
    let put = decisions.writes.iter().find_map(|write| {
        let crate::Write::Put { record, .. } = write else { return None };
        let Record::Incident(incident) = &**record else { return None };
        Some(format!("{:?}", incident.proposed.as_ref().unwrap().merging))
    });
    let lines: Vec<String> =
        decisions.entries.iter().map(|line| format!("\n{} ({})", line.what, line.reason)).collect();
    format!("{}{}", put.unwrap_or_default(), lines.concat())
}

/// Why it is left to people, if it is.
fn left(world: &World) -> Option<String> {
    let (decisions, claimed) = claims(world);
    let why = decisions
        .entries
        .iter()
        .find_map(|line| if let Reason::NotMerged { why } = &line.reason { Some(why.clone()) } else { None });
    assert_eq!(claimed.is_none(), why.is_some(), "claimed or left");
    why
}

#[test]
fn what_is_claimed_is_under_way_from_then_on() {
    let world = ready();
    let (decisions, claimed) = claims(&world);
    let claimed = claimed.unwrap();
    assert_eq!((claimed.tries, &claimed.only_look), (0, &None));
    expect!["UnderWay { tries: 0, since: 2026-03-20T15:41:00Z }"].assert_eq(&kept(&decisions));
}

#[test]
fn it_is_due_when_it_is_to_be_tried_again_and_when_whoever_claimed_it_is_gone() {
    let mut world = ready();
    let from = |world: &World, at: Timestamp| {
        let due = |at| !due(&world.situation, at).is_empty();
        assert!(!due(at - SECOND) && due(at) && due(at + SECOND), "{at}");
    };
    let again = |at| Merging::Again { tries: 3, at, why: "its checks run".to_owned() };
    set_merging(&mut world, again(at("15:45")));
    from(&world, at("15:45"));
    set_merging(&mut world, Merging::UnderWay { tries: 3, since: at("15:45") });
    from(&world, at("15:48"));
    world.now = at("15:48");
    assert_eq!(claims(&world).1.unwrap().tries, 4, "being cut off was a try");
    set_merging(&mut world, again(at("15:48")));
    assert_eq!(claims(&world).1.unwrap().tries, 3);
    for over in [Merging::Done { at: at("15:45") }, Merging::Left { why: String::new(), at: at("15:45") }] {
        set_merging(&mut world, over);
        assert_eq!(due(&world.situation, at("18:00")), []);
        assert_eq!(claims(&world), (Decisions::none(&world.service.id, Wake::Now), None));
    }
}

#[test]
fn what_was_cut_off_is_looked_at_before_it_is_left_to_people_unless_it_was_tried_too_often() {
    let mut world = ready();
    world.acknowledge("anna").unwrap();
    world.now = at("15:45");
    // Nobody had begun it: there is nothing to look at.
    assert_eq!(left(&world).as_deref(), Some("somebody is at it"));
    for tries in [0, 28] {
        set_merging(&mut world, Merging::UnderWay { tries, since: at("15:42") });
        let (decisions, claimed) = claims(&world);
        let claimed = claimed.unwrap();
        assert_eq!((claimed.tries, claimed.only_look.as_deref()), (tries + 1, Some("somebody is at it")));
        assert!(decisions.messages.is_empty() && decisions.entries.is_empty());
    }
    set_merging(&mut world, Merging::UnderWay { tries: 29, since: at("15:42") });
    assert_eq!(left(&world).as_deref(), Some("somebody is at it"));
    set_merging(&mut world, Merging::UnderWay { tries: 40, since: at("15:42") });
    assert_eq!(left(&world).as_deref(), Some("somebody is at it"));
}

#[test]
fn after_thirty_tries_it_is_left_to_people_who_hear_what_was_said_last() {
    let mut world = ready();
    let again = |tries| Merging::Again { tries, at: at("15:41"), why: "its checks run".to_owned() };
    set_merging(&mut world, again(29));
    assert_eq!(left(&world), None);
    set_merging(&mut world, again(30));
    let (decisions, claimed) = claims(&world);
    assert_eq!(claimed, None);
    expect![[r#"
        Left { why: "the forge was not ready within 30 tries: its checks run", at: 2026-03-20T15:41:00Z }
        the revert of edx-platform#12 is left to people to merge (the forge was not ready within 30 tries: its checks run)
        notice to feanil: The revert of edx-platform#12 is yours to merge (the forge was not ready within 30 tries: its checks run)
        notice to usama: The revert of edx-platform#12 is yours to merge (the forge was not ready within 30 tries: its checks run)"#]].assert_eq(&kept(&decisions));
    world.now = at("15:44");
    set_merging(&mut world, Merging::UnderWay { tries: 29, since: at("15:41") });
    assert_eq!(left(&world).as_deref(), Some("the forge was not ready within 30 tries: no answer"));
}

#[test]
fn not_now_is_asked_again_in_a_minute_and_a_refusal_is_not() {
    let world = ready();
    let (_, claimed) = claims(&world);
    let claimed = Claim { tries: 4, ..claimed.unwrap() };
    let heard =
        |said: Said| kept(&heard(&claimed, &said, &world.situation, &world.service, &world.settings, at("15:43")));
    let words = "its checks run ".repeat(20);
    expect![[r#"Again { tries: 5, at: 2026-03-20T15:44:00Z, why: "its checks run" }"#]]
        .assert_eq(&heard(Said::NotNow("its checks run".to_owned())));
    assert!(heard(Said::NotNow(words)).len() < 230, "a long answer is cut");
    expect![[r#"
        Left { why: "it is protected", at: 2026-03-20T15:43:00Z }
        the revert of edx-platform#12 is left to people to merge (it is protected)
        notice to feanil: The revert of edx-platform#12 is yours to merge (it is protected)
        notice to usama: The revert of edx-platform#12 is yours to merge (it is protected)"#]]
    .assert_eq(&heard(Said::Refused("it is protected".to_owned())));
    expect![[r#"
        Done { at: 2026-03-20T15:43:00Z }
        the revert of edx-platform#12 is merged by itself (#900 is merged)
        notice to feanil: edx-platform#12 was reverted by itself (#900 is merged)
        notice to usama: edx-platform#12 was reverted by itself (#900 is merged)"#]]
    .assert_eq(&heard(Said::Merged));
}

#[test]
fn it_is_looked_at_each_minute_until_a_minute_after_it_is_too_late() {
    let mut world = live(Mode::Act);
    breaks(&mut world, &firing("HighErrorRate", true, at("15:40"), None), at("15:41"));
    // Not asked for yet.
    for (now, looks) in [("15:41", true), ("15:50", true), ("16:11", true), ("16:12", false), ("16:20", false)] {
        assert_eq!(next_at(&world.situation, at(now)), looks.then(|| at(now) + MINUTE), "{now}");
    }
    assert_eq!(next_at(&world.situation, at("16:12") - SECOND), Some(at("16:13") - SECOND));
}

#[test]
fn what_is_done_refused_or_left_to_people_is_not_looked_at_again_for_that() {
    let looks = |change: &dyn Fn(&mut World)| {
        let mut world = ready();
        change(&mut world);
        next_at(&world.situation, world.now).is_some()
    };
    let refused = || Stage::Refused { why: Why::Conflicts, at: at("15:41") };
    assert!(looks(&|_| ()));
    assert!(looks(&|world| set_merging(world, Merging::UnderWay { tries: 0, since: at("15:41") })));
    assert!(!looks(&|world| set_merging(world, Merging::Done { at: at("15:41") })));
    assert!(!looks(&|world| set_merging(world, Merging::Left { why: String::new(), at: at("15:41") })));
    let people = |incident: &mut Incident| incident.proposed.as_mut().unwrap().left = Some(Reason::LeftToPeople);
    assert!(!looks(&|world| set(world, people)));
    assert!(!looks(&|world| set_stage(world, refused())), "there is nothing to merge");
    assert!(!looks(&|world| world.situation.incidents.clear()));
}

#[test]
fn a_pipeline_goes_back_though_the_revert_was_refused() {
    let mut world = live(Mode::Act);
    rolls_back(&mut world);
    breaks(&mut world, &firing("HighErrorRate", true, at("15:40"), None), at("15:41"));
    world.commit(&ask(&proposed(&world).unwrap().clone(), &world.situation.clone(), world.now));
    set_stage(&mut world, Stage::Refused { why: Why::Conflicts, at: at("15:41") });
    assert_eq!(next_at(&world.situation, world.now), Some(at("15:42")));
    assert_eq!(left(&world), None);
    set_merging(&mut world, Merging::Again { tries: 30, at: at("15:41"), why: "it syncs".to_owned() });
    assert_eq!(left(&world).as_deref(), Some("the pipeline was not ready within 30 tries: it syncs"));
    set_merging(&mut world, Merging::Done { at: at("15:41") });
    assert_eq!(next_at(&world.situation, world.now), None);
}

#[test]
fn what_was_not_begun_is_not_written_and_what_was_is() {
    let mut world = ready();
    let written = |world: &World| serde_json::to_value(proposed(world).unwrap()).unwrap()["merging"].clone();
    assert_eq!(written(&world), serde_json::Value::Null);
    set_merging(&mut world, Merging::Done { at: at("15:41") });
    assert_eq!(written(&world), serde_json::json!({ "done": { "at": "2026-03-20T15:41:00Z" } }));
    let read: Proposal = serde_json::from_value(serde_json::to_value(proposed(&world).unwrap()).unwrap()).unwrap();
    assert_eq!(Some(&read), proposed(&world));
    assert!(read.is_done());
}

#[test]
fn only_what_we_opened_ourselves_just_now_is_merged() {
    let stranger = Some("it was not opened by us just now");
    for (by_itself, found, head, why) in [
        (true, false, true, None),
        (false, false, true, stranger),
        (true, true, true, stranger),
        (true, false, false, stranger),
    ] {
        let mut world = ready();
        set_stage(&mut world, opened(found, head));
        let change = change_of(&world);
        world.situation.undos.get_mut(&change).unwrap().value.by_itself = by_itself;
        assert_eq!(left(&world).as_deref(), why, "{by_itself} {found} {head}");
    }
}

#[test]
fn what_was_merged_since_into_the_same_files_stops_it() {
    let mut world = ready();
    let mut later = change(13, "usama", at("15:41"));
    later.files = Some(Files::of(["lms/12.py"]));
    world.merge(later);
    expect!["It may conflict: edx-platform#13 touches the same files since."].assert_eq(&left(&world).unwrap());
}

#[test]
fn what_is_known_by_now_stops_it_at_the_figure_and_the_minute_from_which_it_does() {
    let mut world = ready();
    let percent = proposed(&world).unwrap().percent;
    let acts = |world: &mut World, from| world.service.acts.as_mut().unwrap().likely_from = from;
    acts(&mut world, percent);
    assert_eq!(left(&world), None);
    acts(&mut world, percent + 1);
    assert_eq!(left(&world), Some(format!("it is the cause by {percent} % only, by now")));
    acts(&mut world, percent + 9);
    assert_eq!(left(&world), Some(format!("it is the cause by {percent} % only, by now")));
    acts(&mut world, percent);
    world.now = proposed(&world).unwrap().at + still::TOO_LATE - SECOND;
    assert_eq!(left(&world), None);
    world.now += SECOND;
    assert_eq!(left(&world).as_deref(), Some("it was not done within 30 min"));
}

#[test]
fn what_people_did_or_said_meanwhile_stops_it() {
    let why = |change: &dyn Fn(&mut Incident)| {
        let mut world = ready();
        set(&mut world, |incident| change(incident));
        left(&world)
    };
    let already = Some("a suspect was taken back already, or nobody is to be woken for it just now".to_owned());
    let hold = Hold { reason: Reason::LeftToPeople, until: None };
    assert_eq!(why(&|incident| incident.held = Some(hold.clone())), already);
    let mitigated = |incident: &mut Incident| {
        let first = incident.suspects[0].clone();
        incident.mitigated =
            Some(Mitigated { at: at("15:41"), change: first.change, label: first.label, how: TakenBack::Reverted });
    };
    assert_eq!(why(&mitigated), already);
    let said = |who: &str| NotMine { person: who.parse().unwrap(), at: at("15:41"), instead: None };
    let theirs = Some("its responder says that it is not theirs".to_owned());
    assert_eq!(why(&|incident| incident.not_mine.push(said("feanil"))), theirs);
    assert_eq!(why(&|incident| incident.not_mine.push(said("anna"))), None);
    let another = Some("another change is likelier by now".to_owned());
    assert_eq!(why(&|incident| incident.suspects[0].change.commit = commit(77)), another);
    assert_eq!(why(&|incident| incident.suspects.clear()), another);
}

#[test]
fn whoever_has_it_go_back_is_told_what_else_goes_back_with_it() {
    let mut world = live(Mode::Act);
    rolls_back(&mut world);
    // Two more are merged, and go live with one release; the newer one touches a file that the alert names.
    world.until(at("15:31")).merge(change(13, "usama", at("15:31"))).settle();
    release(&mut world, 14, at("15:45"));
    breaks(&mut world, &firing("HighErrorRate", true, at("15:46"), None), at("15:47"));
    let (proposal, back) = {
        let incident = world.situation.incidents.values().next().unwrap().value.clone();
        let suspect = incident.suspects[0].clone();
        let pipeline = crate::service::Pipeline { at: "argo-cd".into(), id: "edx/edxapp".into() };
        let back = Back::of(&incident, &suspect, &world.situation, &pipeline).expect("its release is the newest");
        (suspect.label, back)
    };
    let others = |but: &str| back.others(but, &world.situation, &world.settings, &world.service);
    assert_eq!(back.release.id, "14");
    assert!(!others(&proposal).contains(&proposal));
    assert_eq!(others("edx-platform#14"), ["edx-platform#13"], "what was live before does not go");
    assert_eq!(others("edx-platform#13"), ["edx-platform#14"]);
    assert_eq!(others("none of them").len(), 2);
}

#[test]
fn of_two_releases_of_one_moment_that_of_the_suspects_repository_goes() {
    let mut world = ready();
    let incident = world.situation.incidents.values().next().unwrap().value.clone();
    let own = world.situation.deployments.values().next().unwrap().value.clone();
    for id in ["0", "99"] {
        let mut other = own.clone();
        other.key.id = id.to_owned();
        other.repository = "openedx/other".parse().unwrap();
        world.situation.note(Record::Deployment(other), 1);
    }
    let pipeline = crate::service::Pipeline { at: "argo-cd".into(), id: "edx/edxapp".into() };
    let back = Back::of(&incident, &incident.suspects[0], &world.situation, &pipeline).unwrap();
    assert_eq!((back.release, back.repository), (own.key, own.repository));
}
