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
    let shown = "do=freeze&name=Sale&preset=peak-event&until=2026-03-21+18:00&zone=UTC&just=show";
    let shown = stage.post(&link, Vec::new(), shown.as_bytes()).await;
    assert!(shown.body.contains("Held would be 0 pipelines, and 1 job that waits."), "{}", shown.body);
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

/// A house whose merge freezes stand as check runs, and its GitHub with one open pull request.
async fn checking(more: &str) -> (Stage, Peer) {
    let peer = Peer::start().await;
    let pull = json!([{ "number": 12, "title": "x", "user": { "login": "usama", "id": 7 }, "state": "open",
        "html_url": "https://github.com/x", "labels": [], "head": { "ref": "pay", "sha": commit(12) }, "base": { "ref": "main" } }]);
    peer.always_answers("GET /repos/openedx/edx-platform/pulls?", 200, pull.to_string());
    peer.always_answers("GET /repos/openedx/edx-platform/installation", 200, r#"{"id":77}"#);
    peer.always_answers(TOKEN, 201, r#"{"token":"ghs_16C7e42F292c6912E7710c838347Ae178B4a"}"#);
    peer.always_answers("/check-runs?", 200, r#"{"total_count":1,"check_runs":[{"id":3,"external_id":""}]}"#);
    let source = format!(
        "[senders.github]\napp_id = \"123456\"\napp_key = \"app\"\napi_token = \"api\"\napi_url = \"{}\"\n\
         merge_status = \"during-freezes\"\n{more}\n",
        peer.address
    );
    let text = configuration(&["edxapp"]).replace("[senders.github]\n", &source);
    (Stage::with_secrets(&text, &[("app", KEY)], |_| {}).await, peer)
}

async fn freeze(stage: &Stage) {
    let link = stage.link(Action::Freezes, "olga");
    let form = "do=freeze&name=%40openedx%2Fcore+%5Bx%5D(https%3A%2F%2Fevil.example)&from=2026-03-20+12:30&until=2026-03-20+18:00&merges=require&zone=UTC";
    let answer = stage.post(&link, Vec::new(), form.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// What was written at GitHub since: the first line and the body of each.
fn written(peer: &Peer) -> Vec<(String, Value)> {
    let all = peer.received().into_iter().filter(|request| !request.line.starts_with("GET"));
    all.map(|request| {
        if request.line.contains("check-runs") {
            assert_eq!(request.header("authorization"), "Bearer ghs_16C7e42F292c6912E7710c838347Ae178B4a");
        }
        let body = serde_json::from_str(&request.body).unwrap_or_default();
        (request.line.trim_end_matches(" HTTP/1.1").to_owned(), body)
    })
    .collect()
}

#[tokio::test]
async fn a_merge_freeze_is_one_check_run_of_the_app() {
    let (mut stage, peer) = checking("check_runs = true").await;
    freeze(&stage).await;
    stage.at("Fri 12:31").await;
    let said = written(&peer);
    let [(token, asked), (line, run)] = said.as_slice() else { panic!("{said:#?}") };
    assert_eq!((token.as_str(), asked), (TOKEN, &json!({ "permissions": { "checks": "write" } })));
    assert_eq!(line, "POST /repos/openedx/edx-platform/check-runs");
    assert_eq!(
        (&run["name"], &run["head_sha"], &run["status"], &run["conclusion"]),
        (&json!("recent-deployers/freeze"), &json!(commit(12)), &json!("completed"), &json!("failure"))
    );
    let (title, summary) = (run["output"]["title"].as_str().unwrap(), run["output"]["summary"].as_str().unwrap());
    assert!(title.starts_with("Merge freeze until Fri 2026-03-20 18:00 UTC: @openedx/core [x](https"), "{title}");
    assert!(summary.contains("@\u{200b}openedx/core \\[x\\](https:\u{200b}//"), "{summary}");
    // What stands there already is edited. Somebody else's of the same name is not ours.
    let runs = json!({ "check_runs": [{ "id": 4 }, { "id": 5, "external_id": "recent-deployers/freeze" }] });
    peer.always_answers("/check-runs?", 200, runs.to_string());
    stage.at("Fri 18:01").await;
    let said = written(&peer);
    let (line, run) = said.last().unwrap();
    assert_eq!(line, "PATCH /repos/openedx/edx-platform/check-runs/5", "{said:#?}");
    assert_eq!((&run["conclusion"], &run["output"]["title"]), (&json!("success"), &json!("No merge freeze")));
    assert!(run.get("head_sha").is_none());
}

#[tokio::test]
async fn a_check_run_that_another_app_named_as_ours_does_not_silence_ours() {
    for status in [403, 404] {
        let (mut stage, peer) = checking("check_runs = true").await;
        let runs = json!({ "check_runs": [{ "id": 5, "external_id": "recent-deployers/freeze" }] });
        peer.always_answers("/check-runs?", 200, runs.to_string());
        peer.always_answers("PATCH /repos/openedx/edx-platform/check-runs/5", status, "{}");
        freeze(&stage).await;
        stage.at("Fri 12:31").await;
        let said = written(&peer);
        let (line, run) = said.last().unwrap();
        assert_eq!(line, "POST /repos/openedx/edx-platform/check-runs", "{said:#?}");
        assert_eq!((&run["head_sha"], &run["conclusion"]), (&json!(commit(12)), &json!("failure")));
        let desk = domain::ServiceId::merges_into(&REPOSITORY.parse().unwrap());
        assert!(stage.house.store.situation(&desk).await.unwrap().pulls.value.failed.is_none());
        // Ours beside it is edited.
        let named = "recent-deployers/freeze";
        let runs = json!({ "check_runs": [{ "id": 5, "external_id": named }, { "id": 6, "external_id": named }] });
        peer.always_answers("/check-runs?", 200, runs.to_string());
        stage.at("Fri 18:01").await;
        assert_eq!(written(&peer).last().unwrap().0, "PATCH /repos/openedx/edx-platform/check-runs/6");
    }
}

#[tokio::test]
async fn without_check_runs_a_status_stands_and_an_app_that_may_not_says_so() {
    let (mut stage, peer) = checking("").await;
    freeze(&stage).await;
    stage.at("Fri 12:31").await;
    let said = written(&peer);
    assert_eq!(said[0].0, format!("POST /repos/openedx/edx-platform/statuses/{}", commit(12)), "{said:#?}");
    for refused in [("GET /repos/openedx/edx-platform/installation", 404), (TOKEN, 422)] {
        let (mut stage, peer) = checking("check_runs = true").await;
        peer.always_answers(refused.0, refused.1, "{}");
        freeze(&stage).await;
        stage.at("Fri 12:31").await;
        let desk = domain::ServiceId::merges_into(&REPOSITORY.parse().unwrap());
        let why = stage.house.store.situation(&desk).await.unwrap().pulls.value.failed.unwrap().why;
        assert!(why.starts_with("the GitHub App is not installed at this repository, or may not write"), "{why}");
        // Once it may, the tick tells it.
        peer.always_answers("GET /repos/openedx/edx-platform/installation", 200, r#"{"id":77}"#);
        peer.always_answers(TOKEN, 201, r#"{"token":"ghs_16C7e42F292c6912E7710c838347Ae178B4a"}"#);
        stage.at("Fri 12:45").await;
        assert!(written(&peer).iter().any(|(line, _)| line.ends_with("/check-runs")));
    }
}
