//! `workflow_run`: a workflow of Actions, which deploys, tests or does something else; its name says which.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run>

use aws::wire::Moment;
use aws::{Malformed, Reading};
use domain::{DeployEvent, DeploymentEvent, DeploymentState, Revision, text};
use serde::Deserialize;

use super::super::{is_test, run_of_any};

#[derive(Deserialize)]
pub(super) struct RunEvent {
    workflow_run: Run,
    workflow: Option<Workflow>,
    repository: Repository,
}

#[derive(Deserialize)]
struct Run {
    id: u64,
    name: Option<String>,
    path: Option<String>,
    run_attempt: Option<u64>,
    event: Option<String>,
    conclusion: Option<String>,
    head_branch: Option<String>,
    head_sha: String,
    created_at: Option<Moment>,
    run_started_at: Option<Moment>,
    updated_at: Option<Moment>,
    html_url: Option<String>,
}

#[derive(Deserialize)]
struct Workflow {
    name: Option<String>,
    path: Option<String>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
    default_branch: Option<String>,
}

pub(super) fn ran(action: &str, event: RunEvent) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let state = match state(action, &event) {
        Ok(state) => state,
        Err(why) => return Ok(Reading::ignored(format!("workflow_run {action}: {why}"))),
    };
    let names = names(&event);
    let run = event.workflow_run;
    let manner = run_of_any(names.first().map(String::as_str).filter(|name| is_test(name)));
    let created_at = run.run_started_at.or(run.created_at).map(|at| at.0);
    let failed = state == DeploymentState::Failed;
    Ok(Reading::Event(vec![DeployEvent::Moved(Box::new(DeploymentEvent {
        recurs: false,
        source: "github".to_owned(),
        id: format!("run-{}-{}", run.id, run.run_attempt.unwrap_or(1)),
        repository: Some(event.repository.full_name.parse()?),
        names,
        environments: Vec::new(),
        revision: Revision::Commit(run.head_sha.parse()?),
        manner,
        note: run.conclusion.filter(|_| failed).map(|conclusion| text::line(&conclusion.replace('_', " "), 40)),
        state,
        at: run.updated_at.map(|at| at.0).or(created_at),
        created_at,
        url: run.html_url.as_deref().and_then(text::url),
    }))]))
}

/// What the run did to what it is about, or why it is not about anything that is live.
fn state(action: &str, event: &RunEvent) -> Result<DeploymentState, String> {
    let run = &event.workflow_run;
    let by = run.event.as_deref().unwrap_or("");
    if matches!(by, "pull_request" | "pull_request_target" | "merge_group") {
        return Err(format!("it runs for {by}, which is not merged"));
    }
    // A release's workflow runs for its tag.
    if by != "release" && run.head_branch != event.repository.default_branch {
        return Err("it runs for a branch that is not the default branch".to_owned());
    }
    match (action, run.conclusion.as_deref()) {
        ("in_progress", _) => Ok(DeploymentState::Started),
        ("completed", Some("success")) => Ok(DeploymentState::Succeeded),
        ("completed", Some("failure" | "timed_out" | "startup_failure")) => Ok(DeploymentState::Failed),
        ("completed", Some("cancelled")) => Ok(DeploymentState::Aborted),
        ("completed", Some(other)) => Err(format!("{}: nothing was done", text::line(&other.replace('_', " "), 40))),
        ("completed", None) => Err("it does not say how it ended".to_owned()),
        _ => Err("it has not begun".to_owned()),
    }
}

/// The workflow's name, its file's, and its name with its repository's.
fn names(event: &RunEvent) -> Vec<String> {
    let given = |text: Option<&String>| text.map(|t| text::line(t, 100)).filter(|t| !t.is_empty());
    let (run, workflow) = (&event.workflow_run, event.workflow.as_ref());
    let name = given(run.name.as_ref()).or_else(|| given(workflow.and_then(|w| w.name.as_ref())));
    let path = given(run.path.as_ref()).or_else(|| given(workflow.and_then(|w| w.path.as_ref())));
    let file = path.map(|path| stem(&path).to_owned()).filter(|file| !file.is_empty());
    let whole = name.as_ref().or(file.as_ref()).map(|name| format!("{}/{name}", event.repository.full_name));
    let mut names: Vec<String> = Vec::new();
    for name in [name, file, whole.map(|whole| text::line(&whole, 250))].into_iter().flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// `deploy` of `.github/workflows/deploy.yml@refs/heads/main`.
fn stem(path: &str) -> &str {
    let path = path.split('@').next().unwrap_or(path);
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(".yml").or_else(|| file.strip_suffix(".yaml")).unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn run(change: &Value) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
        let mut event = json!({
            "action": "completed",
            "workflow_run": {
                "id": 30, "run_attempt": 2, "name": "Deploy", "path": ".github/workflows/release.yml@main",
                "event": "push", "conclusion": "success", "head_branch": "main",
                "head_sha": "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1",
                "created_at": "2026-03-20T09:00:00Z", "run_started_at": "2026-03-20T10:00:00Z", "updated_at": "2026-03-20T10:04:00Z",
                "html_url": "https://github.com/openedx/edx-platform/actions/runs/30",
            },
            "workflow": { "name": "Deploy", "path": ".github/workflows/release.yml" },
            "repository": { "full_name": "openedx/edx-platform", "default_branch": "main" },
        });
        let action = change.get("action").and_then(Value::as_str).unwrap_or("completed").to_owned();
        for (key, value) in change.as_object().unwrap() {
            event["workflow_run"][key] = value.clone();
        }
        ran(&action, serde_json::from_value(event).unwrap())
    }

    fn check(change: &Value) -> String {
        match run(change).unwrap() {
            Reading::Event(events) => match &events[0] {
                DeployEvent::Moved(e) => format!("{:?} {} {:?} {}", e.state, e.id, e.manner, e.names.join(" ")),
                DeployEvent::StandsFor(_) | DeployEvent::Waits(_) => unreachable!(),
            },
            Reading::Ignored(why) => why,
        }
    }

    #[test]
    fn a_run_on_the_default_branch_is_read_by_its_name_and_conclusion() {
        for (change, want) in [
            (json!({}), "Succeeded run-30-2 Whole Deploy release openedx/edx-platform/Deploy"),
            (
                json!({ "action": "in_progress", "conclusion": null }),
                "Started run-30-2 Whole Deploy release openedx/edx-platform/Deploy",
            ),
            (
                json!({ "conclusion": "startup_failure" }),
                "Failed run-30-2 Whole Deploy release openedx/edx-platform/Deploy",
            ),
            (json!({ "conclusion": "cancelled" }), "Aborted run-30-2 Whole Deploy release openedx/edx-platform/Deploy"),
            (
                json!({ "name": "Nightly E2E", "conclusion": "timed_out" }),
                "Failed run-30-2 Test(\"Nightly E2E\") Nightly E2E release openedx/edx-platform/Nightly E2E",
            ),
            (
                json!({ "name": "", "run_attempt": null }),
                "Succeeded run-30-1 Whole Deploy release openedx/edx-platform/Deploy",
            ),
            (json!({ "action": "requested" }), "workflow_run requested: it has not begun"),
            (json!({ "conclusion": "skipped" }), "workflow_run completed: skipped: nothing was done"),
            (json!({ "conclusion": "action_required" }), "workflow_run completed: action required: nothing was done"),
            (json!({ "conclusion": null }), "workflow_run completed: it does not say how it ended"),
            (
                json!({ "event": "pull_request" }),
                "workflow_run completed: it runs for pull_request, which is not merged",
            ),
            (json!({ "event": "merge_group" }), "workflow_run completed: it runs for merge_group, which is not merged"),
            (
                json!({ "head_branch": "feature" }),
                "workflow_run completed: it runs for a branch that is not the default branch",
            ),
        ] {
            assert_eq!(check(&change), want, "{change}");
        }
    }

    #[test]
    fn an_attempt_begins_when_it_was_started_again() {
        let Reading::Event(events) = run(&json!({ "conclusion": "timed_out" })).unwrap() else { unreachable!() };
        let DeployEvent::Moved(event) = &events[0] else { unreachable!() };
        assert_eq!(event.created_at.unwrap().to_string(), "2026-03-20T10:00:00Z");
        assert_eq!(event.at.unwrap().to_string(), "2026-03-20T10:04:00Z");
        assert_eq!(event.note.as_deref(), Some("timed out"));
    }
}
