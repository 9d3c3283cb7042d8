//! What the small parts say at their bounds: words, ids, times.

use std::sync::Arc;

use crate::DeploymentState::{Failed, Started, Succeeded};
use crate::freeze::Time;
use crate::measures::Fact;
use crate::mode::Why;
use crate::service::Pipeline;
use crate::shift::{Scope, Shift};
use crate::testing::{World, alert, at, change, commit, deployment, repository, service, settings};
use crate::window::windows;
use crate::wording::modes;
use crate::*;

fn id(who: &str) -> PersonId {
    who.parse().unwrap()
}

#[test]
fn a_window_involves_what_brought_it_live_and_what_took_it_back_and_no_other() {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(11, "anna", at("14:00"))).merge(change(12, "usama", at("14:30")));
    for (number, of, state, when) in
        [(1, 11, Succeeded, "15:05"), (2, 12, Failed, "15:10"), (3, 12, Succeeded, "15:20"), (4, 11, Started, "15:30")]
    {
        world.now = at(when);
        world.deploy(&deployment(number, of, "prod", state, at(when)));
    }
    world.deploy(&deployment(5, 12, "staging", Succeeded, at("15:30")));
    let all = windows(&world.situation, &world.service, &world.settings.roster, world.now);
    let window = all.iter().find(|window| window.change.id.commit == commit(12)).unwrap();
    let involved = world.situation.deployments.keys().filter(|key| window.involves(key)).map(|key| key.id.as_str());
    assert_eq!(involved.collect::<Vec<_>>(), ["3", "4"]);
}

#[test]
fn why_somebody_answers_in_words_about_them() {
    let login = || Login::new("github", "renovate[bot]").unwrap();
    let by = || id("anna");
    let all = [
        Because::Merged,
        Because::Enqueued,
        Because::Authored,
        Because::Pushed,
        Because::Approved { bot: login() },
        Because::OwnsWhatBotsMerge { bot: login() },
        Because::StandsIn { unknown: login() },
        Because::Champion { contributor: by() },
        Because::NoChampion { contributor: by() },
        Because::Deputises { away: by(), why: "a day off".into() },
        Because::Declined { merger: Some(by()) },
        Because::Declined { merger: None },
        Because::HandedOver { by: by() },
        Because::Expedited,
        Because::Took,
        Because::PutOnCall { by: by() },
    ];
    let words: Vec<String> = all.iter().map(|because| because.they(|who| format!("<{who}>"))).collect();
    expect_test::expect![[r#"
        merged it
        put it into the merge queue
        wrote it; a bot merged
        pushed it
        approved it; github:renovate[bot] made and merged it
        answers as owner; github:renovate[bot] made and merged it
        stands in as owner: nobody in the roster has the account github:renovate[bot]
        champion of <anna>, who merged it
        holds it: no champion of <anna>, who merged it, could be reached
        stands in for <anna>, who merged it and has a day off
        holds it: <anna> declined the pager
        holds it: nobody who was asked took the pager
        had it handed over by <anna>
        asked to let it pass the freeze
        took the pager
        was put on call by <anna>"#]]
    .assert_eq(&words.join("\n"));
}

#[test]
fn ids_say_what_they_are_of() {
    assert!("image:ghcr.io/x:1".parse::<Reference>().unwrap().is_image());
    assert!(!"execution:1".parse::<Reference>().unwrap().is_image());
    let service: ServiceId = "edx-app".parse().unwrap();
    assert_eq!(IncidentId::of(&service, "b5874hxs").service(), Some(service));
    let change = ChangeId { repository: repository(), commit: commit(12) };
    assert_eq!(change.to_string(), format!("{}@{}", repository(), commit(12)));
    let login = Login::new("gitlab", "anna").unwrap();
    assert_eq!((login.forge(), login.name()), ("gitlab", "anna"));
    let key = DeploymentKey { environment: "production".parse().unwrap(), source: "github".into(), id: "7".into() };
    assert_eq!(key.to_string(), "production/github/7");
}

#[test]
fn of_a_deployment_what_is_as_usual_is_not_kept_and_what_is_not_is() {
    let plain = deployment(1, 12, "prod", Succeeded, at("15:00"));
    let canary = DeploymentEvent { manner: Manner::Progressive, ..plain.clone() };
    let kept = |event: &DeploymentEvent| serde_json::to_value(event).unwrap();
    assert_eq!((kept(&plain).get("manner"), kept(&canary).get("manner").is_some()), (None, true));
    assert_eq!(serde_json::from_value::<DeploymentEvent>(kept(&canary)).unwrap(), canary);
    let files = change::Files::of(["a.py"]);
    let asked = change::Files { asked: change::Asked::Told { of: ChangeKind::DirectPush }, ..files.clone() };
    let kept = |files: &change::Files| serde_json::to_value(files).unwrap().get("asked").is_some();
    assert_eq!((kept(&files), kept(&asked)), (false, true));
    let marks = measures::Marks::default();
    assert!(marks.is_none() && !measures::Marks { live: true, ..marks }.is_none());
}

#[test]
fn modes_have_words_and_what_each_does() {
    let says = |mode: Mode| format!("{}: {}", mode.word(), modes::means(mode));
    expect_test::expect![[r#"
        manual: people take and hand over the pager themselves; nobody is paged
        shadow: what would be done is recorded; nobody is told
        notify: people hear of it by chat; nobody is woken
        page: responders are told of their turns and paged
        propose: the revert of a likely culprit is opened, for a person to merge
        act: the revert of a likely culprit is opened and merged"#]]
    .assert_eq(&Mode::ALL.map(says).join("\n"));
    let pages: Vec<bool> = Mode::ALL.iter().map(|mode| mode.pages()).collect();
    assert_eq!(pages, [false, false, false, true, true, true]);
    let tells: Vec<bool> = Mode::ALL.iter().map(|mode| mode.tells()).collect();
    assert_eq!(tells, [true, false, true, true, true, true]);
    let said = |why: &str| modes::why(&Why::Said { by: id("anna"), why: why.into() });
    assert_eq!((said("").as_str(), said("it cries wolf").as_str()), ("somebody said so", "it cries wolf"));
    assert_eq!(modes::why(&Why::WrongPages { pages: 3 }), "3 wrong pages to one person within 30 days");
}

#[test]
fn reasons_count_in_words() {
    let said = |reason: Reason| reason.to_string();
    assert_eq!(said(Reason::ModeSaid { to: "page".into(), why: String::new() }), "mode page, by somebody's word");
    assert_eq!(said(Reason::ModeSaid { to: "page".into(), why: "calm".into() }), "mode page: calm");
    assert!(said(Reason::LiveDeploymentStarted { changes: 1 }).contains("1 new change"));
    assert!(said(Reason::IncidentOpened { alerts: 2 }).contains("2 alerts"));
}

#[test]
fn a_pattern_is_matched_piece_by_piece() {
    for (text, pattern, want) in [
        ("openedx/edx-platform", "openedx/*", true),
        ("openedx/edx-platform", "*edx*form", true),
        ("abcabc", "a*b*c", true),
        ("abab", "*ab*ab*ab", false),
        ("abc", "*abc*c", false),
        ("aXbXc", "a*b*b*c", false),
        ("abc", "abc", true),
        ("abcd", "abc", false),
        ("", "*", true),
    ] {
        assert_eq!(text::is_like(text, pattern), want, "{text} {pattern}");
    }
}

#[test]
fn freezes_of_a_service_that_touch_are_one() {
    let mut service = service();
    let time = |from: &str, until: &str, name: &str| Time { from: at(from), until: at(until), name: name.into() };
    let all = vec![time("12:00", "13:00", "a"), time("13:00", "14:00", "b"), time("15:00", "16:00", "c")];
    service.frozen = vec![Arc::new(all)];
    let until = |when: &str| service.frozen_at(at(when)).map(|frozen| (frozen.name, frozen.until));
    let one = |name: &str, when: &str| Some((name.to_owned(), at(when)));
    assert_eq!(until("11:59"), None);
    assert_eq!((until("12:00"), until("12:59")), (one("a", "14:00"), one("a", "14:00")));
    assert_eq!((until("13:00"), until("14:00"), until("15:30")), (one("b", "14:00"), None, one("c", "16:00")));
    for (now, next) in [("11:00", Some("12:00")), ("12:00", Some("13:00")), ("14:00", Some("15:00")), ("16:00", None)] {
        assert_eq!(service.frozen_next(at(now)), next.map(at), "{now}");
    }
}

#[test]
fn a_pipeline_has_a_place_and_a_name() {
    let parsed = Pipeline::parse("gocd:edxapp:production").unwrap();
    assert_eq!((parsed.at.as_str(), parsed.id.as_str()), ("gocd", "edxapp:production"));
    assert!([":x", "gocd:", "gocd", ""].iter().all(|text| Pipeline::parse(text).is_none()));
}

#[test]
fn somebody_of_the_roster_is_found_by_the_account_of_their_pager() {
    let mut people: Vec<Person> = settings().roster.people().cloned().collect();
    let anna = people.iter_mut().find(|person| person.id.as_str() == "anna").unwrap();
    let contact = |address: &str, keeps| Contact { address: address.into(), keeps, ..Contact::terminal() };
    anna.contacts = vec![contact("PLH1HKV", true), contact("anna@example.com", false)];
    let mut roster = Roster::new(people);
    let by = |roster: &Roster, name: &str| {
        roster.by_account(&Login::new("pagerduty", name).unwrap()).map(|person| person.id.to_string())
    };
    assert_eq!(by(&roster, "plh1hkv").as_deref(), Some("anna"));
    assert_eq!(by(&roster, "anna@example.com"), None, "that keeps no pages");
    assert_eq!(by(&roster, "somebody"), None);
    roster.add(testing::person("zoe", "Zoe", "UTC"));
    assert!(roster.person(&id("zoe")).is_some());
}

#[test]
fn a_shift_is_ahead_until_it_is_over() {
    let shift = Shift::new(Scope::Service, &id("anna"), &id("olga"), at("12:00"), Some(at("13:00")), at("11:00"));
    assert!(shift.is_ahead(at("11:00")) && shift.is_ahead(at("12:59")));
    assert!(!shift.is_ahead(at("13:00")) && !shift.is_ahead(at("14:00")));
}

#[test]
fn a_squad_owns_by_its_paths_or_by_code_owners() {
    let (file, _) = CodeOwners::parse("[Docs] @openedx/docs\nlms/ @openedx/teaching\n");
    let named = |handle: &str, paths: Vec<(Option<Repository>, Paths)>| Squad {
        id: "teaching".parse().unwrap(),
        name: "Teaching".into(),
        members: vec![],
        wish: Wish::Mine,
        code_owners: vec![handle.into()],
        paths,
    };
    assert!(file.names("@openedx/teaching") && !file.names("@openedx/nobody"));
    let ownership = Ownership::new([(repository(), file)].into(), []);
    let other: Repository = "openedx/other".parse().unwrap();
    let owns = |squad: &Squad| (ownership.owns_in(squad, &repository()), ownership.owns_in(squad, &other));
    assert_eq!(owns(&named("@openedx/teaching", vec![])), (true, false));
    assert_eq!(owns(&named("@openedx/nobody", vec![])), (false, false));
    assert_eq!(owns(&named("@openedx/nobody", vec![(None, Paths::default())])), (true, true));
    assert_eq!(owns(&named("@openedx/nobody", vec![(Some(other.clone()), Paths::default())])), (false, true));
}

#[test]
fn a_card_knows_who_has_the_pager_and_whether_it_says_the_same() {
    let mut world = World::new();
    world.now = at("12:00");
    let card = |world: &World| card::Card::of(&world.situation, &world.service, &world.settings, world.now);
    let before = card(&world);
    assert_eq!((before.pager(at("12:00")), before.digest() == card(&world).digest()), (None, true));
    let shift = Shift::new(Scope::Service, &id("anna"), &id("olga"), at("12:00"), Some(at("13:00")), at("12:00"));
    world.situation.note(Record::Shift(shift), 1);
    let after = card(&world);
    assert_eq!(after.pager(at("12:59")), Some((&id("anna"), Some(at("13:00")))));
    assert_eq!(after.pager(at("13:00")), None);
    assert_ne!(before.digest(), after.digest());
}

#[test]
fn alerts_are_sorted_by_place_and_what_a_sender_may_not_speak_for_is_of_none() {
    let event = |left_out| on_alert::AlertEvent { alerts: vec![alert("A", at("12:00"), None)], left_out, brief: false };
    let places = |may: bool| event(0).by_place(&settings(), |_| may).into_keys().map(|place| place.service.to_string());
    assert_eq!(places(true).collect::<Vec<_>>(), ["edxapp"]);
    assert_eq!(places(false).collect::<Vec<_>>(), ["unmapped"]);
    let kept = |left_out| serde_json::to_value(event(left_out)).unwrap().get("left_out").is_some();
    assert_eq!((kept(0), kept(2)), (false, true));
}

#[test]
fn facts_are_of_the_time_at_which_they_happened() {
    let when = at("12:00");
    for fact in [
        Fact::Failed { at: when, recovery: None },
        Fact::Stalled { at: when, environment: "production".parse().unwrap() },
        Fact::Thawed { at: when, lasted: 1 },
    ] {
        assert_eq!(fact.at(), when);
    }
}

#[test]
fn maintenance_covers_its_own_environment_or_all() {
    let maintenance = |environment: Option<&str>| maintenance::Maintenance {
        environment: environment.map(|name| name.parse().unwrap()),
        from: at("12:00"),
        until: at("13:00"),
        why: String::new(),
        by: id("anna"),
        ended_at: None,
    };
    let (production, stage) = ("production".parse().unwrap(), "stage".parse().unwrap());
    let covers = |one: &maintenance::Maintenance, of: &EnvironmentName| {
        [at("11:59"), at("12:00"), at("13:00")].map(|now| one.covers(of, now))
    };
    assert_eq!(covers(&maintenance(None), &production), [false, true, false]);
    assert_eq!(covers(&maintenance(Some("stage")), &stage), [false, true, false]);
    assert_eq!(covers(&maintenance(Some("stage")), &production), [false; 3]);
}

#[test]
fn a_revert_has_the_forges_own_title_and_says_who_asked_for_it() {
    let of = change(12, "feanil", at("12:00"));
    let undo = Undo::new(&of, &id("anna"), at("13:00"));
    assert_eq!(wording::reverts::title(&undo), "Revert \"change number 12\"");
    let untitled = Undo { title: String::new(), ..undo.clone() };
    assert_eq!(wording::reverts::title(&untitled), "Revert \"edx-platform#12\"");
    let body = |undo: &Undo| wording::reverts::body(undo, "Anna", |number| format!("#{number}"), "marker");
    expect_test::expect![[r#"
        Reverts #12

        This reverts commit 000000000000000000000000000000000000000c.

        Asked for by Anna at 2026-03-20 13:00 UTC, by Recent Deployers. Nothing is reverted before this is merged and live.

        <!-- marker -->
    "#]].assert_eq(&body(&undo));
    let pushed = Undo { kind: ChangeKind::DirectPush, by_itself: true, ..undo };
    expect_test::expect![[r#"
        This reverts commit 000000000000000000000000000000000000000c.

        Opened at 2026-03-20 13:00 UTC by Recent Deployers itself, for Anna: it is the likely cause of an incident. Nothing is reverted before this is merged and live.

        <!-- marker -->
    "#]].assert_eq(&body(&pushed));
    assert_eq!(undo::home(&settings(), &repository()).map(|service| service.id.as_str()), Some("edxapp"));
    assert!(undo::home(&settings(), &"openedx/other".parse().unwrap()).is_none());
}

#[test]
fn how_likely_it_is_is_told_as_exactly_as_it_can_be_known() {
    let mut world = World::new();
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("15:00")));
    world.deploy(&deployment(1, 12, "prod", Succeeded, at("15:40")));
    world.until(at("15:50"));
    world.alert(&[alert("HighErrorRate", at("15:50"), None)]);
    let suspect = world.situation.incidents.values().next().unwrap().value.suspects[0].clone();
    let percent = |share| Suspect { likelihood: Some(share), ..suspect.clone() }.percent().unwrap();
    for (share, want) in [(0, 0), (4, 0), (5, 1), (49, 5), (50, 5), (74, 5), (75, 10), (424, 40), (425, 45), (999, 100)]
    {
        assert_eq!(percent(share), want, "{share}");
    }
    assert_eq!(Suspect { likelihood: None, ..suspect }.percent(), None);
}

#[test]
fn a_job_is_of_the_services_that_deploy_its_repository_there() {
    let waiting = |repository: &str, environment: &str| gates::Waiting {
        repository: repository.parse().unwrap(),
        environment: environment.into(),
        run: 1,
        commit: commit(12),
        at: None,
        source: String::new(),
        installation: None,
    };
    let settings = settings();
    let of = |repository: &str, environment: &str| gates::shares(&waiting(repository, environment), &settings).count();
    let own = repository().to_string();
    assert_eq!((of(&own, "prod"), of(&own, "moon"), of("openedx/other", "prod")), (1, 0, 0));
}

#[test]
fn together_knows_the_incidents_of_a_message_that_page_somebody() {
    let mut shop = Service { id: "shop".parse().unwrap(), alerts: vec![], ..service() };
    shop.rotation = vec![id("olga")];
    let settings = Settings::new(
        [service(), shop.clone()],
        settings().roster,
        Service { id: "unmapped".parse().unwrap(), repositories: vec![], ..service() },
        String::new(),
    );
    let situation = Situation::empty(service().id);
    let place = alert::Place { service: service().id, environment: "production".parse().unwrap() };
    let look = |severity| {
        let mut together = on_alert::elsewhere::Together::default();
        let alerts = [Alert { severity, ..alert("HighErrorRate", at("12:00"), None) }];
        together.look(&alerts, &place, &situation, &service(), &settings, at("12:00"));
        let services: Vec<String> = together.services().map(ToString::to_string).collect();
        (services, together.beside(&shop, &settings, |_| None).len())
    };
    assert_eq!(look(Severity::Critical), (vec!["edxapp".to_owned()], 1));
    assert_eq!(look(Severity::Info), (vec![], 0));
}
