//! The receivers: each takes a message to a person in its own way. To add one: a file here, an arm below, and
//! the contact in `domain::roster`.

pub mod terminal;
pub mod webhook;

use aws::House;
use aws::clients::HttpError;
use aws::secrets::SecretError;
use domain::message::Link;
use domain::{Contact, Message};

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
    #[error("it cannot be reached")]
    Http(#[source] HttpError),
    #[error("it answered {0}")]
    Status(u16),
}

/// Sends a message to one contact. `actions`: what this person can do about it, by links of their own.
pub async fn send(house: &House, contact: &Contact, message: &Message, actions: &[Link]) -> Result<(), Undelivered> {
    match contact {
        Contact::Terminal => terminal::send(house, message, actions),
        Contact::Webhook(name) => webhook::send(house, name, message, actions).await,
    }
}

/// How a contact is called in the log.
#[must_use]
pub fn name(contact: &Contact) -> String {
    match contact {
        Contact::Terminal => "terminal".to_owned(),
        Contact::Webhook(name) => format!("webhook:{name}"),
    }
}
