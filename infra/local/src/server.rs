//! HTTP on a port of our own, instead of API Gateway.

use std::net::IpAddr;

use aws::links::Action;
use aws::wire::MOST_BYTES;
use aws::{Refusal, Request, Response};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{self, HeaderName, HeaderValue, StatusCode};
use tokio::net::TcpListener;

use crate::bundle::Bundle;

/// Who may see the board, which has no login yet: only this machine, unless somebody vouched for the rest. Webhooks
/// and the links by which people act prove themselves and are served to everybody.
///
/// "This machine" is told by the `Host` header, so that neither a tunnel meant for webhooks nor a web page that
/// makes its own name point to loopback can read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Board {
    ThisMachine,
    Everybody,
}

impl Board {
    fn admits(self, request: &Request) -> bool {
        let first = request.segments().first().copied().unwrap_or("");
        let proves_itself = matches!(first, "merge" | "deploy" | "alert") || Action::PATHS.contains(&first);
        self == Self::Everybody || proves_itself || request.header("host").is_ok_and(is_loopback)
    }
}

/// `localhost`, `127.0.0.1` or `[::1]`, with or without a port.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Serves requests until `stop` resolves; those under way are finished.
pub async fn serve(
    listener: TcpListener,
    bundle: Bundle,
    board: Board,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = Router::new().fallback(handle).with_state((bundle, board));
    axum::serve(listener, app).with_graceful_shutdown(stop).await
}

async fn handle(State((bundle, board)): State<(Bundle, Board)>, request: http::Request<Body>) -> http::Response<Body> {
    let (head, body) = request.into_parts();
    let response = match to_bytes(body, MOST_BYTES).await {
        Ok(bytes) => {
            let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
            let request = Request::new(head.method.as_str(), head.uri.path(), headers, bytes.to_vec());
            if board.admits(&request) {
                bundle.route(request).await
            } else {
                Refusal::Forbidden("the board has no login yet, so it is shown to this machine only").into()
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_board_is_shown_to_this_machine_and_webhooks_are_taken_from_everybody() {
        let admits = |board: Board, path: &str, host: &str| {
            board.admits(&Request::new("GET", path, vec![("host".into(), host.into())], vec![]))
        };
        for host in ["127.0.0.1:8787", "localhost", "LOCALHOST:1", "[::1]:8787", "127.1.2.3"] {
            assert!(admits(Board::ThisMachine, "/", host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8787",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "",
            "[",
            "localhost.evil.example",
        ] {
            for path in ["/", "/incidents/edxapp-k3v7q2ma", "/people/feanil", "//", "/mergex"] {
                assert!(!admits(Board::ThisMachine, path, host), "{host} {path}");
            }
            assert!(
                admits(Board::ThisMachine, "/merge/github", host) && admits(Board::ThisMachine, "/acknowledge/a", host)
            );
            assert!(admits(Board::Everybody, "/", host));
        }
    }
}
