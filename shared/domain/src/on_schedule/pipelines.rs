//! The clock of pipelines that are to hold: when they are asked again, and who hears that one cannot be reached.

use jiff::SignedDuration;

use super::{Next, REPUBLISH};
use crate::decision::{Decisions, Record};
use crate::gates;
use crate::ids::PersonId;
use crate::notices::Look;
use crate::paging::Unread;
use crate::pipelines::{Stands, due_at};
use crate::wording::{Reader, pipelines as words};

/// How long a pipeline that is to hold may not answer before somebody is told.
const SILENT: SignedDuration = SignedDuration::from_mins(5);

pub(super) fn look(decisions: &mut Decisions, next: &mut Next, look: &Look<'_>) {
    let (situation, service, now) = (look.situation, look.service, look.now);
    let gates = look.settings.answers_jobs.then(|| gates::due_at(situation, now)).flatten();
    if let Some(at) = due_at(situation, service, &look.settings.pipelines, now).into_iter().chain(gates).min() {
        // What is due now is done after this look; should that fail, the tick comes again.
        next.at(at.max(now + REPUBLISH));
    }
    let known = &situation.pipelines;
    let mut pipelines = known.value.clone();
    let people: Vec<&PersonId> = service.last_resort().into_iter().chain(&service.channel).collect();
    for (name, held) in &mut pipelines.held {
        let gone = crate::service::Pipeline::parse(name).is_none_or(|one| !look.settings.pipelines.contains(&one.at));
        if gone && held.failed.is_none() {
            let why = "it is not in the configuration any more".to_owned();
            held.failed = Some(Unread { since: now - SILENT, last: now, why });
        }
        let Some(failed) = held.failed.as_ref().filter(|_| !held.told_silent && held.stands != Stands::Opened) else {
            continue;
        };
        let at = failed.since + SILENT;
        if now < at {
            next.at(at);
        } else if decisions.room() < people.len() + 2 {
            next.at(now);
        } else {
            for person in &people {
                let reader = Reader { settings: look.settings, service, person, now };
                decisions.tell(words::silent(reader, name, held, &failed.why, service.frozen_at(now).is_some()));
            }
            held.told_silent = true;
        }
    }
    if pipelines != known.value {
        decisions.put(Record::Pipelines(pipelines), known.rev);
    }
}

#[cfg(test)]
#[path = "pipelines_tests.rs"]
mod tests;
