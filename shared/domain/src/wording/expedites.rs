//! What is said of a fix that somebody asks to let pass a freeze.

use super::Reader;
use crate::alert::Severity;
use crate::expedite::{Expedite, Needs, Over};
use crate::freeze::{Answer, Strength};
use crate::message::{Kind, Link, Message, Step, Subject};
use crate::reason::Reason;

/// What one person is told of it.
#[must_use]
pub fn notice(reader: Reader<'_>, one: &Expedite, step: Step, needs: Needs, holding: &[Answer<'_>]) -> Message {
    let reason = match (step, &one.over) {
        (Step::ExpediteGranted, _) => Reason::ExpediteGranted { why: one.reason.clone() },
        (_, Some((_, _, Over::Refused { why }))) => Reason::ExpediteRefused { why: why.clone() },
        (_, Some((_, _, Over::Withdrawn))) => Reason::ExpediteWithdrawn,
        (_, None) => Reason::ExpediteAsked { why: one.reason.clone() },
    };
    let subject = Subject::Expedite(one.key());
    let mut message = reader.message(subject, step, Kind::Notice, Severity::Info, reason);
    // Asked again, for another reason, it is another question.
    message.key.nth = u32::try_from(one.at.as_second() / 60).unwrap_or(u32::MAX);
    let (title, lines) = if step == Step::ExpediteWhy {
        why(reader, one, holding)
    } else if step == Step::ExpediteGranted {
        granted(reader, one, holding)
    } else if step == Step::ExpediteRefused {
        refused(reader, one)
    } else {
        asked(reader, one, needs, holding)
    };
    (message.title, message.lines) = (title, lines);
    message.links.extend(one.url.clone().map(|url| Link { label: "Pull request".to_owned(), url }));
    message.links.push(Link { label: "Board".to_owned(), url: format!("{}/", reader.settings.public_url) });
    message
}

type Words = (String, Vec<String>);

/// `gratitude week until 2026-12-29 00:00 (America/New_York)`, for each freeze that holds.
fn held_by(reader: Reader<'_>, holding: &[Answer<'_>]) -> String {
    let mut all: Vec<String> = Vec::new();
    for one in holding.iter().flat_map(|answer| &answer.because) {
        let words = format!("{} until {}", one.name, super::freezes::at(one, one.until, reader.now));
        if !all.contains(&words) {
            all.push(words);
        }
    }
    if all.is_empty() { "no freeze any more".to_owned() } else { all.join(", ") }
}

fn quoted(one: &Expedite) -> String {
    if one.title.is_empty() { one.label() } else { format!("{} \u{201c}{}\u{201d}", one.label(), one.title) }
}

fn why(reader: Reader<'_>, one: &Expedite, holding: &[Answer<'_>]) -> Words {
    if !one.reason.is_empty() {
        let lines = vec![
            format!("It would pass {}.", held_by(reader, holding)),
            "Whoever could sign has asked for it, or signed already: name somebody else in [expedite] of the configuration.".to_owned(),
        ];
        return (format!("Nobody is left to sign for {}", one.label()), lines);
    }
    let title = format!("Why should {} pass the freeze?", one.label());
    let lines = vec![
        format!("You asked to let {} pass: {}.", quoted(one), held_by(reader, holding)),
        "Say why, in one line: at the board, or by a comment `/expedite <reason>` on the pull request. Nobody signs without a reason."
            .to_owned(),
        "You have the pager for it by asking: its turn starts when it is live.".to_owned(),
    ];
    (title, lines)
}

fn asked(reader: Reader<'_>, one: &Expedite, needs: Needs, holding: &[Answer<'_>]) -> Words {
    let by = reader.settings.roster.name_of(&one.by);
    let signed: Vec<&str> = one.signed.iter().map(|signed| reader.settings.roster.name_of(&signed.person)).collect();
    let mut lines = vec![
        format!("{}. Why: {}.", quoted(one), one.reason.trim_end_matches('.')),
        format!("It would pass {}.", held_by(reader, holding)),
    ];
    if !signed.is_empty() {
        lines.push(format!("{} has signed.", signed.join(", ")));
    }
    lines.push(match needs {
        Needs { approver: true, rotation: true } => "It takes an approver and somebody of the rotation.".to_owned(),
        Needs { .. } => "It takes one approver.".to_owned(),
    });
    lines.push(format!("{by} has the pager for it. It lapses at {}.", reader.time(one.lapses_at())));
    (format!("{by} asks to let {} pass the freeze: do you sign?", one.label()), lines)
}

fn granted(reader: Reader<'_>, one: &Expedite, holding: &[Answer<'_>]) -> Words {
    let roster = &reader.settings.roster;
    let signed: Vec<&str> = one.signed.iter().map(|signed| roster.name_of(&signed.person)).collect();
    let mut lines = vec![format!("{}. Why: {}.", quoted(one), one.reason.trim_end_matches('.'))];
    if !signed.is_empty() {
        lines.push(format!("Signed by {}.", signed.join(" and ")));
    }
    let yours = one.by == *reader.person;
    let required = holding.iter().any(|answer| answer.strength == Some(Strength::Require));
    if yours {
        lines.push(format!("Merge it before {}.", reader.time(one.lapses_at())));
        if required {
            lines.push(
                "What waits in the queue stays there. Release the fix alone: on a branch from the live commit, `git cherry-pick -x` it, and deploy that."
                    .to_owned(),
            );
        }
        lines.push("You have the pager for it: your turn starts when it is live, and not before.".to_owned());
    } else {
        lines.push(format!("{} has the pager for it.", roster.name_of(&one.by)));
    }
    (format!("{} may pass the freeze", one.label()), lines)
}

fn refused(reader: Reader<'_>, one: &Expedite) -> Words {
    let (by, why) = match &one.over {
        Some((_, by, Over::Refused { why })) => (reader.settings.roster.name_of(by), why.as_str()),
        Some((_, _, Over::Withdrawn)) | None => ("Somebody", ""),
    };
    let lines =
        vec![format!("{by}: {}.", why.trim_end_matches('.')), "Talk to them, and ask again at the board.".to_owned()];
    (format!("{} may not pass the freeze", one.label()), lines)
}
