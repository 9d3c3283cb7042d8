//! What programs are told of an incident, in a list and alone.

use aws::House;
use domain::acknowledgement::Acknowledger;
use domain::outcome::Judge;
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
    suspects: Vec<SuspectView>,
    paged: Vec<PersonView>,
    acknowledged: Vec<TakenView>,
    mitigated: Option<MitigatedView>,
    resolved_at: Option<Timestamp>,
    verdict: Option<VerdictView>,
}

#[derive(Serialize)]
struct HeldView {
    why: String,
    until: Option<Timestamp>,
}

#[derive(Serialize)]
struct SuspectView {
    change: String,
    label: String,
    title: String,
    url: Option<String>,
    responder: PersonView,
    percent: Option<u16>,
    evidence: Vec<String>,
}

#[derive(Serialize)]
struct TakenView {
    person: Option<PersonId>,
    name: String,
    at: Timestamp,
}

#[derive(Serialize)]
struct MitigatedView {
    at: Timestamp,
    change: String,
    label: String,
    how: &'static str,
}

#[derive(Serialize)]
struct VerdictView {
    at: Timestamp,
    change: Option<String>,
    label: String,
    by: &'static str,
    person: Option<PersonView>,
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
        suspects: incident.suspects.iter().map(|suspect| suspect_view(house, suspect)).collect(),
        paged: paged.into_iter().map(|person| PersonView::of(person, roster)).collect(),
        acknowledged: incident.acknowledged.iter().map(|taken| taken_view(house, taken)).collect(),
        mitigated: incident.mitigated.as_ref().map(|back| MitigatedView {
            at: back.at,
            change: back.change.to_string(),
            label: back.label.clone(),
            how: back.how.word(),
        }),
        resolved_at: incident.resolved_at,
        verdict: incident.verdict.as_ref().map(|verdict| verdict_view(house, verdict)),
    }
}

fn suspect_view(house: &House, suspect: &domain::Suspect) -> SuspectView {
    SuspectView {
        change: suspect.change.to_string(),
        label: suspect.label.clone(),
        title: suspect.title.clone(),
        url: suspect.url.clone(),
        responder: PersonView::of(&suspect.responder, &house.settings().roster),
        percent: suspect.percent(),
        evidence: suspect.evidence.clone(),
    }
}

fn taken_view(house: &House, taken: &domain::acknowledgement::Acknowledgement) -> TakenView {
    let person = match &taken.by {
        Acknowledger::Person(person) => Some(person.clone()),
        Acknowledger::Stranger(_) => None,
    };
    TakenView { person, name: taken.name(&house.settings().roster).to_owned(), at: taken.at }
}

fn verdict_view(house: &House, verdict: &domain::outcome::Verdict) -> VerdictView {
    let (by, person) = match &verdict.by {
        Judge::Revert => ("revert", None),
        Judge::Person(person) => ("person", Some(person)),
        Judge::Guess(person) => ("guess", Some(person)),
    };
    VerdictView {
        at: verdict.at,
        change: verdict.change.as_ref().map(ToString::to_string),
        label: verdict.label.clone(),
        by,
        person: person.map(|person| PersonView::of(person, &house.settings().roster)),
    }
}
