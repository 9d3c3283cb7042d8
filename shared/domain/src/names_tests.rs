//! What things are called: in words, in keys, and in what is kept.

use expect_test::expect;

use crate::deployment::Manner;
use crate::testing::{at, change, deployment, person, service, settings};
use crate::wording::modes::{means, why};
use crate::{
    Because, Contact, DeploymentState, EnvironmentName, IncidentId, Login, Mode, PersonId, Reason, Reference, Roster,
    ServiceId, Step,
};

#[test]
fn a_deployment_is_called_by_where_it_goes_who_tells_of_it_and_its_name_there() {
    let key = crate::DeploymentKey { environment: EnvironmentName::live(), source: "github".into(), id: "1".into() };
    assert_eq!(key.to_string(), "production/github/1");
    // What is usual is not written down.
    let event = deployment(1, 11, "production", DeploymentState::Started, at("15:00"));
    let manner = |event: &crate::DeploymentEvent| serde_json::to_value(event).unwrap().get("manner").cloned();
    assert_eq!(manner(&event), None);
    let canary = crate::DeploymentEvent { manner: Manner::Progressive, ..event };
    assert_eq!(manner(&canary), Some("progressive".into()));
}

#[test]
fn whether_somebody_was_asked_for_the_files_is_kept_once_it_was() {
    let files = crate::change::Files::default();
    assert_eq!(serde_json::to_string(&files).unwrap(), r#"{"paths":[]}"#);
    let told = crate::change::Asked::Told { of: change(11, "feanil", at("12:00")).kind };
    let kept = serde_json::to_value(crate::change::Files { asked: told, ..files }).unwrap();
    assert!(kept.get("asked").is_some(), "{kept}");
}

#[test]
fn an_image_is_told_from_other_references_and_an_incident_names_its_service() {
    let image = |text: &str| text.parse::<Reference>().unwrap().is_image();
    assert_eq!((image("image:shop:8c1c06a"), image("main")), (true, false));
    assert!(Reference::image(" shop:1 ").unwrap().is_image());
    let service = |text: &str| text.parse::<IncidentId>().unwrap().service();
    assert_eq!(service("edx-app-qaqn6jef"), Some("edx-app".parse::<ServiceId>().unwrap()));
}

#[test]
fn any_text_makes_a_name_of_an_environment() {
    let names =
        ["Production", "eu west_1.a", "--", "  ", "ü-b", "a  b"].map(|text| EnvironmentName::about(text).to_string());
    expect![[r#"
        production
        eu-west_1.a-dc701b9e
        --
        6c179f21
        -b-1f812e4a
        a-b-6e12db73"#]]
    .assert_eq(&names.join("\n"));
}

#[test]
fn why_somebody_answers_is_said_of_them() {
    let anna: PersonId = "anna".parse().unwrap();
    let bot = || Login::new("github", "renovate").unwrap();
    let all = [
        Because::Merged,
        Because::Enqueued,
        Because::Authored,
        Because::Pushed,
        Because::Approved { bot: bot() },
        Because::OwnsWhatBotsMerge { bot: bot() },
        Because::StandsIn { unknown: bot() },
        Because::Champion { contributor: anna.clone() },
        Because::NoChampion { contributor: anna.clone() },
        Because::Declined { merger: Some(anna.clone()) },
        Because::Declined { merger: None },
        Because::HandedOver { by: anna.clone() },
        Because::Expedited,
        Because::Took,
        Because::PutOnCall { by: anna },
    ]
    .map(|because| because.they(|person| format!("<{person}>")));
    expect![[r#"
        merged it
        put it into the merge queue
        wrote it; a bot merged
        pushed it
        approved it; github:renovate made and merged it
        answers as owner; github:renovate made and merged it
        stands in as owner: nobody in the roster has the account github:renovate
        champion of <anna>, who merged it
        holds it: no champion of <anna>, who merged it, could be reached
        holds it: <anna> declined the pager
        holds it: nobody who was asked took the pager
        had it handed over by <anna>
        asked to let it pass the freeze
        took the pager
        was put on call by <anna>"#]]
    .assert_eq(&all.join("\n"));
}

#[test]
fn each_mode_tells_and_pages_as_it_says() {
    let all = [Mode::Manual, Mode::Shadow, Mode::Notify, Mode::Page, Mode::Propose, Mode::Act]
        .map(|mode| format!("{} (tells {}, pages {}): {}", mode.word(), mode.tells(), mode.pages(), means(mode)));
    expect![[r#"
        manual (tells true, pages false): people take and hand over the pager themselves; nobody is paged
        shadow (tells false, pages false): what would be done is recorded; nobody is told
        notify (tells true, pages false): people hear of it by chat; nobody is woken
        page (tells true, pages true): responders are told of their turns and paged
        propose (tells true, pages true): the revert of a likely culprit is opened, for a person to merge
        act (tells true, pages true): the revert of a likely culprit is opened and merged"#]]
    .assert_eq(&all.join("\n"));
    let said = |words: &str| why(&crate::mode::Why::Said { by: "anna".parse().unwrap(), why: words.to_owned() });
    assert_eq!((said(""), said("too many pages")), ("somebody said so".to_owned(), "too many pages".to_owned()));
    let reason = |why: &str| Reason::ModeSaid { to: "page".into(), why: why.into() }.to_string();
    assert_eq!((reason(""), reason("x")), ("mode page, by somebody's word".to_owned(), "mode page: x".to_owned()));
}

#[test]
fn how_many_it_were_is_said_in_the_log() {
    let opened = |alerts| Reason::IncidentOpened { alerts }.to_string();
    assert_eq!((opened(1), opened(2)), ("opened by 1 alert".to_owned(), "opened by 2 alerts".to_owned()));
    assert_eq!(Reason::IncidentGrew { alerts: 3 }.to_string(), "now 3 alerts");
    let failed = |changes| Reason::LiveDeploymentFailed { changes }.to_string();
    assert_eq!(failed(1), "a live deployment failed with 1 new change: back to standby");
    assert_eq!(failed(2), "a live deployment failed with 2 new changes: back to standby");
}

#[test]
fn the_notices_of_a_change_s_life_can_be_muted_save_its_start() {
    let muted = [
        Step::Receipt,
        Step::Thanks,
        Step::Extended,
        Step::EndingSoon,
        Step::Ended,
        Step::StandbyAgain,
        Step::TestsFailed,
    ];
    assert!(muted.iter().all(|step| step.can_be_muted()));
    let never = [Step::Started, Step::FirstResponder, Step::Rotation, Step::Owner, Step::Deputy, Step::Drill];
    assert!(!never.iter().any(|step| step.can_be_muted()));
}

#[test]
fn an_account_is_somebodys_by_its_login_or_by_the_address_of_a_pager_that_keeps_what_it_is_told() {
    let pager = |address: &str, keeps| Contact { receiver: "pagerduty".into(), address: address.into(), keeps };
    let mut roster = Roster::new([
        crate::Person { contacts: vec![pager("a@x.com", false)], ..person("anna", "Anna", "UTC") },
        crate::Person { contacts: vec![pager("a@x.com", true)], ..person("olga", "Olga", "UTC") },
    ]);
    let of = |roster: &Roster, forge: &str, name: &str| {
        roster.by_account(&Login::new(forge, name).unwrap()).map(|person| person.id.to_string())
    };
    assert_eq!(of(&roster, "email", "A@x.com"), Some("olga".to_owned()));
    assert_eq!(of(&roster, "email", "b@x.com"), None);
    assert_eq!(of(&roster, "github", "anna"), Some("anna".to_owned()));
    roster.add(person("late", "Late", "UTC"));
    assert_eq!(roster.person(&"late".parse().unwrap()).map(|person| person.name.as_str()), Some("Late"));
    assert_eq!(of(&roster, "github", "late"), None, "who has no accounts");
    assert_eq!(Login::new("github", "anna").unwrap().forge(), "github");
}

#[test]
fn what_is_kept_as_if_it_were_a_service_is_found_by_its_name() {
    let settings = settings();
    let found = |id: &ServiceId| settings.service(id).map(|service| service.id.clone());
    for id in [service().id, "unmapped".parse().unwrap(), settings.freeze_desk().id.clone()] {
        assert_eq!(found(&id), Some(id));
    }
    assert_eq!(found(&"other".parse().unwrap()), None);
}

#[test]
fn each_notice_of_a_moment_has_a_key_by_its_minute() {
    let (settings, service) = (settings(), service());
    let person = &service.owners[0];
    let reader = crate::wording::Reader { settings: &settings, service: &service, person, now: at("15:30") };
    let minute = |text: &str| u32::try_from(at(text).as_second() / 60).unwrap();
    let gone = crate::wording::freezes::gone(reader, "week@20260320T100000Z", "gratitude week", true);
    assert_eq!((gone.key.nth, gone.title.as_str()), (minute("15:30"), "The freeze is over: gratitude week"));
    let lowered =
        crate::mode::Lowered { to: Mode::Notify, at: at("14:00"), why: crate::mode::Why::WrongPages { pages: 3 } };
    let down = crate::wording::modes::stepped_down(reader, Mode::Page, &lowered, Reason::ManualMode);
    assert_eq!(
        (down.key.nth, down.lines[0].as_str()),
        (minute("14:00"), "Why: 3 wrong pages to one person within 30 days.")
    );
    let held = crate::pipelines::Held {
        freeze: "gratitude week".to_owned(),
        from: at("13:00"),
        until: at("Mon 10:00"),
        stands: crate::pipelines::Stands::Wanted,
        seen_at: at("13:00"),
        told_silent: false,
        failed: None,
    };
    let silent = |held: &crate::pipelines::Held| {
        crate::wording::pipelines::silent(reader, "gocd", held, "no answer", true).key.nth
    };
    assert_eq!(silent(&held), minute("13:00"));
    let failed = Some(crate::paging::Unread { since: at("13:20"), last: at("13:40"), why: "no answer".to_owned() });
    assert_eq!(silent(&crate::pipelines::Held { failed, ..held }), minute("13:20"));
}

#[test]
fn an_age_is_told_in_days_from_two_on() {
    let age = |minutes: i64| crate::wording::queues::age(jiff::SignedDuration::from_mins(minutes));
    let hours = [60, 47 * 60 + 59, 48 * 60, 71 * 60 + 59, 72 * 60, 240 * 60].map(age);
    assert_eq!(hours, ["1 h", "47 h 59 min", "2 days", "2 days", "3 days", "10 days"]);
}

fn undo(by_itself: bool, title: &str) -> crate::Undo {
    let change = change(12, "feanil", at("12:00"));
    crate::Undo {
        change: change.id,
        kind: change.kind,
        title: title.to_owned(),
        base: "master".to_owned(),
        by: "anna".parse().unwrap(),
        at: at("15:00"),
        by_itself,
        stage: crate::undo::Stage::Asked { tries: 0, due_at: at("15:00"), why: None },
    }
}

#[test]
fn a_revert_pull_request_says_what_it_reverts_and_who_asked_for_it() {
    use crate::wording::reverts::{body, refused, stands, title};
    assert_eq!(title(&undo(false, "Fix the cart")), "Revert \"Fix the cart\"");
    assert_eq!(title(&undo(false, "")), "Revert \"edx-platform#12\"");
    let says = |undo: &crate::Undo| body(undo, "Anna", |number| format!("#{number}"), "marker");
    let push = crate::Undo { kind: crate::ChangeKind::DirectPush, ..undo(true, "x") };
    expect![[r#"
        Reverts #12

        This reverts commit 000000000000000000000000000000000000000c.

        Asked for by Anna at 2026-03-20 15:00 UTC, by Recent Deployers. Nothing is reverted before this is merged and live.

        <!-- marker -->

        Reverts #12

        This reverts commit 000000000000000000000000000000000000000c.

        Opened at 2026-03-20 15:00 UTC by Recent Deployers itself, for Anna: it is the likely cause of an incident. Nothing is reverted before this is merged and live.

        <!-- marker -->

        This reverts commit 000000000000000000000000000000000000000c.

        Opened at 2026-03-20 15:00 UTC by Recent Deployers itself, for Anna: it is the likely cause of an incident. Nothing is reverted before this is merged and live.

        <!-- marker -->
    "#]].assert_eq(&[says(&undo(false, "x")), says(&undo(true, "x")), says(&push)].join("\n"));
    let (settings, service) = (settings(), service());
    let person = &service.owners[0];
    let reader = crate::wording::Reader { settings: &settings, service: &service, person, now: at("15:30") };
    let no = refused(reader, &undo(false, "x"), &crate::undo::Why::Conflicts);
    assert_eq!(i64::from(no.key.nth), at("15:00").as_second() / 60);
    let asked = |why: Option<&str>| crate::Undo {
        stage: crate::undo::Stage::Asked { tries: 1, due_at: at("15:40"), why: why.map(str::to_owned) },
        ..undo(false, "x")
    };
    let refused = crate::Undo {
        stage: crate::undo::Stage::Refused { why: crate::undo::Why::Conflicts, at: at("15:10") },
        ..undo(true, "x")
    };
    let all = [asked(None), asked(Some("502")), refused].map(|undo| stands(reader, &undo));
    expect![[r#"
        Revert: asked for by Anna at 15:00 (Europe/London). The pull request is being opened.
        Revert: asked for by Anna at 15:00 (Europe/London). The forge did not answer (502); it is tried again at 15:40 (Europe/London).
        Revert: asked for by the evidence at 15:00 (Europe/London). At 15:10 (Europe/London): later changes are in its way: it conflicts. By hand: git revert 000000000000000000000000000000000000000c (a merge commit: -m 1) on a new branch, and a pull request of it."#]].assert_eq(&all.join("\n"));
}

#[test]
fn a_fix_that_is_asked_for_anew_is_another_notice() {
    let (settings, service) = (settings(), service());
    let person = &service.owners[0];
    let reader = crate::wording::Reader { settings: &settings, service: &service, person, now: at("15:30") };
    let asked = |when: &str| crate::expedite::Expedite {
        repository: crate::testing::repository(),
        number: 7,
        title: "Fix it".to_owned(),
        url: None,
        by: "feanil".parse().unwrap(),
        at: at(when),
        way: crate::expedite::Way::Board,
        heard_at: at(when),
        head: None,
        reason: "checkout fails".to_owned(),
        signed: vec![],
        over: None,
        passed: None,
        told: [].into(),
        counted: false,
    };
    let nth = |when: &str| {
        let (needs, step) = (crate::expedite::Needs::default(), Step::ExpediteAsked);
        i64::from(crate::wording::expedites::notice(reader, &asked(when), step, needs, &[]).key.nth)
    };
    assert_eq!([nth("12:00"), nth("12:01")], [at("12:00"), at("12:01")].map(|at| at.as_second() / 60));
}
