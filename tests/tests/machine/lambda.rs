//! The functions as Lambda runs them: the built bootstraps behind AWS's own runtime interface emulator, against
//! the embedded engine. `tests/run` gets the emulator (it ships inside the PyPI package aws-sam-cli) and names
//! it in RECENT_DEPLOYERS_RIE; without that variable these tests say that they did nothing.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws::Store;
use aws::clients::{self, Aws, Http};
use house_tests::peer::Peer;
use house_tests::{GITHUB_SECRET, TOKEN, binary, commit, configuration, root};
use recent_deployers::demo::payloads::{self, Alert, Deployment, Merge};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const TABLE: &str = "recent-deployers";

fn emulator() -> Option<PathBuf> {
    let path = std::env::var_os("RECENT_DEPLOYERS_RIE").map(PathBuf::from);
    if path.is_none() {
        println!("not present: RECENT_DEPLOYERS_RIE; 0 functions invoked");
    }
    path
}

/// A table, a topic, a configuration and secrets: what a stack would give the functions.
struct Cloud {
    engine: String,
    topic: Peer,
    folder: PathBuf,
    store: Store,
}

impl Cloud {
    async fn new(name: &str) -> Self {
        let now = std::sync::Arc::new(|| house_tests::time("Fri 12:00"));
        let engine = recent_deployers::engine::Engine::open(None, now).unwrap().serve().await.unwrap();
        let topic = Peer::start().await;
        let folder = std::env::temp_dir().join(format!("recent-deployers-{name}-{}", std::process::id()));
        let secrets = folder.join("secrets");
        std::fs::create_dir_all(&secrets).unwrap();
        std::fs::write(folder.join("recent-deployers.toml"), configuration(&["edxapp"])).unwrap();
        for (name, text) in [("github", GITHUB_SECRET), ("alertmanager", TOKEN), ("links", "links-key")] {
            std::fs::write(secrets.join(name), text).unwrap();
        }
        let http = Http::new();
        let store = Store::new(clients::dynamodb(&Aws::local(engine.clone(), String::new()), &http), TABLE);
        store.create_table().await.unwrap();
        Self { engine, topic, folder, store }
    }

    /// Starts a function behind the emulator.
    async fn function(&self, emulator: &PathBuf, name: &str) -> Function {
        let (address, api) = (free_address().await, free_address().await);
        let child = Command::new(emulator)
            .args(["--runtime-interface-emulator-address", &address, "--runtime-api-address", &api])
            .arg(binary(name))
            .current_dir(root())
            .envs([
                ("AWS_REGION", "eu-west-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("AWS_LAMBDA_FUNCTION_NAME", name),
                ("AWS_ENDPOINT_URL_DYNAMODB", self.engine.as_str()),
                ("AWS_ENDPOINT_URL_SNS", self.topic.address.as_str()),
                ("RECENT_DEPLOYERS_TABLE", TABLE),
                ("RECENT_DEPLOYERS_TOPIC", recent_deployers::topic::ARN),
            ])
            .env("RECENT_DEPLOYERS_CONFIG", self.folder.join("recent-deployers.toml"))
            .env("RECENT_DEPLOYERS_SECRETS", self.folder.join("secrets"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Function { child, address }
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

struct Function {
    child: Child,
    address: String,
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Function {
    /// Invokes it, waiting for the emulator to listen.
    async fn invoke(&self, event: &Value) -> Value {
        let url = format!("http://{}/2015-03-31/functions/function/invocations", self.address);
        for _ in 0..100 {
            match Http::new().send("POST", &url, &[], event.to_string().into_bytes(), 20).await {
                Ok(answer) => {
                    let text = String::from_utf8_lossy(&answer.body).into_owned();
                    return serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        panic!("the emulator never listened");
    }
}

/// A request as API Gateway's HTTP API hands it over.
fn http(path: &str, headers: Vec<(String, String)>, body: &str) -> Value {
    let headers: serde_json::Map<String, Value> =
        headers.into_iter().map(|(n, v)| (n.to_lowercase(), v.into())).collect();
    json!({
        "version": "2.0", "routeKey": "POST /merge/{sender}", "rawPath": path, "rawQueryString": "q=[a]|b", "headers": headers,
        "requestContext": { "http": { "method": "POST", "path": path, "sourceIp": "192.0.2.1" }, "stage": "$default" },
        "body": body, "isBase64Encoded": false
    })
}

#[tokio::test]
async fn a_merge_a_deployment_an_alert_and_a_tick_through_the_built_bootstraps() {
    let Some(emulator) = emulator() else { return };
    let cloud = Cloud::new("lambda").await;
    #[expect(clippy::disallowed_methods, reason = "the functions under test read the real clock")]
    let now = jiff::Timestamp::now();
    let sha = commit(12);
    let merge = Merge {
        repository: "openedx/edx-platform",
        number: 12,
        title: "t",
        author: "feanil",
        merger: "feanil",
        commit: &sha,
        at: now,
    };
    let merge = payloads::pull_request_merged(&merge).to_string();
    let live = Deployment {
        repository: "openedx/edx-platform",
        id: 1,
        environment: "prod",
        commit: &sha,
        state: "success",
        created_at: now,
        at: now,
    };
    let live = payloads::deployment_status(&live).to_string();
    let alert = Alert {
        service: "edxapp",
        name: "HighErrorRate",
        summary: "s",
        severity: "critical",
        started_at: now,
        ended_at: None,
    };
    let alert = payloads::alertmanager(&[alert]).to_string();
    let signed = |body: &str| payloads::github_headers("", GITHUB_SECRET, body.as_bytes());

    let on_merge = cloud.function(&emulator, "on-merge").await;
    let refused =
        on_merge.invoke(&http("/merge/github", payloads::github_headers("", "wrong", merge.as_bytes()), &merge)).await;
    assert_eq!(refused["statusCode"], 401, "{refused}");
    let kept = on_merge.invoke(&http("/merge/github", signed(&merge), &merge)).await;
    assert_eq!(kept["statusCode"], 200, "{kept}");
    assert!(kept["body"].as_str().unwrap().contains("merged_on_standby"), "{kept}");
    let again = on_merge.invoke(&http("/merge/github", signed(&merge), &merge)).await;
    assert!(again["body"].as_str().unwrap().contains("already_known"), "{again}");
    drop(on_merge);

    let on_deploy = cloud.function(&emulator, "on-deploy").await;
    let moved = on_deploy.invoke(&http("/deploy/github", signed(&live), &live)).await;
    assert!(moved["body"].as_str().unwrap().contains("live_deployment_succeeded"), "{moved}");
    drop(on_deploy);

    let xml = "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
    for _ in 0..4 {
        cloud.topic.will_answer(200, xml);
    }
    let on_alert = cloud.function(&emulator, "on-alert").await;
    let paged = on_alert.invoke(&http("/alert/alertmanager", payloads::token_headers(TOKEN), &alert)).await;
    assert!(paged["body"].as_str().unwrap().contains("\"person\":\"feanil\""), "{paged}");
    let published = cloud.topic.received();
    assert_eq!(published.len(), 1, "the page is on the topic");
    drop(on_alert);

    let situation = cloud.store.situation(&"edxapp".parse().unwrap()).await.unwrap();
    assert_eq!((situation.changes.len(), situation.deployments.len(), situation.incidents.len()), (1, 1, 1));

    let on_schedule = cloud.function(&emulator, "on-schedule").await;
    let ticked = on_schedule.invoke(&json!({ "source": "aws.scheduler", "detail-type": "Scheduled Event" })).await;
    // The service; once in a process the desk of freezes, and what nobody has looked at: the alerts of no service.
    assert_eq!(ticked["settled"], 3, "{ticked}");
    let notice = cloud.topic.received();
    assert!(notice.iter().any(|n| n.body.contains("started")), "the tick sends the notice that the turn began");
}
