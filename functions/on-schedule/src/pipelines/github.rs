//! GitHub: a job of Actions that waits for a custom deployment protection rule, which is a GitHub App's. It is approved, or
//! told that it goes on waiting; it is never rejected, since that would fail the run.
//! <https://docs.github.com/en/rest/actions/workflow-runs#review-custom-deployment-protection-rules-for-a-workflow-run>
//!
//! A GitHub App can only review its own rules, so no personal token will do, nor any other app's. The token has to be an
//! *installation access token* (`ghs_...`) of the App that the environment names as its rule, with the repository permission
//! `Deployments: read and write` (the App itself has `Actions: read-only` too and subscribes to `Deployment protection rule`).
//! GitHub issues it for an hour, for the `installation.id` of the webhook, to whoever signs a JWT with the App's private
//! key: a secret that is to last is that key (PEM) with the App's id, not the token.
//! <https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/create-custom-protection-rules>

use domain::{Repository, text};
use serde_json::json;

use crate::forges::api::{self, Api, Unanswered};

/// Characters of a status report. Ten of them can be made about one deployment, so they are made when something changed.
const MOST_COMMENT: usize = 1024;

/// Approves what waits for us in an environment, or only says why it still does. The comment is Markdown there.
pub async fn review(
    api: &Api<'_>,
    repository: &Repository,
    run: u64,
    environment: &str,
    approve: bool,
    comment: &str,
) -> Result<(), Unanswered> {
    let path = format!("/repos/{}/actions/runs/{run}/deployment_protection_rule", api::path(repository));
    let mut said = json!({ "environment_name": environment, "comment": text::line(comment, MOST_COMMENT) });
    if approve {
        said["state"] = json!("approved");
    }
    let answer = api.send_json("POST", &path, &said).await?;
    if (200..300).contains(&answer.status) { Ok(()) } else { Err(Unanswered::Status(answer.status)) }
}
