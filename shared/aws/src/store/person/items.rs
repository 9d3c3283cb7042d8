//! Items that name somebody: which they are, what is done about each, and how a placeholder stands there instead.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::privacy::Traces;
use domain::{Change, Entry, Incident, Reason, Subject};
use serde_json::Value;

use super::Held;
use crate::keys::{self, Key};
use crate::records::{self, Item};

/// What is done about an item that names somebody who is to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// A placeholder stands there instead.
    Rewritten,
    Deleted,
    /// Open work needs it, for so long.
    Left(&'static str),
}

pub(super) fn partition(item: &Item) -> &str {
    item.get(keys::PARTITION).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// What an item is, in words.
pub(super) fn kind(item: &Item) -> &'static str {
    match (partition(item).split('#').next().unwrap_or(""), records::sort(item).split('#').next().unwrap_or("")) {
        ("O", _) => "a message that no receiver has accepted",
        ("L", _) => "a line of the log",
        ("P", _) => "an incident that is over",
        ("C", _) => "a change",
        ("B", _) => "what the board shows of a service",
        ("K", _) => "the pseudonym in the audit log",
        ("S", "C") => "a change whose window is open",
        ("S", "N") => "what was said about a window",
        ("S", "I") => "an incident",
        ("S", "A") => "what monitors say",
        ("S", "H") => "a shift",
        ("S", "P") => "what is kept of a service's paging",
        ("S", "U") => "the open pull requests of a repository",
        ("S", "X") => "a fix that is to pass a freeze",
        ("S", "Z") => "a freeze",
        (..) => "a record of a service's working set",
    }
}

/// Why a change is left.
pub(super) const WINDOW: &str = "until its window is closed";

pub(super) fn fate(item: &Item, traces: &Traces) -> Fate {
    const INCIDENT: &str = "until a day after the incident is over";
    let body = |name: &str| {
        let body = item.get(keys::BODY).and_then(|body| body.as_m().ok());
        body.and_then(|body| body.get(name)?.as_s().ok().cloned())
    };
    let theirs = |name: &str| body(name).as_deref() == Some(traces.person.as_str());
    match (partition(item).split('#').next().unwrap_or(""), records::sort(item).split('#').next().unwrap_or("")) {
        ("O", _) if is_to(item, traces) => Fate::Deleted,
        ("O", _) => Fate::Left("a message to somebody else, until a receiver has accepted it"),
        ("B", _) => Fate::Left("what the board shows of the rest, written anew at the next look"),
        ("S", "H") if theirs("person") => Fate::Deleted,
        ("S", "C" | "N" | "F" | "D") => Fate::Left(WINDOW),
        ("S", "I" | "A") => Fate::Left(INCIDENT),
        ("S", "P") => Fate::Left("until the pager's rotation is read again and maintenance is over"),
        ("S", "U") => Fate::Left("until their pull requests are closed"),
        ("S", "X") => Fate::Left("until the freeze that it is to pass is over"),
        (..) => Fate::Rewritten,
    }
}

/// Whether an item is still what it was: somebody may be called as a field is, or as a word of ours.
pub(super) fn still_reads(item: &Item) -> bool {
    match partition(item).split('#').next().unwrap_or("") {
        "L" => records::read::<Entry>(item).is_ok_and(|entry| entry.reason != Reason::Newer),
        "P" => records::read::<Incident>(item).is_ok(),
        "C" => records::read::<Change>(item).is_ok(),
        "S" => records::decode(item).is_ok(),
        _ => true,
    }
}

/// Whether a message goes to them.
fn is_to(item: &Item, traces: &Traces) -> bool {
    let body = item.get(keys::BODY).and_then(|body| body.as_m().ok());
    let key = body.and_then(|body| body.get("key")?.as_m().ok());
    key.and_then(|key| key.get("person")?.as_s().ok()) == Some(&traces.person.as_str().to_owned())
}

/// The change that an item is about, by its own key.
pub(super) fn change_of(item: &Item) -> Option<Key> {
    let (kind, id) = records::sort(item).split_once('#').unwrap_or(("", ""));
    if partition(item).starts_with("S#") && kind == "C" {
        return keys::parse_change(id).map(|id| keys::change(&id));
    }
    let body = item.get(keys::BODY)?.as_m().ok()?;
    let subject: Subject = records::read_value(body.get("subject")?).ok()?;
    match subject {
        Subject::Change(id) => Some(keys::change(&id)),
        Subject::Incident(_) | Subject::Shift(_) | Subject::Freeze(_) | Subject::Expedite(_) | Subject::Service => None,
    }
}

pub(super) fn names(item: &Item, traces: &Traces) -> bool {
    item.values().any(|value| is_named(value, traces))
}

fn is_named(value: &AttributeValue, traces: &Traces) -> bool {
    match value {
        AttributeValue::S(text) => traces.is_in(text),
        AttributeValue::L(values) => values.iter().any(|value| is_named(value, traces)),
        AttributeValue::M(fields) => fields.iter().any(|(name, value)| traces.is_in(name) || is_named(value, traces)),
        AttributeValue::Ss(texts) => texts.iter().any(|text| traces.is_in(text)),
        // Serde writes no others.
        AttributeValue::B(_)
        | AttributeValue::Bool(_)
        | AttributeValue::Bs(_)
        | AttributeValue::N(_)
        | AttributeValue::Ns(_)
        | AttributeValue::Null(_)
        | _ => false,
    }
}

/// An item in which `instead` stands wherever they are named.
pub(super) fn rewritten(mut item: Item, traces: &Traces, instead: &str) -> Item {
    for (name, value) in &mut item {
        if name != keys::PARTITION && name != keys::SORT {
            rewrite(value, traces, instead);
        }
    }
    item
}

/// Puts `instead` wherever they are named.
fn rewrite(value: &mut AttributeValue, traces: &Traces, instead: &str) {
    let again = |text: &String| traces.replaced(text, instead).unwrap_or_else(|| text.clone());
    match value {
        AttributeValue::S(text) => *text = again(text),
        AttributeValue::L(values) => values.iter_mut().for_each(|value| rewrite(value, traces, instead)),
        AttributeValue::M(fields) => {
            fields.values_mut().for_each(|value| rewrite(value, traces, instead));
            *fields = fields.drain().map(|(name, value)| (again(&name), value)).collect();
        }
        AttributeValue::Ss(texts) => texts.iter_mut().for_each(|text| *text = again(text)),
        AttributeValue::B(_)
        | AttributeValue::Bool(_)
        | AttributeValue::Bs(_)
        | AttributeValue::N(_)
        | AttributeValue::Ns(_)
        | AttributeValue::Null(_)
        | _ => {}
    }
}

pub(super) fn shown(item: &Item) -> Held {
    let fields = item.iter().filter(|(name, _)| *name != keys::PARTITION && *name != keys::SORT);
    let fields = fields.map(|(name, value)| (name.clone(), json(value)));
    Held {
        partition: partition(item).to_owned(),
        sort: records::sort(item).to_owned(),
        kind: kind(item),
        item: Value::Object(fields.collect()),
    }
}

fn json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => Value::String(text.clone()),
        AttributeValue::N(number) => serde_json::from_str(number).unwrap_or_else(|_| Value::String(number.clone())),
        AttributeValue::Bool(is) => Value::Bool(*is),
        AttributeValue::L(values) => values.iter().map(json).collect(),
        AttributeValue::M(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), json(value))).collect())
        }
        AttributeValue::Ss(texts) => texts.iter().cloned().map(Value::String).collect(),
        AttributeValue::B(_) | AttributeValue::Bs(_) | AttributeValue::Ns(_) | AttributeValue::Null(_) | _ => {
            Value::Null
        }
    }
}
