//! Why nobody is paged for an open incident just now: the one place. Each reason has a name, and most have an end, after
//! which a new round of escalation begins if it still fires.
//!
//! | why | until when |
//! | --- | --- |
//! | the service's mode is `manual` | |
//! | less severe than the service pages for (`pages_from`) | it worsens |
//! | maintenance, by somebody's word or as it comes each week | its end |
//! | a suspect was reverted or rolled back | `after_failure` later |
//! | it flaps: it fired again three times within an hour | it has fired for `damping`; never of what is most severe |

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::alert::Severity;
use crate::incident::Incident;
use crate::maintenance::{self, Maintenance};
use crate::mode::Mode;
use crate::reason::Reason;
use crate::service::Service;

/// So often within [`FLAPPING_WITHIN`] something has to fire again to be called flapping.
const FLAPS: usize = 3;
const FLAPPING_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// Nobody is paged just now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub reason: Reason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Why nobody is paged for this incident at `now`, if that is so. `mode`: the one in force; `told`: maintenance by somebody's word.
#[must_use]
pub fn hold<'a>(
    incident: &Incident,
    (service, mode): (&Service, Mode),
    told: impl IntoIterator<Item = &'a Maintenance>,
    now: Timestamp,
) -> Option<Hold> {
    let policy = &service.policy;
    if mode == Mode::Manual {
        return Some(Hold { reason: Reason::ManualMode, until: None });
    }
    if incident.severity < policy.pages_from {
        return Some(Hold { reason: Reason::NotSevereEnough { severity: incident.severity }, until: None });
    }
    let under_way = told.into_iter().filter(|m| m.covers(&incident.environment, now));
    let weekly = maintenance::weekly_now(service, now).map(|(_, until)| until);
    if let Some(until) = under_way.map(Maintenance::over_at).chain(weekly).max() {
        return Some(Hold { reason: Reason::UnderMaintenance { until }, until: Some(until) });
    }
    if let Some(back) = &incident.mitigated {
        let until = back.at + policy.after_failure;
        if now < until {
            let reason = Reason::TakenBack { change: back.label.clone(), how: back.how.word().to_owned() };
            return Some(Hold { reason, until: Some(until) });
        }
    }
    let lately = incident.reopened.iter().filter(|at| **at > now - FLAPPING_WITHIN);
    let times = lately.count();
    let until = incident.reopened.last().map(|at| *at + policy.damping).filter(|until| now < *until);
    match until {
        Some(until) if times >= FLAPS && incident.severity < Severity::Critical => {
            Some(Hold { reason: Reason::Flapping { times }, until: Some(until) })
        }
        Some(_) | None => None,
    }
}

#[cfg(test)]
#[path = "hold_tests.rs"]
mod tests;
