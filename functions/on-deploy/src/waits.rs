//! A job of a pipeline waits until we say that it may go on: kept in the service that it deploys, and answered by `on-schedule`.

use aws::settings::SenderConfig;
use aws::{House, Refusal, Response};
use domain::gates::{self, Waiting};
use domain::{EnvironmentName, Reason, Situation};
use serde_json::json;

pub(crate) async fn keep(house: &House, waiting: &Waiting, config: Option<&SenderConfig>) -> Result<Response, Refusal> {
    if config.is_none_or(|config| config.app.is_none()) || waiting.installation.is_none() {
        return Ok(Response::ignored(
            "a job waits for us, and nobody can answer it: give its source the `app_id` and `app_key` of the GitHub App",
        ));
    }
    if config.is_some_and(|config| !config.speaks_for_repository(&waiting.repository)) {
        return Err(Refusal::Forbidden(
            "this secret does not speak for this repository: see `repositories` of its source",
        ));
    }
    let settings = house.settings();
    let called = |service: &&domain::Service| {
        service.deploys(&waiting.repository) && config.is_none_or(|config| config.speaks_for(&service.id))
    };
    let mut found = settings.services().filter(called).peekable();
    let first = found.peek().copied();
    let place =
        found.find_map(|service| Some((service, service.environment_called(&waiting.environment)?.name.clone())));
    // One that no service has is asked about all the same, or its job would wait for ever.
    let about = || first.map(|service| (service, EnvironmentName::about(&waiting.environment)));
    let Some((service, environment)) = place.or_else(about) else {
        return Ok(Response::ignored(&Reason::RepositoryNotServed.to_string()));
    };
    let now = house.now();
    let told = |situation: &Situation| (gates::told(waiting, &environment, situation, now), ());
    house.store.decide(&service.id, now, told).await?;
    (house.nudge)(&service.id);
    Ok(Response::decided(&Reason::DeploymentWaits, &json!({ "service": service.id, "environment": environment })))
}
