//! Signs a text as RS256, as a GitHub App proves itself. The key is a PEM: PKCS #1, as GitHub hands it out, or PKCS #8.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

use crate::secrets::Secret;

/// Why nothing can be signed. Never holds the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    #[error("the key is no PEM: it begins with -----BEGIN RSA PRIVATE KEY-----")]
    NotPem,
    #[error("the key is no RSA key of 2048 bits or more")]
    NotRsa,
    #[error("it cannot be signed with the key")]
    Refused,
}

/// The claims, signed.
pub fn rs256(key: &Secret, claims: &str) -> Result<String, Unsigned> {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let key = pair(key.expose())?;
    let mut signature = vec![0; key.public().modulus_len()];
    let signing = key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature);
    signing.map_err(|_| Unsigned::Refused)?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn pair(pem: &str) -> Result<RsaKeyPair, Unsigned> {
    let own = pem.contains("BEGIN RSA PRIVATE KEY");
    if !own && !pem.contains("BEGIN PRIVATE KEY") {
        return Err(Unsigned::NotPem);
    }
    // A parameter may have lost its line ends, or have them as `\n`.
    let (_, rest) = pem.split_once("PRIVATE KEY-----").ok_or(Unsigned::NotPem)?;
    let (body, _) = rest.split_once("-----END").ok_or(Unsigned::NotPem)?;
    let text: String = body.replace("\\n", "").split_whitespace().collect();
    let der = STANDARD.decode(text).map_err(|_| Unsigned::NotPem)?;
    let pair = if own { RsaKeyPair::from_der(&der) } else { RsaKeyPair::from_pkcs8(&der) };
    pair.map_err(|_| Unsigned::NotRsa)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_refused_and_never_repeated() {
        for (text, why) in [
            ("hunter2", Unsigned::NotPem),
            ("-----BEGIN RSA PRIVATE KEY-----\n!!!\n-----END RSA PRIVATE KEY-----", Unsigned::NotPem),
            ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----", Unsigned::NotRsa),
            ("-----BEGIN PRIVATE KEY-----\nAAAA", Unsigned::NotPem),
        ] {
            let found = rs256(&Secret::new(text).unwrap(), "{}").unwrap_err();
            assert_eq!(found, why, "{text}");
            assert!(!found.to_string().contains("hunter2"));
        }
    }
}
