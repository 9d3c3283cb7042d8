//! `[people.<id>]`: the roster.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use domain::{Login, Person, PersonId, Roster, Step};
use strum::IntoEnumIterator;

use super::calendars::{self, Calendars};
use super::receivers;
use super::section::Section;
use crate::receiver::ReceiverConfig;

/// The forges, monitors and pagers in which people have accounts.
const FORGES: [&str; 8] = ["github", "gitlab", "bitbucket", "gitea", "azure", "pagerduty", "opsgenie", "sentry"];

pub(super) fn read(
    root: &mut Section<'_, '_>,
    known: &BTreeMap<String, ReceiverConfig>,
    calendars: &Calendars,
) -> Roster {
    let mut owners: BTreeMap<Login, String> = BTreeMap::new();
    let mut named = Vec::new();
    let people = root.tables("people", |id, section| {
        let name = section.text("name").unwrap_or_else(|| id.to_owned());
        let zone = calendars::zone(section);
        let timetable = calendars::of_person(section, &zone, calendars);
        let logins = logins(section, id, &mut owners);
        let contacts = receivers::contacts(section, "contacts", known);
        if !section.has("contacts") {
            section.problem("`contacts` is missing: nobody could reach this person");
        }
        let champions = others(section, "champions", &mut named);
        let deputies = others(section, "deputies", &mut named);
        let muted = muted(section);
        let id: PersonId = match id.parse() {
            Ok(id) => id,
            Err(error) => {
                section.problem(format!("not a {error}"));
                return None;
            }
        };
        if champions.contains(&id) || deputies.contains(&id) {
            section.problem("names itself: somebody else has to stand in");
        }
        let name = domain::text::line(&name, 60);
        Some(Person { id, name, logins, zone, timetable, contacts, champions, deputies, muted })
    });
    if people.is_empty() {
        root.problem("there are no people: add a [people.<id>] for each");
    }
    let roster = Roster::new(people.into_values().flatten());
    for (key, id, span) in named {
        match roster.person(&id) {
            None => root.problem_in(&span, format!("`{key}` names {id}, who is not among the people")),
            Some(other) if other.is_outside() => {
                root.problem_in(&span, format!("`{key}` names {id}, who has champions too and answers for nobody"));
            }
            Some(_) => {}
        }
    }
    roster
}

/// Other people of the roster, to be looked up once all of them are known.
fn others(
    section: &mut Section<'_, '_>,
    key: &'static str,
    named: &mut Vec<(&'static str, PersonId, Range<usize>)>,
) -> Vec<PersonId> {
    let found: Vec<(PersonId, Range<usize>)> = section.ids(key);
    named.extend(found.iter().map(|(id, span)| (key, id.clone(), span.clone())));
    found.into_iter().map(|(id, _)| id).collect()
}

/// `mute = ["receipt"]`: the notices that a person does not want.
fn muted(section: &mut Section<'_, '_>) -> BTreeSet<Step> {
    let known: Vec<&str> = Step::iter().filter(|step| step.can_be_muted()).map(Step::word).collect();
    let mut muted = BTreeSet::new();
    for (word, span) in section.texts("mute") {
        match word.parse::<Step>().ok().filter(|step| step.can_be_muted()) {
            Some(step) => {
                muted.insert(step);
            }
            None => section.problem_in(&span, format!("`mute` can be of {}", known.join(", "))),
        }
    }
    muted
}

/// Every account and address, each of one person only.
fn logins(section: &mut Section<'_, '_>, id: &str, owners: &mut BTreeMap<Login, String>) -> Vec<Login> {
    let mut logins = Vec::new();
    for forge in FORGES.into_iter().chain(["emails"]) {
        for (name, span) in section.texts(forge) {
            let read = if forge == "emails" { Login::from_email(&name) } else { Login::new(forge, &name) };
            let Ok(login) = read else {
                let what = if forge == "emails" { "an e-mail address" } else { "an account" };
                section.problem_in(&span, format!("`{forge}` has something that is not {what}"));
                continue;
            };
            match owners.insert(login.clone(), id.to_owned()) {
                Some(other) if other != id => {
                    section.problem_in(&span, format!("the account {login} belongs to {other} already"));
                }
                Some(_) | None => logins.push(login),
            }
        }
    }
    logins
}
