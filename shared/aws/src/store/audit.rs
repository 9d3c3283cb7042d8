//! The audit log of a service: lines of its log are sealed here once their hour is over, beside everything else.
//!
//! What is sealed, and how, is [`domain::audit`]'s. One transaction for each seal, which fails if somebody else was faster. What of the
//! audit log cannot be read is a fault that is said, and keeps nothing from being sealed.

mod end;
mod read;

use std::collections::BTreeSet;

use domain::ServiceId;
use domain::audit::{self, Batch, Fault, Head, Logged, Seal};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use end::End;
pub use read::Sealed;
pub(super) use read::spelled;

use super::people::{self, Called};
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::keys;
use crate::records;
use crate::verify::to_hex;

/// So many lines are read at a time: one more than a seal holds.
const MOST_READ: usize = audit::MOST_LINES + 1;
/// One visit to a service seals at most so often. What is left is sealed by the next tick.
const MOST_SEALS: usize = 20;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What came of a visit to a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sealing {
    pub seals: usize,
    /// There is more to seal.
    pub more: bool,
    /// What is not as it was sealed, of the seals of late.
    pub faults: Vec<Fault>,
}

/// One visit: how far it has come.
struct Visit<'a> {
    service: &'a ServiceId,
    end: End,
    sealing: Sealing,
}

impl Store {
    /// Seals what is over of a service's log.
    pub async fn seal(&self, service: &ServiceId, called: &mut Called, now: Timestamp) -> Result<Sealing, StoreError> {
        let end = self.end(service, now).await?;
        let rev = end.rev;
        match self.seal_behind(service, end, called, now).await {
            Err(StoreError::Conflict) => {
                let end = self.end(service, now).await?;
                // Somebody else is faster; or a seal is there already, of which the head knows nothing.
                let Some(end) = self.passed_by(service, end, now).await?.filter(|end| end.rev == rev) else {
                    return Err(StoreError::Conflict);
                };
                self.seal_behind(service, end, called, now).await
            }
            done => done,
        }
    }

    async fn seal_behind(
        &self,
        service: &ServiceId,
        end: End,
        called: &mut Called,
        now: Timestamp,
    ) -> Result<Sealing, StoreError> {
        let until = audit::sealed_until(now);
        let sealing = Sealing { faults: end.faults.clone(), ..Sealing::default() };
        let before = end.head.clone();
        let mut visit = Visit { service, end, sealing };
        if before.as_ref().is_some_and(|head| !head.more && head.hour + HOUR >= until) {
            return Ok(visit.sealing);
        }
        // What is late goes first: from where it is looked for moves on with the first seal of another hour.
        let late = self.late(&mut visit, now).await?;
        self.put_late(&mut visit, &late, called).await?;
        let first = || keys::instant(until - audit::FIRST);
        let mut after = visit.end.head.as_ref().map_or_else(first, |head| head.after.clone());
        loop {
            let lines = self.logged(service, &after, until, Some(MOST_READ)).await?;
            let all = lines.len() < MOST_READ;
            let (behind, lines): (Vec<Logged>, _) =
                lines.into_iter().partition(|line| audit::is_late(before.as_ref(), line));
            after = behind.last().map_or(after, |line| line.place.clone());
            self.put_late(&mut visit, &behind, called).await?;
            for batch in audit::due(lines, all) {
                after = batch.lines.last().map_or(after, |line| line.place.clone());
                self.put_seal(&mut visit, &batch, called).await?;
            }
            visit.sealing.more = !all;
            if all || visit.sealing.seals >= MOST_SEALS {
                return Ok(visit.sealing);
            }
        }
    }

    /// Seals lines that came after their hour was, in the hour that was sealed last.
    async fn put_late(&self, visit: &mut Visit<'_>, lines: &[Logged], called: &mut Called) -> Result<(), StoreError> {
        for lines in lines.chunks(audit::MOST_LINES / 2) {
            let Some(Head { hour, more, .. }) = visit.end.head else { return Ok(()) };
            let batch = Batch { hour, lines: lines.to_vec(), more, late: true };
            self.put_seal(visit, &batch, called).await?;
        }
        Ok(())
    }

    async fn put_seal(&self, visit: &mut Visit<'_>, batch: &Batch, called: &mut Called) -> Result<(), StoreError> {
        let people: BTreeSet<_> = batch.lines.iter().filter_map(|line| line.person.as_ref()).collect();
        for person in people {
            if !self.call(called, person).await? {
                let fault = people::unreadable(person);
                if !visit.sealing.faults.contains(&fault) {
                    visit.sealing.faults.push(fault);
                }
            }
        }
        let seed = random()?;
        let salt = |place: &str| salt(&seed, place);
        let Visit { service, end, sealing } = visit;
        let (seal, proofs, head) = audit::seal(end.head.as_ref(), end.anew, batch, |person| called.of(person), salt);
        let mut transaction = Transaction::new(self);
        let key = keys::seal(service, seal.hour, seal.part);
        transaction.put_at(records::item(&key, &seal, Some(seal.hour + keys::KEEP_AUDIT))?, 0)?;
        let key = keys::proofs(service, seal.hour, seal.part);
        // Those of a seal that was deleted may stand there: they keep nothing from being sealed.
        transaction.put(records::item(&key, &proofs, Some(seal.hour + keys::KEEP_LOG))?)?;
        let mut item = records::item(&keys::head(service), &head, Some(seal.hour + keys::KEEP_AUDIT))?;
        item.insert(keys::REVISION.into(), records::number(end.rev + 1));
        match end.rev {
            // Its revision cannot be read either; that nobody else seals the same is seen by the seal.
            0 if end.there => transaction.put_if(item, "attribute_exists(pk)", records::Item::new())?,
            rev => transaction.put_at(item, rev)?,
        }
        transaction.commit().await?;
        // Kept where whoever writes to the table cannot change it.
        tracing::info!(
            event = "audit.sealed",
            service.name = %service,
            number = head.number,
            hour = %head.hour,
            digest = head.digest,
            "seal {} of {service} is {}", head.number, head.digest
        );
        *end = End { head: Some(head), rev: end.rev + 1, there: true, anew: false, faults: Vec::new() };
        sealing.seals += 1;
        Ok(())
    }

    /// The lines that came after their hour was sealed, of the hour before the last one that was; what was sealed since then is
    /// verified in passing.
    async fn late(&self, visit: &mut Visit<'_>, now: Timestamp) -> Result<Vec<Logged>, StoreError> {
        let service = visit.service;
        let head = visit.end.head.as_ref().filter(|head| head.hour + audit::LATE_UNTIL >= now);
        let Some(head) = head else { return Ok(Vec::new()) };
        let from = head.at - audit::LOOK_BACK;
        let sealed = self.sealed(service, audit::hour_of(from), Timestamp::MAX).await?;
        let seals: Vec<Seal> = sealed.seals.iter().map(|(seal, _)| seal.clone()).collect();
        // Of an end that had to be found again it is said that it was.
        let extent = audit::Extent { from: audit::hour_of(from), to_the_end: !visit.end.anew };
        let faults = &mut visit.sealing.faults;
        faults.extend(audit::verify(&seals, Some(head), extent));
        faults.extend(sealed.faults);
        faults.extend(audit::incomplete(&sealed.seals, from));
        faults.sort();
        faults.dedup();
        let proofs = sealed.seals.iter().flat_map(|(_, proofs)| proofs).flatten().chain(&sealed.orphans);
        let known: BTreeSet<&str> = proofs.map(|proof| proof.place.as_str()).collect();
        let without = sealed.seals.iter().filter(|(_, proofs)| proofs.is_none()).flat_map(|(seal, _)| &seal.lines);
        let unsure: BTreeSet<Timestamp> = without.map(|line| line.at).collect();
        let mut lines =
            self.logged(service, &keys::instant(from), head.at + SignedDuration::from_micros(1), None).await?;
        lines.retain(|line| {
            line.place <= head.after && !known.contains(line.place.as_str()) && !unsure.contains(&line.at)
        });
        Ok(lines)
    }
}

/// What nobody can foresee who does not know the seed.
pub(super) fn salt(seed: &[u8; 16], place: &str) -> String {
    to_hex(&Sha256::new().chain_update(seed).chain_update(place).finalize()[..16])
}

/// Sixteen bytes that nobody can foresee.
pub(super) fn random() -> Result<[u8; 16], StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(StoreError::unavailable)?;
    Ok(bytes)
}
