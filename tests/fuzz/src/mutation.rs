//! Changes an input as JSON: bytes changed at random are seldom JSON again, and never reach what is behind the parser.
//! One time in four, and whatever is no JSON, is left to libFuzzer.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Value, json};

/// What senders should not send.
fn hostile(random: &mut Random) -> Value {
    match random.below(24) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(""),
        3 => json!(" \t\n"),
        4 => json!(0),
        5 => json!(-1),
        6 => json!(u64::MAX),
        7 => json!(i64::MIN),
        8 => json!(1e308),
        9 => json!(0.5),
        10 => json!([]),
        11 => json!({}),
        12 => json!("9999-12-31T23:59:59.999999999Z"),
        13 => json!("2026-03-20T10:00:00+25:59"),
        14 => json!("2026-03-20 10:00:00 UTC"),
        15 => json!("1774000000000"),
        16 => json!("0123456789abcdef0123456789abcdef01234567"),
        17 => json!("https://user:pass@git.example.com:99999/a//b.git?x#y"),
        18 => json!("git@git.example.com:acme/shop.git"),
        19 => json!("acme/shop"),
        20 => json!("\u{202e}\u{0}#<a href=\"x\">|`\u{1f525}\u{e9}"),
        21 => json!("\u{130}\u{df}\u{fb01}\u{1e9e}"),
        22 => json!("x".repeat(1 << random.below(12))),
        _ => json!("\u{e9}".repeat(1 << random.below(10))),
    }
}

/// A small generator: libFuzzer gives the seed, so that what it finds can be found again.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % most.max(1)
    }
}

/// For `fuzz_mutator!`.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random(u64::from(seed));
    let body = data.get(1..size).and_then(|body| serde_json::from_slice::<Value>(body).ok());
    let Some(mut body) = body.filter(|_| random.below(4) > 0) else { return fuzzer_mutate(data, size, max_size) };
    for _ in 0..=random.below(3) {
        change(&mut body, &mut random);
    }
    match serde_json::to_vec(&body) {
        Ok(written) if written.len() < max_size => {
            data[1..=written.len()].copy_from_slice(&written);
            written.len() + 1
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
}

fn nodes(value: &Value) -> usize {
    1 + children(value).into_iter().map(nodes).sum::<usize>()
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => vec![],
    }
}

/// The node at a place in the order of [`nodes`].
fn node<'a>(value: &'a mut Value, at: &mut usize) -> Option<&'a mut Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Array(list) => list.iter_mut().find_map(|child| node(child, at)),
        Value::Object(fields) => fields.values_mut().find_map(|child| node(child, at)),
        _ => None,
    }
}

fn change(body: &mut Value, random: &mut Random) {
    let count = nodes(body);
    let copied = node(body, &mut random.below(count)).map(|other| other.clone()).unwrap_or_default();
    let Some(chosen) = node(body, &mut random.below(count)) else { return };
    match random.below(8) {
        0 | 1 => *chosen = hostile(random),
        2 => *chosen = copied,
        3 => *chosen = json!(chosen.to_string()),
        4 => *chosen = json!([chosen.take()]),
        _ => inside(chosen, copied, random),
    }
}

/// Changes what a list, an object, a text or a number holds.
fn inside(chosen: &mut Value, copied: Value, random: &mut Random) {
    match chosen {
        Value::Array(list) => {
            let at = random.below(list.len());
            match random.below(4) {
                0 if !list.is_empty() => drop(list.remove(at)),
                1 if !list.is_empty() => {
                    let again = vec![list[at].clone(); 1 << random.below(9)];
                    list.extend(again);
                }
                2 => list.reverse(),
                _ => list.insert(at, copied),
            }
        }
        Value::Object(fields) => {
            let Some(name) = fields.keys().nth(random.below(fields.len())).cloned() else { return };
            match random.below(4) {
                0 => drop(fields.remove(&name)),
                1 => {
                    let value = fields.remove(&name).unwrap_or_default();
                    fields.insert(format!("{name} "), value);
                }
                2 => drop(fields.insert(name, copied)),
                _ => (0..1 << random.below(8)).for_each(|i| drop(fields.insert(format!("{name}{i}"), copied.clone()))),
            }
        }
        Value::String(text) => {
            let mut bytes = std::mem::take(text).into_bytes();
            let size = bytes.len();
            bytes.resize(size + 64, 0);
            let size = fuzzer_mutate(&mut bytes, size, size + 64);
            bytes.truncate(size);
            *text = String::from_utf8_lossy(&bytes).into_owned();
        }
        other => *other = hostile(random),
    }
}
