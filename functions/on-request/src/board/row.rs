//! A service as one row of the board, made from its card.

use aws::House;
use domain::card::{Card, Glance, Named, Special, Waiting};
use domain::maintenance;
use domain::outcome::State;
use domain::queue::history;
use domain::text::count;
use domain::wording::modes;
use domain::{PersonId, Service};
use serde::Serialize;

use crate::charts;
use crate::hours::{Hours, Moment};
use crate::people::{PersonView, person};

/// So many quarters of a day are drawn beside a queue: a week.
const SLOTS: usize = 28;
const SPARK: (usize, usize) = (84, 18);

#[derive(Serialize)]
pub(crate) struct Row {
    pub(super) id: String,
    /// Who has the pager for everything by somebody's word, and until when.
    pager: Option<(PersonView, Option<Moment>)>,
    on_call: Vec<SeatView>,
    more_on_call: usize,
    rotation: Vec<PersonView>,
    pub(super) queue: QueueView,
    tail: usize,
    live: Option<(String, Moment, bool)>,
    chips: Vec<Chip>,
    /// How many incidents are open.
    pub(super) open: usize,
    /// Whether anybody has looked at it yet.
    pub(super) known: bool,
}

/// Somebody on call.
#[derive(Serialize)]
struct SeatView {
    person: PersonView,
    until: Moment,
    label: String,
    title: String,
    url: Option<String>,
    /// Beside that one.
    others: usize,
    why: String,
}

#[derive(Serialize)]
pub(super) struct QueueView {
    pub(super) changes: usize,
    people: String,
    /// How long the oldest has waited, and when it is likely to be live.
    oldest: Option<String>,
    expected: Option<Moment>,
    pub(super) unattended: usize,
    spark: Option<String>,
}

/// Why it is not as always, in a few words.
#[derive(Serialize)]
struct Chip {
    words: String,
    more: String,
    kind: &'static str,
}

/// A merge that nobody attends to.
#[derive(Serialize)]
pub(super) struct Unattended {
    service: String,
    label: String,
    title: String,
    url: Option<String>,
    person: PersonView,
    ago: String,
}

/// An open incident, or one that was over lately.
#[derive(Serialize)]
pub(super) struct IncidentRow {
    id: String,
    service: String,
    headline: String,
    state: &'static str,
    pub(super) is_open: bool,
    /// Whether somebody is at it.
    calm: bool,
    since: Moment,
    ago: String,
    suspect: Option<SuspectRow>,
    /// What happens now.
    now: String,
    /// Where this reader does something about it.
    act: Option<String>,
}

#[derive(Serialize)]
struct SuspectRow {
    label: String,
    title: String,
    url: Option<String>,
    person: PersonView,
    percent: Option<u16>,
}

impl Row {
    pub(super) fn of(house: &House, service: &Service, card: Option<&Card>, hours: &Hours) -> Self {
        // Who is on the rotation says its pager, where it has one; else the configuration, which may be newer than the card.
        let told = card.filter(|_| service.schedule.is_some()).map(|card| &card.rotation);
        let rotation = told.unwrap_or(&service.rotation);
        // Their turns may have ended since.
        let seats = card.iter().flat_map(|card| &card.on_call).filter(|seat| seat.until > hours.now);
        let name = |id: &PersonId| house.settings().roster.name_of(id).to_owned();
        let seat = |seat: &domain::card::OnCall| SeatView {
            person: person(house, &seat.person),
            until: hours.moment(seat.until),
            label: seat.change.label.clone(),
            title: seat.change.title.clone(),
            url: seat.change.url.clone(),
            others: seat.changes.saturating_sub(1),
            why: seat.because.they(name),
        };
        let special = card.iter().flat_map(|card| &card.special).filter(|special| special.is_now(hours.now));
        let weekly = maintenance::weekly_now(service, hours.now);
        let weekly = weekly.map(|(from, until)| Special::Maintenance { from, until });
        let pager = card.and_then(|card| card.pager(hours.now));
        Self {
            id: service.id.to_string(),
            pager: pager.map(|(who, until)| (person(house, who), until.map(|at| hours.moment(at)))),
            known: card.is_some(),
            on_call: seats.map(seat).collect(),
            more_on_call: card.map_or(0, |card| card.more_on_call),
            rotation: rotation.iter().map(|id| person(house, id)).collect(),
            queue: queue(card, hours),
            tail: card.map_or(0, |card| card.tail),
            live: card
                .and_then(|card| card.live.as_ref())
                .map(|live| (live.label.clone(), hours.moment(live.since), live.running)),
            chips: special.chain(&weekly).map(|special| chip(house, special, hours)).collect(),
            open: card.map_or(0, |card| card.open_incidents),
        }
    }

    /// Whether there is nothing to see.
    pub(super) fn is_quiet(&self) -> bool {
        self.on_call.is_empty()
            && self.pager.is_none()
            && self.queue.changes == 0
            && self.chips.is_empty()
            && self.open == 0
    }

    /// What is to be seen first.
    pub(super) fn order(&self) -> (bool, bool, bool) {
        (self.open == 0, self.on_call.is_empty() && self.chips.is_empty(), self.queue.changes == 0)
    }
}

fn queue(card: Option<&Card>, hours: &Hours) -> QueueView {
    let Some(queued) = card.map(|card| &card.queue) else {
        return QueueView {
            changes: 0,
            people: String::new(),
            oldest: None,
            expected: None,
            unattended: 0,
            spark: None,
        };
    };
    let lately = history::lately(&queued.history, SLOTS, hours.now);
    QueueView {
        changes: queued.changes,
        people: count(queued.people, "person", "people"),
        oldest: queued.oldest.map(|at| hours.ago(at)),
        expected: queued.expected.filter(|at| *at > hours.now).map(|at| hours.moment(at)),
        unattended: queued.unattended,
        spark: charts::spark(&lately, SPARK.0, SPARK.1),
    }
}

fn chip(house: &House, special: &Special, hours: &Hours) -> Chip {
    let name = |id: &PersonId| house.settings().roster.name_of(id).to_owned();
    let until = |at: Option<jiff::Timestamp>| at.map(|at| format!(" until {}", hours.at(at))).unwrap_or_default();
    let (words, more, kind) = match special {
        Special::Mode { mode, why, since, by_itself } => {
            let since = since.map(|at| format!(", since {}", hours.at(at))).unwrap_or_default();
            let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            let kind = if *by_itself { "warn" } else { "calm" };
            (
                format!("mode {}{}", mode.word(), if *by_itself { ", stepped down" } else { "" }),
                format!("{}{why}{since}", modes::means(*mode)),
                kind,
            )
        }
        Special::Manual => ("manual".to_owned(), "people take and hand over the pager".to_owned(), "calm"),
        Special::Pager { person, by, until: end } => {
            let by = if by == person { String::new() } else { format!("by the word of {}", name(by)) };
            (format!("{} has the pager{}", name(person), until(*end)), by, "on")
        }
        Special::Maintenance { until: end, .. } => {
            (format!("maintenance{}", until(Some(*end))), "nobody is paged for it".to_owned(), "calm")
        }
        Special::Paused { by, until: end, why, .. } => {
            (format!("paused{}", until(*end)), format!("by {}: {why}", name(by)), "warn")
        }
        Special::Frozen { name, until: end } => (format!("frozen{}", until(Some(*end))), name.clone(), "cold"),
        Special::Failing { environment, at, times } => {
            let row = if *times > 1 { format!(" {times} times in a row") } else { String::new() };
            (format!("deployment failed{row}"), format!("to {environment}, {}", hours.at(*at)), "warn")
        }
    };
    Chip { words, more, kind }
}

impl Unattended {
    pub(super) fn of(house: &House, card: &Card, waiting: &Waiting, hours: &Hours) -> Self {
        let Named { label, title, url, .. } = waiting.change.clone();
        Self {
            service: card.service.to_string(),
            label,
            title,
            url,
            person: person(house, &waiting.person),
            ago: hours.ago(waiting.merged_at),
        }
    }
}

impl IncidentRow {
    pub(super) fn of(house: &House, card: &Card, glance: &Glance, act: Option<String>, hours: &Hours) -> Self {
        let name = |id: &PersonId| house.settings().roster.name_of(id).to_owned();
        let now = match (&glance.resolved_at, &glance.taken_by, &glance.next) {
            (Some(at), ..) if glance.judged => format!("over at {}", hours.at(*at)),
            (Some(at), ..) => format!("over at {}: which change was it?", hours.at(*at)),
            (None, ..) if glance.held => "nobody is paged for it just now".to_owned(),
            (None, Some(who), _) => format!("{who} is at it"),
            (None, None, Some((next, at))) if *at > hours.now => {
                format!("{} is paged next, at {}", name(next), hours.at(*at))
            }
            (None, None, _) if glance.paged.is_empty() => "nobody was paged yet".to_owned(),
            (None, None, _) => {
                let paged: Vec<String> = glance.paged.iter().map(name).collect();
                format!("paged {}, nobody has taken it", paged.join(", "))
            }
        };
        Self {
            id: glance.id.to_string(),
            service: card.service.to_string(),
            headline: glance.headline.clone(),
            state: glance.state.word(),
            is_open: glance.resolved_at.is_none(),
            calm: matches!(glance.state, State::Acknowledged | State::Mitigated) || glance.held,
            since: hours.moment(glance.began_at),
            ago: hours.ago(glance.began_at),
            suspect: glance.suspect.as_ref().map(|(change, whose, percent)| SuspectRow {
                label: change.label.clone(),
                title: change.title.clone(),
                url: change.url.clone(),
                person: person(house, whose),
                percent: *percent,
            }),
            now,
            act,
        }
    }
}
