//! Open pull requests, build statuses of their commits, and comments. The token needs to read the repository.
//! <https://developer.atlassian.com/server/bitbucket/rest/>
//! <https://developer.atlassian.com/server/bitbucket/how-tos/updating-build-status-for-commits/>
//!
//! Statuses are told by `build-status/1.0`, which every version has; newer ones tell the same of the repository.

use domain::{Commit, Login, MergeStatus, OpenPull, Repository, Verdict};
use serde::Deserialize;
use serde_json::json;

use super::super::api::{Api, Unanswered};
use super::super::freeze::{self, STATUS};
use super::{PER_PAGE, Page, home};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pull {
    id: u64,
    title: Option<String>,
    author: Option<Participant>,
    draft: Option<bool>,
    from_ref: Side,
    to_ref: Side,
    links: Option<Links>,
}

#[derive(Deserialize)]
struct Participant {
    user: Account,
}

#[derive(Deserialize)]
struct Account {
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Side {
    id: String,
    latest_commit: Option<String>,
    repository: Option<Of>,
}

#[derive(Deserialize, PartialEq)]
struct Of {
    id: u64,
}

#[derive(Deserialize)]
struct Links {
    #[serde(rename = "self", default)]
    own: Vec<Option<Link>>,
}

#[derive(Deserialize)]
struct Link {
    href: String,
}

impl Account {
    fn login(&self) -> Option<Login> {
        let bot = if self.kind.as_deref() == Some("SERVICE") { "[bot]" } else { "" };
        Login::new("bitbucket", &format!("{}{bot}", self.name)).ok()
    }
}

impl Pull {
    /// None where its commit is not told.
    fn open(self) -> Option<OpenPull> {
        let author = self.author.as_ref().and_then(|author| author.user.login());
        Some(OpenPull {
            number: self.id,
            head: self.from_ref.latest_commit?.parse().ok()?,
            author: author.or_else(|| Login::new("bitbucket", "ghost").ok())?,
            title: self.title.unwrap_or_default(),
            url: self.links.and_then(|links| links.own.into_iter().flatten().next()).map(|link| link.href),
            base: self.to_ref.id,
            draft: self.draft == Some(true),
            fork: self.from_ref.repository != self.to_ref.repository,
            labels: Vec::new(),
        })
    }
}

pub async fn open(api: &Api<'_>, repository: &Repository) -> Result<Vec<OpenPull>, Unanswered> {
    let (mut pulls, home, mut start) = (Vec::new(), home(repository), 0);
    for _ in 0..freeze::pages(PER_PAGE) {
        let query = format!("state=OPEN&order=NEWEST&limit={PER_PAGE}&start={start}");
        let page: Page<Pull> = api.get(&format!("{home}/pull-requests?{query}")).await?;
        let next = page.next();
        freeze::add(&mut pulls, page.values.into_iter().filter_map(Pull::open));
        match next {
            Some(next) => start = next,
            None => break,
        }
    }
    Ok(pulls)
}

/// One of the same key is overwritten.
pub async fn tell(
    api: &Api<'_>,
    _repository: &Repository,
    _number: u64,
    head: &Commit,
    status: &MergeStatus,
) -> Result<(), Unanswered> {
    let state = match status.verdict {
        Verdict::Passes => "SUCCESSFUL",
        Verdict::Fails => "FAILED",
    };
    let body = json!({ "state": state, "key": STATUS, "name": STATUS, "url": status.url, "description": status.words });
    api.post(&format!("/rest/build-status/1.0/commits/{head}"), &body).await
}

pub async fn comment(api: &Api<'_>, repository: &Repository, number: u64, text: &str) -> Result<(), Unanswered> {
    let path = format!("{}/pull-requests/{number}/comments", home(repository));
    api.post(&path, &json!({ "text": text })).await
}
