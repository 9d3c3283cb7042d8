//! Which deployment brought which change into the live environment for the first time.
//!
//! Computed on read, never stored: a release of 500 changes costs no more to write than one of a single
//! change, and events in any order give the same answer.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::change::Change;
use crate::deployment::{Carries, Deployment};
use crate::ids::{ChangeId, EnvironmentName};
use crate::service::{Pin, Upstream};

/// Where a change stands with respect to the live environment.
#[derive(Debug, Clone, Default)]
pub struct Exposure<'a> {
    /// The deployment that brought it live, where it is live still.
    pub live: Option<&'a Deployment>,
    /// The change of the service's own repository that pins it, where it is a change of an upstream.
    pub pinned_by: Option<&'a Change>,
    /// Later deployments of the same commit, while it was live.
    pub redeployed: Vec<&'a Deployment>,
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

/// A deployment that took traffic, with the time at which its commit was merged, if that is known.
struct Moved<'a> {
    deployment: &'a Deployment,
    merged_at: Option<Timestamp>,
}

/// Every change's exposure in `environment`.
///
/// A deployment carries a change when the forge's comparison lists its commit, or it *is* its commit; where
/// the forge was not asked, when the change was merged no later than the deployed commit (or than the
/// deployment was created, if we never saw that commit merged). A deployment whose commit is known to be older
/// than a live change takes that change back. A change of an upstream goes live with the deployment that carries
/// the change which pins it, or with the next one where nothing is pinned.
#[must_use]
pub fn exposures<'a>(
    changes: &[&'a Change],
    deployments: &[&'a Deployment],
    environment: &EnvironmentName,
    upstreams: &[Upstream],
) -> BTreeMap<&'a ChangeId, Exposure<'a>> {
    let mut moved: Vec<Moved<'a>> = deployments
        .iter()
        .filter(|d| d.key.environment == *environment && d.live_since().is_some())
        .map(|d| Moved { deployment: d, merged_at: commit_merged_at(d, changes, deployments) })
        .collect();
    moved.sort_by(|a, b| a.deployment.order().cmp(&b.deployment.order()));
    let exposed = |change: &&'a Change| {
        let upstream = upstreams.iter().find(|u| u.repository == change.id.repository);
        (&change.id, exposure(change, upstream, changes, &moved))
    };
    changes.iter().map(exposed).collect()
}

fn exposure<'a>(
    change: &'a Change,
    upstream: Option<&Upstream>,
    changes: &[&'a Change],
    moved: &[Moved<'a>],
) -> Exposure<'a> {
    let mut exposure = Exposure::default();
    let mut newest: Option<&Deployment> = None;
    for Moved { deployment, merged_at } in moved {
        let by = match upstream {
            None if change.id.repository == deployment.repository => Some(change),
            None => continue,
            Some(upstream) => upstream.pinning(change, deployment, changes),
        };
        let carried = match by {
            Some(by) => carries(deployment, *merged_at, by),
            // Nothing pins it: whatever is newest is taken when the deployment is made.
            None => upstream.is_some_and(|u| u.pin == Pin::Newest) && change.merged_at <= deployment.created_at,
        };
        let older = || merged_at.zip(by).is_some_and(|(at, by)| by.merged_at > at);
        match (carried, exposure.live) {
            (true, _) if deployment.has_failed() => exposure.attempts.push(deployment),
            (true, None) => {
                exposure.live = Some(deployment);
                exposure.pinned_by = by.filter(|_| upstream.is_some());
            }
            // Again, with nothing else live in between: going back to it is the rollback of what came between.
            (true, Some(release))
                if release.is_of_same(deployment) && newest.is_some_and(|newest| newest.is_of_same(deployment)) =>
            {
                exposure.redeployed.push(deployment);
            }
            (false, Some(release)) if !deployment.has_failed() && older() => {
                exposure.rolled_back.push(RolledBack { release, by: deployment });
                exposure.live = None;
                exposure.redeployed.clear();
            }
            (true, Some(_)) | (false, _) => {}
        }
        if !deployment.has_failed() {
            newest = Some(deployment);
        }
    }
    exposure
}

impl Upstream {
    /// The first change of the deployed repository that pins this one, or a later one of the same upstream.
    fn pinning<'a>(&self, change: &Change, deployment: &Deployment, changes: &[&'a Change]) -> Option<&'a Change> {
        let Pin::Named(name) = &self.pin else { return None };
        changes
            .iter()
            .copied()
            .filter(|c| c.id.repository == deployment.repository && c.merged_at >= change.merged_at)
            .filter(|c| c.reverts.is_none() && names(&c.title, name))
            .min_by(|a, b| a.order().cmp(&b.order()))
    }
}

/// Whether a title names a library: `chore: bump edx-enterprise to 4.2` names `edx-enterprise`, and
/// `edx-enterprise-data` does not.
fn names(title: &str, name: &str) -> bool {
    let (title, name) = (title.to_lowercase(), name.to_lowercase());
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
    title
        .match_indices(&name)
        .any(|(at, found)| !part(title[..at].chars().next_back()) && !part(title[at + found.len()..].chars().next()))
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

/// The releases that a deployment took back, newer than what it goes back to; also where the changes have left the working set.
#[must_use]
pub(crate) fn taken_back<'a>(
    by: &Deployment,
    changes: &[&Change],
    deployments: &[&'a Deployment],
) -> Vec<&'a Deployment> {
    let of_here = |d: &&&Deployment| d.key.environment == by.key.environment && d.repository == by.repository;
    let went_live = |d: &&&Deployment| d.live_since().is_some() && !d.has_failed() && d.order() < by.order();
    let mut before: Vec<(&Deployment, Timestamp)> = deployments
        .iter()
        .filter(of_here)
        .filter(went_live)
        .filter_map(|d| Some((*d, commit_merged_at(d, changes, deployments)?)))
        .collect();
    before.sort_by(|(a, _), (b, _)| b.order().cmp(&a.order()));
    let Some(back_to) = commit_merged_at(by, changes, deployments) else { return Vec::new() };
    let (mut taken, mut lowest): (Vec<&Deployment>, _) = (Vec::new(), Timestamp::MAX);
    for (release, merged_at) in before {
        // What one in between went back behind was taken back by that one.
        if back_to < merged_at && merged_at <= lowest {
            // Of several to the same commit the first one brought it.
            if taken.last().is_some_and(|last| last.is_of_same(release)) {
                taken.pop();
            }
            taken.push(release);
        }
        lowest = lowest.min(merged_at);
    }
    taken
}

/// When the deployment's commit was merged, if we know or once knew: from the change, else from what this or
/// another deployment of the same commit remembers.
#[must_use]
pub fn commit_merged_at(
    deployment: &Deployment,
    changes: &[&Change],
    deployments: &[&Deployment],
) -> Option<Timestamp> {
    let change = changes.iter().find(|c| c.id.repository == deployment.repository && is_tip(deployment, c));
    let same = |d: &&&Deployment| d.repository == deployment.repository && d.is_of_same(deployment);
    let remembered = || deployments.iter().filter(same).filter_map(|d| d.commit_merged_at).min();
    // A commit that was deployed before, here or elsewhere, is no younger than its first deployment.
    let redeployed =
        || deployments.iter().filter(same).map(|d| d.created_at).min().filter(|first| *first < deployment.created_at);
    change.map(|c| c.merged_at).or_else(remembered).or_else(redeployed)
}

/// Whether the deployed commit is the change's own, or one of those that came with it.
pub(crate) fn is_tip(deployment: &Deployment, change: &Change) -> bool {
    std::iter::once(&change.id.commit).chain(&change.commits).any(|commit| deployment.is_of(commit))
}

fn carries(deployment: &Deployment, commit_merged_at: Option<Timestamp>, change: &Change) -> bool {
    is_tip(deployment, change)
        || match &deployment.carries {
            Carries::Commits { commits, .. } => commits.contains(&change.id.commit),
            Carries::Unasked | Carries::Unanswered { .. } => {
                change.merged_at <= commit_merged_at.unwrap_or(deployment.created_at)
            }
        }
}

#[cfg(test)]
#[path = "release_tests.rs"]
mod tests;
