//! GitLab reverts a commit on a branch; then a merge request is made of that. It is tried on the target branch first, without doing
//! it. The token needs the scope `api` and the role Developer.
//! <https://docs.gitlab.com/api/commits/#revert-a-commit>
//! <https://docs.gitlab.com/api/branches/#create-repository-branch>
//! <https://docs.gitlab.com/api/merge_requests/#create-mr>

use domain::undo::{Opened, Why};
use domain::{ChangeKind, Commit, PullEvent, Repository, text};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::api::{self, Api, Unanswered};
use super::super::reverts::{Listed, State, Unopened, Wanted};
use super::project;

/// So many of the newest are looked at: each may have a long text.
const NEWEST: usize = 30;

#[derive(Deserialize)]
struct Request {
    iid: u64,
    sha: Option<String>,
    title: Option<String>,
    description: Option<String>,
    web_url: Option<String>,
    state: Option<String>,
    source_project_id: Option<u64>,
    target_project_id: Option<u64>,
    merge_commit_sha: Option<String>,
    squash_commit_sha: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error_code: Option<String>,
    message: Option<Value>,
}

impl Request {
    fn is_it(&self, wanted: &Wanted<'_>) -> bool {
        wanted.is_it(&Listed {
            title: self.title.as_deref().unwrap_or_default(),
            body: self.description.as_deref().unwrap_or_default(),
            state: match self.state.as_deref() {
                Some("opened") => State::Open,
                // Just being merged.
                Some("merged" | "locked") => State::Merged,
                Some(_) | None => State::Closed,
            },
            is_fork: self.source_project_id != self.target_project_id,
        })
    }

    fn opened(self, found: bool) -> Opened {
        let head = self.sha.and_then(|sha| sha.parse::<Commit>().ok());
        Opened { number: self.iid, url: self.web_url.as_deref().and_then(text::url), head, found }
    }
}

pub async fn open(api: &Api<'_>, wanted: &Wanted<'_>) -> Result<Opened, Unopened> {
    let home = format!("/projects/{}", project(wanted.repository()));
    if let Some(request) = find(api, &home, wanted).await? {
        return Ok(request.opened(true));
    }
    let (commit, branch, base) = (taken_back(api, &home, wanted).await?, wanted.branch(), &wanted.undo.base);
    let revert = format!("{home}/repository/commits/{commit}/revert");
    refusal(&api.send_json("POST", &revert, &json!({ "branch": base, "dry_run": true })).await?)?;
    let made = json!({ "branch": branch, "ref": base });
    let answer = api.send_json("POST", &format!("{home}/repository/branches"), &made).await?;
    match answer.status {
        // Of a try that was cut off.
        400 if String::from_utf8_lossy(&answer.body).contains("already exists") => {}
        200..300 => {}
        status => return Err(Unanswered::Status(status).into()),
    }
    match refusal(&api.send_json("POST", &revert, &json!({ "branch": branch })).await?) {
        // On the target it could be done a moment ago: on the branch it is done.
        Err(Unopened::Refused(Why::Conflicts | Why::NothingLeft)) | Ok(()) => {}
        Err(other) => return Err(other),
    }
    let body = json!({
        "source_branch": branch, "target_branch": base, "title": wanted.title(),
        "description": wanted.body(|number| format!("!{number}")),
        "labels": PullEvent::EXPEDITE, "remove_source_branch": true,
    });
    let answer = api.send_json("POST", &format!("{home}/merge_requests"), &body).await?;
    if answer.status != 201 {
        return Err(Unanswered::Status(answer.status).into());
    }
    let request: Request = aws::wire::parse(&answer.body).map_err(Unanswered::Malformed)?;
    Ok(request.opened(false))
}

/// Ours by its branch, or another that is open.
async fn find(api: &Api<'_>, home: &str, wanted: &Wanted<'_>) -> Result<Option<Request>, Unanswered> {
    let branch = api::encoded(&wanted.branch());
    for query in [format!("source_branch={branch}&state=all"), "state=opened".to_owned()] {
        let order = format!("order_by=created_at&sort=desc&per_page={NEWEST}");
        let listed: Vec<Request> = api.get(&format!("{home}/merge_requests?{query}&{order}")).await?;
        if let Some(request) = listed.into_iter().find(|request| request.is_it(wanted)) {
            return Ok(Some(request));
        }
    }
    Ok(None)
}

/// The commit that has all of the change: where it was merged as several commits by fast-forward there is none.
async fn taken_back(api: &Api<'_>, home: &str, wanted: &Wanted<'_>) -> Result<Commit, Unopened> {
    let own = || wanted.undo.change.commit.clone();
    let ChangeKind::PullRequest { number } = wanted.undo.kind else { return Ok(own()) };
    let request: Request = api.get(&format!("{home}/merge_requests/{number}")).await?;
    let whole = request.merge_commit_sha.or(request.squash_commit_sha).and_then(|sha| sha.parse().ok());
    if let Some(whole) = whole {
        return Ok(whole);
    }
    let commits: Vec<Value> = api.get(&format!("{home}/merge_requests/{number}/commits?per_page=2")).await?;
    if commits.len() == 1 { Ok(own()) } else { Err(Why::Several.into()) }
}

/// What GitLab says of a revert that it does not do.
fn refusal(answer: &aws::clients::Answer) -> Result<(), Unopened> {
    match answer.status {
        200..300 => return Ok(()),
        403 => return Err(Why::NotAllowed.into()),
        400 => {}
        status => return Err(Unanswered::Status(status).into()),
    }
    let said: Refusal = aws::wire::parse(&answer.body).map_err(Unanswered::Malformed)?;
    let words = said.message.map(|message| message.as_str().map_or_else(|| message.to_string(), str::to_owned));
    Err(match said.error_code.as_deref() {
        Some("conflict") => Why::Conflicts.into(),
        Some("empty") => Why::NothingLeft.into(),
        Some(_) | None => Why::Said { why: text::line(&words.unwrap_or_default(), 160) }.into(),
    })
}

pub async fn label(api: &Api<'_>, repository: &Repository, number: u64, label: &str) -> Result<(), Unanswered> {
    let path = format!("/projects/{}/merge_requests/{number}", project(repository));
    let answer = api.send_json("PUT", &path, &json!({ "add_labels": label })).await?;
    if (200..300).contains(&answer.status) { Ok(()) } else { Err(Unanswered::Status(answer.status)) }
}
