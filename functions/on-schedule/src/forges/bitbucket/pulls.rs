//! Open pull requests, build statuses of their commits, and comments. The token needs `repository:write` for the statuses
//! and `pullrequest:write` for the comments.
//! <https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/>
//! <https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses/>

use domain::{Commit, Login, MergeStatus, OpenPull, Repository, Verdict};
use serde::Deserialize;
use serde_json::json;

use super::super::api::{self, Api, Unanswered};
use super::super::freeze::{self, STATUS};
use super::{Page, get, query_of};

/// The most that it gives of pull requests at a time.
const PER_PAGE: usize = 50;

#[derive(Deserialize)]
struct Pull {
    id: u64,
    title: Option<String>,
    author: Option<Account>,
    draft: Option<bool>,
    source: Side,
    destination: Side,
    links: Option<Links>,
}

#[derive(Deserialize)]
struct Account {
    nickname: Option<String>,
    account_id: Option<String>,
    uuid: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Side {
    commit: Option<Hash>,
    branch: Branch,
    /// None where the fork was deleted.
    repository: Option<Home>,
}

#[derive(Deserialize)]
struct Hash {
    hash: String,
}

#[derive(Deserialize)]
struct Branch {
    name: String,
}

#[derive(Deserialize)]
struct Home {
    full_name: String,
}

#[derive(Deserialize)]
struct Links {
    html: Option<Link>,
}

#[derive(Deserialize)]
struct Link {
    href: String,
}

impl Account {
    /// By the name by which its webhook tells it.
    fn login(&self) -> Option<Login> {
        let uuid = self.uuid.as_deref().map(|uuid| uuid.trim_matches(['{', '}']));
        let bot = if self.kind.as_deref() == Some("app_user") { "[bot]" } else { "" };
        let names = [self.nickname.as_deref(), self.account_id.as_deref(), uuid];
        names.into_iter().flatten().find_map(|name| Login::new("bitbucket", &format!("{name}{bot}")).ok())
    }
}

impl Pull {
    /// None where its commit is not told, as of a branch that is gone.
    fn open(self) -> Option<OpenPull> {
        let author = self.author.as_ref().and_then(Account::login);
        let home = |side: Option<Home>| side.map(|home| home.full_name.to_lowercase());
        Some(OpenPull {
            number: self.id,
            head: self.source.commit?.hash.parse().ok()?,
            author: author.or_else(|| Login::new("bitbucket", "ghost").ok())?,
            title: self.title.unwrap_or_default(),
            url: self.links.and_then(|links| links.html).map(|link| link.href),
            base: self.destination.branch.name,
            draft: self.draft == Some(true),
            fork: home(self.source.repository) != home(self.destination.repository),
            labels: Vec::new(),
        })
    }
}

fn home(repository: &Repository) -> String {
    format!("/repositories/{}", api::path(repository))
}

pub async fn open(api: &Api<'_>, repository: &Repository) -> Result<Vec<OpenPull>, Unanswered> {
    let (mut pulls, path) = (Vec::new(), format!("{}/pullrequests", home(repository)));
    let mut query = format!("state=OPEN&sort=-created_on&pagelen={PER_PAGE}");
    for _ in 0..freeze::pages(PER_PAGE) {
        let page: Page<Pull> = get(api, &path, &query).await?;
        freeze::add(&mut pulls, page.values.into_iter().filter_map(Pull::open));
        match page.next {
            Some(next) => query = query_of(&next)?,
            None => break,
        }
    }
    Ok(pulls)
}

/// One of the same key is overwritten.
pub async fn tell(
    api: &Api<'_>,
    repository: &Repository,
    _number: u64,
    head: &Commit,
    status: &MergeStatus,
) -> Result<(), Unanswered> {
    let state = match status.verdict {
        Verdict::Passes => "SUCCESSFUL",
        Verdict::Fails => "FAILED",
    };
    let body = json!({ "key": STATUS, "state": state, "name": STATUS, "description": status.words, "url": status.url });
    api.post(&format!("{}/commit/{head}/statuses/build", home(repository)), &body).await
}

pub async fn comment(api: &Api<'_>, repository: &Repository, number: u64, text: &str) -> Result<(), Unanswered> {
    let path = format!("{}/pullrequests/{number}/comments", home(repository));
    api.post(&path, &json!({ "content": { "raw": text } })).await
}
