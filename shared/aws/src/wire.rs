//! The HTTP edge of every function: a request as its raw bytes, an answer as JSON or HTML, and the refusals.
//!
//! The same whether the request came through API Gateway or through the server of `cargo run`.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Larger bodies are refused with 413: Lambda takes events of 6 MB, and base64 adds a third.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;

/// A request: its raw body, its headers as they came.
#[derive(Clone, Default)]
pub struct Request {
    pub method: String,
    /// The path, without the query, still percent-encoded.
    pub path: String,
    /// What follows the `?`, percent-encoded. Never logged: some senders can only put their token there.
    query: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Why a header cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    Missing,
    Duplicated,
}

impl Request {
    /// A request with these headers; their names are compared without regard to case.
    #[must_use]
    pub fn new(method: &str, path: &str, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), query: String::new(), headers, body }
    }

    /// With what follows the `?` of its address.
    #[must_use]
    pub fn with_query(self, query: &str) -> Self {
        Self { query: query.to_owned(), ..self }
    }

    /// Every value of a parameter of the query.
    #[must_use]
    pub fn query(&self, name: &str) -> Vec<String> {
        let pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs.filter(|(n, _)| n == name).map(|(_, value)| value.into_owned()).collect()
    }

    /// Every parameter of the query, in their order.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// The path with what follows it.
    #[must_use]
    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    /// The one value of a header. Two values are a fault: which of them was signed?
    pub fn header(&self, name: &str) -> Result<&str, HeaderFault> {
        let mut found = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str());
        match (found.next(), found.next()) {
            (Some(value), None) => Ok(value),
            (None, _) => Err(HeaderFault::Missing),
            (Some(_), Some(_)) => Err(HeaderFault::Duplicated),
        }
    }

    /// The one cookie of this name; of two none, since nobody knows whose the other is.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let sent = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("cookie"));
        let pairs = sent.flat_map(|(_, value)| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut found = pairs.filter(|(n, _)| *n == name).map(|(_, value)| value);
        found.next().filter(|_| found.next().is_none())
    }

    /// The fields of a form; of a repeated field the last.
    #[must_use]
    pub fn form(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The path's segments: `/merge/github` is `["merge", "github"]`.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|s| !s.is_empty()).collect()
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Response {
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: vec![("content-type".into(), "application/json".into())], body: format!("{body}\n") }
    }

    /// What was decided about an event, by its name and in words; `details` for a reader of the answer.
    #[must_use]
    pub fn decided(reason: &domain::Reason, details: &Value) -> Self {
        Self::json(200, &json!({ "decided": reason.name(), "why": reason.to_string(), "details": details }))
    }

    /// A message that is not for us: accepted, so that its sender does not send it again, and not stored.
    #[must_use]
    pub fn ignored(why: &str) -> Self {
        tracing::debug!(why, "ignored");
        Self::json(200, &json!({ "ignored": why }))
    }

    /// Sends a browser there.
    #[must_use]
    pub fn redirect(to: &str) -> Self {
        let headers = [("location", to), ("cache-control", "no-store"), ("referrer-policy", "no-referrer")];
        Self { status: 303, headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(), body: String::new() }
    }

    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Whether it says that the message was not for us.
    #[must_use]
    pub fn is_ignored(&self) -> bool {
        self.body.starts_with("{\"ignored\"")
    }

    /// A page, with its content security policy.
    #[must_use]
    pub fn html(status: u16, body: String, policy: &str) -> Self {
        let headers = [
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", policy),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ];
        Self { status, headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(), body }
    }
}

/// Bad input: why the sender's message cannot be read. Never repeats what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

impl Malformed {
    #[must_use]
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl From<domain::InvalidId> for Malformed {
    fn from(invalid: domain::InvalidId) -> Self {
        Self(format!("expected {invalid}"))
    }
}

/// Why a request was not served. Each has one status, chosen for what senders do with it: PagerDuty and
/// Alertmanager drop what gets a 4xx and repeat what gets a 5xx.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("not authenticated: {0}")]
    Unauthenticated(&'static str),
    #[error("cannot be read: {0}")]
    Malformed(#[from] Malformed),
    #[error("the body is larger than {MOST_BYTES} bytes")]
    TooLarge,
    #[error("the body takes too long to arrive")]
    TooSlow,
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    #[error("no such address: {0}")]
    NotFound(&'static str),
    #[error("only {0} is served here")]
    Method(&'static str),
    #[error("cannot be kept just now, please send it again")]
    Unavailable(#[source] crate::store::StoreError),
    #[error("{0}")]
    NotNow(&'static str),
    #[error("cannot be authenticated just now, please send it again")]
    NoSecret(#[source] crate::secrets::SecretError),
}

impl Refusal {
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Unauthenticated(_) => 401,
            Self::Forbidden(_) => 403,
            Self::NotFound(_) => 404,
            Self::Method(_) => 405,
            Self::TooSlow => 408,
            Self::TooLarge => 413,
            Self::Unavailable(_) | Self::NoSecret(_) | Self::NotNow(_) => 503,
        }
    }
}

impl From<crate::store::StoreError> for Refusal {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl From<Refusal> for Response {
    /// The answer to a refusal, logged here and nowhere else.
    fn from(refusal: Refusal) -> Self {
        let status = refusal.status();
        let cause = std::error::Error::source(&refusal).map(error_chain);
        if status >= 500 {
            tracing::error!(status, cause, "refused: {refusal}");
        } else {
            tracing::warn!(status, cause, "refused: {refusal}");
        }
        let mut response = Self::json(status, &json!({ "error": refusal.to_string() }));
        if status == 401 {
            // SNS sends its password only when it is asked for.
            response.headers.push(("www-authenticate".into(), "Basic realm=\"recent-deployers\"".into()));
        }
        response
    }
}

/// An error and its sources on one line.
#[must_use]
pub fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    domain::text::line(&text, 500)
}

/// A time as a sender tells it, if it can be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "jiff::Timestamp")]
pub struct Moment(pub jiff::Timestamp);

impl TryFrom<jiff::Timestamp> for Moment {
    type Error = &'static str;
    fn try_from(at: jiff::Timestamp) -> Result<Self, Self::Error> {
        if domain::times::plausible(at) { Ok(Self(at)) } else { Err("a time that cannot be right") }
    }
}

/// Reads JSON. Depth is bounded by serde_json (128 levels), size by [`MOST_BYTES`].
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Malformed> {
    serde_json::from_slice(body).map_err(|error| {
        if body.starts_with(b"payload=") {
            return Malformed::new("a form: choose the content type application/json");
        }
        let place = format!("line {}, column {}", error.line(), error.column());
        Malformed(match missing(&error) {
            Some(field) => format!("the field `{field}` is missing at {place}"),
            None => format!("not the JSON that was expected at {place}"),
        })
    })
}

/// The field that is missing. Its name is ours; whatever else the error may say could be the sender's.
fn missing(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let (name, _) = text.strip_prefix("missing field `")?.split_once('`')?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicated_header_is_no_header() {
        let request = Request::new(
            "POST",
            "/merge/github",
            vec![("X-Hub-Signature-256".into(), "a".into()), ("x-hub-signature-256".into(), "b".into())],
            vec![],
        );
        assert_eq!(request.header("X-Hub-Signature-256"), Err(HeaderFault::Duplicated));
        assert_eq!(request.header("x-other"), Err(HeaderFault::Missing));
        assert_eq!(request.segments(), ["merge", "github"]);
    }

    #[test]
    fn deep_nesting_is_an_error_not_a_crash() {
        let deep = "[".repeat(100_000);
        assert!(parse::<Value>(deep.as_bytes()).is_err());
        assert!(parse::<Value>(b"{\"a\": 1e999}").is_err());
        assert!(parse::<Value>(b"{\"a\": \"\\ud800\"}").is_err());
    }

    #[test]
    fn a_missing_field_is_named_and_what_was_sent_is_never_repeated() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only read")]
        struct Wanted {
            name: String,
            at: Moment,
        }
        for (body, why) in [
            (r#"{"name":"x"}"#, "the field `at` is missing at line 1, column 12"),
            (r#"{"name":7,"at":"x"}"#, "not the JSON that was expected at line 1, column 9"),
            (r#"{"name":"x","at":"1066-10-14T09:00:00Z"}"#, "not the JSON that was expected at line 1, column 40"),
            (r#"{"name":"x","at":"missing field `secret`"}"#, "not the JSON that was expected at line 1, column 41"),
        ] {
            assert_eq!(parse::<Wanted>(body.as_bytes()).unwrap_err().to_string(), why, "{body}");
        }
    }
}
