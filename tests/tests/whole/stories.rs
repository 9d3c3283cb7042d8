//! Stories from the wire to the page, through every function, in virtual time.

use domain::{Credit, Reason};
use house_tests::peer::Peer;
use house_tests::{Stage, TOKEN, commit, configuration, time};
use recent_deployers::demo::payloads;
use serde_json::{Value, json};

#[tokio::test]
async fn the_first_full_life_of_a_window() {
    let mut day = Stage::new().await;
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    assert_eq!(day.windows("edxapp").await, ["edx-platform#12 feanil standby"]);
    day.at("Fri 14:10").await.deploy("stage", "success", 12).await;
    assert_eq!(day.windows("edxapp").await, ["edx-platform#12 feanil standby"], "stage changes nothing");
    day.at("Fri 14:20").await.deploy("prod", "in_progress", 12).await;
    assert_eq!(day.windows("edxapp").await, ["edx-platform#12 feanil active until Fri 18:20"]);
    day.at("Fri 14:30").await.deploy("prod", "success", 12).await;
    assert_eq!(day.windows("edxapp").await, ["edx-platform#12 feanil active until Fri 15:30"]);
    day.at("Fri 15:31").await;
    assert_eq!(day.windows("edxapp").await, ["edx-platform#12 feanil tail until Sat 15:30"]);
    day.at("Sat 15:31").await;
    assert_eq!(day.windows("edxapp").await, [""; 0]);
    assert_eq!(
        day.heard(),
        [
            "notice to feanil: Your turn for edx-platform#12 in edxapp ends soon",
            "notice to feanil: Your turn for edx-platform#12 in edxapp is over",
            "notice to feanil: Your turn starts: edx-platform#12 is live in edxapp production",
            "notice to feanil: edx-platform#12 is merged: you are on standby for edxapp",
        ]
    );
    let log = day.house.store.log(&"edxapp".parse().unwrap(), 50).await.unwrap();
    assert_eq!(log.first().map(|e| &e.reason), Some(&Reason::WindowClosed), "the log says why it ended");
}

#[tokio::test]
async fn an_off_hours_merge_breaks_production_and_the_merger_is_paged_first() {
    let mut night = Stage::new().await;
    night.at("Fri 23:40").await.merge("usama", 12).await;
    night.at("Fri 23:55").await.deploy("prod", "success", 12).await;
    night.at("Sat 00:05").await.alert("edxapp", "Sat 00:05", false).await;
    let pages = |stage: &Stage| stage.heard().into_iter().filter(|l| l.starts_with("PAGE")).collect::<Vec<_>>();
    assert_eq!(pages(&night), ["PAGE to usama: [critical] edxapp production: HighErrorRate"]);
    night.at("Sat 00:08").await;
    assert!(pages(&night).is_empty(), "the rotation sleeps for five minutes");
    night.at("Sat 00:10").await;
    assert_eq!(pages(&night), ["PAGE to anna: [critical] edxapp production: HighErrorRate"]);
    night.at("Sat 00:14").await;
    assert!(pages(&night).is_empty(), "nobody is paged twice");
    night.at("Sat 00:16").await;
    assert_eq!(pages(&night), ["PAGE to usama: [critical] edxapp production: HighErrorRate"], "but asked again");
}

#[tokio::test]
async fn an_acknowledgement_by_link_asks_before_it_acts() {
    let mut day = Stage::new().await;
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    day.deploy("prod", "success", 12).await;
    day.heard();
    day.at("Fri 14:10").await.alert("edxapp", "Fri 14:10", false).await;
    let page = day.texts().join("\n");
    let link = page.lines().find_map(|l| l.trim().strip_prefix("Acknowledge: https://deployers.example.com")).unwrap();

    let asked = day.get(link).await;
    assert_eq!(asked.status, 200);
    assert!(asked.body.contains("<form method=\"post\""), "{}", asked.body);
    assert!(day.incident("edxapp").await.acknowledged.is_empty(), "a GET never acts");

    let done = day.post(link, vec![], b"").await;
    assert!(done.body.contains("It is yours"), "{}", done.body);
    assert_eq!(day.incident("edxapp").await.acknowledged.len(), 1);
    let again = day.post(link, vec![], b"").await;
    assert!(again.body.contains("You acknowledged this at 10:10 (America&#x2f;New_York)"), "{}", again.body);
    assert_eq!(day.incident("edxapp").await.acknowledged.len(), 1);

    let forged = link.replace("/feanil/", "/usama/");
    assert_eq!(day.post(&forged, vec![], b"").await.status, 403);
    day.at("Fri 15:09").await;
    assert!(day.heard().iter().all(|l| !l.starts_with("PAGE")), "an acknowledgement stops the escalation");
    day.at("Sat 14:11").await;
    assert_eq!(day.post(link, vec![], b"").await.status, 403, "the link has expired");
}

#[tokio::test]
async fn a_cloudwatch_alarm_pages_in_each_form_in_which_it_arrives() {
    let sns = |state: &str, at: &str| json!({ "AlarmName": "edxapp-5xx", "AlarmArn": "arn:aws:cloudwatch:eu-west-1:1:alarm:edxapp-5xx", "NewStateValue": state, "NewStateReason": "too many", "StateChangeTime": at, "Region": "eu-west-1" });
    let eventbridge = json!({
        "source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "region": "eu-west-1", "time": "2026-03-20T14:10:00Z",
        "resources": ["arn:aws:cloudwatch:eu-west-1:1:alarm:edxapp-5xx"],
        "detail": { "alarmName": "edxapp-5xx", "state": { "value": "ALARM", "reason": "too many", "timestamp": "2026-03-20T14:10:00.000+0000" } }
    });
    let to_lambda = |message: &Value| json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": message.to_string() } }] });
    let over_https = |message: &Value| json!({ "Type": "Notification", "Message": message.to_string() });
    let firing = sns("ALARM", "2026-03-20T14:10:00.000+0000");
    for alarm in [&eventbridge, &to_lambda(&firing), &over_https(&firing), &firing] {
        let mut day =
            Stage::with(&configuration(&["edxapp"]).replace("service=edxapp", "alarm=edxapp-*"), |_| {}).await;
        day.at("Fri 14:00").await.merge("feanil", 12).await;
        day.deploy("prod", "success", 12).await;
        day.heard();
        day.at("Fri 14:10").await;
        if alarm.get("Type").is_some() || alarm.get("AlarmName").is_some() {
            let body = alarm.to_string();
            assert_eq!(
                day.post("/alert/cloudwatch", payloads::token_headers(TOKEN), body.as_bytes()).await.status,
                200
            );
        } else {
            on_alert::handle_event(&day.house, alarm).await.unwrap();
            day.bundle.quiesce().await;
        }
        assert_eq!(day.heard(), ["PAGE to feanil: [critical] edxapp production: edxapp-5xx"]);
        day.at("Fri 14:20").await;
        on_alert::handle_event(&day.house, &to_lambda(&sns("OK", "2026-03-20T14:19:00.000+0000"))).await.unwrap();
        assert_eq!(day.incident("edxapp").await.resolved_at, Some(time("Fri 14:19")));
    }
}

#[tokio::test]
async fn an_alert_that_names_no_service_goes_to_the_default_rotation_and_is_shown() {
    let day = Stage::new().await;
    day.alert("billing", "Fri 12:00", false).await;
    assert_eq!(day.heard(), ["PAGE to anna: [critical] unmapped billing: HighErrorRate"]);
    assert!(day.get("/").await.body.contains("Alerts of no service"));
    assert!(day.get("/services/unmapped").await.body.contains("the alert names no service we know"));
}

#[tokio::test]
async fn a_merge_queue_reports_a_bot_and_who_enqueued_answers_whichever_news_comes_first() {
    for enqueued_first in [true, false] {
        let day = Stage::new().await;
        let mut merged = day.merged("github-merge-queue[bot]", 12);
        merged["pull_request"]["user"]["login"] = json!("usama");
        let mut enqueued = day.merged("feanil", 12);
        enqueued["action"] = json!("enqueued");
        enqueued["pull_request"]["merged"] = json!(false);
        if enqueued_first {
            day.github("/merge/github", &enqueued).await;
        }
        day.github("/merge/github", &merged).await;
        if !enqueued_first {
            assert_eq!(
                day.windows("edxapp").await,
                ["edx-platform#12 usama standby"],
                "so far only the author is known"
            );
            day.github("/merge/github", &enqueued).await;
        }
        assert_eq!(day.windows("edxapp").await, ["edx-platform#12 feanil standby"]);
        let change = day.situation("edxapp").await.changes.into_values().next().unwrap().value;
        assert_eq!(change.merger.credit, Credit::Enqueued);
    }
}

#[tokio::test]
async fn a_direct_push_opens_a_window_and_a_merges_own_push_does_not_open_a_second() {
    let day = Stage::new().await;
    let push = json!({
        "ref": "refs/heads/master", "before": commit(1), "after": commit(12), "created": false, "deleted": false, "forced": false,
        "pusher": { "name": "usama" },
        "head_commit": { "id": commit(12), "message": "change number 12 (#12)", "timestamp": "2026-03-20T12:00:00Z", "author": { "username": "usama" }, "committer": { "username": "web-flow" } },
        "commits": [],
        "repository": { "full_name": "openedx/edx-platform", "default_branch": "master", "pushed_at": 1_774_008_000 }
    });
    day.github("/merge/github", &push).await;
    assert_eq!(day.windows("edxapp").await, ["edx-platform#12 usama standby"]);
    day.merge("usama", 12).await;
    day.github("/merge/github", &push).await;
    assert_eq!(day.windows("edxapp").await, ["edx-platform#12 usama standby"]);
    assert_eq!(day.heard(), ["notice to usama: edx-platform#12 is merged: you are on standby for edxapp"]);
}

#[tokio::test]
async fn with_a_token_the_forge_says_what_a_release_carries() {
    let forge = Peer::start().await;
    forge.always_answers("/pulls/", 200, "[]");
    let compared = || forge.received().into_iter().filter(|r| r.line.contains("/compare/")).collect::<Vec<_>>();
    let address = forge.address.clone();
    let mut day = Stage::with(&configuration(&["edxapp"]), |c| {
        let github = c.senders.get_mut("github").unwrap();
        github.api_token = Some("api".into());
        github.api_url = Some(address);
    })
    .await;
    day.at("Fri 13:00").await.merge("usama", 11).await;
    day.deploy("prod", "success", 11).await;
    assert!(compared().is_empty(), "the first live deployment is the baseline: there is nothing to compare");
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    day.at("Fri 14:05").await.merge("usama", 13).await;
    // Merge order alone would say that 13 carries 12; the forge knows that 12 went to another branch.
    forge.will_answer(500, "");
    day.at("Fri 14:10").await.deploy("prod", "success", 13).await;
    assert_eq!(
        day.windows("edxapp").await[1],
        "edx-platform#12 feanil active until Fri 15:10",
        "no page waits for a forge"
    );
    forge.will_answer(200, json!({ "total_commits": 1, "commits": [{ "sha": commit(13) }] }).to_string());
    day.at("Fri 14:12").await;
    let asked = compared();
    assert_eq!(asked.len(), 2, "asked again after a minute, and not after it answered");
    assert_eq!(
        asked[0].line,
        format!("GET /repos/openedx/edx-platform/compare/{}...{}?per_page=100&page=1 HTTP/1.1", commit(11), commit(13))
    );
    assert_eq!(asked[0].header("authorization"), "Bearer api-token");
    let windows = day.windows("edxapp").await;
    assert_eq!(windows[1..], ["edx-platform#12 feanil standby", "edx-platform#13 usama active until Fri 15:10"]);
}

#[tokio::test]
async fn a_person_is_told_by_signed_webhook_and_the_next_contact_takes_over_when_it_fails() {
    let pager = Peer::start().await;
    let text = format!(
        "{}[receivers.chat]\nkind = \"webhook\"\nurl = \"{}/hook\"\nsecret = \"hook\"\n",
        configuration(&["edxapp"]).replace(
            "github = [\"feanil\"]\ncontacts = [\"terminal\"]",
            "github = [\"feanil\"]\ncontacts = [\"chat\", \"terminal\"]"
        ),
        pager.address
    );
    let mut day = Stage::with(&text, |_| {}).await;
    day.merge("feanil", 12).await;
    let sent = pager.received().remove(0);
    assert_eq!(sent.header("webhook-id"), format!("edxapp#openedx/edx-platform@{}#feanil#receipt", commit(12)));
    let secret = aws::secrets::Secret::new("hook-key").unwrap();
    let signed = on_page::receivers::webhook::sign(
        &secret,
        sent.header("webhook-id"),
        sent.header("webhook-timestamp"),
        &sent.body,
    );
    assert_eq!(sent.header("webhook-signature"), signed);
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(body["type"], "notice.receipt");
    assert!(day.heard().is_empty(), "one contact is enough");

    pager.will_answer(503, "");
    pager.will_answer(503, "");
    day.at("Fri 12:10").await.deploy("prod", "success", 12).await;
    assert_eq!(pager.received().len(), 2, "it knows a repetition, so it is tried once more");
    assert_eq!(day.heard(), ["notice to feanil: Your turn starts: edx-platform#12 is live in edxapp production"]);
}

#[tokio::test]
async fn the_board_shows_who_is_on_call_for_what_until_when_and_escapes_what_strangers_write() {
    let mut day = Stage::new().await;
    let mut hostile = day.merged("feanil", 12);
    hostile["pull_request"]["title"] = json!("<script>alert(1)</script> \u{202e}\u{0} & co");
    day.github("/merge/github", &hostile).await;
    day.deploy("prod", "success", 12).await;
    day.at("Fri 12:05").await.merge("usama", 13).await;
    day.alert("edxapp", "Fri 12:05", false).await;
    let overview = day.get("/").await;
    assert!(overview.body.contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt; &amp; co"), "{}", overview.body);
    assert_eq!(overview.body.matches("<script>").count(), 1, "ours: {}", overview.body);
    let board = day.get("/services/edxapp").await;
    assert_eq!(board.status, 200);
    assert!(board.body.matches("<script>").count() == 1, "{}", board.body);
    assert!(board.body.contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt; &amp; co"), "{}", board.body);
    for shown in [
        // The alert still fires, so the turn lasts as long as policy allows.
        ">16:00</time>",
        "edx-platform#13",
        "Since <time datetime=\"2026-03-20T12:05:00Z\">12:05</time>",
        "likely the cause by",
    ] {
        assert!(board.body.contains(shown), "{shown} is not on the board: {}", board.body);
    }
    let incident = day.incident("edxapp").await;
    let page = day.get(&format!("/incidents/{}", incident.id)).await;
    assert!(page.status == 200 && page.body.contains("live 5 min before the alert"), "{}", page.body);
    let person = day.get("/people/feanil").await;
    assert!(
        person.body.contains("On call for edxapp until 16:00")
            && person.body.contains("It is Fri 08:05 there (America&#x2f;New_York)."),
        "{}",
        person.body
    );
    assert_eq!(day.get("/incidents/edxapp-nothing").await.status, 404);
    assert_eq!(day.get("/people/nobody").await.status, 404);
}

#[tokio::test]
async fn one_change_that_breaks_two_services_is_a_suspect_in_both() {
    let mut day = Stage::with(&configuration(&["lms", "ecommerce"]), |_| {}).await;
    day.merge("feanil", 12).await;
    day.deploy("prod", "success", 12).await;
    day.at("Fri 12:10").await.alert("lms", "Fri 12:10", false).await;
    day.alert("ecommerce", "Fri 12:10", false).await;
    for service in ["lms", "ecommerce"] {
        let incident = day.incident(service).await;
        assert_eq!(incident.suspects[0].label, "edx-platform#12");
        assert_eq!(incident.pages[0].person.as_str(), "feanil");
    }
}

#[tokio::test]
async fn a_watchdog_that_never_resolves_hides_no_other_alert_that_names_no_service() {
    let mut day = Stage::new().await;
    let post = async |name: &str| {
        let mut body = day.alerting("none", "Fri 12:00", false);
        body["alerts"][0]["labels"] = json!({ "alertname": name, "severity": "critical" });
        body["alerts"][0]["fingerprint"] = json!(name);
        body["commonLabels"] = json!({});
        day.post("/alert/alertmanager", payloads::token_headers(TOKEN), body.to_string().as_bytes()).await
    };
    post("Watchdog").await;
    assert_eq!(day.heard(), ["PAGE to anna: [critical] unmapped watchdog: Watchdog"]);
    post("DatabaseDown").await;
    assert_eq!(day.heard(), ["PAGE to anna: [critical] unmapped databasedown: DatabaseDown"]);
    post("DatabaseDown").await;
    day.at("Fri 12:09").await;
    assert!(day.heard().iter().all(|line| !line.starts_with("PAGE to anna")), "and neither pages twice");
}
