//! The weekly digest: what it is told from is read when one is due, and at no other time. Decided like everything else: told and kept
//! as told in one transaction.

use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::measures::{Period, digest};
use domain::{Service, Situation};
use jiff::Timestamp;

/// So many incidents that left lately are looked through.
const MOST: i32 = 100;

/// Whether one is due.
pub(crate) fn is_due(service: &Service, situation: &Situation, now: Timestamp) -> bool {
    digest::due(service, &situation.queue.value, now).0.is_some()
}

/// Tells it. What fails is tried again at the next tick, and keeps nothing else waiting.
pub(crate) async fn tell(house: &House, service: &Service, now: Timestamp) {
    if let Err(error) = told(house, service, now).await {
        tracing::error!(service.name = %service.id, cause = error_chain(&error), "the weekly digest was not told");
    }
}

async fn told(house: &House, service: &Service, now: Timestamp) -> Result<(), StoreError> {
    let settings = house.settings();
    let ((_, last), (first, _)) = digest::days(now);
    // Due yesterday, it is of the days before that.
    let first = first.yesterday().unwrap_or(first);
    let known = house.store.timeline(&service.id, Period::Day(first), Period::Day(last)).await?;
    let past = house.store.past_incidents(&service.id, MOST).await?;
    let bucket = settings.unmapped();
    let mut unmapped = house.store.past_incidents(bucket, MOST).await?;
    let here = house.store.situation(bucket).await?;
    unmapped.extend(here.incidents.into_values().map(|known| known.value));
    let loaded = digest::Loaded { known, past, unmapped };
    let decide = |situation: &Situation| (digest::decide(situation, service, settings, &loaded, now), ());
    let (decisions, ()) = house.store.decide(&service.id, now, decide).await?;
    house.publish(&decisions.messages).await;
    Ok(())
}
