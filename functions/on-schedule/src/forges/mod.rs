//! What forges are asked, once nobody waits for the answer.

pub mod github;

use std::collections::BTreeSet;

/// The commits that a deployment brought.
pub type Commits = BTreeSet<domain::Commit>;

/// Why a forge did not answer. Never holds the token.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    #[error("the token cannot be read")]
    Token(#[source] aws::secrets::SecretError),
    #[error("no answer")]
    Http(#[source] aws::clients::HttpError),
    #[error("the forge answered {0}")]
    Status(u16),
    #[error("the forge's answer cannot be read")]
    Malformed(#[source] aws::Malformed),
    #[error("there was no time left for the question")]
    TooLate,
    #[error("the release has more than {0} commits")]
    TooMany(usize),
}
