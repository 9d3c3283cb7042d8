//! The table: load a service's working set in one query, commit a decision in one transaction.
//!
//! Each write names the revision that was read, so two decisions about the same thing cannot both win; the
//! loser loads again and decides again. Nothing here decides anything.

mod awaited;
mod commit;
mod deliveries;
mod each;
mod merges;
mod past;
mod tallies;
mod threads;
mod transaction;
mod turns;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use domain::card::Card;
use domain::{Entry, Noted, PersonId, ServiceId, Situation};
use jiff::Timestamp;

pub use awaited::Topic;
pub use commit::{MOST_TRIES, pause};
pub use deliveries::Look;
pub use each::AT_ONCE;
pub use merges::{MergeOutcome, Queued};
pub use threads::Thread;
use turns::Turns;

use crate::keys::{self, Key};
use crate::records::{self, Item};

/// Why something was not stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else was faster; load again and decide again.
    #[error("somebody else changed the same thing")]
    Conflict,
    #[error("the table does not answer: {0}")]
    Unavailable(String),
    #[error("the table holds something that is not ours: {0}")]
    Unreadable(String),
    /// A newer program wrote it; this one would misunderstand it.
    #[error(
        "the table holds something of version {version}, and this program reads {}: deploy the newer one again",
        crate::schema::READS
    )]
    Newer { version: usize },
}

impl StoreError {
    pub(crate) fn unavailable(error: impl fmt::Display) -> Self {
        Self::Unavailable(domain::text::line(&error.to_string(), 400))
    }
}

/// What the table has been asked to do: for tests of cost, and for the log.
#[derive(Debug, Default)]
pub struct Counters {
    pub queries: AtomicU64,
    pub gets: AtomicU64,
    pub writes: AtomicU64,
    pub transactions: AtomicU64,
}

impl Counters {
    /// Queries, gets, single writes, transactions so far.
    #[must_use]
    pub fn read(&self) -> [u64; 4] {
        [&self.queries, &self.gets, &self.writes, &self.transactions].map(|c| c.load(Ordering::Relaxed))
    }
}

/// The table and the client it is reached by.
#[derive(Clone)]
pub struct Store {
    client: Client,
    table: String,
    counters: Arc<Counters>,
    turns: Option<Turns>,
}

impl Store {
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), counters: Arc::default(), turns: None }
    }

    /// The same table, where decisions about one service take turns within this process.
    #[must_use]
    pub fn taking_turns(self) -> Self {
        Self { turns: Some(Turns::default()), ..self }
    }

    /// The same table, where they race.
    #[must_use]
    pub fn racing(self) -> Self {
        Self { turns: None, ..self }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Creates the table unless it is there: on one machine, where no template does.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        crate::table::create_if_absent(&self.client, &self.table).await
    }

    /// The whole working set of a service, read consistently.
    pub async fn situation(&self, service: &ServiceId) -> Result<Situation, StoreError> {
        let mut situation = Situation::empty(service.clone());
        for item in self.query(&keys::working_set(service), None, true, None).await? {
            let rev = records::revision(&item);
            match records::decode(&item)? {
                Some(record) => situation.note(record, rev),
                None => situation.clock = Noted { value: records::clock(&item), rev },
            }
        }
        Ok(situation)
    }

    /// The newest lines of a service's log, newest first.
    pub async fn log(&self, service: &ServiceId, most: i32) -> Result<Vec<Entry>, StoreError> {
        let items = self.query(&keys::log(service), None, false, Some(most)).await?;
        items.iter().map(records::read).collect()
    }

    /// What the board shows of each service that was looked at. What of one cannot be understood keeps nobody from the others.
    pub async fn cards(&self) -> Result<Vec<(ServiceId, Result<Card, StoreError>)>, StoreError> {
        let items = self.query(keys::BOARD, None, true, None).await?;
        let card = |item: &Item| Some((records::sort(item).parse().ok()?, records::read(item)));
        Ok(items.iter().filter_map(card).collect())
    }

    /// The services in which a person has changes or shifts. From an index, so a moment late.
    pub async fn services_of(&self, person: &PersonId, most: i32) -> Result<BTreeSet<ServiceId>, StoreError> {
        let items = self.query(person.as_str(), Some((keys::PERSON_INDEX, keys::PERSON)), false, Some(most)).await?;
        let service = |item: &Item| {
            let partition = item.get(keys::PARTITION).and_then(|v| v.as_s().ok()).map_or("", String::as_str);
            let service = partition.trim_start_matches("S#").parse();
            service.map_err(|_| StoreError::Unreadable(format!("something of a person in {partition}")))
        };
        items.iter().map(service).collect()
    }

    /// The services whose clock has run out, the longest overdue first.
    pub async fn due(&self, now: Timestamp) -> Result<Vec<ServiceId>, StoreError> {
        Ok(self.due_since(now).await?.into_iter().map(|(service, _)| service).collect())
    }

    /// The same, and since when.
    pub async fn due_since(&self, now: Timestamp) -> Result<Vec<(ServiceId, Timestamp)>, StoreError> {
        let items = self.due_until(now, None).await?;
        let due = |item: &Item| {
            let partition = item.get(keys::PARTITION)?.as_s().ok()?;
            Some((keys::service_of(partition)?, records::millis(item, keys::DUE_AT)?))
        };
        Ok(items.iter().filter_map(due).collect())
    }

    /// When the first service's clock runs out.
    pub async fn earliest_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let items = self.due_until(Timestamp::MAX, Some(1)).await?;
        Ok(items.first().and_then(|item| records::millis(item, keys::DUE_AT)))
    }

    async fn due_until(&self, until: Timestamp, most: Option<i32>) -> Result<Vec<Item>, StoreError> {
        self.counters.queries.fetch_add(1, Ordering::Relaxed);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(keys::DUE_INDEX)
            .key_condition_expression("#due = :due AND due_at <= :until")
            .expression_attribute_names("#due", keys::DUE)
            .expression_attribute_values(":due", records::text(keys::DUE))
            .expression_attribute_values(":until", records::number(until.as_millisecond()))
            .set_limit(most)
            .send()
            .await
            .map_err(|e| StoreError::unavailable(DisplayErrorContext(e)))?;
        Ok(answer.items.unwrap_or_default())
    }

    /// One item by its key, read consistently.
    pub(crate) async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.counters.gets.fetch_add(1, Ordering::Relaxed);
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(records::key_item(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| StoreError::unavailable(DisplayErrorContext(e)))?;
        Ok(answer.item)
    }

    /// A partition, of the base table consistently or of an index; all of it, or the first `most` items.
    pub(crate) async fn query(
        &self,
        partition: &str,
        index: Option<(&str, &str)>,
        forward: bool,
        most: Option<i32>,
    ) -> Result<Vec<Item>, StoreError> {
        let (index, attribute) =
            index.map_or((None, keys::PARTITION), |(index, attribute)| (Some(index.to_owned()), attribute));
        let mut items = Vec::new();
        let mut start = None;
        loop {
            self.counters.queries.fetch_add(1, Ordering::Relaxed);
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(index.is_none())
                .set_index_name(index.clone())
                .key_condition_expression("#p = :p")
                .expression_attribute_names("#p", attribute)
                .expression_attribute_values(":p", records::text(partition))
                .scan_index_forward(forward)
                .set_limit(most)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|e| StoreError::unavailable(DisplayErrorContext(e)))?;
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            let enough = most.is_some_and(|most| items.len() >= usize::try_from(most).unwrap_or(0));
            if start.is_none() || enough {
                return Ok(items);
            }
        }
    }
}
