//! An incident whole: its own page, and the same as JSON for programs. What of it is shown is in [`view`].

mod delivery;
mod timeline;
pub(crate) mod view;

use aws::links::Action;
use aws::{House, Refusal, Request, Response};
use domain::ladder::{Reach, Standing, rows};
use domain::{Entry, Incident, IncidentId, Outgoing, Service, ServiceId, Situation, Subject, wording};
use minijinja::context;
use serde_json::{Value, json};

use crate::act;
use crate::hours::Hours;
use crate::offers::Offers;
use crate::page;
use crate::service::view::lines;
use crate::sign_in::Reader;
use delivery::Delivery;
use view::incident_view;

/// How many lines of the log an incident's own page looks through.
const MOST_LINES: i32 = 300;

/// An incident and what is around it.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) house: &'a House,
    pub(crate) service: &'a Service,
    pub(crate) situation: &'a Situation,
    /// Everything of the service that no receiver has accepted.
    pub(crate) outbox: &'a [Outgoing],
    /// The newest lines of the service's log.
    pub(crate) log: &'a [Entry],
    pub(crate) hours: &'a Hours,
}

impl<'a> Scene<'a> {
    fn name<'b>(self, person: &'b domain::PersonId) -> &'b str
    where
        'a: 'b,
    {
        self.house.settings().roster.name_of(person)
    }

    /// What the log says of this incident, newest first.
    fn log_of(self, incident: &Incident) -> impl Iterator<Item = &'a Entry> + use<'a> {
        let subject = Some(Subject::Incident(incident.id.clone()));
        self.log.iter().filter(move |entry| entry.subject == subject)
    }
}

/// `GET /incidents/{id}`
pub(crate) async fn show(house: &House, request: &Request, reader: &Reader, id: &str) -> Result<Response, Refusal> {
    let for_program = page::is_for_program(request);
    let missing = || {
        let what = "It is not among the incidents we remember.";
        let page = || page::notice(404, "No such incident", what);
        if for_program { Response::json(404, &json!({ "error": what })) } else { page() }
    };
    let Some((id, service)) = service_of(house, id) else { return Ok(missing()) };
    let situation = house.store.situation(&service.id).await?;
    let open = situation.incidents.get(&id).map(|known| known.value.clone());
    let is_kept = open.is_some();
    let found = match open {
        Some(open) => Some(open),
        None => house.store.past_incident(&id).await?,
    };
    let Some(incident) = found else { return Ok(missing()) };
    let outbox = house.store.outbox(&service.id).await?;
    let log = house.store.log(&service.id, MOST_LINES).await?;
    let hours = if for_program { Hours::utc(house.now()) } else { Hours::of(house, request, reader) };
    let scene = Scene { house, service, situation: &situation, outbox: &outbox, log: &log, hours: &hours };
    if for_program {
        return Ok(Response::json(200, &as_json(scene, &incident)));
    }
    let ours: Vec<Entry> = scene.log_of(&incident).cloned().collect();
    let mut said = lines(&ours, &hours);
    said.reverse();
    let offers = Offers::of(house, reader)?;
    let view = incident_view(scene, &offers, &incident);
    // What has left is read, and judged no more.
    let act = offers.path(Action::Acknowledge(id.clone())).filter(|_| is_kept);
    let acts = page::value(&act::incident_forms(&incident));
    let values = context! {
        title => view.headline.clone(), service => service.id.as_str(), act, acts, incident => page::value(&view),
        timeline => page::value(&timeline::timeline(scene, &incident)), log => page::value(&said),
    };
    Ok(page::whole(house, reader, &hours, 200, "incident.html", values))
}

/// An incident's id begins with its service.
fn service_of<'a>(house: &'a House, id: &str) -> Option<(IncidentId, &'a Service)> {
    let id: IncidentId = id.parse().ok()?;
    let service: ServiceId = id.as_str().rsplit_once('-')?.0.parse().ok()?;
    Some((id, house.settings().service(&service)?))
}

/// The ladder and the holds. Times are UTC.
fn as_json(scene: Scene<'_>, incident: &Incident) -> Value {
    let reach = Reach::of(scene.situation, scene.service, scene.hours.now);
    let ladder = rows(&reach.call(incident, scene.service), scene.hours.now).into_iter().map(|row| {
        let (standing, page) = match row.standing {
            Standing::Paged(page) => ("paged", Some(page)),
            Standing::Next => ("next", None),
            Standing::Later => ("later", None),
            Standing::Stopped => ("stopped", None),
            Standing::Held => ("held", None),
        };
        json!({
            "at": row.at, "person": row.person, "name": scene.name(&row.person), "step": row.step.word(),
            "why": row.reason.to_string(), "standing": standing,
            "again": page.map(|page| page.again), "again_at": page.and_then(|page| page.again_at),
            "delivery": page.map(|page| Delivery::of(scene, incident, page).words(scene.hours)),
        })
    });
    let holds = timeline::holds(scene, incident);
    let holds = holds.map(|entry| json!({ "at": entry.at, "why": entry.reason.to_string() }));
    let held = incident.held.as_ref();
    json!({
        "incident": incident.id, "headline": wording::headline(incident),
        "state": incident.state(&scene.service.policy, scene.hours.now).word(),
        "since": incident.began_at, "resolved_at": incident.resolved_at, "round": incident.round,
        "held": held.map(|hold| json!({ "why": view::why_held(hold), "until": hold.until })),
        "ladder": ladder.collect::<Vec<_>>(), "holds": holds.collect::<Vec<_>>(),
    })
}
