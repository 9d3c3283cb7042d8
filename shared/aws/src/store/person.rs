//! What the table holds of one person: found by keys, service by service, exported, and removed. Nothing is scanned: whatever names
//! somebody is in a partition of a service, or of a change that a service's log names.
//!
//! Removal is a walk that can end anywhere and begin again: what was done is not found the next time. What open work needs is left,
//! and said.

mod items;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use domain::ServiceId;
use domain::audit::Proof;
use domain::privacy::Traces;
use jiff::Timestamp;
use serde_json::Value;

use items::{Fate, WINDOW, change_of, fate, kind, names, partition, rewrite, shown, still_reads};

use super::audit::random;
use super::people::{Known, coined};
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::keys::{self, Key};
use crate::records::{self, Item};
use crate::verify::to_hex;

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
            self.unsalt(service, &found).await?;
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
        let known = self.known(&traces.person).await?;
        if let Some(former) = known.as_ref().and_then(|known| known.former.clone()) {
            return Ok(former);
        }
        let former = format!("former-{}", to_hex(&random()?[..6]));
        let pseudonym = known.map_or_else(coined, |known| Ok(known.pseudonym))?;
        let known = Known { pseudonym, former: Some(former.clone()) };
        self.put(records::item(&keys::person(&traces.person), &known, None)?, None).await?;
        Ok(former)
    }

    /// Forgets the salts of these lines of the log, by which one could try out whose they were.
    async fn unsalt(&self, service: &ServiceId, found: &[Item]) -> Result<(), StoreError> {
        let log = keys::log(service);
        let places: BTreeSet<&str> = found.iter().filter(|item| partition(item) == log).map(records::sort).collect();
        if places.is_empty() {
            return Ok(());
        }
        for mut item in self.between(&keys::audit(service), "N#", "N~", None).await? {
            let mut proofs: Vec<Proof> = records::read(&item)?;
            if !unsalted(&mut proofs, &places) {
                continue;
            }
            item.insert(keys::BODY.into(), records::body(&proofs)?);
            self.put(item, None).await?;
        }
        Ok(())
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
                for (name, value) in &mut item {
                    if name != keys::PARTITION && name != keys::SORT {
                        rewrite(value, traces, instead);
                    }
                }
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

/// Forgets the salts of these places; whether any was there.
fn unsalted(proofs: &mut [Proof], places: &BTreeSet<&str>) -> bool {
    let mut any = false;
    for proof in proofs {
        if places.contains(proof.place.as_str()) && proof.salt.take().is_some() {
            any = true;
        }
    }
    any
}
