//! Sources: what a secret speaks for; and pipelines that name things in their own words.

use domain::{DeployEvent, DeploymentEvent, DeploymentState, Manner, Reference, Revision, StandsFor};
use house_tests::{Stage, commit, configuration};
use recent_deployers::demo::payloads::{github_headers, token_headers};
use serde_json::{Value, json};

const SECRETS: [(&str, &str); 2] = [("github", "It's a Secret to Everybody"), ("alertmanager", "alertmanager-token")];

/// Two services of one repository, and sources that speak for one of two each.
async fn stage() -> Stage {
    let mut text = configuration(&["lms", "cms"]);
    for (name, kind, scope) in [
        ("github-ours", "github", "repositories = [\"openedx/*\"]"),
        ("github-theirs", "github", "repositories = [\"partner/plugin\"]"),
        ("deploys-lms", "github", "services = [\"lms\"]"),
        ("alerts-lms", "alertmanager", "services = [\"lms\"]"),
        ("alerts-eu", "alertmanager", ""),
    ] {
        text.push_str(&format!("[senders.{name}]\nkind = \"{kind}\"\nsecret = \"{kind}\"\n{scope}\n"));
    }
    Stage::with(&text, |_| {}).await
}

async fn github(stage: &Stage, path: &str, payload: &Value) -> (u16, String) {
    let body = payload.to_string();
    let answer = stage.post(path, github_headers("", SECRETS[0].1, body.as_bytes()), body.as_bytes()).await;
    (answer.status, answer.body)
}

async fn alert(stage: &Stage, source: &str, service: &str, over: bool) -> Value {
    let body = stage.alerting(service, "Fri 12:00", over).to_string();
    let answer = stage.post(&format!("/alert/{source}"), token_headers(SECRETS[1].1), body.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test]
async fn a_forges_secret_speaks_for_its_repositories_only() {
    let stage = stage().await;
    let merged = stage.merged("feanil", 12);
    let (refused, cost) = stage.cost(github(&stage, "/merge/github-theirs", &merged)).await;
    assert_eq!((refused.0, cost), (403, [0; 4]), "{}", refused.1);
    assert!(refused.1.contains("see `repositories` of its source"), "{}", refused.1);
    assert_eq!(github(&stage, "/merge/github-ours", &merged).await.0, 200);
    assert_eq!(stage.windows("lms").await, ["edx-platform#12 feanil standby"]);
}

#[tokio::test]
async fn a_pipelines_secret_speaks_for_its_services_only() {
    let stage = stage().await;
    github(&stage, "/merge/github", &stage.merged("feanil", 12)).await;
    let deployed = stage.deployed("prod", "success", 12);
    let (status, body) = github(&stage, "/deploy/deploys-lms", &deployed).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(stage.windows("lms").await, ["edx-platform#12 feanil active until Fri 13:00"]);
    assert_eq!(stage.windows("cms").await, ["edx-platform#12 feanil standby"], "not for this one");
    let mut elsewhere = Stage::with(
        &(configuration(&["cms"])
            + "[senders.deploys-lms]\nkind = \"github\"\nsecret = \"github\"\nservices = [\"cms\"]\n"),
        |c| {
            c.senders.get_mut("deploys-lms").unwrap().services = vec!["lms".parse().unwrap()];
        },
    )
    .await;
    elsewhere.at("Fri 12:01").await;
    assert_eq!(github(&elsewhere, "/deploy/deploys-lms", &deployed).await.0, 403);
}

#[tokio::test]
async fn a_monitors_secret_neither_opens_nor_resolves_what_is_anothers_and_nothing_is_dropped() {
    let stage = stage().await;
    alert(&stage, "alertmanager", "cms", false).await;
    assert!(stage.incident("cms").await.is_open());
    stage.heard();
    // The same alert, resolved by who speaks for `lms` only.
    let answer = alert(&stage, "alerts-lms", "cms", true).await;
    assert_eq!(answer["details"]["places"][0]["service"], "unmapped");
    assert!(stage.incident("cms").await.is_open());
    // Another one of theirs about `cms` is seen by the default rotation.
    let answer = alert(&stage, "alerts-lms", "cms", false).await;
    assert_eq!(answer["details"]["places"][0]["service"], "unmapped", "{answer}");
    assert_eq!(alert(&stage, "alerts-lms", "lms", false).await["details"]["places"][0]["service"], "lms");
}

#[tokio::test]
async fn two_monitors_that_use_one_fingerprint_do_not_resolve_each_others_alerts() {
    let stage = stage().await;
    alert(&stage, "alertmanager", "lms", false).await;
    alert(&stage, "alerts-eu", "lms", false).await;
    alert(&stage, "alerts-eu", "lms", true).await;
    assert!(stage.incident("lms").await.is_open(), "it still fires in the other region");
    alert(&stage, "alertmanager", "lms", true).await;
    assert!(!stage.incident("lms").await.is_open());
}

/// A report of a pipeline that moves an image.
fn moved(image: &str, state: DeploymentState) -> DeployEvent {
    DeployEvent::Moved(Box::new(DeploymentEvent {
        recurs: false,
        source: "argo-rollouts".into(),
        id: "k8s/edxapp/5d4f".into(),
        repository: None,
        names: vec!["edxapp".into()],
        environments: vec!["prod".into()],
        revision: Revision::Named(Reference::image(image).unwrap()),
        manner: Manner::Progressive,
        state,
        at: None,
        created_at: None,
        note: None,
        url: None,
    }))
}

fn built(image: &str, number: u64) -> DeployEvent {
    let revision = Revision::Commit(commit(number).parse().unwrap());
    DeployEvent::StandsFor(StandsFor { reference: Reference::image(image).unwrap(), repository: None, revision })
}

#[tokio::test]
async fn an_image_stands_for_its_commit_whichever_news_comes_first() {
    let image = "ghcr.io/openedx/edxapp:2.1";
    let mut ends = Vec::new();
    for built_first in [true, false] {
        let mut stage = Stage::new().await;
        stage.merge("feanil", 12).await;
        stage.at("Fri 12:05").await.merge("usama", 13).await;
        stage.at("Fri 12:10").await;
        let (build, rollout) = (built(image, 12), moved(image, DeploymentState::Started));
        let news = if built_first { [build, rollout] } else { [rollout, build] };
        for event in news {
            on_deploy::keep_all(&stage.house, vec![event], None).await.unwrap();
        }
        stage.bundle.quiesce().await;
        ends.push(stage.windows("edxapp").await);
    }
    assert_eq!(ends[0], ["edx-platform#12 feanil active until Fri 16:10", "edx-platform#13 usama standby"]);
    assert_eq!(ends[0], ends[1]);
}

#[tokio::test]
async fn a_reference_may_stand_for_another_one_and_a_loop_of_them_ends() {
    let stage = Stage::new().await;
    stage.merge("feanil", 12).await;
    let reference = |text: &str| text.parse::<Reference>().unwrap();
    let stands = |from: &str, to: Revision| {
        DeployEvent::StandsFor(StandsFor { reference: reference(from), repository: None, revision: to })
    };
    let events = vec![
        stands("ecs:1", Revision::Named(reference("image:edxapp:2"))),
        stands("image:edxapp:2", Revision::Commit(commit(12).parse().unwrap())),
        stands("loop:1", Revision::Named(reference("loop:2"))),
        stands("loop:2", Revision::Named(reference("loop:1"))),
    ];
    on_deploy::keep_all(&stage.house, events, None).await.unwrap();
    for name in ["ecs:1", "loop:1"] {
        let DeployEvent::Moved(mut event) = moved("x", DeploymentState::Succeeded) else { unreachable!() };
        event.revision = Revision::Named(reference(name));
        event.id = name.to_owned();
        on_deploy::keep_all(&stage.house, vec![DeployEvent::Moved(event)], None).await.unwrap();
    }
    let known: Vec<_> = stage.situation("edxapp").await.deployments.into_values().map(|d| d.value.label()).collect();
    assert_eq!(known, ["edx-platform@0000000000", "loop:2"], "what is known of it, after a few steps");
}

#[tokio::test]
async fn a_rollout_that_gives_up_pages_its_merger_through_every_function() {
    let mut stage = Stage::new().await;
    stage.merge("feanil", 12).await;
    stage.at("Fri 12:10").await;
    let image = format!("ghcr.io/openedx/edxapp:{}", commit(12));
    on_deploy::keep_all(&stage.house, vec![moved(&image, DeploymentState::Started)], None).await.unwrap();
    stage.bundle.quiesce().await;
    stage.heard();
    stage.at("Fri 12:14").await;
    on_deploy::keep_all(&stage.house, vec![moved(&image, DeploymentState::Aborted)], None).await.unwrap();
    stage.bundle.quiesce().await;
    let heard = stage.heard();
    assert!(heard.contains(&"PAGE to feanil: [warning] edxapp production: RolloutAborted".to_owned()), "{heard:?}");
    let said = json!(stage.situation("edxapp").await.incidents.values().next().unwrap().value.suspects);
    assert!(said.to_string().contains("took traffic 4 min before the alert, in a deployment that failed"), "{said}");
}
