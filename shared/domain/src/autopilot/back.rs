//! Asking the pipeline to go back to what was live before, where a service's `acts` names one: sooner than its revert, which has to
//! go through the pipeline first. The revert is opened all the same, for a person to merge: without it the next release brings the
//! change again.
//!
//! Only while the suspect's release is the newest that is live: whatever came after it would be taken back too.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::deployment::{Deployment, DeploymentKey};
use crate::ids::{Commit, EnvironmentName, Repository};
use crate::incident::Incident;
use crate::release;
use crate::service::{Pipeline, Service};
use crate::settings::Settings;
use crate::situation::Situation;
use crate::suspect::{self, Suspect};
use crate::window;

/// So many changes that go back with it are named.
const MOST_NAMED: usize = 5;

/// What a pipeline is asked to take back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    /// As the configuration calls it, `argo-cd:edx/edxapp`.
    pub pipeline: String,
    /// The release that goes.
    pub release: DeploymentKey,
    pub repository: Repository,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    pub live_since: Timestamp,
    pub succeeded_at: Timestamp,
}

impl Back {
    /// The release that brought the suspect, where it is the newest that is live.
    pub(super) fn of(
        incident: &Incident,
        suspect: &Suspect,
        situation: &Situation,
        pipeline: &Pipeline,
    ) -> Option<Self> {
        let brought = |deployment: &&Deployment| {
            deployment.key.environment == incident.environment
                && deployment.succeeded_at.is_some()
                && suspect::live_since(deployment) == suspect.live_since
        };
        // Of two at the same moment, that of its own repository.
        let own = |deployment: &&Deployment| deployment.repository == suspect.change.repository;
        let release = deployments(situation).filter(brought).max_by_key(own)?;
        let newest = newest(situation, &incident.environment, &release.repository)?;
        Some(Self {
            pipeline: pipeline.to_string(),
            release: release.key.clone(),
            repository: release.repository.clone(),
            commit: release.commit.clone(),
            live_since: release.live_since()?,
            succeeded_at: release.succeeded_at?,
        })
        .filter(|_| newest.key == release.key)
    }

    /// Why the pipeline is not asked any more.
    pub(super) fn why_left(&self, situation: &Situation, service: &Service, now: Timestamp) -> Option<String> {
        let newest = newest(situation, &self.release.environment, &self.repository);
        if newest.is_none_or(|newest| newest.key != self.release) {
            return Some("another release is live by now".to_owned());
        }
        let applied = situation.posted.value.applied(service);
        applied.frozen_at(now).map(|_| "a freeze holds deployments".to_owned())
    }

    /// The other changes that go back with it, as people call them.
    pub(super) fn others(
        &self,
        suspect: &str,
        situation: &Situation,
        settings: &Settings,
        service: &Service,
    ) -> Vec<String> {
        let all = window::windows(situation, service, &settings.roster, self.succeeded_at);
        let with_it = all.iter().filter(|window| window.release.is_some_and(|release| release.key == self.release));
        with_it.map(|window| window.change.label()).filter(|label| label != suspect).take(MOST_NAMED).collect()
    }
}

fn deployments(situation: &Situation) -> impl Iterator<Item = &Deployment> {
    situation.deployments.values().map(|known| &known.value)
}

fn newest<'a>(
    situation: &'a Situation,
    environment: &EnvironmentName,
    repository: &Repository,
) -> Option<&'a Deployment> {
    release::newest_live(deployments(situation), environment, None, repository)
}
