//! Merges that are told without their merger: a CDEvent says where and which, and the forge is asked the rest, once
//! nobody waits for the answer.

use domain::on_merge::errands::{self, Errand, Unread, Which};
use domain::{ChangeKind, Credit, Reason};
use house_tests::peer::Peer;
use house_tests::{REPOSITORY, Stage, commit, configuration};
use recent_deployers::demo::payloads;
use serde_json::{Value, json};

/// A service, a source of CDEvents, and a forge of this kind that can be asked.
async fn asking(kind: &str, forge: &Peer) -> Stage {
    let mut text = format!("{}[senders.cdevents]\nsecret = \"alertmanager\"\n", configuration(&["edxapp", "cms"]));
    text = text.replace("github = [\"feanil\"]", "github = [\"feanil\"]\ngitlab = [\"feanil\"]\ngitea = [\"feanil\"]");
    if kind != "github" {
        text.push_str(&format!("[senders.{kind}]\n"));
    }
    let address = forge.address.clone();
    Stage::with(&text, |c| {
        let source = c.senders.get_mut(kind).unwrap();
        (source.api_token, source.api_url) = (Some("api".into()), Some(address));
    })
    .await
}

fn event(day: &Stage, id: &str, repository: &str) -> Value {
    json!({
        "context": { "specversion": "0.5.0", "id": "e-1", "source": "/ci", "type": "dev.cdevents.change.merged.0.3.0", "timestamp": day.clock.now() },
        "subject": { "id": id, "source": "/ci", "content": { "repository": { "id": repository, "source": "https://git.example.com" } } },
    })
}

/// The merge of `id` is told, now. What was answered.
async fn tell(day: &Stage, id: &str) -> Value {
    post(day, &event(day, id, REPOSITORY)).await
}

async fn post(day: &Stage, event: &Value) -> Value {
    let headers = payloads::token_headers(house_tests::TOKEN);
    let response = day.post("/merge/cdevents", headers, event.to_string().as_bytes()).await;
    assert_eq!(response.status, 200, "{}", response.body);
    serde_json::from_str(&response.body).unwrap()
}

/// The pull request as GitHub and Gitea tell it.
fn pull(day: &Stage, number: u64) -> Value {
    json!({
        "number": number, "title": format!("change number {number}"), "body": "", "state": "closed", "merged": true,
        "user": { "login": "usama", "id": 1 }, "merged_by": { "login": "feanil", "id": 2 }, "merged_at": day.clock.now(),
        "merge_commit_sha": commit(number), "labels": [{ "name": "bug" }], "head": { "ref": "usama/fix" },
        "base": { "ref": "master", "repo": { "default_branch": "master", "full_name": REPOSITORY } },
    })
}

/// What was asked since about merges, without the protocol.
fn asked(forge: &Peer) -> Vec<String> {
    let path = |line: &str| line.trim_start_matches("GET ").trim_end_matches(" HTTP/1.1").to_owned();
    let about_files = |path: &String| path.contains("/files") || path.contains("/diffs");
    forge.received().iter().map(|request| path(&request.line)).filter(|path| !about_files(path)).collect()
}

async fn log(day: &Stage) -> Vec<Reason> {
    let log = day.house.store.log(&"cms".parse().unwrap(), 100).await.unwrap();
    log.into_iter().map(|entry| entry.reason).collect()
}

#[tokio::test]
async fn github_is_asked_who_merged() {
    let forge = Peer::start().await;
    let mut day = asking("github", &forge).await;
    forge.always_answers("/files?", 200, "[]");
    forge.always_answers(&format!("/repos/{REPOSITORY}/pulls/12 "), 200, pull(&day, 12).to_string());
    forge.always_answers("/commits/", 200, json!([pull(&day, 12)]).to_string());
    forge.always_answers("/pulls?state=closed", 200, json!([pull(&day, 12)]).to_string());
    let answer = tell(&day, "pulls/12").await;
    assert_eq!(answer["decided"], "merge_to_be_read");
    assert_eq!(asked(&forge), [format!("/repos/{REPOSITORY}/pulls/12")]);
    for service in ["edxapp", "cms"] {
        assert_eq!(day.windows(service).await, ["edx-platform#12 feanil standby"]);
    }
    let situation = day.situation("cms").await;
    assert!(situation.errands.is_empty());
    let change = &situation.changes.values().next().unwrap().value;
    assert_eq!((change.author.name(), change.merger.credit), ("usama", Credit::Merged));
    assert_eq!((change.kind, change.labels.as_slice()), (ChangeKind::PullRequest { number: 12 }, &["bug".into()][..]));

    // Told again, by number, by commit and by branch: the same window. So is the forge's own report.
    for id in ["12", &commit(12), "usama/fix"] {
        assert_eq!(tell(&day, id).await["decided"], "merge_to_be_read");
        assert!(asked(&forge).last().unwrap().ends_with("/pulls/12"), "{id}");
    }
    day.merge("feanil", 12).await;
    assert_eq!(day.windows("cms").await, ["edx-platform#12 feanil standby"]);
    day.at("Fri 14:00").await;
    assert!(asked(&forge).is_empty(), "nothing is left to ask");
}

#[tokio::test]
async fn a_merge_that_the_forge_reported_itself_has_one_window() {
    let forge = Peer::start().await;
    let day = asking("github", &forge).await;
    forge.always_answers("/files?", 200, "[]");
    forge.always_answers(&format!("/repos/{REPOSITORY}/pulls/12 "), 200, pull(&day, 12).to_string());
    day.merge("feanil", 12).await;
    tell(&day, "12").await;
    assert_eq!(day.windows("edxapp").await, ["edx-platform#12 feanil standby"]);
    assert!(log(&day).await.contains(&Reason::AlreadyKnown));
}

#[tokio::test]
async fn who_told_the_bot_to_merge_is_known() {
    let forge = Peer::start().await;
    let day = asking("github", &forge).await;
    forge.always_answers("/files?", 200, "[]");
    let mut by_bot = pull(&day, 12);
    by_bot["merged_by"] = json!({ "login": "merge[bot]" });
    forge.always_answers(&format!("/repos/{REPOSITORY}/pulls/12 "), 200, by_bot.to_string());
    tell(&day, "12").await;
    assert_eq!(day.windows("cms").await, ["edx-platform#12 usama standby"]);
    let enqueued = json!({
        "action": "enqueued", "number": 12, "sender": { "login": "feanil" },
        "pull_request": { "number": 12, "updated_at": day.clock.now(), "base": { "ref": "master" } },
        "repository": { "full_name": REPOSITORY },
    });
    assert_eq!(day.github("/merge/github", &enqueued).await.status, 200);
    assert_eq!(day.windows("cms").await, ["edx-platform#12 feanil standby"]);
}

#[tokio::test]
async fn gitlab_is_asked_who_merged() {
    let forge = Peer::start().await;
    let day = asking("gitlab", &forge).await;
    let home = "/projects/openedx%2Fedx-platform";
    let request = json!({
        "iid": 12, "title": "change number 12", "state": "merged", "target_branch": "master", "labels": ["bug"],
        "author": { "username": "usama" }, "merge_user": { "username": "feanil" }, "merged_at": day.clock.now(),
        "merge_commit_sha": null, "squash_commit_sha": commit(12), "sha": commit(11), "web_url": "https://gitlab.com/x",
    });
    forge.always_answers("/diffs?", 200, "[]");
    forge.always_answers(&format!("{home} "), 200, json!({ "default_branch": "master" }).to_string());
    forge.always_answers("/merge_requests/12 ", 200, request.to_string());
    forge.always_answers("/merge_requests?", 200, json!([request]).to_string());
    forge.always_answers(&format!("{}/merge_requests ", commit(12)), 200, json!([request]).to_string());
    tell(&day, "!12").await;
    assert_eq!(asked(&forge), [format!("{home}/merge_requests/12"), home.to_owned()]);
    assert_eq!(day.windows("cms").await, ["edx-platform#12 feanil standby"]);
    let situation = day.situation("cms").await;
    let change = &situation.changes.values().next().unwrap().value;
    assert_eq!((change.id.commit.as_str(), change.commits[0].as_str()), (commit(12).as_str(), commit(11).as_str()));
    for (id, path) in [
        (commit(12), format!("{home}/repository/commits/{}/merge_requests", commit(12))),
        ("usama/fix".to_owned(), format!("{home}/merge_requests?state=merged&source_branch=usama%2Ffix")),
    ] {
        tell(&day, &id).await;
        assert_eq!(asked(&forge)[0], path);
    }
    assert_eq!(day.windows("cms").await.len(), 1);
}

#[tokio::test]
async fn gitea_is_asked_who_merged() {
    let forge = Peer::start().await;
    let day = asking("gitea", &forge).await;
    forge.always_answers("/files?", 200, "[]");
    forge.always_answers(&format!("/repos/{REPOSITORY}/pulls/12 "), 200, pull(&day, 12).to_string());
    forge.always_answers(&format!("/commits/{}/pull ", commit(12)), 200, pull(&day, 12).to_string());
    forge.always_answers("/pulls?state=closed&sort=recentupdate", 200, json!([pull(&day, 12)]).to_string());
    for id in ["12", &commit(12), "usama/fix"] {
        tell(&day, id).await;
        assert!(asked(&forge).last().unwrap().ends_with("/pulls/12"), "{id}");
        assert_eq!(day.windows("cms").await, ["edx-platform#12 feanil standby"]);
    }
}

#[tokio::test]
async fn a_forge_that_does_not_answer_is_asked_again_and_given_up() {
    for (status, body, why) in [
        (503, String::new(), "the forge answered 503"),
        (404, String::new(), "the forge answered 404"),
        (
            200,
            json!({ "number": 12, "merged_at": null, "base": { "ref": "master" } }).to_string(),
            "it is not merged yet",
        ),
        (
            200,
            "[".repeat(100_000),
            "the forge's answer cannot be read: not the JSON that was expected at line 1, column 1",
        ),
    ] {
        let forge = Peer::start().await;
        let mut day = asking("github", &forge).await;
        forge.always_answers("/pulls/12 ", status, body);
        tell(&day, "12").await;
        assert_eq!(tell(&day, "12").await["decided"], "already_known");
        day.at("Fri 14:00").await;
        assert_eq!(asked(&forge).len(), 5, "{why}");
        let unread = Reason::MergeUnread { why: why.to_owned() };
        assert_eq!(
            log(&day).await.iter().filter(|reason| **reason == unread).count(),
            5,
            "{why}: {:?}",
            log(&day).await
        );
        let situation = day.situation("cms").await;
        assert!(situation.errands.is_empty() && situation.changes.is_empty());
    }
}

#[tokio::test]
async fn a_forge_that_comes_to_itself_is_heard() {
    let forge = Peer::start().await;
    let mut day = asking("github", &forge).await;
    forge.always_answers("/files?", 200, "[]");
    forge.always_answers("/pulls/12 ", 503, "");
    forge.always_answers("/pulls?", 200, "[]");
    tell(&day, "12").await;
    tell(&day, "mySubject123").await;
    assert!(day.windows("cms").await.is_empty());
    forge.always_answers("/pulls/12 ", 200, pull(&day, 12).to_string());
    day.at("Fri 12:02").await;
    assert_eq!(day.windows("cms").await, ["edx-platform#12 feanil standby"]);
    day.at("Fri 14:00").await;
    let why = "the forge knows no merged change by this name".to_owned();
    assert!(log(&day).await.contains(&Reason::MergeUnread { why }));
    assert!(day.situation("cms").await.errands.is_empty());
}

#[tokio::test]
async fn what_nobody_can_be_asked_about_is_ignored_with_its_reason() {
    let forge = Peer::start().await;
    let day = asking("github", &forge).await;
    let elsewhere = post(&day, &event(&day, "12", "somebody/else")).await;
    assert_eq!(elsewhere["ignored"], Reason::RepositoryNotServed.to_string());
    forge.always_answers("/pulls/12 ", 200, json!({ "number": 12 }).to_string());

    let text = format!("{}[senders.cdevents]\nsecret = \"alertmanager\"\n", configuration(&["edxapp"]));
    let day = Stage::with(&text, |_| {}).await;
    let (answer, cost) = day.cost(tell(&day, "12")).await;
    assert_eq!(answer["ignored"], Reason::NoForgeToAsk.to_string());
    assert_eq!(cost, [0; 4], "nothing is stored");
    assert!(forge.received().is_empty());

    // A forge that we do not ask for merges says so, and not for ever.
    let forge = Peer::start().await;
    let mut day = asking("azure", &forge).await;
    assert_eq!(tell(&day, "12").await["decided"], "merge_to_be_read");
    day.at("Fri 14:00").await;
    assert!(day.situation("cms").await.errands.is_empty());
    assert!(log(&day).await.contains(&Reason::MergeUnread { why: "this forge is not asked for merges".to_owned() }));
}

#[tokio::test]
async fn a_source_speaks_for_its_own_repositories_only() {
    let text = format!(
        "{}[senders.cdevents]\nsecret = \"alertmanager\"\nrepositories = [\"other/*\"]\n",
        configuration(&["edxapp"])
    );
    let day = Stage::with(&text, |_| {}).await;
    let body = event(&day, "12", REPOSITORY).to_string();
    let response = day.post("/merge/cdevents", payloads::token_headers(house_tests::TOKEN), body.as_bytes()).await;
    assert_eq!(response.status, 403);
    let response = day.post("/merge/cdevents", payloads::token_headers("wrong"), body.as_bytes()).await;
    assert_eq!(response.status, 401);
}

#[tokio::test]
async fn of_several_forges_the_one_in_the_address_is_asked() {
    let (github, gitlab) = (Peer::start().await, Peer::start().await);
    let text = format!(
        "{}[senders.cdevents]\nsecret = \"alertmanager\"\n[senders.gitlab]\napi_token = \"api\"\napi_url = \"{}\"\n",
        configuration(&["cms"]),
        gitlab.address
    );
    let address = github.address.clone();
    let day = Stage::with(&text, |c| {
        let source = c.senders.get_mut("github").unwrap();
        (source.api_token, source.api_url) = (Some("api".into()), Some(address));
    })
    .await;
    let mut merged = event(&day, "12", REPOSITORY);
    merged["subject"]["content"]["repository"]["source"] = json!("https://gitlab.example.com");
    post(&day, &merged).await;
    assert_eq!((github.received().len(), gitlab.received().len()), (0, 1));
}

#[tokio::test]
async fn what_no_token_can_ask_any_more_does_not_stay_for_ever() {
    let mut day = Stage::with(&configuration(&["cms"]), |_| {}).await;
    let now = day.clock.now();
    let told = Unread { repository: REPOSITORY.parse().unwrap(), which: Which::Number(12), forge: None, at: None };
    let errand = Errand::new(told, now);
    let decide = |situation: &domain::Situation| errands::noted(&errand, situation, now);
    day.house.store.decide(&"cms".parse().unwrap(), now, decide).await.unwrap();
    day.at("Mon 11:00").await;
    assert_eq!(day.situation("cms").await.errands.len(), 1);
    day.at("Mon 13:00").await;
    assert!(day.situation("cms").await.errands.is_empty());
    assert!(log(&day).await.contains(&Reason::NoForgeToAsk));
}
