//! Merges: a change is kept once, however often and in whatever order its forge reports it.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::on_merge::{self, Approved, Enqueued, Merge, Way};
use domain::{Change, ChangeId, Commit, Entry, Login, PersonId, Record, Repository, ServiceId, Situation};
use jiff::Timestamp;

use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::keys;
use crate::records::{self, Item};
use crate::schema;

/// Beside the body, which says who enqueued: the set of who approved and when, as `<milliseconds> <login>`. A set,
/// because it grows without being read.
const APPROVALS: &str = "approvals";

/// A transaction holds 100 actions: four for each service, and two for the change itself.
const MOST_SERVICES: usize = 24;

/// A change's window in one service: its responder, and the line for the service's log.
type Window = (ServiceId, PersonId, Entry);

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
    ///
    /// For more services than one transaction holds there are several, the change itself in the last: until that is
    /// done the merge is not known, and its repetition does all of them again, to the same end.
    pub async fn keep_merge(
        &self,
        merge: &Merge,
        awaits: Option<(u64, &Way)>,
        now: Timestamp,
    ) -> Result<MergeOutcome, StoreError> {
        let windows: Vec<&[Window]> = merge.windows.chunks(MOST_SERVICES).collect();
        let (last, before) = windows.split_last().map_or((&[][..], &[][..]), |(last, before)| (*last, before));
        let mut kept = Ok(());
        for windows in before {
            let mut transaction = Transaction::new(self);
            transaction.check(&keys::change(&merge.change.id), NEWS, worth(&merge.change))?;
            open_windows(&mut transaction, merge, windows, now)?;
            kept = transaction.commit().await;
            if kept.is_err() {
                break;
            }
        }
        if kept.is_ok() {
            kept = self.whole_merge(merge, last, awaits, now)?.commit().await;
        }
        match kept {
            Ok(()) => Ok(MergeOutcome::Kept),
            Err(StoreError::Conflict) => match self.change(&merge.change.id).await? {
                Some(known) if known.worth() >= merge.change.worth() => {
                    self.keep_files(merge, now).await?;
                    Ok(MergeOutcome::Known)
                }
                Some(_) | None => Err(StoreError::Conflict),
            },
            Err(error) => Err(error),
        }
    }

    /// The change itself, with these windows, and what makes its merge known.
    fn whole_merge(
        &self,
        merge: &Merge,
        windows: &[Window],
        awaits: Option<(u64, &Way)>,
        now: Timestamp,
    ) -> Result<Transaction<'_>, StoreError> {
        let change = &merge.change;
        let mut transaction = Transaction::new(self);
        let mut item = records::item(&keys::change(&change.id), change, Some(change.merged_at + keys::KEEP_CHANGE))?;
        item.insert("worth".into(), records::number(change.worth()));
        transaction.put_if(item, NEWS, worth(change))?;
        open_windows(&mut transaction, merge, windows, now)?;
        if let Some((number, way)) = awaits {
            // If somebody turns out to have enqueued or approved it meanwhile, this fails and the merge is decided again.
            let values = Item::from([
                (":merged".into(), records::text(change.id.commit.as_str())),
                (":expires".into(), records::number((now + keys::KEEP_ENQUEUED).as_second())),
            ]);
            let key = keys::enqueued(&change.id.repository, number);
            let unchanged = match (&way.enqueued, way.approvals.is_empty()) {
                (None, true) => "attribute_not_exists(body) AND attribute_not_exists(approvals)",
                (None, false) => "attribute_not_exists(body)",
                // What was only concluded may have been told for sure meanwhile.
                (Some(_), _) => "attribute_exists(body.sure)",
            };
            transaction.update(&key, "SET merged = :merged, expires = :expires", Some(unchanged), values)?;
        }
        Ok(transaction)
    }

    /// A poorer report of a change that we know may still be the one that lists its files.
    async fn keep_files(&self, merge: &Merge, now: Timestamp) -> Result<(), StoreError> {
        let Some(files) = &merge.files else { return Ok(()) };
        for (service, ..) in &merge.windows {
            let decide = |situation: &Situation| (on_merge::files::listed(&merge.change.id, files, situation), ());
            self.decide(service, now, decide).await?;
        }
        Ok(())
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
        let expression = if enqueued.sure {
            "SET body = :what, v = :v, expires = :expires"
        } else {
            "SET body = if_not_exists(body, :what), v = if_not_exists(v, :v), expires = :expires"
        };
        self.note_on_way(&key, expression, records::body(enqueued)?, now).await
    }

    /// Remembers who approved, and says whether a bot has merged it before we knew.
    pub async fn note_approved(&self, approved: &Approved, now: Timestamp) -> Result<Queued, StoreError> {
        let key = keys::enqueued(&approved.repository, approved.number);
        let approval = format!("{} {}", approved.at.as_millisecond(), approved.by);
        let set = AttributeValue::Ss(vec![approval]);
        self.note_on_way(&key, "SET expires = :expires ADD approvals :what", set, now).await
    }

    async fn note_on_way(
        &self,
        key: &keys::Key,
        expression: &str,
        value: AttributeValue,
        now: Timestamp,
    ) -> Result<Queued, StoreError> {
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(records::key_item(key)))
            .update_expression(expression)
            .set_expression_attribute_values(Some(schema::values(expression, value, now + keys::KEEP_ENQUEUED)))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|e| StoreError::unavailable(DisplayErrorContext(e)))?;
        answer.attributes().map_or(Ok(Queued::default()), read_queued)
    }
}

/// What a change says that we did not know.
const NEWS: &str = "attribute_not_exists(pk) OR worth < :worth";

fn worth(change: &Change) -> Item {
    Item::from([(":worth".into(), records::number(change.worth()))])
}

/// The window of a change in each of these services, with its line in the service's log; and its clock rings.
fn open_windows(
    transaction: &mut Transaction<'_>,
    merge: &Merge,
    windows: &[Window],
    now: Timestamp,
) -> Result<(), StoreError> {
    let change = &merge.change;
    for (service, responder, entry) in windows {
        let expires = Some(change.merged_at + keys::KEEP_CHANGE);
        let mut item = records::item(&keys::window(service, &change.id), change, expires)?;
        item.insert(keys::REVISION.into(), records::number(change.worth()));
        item.insert(keys::PERSON.into(), records::text(responder.as_str()));
        item.insert(keys::PERSON_AT.into(), records::number(change.merged_at.as_millisecond()));
        transaction.put(item)?;
        if let Some(files) = &merge.files {
            let record = Record::Files(change.id.clone(), files.clone());
            transaction.put(records::encode(service, &record, 1, now)?)?;
        }
        transaction.log(service, entry)?;
        transaction.wake(service, now)?;
    }
    Ok(())
}

fn read_queued(item: &Item) -> Result<Queued, StoreError> {
    let enqueued = if item.contains_key(keys::BODY) { Some(records::read(item)?) } else { None };
    let mut approvals = BTreeMap::new();
    for approval in item.get(APPROVALS).and_then(|v| v.as_ss().ok()).into_iter().flatten() {
        let wrong = || StoreError::Unreadable("an approval that is not one of ours".into());
        let (at, by) = approval.split_once(' ').ok_or_else(wrong)?;
        let at = at.parse().ok().and_then(|at| Timestamp::from_millisecond(at).ok()).ok_or_else(wrong)?;
        let by: Login = by.to_owned().try_into().map_err(|_| wrong())?;
        let first = approvals.entry(by).or_insert(at);
        *first = at.min(*first);
    }
    let merged = item.get("merged").and_then(|v| v.as_s().ok()).and_then(|m| m.parse().ok());
    Ok(Queued { way: Way { enqueued, approvals }, merged })
}
