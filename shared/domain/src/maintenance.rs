//! A time in which a service may break: what fires is recorded, and nobody is paged until it is over.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{EnvironmentName, PersonId};

/// The longest that one maintenance may last: longer ones hide incidents.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 3);
/// How many a service keeps: those that are over leave first.
pub const MOST: usize = 50;

/// One time of maintenance, by somebody's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// Absent: of every environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
    pub from: Timestamp,
    pub until: Timestamp,
    pub why: String,
    pub by: PersonId,
    /// When it was ended before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl Maintenance {
    #[must_use]
    pub fn over_at(&self) -> Timestamp {
        self.ended_at.map_or(self.until, |ended| ended.min(self.until))
    }

    /// Whether it is under way at `now`, for this environment.
    #[must_use]
    pub fn covers(&self, environment: &EnvironmentName, now: Timestamp) -> bool {
        let here = self.environment.as_ref().is_none_or(|own| own == environment);
        here && self.from <= now && now < self.over_at()
    }
}
