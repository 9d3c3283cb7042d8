//! Labels: what monitors write as tags in one text, in a list or in an object. Nothing here knows a monitor.

use std::collections::BTreeMap;

use aws::given::made;
use domain::text;
use serde_json::Value;

pub type Labels = BTreeMap<String, String>;

/// At most this many labels of an alert are kept.
const MOST_LABELS: usize = 60;
/// At most this many parts of a list are looked at.
const MOST_PARTS: usize = 200;

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
            self.add(name, made(value).as_deref());
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
            if let (Some(name), Some(value)) = (pair.get(name).and_then(made), pair.get(value).and_then(made)) {
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
        Some(Value::Array(list)) => list.iter().take(MOST_PARTS).filter_map(made).collect(),
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
