//! Merges of which somebody told no more than where: the forge is asked who merged what. Nobody waits for its answer:
//! the errand is kept in the first service concerned, and run until the forge answers or has been asked often enough.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decision::{Decisions, Record, RecordKey, Wake};
use crate::ids::{Commit, Repository, ServiceId};
use crate::on_deploy::asked_again_at;
use crate::reason::Reason;
use crate::situation::Situation;

/// So many errands are run at a look.
pub const MOST_AT_ONCE: usize = 20;
/// So many are kept in one service: each is over within the hour, and a sender may send anything.
pub const MOST: usize = 200;

/// Somebody told that a change was merged, and neither by whom nor what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    pub repository: Repository,
    pub which: Which,
    /// Whose forge it is, where that was told: the name under which it has its accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forge: Option<String>,
    /// When it was told to have happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// What the change was called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    Number(u64),
    Commit(Commit),
    /// Neither: it may be the branch that was merged. One line, bounded.
    Named(String),
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Commit(commit) => write!(f, "{commit}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// A question to the forge: who merged this, and what is it?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    pub repository: Repository,
    pub which: Which,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forge: Option<String>,
    /// When the merge was told to have happened.
    pub at: Timestamp,
    /// How often the forge was asked in vain, and when last; before that, when this was kept.
    pub tries: u32,
    pub last: Timestamp,
}

impl Errand {
    #[must_use]
    pub fn new(told: Unread, now: Timestamp) -> Self {
        let Unread { repository, which, forge, at } = told;
        Self { repository, which, forge, at: at.unwrap_or(now), tries: 0, last: now }
    }

    /// Its name in the working set: however often the same merge is told, there is one.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}:{}", self.repository, self.which)
    }

    /// When the forge is asked, or asked again.
    #[must_use]
    pub fn due_at(&self) -> Timestamp {
        if self.tries == 0 { self.last } else { asked_again_at(self.tries, self.last).unwrap_or(self.last) }
    }

    /// How people call the change, as far as is known.
    #[must_use]
    pub fn label(&self) -> String {
        let repository = self.repository.short();
        match &self.which {
            Which::Number(number) => format!("{repository}#{number}"),
            Which::Commit(commit) => format!("{repository}@{}", commit.short()),
            Which::Named(name) => format!("{repository}, {name}"),
        }
    }
}

/// Keeps an errand, unless it is kept already. `None`: there are too many.
#[must_use]
pub fn noted(errand: &Errand, situation: &Situation, now: Timestamp) -> (Decisions, Option<Reason>) {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    if situation.errands.contains_key(&errand.key()) {
        return (decisions, Some(Reason::AlreadyKnown));
    }
    if situation.errands.len() >= MOST {
        return (decisions, None);
    }
    decisions.log(now, None, None, format!("{} was merged", errand.label()), Reason::MergeToBeRead);
    decisions.put(Record::Errand(errand.clone()), 0);
    (decisions, Some(Reason::MergeToBeRead))
}

/// The errands that are due, the longest waiting first.
#[must_use]
pub fn due(situation: &Situation, now: Timestamp) -> Vec<Errand> {
    let mut due: Vec<&Errand> = situation.errands.values().map(|e| &e.value).filter(|e| e.due_at() <= now).collect();
    due.sort_by_key(|errand| (errand.due_at(), errand.key()));
    due.into_iter().take(MOST_AT_ONCE).cloned().collect()
}

/// The errand is over: its change was kept, or there was a reason not to. `Err`: why the forge did not answer; it is
/// asked again, but not for ever.
#[must_use]
pub fn answered(
    errand: &Errand,
    answer: Result<Reason, String>,
    service: &ServiceId,
    situation: &Situation,
    now: Timestamp,
) -> Decisions {
    let mut decisions = Decisions::none(service, Wake::Now);
    let Some(known) = situation.errands.get(&errand.key()) else { return decisions };
    let asked = format!("asked the forge about {}", errand.label());
    let why = match answer {
        Ok(reason) => {
            decisions.log(now, None, None, asked, reason);
            decisions.drop_record(RecordKey::Errand(errand.key()), known.rev);
            return decisions;
        }
        Err(why) => why,
    };
    let tried = Errand { tries: known.value.tries.saturating_add(1), last: now, ..known.value.clone() };
    if asked_again_at(tried.tries, now).is_some() {
        decisions.log(now, None, None, asked, Reason::MergeUnread { why });
        decisions.put(Record::Errand(tried), known.rev);
    } else {
        let what = format!("{asked} for the last time: no window of it");
        decisions.log(now, None, None, what, Reason::MergeUnread { why });
        decisions.drop_record(RecordKey::Errand(errand.key()), known.rev);
    }
    decisions
}

#[cfg(test)]
#[path = "errands_tests.rs"]
mod tests;
