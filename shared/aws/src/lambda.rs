//! The edge towards Lambda: API Gateway's HTTP API events as [`Request`]s, and the run loop.
//!
//! Read with plain `lambda_runtime`: `lambda_http` 1.3 panics on characters in a query that anybody can send.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::house::House;
use crate::wire::{Malformed, Refusal, Request, Response};

/// What we read of an API Gateway event, payload format 2.0.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpEvent {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// They come here and not as a header.
    #[serde(default)]
    cookies: Vec<String>,
    request_context: HttpContext,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct HttpContext {
    http: HttpMethod,
    #[serde(default)]
    stage: Option<String>,
}

#[derive(Deserialize)]
struct HttpMethod {
    method: String,
}

/// Whether an event came through API Gateway.
#[must_use]
pub fn is_http(event: &Value) -> bool {
    event.get("rawPath").is_some() && event.get("requestContext").is_some()
}

/// The request in an API Gateway event. A header that came twice is joined by a comma there, so a doubled
/// signature is not a signature here either.
pub fn request(event: Value) -> Result<Request, Refusal> {
    let event: HttpEvent = serde_json::from_value(event).map_err(|_| Malformed::new("not an API Gateway event"))?;
    let body = event.body.unwrap_or_default();
    let body = if event.is_base64_encoded {
        STANDARD.decode(body).map_err(|_| Malformed::new("the body is not base64"))?
    } else {
        body.into_bytes()
    };
    // The default stage is called `$default` and is not part of the path; a named one is.
    let prefix = event.request_context.stage.map(|stage| format!("/{stage}/"));
    let path = match prefix.as_deref().and_then(|p| event.raw_path.strip_prefix(p)) {
        Some(rest) => format!("/{rest}"),
        None => event.raw_path,
    };
    let cookies = event.cookies.into_iter().map(|cookie| ("cookie".to_owned(), cookie));
    let headers = event.headers.into_iter().chain(cookies).collect();
    Ok(Request::new(&event.request_context.http.method, &path, headers, body).with_query(&event.raw_query_string))
}

/// The answer as API Gateway wants it.
#[must_use]
pub fn response(response: Response) -> Value {
    let (cookies, headers): (Vec<_>, Vec<_>) = response.headers.into_iter().partition(|(name, _)| name == "set-cookie");
    let cookies: Vec<String> = cookies.into_iter().map(|(_, value)| value).collect();
    let headers: BTreeMap<String, String> = headers.into_iter().collect();
    json!({
        "statusCode": response.status,
        "headers": headers,
        "cookies": cookies,
        "body": response.body,
        "isBase64Encoded": false
    })
}

/// The answer to one event, boxed: the SDK's futures nest deeper than the compiler likes to look.
type Answering = Pin<Box<dyn Future<Output = Result<Value, lambda_runtime::Error>> + Send>>;

/// Serves events one after the other until Lambda stops us. Before each the house sees to its secrets.
pub async fn serve<F>(house: House, handle: impl Fn(Arc<House>, Value) -> F) -> Result<(), lambda_runtime::Error>
where
    F: Future<Output = Result<Value, lambda_runtime::Error>> + Send + 'static,
{
    let house = Arc::new(house);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| -> Answering {
        let handled = handle(Arc::clone(&house), event.payload);
        let house = Arc::clone(&house);
        Box::pin(async move {
            house.renew().await;
            handled.await
        })
    }))
    .await
}

/// Serves HTTP events only.
pub async fn serve_http<F>(house: House, handle: impl Fn(Arc<House>, Request) -> F) -> Result<(), lambda_runtime::Error>
where
    F: Future<Output = Response> + Send + 'static,
{
    serve(house, |house, event| {
        // What is asked for by HEAD is answered as if by GET, without the body.
        let asked = request(event).map(|mut request| {
            let head = request.method == "HEAD";
            if head {
                "GET".clone_into(&mut request.method);
            }
            (handle(house, request), head)
        });
        async move {
            Ok(response(match asked {
                Ok((answer, false)) => answer.await,
                Ok((answer, true)) => Response { body: String::new(), ..answer.await },
                Err(refusal) => refusal.into(),
            }))
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_travel_apart_from_headers() {
        let event = json!({
            "rawPath": "/", "cookies": ["a=1", "b=2; c=3"],
            "headers": { "host": "x" }, "requestContext": { "http": { "method": "GET" } }
        });
        let request = request(event).unwrap();
        assert_eq!(["a", "b", "c", "d"].map(|name| request.cookie(name)), [Some("1"), Some("2"), Some("3"), None]);
        let answer = Response::redirect("/").with_header("set-cookie", "a=1").with_header("set-cookie", "b=2");
        let answer = response(answer);
        assert_eq!(answer.get("cookies"), Some(&json!(["a=1", "b=2"])));
        assert_eq!(answer.pointer("/headers/location"), Some(&json!("/")));
        assert_eq!(answer.pointer("/headers/set-cookie"), None);
    }

    #[test]
    fn an_api_gateway_event_is_read_to_its_raw_bytes() {
        let event = json!({
            "version": "2.0", "rawPath": "/prod/merge/github", "rawQueryString": "q=[a]|b",
            "headers": { "x-hub-signature-256": "sha256=a,sha256=b" },
            "requestContext": { "http": { "method": "POST" }, "stage": "prod" },
            "body": "eyJhIjoxfQ==", "isBase64Encoded": true
        });
        assert!(is_http(&event));
        let request = request(event).unwrap();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/merge/github"));
        assert_eq!(request.body, br#"{"a":1}"#);
        assert_eq!(request.header("X-Hub-Signature-256"), Ok("sha256=a,sha256=b"));
    }
}
