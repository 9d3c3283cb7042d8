//! What Opsgenie and its successor, Jira Service Management, have in common: an alert with one user as its responder,
//! made asynchronously, known by its alias. What differs is in a file each.
//!
//! That they accept an alert says little: it is made later, a user whom they do not know is left out of it without a
//! word, and a key that belongs to a team's integration puts that team in the user's place. So they are asked for a
//! moment what became of the request and whether the alert has a user: one request more than its outcome takes. To ask
//! for the user beforehand takes as many, needs more rights, and does not see the team.

mod alert;
mod api;

#[cfg(test)]
pub(super) use alert::sample;
pub(super) use alert::{alert, alias, note};
pub(super) use api::{Api, data, encoded, read, text};

use domain::{Kind, Message, Step};

use super::Undelivered;

/// What is to be done with the alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Open,
    /// The word by which both know it: `acknowledge`, `close`.
    Tell(&'static str),
}

impl Act {
    /// A notice wakes nobody, so it is not for them.
    pub(super) fn of(message: &Message) -> Result<Self, Undelivered> {
        match message.kind {
            Kind::Page => Ok(Self::Open),
            Kind::Update if message.key.step == Step::PagerResolved => Ok(Self::Tell("close")),
            Kind::Update => Ok(Self::Tell("acknowledge")),
            Kind::Notice => Err(Undelivered::refused("it is for pages only")),
        }
    }
}
