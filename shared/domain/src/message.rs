//! A message to one person: a page asks them to act now, a notice asks for nothing.
//!
//! A message is plain text and facts. Markup belongs to the receiver that sends it (`on-page`), the words to
//! [`crate::wording`].

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::Severity;
use crate::ids::{ChangeId, IncidentId, PersonId, ServiceId};
use crate::reason::Reason;

/// Which message of a change's or an incident's life this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Your change was merged.
    Receipt,
    /// Your turn starts.
    Started,
    /// Your turn ends soon.
    EndingSoon,
    /// Your turn is over.
    Ended,
    /// The deployment that started your turn failed.
    StandbyAgain,
    /// A page to the responder of the first suspect.
    FirstResponder,
    /// A page to the rotation.
    Rotation,
    /// A page to the responder of a suspect whose turn is over, when nobody else answered.
    TailResponder,
    /// Somebody else acknowledged what you were paged for.
    Acknowledged,
    /// What you were paged for is over.
    Resolved,
}

impl Step {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Started => "started",
            Self::EndingSoon => "ending-soon",
            Self::Ended => "ended",
            Self::StandbyAgain => "standby-again",
            Self::FirstResponder => "first-responder",
            Self::Rotation => "rotation",
            Self::TailResponder => "tail-responder",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }

    /// The inverse of [`Step::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Receipt,
            Self::Started,
            Self::EndingSoon,
            Self::Ended,
            Self::StandbyAgain,
            Self::FirstResponder,
            Self::Rotation,
            Self::TailResponder,
            Self::Acknowledged,
            Self::Resolved,
        ]
        .into_iter()
        .find(|step| step.word() == word)
    }
}

/// What a message is about; all messages of one subject are one thread.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Change(ChangeId),
    Incident(IncidentId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Change(id) => id.fmt(f),
            Self::Incident(id) => id.fmt(f),
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
}

impl fmt::Display for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}#{}#{}", self.service, self.subject, self.person, self.step.word())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Page,
    Notice,
}

impl Kind {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Notice => "notice",
        }
    }
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
}
