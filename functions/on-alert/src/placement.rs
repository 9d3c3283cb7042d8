//! Where an alert belongs. Most monitors say it each time; of the others the first message with labels says it, and
//! what comes without belongs to the same place, whichever came first.

use std::collections::BTreeMap;

use aws::store::Topic;
use aws::{House, StoreError, keys};
use domain::alert::Place;
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, ServiceId};

type Places = BTreeMap<Place, Vec<Alert>>;

/// The alerts by the service and environment they are about.
pub(super) async fn places(
    house: &House,
    event: AlertEvent,
    may: impl Fn(&ServiceId) -> bool,
) -> Result<Places, StoreError> {
    if !event.brief {
        return Ok(event.by_place(house.settings(), may));
    }
    let mut places = Places::new();
    for alert in event.alerts {
        if let Some((place, alerts)) = remembered(house, alert, &may).await? {
            places.entry(place).or_default().extend(alerts);
        }
    }
    Ok(places)
}

/// Where one alert belongs, with what has awaited it. `None`: it says too little, and awaits what says more.
async fn remembered(
    house: &House,
    alert: Alert,
    may: &impl Fn(&ServiceId) -> bool,
) -> Result<Option<(Place, Vec<Alert>)>, StoreError> {
    let topic = Topic { key: keys::placement(&alert.key()), keep: keys::KEEP_PLACEMENT };
    let now = house.now();
    // The service may be gone, or another one's by now.
    let good = |place: &Place| house.settings().service(&place.service).is_some() && may(&place.service);
    if alert.state != AlertState::Firing {
        // Nobody has said yet that it fires: an end or an acknowledgement alone opens nothing.
        let place = house.store.told_or_await(&topic, &alert, now).await?;
        return Ok(place.filter(good).map(|place| (place, vec![alert])));
    }
    let remembered = house.store.told::<Place>(&topic).await?.filter(good);
    let place = AlertEvent::place(&alert, house.settings(), may);
    // What fell into the bucket belongs where it says, once that is understood.
    let bucket = |place: &Place| house.settings().service(&place.service).is_none_or(|s| s.repositories.is_empty());
    if let Some(remembered) = remembered.filter(|remembered| !bucket(remembered) || bucket(&place)) {
        return Ok(Some((remembered, vec![alert])));
    }
    // They stay where they wait: each says something that can be said twice.
    let mut alerts = vec![alert];
    alerts.extend(house.store.tell::<_, Alert>(&topic, &place, now).await?);
    Ok(Some((place, alerts)))
}
