//! `GET /queue`: what is merged and not live, since when, what holds it up, and how it would go out.

use aws::{House, Refusal, Request};
use domain::queue::{self, Age, Stalled, thaw};
use domain::{Phase, Service, ServiceId, Situation, Window};
use jiff::{Timestamp, Unit};
use serde::Serialize;
use serde_json::json;

use super::paging::{Listed, Page};
use super::parameters::Parameters;
use super::views::{ChangeView, PersonView};
use super::walk::{Place, Seen, walk};
use crate::hours::Hours;

#[derive(Serialize)]
struct QueueView {
    service: ServiceId,
    stalled: Option<StalledView>,
    usual_minutes: Option<i64>,
    now: Vec<String>,
    changes: Vec<WaitingView>,
    releases: Vec<ReleaseView>,
    unreadable: Option<String>,
}

#[derive(Serialize)]
struct StalledView {
    by: &'static str,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

#[derive(Serialize)]
struct WaitingView {
    #[serde(flatten)]
    change: ChangeView,
    holder: PersonView,
    age: &'static str,
    expected_live_at: Option<Timestamp>,
    expedited: bool,
}

#[derive(Serialize)]
struct ReleaseView {
    at: Timestamp,
    commit: String,
    changes: Vec<String>,
    people: Vec<PersonView>,
}

pub(super) async fn list(house: &House, request: &Request) -> Result<Listed, Refusal> {
    let parameters = Parameters::read(request, &["service", "limit", "cursor"])?;
    let services = parameters.services(house.settings())?;
    let page: Page<Place> = Page::read(house, request, &parameters)?;
    let waits = |window: &Window<'_>| window.phase == Phase::Standby;
    let (services, next) = walk(house, &services, &page, waits, |seen| Some(view(house, seen))).await?;
    page.listed(json!({ "services": services }), next.as_ref())
}

fn view(house: &House, seen: Seen<'_>) -> QueueView {
    let now = house.now();
    match seen {
        Seen::Unreadable { service, why } => {
            let (now, changes, releases) = (Vec::new(), Vec::new(), Vec::new());
            let (service, unreadable) = (service.id.clone(), Some(why));
            QueueView { service, stalled: None, usual_minutes: None, now, changes, releases, unreadable }
        }
        Seen::Read { service, situation, windows } => QueueView {
            service: service.id.clone(),
            stalled: stalled(service, situation, now),
            usual_minutes: situation.queue.value.usual_lead().map(|lead| lead.as_mins()),
            now: crate::queue::lines(house, service, situation, &Hours::utc(now)),
            changes: windows.iter().map(|window| waiting(house, service, situation, window, now)).collect(),
            releases: releases(house, service, situation, now),
            unreadable: None,
        },
    }
}

fn stalled(service: &Service, situation: &Situation, now: Timestamp) -> Option<StalledView> {
    let of = |served: &domain::ServedRepository| queue::stalled(situation, service, &served.repository, now);
    Some(match service.repositories.iter().find_map(of)? {
        Stalled::Paused(pause) => StalledView { by: "pause", since: Some(pause.from), until: pause.until },
        Stalled::Frozen(frozen) => StalledView { by: "freeze", since: None, until: Some(frozen.until) },
        Stalled::Failing { at, .. } => StalledView { by: "failure", since: Some(at), until: None },
    })
}

fn waiting(
    house: &House,
    service: &Service,
    situation: &Situation,
    window: &Window<'_>,
    now: Timestamp,
) -> WaitingView {
    let queue = &situation.queue.value;
    let (age, _) = queue::age(window.change, queue, service, now);
    WaitingView {
        change: window.change.into(),
        holder: PersonView::of(&window.holder.person, &house.settings().roster),
        age: match age {
            None => "fresh",
            Some(Age::Told) => "told",
            Some(Age::Deputy) => "deputy",
        },
        expected_live_at: queue::expected_live(window.change, queue, service, now),
        expedited: window.expedited,
    }
}

/// As the board has them, of the whole queue: nothing of one that goes out at once. To the minute, since one that may begin now begins later
/// each time that it is asked about.
fn releases(house: &House, service: &Service, situation: &Situation, now: Timestamp) -> Vec<ReleaseView> {
    let roster = &house.settings().roster;
    let all = domain::window::windows(situation, service, roster, now);
    let at = service.frozen_at(now).map_or(now, |frozen| frozen.until);
    let forecast = thaw::forecast(&all, service, roster, at, now);
    let view = |release: thaw::Release| ReleaseView {
        at: release.at.round(Unit::Minute).unwrap_or(release.at),
        commit: release.commit,
        changes: release.labels,
        people: release.people.iter().map(|person| PersonView::of(person, roster)).collect(),
    };
    if forecast.releases.len() > 1 { forecast.releases.into_iter().map(view).collect() } else { Vec::new() }
}
