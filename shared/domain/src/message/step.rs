//! The messages that there are, by their names.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, IntoStaticStr};

/// Which message of a change's or an incident's life this is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    EnumIter,
    EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "kebab-case")]
pub enum Step {
    /// Your change was merged.
    Receipt,
    /// Your change was merged; somebody else answers for it.
    Thanks,
    /// Do you take the pager for it?
    Ask,
    /// Nobody took the pager for a change: be warned.
    Forewarned,
    /// Your turn lasts longer.
    Extended,
    /// Something was handed over to you.
    HandedOver,
    /// What you had, somebody else has now.
    TakenOver,
    /// You are away while your change goes live: somebody stands in.
    StoodInFor,
    /// End-to-end tests failed with your change in what they tested.
    TestsFailed,
    /// Changes wait for long.
    QueueSlow,
    /// Changes have waited for so long that you are their deputy.
    Deputy,
    /// Your turn starts.
    Started,
    /// Your turn ends soon.
    EndingSoon,
    /// Your turn is over.
    Ended,
    /// The deployment that started your turn failed.
    StandbyAgain,
    /// A page to the responder of the first suspect.
    FirstResponder,
    /// A page to the responder of a further suspect.
    NextResponder,
    /// A page to the rotation.
    Rotation,
    /// A page to the responder of a suspect whose turn is over, when nobody else answered.
    TailResponder,
    /// A page to the owner of the service.
    Owner,
    /// Something broke that your squad wishes to hear of.
    SquadHears,
    /// Somebody else acknowledged what you were paged for.
    Acknowledged,
    /// What you were paged for is over.
    Resolved,
    /// What you were paged for has broken another service too.
    AlsoBroken,
    /// In a channel: something broke.
    Opened,
    /// In a channel: somebody was paged, or nobody is, and why.
    Escalated,
    /// A freeze begins within a day.
    FreezeTomorrow,
    /// A freeze begins within an hour.
    FreezeSoon,
    /// A freeze has begun.
    FreezeBegan,
    /// A freeze is over.
    FreezeOver,
    /// A freeze that was told of is another now, or called off.
    FreezeChanged,
    /// You asked to let a fix pass a freeze: say why.
    ExpediteWhy,
    /// Somebody asks to let a fix pass a freeze: do you sign for it?
    ExpediteAsked,
    /// A fix may pass a freeze.
    ExpediteGranted,
    /// A fix may not.
    ExpediteRefused,
    /// The revert that you asked for is open.
    RevertOpened,
    /// The revert that you asked for is not, and why.
    RevertRefused,
    /// A revert was merged by itself, or was not after all.
    RevertMerged,
    /// Many changes wait to go live.
    QueueGrew,
    /// A freeze is about to end: what goes out when.
    Thaw,
    /// A pipeline that should hold cannot be reached.
    PipelineSilent,
    /// A service goes less far by itself than it did.
    SteppedDown,
    /// What a week was like.
    Digest,
    /// A page for nothing, to see that pages arrive.
    Drill,
    /// A pager is told that somebody has taken what it keeps open.
    PagerAcknowledged,
    /// A pager is told that what it keeps open is over.
    PagerResolved,
}

impl Step {
    /// The step's name, in keys, payloads and the configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// The notices that a person may mute: those of a change's life, save its start.
    #[must_use]
    pub fn can_be_muted(self) -> bool {
        matches!(
            self,
            Self::Receipt
                | Self::Thanks
                | Self::Extended
                | Self::EndingSoon
                | Self::Ended
                | Self::StandbyAgain
                | Self::TestsFailed
        )
    }
}
