//! A person's own: "am I on call?", on a page and in a chat.

use aws::{House, Refusal, Response};
use domain::{ChangeId, Person, PersonId, Phase, ServiceId, Settings, times, window};
use minijinja::context;
use serde::Serialize;

use crate::board::{phase, readable};
use crate::page;
use crate::sign_in::Reader;

/// A window of theirs; times are in their zone.
#[derive(Serialize)]
pub(crate) struct Mine {
    pub(crate) phase: &'static str,
    pub(crate) service: ServiceId,
    #[serde(skip)]
    pub(crate) change: ChangeId,
    /// Whether it is theirs, or they are paged for somebody else's.
    #[serde(skip)]
    pub(crate) held: bool,
    /// Whether it waits to go live, or they are on call for it.
    #[serde(skip)]
    pub(crate) is_open: bool,
    pub(crate) label: String,
    pub(crate) name: String,
    pub(crate) url: Option<String>,
    pub(crate) until: Option<String>,
}

/// `GET /people/{id}`
pub(crate) async fn show(house: &House, reader: &Reader, id: &str) -> Result<Response, Refusal> {
    let found = id.parse::<PersonId>().ok().and_then(|id| house.settings().roster.person(&id));
    let Some(person) = found else {
        return Ok(page::notice(404, "Nobody by this name", "The roster has no such person."));
    };
    let (windows, unreadable) = windows(house, person).await?;
    Ok(page::render(
        200,
        "person.html",
        context! { reader => reader.shown(house), title => person.name.clone(), zone => person.zone.iana_name().unwrap_or("UTC"), windows => page::value(&windows), unreadable },
    ))
}

/// What they answer for, and which services cannot be read.
pub(crate) async fn windows(house: &House, person: &Person) -> Result<(Vec<Mine>, Vec<String>), Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let mut services = house.store.services_of(&person.id, 200).await?;
    services.extend(answers_in(person, settings));
    let (mut mine, mut unreadable) = (Vec::new(), Vec::new());
    for service in services.iter().filter_map(|id| settings.service(id)) {
        let read = house.store.situation(&service.id).await;
        let Some(situation) = readable(&mut unreadable, service, read)? else { continue };
        let all = window::windows(&situation, service, &settings.roster, now);
        let theirs = all.iter().filter(|w| w.responder.person == person.id || w.holder.person == person.id);
        mine.extend(theirs.map(|window| {
            let (phase, until) = phase(window);
            Mine {
                phase,
                service: service.id.clone(),
                change: window.change.id.clone(),
                held: window.holder.person == person.id,
                is_open: matches!(window.phase, Phase::Standby | Phase::Active { .. }),
                label: window.change.label(),
                name: window.change.title.clone(),
                url: window.change.url.clone(),
                until: until.map(|at| times::time(at, &person.zone, now)),
            }
        }));
    }
    Ok((mine, unreadable))
}

/// The services in which a person may answer for what others merged: as owner, on the rotation, as deputy or champion.
fn answers_in(person: &Person, settings: &Settings) -> Vec<ServiceId> {
    let stands_in =
        settings.roster.people().any(|p| p.champions.contains(&person.id) || p.deputies.contains(&person.id));
    let in_service =
        |s: &&domain::Service| stands_in || s.owners.contains(&person.id) || s.rotation.contains(&person.id);
    settings.services().filter(in_service).map(|s| s.id.clone()).collect()
}
