//! Requests to either of them: what every one carries, why it was refused, and what became of an alert.

use std::time::Duration;

use aws::clients::Answer;
use aws::secrets::Secret;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::super::{Letter, Undelivered, post};

/// Before each time that they are asked what became of a request.
const WAITS: [Duration; 3] = [Duration::from_millis(200), Duration::from_millis(500), Duration::from_millis(900)];
/// How long all asking may take: what is not known by then counts as taken.
const ASKING_TAKES: Duration = Duration::from_secs(3);

/// The API of one of them, for one letter.
pub struct Api<'a> {
    letter: &'a Letter<'a>,
    /// Below which `/alerts` is.
    base: String,
    authorization: String,
    secret: Secret,
}

impl<'a> Api<'a> {
    /// `authorize`: the header made of the secret.
    pub fn new(
        letter: &'a Letter<'a>,
        path: &str,
        authorize: impl FnOnce(&Secret) -> String,
    ) -> Result<Self, Undelivered> {
        let secret = letter.secret()?;
        let base = format!("{}{path}", letter.receiver.url);
        Ok(Self { letter, base, authorization: authorize(&secret), secret })
    }

    pub async fn get(&self, path: &str) -> Result<Answer, Undelivered> {
        self.ask("GET", path, None).await
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, Undelivered> {
        let mut headers = vec![("authorization", self.authorization.as_str()), ("accept", "application/json")];
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        post::send(self.letter, method, &format!("{}{path}", self.base), &headers, body.as_bytes()).await
    }

    /// Opens an alert, and asks what became of it.
    pub async fn open(&self, alert: &Value) -> Result<(), Undelivered> {
        let answer = self.ask("POST", "/alerts", Some(alert)).await?;
        if !is_taken(&answer) {
            return Err(self.refusal(&answer));
        }
        let Some(request) = text(&read(&answer), "requestId") else { return Ok(()) };
        timeout(ASKING_TAKES, self.outcome(&request)).await.unwrap_or(Ok(()))
    }

    /// Does something to an open alert. One that is not there needs nothing done.
    pub async fn act(&self, path: &str, body: Option<&Value>) -> Result<(), Undelivered> {
        let answer = self.ask("POST", path, body).await?;
        if is_taken(&answer) || answer.status == 404 { Ok(()) } else { Err(self.refusal(&answer)) }
    }

    /// What became of the request for an alert. Only what they say is an error: not that they do not say.
    async fn outcome(&self, request: &str) -> Result<(), Undelivered> {
        let path = format!("/alerts/requests/{}", encoded(request));
        for wait in WAITS {
            sleep(wait).await;
            let Ok(answer) = self.get(&path).await else { return Ok(()) };
            if answer.status == 404 {
                continue;
            }
            let outcome = data(read(&answer));
            if answer.status != 200 || outcome.is_null() {
                return Ok(());
            }
            if ["isSuccess", "success"].iter().any(|name| outcome[*name] == Value::Bool(false)) {
                return Err(self.because(&text(&outcome, "status").unwrap_or_default()));
            }
            let Some(alert) = text(&outcome, "alertId") else { return Ok(()) };
            return self.reaches(&alert).await;
        }
        Ok(())
    }

    /// Whether the alert has a user to be paged.
    async fn reaches(&self, alert: &str) -> Result<(), Undelivered> {
        let Ok(answer) = self.get(&format!("/alerts/{}", encoded(alert))).await else { return Ok(()) };
        let alert = data(read(&answer));
        let Some(responders) = alert["responders"].as_array().filter(|_| answer.status == 200) else { return Ok(()) };
        let is_user = |responder: &Value| responder["type"].as_str().is_some_and(|t| t.eq_ignore_ascii_case("user"));
        match responders.as_slice() {
            [] => Err(Undelivered::UnknownPerson),
            some if some.iter().any(is_user) => Ok(()),
            _ => Err(Undelivered::refused(
                "it paged others in place of the user: is the key one of a team's integration?",
            )),
        }
    }

    /// Why it was refused, in their words, which might repeat what they were sent.
    pub fn refusal(&self, answer: &Answer) -> Undelivered {
        let why = complaint(&read(answer));
        match answer.status {
            _ if why.is_empty() => Undelivered::Status(answer.status),
            400 | 404 | 422 => self.because(&why),
            status => Undelivered::refused(&format!("{status}, {}", self.without_secrets(&why))),
        }
    }

    fn because(&self, why: &str) -> Undelivered {
        let lower = why.to_ascii_lowercase();
        if ["responder", "recipient", "user"].iter().any(|word| lower.contains(word)) {
            return Undelivered::UnknownPerson;
        }
        Undelivered::refused(&self.without_secrets(why))
    }

    fn without_secrets(&self, text: &str) -> String {
        let sent = self.authorization.rsplit(' ').next().unwrap_or(&self.authorization);
        text.replace(sent, "…").replace(self.secret.expose(), "…")
    }
}

pub fn is_taken(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

pub fn read(answer: &Answer) -> Value {
    aws::wire::parse(&answer.body).unwrap_or_default()
}

/// The same without the envelope that Opsgenie puts around it.
pub fn data(mut value: Value) -> Value {
    match value.get_mut("data") {
        Some(data) => data.take(),
        None => value,
    }
}

pub fn text(value: &Value, name: &str) -> Option<String> {
    value[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// What is wrong, in any of their forms: a message, a map of fields, a list of texts or of titles.
fn complaint(body: &Value) -> String {
    let errors: Vec<String> = match &body["errors"] {
        Value::Object(fields) => fields.iter().map(|(field, why)| format!("{field}: {}", said(why))).collect(),
        Value::Array(errors) => errors.iter().map(said).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![said(&body["errors"])],
    };
    let all = errors.into_iter().chain(text(body, "message"));
    all.filter(|why| !why.is_empty()).collect::<Vec<_>>().join("; ")
}

fn said(why: &Value) -> String {
    let fields = ["title", "detail", "message", "code"].iter().filter_map(|name| text(why, name));
    why.as_str().map_or_else(|| fields.collect::<Vec<_>>().join(", "), str::to_owned)
}

/// A name as it stands in an address.
pub fn encoded(name: &str) -> String {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes().map(|b| if fits(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_understood_in_each_of_their_forms() {
        for (body, want) in [
            (r#"{"code":401,"message":"scope does not match"}"#, "scope does not match"),
            (
                r#"{"message":"Request body is not processable.","errors":{"recipients#type":"Invalid recipient type"}}"#,
                "recipients#type: Invalid recipient type; Request body is not processable.",
            ),
            (r#"{"errors":[{"title":"No such responder","code":"x"},"plain"]}"#, "No such responder, x; plain"),
            (r#"{"errors":"one"}"#, "one"),
            (r#"{"errors":[[7]],"message":7}"#, ""),
            ("[]", ""),
            ("null", ""),
            ("<!doctype>", ""),
        ] {
            assert_eq!(complaint(&serde_json::from_str(body).unwrap_or_default()), want, "{body}");
        }
    }

    #[test]
    fn a_name_in_an_address_stays_one_name() {
        assert_eq!(encoded("a-b_c.d~1"), "a-b_c.d~1");
        assert_eq!(encoded("a/b?c#d e&é%2F"), "a%2Fb%3Fc%23d%20e%26%C3%A9%252F");
    }
}
