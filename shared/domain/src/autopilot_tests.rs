//! When a revert is opened and merged by itself; and that no storm of alerts does so more often than policy allows.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::testing::{World, alert, at, change, deployment};
use crate::undo::{Opened, Opens, Stage};
use crate::{Alert, DeploymentState};

/// One change by feanil is live since 15:30, in a service in this mode.
pub(super) fn live(mode: Mode) -> World {
    let mut world = World::new();
    world.change_service(|service| {
        service.mode = mode;
        service.policy.propose_from = 50;
        service.policy.wrong_pages_at_most = 0;
        service.channel = Some("usama".parse().unwrap());
        let canary = Matcher { label: "track".into(), value: "canary".into() };
        service.acts =
            Some(Acts { canary, likely_from: 50, cool_down: SignedDuration::from_hours(2), rolls_back: None });
    });
    world.settings = world.settings.with_reverts(|_| Some(Opens::PullRequests));
    world.now = at("15:00");
    release(&mut world, 12, at("15:30"));
    world
}

/// A change by feanil is merged and goes live at this time.
pub(super) fn release(world: &mut World, number: u64, when: Timestamp) {
    world.until(when - SignedDuration::from_mins(10));
    let mut change = change(number, "feanil", world.now);
    change.files = Some(crate::change::Files::of([format!("lms/{number}.py").as_str()]));
    world.merge(change).settle();
    world.until(when);
    world.deploy(&deployment(number, number, "prod", DeploymentState::Succeeded, when));
    world.settle();
}

pub(super) fn firing(name: &str, canary: bool, since: Timestamp, over: Option<Timestamp>) -> Alert {
    let mut alert = alert(name, since, over);
    alert.labels.extend(canary.then(|| ("track".to_owned(), "canary".to_owned())));
    alert
}

/// What `on-schedule` does after its look: asks for what is proposed, a forge opens it, and merges it.
pub(super) fn shell(world: &mut World) -> Vec<ChangeId> {
    let mut merged = Vec::new();
    for proposal in unasked(&world.situation, &world.service, world.now) {
        let decisions = ask(&proposal, &world.situation, world.now);
        world.commit(&decisions);
    }
    let asked: Vec<Undo> = world.situation.undos.values().map(|known| known.value.clone()).collect();
    for undo in asked.into_iter().filter(|undo| undo.opened().is_none()) {
        let rev = world.situation.undos[&undo.change].rev;
        let opened = Opened { number: 900, url: None, head: Some(crate::testing::commit(900)), found: false };
        world.situation.note(Record::Undo(Undo { stage: Stage::Opened(opened), ..undo }), rev + 1);
    }
    for id in due(&world.situation, world.now) {
        let World { situation, service, settings, now, .. } = &*world;
        let (decisions, claimed) = claim(&id, false, situation, service, settings, *now);
        world.commit(&decisions);
        let Some(claimed) = claimed else { continue };
        let World { situation, service, settings, now, .. } = &*world;
        let (change, said) = match &claimed.work {
            Work::Merge(undo) => (undo.change.clone(), Said::Merged),
            Work::RollBack(back) => {
                let first = situation.incidents[&id].value.suspects[0].change.clone();
                (first, Said::RolledBack { to: format!("before {}", back.release.id) })
            }
        };
        merged.push(change);
        let decisions = heard(&claimed, &said, situation, service, settings, *now);
        world.commit(&decisions);
    }
    world.settle();
    merged
}

pub(super) fn breaks(world: &mut World, alert: &Alert, when: Timestamp) {
    world.until(when);
    world.alert(std::slice::from_ref(alert));
    world.settle();
}

pub(super) fn proposed(world: &World) -> Option<&Proposal> {
    world.situation.incidents.values().find_map(|known| known.value.proposed.as_ref())
}

fn unproposed(world: &World) -> Option<String> {
    world.situation.incidents.values().find_map(|known| known.value.unproposed.as_ref()).map(ToString::to_string)
}

#[test]
fn propose_opens_the_revert_of_a_likely_culprit_once_and_leaves_it_to_people() {
    let mut world = live(Mode::Propose);
    breaks(&mut world, &firing("HighErrorRate", true, at("15:40"), None), at("15:41"));
    let proposal = proposed(&world).expect("a proposal").clone();
    assert_eq!((proposal.label.as_str(), &proposal.left), ("edx-platform#12", &Some(Reason::LeftToPeople)));
    assert_eq!(shell(&mut world), [], "nothing is merged");
    assert_eq!(world.situation.undos.len(), 1);
    assert!(world.situation.undos.values().all(|known| known.value.by_itself));
    world.until(at("16:30"));
    assert_eq!(shell(&mut world), []);
    assert_eq!(world.situation.ceiling.value.moves.len(), 1);
}

#[test]
fn the_lower_modes_open_nothing() {
    for mode in [Mode::Manual, Mode::Shadow, Mode::Notify, Mode::Page] {
        let mut world = live(mode);
        breaks(&mut world, &firing("HighErrorRate", true, at("15:40"), None), at("15:41"));
        assert_eq!((proposed(&world), unproposed(&world)), (None, None), "{mode:?}");
    }
}

#[test]
fn act_merges_it_with_a_signal_of_the_canary_and_not_without() {
    let mut world = live(Mode::Act);
    breaks(&mut world, &firing("HighErrorRate", true, at("15:40"), None), at("15:41"));
    assert_eq!(shell(&mut world).len(), 1);
    assert_eq!(shell(&mut world), [], "once");
    let told: Vec<String> = world
        .told
        .iter()
        .filter(|m| m.key.step == crate::Step::RevertMerged)
        .map(|m| format!("{}: {}", m.key.person, m.title))
        .collect();
    assert_eq!(
        told,
        ["feanil: edx-platform#12 was reverted by itself", "usama: edx-platform#12 was reverted by itself"]
    );
    let mut world = live(Mode::Act);
    breaks(&mut world, &firing("HighErrorRate", false, at("15:40"), None), at("15:41"));
    assert_eq!(shell(&mut world), []);
    assert_eq!(proposed(&world).unwrap().left, Some(Reason::NoCanarySignal));
}

/// What happens before it is merged.
type Meanwhile = fn(&mut World);

#[test]
fn whoever_is_at_it_merges_and_what_is_known_meanwhile_stops_it() {
    let acts: [(&str, Meanwhile); 4] = [
        ("somebody is at it", |world| world.acknowledge("anna").unwrap()),
        ("its responder says that it is not theirs", |world| world.does("feanil", |c| c.not_mine(None)).unwrap()),
        ("the service is in mode propose by now", |world| {
            let World { situation, service, settings, now, .. } = &*world;
            let desk = crate::on_request::hands::Desk { situation, service, settings, now: *now };
            let decisions = desk.set_mode(&"usama".parse().unwrap(), Mode::Propose, "").unwrap();
            world.commit(&decisions);
        }),
        ("it is over", |world| {
            let (since, over) = (at("15:40"), world.now);
            world.alert(&[firing("HighErrorRate", true, since, Some(over))]);
        }),
    ];
    for (why, meanwhile) in acts {
        let mut world = live(Mode::Act);
        breaks(&mut world, &firing("HighErrorRate", true, at("15:40"), None), at("15:41"));
        let proposal = proposed(&world).unwrap().clone();
        world.commit(&ask(&proposal, &world.situation.clone(), world.now));
        world.until(at("15:42"));
        meanwhile(&mut world);
        world.settle();
        assert_eq!(shell(&mut world), [], "{why}");
        let left = world.log.iter().any(|line| line.reason == Reason::NotMerged { why: why.to_owned() });
        assert!(left, "{why}: {:?}", proposed(&world));
    }
}

/// The same, and the pipeline goes back instead.
pub(super) fn rolls_back(world: &mut World) {
    let pipeline = Pipeline { at: "argo-cd".into(), id: "edx/edxapp".into() };
    world.change_service(|service| {
        service.acts = service.acts.take().map(|acts| Acts { rolls_back: Some(pipeline.clone()), ..acts });
    });
    world.settings = world.settings.clone().with_reverts(|_| Some(Opens::PullRequests));
}

#[test]
fn act_has_the_pipeline_go_back_where_it_names_one() {
    let mut world = live(Mode::Act);
    rolls_back(&mut world);
    breaks(&mut world, &firing("HighErrorRate", true, at("15:40"), None), at("15:41"));
    let back = proposed(&world).unwrap().back.clone().expect("a release to take back");
    assert_eq!((back.pipeline.as_str(), back.release.id.as_str()), ("argo-cd:edx/edxapp", "12"));
    assert_eq!(shell(&mut world).len(), 1);
    assert_eq!(shell(&mut world), [], "once");
    assert_eq!(world.situation.undos.len(), 1, "its revert is opened too, and a person merges it");
    let told =
        world.told.iter().filter(|m| m.key.step == crate::Step::RevertMerged && m.key.person.as_str() == "feanil");
    let told: Vec<String> = told.map(|m| format!("{}\n{}", m.title, m.lines.join("\n"))).collect();
    expect_test::expect![[r#"
        edx-platform#12 is taken back by itself
        [critical] edxapp production: HighErrorRate: it is the cause by 78 %, the canary says so too, and nobody had taken it.
        argo-cd:edx/edxapp goes back to before 12. See that it gets there.
        Merge its revert too: without it the next release brings it again.
        Was it wrong? Say which change it was, on the incident's page, and the service stops doing so. To stop it at once: recent-deployers mode edxapp propose --as <you>"#]].assert_eq(&told.join("\n\n"));
}

#[test]
fn what_is_not_the_newest_release_is_not_taken_back() {
    // Something else went live before the alert came.
    let mut world = live(Mode::Act);
    rolls_back(&mut world);
    world.until(at("15:45")).merge(change(13, "usama", at("15:45"))).settle();
    let later = deployment(13, 13, "prod", DeploymentState::Succeeded, at("15:50"));
    let later = crate::DeploymentEvent { created_at: Some(at("15:49")), ..later };
    world.until(at("15:50")).deploy(&later);
    breaks(&mut world, &firing("HighErrorRate", true, at("15:32"), None), at("15:51"));
    let proposal = proposed(&world).unwrap();
    assert_eq!((proposal.label.as_str(), &proposal.left), ("edx-platform#12", &Some(Reason::AnotherIsLive)));
    assert_eq!(shell(&mut world), []);
    // Something else goes live before the pipeline is asked.
    let mut world = live(Mode::Act);
    rolls_back(&mut world);
    breaks(&mut world, &firing("HighErrorRate", true, at("15:40"), None), at("15:41"));
    world.merge(change(13, "usama", at("15:41"))).settle();
    let later = deployment(13, 13, "prod", DeploymentState::Succeeded, at("15:42"));
    world.until(at("15:42")).deploy(&crate::DeploymentEvent { created_at: Some(at("15:41")), ..later });
    world.settle();
    assert_eq!(shell(&mut world), []);
    let why = Reason::NotMerged { why: "another release is live by now".into() };
    assert!(world.log.iter().any(|line| line.reason == why), "{:?}", proposed(&world));
    let told =
        world.told.iter().filter(|m| m.key.step == crate::Step::RevertMerged && m.key.person.as_str() == "feanil");
    let told: Vec<String> = told.map(|m| format!("{}\n{}", m.title, m.lines.join("\n"))).collect();
    expect_test::expect![[r#"
        edx-platform#12 is yours to take back
        argo-cd:edx/edxapp was not asked to go back by itself: another release is live by now."#]]
    .assert_eq(&told.join("\n\n"));
}

#[test]
fn what_was_never_opened_is_left_to_people_in_words() {
    let mut world = live(Mode::Act);
    breaks(&mut world, &firing("HighErrorRate", true, at("15:40"), None), at("15:41"));
    assert!(proposed(&world).unwrap().left.is_none());
    // Nobody opens it, for so long.
    world.until(at("16:11"));
    for id in due(&world.situation, world.now) {
        let World { situation, service, settings, now, .. } = &world;
        let (decisions, claimed) = claim(&id, false, situation, service, settings, *now);
        assert_eq!(claimed, None);
        world.commit(&decisions);
    }
    let why = Reason::NotMerged { why: "it was not opened within 30 min".into() };
    assert!(world.log.iter().any(|line| line.reason == why));
    assert_eq!(due(&world.situation, world.now), []);
}

#[test]
fn what_stands_in_the_way_is_named() {
    let unlikely: Meanwhile = |world| world.change_service(|service| service.policy.propose_from = 100);
    let nobody: Meanwhile = |world| world.settings = world.settings.clone().with_reverts(|_| None);
    let asked: Meanwhile = |world| {
        let change = world.situation.changes.values().next().unwrap().value.clone();
        world.situation.note(Record::Undo(Undo::new(&change, &"anna".parse().unwrap(), world.now)), 1);
    };
    for (want, before) in [
        ("the first suspect is the cause by", unlikely),
        ("no forge opens the revert of the first suspect", nobody),
        ("one revert pull request is opened", asked),
    ] {
        let mut world = live(Mode::Propose);
        before(&mut world);
        breaks(&mut world, &firing("HighErrorRate", true, at("15:40"), None), at("15:41"));
        assert_eq!(proposed(&world), None, "{want}");
        let said = unproposed(&world).unwrap_or_default();
        assert!(said.contains(want), "{want}: {said}");
        // It is said once.
        let lines = world.log.iter().filter(|line| line.what == "no revert is opened by itself").count();
        world.until(at("15:50"));
        let later = world.log.iter().filter(|line| line.what == "no revert is opened by itself").count();
        assert_eq!((lines, later), (1, 1), "{want}");
    }
}

#[test]
fn what_was_merged_by_itself_and_was_not_it_lowers_the_mode_at_once() {
    let mut world = live(Mode::Act);
    breaks(&mut world, &firing("HighErrorRate", true, at("15:40"), None), at("15:41"));
    assert_eq!(shell(&mut world).len(), 1);
    world.until(at("15:50"));
    world.does("anna", |counter| counter.judge(None)).unwrap();
    world.settle();
    assert_eq!(world.situation.mode(&world.service), Mode::Propose);
    let lowered = world.situation.ceiling.value.lowered.clone().unwrap();
    assert!(matches!(lowered.why, crate::mode::Why::WrongRevert { .. }), "{lowered:?}");
    world.until(at("16:30"));
    assert_eq!(world.situation.mode(&world.service), Mode::Propose, "and no further");
}

/// Something that happens in a storm: minutes since the last, what.
#[derive(Debug, Clone, Copy)]
enum Abuse {
    Fires { name: u8, canary: bool },
    Over { name: u8 },
    Release,
    Acknowledge,
    NotMine,
}

fn abuse() -> impl Strategy<Value = (i64, Abuse)> {
    let what = prop_oneof![
        6 => (0..12_u8, prop::bool::weighted(0.8)).prop_map(|(name, canary)| Abuse::Fires { name, canary }),
        4 => (0..12_u8).prop_map(|name| Abuse::Over { name }),
        3 => Just(Abuse::Release),
        1 => Just(Abuse::Acknowledge),
        1 => Just(Abuse::NotMine),
    ];
    (0..40_i64, what)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_storm_never_reverts_more_than_policy_allows(
        storm in prop::collection::vec(abuse(), 10..60),
        goes_back in any::<bool>(),
    ) {
        let mut world = live(Mode::Act);
        if goes_back {
            rolls_back(&mut world);
        }
        let (mut number, mut merges) = (12, Vec::<(Timestamp, ChangeId)>::new());
        let mut since = std::collections::BTreeMap::new();
        for (minutes, what) in storm {
            let when = world.now + SignedDuration::from_mins(minutes);
            world.until(when);
            match what {
                Abuse::Fires { name, canary } => {
                    since.entry(name).or_insert(when);
                    world.alert(&[firing(&format!("alert {name}"), canary, since[&name], None)]);
                }
                Abuse::Over { name } => {
                    if let Some(began) = since.remove(&name) {
                        world.alert(&[firing(&format!("alert {name}"), true, began, Some(when))]);
                    }
                }
                Abuse::Release => {
                    number += 1;
                    release(&mut world, number, when + SignedDuration::from_mins(10));
                }
                Abuse::Acknowledge => drop(world.does("anna", |counter| counter.acknowledge())),
                Abuse::NotMine => drop(world.does("feanil", |counter| counter.not_mine(None))),
            }
            world.settle();
            let now = world.now;
            merges.extend(shell(&mut world).into_iter().map(|change| (now, change)));
        }
        let apart = |list: &[Timestamp], least: SignedDuration| list.windows(2).all(|pair| pair[1].duration_since(pair[0]) >= least);
        let moves: Vec<Timestamp> = world.situation.ceiling.value.moves.iter().map(|moved| moved.at).collect();
        prop_assert!(apart(&moves, APART), "opened an hour apart: {moves:?}");
        let acted: Vec<Timestamp> =
            world.situation.ceiling.value.moves.iter().filter(|moved| moved.acts).map(|moved| moved.at).collect();
        prop_assert!(apart(&acted, SignedDuration::from_hours(2)), "merged a cool-down apart: {acted:?}");
        prop_assert!(merges.len() <= acted.len(), "{merges:?}");
        let mut changes: Vec<&ChangeId> = merges.iter().map(|(_, change)| change).collect();
        changes.sort();
        changes.dedup();
        prop_assert_eq!(changes.len(), merges.len(), "each change once");
        world.nobody_told_twice();
    }
}
