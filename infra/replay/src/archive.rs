//! Our own archive: what senders delivered and what people did, in order of time, a JSON object a line.
//!
//! ```json
//! {"at": "2026-03-20T15:00:00Z", "to": "/merge/github", "body": {"action": "closed"}}
//! {"at": "2026-03-20T15:00:01Z", "to": "/deploy/drone", "raw": "a body that is no JSON"}
//! {"at": "2026-03-20T15:53:00Z", "to": "/acknowledge/edxapp-k3v7q2ma", "by": "feanil", "form": {}}
//! {"at": "2026-03-20T16:00:00Z", "truth": {"alert": "alertmanager/9f2c", "culprit": "openedx/edx-platform@8c1c06a1a8"}}
//! {"at": "2026-03-20T16:00:00Z", "happened": {"alert": "alertmanager/9f2c", "told": ["Anna"], "taken_by": "Anna"}}
//! ```
//!
//! A body is read by the very reader of its sender. GitHub's own exports of deliveries are understood too, as its API has them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws::links::Action;
use aws::sender::{Reading, Sender};
use aws::settings::SenderConfig;
use domain::{ChangeId, times};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::event::{Happened, Told, What};

/// Why a line is not one of an archive. Says what was expected.
#[derive(Debug, thiserror::Error)]
pub enum BadLine {
    #[error("not a line of an archive: {0}")]
    Json(#[from] serde_json::Error),
    #[error("`to` is an address such as /merge/github, or what a link is about")]
    Address,
    #[error("no sender is called {0}; there is one for each row of the README's table")]
    NoSender(String),
    #[error("its time is not one of this century")]
    Time,
    #[error("it has neither `body` nor `raw`")]
    NoBody,
    #[error("`by` is a person of the roster")]
    Nobody,
    #[error("`culprit` is a change such as openedx/edx-platform@8c1c06a1a8")]
    NoChange,
    #[error("the sender's reader does not understand it: {0}")]
    Malformed(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    at: Timestamp,
    #[serde(default, borrow)]
    to: Cow<'a, str>,
    #[serde(default, borrow)]
    body: Option<&'a RawValue>,
    #[serde(default, borrow)]
    raw: Option<Cow<'a, str>>,
    by: Option<String>,
    #[serde(default)]
    form: BTreeMap<String, String>,
    truth: Option<Truth>,
    happened: Option<Real>,
}

#[derive(Deserialize)]
struct Truth {
    alert: String,
    culprit: Option<String>,
}

#[derive(Deserialize)]
struct Real {
    alert: String,
    #[serde(default)]
    told: Vec<String>,
    taken_by: Option<String>,
    taken_at: Option<Timestamp>,
}

/// A delivery as GitHub's API tells it: `GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}`.
#[derive(Deserialize)]
struct Delivery<'a> {
    delivered_at: Timestamp,
    #[serde(default, borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    request: DeliveryRequest<'a>,
}

#[derive(Deserialize)]
struct DeliveryRequest<'a> {
    #[serde(borrow)]
    payload: &'a RawValue,
}

/// Reads one line. `senders`: the sources of the configuration, by name.
pub fn read(line: &[u8], senders: &BTreeMap<String, SenderConfig>) -> Result<Told, BadLine> {
    let own: serde_json::Error = match serde_json::from_slice::<Line<'_>>(line) {
        Ok(line) => return own_line(line, senders),
        Err(error) => error,
    };
    match serde_json::from_slice::<Delivery<'_>>(line) {
        Ok(delivery) => {
            let to = if delivery.event.starts_with("deployment") { "/deploy/github" } else { "/merge/github" };
            let what = delivered(to, delivery.request.payload.get().as_bytes(), senders)?;
            let at = delivery.delivered_at;
            if times::plausible(at) { Ok(Told { at, what }) } else { Err(BadLine::Time) }
        }
        Err(_) => Err(own.into()),
    }
}

fn own_line(line: Line<'_>, senders: &BTreeMap<String, SenderConfig>) -> Result<Told, BadLine> {
    let at = line.at;
    if !times::plausible(at) {
        return Err(BadLine::Time);
    }
    let what = if let Some(truth) = line.truth {
        let culprit = truth.culprit.map(|named| aws::keys::parse_change(&named).ok_or(BadLine::NoChange));
        let culprit: Option<ChangeId> = culprit.transpose()?;
        What::Truth { alert: truth.alert, culprit }
    } else if let Some(real) = line.happened {
        let Real { alert, told, taken_by, taken_at } = real;
        What::Happened(Happened { alert, told, taken_by, taken_at })
    } else if let Some(by) = line.by {
        let segments: Vec<&str> = line.to.split('/').skip(1).collect();
        let action = Action::parse(&segments).ok_or(BadLine::Address)?;
        What::Act { action, by: by.parse().map_err(|_| BadLine::Nobody)?, form: line.form }
    } else {
        let body = line.raw.as_deref().or(line.body.map(RawValue::get)).ok_or(BadLine::NoBody)?;
        delivered(&line.to, body.as_bytes(), senders)?
    };
    Ok(Told { at, what })
}

/// What a sender delivered to this address.
pub fn delivered(to: &str, body: &[u8], senders: &BTreeMap<String, SenderConfig>) -> Result<What, BadLine> {
    let path = to.split('?').next().unwrap_or("");
    let mut segments = path.split('/').skip(1);
    let (Some(function), Some(name), None) = (segments.next(), segments.next(), segments.next()) else {
        return Err(BadLine::Address);
    };
    let kind = senders.get(name).map_or(name, |source| source.kind.as_str());
    let source = name.to_owned();
    Ok(match function {
        "merge" => match parse(on_merge::senders::SENDERS, kind, body)? {
            Reading::Event(events) => What::Merge(source, events),
            Reading::Ignored(why) => What::Ignored(why),
        },
        "deploy" => match parse(on_deploy::senders::SENDERS, kind, body)? {
            Reading::Event(events) => What::Deploy(source, events.into_iter().map(|event| event.from(name)).collect()),
            Reading::Ignored(why) => What::Ignored(why),
        },
        "alert" => match parse(on_alert::senders::SENDERS, kind, body)? {
            Reading::Event(event) => What::Alert(source, event.from(name)),
            Reading::Ignored(why) => What::Ignored(why),
        },
        _ => return Err(BadLine::Address),
    })
}

fn parse<E>(senders: &[Sender<E>], kind: &str, body: &[u8]) -> Result<Reading<E>, BadLine> {
    let sender = senders.iter().find(|sender| sender.name == kind);
    let sender = sender.ok_or_else(|| BadLine::NoSender(domain::text::line(kind, 40)))?;
    (sender.parse)(body).map_err(|why| BadLine::Malformed(domain::text::line(&why.to_string(), 200)))
}
