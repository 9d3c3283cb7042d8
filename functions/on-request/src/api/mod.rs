//! What programs read, as JSON: who is on call, the queue, incidents, freezes, whether something may go on, what is measured. Described by
//! `openapi.json` beside this file, which is served as it is and which a test holds against the answers.
//!
//! Nothing is done by asking. Times are UTC. A parameter that is not known, or stands there twice, is refused: one that is
//! misspelt would ask about everything. No answer but that of [`crate::may`] holds the present moment, so that an answer which
//! says the same has the same tag.

mod freezes;
pub(crate) mod incidents;
mod measures;
mod metrics;
pub(crate) mod on_call;
mod paging;
pub(crate) mod parameters;
mod queue;
mod tags;
mod views;
mod walk;

use aws::wire::HeaderFault;
use aws::{House, Refusal, Request, Response};

use crate::{may, page, sign_in};
use paging::Listed;

/// The paths of one segment that are answered here.
pub const PATHS: [&str; 10] = [
    "freezes",
    "incidents",
    "may-deploy",
    "may-merge",
    "measures.csv",
    "measures.json",
    "metrics",
    "on-call",
    "openapi.json",
    "queue",
];

/// What the answers look like.
const DESCRIPTION: &str = include_str!("openapi.json");

/// Whether it is answered here. An incident is a page too: it is for whoever asks for JSON, or proves itself by a token.
#[must_use]
pub fn is_asked(request: &Request) -> bool {
    let by_program = || page::is_for_program(request) || request.header("authorization") != Err(HeaderFault::Missing);
    match request.segments().as_slice() {
        [one] => PATHS.contains(one),
        ["incidents", _] => by_program(),
        _ => false,
    }
}

pub(crate) async fn serve(house: &House, request: &Request) -> Response {
    answered(house, request).await.unwrap_or_else(refused)
}

async fn answered(house: &House, request: &Request) -> Result<Response, Refusal> {
    if request.method != "GET" {
        return Err(Refusal::Method("GET"));
    }
    let segments = request.segments();
    if segments == ["openapi.json"] {
        parameters::Parameters::read(request, &[])?;
        return Ok(tags::tagged(request, json(DESCRIPTION.to_owned())));
    }
    sign_in::program(house, request)?;
    let listed = match segments.as_slice() {
        ["on-call"] => on_call::list(house, request).await?,
        ["queue"] => queue::list(house, request).await?,
        ["incidents"] => incidents::list(house, request).await?,
        ["incidents", id] => incidents::one(house, request, id).await?,
        ["freezes"] => freezes::list(house, request).await?,
        ["measures.json"] => measures::list(house, request).await?,
        ["measures.csv"] => return Ok(tags::tagged(request, measures::table(house, request).await?)),
        ["metrics"] => return Ok(tags::tagged(request, metrics::scrape(house, request).await?)),
        ["may-deploy"] => return Ok(may::deploy(house, request).await?.with_header("cache-control", "no-store")),
        ["may-merge"] => return Ok(may::merge(house, request).await?.with_header("cache-control", "no-store")),
        _ => return Err(Refusal::NotFound("GET /openapi.json says what there is")),
    };
    Ok(tags::tagged(request, listed.response()))
}

fn json(body: String) -> Response {
    Response { status: 200, headers: vec![("content-type".into(), "application/json".into())], body }
}

impl Listed {
    fn response(self) -> Response {
        let answer = Response::json(200, &self.body);
        self.link.into_iter().fold(answer, |answer, link| answer.with_header("link", &link))
    }
}

/// A program is asked for a token, not for the password by which SNS proves itself.
fn refused(refusal: Refusal) -> Response {
    let mut answer = Response::from(refusal).with_header("cache-control", "no-store");
    answer.headers.retain(|(name, _)| name != "www-authenticate");
    match answer.status {
        401 => answer.with_header("www-authenticate", "Bearer realm=\"recent-deployers\""),
        405 => answer.with_header("allow", "GET, HEAD"),
        _ => answer,
    }
}
