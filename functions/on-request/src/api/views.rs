//! What several answers show alike.

use domain::roster::Roster;
use domain::{Change, ChangeKind, Commit, PersonId, Repository};
use serde::Serialize;

/// Somebody of the roster.
#[derive(Serialize)]
pub(super) struct PersonView {
    pub(super) person: PersonId,
    pub(super) name: String,
}

impl PersonView {
    pub(super) fn of(person: &PersonId, roster: &Roster) -> Self {
        Self { person: person.clone(), name: roster.name_of(person).to_owned() }
    }
}

/// A change.
#[derive(Serialize)]
pub(super) struct ChangeView {
    pub(super) change: String,
    repository: Repository,
    commit: Commit,
    number: Option<u64>,
    label: String,
    title: String,
    url: Option<String>,
    merged_at: jiff::Timestamp,
}

impl From<&Change> for ChangeView {
    fn from(change: &Change) -> Self {
        Self {
            change: change.id.to_string(),
            repository: change.id.repository.clone(),
            commit: change.id.commit.clone(),
            number: match change.kind {
                ChangeKind::PullRequest { number } => Some(number),
                ChangeKind::DirectPush => None,
            },
            label: change.label(),
            title: change.title.clone(),
            url: change.url.clone(),
            merged_at: change.merged_at,
        }
    }
}
