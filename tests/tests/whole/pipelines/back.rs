//! What pipelines are asked to go back, as their APIs document it: once, to what was live before, or not at all and why.

use std::sync::{Arc, Mutex, PoisonError};

use aws::pipeline::{PipelineConfig, PipelineKind};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use domain::DeploymentKey;
use domain::autopilot::Back;
use house_tests::{Stage, commit, time};
use on_schedule::pipelines::{NoAnswer, Place, Rolled, roll_back};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// An application of Argo CD, or a pipeline of CodePipeline, with its history.
#[derive(Clone)]
pub struct Argo {
    pub address: String,
    pub known: Arc<Mutex<Value>>,
    done: Arc<Mutex<Vec<String>>>,
    /// The next answer to this method is lost.
    loses: Arc<Mutex<Option<&'static str>>>,
}

impl Argo {
    /// With these commits in its history, the newest last.
    pub async fn start(commits: &[&str]) -> Self {
        let deployed = |n: usize| format!("2026-03-20T{:02}:00:00Z", n + 1);
        let entry = |(n, revision): (usize, &&str)| json!({ "id": n, "revision": revision, "deployedAt": deployed(n) });
        let history: Vec<Value> = commits.iter().enumerate().map(entry).collect();
        Self::knowing(json!({
            "metadata": { "name": "edxapp" },
            "spec": { "project": "edx", "syncPolicy": {} },
            "status": { "history": history, "operationState": { "phase": "Succeeded" } },
        }))
        .await
    }

    async fn knowing(known: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { address, known: Arc::new(Mutex::new(known)), done: Arc::default(), loses: Arc::default() };
        let app = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        fake
    }

    pub fn done(&self) -> Vec<String> {
        std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn loses_the_answer_of(&self, method: &'static str) {
        *self.loses.lock().unwrap_or_else(PoisonError::into_inner) = Some(method);
    }

    fn by_hand(&self, change: impl FnOnce(&mut Value)) {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

async fn answer(
    State(fake): State<Argo>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let (status, said) = {
        let mut known = fake.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut done = fake.done.lock().unwrap_or_else(PoisonError::into_inner);
        match headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
            Some(target) => code_pipeline(&mut known, &mut done, target, &body),
            None => argo_cd(&mut known, &mut done, (&method, uri.path()), &headers, &body),
        }
    };
    let mut loses = fake.loses.lock().unwrap_or_else(PoisonError::into_inner);
    if loses.is_some_and(|lost| method == lost) {
        *loses = None;
        return (StatusCode::GATEWAY_TIMEOUT, String::new());
    }
    (StatusCode::from_u16(status).unwrap(), said.to_string())
}

fn argo_cd(
    known: &mut Value,
    done: &mut Vec<String>,
    (method, path): (&Method, &str),
    headers: &HeaderMap,
    body: &Value,
) -> (u16, Value) {
    if headers.get("authorization").is_none_or(|token| token != "Bearer api-token") {
        return (401, json!({ "message": "no session information", "code": 16 }));
    }
    match (method.as_str(), path) {
        ("GET", "/api/v1/applications/edxapp") => (200, known.clone()),
        ("POST", "/api/v1/applications/edxapp/rollback") => {
            if !known["spec"]["syncPolicy"]["automated"].is_null() {
                return (
                    400,
                    json!({ "message": "rollback cannot be initiated when auto-sync is enabled", "code": 9 }),
                );
            }
            assert_eq!(body["prune"], false, "to delete is for people");
            let history = known["status"]["history"].as_array_mut().unwrap();
            let Some(entry) = history.iter().find(|entry| entry["id"] == body["id"]).cloned() else {
                return (400, json!({ "message": "application edxapp does not have deployment with id", "code": 3 }));
            };
            let id = history.len();
            done.push(format!("rollback to {}", body["id"]));
            history.push(json!({ "id": id, "revision": entry["revision"], "deployedAt": "2026-03-21T00:00:00Z" }));
            (200, known.clone())
        }
        _ => (404, json!({ "message": "not found", "code": 5 })),
    }
}

fn code_pipeline(known: &mut Value, done: &mut Vec<String>, target: &str, body: &Value) -> (u16, Value) {
    let error = |name: &str| (400, json!({ "__type": name, "message": "as it says" }));
    if body["pipelineName"] != "edxapp-production" {
        return error("PipelineNotFoundException");
    }
    let all = known.as_array_mut().unwrap();
    match target.strip_prefix("CodePipeline_20150709.").unwrap_or("") {
        "ListPipelineExecutions" => {
            let stage = &body["filter"]["succeededInStage"]["stageName"];
            assert!(stage.is_null() || stage == "Deploy", "{stage}");
            let fits = |one: &&Value| stage.is_null() || one["status"] == "Succeeded";
            (200, json!({ "pipelineExecutionSummaries": all.iter().filter(fits).collect::<Vec<_>>() }))
        }
        "RollbackStage" => {
            let to = body["targetPipelineExecutionId"].as_str().unwrap_or("").to_owned();
            let known =
                all.iter().any(|one| one["pipelineExecutionId"] == to.as_str() && one["executionType"] == "STANDARD");
            if !known || body["stageName"] != "Deploy" {
                return error("UnableToRollbackStageException");
            }
            done.push(format!("rollback to {to}"));
            all.insert(
                0,
                json!({
                    "pipelineExecutionId": "e-back", "status": "InProgress", "executionType": "ROLLBACK",
                    "rollbackMetadata": { "rollbackTargetPipelineExecutionId": to }, "sourceRevisions": [],
                }),
            );
            (200, json!({ "pipelineExecutionId": "e-back" }))
        }
        _ => error("UnknownOperationException"),
    }
}

/// The release of commit 2.
fn back() -> Back {
    Back {
        pipeline: "it:x".into(),
        release: DeploymentKey { environment: "production".parse().unwrap(), source: "x".into(), id: "e-2".into() },
        repository: house_tests::REPOSITORY.parse().unwrap(),
        commit: Some(commit(2).parse().unwrap()),
        live_since: time("Fri 12:10"),
        succeeded_at: time("Fri 12:14"),
    }
}

async fn asked(kind: PipelineKind, address: &str, act: bool) -> Result<Rolled, NoAnswer> {
    let (url, secret) = (Some(address.to_owned()), Some("api".to_owned()));
    let pipeline = PipelineConfig { name: "it".to_owned(), kind, url, secret };
    let stage = Stage::new().await;
    let id = if kind == PipelineKind::ArgoCd { "edx/edxapp" } else { "edxapp-production/Deploy" };
    roll_back(&Place { house: &stage.house, pipeline: &pipeline }, id, &back(), act).await
}

/// Executions that have succeeded, the newest first.
fn executions(all: &[u64]) -> Value {
    let one = |n: &u64| {
        json!({
            "pipelineExecutionId": format!("e-{n}"), "status": "Succeeded", "executionType": "STANDARD",
            "sourceRevisions": [{ "actionName": "Source", "revisionId": commit(*n) }],
        })
    };
    Value::Array(all.iter().map(one).collect())
}

#[tokio::test]
async fn argo_cd_goes_back_once_to_what_was_live_before() {
    let [one, two, three] = [commit(1), commit(2), commit(3)];
    let argo = Argo::start(&[&one, &two, &two]).await;
    assert_eq!(
        asked(PipelineKind::ArgoCd, &argo.address, false).await.unwrap(),
        Rolled::Not("it did not go back".into())
    );
    for _ in 0..2 {
        assert_eq!(asked(PipelineKind::ArgoCd, &argo.address, true).await.unwrap(), Rolled::Back(one.clone()));
    }
    assert_eq!(argo.done(), ["rollback to 0"]);

    let not = async |commits: &[&str], change: fn(&mut Value)| {
        let argo = Argo::start(commits).await;
        argo.by_hand(change);
        let said = asked(PipelineKind::ArgoCd, &argo.address, true).await;
        assert_eq!(argo.done(), [""; 0]);
        match said {
            Ok(Rolled::Not(why)) => why,
            Ok(Rolled::Back(to)) => panic!("back to {to}"),
            Err(error) => error.to_string(),
        }
    };
    let same = |_: &mut Value| ();
    assert_eq!(not(&[&one, &two, &three], same).await, "something else was synced after the release");
    assert_eq!(not(&[&two], same).await, "its history has nothing before the release");
    assert_eq!(not(&[&one, &three], same).await, "its history does not have the release");
    let automated: fn(&mut Value) = |known| known["spec"]["syncPolicy"] = json!({ "automated": { "prune": true } });
    assert_eq!(not(&[&one, &two], automated).await, "its sync is automated: it would go forward again at once");
    let running: fn(&mut Value) = |known| known["status"]["operationState"]["phase"] = json!("Running");
    assert_eq!(not(&[&one, &two], running).await, "somebody changed it meanwhile: it is asked again");
    let other: fn(&mut Value) = |known| known["spec"]["project"] = json!("somebody-elses");
    assert_eq!(not(&[&one, &two], other).await, "it knows no such pipeline: correct the configuration");
}

#[tokio::test]
async fn manifests_with_a_repository_of_their_own_are_told_by_the_time() {
    let argo = Argo::start(&["aaaa", "bbbb"]).await;
    argo.by_hand(|known| known["status"]["history"][1]["deployedAt"] = json!("2026-03-20T12:13:59Z"));
    argo.by_hand(|known| known["status"]["history"][0]["deployedAt"] = json!("2026-03-19T12:13:59Z"));
    let said = asked(PipelineKind::ArgoCd, &argo.address, true).await.unwrap();
    assert_eq!(said, Rolled::Back("aaaa".into()));
}

#[tokio::test]
async fn codepipeline_goes_back_once_to_what_had_succeeded_before() {
    let kind = PipelineKind::CodePipeline;
    let fake = Argo::knowing(executions(&[2, 1])).await;
    assert_eq!(asked(kind, &fake.address, false).await.unwrap(), Rolled::Not("it did not go back".into()));
    for _ in 0..2 {
        assert_eq!(asked(kind, &fake.address, true).await.unwrap(), Rolled::Back(commit(1)));
    }
    assert_eq!(fake.done(), ["rollback to e-1"]);
    // It is told so too when it has succeeded.
    fake.by_hand(|all| all[0]["status"] = json!("Succeeded"));
    assert_eq!(asked(kind, &fake.address, true).await.unwrap(), Rolled::Back(commit(1)));
    assert_eq!(fake.done(), [""; 0]);

    for (all, why) in [
        (&[3, 2, 1][..], "something else succeeded after the release"),
        (&[2], "its history has nothing before the release"),
        (&[3, 1], "its history does not have the release"),
    ] {
        let fake = Argo::knowing(executions(all)).await;
        assert_eq!(asked(kind, &fake.address, true).await.unwrap(), Rolled::Not(why.into()));
        assert_eq!(fake.done(), [""; 0]);
    }
}

#[tokio::test]
async fn gocd_is_not_asked() {
    let said = asked(PipelineKind::GoCd, "http://127.0.0.1:9", true).await.unwrap();
    assert_eq!(said, Rolled::Not("GoCD cannot be asked to go back".into()));
}
