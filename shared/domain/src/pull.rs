//! Pull requests that are open: what a forge tells about them, and what it is told, so that a merge freeze can be seen where
//! people merge. Plain data; what follows from it is decided elsewhere.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::Commit;
use crate::login::Login;
use crate::text;

const MOST_TITLE: usize = 200;
const MOST_BRANCH: usize = 200;
const MOST_LABELS: usize = 20;
const MOST_LABEL: usize = 60;

/// A pull request that is open, as a forge tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPull {
    pub number: u64,
    pub head: Commit,
    pub author: Login,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The branch it is to be merged into.
    pub base: String,
    #[serde(default)]
    pub draft: bool,
    /// From a fork.
    #[serde(default)]
    pub fork: bool,
    /// At most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

impl OpenPull {
    /// The same, with what somebody wrote bounded and made harmless. Every reader ends in it.
    #[must_use]
    pub fn bounded(self) -> Self {
        let base = self.base.strip_prefix("refs/heads/").unwrap_or(&self.base);
        Self {
            title: text::line(&self.title, MOST_TITLE),
            url: self.url.as_deref().and_then(text::url),
            base: text::line(base, MOST_BRANCH),
            labels: self.labels.iter().take(MOST_LABELS).map(|label| text::line(label, MOST_LABEL)).collect(),
            ..self
        }
    }
}

/// What a status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Passes,
    Fails,
}

/// A status of a commit, as it is to stand at the forge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeStatus {
    pub verdict: Verdict,
    /// One line of at most 140 characters, which is what GitHub takes.
    pub words: String,
    pub url: String,
}

impl MergeStatus {
    pub const MOST_WORDS: usize = 140;
}

/// What a forge tells about an open pull request. Told twice, it says nothing new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullEvent {
    /// Opened, reopened, with new commits, another base, or no longer (or again) a draft.
    Open(OpenPull, Timestamp),
    /// Merged or closed.
    Gone { number: u64, at: Timestamp },
    /// Somebody asks for the lane of urgent fixes: by the label, or by a command with a reason.
    Expedite {
        number: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        head: Option<Commit>,
        by: Login,
        at: Timestamp,
        /// Nothing where the label asks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        title: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
    /// The label was taken off again; of Gitea, which tells only what labels there are: it is not there. It says nothing
    /// about what a command asked for.
    NoExpedite { number: u64, by: Login, at: Timestamp },
}

impl PullEvent {
    /// The label, and the word of the command, that asks for the lane.
    pub const EXPEDITE: &str = "expedite";

    #[must_use]
    pub fn number(&self) -> u64 {
        match self {
            Self::Open(pull, _) => pull.number,
            Self::Gone { number, .. } | Self::Expedite { number, .. } | Self::NoExpedite { number, .. } => *number,
        }
    }

    /// When it happened, by the forge's clock.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Open(_, at) | Self::Gone { at, .. } | Self::Expedite { at, .. } | Self::NoExpedite { at, .. } => *at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_wrote_is_bounded() {
        let pull = OpenPull {
            number: 7,
            head: "8c1c06a1a8".parse().unwrap(),
            author: Login::new("github", "usama").unwrap(),
            title: format!("Fix\n\u{202e}{}", "x".repeat(900)),
            url: Some("javascript:alert(1)".to_owned()),
            base: "refs/heads/release/1.x".to_owned(),
            draft: false,
            fork: true,
            labels: (0..50).map(|n| format!("label\n{n}")).collect(),
        };
        let pull = pull.bounded();
        assert_eq!((pull.title.chars().count(), pull.url.as_ref(), pull.labels.len()), (200, None, 20));
        assert_eq!((pull.base.as_str(), pull.labels[1].as_str()), ("release/1.x", "label 1"));
        let at = "2026-03-20T10:00:00Z".parse().unwrap();
        let event = PullEvent::Open(pull, at);
        assert_eq!((event.number(), event.at()), (7, at));
        let kept = serde_json::to_value(&event).unwrap();
        assert_eq!(serde_json::from_value::<PullEvent>(kept).unwrap(), event);
    }
}
