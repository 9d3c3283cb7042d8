//! What is asked of people, and what they are told when responsibility moves: who takes the pager, who has it now,
//! who should be warned.

use jiff::Timestamp;

use super::Reader;
use super::turns::{Surroundings, place_in_queue, sentence, stalled_by, turn_end};
use crate::alert::Severity;
use crate::attendance::{Asking, Attendance};
use crate::calendar::TimeKind;
use crate::change::Change;
use crate::ids::PersonId;
use crate::message::{Kind, Link, Message, Step, Subject};
use crate::reason::Reason;
use crate::responder::away;
use crate::shift::{Scope, Shift};
use crate::suite::Failure;
use crate::text::count;
use crate::times::span;
use crate::window::{Phase, Window};

/// How many other changes are named.
const MOST_NAMED: usize = 5;

fn about(reader: Reader<'_>, window: &Window<'_>, step: Step, reason: Reason) -> Message {
    let subject = Subject::Change(window.change.id.clone());
    let mut message = reader.message(subject, step, Kind::Notice, Severity::Info, reason);
    message.links.push(reader.board());
    message
}

fn quoted(change: &Change) -> String {
    if change.title.is_empty() { change.label() } else { format!("\u{201c}{}\u{201d}", change.title) }
}

/// "Take the pager?"
#[must_use]
pub fn ask(reader: Reader<'_>, window: &Window<'_>, asking: &Asking, around: &Surroundings<'_>) -> Message {
    let reason = Reason::MergedOffHours { when: asking.why.to_string() };
    let mut message = about(reader, window, Step::Ask, reason);
    let (label, service) = (window.change.label(), &reader.service.id);
    message.title = format!("{label} was merged {}: do you take the pager for {service}?", in_time(asking));
    let merger = reader.settings.roster.by_login(&window.change.merger.login);
    let who = match merger {
        // Somebody else may hold it by now.
        Some(merger) if merger.id == *reader.person && window.holder.person != merger.id => "You merged it.".to_owned(),
        Some(merger) if merger.is_outside() => format!("{} merged it, and you are a champion.", merger.name),
        Some(_) | None => sentence(&reader.why(&window.holder.because, "it")),
    };
    message.lines.push(format!("{}. {who}", quoted(window.change)));
    message.lines.push(
        "Taking it says that you are reachable until your turn for it is over, and that nobody else need be woken first."
            .to_owned(),
    );
    let by = reader.time(reader.now + reader.service.policy.answer_within);
    message.lines.push(format!("Without an answer by {by}{}", unanswered(reader, window, asking)));
    message.lines.push(match window.phase {
        Phase::Active { since, .. } => format!("It is live since {}.", reader.time(since)),
        Phase::Standby | Phase::Tail { .. } | Phase::Closed { .. } => place_in_queue(reader, around),
    });
    message.lines.extend(around.stalled.as_ref().map(|stalled| stalled_by(reader, stalled)));
    message
}

fn in_time(asking: &Asking) -> String {
    match &asking.why {
        TimeKind::OffHours => "outside working hours".to_owned(),
        TimeKind::Weekend => "on the weekend".to_owned(),
        TimeKind::Working => "while no champion could be reached".to_owned(),
        other @ (TimeKind::DayOff { .. } | TimeKind::Holiday { .. } | TimeKind::Event { .. }) => {
            format!("during {other}")
        }
    }
}

fn unanswered(reader: Reader<'_>, window: &Window<'_>, asking: &Asking) -> String {
    let roster = &reader.settings.roster;
    let next = asking.candidates.iter().skip_while(|person| *person != reader.person).nth(1);
    match next {
        Some(next) => format!(", {} is asked.", roster.name_of(next)),
        None if window.holder.person == *reader.person => {
            " it counts as unattended: the rotation is warned, and you are still paged first.".to_owned()
        }
        None => " it counts as unattended: the rotation is warned and holds it.".to_owned(),
    }
}

/// End-to-end tests failed with this change in what they tested.
#[must_use]
pub fn tests_failed(reader: Reader<'_>, window: &Window<'_>, failure: &Failure<'_>) -> Message {
    let change = window.change;
    let reason = Reason::TestsFailed { suite: failure.suite.to_owned(), changes: failure.others.len() + 1 };
    let mut message = about(reader, window, Step::TestsFailed, reason);
    message.title = format!("The tests {} failed with {} in them", failure.suite, change.label());
    message.lines.push(format!("{}. {}", quoted(change), sentence(&reader.why(&window.holder.because, "it"))));
    let run = failure.run.commit.as_ref().map_or_else(String::new, |commit| format!(" on {}", commit.short()));
    let mut others: Vec<String> = failure.others.iter().take(MOST_NAMED).map(|other| other.label()).collect();
    if failure.others.len() > MOST_NAMED {
        others.push(format!("{} more", failure.others.len() - MOST_NAMED));
    }
    let whose = match others.as_slice() {
        [] => "Yours is the only change since they last passed".to_owned(),
        others => format!("Since they last passed there are also {}", others.join(", ")),
    };
    message.lines.push(format!("They failed at {}{run}. {whose}.", reader.time(failure.at)));
    message
        .lines
        .push("Nobody is paged for it. Please look: is it yours? A revert is the quickest way out.".to_owned());
    message.lines.push(reader.way_back(change));
    message.revert = reader.one_click(change);
    message.links.extend(failure.run.url.clone().map(|url| Link { label: "Tests".to_owned(), url }));
    message
}

/// To an outside contributor: thank you, and who answers for it.
#[must_use]
pub fn thanks(reader: Reader<'_>, window: &Window<'_>, asked: bool) -> Message {
    let mut message = about(reader, window, Step::Thanks, Reason::ChampionAnswers);
    message.title = format!("{} is merged, thank you", window.change.label());
    let who = reader.settings.roster.name_of(&window.holder.person);
    let answers = if asked { format!("{who} is asked to answer") } else { format!("{who} answers") };
    message.lines.push(format!(
        "{} You will not be paged for it: {answers} for it in {}, and may ask you.",
        sentence(&quoted(window.change)),
        reader.service.id
    ));
    message
}

/// To the rotation: nobody has taken the pager for this.
#[must_use]
pub fn forewarned(reader: Reader<'_>, window: &Window<'_>, asking: &Asking, around: &Surroundings<'_>) -> Message {
    let declined = matches!(window.attendance, Attendance::Declined { .. });
    let reason = if declined { Reason::EverybodyDeclined } else { Reason::Unattended };
    let mut message = about(reader, window, Step::Forewarned, reason);
    let change = window.change;
    let outcome = if declined { "and nobody takes the pager" } else { "unattended" };
    message.title = format!("Be warned: {} was merged {}, {outcome}", change.label(), in_time(asking));
    let roster = &reader.settings.roster;
    let asked: Vec<&str> = asking.candidates.iter().map(|person| roster.name_of(person)).collect();
    let what = if declined { "declined" } else { "did not answer" };
    let who =
        if asked.is_empty() { "Nobody could be asked".to_owned() } else { format!("{} {what}", asked.join(" and ")) };
    let holder = &window.holder.person;
    let then = match (holder == reader.person, asking.candidates.last() == Some(holder)) {
        (true, _) => "; you hold it".to_owned(),
        (false, true) => ", and is still paged first".to_owned(),
        (false, false) => format!("; {} answers for it", roster.name_of(holder)),
    };
    message.lines.push(format!("{}. {who}{then}.", quoted(change)));
    message.lines.extend(
        around.held_until.map(|at| {
            format!("Its deployment should wait until {}, or until somebody takes the pager.", reader.time(at))
        }),
    );
    message.lines.push(reader.way_back(change));
    message.revert = reader.one_click(change);
    message
}

/// To the owner: the queue does not move.
#[must_use]
pub fn queue_slow(
    reader: Reader<'_>,
    (window, oldest): (&Window<'_>, &Window<'_>),
    waiting: usize,
    step: Step,
    reason: Reason,
    around: &Surroundings<'_>,
) -> Message {
    let mut message = about(reader, window, step, reason);
    let age = span(reader.now.duration_since(oldest.change.merged_at));
    let changes = count(waiting, "change waits", "changes wait");
    message.title = format!("{changes} to go live in {}, the oldest for {age}", reader.service.id);
    message.lines.push(format!(
        "The oldest is {} {}; {} answers for it.",
        oldest.change.label(),
        quoted(oldest.change),
        reader.settings.roster.name_of(&oldest.holder.person)
    ));
    message.lines.extend(around.stalled.as_ref().map(|stalled| stalled_by(reader, stalled)));
    message.lines.push(if step == Step::Deputy {
        "You are now deputy for it: its merger may not remember it by heart when it goes live, so stand by with them."
            .to_owned()
    } else {
        "Nobody's turn has begun or been used up by waiting. You are told at most once a day.".to_owned()
    });
    message
}

/// To somebody to whom something was handed over, or who took it. `window`: what it is about, where it is one window.
#[must_use]
pub fn handed_over(reader: Reader<'_>, shift: &Shift, window: Option<&Window<'_>>, nth: u32) -> Message {
    let reason = Reason::ShiftMade { by: shift.by.clone() };
    let mut message = of_shift(reader, shift, Step::HandedOver, reason, nth);
    let what = held(reader, shift, window.map(|w| w.change));
    let by = reader.settings.roster.name_of(&shift.by);
    message.title = match (shift.is_taken(), shift.from > reader.now) {
        (true, false) => format!("You have {what} now"),
        (true, true) => format!("You will have {what}"),
        (false, _) => format!("{by} handed {what} over to you"),
    };
    let Some(window) = window else {
        message.lines.push(format!("You are paged first for it {}.", period(reader, shift)));
        return message;
    };
    message.lines.push(format!("{}.", quoted(window.change)));
    message.lines.push(match window.phase {
        Phase::Active { .. } => turn_end(reader, window),
        Phase::Standby => "It is not live yet: you will be told when your turn for it starts.".to_owned(),
        Phase::Tail { .. } | Phase::Closed { .. } => "Its turn is over: it is only a suspect still.".to_owned(),
    });
    let change = window.change;
    message.lines.push(reader.way_back(change));
    message.revert = reader.one_click(change);
    message
}

/// To somebody who had something that another person has now.
#[must_use]
pub fn taken_over(reader: Reader<'_>, shift: &Shift, change: Option<&Change>, nth: u32) -> Message {
    let reason = Reason::ShiftMade { by: shift.by.clone() };
    let mut message = of_shift(reader, shift, Step::TakenOver, reason, nth);
    let who = reader.settings.roster.name_of(&shift.person);
    message.title = format!("{who} has {} now", held(reader, shift, change));
    message.lines.push(match shift.until {
        Some(_) => format!("You are not paged for it {}.", period(reader, shift)),
        None => "You are no longer paged for it.".to_owned(),
    });
    message
}

fn of_shift(reader: Reader<'_>, shift: &Shift, step: Step, reason: Reason, nth: u32) -> Message {
    let subject = match &shift.scope {
        Scope::Service => Subject::Shift(shift.id.clone()),
        Scope::Change(change) => Subject::Change(change.clone()),
    };
    let mut message = reader.message(subject, step, Kind::Notice, Severity::Info, reason);
    message.key.nth = nth;
    message.links.push(reader.board());
    message
}

fn held(reader: Reader<'_>, shift: &Shift, change: Option<&Change>) -> String {
    match &shift.scope {
        Scope::Service => format!("the pager of {}", reader.service.id),
        Scope::Change(id) => change.map_or_else(|| id.to_string(), Change::label),
    }
}

fn period(reader: Reader<'_>, shift: &Shift) -> String {
    let from: Timestamp = shift.from.max(shift.made_at);
    let from = if from > reader.now { format!("from {} ", reader.time(from)) } else { String::new() };
    let until = shift.until.map(|until| format!("until {}", reader.time(until))).unwrap_or_default();
    format!("{from}{until}")
}

/// To somebody whose shift ran out.
#[must_use]
pub fn shift_over(reader: Reader<'_>, shift: &Shift) -> Message {
    let mut message = of_shift(reader, shift, Step::Ended, Reason::TurnEnded, 0);
    message.title = format!("You no longer have {}", held(reader, shift, None));
    message.lines.push("Thank you. Whoever answers for each change is paged first again.".to_owned());
    message
}

/// To somebody who took it to be theirs while it waited: who answers now that it is live.
#[must_use]
pub fn somebody_else_has_it(reader: Reader<'_>, window: &Window<'_>) -> Message {
    let mut message = about(reader, window, Step::StoodInFor, Reason::SomebodyElseAnswers);
    let who = reader.settings.roster.name_of(&window.holder.person);
    message.title = format!("{who} answers for {}: it is live in {}", window.change.label(), reader.service.id);
    let away = reader.settings.roster.person(reader.person).and_then(|person| away(person, reader.now));
    message.lines.push(match away {
        Some(_) => "You are away, so you are not paged for it. There is nothing to do.".to_owned(),
        None => "You are not paged for it. There is nothing to do.".to_owned(),
    });
    message
}

/// A page for nothing. Each is one of its own: its number is the second in which it was asked for.
#[must_use]
pub fn drill(reader: Reader<'_>, by: &PersonId, reason: Reason) -> Message {
    let mut message = reader.message(Subject::Service, Step::Drill, Kind::Page, Severity::Critical, reason);
    message.key.nth = u32::try_from(reader.now.as_second()).unwrap_or(0);
    message.title = format!("DRILL: a test page for {}", reader.service.id);
    message.lines.push(format!(
        "Nothing is broken, and nothing is asked of you but this: that you see it. {} wants to know that pages reach you.",
        reader.settings.roster.name_of(by)
    ));
    message.lines.push("A pager keeps it open until you close it there.".to_owned());
    message.short = format!("DRILL: a test page for {}. Nothing is broken.", reader.service.id);
    message.links.push(reader.board());
    message
}
