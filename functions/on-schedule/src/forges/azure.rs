//! The API of Azure DevOps: which commits are in one commit and not in another, and which files a change touches. It
//! does not tell how many lines of each. `api_url` is that of the organisation: `https://dev.azure.com/openedx`.
//! <https://learn.microsoft.com/en-us/rest/api/azure/devops/git/commits/get-commits>
//! <https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-request-iteration-changes/get>

pub mod comments;
pub mod pulls;
pub mod reverts;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{ChangeId, ChangeKind, Commit, Repository};
use serde::Deserialize;

use super::Commits;
use super::api::{self, Api, MOST_PAGES, Touched, Unanswered};
use super::listed::{Listed, Release};

/// Of the cloud, and of every server since 2020.
const VERSION: &str = "api-version=6.0";
const PER_PAGE: usize = 100;

#[derive(Deserialize)]
struct List<T> {
    value: Vec<T>,
}

#[derive(Deserialize)]
struct Iteration {
    id: u64,
}

#[derive(Deserialize)]
struct Changes {
    #[serde(alias = "changeEntries")]
    changes: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    item: Option<Item>,
    /// Where it was, as a pull request tells it, and as a commit does.
    original_path: Option<String>,
    source_server_item: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    path: Option<String>,
    #[serde(default)]
    is_folder: bool,
    git_object_type: Option<String>,
}

/// A personal access token is the password of nobody.
pub fn headers(token: &str) -> Vec<(&'static str, String)> {
    let basic = format!("Basic {}", STANDARD.encode(format!(":{token}")));
    vec![("authorization", basic), ("accept", "application/json".to_owned())]
}

fn home(repository: &Repository) -> String {
    let (project, name) = api::pair(repository);
    format!("/{project}/_apis/git/repositories/{name}")
}

/// The commits of `compareVersion` that are not in `itemVersion`.
pub async fn compare(
    api: &Api<'_>,
    repository: &Repository,
    base: &Commit,
    head: &Commit,
) -> Result<Commits, Unanswered> {
    let (mut release, home) = (Release::default(), home(repository));
    let range = [("itemVersion", base), ("compareVersion", head)].map(|(side, commit)| {
        format!("searchCriteria.{side}.versionType=commit&searchCriteria.{side}.version={commit}")
    });
    for page in 0..MOST_PAGES {
        let skip = page * PER_PAGE;
        let pages = format!("searchCriteria.$top={PER_PAGE}&searchCriteria.$skip={skip}");
        let listed: List<Listed> = api.get(&format!("{home}/commits?{}&{pages}&{VERSION}", range.join("&"))).await?;
        let full = listed.value.len() >= PER_PAGE;
        release.learn(listed.value)?;
        if !full {
            return Ok(release.commits());
        }
    }
    Err(Unanswered::Endless(MOST_PAGES))
}

/// The files of a pull request as it was pushed last, else of its commit.
pub async fn files(api: &Api<'_>, change: &ChangeId, kind: ChangeKind) -> Result<Touched, Unanswered> {
    let (mut touched, home) = (Touched::default(), home(&change.repository));
    let (of, dollar) = match kind {
        ChangeKind::PullRequest { number } => {
            let iterations = format!("{home}/pullRequests/{number}/iterations");
            let list: List<Iteration> = api.get(&format!("{iterations}?{VERSION}")).await?;
            let last = list.value.iter().map(|one| one.id).max();
            let last = last.ok_or_else(|| Unanswered::malformed("a pull request without iterations"))?;
            (format!("{iterations}/{last}"), "$")
        }
        ChangeKind::DirectPush => (format!("{home}/commits/{}", change.commit), ""),
    };
    for page in 0..MOST_PAGES {
        let (skip, top) = (page * PER_PAGE, PER_PAGE);
        let path = format!("{of}/changes?{dollar}top={top}&{dollar}skip={skip}&{VERSION}");
        let changes = api.get::<Changes>(&path).await?.changes;
        let full = changes.len() >= PER_PAGE;
        changes.into_iter().for_each(|entry| add(&mut touched, entry));
        if !full || touched.is_full() {
            return Ok(touched);
        }
    }
    Err(Unanswered::Endless(MOST_PAGES))
}

/// Folders are listed too, when they come or go.
fn add(touched: &mut Touched, entry: Entry) {
    let below = |path: String| path.trim_start_matches('/').to_owned();
    let item = entry.item.filter(|item| !item.is_folder && item.git_object_type.as_deref() != Some("tree"));
    if let Some(path) = item.and_then(|item| item.path).map(below).filter(|path| !path.is_empty()) {
        touched.add_moved(entry.original_path.or(entry.source_server_item).map(below), path, None);
    }
}
