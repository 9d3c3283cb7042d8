//! A person asks or acts: the board, an incident, a person's page; and the links by which people act, or a chat's buttons. A GET never acts.

mod act;
mod board;
mod chat;
mod incident;
mod page;
mod paging;
mod view;

use aws::links::Action;
use aws::settings::Configuration;
use aws::{House, Refusal, Request, Response};

/// The secrets that it asks for: the one that signs links, and those by which chats prove themselves.
#[must_use]
pub fn secrets(configuration: &Configuration) -> Vec<String> {
    let chats = configuration.receivers.values().filter_map(|receiver| receiver.signing_secret.clone());
    chats.chain([configuration.link_secret.clone()]).collect()
}

/// `GET /`, `GET /incidents/{id}`, `GET /people/{id}`, `GET /who`, `GET` and `POST` of [`aws::links`], `POST /chat/slack`
pub async fn handle(house: &House, request: Request) -> Response {
    serve(house, &request).await.unwrap_or_else(Response::from)
}

async fn serve(house: &House, request: &Request) -> Result<Response, Refusal> {
    let segments = request.segments();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", []) => board::overview(house).await,
        ("GET", ["incidents", id]) => incident::show(house, request, id).await,
        ("GET", ["people", id]) => board::person(house, id).await,
        ("GET", ["who"]) => board::who(house).await,
        ("GET", [first, ..]) if Action::PATHS.contains(first) => act::ask(house, request).await,
        ("POST", [first, ..]) if Action::PATHS.contains(first) => act::act(house, request).await,
        ("POST", ["chat", "slack"]) => chat::slack::press(house, request).await,
        ("GET" | "POST", _) => Err(Refusal::NotFound("there is nothing here; the board is at /")),
        _ => Err(Refusal::Method("GET and POST")),
    }
}
