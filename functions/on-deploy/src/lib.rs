//! A pipeline says a commit moved.

mod references;
pub mod senders;
mod waits;

use aws::sender::{self, Reading, Verified};
use aws::settings::{Configuration, SenderConfig};
use aws::{House, Proof, Refusal, Request, Response, sns};
use domain::on_deploy::{self, Place};
use domain::{DeployEvent, DeploymentEvent, Reason, StandsFor, on_alert};
use serde_json::{Value, json};

/// The secrets that it asks for: by which pipelines prove themselves.
#[must_use]
pub fn secrets(configuration: &Configuration) -> Vec<String> {
    configuration.sender_secrets(senders::SENDERS)
}

/// `POST /deploy/{sender}`
pub async fn handle(house: &House, request: Request) -> Response {
    receive(house, &request).await.unwrap_or_else(Response::from)
}

/// A deployment that AWS handed to us itself, by EventBridge or SNS. Who may invoke us is IAM's decision, made before
/// we are.
pub async fn handle_event(house: &House, event: &Value) -> Result<Value, Refusal> {
    match senders::aws_events::from_json(event)? {
        Reading::Event(events) => {
            let kept = keep_all(house, events, None).await?;
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
    keep_all(house, events.into_iter().map(|event| event.from(&source)).collect(), Some(config)).await
}

/// Every event of one message, in order. A failure half-way is answered with 503: what is kept already will be found
/// to say nothing new. What the secret does not speak for is refused, and costs the others nothing. `config`: the source
/// that tells; none where IAM has decided.
pub async fn keep_all(
    house: &House,
    events: Vec<DeployEvent>,
    config: Option<&SenderConfig>,
) -> Result<Response, Refusal> {
    let mut answer = None;
    let mut refused = None;
    for event in events {
        let kept = match event {
            DeployEvent::Moved(event) => keep(house, *event).await,
            DeployEvent::StandsFor(told) => learn(house, &told, config).await,
            DeployEvent::Waits(waiting) => Box::pin(waits::keep(house, &waiting, config)).await,
        };
        match kept {
            Err(Refusal::Forbidden(why)) => refused = Some(Refusal::Forbidden(why)),
            kept => {
                let kept = kept?;
                if answer.as_ref().is_none_or(Response::is_ignored) {
                    answer = Some(kept);
                }
            }
        }
    }
    match (answer, refused) {
        (Some(answer), _) => Ok(answer),
        (None, Some(refused)) => Err(refused),
        (None, None) => Ok(Response::ignored("the message has no events")),
    }
}

/// What something stands for is told; what was deployed before that was known is kept anew.
async fn learn(house: &House, told: &StandsFor, config: Option<&SenderConfig>) -> Result<Response, Refusal> {
    let awaiting = references::note(house, told, config).await?;
    for report in &awaiting {
        match keep(house, report.clone()).await {
            // Not the teller's fault.
            Ok(_) | Err(Refusal::Forbidden(_)) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    references::settled(house, told, &awaiting).await?;
    Ok(Response::decided(&Reason::ReferenceNoted, &json!({ "reference": told.reference })))
}

/// Whether the source of a report speaks for a place. Who has no source came by IAM's leave.
fn may(house: &House, event: &DeploymentEvent, place: &Place<'_>) -> bool {
    let source = house.configuration.senders.get(&event.source);
    source.is_none_or(|config| config.speaks_for(place.service) && config.speaks_for_repository(&place.repository))
}

/// Load, decide, commit, for each service that the deployment is about.
async fn keep(house: &House, mut event: DeploymentEvent) -> Result<Response, Refusal> {
    let now = house.now();
    // It may be kept anew later, and is of the time at which it came.
    event.at.get_or_insert(now);
    let event = references::resolve(house, event).await?;
    let places = match on_deploy::places(&event, house.settings()) {
        Ok(places) => places,
        Err(reason) => return Ok(Response::ignored(&reason.to_string())),
    };
    if !places.iter().any(|place| may(house, &event, place)) {
        return Err(Refusal::Forbidden("this secret does not speak for this service: see `services` of its source"));
    }
    let event = references::await_meaning(house, event).await?;
    let places = on_deploy::places(&event, house.settings()).unwrap_or_default();
    let mut first = None;
    let mut services = Vec::new();
    for place in places.iter().filter(|place| may(house, &event, place)) {
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
    let Some(alert) = on_deploy::alarm(event, place, service, now) else { return Ok(()) };
    let at = domain::alert::Place { service: service.id.clone(), environment: place.environment.clone() };
    let alerts = [alert];
    let decide = |situation: &_| on_alert::decide(&alerts, &at, situation, service, settings, &[], now);
    let (decisions, _) = house.store.decide(&service.id, now, decide).await?;
    house.publish(&decisions.messages).await;
    Ok(())
}
