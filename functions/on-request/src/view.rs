//! What pages show of services and windows: plain views, made from the domain's. Incidents have [`crate::incident`].

use aws::House;
use domain::{
    Attendance, Entry, EnvironmentName, Incident, PersonId, Phase, Service, Situation, Window, attendance, queue,
    release, shift, window, wording,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::incident::Scene;
use crate::incident::view::{IncidentView, incident_view, verdict as verdict_text};
use crate::paging;

#[derive(Serialize)]
pub(crate) struct ServiceView {
    pub(crate) id: String,
    pub(crate) live: Vec<LiveView>,
    pub(crate) active: Vec<WindowView>,
    pub(crate) queue: Vec<WindowView>,
    pub(crate) tail: Vec<WindowView>,
    pub(crate) incidents: Vec<IncidentView>,
    pub(crate) lately: Vec<LineView>,
    pub(crate) rotation: Vec<String>,
    /// Where that is from, maintenance ahead, its channel: a line each.
    pub(crate) paging: Vec<String>,
    /// The newest incidents that left the working set.
    pub(crate) past: Vec<PastView>,
    /// Who has the pager, what holds the queue up: a line each.
    pub(crate) now: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct LiveView {
    pub(crate) environment: String,
    pub(crate) is_live: bool,
    /// `edx-platform@8c1c06a1a8`
    pub(crate) what: String,
    pub(crate) since: String,
    pub(crate) running: bool,
    pub(crate) url: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct WindowView {
    pub(crate) label: String,
    pub(crate) title: String,
    pub(crate) url: Option<String>,
    pub(crate) person: String,
    pub(crate) person_id: String,
    pub(crate) why: String,
    pub(crate) since: String,
    pub(crate) until: Option<String>,
    pub(crate) tags: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct PastView {
    pub(crate) id: String,
    pub(crate) headline: String,
    pub(crate) resolved: Option<String>,
    pub(crate) verdict: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct LineView {
    pub(crate) at: String,
    pub(crate) what: String,
    pub(crate) why: String,
}

/// `past`: incidents that left the working set, newest first.
pub(crate) fn view(scene: Scene<'_>, past: &[Incident]) -> ServiceView {
    let applied = scene.situation.posted.value.applied(scene.service);
    let scene = Scene { service: &applied, ..scene };
    let Scene { house, service, situation, log, now, .. } = scene;
    let roster = &house.settings().roster;
    let (mut active, mut queue, mut tail) = (Vec::new(), Vec::new(), Vec::new());
    let show = |window: &Window<'_>, since, until| WindowView {
        tags: tags(house, service, situation, window, now),
        ..window_view(house, window, since, until)
    };
    for window in window::windows(situation, service, roster, now) {
        match window.phase {
            Phase::Standby => queue.push(show(&window, window.change.merged_at, None)),
            Phase::Active { since, until, .. } => active.push(show(&window, since, Some(until))),
            Phase::Tail { since, until } => tail.push(show(&window, since, Some(until))),
            Phase::Closed { .. } => {}
        }
    }
    let mut incidents: Vec<&Incident> = situation.incidents.values().map(|i| &i.value).collect();
    incidents.sort_by_key(|i| (i.resolved_at.is_some(), std::cmp::Reverse(i.began_at)));
    let rotation = situation.paging.value.rotation(service, now);
    ServiceView {
        id: service.id.to_string(),
        live: service.environments.iter().flat_map(|e| live_views(service, situation, &e.name)).collect(),
        active,
        queue,
        tail,
        incidents: incidents.into_iter().map(|i| incident_view(scene, i)).collect(),
        lately: lines(log),
        rotation: rotation.iter().map(|p| roster.name_of(p).to_owned()).collect(),
        paging: paging::lines(house, service, situation, now),
        past: past.iter().map(|i| past_view(scene, i)).collect(),
        now: just_now(house, service, situation, now),
    }
}

fn past_view(scene: Scene<'_>, incident: &Incident) -> PastView {
    PastView {
        id: incident.id.to_string(),
        headline: wording::headline(incident),
        resolved: incident.resolved_at.map(utc),
        verdict: incident.verdict.as_ref().map(|verdict| verdict_text(scene, verdict)),
    }
}

/// Maintenance, who has the pager by somebody's word, and what holds the queue up.
pub(crate) fn just_now(house: &House, service: &Service, situation: &Situation, now: Timestamp) -> Vec<String> {
    let name = |person: &PersonId| house.settings().roster.name_of(person).to_owned();
    let service = &*situation.posted.value.applied(service);
    let mut lines = paging::under_way(house, service, situation, now);
    let mut shifts: Vec<&domain::Shift> = situation.shifts.values().map(|s| &s.value).collect();
    shifts.sort_by_key(|s| s.from);
    let current = shift::of_service(shifts.iter().copied(), now).map(|s| &s.id);
    for shift in shifts.into_iter().filter(|s| s.scope == shift::Scope::Service && s.is_ahead(now)) {
        let until = shift.until.map(utc).unwrap_or_default();
        let by = if shift.is_taken() { String::new() } else { format!(", by the word of {}", name(&shift.by)) };
        let who = name(&shift.person);
        lines.push(match (current == Some(&shift.id), shift.covers(now)) {
            (true, _) => format!("{who} has the pager until {until} and is paged first for everything{by}."),
            (false, true) => format!("{who} has the pager again after that, until {until}{by}."),
            (false, false) => format!("{who} has the pager from {} until {until}{by}.", utc(shift.from)),
        });
    }
    lines.extend(crate::queue::lines(house, service, situation, now));
    if service.mode == domain::Mode::Manual {
        lines.push("Mode manual: people take and hand over the pager, nobody is paged by us.".to_owned());
    }
    lines
}

/// What is special about a window, in a word or two each.
fn tags(house: &House, service: &Service, situation: &Situation, window: &Window<'_>, now: Timestamp) -> Vec<String> {
    let roster = &house.settings().roster;
    let held = || {
        let asking = situation.asking(window.change, service, roster).filter(|_| window.phase == Phase::Standby)?;
        let notes = situation.notes.get(&window.change.id).map(|n| &n.value);
        attendance::held_until(&asking, notes, service, roster, now)
    };
    let name = |person: &PersonId| house.settings().roster.name_of(person).to_owned();
    let attendance = match &window.attendance {
        Attendance::NotAsked => None,
        Attendance::Asking { person, .. } => Some(format!("{} is asked to take the pager", name(person))),
        Attendance::Taken { person, .. } => Some(format!("pager taken by {}", name(person))),
        Attendance::Declined { .. } => Some("pager declined".to_owned()),
        Attendance::Unattended { .. } => Some("unattended".to_owned()),
    };
    let expedited = window.expedited.then(|| "may pass the freeze".to_owned());
    let flagged = window.holder.because.is_flagged().then(|| "fix the roster".to_owned());
    let reverted = window.reverted_by.map(|by| format!("reverted by {}", by.label()));
    let pinned = window.pinned_by.map(|by| format!("with {}", by.label()));
    let (age, _) = queue::age(window.change, &situation.queue.value, service, now);
    let deputy = age.filter(|age| *age == queue::Age::Deputy && window.phase == Phase::Standby);
    let deputy = deputy.and(service.last_resort()).map(|owner| format!("deputy: {}", name(owner)));
    let held = held().map(|at| format!("its deployment should wait until {}", utc(at)));
    let instead = (window.responder.person != window.holder.person)
        .then(|| format!("{} is paged first", name(&window.responder.person)));
    [instead, expedited, attendance, held, deputy, flagged, reverted, pinned, window.lineage.clone()]
        .into_iter()
        .flatten()
        .collect()
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
            what: d.label(),
            since: d.live_since().map(utc).unwrap_or_default(),
            running: d.succeeded_at.is_none(),
            url: d.url.clone(),
        })
        .collect()
}

fn window_view(house: &House, window: &Window<'_>, since: Timestamp, until: Option<Timestamp>) -> WindowView {
    let person = &window.holder.person;
    let why = window.holder.because.they(|person| house.settings().roster.name_of(person).to_owned());
    WindowView {
        label: window.change.label(),
        title: window.change.title.clone(),
        url: window.change.url.clone(),
        person: house.settings().roster.name_of(person).to_owned(),
        person_id: person.to_string(),
        why,
        since: utc(since),
        until: until.map(utc),
        tags: Vec::new(),
    }
}

pub(crate) fn lines(log: &[Entry]) -> Vec<LineView> {
    log.iter().map(|e| LineView { at: utc(e.at), what: e.what.clone(), why: e.reason.to_string() }).collect()
}

/// The board is everybody's, so its times are UTC; a person's own page is in the person's zone.
pub(crate) fn utc(at: Timestamp) -> String {
    at.strftime("%a %Y-%m-%d %H:%M").to_string()
}
