//! Who sent this? Each sender proves itself in its own way, always on the raw bytes, in constant time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::secrets::Secret;
use crate::wire::{HeaderFault, Refusal, Request};

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

fn header<'a>(request: &'a Request, name: &'static str) -> Result<&'a str, Refusal> {
    request.header(name).map_err(|fault| match fault {
        HeaderFault::Missing => Refusal::Unauthenticated("the signature or token is missing"),
        HeaderFault::Duplicated => Refusal::Unauthenticated("the signature or token stands there twice"),
    })
}

/// `sha256=` and 64 lower-case hexadecimal digits over the body: GitHub, Bitbucket.
pub fn hub_signature(request: &Request, name: &'static str, secrets: &[Secret]) -> Result<(), Refusal> {
    const WRONG: Refusal = Refusal::Unauthenticated("the signature does not match");
    let digits = header(request, name)?.strip_prefix("sha256=").ok_or(WRONG)?;
    let given = hex(digits).ok_or(WRONG)?;
    let matches = secrets.iter().fold(false, |found, secret| {
        let wanted = hmac_sha256(secret.bytes(), &[&request.body]);
        found | bool::from(wanted.ct_eq(&given))
    });
    if matches { Ok(()) } else { Err(WRONG) }
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
    const WRONG: Refusal = Refusal::Unauthenticated("the token does not match");
    let (scheme, credentials) = header(request, "authorization")?.split_once(' ').ok_or(WRONG)?;
    let given = if scheme.eq_ignore_ascii_case("bearer") {
        credentials.trim().as_bytes().to_vec()
    } else if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD.decode(credentials.trim()).map_err(|_| WRONG)?;
        let colon = decoded.iter().position(|b| *b == b':').ok_or(WRONG)?;
        decoded[colon + 1..].to_vec()
    } else {
        return Err(WRONG);
    };
    // Digests are compared, so that not even the length of a secret shows.
    let digest = |text: &[u8]| hmac_sha256(b"recent-deployers token", &[text]);
    let given = digest(&given);
    let matches = secrets.iter().fold(false, |found, s| found | bool::from(digest(s.bytes()).ct_eq(&given)));
    if matches { Ok(()) } else { Err(WRONG) }
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

    #[test]
    fn githubs_published_example_passes_and_every_variation_of_it_fails() {
        let known = secrets(&["It's a Secret to Everybody"]);
        let rotated = secrets(&["new", "It's a Secret to Everybody"]);
        let check = |value: &str, body: &str, secrets: &[Secret]| {
            hub_signature(&request(&[("X-Hub-Signature-256", value)], body), "x-hub-signature-256", secrets).is_ok()
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
        assert!(hub_signature(&twice, "x-hub-signature-256", &known).is_err());
        assert!(hub_signature(&request(&[], "Hello, World!"), "x-hub-signature-256", &known).is_err());
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
}
