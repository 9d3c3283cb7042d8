//! Merging a revert that was opened by itself, or having its release taken back: claimed before it is asked for, tried again where the
//! forge, or the pipeline, is not ready, and left to people as soon as one of them is at it, somebody has said that it is not theirs, or
//! the mode has gone down.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::still::{TOO_LATE, clash, is_late, not_ours, why_left};
use super::{Back, Proposal};
use crate::decision::{Decisions, Record, Wake};
use crate::ids::IncidentId;
use crate::incident::Incident;
use crate::message::Subject;
use crate::reason::Reason;
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::{Noted, Situation};
use crate::text;
use crate::undo::{Stage, Undo};
use crate::wording::{Reader, autopilot as words};

/// Whoever claimed it and said nothing for so long is gone.
const LEASE: SignedDuration = SignedDuration::from_mins(3);
/// Where the forge is not ready (its checks run yet), it is asked again each minute, so often.
const MOST_TRIES: u32 = 30;
const AGAIN: SignedDuration = SignedDuration::from_mins(1);
const MOST_WHY: usize = 160;

/// How far the merging of a revert is, or the taking back of its release.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merging {
    #[default]
    NotBegun,
    UnderWay {
        tries: u32,
        since: Timestamp,
    },
    Again {
        tries: u32,
        at: Timestamp,
        why: String,
    },
    #[serde(alias = "merged")]
    Done {
        at: Timestamp,
    },
    /// It is left to people.
    Left {
        why: String,
        at: Timestamp,
    },
}

impl Merging {
    pub(super) fn is_not_begun(&self) -> bool {
        *self == Self::NotBegun
    }

    /// How often it was tried, where it may be now.
    fn tries(&self, now: Timestamp) -> Option<u32> {
        match self {
            Self::NotBegun => Some(0),
            Self::Again { tries, at, .. } => (*at <= now).then_some(*tries),
            // Cut off: that was a try.
            Self::UnderWay { tries, since } => (*since + LEASE <= now).then_some(tries.saturating_add(1)),
            Self::Done { .. } | Self::Left { .. } => None,
        }
    }

    /// Whether something is yet to be done.
    fn is_over(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Left { .. })
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub incident: IncidentId,
    pub work: Work,
    pub tries: u32,
    /// Whether it was done by a try that was cut off: nothing is done any more.
    pub only_look: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    Merge(Undo),
    RollBack(Back),
}

/// What the forge said, or the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Merged,
    /// It goes back to this.
    RolledBack {
        to: String,
    },
    /// Not yet, or no answer: it is asked again.
    NotNow(String),
    Refused(String),
}

/// The incidents whose revert is to be merged now, or looked at whether it still is.
#[must_use]
pub fn due(situation: &Situation, now: Timestamp) -> Vec<IncidentId> {
    let of = |known: &Noted<Incident>| {
        let proposal = known.value.proposed.as_ref().filter(|proposal| proposal.left.is_none())?;
        let opened = || situation.undos.get(&proposal.change).is_some_and(|known| known.value.opened().is_some());
        // What was never opened is left to people in the end.
        let ready = proposal.back.is_some() || opened() || is_late(proposal, now);
        (ready && proposal.merging.tries(now).is_some()).then(|| known.value.id.clone())
    };
    situation.incidents.values().filter_map(of).collect()
}

/// When one of them has to be looked at again.
pub(crate) fn next_at(situation: &Situation, now: Timestamp) -> Option<Timestamp> {
    let proposals = situation.incidents.values().filter_map(|known| known.value.proposed.as_ref());
    let waits = |proposal: &&Proposal| {
        // Once more after that, so that people hear that it is theirs.
        let fresh = now < proposal.at + TOO_LATE + AGAIN;
        let asked = situation.undos.get(&proposal.change).map(|known| &known.value.stage);
        fresh
            && match asked {
                None => true,
                Some(stage) => {
                    let may = proposal.back.is_some() || !matches!(stage, Stage::Refused { .. });
                    proposal.left.is_none() && !proposal.merging.is_over() && may
                }
            }
    };
    proposals.filter(waits).map(|_| now + AGAIN).min()
}

/// Claims one, or leaves it to people where it is not to be merged any more.
#[must_use]
pub fn claim(
    id: &IncidentId,
    frozen: bool,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> (Decisions, Option<Claim>) {
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let Some((known, proposal)) = of(situation, id) else { return (decisions, None) };
    let Some(tries) = proposal.merging.tries(now) else { return (decisions, None) };
    let mode = situation.mode(service);
    let people = || why_left(&known.value, proposal, service, mode, now);
    let undo = situation.undos.get(&proposal.change).map(|known| &known.value).filter(|undo| undo.opened().is_some());
    let (work, left) = match (&proposal.back, undo) {
        (Some(back), _) => {
            let left = people().or_else(|| back.why_left(situation, service, now));
            (Work::RollBack(back.clone()), left)
        }
        (None, Some(undo)) => {
            let held = || frozen.then(|| "a freeze holds merging".to_owned());
            let left = not_ours(undo).or_else(people).or_else(held).or_else(|| clash(proposal, situation));
            (Work::Merge(undo.clone()), left)
        }
        (None, None) => {
            if is_late(proposal, now) {
                let why = format!("it was not opened within {} min", TOO_LATE.as_mins());
                leave(&mut decisions, known, proposal, &why, (service, settings), now);
            }
            return (decisions, None);
        }
    };
    let left = left.or_else(|| too_often(proposal, tries));
    // One that was cut off may have done it: whoever says that it did not has to have looked.
    let cut_off = matches!(proposal.merging, Merging::UnderWay { .. }) && tries < MOST_TRIES;
    if let Some(why) = left.clone().filter(|_| !cut_off) {
        leave(&mut decisions, known, proposal, &why, (service, settings), now);
        return (decisions, None);
    }
    let merging = Merging::UnderWay { tries, since: now };
    let mut incident = known.value.clone();
    incident.proposed = Some(Proposal { merging, ..proposal.clone() });
    decisions.put(Record::Incident(incident), known.rev);
    (decisions, Some(Claim { incident: id.clone(), work, tries, only_look: left }))
}

fn of<'a>(situation: &'a Situation, id: &IncidentId) -> Option<(&'a Noted<Incident>, &'a Proposal)> {
    let known = situation.incidents.get(id)?;
    Some((known, known.value.proposed.as_ref().filter(|proposal| proposal.left.is_none())?))
}

fn too_often(proposal: &Proposal, tries: u32) -> Option<String> {
    let why = match &proposal.merging {
        Merging::Again { why, .. } => why.as_str(),
        Merging::NotBegun | Merging::UnderWay { .. } | Merging::Done { .. } | Merging::Left { .. } => "no answer",
    };
    let who = if proposal.back.is_some() { "the pipeline" } else { "the forge" };
    (tries >= MOST_TRIES).then(|| format!("{who} was not ready within {MOST_TRIES} tries: {why}"))
}

fn leave(
    decisions: &mut Decisions,
    known: &Noted<Incident>,
    proposal: &Proposal,
    why: &str,
    (service, settings): (&Service, &Settings),
    now: Timestamp,
) {
    let why = text::line(why, MOST_WHY);
    let mut incident = known.value.clone();
    let merging = Merging::Left { why: why.clone(), at: now };
    incident.proposed = Some(Proposal { merging, ..proposal.clone() });
    let reason = Reason::NotMerged { why };
    let what = match &proposal.back {
        None => format!("the revert of {} is left to people to merge", proposal.label),
        Some(back) => format!("{} is not asked to take back {}: it is left to people", back.pipeline, proposal.label),
    };
    let subject = Some(Subject::Incident(incident.id.clone()));
    decisions.log(now, subject, Some(proposal.responder.clone()), what, reason.clone());
    if incident.is_open() {
        for person in std::iter::once(&proposal.responder).chain(&service.channel) {
            let reader = Reader { settings, service, person, now };
            decisions.tell(words::left(reader, &incident, proposal, reason.clone()));
        }
    }
    decisions.put(Record::Incident(incident), known.rev);
}

/// Keeps what was said, and tells whose change it is, and the channel.
#[must_use]
pub fn heard(
    claim: &Claim,
    said: &Said,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> Decisions {
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let Some((known, proposal)) = of(situation, &claim.incident) else { return decisions };
    if proposal.merging.is_over() {
        return decisions;
    }
    let mut incident = known.value.clone();
    match said {
        Said::Refused(why) => leave(&mut decisions, known, proposal, why, (service, settings), now),
        Said::NotNow(why) => {
            let (tries, why) = (claim.tries + 1, text::line(why, MOST_WHY));
            let merging = Merging::Again { tries, at: now + AGAIN, why };
            incident.proposed = Some(Proposal { merging, ..proposal.clone() });
            decisions.put(Record::Incident(incident), known.rev);
        }
        Said::Merged | Said::RolledBack { .. } => {
            let proposal = Proposal { merging: Merging::Done { at: now }, ..proposal.clone() };
            incident.proposed = Some(proposal.clone());
            let (reason, what) = match (&claim.work, said) {
                (Work::RollBack(back), Said::RolledBack { to }) => {
                    let reason = Reason::RolledBackByItself { pipeline: back.pipeline.clone(), to: text::line(to, 80) };
                    (reason, format!("{} takes back {} by itself", back.pipeline, proposal.label))
                }
                (Work::RollBack(_), _) => return decisions,
                (Work::Merge(undo), _) => {
                    let number = undo.opened().map_or(0, |(opened, _)| opened.number);
                    let what = format!("the revert of {} is merged by itself", proposal.label);
                    (Reason::MergedByItself { number }, what)
                }
            };
            let subject = Some(Subject::Incident(incident.id.clone()));
            decisions.log(now, subject, Some(proposal.responder.clone()), what, reason.clone());
            let others = proposal.back.as_ref().map(|back| back.others(&proposal.label, situation, settings, service));
            for person in std::iter::once(&proposal.responder).chain(&service.channel) {
                let reader = Reader { settings, service, person, now };
                decisions.tell(match &others {
                    None => words::merged(reader, &incident, &proposal, reason.clone()),
                    Some(others) => words::rolled_back(reader, &incident, &proposal, others, reason.clone()),
                });
            }
            decisions.put(Record::Incident(incident), known.rev);
        }
    }
    decisions
}

#[cfg(test)]
#[path = "merging_tests.rs"]
mod tests;
