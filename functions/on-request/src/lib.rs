//! A person asks or acts: the board, an incident, an acknowledgement. A GET never acts.

mod act;
mod board;
mod page;

use aws::{House, Refusal, Request, Response};

/// `GET /`, `GET /incidents/{id}`, `GET /people/{id}`, `GET` and `POST /acknowledge/...`
pub async fn handle(house: &House, request: Request) -> Response {
    serve(house, &request).await.unwrap_or_else(Response::from)
}

async fn serve(house: &House, request: &Request) -> Result<Response, Refusal> {
    let segments = request.segments();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", []) => board::overview(house).await,
        ("GET", ["incidents", id]) => board::incident(house, id).await,
        ("GET", ["people", id]) => board::person(house, id).await,
        ("GET", ["acknowledge", rest @ ..]) => act::ask(house, rest, &request.path).await,
        ("POST", ["acknowledge", rest @ ..]) => act::acknowledge(house, rest).await,
        ("GET" | "POST", _) => Err(Refusal::NotFound("there is nothing here; the board is at /")),
        _ => Err(Refusal::Method("GET and POST")),
    }
}
