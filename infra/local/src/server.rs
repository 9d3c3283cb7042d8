//! HTTP on a port of our own, instead of API Gateway.

use std::net::IpAddr;
use std::time::Duration;

use aws::links::{Action, CALENDAR};
use aws::wire::{HeaderFault, MOST_BYTES};
use aws::{Refusal, Request, Response};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{self, HeaderName, HeaderValue, Method, StatusCode};
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::bundle::Bundle;
use crate::health::is_asked_for_health;

/// Who may see the board where nobody signs in: only this machine, unless somebody vouched for the rest. Webhooks and the
/// links by which people act prove themselves and are served to everybody.
///
/// "This machine" is told by the `Host` header, so that neither a tunnel meant for webhooks nor a web page that
/// makes its own name point to loopback can read it; and by the absence of what a proxy adds, because one that
/// writes a `Host` of its own would look like this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Board {
    ThisMachine,
    /// Something in front has a login, or `on-request` asks each reader to sign in.
    Everybody,
}

impl Board {
    fn admits(self, request: &Request) -> bool {
        let segments = request.segments();
        let first = segments.first().copied().unwrap_or("");
        let subscribes = matches!(segments.as_slice(), [CALENDAR, _, _]);
        // Whose token is wrong is refused there; what the answers look like is no secret.
        let asks =
            on_request::is_for_api(request) && (request.header("authorization").is_ok() || first == "openapi.json");
        let proves_itself =
            matches!(first, "merge" | "deploy" | "alert" | "chat") || Action::is_path(&segments) || subscribes || asks;
        self == Self::Everybody || proves_itself || is_asked_for_health(request) || is_direct(request)
    }
}

/// What proxies add to what they forward.
const FORWARDED: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/// Sent to this machine by its own name, and forwarded by nobody.
fn is_direct(request: &Request) -> bool {
    let forwarded = FORWARDED.iter().any(|name| request.header(name) != Err(HeaderFault::Missing));
    !forwarded && request.header("host").is_ok_and(is_loopback)
}

/// `localhost`, `127.0.0.1` or `[::1]`, with or without a port.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// How long the head of a request, and then its body, may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);
/// How long requests that are under way when we stop may still take.
const FINISHING: Duration = Duration::from_secs(3);

/// Serves requests until `stop` resolves; those under way are finished, unless they take long.
///
/// Not by `axum::serve`, which waits for a client as long as the client likes.
pub async fn serve(
    mut listener: TcpListener,
    bundle: Bundle,
    board: Board,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = TowerToHyperService::new(Router::new().fallback(handle).with_state((bundle, board)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(ARRIVAL);
    let under_way = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let stream = tokio::select! {
            // Tries again where there are too many connections just now.
            (stream, _) = Listener::accept(&mut listener) => stream,
            () = &mut stop => break,
        };
        let serving = under_way.watch(http.serve_connection(TokioIo::new(stream), app.clone()));
        tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::debug!(%error, "a connection ended before its time");
            }
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(FINISHING, under_way.shutdown()).await;
    Ok(())
}

async fn handle(State((bundle, board)): State<(Bundle, Board)>, request: http::Request<Body>) -> http::Response<Body> {
    let (head, body) = request.into_parts();
    let response = match tokio::time::timeout(ARRIVAL, to_bytes(body, MOST_BYTES)).await {
        Ok(Ok(bytes)) => {
            let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
            // What is asked for by HEAD is answered as if by GET; the server leaves out the body.
            let method = if head.method == Method::HEAD { Method::GET } else { head.method };
            let request = Request::new(method.as_str(), head.uri.path(), headers, bytes.to_vec())
                .with_query(head.uri.query().unwrap_or(""));
            if board.admits(&request) { bundle.route(request).await } else { Refusal::Forbidden(NOT_HERE).into() }
        }
        Ok(Err(_)) => Refusal::TooLarge.into(),
        Err(_) => Refusal::TooSlow.into(),
    };
    answer(response)
}

const NOT_HERE: &str = "nobody signs in here, so the board is shown to this machine only, by its own address; to show it to \
    others, configure [sign_in], or put a proxy with a login in front and say --open-board";

fn answer(response: Response) -> http::Response<Body> {
    let mut answer = http::Response::new(Body::from(response.body));
    *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            // Cookies come several at a time.
            answer.headers_mut().append(name, value);
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
            for path in ["/", "/incidents/edxapp-k3v7q2ma", "/people/feanil", "//", "/mergex", "/freezes.ics"] {
                assert!(!admits(Board::ThisMachine, path, host), "{host} {path}");
            }
            // Links begin so; alone these are answers, to this machine or to whoever has a token.
            for path in ["/on-call", "/queue", "/freezes", "//freezes/", "/incidents", "/may-deploy", "/incidents/x-1"]
            {
                assert!(!admits(Board::ThisMachine, path, host), "{host} {path}");
                let headers = vec![("host".into(), host.into()), ("authorization".into(), "Bearer x".into())];
                assert!(Board::ThisMachine.admits(&Request::new("GET", path, headers, vec![])), "{host} {path}");
            }
            assert!(admits(Board::ThisMachine, "/openapi.json", host));
            assert!(admits(Board::ThisMachine, "/health", host) && !admits(Board::ThisMachine, "/health/x", host));
            assert!(
                ["/merge/github", "/acknowledge/a", "/chat/slack", "/freezes.ics/olga/mac"].iter().all(|path| admits(
                    Board::ThisMachine,
                    path,
                    host
                ))
            );
            assert!(admits(Board::Everybody, "/", host));
        }
    }

    #[test]
    fn a_proxy_that_writes_a_host_of_its_own_is_not_this_machine() {
        for name in ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"] {
            for value in ["127.0.0.1", ""] {
                let headers = vec![("host".into(), "127.0.0.1:8787".into()), (name.into(), value.into())];
                let request = |path: &str| Request::new("GET", path, headers.clone(), vec![]);
                assert!(!Board::ThisMachine.admits(&request("/")), "{name}");
                assert!(Board::ThisMachine.admits(&request("/merge/github")) && Board::Everybody.admits(&request("/")));
            }
        }
    }
}
