//! The API of Bitbucket Data Center and Server: which commits are in one commit and not in another, and which files a
//! change touches. <https://developer.atlassian.com/server/bitbucket/rest/>

pub mod comments;
pub mod pulls;

use std::collections::BTreeMap;

use domain::change::Lines;
use domain::{ChangeId, ChangeKind, Commit, Repository};
use serde::Deserialize;

use super::Commits;
use super::api::{self, Api, MOST_PAGES, Touched, Unanswered};
use super::listed::{Listed, Release};

const PER_PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    values: Vec<T>,
    #[serde(default)]
    is_last_page: Option<bool>,
    #[serde(default)]
    next_page_start: Option<u64>,
}

impl<T> Page<T> {
    /// Where the next page starts.
    fn next(&self) -> Option<u64> {
        self.next_page_start.filter(|_| self.is_last_page != Some(true))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Moved {
    path: Place,
    src_path: Option<Place>,
}

#[derive(Deserialize)]
struct Place {
    #[serde(rename = "toString")]
    path: String,
}

#[derive(Deserialize)]
struct Diffs {
    diffs: Vec<Diff>,
}

#[derive(Deserialize)]
struct Diff {
    source: Option<Place>,
    destination: Option<Place>,
    #[serde(default)]
    hunks: Option<Vec<Hunk>>,
    #[serde(default)]
    truncated: bool,
}

#[derive(Deserialize)]
struct Hunk {
    segments: Vec<Segment>,
    #[serde(default)]
    truncated: bool,
}

#[derive(Deserialize)]
struct Segment {
    #[serde(rename = "type")]
    kind: String,
    lines: Vec<serde::de::IgnoredAny>,
    #[serde(default)]
    truncated: bool,
}

pub fn headers(token: &str) -> Vec<(&'static str, String)> {
    vec![api::bearer(token), ("accept", "application/json".to_owned())]
}

fn home(repository: &Repository) -> String {
    let (project, name) = api::pair(repository);
    format!("/rest/api/latest/projects/{project}/repos/{name}")
}

/// Here `from` is what has the commits, and `to` what lacks them.
pub async fn compare(
    api: &Api<'_>,
    repository: &Repository,
    base: &Commit,
    head: &Commit,
) -> Result<Commits, Unanswered> {
    let (mut release, home, mut start) = (Release::default(), home(repository), 0);
    for _ in 0..MOST_PAGES {
        let path = format!("{home}/compare/commits?from={head}&to={base}&limit={PER_PAGE}&start={start}");
        let page: Page<Listed> = api.get(&path).await?;
        let next = page.next();
        release.learn(page.values)?;
        match next {
            Some(next) => start = next,
            None => return Ok(release.commits()),
        }
    }
    Err(Unanswered::Endless(MOST_PAGES))
}

/// The files of a pull request, else of its commit.
pub async fn files(api: &Api<'_>, change: &ChangeId, kind: ChangeKind) -> Result<Touched, Unanswered> {
    let (mut touched, home, mut start) = (Touched::default(), home(&change.repository), 0);
    let of = match kind {
        ChangeKind::PullRequest { number } => format!("{home}/pull-requests/{number}"),
        ChangeKind::DirectPush => format!("{home}/commits/{}", change.commit),
    };
    for _ in 0..MOST_PAGES {
        let page: Page<Moved> = api.get(&format!("{of}/changes?limit={PER_PAGE}&start={start}")).await?;
        let next = page.next();
        for moved in page.values {
            touched.add_moved(moved.src_path.map(|at| at.path), moved.path.path, None);
        }
        match next {
            Some(next) if !touched.is_full() => start = next,
            Some(_) | None => {
                // The list has no lines. Where the diff cannot be had, which files it is, is known all the same.
                if let Ok(lines) = lines(api, &of).await {
                    touched.count(|path| lines.get(path).copied());
                }
                return Ok(touched);
            }
        }
    }
    Err(Unanswered::Endless(MOST_PAGES))
}

/// The lines of every file whose diff is whole. The server bounds how long a diff it gives.
async fn lines(api: &Api<'_>, of: &str) -> Result<BTreeMap<String, Lines>, Unanswered> {
    let told: Diffs = api.get(&format!("{of}/diff?contextLines=0&withComments=false")).await?;
    let mut lines = BTreeMap::new();
    for diff in told.diffs.into_iter().filter(|diff| !diff.truncated) {
        let hunks = diff.hunks.unwrap_or_default();
        let cut = hunks.iter().any(|hunk| hunk.truncated || hunk.segments.iter().any(|s| s.truncated));
        let (old, new) = (diff.source.map(|at| at.path), diff.destination.map(|at| at.path));
        let Some(path) = new.clone().or_else(|| old.clone()).filter(|_| !cut) else { continue };
        let count = |kind: &str| {
            let segments = hunks.iter().flat_map(|hunk| &hunk.segments).filter(|s| s.kind == kind);
            segments.fold(0_u64, |sum, s| sum.saturating_add(u64::try_from(s.lines.len()).unwrap_or(u64::MAX)))
        };
        if let Some(old) = old.filter(|old| new.is_some() && *old != path) {
            lines.insert(old, Lines::default());
        }
        lines.insert(path, Lines { added: count("ADDED"), deleted: count("REMOVED") });
    }
    Ok(lines)
}
