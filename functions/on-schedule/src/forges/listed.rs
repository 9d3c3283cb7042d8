//! The commits of a comparison, as they are told page by page, with those that they were picked from: a fix that was
//! picked to another branch by `git cherry-pick -x` names the commit that it is a copy of, and a release with the copy
//! carries the fix.

use std::collections::BTreeSet;

use domain::Commit;
use serde::Deserialize;

use super::Commits;
use super::api::{MOST_COMMITS, Unanswered};

/// So many lines of a message are looked at, from its end, and so many originals are kept of one commit.
const MOST_LINES: usize = 50;
const MOST_ORIGINALS: usize = 5;

/// A commit as forges list it.
#[derive(Deserialize)]
pub struct Listed {
    #[serde(alias = "sha", alias = "hash", alias = "commitId")]
    id: String,
    #[serde(alias = "comment")]
    message: Option<String>,
    /// GitHub and Gitea have the message within it.
    commit: Option<Within>,
}

#[derive(Deserialize)]
struct Within {
    message: Option<String>,
}

/// What was told so far.
#[derive(Default)]
pub struct Release {
    own: Commits,
    originals: Commits,
}

impl Release {
    /// Adds a page of commits.
    pub fn learn(&mut self, page: Vec<Listed>) -> Result<(), Unanswered> {
        for listed in page {
            self.own.insert(listed.id.parse::<Commit>().map_err(|e| Unanswered::Malformed(e.into()))?);
            let message = listed.message.or_else(|| listed.commit?.message).unwrap_or_default();
            let room = MOST_COMMITS.saturating_sub(self.originals.len());
            self.originals.extend(originals(&message).take(room));
        }
        if self.own.len() > MOST_COMMITS { Err(Unanswered::TooMany(MOST_COMMITS)) } else { Ok(()) }
    }

    /// How many commits the forge has told.
    pub fn len(&self) -> usize {
        self.own.len()
    }

    pub fn commits(self) -> BTreeSet<Commit> {
        self.own.into_iter().chain(self.originals).collect()
    }
}

/// The commits that a message says it was picked from, which git writes on lines of their own:
/// `(cherry picked from commit 8c1c06a1...)`.
fn originals(message: &str) -> impl Iterator<Item = Commit> {
    let lines = message.lines().rev().take(MOST_LINES);
    let named = lines.filter_map(|line| line.trim().strip_prefix("(cherry picked from commit ")?.strip_suffix(')'));
    named.filter(|id| id.len() == 40).filter_map(|id| id.parse().ok()).take(MOST_ORIGINALS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picked_commit_names_its_original_on_a_line_of_its_own() {
        let (one, two) = ("1".repeat(40), "ab".repeat(20));
        for (message, want) in [
            (format!("Fix it\n\n(cherry picked from commit {one})"), vec![&one]),
            (
                format!("Fix it\r\n\r\n(cherry picked from commit {one})\r\nSigned-off-by: A <a@example.com>\r\n"),
                vec![&one],
            ),
            (format!("x\n\n(cherry picked from commit {one})\n(cherry picked from commit {two})\n"), vec![&two, &one]),
            (format!("as in (cherry picked from commit {one})"), vec![]),
            (format!("(cherry picked from commit {one}"), vec![]),
            (format!("(cherry picked from commit {})", &one[..12]), vec![]),
            (format!("(cherry picked from commit {})", "x".repeat(40)), vec![]),
            (format!("(cherry picked from commit {one})\n{}", "x\n".repeat(MOST_LINES)), vec![]),
            (String::new(), vec![]),
        ] {
            let found: Vec<String> = originals(&message).map(|id| id.to_string()).collect();
            assert_eq!(found.iter().collect::<Vec<_>>(), want, "{message}");
        }
        let many: String = (0..99).map(|n| format!("(cherry picked from commit {n:040x})\n")).collect();
        assert_eq!(originals(&many).count(), MOST_ORIGINALS);
    }

    #[test]
    fn originals_are_carried_but_not_counted_as_what_the_forge_told() {
        let page = |json: serde_json::Value| serde_json::from_value::<Vec<Listed>>(json).unwrap();
        let message = format!("x\n\n(cherry picked from commit {})", "2".repeat(40));
        let mut release = Release::default();
        let told = serde_json::json!([
            { "sha": "1111111", "commit": { "message": message } }, { "hash": "3333333", "message": null }, { "id": "4444444" },
        ]);
        release.learn(page(told)).unwrap();
        assert_eq!((release.len(), release.commits().len()), (3, 4));
        let mut release = Release::default();
        let many = |from: usize| -> serde_json::Value {
            (from..from + 1500).map(|n| serde_json::json!({ "id": format!("{n:040x}"), "message": format!("(cherry picked from commit {:040x})", n + 9000) })).collect()
        };
        release.learn(page(many(0))).unwrap();
        assert!(matches!(release.learn(page(many(1500))), Err(Unanswered::TooMany(MOST_COMMITS))));
        assert!(release.originals.len() <= MOST_COMMITS);
    }
}
