//! Open pull requests, their statuses and threads of comments. The token needs `Code: read and write` and `Code: status`.
//! <https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-requests/get-pull-requests>
//! <https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-request-statuses/create>
//! <https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-request-threads/create>
//!
//! A status is one of the pull request, not of its commit: a policy of the branch may require it.

use domain::{Commit, Login, MergeStatus, OpenPull, Repository, Verdict};
use serde::Deserialize;
use serde_json::json;

use super::super::api::{self, Api, Unanswered};
use super::super::freeze::{self, STATUS};
use super::{List, PER_PAGE, VERSION, home};

/// Statuses are called a preview until 7.1.
const STATUSES: &str = "api-version=6.0-preview.1";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pull {
    pull_request_id: u64,
    title: Option<String>,
    created_by: Option<Account>,
    is_draft: Option<bool>,
    target_ref_name: String,
    /// None before Azure has looked at its commits.
    last_merge_source_commit: Option<Id>,
    fork_source: Option<serde::de::IgnoredAny>,
    labels: Option<Vec<Label>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    unique_name: Option<String>,
    id: Option<String>,
    display_name: Option<String>,
    descriptor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Id {
    commit_id: String,
}

#[derive(Deserialize)]
struct Label {
    name: String,
    active: Option<bool>,
}

impl Account {
    /// As its webhook tells it: an address, or an account such as `FABRIKAM\jamal`; a service is marked as a bot.
    fn login(&self) -> Option<Login> {
        let starts = |text: &Option<String>, starts: &[&str]| {
            text.as_deref().is_some_and(|text| starts.iter().any(|start| text.starts_with(start)))
        };
        let is_service = starts(&self.descriptor, &["svc.", "s2s.", "aadsp."])
            || starts(&self.unique_name, &["Build\\", "AgentPool\\"])
            || self.display_name.as_deref().is_some_and(|name| name.contains("Build Service ("));
        let mut names = [self.unique_name.as_deref(), self.id.as_deref()].into_iter().flatten();
        if is_service {
            return names.find_map(|name| Login::new("azure", &format!("{name}[bot]")).ok());
        }
        names.find_map(|name| {
            let own = name.rsplit_once('\\').map_or(name, |(_, own)| own);
            Login::from_email(own).ok().or_else(|| Login::new("azure", name).ok())
        })
    }
}

impl Pull {
    /// None where its commit is not told. `page`: where people look at pull requests of the repository.
    fn open(self, page: &str) -> Option<OpenPull> {
        let author = self.created_by.as_ref().and_then(Account::login);
        let labels = self.labels.into_iter().flatten().filter(|label| label.active != Some(false));
        Some(OpenPull {
            number: self.pull_request_id,
            head: self.last_merge_source_commit?.commit_id.parse().ok()?,
            author: author.or_else(|| Login::new("azure", "ghost").ok())?,
            title: self.title.unwrap_or_default(),
            url: Some(format!("{page}/{}", self.pull_request_id)),
            base: self.target_ref_name,
            draft: self.is_draft == Some(true),
            fork: self.fork_source.is_some(),
            labels: labels.map(|label| label.name).collect(),
        })
    }
}

pub async fn open(api: &Api<'_>, repository: &Repository) -> Result<Vec<OpenPull>, Unanswered> {
    let (mut pulls, home, (project, name)) = (Vec::new(), home(repository), api::pair(repository));
    let page_of = format!("{}/{project}/_git/{name}/pullrequest", api.base());
    for page in 0..freeze::pages(PER_PAGE) {
        let skip = page * PER_PAGE;
        let query = format!("searchCriteria.status=active&$top={PER_PAGE}&$skip={skip}&{VERSION}");
        let listed: List<Pull> = api.get(&format!("{home}/pullrequests?{query}")).await?;
        let full = listed.value.len() >= PER_PAGE;
        freeze::add(&mut pulls, listed.value.into_iter().filter_map(|pull| pull.open(&page_of)));
        if !full {
            break;
        }
    }
    Ok(pulls)
}

/// One of the same genre and name stands for the one before.
pub async fn tell(
    api: &Api<'_>,
    repository: &Repository,
    number: u64,
    _head: &Commit,
    status: &MergeStatus,
) -> Result<(), Unanswered> {
    let state = match status.verdict {
        Verdict::Passes => "succeeded",
        Verdict::Fails => "failed",
    };
    let (genre, name) = STATUS.split_once('/').unwrap_or(("", STATUS));
    let context = json!({ "genre": genre, "name": name });
    let body = json!({ "state": state, "description": status.words, "targetUrl": status.url, "context": context });
    api.post(&format!("{}/pullRequests/{number}/statuses?{STATUSES}", home(repository)), &body).await
}

/// A thread that is closed: an open one may keep the pull request from being completed.
pub async fn comment(api: &Api<'_>, repository: &Repository, number: u64, text: &str) -> Result<(), Unanswered> {
    let comment = json!({ "parentCommentId": 0, "content": text, "commentType": "text" });
    let body = json!({ "comments": [comment], "status": "closed" });
    api.post(&format!("{}/pullRequests/{number}/threads?{VERSION}", home(repository)), &body).await
}
