//! The rounds of an incident's escalation: when one begins, who has taken it in it, who was paged.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Incident;
use crate::acknowledgement::Acknowledgement;
use crate::ids::PersonId;
use crate::reason::Reason;
use crate::service::Policy;
use crate::signals::Signal;

/// How many times at which it fired again are kept.
const MOST_REOPENED: usize = 10;

impl Incident {
    /// It fires again: the same incident, opened once more.
    pub fn reopen(&mut self, firing: &BTreeMap<String, Signal>, now: Timestamp) {
        (self.resolved_at, self.mitigated) = (None, None);
        self.reopened.push(now);
        let more = self.reopened.len().saturating_sub(MOST_REOPENED);
        self.reopened.drain(..more);
        self.alerts.retain(|key, _| firing.contains_key(key));
        self.severity = firing.values().map(|s| s.severity).max().unwrap_or(self.severity);
        self.join(firing);
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

    #[must_use]
    pub fn was_paged_this_round(&self, person: &PersonId) -> bool {
        self.pages.iter().any(|p| p.person == *person && p.round == self.round)
    }

    /// By what a pager knows this person's page of this round.
    #[must_use]
    pub fn pager_key(&self, person: &PersonId, round: u32) -> String {
        format!("{}/{person}/{round}", self.id)
    }
}
