//! `GET /freezes`: the times of freezes that are under way, ahead, or of another period; the fixes that are to pass them; which
//! calendars cannot be read.

use std::collections::BTreeSet;

use aws::{House, Refusal, Request};
use domain::expedite::{self, Expedite, Standing};
use domain::freeze::{Freezes, LOOK_AHEAD, Occurrence, Source, Strength};
use domain::{EnvironmentName, FreezeId, PersonId, Repository, ServiceId, Situation};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::paging::{Listed, Page};
use super::parameters::Parameters;
use super::views::PersonView;
use crate::may;

/// The freeze that was shown last, by what they are in order of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place(Timestamp, Timestamp, FreezeId);

impl Place {
    fn of(one: &Occurrence<'_>) -> Self {
        Self(one.from, one.until, one.id.clone())
    }
}

#[derive(Serialize)]
struct FreezeView {
    freeze: FreezeId,
    name: String,
    from: Timestamp,
    until: Timestamp,
    zone: String,
    merges: Option<Strength>,
    deployments: Option<Strength>,
    rotation_signs: bool,
    services: BTreeSet<ServiceId>,
    repositories: BTreeSet<String>,
    environments: BTreeSet<EnvironmentName>,
    source: &'static str,
    declared_by: Option<PersonView>,
    words: String,
}

/// A fix that somebody asks to let pass.
#[derive(Serialize)]
struct FixView {
    repository: Repository,
    number: u64,
    title: String,
    url: Option<String>,
    by: PersonView,
    reason: String,
    at: Timestamp,
    state: &'static str,
    signed: Vec<PersonId>,
}

/// A calendar that freezes follow and that cannot be read.
#[derive(Serialize)]
struct UnreadView {
    freeze: FreezeId,
    why: String,
    read_at: Option<Timestamp>,
}

pub(super) async fn list(house: &House, request: &Request) -> Result<Listed, Refusal> {
    let parameters = Parameters::read(request, &["service", "from", "until", "limit", "cursor"])?;
    let (settings, now) = (house.settings(), house.now());
    let services = parameters.services(settings)?;
    let about = parameters.get("service").and(services.first());
    let from = parameters.moment("from")?.unwrap_or(now);
    let until = parameters
        .moment("until")?
        .unwrap_or_else(|| from.max(now).saturating_add(LOOK_AHEAD).unwrap_or(Timestamp::MAX));
    let page: Page<Place> = Page::read(house, request, &parameters)?;
    let desk = may::desk(house).await?;
    let freezes = Freezes::of(settings, &desk);
    let mut times = freezes.during(from, until);
    times.retain(|one| {
        let concerns = about.is_none_or(|service| one.scope.includes(service));
        concerns && page.after.as_ref().is_none_or(|after| Place::of(one) > *after)
    });
    let shown = times.get(..page.limit).unwrap_or(&times);
    let next = shown.last().filter(|_| shown.len() < times.len()).map(Place::of);
    let body = json!({
        "freezes": shown.iter().map(|one| view(house, one)).collect::<Vec<_>>(),
        "fixes": desk.expedites.values().filter_map(|one| fix(house, &freezes, &one.value, now)).collect::<Vec<_>>(),
        "unread": unread(&desk),
    });
    page.listed(body, next.as_ref())
}

fn view(house: &House, one: &Occurrence<'_>) -> FreezeView {
    FreezeView {
        freeze: one.id.clone(),
        name: one.name.to_owned(),
        from: one.from,
        until: one.until,
        zone: one.zone.to_owned(),
        merges: one.stops.merges,
        deployments: one.stops.deployments,
        rotation_signs: one.rotation_signs,
        services: one.scope.services.clone(),
        repositories: one.scope.repositories.clone(),
        environments: one.scope.environments.clone(),
        source: match one.source {
            Source::Configuration => "configuration",
            Source::Feed => "calendar",
            Source::Person(_) => "person",
        },
        declared_by: one.by().map(|person| PersonView::of(person, &house.settings().roster)),
        words: format!("{} ({})", one.stops.in_words(), one.scope.in_words()),
    }
}

fn fix(house: &House, freezes: &Freezes<'_>, one: &Expedite, now: Timestamp) -> Option<FixView> {
    let settings = house.settings();
    let holding = expedite::holding(freezes, settings, &one.repository, now);
    let state = match one.standing(expedite::needs(&holding), now) {
        Standing::NeedsReason => "needs-reason",
        Standing::AwaitsApprover => "awaits-approver",
        Standing::AwaitsRotation => "awaits-rotation",
        Standing::Granted => "granted",
        Standing::Refused | Standing::Withdrawn | Standing::Lapsed => return None,
    };
    Some(FixView {
        repository: one.repository.clone(),
        number: one.number,
        title: one.title.clone(),
        url: one.url.clone(),
        by: PersonView::of(&one.by, &settings.roster),
        reason: one.reason.clone(),
        at: one.at,
        state,
        signed: one.signed.iter().map(|signed| signed.person.clone()).collect(),
    })
}

fn unread(desk: &Situation) -> Vec<UnreadView> {
    let failed = |(id, noted): (&FreezeId, &domain::Noted<domain::freeze::Feed>)| {
        let why = noted.value.failed.clone()?;
        Some(UnreadView { freeze: id.clone(), why, read_at: noted.value.read_at })
    };
    desk.feeds.iter().filter_map(failed).collect()
}
