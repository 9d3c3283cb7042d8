//! The board: who is on call for what until when, the queue, open incidents, what happened lately and why.

use aws::links::{self, Action, Grant, LIFE};
use aws::secrets::Secret;
use aws::wire::error_chain;
use aws::{House, Refusal, Response, StoreError};
use domain::expedite::Expedite;
use domain::freeze::{Feed, Freezes};
use domain::wording::freezes;
use domain::{FreezeId, PersonId, Phase, Service, Settings, Situation, Window, window};
use jiff::Timestamp;
use minijinja::context;
use serde_json::{Value, json};

use crate::incident::Scene;
use crate::sign_in::Reader;
use crate::view::{ServiceView, just_now, utc, view};
use crate::{may, page};

/// How many freezes that are under way or ahead it shows.
const MOST_FREEZES: usize = 8;
/// How many lines of their log.
const MOST_LATELY: i32 = 3;
/// How many lines of the log the board shows for each service.
const MOST_LINES: i32 = 15;
/// How many of the incidents that left the working set it shows.
const MOST_PAST: i32 = 5;

/// `GET /`
pub(crate) async fn overview(house: &House, reader: &Reader) -> Result<Response, Refusal> {
    let now = house.now();
    let (mut services, mut unreadable) = (Vec::new(), Vec::new());
    for service in house.settings().services() {
        let Some(view) = readable(&mut unreadable, service, seen(house, service, now).await)? else { continue };
        // The bucket of unmapped alerts shows only when there is something in it.
        if !service.repositories.is_empty() || !view.incidents.is_empty() || !view.lately.is_empty() {
            services.push(view);
        }
    }
    let freezes = freezes(house, reader, &mut unreadable, now).await?;
    let open: usize = services.iter().map(|s| s.incidents.iter().filter(|i| i.resolved.is_none()).count()).sum();
    Ok(page::render(
        200,
        "board.html",
        context! { reader => reader.shown(house), title => "On call", now => utc(now), services => page::value(&services), open, unreadable, freezes => page::value(&freezes) },
    ))
}

/// What the board shows of freezes.
#[derive(serde::Serialize)]
struct FreezesView {
    /// Whether it is under way, and its words.
    lines: Vec<(bool, String)>,
    /// The fixes that somebody asks to let pass, and where this reader says something about each.
    fixes: Vec<(String, Option<String>)>,
    /// What people did about them, newest first.
    lately: Vec<String>,
    /// Which calendars that freezes follow cannot be read.
    unread: Vec<String>,
    /// Where this reader declares one, or ends it.
    link: Option<String>,
    /// Where this reader's calendar program reads them: for a click, and to copy.
    subscribe: Option<(String, String)>,
}

async fn freezes(
    house: &House,
    reader: &Reader,
    unreadable: &mut Vec<String>,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let (settings, desk) = (house.settings(), house.settings().freeze_desk());
    let read = async {
        let situation = house.store.situation(&desk.id).await?;
        Ok((situation, house.store.log(&desk.id, MOST_LATELY).await?))
    };
    let Some((situation, log)) = readable(unreadable, desk, read.await)? else { return Ok(Value::Null) };
    let expedites: Vec<_> = situation.expedites.values().map(|noted| noted.value.clone()).collect();
    let all = Freezes::of(settings, &situation);
    let shown = may::next_of_each(all.ahead(now), now);
    let lines = shown.iter().take(MOST_FREEZES).map(|one| (one.from <= now, freezes::line(one, now))).collect();
    let lately = log.into_iter().map(|entry| format!("{} {}", utc(entry.at), entry.what)).collect();
    let may_declare = |id: &&PersonId| settings.roster.person(id).is_some_and(|person| !person.is_outside());
    let person = if let Reader::Person(id) = reader { Some(id).filter(may_declare) } else { None };
    let secret = house.secrets.first(&house.configuration.link_secret).map_err(Refusal::NoSecret)?;
    let grant = |id: &PersonId| Grant { action: Action::Freezes, person: id.clone(), expires: now + LIFE };
    let link = person.map(|id| links::path(&secret, &grant(id)));
    let about = |one: &Expedite| {
        let action = Action::Expedite(one.repository.clone(), one.number);
        let grant = |id: &PersonId| Grant { action, person: id.clone(), expires: now + LIFE };
        person.map(|id| links::path(&secret, &grant(id)))
    };
    let fixes = expedites.iter().filter_map(|one| Some((may::fix(house, &all, one, now)?, about(one)))).collect();
    let (unread, subscribe) = (unread(&situation), subscription(house, reader, &secret));
    Ok(serde_json::to_value(FreezesView { lines, fixes, lately, unread, link, subscribe }).unwrap_or_default())
}

/// Which calendars that freezes follow cannot be read.
fn unread(desk: &Situation) -> Vec<String> {
    let failed = desk.feeds.iter().filter_map(|(id, noted)| Some((id, &noted.value, noted.value.failed.as_ref()?)));
    let line = |(id, feed, why): (&FreezeId, &Feed, &String)| match feed.read_at {
        Some(at) => format!("The calendar of {id} cannot be read ({why}): what was read {} holds.", utc(at)),
        None => format!("The calendar of {id} was never read: {why}."),
    };
    failed.map(line).collect()
}

/// By `webcal`, which calendar programs open, and by the plain address. Where nobody signs in, whoever reads the board reads that too.
fn subscription(house: &House, reader: &Reader, secret: &Secret) -> Option<(String, String)> {
    let path = match reader {
        Reader::Person(id) => links::subscription(secret, id),
        Reader::Unasked => format!("/{}", links::CALENDAR),
        Reader::Guest(_) => return None,
    };
    let url = format!("{}{path}", house.settings().public_url);
    let (_, rest) = url.split_once("://")?;
    Some((format!("webcal://{rest}"), url))
}

/// A service as the board shows it.
async fn seen(house: &House, service: &Service, now: Timestamp) -> Result<ServiceView, StoreError> {
    let situation = house.store.situation(&service.id).await?;
    let log = house.store.log(&service.id, MOST_LINES).await?;
    let outbox = house.store.outbox(&service.id).await?;
    let past = house.store.past_incidents(&service.id, MOST_PAST).await?;
    Ok(view(Scene { house, service, situation: &situation, outbox: &outbox, log: &log, now }, &past))
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

/// `GET /who`: who is on call for what, as JSON for programs. Times are UTC.
pub(crate) async fn who(house: &House) -> Result<Response, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let mut services = Vec::new();
    for service in settings.services() {
        let (mut unreadable, read) = (Vec::new(), house.store.situation(&service.id).await);
        let Some(situation) = readable(&mut unreadable, service, read)? else {
            services.push(json!({ "service": service.id, "now": unreadable, "windows": [] }));
            continue;
        };
        let all = window::windows(&situation, service, &settings.roster, now);
        let windows: Vec<_> = all.iter().map(|w| window_json(w, settings)).collect();
        let rotation = situation.paging.value.rotation(service, now);
        let lines = just_now(house, service, &situation, now);
        services.push(json!({ "service": service.id, "now": lines, "rotation": rotation, "windows": windows }));
    }
    Ok(Response::json(200, &json!({ "at": now, "services": services })))
}

fn window_json(window: &Window<'_>, settings: &Settings) -> Value {
    let (phase, until) = phase(window);
    json!({
        "change": window.change.id.to_string(),
        "label": window.change.label(),
        "title": window.change.title,
        "phase": phase,
        "until": until,
        "responder": window.responder.person,
        "name": settings.roster.name_of(&window.responder.person),
        "holder": window.holder.person,
        "holder_name": settings.roster.name_of(&window.holder.person),
        "because": window.holder.because,
        "attendance": window.attendance,
    })
}

/// A window's phase in a word or two, and its end.
pub(crate) fn phase(window: &Window<'_>) -> (&'static str, Option<Timestamp>) {
    match window.phase {
        Phase::Standby => ("standby", None),
        Phase::Active { until, .. } => ("on call", Some(until)),
        Phase::Tail { until, .. } => ("suspect only", Some(until)),
        Phase::Closed { at, .. } => ("closed", Some(at)),
    }
}
