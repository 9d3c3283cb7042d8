//! What programs are told of an incident, in a list and alone.

use aws::House;
use domain::export::{Back, Judged, Suspected, Taken};
use domain::{Incident, IncidentId, PersonId, Service, ServiceId, wording};
use jiff::Timestamp;
use serde::Serialize;

use crate::api::views::PersonView;
use crate::incident;

#[derive(Serialize)]
pub(super) struct Row {
    incident: IncidentId,
    service: ServiceId,
    environment: domain::EnvironmentName,
    severity: &'static str,
    state: &'static str,
    headline: String,
    summary: String,
    alerts: usize,
    since: Timestamp,
    detected_at: Timestamp,
    round: u32,
    held: Option<HeldView>,
    suspects: Vec<Suspected>,
    paged: Vec<PersonView>,
    acknowledged: Vec<Taken>,
    mitigated: Option<Back>,
    resolved_at: Option<Timestamp>,
    verdict: Option<Judged>,
}

#[derive(Serialize)]
struct HeldView {
    why: String,
    until: Option<Timestamp>,
}

pub(super) fn row(house: &House, service: &Service, incident: &Incident) -> Row {
    let roster = &house.settings().roster;
    let mut paged: Vec<&PersonId> = incident.pages.iter().map(|page| &page.person).collect();
    paged.sort();
    paged.dedup();
    Row {
        incident: incident.id.clone(),
        service: incident.service.clone(),
        environment: incident.environment.clone(),
        severity: incident.severity.word(),
        state: incident.state(&service.policy, house.now()).word(),
        headline: wording::headline(incident),
        summary: incident.headline().map(|alert| alert.summary.clone()).unwrap_or_default(),
        alerts: incident.alerts(),
        since: incident.began_at,
        detected_at: incident.detected_at,
        round: incident.round,
        held: incident.held.as_ref().map(|hold| HeldView { why: incident::view::why_held(hold), until: hold.until }),
        suspects: incident.suspects.iter().map(|suspect| Suspected::of(suspect, roster)).collect(),
        paged: paged.into_iter().map(|person| PersonView::of(person, roster)).collect(),
        acknowledged: incident.acknowledged.iter().map(|taken| Taken::of(taken, roster)).collect(),
        mitigated: incident.mitigated.as_ref().map(Back::of),
        resolved_at: incident.resolved_at,
        verdict: incident.verdict.as_ref().map(|verdict| Judged::of(verdict, roster)),
    }
}
