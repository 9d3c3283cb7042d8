//! A merge freeze as a check run of our GitHub App, which needs `Checks: read and write`. Of several check runs of one name the newest
//! counts; ours is edited all the same, so that one stands at a commit.
//! <https://docs.github.com/en/rest/checks/runs#create-a-check-run>
//! <https://docs.github.com/en/rest/checks/runs#update-a-check-run>
//! <https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference>

use domain::wording::markdown::literal;
use domain::{Commit, MergeStatus, Repository, Verdict};
use serde::Deserialize;
use serde_json::json;

use super::super::api::{self, Api, Unanswered};
use super::super::freeze::STATUS;

/// Anybody can name theirs as ours: so many are tried to edit before another is made.
const MOST_NAMED: usize = 3;

#[derive(Deserialize)]
struct Runs {
    check_runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    id: u64,
    /// By whom we know ours: its token sees those of others too.
    external_id: Option<String>,
}

pub async fn tell(
    api: &Api<'_>,
    repository: &Repository,
    head: &Commit,
    status: &MergeStatus,
) -> Result<(), Unanswered> {
    let home = api::path(repository);
    let known = format!("/repos/{home}/commits/{head}/check-runs?check_name={}&filter=latest", api::encoded(STATUS));
    let known: Runs = api.get(&known).await?;
    let named = known.check_runs.into_iter().filter(|run| run.external_id.as_deref() == Some(STATUS));
    let conclusion = match status.verdict {
        Verdict::Passes => "success",
        Verdict::Fails => "failure",
    };
    let mut body = json!({
        "name": STATUS,
        "external_id": STATUS,
        "details_url": status.url,
        "status": "completed",
        "conclusion": conclusion,
        "output": { "title": status.words, "summary": literal(&status.words) },
    });
    for run in named.take(MOST_NAMED) {
        let answer = api.send_json("PATCH", &format!("/repos/{home}/check-runs/{}", run.id), &body).await?;
        match answer.status {
            200..300 => return Ok(()),
            // Another App's.
            403 | 404 => {}
            status => return Err(Unanswered::Status(status)),
        }
    }
    body["head_sha"] = json!(head);
    api.post(&format!("/repos/{home}/check-runs"), &body).await
}
