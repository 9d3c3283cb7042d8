//! Who sent this? Each sender proves itself in its own way, always on the raw bytes, in constant time.
//!
//! Every way of signing with a shared key is a [`Signature`], described by what differs: the header, what stands before
//! the digest, what is signed beside the body. What is signed with a certificate is in [`crate::sns`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::secrets::Secret;
use crate::wire::{HeaderFault, Refusal, Request};

/// How far a signed time may be from ours, in seconds, before or after.
pub const TOLERANCE: i64 = 300;

const WRONG: Refusal = Refusal::Unauthenticated("the signature does not match");
const WRONG_TOKEN: Refusal = Refusal::Unauthenticated("the token does not match");

/// The HMAC-SHA256 of these parts, one after the other.
#[must_use]
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // A key of any length is accepted by HMAC; the constructor cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A header that proves something. Two of one name are a fault: which of them was meant?
fn header<'a>(request: &'a Request, name: &'static str) -> Result<&'a str, Refusal> {
    request.header(name).map_err(|fault| match fault {
        HeaderFault::Missing => Refusal::Unauthenticated("the signature or token is missing"),
        HeaderFault::Duplicated => Refusal::Unauthenticated("the signature or token stands there twice"),
    })
}

/// How a sender signs with a shared key: an HMAC-SHA256 in 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    pub header: &'static str,
    /// What stands before the digits: `sha256=`.
    pub prefix: &'static str,
    /// Whether the header may hold several, separated by commas, of which one has to match.
    pub several: bool,
    pub signed: Signed,
}

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    Body,
    /// With a time, which stands in a header of its own: `<before><time><between><body>`.
    Timed {
        header: &'static str,
        before: &'static str,
        between: &'static str,
    },
    /// With a time where that header is sent, and the body alone where it is not.
    PerhapsTimed {
        header: &'static str,
        between: &'static str,
    },
}

impl Signature {
    /// `sha256=` over the body, in this header.
    #[must_use]
    pub const fn sha256(header: &'static str) -> Self {
        Self { header, prefix: "sha256=", several: false, signed: Signed::Body }
    }

    /// Bare digits over the body, in this header.
    #[must_use]
    pub const fn bare(header: &'static str) -> Self {
        Self { header, prefix: "", several: false, signed: Signed::Body }
    }

    /// Whether one of the secrets made it.
    pub fn verify(&self, request: &Request, secrets: &[Secret], now: Timestamp) -> Result<(), Refusal> {
        let given = header(request, self.header)?;
        let given: Vec<[u8; 32]> = if self.several {
            given.split(',').filter_map(|one| hex(one.trim().strip_prefix(self.prefix)?)).collect()
        } else {
            given.strip_prefix(self.prefix).and_then(hex).into_iter().collect()
        };
        let (before, time, between) = match self.signed {
            Signed::Body => ("", "", ""),
            Signed::Timed { header: name, before, between } => (before, header(request, name)?, between),
            Signed::PerhapsTimed { header: name, between } => match request.header(name) {
                Err(HeaderFault::Missing) => ("", "", ""),
                Ok(_) | Err(HeaderFault::Duplicated) => ("", header(request, name)?, between),
            },
        };
        let parts = [before.as_bytes(), time.as_bytes(), between.as_bytes(), request.body.as_slice()];
        let matches = secrets.iter().fold(false, |found, secret| {
            let wanted = hmac_sha256(secret.bytes(), &parts);
            given.iter().fold(found, |found, given| found | bool::from(wanted.ct_eq(given)))
        });
        if !matches {
            return Err(WRONG);
        }
        if time.is_empty() { Ok(()) } else { in_time(time, now) }
    }
}

/// Slack: `v0=` over `v0:<time>:<body>`.
/// <https://docs.slack.dev/authentication/verifying-requests-from-slack>
pub const SLACK: Signature = Signature {
    header: "x-slack-signature",
    prefix: "v0=",
    several: false,
    signed: Signed::Timed { header: "x-slack-request-timestamp", before: "v0:", between: ":" },
};

/// Whether a signed time, in seconds since 1970, is near enough.
fn in_time(time: &str, now: Timestamp) -> Result<(), Refusal> {
    let seconds: i64 = time.parse().map_err(|_| WRONG)?;
    if now.as_second().abs_diff(seconds) > TOLERANCE.unsigned_abs() {
        return Err(Refusal::Unauthenticated("what was signed is too old, or of a time to come"));
    }
    Ok(())
}

/// Standard Webhooks: `webhook-signature: v1,<base64>`, several of them separated by spaces, over id, time and body.
/// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
pub fn standard_webhooks(request: &Request, secrets: &[Secret], now: Timestamp) -> Result<(), Refusal> {
    let (id, time) = (header(request, "webhook-id")?, header(request, "webhook-timestamp")?);
    let given: Vec<Vec<u8>> = header(request, "webhook-signature")?
        .split(' ')
        .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok())
        .collect();
    let parts = [id.as_bytes(), b".", time.as_bytes(), b".", request.body.as_slice()];
    let matches = secrets.iter().fold(false, |found, secret| {
        let wanted = hmac_sha256(&webhook_key(secret), &parts);
        given.iter().fold(found, |found, given| found | bool::from(wanted.ct_eq(given)))
    });
    if matches { in_time(time, now) } else { Err(WRONG) }
}

/// The key behind a secret of Standard Webhooks: `whsec_` and its base64, else the text itself.
#[must_use]
pub fn webhook_key(secret: &Secret) -> Vec<u8> {
    let decoded = secret.expose().strip_prefix("whsec_").and_then(|key| STANDARD.decode(key).ok());
    decoded.unwrap_or_else(|| secret.bytes().to_vec())
}

fn hex(digits: &str) -> Option<[u8; 32]> {
    let digits = digits.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (value(pair[0])? << 4) | value(pair[1])?;
    }
    Some(bytes)
}

/// `Authorization: Bearer <token>`, or `Basic` with the token as password: senders that do not sign.
pub fn token(request: &Request, secrets: &[Secret]) -> Result<(), Refusal> {
    same(&credentials(request)?, secrets)
}

/// The same where there are several tokens, each with a name: whose it is. All of them are compared.
pub fn named_token<'a>(request: &Request, tokens: &'a [(String, Vec<Secret>)]) -> Result<&'a str, Refusal> {
    let given = credentials(request)?;
    let is = |found: Option<&'a str>, (name, secrets): &'a (String, Vec<Secret>)| {
        let matches = same(&given, secrets).is_ok();
        found.or(matches.then_some(name.as_str()))
    };
    tokens.iter().fold(None, is).ok_or(WRONG_TOKEN)
}

fn credentials(request: &Request) -> Result<Vec<u8>, Refusal> {
    let (scheme, credentials) = header(request, "authorization")?.split_once(' ').ok_or(WRONG_TOKEN)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(credentials.trim().as_bytes().to_vec());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(WRONG_TOKEN);
    }
    let mut decoded = STANDARD.decode(credentials.trim()).map_err(|_| WRONG_TOKEN)?;
    let colon = decoded.iter().position(|b| *b == b':').ok_or(WRONG_TOKEN)?;
    Ok(decoded.split_off(colon + 1))
}

/// The secret itself, in a header of the sender's own.
pub fn plain(request: &Request, name: &'static str, secrets: &[Secret]) -> Result<(), Refusal> {
    same(header(request, name)?.as_bytes(), secrets)
}

/// The secret as `?token=` of the address: senders that can send nothing else.
pub fn query(request: &Request, secrets: &[Secret]) -> Result<(), Refusal> {
    match request.query("token").as_slice() {
        [one] => same(one.as_bytes(), secrets),
        [] => Err(Refusal::Unauthenticated("the signature or token is missing")),
        _ => Err(Refusal::Unauthenticated("the signature or token stands there twice")),
    }
}

/// Digests are compared, so that not even the length of a secret shows.
fn same(given: &[u8], secrets: &[Secret]) -> Result<(), Refusal> {
    let digest = |text: &[u8]| hmac_sha256(b"recent-deployers token", &[text]);
    let given = digest(given);
    let matches = secrets.iter().fold(false, |found, s| found | bool::from(digest(s.bytes()).ct_eq(&given)));
    if matches { Ok(()) } else { Err(WRONG_TOKEN) }
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
        text.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)], body: &str) -> Request {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Request::new("POST", "/merge/github", headers, body.as_bytes().to_vec())
    }

    fn secrets(texts: &[&str]) -> Vec<Secret> {
        texts.iter().map(|t| Secret::new(t).unwrap()).collect()
    }

    const GOOD: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const GITHUB: Signature = Signature::sha256("x-hub-signature-256");

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn githubs_published_example_passes_and_every_variation_of_it_fails() {
        let known = secrets(&["It's a Secret to Everybody"]);
        let rotated = secrets(&["new", "It's a Secret to Everybody"]);
        let check = |value: &str, body: &str, secrets: &[Secret]| {
            GITHUB.verify(&request(&[("X-Hub-Signature-256", value)], body), secrets, at(0)).is_ok()
        };
        assert!(check(GOOD, "Hello, World!", &known));
        assert!(check(GOOD, "Hello, World!", &rotated));
        let upper = GOOD.replace("757107ea", "757107EA");
        for (value, body) in [
            (GOOD, "Hello, World"),
            (GOOD, "Hello, World!\n"),
            (&GOOD[..GOOD.len() - 1], "Hello, World!"),
            (&GOOD[7..], "Hello, World!"),
            (upper.as_str(), "Hello, World!"),
            ("sha1=757107ea", "Hello, World!"),
            ("sha256=", "Hello, World!"),
            ("", "Hello, World!"),
            (&format!("{GOOD},{GOOD}"), "Hello, World!"),
        ] {
            assert!(!check(value, body, &known), "{value:?} {body:?}");
        }
        assert!(!check(GOOD, "Hello, World!", &secrets(&["another"])));
        assert!(!check(GOOD, "Hello, World!", &[]));
        let twice = request(&[("x-hub-signature-256", GOOD), ("X-Hub-Signature-256", GOOD)], "Hello, World!");
        assert!(GITHUB.verify(&twice, &known, at(0)).is_err());
        assert!(GITHUB.verify(&request(&[], "Hello, World!"), &known, at(0)).is_err());
    }

    #[test]
    fn a_token_is_taken_as_bearer_or_as_the_password_of_basic() {
        let known = secrets(&["s3cret"]);
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        let check = |value: &str| token(&request(&[("Authorization", value)], ""), &known).is_ok();
        assert!(check("Bearer s3cret") && check("bearer s3cret") && check(&basic("any:s3cret")));
        for bad in ["Bearer", "Bearer ", "Bearer s3cre", "Bearer S3CRET", "s3cret", "Basic s3cret", "Digest s3cret"] {
            assert!(!check(bad), "{bad:?}");
        }
        assert!(!check(&basic("s3cret:")) && !check(&basic("s3cret")));
        assert!(token(&request(&[], ""), &known).is_err());
    }

    #[test]
    fn a_signed_time_holds_for_five_minutes_on_either_side() {
        let (key, body, time) = (secrets(&["key"]), "{}", 1_770_000_000_i64);
        let text = time.to_string();
        let mac = hmac_sha256(b"key", &[b"v0:", text.as_bytes(), b":", body.as_bytes()]);
        let signature = format!("v0={}", to_hex(&mac));
        let sent = request(&[("X-Slack-Signature", &signature), ("X-Slack-Request-Timestamp", &text)], body);
        for (late, taken) in [(0, true), (300, true), (-300, true), (301, false), (-301, false)] {
            assert_eq!(SLACK.verify(&sent, &key, at(time + late)).is_ok(), taken, "{late} s");
        }
        let untimed = request(&[("X-Slack-Signature", &signature)], body);
        assert!(SLACK.verify(&untimed, &key, at(time)).is_err());
    }
}
