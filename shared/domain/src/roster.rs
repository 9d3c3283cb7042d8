//! The people: which accounts and addresses are theirs, when they work, how they are reached, who stands in for them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use crate::calendar::Timetable;
use crate::ids::PersonId;
use crate::login::Login;
use crate::message::Step;

/// One way to reach a person. Tried in the roster's order until one accepts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contact {
    /// The receiver's name, as the configuration calls it.
    pub receiver: String,
    /// The person's account, number or address there; empty where the receiver reaches one person only.
    pub address: String,
    /// The receiver keeps what it was told as something open: it is told what became of it.
    pub keeps: bool,
}

impl Contact {
    /// The terminal that `cargo run` was started from.
    #[must_use]
    pub fn terminal() -> Self {
        Self { receiver: "terminal".to_owned(), address: String::new(), keeps: false }
    }
}

/// Somebody who can be told something.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    /// Accounts of forges, and addresses as [`Login::from_email`] reads them.
    pub logins: Vec<Login>,
    pub zone: TimeZone,
    /// Working hours, regional calendars and days off, in the person's zone.
    pub timetable: Timetable,
    pub contacts: Vec<Contact>,
    /// Who answers for this person's changes, first one first: this person is an outside contributor.
    pub champions: Vec<PersonId>,
    /// Who stands in on this person's days off and holidays, first one first.
    pub deputies: Vec<PersonId>,
    /// The notices that this person does not want. The start of a turn is always told.
    pub muted: BTreeSet<Step>,
}

impl Person {
    /// Merges, and is not asked to answer for it.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        !self.champions.is_empty()
    }
}

/// Everybody we know, and the accounts by which forges call them.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    people: BTreeMap<PersonId, Person>,
    logins: BTreeMap<Login, PersonId>,
}

impl Roster {
    /// Where two people claim one login the later wins; `check` refuses such a configuration.
    #[must_use]
    pub fn new(people: impl IntoIterator<Item = Person>) -> Self {
        let mut roster = Self::default();
        for person in people {
            for login in &person.logins {
                roster.logins.insert(login.clone(), person.id.clone());
            }
            roster.people.insert(person.id.clone(), person);
        }
        roster
    }

    /// One more, who has no accounts.
    pub fn add(&mut self, person: Person) {
        self.people.insert(person.id.clone(), person);
    }

    #[must_use]
    pub fn person(&self, id: &PersonId) -> Option<&Person> {
        self.people.get(id)
    }

    /// The person behind an account, whatever its letter case.
    #[must_use]
    pub fn by_login(&self, login: &Login) -> Option<&Person> {
        self.logins.get(login).and_then(|id| self.people.get(id))
    }

    /// The person behind an account in a monitor or pager: by its login, else by the pager's contact of this address.
    #[must_use]
    pub fn by_account(&self, login: &Login) -> Option<&Person> {
        let is = |contact: &Contact| contact.keeps && contact.address.eq_ignore_ascii_case(login.name());
        let by_contact = || self.people().find(|person| person.contacts.iter().any(is));
        self.by_login(login).or_else(by_contact)
    }

    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    /// How a person is called in a message; the id where they have left the roster since.
    #[must_use]
    pub fn name_of<'a>(&'a self, id: &'a PersonId) -> &'a str {
        self.people.get(id).map_or(id.as_str(), |p| p.name.as_str())
    }

    /// The person's own zone, else UTC.
    #[must_use]
    pub fn zone_of(&self, id: &PersonId) -> TimeZone {
        self.people.get(id).map_or(TimeZone::UTC, |p| p.zone.clone())
    }
}
