//! What the desk of freezes has posted at a service: the freezes that were declared or that a calendar elsewhere
//! has, and the fixes that may pass. It lies in the
//! service's own working set, so that no decision about a service reads anything else.
//!
//! It follows the desk by a moment. Whoever asks whether something may go on is answered by the desk itself
//! ([`crate::freeze::Freezes::answer`]); here is only what windows and the queue need.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, Occasion, OccasionKind, Span};
use crate::change::{Change, ChangeKind};
use crate::decision::{Decisions, Record, Wake};
use crate::expedite::Granted;
use crate::freeze::{Freezes, Occurrence, Question, Source, Strength, Time};
use crate::ids::{Repository, ServiceId};
use crate::merge_desk::Merging;
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::text;

/// A freeze as far as it concerns one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedFreeze {
    pub name: String,
    /// Who merges is asked to take the pager. It counts from when it was declared: nobody could know before.
    pub merges: bool,
    /// Deployments into the live environment have to wait.
    pub deployments: bool,
    pub from: Timestamp,
    pub until: Timestamp,
}

/// All that is posted at one service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freezes: Vec<PostedFreeze>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expedites: Vec<Granted>,
    /// Which of them may pass now, by [`crate::expedite::Expedite::key`]: the others did, for what was merged meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passing: Vec<String>,
    /// Which look of the desk that was: an older one does not write over a newer.
    #[serde(default)]
    pub look: u64,
    /// Until when deployments wait now, for whatever freeze: when that changes, the service is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<Timestamp>,
    /// At the desk of a repository: what holds for merges into it, or is about to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merging: Option<Merging>,
}

impl Posted {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// By which word this change passes freezes.
    #[must_use]
    pub fn expedite_of(&self, change: &Change) -> Option<&Granted> {
        let ChangeKind::PullRequest { number } = change.kind else { return None };
        let ours = |one: &&Granted| one.repository == change.id.repository && one.number == number;
        self.expedites.iter().filter(ours).find(|one| change.merged_at < one.until)
    }

    /// The service, with what was declared among the times that are set apart.
    #[must_use]
    pub fn applied<'a>(&self, service: &'a Service) -> Cow<'a, Service> {
        if self.freezes.is_empty() {
            return Cow::Borrowed(service);
        }
        let mut service = service.clone();
        let occasion = |one: &PostedFreeze| Occasion {
            name: one.name.clone(),
            kind: OccasionKind::Event,
            span: Span::Times { from: one.from, until: one.until },
        };
        let asking = self.freezes.iter().filter(|one| one.merges).map(occasion);
        service.timetable.calendars.push(Arc::new(Calendar::new(asking)));
        let time = |one: &PostedFreeze| Time { from: one.from, until: one.until, name: one.name.clone() };
        let mut held: Vec<Time> = self.freezes.iter().filter(|one| one.deployments).map(time).collect();
        held.sort();
        service.frozen.push(Arc::new(held));
        Cow::Owned(service)
    }
}

/// Which times are posted: those that were lately, for what has waited since, and those that will be soon.
const KNOWN: SignedDuration = SignedDuration::from_hours(24 * 7);
const NEAR: SignedDuration = SignedDuration::from_hours(24 * 31);
/// So many at one service.
const MOST: usize = 60;

/// What is to be posted where, of the fixes that passed or may, and of those that may now: only services at which there is something.
#[must_use]
pub fn wanted(
    freezes: &Freezes<'_>,
    (passed, passing): (&[Granted], &[Granted]),
    settings: &Settings,
    now: Timestamp,
) -> BTreeMap<ServiceId, Posted> {
    let near = freezes.during(now - KNOWN, now + NEAR);
    let about = |service: &Service| {
        let here = |one: &&Occurrence<'_>| one.scope.includes(service) && one.source != Source::Configuration;
        let posted = |one: &Occurrence<'_>| PostedFreeze {
            name: one.name.to_owned(),
            merges: one.stops.merges.is_some(),
            deployments: one.stops.deployments == Some(Strength::Require) && one.scope.holds(service),
            from: match one.source {
                Source::Person(declared) => {
                    one.from.max(declared.declared_at).max(declared.widened_at.unwrap_or(declared.declared_at))
                }
                Source::Configuration | Source::Feed => one.from,
            },
            until: one.until,
        };
        let all = near.iter().filter(here).map(posted).filter(|one| one.merges || one.deployments);
        let ours = |one: &&Granted| service.concerns(&one.repository);
        let mut posted = Posted {
            freezes: all.filter(|one| one.from < one.until).take(MOST).collect(),
            expedites: passed.iter().filter(ours).cloned().collect(),
            passing: passing.iter().filter(ours).map(Granted::key).collect(),
            ..Posted::default()
        };
        posted.waits_until = posted.applied(service).frozen_at(now).map(|frozen| frozen.until);
        posted
    };
    let at_desk = |repository: &Repository| Posted {
        expedites: passing.iter().filter(|one| one.repository == *repository).cloned().collect(),
        merging: merging(freezes, repository, settings, now),
        ..Posted::default()
    };
    let desks = settings.merge_desks().map(|(desk, repository)| (desk.id.clone(), at_desk(repository)));
    let services = settings.services().filter(|service| !service.repositories.is_empty());
    let services = services.map(|service| (service.id.clone(), about(service)));
    services.chain(desks).filter(|(_, posted)| !posted.is_empty()).collect()
}

/// How long before a merge freeze begins it is asked who has open pull requests, so that they hear of it.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// What holds for merges into a repository, else what does within a day.
fn merging(freezes: &Freezes<'_>, repository: &Repository, settings: &Settings, now: Timestamp) -> Option<Merging> {
    let answer = freezes.answer(&Question::of_merge(repository, settings), now);
    let ahead = answer.next.filter(|next| next.from.duration_since(now) <= AHEAD);
    let Some(until) = answer.until else {
        let next = ahead?;
        return Some(Merging { strength: None, key: next.key(), since: next.from, words: String::new() });
    };
    let first = answer.because.first()?;
    let names: Vec<&str> = answer.because.iter().map(|one| one.name).collect();
    let zone = TimeZone::get(first.zone).unwrap_or(TimeZone::UTC);
    let time = until.to_zoned_datetime(zone).strftime("%a %Y-%m-%d %H:%M");
    let words = format!(
        "Merge freeze until {time} {}: {}. Urgent? Comment /expedite <reason>",
        first.zone,
        text::line(&names.join(", "), 50)
    );
    let keys: Vec<String> = answer.because.iter().map(Occurrence::key).collect();
    let since = answer.because.iter().map(|one| one.from).min()?;
    Some(Merging { strength: answer.strength, key: keys.join(" "), since, words })
}

/// Tells what is wanted from what was: all of it, and where.
#[must_use]
pub fn digest(wanted: &BTreeMap<ServiceId, Posted>) -> String {
    if wanted.is_empty() { String::new() } else { text::digest(&format!("{wanted:?}")) }
}

/// Keeps at a service what is posted there.
#[must_use]
pub fn hear(posted: &Posted, situation: &Situation) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    let known = &situation.posted.value;
    let same = Posted { look: known.look, ..posted.clone() } == *known;
    if !same && known.look <= posted.look {
        decisions.put(Record::Posted(posted.clone()), situation.posted.rev);
    }
    decisions
}

#[cfg(test)]
#[path = "posted_tests.rs"]
mod tests;
