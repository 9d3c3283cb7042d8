//! What a browser may do with a page of ours: apply the one style and run the one script that we wrote into it, known by their
//! digests, and ask ourselves for more. Nothing of anybody else's, whatever a title or a name may hold.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The content security policy of a page that holds this style and this script, each between its tags to the letter.
#[must_use]
pub fn of_page(style: &str, script: &str) -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; img-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        digest(style),
        digest(script)
    )
}
