//! The forges. To add one: a file here, a line below, a payload in the tests.

mod azure;
mod bitbucket;
mod bitbucket_server;
mod cdevents;
mod gitea;
mod github;
mod gitlab;
mod pulls;

use aws::{Malformed, Reading, Sender};
use domain::change::MOST_COMMITS;
use domain::on_merge::MergeEvent;
use domain::{Change, ChangeId, ChangeKind, Commit, Credit, Login, Merger, Repository, revert, text};
use jiff::Timestamp;

pub const SENDERS: &[Sender<Vec<MergeEvent>>] = &[
    github::SENDER,
    gitlab::SENDER,
    bitbucket::SENDER,
    bitbucket_server::SENDER,
    gitea::SENDER,
    azure::SENDER,
    cdevents::SENDER,
];

/// How much of a title is kept, in characters.
const MOST_TITLE: usize = 200;
/// So many branches of one push are read, and so many approvers of one pull request.
const MOST_BRANCHES: usize = 50;
const MOST_APPROVERS: usize = 30;
/// What the default branch is called where the payload does not name it.
const USUAL: [&str; 4] = ["main", "master", "trunk", "develop"];

/// Whether a branch is the default branch: the one that is told, else one that is usually called so.
fn is_default(told: Option<&str>, branch: &str) -> bool {
    told.map_or_else(|| USUAL.contains(&branch), |told| told == branch)
}

/// Whether this is the id of no commit, which stands for a branch that is not there: only zeros.
fn is_nothing(id: &str) -> bool {
    id.bytes().all(|b| b == b'0')
}

/// A person is credited; where a bot did it, the author answers.
fn credited(by: Option<Login>, author: Option<&Login>, credit: Credit) -> Option<Merger> {
    match by {
        Some(login) if !login.is_bot() => Some(Merger { login, credit }),
        by => author.cloned().or(by).map(|login| Merger { login, credit: Credit::AuthorOfBotMerge }),
    }
}

/// What all forges tell of what came to a branch.
struct Merged<'a> {
    repository: Repository,
    commit: Commit,
    /// Of the pull request. Without one it was pushed directly.
    number: Option<u64>,
    title: &'a str,
    body: &'a str,
    base: &'a str,
    base_is_default: bool,
    /// Where nobody is told, whoever merged made it.
    author: Option<Login>,
    merger: Merger,
    merged_at: Timestamp,
}

impl Merged<'_> {
    /// The change, without what not all forges tell.
    fn change(self) -> Change {
        Change {
            reverts: revert::read(self.title, self.body, &self.repository),
            id: ChangeId { repository: self.repository, commit: self.commit },
            kind: self.number.map_or(ChangeKind::DirectPush, |number| ChangeKind::PullRequest { number }),
            title: text::line(self.title, MOST_TITLE),
            url: None,
            base: text::line(self.base, 200),
            base_is_default: self.base_is_default,
            author: self.author.unwrap_or_else(|| self.merger.login.clone()),
            merger: self.merger,
            merged_at: self.merged_at,
            size: None,
            files: None,
            labels: Vec::new(),
            approvers: Vec::new(),
            commits: Vec::new(),
        }
    }
}

/// The one event of a change.
fn merge(change: Change) -> Reading<Vec<MergeEvent>> {
    Reading::Event(vec![MergeEvent::Merged(Box::new(change))])
}

/// A push may move several branches: the change that each makes, or why the last makes none; `none` if it lists none.
fn pushed(
    branches: impl Iterator<Item = Result<Reading<Change>, Malformed>>,
    none: &str,
) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let mut changes = Vec::new();
    let mut why = none.to_owned();
    for branch in branches.take(MOST_BRANCHES) {
        match branch? {
            Reading::Event(change) => changes.push(change),
            Reading::Ignored(reason) => why = reason,
        }
    }
    if changes.is_empty() {
        return Ok(Reading::Ignored(why));
    }
    // Where two branches come to the same commit, the default branch tells what it is.
    changes.sort_by_key(|change| !change.base_is_default);
    Ok(Reading::Event(changes.into_iter().map(|change| MergeEvent::Merged(Box::new(change))).collect()))
}

/// A commit's message: its first line, and the rest.
fn title_and_body(message: &str) -> (&str, &str) {
    message.split_once('\n').unwrap_or((message, ""))
}

/// The commits that came with a change, beside its own: the newest, where there are too many. Oldest first.
fn commits<'a>(listed: impl Iterator<Item = &'a str>, tip: &str) -> Vec<Commit> {
    let mut commits: Vec<Commit> = listed.filter(|id| *id != tip).filter_map(|id| id.parse().ok()).collect();
    commits.drain(..commits.len().saturating_sub(MOST_COMMITS));
    commits
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What is made of a message: the events as JSON, why it is ignored, or why it cannot be read.
    pub(super) fn told(reading: Result<Reading<Vec<MergeEvent>>, Malformed>) -> Value {
        match reading {
            Ok(Reading::Event(events)) => json!(events),
            Ok(Reading::Ignored(why)) => json!(why),
            Err(why) => json!(format!("400: {why}")),
        }
    }

    #[test]
    fn the_default_branch_is_the_one_that_is_told_else_one_of_the_usual_names() {
        for (told, branch, want) in [
            (Some("2.x"), "2.x", true),
            (Some("2.x"), "main", false),
            (None, "main", true),
            (None, "trunk", true),
            (None, "2.x", false),
        ] {
            assert_eq!(is_default(told, branch), want, "{told:?} {branch}");
        }
    }

    #[test]
    fn a_bots_merge_is_answered_for_by_the_author() {
        let login = |name: &str| Login::new("github", name).unwrap();
        let (anna, bot) = (login("anna"), login("dependabot[bot]"));
        for (by, author, want) in [
            (Some(&anna), Some(&bot), Some((&anna, Credit::Merged))),
            (Some(&bot), Some(&anna), Some((&anna, Credit::AuthorOfBotMerge))),
            (Some(&bot), None, Some((&bot, Credit::AuthorOfBotMerge))),
            (None, Some(&anna), Some((&anna, Credit::AuthorOfBotMerge))),
            (None, None, None),
        ] {
            let merger = credited(by.cloned(), author, Credit::Merged);
            assert_eq!(merger.as_ref().map(|merger| (&merger.login, merger.credit)), want);
        }
    }
}
