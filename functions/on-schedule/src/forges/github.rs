//! GitHub's API: which commits are in one commit and not in another, which files a change touches, who merged what.
//! <https://docs.github.com/en/rest/commits/commits#compare-two-commits>
//! <https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files>

pub(crate) mod app;
pub mod checks;
pub mod comments;
pub mod merging;
pub mod pulls;
pub mod reverts;

use domain::change::Lines;
use domain::on_merge::errands::{Errand, Which};
use domain::{Change, ChangeId, ChangeKind, Commit, Repository};
use serde::Deserialize;

use super::Commits;
use super::api::{self, Api, MOST_PAGES, Touched, Unanswered};
use super::listed::{Listed, Release};
use super::pull::{self, Pull};

pub const API: &str = "https://api.github.com";
const PER_PAGE: usize = 100;

#[derive(Deserialize)]
struct Comparison {
    total_commits: usize,
    commits: Vec<Listed>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    previous_filename: Option<String>,
    additions: Option<u64>,
    deletions: Option<u64>,
}

#[derive(Deserialize)]
struct Whole {
    files: Option<Vec<File>>,
}

pub fn headers(token: &str) -> Vec<(&'static str, String)> {
    vec![
        api::bearer(token),
        ("accept", "application/vnd.github+json".to_owned()),
        ("x-github-api-version", "2022-11-28".to_owned()),
    ]
}

/// Every page of the comparison.
pub async fn compare(
    api: &Api<'_>,
    repository: &Repository,
    base: &Commit,
    head: &Commit,
) -> Result<Commits, Unanswered> {
    let (mut release, repository) = (Release::default(), api::path(repository));
    for page in 1..=MOST_PAGES {
        let path = format!("/repos/{repository}/compare/{base}...{head}?per_page={PER_PAGE}&page={page}");
        let comparison: Comparison = api.get(&path).await?;
        let full = comparison.commits.len() >= PER_PAGE;
        release.learn(comparison.commits)?;
        if !full || release.len() >= comparison.total_commits {
            return Ok(release.commits());
        }
    }
    Err(Unanswered::Endless(MOST_PAGES))
}

/// The files of a pull request, else of its commit.
pub async fn files(api: &Api<'_>, change: &ChangeId, kind: ChangeKind) -> Result<Touched, Unanswered> {
    let (mut touched, repository) = (Touched::default(), api::path(&change.repository));
    for page in 1..=MOST_PAGES {
        let query = format!("?per_page={PER_PAGE}&page={page}");
        let files: Vec<File> = match kind {
            ChangeKind::PullRequest { number } => {
                api.get(&format!("/repos/{repository}/pulls/{number}/files{query}")).await?
            }
            ChangeKind::DirectPush => {
                let path = format!("/repos/{repository}/commits/{}{query}", change.commit);
                api.get::<Whole>(&path).await?.files.unwrap_or_default()
            }
        };
        let full = files.len() >= PER_PAGE;
        for file in files {
            let lines = file.additions.zip(file.deletions).map(|(added, deleted)| Lines { added, deleted });
            touched.add_moved(file.previous_filename, file.filename, lines);
        }
        if !full || touched.is_full() {
            return Ok(touched);
        }
    }
    Err(Unanswered::Endless(MOST_PAGES))
}

/// The pull request of this number, of this commit, or of this branch.
pub async fn merged(api: &Api<'_>, errand: &Errand) -> Result<Change, Unanswered> {
    let repository = api::path(&errand.repository);
    let found: Vec<Pull> = match &errand.which {
        Which::Number(number) => return one(api, errand, *number).await,
        Which::Commit(commit) => api.get(&format!("/repos/{repository}/commits/{commit}/pulls")).await?,
        Which::Named(_) => {
            let closed = format!("state=closed&sort=updated&direction=desc&per_page={PER_PAGE}");
            api.get(&format!("/repos/{repository}/pulls?{closed}")).await?
        }
    };
    one(api, errand, pull::found(&found, errand).ok_or(Unanswered::UnknownChange)?).await
}

/// A list does not say who merged.
async fn one(api: &Api<'_>, errand: &Errand, number: u64) -> Result<Change, Unanswered> {
    let pull: Pull = api.get(&format!("/repos/{}/pulls/{number}", api::path(&errand.repository))).await?;
    pull.change("github", &errand.repository)
}
