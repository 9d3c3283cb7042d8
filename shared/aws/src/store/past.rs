//! Incidents that have left the working set: the newest, or those before a place, one bounded query each time.

use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use domain::{Incident, IncidentId, ServiceId};
use jiff::Timestamp;

use super::{Store, StoreError};
use crate::keys;
use crate::records;

impl Store {
    /// The newest incidents that have left the working set, newest first.
    pub async fn past_incidents(&self, service: &ServiceId, most: i32) -> Result<Vec<Incident>, StoreError> {
        let items = self.query(&keys::past(service), None, false, Some(most)).await?;
        items.iter().map(records::read).collect()
    }

    /// Those that were over before this one, newest first.
    pub async fn past_before(
        &self,
        service: &ServiceId,
        before: Option<&(Timestamp, IncidentId)>,
        most: i32,
    ) -> Result<Vec<Incident>, StoreError> {
        let Some((at, id)) = before else { return self.past_incidents(service, most).await };
        let before = keys::past_incident(service, *at, id).sort;
        Ok(self.past_incidents_before(service, &before, most).await?.0)
    }

    /// One of them.
    pub async fn past_incident(&self, id: &IncidentId) -> Result<Option<Incident>, StoreError> {
        /// Of those from before it was known where each is, so many are looked through.
        const MOST: i32 = 50;
        let Some(service) = id.service() else { return Ok(None) };
        let Some(known) = self.get(&keys::whereabouts(id)).await? else {
            return Ok(self.past_incidents(&service, MOST).await?.into_iter().find(|incident| incident.id == *id));
        };
        let found = self.get(&keys::past_incident(&service, records::read(&known)?, id)).await?;
        found.as_ref().map(records::read).transpose()
    }

    /// Those whose sort key ([`keys::past_incident`]) is less than this, newest first, at most so many; and whether there are more.
    pub async fn past_incidents_before(
        &self,
        service: &ServiceId,
        before: &str,
        most: i32,
    ) -> Result<(Vec<Incident>, bool), StoreError> {
        self.counters.queries.fetch_add(1, Ordering::Relaxed);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#p = :p AND #s < :s")
            .expression_attribute_names("#p", keys::PARTITION)
            .expression_attribute_names("#s", keys::SORT)
            .expression_attribute_values(":p", records::text(keys::past(service)))
            .expression_attribute_values(":s", records::text(before))
            .scan_index_forward(false)
            .limit(most)
            .send()
            .await
            .map_err(|e| StoreError::unavailable(DisplayErrorContext(e)))?;
        let incidents = answer.items().iter().map(records::read).collect::<Result<_, _>>()?;
        Ok((incidents, answer.last_evaluated_key.is_some()))
    }
}
