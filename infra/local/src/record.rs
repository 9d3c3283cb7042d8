//! Records what is delivered and what people do, as the archive that `replay` plays once more: one JSON object a line. What people do is the
//! same line whether they did it by a link, a button or a command; what they proved it with is not in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use aws::links::Action;
use aws::{Request, Response};
use domain::PersonId;
use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Hears every line of the archive.
pub type Recorder = Arc<dyn Fn(&str) + Send + Sync>;

/// Adds to this file, which is made if it is not there. What cannot be written is logged: nobody waits for it.
pub fn into_file(path: &Path) -> io::Result<Recorder> {
    let mut options = File::options();
    options.create(true).append(true);
    // Who merges what is in it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = Mutex::new(options.open(path)?);
    Ok(Arc::new(move |line| {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
            tracing::error!(%error, "a delivery was not recorded");
        }
    }))
}

/// The line for what a sender delivered, if it was taken and can be played again.
#[must_use]
pub fn delivery(request: &Request, response: &Response, at: Timestamp) -> Option<String> {
    let segments = request.segments();
    let taken = request.method == "POST" && response.status == 200;
    if !taken || !matches!(segments.as_slice(), ["merge" | "deploy" | "alert", _]) {
        return None;
    }
    let to = format!("/{}", segments.join("/"));
    let text = str::from_utf8(&request.body).ok()?;
    let text = match without_proof(text) {
        Envelope::None => text.to_owned(),
        Envelope::Message(text) => text,
        Envelope::Confirmation => return None,
    };
    // As it came, or as a text where it is no JSON.
    let body = RawValue::from_string(text.clone()).ok().filter(|_| !text.contains('\n'));
    let (at, to) = (json!(at), json!(to));
    Some(match body {
        Some(body) => format!("{{\"at\":{at},\"to\":{to},\"body\":{}}}", body.get()),
        None => json!({ "at": at, "to": to, "raw": text }).to_string(),
    })
}

/// The line for what somebody did, by a link, a button or a command: without the proof that it was they.
#[must_use]
pub fn act(action: &Action, by: &PersonId, form: &BTreeMap<String, String>, at: Timestamp) -> Option<String> {
    if let Action::Person(_) = action {
        // Whose data were exported or removed is kept nowhere.
        return None;
    }
    Some(json!({ "at": at, "to": action.address(), "by": by, "form": form }).to_string())
}

/// What SNS puts a message into.
enum Envelope {
    None,
    /// Without what proves that it is SNS's, and without what ends a subscription.
    Message(String),
    /// It asks whether an address wants a topic's messages: nothing happened.
    Confirmation,
}

fn without_proof(text: &str) -> Envelope {
    const SECRET: [&str; 5] = ["Token", "SubscribeURL", "UnsubscribeURL", "Signature", "SigningCertURL"];
    let Ok(Value::Object(mut message)) = serde_json::from_str(text) else { return Envelope::None };
    if !message.contains_key("TopicArn") {
        return Envelope::None;
    }
    match message.get("Type").and_then(Value::as_str) {
        Some("SubscriptionConfirmation" | "UnsubscribeConfirmation") => Envelope::Confirmation,
        Some("Notification") => {
            message.retain(|name, _| !SECRET.contains(&name.as_str()));
            Envelope::Message(Value::Object(message).to_string())
        }
        Some(_) | None => Envelope::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(body: &str) -> Option<String> {
        let request = Request::new("POST", "/alert/cloudwatch", vec![], body.as_bytes().to_vec());
        let response = Response { status: 200, headers: Vec::new(), body: String::new() };
        delivery(&request, &response, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn what_proves_a_message_of_sns_is_not_recorded_and_no_confirmation_is() {
        let more = r#""TopicArn":"arn:aws:sns:eu-west-1:1:alarms","Message":"{}","Signature":"c2ln","SigningCertURL":"https://sns/x.pem","UnsubscribeURL":"https://sns/?Action=Unsubscribe","SubscribeURL":"https://sns/?Action=Confirm","Token":"t0ken""#;
        let line = recorded(&format!("{{\"Type\":\"Notification\",{more}}}")).unwrap();
        assert_eq!(
            line,
            r#"{"at":"1970-01-01T00:00:00Z","to":"/alert/cloudwatch","body":{"Message":"{}","TopicArn":"arn:aws:sns:eu-west-1:1:alarms","Type":"Notification"}}"#
        );
        for kind in ["SubscriptionConfirmation", "UnsubscribeConfirmation"] {
            assert_eq!(recorded(&format!("{{\"Type\":\"{kind}\",{more}}}")), None);
        }
        // Whatever else is called so is not SNS's.
        assert!(recorded(r#"{"Type":"Notification","Token":"a word"}"#).unwrap().contains("a word"));
    }
}
