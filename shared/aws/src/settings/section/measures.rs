//! How much of something: lengths of time, shares, numbers.

use std::str::FromStr;

use jiff::SignedDuration;

use super::Section;

impl Section<'_, '_> {
    /// A length of time such as `"60 min"`, `"24 h"` or `"PT1H"`, between nothing and thirty days.
    pub(in super::super) fn duration(&mut self, key: &str) -> Option<SignedDuration> {
        let text = self.text(key)?;
        let most = SignedDuration::from_hours(24 * 30);
        match SignedDuration::from_str(&text) {
            Ok(duration) if !duration.is_negative() && duration <= most => Some(duration),
            Ok(_) => {
                self.problem_with(key, format!("`{key}` has to be between 0 and 30 days"));
                None
            }
            Err(_) => {
                self.problem_with(key, format!("`{key}` has to be a length of time such as \"60 min\" or \"24 h\""));
                None
            }
        }
    }

    /// A number from 0 on.
    pub(in super::super) fn number(&mut self, key: &str) -> Option<u16> {
        let value = self.value(key)?;
        let read = value.get_ref().as_integer().and_then(|n| n.as_str().parse().ok()).filter(|n| *n <= 10_000);
        if read.is_none() {
            self.wrong(key, "a whole number up to 10000", value);
        }
        read
    }

    /// A share in words, such as `"10 %"`.
    pub(in super::super) fn percent(&mut self, key: &str) -> Option<u16> {
        let text = self.text(key)?;
        let number = text.strip_suffix('%').and_then(|number| number.trim().parse().ok()).filter(|n| *n <= 100);
        if number.is_none() {
            self.problem_with(key, format!("`{key}` has to be a share such as \"10 %\", from 0 to 100"));
        }
        number
    }
}
