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
    if alert.state != AlertState::Firing {
        // Nobody has said yet that it fires: an end or an acknowledgement alone opens nothing.
        let place = house.store.told_or_await(&topic, &alert, now).await?;
        return Ok(place.filter(|place: &Place| may(&place.service)).map(|place| (place, vec![alert])));
    }
    if let Some(place) = house.store.told::<Place>(&topic).await?.filter(|place| may(&place.service)) {
        return Ok(Some((place, vec![alert])));
    }
    let place = AlertEvent::place(&alert, house.settings(), may);
    let mut alerts = vec![alert];
    alerts.extend(house.store.tell::<_, Alert>(&topic, &place, now).await?);
    Ok(Some((place, alerts)))
}
