//! The words of pages, and of what people, channels and pagers hear about an incident. A page says what broke, why you,
//! what changed, how to revert, what happens if you do nothing: in a few lines.

use super::{Reader, headline, reverts};
use crate::Change;
use crate::escalation::Call;
use crate::incident::{Incident, PageRecord};
use crate::message::{Kind, Link, Message, Step, Subject};
use crate::outcome::Judge;
use crate::reason::Reason;
use crate::squad::{Squad, WishReason};
use crate::suspect::Suspect;
use crate::text::{self, count};
use crate::times::{period, span};
use crate::undo::Undos;

/// How long the short form of a page may be, in characters: it has to leave room for a link in a text message.
const MOST_SHORT: usize = 160;

/// A page. `call`: the escalation that it is part of.
#[must_use]
pub fn page(
    reader: Reader<'_>,
    call: &Call<'_>,
    (step, reason): (Step, &Reason),
    changes: &[&Change],
    undos: &Undos,
) -> Message {
    let incident = call.incident;
    let subject = Subject::Incident(incident.id.clone());
    let mut message = reader.message(subject, step, Kind::Page, incident.severity, reason.clone());
    message.title = headline(incident);
    message.lines.push(what_broke(reader, incident));
    message.lines.extend(again(incident, reason));
    message.lines.push(why_you(reader, incident, step, reason));
    message.lines.extend(what_changed(reader, &incident.suspects));
    if let Some(change) = first_suspect(incident, changes) {
        let asked = undos.get(&change.id).map(|known| reverts::stands(reader, &known.value));
        message.lines.push(asked.unwrap_or_else(|| reader.way_back(change)));
        message.revert = reader.one_click(change);
    }
    message.lines.push(what_next(reader, call));
    message.links = page_links(reader, incident);
    message.short = short(incident, reader, step);
    message
}

/// The first suspect that nothing has taken back yet.
fn first_suspect<'a>(incident: &Incident, changes: &[&'a Change]) -> Option<&'a Change> {
    let first = incident.suspects.iter().find(|s| !incident.is_taken_back(&s.change))?;
    changes.iter().find(|change| change.id == first.change).copied()
}

fn what_broke(reader: Reader<'_>, incident: &Incident) -> String {
    let summary = incident.headline().map(|a| a.summary.as_str()).filter(|s| !s.is_empty());
    let since = reader.time(incident.began_at);
    let more = incident.alerts().saturating_sub(1);
    let others =
        if more == 0 { String::new() } else { format!(" {} with it.", count(more, "more alert", "more alerts")) };
    match summary {
        Some(summary) => format!("{summary}, since {since}.{others}"),
        None => format!("Firing since {since}.{others}"),
    }
}

/// Why it is told once more, where it is.
fn again(incident: &Incident, reason: &Reason) -> Option<String> {
    if matches!(reason, Reason::StillUnacknowledged { .. }) {
        return Some(format!("Asked again: {reason}."));
    }
    let told_below = matches!(reason, Reason::AcknowledgementStale { .. } | Reason::Worsened);
    let why = incident.round_why.as_ref().filter(|_| !told_below)?;
    Some(format!("Once more: {why}."))
}

fn why_you(reader: Reader<'_>, incident: &Incident, step: Step, reason: &Reason) -> String {
    let suspect = incident.suspect_of(reader.person);
    match (step, suspect) {
        (_, _) if matches!(reason, Reason::AcknowledgementStale { .. }) => {
            format!("Why you: you took it, {reason}. Still at it? Acknowledge again.")
        }
        (_, _) if matches!(reason, Reason::Worsened) => format!("Why you: you took what was before; {reason}."),
        (Step::FirstResponder | Step::NextResponder | Step::TailResponder, Some(suspect)) => {
            let when = suspect.evidence.first().map_or("", String::as_str);
            let telling = suspect.telling().map_or_else(String::new, |telling| format!("; {telling}"));
            format!("Why you: {}, {when}{telling}.", reader.why(&suspect.because, &suspect.label))
        }
        (Step::FirstResponder, None) => {
            format!("Why you: you have the pager of {} just now.", reader.service.id)
        }
        (Step::Owner, _) => format!("Why you: you own {}; {reason}.", reader.service.id),
        _ => format!("Why you: you are on the rotation; {reason}."),
    }
}

fn what_changed(reader: Reader<'_>, suspects: &[Suspect]) -> Vec<String> {
    if suspects.is_empty() {
        return vec!["What changed: no change went live lately.".to_owned()];
    }
    let list = suspects.iter().enumerate().map(|(i, s)| {
        let who = reader.name(&s.responder);
        let title = if s.title.is_empty() { String::new() } else { format!(" {}", s.title) };
        let likely = s.percent().map_or_else(String::new, |percent| format!("about {percent} %: "));
        format!("  {}. {}{title} ({who}; {likely}{})", i + 1, s.label, s.evidence.join(", "))
    });
    std::iter::once("What changed:".to_owned()).chain(list).collect()
}

/// Who was paged before, who said that it is not theirs, and who is next.
fn what_next(reader: Reader<'_>, call: &Call<'_>) -> String {
    let incident = call.incident;
    let name = |person| reader.settings.roster.name_of(person);
    let mut others: Vec<&str> = Vec::new();
    for page in incident.pages.iter().filter(|p| p.person != *reader.person) {
        let who = name(&page.person);
        if !others.contains(&who) && incident.not_mine.iter().all(|said| said.person != page.person) {
            others.push(who);
        }
    }
    let mut said = Vec::new();
    if !others.is_empty() {
        said.push(format!("Paged before you, no answer: {}.", others.join(", ")));
    }
    let not_mine: Vec<&str> = incident.not_mine.iter().map(|said| name(&said.person)).collect();
    if !not_mine.is_empty() {
        said.push(format!("Not theirs, they say: {}.", not_mine.join(", ")));
    }
    match call.next_rung(reader.person) {
        Some(next) if next.at > reader.now => {
            let by = reader.time(next.at);
            said.push(format!(
                "Cannot take it? Leave it: without an acknowledgement by {by}, {} is paged. Not yours? Say so by the link.",
                name(&next.person)
            ));
        }
        Some(next) if said.is_empty() => said.push(format!("{} is paged in the same moment.", name(&next.person))),
        None if said.is_empty() => {
            said.push("You are the first to be paged, and there is nobody after you.".to_owned())
        }
        Some(_) | None => {}
    }
    said.join(" ")
}

fn page_links(reader: Reader<'_>, incident: &Incident) -> Vec<Link> {
    let mut links = vec![reader.incident_link(incident)];
    let alert = incident.headline().and_then(|a| a.url.clone());
    for (label, url) in
        [("Alert", alert), ("Runbook", reader.service.runbook.clone()), ("Dashboard", reader.service.dashboard.clone())]
    {
        links.extend(url.map(|url| Link { label: label.to_owned(), url }));
    }
    links
}

/// `[critical] edxapp production: HighErrorRate. You: edx-platform#12, live 10 min before the alert`
fn short(incident: &Incident, reader: Reader<'_>, step: Step) -> String {
    let own = incident.suspect_of(reader.person);
    let why = match (own, step) {
        (Some(s), Step::FirstResponder | Step::NextResponder | Step::TailResponder) => {
            format!("You: {}, {}", s.label, s.evidence.first().map_or("", String::as_str))
        }
        (_, Step::Owner) => "You own it, nobody answered".to_owned(),
        (_, Step::FirstResponder) => "You have the pager".to_owned(),
        _ => "You are on the rotation".to_owned(),
    };
    text::line(&format!("{}. {why}", headline(incident)), MOST_SHORT)
}

/// Adds to a page what else is broken by the same change.
pub fn name_too<'a>(page: &mut Message, others: impl Iterator<Item = &'a Incident>) {
    let named: Vec<String> = others.map(headline).collect();
    if !named.is_empty() {
        page.title = format!("{} (+ {} more)", page.title, named.len());
        page.lines.insert(0, format!("The same change broke: {}.", named.join("; ")));
    }
}

/// What somebody hears who was paged a moment ago for another service, by the same change.
#[must_use]
pub fn also_broken(reader: Reader<'_>, incident: &Incident, paged_for: &Incident) -> Message {
    let subject = Subject::Incident(incident.id.clone());
    let reason = Reason::NamedTogether { incident: paged_for.id.clone() };
    let mut message = reader.message(subject, Step::AlsoBroken, Kind::Notice, incident.severity, reason);
    message.key.nth = incident.round;
    message.title = format!("Also broken: {}", headline(incident));
    message.lines.push(what_broke(reader, incident));
    message.lines.push(format!("By the change for which you were paged: {}.", headline(paged_for)));
    message.lines.push("Acknowledging one of them acknowledges both.".to_owned());
    message.links = page_links(reader, incident);
    message
}

/// What those who were paged hear when somebody else acknowledges, or when it is over.
#[must_use]
pub fn notice(reader: Reader<'_>, incident: &Incident, step: Step, reason: Reason) -> Message {
    let subject = Subject::Incident(incident.id.clone());
    let mut message = reader.message(subject, step, Kind::Notice, incident.severity, reason);
    let last = incident.acknowledged.iter().max_by_key(|ack| ack.at);
    let acknowledged = last.map(|ack| {
        let after = span(ack.at.duration_since(incident.detected_at));
        format!("{} acknowledged after {after}.", ack.name(&reader.settings.roster))
    });
    if step == Step::Resolved {
        let at = incident.resolved_at.unwrap_or(reader.now);
        message.title = format!("Resolved: {}", headline(incident));
        message.lines.push(format!(
            "{}, {}. {}",
            period(incident.began_at, at, &reader.settings.roster.zone_of(reader.person)),
            span(at.duration_since(incident.began_at)),
            acknowledged.unwrap_or_else(|| "Nobody acknowledged.".to_owned()),
        ));
        message.lines.extend(what_it_was(reader, incident));
    } else {
        message.title = format!("Taken: {}", headline(incident));
        message.lines.push(format!("{} You need not act.", acknowledged.unwrap_or_default()));
    }
    message
}

fn what_it_was(reader: Reader<'_>, incident: &Incident) -> Option<String> {
    let verdict = incident.verdict.as_ref()?;
    let by = match &verdict.by {
        Judge::Revert => "by its revert".to_owned(),
        Judge::Person(person) | Judge::Guess(person) => format!("says {}", reader.settings.roster.name_of(person)),
    };
    Some(format!("It was {}, {by}.", verdict.label))
}

/// What a channel hears: that something broke, then who was paged since, or why nobody is.
#[must_use]
pub fn to_channel(reader: Reader<'_>, incident: &Incident, before: &Incident, changes: &[&Change]) -> Message {
    let first = incident.channel_said == 0;
    let step = if first { Step::Opened } else { Step::Escalated };
    let reason = incident.held.as_ref().map(|hold| hold.reason.clone());
    let reason = reason.or_else(|| incident.pages.last().map(|page| page.reason.clone()));
    let reason = reason.unwrap_or(Reason::IncidentOpened { alerts: incident.alerts() });
    let subject = Subject::Incident(incident.id.clone());
    let mut message = reader.message(subject, step, Kind::Notice, incident.severity, reason);
    message.key.nth = incident.channel_said;
    message.title = headline(incident);
    if first {
        message.lines.push(what_broke(reader, incident));
    }
    if incident.round != before.round
        && let Some(why) = &incident.round_why
    {
        message.lines.push(format!("Once more: {why}."));
    }
    let fresh = incident.pages.iter().filter(|page| !before.has_page(page));
    for page in fresh {
        let again = if page.again > 0 { " again" } else { "" };
        message.lines.push(format!(
            "Paged{again}: {} ({}).",
            reader.settings.roster.name_of(&page.person),
            page.reason
        ));
    }
    if let Some(hold) = &incident.held {
        message.lines.push(format!("Nobody is paged: {}.", hold.reason));
    }
    if first {
        message.lines.extend(what_changed(reader, &incident.suspects));
        message.links = page_links(reader, incident);
        message.revert = first_suspect(incident, changes).and_then(|change| reader.one_click(change));
    }
    message
}

/// What became of a page, for the pagers that keep it open.
#[must_use]
pub fn update(reader: Reader<'_>, incident: &Incident, page: &PageRecord, step: Step, reason: Reason) -> Message {
    let subject = Subject::Incident(incident.id.clone());
    let mut message = reader.message(subject, step, Kind::Update, incident.severity, reason.clone());
    message.key.nth = if step == Step::PagerAcknowledged { incident.taken_said } else { page.nth() };
    message.pager_key = Some(incident.pager_key(reader.person, page.round));
    message.again = page.again;
    message.title = headline(incident);
    message.lines.push(format!("Recent Deployers: {reason}."));
    message
}

/// To a member of a squad: something broke that the squad wishes to hear of.
#[must_use]
pub fn squad_hears(
    reader: Reader<'_>,
    incident: &Incident,
    squad: &Squad,
    touching: &[String],
    wish: WishReason,
) -> Message {
    let subject = Subject::Incident(incident.id.clone());
    let reason = Reason::SquadWish { squad: squad.id.clone(), wish };
    let mut message = reader.message(subject, Step::SquadHears, Kind::Notice, incident.severity, reason);
    message.title = headline(incident);
    message.lines.push(what_broke(reader, incident));
    if !touching.is_empty() {
        message.lines.push(format!("It may be {}, which touches code of {}.", touching.join(" or "), squad.name));
    }
    let paged: Vec<&str> = incident.pages.iter().map(|p| reader.settings.roster.name_of(&p.person)).collect();
    let who =
        if paged.is_empty() { "Nobody is paged yet.".to_owned() } else { format!("Paged: {}.", paged.join(", ")) };
    message.lines.push(format!("{who} You need not act. You hear of it as one of {}: {wish}.", squad.name));
    message.links.push(reader.incident_link(incident));
    message
}
