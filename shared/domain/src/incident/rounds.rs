//! The rounds of an incident's escalation: when one begins, who has taken it in it, who was paged.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Incident;
use crate::acknowledgement::Acknowledgement;
use crate::ids::ChangeId;
use crate::reason::Reason;
use crate::service::Policy;
use crate::signals::Signal;

/// How many times at which it fired again are kept.
const MOST_REOPENED: usize = 10;

impl Incident {
    /// It fires again: the same incident, opened once more.
    pub fn reopen(&mut self, firing: &BTreeMap<String, Signal>, now: Timestamp) {
        self.resolved_at = None;
        self.reopened.push(now);
        self.doubt_mitigation();
        // A round begins for that already.
        self.held.take_if(|hold| matches!(hold.reason, Reason::TakenBack { .. }));
        let more = self.reopened.len().saturating_sub(MOST_REOPENED);
        self.reopened.drain(..more);
        self.alerts.retain(|key, _| firing.contains_key(key));
        self.severity = firing.values().map(|s| s.severity).max().unwrap_or(self.severity);
        self.join(firing, now);
        self.begin_round(now, Reason::FiresAgain);
    }

    /// Escalation begins anew, at `at`.
    pub fn begin_round(&mut self, at: Timestamp, why: Reason) {
        self.round += 1;
        (self.round_at, self.round_why) = (Some(at), Some(why));
    }

    /// When the present round of escalation began.
    #[must_use]
    pub fn round_began(&self) -> Timestamp {
        self.round_at.unwrap_or(self.detected_at)
    }

    /// Since when what was done about it may have helped: since it began, it fired again, or it worsened.
    #[must_use]
    pub fn unhelped_until(&self) -> Timestamp {
        let later = self.reopened.last().copied().max(self.worsened_at);
        self.began_at.max(later.unwrap_or(self.began_at))
    }

    /// What was taken back before it fired again, or worsened, has not helped.
    pub(crate) fn doubt_mitigation(&mut self) {
        let helps_from = self.unhelped_until();
        self.in_vain.extend(self.mitigated.take_if(|known| known.at < helps_from).map(|known| known.change));
    }

    /// Whether users no longer have this suspect.
    #[must_use]
    pub fn is_taken_back(&self, change: &ChangeId) -> bool {
        self.in_vain.contains(change) || self.mitigated.as_ref().is_some_and(|known| known.change == *change)
    }

    /// Whoever has taken it, as it is now: the latest to say so, if that has not grown stale.
    #[must_use]
    pub fn taken(&self, policy: &Policy, now: Timestamp) -> Option<&Acknowledgement> {
        self.last_taken().filter(|taken| now < taken.at + policy.acknowledged_for)
    }

    /// The latest to acknowledge what it is now about, in this round.
    #[must_use]
    pub fn last_taken(&self) -> Option<&Acknowledgement> {
        let of_now = |taken: &&Acknowledgement| {
            self.worsened_at.is_none_or(|worse| taken.at >= worse)
                && self.round_at.is_none_or(|began| taken.at >= began)
        };
        self.acknowledged.iter().filter(of_now).max_by_key(|taken| taken.at)
    }

    /// Whoever had taken it when this round began, and is asked again first: their word grew stale, or it worsened.
    #[must_use]
    pub fn taken_before(&self) -> Option<(&Acknowledgement, &Reason)> {
        let why = self.round_why.as_ref();
        let why = why.filter(|why| matches!(why, Reason::AcknowledgementStale { .. } | Reason::Worsened))?;
        let began = self.round_at?;
        Some((self.acknowledged.iter().filter(|taken| taken.at < began).max_by_key(|taken| taken.at)?, why))
    }
}
