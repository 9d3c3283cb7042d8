//! Merging a merge request at GitLab, if its newest commit is the one that is known. The token needs the scope `api`, and may merge
//! into that branch.
//! <https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request>

use domain::Repository;
use domain::undo::Opened;
use serde::Deserialize;
use serde_json::json;

use super::super::api::{Api, Unanswered};
use super::super::reverts::Unmerged;
use super::project;

#[derive(Deserialize)]
struct Request {
    state: Option<String>,
    sha: Option<String>,
}

pub async fn merge(api: &Api<'_>, repository: &Repository, opened: &Opened, act: bool) -> Result<(), Unmerged> {
    let path = format!("/projects/{}/merge_requests/{}", project(repository), opened.number);
    let request: Request = api.get(&path).await?;
    match request.state.as_deref() {
        Some("merged") => return Ok(()),
        Some(_) | None if !act => return Err(Unmerged::Refused("it is not merged".to_owned())),
        Some("opened") => {}
        Some("locked") => return Err(Unmerged::NotNow("it is just being merged".to_owned())),
        Some(_) | None => return Err(Unmerged::Refused("it was closed".to_owned())),
    }
    let sha = request.sha.unwrap_or_default();
    let known = opened.head.as_ref().map_or("", domain::Commit::as_str);
    if known.is_empty() || sha != known {
        return Err(Unmerged::Refused("something was added to it".to_owned()));
    }
    let answer = api.send_json("PUT", &format!("{path}/merge"), &json!({ "sha": known })).await?;
    match answer.status {
        200 => Ok(()),
        // A pipeline runs yet, or it is not known yet whether it can be merged.
        405 | 422 => {
            Err(Unmerged::NotNow("GitLab does not merge it yet: its pipeline, or a rule of its branch".to_owned()))
        }
        409 => Err(Unmerged::Refused("something was added to it".to_owned())),
        401 | 403 | 404 => Err(Unmerged::Refused("the token may not merge it".to_owned())),
        status => Err(Unanswered::Status(status).into()),
    }
}
