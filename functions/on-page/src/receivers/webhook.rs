//! A webhook signed as Standard Webhooks describes: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
//!
//! `webhook-id` is the message's key: the same however often it is sent, so that its receiver can drop repeats.

use aws::secrets::Secret;
use aws::verify::hmac_sha256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Message;
use domain::message::Link;
use jiff::Timestamp;
use serde_json::json;

use super::{Letter, Undelivered, post};

pub(super) async fn send(letter: &Letter<'_>) -> Result<(), Undelivered> {
    let secret = letter.secret()?;
    let id = letter.message.key.to_string();
    let now = letter.house.now();
    let body = body(letter.message, letter.actions, now);
    let timestamp = now.as_second().to_string();
    let signature = sign(&secret, &id, &timestamp, &body);
    let headers = [
        ("content-type", "application/json"),
        ("webhook-id", id.as_str()),
        ("webhook-timestamp", timestamp.as_str()),
        ("webhook-signature", signature.as_str()),
    ];
    let answer = post::send(letter, "POST", &letter.receiver.url, &headers, body.as_bytes()).await?;
    if (200..300).contains(&answer.status) { Ok(()) } else { Err(Undelivered::Status(answer.status)) }
}

fn body(message: &Message, actions: &[Link], now: Timestamp) -> String {
    json!({
        "type": format!("{}.{}", message.kind.word(), message.key.step.word()),
        "timestamp": now,
        "data": {
            "key": message.key.to_string(),
            "kind": message.kind,
            "step": message.key.step.word(),
            "person": message.key.person,
            "service": message.key.service,
            "subject": message.key.subject.to_string(),
            "severity": message.severity,
            "title": message.title,
            "lines": message.lines,
            "links": message.links,
            "actions": actions,
            "acknowledge_url": actions.iter().find(|a| a.label == "Acknowledge").map(|a| &a.url),
            "reason": message.reason,
            "decided_at": message.decided_at,
        }
    })
    .to_string()
}

/// `v1,` and the base64 of the HMAC over id, timestamp and body.
#[must_use]
pub fn sign(secret: &Secret, id: &str, timestamp: &str, body: &str) -> String {
    let decoded = secret.expose().strip_prefix("whsec_").and_then(|key| STANDARD.decode(key).ok());
    let key = decoded.as_deref().unwrap_or(secret.bytes());
    let mac = hmac_sha256(key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body.as_bytes()]);
    format!("v1,{}", STANDARD.encode(mac))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_of_standard_webhooks_is_signed_as_published() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(
            sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}
