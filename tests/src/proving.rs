//! How senders prove themselves, done as each of them does it: for tests that send what anybody might.

use aws::Proof;
use aws::verify::{Signature, Signed, hmac_sha256, to_hex};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

/// What a sender sends with a body to prove itself: headers, or what follows the `?`.
#[derive(Clone)]
pub struct Sent {
    pub headers: Vec<(String, String)>,
    pub query: String,
    pub body: Vec<u8>,
}

/// As the sender would do it with this key at this time. SNS alone signs with what nobody else has.
#[must_use]
pub fn prove(proof: Proof, key: &str, body: &[u8], at: Timestamp) -> Option<Sent> {
    let time = at.as_second().to_string();
    let header = |name: &str, value: String| (name.to_owned(), value);
    let mut query = String::new();
    let headers = match proof {
        Proof::Signature(Signature { header: name, prefix, signed, .. }) => {
            let (before, timed, between) = match signed {
                Signed::Body => ("", None, ""),
                Signed::Timed { header, before, between } => (before, Some(header), between),
                Signed::PerhapsTimed { header, between } => ("", Some(header), between),
            };
            let told = if timed.is_some() { time.as_str() } else { "" };
            let mac = hmac_sha256(key.as_bytes(), &[before.as_bytes(), told.as_bytes(), between.as_bytes(), body]);
            let own = header(name, format!("{prefix}{}", to_hex(&mac)));
            std::iter::once(own).chain(timed.map(|name| header(name, time.clone()))).collect()
        }
        Proof::StandardWebhooks => {
            let mac = hmac_sha256(key.as_bytes(), &[b"msg_1.", time.as_bytes(), b".", body]);
            vec![
                header("webhook-signature", format!("v1,{}", STANDARD.encode(mac))),
                header("webhook-id", "msg_1".into()),
                header("webhook-timestamp", time),
            ]
        }
        Proof::Header(name) => vec![header(name, key.to_owned())],
        Proof::Token => vec![header("authorization", format!("Bearer {key}"))],
        Proof::Query => {
            query = format!("token={key}");
            vec![]
        }
        Proof::Sns => return None,
    };
    Some(Sent { headers, query, body: body.to_vec() })
}
