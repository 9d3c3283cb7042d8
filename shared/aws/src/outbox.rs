//! The outbox: messages that no receiver has accepted yet. Written in the transaction that decides them,
//! published, marked, claimed by one delivery at a time, and gone once accepted.

use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnValue};
use domain::{Ceiling, Entry, Incident, Message, MessageKey, Outgoing, ServiceId, Subject};
use jiff::Timestamp;

use crate::clients::Passing;
use crate::keys;
use crate::records::{self, Item};
use crate::store::{Store, StoreError};

const PUBLISHED: &str = "published_at";
const CLAIMED: &str = "claimed_at";
const TRIES: &str = "tries";
const TRYING: &str = "trying";

/// A message as it stands in the outbox when it is decided.
pub fn new_item(message: &Message) -> Result<Item, StoreError> {
    records::item(&keys::message(&message.key), message, Some(message.decided_at + keys::KEEP_MESSAGE))
}

fn outgoing(item: &Item) -> Result<Outgoing, StoreError> {
    let tries = item.get(TRIES).and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok()).unwrap_or(0);
    Ok(Outgoing {
        message: records::read(item)?,
        published_at: records::millis(item, PUBLISHED),
        claimed_at: records::millis(item, CLAIMED),
        tries,
        trying: item.get(TRYING).and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok()),
    })
}

/// Everything that says whether a message goes out, and how.
#[derive(Debug)]
pub struct Way {
    /// Absent: it has come to its end.
    pub outgoing: Option<Outgoing>,
    pub incident: Option<Incident>,
    pub ceiling: Ceiling,
}

impl Store {
    /// Everything of a service that no receiver has accepted.
    pub async fn outbox(&self, service: &ServiceId) -> Result<Vec<Outgoing>, StoreError> {
        self.query(&keys::outbox(service), None, true, None).await?.iter().map(outgoing).collect()
    }

    /// Marks a message published, unless it was accepted meanwhile.
    pub async fn mark_published(&self, key: &MessageKey, now: Timestamp) -> Result<(), StoreError> {
        let still = "attribute_exists(pk)";
        self.touch(key, "SET published_at = :now, expires = :expires", still, now).await.map(|_| ())
    }

    /// Claims a message for one delivery, which begins with the contact at this place of the person's list; `false`
    /// when another one holds it or it is gone.
    pub async fn claim(&self, key: &MessageKey, now: Timestamp, place: usize) -> Result<bool, StoreError> {
        let free = "attribute_exists(pk) AND (attribute_not_exists(claimed_at) OR claimed_at <= :stale)";
        let values = Item::from([
            (":now".into(), records::number(now.as_millisecond())),
            (":stale".into(), records::number((now - domain::on_page::CLAIM).as_millisecond())),
            (":place".into(), records::number(place)),
            (":one".into(), records::number(1)),
        ]);
        self.update(key, "SET claimed_at = :now, trying = :place ADD tries :one", free, values).await
    }

    /// Renews the claim of `claimed_at` for the contact at this place of the person's list, and remembers which it is. Returns
    /// the claim as it is then; `None`: somebody else holds the message now, or it is gone.
    pub async fn try_at(
        &self,
        key: &MessageKey,
        claimed_at: Timestamp,
        now: Timestamp,
        place: usize,
    ) -> Result<Option<Timestamp>, StoreError> {
        let now = now.max(claimed_at);
        let values = Item::from([
            (":now".into(), records::number(now.as_millisecond())),
            (":own".into(), records::number(claimed_at.as_millisecond())),
            (":place".into(), records::number(place)),
        ]);
        let own = "attribute_exists(pk) AND claimed_at = :own";
        let held = self.update(key, "SET claimed_at = :now, trying = :place", own, values).await?;
        Ok(held.then_some(now))
    }

    /// Gives back a claim whose process died, before it grows stale. Which contact that was at stays known, since it may
    /// have got the message.
    pub async fn abandon(&self, key: &MessageKey, claimed_at: Timestamp) -> Result<(), StoreError> {
        let own = "attribute_exists(pk) AND claimed_at = :now";
        self.touch(key, "REMOVE claimed_at", own, claimed_at).await.map(|_| ())
    }

    /// Gives the claim of `claimed_at` back after a delivery failed, so that the next try need not wait for it to grow
    /// stale. If it has, and somebody else holds the message now, theirs stays.
    pub async fn release(&self, key: &MessageKey, claimed_at: Timestamp) -> Result<(), StoreError> {
        let own = "attribute_exists(pk) AND claimed_at = :now";
        self.touch(key, "REMOVE claimed_at, trying SET failed_at = :now", own, claimed_at).await.map(|_| ())
    }

    /// Remembers that a page was accepted, for what it speaks for too.
    pub async fn remember_accepted(&self, key: &MessageKey, now: Timestamp) -> Result<(), StoreError> {
        self.counters().writes.fetch_add(1, Ordering::Relaxed);
        let item = records::item(&keys::accepted(key), &true, Some(now + keys::KEEP_MESSAGE))?;
        let put = self.client().put_item().table_name(self.table()).set_item(Some(item)).send().await;
        put.map(|_| ()).map_err(|e| StoreError::unavailable(DisplayErrorContext(e)))
    }

    /// Whether this page was accepted, where that is remembered.
    pub async fn was_accepted(&self, key: &MessageKey) -> Result<bool, StoreError> {
        Ok(self.get(&keys::accepted(key)).await?.is_some())
    }

    /// Takes a message out: accepted, or withdrawn. The log says which. Harmless when it is already gone.
    pub async fn finish(&self, key: &MessageKey, entry: &Entry) -> Result<(), StoreError> {
        self.remove_with_entry(&keys::message(key), &key.service, entry).await
    }

    /// A message, the incident it is about, and how far automation may go there, in one round trip.
    pub async fn outgoing(&self, key: &MessageKey) -> Result<Way, StoreError> {
        self.counters().gets.fetch_add(1, Ordering::Relaxed);
        let message = keys::message(key);
        let incident = match &key.subject {
            Subject::Incident(id) => Some(keys::incident(&key.service, id)),
            Subject::Change(_) | Subject::Shift(_) | Subject::Freeze(_) | Subject::Expedite(_) | Subject::Service => {
                None
            }
        };
        let ceiling = keys::ceiling(&key.service);
        let wanted = [&message, &ceiling].into_iter().chain(&incident).map(records::key_item).collect();
        let ask = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
        let answer = self
            .client()
            .batch_get_item()
            .request_items(self.table(), ask.map_err(StoreError::unavailable)?)
            .send()
            .await
            .map_err(|e| StoreError::unavailable(DisplayErrorContext(e)))?;
        if answer.unprocessed_keys().is_some_and(|keys| !keys.is_empty()) {
            return Err(StoreError::unavailable("throttled"));
        }
        let items = answer.responses().and_then(|r| r.get(self.table())).map_or(&[][..], Vec::as_slice);
        let find = |key: &keys::Key| items.iter().find(|item| records::sort(item) == key.sort);
        let message = find(&message).map(outgoing).transpose()?;
        let ceiling = find(&ceiling).map(records::read).transpose()?.unwrap_or_default();
        let incident = incident.as_ref().and_then(find).map(records::read).transpose()?;
        Ok(Way { outgoing: message, incident, ceiling })
    }

    async fn touch(
        &self,
        key: &MessageKey,
        expression: &str,
        condition: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut values = Item::from([(":now".into(), records::number(now.as_millisecond()))]);
        if expression.contains(":expires") {
            values.insert(":expires".into(), records::number((now + keys::KEEP_MESSAGE).as_second()));
        }
        self.update(key, expression, condition, values).await
    }

    /// Changes a message under a condition; `false` where that does not hold. Were it lost, the message would go out again.
    async fn update(
        &self,
        key: &MessageKey,
        expression: &str,
        condition: &str,
        values: Item,
    ) -> Result<bool, StoreError> {
        self.counters().writes.fetch_add(1, Ordering::Relaxed);
        let result = self
            .client()
            .update_item()
            .table_name(self.table())
            .set_key(Some(records::key_item(&keys::message(key))))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .return_values(ReturnValue::None)
            .customize()
            .mutate_request(|request| request.add_extension(Passing))
            .send()
            .await;
        match result {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(e) => Err(StoreError::unavailable(DisplayErrorContext(e))),
        }
    }
}
