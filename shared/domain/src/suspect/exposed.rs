//! Which changes users had when something broke, and by which deployment.

use jiff::{SignedDuration, Timestamp};

use super::Stand;
use crate::deployment::Deployment;
use crate::service::Policy;
use crate::window::{Closed, Phase, Window};

/// A rollout takes no longer.
const LONGEST_ROLLOUT: SignedDuration = SignedDuration::from_hours(4);

/// The deployment by which the window's change was in front of users at `at`, if it was.
pub(super) fn exposed<'a>(window: &Window<'a>, policy: &Policy, at: Timestamp) -> Option<(&'a Deployment, Stand)> {
    if let Phase::Closed { reason: Closed::RevertedBeforeLive | Closed::OtherPaths, .. } = window.phase {
        return None;
    }
    let was =
        window.turns.iter().rev().find(|t| t.release.suspect_since().is_some_and(|since| since <= at) && at < t.over);
    if let Some(turn) = was {
        return Some((turn.release, if at < turn.until { Stand::Active } else { Stand::Tail }));
    }
    let tried = window.attempts.iter().rev().find(|attempt| {
        let ended = attempt.failed_at.map(|failed| failed + policy.after_failure);
        attempt.suspect_since().is_some_and(|since| since <= at) && ended.is_some_and(|ended| at < ended)
    })?;
    Some((*tried, Stand::Active))
}

pub(crate) fn live_since(deployment: &Deployment) -> Timestamp {
    deployment.suspect_since().unwrap_or(deployment.created_at)
}

/// Whether it was under way then, however it ended. One that is never told to have ended is not under way for ever.
pub(super) fn is_rolling_out(deployment: &Deployment, at: Timestamp) -> bool {
    let ended = deployment.succeeded_at.into_iter().chain(deployment.failed_at).min();
    at < ended.unwrap_or(live_since(deployment) + LONGEST_ROLLOUT)
}

#[cfg(test)]
#[path = "exposed_tests.rs"]
mod tests;
