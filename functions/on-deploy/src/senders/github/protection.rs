//! `deployment_protection_rule`: a job of Actions waits until our rule of its environment says that it may go on.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#deployment_protection_rule>
//!
//! Of where to answer only the number of the run is taken, and only if all else is as we would write it: whom we send
//! our token to is never the sender's to say.

use aws::Malformed;
use aws::wire::{Moment, parse};
use domain::gates::Waiting;
use domain::{Repository, text};
use serde::Deserialize;
use serde_json::Value;

/// Characters of an environment's name.
const MOST_NAME: usize = 255;

#[derive(Deserialize)]
struct Event {
    environment: String,
    deployment_callback_url: String,
    deployment: Option<Deployment>,
    sha: Option<String>,
    repository: Named,
    installation: Option<Installation>,
}

#[derive(Deserialize)]
struct Deployment {
    sha: String,
    created_at: Option<Moment>,
}

#[derive(Deserialize)]
struct Named {
    full_name: String,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

/// What waits, if that is what the body is about.
pub(super) fn waiting(body: &[u8]) -> Result<Option<Waiting>, Malformed> {
    let event: Value = parse(body)?;
    let says = |key: &str| event.get(key).and_then(Value::as_str);
    if says("action") != Some("requested") || says("deployment_callback_url").is_none() {
        return Ok(None);
    }
    let Event { environment, deployment_callback_url, deployment, sha, repository, installation } = parse(body)?;
    let repository: Repository = repository.full_name.parse()?;
    let run = run(&deployment_callback_url, &repository)
        .ok_or_else(|| Malformed::new("`deployment_callback_url` is not a run of this repository"))?;
    if environment.is_empty() || text::line(&environment, MOST_NAME) != environment {
        return Err(Malformed::new("`environment` is not the name of one"));
    }
    let at = deployment.as_ref().and_then(|deployment| deployment.created_at).map(|at| at.0);
    let sha = deployment.map(|deployment| deployment.sha).or(sha);
    let commit = sha.ok_or_else(|| Malformed::new("neither `deployment` nor `sha` says which commit"))?.parse()?;
    let installation = installation.map(|installation| installation.id);
    Ok(Some(Waiting { repository, run, environment, commit, at, source: String::new(), installation }))
}

/// The run of `https://api.github.com/repos/{repository}/actions/runs/{run}/deployment_protection_rule`, where an Enterprise
/// Server has `/api/v3` before `/repos`.
fn run(url: &str, repository: &Repository) -> Option<u64> {
    let (_, rest) = url.split_once("://")?;
    let path = &rest[rest.find('/')?..];
    let path = path.strip_prefix("/api/v3").unwrap_or(path).strip_prefix("/repos/")?;
    let (of, rest) = path.split_once("/actions/runs/")?;
    let run = rest.strip_suffix("/deployment_protection_rule")?;
    let is = of.eq_ignore_ascii_case(repository.as_str()) && run.bytes().all(|b| b.is_ascii_digit());
    run.parse().ok().filter(|_| is)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const URL: &str = "https://api.github.com/repos/openedx/edx-platform/actions/runs/123/deployment_protection_rule";
    const SHA: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";

    fn event(change: &Value) -> Value {
        let mut event = json!({
            "action": "requested", "environment": "production", "event": "push",
            "deployment_callback_url": URL, "sha": "0000000", "ref": "main",
            "deployment": { "id": 7, "sha": SHA, "environment": "production", "created_at": "2026-03-20T10:00:00Z" },
            "pull_requests": [], "repository": { "full_name": "openedx/edx-platform" }, "installation": { "id": 42 },
        });
        for (key, value) in change.as_object().unwrap() {
            event[key] = value.clone();
        }
        event
    }

    fn check(change: &Value) -> String {
        match waiting(event(change).to_string().as_bytes()) {
            Ok(Some(w)) => format!(
                "{} {} {} {} {:?} {:?}",
                w.repository,
                w.run,
                w.environment,
                w.commit.short(),
                w.at.map(|at| at.to_string()),
                w.installation
            ),
            Ok(None) => "not that".to_owned(),
            Err(why) => why.to_string(),
        }
    }

    #[test]
    fn what_waits_is_read_and_everything_else_is_not_that() {
        let whole = "openedx/edx-platform 123 production 8c1c06a1a8 Some(\"2026-03-20T10:00:00Z\") Some(42)";
        assert_eq!(check(&json!({})), whole);
        assert_eq!(check(&json!({ "repository": { "full_name": "OpenEdx/Edx-Platform" } })), whole);
        let less = json!({ "deployment": null, "sha": SHA, "installation": null });
        assert_eq!(check(&less), "openedx/edx-platform 123 production 8c1c06a1a8 None None");
        for other in [json!({ "action": "created" }), json!({ "deployment_callback_url": null })] {
            assert_eq!(check(&other), "not that");
        }
        assert!(waiting(b"[]").unwrap().is_none());
        assert!(waiting(b"{").is_err());
    }

    #[test]
    fn where_to_answer_is_a_run_of_this_repository_whatever_its_host() {
        let path = "repos/openedx/edx-platform/actions/runs/123/deployment_protection_rule";
        for base in ["https://api.github.com", "https://github.example.com/api/v3", "https://evil.example.com"] {
            assert!(check(&json!({ "deployment_callback_url": format!("{base}/{path}") })).contains(" 123 "), "{base}");
        }
        for bad in [
            "",
            "/repos/openedx/edx-platform/actions/runs/123/deployment_protection_rule",
            "https://api.github.com",
            "https://api.github.com/repos/evil/edx-platform/actions/runs/123/deployment_protection_rule",
            "https://api.github.com/repos/openedx/edx-platform/actions/runs//deployment_protection_rule",
            "https://api.github.com/repos/openedx/edx-platform/actions/runs/1/../2/deployment_protection_rule",
            "https://api.github.com/repos/openedx/edx-platform/actions/runs/-1/deployment_protection_rule",
            "https://api.github.com/repos/openedx/edx-platform/actions/runs/+1/deployment_protection_rule",
            "https://api.github.com/repos/openedx/edx-platform/actions/runs/99999999999999999999/deployment_protection_rule",
            "https://api.github.com/repos/openedx/edx-platform/actions/runs/1/deployment_protection_rule?x",
            "https://api.github.com/api/v3/api/v3/repos/openedx/edx-platform/actions/runs/1/deployment_protection_rule",
        ] {
            let said = check(&json!({ "deployment_callback_url": bad }));
            assert_eq!(said, "`deployment_callback_url` is not a run of this repository", "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_right_is_malformed() {
        for (change, why) in [
            (json!({ "environment": "" }), "`environment` is not the name of one"),
            (json!({ "environment": "a\nb" }), "`environment` is not the name of one"),
            (json!({ "environment": "x".repeat(999) }), "`environment` is not the name of one"),
            (json!({ "deployment": null, "sha": null }), "neither `deployment` nor `sha` says which commit"),
            (json!({ "deployment": null, "sha": "../main" }), "expected commit: 7 to 64 hexadecimal digits"),
            (
                json!({ "repository": { "full_name": "edx" } }),
                "expected repository: a path of at least two segments such as `owner/name`",
            ),
        ] {
            assert_eq!(check(&change), why);
        }
    }
}
