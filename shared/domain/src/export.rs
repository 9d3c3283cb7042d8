//! An incident as a document for a retrospective: everything that is known of it, in an order that stays. For programs it is
//! this, field by field; for people [`crate::wording::export`] writes it as Markdown.
//!
//! Whether pages arrived, and what the log knows beside the incident, whoever reads the table hands in ([`Told`]).

mod views;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::acknowledgement::Acknowledger;
use crate::alert::Severity;
use crate::ids::{EnvironmentName, IncidentId, PersonId, ServiceId};
use crate::incident::{AlertRecord, Incident, PageRecord};
use crate::outcome::{Judge, NotMine};
use crate::roster::Roster;
use crate::service::Policy;
use crate::wording;
pub use views::{Back, Judged, Suspected, Taken, Who};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fired {
    pub name: String,
    pub severity: Severity,
    pub started_at: Timestamp,
    pub summary: String,
    pub url: Option<String>,
}

/// A page: to whom, when and why, and what became of it on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paged {
    pub at: Timestamp,
    pub person: PersonId,
    pub name: String,
    pub step: &'static str,
    pub round: u32,
    pub why: String,
    pub again: u32,
    pub again_at: Option<Timestamp>,
    /// Whether a receiver accepted it; absent: not known, or it was not sent and need not be.
    pub arrived: Option<bool>,
    pub delivery: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Denied {
    pub person: PersonId,
    pub name: String,
    pub at: Timestamp,
    /// The change that they think it is instead.
    pub instead: Option<String>,
}

/// Somebody who had to do with it, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Involved {
    pub person: Option<PersonId>,
    pub name: String,
    pub parts: Vec<&'static str>,
}

/// How long after it began, in seconds; absent: that never came, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Measured {
    pub detect: Option<i64>,
    pub first_page: Option<i64>,
    pub acknowledge: Option<i64>,
    pub mitigate: Option<i64>,
    pub resolve: Option<i64>,
}

/// A line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Happened {
    pub at: Timestamp,
    pub what: String,
    pub why: String,
}

/// What became of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    pub arrived: Option<bool>,
    pub words: String,
}

/// What the table knows beside the incident itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// In order of time.
    pub timeline: Vec<Happened>,
    /// One for each page of the incident, in their order.
    pub deliveries: Vec<Delivered>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Export {
    pub incident: IncidentId,
    pub service: ServiceId,
    pub environment: EnvironmentName,
    pub severity: &'static str,
    pub state: &'static str,
    pub headline: String,
    pub summary: String,
    pub alerts: usize,
    pub since: Timestamp,
    pub detected_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub round: u32,
    pub measures: Measured,
    pub fired: Vec<Fired>,
    pub timeline: Vec<Happened>,
    pub suspects: Vec<Suspected>,
    pub pages: Vec<Paged>,
    pub people: Vec<Involved>,
    pub acknowledged: Vec<Taken>,
    pub not_mine: Vec<Denied>,
    pub mitigated: Option<Back>,
    pub verdict: Option<Judged>,
}

/// The times by which an incident is measured, after it began: in words, and when, where that came.
#[must_use]
pub fn milestones(incident: &Incident) -> [(&'static str, Option<Timestamp>); 5] {
    let paged = incident.pages.iter().map(|page| page.at).min();
    let taken = incident.acknowledged.iter().map(|taken| taken.at).min();
    [
        ("Detected", Some(incident.detected_at)),
        ("First page", paged),
        ("Acknowledged", taken),
        ("Mitigated", incident.mitigated.as_ref().map(|back| back.at)),
        ("Resolved", incident.resolved_at),
    ]
}

impl Measured {
    #[must_use]
    pub fn of(incident: &Incident) -> Self {
        let [detect, first_page, acknowledge, mitigate, resolve] =
            milestones(incident).map(|(_, at)| Some(at?.duration_since(incident.began_at).as_secs()));
        Self { detect, first_page, acknowledge, mitigate, resolve }
    }
}

impl Export {
    #[must_use]
    pub fn of(incident: &Incident, policy: &Policy, roster: &Roster, told: Told, now: Timestamp) -> Self {
        let unknown = || Delivered { arrived: None, words: "sent".to_owned() };
        let mut deliveries = told.deliveries.into_iter();
        let pages = incident.pages.iter();
        Self {
            incident: incident.id.clone(),
            service: incident.service.clone(),
            environment: incident.environment.clone(),
            severity: incident.severity.word(),
            state: incident.state(policy, now).word(),
            headline: wording::headline(incident),
            summary: incident.headline().map(|alert| alert.summary.clone()).unwrap_or_default(),
            alerts: incident.alerts(),
            since: incident.began_at,
            detected_at: incident.detected_at,
            resolved_at: incident.resolved_at,
            round: incident.round,
            measures: Measured::of(incident),
            fired: fired(incident),
            timeline: told.timeline,
            suspects: incident.suspects.iter().map(|suspect| Suspected::of(suspect, roster)).collect(),
            pages: pages.map(|page| paged(page, deliveries.next().unwrap_or_else(unknown), roster)).collect(),
            people: involved(incident, roster),
            acknowledged: incident.acknowledged.iter().map(|taken| Taken::of(taken, roster)).collect(),
            not_mine: incident.not_mine.iter().map(|said| denied(said, roster)).collect(),
            mitigated: incident.mitigated.as_ref().map(Back::of),
            verdict: incident.verdict.as_ref().map(|verdict| Judged::of(verdict, roster)),
        }
    }
}

/// The alerts that are kept in words, the first to fire first.
fn fired(incident: &Incident) -> Vec<Fired> {
    let mut alerts: Vec<&AlertRecord> = incident.alerts.values().collect();
    alerts.sort_by_key(|alert| alert.started_at);
    let alert = |alert: &AlertRecord| Fired {
        name: alert.name.clone(),
        severity: alert.severity,
        started_at: alert.started_at,
        summary: alert.summary.clone(),
        url: alert.url.clone(),
    };
    alerts.into_iter().map(alert).collect()
}

fn paged(page: &PageRecord, delivered: Delivered, roster: &Roster) -> Paged {
    Paged {
        at: page.at,
        person: page.person.clone(),
        name: roster.name_of(&page.person).to_owned(),
        step: page.step.word(),
        round: page.round,
        why: page.reason.to_string(),
        again: page.again,
        again_at: page.again_at,
        arrived: delivered.arrived,
        delivery: delivered.words,
    }
}

fn denied(said: &NotMine, roster: &Roster) -> Denied {
    Denied {
        person: said.person.clone(),
        name: roster.name_of(&said.person).to_owned(),
        at: said.at,
        instead: said.instead.as_ref().map(ToString::to_string),
    }
}

/// Everybody who had to do with it, by name. Who is not of the roster has no id.
fn involved(incident: &Incident, roster: &Roster) -> Vec<Involved> {
    let mut people: BTreeMap<(String, Option<PersonId>), Vec<&'static str>> = BTreeMap::new();
    let mut part = |person: Option<&PersonId>, name: &str, part: &'static str| {
        let parts = people.entry((name.to_owned(), person.cloned())).or_default();
        if !parts.contains(&part) {
            parts.push(part);
        }
    };
    let mut of = |person: &PersonId, what: &'static str| part(Some(person), roster.name_of(person), what);
    incident.suspects.iter().for_each(|suspect| of(&suspect.responder, "answers for a suspect"));
    incident.pages.iter().for_each(|page| of(&page.person, "paged"));
    incident.told.iter().for_each(|person| of(person, "told"));
    for taken in &incident.acknowledged {
        match &taken.by {
            Acknowledger::Person(person) => part(Some(person), roster.name_of(person), "acknowledged"),
            Acknowledger::Stranger(name) => part(None, name, "acknowledged"),
        }
    }
    let mut of = |person: &PersonId, what: &'static str| part(Some(person), roster.name_of(person), what);
    incident.not_mine.iter().for_each(|said| of(&said.person, "not theirs"));
    match incident.verdict.as_ref().map(|verdict| &verdict.by) {
        Some(Judge::Person(person) | Judge::Guess(person)) => of(person, "judged"),
        Some(Judge::Revert) | None => {}
    }
    let of = |((name, person), parts)| Involved { person, name, parts };
    people.into_iter().map(of).collect()
}
