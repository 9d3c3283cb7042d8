//! A sender: how it proves itself, and how its JSON becomes our event. Each has one file in a function's
//! `senders/`; this is the shape they share.

use crate::house::House;
use crate::verify;
use crate::wire::{MOST_BYTES, Malformed, Refusal, Request};

/// How a sender proves that it sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// HMAC-SHA256 of the body in this header, as `sha256=<hex>`.
    HubSignature(&'static str),
    /// `Authorization: Bearer` or `Basic`: it cannot sign.
    Token,
}

/// What a sender's message was read into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading<E> {
    Event(E),
    /// Not for us, and why: answered with 200, counted, not stored.
    Ignored(String),
}

/// One sender of events `E`.
pub struct Sender<E: 'static> {
    /// Its name in the address: `POST /merge/<name>`.
    pub name: &'static str,
    pub proof: Proof,
    /// Reads a message. Total: any bytes give an event, a reason to ignore them, or a reason they cannot be read.
    pub parse: fn(&[u8]) -> Result<Reading<E>, Malformed>,
}

/// The sender a request is addressed to, verified: the first of the five steps.
pub fn verify<'a, E>(house: &House, senders: &'a [Sender<E>], request: &Request) -> Result<&'a Sender<E>, Refusal> {
    if request.method != "POST" {
        return Err(Refusal::Method("POST"));
    }
    let name = match request.segments().as_slice() {
        [_, name] => (*name).to_owned(),
        _ => return Err(Refusal::NotFound("expected /<function>/<sender>")),
    };
    let sender = senders.iter().find(|s| s.name == name).ok_or(Refusal::NotFound("no sender has this name"))?;
    let configured =
        house.configuration.senders.get(sender.name).ok_or(Refusal::NotFound("this sender is not configured"))?;
    if request.body.len() > MOST_BYTES {
        return Err(Refusal::TooLarge);
    }
    let secrets = house.secrets.get(&configured.secret).map_err(Refusal::NoSecret)?;
    match sender.proof {
        Proof::HubSignature(header) => verify::hub_signature(request, header, &secrets)?,
        Proof::Token => verify::token(request, &secrets)?,
    }
    Ok(sender)
}
