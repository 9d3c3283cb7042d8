//! A pipeline says a commit moved.

mod references;
pub mod senders;

use aws::sender::{self, Reading, Verified};
use aws::settings::SenderConfig;
use aws::{House, Proof, Refusal, Request, Response, sns};
use domain::on_deploy::{self, Place};
use domain::{DeployEvent, DeploymentEvent, Reason, Repository, ServiceId, StandsFor, on_alert};
use serde_json::{Value, json};

/// What the sender's secret may speak for.
type May<'a> = &'a (dyn Fn(&DeploymentEvent, &ServiceId) -> bool + Sync);

/// `POST /deploy/{sender}`
pub async fn handle(house: &House, request: Request) -> Response {
    receive(house, &request).await.unwrap_or_else(Response::from)
}

/// A deployment that AWS handed to us itself, by EventBridge or SNS. Who may invoke us is IAM's decision, made before
/// we are.
pub async fn handle_event(house: &House, event: &Value) -> Result<Value, Refusal> {
    match senders::aws_events::from_json(event)? {
        Reading::Event(events) => {
            let kept = keep_all(house, events).await?;
            Ok(serde_json::from_str(&kept.body).unwrap_or_default())
        }
        Reading::Ignored(why) => Ok(json!({ "ignored": why })),
    }
}

async fn receive(house: &House, request: &Request) -> Result<Response, Refusal> {
    let Verified { sender, source, config } = sender::verify(house, senders::SENDERS, request).await?;
    if sender.proofs.contains(&Proof::Sns)
        && let Some(answer) = sns::confirm(house, config, &request.body).await
    {
        return answer;
    }
    let events = match (sender.parse)(&request.body)? {
        Reading::Event(events) => events,
        Reading::Ignored(why) => return Ok(Response::ignored(&why)),
    };
    let may = |event: &DeploymentEvent, service: &ServiceId| {
        let repository = event.repository.as_ref().is_none_or(|repository| config.speaks_for_repository(repository));
        repository && config.speaks_for(service)
    };
    if events.iter().any(|event| matches!(event, DeployEvent::StandsFor(told) if !may_tell(house, config, told))) {
        return Err(Refusal::Forbidden("this secret does not speak for what this image was built from"));
    }
    keep_what_may(house, events.into_iter().map(|event| event.from(&source)).collect(), &may).await
}

/// Whether the source may say what an image was built from: of a repository that it speaks for. Nobody else knows the
/// ids of a pipeline's own executions.
fn may_tell(house: &House, config: &SenderConfig, told: &StandsFor) -> bool {
    let trusted = config.repositories.is_empty() && config.services.is_empty();
    let theirs = |repository: &Repository| {
        let mut services = house.settings().services().filter(|service| config.speaks_for(&service.id));
        config.speaks_for_repository(repository) && services.any(|service| service.deploys(repository))
    };
    trusted || !told.reference.is_image() || told.repository.as_ref().is_some_and(theirs)
}

/// Keeps events that nobody has to speak for.
pub async fn keep_all(house: &House, events: Vec<DeployEvent>) -> Result<Response, Refusal> {
    keep_what_may(house, events, &|_, _| true).await
}

/// Every event of one message, in order. A failure half-way is answered with 503: what is kept already will be found
/// to say nothing new.
async fn keep_what_may(house: &House, events: Vec<DeployEvent>, may: May<'_>) -> Result<Response, Refusal> {
    let mut answer = Response::ignored("the message has no events");
    for (i, event) in events.into_iter().enumerate() {
        let kept = match event {
            DeployEvent::Moved(event) => keep(house, *event, may).await?,
            DeployEvent::StandsFor(told) => {
                for awaiting in references::note(house, &told).await? {
                    keep(house, awaiting, may).await?;
                }
                Response::decided(&Reason::ReferenceNoted, &json!({ "reference": told.reference }))
            }
        };
        if i == 0 || answer.is_ignored() {
            answer = kept;
        }
    }
    Ok(answer)
}

/// Load, decide, commit, for each service that the deployment is about.
async fn keep(house: &House, event: DeploymentEvent, may: May<'_>) -> Result<Response, Refusal> {
    let event = references::resolve(house, event).await?;
    let places = match on_deploy::places(&event, house.settings()) {
        Ok(places) => places,
        Err(reason) => return Ok(Response::ignored(&reason.to_string())),
    };
    let allowed: Vec<&Place<'_>> = places.iter().filter(|place| may(&event, place.service)).collect();
    if allowed.is_empty() {
        return Err(Refusal::Forbidden("this secret does not speak for this service: see `services` of its source"));
    }
    let now = house.now();
    let mut first = None;
    let mut services = Vec::new();
    for place in allowed {
        let Some(service) = house.settings().service(place.service) else { continue };
        let decide = |situation: &_| on_deploy::decide(&event, situation, service, place, now);
        let (_, reason) = house.store.decide(&service.id, now, decide).await?;
        alarm(house, &event, place).await?;
        (house.nudge)(&service.id);
        services.push(json!({ "service": service.id, "environment": place.environment, "decided": reason.name(), "why": reason.to_string() }));
        first.get_or_insert(reason);
    }
    let reason = first.unwrap_or(Reason::EnvironmentUnknown);
    Ok(Response::decided(&reason, &json!({ "revision": event.revision, "services": services })))
}

/// A rollout that gave up is an alert too, about the changes that were in it.
async fn alarm(house: &House, event: &DeploymentEvent, place: &Place<'_>) -> Result<(), Refusal> {
    let settings = house.settings();
    let Some(service) = settings.service(place.service) else { return Ok(()) };
    let now = house.now();
    let Some(alert) = on_deploy::alarm(event, place, &service.policy, now) else { return Ok(()) };
    let at = domain::alert::Place { service: service.id.clone(), environment: place.environment.clone() };
    let alerts = [alert];
    let decide = |situation: &_| on_alert::decide(&alerts, &at, situation, service, settings, now);
    let (decisions, _) = house.store.decide(&service.id, now, decide).await?;
    house.publish(&decisions.messages).await;
    Ok(())
}
