//! The board: who is on call for what until when, and why; the queues, open incidents, freezes, and what nobody attends to. Three
//! queries, however many services there are.

pub(crate) mod freezes;
mod row;

use std::collections::BTreeMap;

use aws::links::Action;
use aws::wire::error_chain;
use aws::{House, Refusal, Request, Response, StoreError};
use domain::card::Card;
use domain::text::count;
use domain::{PersonId, Phase, Service, ServiceId, Settings, Window};
use jiff::{SignedDuration, Timestamp};
use minijinja::context;

use crate::hours::Hours;
use crate::offers::Offers;
use crate::page;
use crate::sign_in::Reader;
use freezes::FreezesView;
use row::{IncidentRow, Row, Unattended};

/// How many lines of the log of freezes the calendar shows.
const MOST_LATELY: i32 = 8;
/// So many rows of services in which nothing goes on are shown; of the others only the names.
const MOST_QUIET: usize = 30;
/// So many services are named to a reader.
const MOST_NAMED: usize = 12;
/// So many merges that nobody attends to.
const MOST_UNATTENDED: usize = 20;
/// What has to be looked at for so long was forgotten.
const LATE: SignedDuration = SignedDuration::from_mins(3);

/// `GET /`
pub(crate) async fn overview(house: &House, request: &Request, reader: &Reader) -> Result<Response, Refusal> {
    let (settings, offers, hours) = (house.settings(), Offers::of(house, reader)?, Hours::of(house, request, reader));
    let mut unreadable = Vec::new();
    let desk = settings.freeze_desk();
    let read = async { Ok::<_, StoreError>(house.store.situation(&desk.id).await) };
    let (cards, due, frozen) = tokio::try_join!(house.store.cards(), house.store.due_since(hours.now), read)?;
    let frozen = readable(&mut unreadable, desk, frozen)?;
    let mut known = BTreeMap::new();
    for (id, card) in cards {
        let Some(service) = settings.service(&id) else { continue };
        if let Some(card) = readable(&mut unreadable, service, card)? {
            known.insert(id, card);
        }
    }
    unreadable.extend(overlooked(&due, &hours));
    let freezes = frozen.map(|situation| freezes::view(house, reader, &offers, &hours, &situation, &[]));
    let board = Board::of(house, &known, &offers, &hours);
    let values = context! { title => "Who is on call", board => page::value(&board), unreadable, freezes => page::value(&freezes) };
    Ok(page::whole(house, reader, &hours, 200, "board.html", values))
}

/// `GET /calendar`: freezes, and what people did about them.
pub(crate) async fn calendar(house: &House, request: &Request, reader: &Reader) -> Result<Response, Refusal> {
    let (offers, hours, desk) =
        (Offers::of(house, reader)?, Hours::of(house, request, reader), house.settings().freeze_desk());
    let (situation, log) = tokio::try_join!(house.store.situation(&desk.id), house.store.log(&desk.id, MOST_LATELY))?;
    let freezes: FreezesView = freezes::view(house, reader, &offers, &hours, &situation, &log);
    let values = context! { title => "Freezes", freezes => page::value(&freezes) };
    Ok(page::whole(house, reader, &hours, 200, "calendar.html", values))
}

/// The services that should have been looked at long ago: what is shown of them may be old, and nobody is paged for them.
fn overlooked(due: &[(ServiceId, Timestamp)], hours: &Hours) -> Option<String> {
    let late: Vec<&(ServiceId, Timestamp)> = due.iter().filter(|(_, at)| *at + LATE <= hours.now).collect();
    let since = late.iter().map(|(_, at)| *at).min()?;
    let names: Vec<&str> = late.iter().take(5).map(|(id, _)| id.as_str()).collect();
    let more = if late.len() > names.len() { format!(" and {} more", late.len() - names.len()) } else { String::new() };
    let (names, since) = (names.join(", "), hours.at(since));
    Some(format!(
        "Nobody has looked at {names}{more} since {since}: does on-schedule run? What is shown here may be old."
    ))
}

/// What the board shows beside freezes.
#[derive(serde::Serialize)]
struct Board {
    /// What this reader is told of themselves.
    you: Option<String>,
    incidents: Vec<IncidentRow>,
    open: usize,
    /// Whether any was over lately.
    lately: bool,
    /// What is said aloud when it changes.
    say: String,
    rows: Vec<Row>,
    quiet: Vec<String>,
    unattended: Vec<Unattended>,
    unattended_more: usize,
    /// The alerts of no service, where there are any.
    unmapped: Option<Row>,
}

impl Board {
    fn of(house: &House, known: &BTreeMap<ServiceId, Card>, offers: &Offers, hours: &Hours) -> Self {
        let settings = house.settings();
        let mut incidents = Vec::new();
        for card in known.values() {
            for glance in &card.incidents {
                let act = offers.path(Action::Acknowledge(glance.id.clone()));
                incidents.push(IncidentRow::of(house, card, glance, act, hours));
            }
        }
        incidents.sort_by_key(|incident| !incident.is_open);
        let open = known.values().map(|card| card.open_incidents).sum();
        let mut rows: Vec<Row> =
            settings.services().map(|service| Row::of(house, service, known.get(&service.id), hours)).collect();
        let is_bucket = |id: &str| settings.services().any(|s| s.id.as_str() == id && s.repositories.is_empty());
        // The bucket of alerts of no service shows only when there is something in it.
        let bucket = rows.iter().position(|row| is_bucket(&row.id)).map(|at| rows.remove(at));
        rows.sort_by_key(Row::order);
        let first_quiet = rows.iter().position(Row::is_quiet).unwrap_or(rows.len());
        let rest = rows.split_off((first_quiet + MOST_QUIET).min(rows.len()));
        let waiting = known.values().flat_map(|card| card.queue.first.iter().map(move |waiting| (card, waiting)));
        let unattended = waiting.filter(|(_, waiting)| waiting.unattended).take(MOST_UNATTENDED);
        let unattended: Vec<Unattended> =
            unattended.map(|(card, waiting)| Unattended::of(house, card, waiting, hours)).collect();
        let all: usize = known.values().map(|card| card.queue.unattended).sum();
        Self {
            you: offers.person.as_ref().map(|person| you(person, house.settings(), known, hours)),
            lately: incidents.iter().any(|incident| !incident.is_open),
            incidents,
            open,
            say: if open == 0 {
                "No open incident is known.".to_owned()
            } else {
                count(open, "open incident.", "open incidents.")
            },
            rows,
            quiet: rest.into_iter().map(|row| row.id).collect(),
            unattended_more: all.saturating_sub(unattended.len()),
            unattended,
            unmapped: bucket.filter(|row| row.open > 0),
        }
    }
}

/// `You are on call for edxapp until 14:20.`
fn you(person: &PersonId, settings: &Settings, known: &BTreeMap<ServiceId, Card>, hours: &Hours) -> String {
    let mine = |card: &Card| {
        let until = |at: Option<Timestamp>| at.map(|at| format!(" until {}", hours.at(at))).unwrap_or_default();
        if let Some((_, end)) = card.pager(hours.now).filter(|(who, _)| *who == person) {
            return Some(format!("{} (you have its pager{})", card.service, until(end)));
        }
        let seat = card.on_call.iter().find(|seat| seat.person == *person && seat.until > hours.now)?;
        Some(format!("{}{}", card.service, until(Some(seat.until))))
    };
    let on_call: Vec<String> = known.values().filter_map(mine).collect();
    let rotations = known.values().filter(|card| card.rotation.contains(person));
    let rotations: Vec<&str> = rotations.take(MOST_NAMED).map(|card| card.service.as_str()).collect();
    let served = settings.services().filter(|service| !service.repositories.is_empty());
    let unknown = known.values().any(|card| card.more_on_call > 0)
        || served.into_iter().any(|service| !known.contains_key(&service.id));
    let mut said = match (on_call.is_empty(), unknown) {
        (false, _) => format!("You are on call for {}.", on_call.join(", ")),
        (true, false) => "No change of yours is on call now.".to_owned(),
        (true, true) => "Whether you are on call says your own page.".to_owned(),
    };
    if !rotations.is_empty() {
        said.push_str(&format!(" You are on the rotation of {}.", rotations.join(", ")));
    }
    said
}

/// What was read of a service. What of one cannot be understood keeps nobody from reading the others.
pub(crate) fn readable<T>(
    unreadable: &mut Vec<String>,
    service: &Service,
    read: Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error @ (StoreError::Newer { .. } | StoreError::Unreadable(_))) => {
            tracing::error!(service.name = %service.id, cause = error_chain(&error), "cannot be shown");
            unreadable.push(format!("{} cannot be shown: {error}", service.id));
            Ok(None)
        }
        Err(error @ (StoreError::Unavailable(_) | StoreError::Conflict)) => Err(error),
    }
}

/// How a window is called whose turn it is.
pub(crate) const ON_CALL: &str = "on call";

/// A window's phase in a word or two, and its end.
pub(crate) fn phase(window: &Window<'_>) -> (&'static str, Option<Timestamp>) {
    match window.phase {
        Phase::Standby => ("standby", None),
        Phase::Active { until, .. } => (ON_CALL, Some(until)),
        Phase::Tail { until, .. } => ("suspect only", Some(until)),
        Phase::Closed { at, .. } => ("closed", Some(at)),
    }
}
