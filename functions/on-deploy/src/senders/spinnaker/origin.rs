//! What an execution of Spinnaker carries: the commit that its trigger tells, else the image.

use aws::given::{list, plain, told};
use domain::{Commit, Reference, Repository, Revision};
use serde_json::Value;

use super::super::repository_in;

const COMMITS: [&str; 10] =
    ["commit", "git_commit", "gitCommit", "commitId", "commit_sha", "sha", "gitSha", "git_sha", "revision", "after"];

pub(super) fn of(execution: &Value, stage: Option<&Value>) -> (Option<Repository>, Revision) {
    let trigger = execution.get("trigger").unwrap_or(&Value::Null);
    let payload = trigger.get("payload").unwrap_or(&Value::Null);
    let repository = repository(trigger, payload);
    if let Some(commit) = commit(trigger, payload) {
        return (repository, Revision::Commit(commit));
    }
    // The images that a stage deploys say more than those which the pipeline was given.
    let image =
        stage.and_then(of_stage).or_else(|| of_trigger(trigger)).and_then(|image| Reference::image(&image).ok());
    (repository, image.map_or(Revision::Untold, Revision::Named))
}

fn commit(trigger: &Value, payload: &Value) -> Option<Commit> {
    let parse = |told: Option<String>| told.and_then(|told| told.parse::<Commit>().ok());
    let scm = trigger.pointer("/buildInfo/scm/0").unwrap_or(&Value::Null);
    let parameters = [trigger.get("parameters"), payload.get("parameters"), Some(payload)];
    let asked = parameters
        .into_iter()
        .flatten()
        .find_map(|of| COMMITS.iter().find_map(|key| parse(of.get(key).and_then(plain))));
    let head = || payload.get("head_commit").and_then(|head| parse(told(head, "/id")));
    asked.or_else(|| parse(told(trigger, "/hash"))).or_else(|| parse(told(scm, "/sha1"))).or_else(head)
}

fn repository(trigger: &Value, payload: &Value) -> Option<Repository> {
    let git = || format!("{}/{}", told(trigger, "/project")?, told(trigger, "/slug")?).parse().ok();
    let scm = || told(trigger.pointer("/buildInfo/scm/0")?, "/remoteUrl").as_deref().and_then(repository_in);
    let hook = payload.get("repository");
    let full = || hook.and_then(|of| told(of, "/full_name").or_else(|| of.as_str().map(str::to_owned)))?.parse().ok();
    let is_git = trigger.get("type").is_some_and(|kind| kind == "git");
    git().filter(|_| is_git).or_else(scm).or_else(full)
}

/// The image of the first manifest or container that a stage deploys.
fn of_stage(stage: &Value) -> Option<String> {
    let pointers = [
        "/context/manifests/0/spec/template/spec/containers/0/image",
        "/outputs/manifests/0/spec/template/spec/containers/0/image",
        "/context/clusters/0/containers/0/imageDescription/imageId",
    ];
    let of_manifest = pointers.iter().find_map(|pointer| stage.pointer(pointer)?.as_str().map(str::to_owned));
    // `${...}` is filled in by Spinnaker later.
    of_manifest.filter(|image| !image.contains("${"))
}

/// The image among the artifacts of a trigger, or the one that a registry's trigger is about.
fn of_trigger(trigger: &Value) -> Option<String> {
    let bound = list(trigger, "/resolvedExpectedArtifacts");
    let bound = bound.take(50).filter_map(|expected| expected.get("boundArtifact"));
    let given = list(trigger, "/artifacts").take(50);
    let mut images = given.chain(bound).filter(|one| one.get("type").is_some_and(|kind| kind == "docker/image"));
    let of_registry = || {
        let (repository, tag) = (told(trigger, "/repository")?, told(trigger, "/tag")?);
        let registry = told(trigger, "/registry").map(|registry| format!("{registry}/")).unwrap_or_default();
        Some(format!("{registry}{repository}:{tag}"))
    };
    images.find_map(|image| told(image, "/reference").or_else(|| told(image, "/name"))).or_else(of_registry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SHA: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";

    #[test]
    fn the_trigger_tells_what_is_deployed() {
        let image = json!([{ "type": "git/repo", "reference": "x" }, { "type": "docker/image", "reference": "ghcr.io/openedx/lms:2.1" }]);
        for (trigger, want) in [
            (
                json!({ "type": "git", "project": "openedx", "slug": "edx-platform", "hash": SHA }),
                format!("openedx/edx-platform {SHA}"),
            ),
            (
                json!({ "buildInfo": { "scm": [{ "sha1": SHA, "remoteUrl": "git@github.com:openedx/edx-platform.git" }] } }),
                format!("openedx/edx-platform {SHA}"),
            ),
            (
                json!({ "payload": { "repository": "openedx/edx-platform", "commit": SHA } }),
                format!("openedx/edx-platform {SHA}"),
            ),
            (
                json!({ "payload": { "repository": { "full_name": "openedx/edx-platform" }, "head_commit": { "id": SHA } } }),
                format!("openedx/edx-platform {SHA}"),
            ),
            (json!({ "parameters": { "sha": "8c1c06a1" }, "hash": SHA, "artifacts": image }), " 8c1c06a1".to_owned()),
            (json!({ "artifacts": image }), " image:ghcr.io/openedx/lms:2.1".to_owned()),
            (
                json!({ "resolvedExpectedArtifacts": [{ "boundArtifact": { "type": "docker/image", "name": "lms:3" } }] }),
                " image:lms:3".to_owned(),
            ),
            (
                json!({ "type": "docker", "registry": "ghcr.io", "repository": "openedx/lms", "tag": "2.1" }),
                " image:ghcr.io/openedx/lms:2.1".to_owned(),
            ),
            (json!({ "type": "manual", "user": "anna" }), " untold".to_owned()),
            (json!(7), " untold".to_owned()),
        ] {
            let (repository, revision) = of(&json!({ "trigger": trigger }), None);
            let revision = match revision {
                Revision::Commit(commit) => commit.to_string(),
                Revision::Named(reference) => reference.to_string(),
                Revision::Untold => "untold".to_owned(),
            };
            assert_eq!(format!("{} {revision}", repository.map_or(String::new(), String::from)), want, "{trigger}");
        }
        let stage = json!({ "context": { "manifests": [{ "spec": { "template": { "spec": { "containers": [{ "image": "lms:9" }] } } } }] } });
        assert_eq!(
            of(&json!({ "trigger": { "artifacts": image } }), Some(&stage)).1,
            Revision::Named("image:lms:9".parse().unwrap())
        );
    }
}
