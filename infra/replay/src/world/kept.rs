//! What the store keeps beside the working sets, as far as a replay needs it; what has expired there is forgotten here.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use aws::keys;
use domain::alert::Place;
use domain::on_merge::Way;
use domain::{Alert, Change, ChangeId, DeploymentEvent, Reference, Repository, StandsFor};
use jiff::{SignedDuration, Timestamp};

/// A report is kept until it is told what it needs, this many of them.
const MOST_AWAITING: usize = 100;
/// How often what has expired is forgotten.
const SWEPT_EACH: SignedDuration = SignedDuration::from_hours(24);

/// What is told once and needed by reports that may come before it.
#[derive(Debug)]
pub(super) struct Topic<T, R> {
    told: Option<T>,
    awaiting: Vec<R>,
    expires: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Kept {
    /// How much is known of each change, by its digest: a change is a line of two hundred bytes, and there are many.
    changes: BTreeMap<u64, (u8, Timestamp)>,
    ways: BTreeMap<(Repository, u64), (Queued, Timestamp)>,
    pub references: Topics<Reference, StandsFor, DeploymentEvent>,
    pub placements: Topics<String, Place, Alert>,
    swept_at: Option<Timestamp>,
}

/// What is known of a pull request's way to its merge.
#[derive(Debug, Default)]
pub(super) struct Queued {
    pub way: Way,
    /// What a bot merged, if the merge came first.
    pub merged: Option<Box<Change>>,
}

fn digest(id: &ChangeId) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

impl Kept {
    /// Keeps that this much is known of a change; whether that is news.
    pub fn is_news(&mut self, change: &Change) -> bool {
        let (id, worth) = (digest(&change.id), change.worth());
        let worth = u8::try_from(worth).unwrap_or(u8::MAX);
        if self.changes.get(&id).is_some_and(|(known, _)| *known >= worth) {
            return false;
        }
        self.changes.insert(id, (worth, change.merged_at + keys::KEEP_CHANGE));
        true
    }

    pub fn way(&self, repository: &Repository, number: u64) -> Way {
        self.ways.get(&(repository.clone(), number)).map(|(queued, _)| queued.way.clone()).unwrap_or_default()
    }

    /// What is known of the way, to be changed, now.
    pub fn queued(&mut self, repository: &Repository, number: u64, now: Timestamp) -> &mut Queued {
        let kept = self.ways.entry((repository.clone(), number)).or_default();
        kept.1 = now + keys::KEEP_ENQUEUED;
        &mut kept.0
    }

    /// Forgets what has expired, if that was not done lately.
    pub fn sweep(&mut self, now: Timestamp) {
        if self.swept_at.is_some_and(|at| now.duration_since(at) < SWEPT_EACH) {
            return;
        }
        self.swept_at = Some(now);
        self.changes.retain(|_, (_, expires)| *expires > now);
        self.ways.retain(|_, (_, expires)| *expires > now);
        self.references.0.retain(|_, topic| topic.expires > now);
        self.placements.0.retain(|_, topic| topic.expires > now);
    }
}

/// Topics, by what they are about.
#[derive(Debug)]
pub(super) struct Topics<K, T, R>(BTreeMap<K, Topic<T, R>>);

impl<K, T, R> Default for Topics<K, T, R> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone, T: Clone, R: Clone + PartialEq> Topics<K, T, R> {
    pub fn told(&self, key: &K) -> Option<T> {
        self.0.get(key)?.told.clone()
    }

    /// What was told; if nothing was, the report is kept until something is.
    pub fn told_or_await(&mut self, key: &K, report: &R, expires: Timestamp) -> Option<T> {
        let topic = self.at(key);
        if topic.told.is_none() && topic.awaiting.len() < MOST_AWAITING {
            topic.expires = expires;
            if !topic.awaiting.contains(report) {
                topic.awaiting.push(report.clone());
            }
        }
        topic.told.clone()
    }

    /// Keeps what is told, and says which reports have awaited it.
    pub fn tell(&mut self, key: &K, told: T, expires: Timestamp) -> Vec<R> {
        let topic = self.at(key);
        (topic.told, topic.expires) = (Some(told), expires);
        topic.awaiting.clone()
    }

    /// These reports have what they awaited.
    pub fn settled(&mut self, key: &K) {
        self.at(key).awaiting.clear();
    }

    fn at(&mut self, key: &K) -> &mut Topic<T, R> {
        self.0.entry(key.clone()).or_insert_with(|| Topic { told: None, awaiting: Vec::new(), expires: Timestamp::MIN })
    }
}
