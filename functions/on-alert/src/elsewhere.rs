//! What else the same change broke, loaded for the domain ([`domain::on_alert::elsewhere`]).
//!
//! Only services that share a repository with another are asked about it, and only when somebody is about to be paged
//! for a change: whatever else is one query a service.

use std::collections::BTreeMap;

use aws::{House, StoreError};
use domain::alert::Place;
use domain::on_alert::Elsewhere;
use domain::on_alert::elsewhere::Together;
use domain::{Alert, ServiceId, Situation};
use jiff::Timestamp;

pub(crate) use domain::on_alert::elsewhere::incidents;

/// For each service of these alerts what is broken elsewhere, by what may be the same change.
pub(crate) async fn elsewhere(
    house: &House,
    places: &BTreeMap<Place, Vec<Alert>>,
    now: Timestamp,
) -> Result<BTreeMap<ServiceId, Vec<Elsewhere>>, StoreError> {
    let settings = house.settings();
    let mut together = Together::default();
    let mut known: BTreeMap<ServiceId, Situation> = BTreeMap::new();
    for (place, alerts) in places {
        let Some(service) = settings.service(&place.service).filter(|s| settings.sharing(s).next().is_some()) else {
            continue;
        };
        let situation = house.store.situation(&place.service).await?;
        together.look(alerts, place, &situation, service, settings, now);
        known.insert(place.service.clone(), situation);
    }
    let mut found: BTreeMap<ServiceId, Vec<Elsewhere>> = BTreeMap::new();
    for service in together.services().filter_map(|id| settings.service(id)) {
        for other in settings.sharing(service) {
            if !known.contains_key(&other.id) {
                known.insert(other.id.clone(), house.store.situation(&other.id).await?);
            }
        }
        found.insert(service.id.clone(), together.beside(service, settings, |id| known.get(id)));
    }
    Ok(found)
}
