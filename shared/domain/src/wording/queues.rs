//! What is said of a queue as a whole: that it has grown, and what becomes of it when a freeze ends.

use super::Reader;
use crate::alert::Severity;
use crate::message::{Kind, Message, Step, Subject};
use crate::notices::Look;
use crate::queue::thaw::Forecast;
use crate::queue::{self, thaw};
use crate::reason::Reason;
use crate::service::Frozen;
use crate::text::count;
use crate::times::span;
use crate::window::Phase;

/// How many releases of a thaw, and how many people of each, are named.
const MOST_RELEASES: usize = 5;
const MOST_PEOPLE: usize = 8;

/// `6 days`, `3 h`.
#[must_use]
pub fn age(duration: jiff::SignedDuration) -> String {
    let days = duration.as_hours() / 24;
    if days >= 2 { format!("{days} days") } else { span(duration) }
}

/// The queue has grown to so many changes.
#[must_use]
pub fn grown(reader: Reader<'_>, look: &Look<'_>, waiting: usize) -> Message {
    let reason = Reason::QueueGrew { changes: waiting };
    let mut message = reader.message(Subject::Service, Step::QueueGrew, Kind::Notice, Severity::Info, reason);
    let at = look.service.frozen_at(look.now).map_or(look.now, |frozen| frozen.until);
    let forecast = thaw::forecast(look.all, look.service, &look.settings.roster, at, look.now);
    let service = &look.service.id;
    message.title = format!("{} wait to go live in {service}", count(waiting, "change", "changes"));
    let oldest = forecast.oldest.map(|oldest| format!(", the oldest since {}", age(oldest))).unwrap_or_default();
    message.lines.push(format!("{} answer for them{oldest}.", count(forecast.people, "person", "people")));
    let first = look.all.iter().find(|window| window.phase == Phase::Standby);
    let stalled =
        first.and_then(|window| queue::stalled(look.situation, look.service, &window.change.id.repository, look.now));
    message.lines.push(match &stalled {
        Some(stalled) => super::turns::stalled_by(reader, stalled),
        None => "Nothing is known to hold them up.".to_owned(),
    });
    let releases = forecast.releases.len();
    if releases > 1 {
        let most = look.service.policy.release_at_most;
        message.lines.push(format!("At {most} a release that is {releases} releases. Each change more makes it harder to say which one broke something."));
    }
    message.links.push(reader.board());
    message
}

/// What becomes of the queue when a freeze ends: all of it to its owner and its channel, their own part to whoever merged.
#[must_use]
pub fn thaw(reader: Reader<'_>, frozen: &Frozen, forecast: &Forecast, whole: bool) -> Message {
    let reason = Reason::ThawAhead { freeze: frozen.name.clone() };
    let mut message = reader.message(Subject::Service, Step::Thaw, Kind::Notice, Severity::Info, reason);
    let service = &reader.service.id;
    let releases = count(forecast.releases.len(), "release", "releases");
    if whole {
        message.title = format!(
            "{service} goes on at {}: {}, {}, oldest {}: {releases}",
            reader.time(frozen.until),
            count(forecast.changes(), "change", "changes"),
            count(forecast.people, "merger", "mergers"),
            forecast.oldest.map(age).unwrap_or_default(),
        );
        for (n, release) in forecast.releases.iter().take(MOST_RELEASES).enumerate() {
            message.lines.push(format!("{}: {}", nth(n), line(reader, release)));
        }
        let more = forecast.releases.len().saturating_sub(MOST_RELEASES);
        if more > 0 {
            message.lines.push(format!("And {more} more."));
        }
    } else if let Some(release) = forecast.first_of(reader.person).and_then(|n| Some((n, forecast.releases.get(n)?))) {
        let (n, release) = release;
        message.title =
            format!("{service} goes on at {}: yours is in the {} of {releases}", reader.time(frozen.until), nth(n),);
        message.lines.push(format!("Proposed for {}, with {}.", reader.time(release.at), labels(release)));
        message.lines.push(if release.away.contains(reader.person) {
            "You are not at work then. Say so to whoever releases, or hand it over.".to_owned()
        } else {
            "Your turn starts when it is live: you are told then. Nothing is asked of you before.".to_owned()
        });
    }
    message.links.push(reader.board());
    message
}

/// `first`, `second`, `3rd`: of releases.
fn nth(n: usize) -> String {
    match n {
        0 => "first".to_owned(),
        1 => "second".to_owned(),
        2 => "third".to_owned(),
        n => format!("{}th", n + 1),
    }
}

/// `edx-platform#1 to edx-platform#8 (8 changes)`
fn labels(release: &queue::thaw::Release) -> String {
    match release.labels.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first, .., last] => format!("{first} to {last} ({} changes)", release.labels.len()),
    }
}

fn line(reader: Reader<'_>, release: &queue::thaw::Release) -> String {
    let roster = &reader.settings.roster;
    let names = |people: &[crate::PersonId]| {
        let shown: Vec<&str> = people.iter().take(MOST_PEOPLE).map(|person| roster.name_of(person)).collect();
        let more = people.len().saturating_sub(MOST_PEOPLE);
        if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
    };
    let away =
        if release.away.is_empty() { String::new() } else { format!(" Not at work then: {}.", names(&release.away)) };
    let commit: String = release.commit.chars().take(10).collect();
    format!("{}, {}, deploy {commit}. {}.{away}", reader.time(release.at), labels(release), names(&release.people))
}
