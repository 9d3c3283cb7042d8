//! When a service's deployments have to wait, and the pipelines that are asked to hold meanwhile.

use std::fmt;

use jiff::Timestamp;

use super::Service;
use crate::freeze::Time;

/// A pipeline that can be asked to hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pipeline {
    /// Where it is: the name of `[pipelines.<name>]`.
    pub at: String,
    /// What it is called there.
    pub id: String,
}

impl Pipeline {
    /// `gocd:edxapp-production`
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once(':')?;
        (!at.is_empty() && !id.is_empty()).then(|| Self { at: at.to_owned(), id: id.to_owned() })
    }
}

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.at, self.id)
    }
}

/// A time in which deployments have to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    pub name: String,
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Service {
    /// The freeze in which its deployments have to wait at `at`; what overlaps or touches goes on with it.
    #[must_use]
    pub fn frozen_at(&self, at: Timestamp) -> Option<Frozen> {
        let all = || self.frozen.iter().flat_map(|times| times.iter());
        let first = all().filter(|time| time.from <= at && at < time.until).min_by_key(|time| time.from)?;
        let mut ahead: Vec<&Time> = all().filter(|time| at < time.until).collect();
        ahead.sort();
        let joined = |until: Timestamp, time: &&Time| if time.from <= until { until.max(time.until) } else { until };
        let until = ahead.iter().fold(first.until, joined);
        Some(Frozen { name: first.name.clone(), from: first.from, until })
    }

    /// When the next of them begins or ends.
    #[must_use]
    pub fn frozen_next(&self, now: Timestamp) -> Option<Timestamp> {
        let all = self.frozen.iter().flat_map(|times| times.iter());
        all.flat_map(|time| [time.from, time.until]).filter(|at| *at > now).min()
    }
}

#[cfg(test)]
#[path = "frozen_tests.rs"]
mod tests;
