//! Facts: what is counted once. What happened, in whole seconds, of the day on which it happened.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::timeline::{Month, day};
use crate::deployment::Deployment;
use crate::expedite::{Expedite, Over};
use crate::ids::{EnvironmentName, PersonId, ServiceId};
use crate::incident::Incident;
use crate::message::Step;
use crate::roster::Roster;
use crate::service::Service;
use crate::text;
use crate::window::{Closed, Phase, Window};

/// What is counted once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// An incident that is over for good.
    Incident(Box<Ended>),
    /// A deployment that went live.
    Released(Released),
    /// A deployment, live at `at`, that had to be put right; how long users were unwell of it, where that is known.
    Failed { at: Timestamp, recovery: Option<u64> },
    /// A deployment that never got there.
    Stalled { at: Timestamp, environment: EnvironmentName },
    /// A freeze that is over.
    Thawed { at: Timestamp, lasted: u64 },
    /// A fix that somebody asked to let pass.
    Expedite { at: Timestamp, outcome: Outcome },
}

impl Fact {
    /// When that was: of this day and month it is counted.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Incident(ended) => ended.at,
            Self::Released(released) => released.at,
            Self::Failed { at, .. }
            | Self::Stalled { at, .. }
            | Self::Thawed { at, .. }
            | Self::Expedite { at, .. } => *at,
        }
    }
}

/// What became of a fix that somebody asked to let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Granted,
    Refused,
    /// It was withdrawn, or lapsed.
    Neither,
}

/// An incident that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When we heard of it.
    pub at: Timestamp,
    pub detect: u64,
    pub acknowledge: Option<u64>,
    pub mitigate: Option<u64>,
    pub resolve: u64,
    /// At which place of the suspects the change was that it really was; `Some(None)`: at none.
    pub place: Option<Option<u32>>,
    pub none_of_ours: bool,
    /// Pages, each repetition too, and those of them outside the working hours of whom they went to.
    pub pages: u32,
    pub off_hours: u32,
    /// Whether the rotation or the owner was paged.
    pub rotation: bool,
    /// Who was paged for a change.
    pub people: Vec<OfPerson>,
}

/// Whether a person was paged in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfPerson {
    pub mark: String,
    pub wrong: u32,
}

/// A deployment that went live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// When it had succeeded.
    pub at: Timestamp,
    /// Of each change that it brought, how long that took from its merge.
    pub leads: Vec<u64>,
    /// Whether it was made to put something right.
    pub rework: bool,
}

/// By what somebody is told from others within one month of one service. It is another one each month; not a secret: who has the
/// roster can find out whose it is.
fn mark(service: &ServiceId, month: Month, person: &PersonId) -> String {
    text::digest(&format!("{service}\n{month}\n{person}")).chars().take(12).collect()
}

fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_secs()).unwrap_or(0)
}

/// An incident that leaves, as it is counted. Those of environments that no user sees are not.
#[must_use]
pub fn of_incident(incident: &Incident, service: &Service, roster: &Roster) -> Option<Fact> {
    let resolved = incident.resolved_at?;
    // What is of no service has an environment of its own each time.
    if !service.repositories.is_empty() && !service.is_live(&incident.environment) {
        return None;
    }
    let month = Month::of(day(incident.detected_at));
    let wrong: BTreeSet<&PersonId> = incident.wrong_pages().into_iter().map(|page| &page.person).collect();
    let own: Vec<_> = incident.pages.iter().filter(|page| page.joined.is_none()).collect();
    let for_a_change = own.iter().filter(|page| !is_for_the_service(page.step)).map(|page| &page.person);
    let people: BTreeMap<&PersonId, u32> = for_a_change.map(|who| (who, u32::from(wrong.contains(who)))).collect();
    let at_work = |person: &PersonId, at: Timestamp| {
        roster.person(person).is_none_or(|person| person.timetable.kind_at(at).is_working())
    };
    // Of a page that was repeated often the first and the last time are known.
    let off = own.iter().map(|page| {
        let first = u32::from(!at_work(&page.person, page.at));
        first + page.again_at.map_or(0, |last| if at_work(&page.person, last) { 0 } else { page.again })
    });
    let first = incident.acknowledged.iter().map(|taken| taken.at).min();
    Some(Fact::Incident(Box::new(Ended {
        at: incident.detected_at,
        detect: seconds(incident.began_at, incident.detected_at),
        acknowledge: first.map(|at| seconds(incident.detected_at, at)),
        mitigate: incident.mitigated.as_ref().map(|known| seconds(incident.began_at, known.at)),
        resolve: seconds(incident.began_at, resolved),
        place: incident.place_of_culprit().map(|place| place.and_then(|place| u32::try_from(place).ok())),
        none_of_ours: incident.culprit() == Some(None),
        pages: own.iter().map(|page| 1 + page.again).sum(),
        off_hours: off.sum(),
        rotation: own.iter().any(|page| is_for_the_service(page.step)),
        people: people
            .into_iter()
            .map(|(who, wrong)| OfPerson { mark: mark(&service.id, month, who), wrong })
            .collect(),
    })))
}

fn is_for_the_service(step: Step) -> bool {
    matches!(step, Step::Rotation | Step::Owner)
}

/// A deployment that went live, as it is counted; of `all` windows. `takes_back`: whether it took something back.
#[must_use]
pub(crate) fn of_release(deployment: &Deployment, succeeded: Timestamp, takes_back: bool, all: &[Window<'_>]) -> Fact {
    let is = |other: &Deployment| other.key == deployment.key;
    let brought = |window: &&Window<'_>| {
        let other_paths = matches!(window.phase, Phase::Closed { reason: Closed::OtherPaths, .. });
        !other_paths && (window.release.is_some_and(is) || window.rolled_back.iter().any(|back| is(back.release)))
    };
    let brought: Vec<&Window<'_>> = all.iter().filter(brought).collect();
    let repairs =
        |window: &Window<'_>| window.expedited || window.change.reverts.as_ref().is_some_and(|said| !said.lands_again);
    Fact::Released(Released {
        at: succeeded,
        leads: brought.iter().map(|window| seconds(window.change.merged_at, succeeded)).collect(),
        rework: takes_back || brought.iter().any(|window| repairs(window)),
    })
}

/// A deployment that had to be put right: users were unwell from then until then.
#[must_use]
pub(crate) fn recovered(deployment: &Deployment, unwell: Option<(Timestamp, Timestamp)>) -> Option<Fact> {
    let at = deployment.succeeded_at?;
    Some(Fact::Failed { at, recovery: unwell.map(|(from, to)| seconds(from, to)) })
}

/// A fix that is forgotten, as it is counted.
#[must_use]
pub fn of_expedite(expedite: &Expedite) -> Fact {
    let refused = matches!(&expedite.over, Some((_, _, Over::Refused { .. })));
    let outcome = match (refused, &expedite.passed) {
        (true, _) => Outcome::Refused,
        (false, Some(_)) => Outcome::Granted,
        (false, None) => Outcome::Neither,
    };
    Fact::Expedite { at: expedite.at, outcome }
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
