//! What programs are told alike of an incident, in a list, alone and exported.

use jiff::Timestamp;
use serde::Serialize;

use crate::acknowledgement::{Acknowledgement, Acknowledger};
use crate::ids::PersonId;
use crate::outcome::{Judge, Mitigated, Verdict};
use crate::roster::Roster;
use crate::suspect::Suspect;

/// Somebody, as the roster calls them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Who {
    pub person: PersonId,
    pub name: String,
}

impl Who {
    #[must_use]
    pub fn of(person: &PersonId, roster: &Roster) -> Self {
        Self { person: person.clone(), name: roster.name_of(person).to_owned() }
    }
}

/// A suspect as programs are told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suspected {
    pub change: String,
    pub label: String,
    pub title: String,
    pub url: Option<String>,
    pub responder: Who,
    pub percent: Option<u16>,
    pub evidence: Vec<String>,
}

impl Suspected {
    #[must_use]
    pub fn of(suspect: &Suspect, roster: &Roster) -> Self {
        Self {
            change: suspect.change.to_string(),
            label: suspect.label.clone(),
            title: suspect.title.clone(),
            url: suspect.url.clone(),
            responder: Who::of(&suspect.responder, roster),
            percent: suspect.percent(),
            evidence: suspect.evidence.clone(),
        }
    }
}

/// That somebody took it. `person` is absent where the roster does not know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    pub person: Option<PersonId>,
    pub name: String,
    pub at: Timestamp,
}

impl Taken {
    #[must_use]
    pub fn of(taken: &Acknowledgement, roster: &Roster) -> Self {
        let person = match &taken.by {
            Acknowledger::Person(person) => Some(person.clone()),
            Acknowledger::Stranger(_) => None,
        };
        Self { person, name: taken.name(roster).to_owned(), at: taken.at }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Back {
    pub at: Timestamp,
    pub change: String,
    pub label: String,
    pub how: &'static str,
}

impl Back {
    #[must_use]
    pub fn of(back: &Mitigated) -> Self {
        Self { at: back.at, change: back.change.to_string(), label: back.label.clone(), how: back.how.word() }
    }
}

/// Which change it was. `change` is absent where it was none of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    pub at: Timestamp,
    pub change: Option<String>,
    pub label: String,
    pub by: &'static str,
    pub person: Option<Who>,
}

impl Judged {
    #[must_use]
    pub fn of(verdict: &Verdict, roster: &Roster) -> Self {
        let (by, person) = match &verdict.by {
            Judge::Revert => ("revert", None),
            Judge::Person(person) => ("person", Some(person)),
            Judge::Guess(person) => ("guess", Some(person)),
        };
        Self {
            at: verdict.at,
            change: verdict.change.as_ref().map(ToString::to_string),
            label: verdict.label.clone(),
            by,
            person: person.map(|person| Who::of(person, roster)),
        }
    }
}
