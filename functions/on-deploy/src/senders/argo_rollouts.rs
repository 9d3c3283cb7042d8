//! Argo Rollouts notifications, made by the same engine as Argo CD's. The template that we ship,
//! `infra/pipelines/argo-rollouts.yaml`, keeps the Rollout's own shape and adds the event, which the Rollout itself does
//! not tell: its status may still be the one before. The event is the `recipient` of the subscription, so one template
//! serves all triggers.
//! <https://argo-rollouts.readthedocs.io/en/stable/features/notifications/>
//!
//! A rollback is a rollout of an older image, so nothing here is about rollbacks.

use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender, given};
use domain::{DeployEvent, DeploymentEvent, DeploymentState, Manner, Reference, Revision, text};
use serde_json::Value;

use super::argo_cd::{image_of, texts, time, told};
use super::names_in;

pub const SENDER: Sender<Vec<DeployEvent>> = Sender {
    name: "argo-rollouts",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide {
        title: "Argo Rollouts",
        steps: &[
            "Put {secret} into argo-rollouts-notification-secret as recent-deployers-token.",
            "In infra/pipelines/argo-rollouts.yaml set the url to {url}, then:",
            "kubectl patch configmap argo-rollouts-notification-configmap -n argo-rollouts --patch-file infra/pipelines/argo-rollouts.yaml",
            "If the tag of the image spells no commit: annotate the Rollout with recent-deployers/commit: <sha>.",
        ],
        reads: "a rollout updated, a step completed, paused, resumed: started; completed; aborted; an analysis that failed",
        ignores: "scaling",
        docs: "https://argo-rollouts.readthedocs.io/en/stable/features/notifications/",
    },
};

fn read(body: &[u8]) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let message: Value = parse(body)?;
    let rollout = message.get("rollout").filter(|v| v.is_object()).unwrap_or(&message);
    let name = ["/metadata/name", "/name", "/rollout", "/attachments/0/title"];
    let Some(name) = told(rollout, &name).or_else(|| told(&message, &name)) else {
        return Ok(Reading::ignored("not about a rollout: none is named"));
    };
    let state = match state(rollout, &message) {
        Ok(state) => state,
        Err(why) => return Ok(Reading::ignored(why)),
    };
    let namespace = told(rollout, &["/metadata/namespace", "/namespace"]);
    let failed = matches!(state, DeploymentState::Failed | DeploymentState::Aborted);
    let url = told(&message, &["/url", "/link", "/attachments/0/title_link"]);
    Ok(Reading::Event(vec![DeployEvent::Moved(Box::new(DeploymentEvent {
        recurs: false,
        source: "argo-rollouts".to_owned(),
        id: id(rollout, namespace.as_deref(), &name),
        repository: None,
        environments: environments(rollout, &message, namespace.as_deref(), &name),
        revision: revision(rollout, &message, &name),
        names: names_in(namespace.as_deref(), &name),
        manner: Manner::Progressive,
        state,
        at: time(&message, &["/now", "/timestamp", "/time"])
            .or_else(|| time(rollout, &["/status/abortedAt"]).filter(|_| failed)),
        created_at: None,
        note: told(rollout, &["/status/message", "/message"]).filter(|_| failed).map(|note| text::line(&note, 200)),
        url: url.as_deref().and_then(text::url),
    }))]))
}

/// By the event, else by the phase, else by the sentence that the message says.
fn state(rollout: &Value, message: &Value) -> Result<DeploymentState, &'static str> {
    let mut fields = given::list(rollout, "/attachments/0/fields");
    if fields.any(|field| given::word(field, "/title") == Some("Step completed")) {
        return Ok(DeploymentState::Started);
    }
    let event = told(message, &["/event", "/trigger", "/reason", "/eventReason"]);
    let phase = || told(rollout, &["/status/phase", "/phase", "/status", "/state"]);
    let said = || told(message, &["/message", "/text", "/content", "/title", "/subject"]);
    let Some(word) = event.or_else(phase).or_else(said) else {
        return Err("neither an event nor a phase is told: see infra/pipelines/argo-rollouts.yaml");
    };
    let word: String = word.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    let has = |part: &str| word.contains(part);
    let started = [
        "step",
        "paused",
        "updated",
        "resumed",
        "retry",
        "notcompleted",
        "running",
        "progressing",
        "inconclusive",
        "successful",
        "trafficweight",
        "switchservice",
        "skip",
        "promot",
    ];
    if has("analysis") && ["failed", "failure", "error"].into_iter().any(has) {
        Ok(DeploymentState::Failed)
    } else if has("scaling") {
        Err("scaling: no other revision is moved")
    } else if has("abort") || has("degraded") {
        Ok(DeploymentState::Aborted)
    } else if started.into_iter().any(has) {
        Ok(DeploymentState::Started)
    } else if has("completed") || (has("healthy") && !has("unhealthy") && !has("nothealthy")) {
        Ok(DeploymentState::Succeeded)
    } else if has("failed") || has("error") {
        Ok(DeploymentState::Failed)
    } else {
        Err("an event that says nothing about how far the rollout is")
    }
}

/// The Rollout counts its revisions, also when it goes back to an older one; a hash of its pods would come again.
fn id(rollout: &Value, namespace: Option<&str>, name: &str) -> String {
    let revision = [
        "/metadata/annotations/rollout.argoproj.io~1revision",
        "/revision",
        "/status/currentPodHash",
        "/currentPodHash",
        "/podHash",
    ];
    let uid = told(rollout, &["/metadata/uid", "/uid"]);
    let parts =
        namespace.map(str::to_owned).into_iter().chain([name.to_owned()]).chain(uid).chain(told(rollout, &revision));
    text::line(&parts.collect::<Vec<_>>().join("/"), 200)
}

/// What may say where it runs, without what says nothing.
fn environments(rollout: &Value, message: &Value, namespace: Option<&str>, name: &str) -> Vec<String> {
    let places = [
        "/metadata/annotations/recent-deployers~1environment",
        "/metadata/labels/environment",
        "/metadata/labels/env",
        "/environment",
        "/env",
        "/cluster",
    ];
    let said = places.iter().filter_map(|place| told(rollout, &[place]).or_else(|| told(message, &[place])));
    let telling = |hint: &String| hint != name && hint != "default";
    let mut hints: Vec<String> = said.chain(namespace.map(str::to_owned)).filter(telling).collect();
    hints.dedup();
    hints
}

/// The commit that an annotation or label tells, else the image of the container that is the service.
fn revision(rollout: &Value, message: &Value, name: &str) -> Revision {
    let places = [
        "/metadata/annotations/recent-deployers~1commit",
        "/spec/template/metadata/annotations/recent-deployers~1commit",
        "/metadata/labels/commit",
        "/spec/template/metadata/labels/commit",
        "/commit",
        "/sha",
    ];
    let commit = told(rollout, &places).or_else(|| told(message, &places)).and_then(|commit| commit.parse().ok());
    let image = || {
        let containers = rollout.pointer("/spec/template/spec/containers").and_then(Value::as_array);
        let containers = containers.map(Vec::as_slice).unwrap_or_default();
        let of = |container: &Value| Some(container.get("image")?.as_str()?.to_owned());
        let called = containers.iter().find(|c| c.get("name").and_then(Value::as_str) == Some(name)).and_then(of);
        let mut images: Vec<String> = containers.iter().take(20).filter_map(of).collect();
        images.extend(told(rollout, &["/image"]));
        images.extend(texts(rollout, "/images").into_iter().map(str::to_owned));
        let images: Vec<&str> = images.iter().map(String::as_str).collect();
        // A pod's first container is its main one by custom.
        let first = || images.first().copied();
        called
            .as_deref()
            .and_then(|image| Reference::image(image).ok())
            .or_else(|| image_of(&images, name))
            .or_else(|| Reference::image(first()?).ok())
    };
    match commit {
        Some(commit) => Revision::Commit(commit),
        None => image().map_or(Revision::Untold, Revision::Named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn moved(body: &Value) -> Result<DeploymentEvent, String> {
        crate::senders::tests::moved(read(body.to_string().as_bytes()).unwrap())
    }

    fn ours(event: &str, phase: &str) -> Value {
        json!({
            "event": event,
            "rollout": {
                "metadata": { "name": "edxapp", "namespace": "lms", "uid": "u1", "annotations": { "rollout.argoproj.io/revision": "7" }, "labels": { "env": "prod" } },
                "spec": { "template": { "spec": { "containers": [
                    { "name": "proxy", "image": "envoy:1.30" }, { "name": "edxapp", "image": "ghcr.io/openedx/lms:main-8c1c06a1a8" },
                ] } } },
                "status": { "phase": phase, "message": "RolloutAborted: metric \"errors\"", "currentPodHash": "6c54" },
            },
            "now": "2026-03-20T10:00:00Z",
        })
    }

    #[test]
    fn the_event_is_believed_before_the_phase() {
        for (event, phase, want) in [
            ("rollout-updated", "Healthy", "Started None"),
            ("on-rollout-step-completed", "Healthy", "Started None"),
            ("RolloutPaused", "", "Started None"),
            ("rollout-completed", "Progressing", "Succeeded None"),
            ("RolloutNotCompleted", "", "Started None"),
            ("rollout-aborted", "Progressing", "Aborted Some(\"RolloutAborted: metric \\\"errors\\\"\")"),
            ("analysis-run-failed", "Progressing", "Failed Some(\"RolloutAborted: metric \\\"errors\\\"\")"),
            ("analysis-run-successful", "", "Started None"),
            ("rollout-failed", "", "Failed Some(\"RolloutAborted: metric \\\"errors\\\"\")"),
            ("scaling-replica-set", "Healthy", "scaling: no other revision is moved"),
            ("", "Healthy", "Succeeded None"),
            ("", "Paused", "Started None"),
            ("", "Degraded", "Aborted Some(\"RolloutAborted: metric \\\"errors\\\"\")"),
            ("rollout-danced", "Healthy", "an event that says nothing about how far the rollout is"),
            ("", "", "neither an event nor a phase is told: see infra/pipelines/argo-rollouts.yaml"),
        ] {
            let got = moved(&ours(event, phase)).map_or_else(|why| why, |e| format!("{:?} {:?}", e.state, e.note));
            assert_eq!(got, want, "{event} {phase}");
        }
    }

    #[test]
    fn a_rollout_is_known_by_its_own_count_and_moves_the_image_of_its_main_container() {
        let event = moved(&ours("rollout-completed", "")).unwrap();
        assert_eq!(event.id, "lms/edxapp/u1/7");
        assert_eq!(event.names, ["edxapp", "lms/edxapp"]);
        assert_eq!(event.environments, ["prod", "lms"]);
        assert_eq!(event.manner, Manner::Progressive);
        assert_eq!(event.at.unwrap().to_string(), "2026-03-20T10:00:00Z");
        assert_eq!(event.revision, Revision::Named(Reference::image("ghcr.io/openedx/lms:main-8c1c06a1a8").unwrap()));
        let mut told = ours("rollout-completed", "");
        told["rollout"]["metadata"]["annotations"]["recent-deployers/commit"] = json!("8c1c06a1a89e");
        assert_eq!(moved(&told).unwrap().revision, Revision::Commit("8c1c06a1a89e".parse().unwrap()));
    }

    #[test]
    fn bodies_of_other_templates_are_read_by_what_they_say() {
        let check = |body: Value| moved(&body).map_or_else(|why| why, |e| format!("{:?} {}", e.state, e.id));
        for (body, want) in [
            (
                json!({ "rollout": "edxapp", "namespace": "lms", "message": "Rollout edxapp has been completed." }),
                "Succeeded lms/edxapp",
            ),
            (
                json!({ "name": "edxapp", "text": "Rollout edxapp step number 1/5 has been completed." }),
                "Started edxapp",
            ),
            (
                json!({ "attachments": [{ "title": "edxapp", "fields": [{ "title": "Step completed", "value": "1/5" }] }] }),
                "Started edxapp",
            ),
            (json!({ "message": "Rollout has been completed." }), "not about a rollout: none is named"),
            (json!(7), "not about a rollout: none is named"),
        ] {
            assert_eq!(check(body.clone()), want, "{body}");
        }
    }
}
