//! In which releases a queue goes out after a freeze, and when.

use jiff::tz::TimeZone;

use super::*;
use crate::calendar::{Timetable, WorkingHours};
use crate::posted::Posted;
use crate::testing::{World, at, change, repository};
use crate::window::windows;

fn office(zone: &str) -> Timetable {
    let zone = TimeZone::get(zone).unwrap();
    let day = Some((jiff::civil::time(9, 0, 0, 0), jiff::civil::time(17, 0, 0, 0)));
    let hours = WorkingHours { zone: zone.clone(), week: [day, day, day, day, day, None, None] };
    Timetable { zone, hours: Some(hours), calendars: vec![] }
}

fn forecast_of(world: &World, when: &str) -> Vec<String> {
    let all = windows(&world.situation, &world.service, &world.settings.roster, world.now);
    let forecast = forecast(&all, &world.service, &world.settings.roster, at(when), world.now);
    let line = |release: &Release| {
        let away: Vec<&str> = release.away.iter().map(|id| id.as_str()).collect();
        let time = release.at.strftime("%a %H:%M");
        format!("{time} {}..{} without {away:?}", release.labels[0], release.labels[release.labels.len() - 1])
    };
    forecast.releases.iter().map(line).collect()
}

#[test]
fn twelve_changes_go_out_in_two_releases_an_hour_apart() {
    let mut world = World::new();
    for number in 1..=12 {
        world.now = at("12:00") + SignedDuration::from_mins(i64::try_from(number).unwrap());
        world.merge(change(number, if number % 2 == 0 { "feanil" } else { "usama" }, world.now));
    }
    let want =
        ["Mon 09:00 edx-platform#1..edx-platform#8 without []", "Mon 10:00 edx-platform#9..edx-platform#12 without []"];
    assert_eq!(forecast_of(&world, "Mon 09:00"), want);
    // A fix that may pass is none of it.
    let granted = crate::expedite::Granted {
        repository: repository(),
        number: 3,
        by: "usama".parse().unwrap(),
        at: at("13:00"),
        until: at("Sat 13:00"),
        head: None,
        reason: "x".to_owned(),
        signed: vec![],
    };
    world.situation.posted.value = Posted { expedites: vec![granted], ..Posted::default() };
    let want = [
        "Mon 09:00 edx-platform#1..edx-platform#9 without []",
        "Mon 10:00 edx-platform#10..edx-platform#12 without []",
    ];
    assert_eq!(forecast_of(&world, "Mon 09:00"), want);
}

#[test]
fn each_release_waits_for_a_moment_at_which_its_people_are_at_work() {
    let mut world = World::new();
    world.change_roster(|people| {
        for person in people {
            person.timetable = office(person.zone.iana_name().unwrap());
        }
    });
    // Karachi works 04:00 to 12:00 UTC, New York from 13:00 UTC (in March): never at one time.
    world.merge(change(1, "usama", at("11:00"))).merge(change(2, "feanil", at("11:30")));
    assert_eq!(forecast_of(&world, "Mon 09:00"), ["Mon 09:00 edx-platform#1..edx-platform#2 without [\"feanil\"]"]);
    // Whose day is our night is not woken for it: their change goes out when they are awake.
    let mut world = World::new();
    world.change_roster(|people| {
        for person in people {
            person.timetable = office(person.zone.iana_name().unwrap());
        }
    });
    world.merge(change(1, "usama", at("11:00")));
    assert_eq!(forecast_of(&world, "Mon 20:00"), ["Tue 04:00 edx-platform#1..edx-platform#1 without []"]);
}

#[test]
fn a_thaw_on_a_saturday_is_proposed_for_monday_and_the_next_freeze_is_jumped_over() {
    let mut world = World::new();
    world.change_roster(|people| {
        for person in people {
            person.timetable = office("UTC");
        }
    });
    world.merge(change(1, "usama", at("11:00")));
    assert_eq!(forecast_of(&world, "Sat 00:00"), ["Mon 09:00 edx-platform#1..edx-platform#1 without []"]);
    world.service.frozen = vec![std::sync::Arc::new(vec![crate::freeze::Time {
        from: at("Mon 08:00"),
        until: at("Mon 12:00"),
        name: "sale".to_owned(),
    }])];
    assert_eq!(forecast_of(&world, "Sat 00:00"), ["Mon 12:00 edx-platform#1..edx-platform#1 without []"]);
}

#[test]
fn in_which_release_somebodys_first_change_goes_out_is_known() {
    let mut world = World::new();
    world.change_service(|service| service.policy.release_at_most = 2);
    for (number, who) in [(1, "feanil"), (2, "feanil"), (3, "usama"), (4, "feanil"), (5, "anna")] {
        world.now = at("12:00") + SignedDuration::from_mins(i64::try_from(number).unwrap());
        world.merge(change(number, who, world.now));
    }
    let all = windows(&world.situation, &world.service, &world.settings.roster, world.now);
    let forecast = forecast(&all, &world.service, &world.settings.roster, at("Mon 09:00"), world.now);
    let first = |who: &str| forecast.first_of(&who.parse().unwrap());
    assert_eq!((first("feanil"), first("usama"), first("anna"), first("olga")), (Some(0), Some(1), Some(2), None));
    assert_eq!((forecast.changes(), forecast.people, forecast.releases.len()), (5, 3, 3));
}

#[test]
fn a_moment_is_looked_for_as_far_as_six_days_ahead() {
    let mut world = World::new();
    world.change_roster(|people| {
        let usama = people.iter_mut().find(|person| person.id.as_str() == "usama").unwrap();
        usama.timetable = office("UTC");
        let hours = usama.timetable.hours.as_mut().unwrap();
        // On Sundays only.
        hours.week = [None, None, None, None, None, None, hours.week[0]];
    });
    world.merge(change(1, "usama", at("11:00")));
    assert_eq!(forecast_of(&world, "Mon 09:00"), ["Sun 09:00 edx-platform#1..edx-platform#1 without []"]);
    assert_eq!(forecast_of(&world, "Mon 08:45"), ["Mon 08:45 edx-platform#1..edx-platform#1 without [\"usama\"]"]);
}
