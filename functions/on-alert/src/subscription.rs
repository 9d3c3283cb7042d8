//! SNS asks once whether an address wants its messages. Who asks has proved itself with our token, so we say yes,
//! by the one request that SNS documents, and only to SNS itself.
//! <https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.confirm.html>

use aws::{House, Response};
use serde_json::{Value, json};

const DEADLINE_SECONDS: u64 = 5;

/// The address to open in order to confirm, if this body asks for it.
#[must_use]
pub fn asked(body: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(body).ok()?;
    let asks = event.get("Type").and_then(Value::as_str) == Some("SubscriptionConfirmation");
    event.get("SubscribeURL").and_then(Value::as_str).filter(|url| asks && is_sns(url)).map(str::to_owned)
}

/// `https://sns.<region>.amazonaws.com/?...` and nothing else: not a port, not a user, not another host.
fn is_sns(url: &str) -> bool {
    let host = url.strip_prefix("https://").and_then(|rest| rest.split_once('/')).map(|(host, _)| host);
    let Some(host) = host.and_then(|host| host.strip_prefix("sns.")) else { return false };
    let region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"));
    domain::text::url(url).is_some()
        && region.is_some_and(|r| !r.is_empty() && r.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

/// Confirms. A failure is answered with 503, so that SNS asks again.
pub async fn confirm(house: &House, url: &str) -> Response {
    match house.http.send("GET", url, &[], Vec::new(), DEADLINE_SECONDS).await {
        Ok(answer) if answer.status == 200 => Response::json(200, &json!({ "confirmed": true })),
        Ok(answer) => failed(&format!("SNS answered {}", answer.status)),
        Err(error) => failed(&aws::wire::error_chain(&error)),
    }
}

fn failed(cause: &str) -> Response {
    tracing::error!(cause, "a subscription could not be confirmed, SNS will ask again");
    Response::json(503, &json!({ "error": "the subscription could not be confirmed just now" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sns_itself_is_ever_opened() {
        let ask = |url: &str| {
            asked(json!({ "Type": "SubscriptionConfirmation", "SubscribeURL": url }).to_string().as_bytes())
        };
        assert!(ask("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=abc").is_some());
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
            assert_eq!(ask(bad), None, "{bad}");
        }
        assert_eq!(asked(br#"{"Type":"Notification","SubscribeURL":"https://sns.eu-west-1.amazonaws.com/?x"}"#), None);
    }
}
