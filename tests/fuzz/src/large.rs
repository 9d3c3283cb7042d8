//! Bodies of megabytes: each seed with one place of it, or two, grown until the body is as large as bodies may be. Time
//! and memory grow with the size of the body, whichever places are large; a product of two of them shows at once.
//! There are too many such bodies to read them all every time: as many are read, in any order, as there is time for.

use std::fmt::Debug;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws::Sender;
use aws::wire::MOST_BYTES;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::mutation::Random;
use crate::{MOST_BYTES_A_BYTE, MOST_BYTES_ANYWAY, Target, corpus};

/// Grown in one place, and in each of two.
const ALONE: usize = MOST_BYTES - 64 * 1024;
const EACH: usize = 256 * 1024;
/// A body that takes longer is a finding; most take tenths of a second.
const LONGEST: Duration = Duration::from_secs(10);
/// With what texts grow: also what `text::line` leaves out, and what readers split at.
const FILLS: [&str; 4] = ["\u{e9}\u{200b} ", "a,", "a/", "revert \"#1 "];

/// What is being read, and since when.
static READING: Mutex<Option<(String, Instant)>> = Mutex::new(None);

/// Reads as many as there is time for, and says which took the most.
pub fn read<E: Serialize + DeserializeOwned + PartialEq + Debug>(target: &Target<E>, time: Duration) {
    std::thread::spawn(watch);
    let mut bodies = Vec::new();
    for sender in target.senders {
        for (name, seed) in corpus::seeds(target.name, sender.name) {
            let seed: Value = serde_json::from_slice(&seed).unwrap_or_else(|e| panic!("the seed {name}: {e}"));
            bodies.extend(grown(&name, &seed).into_iter().map(|body| (sender, body)));
        }
    }
    let mut random = Random(u64::from(std::process::id()));
    let (began, all) = (Instant::now(), bodies.len());
    let (mut slowest, mut largest) = ((Duration::ZERO, String::new()), (0, String::new()));
    while began.elapsed() < time && !bodies.is_empty() {
        let (sender, body) = bodies.swap_remove(random.below(bodies.len()));
        let (took, used) = one(target, sender, &body);
        if took > slowest.0 {
            slowest = (took, body.what.clone());
        }
        if used > largest.0 {
            largest = (used, body.what);
        }
    }
    println!(
        "{}: {} of {all} large bodies; the slowest took {} ms ({}); the most memory was {} bytes a byte ({})",
        target.name,
        all - bodies.len(),
        slowest.0.as_millis(),
        slowest.1,
        largest.0,
        largest.1
    );
}

/// Ends everything when a body takes too long.
fn watch() {
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let reading = READING.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((what, _)) = reading.filter(|(_, since)| since.elapsed() > LONGEST) {
            println!("FOUND: more than {} s for {what}", LONGEST.as_secs());
            std::process::exit(1);
        }
    }
}

/// A body to be read: a seed, and where it grows with what by how much.
struct Grown {
    what: String,
    seed: Rc<Value>,
    places: Vec<(String, &'static str)>,
    bytes: usize,
}

/// Every way in which a seed is grown.
fn grown(name: &str, seed: &Value) -> Vec<Grown> {
    let seed = Rc::new(seed.clone());
    let mut places = Vec::new();
    list(&seed, String::new(), &mut places);
    let is_text = |place: &String| seed.pointer(place).is_some_and(Value::is_string);
    let (texts, holders): (Vec<String>, Vec<String>) = places.into_iter().partition(is_text);
    let mut found = Vec::new();
    let mut add = |places: &[(&String, &'static str)], bytes| {
        let places: Vec<_> = places.iter().map(|(place, fill)| ((*place).clone(), *fill)).collect();
        let what = places.iter().map(|(place, fill)| format!("{place} {fill:?}")).collect::<Vec<_>>().join(" and ");
        found.push(Grown { what: format!("{name}: {what}"), seed: Rc::clone(&seed), places, bytes });
    };
    for text in &texts {
        FILLS.iter().for_each(|fill| add(&[(text, fill)], ALONE));
        holders.iter().for_each(|holder| add(&[(text, " "), (holder, "")], EACH));
    }
    for (i, holder) in holders.iter().enumerate() {
        add(&[(holder, "")], ALONE);
        holders[..i].iter().for_each(|other| add(&[(holder, ""), (other, "")], EACH));
    }
    found
}

/// Reads one: how long that took, and how much memory for each byte.
fn one<E: Serialize + DeserializeOwned + PartialEq + Debug>(
    target: &Target<E>,
    sender: &Sender<E>,
    body: &Grown,
) -> (Duration, usize) {
    let bytes = serde_json::to_vec(&body.grow()).unwrap_or_default();
    if bytes.len() > MOST_BYTES {
        return (Duration::ZERO, 0);
    }
    let began = Instant::now();
    *READING.lock().unwrap_or_else(PoisonError::into_inner) = Some((body.what.clone(), began));
    let used = target.read(sender, &bytes);
    *READING.lock().unwrap_or_else(PoisonError::into_inner) = None;
    let most = MOST_BYTES_ANYWAY + MOST_BYTES_A_BYTE * bytes.len();
    assert!(used <= most, "{used} bytes of memory for {} ({})", bytes.len(), body.what);
    (began.elapsed(), used / bytes.len())
}

/// Every text, list and object, as pointers.
fn list(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| list(item, format!("{place}/{i}"), found)),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| {
            list(field, format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::String(_) => {}
        Value::Null | Value::Bool(_) | Value::Number(_) => return,
    }
    found.push(place);
}

impl Grown {
    /// The seed with about so many more bytes in each of its places. Places inside a place come first in the list.
    fn grow(&self) -> Value {
        let mut body = (*self.seed).clone();
        for (place, fill) in &self.places {
            let Some(value) = body.pointer_mut(place) else { continue };
            match value {
                Value::String(text) => text.push_str(&fill.repeat(self.bytes / json!(fill).to_string().len())),
                Value::Array(items) => {
                    let one = items.first().cloned().unwrap_or_else(|| json!({}));
                    let count = self.bytes / (one.to_string().len() + 1);
                    items.extend(std::iter::repeat_n(one, count));
                }
                Value::Object(fields) => {
                    let one = fields.values().next().filter(|value| !value.is_object()).cloned().unwrap_or_default();
                    let count = self.bytes / (one.to_string().len() + 10);
                    fields.extend((0..count).map(|i| (format!("k{i}"), one.clone())));
                }
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        body
    }
}
