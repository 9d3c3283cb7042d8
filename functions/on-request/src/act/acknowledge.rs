//! Acknowledging an incident.

use aws::links::Grant;
use aws::{House, Refusal};
use domain::on_request::{self, Acknowledged};
use domain::{IncidentId, ServiceId, times, wording};

use super::{Form, Outcome, Question};

pub(super) async fn ask(house: &House, grant: &Grant, id: &IncidentId) -> Result<Result<Question, Outcome>, Refusal> {
    let found = match service_of(id) {
        Some(service) => house.store.situation(&service).await?.incidents.remove(id),
        None => None,
    };
    let Some(incident) = found.map(|noted| noted.value) else {
        return Ok(Err(unknown()));
    };
    let roster = &house.settings().roster;
    let since = times::time(incident.began_at, &roster.zone_of(&grant.person), house.now());
    let mut question = Question { title: wording::headline(&incident), ..Question::default() };
    question.lines.push(format!("Since {since}."));
    if !incident.acknowledged.is_empty() {
        let others: Vec<&str> = incident.acknowledged.iter().map(|a| a.name(roster)).collect();
        question.lines.push(format!("Acknowledged by {}.", others.join(", ")));
    }
    if incident.resolved_at.is_some() {
        question.lines.push("It is over. There is nothing to do.".to_owned());
    } else {
        question.lines.push("Acknowledging says that you are at it, and stops the paging of others.".to_owned());
        question.forms.push(Form { button: "Acknowledge", does: "acknowledge", fields: Vec::new() });
    }
    Ok(Ok(question))
}

pub(super) async fn act(house: &House, grant: &Grant, id: &IncidentId) -> Result<Outcome, Refusal> {
    let settings = house.settings();
    let Some(service) = service_of(id).and_then(|id| settings.service(&id)) else {
        return Ok(unknown());
    };
    let now = house.now();
    let acknowledged = super::decide(house, service, |situation| {
        match on_request::acknowledge(id, &grant.person, situation, service, settings, now) {
            Acknowledged::Now(decisions) => Ok(decisions),
            before @ (Acknowledged::Before { .. } | Acknowledged::Resolved { .. } | Acknowledged::NoSuchIncident) => {
                Err(before)
            }
        }
    })
    .await?;
    let time = |at| times::time(at, &settings.roster.zone_of(&grant.person), now);
    Ok(match acknowledged {
        Ok(()) => Outcome::done("Acknowledged", "It is yours. Nobody else will be paged for it."),
        Err(Acknowledged::Before { at }) => {
            Outcome::done("Acknowledged before", format!("You acknowledged this at {}.", time(at)))
        }
        Err(Acknowledged::Resolved { at }) => {
            Outcome::done("Resolved already", format!("It was over at {}. There is nothing to do.", time(at)))
        }
        Err(Acknowledged::NoSuchIncident | Acknowledged::Now(_)) => unknown(),
    })
}

/// An incident's id begins with its service.
fn service_of(id: &IncidentId) -> Option<ServiceId> {
    id.as_str().rsplit_once('-')?.0.parse().ok()
}

fn unknown() -> Outcome {
    Outcome::missing("No such incident", "It is not among the open or lately resolved incidents.")
}
