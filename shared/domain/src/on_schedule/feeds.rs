//! The calendars that freezes follow: which is to be read now, and what is kept of what it said. Each is read every few
//! hours; where that fails, what was read last holds, since a calendar that cannot be read is not an empty one. The reading
//! is done by `on-schedule`.

use jiff::{SignedDuration, Timestamp};

use super::{Next, REPUBLISH};
use crate::decision::{Decisions, Record, RecordKey, Wake};
use crate::freeze::{Feed, Freeze, LOOK_AHEAD, Time};
use crate::ids::FreezeId;
use crate::message::Subject;
use crate::reason::Reason;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::text;
use crate::times::period;

/// How often a calendar is read.
const EVERY: SignedDuration = SignedDuration::from_hours(6);
/// How long after it could not be read it is tried again.
const AGAIN: SignedDuration = SignedDuration::from_mins(15);
/// For how long a time that is over is kept.
const PAST: SignedDuration = SignedDuration::from_hours(24 * 7);
/// How many times are kept of one calendar.
const MOST: usize = 200;

/// What came of reading the calendar of a freeze: its times, or why there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub freeze: FreezeId,
    pub said: Result<Vec<Time>, String>,
}

/// The freezes whose calendar is to be read now, and its address.
#[must_use]
pub fn due<'a>(situation: &Situation, settings: &'a Settings, now: Timestamp) -> Vec<(&'a Freeze, &'a str)> {
    followed(settings).filter(|(freeze, address)| read_at(situation, freeze, address, now) <= now).collect()
}

fn followed(settings: &Settings) -> impl Iterator<Item = (&Freeze, &str)> {
    settings.freezes.iter().filter_map(|freeze| Some((freeze, freeze.feed.as_ref()?.as_str())))
}

/// When it is to be read. One whose address was changed is read at once.
fn read_at(situation: &Situation, freeze: &Freeze, address: &str, now: Timestamp) -> Timestamp {
    let known = situation.feeds.get(&freeze.id).map(|noted| &noted.value).filter(|feed| feed.is_of(address));
    known.map_or(now, |feed| feed.tried_at + if feed.failed.is_some() { AGAIN } else { EVERY })
}

/// When the next is to be read; what was read of those that the configuration has no more leaves.
pub(super) fn tidy(
    decisions: &mut Decisions,
    next: &mut Next,
    situation: &Situation,
    settings: &Settings,
    now: Timestamp,
) {
    for (freeze, address) in followed(settings) {
        // What is due now is done after this look; should that fail, the tick comes again.
        next.at(read_at(situation, freeze, address, now).max(now + REPUBLISH));
    }
    for (id, noted) in &situation.feeds {
        if followed(settings).any(|(freeze, _)| freeze.id == *id) {
            continue;
        }
        if decisions.room() == 0 {
            return next.at(now);
        }
        decisions.drop_record(RecordKey::Feed(id.clone()), noted.rev);
    }
}

/// Keeps what the calendars said, and says so where it is news.
#[must_use]
pub fn hear(heard: &[Heard], situation: &Situation, settings: &Settings, now: Timestamp) -> Decisions {
    let mut decisions = Decisions::none(&settings.freeze_desk().id, Wake::Now);
    for one in heard {
        let Some((freeze, address)) = followed(settings).find(|(freeze, _)| freeze.id == one.freeze) else { continue };
        if decisions.room() == 0 {
            break;
        }
        let known = situation.feeds.get(&freeze.id);
        let before = known.map_or_else(|| Feed::unread(address, now), |noted| noted.value.clone());
        let mut feed = Feed { address: Feed::unread(address, now).address, tried_at: now, ..before.clone() };
        let line = match &one.said {
            Ok(times) => {
                feed.times = kept(times, now);
                (feed.read_at, feed.failed) = (Some(now), None);
                (before.failed.is_some() || is_news(&before, &feed, now)).then(|| read(freeze, &feed, now))
            }
            Err(why) => {
                let why = text::line(why, 160);
                feed.failed = Some(why.clone());
                before.failed.is_none().then(|| unread(freeze, why))
            }
        };
        if let Some((what, reason)) = line {
            decisions.log(now, Some(Subject::Service), None, what, reason);
        }
        decisions.put(Record::Feed(freeze.id.clone(), feed), known.map_or(0, |noted| noted.rev));
    }
    decisions
}

/// What matters: neither long over nor far ahead.
fn kept(times: &[Time], now: Timestamp) -> Vec<Time> {
    let matters = |time: &&Time| now - PAST < time.until && time.from < now + LOOK_AHEAD;
    let mut kept: Vec<Time> = times.iter().filter(matters).cloned().collect();
    kept.sort();
    kept.truncate(MOST);
    kept
}

/// Whether it says something else than before of what was in sight then. That time goes on is no news.
fn is_news(before: &Feed, feed: &Feed, now: Timestamp) -> bool {
    let Some(read_at) = before.read_at else { return true };
    let last = |feed: &Feed| feed.times.last().filter(|_| feed.times.len() >= MOST).map(|time| time.from);
    let sight = last(before).unwrap_or(read_at + LOOK_AHEAD).min(last(feed).unwrap_or(Timestamp::MAX));
    let seen = |feed: &Feed| -> Vec<Time> {
        feed.times.iter().filter(|time| now < time.until && time.from < sight).cloned().collect()
    };
    seen(before) != seen(feed)
}

fn read(freeze: &Freeze, feed: &Feed, now: Timestamp) -> (String, Reason) {
    let ahead: Vec<&Time> = feed.times.iter().filter(|time| now < time.until).collect();
    let next = match ahead.first() {
        Some(time) => format!("next {}, {}", time.name, period(time.from, time.until, &freeze.zone)),
        None => "which has nothing ahead".to_owned(),
    };
    let what = format!("the freeze {} follows its calendar: {next}", freeze.id);
    (what, Reason::FeedRead { freeze: freeze.id.to_string(), times: ahead.len() })
}

fn unread(freeze: &Freeze, why: String) -> (String, Reason) {
    let what = format!("the calendar of the freeze {} cannot be read", freeze.id);
    (what, Reason::FeedUnread { freeze: freeze.id.to_string(), why })
}

#[cfg(test)]
#[path = "feeds_tests.rs"]
mod tests;
