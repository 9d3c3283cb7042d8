//! The API of Gitea and Forgejo: which commits are in one commit and not in another, which files a change
//! touches, who merged what.
//! <https://docs.gitea.com/api/> (`api_url` ends in `/api/v1`)

pub mod comments;
pub mod pulls;

use domain::change::Lines;
use domain::on_merge::errands::{Errand, Which};
use domain::{Change, ChangeId, ChangeKind, Commit, Repository};
use serde::Deserialize;

use super::api::{self, Api, MOST_PAGES, Touched, Unanswered};
use super::listed::{Listed, Release};
use super::pull::{self, Pull};
use super::{Commits, diff};

/// The most that it gives at a time, unless its administrator says otherwise.
const PER_PAGE: usize = 50;

#[derive(Deserialize)]
struct Comparison {
    total_commits: usize,
    commits: Option<Vec<Listed>>,
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
    vec![("authorization", format!("token {token}")), ("accept", "application/json".to_owned())]
}

/// All of the comparison: versions without pages here give all at once.
pub async fn compare(
    api: &Api<'_>,
    repository: &Repository,
    base: &Commit,
    head: &Commit,
) -> Result<Commits, Unanswered> {
    let (mut release, repository) = (Release::default(), api::path(repository));
    for page in 1..=MOST_PAGES {
        let path = format!("/repos/{repository}/compare/{base}...{head}?page={page}&limit={PER_PAGE}");
        let comparison: Comparison = api.get(&path).await?;
        let before = release.len();
        release.learn(comparison.commits.unwrap_or_default())?;
        if release.len() >= comparison.total_commits {
            return Ok(release.commits());
        }
        if release.len() == before {
            return Err(Unanswered::malformed("fewer commits than were promised"));
        }
    }
    Err(Unanswered::Endless(MOST_PAGES))
}

/// The files of a pull request, else of its commit.
pub async fn files(api: &Api<'_>, change: &ChangeId, kind: ChangeKind) -> Result<Touched, Unanswered> {
    let (mut touched, repository) = (Touched::default(), api::path(&change.repository));
    let ChangeKind::PullRequest { number } = kind else {
        return of_commit(api, &repository, &change.commit).await;
    };
    for page in 1..=MOST_PAGES {
        let path = format!("/repos/{repository}/pulls/{number}/files?limit={PER_PAGE}&page={page}");
        let files: Vec<File> = api.get::<Option<Vec<File>>>(&path).await?.unwrap_or_default();
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

/// A commit lists its files without their lines: those are counted in its diff.
async fn of_commit(api: &Api<'_>, repository: &str, commit: &Commit) -> Result<Touched, Unanswered> {
    let mut touched = Touched::default();
    let path = format!("/repos/{repository}/git/commits/{commit}");
    let whole: Whole = api.get(&format!("{path}?stat=false&verification=false&files=true")).await?;
    for file in whole.files.unwrap_or_default() {
        touched.add(file.filename, None);
    }
    if let Ok(text) = api.body(&format!("{path}.diff")).await {
        let lines = diff::by_path(&String::from_utf8_lossy(&text));
        touched.count(|path| lines.get(path).copied());
    }
    Ok(touched)
}

/// The pull request of this number, of this commit, or of this branch.
pub async fn merged(api: &Api<'_>, errand: &Errand) -> Result<Change, Unanswered> {
    let home = format!("/repos/{}", api::path(&errand.repository));
    let number = match &errand.which {
        Which::Number(number) => *number,
        Which::Commit(commit) => api.get::<Pull>(&format!("{home}/commits/{commit}/pull")).await?.number,
        Which::Named(_) => {
            let closed = format!("state=closed&sort=recentupdate&limit={PER_PAGE}");
            let listed: Vec<Pull> = api.get(&format!("{home}/pulls?{closed}")).await?;
            pull::found(&listed, errand).ok_or(Unanswered::UnknownChange)?
        }
    };
    let pull: Pull = api.get(&format!("{home}/pulls/{number}")).await?;
    pull.change("gitea", &errand.repository)
}
