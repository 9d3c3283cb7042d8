//! How long a function takes from nothing to an answered webhook, beside the least that a function in Rust can be and the same job in
//! Node.js: all in one run, one after the other in turn, so that what disturbs the machine disturbs all of them.
//!
//! `tests/bench/cold-start` builds and gets what this needs, and calls it: `bench ROUNDS EMULATOR FOLDER`.

mod cloud;
mod contestant;

use std::path::{Path, PathBuf};
use std::time::Duration;

use cloud::{Cloud, TOKEN};
use contestant::{Contestant, Measured};
use house_tests::{GITHUB_SECRET, REPOSITORY, Stage, commit, configuration, now, root};
use recent_deployers::demo::payloads::{self, Alert, Merge};
use serde_json::{Value, json};

/// How many changes are live when the alert comes, and how many wait.
const CHANGES: u64 = 10;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, rounds, emulator, folder] = arguments.as_slice() else { panic!("bench ROUNDS EMULATOR FOLDER") };
    let (rounds, emulator, folder) = (rounds.parse().unwrap(), Path::new(emulator), Path::new(folder));
    let cloud = Cloud::start(folder).await;
    // A service and four people: the job that the other does too, which is one page.
    std::fs::write(folder.join("recent-deployers.toml"), settings()).unwrap();
    let contestants = contestants(&cloud, folder);
    let mut all: Vec<Vec<(Measured, usize, Duration)>> = vec![Vec::new(); contestants.len()];
    // The first round warms the machine's caches, and does not count.
    for round in 0..=rounds {
        for (contestant, measured) in contestants.iter().zip(&mut all) {
            // Each begins from the same table: the alert opens an incident and pages somebody.
            let stage = prepared().await;
            cloud.has(stage.bundle.endpoints.dynamodb_endpoint.as_deref().unwrap());
            let _ = cloud.answered();
            let [first, second] = [0, 1].map(|nth| event(contestant.name, nth));
            let one = contestant.cold(emulator, &first, &second).await;
            let (calls, took) = cloud.answered();
            // Of both requests alike, and the secrets once.
            let (calls, took) = (calls.div_ceil(2), took / 2);
            if round > 0 {
                measured.push((one, calls, took));
            }
        }
    }
    print(&contestants, &all);
}

/// Two services, each of its own repository: one for each request.
fn settings() -> String {
    let second = configuration(&["discovery"]).replace(REPOSITORY, OTHER);
    let second = second.split_once("[services.discovery]").unwrap().1;
    format!("{}[services.discovery]{second}", configuration(&["edxapp"]))
}

const OTHER: &str = "openedx/course-discovery";

/// A table with a queue, and changes that went live.
async fn prepared() -> Stage {
    let stage = Stage::with(&settings(), |_| {}).await;
    stage.clock.set(now());
    for number in 1..=2 * CHANGES {
        let who = ["feanil", "usama", "anna"][usize::try_from(number).unwrap() % 3];
        stage.merge(who, number).await;
        if number == CHANGES {
            stage.deploy("prod", "success", number).await;
        }
    }
    for number in 1..=2 * CHANGES {
        let mut merge = stage.merged("feanil", 1000 + number);
        merge["repository"]["full_name"] = OTHER.into();
        assert_eq!(stage.github("/merge/github", &merge).await.status, 200);
        if number == CHANGES {
            let mut deployment = stage.deployed("prod", "success", 1000 + number);
            deployment["repository"]["full_name"] = OTHER.into();
            assert_eq!(stage.github("/deploy/github", &deployment).await.status, 200);
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
        let zipped = std::fs::metadata(root().join("target/lambda").join(format!("{name}.zip"))).ok();
        let zipped = zipped.map(|file| file.len());
        Contestant { name, program: vec![binary], environment, says, zipped }
    };
    let node = |name: &'static str, handler: &str| {
        let mut environment = aws.clone();
        environment.extend([
            pair("NODE_EXTRA_CA_CERTS", &path(folder.join("cert.pem"))),
            pair("HANDLER", &path(folder.join("node").join(handler))),
            pair("TABLE", "recent-deployers"),
            pair("TOPIC", recent_deployers::topic::ARN),
            pair("TOKEN", TOKEN),
        ]);
        let program = vec![PathBuf::from("node"), folder.join("node/runtime.mjs")];
        Contestant { name, program, environment, says: "incident_opened", zipped: None }
    };
    let echo = ours("echo", "rawPath");
    vec![
        Contestant { environment: Vec::new(), name: "echo", ..echo },
        ours("on-merge", "merged_on_standby"),
        ours("on-alert", "incident_opened"),
        node("node-bundled", "bundled.mjs"),
        node("node", "handler.mjs"),
    ]
}

/// What API Gateway hands to a contestant.
fn event(name: &str, nth: u64) -> Value {
    let (path, headers, body) = if name == "on-merge" {
        let sha = commit(100 + nth);
        let merge = Merge {
            repository: house_tests::REPOSITORY,
            number: 100 + nth,
            title: "Cache the outline",
            author: "feanil",
            merger: "feanil",
            commit: &sha,
            at: now(),
        };
        let body = payloads::pull_request_merged(&merge).to_string();
        ("/merge/github", payloads::github_headers("", GITHUB_SECRET, body.as_bytes()), body)
    } else {
        let alert = Alert {
            service: if nth == 0 { "edxapp" } else { "discovery" },
            name: "HighErrorRate",
            summary: "5xx at 7 %",
            severity: "critical",
            started_at: now(),
            ended_at: None,
        };
        ("/alert/alertmanager", payloads::token_headers(TOKEN), payloads::alertmanager(&[alert]).to_string())
    };
    let headers: serde_json::Map<String, Value> =
        headers.into_iter().map(|(name, value)| (name.to_lowercase(), value.into())).collect();
    json!({
        "version": "2.0", "rawPath": path, "rawQueryString": "", "headers": headers, "body": body, "isBase64Encoded": false,
        "requestContext": { "http": { "method": "POST", "path": path, "sourceIp": "192.0.2.1" }, "stage": "$default" },
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The medians, as a table, and what was promised of them.
fn print(contestants: &[Contestant], all: &[Vec<(Measured, usize, Duration)>]) {
    println!("| function | cold | warm | cold less warm | calls | processor | memory | zip |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    let of = |name: &str| contestants.iter().position(|contestant| contestant.name == name).map(|at| &all[at]);
    for (contestant, runs) in contestants.iter().zip(all) {
        let by = |value: &dyn Fn(&(Measured, usize, Duration)) -> f64| median(runs.iter().map(value).collect());
        println!(
            "| {} | {:.1} ms | {:.1} ms | {:.1} ms | {:.0} | {:.1} ms | {:.0} MB | {} |",
            contestant.name,
            by(&|run| millis(run.0.cold)),
            by(&|run| millis(run.0.warm)),
            by(&|run| millis(run.0.cold) - millis(run.0.warm)),
            by(&|run| run.1 as f64),
            by(&|run| millis(run.0.processor)),
            by(&|run| run.0.memory as f64 / 1e6),
            contestant.zipped.map_or("".to_owned(), |bytes| format!("{:.2} MB", bytes as f64 / 1e6)),
        );
    }
    let cold = |name: &str| median(of(name).unwrap().iter().map(|run| millis(run.0.cold)).collect());
    // What the start adds to the job, beside the whole start of the echo in the same round.
    let alone = |name: &str| {
        let pairs = of(name).unwrap().iter().zip(of("echo").unwrap());
        median(pairs.map(|(run, echo)| (millis(run.0.cold) - millis(run.0.warm)) / millis(echo.0.cold)).collect())
    };
    let against = |name: &str| {
        let pairs = of(name).unwrap().iter().zip(of("on-alert").unwrap());
        median(pairs.map(|(node, ours)| millis(node.0.cold) / millis(ours.0.cold)).collect())
    };
    println!();
    println!("{} rounds, medians; ratios are medians of each round's own.", all[0].len());
    println!(
        "What a start adds to the job: on-alert {:.2} x the whole start of the echo (promised: at most 2), on-merge {:.2} x.",
        alone("on-alert"),
        alone("on-merge")
    );
    println!(
        "Node.js, the same job: {:.1} x on-alert (promised: at least 15); bundled by esbuild: {:.1} x. In all {:.1} ms against {:.1} ms.",
        against("node"),
        against("node-bundled"),
        cold("on-alert"),
        cold("node"),
    );
}
