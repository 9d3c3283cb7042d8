//! What a pipeline said, kept: whether it holds, whose that is, and what became of it.

use jiff::{SignedDuration, Timestamp};

use super::{Ask, Held, Said, Stands, keep};
use crate::decision::{Decisions, Wake};
use crate::message::Subject;
use crate::paging::Unread;
use crate::reason::Reason;
use crate::service::Pipeline;
use crate::situation::Situation;
use crate::text;

/// What waited in a stage of CodePipeline for longer does not go on by itself.
const STAYS_AFTER: SignedDuration = SignedDuration::from_hours(24 * 30);

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
