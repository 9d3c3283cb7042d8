//! The project of a message, which GitLab tells in several ways.

use aws::Malformed;
use aws::given::word;
use domain::Repository;
use serde_json::Value;

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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
