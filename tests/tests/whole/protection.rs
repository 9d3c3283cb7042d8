//! GitHub's deployment protection rules, from the webhook to the answer: a job waits for a freeze's end, as the App that it is.

use aws::links::Action;
use house_tests::peer::{Mishap, Peer};
use house_tests::{REPOSITORY, Stage, commit, configuration, time};
use serde_json::{Value, json};

/// A key made for these tests, and its public half.
const KEY: &str = include_str!("../../fixtures/github-app-for-tests.pem");
const MODULUS: &str = "ucbzNer1Q3-OIiZCzzkpHrN4Qu9f8P3Xv9FcdVrSc86jxRb-08fh3pF3h3wr_H7E9pvsCvkeAUqTTQJoWF8nKd1I6LfarhI96J810VabRufhupPhoim759n88T2QPcPGYt0AFs_MdLEEN5khuVBPegkNUksRpRiT5AmNOk3l8mrBweIqn2BpuC9be59IgRCk2psNLG0bzAsa55z5B68rj_HXaCUL7FUfY0x0vcYCr2ZucEVvc6mfFxMmGS7w6xlp5Gp89Zs1lDESf5RgTlfzhNQxlAU3jvZmNNVcAMmTzQfTRM_a5MC6BIp9ahUTztwqRFhNySzH37F7Zjnvzasclw";

const TOKEN: &str = "POST /app/installations/77/access_tokens";

async fn stage() -> (Stage, Peer) {
    let peer = Peer::start().await;
    peer.always_answers(
        TOKEN,
        201,
        r#"{"token":"ghs_16C7e42F292c6912E7710c838347Ae178B4a","expires_at":"2026-03-20T13:00:00Z"}"#,
    );
    peer.always_answers("/deployment_protection_rule", 204, "");
    let text = configuration(&["edxapp"]).replace(
        "[senders.github]\n",
        &format!("[senders.github]\napp_id = \"123456\"\napp_key = \"app\"\napi_url = \"{}\"\n", peer.address),
    );
    (Stage::with_secrets(&text, &[("app", KEY)], |_| {}).await, peer)
}

fn waits(run: u64, number: u64, environment: &str) -> Value {
    let url = format!("https://api.github.com/repos/{REPOSITORY}/actions/runs/{run}/deployment_protection_rule");
    json!({
        "action": "requested", "environment": environment, "event": "push", "deployment_callback_url": url,
        "deployment": { "id": 1, "sha": commit(number), "environment": environment, "created_at": time("Fri 12:00").to_string() },
        "repository": { "full_name": REPOSITORY }, "installation": { "id": 77 }, "pull_requests": [], "sender": { "login": "usama" },
    })
}

/// What GitHub was told of jobs: `run state: comment`.
fn told(peer: &Peer) -> Vec<String> {
    let mut all = Vec::new();
    for request in peer.received() {
        if request.line.starts_with(TOKEN) {
            proved(request.header("authorization"));
            continue;
        }
        let body: Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(request.header("authorization"), "Bearer ghs_16C7e42F292c6912E7710c838347Ae178B4a");
        let run = request.line.split('/').nth(6).unwrap();
        all.push(format!("{run} {}: {}", body["state"].as_str().unwrap_or("-"), body["comment"].as_str().unwrap()));
    }
    all
}

/// The App proves itself by a text that its key signed, which is valid for a while.
fn proved(header: &str) {
    let keys = json!({ "keys": [{ "kty": "RSA", "n": MODULUS, "e": "AQAB" }] });
    let keys = serde_json::from_value(keys).unwrap();
    let claims = aws::jws::verify(header.trim_start_matches("Bearer "), &keys).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let valid = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert!(claims["iss"] == "123456" && valid <= 600, "{claims}");
}

#[tokio::test]
async fn a_job_waits_for_the_end_of_a_freeze_and_goes_on() {
    let (mut stage, peer) = stage().await;
    let link = stage.link(Action::Freezes, "olga");
    let form = "do=freeze&name=Week&until=2026-03-20+18:00&zone=UTC";
    assert_eq!(stage.post(&link, Vec::new(), form.as_bytes()).await.status, 200);
    let answer = stage.github("/deploy/github", &waits(9, 12, "prod")).await;
    assert!(answer.body.contains("deployment_waits"), "{}", answer.body);
    let want = "9 -: It waits: Week until 18:00 (UTC): please do not merge; nothing is deployed (every service).";
    assert_eq!(told(&peer), [want]);
    // Told twice it says nothing new; an environment that no service has is not left waiting for ever.
    stage.github("/deploy/github", &waits(9, 12, "prod")).await;
    assert!(told(&peer).is_empty());
    stage.github("/deploy/github", &waits(10, 12, "moon")).await;
    assert!(told(&peer)[0].starts_with("10 -: It waits: Week until"), "a freeze of everything is about it too");
    // The job of its end finds GitHub away; the tick goes on.
    peer.will("/deployment_protection_rule", Mishap::Resets);
    stage.at("Fri 18:00").await;
    stage.at("Fri 18:05").await;
    let said = told(&peer);
    for run in [9, 10] {
        assert!(said.contains(&format!("{run} approved: No freeze holds it.")), "{said:?}");
    }
    assert!(stage.situation("edxapp").await.pipelines.value.gates.is_empty());
}

#[tokio::test]
async fn where_no_freeze_holds_it_goes_on_at_once_and_a_forged_address_is_never_asked() {
    let (stage, peer) = stage().await;
    stage.github("/deploy/github", &waits(9, 12, "prod")).await;
    assert_eq!(told(&peer), ["9 approved: No freeze holds it."]);
    let mut forged = waits(11, 12, "prod");
    forged["deployment_callback_url"] =
        json!("https://evil.example/repos/openedx/other/actions/runs/1/deployment_protection_rule");
    assert_eq!(stage.github("/deploy/github", &forged).await.status, 400);
    assert!(peer.received().is_empty());
    // Without an App it is said what is missing.
    let plain = Stage::new().await;
    let answer = plain.github("/deploy/github", &waits(9, 12, "prod")).await;
    assert!(answer.body.contains("give its source the `app_id` and `app_key`"), "{}", answer.body);
}
