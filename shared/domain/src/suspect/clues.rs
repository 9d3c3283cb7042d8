//! What the alerts of an incident say, as far as it points at changes.

use std::collections::BTreeSet;

use crate::ids::{ChangeId, PersonId};
use crate::incident::Incident;
use crate::rank::{alike, named};
use crate::service::Service;

/// What the alerts of an incident say, as far as it points at changes.
#[derive(Debug, Clone, Default)]
pub struct Clues {
    /// Files and modules, nearest to the failure first.
    pub names: Vec<String>,
    /// Telling words.
    pub words: BTreeSet<String>,
    /// The change that somebody named instead of their own, and who said that it is not theirs.
    pub named: Option<ChangeId>,
    pub refused: BTreeSet<PersonId>,
}

impl Clues {
    #[must_use]
    pub fn of(incident: &Incident, service: &Service) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut said = String::new();
        for alert in incident.alerts.values() {
            names.extend(alert.names.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
            said.extend([&alert.name, " ", &alert.summary, " "]);
        }
        names.truncate(named::MOST_NAMES);
        let known = format!("{} {}", service.id, incident.environment);
        let named = incident.not_mine.iter().rev().find_map(|said| said.instead.clone());
        let refused = incident.not_mine.iter().map(|said| said.person.clone()).collect();
        Self { names, words: alike::words(&said, &known), named, refused }
    }
}
