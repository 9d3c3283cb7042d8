//! What happened to an incident, in order of time. From the incident itself, which is complete however old it is; what held
//! it before, and what its earlier rounds were, only the log knows.

use domain::export::Happened;
use domain::{Entry, Incident, Reason};
use jiff::Timestamp;

use super::{Delivery, Scene};
/// The lines that have been said so far.
struct Lines(Vec<Happened>);

impl Lines {
    fn say(&mut self, at: Timestamp, what: impl Into<String>, why: impl Into<String>) {
        self.0.push(Happened { at, what: what.into(), why: why.into() });
    }
}

pub(super) fn timeline(scene: Scene<'_>, incident: &Incident) -> Vec<Happened> {
    let mut lines = Lines(Vec::new());
    for alert in incident.alerts.values() {
        lines.say(alert.started_at, format!("{} [{}] began", alert.name, alert.severity.word()), &alert.summary);
    }
    lines.say(incident.detected_at, "we heard of it", "");
    holds(scene, incident).for_each(|entry| lines.say(entry.at, "nobody is paged", entry.reason.to_string()));
    rounds(scene, incident, &mut lines);
    pages(scene, incident, &mut lines);
    people(scene, incident, &mut lines);
    if let Some(back) = &incident.mitigated {
        lines.say(back.at, format!("{} {}", back.label, back.how.word()), "it may have been it");
    }
    if let Some(at) = incident.resolved_at {
        lines.say(at, "resolved", Reason::IncidentResolved.to_string());
    }
    if let Some(verdict) = &incident.verdict {
        lines.say(verdict.at, super::view::verdict_words(scene.house, verdict), "");
    }
    lines.0.sort_by_key(|line| line.at);
    lines.0
}

/// When nobody was paged for it, newest first, as far as the log knows.
pub(super) fn holds<'a>(scene: Scene<'a>, incident: &Incident) -> impl Iterator<Item = &'a Entry> {
    let back = incident.mitigated.as_ref().map(|back| format!("{} {}", back.label, back.how.word()));
    scene.log_of(incident).filter(move |entry| {
        let holds = matches!(
            entry.reason,
            Reason::ManualMode
                | Reason::NotSevereEnough { .. }
                | Reason::UnderMaintenance { .. }
                | Reason::TakenBack { .. }
                | Reason::Flapping { .. }
        );
        // That a suspect was taken back is said for the same reason, before it holds.
        holds && entry.person.is_none() && back.as_ref() != Some(&entry.what)
    })
}

/// Each time escalation began anew.
fn rounds(scene: Scene<'_>, incident: &Incident, lines: &mut Lines) {
    for at in &incident.reopened {
        lines.say(*at, "once more", Reason::FiresAgain.to_string());
    }
    let anew = |entry: &&Entry| {
        let anew =
            matches!(entry.reason, Reason::AcknowledgementStale { .. } | Reason::Worsened | Reason::HeldNoLonger);
        anew && entry.person.is_none()
    };
    let mut known = false;
    for entry in scene.log_of(incident).filter(anew) {
        known |= Some(&entry.reason) == incident.round_why.as_ref();
        lines.say(entry.at, "once more", entry.reason.to_string());
    }
    if let (Some(at), Some(why)) = (incident.round_at, &incident.round_why)
        && !known
        && *why != Reason::FiresAgain
    {
        lines.say(at, "once more", why.to_string());
    }
}

fn pages(scene: Scene<'_>, incident: &Incident, lines: &mut Lines) {
    for page in &incident.pages {
        let (who, step) = (scene.name(&page.person), page.step.word());
        let delivery = Delivery::of(scene, incident, page).words(scene.hours);
        let why = if page.again == 0 { format!("{}; {delivery}", page.reason) } else { page.reason.to_string() };
        lines.say(page.at, format!("paged {who} ({step})"), why);
        if let Some(at) = page.again_at {
            let times = domain::text::count(usize::try_from(page.again).unwrap_or(usize::MAX), "time", "times");
            lines.say(at, format!("paged {who} again, {times} by now"), delivery);
        }
    }
}

fn people(scene: Scene<'_>, incident: &Incident, lines: &mut Lines) {
    for taken in &incident.acknowledged {
        lines.say(taken.at, format!("{} acknowledged", taken.name(&scene.house.settings().roster)), "");
    }
    for said in &incident.not_mine {
        lines.say(said.at, super::view::not_mine(scene, incident, said), "");
    }
}
