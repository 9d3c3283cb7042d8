//! The one comment at a merged pull request, as at GitHub. The token needs `write:issue`.
//! <https://docs.gitea.com/api/#tag/issue/operation/issueEditComment>

pub use super::super::github::comments::{edit, leave, since};
