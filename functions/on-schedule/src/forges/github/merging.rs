//! Merging a pull request at GitHub, if its newest commit is the one that is known. The token needs `Contents: read and write`.
//! <https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request>

use domain::Repository;
use domain::undo::Opened;
use serde::Deserialize;
use serde_json::json;

use super::super::api::{self, Api, Unanswered};
use super::super::reverts::Unmerged;

#[derive(Deserialize)]
struct Pull {
    #[serde(default)]
    merged: bool,
    state: Option<String>,
    head: Option<Head>,
}

#[derive(Deserialize)]
struct Head {
    sha: Option<String>,
}

pub async fn merge(api: &Api<'_>, repository: &Repository, opened: &Opened, act: bool) -> Result<(), Unmerged> {
    let path = format!("/repos/{}/pulls/{}", api::path(repository), opened.number);
    let pull: Pull = api.get(&path).await?;
    if pull.merged {
        return Ok(());
    }
    if !act {
        return Err(Unmerged::Refused("it is not merged".to_owned()));
    }
    if pull.state.as_deref() != Some("open") {
        return Err(Unmerged::Refused("it was closed".to_owned()));
    }
    let head = pull.head.and_then(|head| head.sha).unwrap_or_default();
    let known = opened.head.as_ref().map_or("", domain::Commit::as_str);
    if known.is_empty() || head != known {
        return Err(Unmerged::Refused("something was added to it".to_owned()));
    }
    // Each repository says by which ways it merges.
    let mut answer = None;
    for method in ["merge", "squash", "rebase"] {
        let asked = json!({ "sha": known, "merge_method": method });
        let said = api.send_json("PUT", &format!("{path}/merge"), &asked).await?;
        let not_so =
            said.status == 405 && String::from_utf8_lossy(&said.body).contains("not allowed on this repository");
        answer = Some(said.status);
        if !not_so {
            break;
        }
    }
    match answer.unwrap_or(405) {
        200 => Ok(()),
        // Its checks run yet, or it is in the way of another that is just being merged.
        405 => Err(Unmerged::NotNow("GitHub does not merge it yet: its checks, or a rule of its branch".to_owned())),
        409 => Err(Unmerged::Refused("something was added to it".to_owned())),
        403 | 404 => Err(Unmerged::Refused("the token may not merge it".to_owned())),
        422 => Err(Unmerged::Refused("GitHub does not take it".to_owned())),
        status => Err(Unanswered::Status(status).into()),
    }
}
