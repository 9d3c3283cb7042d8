//! The named reason of every decision: read on the board, in the log, in a page and in the tests.

mod words;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::alert::Severity;
use crate::audit::Redacted;
use crate::ids::{EnvironmentName, IncidentId, PersonId, SquadId};
use crate::login::Login;
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
    /// Nothing was merged: it is about a pull request that is, or was, open.
    NotAMerge,
    /// Noted of an open pull request.
    PullNoted,
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
    /// The forge told which files the change touches.
    FilesTold {
        files: usize,
    },
    /// The forge did not tell; what the merge listed stands.
    FilesUnanswered {
        why: String,
    },
    /// Told without who merged it and what: the forge is asked.
    MergeToBeRead,
    /// The forge did not tell who merged it and what.
    MergeUnread {
        why: String,
    },
    /// Told without who merged it and what, and there is no forge to ask.
    NoForgeToAsk,
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
    /// What was learnt of a service's past was forgotten, as somebody wished.
    Unlearnt,
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
    /// Paged: the responder of the likeliest cause. `percent`: how likely, as far as that was reckoned.
    FirstSuspect {
        change: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        percent: Option<u16>,
    },
    /// Paged: this person has the pager of the service.
    HasThePager,
    /// Paged: no change is a suspect.
    NoSuspect,
    /// Paged: every suspect's turn is over.
    OnlyTailSuspects,
    /// Paged: the responder of a further suspect.
    NextSuspect {
        change: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        percent: Option<u16>,
    },
    /// Paged: no suspect stands out. `percent`: how likely it is that the likeliest person's changes are it.
    NobodyStandsOut {
        percent: u16,
    },
    /// Paged: nobody acknowledged in time.
    NobodyAcknowledged {
        minutes: i64,
    },
    /// Paged again: still nobody has.
    StillUnacknowledged {
        minutes: i64,
    },
    /// Paged: whoever might have been it said that it is not theirs.
    NobodysOwn,
    /// A new round: whoever took it took it so long ago.
    AcknowledgementStale {
        minutes: i64,
    },
    /// A new round: something more severe, or something else, began after it was taken.
    Worsened,
    /// A new round: it fires again after it was over.
    FiresAgain,
    /// A new round: what kept everybody asleep is over, and it still fires.
    HeldNoLonger,
    /// Not paged: less severe than the service pages for.
    NotSevereEnough {
        severity: Severity,
    },
    /// Not paged: maintenance.
    UnderMaintenance {
        until: Timestamp,
    },
    /// Not paged: a suspect was taken back; it may be over soon.
    TakenBack {
        change: String,
        how: String,
    },
    /// Not paged: it comes and goes.
    Flapping {
        times: usize,
    },
    /// Whoever had taken it in the monitor or pager has it no more.
    GivenBackThere,
    /// Not sent: a later page to the same person says the same.
    Superseded,
    /// Not paged once more: the page for another service, by the same change, names this too.
    NamedTogether {
        incident: IncidentId,
    },
    /// Nothing is broken: somebody wants to see that pages arrive.
    Drill {
        by: PersonId,
    },
    /// A pager tells us of a page of ours: that is no alert.
    OurOwnPage,
    /// Somebody says that it is not theirs.
    NotMine {
        person: PersonId,
    },
    /// It is known which change it was.
    JudgedToBe {
        change: String,
    },
    /// The rotation is read from the pager.
    RotationRead {
        pager: String,
    },
    /// The rotation cannot be read: what was read last counts for a day, then whom the configuration names.
    RotationUnread {
        why: String,
    },
    /// Beside the pager: whoever is paged first is its first level.
    WrittenIntoPager {
        pager: String,
        until: Timestamp,
    },
    TakenOutOfPager {
        pager: String,
    },
    /// The pager cannot be written to: it escalates as it would without us.
    PagerUnwritten {
        why: String,
    },
    /// A channel's topic, or a user group, says who is on call.
    OnCallShown {
        at: String,
    },
    /// It cannot: what stands there stays.
    OnCallNotShown {
        why: String,
    },
    /// Not sent by us: the pager pages this person itself, and there is no other contact.
    PagedByThePager {
        pager: String,
    },
    /// Somebody says that something may break for a while.
    MaintenanceBegan {
        why: String,
    },
    MaintenanceEnded,
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
    /// Told: somebody acknowledged in the monitor or pager, whom the roster does not know.
    AcknowledgedThere {
        name: String,
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
    /// Not told: every contact of the person is for pages only.
    NotForNotices,
    /// Every contact of the person failed; tried again within two minutes.
    NoContactAccepted {
        why: String,
    },
    /// Somebody declared a freeze.
    FreezeDeclared {
        freeze: String,
    },
    /// Somebody changed when a freeze is over, or what it asks for.
    FreezeChanged {
        freeze: String,
    },
    /// Somebody ended a freeze, or called it off.
    FreezeEnded {
        freeze: String,
    },
    /// A freeze begins soon.
    FreezeAhead {
        freeze: String,
    },
    /// A freeze has begun.
    FreezeBegan {
        freeze: String,
    },
    /// A freeze is over.
    FreezeOver {
        freeze: String,
    },
    /// Somebody asks to let a fix pass a freeze.
    ExpediteAsked {
        why: String,
    },
    /// Somebody signed for it.
    ExpediteSigned {
        rotation: bool,
    },
    /// It may pass: asked for, with a reason, and signed as far as the freeze takes it.
    ExpediteGranted {
        why: String,
    },
    /// Somebody who signs does not let it pass.
    ExpediteRefused {
        why: String,
    },
    /// Whoever asked for it took it back.
    ExpediteWithdrawn,
    /// It has other commits than those that were signed for.
    ExpediteMoved,
    /// Nobody signed for it in time.
    ExpediteLapsed,
    /// It is told each week.
    WeeklyDigest,
    /// So many changes wait to go live.
    QueueGrew {
        changes: usize,
    },
    /// A freeze is about to end.
    ThawAhead {
        freeze: String,
    },
    /// A pipeline holds, because we asked it to.
    PipelineHeld {
        pipeline: String,
        freeze: String,
    },
    /// A pipeline that we held goes on.
    PipelineLetGo {
        pipeline: String,
    },
    /// Somebody else holds it: we leave it alone.
    PipelineTheirs {
        pipeline: String,
        why: String,
    },
    /// Somebody opened what we held: we leave it open.
    PipelineOpened {
        pipeline: String,
    },
    /// It did not answer; it is asked again.
    PipelineSilent {
        pipeline: String,
        why: String,
    },
    /// A job of a pipeline waits for us.
    DeploymentWaits,
    /// It was told why.
    DeploymentHeld {
        why: String,
    },
    /// It was told that it may go on.
    DeploymentLetGo,
    /// The forge does not take what stands at open pull requests; it is told again.
    StatusUntold {
        why: String,
    },
    /// The forge does not take the comment at a merged pull request; it is told again.
    CommentUntold {
        why: String,
    },
    /// Nothing more is written there.
    CommentGivenUp {
        why: String,
    },
    /// Somebody opened the pipelines for a fix that may pass.
    LetThrough {
        fix: String,
    },
    /// The calendar that a freeze follows was read, and says something new.
    FeedRead {
        freeze: String,
        times: usize,
    },
    /// The calendar that a freeze follows cannot be read: what was read last holds.
    FeedUnread {
        freeze: String,
        why: String,
    },
    /// Somebody asks for a change to be reverted.
    RevertAsked,
    /// Its revert pull request is open.
    RevertOpened {
        number: u64,
    },
    /// There is no revert pull request of it.
    RevertRefused {
        why: String,
    },
    /// The forge did not answer; it is asked again.
    RevertUnopened {
        why: String,
    },
    /// A service goes less far by itself than it did.
    SteppedDown {
        from: String,
        to: String,
        why: String,
    },
    /// Somebody said how far it goes by itself.
    ModeSaid {
        to: String,
        why: String,
    },
    /// The first suspect is likely enough for its revert to be opened by itself.
    Proposed {
        percent: u16,
    },
    /// A person merges it.
    LeftToPeople,
    /// It is not likely enough to be the cause.
    NotLikelyEnough {
        percent: u16,
    },
    /// No forge opens its revert.
    NobodyOpensReverts,
    /// One revert was opened by itself here within an hour.
    OneWasProposedLately {
        until: Timestamp,
    },
    /// No alert says that the new release does worse than the one beside it.
    NoCanarySignal,
    /// The last revert that was merged by itself is not long enough ago.
    CoolsDown {
        until: Timestamp,
    },
    /// A revert was merged by itself.
    MergedByItself {
        number: u64,
    },
    /// A pipeline was asked to go back, and does.
    RolledBackByItself {
        pipeline: String,
        to: String,
    },
    /// The release that brought it is not the newest.
    AnotherIsLive,
    /// It was not done, after all.
    NotMerged {
        why: String,
    },
    /// It was recorded, and nobody was told.
    ShadowMode,
    /// Only chats are used, and this person has none.
    NoChat,
    /// What is kept of somebody was exported, as somebody who owns a service wished.
    DataExported,
    /// What is kept of somebody was removed, as somebody who owns a service wished.
    DataRemoved,
    /// From these lines of the log somebody's data were removed.
    LinesRedacted {
        seals: Vec<Redacted>,
    },
    /// What was sealed of the log is not as it was.
    AuditBroken {
        why: String,
    },
    /// Decided by a newer version of the bundle, before it was rolled back.
    #[serde(other)]
    Newer,
}

impl Reason {
    /// The reason's name, as it stands in logs and in the store.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.into()
    }
}
