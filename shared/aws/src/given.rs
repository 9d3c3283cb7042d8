//! What senders write in many ways: an id as number or text, a time in seconds, milliseconds or some form of ISO 8601,
//! a field that is absent, `null` or empty. Everything here is total. Nothing here knows a sender.
//!
//! Places are JSON pointers: `/pull_request/title`, `/alerts/0`.

use domain::{text, times};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

/// How much of what is told is kept by [`told`], in characters.
const MOST_TOLD: usize = 400;

/// The text at a place, if there is one that says something.
#[must_use]
pub fn word<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// The text or number at a place, as one bounded line.
#[must_use]
pub fn told(value: &Value, pointer: &str) -> Option<String> {
    plain(value.pointer(pointer)?)
}

/// A text or a number, as one bounded line.
#[must_use]
pub fn plain(value: &Value) -> Option<String> {
    let told = match value {
        Value::String(told) => text::line(told, MOST_TOLD),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(told).filter(|told| !told.is_empty())
}

/// What somebody's template made of something: a text, a number, yes or no, or the first of a list of these; whole, for
/// it may have to be taken apart. Nothing if it is empty, or the text `null`.
#[must_use]
pub fn made(value: &Value) -> Option<String> {
    let one = if let Value::Array(list) = value { list.first()? } else { value };
    let said = match one {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!said.is_empty() && !said.eq_ignore_ascii_case("null")).then_some(said)
}

/// What a template [`made`] at the first of these places where it made anything.
#[must_use]
pub fn any(value: &Value, pointers: &[&str]) -> Option<String> {
    pointers.iter().find_map(|pointer| made(value.pointer(pointer)?))
}

/// The items of the list at a place; none where there is no list.
pub fn list<'a>(value: &'a Value, pointer: &str) -> impl DoubleEndedIterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// A number, or a text that is one.
#[must_use]
pub fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// The time at a place: what [`moment`] reads, as text or number.
#[must_use]
pub fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    match value.pointer(pointer)? {
        Value::String(text) => moment(text),
        Value::Number(number) => moment(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A time that can be right: since 1970 in a unit that its size tells, or a date as most write it, in UTC where it has no
/// offset.
#[must_use]
pub fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let at = match (text.parse(), text.parse()) {
        (Ok(whole), _) => since_1970(whole),
        (Err(_), Ok(fraction)) => since_1970_and_a_fraction(fraction),
        (Err(_), Err(_)) => date(text),
    };
    at.filter(|at| times::plausible(*at))
}

/// Seconds of this century have ten digits, milliseconds thirteen, and so on.
fn since_1970(whole: i64) -> Option<Timestamp> {
    match whole {
        n if n < 100_000_000_000 => Timestamp::from_second(n),
        n if n < 100_000_000_000_000 => Timestamp::from_millisecond(n),
        n if n < 100_000_000_000_000_000 => Timestamp::from_microsecond(n),
        n => Timestamp::from_nanosecond(n.into()),
    }
    .ok()
}

fn since_1970_and_a_fraction(number: f64) -> Option<Timestamp> {
    let seconds = match number {
        n if n < 1e11 => n,
        n if n < 1e14 => n / 1e3,
        n if n < 1e17 => n / 1e6,
        n => n / 1e9,
    };
    // A float holds the microseconds of this century, and no more.
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()
}

/// `2026-03-20T10:00:00+01:00`, with a blank for the `T`, without a colon in the offset, with a blank before it, with
/// `UTC` instead of it, without any.
fn date(text: &str) -> Option<Timestamp> {
    let joined = match text.strip_suffix(" UTC") {
        Some(utc) => format!("{utc}Z"),
        None => text.replace(" +", "+").replace(" -", "-"),
    };
    joined.parse().ok().or_else(|| {
        let there: DateTime = joined.parse().ok()?;
        TimeZone::UTC.to_timestamp(there).ok()
    })
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, proptest};
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
            " 1713766590 ",
            "1.71376659e9",
            "1.71376659e12",
            "2024-04-22T06:16:30Z",
            "2024-04-22T08:16:30+02:00",
            "2024-04-22T08:16:30+0200",
            "2024-04-22T06:16:30.0000000+0000",
            "2024-04-22 06:16:30",
            "2024-04-22T06:16:30",
            "2024-04-22 06:16:30 UTC",
            "2024-04-22T06:16:30 UTC",
            "2024-04-22 08:16:30 +0200",
            "2024-04-21 22:46:30 -0730",
            "2024-04-22 08:16:30+02:00",
        ] {
            assert_eq!(moment(given), want, "{given}");
            assert_eq!(time(&json!({"at": given}), "/at"), want, "{given}");
        }
        for given in [
            "",
            "0",
            "-1",
            "NaN",
            "inf",
            "1e300",
            "yesterday",
            "0001-01-01T00:00:00Z",
            "$DATE",
            "null",
            "UTC",
            "ÄÄ",
            "-",
            "+",
        ] {
            assert_eq!(moment(given), None, "{given}");
        }
    }

    #[test]
    fn a_time_may_be_a_number_with_a_fraction() {
        for (given, want) in [
            (json!(1_713_766_590), Some("2024-04-22T06:16:30Z")),
            (json!(1_713_766_590_123_i64), Some("2024-04-22T06:16:30.123Z")),
            (json!(1_713_766_590.25), Some("2024-04-22T06:16:30.25Z")),
            (json!("1713766590.678391"), Some("2024-04-22T06:16:30.678391Z")),
            (json!(-1), None),
            (json!(u64::MAX), None),
            (json!(f64::MAX), None),
            (json!(true), None),
            (json!(["2024-04-22T06:16:30Z"]), None),
            (json!(null), None),
        ] {
            let at = time(&json!([given]), "/0").map(|at| at.to_string());
            assert_eq!(at.as_deref(), want, "{given}");
        }
        assert_eq!(time(&json!({}), "/at"), None);
    }

    #[test]
    fn a_text_says_something_or_is_none() {
        let value = json!({"a": " x\ny ", "blank": " ", "n": 7, "f": 1.5, "yes": true, "no": null, "list": [], "s": "z".repeat(999)});
        for (pointer, as_word, as_told) in [
            ("/a", Some("x\ny"), Some("x y")),
            ("/blank", None, None),
            ("/n", None, Some("7")),
            ("/f", None, Some("1.5")),
            ("/yes", None, None),
            ("/no", None, None),
            ("/list", None, None),
            ("/missing", None, None),
            ("/a/b", None, None),
            ("no pointer", None, None),
        ] {
            assert_eq!((word(&value, pointer), told(&value, pointer).as_deref()), (as_word, as_told), "{pointer}");
        }
        assert_eq!(told(&value, "/s").map(|told| told.chars().count()), Some(MOST_TOLD));
    }

    #[test]
    fn what_a_template_made_may_be_the_first_of_a_list() {
        let value = json!({"no": "null", "empty": "", "list": ["a", "b"], "yes": true, "n": 7, "deep": [["a"]]});
        for (pointers, want) in [
            (&["/list"][..], Some("a")),
            (&["/no", "/empty", "/deep", "/missing", "/n"], Some("7")),
            (&["/yes"], Some("true")),
            (&["/no"], None),
            (&[], None),
        ] {
            assert_eq!(any(&value, pointers).as_deref(), want, "{pointers:?}");
        }
    }

    #[test]
    fn a_number_may_be_a_text() {
        for (given, want) in [
            (json!(7), Some(7)),
            (json!("7"), Some(7)),
            (json!(" 7 "), Some(7)),
            (json!(-7), None),
            (json!("seven"), None),
            (json!(7.5), None),
            (json!(null), None),
        ] {
            assert_eq!(number(&given), want, "{given}");
        }
    }

    #[test]
    fn what_is_no_list_has_no_items() {
        let value = json!({"list": [1, 2, 3], "object": {"a": 1}});
        assert_eq!(list(&value, "/list").rev().filter_map(Value::as_u64).collect::<Vec<_>>(), [3, 2, 1]);
        assert!(["/object", "/missing", ""].iter().all(|place| list(&value, place).next().is_none()));
    }

    proptest! {
        #[test]
        fn any_text_is_a_plausible_time_or_none(given in ".{0,40}|[0-9TZ:+. -]{0,40}") {
            prop_assert!(moment(&given).is_none_or(times::plausible));
        }

        #[test]
        fn any_number_is_a_plausible_time_or_none(number in proptest::num::f64::ANY, whole in proptest::num::i64::ANY) {
            for given in [json!([number]), json!([whole])] {
                prop_assert!(time(&given, "/0").is_none_or(times::plausible));
            }
        }
    }
}
