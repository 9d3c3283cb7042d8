//! A change: one merged pull request or one direct push, as its forge told us.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ChangeId, Commit};
use crate::login::Login;
use crate::revert::Reverts;
use crate::text;

/// How a change reached the branch. The richer report of the same commit wins, whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    DirectPush,
    PullRequest { number: u64 },
}

/// Why this account, and not another, is taken to have merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credit {
    /// A bot merged and nobody is known to have enqueued: the author answers.
    AuthorOfBotMerge,
    /// A bot merged what a bot had made, and this person had approved it.
    Approved,
    /// A merge queue merged it, and had tried it because of something that this person did.
    QueueTried,
    /// A merge queue merged what this person put into it.
    Enqueued,
    /// Pushed to the branch without a pull request.
    Pushed,
    /// Pressed the button.
    Merged,
}

impl Credit {
    /// A bot merged: whoever turns out to have told it to is credited instead.
    #[must_use]
    pub fn gives_way(self) -> bool {
        matches!(self, Self::AuthorOfBotMerge | Self::Approved | Self::QueueTried)
    }
}

/// Who merged, and how we know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Merger {
    pub login: Login,
    pub credit: Credit,
}

/// So many commits of one change are kept, the newest.
pub const MOST_COMMITS: usize = 100;

/// One change. Texts are already one line, bounded and free of control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub id: ChangeId,
    pub kind: ChangeKind,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub base: String,
    /// Whether `base` is the repository's default branch.
    pub base_is_default: bool,
    pub author: Login,
    pub merger: Merger,
    pub merged_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Who approved it, as far as is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<Login>,
    /// The commits that came with it, where the forge lists them; at most [`MOST_COMMITS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<Commit>,
    /// What it says it takes back or lands again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverts: Option<Reverts>,
    /// Which files it touches, where the forge says. Kept beside the change, because another report may tell them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
}

/// How much of one file a change touches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lines {
    pub added: u64,
    pub deleted: u64,
}

/// The files a change touches, as many as are worth keeping.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    pub paths: BTreeSet<String>,
    /// How many lines of each, where the forge says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lines: BTreeMap<String, Lines>,
    /// There are more than these.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// What came of asking the forge.
    #[serde(default, skip_serializing_if = "Asked::is_not")]
    pub asked: Asked,
}

/// What came of asking the forge for the files of a change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Not asked, or no token to ask with.
    #[default]
    Not,
    /// It did not say. `tries` so far.
    Unanswered { tries: u32, last: Timestamp },
    /// It told them, of the change as it was known then: a pull request has more than its merge commit.
    Told { of: ChangeKind },
}

impl Asked {
    fn is_not(&self) -> bool {
        *self == Self::Not
    }
}

impl Files {
    /// So many paths, of so many characters, are kept: an item of the working set stays small.
    pub const MOST: usize = 100;
    const LONGEST: usize = 160;

    /// The first of these paths in order, each as one line.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a str>) -> Self {
        Self::counted(paths.into_iter().map(|path| (path, None)))
    }

    /// The same, with how many lines of each are touched.
    pub fn counted<'a>(paths: impl IntoIterator<Item = (&'a str, Option<Lines>)>) -> Self {
        let mut files = Self::default();
        for (path, lines) in paths {
            let path = text::line(path, Self::LONGEST);
            if files.paths.len() >= Self::MOST && !files.paths.contains(&path) {
                files.cut = true;
                continue;
            }
            if let Some(lines) = lines {
                let known = files.lines.entry(path.clone()).or_default();
                known.added = known.added.saturating_add(lines.added);
                known.deleted = known.deleted.saturating_add(lines.deleted);
            }
            files.paths.insert(path);
        }
        files
    }

    /// The same, with what another list has beside it; of a path in both, this one's lines.
    #[must_use]
    pub fn and(&self, other: &Files) -> Self {
        let lines = |path: &String| self.lines.get(path).or_else(|| other.lines.get(path)).copied();
        let paths = self.paths.iter().chain(other.paths.difference(&self.paths));
        let both = Self::counted(paths.map(|path| (path.as_str(), lines(path))));
        Self { cut: both.cut || self.cut || other.cut, asked: self.asked, ..both }
    }

    /// How large the change is, where all its files and their lines are known.
    #[must_use]
    pub fn size(&self) -> Option<Size> {
        if self.cut || self.paths.is_empty() || !self.paths.iter().all(|path| self.lines.contains_key(path)) {
            return None;
        }
        let sum = |of: fn(&Lines) -> u64| self.lines.values().map(of).fold(0, u64::saturating_add);
        let files = u64::try_from(self.paths.len()).unwrap_or(u64::MAX);
        Some(Size { files, added: sum(|lines| lines.added), deleted: sum(|lines| lines.deleted) })
    }
}

/// How large the diff is, where the forge says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub files: u64,
    pub added: u64,
    pub deleted: u64,
}

impl Change {
    /// How people call it: `edx-platform#12`, else `edx-platform@8c1c06a1a8`.
    #[must_use]
    pub fn label(&self) -> String {
        let repository = self.id.repository.short();
        match self.kind {
            ChangeKind::PullRequest { number } => format!("{repository}#{number}"),
            ChangeKind::DirectPush => format!("{repository}@{}", self.id.commit.short()),
        }
    }

    /// Reports of the same commit are ordered by how much they know, so that arrival order does not matter.
    #[must_use]
    pub fn worth(&self) -> u32 {
        match self.kind {
            ChangeKind::DirectPush => 1,
            ChangeKind::PullRequest { .. } => match self.merger.credit {
                // Known only from the push that the merge made.
                Credit::Pushed => 1,
                Credit::AuthorOfBotMerge => 2,
                Credit::Approved => 3,
                Credit::QueueTried => 4,
                Credit::Enqueued | Credit::Merged => 5,
            },
        }
    }

    /// Merge order: by time, then by id so that ties are the same everywhere.
    #[must_use]
    pub fn order(&self) -> (Timestamp, &ChangeId) {
        (self.merged_at, &self.id)
    }
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
