//! Who is on call, where people look: in the topic of a channel, and as a group that can be mentioned. What is to stand there
//! follows from the service alone, so nothing has to be kept before it is written: whoever writes reads first what stands there,
//! and writes only what differs. Slack itself is asked by `on-schedule`.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::decision::{Decisions, Record, Wake};
use crate::ids::PersonId;
use crate::message::Subject;
use crate::paging::{Paging, Unread};
use crate::reason::Reason;
use crate::responder::on_override;
use crate::roster::Roster;
use crate::service::Service;
use crate::shift::Shift;
use crate::situation::Situation;
use crate::text;
use crate::window::{Phase, windows};

/// How often it is made sure that it still stands there.
const LOOK_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// So many people are shown.
const MOST: usize = 30;
/// The longest topic, in the units of UTF-16.
const MOST_TOPIC: usize = 250;
/// What is ours of a topic stands between these; the rest is people's own.
const OPENS: &str = "[on call: ";
const CLOSES: char = ']';

/// Where who is on call is shown: a channel, or a user group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The receiver's name, as the configuration calls it.
    pub receiver: String,
    /// What the chat calls it.
    pub id: String,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.receiver, self.id)
    }
}

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Topic,
    Group,
}

impl Place {
    const ALL: [Self; 2] = [Self::Topic, Self::Group];

    fn words(self) -> &'static str {
        match self {
            Self::Topic => "the channel's topic",
            Self::Group => "the user group",
        }
    }
}

/// What stands at one place, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub place: Place,
    /// Which channel or group, as the configuration calls it.
    pub spot: String,
    /// Absent: it was never written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<Vec<PersonId>>,
    pub seen_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Unread>,
    /// Until when it asked to be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_until: Option<Timestamp>,
}

/// What is to stand somewhere now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub place: Place,
    pub spot: Spot,
    pub people: Vec<PersonId>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Stands,
    /// `rest`: for how long it asks to be left alone.
    Failed {
        why: String,
        rest: SignedDuration,
    },
}

/// Who is on call: whoever has the pager by somebody's word, then the responders of what is live, the newest first; where there
/// is none, the rotation.
#[must_use]
pub fn on_call(situation: &Situation, service: &Service, roster: &Roster, now: Timestamp) -> Vec<PersonId> {
    let shifts: Vec<&Shift> = situation.shifts.values().map(|s| &s.value).collect();
    let all = windows(situation, service, roster, now);
    let active = all.iter().filter_map(|window| match window.phase {
        Phase::Active { since, .. } => Some((since, window.change.merged_at, &window.responder.person)),
        Phase::Standby | Phase::Tail { .. } | Phase::Closed { .. } => None,
    });
    let mut active: Vec<_> = active.collect();
    active.sort_by(|a, b| b.cmp(a));
    let by_word = on_override(&shifts, now).map(|pager| pager.person);
    let mut people: Vec<PersonId> = Vec::new();
    for person in by_word.iter().chain(active.into_iter().map(|(.., person)| person)) {
        if !people.contains(person) {
            people.push(person.clone());
        }
    }
    if people.is_empty() {
        let paging = &situation.paging.value;
        let said = paging.said(now).map(|said| said.people.clone()).unwrap_or_default();
        people = if said.is_empty() { service.rotation.clone() } else { said };
    }
    people.truncate(MOST);
    people
}

fn spot(service: &Service, place: Place) -> Option<&Spot> {
    match place {
        Place::Topic => service.channel_topic.as_ref(),
        Place::Group => service.user_group.as_ref(),
    }
}

fn kept(paging: &Paging, place: Place) -> Option<&Shown> {
    paging.shown.iter().find(|shown| shown.place == place)
}

/// When something is to be written, or looked at again.
#[must_use]
pub fn due_at(situation: &Situation, service: &Service, roster: &Roster, now: Timestamp) -> Option<Timestamp> {
    if Place::ALL.iter().all(|place| spot(service, *place).is_none()) || !situation.mode(service).tells() {
        return None;
    }
    let people = on_call(situation, service, roster, now);
    let of = |place| Some(due_there(kept(&situation.paging.value, place), spot(service, place)?, &people, now));
    Place::ALL.into_iter().filter_map(of).min()
}

fn due_there(kept: Option<&Shown>, spot: &Spot, people: &[PersonId], now: Timestamp) -> Timestamp {
    let Some(kept) = kept.filter(|kept| kept.spot == spot.to_string()) else { return now };
    match &kept.failed {
        Some(failed) => {
            kept.rests_until.map_or_else(|| failed.try_again_at(), |rests| rests.max(failed.try_again_at()))
        }
        None if kept.people.as_deref() != Some(people) => now,
        None => kept.seen_at + LOOK_EVERY,
    }
}

/// What has to be written, or looked at, now.
#[must_use]
pub fn plan(situation: &Situation, service: &Service, roster: &Roster, now: Timestamp) -> Vec<Due> {
    if !situation.mode(service).tells() {
        return Vec::new();
    }
    let people = on_call(situation, service, roster, now);
    let due = |place| {
        let spot = spot(service, place)?;
        let at = due_there(kept(&situation.paging.value, place), spot, &people, now);
        (at <= now).then(|| Due { place, spot: spot.clone(), people: people.clone() })
    };
    Place::ALL.into_iter().filter_map(due).collect()
}

/// Keeps what came of it.
#[must_use]
pub fn hear(due: &Due, said: &Said, situation: &Situation, roster: &Roster, now: Timestamp) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    let mut paging = situation.paging.value.clone();
    let spot = due.spot.to_string();
    let before = kept(&paging, due.place).filter(|kept| kept.spot == spot).cloned();
    let people = before.as_ref().and_then(|before| before.people.clone());
    let since = before.as_ref().and_then(|before| before.failed.as_ref()).map(|failed| failed.since);
    let fresh = Shown { place: due.place, spot, people, seen_at: now, failed: None, rests_until: None };
    let (next, line) = match said {
        Said::Stands => {
            let news = fresh.people.as_ref() != Some(&due.people);
            let names: Vec<&str> = due.people.iter().map(|person| roster.name_of(person)).collect();
            let what = format!("{} says who is on call: {}", due.place.words(), names.join(", "));
            let reason = Reason::OnCallShown { at: due.spot.to_string() };
            (Shown { people: Some(due.people.clone()), ..fresh }, news.then_some((what, reason)))
        }
        Said::Failed { why, rest } => {
            let why = text::line(why, 200);
            let what = format!("{} cannot say who is on call", due.place.words());
            let line = since.is_none().then(|| (what, Reason::OnCallNotShown { why: why.clone() }));
            let failed = Some(Unread { since: since.unwrap_or(now), last: now, why });
            (Shown { failed, rests_until: now.checked_add(*rest).ok(), ..fresh }, line)
        }
    };
    paging.shown.retain(|shown| shown.place != due.place);
    paging.shown.push(next);
    paging.shown.sort_by_key(|shown| shown.place);
    if let Some((what, reason)) = line {
        decisions.log(now, Some(Subject::Service), None, what, reason);
    }
    if paging != situation.paging.value {
        decisions.put(Record::Paging(paging), situation.paging.rev);
    }
    decisions
}

/// What people wrote into the topic leaves no room for ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the rest of the topic leaves no room for who is on call: shorten it")]
pub struct NoRoom;

/// The topic with these people in it, and everything else as it was; `None`: it says so already. Where there is no place of ours yet
/// it is before the rest, since long topics are cut at their end.
pub fn topic(before: &str, names: &[&str]) -> Result<Option<String>, NoRoom> {
    let (head, tail) = match before.split_once(OPENS) {
        Some((head, rest)) => (head, rest.split_once(CLOSES).map_or("", |(_, tail)| tail)),
        None => ("", before),
    };
    let gap = if tail.is_empty() || tail.starts_with(' ') { "" } else { " " };
    let names: Vec<String> = names.iter().map(|name| text::line(name, 40).replace(CLOSES, ")")).collect();
    let with = |named: usize| {
        let more = names.len() - named;
        let shown = names.iter().take(named).cloned().collect::<Vec<_>>().join(", ");
        let shown = match (names.len(), named, more) {
            (0, ..) => "nobody".to_owned(),
            (all, 0, _) => text::count(all, "person", "people"),
            (_, _, 0) => shown,
            (_, _, more) => format!("{shown} and {more} more"),
        };
        format!("{head}{OPENS}{shown}{CLOSES}{gap}{tail}")
    };
    let fits = |topic: &String| topic.encode_utf16().count() <= MOST_TOPIC;
    let topic = (0..=names.len()).rev().map(with).find(fits).ok_or(NoRoom)?;
    Ok(Some(topic).filter(|topic| topic != before))
}

#[cfg(test)]
#[path = "shown_tests.rs"]
mod tests;
