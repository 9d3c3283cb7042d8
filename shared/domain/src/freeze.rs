//! A time in which merging or deploying should wait, or has to. By the configuration, again and again, or by somebody's word.
//!
//! What holds at a moment follows from the stored times alone, whatever jobs have fired. Of several that hold the strongest counts
//! ("deny beats allow"), and those that overlap or touch are one: the answer says until when.

mod answer;
mod feed;
mod known;
mod said;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use crate::ids::{EnvironmentName, FreezeId, PersonId, Repository, ServiceId};
use crate::service::Service;
use crate::text;

pub use answer::{Answer, Question};
pub use feed::{Address, Feed};
pub use known::{Freezes, LOOK_AHEAD};
pub use said::{FreezeNotes, Said};

/// What a freeze asks for on one side.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Strength {
    /// Please wait.
    Advise,
    /// It has to wait.
    Require,
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    Merges,
    Deployments,
}

/// What a freeze asks for: nothing of a side, or so much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stops {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merges: Option<Strength>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployments: Option<Strength>,
}

impl Stops {
    #[must_use]
    pub fn of(self, side: Side) -> Option<Strength> {
        match side {
            Side::Merges => self.merges,
            Side::Deployments => self.deployments,
        }
    }
}

/// The kinds of time of the product's table, by what they ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Preset {
    /// Merging as always, at the price of being asked; deploying waits for working hours where it can.
    Weekend,
    /// A company holiday, gratitude week: please do not merge; deploying is paused as a backstop.
    Holiday,
    /// A hackathon.
    Hackathon,
    /// Cyber Monday: please do not merge, and nothing is deployed.
    PeakEvent,
}

impl Preset {
    /// Whether somebody of the rotation signs for what is to pass.
    #[must_use]
    pub fn rotation_signs(self) -> bool {
        self == Self::PeakEvent
    }

    #[must_use]
    pub fn stops(self) -> Stops {
        let (merges, deployments) = match self {
            Self::Weekend => (None, Strength::Advise),
            Self::Holiday | Self::Hackathon | Self::PeakEvent => (Some(Strength::Advise), Strength::Require),
        };
        Stops { merges, deployments: Some(deployments) }
    }
}

/// What it is about. What is empty means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<ServiceId>,
    /// `*` in a pattern stands for anything.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub repositories: BTreeSet<String>,
    /// Of deployments only: a merge is on its way to every environment.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<EnvironmentName>,
}

impl Scope {
    fn concerns(&self, question: &Question<'_>) -> bool {
        let service = self.services.is_empty() || question.services.iter().any(|id| self.services.contains(*id));
        let like = |repository: &Repository| self.repositories.iter().any(|p| text::is_like(repository.as_str(), p));
        let repository = self.repositories.is_empty() || question.repositories.iter().any(|r| like(r));
        let environment =
            self.environments.is_empty() || question.environment.is_none_or(|name| self.environments.contains(name));
        service && repository && environment
    }

    /// Whether it is about deployments of this service into its live environment.
    #[must_use]
    pub fn holds(&self, service: &Service) -> bool {
        let live = service.live_environment().map(|environment| &environment.name);
        self.includes(service)
            && (self.environments.is_empty() || live.is_some_and(|name| self.environments.contains(name)))
    }

    /// Whether it is about this service at all.
    #[must_use]
    pub fn includes(&self, service: &Service) -> bool {
        self.concerns(&Question::about(Side::Merges, service, None))
    }
}

/// A freeze of the configuration: once, or each time that its rule or its calendar says.
#[derive(Debug, Clone, PartialEq)]
pub struct Freeze {
    pub id: FreezeId,
    pub stops: Stops,
    /// Whether the rotation signs for each fix that is to pass, beside an approver.
    pub rotation_signs: bool,
    pub scope: Scope,
    /// In which its times are told to everybody.
    pub zone: TimeZone,
    /// By when they begin.
    pub times: Vec<Time>,
    /// The address of the calendar that it follows instead: what was read of it last is a [`Feed`].
    pub feed: Option<Address>,
}

/// One time of a freeze of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Time {
    pub from: Timestamp,
    pub until: Timestamp,
    /// What people call it: "gratitude week", or the holiday's name.
    pub name: String,
}

/// A freeze by somebody's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    pub id: FreezeId,
    pub name: String,
    pub stops: Stops,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rotation_signs: bool,
    #[serde(default)]
    pub scope: Scope,
    /// By its name in the database of zones.
    pub zone: String,
    pub from: Timestamp,
    pub until: Timestamp,
    pub by: PersonId,
    pub declared_at: Timestamp,
    /// When it was changed last, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// When it came to ask for more, or of more: nobody could know before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub widened_at: Option<Timestamp>,
    /// When it was ended before its time, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(Timestamp, PersonId)>,
}

impl Declared {
    #[must_use]
    pub fn over_at(&self) -> Timestamp {
        self.ended.as_ref().map_or(self.until, |(at, _)| (*at).min(self.until))
    }

    /// Whether it was ended before it began: it never holds.
    #[must_use]
    pub fn is_called_off(&self) -> bool {
        self.over_at() <= self.from
    }

    /// When somebody last said something of it.
    #[must_use]
    pub fn touched_at(&self) -> Timestamp {
        let ended = self.ended.as_ref().map(|(at, _)| *at);
        ended.into_iter().chain(self.changed_at).fold(self.declared_at, Timestamp::max)
    }

    fn occurrence(&self, until: Timestamp) -> Occurrence<'_> {
        Occurrence {
            id: &self.id,
            name: &self.name,
            stops: self.stops,
            rotation_signs: self.rotation_signs,
            scope: &self.scope,
            zone: &self.zone,
            from: self.from,
            until,
            source: Source::Person(self),
        }
    }
}

/// Who says that there is a freeze.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    Configuration,
    /// The calendar that the configuration has it follow.
    Feed,
    Person(&'a Declared),
}

/// One time of a freeze.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence<'a> {
    pub id: &'a FreezeId,
    pub name: &'a str,
    pub stops: Stops,
    pub rotation_signs: bool,
    pub scope: &'a Scope,
    pub zone: &'a str,
    pub from: Timestamp,
    pub until: Timestamp,
    pub source: Source<'a>,
}

impl<'a> Occurrence<'a> {
    /// Whose word it is; nobody's where the configuration says so.
    #[must_use]
    pub fn by(&self) -> Option<&'a PersonId> {
        match self.source {
            Source::Person(declared) => Some(&declared.by),
            Source::Configuration | Source::Feed => None,
        }
    }

    /// Which time of which freeze: edited, it is another.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}@{}", self.id, self.from.strftime("%Y%m%dT%H%M%SZ"))
    }
}

#[cfg(test)]
#[path = "freeze_tests.rs"]
mod tests;
