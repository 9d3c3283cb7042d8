//! A walk over services and, in each, over windows in merge order: so many of both on a page, each service read in one query, a few
//! at a time.

use aws::{House, Refusal};
use domain::{ChangeId, Service, ServiceId, Situation, Window, window};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::paging::Page;
use crate::board::readable;

/// Where a walk goes on: in this service, after this window if there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    service: ServiceId,
    after: Option<(Timestamp, ChangeId)>,
}

/// A service as a walk comes to it.
pub(super) enum Seen<'a> {
    /// `service` as freezes that are posted there have it.
    Read { service: &'a Service, situation: &'a Situation, windows: &'a [Window<'a>] },
    /// What is stored of it cannot be understood, and why.
    Unreadable { service: &'a Service, why: String },
}

/// Shows services, and of each the windows that are wanted; what `show` makes nothing of is left out.
pub(super) async fn walk<T>(
    house: &House,
    services: &[&Service],
    page: &Page<Place>,
    wanted: impl Fn(&Window<'_>) -> bool,
    show: impl Fn(Seen<'_>) -> Option<T>,
) -> Result<(Vec<T>, Option<Place>), Refusal> {
    let from = page.after.as_ref();
    let first = from.map_or(0, |place| services.partition_point(|service| service.id < place.service));
    let left = services.get(first..).unwrap_or_default();
    let (mut shown, mut room) = (Vec::new(), page.limit);
    for some in left.chunks(aws::store::AT_ONCE) {
        let read = house.store.situations(some.iter().map(|service| service.id.clone()).collect()).await;
        for (service, read) in some.iter().zip(read) {
            if shown.len() == page.limit || room == 0 {
                return Ok((shown, Some(Place { service: service.id.clone(), after: None })));
            }
            let mut unreadable = Vec::new();
            let Some(situation) = readable(&mut unreadable, service, read)? else {
                shown.extend(show(Seen::Unreadable { service, why: unreadable.concat() }));
                continue;
            };
            let service = &*situation.posted.value.applied(service);
            let mut all = window::windows(&situation, service, &house.settings().roster, house.now());
            all.retain(|window| wanted(window));
            all.sort_by_cached_key(order);
            let after = from.filter(|place| place.service == service.id).and_then(|place| place.after.as_ref());
            let begin = after.map_or(0, |after| all.partition_point(|window| order(window) <= *after));
            let left = all.get(begin..).unwrap_or_default();
            let windows = left.get(..room).unwrap_or(left);
            room -= windows.len();
            shown.extend(show(Seen::Read { service, situation: &situation, windows }));
            if let Some(last) = windows.last().filter(|_| windows.len() < left.len()) {
                return Ok((shown, Some(Place { service: service.id.clone(), after: Some(order(last)) })));
            }
        }
    }
    Ok((shown, None))
}

fn order(window: &Window<'_>) -> (Timestamp, ChangeId) {
    (window.change.merged_at, window.change.id.clone())
}
