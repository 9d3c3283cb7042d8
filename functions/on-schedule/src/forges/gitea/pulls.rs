//! Open pull requests; their statuses and comments are GitHub's. The token needs `write:repository` and `write:issue`.
//! <https://docs.gitea.com/api/#tag/repository/operation/repoListPullRequests>

use domain::{OpenPull, Repository};

use super::super::api::{self, Api, Unanswered};
use super::super::freeze;
pub use super::super::github::pulls::{comment, tell};
use super::super::pull::Pull;
use super::PER_PAGE;

/// Without `sort` they come by when they were made, the newest first (`applySorts` in models/issues/issue_search.go).
pub async fn open(api: &Api<'_>, repository: &Repository) -> Result<Vec<OpenPull>, Unanswered> {
    let (mut pulls, home) = (Vec::new(), api::path(repository));
    for page in 1..=freeze::pages(PER_PAGE) {
        let query = format!("state=open&limit={PER_PAGE}&page={page}");
        let listed: Option<Vec<Pull>> = api.get(&format!("/repos/{home}/pulls?{query}")).await?;
        let listed = listed.unwrap_or_default();
        let full = listed.len() >= PER_PAGE;
        freeze::add(&mut pulls, listed.into_iter().filter_map(|pull| pull.open("gitea")));
        if !full {
            break;
        }
    }
    Ok(pulls)
}
