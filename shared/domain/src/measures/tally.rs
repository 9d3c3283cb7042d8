//! A roll-up: what was counted of one service on one day, or in one month. Bounded, and the same in whatever order facts came.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::facts::{Ended, Fact, OfPerson, Outcome, Released};
use super::spread::Spread;
use crate::ids::EnvironmentName;
use crate::message::is_zero;

/// So many people are told apart in a roll-up that is kept. The pages of further ones are counted as if of one.
const MOST_PEOPLE: usize = 500;
/// So many environments are told apart.
const MOST_ENVIRONMENTS: usize = 20;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    #[serde(default, skip_serializing_if = "is_zero")]
    pub incidents: u32,
    #[serde(default, skip_serializing_if = "Spread::is_empty")]
    pub detect: Spread,
    #[serde(default, skip_serializing_if = "Spread::is_empty")]
    pub acknowledge: Spread,
    #[serde(default, skip_serializing_if = "Spread::is_empty")]
    pub mitigate: Spread,
    #[serde(default, skip_serializing_if = "Spread::is_empty")]
    pub resolve: Spread,
    /// Incidents of which it is known which change it was, and those in which that was the first suspect, among the first three,
    /// among the first five.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub judged: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub first: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub three: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub five: u32,
    /// Incidents of which it is known that no change of ours was it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub none_of_ours: u32,
    /// Incidents for which anybody was paged, and those in which neither the rotation nor the owner was.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub paged: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub spared: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pages: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub off_hours: u32,
    /// By mark: how many pages were wrong, of each person who was paged for a change.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub people: BTreeMap<String, u32>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deployments: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rework: u32,
    #[serde(default, skip_serializing_if = "Spread::is_empty")]
    pub recovery: Spread,
    #[serde(default, skip_serializing_if = "Spread::is_empty")]
    pub leads: Spread,
    #[serde(default, skip_serializing_if = "Spread::is_empty")]
    pub sizes: Spread,
    #[serde(default, skip_serializing_if = "Spread::is_empty")]
    pub ages: Spread,
    /// Deployments that never got there, by environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stalled: BTreeMap<EnvironmentName, u32>,
    /// How long each freeze lasted.
    #[serde(default, skip_serializing_if = "Spread::is_empty")]
    pub freezes: Spread,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub asked: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub granted: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u32,
}

impl Tally {
    pub fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::Incident(ended) => self.incident(ended),
            Fact::Released(released) => self.released(released),
            Fact::Failed { recovery, .. } => {
                self.failed += 1;
                recovery.iter().for_each(|took| self.recovery.learn(*took));
            }
            Fact::Stalled { environment, .. } => {
                if self.stalled.contains_key(environment) || self.stalled.len() < MOST_ENVIRONMENTS {
                    *self.stalled.entry(environment.clone()).or_default() += 1;
                }
            }
            Fact::Thawed { lasted, .. } => self.freezes.learn(*lasted),
            Fact::Expedite { outcome, .. } => {
                self.asked += 1;
                match outcome {
                    Outcome::Granted => self.granted += 1,
                    Outcome::Refused => self.refused += 1,
                    Outcome::Neither => {}
                }
            }
        }
    }

    fn incident(&mut self, ended: &Ended) {
        self.incidents += 1;
        self.detect.learn(ended.detect);
        ended.acknowledge.iter().for_each(|took| self.acknowledge.learn(*took));
        ended.mitigate.iter().for_each(|took| self.mitigate.learn(*took));
        self.resolve.learn(ended.resolve);
        if let Some(place) = ended.place {
            let within = |n: u32| u32::from(place.is_some_and(|place| place <= n));
            self.judged += 1;
            self.first += within(1);
            self.three += within(3);
            self.five += within(5);
        }
        self.none_of_ours += u32::from(ended.none_of_ours);
        self.paged += u32::from(ended.pages > 0);
        self.spared += u32::from(ended.pages > 0 && !ended.rotation);
        self.pages += ended.pages;
        self.off_hours += ended.off_hours;
        for OfPerson { mark, wrong } in &ended.people {
            let known = self.people.contains_key(mark) || self.people.len() < MOST_PEOPLE;
            *self.people.entry(if known { mark.clone() } else { String::new() }).or_default() += wrong;
        }
    }

    fn released(&mut self, released: &Released) {
        self.deployments += 1;
        self.rework += u32::from(released.rework);
        released.leads.iter().for_each(|lead| self.leads.learn(*lead));
        if let Some(oldest) = released.leads.iter().max() {
            self.ages.learn(*oldest);
            self.sizes.learn(released.leads.len() as u64);
        }
    }

    /// Adds what another one says.
    pub fn merge(&mut self, other: &Self) {
        for (own, more) in [
            (&mut self.incidents, other.incidents),
            (&mut self.judged, other.judged),
            (&mut self.first, other.first),
            (&mut self.three, other.three),
            (&mut self.five, other.five),
            (&mut self.none_of_ours, other.none_of_ours),
            (&mut self.paged, other.paged),
            (&mut self.spared, other.spared),
            (&mut self.pages, other.pages),
            (&mut self.off_hours, other.off_hours),
            (&mut self.deployments, other.deployments),
            (&mut self.failed, other.failed),
            (&mut self.rework, other.rework),
            (&mut self.asked, other.asked),
            (&mut self.granted, other.granted),
            (&mut self.refused, other.refused),
        ] {
            *own += more;
        }
        for (own, more) in [
            (&mut self.detect, &other.detect),
            (&mut self.acknowledge, &other.acknowledge),
            (&mut self.mitigate, &other.mitigate),
            (&mut self.resolve, &other.resolve),
            (&mut self.recovery, &other.recovery),
            (&mut self.leads, &other.leads),
            (&mut self.sizes, &other.sizes),
            (&mut self.ages, &other.ages),
            (&mut self.freezes, &other.freezes),
        ] {
            own.merge(more);
        }
        for (mark, wrong) in &other.people {
            *self.people.entry(mark.clone()).or_default() += wrong;
        }
        for (environment, times) in &other.stalled {
            *self.stalled.entry(environment.clone()).or_default() += times;
        }
    }

    /// Nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
#[path = "tally_tests.rs"]
mod tests;
