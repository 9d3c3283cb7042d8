//! Flagger's webhooks: an event for every action on a canary. It can neither sign nor send a header of its own; Go's
//! client makes basic auth of a user and password in the address, else the token is a parameter of it.
//! <https://docs.flagger.app/usage/webhooks>
//!
//! Two of its messages are not what their phase says: the first, of a new revision, is sent before the canary's
//! checksum is updated and would be taken for the revision before; and the last, of a promotion that is complete, still
//! has the phase before. The checksum is that of the spec that is rolled out: one that is rolled out again, later, has
//! the same.

use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::{DeployEvent, DeploymentEvent, DeploymentState, Manner, Reference, Repository, Revision, text};
use serde_json::Value;

use super::argo_cd::{time, told};
use super::{names_in, repository_told};

pub const SENDER: Sender<Vec<DeployEvent>> = Sender {
    name: "flagger",
    proofs: &[Proof::Token, Proof::Query],
    parse: read,
    guide: Guide {
        title: "Flagger",
        steps: &[
            "Add a webhook of type `event` to the Canary, as in infra/pipelines/flagger.yaml: url {url}?token={secret},",
            "or the token as the password in the address (https://any:<token>@...). For all canaries: Flagger's",
            "command line flag -event-webhook, with the same address.",
            "In its `metadata` set image (or commit) and environment, templated as the Canary's target is.",
            "Never as type `rollback`, `confirm-rollout` or `confirm-promotion`: our 200 would be taken for a yes.",
        ],
        reads: "phases Progressing, WaitingPromotion, Promoting, Finalising, Succeeded, Failed; an analysis that failed",
        ignores: "Initializing, Initialized, Waiting, Terminating, Terminated; a new revision before it has traffic",
        docs: "https://docs.flagger.app/usage/webhooks",
    },
};

fn read(body: &[u8]) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let message: Value = parse(body)?;
    let (Some(name), Some(phase)) = (told(&message, &["/name"]), told(&message, &["/phase"])) else {
        return Ok(Reading::ignored("not a canary's event: it has no name and phase"));
    };
    let said = told(&message, &["/metadata/eventMessage"]).unwrap_or_default();
    let state = match state(&phase, &said) {
        Ok(state) => state,
        Err(why) => return Ok(Reading::ignored(why)),
    };
    let namespace = told(&message, &["/namespace"]);
    let failed = matches!(state, DeploymentState::Failed | DeploymentState::Aborted);
    let id = [namespace.clone(), Some(name.clone()), told(&message, &["/checksum"])];
    Ok(Reading::Event(vec![DeployEvent::Moved(Box::new(DeploymentEvent {
        recurs: true,
        source: "flagger".to_owned(),
        id: text::line(&id.into_iter().flatten().collect::<Vec<_>>().join("/"), 200),
        repository: repository(&message),
        environments: environments(&message, namespace.as_deref(), &name),
        names: names_in(namespace.as_deref(), &name),
        revision: revision(&message),
        manner: Manner::Progressive,
        state,
        // In milliseconds since 1970, as a text.
        at: time(&message, &["/metadata/timestamp"]),
        created_at: None,
        note: Some(text::line(&said, 200)).filter(|said| failed && !said.is_empty()),
        url: told(&message, &["/metadata/url", "/metadata/dashboard"]).as_deref().and_then(text::url),
    }))]))
}

/// By the phase, unless what is said tells more.
fn state(phase: &str, said: &str) -> Result<DeploymentState, &'static str> {
    if said.starts_with("New revision detected") {
        return Err("a new revision was detected: it has no traffic yet");
    }
    if said.starts_with("Promotion completed") {
        return Ok(DeploymentState::Succeeded);
    }
    if let Some(why) = said.strip_prefix("Rolling back") {
        // Somebody's decision is not a verdict on the change.
        let by_hand = why.contains("manual");
        return Ok(if by_hand { DeploymentState::Aborted } else { DeploymentState::Failed });
    }
    match phase {
        "Progressing" | "WaitingPromotion" | "Promoting" | "Finalising" => Ok(DeploymentState::Started),
        "Succeeded" => Ok(DeploymentState::Succeeded),
        "Failed" => Ok(DeploymentState::Aborted),
        "Initializing" | "Initialized" => Err("the canary was set up: nothing was rolled out"),
        "Waiting" => Err("waiting for somebody's yes: nothing has moved yet"),
        "Terminating" | "Terminated" => Err("the canary was deleted: nothing was rolled out"),
        _ => Err("a phase that we do not know"),
    }
}

/// What the user put into the webhook's metadata. Flagger itself tells neither.
fn revision(message: &Value) -> Revision {
    let commit = told(message, &["/metadata/commit", "/metadata/sha", "/metadata/revision", "/metadata/git_sha"]);
    let image = || Reference::image(&told(message, &["/metadata/image"])?).ok();
    match commit.and_then(|commit| commit.parse().ok()) {
        Some(commit) => Revision::Commit(commit),
        None => image().map_or(Revision::Untold, Revision::Named),
    }
}

fn repository(message: &Value) -> Option<Repository> {
    repository_told(&told(message, &["/metadata/repository", "/metadata/repo"])?)
}

fn environments(message: &Value, namespace: Option<&str>, name: &str) -> Vec<String> {
    let places = ["/metadata/environment", "/metadata/env", "/metadata/stage", "/metadata/cluster"];
    let said = places.iter().filter_map(|place| told(message, &[place]));
    let telling = |hint: &String| hint != name && hint != "default";
    said.chain(namespace.map(str::to_owned)).filter(telling).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(phase: &str, metadata: Value) -> Reading<Vec<DeployEvent>> {
        let body =
            json!({ "name": "edxapp", "namespace": "lms", "phase": phase, "checksum": "5d5c9f", "metadata": metadata });
        read(body.to_string().as_bytes()).unwrap()
    }

    fn check(phase: &str, said: &str) -> String {
        match event(phase, json!({ "eventMessage": said, "timestamp": "1774000000123" })) {
            Reading::Event(events) => match &events[0] {
                DeployEvent::Moved(e) => format!("{:?} {} {:?}", e.state, e.id, e.note),
                DeployEvent::StandsFor(_) | DeployEvent::Waits(_) => unreachable!(),
            },
            Reading::Ignored(why) => why,
        }
    }

    #[test]
    fn a_canary_moves_by_phase_unless_its_message_tells_more() {
        for (phase, said, want) in [
            ("Progressing", "Advance edxapp.lms canary weight 5", "Started lms/edxapp/5d5c9f None"),
            ("Progressing", "", "Started lms/edxapp/5d5c9f None"),
            ("WaitingPromotion", "", "Started lms/edxapp/5d5c9f None"),
            ("Promoting", "", "Started lms/edxapp/5d5c9f None"),
            ("Finalising", "Promotion completed! Scaling down edxapp.lms", "Succeeded lms/edxapp/5d5c9f None"),
            ("Succeeded", "", "Succeeded lms/edxapp/5d5c9f None"),
            (
                "Progressing",
                "Rolling back edxapp.lms failed checks threshold reached 5",
                "Failed lms/edxapp/5d5c9f Some(\"Rolling back edxapp.lms failed checks threshold reached 5\")",
            ),
            (
                "Progressing",
                "Rolling back edxapp.lms manual webhook invoked",
                "Aborted lms/edxapp/5d5c9f Some(\"Rolling back edxapp.lms manual webhook invoked\")",
            ),
            ("Failed", "Canary failed!\n\u{202e}", "Aborted lms/edxapp/5d5c9f Some(\"Canary failed!\")"),
            (
                "Progressing",
                "New revision detected! Scaling up edxapp.lms",
                "a new revision was detected: it has no traffic yet",
            ),
            ("Waiting", "", "waiting for somebody's yes: nothing has moved yet"),
            ("Initialized", "", "the canary was set up: nothing was rolled out"),
            ("string (canary phase)", "", "a phase that we do not know"),
        ] {
            assert_eq!(check(phase, said), want, "{phase} {said}");
        }
    }

    #[test]
    fn what_is_in_the_metadata_is_used_and_what_is_not_stays_untold() {
        let moved = |metadata: Value| match event("Succeeded", metadata) {
            Reading::Event(events) => match events.into_iter().next() {
                Some(DeployEvent::Moved(event)) => *event,
                _ => unreachable!(),
            },
            Reading::Ignored(why) => panic!("{why}"),
        };
        let bare = moved(json!({ "token": "x" }));
        assert_eq!((bare.at, &bare.revision), (None, &Revision::Untold));
        assert_eq!(bare.environments, ["lms"]);
        assert_eq!(bare.names, ["edxapp", "lms/edxapp"]);
        let full = moved(json!({
            "image": "ghcr.io/openedx/edxapp:main-8c1c06a1a8", "repository": "https://github.com/openedx/edx-platform",
            "env": "prod", "timestamp": 1_774_000_000_123_i64,
        }));
        assert_eq!(full.revision, Revision::Named(Reference::image("ghcr.io/openedx/edxapp:main-8c1c06a1a8").unwrap()));
        assert_eq!(full.repository.unwrap().as_str(), "openedx/edx-platform");
        assert_eq!(full.environments, ["prod", "lms"]);
        assert_eq!(full.at.unwrap().to_string(), "2026-03-20T09:46:40.123Z");
        let commit =
            moved(json!({ "commit": "8c1c06a1a8", "image": "edxapp:2.1", "timestamp": "99999999999999999999" }));
        assert_eq!(commit.revision, Revision::Commit("8c1c06a1a8".parse().unwrap()));
        assert_eq!(commit.at, None);
    }

    #[test]
    fn what_is_no_canary_is_ignored_and_what_is_no_json_refused() {
        assert!(matches!(read(b"{\"name\":\"x\"}"), Ok(Reading::Ignored(_))));
        assert!(matches!(read(b"[]"), Ok(Reading::Ignored(_))));
        assert!(read(b"phase").is_err());
    }
}
