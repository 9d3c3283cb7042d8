//! What pipelines' other names for a commit stand for. One item a reference: its meaning, and the reports that came
//! before it.

use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::{DeploymentEvent, Reference, StandsFor};
use jiff::Timestamp;

use super::{Store, StoreError};
use crate::keys;
use crate::records::{self, Item};

/// The reports that await the meaning of a reference, as JSON: a set, because it grows without being read.
const AWAITING: &str = "awaiting";
/// One item holds 400 KB; a report is a few hundred bytes.
const MOST_AWAITING: usize = 100;

impl Store {
    /// What a reference stands for. If nobody has told, the event is kept beside it until somebody does.
    pub async fn meaning(
        &self,
        reference: &Reference,
        event: &DeploymentEvent,
        now: Timestamp,
    ) -> Result<Option<StandsFor>, StoreError> {
        let known = self.get(&keys::reference(reference)).await?;
        if let Some(item) = known.as_ref().filter(|item| item.contains_key(keys::BODY)) {
            return records::read(item).map(Some);
        }
        let waiting = known.as_ref().and_then(|item| item.get(AWAITING)?.as_ss().ok()).map_or(0, Vec::len);
        if waiting >= MOST_AWAITING {
            return Ok(None);
        }
        let report = serde_json::to_string(event).map_err(|e| StoreError::Unreadable(e.to_string()))?;
        let set = AttributeValue::Ss(vec![report]);
        // Whether its meaning was told meanwhile, the answer says.
        let item = self.grow(reference, "SET expires = :expires ADD awaiting :what", set, now).await?;
        if item.contains_key(keys::BODY) { records::read(&item).map(Some) } else { Ok(None) }
    }

    /// Keeps what a reference stands for, and says which reports have awaited it.
    pub async fn note_meaning(&self, told: &StandsFor, now: Timestamp) -> Result<Vec<DeploymentEvent>, StoreError> {
        let item =
            self.grow(&told.reference, "SET body = :what, expires = :expires", records::body(told)?, now).await?;
        let awaiting = item.get(AWAITING).and_then(|v| v.as_ss().ok()).into_iter().flatten();
        awaiting.map(|text| serde_json::from_str(text).map_err(|e| StoreError::Unreadable(e.to_string()))).collect()
    }

    async fn grow(
        &self,
        reference: &Reference,
        expression: &str,
        value: AttributeValue,
        now: Timestamp,
    ) -> Result<Item, StoreError> {
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(records::key_item(&keys::reference(reference))))
            .update_expression(expression)
            .expression_attribute_values(":what", value)
            .expression_attribute_values(":expires", records::number((now + keys::KEEP_REFERENCE).as_second()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|e| StoreError::unavailable(DisplayErrorContext(e)))?;
        Ok(answer.attributes.unwrap_or_default())
    }
}
