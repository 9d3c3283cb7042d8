//! The words of every page and notice. Times are the reader's own; lines are few; nothing is said twice.
//!
//! [`incidents`] has pages and what is said about incidents, [`turns`] the notices of a change's life, [`hands`] what
//! is asked of people and told when responsibility moves. Here is what they share.

pub mod autopilot;
pub mod comments;
pub mod digests;
pub mod expedites;
pub mod freezes;
pub mod hands;
pub mod incidents;
pub mod markdown;
pub mod modes;
pub mod pipelines;
pub mod queues;
pub mod reverts;
pub mod turns;

use jiff::Timestamp;

use crate::PersonId;
use crate::alert::Severity;
use crate::because::Because;
use crate::change::{Change, ChangeKind};
use crate::ids::ChangeId;
use crate::incident::Incident;
use crate::message::{Kind, Link, Message, MessageKey, Step, Subject};
use crate::reason::Reason;
use crate::service::Service;
use crate::settings::Settings;
use crate::times::time;
use crate::undo;

/// What an incident was, where it was no change.
pub const NO_CHANGE: &str = "no change of ours";

/// `[critical] edxapp production: HighErrorRate`
#[must_use]
pub fn headline(incident: &Incident) -> String {
    let what = incident.headline().map_or("an alert", |a| a.name.as_str());
    format!("[{}] {} {}: {what}", incident.severity.word(), incident.service, incident.environment)
}

/// How to take a change back without us: the forge's button where there is one, else the command.
fn by_hand(change: &Change) -> String {
    let commit = change.id.commit.short();
    match (change.kind, change.url.as_deref()) {
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

    /// How to take a change back: by one click where we may open the pull request.
    fn way_back(&self, change: &Change) -> String {
        if undo::can_open(self.settings, change) {
            return format!(
                "Revert: press Revert, which opens the pull request, once. By hand: git revert {}",
                change.id.commit.short()
            );
        }
        by_hand(change)
    }

    /// The change, where it can be taken back by one click.
    fn one_click(&self, change: &Change) -> Option<ChangeId> {
        undo::can_open(self.settings, change).then(|| change.id.clone())
    }

    fn who<'b>(&'b self, person: &'b PersonId) -> &'b str {
        if person == self.person { "You" } else { self.settings.roster.name_of(person) }
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
            not_by: None,
            unless: None,
            ends: None,
            again: 0,
            revert: None,
            reason,
            decided_at: self.now,
        }
    }
}
