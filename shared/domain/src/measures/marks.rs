//! What of a deployment was counted, kept with it: so that each is counted once, whoever looks, and however often.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// As one that went live.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live: bool,
    /// As one that had to be put right.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// As one that never got there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stalled: bool,
}

impl Marks {
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mark_is_enough_to_be_kept() {
        let none = Marks::default();
        assert!(none.is_none());
        for (one, json) in [
            (Marks { live: true, ..none }, r#"{"live":true}"#),
            (Marks { failed: true, ..none }, r#"{"failed":true}"#),
            (Marks { stalled: true, ..none }, r#"{"stalled":true}"#),
        ] {
            assert!(!one.is_none());
            assert_eq!(serde_json::to_string(&one).unwrap(), json);
            assert_eq!(serde_json::from_str::<Marks>(json).unwrap(), one);
        }
    }
}
