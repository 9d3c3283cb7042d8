//! The notices of a change's life: merged, live, ending soon, longer, over, back on standby.

use jiff::Timestamp;

use super::Reader;
use crate::alert::Severity;
use crate::message::{Kind, Message, Step, Subject};
use crate::queue::Stalled;
use crate::reason::Reason;
use crate::text::count;
use crate::times::span;
use crate::turn::Extension;
use crate::window::{Phase, Window};

/// What a notice about a window needs to know beside the window.
#[derive(Debug, Clone, Default)]
pub struct Surroundings<'a> {
    /// How many changes are before it in the queue.
    pub ahead: usize,
    /// The other changes of its release, a few by name.
    pub with: Vec<String>,
    pub stalled: Option<Stalled<'a>>,
    pub expected_live: Option<Timestamp>,
    /// Until when its deployment should wait for somebody to take the pager.
    pub held_until: Option<Timestamp>,
}

/// A notice about a window, to whoever it is about.
#[must_use]
pub fn notice(
    reader: Reader<'_>,
    window: &Window<'_>,
    step: Step,
    reason: Reason,
    around: &Surroundings<'_>,
) -> Message {
    let subject = Subject::Change(window.change.id.clone());
    let mut message = reader.message(subject, step, Kind::Notice, Severity::Info, reason);
    let (title, lines) = match step {
        Step::Started => started(reader, window, around),
        Step::EndingSoon => ending_soon(reader, window),
        Step::Extended => extended(reader, window),
        Step::Ended => ended(reader, window),
        Step::StandbyAgain => standby_again(reader, window),
        Step::Receipt
        | Step::Thanks
        | Step::Ask
        | Step::Forewarned
        | Step::HandedOver
        | Step::TakenOver
        | Step::StoodInFor
        | Step::QueueSlow
        | Step::TestsFailed
        | Step::Deputy
        | Step::FirstResponder
        | Step::Rotation
        | Step::SquadHears
        | Step::TailResponder
        | Step::NextResponder
        | Step::Owner
        | Step::AlsoBroken
        | Step::Opened
        | Step::Drill
        | Step::FreezeTomorrow
        | Step::FreezeSoon
        | Step::FreezeBegan
        | Step::FreezeOver
        | Step::FreezeChanged
        | Step::ExpediteWhy
        | Step::ExpediteAsked
        | Step::ExpediteGranted
        | Step::ExpediteRefused
        | Step::RevertOpened
        | Step::RevertRefused
        | Step::RevertMerged
        | Step::QueueGrew
        | Step::Thaw
        | Step::PipelineSilent
        | Step::SteppedDown
        | Step::Digest
        | Step::Escalated
        | Step::PagerAcknowledged
        | Step::PagerResolved
        | Step::Acknowledged
        | Step::Resolved => receipt(reader, window, around),
    };
    (message.title, message.lines) = (title, lines);
    message.revert = reader.one_click(window.change).filter(|_| step == Step::Started);
    message.links.push(reader.board());
    message
}

type Words = (String, Vec<String>);

fn live(reader: Reader<'_>) -> &str {
    reader.service.live_environment().map_or("production", |e| e.name.as_str())
}

/// The title of the change and why the reader answers for it.
fn what_and_why(reader: Reader<'_>, window: &Window<'_>) -> String {
    let title = window.change.title.as_str();
    let title = if title.is_empty() { String::new() } else { format!("\u{201c}{title}\u{201d}. ") };
    let lineage = window.lineage.as_ref().map(|words| format!(" It {words}.")).unwrap_or_default();
    format!("{title}{}{lineage}", sentence(&reader.why(&window.holder.because, "it")))
}

/// A clause as a sentence.
pub(super) fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

fn receipt(reader: Reader<'_>, window: &Window<'_>, around: &Surroundings<'_>) -> Words {
    let (label, service) = (window.change.label(), &reader.service.id);
    let mut lines = vec![what_and_why(reader, window)];
    if let Some(by) = window.reverted_by {
        lines.push(format!("It is reverted by {} already.", by.label()));
    }
    lines.push(place_in_queue(reader, around));
    lines.extend(around.stalled.as_ref().map(|stalled| stalled_by(reader, stalled)));
    lines.push(format!(
        "You are not paged for it until it is live in {}. Then your turn starts, until {} after the deployment succeeds: \
         stay reachable, and be ready to revert.",
        live(reader),
        span(reader.service.policy.active)
    ));
    (format!("{label} is merged: you are on standby for {service}"), lines)
}

pub(super) fn place_in_queue(reader: Reader<'_>, around: &Surroundings<'_>) -> String {
    let ahead = match around.ahead {
        0 => "Nothing is ahead of it in the queue".to_owned(),
        n => format!("{} ahead of it in the queue", count(n, "change is", "changes are")),
    };
    match (around.held_until, around.expected_live) {
        (Some(at), _) => {
            format!("{ahead}. Its deployment should wait until {}, or until the pager is taken.", reader.time(at))
        }
        (None, Some(at)) => format!("{ahead}. About live: {}, as changes went lately.", reader.time(at)),
        (None, None) => format!("{ahead}."),
    }
}

/// What holds the queue up.
pub(super) fn stalled_by(reader: Reader<'_>, stalled: &Stalled<'_>) -> String {
    match stalled {
        Stalled::Paused(pause) => {
            let until = pause.until.map(|at| format!(" until {}", reader.time(at))).unwrap_or_default();
            format!(
                "The pipeline is paused{until} since {}: {} ({}).",
                reader.time(pause.from),
                pause.why,
                reader.settings.roster.name_of(&pause.by)
            )
        }
        Stalled::Frozen(frozen) => {
            format!("Deployments wait until {}, for the freeze {}.", reader.time(frozen.until), frozen.name)
        }
        Stalled::Failing { environment, at, times } => {
            let times = if *times > 1 { format!(", {times} times in a row") } else { String::new() };
            format!("The last deployment to {environment} failed at {}{times}.", reader.time(*at))
        }
    }
}

fn started(reader: Reader<'_>, window: &Window<'_>, around: &Surroundings<'_>) -> Words {
    let change = window.change;
    let mut lines = vec![what_and_why(reader, window), turn_end(reader, window)];
    if window.responder.person != window.holder.person {
        let who = reader.settings.roster.name_of(&window.responder.person);
        lines.push(format!(
            "{who} has the pager of {} just now and is paged instead of you meanwhile.",
            reader.service.id
        ));
    }
    lines.push(match (&window.pinned_by, around.with.as_slice()) {
        (Some(by), _) => format!("It went live with {}.", by.label()),
        (None, []) => "It is alone in its release.".to_owned(),
        (None, with) => format!("In the same release: {}.", with.join(", ")),
    });
    lines.push(reader.way_back(change));
    (format!("Your turn starts: {} is live in {} {}", change.label(), reader.service.id, live(reader)), lines)
}

fn ending_soon(reader: Reader<'_>, window: &Window<'_>) -> Words {
    (
        format!("Your turn for {} in {} ends soon", window.change.label(), reader.service.id),
        vec![format!("{} After that you are no longer paged first.", turn_end(reader, window))],
    )
}

fn extended(reader: Reader<'_>, window: &Window<'_>) -> Words {
    let why = match window.turn().and_then(|turn| turn.extended) {
        Some(Extension::Redeployed) | None => "It was deployed again.",
        Some(Extension::IncidentOpen | Extension::IncidentOver) => "Something broke while it was live.",
    };
    (
        format!("Your turn for {} in {} lasts longer", window.change.label(), reader.service.id),
        vec![format!("{why} {}", turn_end(reader, window))],
    )
}

fn ended(reader: Reader<'_>, window: &Window<'_>) -> Words {
    let (label, service) = (window.change.label(), &reader.service.id);
    let by = window.reverted_by.map_or_else(|| "a revert".to_owned(), crate::Change::label);
    let line = match window.phase {
        Phase::Closed { reason: crate::window::Closed::RevertedBeforeLive, .. } => {
            return (
                format!("{label} is taken back: you have no turn for it in {service}"),
                vec![format!("{by} reverts it and went live with it. There is nothing to do. Thank you.")],
            );
        }
        Phase::Closed { reason: crate::window::Closed::Reverted, .. } => {
            format!("{by} reverted it, and that is live. You are no longer paged for it. Thank you.")
        }
        Phase::Standby | Phase::Active { .. } | Phase::Tail { .. } | Phase::Closed { .. } => format!(
            "It stays a suspect for {}, but you are no longer paged first. Thank you.",
            span(reader.service.policy.tail)
        ),
    };
    (format!("Your turn for {label} in {service} is over"), vec![line])
}

fn standby_again(reader: Reader<'_>, window: &Window<'_>) -> Words {
    let (label, service, live) = (window.change.label(), &reader.service.id, live(reader));
    let failed = window.attempts.last().map(|d| d.order());
    let title = if failed > window.rolled_back.last().map(|back| back.by.order()) {
        format!("{label} is back on standby: the deployment to {service} {live} failed")
    } else {
        format!("{label} is back on standby: {service} {live} was rolled back")
    };
    (title, vec!["Your turn is off until it goes live again; you will be told.".to_owned()])
}

pub(super) fn turn_end(reader: Reader<'_>, window: &Window<'_>) -> String {
    let open = window.turn().is_some_and(|turn| turn.extended == Some(Extension::IncidentOpen));
    match window.phase {
        Phase::Active { until, settled: true, .. } => format!("You are paged first until {}.", reader.time(until)),
        Phase::Active { until, .. } if open => {
            format!("You are paged first until it is over, at the latest until {}.", reader.time(until))
        }
        Phase::Active { until, .. } => format!(
            "You are paged first until {} after the deployment succeeds, at the latest until {}.",
            span(reader.service.policy.active),
            reader.time(until)
        ),
        Phase::Standby | Phase::Tail { .. } | Phase::Closed { .. } => "Your turn is over.".to_owned(),
    }
}
