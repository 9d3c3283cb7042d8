//! The named reason of every decision: read on the board, in the log, in a page and in the tests.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::ids::{EnvironmentName, Login, PersonId, SquadId};
use crate::squad::WishReason;

/// Why something was done, or was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "reason")]
#[strum(serialize_all = "snake_case")]
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
    /// The change touches nothing that this service is made of.
    TouchesOtherPaths,
    /// Kept for the day the queue merges it.
    EnqueueNoted,
    /// A bot enqueued or approved: that says nothing about who answers.
    ByABot,
    /// Kept for the day a bot merges what it made.
    ApprovalNoted,
    /// Merged outside working hours: somebody is asked to take the pager.
    MergedOffHours {
        when: String,
    },
    /// An outside contributor merged, and no champion can be reached: the rotation holds it.
    NoChampion,
    /// An outside contributor merged; a champion answers.
    ChampionAnswers,
    /// Who was asked takes the pager.
    PagerTaken,
    /// Who was asked does not take the pager.
    PagerDeclined,
    /// Everybody who was asked declined: the rotation is warned.
    EverybodyDeclined,
    /// Nobody took the pager: the rotation is warned.
    Unattended,

    // Deployments.
    /// No service of this repository has an environment by this name.
    EnvironmentUnknown,
    /// Nothing that the pipeline calls it is a service of the configuration.
    DeploymentUnplaced,
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
    /// End-to-end tests of a release.
    TestsStarted {
        suite: String,
    },
    TestsPassed {
        suite: String,
    },
    /// Whose changes are in it are told; nobody is paged.
    TestsFailed {
        suite: String,
        changes: usize,
    },
    /// Kept for the day it is deployed.
    ReferenceNoted,
    /// The secret by which the sender proved itself is bound to other repositories or services.
    OutOfScope,
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
    /// Deployed again, or something broke: the turn lasts longer.
    TurnExtended,
    /// A revert of the change is live.
    TurnReverted,
    /// A revert went live with the change: it never took traffic.
    RevertedBeforeLive,
    /// Told: now that it is live, somebody else answers.
    SomebodyElseAnswers,
    /// Changes have waited for long: the owner is told.
    QueueWaits {
        hours: i64,
    },
    /// Changes have waited so long that the owner is deputy.
    QueueDeputy {
        hours: i64,
    },
    /// The pipeline was paused by a person.
    QueuePaused {
        why: String,
    },
    /// The pipeline goes on.
    QueueResumed,
    /// Somebody has the pager, or a window, by this person's word.
    ShiftMade {
        by: PersonId,
    },
    /// It was given back before its time.
    ShiftEnded,
    /// Not told: the person does not want this notice.
    Muted,
    /// Not told, not paged: in this service people take and hand over the pager themselves.
    ManualMode,
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
    /// Paged: this person has the pager of the service.
    HasThePager,
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
    /// Told, or not: what a squad wishes to hear of.
    SquadWish {
        squad: SquadId,
        wish: WishReason,
    },
    /// Squads hear of an incident, or do not, as they wish.
    SquadsWishes,
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
    /// Not sent: no receiver took it while it was true.
    NoLongerTrue,
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
        self.into()
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
            Self::TouchesOtherPaths => f.write_str("the change touches nothing that this service is made of"),
            Self::EnqueueNoted => f.write_str("who enqueued is kept until the queue merges"),
            Self::ByABot => f.write_str("by a bot, which says nothing about who answers"),
            Self::ApprovalNoted => f.write_str("who approved is kept until a bot merges"),
            Self::MergedOffHours { when } => write!(f, "merged at a time that is not working time: {when}"),
            Self::NoChampion => f.write_str("no champion can be reached: the rotation holds it"),
            Self::ChampionAnswers => f.write_str("an outside contributor merged: a champion answers"),
            Self::PagerTaken => f.write_str("asked, and takes the pager"),
            Self::PagerDeclined => f.write_str("asked, and does not take the pager"),
            Self::EverybodyDeclined => f.write_str("everybody who was asked declined: the rotation is warned"),
            Self::Unattended => f.write_str("nobody took the pager: unattended, the rotation is warned"),
            Self::DeploymentUnplaced => f.write_str(
                "no service is called as the pipeline calls it: say so by `deployed_as` of one of its environments",
            ),
            Self::TestsStarted { suite } => write!(f, "the tests {suite} began"),
            Self::TestsPassed { suite } => write!(f, "the tests {suite} passed"),
            Self::TestsFailed { suite, changes } => {
                write!(f, "the tests {suite} failed with {}: their responders are told", changes_word(*changes))
            }
            Self::ReferenceNoted => f.write_str("which commit it stands for is kept until it is deployed"),
            Self::OutOfScope => f.write_str("the sender's secret does not speak for this"),
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
            Self::TurnExtended => f.write_str("deployed again, or something broke: the turn lasts longer"),
            Self::TurnReverted => f.write_str("a revert of it is live"),
            Self::RevertedBeforeLive => f.write_str("a revert went live with it: it never took traffic"),
            Self::SomebodyElseAnswers => f.write_str("now that it is live, somebody else answers"),
            Self::QueueWaits { hours } => write!(f, "waiting for {hours} h: the owner is told"),
            Self::QueueDeputy { hours } => {
                write!(f, "waiting for {hours} h without pauses and freezes: the owner is deputy")
            }
            Self::QueuePaused { why } => write!(f, "the pipeline is paused: {why}"),
            Self::QueueResumed => f.write_str("the pipeline goes on"),
            Self::ShiftMade { by } => write!(f, "by the word of {by}"),
            Self::ShiftEnded => f.write_str("given back before its time"),
            Self::Muted => f.write_str("not told: this person does not want this notice"),
            Self::ManualMode => f.write_str("mode manual: people take and hand over the pager themselves"),
            Self::TurnWasOverWhenHeard => f.write_str("the turn was over before we heard of it"),
            Self::WindowClosed => f.write_str("the tail is over: the window is closed"),
            Self::IncidentOpened { alerts } => write!(f, "opened by {}", alerts_word(*alerts)),
            Self::IncidentGrew { alerts } => write!(f, "now {}", alerts_word(*alerts)),
            Self::IncidentResolved => f.write_str("no alert fires any more"),
            Self::ResolvedBeforeItFired => f.write_str("resolved before we heard of it"),
            Self::FirstSuspect { change } => write!(f, "{change} went live last before the alert"),
            Self::HasThePager => f.write_str("has the pager of the service just now"),
            Self::NoSuspect => f.write_str("no recent change is a suspect"),
            Self::OnlyTailSuspects => f.write_str("every suspect's turn was over"),
            Self::NobodyAcknowledged { minutes } => write!(f, "nobody acknowledged within {minutes} min"),
            Self::AlertNotPlaced => f.write_str("the alert names no service we know"),
            Self::SquadWish { squad, wish } => write!(f, "{squad}: {wish}"),
            Self::SquadsWishes => f.write_str("as the squads wish"),
            Self::AcknowledgedBy { person } => write!(f, "{person} acknowledged"),
            Self::ResolvedAt { at } => write!(f, "resolved at {at}"),
            Self::AlreadyAccepted => f.write_str("accepted before, or withdrawn"),
            Self::NoLongerTrue => f.write_str("no receiver took it while it was true"),
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
