//! One decision about one service, committed: its writes, its messages, its log lines, its clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use domain::decision::{RecordKey, Wake};
use domain::{Decisions, Incident, Outgoing, ServiceId, Situation, Write};
use jiff::Timestamp;

use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::keys;
use crate::outbox;
use crate::records::{self, Item};

/// A decision is taken again at most this often when somebody else was faster.
pub const MOST_TRIES: u32 = 5;

impl Store {
    /// Loads, decides and commits, again where somebody else was faster. What `decide` returns beside its
    /// decisions is returned when they are stored.
    pub async fn decide<T>(
        &self,
        service: &ServiceId,
        now: Timestamp,
        mut decide: impl FnMut(&Situation) -> (Decisions, T),
    ) -> Result<(Decisions, T), StoreError> {
        self.decide_on(service, now, false, |situation, _| decide(situation)).await
    }

    /// The same, seeing the outbox too. It is read after the situation, each time: so the message of any decision
    /// that this situation shows is in it, unless it was accepted; and any later decision is a conflict.
    pub async fn decide_seeing_outbox<T>(
        &self,
        service: &ServiceId,
        now: Timestamp,
        decide: impl FnMut(&Situation, &[Outgoing]) -> (Decisions, T),
    ) -> Result<(Decisions, T), StoreError> {
        self.decide_on(service, now, true, decide).await
    }

    async fn decide_on<T>(
        &self,
        service: &ServiceId,
        now: Timestamp,
        sees_outbox: bool,
        mut decide: impl FnMut(&Situation, &[Outgoing]) -> (Decisions, T),
    ) -> Result<(Decisions, T), StoreError> {
        let _turn = match &self.turns {
            Some(turns) => turns.wait(service).await,
            None => None,
        };
        for attempt in 0..MOST_TRIES {
            let situation = self.situation(service).await?;
            let outbox = if sees_outbox { self.outbox(service).await? } else { Vec::new() };
            let (decisions, result) = decide(&situation, &outbox);
            match self.commit(&situation, &decisions, now).await {
                Ok(()) => return Ok((decisions, result)),
                Err(StoreError::Conflict) => pause(attempt, now).await,
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    /// One transaction. A decision that came from outside and says nothing new writes nothing.
    pub async fn commit(&self, situation: &Situation, decisions: &Decisions, now: Timestamp) -> Result<(), StoreError> {
        let card = decisions.card.as_deref().map(|card| (card, card.digest()));
        let card = card.filter(|(_, digest)| *digest != situation.clock.value.card);
        match decisions.wake {
            Wake::Now if decisions.is_quiet() => return Ok(()),
            Wake::Exactly(due_at) if decisions.is_quiet() && card.is_none() => {
                return self.set_clock(situation, due_at).await;
            }
            Wake::Now | Wake::Exactly(_) => {}
        }
        let service = &decisions.service;
        let mut transaction = Transaction::new(self);
        for write in &decisions.writes {
            add_write(&mut transaction, service, situation, write, now)?;
        }
        for message in &decisions.messages {
            transaction.put(outbox::new_item(message)?)?;
        }
        for entry in &decisions.entries {
            tracing::info!(
                service.name = %service,
                reason = entry.reason.name(),
                subject = entry.subject.as_ref().map(tracing::field::display),
                person = entry.person.as_ref().map(tracing::field::display),
                "{}: {}", entry.what, entry.reason
            );
            transaction.log(service, entry)?;
        }
        self.count(&mut transaction, decisions).await?;
        match decisions.wake {
            Wake::Now => transaction.wake(service, now)?,
            Wake::Exactly(due_at) => {
                let digest = card.as_ref().map(|(_, digest)| digest.as_str());
                let (expression, condition, values) = exactly(situation, due_at, digest);
                transaction.update(&keys::clock(service), &expression, Some(condition), values)?;
                if let Some((card, _)) = card {
                    transaction.put(records::item(&keys::card(service), card, None)?)?;
                }
            }
        }
        transaction.commit().await
    }

    /// Adds a line to a service's log, beside any decision.
    pub async fn append(&self, service: &ServiceId, entry: &domain::Entry) -> Result<(), StoreError> {
        let mut transaction = Transaction::new(self);
        transaction.log(service, entry)?;
        transaction.commit().await
    }

    /// Deletes an item and logs why; nothing happens when it is gone already.
    pub(crate) async fn remove_with_entry(
        &self,
        key: &keys::Key,
        service: &ServiceId,
        entry: &domain::Entry,
    ) -> Result<(), StoreError> {
        for attempt in 0..MOST_TRIES {
            let mut transaction = Transaction::new(self);
            transaction.delete_existing(key)?;
            transaction.log(service, entry)?;
            match transaction.commit().await {
                Ok(()) => return Ok(()),
                // Gone already, or somebody is writing to it at this moment: only the first is an end.
                Err(StoreError::Conflict) if self.get(key).await?.is_none() => return Ok(()),
                Err(StoreError::Conflict) => pause(attempt, entry.at).await,
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    async fn set_clock(&self, situation: &Situation, due_at: Option<Timestamp>) -> Result<(), StoreError> {
        if situation.clock.value.due_at == due_at {
            return Ok(());
        }
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        let (expression, condition, values) = exactly(situation, due_at, None);
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(records::key_item(&keys::clock(&situation.service))))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .send()
            .await;
        match result {
            Ok(_) => Ok(()),
            Err(e)
                if e.as_service_error().is_some_and(
                    aws_sdk_dynamodb::operation::update_item::UpdateItemError::is_conditional_check_failed_exception,
                ) =>
            {
                Err(StoreError::Conflict)
            }
            Err(e) => Err(StoreError::unavailable(DisplayErrorContext(e))),
        }
    }
}

/// Sets the clock if nobody has rung it since it was read; `card`: the digest of what the board shows from now on.
fn exactly(situation: &Situation, due_at: Option<Timestamp>, card: Option<&str>) -> (String, &'static str, Item) {
    let mut values =
        Item::from([(":one".into(), records::number(1)), (":seen".into(), records::number(situation.clock.rev))]);
    let condition = if situation.clock.rev == 0 { "attribute_not_exists(rev) OR rev = :seen" } else { "rev = :seen" };
    let (mut set, mut remove) = (Vec::new(), vec!["rung"]);
    if let Some(digest) = card {
        set.push("card = :card");
        values.insert(":card".into(), records::text(digest));
    }
    if let Some(at) = due_at {
        set.extend(["due = :due", "due_at = :at"]);
        values.insert(":due".into(), records::text(keys::DUE));
        values.insert(":at".into(), records::number(at.as_millisecond()));
    } else {
        remove.extend(["due", "due_at"]);
    }
    let set = if set.is_empty() { String::new() } else { format!("SET {} ", set.join(", ")) };
    (format!("{set}REMOVE {} ADD rev :one", remove.join(", ")), condition, values)
}

fn add_write(
    transaction: &mut Transaction<'_>,
    service: &ServiceId,
    situation: &Situation,
    write: &Write,
    now: Timestamp,
) -> Result<(), StoreError> {
    match write {
        Write::Put { record, seen } => transaction.put_at(records::encode(service, record, seen + 1, now)?, *seen),
        Write::Drop { key, seen } => match key {
            RecordKey::Change(id) => transaction.delete_at(&keys::window(service, id), *seen),
            RecordKey::Notes(id) => transaction.delete_at(&keys::notes(service, id), *seen),
            RecordKey::Deployment(deployment) => transaction.delete_at(&keys::deployment(service, deployment), *seen),
            RecordKey::Signals(environment) => transaction.delete_at(&keys::signals(service, environment), *seen),
            RecordKey::Incident(id) => {
                if let Some(incident) = situation.incidents.get(id) {
                    history(transaction, service, &incident.value)?;
                }
                transaction.delete_at(&keys::incident(service, id), *seen)
            }
            RecordKey::Shift(id) => transaction.delete_at(&keys::shift(service, id), *seen),
            RecordKey::Queue => transaction.delete_at(&keys::queue(service), *seen),
            RecordKey::Ceiling => transaction.delete_at(&keys::ceiling(service), *seen),
            RecordKey::Paging => transaction.delete_at(&keys::paging(service), *seen),
            RecordKey::Track => transaction.delete_at(&keys::track(service), *seen),
            RecordKey::Files(id) => transaction.delete_at(&keys::files(service, id), *seen),
            RecordKey::Errand(key) => transaction.delete_at(&keys::errand(service, key), *seen),
            RecordKey::Freeze(id) => transaction.delete_at(&keys::freeze(service, id), *seen),
            RecordKey::FreezeNotes(time) => transaction.delete_at(&keys::freeze_notes(service, time), *seen),
            RecordKey::Expedite(expedite) => transaction.delete_at(&keys::expedite(service, expedite), *seen),
            RecordKey::Posted => transaction.delete_at(&keys::posted(service), *seen),
            RecordKey::PostedAll => transaction.delete_at(&keys::posted_all(service), *seen),
            RecordKey::Pulls => transaction.delete_at(&keys::pulls(service), *seen),
            RecordKey::Comment(number) => transaction.delete_at(&keys::comment(service, *number), *seen),
            RecordKey::Pipelines => transaction.delete_at(&keys::pipelines(service), *seen),
            RecordKey::Undo(id) => transaction.delete_at(&keys::undo(service, id), *seen),
            RecordKey::Feed(freeze) => transaction.delete_at(&keys::feed(service, freeze), *seen),
        },
    }
}

/// Keeps an incident that leaves, and where it is.
fn history(transaction: &mut Transaction<'_>, service: &ServiceId, incident: &Incident) -> Result<(), StoreError> {
    let over = incident.resolved_at.unwrap_or(incident.detected_at);
    let expires = Some(over + keys::KEEP_CHANGE);
    transaction.put(records::item(&keys::past_incident(service, over, &incident.id), incident, expires)?)?;
    transaction.put(records::item(&keys::whereabouts(&incident.id), &over, expires)?)
}

/// Waits a moment, longer each time, and not as long as the others who lost the same race.
pub async fn pause(attempt: u32, now: Timestamp) {
    static SALT: AtomicU64 = AtomicU64::new(0);
    let salt =
        SALT.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed) ^ u64::from(now.subsec_nanosecond().unsigned_abs());
    let spread = (salt >> 32) % 1000;
    let base = 10 << attempt;
    tokio::time::sleep(Duration::from_millis(base / 2 + base * spread / 1000)).await;
}
