//! One transaction under construction: all of it happens, or nothing.

use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};
use domain::{Entry, PersonId, ServiceId};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Store, StoreError};
use crate::keys::{self, Key};
use crate::records::{self, Item};
use crate::verify::to_hex;

pub(super) struct Transaction<'a> {
    store: &'a Store,
    actions: Vec<TransactWriteItem>,
    lines: usize,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store, actions: Vec::new(), lines: 0 }
    }

    /// Puts an item if its stored revision is `seen` (0: absent).
    pub(super) fn put_at(&mut self, item: Item, seen: u64) -> Result<(), StoreError> {
        let put = Put::builder().table_name(&self.store.table).set_item(Some(item));
        let put = if seen == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("rev = :seen").expression_attribute_values(":seen", records::number(seen))
        };
        self.add(TransactWriteItem::builder().put(put.build().map_err(StoreError::unavailable)?))
    }

    /// Puts an item whatever is there.
    pub(super) fn put(&mut self, item: Item) -> Result<(), StoreError> {
        let put = Put::builder().table_name(&self.store.table).set_item(Some(item)).build();
        self.add(TransactWriteItem::builder().put(put.map_err(StoreError::unavailable)?))
    }

    /// Puts an item under a condition of its own.
    pub(super) fn put_if(&mut self, item: Item, condition: &str, values: Item) -> Result<(), StoreError> {
        let put = Put::builder()
            .table_name(&self.store.table)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values).filter(|v| !v.is_empty()))
            .build();
        self.add(TransactWriteItem::builder().put(put.map_err(StoreError::unavailable)?))
    }

    /// Does nothing to an item, but only under this condition.
    pub(super) fn check(&mut self, key: &Key, condition: &str, values: Item) -> Result<(), StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.store.table)
            .set_key(Some(records::key_item(key)))
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .build();
        self.add(TransactWriteItem::builder().condition_check(check.map_err(StoreError::unavailable)?))
    }

    /// Deletes an item if its stored revision is `seen`.
    pub(super) fn delete_at(&mut self, key: &Key, seen: u64) -> Result<(), StoreError> {
        let delete = Delete::builder()
            .table_name(&self.store.table)
            .set_key(Some(records::key_item(key)))
            .condition_expression("rev = :seen")
            .expression_attribute_values(":seen", records::number(seen))
            .build();
        self.add(TransactWriteItem::builder().delete(delete.map_err(StoreError::unavailable)?))
    }

    /// Deletes an item that has to be there.
    pub(super) fn delete_existing(&mut self, key: &Key) -> Result<(), StoreError> {
        let delete = Delete::builder()
            .table_name(&self.store.table)
            .set_key(Some(records::key_item(key)))
            .condition_expression("attribute_exists(pk)")
            .build();
        self.add(TransactWriteItem::builder().delete(delete.map_err(StoreError::unavailable)?))
    }

    /// Updates an item.
    pub(super) fn update(
        &mut self,
        key: &Key,
        expression: &str,
        condition: Option<&str>,
        values: Item,
    ) -> Result<(), StoreError> {
        let update = Update::builder()
            .table_name(&self.store.table)
            .set_key(Some(records::key_item(key)))
            .update_expression(expression)
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_values(Some(values))
            .build();
        self.add(TransactWriteItem::builder().update(update.map_err(StoreError::unavailable)?))
    }

    /// Rings the service's clock: look at it now. Never conditional, so that no event can fail on it.
    pub(super) fn wake(&mut self, service: &ServiceId, now: Timestamp) -> Result<(), StoreError> {
        let values = Item::from([
            (":due".into(), records::text(keys::DUE)),
            (":at".into(), records::number(now.as_millisecond())),
            (":one".into(), records::number(1)),
            (":rung".into(), AttributeValue::Bool(true)),
        ]);
        let rings = "SET due = :due, due_at = :at, rung = :rung ADD rev :one";
        self.update(&keys::clock(service), rings, None, values)
    }

    /// Adds a line to the service's log, and says where it is; lines of one moment keep the order in which they were decided.
    pub(super) fn log(&mut self, service: &ServiceId, entry: &Entry) -> Result<String, StoreError> {
        let subject = entry.subject.as_ref().map(ToString::to_string).unwrap_or_default();
        let person = entry.person.as_ref().map_or("", PersonId::as_str);
        let digest = Sha256::digest(format!("{subject}\n{person}\n{}\n{}", entry.reason.name(), entry.what));
        let key = keys::entry(service, entry.at, &format!("{:02}-{}", self.lines, to_hex(&digest[..4])));
        self.lines += 1;
        self.put(records::item(&key, entry, Some(entry.at + keys::KEEP_LOG))?)?;
        Ok(key.sort)
    }

    fn add(&mut self, action: aws_sdk_dynamodb::types::builders::TransactWriteItemBuilder) -> Result<(), StoreError> {
        self.actions.push(action.build());
        Ok(())
    }

    /// Does it. A failed condition, and a race with another transaction, are a conflict.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.store.counters.transactions.fetch_add(1, Ordering::Relaxed);
        let request = self.store.client.transact_write_items().set_transact_items(Some(self.actions));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_conflict(&error) => Err(StoreError::Conflict),
            Err(error) => Err(StoreError::unavailable(DisplayErrorContext(error))),
        }
    }
}

fn is_conflict(error: &SdkError<TransactWriteItemsError>) -> bool {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled
            .cancellation_reasons()
            .iter()
            .any(|r| matches!(r.code(), Some("ConditionalCheckFailed" | "TransactionConflict"))),
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => true,
        _ => false,
    }
}
