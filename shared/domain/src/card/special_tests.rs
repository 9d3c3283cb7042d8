//! Why a service is not as it always is, and until when.

use super::*;
use crate::maintenance::Maintenance;
use crate::paging::Paging;
use crate::testing::{World, at};
use crate::{Ceiling, Record};

#[test]
fn each_is_so_until_its_time_is_over() {
    let (who, now) = (|| "anna".parse::<PersonId>().unwrap(), at("12:00"));
    let pager = |until: Option<&str>| Special::Pager { person: who(), by: who(), until: until.map(at) };
    let paused =
        |until: Option<&str>| Special::Paused { by: who(), since: now, until: until.map(at), why: String::new() };
    let maintenance = |from: &str, until: &str| Special::Maintenance { from: at(from), until: at(until) };
    let frozen = |until: &str| Special::Frozen { name: "peak".into(), until: at(until) };
    let failing = Special::Failing { environment: "production".parse().unwrap(), at: now, times: 1 };
    for (special, want) in [
        (Special::Manual, true),
        (failing, true),
        (pager(None), true),
        (pager(Some("12:01")), true),
        (pager(Some("12:00")), false),
        (paused(None), true),
        (paused(Some("11:59")), false),
        (maintenance("12:00", "12:01"), true),
        (maintenance("12:01", "13:00"), false),
        (maintenance("11:00", "12:00"), false),
        (maintenance("11:00", "11:59"), false),
        (frozen("12:01"), true),
        (frozen("12:00"), false),
        (frozen("11:59"), false),
    ] {
        assert_eq!(special.is_now(now), want, "{special:?}");
    }
}

fn mode_of(configured: Mode, lowered: Option<(Mode, Why)>) -> Option<Special> {
    let mut world = World::new();
    world.change_service(|service| service.mode = configured);
    let lowered = lowered.map(|(to, why)| crate::mode::Lowered { to, at: at("12:00"), why });
    world.situation.note(Record::Ceiling(Ceiling { lowered, ..Ceiling::default() }), 1);
    mode(&world.situation, &world.service)
}

#[test]
fn a_mode_is_told_of_where_it_is_not_the_usual_one() {
    let said = || Why::Said { by: "anna".parse().unwrap(), why: "it cries wolf".into() };
    assert_eq!(mode_of(Mode::Page, None), None);
    assert_eq!(mode_of(Mode::Manual, None), Some(Special::Manual));
    let Some(Special::Mode { mode, why, since, by_itself }) = mode_of(Mode::Page, Some((Mode::Notify, said()))) else {
        panic!("nothing is told");
    };
    assert_eq!((mode, since, by_itself), (Mode::Notify, Some(at("12:00")), false));
    assert!(why.unwrap().contains("it cries wolf"));
    // What does not lower it is no reason.
    for to in [Mode::Page, Mode::Notify] {
        let Some(Special::Mode { why, since, .. }) = mode_of(Mode::Notify, Some((to, said()))) else {
            panic!("{to:?}")
        };
        assert_eq!((why, since), (None, None), "{to:?}");
    }
}

#[test]
fn maintenance_of_another_environment_is_not_told_of() {
    let mut world = World::new();
    let maintenance = |environment: Option<&str>, until: &str| Maintenance {
        environment: environment.map(|name| name.parse().unwrap()),
        from: at("12:00"),
        until: at(until),
        why: String::new(),
        by: "anna".parse().unwrap(),
        ended_at: None,
    };
    let all = [(None, "13:00"), (Some("production"), "13:01"), (Some("stage"), "13:02")];
    let maintenance = all.map(|(environment, until)| maintenance(environment, until)).to_vec();
    world.situation.note(Record::Paging(Paging { maintenance, ..Paging::default() }), 1);
    let until = |special: &Special| if let Special::Maintenance { until, .. } = special { Some(*until) } else { None };
    let told: Vec<_> = of(&world.situation, &world.service, at("12:30")).iter().filter_map(until).collect();
    assert_eq!(told, [at("13:00"), at("13:01")]);
}
