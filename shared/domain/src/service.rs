//! A service: what is deployed and alerts, who owns it, and the policy that times its windows.

use jiff::SignedDuration;

use crate::alert::Alert;
use crate::calendar::Timetable;
use crate::ids::{EnvironmentName, PersonId, Repository, ServiceId};

/// Every number of "when am I on call?", per service. The defaults are PRODUCT.md's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long after a deployment succeeded its changes' responders stay first to be paged.
    pub active: SignedDuration,
    /// The longest a turn may last, counted from the start of the live deployment.
    pub at_most: SignedDuration,
    /// How long after the turn a change stays a suspect, no longer paged first.
    pub tail: SignedDuration,
    /// How long before the end of the turn its responder is reminded.
    pub ending_notice: SignedDuration,
    /// How long a page may go unacknowledged before the rotation is paged too.
    pub rotation_after: SignedDuration,
    /// How long a failed deployment's changes stay suspects: they may have taken live traffic.
    pub after_failure: SignedDuration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            active: SignedDuration::from_mins(60),
            at_most: SignedDuration::from_hours(4),
            tail: SignedDuration::from_hours(24),
            ending_notice: SignedDuration::from_mins(10),
            rotation_after: SignedDuration::from_mins(5),
            after_failure: SignedDuration::from_mins(15),
        }
    }
}

/// A repository whose changes go live in a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedRepository {
    pub repository: Repository,
    /// The branch that is deployed; absent: the repository's default branch.
    pub branch: Option<String>,
}

/// Where a service runs. Exactly one environment of a service is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    pub name: EnvironmentName,
    pub live: bool,
    /// What pipelines and monitors call it, compared without regard to case; its own name always counts.
    pub aliases: Vec<String>,
}

impl Environment {
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name.as_str().eq_ignore_ascii_case(name) || self.aliases.iter().any(|a| a.eq_ignore_ascii_case(name))
    }
}

/// An alert's label that says "this is mine": `service=edxapp`, or `alarm=edxapp-*` for all that begin so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher {
    pub label: String,
    pub value: String,
}

impl Matcher {
    /// Compared without regard to case.
    #[must_use]
    pub fn matches(&self, alert: &Alert) -> bool {
        let Some(given) = alert.labels.get(&self.label).map(|v| v.to_lowercase()) else {
            return false;
        };
        let wanted = self.value.to_lowercase();
        wanted.strip_suffix('*').map_or(given == wanted, |start| given.starts_with(start))
    }
}

/// A thing that is deployed and alerts.
#[derive(Debug, Clone)]
pub struct Service {
    pub id: ServiceId,
    pub repositories: Vec<ServedRepository>,
    pub environments: Vec<Environment>,
    pub owners: Vec<PersonId>,
    pub rotation: Vec<PersonId>,
    pub alerts: Vec<Matcher>,
    pub policy: Policy,
    /// When its people are at hand, and the calendars it follows.
    pub timetable: Timetable,
    pub runbook: Option<String>,
    pub dashboard: Option<String>,
}

impl Service {
    /// The environment that customers use.
    #[must_use]
    pub fn live_environment(&self) -> Option<&Environment> {
        self.environments.iter().find(|e| e.live)
    }

    #[must_use]
    pub fn is_live(&self, environment: &EnvironmentName) -> bool {
        self.environments.iter().any(|e| e.live && e.name == *environment)
    }

    #[must_use]
    pub fn environment_called(&self, name: &str) -> Option<&Environment> {
        self.environments.iter().find(|e| e.is_called(name))
    }

    /// Whether merges into `branch` of `repository` go live here.
    #[must_use]
    pub fn serves(&self, repository: &Repository, branch: &str, is_default: bool) -> bool {
        self.repositories
            .iter()
            .any(|r| r.repository == *repository && r.branch.as_deref().map_or(is_default, |wanted| wanted == branch))
    }

    #[must_use]
    pub fn has(&self, repository: &Repository) -> bool {
        self.repositories.iter().any(|r| r.repository == *repository)
    }
}
