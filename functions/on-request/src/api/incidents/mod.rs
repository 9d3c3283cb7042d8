//! `GET /incidents`: those that are not over, then the others, the latest resolved first; `GET /incidents/{id}`: one whole.
//!
//! A walk through all of them is as of the last thing that was known when it began: what has been open since then stays among the
//! open ones, and what is new is in the next walk. So each is seen once, whatever happens meanwhile, for as long as what is over stays
//! in the working set: a day.

mod row;

use std::collections::{BTreeMap, BTreeSet};

use aws::keys::{instant, past_incident};
use aws::{House, Refusal, Request};
use domain::outcome::State;
use domain::{Incident, IncidentId, Service, ServiceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::paging::{Listed, Page};
use super::parameters::Parameters;
use crate::board::readable;
use crate::hours::Hours;
use crate::incident;
use row::{Row, row};

/// How few of each service are read at a time.
const FEWEST: usize = 5;
/// Greater than every sort key of an incident that is over.
const NEWEST: &str = "I~";

/// Where a walk goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// When it began, as [`instant`] writes it.
    as_of: String,
    /// What was looked at last, by its [`order`].
    after: String,
}

/// Where an incident stands in the walk, the greatest first.
fn order(incident: &Incident, as_of: &str) -> String {
    let over = incident.resolved_at.filter(|at| instant(*at).as_str() <= as_of);
    match over {
        Some(at) => past_incident(&incident.service, at, &incident.id).sort,
        // `O` is greater than the `I` of those that are over.
        None => format!("O#{}#{}", instant(incident.detected_at), incident.id),
    }
}

/// What `state` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Open,
    Over,
    Exactly(State),
}

const STATES: [(&str, Wanted); 7] = [
    ("open", Wanted::Open),
    ("detected", Wanted::Exactly(State::Detected)),
    ("paged", Wanted::Exactly(State::Paged)),
    ("acknowledged", Wanted::Exactly(State::Acknowledged)),
    ("mitigated", Wanted::Exactly(State::Mitigated)),
    ("resolved", Wanted::Over),
    ("judged", Wanted::Exactly(State::Judged)),
];

impl Wanted {
    fn includes(self, state: State) -> bool {
        match self {
            Self::Open => !is_over(state),
            Self::Over => is_over(state),
            Self::Exactly(wanted) => wanted == state,
        }
    }

    /// Whether it asks for incidents that have left the working set.
    fn reaches_back(self) -> bool {
        match self {
            Self::Open => false,
            Self::Over => true,
            Self::Exactly(state) => is_over(state),
        }
    }
}

fn is_over(state: State) -> bool {
    match state {
        State::Resolved | State::Judged => true,
        State::Detected | State::Paged | State::Acknowledged | State::Mitigated => false,
    }
}

pub(super) async fn list(house: &House, request: &Request) -> Result<Listed, Refusal> {
    let parameters = Parameters::read(request, &["service", "state", "limit", "cursor"])?;
    let services = parameters.services(house.settings())?;
    let wanted = parameters.word("state", &STATES)?;
    let page: Page<Place> = Page::read(house, request, &parameters)?;
    let reaches_back = wanted.is_none_or(Wanted::reaches_back);
    let read = read(house, &services, page.after.as_ref(), page.limit, reaches_back).await?;
    let as_of = page.after.as_ref().map_or_else(|| read.latest(), |place| place.as_of.clone());
    let mut all: Vec<(String, &Service, &Incident)> =
        read.incidents.values().map(|(service, one)| (order(one, &as_of), *service, one)).collect();
    all.sort_by(|(one, ..), (other, ..)| other.cmp(one));
    // What is older than the last that was read of a service that has more would come too early.
    let floor = read.last.iter().max();
    let after = page.after.as_ref().map(|place| &place.after);
    all.retain(|(order, _, one)| {
        let known = instant(one.detected_at) <= as_of;
        known && after.is_none_or(|after| order < after) && floor.is_none_or(|floor| order >= floor)
    });
    let (mut shown, mut looked_at) = (Vec::new(), 0);
    for (_, service, incident) in &all {
        if shown.len() == page.limit {
            break;
        }
        looked_at += 1;
        let state = incident.state(&service.policy, house.now());
        if wanted.is_none_or(|wanted| wanted.includes(state)) {
            shown.push(row(house, service, incident));
        }
    }
    let more = looked_at < all.len() || !read.last.is_empty();
    let last = looked_at.checked_sub(1).and_then(|last| all.get(last)).filter(|_| more);
    let next = last.map(|(after, ..)| Place { as_of, after: after.clone() });
    page.listed(json!({ "incidents": shown, "unreadable": read.unreadable }), next.as_ref())
}

/// What was read for a page.
struct Read<'a> {
    incidents: BTreeMap<IncidentId, (&'a Service, Incident)>,
    /// Of each service of which there is more, the last that was read.
    last: BTreeSet<String>,
    unreadable: Vec<String>,
}

impl Read<'_> {
    /// The last thing that is known of any.
    fn latest(&self) -> String {
        let times = self.incidents.values().flat_map(|(_, one)| [Some(one.detected_at), one.resolved_at]);
        instant(times.flatten().max().unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

/// The working sets, and of each service a piece of those that have left it. In this order, so that none is missed that leaves meanwhile.
async fn read<'a>(
    house: &House,
    services: &[&'a Service],
    place: Option<&Place>,
    limit: usize,
    reaches_back: bool,
) -> Result<Read<'a>, Refusal> {
    let (mut incidents, mut last, mut unreadable) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
    let ids = || services.iter().map(|service| service.id.clone()).collect::<Vec<ServiceId>>();
    let working = house.store.situations(ids()).await;
    let past = if reaches_back {
        let before = place.map_or_else(|| NEWEST.to_owned(), before);
        let most =
            i32::try_from((2 * limit).div_ceil(services.len().max(1)).clamp(FEWEST.min(limit), limit)).unwrap_or(1);
        let ask = |store: aws::Store, id: ServiceId| {
            let before = before.clone();
            async move { store.past_incidents_before(&id, &before, most).await }
        };
        house.store.of_each(ids(), ask).await
    } else {
        services.iter().map(|_| Ok((Vec::new(), false))).collect()
    };
    for ((service, working), past) in services.iter().zip(working).zip(past) {
        let both = working.and_then(|working| Ok((working, past?)));
        let Some((situation, (past, more))) = readable(&mut unreadable, service, both)? else { continue };
        if let Some(oldest) = past.last().filter(|_| more) {
            let at = oldest.resolved_at.unwrap_or(oldest.detected_at);
            last.insert(past_incident(&service.id, at, &oldest.id).sort);
        }
        let open = situation.incidents.into_values().map(|noted| noted.value);
        // What is in both was moved meanwhile, and says the same.
        incidents.extend(past.into_iter().chain(open).map(|one| (one.id.clone(), (*service, one))));
    }
    Ok(Read { incidents, last, unreadable })
}

/// What of those that are over is still to come is less than this.
fn before(place: &Place) -> String {
    let begun = format!("I#{}#~", place.as_of);
    if place.after.starts_with("I#") { place.after.clone().min(begun) } else { begun }
}

pub(super) async fn one(house: &House, request: &Request, id: &str) -> Result<Listed, Refusal> {
    Parameters::read(request, &[])?;
    let found = incident::found(house, id).await?;
    let found = found.ok_or(Refusal::NotFound("it is not among the incidents that we remember"))?;
    let row = row(house, found.service, &found.incident);
    let whole = Whole { row, more: incident::whole(found.scene(&Hours::utc(house.now())), &found.incident) };
    Ok(Listed::whole(serde_json::to_value(whole).unwrap_or_default()))
}

/// `GET /incidents/{id}/export.json`: everything that is known of it, for a retrospective.
pub(super) async fn export(house: &House, request: &Request, id: &str) -> Result<Listed, Refusal> {
    Parameters::read(request, &[])?;
    let found = incident::found(house, id).await?;
    let found = found.ok_or(Refusal::NotFound("it is not among the incidents that we remember"))?;
    let export = incident::export::whole(found.scene(&Hours::utc(house.now())), &found.incident);
    Ok(Listed::whole(serde_json::to_value(export).unwrap_or_default()))
}

/// An incident with its ladder, and what held it.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    row: Row,
    #[serde(flatten)]
    more: Value,
}
