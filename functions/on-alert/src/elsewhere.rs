//! What else the same change broke: a library that goes live in two services breaks both, and its merger is paged once.
//!
//! Only services that share a repository with another are asked about it, and only when somebody is about to be paged
//! for a change: whatever else is one query a service.

use std::collections::BTreeMap;

use aws::{House, StoreError};
use domain::alert::Place;
use domain::on_alert::{self, Elsewhere};
use domain::{Alert, Decisions, Incident, Kind, Record, ServiceId, Situation, Write};
use jiff::Timestamp;

/// For each service of these alerts what is broken elsewhere, by what may be the same change.
pub(crate) async fn elsewhere(
    house: &House,
    places: &BTreeMap<Place, Vec<Alert>>,
    now: Timestamp,
) -> Result<BTreeMap<ServiceId, Vec<Elsewhere>>, StoreError> {
    let settings = house.settings();
    let mut about_to_page: BTreeMap<&ServiceId, Vec<Incident>> = BTreeMap::new();
    let mut known: BTreeMap<ServiceId, Situation> = BTreeMap::new();
    for (place, alerts) in places {
        let Some(service) = settings.service(&place.service).filter(|s| settings.sharing(s).next().is_some()) else {
            continue;
        };
        let situation = house.store.situation(&place.service).await?;
        let (decisions, _) = on_alert::decide(alerts, place, &situation, service, settings, &[], now);
        if decisions.messages.iter().any(|message| message.kind == Kind::Page) {
            about_to_page.entry(&place.service).or_default().extend(incidents(&decisions));
        }
        known.insert(place.service.clone(), situation);
    }
    let mut found: BTreeMap<ServiceId, Vec<Elsewhere>> = BTreeMap::new();
    let services: Vec<&ServiceId> = about_to_page.keys().copied().collect();
    for id in services {
        let Some(service) = settings.service(id) else { continue };
        let mut broken = Vec::new();
        for other in settings.sharing(service) {
            let together = about_to_page.get(&other.id).into_iter().flatten();
            broken.extend(together.map(|incident| Elsewhere { incident: incident.clone(), now: true }));
            if !known.contains_key(&other.id) {
                known.insert(other.id.clone(), house.store.situation(&other.id).await?);
            }
            let before = known.get(&other.id).into_iter().flat_map(|situation| situation.incidents.values());
            let open = before.map(|noted| &noted.value).filter(|incident| incident.is_open());
            broken.extend(open.map(|incident| Elsewhere { incident: incident.clone(), now: false }));
        }
        found.insert(id.clone(), broken);
    }
    Ok(found)
}

pub(crate) fn incidents(decisions: &Decisions) -> impl Iterator<Item = Incident> {
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
            | Record::Ceiling(_)
            | Record::Expedite(_)
            | Record::Posted(_)
            | Record::PostedAll(_)
            | Record::Pipelines(_)
            | Record::Pulls(_)
            | Record::Comment(..) => None,
        },
        Write::Drop { .. } => None,
    })
}
