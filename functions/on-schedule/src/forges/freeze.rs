//! What a forge is asked and told for a merge freeze: which pull requests are open, what a status says of each, and a comment.
//! What blocks a merge is the forge's own rule about this status: we only report.

use aws::settings::GitHubApp;
use domain::{Commit, MergeStatus, OpenPull, Repository, text};

use super::api::Api;
use super::github::app::Permission;
use super::{Forge, Kind, Unanswered, azure, bitbucket, bitbucket_server, gitea, github, gitlab};

/// The name of the status at every forge.
pub const STATUS: &str = "recent-deployers/freeze";
/// So many open pull requests of one repository are told of.
pub const MOST_PULLS: usize = 200;
/// The shortest that a forge takes is 32 KiB.
const MOST_COMMENT: usize = 8000;

impl Forge<'_> {
    /// The open pull requests, the newest first, at most [`MOST_PULLS`].
    pub async fn open_pulls(&self, repository: &Repository) -> Result<Vec<OpenPull>, Unanswered> {
        let api = self.api()?;
        match self.kind {
            Kind::GitHub => github::pulls::open(&api, repository).await,
            Kind::GitLab => gitlab::pulls::open(&api, repository).await,
            Kind::Bitbucket => bitbucket::pulls::open(&api, repository).await,
            Kind::BitbucketServer => bitbucket_server::pulls::open(&api, repository).await,
            Kind::Gitea => gitea::pulls::open(&api, repository).await,
            Kind::Azure => azure::pulls::open(&api, repository).await,
        }
    }

    /// Puts the status on the head of a pull request. The same again changes nothing; GitHub takes a thousand of one commit.
    pub async fn tell_status(
        &self,
        repository: &Repository,
        number: u64,
        head: &Commit,
        status: &MergeStatus,
    ) -> Result<(), Unanswered> {
        let words = text::line(&status.words, MergeStatus::MOST_WORDS);
        let status = &MergeStatus { words, ..status.clone() };
        if let Some(app) = self.checks {
            return self.tell_check(app, repository, head, status).await;
        }
        let api = self.api()?;
        match self.kind {
            Kind::GitHub => github::pulls::tell(&api, repository, number, head, status).await,
            Kind::GitLab => gitlab::pulls::tell(&api, repository, number, head, status).await,
            Kind::Bitbucket => bitbucket::pulls::tell(&api, repository, number, head, status).await,
            Kind::BitbucketServer => bitbucket_server::pulls::tell(&api, repository, number, head, status).await,
            Kind::Gitea => gitea::pulls::tell(&api, repository, number, head, status).await,
            Kind::Azure => azure::pulls::tell(&api, repository, number, head, status).await,
        }
    }

    /// The same as a check run of our App, whose token is asked for once.
    async fn tell_check(
        &self,
        app: &GitHubApp,
        repository: &Repository,
        head: &Commit,
        status: &MergeStatus,
    ) -> Result<(), Unanswered> {
        let base = self.api_url.unwrap_or(github::API);
        let token = || github::app::token_at(self.house, base, app, repository, Permission::Checks);
        let token = self.checks_token.get_or_try_init(token).await?;
        let api = Api::new(&self.house.http, base, github::headers(token));
        github::checks::tell(&api, repository, head, status).await
    }

    /// Leaves one comment. Said twice, it stands there twice.
    pub async fn comment(&self, repository: &Repository, number: u64, text: &str) -> Result<(), Unanswered> {
        let (api, text) = (self.api()?, cut(text));
        match self.kind {
            Kind::GitHub => github::pulls::comment(&api, repository, number, text).await,
            Kind::GitLab => gitlab::pulls::comment(&api, repository, number, text).await,
            Kind::Bitbucket => bitbucket::pulls::comment(&api, repository, number, text).await,
            Kind::BitbucketServer => bitbucket_server::pulls::comment(&api, repository, number, text).await,
            Kind::Gitea => gitea::pulls::comment(&api, repository, number, text).await,
            Kind::Azure => azure::pulls::comment(&api, repository, number, text).await,
        }
    }
}

/// A text as long as a comment may be.
pub fn cut(text: &str) -> &str {
    text.char_indices().nth(MOST_COMMENT).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// How many pages of this length are asked for.
pub fn pages(length: usize) -> usize {
    MOST_PULLS.div_ceil(length)
}

/// Adds a page, bounded, as far as there is room.
pub fn add(pulls: &mut Vec<OpenPull>, page: impl Iterator<Item = OpenPull>) {
    let room = MOST_PULLS.saturating_sub(pulls.len());
    pulls.extend(page.take(room).map(OpenPull::bounded));
}
