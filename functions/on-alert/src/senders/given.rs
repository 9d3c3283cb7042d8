//! What monitors write in many ways: an id as number or text, a time in seconds, milliseconds or ISO 8601, tags in
//! one text, in a list or in an object. Nothing here knows a monitor.

use std::collections::BTreeMap;

use domain::{text, times};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub type Labels = BTreeMap<String, String>;

/// At most this many labels of an alert are kept.
const MOST_LABELS: usize = 60;
/// At most this many parts of a list are looked at.
const MOST_PARTS: usize = 200;

/// What a text, a number or the first of a list says. Nothing if it is empty, or `null` from somebody's template.
pub fn word(value: &Value) -> Option<String> {
    let one = if let Value::Array(list) = value { list.first()? } else { value };
    let said = match one {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!said.is_empty() && !said.eq_ignore_ascii_case("null")).then_some(said)
}

/// What the first of these places says that says anything.
pub fn any(value: &Value, pointers: &[&str]) -> Option<String> {
    pointers.iter().find_map(|pointer| word(value.pointer(pointer)?))
}

/// The time at the first of these places that holds one.
pub fn time(value: &Value, pointers: &[&str]) -> Option<Timestamp> {
    pointers.iter().find_map(|pointer| moment(&word(value.pointer(pointer)?)?))
}

/// A time that can be right: of ISO 8601 (in UTC where no offset is given), or since 1970, in a unit that its size tells.
pub fn moment(given: &str) -> Option<Timestamp> {
    let at = match given.parse::<f64>() {
        Ok(number) => {
            let seconds = match number {
                n if n < 1e11 => n,
                n if n < 1e14 => n / 1e3,
                n if n < 1e17 => n / 1e6,
                n => n / 1e9,
            };
            Timestamp::from_millisecond((seconds * 1e3).round() as i64).ok()
        }
        Err(_) => given.parse().ok().or_else(|| {
            let there: DateTime = given.parse().ok()?;
            TimeZone::UTC.to_timestamp(there).ok()
        }),
    };
    at.filter(|at| times::plausible(*at))
}

/// What identifies an alert, short enough for a key. What is cut ends in a digest of all of it, so that the same is the
/// same, and different things stay different.
pub fn identity(text: &str) -> String {
    const MOST: usize = 200;
    // `line` keeps one place for the mark of what it cuts. Of marks that nobody sees nothing would be left.
    let line = text::line(text, MOST + 1);
    if text.chars().count() <= MOST && !line.is_empty() {
        return line;
    }
    let digest = aws::verify::to_hex(&aws::verify::hmac_sha256(b"identity", &[text.as_bytes()])[..8]);
    format!("{}{digest}", text::line(text, MOST - 16))
}

/// How long before `at` this many milliseconds are.
pub fn before(at: Timestamp, milliseconds: &str) -> Option<Timestamp> {
    let long = SignedDuration::from_millis(milliseconds.parse().ok()?);
    at.checked_sub(long).ok().filter(|at| times::plausible(*at))
}

/// Labels, of which the first word on each name counts.
#[derive(Default)]
pub struct Said(Labels);

impl Said {
    pub fn add(&mut self, name: &str, value: Option<&str>) {
        let name = text::line(name, 100);
        let value = text::line(value.unwrap_or(""), 200);
        if !name.is_empty() && !value.is_empty() && self.0.len() < MOST_LABELS {
            self.0.entry(name).or_insert(value);
        }
    }

    /// The members of an object that are texts, numbers, or lists of these.
    pub fn members(&mut self, object: Option<&Value>) {
        for (name, value) in object.and_then(Value::as_object).into_iter().flatten().take(MOST_PARTS) {
            self.add(name, word(value).as_deref());
        }
    }

    /// Tags such as `env:production`: in a list, or in one text with commas between them.
    pub fn tags(&mut self, tags: Option<&Value>) {
        for tag in parts(tags) {
            if let Some((name, value)) = tag.split_once(':') {
                self.add(name, Some(value));
            }
        }
    }

    /// Objects of a name and a value.
    pub fn pairs(&mut self, list: Option<&Value>, name: &str, value: &str) {
        for pair in list.and_then(Value::as_array).into_iter().flatten().take(MOST_PARTS) {
            if let (Some(name), Some(value)) = (pair.get(name).and_then(word), pair.get(value).and_then(word)) {
                self.add(&name, Some(&value));
            }
        }
    }

    /// What one label says under another name too.
    pub fn also(&mut self, name: &str, as_name: &str) {
        let value = self.0.get(name).cloned();
        self.add(as_name, value.as_deref());
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn labels(self) -> Labels {
        self.0
    }
}

/// The parts of a list, or of one text with commas between them.
pub fn parts(list: Option<&Value>) -> Vec<String> {
    match list {
        Some(Value::Array(list)) => list.iter().take(MOST_PARTS).filter_map(word).collect(),
        Some(Value::String(text)) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.take(MOST_PARTS).map(str::to_owned).collect()
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => vec![],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_is_read_in_any_unit_and_form() {
        let want = "2024-04-22T06:16:30Z".parse().ok();
        for given in [
            "1713766590",
            "1713766590000",
            "1713766590000000",
            "1713766590000000000",
            "1.71376659e9",
            "2024-04-22T06:16:30Z",
            "2024-04-22T08:16:30+02:00",
            "2024-04-22T06:16:30.0000000+0000",
            "2024-04-22 06:16:30",
        ] {
            assert_eq!(moment(given), want, "{given}");
        }
        for given in ["", "0", "-1", "NaN", "inf", "1e300", "yesterday", "0001-01-01T00:00:00Z", "$DATE"] {
            assert_eq!(moment(given), None, "{given}");
        }
    }

    #[test]
    fn long_identities_stay_different() {
        let (a, b) = (format!("{}a", "x".repeat(300)), format!("{}b", "x".repeat(300)));
        assert_eq!(identity(&a), identity(&a));
        assert_ne!(identity(&a), identity(&b));
        assert!(identity(&a).chars().count() <= 200);
        assert_eq!(identity(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(identity("7/host:a"), "7/host:a");
    }

    #[test]
    fn labels_are_bounded_and_the_first_word_counts() {
        let mut said = Said::default();
        said.tags(Some(&json!("env:production, team:database,plain,url:http://x,:,a:")));
        said.tags(Some(&json!(["env:staging", "role:db", 7, {"a": 1}])));
        said.members(Some(&json!({"team": "other", "zone": ["eu", "us"], "n": 7, "deep": {"a": "b"}, "no": null})));
        said.also("env", "environment");
        let want = json!({"env": "production", "environment": "production", "team": "database", "role": "db",
            "url": "http://x", "zone": "eu", "n": "7"});
        assert_eq!(json!(said.labels()), want);
        let mut said = Said::default();
        (0..1000).for_each(|n| said.add(&n.to_string(), Some("x")));
        assert_eq!(said.labels().len(), MOST_LABELS);
    }
}
