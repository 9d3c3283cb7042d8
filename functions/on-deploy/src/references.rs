//! Pipelines that move an image or an execution, not a commit: which commit that stands for is told by somebody else,
//! before or after.

use aws::settings::SenderConfig;
use aws::store::Topic;
use aws::{House, Refusal, StoreError, keys};
use domain::{DeploymentEvent, Reference, Repository, Revision, StandsFor};

/// A reference may stand for another one: a deployment's id for an image, the image for a commit.
const MOST_STEPS: usize = 4;

fn topic(reference: &Reference) -> Topic {
    Topic { key: keys::reference(reference), keep: keys::KEEP_REFERENCE }
}

/// The event with its commit, as far as that is known.
pub(super) async fn resolve(house: &House, mut event: DeploymentEvent) -> Result<DeploymentEvent, StoreError> {
    for _ in 0..MOST_STEPS {
        let Revision::Named(reference) = &event.revision else { return Ok(event) };
        match house.store.told::<StandsFor>(&topic(reference)).await? {
            Some(told) => event = meaning(house, event, told),
            None => match reference.spelled_commit() {
                Some(commit) => event.revision = Revision::Commit(commit),
                None => return Ok(event),
            },
        }
    }
    Ok(event)
}

/// The event, where its commit is known. Where it is not, the event is kept for the day it is told, and returned as it is.
pub(super) async fn await_meaning(house: &House, event: DeploymentEvent) -> Result<DeploymentEvent, StoreError> {
    let Revision::Named(reference) = &event.revision else { return Ok(event) };
    match house.store.told_or_await::<StandsFor, _>(&topic(reference), &event, house.now()).await? {
        Some(told) => resolve(house, meaning(house, event, told)).await,
        None => Ok(event),
    }
}

fn meaning(house: &House, event: DeploymentEvent, told: StandsFor) -> DeploymentEvent {
    // What an image was built from is not of the repository that configures where it runs.
    let deployed = |repository: &Repository| house.settings().services().any(|s| s.deploys(repository));
    let repository = told.repository.or(event.repository.filter(deployed));
    DeploymentEvent { repository, revision: told.revision, ..event }
}

/// Keeps what a reference stands for. What was deployed before that was known is returned, to be kept anew.
pub(super) async fn note(
    house: &House,
    told: &StandsFor,
    config: Option<&SenderConfig>,
) -> Result<Vec<DeploymentEvent>, Refusal> {
    let topic = topic(&told.reference);
    let config = config.filter(|config| config.is_bound() && told.reference.is_image());
    if let Some(config) = config {
        const REFUSED: Refusal = Refusal::Forbidden("this secret does not speak for what this image was built from");
        if !may_tell(house, config, told) {
            return Err(REFUSED);
        }
        let known = house.store.told::<StandsFor>(&topic).await?;
        if known.is_some_and(|known| known.repository != told.repository) {
            return Err(REFUSED);
        }
    }
    Ok(house.store.tell(&topic, told, house.now()).await?)
}

/// What was kept anew need not wait any more.
pub(super) async fn settled(house: &House, told: &StandsFor, kept: &[DeploymentEvent]) -> Result<(), StoreError> {
    house.store.settled(&topic(&told.reference), kept).await
}

/// Whether a source that is bound may say what an image was built from: of a repository that it speaks for. The ids of a
/// pipeline's own executions nobody else knows.
fn may_tell(house: &House, config: &SenderConfig, told: &StandsFor) -> bool {
    let theirs = |repository: &Repository| {
        let mut services = house.settings().services().filter(|service| config.speaks_for(&service.id));
        config.speaks_for_repository(repository) && services.any(|service| service.deploys(repository))
    };
    told.repository.as_ref().is_some_and(theirs)
}
