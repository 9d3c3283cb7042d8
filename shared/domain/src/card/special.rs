//! Why a service is not as it always is, for its card.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::MOST_TITLE;
use crate::ids::{EnvironmentName, PersonId};
use crate::maintenance;
use crate::queue::{self, Stalled};
use crate::service::{Mode, Service};
use crate::shift;
use crate::situation::Situation;
use crate::text;

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
    Maintenance {
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

pub(super) fn of(situation: &Situation, service: &Service, now: Timestamp) -> Vec<Special> {
    let mut special = Vec::new();
    if service.mode == Mode::Manual {
        special.push(Special::Manual);
    }
    if let Some(shift) = shift::of_service(situation.shifts.values().map(|s| &s.value), now) {
        special.push(Special::Pager { person: shift.person.clone(), by: shift.by.clone(), until: shift.until });
    }
    let told = situation.paging.value.maintenance.iter().filter(|m| m.from <= now && m.is_ahead(now));
    let until = told.map(crate::maintenance::Maintenance::over_at).max();
    let weekly = maintenance::weekly_now(service, now).map(|(_, until)| until);
    special.extend(until.max(weekly).map(|until| Special::Maintenance { until }));
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
