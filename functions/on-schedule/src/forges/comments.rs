//! The one comment at a merged pull request: left, edited, and found again where nobody knows whether it was left. What it says is the
//! domain's business ([`domain::comments`]).

use aws::clients::Answer as Response;
use aws::wire::{Moment, parse};
use domain::Repository;
use domain::comments::{Answer, Do};
use domain::wording::comments::SIGNED;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::api::{Api, Unanswered};
use super::freeze::cut;
use super::{Forge, Kind, azure, bitbucket, bitbucket_server, gitea, github, gitlab};

/// Clocks differ: ours may have been left so long before we began to.
const SKEW: SignedDuration = SignedDuration::from_mins(2);

impl Forge<'_> {
    /// Brings the comment at a pull request to stand as it should.
    pub async fn write_comment(
        &self,
        repository: &Repository,
        number: u64,
        what: Do,
        text: &str,
    ) -> Result<Answer, Unanswered> {
        let (api, text) = (self.api()?, cut(text));
        let place = Place { api: &api, repository, number };
        let written = match what {
            Do::Leave => self.leave(&place, text).await,
            Do::Edit { id } => self.edit(&place, id, text).await,
            Do::FindOrLeave { since } => match self.find(&place, since - SKEW).await {
                Ok(Some(id)) => self.edit(&place, id, text).await,
                Ok(None) => self.leave(&place, text).await,
                Err(Unanswered::Status(status @ (404 | 410))) => Err(Unanswered::Doubtful(status)),
                Err(error) => Err(error),
            },
        };
        match written {
            Err(Unanswered::Doubtful(status)) => self.meant(&place, what, status).await,
            written => written,
        }
    }

    /// What it means that a comment is not there, or not taken: it alone where its pull request can be seen; its pull request where
    /// only that cannot; else the token's fault, and all are tried again.
    async fn meant(&self, place: &Place<'_>, what: Do, status: u16) -> Result<Answer, Unanswered> {
        let (pulls, query) = match self.kind {
            Kind::GitHub => github::comments::pulls(place),
            Kind::GitLab => gitlab::comments::pulls(place),
            Kind::Bitbucket => bitbucket::comments::pulls(place),
            Kind::BitbucketServer => bitbucket_server::comments::pulls(place),
            Kind::Gitea => gitea::comments::pulls(place),
            Kind::Azure => azure::comments::pulls(place),
        };
        match (place.api.ask(&format!("{pulls}/{}?{query}", place.number)).await?.status, what) {
            (200, Do::Edit { .. }) if status != 403 => Ok(Answer::Deleted),
            (200, _) => Ok(Answer::Refused(format!("the forge answered {status}"))),
            (404 | 410, _) if place.api.ask(&format!("{pulls}?{query}")).await?.status == 200 => Ok(Answer::Deleted),
            _ => Err(Unanswered::Status(status)),
        }
    }

    async fn leave(&self, place: &Place<'_>, text: &str) -> Result<Answer, Unanswered> {
        match self.kind {
            Kind::GitHub => github::comments::leave(place, text).await,
            Kind::GitLab => gitlab::comments::leave(place, text).await,
            Kind::Bitbucket => bitbucket::comments::leave(place, text).await,
            Kind::BitbucketServer => bitbucket_server::comments::leave(place, text).await,
            Kind::Gitea => gitea::comments::leave(place, text).await,
            Kind::Azure => azure::comments::leave(place, text).await,
        }
    }

    async fn edit(&self, place: &Place<'_>, id: u64, text: &str) -> Result<Answer, Unanswered> {
        match self.kind {
            Kind::GitHub => github::comments::edit(place, id, text).await,
            Kind::GitLab => gitlab::comments::edit(place, id, text).await,
            Kind::Bitbucket => bitbucket::comments::edit(place, id, text).await,
            Kind::BitbucketServer => bitbucket_server::comments::edit(place, id, text).await,
            Kind::Gitea => gitea::comments::edit(place, id, text).await,
            Kind::Azure => azure::comments::edit(place, id, text).await,
        }
    }

    /// The one that we left since then.
    async fn find(&self, place: &Place<'_>, since: Timestamp) -> Result<Option<u64>, Unanswered> {
        let found: Vec<Found> = match self.kind {
            Kind::GitHub => github::comments::since(place, since).await?,
            Kind::GitLab => gitlab::comments::newest(place).await?,
            Kind::Bitbucket => bitbucket::comments::newest(place).await?,
            Kind::BitbucketServer => bitbucket_server::comments::newest(place).await?,
            Kind::Gitea => gitea::comments::since(place, since).await?,
            Kind::Azure => azure::comments::all(place).await?,
        };
        // Anybody can begin a comment as ours begin; before we began nobody knew that we would.
        let ours = found.into_iter().filter(|found| found.at >= since && found.text.starts_with(SIGNED));
        Ok(ours.map(|found| found.id).min())
    }
}

/// A pull request at its forge.
pub struct Place<'a> {
    pub api: &'a Api<'a>,
    pub repository: &'a Repository,
    pub number: u64,
}

/// A comment that stands there.
pub struct Found {
    pub id: u64,
    pub text: String,
    pub at: Timestamp,
}

impl Found {
    pub fn new(id: u64, text: Option<String>, at: Moment) -> Self {
        Self { id, text: text.unwrap_or_default(), at: at.0 }
    }
}

#[derive(Deserialize)]
struct Named {
    id: u64,
}

/// What the answer to a first comment means.
pub fn left(response: &Response) -> Result<Answer, Unanswered> {
    if let Some(refused) = refused(response)? {
        return Ok(refused);
    }
    let named: Named = parse(&response.body).map_err(Unanswered::Malformed)?;
    Ok(Answer::Stands(named.id))
}

/// What the answer to an edit means.
pub fn edited(response: &Response, id: u64) -> Result<Answer, Unanswered> {
    Ok(refused(response)?.unwrap_or(Answer::Stands(id)))
}

/// What it means that a comment cannot be looked at before it is edited.
pub fn unseen(response: &Response) -> Result<Answer, Unanswered> {
    // An address that asks to sign in answers as if it were well.
    refused(response)?.ok_or(Unanswered::Status(response.status))
}

/// What is refused for this pull request alone; nothing: it was taken. Else the forge takes nothing just now.
fn refused(response: &Response) -> Result<Option<Answer>, Unanswered> {
    let said = |part: &str| String::from_utf8_lossy(&response.body).to_lowercase().contains(part);
    match response.status {
        200..300 => Ok(None),
        // GitHub limits how much is written by 403 too.
        403 if response.retry_after.is_some() || said("rate limit") => Err(Unanswered::Status(403)),
        403 if said("locked") => Ok(Some(Answer::Locked)),
        status @ (400 | 409 | 413 | 422) => Ok(Some(Answer::Refused(format!("the forge answered {status}")))),
        status @ (403 | 404 | 410) => Err(Unanswered::Doubtful(status)),
        status => Err(Unanswered::Status(status)),
    }
}
