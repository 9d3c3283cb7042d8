//! GitLab's API: which commits are in one commit and not in another, which files a change touches, who merged what.
//! <https://docs.gitlab.com/api/commits/#list-repository-commits>
//! <https://docs.gitlab.com/api/merge_requests/#list-merge-request-diffs>
//!
//! The commits are asked for as a range of revisions, and not of the compare API, whose answer has every line of the
//! release and no pages. Lines are counted in the diffs, since GitLab tells their number of whole commits only.

pub mod comments;
mod merged;
pub mod merging;
pub mod pulls;
pub mod reverts;

pub use merged::merged;

use domain::{ChangeId, ChangeKind, Commit, Repository};
use serde::Deserialize;

use super::api::{self, Api, MOST_PAGES, Touched, Unanswered};
use super::listed::{Listed, Release};
use super::{Commits, diff};

pub const API: &str = "https://gitlab.com/api/v4";
const PER_PAGE: usize = 100;
/// Pages of diffs that are larger end in an error 500 on some servers (gitlab-org/gitlab#427155).
const DIFFS_PER_PAGE: usize = 30;

#[derive(Deserialize)]
struct Diff {
    new_path: String,
    old_path: Option<String>,
    diff: Option<String>,
    /// Too long, so that its lines are not there.
    #[serde(default)]
    collapsed: Option<bool>,
    #[serde(default)]
    too_large: Option<bool>,
}

pub fn headers(token: &str) -> Vec<(&'static str, String)> {
    vec![("private-token", token.to_owned()), ("accept", "application/json".to_owned())]
}

/// A project is named by its whole path, as one segment of the address.
fn project(repository: &Repository) -> String {
    api::path(repository).replace('/', "%2F")
}

pub async fn compare(
    api: &Api<'_>,
    repository: &Repository,
    base: &Commit,
    head: &Commit,
) -> Result<Commits, Unanswered> {
    let (mut release, project) = (Release::default(), project(repository));
    for page in 1..=MOST_PAGES {
        let range = format!("ref_name={base}..{head}&per_page={PER_PAGE}&page={page}");
        let listed: Vec<Listed> = api.get(&format!("/projects/{project}/repository/commits?{range}")).await?;
        let full = listed.len() >= PER_PAGE;
        release.learn(listed)?;
        if !full {
            return Ok(release.commits());
        }
    }
    Err(Unanswered::Endless(MOST_PAGES))
}

/// The files of a merge request, else of its commit.
pub async fn files(api: &Api<'_>, change: &ChangeId, kind: ChangeKind) -> Result<Touched, Unanswered> {
    let (mut touched, project) = (Touched::default(), project(&change.repository));
    let of = match kind {
        ChangeKind::PullRequest { number } => format!("merge_requests/{number}/diffs"),
        ChangeKind::DirectPush => format!("repository/commits/{}/diff", change.commit),
    };
    for page in 1..=MOST_PAGES {
        let diffs: Vec<Diff> =
            api.get(&format!("/projects/{project}/{of}?per_page={DIFFS_PER_PAGE}&page={page}")).await?;
        let full = diffs.len() >= DIFFS_PER_PAGE;
        for one in diffs {
            let whole = one.collapsed != Some(true) && one.too_large != Some(true);
            let lines = one.diff.as_deref().filter(|_| whole).map(diff::count);
            touched.add_moved(one.old_path, one.new_path, lines);
        }
        if !full || touched.is_full() {
            return Ok(touched);
        }
    }
    Err(Unanswered::Endless(MOST_PAGES))
}
