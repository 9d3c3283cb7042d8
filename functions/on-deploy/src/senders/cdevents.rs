//! CDEvents, versions 0.1 to 0.6: services that were deployed, pipelines, test suites and artifacts. The bare event (all
//! that is seen of a CloudEvent in binary mode) or one in the `data` of a CloudEvent.
//! <https://cdevents.dev/docs/>

mod purl;

use aws::given::{time, told};
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::address::repository_at;
use domain::text;
use domain::{Commit, DeployEvent, DeploymentEvent, DeploymentState, Manner, Repository, Revision, StandsFor};
use serde_json::Value;

pub const SENDER: Sender<Vec<DeployEvent>> = Sender {
    name: "cdevents",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide {
        title: "CDEvents",
        steps: &[
            "Let the broker deliver events whose type begins with dev.cdevents to {url}, in structured or binary mode,",
            "with Authorization: Bearer {secret}, or to {url_with_secret}.",
            "Jenkins: Manage Jenkins, System, CDEvents, sink type HTTP; Spinnaker: a pipeline's Notifications, CDEvents.",
        ],
        reads: "services deployed, upgraded, rolled back; pipeline runs and test suites that start and finish; artifacts packaged of a commit",
        ignores: "queued runs, task runs, test cases, builds, incidents, changes, what is removed",
        docs: "https://cdevents.dev/docs/",
    },
};

const SOURCE: &str = "cdevents";

fn read(body: &[u8]) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let whole: Value = parse(body)?;
    let is_event = |event: &Value| event.get("context").is_some() && event.get("subject").is_some();
    let inside = whole.get("data").filter(|data| is_event(data));
    let Some(event) = inside.or(Some(&whole).filter(|whole| is_event(whole))) else {
        return Ok(Reading::Ignored("not a CDEvent".to_owned()));
    };
    let event = Event { context: &event["context"], subject: &event["subject"], content: &event["subject"]["content"] };
    let kind = told(event.context, "/type").ok_or_else(|| Malformed::new("a CDEvent without `context.type`"))?;
    // `dev.cdevents.service.deployed.0.1.0`
    let mut parts = kind.strip_prefix("dev.cdevents.").unwrap_or(&kind).split('.');
    let (subject, predicate) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    event.read(&subject.to_lowercase(), &predicate.to_lowercase())
}

struct Event<'a> {
    context: &'a Value,
    subject: &'a Value,
    content: &'a Value,
}

impl Event<'_> {
    fn read(&self, subject: &str, predicate: &str) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
        let why = match (subject, predicate) {
            ("service", "deployed" | "upgraded" | "rolledback") => return self.service(predicate),
            ("pipelinerun", "started" | "finished") => return self.pipeline_run(predicate),
            ("testsuiterun" | "testsuite", "started" | "finished") => return self.test_suite(predicate),
            ("artifact", "packaged" | "published") => return self.artifact(),
            ("service", "published") => "a service was published: that it was deployed is told by service.deployed",
            ("service", "removed") => "a service was removed: nothing was deployed",
            (_, "queued" | "skipped") => "queued or skipped: nothing has moved yet",
            ("taskrun", _) => "a task: its pipeline run will tell",
            ("testcaserun" | "testcase", _) => "one case of a test suite: the suite will tell",
            ("testoutput", _) => "the output of a test: its suite will tell",
            ("change", "merged") => "a merge: send it to /merge/cdevents",
            ("change" | "branch" | "repository", _) => "a repository's event: nothing was deployed",
            ("incident", _) => "an incident: send it to /alert",
            ("build", _) => "a build: nothing has moved yet",
            ("artifact", _) => "an artifact's event that does not say what it was made of",
            ("environment", _) => "an environment's event: nothing was deployed",
            ("approval" | "ticket", _) => "an approval or a ticket: nothing has moved yet",
            _ => "not an event about a deployment",
        };
        Ok(Reading::Ignored(why.to_owned()))
    }

    fn service(&self, predicate: &str) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
        let subject = self.subject_id()?;
        let artifact = told(self.content, "/artifactId");
        let (repository, revision) = artifact.as_deref().map_or((None, Revision::Untold), purl::revision);
        let back = predicate == "rolledback";
        Ok(self.moved(Parts {
            // Each event is a deployment of its own.
            id: told(self.context, "/id").unwrap_or_else(|| subject.clone()),
            names: self.names(&subject),
            state: DeploymentState::Succeeded,
            manner: Manner::Whole,
            repository,
            revision,
            note: back.then(|| "rolled back to this".to_owned()),
        }))
    }

    fn pipeline_run(&self, predicate: &str) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
        let subject = self.subject_id()?;
        let state = match self.state(predicate) {
            Ok(state) => state,
            Err(why) => return Ok(Reading::Ignored(why)),
        };
        let pipeline = told(self.content, "/pipelineName");
        let suite = pipeline.clone().filter(|name| super::is_test(name));
        Ok(self.moved(Parts {
            names: pipeline.map_or_else(|| self.names(&subject), |name| vec![name]),
            id: subject,
            state,
            manner: super::run_of_any(suite.as_deref()),
            repository: None,
            revision: Revision::Untold,
            note: told(self.content, "/errors").or_else(|| told(self.content, "/reason")),
        }))
    }

    fn test_suite(&self, predicate: &str) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
        let subject = self.subject_id()?;
        let state = match self.state(predicate) {
            Ok(state) => state,
            Err(why) => return Ok(Reading::Ignored(why)),
        };
        let suite = self.content.get("testSuite").unwrap_or(&Value::Null);
        let name = told(suite, "/name").or_else(|| told(suite, "/id")).unwrap_or_else(|| last(&subject).to_owned());
        Ok(self.moved(Parts {
            names: [Some(name.clone()), told(suite, "/id")].into_iter().flatten().collect(),
            id: subject,
            state,
            manner: super::run_of(&name),
            repository: None,
            revision: Revision::Untold,
            note: told(self.content, "/reason"),
        }))
    }

    /// An artifact that says which change it was made of.
    fn artifact(&self) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
        let change = self.content.get("change").unwrap_or(&Value::Null);
        let commit: Option<Commit> = told(change, "/id").and_then(|id| last(&id).parse().ok());
        let (Some(commit), (_, Revision::Named(reference))) = (commit, purl::revision(&self.subject_id()?)) else {
            return Ok(Reading::Ignored("an artifact that does not say which commit it was made of".to_owned()));
        };
        let repository = told(change, "/source").and_then(|source| repository_at(&source));
        let told = StandsFor { reference, repository, revision: Revision::Commit(commit) };
        Ok(Reading::Event(vec![DeployEvent::StandsFor(told)]))
    }

    fn state(&self, predicate: &str) -> Result<DeploymentState, String> {
        if predicate == "started" {
            return Ok(DeploymentState::Started);
        }
        match told(self.content, "/outcome").unwrap_or_default().to_lowercase().as_str() {
            "success" | "succeeded" | "pass" | "passed" => Ok(DeploymentState::Succeeded),
            "failure" | "failed" | "fail" | "error" => Ok(DeploymentState::Failed),
            "cancel" | "cancelled" | "canceled" | "aborted" => Ok(DeploymentState::Aborted),
            "" => Err("a run that does not say how it finished".to_owned()),
            other => Err(format!("outcome {}: not one we know", text::line(other, 40))),
        }
    }

    fn moved(&self, parts: Parts) -> Reading<Vec<DeployEvent>> {
        let uri = told(self.content, "/uri").or_else(|| told(self.content, "/url"));
        Reading::Event(vec![DeployEvent::Moved(Box::new(DeploymentEvent {
            recurs: false,
            source: SOURCE.to_owned(),
            id: parts.id,
            repository: parts.repository,
            names: parts.names,
            environments: self.environments(),
            revision: parts.revision,
            manner: parts.manner,
            state: parts.state,
            at: time(self.context, "/timestamp"),
            created_at: None,
            note: parts.note.map(|note| text::line(&note, 300)),
            url: uri.as_deref().and_then(text::url),
        }))])
    }

    fn subject_id(&self) -> Result<String, Malformed> {
        told(self.subject, "/id").ok_or_else(|| Malformed::new("a CDEvent without `subject.id`"))
    }

    /// The last part of the id, the whole of it, and with the last part of where it comes from: `namespace/service`.
    fn names(&self, id: &str) -> Vec<String> {
        let place = told(self.subject, "/source").map(|source| last(&source).to_owned());
        let placed = place.filter(|place| !place.is_empty()).map(|place| format!("{place}/{}", last(id)));
        distinct([Some(last(id).to_owned()), Some(id.to_owned()), placed])
    }

    /// An environment is an object, in older events a text too.
    fn environments(&self) -> Vec<String> {
        let environment = self.content.get("environment").unwrap_or(&Value::Null);
        let text = environment.as_str().map(|text| text::line(text, 200));
        let id = told(environment, "/id").or(text);
        distinct([told(environment, "/name"), id.as_deref().map(|id| last(id).to_owned()), id.clone()])
    }
}

/// What differs between the events that move or test something.
struct Parts {
    id: String,
    names: Vec<String>,
    state: DeploymentState,
    manner: Manner,
    repository: Option<Repository>,
    revision: Revision,
    note: Option<String>,
}

fn distinct(names: [Option<String>; 3]) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for name in names.into_iter().flatten().filter(|name| !name.is_empty()) {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

/// The last segment of a path or an address.
fn last(id: &str) -> &str {
    let id = id.trim_end_matches('/');
    id.rsplit('/').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SHA: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";

    fn event(kind: &str, subject: &str, content: &Value) -> Value {
        json!({
            "context": { "specversion": "0.4.1", "id": "c-1", "source": "/ci", "type": format!("dev.cdevents.{kind}.0.2.0"), "timestamp": "2026-03-20T10:05:00.5Z" },
            "subject": { "id": subject, "source": "/eu/shop", "content": content },
        })
    }

    fn events(body: &Value) -> Result<Vec<DeployEvent>, String> {
        match read(body.to_string().as_bytes()) {
            Ok(Reading::Event(events)) => Ok(events),
            Ok(Reading::Ignored(why)) => Err(why),
            Err(why) => Err(format!("malformed: {why}")),
        }
    }

    fn moved(body: &Value) -> Result<DeploymentEvent, String> {
        match events(body)?.remove(0) {
            DeployEvent::Moved(event) => Ok(*event),
            other @ (DeployEvent::StandsFor(_) | DeployEvent::Waits(_)) => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn a_service_that_was_deployed_is_a_deployment_that_succeeded() {
        let content = json!({ "environment": { "id": "clusters/prod" }, "artifactId": "pkg:oci/lms@sha256%3Aaa?tag=2.1&repository_url=ghcr.io%2Fopenedx%2Flms" });
        for (kind, note) in [
            ("service.deployed", None),
            ("service.upgraded", None),
            ("service.rolledback", Some("rolled back to this")),
        ] {
            let bare = event(kind, "services/edxapp", &content);
            let structured = json!({ "specversion": "1.0", "type": "dev.cdevents.x", "datacontenttype": "application/json", "data": bare });
            for body in [&bare, &structured] {
                let event = moved(body).unwrap();
                assert_eq!(
                    (event.state, event.id.as_str(), event.note.as_deref()),
                    (DeploymentState::Succeeded, "c-1", note)
                );
                assert_eq!(event.names, ["edxapp", "services/edxapp", "shop/edxapp"]);
                assert_eq!(event.environments, ["prod", "clusters/prod"]);
                assert_eq!(event.revision, Revision::Named("image:ghcr.io/openedx/lms:2.1".parse().unwrap()));
                assert_eq!(event.at, Some("2026-03-20T10:05:00.5Z".parse().unwrap()));
            }
        }
    }

    #[test]
    fn runs_and_suites_have_outcomes() {
        let test = |name: &str| Manner::Test(name.to_owned());
        for (kind, content, state, manner) in [
            (
                "pipelinerun.started",
                json!({ "pipelineName": "deploy-edxapp" }),
                DeploymentState::Started,
                Manner::Whole,
            ),
            (
                "pipelinerun.finished",
                json!({ "pipelineName": "deploy", "outcome": "cancel" }),
                DeploymentState::Aborted,
                Manner::Whole,
            ),
            (
                "pipelineRun.finished",
                json!({ "pipelineName": "e2e", "outcome": "error", "errors": "x" }),
                DeploymentState::Failed,
                test("e2e"),
            ),
            (
                "testsuiterun.finished",
                json!({ "testSuite": { "id": "9", "name": "Login" }, "outcome": "failure" }),
                DeploymentState::Failed,
                test("Login"),
            ),
            ("testsuiterun.finished", json!({ "outcome": "success" }), DeploymentState::Succeeded, test("r-1")),
        ] {
            let event = moved(&event(kind, "runs/r-1", &content)).unwrap();
            assert_eq!((event.state, event.manner, event.id.as_str()), (state, manner, "runs/r-1"), "{kind}");
        }
    }

    #[test]
    fn an_artifact_tells_which_commit_it_was_made_of() {
        let packaged = |change: &str, source: &str| {
            let content = json!({ "change": { "id": change, "source": source } });
            events(&event("artifact.packaged", "pkg:oci/lms@sha256%3Aaa", &content))
        };
        for (source, want) in [
            ("https://github.com/openedx/edx-platform.git", Some("openedx/edx-platform")),
            ("git.example.com/openedx/edx-platform", Some("openedx/edx-platform")),
            ("openedx/edx-platform", Some("openedx/edx-platform")),
            ("/here", None),
        ] {
            let events = packaged(SHA, source).unwrap();
            let [DeployEvent::StandsFor(told)] = events.as_slice() else { panic!("{events:?}") };
            assert_eq!(told.reference.as_str(), "image:lms@sha256:aa");
            assert_eq!(told.revision, Revision::Commit(SHA.parse().unwrap()));
            assert_eq!(told.repository.as_ref().map(Repository::as_str), want);
        }
        assert_eq!(
            packaged("change-12", "x").unwrap_err(),
            "an artifact that does not say which commit it was made of"
        );
    }

    #[test]
    fn what_is_no_deployment_is_ignored() {
        for (body, want) in [
            (event("change.merged", "c", &json!({})), "a merge: send it to /merge/cdevents"),
            (event("incident.detected", "i", &json!({})), "an incident: send it to /alert"),
            (event("pipelinerun.queued", "r", &json!({})), "queued or skipped: nothing has moved yet"),
            (event("pipelinerun.finished", "r", &json!({})), "a run that does not say how it finished"),
            (event("testsuiterun.finished", "r", &json!({ "outcome": "danced" })), "outcome danced: not one we know"),
            (event("service.removed", "s", &json!({})), "a service was removed: nothing was deployed"),
            (event("taskrun.finished", "r", &json!({})), "a task: its pipeline run will tell"),
            (event("new.kind", "r", &json!({})), "not an event about a deployment"),
            (json!({ "context": {}, "subject": {} }), "malformed: a CDEvent without `context.type`"),
            (event("service.deployed", "", &json!(7)), "malformed: a CDEvent without `subject.id`"),
            (json!([]), "not a CDEvent"),
        ] {
            assert_eq!(events(&body).unwrap_err(), want);
        }
    }
}
