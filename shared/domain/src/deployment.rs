//! A deployment: a commit reaching one environment of one service, as far as its pipeline has told us.
//!
//! What we know only ever grows, and each report adds the same knowledge whenever it arrives: that is what
//! makes every arrival order end in the same state.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{Commit, EnvironmentName, Repository};

/// What a pipeline says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    Started,
    Succeeded,
    Failed,
    Aborted,
}

/// One report of a pipeline, in our words. `environment` is still the pipeline's name for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentEvent {
    pub source: String,
    /// The pipeline's own id of the deployment: the same over all its reports.
    pub id: String,
    pub repository: Repository,
    pub environment: String,
    pub commit: Commit,
    pub state: DeploymentState,
    pub at: Timestamp,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Identity of a deployment within a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeploymentKey {
    pub environment: EnvironmentName,
    pub source: String,
    pub id: String,
}

impl fmt::Display for DeploymentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.environment, self.source, self.id)
    }
}

/// Which commits a deployment brought that the one before it lacked, as far as the forge has told us.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carries {
    /// Not asked, or no token to ask with: merge order decides.
    #[default]
    Unasked,
    /// The forge's answer to "what is in this commit that was not in `since`?".
    Commits { since: Commit, commits: BTreeSet<Commit> },
    /// The forge did not say; merge order decides. `tries` so far.
    Unanswered { tries: u32, last: Timestamp },
}

/// Everything known of one deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    pub key: DeploymentKey,
    pub repository: Repository,
    pub commit: Commit,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    #[serde(default)]
    pub aborted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default)]
    pub carries: Carries,
    /// When its commit was merged, once we know: kept here because the change itself leaves the working set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_merged_at: Option<Timestamp>,
}

impl Deployment {
    /// The first we hear of a deployment, whichever of its reports that is.
    #[must_use]
    pub fn first(event: &DeploymentEvent, environment: EnvironmentName) -> Self {
        let mut deployment = Self {
            key: DeploymentKey { environment, source: event.source.clone(), id: event.id.clone() },
            repository: event.repository.clone(),
            commit: event.commit.clone(),
            created_at: event.created_at,
            started_at: None,
            succeeded_at: None,
            failed_at: None,
            aborted: false,
            url: None,
            carries: Carries::Unasked,
            commit_merged_at: None,
        };
        deployment.learn(event);
        deployment
    }

    /// Adds a report. Commutative and idempotent: of each kind of report the earliest counts.
    pub fn learn(&mut self, event: &DeploymentEvent) {
        let slot = match event.state {
            DeploymentState::Started => &mut self.started_at,
            DeploymentState::Succeeded => &mut self.succeeded_at,
            DeploymentState::Failed | DeploymentState::Aborted => &mut self.failed_at,
        };
        *slot = Some(slot.map_or(event.at, |known| known.min(event.at)));
        self.aborted |= event.state == DeploymentState::Aborted;
        self.created_at = self.created_at.min(event.created_at);
        if event.url > self.url {
            self.url.clone_from(&event.url);
        }
    }

    /// Failed or aborted, and never succeeded: its changes are not live.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed_at.is_some() && self.succeeded_at.is_none()
    }

    /// When its changes first took traffic. A report of success alone says so too.
    #[must_use]
    pub fn live_since(&self) -> Option<Timestamp> {
        match (self.started_at, self.succeeded_at) {
            (Some(started), Some(succeeded)) => Some(started.min(succeeded)),
            (started, succeeded) => started.or(succeeded),
        }
    }

    /// The earliest moment at which it can have broken something: a pipeline that reports only success may
    /// have moved traffic any time after the deployment was created.
    #[must_use]
    pub fn suspect_since(&self) -> Option<Timestamp> {
        self.started_at.or_else(|| self.succeeded_at.map(|succeeded| succeeded.min(self.created_at)))
    }

    /// The order in which deployments took effect.
    #[must_use]
    pub fn order(&self) -> (Option<Timestamp>, &DeploymentKey) {
        (self.live_since(), &self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(state: DeploymentState, at: &str) -> DeploymentEvent {
        DeploymentEvent {
            source: "github".into(),
            id: "7".into(),
            repository: "openedx/edx-platform".parse().unwrap(),
            environment: "prod".into(),
            commit: "8c1c06a1a8".parse().unwrap(),
            state,
            at: at.parse().unwrap(),
            created_at: "2026-03-20T10:00:00Z".parse().unwrap(),
            url: None,
        }
    }

    #[test]
    fn reports_in_any_order_and_number_say_the_same() {
        let reports = [
            report(DeploymentState::Started, "2026-03-20T10:01:00Z"),
            report(DeploymentState::Failed, "2026-03-20T10:05:00Z"),
            report(DeploymentState::Succeeded, "2026-03-20T10:09:00Z"),
        ];
        let told = |order: &[usize]| {
            let mut d = Deployment::first(&reports[order[0]], EnvironmentName::live());
            for i in order {
                d.learn(&reports[*i]);
            }
            d
        };
        let want = told(&[0, 1, 2]);
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            assert_eq!(told(&order), want);
        }
        assert!(!want.has_failed(), "a retry that succeeded is live");
    }
}
