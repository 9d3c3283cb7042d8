//! A monitor says something is wrong, or that it no longer is.

mod elsewhere;
mod placement;
pub mod senders;

use aws::sender::{self, Reading, Verified};
use aws::{House, Malformed, Proof, Refusal, Request, Response, sns};
use domain::on_alert::{self, AlertEvent};
use domain::{IncidentId, Reason, ServiceId};
use serde_json::{Value, json};

/// `POST /alert/{sender}`
pub async fn handle(house: &House, request: Request) -> Response {
    receive(house, &request).await.unwrap_or_else(Response::from)
}

/// An alarm that AWS handed to us itself: an SNS message, an EventBridge event, an alarm's Lambda action.
/// Who may invoke us is IAM's decision, made before we are.
pub async fn handle_event(house: &House, event: &Value) -> Result<Value, Refusal> {
    match senders::cloudwatch::from_json(event)? {
        Reading::Event(event) => Ok(keep(house, event, |_| true).await?.1),
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
    match (sender.parse)(&request.body)? {
        Reading::Event(event) => {
            let (reason, details) = keep(house, event.from(&source), |service| config.speaks_for(service)).await?;
            Ok(Response::decided(&reason, &details))
        }
        Reading::Ignored(why) => Ok(Response::ignored(&why)),
    }
}

/// Load, decide, commit, publish: once for each environment of a service that the alerts are about. What the sender
/// may not speak for is taken as an alert of no service: it touches nobody else's incident, and somebody sees it.
async fn keep(house: &House, event: AlertEvent, may: impl Fn(&ServiceId) -> bool) -> Result<(Reason, Value), Refusal> {
    let now = house.now();
    let settings = house.settings();
    let left_out = event.left_out;
    if left_out > 0 {
        tracing::warn!(left_out, read = event.alerts.len(), "alerts of a message were unreadable or too many");
    }
    let (event, answers) = event.without_own_pages();
    let mut first = None;
    let mut places = Vec::new();
    for (id, answer) in answers {
        let Some(service) = id.service().and_then(|id| settings.service(&id)).filter(|s| may(&s.id)) else { continue };
        let decide = |situation: &_| on_alert::answered(&id, &answer, situation, service, settings, now);
        let (decisions, reason) = house.store.decide(&service.id, now, decide).await?;
        house.publish(&decisions.messages).await;
        (house.nudge)(&service.id);
        places.push(json!({ "incident": id, "decided": reason.name(), "why": reason.to_string() }));
        first.get_or_insert(reason);
    }
    let sorted = placement::places(house, event, may).await?;
    let elsewhere = elsewhere::elsewhere(house, &sorted, now).await?;
    for (place, alerts) in sorted {
        let service = settings.service(&place.service).ok_or_else(|| Malformed::new("an alert of no service"))?;
        let broken = elsewhere.get(&place.service).map_or(&[][..], Vec::as_slice);
        let decide = |situation: &_| on_alert::decide(&alerts, &place, situation, service, settings, broken, now);
        let (decisions, reason) = house.store.decide(&place.service, now, decide).await?;
        house.publish(&decisions.messages).await;
        (house.nudge)(&place.service);
        places.push(json!({
            "service": place.service,
            "environment": place.environment,
            "decided": reason.name(),
            "why": reason.to_string(),
            "incident": incident(&decisions),
            "told": decisions.messages.iter().map(|m| json!({ "person": m.key.person, "step": m.key.step.word(), "why": m.reason.to_string() })).collect::<Vec<_>>(),
        }));
        first.get_or_insert(reason);
    }
    let mut details = json!({ "places": places });
    if left_out > 0 {
        details["left_out"] = json!(left_out);
    }
    Ok((first.unwrap_or(Reason::AlreadyKnown), details))
}

fn incident(decisions: &domain::Decisions) -> Option<IncidentId> {
    elsewhere::incidents(decisions).next().map(|incident| incident.id)
}
