//! A person asks or acts: the board, an incident, a person's page; and the links by which people act, or a chat's buttons. A GET never acts.

mod act;
mod api;
mod board;
mod charts;
mod chat;
mod feed;
mod hours;
mod incident;
mod may;
mod measures;
mod offers;
mod page;
mod paging;
mod people;
mod person;
mod queue;
mod service;
mod sign_in;

pub use act::intent;
pub use api::{PATHS as API_PATHS, is_asked as is_for_api};
use aws::links::{Action, CALENDAR};
use aws::settings::Configuration;
use aws::{House, Refusal, Request, Response};
use sign_in::Reader;

/// The secrets that it asks for: the one that signs links and sessions, those by which chats and programs prove themselves and home
/// tabs are shown, and ours at the provider by which people sign in.
#[must_use]
pub fn secrets(configuration: &Configuration) -> Vec<String> {
    let chats = configuration.receivers.values().filter(|receiver| receiver.signing_secret.is_some());
    let chats = chats.flat_map(|chat| chat.signing_secret.iter().chain(&chat.secret).cloned());
    let provider = configuration.sign_in.iter().map(|sign_in| sign_in.secret.clone());
    let tokens = configuration.read_tokens.iter().cloned();
    chats.chain(provider).chain(tokens).chain([configuration.link_secret.clone()]).collect()
}

/// To those who sign in: `GET /`, `GET /services/{id}` and its `history`, `GET /incidents/{id}` and `{id}.md`, `GET /people/{id}`, `GET /calendar`, `GET /measures`,
/// `GET /who`, `GET /freezes.ics`; to programs with a token too: what is in [`api`]. `GET /sign-in` and `POST /sign-out`. What
/// proves itself: `GET` and `POST` of [`aws::links`], `GET /freezes.ics/{person}/{mac}`, `POST /chat/slack`.
pub async fn handle(house: &House, request: Request) -> Response {
    serve(house, &request).await.unwrap_or_else(Response::from)
}

async fn serve(house: &House, request: &Request) -> Result<Response, Refusal> {
    let segments = request.segments();
    if api::is_asked(request) {
        return Ok(api::serve(house, request).await);
    }
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", link) if Action::is_path(link) => act::ask(house, request).await,
        ("POST", link) if Action::is_path(link) => act::act(house, request).await,
        ("POST", ["chat", "slack"]) => chat::slack::hear(house, request).await,
        ("GET", [CALENDAR, person, mac]) => feed::subscribed(house, request, person, mac).await,
        ("GET", ["icon.svg"]) => Ok(page::icon()),
        ("GET", ["sign-in"]) => sign_in::begin(house, request).await,
        ("GET", ["sign-in", "callback"]) => sign_in::finish(house, request).await,
        ("POST", ["sign-out"]) => Ok(sign_in::end(house, request)),
        ("GET", _) => match sign_in::reader(house, request)? {
            Ok(reader) => read(house, request, &reader).await,
            Err(elsewhere) => Ok(elsewhere),
        },
        ("POST", _) => Err(NOTHING_HERE),
        _ => Err(Refusal::Method("GET and POST")),
    }
}

const NOTHING_HERE: Refusal = Refusal::NotFound("there is nothing here; the board is at /");

/// What is shown to whoever may read the board.
async fn read(house: &House, request: &Request, reader: &Reader) -> Result<Response, Refusal> {
    match request.segments().as_slice() {
        [] => board::overview(house, request, reader).await,
        ["measures"] => measures::page::show(house, request, reader).await,
        ["calendar"] => board::calendar(house, request, reader).await,
        ["services", id] => service::show(house, request, reader, id).await,
        ["services", id, "history"] => service::history::show(house, request, reader, id).await,
        ["incidents", file] if incident::export::named(file).is_some() => {
            incident::export::markdown(house, request, &hours::Hours::of(house, request, reader), file).await
        }
        ["incidents", id] => incident::show(house, request, reader, id).await,
        ["people", id] => person::show(house, request, reader, id).await,
        ["who"] => api::on_call::who(house).await,
        [CALENDAR] => feed::calendar(house, request).await,
        _ => Err(NOTHING_HERE),
    }
}
