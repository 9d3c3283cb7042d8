//! Merging outside working hours is allowed, at a price: somebody is asked to take the pager. The merger is; for an
//! outside contributor the champions are, one after the other. Nobody answers: the change is *unattended*, and the
//! rotation is forewarned. Everybody declines: policy says who answers.
//!
//! A person's own working hours count before the service's: whose day is our night need not wait for their own
//! midnight. A company holiday or event counts for everybody.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::calendar::TimeKind;
use crate::change::Change;
use crate::ids::PersonId;
use crate::responder;
use crate::roster::Roster;
use crate::service::{OffHours, Policy, Service};
use crate::window::WindowNotes;

/// Somebody was asked to take the pager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub person: PersonId,
    pub at: Timestamp,
}

/// What somebody who was asked said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub takes: bool,
    pub at: Timestamp,
}

/// What has come of asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "attendance")]
pub enum Attendance {
    NotAsked,
    /// The person has until then.
    Asking {
        person: PersonId,
        until: Timestamp,
    },
    Taken {
        person: PersonId,
        at: Timestamp,
    },
    /// Everybody who was asked said no.
    Declined {
        at: Timestamp,
    },
    /// Not everybody answered, and nobody said yes.
    Unattended {
        at: Timestamp,
    },
}

/// Who has to be asked about a merge, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The kind of time in which it was merged.
    pub why: TimeKind,
    /// In the order in which they are asked. Empty where an outside contributor has no champion left.
    pub candidates: Vec<PersonId>,
}

/// What has come of asking, from what was noted.
#[must_use]
pub fn attendance(notes: &WindowNotes, policy: &Policy) -> Attendance {
    let taken = notes.answers.iter().filter(|(_, answer)| answer.takes).min_by_key(|(_, answer)| answer.at);
    if let Some((person, answer)) = taken {
        return Attendance::Taken { person: person.clone(), at: answer.at };
    }
    match (notes.unattended_at, notes.asked.last()) {
        (Some(at), _)
            if !notes.answers.is_empty() && notes.asked.iter().all(|a| notes.answers.contains_key(&a.person)) =>
        {
            Attendance::Declined { at }
        }
        (Some(at), _) => Attendance::Unattended { at },
        (None, Some(last)) => Attendance::Asking { person: last.person.clone(), until: last.at + policy.answer_within },
        (None, None) => Attendance::NotAsked,
    }
}

/// Who is to be asked about this merge, if anybody: nobody when somebody who answers for it was at work.
#[must_use]
pub fn asking(change: &Change, service: &Service, roster: &Roster) -> Option<Asking> {
    if service.policy.off_hours == OffHours::Allow || !service.mode.decides() {
        return None;
    }
    let at = change.merged_at;
    let outsider = roster.by_login(&change.merger.login).filter(|person| person.is_outside());
    let candidates: Vec<PersonId> = match outsider {
        Some(contributor) => responder::champions(contributor, roster, at).into_iter().cloned().collect(),
        None => vec![responder::by_policy(change, service, roster, at)?.person],
    };
    let mut kinds = Vec::new();
    for candidate in &candidates {
        kinds.push(off_hours(candidate, service, roster, at)?);
    }
    let none_left = || service.timetable.kind_at(at);
    Some(Asking { why: kinds.into_iter().next().unwrap_or_else(none_left), candidates })
}

/// The kind of time it is for somebody who would have to answer, unless it is a time in which they work.
#[must_use]
pub fn off_hours(person: &PersonId, service: &Service, roster: &Roster, at: Timestamp) -> Option<TimeKind> {
    if service.timetable.occasion_at(at).is_some() {
        return Some(service.timetable.kind_at(at));
    }
    let own = roster.person(person).map(|p| &p.timetable).filter(|table| table.hours.is_some());
    let kind = own.unwrap_or(&service.timetable).kind_at(at);
    match kind {
        // Somebody stands in for who is away; merging is as usual.
        TimeKind::Working | TimeKind::DayOff { .. } | TimeKind::Holiday { .. } | TimeKind::Event { .. } => None,
        TimeKind::OffHours | TimeKind::Weekend => Some(kind),
    }
}

/// What is to be done about an ask now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    Ask(PersonId),
    /// Nobody is left to ask: the rotation is forewarned.
    GiveUp,
    /// Somebody has until then.
    Wait(Timestamp),
    Nothing,
}

/// What is to be done at `now`. Nobody is asked about a past night in the light of day.
#[must_use]
pub fn due(asking: &Asking, notes: &WindowNotes, service: &Service, roster: &Roster, now: Timestamp) -> Due {
    let still = |person: &PersonId| off_hours(person, service, roster, now).is_some();
    let over = match attendance(notes, &service.policy) {
        Attendance::NotAsked | Attendance::Asking { .. } => asking.candidates.iter().any(|person| !still(person)),
        Attendance::Taken { .. } | Attendance::Declined { .. } | Attendance::Unattended { .. } => true,
    };
    if over {
        return Due::Nothing;
    }
    if let Some(last) = notes.asked.last() {
        let until = last.at + service.policy.answer_within;
        if now < until && !notes.answers.contains_key(&last.person) {
            return Due::Wait(until);
        }
    }
    // Who has said no of their own accord need not be asked.
    let fresh = |person: &&PersonId| {
        notes.asked.iter().all(|asked| asked.person != **person) && !notes.answers.contains_key(*person)
    };
    let next = asking.candidates.iter().find(fresh);
    next.map_or(Due::GiveUp, |person| Due::Ask(person.clone()))
}

/// Until when a deployment of the change should wait, where policy holds what nobody has taken the pager for:
/// until somebody who answers for it is at work.
#[must_use]
pub fn held_until(
    asking: &Asking,
    notes: Option<&WindowNotes>,
    service: &Service,
    roster: &Roster,
    now: Timestamp,
) -> Option<Timestamp> {
    let taken = notes.is_some_and(|n| matches!(attendance(n, &service.policy), Attendance::Taken { .. }));
    if service.policy.off_hours != OffHours::Hold || taken {
        return None;
    }
    let own = |id: &PersonId| roster.person(id).map(|p| &p.timetable).filter(|table| table.hours.is_some());
    let next = |id: &PersonId| own(id).unwrap_or(&service.timetable).next_working(now);
    let first = asking.candidates.iter().filter_map(next).min().or_else(|| service.timetable.next_working(now));
    first.filter(|at| *at > now)
}

#[cfg(test)]
#[path = "attendance_tests.rs"]
mod tests;
