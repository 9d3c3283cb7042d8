//! Why a service is not as it always is, for its card.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::MOST_TITLE;
use crate::ids::{EnvironmentName, PersonId};
use crate::queue::{self, Stalled};
use crate::service::{Mode, Service};
use crate::shift;
use crate::situation::Situation;
use crate::text;

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
}

impl Special {
    /// Whether it is so at `now`: what was ahead may have begun since, and what was so may be over.
    #[must_use]
    pub fn is_now(&self, now: Timestamp) -> bool {
        match self {
            Self::Manual | Self::Failing { .. } => true,
            Self::Pager { until, .. } | Self::Paused { until, .. } => until.is_none_or(|until| now < until),
            Self::Maintenance { from, until } => *from <= now && now < *until,
            Self::Frozen { until, .. } => now < *until,
        }
    }
}

pub(super) fn of(situation: &Situation, service: &Service, now: Timestamp) -> Vec<Special> {
    let mut special = Vec::new();
    if service.mode == Mode::Manual {
        special.push(Special::Manual);
    }
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
