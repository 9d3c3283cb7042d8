//! Modes as a team meets them: shadow records what page would send, notify uses chats only, wrong pages lower the mode, a person raises
//! it again; and what is opened and merged by itself.

use aws::links::Action;
use domain::{Entry, Mode};
use expect_test::expect;
use house_tests::{REPOSITORY, Stage, commit, configuration};
use serde_json::{Value, json};

use crate::undo::fake::Fake;

/// The stories' configuration with `edxapp` in this mode.
fn in_mode(mode: &str) -> String {
    configuration(&["edxapp"]).replace("[services.edxapp]\n", &format!("[services.edxapp]\nmode = \"{mode}\"\n"))
}

/// A change goes live and breaks it; nobody answers for a while; it is over, and somebody says which change it was.
async fn a_bad_day(day: &mut Stage) {
    day.merge("anna", 100).await;
    day.deploy("prod", "success", 100).await;
    day.at("Fri 12:05").await.merge("feanil", 1).await;
    day.merge("usama", 2).await;
    day.at("Fri 12:10").await.deploy("prod", "in_progress", 2).await;
    day.at("Fri 12:14").await.deploy("prod", "success", 2).await;
    day.at("Fri 12:20").await.alert("edxapp", "Fri 12:19", false).await;
    day.at("Fri 12:40").await;
    day.alert("edxapp", "Fri 12:19", true).await;
    day.at("Sat 14:00").await;
}

/// The log but for what became of each message.
async fn decided(day: &Stage) -> Vec<Entry> {
    let service = "edxapp".parse().unwrap();
    let log = day.house.store.log(&service, 10_000).await.unwrap();
    log.into_iter().filter(|entry| !entry.what.contains("delivered: ")).collect()
}

#[tokio::test]
async fn shadow_decides_what_page_decides_and_tells_nobody() {
    let mut paged = Stage::with(&in_mode("page"), |_| {}).await;
    Box::pin(a_bad_day(&mut paged)).await;
    let mut shadow = Stage::with(&in_mode("shadow"), |_| {}).await;
    Box::pin(a_bad_day(&mut shadow)).await;
    assert!(paged.heard().iter().any(|line| line.starts_with("PAGE")));
    assert_eq!(shadow.heard(), [""; 0]);
    let (paged_log, shadow_log) = (decided(&paged).await, decided(&shadow).await);
    assert!(paged_log.len() > 20, "{paged_log:#?}");
    assert_eq!(shadow_log, paged_log);
    // Each message came to its end, with its reason.
    let service = "edxapp".parse().unwrap();
    assert!(shadow.house.store.outbox(&service).await.unwrap().is_empty());
    let log = shadow.house.store.log(&service, 10_000).await.unwrap();
    let ends: Vec<&Entry> = log.iter().filter(|entry| entry.what.contains("not delivered: ")).collect();
    assert!(!ends.is_empty() && ends.iter().all(|entry| entry.reason == domain::Reason::ShadowMode), "{ends:#?}");
    // A drill is somebody's wish: it goes out.
    let link = shadow.link(Action::OnCall(service.clone()), "olga");
    shadow.post(&link, Vec::new(), b"do=drill&person=anna").await;
    assert_eq!(shadow.heard().len(), 1);
}

#[tokio::test]
async fn an_incident_in_shadow_says_whom_it_would_have_paged() {
    let mut day = Stage::with(&in_mode("shadow"), |_| {}).await;
    day.merge("anna", 100).await;
    day.deploy("prod", "success", 100).await;
    day.at("Fri 12:05").await.merge("feanil", 1).await;
    day.at("Fri 12:10").await.deploy("prod", "success", 1).await;
    day.at("Fri 12:20").await.alert("edxapp", "Fri 12:19", false).await;
    day.at("Fri 12:30").await;
    let incident = day.incident("edxapp").await;
    assert!(incident.pages.len() >= 2 && incident.pages.iter().all(|page| page.mode == Mode::Shadow));
    let page = day.get(&format!("/incidents/{}", incident.id)).await.body;
    assert!(page.contains("would be paged") && page.contains("mode shadow"), "{page}");
    let board = day.get("/").await.body;
    assert!(board.contains("mode shadow") && board.contains("nobody is told"), "{board}");
}

#[tokio::test]
async fn notify_uses_chats_and_wakes_nobody() {
    let text = in_mode("notify").replace(
        "github = [\"anna\"]\ncontacts = [\"terminal\"]",
        "github = [\"anna\"]\ncontacts = [\"sms:+15555550123\"]",
    );
    let text = format!("{text}\n[receivers.sms]\nurl = \"http://127.0.0.1:9\"\n");
    let mut day = Stage::with(&text, |_| {}).await;
    Box::pin(a_bad_day(&mut day)).await;
    let heard = day.heard();
    assert!(heard.iter().any(|line| line.starts_with("PAGE to usama")), "by the terminal: {heard:#?}");
    let service = "edxapp".parse().unwrap();
    let log = day.house.store.log(&service, 10_000).await.unwrap();
    let anna = log.iter().find(|entry| entry.what.starts_with("page to anna not delivered")).unwrap();
    assert_eq!(anna.reason, domain::Reason::NoChat);
}

/// What `who` says of the mode, and what they are told.
async fn says(day: &Stage, who: &str, form: &str) -> String {
    let link = day.link(Action::Queue("edxapp".parse().unwrap()), who);
    let answer = day.post(&link, vec![("accept".into(), "application/json".into())], form.as_bytes()).await;
    let said: Value = serde_json::from_str(&answer.body).unwrap();
    format!("{} {}: {}", answer.status, said["title"].as_str().unwrap(), said["text"].as_str().unwrap())
}

#[tokio::test]
async fn people_lower_it_owners_raise_it_and_it_is_in_force_at_once() {
    let mut day = Stage::with(&in_mode("page"), |_| {}).await;
    expect!["200 Mode shadow: In edxapp what would be done is recorded; nobody is told."]
        .assert_eq(&says(&day, "usama", "do=mode&mode=shadow&why=noise").await);
    expect!["409 Nothing was done: Whoever owns the service, or is on its rotation, raises its mode."]
        .assert_eq(&says(&day, "usama", "do=mode&mode=page").await);
    expect!["409 Nothing was done: The configuration says page: more than that is said there, by whoever deploys it."]
        .assert_eq(&says(&day, "olga", "do=mode&mode=act").await);
    expect!["400 Not understood: `mode` is manual, shadow, notify, page, propose or act"]
        .assert_eq(&says(&day, "olga", "do=mode&mode=everything").await);
    day.heard();
    day.merge("feanil", 1).await;
    day.at("Fri 12:10").await.deploy("prod", "success", 1).await;
    assert_eq!(day.heard(), [""; 0]);
    let form = day.get(&day.link(Action::Queue("edxapp".parse().unwrap()), "olga")).await.body;
    assert!(form.contains("The configuration says page; it was lowered: noise."), "{form}");
    expect!["200 Mode page: In edxapp responders are told of their turns and paged."]
        .assert_eq(&says(&day, "olga", "do=mode&mode=page").await);
    day.at("Fri 12:20").await.alert("edxapp", "Fri 12:19", false).await;
    assert!(day.heard().iter().any(|line| line.starts_with("PAGE to feanil")));
}

/// `edxapp` in this mode, whose reverts this forge opens; 50 % are enough.
async fn with_forge(mode: &str, forge: &Fake) -> Stage {
    with_forge_and(mode, forge, "", "").await
}

/// `acts`: what else is said there; `rest`: what else is in the configuration.
async fn with_forge_and(mode: &str, forge: &Fake, acts: &str, rest: &str) -> Stage {
    with_forge_of("github", mode, forge, acts, rest).await
}

async fn with_forge_of(kind: &str, mode: &str, forge: &Fake, acts: &str, rest: &str) -> Stage {
    let text = in_mode(mode).replace(
        "[services.edxapp.environments.production]",
        &format!("acts = {{ canary = \"track=canary\", likely_from = \"50 %\"{acts} }}\nchannel = [\"terminal\"]\n[services.edxapp.policy]\npropose_from = \"50 %\"\n[services.edxapp.environments.production]"),
    );
    let source = format!(
        "\n[senders.forge]\nkind = \"{kind}\"\nsecret = \"hook\"\napi_token = \"api\"\napi_url = \"{}\"\nreverts = true\nrepositories = [\"openedx/*\"]\n{rest}",
        forge.address
    );
    let mut day = Stage::with(&format!("{text}{source}"), |_| {}).await;
    day.merge("anna", 100).await;
    day.deploy("prod", "success", 100).await;
    day.at("Fri 12:05").await.merge("feanil", 1).await;
    day.at("Fri 12:10").await.deploy("prod", "success", 1).await;
    day.heard();
    forge.done();
    day
}

/// An alert that says that it is of the canary.
async fn canary(day: &Stage, since: &str) {
    let mut alert = day.alerting("edxapp", since, false);
    alert["alerts"][0]["labels"]["track"] = json!("canary");
    let headers = recent_deployers::demo::payloads::token_headers(house_tests::TOKEN);
    assert_eq!(day.post("/alert/alertmanager", headers, alert.to_string().as_bytes()).await.status, 200);
}

#[tokio::test]
async fn propose_opens_the_pull_request_and_merges_nothing() {
    let forge = Fake::start().await;
    let mut day = with_forge("propose", &forge).await;
    day.at("Fri 12:20").await;
    canary(&day, "Fri 12:19").await;
    assert_eq!(forge.done(), ["POST /graphql", "POST /repos/openedx/edx-platform/issues/900/labels"]);
    let body = forge.pulls()[0]["body"].as_str().unwrap().to_owned();
    assert!(body.contains("by Recent Deployers itself, for feanil: it is the likely cause of an incident."), "{body}");
    let heard = day.heard();
    assert!(
        heard.contains(&"notice to feanil: edx-platform#900 reverts edx-platform#1: merge it".to_owned()),
        "{heard:#?}"
    );
    day.at("Fri 12:50").await;
    assert_eq!(forge.done(), [""; 0]);
}

#[tokio::test]
async fn act_merges_it_once_however_often_it_is_told_and_whatever_fails_meanwhile() {
    let forge = Fake::start().await;
    let mut day = with_forge("act", &forge).await;
    // The forge merges it, and its answer is lost; then it is down.
    forge.knows(|known| {
        known.mishaps = vec![("PUT", 500, true), ("GET /repos/openedx/edx-platform/pulls/900", 503, false)]
    });
    day.at("Fri 12:20").await;
    canary(&day, "Fri 12:19").await;
    canary(&day, "Fri 12:19").await;
    day.at("Fri 12:30").await;
    let puts = |done: &[String]| done.iter().filter(|line| line.starts_with("PUT")).count();
    let done = forge.done();
    assert_eq!(puts(&done), 1, "{done:?}");
    let heard = day.heard();
    let told: Vec<&String> = heard.iter().filter(|line| line.contains("was reverted by itself")).collect();
    assert_eq!(told.len(), 2, "feanil and the channel: {heard:#?}");
    let merging = day.incident("edxapp").await.proposed.unwrap().merging;
    assert!(matches!(merging, domain::autopilot::Merging::Done { .. }), "{merging:?}");
}

#[tokio::test]
async fn what_somebody_added_to_it_is_not_merged_and_people_are_told() {
    let forge = Fake::start().await;
    let mut day = with_forge("act", &forge).await;
    forge.knows(|known| known.mishaps = vec![("GET /repos/openedx/edx-platform/pulls/900", 503, false)]);
    day.at("Fri 12:20").await;
    canary(&day, "Fri 12:19").await;
    forge.knows(|known| known.pulls[0]["head"]["sha"] = json!("ffffffffffffffffffffffffffffffffffffffff"));
    day.heard();
    day.at("Fri 12:25").await;
    assert!(forge.done().iter().all(|line| !line.starts_with("PUT")));
    let heard = day.heard();
    assert!(
        heard.contains(&"notice to feanil: The revert of edx-platform#1 is yours to merge".to_owned()),
        "{heard:#?}"
    );
}

/// A GitLab in which #1 was merged as one commit.
async fn gitlab() -> Fake {
    let forge = Fake::start().await;
    forge.knows(|known| known.merged_as = json!({ "merge_commit_sha": commit(1) }));
    forge
}

#[tokio::test]
async fn gitlab_is_asked_again_until_it_merges_and_then_never() {
    let forge = gitlab().await;
    let mut day = with_forge_of("gitlab", "act", &forge, "", "").await;
    // Its pipeline runs yet; then it merges, and its answer is lost.
    forge.knows(|known| known.mishaps = vec![("900/merge", 405, false), ("900/merge", 500, true)]);
    day.at("Fri 12:20").await;
    canary(&day, "Fri 12:19").await;
    day.at("Fri 12:40").await;
    let merged = forge.done().iter().filter(|line| line.ends_with("900/merge")).count();
    assert_eq!((merged, &forge.pulls()[0]["state"]), (1, &json!("merged")));
    let told = day.heard().iter().filter(|line| line.contains("was reverted by itself")).count();
    assert_eq!(told, 2, "feanil and the channel");
    let merging = day.incident("edxapp").await.proposed.unwrap().merging;
    assert!(matches!(merging, domain::autopilot::Merging::Done { .. }), "{merging:?}");
}

#[tokio::test]
async fn what_gitlab_does_not_merge_by_itself_is_left_to_people_with_the_reason() {
    for (field, value, want) in [
        ("sha", "ffffffffffffffffffffffffffffffffffffffff", "something was added to it"),
        ("state", "closed", "it was closed"),
        ("", "", "the token may not merge it"),
    ] {
        let forge = gitlab().await;
        let mut day = with_forge_of("gitlab", "act", &forge, "", "").await;
        forge.knows(|known| {
            known.mishaps = vec![("GET /projects/openedx%2Fedx-platform/merge_requests/900", 503, false)]
        });
        day.at("Fri 12:20").await;
        canary(&day, "Fri 12:19").await;
        forge.knows(|known| {
            if field.is_empty() {
                known.mishaps.push(("900/merge", 403, false));
            } else {
                known.pulls[0][field] = json!(value);
            }
        });
        day.heard();
        day.at("Fri 12:25").await;
        assert!(forge.done().iter().all(|line| !line.ends_with("900/merge")), "{want}");
        let heard = day.heard();
        assert!(
            heard.contains(&"notice to feanil: The revert of edx-platform#1 is yours to merge".to_owned()),
            "{heard:#?}"
        );
        let merging = day.incident("edxapp").await.proposed.unwrap().merging;
        let domain::autopilot::Merging::Left { why, .. } = merging else { panic!("{want}: {merging:?}") };
        assert_eq!(why, want);
    }
}

#[tokio::test]
async fn a_merge_freeze_holds_the_machine_too() {
    let forge = Fake::start().await;
    let mut day = with_forge("act", &forge).await;
    let link = day.link(Action::Freezes, "olga");
    let form =
        format!("do=freeze&name=Move&merges=require&repositories={REPOSITORY}&from=&until=2026-03-20+20:00&zone=UTC");
    let answer = day.post(&link, Vec::new(), form.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    day.at("Fri 12:20").await;
    canary(&day, "Fri 12:19").await;
    day.at("Fri 12:25").await;
    assert!(forge.done().iter().all(|line| !line.starts_with("PUT")));
    let merging = day.incident("edxapp").await.proposed.unwrap().merging;
    let domain::autopilot::Merging::Left { why, .. } = merging else { panic!("{merging:?}") };
    assert_eq!(why, "a freeze holds merging");
}

#[tokio::test]
async fn act_has_argo_cd_go_back_once_however_often_it_is_told_and_whatever_fails_meanwhile() {
    let forge = Fake::start().await;
    let argo =
        crate::pipelines::back::Argo::start(&[house_tests::commit(100).as_str(), house_tests::commit(1).as_str()])
            .await;
    let pipeline = format!("\n[pipelines.argo-cd]\nurl = \"{}\"\nsecret = \"api\"\n", argo.address);
    let mut day = with_forge_and("act", &forge, ", rolls_back = \"argo-cd:edx/edxapp\"", &pipeline).await;
    // It goes back, and its answer is lost.
    argo.loses_the_answer_of("POST");
    day.at("Fri 12:20").await;
    canary(&day, "Fri 12:19").await;
    canary(&day, "Fri 12:19").await;
    day.at("Fri 12:30").await;
    assert_eq!(argo.done(), ["rollback to 0"]);
    let heard = day.heard();
    let told: Vec<&String> = heard.iter().filter(|line| line.contains("is taken back by itself")).collect();
    assert_eq!(told.len(), 2, "feanil and the channel: {heard:#?}");
    assert!(forge.done().iter().all(|line| !line.starts_with("PUT")), "its revert is opened, and not merged");
    assert_eq!(forge.pulls().len(), 1);
    let merging = day.incident("edxapp").await.proposed.unwrap().merging;
    assert!(matches!(merging, domain::autopilot::Merging::Done { .. }), "{merging:?}");
}
