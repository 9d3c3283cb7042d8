//! A time in which merging or deploying should wait, or has to. By the configuration, again and again, or by somebody's word.
//!
//! What holds at a moment follows from the stored times alone, whatever jobs have fired. Of several that hold the strongest counts
//! ("deny beats allow"), and those that overlap or touch are one: the answer says until when.

mod answer;

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use crate::ids::{EnvironmentName, FreezeId, PersonId, Repository, ServiceId};
use crate::message::Step;
use crate::reason::Reason;
use crate::service::Service;
use crate::text;

pub use answer::{Answer, Question};

/// How far ahead is looked for what comes next, and for how long what overlaps is joined.
const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 400);

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
}

/// One time of a freeze of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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
    /// When it was ended before its time, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(Timestamp, PersonId)>,
}

impl Declared {
    #[must_use]
    pub fn over_at(&self) -> Timestamp {
        self.ended.as_ref().map_or(self.until, |(at, _)| (*at).min(self.until))
    }
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
    /// Absent: the configuration.
    pub by: Option<&'a PersonId>,
}

impl Occurrence<'_> {
    /// Which time of which freeze: edited, it is another.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}@{}", self.id, self.from.strftime("%Y%m%dT%H%M%SZ"))
    }
}

/// What is said of one time of a freeze, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    WithinADay,
    WithinAnHour,
    Began,
    Over,
}

impl Said {
    #[must_use]
    pub fn step(self) -> Step {
        match self {
            Self::WithinADay => Step::FreezeTomorrow,
            Self::WithinAnHour => Step::FreezeSoon,
            Self::Began => Step::FreezeBegan,
            Self::Over => Step::FreezeOver,
        }
    }

    /// Why it is said.
    #[must_use]
    pub fn reason(self, one: &Occurrence<'_>) -> Reason {
        let freeze = one.name.to_owned();
        match self {
            Self::WithinADay | Self::WithinAnHour => Reason::FreezeAhead { freeze },
            Self::Began => Reason::FreezeBegan { freeze },
            Self::Over => Reason::FreezeOver { freeze },
        }
    }
}

/// What was said of one time of a freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeNotes {
    pub said: BTreeSet<Said>,
    /// Who was told each.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub told: BTreeSet<(Said, PersonId)>,
    /// Who has open pull requests that it is about: they hear of it too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub mergers: BTreeSet<PersonId>,
    /// When it is over, as far as was known.
    pub until: Timestamp,
    pub name: String,
}

/// All that is known of freezes: those of the configuration, and those that people declared.
#[derive(Debug, Clone, Copy)]
pub struct Freezes<'a> {
    pub configured: &'a [Freeze],
    pub declared: &'a [Declared],
}

impl<'a> Freezes<'a> {
    /// Each time of each freeze that is not over at `at` and begins within [`LOOK_AHEAD`], by when it begins.
    #[must_use]
    pub fn ahead(&self, at: Timestamp) -> Vec<Occurrence<'a>> {
        let limit = at.checked_add(LOOK_AHEAD).unwrap_or(Timestamp::MAX);
        let is_ahead = |one: &Occurrence<'_>| one.from < one.until && at < one.until;
        let mut all: Vec<_> = self.beginning(Timestamp::MIN, limit).filter(is_ahead).collect();
        all.sort_by_key(|one| (one.from, one.until, one.id));
        all
    }

    /// Each time that begins between these.
    fn beginning(&self, first: Timestamp, last: Timestamp) -> impl Iterator<Item = Occurrence<'a>> + use<'a> {
        let configured = self.configured.iter().flat_map(move |freeze| {
            let begin = freeze.times.partition_point(|time| time.from < first);
            let end = freeze.times.partition_point(|time| time.from <= last);
            freeze.times.get(begin..end).unwrap_or_default().iter().map(move |time| Occurrence {
                id: &freeze.id,
                name: &time.name,
                stops: freeze.stops,
                rotation_signs: freeze.rotation_signs,
                scope: &freeze.scope,
                zone: freeze.zone.iana_name().unwrap_or("UTC"),
                from: time.from,
                until: time.until,
                by: None,
            })
        });
        let declared = self.declared.iter().map(|freeze| Occurrence {
            id: &freeze.id,
            name: &freeze.name,
            stops: freeze.stops,
            rotation_signs: freeze.rotation_signs,
            scope: &freeze.scope,
            zone: &freeze.zone,
            from: freeze.from,
            until: freeze.over_at(),
            by: Some(&freeze.by),
        });
        let begins = move |one: &Occurrence<'_>| (first..=last).contains(&one.from);
        configured.chain(declared.filter(begins))
    }

    /// The time that is called so, also when it is over.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<Occurrence<'a>> {
        let begins = key.rsplit_once('@').and_then(|(_, from)| {
            Timestamp::strptime("%Y%m%dT%H%M%S%z", format!("{}+0000", from.trim_end_matches('Z'))).ok()
        })?;
        let before = begins.checked_sub(SignedDuration::from_secs(1)).ok()?;
        self.beginning(before, begins.checked_add(SignedDuration::from_secs(1)).ok()?).find(|one| one.key() == key)
    }
}

#[cfg(test)]
#[path = "freeze_tests.rs"]
mod tests;
