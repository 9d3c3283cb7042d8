//! The end of a service's chain, also where its head is gone or cannot be read: then it is found again behind the newest seal, and
//! whatever is sealed next says so.

use domain::ServiceId;
use domain::audit::{self, Fault, Head, Seal};
use jiff::Timestamp;

use super::read::unreadable_head;
use crate::keys;
use crate::records::{self, Item};
use crate::store::{Store, StoreError};

/// So many seals are looked at for one that can be read.
const MOST_UNREAD: i32 = 50;

/// Behind what the next seal goes.
#[derive(Debug, Clone, Default)]
pub(super) struct End {
    pub head: Option<Head>,
    /// Of the head's item, and whether there is one.
    pub rev: u64,
    pub there: bool,
    /// The head had to be found again.
    pub anew: bool,
    pub faults: Vec<Fault>,
}

impl Store {
    /// The end of a service's chain.
    pub(super) async fn end(&self, service: &ServiceId, now: Timestamp) -> Result<End, StoreError> {
        let item = self.get(&keys::head(service)).await?;
        let (rev, there) = (item.as_ref().map_or(0, records::revision), item.is_some());
        let mut faults = Vec::new();
        match item.as_ref().map(records::read::<Head>) {
            // One of an hour to come would keep everything from being sealed until then.
            Some(Ok(head)) if head.hour <= now => {
                return Ok(End { head: Some(head), rev, there, ..End::default() });
            }
            Some(Ok(_) | Err(_)) => faults.push(unreadable_head()),
            None => {}
        }
        let head = self.found(service, now).await?;
        let anew = there || head.is_some() || self.has_older(service, now).await?;
        if anew && !there {
            faults.push(Fault::EndGone);
        }
        Ok(End { head, rev, there, anew, faults })
    }

    /// The end where seals are, if they are behind what the head says.
    pub(super) async fn passed_by(
        &self,
        service: &ServiceId,
        end: End,
        now: Timestamp,
    ) -> Result<Option<End>, StoreError> {
        let found = self.found(service, now).await?;
        let place = |head: &Head| (head.hour, head.part);
        let further = found.filter(|found| end.head.as_ref().is_none_or(|head| place(found) > place(head)));
        Ok(further.map(|head| {
            let number = end.head.as_ref().map_or(0, |head| head.number);
            let faults = vec![Fault::NoEnd { number }];
            End { head: Some(head), anew: true, faults, ..end }
        }))
    }

    /// The head as it follows from the seals.
    async fn found(&self, service: &ServiceId, now: Timestamp) -> Result<Option<Head>, StoreError> {
        let partition = keys::audit(service);
        let until = audit::sealed_until(now);
        let oldest = self.between(&partition, "S", "S~", Some(1)).await?;
        let mut newest = self.query(&partition, None, false, Some(MOST_UNREAD)).await?;
        newest.retain(|item| place(item).is_some_and(|(hour, _)| hour < until));
        let Some(end) = newest.first().and_then(place) else { return Ok(None) };
        let (mut last, mut unread) = (None, 0);
        for item in &newest {
            last = records::read::<Seal>(item).ok();
            if last.is_some() {
                break;
            }
            unread += 1;
        }
        let began = oldest.first().and_then(place).map_or(end.0, |(hour, _)| hour);
        Ok(Some(Head::found(began, end, last.as_ref(), unread)))
    }

    /// Whether the log has lines that are older than what a chain begins with, and have not expired.
    async fn has_older(&self, service: &ServiceId, now: Timestamp) -> Result<bool, StoreError> {
        let (from, until) = (now - keys::KEEP_LOG, audit::sealed_until(now) - audit::FIRST);
        Ok(!self.logged(service, &keys::instant(from), until, Some(1)).await?.is_empty())
    }
}

/// The hour and the part of a seal.
fn place(item: &Item) -> Option<(Timestamp, u32)> {
    keys::parse_sealed(records::sort(item).strip_prefix("S#")?)
}
