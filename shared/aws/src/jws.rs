//! A text that its issuer signed (JSON Web Signature, RFC 7515) with a key that it publishes (RFC 7517).
//!
//! By `ring`, which is below TLS anyway: the library for it, jsonwebtoken, brings a second stack of cryptography.

pub mod sign;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;

/// The longest token that is looked at.
const MOST: usize = 64 * 1024;

/// The keys that an issuer publishes. Those that we do not understand are left out when one is looked for.
#[derive(Debug, Default, Deserialize)]
pub struct Keys {
    #[serde(default)]
    keys: Vec<Key>,
}

#[derive(Debug, Deserialize)]
struct Key {
    #[serde(default)]
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// What has to be understood beside: nothing that we do.
    #[serde(default)]
    crit: Option<serde::de::IgnoredAny>,
}

/// Why a token proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    #[error("it is not a token")]
    Malformed,
    #[error("it is signed in a way that we do not take: RS256, RS384, RS512, PS256 and ES256 are")]
    Algorithm,
    #[error("it is signed by a key that its issuer does not publish")]
    Key,
    #[error("its signature does not match")]
    Signature,
}

/// What a signature is made with.
enum Algorithm {
    Rsa(&'static RsaParameters),
    P256,
}

impl Algorithm {
    /// `none`, and those with a shared key, are not among them: whoever can read the token could make one.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            "RS384" => Self::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            "RS512" => Self::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            "PS256" => Self::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
            "ES256" => Self::P256,
            _ => return None,
        })
    }

    fn fits(&self, key: &Key) -> bool {
        match self {
            Self::Rsa(_) => key.kty == "RSA",
            Self::P256 => key.kty == "EC" && key.crv.as_deref() == Some("P-256"),
        }
    }

    fn verify(&self, key: &Key, signed: &[u8], signature: &[u8]) -> Result<(), BadToken> {
        let part = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| BadToken::Key);
        let verified = match self {
            Self::Rsa(parameters) => {
                let (n, e) = (part(&key.n)?, part(&key.e)?);
                let (n, e) = (plain(&n), plain(&e));
                RsaPublicKeyComponents { n, e }.verify(parameters, signed, signature)
            }
            Self::P256 => {
                let point = [&[4][..], &part(&key.x)?, &part(&key.y)?].concat();
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(signed, signature)
            }
        };
        verified.map_err(|_| BadToken::Signature)
    }
}

/// A number without noughts before it: to ring it is none with them, and is to some providers.
fn plain(number: &[u8]) -> &[u8] {
    number.iter().position(|b| *b != 0).and_then(|at| number.get(at..)).unwrap_or_default()
}

/// What a token says, once one of the keys has proved that its issuer says it.
pub fn verify(token: &str, keys: &Keys) -> Result<Vec<u8>, BadToken> {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| BadToken::Malformed);
    if token.len() > MOST {
        return Err(BadToken::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(BadToken::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(BadToken::Malformed)?;
    let header: Header = serde_json::from_slice(&bytes(header)?).map_err(|_| BadToken::Malformed)?;
    let algorithm = Algorithm::named(&header.alg).filter(|_| header.crit.is_none()).ok_or(BadToken::Algorithm)?;
    let signature = bytes(signature)?;
    let fits = |key: &&Key| {
        algorithm.fits(key)
            && key.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && key.alg.as_ref().is_none_or(|alg| *alg == header.alg)
            && (header.kid.is_none() || key.kid == header.kid)
    };
    let mut why = BadToken::Key;
    for key in keys.keys.iter().filter(fits) {
        match algorithm.verify(key, signed.as_bytes(), &signature) {
            Ok(()) => return bytes(payload),
            Err(bad) => why = bad,
        }
    }
    Err(why)
}
