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

/// Whether an address that somebody else names may be asked, where `from` was configured: encrypted if that is, so that nobody
/// leads us to a service of this machine; and, unless it is of the same host, by a name, so that nobody leads us to a number of our
/// own net, such as the one by which a machine in a cloud is told its credentials. Where a name leads is nothing to trust: who
/// answers there has to have a certificate for it.
#[must_use]
pub fn may_lead(from: &str, to: &str) -> bool {
    let (Some((scheme, there)), Some((own, here))) = (to.split_once("://"), from.split_once("://")) else {
        return false;
    };
    let host = |rest: &str| rest.split(['/', '?', '#']).next().unwrap_or("").to_ascii_lowercase();
    is_safe(to) && scheme == own && (scheme == "http" || host(there) == host(here) || is_name(&host(there)))
}

/// `calendar.example.com`, and no number in any notation, nor this machine.
fn is_name(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or("").trim_end_matches('.');
    let last = name.rsplit_once('.').map_or("", |(_, last)| last);
    last.starts_with(|c: char| c.is_ascii_alphabetic()) && last != "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_leads_us_to_this_machine_or_to_a_number() {
        let from = "https://id.example.com/realms/edx";
        for good in ["https://id.example.com/token", "https://login.example.net:8443/token", "https://ID.example.com"] {
            assert!(may_lead(from, good), "{good}");
        }
        for bad in [
            "http://id.example.com/token",
            "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
            "http://localhost/",
            "https://localhost/",
            "https://a.localhost/",
            "https://127.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://169.254.169.254:443/",
            "https://169.254.169.254./",
            "https://[fd00:ec2::254]/latest/meta-data/",
            "https://[::ffff:169.254.169.254]/",
            "https://2852039166/",
            "https://0xA9FEA9FE/",
            "https://169.254.43518/",
            "https://0xa9.0xfe.0xa9.0xfe/",
            "https://metadata/",
            "https:///",
            "https://",
            "id.example.com",
            "",
        ] {
            assert!(!may_lead(from, bad), "{bad}");
        }
        assert!(may_lead("https://10.0.0.7/realms/edx", "https://10.0.0.7/token"), "as it was configured");
        assert!(!may_lead("https://10.0.0.7/realms/edx", "https://10.0.0.8/token"));
        assert!(may_lead("http://127.0.0.1:8000/x", "http://localhost:9000/y"), "on one machine");
        assert!(!may_lead("http://127.0.0.1:8000/x", "http://id.example.com/"));
    }

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
