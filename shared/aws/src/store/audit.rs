//! The audit log of a service: lines of its log are sealed here once their hour is over, beside everything else, and read again.
//!
//! What is sealed, and how, is [`domain::audit`]'s. One transaction for each seal, which fails if somebody else was faster.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::audit::{self, Batch, Fault, Head, Logged, Proof, Seal};
use domain::{Entry, ServiceId};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::people::Called;
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::keys;
use crate::records::{self, Item};
use crate::verify::to_hex;

/// So many lines are read at a time: one more than a seal holds.
const MOST_READ: usize = audit::MOST_LINES + 1;
/// One visit to a service seals at most so often. What is left is sealed by the next tick.
const MOST_SEALS: usize = 20;

/// What came of a visit to a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sealing {
    pub seals: usize,
    /// There is more to seal.
    pub more: bool,
    /// What is not as it was sealed, of the seals of late.
    pub faults: Vec<Fault>,
}

/// The log of a service, or a part of it, as it was sealed.
#[derive(Debug, Clone, Default)]
pub struct Sealed {
    pub seals: Vec<(Seal, Vec<Proof>)>,
    pub head: Option<Head>,
}

impl Store {
    /// Seals what is over of a service's log.
    pub async fn seal(&self, service: &ServiceId, called: &mut Called, now: Timestamp) -> Result<Sealing, StoreError> {
        let until = audit::sealed_until(now);
        let (head, mut rev) = self.head(service).await?;
        let mut sealing = Sealing::default();
        if head.as_ref().is_some_and(|head| !head.more && head.hour + SignedDuration::from_hours(1) >= until) {
            return Ok(sealing);
        }
        let before = head;
        let mut head = before.clone();
        let mut late = self.late(service, before.as_ref(), &mut sealing, now).await?;
        let first = || keys::instant(until - audit::FIRST);
        let mut after = before.as_ref().map_or_else(first, |head| head.after.clone());
        loop {
            let lines = self.logged(service, &after, until, Some(MOST_READ)).await?;
            let all = lines.len() < MOST_READ;
            let (behind, lines): (Vec<Logged>, _) =
                lines.into_iter().partition(|line| audit::is_late(before.as_ref(), line));
            after = behind.last().map_or(after, |line| line.place.clone());
            late.extend(behind);
            for batch in audit::due(lines, all) {
                after = batch.lines.last().map_or(after, |line| line.place.clone());
                head = Some(self.put_seal(service, head.as_ref(), rev, &batch, called).await?);
                rev += 1;
                sealing.seals += 1;
            }
            sealing.more = !all;
            if all || sealing.seals >= MOST_SEALS {
                break;
            }
        }
        if sealing.more || late.is_empty() {
            return Ok(sealing);
        }
        let hour = until - SignedDuration::from_hours(1);
        for lines in late.chunks(audit::MOST_LINES / 2) {
            let batch = Batch { hour, lines: lines.to_vec(), more: false, late: true };
            head = Some(self.put_seal(service, head.as_ref(), rev, &batch, called).await?);
            rev += 1;
            sealing.seals += 1;
        }
        Ok(sealing)
    }

    async fn put_seal(
        &self,
        service: &ServiceId,
        head: Option<&Head>,
        rev: u64,
        batch: &Batch,
        called: &mut Called,
    ) -> Result<Head, StoreError> {
        let people: BTreeSet<_> = batch.lines.iter().filter_map(|line| line.person.as_ref()).collect();
        for person in people {
            self.call(called, person).await?;
        }
        let seed = random()?;
        let salt = |place: &str| {
            let digest = Sha256::new().chain_update(seed).chain_update(place).finalize();
            to_hex(&digest[..16])
        };
        let (seal, proofs, head) = audit::seal(head, batch, |person| called.of(person), salt);
        let mut transaction = Transaction::new(self);
        let key = keys::seal(service, seal.hour, seal.part);
        transaction.put_at(records::item(&key, &seal, Some(seal.hour + keys::KEEP_AUDIT))?, 0)?;
        let key = keys::proofs(service, seal.hour, seal.part);
        transaction.put_at(records::item(&key, &proofs, Some(seal.hour + keys::KEEP_LOG))?, 0)?;
        let mut item = records::item(&keys::head(service), &head, Some(seal.hour + keys::KEEP_AUDIT))?;
        item.insert(keys::REVISION.into(), records::number(rev + 1));
        transaction.put_at(item, rev)?;
        transaction.commit().await?;
        Ok(head)
    }

    /// The lines that came after their hour was sealed, of the hour before the last one that was; what was sealed since then is
    /// verified in passing.
    async fn late(
        &self,
        service: &ServiceId,
        head: Option<&Head>,
        sealing: &mut Sealing,
        now: Timestamp,
    ) -> Result<Vec<Logged>, StoreError> {
        let Some(head) = head.filter(|head| head.hour + audit::LATE_UNTIL >= now) else { return Ok(Vec::new()) };
        let from = head.at - audit::LOOK_BACK;
        let sealed = self.sealed(service, audit::hour_of(from), Timestamp::MAX).await?;
        let seals: Vec<Seal> = sealed.seals.iter().map(|(seal, _)| seal.clone()).collect();
        let extent = audit::Extent { from: audit::hour_of(from), to_the_end: true };
        sealing.faults = audit::verify(&seals, Some(head), extent);
        let known: BTreeSet<&str> =
            sealed.seals.iter().flat_map(|(_, proofs)| proofs).map(|proof| proof.place.as_str()).collect();
        let mut lines =
            self.logged(service, &keys::instant(from), head.at + SignedDuration::from_micros(1), None).await?;
        lines.retain(|line| line.place <= head.after && !known.contains(line.place.as_str()));
        Ok(lines)
    }

    /// The end of a service's chain, and its revision.
    async fn head(&self, service: &ServiceId) -> Result<(Option<Head>, u64), StoreError> {
        let item = self.get(&keys::head(service)).await?;
        let rev = item.as_ref().map_or(0, records::revision);
        Ok((item.as_ref().map(records::read).transpose()?, rev))
    }

    /// The seals of these hours, with what is kept beside them; and the first one after, if there is one.
    pub async fn sealed(&self, service: &ServiceId, from: Timestamp, until: Timestamp) -> Result<Sealed, StoreError> {
        let partition = keys::audit(service);
        let sort = |kind: &str, at: Timestamp| format!("{kind}#{}", keys::instant(at));
        let mut seals = Vec::new();
        let mut items = self.between(&partition, &sort("S", from), &sort("S", until), None).await?;
        if until < Timestamp::MAX {
            items.extend(self.between(&partition, &sort("S", until), "S~", Some(1)).await?);
        }
        let proofs = self.between(&partition, &sort("N", from), &sort("N", until), None).await?;
        for item in &items {
            let place = records::sort(item).trim_start_matches("S#");
            let beside = proofs.iter().find(|proofs| records::sort(proofs).trim_start_matches("N#") == place);
            seals.push((records::read(item)?, beside.map(records::read).transpose()?.unwrap_or_default()));
        }
        Ok(Sealed { seals, head: self.head(service).await?.0 })
    }

    /// The lines of the log behind this place that were said before `until`, in order.
    pub async fn logged(
        &self,
        service: &ServiceId,
        after: &str,
        until: Timestamp,
        most: Option<usize>,
    ) -> Result<Vec<Logged>, StoreError> {
        // Nothing is between a place and the same with a `!`.
        let from = format!("{after}!");
        let until = keys::instant(until);
        if from >= until {
            return Ok(Vec::new());
        }
        let items = self.between(&keys::log(service), &from, &until, most).await?;
        Ok(items.iter().filter_map(logged).collect())
    }
}

/// A line of the log as it is sealed. All of it is what is stored, whatever this program understands of it: one that it cannot read is
/// sealed too, and keeps nobody from the others.
fn logged(item: &Item) -> Option<Logged> {
    let place = records::sort(item).to_owned();
    let mut full = String::new();
    if let Some(body) = item.get(keys::BODY) {
        spell(body, &mut full);
    }
    Some(match records::read::<Entry>(item) {
        Ok(entry) => Logged {
            place,
            at: entry.at,
            subject: entry.subject.map(|subject| subject.to_string()),
            person: entry.person,
            reason: entry.reason.name().to_owned(),
            full,
        },
        Err(_) => {
            let at = place.split('#').next()?.parse().ok()?;
            Logged { place, at, subject: None, person: None, reason: "unreadable".to_owned(), full }
        }
    })
}

/// A value as one text, the same whatever order its fields came in.
fn spell(value: &AttributeValue, out: &mut String) {
    let mut text = |kind: char, text: &str| out.push_str(&format!("{kind}{}:{text}", text.len()));
    match value {
        AttributeValue::S(value) => text('s', value),
        AttributeValue::N(value) => text('n', value),
        AttributeValue::Bool(value) => text('b', if *value { "1" } else { "0" }),
        AttributeValue::L(values) => {
            text('l', &values.len().to_string());
            values.iter().for_each(|value| spell(value, out));
        }
        AttributeValue::M(fields) => {
            text('m', &fields.len().to_string());
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            for name in names {
                out.push_str(&format!("k{}:{name}", name.len()));
                spell(&fields[name], out);
            }
        }
        // Serde writes no others but what is absent.
        AttributeValue::B(_)
        | AttributeValue::Bs(_)
        | AttributeValue::Ns(_)
        | AttributeValue::Null(_)
        | AttributeValue::Ss(_)
        | _ => text('?', &format!("{value:?}")),
    }
}

/// Sixteen bytes that nobody can foresee.
pub(super) fn random() -> Result<[u8; 16], StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(StoreError::unavailable)?;
    Ok(bytes)
}
