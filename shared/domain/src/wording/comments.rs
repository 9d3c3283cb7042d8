//! The comment at a merged pull request: a line for each service that carries the change, with the incidents that name it. Who reads
//! it is not known, so times are those of whoever answers, with the name of the zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::markdown::{code, literal};
use crate::comments::Comment;
use crate::comments::line::{End, Held, Line, Standing, Suspected};
use crate::ids::{IncidentId, PersonId};
use crate::settings::Settings;
use crate::text::count;
use crate::times::span;

/// What each begins with, whoever reads it: ours are known by it.
pub const SIGNED: &str = "**[Recent Deployers](";
/// So many services have a line.
const MOST_SERVICES: usize = 12;
const MOST_NAME: usize = 80;

/// The whole comment.
#[must_use]
pub fn words(comment: &Comment, settings: &Settings) -> String {
    let board = &settings.public_url;
    let first = comment.said().next().map(|(service, _)| format!("#{service}")).unwrap_or_default();
    let mut lines = vec![format!("{SIGNED}{board}/{first}): who answers for this change**"), String::new()];
    for (service, line) in comment.said().take(MOST_SERVICES) {
        let writer = Writer { settings, zone: settings.roster.zone_of(&line.responder) };
        lines.push(format!("- {}: {}", code(service.as_str(), MOST_NAME), writer.line(line)));
        lines.extend(line.incidents.iter().map(|(id, incident)| writer.incident(id, incident)));
    }
    match comment.said().count().checked_sub(MOST_SERVICES) {
        Some(more) if more > 0 => lines.push(format!("- And {}: see the board.", count(more, "service", "services"))),
        _ if comment.said().next().is_none() => lines.push("No service of ours is touched by it.".to_owned()),
        _ => {}
    }
    lines.extend([String::new(), "This comment is edited as things change.".to_owned()]);
    lines.join("\n")
}

struct Writer<'a> {
    settings: &'a Settings,
    zone: TimeZone,
}

impl Writer<'_> {
    /// `Mon 2026-03-23 09:00 (America/New_York)`
    fn time(&self, at: Timestamp) -> String {
        let there = at.to_zoned_datetime(self.zone.clone());
        format!("{} ({})", there.strftime("%a %Y-%m-%d %H:%M"), self.zone.iana_name().unwrap_or("UTC"))
    }

    fn name(&self, person: &PersonId) -> String {
        format!("**{}**", literal(&crate::text::line(self.settings.roster.name_of(person), MOST_NAME)))
    }

    fn line(&self, line: &Line) -> String {
        let mut words = self.standing(line);
        if let Some(by) = &line.instead {
            words.push_str(&format!(" {} has the pager just now and is paged instead.", self.name(by)));
        }
        if let Some(by) = line.reverted_by.as_ref().filter(|_| !matches!(line.standing, Standing::Reverted { .. })) {
            words.push_str(&format!(" {} reverts it.", code(by, MOST_NAME)));
        }
        words
    }

    fn standing(&self, line: &Line) -> String {
        let who = self.name(&line.responder);
        match &line.standing {
            Standing::Standby { again, ahead, held } => {
                let state = if *again { "it was taken back, and is not live" } else { "it is merged, not live" };
                let held = held.as_ref().map(|held| format!(" {}", self.held(held))).unwrap_or_default();
                format!("{who} is on standby: {state}. {}{held}", ahead_of(*ahead))
            }
            Standing::Active { since, until, end } => {
                let (since, until) = (self.time(*since), self.time(*until));
                let until = match end {
                    End::Known => format!("until {until}"),
                    End::AfterIncident => format!("until what broke is over, at the latest until {until}"),
                    End::AfterSuccess(length) => {
                        format!("until {} after the deployment succeeds, at the latest until {until}", span(*length))
                    }
                };
                format!("live since {since}. {who} is paged first {until}.")
            }
            Standing::Ended { since, at, until } => {
                let (since, at, until) = (self.time(*since), self.time(*at), self.time(*until));
                format!("live since {since}. The turn of {who} ended {at}. It stays a suspect until {until}.")
            }
            Standing::Reverted { since, at } => {
                let by = line.reverted_by.as_ref().map_or_else(|| "a revert".to_owned(), |by| code(by, MOST_NAME));
                let at = self.time(*at);
                match since {
                    Some(since) => {
                        let since = self.time(*since);
                        format!("live since {since}, reverted: {by} is live since {at}. The turn of {who} is over.")
                    }
                    None => format!("reverted before it was live: {by} went live {at}. {who} has no turn for it."),
                }
            }
        }
    }

    fn held(&self, held: &Held) -> String {
        match held {
            Held::Frozen { name, until } => {
                format!("Deployments wait until {}, for the freeze {}.", self.time(*until), code(name, MOST_NAME))
            }
            Held::Paused { until: Some(until) } => format!("The pipeline is paused until {}.", self.time(*until)),
            Held::Paused { until: None } => "The pipeline is paused.".to_owned(),
        }
    }

    fn incident(&self, id: &IncidentId, incident: &Suspected) -> String {
        let what = code(&incident.what, MOST_NAME);
        let link = format!("[{what}]({}/incidents/{id})", self.settings.public_url);
        let over = match incident.over_at {
            Some(at) => format!("It is over since {}.", self.time(at)),
            None => "It is not over.".to_owned(),
        };
        let judged = match incident.it_was {
            Some(true) => " It was this change.",
            Some(false) => " It was not this change.",
            None => "",
        };
        format!("  - Incident {link}, since {}, has it as a suspect. {over}{judged}", self.time(incident.began_at))
    }
}

fn ahead_of(ahead: usize) -> String {
    match ahead {
        0 => "Nothing is ahead of it in the queue.".to_owned(),
        1..=4 => format!("{} ahead of it in the queue.", count(ahead, "change is", "changes are")),
        n => format!("{n} changes or more are ahead of it in the queue."),
    }
}
