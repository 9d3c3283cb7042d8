//! A forge says a change was merged. The change is kept, once, in every service that deploys it.
//!
//! No state is read for it (but who enqueued, when a bot merged): what the merge means is computed whenever
//! somebody looks, so a merge costs one transaction whatever else is going on.

pub mod errands;
pub mod files;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attendance;
use crate::because::Because;
use crate::change::{Change, ChangeKind, Credit, Files, Merger};
use crate::decision::Entry;
use crate::ids::{PersonId, Repository, ServiceId};
use crate::login::Login;
use crate::message::Subject;
use crate::on_merge::errands::{Errand, Unread};
use crate::pull::PullEvent;
use crate::reason::Reason;
use crate::responder::by_policy;
use crate::service::Service;
use crate::settings::Settings;

/// What forges tell us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeEvent {
    Merged(Box<Change>),
    Enqueued(Enqueued),
    Approved(Approved),
    /// A merge, but neither by whom nor of what.
    Unread(Unread),
    /// Something about a pull request that is, or was until now, open.
    Pull(Repository, PullEvent),
}

impl MergeEvent {
    /// The repository it happened in.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        match self {
            Self::Merged(change) => &change.id.repository,
            Self::Enqueued(enqueued) => &enqueued.repository,
            Self::Approved(approved) => &approved.repository,
            Self::Unread(told) => &told.repository,
            Self::Pull(repository, _) => repository,
        }
    }
}

/// Somebody approved a pull request. Where a bot made it and a bot merges it, who approved it first answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    pub repository: Repository,
    pub number: u64,
    pub by: Login,
    pub at: Timestamp,
}

/// What is known of a pull request's way to its merge, for the day a bot merges it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    pub enqueued: Option<Enqueued>,
    /// Everybody who approved, each with the time of the first approval.
    pub approvals: BTreeMap<Login, Timestamp>,
}

/// Somebody put a pull request into the merge queue, or told the forge to merge it when it is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enqueued {
    pub repository: Repository,
    pub number: u64,
    pub by: Login,
    pub at: Timestamp,
    /// Told by who did it. Else concluded from what the queue did: it gives way to what is sure.
    #[serde(default = "sure", skip_serializing_if = "Clone::clone")]
    pub sure: bool,
}

fn sure() -> bool {
    true
}

/// What is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeDecision {
    Keep(Box<Merge>),
    NoteEnqueue(Enqueued),
    NoteApproval(Approved),
    /// The forge is asked: the errand is kept in this service.
    Ask(ServiceId, Errand),
    /// Nothing was merged: it is for the desks of freezes.
    Pull(Repository, PullEvent),
    Nothing(Reason),
}

/// A change to keep, and the services in which it opens a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    pub change: Change,
    /// Which files it touches, where this report tells: kept beside the change.
    pub files: Option<Files>,
    /// Each service with its responder and the line for its log.
    pub windows: Vec<(ServiceId, PersonId, Entry)>,
}

impl Merge {
    /// The pull request whose way is still of interest: a bot merged it, and who told the bot to may yet be told.
    #[must_use]
    pub fn awaits(&self) -> Option<u64> {
        match self.change.kind {
            ChangeKind::PullRequest { number } => self.change.merger.credit.gives_way().then_some(number),
            ChangeKind::DirectPush => None,
        }
    }
}

/// Decides about one report of a forge. `way`: how this pull request came to its merge, where that is known.
#[must_use]
pub fn decide(event: MergeEvent, way: &Way, settings: &Settings, now: Timestamp) -> MergeDecision {
    let served = |repository: &Repository| settings.services_of(repository).next().is_some();
    let mut change = match event {
        MergeEvent::Merged(change) => *change,
        // What bots do for bots says nothing about who answers.
        MergeEvent::Enqueued(Enqueued { by, .. }) | MergeEvent::Approved(Approved { by, .. }) if by.is_bot() => {
            return MergeDecision::Nothing(Reason::ByABot);
        }
        MergeEvent::Enqueued(enqueued) if served(&enqueued.repository) => return MergeDecision::NoteEnqueue(enqueued),
        MergeEvent::Approved(approved) if served(&approved.repository) => return MergeDecision::NoteApproval(approved),
        MergeEvent::Enqueued(_) | MergeEvent::Approved(_) => {
            return MergeDecision::Nothing(Reason::RepositoryNotServed);
        }
        MergeEvent::Unread(told) => {
            let first = settings.services_of(&told.repository).next().map(|service| service.id.clone());
            return match first {
                Some(service) => MergeDecision::Ask(service, Errand::new(told, now)),
                None => MergeDecision::Nothing(Reason::RepositoryNotServed),
            };
        }
        // A label that a bot puts there by a branch's name asks for nothing.
        MergeEvent::Pull(_, PullEvent::Expedite { by, .. } | PullEvent::NoExpedite { by, .. }) if by.is_bot() => {
            return MergeDecision::Nothing(Reason::ByABot);
        }
        MergeEvent::Pull(repository, event) if served(&repository) => return MergeDecision::Pull(repository, event),
        MergeEvent::Pull(..) => return MergeDecision::Nothing(Reason::RepositoryNotServed),
    };
    if change.merger.credit.gives_way()
        && let Some(merger) = told_the_bot(&change, way)
    {
        change.merger = merger;
    }
    let approvers = way.approvals.keys().filter(|by| !by.is_bot() && !change.approvers.contains(by));
    let approvers: Vec<Login> = approvers.cloned().collect();
    change.approvers.extend(approvers);
    if settings.services_of(&change.id.repository).next().is_none() {
        return MergeDecision::Nothing(Reason::RepositoryNotServed);
    }
    let windows: Vec<_> = settings
        .services_of(&change.id.repository)
        .filter(|service| service.serves(&change.id.repository, &change.base, change.base_is_default))
        .filter_map(|service| {
            let responder = by_policy(&change, service, &settings.roster, change.merged_at)?;
            let off_hours = attendance::asking(&change, service, &settings.roster);
            let reason = match (&responder.because, off_hours) {
                // Kept all the same: another report of it, which lists no files, must not open it again.
                _ if !service.touched_by(&change.id.repository, change.files.as_ref()) => Reason::TouchesOtherPaths,
                (Because::StandsIn { unknown }, _) => Reason::UnknownMerger { login: unknown.clone() },
                (_, Some(asking)) if asking.candidates.is_empty() => Reason::NoChampion,
                (_, Some(asking)) => Reason::MergedOffHours { when: asking.why.to_string() },
                (_, None) => Reason::MergedOnStandby,
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
    let files = change.files.take();
    MergeDecision::Keep(Box::new(Merge { change, files, windows }))
}

/// Who made the bot merge: who put it into the queue; for what a bot made, who approved it.
fn told_the_bot(change: &Change, way: &Way) -> Option<Merger> {
    let enqueued = way.enqueued.as_ref().map(|e| (&e.by, if e.sure { Credit::Enqueued } else { Credit::QueueTried }));
    let in_payload = change.approvers.iter().map(|by| (by, Timestamp::MAX));
    let approvals = way.approvals.iter().map(|(by, at)| (by, *at)).chain(in_payload).filter(|(by, _)| !by.is_bot());
    let first = approvals.filter(|_| change.author.is_bot()).min_by_key(|(by, at)| (*at, *by));
    let approved = first.map(|(by, _)| (by, Credit::Approved));
    let person = [enqueued, approved].into_iter().flatten().find(|(by, _)| !by.is_bot());
    person.map(|(by, credit)| Merger { login: by.clone(), credit })
}

/// The pull request whose way has to be looked up before [`decide`]: who enqueued and who approved it.
#[must_use]
pub fn wants_way<'a>(event: &'a MergeEvent, settings: &Settings) -> Option<(&'a Repository, u64)> {
    settings.services_of(event.repository()).next()?;
    match event {
        MergeEvent::Merged(change) => match (change.kind, change.merger.credit) {
            // The push that a merge makes knows less than the merge's own report, which follows.
            (ChangeKind::DirectPush, _) | (ChangeKind::PullRequest { .. }, Credit::Pushed) => None,
            (ChangeKind::PullRequest { number }, _) => {
                let id = &change.id;
                let deploys = |s: &Service| s.serves(&id.repository, &change.base, change.base_is_default);
                settings.services_of(&id.repository).any(deploys).then_some((&id.repository, number))
            }
        },
        MergeEvent::Enqueued(_) | MergeEvent::Approved(_) | MergeEvent::Unread(_) | MergeEvent::Pull(..) => None,
    }
}

#[cfg(test)]
#[path = "on_merge_tests.rs"]
mod tests;
