//! SNS says a person must be told. The last moment to see that the message is no longer true.

use jiff::{SignedDuration, Timestamp};

use crate::incident::Incident;
use crate::message::{Kind, Outgoing};
use crate::reason::Reason;

/// How long one delivery may hold a message before another may try: longer than any receiver's deadline.
pub const CLAIM: SignedDuration = SignedDuration::from_secs(60);

/// What to do with a message that arrived from the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    Send,
    /// Another delivery is at it, or has done it: leave it alone.
    Leave(Reason),
    /// It is no longer true: take it out of the outbox.
    Withdraw(Reason),
}

/// Decides on delivery. `outgoing` is what the outbox holds now, `incident` what the page is about.
#[must_use]
pub fn decide(outgoing: Option<&Outgoing>, incident: Option<&Incident>, now: Timestamp) -> Delivery {
    let Some(outgoing) = outgoing else {
        return Delivery::Leave(Reason::AlreadyAccepted);
    };
    if outgoing.claimed_at.is_some_and(|at| now < at + CLAIM) {
        return Delivery::Leave(Reason::DeliveryUnderWay);
    }
    match (outgoing.message.kind, incident) {
        (Kind::Page, Some(incident)) => match (incident.resolved_at, incident.acknowledged.first()) {
            (Some(at), _) => Delivery::Withdraw(Reason::ResolvedAt { at }),
            (None, Some(ack)) => Delivery::Withdraw(Reason::AcknowledgedBy { person: ack.person.clone() }),
            (None, None) => Delivery::Send,
        },
        (Kind::Page, None) | (Kind::Notice, _) => Delivery::Send,
    }
}
