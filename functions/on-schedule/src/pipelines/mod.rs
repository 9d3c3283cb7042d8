//! What pipelines are asked during deployment freezes: how they stand, to hold, to go on. Each pipeline has a file; what
//! they have in common is here. Absent: when they are asked, which is the domain's business.
//!
//! None of them can hold for two: what somebody else holds is left alone, and nothing but what we hold is let go. What
//! we hold is known by the mark that stands there for everybody to read, so nothing is lost with our own memory, and
//! whoever releases it there by hand has released it.

mod argo_cd;
mod argo_rollback;
mod codepipeline;
mod codepipeline_rollback;
pub mod github;
mod gocd;

use aws::House;
use aws::clients::{Answer, HttpError};
use aws::pipeline::{PipelineConfig, PipelineKind};
use aws::secrets::{Secret, SecretError};
use aws::signed::Unsignable;
use domain::ServiceId;
use domain::autopilot::Back;
use domain::text::line;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::forges::api::{bearer, encoded};

const DEADLINE_SECONDS: u64 = 10;
/// Characters of a mark: GoCD keeps 255 and Argo CD is about to. CodePipeline keeps 300.
const MOST_MARK: usize = 255;

/// How a pipeline stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Open,
    /// Held by us, for this service.
    Ours,
    /// Held by somebody else, as they say why.
    Theirs(String),
}

/// Why we hold it: it stands at the pipeline for everybody to read, and by its beginning we know it again.
#[derive(Debug, Clone, Copy)]
pub struct Mark<'a> {
    pub service: &'a ServiceId,
    pub why: &'a str,
    /// The freeze's own times, not those of the asking: Argo CD is told them, and told again when they change.
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Mark<'_> {
    fn text(&self) -> String {
        line(&format!("{} {}", beginning(self.service), self.why), MOST_MARK)
    }
}

/// What the mark of a service begins with; no id of a service has a `:`.
fn beginning(service: &ServiceId) -> String {
    format!("recent-deployers/{service}:")
}

/// A pipeline, and the house that asks.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub house: &'a House,
    pub pipeline: &'a PipelineConfig,
}

/// Why a pipeline was not asked, or what it did not do. Never holds the secret.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    #[error("its configuration lacks {0}")]
    Lacks(&'static str),
    #[error("its secret cannot be read")]
    Secret(#[source] SecretError),
    #[error("the request cannot be signed")]
    Unsignable(#[source] Unsignable),
    #[error("it cannot be reached")]
    Http(#[source] HttpError),
    #[error("it answered {0}")]
    Status(u16),
    #[error("it asks to be left alone for {0} s")]
    LimitedFor(u64),
    #[error("its answer cannot be read")]
    NotRead,
    #[error("it knows no such pipeline: correct the configuration")]
    UnknownPipeline,
    #[error("it does not let us: see to its token's, or our role's, permissions ({0})")]
    NotAllowed(String),
    #[error("somebody changed it meanwhile: it is asked again")]
    Changed,
    #[error("it refused: {0}")]
    Refused(String),
}

/// What came of asking a pipeline to go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rolled {
    /// It goes back, or went, to this: a commit, or what the pipeline calls it.
    Back(String),
    /// It does not, for this reason.
    Not(String),
}

/// Asks it to go back to what it had before a release, once: whoever asks again is told how that stands. Without `act` it is only looked
/// whether it did.
pub async fn roll_back(place: &Place<'_>, id: &str, back: &Back, act: bool) -> Result<Rolled, NoAnswer> {
    match place.pipeline.kind {
        PipelineKind::CodePipeline => codepipeline_rollback::roll_back(place, id, back, act).await,
        PipelineKind::ArgoCd => argo_rollback::roll_back(place, id, back, act).await,
        PipelineKind::GoCd => Ok(Rolled::Not("GoCD cannot be asked to go back".to_owned())),
    }
}

/// How a pipeline stands.
pub async fn state(place: &Place<'_>, id: &str, service: &ServiceId) -> Result<State, NoAnswer> {
    match place.pipeline.kind {
        PipelineKind::CodePipeline => codepipeline::state(place, id, service).await,
        PipelineKind::GoCd => gocd::state(place, id, service).await,
        PipelineKind::ArgoCd => argo_cd::state(place, id, service).await,
    }
}

/// Has it hold, unless it does; how it stands then: ours, or theirs. The same again changes nothing.
pub async fn hold(place: &Place<'_>, id: &str, mark: &Mark<'_>) -> Result<State, NoAnswer> {
    match place.pipeline.kind {
        PipelineKind::CodePipeline => codepipeline::hold(place, id, mark).await,
        PipelineKind::GoCd => gocd::hold(place, id, mark).await,
        PipelineKind::ArgoCd => argo_cd::hold(place, id, mark).await,
    }
}

/// Lets it go on, if it is we who hold it; how it stands then: open, or theirs. The same again changes nothing.
pub async fn release(place: &Place<'_>, id: &str, service: &ServiceId) -> Result<State, NoAnswer> {
    match place.pipeline.kind {
        PipelineKind::CodePipeline => codepipeline::release(place, id, service).await,
        PipelineKind::GoCd => gocd::release(place, id, service).await,
        PipelineKind::ArgoCd => argo_cd::release(place, id, service).await,
    }
}

impl Place<'_> {
    fn url(&self) -> Result<&str, NoAnswer> {
        self.pipeline.url.as_deref().ok_or(NoAnswer::Lacks("a url"))
    }

    fn secret(&self) -> Result<Secret, NoAnswer> {
        let name = self.pipeline.secret.as_ref().ok_or(NoAnswer::Lacks("a secret"))?;
        self.house.secrets.first(name).map_err(NoAnswer::Secret)
    }

    /// One request with the token, once: whoever asks comes again by the clock. The answer is whatever it is, but for what
    /// means the same everywhere.
    async fn ask(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, NoAnswer> {
        let (secret, json) = (self.secret()?, [("content-type", "application/json")]);
        let (name, token) = bearer(secret.expose());
        let own = [("user-agent", "recent-deployers"), (name, token.as_str())];
        let of_body = json.iter().filter(|_| body.is_some());
        let headers: Vec<(&str, &str)> = own.iter().chain(of_body).chain(headers).copied().collect();
        let body = body.map(Value::to_string).unwrap_or_default();
        let sent = self.house.http.send(method, url, &headers, body.into_bytes(), DEADLINE_SECONDS).await;
        let answer = sent.map_err(NoAnswer::Http)?;
        match answer.status {
            401 | 403 => Err(NoAnswer::NotAllowed(answer.status.to_string())),
            404 => Err(NoAnswer::UnknownPipeline),
            429 => Err(NoAnswer::LimitedFor(answer.retry_after.unwrap_or(60))),
            _ => Ok(answer),
        }
    }

    /// What an answer that is no success means, where it has no other meaning; the words are the pipeline's, without the
    /// secret should it repeat it.
    fn refused(&self, answer: &Answer) -> NoAnswer {
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let why = said.get("message").and_then(Value::as_str).unwrap_or("");
        if !(400..500).contains(&answer.status) || why.is_empty() {
            return NoAnswer::Status(answer.status);
        }
        let why = match self.secret() {
            Ok(secret) => why.replace(secret.expose(), "…"),
            Err(_) => why.to_owned(),
        };
        NoAnswer::Refused(line(&why, 120))
    }
}

/// Whose mark it is that stands there, and by whom.
fn whose(text: &str, by: Option<&str>, service: &ServiceId) -> State {
    if text.starts_with(&beginning(service)) { State::Ours } else { theirs(text, by) }
}

fn theirs(text: &str, by: Option<&str>) -> State {
    let by = by.map(|by| format!(" ({by})")).unwrap_or_default();
    State::Theirs(line(&format!("{text}{by}"), MOST_MARK))
}

/// A name as it stands in an address, where it never leaves its place.
fn segment(name: &str) -> Result<String, NoAnswer> {
    if matches!(name, "" | "." | "..") {
        return Err(NoAnswer::UnknownPipeline);
    }
    Ok(name.split('%').map(encoded).collect::<Vec<_>>().join("%25"))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, NoAnswer> {
    aws::wire::parse(body).map_err(|_| NoAnswer::NotRead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_one_line_that_says_whose_it_is() {
        let (service, other): (ServiceId, ServiceId) = ("edxapp".parse().unwrap(), "edxapp2".parse().unwrap());
        let (from, until) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        let text = |why: &str| Mark { service: &service, why, from, until }.text();
        assert_eq!(text("Gratitude\r\n week\u{202e}"), "recent-deployers/edxapp: Gratitude week");
        assert_eq!(text(&"é".repeat(999)).chars().count(), MOST_MARK);
        for why in ["", "x", &"x".repeat(999)] {
            assert_eq!(whose(&text(why), None, &service), State::Ours, "{why}");
            assert!(matches!(whose(&text(why), None, &other), State::Theirs(_)), "{why}");
        }
        let said = whose("flaky\n tests", Some("anna"), &service);
        assert_eq!(said, State::Theirs("flaky tests (anna)".to_owned()));
    }

    #[test]
    fn a_name_never_leaves_its_place_in_an_address() {
        for (name, want) in
            [("edxapp.1", "edxapp.1"), ("a/b", "a%2Fb"), ("a%2fb", "a%252fb"), ("a?b#c d", "a%3Fb%23c%20d")]
        {
            assert_eq!(segment(name).unwrap(), want);
        }
        for name in ["", ".", ".."] {
            assert!(matches!(segment(name), Err(NoAnswer::UnknownPipeline)), "{name}");
        }
    }
}
