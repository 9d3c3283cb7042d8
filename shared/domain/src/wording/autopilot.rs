//! What is said of a revert that was opened, or merged, without anybody's pressing it.

use super::{Reader, headline};
use crate::alert::Severity;
use crate::autopilot::Proposal;
use crate::incident::Incident;
use crate::message::{Kind, Message, Step, Subject};
use crate::reason::Reason;

/// It is merged.
#[must_use]
pub fn merged(reader: Reader<'_>, incident: &Incident, proposal: &Proposal, reason: Reason) -> Message {
    let mut message = about(reader, incident, reason);
    message.title = format!("{} was reverted by itself", proposal.label);
    message.lines.push(format!(
        "{}: it is the cause by {} %, the canary says so too, and nobody had taken it.",
        headline(incident),
        proposal.percent
    ));
    message.lines.push("The revert is merged. It helps once it is live: see that it goes out.".to_owned());
    message.lines.push(format!(
        "Was it wrong? Say which change it was, on the incident's page, and the service stops doing so. To stop it at once: recent-deployers mode {} propose --as <you>",
        reader.service.id
    ));
    message
}

/// It is not merged after all.
#[must_use]
pub fn left(reader: Reader<'_>, incident: &Incident, proposal: &Proposal, reason: Reason) -> Message {
    let mut message = about(reader, incident, reason.clone());
    message.title = format!("The revert of {} is yours to merge", proposal.label);
    message.lines.push(format!("It was not merged by itself: {reason}."));
    message
}

fn about(reader: Reader<'_>, incident: &Incident, reason: Reason) -> Message {
    let subject = Subject::Incident(incident.id.clone());
    let mut message = reader.message(subject, Step::RevertMerged, Kind::Notice, Severity::Warning, reason);
    message.links.push(reader.incident_link(incident));
    message
}

/// What the incident's page says of it.
#[must_use]
pub fn stands(proposal: &Proposal) -> String {
    let how = match &proposal.left {
        None => "to be merged by itself".to_owned(),
        Some(left) => left.to_string(),
    };
    format!("By itself: the revert of {} is opened, it is the cause by {} %; {how}.", proposal.label, proposal.percent)
}
