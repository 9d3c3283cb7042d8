//! Whether what is to be done by itself is still to be done: people, and what is known by now, go before the machine.

use jiff::{SignedDuration, Timestamp};

use super::Proposal;
use crate::incident::Incident;
use crate::mode::Mode;
use crate::service::Service;
use crate::situation::Situation;
use crate::undo::Undo;
use crate::undo::outlook::{self, Outlook};

/// What was not done so long after it was proposed is left to people: the evidence is of then.
pub(super) const TOO_LATE: SignedDuration = SignedDuration::from_mins(30);

/// Only what we opened ourselves is merged, as it was then. What a person opened, or asked for, a person merges.
pub(super) fn not_ours(undo: &Undo) -> Option<String> {
    let (opened, _) = undo.opened()?;
    let ours = undo.by_itself && !opened.found && opened.head.is_some();
    (!ours).then(|| "it was not opened by us just now".to_owned())
}

/// What was merged since may be in its way.
pub(super) fn clash(proposal: &Proposal, situation: &Situation) -> Option<String> {
    let change = &situation.changes.get(&proposal.change)?.value;
    match outlook::outlook(change, situation) {
        clash @ Outlook::MayConflict(_) => Some(clash.to_string()),
        Outlook::Clean | Outlook::Unknown => None,
    }
}

/// Why it is not done after all. People, and what is known by now, go before the machine.
pub(super) fn why_left(
    incident: &Incident,
    proposal: &Proposal,
    service: &Service,
    mode: Mode,
    now: Timestamp,
) -> Option<String> {
    if !incident.is_open() {
        return Some("it is over".to_owned());
    }
    if mode < Mode::Act {
        return Some(format!("the service is in mode {} by now", mode.word()));
    }
    if incident.taken(&service.policy, now).is_some() {
        return Some("somebody is at it".to_owned());
    }
    if is_late(proposal, now) {
        return Some(format!("it was not done within {} min", TOO_LATE.as_mins()));
    }
    if incident.mitigated.is_some() || incident.held.is_some() {
        return Some("a suspect was taken back already, or nobody is to be woken for it just now".to_owned());
    }
    if incident.not_mine.iter().any(|said| said.person == proposal.responder) {
        return Some("its responder says that it is not theirs".to_owned());
    }
    if incident.suspects.first().is_none_or(|first| first.change != proposal.change) {
        return Some("another change is likelier by now".to_owned());
    }
    let likely = incident.suspects.first().and_then(|first| first.likelihood).unwrap_or(0) / 10;
    let unlikely = service.acts.as_ref().is_none_or(|acts| likely < acts.likely_from);
    unlikely.then(|| format!("it is the cause by {likely} % only, by now"))
}

/// Whether so much time has gone that it is left to people.
pub(super) fn is_late(proposal: &Proposal, now: Timestamp) -> bool {
    now >= proposal.at + TOO_LATE
}
