//! `[sign_in]`: the OpenID provider by which people sign in to the board.

use jiff::SignedDuration;

use super::section::Section;

/// How long somebody stays signed in, unless it is said.
const LASTS: SignedDuration = SignedDuration::from_hours(12);
const SHORTEST: SignedDuration = SignedDuration::from_mins(1);
/// The claim that holds an e-mail address, unless it is said. It counts only where the provider says that it is verified.
pub const EMAIL: &str = "email";

/// Where people sign in, and who of them reads the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// As the provider writes it, with or without a slash at its end.
    pub issuer: String,
    pub client_id: String,
    /// The name of the client's secret.
    pub secret: String,
    /// The claim by which somebody is known: an e-mail address.
    pub claim: String,
    /// Whoever has an address at one of these reads the board, also who is not in the roster.
    pub domains: Vec<String>,
    pub lasts: SignedDuration,
}

pub(super) fn read(section: &mut Section<'_, '_>) -> SignIn {
    let issuer = section.need_text("issuer");
    if !issuer.is_empty() && !is_safe(&issuer) {
        section.problem_with("issuer", "`issuer` has to be an https address");
    }
    let domains = section.texts("domains");
    for (domain, span) in &domains {
        if !domain.contains('.') || domain.contains(|c: char| c == '@' || c == '*' || c.is_whitespace()) {
            section.problem_in(span, "an entry of `domains` is what follows the @ of addresses: \"example.com\"");
        }
    }
    let lasts = section.duration("lasts").unwrap_or(LASTS);
    if lasts < SHORTEST {
        section.problem_with("lasts", "`lasts` has to be a minute at least: people would sign in for ever");
    }
    SignIn {
        issuer,
        client_id: section.need_text("client_id"),
        secret: section.text("secret").unwrap_or_else(|| "sign-in".to_owned()),
        claim: section.text("claim").unwrap_or_else(|| EMAIL.to_owned()),
        domains: domains.into_iter().map(|(domain, _)| domain.to_ascii_lowercase()).collect(),
        lasts,
    }
}

/// Whether what is sent to an address stays secret on its way: encrypted, or never off this machine.
#[must_use]
pub fn is_safe(url: &str) -> bool {
    // What stands before an @ is no host.
    let Some(clean) = domain::text::url(url).filter(|url| !url.contains('@')) else { return false };
    let Some(rest) = clean.strip_prefix("http://") else { return true };
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    let name = if host.starts_with('[') { host.split_inclusive(']').next() } else { host.split(':').next() };
    matches!(name, Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_sent_encrypted_or_not_off_this_machine() {
        for good in ["https://id.example.com", "http://127.0.0.1:8080/x", "http://localhost", "http://[::1]:80/"] {
            assert!(is_safe(good), "{good}");
        }
        for bad in [
            "http://id.example.com",
            "http://127.0.0.1.evil.example",
            "http://localhost@evil.example/",
            "http://localhost:x@evil.example/",
            "http://[::1]@evil.example/",
            "ftp://x",
            "",
        ] {
            assert!(!is_safe(bad), "{bad}");
        }
    }
}
