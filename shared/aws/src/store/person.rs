//! What the table holds of one person: found by keys, service by service, exported, and removed. Nothing is scanned: whatever names
//! somebody is in a partition of a service, or of a change that a service's log names.
//!
//! Removal is a walk that can end anywhere and begin again: what was done is not found the next time. What open work needs is left,
//! and said.

mod items;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use domain::audit::{self, Proof, Redacted};
use domain::privacy::Traces;
use domain::{Entry, Reason, ServiceId, Subject, text};
use jiff::Timestamp;
use serde_json::Value;

use items::{Fate, WINDOW, change_of, fate, kind, names, partition, rewritten, shown, still_reads};

use super::audit::{random, salt, spelled};
use super::people::{Known, coined};
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::keys::{self, Key};
use crate::records::{self, Item};
use crate::verify::to_hex;

/// So many seals' salts are forgotten in one transaction: each is at most 120 kB, and all of it at most 4 MB.
const MOST_SEALS: usize = 20;

/// What names somebody, where it is, and as what.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    pub partition: String,
    pub sort: String,
    pub kind: &'static str,
    pub item: Value,
}

/// What came of a removal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// How many items were rewritten, or deleted.
    pub items: usize,
    /// What is left, each in words with why.
    pub left: BTreeSet<String>,
}

impl Store {
    /// Everything that names somebody.
    pub async fn held(&self, services: &[ServiceId], traces: &Traces) -> Result<Vec<Held>, StoreError> {
        let mut held = Vec::new();
        let mut changes = BTreeSet::new();
        for service in services {
            for item in self.naming(service, traces).await? {
                changes.extend(change_of(&item));
                held.push(shown(&item));
            }
        }
        for change in changes {
            let item = self.get(&change).await?;
            held.extend(item.filter(|item| names(item, traces)).as_ref().map(shown));
        }
        held.extend(self.get(&keys::person(&traces.person)).await?.as_ref().map(shown));
        Ok(held)
    }

    /// Puts a placeholder wherever somebody is named, deletes what is theirs alone, and forgets who their pseudonym was. What open
    /// work needs is left.
    pub async fn forget(&self, services: &[ServiceId], traces: &Traces, now: Timestamp) -> Result<Removed, StoreError> {
        let instead = self.placeholder(traces).await?;
        let mut removed = Removed::default();
        let mut changes = BTreeMap::new();
        for service in services {
            let found = self.naming(service, traces).await?;
            for item in &found {
                if let Some(change) = change_of(item) {
                    let open = *changes.get(&change).unwrap_or(&false) || partition(item).starts_with("S#");
                    changes.insert(change, open);
                }
            }
            self.redact(service, (&found, traces, &instead), now, &mut removed).await?;
            for item in found {
                self.settle(item, traces, &instead, &mut removed).await?;
            }
            if removed.items > 0 {
                // Whoever looks next writes the card anew.
                let mut transaction = Transaction::new(self);
                transaction.wake(service, now)?;
                transaction.commit().await?;
            }
        }
        for (change, open) in changes {
            let Some(item) = self.get(&change).await?.filter(|item| names(item, traces)) else { continue };
            if open {
                removed.left.insert(format!("{} ({} {}): {WINDOW}", kind(&item), change.partition, change.sort));
            } else {
                self.settle(item, traces, &instead, &mut removed).await?;
            }
        }
        self.delete(&keys::person(&traces.person)).await?;
        Ok(removed)
    }

    /// Of every partition of a service, what names somebody.
    async fn naming(&self, service: &ServiceId, traces: &Traces) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        for partition in [keys::working_set(service), keys::outbox(service), keys::log(service), keys::past(service)] {
            let items = self.query(&partition, None, true, None).await?;
            found.extend(items.into_iter().filter(|item| names(item, traces)));
        }
        let card = self.get(&keys::card(service)).await?;
        found.extend(card.filter(|item| names(item, traces)));
        Ok(found)
    }

    /// What stands instead of a person from now on: the same until the removal is done, so that what goes on after a crash names
    /// the same nobody.
    async fn placeholder(&self, traces: &Traces) -> Result<String, StoreError> {
        let known = match self.known(&traces.person).await {
            // What cannot be read is forgotten with the rest.
            Err(StoreError::Unreadable(_)) => None,
            known => known?,
        };
        if let Some(former) = known.as_ref().and_then(|known| known.former.clone()) {
            return Ok(former);
        }
        let former = format!("former-{}", to_hex(&random()?[..6]));
        let pseudonym = known.map_or_else(coined, |known| Ok(known.pseudonym))?;
        let known = Known { pseudonym, former: Some(former.clone()) };
        self.put(records::item(&keys::person(&traces.person), &known, None)?, None).await?;
        Ok(former)
    }

    /// Forgets the salts of the lines of the log that name somebody, by which one could try out whose they were, and notes how they stand
    /// without them. The log says so, of each seal: else anybody could take a salt away, and change the line.
    async fn redact(
        &self,
        service: &ServiceId,
        (found, traces, instead): (&[Item], &Traces, &str),
        now: Timestamp,
        removed: &mut Removed,
    ) -> Result<(), StoreError> {
        let log = keys::log(service);
        let found = found.iter().filter(|item| partition(item) == log);
        let rewritten = found.map(|item| rewritten(item.clone(), traces, instead)).filter(still_reads);
        let lines: BTreeMap<String, String> =
            rewritten.map(|item| (records::sort(&item).to_owned(), spelled(&item))).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let seed = random()?;
        let mut touched = Vec::new();
        for item in self.between(&keys::audit(service), "N#", "N~", None).await? {
            let place = records::sort(&item).trim_start_matches("N#").to_owned();
            let (Some(of), Ok(mut proofs)) = (keys::parse_sealed(&place), records::read::<Vec<Proof>>(&item)) else {
                removed.left.insert(format!("the salts of the audit log ({} {place}): they cannot be read", log));
                continue;
            };
            if let Some(redacted) = audit::redact(of, &mut proofs, &lines, |place| salt(&seed, place)) {
                touched.push((item, proofs, redacted));
            }
        }
        for some in touched.chunks_mut(MOST_SEALS) {
            self.put_redacted(service, some, now).await?;
        }
        Ok(())
    }

    /// What is kept beside some seals, and the line of the log that says so.
    async fn put_redacted(
        &self,
        service: &ServiceId,
        touched: &mut [(Item, Vec<Proof>, Redacted)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = Transaction::new(self);
        let seals: Vec<Redacted> = touched.iter().map(|(.., redacted)| redacted.clone()).collect();
        let lines = text::count(seals.iter().map(|seal| seal.lines).sum(), "line", "lines");
        // Its digest tells it from another removal of the same moment.
        let digest = seals.first().and_then(|seal| seal.digest.get(..12)).unwrap_or_default();
        let entry = Entry {
            at: now,
            subject: Some(Subject::Service),
            person: None,
            what: format!("the data of a person were removed from {lines} of this log ({digest})"),
            reason: Reason::LinesRedacted { seals },
        };
        let place = transaction.log(service, &entry)?;
        for (item, proofs, _) in touched {
            proofs.iter_mut().for_each(|proof| proof.is_by(&place));
            item.insert(keys::BODY.into(), records::body(proofs)?);
            // What has expired meanwhile is not there again.
            transaction.put_if(std::mem::take(item), "attribute_exists(pk)", Item::new())?;
        }
        transaction.commit().await
    }

    async fn settle(
        &self,
        mut item: Item,
        traces: &Traces,
        instead: &str,
        removed: &mut Removed,
    ) -> Result<(), StoreError> {
        let key = Key { partition: partition(&item).to_owned(), sort: records::sort(&item).to_owned() };
        match fate(&item, traces) {
            Fate::Left(why) => {
                removed.left.insert(format!("{} ({} {}): {why}", kind(&item), key.partition, key.sort));
                return Ok(());
            }
            Fate::Deleted => self.delete(&key).await?,
            Fate::Rewritten => {
                let seen = records::revision(&item);
                item = rewritten(item, traces, instead);
                if !still_reads(&item) {
                    let what = kind(&item);
                    removed.left.insert(format!("{what} ({} {}): it would be misread", key.partition, key.sort));
                    return Ok(());
                }
                if seen > 0 {
                    item.insert(keys::REVISION.into(), records::number(seen + 1));
                }
                self.put(item, Some(seen)).await?;
            }
        }
        removed.items += 1;
        Ok(())
    }

    /// Puts an item; where `seen` is given, only over one of this revision that is still there.
    async fn put(&self, item: Item, seen: Option<u64>) -> Result<(), StoreError> {
        let mut transaction = Transaction::new(self);
        match seen {
            None => transaction.put(item)?,
            Some(0) => transaction.put_if(item, "attribute_exists(pk)", Item::new())?,
            Some(seen) => transaction.put_at(item, seen)?,
        }
        match transaction.commit().await {
            // It is gone meanwhile, or was written: then the next walk finds it.
            Err(StoreError::Conflict) if seen.is_some() => Ok(()),
            done => done,
        }
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(records::key_item(key)));
        delete.send().await.map(|_| ()).map_err(|e| StoreError::unavailable(DisplayErrorContext(e)))
    }
}
