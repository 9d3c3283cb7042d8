//! What each report of a forge comes to: kept, noted, asked about, or nothing, and why.

use super::*;
use crate::change::Asked;
use crate::testing::{at, change, repository, settings};

const ELSEWHERE: &str = "someone/else";

fn login(name: &str) -> Login {
    Login::new("github", name).unwrap()
}

fn enqueued(by: &str, repository: &Repository, sure: bool) -> Enqueued {
    Enqueued { repository: repository.clone(), number: 12, by: login(by), at: at("14:50"), sure }
}

fn approved(by: &str, repository: &Repository) -> Approved {
    Approved { repository: repository.clone(), number: 12, by: login(by), at: at("14:40") }
}

fn label(by: &str) -> PullEvent {
    let title = "a fix".to_owned();
    PullEvent::Expedite { number: 12, head: None, by: login(by), at: at("14:30"), reason: None, title, url: None }
}

fn decided(event: MergeEvent) -> MergeDecision {
    decide(event, &Way::default(), &settings(), at("15:00"))
}

fn elsewhere() -> Repository {
    ELSEWHERE.parse().unwrap()
}

#[test]
fn who_enqueued_or_approved_is_noted_where_it_is_served_and_said_by_a_person() {
    let (here, bot) = (repository(), "mergify[bot]");
    let note = enqueued("feanil", &here, true);
    assert_eq!(decided(MergeEvent::Enqueued(note.clone())), MergeDecision::NoteEnqueue(note));
    let note = approved("feanil", &here);
    assert_eq!(decided(MergeEvent::Approved(note.clone())), MergeDecision::NoteApproval(note));
    for event in [MergeEvent::Enqueued(enqueued(bot, &here, true)), MergeEvent::Approved(approved(bot, &here))] {
        assert_eq!(decided(event), MergeDecision::Nothing(Reason::ByABot));
    }
    for event in [
        MergeEvent::Enqueued(enqueued("feanil", &elsewhere(), true)),
        MergeEvent::Approved(approved("feanil", &elsewhere())),
        MergeEvent::Pull(elsewhere(), label("feanil")),
    ] {
        assert_eq!(decided(event), MergeDecision::Nothing(Reason::RepositoryNotServed));
    }
}

#[test]
fn a_pull_request_is_for_the_desk_of_its_repository_unless_a_bot_asks() {
    let event = label("feanil");
    assert_eq!(decided(MergeEvent::Pull(repository(), event.clone())), MergeDecision::Pull(repository(), event));
    let by_bot = label("labeler[bot]");
    assert_eq!(decided(MergeEvent::Pull(repository(), by_bot)), MergeDecision::Nothing(Reason::ByABot));
    let withdrawn = PullEvent::NoExpedite { number: 12, by: login("labeler[bot]"), at: at("14:31") };
    assert_eq!(decided(MergeEvent::Pull(repository(), withdrawn)), MergeDecision::Nothing(Reason::ByABot));
}

/// A merge by a bot, with what is known of its way: who is credited, and who approved.
fn credited(author: &str, approvers: &[&str], way: Way) -> (String, Vec<String>) {
    let mut change = change(12, "mergify[bot]", at("15:00"));
    change.author = login(author);
    change.merger = Merger { login: login(author), credit: Credit::AuthorOfBotMerge };
    change.approvers = approvers.iter().map(|name| login(name)).collect();
    let MergeDecision::Keep(merge) = decide(MergeEvent::Merged(Box::new(change)), &way, &settings(), at("15:00"))
    else {
        panic!("not kept");
    };
    let Change { merger, approvers, .. } = merge.change;
    (format!("{} {:?}", merger.login.name(), merger.credit), approvers.iter().map(|by| by.name().to_owned()).collect())
}

#[test]
fn who_told_the_bot_to_merge_answers_for_it() {
    let here = repository();
    let way = |by: &str, sure| Way { enqueued: Some(enqueued(by, &here, sure)), ..Way::default() };
    let approvals = |all: &[(&str, &str)]| Way {
        approvals: all.iter().map(|(who, when)| (login(who), at(when))).collect(),
        ..Way::default()
    };
    let who = |author, approvers: &[&str], way| credited(author, approvers, way).0;
    assert_eq!(who("usama", &[], Way::default()), "usama AuthorOfBotMerge");
    assert_eq!(who("usama", &[], way("feanil", true)), "feanil Enqueued");
    assert_eq!(who("usama", &[], way("feanil", false)), "feanil QueueTried");
    assert_eq!(who("usama", &[], way("mergify[bot]", true)), "usama AuthorOfBotMerge", "bots tell nobody");
    // Who approved answers only for what a bot has made: whoever did so first.
    let both = [("feanil", "14:30"), ("anna", "14:20"), ("renovate[bot]", "14:00")];
    assert_eq!(who("usama", &["olga"], approvals(&both)), "usama AuthorOfBotMerge");
    assert_eq!(who("renovate[bot]", &["olga"], approvals(&both)), "anna Approved");
    assert_eq!(who("renovate[bot]", &["olga"], Way::default()), "olga Approved");
}

#[test]
fn approvals_are_added_to_those_of_the_report_once_each_and_none_of_bots() {
    let approvals = [("feanil", "14:30"), ("olga", "14:20"), ("renovate[bot]", "14:00")];
    let way = Way { approvals: approvals.map(|(who, when)| (login(who), at(when))).into(), ..Way::default() };
    assert_eq!(credited("usama", &["olga"], way).1, ["olga", "feanil"]);
}

#[test]
fn the_way_is_looked_up_for_a_pull_request_that_is_deployed() {
    let settings = settings();
    let wants = |change: Change| wants_way(&MergeEvent::Merged(Box::new(change)), &settings).map(|(_, number)| number);
    let merged = || change(12, "feanil", at("15:00"));
    assert_eq!(wants(merged()), Some(12));
    assert_eq!(wants(Change { kind: ChangeKind::DirectPush, ..merged() }), None);
    let pushed = Merger { login: login("feanil"), credit: Credit::Pushed };
    assert_eq!(wants(Change { merger: pushed, ..merged() }), None, "its own report follows");
    assert_eq!(wants(Change { base: "topic".into(), base_is_default: false, ..merged() }), None);
    let mut elsewhere = merged();
    elsewhere.id.repository = self::elsewhere();
    assert_eq!(wants(elsewhere), None);
    let event = MergeEvent::Enqueued(enqueued("feanil", &repository(), true));
    assert_eq!(wants_way(&event, &settings), None);
}

#[test]
fn a_change_awaits_its_way_while_a_bot_is_all_that_is_known() {
    let merge = |kind, credit| {
        let mut change = change(12, "feanil", at("15:00"));
        (change.kind, change.merger.credit) = (kind, credit);
        Merge { change, files: None, windows: vec![] }.awaits()
    };
    let pull = ChangeKind::PullRequest { number: 12 };
    assert_eq!(merge(pull, Credit::AuthorOfBotMerge), Some(12));
    assert_eq!(merge(pull, Credit::Merged), None);
    assert_eq!(merge(ChangeKind::DirectPush, Credit::AuthorOfBotMerge), None);
}

#[test]
fn the_line_of_a_merge_says_why_its_merger_answers_or_that_it_is_of_other_paths() {
    let mut settings = settings();
    let reason = |settings: &Settings, change: Change| {
        let event = MergeEvent::Merged(Box::new(change));
        let MergeDecision::Keep(merge) = decide(event, &Way::default(), settings, at("15:00")) else {
            panic!("not kept")
        };
        merge.windows[0].2.reason.name()
    };
    assert_eq!(reason(&settings, change(12, "feanil", at("15:00"))), "merged_on_standby");
    assert_eq!(reason(&settings, change(12, "nobody", at("15:00"))), "unknown_merger");
    // Of a weekend somebody is asked; of whoever merges from outside, a champion, if there is one.
    let mut carol = crate::testing::person("carol", "Carol", "UTC");
    let mut service = crate::testing::service();
    let office = Some((jiff::civil::time(9, 0, 0, 0), jiff::civil::time(17, 0, 0, 0)));
    let week = [office, office, office, office, office, None, None];
    service.timetable.hours = Some(crate::calendar::WorkingHours { zone: jiff::tz::TimeZone::UTC, week });
    for (champion, want) in [("anna", "merged_off_hours"), ("nobody", "no_champion")] {
        carol.champions = vec![champion.parse().unwrap()];
        let roster = crate::Roster::new(settings.roster.people().cloned().chain([carol.clone()]));
        let settings = Settings::new([service.clone()], roster, crate::testing::service(), String::new());
        assert_eq!(reason(&settings, change(12, "carol", at("Sat 15:00"))), want);
        assert_eq!(reason(&settings, change(12, "feanil", at("Sat 15:00"))), "merged_off_hours");
    }
    let mut service = crate::testing::service();
    service.repositories[0].paths = crate::Paths::new(&["lms/**".to_owned()]).unwrap();
    let (roster, unmapped) = (settings.roster.clone(), crate::testing::service());
    settings = Settings::new([service], roster, Service { id: "unmapped".parse().unwrap(), ..unmapped }, String::new());
    let files = Files { asked: Asked::Not, ..Files::of(["cms/a.py"]) };
    let other = Change { files: Some(files), ..change(12, "feanil", at("15:00")) };
    assert_eq!(reason(&settings, other), "touches_other_paths");
}

#[test]
fn a_note_of_before_bots_were_told_apart_counts_as_sure() {
    let mut kept = serde_json::to_value(enqueued("feanil", &repository(), true)).unwrap();
    assert_eq!(kept.get("sure"), None);
    assert!(serde_json::from_value::<Enqueued>(kept.clone()).unwrap().sure);
    kept["sure"] = false.into();
    assert!(!serde_json::from_value::<Enqueued>(kept).unwrap().sure);
}
