//! Which version of the table's items this program writes and reads.
//!
//! A field that may be absent needs no new version, nor does a new reason: whoever does not know them passes over them. What an
//! older program would misunderstand does. It takes two releases, so that either can be rolled back: the first reads both versions
//! and still writes the older (a step is added to [`STEPS`]), the second writes the newer ([`WRITES`] follows). Items are brought
//! up as they are read, and stay so with their next write; nothing goes through the table.

use std::borrow::Cow;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use crate::keys;
use crate::records::{Item, number};
use crate::store::StoreError;

/// Makes of an item of one version one of the next.
pub type Step = fn(&mut Item);

/// The steps from version 1 on. Their number says what is read.
pub const STEPS: &[Step] = &[];

/// The newest version that is read.
pub const READS: usize = 1 + STEPS.len();
/// The version that is written: what the release before this one reads.
pub const WRITES: usize = 1;
const _: () = assert!(WRITES <= READS, "what is written has to be read");

/// Marks an item as of the version that is written.
pub fn mark(item: &mut Item) {
    item.insert(keys::VERSION.into(), number(WRITES));
}

/// The values of an update that sets `:what` until `:expires`; where it says the version, `:v` is that which is written.
#[must_use]
pub fn values(expression: &str, what: AttributeValue, expires: Timestamp) -> Item {
    let version = expression.contains(":v").then(|| (":v".to_owned(), number(WRITES)));
    let always = [(":what".to_owned(), what), (":expires".to_owned(), number(expires.as_second()))];
    always.into_iter().chain(version).collect()
}

/// An item as the newest version has it. An item without a version is of the first.
pub fn current(item: &Item) -> Result<Cow<'_, Item>, StoreError> {
    brought_up(item, STEPS)
}

fn brought_up<'a>(item: &'a Item, steps: &[Step]) -> Result<Cow<'a, Item>, StoreError> {
    let version = match item.get(keys::VERSION) {
        None => 1,
        Some(value) => {
            value.as_n().ok().and_then(|n| n.parse().ok()).filter(|version| *version > 0).unwrap_or(usize::MAX)
        }
    };
    let steps = steps.get(version.saturating_sub(1)..).ok_or(StoreError::Newer { version })?;
    let mut item = Cow::Borrowed(item);
    for step in steps {
        step(item.to_mut());
    }
    Ok(item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::text;

    /// Version 2 called `colour` what was `color`; version 3 has it in a list.
    fn renamed(item: &mut Item) {
        if let Some(value) = item.remove("color") {
            item.insert("colour".into(), value);
        }
    }

    fn listed(item: &mut Item) {
        if let Some(value) = item.remove("colour") {
            item.insert("colours".into(), AttributeValue::L(vec![value]));
        }
    }

    fn item(version: Option<&str>, name: &str) -> Item {
        let version = version.map(|version| (keys::VERSION.to_owned(), AttributeValue::N(version.to_owned())));
        version.into_iter().chain([(name.to_owned(), text("red"))]).collect()
    }

    #[test]
    fn an_item_is_brought_up_from_whatever_version_it_is_of() {
        let steps: &[Step] = &[renamed, listed];
        for old in [item(None, "color"), item(Some("1"), "color"), item(Some("2"), "colour")] {
            let new = brought_up(&old, steps).unwrap();
            assert_eq!(new.get("colours"), Some(&AttributeValue::L(vec![text("red")])), "{old:?}");
            assert!(!new.contains_key("color") && !new.contains_key("colour"));
        }
        // What is of this version is not copied.
        assert!(matches!(brought_up(&item(Some("3"), "colours"), steps).unwrap(), Cow::Borrowed(_)));
    }

    #[test]
    fn what_a_newer_version_wrote_is_left_alone() {
        for newer in ["2", "9", "0", "-1", "x", "99999999999999999999999"] {
            let item = item(Some(newer), "color");
            assert!(matches!(current(&item), Err(StoreError::Newer { .. })), "{newer}");
        }
        let mut marked = item(None, "color");
        mark(&mut marked);
        assert!(current(&marked).is_ok());
    }
}
