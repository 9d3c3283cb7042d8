//! Small messages written from the documentation, one point each.

use serde_json::json;

use super::*;

const SHA: &str = "279484c09fbe69ededfced8c1bb6e6d24616b468";

fn project() -> Value {
    json!({"path_with_namespace": "group/sub/app", "default_branch": "main", "web_url": "https://gl.example.com/group/sub/app"})
}

fn deployed(change: &Value) -> Value {
    changed(
        json!({
            "object_kind": "deployment", "status": "success", "status_changed_at": "2026-03-20 12:00:00 +0200",
            "deployment_id": 15, "deployable_id": 796, "environment": "staging", "project": project(),
            "deployable_url": "https://gl.example.com/group/sub/app/-/jobs/796", "short_sha": "279484c0",
            "commit_url": format!("https://gl.example.com/group/sub/app/-/commit/{SHA}"), "ref": "1.0.0",
        }),
        change,
    )
}

/// A pipeline with one job.
fn pipeline(attributes: &Value, job: &Value) -> Value {
    let own = json!({"id": 31, "ref": "main", "tag": false, "sha": SHA, "source": "push", "status": "running"});
    let default = json!({
        "id": 796, "stage": "deploy", "name": "to-prod", "status": "success", "created_at": "2026-03-20 09:00:00 UTC",
        "started_at": "2026-03-20 09:50:00 UTC", "finished_at": "2026-03-20 10:00:00 UTC",
        "environment": {"name": "prod-eu", "action": "start", "deployment_tier": "production"},
    });
    json!({"object_kind": "pipeline", "object_attributes": changed(own, attributes), "project": project(),
        "builds": [changed(default, job), {"id": 1, "stage": "test", "name": "unit", "status": "success"}]})
}

fn built(change: &Value) -> Value {
    changed(
        json!({
            "object_kind": "build", "ref": "main", "sha": SHA, "build_id": 796, "build_name": "to-prod",
            "build_stage": "deploy", "build_status": "failed", "build_failure_reason": "script_failure",
            "build_created_at": "2026-03-20 09:00:00 UTC", "build_started_at": "2026-03-20T09:50:00Z",
            "build_finished_at": "2026-03-20 10:00:00 UTC", "environment": {"name": "prod-eu", "action": "start"},
            "repository": {"homepage": "https://gl.example.com/group/sub/app"},
        }),
        change,
    )
}

/// With other values of these attributes.
fn changed(mut event: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().into_iter().flatten() {
        event[name] = value.clone();
    }
    event
}

/// What a message is read into, on one line.
fn check(event: &Value) -> String {
    let line = |event: &DeployEvent| match event {
        DeployEvent::Moved(e) => {
            let of = match &e.revision {
                Revision::Commit(commit) => commit.short().to_owned(),
                Revision::Named(_) | Revision::Untold => "untold".to_owned(),
            };
            let manner = match &e.manner {
                Manner::Test(suite) => format!(" test {suite}"),
                Manner::Whole | Manner::Progressive => String::new(),
            };
            let note = e.note.as_deref().map_or(String::new(), |note| format!(" ({note})"));
            let at = e.at.map_or("untold".to_owned(), |at| at.strftime("%H:%M").to_string());
            format!("{} {of} {} {:?} {at}{manner}{note}", e.id, e.environments.join(","), e.state)
        }
        other @ (DeployEvent::StandsFor(_) | DeployEvent::Waits(_)) => format!("{other:?}"),
    };
    match read(event.to_string().as_bytes()) {
        Ok(Reading::Event(events)) => events.iter().map(line).collect::<Vec<_>>().join("; "),
        Ok(Reading::Ignored(why)) => format!("ignored: {why}"),
        Err(why) => format!("malformed: {why}"),
    }
}

#[test]
fn a_deployment_is_read() {
    for (change, want) in [
        (json!({}), "job-796 279484c09f staging Succeeded 10:00"),
        (json!({"status": "running"}), "job-796 279484c09f staging Started 10:00"),
        (json!({"status": "failed"}), "job-796 279484c09f staging Failed 10:00"),
        (json!({"status": "canceled"}), "job-796 279484c09f staging Aborted 10:00"),
        (json!({"deployable_id": null}), "deployment-15 279484c09f staging Succeeded 10:00"),
        (json!({"commit_url": null}), "job-796 279484c0 staging Succeeded 10:00"),
        (json!({"commit_url": "https://x/<y>", "short_sha": null}), "job-796 untold staging Succeeded 10:00"),
        (json!({"status": "created"}), "ignored: deployment created: nothing has moved"),
        (json!({"status": 7}), "ignored: deployment : nothing has moved"),
        (json!({"environment": "review/prod-fix"}), "ignored: deployment to a review app"),
        (json!({"status_changed_at": null}), "job-796 279484c09f staging Succeeded untold"),
        (json!({"environment": null}), "job-796 279484c09f  Succeeded 10:00"),
        (
            json!({"deployable_id": [], "deployment_id": null}),
            "malformed: a deployment without deployable_id and deployment_id",
        ),
    ] {
        assert_eq!(check(&deployed(&change)), want, "{change}");
    }
}

#[test]
fn jobs_of_a_pipeline_are_read() {
    let (branch, request) = (json!({"ref": "x"}), json!({"source": "merge_request_event"}));
    let (test, here) = (json!({"name": "e2e", "stage": "verify", "environment": null, "status": "failed"}), json!({}));
    let none = "ignored: pipeline: of what is not merged, and no job of it deploys to an environment";
    // For whoever says by `deployed_as` that it is a deployment.
    let whole = "pipeline-31 279484c09f  Started untold";
    let waits = "ignored: pipeline: no job that deploys has started";
    for (attributes, job, want) in [
        (&here, json!({}), "job-796 279484c09f prod-eu,production Succeeded 10:00"),
        (&branch, json!({}), "job-796 279484c09f prod-eu,production Succeeded 10:00"),
        (
            &here,
            json!({"status": "running", "finished_at": null}),
            "job-796 279484c09f prod-eu,production Started 09:50",
        ),
        (&here, json!({"status": "canceled"}), "job-796 279484c09f prod-eu,production Aborted 10:00"),
        (&here, json!({"finished_at": null}), "job-796 279484c09f prod-eu,production Succeeded untold"),
        (&here, json!({"status": "canceled", "started_at": null}), waits),
        (&here, json!({"status": "manual"}), waits),
        (&here, json!({"status": "canceling"}), waits),
        (&here, json!({"id": null}), waits),
        (&here, json!({"environment": {"name": "prod", "action": "stop"}}), whole),
        (&here, json!({"environment": {"name": "review/x", "deployment_tier": "development"}}), whole),
        (&here, json!({"environment": null}), whole),
        // An environment may be called like a test, and a test may name its environment.
        (
            &here,
            json!({"name": "acceptance", "environment": {"name": "acceptance"}}),
            "job-796 279484c09f acceptance Succeeded 10:00",
        ),
        (
            &here,
            json!({"stage": "post", "name": "smoke", "environment": {"name": "prod", "action": "verify"}}),
            "job-796 279484c09f prod Succeeded 10:00 test smoke",
        ),
        (&here, test.clone(), "job-796 279484c09f  Failed 10:00 test e2e"),
        (&branch, test.clone(), none),
        (&request, test, none),
        (
            &here,
            json!({"name": "chrome", "stage": "e2e", "environment": null}),
            "job-796 279484c09f  Succeeded 10:00 test e2e chrome",
        ),
    ] {
        assert_eq!(check(&pipeline(attributes, &job)), want, "{attributes} {job}");
    }
}

#[test]
fn a_job_alone_is_the_same_deployment() {
    let none = "ignored: job: it does not deploy to an environment or test end to end what was merged";
    for (change, want) in [
        (json!({}), "job-796 279484c09f prod-eu Failed 10:00 (script failure)"),
        (json!({"build_status": "success"}), "job-796 279484c09f prod-eu Succeeded 10:00"),
        (json!({"build_id": "796"}), "job-796 279484c09f prod-eu Failed 10:00 (script failure)"),
        (json!({"build_status": "pending"}), "ignored: job: nothing has moved"),
        (json!({"environment": null}), none),
        (
            json!({"environment": null, "build_name": "e2e"}),
            "job-796 279484c09f  Failed 10:00 test e2e (script failure)",
        ),
        (json!({"environment": null, "build_name": "e2e", "ref": "x"}), none),
        (json!({"object_kind": "release"}), "ignored: release: nothing was deployed; the deployment will tell"),
        (json!({"object_kind": "push\u{202e}"}), "ignored: push: nothing was deployed"),
        (json!({"object_kind": null}), "ignored: not a message of GitLab: it has no object_kind"),
    ] {
        assert_eq!(check(&built(&change)), want, "{change}");
    }
    assert_eq!(check(&json!([])), "ignored: not a message of GitLab: it has no object_kind");
    assert!(read(b"{").is_err());
}

#[test]
fn what_is_told_beside_is_kept() {
    for (event, names) in [
        (deployed(&json!({})), &["group/sub/app/staging", "group/sub/app"][..]),
        (pipeline(&json!({}), &json!({})), &["group/sub/app/prod-eu", "group/sub/app/to-prod", "group/sub/app"]),
        (built(&json!({})), &["group/sub/app/prod-eu", "group/sub/app/to-prod", "group/sub/app"]),
    ] {
        let Ok(Reading::Event(events)) = read(event.to_string().as_bytes()) else { panic!("{event}") };
        let Some(DeployEvent::Moved(event)) = events.first() else { panic!("{events:?}") };
        assert_eq!(event.repository.as_ref().map(Repository::as_str), Some("group/sub/app"));
        assert_eq!(event.names, names);
        assert_eq!(event.url.as_deref(), Some("https://gl.example.com/group/sub/app/-/jobs/796"));
        assert!(event.created_at <= event.at, "nothing ends before it began");
    }
}
