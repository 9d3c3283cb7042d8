//! The named reason of every decision: read on the board, in the log, in a page and in the tests.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{EnvironmentName, Login, PersonId};

/// Why something was done, or was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Reason {
    // Merges.
    /// A change is on standby.
    MergedOnStandby,
    /// Nobody in the roster has this account; the owner stands in.
    UnknownMerger {
        login: Login,
    },
    /// The event said nothing new.
    AlreadyKnown,
    /// No service of the configuration deploys this repository.
    RepositoryNotServed,
    /// The change went to a branch that no service deploys.
    BranchNotDeployed {
        branch: String,
    },
    /// Kept for the day the queue merges it.
    EnqueueNoted,

    // Deployments.
    /// No service of this repository has an environment by this name.
    EnvironmentUnknown,
    /// Something reached an environment that is not live.
    NotTheLiveEnvironment {
        environment: EnvironmentName,
    },
    /// A live deployment began.
    LiveDeploymentStarted {
        changes: usize,
    },
    /// A live deployment succeeded.
    LiveDeploymentSucceeded {
        changes: usize,
    },
    /// A live deployment failed or was aborted: its changes are back on standby.
    LiveDeploymentFailed {
        changes: usize,
    },
    /// A deployment to an older commit took changes back.
    RolledBack {
        changes: usize,
    },
    /// The forge told which commits the deployment brought.
    ReleaseCompared {
        commits: usize,
    },
    /// The forge did not tell; merge order decides.
    CompareUnanswered {
        why: String,
    },

    // Turns.
    TurnStarted,
    TurnEndsSoon,
    TurnEnded,
    /// The deployment that started the turn failed, or was rolled back.
    BackOnStandby,
    /// We heard of the turn only after it was over; nobody is told of the past.
    TurnWasOverWhenHeard,
    /// The window is closed and leaves the working set.
    WindowClosed,

    // Incidents and pages.
    IncidentOpened {
        alerts: usize,
    },
    IncidentGrew {
        alerts: usize,
    },
    IncidentResolved,
    /// The resolution came before, or with, the alert.
    ResolvedBeforeItFired,
    /// Paged: the responder of the change that went live last.
    FirstSuspect {
        change: String,
    },
    /// Paged: no change is a suspect.
    NoSuspect,
    /// Paged: every suspect's turn is over.
    OnlyTailSuspects,
    /// Paged: nobody acknowledged in time.
    NobodyAcknowledged {
        minutes: i64,
    },
    /// Paged: the alert names no service we know.
    AlertNotPlaced,
    /// Told: somebody acknowledged.
    AcknowledgedBy {
        person: PersonId,
    },
    /// Told or dropped: the incident ended.
    ResolvedAt {
        at: Timestamp,
    },
    /// Not sent: it was accepted before, or withdrawn.
    AlreadyAccepted,
    /// Not sent now: another delivery of the same message is under way.
    DeliveryUnderWay,
    /// A receiver accepted the message.
    AcceptedBy {
        receiver: String,
    },
    /// Every contact of the person failed; tried again within two minutes.
    NoContactAccepted {
        why: String,
    },
}

impl Reason {
    /// The reason's name, as it stands in logs and in the store.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::MergedOnStandby => "merged_on_standby",
            Self::UnknownMerger { .. } => "unknown_merger",
            Self::AlreadyKnown => "already_known",
            Self::RepositoryNotServed => "repository_not_served",
            Self::BranchNotDeployed { .. } => "branch_not_deployed",
            Self::EnqueueNoted => "enqueue_noted",
            Self::EnvironmentUnknown => "environment_unknown",
            Self::NotTheLiveEnvironment { .. } => "not_the_live_environment",
            Self::LiveDeploymentStarted { .. } => "live_deployment_started",
            Self::LiveDeploymentSucceeded { .. } => "live_deployment_succeeded",
            Self::LiveDeploymentFailed { .. } => "live_deployment_failed",
            Self::RolledBack { .. } => "rolled_back",
            Self::ReleaseCompared { .. } => "release_compared",
            Self::CompareUnanswered { .. } => "compare_unanswered",
            Self::TurnStarted => "turn_started",
            Self::TurnEndsSoon => "turn_ends_soon",
            Self::TurnEnded => "turn_ended",
            Self::BackOnStandby => "back_on_standby",
            Self::TurnWasOverWhenHeard => "turn_was_over_when_heard",
            Self::WindowClosed => "window_closed",
            Self::IncidentOpened { .. } => "incident_opened",
            Self::IncidentGrew { .. } => "incident_grew",
            Self::IncidentResolved => "incident_resolved",
            Self::ResolvedBeforeItFired => "resolved_before_it_fired",
            Self::FirstSuspect { .. } => "first_suspect",
            Self::NoSuspect => "no_suspect",
            Self::OnlyTailSuspects => "only_tail_suspects",
            Self::NobodyAcknowledged { .. } => "nobody_acknowledged",
            Self::AlertNotPlaced => "alert_not_placed",
            Self::AcknowledgedBy { .. } => "acknowledged_by",
            Self::ResolvedAt { .. } => "resolved_at",
            Self::AlreadyAccepted => "already_accepted",
            Self::DeliveryUnderWay => "delivery_under_way",
            Self::AcceptedBy { .. } => "accepted_by",
            Self::NoContactAccepted { .. } => "no_contact_accepted",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MergedOnStandby => f.write_str("merged and not live yet: on standby"),
            Self::UnknownMerger { login } => {
                write!(f, "nobody in the roster has the account {login}: the owner stands in")
            }
            Self::AlreadyKnown => f.write_str("said nothing new"),
            Self::RepositoryNotServed => f.write_str("no service of the configuration deploys this repository"),
            Self::BranchNotDeployed { branch } => write!(f, "no service deploys the branch {branch}"),
            Self::EnqueueNoted => f.write_str("who enqueued is kept until the queue merges"),
            Self::EnvironmentUnknown => f.write_str("no service of this repository has an environment by this name"),
            Self::NotTheLiveEnvironment { environment } => {
                write!(f, "{environment} is not the live environment: nothing changes for the pager")
            }
            Self::LiveDeploymentStarted { changes } => {
                write!(f, "a live deployment began with {}", changes_word(*changes))
            }
            Self::LiveDeploymentSucceeded { changes } => {
                write!(f, "a live deployment succeeded with {}", changes_word(*changes))
            }
            Self::LiveDeploymentFailed { changes } => {
                write!(f, "a live deployment failed with {}: back to standby", changes_word(*changes))
            }
            Self::RolledBack { changes } => {
                write!(
                    f,
                    "a live deployment to an older commit took {} back",
                    crate::text::count(*changes, "change", "changes")
                )
            }
            Self::ReleaseCompared { commits } => write!(f, "the forge says the release has {commits} new commits"),
            Self::CompareUnanswered { why } => {
                write!(f, "the forge did not say what the release carries ({why}): merge order decides")
            }
            Self::TurnStarted => f.write_str("the change is live: the turn started"),
            Self::TurnEndsSoon => f.write_str("the turn ends soon"),
            Self::BackOnStandby => f.write_str("not live any more: back on standby"),
            Self::TurnEnded => f.write_str("the turn is over"),
            Self::TurnWasOverWhenHeard => f.write_str("the turn was over before we heard of it"),
            Self::WindowClosed => f.write_str("the tail is over: the window is closed"),
            Self::IncidentOpened { alerts } => write!(f, "opened by {}", alerts_word(*alerts)),
            Self::IncidentGrew { alerts } => write!(f, "now {}", alerts_word(*alerts)),
            Self::IncidentResolved => f.write_str("no alert fires any more"),
            Self::ResolvedBeforeItFired => f.write_str("resolved before we heard of it"),
            Self::FirstSuspect { change } => write!(f, "{change} went live last before the alert"),
            Self::NoSuspect => f.write_str("no recent change is a suspect"),
            Self::OnlyTailSuspects => f.write_str("every suspect's turn was over"),
            Self::NobodyAcknowledged { minutes } => write!(f, "nobody acknowledged within {minutes} min"),
            Self::AlertNotPlaced => f.write_str("the alert names no service we know"),
            Self::AcknowledgedBy { person } => write!(f, "{person} acknowledged"),
            Self::ResolvedAt { at } => write!(f, "resolved at {at}"),
            Self::AlreadyAccepted => f.write_str("accepted before, or withdrawn"),
            Self::DeliveryUnderWay => f.write_str("another delivery of the same message is under way"),
            Self::AcceptedBy { receiver } => write!(f, "accepted by {receiver}"),
            Self::NoContactAccepted { why } => {
                write!(f, "no contact accepted it ({why}): tried again within two minutes")
            }
        }
    }
}

fn changes_word(n: usize) -> String {
    crate::text::count(n, "new change", "new changes")
}

fn alerts_word(n: usize) -> String {
    crate::text::count(n, "alert", "alerts")
}
