//! What all monitors together currently say about one environment of one service.
//!
//! [`Signals`] keeps the newest word on each fingerprint. Words are joined, never replaced, so that a resolution that
//! overtakes its alert, a repeat and a duplicate all end in the same state.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::alert::{AcknowledgedThere, Alert, AlertState, Severity};
use crate::ids::IncidentId;
use crate::text;

/// At most this many alerts of one environment are remembered in words.
pub const MOST_SIGNALS: usize = 200;
/// At most this many are remembered at all: the rest only by whether and since when they fire.
const MOST_REMEMBERED: usize = 1200;
/// Together they have to fit one item of 400 KB, and their words must leave room for the rest.
const MOST_BYTES: usize = 330_000;
const MOST_BYTES_IN_WORDS: usize = 160_000;
/// Where even that is too little, nothing is taken to be over for this long: monitors repeat what fires within a day.
const UNSURE: SignedDuration = SignedDuration::from_hours(24);
/// How far ahead of ours a monitor's clock may be before we take it to be wrong.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(10);
/// How many earlier starts and ends of a flapping alert are remembered.
const MOST_EARLIER: usize = 4;
/// How much of an alert's words is remembered, in characters.
const MOST_NAME: usize = 80;
const MOST_SUMMARY: usize = 160;

/// The newest word on one fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Empty, as the rest of its words, where there are too many to remember them all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    pub severity: Severity,
    /// The latest start we were told of; absent when only a resolution came so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The latest acknowledgement in the monitor or pager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<AcknowledgedThere>,
    /// When that was last given back there, or ran out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
    /// When it is over by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts_until: Option<Timestamp>,
    /// What its monitor calls the failure that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The files and modules that it names, nearest to the failure first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Whether it says that the new release does worse than the one beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub canary: bool,
    /// Starts and ends before these, where it flaps: the newest of each.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub earlier_starts: BTreeSet<Timestamp>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub earlier_ends: BTreeSet<Timestamp>,
}

/// Joins a time with the latest one known; those before it are remembered, a few. In any order it ends the same.
fn join(latest: &mut Option<Timestamp>, earlier: &mut BTreeSet<Timestamp>, at: Timestamp) {
    let known = latest.map_or(at, |known| known.max(at));
    earlier.extend(latest.replace(known).into_iter().chain([at]).filter(|at| *at < known));
    while earlier.len() > MOST_EARLIER {
        earlier.pop_first();
    }
}

impl Signal {
    /// Every time in which it fired, as far as is remembered; without an end while it still does.
    #[must_use]
    pub fn spans(&self) -> Vec<(Timestamp, Option<Timestamp>)> {
        let ends: Vec<Timestamp> = self.earlier_ends.iter().copied().chain(self.ended_at).collect();
        let starts = self.earlier_starts.iter().copied().chain(self.started_at);
        starts.map(|start| (start, ends.iter().copied().find(|end| *end >= start))).collect()
    }

    /// Started, and not ended since.
    #[must_use]
    pub fn is_firing(&self) -> bool {
        self.started_at.is_some_and(|start| self.ended_at.is_none_or(|end| end < start))
    }

    /// Whoever took it over there since it started, and has it still.
    #[must_use]
    pub fn taken_over(&self) -> Option<&AcknowledgedThere> {
        let since = self.started_at.filter(|_| self.is_firing())?;
        let mut there = self.acknowledged.iter();
        there.find(|there| there.at >= since && self.released_at.is_none_or(|released| there.at > released))
    }

    fn say(&mut self, alert: &Alert) {
        self.name = text::line(&alert.name, MOST_NAME);
        self.summary = text::line(&alert.summary, MOST_SUMMARY);
        self.group = alert.group.as_deref().map(|group| text::line(group, MOST_NAME));
        self.url = alert.url.clone().filter(|url| url.len() <= 300);
        self.names = alert.names();
    }

    fn is_wordless(&self) -> bool {
        self.name.is_empty() && self.summary.is_empty() && self.url.is_none()
    }

    /// About how many bytes of an item it is.
    fn bytes(&self, key: &str) -> usize {
        120 + self.acknowledged.as_ref().map_or(0, |there| 120 + there.name.len())
            + 40 * (self.earlier_starts.len() + self.earlier_ends.len())
            + key.len()
            + self.name.len()
            + self.summary.len()
            + self.url.as_ref().map_or(0, String::len)
            + self.group.as_ref().map_or(0, String::len)
            + self.names.iter().map(|name| name.len() + 3).sum::<usize>()
    }
}

/// What the monitors say about one environment, and the sentinel of its one open incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signals {
    #[serde(default)]
    pub by_key: BTreeMap<String, Signal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<IncidentId>,
    /// When an alert that fires was last forgotten, because there were too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_at: Option<Timestamp>,
}

impl Signals {
    /// Joins one alert, heard at `now`. The wording follows the alert with the later start; times only grow.
    /// Where the monitor tells no time, or one that is still to come, the time at which we first heard of it counts.
    pub fn learn(&mut self, alert: &Alert, now: Timestamp) {
        let past = |at: &Timestamp| *at <= now + CLOCKS_DIFFER;
        let (begin, end) = (alert.started_at.filter(past), alert.ended_at.filter(past));
        let known = self.by_key.entry(alert.key()).or_insert_with(|| Signal {
            name: text::line(&alert.name, MOST_NAME),
            summary: text::line(&alert.summary, MOST_SUMMARY),
            severity: alert.severity,
            started_at: None,
            ended_at: None,
            acknowledged: None,
            released_at: None,
            lasts_until: None,
            group: None,
            url: None,
            names: Vec::new(),
            canary: false,
            earlier_starts: BTreeSet::new(),
            earlier_ends: BTreeSet::new(),
        });
        if known.is_wordless() {
            known.say(alert);
        }
        known.acknowledged = known.acknowledged.take().max(alert.acknowledged.clone().filter(|there| past(&there.at)));
        known.released_at = known.released_at.max(alert.released_at.filter(past));
        match alert.state {
            AlertState::Firing | AlertState::Acknowledged => {
                let since = known.started_at.filter(|_| known.is_firing());
                let started = begin.or(since).unwrap_or(now);
                if known.started_at < Some(started) {
                    known.say(alert);
                    known.severity = alert.severity;
                } else if known.started_at == Some(started) {
                    known.severity = known.severity.max(alert.severity);
                }
                known.lasts_until = known.lasts_until.max(alert.lasts.map(|lasts| started + lasts));
                join(&mut known.started_at, &mut known.earlier_starts, started);
            }
            AlertState::Resolved => {
                let ended = end.or(begin).unwrap_or(now);
                join(&mut known.ended_at, &mut known.earlier_ends, begin.map_or(ended, |begin| ended.max(begin)));
            }
        }
    }

    /// Forgets what matters least where too many are remembered: first the words, then the rest; of the longest
    /// resolved first, then of the least severe and latest of what fires. Which ones does not depend on the order in
    /// which they came. That something which fires was forgotten is remembered.
    pub fn trim(&mut self, now: Timestamp) {
        let worth = |s: &Signal| (s.is_firing(), s.severity, s.ended_at, std::cmp::Reverse(s.started_at));
        let mut all: Vec<(String, Signal)> = std::mem::take(&mut self.by_key).into_iter().collect();
        all.sort_by(|(a_key, a), (b_key, b)| worth(b).cmp(&worth(a)).then(a_key.cmp(b_key)));
        let mut room = MOST_BYTES;
        for (i, (key, mut signal)) in all.into_iter().enumerate() {
            let used = MOST_BYTES - room + signal.bytes(&key);
            if i >= MOST_SIGNALS || used > MOST_BYTES_IN_WORDS {
                (signal.name, signal.summary, signal.url, signal.group, signal.names) = Default::default();
            }
            match room.checked_sub(signal.bytes(&key)).filter(|_| i < MOST_REMEMBERED) {
                Some(left) => {
                    room = left;
                    self.by_key.insert(key, signal);
                }
                None if signal.is_firing() => self.lost_at = Some(now),
                None => {}
            }
        }
    }

    /// Until when something that was forgotten may still fire, so that nothing may be taken to be over.
    #[must_use]
    pub fn unsure_until(&self) -> Option<Timestamp> {
        self.lost_at.map(|at| at + UNSURE)
    }

    pub fn firing(&self) -> impl Iterator<Item = (&String, &Signal)> {
        self.by_key.iter().filter(|(_, signal)| signal.is_firing())
    }

    /// What fires and is over by itself at some time: when the first of it is.
    #[must_use]
    pub fn next_lapse(&self) -> Option<Timestamp> {
        self.firing().filter_map(|(_, signal)| signal.lasts_until).min()
    }

    /// What was to be over by itself by now, is.
    pub fn lapse(&mut self, now: Timestamp) {
        for signal in self.by_key.values_mut() {
            if let Some(until) = signal.lasts_until.filter(|until| signal.is_firing() && *until <= now) {
                let end = signal.started_at.map_or(until, |start| until.max(start));
                join(&mut signal.ended_at, &mut signal.earlier_ends, end);
            }
        }
    }
}

#[cfg(test)]
#[path = "signals_tests.rs"]
mod tests;
