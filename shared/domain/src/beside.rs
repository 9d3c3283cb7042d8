//! Beside the pager: what is asked of it, and what is written there. Whoever is paged first for a service is the first
//! level of its escalation in the pager too, so that it escalates even if we are down; and the rotation is read from
//! where it lives.
//!
//! What is to be there is kept before it is written, so that whoever comes after a crash goes on: nothing is written
//! twice, and what is there too long is taken out. The pager itself is asked by `on-schedule`.

use jiff::{SignedDuration, Timestamp};

use crate::decision::{Decisions, Record, Wake};
use crate::ids::PersonId;
use crate::message::Subject;
use crate::paging::{Layer, OnCall, Paging, Unread};
use crate::reason::Reason;
use crate::responder::on_override;
use crate::roster::Roster;
use crate::service::Service;
use crate::shift::Shift;
use crate::situation::Situation;
use crate::text;
use crate::window::{Phase, windows};

/// How often the pager is asked who is on call.
const ASK_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// A layer that would be this short is not worth writing; an end that moves by less stays where it is.
const SHORTEST: SignedDuration = SignedDuration::from_mins(2);
/// How many layers wait at most to be taken out. What runs out by itself need not be.
const MOST_FORMER: usize = 100;
/// How often it is made sure that what was written is still there.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// What is to be done at the pager now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Ask who is on call.
    pub ask: bool,
    pub put: Option<Layer>,
    pub take_out: Vec<Layer>,
}

/// What the pager said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Who is on call: those of them whom the roster knows.
    OnCall { people: Vec<PersonId>, until: Option<Timestamp> },
    /// It cannot say who is on call.
    NotRead { why: String },
    /// A layer is written there, under this id.
    Written { layer: Layer, id: String },
    /// A layer is there no more.
    TakenOut { layer: Layer },
    /// It could not be told.
    NotWritten { why: String },
}

/// When the service's pager has to be asked or told something, by what is known now.
#[must_use]
pub fn due_at(situation: &Situation, service: &Service, roster: &Roster, now: Timestamp) -> Option<Timestamp> {
    let paging = &situation.paging.value;
    let ask = service.schedule.as_ref().map(|_| ask_at(paging, now));
    let beside = service.beside.as_ref();
    let wants = beside.filter(|_| !is_in_order(situation, service, roster, now)).map(|_| now);
    let look = beside.and(paging.layer.as_ref()).and_then(look_at);
    let tell = wants.into_iter().chain(look).min();
    let tell = tell.map(|at| paging.unwritten.as_ref().map_or(at, |failed| at.max(failed.try_again_at())));
    ask.into_iter().chain(tell).min()
}

fn ask_at(paging: &Paging, now: Timestamp) -> Timestamp {
    let Some(said) = &paging.on_call else { return now };
    match &said.unread {
        Some(failed) => failed.try_again_at(),
        None => said.until.map_or(said.read_at + ASK_EVERY, |until| until.min(said.read_at + ASK_EVERY)),
    }
}

/// When a layer that was written is looked for again. One that is to run out any moment is not.
fn look_at(layer: &Layer) -> Option<Timestamp> {
    let at = layer.id.as_ref().map(|_| layer.seen_at.unwrap_or(layer.from) + LOOK_EVERY)?;
    Some(at).filter(|at| *at + SHORTEST < layer.until)
}

fn is_in_order(situation: &Situation, service: &Service, roster: &Roster, now: Timestamp) -> bool {
    let paging = &situation.paging.value;
    let wanted = wanted(situation, service, roster, now);
    let written = paging.layer.as_ref().is_none_or(|layer| layer.id.is_some());
    paging.former.is_empty() && written && is_same(paging.layer.as_ref(), wanted.as_ref(), now)
}

/// Whether what is written is what is wanted, as far as it matters. What ran out is to be forgotten.
fn is_same(written: Option<&Layer>, wanted: Option<&Layer>, now: Timestamp) -> bool {
    match (written, wanted) {
        (Some(over), _) if over.until <= now => false,
        (None, None) => true,
        (Some(a), Some(b)) => a.person == b.person && a.until.duration_since(b.until).abs() < SHORTEST,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Who is to be the first level in the pager at `now`: whoever is paged first.
fn wanted(situation: &Situation, service: &Service, roster: &Roster, now: Timestamp) -> Option<Layer> {
    service.beside.as_ref().filter(|_| situation.mode(service).pages())?;
    let layer = |person: &PersonId, until| Layer { person: person.clone(), from: now, until, id: None, seen_at: None };
    let shifts: Vec<&Shift> = situation.shifts.values().map(|s| &s.value).collect();
    if let Some(pager) = on_override(&shifts, now) {
        let until = crate::shift::of_service(shifts.iter().copied(), now).and_then(Shift::over_at);
        return Some(layer(&pager.person, until.unwrap_or(now + crate::shift::LONGEST)));
    }
    let all = windows(situation, service, roster, now);
    let active = all.iter().filter_map(|window| match window.phase {
        Phase::Active { since, until, .. } => Some((since, window.change.merged_at, window, until)),
        Phase::Standby | Phase::Tail { .. } | Phase::Closed { .. } => None,
    });
    let (.., newest, until) = active.max_by_key(|(since, merged_at, ..)| (*since, *merged_at))?;
    // One that is there stays to its end.
    let is_there =
        |person: &PersonId| situation.paging.value.layer.as_ref().is_some_and(|there| there.person == *person);
    let person = &newest.responder.person;
    Some(layer(person, until)).filter(|layer| layer.until >= now + SHORTEST || is_there(person))
}

/// What is to be there is kept, and what has to be done for it returned.
#[must_use]
pub fn plan(situation: &Situation, service: &Service, roster: &Roster, now: Timestamp) -> (Decisions, Plan) {
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let mut paging = situation.paging.value.clone();
    let waits = paging.unwritten.as_ref().is_some_and(|failed| now < failed.try_again_at());
    let wanted = wanted(situation, service, roster, now);
    if !is_same(paging.layer.as_ref(), wanted.as_ref(), now) {
        // What was never written has no id: whoever takes it out looks for it.
        paging.former.extend(paging.layer.take());
        paging.former.retain(|layer| layer.until > now);
        let more = paging.former.len().saturating_sub(MOST_FORMER);
        paging.former.drain(..more);
        paging.layer = wanted;
        keep(&mut decisions, situation, paging.clone());
    }
    let ask = service.schedule.is_some() && ask_at(&situation.paging.value, now) <= now;
    let missing = |layer: &Layer| layer.id.is_none() || look_at(layer).is_some_and(|at| at <= now);
    let put = paging.layer.filter(|layer| !waits && missing(layer));
    let take_out = if waits { Vec::new() } else { paging.former };
    (decisions, Plan { ask, put, take_out })
}

fn keep(decisions: &mut Decisions, situation: &Situation, paging: Paging) {
    if paging != situation.paging.value {
        decisions.put(Record::Paging(paging), situation.paging.rev);
    }
}

/// Keeps what the pager said.
#[must_use]
pub fn hear(said: &Said, situation: &Situation, service: &Service, roster: &Roster, now: Timestamp) -> Decisions {
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let mut paging = situation.paging.value.clone();
    let pager =
        |which: &Option<crate::service::Schedule>| which.as_ref().map_or("", |s| s.receiver.as_str()).to_owned();
    let line = match said {
        Said::OnCall { people, until } => {
            let news = paging.on_call.as_ref().is_none_or(|known| known.people != *people);
            paging.on_call = Some(OnCall { people: people.clone(), read_at: now, until: *until, unread: None });
            let names: Vec<&str> = people.iter().map(|person| roster.name_of(person)).collect();
            let names = if names.is_empty() { "nobody of the roster".to_owned() } else { names.join(", ") };
            news.then(|| (format!("on call: {names}"), None, Reason::RotationRead { pager: pager(&service.schedule) }))
        }
        Said::NotRead { why } => {
            let why = text::line(why, 160);
            let known = paging.on_call.get_or_insert(OnCall {
                people: Vec::new(),
                read_at: Timestamp::UNIX_EPOCH,
                until: None,
                unread: None,
            });
            let since = known.unread.as_ref().map_or(now, |before| before.since);
            let first = known.unread.is_none();
            known.unread = Some(Unread { since, last: now, why: why.clone() });
            first.then(|| ("the rotation cannot be read".to_owned(), None, Reason::RotationUnread { why }))
        }
        Said::Written { layer, id } => {
            let kept = paging.layer.as_mut().filter(|kept| kept.person == layer.person && kept.from == layer.from);
            let news = layer.id.as_ref() != Some(id);
            match kept {
                Some(kept) => (kept.id, kept.seen_at) = (Some(id.clone()), Some(now)),
                // Meanwhile somebody else is wanted; what was there already waits to be taken out.
                None if news => paging.former.push(Layer { id: Some(id.clone()), ..layer.clone() }),
                None => {}
            }
            paging.unwritten = None;
            let what = format!("{} is the first level in the pager", roster.name_of(&layer.person));
            let reason = Reason::WrittenIntoPager { pager: pager(&service.beside), until: layer.until };
            news.then(|| (what, Some(layer.person.clone()), reason))
        }
        Said::TakenOut { layer } => {
            paging.former.retain(|former| former.person != layer.person || former.from != layer.from);
            paging.unwritten = None;
            let what = format!("{} is the first level in the pager no more", roster.name_of(&layer.person));
            Some((what, Some(layer.person.clone()), Reason::TakenOutOfPager { pager: pager(&service.beside) }))
        }
        Said::NotWritten { why } => {
            let why = text::line(why, 160);
            let first = paging.unwritten.is_none();
            let since = paging.unwritten.as_ref().map_or(now, |before| before.since);
            paging.unwritten = Some(Unread { since, last: now, why: why.clone() });
            first.then(|| ("the pager cannot be told".to_owned(), None, Reason::PagerUnwritten { why }))
        }
    };
    if let Some((what, person, reason)) = line {
        decisions.log(now, Some(Subject::Service), person, what, reason);
    }
    keep(&mut decisions, situation, paging);
    decisions
}

#[cfg(test)]
#[path = "beside_tests.rs"]
mod tests;
