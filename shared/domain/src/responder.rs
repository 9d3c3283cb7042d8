//! Who answers for a change: the one place where the layers of precedence stand.
//!
//! | layer | what it says | where it comes from |
//! | --- | --- | --- |
//! | history | nothing said now counts for a time before it was said | [`crate::shift::Shift::covers`] |
//! | override | somebody took, or was put on, the pager of the whole service: paged first for every window | a shift of the service |
//! | handover | the window was handed to a colleague | a shift of the change |
//! | expedite | who asked to let it pass a freeze, on call by that act | [`crate::posted`] |
//! | answer | who was asked to take the pager took it, or everybody declined | [`crate::attendance`] |
//! | policy | the merger; who stands in for an outsider, a bot, a stranger or somebody who is away | roster and service |
//!
//! The override pages; the other layers say whose the change is. Nobody is ever the answer only where a service has
//! neither owner nor rotation, which `check` refuses.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attendance::{self, Attendance};
use crate::because::Because;
use crate::calendar::OccasionKind;
use crate::change::{Change, ChangeKind, Credit};
use crate::ids::PersonId;
use crate::posted::Posted;
use crate::roster::{Person, Roster};
use crate::service::{Declined, Service};
use crate::shift::{self, Scope, Shift};
use crate::window::WindowNotes;

/// Who answers, and why this person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responder {
    pub person: PersonId,
    pub because: Because,
}

fn responder(person: &PersonId, because: Because) -> Responder {
    Responder { person: person.clone(), because }
}

/// Whose the change is at `now`, when its turn starts (or, before that, when it was merged) at `moment`.
#[expect(clippy::too_many_arguments, reason = "each layer of precedence is one of them")]
#[must_use]
pub fn holder(
    change: &Change,
    notes: Option<&WindowNotes>,
    shifts: &[&Shift],
    posted: &Posted,
    service: &Service,
    roster: &Roster,
    moment: Timestamp,
    now: Timestamp,
) -> Option<Responder> {
    handed_over(change, shifts, now)
        .or_else(|| posted.expedite_of(change).map(|by| responder(&by.by, Because::Expedited)))
        .or_else(|| answered(change, notes?, service, roster))
        .or_else(|| by_policy(change, service, roster, moment))
}

/// Who is paged for every window of the service at `now`, where somebody said so.
#[must_use]
pub fn on_override(shifts: &[&Shift], now: Timestamp) -> Option<Responder> {
    let shift = shift::of_service(shifts.iter().copied(), now)?;
    let because = if shift.is_taken() { Because::Took } else { Because::PutOnCall { by: shift.by.clone() } };
    Some(responder(&shift.person, because))
}

fn handed_over(change: &Change, shifts: &[&Shift], now: Timestamp) -> Option<Responder> {
    let ours = |scope: &Scope| *scope == Scope::Change(change.id.clone());
    let shift = shift::current(shifts.iter().copied(), ours, now)?;
    let because = if shift.is_taken() { Because::Took } else { Because::HandedOver { by: shift.by.clone() } };
    Some(responder(&shift.person, because))
}

/// What came of asking people to take the pager.
fn answered<'a>(change: &Change, notes: &WindowNotes, service: &'a Service, roster: &Roster) -> Option<Responder> {
    let merger = roster.by_login(&change.merger.login);
    match attendance::attendance(notes, &service.policy) {
        Attendance::Taken { person, .. } if merger.is_some_and(|m| m.id == person) => {
            Some(responder(&person, merged_because(change)))
        }
        Attendance::Taken { person, .. } => Some(responder(&person, Because::Took)),
        Attendance::Declined { .. } => {
            let because = Because::Declined { merger: merger.map(|m| m.id.clone()) };
            // Who said no is not asked again by another name.
            let said_no = |person: &&PersonId| notes.answers.contains_key(*person);
            let at = notes.unattended_at.unwrap_or(change.merged_at);
            let free = |people: &'a [PersonId]| {
                let free = || people.iter().filter(|person| !said_no(person));
                free().find(|person| is_present(person, roster, at)).or_else(|| free().next())
            };
            let next = match service.policy.declined {
                Declined::Owner => free(&service.owners).or_else(|| free(&service.rotation)),
                Declined::Rotation => free(&service.rotation).or_else(|| free(&service.owners)),
                Declined::Merger => None,
            };
            next.map(|person| responder(person, because))
        }
        Attendance::Unattended { .. } => {
            let outsider = merger.filter(|m| m.is_outside())?;
            let because = Because::NoChampion { contributor: outsider.id.clone() };
            service.rotation.first().map(|person| responder(person, because))
        }
        Attendance::NotAsked | Attendance::Asking { .. } => None,
    }
}

/// Who answers where nobody has said anything.
#[must_use]
pub fn by_policy(change: &Change, service: &Service, roster: &Roster, at: Timestamp) -> Option<Responder> {
    let merger = &change.merger;
    let Some(person) = roster.by_login(&merger.login) else {
        let because = if merger.login.is_bot() {
            Because::OwnsWhatBotsMerge { bot: merger.login.clone() }
        } else {
            Because::StandsIn { unknown: merger.login.clone() }
        };
        return owner(service, roster, at, None).map(|stand_in| responder(stand_in, because));
    };
    if person.is_outside() {
        let because = Because::Champion { contributor: person.id.clone() };
        let no_champion = Because::NoChampion { contributor: person.id.clone() };
        return match champion(person, service, roster, at) {
            Some(champion) => Some(responder(champion, because)),
            None => service.rotation.first().map(|first| responder(first, no_champion)),
        };
    }
    let because = merged_because(change);
    match away(person, at) {
        None => Some(responder(&person.id, because)),
        Some(why) => {
            let stand_in = deputy(person, service, roster, at)?;
            if stand_in == &person.id {
                return Some(responder(stand_in, because));
            }
            Some(responder(stand_in, Because::Deputises { away: person.id.clone(), why }))
        }
    }
}

/// Why the one who merged answers.
fn merged_because(change: &Change) -> Because {
    match (change.merger.credit, change.kind) {
        // The push that merging a pull request makes tells who merged.
        (Credit::Merged, _) | (Credit::Pushed, ChangeKind::PullRequest { .. }) => Because::Merged,
        (Credit::Enqueued | Credit::QueueTried, _) => Because::Enqueued,
        (Credit::Pushed, ChangeKind::DirectPush) => Because::Pushed,
        (Credit::AuthorOfBotMerge, _) => Because::Authored,
        (Credit::Approved, _) => Because::Approved { bot: change.author.clone() },
    }
}

/// Why a person cannot be reckoned with at `at`: a day off, or a holiday where they live.
#[must_use]
pub fn away(person: &Person, at: Timestamp) -> Option<String> {
    let occasion = person.timetable.occasion_at(at)?;
    match occasion.kind {
        OccasionKind::DayOff => Some("a day off".to_owned()),
        OccasionKind::Holiday => Some(format!("a holiday ({})", occasion.name)),
        OccasionKind::Event => None,
    }
}

fn is_present(id: &PersonId, roster: &Roster, at: Timestamp) -> bool {
    roster.person(id).is_some_and(|person| away(person, at).is_none())
}

/// The champions of an outside contributor who are not away, first one first.
#[must_use]
pub fn champions<'a>(contributor: &'a Person, roster: &Roster, at: Timestamp) -> Vec<&'a PersonId> {
    contributor.champions.iter().filter(|id| is_present(id, roster, at)).collect()
}

/// The champion who answers: one who is at work, else the first who is not away.
fn champion<'a>(contributor: &'a Person, service: &Service, roster: &Roster, at: Timestamp) -> Option<&'a PersonId> {
    let present = champions(contributor, roster, at);
    let at_work = present.iter().copied().find(|id| attendance::off_hours(id, service, roster, at).is_none());
    at_work.or_else(|| present.first().copied())
}

/// Who stands in for somebody who is away: their deputies, then an owner, then the person after all.
fn deputy<'a>(person: &'a Person, service: &'a Service, roster: &Roster, at: Timestamp) -> Option<&'a PersonId> {
    let deputies = person.deputies.iter().find(|id| is_present(id, roster, at));
    deputies.or_else(|| owner(service, roster, at, Some(&person.id))).or(Some(&person.id))
}

/// An owner who is not away, else the first one all the same: somebody always answers.
fn owner<'a>(service: &'a Service, roster: &Roster, at: Timestamp, but: Option<&PersonId>) -> Option<&'a PersonId> {
    let owners = || service.owners.iter().filter(|id| Some(*id) != but);
    owners().find(|id| is_present(id, roster, at)).or_else(|| owners().next()).or_else(|| service.rotation.first())
}

#[cfg(test)]
#[path = "responder_tests.rs"]
mod tests;
