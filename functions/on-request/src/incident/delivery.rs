//! What became of a page on its way: accepted, withdrawn, or still in the outbox. One that waits for more than a minute is
//! a dead letter until somebody takes it, and is said loudly.

use domain::{Entry, Incident, Kind, Outgoing, PageRecord, Reason, Subject};
use jiff::{SignedDuration, Timestamp};

use super::Scene;
use crate::hours::Hours;

/// A page may be under way for so long.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(1);

/// What became of one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delivery {
    Accepted {
        receiver: String,
    },
    /// Not sent, and why that need not be.
    Withdrawn {
        why: String,
    },
    UnderWay,
    Undelivered {
        since: Timestamp,
        tries: u32,
        why: Option<String>,
    },
    /// It left the outbox, and the log does not reach so far.
    Gone,
}

impl Delivery {
    pub(crate) fn of(scene: Scene<'_>, incident: &Incident, page: &PageRecord) -> Self {
        let waiting: Vec<&Outgoing> = scene.outbox.iter().filter(|o| is_of(o, incident, page)).collect();
        let Some(since) = waiting.iter().map(|o| o.message.decided_at).min() else {
            return Self::from_log(scene, incident, page);
        };
        if scene.hours.now <= since + UNDER_WAY {
            return Self::UnderWay;
        }
        let tries = waiting.iter().map(|o| o.tries).sum();
        let failed = said(scene, incident, page, since).find(|e| matches!(e.reason, Reason::NoContactAccepted { .. }));
        Self::Undelivered { since, tries, why: failed.map(|entry| entry.reason.to_string()) }
    }

    fn from_log(scene: Scene<'_>, incident: &Incident, page: &PageRecord) -> Self {
        let sent = |entry: &&Entry| !matches!(entry.reason, Reason::NoContactAccepted { .. }) && is_end(entry);
        match said(scene, incident, page, page.last_at()).find(sent).map(|entry| &entry.reason) {
            Some(Reason::AcceptedBy { receiver }) => Self::Accepted { receiver: receiver.clone() },
            Some(reason) => Self::Withdrawn { why: reason.to_string() },
            None => Self::Gone,
        }
    }

    pub(crate) fn is_bad(&self) -> bool {
        matches!(self, Self::Undelivered { .. })
    }

    /// Whether a receiver took it, where that is known.
    pub(crate) fn arrived(&self) -> Option<bool> {
        match self {
            Self::Accepted { .. } => Some(true),
            Self::Undelivered { .. } => Some(false),
            Self::Withdrawn { .. } | Self::UnderWay | Self::Gone => None,
        }
    }

    pub(crate) fn words(&self, hours: &Hours) -> String {
        match self {
            Self::Accepted { receiver } => format!("accepted by {receiver}"),
            Self::Withdrawn { why } => format!("withdrawn: {why}"),
            Self::UnderWay => "under way".to_owned(),
            Self::Undelivered { since, tries, why } => {
                let tries = domain::text::count(usize::try_from(*tries).unwrap_or(usize::MAX), "try", "tries");
                let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                format!("NOT DELIVERED since {}, {tries}{why}", hours.at(*since))
            }
            Self::Gone => "sent".to_owned(),
        }
    }
}

fn is_of(outgoing: &Outgoing, incident: &Incident, page: &PageRecord) -> bool {
    let message = &outgoing.message;
    message.kind == Kind::Page
        && message.key.subject == Subject::Incident(incident.id.clone())
        && (&message.key.person, message.key.step) == (&page.person, page.step)
        && (page.at..=page.last_at()).contains(&message.decided_at)
}

/// What the log says of this person's pages since then, newest first.
fn said<'a>(
    scene: Scene<'a>,
    incident: &Incident,
    page: &'a PageRecord,
    since: Timestamp,
) -> impl Iterator<Item = &'a Entry> {
    let ours =
        move |e: &&Entry| e.person.as_ref() == Some(&page.person) && e.at >= since && e.what.starts_with("page to ");
    scene.log_of(incident).filter(ours)
}

/// Not the line that says that it was decided, whose title comes after the name at once.
fn is_end(entry: &Entry) -> bool {
    let person = entry.person.as_ref().map_or("", |person| person.as_str());
    let rest = entry.what.strip_prefix("page to ").and_then(|rest| rest.strip_prefix(person)).unwrap_or("");
    rest.starts_with(' ')
}
