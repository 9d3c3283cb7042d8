//! The weekly digest: when it is due, what is in it, how its channel reads it.

use expect_test::expect;
use jiff::civil::{Time, Weekday};

use super::*;
use crate::Person;
use crate::measures::Period;
use crate::testing::{World, alert, at, person};

fn weekly() -> Weekly {
    Weekly { day: Weekday::Monday, at: Time::constant(9, 0, 0, 0) }
}

/// A service with a channel that reads a digest each Monday, and a failure on Friday that is over.
fn world() -> World {
    let mut world = World::new();
    world.change_roster(|people| people.push(Person { logins: vec![], ..person("channel", "channel", "UTC") }));
    world.change_service(|service| {
        service.channel = Some("channel".parse().unwrap());
        service.digest = Some(weekly());
    });
    world.until(at("15:02")).alert(&[alert("HighErrorRate", at("15:00"), None)]);
    world.settle();
    world.until(at("15:04")).acknowledge("anna").unwrap();
    world.until(at("15:30")).alert(&[alert("HighErrorRate", at("15:00"), Some(at("15:30")))]);
    world.settle();
    world
}

/// What was counted before: four weeks of slower recovery, and ten judged incidents.
fn loaded() -> Loaded {
    let mut slow = Tally { deployments: 8, judged: 10, first: 5, three: 7, five: 8, ..Tally::default() };
    slow.resolve.learn(7200);
    let mut known = Timeline::default();
    known.note(Period::Day("2026-03-02".parse().unwrap()), slow);
    let stalled = [("production".parse().unwrap(), 2)].into();
    known.note(
        Period::Day("2026-03-18".parse().unwrap()),
        Tally { deployments: 4, failed: 1, stalled, ..Tally::default() },
    );
    Loaded { known, past: vec![], unmapped: vec![] }
}

fn told(world: &World, now: Timestamp) -> Decisions {
    decide(&world.situation, &world.service, &world.settings, &loaded(), now)
}

#[test]
fn it_is_due_on_the_wall_of_its_zone_once_a_week() {
    let zone = TimeZone::get("Europe/Stockholm").unwrap();
    let around = |now: &str| {
        let (last, next) = weekly().around(&zone, now.parse().unwrap()).unwrap();
        (last.to_string(), next.to_string())
    };
    // The clocks change on 29 March.
    let (last, next) = ("2026-03-23T08:00:00Z".to_owned(), "2026-03-30T07:00:00Z".to_owned());
    assert_eq!(around("2026-03-23T08:00:00Z"), (last.clone(), next.clone()));
    assert_eq!(around("2026-03-30T06:59:59Z"), (last, next.clone()));
    assert_eq!(around("2026-03-30T07:00:00Z"), (next, "2026-04-06T07:00:00Z".to_owned()));
}

#[test]
fn it_is_told_once_and_not_long_after() {
    let mut world = world();
    let queue = |world: &World, now| due(&world.service, &world.situation.queue.value, now);
    assert_eq!(queue(&world, at("Mon 08:59")), (None, Some(at("Mon 09:00"))));
    assert_eq!(queue(&world, at("Mon 09:00")).0, Some(at("Mon 09:00")));
    assert_eq!(queue(&world, at("Tue 09:00")).0, None, "a day late");
    world.until(at("Mon 09:01"));
    let decisions = told(&world, at("Mon 09:01"));
    assert_eq!(decisions.messages.len(), 1);
    world.commit(&decisions);
    assert_eq!(told(&world, at("Mon 09:02")).messages.len() + told(&world, at("Mon 09:02")).writes.len(), 0);
    // Whoever does not see it was told decides the same message.
    assert_eq!(decisions.messages[0].key.nth, told(&super::tests::world(), at("Mon 10:00")).messages[0].key.nth);
    world.change_service(|service| service.channel = None);
    assert_eq!(queue(&world, at("Tue 08:00")), (None, None));
}

#[test]
fn a_channel_reads_what_improved_who_carried_it_and_what_is_proposed() {
    let mut world = world();
    world.change_service(|service| service.mode = Mode::Shadow);
    let mut loaded = loaded();
    let mut lost = world.situation.incidents.values().next().unwrap().value.clone();
    lost.alerts.values_mut().for_each(|alert| alert.name = "DiskFull".into());
    loaded.unmapped.push(lost);
    world.now = at("Mon 09:00");
    let decisions = decide(&world.situation, &world.service, &world.settings, &loaded, at("Mon 09:00"));
    expect![[r#"
        edxapp from 2026-03-16 to 2026-03-22
        4 deployments live, 1 of them put right. 1 incident, 1 page.
        Better than in the four weeks before: time to resolve 30 min (was 2 h); deployments per week 4 (was 2).
        Not as good: change fail rate 25 % (1 of 4) (was 0 % (0 of 8)).
        Who carried it: Anna. Thank you.
        What held changes up: deployments that failed or were aborted: production 2.
        Alerts that belong to no service: DiskFull. Say in `alerts` whose they are, or label them.
        Proposed: `mode = "notify"` instead of "shadow". In five weeks the change that it was stood among the first three suspects in 7 of 10 judged incidents, and nobody had a wrong page.
        Measures: https://deployers.example.com/measures?service=edxapp"#]].assert_eq(&decisions.messages[0].plain());
}

#[test]
fn a_week_of_nothing_is_not_told_of() {
    let mut world = World::new();
    world.change_service(|service| {
        service.channel = Some("anna".parse().unwrap());
        service.digest = Some(weekly());
    });
    let decisions = decide(&world.situation, &world.service, &world.settings, &Loaded::default(), at("Mon 09:00"));
    assert!(decisions.messages.is_empty() && decisions.writes.len() == 1, "{decisions:?}");
}

#[test]
fn a_week_is_the_seven_days_before_and_is_compared_with_the_four_weeks_before_it() {
    let day = |text: &str| text.parse::<Date>().unwrap();
    let ((first, last), (from, until)) = days(at("Mon 09:00"));
    assert_eq!((first, last), (day("2026-03-16"), day("2026-03-22")));
    assert_eq!((from, until), (day("2026-02-16"), day("2026-03-15")));
}

#[test]
fn each_week_s_message_has_a_key_of_its_own() {
    let world = world();
    let nth = |now| told(&world, now).messages[0].key.nth;
    // Weeks since 1970.
    assert_eq!(nth(at("Mon 09:00")), 2933);
    assert_eq!(nth(at("Mon 09:00") + SignedDuration::from_hours(7 * 24)), 2934);
}

#[test]
fn one_thing_to_tell_is_enough_for_a_digest() {
    let nothing = Digest {
        first: "2026-03-16".parse().unwrap(),
        last: "2026-03-22".parse().unwrap(),
        week: Tally::default(),
        moved: vec![],
        load: vec![],
        unmapped: vec![],
        pauses: 0,
        proposals: vec![],
    };
    assert!(nothing.is_empty());
    let threshold = Proposal::Threshold { from: 20, to: 30, wrong: 3, people: 1 };
    for one in [
        Digest { week: Tally { deployments: 1, ..Tally::default() }, ..nothing.clone() },
        Digest { load: vec!["Anna".to_owned()], ..nothing.clone() },
        Digest { unmapped: vec!["DiskFull".to_owned()], ..nothing.clone() },
        Digest { pauses: 1, ..nothing.clone() },
        Digest { proposals: vec![threshold], ..nothing.clone() },
    ] {
        assert!(!one.is_empty(), "{one:?}");
    }
}

#[test]
fn a_figure_has_moved_if_it_differs_by_a_tenth_at_least() {
    let deployments = |now: u32, before: u32| {
        let tally = |deployments| Tally { deployments, ..Tally::default() };
        let measure = Measure::called("deployments_per_week").unwrap();
        moved(measure, &tally(now), &tally(before)).map(|moved| moved.better)
    };
    // Twenty a week before.
    assert_eq!(
        [17, 18, 19, 20, 21, 22, 23].map(|now| deployments(now, 80)),
        [Some(false), Some(false), None, None, None, Some(true), Some(true)]
    );
    assert_eq!((deployments(0, 0), deployments(1, 0), deployments(0, 4)), (None, Some(true), Some(false)));
}

/// What these figures of five weeks speak for, of a service in this mode that pages the first suspect from so many percent on.
fn proposed(mode: Mode, from: u16, evidence: &Tally) -> Vec<Proposal> {
    let mut world = World::new();
    world.change_service(|service| {
        service.mode = mode;
        service.policy.first_suspect_from = from;
    });
    proposals(&world.situation, &world.service, evidence)
}

#[test]
fn a_mode_more_is_proposed_where_six_of_ten_judged_incidents_speak_for_it_and_few_pages_were_wrong() {
    let up = |mode, judged, three, wrong: &[u32]| {
        let people = wrong.iter().enumerate().map(|(i, wrong)| (i.to_string(), *wrong)).collect();
        let found = proposed(mode, 100, &Tally { judged, three, people, ..Tally::default() });
        assert!(found.len() <= 1, "{found:?}");
        found.first().copied()
    };
    let (from, to, judged) = (Mode::Shadow, Mode::Notify, 10);
    let wanted = |hits, most_wrong| Some(Proposal::Up { from, to, hits, judged, most_wrong });
    assert_eq!(up(from, 10, 6, &[]), wanted(6, 0));
    assert_eq!(up(from, 10, 5, &[]), None, "fewer than six of ten");
    assert_eq!(up(from, 9, 9, &[]), None, "too few are judged");
    assert_eq!(up(from, 10, 10, &[0, 1, 1]), wanted(10, 1));
    assert_eq!(up(from, 10, 10, &[0, 2]), None, "somebody was paged in vain twice");
    // What acts by itself is nobody's proposal.
    let below = up(Mode::Page, 10, 10, &[]);
    assert!(matches!(below, Some(Proposal::Up { from: Mode::Page, to: Mode::Propose, .. })), "{below:?}");
    assert_eq!(up(Mode::Propose, 10, 10, &[]), None);
}

#[test]
fn fewer_pages_are_proposed_where_more_are_wrong_than_people_were_paged() {
    let threshold = |from, wrong: &[u32]| {
        let people = wrong.iter().enumerate().map(|(i, wrong)| (i.to_string(), *wrong)).collect();
        proposed(Mode::Page, from, &Tally { people, ..Tally::default() })
    };
    let wanted = |from, to, wrong, people| vec![Proposal::Threshold { from, to, wrong, people }];
    assert_eq!(threshold(20, &[2, 1]), wanted(20, 30, 3, 2));
    assert_eq!(threshold(20, &[2]), [], "two are few");
    assert_eq!(threshold(20, &[3, 0, 0]), [], "no more than people");
    assert_eq!(threshold(20, &[4, 0, 0]), wanted(20, 30, 4, 3));
    assert_eq!(threshold(40, &[3]), wanted(40, 50, 3, 1));
    assert_eq!(threshold(41, &[3]), [], "it is high enough");
}

#[test]
fn what_held_changes_up_is_told_from_a_day_and_a_pause_on() {
    let world = world();
    let told = |oldest: u64, pauses: usize| {
        let mut week = Tally { deployments: 1, ..Tally::default() };
        week.ages.learn(oldest);
        let (first, last) = ("2026-03-16".parse().unwrap(), "2026-03-22".parse().unwrap());
        let (moved, load, unmapped, proposals) = (vec![], vec![], vec![], vec![]);
        let digest = Digest { first, last, week, moved, load, unmapped, pauses, proposals };
        let person = &world.service.owners[0];
        let reader = Reader { settings: &world.settings, service: &world.service, person, now: at("Mon 09:00") };
        digests::weekly(reader, &digest).lines.into_iter().find(|line| line.starts_with("What held"))
    };
    assert_eq!(told(86_399, 0), None);
    assert_eq!(told(86_400, 0).as_deref(), Some("What held changes up: changes waited up to 1 d."));
    assert_eq!(told(0, 1).as_deref(), Some("What held changes up: the pipeline was paused 1 time."));
    let both = "What held changes up: the pipeline was paused 2 times; changes waited up to 2 d.";
    assert_eq!(told(2 * 86_400, 2).as_deref(), Some(both));
}
