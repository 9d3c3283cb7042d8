//! The pipelines that are asked to hold while a service's deployments are frozen. What we held we let go, and nothing else; what
//! people open again by hand stays open.
//!
//! What is to be held is kept before the pipeline is asked, so that whoever comes after a crash knows of it: a pipeline that was
//! held a moment before is found, and let go when its freeze is over. The pipelines are asked by `on-schedule`.

mod heard;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::decision::{Decisions, Record, Wake};
use crate::gates::Gate;
use crate::ids::PersonId;
use crate::paging::Unread;
use crate::service::{Frozen, Pipeline, Service};
use crate::situation::Situation;

/// How often it is seen whether a pipeline still stands as it did.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// For how long a pipeline is opened for a fix, unless a deployment begins before.
pub const LET_THROUGH: SignedDuration = SignedDuration::from_mins(30);

pub use heard::hear;

/// What is kept of a service's pipelines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipelines {
    /// By what the configuration calls each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<String, Held>,
    /// Opened for a fix that may pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Through>,
    /// The jobs that wait until we say that they may go on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// When one of them was last told that it may go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
}

/// One pipeline that is to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The freeze's name.
    pub freeze: String,
    /// The freeze's own times.
    pub from: Timestamp,
    pub until: Timestamp,
    pub stands: Stands,
    /// When that was last seen.
    pub seen_at: Timestamp,
    /// Whether somebody was told that it does not answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told_silent: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Unread>,
}

/// How a pipeline stands, as far as we know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// To be held; whether it is, whoever asks it finds out.
    Wanted,
    /// Held by us.
    Held,
    /// Held by somebody else before we came.
    Theirs { why: String },
    /// Held by us until somebody opened it: that is theirs to say.
    Opened,
}

/// A pipeline is open for a while, by somebody's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Through {
    pub by: PersonId,
    pub from: Timestamp,
    pub until: Timestamp,
    /// The fix it is opened for.
    pub label: String,
}

/// What is asked of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    Hold {
        freeze: String,
        from: Timestamp,
        until: Timestamp,
    },
    LetGo,
    /// How does it stand?
    Look,
}

/// What a pipeline said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Open,
    /// Held, by us.
    Ours,
    Theirs(String),
    /// Nothing, and why.
    Nothing(String),
}

/// The freeze for which deployments of the service have to wait at `now`, unless a fix is let through.
fn wanted(situation: &Situation, service: &Service, now: Timestamp) -> Option<Frozen> {
    service.frozen_at(now).filter(|_| open_until(situation, service, now).is_none())
}

/// Until when the pipelines are open for a fix: until a deployment begins, or the time is up.
#[must_use]
pub fn open_until(situation: &Situation, service: &Service, now: Timestamp) -> Option<Timestamp> {
    let through = situation.pipelines.value.through.as_ref().filter(|through| now < through.until)?;
    let live = &service.live_environment()?.name;
    let began = |d: &crate::Deployment| {
        d.key.environment == *live && d.created_at >= through.from && (d.live_since().is_some() || d.has_failed())
    };
    (!situation.deployments.values().any(|noted| began(&noted.value))).then_some(through.until)
}

fn look_at(held: &Held) -> Option<Timestamp> {
    if let Some(failed) = &held.failed {
        return Some(failed.try_again_at());
    }
    match held.stands {
        Stands::Wanted => Some(held.seen_at),
        Stands::Held | Stands::Theirs { .. } => Some(held.seen_at + LOOK_EVERY),
        Stands::Opened => None,
    }
}

/// When a pipeline has to be asked, by what is known now.
#[must_use]
pub fn due_at(situation: &Situation, service: &Service, known: &BTreeSet<String>, now: Timestamp) -> Option<Timestamp> {
    if service.holds.is_empty() && situation.pipelines.value.held.is_empty() {
        return None;
    }
    let (_, asks) = plan(situation, service, known, now);
    if !asks.is_empty() {
        return Some(now);
    }
    let looks = situation.pipelines.value.held.values().filter_map(look_at);
    let turns = service.frozen_next(now).into_iter().chain(open_until(situation, service, now));
    looks.chain(turns).filter(|at| *at > now).min()
}

/// What is to be held is kept, and what has to be asked for it returned. `known`: where pipelines can be asked at all.
#[must_use]
pub fn plan(
    situation: &Situation,
    service: &Service,
    known: &BTreeSet<String>,
    now: Timestamp,
) -> (Decisions, Vec<(Pipeline, Ask)>) {
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let mut next = situation.pipelines.value.clone();
    let mut asks = Vec::new();
    let wanted = wanted(situation, service, now);
    for pipeline in &service.holds {
        let Some(Frozen { name: freeze, from, until }) = &wanted else { break };
        let fresh = || Held {
            freeze: freeze.clone(),
            from: *from,
            until: *until,
            stands: Stands::Wanted,
            seen_at: now,
            told_silent: false,
            failed: None,
        };
        let held = next.held.entry(pipeline.to_string()).or_insert_with(fresh);
        let moved = held.until != *until || held.freeze != *freeze;
        if moved && held.stands != Stands::Opened {
            (held.from, held.until, held.freeze) = (*from, *until, freeze.clone());
            // What was held says so at the pipeline; some let go by themselves at the time that they were told.
            if held.stands == Stands::Held {
                held.stands = Stands::Wanted;
                held.seen_at = now;
            }
        }
        if look_at(held).is_some_and(|at| at <= now) {
            let hold = Ask::Hold { freeze: held.freeze.clone(), from: held.from, until: held.until };
            asks.push((pipeline.clone(), if held.stands == Stands::Wanted { hold } else { Ask::Look }));
        }
    }
    let mut gone = Vec::new();
    for (name, held) in &next.held {
        let Some(pipeline) = Pipeline::parse(name) else { continue };
        if wanted.is_some() && service.holds.contains(&pipeline) {
            continue;
        }
        match held.stands {
            Stands::Wanted | Stands::Held if held.failed.as_ref().is_none_or(|f| f.try_again_at() <= now) => {
                asks.push((pipeline, Ask::LetGo));
            }
            Stands::Wanted | Stands::Held => {}
            Stands::Theirs { .. } | Stands::Opened => gone.push(name.clone()),
        }
    }
    gone.iter().for_each(|name| drop(next.held.remove(name)));
    if next.through.as_ref().is_some_and(|through| through.until <= now) {
        next.through = None;
    }
    keep(&mut decisions, situation, next);
    // What nobody can ask any more is told of; see `crate::on_schedule`.
    asks.retain(|(pipeline, _)| known.contains(&pipeline.at));
    (decisions, asks)
}

/// Of a service that the configuration has no more: all that we hold is let go.
#[must_use]
pub fn all_let_go(situation: &Situation, now: Timestamp) -> Vec<(Pipeline, Ask)> {
    let ours = |held: &Held| matches!(held.stands, Stands::Wanted | Stands::Held);
    let due = |held: &Held| held.failed.as_ref().is_none_or(|failed| failed.try_again_at() <= now);
    let all = situation.pipelines.value.held.iter().filter(|(_, held)| ours(held) && due(held));
    all.filter_map(|(name, _)| Some((Pipeline::parse(name)?, Ask::LetGo))).collect()
}

fn keep(decisions: &mut Decisions, situation: &Situation, next: Pipelines) {
    if next != situation.pipelines.value {
        decisions.put(Record::Pipelines(next), situation.pipelines.rev);
    }
}

#[cfg(test)]
#[path = "pipelines_tests.rs"]
mod tests;
