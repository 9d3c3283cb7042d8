//! What is said of a revert that somebody asked for by one click.

use super::Reader;
use crate::alert::Severity;
use crate::change::ChangeKind;
use crate::message::{Kind, Link, Message, Step, Subject};
use crate::reason::Reason;
use crate::undo::{self, Lane, Opened, Stage, Undo, Why};

/// The title of the pull request: the words of the forges' own buttons, by which [`crate::revert`] knows it when it is merged.
#[must_use]
pub fn title(undo: &Undo) -> String {
    let title = if undo.title.is_empty() { undo.label() } else { undo.title.clone() };
    format!("Revert \"{title}\"")
}

/// Its text. `number`: how this forge refers to a pull request; `marker` is how it is found again.
#[must_use]
pub fn body(undo: &Undo, asked_by: &str, number: impl Fn(u64) -> String, marker: &str) -> String {
    let of = match undo.kind {
        ChangeKind::PullRequest { number: of } => format!("Reverts {}\n\n", number(of)),
        ChangeKind::DirectPush => String::new(),
    };
    let at = undo.at.strftime("%Y-%m-%d %H:%M UTC");
    let asked = if undo.by_itself {
        format!("Opened at {at} by Recent Deployers itself, for {asked_by}: it is the likely cause of an incident.")
    } else {
        format!("Asked for by {asked_by} at {at}, by Recent Deployers.")
    };
    format!(
        "{of}This reverts commit {}.\n\n{asked} Nothing is reverted before this is merged and live.\n\n<!-- {marker} -->\n",
        undo.change.commit
    )
}

/// The revert pull request is there.
#[must_use]
pub fn opened(reader: Reader<'_>, undo: &Undo, opened: &Opened, lane: &Lane) -> Message {
    let reason = Reason::RevertOpened { number: opened.number };
    let mut message = about(reader, undo, Step::RevertOpened, reason);
    let label = format!("{}#{}", undo.change.repository.short(), opened.number);
    message.title = format!("{label} reverts {}: merge it", undo.label());
    let found = if opened.found { " It was there already." } else { "" };
    message.lines.push(if undo.by_itself {
        format!(
            "It was opened by itself at {}: the change is the likely cause of an incident.{found}",
            reader.time(undo.at)
        )
    } else {
        format!("{} asked for it at {}.{found}", reader.who(&undo.by), reader.time(undo.at))
    });
    message.lines.push(match lane {
        Lane::NothingHolds => "It is labelled expedite, and no freeze holds it.".to_owned(),
        Lane::Asked => "A freeze holds: it is asked to let it pass, and you hear who signs.".to_owned(),
        Lane::NotAsked(why) => format!("A freeze holds, and it was not asked to let it pass: {why}."),
    });
    message.lines.push(
        "Nothing is reverted before it is merged and live. Then the window of what it reverts is closed.".to_owned(),
    );
    message.links.extend(opened.url.clone().map(|url| Link { label: "Revert pull request".to_owned(), url }));
    message.links.push(reader.board());
    message
}

/// There is none, and why.
#[must_use]
pub fn refused(reader: Reader<'_>, undo: &Undo, why: &Why) -> Message {
    let mut message = about(reader, undo, Step::RevertRefused, Reason::RevertRefused { why: why.to_string() });
    message.title = format!("{} could not be reverted by one click", undo.label());
    message.lines.push(format!("{}.", super::turns::sentence(&why.to_string()).trim_end_matches('.')));
    message.lines.push(format!("By hand: {}.", undo::by_hand(&undo.change.commit)));
    message.links.push(reader.board());
    message
}

fn about(reader: Reader<'_>, undo: &Undo, step: Step, reason: Reason) -> Message {
    let subject = Subject::Change(undo.change.clone());
    let mut message = reader.message(subject, step, Kind::Notice, Severity::Info, reason);
    // Asked again after a refusal, it is another answer.
    message.key.nth = u32::try_from(undo.at.as_second() / 60).unwrap_or(u32::MAX);
    message
}

/// How far it is, as a sentence: `Asked for by Anna at 14:02.`
#[must_use]
pub fn stands(reader: Reader<'_>, undo: &Undo) -> String {
    let by = if undo.by_itself { "the evidence" } else { reader.name(&undo.by) };
    let asked = format!("asked for by {by} at {}", reader.time(undo.at));
    match &undo.stage {
        Stage::Asked { why: Some(why), due_at, .. } => {
            format!("Revert: {asked}. The forge did not answer ({why}); it is tried again at {}.", reader.time(*due_at))
        }
        Stage::Asked { why: None, .. } | Stage::UnderWay { .. } => {
            format!("Revert: {asked}. The pull request is being opened.")
        }
        Stage::Opened(opened) => {
            let label = format!("{}#{}", undo.change.repository.short(), opened.number);
            let url = opened.url.as_ref().map(|url| format!(": {url}")).unwrap_or_default();
            format!("Revert: {asked}. {label} has to be merged{url}")
        }
        Stage::Refused { why, at } => {
            let by_hand = undo::by_hand(&undo.change.commit);
            format!("Revert: {asked}. At {}: {why}. By hand: {by_hand}.", reader.time(*at))
        }
    }
}
