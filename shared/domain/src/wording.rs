//! The words of every page and notice. Times are the reader's own; lines are few; nothing is said twice.

use jiff::Timestamp;

use crate::alert::Severity;
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
use crate::window::{Because, Phase, Window};
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

    fn message(&self, subject: Subject, step: Step, kind: Kind, severity: Severity, reason: Reason) -> Message {
        Message {
            key: MessageKey { service: self.service.id.clone(), subject, person: self.person.clone(), step },
            kind,
            severity,
            title: String::new(),
            lines: Vec::new(),
            links: Vec::new(),
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
    let more = incident.alerts.len().saturating_sub(1);
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
            format!("Why you: {}, {when}.", why_suspected(&suspect.because, &suspect.label))
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
    let mut links = vec![Link {
        label: "Board".to_owned(),
        url: format!("{}/incidents/{}", reader.settings.public_url, incident.id),
    }];
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
        format!("{} acknowledged after {after}.", reader.settings.roster.name_of(&ack.person))
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

/// A notice about the reader's window. `ahead`: changes before it in the queue; `with`: others in its release.
#[must_use]
pub fn window_notice(
    reader: Reader<'_>,
    window: &Window<'_>,
    step: Step,
    reason: Reason,
    ahead: usize,
    with: &[String],
) -> Message {
    let change = window.change;
    let subject = Subject::Change(change.id.clone());
    let mut message = reader.message(subject, step, Kind::Notice, Severity::Info, reason);
    let (label, service) = (change.label(), &reader.service.id);
    let live = reader.service.live_environment().map_or("production", |e| e.name.as_str());
    let title = if change.title.is_empty() { String::new() } else { format!("{}. ", quoted(&change.title)) };
    let (headline, lines) = match step {
        Step::Started => (
            format!("Your turn starts: {label} is live in {service} {live}"),
            vec![
                format!("{title}{}", why_responder(&window.responder.because)),
                turn_end(reader, window),
                if with.is_empty() {
                    "It is alone in its release.".to_owned()
                } else {
                    format!("In the same release: {}.", with.join(", "))
                },
                revert(change.url.as_deref(), change.kind, change.id.commit.short()),
            ],
        ),
        Step::EndingSoon => (
            format!("Your turn for {label} in {service} ends soon"),
            vec![format!("{} After that the rotation is paged first.", turn_end(reader, window))],
        ),
        Step::Ended => (
            format!("Your turn for {label} in {service} is over"),
            vec![format!(
                "It stays a suspect for {}, but you are no longer paged first. Thank you.",
                span(reader.service.policy.tail)
            )],
        ),
        Step::StandbyAgain => (
            if window.rolled_back.is_empty() {
                format!("{label} is back on standby: the deployment to {service} {live} failed")
            } else {
                format!("{label} is back on standby: {service} {live} was rolled back")
            },
            vec!["Your turn is off until it goes live again; you will be told.".to_owned()],
        ),
        Step::Receipt
        | Step::FirstResponder
        | Step::Rotation
        | Step::TailResponder
        | Step::Acknowledged
        | Step::Resolved => (
            format!("{label} is merged: you are on standby for {service}"),
            vec![
                format!("{title}{}", why_responder(&window.responder.because)),
                match ahead {
                    0 => "Nothing is ahead of it in the queue.".to_owned(),
                    n => format!("{} ahead of it in the queue.", count(n, "change is", "changes are")),
                },
                format!("You are not paged for it until it is live in {live}; you will be told when your turn starts."),
            ],
        ),
    };
    message.title = headline;
    message.lines = lines;
    message.links.push(Link { label: "Board".to_owned(), url: format!("{}/#{service}", reader.settings.public_url) });
    message
}

fn turn_end(reader: Reader<'_>, window: &Window<'_>) -> String {
    match window.phase {
        Phase::Active { until, settled: true, .. } => format!("You are paged first until {}.", reader.time(until)),
        Phase::Active { until, settled: false, .. } => format!(
            "You are paged first until {} after the deployment succeeds, at the latest until {}.",
            span(reader.service.policy.active),
            reader.time(until)
        ),
        Phase::Standby | Phase::Tail { .. } | Phase::Closed { .. } => "Your turn is over.".to_owned(),
    }
}

/// Why the reader answers for a suspect.
fn why_suspected(because: &Because, label: &str) -> String {
    match because {
        Because::Merged => format!("you merged {label}"),
        Because::Enqueued => format!("you put {label} into the merge queue"),
        Because::Authored => format!("you wrote {label}, which a bot merged"),
        Because::Pushed => format!("you pushed {label}"),
        Because::StandsIn { unknown } => format!("you stand in for {unknown}, who merged {label}"),
    }
}

/// Why the reader answers for the change.
#[must_use]
pub fn why_responder(because: &Because) -> String {
    match because {
        Because::Merged => "You merged it.".to_owned(),
        Because::Enqueued => "You put it into the merge queue.".to_owned(),
        Because::Authored => "A bot merged it and you wrote it.".to_owned(),
        Because::Pushed => "You pushed it.".to_owned(),
        Because::StandsIn { unknown } => {
            format!("{unknown} merged it, an account that nobody in the roster has: you stand in as owner.")
        }
    }
}

fn quoted(title: &str) -> String {
    format!("\u{201c}{title}\u{201d}")
}
