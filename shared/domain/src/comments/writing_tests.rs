//! What has to be written at a forge, when, how much of it at a time, and what is kept of that.

use std::collections::BTreeMap;

use super::super::line::{End, Line, Standing, Suspected};
use super::super::{AsOf, Said};
use super::*;
use crate::ids::ServiceId;
use crate::testing::{at, repository, settings};

fn standby() -> Standing {
    Standing::Standby { again: false, ahead: 0, held: None }
}

/// Its turn is over since 13:00, and it is no suspect any more from 14:00 on.
fn ended() -> Standing {
    Standing::Ended { since: at("12:00"), at: at("13:00"), until: at("14:00") }
}

fn line(standing: Standing) -> Line {
    let responder = "feanil".parse().unwrap();
    Line { responder, instead: None, standing, reverted_by: None, incidents: BTreeMap::new() }
}

/// The same with an incident that names it.
fn suspected(standing: Standing) -> Line {
    let incident = Suspected { what: "Down".into(), began_at: at("12:30"), over_at: Some(at("12:40")), it_was: None };
    Line { incidents: [("edxapp-qaqn6jef".parse().unwrap(), incident)].into(), ..line(standing) }
}

/// Of which edxapp says this since 12:00, and last at 12:10.
fn comment(line: Line) -> Comment {
    let mut comment = Comment::new(at("12:00"));
    comment.last = at("12:10");
    says(&mut comment, line);
    comment
}

fn says(comment: &mut Comment, line: Line) {
    comment.lines.insert("edxapp".parse().unwrap(), Said { as_of: AsOf(1, at("12:10")), line: Some(line) });
}

/// The same, and this stands at the forge since then.
fn standing(comment: Comment, since: Timestamp) -> Comment {
    let digests = comment.digests(&words(&comment, &wants()));
    Comment { stands: Some(Stands { id: 7, words: digests, at: since }), ..comment }
}

fn wants() -> Settings {
    settings().with_comments(|_| true)
}

fn desk(comments: impl IntoIterator<Item = (u64, Comment)>) -> Situation {
    let mut desk = Situation::empty(ServiceId::merges_into(&repository()));
    comments.into_iter().for_each(|(number, comment)| desk.note(Record::Comment(number, comment), 1));
    desk
}

fn silent(mut desk: Situation, since: &str) -> Situation {
    desk.pulls.value.silent = Some(Unread { since: at(since), last: at(since), why: "no answer".into() });
    desk
}

fn secs(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// What is due: what has to be done, whether that matters, and when.
fn due(comment: &Comment) -> Option<(Do, bool, Timestamp)> {
    comment.due(&wants()).map(|(ask, matters, at)| (ask.what, matters, at))
}

#[test]
fn a_first_comment_is_left_where_somebody_still_answers_or_an_incident_names_the_change() {
    let first = Some((Do::Leave, true, at("12:00") + secs(45)));
    assert_eq!(due(&comment(line(standby()))), first);
    assert_eq!(due(&comment(suspected(ended()))), first);
    assert_eq!(due(&comment(line(ended()))), None, "it is over, and nothing was wrong");
    assert_eq!(due(&Comment::new(at("12:00"))), None, "nobody says anything");
    let given_up = Comment { given_up: Some(GivenUp::Locked), ..comment(line(standby())) };
    assert_eq!(due(&given_up), None);
}

#[test]
fn what_stands_is_edited_at_once_for_what_matters_and_calmly_for_what_does_not() {
    let mut known = standing(comment(line(standby())), at("12:05"));
    assert_eq!(due(&known), None, "it says so already");
    says(&mut known, line(Standing::Standby { again: false, ahead: 3, held: None }));
    assert_eq!(due(&known), Some((Do::Edit { id: 7 }, false, at("12:07"))), "two minutes after it was last written");
    for matters in [
        line(Standing::Standby { again: true, ahead: 0, held: None }),
        line(Standing::Active { since: at("12:09"), until: at("13:09"), end: End::Known }),
        line(ended()),
        line(Standing::Reverted { since: None, at: at("12:10") }),
        suspected(standby()),
        Line { reverted_by: Some("edx-platform#13".into()), ..line(standby()) },
        Line { responder: "usama".parse().unwrap(), ..line(standby()) },
    ] {
        says(&mut known, matters.clone());
        assert_eq!(due(&known), Some((Do::Edit { id: 7 }, true, at("12:10"))), "{matters:?}");
    }
}

#[test]
fn who_is_at_it_and_what_was_refused_put_it_off() {
    let fresh = comment(line(standby()));
    let begun = Begun { first: at("12:01"), last: at("12:03") };
    let at_it = Comment { begun: Some(begun), ..fresh.clone() };
    assert_eq!(due(&at_it), Some((Do::FindOrLeave { since: at("12:01") }, true, at("12:04") + secs(30))));
    let refused = Comment { refused: Some(Refused { times: 1, last: at("12:03") }), ..fresh };
    assert_eq!(due(&refused), Some((Do::Leave, true, at("13:03"))));
    let both = Comment { refused: refused.refused, ..at_it };
    assert_eq!(due(&both), Some((Do::FindOrLeave { since: at("12:01") }, true, at("13:03"))));
}

#[test]
fn one_is_kept_for_a_day_after_all_of_it_is_over_and_for_ninety_where_something_is_still_to_be_written() {
    let day = |from: &str| at(from) + SignedDuration::from_hours(24);
    let long = at("12:10") + SignedDuration::from_hours(24 * 90);
    assert_eq!(comment(line(ended())).over_at(), day("14:00"), "nothing is written of it");
    assert_eq!(comment(suspected(ended())).over_at(), long, "that is to be written");
    assert_eq!(standing(comment(suspected(ended())), at("12:05")).over_at(), day("14:00"));
    let given_up = Comment { given_up: Some(GivenUp::Deleted), ..comment(suspected(ended())) };
    assert_eq!(given_up.over_at(), day("14:00"));
    assert_eq!(standing(comment(line(standby())), at("12:05")).over_at(), long, "it may still go live");
    let reverted = Standing::Reverted { since: None, at: at("12:02") };
    assert_eq!(comment(line(reverted)).over_at(), day("12:10"), "when something was last said of it");
}

#[test]
fn so_many_are_written_in_a_minute_and_in_an_hour() {
    // So many, that many seconds ago, by what is kept of each.
    let room_of = |parts: &[(u64, i64)]| {
        let now = at("15:00");
        let mut all = Vec::new();
        for (n, ago) in parts {
            for _ in 0..*n {
                let then = now - secs(*ago);
                let fresh = comment(line(standby()));
                all.push(match all.len() % 3 {
                    0 => standing(fresh, then),
                    1 => Comment { begun: Some(Begun { first: at("12:00"), last: then }), ..fresh },
                    _ => Comment { refused: Some(Refused { times: 1, last: then }), ..fresh },
                });
            }
        }
        room(&desk((1..).zip(all)), now)
    };
    assert_eq!(room_of(&[]), 10, "at once");
    assert_eq!((room_of(&[(10, 59)]), room_of(&[(11, 59)]), room_of(&[(20, 59)]), room_of(&[(21, 0)])), (10, 9, 0, 0));
    assert_eq!(room_of(&[(20, 60)]), 10, "a minute ago");
    assert_eq!((room_of(&[(390, 3599)]), room_of(&[(395, 3599)]), room_of(&[(400, 3599)])), (10, 5, 0));
    assert_eq!(room_of(&[(400, 3600)]), 10, "an hour ago");
    assert_eq!(room_of(&[(393, 600), (15, 30)]), 0);
    assert_eq!(room_of(&[(380, 600), (16, 30)]), 4);
}

fn asked(desk: &Situation, settings: &Settings, now: Timestamp) -> Vec<u64> {
    begin(desk, settings, now).1.iter().map(|ask| ask.number).collect()
}

#[test]
fn what_matters_is_written_first_and_of_equals_what_was_due_first() {
    let fresh = |since: &str| Comment { since: at(since), ..comment(line(standby())) };
    let mut calm = standing(comment(line(standby())), at("12:00"));
    says(&mut calm, line(Standing::Standby { again: false, ahead: 3, held: None }));
    let desk = desk([(1, calm), (2, fresh("12:20")), (3, fresh("12:10")), (4, fresh("12:10")), (5, fresh("12:30"))]);
    assert_eq!(asked(&desk, &wants(), at("12:30")), [3, 4, 2, 1]);
    assert_eq!(asked(&desk, &wants(), at("12:30") + secs(44)), [3, 4, 2, 1]);
    assert_eq!(asked(&desk, &wants(), at("12:30") + secs(45)), [3, 4, 2, 5, 1]);
    let (decisions, asks) = begin(&desk, &wants(), at("12:30"));
    let mut then = desk.clone();
    then.apply(&decisions, at("12:30"));
    let begun = Some(Begun { first: at("12:30"), last: at("12:30") });
    assert_eq!((then.comments[&2].value.begun, then.comments[&5].value.begun), (begun, None));
    assert_eq!(asks[3].what, Do::Edit { id: 7 });
}

#[test]
fn a_forge_that_takes_nothing_is_asked_again_after_a_minute_and_one_that_wants_none_never() {
    let desk = desk([(11, comment(line(standby())))]);
    let off = settings().with_comments(|_| false);
    assert_eq!(asked(&desk, &wants(), at("12:30")), [11]);
    assert_eq!(asked(&desk, &off, at("12:30")), [0; 0]);
    let silent = silent(desk, "12:30");
    assert_eq!(asked(&silent, &wants(), at("12:31") - secs(1)), [0; 0]);
    assert_eq!(asked(&silent, &wants(), at("12:31")), [11]);
    assert_eq!(asked(&silent, &wants(), at("12:32")), [11]);
    assert_eq!(asked(&silent, &off, at("12:32")), [0; 0]);
}

#[test]
fn it_is_looked_at_when_something_is_due_or_over_and_not_before_there_is_room() {
    let fresh = comment(line(standby()));
    let due_then = |desk: &Situation, now: &str| due_at(desk, &wants(), at(now));
    let one = desk([(11, fresh.clone())]);
    let written = Some(at("12:00") + secs(45));
    assert_eq!((due_then(&one, "12:00"), due_then(&one, "12:30")), (written, written));
    let off = due_at(&one, &settings().with_comments(|_| false), at("12:00"));
    assert_eq!(off, Some(fresh.over_at()), "it is only forgotten");
    let silent = silent(one, "12:30");
    assert_eq!(due_then(&silent, "12:30"), Some(at("12:31")));
    assert_eq!(due_then(&silent, "12:31"), written, "it is tried again now");
    // Twenty were written just now.
    let just_now = (1..=20).map(|n| (n, standing(fresh.clone(), at("12:29"))));
    let full = desk(just_now.chain([(21, fresh.clone())]));
    assert_eq!(due_then(&full, "12:29"), Some(at("12:30")));
    assert_eq!(due_then(&full, "12:30"), written);
    // What is over.
    assert_eq!(due_then(&desk([(11, comment(line(ended())))]), "12:30"), Some(at("Sat 14:00")));
    assert_eq!(due_then(&desk([]), "12:30"), None);
}

#[test]
fn what_is_over_is_forgotten_at_that_moment_as_far_as_a_transaction_goes() {
    let one = desk([(11, comment(line(ended())))]);
    let tidied = |desk: &Situation, now: Timestamp| {
        let mut decisions = Decisions::none(&desk.service, Wake::Now);
        tidy(&mut decisions, desk, now);
        let mut then = desk.clone();
        then.apply(&decisions, now);
        (decisions.actions(), then.comments.len())
    };
    assert_eq!(tidied(&one, at("Sat 14:00") - secs(1)).1, 1);
    assert_eq!(tidied(&one, at("Sat 14:00")).1, 0);
    let many = desk((1..=100).map(|number| (number, comment(line(ended())))));
    let (actions, left) = tidied(&many, at("Sun 14:00"));
    assert!(actions == MOST_ACTIONS && (10..15).contains(&left), "{actions} actions, {left} left");
}

/// What is kept once this was answered, and what the log says of it.
fn heard(comment: &Comment, what: Do, ours: bool, answer: &Answer) -> (Comment, Vec<&'static str>) {
    let begun = Begun { first: at("12:01"), last: at("12:03") };
    let mut desk = desk([(11, Comment { begun: Some(begun), ..comment.clone() })]);
    let text = words(comment, &wants());
    let digests = comment.digests(&text);
    let begun = if ours { begun } else { Begun { last: at("12:02"), ..begun } };
    let ask = Ask { number: 11, what, text, words: digests, begun };
    let decisions = hear(&[(ask, answer.clone())], &desk, at("12:04"));
    desk.apply(&decisions, at("12:04"));
    (desk.comments[&11].value.clone(), decisions.entries.iter().map(|entry| entry.reason.name()).collect())
}

#[test]
fn who_says_nothing_may_have_written_a_first_one_and_has_not_edited_another() {
    let fresh = comment(line(standby()));
    let nothing = Answer::Nothing("no answer".into());
    let find = Do::FindOrLeave { since: at("12:01") };
    for (what, ours, answer, still_begun) in [
        (Do::Leave, true, &nothing, true),
        (find, true, &nothing, true),
        (Do::Edit { id: 7 }, true, &nothing, false),
        (Do::Edit { id: 7 }, false, &nothing, true),
        // Nothing was asked, so nothing was left; unless one may have been before.
        (Do::Leave, true, &Answer::NotAsked, false),
        (Do::Leave, false, &Answer::NotAsked, true),
        (find, true, &Answer::NotAsked, true),
        (find, false, &Answer::NotAsked, true),
        (Do::Leave, true, &Answer::Stands(7), false),
        (Do::Leave, false, &Answer::Stands(7), true),
        (Do::Leave, true, &Answer::Refused("422".into()), false),
        (Do::Leave, false, &Answer::Refused("422".into()), true),
        (find, true, &Answer::Refused("422".into()), true),
    ] {
        let (kept, _) = heard(&fresh, what, ours, answer);
        assert_eq!(kept.begun.is_some(), still_begun, "{what:?}, ours {ours}: {answer:?}");
    }
}

#[test]
fn a_refusal_is_logged_the_first_time_and_when_it_is_given_up() {
    let refusal = Answer::Refused("422".into());
    let mut known = comment(line(standby()));
    let mut all = Vec::new();
    for _ in 0..3 {
        let (kept, reasons) = heard(&known, Do::Leave, true, &refusal);
        all.push((kept.refused.map(|refused| refused.times), reasons, kept.given_up));
        known = kept;
    }
    assert_eq!(all[0], (Some(1), vec!["comment_untold"], None));
    assert_eq!(all[1], (Some(2), vec![], None));
    assert_eq!(all[2], (Some(3), vec!["comment_given_up"], Some(GivenUp::Refused)));
    // What stands in the end forgets that it was refused.
    let (kept, reasons) = heard(&Comment { given_up: None, ..known }, Do::Leave, true, &Answer::Stands(7));
    assert_eq!((kept.refused, reasons.len()), (None, 0));
    assert_eq!(kept.stands.map(|stands| (stands.id, stands.at)), Some((7, at("12:04"))));
}

#[test]
fn twelve_services_have_a_line_each_and_further_ones_are_counted() {
    let of = |n: usize| {
        let mut all = comment(line(standby()));
        let said = all.lines.values().next().unwrap().clone();
        all.lines = (0..n).map(|n| (format!("s{n:02}").parse().unwrap(), said.clone())).collect();
        let text = words(&all, &wants());
        let more = text.lines().find(|line| line.starts_with("- And")).map(str::to_owned);
        (text.matches("is on standby").count(), more)
    };
    assert_eq!(of(12), (12, None));
    assert_eq!(of(13), (12, Some("- And 1 service: see the board.".to_owned())));
    assert_eq!(of(14), (12, Some("- And 2 services: see the board.".to_owned())));
}
