//! Posts at every service what the desk of freezes says of it, where that has changed. A crash in between costs nothing: the desk
//! knows that it is done only once all of it is.

use aws::{House, StoreError};
use domain::decision::Wake;
use domain::on_schedule::freezes::{self, Posting};
use domain::posted;
use domain::{Decisions, Situation};

pub(crate) async fn post(house: &House) -> Result<(), StoreError> {
    let (settings, now) = (house.settings(), house.now());
    let desk = &settings.freeze_desk().id;
    let plan = |situation: &Situation| (Decisions::none(desk, Wake::Now), freezes::posting(situation, settings, now));
    let (_, due) = house.store.decide(desk, now, plan).await?;
    let Some(Posting { wanted, nothing, digest }) = due else { return Ok(()) };
    let services = settings.services().filter(|service| !service.repositories.is_empty());
    for service in services.chain(settings.merge_desks().map(|(desk, _)| desk)) {
        let posted = wanted.get(&service.id).unwrap_or(&nothing);
        let (decisions, ()) = house.store.decide(&service.id, now, |s| (posted::hear(posted, s), ())).await?;
        if !decisions.is_quiet() {
            (house.nudge)(&service.id);
        }
    }
    let done = |situation: &Situation| (freezes::all_posted(&digest, situation), ());
    house.store.decide(desk, now, done).await.map(|_| ())
}
