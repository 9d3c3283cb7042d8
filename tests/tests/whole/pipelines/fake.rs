//! Pipelines as their APIs document them, with a memory: CodePipeline, GoCD, Argo CD. They take nothing that the real ones
//! refuse.

use std::sync::{Arc, Mutex, PoisonError};

use aws::pipeline::PipelineKind;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// One that runs, and what it knows: as JSON, so that a story can look and change it by hand.
#[derive(Clone)]
pub struct Fake {
    pub address: String,
    kind: PipelineKind,
    known: Arc<Mutex<Value>>,
    /// What it was asked to do, but for questions.
    done: Arc<Mutex<Vec<String>>>,
    /// Which call from now on fails, if one does, and whether it does so after it was done.
    fails: Arc<Mutex<Option<(usize, bool)>>>,
}

struct Asked {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Value,
}

impl Fake {
    pub async fn start(kind: PipelineKind) -> Self {
        let known = match kind {
            PipelineKind::CodePipeline => json!({ "enabled": true }),
            PipelineKind::GoCd => {
                json!({ "paused": false, "paused_cause": "", "paused_by": "", "locked": false, "schedulable": true })
            }
            PipelineKind::ArgoCd => project(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let fake =
            Self { address, kind, known: Arc::new(Mutex::new(known)), done: Arc::default(), fails: Arc::default() };
        let app = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        fake
    }

    pub fn known(&self) -> Value {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Somebody does that by hand.
    pub fn by_hand(&self, change: impl FnOnce(&mut Value)) {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The call after `nth` others answers 503: having done nothing, or `after` it was done.
    pub fn fails(&self, nth: usize, after: bool) {
        *self.fails.lock().unwrap_or_else(PoisonError::into_inner) = Some((nth, after));
    }

    /// Whether this call fails, and how.
    fn mishap(&self) -> Option<bool> {
        let mut fails = self.fails.lock().unwrap_or_else(PoisonError::into_inner);
        match *fails {
            Some((0, after)) => {
                *fails = None;
                Some(after)
            }
            Some((nth, after)) => {
                *fails = Some((nth - 1, after));
                None
            }
            None => None,
        }
    }

    pub fn done(&self) -> Vec<String> {
        std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A project with what a real one has besides, and a window of somebody else's.
fn project() -> Value {
    json!({
        "metadata": { "name": "edx-project", "namespace": "argocd", "resourceVersion": "41", "generation": 7,
            "managedFields": [{ "manager": "argocd-server", "fieldsV1": { "f:spec": {} } }] },
        "spec": {
            "sourceRepos": ["*"], "destinations": [{ "server": "https://kubernetes.default.svc", "namespace": "*" }],
            "roles": [{ "name": "ci", "jwtTokens": [{ "iat": 1535390316, "id": "a" }] }],
            "orphanedResources": { "warn": false }, "unheardOf": { "x": [1, null, "é"] },
            "syncWindows": [{ "kind": "deny", "schedule": "0 22 * * *", "duration": "1h", "applications": ["*"], "timeZone": "UTC" }],
        },
        "status": { "jwtTokensByRole": { "ci": { "items": [{ "iat": 1535390316, "id": "a" }] } } },
    })
}

async fn answer(
    State(fake): State<Fake>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let gone = || (StatusCode::SERVICE_UNAVAILABLE, "{}".to_owned());
    let mishap = fake.mishap();
    if mishap == Some(false) {
        return gone();
    }
    let body = serde_json::from_str(&body).unwrap_or_default();
    let asked = Asked { method, path: uri.path().to_owned(), headers, body };
    let mut known = fake.known.lock().unwrap_or_else(PoisonError::into_inner);
    let mut did = None;
    let (status, said) = match fake.kind {
        PipelineKind::CodePipeline => code_pipeline(&mut known, &asked, &mut did),
        PipelineKind::GoCd => go_cd(&mut known, &asked, &mut did),
        PipelineKind::ArgoCd => argo_cd(&mut known, &asked, &mut did),
    };
    fake.done.lock().unwrap_or_else(PoisonError::into_inner).extend(did);
    if mishap == Some(true) {
        return gone();
    }
    (StatusCode::from_u16(status).unwrap(), said.to_string())
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    fn text(&self, key: &str) -> &str {
        self.body[key].as_str().unwrap_or("")
    }
}

type Said = (u16, Value);

fn code_pipeline(transition: &mut Value, asked: &Asked, did: &mut Option<String>) -> Said {
    let error = |name: &str| (400, json!({ "__type": name, "message": "as it says" }));
    let signed = asked.header("authorization");
    if !signed.starts_with("AWS4-HMAC-SHA256 Credential=local/")
        || !signed
            .contains("/eu-west-1/codepipeline/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target")
        || asked.header("content-type") != "application/x-amz-json-1.1"
    {
        return error("InvalidSignatureException");
    }
    let action = asked.header("x-amz-target").strip_prefix("CodePipeline_20150709.").unwrap_or("");
    if action == "GetPipelineState" {
        let source = json!({ "stageName": "Source", "inboundTransitionState": { "enabled": true } });
        let stages = json!([source, { "stageName": "Deploy", "inboundTransitionState": transition.clone(), "actionStates": [] }]);
        return match asked.text("name") {
            "edxapp-production" => {
                (200, json!({ "pipelineName": "edxapp-production", "pipelineVersion": 3, "stageStates": stages }))
            }
            _ => error("PipelineNotFoundException"),
        };
    }
    match [asked.text("pipelineName"), asked.text("stageName"), asked.text("transitionType")] {
        ["edxapp-production", "Deploy", "Inbound"] => {}
        ["edxapp-production", _, "Inbound"] => return error("StageNotFoundException"),
        _ => return error("PipelineNotFoundException"),
    }
    match action {
        "DisableStageTransition" => {
            let reason = asked.text("reason");
            let fits = |c: char| c.is_ascii_alphanumeric() || "!@ ().*?-".contains(c);
            if reason.is_empty() || reason.len() > 300 || !reason.chars().all(fits) {
                return error("ValidationException");
            }
            *transition = json!({ "enabled": false, "disabledReason": reason, "lastChangedBy": "arn:aws:sts::1:assumed-role/us", "lastChangedAt": 1.5 });
            *did = Some(format!("hold {reason}"));
        }
        "EnableStageTransition" => {
            *transition =
                json!({ "enabled": true, "lastChangedBy": "arn:aws:sts::1:assumed-role/us", "lastChangedAt": 1.5 });
            *did = Some("release".to_owned());
        }
        _ => return error("UnknownOperationException"),
    }
    (200, Value::Null)
}

fn go_cd(status: &mut Value, asked: &Asked, did: &mut Option<String>) -> Said {
    let says = |what: &str| json!({ "message": what });
    if asked.header("authorization") != "Bearer api-token" {
        return (401, says("You are not authenticated!"));
    }
    let Some(what) = asked.path.strip_prefix("/go/api/pipelines/edxapp-production/") else {
        return (404, says("Pipeline with name 'x' was not found!"));
    };
    if asked.header("accept") != "application/vnd.go.cd.v1+json" {
        return (404, says("The url you are trying to reach appears to be incorrect."));
    }
    let is_json = asked.header("content-type") == "application/json" && !asked.body.is_null();
    if asked.method == Method::POST && !is_json && asked.header("x-gocd-confirm") != "true" {
        return (400, says("Missing required header 'X-GoCD-Confirm' with value 'true'"));
    }
    match (asked.method.as_str(), what, status["paused"] == true) {
        ("GET", "status", _) => (200, status.clone()),
        ("POST", "pause", false) => {
            let cause: String = asked.text("pause_cause").chars().take(255).collect();
            *did = Some(format!("hold {cause}"));
            *status = json!({ "paused": true, "paused_cause": cause, "paused_by": "us", "locked": false, "schedulable": false });
            (200, says("Pipeline 'edxapp-production' paused successfully."))
        }
        ("POST", "unpause", true) => {
            *did = Some("release".to_owned());
            *status =
                json!({ "paused": false, "paused_cause": "", "paused_by": "", "locked": false, "schedulable": true });
            (200, says("Pipeline 'edxapp-production' unpaused successfully."))
        }
        ("POST", "pause" | "unpause", _) => (409, says("Failed. Pipeline 'edxapp-production' is already so.")),
        _ => (404, says("The url you are trying to reach appears to be incorrect.")),
    }
}

fn argo_cd(project: &mut Value, asked: &Asked, did: &mut Option<String>) -> Said {
    let error = |status: u16, code: u64, what: &str| (status, json!({ "error": what, "code": code, "message": what }));
    if asked.header("authorization") != "Bearer api-token" {
        return error(401, 16, "no session information");
    }
    if asked.path != "/api/v1/projects/edx-project" {
        return error(404, 5, "appprojects.argoproj.io \"x\" not found");
    }
    if asked.method == Method::GET {
        return (200, project.clone());
    }
    if asked.method != Method::PUT || asked.header("content-type") != "application/json" {
        return error(415, 3, "Invalid content type");
    }
    let mut wanted = asked.body["project"].clone();
    let version: u64 = project["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
    if wanted["metadata"]["resourceVersion"] != project["metadata"]["resourceVersion"] {
        let what = "Operation cannot be fulfilled on appprojects.argoproj.io \"edx-project\": the object has been modified; \
                    please apply your changes to the latest version and try again";
        return error(409, 10, what);
    }
    let of = |window: &Value| ["kind", "schedule", "duration"].map(|key| window[key].as_str().unwrap().to_owned());
    let mut windows: Vec<_> = wanted["spec"]["syncWindows"].as_array().unwrap().iter().map(of).collect();
    windows.sort();
    if windows.windows(2).any(|two| two[0] == two[1]) {
        return error(409, 6, "window 'deny':'x':'y' already exists, update or edit");
    }
    // In older versions a window has no description: what is not known is not kept.
    if project["old"] == true {
        let all = wanted["spec"]["syncWindows"].as_array_mut().unwrap();
        all.iter_mut().for_each(|window| drop(window.as_object_mut().unwrap().remove("description")));
    }
    wanted["metadata"]["resourceVersion"] = json!((version + 1).to_string());
    *did = Some(format!("{} windows", windows.len()));
    *project = wanted;
    (200, project.clone())
}
