//! SNS says a person must be told. One message, one person, their contacts in order until one accepts.

pub mod offers;
pub mod receivers;
mod route;

use aws::outbox::Way;
use aws::secrets::SecretError;
use aws::settings::Configuration;
use aws::wire::error_chain;
use aws::{House, Malformed, StoreError};
use domain::mode::Sends;
use domain::on_page::{self, Delivery};
use domain::{Ceiling, Entry, Incident, Kind, Message, Outgoing, Reason, Subject};
use jiff::Timestamp;
use serde_json::Value;

use receivers::Undelivered;
use route::route;

/// The secrets that it asks for: those of the receivers, and the one that signs links.
#[must_use]
pub fn secrets(configuration: &Configuration) -> Vec<String> {
    let receivers = configuration.receivers.values().filter_map(|receiver| receiver.secret.clone());
    receivers.chain([configuration.link_secret.clone()]).collect()
}

/// Why a message was not handled; SNS delivers it again, and the sweeper publishes it again.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error("not a message of ours")]
    Malformed(#[from] Malformed),
    #[error("the outbox does not answer")]
    Store(#[from] StoreError),
    #[error("links cannot be signed")]
    Secret(#[from] SecretError),
    #[error("no contact of {person} accepted it: {why}")]
    NoContact { person: domain::PersonId, why: String },
}

/// An event as SNS hands it to Lambda: one record or several, each with one of our messages.
pub async fn handle(house: &House, event: &Value) -> Result<(), PageError> {
    let records =
        event.get("Records").and_then(Value::as_array).ok_or_else(|| Malformed::new("an event without records"))?;
    let mut failed = None;
    for record in records {
        let text = record.pointer("/Sns/Message").and_then(Value::as_str).unwrap_or("");
        let message = aws::wire::parse::<Message>(text.as_bytes());
        let key = message.as_ref().ok().map(|message| message.key.to_string());
        let result = match message {
            Ok(message) => deliver(house, &message).await.map(|_| ()),
            Err(malformed) => Err(malformed.into()),
        };
        if let Err(error) = result {
            tracing::error!(message.key = key, cause = error_chain(&error), "not delivered");
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Delivers one message, unless it is no longer true, or somebody else is at it. Returns why it did what it did.
pub async fn deliver(house: &House, published: &Message) -> Result<Reason, PageError> {
    let now = house.now();
    let key = &published.key;
    let policy = house.settings().service(&key.service).map(|service| service.policy).unwrap_or_default();
    let Way { outgoing, incident, ceiling } = house.store.outgoing(key).await?;
    if let Some(page) = on_page::page_before(published, incident.as_ref())
        && outgoing.is_some()
        && house.store.outgoing(&page).await?.outgoing.is_some()
    {
        tracing::info!(message.key = %key, "left alone: the page whose end it tells is on its way yet");
        return Ok(Reason::DeliveryUnderWay);
    }
    match (on_page::decide(outgoing.as_ref(), incident.as_ref(), &policy, now), outgoing) {
        (Delivery::Leave(reason), _) => {
            tracing::info!(message.key = %key, reason = reason.name(), "left alone: {reason}");
            Ok(reason)
        }
        (Delivery::Withdraw(reason), _) => {
            let entry =
                entry(published, format!("{} to {} withdrawn", published.kind.word(), key.person), reason.clone(), now);
            house.store.finish(key, &entry).await?;
            tracing::info!(message.key = %key, reason = reason.name(), "withdrawn: {reason}");
            Ok(reason)
        }
        (Delivery::Send, Some(outgoing)) => match spoken_for(house, &outgoing.message, now).await? {
            Spoken::No => match sends(house, &outgoing.message, incident.as_ref(), &ceiling) {
                Sends::Nothing => settle(house, &outgoing.message, Reason::ShadowMode).await,
                by @ (Sends::ByAll | Sends::ByChat) => send(house, &outgoing, incident.as_ref(), by, now).await,
            },
            Spoken::Perhaps => Ok(Reason::DeliveryUnderWay),
            Spoken::Yes(reason) => settle(house, &outgoing.message, reason).await,
        },
        (Delivery::Send, None) => Ok(Reason::AlreadyAccepted),
    }
}

/// By which contacts it goes, in the mode that is in force.
fn sends(house: &House, message: &Message, incident: Option<&Incident>, ceiling: &Ceiling) -> Sends {
    let configured = house.settings().service(&message.key.service).map(|service| service.mode).unwrap_or_default();
    ceiling.in_force(configured).sends(message, on_page::page_ended(message, incident).map(|page| page.mode))
}

/// Whether another page, to the same person, says what this one does.
enum Spoken {
    No,
    /// It may yet be accepted.
    Perhaps,
    Yes(Reason),
}

/// A page that names another service's incident too speaks for the other page, once it is accepted. Withdrawn, or never
/// decided after all, it does not.
async fn spoken_for(house: &House, message: &Message, now: Timestamp) -> Result<Spoken, PageError> {
    let (Some(key), Subject::Incident(own)) = (&message.unless, &message.key.subject) else { return Ok(Spoken::No) };
    let Subject::Incident(other) = &key.subject else { return Ok(Spoken::No) };
    if house.store.was_accepted(key).await? {
        tracing::info!(message = %message.key, incident = %own, "its person was told by the page for {other}");
        return Ok(Spoken::Yes(Reason::NamedTogether { incident: other.clone() }));
    }
    let policy = house.settings().service(&key.service).map(|service| service.policy).unwrap_or_default();
    let Way { outgoing, incident, .. } = house.store.outgoing(key).await?;
    Ok(match (outgoing.as_ref(), on_page::decide(outgoing.as_ref(), incident.as_ref(), &policy, now)) {
        (None, _) | (Some(_), Delivery::Withdraw(_)) => Spoken::No,
        (Some(_), Delivery::Send | Delivery::Leave(_)) => Spoken::Perhaps,
    })
}

/// Tries a person's contacts in their order. The message is claimed with the first one's place in it, and the claim is
/// renewed before each other: should the process die there, the next delivery knows what may have been sent.
async fn send(
    house: &House,
    outgoing: &Outgoing,
    incident: Option<&Incident>,
    by: Sends,
    now: Timestamp,
) -> Result<Reason, PageError> {
    let message = &outgoing.message;
    let contacts = house.settings().roster.person(&message.key.person).map_or(&[][..], |p| p.contacts.as_slice());
    let stops = route(contacts, &house.configuration.receivers, message, by, outgoing.trying);
    if stops.is_empty() && !contacts.is_empty() {
        let why = match (&message.not_by, by) {
            (_, Sends::ByChat) => Reason::NoChat,
            (Some(pager), Sends::ByAll | Sends::Nothing) => Reason::PagedByThePager { pager: pager.clone() },
            (None, Sends::ByAll | Sends::Nothing) => Reason::NotForNotices,
        };
        return settle(house, message, why).await;
    }
    let first = stops.first().map_or(0, |stop| stop.place);
    if !house.store.claim(&message.key, now, first).await? {
        return Ok(Reason::DeliveryUnderWay);
    }
    let offers = offers::offers(house, message, incident)?;
    let mut hold = now;
    let (mut accepted, mut failures) = (Vec::new(), Vec::new());
    for (i, stop) in stops.iter().enumerate() {
        if i > 0 {
            let Some(renewed) = house.store.try_at(&message.key, hold, house.now(), stop.place).await? else {
                return Ok(Reason::DeliveryUnderWay);
            };
            hold = renewed;
        }
        match receivers::send(house, stop.contact, message, &offers).await {
            Ok(()) => accepted.push(stop.contact.receiver.clone()),
            Err(error) => failures.push(failure(stop.contact, &error)),
        }
        // Every pager that keeps a page has to hear what became of it; a person is told once.
        if !accepted.is_empty() && message.kind != Kind::Update {
            break;
        }
    }
    let enough = !accepted.is_empty() && (message.kind != Kind::Update || failures.is_empty());
    // One that went to a chat only does not speak for a page that is to wake somebody.
    if enough && by == Sends::ByAll && message.kind == Kind::Page && shares(house, message) {
        house.store.remember_accepted(&message.key, house.now()).await?;
    }
    if enough {
        return settle(house, message, Reason::AcceptedBy { receiver: accepted.join(", ") }).await;
    }
    let why = if failures.is_empty() { "there is no contact".to_owned() } else { failures.join("; ") };
    house.store.release(&message.key, hold).await?;
    if outgoing.tries == 0 {
        let what = format!("{} to {} not delivered", message.kind.word(), message.key.person);
        let reason = Reason::NoContactAccepted { why: why.clone() };
        house.store.append(&message.key.service, &entry(message, what, reason, house.now())).await?;
    }
    Err(PageError::NoContact { person: message.key.person.clone(), why })
}

/// Whether a change of its service may break another one too.
fn shares(house: &House, message: &Message) -> bool {
    let settings = house.settings();
    settings.service(&message.key.service).is_some_and(|service| settings.sharing(service).next().is_some())
}

/// The message has come to its end: it leaves the outbox, and the log says why.
async fn settle(house: &House, message: &Message, reason: Reason) -> Result<Reason, PageError> {
    let delivered = if matches!(reason, Reason::AcceptedBy { .. }) { "delivered" } else { "not delivered" };
    let what = format!("{} to {} {delivered}: {}", message.kind.word(), message.key.person, message.title);
    house.store.finish(&message.key, &entry(message, what, reason.clone(), house.now())).await?;
    tracing::info!(message.key = %message.key, reason = reason.name(), "{reason}");
    Ok(reason)
}

fn failure(contact: &domain::Contact, error: &Undelivered) -> String {
    if matches!(error, Undelivered::UnknownPerson) {
        tracing::warn!(receiver = contact.receiver, "knows nobody by the address of a contact: correct the roster");
    }
    format!("{}: {}", contact.receiver, error_chain(error))
}

fn entry(message: &Message, what: String, reason: Reason, at: Timestamp) -> Entry {
    Entry { at, subject: Some(message.key.subject.clone()), person: Some(message.key.person.clone()), what, reason }
}
