//! Why a service is not as it always is, for its card.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::MOST_TITLE;
use crate::ids::{EnvironmentName, PersonId};
use crate::mode::{Mode, Why};
use crate::queue::{self, Stalled};
use crate::service::Service;
use crate::shift;
use crate::situation::Situation;
use crate::text;
use crate::wording::modes;

/// So many times of maintenance are told of.
const MOST_MAINTENANCE: usize = 4;

/// Why a service is not as it always is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Special {
    /// People take and hand over the pager, and we page nobody.
    Manual,
    /// Somebody has the pager for everything by somebody's word.
    Pager {
        person: PersonId,
        by: PersonId,
        until: Option<Timestamp>,
    },
    /// Under way or ahead, as somebody said it; what comes each week, the configuration says.
    Maintenance {
        from: Timestamp,
        until: Timestamp,
    },
    Paused {
        by: PersonId,
        since: Timestamp,
        until: Option<Timestamp>,
        why: String,
    },
    Frozen {
        name: String,
        until: Timestamp,
    },
    Failing {
        environment: EnvironmentName,
        at: Timestamp,
        times: usize,
    },
    /// How far automation goes; where it is lower than the configuration says: why, and since when.
    Mode {
        mode: Mode,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
        /// Nobody said so: wrong pages did it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_itself: bool,
    },
}

impl Special {
    /// Whether it is so at `now`: what was ahead may have begun since, and what was so may be over.
    #[must_use]
    pub fn is_now(&self, now: Timestamp) -> bool {
        match self {
            Self::Manual | Self::Mode { .. } | Self::Failing { .. } => true,
            Self::Pager { until, .. } | Self::Paused { until, .. } => until.is_none_or(|until| now < until),
            Self::Maintenance { from, until } => *from <= now && now < *until,
            Self::Frozen { until, .. } => now < *until,
        }
    }
}

/// How far automation goes, where that is not as usual.
fn mode(situation: &Situation, service: &Service) -> Option<Special> {
    let mode = situation.mode(service);
    let lowered = situation.ceiling.value.lowered.as_ref().filter(|lowered| lowered.to < service.mode);
    match (mode, lowered) {
        (Mode::Manual, None) => Some(Special::Manual),
        (Mode::Page, None) => None,
        (_, lowered) => {
            let by_itself = lowered.is_some_and(|lowered| !matches!(lowered.why, Why::Said { .. }));
            let why = lowered.map(|lowered| text::line(&modes::why(&lowered.why), MOST_TITLE));
            Some(Special::Mode { mode, why, since: lowered.map(|lowered| lowered.at), by_itself })
        }
    }
}

pub(super) fn of(situation: &Situation, service: &Service, now: Timestamp) -> Vec<Special> {
    let mut special = Vec::new();
    special.extend(mode(situation, service));
    if let Some(shift) = shift::of_service(situation.shifts.values().map(|s| &s.value), now) {
        special.push(Special::Pager { person: shift.person.clone(), by: shift.by.clone(), until: shift.until });
    }
    let live = service.live_environment().map(|live| &live.name);
    let told = situation.paging.value.maintenance.iter().filter(|m| m.is_ahead(now));
    // That of another environment keeps nobody from being paged for what users have.
    let told = told.filter(|m| m.environment.is_none() || m.environment.as_ref() == live).take(MOST_MAINTENANCE);
    special.extend(told.map(|m| Special::Maintenance { from: m.from, until: m.over_at() }));
    let stalled = |r: &crate::service::ServedRepository| queue::stalled(situation, service, &r.repository, now);
    special.extend(service.repositories.iter().find_map(stalled).map(|stalled| match stalled {
        Stalled::Paused(pause) => {
            let (by, why) = (pause.by.clone(), text::line(&pause.why, MOST_TITLE));
            Special::Paused { by, since: pause.from, until: pause.until, why }
        }
        Stalled::Frozen(frozen) => Special::Frozen { name: text::line(&frozen.name, MOST_TITLE), until: frozen.until },
        Stalled::Failing { environment, at, times } => Special::Failing { environment: environment.clone(), at, times },
    }));
    special
}

#[cfg(test)]
#[path = "special_tests.rs"]
mod tests;
