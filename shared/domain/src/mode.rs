//! How far automation goes for a service. Read it as a table; each mode does what the ones above it do:
//!
//! | mode | what it decides | who hears of it |
//! | --- | --- | --- |
//! | `manual` | windows, suspects and incidents are recorded; nobody is paged | people who take and hand over by hand |
//! | `shadow` | everything that `page` decides, stored as `page` stores it | nobody, but for what people asked for themselves |
//! | `notify` | the same | people by chat; no pager, text message or e-mail |
//! | `page` | the same | everybody, by all their contacts; the pager is written to |
//! | `propose` | opens the revert of a likely culprit ([`crate::autopilot`]) | |
//! | `act` | and merges it | |
//!
//! The mode in force is the lower of the configuration's and the one that stands in the table ([`Ceiling`]): anybody may lower it,
//! wrong pages lower it by themselves ([`step_down`]), and only a person raises it again. What is decided does not ask which of
//! `shadow`, `notify` and `page` it is: that is asked where something is sent, and nowhere else.

mod ceiling;
pub mod step_down;

use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, IntoStaticStr};

use crate::message::{Kind, Message, Step};
pub use ceiling::{Ceiling, Lowered, Moved, Why, WrongPage};

/// How far automation goes for a service.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    EnumString,
    EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "kebab-case")]
pub enum Mode {
    /// People take and hand over the pager; we only show and record.
    Manual,
    /// What would be done is recorded; nobody is told.
    Shadow,
    /// People hear of it by chat.
    Notify,
    /// Responders are told of their turns and paged.
    #[default]
    Page,
    /// The revert of a likely culprit is opened, for a person to merge.
    Propose,
    /// It is merged, too.
    Act,
}

/// By which contacts a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sends {
    /// By all of its person's.
    ByAll,
    /// By those that are chats.
    ByChat,
    /// It is recorded, and that is all.
    Nothing,
}

impl Mode {
    pub const ALL: [Self; 6] = [Self::Manual, Self::Shadow, Self::Notify, Self::Page, Self::Propose, Self::Act];

    /// As the configuration writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// Whether it is decided who is asked, told and paged.
    #[must_use]
    pub fn decides(self) -> bool {
        self > Self::Manual
    }

    /// Whether anybody hears of what was decided, and it is shown where people look: in a channel's topic, at a pull request.
    #[must_use]
    pub fn tells(self) -> bool {
        self != Self::Shadow
    }

    /// Whether people are woken, and the pager is written to.
    #[must_use]
    pub fn pages(self) -> bool {
        self >= Self::Page
    }

    /// The next one below it, at which nobody is woken wrongly any more: it is not lowered further by itself.
    #[must_use]
    pub fn below(self) -> Option<Self> {
        match self {
            Self::Manual | Self::Shadow | Self::Notify => None,
            Self::Page => Some(Self::Notify),
            Self::Propose => Some(Self::Page),
            Self::Act => Some(Self::Propose),
        }
    }

    /// The next one above it, that evidence may speak for.
    #[must_use]
    pub fn above(self) -> Option<Self> {
        match self {
            Self::Manual => Some(Self::Shadow),
            Self::Shadow => Some(Self::Notify),
            Self::Notify => Some(Self::Page),
            Self::Page => Some(Self::Propose),
            Self::Propose => Some(Self::Act),
            Self::Act => None,
        }
    }

    /// By which contacts this message goes. `page_was`: in which mode the page was decided whose end an update tells.
    #[must_use]
    pub fn sends(self, message: &Message, page_was: Option<Self>) -> Sends {
        match (self, message.kind) {
            // A pager that has a page open hears that it is over; one that has none is left alone.
            (_, Kind::Update) if !self.pages() && page_was.is_some_and(|was| !was.pages()) => Sends::Nothing,
            (_, Kind::Update) => Sends::ByAll,
            (Self::Shadow, Kind::Page | Kind::Notice) if is_asked_for(message.key.step) => Sends::ByAll,
            (Self::Shadow, Kind::Page | Kind::Notice) => Sends::Nothing,
            (Self::Notify, Kind::Page | Kind::Notice) if is_asked_for(message.key.step) => Sends::ByAll,
            (Self::Notify, Kind::Page | Kind::Notice) => Sends::ByChat,
            (Self::Manual | Self::Page | Self::Propose | Self::Act, Kind::Page | Kind::Notice) => Sends::ByAll,
        }
    }
}

/// What a person has caused by hand, or has to know of the mode itself: it is sent in each.
fn is_asked_for(step: Step) -> bool {
    matches!(
        step,
        Step::Drill
            | Step::HandedOver
            | Step::TakenOver
            | Step::RevertOpened
            | Step::RevertRefused
            | Step::RevertMerged
            | Step::ExpediteWhy
            | Step::ExpediteAsked
            | Step::ExpediteGranted
            | Step::ExpediteRefused
            | Step::SteppedDown
            | Step::Digest
    )
}

#[cfg(test)]
#[path = "mode_tests.rs"]
mod tests;
