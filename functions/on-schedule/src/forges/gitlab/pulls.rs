//! Open merge requests, the statuses of their commits, and notes. The token needs the scope `api` and the role Developer.
//! <https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests>
//! <https://docs.gitlab.com/api/commits/#set-commit-pipeline-status>
//! <https://docs.gitlab.com/api/notes/#create-new-merge-request-note>
//!
//! A status is a job of the newest pipeline of its commit, or of one that is made for it. A commit that is on no branch of
//! the project, as of a fork without pipelines here, has neither: the answer is 404.

use domain::{Commit, Login, MergeStatus, OpenPull, Repository, Verdict};
use serde::Deserialize;
use serde_json::json;

use super::super::api::{Api, Unanswered};
use super::super::freeze::{self, STATUS};
use super::{PER_PAGE, project};

#[derive(Deserialize)]
struct Request {
    iid: u64,
    /// None before GitLab has looked at it.
    sha: Option<String>,
    author: Option<Account>,
    title: Option<String>,
    web_url: Option<String>,
    target_branch: String,
    draft: Option<bool>,
    work_in_progress: Option<bool>,
    source_project_id: Option<u64>,
    target_project_id: Option<u64>,
    labels: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Account {
    username: String,
}

impl Request {
    fn open(self) -> Option<OpenPull> {
        let author = self.author.and_then(|author| Login::new("gitlab", &author.username).ok());
        Some(OpenPull {
            number: self.iid,
            head: self.sha?.parse().ok()?,
            author: author.or_else(|| Login::new("gitlab", "ghost").ok())?,
            title: self.title.unwrap_or_default(),
            url: self.web_url,
            base: self.target_branch,
            draft: self.draft.or(self.work_in_progress) == Some(true),
            fork: self.source_project_id != self.target_project_id,
            labels: self.labels.unwrap_or_default(),
        })
    }
}

pub async fn open(api: &Api<'_>, repository: &Repository) -> Result<Vec<OpenPull>, Unanswered> {
    let (mut pulls, project) = (Vec::new(), project(repository));
    for page in 1..=freeze::pages(PER_PAGE) {
        let query = format!("state=opened&order_by=created_at&sort=desc&per_page={PER_PAGE}&page={page}");
        let listed: Vec<Request> = api.get(&format!("/projects/{project}/merge_requests?{query}")).await?;
        let full = listed.len() >= PER_PAGE;
        freeze::add(&mut pulls, listed.into_iter().filter_map(Request::open));
        if !full {
            break;
        }
    }
    Ok(pulls)
}

pub async fn tell(
    api: &Api<'_>,
    repository: &Repository,
    _number: u64,
    head: &Commit,
    status: &MergeStatus,
) -> Result<(), Unanswered> {
    let state = match status.verdict {
        Verdict::Passes => "success",
        Verdict::Fails => "failed",
    };
    let body = json!({ "state": state, "name": STATUS, "description": status.words, "target_url": status.url });
    let answer = api.send_json("POST", &format!("/projects/{}/statuses/{head}", project(repository)), &body).await?;
    match answer.status {
        200..300 => Ok(()),
        400 if stands_already(&answer.body, state) => Ok(()),
        status => Err(Unanswered::Status(status)),
    }
}

/// `Cannot transition status via :drop from :failed`: it is as it is to be.
fn stands_already(body: &[u8], state: &str) -> bool {
    let said = String::from_utf8_lossy(body);
    said.contains("Cannot transition status") && said.contains(&format!("from :{state} "))
}

pub async fn comment(api: &Api<'_>, repository: &Repository, number: u64, text: &str) -> Result<(), Unanswered> {
    let path = format!("/projects/{}/merge_requests/{number}/notes", project(repository));
    api.post(&path, &json!({ "body": without_commands(text) })).await
}

/// A line that begins with a slash would be done, with the rights of our token: `/merge`, `/approve`.
fn without_commands(text: &str) -> String {
    let line = |line: &str| if line.starts_with('/') { format!("\\{line}") } else { line.to_owned() };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_stands_already_is_no_failure() {
        let said = |from: &str| {
            format!("{{\"message\":\"Cannot transition status via :drop from :{from} (Reason(s): ...)\"}}")
        };
        assert!(stands_already(said("failed").as_bytes(), "failed"));
        assert!(!stands_already(said("success").as_bytes(), "failed"));
        assert!(!stands_already(b"{\"error\":\"name is invalid\"}", "failed"));
    }

    #[test]
    fn nothing_that_is_said_is_done() {
        assert_eq!(without_commands("Freeze.\n/merge\r\n /x\n\n/"), "Freeze.\n\\/merge\n /x\n\n\\/");
    }
}
