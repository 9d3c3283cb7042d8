//! What is said of a freeze. Its times are those of its own zone, which it names, because it is one for everybody.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Reader;
use crate::alert::Severity;
use crate::freeze::{Declared, Occurrence, Said, Scope, Source, Stops, Strength};
use crate::ids::PersonId;
use crate::message::{Kind, Link, Message, Step, Subject};
use crate::reason::Reason;
use crate::roster::Roster;
use crate::times::{period, time};

/// How many names are said of those that it is about.
const MOST_NAMED: usize = 8;

impl Stops {
    /// `please do not merge; nothing is deployed`
    #[must_use]
    pub fn in_words(self) -> String {
        let say = |strength, verb, done| match strength {
            Some(Strength::Advise) => Some(format!("please do not {verb}")),
            Some(Strength::Require) => Some(format!("nothing is {done}")),
            None => None,
        };
        let all = [say(self.merges, "merge", "merged"), say(self.deployments, "deploy", "deployed")];
        all.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

impl Scope {
    /// `edxapp, discovery; production only`
    #[must_use]
    pub fn in_words(&self) -> String {
        let listed = |names: Vec<&str>| {
            let more = names.len().saturating_sub(MOST_NAMED);
            let shown = names.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", ");
            if more == 0 { shown } else { format!("{shown} and {more} more") }
        };
        let services = match self.services.is_empty() {
            true => "every service".to_owned(),
            false => listed(self.services.iter().map(|id| id.as_str()).collect()),
        };
        let repositories = (!self.repositories.is_empty())
            .then(|| format!("; repositories {}", listed(self.repositories.iter().map(String::as_str).collect())));
        let environments = (!self.environments.is_empty()).then(|| {
            format!("; deployments to {} only", listed(self.environments.iter().map(|e| e.as_str()).collect()))
        });
        format!("{services}{}{}", repositories.unwrap_or_default(), environments.unwrap_or_default())
    }
}

impl Declared {
    /// `gratitude week, 2026-12-28 00:00 to 2027-01-02 00:00 (America/New_York): please do not merge (every service)`
    #[must_use]
    pub fn in_words(&self) -> String {
        let zone = TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC);
        let times = period(self.from, self.until, &zone);
        format!("{}, {times}: {} ({})", self.name, self.stops.in_words(), self.scope.in_words())
    }
}

/// When it begins or ends, in its own zone.
pub(super) fn at(one: &Occurrence<'_>, at: Timestamp, now: Timestamp) -> String {
    time(at, &TimeZone::get(one.zone).unwrap_or(TimeZone::UTC), now)
}

/// `gratitude week until 2027-01-02 00:00 (America/New_York)`, for the board.
#[must_use]
pub fn line(one: &Occurrence<'_>, now: Timestamp) -> String {
    let when = if one.from <= now {
        format!("until {}", at(one, one.until, now))
    } else {
        format!("from {} until {}", at(one, one.from, now), at(one, one.until, now))
    };
    format!("{} {when}: {} ({})", one.name, one.stops.in_words(), one.scope.in_words())
}

/// `Please do not merge; nothing is deployed. For every service.`
fn asks(one: &Occurrence<'_>) -> String {
    let asks = one.stops.in_words();
    let mut letters = asks.chars();
    let asks: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    format!("{asks}. For {}.", one.scope.in_words())
}

fn says_so(one: &Occurrence<'_>, roster: &Roster) -> String {
    match one.source {
        Source::Person(declared) => format!("{} declared it.", roster.name_of(&declared.by)),
        Source::Feed => "The calendar that it follows says so.".to_owned(),
        Source::Configuration => "The configuration says so.".to_owned(),
    }
}

/// All about one, for a calendar: what it asks for, when in its own zone, and by whose word.
#[must_use]
pub fn details(one: &Occurrence<'_>, roster: &Roster) -> Vec<String> {
    let zone = TimeZone::get(one.zone).unwrap_or(TimeZone::UTC);
    let mut lines = vec![asks(one), format!("{}.", period(one.from, one.until, &zone)), says_so(one, roster)];
    if let Source::Person(declared) = one.source
        && let Some((_, by)) = &declared.ended
    {
        let did = if declared.is_called_off() { "called it off" } else { "ended it before its time" };
        lines.push(format!("{} {did}.", roster.name_of(by)));
    }
    lines
}

/// One that somebody declared can be ended by them; in a channel, where they read too, by whoever presses for it.
fn own(reader: Reader<'_>, one: &Occurrence<'_>) -> Option<crate::FreezeId> {
    let offered = |by: &&PersonId| *by == reader.person || reader.settings.is_channel(reader.person);
    one.by().filter(offered).map(|_| one.id.clone())
}

/// What stands in the log.
#[must_use]
pub fn log(one: &Occurrence<'_>, said: Said) -> String {
    let what = match said {
        Said::Over => "is over",
        Said::Began => "has begun",
        Said::WithinAnHour => "begins within an hour",
        Said::WithinADay => "begins within a day",
    };
    format!("the freeze {} {what}: {}", one.name, one.stops.in_words())
}

/// What is so once one is over.
#[derive(Debug, Clone, Copy, Default)]
pub struct After<'a> {
    /// Who ended it before its time.
    pub ended_by: Option<&'a PersonId>,
    /// Another that goes on.
    pub still: Option<Occurrence<'a>>,
}

/// The notice that one begins or is over.
#[must_use]
pub fn notice(reader: Reader<'_>, one: &Occurrence<'_>, said: Said, after: &After<'_>) -> Message {
    let subject = Subject::Freeze(one.key());
    let mut message = reader.message(subject, said.step(), Kind::Notice, Severity::Info, said.reason(one));
    let (from, until) = (at(one, one.from, reader.now), at(one, one.until, reader.now));
    message.title = match said {
        Said::Over => format!("The freeze is over: {}", one.name),
        Said::Began => format!("Freeze until {until}: {}", one.name),
        Said::WithinAnHour => format!("A freeze begins within an hour, at {from}: {}", one.name),
        Said::WithinADay => format!("A freeze begins within a day, at {from}: {}", one.name),
    };
    message.ends = own(reader, one).filter(|_| said != Said::Over);
    if said == Said::Over {
        if let Some(by) = after.ended_by {
            message.lines.push(format!("{} ended it before its time.", reader.settings.roster.name_of(by)));
        }
        message.lines.push(match &after.still {
            Some(other) => format!("Another goes on: {}.", line(other, reader.now)),
            None => "What has waited goes on as it can.".to_owned(),
        });
    } else {
        message.lines.push(asks(one));
        if said != Said::Began {
            message.lines.push(format!("It is over at {until}."));
        }
        message.lines.push(says_so(one, &reader.settings.roster));
        if one.stops.merges.is_some() {
            message.lines.push("Who merges all the same is asked to take the pager for it.".to_owned());
        }
    }
    message.links.push(Link { label: "Board".to_owned(), url: format!("{}/", reader.settings.public_url) });
    message
}

/// The notice that one which was told of is another now, or called off.
#[must_use]
pub fn changed(reader: Reader<'_>, one: &Occurrence<'_>) -> Message {
    let reason = Reason::FreezeChanged { freeze: one.name.to_owned() };
    let subject = Subject::Freeze(one.key());
    let mut message = reader.message(subject, Step::FreezeChanged, Kind::Notice, Severity::Info, reason);
    message.key.nth = u32::try_from(reader.now.as_second() / 60).unwrap_or(u32::MAX);
    let roster = &reader.settings.roster;
    let by = match one.source {
        Source::Person(declared) => {
            let by = declared.ended.as_ref().map_or(&declared.by, |(_, by)| by);
            format!("{} says so.", roster.name_of(by))
        }
        Source::Feed | Source::Configuration => says_so(one, roster),
    };
    if one.until <= one.from {
        message.title = format!("The freeze is called off: {}", one.name);
        message.lines.push(format!("It does not begin. {by}"));
    } else {
        message.ends = own(reader, one);
        message.title = format!("The freeze is another now, until {}: {}", at(one, one.until, reader.now), one.name);
        message.lines.push(format!("{}. For {}. {by}", capital(&one.stops.in_words()), one.scope.in_words()));
    }
    message.links.push(Link { label: "Board".to_owned(), url: format!("{}/", reader.settings.public_url) });
    message
}

/// The notice that one which was told of is there no more.
#[must_use]
pub fn gone(reader: Reader<'_>, key: &str, name: &str, begun: bool) -> Message {
    let reason = Reason::FreezeOver { freeze: name.to_owned() };
    let subject = Subject::Freeze(key.to_owned());
    let mut message = reader.message(subject, Step::FreezeChanged, Kind::Notice, Severity::Info, reason);
    message.key.nth = u32::try_from(reader.now.as_second() / 60).unwrap_or(u32::MAX);
    message.title = if begun {
        format!("The freeze is over: {name}")
    } else {
        format!("The freeze is off, or at another time: {name}")
    };
    message.lines.push(
        "It is not where it was, in the configuration or the calendar; the board shows what is ahead.".to_owned(),
    );
    message.links.push(Link { label: "Board".to_owned(), url: format!("{}/", reader.settings.public_url) });
    message
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
