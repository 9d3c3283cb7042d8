//! Whom of a squad an incident is told, how many at a time, and what is written down of the wishes.

use crate::DeploymentState::Succeeded;
use crate::Severity::Warning;
use crate::change::Files;
use crate::squad::{Squad, Wish};
use crate::testing::{World, alert, at, change, commit, deployment, repository};
use crate::{Alert, ChangeId, Mode, Paths, Record, Settings};

fn squad(id: &str, wish: Wish, members: &[&str], pattern: &str) -> Squad {
    let paths = vec![(Some(repository()), Paths::new(&[pattern.to_owned()]).unwrap())];
    let members = members.iter().map(|person| person.parse().unwrap()).collect();
    Squad { id: id.parse().unwrap(), name: id.to_owned(), members, wish, code_owners: vec![], paths }
}

/// Feanil's change of `lms/urls.py` is live, and something less than critical fires.
fn world(squads: Vec<Squad>) -> World {
    let mut world = World::new();
    let settings = Settings::new(
        [world.service.clone()],
        world.settings.roster.clone(),
        world.settings.service(&"unmapped".parse().unwrap()).unwrap().clone(),
        world.settings.public_url.clone(),
    );
    world.settings = settings.with_squads(squads, [].into());
    world.now = at("15:00");
    world.merge(change(12, "feanil", at("15:00")));
    let id = ChangeId { repository: repository(), commit: commit(12) };
    world.situation.note(Record::Files(id, Files::of(["lms/urls.py"])), 1);
    world.deploy(&deployment(1, 12, "prod", Succeeded, at("15:40")));
    world.until(at("15:50"));
    world.told.clear();
    world
}

fn fires(world: &mut World) {
    world.alert(&[Alert { severity: Warning, ..alert("HighErrorRate", at("15:50"), None) }]);
}

fn told(world: &World, step: &str) -> Vec<String> {
    let of_step = world.told.iter().filter(|message| message.key.step.word() == step);
    of_step.map(|message| message.key.person.to_string()).collect()
}

const HEARS: &str = "squad-hears";

fn wishes(world: &World) -> Vec<&str> {
    let of_wishes = world.log.iter().filter(|entry| entry.reason.name() == "squads_wishes");
    of_wishes.map(|entry| entry.what.as_str()).collect()
}

#[test]
fn a_squad_whose_code_is_touched_hears_once_but_for_whoever_is_paged() {
    let mine = squad("lms", Wish::Mine, &["feanil", "usama"], "lms/**");
    let mut world = world(vec![mine, squad("cms", Wish::Mine, &["anna"], "cms/**")]);
    fires(&mut world);
    assert_eq!(told(&world, HEARS), ["usama"]);
    assert_eq!(wishes(&world), ["cms does not, lms hears of it"]);
    world.settle().until(at("15:52"));
    assert_eq!(told(&world, HEARS), ["usama"], "once");
    assert_eq!(wishes(&world).len(), 1);
}

#[test]
fn a_squad_hears_which_change_touches_its_code_where_one_does() {
    let all = squad("cms", Wish::All, &["anna"], "cms/**");
    let mut world = world(vec![squad("lms", Wish::Mine, &["usama"], "lms/**"), all]);
    fires(&mut world);
    let line = |who: &str| {
        let hears = |m: &&crate::Message| m.key.step.word() == HEARS && m.key.person.as_str() == who;
        world.told.iter().find(hears).unwrap().lines[1].clone()
    };
    assert_eq!(line("usama"), "It may be edx-platform#12, which touches code of lms.");
    assert!(line("anna").starts_with("Paged: Feanil."), "{}", line("anna"));
}

#[test]
fn who_waits_for_the_escalation_hears_when_the_rotation_is_paged() {
    let mut world = world(vec![squad("lms", Wish::AfterEscalation, &["usama"], "lms/**")]);
    fires(&mut world);
    assert_eq!(told(&world, HEARS), [""; 0]);
    world.until(at("15:53"));
    assert_eq!(told(&world, HEARS), [""; 0]);
    world.until(at("15:54"));
    assert_eq!(told(&world, HEARS), ["usama"]);
    assert_eq!(wishes(&world), ["lms does not", "lms hears of it"]);
}

#[test]
fn where_no_change_is_suspected_nobody_answers_for_code_and_nothing_escalates() {
    let mut world = world(vec![squad("lms", Wish::AfterEscalation, &["usama"], "lms/**")]);
    world.until(at("Tue 12:00"));
    world.told.clear();
    world.alert(&[Alert { severity: Warning, ..alert("HighErrorRate", at("Tue 12:00"), None) }]);
    world.settle();
    assert_eq!(told(&world, HEARS), [""; 0]);
    assert_eq!(wishes(&world), ["lms does not"]);
}

#[test]
fn a_squad_of_code_that_goes_elsewhere_is_not_concerned() {
    let mut elsewhere = squad("cms", Wish::All, &["usama"], "**");
    elsewhere.paths[0].0 = Some("openedx/other".parse().unwrap());
    let mut world = world(vec![elsewhere.clone()]);
    fires(&mut world);
    assert!(told(&world, HEARS).is_empty() && wishes(&world).is_empty());
    // Unless the service is built of it too.
    let mut world = self::world(vec![elsewhere]);
    let pin = crate::service::Pin::Newest;
    let upstream = crate::service::Upstream { repository: "openedx/other".parse().unwrap(), pin };
    world.service.upstreams = vec![upstream];
    fires(&mut world);
    assert_eq!(told(&world, HEARS), ["usama"]);
}

#[test]
fn a_large_squad_is_told_in_several_rounds_and_has_heard_after_the_last() {
    let names: Vec<String> = (0..40).map(|n| format!("p{n:02}")).collect();
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = world(vec![squad("all", Wish::All, &members, "**"), squad("beta", Wish::All, &["usama"], "**")]);
    fires(&mut world);
    assert_eq!(told(&world, HEARS).len(), 15);
    assert!(wishes(&world).is_empty(), "{:?}", wishes(&world));
    world.until(at("15:53"));
    assert_eq!(told(&world, HEARS).len(), 41);
    assert_eq!(wishes(&world).last(), Some(&"all hears of it, beta hears of it"));
}

#[test]
fn of_very_many_squads_twenty_are_named() {
    let squads = |count: usize| (0..count).map(|n| squad(&format!("s{n:02}"), Wish::None, &[], "**")).collect();
    let mut twenty = world(squads(20));
    fires(&mut twenty);
    assert!(wishes(&twenty)[0].ends_with(", s19 does not"), "{:?}", wishes(&twenty));
    let mut more = world(squads(23));
    fires(&mut more);
    assert!(wishes(&more)[0].ends_with(", s19 does not, 3 more squads"), "{:?}", wishes(&more));
}

#[test]
fn where_people_decide_themselves_or_it_is_over_no_squad_hears() {
    let mut world = world(vec![squad("lms", Wish::All, &["usama"], "lms/**")]);
    world.service.mode = Mode::Manual;
    fires(&mut world);
    assert!(told(&world, HEARS).is_empty());
    let mut world = self::world(vec![squad("lms", Wish::All, &["usama"], "lms/**")]);
    world.now = at("15:55");
    world.alert(&[Alert { severity: Warning, ..alert("HighErrorRate", at("15:50"), Some(at("15:54"))) }]);
    assert!(told(&world, HEARS).is_empty());
}

#[test]
fn an_incident_has_changed_where_somebody_was_told_or_a_wish_came_to_something_else() {
    let telling = |squads: Vec<Squad>| {
        let mut world = world(squads);
        fires(&mut world);
        let mut incident = world.situation.incidents.values().next().unwrap().value.clone();
        (incident.squads, incident.told) = Default::default();
        let mut changes = Vec::new();
        for _ in 0..4 {
            let before = incident.clone();
            let World { situation, service, settings, now, .. } = &world;
            let mut decisions = crate::Decisions::none(&service.id, crate::decision::Wake::Now);
            let changed = super::tell(&mut decisions, &mut incident, situation, service, settings, *now);
            assert_eq!(changed, incident != before);
            changes.push((changed, decisions.messages.len()));
        }
        changes
    };
    let members: Vec<String> = (0..31).map(|n| format!("m{n}")).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let told = telling(vec![squad("lms", Wish::Mine, &members, "lms/**")]);
    assert_eq!(told, [(true, 15), (true, 15), (true, 1), (false, 0)]);
    let told = telling(vec![squad("cms", Wish::Mine, &["usama"], "cms/**")]);
    assert_eq!(told, [(true, 0), (false, 0), (false, 0), (false, 0)], "it is written down that it does not");
    let told = telling(vec![squad("lms", Wish::Mine, &["usama"], "lms/**")]);
    assert_eq!(told, [(true, 1), (false, 0), (false, 0), (false, 0)]);
}
