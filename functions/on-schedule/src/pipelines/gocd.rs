//! GoCD: a pipeline is paused, for a reason that everybody reads, and what runs in it finishes. A pipeline is paused once or
//! not at all. The token is a person's access token, who may operate the pipeline's group.
//! <https://api.gocd.org/current/#pause-a-pipeline>

use domain::ServiceId;
use serde::Deserialize;
use serde_json::json;

use super::{Mark, NoAnswer, Place, State, read, segment, whose};

/// The version of its API, of which there is one.
const ACCEPT: (&str, &str) = ("accept", "application/vnd.go.cd.v1+json");
/// What it wants of a request that does something and says nothing.
const CONFIRM: (&str, &str) = ("x-gocd-confirm", "true");

#[derive(Deserialize)]
struct Status {
    paused: bool,
    #[serde(alias = "pausedCause")]
    paused_cause: Option<String>,
    #[serde(alias = "pausedBy")]
    paused_by: Option<String>,
}

pub(super) async fn state(place: &Place<'_>, id: &str, service: &ServiceId) -> Result<State, NoAnswer> {
    let answer = place.ask("GET", &address(place, id, "status")?, &[ACCEPT], None).await?;
    if answer.status != 200 {
        return Err(place.refused(&answer));
    }
    let status: Status = read(&answer.body)?;
    if !status.paused {
        return Ok(State::Open);
    }
    let cause = status.paused_cause.as_deref().filter(|cause| !cause.trim().is_empty());
    Ok(whose(cause.unwrap_or("paused"), status.paused_by.as_deref(), service))
}

pub(super) async fn hold(place: &Place<'_>, id: &str, mark: &Mark<'_>) -> Result<State, NoAnswer> {
    match state(place, id, mark.service).await? {
        State::Open => {}
        held @ (State::Ours | State::Theirs(_)) => return Ok(held),
    }
    let cause = json!({ "pause_cause": mark.text() });
    let answer = place.ask("POST", &address(place, id, "pause")?, &[ACCEPT, CONFIRM], Some(&cause)).await?;
    match answer.status {
        200..300 => Ok(State::Ours),
        409 => match state(place, id, mark.service).await? {
            State::Open => Err(NoAnswer::Changed),
            held @ (State::Ours | State::Theirs(_)) => Ok(held),
        },
        _ => Err(place.refused(&answer)),
    }
}

pub(super) async fn release(place: &Place<'_>, id: &str, service: &ServiceId) -> Result<State, NoAnswer> {
    match state(place, id, service).await? {
        State::Ours => {}
        other @ (State::Open | State::Theirs(_)) => return Ok(other),
    }
    let answer = place.ask("POST", &address(place, id, "unpause")?, &[ACCEPT, CONFIRM], None).await?;
    match answer.status {
        200..300 => Ok(State::Open),
        409 => match state(place, id, service).await? {
            State::Ours => Err(NoAnswer::Changed),
            other @ (State::Open | State::Theirs(_)) => Ok(other),
        },
        _ => Err(place.refused(&answer)),
    }
}

/// Its root may be written with the `/go` that all its addresses begin with.
fn address(place: &Place<'_>, id: &str, what: &str) -> Result<String, NoAnswer> {
    let root = place.url()?;
    Ok(format!("{}/go/api/pipelines/{}/{what}", root.strip_suffix("/go").unwrap_or(root), segment(id)?))
}
