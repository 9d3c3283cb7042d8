//! Records of the domain as items of the table, and back. One attribute, `body`, holds the record as a map.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::change::Files;
use domain::comments::Comment;
use domain::expedite::Expedite;
use domain::freeze::{Declared, Feed, FreezeNotes};
use domain::merge_desk::Pulls;
use domain::on_merge::errands::Errand;
use domain::paging::Paging;
use domain::pipelines::Pipelines;
use domain::posted::Posted;
use domain::track::Track;
use domain::undo::{self, Undo};
use domain::{Ceiling, Clock, Deployment, Incident, Queue, Record, Shift, Signals, WindowNotes};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::keys::{self, Key};
use crate::schema;
use crate::store::StoreError;

pub type Item = HashMap<String, AttributeValue>;

#[must_use]
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

#[must_use]
pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A key as the SDK wants it.
#[must_use]
pub fn key_item(key: &Key) -> Item {
    Item::from([(keys::PARTITION.into(), text(&key.partition)), (keys::SORT.into(), text(&key.sort))])
}

/// The body attribute of a record.
pub fn body<T: Serialize>(value: &T) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(|e| StoreError::Unreadable(e.to_string()))
}

/// An item with this key, body and life.
pub fn item<T: Serialize>(key: &Key, value: &T, expires: Option<Timestamp>) -> Result<Item, StoreError> {
    let mut item = key_item(key);
    item.insert(keys::BODY.into(), body(value)?);
    schema::mark(&mut item);
    if let Some(at) = expires {
        item.insert(keys::EXPIRES.into(), number(at.as_second()));
    }
    Ok(item)
}

/// The record in an item's body.
pub fn read<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let item = schema::current(item)?;
    read_value(item.get(keys::BODY).ok_or_else(|| StoreError::Unreadable("an item without a body".into()))?)
}

/// The record in one attribute.
pub fn read_value<T: DeserializeOwned>(value: &AttributeValue) -> Result<T, StoreError> {
    serde_dynamo::from_attribute_value(value.clone()).map_err(|e| StoreError::Unreadable(e.to_string()))
}

#[must_use]
pub fn revision(item: &Item) -> u64 {
    item.get(keys::REVISION).and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[must_use]
pub fn sort(item: &Item) -> &str {
    item.get(keys::SORT).and_then(|v| v.as_s().ok()).map_or("", String::as_str)
}

#[must_use]
pub fn millis(item: &Item, name: &str) -> Option<Timestamp> {
    let millis = item.get(name)?.as_n().ok()?.parse().ok()?;
    Timestamp::from_millisecond(millis).ok()
}

/// A service's clock.
#[must_use]
pub fn clock(item: &Item) -> Clock {
    let card = item.get(keys::CARD).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    Clock { due_at: millis(item, keys::DUE_AT), card }
}

/// Where a record of a service is kept, and its body. What is not written again for [`keys::KEEP_CHANGE`] expires,
/// if nothing that is live can depend on it: the scheduler drops it long before, as long as the service is configured.
pub fn encode(service: &domain::ServiceId, record: &Record, rev: u64, now: Timestamp) -> Result<Item, StoreError> {
    let long = now + keys::KEEP_CHANGE;
    let mut item = match record {
        Record::Change(change) => {
            item(&keys::window(service, &change.id), change, Some(change.merged_at + keys::KEEP_CHANGE))?
        }
        Record::Notes(id, notes) => item(&keys::notes(service, id), notes, Some(long))?,
        // One that did not fail may be what is live, however long ago.
        Record::Deployment(deployment) => {
            let end = deployment.has_failed().then_some(long);
            item(&keys::deployment(service, &deployment.key), deployment, end)?
        }
        // What fires, and the sentinel of an open incident, have no end.
        Record::Signals(environment, signals) => {
            let over = signals.open.is_none() && signals.firing().next().is_none();
            item(&keys::signals(service, environment), signals, over.then_some(long))?
        }
        Record::Incident(incident) => {
            let end = incident.resolved_at.map(|at| at + SignedDuration::from_hours(24 * 7));
            item(&keys::incident(service, &incident.id), incident, end)?
        }
        Record::Shift(shift) => {
            let end = shift.over_at().map(|at| at.max(now) + keys::KEEP_CHANGE);
            let mut item = item(&keys::shift(service, &shift.id), shift, end)?;
            item.insert(keys::PERSON.into(), text(shift.person.as_str()));
            item.insert(keys::PERSON_AT.into(), number(shift.made_at.as_millisecond()));
            item
        }
        Record::Queue(queue) => item(&keys::queue(service), queue, None)?,
        Record::Paging(paging) => item(&keys::paging(service), paging, None)?,
        Record::Track(track) => item(&keys::track(service), track, None)?,
        Record::Files(id, files) => item(&keys::files(service, id), files, Some(long))?,
        Record::Freeze(freeze) => {
            item(&keys::freeze(service, &freeze.id), freeze, freeze.over_at().checked_add(keys::KEEP_CHANGE).ok())?
        }
        Record::FreezeNotes(time, notes) => {
            item(&keys::freeze_notes(service, time), notes, notes.until.max(now).checked_add(keys::KEEP_LOOK).ok())?
        }
        Record::Expedite(expedite) => {
            item(&keys::expedite(service, &expedite.key()), expedite, expedite.at.checked_add(keys::KEEP_CHANGE).ok())?
        }
        Record::Posted(posted) => item(&keys::posted(service), posted, None)?,
        Record::PostedAll(digest) => item(&keys::posted_all(service), digest, None)?,
        Record::Pipelines(pipelines) => item(&keys::pipelines(service), pipelines, None)?,
        Record::Pulls(pulls) => item(&keys::pulls(service), pulls, Some(long))?,
        Record::Comment(number, comment) => item(&keys::comment(service, *number), comment, Some(long))?,
        Record::Feed(freeze, feed) => item(&keys::feed(service, freeze), feed, Some(long))?,
        Record::Undo(undo) => item(
            &keys::undo(service, &undo.change),
            undo,
            (undo.at.max(now) + undo::KEPT).checked_add(keys::KEEP_LOOK).ok(),
        )?,
        Record::Ceiling(ceiling) => item(&keys::ceiling(service), ceiling, None)?,
        Record::Errand(errand) => item(&keys::errand(service, &errand.key()), errand, Some(long))?,
    };
    item.insert(keys::REVISION.into(), number(rev));
    Ok(item)
}

/// The record in an item of a working set; `None` for the clock, which is not a record.
pub fn decode(item: &Item) -> Result<Option<Record>, StoreError> {
    let Some((kind, rest)) = sort(item).split_once('#') else {
        return Ok(None);
    };
    let wrong = || StoreError::Unreadable(format!("an item whose key is not one of ours: {kind}"));
    Ok(Some(match kind {
        "C" => Record::Change(read(item)?),
        "N" => Record::Notes(keys::parse_change(rest).ok_or_else(wrong)?, read::<WindowNotes>(item)?),
        "D" => Record::Deployment(read::<Deployment>(item)?),
        "A" => Record::Signals(rest.parse().map_err(|_| wrong())?, read::<Signals>(item)?),
        "I" => Record::Incident(read::<Incident>(item)?),
        "H" => Record::Shift(read::<Shift>(item)?),
        "Q" => Record::Queue(read::<Queue>(item)?),
        "P" => Record::Paging(read::<Paging>(item)?),
        "K" => Record::Track(read::<Track>(item)?),
        "F" => Record::Files(keys::parse_change(rest).ok_or_else(wrong)?, read::<Files>(item)?),
        "E" => Record::Errand(read::<Errand>(item)?),
        "Z" => Record::Freeze(read::<Declared>(item)?),
        "Y" => Record::FreezeNotes(rest.to_owned(), read::<FreezeNotes>(item)?),
        "X" => Record::Expedite(read::<Expedite>(item)?),
        "B" => Record::Posted(read::<Posted>(item)?),
        "M" => Record::PostedAll(read::<String>(item)?),
        "V" => Record::Pipelines(read::<Pipelines>(item)?),
        "U" => Record::Pulls(read::<Pulls>(item)?),
        "R" => Record::Undo(read::<Undo>(item)?),
        "G" => Record::Ceiling(read::<Ceiling>(item)?),
        "J" => Record::Comment(rest.parse().map_err(|_| wrong())?, read::<Comment>(item)?),
        "W" => Record::Feed(rest.parse().map_err(|_| wrong())?, read::<Feed>(item)?),
        _ => return Err(wrong()),
    }))
}
