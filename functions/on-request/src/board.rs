//! The board: who is on call for what until when, the queue, open incidents, what happened lately and why.

use aws::{House, Refusal, Response, StoreError};
use domain::ids::ServiceId;
use domain::{
    Entry, EnvironmentName, Incident, PersonId, Phase, Service, Situation, Window, release, times, window, wording,
};
use jiff::Timestamp;
use minijinja::context;
use serde::Serialize;

use crate::page;

/// How many lines of the log the board shows for each service.
const MOST_LINES: i32 = 15;
/// How many lines an incident's own page looks through.
const MOST_INCIDENT_LINES: i32 = 300;

#[derive(Serialize)]
struct ServiceView {
    id: String,
    live: Vec<LiveView>,
    active: Vec<WindowView>,
    queue: Vec<WindowView>,
    tail: Vec<WindowView>,
    incidents: Vec<IncidentView>,
    lately: Vec<LineView>,
    rotation: Vec<String>,
}

#[derive(Serialize)]
struct LiveView {
    environment: String,
    is_live: bool,
    commit: String,
    repository: String,
    since: String,
    running: bool,
    url: Option<String>,
}

#[derive(Serialize)]
struct WindowView {
    label: String,
    title: String,
    url: Option<String>,
    person: String,
    person_id: String,
    why: String,
    since: String,
    until: Option<String>,
}

#[derive(Serialize)]
struct IncidentView {
    id: String,
    headline: String,
    severity: &'static str,
    summary: String,
    since: String,
    resolved: Option<String>,
    suspects: Vec<SuspectView>,
    pages: Vec<PageView>,
    acknowledged: Vec<String>,
}

#[derive(Serialize)]
struct SuspectView {
    label: String,
    title: String,
    url: Option<String>,
    person: String,
    evidence: String,
}

#[derive(Serialize)]
struct PageView {
    at: String,
    person: String,
    step: &'static str,
    why: String,
}

#[derive(Serialize)]
struct LineView {
    at: String,
    what: String,
    why: String,
}

/// `GET /`
pub(crate) async fn overview(house: &House) -> Result<Response, Refusal> {
    let now = house.now();
    let mut services = Vec::new();
    for service in house.settings().services() {
        let situation = house.store.situation(&service.id).await?;
        let log = house.store.log(&service.id, MOST_LINES).await?;
        let view = view(house, service, &situation, &log, now);
        // The bucket of unmapped alerts shows only when there is something in it.
        if !service.repositories.is_empty() || !view.incidents.is_empty() || !view.lately.is_empty() {
            services.push(view);
        }
    }
    let open: usize = services.iter().map(|s| s.incidents.iter().filter(|i| i.resolved.is_none()).count()).sum();
    Ok(page::render(
        200,
        "board.html",
        context! { title => "On call", now => utc(now), services => page::value(&services), open },
    ))
}

/// `GET /incidents/{id}`
pub(crate) async fn incident(house: &House, id: &str) -> Result<Response, Refusal> {
    let missing = || page::notice(404, "No such incident", "It is not among the incidents we remember.");
    let Ok(id) = id.parse::<domain::IncidentId>() else {
        return Ok(missing());
    };
    let service = id.as_str().rsplit_once('-').and_then(|(service, _)| service.parse::<ServiceId>().ok());
    let Some(service) = service.filter(|s| house.settings().service(s).is_some()) else {
        return Ok(missing());
    };
    let Some(incident) = find(house, &service, &id).await? else {
        return Ok(missing());
    };
    let log = house.store.log(&service, MOST_INCIDENT_LINES).await?;
    let ours: Vec<Entry> =
        log.into_iter().filter(|e| e.subject == Some(domain::Subject::Incident(id.clone()))).collect();
    let mut timeline = lines(&ours);
    timeline.reverse();
    let view = incident_view(house, &incident);
    Ok(page::render(
        200,
        "incident.html",
        context! { title => view.headline.clone(), now => utc(house.now()), incident => page::value(&view), timeline => page::value(&timeline) },
    ))
}

async fn find(house: &House, service: &ServiceId, id: &domain::IncidentId) -> Result<Option<Incident>, StoreError> {
    if let Some(open) = house.store.situation(service).await?.incidents.remove(id) {
        return Ok(Some(open.value));
    }
    Ok(house.store.past_incidents(service, 1000).await?.into_iter().find(|i| i.id == *id))
}

/// `GET /people/{id}`: am I on call?
pub(crate) async fn person(house: &House, id: &str) -> Result<Response, Refusal> {
    let settings = house.settings();
    let found = id.parse::<PersonId>().ok().and_then(|id| settings.roster.person(&id));
    let Some(person) = found else {
        return Ok(page::notice(404, "Nobody by this name", "The roster has no such person."));
    };
    let now = house.now();
    let zone = person.zone.clone();
    let mut windows = Vec::new();
    let mut services: Vec<ServiceId> =
        house.store.changes_of(&person.id, 200).await?.into_iter().map(|(service, _)| service).collect();
    services.sort();
    services.dedup();
    for service in services.iter().filter_map(|id| settings.service(id)) {
        let situation = house.store.situation(&service.id).await?;
        for window in window::windows(&situation, service, &settings.roster, now)
            .iter()
            .filter(|w| w.responder.person == person.id)
        {
            let (phase, until) = match window.phase {
                Phase::Standby => ("standby", None),
                Phase::Active { until, .. } => ("on call", Some(until)),
                Phase::Tail { until, .. } => ("suspect only", Some(until)),
                Phase::Closed { at, .. } => ("closed", Some(at)),
            };
            windows.push(context! {
                phase, service => service.id.as_str(), label => window.change.label(), name => window.change.title.clone(),
                url => window.change.url.clone(), until => until.map(|at| times::time(at, &zone, now)),
            });
        }
    }
    Ok(page::render(
        200,
        "person.html",
        context! { title => person.name.clone(), zone => zone.iana_name().unwrap_or("UTC"), windows },
    ))
}

fn view(house: &House, service: &Service, situation: &Situation, log: &[Entry], now: Timestamp) -> ServiceView {
    let roster = &house.settings().roster;
    let (mut active, mut queue, mut tail) = (Vec::new(), Vec::new(), Vec::new());
    for window in window::windows(situation, service, roster, now) {
        match window.phase {
            Phase::Standby => queue.push(window_view(house, &window, window.change.merged_at, None)),
            Phase::Active { since, until, .. } => active.push(window_view(house, &window, since, Some(until))),
            Phase::Tail { since, until } => tail.push(window_view(house, &window, since, Some(until))),
            Phase::Closed { .. } => {}
        }
    }
    let mut incidents: Vec<&Incident> = situation.incidents.values().map(|i| &i.value).collect();
    incidents.sort_by_key(|i| (i.resolved_at.is_some(), std::cmp::Reverse(i.began_at)));
    ServiceView {
        id: service.id.to_string(),
        live: service.environments.iter().flat_map(|e| live_views(service, situation, &e.name)).collect(),
        active,
        queue,
        tail,
        incidents: incidents.into_iter().map(|i| incident_view(house, i)).collect(),
        lately: lines(log),
        rotation: service.rotation.iter().map(|p| roster.name_of(p).to_owned()).collect(),
    }
}

fn live_views(service: &Service, situation: &Situation, environment: &EnvironmentName) -> Vec<LiveView> {
    let deployments = || situation.deployments.values().map(|d| &d.value);
    let newest = service
        .repositories
        .iter()
        .filter_map(|r| release::newest_live(deployments(), environment, None, &r.repository));
    newest
        .map(|d| LiveView {
            environment: environment.to_string(),
            is_live: service.is_live(environment),
            commit: d.commit.short().to_owned(),
            repository: d.repository.short().to_owned(),
            since: d.live_since().map(utc).unwrap_or_default(),
            running: d.succeeded_at.is_none(),
            url: d.url.clone(),
        })
        .collect()
}

fn window_view(house: &House, window: &Window<'_>, since: Timestamp, until: Option<Timestamp>) -> WindowView {
    let person = &window.responder.person;
    let why = match &window.responder.because {
        window::Because::Merged => "merged it".to_owned(),
        window::Because::Enqueued => "put it into the merge queue".to_owned(),
        window::Because::Authored => "wrote it; a bot merged".to_owned(),
        window::Because::Pushed => "pushed it".to_owned(),
        window::Because::StandsIn { unknown } => format!("stands in: nobody has the account {unknown}"),
    };
    WindowView {
        label: window.change.label(),
        title: window.change.title.clone(),
        url: window.change.url.clone(),
        person: house.settings().roster.name_of(person).to_owned(),
        person_id: person.to_string(),
        why,
        since: utc(since),
        until: until.map(utc),
    }
}

fn incident_view(house: &House, incident: &Incident) -> IncidentView {
    let name = |person: &PersonId| house.settings().roster.name_of(person).to_owned();
    IncidentView {
        id: incident.id.to_string(),
        headline: wording::headline(incident),
        severity: incident.severity.word(),
        summary: incident.headline().map(|a| a.summary.clone()).unwrap_or_default(),
        since: utc(incident.began_at),
        resolved: incident.resolved_at.map(utc),
        suspects: incident
            .suspects
            .iter()
            .map(|s| SuspectView {
                label: s.label.clone(),
                title: s.title.clone(),
                url: s.url.clone(),
                person: name(&s.responder),
                evidence: s.evidence.join(", "),
            })
            .collect(),
        pages: incident
            .pages
            .iter()
            .map(|p| PageView {
                at: utc(p.at),
                person: name(&p.person),
                step: p.step.word(),
                why: p.reason.to_string(),
            })
            .collect(),
        acknowledged: incident.acknowledged.iter().map(|a| format!("{} at {}", name(&a.person), utc(a.at))).collect(),
    }
}

fn lines(log: &[Entry]) -> Vec<LineView> {
    log.iter().map(|e| LineView { at: utc(e.at), what: e.what.clone(), why: e.reason.to_string() }).collect()
}

/// The board is everybody's, so its times are UTC; a person's own page is in the person's zone.
fn utc(at: Timestamp) -> String {
    at.strftime("%a %Y-%m-%d %H:%M").to_string()
}
