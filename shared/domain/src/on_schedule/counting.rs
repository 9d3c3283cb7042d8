//! What is counted of deployments: each that went live, that had to be put right, that never got there; once each, by marks that
//! are kept with it. No look is made for it: what is due is counted when the service is looked at anyway, before windows close.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{LINGER, MOST_ACTIONS, Next};
use crate::change::Change;
use crate::decision::{Decisions, Record};
use crate::deployment::{Deployment, DeploymentKey, Manner};
use crate::incident::Incident;
use crate::measures::{self, Fact};
use crate::notices::Look;
use crate::release;
use crate::suspect;
use crate::window::{Phase, Window};

/// So long after its end it is known what a deployment carried: merges and answers of forges may come late.
const SETTLED: SignedDuration = SignedDuration::from_mins(10);
/// So many are counted in one look.
const MOST: usize = 8;
/// So many are marked: what was put right too. A rollback over more releases than there is room for counts the newest of them.
const MOST_MARKED: usize = 30;

/// Those that have new marks, as they are written by this look.
pub(super) type Counted = BTreeMap<DeploymentKey, Deployment>;

/// Counts what is due, and keeps that it was; whether all that is due was counted.
pub(super) fn deployments(decisions: &mut Decisions, next: &mut Next, look: &Look<'_>) -> (Counted, bool) {
    let mut all_counted = true;
    let mut counting = Counting { look, marked: Counted::new(), facts: Vec::new() };
    // The oldest first: what one takes back is counted before it is taken back.
    let mut all: Vec<&Deployment> = look.situation.deployments.values().map(|known| &known.value).collect();
    all.sort_by_key(|deployment| deployment.succeeded_at.or(deployment.failed_at).unwrap_or(deployment.created_at));
    for deployment in all {
        if counting.marked.len() >= MOST || decisions.actions() + MOST_MARKED + 15 > MOST_ACTIONS {
            next.at(look.now);
            all_counted = false;
            break;
        }
        counting.one(deployment);
    }
    counting.broken();
    decisions.facts.append(&mut counting.facts);
    for (key, deployment) in &counting.marked {
        let rev = look.situation.deployments.get(key).map_or(0, |known| known.rev);
        decisions.put(Record::Deployment(deployment.clone()), rev);
    }
    (counting.marked, all_counted)
}

struct Counting<'l, 'a> {
    look: &'l Look<'a>,
    marked: Counted,
    facts: Vec<Fact>,
}

impl<'a> Counting<'_, 'a> {
    /// The deployment with its marks, to be changed. It is written once in a look, so with all else that is to be kept of it.
    fn marked(&mut self, deployment: &Deployment) -> &mut Deployment {
        let all = self.look.all;
        self.marked.entry(deployment.key.clone()).or_insert_with(|| {
            let forgotten = all.iter().map(|window| window.change).find(|change| forgets(deployment, change));
            let commit_merged_at = forgotten.map(|change| change.merged_at).or(deployment.commit_merged_at);
            Deployment { commit_merged_at, ..deployment.clone() }
        })
    }

    /// As it is kept by now.
    fn now<'b>(&'b self, deployment: &'b Deployment) -> &'b Deployment {
        self.marked.get(&deployment.key).unwrap_or(deployment)
    }

    fn is_due(&self, ended: Timestamp) -> bool {
        ended + SETTLED <= self.look.now && self.is_in_time(ended)
    }

    /// What ended so long ago that it could have been counted and left, told once more, is not counted again.
    fn is_in_time(&self, ended: Timestamp) -> bool {
        let policy = &self.look.service.policy;
        self.look.now < ended + policy.at_most + policy.tail + LINGER
    }

    fn one(&mut self, deployment: &Deployment) {
        let live = self.look.service.is_live(&deployment.key.environment);
        if matches!(deployment.manner, Manner::Test(_)) {
            return;
        }
        if let Some(failed) = deployment.failed_at
            && deployment.has_failed()
            && !deployment.counted.stalled
            && self.is_due(failed)
        {
            self.marked(deployment).counted.stalled = true;
            self.facts.push(Fact::Stalled { at: failed, environment: deployment.key.environment.clone() });
        }
        let Some(succeeded) = deployment.succeeded_at.filter(|_| live && !deployment.counted.live) else { return };
        let closes =
            |window: &Window<'_>| matches!(window.phase, Phase::Closed { .. }) && window.involves(&deployment.key);
        if self.is_due(succeeded) || (self.is_in_time(succeeded) && self.look.all.iter().any(closes)) {
            self.marked(deployment).counted.live = true;
            let back = self.taken_back(deployment);
            self.facts.push(measures::of_release(deployment, succeeded, !back.is_empty(), self.look.all));
            self.took_back(deployment, back, succeeded);
        }
    }

    /// The releases that this one took back: of changes whose windows are here, and by what is remembered of those that have left.
    fn taken_back(&self, by: &Deployment) -> Vec<&'a Deployment> {
        let all = self.look.all;
        let of_windows = all.iter().flat_map(|window| &window.rolled_back).filter(|back| back.by.key == by.key);
        let changes: Vec<&Change> = all.iter().map(|window| window.change).collect();
        let deployments: Vec<&Deployment> = self.look.situation.deployments.values().map(|d| &d.value).collect();
        let remembered = release::taken_back(by, &changes, &deployments);
        let releases: BTreeMap<&DeploymentKey, &Deployment> =
            of_windows.map(|back| back.release).chain(remembered).map(|release| (&release.key, release)).collect();
        releases.into_values().collect()
    }

    /// Whatever this one took back had to be put right: from when monitors say that it was unwell, else from when it was live.
    fn took_back(&mut self, by: &Deployment, mut releases: Vec<&Deployment>, succeeded: Timestamp) {
        releases.sort_by_key(|release| std::cmp::Reverse(release.live_since()));
        for release in releases {
            let Some(since) = release.live_since() else { continue };
            let incidents = self.look.situation.incidents.values().map(|known| &known.value);
            // Of those that were not over before it was taken back.
            let open = |incident: &&Incident| incident.resolved_at.is_none_or(|at| Some(at) >= by.live_since());
            let during = incidents.filter(|incident| self.look.service.is_live(&incident.environment)).filter(open);
            let began = during.map(|incident| incident.began_at).filter(|at| since <= *at && *at <= succeeded).min();
            self.failed(release, began.unwrap_or(since), succeeded);
        }
    }

    /// What caused an incident had to be put right, once it is known for good that it did.
    fn broken(&mut self) {
        for known in self.look.situation.incidents.values() {
            let incident = &known.value;
            let Some(resolved) = incident.resolved_at.filter(|at| *at + LINGER <= self.look.now) else { continue };
            if self.look.service.is_live(&incident.environment)
                && let Some(deployment) = self.blamed(incident)
            {
                self.failed(deployment, incident.began_at, resolved);
            }
        }
    }

    fn failed(&mut self, deployment: &Deployment, from: Timestamp, to: Timestamp) {
        // What was too late to be counted as live is not counted as failed either.
        let known = self.now(deployment).counted;
        let room = self.marked.len() < MOST_MARKED || self.marked.contains_key(&deployment.key);
        if known.live && !known.failed && room {
            self.marked(deployment).counted.failed = true;
            self.facts.extend(measures::recovered(deployment, Some((from, to))));
        }
    }

    /// The deployment that brought the change which it was.
    fn blamed(&self, incident: &Incident) -> Option<&'a Deployment> {
        let culprit = incident.culprit()??;
        let suspect = incident.suspects.iter().find(|suspect| suspect.change == *culprit)?;
        let deployments = self.look.situation.deployments.values().map(|known| &known.value);
        let brought = |deployment: &&Deployment| {
            self.look.service.is_live(&deployment.key.environment)
                && deployment.succeeded_at.is_some()
                && suspect::live_since(deployment) == suspect.live_since
        };
        // Of two at the same moment, that of its own repository.
        deployments.filter(brought).max_by_key(|deployment| deployment.repository == culprit.repository)
    }
}

/// Whether the change is this deployment's commit, and the deployment does not remember when it was merged.
pub(super) fn forgets(deployment: &Deployment, change: &Change) -> bool {
    deployment.repository == change.id.repository
        && release::is_tip(deployment, change)
        && deployment.commit_merged_at != Some(change.merged_at)
}

#[cfg(test)]
#[path = "counting_tests.rs"]
mod tests;
