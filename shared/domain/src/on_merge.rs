//! A forge says a change was merged. The change is kept, once, in every service that deploys it.
//!
//! No state is read for it (but who enqueued, when a bot merged): what the merge means is computed whenever
//! somebody looks, so a merge costs one transaction whatever else is going on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::{Change, ChangeKind, Credit, Merger};
use crate::decision::Entry;
use crate::ids::{Login, PersonId, Repository, ServiceId};
use crate::message::Subject;
use crate::reason::Reason;
use crate::settings::Settings;
use crate::window::{Because, responder};

/// What forges tell us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeEvent {
    Merged(Box<Change>),
    Enqueued(Enqueued),
}

/// Somebody put a pull request into the merge queue, or told the forge to merge it when it is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enqueued {
    pub repository: Repository,
    pub number: u64,
    pub by: Login,
    pub at: Timestamp,
}

/// What is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeDecision {
    Keep(Box<Merge>),
    NoteEnqueue(Enqueued),
    Nothing(Reason),
}

/// A change to keep, and the services in which it opens a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    pub change: Change,
    /// Each service with its responder and the line for its log.
    pub windows: Vec<(ServiceId, PersonId, Entry)>,
}

/// Decides about one report of a forge. `enqueued`: who put this pull request into the queue, where known.
#[must_use]
pub fn decide(event: MergeEvent, enqueued: Option<&Enqueued>, settings: &Settings, now: Timestamp) -> MergeDecision {
    let mut change = match event {
        MergeEvent::Merged(change) => *change,
        MergeEvent::Enqueued(enqueued) => {
            let served = settings.services_of(&enqueued.repository).next().is_some();
            return if served {
                MergeDecision::NoteEnqueue(enqueued)
            } else {
                MergeDecision::Nothing(Reason::RepositoryNotServed)
            };
        }
    };
    if let Some(enqueued) = enqueued
        && change.merger.credit == Credit::AuthorOfBotMerge
        && !enqueued.by.is_bot()
    {
        change.merger = Merger { login: enqueued.by.clone(), credit: Credit::Enqueued };
    }
    if settings.services_of(&change.id.repository).next().is_none() {
        return MergeDecision::Nothing(Reason::RepositoryNotServed);
    }
    let windows: Vec<_> = settings
        .services_of(&change.id.repository)
        .filter(|service| service.serves(&change.id.repository, &change.base, change.base_is_default))
        .filter_map(|service| {
            let responder = responder(&change, service, &settings.roster)?;
            let reason = match responder.because {
                Because::StandsIn { unknown } => Reason::UnknownMerger { login: unknown },
                Because::Merged | Because::Enqueued | Because::Authored | Because::Pushed => Reason::MergedOnStandby,
            };
            let entry = Entry {
                at: now,
                subject: Some(Subject::Change(change.id.clone())),
                person: Some(responder.person.clone()),
                what: format!("{} merged: {}", change.label(), change.title),
                reason,
            };
            Some((service.id.clone(), responder.person, entry))
        })
        .collect();
    if windows.is_empty() {
        return MergeDecision::Nothing(Reason::BranchNotDeployed { branch: change.base });
    }
    MergeDecision::Keep(Box::new(Merge { change, windows }))
}

/// The pull request whose enqueuer has to be looked up before [`decide`], because a bot merged it.
#[must_use]
pub fn wants_enqueuer(event: &MergeEvent) -> Option<(&Repository, u64)> {
    match event {
        MergeEvent::Merged(change) => match (change.kind, change.merger.credit) {
            (ChangeKind::PullRequest { number }, Credit::AuthorOfBotMerge) => Some((&change.id.repository, number)),
            (ChangeKind::PullRequest { .. } | ChangeKind::DirectPush, _) => None,
        },
        MergeEvent::Enqueued(_) => None,
    }
}
