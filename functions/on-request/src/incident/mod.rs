//! An incident whole: its own page, and what [`crate::api`] says of its ladder. What of it is shown is in [`view`].

mod delivery;
pub(crate) mod export;
mod timeline;
pub(crate) mod view;

use aws::links::Action;
use aws::{House, Refusal, Request, Response};
use domain::export::Happened;
use domain::ladder::{Reach, Standing, rows};
use domain::{Entry, Incident, IncidentId, Outgoing, Service, ServiceId, Situation, Subject};
use minijinja::context;
use serde_json::{Value, json};

use crate::act;
use crate::hours::Hours;
use crate::offers::Offers;
use crate::page;
use crate::service::view::{LineView, lines};
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

/// An incident, with what is read of its service.
pub(crate) struct Found<'a> {
    house: &'a House,
    pub(crate) service: &'a Service,
    pub(crate) incident: Incident,
    /// Whether it is in the working set.
    is_kept: bool,
    situation: Situation,
    outbox: Vec<Outgoing>,
    log: Vec<Entry>,
}

impl Found<'_> {
    pub(crate) fn scene<'a>(&'a self, hours: &'a Hours) -> Scene<'a> {
        let Self { house, service, situation, outbox, log, .. } = self;
        Scene { house, service, situation, outbox, log, hours }
    }
}

/// The incident of this name, if it is among those that we remember.
pub(crate) async fn found<'a>(house: &'a House, id: &str) -> Result<Option<Found<'a>>, Refusal> {
    let Some((id, service)) = service_of(house, id) else { return Ok(None) };
    let situation = house.store.situation(&service.id).await?;
    let open = situation.incidents.get(&id).map(|known| known.value.clone());
    let is_kept = open.is_some();
    let incident = match open {
        Some(open) => Some(open),
        None => house.store.past_incident(&id).await?,
    };
    let Some(incident) = incident else { return Ok(None) };
    let outbox = house.store.outbox(&service.id).await?;
    let log = house.store.log(&service.id, MOST_LINES).await?;
    Ok(Some(Found { house, service, incident, is_kept, situation, outbox, log }))
}

/// `GET /incidents/{id}`, for people; for programs it is [`crate::api`]'s.
pub(crate) async fn show(house: &House, request: &Request, reader: &Reader, id: &str) -> Result<Response, Refusal> {
    let Some(found) = found(house, id).await? else {
        return Ok(page::notice(404, "No such incident", "It is not among the incidents we remember."));
    };
    let hours = Hours::of(house, request, reader);
    let (scene, service, incident) = (found.scene(&hours), found.service, &found.incident);
    let ours: Vec<Entry> = scene.log_of(incident).cloned().collect();
    let mut said = lines(&ours, &hours);
    said.reverse();
    let offers = Offers::of(house, reader)?;
    let view = incident_view(scene, &offers, incident);
    // What has left is read, and judged no more.
    let act = offers.path(Action::Acknowledge(incident.id.clone())).filter(|_| found.is_kept);
    let acts = page::value(&act::incident_forms(incident));
    let line = |line: Happened| LineView { at: hours.moment(line.at), what: line.what, why: line.why };
    let timeline: Vec<LineView> = timeline::timeline(scene, incident).into_iter().map(line).collect();
    let values = context! {
        title => view.headline.clone(), service => service.id.as_str(), act, acts, incident => page::value(&view),
        timeline => page::value(&timeline), log => page::value(&said),
    };
    Ok(page::whole(house, reader, &hours, 200, "incident.html", values))
}

/// An incident's id begins with its service.
fn service_of<'a>(house: &'a House, id: &str) -> Option<(IncidentId, &'a Service)> {
    let id: IncidentId = id.parse().ok()?;
    let service: ServiceId = id.as_str().rsplit_once('-')?.0.parse().ok()?;
    Some((id, house.settings().service(&service)?))
}

/// The ladder and the holds, for programs. Times are UTC.
pub(crate) fn whole(scene: Scene<'_>, incident: &Incident) -> Value {
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
    json!({ "ladder": ladder.collect::<Vec<_>>(), "holds": holds.collect::<Vec<_>>() })
}
