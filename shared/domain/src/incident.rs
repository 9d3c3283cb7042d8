//! An incident: the alerts of one failure, who was paged for it and why, who acknowledged, how it ended.
//!
//! Pages are an append-only log here. Their delivery is the outbox's business; who is due is [`crate::escalation`]'s.

mod pages;
mod rounds;
mod wrong;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::acknowledgement::Acknowledgement;
use crate::alert::Severity;
use crate::autopilot::Proposal;
use crate::hold::Hold;
use crate::ids::{ChangeId, EnvironmentName, IncidentId, PersonId, ServiceId, SquadId};
use crate::message::is_zero;
use crate::outcome::{Mitigated, NotMine, State, Verdict};
use crate::reason::Reason;
use crate::service::Policy;
use crate::signals::Signal;
use crate::squad::WishReason;
use crate::suspect::Suspect;
pub(crate) use pages::MOST_REPEATS;
pub use pages::PageRecord;

/// How many alerts of one incident are kept in words; all of them are counted.
pub const MOST_ALERTS: usize = 20;

/// One alert as the incident remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRecord {
    pub name: String,
    pub summary: String,
    pub severity: Severity,
    pub started_at: Timestamp,
    /// What its monitor calls the failure that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The files and modules that it names, nearest to the failure first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Whether it says that the new release does worse than the one beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub canary: bool,
}

/// What begins so much later than the rest of an incident is something else, unless its monitor says that it is not.
const SAME_FAILURE: SignedDuration = SignedDuration::from_mins(15);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    pub service: ServiceId,
    pub environment: EnvironmentName,
    pub severity: Severity,
    /// By alert key (sender and fingerprint).
    pub alerts: BTreeMap<String, AlertRecord>,
    /// The most alerts that fired at one time, in words or not.
    #[serde(default)]
    pub at_once: usize,
    /// When the earliest of its alerts began, as the monitors say.
    pub began_at: Timestamp,
    /// When the latest of its alerts began: a change must have been live by then to be a suspect.
    pub latest_at: Timestamp,
    /// When something more severe than before, or something else, began, where that came later: who took it before, took
    /// something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worsened_at: Option<Timestamp>,
    /// When we heard that something which it was about already became more severe, where that was so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risen_at: Option<Timestamp>,
    /// When we first heard of it.
    pub detected_at: Timestamp,
    /// How many rounds of escalation there were before this one, when this one began and why; absent: with the incident.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub round: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_why: Option<Reason>,
    /// Why nobody is paged just now, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Hold>,
    /// When it fired again after it was over: the newest of these times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reopened: Vec<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspects: Vec<Suspect>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<PageRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acknowledged: Vec<Acknowledgement>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_mine: Vec<NotMine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigated: Option<Mitigated>,
    /// What was taken back before it fired again, or worsened: that was not it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub in_vain: BTreeSet<ChangeId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What each squad's wish came to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub squads: BTreeMap<SquadId, WishReason>,
    /// How often the service's channel heard of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub channel_said: u32,
    /// How often it was told that somebody has taken it: in one round again, where the first one gave it back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub taken_said: u32,
    /// The revert that was opened for it without anybody's pressing it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<Proposal>,
    /// Why none is, where one might be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unproposed: Option<Reason>,
    /// Who heard of it without being paged.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub told: BTreeSet<PersonId>,
}

impl Incident {
    /// Opens the incident of these newly firing alerts. Its id comes from what opened it, so that a
    /// repetition of the same decision is the same incident.
    #[must_use]
    pub fn open(
        service: &ServiceId,
        environment: &EnvironmentName,
        firing: &BTreeMap<String, Signal>,
        now: Timestamp,
    ) -> Self {
        let opening = firing.iter().filter_map(|(key, s)| s.started_at.map(|at| (at, key))).min();
        let began_at = opening.map_or(now, |(at, _)| at);
        let key = opening.map_or("", |(_, key)| key.as_str());
        let id = IncidentId::digest(service, &format!("{environment}\n{key}\n{began_at}"));
        let mut incident = Self {
            id,
            service: service.clone(),
            environment: environment.clone(),
            severity: Severity::Info,
            alerts: BTreeMap::new(),
            at_once: 0,
            began_at,
            latest_at: began_at,
            worsened_at: None,
            risen_at: None,
            detected_at: now,
            round: 0,
            round_at: None,
            round_why: None,
            held: None,
            reopened: Vec::new(),
            suspects: Vec::new(),
            pages: Vec::new(),
            acknowledged: Vec::new(),
            not_mine: Vec::new(),
            mitigated: None,
            in_vain: BTreeSet::new(),
            resolved_at: None,
            verdict: None,
            squads: BTreeMap::new(),
            channel_said: 0,
            taken_said: 0,
            proposed: None,
            unproposed: None,
            told: BTreeSet::new(),
        };
        incident.join(firing, now);
        incident
    }

    /// Adds what fires now, the most severe first. Nothing that was once part of the incident leaves it.
    ///
    /// Whoever took it before we heard that it is worse did not take that, whenever the monitor says that it began.
    pub fn join(&mut self, firing: &BTreeMap<String, Signal>, now: Timestamp) {
        let unknown_to = self.acknowledged.iter().map(|taken| taken.at).max();
        let after = unknown_to.map(|at| at + SignedDuration::from_nanos(1));
        self.at_once = self.at_once.max(firing.len());
        let before = Some(self.severity).filter(|_| !self.alerts.is_empty());
        let mut firing: Vec<(&String, &Signal)> = firing.iter().collect();
        firing.sort_by_key(|(_, signal)| (std::cmp::Reverse(signal.severity), signal.started_at));
        for (key, signal) in firing {
            let Some(started_at) = signal.started_at else { continue };
            let something_else = !self.is_same_failure(key, signal, started_at);
            self.began_at = self.began_at.min(started_at);
            self.latest_at = self.latest_at.max(started_at);
            self.severity = self.severity.max(signal.severity);
            let known = self.alerts.contains_key(key);
            let kept = known || (self.alerts.len() < MOST_ALERTS && !signal.name.is_empty());
            let worse = before.is_some_and(|before| before < signal.severity);
            if worse || (something_else && before.is_some()) {
                // What is not kept would be something else each time that it is told.
                let heard = after.filter(|_| worse || kept);
                self.worsened_at = self.worsened_at.max(Some(started_at.min(now))).max(heard);
                self.risen_at = self.risen_at.max(Some(now).filter(|_| worse && known));
            }
            if kept {
                let said = self.alerts.get(key).filter(|_| signal.name.is_empty());
                let record = AlertRecord {
                    name: said.map_or(&signal.name, |said| &said.name).clone(),
                    summary: said.map_or(&signal.summary, |said| &said.summary).clone(),
                    severity: signal.severity,
                    started_at,
                    group: signal.group.clone(),
                    url: said.map_or(&signal.url, |said| &said.url).clone(),
                    names: said.map_or(&signal.names, |said| &said.names).clone(),
                    canary: signal.canary,
                };
                self.alerts.insert(key.clone(), record);
            }
        }
    }

    /// How many alerts it is made of, as far as we know.
    #[must_use]
    pub fn alerts(&self) -> usize {
        self.alerts.len().max(self.at_once)
    }

    #[must_use]
    pub fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// Whether an alert belongs to the failure that this incident is about already: a known one, one that its monitor
    /// groups with a known one, or one that began at about the same time.
    fn is_same_failure(&self, key: &str, signal: &Signal, started_at: Timestamp) -> bool {
        let grouped = signal.group.is_some() && self.alerts.values().any(|known| known.group == signal.group);
        // Of a storm not every alert is kept: more of it is nothing else.
        let storm = self.alerts.len() >= MOST_ALERTS;
        self.alerts.contains_key(key) || grouped || storm || started_at <= self.latest_at + SAME_FAILURE
    }

    /// The suspect for which this person is paged: what somebody named, else one whose turn is not over before the others, the likeliest
    /// first.
    #[must_use]
    pub fn suspect_of(&self, person: &PersonId) -> Option<&Suspect> {
        let theirs = self.suspects.iter().filter(|suspect| suspect.responder == *person);
        let named = self.not_mine.iter().rev().find_map(|said| said.instead.as_ref());
        let key = |s: &&Suspect| (self.is_taken_back(&s.change), s.stand, Some(&s.change) != named);
        theirs.min_by_key(key)
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self, policy: &Policy, now: Timestamp) -> State {
        match self {
            Self { resolved_at: Some(_), verdict: Some(_), .. } => State::Judged,
            Self { resolved_at: Some(_), .. } => State::Resolved,
            Self { mitigated: Some(_), .. } => State::Mitigated,
            _ if self.taken(policy, now).is_some() => State::Acknowledged,
            Self { pages, .. } if !pages.is_empty() => State::Paged,
            _ => State::Detected,
        }
    }

    /// The alert that says it best: the most severe, of these the first to fire.
    #[must_use]
    pub fn headline(&self) -> Option<&AlertRecord> {
        self.alerts.values().min_by(|a, b| b.severity.cmp(&a.severity).then(a.started_at.cmp(&b.started_at)))
    }
}

/// Letters and digits that are easy to say on the telephone.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// How many of them an incident's name has.
const NAME: usize = 8;

impl IncidentId {
    /// Whether this looks like an id of ours: it ends in such a name.
    #[must_use]
    pub fn is_coined(text: &str) -> bool {
        let name = text.rsplit_once('-').map_or("", |(_, name)| name);
        name.len() == NAME && name.bytes().all(|b| LETTERS.contains(&b))
    }

    /// `edxapp-` and forty bits of a digest.
    fn digest(service: &ServiceId, content: &str) -> Self {
        let hash = Sha256::digest(format!("{service}\n{content}"));
        let mut bits = hash.iter().take(5).fold(0u64, |bits, byte| (bits << 8) | u64::from(*byte));
        let mut name = String::new();
        for _ in 0..NAME {
            name.push(char::from(LETTERS[(bits & 31) as usize]));
            bits >>= 5;
        }
        Self::of(service, &name)
    }
}

#[cfg(test)]
#[path = "incident/bounds_tests.rs"]
pub(crate) mod bounds_tests;
