//! `[people.<id>]`: the roster.

use std::collections::BTreeMap;

use domain::{Contact, Login, Person, Roster};

use super::ReceiverConfig;
use super::calendars::{self, Calendars};
use super::section::Section;

pub(super) fn read(
    root: &mut Section<'_, '_>,
    receivers: &BTreeMap<String, ReceiverConfig>,
    calendars: &Calendars,
) -> Roster {
    let mut owners: BTreeMap<Login, String> = BTreeMap::new();
    let people = root.tables("people", |id, section| {
        let name = section.text("name").unwrap_or_else(|| id.to_owned());
        let zone = calendars::zone(section);
        let timetable = calendars::of_person(section, &zone, calendars);
        let logins = logins(section, id, &mut owners);
        let contacts = contacts(section, receivers);
        match id.parse() {
            Ok(id) => Some(Person { id, name: domain::text::line(&name, 60), logins, zone, timetable, contacts }),
            Err(error) => {
                section.problem(format!("not a {error}"));
                None
            }
        }
    });
    if people.is_empty() {
        root.problem("there are no people: add a [people.<id>] for each");
    }
    Roster::new(people.into_values().flatten())
}

fn logins(section: &mut Section<'_, '_>, id: &str, owners: &mut BTreeMap<Login, String>) -> Vec<Login> {
    let mut logins = Vec::new();
    for (name, span) in section.texts("github") {
        let Ok(login) = Login::new("github", &name) else {
            section.problem_in(&span, "`github` has something that is not an account");
            continue;
        };
        match owners.insert(login.clone(), id.to_owned()) {
            Some(other) if other != id => {
                section.problem_in(&span, format!("the account {login} belongs to {other} already"));
            }
            Some(_) | None => logins.push(login),
        }
    }
    logins
}

fn contacts(section: &mut Section<'_, '_>, receivers: &BTreeMap<String, ReceiverConfig>) -> Vec<Contact> {
    let mut contacts = Vec::new();
    for (text, span) in section.texts("contacts") {
        match text.split_once(':') {
            None if text == "terminal" => contacts.push(Contact::Terminal),
            Some(("webhook", name)) if receivers.contains_key(name) => contacts.push(Contact::Webhook(name.to_owned())),
            Some(("webhook", name)) => section.problem_in(&span, format!("there is no [receivers.{name}]")),
            Some(_) | None => section.problem_in(&span, "a contact is \"terminal\" or \"webhook:<receiver>\""),
        }
    }
    if !section.has("contacts") {
        section.problem("`contacts` is missing: nobody could reach this person");
    }
    contacts
}
