//! Bitbucket Cloud's API: which commits are in one commit and not in another, and which files a change touches.
//! <https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commits/>
//!
//! It tells the address of the next page, and answers the question for a pull request's files with the address of
//! another one. Of both only what cannot be known otherwise is used, in an address of our own.

pub mod comments;
pub mod pulls;

use domain::change::Lines;
use domain::{ChangeId, ChangeKind, Commit, Repository};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Commits;
use super::api::{self, Api, MOST_PAGES, Touched, Unanswered};
use super::listed::{Listed, Release};

pub const API: &str = "https://api.bitbucket.org/2.0";
/// The most that it gives at a time.
const PER_PAGE: usize = 100;

#[derive(Deserialize)]
struct Page<T> {
    values: Vec<T>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Stat {
    lines_added: Option<u64>,
    lines_removed: Option<u64>,
    old: Option<At>,
    new: Option<At>,
}

#[derive(Deserialize)]
struct At {
    path: String,
}

pub fn headers(token: &str) -> Vec<(&'static str, String)> {
    vec![api::bearer(token), ("accept", "application/json".to_owned())]
}

pub async fn compare(
    api: &Api<'_>,
    repository: &Repository,
    base: &Commit,
    head: &Commit,
) -> Result<Commits, Unanswered> {
    let mut release = Release::default();
    let path = format!("/repositories/{}/commits/{head}", api::path(repository));
    let mut query = format!("exclude={base}&pagelen={PER_PAGE}");
    for _ in 0..MOST_PAGES {
        let page: Page<Listed> = get(api, &path, &query).await?;
        release.learn(page.values)?;
        match page.next {
            Some(next) => query = query_of(&next)?,
            None => return Ok(release.commits()),
        }
    }
    Err(Unanswered::Endless(MOST_PAGES))
}

/// The files of a pull request, else of its commit.
pub async fn files(api: &Api<'_>, change: &ChangeId, kind: ChangeKind) -> Result<Touched, Unanswered> {
    let mut touched = Touched::default();
    let repository = format!("/repositories/{}", api::path(&change.repository));
    let (mut path, mut query) = match kind {
        ChangeKind::PullRequest { number } => pull_request(api, &repository, number).await?,
        ChangeKind::DirectPush => (format!("{repository}/diffstat/{}", change.commit), String::new()),
    };
    for _ in 0..MOST_PAGES {
        let page: Page<Stat> = get(api, &path, &query).await?;
        for stat in page.values {
            let lines = stat.lines_added.zip(stat.lines_removed).map(|(added, deleted)| Lines { added, deleted });
            let (old, new) = (stat.old.map(|at| at.path), stat.new.map(|at| at.path));
            if let Some(to) = new.or_else(|| old.clone()) {
                touched.add_moved(old, to, lines);
            }
        }
        match page.next {
            Some(next) if !touched.is_full() => (path, query) = (path, query_of(&next)?),
            Some(_) | None => return Ok(touched),
        }
    }
    Err(Unanswered::Endless(MOST_PAGES))
}

/// Where the files of a pull request are: the forge redirects to the range of its commits.
async fn pull_request(api: &Api<'_>, repository: &str, number: u64) -> Result<(String, String), Unanswered> {
    let path = format!("{repository}/pullrequests/{number}/diffstat");
    let answer = api.ask(&path).await?;
    let location = match (answer.status, answer.location) {
        // It answered at once: the same again, as a page like any other.
        (200, _) => return Ok((path, String::new())),
        (301 | 302 | 303 | 307 | 308, Some(location)) => location,
        (status, _) => return Err(Unanswered::Status(status)),
    };
    let elsewhere = || Unanswered::malformed("a redirect to something else");
    let (_, range) = location.split_once("/diffstat/").ok_or_else(elsewhere)?;
    let (range, query) = range.split_once('?').unwrap_or((range, ""));
    let climbs = range.split('/').any(|part| part.is_empty() || part == "." || part == "..");
    if climbs || !fits(range) || !fits(query) {
        return Err(elsewhere());
    }
    Ok((format!("{repository}/diffstat/{range}"), query.to_owned()))
}

async fn get<T: DeserializeOwned>(api: &Api<'_>, path: &str, query: &str) -> Result<Page<T>, Unanswered> {
    if query.is_empty() { api.get(path).await } else { api.get(&format!("{path}?{query}")).await }
}

/// What follows the question mark of the next page's address.
fn query_of(next: &str) -> Result<String, Unanswered> {
    let query = next.split_once('?').map(|(_, query)| query).filter(|query| fits(query));
    query.map(str::to_owned).ok_or_else(|| Unanswered::malformed("no address of a next page"))
}

fn fits(part: &str) -> bool {
    part.len() <= 1000 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/".contains(&b))
}
