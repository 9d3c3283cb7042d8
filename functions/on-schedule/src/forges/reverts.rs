//! Opening the pull request that reverts a change: looked for first, since a try may have been cut off behind it, or somebody may
//! have been faster at the forge. One from a fork is nobody's whom we know, whatever it says.
//!
//! Neither Bitbucket nor Gitea has an API for it: Bitbucket has a button on its page of the pull request alone
//! (<https://support.atlassian.com/bitbucket-cloud/docs/revert-a-pull-request/>), Gitea a form.

use aws::House;
use domain::undo::{Opened, Undo, Why};
use domain::wording::reverts as words;
use domain::{ChangeKind, Claim, PullEvent, Repository, revert};

use super::{Forge, Kind, Unanswered, azure, github, gitlab};

/// What is to be opened.
pub struct Wanted<'a> {
    pub undo: &'a Undo,
    /// Who asked for it, by name.
    pub by: &'a str,
}

/// Why it is not.
#[derive(Debug, thiserror::Error)]
pub enum Unopened {
    #[error(transparent)]
    Refused(#[from] Why),
    /// It may be there all the same.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
}

/// Why it is not merged.
#[derive(Debug, thiserror::Error)]
pub enum Unmerged {
    #[error("{0}")]
    Refused(String),
    /// Its checks run yet, or it did not answer: it is asked again.
    #[error("{0}")]
    NotNow(String),
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
}

/// One that is there, as a forge lists it.
pub struct Listed<'a> {
    pub title: &'a str,
    pub body: &'a str,
    pub state: State,
    pub is_fork: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    Merged,
    /// Without being merged: it reverts nothing.
    Closed,
}

impl Wanted<'_> {
    pub fn repository(&self) -> &Repository {
        &self.undo.change.repository
    }

    pub fn title(&self) -> String {
        words::title(self.undo)
    }

    /// `number`: how the forge refers to a pull request.
    pub fn body(&self, number: impl Fn(u64) -> String) -> String {
        words::body(self.undo, self.by, number, &self.marker())
    }

    /// Where we name the branch ourselves: of one change always the same.
    pub fn branch(&self) -> String {
        let commit = self.undo.change.commit.as_str();
        format!("recent-deployers/revert-{}", commit.get(..12).unwrap_or(commit))
    }

    /// By what ours is known again.
    fn marker(&self) -> String {
        format!("recent-deployers: revert of {}", self.undo.change)
    }

    /// Whether this one is it: ours, open or merged, or another that is open and of the same change.
    pub fn is_it(&self, listed: &Listed<'_>) -> bool {
        let ours = || listed.body.contains(&format!("<!-- {} -->", self.marker()));
        !listed.is_fork
            && match listed.state {
                State::Open => ours() || self.is_reverted_by(listed),
                State::Merged => ours(),
                State::Closed => false,
            }
    }

    fn is_reverted_by(&self, listed: &Listed<'_>) -> bool {
        let said = revert::read(listed.title, listed.body, self.repository()).filter(|said| !said.lands_again);
        let meant = |claim: &Claim| match (claim, self.undo.kind) {
            (Claim::Number(number), ChangeKind::PullRequest { number: own }) => *number == own,
            (Claim::Commit(commit), _) => commit.same(&self.undo.change.commit),
            (Claim::Number(_), ChangeKind::DirectPush) | (Claim::Title(_), _) => false,
        };
        // One that takes back several is more than what was asked for.
        said.is_some_and(|said| {
            let named = said.of.iter().filter(|claim| !matches!(claim, Claim::Title(_)));
            let mut named = named.peekable();
            named.peek().is_some() && named.all(meant)
        })
    }
}

impl<'a> Forge<'a> {
    /// The forge that opens reverts of this repository: that of the source which may.
    #[must_use]
    pub fn that_reverts(house: &'a House, repository: &Repository) -> Option<Self> {
        Self::of_source(house, house.configuration.revert_source_of(repository)?)
    }

    /// The pull request that reverts it: the one that is there, else a new one.
    pub async fn revert(&self, wanted: &Wanted<'_>) -> Result<Opened, Unopened> {
        let api = self.api()?;
        match self.kind {
            Kind::GitHub => github::reverts::open(&api, wanted).await,
            Kind::GitLab => gitlab::reverts::open(&api, wanted).await,
            Kind::Azure => azure::reverts::open(&api, wanted).await,
            Kind::Bitbucket | Kind::BitbucketServer | Kind::Gitea => Err(Why::NoApi.into()),
        }
    }

    /// Merges a revert that was opened, as it was when it was: what was added to it since is not merged. `act`: else it is only looked
    /// at whether it is merged.
    pub async fn merge(&self, repository: &Repository, opened: &Opened, act: bool) -> Result<(), Unmerged> {
        let api = self.api()?;
        match self.kind {
            Kind::GitHub => github::merging::merge(&api, repository, opened, act).await,
            Kind::GitLab => gitlab::merging::merge(&api, repository, opened, act).await,
            Kind::Azure | Kind::Bitbucket | Kind::BitbucketServer | Kind::Gitea => {
                Err(Unmerged::Refused("this forge is not asked to merge".to_owned()))
            }
        }
    }

    /// Labels it as an urgent fix. The same again changes nothing.
    pub async fn label_urgent(&self, repository: &Repository, number: u64) -> Result<(), Unanswered> {
        let (api, label) = (self.api()?, PullEvent::EXPEDITE);
        match self.kind {
            Kind::GitHub => github::reverts::label(&api, repository, number, label).await,
            Kind::GitLab => gitlab::reverts::label(&api, repository, number, label).await,
            Kind::Azure => azure::reverts::label(&api, repository, number, label).await,
            Kind::Bitbucket | Kind::BitbucketServer | Kind::Gitea => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::PersonId;
    use domain::undo::Stage;

    use super::*;

    #[test]
    fn what_reverts_just_this_is_it_and_nothing_from_a_fork() {
        let repository: Repository = "openedx/edx-platform".parse().unwrap();
        let commit = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";
        let at = "2026-03-20T14:02:00Z".parse().unwrap();
        let undo = Undo {
            change: domain::ChangeId { repository, commit: commit.parse().unwrap() },
            kind: ChangeKind::PullRequest { number: 12 },
            title: "Pay once".to_owned(),
            base: "main".to_owned(),
            by: "anna".parse::<PersonId>().unwrap(),
            at,
            by_itself: false,
            stage: Stage::UnderWay { tries: 0, since: at },
        };
        let wanted = Wanted { undo: &undo, by: "Anna" };
        let own = wanted.body(|number| format!("openedx/edx-platform#{number}"));
        let is_it = |title: &str, body: &str, is_open, is_fork| {
            let state = if is_open { State::Open } else { State::Merged };
            wanted.is_it(&Listed { title, body, state, is_fork })
        };
        assert!(is_it(&wanted.title(), &own, true, false));
        assert!(is_it("Renamed", &own, false, false), "ours, merged");
        let closed = Listed { title: &wanted.title(), body: &own, state: State::Closed, is_fork: false };
        assert!(!wanted.is_it(&closed), "ours, and somebody closed it");
        assert!(is_it("Revert \"Pay once\"", "Reverts openedx/edx-platform#12", true, false), "GitHub's button");
        assert!(is_it("Revert \"Pay once\"", &format!("This reverts commit {commit}."), true, false));
        for (title, body, is_open, is_fork) in [
            ("Revert \"Pay once\"", own.as_str(), true, true),
            ("Revert \"Pay once\"", "Reverts openedx/edx-platform#12", false, false),
            ("Revert \"Pay once\"", "Reverts openedx/edx-platform#13", true, false),
            ("Revert \"Pay once\"", "Reverts #12 and #11", true, false),
            ("Revert \"Pay once\"", "", true, false),
            ("Reapply \"Pay once\"", "Reverts openedx/edx-platform#12", true, false),
            ("Pay twice", "It is like openedx/edx-platform#12", true, false),
        ] {
            assert!(!is_it(title, body, is_open, is_fork), "{title}: {body}");
        }
        // When it is merged our own reader knows what it takes back.
        let read = revert::read(&wanted.title(), &own, wanted.repository()).unwrap();
        let said = (read.of.contains(&Claim::Number(12)), read.of.contains(&Claim::Commit(commit.parse().unwrap())));
        assert_eq!((said, read.lands_again), ((true, true), false), "{read:?}");
    }
}
