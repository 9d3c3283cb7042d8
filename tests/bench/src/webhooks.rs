//! How long a function takes from nothing to an answered webhook, and then warm, beside the least that a function in Rust can be and
//! the same jobs in Node.js: all in one run, one after the other in turn, so that what disturbs the machine disturbs all of them.

use std::path::{Path, PathBuf};

use aws::links::{Action, Grant};
use aws::secrets::Secret;
use house_tests::{GITHUB_SECRET, REPOSITORY, Stage, commit, configuration, now, root};
use jiff::SignedDuration;
use recent_deployers::demo::payloads::{self, Alert, Deployment, Merge};
use serde_json::{Value, json};

use crate::cloud::{Cloud, TOKEN};
use crate::contestant::{Contestant, Measured};
use crate::figures::{median, millis};
use crate::pager::Pager;

/// How many changes are live when the alert comes, and how many wait.
const CHANGES: u64 = 10;

/// Each has a service of its own: the first meets a cold function, the others a warm one.
const REQUESTS: usize = 4;
const SERVICES: [&str; REQUESTS] = ["edxapp", "discovery", "credentials", "ecommerce"];

/// Measures so many rounds, and prints.
///
/// # Panics
/// When something does not do its job.
pub async fn measure(rounds: usize, emulator: &Path, folder: &Path) {
    let cloud = Cloud::start(folder).await;
    let pager = Pager::start().await;
    // Four services and four people: the job that the others do too, which is one page.
    let settings = settings(&pager);
    std::fs::write(folder.join("recent-deployers.toml"), &settings).unwrap();
    let contestants = contestants(&cloud, folder);
    let mut all: Vec<Vec<(Measured, usize)>> = vec![Vec::new(); contestants.len()];
    // The first round warms the machine's caches, and does not count.
    for round in 0..=rounds {
        let mut stage = prepared(&settings).await;
        for (contestant, measured) in contestants.iter().zip(&mut all) {
            // Whoever pages begins from the same table; what comes after a page finds what on-alert left.
            if !contestant.goes_on {
                stage = prepared(&settings).await;
            }
            cloud.has(stage.endpoints().await.dynamodb_endpoint.as_deref().unwrap());
            let events = events(contestant.name, &stage, &cloud).await;
            let _ = cloud.answered();
            let one = contestant.run(emulator, &events).await;
            let (calls, _) = cloud.answered();
            if round > 0 {
                // Of all requests alike, and the secrets once.
                measured.push((one, calls.div_ceil(REQUESTS)));
            }
        }
        eprint!(".");
    }
    eprintln!();
    print(&contestants, &all);
}

/// Services of a repository each.
fn settings(pager: &Pager) -> String {
    let mut text = configuration(&SERVICES[..1]).replace("[\"terminal\"]", "[\"pager\"]");
    text.push_str(&format!("[receivers.pager]\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"hook\"\n", pager.address));
    for (nth, name) in SERVICES.into_iter().enumerate().skip(1) {
        let one = configuration(&[name]).replace(REPOSITORY, &repository(nth));
        let one = one.split_once(&format!("[services.{name}]")).unwrap().1;
        text.push_str(&format!("[services.{name}]{one}"));
    }
    text
}

fn repository(nth: usize) -> String {
    if nth == 0 { REPOSITORY.to_owned() } else { format!("openedx/{}", SERVICES[nth]) }
}

/// A table with queues, and changes that went live.
async fn prepared(settings: &str) -> Stage {
    let stage = Stage::with(settings, |_| {}).await;
    stage.clock.set(now());
    for nth in 0..REQUESTS {
        let first = 1000 * nth as u64;
        for number in first + 1..=first + 2 * CHANGES {
            let who = ["feanil", "usama", "anna"][usize::try_from(number).unwrap() % 3];
            let mut merge = stage.merged(who, number);
            merge["repository"]["full_name"] = repository(nth).into();
            assert_eq!(stage.github("/merge/github", &merge).await.status, 200);
            if number == first + CHANGES {
                let mut deployment = stage.deployed("prod", "success", number);
                deployment["repository"]["full_name"] = repository(nth).into();
                assert_eq!(stage.github("/deploy/github", &deployment).await.status, 200);
            }
        }
    }
    stage
}

fn contestants(cloud: &Cloud, folder: &Path) -> Vec<Contestant> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let path = |path: PathBuf| path.to_string_lossy().into_owned();
    let aws = vec![
        pair("AWS_REGION", "eu-west-1"),
        pair("AWS_ACCESS_KEY_ID", "test"),
        pair("AWS_SECRET_ACCESS_KEY", "test"),
        pair("AWS_ENDPOINT_URL", &cloud.address),
    ];
    let ours = |name: &'static str, says: &'static str| {
        let mut environment = aws.clone();
        environment.extend([
            pair("AWS_LAMBDA_FUNCTION_NAME", name),
            pair("AWS_CA_BUNDLE", &path(folder.join("authorities.pem"))),
            pair("RECENT_DEPLOYERS_TABLE", "recent-deployers"),
            pair("RECENT_DEPLOYERS_TOPIC", recent_deployers::topic::ARN),
            pair("RECENT_DEPLOYERS_SECRETS_PATH", "/recent-deployers"),
            pair("RECENT_DEPLOYERS_PUBLIC_URL", "https://deployers.example.com"),
            pair("RECENT_DEPLOYERS_CONFIG", &path(folder.join("recent-deployers.toml"))),
        ]);
        let binary = root().join("target/lambda").join(name).join("bootstrap");
        let goes_on = matches!(name, "on-page" | "on-request");
        let zipped = std::fs::metadata(root().join("target/lambda").join(format!("{name}.zip"))).ok();
        let zipped = zipped.map(|file| file.len());
        Contestant { name, program: vec![binary], environment, says, zipped, goes_on }
    };
    let node = |name: &'static str, handler: &str, says: &'static str| {
        let mut environment = aws.clone();
        environment.extend([
            pair("NODE_EXTRA_CA_CERTS", &path(folder.join("cert.pem"))),
            pair("NODE_ENV", "production"),
            pair("HANDLER", &path(folder.join("node").join(handler))),
            pair("TABLE", "recent-deployers"),
            pair("TOPIC", recent_deployers::topic::ARN),
            pair("TOKEN", TOKEN),
            // Probot's own names.
            pair("APP_ID", "1"),
            pair("PRIVATE_KEY_PATH", &path(folder.join("app.pem"))),
            pair("WEBHOOK_SECRET", GITHUB_SECRET),
            pair("LOG_LEVEL", "fatal"),
        ]);
        let program = vec![PathBuf::from("node"), folder.join("node/runtime.mjs")];
        Contestant { name, program, environment, says, zipped: None, goes_on: false }
    };
    let echo = ours("echo", "rawPath");
    vec![
        Contestant { environment: Vec::new(), name: "echo", ..echo },
        ours("on-merge", "merged_on_standby"),
        ours("on-deploy", "live_deployment_succeeded"),
        ours("on-schedule", "settled"),
        ours("on-alert", "incident_opened"),
        ours("on-page", "null"),
        ours("on-request", "\"statusCode\":200"),
        node("node-bundled", "bundled.mjs", "incident_opened"),
        node("node", "handler.mjs", "incident_opened"),
        node("probot", "probot.mjs", "ok"),
    ]
}

/// What Lambda hands to a contestant, one after the other.
async fn events(name: &str, stage: &Stage, cloud: &Cloud) -> Vec<Value> {
    let published = cloud.published();
    let mut events = Vec::new();
    for (nth, service) in SERVICES.into_iter().enumerate() {
        events.push(match name {
            "echo" | "on-merge" | "probot" => merge(nth as u64),
            "on-deploy" => deployment(nth as u64),
            "on-schedule" => json!({ "source": "aws.scheduler", "detail-type": "Scheduled Event" }),
            "on-page" => {
                let message =
                    published.get(nth).unwrap_or_else(|| panic!("on-alert has published {}", published.len()));
                let sns =
                    json!({ "Type": "Notification", "TopicArn": recent_deployers::topic::ARN, "Message": message });
                json!({ "Records": [{ "EventSource": "aws:sns", "Sns": sns }] })
            }
            "on-request" => acknowledgement(stage, service).await,
            _ => alert(service),
        });
    }
    events
}

/// The same commit as no other.
fn merge(nth: u64) -> Value {
    let sha = commit(100 + nth);
    let merge = Merge {
        repository: REPOSITORY,
        number: 100 + nth,
        title: "Cache the outline",
        author: "feanil",
        merger: "feanil",
        commit: &sha,
        at: now(),
    };
    let body = payloads::pull_request_merged(&merge).to_string();
    let mut headers = payloads::github_headers("pull_request", GITHUB_SECRET, body.as_bytes());
    headers.push(("x-github-delivery".to_owned(), sha.clone()));
    request("/merge/github", headers, body)
}

/// Of what waits, the first, the second and so on go live.
fn deployment(nth: u64) -> Value {
    let sha = commit(CHANGES + 1 + nth);
    let deployment = Deployment {
        repository: REPOSITORY,
        id: 100 + nth,
        environment: "prod",
        commit: &sha,
        state: "success",
        created_at: now(),
        at: now(),
    };
    let body = payloads::deployment_status(&deployment).to_string();
    request("/deploy/github", payloads::github_headers("deployment_status", GITHUB_SECRET, body.as_bytes()), body)
}

fn alert(service: &str) -> Value {
    let (summary, severity) = ("5xx at 7 %", "critical");
    let alert = Alert { service, name: "HighErrorRate", summary, severity, started_at: now(), ended_at: None };
    request("/alert/alertmanager", payloads::token_headers(TOKEN), payloads::alertmanager(&[alert]).to_string())
}

/// Whoever was paged presses the button.
async fn acknowledgement(stage: &Stage, service: &str) -> Value {
    let incidents = stage.situation(service).await.incidents;
    let incident = incidents.into_values().next().unwrap_or_else(|| panic!("no incident of {service}")).value;
    let person = "feanil".parse().unwrap();
    let grant =
        Grant { action: Action::Acknowledge(incident.id), person, expires: now() + SignedDuration::from_hours(24) };
    let path = aws::links::path(&Secret::new(TOKEN).unwrap(), &grant);
    let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    request(&path, headers, "do=acknowledge".to_owned())
}

/// What API Gateway hands over.
fn request(path: &str, headers: Vec<(String, String)>, body: String) -> Value {
    let headers: serde_json::Map<String, Value> =
        headers.into_iter().map(|(name, value)| (name.to_lowercase(), value.into())).collect();
    json!({
        "version": "2.0", "rawPath": path, "rawQueryString": "", "headers": headers, "body": body, "isBase64Encoded": false,
        "requestContext": { "http": { "method": "POST", "path": path, "sourceIp": "192.0.2.1" }, "stage": "$default" },
    })
}

/// The medians, as a table, and what was promised of them.
fn print(contestants: &[Contestant], all: &[Vec<(Measured, usize)>]) {
    println!("| function | cold | warm | cold / echo | warm / echo | calls | processor | memory | zip |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let of = |name: &str| &all[contestants.iter().position(|contestant| contestant.name == name).unwrap()];
    // Ratios are medians of each round's own.
    let ratio = |name: &str, other: &str, value: &dyn Fn(&Measured) -> f64| {
        median(of(name).iter().zip(of(other)).map(|(one, other)| value(&one.0) / value(&other.0)).collect())
    };
    let (cold, warm) = (|run: &Measured| millis(run.cold), |run: &Measured| millis(run.warm));
    for (contestant, runs) in contestants.iter().zip(all) {
        let by = |value: &dyn Fn(&(Measured, usize)) -> f64| median(runs.iter().map(value).collect());
        println!(
            "| {} | {:.1} ms | {:.1} ms | {:.1} | {:.1} | {:.0} | {:.1} ms | {:.0} MB | {} |",
            contestant.name,
            by(&|run| cold(&run.0)),
            by(&|run| warm(&run.0)),
            ratio(contestant.name, "echo", &cold),
            ratio(contestant.name, "echo", &warm),
            by(&|run| run.1 as f64),
            by(&|run| millis(run.0.processor)),
            by(&|run| run.0.memory as f64 / 1e6),
            contestant.zipped.map_or(String::new(), |bytes| format!("{:.2} MB", bytes as f64 / 1e6)),
        );
    }
    println!();
    println!("{} rounds, medians; ratios are medians of each round's own.", all[0].len());
    println!();
    println!("| the same job | cold | warm |");
    println!("| --- | ---: | ---: |");
    for (theirs, ours) in [("node", "on-alert"), ("node-bundled", "on-alert"), ("probot", "on-merge")] {
        println!("| {theirs} / {ours} | {:.1} | {:.1} |", ratio(theirs, ours, &cold), ratio(theirs, ours, &warm));
    }
    println!();
    let alone = |name: &str| {
        let pairs = of(name).iter().zip(of("echo"));
        median(pairs.map(|(run, echo)| (cold(&run.0) - warm(&run.0)) / cold(&echo.0)).collect())
    };
    println!(
        "What a start adds to the job: on-alert {:.2} x the whole start of the echo, on-merge {:.2} x (promised: at most 2).",
        alone("on-alert"),
        alone("on-merge")
    );
}
