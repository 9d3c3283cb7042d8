//! The pipelines that are asked to hold while a service's deployments are frozen. What we held we let go, and nothing else; what
//! people open again by hand stays open.
//!
//! What is to be held is kept before the pipeline is asked, so that whoever comes after a crash knows of it: a pipeline that was
//! held a moment before is found, and let go when its freeze is over. The pipelines are asked by `on-schedule`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::decision::{Decisions, Record, Wake};
use crate::gates::Gate;
use crate::ids::PersonId;
use crate::message::Subject;
use crate::paging::Unread;
use crate::reason::Reason;
use crate::service::{Frozen, Pipeline, Service};
use crate::situation::Situation;
use crate::text;

/// How often it is seen whether a pipeline still stands as it did.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// What waited in a stage of CodePipeline for longer does not go on by itself.
const STAYS_AFTER: SignedDuration = SignedDuration::from_hours(24 * 30);
/// For how long a pipeline is opened for a fix, unless a deployment begins before.
pub const LET_THROUGH: SignedDuration = SignedDuration::from_mins(30);

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

/// Keeps what a pipeline said when it was asked.
#[must_use]
pub fn hear(pipeline: &Pipeline, ask: &Ask, said: &Said, situation: &Situation, now: Timestamp) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    let mut next = situation.pipelines.value.clone();
    let name = pipeline.to_string();
    if let (Ask::Hold { freeze, from, until }, Said::Ours, None) = (ask, said, next.held.get(&name)) {
        // Asked before the freeze ended, it held after: the next look lets it go.
        let (freeze, from, until) = (freeze.clone(), *from, *until);
        let (stands, seen_at, told_silent, failed) = (Stands::Held, now, false, None);
        next.held.insert(name, Held { freeze, from, until, stands, seen_at, told_silent, failed });
        keep(&mut decisions, situation, next);
        return decisions;
    }
    let Some(held) = next.held.get_mut(&name) else { return decisions };
    let before = held.clone();
    let first_failure = held.failed.is_none();
    (held.seen_at, held.failed) = (now, None);
    held.told_silent &= matches!(said, Said::Nothing(_));
    let mut line: Option<(String, Reason)> = None;
    match (ask, said) {
        (_, Said::Nothing(why)) => {
            let why = text::line(why, 160);
            let since = before.failed.as_ref().map_or(now, |failed| failed.since);
            held.failed = Some(Unread { since, last: now, why: why.clone() });
            held.seen_at = before.seen_at;
            let what = format!("the pipeline {name} does not answer");
            line = first_failure.then(|| (what, Reason::PipelineSilent { pipeline: name.clone(), why }));
        }
        (Ask::LetGo, Said::Open | Said::Theirs(_) | Said::Ours) => {
            line = let_go(&name, &before, said, now);
            if *said == Said::Ours {
                // It did not let go: asked again.
                held.failed = Some(Unread { since: now, last: now, why: "it still holds".to_owned() });
            } else {
                next.held.remove(&name);
            }
        }
        (Ask::Hold { .. } | Ask::Look, Said::Ours) => {
            held.stands = Stands::Held;
            if before.stands != Stands::Held {
                let freeze = held.freeze.clone();
                line = Some((
                    format!("the pipeline {name} holds"),
                    Reason::PipelineHeld { pipeline: name.clone(), freeze },
                ));
            }
        }
        (Ask::Hold { .. } | Ask::Look, Said::Theirs(why)) => {
            let why = text::line(why, 160);
            if !matches!(before.stands, Stands::Theirs { .. }) {
                let what = format!("the pipeline {name} is held by somebody else");
                line = Some((what, Reason::PipelineTheirs { pipeline: name.clone(), why: why.clone() }));
            }
            held.stands = Stands::Theirs { why };
        }
        (Ask::Look, Said::Open) if before.stands == Stands::Held => {
            held.stands = Stands::Opened;
            let what = format!("somebody opened the pipeline {name}: it stays open");
            line = Some((what, Reason::PipelineOpened { pipeline: name.clone() }));
        }
        // Whoever held it has let it go, or it did not hold: it is asked once more.
        (Ask::Hold { .. } | Ask::Look, Said::Open) => held.stands = Stands::Wanted,
    }
    if let Some((what, reason)) = line {
        decisions.log(now, Some(Subject::Service), None, what, reason);
    }
    keep(&mut decisions, situation, next);
    decisions
}

fn let_go(name: &str, before: &Held, said: &Said, now: Timestamp) -> Option<(String, Reason)> {
    let pipeline = name.to_owned();
    match said {
        Said::Open => {
            let long = now.duration_since(before.from) > STAYS_AFTER;
            let stays = "; what waited there for more than 30 days may have to be released by hand";
            let what = format!("the pipeline {name} goes on{}", if long { stays } else { "" });
            Some((what, Reason::PipelineLetGo { pipeline }))
        }
        Said::Theirs(why) => {
            let what = format!("the pipeline {name} is left as it is: somebody else holds it");
            Some((what, Reason::PipelineTheirs { pipeline, why: text::line(why, 160) }))
        }
        Said::Ours | Said::Nothing(_) => None,
    }
}

fn keep(decisions: &mut Decisions, situation: &Situation, next: Pipelines) {
    if next != situation.pipelines.value {
        decisions.put(Record::Pipelines(next), situation.pipelines.rev);
    }
}

#[cfg(test)]
#[path = "pipelines_tests.rs"]
mod tests;
