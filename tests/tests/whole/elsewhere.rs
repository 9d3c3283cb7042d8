//! What other tools say, from their wire to a person: rollouts that give up, end-to-end tests that fail,
//! acknowledgements made in a pager, alerts that say once where they belong.

use aws::verify::{hmac_sha256, to_hex};
use house_tests::gate::Fault;
use house_tests::{GITHUB_SECRET, Stage, TOKEN, commit, configuration};
use recent_deployers::demo::payloads::token_headers;
use serde_json::{Value, json};

/// One service, and a source of each of these senders.
pub(crate) async fn stage() -> Stage {
    let mut text = configuration(&["edxapp", "discovery"])
        .replace("github = [\"anna\"]", "github = [\"anna\"]\npagerduty = [\"PANNA\"]");
    text = text.replace("github = [\"usama\"]", "github = [\"usama\"]\nemails = [\"usama@example.com\"]");
    for sender in ["generic", "gocd", "opsgenie", "pagerduty", "sentry"] {
        let secret = if matches!(sender, "pagerduty" | "sentry") { "github" } else { "alertmanager" };
        text.push_str(&format!("[senders.{sender}]\nsecret = \"{secret}\"\n"));
    }
    Stage::with(&text, |_| {}).await
}

pub(crate) async fn post(stage: &Stage, path: &str, body: &Value) -> Value {
    let text = body.to_string();
    let mac = to_hex(&hmac_sha256(GITHUB_SECRET.as_bytes(), &[text.as_bytes()]));
    let headers = match path {
        "/alert/pagerduty" => vec![("x-pagerduty-signature".to_owned(), format!("v1={mac}"))],
        "/alert/sentry" => vec![("sentry-hook-signature".to_owned(), mac)],
        _ => token_headers(TOKEN),
    };
    let answer = stage.post(path, headers, text.as_bytes()).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

fn pages(stage: &Stage) -> Vec<String> {
    stage.heard().into_iter().filter(|line| line.starts_with("PAGE")).collect()
}

/// Story 10: a canary's error rate jumps and the rollout aborts.
#[tokio::test]
async fn an_aborted_rollout_pages_its_merger_and_nobody_need_revert_by_hand() {
    let mut day = stage().await;
    day.merge("usama", 11).await;
    day.deploy("prod", "success", 11).await;
    day.at("Fri 13:30").await.merge("feanil", 12).await;
    let report = |state: &str| {
        json!({ "service": "edxapp", "environment": "prod", "commit": commit(12), "state": state, "progressive": true,
            "note": "error rate 7 % > 1 %" })
    };
    day.at("Fri 13:40").await;
    post(&day, "/deploy/generic", &report("canary")).await;
    assert!(day.windows("edxapp").await[1].starts_with("edx-platform#12 feanil active"), "canary traffic is live");
    day.heard();
    day.at("Fri 13:44").await;
    post(&day, "/deploy/generic", &report("aborted")).await;
    assert_eq!(pages(&day), ["PAGE to feanil: [warning] edxapp production: RolloutAborted"]);
    let suspects: Vec<String> = day.incident("edxapp").await.suspects.into_iter().map(|s| s.label).collect();
    assert_eq!(suspects, ["edx-platform#12", "edx-platform#11"]);
    day.at("Fri 14:05").await;
    assert!(!day.incident("edxapp").await.is_open(), "its traffic is back: it is over by itself");
    assert_eq!(day.windows("edxapp").await[1], "edx-platform#12 feanil standby");
}

/// Story 1: the failing end-to-end test tells that batch's mergers, not the rotation.
#[tokio::test]
async fn a_failing_end_to_end_stage_tells_the_mergers_of_the_release() {
    let mut day = stage().await;
    day.merge("usama", 11).await;
    let stage = |counter: u64, number: u64, result: &str, at: &str| {
        json!({ "pipeline": { "name": "edxapp", "counter": counter.to_string(), "group": "lms", "build-cause": [{
            "material": { "type": "git", "git-configuration": { "url": "https://github.com/openedx/edx-platform.git", "branch": "master" } },
            "changed": true, "modifications": [{ "revision": commit(number), "modified-time": at, "data": {} }] }],
            "stage": { "name": "e2e", "counter": "1", "state": result, "result": result, "create-time": at, "last-transition-time": at } } })
    };
    post(&day, "/deploy/gocd", &stage(1, 11, "Passed", "2026-03-20T12:00:00.000+0000")).await;
    day.at("Fri 12:10").await.merge("feanil", 12).await;
    day.at("Fri 12:20").await;
    day.heard();
    post(&day, "/deploy/gocd", &stage(2, 12, "Failed", "2026-03-20T12:20:00.000+0000")).await;
    let told: Vec<String> = day.heard();
    assert_eq!(told, ["notice to feanil: The tests e2e failed with edx-platform#12 in them"]);
    day.at("Fri 13:00").await;
    assert!(pages(&day).is_empty(), "nobody is paged");
}

pub(crate) fn pagerduty(kind: &str, status: &str, at: &str) -> Value {
    json!({ "event": { "id": at, "event_type": format!("incident.{kind}"), "resource_type": "incident", "occurred_at": at,
        "agent": { "id": "PANNA", "type": "user_reference", "summary": "Anna L." },
        "data": { "id": "PINC1", "type": "incident", "number": 7, "title": "Checkout fails", "status": status,
            "created_at": "2026-03-20T12:30:00Z", "urgency": "high", "service": { "id": "PS1", "summary": "edxapp" } } } })
}

#[tokio::test]
async fn an_acknowledgement_in_pagerduty_keeps_the_rotation_asleep() {
    let mut day = stage().await;
    day.merge("feanil", 12).await;
    day.deploy("prod", "success", 12).await;
    day.at("Fri 12:30").await;
    day.heard();
    post(&day, "/alert/pagerduty", &pagerduty("triggered", "triggered", "2026-03-20T12:30:00Z")).await;
    assert_eq!(pages(&day), ["PAGE to feanil: [critical] edxapp production: Checkout fails"]);
    day.at("Fri 12:32").await;
    post(&day, "/alert/pagerduty", &pagerduty("acknowledged", "acknowledged", "2026-03-20T12:32:00Z")).await;
    assert_eq!(day.heard(), ["notice to feanil: Taken: [critical] edxapp production: Checkout fails"]);
    day.at("Fri 12:50").await;
    assert!(pages(&day).is_empty());
    post(&day, "/alert/pagerduty", &pagerduty("resolved", "resolved", "2026-03-20T12:50:00Z")).await;
    assert!(!day.incident("edxapp").await.is_open());
}

#[tokio::test]
async fn what_says_once_where_it_belongs_ends_the_same_in_every_order() {
    let alert = |action: &str, tags: Value| {
        json!({ "action": action, "alert": { "alertId": "a-1", "message": "Checkout fails", "tags": tags, "priority": "P1",
            "createdAt": 1_774_009_800_000_i64, "updatedAt": 1_774_010_100_000_000_000_i64, "username": "usama@example.com" } })
    };
    let create = alert("Create", json!(["service:edxapp", "env:prod"]));
    let (acknowledge, close) = (alert("Acknowledge", json!([])), alert("Close", json!([])));
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut day = stage().await;
        day.at("Fri 12:45").await;
        for i in order {
            post(&day, "/alert/opsgenie", [&create, &acknowledge, &close][i]).await;
        }
        let situation = day.situation("edxapp").await;
        let firing = situation.signals.values().filter(|s| s.value.firing().next().is_some()).count();
        let open = situation.incidents.values().filter(|i| i.value.is_open()).count();
        assert_eq!((firing, open), (0, 0), "{order:?}");
        assert!(day.situation("unmapped").await.signals.is_empty(), "{order:?}: nothing is about nothing");
    }
    // Without the end it stays open, acknowledged by whom the roster knows.
    for order in [[0, 1], [1, 0]] {
        let mut day = stage().await;
        day.at("Fri 12:45").await;
        for i in order {
            post(&day, "/alert/opsgenie", [&create, &acknowledge][i]).await;
        }
        let incident = day.incident("edxapp").await;
        let roster = &day.house.settings().roster;
        let by: Vec<&str> = incident.acknowledged.iter().map(|a| a.name(roster)).collect();
        assert!(incident.is_open() && by == ["usama"], "{order:?}: {by:?}");
    }
}

#[tokio::test]
async fn a_sentry_issue_that_nobody_resolves_is_over_by_itself_and_fires_again_with_the_next_event() {
    let mut day = stage().await;
    let event = |at: &str| {
        json!({ "action": "triggered", "installation": { "uuid": "u" }, "data": { "triggered_rule": "errors", "event": {
            "event_id": at, "issue_id": "412", "title": "KeyError: 'cart'", "level": "error", "project": 1, "datetime": at,
            "tags": [["environment", "prod"], ["service", "edxapp"]], "web_url": "https://acme.sentry.io/issues/412/" } } })
    };
    day.at("Fri 12:30").await;
    post(&day, "/alert/sentry", &event("2026-03-20T12:30:00Z")).await;
    assert!(day.incident("edxapp").await.is_open());
    day.at("Fri 13:35").await;
    assert!(!day.incident("edxapp").await.is_open(), "an hour without another event");
    day.heard();
    day.at("Fri 14:00").await;
    post(&day, "/alert/sentry", &event("2026-03-20T14:00:00Z")).await;
    assert_eq!(pages(&day), ["PAGE to anna: [critical] edxapp production: KeyError: 'cart'"]);
}

#[tokio::test]
async fn who_is_bound_to_a_service_says_only_of_its_own_repository_what_an_image_was_built_from() {
    let text = configuration(&["edxapp"])
        + "[senders.build]\nkind = \"generic\"\nsecret = \"alertmanager\"\nrepositories = [\"partner/*\"]\n[senders.generic]\nsecret = \"alertmanager\"\n";
    let stage = Stage::with(&text, |_| {}).await;
    let built =
        json!({ "image": "ghcr.io/openedx/edxapp:2.1", "commit": commit(12), "repository": "openedx/edx-platform" });
    let (answer, cost) =
        stage.cost(stage.post("/deploy/build", token_headers(TOKEN), built.to_string().as_bytes())).await;
    assert_eq!((answer.status, cost), (403, [0; 4]), "{}", answer.body);
    assert_eq!(stage.post("/deploy/generic", token_headers(TOKEN), built.to_string().as_bytes()).await.status, 200);
}

#[tokio::test]
async fn what_the_queue_did_names_the_responder_only_until_somebody_says_who_enqueued() {
    let group = json!({ "action": "checks_requested", "sender": { "login": "usama" }, "repository": { "full_name": "openedx/edx-platform" },
        "merge_group": { "head_ref": "refs/heads/gh-readonly-queue/master/pr-12-929f82", "head_commit": { "timestamp": "2026-03-20T12:00:00Z" } } });
    for order in [&[0, 2][..], &[2, 0], &[0, 1, 2], &[0, 2, 1], &[1, 0, 2], &[1, 2, 0], &[2, 0, 1], &[2, 1, 0]] {
        let day = Stage::new().await;
        let mut enqueued = day.merged("feanil", 12);
        (enqueued["action"], enqueued["pull_request"]["merged"]) = ("enqueued".into(), false.into());
        let mut merged = day.merged("olga", 12);
        merged["pull_request"]["merged_by"]["login"] = "github-merge-queue[bot]".into();
        for i in order {
            day.github("/merge/github", [&group, &enqueued, &merged][*i]).await;
        }
        let want = if order.contains(&1) { "feanil" } else { "usama" };
        assert_eq!(day.windows("edxapp").await, [format!("edx-platform#12 {want} standby")], "{order:?}");
    }
}

/// EventBridge invokes the function itself; CodePipeline tells the commit of an execution by its source action.
#[tokio::test]
async fn codepipeline_through_eventbridge_goes_live_with_the_commit_that_its_source_action_tells() {
    let event = |kind: &str, detail: Value| {
        json!({ "version": "0", "id": "1", "detail-type": format!("CodePipeline {kind} Execution State Change"), "source": "aws.codepipeline",
            "account": "123456789012", "time": "2026-03-20T12:10:00Z", "region": "eu-west-1", "resources": [], "detail": detail })
    };
    let source = event(
        "Action",
        json!({ "pipeline": "edxapp-prod", "execution-id": "e-1", "stage": "Source", "action": "Source", "state": "SUCCEEDED",
            "type": { "category": "Source", "provider": "CodeStarSourceConnection", "owner": "AWS", "version": "1" },
            "execution-result": { "external-execution-id": commit(12) } }),
    );
    let started = event("Pipeline", json!({ "pipeline": "edxapp-prod", "execution-id": "e-1", "state": "STARTED" }));
    for order in [[&source, &started], [&started, &source]] {
        let mut day = stage().await;
        day.merge("feanil", 12).await;
        day.at("Fri 12:05").await.merge("usama", 13).await;
        day.at("Fri 12:11").await;
        for event in order {
            on_deploy::handle_event(&day.house, event).await.unwrap();
        }
        day.bundle.quiesce().await;
        let want = ["edx-platform#12 feanil active until Fri 16:10", "edx-platform#13 usama standby"];
        assert_eq!(day.windows("edxapp").await, want);
    }
    let ignored = on_deploy::handle_event(&stage().await.house, &json!({ "source": "aws.s3" })).await.unwrap();
    assert!(ignored.get("ignored").is_some(), "{ignored}");
}

/// Only a pager tells of our pages; whoever else uses such a key has an alert like any other.
#[tokio::test]
async fn an_alert_that_is_called_like_a_page_of_ours_is_not_lost() {
    let day = stage().await;
    let key = "deployers/edxapp-k3v7q2ma/0/anna";
    let told = json!({ "alerts": [{ "service": "edxapp", "name": "Down", "id": "f1", "state": "firing",
        "labels": { "alias": key, "dedup_key": key } }] });
    post(&day, "/alert/generic", &told).await;
    assert_eq!(day.incident("edxapp").await.alerts.len(), 1);
    // A pager's is a page: of another installation, where we do not know it. Each would keep the other's open.
    let day = stage().await;
    for key in [key, "deployers/elsewhere-k3v7q2ma/0/anna"] {
        let mut told = pagerduty("triggered", "triggered", "2026-03-20T12:31:00Z");
        told["event"]["data"]["incident_key"] = json!(key);
        let answer = post(&day, "/alert/pagerduty", &told).await;
        assert_eq!(answer["decided"], "our_own_page", "{answer}");
        assert!(day.situation("edxapp").await.incidents.is_empty());
    }
}

/// One page named two incidents; whoever takes it in the pager has taken both.
#[tokio::test]
async fn taking_a_page_in_the_pager_takes_all_that_it_names() {
    let mut day = stage().await;
    day.merge("feanil", 12).await;
    day.deploy("prod", "success", 12).await;
    let mut both = day.alerting("discovery", "Fri 12:00", false);
    let other = day.alerting("edxapp", "Fri 12:00", false);
    both["alerts"].as_array_mut().unwrap().push(other["alerts"][0].clone());
    both["commonLabels"] = json!({});
    day.post("/alert/alertmanager", token_headers(TOKEN), both.to_string().as_bytes()).await;
    assert_eq!(pages(&day), ["PAGE to feanil: [critical] discovery production: HighErrorRate (+ 1 more)"]);
    day.at("Fri 12:01").await;
    let mut told = pagerduty("acknowledged", "acknowledged", "2026-03-20T12:01:00Z");
    told["event"]["data"]["incident_key"] = json!(format!("deployers/{}/0/feanil", day.incident("discovery").await.id));
    post(&day, "/alert/pagerduty", &told).await;
    day.at("Fri 12:20").await;
    for service in ["discovery", "edxapp"] {
        let incident = day.incident(service).await;
        assert_eq!((incident.acknowledged.len(), incident.pages.len()), (1, 1), "{service}");
    }
    assert!(pages(&day).is_empty());
    // Its acknowledgement runs out there: the page is asked for anew, for both.
    let mut out = pagerduty("unacknowledged", "triggered", "2026-03-20T12:21:00Z");
    out["event"]["data"]["incident_key"] = told["event"]["data"]["incident_key"].clone();
    day.at("Fri 12:21").await;
    post(&day, "/alert/pagerduty", &out).await;
    assert_eq!(pages(&day).len(), 2, "one for each: both were taken");
    for service in ["discovery", "edxapp"] {
        assert_eq!(day.incident(service).await.round, 1, "{service}");
    }
}

/// What we told a pager comes back as its own word: that takes nothing.
#[tokio::test]
async fn an_echo_of_what_we_told_a_pager_takes_nothing_elsewhere() {
    let mut day = stage().await;
    day.merge("feanil", 12).await;
    day.deploy("prod", "success", 12).await;
    let mut both = day.alerting("discovery", "Fri 12:00", false);
    let other = day.alerting("edxapp", "Fri 12:00", false);
    both["alerts"].as_array_mut().unwrap().push(other["alerts"][0].clone());
    both["commonLabels"] = json!({});
    day.post("/alert/alertmanager", token_headers(TOKEN), both.to_string().as_bytes()).await;
    day.at("Fri 12:01").await;
    let id = day.incident("discovery").await.id;
    let link = day.link(aws::links::Action::Acknowledge(id.clone()), "anna");
    assert_eq!(day.post(&link, Vec::new(), b"do=acknowledge").await.status, 200);
    let mut echo = pagerduty("acknowledged", "acknowledged", "2026-03-20T12:01:00Z");
    echo["event"]["data"]["incident_key"] = json!(format!("deployers/{id}/0/feanil"));
    assert_eq!(post(&day, "/alert/pagerduty", &echo).await["decided"], "already_known");
    assert!(day.incident("edxapp").await.acknowledged.is_empty(), "anna took the one, nobody the other");
}

/// One service cannot be written: the others of the message are, and the sender sends it again.
#[tokio::test]
async fn a_service_that_cannot_be_written_does_not_keep_the_others_waiting() {
    let mut seen = Vec::new();
    for nth in 1.. {
        let mut day = stage().await;
        let (table, _topic) = day.gated().await;
        let mut both = day.alerting("discovery", "Fri 12:00", false);
        let other = day.alerting("edxapp", "Fri 12:00", false);
        both["alerts"].as_array_mut().unwrap().push(other["alerts"][0].clone());
        both["commonLabels"] = json!({});
        table.fails(nth, Fault::Refused);
        let answer = day.post("/alert/alertmanager", token_headers(TOKEN), both.to_string().as_bytes()).await;
        let Some(struck) = table.struck() else { break };
        let open = |situation: domain::Situation| situation.incidents.len();
        let incidents = [open(day.situation("discovery").await), open(day.situation("edxapp").await)];
        if struck != "TransactWriteItems" || answer.status != 503 {
            continue;
        }
        seen.push(incidents);
        let again = day.post("/alert/alertmanager", token_headers(TOKEN), both.to_string().as_bytes()).await;
        assert_eq!(again.status, 200, "{}", again.body);
        for service in ["discovery", "edxapp"] {
            assert_eq!(day.incident(service).await.pages.len(), 1, "{nth} {struck} {service}");
        }
        if seen.len() == 2 {
            break;
        }
    }
    assert_eq!(seen, [[0, 1], [1, 0]], "whichever fails, the other is kept");
}
