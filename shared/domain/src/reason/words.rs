//! Every reason in words.

use std::fmt;

use super::Reason;

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MergedOnStandby => f.write_str("merged and not live yet: on standby"),
            Self::UnknownMerger { login } => {
                write!(f, "nobody in the roster has the account {login}: the owner stands in")
            }
            Self::AlreadyKnown => f.write_str("said nothing new"),
            Self::PullNoted => f.write_str("noted of an open pull request"),
            Self::NotAMerge => f.write_str("about an open pull request"),
            Self::RepositoryNotServed => f.write_str("no service of the configuration deploys this repository"),
            Self::BranchNotDeployed { branch } => write!(f, "no service deploys the branch {branch}"),
            Self::TouchesOtherPaths => f.write_str("the change touches nothing that this service is made of"),
            Self::EnqueueNoted => f.write_str("who enqueued is kept until the queue merges"),
            Self::ByABot => f.write_str("by a bot, which says nothing about who answers"),
            Self::ApprovalNoted => f.write_str("who approved is kept until a bot merges"),
            Self::FilesTold { files } => {
                write!(f, "the forge says that the change touches {}", crate::text::count(*files, "file", "files"))
            }
            Self::FilesUnanswered { why } => {
                write!(f, "the forge did not say which files the change touches ({why})")
            }
            Self::MergeToBeRead => f.write_str("who merged what was not told: the forge is asked"),
            Self::MergeUnread { why } => write!(f, "the forge did not say who merged what ({why})"),
            Self::NoForgeToAsk => f.write_str(
                "who merged what was not told, and no forge with a token knows this repository: give its source an `api_token`",
            ),
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
            Self::Unlearnt => f.write_str("its suspects are ranked as anybody's again"),
            Self::ShiftMade { by } => write!(f, "by the word of {by}"),
            Self::ShiftEnded => f.write_str("given back before its time"),
            Self::Muted => f.write_str("not told: this person does not want this notice"),
            Self::ManualMode => f.write_str("mode manual: people take and hand over the pager themselves"),
            Self::SteppedDown { from, to, why } => write!(f, "from {from} down to {to}: {why}"),
            Self::ModeSaid { to, why } if why.is_empty() => write!(f, "mode {to}, by somebody's word"),
            Self::ModeSaid { to, why } => write!(f, "mode {to}: {why}"),
            Self::Proposed { percent } => write!(f, "it is the cause by {percent} %"),
            Self::LeftToPeople => f.write_str("a person merges it"),
            Self::NotLikelyEnough { percent } => write!(f, "the first suspect is the cause by {percent} % only"),
            Self::NobodyOpensReverts => f.write_str("no forge opens the revert of the first suspect"),
            Self::OneWasProposedLately { until } => write!(f, "one was opened lately: not before {until}"),
            Self::NoCanarySignal => f.write_str("no signal of the canary says so too: a person merges it"),
            Self::CoolsDown { until } => write!(f, "the last one is not long ago: not before {until}"),
            Self::MergedByItself { number } => write!(f, "#{number} is merged"),
            Self::RolledBackByItself { pipeline, to } => write!(f, "{pipeline} goes back to {to}"),
            Self::AnotherIsLive => f.write_str("another release is live by now, which would go back too: a person decides"),
            Self::NotMerged { why } => f.write_str(why),
            Self::ShadowMode => f.write_str("mode shadow: it is recorded, and nobody is told"),
            Self::NoChat => f.write_str("mode notify: by chat only, and there is none among the contacts"),
            Self::TurnWasOverWhenHeard => f.write_str("the turn was over before we heard of it"),
            Self::WindowClosed => f.write_str("the tail is over: the window is closed"),
            Self::IncidentOpened { alerts } => write!(f, "opened by {}", alerts_word(*alerts)),
            Self::IncidentGrew { alerts } => write!(f, "now {}", alerts_word(*alerts)),
            Self::IncidentResolved => f.write_str("no alert fires any more"),
            Self::ResolvedBeforeItFired => f.write_str("resolved before we heard of it"),
            Self::FirstSuspect { change, percent: None } => write!(f, "{change} went live last before the alert"),
            Self::FirstSuspect { change, percent: Some(percent) } => {
                write!(f, "{change}: likely the cause by {percent} %")
            }
            Self::HasThePager => f.write_str("has the pager of the service just now"),
            Self::NoSuspect => f.write_str("no recent change is a suspect"),
            Self::OnlyTailSuspects => f.write_str("every suspect's turn was over"),
            Self::NobodyAcknowledged { minutes } => write!(f, "nobody acknowledged within {minutes} min"),
            Self::AlertNotPlaced => f.write_str("the alert names no service we know"),
            Self::SquadWish { squad, wish } => write!(f, "{squad}: {wish}"),
            Self::SquadsWishes => f.write_str("as the squads wish"),
            Self::AcknowledgedBy { person } => write!(f, "{person} acknowledged"),
            Self::AcknowledgedThere { name } => write!(f, "{name}, whom the roster does not know, acknowledged there"),
            Self::ResolvedAt { at } => write!(f, "resolved at {at}"),
            Self::AlreadyAccepted => f.write_str("accepted before, or withdrawn"),
            Self::NoLongerTrue => f.write_str("no receiver took it while it was true"),
            Self::DeliveryUnderWay => f.write_str("another delivery of the same message is under way"),
            Self::AcceptedBy { receiver } => write!(f, "accepted by {receiver}"),
            Self::NextSuspect { change, percent: None } => write!(f, "{change} is live too, and nobody acknowledged"),
            Self::NextSuspect { change, percent: Some(percent) } => {
                write!(f, "{change}: likely the cause by {percent} %, and nobody acknowledged")
            }
            Self::NobodyStandsOut { percent } => write!(f, "nobody on call stands out: the likeliest of them is it by {percent} %"),
            Self::StillUnacknowledged { minutes } => write!(f, "nobody has acknowledged for {minutes} min"),
            Self::NobodysOwn => f.write_str("whoever was asked said that it is not theirs"),
            Self::AcknowledgementStale { minutes } => {
                write!(f, "it was acknowledged {minutes} min ago and is not over")
            }
            Self::Worsened => f.write_str("something more severe, or something else, began after it was taken"),
            Self::Drill { by } => write!(f, "a drill by {by}"),
            Self::GivenBackThere => f.write_str("it was taken where it came from, and is not any more"),
            Self::FiresAgain => f.write_str("it fires again after it was over"),
            Self::HeldNoLonger => f.write_str("it still fires after what kept everybody asleep"),
            Self::NotSevereEnough { severity } => write!(f, "{} pages nobody here", severity.word()),
            Self::UnderMaintenance { until } => write!(f, "maintenance until {}", until.strftime("%Y-%m-%d %H:%M UTC")),
            Self::TakenBack { change, how } => write!(f, "{change} was {how}: it may be over soon"),
            Self::Flapping { times } => write!(f, "it comes and goes: {times} times within an hour"),
            Self::Superseded => f.write_str("a later page to the same person says the same"),
            Self::NotMine { person } => write!(f, "{person} says that it is not theirs"),
            Self::JudgedToBe { change } => write!(f, "it was {change}"),
            Self::NamedTogether { incident } => write!(f, "the page for {incident} names it too"),
            Self::OurOwnPage => f.write_str("a page of ours, told back by the pager"),
            Self::RotationRead { pager } => write!(f, "so says {pager}"),
            Self::RotationUnread { why } => write!(f, "{why}: what was read last counts for a day"),
            Self::WrittenIntoPager { pager, until } => {
                write!(f, "written into {pager} until {}", until.strftime("%Y-%m-%d %H:%M UTC"))
            }
            Self::TakenOutOfPager { pager } => write!(f, "taken out of {pager}"),
            Self::PagerUnwritten { why } => write!(f, "{why}: it escalates as it would without us"),
            Self::OnCallShown { at } => write!(f, "written to {at}"),
            Self::OnCallNotShown { why } => write!(f, "{why}: what stands there stays"),
            Self::PagedByThePager { pager } => write!(f, "{pager} pages this person itself"),
            Self::MaintenanceBegan { why } => write!(f, "maintenance: {why}"),
            Self::MaintenanceEnded => f.write_str("maintenance is over"),
            Self::NotForNotices => f.write_str("every contact of the person is for pages only"),
            Self::NoContactAccepted { why } => {
                write!(f, "no contact accepted it ({why}): tried again within two minutes")
            }
            Self::FreezeDeclared { freeze } => write!(f, "a freeze was declared: {freeze}"),
            Self::FreezeChanged { freeze } => write!(f, "a freeze was changed: {freeze}"),
            Self::FreezeEnded { freeze } => write!(f, "a freeze was ended: {freeze}"),
            Self::FreezeAhead { freeze } => write!(f, "a freeze begins soon: {freeze}"),
            Self::FreezeBegan { freeze } => write!(f, "a freeze has begun: {freeze}"),
            Self::FreezeOver { freeze } => write!(f, "a freeze is over: {freeze}"),
            Self::ExpediteAsked { why } => write!(f, "somebody asks to let it pass the freeze: {why}"),
            Self::ExpediteSigned { rotation: true } => f.write_str("signed for the rotation"),
            Self::ExpediteSigned { rotation: false } => f.write_str("signed by an approver"),
            Self::ExpediteGranted { why } => write!(f, "it may pass the freeze: {why}"),
            Self::ExpediteRefused { why } => write!(f, "it may not pass the freeze: {why}"),
            Self::ExpediteWithdrawn => f.write_str("whoever asked for it took it back"),
            Self::ExpediteMoved => f.write_str("it has other commits now"),
            Self::ExpediteLapsed => f.write_str("nobody signed for it in time"),
            Self::WeeklyDigest => f.write_str("what the week was like"),
            Self::QueueGrew { changes } => write!(f, "{changes} changes wait to go live"),
            Self::ThawAhead { freeze } => write!(f, "the freeze is about to end: {freeze}"),
            Self::PipelineHeld { pipeline, freeze } => write!(f, "{pipeline} holds for the freeze: {freeze}"),
            Self::PipelineLetGo { pipeline } => write!(f, "{pipeline} holds no more"),
            Self::PipelineTheirs { pipeline, why } => write!(f, "somebody else holds {pipeline}: {why}"),
            Self::PipelineOpened { pipeline } => write!(f, "somebody opened {pipeline} by hand"),
            Self::PipelineSilent { pipeline, why } => write!(f, "{pipeline}: {why}; asked again"),
            Self::DeploymentWaits => f.write_str("a job waits until it may go on"),
            Self::DeploymentHeld { why } => f.write_str(why),
            Self::DeploymentLetGo => f.write_str("no freeze holds it, or it may pass"),
            Self::StatusUntold { why } => write!(f, "{why}; it is told again"),
            Self::CommentUntold { why } => write!(f, "{why}; it is told again"),
            Self::CommentGivenUp { why } => write!(f, "{why}: nothing more is written there"),
            Self::LetThrough { fix } => write!(f, "opened for {fix}"),
            Self::FeedRead { freeze, times } => {
                write!(f, "the calendar of {freeze} has {}", crate::text::count(*times, "time ahead", "times ahead"))
            }
            Self::FeedUnread { freeze, why } => write!(f, "{why}: what was read last of {freeze} holds"),
            Self::RevertAsked => f.write_str("one revert pull request is opened, however often it is pressed"),
            Self::RevertOpened { number } => write!(f, "#{number} is open: nothing is reverted before it is merged and live"),
            Self::RevertRefused { why } => f.write_str(why),
            Self::RevertUnopened { why } => write!(f, "{why}; it is tried again"),
            Self::DataExported => f.write_str("an owner asked for it"),
            Self::DataRemoved => f.write_str("an owner asked for it; it says of nobody whose they were"),
            Self::LinesRedacted { .. } => f.write_str("an owner asked for it; what is sealed of these lines says so"),
            Self::AuditBroken { why } => write!(f, "{why}: see who can write to the table"),
            Self::Newer => f.write_str("decided by a newer version of the bundle, whose words this one does not know"),
        }
    }
}

fn changes_word(n: usize) -> String {
    crate::text::count(n, "new change", "new changes")
}

fn alerts_word(n: usize) -> String {
    crate::text::count(n, "alert", "alerts")
}
