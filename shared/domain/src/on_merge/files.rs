//! Which files a change touches, and how many lines of each: what the merge's own report lists, else what the forge
//! says when it is asked. Nobody waits for its answer: it is kept beside the change when it comes.

use jiff::Timestamp;

use crate::change::{Asked, Change, ChangeKind, Files};
use crate::decision::{Decisions, Record, Wake};
use crate::ids::{ChangeId, Repository, ServiceId};
use crate::message::Subject;
use crate::on_deploy::asked_again_at;
use crate::reason::Reason;
use crate::service::Service;
use crate::situation::Situation;

/// So many questions are put to the forges at a look.
pub const MOST_QUESTIONS: usize = 20;

/// A question to the forge: which files does this change touch, and how many lines of each?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesQuestion {
    pub service: ServiceId,
    pub change: ChangeId,
    pub kind: ChangeKind,
    /// Where the merger's account is, which tells forges apart that have a repository of the same name.
    pub forge: String,
}

/// The changes of the working set whose lines nobody has told yet, the newest first. `known`: whether there is a forge
/// to ask about a repository.
#[must_use]
pub fn questions(
    situation: &Situation,
    service: &Service,
    known: &dyn Fn(&Repository) -> bool,
    now: Timestamp,
) -> Vec<FilesQuestion> {
    let open = |change: &&Change| {
        if !known(&change.id.repository) {
            return false;
        }
        let files = situation.files.get(&change.id).map(|f| &f.value);
        // What touches other paths only is not this service's: it stays closed, whatever its lines.
        service.touched_by(&change.id.repository, files) && files.is_none_or(|files| is_open(files, change.kind, now))
    };
    let mut changes: Vec<&Change> = situation.changes.values().map(|c| &c.value).filter(open).collect();
    changes.sort_by(|a, b| b.order().cmp(&a.order()));
    let question = |change: &Change| FilesQuestion {
        service: service.id.clone(),
        change: change.id.clone(),
        kind: change.kind,
        forge: change.merger.login.forge().to_owned(),
    };
    changes.into_iter().take(MOST_QUESTIONS).map(question).collect()
}

fn is_open(files: &Files, kind: ChangeKind, now: Timestamp) -> bool {
    match files.asked {
        Asked::Not => files.lines.is_empty(),
        Asked::Unanswered { .. } => retry_at(files).is_some_and(|at| at <= now),
        Asked::Told { of } => of != kind,
    }
}

/// When the forge is asked again.
#[must_use]
pub fn retry_at(files: &Files) -> Option<Timestamp> {
    match files.asked {
        Asked::Unanswered { tries, last } => asked_again_at(tries, last),
        Asked::Not | Asked::Told { .. } => None,
    }
}

/// Keeps what the forge told. `Err`: why it did not.
#[must_use]
pub fn answered(
    question: &FilesQuestion,
    answer: Result<Files, String>,
    situation: &Situation,
    now: Timestamp,
) -> Decisions {
    let mut decisions = Decisions::none(&question.service, Wake::Now);
    let Some(change) = situation.changes.get(&question.change) else {
        return decisions;
    };
    let known = situation.files.get(&question.change);
    let before = known.map(|k| k.value.clone()).unwrap_or_default();
    let told = Asked::Told { of: question.kind };
    let (files, reason) = match answer {
        // Somebody else has asked meanwhile.
        Err(_) if before.asked == told => return decisions,
        Ok(answer) => {
            let whole = matches!(question.kind, ChangeKind::PullRequest { .. }) && !answer.paths.is_empty();
            // A push has more commits than the one that was asked about: what it listed stays.
            let files = if whole { answer } else { answer.and(&before) };
            let reason = Reason::FilesTold { files: files.paths.len() };
            (Files { asked: told, ..files }, reason)
        }
        Err(why) => {
            let tries = match before.asked {
                Asked::Unanswered { tries, .. } => tries.saturating_add(1),
                Asked::Not | Asked::Told { .. } => 1,
            };
            (Files { asked: Asked::Unanswered { tries, last: now }, ..before }, Reason::FilesUnanswered { why })
        }
    };
    let what = format!("asked for the files of {}", change.value.label());
    decisions.log(now, Some(Subject::Change(question.change.clone())), None, what, reason);
    decisions.put(Record::Files(question.change.clone(), files), known.map_or(0, |k| k.rev));
    decisions
}

/// Keeps what a later report of a known change lists; what the forge told when it was asked is better.
#[must_use]
pub fn listed(change: &ChangeId, files: &Files, situation: &Situation) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    if !situation.changes.contains_key(change) {
        return decisions;
    }
    let known = situation.files.get(change);
    let kept = match known.map(|k| k.value.asked) {
        Some(Asked::Told { .. }) => return decisions,
        Some(asked @ Asked::Unanswered { .. }) => Files { asked, ..files.clone() },
        Some(Asked::Not) | None => files.clone(),
    };
    if known.is_none_or(|known| known.value != kept) {
        decisions.put(Record::Files(change.clone(), kept), known.map_or(0, |k| k.rev));
    }
    decisions
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
