//! Slack tells of an event: our address is to be confirmed, or somebody opens our home tab. What is told again is shown again, which
//! is harmless. <https://docs.slack.dev/apis/events-api>, <https://docs.slack.dev/reference/events/app_home_opened>

use aws::receiver::ReceiverConfig;
use aws::{House, Malformed, Refusal, Response, wire};
use serde::Deserialize;
use serde_json::json;

use super::{home, person};

/// The longest challenge that is sent back.
const MOST_CHALLENGE: usize = 500;

#[derive(Deserialize)]
struct Told {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    challenge: String,
    event: Option<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    tab: String,
}

pub(super) async fn hear(house: &House, receivers: &[&ReceiverConfig], body: &[u8]) -> Result<Response, Refusal> {
    let Told { kind, challenge, event } = wire::parse(body)?;
    match (kind.as_str(), event) {
        ("url_verification", _) if !challenge.is_empty() && challenge.len() <= MOST_CHALLENGE => {
            Ok(Response::json(200, &json!({ "challenge": challenge })))
        }
        ("event_callback", Some(event)) if event.kind == "app_home_opened" => opened(house, receivers, &event).await,
        ("event_callback", Some(_)) => Ok(Response::ignored("an event that we did not ask for")),
        ("app_rate_limited", _) => {
            tracing::warn!("Slack tells us of too many events, and leaves some out");
            Ok(Response::ignored("Slack tells us of too many events"))
        }
        _ => Err(Malformed::new("not an event").into()),
    }
}

async fn opened(house: &House, receivers: &[&ReceiverConfig], event: &Event) -> Result<Response, Refusal> {
    if event.tab != "home" {
        return Ok(Response::ignored("another tab than the home"));
    }
    let user = &event.user;
    if !user.starts_with(['U', 'W']) || user.len() > 32 || !user.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(Malformed::new("nobody opened it").into());
    }
    home::show(house, receivers, user, person(&house.settings().roster, receivers, user), None).await?;
    Ok(Response { status: 200, headers: Vec::new(), body: String::new() })
}
