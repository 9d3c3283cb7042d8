//! GitHub: `deployment_status`, which Actions and most deployment tools send for every environment.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#deployment_status>

use aws::verify::Signature;
use aws::wire::{Moment, parse};
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::{DeployEvent, DeploymentEvent, DeploymentState, Manner, Revision, text};
use serde::Deserialize;
use serde_json::Value;

pub const SENDER: Sender<Vec<DeployEvent>> = Sender {
    name: "github",
    proofs: &[Proof::Signature(Signature::sha256("x-hub-signature-256"))],
    parse: read,
    guide: Guide {
        title: "GitHub",
        steps: &[
            "In the repository's or organisation's Settings, Webhooks, Add webhook:",
            "Payload URL {url}, content type application/json, secret {secret}",
            "Let me select individual events: Deployment statuses, Workflow runs",
            "Deployment statuses come from GitHub environments (`environment:` in a workflow job).",
        ],
        reads: "`deployment_status` in progress, success, failure, error",
        ignores: "pending, queued, inactive; `deployment`",
        docs: "https://docs.github.com/en/webhooks/webhook-events-and-payloads#deployment_status",
    },
};

#[derive(Deserialize)]
struct StatusEvent {
    deployment_status: Status,
    deployment: Deployment,
    repository: Repository,
}

#[derive(Deserialize)]
struct Status {
    state: String,
    environment: Option<String>,
    created_at: Moment,
    log_url: Option<String>,
    target_url: Option<String>,
}

#[derive(Deserialize)]
struct Deployment {
    id: u64,
    sha: String,
    environment: String,
    created_at: Moment,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

fn read(body: &[u8]) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let event: Value = parse(body)?;
    let has = |key: &str| event.get(key).is_some_and(|v| !v.is_null());
    if has("deployment_status") && has("deployment") {
        return status(parse(body)?);
    }
    Ok(Reading::Ignored(if has("zen") && has("hook") {
        "ping: the webhook is connected".to_owned()
    } else if has("deployment") {
        "deployment created: nothing has moved yet; its deployment_status will tell".to_owned()
    } else {
        "not a deployment: only deployment_status is read here".to_owned()
    }))
}

fn status(event: StatusEvent) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let state = match event.deployment_status.state.as_str() {
        "in_progress" => DeploymentState::Started,
        "success" => DeploymentState::Succeeded,
        "failure" | "error" => DeploymentState::Failed,
        "queued" | "pending" | "waiting" => {
            return Ok(Reading::Ignored("deployment_status pending: nothing has moved yet".to_owned()));
        }
        "inactive" => {
            return Ok(Reading::Ignored("deployment_status inactive: a newer deployment took its place".to_owned()));
        }
        other => {
            return Ok(Reading::Ignored(format!("deployment_status {}: not a state we know", text::line(other, 40))));
        }
    };
    let Status { environment, created_at, log_url, target_url, .. } = event.deployment_status;
    Ok(Reading::Event(vec![DeployEvent::Moved(Box::new(DeploymentEvent {
        source: "github".to_owned(),
        id: event.deployment.id.to_string(),
        repository: Some(event.repository.full_name.parse()?),
        names: Vec::new(),
        environments: vec![text::line(environment.as_deref().unwrap_or(&event.deployment.environment), 100)],
        revision: Revision::Commit(event.deployment.sha.parse()?),
        manner: Manner::Whole,
        note: None,
        state,
        at: Some(created_at.0),
        created_at: Some(event.deployment.created_at.0),
        url: log_url.as_deref().and_then(text::url).or_else(|| target_url.as_deref().and_then(text::url)),
    }))]))
}
