//! Flux: what its notification controller sends to a provider of type `generic-hmac` or `generic`.
//! <https://fluxcd.io/flux/components/notification/events/>
//!
//! A Kustomization reports what it applied (a deployment begins), that its health check passed, and errors; it says
//! that it is done only if it waits for health. A HelmRelease reports only how an action ended, so each of its reports
//! is a deployment of its own. Flux tells commits without their repository: it is taken from the Alert's
//! `eventMetadata`, as are `commit` and `image`, which say more than the commit of a configuration repository.

use aws::verify::Signature;
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::{Commit, DeployEvent, DeploymentEvent, DeploymentState, Manner, Reference, Repository, Revision, text};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::argo_cd::{time, told};
use super::{names_in, repository_told};

pub const SENDER: Sender<Vec<DeployEvent>> = Sender {
    name: "flux",
    proofs: &[Proof::Signature(Signature::sha256("x-signature")), Proof::Token],
    parse: read,
    guide: Guide {
        title: "Flux",
        steps: &[
            "In infra/pipelines/flux.yaml set the Provider's address to {url}, the Secret's token to {secret},",
            "the Alert's eventMetadata to your environment (and repository), then: kubectl apply -f infra/pipelines/flux.yaml",
            "Set `wait: true` in the Kustomizations that deploy services: else Flux never says that one is done.",
            "If the service is not called as the Kustomization or HelmRelease is: name it in `deployed_as` of its environment.",
        ],
        reads: "Kustomization and HelmRelease: applied, healthy, installed, upgraded, failed, rolled back; Helm tests",
        ignores: "sources, image automation, drift, uninstalling, waiting for dependencies",
        docs: "https://fluxcd.io/flux/components/notification/providers/#generic-webhook-with-hmac",
    },
};

/// What an event's reason says about the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Is(DeploymentState),
    /// The Helm tests of a release.
    Tests(DeploymentState),
    /// A failed release was taken back; the event tells the version that is live again, not the one that failed.
    TakenBack,
    Nothing(&'static str),
}

fn read(body: &[u8]) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let event: Value = parse(body)?;
    let (Some(kind), Some(name)) = (told(&event, &["/involvedObject/kind"]), told(&event, &["/involvedObject/name"]))
    else {
        return Ok(Reading::ignored("not an event of Flux: no object is involved"));
    };
    if kind != "Kustomization" && kind != "HelmRelease" {
        return Ok(Reading::ignored(format!(
            "{}: a source or an automation, what it brings is told by what applies it",
            text::line(&kind, 40)
        )));
    }
    let word = |place: &str| told(&event, &[place]).unwrap_or_default();
    let message = word("/message");
    let (state, manner) = match said(&word("/reason"), &word("/severity"), &message) {
        Said::Is(state) => (state, Manner::Whole),
        Said::Tests(state) => (state, super::run_of(&format!("{name} helm test"))),
        Said::TakenBack => (DeploymentState::Aborted, Manner::Whole),
        Said::Nothing(why) => return Ok(Reading::ignored(why)),
    };
    let at = time(&event, &["/timestamp"]);
    let taken_back = state == DeploymentState::Aborted;
    let failed = taken_back || state == DeploymentState::Failed;
    let metadata = Metadata(event.get("metadata").and_then(Value::as_object));
    let namespace = told(&event, &["/involvedObject/namespace"]);
    Ok(Reading::Event(vec![DeployEvent::Moved(Box::new(DeploymentEvent {
        recurs: kind != "HelmRelease",
        source: "flux".to_owned(),
        id: id(&event, &metadata, kind == "HelmRelease", at),
        repository: metadata.repository(),
        environments: environments(&metadata, namespace.as_deref(), &name),
        revision: if taken_back { Revision::Untold } else { metadata.revision(&name) },
        names: names_in(namespace.as_deref(), &name),
        manner,
        state,
        at,
        created_at: None,
        note: Some(text::line(&message, 200)).filter(|_| failed),
        url: metadata.told(&["url", "dashboard"]).as_deref().and_then(text::url),
    }))]))
}

/// Reasons are those of the controllers' conditions; older ones say `info` and `error`.
fn said(reason: &str, severity: &str, message: &str) -> Said {
    match reason {
        "TestSucceeded" => Said::Tests(DeploymentState::Succeeded),
        "TestFailed" => Said::Tests(DeploymentState::Failed),
        "RollbackSucceeded" => Said::TakenBack,
        "ReconciliationSucceeded" | "UpgradeSucceeded" | "InstallSucceeded" => Said::Is(DeploymentState::Succeeded),
        "DependencyNotReady" | "ArtifactFailed" => {
            Said::Nothing("it waits for what it depends on: nothing has moved yet")
        }
        "UninstallSucceeded" | "UninstallFailed" => Said::Nothing("uninstalled: nothing was deployed"),
        _ if reason.starts_with("Drift") => Said::Nothing("drift: what was deployed before is put back"),
        _ if reason.ends_with("Failed") || severity == "error" => Said::Is(DeploymentState::Failed),
        "Progressing" | "ProgressingWithRetry" | "info" => by_message(message),
        _ => Said::Nothing("a reason that says nothing about a deployment"),
    }
}

/// A Kustomization says all of this while it is `Progressing`.
fn by_message(message: &str) -> Said {
    let says = |part: &str| message.contains(part);
    let done = ["Health check passed", "Reconciliation finished"].iter().any(|start| message.starts_with(start));
    if done || ["upgrade", "install", "reconciliation"].iter().any(|what| says(&format!("{what} succeeded"))) {
        Said::Is(DeploymentState::Succeeded)
    } else if message.starts_with("Dependencies do not meet") {
        Said::Nothing("it waits for what it depends on: nothing has moved yet")
    } else if message.starts_with("New revision detected") {
        Said::Nothing("a newer revision takes its place, which will be told")
    } else if says("has started") {
        Said::Nothing("a release begins: how it ends will be told")
    } else {
        Said::Is(DeploymentState::Started)
    }
}

/// A Kustomization's deployment is known by its revision. A HelmRelease tells only how things ended, of a version that
/// may come again: there the time is a part.
fn id(event: &Value, metadata: &Metadata, released: bool, at: Option<Timestamp>) -> String {
    let object = ["/involvedObject/namespace", "/involvedObject/name", "/involvedObject/uid"];
    let object = object.iter().filter_map(|place| told(event, &[place]));
    let revision = metadata.told(&["revision"]).or_else(|| told(event, &["/reason"]));
    let time = at.filter(|_| released).map(|at| at.to_string());
    text::line(&object.chain(revision).chain(time).collect::<Vec<_>>().join("/"), 200)
}

/// An event's metadata. Its keys may be qualified by an API group: `kustomize.toolkit.fluxcd.io/revision`.
struct Metadata<'a>(Option<&'a Map<String, Value>>);

impl Metadata<'_> {
    fn told(&self, names: &[&str]) -> Option<String> {
        let entries = self.0?;
        names.iter().find_map(|name| {
            let named = |key: &str| key == *name || key.rsplit_once('/').is_some_and(|(_, last)| last == *name);
            let value = entries.iter().take(100).find(|(key, _)| named(key))?.1;
            told(value, &[""])
        })
    }

    fn repository(&self) -> Option<Repository> {
        repository_told(&self.told(&["repository", "repo"])?)
    }

    /// What is deployed: what the user says, else the commit that an artifact was made of, else the revision itself.
    fn revision(&self, name: &str) -> Revision {
        let explicit = self.told(&["commit", "sha"]).and_then(|commit| commit.parse().ok());
        let image = || Reference::image(&self.told(&["image"])?).ok();
        let origin = || commit_in(&self.told(&["originRevision"])?);
        let revision = || self.told(&["revision"]);
        if let Some(commit) = explicit {
            return Revision::Commit(commit);
        }
        if let Some(image) = image() {
            return Revision::Named(image);
        }
        if let Some(commit) = origin().or_else(|| commit_in(&revision()?)) {
            return Revision::Commit(commit);
        }
        let named = |revision: String| match revision.find("sha256:") {
            Some(at) => format!("artifact:{}", &revision[at..]).parse().ok(),
            None => format!("chart:{name}:{revision}").parse().ok(),
        };
        revision().and_then(named).map_or(Revision::Untold, Revision::Named)
    }
}

/// The commit in `main@sha1:731f7ea`, `sha1:731f7ea`, `main/731f7ea...` (before 0.36), or of a chart that is built from
/// git: `6.5.1+731f7eaddfb6`.
fn commit_in(revision: &str) -> Option<Commit> {
    if let Some((_, commit)) = revision.rsplit_once("sha1:") {
        return commit.parse().ok();
    }
    if let Some((_, build)) = revision.rsplit_once('+') {
        let mixed = build.bytes().any(|b| b.is_ascii_digit()) && build.bytes().any(|b| b.is_ascii_alphabetic());
        return build.split('.').next().filter(|_| mixed)?.parse().ok();
    }
    revision.rsplit('/').next().filter(|last| last.len() == 40)?.parse().ok()
}

fn environments(metadata: &Metadata, namespace: Option<&str>, name: &str) -> Vec<String> {
    let said = ["environment", "env", "stage", "cluster"].iter().filter_map(|key| metadata.told(&[key]));
    let telling = |hint: &String| hint != name && hint != "default" && hint != "flux-system";
    said.chain(namespace.map(str::to_owned)).filter(telling).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SHA: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";

    fn moved(kind: &str, reason: &str, message: &str, metadata: Value) -> Result<DeploymentEvent, String> {
        let body = json!({
            "involvedObject": { "kind": kind, "name": "edxapp", "namespace": "lms" },
            "severity": if reason.ends_with("Failed") { "error" } else { "info" },
            "reason": reason, "message": message, "metadata": metadata, "timestamp": "2026-03-20T10:00:00Z",
        });
        crate::senders::tests::moved(read(body.to_string().as_bytes()).unwrap())
    }

    #[test]
    fn a_reason_says_how_far_it_is() {
        let check = |kind: &str, reason: &str, message: &str| match moved(kind, reason, message, json!({})) {
            Ok(event) => format!("{:?} {:?}", event.state, event.manner),
            Err(why) => why,
        };
        for (kind, reason, message, want) in [
            ("Kustomization", "Progressing", "Deployment/lms/edxapp configured", "Started Whole"),
            ("Kustomization", "Progressing", "Health check passed in 12s", "Succeeded Whole"),
            ("Kustomization", "ReconciliationSucceeded", "Reconciliation finished in 1s", "Succeeded Whole"),
            ("Kustomization", "HealthCheckFailed", "timeout", "Failed Whole"),
            ("Kustomization", "DependencyNotReady", "", "it waits for what it depends on: nothing has moved yet"),
            (
                "Kustomization",
                "Progressing",
                "Dependencies do not meet ready condition, retrying in 30s",
                "it waits for what it depends on: nothing has moved yet",
            ),
            (
                "Kustomization",
                "Progressing",
                "New revision detected during health check, cancelling",
                "a newer revision takes its place, which will be told",
            ),
            ("Kustomization", "Danced", "", "a reason that says nothing about a deployment"),
            ("HelmRelease", "UpgradeSucceeded", "", "Succeeded Whole"),
            ("HelmRelease", "InstallFailed", "", "Failed Whole"),
            ("HelmRelease", "RollbackSucceeded", "", "Aborted Whole"),
            ("HelmRelease", "TestFailed", "", "Failed Test(\"edxapp helm test\")"),
            ("HelmRelease", "UninstallSucceeded", "", "uninstalled: nothing was deployed"),
            ("HelmRelease", "DriftDetected", "", "drift: what was deployed before is put back"),
            ("HelmRelease", "info", "Helm upgrade has started", "a release begins: how it ends will be told"),
            (
                "GitRepository",
                "NewArtifact",
                "",
                "GitRepository: a source or an automation, what it brings is told by what applies it",
            ),
        ] {
            assert_eq!(check(kind, reason, message), want, "{kind} {reason} {message}");
        }
        let unnamed = crate::senders::tests::moved(read(br#"{"involvedObject":{"kind":"HelmRelease"}}"#).unwrap());
        assert_eq!(unnamed.unwrap_err(), "not an event of Flux: no object is involved");
    }

    #[test]
    fn a_revision_is_a_commit_wherever_one_is_told() {
        let check = |metadata: Value| match moved("Kustomization", "Progressing", "", metadata).unwrap().revision {
            Revision::Commit(commit) => commit.to_string(),
            Revision::Named(reference) => reference.to_string(),
            Revision::Untold => "untold".to_owned(),
        };
        let group = "kustomize.toolkit.fluxcd.io/revision";
        for (metadata, want) in [
            (json!({ "revision": format!("main@sha1:{SHA}") }), SHA),
            (json!({ group: format!("feature/x/{SHA}") }), SHA),
            (json!({ "revision": format!("sha1:{SHA}") }), SHA),
            (json!({ "revision": "6.5.1+8c1c06a1a89e.2" }), "8c1c06a1a89e"),
            (json!({ "revision": "6.5.1" }), "chart:edxapp:6.5.1"),
            (json!({ "revision": "6.5.1+20260320" }), "chart:edxapp:6.5.1+20260320"),
            (json!({ "revision": "latest@sha256:aa11" }), "artifact:sha256:aa11"),
            (json!({ "revision": "latest@sha256:aa11", "originRevision": format!("main@sha1:{SHA}") }), SHA),
            (json!({ "revision": format!("main@sha1:{}", "1".repeat(40)), "commit": SHA }), SHA),
            (json!({ "revision": "main@sha1:no", "image": "edxapp:2.1" }), "image:edxapp:2.1"),
            (json!({ "revision": 7 }), "chart:edxapp:7"),
            (json!([]), "untold"),
        ] {
            assert_eq!(check(metadata.clone()), want, "{metadata}");
        }
    }

    #[test]
    fn a_deployment_keeps_its_id_and_a_release_that_comes_again_has_another() {
        let metadata = || json!({ "revision": "main@sha1:8c1c06a1a8", "app.kubernetes.io/env": "prod", "repository": "openedx/edx-platform" });
        let begun = moved("Kustomization", "Progressing", "", metadata()).unwrap();
        let done = moved("Kustomization", "ReconciliationSucceeded", "", metadata()).unwrap();
        assert_eq!(begun.id, "lms/edxapp/main@sha1:8c1c06a1a8");
        assert_eq!(begun.id, done.id);
        assert_eq!(done.environments, ["prod", "lms"]);
        assert_eq!(done.repository.unwrap().as_str(), "openedx/edx-platform");
        let released = moved("HelmRelease", "UpgradeSucceeded", "", json!({ "revision": "6.5.1" })).unwrap();
        assert_eq!(released.id, "lms/edxapp/6.5.1/2026-03-20T10:00:00Z");
    }
}
