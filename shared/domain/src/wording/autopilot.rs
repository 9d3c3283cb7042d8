//! What is said of a revert that was opened, or merged, and of a release that was taken back, without anybody's pressing it.

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
    message.lines.push(stops(reader));
    message
}

/// The pipeline goes back. `others`: the changes that go back with it.
#[must_use]
pub fn rolled_back(
    reader: Reader<'_>,
    incident: &Incident,
    proposal: &Proposal,
    others: &[String],
    reason: Reason,
) -> Message {
    let mut message = about(reader, incident, reason.clone());
    message.title = format!("{} is taken back by itself", proposal.label);
    message.lines.push(format!(
        "{}: it is the cause by {} %, the canary says so too, and nobody had taken it.",
        headline(incident),
        proposal.percent
    ));
    message.lines.push(format!("{reason}. See that it gets there."));
    if !others.is_empty() {
        message.lines.push(format!("With it go back: {}.", others.join(", ")));
    }
    message.lines.push("Merge its revert too: without it the next release brings it again.".to_owned());
    message.lines.push(stops(reader));
    message
}

fn stops(reader: Reader<'_>) -> String {
    format!(
        "Was it wrong? Say which change it was, on the incident's page, and the service stops doing so. To stop it at once: recent-deployers mode {} propose --as <you>",
        reader.service.id
    )
}

/// It is not done after all.
#[must_use]
pub fn left(reader: Reader<'_>, incident: &Incident, proposal: &Proposal, reason: Reason) -> Message {
    let mut message = about(reader, incident, reason.clone());
    let [title, not] = match &proposal.back {
        None => {
            [format!("The revert of {} is yours to merge", proposal.label), "It was not merged by itself".to_owned()]
        }
        Some(back) => {
            let not = format!("{} was not asked to go back by itself", back.pipeline);
            [format!("{} is yours to take back", proposal.label), not]
        }
    };
    message.title = title;
    message.lines.push(format!("{not}: {reason}."));
    message
}

fn about(reader: Reader<'_>, incident: &Incident, reason: Reason) -> Message {
    let subject = Subject::Incident(incident.id.clone());
    let mut message = reader.message(subject, Step::RevertMerged, Kind::Notice, Severity::Warning, reason);
    message.links.push(reader.incident_link(incident));
    message
}
