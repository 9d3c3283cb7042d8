//! When somebody hears that a pipeline does not answer, and when it is asked again.

use jiff::Timestamp;

use super::*;
use crate::decision::Wake;
use crate::pipelines::{Held, Pipelines};
use crate::reason::Reason;
use crate::suite;
use crate::testing::{World, at};
use crate::window::windows;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const NAME: &str = "gocd:edxapp-production";

fn held() -> Held {
    Held {
        freeze: "gratitude week".to_owned(),
        from: at("12:00"),
        until: at("Mon 10:00"),
        stands: Stands::Wanted,
        seen_at: at("12:00"),
        told_silent: false,
        failed: Some(Unread { since: at("12:00"), last: at("12:02"), why: "503".to_owned() }),
    }
}

/// Who hears of one that is held so, in a transaction that does so much already; what is kept of it; and when it looks again.
fn looked(held: Held, now: Timestamp, known: bool, actions: usize) -> (Vec<String>, Option<Held>, Option<Timestamp>) {
    looked_with(Some("channel"), held, now, known, actions)
}

fn looked_with(
    channel: Option<&str>,
    held: Held,
    now: Timestamp,
    known: bool,
    actions: usize,
) -> (Vec<String>, Option<Held>, Option<Timestamp>) {
    let mut world = World::new();
    world.service.channel = channel.map(|channel| channel.parse().unwrap());
    world.now = now;
    if known {
        world.settings.pipelines.insert("gocd".to_owned());
    }
    let pipelines = Pipelines { held: [(NAME.to_owned(), held)].into(), ..Pipelines::default() };
    world.situation.note(Record::Pipelines(pipelines), 2);
    let World { situation, service, settings, now, .. } = &world;
    let all = windows(situation, service, &settings.roster, *now);
    let failures = suite::failures(situation, service, *now);
    let at = Look { situation, service, settings, all: &all, failures: &failures, now: *now, owner_told: false };
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    while decisions.actions() < actions {
        decisions.log(*now, None, None, "something else".to_owned(), Reason::WindowClosed);
    }
    let mut next = Next::default();
    look(&mut decisions, &mut next, &at);
    let kept = decisions.writes.iter().find_map(|write| {
        let crate::Write::Put { record, .. } = write else { return None };
        let Record::Pipelines(pipelines) = &**record else { return None };
        pipelines.held.get(NAME).cloned()
    });
    (decisions.messages.iter().map(|message| message.key.person.to_string()).collect(), kept, next.0)
}

#[test]
fn that_a_pipeline_does_not_answer_is_told_after_five_minutes_once() {
    let told = |held: Held, now| {
        let (people, kept, _) = looked(held, now, true, 1);
        assert_eq!(kept.is_some_and(|kept| kept.told_silent), !people.is_empty());
        people.join(" ")
    };
    let five = at("12:05");
    assert_eq!(told(held(), five - SECOND), "");
    let heard = told(held(), five);
    assert!(heard.ends_with("channel") && heard.contains(' '), "{heard}");
    assert_eq!(told(held(), at("13:00")), heard);
    assert_eq!(told(Held { told_silent: true, ..held() }, five), "");
    assert_eq!(told(Held { stands: Stands::Opened, ..held() }, five), "");
    assert_eq!(told(Held { failed: None, ..held() }, five), "");
    // Just before, it is looked at when that is so, or when it is asked again.
    let next = looked(held(), five - SECOND, true, 1).2.unwrap();
    assert!(next == five || next < five + SignedDuration::from_mins(1), "{next}");
}

#[test]
fn of_one_that_the_configuration_has_no_more_people_hear_at_once_why_it_does_not_hold() {
    let (people, kept, next) = looked(Held { failed: None, ..held() }, at("12:30"), false, 1);
    assert_eq!(people.last().map(String::as_str), Some("channel"));
    let failed = kept.unwrap().failed.unwrap();
    assert_eq!((failed.since, failed.last), (at("12:25"), at("12:30")));
    assert_eq!(failed.why, "it is not in the configuration any more");
    assert_ne!(next, Some(at("12:30")));
    // Why it did not answer before stays the reason.
    let failed = looked(held(), at("12:30"), false, 1).1.unwrap().failed.unwrap();
    assert_eq!((failed.since, failed.why.as_str()), (at("12:00"), "503"));
    // One that is in the configuration has not failed.
    assert_eq!(looked(Held { failed: None, ..held() }, at("12:30"), true, 1).1, None);
}

#[test]
fn all_hear_it_in_one_transaction_or_by_the_next_look() {
    for channel in [None, Some("channel")] {
        let (people, ..) = looked_with(channel, held(), at("12:05"), true, 1);
        // Room for each, and two more.
        let most = crate::decision::MOST_ACTIONS - 2 * (people.len() + 2);
        for (actions, heard) in [(most - 1, true), (most, true), (most + 1, false), (most + 2, false), (90, false)] {
            let (told, kept, next) = looked_with(channel, held(), at("12:05"), true, actions);
            assert_eq!((!told.is_empty(), kept.is_some()), (heard, heard), "{actions}");
            assert_eq!(next == Some(at("12:05")), !heard, "{actions}");
        }
    }
}

#[test]
fn what_is_due_now_is_asked_for_after_this_look_and_again_in_a_minute() {
    let next = looked(Held { failed: None, ..held() }, at("12:30"), true, 1).2;
    assert_eq!(next, Some(at("12:31")));
}
