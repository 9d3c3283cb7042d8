//! What else the same change broke: a library that goes live in two services breaks both, and its merger is paged once.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Elsewhere, decide};
use crate::alert::{Alert, Place};
use crate::decision::{Decisions, Record, Write};
use crate::ids::ServiceId;
use crate::incident::Incident;
use crate::message::Kind;
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::Situation;

/// The incidents of one message for which somebody is about to be paged, by their service.
#[derive(Debug, Default)]
pub struct Together(BTreeMap<ServiceId, Vec<Incident>>);

impl Together {
    /// Looks whether these alerts page somebody.
    pub fn look(
        &mut self,
        alerts: &[Alert],
        place: &Place,
        situation: &Situation,
        service: &Service,
        settings: &Settings,
        now: Timestamp,
    ) {
        let (decisions, _) = decide(alerts, place, situation, service, settings, &[], now);
        if decisions.messages.iter().any(|message| message.kind == Kind::Page) {
            self.0.entry(place.service.clone()).or_default().extend(incidents(&decisions));
        }
    }

    /// In which services.
    pub fn services(&self) -> impl Iterator<Item = &ServiceId> {
        self.0.keys()
    }

    /// What is broken by what may be the same change, in the services that share a repository with this one.
    pub fn beside<'a>(
        &self,
        service: &Service,
        settings: &Settings,
        situation: impl Fn(&ServiceId) -> Option<&'a Situation>,
    ) -> Vec<Elsewhere> {
        let mut broken = Vec::new();
        for other in settings.sharing(service) {
            let together = self.0.get(&other.id).into_iter().flatten();
            broken.extend(together.map(|incident| Elsewhere { incident: incident.clone(), now: true }));
            let before = situation(&other.id).into_iter().flat_map(|situation| situation.incidents.values());
            let open = before.map(|noted| &noted.value).filter(|incident| incident.is_open());
            broken.extend(open.map(|incident| Elsewhere { incident: incident.clone(), now: false }));
        }
        broken
    }
}

/// The incidents that these decisions write.
pub fn incidents(decisions: &Decisions) -> impl Iterator<Item = Incident> {
    decisions.writes.iter().filter_map(|write| match write {
        Write::Put { record, .. } => match record.as_ref() {
            Record::Incident(incident) => Some(incident.clone()),
            Record::Change(_)
            | Record::Notes(..)
            | Record::Deployment(_)
            | Record::Signals(..)
            | Record::Shift(_)
            | Record::Queue(_)
            | Record::Files(..)
            | Record::Errand(_)
            | Record::Paging(_)
            | Record::Track(_)
            | Record::Freeze(_)
            | Record::FreezeNotes(..)
            | Record::Feed(..)
            | Record::Undo(_)
            | Record::Expedite(_)
            | Record::Posted(_)
            | Record::PostedAll(_)
            | Record::Pipelines(_)
            | Record::Pulls(_)
            | Record::Ceiling(_)
            | Record::Comment(..) => None,
        },
        Write::Drop { .. } => None,
    })
}

#[cfg(test)]
#[path = "elsewhere_tests.rs"]
mod tests;
