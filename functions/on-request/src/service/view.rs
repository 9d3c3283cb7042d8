//! What a service's page shows of its windows and of where it runs. Incidents have [`crate::incident`].

use aws::House;
use aws::links::Action;
use domain::on_request::hands::Desk;
use domain::queue::history;
use domain::undo::Stage;
use domain::{
    Attendance, ChangeId, Entry, EnvironmentName, Incident, PersonId, Phase, Service, Situation, Window, attendance,
    queue, release, shift, window,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::charts::{self, Chart, Mark};
use crate::hours::{Hours, Moment, length};
use crate::incident::Scene;
use crate::incident::view::{IncidentView, incident_view};
use crate::offers::Offers;
use crate::paging;
use crate::people::{PersonView, person};

/// So many windows of each phase are on one page.
const MOST_WINDOWS: usize = 60;
/// So many slots of the queue's history are drawn: four weeks.
const SLOTS: usize = 28 * 4;

#[derive(Serialize)]
pub(crate) struct ServiceView {
    id: String,
    live: Vec<LiveView>,
    active: Vec<WindowView>,
    queue: Vec<WindowView>,
    tail: Vec<WindowView>,
    /// How many there are of each, and whether there is another page of the queue before and after this one.
    counts: (usize, usize, usize),
    before: Option<usize>,
    after: Option<usize>,
    /// How long the queue was.
    chart: Option<Chart>,
    incidents: Vec<IncidentView>,
    lately: Vec<LineView>,
    rotation: Vec<PersonView>,
    /// Where that is from, maintenance ahead, its channel: a line each.
    paging: Vec<String>,
    /// Who has the pager, what holds the queue up: a line each.
    now: Vec<String>,
}

#[derive(Serialize)]
struct LiveView {
    environment: String,
    is_live: bool,
    /// `edx-platform@8c1c06a1a8`
    what: String,
    since: Option<Moment>,
    running: bool,
    url: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct WindowView {
    label: String,
    title: String,
    url: Option<String>,
    person: PersonView,
    why: String,
    since: Moment,
    /// How long it has waited, or has been live.
    ago: String,
    until: Option<Moment>,
    tags: Vec<String>,
    hand_over: Option<String>,
    revert: Option<String>,
    undo: Option<UndoView>,
}

/// What came of somebody's asking for its revert.
#[derive(Serialize)]
pub(crate) struct UndoView {
    words: String,
    url: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct LineView {
    pub(crate) at: Moment,
    pub(crate) what: String,
    pub(crate) why: String,
}

/// How many windows of the queue are on pages before this one.
#[derive(Clone, Copy)]
pub(crate) struct Beyond(pub(crate) usize);

pub(crate) fn view(scene: Scene<'_>, offers: &Offers, beyond: Beyond) -> ServiceView {
    let applied = scene.situation.posted.value.applied(scene.service);
    let scene = Scene { service: &applied, ..scene };
    let Scene { house, service, situation, log, hours, .. } = scene;
    let all = window::windows(situation, service, &house.settings().roster, hours.now);
    let of = |wanted: fn(&Phase) -> bool| all.iter().filter(move |w| wanted(&w.phase));
    let active = of(|phase| matches!(phase, Phase::Active { .. }));
    let queued = of(|phase| matches!(phase, Phase::Standby));
    let tail = of(|phase| matches!(phase, Phase::Tail { .. }));
    let counts = (active.clone().count(), queued.clone().count(), tail.clone().count());
    let show = |w: &Window<'_>| window_view(scene, offers, w);
    let next = beyond.0.saturating_add(MOST_WINDOWS);
    let mut incidents: Vec<&Incident> = situation.incidents.values().map(|i| &i.value).collect();
    incidents.sort_by_key(|i| (i.resolved_at.is_some(), std::cmp::Reverse(i.began_at)));
    let rotation = situation.paging.value.rotation(service, hours.now);
    ServiceView {
        id: service.id.to_string(),
        live: service.environments.iter().flat_map(|e| live_views(scene, &e.name)).collect(),
        active: active.take(MOST_WINDOWS).map(show).collect(),
        queue: queued.skip(beyond.0).take(MOST_WINDOWS).map(show).collect(),
        // The newest of them: those are the likeliest.
        tail: tail.skip(counts.2.saturating_sub(MOST_WINDOWS)).map(show).collect(),
        counts,
        before: (beyond.0 > 0).then(|| beyond.0.saturating_sub(MOST_WINDOWS)),
        after: (counts.1 > next).then_some(next),
        chart: queue_chart(&situation.queue.value, counts.1, hours),
        incidents: incidents.into_iter().map(|i| incident_view(scene, offers, i)).collect(),
        lately: lines(log, hours),
        rotation: rotation.iter().map(|id| person(house, id)).collect(),
        paging: paging::lines(house, service, situation, hours),
        now: just_now(house, service, situation, hours),
    }
}

/// How long the queue was in the last four weeks; nothing where nothing ever waited.
fn queue_chart(queue: &domain::Queue, waiting: usize, hours: &Hours) -> Option<Chart> {
    let values = history::lately(&queue.history, SLOTS, hours.now);
    let most = values.iter().copied().max().filter(|most| *most > 0)?;
    let newest = history::slot(hours.now);
    let start = |n: usize| {
        let slot = newest - i64::try_from(SLOTS - 1 - n).unwrap_or(0);
        Timestamp::from_second(slot * history::SLOT).unwrap_or(hours.now)
    };
    let bar = |(n, length): (usize, &u16)| {
        let kind = if n + 1 == SLOTS { "now" } else { "past" };
        (u64::from(*length), format!("{length} from {}", hours.at(start(n))), kind)
    };
    let bars: Vec<_> = values.iter().enumerate().map(bar).collect();
    let week = |n: usize| Mark { at: n * charts::WIDE / SLOTS, label: hours.day(start(n)) };
    Some(Chart {
        width: charts::WIDE,
        height: charts::TALL,
        bars: charts::bars(&bars, u64::from(most)),
        lines: vec![Mark { at: 0, label: most.to_string() }],
        marks: (0..SLOTS).step_by(28).map(week).collect(),
        words: format!("{waiting} wait now; at most {most} in the last four weeks."),
    })
}

/// Maintenance, who has the pager by somebody's word, and what holds the queue up.
pub(crate) fn just_now(house: &House, service: &Service, situation: &Situation, hours: &Hours) -> Vec<String> {
    let now = hours.now;
    let name = |person: &PersonId| house.settings().roster.name_of(person).to_owned();
    let service = &*situation.posted.value.applied(service);
    let mut lines = paging::under_way(house, service, situation, hours);
    let mut shifts: Vec<&domain::Shift> = situation.shifts.values().map(|s| &s.value).collect();
    shifts.sort_by_key(|s| s.from);
    let current = shift::of_service(shifts.iter().copied(), now).map(|s| &s.id);
    for shift in shifts.into_iter().filter(|s| s.scope == shift::Scope::Service && s.is_ahead(now)) {
        let until = shift.until.map(|at| hours.at(at)).unwrap_or_default();
        let by = if shift.is_taken() { String::new() } else { format!(", by the word of {}", name(&shift.by)) };
        let who = name(&shift.person);
        lines.push(match (current == Some(&shift.id), shift.covers(now)) {
            (true, _) => format!("{who} has the pager until {until} and is paged first for everything{by}."),
            (false, true) => format!("{who} has the pager again after that, until {until}{by}."),
            (false, false) => format!("{who} has the pager from {} until {until}{by}.", hours.at(shift.from)),
        });
    }
    lines.extend(crate::queue::lines(house, service, situation, hours));
    if situation.mode(service) != domain::Mode::Page || situation.ceiling.value.lowered.is_some() {
        lines.push(crate::act::mode_line(Desk { situation, service, settings: house.settings(), now }));
    }
    lines
}

/// What is special about a window, in a word or two each.
fn tags(scene: Scene<'_>, window: &Window<'_>) -> Vec<String> {
    let Scene { house, service, situation, hours, .. } = scene;
    let roster = &house.settings().roster;
    let held = || {
        let asking = situation.asking(window.change, service, roster).filter(|_| window.phase == Phase::Standby)?;
        let notes = situation.notes.get(&window.change.id).map(|n| &n.value);
        attendance::held_until(&asking, notes, service, roster, hours.now)
    };
    let name = |person: &PersonId| house.settings().roster.name_of(person).to_owned();
    let attendance = match &window.attendance {
        Attendance::NotAsked => None,
        Attendance::Asking { person, .. } => Some(format!("{} is asked to take the pager", name(person))),
        Attendance::Taken { person, .. } => Some(format!("pager taken by {}", name(person))),
        Attendance::Declined { .. } => Some("pager declined".to_owned()),
        Attendance::Unattended { .. } => Some("unattended".to_owned()),
    };
    let expedited = window.expedited.then(|| "may pass the freeze".to_owned());
    let flagged = window.holder.because.is_flagged().then(|| "fix the roster".to_owned());
    let reverted = window.reverted_by.map(|by| format!("reverted by {}", by.label()));
    let pinned = window.pinned_by.map(|by| format!("with {}", by.label()));
    let (age, _) = queue::age(window.change, &situation.queue.value, service, hours.now);
    let deputy = age.filter(|age| *age == queue::Age::Deputy && window.phase == Phase::Standby);
    let deputy = deputy.and(service.last_resort()).map(|owner| format!("deputy: {}", name(owner)));
    let held = held().map(|at| format!("its deployment should wait until {}", hours.at(at)));
    let instead = (window.responder.person != window.holder.person)
        .then(|| format!("{} is paged first", name(&window.responder.person)));
    [instead, expedited, attendance, held, deputy, flagged, reverted, pinned, window.lineage.clone()]
        .into_iter()
        .flatten()
        .collect()
}

fn live_views(scene: Scene<'_>, environment: &EnvironmentName) -> Vec<LiveView> {
    let Scene { service, situation, hours, .. } = scene;
    let deployments = || situation.deployments.values().map(|d| &d.value);
    let newest = service
        .repositories
        .iter()
        .filter_map(|r| release::newest_live(deployments(), environment, None, &r.repository));
    newest
        .map(|d| LiveView {
            environment: environment.to_string(),
            is_live: service.is_live(environment),
            what: d.label(),
            since: d.live_since().map(|at| hours.moment(at)),
            running: d.succeeded_at.is_none(),
            url: d.url.clone(),
        })
        .collect()
}

fn window_view(scene: Scene<'_>, offers: &Offers, window: &Window<'_>) -> WindowView {
    let Scene { house, service, hours, .. } = scene;
    let (since, until) = match window.phase {
        Phase::Standby | Phase::Closed { .. } => (window.change.merged_at, None),
        Phase::Active { since, until, .. } | Phase::Tail { since, until } => (since, Some(until)),
    };
    let hand_over = Action::HandOver(service.id.clone(), window.change.id.clone());
    WindowView {
        label: window.change.label(),
        title: window.change.title.clone(),
        url: window.change.url.clone(),
        person: person(house, &window.holder.person),
        why: window.holder.because.they(|person| house.settings().roster.name_of(person).to_owned()),
        since: hours.moment(since),
        ago: length(hours.now.duration_since(since)),
        until: until.map(|at| hours.moment(at)),
        tags: tags(scene, window),
        revert: offers.revert(house.settings(), &service.id, window.change).filter(|_| window.reverted_by.is_none()),
        undo: undo_view(scene, &window.change.id),
        hand_over: offers.path(hand_over).filter(|_| !matches!(window.phase, Phase::Tail { .. })),
    }
}

/// Where this service is the change's home, which keeps it.
pub(crate) fn undo_view(scene: Scene<'_>, change: &ChangeId) -> Option<UndoView> {
    let undo = &scene.situation.undos.get(change)?.value;
    let by = scene.house.settings().roster.name_of(&undo.by);
    Some(match (&undo.stage, undo.opened()) {
        (_, Some((opened, label))) => UndoView { words: format!("its revert: {label}"), url: opened.url.clone() },
        (Stage::Refused { why, .. }, None) => UndoView { words: format!("no revert: {why}"), url: None },
        (_, None) => UndoView { words: format!("{by} asked for its revert at {}", scene.hours.at(undo.at)), url: None },
    })
}

pub(crate) fn lines(log: &[Entry], hours: &Hours) -> Vec<LineView> {
    log.iter().map(|e| LineView { at: hours.moment(e.at), what: e.what.clone(), why: e.reason.to_string() }).collect()
}
