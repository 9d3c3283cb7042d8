//! Outsiders are hostile: whatever is wrong with a request, the answer is clear and nothing is stored.

use aws::wire::MOST_BYTES;
use base64::Engine;
use house_tests::{GITHUB_SECRET, Stage, TOKEN};
use recent_deployers::demo::payloads::{github_headers, token_headers};
use serde_json::{Value, json};

/// Posts, and asserts the status and that the table was not touched.
async fn refused(stage: &Stage, path: &str, headers: Vec<(String, String)>, body: &[u8], status: u16) -> String {
    let (response, cost) = stage.cost(stage.post(path, headers, body)).await;
    assert_eq!((response.status, cost), (status, [0; 4]), "{path}: {}", response.body);
    let answer: Value = serde_json::from_str(&response.body).unwrap();
    answer["error"].as_str().unwrap_or_else(|| panic!("a refusal says why: {answer}")).to_owned()
}

fn header(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(name.into(), value.into())]
}

#[tokio::test]
async fn a_signature_that_is_not_exactly_right_is_refused_and_nothing_is_stored() {
    let stage = Stage::new().await;
    let body = stage.merged("feanil", 12).to_string();
    let good = github_headers("pull_request", GITHUB_SECRET, body.as_bytes()).remove(2).1;
    let reserialised = serde_json::to_string_pretty(&stage.merged("feanil", 12)).unwrap();
    let old = github_headers("", "an old secret", body.as_bytes()).remove(2).1;
    let name = "X-Hub-Signature-256";
    for path in ["/merge/github", "/deploy/github"] {
        for (what, headers, bytes) in [
            ("absent", vec![], &body),
            ("empty", header(name, ""), &body),
            ("truncated", header(name, &good[..good.len() - 2]), &body),
            ("too long", header(name, &format!("{good}00")), &body),
            ("upper-case", header(name, &good.replace(|c: char| c.is_ascii_lowercase() && c != 's', "A")), &body),
            ("wrong prefix", header(name, &good.replace("sha256=", "sha1=")), &body),
            ("no prefix", header(name, &good["sha256=".len()..]), &body),
            ("another secret", header(name, &old), &body),
            ("doubled", [header(name, &good), header(name, &good)].concat(), &body),
            ("joined", header(name, &format!("{good},{good}")), &body),
            ("of another body", header(name, &good), &reserialised),
            ("in the old header", header("X-Hub-Signature", &good), &body),
        ] {
            let why = refused(&stage, path, headers, bytes.as_bytes(), 401).await;
            assert!(why.starts_with("not authenticated"), "{what}: {why}");
        }
    }
    assert!(stage.heard().is_empty());
}

#[tokio::test]
async fn a_token_that_is_not_exactly_right_is_refused_and_nothing_is_stored() {
    let stage = Stage::new().await;
    let body = stage.alerting("edxapp", "Fri 12:00", false).to_string();
    let basic = |pair: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    for sender in ["/alert/alertmanager", "/alert/cloudwatch"] {
        for value in ["", "Bearer", "Bearer ", "Bearer nonsense", &basic("alertmanager-token:"), "Basic %%%", TOKEN] {
            refused(&stage, sender, header("authorization", value), body.as_bytes(), 401).await;
        }
        refused(&stage, sender, vec![], body.as_bytes(), 401).await;
        let twice = [token_headers(TOKEN), token_headers(TOKEN)].concat();
        refused(&stage, sender, twice, body.as_bytes(), 401).await;
    }
    let welcome = stage
        .post("/alert/alertmanager", header("Authorization", &basic(&format!("any:{TOKEN}"))), body.as_bytes())
        .await;
    assert_eq!(welcome.status, 200);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_gets_a_reason_and_nothing_is_stored() {
    let stage = Stage::new().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!("{{\"pull_request\":{}1{}}}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    let mut no_commit = stage.merged("feanil", 12);
    no_commit["pull_request"]["merge_commit_sha"] = Value::Null;
    let mut bad_commit = stage.merged("feanil", 12);
    bad_commit["pull_request"]["merge_commit_sha"] = json!("../../etc#passwd");
    let mut year_9999 = stage.merged("feanil", 12);
    year_9999["pull_request"]["merged_at"] = json!("9999-12-30T00:00:00Z");
    let mut year_0 = stage.merged("feanil", 12);
    year_0["pull_request"]["merged_at"] = json!("-009998-01-01T00:00:00Z");
    let mut bad_name = stage.merged("feanil", 12);
    bad_name["repository"]["full_name"] = json!("openedx/edx-platform#x");
    for body in [
        String::new(),
        "not JSON".into(),
        "{".into(),
        "{\"a\":1e999}".into(),
        "{\"a\":\"\\ud800\"}".into(),
        deep,
        nested,
        no_commit.to_string(),
        bad_commit.to_string(),
        bad_name.to_string(),
        year_9999.to_string(),
        year_0.to_string(),
    ] {
        let headers = github_headers("", GITHUB_SECRET, body.as_bytes());
        let why = refused(&stage, "/merge/github", headers, body.as_bytes(), 400).await;
        assert!(why.starts_with("cannot be read: ") && why.len() < 200 && !why.contains("etc#"), "{why}");
    }
    let invalid_utf8 = [b'{', 0xff, 0xfe, b'}'];
    refused(&stage, "/merge/github", github_headers("", GITHUB_SECRET, &invalid_utf8), &invalid_utf8, 400).await;
    let mut crowd = stage.alerting("edxapp", "Fri 12:00", false);
    crowd["alerts"] = json!([7, null, "x", { "labels": 7 }, { "labels": ["a"] }]);
    let why = refused(&stage, "/alert/alertmanager", token_headers(TOKEN), crowd.to_string().as_bytes(), 400).await;
    assert_eq!(why, "cannot be read: none of the 5 alerts is an object with labels");
    let nothing = json!({ "Records": [{ "Sns": { "Message": 7 } }, { "Sns": { "Message": "{\"AlarmName\":\"\"}" } }] });
    refused(&stage, "/alert/cloudwatch", token_headers(TOKEN), nothing.to_string().as_bytes(), 400).await;
}

#[tokio::test]
async fn what_can_be_read_of_a_message_is_read_because_its_sender_drops_what_is_refused() {
    let mut stage = Stage::new().await;
    let mut message = stage.alerting("edxapp", "Fri 12:00", false);
    let mut bad_time = message["alerts"][0].clone();
    (bad_time["startsAt"], bad_time["endsAt"], bad_time["fingerprint"]) = (json!(""), json!(7), json!("other"));
    bad_time["labels"]["replica"] = json!(2);
    message["alerts"] = json!([7, bad_time, { "labels": 7 }]);
    let answer = stage.post("/alert/alertmanager", token_headers(TOKEN), message.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("\"left_out\":2"), "{}", answer.body);
    assert_eq!(stage.heard(), ["PAGE to anna: [critical] edxapp production: HighErrorRate"]);
    stage.at("Fri 12:01").await;
    assert_eq!(stage.incident("edxapp").await.began_at, house_tests::time("Fri 12:00"));

    let good = json!({ "AlarmName": "edxapp", "NewStateValue": "ALARM", "Region": "x" }).to_string();
    let records = json!({ "Records": [
        { "Sns": { "Message": 7 } }, { "Sns": { "Message": "a note" } }, { "Sns": { "Message": good } },
    ] });
    let answer = stage.post("/alert/cloudwatch", token_headers(TOKEN), records.to_string().as_bytes()).await;
    assert!(answer.status == 200 && answer.body.contains("\"left_out\":1"), "{}", answer.body);
}

#[tokio::test]
async fn of_too_many_alerts_the_most_severe_that_fire_are_read() {
    let stage = Stage::new().await;
    let mut crowd = stage.alerting("edxapp", "Fri 12:00", false);
    let template = crowd["alerts"][0].clone();
    let alert = |i: usize, severity: &str, status: &str| {
        let mut alert = template.clone();
        (alert["fingerprint"], alert["status"]) = (json!(format!("f{i}")), json!(status));
        (alert["labels"]["severity"], alert["labels"]["alertname"]) =
            (json!(severity), json!(format!("{severity}{i}")));
        alert
    };
    let mut alerts: Vec<Value> = (0..1500).map(|i| alert(i, "critical", "resolved")).collect();
    alerts.extend((1500..3000).map(|i| alert(i, "warning", "firing")));
    alerts.push(alert(3000, "critical", "firing"));
    crowd["alerts"] = Value::Array(alerts);
    let answer = stage.post("/alert/alertmanager", token_headers(TOKEN), crowd.to_string().as_bytes()).await;
    assert!(answer.status == 200 && answer.body.contains("\"left_out\":1001"), "{}", answer.body);
    assert_eq!(stage.heard(), ["PAGE to anna: [critical] edxapp production: critical3000"]);
}

#[tokio::test]
async fn a_body_of_four_mebibytes_is_read_and_one_byte_more_is_refused() {
    let stage = Stage::new().await;
    let filled = |size: usize| {
        let mut body = stage.merged("feanil", 12).to_string();
        body.push_str(&" ".repeat(size - body.len()));
        body
    };
    let (fits, too_large) = (filled(MOST_BYTES), filled(MOST_BYTES + 1));
    refused(
        &stage,
        "/merge/github",
        github_headers("", GITHUB_SECRET, too_large.as_bytes()),
        too_large.as_bytes(),
        413,
    )
    .await;
    let kept = stage.post("/merge/github", github_headers("", GITHUB_SECRET, fits.as_bytes()), fits.as_bytes()).await;
    assert_eq!(kept.status, 200);
}

#[tokio::test]
async fn what_is_not_ours_is_answered_and_never_stored() {
    let stage = Stage::new().await;
    for (method, path, status) in [
        ("POST", "/merge/gitlab", 404),
        ("POST", "/merge", 404),
        ("POST", "/merge/github/x", 404),
        ("GET", "/merge/github", 405),
        ("PUT", "/", 405),
        ("GET", "/favicon.ico", 404),
    ] {
        let request = aws::Request::new(method, path, vec![], vec![]);
        let (response, cost) = stage.cost(stage.bundle.route(request)).await;
        assert_eq!((response.status, cost), (status, [0; 4]), "{method} {path}");
    }
    let mut elsewhere = stage.merged("feanil", 12);
    elsewhere["repository"]["full_name"] = json!("somebody/else");
    let (response, cost) = stage.cost(stage.github("/merge/github", &elsewhere)).await;
    assert_eq!(cost, [0; 4]);
    assert_eq!(response.body, "{\"ignored\":\"no service of the configuration deploys this repository\"}\n");
    let mut branch = stage.merged("feanil", 12);
    branch["pull_request"]["base"]["ref"] = json!("release/ulmo");
    let (response, cost) = stage.cost(stage.github("/merge/github", &branch)).await;
    assert_eq!(cost, [0; 4]);
    assert_eq!(response.body, "{\"ignored\":\"no service deploys the branch release/ulmo\"}\n");
    let unknown = stage.deploy("load-test", "success", 12).await;
    assert_eq!(unknown.body, "{\"ignored\":\"no service of this repository has an environment by this name\"}\n");
}

#[tokio::test]
async fn an_outage_of_the_table_or_the_secrets_is_never_the_senders_fault() {
    let stage = Stage::new().await;
    let body = stage.merged("feanil", 12).to_string();
    let request = || {
        aws::Request::new(
            "POST",
            "/merge/github",
            github_headers("", GITHUB_SECRET, body.as_bytes()),
            body.clone().into_bytes(),
        )
    };
    assert_eq!(on_merge_handle(&stage.without_table(), request()).await, 503);
    let mut house = stage.house.clone();
    house.secrets = std::sync::Arc::new(aws::secrets::Secrets::fixed([]));
    assert_eq!(on_merge_handle(&house, request()).await, 503);
}

async fn on_merge_handle(house: &aws::House, request: aws::Request) -> u16 {
    on_merge::handle(house, request).await.status
}

#[tokio::test]
async fn an_alert_from_the_end_of_the_calendar_counts_from_now_and_can_be_resolved() {
    for year in ["9999-12-30T00:00:00Z", "2090-01-01T00:00:00Z", "-009998-01-01T00:00:00Z"] {
        let mut stage = Stage::new().await;
        let mut firing = stage.alerting("edxapp", "Fri 12:00", false);
        firing["alerts"][0]["startsAt"] = json!(year);
        let body = firing.to_string();
        assert_eq!(stage.post("/alert/alertmanager", token_headers(TOKEN), body.as_bytes()).await.status, 200);
        assert_eq!(stage.heard(), ["PAGE to anna: [critical] edxapp production: HighErrorRate"]);
        stage.at("Fri 12:02").await;
        stage.alert("edxapp", "Fri 12:00", true).await;
        assert!(stage.incident("edxapp").await.resolved_at.is_some(), "{year}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let peer = house_tests::peer::Peer::start().await;
    let http = aws::clients::Http::new();
    let mebibytes = |n: usize| "x".repeat(n * 1024 * 1024);
    peer.will_answer(200, mebibytes(8));
    assert_eq!(http.send("GET", &peer.address, &[], vec![], 30).await.unwrap().body.len(), 8 * 1024 * 1024);
    peer.will_answer(200, mebibytes(8) + "x");
    let refused = http.send("GET", &peer.address, &[], vec![], 30).await;
    assert!(matches!(refused, Err(aws::clients::HttpError::TooLarge)));
}
