//! Threads of a chat: which message of ours began the one about a subject, so that what follows is said there.

use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Store, StoreError};
use crate::{keys, records};

/// A thread, as the chat knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The conversation in which it is. Of a direct message it is not the person's own id.
    pub channel: String,
    /// The message with which it begins.
    pub first: String,
}

impl Store {
    /// The thread about a subject at an address of a receiver, if there is one.
    pub async fn thread(&self, receiver: &str, address: &str, subject: &str) -> Result<Option<Thread>, StoreError> {
        let item = self.get(&keys::thread(receiver, address, subject)).await?;
        item.as_ref().map(records::read).transpose()
    }

    /// Remembers with which message it began. Of two that began at once, the first to say so is the thread.
    pub async fn begin_thread(
        &self,
        receiver: &str,
        address: &str,
        subject: &str,
        thread: &Thread,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = keys::thread(receiver, address, subject);
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(records::item(&key, thread, Some(now + keys::KEEP_THREAD))?))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => Ok(()),
            Err(e) => Err(StoreError::unavailable(DisplayErrorContext(e))),
        }
    }
}
