//! A message to one person: a page asks them to act now, a notice asks for nothing.
//!
//! A message is plain text and facts. Markup belongs to the receiver that sends it (`on-page`), the words to
//! [`crate::wording`].

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::Severity;
use crate::ids::{ChangeId, FreezeId, IncidentId, PersonId, ServiceId};
use crate::reason::Reason;

mod step;

pub use step::Step;

/// What a message is about; all messages of one subject are one thread.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Change(ChangeId),
    Incident(IncidentId),
    /// A shift, by its id.
    Shift(String),
    /// One time of a freeze, by [`crate::freeze::Occurrence::key`].
    Freeze(String),
    /// A fix that somebody asks to let pass, by [`crate::expedite::Expedite::key`].
    Expedite(String),
    /// The service itself.
    Service,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Change(id) => id.fmt(f),
            Self::Incident(id) => id.fmt(f),
            Self::Shift(id) => write!(f, "shift-{id}"),
            Self::Freeze(key) => write!(f, "freeze-{key}"),
            Self::Expedite(key) => write!(f, "expedite-{key}"),
            Self::Service => f.write_str("service"),
        }
    }
}

/// Identity of a message: from content, so that deciding it twice is deciding it once. It travels to the
/// pager as its deduplication key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageKey {
    pub service: ServiceId,
    pub subject: Subject,
    pub person: PersonId,
    pub step: Step,
    /// Which of several turns or handovers of one change it is about: the second start is not the first again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nth: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
pub(crate) fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl MessageKey {
    /// The key within its service.
    #[must_use]
    pub fn within_service(&self) -> String {
        let nth = if self.nth == 0 { String::new() } else { format!("#{}", self.nth) };
        format!("{}#{}#{}{nth}", self.subject, self.person, self.step.word())
    }
}

impl fmt::Display for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.service, self.within_service())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Page,
    Notice,
    /// What became of a page, for the pagers that keep it open. No person reads it.
    Update,
}

impl Kind {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Notice => "notice",
            Self::Update => "update",
        }
    }
}

/// How every page of ours is called at a pager, so that it is known when the pager tells us of it.
const OURS: &str = "deployers";
/// So many repetitions of a page are closed at a pager: there is one an hour at most, and nobody sleeps for so long.
const MOST_CLOSED: u32 = 60;

/// A page of ours, as a pager tells us of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnPage {
    pub incident: IncidentId,
    pub round: u32,
    /// Whose page it is, as far as the pager kept it.
    pub person: String,
}

/// The page of ours that a pager knows by this key; `None`: it is not ours. Where a `/` is not allowed there is a `.`.
#[must_use]
pub fn own_page(key: &str) -> Option<OwnPage> {
    let rest = key.strip_prefix(OURS)?.strip_prefix(['/', '.'])?;
    let ends = rest.char_indices().filter(|(_, c)| matches!(c, '/' | '.')).map(|(at, _)| at);
    let (incident, rest) =
        ends.filter_map(|end| rest.split_at_checked(end)).find(|(id, _)| IncidentId::is_coined(id))?;
    let (round, person) = rest.get(1..)?.split_once(['/', '.'])?;
    // Asked again it ends in a number.
    let numbered = person.rsplit_once(['/', '.']).filter(|(_, again)| again.parse::<u32>().is_ok());
    let person = numbered.map_or(person, |(person, _)| person);
    Some(OwnPage { incident: incident.parse().ok()?, round: round.parse().ok()?, person: person.to_owned() })
}

/// A labelled web address below a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub label: String,
    pub url: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub key: MessageKey,
    pub kind: Kind,
    pub severity: Severity,
    pub title: String,
    pub lines: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The same in one line, where there is room for no more: a text message.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub short: String,
    /// By what a pager knows the page, and what became of it: one for each person and round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pager_key: Option<String>,
    /// A receiver that tells this person by itself: it is left out, so that nobody is paged twice for one thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_by: Option<String>,
    /// Not to be sent if this page to the same person is accepted: it names what this one is about too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<MessageKey>,
    /// The freeze that it is about, where its reader is offered to end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<FreezeId>,
    /// How often this page was repeated before: it begins with the person's next contact each time. Of what became of a
    /// page: how often that was repeated.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub again: u32,
    /// A change that can be taken back by one click.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revert: Option<ChangeId>,
    pub reason: Reason,
    pub decided_at: Timestamp,
}

impl Message {
    /// The message as plain text: title, lines, links.
    #[must_use]
    pub fn plain(&self) -> String {
        let links = self.links.iter().map(|link| format!("{}: {}", link.label, link.url));
        std::iter::once(self.title.clone())
            .chain(self.lines.iter().cloned())
            .chain(links)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// By what a pager knows this page: delivered again under it, it is the same page. Where nobody answered and it is
    /// asked again, it is another one, or it would wake nobody.
    #[must_use]
    pub fn at_pager(&self) -> String {
        let key = self.pager_key.clone().unwrap_or_else(|| self.key.to_string());
        let again = if self.again == 0 { String::new() } else { format!("/{}", self.again) };
        format!("{OURS}/{key}{again}")
    }

    /// What became of a page, for each page that a pager may have of it: asked again it was another one there, or went to
    /// another contact. Of very many, the newest.
    pub fn of_each_repeat(&self) -> impl Iterator<Item = Self> {
        let first = self.again.saturating_sub(MOST_CLOSED);
        (first..=self.again).map(|again| Self { again, ..self.clone() })
    }
}

/// A message on its way: decided, then published, then accepted by a receiver, which ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    pub message: Message,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    /// Since when a delivery is under way; a claim that grew stale is free again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
    #[serde(default)]
    pub tries: u32,
    /// Which of the person's contacts a delivery that never ended was at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trying: Option<usize>,
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
