//! The words of every page and notice. Times are the reader's own; lines are few; nothing is said twice.
//!
//! Here are pages and what is said about incidents; [`turns`] has the notices of a change's life, [`hands`] what is
//! asked of people and told when responsibility moves.

pub mod hands;
pub mod turns;

use jiff::Timestamp;

use crate::alert::Severity;
use crate::because::Because;
use crate::change::ChangeKind;
use crate::escalation::rotation_due_at;
use crate::incident::Incident;
use crate::message::{Kind, Link, Message, MessageKey, Step, Subject};
use crate::reason::Reason;
use crate::service::Service;
use crate::settings::Settings;
use crate::suspect::Suspect;
use crate::text::count;
use crate::times::{period, span, time};
use crate::{Change, PersonId};

/// `[critical] edxapp production: HighErrorRate`
#[must_use]
pub fn headline(incident: &Incident) -> String {
    let what = incident.headline().map_or("an alert", |a| a.name.as_str());
    format!("[{}] {} {}: {what}", incident.severity.word(), incident.service, incident.environment)
}

/// How to take a change back: the forge's button where there is one, else the command.
#[must_use]
pub fn revert(change_url: Option<&str>, kind: ChangeKind, commit: &str) -> String {
    match (kind, change_url) {
        (ChangeKind::PullRequest { .. }, Some(url)) => format!("Revert: press Revert on {url}"),
        (ChangeKind::PullRequest { .. } | ChangeKind::DirectPush, _) => format!("Revert: git revert {commit}"),
    }
}

/// Everything the wording needs besides the thing it words.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    pub settings: &'a Settings,
    pub service: &'a Service,
    pub person: &'a PersonId,
    pub now: Timestamp,
}

impl Reader<'_> {
    fn time(&self, at: Timestamp) -> String {
        time(at, &self.settings.roster.zone_of(self.person), self.now)
    }

    fn name<'b>(&'b self, person: &'b PersonId) -> &'b str {
        if person == self.person { "you" } else { self.settings.roster.name_of(person) }
    }

    /// Why the reader answers, as a clause: `you merged edx-platform#12`.
    fn why(&self, because: &Because, what: &str) -> String {
        because.you(what, |person| self.settings.roster.name_of(person).to_owned())
    }

    fn incident_link(&self, incident: &Incident) -> Link {
        let url = format!("{}/incidents/{}", self.settings.public_url, incident.id);
        Link { label: "Board".to_owned(), url }
    }

    fn board(&self) -> Link {
        Link { label: "Board".to_owned(), url: format!("{}/#{}", self.settings.public_url, self.service.id) }
    }

    fn message(&self, subject: Subject, step: Step, kind: Kind, severity: Severity, reason: Reason) -> Message {
        Message {
            key: MessageKey { service: self.service.id.clone(), subject, person: self.person.clone(), step, nth: 0 },
            kind,
            severity,
            title: String::new(),
            lines: Vec::new(),
            links: Vec::new(),
            short: String::new(),
            pager_key: None,
            reason,
            decided_at: self.now,
        }
    }
}

/// A page: what broke, why you, what changed, how to revert, what happens if you do nothing.
#[must_use]
pub fn page(reader: Reader<'_>, incident: &Incident, step: Step, reason: &Reason, changes: &[&Change]) -> Message {
    let subject = Subject::Incident(incident.id.clone());
    let mut message = reader.message(subject, step, Kind::Page, incident.severity, reason.clone());
    message.title = headline(incident);
    message.lines.push(what_broke(reader, incident));
    message.lines.push(why_you(reader, incident, step, reason));
    message.lines.extend(what_changed(reader, &incident.suspects));
    let first = incident.suspects.first().and_then(|s| changes.iter().find(|c| c.id == s.change));
    if let Some(change) = first {
        message.lines.push(revert(change.url.as_deref(), change.kind, change.id.commit.short()));
    }
    message.lines.push(what_next(reader, incident, step));
    message.links = page_links(reader, incident);
    message
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

fn why_you(reader: Reader<'_>, incident: &Incident, step: Step, reason: &Reason) -> String {
    let suspect = incident.suspects.iter().find(|s| s.responder == *reader.person);
    match (step, suspect) {
        (Step::FirstResponder | Step::TailResponder, Some(suspect)) => {
            let when = suspect.evidence.first().map_or("", String::as_str);
            format!("Why you: {}, {when}.", reader.why(&suspect.because, &suspect.label))
        }
        (Step::FirstResponder, None) => {
            format!("Why you: you have the pager of {} just now.", reader.service.id)
        }
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
        format!("  {}. {}{title} ({who}; {})", i + 1, s.label, s.evidence.join(", "))
    });
    std::iter::once("What changed:".to_owned()).chain(list).collect()
}

fn what_next(reader: Reader<'_>, incident: &Incident, step: Step) -> String {
    let others: Vec<&str> = incident
        .pages
        .iter()
        .filter(|p| p.person != *reader.person)
        .map(|p| reader.settings.roster.name_of(&p.person))
        .collect();
    let due = rotation_due_at(incident, reader.service);
    let next = reader.service.rotation.iter().find(|p| *p != reader.person && !incident.was_paged(p));
    match (step, next) {
        (Step::FirstResponder, Some(next)) if due > reader.now => {
            let by = reader.time(incident.detected_at + reader.service.policy.rotation_after);
            format!(
                "Cannot take it? Leave it: without an acknowledgement by {by}, {} is paged.",
                reader.settings.roster.name_of(next)
            )
        }
        _ if others.is_empty() => "You are the first to be paged.".to_owned(),
        _ => format!("Paged before you, no answer: {}.", others.join(", ")),
    }
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

/// What those who were paged hear when somebody else acknowledges, or when it is over.
#[must_use]
pub fn incident_notice(reader: Reader<'_>, incident: &Incident, step: Step, reason: Reason) -> Message {
    let subject = Subject::Incident(incident.id.clone());
    let mut message = reader.message(subject, step, Kind::Notice, incident.severity, reason);
    let acknowledged = incident.acknowledged.first().map(|ack| {
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
    } else {
        message.title = format!("Taken: {}", headline(incident));
        message.lines.push(format!("{} You need not act.", acknowledged.unwrap_or_default()));
    }
    message
}
