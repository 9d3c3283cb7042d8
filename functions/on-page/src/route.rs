//! In which order the contacts of a person are tried, and which are not.

use std::collections::BTreeMap;

use aws::receiver::{ReceiverConfig, ReceiverKind};
use domain::mode::Sends;
use domain::{Contact, Kind, Message};

/// One contact to be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop<'a> {
    /// Its place in the person's list.
    pub place: usize,
    pub contact: &'a Contact,
}

/// The contacts for a message, in the order in which they are tried.
///
/// What became of a page goes to those that keep pages, to all of them. A notice wakes nobody: what is for pages only
/// is left out, and so is a pager that pages this person itself. Where the service only notifies, chats are left. A page begins with the first; asked again, with the next. What was being tried when a delivery died,
/// and may have been sent, comes last, unless its receiver knows repetitions.
pub(super) fn route<'a>(
    contacts: &'a [Contact],
    receivers: &BTreeMap<String, ReceiverConfig>,
    message: &Message,
    by: Sends,
    died_at: Option<usize>,
) -> Vec<Stop<'a>> {
    let kind = |contact: &Contact| receivers.get(&contact.receiver).map(|r| r.kind);
    let pages_only = |contact: &Contact| kind(contact).is_some_and(|k| k.traits().pages_only);
    let left_out = |contact: &Contact| message.not_by.as_ref() == Some(&contact.receiver);
    let all = contacts.iter().enumerate().map(|(place, contact)| Stop { place, contact });
    let chat = |contact: &Contact| kind(contact).is_some_and(ReceiverKind::is_chat);
    let all = all.filter(|stop| !left_out(stop.contact) && (by == Sends::ByAll || chat(stop.contact)));
    let mut stops: Vec<Stop<'a>> = match message.kind {
        Kind::Page => all.collect(),
        Kind::Notice => all.filter(|stop| !pages_only(stop.contact)).collect(),
        Kind::Update => all.filter(|stop| stop.contact.keeps).collect(),
    };
    if message.kind == Kind::Page && !stops.is_empty() {
        let by = usize::try_from(message.again).unwrap_or(0) % stops.len();
        stops.rotate_left(by);
    }
    let repeats = |stop: &Stop<'_>| kind(stop.contact).is_some_and(|k: ReceiverKind| k.traits().knows_repeats);
    if let Some(at) = stops.iter().position(|stop| Some(stop.place) == died_at && !repeats(stop)) {
        let died = stops.remove(at);
        stops.push(died);
    }
    stops
}

#[cfg(test)]
mod tests {
    use aws::receiver::ReceiverKind;
    use domain::{MessageKey, Reason, Severity, Step, Subject};

    use super::*;

    fn order(kind: Kind, by: Sends, again: u32, died_at: Option<usize>) -> String {
        let receiver = |kind: ReceiverKind| {
            let config = ReceiverConfig { name: kind.word().to_owned(), kind, ..ReceiverConfig::terminal() };
            (config.name.clone(), config)
        };
        let kinds = [ReceiverKind::Slack, ReceiverKind::Opsgenie, ReceiverKind::Sms, ReceiverKind::Email];
        let receivers = kinds.map(receiver).into();
        let contacts = kinds.map(|kind| Contact {
            receiver: kind.word().to_owned(),
            address: String::new(),
            keeps: kind.traits().keeps,
        });
        let message = Message {
            key: MessageKey {
                service: "edxapp".parse().unwrap(),
                subject: Subject::Service,
                person: "anna".parse().unwrap(),
                step: Step::Rotation,
                nth: 0,
            },
            kind,
            severity: Severity::Critical,
            title: String::new(),
            lines: Vec::new(),
            links: Vec::new(),
            short: String::new(),
            pager_key: None,
            not_by: (again == 7).then(|| "opsgenie".to_owned()),
            unless: None,
            ends: None,
            again,
            revert: None,
            reason: Reason::NoSuspect,
            decided_at: jiff::Timestamp::UNIX_EPOCH,
        };
        let stops = route(&contacts, &receivers, &message, by, died_at);
        stops.iter().map(|stop| stop.contact.receiver.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn contacts_are_tried_in_their_order_save_where_that_would_wake_or_repeat() {
        for (kind, again, died_at, want) in [
            (Kind::Page, 0, None, "slack opsgenie sms email"),
            (Kind::Page, 1, None, "opsgenie sms email slack"),
            (Kind::Page, 5, None, "opsgenie sms email slack"),
            (Kind::Page, 0, Some(0), "opsgenie sms email slack"),
            (Kind::Page, 0, Some(1), "slack opsgenie sms email"),
            (Kind::Page, 0, Some(2), "slack opsgenie email sms"),
            (Kind::Page, 0, Some(9), "slack opsgenie sms email"),
            (Kind::Page, 7, None, "sms email slack"),
            (Kind::Notice, 0, None, "slack email"),
            (Kind::Notice, 1, None, "slack email"),
            (Kind::Update, 0, None, "opsgenie"),
        ] {
            assert_eq!(order(kind, Sends::ByAll, again, died_at), want, "{kind:?} {again} {died_at:?}");
        }
        for kind in [Kind::Page, Kind::Notice] {
            assert_eq!(order(kind, Sends::ByChat, 0, None), "slack", "{kind:?}");
        }
    }
}
