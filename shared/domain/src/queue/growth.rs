//! The queue, as it grows: its owner and its channel are warned once at each size that policy names, and once more after it has
//! shrunk to half of that. Before a freeze ends they hear what will go out when; whoever merged, in which release theirs does.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::thaw;
use crate::decision::Decisions;
use crate::ids::PersonId;
use crate::notices::Look;
use crate::queue::Queue;
use crate::window::Phase;
use crate::wording::{Reader, queues};

/// How long before a freeze ends its thaw is foretold.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// A shorter one piles nothing up that could not be seen.
const SHORTEST: SignedDuration = SignedDuration::from_hours(2);

/// Who was told of the thaw that comes then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foretold {
    pub until: Timestamp,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub told: BTreeSet<PersonId>,
}

/// What is due of it: said, and kept in the queue's record. When it has to be looked at again.
pub fn look(decisions: &mut Decisions, queue: &mut Queue, look: &Look<'_>) -> Option<Timestamp> {
    if !look.situation.mode(look.service).decides() || look.service.live_environment().is_none() {
        return None;
    }
    let left = warn(decisions, queue, look);
    let ahead = foretell(decisions, queue, look);
    left.into_iter().chain(ahead).min()
}

/// Who hears of the queue as a whole.
fn hearers(look: &Look<'_>) -> Vec<PersonId> {
    let mut all: Vec<PersonId> = look.service.last_resort().into_iter().chain(&look.service.channel).cloned().collect();
    all.dedup();
    all
}

fn reader<'a>(look: &Look<'a>, person: &'a PersonId) -> Reader<'a> {
    Reader { settings: look.settings, service: look.service, person, now: look.now }
}

/// When there was no room to say it: at once again.
fn warn(decisions: &mut Decisions, queue: &mut Queue, look: &Look<'_>) -> Option<Timestamp> {
    let waiting = look.all.iter().filter(|window| window.phase == Phase::Standby).count();
    let sizes = look.service.policy.queue_warned_at;
    queue.warned.retain(|size| waiting > usize::from(*size) / 2);
    let reached = sizes.into_iter().filter(|size| *size > 0 && waiting >= usize::from(*size));
    // Of two that were reached at once the larger is told of.
    let size = reached.max().filter(|size| !queue.warned.contains(size))?;
    let people = hearers(look);
    if decisions.room() < people.len() + 2 {
        return Some(look.now);
    }
    queue.warned.extend(
        sizes
            .into_iter()
            .filter(|other| *other > 0 && *other <= size && !queue.warned.contains(other))
            .collect::<Vec<_>>(),
    );
    queue.warnings += 1;
    for person in &people {
        let mut message = queues::grown(reader(look, person), look, waiting);
        message.key.nth = queue.warnings;
        decisions.tell(message);
    }
    None
}

fn foretell(decisions: &mut Decisions, queue: &mut Queue, look: &Look<'_>) -> Option<Timestamp> {
    let frozen = look.service.frozen_at(look.now)?;
    if frozen.until.duration_since(frozen.from) < SHORTEST {
        return None;
    }
    let at = told_at(frozen.from, frozen.until, &look.service.timetable.zone);
    if look.now < at {
        return Some(at);
    }
    let forecast = thaw::forecast(look.all, look.service, &look.settings.roster, frozen.until, look.now);
    if forecast.releases.is_empty() {
        return None;
    }
    let mut notes = queue.foretold.take().filter(|notes| notes.until == frozen.until);
    let notes = notes.get_or_insert_with(|| Foretold { until: frozen.until, told: [].into() });
    let mut again = None;
    let owners = hearers(look);
    let mergers = forecast.releases.iter().flat_map(|release| &release.people);
    for person in owners.iter().chain(mergers) {
        if notes.told.contains(person) {
            continue;
        }
        if decisions.room() < 6 {
            again = Some(look.now);
            break;
        }
        let whole = owners.contains(person);
        let mut message = queues::thaw(reader(look, person), &frozen, &forecast, whole);
        message.key.nth = u32::try_from(frozen.until.as_second() / 60).unwrap_or(u32::MAX);
        decisions.tell(message);
        notes.told.insert(person.clone());
    }
    queue.foretold = Some(notes.clone());
    again
}

/// A day before it ends; where that is on a weekend, at noon of the Friday before.
fn told_at(from: Timestamp, until: Timestamp, zone: &TimeZone) -> Timestamp {
    let at = (until - AHEAD).max(from);
    let local = at.to_zoned_datetime(zone.clone());
    // Monday is 0.
    let back = match local.date().weekday().to_monday_zero_offset() {
        5 => 1,
        6 => 2,
        _ => return at,
    };
    let friday = local.date().checked_sub(jiff::ToSpan::days(back)).ok();
    let noon = friday.and_then(|day| zone.to_timestamp(day.at(12, 0, 0, 0)).ok());
    noon.filter(|noon| *noon >= from).unwrap_or(at)
}

#[cfg(test)]
#[path = "growth_tests.rs"]
mod tests;
