//! A sender: how it proves itself, how its JSON becomes our events, and how it is set up. Each has one file in a
//! function's `senders/`; this is the shape they share.
//!
//! What is configured is a *source*: a sender with a secret of its own, bound to the repositories or services that it
//! may speak for. Its name is the last part of its address.

use crate::house::House;
use crate::settings::SenderConfig;
use crate::sns;
use crate::verify::{self, Signature};
use crate::wire::{HeaderFault, MOST_BYTES, Malformed, Refusal, Request};

/// How a sender proves that it sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It signs with a shared key.
    Signature(Signature),
    /// It signs as Standard Webhooks describes.
    StandardWebhooks,
    /// It sends the secret itself in this header.
    Header(&'static str),
    /// `Authorization: Bearer` or `Basic`: it cannot sign.
    Token,
    /// `?token=` of the address: it can neither sign nor send a header.
    Query,
    /// SNS signs with its certificate, for the topics that the source names.
    Sns,
}

impl Proof {
    /// Whether the request tries to prove itself in this way.
    fn is_offered(self, request: &Request, config: &SenderConfig) -> bool {
        let has = |name: &str| request.header(name) != Err(HeaderFault::Missing);
        match self {
            Self::Signature(signature) => has(signature.header),
            Self::StandardWebhooks => has("webhook-signature"),
            Self::Header(name) => has(name),
            Self::Token => has("authorization"),
            Self::Query => !request.query("token").is_empty(),
            // Delivered raw, a message has no signature; and a source without topics believes none.
            Self::Sns => has("x-amz-sns-message-type") && !has("x-amz-sns-rawdelivery") && !config.topics.is_empty(),
        }
    }

    /// In words, for people who set it up.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Signature(signature) => format!("`{}`, an HMAC-SHA256 of the raw body", canonical(signature.header)),
            Self::StandardWebhooks => "`webhook-signature` (Standard Webhooks)".to_owned(),
            Self::Header(name) => format!("the secret in `{}`", canonical(name)),
            Self::Token => "bearer token, or password of basic auth".to_owned(),
            Self::Query => "`?token=` of the address".to_owned(),
            Self::Sns => "SNS's certificate, for the `topics` named".to_owned(),
        }
    }
}

/// `x-hub-signature-256` as people write it.
fn canonical(header: &str) -> String {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + chars.as_str())
    };
    header.split('-').map(capital).collect::<Vec<_>>().join("-")
}

/// What a sender's message was read into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading<E> {
    Event(E),
    /// Not for us, and why: answered with 200, counted, not stored.
    Ignored(String),
}

impl<E> Reading<E> {
    /// Not for us, and why.
    pub fn ignored(why: impl Into<String>) -> Self {
        Self::Ignored(why.into())
    }

    /// What was read, made into something else.
    pub fn map<T>(self, make: impl FnOnce(E) -> T) -> Reading<T> {
        match self {
            Self::Event(event) => Reading::Event(make(event)),
            Self::Ignored(why) => Reading::Ignored(why),
        }
    }
}

/// How a sender is set up and what is made of it, for the README and for `connect`.
#[derive(Debug, Clone, Copy)]
pub struct Guide {
    /// What people call it: `GitHub`.
    pub title: &'static str,
    /// What to paste where, a step each; `{url}`, `{secret}` and `{url_with_secret}` (the
    /// secret as the password in the address) stand for what is this source's.
    pub steps: &'static [&'static str],
    /// What is read, and what is not.
    pub reads: &'static str,
    pub ignores: &'static str,
    /// Its own documentation.
    pub docs: &'static str,
}

/// One sender of events `E`.
pub struct Sender<E: 'static> {
    /// Its name in the configuration and, unless a source has a name of its own, in the address.
    pub name: &'static str,
    /// The ways in which it can prove itself. What a request offers has to be right; it need offer one only.
    pub proofs: &'static [Proof],
    /// Reads a message. Total: any bytes give an event, a reason to ignore them, or a reason they cannot be read.
    pub parse: fn(&[u8]) -> Result<Reading<E>, Malformed>,
    pub guide: Guide,
}

/// Who sent a request: the first of the five steps is done.
pub struct Verified<'a, E: 'static> {
    pub sender: &'a Sender<E>,
    /// What the configuration calls it.
    pub source: String,
    pub config: &'a SenderConfig,
}

/// The sender a request is addressed to, verified: the first of the five steps.
pub async fn verify<'a, E>(
    house: &'a House,
    senders: &'a [Sender<E>],
    request: &Request,
) -> Result<Verified<'a, E>, Refusal> {
    if request.method != "POST" {
        return Err(Refusal::Method("POST"));
    }
    let name = match request.segments().as_slice() {
        [_, name] => (*name).to_owned(),
        _ => return Err(Refusal::NotFound("expected /<function>/<sender>")),
    };
    let config = house.configuration.senders.get(&name);
    let kind = config.map_or(name.as_str(), |config| config.kind.as_str());
    let sender = senders.iter().find(|s| s.name == kind).ok_or(Refusal::NotFound("no sender has this name"))?;
    let config = config.ok_or(Refusal::NotFound("this sender is not configured"))?;
    if request.body.len() > MOST_BYTES {
        return Err(Refusal::TooLarge);
    }
    let offered = sender.proofs.iter().find(|proof| proof.is_offered(request, config));
    let proof = offered.ok_or(Refusal::Unauthenticated("the signature or token is missing"))?;
    if *proof == Proof::Sns {
        sns::verify(house, &config.topics, request).await?;
        return Ok(Verified { sender, source: name, config });
    }
    let secrets = house.secrets.get(&config.secret).map_err(Refusal::NoSecret)?;
    match *proof {
        Proof::Signature(signature) => signature.verify(request, &secrets, house.now())?,
        Proof::StandardWebhooks => verify::standard_webhooks(request, &secrets, house.now())?,
        Proof::Header(name) => verify::plain(request, name, &secrets)?,
        Proof::Token => verify::token(request, &secrets)?,
        Proof::Query | Proof::Sns => verify::query(request, &secrets)?,
    }
    Ok(Verified { sender, source: name, config })
}
