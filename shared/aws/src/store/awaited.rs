//! What is told once and needed by reports that may come before it: which commit an image stands for, which service an
//! alert was first about. One item: what was told, and the reports that await it.

use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, StoreError};
use crate::keys::{self, Key};
use crate::records::{self, Item};
use crate::schema;

/// The reports that wait, as JSON: a set, because it grows without being read.
const AWAITING: &str = "awaiting";
/// One item holds 400 KB; a report is a few hundred bytes.
const MOST_AWAITING: usize = 100;

/// Something that is told once.
#[derive(Debug, Clone)]
pub struct Topic {
    pub key: Key,
    /// How long it is remembered.
    pub keep: SignedDuration,
}

impl Store {
    /// What was told, if anything was.
    pub async fn told<T: DeserializeOwned>(&self, topic: &Topic) -> Result<Option<T>, StoreError> {
        Ok(self.told_or_waiting(topic).await?.0)
    }

    /// What was told; if nothing was, the report is kept until something is.
    pub async fn told_or_await<T: DeserializeOwned, W: Serialize>(
        &self,
        topic: &Topic,
        report: &W,
        now: Timestamp,
    ) -> Result<Option<T>, StoreError> {
        let (told, waiting) = self.told_or_waiting(topic).await?;
        if told.is_some() || waiting >= MOST_AWAITING {
            return Ok(told);
        }
        let report = serde_json::to_string(report).map_err(|e| StoreError::Unreadable(e.to_string()))?;
        let set = AttributeValue::Ss(vec![report]);
        // Whether it was told meanwhile, the answer says.
        let item = self.grow(topic, "SET expires = :expires ADD awaiting :what", set, now).await?;
        if item.contains_key(keys::BODY) { records::read(&item).map(Some) } else { Ok(None) }
    }

    /// Keeps what is told, and says which reports have awaited it.
    pub async fn tell<T: Serialize, W: DeserializeOwned>(
        &self,
        topic: &Topic,
        what: &T,
        now: Timestamp,
    ) -> Result<Vec<W>, StoreError> {
        let item = self.grow(topic, "SET body = :what, v = :v, expires = :expires", records::body(what)?, now).await?;
        let awaiting = item.get(AWAITING).and_then(|v| v.as_ss().ok()).into_iter().flatten();
        awaiting.map(|text| serde_json::from_str(text).map_err(|e| StoreError::Unreadable(e.to_string()))).collect()
    }

    /// These reports have what they awaited.
    pub async fn settled<W: Serialize>(&self, topic: &Topic, reports: &[W]) -> Result<(), StoreError> {
        let text = |report: &W| serde_json::to_string(report).map_err(|e| StoreError::Unreadable(e.to_string()));
        let texts: Vec<String> = reports.iter().map(text).collect::<Result<_, _>>()?;
        if texts.is_empty() {
            return Ok(());
        }
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(records::key_item(&topic.key)))
            .update_expression("DELETE awaiting :what")
            .expression_attribute_values(":what", AttributeValue::Ss(texts))
            .send()
            .await
            .map_err(|e| StoreError::unavailable(DisplayErrorContext(e)))?;
        Ok(())
    }

    /// What was told, and how many reports await it.
    async fn told_or_waiting<T: DeserializeOwned>(&self, topic: &Topic) -> Result<(Option<T>, usize), StoreError> {
        let Some(item) = self.get(&topic.key).await? else { return Ok((None, 0)) };
        let told = if item.contains_key(keys::BODY) { Some(records::read(&item)?) } else { None };
        Ok((told, item.get(AWAITING).and_then(|v| v.as_ss().ok()).map_or(0, Vec::len)))
    }

    async fn grow(
        &self,
        topic: &Topic,
        expression: &str,
        value: AttributeValue,
        now: Timestamp,
    ) -> Result<Item, StoreError> {
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(records::key_item(&topic.key)))
            .update_expression(expression)
            .set_expression_attribute_values(Some(schema::values(expression, value, now + topic.keep)))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|e| StoreError::unavailable(DisplayErrorContext(e)))?;
        Ok(answer.attributes.unwrap_or_default())
    }
}
