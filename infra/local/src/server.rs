//! HTTP on a port of our own, instead of API Gateway.

use aws::wire::MOST_BYTES;
use aws::{Refusal, Request, Response};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{self, HeaderName, HeaderValue, StatusCode};
use tokio::net::TcpListener;

use crate::bundle::Bundle;

/// Serves requests until `stop` resolves; those under way are finished.
pub async fn serve(
    listener: TcpListener,
    bundle: Bundle,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = Router::new().fallback(handle).with_state(bundle);
    axum::serve(listener, app).with_graceful_shutdown(stop).await
}

async fn handle(State(bundle): State<Bundle>, request: http::Request<Body>) -> http::Response<Body> {
    let (head, body) = request.into_parts();
    let response = match to_bytes(body, MOST_BYTES).await {
        Ok(bytes) => {
            let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
            let request = Request::new(head.method.as_str(), head.uri.path(), headers, bytes.to_vec());
            bundle.route(request).await
        }
        Err(_) => Refusal::TooLarge.into(),
    };
    answer(response)
}

fn answer(response: Response) -> http::Response<Body> {
    let mut answer = http::Response::new(Body::from(response.body));
    *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}
