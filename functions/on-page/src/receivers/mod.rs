//! The receivers: each takes a message to a person in its own way. To add one: a file here, an arm below, its kind in
//! `aws::receiver`, its fake in `tests/tests/whole/receivers`.

mod atlassian;
mod email;
mod email_body;
#[cfg(test)]
mod example;
mod goalert;
mod gsm;
mod jira_service_management;
mod opsgenie;
mod pager;
mod pagerduty;
mod pagerduty_events;
mod post;
mod slack;
mod sms;
#[cfg(test)]
mod strangers;
mod teams;
pub mod terminal;
pub mod webhook;

use aws::House;
use aws::clients::HttpError;
use aws::receiver::{ReceiverConfig, ReceiverKind};
use aws::secrets::{Secret, SecretError};
use aws::signed::Unsignable;
use domain::message::Link;
use domain::{Contact, Kind, Message};

use crate::offers::Offer;

/// Why a receiver did not take a message; the person's next contact is tried.
#[derive(Debug, thiserror::Error)]
pub enum Undelivered {
    #[error("there is no terminal here")]
    NoTerminal,
    #[error("it cannot be printed")]
    Terminal(#[source] std::io::Error),
    #[error("no receiver of this name is configured")]
    NotConfigured,
    #[error("its secret cannot be read")]
    Secret(#[source] SecretError),
    #[error("its configuration lacks a secret")]
    NoSecret,
    #[error("there is no AWS account to send it by")]
    NoAccount,
    #[error("the request cannot be signed")]
    Unsignable(#[source] Unsignable),
    #[error("it cannot be reached")]
    Http(#[source] HttpError),
    #[error("it answered {0}")]
    Status(u16),
    /// It knows nobody by the contact's address: a mistake of the roster.
    #[error("it knows nobody by this address")]
    UnknownPerson,
    #[error("it refused: {0}")]
    Refused(String),
    #[error("it asks to be left alone for {0} s")]
    LimitedFor(u64),
}

impl Undelivered {
    /// A refusal in the receiver's own words, of which little is kept.
    fn refused(why: &str) -> Self {
        Self::Refused(domain::text::line(why, 120))
    }
}

/// One message on its way to one contact.
#[derive(Clone, Copy)]
pub struct Letter<'a> {
    pub house: &'a House,
    pub receiver: &'a ReceiverConfig,
    /// The person's account, number or address there.
    pub address: &'a str,
    pub message: &'a Message,
    /// What this person can do about it, by links of their own.
    pub actions: &'a [Link],
    /// The same, for a chat that has buttons.
    pub offers: &'a [Offer],
}

impl Letter<'_> {
    /// The receiver's secret.
    fn secret(&self) -> Result<Secret, Undelivered> {
        let name = self.receiver.secret.as_ref().ok_or(Undelivered::NoSecret)?;
        self.house.secrets.first(name).map_err(Undelivered::Secret)
    }
}

/// Sends a message to one contact. `offers`: what this person can do about it.
pub async fn send(house: &House, contact: &Contact, message: &Message, offers: &[Offer]) -> Result<(), Undelivered> {
    let receiver = house.configuration.receivers.get(&contact.receiver).ok_or(Undelivered::NotConfigured)?;
    // A link acts for one person: in a channel there is none, only buttons, which act for whoever presses.
    let anybodys = house.settings().is_channel(&message.key.person);
    let actions: Vec<Link> =
        if anybodys { Vec::new() } else { offers.iter().map(|offer| offer.link.clone()).collect() };
    let letter = Letter { house, receiver, address: &contact.address, message, actions: &actions, offers };
    if message.kind != Kind::Update {
        return send_one(&letter).await;
    }
    for message in message.of_each_repeat() {
        send_one(&Letter { message: &message, ..letter }).await?;
    }
    Ok(())
}

async fn send_one(letter: &Letter<'_>) -> Result<(), Undelivered> {
    match letter.receiver.kind {
        ReceiverKind::Terminal => terminal::send(letter),
        ReceiverKind::Webhook => webhook::send(letter).await,
        ReceiverKind::PagerDuty => pagerduty::send(letter).await,
        ReceiverKind::PagerDutyEvents => pagerduty_events::send(letter).await,
        ReceiverKind::Opsgenie => opsgenie::send(letter).await,
        ReceiverKind::JiraServiceManagement => jira_service_management::send(letter).await,
        ReceiverKind::GoAlert => goalert::send(letter).await,
        ReceiverKind::Email => email::send(letter).await,
        ReceiverKind::Sms => sms::send(letter).await,
        ReceiverKind::Slack => slack::send(letter).await,
        ReceiverKind::Teams => teams::send(letter).await,
    }
}
