//! Modes `propose` and `act`: when the revert of a likely culprit is opened without anybody's pressing it, and when it is merged too.
//! Read it as a table; all of it has to be so, and whatever is not is the named reason why nothing is done:
//!
//! | the revert is opened (`propose`) | it is merged, too (`act`) |
//! | --- | --- |
//! | the live environment fails, most severely, and nobody holds that back | a signal of the canary is among its alerts (`acts.canary`) |
//! | the first suspect's turn is not over, and it is the cause by `propose_from` (70 %) | by `acts.likely_from` (90 %) |
//! | its responder has not said that it is not theirs | nobody has taken the incident: whoever is at it, merges |
//! | a forge opens its revert, nobody has asked for that yet, nothing later is in its way, it touches no migration | no freeze holds |
//! | no other incident of the service had one within an hour | the last one was `acts.cool_down` ago (an hour or more) |
//!
//! Where `acts.rolls_back` names a pipeline, that is asked to go back to what was live before instead ([`Back`]), by the same rules; no
//! freeze of deployments may hold then.
//!
//! One an incident, however long it lasts. What is proposed is kept on the incident, and what was done within the service's
//! [`Ceiling`], in the transaction that decides it: so a storm of alerts, a crash and two that look at once come to no more than that.

mod back;
mod merging;
mod still;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Severity};
use crate::decision::{Decisions, MOST_ACTIONS, Record, Write};
use crate::ids::{ChangeId, PersonId};
use crate::incident::Incident;
use crate::message::Subject;
use crate::mode::{Ceiling, Mode, Moved};
use crate::notices::Look;
use crate::reason::Reason;
use crate::service::{Matcher, Pipeline, Service};
use crate::settings::Settings;
use crate::situation::Situation;
use crate::suspect::{Stand, Suspect};
use crate::undo::{self, Undo, outlook, outlook::Outlook};
pub use back::Back;
pub(crate) use merging::next_at;
pub use merging::{Claim, Merging, Said, Work, claim, due, heard};

/// So long after one revert was opened by itself the next one is, at the earliest; `act` waits for longer where policy says so.
pub const APART: SignedDuration = SignedDuration::from_hours(1);

/// What has to be so for a revert to be merged by itself. Without it a service does not act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acts {
    /// The label by which an alert says that the new release does worse than the one beside it.
    pub canary: Matcher,
    /// How likely, in percent, the change has to be the cause.
    pub likely_from: u16,
    /// How long after one the next may be: an hour or more.
    pub cool_down: SignedDuration,
    /// The pipeline that is asked to go back, instead of merging the revert.
    pub rolls_back: Option<Pipeline>,
}

/// The revert that is opened for an incident without anybody's pressing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub change: ChangeId,
    pub label: String,
    /// Whose change it is, in whose name it is opened.
    pub responder: PersonId,
    pub at: Timestamp,
    /// How likely it was then, in percent.
    pub percent: u16,
    /// Why it is left to a person to merge it; absent: it is merged by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Reason>,
    /// The pipeline is asked to go back; absent: the revert is merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Back>,
    #[serde(default, skip_serializing_if = "Merging::is_not_begun")]
    pub merging: Merging,
}

impl Proposal {
    /// Whether it was merged by itself, or its release taken back.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.merging, Merging::Done { .. })
    }
}

/// Whether an alert is a signal of the canary here.
#[must_use]
pub fn is_canary(alert: &Alert, service: &Service) -> bool {
    service.acts.as_ref().is_some_and(|acts| acts.canary.matches(alert))
}

/// Proposes what is to be proposed, one at a time. When it wants to look again.
pub(crate) fn look(decisions: &mut Decisions, look: &Look<'_>, ceiling: &mut Ceiling) -> Option<Timestamp> {
    let Look { situation, service, settings, now, .. } = *look;
    let mode = ceiling.in_force(service.mode);
    if mode < Mode::Propose {
        return None;
    }
    let mut again = None;
    for known in situation.incidents.values() {
        let incident = &known.value;
        if incident.proposed.is_some() || !incident.is_open() {
            continue;
        }
        let proposed = propose(incident, situation, service, settings, (mode, &*ceiling), now);
        let changed = match &proposed {
            Ok(_) => true,
            Err(why) => why.is_some() && incident.unproposed != *why,
        };
        // It is written once in a transaction, and there has to be room.
        let written = decisions.writes.iter().any(|write| is_of(write, incident));
        if changed && (written || decisions.actions() + 3 > MOST_ACTIONS) {
            again = Some(now);
            continue;
        }
        if let Err(Some(Reason::OneWasProposedLately { until })) = &proposed {
            again = again.into_iter().chain([*until]).min();
        }
        if changed {
            let mut incident = incident.clone();
            kept(decisions, &mut incident, proposed, ceiling, now);
            decisions.put(Record::Incident(incident), known.rev);
        }
    }
    again
}

fn is_of(write: &Write, incident: &Incident) -> bool {
    matches!(write, Write::Put { record, .. } if matches!(&**record, Record::Incident(other) if other.id == incident.id))
}

fn kept(
    decisions: &mut Decisions,
    incident: &mut Incident,
    proposed: Result<Proposal, Option<Reason>>,
    ceiling: &mut Ceiling,
    now: Timestamp,
) {
    let subject = Some(Subject::Incident(incident.id.clone()));
    match proposed {
        Ok(proposal) => {
            let person = Some(proposal.responder.clone());
            let what = match (&proposal.left, &proposal.back) {
                (Some(_), _) => format!("the revert of {} is opened by itself", proposal.label),
                (None, None) => format!("the revert of {} is opened and merged by itself", proposal.label),
                (None, Some(back)) => {
                    format!(
                        "{} is asked to take back {} by itself, and its revert is opened",
                        back.pipeline, proposal.label
                    )
                }
            };
            let reason = Reason::Proposed { percent: proposal.percent };
            decisions.log(now, subject.clone(), person.clone(), what, reason);
            if let Some(left) = &proposal.left {
                let what = format!("the revert of {} is left to people to merge", proposal.label);
                decisions.log(now, subject, person, what, left.clone());
            }
            let acts = proposal.left.is_none();
            ceiling.moved(Moved { at: now, incident: incident.id.clone(), change: proposal.change.clone(), acts });
            (incident.proposed, incident.unproposed) = (Some(proposal), None);
        }
        Err(why) => {
            if let Some(why) = &why {
                decisions.log(now, subject, None, "no revert is opened by itself".to_owned(), why.clone());
            }
            incident.unproposed = why;
        }
    }
}

/// What is proposed for this incident, or why nothing is; where nobody would expect it, without a word.
fn propose(
    incident: &Incident,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    (mode, ceiling): (Mode, &Ceiling),
    now: Timestamp,
) -> Result<Proposal, Option<Reason>> {
    let held = incident.held.is_some() || incident.mitigated.is_some();
    if !service.is_live(&incident.environment) || incident.severity < Severity::Critical || held {
        return Err(None);
    }
    let Some(suspect) = incident.suspects.first() else { return Err(None) };
    let percent = suspect.likelihood.unwrap_or(0) / 10;
    let why = || why_not(incident, suspect, situation, service, settings);
    if let Some(why) = why() {
        return Err(Some(why));
    }
    let last = ceiling.moves.iter().map(|moved| moved.at).max();
    if let Some(until) = last.map(|last| last + APART).filter(|until| *until > now) {
        return Err(Some(Reason::OneWasProposedLately { until }));
    }
    let mut left = if mode < Mode::Act {
        Some(Reason::LeftToPeople)
    } else {
        why_not_merged(incident, percent, service, ceiling, now)
    };
    let pipeline = service.acts.as_ref().and_then(|acts| acts.rolls_back.as_ref()).filter(|_| left.is_none());
    let back = pipeline.and_then(|pipeline| Back::of(incident, suspect, situation, pipeline));
    if pipeline.is_some() && back.is_none() {
        left = Some(Reason::AnotherIsLive);
    }
    Ok(Proposal {
        change: suspect.change.clone(),
        label: suspect.label.clone(),
        responder: suspect.responder.clone(),
        at: now,
        percent,
        left,
        back,
        merging: Merging::NotBegun,
    })
}

/// Why the revert of this suspect is not opened by itself.
fn why_not(
    incident: &Incident,
    suspect: &Suspect,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
) -> Option<Reason> {
    let percent = suspect.likelihood.unwrap_or(0) / 10;
    if percent < service.policy.propose_from || suspect.stand != Stand::Active {
        return Some(Reason::NotLikelyEnough { percent });
    }
    if let Some(said) = incident.not_mine.iter().find(|said| said.person == suspect.responder) {
        return Some(Reason::NotMine { person: said.person.clone() });
    }
    let change = situation.changes.get(&suspect.change).map(|known| &known.value);
    let Some(change) = change.filter(|change| undo::can_open(settings, change)) else {
        return Some(Reason::NobodyOpensReverts);
    };
    if situation.undos.contains_key(&change.id) {
        return Some(Reason::RevertAsked);
    }
    if let clash @ Outlook::MayConflict(_) = outlook::outlook(change, situation) {
        return Some(Reason::RevertRefused { why: clash.to_string() });
    }
    outlook::migrations(&change.id, situation, &service.migrations).map(|why| Reason::RevertRefused { why })
}

/// Why it is not merged by itself.
fn why_not_merged(
    incident: &Incident,
    percent: u16,
    service: &Service,
    ceiling: &Ceiling,
    now: Timestamp,
) -> Option<Reason> {
    let Some(acts) = &service.acts else { return Some(Reason::LeftToPeople) };
    if !incident.alerts.values().any(|alert| alert.canary) {
        return Some(Reason::NoCanarySignal);
    }
    if percent < acts.likely_from {
        return Some(Reason::NotLikelyEnough { percent });
    }
    let last = ceiling.moves.iter().filter(|moved| moved.acts).map(|moved| moved.at).max();
    let until = last.map(|last| last + acts.cool_down.max(APART)).filter(|until| *until > now);
    until.map(|until| Reason::CoolsDown { until })
}

/// The incidents for which a revert was proposed that nobody has asked for yet, with what it is.
#[must_use]
pub fn unasked(situation: &Situation, service: &Service, now: Timestamp) -> Vec<Proposal> {
    if situation.mode(service) < Mode::Propose {
        return Vec::new();
    }
    let refused = |incident: &Incident| {
        let theirs = incident.proposed.as_ref().map(|proposal| &proposal.responder);
        incident.not_mine.iter().any(|said| Some(&said.person) == theirs)
    };
    let open = situation.incidents.values().map(|known| &known.value);
    let open = open.filter(|incident| incident.is_open() && incident.mitigated.is_none() && !refused(incident));
    // Not for ever: what nobody did is left to people.
    let fresh = |proposal: &&Proposal| now < proposal.at + still::TOO_LATE;
    let proposed = open.filter_map(|incident| incident.proposed.as_ref()).filter(fresh);
    proposed.filter(|proposal| !situation.undos.contains_key(&proposal.change)).cloned().collect()
}

/// Asked for at the change's [`undo::home`], or where it is still known, in the name of its responder. Whoever was faster has it.
#[must_use]
pub fn ask(proposal: &Proposal, at_home: &Situation, now: Timestamp) -> Decisions {
    let mut decisions = Decisions::none(&at_home.service, crate::decision::Wake::Now);
    let Some(change) = at_home.changes.get(&proposal.change) else { return decisions };
    if at_home.undos.contains_key(&proposal.change) {
        return decisions;
    }
    let undo = Undo { by_itself: true, ..Undo::new(&change.value, &proposal.responder, now) };
    let what = format!("the revert of {} is asked for by itself", proposal.label);
    let reason = Reason::Proposed { percent: proposal.percent };
    let subject = Some(Subject::Change(proposal.change.clone()));
    decisions.log(now, subject, Some(proposal.responder.clone()), what, reason);
    decisions.put(Record::Undo(undo), 0);
    decisions
}

#[cfg(test)]
#[path = "autopilot_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "autopilot/bounds_tests.rs"]
mod bounds_tests;
