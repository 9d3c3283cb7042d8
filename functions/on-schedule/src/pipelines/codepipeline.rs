//! AWS CodePipeline: the transition into a stage is disabled, for a reason that its console shows; what is in the stage
//! finishes. Enabled again, the newest revision goes on by itself, unless that was more than 30 days: then somebody has to
//! run it. Asked as our account: our role needs `codepipeline:GetPipelineState` of the pipeline, and
//! `codepipeline:DisableStageTransition` and `codepipeline:EnableStageTransition` of the stage.
//! <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_DisableStageTransition.html>
//! <https://docs.aws.amazon.com/codepipeline/latest/userguide/transitions.html>
//!
//! It has no way to disable what is enabled only: a reason that somebody gives between our two requests is written over.

use aws::clients::Answer;
use aws::signed::Post;
use domain::ServiceId;
use domain::text::line;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{DEADLINE_SECONDS, MOST_MARK, Mark, NoAnswer, Place, State, read, theirs};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pipeline {
    stage_states: Vec<Stage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stage {
    stage_name: String,
    inbound_transition_state: Option<Transition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transition {
    enabled: Option<bool>,
    disabled_reason: Option<String>,
    last_changed_by: Option<String>,
}

pub(super) async fn state(place: &Place<'_>, id: &str, service: &ServiceId) -> Result<State, NoAnswer> {
    let (pipeline, stage) = names(id)?;
    let told: Pipeline = read(&ask(place, "GetPipelineState", &json!({ "name": pipeline })).await?.body)?;
    let found = told.stage_states.into_iter().find(|s| s.stage_name == stage).ok_or(NoAnswer::UnknownPipeline)?;
    let held = found.inbound_transition_state.filter(|transition| transition.enabled == Some(false));
    let Some(held) = held else { return Ok(State::Open) };
    let reason = held.disabled_reason.as_deref().unwrap_or("disabled");
    let ours = reason.starts_with(beginning(service).as_str());
    Ok(if ours { State::Ours } else { theirs(reason, held.last_changed_by.as_deref()) })
}

pub(super) async fn hold(place: &Place<'_>, id: &str, mark: &Mark<'_>) -> Result<State, NoAnswer> {
    match state(place, id, mark.service).await? {
        State::Open => {}
        held @ (State::Ours | State::Theirs(_)) => return Ok(held),
    }
    let mut transition = transition(id)?;
    transition["reason"] = json!(reason(mark));
    ask(place, "DisableStageTransition", &transition).await?;
    Ok(State::Ours)
}

pub(super) async fn release(place: &Place<'_>, id: &str, service: &ServiceId) -> Result<State, NoAnswer> {
    match state(place, id, service).await? {
        State::Ours => {}
        other @ (State::Open | State::Theirs(_)) => return Ok(other),
    }
    ask(place, "EnableStageTransition", &transition(id)?).await?;
    Ok(State::Open)
}

/// `edxapp-production/Deploy`.
pub(super) fn names(id: &str) -> Result<(&str, &str), NoAnswer> {
    id.split_once('/').ok_or(NoAnswer::UnknownPipeline)
}

fn transition(id: &str) -> Result<Value, NoAnswer> {
    let (pipeline, stage) = names(id)?;
    Ok(json!({ "pipelineName": pipeline, "stageName": stage, "transitionType": "Inbound" }))
}

/// What the mark of a service begins with here, where neither `/` nor `:` nor `_` may stand. No id of a service has a `!`.
fn beginning(service: &ServiceId) -> String {
    format!("recent-deployers ({})", service.as_str().replace('_', "!"))
}

/// The mark in the letters that may stand in a reason: `[a-zA-Z0-9!@ \(\)\.\*\?\-]`, at most 300.
fn reason(mark: &Mark<'_>) -> String {
    let letter = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '!' | '@' | ' ' | '(' | ')' | '.' | '*' | '?' | '-' => c,
        ':' | ';' | '…' => '.',
        '/' | '_' | '–' | '—' => '-',
        c if c.is_alphanumeric() => '?',
        _ => ' ',
    };
    let why: String = line(mark.why, MOST_MARK).chars().map(letter).collect();
    let text = line(&format!("{} {why}", beginning(mark.service)), MOST_MARK);
    text.replace('…', ".")
}

pub(super) async fn ask(place: &Place<'_>, action: &str, body: &Value) -> Result<Answer, NoAnswer> {
    let aws = place.house.aws.as_ref().ok_or(NoAnswer::Lacks("an account of AWS"))?;
    // Another address is somebody else's to vouch for.
    let (url, http) = match &place.pipeline.url {
        Some(url) => (format!("{url}/"), place.house.http.clone()),
        None => (format!("https://codepipeline.{}.amazonaws.com/", aws.region), place.house.http.to_aws()),
    };
    let (target, body) = (format!("CodePipeline_20150709.{action}"), body.to_string());
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
    let post = Post { service: "codepipeline", url: &url, headers: &headers, body: body.as_bytes() };
    let signed = post.sign(aws, place.house.now()).map_err(NoAnswer::Unsignable)?;
    let own = [("user-agent", "recent-deployers")];
    let headers: Vec<(&str, &str)> =
        own.into_iter().chain(signed.iter().map(|(name, value)| (name.as_str(), value.as_str()))).collect();
    let sent = http.send("POST", &url, &headers, body.into_bytes(), DEADLINE_SECONDS).await;
    let answer = sent.map_err(NoAnswer::Http)?;
    if answer.status == 200 { Ok(answer) } else { Err(refusal(&answer)) }
}

/// What an error means. Its name is in the body or in a header, its words are in the body.
fn refusal(answer: &Answer) -> NoAnswer {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = |key: &str| said.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = answer.error_type.as_deref().unwrap_or_else(|| said("__type"));
    let name = name.rsplit('#').next().and_then(|name| name.split(':').next()).unwrap_or_default();
    let why = if said("message").is_empty() { said("Message") } else { said("message") };
    match name {
        "PipelineNotFoundException" | "StageNotFoundException" => NoAnswer::UnknownPipeline,
        "ThrottlingException" | "TooManyRequestsException" => NoAnswer::LimitedFor(answer.retry_after.unwrap_or(1)),
        "ConflictException" => NoAnswer::Changed,
        "AccessDeniedException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "ExpiredTokenException"
        | "IncompleteSignature" => NoAnswer::NotAllowed(line(&format!("{name}: {why}"), 160)),
        "" => NoAnswer::Status(answer.status),
        _ if answer.status >= 500 => NoAnswer::Status(answer.status),
        _ => NoAnswer::Refused(line(&format!("{name}: {why}"), 160)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_reason_has_only_letters_that_may_stand_in_one() {
        let service: ServiceId = "edx_app".parse().unwrap();
        let (from, until) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        let reason = |why: &str| reason(&Mark { service: &service, why, from, until });
        for (why, want) in [
            ("Gratitude week, until Fri 18:00", "Gratitude week until Fri 18.00"),
            ("a/b_c – \"d\"\n<é> 🔥 #1", "a-b-c - d ? 1"),
            ("", ""),
        ] {
            assert_eq!(reason(why), format!("recent-deployers (edx!app) {want}").trim_end());
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "!@ ().*?-".contains(c);
        for why in ["é".repeat(999), "a ".repeat(999), "\u{7f}~`$%^&+={}[]|\\'<>".repeat(99)] {
            let reason = reason(&why);
            assert!(reason.len() <= 300 && reason.chars().all(allowed), "{reason}");
            assert!(reason.starts_with(&beginning(&service)), "{reason}");
        }
    }

    #[test]
    fn a_service_is_not_taken_for_one_that_begins_the_same() {
        let of = |service: &str| beginning(&service.parse().unwrap());
        let names = ["edxapp", "edxapp2", "edx_app", "edx-app", "edx.app"].map(of);
        for one in &names {
            assert_eq!(names.iter().filter(|other| other.starts_with(one.as_str())).count(), 1, "{one}");
        }
    }
}
