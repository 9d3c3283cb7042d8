//! What AWS wraps around an event on its way: SNS (to Lambda, over HTTPS, or raw), EventBridge, a batch of records.

use serde_json::Value;

use crate::sender::Reading;
use crate::wire::Malformed;

/// The events inside whatever carried them.
#[must_use]
pub fn unwrap(event: &Value) -> Vec<Result<Value, Malformed>> {
    if let Some(records) = event.get("Records").and_then(Value::as_array) {
        return records.iter().filter_map(|r| r.pointer("/Sns/Message")).map(inner).collect();
    }
    match event.get("Message") {
        Some(message) if !event.get("Type").is_some_and(|t| t != "Notification") => vec![inner(message)],
        Some(_) | None => vec![Ok(event.clone())],
    }
}

/// SNS carries its message as a text of JSON.
fn inner(message: &Value) -> Result<Value, Malformed> {
    match message {
        // What is not JSON is somebody's note to the topic.
        Value::String(text) => Ok(serde_json::from_str(text).unwrap_or(Value::Null)),
        Value::Object(_) => Ok(message.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err(Malformed::new("an SNS message that is not a text"))
        }
    }
}

/// What could be read of the events that a message carried.
pub struct Carried<E> {
    pub events: Vec<E>,
    /// How many were for us, read or not.
    pub of: usize,
}

/// Reads each event that is carried: what can be read is; an error only where nothing can.
pub fn read<E>(
    event: &Value,
    mut read: impl FnMut(&Value) -> Result<Reading<E>, Malformed>,
) -> Result<Reading<Carried<E>>, Malformed> {
    let mut events = Vec::new();
    let (mut ignored, mut unread) = (None, None);
    let carried = unwrap(event);
    let mut of = carried.len();
    for one in carried {
        match one.and_then(|one| read(&one)) {
            Ok(Reading::Event(event)) => events.push(event),
            Ok(Reading::Ignored(why)) => {
                ignored = Some(why);
                of -= 1;
            }
            Err(why) => unread = Some(why),
        }
    }
    match (events.is_empty(), ignored, unread) {
        (false, ..) => Ok(Reading::Event(Carried { events, of })),
        (true, None, Some(why)) => Err(why),
        (true, why, _) => Ok(Reading::Ignored(why.unwrap_or_else(|| "the message carries no events".to_owned()))),
    }
}
