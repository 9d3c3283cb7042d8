//! The nastiest interleavings that we could think of, by hand. Each is checked as every other story is, and shows what
//! became of its pages. A function that decides takes a step each to decide, to commit, to publish and to mark; one that
//! delivers to read, to claim, to send and to finish.

use expect_test::{Expect, expect};

use super::machine::Machine;
use super::story::Event::{
    Acknowledges, Again, Asleep, Fires, Next, NotMine, Over, Page, Step, Stray, TopicDown, Wait,
};
use super::story::Fate::{DiesSent, Hangs, Late};
use super::story::{Event, Fate, Pace};
use super::{happen, play};
use crate::Severity::{Critical, Warning};

/// `15:45:00 anna rotation: delivered 15:45:00`, a line for each page, in the order in which they were decided.
fn pages(machine: &Machine) -> String {
    let mut pages: Vec<_> = machine.watch.pages.iter().collect();
    pages.sort_by_key(|(key, page)| (page.decided_at, *key));
    let time = |at: &jiff::Timestamp| at.strftime("%H:%M:%S").to_string();
    let line = |(key, page): (&crate::MessageKey, &super::checks::Page)| {
        let nth = if key.nth > 0 { format!(" #{}", key.nth) } else { String::new() };
        let delivered: Vec<String> = page.accepted.iter().map(time).collect();
        let delivered =
            if delivered.is_empty() { String::new() } else { format!(" delivered {}", delivered.join(", ")) };
        let withdrawn = page.withdrawn.map(|why| format!(" withdrawn {why}")).unwrap_or_default();
        format!("{} {} {}{nth}:{delivered}{withdrawn}", time(&page.decided_at), key.person, key.step.word())
    };
    pages.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Plays a story in which nothing fires any more at the end, so that nobody is paged while it comes to rest.
fn check(live: usize, events: &[Event], want: Expect) -> Machine {
    let machine = play(live, events);
    assert_eq!(machine.watch.fault, None);
    want.assert_eq(&pages(&machine));
    machine
}

#[test]
fn two_alerts_that_are_decided_at_once_open_one_incident_and_page_once() {
    let both = [Next(Pace::Stops(1)), Fires(0, Critical), Next(Pace::Stops(1)), Fires(1, Critical)];
    let events = [&both[..], &[Step(1), Step(0), Step(0), Wait(60), Over(0), Over(1)]].concat();
    let machine = check(1, &events, expect!["15:45:00 feanil first-responder: delivered 15:45:00"]);
    assert_eq!(machine.situation.incidents.len(), 1);
}

#[test]
fn who_dies_after_the_commit_is_swept_up_after_and_its_sender_says_it_again_in_vain() {
    check(
        0,
        &[Next(Pace::Dies(2)), Fires(0, Critical), Again(0), Wait(130), Over(0)],
        expect!["15:45:00 anna rotation: delivered 15:46:00"],
    );
}

#[test]
fn who_dies_between_publishing_and_marking_has_it_published_twice_and_delivered_once() {
    check(
        0,
        &[Next(Pace::Dies(3)), Fires(0, Critical), Wait(130), Over(0)],
        expect!["15:45:00 anna rotation: delivered 15:45:00"],
    );
}

#[test]
fn a_receiver_that_hangs_costs_a_claim_and_the_page_arrives_all_the_same() {
    check(
        0,
        &[Page(Hangs), Page(Hangs), Fires(0, Critical), Wait(280), Over(0)],
        expect!["15:45:00 anna rotation: delivered 15:47:00"],
    );
}

#[test]
fn a_function_that_dies_when_the_receiver_has_it_is_the_only_one_to_repeat_a_page() {
    check(
        0,
        &[Page(DiesSent), Fires(0, Critical), Wait(130), Over(0)],
        expect!["15:45:00 anna rotation: delivered 15:45:00, 15:46:00"],
    );
}

#[test]
fn two_deliveries_of_one_page_at_once_send_it_once() {
    let stops = Page(Fate::Stops(1));
    let events = [stops, stops, Fires(0, Critical), Stray(0), Step(0), Step(0), Step(0), Step(0), Step(0), Over(0)];
    check(0, &events, expect!["15:45:00 anna rotation: delivered 15:45:00"]);
}

#[test]
fn an_acknowledgement_between_reading_and_sending_comes_too_late_for_this_page_only() {
    let events = [Page(Fate::Stops(1)), Fires(0, Critical), Acknowledges(4), Step(0), Step(0), Step(0), Over(0)];
    check(0, &events, expect!["15:45:00 anna rotation: delivered 15:45:00"]);
}

#[test]
fn a_resolution_overtakes_the_page_in_the_topic_and_nobody_is_woken() {
    check(
        1,
        &[Page(Late), Fires(0, Critical), Wait(20), Over(0), Stray(0), Wait(200)],
        expect!["15:45:00 feanil first-responder: withdrawn resolved_at"],
    );
}

#[test]
fn what_the_topic_delivers_once_more_hours_later_wakes_nobody() {
    check(
        0,
        &[Fires(0, Critical), Wait(30), Over(0), Wait(3600), Stray(0), Stray(1), Stray(2)],
        expect!["15:45:00 anna rotation: delivered 15:45:00"],
    );
}

#[test]
fn the_clock_and_the_topic_are_down_and_everybody_is_reached_when_they_are_back() {
    let down = [Asleep(10), TopicDown(12), Fires(0, Critical)];
    check(
        2,
        &[&down[..], &[Wait(780), Over(0)]].concat(),
        expect![[r#"
        15:45:00 usama first-responder: withdrawn superseded
        15:55:00 anna rotation: delivered 15:57:00
        15:55:00 bert rotation: delivered 15:57:00
        15:55:00 feanil next-responder: delivered 15:57:00
        15:55:00 usama first-responder #1: delivered 15:57:00"#]],
    );
}

#[test]
fn an_acknowledgement_between_the_decision_to_page_the_rotation_and_its_commit_lets_it_sleep() {
    let events = [Fires(0, Critical), Wait(239), Next(Pace::Stops(1)), Wait(1), Acknowledges(0), Wait(120), Over(0)];
    check(1, &events, expect!["15:45:00 feanil first-responder: delivered 15:45:00"]);
}

#[test]
fn what_was_withdrawn_for_an_acknowledgement_is_sent_when_that_is_given_back() {
    let events = [Page(Late), Fires(0, Critical), Acknowledges(4), Stray(0), Stray(1), NotMine(4, None), Wait(30)];
    check(
        0,
        &[&events[..], &[Over(0)]].concat(),
        expect![[r#"
            15:45:00 anna rotation: withdrawn acknowledged_by
            15:45:00 anna rotation #1000: delivered 15:45:00"#]],
    );
}

#[test]
fn an_alert_that_was_told_again_after_its_end_opens_nothing() {
    let events = [Next(Pace::Dies(0)), Fires(0, Critical), Wait(30), Over(0), Again(0), Again(0), Wait(300)];
    let machine = check(0, &events, expect![""]);
    assert!(machine.situation.incidents.is_empty());
}

#[test]
fn a_critical_alert_that_flaps_through_a_dead_clock_pages_each_time_and_a_warning_is_damped() {
    for (severity, want) in [(Critical, 6), (Warning, 3)] {
        let flap = [Fires(0, severity), Wait(61), Over(0), Wait(100)];
        let machine = play(1, &[&[Asleep(30)], &flap.repeat(6)[..]].concat());
        assert_eq!(machine.watch.fault, None);
        let paged = machine.watch.pages.keys().filter(|key| key.person.as_str() == "feanil").count();
        assert_eq!(paged, want, "{severity:?}");
    }
}

#[test]
fn five_races_lost_in_a_row_leave_it_to_the_sender() {
    let mut machine = Machine::new(0);
    let mut monitors = [None; 4];
    for event in [Next(Pace::Stops(1)), Fires(0, Critical)] {
        happen(&mut machine, &mut monitors, event);
    }
    for nth in 0..5 {
        happen(&mut machine, &mut monitors, Fires([1, 2][nth % 2], Critical));
        happen(&mut machine, &mut monitors, Over([1, 2][nth % 2]));
        happen(&mut machine, &mut monitors, Step(0));
        happen(&mut machine, &mut monitors, Step(0));
        happen(&mut machine, &mut monitors, Wait(1));
    }
    assert_eq!((machine.running.len(), machine.unanswered.len()), (0, 1), "503: it will say it again");
    super::rest(&mut machine);
    assert_eq!((machine.watch.fault.clone(), machine.unanswered.len()), (None, 0));
}

#[test]
fn a_merge_that_is_told_again_after_its_window_was_closed_opens_none() {
    use crate::machine_tests::Event::{Live, Merge, Revert};
    let machine = play(2, &[Live(14), Merge(4, 0), Wait(65), Revert(4), Wait(55), Live(1), Again(1)]);
    assert_eq!(machine.watch.fault, None);
}
