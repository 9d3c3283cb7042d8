//! End-to-end tests of a release: whose changes are in what failed.
//!
//! A suite is kept as an environment of its own: a run that passes is a deployment that succeeded there. So the changes
//! in question are those that came since it last passed, found by the same arithmetic as every release.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::change::Change;
use crate::deployment::{Deployment, Manner};
use crate::ids::ChangeId;
use crate::release;
use crate::service::Service;
use crate::situation::Situation;

/// What failed longer ago is no news.
const NEWS: SignedDuration = SignedDuration::from_hours(24);

/// The newest failed run of a suite, and the other changes that are in question.
#[derive(Debug, Clone)]
pub struct Failure<'a> {
    pub suite: &'a str,
    pub run: &'a Deployment,
    pub at: Timestamp,
    pub others: Vec<&'a Change>,
}

/// For each change, the suites that failed with it and have not passed since.
#[must_use]
pub fn failures<'a>(
    situation: &'a Situation,
    service: &Service,
    now: Timestamp,
) -> BTreeMap<&'a ChangeId, Vec<Failure<'a>>> {
    let deployments: Vec<&Deployment> = situation.deployments.values().map(|d| &d.value).collect();
    let suites: BTreeSet<_> =
        deployments.iter().filter(|d| matches!(d.manner, Manner::Test(_))).map(|d| &d.key.environment).collect();
    let mut found: BTreeMap<&ChangeId, Vec<Failure<'a>>> = BTreeMap::new();
    if suites.is_empty() {
        return found;
    }
    let changes: Vec<&Change> = situation.changes.values().map(|c| &c.value).collect();
    for suite in suites {
        let exposures = release::exposures(&changes, &deployments, suite, &service.upstreams);
        let failed: Vec<(&Change, &Deployment, Timestamp)> = changes
            .iter()
            .filter_map(|change| {
                let exposure = exposures.get(&change.id).filter(|exposure| exposure.live.is_none())?;
                let runs = exposure.attempts.iter().filter_map(|run| Some((*run, run.failed_at?)));
                let (run, at) = runs.filter(|(_, at)| now < *at + NEWS).max_by_key(|(_, at)| *at)?;
                Some((*change, run, at))
            })
            .collect();
        for (change, run, at) in &failed {
            let Manner::Test(suite) = &run.manner else { continue };
            let others = failed.iter().map(|(other, ..)| *other).filter(|other| other.id != change.id).collect();
            found.entry(&change.id).or_default().push(Failure { suite, run, at: *at, others });
        }
    }
    found
}
