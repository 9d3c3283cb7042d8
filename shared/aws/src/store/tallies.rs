//! Roll-ups: facts are counted in the transaction that makes them true, and read by one query of a service's days and months.

use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use domain::measures::{Period, Tally, Timeline};
use domain::{Decisions, ServiceId};

use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::keys;
use crate::records;
use crate::wire::error_chain;

impl Store {
    /// Adds what is counted to the roll-ups of its days and months: one get and one put each. Whoever else counted meanwhile is a
    /// conflict.
    pub(super) async fn count(
        &self,
        transaction: &mut Transaction<'_>,
        decisions: &Decisions,
    ) -> Result<(), StoreError> {
        let service = &decisions.service;
        for period in decisions.periods() {
            let key = keys::tally(service, period);
            let known = self.get(&key).await?;
            let rev = known.as_ref().map_or(0, records::revision);
            let mut tally: Tally = match known.as_ref().map(records::read).transpose() {
                Ok(tally) => tally.unwrap_or_default(),
                Err(error) => {
                    // Nobody is paged later because a figure is lost.
                    tracing::error!(service.name = %service, cause = error_chain(&error), "a roll-up cannot be read: not counted");
                    continue;
                }
            };
            let of = |at| Period::all_of(at).contains(&period);
            decisions.facts.iter().filter(|fact| of(fact.at())).for_each(|fact| tally.learn(fact));
            let mut item = records::item(&key, &tally, keys::tally_expires(period))?;
            item.insert(keys::REVISION.into(), records::number(rev + 1));
            transaction.put_at(item, rev)?;
        }
        Ok(())
    }

    /// What was counted of a service, from one period until another in the order of their keys: days before months. One that cannot be
    /// read is left out.
    pub async fn timeline(&self, service: &ServiceId, from: Period, until: Period) -> Result<Timeline, StoreError> {
        let (from, until) = (keys::tally(service, from), keys::tally(service, until));
        let (mut timeline, mut start) = (Timeline::default(), None);
        loop {
            self.counters.queries.fetch_add(1, Ordering::Relaxed);
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("#p = :p AND #s BETWEEN :from AND :until")
                .expression_attribute_names("#p", keys::PARTITION)
                .expression_attribute_names("#s", keys::SORT)
                .expression_attribute_values(":p", records::text(&from.partition))
                .expression_attribute_values(":from", records::text(&from.sort))
                .expression_attribute_values(":until", records::text(&until.sort))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|e| StoreError::unavailable(DisplayErrorContext(e)))?;
            for item in answer.items() {
                match (keys::parse_period(records::sort(item)), records::read::<Tally>(item)) {
                    (Some(period), Ok(tally)) => timeline.note(period, tally),
                    (None, Ok(_)) => {}
                    (_, Err(error)) => {
                        tracing::error!(service.name = %service, cause = error_chain(&error), "a roll-up cannot be read: left out");
                    }
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(timeline);
            }
        }
    }
}
