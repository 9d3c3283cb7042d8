//! Open pull requests, their commit statuses and comments. A fine-grained token needs `Pull requests: read and write`
//! and `Commit statuses: read and write`, a classic one the scope `repo`.
//! <https://docs.github.com/en/rest/pulls/pulls#list-pull-requests>
//! <https://docs.github.com/en/rest/commits/statuses#create-a-commit-status>
//! <https://docs.github.com/en/rest/issues/comments#create-an-issue-comment>

use domain::{Commit, MergeStatus, OpenPull, Repository, Verdict};
use serde_json::json;

use super::super::api::{self, Api, Unanswered};
use super::super::freeze::{self, STATUS};
use super::super::pull::Pull;
use super::PER_PAGE;

pub async fn open(api: &Api<'_>, repository: &Repository) -> Result<Vec<OpenPull>, Unanswered> {
    let (mut pulls, home) = (Vec::new(), api::path(repository));
    for page in 1..=freeze::pages(PER_PAGE) {
        let query = format!("state=open&sort=created&direction=desc&per_page={PER_PAGE}&page={page}");
        let listed: Vec<Pull> = api.get(&format!("/repos/{home}/pulls?{query}")).await?;
        let full = listed.len() >= PER_PAGE;
        freeze::add(&mut pulls, listed.into_iter().filter_map(|pull| pull.open("github")));
        if !full {
            break;
        }
    }
    Ok(pulls)
}

/// The same at Gitea.
pub async fn tell(
    api: &Api<'_>,
    repository: &Repository,
    _number: u64,
    head: &Commit,
    status: &MergeStatus,
) -> Result<(), Unanswered> {
    let state = match status.verdict {
        Verdict::Passes => "success",
        Verdict::Fails => "failure",
    };
    let body = json!({ "state": state, "target_url": status.url, "description": status.words, "context": STATUS });
    api.post(&format!("/repos/{}/statuses/{head}", api::path(repository)), &body).await
}

/// The same at Gitea.
pub async fn comment(api: &Api<'_>, repository: &Repository, number: u64, text: &str) -> Result<(), Unanswered> {
    let path = format!("/repos/{}/issues/{number}/comments", api::path(repository));
    api.post(&path, &json!({ "body": text })).await
}
