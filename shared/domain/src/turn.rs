//! How long a turn lasts: from the live deployment until a while after it succeeded, longer while it is deployed
//! again or something is broken, shorter once it is taken back. To change how long a window lasts, change it here
//! or in [`crate::Policy`].
//!
//! | what happens | the turn ends |
//! | --- | --- |
//! | the deployment has not succeeded yet | `at_most` after it started |
//! | it succeeded | `active` later, at most `at_most` after it started |
//! | the same commit is deployed again meanwhile | `active` after that succeeded, within the same limit |
//! | something that broke while it was live is not over | with it, within the same limit |
//! | a revert of it, or a deployment to an older commit, is live | `after_failure` later, the tail with it |

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::deployment::Deployment;
use crate::release::RolledBack;
use crate::service::Policy;
use crate::signals::{Signal, Signals};

/// Why a turn lasts longer than its deployment alone would say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extension {
    /// The same commit was deployed again.
    Redeployed,
    /// Something broke while it was live, and is not over.
    IncidentOpen,
    /// Something broke while it was live, and took until then.
    IncidentOver,
}

/// Why a turn ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// A deployment to an older commit took it back: it goes live again with the next one.
    RolledBack,
    /// A change that reverts it is live.
    Reverted,
}

/// A turn and the tail after it, as far as is known now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn<'a> {
    /// The deployment that brought the change live.
    pub release: &'a Deployment,
    pub since: Timestamp,
    pub until: Timestamp,
    /// When it would have ended by its own deployment alone.
    pub planned: Timestamp,
    /// The end of the tail.
    pub over: Timestamp,
    /// Whether the end is known: the deployment has succeeded, and nothing is broken.
    pub settled: bool,
    pub extended: Option<Extension>,
    pub cut: Option<Cut>,
}

/// A time in which a monitor said that something was wrong; without an end while it still is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

/// What monitors say was, or is, wrong. Read from their words and not from our incidents, so that it does not depend
/// on whether an alert or its resolution came first. Of what began before `from`, when the first of all turns did, nothing comes.
#[must_use]
pub fn broken(signals: &Signals, from: Timestamp) -> Vec<Broken> {
    let lately = signals.by_key.values().filter(|signal| signal.started_at.is_some_and(|at| at >= from));
    let spans = lately.flat_map(Signal::spans).filter(|(since, _)| *since >= from);
    spans.map(|(since, until)| Broken { since, until }).collect()
}

/// The turn of a change that this release brought live. `reverted_at`: since when a revert of it is live.
#[must_use]
pub fn live<'a>(
    release: &'a Deployment,
    redeployed: &[&Deployment],
    broken: &[Broken],
    reverted_at: Option<Timestamp>,
    policy: &Policy,
) -> Option<Turn<'a>> {
    let turn = whole(release, redeployed, broken, policy)?;
    Some(turn.cut_short(reverted_at, Cut::Reverted, policy))
}

/// The turn of a release that a deployment to an older commit took back.
#[must_use]
pub fn taken_back<'a>(back: &RolledBack<'a>, broken: &[Broken], policy: &Policy) -> Option<Turn<'a>> {
    let turn = whole(back.release, &[], broken, policy)?;
    Some(turn.cut_short(back.by.live_since(), Cut::RolledBack, policy))
}

/// The turn of a release that nothing takes back.
fn whole<'a>(
    release: &'a Deployment,
    redeployed: &[&Deployment],
    broken: &[Broken],
    policy: &Policy,
) -> Option<Turn<'a>> {
    let since = release.live_since()?;
    let limit = since + policy.at_most;
    let ends = |d: &Deployment| d.succeeded_at.map_or(limit, |at| limit.min(at + policy.active));
    let mut turn = Turn {
        release,
        since,
        until: ends(release),
        planned: ends(release),
        over: limit,
        settled: release.succeeded_at.is_some(),
        extended: None,
        cut: None,
    };
    // What prolongs a turn has to begin before it would be over. Both lists are short and one can make room for
    // the other, so they are gone through until nothing changes.
    while prolong(&mut turn, redeployed, broken, limit, &ends) {}
    turn.over = turn.until + policy.tail;
    Some(turn)
}

fn prolong(
    turn: &mut Turn<'_>,
    redeployed: &[&Deployment],
    broken: &[Broken],
    limit: Timestamp,
    ends: &impl Fn(&Deployment) -> Timestamp,
) -> bool {
    let before = turn.until;
    for again in redeployed.iter().filter(|d| d.live_since().is_some_and(|at| at < before)) {
        turn.longer(ends(again), Extension::Redeployed, again.succeeded_at.is_some());
    }
    let since = turn.since;
    for span in broken.iter().filter(|span| span.since >= since && span.since < before) {
        match span.until {
            Some(at) => turn.longer(limit.min(at), Extension::IncidentOver, true),
            None => turn.longer(limit, Extension::IncidentOpen, false),
        }
    }
    turn.until > before
}

impl Turn<'_> {
    fn longer(&mut self, until: Timestamp, why: Extension, settled: bool) {
        if until > self.until {
            (self.until, self.extended, self.settled) = (until, Some(why), settled);
        }
    }

    /// Ends turn and tail a while after it was taken back, if they would last longer.
    fn cut_short(self, taken_back_at: Option<Timestamp>, cut: Cut, policy: &Policy) -> Self {
        let Some(at) = taken_back_at.map(|at| at.max(self.since) + policy.after_failure) else {
            return self;
        };
        let settled = self.settled || at <= self.until;
        Self { until: self.until.min(at), over: self.over.min(at), settled, cut: Some(cut), ..self }
    }
}

#[cfg(test)]
#[path = "turn_tests.rs"]
mod tests;
