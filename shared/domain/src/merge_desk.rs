//! The merge side of freezes: what stands at the open pull requests of one repository. Each repository has a desk of its own, kept
//! as if it were a service: what the desk of freezes has posted there ([`crate::posted`]), which pull requests are open, and what
//! was told about each. The forge is asked and told by `on-schedule`.
//!
//! A status stands at the newest commit of each; a comment is left once, and only where somebody works on the pull request while
//! the freeze is on.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::decision::{Decisions, Record, Wake};
use crate::freeze::Strength;
use crate::ids::{Commit, PersonId};
use crate::login::Login;
use crate::message::Subject;
use crate::paging::Unread;
use crate::posted::Posted;
use crate::pull::{MergeStatus, OpenPull, PullEvent};
use crate::reason::Reason;
use crate::roster::Roster;
use crate::situation::Situation;
use crate::text;

use words::{NONE, comment, wanted};

/// So many pull requests are kept, the newest ones.
pub const MOST: usize = 200;
/// When what a forge refused for one of them is tried again.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
const A_DAY: SignedDuration = SignedDuration::from_hours(24);
/// So many are told about at a look.
const MOST_AT_ONCE: usize = 20;

/// What holds for merges into a repository, in the words that stand at its pull requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merging {
    /// Absent: it is ahead, and nothing stands there yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<Strength>,
    /// Which times of which freezes.
    pub key: String,
    pub since: Timestamp,
    /// `Merge freeze until Mon 09:00 (America/New_York): gratitude week`
    pub words: String,
}

/// What is kept of a repository's open pull requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulls {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open: BTreeMap<u64, Open>,
    /// For which times the forge was asked what is open.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub listed_for: String,
    /// Why it does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Unread>,
    /// Why it takes no comments at those that are merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent: Option<Unread>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    pub head: Commit,
    pub author: Login,
    /// When somebody did something to it, as far as we heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
    /// What stands at which commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<(Commit, MergeStatus)>,
    /// Since when its forge refuses what should stand at this commit: it alone is left alone for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<(Commit, Timestamp)>,
    /// For which times a comment was left.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub commented: String,
}

/// What is asked of, or told to, the forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Which are open?
    List {
        key: String,
    },
    Tell {
        number: u64,
        head: Commit,
        status: MergeStatus,
    },
    Comment {
        number: u64,
        key: String,
        text: String,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Listed(Vec<OpenPull>),
    Done,
    /// It does not take it for this pull request.
    Refused(String),
    /// It does not answer, or takes nothing.
    Nothing(String),
}

/// How a repository's source wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// A status stands only while there is a freeze, and says so when it is over.
    DuringFreezes,
    /// One stands always: it is a required check.
    Always,
}

/// What has to be asked and told now, the list first.
#[must_use]
pub fn plan(situation: &Situation, manner: Manner, board: &str, now: Timestamp) -> Vec<Ask> {
    let (pulls, posted) = (&situation.pulls.value, &situation.posted.value);
    if pulls.failed.as_ref().is_some_and(|failed| now < failed.try_again_at()) {
        return Vec::new();
    }
    if let Some(key) = list_for(posted, manner, now).filter(|key| *key != pulls.listed_for) {
        return vec![Ask::List { key }];
    }
    let mut asks = Vec::new();
    for (number, open) in &pulls.open {
        if let Some(status) = wanted(*number, open, posted, manner, board)
            && open.told.as_ref() != Some(&(open.head.clone(), status.clone()))
            && open.refused.as_ref().is_none_or(|(head, at)| *head != open.head || *at + AGAIN <= now)
        {
            asks.push(Ask::Tell { number: *number, head: open.head.clone(), status });
        }
        if let Some((key, text)) = comment(*number, open, posted) {
            asks.push(Ask::Comment { number: *number, key, text });
        }
    }
    asks.truncate(MOST_AT_ONCE);
    asks
}

/// For which times it has to be known what is open: those of a freeze; where a status stands always, each day too.
fn list_for(posted: &Posted, manner: Manner, now: Timestamp) -> Option<String> {
    let day = || now.to_zoned_datetime(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%d").to_string();
    let frozen = posted.merging.as_ref().map(|merging| merging.key.clone());
    frozen.or_else(|| (manner == Manner::Always).then(day))
}

/// When there is something to do.
#[must_use]
pub fn due_at(situation: &Situation, manner: Manner, board: &str, now: Timestamp) -> Option<Timestamp> {
    let failed = situation.pulls.value.failed.as_ref().map(Unread::try_again_at).filter(|at| *at > now);
    let refused = situation.pulls.value.open.values().filter_map(|open| open.refused.as_ref());
    let again = refused.map(|(_, at)| *at + AGAIN).filter(|at| *at > now).min();
    let tomorrow = (manner == Manner::Always && !situation.pulls.value.listed_for.is_empty()).then(|| now + A_DAY);
    let due = || (!plan(situation, manner, board, now).is_empty()).then_some(now);
    failed.or_else(due).or(again).or(tomorrow)
}

/// A forge tells of an open pull request. `None`: it says nothing new, or nothing that is kept.
#[must_use]
pub fn told(event: &PullEvent, situation: &Situation, manner: Manner) -> Decisions {
    let mut pulls = situation.pulls.value.clone();
    let frozen = situation.posted.value.merging.is_some();
    match event {
        PullEvent::Open(pull, at) => {
            // Nothing stands there, and nothing has to.
            if !frozen && manner == Manner::DuringFreezes && !pulls.open.contains_key(&pull.number) {
                return Decisions::none(&situation.service, Wake::Now);
            }
            let heard = Some(*at);
            match pulls.open.get_mut(&pull.number) {
                Some(known) if known.heard_at.is_some_and(|known| known > *at) => {}
                Some(known) => (known.head, known.heard_at) = (pull.head.clone(), heard),
                None => drop(pulls.open.insert(pull.number, opened(pull, heard))),
            }
        }
        PullEvent::Gone { number, .. } => drop(pulls.open.remove(number)),
        PullEvent::Expedite { .. } | PullEvent::NoExpedite { .. } => {}
    }
    keep(situation, pulls, None)
}

fn opened(pull: &OpenPull, heard_at: Option<Timestamp>) -> Open {
    Open {
        head: pull.head.clone(),
        author: pull.author.clone(),
        heard_at,
        told: None,
        refused: None,
        commented: String::new(),
    }
}

/// Keeps what came of asking.
#[must_use]
pub fn hear(ask: &Ask, said: &Said, situation: &Situation, now: Timestamp) -> Decisions {
    let mut pulls = situation.pulls.value.clone();
    if let Said::Nothing(why) = said {
        let why = text::line(why, 160);
        let first = pulls.failed.is_none();
        let since = pulls.failed.as_ref().map_or(now, |failed| failed.since);
        pulls.failed = Some(Unread { since, last: now, why: why.clone() });
        let line = ("the forge does not take what stands at open pull requests", Reason::StatusUntold { why });
        return keep(situation, pulls, first.then_some((now, line)));
    }
    pulls.failed = None;
    if let (Ask::Tell { number, head, .. }, Said::Refused(why)) = (ask, said) {
        let Some(open) = pulls.open.get_mut(number) else { return keep(situation, pulls, None) };
        let first = open.refused.is_none();
        open.refused = Some((head.clone(), now));
        let line = (
            "the forge does not take what should stand at an open pull request",
            Reason::StatusUntold { why: text::line(why, 160) },
        );
        return keep(situation, pulls, first.then_some((now, line)));
    }
    match (ask, said) {
        (Ask::List { key }, Said::Listed(listed)) => {
            pulls.listed_for.clone_from(key);
            let open: BTreeSet<u64> = listed.iter().map(|pull| pull.number).collect();
            // What is open no more leaves, unless we heard of it since it was asked; a long list is cut.
            let whole = listed.len() < MOST;
            // Heard of since it was asked (`now` is when that was) it is newer than the list.
            pulls
                .open
                .retain(|number, known| !whole || open.contains(number) || known.heard_at.is_some_and(|at| at >= now));
            for pull in listed {
                let known = pulls.open.entry(pull.number).or_insert_with(|| opened(pull, None));
                if known.heard_at.is_none_or(|at| at < now) {
                    known.head = pull.head.clone();
                }
            }
        }
        (Ask::Tell { number, head, status }, _) => {
            if let Some(open) = pulls.open.get_mut(number) {
                (open.told, open.refused) = (Some((head.clone(), status.clone())), None);
            }
        }
        (Ask::Comment { number, key, .. }, _) => {
            if let Some(open) = pulls.open.get_mut(number) {
                open.commented.clone_from(key);
            }
        }
        (Ask::List { .. }, _) => {}
    }
    keep(situation, pulls, None)
}

fn keep(situation: &Situation, mut pulls: Pulls, line: Option<(Timestamp, (&str, Reason))>) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    while pulls.open.len() > MOST {
        // First those at which nothing stands that would have to be corrected.
        let free =
            pulls.open.iter().find(|(_, open)| open.told.as_ref().is_none_or(|(_, status)| status.words == NONE));
        let leaves = free.or_else(|| pulls.open.first_key_value()).map(|(number, _)| *number);
        leaves.into_iter().for_each(|number| drop(pulls.open.remove(&number)));
    }
    if situation.posted.value.merging.is_none() {
        // Once nothing is to be said of it any more it need not be known.
        pulls.open.retain(|_, open| {
            open.told.as_ref().is_none_or(|(head, status)| *head != open.head || status.words != NONE)
        });
    }
    if let Some((now, (what, reason))) = line {
        decisions.log(now, Some(Subject::Service), None, what.to_owned(), reason);
    }
    if pulls != situation.pulls.value {
        decisions.put(Record::Pulls(pulls), situation.pulls.rev);
    }
    decisions
}

/// Who made what is open, of those who can be told something.
#[must_use]
pub fn authors(listed: &[OpenPull], roster: &Roster) -> BTreeSet<PersonId> {
    let known = listed.iter().filter_map(|pull| roster.by_login(&pull.author));
    known.filter(|person| !person.is_outside()).map(|person| person.id.clone()).collect()
}

#[cfg(test)]
#[path = "merge_desk_tests.rs"]
mod tests;
