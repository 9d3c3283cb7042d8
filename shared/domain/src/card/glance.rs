//! An incident at a glance, for its service's card.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{MOST_TITLE, Named};
use crate::alert::Severity;
use crate::ids::{IncidentId, PersonId};
use crate::incident::Incident;
use crate::ladder::{self, Reach, Standing};
use crate::outcome::State;
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::text;
use crate::wording;

/// So many are named; of the others only their number is.
pub const MOST_INCIDENTS: usize = 6;

/// An incident that is open, or was until lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glance {
    pub id: IncidentId,
    pub headline: String,
    pub severity: Severity,
    pub state: State,
    pub began_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// The likeliest change, whose it is, and how likely in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect: Option<(Named, PersonId, Option<u16>)>,
    /// Who is at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<String>,
    /// Who is paged next, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<(PersonId, Timestamp)>,
    pub paged: Vec<PersonId>,
    /// Nobody is paged for it just now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub judged: bool,
}

/// What is open, then what was lately; and how many are open.
pub(super) fn incidents(
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> (Vec<Glance>, usize) {
    let mut all: Vec<&Incident> = situation.incidents.values().map(|i| &i.value).collect();
    all.sort_by_key(|i| (!i.is_open(), std::cmp::Reverse(i.severity), std::cmp::Reverse(i.began_at)));
    let open = all.iter().filter(|i| i.is_open()).count();
    let reach = Reach::of(situation, service, now);
    let glance = |incident: &&Incident| {
        let rows = ladder::rows(&reach.call(incident, service), now);
        let next = rows.iter().find(|row| row.standing == Standing::Next);
        let mut paged: Vec<PersonId> = incident.pages.iter().rev().map(|page| page.person.clone()).collect();
        paged.dedup();
        paged.truncate(3);
        Glance {
            id: incident.id.clone(),
            headline: text::line(&wording::headline(incident), 160),
            severity: incident.severity,
            state: incident.state(&service.policy, now),
            began_at: incident.began_at,
            resolved_at: incident.resolved_at,
            suspect: incident.suspects.first().map(|suspect| {
                let title = text::line(&suspect.title, MOST_TITLE);
                let (id, label, url) = (suspect.change.clone(), suspect.label.clone(), suspect.url.clone());
                (Named { id, label, title, url }, suspect.responder.clone(), suspect.percent())
            }),
            taken_by: incident.taken(&service.policy, now).map(|taken| taken.name(&settings.roster).to_owned()),
            next: next.map(|row| (row.person.clone(), row.at)),
            paged,
            held: incident.held.is_some(),
            judged: incident.verdict.is_some(),
        }
    };
    (all.iter().take(MOST_INCIDENTS).map(glance).collect(), open)
}
