//! The one comment at a merged pull request, as at GitHub. The token needs `write:issue`.
//! <https://docs.gitea.com/api/#tag/issue/operation/issueEditComment>

use super::super::api;
use super::super::comments::Place;
pub use super::super::github::comments::{edit, leave, since};

/// Where the pull requests are, of which one is enough.
pub fn pulls(place: &Place<'_>) -> (String, &'static str) {
    (format!("/repos/{}/pulls", api::path(place.repository)), "limit=1")
}
