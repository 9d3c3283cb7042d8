//! What a browser carries between two requests of somebody who signs in or is signed in: signed, bounded in time, and
//! nothing of it is kept here. Each is a text that may stand in a cookie.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::secrets::Secret;
use crate::verify::hmac_sha256;

/// How long signing in may take.
pub const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// Who a program on the machine of the bundle is, which has its secrets: no e-mail address is that.
pub const MACHINE: &str = "this machine";
/// The longest text that is looked at.
const MOST: usize = 2048;

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// By their e-mail address.
    pub who: String,
    pub expires: Timestamp,
}

impl Session {
    #[must_use]
    pub fn seal(&self, secret: &Secret) -> String {
        seal(secret, "session", &self.who, self.expires)
    }

    /// `None`: it is not one of ours, was changed, or is over.
    #[must_use]
    pub fn open(secret: &Secret, sealed: &str, now: Timestamp) -> Option<Self> {
        let (who, expires) = open(secret, "session", sealed, now)?;
        Some(Self { who, expires })
    }
}

/// Somebody is at the provider to sign in. What is sent there follows from a seed that only this browser has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    seed: String,
    /// The path that they wanted to see.
    pub to: String,
    pub expires: Timestamp,
}

impl Attempt {
    /// `None`: the system gives no randomness.
    #[must_use]
    pub fn begin(to: &str, now: Timestamp) -> Option<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).ok()?;
        let to = if is_path(to) { to } else { "/" };
        Some(Self { seed: URL_SAFE_NO_PAD.encode(bytes), to: to.to_owned(), expires: now + PATIENCE })
    }

    #[must_use]
    pub fn seal(&self, secret: &Secret) -> String {
        seal(secret, "attempt", &format!("{} {}", self.seed, self.to), self.expires)
    }

    #[must_use]
    pub fn open(secret: &Secret, sealed: &str, now: Timestamp) -> Option<Self> {
        let (text, expires) = open(secret, "attempt", sealed, now)?;
        let (seed, to) = text.split_once(' ')?;
        Some(Self { seed: seed.to_owned(), to: to.to_owned(), expires })
    }

    /// Comes back with the answer, so that nobody can hand a browser somebody else's.
    #[must_use]
    pub fn state(&self, secret: &Secret) -> String {
        self.derived(secret, "state")
    }

    #[must_use]
    pub fn is_state(&self, secret: &Secret, given: &str) -> bool {
        self.state(secret).as_bytes().ct_eq(given.as_bytes()).into()
    }

    /// Stands in the token that is made for this attempt, and in no other.
    #[must_use]
    pub fn nonce(&self, secret: &Secret) -> String {
        self.derived(secret, "nonce")
    }

    /// Proves that whoever asks for the token is who began (RFC 7636).
    #[must_use]
    pub fn verifier(&self, secret: &Secret) -> String {
        self.derived(secret, "verifier")
    }

    #[must_use]
    pub fn challenge(&self, secret: &Secret) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier(secret).as_bytes()))
    }

    fn derived(&self, secret: &Secret, what: &str) -> String {
        let parts: [&[u8]; 4] = [b"sign-in\n", what.as_bytes(), b"\n", self.seed.as_bytes()];
        URL_SAFE_NO_PAD.encode(hmac_sha256(secret.bytes(), &parts))
    }
}

/// A path of our own, to which somebody may be sent: of no other host, whatever a browser makes of it.
#[must_use]
pub fn is_path(text: &str) -> bool {
    let plain = text.len() <= 500 && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    plain && text.starts_with('/') && !text.starts_with("//")
}

fn seal(secret: &Secret, kind: &str, text: &str, expires: Timestamp) -> String {
    let body = format!("{}.{}", URL_SAFE_NO_PAD.encode(text), expires.as_second());
    let mac = mac(secret, kind, &body);
    format!("{body}.{mac}")
}

fn mac(secret: &Secret, kind: &str, body: &str) -> String {
    let parts: [&[u8]; 3] = [kind.as_bytes(), b"\n", body.as_bytes()];
    URL_SAFE_NO_PAD.encode(hmac_sha256(secret.bytes(), &parts))
}

fn open(secret: &Secret, kind: &str, sealed: &str, now: Timestamp) -> Option<(String, Timestamp)> {
    if sealed.len() > MOST {
        return None;
    }
    let (body, given) = sealed.rsplit_once('.')?;
    if !bool::from(mac(secret, kind, body).as_bytes().ct_eq(given.as_bytes())) {
        return None;
    }
    let (text, expires) = body.split_once('.')?;
    let expires = Timestamp::from_second(expires.parse().ok()?).ok()?;
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    (expires > now).then_some((text, expires))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_session_is_of_its_secret_its_time_and_its_kind() {
        let secret = Secret::new("key").unwrap();
        let session = Session { who: "feanil@example.com".to_owned(), expires: at("2026-03-20T12:00:00Z") };
        let sealed = session.seal(&secret);
        let now = at("2026-03-20T11:59:59Z");
        assert_eq!(Session::open(&secret, &sealed, now), Some(session.clone()));
        assert_eq!(Session::open(&secret, &sealed, session.expires), None, "it is over");
        assert_eq!(Session::open(&Secret::new("other").unwrap(), &sealed, now), None);
        assert_eq!(Attempt::open(&secret, &sealed, now), None, "it is no attempt");
        let later = sealed.replace(&session.expires.as_second().to_string(), "1900000000");
        for bad in ["", ".", "..", &sealed[1..], &later, &format!("{sealed}A"), &"a.".repeat(4000)] {
            assert_eq!(Session::open(&secret, bad, now), None, "{bad}");
        }
    }

    #[test]
    fn what_is_sent_to_the_provider_follows_from_a_seed_that_nobody_else_has() {
        let secret = Secret::new("key").unwrap();
        let now = at("2026-03-20T12:00:00Z");
        let attempt = Attempt::begin("/incidents/edxapp-k3v7q2ma?x=1", now).unwrap();
        let back = Attempt::open(&secret, &attempt.seal(&secret), now).unwrap();
        assert_eq!(back, attempt);
        assert!(back.is_state(&secret, &attempt.state(&secret)));
        let other = Attempt::begin("/", now).unwrap();
        assert!(!other.is_state(&secret, &attempt.state(&secret)) && !other.is_state(&secret, ""));
        let all =
            [attempt.state(&secret), attempt.nonce(&secret), attempt.verifier(&secret), attempt.challenge(&secret)];
        for (i, one) in all.iter().enumerate() {
            assert_eq!(one.len(), 43);
            assert!(all.iter().skip(i + 1).all(|other| other != one));
        }
        assert_eq!(Attempt::open(&secret, &attempt.seal(&secret), now + PATIENCE), None);
    }

    #[test]
    fn nobody_is_sent_to_another_host() {
        for good in ["/", "/incidents/edxapp-k3v7q2ma", "/people/anna?x=%2F"] {
            assert_eq!(Attempt::begin(good, Timestamp::UNIX_EPOCH).unwrap().to, good);
        }
        for bad in
            ["//evil.example", "/\\evil.example", "https://evil.example", "", "evil", "/a\r\nset-cookie: x", "/ä"]
        {
            assert_eq!(Attempt::begin(bad, Timestamp::UNIX_EPOCH).unwrap().to, "/", "{bad}");
        }
    }
}
