//! The weekly digest, as a channel reads it.

use super::Reader;
use crate::alert::Severity;
use crate::measures::digest::{Digest, Moved, Proposal};
use crate::message::{Kind, Link, Message, Step, Subject};
use crate::reason::Reason;
use crate::text::{self, count};

/// So many people, alerts and figures are named.
const MOST_PEOPLE: usize = 12;
const MOST_ALERTS: usize = 8;
const MOST_MOVED: usize = 4;

#[must_use]
pub fn weekly(reader: Reader<'_>, digest: &Digest) -> Message {
    let reason = Reason::WeeklyDigest;
    let mut message = reader.message(Subject::Service, Step::Digest, Kind::Notice, Severity::Info, reason);
    let service = &reader.service.id;
    message.title = format!("{service} from {} to {}", digest.first, digest.last);
    let week = &digest.week;
    let n = |n: u32, one: &str, more: &str| count(usize::try_from(n).unwrap_or(usize::MAX), one, more);
    message.lines.push(format!(
        "{} live, {} of them put right. {}, {}.",
        n(week.deployments, "deployment", "deployments"),
        week.failed,
        n(week.incidents, "incident", "incidents"),
        n(week.pages, "page", "pages"),
    ));
    let told = |better: bool| {
        let these: Vec<String> = digest.moved.iter().filter(|one| one.better == better).map(moved).collect();
        listed(&these, MOST_MOVED, "; ")
    };
    message.lines.extend(told(true).map(|these| format!("Better than in the four weeks before: {these}.")));
    message.lines.extend(told(false).map(|these| format!("Not as good: {these}.")));
    message
        .lines
        .extend(listed(&digest.load, MOST_PEOPLE, ", ").map(|names| format!("Who carried it: {names}. Thank you.")));
    message.lines.extend(stalls(digest));
    let alerts: Vec<String> = digest.unmapped.iter().map(|name| text::line(name, 80)).collect();
    message.lines.extend(listed(&alerts, MOST_ALERTS, ", ").map(|names| {
        format!("Alerts that belong to no service: {names}. Say in `alerts` whose they are, or label them.")
    }));
    message.lines.extend(digest.proposals.iter().map(proposal));
    message.links.push(Link { label: "Measures".into(), url: measures(reader) });
    message
}

fn measures(reader: Reader<'_>) -> String {
    format!("{}/measures?service={}", reader.settings.public_url, reader.service.id)
}

/// `time to resolve, median, 35 min (was 50 min)`
fn moved(one: &Moved) -> String {
    let unit = one.measure.unit;
    let name = one.measure.name.trim_end_matches("_median").replace('_', " ");
    format!("{name} {} (was {})", unit.words(one.now), unit.words(one.before))
}

/// What kept windows waiting.
fn stalls(digest: &Digest) -> Option<String> {
    let failed = digest.week.stalled.iter().map(|(environment, times)| format!("{environment} {times}"));
    let failed: Vec<String> = failed.collect();
    let failed =
        (!failed.is_empty()).then(|| format!("deployments that failed or were aborted: {}", failed.join(", ")));
    let paused =
        (digest.pauses > 0).then(|| format!("the pipeline was paused {}", count(digest.pauses, "time", "times")));
    let waited = digest.week.ages.p90().filter(|age| age.n >= 86_400);
    let waited = waited.map(|age| format!("changes waited up to {}", crate::measures::Unit::Seconds.words(age)));
    let all: Vec<String> = failed.into_iter().chain(paused).chain(waited).collect();
    (!all.is_empty()).then(|| format!("What held changes up: {}.", all.join("; ")))
}

fn proposal(proposal: &Proposal) -> String {
    match proposal {
        Proposal::Up { from, to, hits, judged, most_wrong } => format!(
            "Proposed: `mode = \"{}\"` instead of \"{}\". In five weeks the change that it was stood among the first three suspects in {hits} of {judged} judged incidents, and {}.",
            to.word(),
            from.word(),
            if *most_wrong == 0 { "nobody had a wrong page" } else { "nobody had more than one wrong page in a month" },
        ),
        Proposal::Threshold { from, to, wrong, people } => format!(
            "Proposed: `first_suspect_from = {to}` instead of {from}. In five weeks there were {wrong} wrong pages for {people} who were paged; with it more go to the rotation at once."
        ),
    }
}

/// The first of them, and how many more there are.
fn listed(all: &[String], most: usize, between: &str) -> Option<String> {
    let shown = all.get(..most).unwrap_or(all);
    let more = all.len() - shown.len();
    let text = shown.join(between);
    (!all.is_empty()).then(|| if more == 0 { text } else { format!("{text} and {more} more") })
}
