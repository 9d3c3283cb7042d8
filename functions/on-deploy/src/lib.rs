//! A pipeline says a commit moved.

pub mod senders;

use aws::sender::{self, Reading};
use aws::{House, Refusal, Request, Response};
use domain::DeploymentEvent;
use domain::on_deploy;
use serde_json::json;

/// `POST /deploy/{sender}`
pub async fn handle(house: &House, request: Request) -> Response {
    receive(house, &request).await.unwrap_or_else(Response::from)
}

async fn receive(house: &House, request: &Request) -> Result<Response, Refusal> {
    let sender = sender::verify(house, senders::SENDERS, request)?;
    match (sender.parse)(&request.body)? {
        Reading::Event(event) => keep(house, &event).await,
        Reading::Ignored(why) => Ok(Response::ignored(&why)),
    }
}

/// Load, decide, commit, for each service that the deployment is about. A failure half-way is answered with
/// 503: the services that have it already will find that it says nothing new.
async fn keep(house: &House, event: &DeploymentEvent) -> Result<Response, Refusal> {
    let places = match on_deploy::places(event, house.settings()) {
        Ok(places) => places,
        Err(reason) => return Ok(Response::ignored(&reason.to_string())),
    };
    let now = house.now();
    let mut first = None;
    let mut services = Vec::new();
    for (service, environment) in places {
        let decide = |situation: &_| on_deploy::decide(event, situation, service, environment, now);
        let (_, reason) = house.store.decide(&service.id, now, decide).await?;
        (house.nudge)(&service.id);
        services.push(json!({ "service": service.id, "environment": environment.name, "decided": reason.name(), "why": reason.to_string() }));
        first.get_or_insert(reason);
    }
    let reason = first.unwrap_or(domain::Reason::EnvironmentUnknown);
    Ok(Response::decided(&reason, &json!({ "commit": event.commit, "services": services })))
}
