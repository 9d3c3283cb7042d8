//! How a service stands to its pager and its channel: the schedules that are read and written there, where people follow.

use std::collections::{BTreeMap, BTreeSet};

use domain::service::Schedule;
use domain::shown::Spot;
use domain::{Person, PersonId, Roster, Timetable};
use jiff::tz::TimeZone;

use super::receivers;
use super::section::Section;
use crate::receiver::{ReceiverConfig, ReceiverKind};

/// The configured receivers, by name.
pub(super) type Receivers = BTreeMap<String, ReceiverConfig>;

/// The schedules of a service in its pager.
pub(super) struct Schedules {
    pub rotation: Option<Schedule>,
    pub beside: Option<Schedule>,
}

impl Schedules {
    /// `schedule = "pagerduty:PIJ90N7"`: who is on call. `beside`: where whoever has an active window is written.
    ///
    /// `written`: where other services write whoever has theirs.
    pub(super) fn read(
        name: &str,
        section: &mut Section<'_, '_>,
        receivers: &Receivers,
        written: &mut BTreeMap<String, String>,
    ) -> Self {
        let mut schedule = |key: &str| {
            let text = section.text(key)?;
            let (name, id) = text.split_once(':').unwrap_or((&text, ""));
            let pager = receivers.get(name.trim()).filter(|receiver| receiver.kind.has_schedules());
            if pager.is_none() || id.trim().is_empty() {
                let what = "is \"<receiver>:<schedule>\", where the receiver is a pagerduty, an opsgenie or a jira-service-management";
                section.problem_with(key, format!("`{key}` {what}"));
                return None;
            }
            Some(Schedule { receiver: name.trim().to_owned(), id: id.trim().to_owned() })
        };
        let (rotation, beside) = (schedule("schedule"), schedule("beside"));
        if rotation.is_some() && rotation == beside {
            section.problem_with("beside", "`beside` has to be another schedule than `schedule`: the first level of the escalation, where the rotation is the second");
        }
        if let Some(schedule) = &beside {
            let other = written.insert(format!("{}:{}", schedule.receiver, schedule.id), name.to_owned());
            if let Some(other) = other {
                section.problem_with("beside", format!("{other} is written into this schedule too: each service needs its own, or the one would take the other's responder out"));
            }
        }
        Self { rotation, beside }
    }
}

/// `channel_topic = "slack:C024BE91L"`, `user_group = "slack:S0614TZR7"`: where it is shown who is on call.
///
/// `taken`: where other services show who has theirs.
pub(super) fn shown(
    name: &str,
    section: &mut Section<'_, '_>,
    receivers: &Receivers,
    taken: &mut BTreeMap<String, String>,
) -> [Option<Spot>; 2] {
    let mut spot = |key: &str, starts: &[char], what: &str| {
        let text = section.text(key)?;
        let (receiver, id) = text.split_once(':').unwrap_or((&text, ""));
        let (receiver, id) = (receiver.trim(), id.trim());
        let chat = receivers.get(receiver).is_some_and(|known| known.kind == ReceiverKind::Slack);
        let known = id.starts_with(starts)
            && (9..=32).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !chat || !known {
            section.problem_with(
                key,
                format!("`{key}` is \"<receiver>:<id>\", where the receiver is a slack and the id that of {what}"),
            );
            return None;
        }
        if let Some(other) = taken.insert(format!("{key} {receiver}:{id}"), name.to_owned()) {
            section.problem_with(key, format!("{other} shows there who is on call too: each service needs its own, or the one would take the other's people out"));
        }
        Some(Spot { receiver: receiver.to_owned(), id: id.to_owned() })
    };
    [
        spot("channel_topic", &['C', 'G'], "a channel, such as C024BE91L"),
        spot("user_group", &['S'], "a user group, such as S0614TZR7"),
    ]
}

/// `channel = ["slack:C024BE91L"]`: where the service's incidents can be followed. It joins the roster, as somebody who
/// is told and never paged.
pub(super) fn channel(
    name: &str,
    section: &mut Section<'_, '_>,
    roster: &mut Roster,
    receivers: &Receivers,
) -> Option<PersonId> {
    let contacts = receivers::contacts(section, "channel", receivers);
    let id: PersonId = format!("channel-of-{name}").parse().ok().filter(|_| !contacts.is_empty())?;
    if roster.person(&id).is_some() {
        section.problem_with("channel", format!("somebody is called {id}, as this channel is"));
        return None;
    }
    roster.add(Person {
        name: format!("the channel of {name}"),
        logins: Vec::new(),
        zone: TimeZone::UTC,
        timetable: Timetable::always(TimeZone::UTC),
        contacts,
        champions: Vec::new(),
        deputies: Vec::new(),
        muted: BTreeSet::new(),
        id: id.clone(),
    });
    Some(id)
}
