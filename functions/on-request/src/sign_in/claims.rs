//! What an ID token has to say before somebody is signed in by it.
//! <https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation>

use aws::jws::{self, BadToken, Keys};
use aws::settings::sign_in::{EMAIL, SignIn};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

/// How far the provider's clock may be from ours.
const LEEWAY_SECONDS: f64 = 120.0;

/// What is known of whoever signed in.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    /// Who it is at the provider.
    pub(super) sub: String,
    #[serde(flatten)]
    pub(super) others: Map<String, Value>,
}

#[derive(Deserialize)]
struct Envelope {
    iss: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: f64,
    #[serde(default)]
    iat: Option<f64>,
    #[serde(default)]
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Why nobody is signed in by a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotProven {
    #[error(transparent)]
    Token(#[from] BadToken),
    #[error("it is of another issuer")]
    Issuer,
    #[error("it is for another application")]
    Audience,
    #[error("it has expired, or is of a time to come")]
    Time,
    #[error("it was made for another attempt to sign in")]
    Nonce,
}

/// Why somebody who proved who they are is not known by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotKnown {
    #[error("the provider did not say which e-mail address is yours")]
    NoAddress,
    #[error("the provider does not say that your e-mail address is verified")]
    NotVerified,
}

/// What the token says, if the provider made it for this attempt of ours, just now.
pub(super) fn proven(
    token: &str,
    keys: &Keys,
    config: &SignIn,
    nonce: &str,
    now: Timestamp,
) -> Result<Claims, NotProven> {
    let payload = jws::verify(token, keys)?;
    let malformed = |_| NotProven::Token(BadToken::Malformed);
    let envelope: Envelope = serde_json::from_slice(&payload).map_err(malformed)?;
    if envelope.iss != config.issuer {
        return Err(NotProven::Issuer);
    }
    let (ours, several) = match &envelope.aud {
        Audience::One(one) => (*one == config.client_id, false),
        Audience::Several(all) => (all.contains(&config.client_id), all.len() > 1),
    };
    let party = envelope.azp.as_ref();
    if !ours || party.is_some_and(|party| *party != config.client_id) || (several && party.is_none()) {
        return Err(NotProven::Audience);
    }
    // As numbers: there are more of them than times.
    let now = now.as_duration().as_secs_f64();
    let in_time =
        envelope.exp + LEEWAY_SECONDS > now && envelope.iat.is_none_or(|issued| issued < now + LEEWAY_SECONDS);
    if !in_time {
        return Err(NotProven::Time);
    }
    if envelope.nonce.as_deref() != Some(nonce) {
        return Err(NotProven::Nonce);
    }
    serde_json::from_slice(&payload).map_err(malformed)
}

/// Google: whoever has an address may have made a private account of it, and keeps that when they have left.
const GOOGLE: &str = "https://accounts.google.com";

/// Whether an address of a domain is the organization's own: Google says so by `hd`.
/// <https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload>
pub(super) fn is_member(claims: &Claims, config: &SignIn, address: &str) -> bool {
    let domain = address.rsplit_once('@').map(|(_, domain)| domain);
    config.issuer != GOOGLE || claims.others.get("hd").and_then(Value::as_str) == domain
}

/// The address by which somebody is known. An address that nobody verified may be anybody's.
pub(super) fn address(claims: &Claims, config: &SignIn) -> Result<String, NotKnown> {
    let address = claims.others.get(&config.claim).and_then(Value::as_str).ok_or(NotKnown::NoAddress)?;
    let verified = match claims.others.get("email_verified") {
        Some(Value::Bool(verified)) => *verified,
        // Some write it as a text.
        Some(Value::String(text)) => text == "true",
        _ => false,
    };
    if config.claim == EMAIL && !verified {
        return Err(NotKnown::NotVerified);
    }
    Ok(address.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_private_google_account_with_an_address_of_the_domain_is_no_member() {
        let config = |issuer: &str| SignIn {
            issuer: issuer.to_owned(),
            client_id: String::new(),
            secret: String::new(),
            claim: EMAIL.to_owned(),
            domains: vec!["example.com".to_owned()],
            lasts: jiff::SignedDuration::from_hours(12),
        };
        let is = |issuer: &str, claims: Value| {
            is_member(&serde_json::from_value(claims).unwrap(), &config(issuer), "anna@example.com")
        };
        assert!(is(GOOGLE, json!({ "sub": "1", "hd": "example.com" })));
        assert!(!is(GOOGLE, json!({ "sub": "1" })));
        assert!(!is(GOOGLE, json!({ "sub": "1", "hd": "other.example" })));
        assert!(is("https://id.example.com", json!({ "sub": "1" })), "there the organization makes the accounts");
    }
}
