//! What GitLab tells in several ways: numbers, times, the project.

use aws::Malformed;
use domain::{Repository, times};
use jiff::Timestamp;
use serde_json::Value;

/// The text at a place, if there is one.
pub(super) fn word<'a>(value: &'a Value, place: &str) -> Option<&'a str> {
    value.pointer(place)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// A number, or a text that is one.
pub(super) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// `2017-12-10 17:08:07 UTC`, `2021-04-28 21:50:00 +0200`, `2012-01-03T23:36:29+02:00`.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let text = match text.strip_suffix(" UTC") {
        Some(utc) => format!("{utc}Z"),
        None => text.replace(" +", "+").replace(" -", "-"),
    };
    text.parse().ok().filter(|at| times::plausible(*at))
}

/// The project by its full path; from its addresses where an old version tells no path.
pub(super) fn repository(event: &Value) -> Result<Repository, Malformed> {
    let paths = ["/project/path_with_namespace", "/object_attributes/target/path_with_namespace"];
    let addresses = [
        "/project/web_url",
        "/object_attributes/target/web_url",
        "/object_attributes/target/http_url",
        "/repository/homepage",
        "/repository/git_http_url",
    ];
    let told = paths.iter().filter_map(|place| word(event, place));
    let found = told.chain(addresses.iter().filter_map(|place| path_in(word(event, place)?)));
    let mut found = found.map(str::parse::<Repository>);
    let first = found.next().ok_or_else(|| Malformed::new("a message without project.path_with_namespace"))?;
    Ok(first?)
}

/// `group/project` of `https://gitlab.example.com/group/project.git`.
fn path_in(address: &str) -> Option<&str> {
    let (_, path) = address.split_once("://")?.1.split_once('/')?;
    let path = path.trim_matches('/');
    Some(path.strip_suffix(".git").unwrap_or(path))
}

/// Whether this is the default branch; very old versions do not tell which is.
pub(super) fn is_default(branch: &str, default: Option<&str>) -> bool {
    default.map_or(matches!(branch, "main" | "master"), |default| default == branch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_in_every_form() {
        for (text, want) in [
            ("2017-12-10 17:08:07 UTC", Some("2017-12-10T17:08:07Z")),
            ("2021-04-28 21:50:00 +0200", Some("2021-04-28T19:50:00Z")),
            ("2021-04-28 21:50:00 -0730", Some("2021-04-29T05:20:00Z")),
            ("2012-01-03T23:36:29+02:00", Some("2012-01-03T21:36:29Z")),
            ("2013-12-03T17:23:34.123Z", Some("2013-12-03T17:23:34.123Z")),
            ("0001-01-01T00:00:00Z", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(moment(text).map(|at| at.to_string()), want.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn a_project_is_known_by_path_or_address() {
        for (event, want) in [
            (json!({"project": {"path_with_namespace": "Group/Sub/App"}}), Some("group/sub/app")),
            (json!({"project": {"web_url": "https://gitlab.example.com/group/app"}}), Some("group/app")),
            (json!({"repository": {"git_http_url": "http://x/group/app.git"}}), Some("group/app")),
            (json!({"project": {"path_with_namespace": "a/../b"}}), None),
            (json!({"project": {"path_with_namespace": 7}}), None),
            (json!([]), None),
        ] {
            assert_eq!(repository(&event).ok().map(|r| r.to_string()), want.map(str::to_owned), "{event}");
        }
    }
}
