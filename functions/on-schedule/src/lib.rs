//! The clock: woken each minute, and at once by whoever just changed something.

mod asking;
mod autopilot;
mod beside;
mod comments;
pub mod deliveries;
mod digest;
mod drill;
mod feeds;
pub mod forges;
mod gates;
mod holding;
mod merges;
pub mod pagers;
pub mod pipelines;
mod posting;
mod pulls;
mod reverts;
pub mod sealing;
mod shown;

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use asking::Asker;
use aws::settings::Configuration;
use aws::wire::error_chain;
use aws::{House, StoreError, emf, keys};
use domain::card::Card;
use domain::decision::Wake;
use domain::{Decisions, Kind, Message, Outgoing, ServiceId, Situation, on_schedule};
use forges::Forge;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// One look at a service does at most this many rounds; what is left is due at once again.
const MOST_ROUNDS: usize = 40;

/// How long a service that left the configuration is not looked at.
const LEFT_ALONE: SignedDuration = SignedDuration::from_hours(24);

/// The secrets that it asks for: the forges' tokens, those of the pagers whose schedules are read or written, of the chats that show
/// who is on call, and of the pipelines that are held. It looks at what is due without them.
#[must_use]
pub fn secrets(configuration: &Configuration) -> Vec<String> {
    let tokens = configuration.senders.values().filter_map(|sender| sender.api_token.clone());
    let services = configuration.settings.services();
    let schedules = services.flat_map(|service| service.schedule.iter().chain(&service.beside));
    let pagers = schedules.filter_map(|schedule| configuration.receivers.get(&schedule.receiver)?.secret.clone());
    // Also of those that no service holds any more: what we hold there has to be let go.
    let pipelines = configuration.pipelines.values().filter_map(|pipeline| pipeline.secret.clone());
    let apps = configuration.senders.values().filter_map(|sender| Some(sender.app.as_ref()?.key.clone()));
    let spots =
        configuration.settings.services().flat_map(|service| service.channel_topic.iter().chain(&service.user_group));
    let chats = spots.filter_map(|spot| configuration.receivers.get(&spot.receiver)?.secret.clone());
    tokens.chain(pagers).chain(chats).chain(pipelines).chain(apps).collect()
}

/// An event as Lambda hands it over: what the table's stream says rang, a one-time schedule's `{"wake": "edxapp"}`, a drill,
/// or the tick.
pub async fn handle(house: &House, event: &Value) -> Result<Value, StoreError> {
    if let Some(wanted) = event.get("drill") {
        return drill::page(house, wanted).await;
    }
    let woken = event.get("wake").and_then(Value::as_str).map(|id| id.parse().into_iter().collect());
    match woken.or_else(|| rung(event)) {
        Some(services) => {
            // The tick does again what fails here.
            drop(look(house, &services).await);
            ask(house, &services).await;
            Ok(json!({ "settled": services.len() }))
        }
        None => Ok(json!({ "settled": tick(house).await? })),
    }
}

/// The services whose clocks the table's stream says were rung, each once; `None`: it is no event of a stream.
fn rung(event: &Value) -> Option<Vec<ServiceId>> {
    let records = event.get("Records")?.as_array()?;
    let partition = |record: &Value| record.pointer("/dynamodb/Keys/pk/S").and_then(Value::as_str).map(str::to_owned);
    let services = records.iter().filter_map(|record| keys::service_of(&partition(record)?));
    Some(services.collect::<BTreeSet<ServiceId>>().into_iter().collect())
}

/// Looks at every service whose clock has run out; then asks the forges what they know, so that no page of any
/// service waits for a forge.
pub async fn tick(house: &House) -> Result<usize, StoreError> {
    let due = due(house).await?;
    let looked = look(house, &due).await;
    ask(house, &due).await;
    deliveries::catch_up(house).await;
    sealing::seal(house).await;
    looked?;
    // The template counts these, not the function's invocations: the table's stream wakes it too, which escalates to nobody.
    tracing::info!(event = "tick", due = due.len(), "ticked");
    Ok(due.len())
}

/// The services whose clock has run out. A configuration may have come with freezes that nobody has looked at yet: once in each
/// process they are due.
pub async fn due(house: &House) -> Result<Vec<ServiceId>, StoreError> {
    let mut due = house.store.due(house.now()).await?;
    let desk = &house.settings().freeze_desk().id;
    if !house.freezes_seen.load(Ordering::Relaxed) {
        // Nor has the board a card of a service that nobody has looked at since there are cards.
        let shown: BTreeSet<ServiceId> = house.store.cards().await?.into_iter().map(|(service, _)| service).collect();
        let unseen = house.settings().services().map(|service| &service.id).filter(|id| !shown.contains(id));
        due.extend(std::iter::once(desk).chain(unseen).filter(|id| !due.contains(id)).cloned().collect::<Vec<_>>());
    }
    Ok(due)
}

/// After a single process was stopped, however it was, and `started` again: nothing can be in hand since before, so
/// whatever the outboxes hold is published at once instead of when its time is up, before anything else is looked at.
/// Pages go first, since notices may be many.
pub async fn resume(house: &House, started: Timestamp) -> Result<(), StoreError> {
    let desk = std::iter::once(house.settings().freeze_desk());
    let services: Vec<ServiceId> = house.settings().services().chain(desk).map(|service| service.id.clone()).collect();
    let (mut left, mut failed) = (Vec::new(), None);
    for service in &services {
        match pick_up(house, service, started).await {
            Ok(messages) => left.extend(messages),
            Err(error) => failed = Some(error),
        }
    }
    left.sort_by_key(|message| message.kind != Kind::Page);
    house.publish(&left).await;
    let looked = look(house, &services).await;
    failed.map_or(looked, Err)
}

/// What is left in an outbox, free to be delivered.
async fn pick_up(house: &House, service: &ServiceId, started: Timestamp) -> Result<Vec<Message>, StoreError> {
    let left = house.store.outbox(service).await?;
    for outgoing in &left {
        if let Some(claimed_at) = outgoing.claimed_at.filter(|at| *at < started) {
            house.store.abandon(&outgoing.message.key, claimed_at).await?;
        }
    }
    Ok(left.into_iter().map(|outgoing| outgoing.message).collect())
}

/// Brings one service up to date, with what its forge knows.
pub async fn settle(house: &House, service: &ServiceId) -> Result<(), StoreError> {
    let looked = look(house, [service]).await;
    ask(house, std::slice::from_ref(service)).await;
    looked
}

/// Brings services up to date: load, decide, commit, publish, until nothing is due now. One that fails does not keep
/// the others waiting.
pub async fn look<'a>(
    house: &House,
    services: impl IntoIterator<Item = &'a ServiceId> + Send,
) -> Result<(), StoreError> {
    let mut failed = None;
    for service in services {
        if let Err(error) = run_rounds(house, service).await {
            tracing::error!(service.name = %service, cause = error_chain(&error), "not settled, tried again at the next tick");
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Asks and tells the pagers what is due, and reads the calendars that freezes follow; then asks the forges what these services
/// do not know yet, a few questions at a time and not for ever; looks again at those that learnt something. Whoever has pages to send does not wait for this.
pub async fn ask(house: &House, services: &[ServiceId]) {
    let mut keeping = JoinSet::new();
    for service in services {
        let (house, service) = (house.clone(), service.clone());
        keeping.spawn(async move { keep(&house, &service).await });
    }
    while keeping.join_next().await.is_some() {}
    let asker = Asker::new(house);
    let mut asking = JoinSet::new();
    for service in services.iter().filter_map(|id| house.settings().service(id)) {
        if !Forge::knows_any(house, service) {
            continue;
        }
        let (asker, id) = (asker.clone(), service.id.clone());
        asking.spawn(async move {
            let learnt = asker.ask_all(&id).await;
            (id, learnt)
        });
    }
    while let Some(asked) = asking.join_next().await {
        match asked {
            Ok((_, Ok(false))) => {}
            // What fails here is logged there, and tried again at the next tick.
            Ok((service, Ok(true))) => drop(look(house, [&service]).await),
            Ok((service, Err(error))) => {
                tracing::error!(service.name = %service, cause = error_chain(&error), "the forge was not asked");
            }
            Err(error) => tracing::error!(%error, "the forge was not asked"),
        }
    }
}

/// Asks and tells the pager of a service what is due; at the desk of freezes, reads the calendars that they follow.
async fn keep(house: &House, service: &ServiceId) {
    let kept = if let Some(repository) = house.settings().merges_at(service) {
        // Each whether or not the other could be done.
        let told = Box::pin(pulls::keep(house, service, repository)).await;
        Box::pin(comments::keep(house, service, repository)).await.and(told).map(|()| false)
    } else if house.settings().freeze_desk().id == *service {
        let read = Box::pin(feeds::keep(house)).await;
        // What a calendar said just now is posted with the rest.
        match Box::pin(posting::post(house)).await {
            Ok(()) => read,
            Err(error) => Err(error),
        }
    } else {
        // Each whether or not the other could be done.
        // Somebody waits for this one.
        let proposed = Box::pin(autopilot::ask(house, service)).await;
        let reverted = Box::pin(reverts::keep(house, service)).await.and(proposed);
        let merged = Box::pin(autopilot::merge(house, service)).await;
        let beside = Box::pin(beside::keep(house, service)).await;
        let held = Box::pin(holding::keep(house, service)).await;
        let said = Box::pin(comments::post(house, service)).await;
        let shown = Box::pin(shown::keep(house, service)).await;
        let gates = Box::pin(gates::keep(house, service)).await;
        gates.and(held).and(reverted).and(merged).and(beside).and(said).and(shown).map(|()| false)
    };
    match kept {
        Ok(false) => {}
        // What fails here is logged there, and tried again at the next tick.
        Ok(true) => drop(look(house, [service]).await),
        Err(error) => {
            tracing::error!(service.name = %service, cause = error_chain(&error), "nobody outside was asked");
        }
    }
}

async fn run_rounds(house: &House, id: &ServiceId) -> Result<(), StoreError> {
    let settings = house.settings();
    let Some(service) = settings.service(id) else {
        tracing::warn!(service.name = %id, "is no longer in the configuration: its items expire by themselves");
        // Its clock is put off, not stopped: should it come back, it goes on where it was.
        let later = Decisions::none(id, Wake::Exactly(Some(house.now() + LEFT_ALONE)));
        return house.store.decide(id, house.now(), |_| (later.clone(), ())).await.map(|_| ());
    };
    let desk = settings.freeze_desk().id == *id;
    let merges = settings.merges_at(id).map(|repository| house.configuration.merge_status_of(repository));
    for _ in 0..MOST_ROUNDS {
        let now = house.now();
        let decide = |situation: &Situation, outbox: &[Outgoing]| {
            let round = match merges {
                Some(manner) => on_schedule::merge_desks::decide(situation, outbox, manner, settings, now),
                None if desk => on_schedule::freezes::decide(situation, outbox, settings, now),
                None => on_schedule::decide(situation, outbox, service, settings, now),
            };
            let mut decisions = round.decisions;
            if merges.is_none() && !desk {
                decisions.card = Some(Box::new(Card::after(&decisions, situation, service, settings, now)));
            }
            let due = merges.is_none() && !desk && digest::is_due(service, situation, now);
            (decisions, (round.republish, due))
        };
        let (decisions, (republish, digest)) = house.store.decide_seeing_outbox(id, now, decide).await?;
        emf::print(id, &decisions.facts, now);
        house.publish(&decisions.messages).await;
        for page in republish.iter().filter(|message| on_schedule::is_overdue(message, now)) {
            let minutes = now.duration_since(page.decided_at).as_mins();
            tracing::error!(event = "page.overdue", service.name = %id, message.key = %page.key, minutes, "a page has reached nobody, tried again: see to the person's contacts");
        }
        house.publish(&republish).await;
        if digest {
            Box::pin(digest::tell(house, service, now)).await;
        }
        let again = decisions.wake;
        if !matches!(again, Wake::Exactly(Some(at)) if at <= now) {
            // What a freeze begins or ends with has a job of its own; the tick is what it falls back to.
            if desk {
                house.freezes_seen.store(true, Ordering::Relaxed);
            }
            if let Wake::Exactly(Some(at)) = again
                && desk
            {
                house.wake_at(id, at).await;
            }
            return Ok(());
        }
    }
    Ok(())
}
