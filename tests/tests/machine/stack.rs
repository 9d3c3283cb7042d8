//! The whole bundle as AWS would run it: the template created in MiniStack, the built bootstraps run by it, and one change
//! followed from its webhook through API Gateway, the table, its stream and SNS to a person. `tests/run` gets MiniStack from
//! PyPI and names its folder in RECENT_DEPLOYERS_MINISTACK; without it, or the template's translation, these tests say that they
//! did nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use aws::Store;
use aws::clients::{self, Aws, Http};
use aws::secrets::Secret;
use aws::session::{MACHINE, Session};
use house_tests::ministack::{self, MiniStack};
use house_tests::peer::Peer;
use house_tests::{GITHUB_SECRET, TOKEN, binary, commit, configuration, now, root};
use jiff::SignedDuration;
use recent_deployers::demo::payloads::{self, Alert, Deployment, Merge};
use serde_json::{Value, json};
use tokio::time::sleep;

/// MiniStack, and what stack.py made in it.
struct Stack {
    emulator: MiniStack,
    made: Value,
    http: Http,
}

impl Stack {
    async fn create(ministack: &Path, template: &Path, configuration: &str) -> Self {
        let emulator = MiniStack::start(ministack, "stack").await;
        let folder = emulator.scratch.join("configuration");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("recent-deployers.toml"), configuration).unwrap();
        let binaries = binary("on-merge").parent().unwrap().to_owned();
        let made = Command::new("python3")
            .arg(root().join("tests/aws/stack.py"))
            .args([Path::new(&emulator.endpoint), template, &binaries, &folder])
            .env("PYTHONPATH", ministack)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let made = serde_json::from_slice(&made.stdout).unwrap_or_else(|_| panic!("{}", emulator.log()));
        Self { emulator, made, http: Http::new() }
    }

    fn log(&self) -> String {
        self.emulator.log()
    }

    /// Tries until something is so, at most a minute and a half: whatever the bell does not bring the tick does.
    async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut(&Self) -> Option<T>) -> T {
        for _ in 0..450 {
            if let Some(found) = look(self).await {
                return found;
            }
            sleep(Duration::from_millis(200)).await;
        }
        panic!("never: {what}\n{}", self.log())
    }

    /// A request to the API, by the name that API Gateway gives it.
    async fn request(&self, method: &str, path: &str, headers: &[(String, String)], body: &str) -> (u16, String) {
        let host = self.made["outputs"]["Board"].as_str().unwrap().trim_start_matches("http://").to_owned();
        let own = [("host", host.as_str()), ("content-type", "application/json")];
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<(&str, &str)> = own.into_iter().chain(headers).collect();
        let url = format!("{}{path}", self.emulator.endpoint);
        let answer = self.http.send(method, &url, &headers, body.as_bytes().to_vec(), 60).await.unwrap();
        (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// Where the API sends a browser that asks for a path.
    async fn redirected(&self, path: &str) -> (u16, String) {
        let host = self.made["outputs"]["Board"].as_str().unwrap().trim_start_matches("http://").to_owned();
        let url = format!("{}{path}", self.emulator.endpoint);
        let answer = self.http.send("GET", &url, &[("host", host.as_str())], Vec::new(), 60).await.unwrap();
        (answer.status, answer.location.unwrap_or_default())
    }

    async fn tells(&self, path: &str, headers: Vec<(String, String)>, payload: &Value) -> String {
        let body = payload.to_string();
        let (status, answer) = self.request("POST", path, &headers, &body).await;
        assert_eq!(status, 200, "{path}: {answer}\n{}", self.log());
        answer
    }

    async fn github(&self, path: &str, payload: &Value) -> String {
        let headers = payloads::github_headers("", GITHUB_SECRET, payload.to_string().as_bytes());
        self.tells(path, headers, payload).await
    }

    fn store(&self) -> Store {
        let aws = Aws::local(self.emulator.endpoint.clone(), self.emulator.endpoint.clone());
        let table = self.made["outputs"]["TableName"].as_str().unwrap();
        Store::new(clients::dynamodb(&aws, &self.http), table)
    }

    /// What EventBridge says to one of its actions.
    async fn bus(&self, action: &str, body: &Value) -> Value {
        let target = format!("AWSEvents.{action}");
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target.as_str()),
            ("authorization", "AWS4-HMAC-SHA256 Credential=test/20260320/eu-west-1/events/aws4_request"),
        ];
        let url = format!("{}/", self.emulator.endpoint);
        let answer = self.http.send("POST", &url, &headers, body.to_string().into_bytes(), 30).await.unwrap();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, 200, "{action}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Whether a rule takes an event. AWS's own events cannot be put on a bus by hand, here as there.
    async fn takes(&self, rule: &str, event: &Value) -> bool {
        let rule = self.bus("DescribeRule", &json!({ "Name": self.made["physical"][rule] })).await;
        let test = json!({ "EventPattern": rule["EventPattern"], "Event": event.to_string() });
        self.bus("TestEventPattern", &test).await["Result"] == true
    }

    /// Hands a function an event, as EventBridge would.
    async fn invoke(&self, function: &str, event: &Value) -> String {
        let name = self.made["physical"][function].as_str().unwrap();
        let url = format!("{}/2015-03-31/functions/{name}/invocations", self.emulator.endpoint);
        let authorization = "AWS4-HMAC-SHA256 Credential=test/20260320/eu-west-1/lambda/aws4_request";
        let headers = [("authorization", authorization)];
        let answer = self.http.send("POST", &url, &headers, event.to_string().into_bytes(), 30).await.unwrap();
        String::from_utf8_lossy(&answer.body).into_owned()
    }
}

/// An event of AWS, as it is on the bus.
fn aws_event(source: &str, kind: &str, detail: &Value) -> Value {
    json!({
        "version": "0", "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92", "detail-type": kind, "source": source,
        "account": "000000000000", "time": now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "region": "eu-west-1",
        "resources": [], "detail": detail,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn one_change_through_the_whole_stack_to_a_person() {
    let template = std::env::var_os("RECENT_DEPLOYERS_TEMPLATE").map(PathBuf::from);
    let (Some(ministack), Some(template)) = (ministack::folder(), template) else {
        println!("not present: RECENT_DEPLOYERS_MINISTACK, RECENT_DEPLOYERS_TEMPLATE; 0 stacks created");
        return;
    };
    let telephone = Peer::start().await;
    let text = configuration(&["edxapp"]).replace("contacts = [\"terminal\"]", "contacts = [\"hook\"]");
    // Without an address of its own the board is where the API is.
    let text = text.replace("public_url = \"https://deployers.example.com\"", "");
    let hook = format!("\n[receivers.hook]\nkind = \"webhook\"\nurl = \"{}/\"\nsecret = \"hook\"\n", telephone.address);
    let provider = Peer::start().await;
    let endpoint = |name: &str| format!("{}/{name}", provider.address);
    let description = json!({
        "issuer": provider.address, "authorization_endpoint": endpoint("authorize"), "token_endpoint": endpoint("token"),
        "jwks_uri": endpoint("keys"),
    });
    provider.always_answers("GET /.well-known/openid-configuration", 200, description.to_string());
    let sign_in = format!("\n[sign_in]\nissuer = \"{}\"\nclient_id = \"deployers\"\n", provider.address);
    let text = format!("{text}{hook}{sign_in}");
    let stack = Stack::create(&ministack, &template, &text).await;
    let made = stack.made["made"].as_object().unwrap();
    let failed: Vec<_> = made.iter().filter(|(_, status)| *status != "CREATE_COMPLETE").collect();
    assert_eq!((stack.made["status"].as_str(), failed.len()), (Some("CREATE_COMPLETE"), 0), "{failed:?}");
    println!("stack: {} resources created", made.len());

    let at = now();
    let sha = commit(12);
    let merge = Merge {
        repository: "openedx/edx-platform",
        number: 12,
        title: "t",
        author: "feanil",
        merger: "feanil",
        commit: &sha,
        at,
    };
    let forged = payloads::github_headers("", "wrong", b"{}");
    let (status, refused) = stack.request("POST", "/merge/github", &forged, "{}").await;
    assert_eq!(status, 401, "{refused}\n{}", stack.log());
    let kept = stack.github("/merge/github", &payloads::pull_request_merged(&merge)).await;
    assert!(kept.contains("merged_on_standby"), "{kept}");
    let mut heard: Vec<Value> = Vec::new();
    let mut hear = async |what: &str, is: &dyn Fn(&Value) -> bool| {
        stack
            .until(what, async |_: &Stack| {
                let told = telephone.received().into_iter().filter_map(|r| serde_json::from_str(&r.body).ok());
                heard.extend(told);
                heard.iter().position(is).map(|i| heard.remove(i))
            })
            .await
    };
    let step = |step: &'static str| move |message: &Value| message["data"]["step"] == step;
    // By the stream, on-schedule, SNS and on-page.
    hear("the receipt of the merge", &step("receipt")).await;

    let live = Deployment {
        repository: "openedx/edx-platform",
        id: 1,
        environment: "prod",
        commit: &sha,
        state: "success",
        created_at: at,
        at,
    };
    let moved = stack.github("/deploy/github", &payloads::deployment_status(&live)).await;
    assert!(moved.contains("live_deployment_succeeded"), "{moved}");
    hear("the start of the turn", &step("started")).await;

    let alert = Alert {
        service: "edxapp",
        name: "HighErrorRate",
        summary: "s",
        severity: "critical",
        started_at: now(),
        ended_at: None,
    };
    let paged =
        stack.tells("/alert/alertmanager", payloads::token_headers(TOKEN), &payloads::alertmanager(&[alert])).await;
    assert!(paged.contains("\"person\":\"feanil\""), "{paged}");
    let page = hear("the page", &step("first-responder")).await;
    let acknowledge = page["data"]["acknowledge_url"].as_str().unwrap();
    let path = acknowledge.split_once("://").and_then(|(_, rest)| rest.split_once('/')).unwrap().1;
    let (status, shown) = stack.request("GET", &format!("/{path}"), &[], "").await;
    assert!(status == 200 && shown.contains("Acknowledge"), "{status} {shown}");
    let (status, _) = stack.request("POST", &format!("/{path}"), &[], "do=acknowledge").await;
    assert_eq!(status, 200);
    let service = "edxapp".parse().unwrap();
    let situation = stack.store().situation(&service).await.unwrap();
    let incident = situation.incidents.values().next().unwrap();
    assert_eq!((incident.value.acknowledged.len(), situation.incidents.len()), (1, 1));
    // The board is for whoever signs in, at the provider and then by what their browser carries.
    for (path, location) in [("/", "/sign-in?to=%2F"), ("/sign-in", endpoint("authorize").as_str())] {
        let (status, headers) = stack.redirected(path).await;
        assert!(status == 303 && headers.starts_with(location), "{path}: {status} {headers}");
    }
    let session = Session { who: MACHINE.to_owned(), expires: now() + SignedDuration::from_mins(5) };
    let session = session.seal(&Secret::new("links-key").unwrap());
    let cookies = ["", "__Host-"].map(|prefix| format!("{prefix}deployers-session={session}")).join("; ");
    let (status, board) = stack.request("GET", "/", &[("cookie".to_owned(), cookies)], "").await;
    assert!(status == 200 && board.contains("HighErrorRate"), "{status} {board}");

    // An alarm that AWS itself hands over, by EventBridge; those about the bundle are not for it.
    let alarm = |name: &str| {
        let detail = json!({
            "alarmName": name,
            "state": { "value": "ALARM", "reason": "too many", "timestamp": now().strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string() },
            "previousState": { "value": "OK" },
            "configuration": { "description": "service=edxapp", "metrics": [] },
        });
        aws_event("aws.cloudwatch", "CloudWatch Alarm State Change", &detail)
    };
    assert!(stack.takes("CloudWatchAlarms", &alarm("edxapp-5xx")).await);
    let own = format!("{}-tick-is-dead", stack.made["outputs"]["TableName"].as_str().unwrap());
    assert!(!stack.takes("CloudWatchAlarms", &alarm(&own)).await);
    let heard = stack.invoke("OnAlert", &alarm("edxapp-5xx")).await;
    assert!(heard.contains("\"decided\""), "{heard}");
    let detail = json!({ "pipeline": "edxapp", "execution-id": "1", "state": "SUCCEEDED", "stage": "Production" });
    let moved = aws_event("aws.codepipeline", "CodePipeline Stage Execution State Change", &detail);
    assert!(stack.takes("Pipelines", &moved).await);
    assert!(!stack.takes("Pipelines", &alarm("edxapp-5xx")).await);
    // What is declared for later has its begin and end scheduled, once each.
    let secret = Secret::new("links-key").unwrap();
    let action = aws::links::Action::Queue(service.clone());
    let grant =
        aws::links::Grant { action, person: "olga".parse().unwrap(), expires: now() + SignedDuration::from_hours(1) };
    let from = now() + SignedDuration::from_hours(2);
    let form = format!("do=maintain&for=30&why=an+upgrade&from={}", from.strftime("%Y-%m-%dT%H:%M:%SZ"));
    let link = aws::links::path(&secret, &grant);
    let (status, said) = stack.request("POST", &link, &[], &form).await;
    assert_eq!(status, 200, "{said}");
    // So are the begin and the end of a freeze.
    let freezes = domain::ServiceId::freezes();
    let until = from + SignedDuration::from_hours(1);
    let grant = aws::links::Grant { action: aws::links::Action::Freezes, ..grant };
    let written = |at: jiff::Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let form =
        format!("do=freeze&name=Sale&preset=peak-event&zone=UTC&from={}&until={}", written(from), written(until));
    let (status, said) = stack.request("POST", &aws::links::path(&secret, &grant), &[], &form).await;
    assert_eq!(status, 200, "{said}");
    for (of, at) in
        [(&service, from), (&service, from + SignedDuration::from_mins(30)), (&freezes, from), (&freezes, until)]
    {
        let name = aws::wake::name(of, at);
        let group = stack.made["physical"]["Wakes"].as_str().unwrap();
        let url = format!("{}/schedules/{name}?groupName={group}", stack.emulator.endpoint);
        let authorization = "AWS4-HMAC-SHA256 Credential=test/20260320/eu-west-1/scheduler/aws4_request";
        let answer = stack.http.send("GET", &url, &[("authorization", authorization)], Vec::new(), 10).await.unwrap();
        let schedule: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, 200, "{schedule}");
        assert_eq!(schedule["ActionAfterCompletion"], "DELETE");
        let input: Value = serde_json::from_str(schedule["Target"]["Input"].as_str().unwrap()).unwrap();
        let settled: Value = serde_json::from_str(&stack.invoke("OnSchedule", &input).await).unwrap();
        assert_eq!(settled, json!({ "settled": 1 }), "as it will fire");
    }
    // The drill, as infra/README.md says it.
    let drilled = stack.invoke("OnSchedule", &json!({ "drill": { "service": "edxapp", "person": "anna" } })).await;
    assert!(drilled.contains("#anna#drill#"), "{drilled}");
    hear("the test page", &step("drill")).await;
    let refused = stack.invoke("OnSchedule", &json!({ "drill": { "service": "edxapp", "person": "nobody" } })).await;
    assert!(refused.contains("refused"), "{refused}");
    // The tick, as the scheduler hands it over.
    let ticked = stack.invoke("OnSchedule", &json!({ "tick": true })).await;
    assert!(ticked.contains("settled"), "{ticked}");
}
