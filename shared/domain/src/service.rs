//! A service: what is deployed and alerts, who owns it, and the policy that times its windows.

mod frozen;

use std::sync::Arc;

use jiff::SignedDuration;

use crate::alert::{Alert, Severity};
use crate::autopilot::Acts;
use crate::calendar::{Timetable, WorkingHours};
use crate::change::Files;
use crate::freeze::Time;
use crate::ids::{EnvironmentName, PersonId, Repository, ServiceId};
use crate::measures::digest::Weekly;
use crate::mode::Mode;
use crate::paths::Paths;
use crate::shown::Spot;
use crate::text;

pub use frozen::{Frozen, Pipeline};

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
    /// How long after one suspect's responder the next one's is paged, if nobody acknowledged.
    pub next_suspect_after: SignedDuration,
    /// How long a page may go unacknowledged before the rotation is paged too.
    pub rotation_after: SignedDuration,
    /// How likely, in percent, it has to be that a person's changes are it for them to be paged before the rotation; if nobody's is,
    /// the rotation is paged at once.
    pub first_suspect_from: u16,
    /// The same for the second and the third.
    pub next_suspect_from: u16,
    /// How long before the owner is.
    pub owner_after: SignedDuration,
    /// How long before whoever did not answer is asked again; nothing: never.
    pub again_after: SignedDuration,
    /// How long an acknowledgement counts: after it, whoever gave it is asked whether they are still at it.
    pub acknowledged_for: SignedDuration,
    /// What fires again so soon after it was over is the same incident.
    pub reopen_within: SignedDuration,
    /// How long something that flaps has to fire before it pages again, unless it is most severe.
    pub damping: SignedDuration,
    /// How severe an incident has to be for anybody to be paged.
    pub pages_from: Severity,
    /// How long a failed deployment's changes stay suspects: they may have taken live traffic. Also how long a
    /// change stays one after its revert, or a deployment to an older commit, is live.
    pub after_failure: SignedDuration,
    /// What a merge outside working hours means.
    pub off_hours: OffHours,
    /// How long each person who is asked to take the pager has to answer.
    pub answer_within: SignedDuration,
    /// Who answers for a change when everybody who was asked declined.
    pub declined: Declined,
    /// How old the oldest change of the queue may get before the owner is told.
    pub queue_told_after: SignedDuration,
    /// How long a change may wait, not counting pauses and freezes, before the owner becomes deputy.
    pub queue_deputy_after: SignedDuration,
    /// At how many waiting changes the owner and the channel are warned; 0: never.
    pub queue_warned_at: [u16; 2],
    /// How many changes a release carries at most after a freeze: more are let go in several.
    pub release_at_most: u16,
    /// How likely, in percent, the first suspect has to be the cause for its revert to be opened by itself.
    pub propose_from: u16,
    /// More wrong pages to one person within 30 days lower the service's mode; 0: never.
    pub wrong_pages_at_most: u16,
}

/// What a merge outside working hours means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffHours {
    /// A merge like any other.
    Allow,
    /// The merger is asked to take the pager.
    Ask,
    /// Asked, and its deployment waits for a yes or for working hours.
    Hold,
}

/// Who answers for a change when everybody who was asked declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declined {
    Owner,
    Rotation,
    /// The merger all the same: one can say no to being asked, not to having merged.
    Merger,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            active: SignedDuration::from_mins(60),
            at_most: SignedDuration::from_hours(4),
            tail: SignedDuration::from_hours(24),
            ending_notice: SignedDuration::from_mins(10),
            next_suspect_after: SignedDuration::from_mins(3),
            rotation_after: SignedDuration::from_mins(5),
            first_suspect_from: 15,
            next_suspect_from: 15,
            owner_after: SignedDuration::from_mins(15),
            again_after: SignedDuration::from_mins(10),
            acknowledged_for: SignedDuration::from_mins(60),
            reopen_within: SignedDuration::from_mins(15),
            damping: SignedDuration::from_mins(10),
            pages_from: Severity::Warning,
            after_failure: SignedDuration::from_mins(15),
            off_hours: OffHours::Ask,
            answer_within: SignedDuration::from_mins(15),
            declined: Declined::Owner,
            queue_told_after: SignedDuration::from_hours(24),
            queue_deputy_after: SignedDuration::from_hours(72),
            queue_warned_at: [8, 16],
            release_at_most: 8,
            propose_from: 70,
            wrong_pages_at_most: 3,
        }
    }
}

/// A repository whose changes go live in a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedRepository {
    pub repository: Repository,
    /// The branch that is deployed; absent: the repository's default branch.
    pub branch: Option<String>,
    /// The part of the repository that is this service; empty: all of it.
    pub paths: Paths,
}

/// A library or plug-in that goes live in the service although it is merged elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    pub repository: Repository,
    pub pin: Pin,
}

/// How a service takes an upstream in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// A change of the service's own repository says so: its title has this name, as `bump edx-enterprise` does.
    Named(String),
    /// Every deployment takes the newest.
    Newest,
}

/// Where a service runs. Exactly one environment of a service is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    pub name: EnvironmentName,
    pub live: bool,
    /// What pipelines and monitors call it, compared without regard to case; its own name always counts.
    pub aliases: Vec<String>,
    /// What pipelines call the service when they deploy it here; `*` stands for anything.
    pub deployed_as: Vec<String>,
}

impl Environment {
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name.as_str().eq_ignore_ascii_case(name) || self.aliases.iter().any(|a| a.eq_ignore_ascii_case(name))
    }

    /// Whether one of these names is what a pipeline calls the service here.
    #[must_use]
    pub fn is_deployed_as(&self, names: &[String]) -> bool {
        self.deployed_as.iter().any(|pattern| names.iter().any(|name| text::is_like(name, pattern)))
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

/// A schedule of a pager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The receiver's name, as the configuration calls it.
    pub receiver: String,
    /// What the pager calls the schedule.
    pub id: String,
}

/// A thing that is deployed and alerts.
#[derive(Debug, Clone)]
pub struct Service {
    pub id: ServiceId,
    pub mode: Mode,
    pub repositories: Vec<ServedRepository>,
    pub upstreams: Vec<Upstream>,
    pub environments: Vec<Environment>,
    pub owners: Vec<PersonId>,
    pub rotation: Vec<PersonId>,
    /// Whom the pager says is on call, before `rotation`: a schedule there.
    pub schedule: Option<Schedule>,
    /// Where the responder of an active window is written as the first level, where we stand beside the pager.
    pub beside: Option<Schedule>,
    /// The channel whose topic says who is on call.
    pub channel_topic: Option<Spot>,
    /// The user group that is whoever is on call.
    pub user_group: Option<Spot>,
    /// Where everybody can follow the service's incidents: somebody of the roster who is a channel.
    pub channel: Option<PersonId>,
    pub alerts: Vec<Matcher>,
    pub policy: Policy,
    /// When its people are at hand, and the calendars it follows.
    pub timetable: Timetable,
    /// The pipelines that are asked to hold while its deployments are frozen.
    pub holds: Vec<Pipeline>,
    /// What has to be so for a revert to be merged by itself; absent: none is.
    pub acts: Option<Acts>,
    /// When in each week it may break, and nobody is paged.
    pub maintenance: Option<WorkingHours>,
    /// When its deployments have to wait, for freezes: each list by time.
    pub frozen: Vec<Arc<Vec<Time>>>,
    /// Which files are migrations, that a revert does not take back.
    pub migrations: Paths,
    pub runbook: Option<String>,
    pub dashboard: Option<String>,
    /// When its channel reads what the week was like; absent: never.
    pub digest: Option<Weekly>,
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
        let own = |r: &ServedRepository| {
            r.repository == *repository && r.branch.as_deref().map_or(is_default, |b| b == branch)
        };
        self.repositories.iter().any(own) || (is_default && self.upstreams.iter().any(|u| u.repository == *repository))
    }

    /// Whether deployments of this repository are deployments of the service.
    #[must_use]
    pub fn deploys(&self, repository: &Repository) -> bool {
        self.repositories.iter().any(|r| r.repository == *repository)
    }

    /// Whether merges into this repository can go live here: its own, and its upstreams.
    #[must_use]
    pub fn concerns(&self, repository: &Repository) -> bool {
        self.deploys(repository) || self.upstreams.iter().any(|u| u.repository == *repository)
    }

    /// The repositories from which changes go live here: its own, and its upstreams'.
    pub fn merged(&self) -> impl Iterator<Item = &Repository> {
        let own = self.repositories.iter().map(|served| &served.repository);
        own.chain(self.upstreams.iter().map(|upstream| &upstream.repository))
    }

    /// Who answers where nobody else does: the first owner, else the first of the rotation.
    #[must_use]
    pub fn last_resort(&self) -> Option<&PersonId> {
        self.owners.first().or_else(|| self.rotation.first())
    }

    /// Whether a change of these files concerns this service. Where not all of the files are known, it does.
    #[must_use]
    pub fn touched_by(&self, repository: &Repository, files: Option<&Files>) -> bool {
        let touched = |paths: &Paths, files: &Files| files.cut || files.paths.iter().any(|file| paths.matches(file));
        let touches = |paths: &Paths| paths.is_empty() || files.is_none_or(|files| touched(paths, files));
        self.repositories.iter().any(|r| r.repository == *repository && touches(&r.paths))
            || self.upstreams.iter().any(|u| u.repository == *repository)
    }
}
