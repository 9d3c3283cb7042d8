//! Which deployment brought which change into the live environment for the first time.
//!
//! Computed on read, never stored: a release of 500 changes costs no more to write than one of a single
//! change, and events in any order give the same answer.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::change::Change;
use crate::deployment::{Carries, Deployment};
use crate::ids::{ChangeId, EnvironmentName};

/// Where a change stands with respect to the live environment.
#[derive(Debug, Clone, Default)]
pub struct Exposure<'a> {
    /// The first deployment that brought it live and did not fail.
    pub live: Option<&'a Deployment>,
    /// Deployments that tried to and failed, or were aborted: it may have taken traffic for a while.
    pub attempts: Vec<&'a Deployment>,
}

/// Every change's exposure in `environment`.
///
/// A deployment carries a change when the forge's comparison lists its commit, or it *is* its commit; where
/// the forge was not asked, when the change was merged no later than the deployed commit (or than the
/// deployment was created, if we never saw that commit merged).
#[must_use]
pub fn exposures<'a>(
    changes: &[&'a Change],
    deployments: &[&'a Deployment],
    environment: &EnvironmentName,
) -> BTreeMap<&'a ChangeId, Exposure<'a>> {
    let mut moved: Vec<&Deployment> =
        deployments.iter().copied().filter(|d| d.key.environment == *environment && d.live_since().is_some()).collect();
    moved.sort_by(|a, b| a.order().cmp(&b.order()));
    let reaches: Vec<Timestamp> = moved.iter().map(|d| reach(d, changes)).collect();

    let mut found: BTreeMap<&ChangeId, Exposure<'_>> = BTreeMap::new();
    for change in changes {
        let exposure = found.entry(&change.id).or_default();
        for (deployment, reach) in moved.iter().zip(&reaches) {
            if !carries(deployment, *reach, change) {
                continue;
            }
            if deployment.has_failed() {
                exposure.attempts.push(deployment);
            } else {
                exposure.live = Some(deployment);
                break;
            }
        }
    }
    found
}

/// The newest deployment of the repository that is live in `environment`: what a rollback goes back to.
#[must_use]
pub fn newest_live<'a>(
    deployments: impl Iterator<Item = &'a Deployment>,
    environment: &EnvironmentName,
    before: Option<&Deployment>,
    of: &crate::ids::Repository,
) -> Option<&'a Deployment> {
    deployments
        .filter(|d| d.key.environment == *environment && d.repository == *of && !d.has_failed())
        .filter(|d| d.live_since().is_some() && before.is_none_or(|b| d.order() < b.order()))
        .max_by(|a, b| a.order().cmp(&b.order()))
}

fn reach(deployment: &Deployment, changes: &[&Change]) -> Timestamp {
    changes
        .iter()
        .find(|c| c.id.repository == deployment.repository && c.id.commit.same(&deployment.commit))
        .map_or(deployment.created_at, |c| c.merged_at)
}

fn carries(deployment: &Deployment, reach: Timestamp, change: &Change) -> bool {
    if change.id.repository != deployment.repository {
        return false;
    }
    change.id.commit.same(&deployment.commit)
        || match &deployment.carries {
            Carries::Commits { commits, .. } => commits.contains(&change.id.commit),
            Carries::Unasked | Carries::Unanswered { .. } => change.merged_at <= reach,
        }
}
