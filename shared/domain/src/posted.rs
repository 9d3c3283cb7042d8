//! What the desk of freezes has posted at a service: the freezes that were declared, and the fixes that may pass. It lies in the
//! service's own working set, so that no decision about a service reads anything else.
//!
//! It follows the desk by a moment. Whoever asks whether something may go on is answered by the desk itself
//! ([`crate::freeze::Freezes::answer`]); here is only what windows and the queue need.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, Occasion, OccasionKind, Span};
use crate::change::{Change, ChangeKind};
use crate::decision::{Decisions, Record, Wake};
use crate::expedite::Granted;
use crate::freeze::{Declared, Strength, Time};
use crate::ids::{PersonId, ServiceId};
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::text;

/// A freeze as far as it concerns one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedFreeze {
    pub name: String,
    /// Who merges is asked to take the pager. It counts from when it was declared: nobody could know before.
    pub merges: bool,
    /// Deployments into the live environment have to wait.
    pub deployments: bool,
    pub from: Timestamp,
    pub until: Timestamp,
    pub by: PersonId,
}

/// All that is posted at one service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freezes: Vec<PostedFreeze>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expedites: Vec<Granted>,
}

impl Posted {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.freezes.is_empty() && self.expedites.is_empty()
    }

    /// By which word this change passes freezes.
    #[must_use]
    pub fn expedite_of(&self, change: &Change) -> Option<&Granted> {
        let ChangeKind::PullRequest { number } = change.kind else { return None };
        self.expedites.iter().find(|one| one.repository == change.id.repository && one.number == number)
    }

    /// The service, with what was declared among the times that are set apart.
    #[must_use]
    pub fn applied<'a>(&self, service: &'a Service) -> Cow<'a, Service> {
        if self.freezes.is_empty() {
            return Cow::Borrowed(service);
        }
        let mut service = service.clone();
        let occasion = |one: &PostedFreeze| Occasion {
            name: one.name.clone(),
            kind: OccasionKind::Event,
            span: Span::Times { from: one.from, until: one.until },
        };
        let asking = self.freezes.iter().filter(|one| one.merges).map(occasion);
        service.timetable.calendars.push(Arc::new(Calendar::new(asking)));
        let time = |one: &PostedFreeze| Time { from: one.from, until: one.until, name: one.name.clone() };
        let mut held: Vec<Time> = self.freezes.iter().filter(|one| one.deployments).map(time).collect();
        held.sort();
        service.frozen.push(Arc::new(held));
        Cow::Owned(service)
    }
}

/// What is to be posted where: only services at which there is something.
#[must_use]
pub fn wanted(declared: &[Declared], granted: &[Granted], settings: &Settings) -> BTreeMap<ServiceId, Posted> {
    let about = |service: &Service| {
        let here = |one: &&Declared| one.scope.includes(service) && one.declared_at.max(one.from) < one.over_at();
        let posted = |one: &Declared| PostedFreeze {
            name: one.name.clone(),
            merges: one.stops.merges.is_some(),
            deployments: one.stops.deployments == Some(Strength::Require) && one.scope.holds(service),
            from: one.from.max(one.declared_at),
            until: one.over_at(),
            by: one.by.clone(),
        };
        let freezes = declared.iter().filter(here).map(posted).filter(|one| one.merges || one.deployments).collect();
        let ours = |one: &&Granted| service.concerns(&one.repository);
        Posted { freezes, expedites: granted.iter().filter(ours).cloned().collect() }
    };
    let services = settings.services().filter(|service| !service.repositories.is_empty());
    services.map(|service| (service.id.clone(), about(service))).filter(|(_, posted)| !posted.is_empty()).collect()
}

/// Tells what is wanted from what was: all of it, and where.
#[must_use]
pub fn digest(wanted: &BTreeMap<ServiceId, Posted>) -> String {
    if wanted.is_empty() { String::new() } else { text::digest(&format!("{wanted:?}")) }
}

/// Keeps at a service what is posted there.
#[must_use]
pub fn hear(posted: &Posted, situation: &Situation) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    if *posted != situation.posted.value {
        decisions.put(Record::Posted(posted.clone()), situation.posted.rev);
    }
    decisions
}
