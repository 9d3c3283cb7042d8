//! Azure DevOps makes a branch that reverts a pull request or a commit, in its own time; then a pull request is made of that. The
//! token needs `Code: read and write`.
//! <https://learn.microsoft.com/en-us/rest/api/azure/devops/git/reverts/create>
//! <https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-requests/create>
//! <https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-request-labels/create>

use std::time::Duration;

use domain::undo::{Opened, Why};
use domain::{ChangeKind, Commit, PullEvent, Repository, text};
use serde::Deserialize;
use serde_json::json;

use super::super::api::{self, Api, Unanswered};
use super::super::reverts::{Listed, State, Unopened, Wanted};
use super::{List, VERSION, home};

/// So many of the newest are looked at: each may have a long text.
const NEWEST: usize = 30;
/// Reverts, and labels, are called a preview until 7.1.
const PREVIEW: &str = "api-version=6.0-preview.1";
/// How often it is asked whether the branch is there. What takes longer is looked for by the next try.
const MOST_LOOKS: usize = 5;
const BETWEEN: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pull {
    pull_request_id: u64,
    title: Option<String>,
    description: Option<String>,
    status: Option<String>,
    fork_source: Option<serde::de::IgnoredAny>,
    last_merge_source_commit: Option<Id>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Id {
    commit_id: String,
}

/// The making of the branch.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    revert_id: Option<u64>,
    status: Option<String>,
    detailed_status: Option<Detail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    #[serde(default)]
    conflict: bool,
    failure_message: Option<String>,
    status: Option<String>,
}

impl Pull {
    fn is_it(&self, wanted: &Wanted<'_>) -> bool {
        wanted.is_it(&Listed {
            title: self.title.as_deref().unwrap_or_default(),
            body: self.description.as_deref().unwrap_or_default(),
            state: match self.status.as_deref() {
                Some("active") => State::Open,
                Some("completed") => State::Merged,
                Some(_) | None => State::Closed,
            },
            is_fork: self.fork_source.is_some(),
        })
    }

    fn opened(self, page: &str, found: bool) -> Opened {
        let number = self.pull_request_id;
        let head = self.last_merge_source_commit.and_then(|id| id.commit_id.parse::<Commit>().ok());
        Opened { number, url: text::url(&format!("{page}/{number}")), head, found }
    }
}

pub async fn open(api: &Api<'_>, wanted: &Wanted<'_>) -> Result<Opened, Unopened> {
    let (home, (project, name)) = (home(wanted.repository()), api::pair(wanted.repository()));
    let page = format!("{}/{project}/_git/{name}/pullrequest", api.base());
    if let Some(pull) = find(api, &home, wanted).await? {
        return Ok(pull.opened(&page, true));
    }
    let branch = format!("refs/heads/{}", wanted.branch());
    let onto = format!("refs/heads/{}", wanted.undo.base);
    branched(api, &home, &branch, &onto, wanted).await?;
    let body = json!({
        "sourceRefName": branch, "targetRefName": onto, "title": wanted.title(),
        "description": wanted.body(|number| format!("!{number}")), "labels": [{ "name": PullEvent::EXPEDITE }],
    });
    let answer = api.send_json("POST", &format!("{home}/pullrequests?{VERSION}"), &body).await?;
    if !(200..300).contains(&answer.status) {
        return Err(Unanswered::Status(answer.status).into());
    }
    let pull: Pull = aws::wire::parse(&answer.body).map_err(Unanswered::Malformed)?;
    Ok(pull.opened(&page, false))
}

async fn find(api: &Api<'_>, home: &str, wanted: &Wanted<'_>) -> Result<Option<Pull>, Unanswered> {
    let branch = api::encoded(&format!("refs/heads/{}", wanted.branch()));
    let ours = format!("searchCriteria.sourceRefName={branch}&searchCriteria.status=all");
    for query in [ours, "searchCriteria.status=active".to_owned()] {
        let path = format!("{home}/pullrequests?{query}&$top={NEWEST}&{VERSION}");
        let listed: List<Pull> = api.get(&path).await?;
        if let Some(pull) = listed.value.into_iter().find(|pull| pull.is_it(wanted)) {
            return Ok(Some(pull));
        }
    }
    Ok(None)
}

/// Has the branch made, unless a try before this one had.
async fn branched(api: &Api<'_>, home: &str, branch: &str, onto: &str, wanted: &Wanted<'_>) -> Result<(), Unopened> {
    let known = api.ask(&format!("{home}/reverts?refName={}&{PREVIEW}", api::encoded(branch))).await?;
    let mut operation = match known.status {
        200 => Some(aws::wire::parse::<Operation>(&known.body).map_err(Unanswered::Malformed)?),
        404 => None,
        status => return Err(Unanswered::Status(status).into()),
    };
    // What failed before is tried anew.
    operation = operation
        .filter(|operation| matches!(operation.status.as_deref(), Some("queued" | "inProgress" | "completed")));
    for _ in 0..MOST_LOOKS {
        let now = match operation.take() {
            Some(operation) => operation,
            None => begin(api, home, branch, onto, wanted).await?,
        };
        match (now.status.as_deref(), now.revert_id) {
            (Some("completed"), _) => return Ok(()),
            (Some("queued" | "inProgress"), Some(id)) => {
                tokio::time::sleep(BETWEEN).await;
                operation = Some(api.get(&format!("{home}/reverts/{id}?{PREVIEW}")).await?);
            }
            (_, _) => return Err(failed(now.detailed_status)),
        }
    }
    Err(Unanswered::Said("it is still making the branch".to_owned()).into())
}

async fn begin(
    api: &Api<'_>,
    home: &str,
    branch: &str,
    onto: &str,
    wanted: &Wanted<'_>,
) -> Result<Operation, Unanswered> {
    let source = match wanted.undo.kind {
        ChangeKind::PullRequest { number } => json!({ "pullRequestId": number }),
        ChangeKind::DirectPush => json!({ "commitList": [{ "commitId": wanted.undo.change.commit }] }),
    };
    let (_, name) = api::pair(wanted.repository());
    let body =
        json!({ "generatedRefName": branch, "ontoRefName": onto, "repository": { "name": name }, "source": source });
    let answer = api.send_json("POST", &format!("{home}/reverts?{PREVIEW}"), &body).await?;
    if !(200..300).contains(&answer.status) {
        return Err(Unanswered::Status(answer.status));
    }
    aws::wire::parse(&answer.body).map_err(Unanswered::Malformed)
}

fn failed(detail: Option<Detail>) -> Unopened {
    let Some(detail) = detail else { return Unanswered::malformed("a revert that failed without saying why").into() };
    match detail.status.as_deref() {
        _ if detail.conflict => Why::Conflicts.into(),
        Some("createBranchPermissionRequired" | "writePermissionRequired") => Why::NotAllowed.into(),
        status => {
            let why = detail.failure_message.as_deref().or(status).unwrap_or("it failed");
            Why::Said { why: text::line(why, 160) }.into()
        }
    }
}

pub async fn label(api: &Api<'_>, repository: &Repository, number: u64, label: &str) -> Result<(), Unanswered> {
    let path = format!("{}/pullRequests/{number}/labels?{PREVIEW}", home(repository));
    api.post(&path, &json!({ "name": label })).await
}
