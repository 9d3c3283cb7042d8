//! What is kept of a person: exported, or removed. By an owner of any service, who is named in the log; of whom it was is not.

use aws::links::Grant;
use aws::store::{Held, Removed};
use aws::{House, Refusal};
use domain::privacy::Traces;
use domain::{Entry, Login, PersonId, Reason, Service, ServiceId, Subject, text};
use serde_json::json;

use super::{Field, Filled, Form, Outcome, Question, nothing};

const EXPORT: &str = "export";
const REMOVE: &str = "remove";
const SURE: &str = "yes";

/// Why nothing is done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error("what is kept of a person is exported and removed by somebody who owns a service")]
    NoOwner,
    #[error("{0} is still in the roster: take them out of the configuration first, or say `--yes`")]
    StillHere(PersonId),
    #[error("`{0}` of the configuration is called as they are: what is about it could not be told from them")]
    CalledAs(String),
    #[error("that account is {0}'s, by the roster")]
    OfAnother(PersonId),
    #[error("an account is written `forge:name`, such as github:usama")]
    NoLogin,
}

pub(super) fn ask(house: &House, grant: &Grant, id: &PersonId) -> Result<Question, Outcome> {
    if !is_owner(house, &grant.person) {
        return Err(nothing(&Refused::NoOwner));
    }
    let sure = Field { name: "sure", label: "Although they are in the roster: yes", ..Field::default() };
    let logins = || Field { name: "logins", label: "Accounts that the roster does not name", ..Field::default() };
    Ok(Question {
        title: format!("What is kept of {id}"),
        lines: vec![
            "Exported, it is shown as JSON.".to_owned(),
            "Removed, a placeholder stands wherever they are named; what open work needs is left, and said.".to_owned(),
        ],
        forms: vec![
            Form { button: "Export", does: EXPORT, fields: vec![logins()] },
            Form { button: "Remove", does: REMOVE, fields: vec![logins(), sure] },
        ],
    })
}

pub(super) async fn act(house: &House, grant: &Grant, id: &PersonId, form: &Filled) -> Result<Outcome, Refusal> {
    let traces = match allowed(house, grant, id, form) {
        Ok(traces) => traces,
        Err(refused) => return Ok(nothing(&refused)),
    };
    let services = everywhere(house);
    match form.get("do").map(String::as_str) {
        Some(EXPORT) => {
            let held = house.store.held(&services, &traces).await?;
            let what = format!("the data of a person were exported: {}", text::count(held.len(), "item", "items"));
            log(house, grant, id, what, Reason::DataExported).await?;
            Ok(Outcome::done("Exported", document(&held)))
        }
        Some(REMOVE) => {
            let removed = house.store.forget(&services, &traces, house.now()).await?;
            services.iter().for_each(|service| (house.nudge)(service));
            let what = format!("the data of a person were removed: {}", text::count(removed.items, "item", "items"));
            log(house, grant, id, what, Reason::DataRemoved).await?;
            Ok(said(&removed))
        }
        Some(_) | None => Ok(Outcome::not_understood(super::NOT_ALLOWED)),
    }
}

/// Whether this may be done, and what is looked for.
fn allowed(house: &House, grant: &Grant, id: &PersonId, form: &Filled) -> Result<Traces, Refused> {
    let roster = &house.settings().roster;
    if !is_owner(house, &grant.person) {
        return Err(Refused::NoOwner);
    }
    let logins = form.get("logins").map_or("", String::as_str).split_whitespace();
    let logins: Result<Vec<Login>, _> = logins.map(|login| login.to_owned().try_into()).collect();
    let logins = logins.map_err(|_| Refused::NoLogin)?;
    if let Some(other) = logins.iter().find_map(|login| roster.by_login(login).filter(|person| person.id != *id)) {
        return Err(Refused::OfAnother(other.id.clone()));
    }
    let traces = Traces::of(id, roster.person(id), &logins);
    if form.get("do").map(String::as_str) != Some(REMOVE) {
        return Ok(traces);
    }
    if roster.person(id).is_some() && form.get("sure").map(String::as_str) != Some(SURE) {
        return Err(Refused::StillHere(id.clone()));
    }
    match words(house).find(|word| traces.is_in(word)) {
        Some(word) => Err(Refused::CalledAs(word)),
        None => Ok(traces),
    }
}

/// What is called something by the configuration, and found by that in the table.
fn words(house: &House) -> impl Iterator<Item = String> {
    let settings = house.settings();
    let of_service = |service: &Service| {
        let environments = service.environments.iter().map(|environment| environment.name.to_string());
        let repositories = service.merged().map(ToString::to_string);
        environments.chain(repositories).collect::<Vec<_>>()
    };
    let services = everywhere(house).into_iter().map(|service| service.to_string());
    let senders = house.configuration.senders.keys().cloned();
    services.chain(settings.services().flat_map(of_service)).chain(senders)
}

fn is_owner(house: &House, person: &PersonId) -> bool {
    house.settings().services().any(|service| service.owners.contains(person))
}

/// Every service, and the desks, which are kept as if they were some.
fn everywhere(house: &House) -> Vec<ServiceId> {
    let settings = house.settings();
    let desks = settings.merge_desks().map(|(desk, _)| desk).chain([settings.freeze_desk()]);
    settings.services().chain(desks).map(|service| service.id.clone()).collect()
}

/// It is of no one service: where freezes are kept, whoever looks for it finds it. Who has their own data removed is not named.
async fn log(house: &House, grant: &Grant, id: &PersonId, what: String, reason: Reason) -> Result<(), Refusal> {
    let person = Some(grant.person.clone()).filter(|by| by != id || reason == Reason::DataExported);
    let entry = Entry { at: house.now(), subject: Some(Subject::Service), person, what, reason };
    Ok(house.store.append(&house.settings().freeze_desk().id, &entry).await?)
}

fn document(held: &[Held]) -> String {
    let item = |one: &Held| json!({ "partition": one.partition, "sort": one.sort, "what": one.kind, "item": one.item });
    let all = json!({ "items": held.iter().map(item).collect::<Vec<_>>() });
    serde_json::to_string_pretty(&all).unwrap_or_default()
}

fn said(removed: &Removed) -> Outcome {
    let items = text::count(removed.items, "item", "items");
    let mut lines = vec![format!("{items} were rewritten or deleted, and their pseudonym is forgotten.")];
    if !removed.left.is_empty() {
        lines.push("Left, as long as open work needs it; remove it again then:".to_owned());
        lines.extend(removed.left.iter().map(|left| format!("  {left}")));
    }
    Outcome::done("Removed", lines.join("\n"))
}
