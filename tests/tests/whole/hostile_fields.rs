//! Strangers write into every text of every message that others recorded, and what comes of it is looked for wherever it is shown:
//! board, chats, pagers, e-mails, text messages, terminal, Markdown, programs' JSON, logs. `../shared/payloads` is read in place;
//! where it is absent, our own payloads are all there is.

mod house;
pub mod sinks;

use std::collections::BTreeMap;

use house_tests::root;
use recent_deployers::explain::explain_bytes;
use serde_json::Value;

use house::House;
use sinks::{ADDRESSES, MARK, WORDS};

const MUST_BE_READ: &str = include_str!("../../golden/must-be-read.txt");

/// A payload whose sender's reader takes it.
pub struct Payload {
    pub function: &'static str,
    pub sender: &'static str,
    pub file: &'static str,
    pub body: Value,
}

impl Payload {
    fn read(&self, body: &Value) -> Option<Value> {
        let event = explain_bytes(self.function, self.sender, body.to_string().as_bytes()).ok()?;
        event.get("ignored").is_none().then_some(event)
    }

    fn what(&self, pointer: &str) -> String {
        format!("{} {} {} {pointer}", self.function, self.sender, self.file)
    }
}

/// Those that are there, of every reader.
pub fn payloads() -> Vec<Payload> {
    let folder = root().join("../shared/payloads");
    let mut found = Vec::new();
    for line in MUST_BE_READ.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&'static str> = line.split(' ').collect();
        let [function, sender, file] = words.as_slice() else { panic!("{line}") };
        let Ok(text) = std::fs::read(folder.join(file)) else { continue };
        found.push(Payload { function, sender, file, body: serde_json::from_slice(&text).unwrap() });
    }
    if found.is_empty() {
        println!("not present: ../shared/payloads; 0 payloads are written into");
    }
    found
}

/// Where texts are, in every object, and in the first two of each list.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(list) => {
            list.iter().take(2).enumerate().for_each(|(i, v)| pointers(v, &format!("{at}/{i}"), found))
        }
        Value::Object(map) => {
            map.iter()
                .for_each(|(k, v)| pointers(v, &format!("{at}/{}", k.replace('~', "~0").replace('/', "~1")), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a stranger writes in place of a text: the same in front where it is a name, since some texts are told apart by it.
fn written(old: &str, round: usize) -> String {
    if old.starts_with("http://") || old.starts_with("https://") { ADDRESSES[round] } else { WORDS[round] }.to_owned()
}

fn with(body: &Value, pointer: &str, text: &str) -> Value {
    let mut changed = body.clone();
    *changed.pointer_mut(pointer).unwrap() = text.into();
    changed
}

/// What an event is about, which a stranger's words may not change if it is to be played further.
fn identity(event: &Value) -> Vec<String> {
    let mut all = Vec::new();
    about(event, &mut all);
    all
}

fn about(value: &Value, all: &mut Vec<String>) {
    const NAMES: [&str; 8] = ["repository", "commit", "base", "state", "environments", "revision", "kind", "merged_at"];
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if NAMES.contains(&name.as_str()) {
                    all.push(format!("{name}={value}"));
                }
                about(value, all);
            }
        }
        Value::Array(list) => list.iter().for_each(|one| about(one, all)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Nothing in an event drives, deceives, leads to a script, or is without bound.
#[track_caller]
fn is_harmless(what: &str, event: &Value) {
    sinks::texts(event, event, &mut |text, parent| {
        // What a monitor says at length is looked through for names, and shown to nobody.
        if parent.get("detail").and_then(Value::as_str) == Some(text) {
            return assert!(text.len() <= domain::alert::MOST_DETAIL + 1, "{what}: {} bytes", text.len());
        }
        sinks::plain(what, text, &[]);
        let address = parent.get("url").and_then(Value::as_str) == Some(text);
        assert!(!address || domain::text::url(text).is_some(), "{what}: {text}");
        assert!(text.chars().count() <= 4096, "{what}: {} characters", text.chars().count());
    });
}

/// The payload with a stranger's words in every text in which they can stand without changing what it is about. On the way each is
/// written alone.
fn most_hostile(payload: &Payload, round: usize) -> Value {
    let whole = payload.read(&payload.body).unwrap_or_else(|| panic!("{} is not read", payload.file));
    let wanted = identity(&whole);
    let (mut all, mut places) = (payload.body.clone(), Vec::new());
    pointers(&payload.body, "", &mut places);
    for pointer in places {
        let old = payload.body.pointer(&pointer).and_then(Value::as_str).unwrap_or("");
        let text = written(old, round);
        let Some(event) = payload.read(&with(&payload.body, &pointer, &text)) else { continue };
        is_harmless(&payload.what(&pointer), &event);
        let more = with(&all, &pointer, &text);
        if payload.read(&more).is_some_and(|event| identity(&event) == wanted) {
            all = more;
        }
    }
    is_harmless(&payload.what("all"), &payload.read(&all).unwrap());
    all
}

#[test]
fn whatever_is_written_into_any_text_of_any_payload_arrives_harmless_and_bounded() {
    let (payloads, mut reached) = (payloads(), 0);
    for payload in &payloads {
        for round in 0..WORDS.len() {
            let all = most_hostile(payload, round);
            let event = payload.read(&all).unwrap();
            reached += usize::from(event.to_string().contains(MARK));
            // The same without end.
            let mut places = Vec::new();
            pointers(&all, "", &mut places);
            let mut endless = all.clone();
            for place in places.iter().filter(|at| all.pointer(at).is_some_and(|v| v.to_string().contains(MARK))) {
                *endless.pointer_mut(place).unwrap() = format!("{MARK}{}", "é".repeat(20_000)).into();
            }
            if let Some(event) = payload.read(&endless) {
                is_harmless(&payload.what("endless"), &event);
            }
        }
    }
    println!(
        "{} payloads written into, {reached} of {} reach us with words of strangers",
        payloads.len(),
        2 * payloads.len()
    );
    assert!(payloads.is_empty() || reached > payloads.len(), "the words arrive, or nothing is tried: {reached}");
}

/// The first payload of each sender that merges or fires, full of strangers' words.
fn one_of_each(function: &str, round: usize) -> Vec<Payload> {
    let mut first: BTreeMap<&str, Payload> = BTreeMap::new();
    for payload in payloads().into_iter().filter(|payload| payload.function == function) {
        let event = payload.read(&payload.body).unwrap().to_string();
        let wanted = if function == "on-merge" { "\"merged\"" } else { "\"state\":\"firing\"" };
        if event.contains(wanted) && !first.contains_key(payload.sender) {
            let body = most_hostile(&payload, round);
            first.insert(payload.sender, Payload { body, ..payload });
        }
    }
    first.into_values().collect()
}

#[tokio::test]
async fn what_strangers_write_is_shown_nowhere_but_as_words() {
    for round in 0..WORDS.len() {
        let (merges, alerts) = (one_of_each("on-merge", round), one_of_each("on-alert", round));
        let mut house = House::furnished(&merges).await;
        house.hears(merges, alerts, round).await;
        house.shows_nothing_but_words(round).await;
    }
}
