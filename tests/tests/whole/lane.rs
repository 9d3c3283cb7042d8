//! Gratitude week, the lane of urgent fixes, Cyber Monday: PRODUCT.md's stories 1, 2 and 9, from the wire to what people read, with
//! a pipeline that holds and pull requests at which the freeze stands.

use aws::Response;
use aws::links::Action;
use aws::pipeline::PipelineKind;
use house_tests::peer::Peer;
use house_tests::{REPOSITORY, Stage, commit, configuration, time};
use serde_json::{Value, json};

use crate::pipelines::fake::Fake;

/// Two people's service with a GoCD pipeline that can be held, and this beside it.
async fn stage(gocd: &Fake, more: &str) -> Stage {
    let text = configuration(&["edxapp"])
        .replace("[services.edxapp]\n", "[services.edxapp]\nholds = [\"gocd:edxapp-production\"]\n");
    let gocd = format!("\n[pipelines.gocd]\nurl = \"{}\"\nsecret = \"api\"\n", gocd.address);
    Stage::with(&format!("{text}{gocd}{more}"), |_| {}).await
}

const WEEK: &str = "\n[freezes.gratitude-week]\npreset = \"holiday\"\nzone = \"America/New_York\"\nfrom = \"2026-03-20 09:00\"\nuntil = \"2026-03-25 09:00\"\n";

async fn asks(stage: &Stage, query: &str) -> (u16, Value) {
    let (path, query) = query.split_once('?').unwrap();
    let request = aws::Request::new("GET", path, Vec::new(), Vec::new()).with_query(query);
    let answer = stage.bundle.route(request).await;
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

async fn says(stage: &Stage, who: &str, number: u64, form: &str) -> Response {
    let link = stage.link(Action::Expedite(REPOSITORY.parse().unwrap(), number), who);
    stage.post(&link, Vec::new(), form.as_bytes()).await
}

fn with(lines: &[String], part: &str) -> Vec<String> {
    lines.iter().filter(|line| line.contains(part)).cloned().collect()
}

fn is_paused(gocd: &Fake) -> bool {
    gocd.known()["paused"] == true
}

#[tokio::test]
async fn gratitude_week_piles_nothing_up_unseen_and_goes_out_in_batches() {
    let gocd = Fake::start(PipelineKind::GoCd).await;
    let mut week = stage(&gocd, WEEK).await;
    week.bundle.tick().await;
    week.bundle.quiesce().await;
    assert!(!is_paused(&gocd));
    // It begins on Friday at 13:00 UTC: the pipeline holds.
    week.at("Fri 13:00").await;
    assert!(is_paused(&gocd), "{:?}", gocd.known());
    week.heard();
    // Who merges all the same is told what it means and asked; nobody is on call for it.
    week.at("Fri 14:00").await.merge("feanil", 1).await;
    let told = week.texts().join("\n");
    assert!(told.contains("during an event (gratitude week): do you take the pager for edxapp?"), "{told}");
    assert!(
        told.contains("Deployments wait until 2026-03-25 09:00 (America/New_York), for the freeze gratitude week."),
        "{told}"
    );
    assert_eq!(week.windows("edxapp").await, ["edx-platform#1 feanil standby"]);
    // The pile is warned of once at 8 and once at 16.
    for number in 2..=12 {
        week.at(&format!("Sat 10:{number:02}"))
            .await
            .merge(if number % 2 == 0 { "usama" } else { "feanil" }, number)
            .await;
    }
    assert_eq!(with(&week.heard(), "changes wait to go live").len(), 1);
    for number in 13..=17 {
        week.at(&format!("Sun 10:{number:02}")).await.merge("usama", number).await;
    }
    let heard = week.heard();
    assert_eq!(with(&heard, "16 changes"), ["notice to olga: 16 changes wait to go live in edxapp"], "{heard:#?}");
    // A day before the thaw it is foretold: to the owner all of it, to each merger their part.
    week.at("Tue 12:59").await;
    assert!(with(&week.heard(), "goes on at").is_empty());
    week.at("Tue 13:00").await;
    let texts = week.texts();
    let heard = with(&texts, "goes on at").join("\n");
    assert!(
        heard.contains(
            "edxapp goes on at 2026-03-25 13:00 (Europe/London): 17 changes, 2 mergers, oldest 3 days: 3 releases"
        ),
        "{heard}"
    );
    assert!(heard.contains("first: 2026-03-25 13:00 (Europe/London), edx-platform#1 to edx-platform#8 (8 changes), deploy 0000000000. feanil, usama."), "{heard}");
    assert!(
        heard.contains("edxapp goes on at 2026-03-25 18:00 (Asia/Karachi): yours is in the first of 3 releases"),
        "{heard}"
    );
    // Frozen: no deployment may go, whatever it carries.
    let (status, answer) = asks(&week, &format!("/may-deploy?service=edxapp&commit={}&strict", commit(17))).await;
    assert_eq!((status, &answer["may_deploy"], &answer["carries"]), (423, &json!(false), &json!(17)));
    assert_eq!(week.windows("edxapp").await.iter().filter(|line| line.ends_with("standby")).count(), 17);
    // The thaw: the pipeline goes on, and asks for one release after the other.
    week.at("Wed 13:00").await;
    assert!(!is_paused(&gocd));
    week.heard();
    let (status, answer) =
        asks(&week, &format!("/may-deploy?service=edxapp&commit={}&strict=advise", commit(17))).await;
    assert_eq!((status, &answer["may_deploy"], &answer["advised_against"]), (423, &json!(true), &json!(true)));
    assert_eq!(answer["deploy_first"], json!(commit(8)));
    assert_eq!(asks(&week, &format!("/may-deploy?service=edxapp&commit={}&strict=advise", commit(8))).await.0, 200);
    week.deploy("prod", "success", 8).await;
    let active = with(&week.windows("edxapp").await, "active");
    assert_eq!(active.len(), 8, "{active:?}");
    assert_eq!(asks(&week, &format!("/may-deploy?service=edxapp&commit={}&strict=advise", commit(16))).await.0, 200);
    // What breaks pages that batch's mergers, not the rotation; and the revert is one click.
    week.heard();
    week.at("Wed 13:20").await.alert("edxapp", "Wed 13:20", false).await;
    let pages: Vec<String> = week.texts().into_iter().filter(|text| text.contains("PAGE to")).collect();
    assert_eq!(pages.len(), 1, "{pages:#?}");
    assert!(pages[0].contains("PAGE to usama") && pages[0].contains("Revert: press Revert on"), "{pages:#?}");
}

#[tokio::test]
async fn an_urgent_fix_passes_both_freezes_alone_and_whoever_asked_is_on_call_for_it() {
    let gocd = Fake::start(PipelineKind::GoCd).await;
    let forge = Peer::start().await;
    forge.always_answers("GET /repos/openedx/edx-platform/pulls?", 200, pulls().to_string());
    let status = "POST /repos/openedx/edx-platform/statuses/";
    forge.always_answers(status, 201, "{}");
    let token = format!(
        "\n[senders.github-own]\nkind = \"github\"\napi_token = \"api\"\napi_url = \"{}\"\nmerge_status = \"during-freezes\"\nrepositories = [\"openedx/*\"]\nsecret = \"hook\"\n",
        forge.address
    );
    let mut week = stage(&gocd, &format!("{WEEK}{token}")).await;
    week.bundle.tick().await;
    week.bundle.quiesce().await;
    // What the forge told is looked at by the next tick at the latest.
    week.bundle.tick().await;
    week.bundle.quiesce().await;
    assert!(
        with(&week.heard(), "A freeze begins within an hour").iter().any(|line| line.contains("usama")),
        "who has something open hears of it"
    );
    // Something is live already.
    week.merge("anna", 100).await;
    week.deploy("prod", "success", 100).await;
    week.at("Fri 13:00").await;
    week.merge("usama", 1).await;
    week.merge("usama", 2).await;
    let stands = |forge: &Peer| -> Vec<String> {
        let statuses = forge.received().into_iter().filter(|r| r.line.starts_with(status));
        statuses
            .map(|r| serde_json::from_str::<Value>(&r.body).unwrap())
            .map(|body| format!("{}: {}", body["state"].as_str().unwrap(), body["description"].as_str().unwrap()))
            .collect()
    };
    assert_eq!(
        stands(&forge),
        [
            "success: Merge freeze until Wed 2026-03-25 09:00 America/New_York: gratitude week. Urgent? Comment /expedite <reason>"
        ]
    );
    week.heard();
    // A stranger, and a bot, ask for nothing.
    for (who, said) in [("stranger", "nobody of the roster"), ("github-actions[bot]", "bot")] {
        let answer = week.github("/merge/github", &labelled(who, 7)).await;
        assert!(answer.status == 200 && answer.body.contains(said), "{}", answer.body);
    }
    assert!(week.situation("freezes").await.expedites.is_empty());
    // Feanil does: by the label, then with the reason.
    week.github("/merge/github", &labelled("feanil", 7)).await;
    assert_eq!(with(&week.heard(), "feanil"), ["notice to feanil: Why should edx-platform#7 pass the freeze?"]);
    week.github("/merge/github", &commented("feanil", 7, "/expedite checkout answers 500")).await;
    let asked = week.texts().join("\n");
    assert!(
        asked.contains("feanil asks to let edx-platform#7 pass the freeze: do you sign?")
            && asked.contains("Sign, or refuse: https://"),
        "{asked}"
    );
    let (_, answer) = asks(&week, &format!("/may-merge?repository={REPOSITORY}&number=7")).await;
    assert_eq!(answer["expedited"], Value::Null, "nobody has signed");
    assert_eq!(says(&week, "feanil", 7, "do=sign").await.status, 409, "nobody signs for themselves");
    assert_eq!(says(&week, "usama", 7, "do=sign").await.status, 409);
    assert_eq!(says(&week, "olga", 7, "do=sign").await.status, 200);
    let (_, answer) = asks(&week, &format!("/may-merge?repository={REPOSITORY}&number=7")).await;
    assert_eq!((&answer["may_merge"], &answer["expedited"][0]["by"]), (&json!(true), &json!("feanil")));
    assert_eq!(stands(&forge), ["success: May pass the freeze, by feanil: checkout answers 500"]);
    Box::pin(goes_live_alone(week, gocd, forge)).await;
}

/// What was signed is merged, opened for and deployed without the pile before it.
async fn goes_live_alone(mut week: Stage, gocd: Fake, forge: Peer) {
    // It is merged: nobody asks for the pager, it is taken.
    week.heard();
    week.at("Fri 14:00").await.merge("usama", 7).await;
    let heard = week.heard();
    assert!(with(&heard, "do you take the pager").is_empty(), "{heard:#?}");
    assert!(with(&week.windows("edxapp").await, "#7 feanil standby").len() == 1, "{:?}", week.windows("edxapp").await);
    // The pile behind which it is does not go with it.
    let (status, answer) = asks(&week, &format!("/may-deploy?service=edxapp&commit={}&strict", commit(7))).await;
    assert_eq!(status, 423);
    let words = answer["words"].as_str().unwrap();
    assert!(
        words.starts_with("it carries edx-platform#1, edx-platform#2, which may not pass: release the fix alone"),
        "{words}"
    );
    let (status, answer) = asks(&week, "/may-deploy?service=edxapp&number=7&strict").await;
    assert_eq!((status, &answer["expedited"][0]["signed"]), (200, &json!(["olga"])));
    assert_eq!(asks(&week, "/may-deploy?service=edxapp&number=1&strict").await.0, 423);
    // The pipeline is opened for it, and holds again once the deployment has begun.
    assert!(is_paused(&gocd));
    let link = week.link(Action::Queue("edxapp".parse().unwrap()), "usama");
    assert_eq!(week.post(&link, Vec::new(), b"do=let-through").await.status, 409, "it is not his");
    let link = week.link(Action::Queue("edxapp".parse().unwrap()), "feanil");
    assert_eq!(week.post(&link, Vec::new(), b"do=let-through").await.status, 200);
    week.bundle.tick().await;
    week.bundle.quiesce().await;
    assert!(!is_paused(&gocd));
    // The hot fix is a cherry-pick of it onto the live commit; the forge tells.
    let compared = json!({ "total_commits": 1, "commits": [{ "sha": commit(700), "commit": { "message": format!("Fix it\n\n(cherry picked from commit {})", commit(7)) } }] });
    forge.always_answers("/compare/", 200, compared.to_string());
    week.at("Fri 14:20").await.deploy("prod", "success", 700).await;
    week.at("Fri 14:25").await;
    assert!(is_paused(&gocd), "it holds again: {:?}", gocd.known());
    let windows = week.windows("edxapp").await;
    let want = [
        "edx-platform#1 usama standby",
        "edx-platform#2 usama standby",
        "edx-platform#7 feanil active until Fri 15:20",
    ];
    assert_eq!(windows[1..], want, "nobody is on call for what is not live");
}

#[tokio::test]
async fn on_cyber_monday_an_approver_and_the_rotation_sign_off_each_exception() {
    let gocd = Fake::start(PipelineKind::GoCd).await;
    let mut monday = stage(&gocd, "").await;
    let link = monday.link(Action::Freezes, "olga");
    let form =
        "do=freeze&name=Cyber+Monday&preset=peak-event&from=2026-03-23+00:00&until=2026-03-24+00:00&zone=Europe/London";
    assert_eq!(monday.post(&link, Vec::new(), form.as_bytes()).await.status, 200);
    assert!(monday.get("/").await.body.contains("Cyber Monday from 2026-03-23 00:00 (Europe"), "the calendar shows it");
    monday.at("Mon 00:01").await;
    assert!(is_paused(&gocd));
    // Who merges during a freeze by somebody's word is asked as well.
    monday.at("Mon 12:00").await.merge("usama", 1).await;
    let heard = monday.heard();
    assert_eq!(with(&heard, "do you take the pager").len(), 1, "{heard:#?}");
    assert_eq!(says(&monday, "feanil", 7, "do=expedite&why=checkout+fails").await.status, 200);
    assert_eq!(
        with(&monday.heard(), "do you sign"),
        ["notice to olga: feanil asks to let edx-platform#7 pass the freeze: do you sign?"]
    );
    assert_eq!(says(&monday, "olga", 7, "do=sign").await.status, 200);
    let heard = monday.heard();
    assert_eq!(
        with(&heard, "do you sign"),
        ["notice to anna: feanil asks to let edx-platform#7 pass the freeze: do you sign?"]
    );
    assert_eq!(asks(&monday, "/may-deploy?service=edxapp&number=7&strict").await.0, 423, "the rotation has not");
    assert_eq!(says(&monday, "anna", 7, "do=sign").await.status, 200);
    assert_eq!(with(&monday.heard(), "may pass"), ["notice to feanil: edx-platform#7 may pass the freeze"]);
    assert_eq!(asks(&monday, "/may-deploy?service=edxapp&number=7&strict").await.0, 200);
    // All of it stands in the log, with who and why.
    let log = monday.house.store.log(&"freezes".parse().unwrap(), 50).await.unwrap();
    let said: Vec<&str> = log.iter().rev().map(|entry| entry.reason.name()).collect();
    for reason in ["freeze_declared", "expedite_asked", "expedite_signed", "expedite_granted"] {
        assert!(said.contains(&reason), "{reason}: {said:?}");
    }
    // A day later it lapses; and the freeze is over.
    monday.at("Tue 12:30").await;
    assert!(!is_paused(&gocd));
    let answer = says(&monday, "usama", 7, "do=expedite&why=late").await;
    assert!(answer.status == 409 && answer.body.contains("No freeze holds for it"), "{}", answer.body);
}

fn pulls() -> Value {
    json!([{
        "number": 7, "title": "Fix checkout", "draft": false, "html_url": "https://github.com/openedx/edx-platform/pull/7",
        "user": { "login": "usama" }, "labels": [],
        "head": { "ref": "fix-checkout", "sha": commit(70), "repo": { "full_name": "openedx/edx-platform", "fork": false } },
        "base": { "ref": "master", "repo": { "full_name": "openedx/edx-platform", "default_branch": "master" } },
    }])
}

fn labelled(who: &str, number: u64) -> Value {
    json!({
        "action": "labeled", "number": number, "label": { "name": "expedite" }, "sender": { "login": who },
        "repository": { "full_name": REPOSITORY, "default_branch": "master" },
        "pull_request": {
            "number": number, "title": "Fix checkout", "html_url": "https://github.com/openedx/edx-platform/pull/7", "draft": false,
            "user": { "login": "usama" }, "updated_at": time("Fri 13:10").to_string(), "labels": [{ "name": "expedite" }],
            "head": { "ref": "fix-checkout", "sha": commit(70), "repo": { "full_name": "openedx/edx-platform", "fork": false } },
            "base": { "ref": "master", "repo": { "full_name": REPOSITORY } },
        },
    })
}

fn commented(who: &str, number: u64, body: &str) -> Value {
    json!({
        "action": "created",
        "issue": { "number": number, "title": "Fix checkout", "state": "open", "html_url": "https://github.com/openedx/edx-platform/pull/7", "user": { "login": "usama" }, "pull_request": { "url": "https://api.github.com/repos/openedx/edx-platform/pulls/7", "html_url": "https://github.com/openedx/edx-platform/pull/7" } },
        "comment": { "body": body, "user": { "login": who }, "created_at": time("Fri 13:15").to_string(), "updated_at": time("Fri 13:15").to_string() },
        "repository": { "full_name": REPOSITORY, "default_branch": "master" },
        "sender": { "login": who },
    })
}
