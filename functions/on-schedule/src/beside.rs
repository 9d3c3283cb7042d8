//! Beside the pager: asks it who is on call, and keeps it told of who is paged first. What is to be asked and told is the
//! domain's business ([`domain::beside`]); how, that of [`crate::pagers`].

use aws::receiver::{ReceiverConfig, ReceiverKind};
use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::beside::{self, Plan, Said};
use domain::paging::Layer;
use domain::service::Schedule;
use domain::{Login, PersonId, Service, ServiceId};

use crate::pagers::{self, Account, Pager};

/// Asks and tells the pager of one service what is due.
pub(crate) async fn keep(house: &House, id: &ServiceId) -> Result<(), StoreError> {
    let Some(service) = house.settings().service(id).filter(|s| s.schedule.is_some() || s.beside.is_some()) else {
        return Ok(());
    };
    let (now, roster) = (house.now(), &house.settings().roster);
    let (_, plan) = house.store.decide(id, now, |situation| beside::plan(situation, service, roster, now)).await?;
    let Plan { ask, put, take_out } = plan;
    if let Some(schedule) = service.schedule.as_ref().filter(|_| ask) {
        hear(house, service, &on_call(house, schedule).await).await?;
    }
    let Some(schedule) = &service.beside else { return Ok(()) };
    // First who is wanted, then who is not any more: there is somebody at every moment.
    if let Some(layer) = put {
        hear(house, service, &written(house, service, schedule, layer).await).await?;
    }
    for layer in take_out {
        hear(house, service, &taken_out(house, service, schedule, layer).await).await?;
    }
    Ok(())
}

async fn hear(house: &House, service: &Service, said: &Said) -> Result<(), StoreError> {
    let (now, roster) = (house.now(), &house.settings().roster);
    let decide = |situation: &_| (beside::hear(said, situation, service, roster, now), ());
    house.store.decide(&service.id, now, decide).await.map(|_| ())
}

fn pager<'a>(house: &'a House, schedule: &Schedule) -> Option<Pager<'a>> {
    house.configuration.receivers.get(&schedule.receiver).map(|receiver| Pager { house, receiver })
}

async fn on_call(house: &House, schedule: &Schedule) -> Said {
    let Some(pager) = pager(house, schedule) else {
        return Said::NotRead { why: "its pager is not configured".to_owned() };
    };
    match pagers::on_call(&pager, &schedule.id, house.now()).await {
        Ok(on_call) => {
            let people = on_call.people.iter().filter_map(|account| person(house, pager.receiver, account)).collect();
            Said::OnCall { people, until: on_call.until }
        }
        Err(error) => {
            tracing::warn!(receiver = schedule.receiver, cause = error_chain(&error), "the rotation cannot be read");
            Said::NotRead { why: error_chain(&error) }
        }
    }
}

/// Whom the roster knows by an account of the pager.
fn person(house: &House, receiver: &ReceiverConfig, account: &Account) -> Option<PersonId> {
    let roster = &house.settings().roster;
    let is = |text: &str| {
        let told = [&account.id, &account.email].into_iter().flatten();
        told.into_iter().any(|told| told.eq_ignore_ascii_case(text))
    };
    let contact = roster.people().find(|p| p.contacts.iter().any(|c| c.receiver == receiver.name && is(&c.address)));
    let login = || {
        let own = account.id.as_deref().and_then(|id| Login::new(forge(receiver.kind), id).ok());
        let mail = account.email.as_deref().and_then(|mail| Login::from_email(mail).ok());
        own.iter().chain(&mail).find_map(|login| roster.by_login(login))
    };
    let found = contact.or_else(login).map(|person| person.id.clone());
    if found.is_none() {
        tracing::warn!(
            receiver = receiver.name,
            account = account.name,
            "somebody is on call whom the roster does not know"
        );
    }
    found
}

/// What the accounts of a pager are called in the roster.
fn forge(kind: ReceiverKind) -> &'static str {
    if kind == ReceiverKind::PagerDuty { "pagerduty" } else { "opsgenie" }
}

/// A layer as the pager has to be told of it.
fn layer_of(house: &House, service: &Service, schedule: &Schedule, layer: &Layer) -> Option<pagers::Layer> {
    let person = house.settings().roster.person(&layer.person)?;
    let contact = person.contacts.iter().find(|c| c.receiver == schedule.receiver && !c.address.is_empty())?;
    let mark = format!("deployers/{}/{}/{}", service.id, layer.person, layer.from.as_second());
    Some(pagers::Layer { user: contact.address.clone(), from: layer.from, until: layer.until, mark })
}

async fn written(house: &House, service: &Service, schedule: &Schedule, layer: Layer) -> Said {
    let Some(pager) = pager(house, schedule) else {
        return Said::NotWritten { why: "the pager is not configured".to_owned() };
    };
    let Some(told) = layer_of(house, service, schedule, &layer) else {
        return Said::NotWritten { why: format!("{} has no contact at {}", layer.person, schedule.receiver) };
    };
    match pagers::put(&pager, &schedule.id, &told).await {
        Ok(id) => Said::Written { layer, id },
        Err(error) => not_written(schedule, &error),
    }
}

async fn taken_out(house: &House, service: &Service, schedule: &Schedule, layer: Layer) -> Said {
    // Whoever left the roster, or the pager, has nothing there that we could find.
    let (Some(pager), Some(told)) = (pager(house, schedule), layer_of(house, service, schedule, &layer)) else {
        return Said::TakenOut { layer };
    };
    match pagers::take_out(&pager, &schedule.id, layer.id.as_deref().unwrap_or(""), &told).await {
        Ok(()) => Said::TakenOut { layer },
        Err(error) => not_written(schedule, &error),
    }
}

fn not_written(schedule: &Schedule, error: &pagers::NoAnswer) -> Said {
    tracing::warn!(receiver = schedule.receiver, cause = error_chain(error), "the pager cannot be told");
    Said::NotWritten { why: error_chain(error) }
}
