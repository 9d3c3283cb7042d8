//! A person's own: "am I on call?", on a page and in a chat.

use aws::links::Action;
use aws::{House, Refusal, Request, Response};
use domain::text::count;
use domain::{ChangeId, Person, PersonId, Phase, ServiceId, Settings, shift, times, window};
use jiff::Timestamp;
use minijinja::context;
use serde::Serialize;

use crate::board::{ON_CALL, phase, readable};
use crate::hours::{Hours, Moment};
use crate::offers::Offers;
use crate::sign_in::Reader;
use crate::{page, people};

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
    #[serde(skip)]
    pub(crate) until_at: Option<Timestamp>,
}

/// A window as their page shows it.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    mine: &'a Mine,
    until_at: Option<Moment>,
    hand_over: Option<String>,
}

/// `GET /people/{id}`
pub(crate) async fn show(house: &House, request: &Request, reader: &Reader, id: &str) -> Result<Response, Refusal> {
    let found = id.parse::<PersonId>().ok().and_then(|id| house.settings().roster.person(&id));
    let Some(person) = found else {
        return Ok(page::notice(404, "Nobody by this name", "The roster has no such person."));
    };
    let Theirs { mine: windows, pagers, unreadable } = windows(house, person).await?;
    let (hours, offers) = (Hours::of(house, request, reader), Offers::of(house, reader)?);
    let shown =
        |mine| Shown { mine, until_at: mine.until_at.map(|at| hours.moment(at)), hand_over: hand_over(&offers, mine) };
    let shown: Vec<Shown<'_>> = windows.iter().map(shown).collect();
    let zone = person.zone.iana_name().unwrap_or("UTC");
    // Where the reader is elsewhere, what time it is there.
    let theirs = (zone != hours.zone()).then(|| {
        let there = hours.now.to_zoned_datetime(person.zone.clone());
        format!("It is {} there ({zone}).", there.strftime("%a %H:%M"))
    });
    let values = context! {
        title => person.name.clone(), person => page::value(&people::person(house, &person.id)), answer => answer(person, house.settings(), &windows, &pagers, &hours), theirs,
        windows => page::value(&shown), unreadable,
    };
    Ok(page::whole(house, reader, &hours, 200, "person.html", values))
}

fn hand_over(offers: &Offers, mine: &Mine) -> Option<String> {
    let action = Action::HandOver(mine.service.clone(), mine.change.clone());
    offers.path(action).filter(|_| mine.held && mine.is_open)
}

/// Whether they are on call, in a sentence.
fn answer(
    person: &Person,
    settings: &Settings,
    windows: &[Mine],
    pagers: &[(ServiceId, Option<Timestamp>)],
    hours: &Hours,
) -> String {
    let on_call: Vec<&Mine> = windows.iter().filter(|mine| mine.phase == ON_CALL).collect();
    let waiting = windows.iter().filter(|mine| mine.is_open).count() - on_call.len();
    let waits = match waiting {
        0 => "nothing in the queue".to_owned(),
        n => format!("{} waiting to go live", count(n, "change", "changes")),
    };
    let has = |(service, until): &(ServiceId, Option<Timestamp>)| {
        let until = until.map(|at| format!(" until {}", hours.at(at))).unwrap_or_default();
        format!("Has the pager of {service}{until}. ")
    };
    let has: String = pagers.iter().map(has).collect();
    let rotations: Vec<&str> =
        settings.services().filter(|s| s.rotation.contains(&person.id)).map(|s| s.id.as_str()).collect();
    let rotation =
        if rotations.is_empty() { String::new() } else { format!(" On the rotation of {}.", rotations.join(", ")) };
    let said = match on_call.iter().filter_map(|mine| mine.until_at).max() {
        Some(until) => {
            let mut services: Vec<&str> = on_call.iter().map(|mine| mine.service.as_str()).collect();
            services.dedup();
            format!("On call for {} until {}; {waits}.", services.join(", "), hours.at(until))
        }
        None => format!("No change on call now; {waits}."),
    };
    format!("{has}{said}{rotation}")
}

/// What somebody answers for.
pub(crate) struct Theirs {
    pub(crate) mine: Vec<Mine>,
    /// The services of which they have the pager for everything, and until when.
    pub(crate) pagers: Vec<(ServiceId, Option<Timestamp>)>,
    /// Which services cannot be read.
    pub(crate) unreadable: Vec<String>,
}

/// What they answer for, and which services cannot be read.
pub(crate) async fn windows(house: &House, person: &Person) -> Result<Theirs, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let mut services = house.store.services_of(&person.id, 200).await?;
    services.extend(answers_in(person, settings));
    let (mut mine, mut unreadable, mut pagers) = (Vec::new(), Vec::new(), Vec::new());
    for service in services.iter().filter_map(|id| settings.service(id)) {
        let read = house.store.situation(&service.id).await;
        let Some(situation) = readable(&mut unreadable, service, read)? else { continue };
        let shift = shift::of_service(situation.shifts.values().map(|s| &s.value), now);
        let shift = shift.filter(|shift| shift.person == person.id);
        pagers.extend(shift.map(|shift| (service.id.clone(), shift.until)));
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
                until_at: until,
            }
        }));
    }
    Ok(Theirs { mine, pagers, unreadable })
}

/// The services in which a person may answer for what others merged: as owner, on the rotation, as deputy or champion.
pub(crate) fn answers_in(person: &Person, settings: &Settings) -> Vec<ServiceId> {
    let stands_in =
        settings.roster.people().any(|p| p.champions.contains(&person.id) || p.deputies.contains(&person.id));
    let in_service =
        |s: &&domain::Service| stands_in || s.owners.contains(&person.id) || s.rotation.contains(&person.id);
    settings.services().filter(in_service).map(|s| s.id.clone()).collect()
}
