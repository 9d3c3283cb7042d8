//! What came of a past, in figures: for the summary, for the page, for programs.

use std::collections::BTreeMap;

use domain::{Incident, IncidentId, PersonId, ServiceId, Step};
use jiff::Timestamp;
use serde::Serialize;

use crate::event::Happened;
use crate::witness::Passed;

/// So many pages of one incident are told one by one.
const MOST_PAGES: usize = 20;

/// The figures of one service, or of all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Changes whose window opened.
    pub merges: u64,
    pub merges_off_hours: u64,
    /// Merged off hours, and nobody took the pager.
    pub unattended: u64,
    /// Live deployments.
    pub deployments: u64,
    pub deployments_failed: u64,
    pub rollbacks: u64,
    pub turns: u64,
    pub turn_minutes: u64,
    pub notices: u64,
    pub incidents: u64,
    pub incidents_paged: u64,
    pub incidents_acknowledged: u64,
    /// Somebody was paged, and the rotation was not.
    pub rotation_spared: u64,
    pub suspects_shown: u64,
    pub pages: u64,
    /// To the rotation or an owner.
    pub rotation_pages: u64,
    pub pages_outside_hours: u64,
    pub pages_at_night: u64,
    pub wrong_pages: u64,
    /// Incidents of which it is known which change it was.
    pub judged: u64,
    pub top_1: u64,
    pub top_3: u64,
    pub top_5: u64,
    /// It is known that it was no change of ours.
    pub no_change: u64,
    /// Whoever answers for what caused it was paged.
    pub culprits_paged: u64,
    /// Incidents for which a revert would have been opened by itself; none is in a replay.
    pub proposed: u64,
    /// It was of the change that is known to have caused it, or of another.
    pub proposed_right: u64,
    pub proposed_wrong: u64,
    /// It would have been merged by itself, too, if the forge had been ready.
    pub proposed_to_merge: u64,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.merges += other.merges;
        self.merges_off_hours += other.merges_off_hours;
        self.unattended += other.unattended;
        self.deployments += other.deployments;
        self.deployments_failed += other.deployments_failed;
        self.rollbacks += other.rollbacks;
        self.turns += other.turns;
        self.turn_minutes += other.turn_minutes;
        self.notices += other.notices;
        self.incidents += other.incidents;
        self.incidents_paged += other.incidents_paged;
        self.incidents_acknowledged += other.incidents_acknowledged;
        self.rotation_spared += other.rotation_spared;
        self.suspects_shown += other.suspects_shown;
        self.pages += other.pages;
        self.rotation_pages += other.rotation_pages;
        self.pages_outside_hours += other.pages_outside_hours;
        self.pages_at_night += other.pages_at_night;
        self.wrong_pages += other.wrong_pages;
        self.judged += other.judged;
        self.top_1 += other.top_1;
        self.top_3 += other.top_3;
        self.top_5 += other.top_5;
        self.no_change += other.no_change;
        self.culprits_paged += other.culprits_paged;
        self.proposed += other.proposed;
        self.proposed_right += other.proposed_right;
        self.proposed_wrong += other.proposed_wrong;
        self.proposed_to_merge += other.proposed_to_merge;
    }
}

/// The figures of one month, of all services.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Month {
    pub merges: u64,
    pub deployments: u64,
    pub incidents: u64,
    pub pages: u64,
    pub rotation_pages: u64,
    pub pages_outside_hours: u64,
    pub pages_at_night: u64,
}

/// Whether what caused an incident was among its suspects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Unknown,
    /// None of ours.
    NoChange,
    /// It was not among the suspects.
    Missed,
    /// At this place, from 1.
    Place(usize),
}

/// One incident, as it would have gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    pub id: IncidentId,
    pub service: ServiceId,
    pub what: String,
    pub detected_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub acknowledged_at: Option<Timestamp>,
    pub suspects: Vec<String>,
    pub verdict: Verdict,
    /// Who would have been paged, as what, when.
    pub paged: Vec<(PersonId, &'static str, Timestamp)>,
    pub rotation_at: Option<Timestamp>,
    pub culprit_paged: bool,
    pub wrong_pages: usize,
    /// The revert that would have been opened by itself: of which change, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposed: Option<(String, Timestamp)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub really: Option<Really>,
}

/// What did happen, of one incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Really {
    pub told: Vec<String>,
    pub taken_by: Option<String>,
    pub taken_at: Option<Timestamp>,
    /// Whoever took it then is among those who would have been paged for a suspect.
    pub would_have_been_paged: bool,
}

impl Told {
    pub(crate) fn of(incident: &Incident, verdict: Verdict, really: Option<Happened>) -> Self {
        let pages = incident.pages.iter().filter(|page| page.joined.is_none());
        let paged: Vec<_> =
            pages.take(MOST_PAGES).map(|page| (page.person.clone(), page.step.word(), page.at)).collect();
        let rotation = incident.pages.iter().filter(|page| matches!(page.step, Step::Rotation | Step::Owner));
        let caused = incident.culprit().flatten();
        let culprit = incident.suspects.iter().find(|suspect| Some(&suspect.change) == caused);
        let really = really.map(|really| {
            let is = |person: &PersonId, name: &String| person.as_str().eq_ignore_ascii_case(name);
            let taken = really.taken_by.as_ref();
            let paged = taken.is_some_and(|name| incident.pages.iter().any(|page| is(&page.person, name)));
            let Happened { told, taken_by, taken_at, .. } = really;
            Really { told, taken_by, taken_at, would_have_been_paged: paged }
        });
        Self {
            id: incident.id.clone(),
            service: incident.service.clone(),
            what: domain::wording::headline(incident),
            detected_at: incident.detected_at,
            resolved_at: incident.resolved_at,
            acknowledged_at: incident.acknowledged.iter().map(|taken| taken.at).min(),
            suspects: incident.suspects.iter().map(|suspect| suspect.label.clone()).collect(),
            verdict,
            rotation_at: rotation.map(|page| page.at).min(),
            culprit_paged: culprit.is_some_and(|culprit| incident.was_paged(&culprit.responder)),
            wrong_pages: incident.wrong_pages().len(),
            proposed: incident.proposed.as_ref().map(|proposal| (proposal.label.clone(), proposal.at)),
            paged,
            really,
        }
    }
}

/// What reached nobody: how often, and in which words how often.
pub type PassedWords = BTreeMap<Passed, (u64, BTreeMap<String, u64>)>;

/// Everything that came of a past.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outcome {
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub services: BTreeMap<ServiceId, Counts>,
    pub months: BTreeMap<String, Month>,
    /// By the hour on the wall of whoever was paged.
    pub pages_by_hour: [u64; 24],
    pub people_on_call: usize,
    pub people_paged: usize,
    pub most_pages_of_one: u64,
    pub passed: PassedWords,
    /// Of how many alerts it is known what did happen.
    pub really: u64,
    /// Of how many more it is not kept, since too many wait for an incident.
    pub really_left_out: u64,
    pub incidents: Vec<Told>,
}

impl Outcome {
    /// Of all services together.
    #[must_use]
    pub fn all(&self) -> Counts {
        let mut all = Counts::default();
        self.services.values().for_each(|counts| all.add(counts));
        all
    }

    /// Months between the first and the last event, at least one.
    #[must_use]
    pub fn month_count(&self) -> usize {
        self.months.len().max(1)
    }
}
