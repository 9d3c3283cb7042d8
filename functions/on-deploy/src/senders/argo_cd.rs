//! Argo CD notifications. The body is whatever the user's template makes of an Application; the template that we ship,
//! `infra/pipelines/argo-cd.yaml`, keeps the Application's own shape, and that is what is read. Bodies of other
//! templates are read by the names that things usually have: a commit status, an attachment for Slack.
//! <https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/webhook/>
//!
//! Which commit that moves is in [`revision`].

mod revision;

use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender, given};
use domain::{DeployEvent, DeploymentEvent, DeploymentState, Manner, text};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::names_in;
pub(super) use revision::image_of;
use revision::{REVISION, revision};

pub const SENDER: Sender<Vec<DeployEvent>> = Sender {
    name: "argo-cd",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide {
        title: "Argo CD",
        steps: &[
            "Put {secret} into argocd-notifications-secret as recent-deployers-token.",
            "In infra/pipelines/argo-cd.yaml set the url to {url}, then:",
            "kubectl patch configmap argocd-notifications-cm -n argocd --patch-file infra/pipelines/argo-cd.yaml",
            "If the service is not called as the application is: name the application in `deployed_as` of its environment.",
            "If the manifests are in a repository of their own and image tags spell no commit: annotate the Application with",
            "recent-deployers/commit: <sha>, or with recent-deployers/image: <name of the image that is the service>.",
        ],
        reads: "operations running, succeeded and healthy, failed, terminated; health degraded; commit statuses and attachments of other templates",
        ignores: "out of sync, unknown, created, deleted: nothing was moved",
        docs: "https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/",
    },
};

const SOURCE: &str = "argo-cd";
/// Of each list that is read.
const MOST: usize = 30;

fn read(body: &[u8]) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let message: Value = parse(body)?;
    let message = match message.pointer("/attachments/0") {
        Some(attachment) => of_attachment(attachment),
        None => message,
    };
    let app = ["app", "application"].iter().find_map(|key| message.get(*key).filter(|v| v.is_object()));
    application(app.unwrap_or(&message), &message)
}

/// The first of these places where a text (or a number) stands.
pub(super) fn told(value: &Value, places: &[&str]) -> Option<String> {
    // What Go's templates write for a thing that is not there.
    let there = |told: String| Some(told.replace("<no value>", "").trim().to_owned()).filter(|told| !told.is_empty());
    places.iter().find_map(|place| given::told(value, place).and_then(there))
}

/// The first of these places where a time stands.
pub(super) fn time(value: &Value, places: &[&str]) -> Option<Timestamp> {
    places.iter().find_map(|place| given::time(value, place))
}

/// The texts of the list at this place.
pub(super) fn texts<'a>(value: &'a Value, place: &str) -> Vec<&'a str> {
    given::list(value, place).take(MOST).filter_map(Value::as_str).collect()
}

/// An attachment for Slack, with the application as its title, as a message of the usual names.
fn of_attachment(attachment: &Value) -> Value {
    let field = |title: &str| {
        let same =
            |field: &&Value| field.get("title").and_then(Value::as_str).is_some_and(|t| t.eq_ignore_ascii_case(title));
        let value = given::list(attachment, "/fields").take(MOST).find(same)?.get("value")?.as_str()?;
        Some(value.lines().next()?.trim_start_matches(":arrow_heading_up:").trim().to_owned())
    };
    json!({
        "name": attachment.get("title"),
        "url": attachment.get("title_link"),
        "health": field("Health Status"),
        "syncStatus": field("Sync Status"),
        "repoURL": field("Repository").or_else(|| field("Repositories")),
        "revision": field("Revision"),
    })
}

fn application(app: &Value, message: &Value) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let url = told(message, &["/url", "/target_url", "/link", "/context/url"]);
    let Some((namespace, name)) = named(app, message, url.as_deref()) else {
        return Ok(Reading::ignored("not about an application: none is named"));
    };
    let state = match state(app) {
        Ok(state) => state,
        Err(why) => return Ok(Reading::ignored(why)),
    };
    let began = &["/status/operationState/startedAt", "/operationState/startedAt", "/startedAt", "/started_at"];
    let created_at = time(app, began);
    let (revision, repository) = revision(app, &name);
    let failed = matches!(state, DeploymentState::Failed | DeploymentState::Aborted);
    Ok(Reading::Event(vec![DeployEvent::Moved(Box::new(DeploymentEvent {
        recurs: created_at.is_none(),
        source: SOURCE.to_owned(),
        id: id(app, namespace.as_deref(), &name, created_at),
        repository,
        environments: environments(app, &name),
        names: names_in(namespace.as_deref(), &name),
        revision,
        manner: Manner::Whole,
        state,
        at: reached(app, message, state, created_at),
        created_at,
        note: note(app).filter(|_| failed),
        url: url.as_deref().and_then(text::url),
    }))]))
}

/// The application, with the namespace it is in: by its name, by its address, by what the status is called.
fn named(app: &Value, message: &Value, url: Option<&str>) -> Option<(Option<String>, String)> {
    let namespace = told(app, &["/metadata/namespace", "/namespace", "/app_namespace"]);
    let name = ["/metadata/name", "/name", "/appName", "/app_name", "/applicationName", "/application_name"];
    if let Some(name) = told(app, &name).or_else(|| told(message, &["/app", "/application"])) {
        return Some((namespace, name));
    }
    let path = url.and_then(|url| url.split_once("/applications/")).and_then(|(_, path)| path.split(['?', '#']).next());
    match path.map(|path| path.trim_matches('/')).filter(|path| !path.is_empty()) {
        Some(path) => match path.split_once('/') {
            Some((namespace, name)) => Some((Some(namespace.to_owned()), name.to_owned())),
            None => Some((namespace, path.to_owned())),
        },
        None => Some((namespace, told(message, &["/context"])?.rsplit('/').next()?.to_owned())),
    }
}

fn health(app: &Value) -> Option<String> {
    told(app, &["/status/health/status", "/health/status", "/health", "/healthStatus", "/health_status"])
}

/// What became of the operation; that it succeeded is not enough, what it applied has to be healthy too.
fn state(app: &Value) -> Result<DeploymentState, &'static str> {
    let phase =
        ["/status/operationState/phase", "/operationState/phase", "/phase", "/operationPhase", "/state", "/status"];
    let phase = told(app, &phase).unwrap_or_default().to_lowercase();
    let health = health(app).unwrap_or_default().to_lowercase();
    let sync = told(app, &["/status/sync/status", "/sync/status", "/sync", "/syncStatus", "/sync_status"]);
    let sync = sync.unwrap_or_default().to_lowercase();
    let applied = || match health.as_str() {
        "degraded" => DeploymentState::Failed,
        "progressing" | "suspended" | "missing" | "unknown" => DeploymentState::Started,
        _ => DeploymentState::Succeeded,
    };
    match phase.as_str() {
        "running" | "pending" | "progressing" | "syncing" | "in_progress" | "started" => Ok(DeploymentState::Started),
        "succeeded" | "success" | "synced" | "healthy" | "deployed" => Ok(applied()),
        "failed" | "failure" | "error" | "degraded" => Ok(DeploymentState::Failed),
        "terminating" | "terminated" | "aborted" | "cancelled" | "canceled" => Ok(DeploymentState::Aborted),
        "" if sync == "synced" || health == "degraded" => Ok(applied()),
        "" if sync == "outofsync" || sync == "unknown" => {
            Err("out of sync, or unknown whether: whether anything is moved is not said")
        }
        "" => Err("no operation: nothing was moved"),
        _ => Err("an operation in a phase that we do not know"),
    }
}

/// When the state was reached: what is healthy may have become so after the operation had ended.
fn reached(app: &Value, message: &Value, state: DeploymentState, created_at: Option<Timestamp>) -> Option<Timestamp> {
    let now = || time(message, &["/now", "/timestamp", "/time", "/at"]);
    if state == DeploymentState::Started {
        return created_at.or_else(now);
    }
    let finished = ["/status/operationState/finishedAt", "/operationState/finishedAt", "/finishedAt", "/finished_at"];
    let settled = time(app, &["/status/health/lastTransitionTime", "/health/lastTransitionTime"]);
    time(app, &finished).max(settled).or_else(now)
}

fn note(app: &Value) -> Option<String> {
    let message = told(app, &["/status/operationState/message", "/operationState/message", "/message"]);
    let degraded = || Some(format!("health is {}", health(app)?));
    message.or_else(degraded).map(|note| text::line(&note, 200))
}

/// An operation is known by when it began; a message that does not say that, by its revision.
fn id(app: &Value, namespace: Option<&str>, name: &str, created_at: Option<Timestamp>) -> String {
    let began = created_at.map(|at| at.to_string());
    let parts =
        [namespace, Some(name)].into_iter().flatten().map(str::to_owned).chain(began.or_else(|| told(app, REVISION)));
    text::line(&parts.collect::<Vec<_>>().join("/"), 200)
}

/// What may say where the application runs. What says nothing (`default`, a namespace called as the application is) is
/// left out: a service with one environment is placed by that.
fn environments(app: &Value, name: &str) -> Vec<String> {
    let places = [
        "/metadata/annotations/recent-deployers~1environment",
        "/metadata/labels/environment",
        "/metadata/labels/env",
        "/metadata/labels/stage",
        "/environment",
        "/env",
        "/spec/destination/name",
        "/cluster",
        "/spec/destination/namespace",
        "/destination_namespace",
        "/spec/project",
        "/project",
        "/spec/destination/server",
    ];
    let telling = |hint: &String| {
        let says_nothing = ["default", "in-cluster", "argocd", "https://kubernetes.default.svc"];
        hint != name && !says_nothing.contains(&hint.as_str())
    };
    let mut hints: Vec<String> = places.iter().filter_map(|place| told(app, &[place])).filter(telling).collect();
    hints.dedup();
    hints
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Revision;

    const GIT: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";

    fn moved(body: &Value) -> Result<DeploymentEvent, String> {
        crate::senders::tests::moved(read(body.to_string().as_bytes()).unwrap())
    }

    /// What our own template sends, with these parts changed.
    fn ours(changes: &[(&str, Value)]) -> Value {
        let mut body = json!({
            "app": {
                "metadata": { "name": "edxapp", "namespace": "argocd", "labels": { "environment": "prod" }, "annotations": {} },
                "spec": {
                    "project": "default",
                    "destination": { "server": "https://kubernetes.default.svc", "namespace": "lms" },
                    "source": { "repoURL": "git@github.com:openedx/edx-platform.git" },
                },
                "status": {
                    "sync": { "status": "Synced", "revision": "0".repeat(40) },
                    "health": { "status": "Healthy", "lastTransitionTime": "2026-03-20T10:03:00Z" },
                    "summary": { "images": [] },
                    "operationState": {
                        "phase": "Succeeded", "message": "done", "startedAt": "2026-03-20T10:00:00Z",
                        "finishedAt": "2026-03-20T10:01:00Z", "syncResult": { "revision": GIT },
                    },
                },
            },
            "url": "https://cd.example.com/applications/argocd/edxapp",
            "now": "2026-03-20T10:09:00Z",
        });
        for (place, value) in changes {
            *body.pointer_mut(place).unwrap() = value.clone();
        }
        body
    }

    #[test]
    fn an_operation_and_the_health_of_what_it_applied_are_the_state() {
        let check = |phase: &str, health: &str| {
            let changes =
                [("/app/status/operationState/phase", json!(phase)), ("/app/status/health/status", json!(health))];
            match moved(&ours(&changes)) {
                Ok(event) => format!("{:?} {} {:?}", event.state, event.at.unwrap(), event.note),
                Err(why) => why,
            }
        };
        for (phase, health, want) in [
            ("Running", "Progressing", "Started 2026-03-20T10:00:00Z None"),
            ("Succeeded", "Healthy", "Succeeded 2026-03-20T10:03:00Z None"),
            ("Succeeded", "Progressing", "Started 2026-03-20T10:00:00Z None"),
            ("Succeeded", "Suspended", "Started 2026-03-20T10:00:00Z None"),
            ("Succeeded", "Degraded", "Failed 2026-03-20T10:03:00Z Some(\"done\")"),
            ("Failed", "Healthy", "Failed 2026-03-20T10:03:00Z Some(\"done\")"),
            ("Error", "", "Failed 2026-03-20T10:03:00Z Some(\"done\")"),
            ("Terminating", "Healthy", "Aborted 2026-03-20T10:03:00Z Some(\"done\")"),
            ("Dancing", "Healthy", "an operation in a phase that we do not know"),
        ] {
            assert_eq!(check(phase, health), want, "{phase} {health}");
        }
    }

    #[test]
    fn the_commit_is_the_services_own_and_not_its_configurations() {
        let (images, notes) = ("/app/status/summary/images", "/app/metadata/annotations");
        let git = format!("{GIT} of openedx/edx-platform");
        for (changes, want) in [
            (vec![], git.as_str()),
            (vec![(images, json!(["redis:7", "ghcr.io/openedx/edxapp:2.1"]))], git.as_str()),
            (vec![(images, json!([format!("ghcr.io/openedx/edxapp:{GIT}")]))], git.as_str()),
            (
                vec![(images, json!(["redis:7", "ghcr.io/openedx/edxapp:main-0a1b2c3d"]))],
                "image:ghcr.io/openedx/edxapp:main-0a1b2c3d",
            ),
            (
                vec![(images, json!(["web:0a1b2c3d"])), (notes, json!({ "recent-deployers/commit": "abcdef1" }))],
                "abcdef1",
            ),
            (
                vec![
                    (images, json!(["redis:7", "r:5000/edxapp:2.1"])),
                    (notes, json!({ "recent-deployers/image": "r:5000/edxapp" })),
                ],
                "image:r:5000/edxapp:2.1",
            ),
            (
                vec![
                    ("/app/spec/source", json!({ "chart": "edxapp" })),
                    ("/app/status/operationState/syncResult/revision", json!("6.5.1")),
                ],
                "chart:edxapp:6.5.1",
            ),
            (vec![("/app/status/operationState/syncResult", json!({})), ("/app/status/sync", json!({}))], "untold"),
        ] {
            let event = moved(&ours(&changes)).unwrap();
            let revision = match event.revision {
                Revision::Commit(commit) => commit.to_string(),
                Revision::Named(reference) => reference.to_string(),
                Revision::Untold => "untold".to_owned(),
            };
            let of = event.repository.map(|repository| format!(" of {repository}")).unwrap_or_default();
            assert_eq!(format!("{revision}{of}"), want, "{changes:?}");
        }
    }

    #[test]
    fn of_several_sources_the_one_in_git_is_taken() {
        let sources = json!([
            { "repoURL": "https://charts.example.com", "chart": "edxapp" },
            { "repoURL": "https://gitlab.com/openedx/sub/values.git", "ref": "values" },
        ]);
        let mut body = ours(&[("/app/status/operationState/syncResult", json!({ "revisions": ["6.5.1", GIT] }))]);
        body["app"]["spec"] = json!({ "sources": sources });
        let event = moved(&body).unwrap();
        assert_eq!(event.revision, Revision::Commit(GIT.parse().unwrap()));
        assert_eq!(event.repository.unwrap().as_str(), "openedx/sub/values");
    }

    #[test]
    fn the_id_is_the_operations_and_the_hints_are_those_that_tell() {
        let event = moved(&ours(&[])).unwrap();
        assert_eq!(event.id, "argocd/edxapp/2026-03-20T10:00:00Z");
        assert_eq!(event.names, ["edxapp", "argocd/edxapp"]);
        assert_eq!(event.environments, ["prod", "lms"]);
        assert_eq!(event.url.as_deref(), Some("https://cd.example.com/applications/argocd/edxapp"));
    }

    #[test]
    fn bodies_of_other_templates_are_read_by_their_usual_names() {
        let check = |body: Value| match moved(&body) {
            Ok(event) => format!("{:?} {} {}", event.state, event.id, event.at.is_some()),
            Err(why) => why,
        };
        let attachment = |sync: &str| {
            json!({ "attachments": [{ "title": "edxapp", "title_link": "javascript:x", "fields": [
                { "title": "Sync Status", "value": sync },
                { "title": "Repository", "value": ":arrow_heading_up: https://github.com/openedx/edx-platform" },
                { "title": "Revision", "value": "8c1c06a1a8" },
            ] }] })
        };
        for (body, want) in [
            (
                json!({ "state": "pending", "target_url": "https://cd/applications/argocd/edxapp?operation=true", "context": "x/y" }),
                "Started argocd/edxapp false",
            ),
            (json!({ "state": "success", "context": "continuous-delivery/edxapp" }), "Succeeded edxapp false"),
            (json!({ "state": "error", "context": "continuous-delivery/edxapp" }), "Failed edxapp false"),
            (
                json!({ "app": "edxapp", "status": "Succeeded", "revision": GIT, "timestamp": "2026-03-20T10:09:00Z" }),
                "Succeeded edxapp/8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1 true",
            ),
            (attachment("Synced"), "Succeeded edxapp/8c1c06a1a8 false"),
            (attachment("OutOfSync"), "out of sync, or unknown whether: whether anything is moved is not said"),
            (json!({ "app": "edxapp", "revision": "<no value>" }), "no operation: nothing was moved"),
            (json!({ "state": "success" }), "not about an application: none is named"),
            (json!([]), "not about an application: none is named"),
        ] {
            assert_eq!(check(body.clone()), want, "{body}");
        }
        assert!(read(b"Application edxapp has degraded.").is_err());
    }
}
