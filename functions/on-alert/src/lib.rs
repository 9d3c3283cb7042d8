//! A monitor says something is wrong, or that it no longer is.

mod elsewhere;
mod placement;
pub mod senders;

use aws::sender::{self, Reading, Verified};
use aws::settings::Configuration;
use aws::{House, Malformed, Proof, Refusal, Request, Response, sns};
use domain::alert::Place;
use domain::message::OwnPage;
use domain::on_alert::{self, AlertEvent, Elsewhere};
use domain::{Alert, Incident, IncidentId, Message, PersonId, Reason, Service, ServiceId};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The secrets that it asks for: by which monitors prove themselves.
#[must_use]
pub fn secrets(configuration: &Configuration) -> Vec<String> {
    configuration.sender_secrets(senders::SENDERS)
}

/// `POST /alert/{sender}`
pub async fn handle(house: &House, request: Request) -> Response {
    receive(house, &request).await.unwrap_or_else(Response::from)
}

/// An alarm that AWS handed to us itself: an SNS message, an EventBridge event, an alarm's Lambda action.
/// Who may invoke us is IAM's decision, made before we are.
pub async fn handle_event(house: &House, event: &Value) -> Result<Value, Refusal> {
    match senders::cloudwatch::from_json(event)? {
        Reading::Event(event) => Ok(keep(house, event, From { may: &|_| true, is_pager: false }).await?.1),
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
            let may = |service: &ServiceId| config.speaks_for(service);
            let from = From { may: &may, is_pager: senders::PAGERS.contains(&sender.name) };
            let (reason, details) = keep(house, event.from(&source), from).await?;
            Ok(Response::decided(&reason, &details))
        }
        Reading::Ignored(why) => Ok(Response::ignored(&why)),
    }
}

/// Load, decide, commit, publish: once for each environment of a service that the alerts are about. What the sender
/// may not speak for is taken as an alert of no service: it touches nobody else's incident, and somebody sees it. Where
/// one of them fails the others are kept all the same: then the sender has to send it again.
async fn keep(house: &House, event: AlertEvent, from: From<'_>) -> Result<(Reason, Value), Refusal> {
    let now = house.now();
    let left_out = event.left_out;
    if left_out > 0 {
        tracing::warn!(left_out, read = event.alerts.len(), "alerts of a message were unreadable or too many");
    }
    let mut kept = Kept::default();
    let event = if from.is_pager { answers(house, event, from, now, &mut kept).await } else { event };
    let sorted = placement::places(house, event, from.may).await?;
    let elsewhere = elsewhere::elsewhere(house, &sorted, now).await?;
    for (place, alerts) in sorted {
        let broken = elsewhere.get(&place.service).map_or(&[][..], Vec::as_slice);
        kept.add(keep_place(house, &place, &alerts, broken, now).await);
    }
    kept.answer(left_out)
}

/// Who tells us.
#[derive(Clone, Copy)]
struct From<'a> {
    /// The services that they may speak for.
    may: &'a (dyn Fn(&ServiceId) -> bool + Sync),
    /// They tell us of our own pages too.
    is_pager: bool,
}

/// What came of the parts of one message.
#[derive(Default)]
struct Kept {
    first: Option<Reason>,
    places: Vec<Value>,
    failed: Option<Refusal>,
}

impl Kept {
    fn add(&mut self, part: Result<(Reason, Value), Refusal>) {
        match part {
            Ok((reason, place)) => {
                self.places.push(place);
                self.first.get_or_insert(reason);
            }
            Err(refusal) => {
                self.failed.get_or_insert(refusal);
            }
        }
    }

    fn answer(self, left_out: usize) -> Result<(Reason, Value), Refusal> {
        let mut details = json!({ "places": self.places });
        if left_out > 0 {
            details["left_out"] = json!(left_out);
        }
        self.failed.map_or_else(|| Ok((self.first.unwrap_or(Reason::AlreadyKnown), details)), Err)
    }
}

/// What a pager tells of our own pages: answers, that count for what the page named too.
async fn answers(house: &House, event: AlertEvent, from: From<'_>, now: Timestamp, kept: &mut Kept) -> AlertEvent {
    let settings = house.settings();
    let (event, answers) = event.without_own_pages();
    for (page, answer) in answers {
        let service = page.incident.service().and_then(|id| settings.service(&id)).filter(|s| (from.may)(&s.id));
        let Some(service) = service else {
            let place = json!({ "incident": page.incident, "decided": Reason::OurOwnPage.name() });
            kept.add(Ok((Reason::OurOwnPage, place)));
            continue;
        };
        let taken = answer_of(house, service, &page, &answer, now).await;
        let took = |reason: &Reason| {
            matches!(reason, Reason::AcknowledgedBy { .. } | Reason::AcknowledgedThere { .. } | Reason::AlreadyKnown)
        };
        let counts = taken.as_ref().is_ok_and(|(_, reason)| answer.released_at.is_some() || took(reason));
        kept.add(taken.map(|(incident, reason)| {
            let place = json!({ "incident": incident, "decided": reason.name(), "why": reason.to_string() });
            (reason, place)
        }));
        if counts && let Err(refusal) = named_together(house, service, &page, &answer, now).await {
            kept.add(Err(refusal));
        }
    }
    event
}

async fn answer_of(
    house: &House,
    service: &Service,
    page: &OwnPage,
    answer: &Alert,
    now: Timestamp,
) -> Result<(IncidentId, Reason), Refusal> {
    let settings = house.settings();
    let decide = |situation: &_| on_alert::answered(page, answer, situation, service, settings, now);
    let (decisions, reason) = house.store.decide(&service.id, now, decide).await?;
    house.publish(&decisions.messages).await;
    (house.nudge)(&service.id);
    Ok((page.incident.clone(), reason))
}

/// The incidents of other services that the same page named.
async fn named_together(
    house: &House,
    own: &Service,
    page: &OwnPage,
    answer: &Alert,
    now: Timestamp,
) -> Result<(), Refusal> {
    let Ok(person) = page.person.parse::<PersonId>() else { return Ok(()) };
    let settings = house.settings();
    if settings.sharing(own).next().is_none() {
        return Ok(());
    }
    let mut here = house.store.situation(&own.id).await?;
    let Some(known) = here.incidents.remove(&page.incident) else { return Ok(()) };
    for other in settings.sharing(own) {
        let there = house.store.situation(&other.id).await?;
        // An echo of what we tell a pager ourselves is no answer of this person's.
        let named = |incident: &&Incident| match answer.released_at {
            Some(_) => known.value.was_named_with(incident, &person),
            None => known.value.is_taken_by(&person) && known.value.is_named_with(incident, &person),
        };
        let named = |incident: &&Incident| incident.is_open() && named(incident);
        for incident in there.incidents.values().map(|known| &known.value).filter(named) {
            let too = OwnPage { incident: incident.id.clone(), round: incident.round, person: page.person.clone() };
            answer_of(house, other, &too, answer, now).await?;
        }
    }
    Ok(())
}

async fn keep_place(
    house: &House,
    place: &Place,
    alerts: &[Alert],
    broken: &[Elsewhere],
    now: Timestamp,
) -> Result<(Reason, Value), Refusal> {
    let settings = house.settings();
    let service = settings.service(&place.service).ok_or_else(|| Malformed::new("an alert of no service"))?;
    let decide = |situation: &_| on_alert::decide(alerts, place, situation, service, settings, broken, now);
    let (decisions, reason) = house.store.decide(&place.service, now, decide).await?;
    house.publish(&decisions.messages).await;
    (house.nudge)(&place.service);
    let told = |m: &Message| json!({ "person": m.key.person, "step": m.key.step.word(), "why": m.reason.to_string() });
    let details = json!({
        "service": place.service,
        "environment": place.environment,
        "decided": reason.name(),
        "why": reason.to_string(),
        "incident": incident(&decisions),
        "told": decisions.messages.iter().map(told).collect::<Vec<_>>(),
    });
    Ok((reason, details))
}

fn incident(decisions: &domain::Decisions) -> Option<IncidentId> {
    elsewhere::incidents(decisions).next().map(|incident| incident.id)
}
