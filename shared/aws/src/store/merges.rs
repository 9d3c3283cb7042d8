//! Merges: a change is kept once, however often and in whatever order its forge reports it.

use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::on_merge::{Approved, Enqueued, Merge, Way};
use domain::{Change, ChangeId, Commit, Record, Repository};
use jiff::Timestamp;

use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::keys;
use crate::records::{self, Item};

/// Beside the body, which says who enqueued: who approved.
const APPROVED: &str = "approved";

/// What came of keeping a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeOutcome {
    Kept,
    /// We knew at least as much before.
    Known,
}

/// What is known of a pull request's way to its merge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queued {
    pub way: Way,
    /// The commit by which a bot merged it, if the merge came first.
    pub merged: Option<Commit>,
}

impl Store {
    /// One transaction: the change itself, its window in each service, each service's log and clock.
    /// Its condition makes a repetition harmless; a richer report of the same commit replaces a poorer one.
    /// `awaits`: the pull request that a bot merged, and what was known of its way.
    pub async fn keep_merge(
        &self,
        merge: &Merge,
        awaits: Option<(u64, &Way)>,
        now: Timestamp,
    ) -> Result<MergeOutcome, StoreError> {
        let change = &merge.change;
        let expires = Some(change.merged_at + keys::KEEP_CHANGE);
        let mut transaction = Transaction::new(self);
        let mut item = records::item(&keys::change(&change.id), change, expires)?;
        item.insert("worth".into(), records::number(change.worth()));
        let worth = Item::from([(":worth".into(), records::number(change.worth()))]);
        transaction.put_if(item, "attribute_not_exists(pk) OR worth < :worth", worth)?;
        for (service, responder, entry) in &merge.windows {
            let mut item = records::item(&keys::window(service, &change.id), change, expires)?;
            item.insert(keys::REVISION.into(), records::number(change.worth()));
            item.insert(keys::PERSON.into(), records::text(responder.as_str()));
            item.insert(keys::PERSON_AT.into(), records::number(change.merged_at.as_millisecond()));
            transaction.put(item)?;
            if let Some(files) = &merge.files {
                let record = Record::Files(change.id.clone(), files.clone());
                transaction.put(records::encode(service, &record, 1)?)?;
            }
            transaction.log(service, entry)?;
            transaction.wake(service, now)?;
        }
        if let Some((number, way)) = awaits {
            // If somebody turns out to have enqueued or approved it meanwhile, this fails and the merge is decided again.
            let values = Item::from([
                (":merged".into(), records::text(change.id.commit.as_str())),
                (":expires".into(), records::number((now + keys::KEEP_ENQUEUED).as_second())),
            ]);
            let key = keys::enqueued(&change.id.repository, number);
            let unchanged = match way.approved {
                None => "attribute_not_exists(body) AND attribute_not_exists(approved)",
                Some(_) => "attribute_not_exists(body)",
            };
            transaction.update(&key, "SET merged = :merged, expires = :expires", Some(unchanged), values)?;
        }
        match transaction.commit().await {
            Ok(()) => Ok(MergeOutcome::Kept),
            Err(StoreError::Conflict) => match self.change(&change.id).await? {
                Some(known) if known.worth() >= change.worth() => {
                    self.keep_files(merge, now).await?;
                    Ok(MergeOutcome::Known)
                }
                Some(_) | None => Err(StoreError::Conflict),
            },
            Err(error) => Err(error),
        }
    }

    /// A poorer report of a change that we know may still be the one that lists its files.
    async fn keep_files(&self, merge: &Merge, now: Timestamp) -> Result<(), StoreError> {
        let Some(files) = &merge.files else { return Ok(()) };
        let mut transaction = Transaction::new(self);
        for (service, ..) in &merge.windows {
            let record = Record::Files(merge.change.id.clone(), files.clone());
            transaction.put(records::encode(service, &record, 1)?)?;
            transaction.wake(service, now)?;
        }
        transaction.commit().await
    }

    /// A change by its id, whether or not any window of it is still open.
    pub async fn change(&self, id: &ChangeId) -> Result<Option<Change>, StoreError> {
        self.get(&keys::change(id)).await?.as_ref().map(records::read).transpose()
    }

    /// What is known of a pull request's way to its merge.
    pub async fn queued(&self, repository: &Repository, number: u64) -> Result<Queued, StoreError> {
        let item = self.get(&keys::enqueued(repository, number)).await?;
        item.as_ref().map_or(Ok(Queued::default()), read_queued)
    }

    /// Remembers who enqueued, and says whether a bot has merged it before we knew.
    pub async fn note_enqueued(&self, enqueued: &Enqueued, now: Timestamp) -> Result<Queued, StoreError> {
        let key = keys::enqueued(&enqueued.repository, enqueued.number);
        self.note_on_way(&key, keys::BODY, records::body(enqueued)?, now).await
    }

    /// Remembers who approved, and says whether a bot has merged it before we knew.
    pub async fn note_approved(&self, approved: &Approved, now: Timestamp) -> Result<Queued, StoreError> {
        let key = keys::enqueued(&approved.repository, approved.number);
        self.note_on_way(&key, APPROVED, records::body(approved)?, now).await
    }

    async fn note_on_way(
        &self,
        key: &keys::Key,
        attribute: &str,
        value: AttributeValue,
        now: Timestamp,
    ) -> Result<Queued, StoreError> {
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(records::key_item(key)))
            .update_expression("SET #what = :what, expires = :expires")
            .expression_attribute_names("#what", attribute)
            .expression_attribute_values(":what", value)
            .expression_attribute_values(":expires", records::number((now + keys::KEEP_ENQUEUED).as_second()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|e| StoreError::unavailable(DisplayErrorContext(e)))?;
        answer.attributes().map_or(Ok(Queued::default()), read_queued)
    }
}

fn read_queued(item: &Item) -> Result<Queued, StoreError> {
    let enqueued = if item.contains_key(keys::BODY) { Some(records::read(item)?) } else { None };
    let approved = item.get(APPROVED).map(records::read_value).transpose()?;
    let merged = item.get("merged").and_then(|v| v.as_s().ok()).and_then(|m| m.parse().ok());
    Ok(Queued { way: Way { enqueued, approved }, merged })
}
