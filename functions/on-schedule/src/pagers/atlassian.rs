//! What Opsgenie and Jira Service Management have in common as keepers of schedules: one request, why it was refused, and
//! which override is one of ours. They do not say until when somebody is on call.

use aws::clients::Answer;
use aws::wire::parse;
use domain::text;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Account, Layer, NoAnswer, OnCall, Pager};
use crate::forges::api::encoded;

/// So many people of one answer are read.
const MOST_PEOPLE: usize = 50;
/// They may round times.
const ABOUT: SignedDuration = SignedDuration::from_mins(1);

/// One schedule of one of them.
pub struct Schedule<'a> {
    pager: &'a Pager<'a>,
    path: String,
    authorization: String,
}

impl<'a> Schedule<'a> {
    /// `path`: where schedules are.
    pub fn new(pager: &'a Pager<'a>, path: &str, schedule: &str, authorization: String) -> Self {
        Self { pager, path: format!("{path}/{}", name(schedule)), authorization }
    }

    /// One answer of any status but those that say "later".
    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, NoAnswer> {
        let headers = [("authorization", self.authorization.as_str()), ("accept", "application/json")];
        self.pager.ask(method, &format!("{}{path}", self.path), &headers, body).await
    }

    /// What is read there.
    pub async fn get(&self, path: &str) -> Result<Value, NoAnswer> {
        let answer = self.send("GET", path, None).await?;
        if is_done(&answer) { read(&answer) } else { Err(self.refusal(&answer)) }
    }

    /// Takes an override out, also one that runs: their schedule then forgets that it ran. It may be gone already.
    pub async fn delete(&self, path: &str) -> Result<(), NoAnswer> {
        let answer = self.send("DELETE", path, None).await?;
        if is_done(&answer) || answer.status == 404 { Ok(()) } else { Err(self.refusal(&answer)) }
    }

    /// Whether an override begins when a layer does. One that runs may have been made to begin when it was written.
    pub fn begins(&self, told: &Value, layer: &Layer) -> bool {
        let now = self.pager.house.now();
        is_about(told, layer.from) || (layer.from <= now && at(told).is_some_and(|told| told <= now))
    }

    /// When a layer is made to begin: what is past, they may not take.
    pub fn start(&self, layer: &Layer) -> String {
        time(layer.from.max(self.pager.house.now()))
    }

    /// The same for an override that is there: one that runs began when it began.
    pub fn start_again(&self, told: &Value, layer: &Layer) -> String {
        let began = at(told).filter(|told| *told <= self.pager.house.now());
        began.map_or_else(|| self.start(layer), time)
    }

    /// Why it was refused. What they say might repeat what they were sent.
    pub fn refusal(&self, answer: &Answer) -> NoAnswer {
        let body: Value = parse(&answer.body).unwrap_or_default();
        let said: Vec<String> = ["message", "errors"].iter().flat_map(|key| words(&body[*key])).collect();
        let (said, sent) = (said.join(", "), self.authorization.rsplit(' ').next().unwrap_or_default());
        let lower = said.to_ascii_lowercase();
        let of_user = ["user", "responder", "recipient", "participant"].iter().any(|word| lower.contains(word));
        match answer.status {
            404 if !of_user || lower.contains("schedule") => NoAnswer::UnknownSchedule,
            400 | 404 | 422 if of_user => NoAnswer::UnknownUser,
            status if said.is_empty() => NoAnswer::Status(status),
            status => self.pager.refused(&format!("{status}, {}", said.replace(sent, "…"))),
        }
    }
}

pub fn is_done(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

pub fn read(answer: &Answer) -> Result<Value, NoAnswer> {
    parse(&answer.body).map_err(|_| NoAnswer::NotRead)
}

/// A name as it stands in an address, also one that looks encoded or that would lead elsewhere.
pub fn name(name: &str) -> String {
    encoded(&name.replace('%', "%25")).replace("..", "%2E%2E")
}

/// Without fractions, in UTC.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The people of an answer, each by the one text that it tells.
pub fn people(list: &Value, account: impl Fn(String) -> Account) -> OnCall {
    let told = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    let told = told.map(|one| text::line(one, 255)).filter(|one| !one.is_empty());
    OnCall { people: told.take(MOST_PEOPLE).map(account).collect(), until: None }
}

/// Whether a time as they tell it is this one.
pub fn is_about(told: &Value, when: Timestamp) -> bool {
    at(told).is_some_and(|told| told.duration_since(when).abs() < ABOUT)
}

fn at(told: &Value) -> Option<Timestamp> {
    told.as_str()?.parse().ok()
}

/// Every text in it.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(words).collect(),
        Value::Object(fields) => fields.iter().flat_map(|(key, value)| labelled(key, value)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Opsgenie names the field that is wrong by the key.
fn labelled(key: &str, value: &Value) -> Vec<String> {
    let known = ["title", "detail", "message", "code"].contains(&key);
    words(value).into_iter().map(|word| if known { word } else { format!("{key}: {word}") }).collect()
}
