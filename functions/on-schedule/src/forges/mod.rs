//! What forges are asked, once nobody waits for the answer: which commits a release carries, which files a change
//! touches, who merged what; for a merge freeze, in [`freeze`], what is open. Each forge has a file; what they have in
//! common is in [`api`].

pub mod api;
mod azure;
mod bitbucket;
mod bitbucket_server;
pub mod comments;
mod diff;
pub mod freeze;
mod gitea;
pub(crate) mod github;
mod gitlab;
mod listed;
mod pull;
pub mod reverts;

use std::collections::BTreeSet;

use aws::House;
use aws::settings::{GitHubApp, SenderConfig};
use domain::change::Files;
use domain::merge_desk::Manner;
use domain::on_deploy::Question;
use domain::on_merge::errands::Errand;
use domain::on_merge::files::FilesQuestion;
use domain::{Change, Repository, Service};
use tokio::sync::OnceCell;

use api::Api;
pub use api::Unanswered;

/// The commits that a deployment brought.
pub type Commits = BTreeSet<domain::Commit>;

/// Whose API is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    GitHub,
    GitLab,
    Bitbucket,
    BitbucketServer,
    Gitea,
    Azure,
}

/// Each with the name of its sources, and where its accounts are.
const KINDS: [(Kind, &str, &str); 6] = [
    (Kind::GitHub, "github", "github"),
    (Kind::GitLab, "gitlab", "gitlab"),
    (Kind::Bitbucket, "bitbucket", "bitbucket"),
    (Kind::BitbucketServer, "bitbucket-server", "bitbucket"),
    (Kind::Gitea, "gitea", "gitea"),
    (Kind::Azure, "azure", "azure"),
];

/// The forge that knows about a repository, where the configuration names a token for it.
pub struct Forge<'a> {
    kind: Kind,
    /// The name of the secret.
    token: &'a str,
    api_url: Option<&'a str>,
    /// The App as which check runs are told, and its token once that is known.
    checks: Option<&'a GitHubApp>,
    checks_token: OnceCell<String>,
    house: &'a House,
}

impl<'a> Forge<'a> {
    /// The forge to ask about a repository. Where several could know it: the one where this account is.
    #[must_use]
    pub fn of(house: &'a House, repository: &Repository, account: Option<&str>) -> Option<Self> {
        let knows = |(kind, name, accounts)| {
            let source = house.configuration.forge_of(name, repository)?;
            let token = source.api_token.as_deref()?;
            let own = account == Some(accounts);
            // Another one may have a repository of the same name: it is asked only if its source says that it is its own.
            let elsewhere = !own && KINDS.iter().any(|(_, _, accounts)| account == Some(*accounts));
            let asked = !elsewhere || !source.repositories.is_empty();
            asked.then_some((own, Self::new(house, kind, token, source)))
        };
        let mut forges: Vec<_> = KINDS.into_iter().filter_map(knows).collect();
        forges.sort_by_key(|(own, _)| !own);
        forges.into_iter().next().map(|(_, forge)| forge)
    }

    /// The forge at whose open pull requests merge freezes are to stand, and how: that of the source which wants it.
    #[must_use]
    pub fn told_of_freezes(house: &'a House, repository: &Repository) -> Option<(Self, Manner)> {
        let (source, manner) = house.configuration.merge_source_of(repository)?;
        let mut forge = Self::of_source(house, source)?;
        forge.checks = source.app.as_ref().filter(|_| source.check_runs && forge.kind == Kind::GitHub);
        Some((forge, manner))
    }

    /// The forge at whose merged pull requests a comment is to stand.
    #[must_use]
    pub fn commented(house: &'a House, repository: &Repository) -> Option<Self> {
        Self::of_source(house, house.configuration.comment_source_of(repository)?)
    }

    fn of_source(house: &'a House, source: &'a SenderConfig) -> Option<Self> {
        let (kind, ..) = KINDS.into_iter().find(|(_, name, _)| *name == source.kind)?;
        Some(Self::new(house, kind, source.api_token.as_deref()?, source))
    }

    fn new(house: &'a House, kind: Kind, token: &'a str, source: &'a SenderConfig) -> Self {
        let (api_url, checks) = (source.api_url.as_deref(), None);
        Self { kind, token, api_url, checks, checks_token: OnceCell::new(), house }
    }

    /// Whether there is any forge to ask about what goes live in a service.
    #[must_use]
    pub fn knows_any(house: &House, service: &Service) -> bool {
        let own = service.repositories.iter().map(|r| &r.repository);
        let mut all = own.chain(service.upstreams.iter().map(|u| &u.repository));
        all.any(|repository| Forge::of(house, repository, None).is_some())
    }

    /// The commits in the question's head that are not in its base.
    pub async fn compare(&self, question: &Question) -> Result<Commits, Unanswered> {
        let (api, repository) = (self.api()?, &question.repository);
        let (base, head) = (&question.base, &question.head);
        match self.kind {
            Kind::GitHub => github::compare(&api, repository, base, head).await,
            Kind::GitLab => gitlab::compare(&api, repository, base, head).await,
            Kind::Bitbucket => bitbucket::compare(&api, repository, base, head).await,
            Kind::BitbucketServer => bitbucket_server::compare(&api, repository, base, head).await,
            Kind::Gitea => gitea::compare(&api, repository, base, head).await,
            Kind::Azure => azure::compare(&api, repository, base, head).await,
        }
    }

    /// The files that a change touches, with how many lines of each where the forge says.
    pub async fn files(&self, question: &FilesQuestion) -> Result<Files, Unanswered> {
        let (api, change, kind) = (self.api()?, &question.change, question.kind);
        let touched = match self.kind {
            Kind::GitHub => github::files(&api, change, kind).await,
            Kind::GitLab => gitlab::files(&api, change, kind).await,
            Kind::Bitbucket => bitbucket::files(&api, change, kind).await,
            Kind::BitbucketServer => bitbucket_server::files(&api, change, kind).await,
            Kind::Gitea => gitea::files(&api, change, kind).await,
            Kind::Azure => azure::files(&api, change, kind).await,
        };
        Ok(touched?.files())
    }

    /// The change of which only that it was merged is known.
    pub async fn merged(&self, errand: &Errand) -> Result<Change, Unanswered> {
        let api = self.api()?;
        match self.kind {
            Kind::GitHub => github::merged(&api, errand).await,
            Kind::GitLab => gitlab::merged(&api, errand).await,
            Kind::Gitea => gitea::merged(&api, errand).await,
            Kind::Bitbucket | Kind::BitbucketServer | Kind::Azure => Err(Unanswered::NotAskedForMerges),
        }
    }

    fn api(&self) -> Result<Api<'a>, Unanswered> {
        let token = self.house.secrets.first(self.token).map_err(Unanswered::Token)?;
        let (usual, headers) = match self.kind {
            Kind::GitHub => (Some(github::API), github::headers(token.expose())),
            Kind::GitLab => (Some(gitlab::API), gitlab::headers(token.expose())),
            Kind::Bitbucket => (Some(bitbucket::API), bitbucket::headers(token.expose())),
            Kind::BitbucketServer => (None, bitbucket_server::headers(token.expose())),
            Kind::Gitea => (None, gitea::headers(token.expose())),
            Kind::Azure => (None, azure::headers(token.expose())),
        };
        let base = self.api_url.or(usual).ok_or(Unanswered::NoAddress)?;
        Ok(Api::new(&self.house.http, base, headers))
    }
}
