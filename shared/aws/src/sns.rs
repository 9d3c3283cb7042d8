//! SNS over HTTPS: its messages are signed with a certificate, and it asks once whether an address wants a topic's
//! messages. Only topics that the configuration names are believed, and only SNS's own hosts are ever opened.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::signature::{self, RsaParameters, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use serde_json::{Value, json};

use crate::house::House;
use crate::settings::SenderConfig;
use crate::wire::{Refusal, Request, Response, error_chain, parse};

const DEADLINE_SECONDS: u64 = 5;
/// SNS tries for an hour at most to deliver a message over HTTPS; its clock may differ from ours by five minutes.
const OLDEST: i64 = 3600 + 300;
const AHEAD: i64 = 300;
/// SNS has one certificate a region at a time.
const MOST_CERTIFICATES: usize = 16;

const WRONG: Refusal = Refusal::Unauthenticated("SNS's signature does not match");

/// The certificates that were fetched, by their address.
#[derive(Debug, Default)]
pub struct Certificates(Mutex<BTreeMap<String, Vec<u8>>>);

impl Certificates {
    /// Keeps a certificate (DER) as that of this address.
    pub fn keep(&self, url: &str, der: Vec<u8>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_CERTIFICATES {
            known.clear();
        }
        known.insert(url.to_owned(), der);
    }

    fn get(&self, url: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(url).cloned()
    }
}

/// Whether SNS signed this message, for one of these topics, lately.
pub async fn verify(house: &House, topics: &[String], request: &Request) -> Result<(), Refusal> {
    let message: Value = parse(&request.body).map_err(|_| WRONG)?;
    let word = |name: &str| message.get(name).and_then(Value::as_str).ok_or(WRONG);
    let topic = word("TopicArn")?;
    if !topics.iter().any(|known| known == topic) {
        return Err(Refusal::Unauthenticated("this SNS topic is not among the `topics` of the source"));
    }
    let sent: Timestamp = word("Timestamp")?.parse().map_err(|_| WRONG)?;
    let age = house.now().duration_since(sent).as_secs();
    if !(-AHEAD..=OLDEST).contains(&age) {
        return Err(Refusal::Unauthenticated("what was signed is too old, or of a time to come"));
    }
    let algorithm = match word("SignatureVersion")? {
        "1" => &Rsa(&signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY),
        "2" => &Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        _ => return Err(WRONG),
    };
    let given = STANDARD.decode(word("Signature")?).map_err(|_| WRONG)?;
    let signed = canonical(&message).ok_or(WRONG)?;
    let url = word("SigningCertURL")?;
    if !is_certificate(url) {
        return Err(Refusal::Unauthenticated("SNS's certificate is not at SNS's own address"));
    }
    let der = certificate(house, url).await?;
    let der = CertificateDer::from(der);
    let certificate = webpki::EndEntityCert::try_from(&der).map_err(|_| WRONG)?;
    certificate.verify_signature(algorithm, signed.as_bytes(), &given).map_err(|_| WRONG)
}

/// The text that SNS signs: certain fields, each with its name, in order.
#[must_use]
pub fn canonical(message: &Value) -> Option<String> {
    let fields: &[&str] = match message.get("Type")?.as_str()? {
        "Notification" => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
        "SubscriptionConfirmation" | "UnsubscribeConfirmation" => {
            &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        }
        _ => return None,
    };
    let mut text = String::new();
    for field in fields {
        match message.get(field).filter(|value| !value.is_null()) {
            Some(value) => text.extend([*field, "\n", value.as_str()?, "\n"]),
            None if *field == "Subject" => {}
            None => return None,
        }
    }
    Some(text)
}

/// The certificate at this address, which is SNS's: TLS proves it.
async fn certificate(house: &House, url: &str) -> Result<Vec<u8>, Refusal> {
    const AWAY: Refusal = Refusal::NotNow("SNS's certificate cannot be had just now, please send it again");
    if let Some(known) = house.certificates.get(url) {
        return Ok(known);
    }
    let answer = house.http.send("GET", url, &[], Vec::new(), DEADLINE_SECONDS).await.map_err(|error| {
        tracing::error!(cause = error_chain(&error), "SNS's certificate cannot be fetched");
        AWAY
    })?;
    if answer.status != 200 {
        return Err(AWAY);
    }
    let der = CertificateDer::from_pem_slice(&answer.body).map_err(|_| WRONG)?;
    house.certificates.keep(url, der.to_vec());
    Ok(der.to_vec())
}

/// `https://sns.<region>.amazonaws.com/` and what follows, or nothing: not a port, not a user, not another host.
fn path_at_sns(url: &str) -> Option<&str> {
    let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
    let host = host.strip_prefix("sns.")?;
    let region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let plain = !region.is_empty() && region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (plain && domain::text::url(url).is_some()).then_some(path)
}

fn is_certificate(url: &str) -> bool {
    let name = path_at_sns(url).and_then(|p| p.strip_prefix("SimpleNotificationService-")?.strip_suffix(".pem"));
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// SNS asks whether we want a topic's messages: yes, if the source names the topic, by the one request that SNS
/// documents. `None`: it asks nothing.
pub async fn confirm(house: &House, config: &SenderConfig, body: &[u8]) -> Option<Result<Response, Refusal>> {
    let message: Value = serde_json::from_slice(body).ok()?;
    let word = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or("");
    if word("Type") != "SubscriptionConfirmation" || message.get("SubscribeURL").is_none() {
        return None;
    }
    if !config.topics.iter().any(|topic| topic == word("TopicArn")) {
        return Some(Err(Refusal::Forbidden("this SNS topic is not among the `topics` of the source")));
    }
    if path_at_sns(word("SubscribeURL")).is_none() {
        return Some(Err(Refusal::Forbidden("only SNS's own address is opened to confirm a subscription")));
    }
    let sent = house.http.send("GET", word("SubscribeURL"), &[], Vec::new(), DEADLINE_SECONDS).await;
    let cause = match sent {
        Ok(answer) if answer.status == 200 => return Some(Ok(Response::json(200, &json!({ "confirmed": true })))),
        Ok(answer) => format!("SNS answered {}", answer.status),
        Err(error) => error_chain(&error),
    };
    tracing::error!(cause, "a subscription could not be confirmed, SNS will ask again");
    Some(Err(Refusal::NotNow("the subscription could not be confirmed just now")))
}

/// RSA with one of the digests that SNS uses; SHA-1 is what it uses unless a topic says otherwise.
#[derive(Debug)]
struct Rsa(&'static RsaParameters);

impl SignatureVerificationAlgorithm for Rsa {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(self.0, key).verify(message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_PKCS1_SHA256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sns_itself_is_ever_opened() {
        assert!(path_at_sns("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=abc").is_some());
        assert!(is_certificate("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0f3b.pem"));
        for bad in [
            "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.eu-west-1.amazonaws.com.evil.example/?x",
            "https://sns.eu-west-1.amazonaws.com:444/?x",
            "https://user@sns.eu-west-1.amazonaws.com/?x",
            "https://sns.evil.example#.amazonaws.com/?x",
            "https://sns..amazonaws.com/?x",
            "https://169.254.169.254/latest/meta-data",
            "https://sns.eu-west-1.amazonaws.com",
        ] {
            assert_eq!(path_at_sns(bad), None, "{bad}");
        }
        // A topic's policy may allow anybody to publish, and a bucket's name may look like a path.
        for bad in ["/evil.pem", "/SimpleNotificationService-.pem", "/SimpleNotificationService-x/../y.pem", "/x"] {
            assert!(!is_certificate(&format!("https://sns.eu-west-1.amazonaws.com{bad}")), "{bad}");
        }
    }
}
