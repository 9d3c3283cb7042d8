//! Jobs of a pipeline that wait until we say that they may go on (GitHub's deployment protection rules). What the freezes allow
//! goes on; the rest is told why it waits, and goes on when it may. None is ever refused, since that would fail the run.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::carried::Carried;
use crate::decision::{Decisions, Record, Wake};
use crate::expedite::{self, Granted, Standing};
use crate::freeze::{Freezes, Question, Side};
use crate::ids::{Commit, EnvironmentName, Repository, ServiceId};
use crate::message::Subject;
use crate::paging::Unread;
use crate::reason::Reason;
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::text;
use crate::wording::freezes::line;

/// So many wait in one service at most; the oldest are forgotten first, and stay at the forge.
pub const MOST: usize = 100;
/// A job waits for thirty days, then it fails by itself.
pub const LASTS: SignedDuration = SignedDuration::from_hours(24 * 30);
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// So often it may be said why it waits: GitHub takes ten such reports of one deployment.
const MOST_SAID: u8 = 5;

/// What a pipeline tells of a job that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub repository: Repository,
    /// The workflow run.
    pub run: u64,
    /// As the pipeline calls it.
    pub environment: String,
    pub commit: Commit,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The source that told of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The installation of the App whose rule it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<u64>,
}

/// One that waits, in a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    pub waiting: Waiting,
    pub environment: EnvironmentName,
    pub heard_at: Timestamp,
    /// How often it was told of again.
    #[serde(default)]
    pub again: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Timestamp>,
    /// What was said last of why it waits, and how often.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub said: String,
    #[serde(default)]
    pub times: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Unread>,
}

/// What is to be told to the pipeline about one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tell {
    pub gate: Gate,
    pub may: bool,
    pub words: String,
}

/// Keeps one that waits, once.
#[must_use]
pub fn told(waiting: &Waiting, environment: &EnvironmentName, situation: &Situation, now: Timestamp) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    let mut pipelines = situation.pipelines.value.clone();
    let same = |gate: &Gate| gate.waiting.run == waiting.run && gate.waiting.environment == waiting.environment;
    if let Some(known) = pipelines.gates.iter_mut().find(|gate| same(gate)) {
        // Another job of the same run: an answer that is under way may be too early for it.
        known.waiting.clone_from(waiting);
        known.again = known.again.wrapping_add(1);
        decisions.put(Record::Pipelines(pipelines), situation.pipelines.rev);
        return decisions;
    }
    pipelines.gates.push(Gate {
        waiting: waiting.clone(),
        environment: environment.clone(),
        heard_at: now,
        again: 0,
        looked_at: None,
        said: String::new(),
        times: 0,
        failed: None,
    });
    let more = pipelines.gates.len().saturating_sub(MOST);
    pipelines.gates.drain(..more);
    decisions.put(Record::Pipelines(pipelines), situation.pipelines.rev);
    decisions
}

/// The services that a job deploys: deny beats allow.
pub fn shares<'a>(waiting: &'a Waiting, settings: &'a Settings) -> impl Iterator<Item = &'a Service> {
    let ours = |service: &&Service| {
        service.deploys(&waiting.repository) && service.environment_called(&waiting.environment).is_some()
    };
    settings.services().filter(ours)
}

/// What is to be told now, what carries least first. `desk`: that of freezes, as it stands; `carried`: what each carries.
#[must_use]
pub fn plan(
    situation: &Situation,
    desk: &Situation,
    service: &Service,
    settings: &Settings,
    carried: &[Option<Carried>],
    now: Timestamp,
) -> Vec<Tell> {
    let freezes = Freezes::of(settings, desk);
    let passing = passing(desk, &freezes, settings, now);
    let pipelines = &situation.pipelines.value;
    let waits = |gate: &Gate| gate.failed.as_ref().is_none_or(|failed| failed.try_again_at() <= now);
    let size = |carried: &Option<Carried>| carried.as_ref().map_or(0, Carried::changes);
    let mut all: Vec<(&Gate, &Option<Carried>)> =
        pipelines.gates.iter().zip(carried).filter(|(gate, _)| waits(gate)).collect();
    all.sort_by_key(|(gate, carried)| (size(carried), gate.heard_at));
    // What is more than a release waits while a smaller one is on its way.
    let mut on_its_way = pipelines.released_at.is_some_and(|at| now < at + service.policy.active);
    let mut tells = Vec::new();
    for (gate, carried) in all {
        let services: Vec<&ServiceId> = shares(&gate.waiting, settings).map(|service| &service.id).collect();
        let question = Question {
            side: Side::Deployments,
            services: if services.is_empty() { vec![&service.id] } else { services },
            repositories: vec![&gate.waiting.repository],
            environment: Some(&gate.environment),
        };
        let answer = freezes.answer(&question, now);
        let passes = carried.as_ref().is_some_and(|carried| carried.all_among(&passing));
        let more = carried.as_ref().and_then(|carried| carried.words(&answer, &passing));
        let batch = carried.as_ref().is_some_and(|carried| carried.first_batch.is_some()) && on_its_way;
        let may = (answer.may() || passes) && !batch;
        let words = match answer.because.first() {
            Some(freeze) if !may && !batch => {
                let line = line(freeze, now);
                format!("It waits: {line}.{}", more.map(|more| format!(" And {more}.")).unwrap_or_default())
            }
            _ if batch => format!("It waits for the release before it: {}.", more.unwrap_or_default()),
            Some(_) if passes => "It may pass the freeze.".to_owned(),
            Some(_) | None => match more {
                Some(more) => format!("No freeze holds it; {more}."),
                None => "No freeze holds it.".to_owned(),
            },
        };
        on_its_way |= may;
        if may || (gate.said != words && gate.times < MOST_SAID) {
            tells.push(Tell { gate: gate.clone(), may, words });
        }
    }
    tells
}

/// The fixes that may pass now.
#[must_use]
pub fn passing(desk: &Situation, freezes: &Freezes<'_>, settings: &Settings, now: Timestamp) -> Vec<Granted> {
    let all = desk.expedites.values().map(|noted| &noted.value);
    let passes = |one: &&expedite::Expedite| {
        let holding = expedite::holding(freezes, settings, &one.repository, now);
        !holding.is_empty() && one.standing(expedite::needs(&holding), now) == Standing::Granted
    };
    all.filter(passes).map(expedite::Expedite::granted).collect()
}

/// Keeps what came of telling. `Err`: why the pipeline did not take it.
#[must_use]
pub fn hear(tell: &Tell, said: &Result<(), String>, situation: &Situation, now: Timestamp) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    let mut pipelines = situation.pipelines.value.clone();
    let of = |gate: &Gate| {
        gate.waiting.run == tell.gate.waiting.run && gate.waiting.environment == tell.gate.waiting.environment
    };
    let Some(at) = pipelines.gates.iter().position(of) else { return decisions };
    let label =
        format!("run {} of {} for {}", tell.gate.waiting.run, tell.gate.waiting.repository, tell.gate.environment);
    let line = match (said, pipelines.gates.get_mut(at)) {
        (Ok(()), Some(gate)) if !tell.may => {
            gate.said.clone_from(&tell.words);
            (gate.times, gate.failed) = (gate.times.saturating_add(1), None);
            let reason = Reason::DeploymentHeld { why: text::line(&tell.words, 160) };
            Some((format!("{label} waits"), reason))
        }
        // Told of again meanwhile: another job of it may have come too late for the answer.
        (Ok(()), Some(gate)) if gate.again != tell.gate.again => {
            gate.failed = None;
            None
        }
        (Ok(()), _) => {
            pipelines.gates.remove(at);
            pipelines.released_at = Some(now);
            Some((format!("{label} goes on"), Reason::DeploymentLetGo))
        }
        // What is not there any more, or was decided by somebody else, is none of ours.
        (Err(why), Some(gate)) if gate.heard_at + LASTS > now => {
            let why = text::line(why, 160);
            let first = gate.failed.is_none();
            let since = gate.failed.as_ref().map_or(now, |failed| failed.since);
            gate.failed = Some(Unread { since, last: now, why: why.clone() });
            first.then(|| {
                (format!("{label} was not told"), Reason::PipelineSilent { pipeline: "github".to_owned(), why })
            })
        }
        (Err(_), _) => {
            pipelines.gates.remove(at);
            None
        }
    };
    if let Some((what, reason)) = line {
        decisions.log(now, Some(Subject::Service), None, what, reason);
    }
    decisions.put(Record::Pipelines(pipelines), situation.pipelines.rev);
    decisions
}

/// When the gates are looked at again: at once for what is new, else every few minutes: what holds them may be about another
/// service or environment, and its end wakes nobody here.
#[must_use]
pub fn due_at(situation: &Situation, now: Timestamp) -> Option<Timestamp> {
    let at = |gate: &Gate| match (&gate.failed, gate.looked_at) {
        (Some(failed), _) => failed.try_again_at(),
        (None, Some(looked_at)) => looked_at + LOOK_EVERY,
        (None, None) => now,
    };
    situation.pipelines.value.gates.iter().map(at).min()
}

/// That they were looked at is kept.
#[must_use]
pub fn looked(situation: &Situation, now: Timestamp) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    let mut pipelines = situation.pipelines.value.clone();
    pipelines.gates.iter_mut().for_each(|gate| gate.looked_at = Some(now));
    if pipelines != situation.pipelines.value {
        decisions.put(Record::Pipelines(pipelines), situation.pipelines.rev);
    }
    decisions
}

#[cfg(test)]
#[path = "gates_tests.rs"]
mod tests;
