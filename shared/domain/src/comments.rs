//! What stands at merged pull requests: one comment at each, edited and not repeated. Each service says what it has to say of a
//! change ([`line`]) to the desk of the change's repository ([`crate::merge_desk`]); the desk keeps what all of them say and what stands
//! at the forge, and says what has to be written there. In words: [`crate::wording::comments`].
//!
//! Who writes marks it first. Where a first comment may have been left and nobody knows, it is looked for before one is left.

pub mod line;
mod writing;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decision::{Decisions, Record, Wake};
use crate::ids::ServiceId;
use crate::situation::Situation;
pub use writing::{MOST_AT_ONCE, begin, due_at, hear, tidy};

use line::{Line, MOST_INCIDENTS, News, Standing};

/// What is kept of one pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    pub lines: BTreeMap<ServiceId, Said>,
    /// When something was first, and last, said of it.
    pub since: Timestamp,
    pub last: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands: Option<Stands>,
    /// Somebody is writing it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Begun>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<GivenUp>,
}

/// What a service says, and as of which look at it: an older one does not write over a newer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub as_of: AsOf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Line>,
}

/// A look at a service: its clock's revision, then the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AsOf(pub u64, pub Timestamp);

/// What stands at the forge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stands {
    pub id: u64,
    pub words: Digests,
    pub at: Timestamp,
}

/// Tell one text from another: all of it, and what matters of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    pub all: String,
    pub gist: String,
}

/// Since when, and since when the first time, it is written; nothing came of it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    pub first: Timestamp,
    pub last: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub times: u32,
    pub last: Timestamp,
}

/// Why nothing more is written at a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenUp {
    /// Its conversation is locked.
    Locked,
    /// Somebody deleted the comment.
    Deleted,
    /// The forge refused it again and again.
    Refused,
}

impl GivenUp {
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Locked => "its conversation is locked",
            Self::Deleted => "somebody deleted the comment",
            Self::Refused => "the forge refused it again and again",
        }
    }
}

/// What is asked of the forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub number: u64,
    pub what: Do,
    pub text: String,
    words: Digests,
    /// When that was said.
    begun: Begun,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Do {
    Leave,
    /// One may have been left since then: it is edited, else one is left.
    FindOrLeave {
        since: Timestamp,
    },
    Edit {
        id: u64,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It stands there, under this name.
    Stands(u64),
    Locked,
    Deleted,
    /// Not this one.
    Refused(String),
    /// It does not answer, or takes nothing.
    Nothing(String),
    /// It was not asked: it takes nothing just now.
    NotAsked,
}

/// Services say this of changes of the desk's repository.
#[must_use]
pub fn told(news: &[News], service: &ServiceId, as_of: AsOf, situation: &Situation, now: Timestamp) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    for one in news {
        let known = situation.comments.get(&one.number);
        let said = known.and_then(|known| known.value.lines.get(service));
        let nothing = one.line.is_none() && said.is_none();
        if nothing || said.is_some_and(|said| said.as_of >= as_of) {
            continue;
        }
        let mut comment = known.map_or_else(|| Comment::new(now), |known| known.value.clone());
        let line = one.line.clone().map(|line| line.with_past(said.and_then(|said| said.line.as_ref())));
        comment.lines.insert(service.clone(), Said { as_of, line });
        comment.last = now;
        decisions.put(Record::Comment(one.number, comment), known.map_or(0, |known| known.rev));
    }
    decisions
}

/// The service notes what it has told; what left meanwhile needs no note.
#[must_use]
pub fn noted(news: &[News], situation: &Situation) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    for one in news.iter().filter(|one| situation.changes.contains_key(&one.change)) {
        let known = situation.notes.get(&one.change);
        let mut notes = known.map(|known| known.value.clone()).unwrap_or_default();
        notes.tells(one);
        if known.is_none_or(|known| known.value != notes) {
            decisions.put(Record::Notes(one.change.clone(), notes), known.map_or(0, |known| known.rev));
        }
    }
    decisions
}

impl Line {
    /// What it said of incidents that are over stays said, though their service has forgotten them.
    fn with_past(mut self, past: Option<&Line>) -> Self {
        for (id, incident) in past.into_iter().flat_map(|past| &past.incidents) {
            if incident.over_at.is_some() && self.incidents.len() < MOST_INCIDENTS {
                self.incidents.entry(id.clone()).or_insert_with(|| incident.clone());
            }
        }
        self
    }

    /// What matters of it: what is said at once.
    fn gist(&self) -> String {
        let standing = match &self.standing {
            Standing::Standby { again, .. } => format!("standby {again}"),
            Standing::Active { since, .. } => format!("active {since}"),
            Standing::Ended { at, .. } => format!("ended {at}"),
            Standing::Reverted { at, .. } => format!("reverted {at}"),
        };
        format!("{} {standing} {:?} {:?}", self.responder, self.reverted_by, self.incidents)
    }

    /// Until when something may still change.
    fn over_at(&self) -> Option<Timestamp> {
        match self.standing {
            Standing::Standby { .. } | Standing::Active { .. } => None,
            Standing::Ended { until, .. } => Some(until),
            Standing::Reverted { at, .. } => Some(at),
        }
    }
}

impl Comment {
    fn new(now: Timestamp) -> Self {
        let (lines, stands, begun, refused, given_up) = (BTreeMap::new(), None, None, None, None);
        Self { lines, since: now, last: now, stands, begun, refused, given_up }
    }

    /// What services say, in their order.
    pub fn said(&self) -> impl Iterator<Item = (&ServiceId, &Line)> {
        self.lines.iter().filter_map(|(service, said)| Some((service, said.line.as_ref()?)))
    }
}

#[cfg(test)]
#[path = "comments_tests.rs"]
mod tests;
