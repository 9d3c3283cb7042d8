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
    /// The deployment that brought it live, where it is live still.
    pub live: Option<&'a Deployment>,
    /// Deployments that tried to and failed, or were aborted: it may have taken traffic for a while.
    pub attempts: Vec<&'a Deployment>,
    /// Times at which it was live and was taken back.
    pub rolled_back: Vec<RolledBack<'a>>,
}

/// A release that was taken back by a deployment to an older commit.
#[derive(Debug, Clone, Copy)]
pub struct RolledBack<'a> {
    pub release: &'a Deployment,
    pub by: &'a Deployment,
}

/// Every change's exposure in `environment`.
///
/// A deployment carries a change when the forge's comparison lists its commit, or it *is* its commit; where
/// the forge was not asked, when the change was merged no later than the deployed commit (or than the
/// deployment was created, if we never saw that commit merged). A deployment whose commit is known to be older
/// than a live change takes that change back.
#[must_use]
pub fn exposures<'a>(
    changes: &[&'a Change],
    deployments: &[&'a Deployment],
    environment: &EnvironmentName,
) -> BTreeMap<&'a ChangeId, Exposure<'a>> {
    let mut moved: Vec<&Deployment> =
        deployments.iter().copied().filter(|d| d.key.environment == *environment && d.live_since().is_some()).collect();
    moved.sort_by(|a, b| a.order().cmp(&b.order()));
    let commits: Vec<Option<Timestamp>> = moved.iter().map(|d| commit_merged_at(d, changes, deployments)).collect();

    let mut found: BTreeMap<&ChangeId, Exposure<'_>> = BTreeMap::new();
    for change in changes {
        let exposure = found.entry(&change.id).or_default();
        for (deployment, merged_at) in moved.iter().zip(&commits) {
            if change.id.repository != deployment.repository {
                continue;
            }
            let carried = carries(deployment, *merged_at, change);
            match (carried, exposure.live) {
                (true, _) if deployment.has_failed() => exposure.attempts.push(deployment),
                (true, None) => exposure.live = Some(deployment),
                (false, Some(release))
                    if !deployment.has_failed() && merged_at.is_some_and(|at| change.merged_at > at) =>
                {
                    exposure.rolled_back.push(RolledBack { release, by: deployment });
                    exposure.live = None;
                }
                (true, Some(_)) | (false, _) => {}
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

/// When the deployment's commit was merged, if we know or once knew: from the change, else from what this or
/// another deployment of the same commit remembers.
#[must_use]
pub fn commit_merged_at(
    deployment: &Deployment,
    changes: &[&Change],
    deployments: &[&Deployment],
) -> Option<Timestamp> {
    let change =
        changes.iter().find(|c| c.id.repository == deployment.repository && c.id.commit.same(&deployment.commit));
    let same = |d: &&&Deployment| d.repository == deployment.repository && d.commit.same(&deployment.commit);
    let remembered = || deployments.iter().filter(same).filter_map(|d| d.commit_merged_at).min();
    // A commit that was deployed before, here or elsewhere, is no younger than its first deployment.
    let redeployed =
        || deployments.iter().filter(same).map(|d| d.created_at).min().filter(|first| *first < deployment.created_at);
    change.map(|c| c.merged_at).or_else(remembered).or_else(redeployed)
}

fn carries(deployment: &Deployment, commit_merged_at: Option<Timestamp>, change: &Change) -> bool {
    change.id.commit.same(&deployment.commit)
        || match &deployment.carries {
            Carries::Commits { commits, .. } => commits.contains(&change.id.commit),
            Carries::Unasked | Carries::Unanswered { .. } => {
                change.merged_at <= commit_merged_at.unwrap_or(deployment.created_at)
            }
        }
}
