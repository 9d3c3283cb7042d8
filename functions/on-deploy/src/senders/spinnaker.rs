//! Spinnaker: what echo sends to every REST endpoint, bare, flattened or wrapped: pipelines, and stages that deploy.
//!
//! A pipeline may deploy to several places, each in its own time; so what is read of any event is its stages that
//! deploy. All reports of one execution have its id.
//! <https://spinnaker.io/docs/setup/other_config/features/notifications/>

mod origin;

use aws::given::{list, plain, time, told};
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::{DeployEvent, DeploymentEvent, DeploymentState, text};
use jiff::Timestamp;
use serde_json::Value;

pub const SENDER: Sender<Vec<DeployEvent>> = Sender {
    name: "spinnaker",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide {
        title: "Spinnaker",
        steps: &[
            "In echo-local.yml, rest: enabled: true, and below endpoints:",
            "- url: {url}, wrap: false, username: any, password: {secret}",
        ],
        reads: "pipelines and operations that start, complete or fail, and their stages that deploy, by account, namespace and cluster",
        ignores: "tasks, stages that deploy nothing, builds and images that echo passes on",
        docs: "https://spinnaker.io/docs/setup/other_config/features/notifications/",
    },
};

const SOURCE: &str = "spinnaker";
const MOST_STAGES: usize = 300;
/// Stages that send traffic elsewhere and have no `deploy` in their type.
const DEPLOYING: [&str; 9] = [
    "createservergroup",
    "cloneservergroup",
    "rollbackcluster",
    "rollbackservergroup",
    "enableservergroup",
    "enablemanifest",
    "undorolloutmanifest",
    "rollingrestartmanifest",
    "patchmanifest",
];

fn read(body: &[u8]) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let whole: Value = parse(body)?;
    let inside = || whole.as_object()?.values().find(|value| value.get("details").is_some());
    let event = if whole.get("details").is_some() { Some(&whole) } else { inside() };
    let Some(event) = event else { return Ok(Reading::ignored("not an event of Spinnaker's echo")) };
    // `flatten: true` sends both as texts of JSON.
    let (details, content) = (unflattened(event.get("details")), unflattened(event.get("content")));
    let kind = told(&details, "/type").unwrap_or_default();
    let mut parts = kind.split(':');
    let (Some("orca"), Some(subject), Some(phase)) = (parts.next(), parts.next(), parts.next()) else {
        return Ok(Reading::ignored("not an event of a pipeline: nothing was deployed"));
    };
    let state = match phase {
        "starting" => DeploymentState::Started,
        "complete" => DeploymentState::Succeeded,
        "failed" => DeploymentState::Failed,
        _ => return Ok(Reading::ignored("a stage that was skipped: nothing was deployed")),
    };
    if !matches!(subject, "pipeline" | "orchestration" | "stage") {
        return Ok(Reading::ignored("a task: its stage will tell"));
    }
    let Some(execution) = Execution::of(&details, &content)? else {
        return Err(Malformed::new("a Spinnaker event without the `execution` in its `content`"));
    };
    let events = if subject == "stage" { execution.stage(&content, state) } else { execution.all(subject, state) };
    match events {
        Ok(events) => Ok(Reading::Event(events.into_iter().map(|event| DeployEvent::Moved(Box::new(event))).collect())),
        Err(why) => Ok(Reading::ignored(why)),
    }
}

/// One run of a pipeline, or of an operation that somebody started by hand.
struct Execution<'a> {
    value: &'a Value,
    id: String,
    application: String,
    pipeline: Option<String>,
    /// When echo was told.
    created: Option<Timestamp>,
}

impl<'a> Execution<'a> {
    fn of(details: &Value, content: &'a Value) -> Result<Option<Self>, Malformed> {
        let Some(value) = content.get("execution").filter(|execution| execution.is_object()) else { return Ok(None) };
        let id = told(value, "/id").or_else(|| told(content, "/executionId"));
        let application = told(details, "/application").or_else(|| told(value, "/application"));
        let lacks = |what: &str| Malformed::new(format!("a Spinnaker event without `{what}`"));
        Ok(Some(Self {
            value,
            id: id.ok_or_else(|| lacks("content.execution.id"))?,
            application: application.ok_or_else(|| lacks("details.application"))?,
            pipeline: told(value, "/name"),
            created: time(details, "/created"),
        }))
    }

    /// Stages that deploy; what Spinnaker itself adds before and after them is a part of them.
    fn deploying(&self) -> Vec<&'a Value> {
        let stages = list(self.value, "/stages").take(MOST_STAGES);
        let own = stages.filter(|stage| ["syntheticStageOwner", "parentStageId"].iter().all(|key| is_null(stage, key)));
        own.filter(|stage| told(stage, "/type").is_some_and(|kind| deploys(&kind))).collect()
    }

    /// An event about one stage: the one it names, if that deploys.
    fn stage(&self, content: &Value, state: DeploymentState) -> Result<Vec<DeploymentEvent>, &'static str> {
        if content.get("isSynthetic").and_then(Value::as_bool) == Some(true) {
            return Err("a stage that is a part of another one: that will tell");
        }
        let (id, name) = (told(content, "/stageId"), told(content, "/name"));
        let details = content.pointer("/context/stageDetails").unwrap_or(&Value::Null);
        let name = name.or_else(|| told(details, "/name"));
        let same = |stage: &&&Value| match &id {
            Some(id) => told(stage, "/id").as_ref() == Some(id),
            None => name.is_some() && told(stage, "/name") == name,
        };
        let deploying = self.deploying();
        let stage = deploying.iter().find(same).ok_or("a stage that deploys nothing")?;
        let ended = |state| if self.was_aborted(stage) { DeploymentState::Aborted } else { state };
        let state = if state == DeploymentState::Failed { ended(state) } else { state };
        let at = time_of(content, state);
        Ok(vec![DeploymentEvent {
            at: at.or(time_of(stage, state)).or(self.created),
            ..self.moved(Some(stage), state)
        }])
    }

    /// An event about the whole execution: each stage that deploys, as far as it got.
    fn all(&self, subject: &str, state: DeploymentState) -> Result<Vec<DeploymentEvent>, &'static str> {
        let stages = self.deploying();
        let aborted = self.was_aborted(self.value) && state == DeploymentState::Failed;
        let state = if aborted { DeploymentState::Aborted } else { state };
        let whole = |stage, state| {
            let at = time_of(self.value, state).or(self.created);
            Ok(vec![DeploymentEvent { at, ..self.moved(stage, state) }])
        };
        match (stages.as_slice(), state) {
            ([], _) if subject == "orchestration" => Err("an operation that deploys nothing"),
            // What it does is not told, or in stages of other kinds, such as a script.
            ([], state) => whole(None, state),
            ([_], DeploymentState::Started) if self.is_judged() => {
                Err("somebody has to agree first: its stage will tell")
            }
            ([one], DeploymentState::Started) => whole(Some(one), state),
            (_, DeploymentState::Started) => Err("it deploys to several places: its stages will tell"),
            // It was told that this began, and it never did.
            ([one], state) if stage_state(one).is_none() && !self.is_judged() => {
                let skipped = state == DeploymentState::Succeeded;
                whole(Some(one), if skipped { DeploymentState::Aborted } else { state })
            }
            (stages, _) => {
                let reached = stages.iter().filter_map(|stage| Some((*stage, stage_state(stage)?)));
                let event = |(stage, state)| DeploymentEvent {
                    at: time_of(stage, state).or(self.created),
                    ..self.moved(Some(stage), state)
                };
                let events: Vec<DeploymentEvent> = reached.map(event).take(50).collect();
                if events.is_empty() { Err("no stage that deploys was reached") } else { Ok(events) }
            }
        }
    }

    /// Whether a person has to agree somewhere on its way.
    fn is_judged(&self) -> bool {
        let mut stages = list(self.value, "/stages").take(MOST_STAGES);
        stages.any(|stage| told(stage, "/type").as_deref() == Some("manualJudgment"))
    }

    fn moved(&self, stage: Option<&Value>, state: DeploymentState) -> DeploymentEvent {
        let (repository, revision) = origin::of(self.value, stage);
        let with_pipeline = self.pipeline.as_ref().map(|pipeline| format!("{}/{pipeline}", self.application));
        let names = std::iter::once(self.application.clone()).chain(with_pipeline).chain(self.pipeline.clone());
        let suite = self.pipeline.clone().filter(|name| stage.is_none() && super::is_test(name));
        let environments = stage.map_or_else(|| self.pipeline.iter().cloned().collect(), environments);
        DeploymentEvent {
            recurs: false,
            source: SOURCE.to_owned(),
            id: self.id.clone(),
            repository,
            names: names.collect(),
            environments,
            revision,
            manner: super::run_of_any(suite.as_deref()),
            state,
            at: None,
            created_at: time(stage.unwrap_or(self.value), "/startTime"),
            note: told(self.value, "/cancellationReason").or_else(|| stage.and_then(failure)),
            url: None,
        }
    }

    fn was_aborted(&self, of: &Value) -> bool {
        let status = told(of, "/status").unwrap_or_default().to_uppercase();
        matches!(status.as_str(), "CANCELED" | "STOPPED") || of.get("canceled").and_then(Value::as_bool) == Some(true)
    }
}

/// When something got to a state.
fn time_of(of: &Value, state: DeploymentState) -> Option<Timestamp> {
    time(of, if state == DeploymentState::Started { "/startTime" } else { "/endTime" })
}

/// How far a stage got; `None`: it never began.
fn stage_state(stage: &Value) -> Option<DeploymentState> {
    match told(stage, "/status")?.to_uppercase().as_str() {
        "RUNNING" | "PAUSED" | "SUSPENDED" | "REDIRECT" => Some(DeploymentState::Started),
        "SUCCEEDED" => Some(DeploymentState::Succeeded),
        "TERMINAL" | "FAILED_CONTINUE" | "FAILED" => Some(DeploymentState::Failed),
        "CANCELED" | "STOPPED" => Some(DeploymentState::Aborted),
        _ => None,
    }
}

fn deploys(kind: &str) -> bool {
    let kind = kind.to_lowercase();
    let deploys = kind.contains("deploy") && !kind.contains("undeploy");
    deploys || DEPLOYING.contains(&kind.as_str())
}

/// Where a stage deploys: what it says itself, or the clusters that it lists.
fn environments(stage: &Value) -> Vec<String> {
    let context = stage.get("context").unwrap_or(&Value::Null);
    let clusters = list(context, "/clusters").take(10);
    let mut found: Vec<String> = Vec::new();
    for of in std::iter::once(context).chain(clusters) {
        let manifest = of.pointer("/manifests/0/metadata").unwrap_or(&Value::Null);
        let named = ["stack", "namespace", "account", "credentials", "cluster"].map(|key| of.get(key).and_then(plain));
        for name in named.into_iter().chain([told(manifest, "/namespace"), told(of, "/namespaceOverride")]).flatten() {
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found.extend(told(stage, "/name"));
    found.truncate(10);
    found
}

/// Why a stage failed.
fn failure(stage: &Value) -> Option<String> {
    let details = stage.pointer("/context/exception/details")?;
    let first = details.pointer("/errors/0").and_then(Value::as_str).map(|error| text::line(error, 300));
    first.filter(|error| !error.is_empty()).or_else(|| told(details, "/error"))
}

fn is_null(of: &Value, key: &str) -> bool {
    of.get(key).is_none_or(Value::is_null)
}

/// A value, or the text of JSON that it was flattened into. Depth is bounded by serde_json.
fn unflattened(given: Option<&Value>) -> Value {
    match given {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or(Value::Null),
        Some(value) => value.clone(),
        None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Revision;
    use serde_json::json;

    const SHA: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";
    const T: i64 = 1_774_000_800_000;

    fn stage(id: &str, kind: &str, account: &str, status: &str) -> Value {
        json!({
            "id": id, "type": kind, "name": format!("Deploy {id}"), "status": status, "startTime": T + 1000, "endTime": T + 2000,
            "syntheticStageOwner": null, "parentStageId": null, "context": { "account": account, "cloudProvider": "kubernetes" },
        })
    }

    fn pipeline(kind: &str, status: &str, stages: &[Value]) -> Value {
        json!({
            "details": { "source": "orca", "type": kind, "application": "edxapp", "created": (T + 9000).to_string() },
            "content": { "executionId": "01E", "execution": {
                "id": "01E", "type": "PIPELINE", "name": "release", "application": "edxapp", "status": status, "startTime": T, "endTime": T + 5000,
                "stages": stages, "trigger": { "type": "git", "source": "github", "project": "openedx", "slug": "edx-platform", "hash": SHA },
            } },
        })
    }

    fn events(body: &Value) -> Result<Vec<DeploymentEvent>, String> {
        match read(body.to_string().as_bytes()) {
            Ok(Reading::Event(events)) => Ok(events
                .into_iter()
                .map(|event| match event {
                    DeployEvent::Moved(event) => *event,
                    other @ (DeployEvent::StandsFor(_) | DeployEvent::Waits(_)) => panic!("{other:?}"),
                })
                .collect()),
            Ok(Reading::Ignored(why)) => Err(why),
            Err(why) => Err(format!("malformed: {why}")),
        }
    }

    /// `environment state seconds` of each event.
    fn told(body: &Value) -> Result<Vec<String>, String> {
        let line = |event: &DeploymentEvent| {
            let seconds = event.at.map(|at| (at.as_millisecond() - T) / 1000);
            format!("{} {:?} {seconds:?}", event.environments.first().map_or("-", String::as_str), event.state)
        };
        events(body).map(|events| events.iter().map(line).collect())
    }

    #[test]
    fn an_event_of_a_pipeline_tells_of_each_stage_that_deploys() {
        let one =
            |status: &str| vec![stage("a", "deployManifest", "prod", status), stage("b", "wait", "x", "SUCCEEDED")];
        let two = [stage("a", "deploy", "stage", "SUCCEEDED"), stage("b", "deploy", "prod", "TERMINAL")];
        for (kind, status, stages, want) in [
            ("orca:pipeline:starting", "RUNNING", one("NOT_STARTED"), Ok(vec!["prod Started Some(0)"])),
            ("orca:pipeline:complete", "SUCCEEDED", one("SUCCEEDED"), Ok(vec!["prod Succeeded Some(2)"])),
            ("orca:pipeline:failed", "TERMINAL", one("NOT_STARTED"), Ok(vec!["prod Failed Some(5)"])),
            ("orca:pipeline:failed", "CANCELED", one("CANCELED"), Ok(vec!["prod Aborted Some(2)"])),
            (
                "orca:pipeline:starting",
                "RUNNING",
                two.to_vec(),
                Err("it deploys to several places: its stages will tell"),
            ),
            (
                "orca:pipeline:failed",
                "TERMINAL",
                two.to_vec(),
                Ok(vec!["stage Succeeded Some(2)", "prod Failed Some(2)"]),
            ),
            ("orca:pipeline:complete", "SUCCEEDED", vec![], Ok(vec!["release Succeeded Some(5)"])),
            ("orca:pipeline:failed", "CANCELED", vec![], Ok(vec!["release Aborted Some(5)"])),
            ("orca:orchestration:complete", "SUCCEEDED", vec![], Err("an operation that deploys nothing")),
            (
                "orca:orchestration:complete",
                "SUCCEEDED",
                vec![stage("a", "undoRolloutManifest", "prod", "SUCCEEDED")],
                Ok(vec!["prod Succeeded Some(2)"]),
            ),
        ] {
            let got = told(&pipeline(kind, status, &stages));
            assert_eq!(
                got,
                want.map(|lines| lines.into_iter().map(str::to_owned).collect()).map_err(str::to_owned),
                "{kind} {status}"
            );
        }
        let event = events(&pipeline("orca:pipeline:complete", "SUCCEEDED", &one("SUCCEEDED"))).unwrap().remove(0);
        assert_eq!(event.names, ["edxapp", "edxapp/release", "release"]);
        assert_eq!((event.id.as_str(), event.revision), ("01E", Revision::Commit(SHA.parse().unwrap())));
        assert_eq!(event.repository.unwrap().as_str(), "openedx/edx-platform");
    }

    #[test]
    fn an_event_of_a_stage_tells_of_that_stage() {
        let stages = [
            stage("a", "deploy", "stage", "SUCCEEDED"),
            stage("b", "deploy", "prod", "RUNNING"),
            stage("c", "wait", "x", "RUNNING"),
        ];
        let event = |kind: &str, id: &str| {
            let mut body = pipeline(kind, "RUNNING", &stages);
            body["content"]["stageId"] = json!(id);
            body["content"]["startTime"] = json!(T + 3000);
            body
        };
        assert_eq!(told(&event("orca:stage:starting", "b")), Ok(vec!["prod Started Some(3)".to_owned()]));
        assert_eq!(told(&event("orca:stage:complete", "a")), Ok(vec!["stage Succeeded Some(2)".to_owned()]));
        assert_eq!(told(&event("orca:stage:failed", "b")), Ok(vec!["prod Failed Some(2)".to_owned()]));
        assert_eq!(told(&event("orca:stage:starting", "c")), Err("a stage that deploys nothing".to_owned()));
        assert_eq!(
            told(&event("orca:stage:skipped", "b")),
            Err("a stage that was skipped: nothing was deployed".to_owned())
        );
        assert_eq!(told(&event("orca:task:complete", "b")), Err("a task: its stage will tell".to_owned()));
        let mut part = event("orca:stage:complete", "b");
        part["content"]["isSynthetic"] = json!(true);
        assert!(told(&part).unwrap_err().starts_with("a stage that is a part"));
    }

    #[test]
    fn a_stage_without_an_id_is_known_by_its_name() {
        let stages = [stage("a", "deploy", "stage", "SUCCEEDED"), stage("b", "deploy", "prod", "RUNNING")];
        let mut body = pipeline("orca:stage:starting", "RUNNING", &stages);
        body["content"]["context"] = json!({ "stageDetails": { "name": "Deploy b" } });
        assert_eq!(told(&body), Ok(vec!["prod Started Some(1)".to_owned()]));
        body["content"]["context"] = Value::Null;
        assert_eq!(told(&body), Err("a stage that deploys nothing".to_owned()));
    }

    #[test]
    fn where_somebody_has_to_agree_first_nothing_has_begun_yet() {
        let stages = [stage("a", "manualJudgment", "x", "RUNNING"), stage("b", "deploy", "prod", "NOT_STARTED")];
        let begun = pipeline("orca:pipeline:starting", "RUNNING", &stages);
        assert_eq!(told(&begun), Err("somebody has to agree first: its stage will tell".to_owned()));
        let refused = pipeline("orca:pipeline:failed", "TERMINAL", &stages);
        assert_eq!(told(&refused), Err("no stage that deploys was reached".to_owned()));
    }

    #[test]
    fn a_stage_that_failed_says_why() {
        for (details, want) in [
            (json!({ "errors": ["no space\nleft"], "error": "Unexpected Task Failure" }), Some("no space left")),
            (json!({ "errors": [], "error": "Unexpected Task Failure" }), Some("Unexpected Task Failure")),
            (json!({}), None),
        ] {
            let mut failed = stage("a", "deploy", "prod", "TERMINAL");
            failed["context"]["exception"] = json!({ "details": details });
            let body = pipeline("orca:pipeline:failed", "TERMINAL", &[failed]);
            assert_eq!(events(&body).unwrap()[0].note.as_deref(), want, "{details}");
        }
    }

    #[test]
    fn echo_wraps_and_flattens() {
        let plain = pipeline("orca:pipeline:complete", "SUCCEEDED", &[stage("a", "deploy", "prod", "SUCCEEDED")]);
        let flat = json!({ "details": plain["details"].to_string(), "content": plain["content"].to_string() });
        for body in [
            json!({ "eventName": "spinnaker_events", "payload": plain }),
            json!({ "eventName": "x", "body": flat }),
            flat.clone(),
        ] {
            assert_eq!(events(&body), events(&plain));
        }
    }

    #[test]
    fn what_is_no_deployment_is_ignored() {
        for (body, want) in [
            (
                json!({ "details": { "type": "build", "source": "igor" }, "content": {} }),
                "not an event of a pipeline: nothing was deployed",
            ),
            (json!({ "zen": 1 }), "not an event of Spinnaker's echo"),
            (
                json!({ "details": { "type": "orca:pipeline:complete" } }),
                "malformed: a Spinnaker event without the `execution` in its `content`",
            ),
            (
                json!({ "details": { "type": "orca:pipeline:complete" }, "content": { "execution": {} } }),
                "malformed: a Spinnaker event without `content.execution.id`",
            ),
        ] {
            assert_eq!(events(&body).unwrap_err(), want);
        }
    }
}
