//! Pipelines that hold for a freeze, from the freeze to the pipeline and back: whatever call fails in between, the tick repairs it,
//! and nothing that we paused stays paused.

use aws::links::Action;
use aws::pipeline::PipelineKind;
use house_tests::peer::Peer;
use house_tests::{Stage, configuration};

use crate::pipelines::fake::Fake;

const KINDS: [(PipelineKind, &str, &str); 3] = [
    (PipelineKind::GoCd, "gocd", "edxapp-production"),
    (PipelineKind::CodePipeline, "codepipeline", "edxapp-production/Deploy"),
    (PipelineKind::ArgoCd, "argo-cd", "edx-project"),
];

async fn stage(kind: &str, id: &str, address: &str) -> Stage {
    let text = configuration(&["edxapp"])
        .replace("[services.edxapp]\n", &format!("[services.edxapp]\nholds = [\"{kind}:{id}\"]\n"));
    let secret = if kind == "codepipeline" { "" } else { "secret = \"api\"\n" };
    Stage::with(&format!("{text}\n[pipelines.{kind}]\nurl = \"{address}\"\n{secret}"), |_| {}).await
}

async fn freeze(stage: &Stage) {
    let link = stage.link(Action::Freezes, "olga");
    let form = "do=freeze&name=Week&from=2026-03-20+13:00&until=2026-03-20+15:00&zone=UTC";
    assert_eq!(stage.post(&link, Vec::new(), form.as_bytes()).await.status, 200);
}

fn holds(kind: PipelineKind, fake: &Fake) -> bool {
    let known = fake.known();
    match kind {
        PipelineKind::GoCd => known["paused"] == true,
        PipelineKind::CodePipeline => known["enabled"] == false,
        PipelineKind::ArgoCd => known["spec"]["syncWindows"].as_array().is_some_and(|windows| windows.len() > 1),
    }
}

#[tokio::test]
async fn each_pipeline_holds_for_the_freeze_and_goes_on_after_it() {
    for (kind, name, id) in KINDS {
        let fake = Fake::start(kind).await;
        let before = fake.known();
        let mut stage = stage(name, id, &fake.address).await;
        freeze(&stage).await;
        assert!(!holds(kind, &fake), "{name}");
        stage.at("Fri 13:00").await;
        assert!(holds(kind, &fake), "{name}: {}", fake.known());
        stage.at("Fri 14:59").await;
        assert!(holds(kind, &fake), "{name}");
        let board = stage.get("/services/edxapp").await.body;
        assert!(board.contains("holds until 15:00"), "{name}: {board}");
        stage.at("Fri 15:01").await;
        assert!(!holds(kind, &fake), "{name}: {}", fake.known());
        assert!(stage.situation("edxapp").await.pipelines.value.held.is_empty(), "{name}");
        if kind == PipelineKind::ArgoCd {
            let windows = |known: &serde_json::Value| known["spec"]["syncWindows"].clone();
            assert_eq!(windows(&fake.known()), windows(&before), "all else is as it was");
        }
    }
}

#[tokio::test]
async fn whichever_call_fails_it_is_repaired_by_the_tick() {
    for (kind, name, id) in KINDS {
        // The calls of the whole story, of which one after the other fails: before it does anything, or after it did.
        for (nth, after) in (0..6).flat_map(|nth| [(nth, false), (nth, true)]) {
            let fake = Fake::start(kind).await;
            let mut stage = stage(name, id, &fake.address).await;
            fake.fails(nth, after);
            freeze(&stage).await;
            stage.at("Fri 13:00").await;
            stage.tick_until("Fri 13:04").await;
            assert!(holds(kind, &fake), "{name} {nth} {after}: {}", fake.known());
            stage.at("Fri 15:00").await;
            stage.tick_until("Fri 15:04").await;
            assert!(!holds(kind, &fake), "{name} {nth} {after}: {}", fake.known());
            assert!(stage.situation("edxapp").await.pipelines.value.held.is_empty(), "{name} {nth} {after}");
        }
    }
}

#[tokio::test]
async fn an_owner_hears_that_what_should_hold_does_not_answer() {
    let gone = Peer::start().await;
    gone.always_answers("/go/api/", 503, "{}");
    let mut stage = stage("gocd", "edxapp-production", &gone.address).await;
    freeze(&stage).await;
    stage.at("Fri 13:00").await;
    stage.tick_until("Fri 13:20").await;
    let heard: Vec<String> =
        stage.heard().into_iter().filter(|line| line.contains("cannot be asked to hold")).collect();
    assert_eq!(
        heard,
        ["notice to olga: edxapp is frozen, and its pipeline gocd:edxapp-production cannot be asked to hold"]
    );
}

#[tokio::test]
async fn what_somebody_else_paused_is_theirs_before_and_after() {
    let fake = Fake::start(PipelineKind::GoCd).await;
    fake.by_hand(|known| {
        known["paused"] = true.into();
        known["paused_cause"] = "release day".into();
    });
    let mut stage = stage("gocd", "edxapp-production", &fake.address).await;
    freeze(&stage).await;
    stage.at("Fri 13:01").await;
    assert!(
        stage.get("/services/edxapp").await.body.contains("is held by somebody else: release day"),
        "{}",
        stage.get("/services/edxapp").await.body
    );
    stage.at("Fri 15:01").await;
    assert!(holds(PipelineKind::GoCd, &fake) && fake.done().is_empty());
}
