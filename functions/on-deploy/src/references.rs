//! Pipelines that move an image or an execution, not a commit: which commit that stands for is told by somebody else,
//! before or after.

use aws::store::Topic;
use aws::{House, StoreError, keys};
use domain::{DeploymentEvent, Reference, Repository, Revision, StandsFor};

/// A reference may stand for another one: a deployment's id for an image, the image for a commit.
const MOST_STEPS: usize = 4;

fn topic(reference: &Reference) -> Topic {
    Topic { key: keys::reference(reference), keep: keys::KEEP_REFERENCE }
}

/// The event with its commit, if that is known. Else it is kept beside the reference, for the day it is told.
pub(super) async fn resolve(house: &House, mut event: DeploymentEvent) -> Result<DeploymentEvent, StoreError> {
    for _ in 0..MOST_STEPS {
        let Revision::Named(reference) = &event.revision else { return Ok(event) };
        match house.store.told_or_await::<StandsFor, _>(&topic(reference), &event, house.now()).await? {
            Some(told) => {
                // What an image was built from is not of the repository that configures where it runs.
                let deployed = |repository: &Repository| house.settings().services().any(|s| s.deploys(repository));
                event.repository = told.repository.or(event.repository.filter(deployed));
                event.revision = told.revision;
            }
            None => match reference.spelled_commit() {
                Some(commit) => event.revision = Revision::Commit(commit),
                None => return Ok(event),
            },
        }
    }
    Ok(event)
}

/// Keeps what a reference stands for. What was deployed before that was known is returned, to be kept anew.
pub(super) async fn note(house: &House, told: &StandsFor) -> Result<Vec<DeploymentEvent>, StoreError> {
    house.store.tell(&topic(&told.reference), told, house.now()).await
}
