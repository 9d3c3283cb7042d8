//! Acknowledging by link: opening it asks, posting it acts, doing it again says so.

use aws::links::{self, Grant};
use aws::{House, Refusal, Response};
use domain::on_request::{self, Acknowledged};
use domain::{Decisions, ServiceId, times, wording};
use minijinja::context;

use crate::page;

/// What the link would do, and the button that does it.
pub(crate) async fn ask(house: &House, segments: &[&str], path: &str) -> Result<Response, Refusal> {
    let grant = match granted(house, segments)? {
        Ok(grant) => grant,
        Err(answer) => return Ok(answer),
    };
    let found = match service_of(&grant) {
        Some(service) => house.store.situation(&service).await?.incidents.remove(&grant.incident),
        None => None,
    };
    let Some(incident) = found.map(|noted| noted.value) else {
        return Ok(unknown());
    };
    let zone = house.settings().roster.zone_of(&grant.person);
    Ok(page::render(
        200,
        "confirm.html",
        context! {
            title => "Acknowledge",
            headline => wording::headline(&incident),
            person => house.settings().roster.name_of(&grant.person),
            since => times::time(incident.began_at, &zone, house.now()),
            resolved => incident.resolved_at.is_some(),
            others => incident.acknowledged.iter().map(|a| house.settings().roster.name_of(&a.person).to_owned()).collect::<Vec<_>>(),
            action => path,
        },
    ))
}

/// Acknowledges.
pub(crate) async fn acknowledge(house: &House, segments: &[&str]) -> Result<Response, Refusal> {
    let grant = match granted(house, segments)? {
        Ok(grant) => grant,
        Err(answer) => return Ok(answer),
    };
    let settings = house.settings();
    let found = service_of(&grant).and_then(|id| settings.service(&id));
    let Some(service) = found else { return Ok(unknown()) };
    let now = house.now();
    let decide = |situation: &_| match on_request::acknowledge(
        &grant.incident,
        &grant.person,
        situation,
        service,
        settings,
        now,
    ) {
        Acknowledged::Now(decisions) => (decisions, None),
        outcome @ (Acknowledged::Before { .. } | Acknowledged::Resolved { .. } | Acknowledged::NoSuchIncident) => {
            (Decisions::none(&service.id, domain::decision::Wake::Now), Some(outcome))
        }
    };
    let (decisions, refused) = house.store.decide(&service.id, now, decide).await?;
    house.publish(&decisions.messages).await;
    (house.nudge)(&service.id);
    let zone = settings.roster.zone_of(&grant.person);
    Ok(match refused {
        None => page::notice(200, "Acknowledged", "It is yours. Nobody else will be paged for it."),
        Some(Acknowledged::Before { at }) => page::notice(
            200,
            "Acknowledged before",
            &format!("You acknowledged this at {}.", times::time(at, &zone, now)),
        ),
        Some(Acknowledged::Resolved { at }) => page::notice(
            200,
            "Resolved already",
            &format!("It was over at {}. There is nothing to do.", times::time(at, &zone, now)),
        ),
        Some(Acknowledged::NoSuchIncident | Acknowledged::Now(_)) => unknown(),
    })
}

fn granted(house: &House, segments: &[&str]) -> Result<Result<Grant, Response>, Refusal> {
    let secret = house.secrets.first(&house.configuration.link_secret).map_err(Refusal::NoSecret)?;
    Ok(links::check(&secret, segments, house.now()).map_err(|bad| {
        tracing::warn!(reason = %bad, "a link was refused");
        page::notice(
            403,
            "This link does not work",
            &format!("Nothing was done: {bad}. Open the board for the newest state."),
        )
    }))
}

/// An incident's id begins with its service.
fn service_of(grant: &Grant) -> Option<ServiceId> {
    grant.incident.as_str().rsplit_once('-')?.0.parse().ok()
}

fn unknown() -> Response {
    page::notice(404, "No such incident", "It is not among the open or lately resolved incidents.")
}
