//! GitHub: `deployment_status`, which Actions and most deployment tools send for every environment; `workflow_run`, for
//! workflows that deploy without one and for those that test.
//!
//! The event is told by the body's shape, not by `X-GitHub-Event`: the header is not part of what is signed.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#deployment_status>

mod protection;
mod workflow_run;

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
            "A workflow without one: name it in `deployed_as` of the environment, by its name or its file's (`deploy` for deploy.yml).",
        ],
        reads: "`deployment_protection_rule` of a GitHub App that is ours (`app_id`): answered once no freeze holds it; \
                `deployment_status` in progress, success, failure, error; `workflow_run` in progress and completed on the default branch: \
                a deployment if an environment is `deployed_as` the workflow's name, end-to-end tests if its name says so",
        ignores: "pending, queued, inactive; `deployment`; runs for pull requests, of other branches, skipped ones; every other event",
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
    if let Some(waiting) = protection::waiting(body)? {
        return Ok(Reading::Event(vec![DeployEvent::Waits(waiting)]));
    }
    let event: Value = parse(body)?;
    let has = |key: &str| event.get(key).is_some_and(|v| !v.is_null());
    if has("deployment_status") && has("deployment") {
        return status(parse(body)?);
    }
    let action = text::line(event.get("action").and_then(Value::as_str).unwrap_or(""), 40);
    // `deployment_review` has a `workflow_run` too, and somebody who is asked or who answers.
    let review = has("requestor") || has("reviewers") || has("approver") || has("workflow_job_runs");
    if has("workflow_run") && !has("deployment") && !review {
        return workflow_run::ran(&action, parse(body)?);
    }
    Ok(Reading::Ignored(not_for_us(&action, review, has)))
}

/// What else there is, by the part of the body that is its own.
fn not_for_us(action: &str, review: bool, has: impl Fn(&str) -> bool) -> String {
    const OTHERS: &[(&str, &str)] = &[
        ("workflow_job", "one job of a workflow; its workflow_run will tell"),
        ("check_run", "one check of a commit"),
        ("check_suite", "the checks of a commit"),
        ("review", "a review of a pull request"),
        ("comment", "a comment"),
        ("issue", "an issue"),
        ("pull_request", "a pull request; merges are read at /merge/github"),
        ("merge_group", "the merge queue"),
        ("release", "a release was written; its deployment_status or workflow_run will tell what moves"),
        ("client_payload", "repository_dispatch: a workflow may begin; its workflow_run will tell"),
        ("inputs", "workflow_dispatch: a workflow begins; its workflow_run will tell"),
        ("pusher", "a push; merges are read at /merge/github"),
        ("ref_type", "a branch or tag was created or deleted"),
        ("context", "a status of a commit"),
        ("security_advisory", "a security advisory"),
        ("installation", "the app's installation"),
    ];
    if has("zen") && has("hook") {
        return "ping: the webhook is connected".to_owned();
    }
    if has("deployment") {
        return "deployment created: nothing has moved yet; its deployment_status will tell".to_owned();
    }
    if review {
        return format!("deployment_review {action}: somebody is asked, nothing has moved yet");
    }
    match OTHERS.iter().find(|(part, _)| has(part)) {
        Some((_, what)) => format!("not a deployment: {what}"),
        None => "not a deployment: only deployment_status and workflow_run are read here".to_owned(),
    }
}

fn status(event: StatusEvent) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let state = match event.deployment_status.state.as_str() {
        "in_progress" => DeploymentState::Started,
        "success" => DeploymentState::Succeeded,
        "failure" | "error" => DeploymentState::Failed,
        "queued" | "pending" | "waiting" => {
            return Ok(Reading::ignored("deployment_status pending: nothing has moved yet"));
        }
        "inactive" => {
            return Ok(Reading::ignored("deployment_status inactive: a newer deployment took its place"));
        }
        other => {
            return Ok(Reading::ignored(format!("deployment_status {}: not a state we know", text::line(other, 40))));
        }
    };
    let Status { environment, created_at, log_url, target_url, .. } = event.deployment_status;
    Ok(Reading::Event(vec![DeployEvent::Moved(Box::new(DeploymentEvent {
        recurs: false,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &serde_json::Value) -> String {
        match read(body.to_string().as_bytes()) {
            Ok(Reading::Event(events)) => match &events[0] {
                DeployEvent::Moved(e) => format!("{:?} {} {:?}", e.state, e.id, e.environments),
                DeployEvent::StandsFor(_) | DeployEvent::Waits(_) => unreachable!(),
            },
            Ok(Reading::Ignored(why)) => why,
            Err(why) => format!("malformed: {why}"),
        }
    }

    #[test]
    fn a_status_is_a_deployment_and_everything_else_says_why_it_is_not() {
        let status = |state: &str| {
            serde_json::json!({
                "action": "created",
                "deployment_status": { "state": state, "environment": "prod", "created_at": "2026-03-20T10:00:00Z" },
                "deployment": { "id": 7, "sha": "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1", "environment": "prod", "created_at": "2026-03-20T09:59:00Z" },
                "workflow_run": { "id": 1 },
                "repository": { "full_name": "openedx/edx-platform" },
            })
        };
        for (state, want) in [
            ("in_progress", "Started 7 [\"prod\"]"),
            ("success", "Succeeded 7 [\"prod\"]"),
            ("failure", "Failed 7 [\"prod\"]"),
            ("error", "Failed 7 [\"prod\"]"),
            ("queued", "deployment_status pending: nothing has moved yet"),
            ("inactive", "deployment_status inactive: a newer deployment took its place"),
            ("danced", "deployment_status danced: not a state we know"),
        ] {
            assert_eq!(check(&status(state)), want);
        }
        for (part, want) in [
            ("workflow_job", "not a deployment: one job of a workflow; its workflow_run will tell"),
            ("pull_request", "not a deployment: a pull request; merges are read at /merge/github"),
            ("deployment", "deployment created: nothing has moved yet; its deployment_status will tell"),
            ("sponsorship", "not a deployment: only deployment_status and workflow_run are read here"),
        ] {
            assert_eq!(check(&serde_json::json!({ "action": "created", part: {}, "sender": {} })), want);
        }
        let ping =
            serde_json::json!({ "zen": "Keep it logically awesome.", "hook": { "type": "Repository" }, "hook_id": 1 });
        assert_eq!(check(&ping), "ping: the webhook is connected");
        let review = serde_json::json!({ "action": "requested", "workflow_run": {}, "requestor": {} });
        assert_eq!(check(&review), "deployment_review requested: somebody is asked, nothing has moved yet");
    }
}
