//! `GET /on-call`: who answers for what, and until when. `GET /who` is the same of everything, whole.

use aws::{House, Refusal, Request, Response};
use domain::window::Closed;
use domain::{Attendance, PersonId, Phase, Service, ServiceId, Shift, Situation, Window, shift};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::paging::{Listed, Page};
use super::parameters::Parameters;
use super::views::{ChangeView, PersonView};
use super::walk::{Place, Seen, walk};
use crate::hours::Hours;
use crate::service::view::just_now;

/// A service: who has its pager, who is on its rotation, whose windows there are.
#[derive(Serialize)]
struct ServiceView {
    service: ServiceId,
    mode: &'static str,
    pager: Option<PagerView>,
    rotation: Vec<PersonView>,
    now: Vec<String>,
    windows: Vec<WindowView>,
    unreadable: Option<String>,
}

/// Who has the pager of the whole service by somebody's word.
#[derive(Serialize)]
struct PagerView {
    #[serde(flatten)]
    who: PersonView,
    from: Timestamp,
    until: Option<Timestamp>,
    by: PersonView,
}

#[derive(Serialize)]
struct WindowView {
    #[serde(flatten)]
    change: ChangeView,
    phase: &'static str,
    since: Timestamp,
    until: Option<Timestamp>,
    closed_because: Option<Closed>,
    holder: PersonView,
    because: String,
    paged_first: PersonView,
    attendance: &'static str,
    expedited: bool,
    reverted_by: Option<String>,
}

/// Which windows: the words of `phase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Standby,
    Active,
    Tail,
    Closed,
}

const WORDS: [(&str, Which); 4] =
    [("standby", Which::Standby), ("active", Which::Active), ("tail", Which::Tail), ("closed", Which::Closed)];

impl Which {
    fn of(phase: &Phase) -> Self {
        match phase {
            Phase::Standby => Self::Standby,
            Phase::Active { .. } => Self::Active,
            Phase::Tail { .. } => Self::Tail,
            Phase::Closed { .. } => Self::Closed,
        }
    }

    fn word(self) -> &'static str {
        WORDS.iter().find(|(_, which)| *which == self).map_or("", |(word, _)| word)
    }
}

pub(super) async fn list(house: &House, request: &Request) -> Result<Listed, Refusal> {
    let parameters = Parameters::read(request, &["service", "person", "phase", "limit", "cursor"])?;
    let services = parameters.services(house.settings())?;
    let person = parameters.person(house.settings())?.map(|person| &person.id);
    let phase = parameters.word("phase", &WORDS)?;
    let page: Page<Place> = Page::read(house, request, &parameters)?;
    let wanted = |window: &Window<'_>| {
        let theirs = person.is_none_or(|id| window.holder.person == *id || window.responder.person == *id);
        let which = Which::of(&window.phase);
        theirs && phase.map_or(which != Which::Closed, |phase| phase == which)
    };
    let (services, next) = walk(house, &services, &page, wanted, |seen| view(house, seen, person)).await?;
    page.listed(json!({ "services": services }), next.as_ref())
}

/// `GET /who`: every service with every window, for the commands.
pub(crate) async fn who(house: &House) -> Result<Response, Refusal> {
    let mut services: Vec<&Service> = house.settings().services().collect();
    services.sort_by_key(|service| &service.id);
    let (services, _) = walk(house, &services, &Page::whole(), |_| true, |seen| view(house, seen, None)).await?;
    Ok(Response::json(200, &json!({ "services": services, "next": null })))
}

/// `person`: of whom something is asked. A service with which they have nothing to do is left out.
fn view(house: &House, seen: Seen<'_>, person: Option<&PersonId>) -> Option<ServiceView> {
    let (roster, now) = (&house.settings().roster, house.now());
    let (service, situation, windows) = match seen {
        Seen::Read { service, situation, windows } => (service, situation, windows),
        Seen::Unreadable { service, why } => {
            return Some(ServiceView {
                service: service.id.clone(),
                mode: service.mode.word(),
                pager: None,
                rotation: Vec::new(),
                now: Vec::new(),
                windows: Vec::new(),
                unreadable: Some(why),
            });
        }
    };
    let (pager, rotation) = (pager(situation, now), situation.paging.value.rotation(service, now));
    let concerns =
        |id: &PersonId| !windows.is_empty() || pager.is_some_and(|shift| shift.person == *id) || rotation.contains(id);
    person.is_none_or(concerns).then(|| ServiceView {
        service: service.id.clone(),
        mode: situation.mode(service).word(),
        pager: pager.map(|shift| PagerView {
            who: PersonView::of(&shift.person, roster),
            from: shift.from,
            until: shift.until,
            by: PersonView::of(&shift.by, roster),
        }),
        rotation: rotation.iter().map(|id| PersonView::of(id, roster)).collect(),
        now: just_now(house, service, situation, &Hours::utc(now)),
        windows: windows.iter().map(|window| window_view(house, window)).collect(),
        unreadable: None,
    })
}

fn pager(situation: &Situation, now: Timestamp) -> Option<&Shift> {
    shift::of_service(situation.shifts.values().map(|noted| &noted.value), now)
}

fn window_view(house: &House, window: &Window<'_>) -> WindowView {
    let roster = &house.settings().roster;
    let (since, until, closed_because) = match window.phase {
        Phase::Standby => (window.change.merged_at, None, None),
        Phase::Active { since, until, .. } | Phase::Tail { since, until } => (since, Some(until), None),
        Phase::Closed { at, reason } => (at, None, Some(reason)),
    };
    WindowView {
        change: window.change.into(),
        phase: Which::of(&window.phase).word(),
        since,
        until,
        closed_because,
        holder: PersonView::of(&window.holder.person, roster),
        because: window.holder.because.they(|id| roster.name_of(id).to_owned()),
        paged_first: PersonView::of(&window.responder.person, roster),
        attendance: match window.attendance {
            Attendance::NotAsked => "not_asked",
            Attendance::Asking { .. } => "asking",
            Attendance::Taken { .. } => "taken",
            Attendance::Declined { .. } => "declined",
            Attendance::Unattended { .. } => "unattended",
        },
        expedited: window.expedited,
        reverted_by: window.reverted_by.map(|by| by.label()),
    }
}
