//! Changes a payload: as JSON, which reaches what is behind the parser, or as bytes.

use house_tests::dice::Dice;
use serde_json::{Value, json};

/// A payload is not made longer than this.
const MOST: usize = 64 * 1024;

/// What senders should not send.
fn hostile(dice: &mut Dice) -> Value {
    match dice.below(22) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(""),
        3 => json!(" \t\n"),
        4 => json!(0),
        5 => json!(-1),
        6 => json!(u64::MAX),
        7 => json!(i64::MIN),
        8 => json!(1e308),
        9 => json!([]),
        10 => json!({}),
        11 => json!("9999-12-31T23:59:59.999999999Z"),
        12 => json!("-009999-01-01T00:00:00Z"),
        13 => json!("2026-03-20T10:00:00+25:59"),
        14 => json!("1774000000000"),
        15 => json!("0123456789abcdef0123456789abcdef01234567"),
        16 => json!("https://user:pass@git.example.com:99999/a//b.git?x#y"),
        17 => json!("\u{202e}\u{0}#<a href=\"x\">|`\u{1f525}\u{e9}"),
        18 => json!("\u{130}\u{df}\u{fb01}\u{1e9e}"),
        19 => json!("x".repeat(1 << dice.below(12))),
        20 => json!("\u{e9}".repeat(1 << dice.below(10))),
        _ => json!(dice.roll(u64::MAX)),
    }
}

fn children(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Array(list) => list.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![],
    }
}

/// A node somewhere below: the way down is by chance, so that what is near the top comes often.
fn somewhere<'a>(value: &'a mut Value, dice: &mut Dice) -> &'a mut Value {
    let leaf = !value.is_array() && !value.is_object();
    let empty = value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty);
    if leaf || empty || dice.roll(5) == 0 {
        return value;
    }
    let mut below = children(value);
    let at = dice.below(below.len());
    somewhere(below.swap_remove(at), dice)
}

/// A changed payload: three times in four still JSON.
pub fn mutated(body: &Value, text: &[u8], dice: &mut Dice) -> Vec<u8> {
    if dice.roll(4) == 0 {
        return bytes(text, dice);
    }
    let mut body = body.clone();
    for _ in 0..=dice.below(3) {
        let copied = somewhere(&mut body, dice).clone();
        change(somewhere(&mut body, dice), copied, dice);
    }
    let mut written = body.to_string().into_bytes();
    written.truncate(MOST);
    written
}

fn change(chosen: &mut Value, copied: Value, dice: &mut Dice) {
    match (dice.below(7), &mut *chosen) {
        (0 | 1, _) => *chosen = hostile(dice),
        (2, _) => *chosen = copied,
        (3, _) => *chosen = json!(chosen.to_string()),
        (4, _) => *chosen = json!([chosen.take()]),
        (_, Value::Array(list)) => {
            let at = dice.below(list.len());
            match dice.below(4) {
                0 if !list.is_empty() => drop(list.remove(at)),
                1 if !list.is_empty() => list.extend(vec![list[at].clone(); 1 << dice.below(6)]),
                2 => list.reverse(),
                _ => list.insert(at, copied),
            }
        }
        (_, Value::Object(fields)) => {
            let Some(name) = fields.keys().nth(dice.below(fields.len())).cloned() else { return };
            match dice.below(4) {
                0 => drop(fields.remove(&name)),
                1 => {
                    let value = fields.remove(&name).unwrap_or_default();
                    fields.insert(format!("{name} "), value);
                }
                2 => drop(fields.insert(name, copied)),
                _ => (0..1 << dice.below(6)).for_each(|i| drop(fields.insert(format!("{name}{i}"), copied.clone()))),
            }
        }
        (_, Value::String(text)) => {
            let changed = bytes(text.as_bytes(), dice);
            *text = String::from_utf8_lossy(&changed).into_owned();
        }
        (_, other) => *other = hostile(dice),
    }
}

fn bytes(text: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len());
        match dice.below(5) {
            0 if !bytes.is_empty() => bytes[at] = dice.roll(256).to_le_bytes()[0],
            1 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
            2 => bytes.truncate(at),
            3 => bytes.insert(at, b"\"\\{}[]:,\0\xff"[dice.below(10)]),
            _ => {
                let to = at + dice.below(bytes.len() - at + 1);
                let again = bytes[at..to].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
    bytes.truncate(MOST);
    bytes
}
