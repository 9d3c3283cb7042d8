//! What pipelines are asked during a freeze. Each answers as its API documents it; then none does as it should.

pub mod back;
pub mod fake;

use aws::pipeline::{PipelineConfig, PipelineKind};
use aws::wire::error_chain;
use domain::ServiceId;
use fake::Fake;
use house_tests::peer::{Mishap, Peer};
use house_tests::{Stage, configuration, root, time};
use on_schedule::forges::Unanswered;
use on_schedule::forges::api::Api;
use on_schedule::pipelines::{self, Mark, NoAnswer, Place, State, github};
use serde_json::{Value, json};

const KINDS: [PipelineKind; 3] = [PipelineKind::CodePipeline, PipelineKind::GoCd, PipelineKind::ArgoCd];

/// A house, and a pipeline at this address.
struct Line {
    stage: Stage,
    pipeline: PipelineConfig,
}

impl Line {
    async fn at(kind: PipelineKind, address: &str) -> Self {
        let (url, secret) = (Some(address.to_owned()), Some("api".to_owned()));
        let pipeline = PipelineConfig { name: "it".to_owned(), kind, url, secret };
        Self { stage: Stage::new().await, pipeline }
    }

    fn place(&self) -> Place<'_> {
        Place { house: &self.stage.house, pipeline: &self.pipeline }
    }

    fn id(&self) -> &'static str {
        match self.pipeline.kind {
            PipelineKind::CodePipeline => "edxapp-production/Deploy",
            PipelineKind::GoCd => "edxapp-production",
            PipelineKind::ArgoCd => "edx-project",
        }
    }

    async fn state(&self) -> Result<State, NoAnswer> {
        pipelines::state(&self.place(), self.id(), &service("edxapp")).await
    }

    async fn hold(&self) -> Result<State, NoAnswer> {
        self.hold_until(self.id(), "edxapp", "Mon 09:00").await
    }

    async fn hold_until(&self, id: &str, name: &str, until: &str) -> Result<State, NoAnswer> {
        let why = "Gratitude week,\nuntil Mon 09:00 \u{202e}<b>é";
        let mark = Mark { service: &service(name), why, from: time("Fri 18:00"), until: time(until) };
        pipelines::hold(&self.place(), id, &mark).await
    }

    async fn release(&self) -> Result<State, NoAnswer> {
        self.release_for(self.id(), "edxapp").await
    }

    async fn release_for(&self, id: &str, name: &str) -> Result<State, NoAnswer> {
        pipelines::release(&self.place(), id, &service(name)).await
    }
}

fn service(name: &str) -> ServiceId {
    name.parse().unwrap()
}

/// Somebody holds it by hand.
fn theirs(kind: PipelineKind) -> Value {
    match kind {
        PipelineKind::CodePipeline => {
            json!({ "enabled": false, "disabledReason": "manual tests", "lastChangedBy": "anna" })
        }
        PipelineKind::GoCd => json!({ "paused": true, "paused_cause": "manual\n tests", "paused_by": "anna" }),
        PipelineKind::ArgoCd => unreachable!("windows stand beside each other"),
    }
}

#[tokio::test]
async fn a_pipeline_is_held_and_let_go_and_the_same_again_changes_nothing() {
    for (kind, held, released) in [
        (PipelineKind::CodePipeline, "hold recent-deployers (edxapp) Gratitude week until Mon 09.00 b ?", "release"),
        (PipelineKind::GoCd, "hold recent-deployers/edxapp: Gratitude week, until Mon 09:00 <b>é", "release"),
        (PipelineKind::ArgoCd, "2 windows", "1 windows"),
    ] {
        let fake = Fake::start(kind).await;
        let line = Line::at(kind, &fake.address).await;
        assert_eq!(line.state().await.unwrap(), State::Open, "{kind:?}");
        assert_eq!(line.release().await.unwrap(), State::Open, "{kind:?}");
        assert_eq!(fake.done(), [""; 0], "{kind:?}");
        for _ in 0..2 {
            assert_eq!(line.hold().await.unwrap(), State::Ours, "{kind:?}");
            assert_eq!(line.state().await.unwrap(), State::Ours, "{kind:?}");
        }
        assert_eq!(fake.done(), [held], "{kind:?}");
        for _ in 0..2 {
            assert_eq!(line.release().await.unwrap(), State::Open, "{kind:?}");
            assert_eq!(line.state().await.unwrap(), State::Open, "{kind:?}");
        }
        assert_eq!(fake.done(), [released], "{kind:?}");
    }
}

#[tokio::test]
async fn what_somebody_else_holds_is_left_alone() {
    for kind in [PipelineKind::CodePipeline, PipelineKind::GoCd] {
        let fake = Fake::start(kind).await;
        let line = Line::at(kind, &fake.address).await;
        fake.by_hand(|known| *known = theirs(kind));
        let before = fake.known();
        for state in [line.state().await, line.hold().await, line.release().await] {
            assert_eq!(state.unwrap(), State::Theirs("manual tests (anna)".to_owned()), "{kind:?}");
        }
        assert_eq!(fake.known(), before, "{kind:?}");
        // Another service of ours is somebody else too, even one that begins the same.
        fake.by_hand(|known| {
            let open = json!({ "enabled": true, "paused": false });
            *known = open;
        });
        assert_eq!(line.hold_until(line.id(), "edxapp2", "Mon 09:00").await.unwrap(), State::Ours);
        for state in [line.state().await, line.hold().await, line.release().await] {
            let Ok(State::Theirs(why)) = state else { panic!("{kind:?}: {state:?}") };
            assert!(why.contains("edxapp2"), "{why}");
        }
        assert_eq!(fake.done().len(), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn who_lets_it_go_by_hand_has_let_it_go() {
    for kind in KINDS {
        let fake = Fake::start(kind).await;
        let line = Line::at(kind, &fake.address).await;
        let open = fake.known();
        assert_eq!(line.hold().await.unwrap(), State::Ours);
        fake.by_hand(|known| *known = open);
        let _ = fake.done();
        assert_eq!(line.state().await.unwrap(), State::Open, "{kind:?}");
        assert_eq!(line.release().await.unwrap(), State::Open, "{kind:?}");
        assert_eq!(fake.done(), [""; 0], "{kind:?}");
    }
}

#[tokio::test]
async fn a_window_of_argo_cd_is_as_documented_and_nothing_else_of_the_project_changes() {
    let fake = Fake::start(PipelineKind::ArgoCd).await;
    let line = Line::at(PipelineKind::ArgoCd, &fake.address).await;
    let before = fake.known();
    line.hold().await.unwrap();
    let mut held = fake.known();
    let mut ours = held["spec"]["syncWindows"].as_array_mut().unwrap().pop().unwrap();
    let duration = ours["duration"].take();
    let (minutes, fraction) = duration.as_str().unwrap().split_once("m0.").unwrap();
    assert_eq!((minutes, fraction.len()), ("3780", "123456789s".len()), "63 hours, and by what it is known");
    assert_eq!(
        ours,
        json!({ "kind": "deny", "schedule": "0 18 20 3 *", "duration": null, "applications": ["*"], "timeZone": "UTC",
            "manualSync": true, "description": "recent-deployers/edxapp: Gratitude week, until Mon 09:00 <b>é" })
    );
    held["metadata"]["resourceVersion"] = json!("41");
    assert_eq!(held, before);
}

#[tokio::test]
async fn a_freeze_that_is_lengthened_lengthens_its_window_and_keeps_what_a_person_hardened() {
    let fake = Fake::start(PipelineKind::ArgoCd).await;
    let line = Line::at(PipelineKind::ArgoCd, &fake.address).await;
    line.hold().await.unwrap();
    fake.by_hand(|project| {
        let windows = project["spec"]["syncWindows"].as_array_mut().unwrap();
        windows[1]["manualSync"] = json!(false);
        // Somebody copied it: one of them is enough.
        let mut copy = windows[1].clone();
        copy["duration"] = json!("1h");
        windows.push(copy);
    });
    assert_eq!(line.hold_until(line.id(), "edxapp", "Tue 09:00").await.unwrap(), State::Ours);
    let windows = fake.known()["spec"]["syncWindows"].clone();
    assert_eq!(windows.as_array().unwrap().len(), 2);
    assert!(windows[1]["duration"].as_str().unwrap().starts_with("5220m0."), "{windows}");
    assert_eq!(windows[1]["manualSync"], false);
    let _ = fake.done();
    line.hold_until(line.id(), "edxapp", "Tue 09:00").await.unwrap();
    assert_eq!(fake.done(), [""; 0]);
}

#[tokio::test]
async fn windows_of_one_freeze_stand_beside_each_other_and_are_let_go_one_by_one() {
    for old in [false, true] {
        let fake = Fake::start(PipelineKind::ArgoCd).await;
        let line = Line::at(PipelineKind::ArgoCd, &fake.address).await;
        fake.by_hand(|project| project["old"] = json!(old));
        let all = [
            ("edx-project", "edxapp"),
            ("edx-project/edxapp", "edxapp"),
            ("edx-project/other", "edxapp"),
            ("edx-project/discovery", "discovery"),
        ];
        for (id, name) in all {
            assert_eq!(line.hold_until(id, name, "Mon 09:00").await.unwrap(), State::Ours, "{id}");
        }
        assert_eq!(fake.known()["spec"]["syncWindows"].as_array().unwrap().len(), 5);
        for (n, (id, name)) in all.into_iter().enumerate() {
            assert_eq!(line.release_for(id, name).await.unwrap(), State::Open, "{id}");
            assert_eq!(fake.known()["spec"]["syncWindows"].as_array().unwrap().len(), 4 - n, "{id} {old}");
        }
        assert_eq!(fake.known()["spec"]["syncWindows"][0]["duration"], "1h", "somebody else's is still there");
    }
}

/// Answers that say how it stands.
fn said(kind: PipelineKind, open: bool) -> String {
    let mark = "recent-deployers/edxapp: x";
    let said = match (kind, open) {
        (PipelineKind::CodePipeline, _) => {
            let transition = json!({ "enabled": open, "disabledReason": "recent-deployers (edxapp) x" });
            json!({ "stageStates": [{ "stageName": "Deploy", "inboundTransitionState": transition }] })
        }
        (PipelineKind::GoCd, _) => json!({ "paused": !open, "pausedCause": mark }),
        (PipelineKind::ArgoCd, true) => {
            json!({ "metadata": { "name": "edx-project", "resourceVersion": "1" }, "spec": {} })
        }
        (PipelineKind::ArgoCd, false) => {
            let window = json!({ "kind": "deny", "applications": ["*"], "description": mark });
            json!({ "metadata": { "name": "edx-project", "resourceVersion": "1" }, "spec": { "syncWindows": [window] } })
        }
    };
    said.to_string()
}

#[tokio::test]
async fn what_a_pipeline_says_wrong_has_a_name_and_changes_nothing() {
    let message = json!({ "message": "no: api-token", "__type": "x.y#ValidationException" }).to_string();
    let answers: &[(u16, &str, [&str; 3])] = &[
        (401, "", ["it answered 401", NOT_ALLOWED_401, NOT_ALLOWED_401]),
        (403, "{}", ["it answered 403", NOT_ALLOWED_403, NOT_ALLOWED_403]),
        (404, "", ["it answered 404", UNKNOWN, UNKNOWN]),
        (400, &message, [REFUSED_BY_AWS, "it refused: no: …", "it refused: no: …"]),
        (409, "", ["it answered 409"; 3]),
        (429, "", ["it answered 429", LATER, LATER]),
        (302, "", ["it answered 302"; 3]),
        (500, "<html>", ["it answered 500"; 3]),
        (503, &message, ["it answered 503"; 3]),
        (200, "<html>", [NOT_READ; 3]),
        (200, "", [NOT_READ; 3]),
        (200, "null", [NOT_READ; 3]),
        (200, "[]", [NOT_READ; 3]),
        (200, "{}", [NOT_READ; 3]),
        (200, r#"{"stageStates":[]}"#, [UNKNOWN, NOT_READ, NOT_READ]),
        (200, r#"{"paused":"yes","stageStates":{},"spec":{"syncWindows":{}}}"#, [NOT_READ; 3]),
    ];
    for (kind, which) in KINDS.into_iter().zip(0..) {
        let peer = Peer::start().await;
        let line = Line::at(kind, &peer.address).await;
        for (status, body, want) in answers {
            peer.always_answers("/", *status, *body);
            for state in [line.state().await, line.hold().await, line.release().await] {
                let error = error_chain(&state.unwrap_err());
                assert_eq!(error, want[which], "{kind:?} {status} {body}");
            }
            assert_eq!(peer.received().len(), 3, "{kind:?} {status}: nothing but questions");
        }
        peer.will("/", Mishap::Resets);
        assert!(matches!(line.hold().await, Err(NoAnswer::Http(_))), "{kind:?}");
        peer.will("/", Mishap::BreaksOff(200));
        assert!(matches!(line.hold().await, Err(NoAnswer::Http(_))), "{kind:?}");
    }
}

const NOT_ALLOWED_401: &str = "it does not let us: see to its token's, or our role's, permissions (401)";
const NOT_ALLOWED_403: &str = "it does not let us: see to its token's, or our role's, permissions (403)";
const UNKNOWN: &str = "it knows no such pipeline: correct the configuration";
const REFUSED_BY_AWS: &str = "it refused: ValidationException: no: api-token";
const LATER: &str = "it asks to be left alone for 60 s";
const NOT_READ: &str = "its answer cannot be read";

/// Holds what is open, where the second request is answered so, and lets go what is held.
async fn answered(kind: PipelineKind, answers: &[(u16, &str)]) -> [Result<State, NoAnswer>; 2] {
    let peer = Peer::start().await;
    let line = Line::at(kind, &peer.address).await;
    let tell = |open| {
        peer.will_answer(200, said(kind, open));
        answers.iter().for_each(|(status, body)| peer.will_answer(*status, *body));
    };
    tell(true);
    let held = line.hold().await;
    tell(false);
    [held, line.release().await]
}

#[tokio::test]
async fn what_a_pipeline_does_not_do_is_not_taken_for_done() {
    for kind in KINDS {
        for (status, body) in [(400, "{}"), (401, ""), (404, ""), (429, ""), (500, "<html>"), (302, "")] {
            for state in answered(kind, &[(status, body)]).await {
                assert!(state.is_err(), "{kind:?} {status}: {state:?}");
            }
        }
    }
    for garbage in ["", "<html>", "null", "[]", "{}"] {
        for state in answered(PipelineKind::ArgoCd, &[(200, garbage)]).await {
            assert!(matches!(state, Err(NoAnswer::NotRead)), "{garbage}: {state:?}");
        }
    }
    // It saves the project, and as it is saved nothing has changed.
    let [held, _] = answered(PipelineKind::ArgoCd, &[(200, &said(PipelineKind::ArgoCd, true))]).await;
    let [_, released] = answered(PipelineKind::ArgoCd, &[(200, &said(PipelineKind::ArgoCd, false))]).await;
    for state in [held, released] {
        assert!(matches!(state, Err(NoAnswer::NotRead)), "{state:?}");
    }
}

#[tokio::test]
async fn a_change_in_between_is_not_written_over() {
    let (go_cd, theirs) = (PipelineKind::GoCd, theirs(PipelineKind::GoCd).to_string());
    for state in answered(go_cd, &[(409, "{}"), (200, &theirs)]).await {
        assert_eq!(state.unwrap(), State::Theirs("manual tests (anna)".to_owned()));
    }
    let [held, released] = answered(go_cd, &[(409, "{}"), (200, &said(go_cd, true))]).await;
    assert!(matches!(held, Err(NoAnswer::Changed)), "{held:?}");
    assert_eq!(released.unwrap(), State::Open);
    let [held, released] = answered(go_cd, &[(409, "{}"), (200, &said(go_cd, false))]).await;
    assert_eq!(held.unwrap(), State::Ours);
    assert!(matches!(released, Err(NoAnswer::Changed)), "{released:?}");
    let modified =
        json!({ "code": 2, "message": "the object has been modified; please apply your changes" }).to_string();
    for (status, body) in [(409, "{}"), (409, r#"{"code":10,"message":"x"}"#), (409, ""), (500, &modified)] {
        for state in answered(PipelineKind::ArgoCd, &[(status, body)]).await {
            assert!(matches!(state, Err(NoAnswer::Changed)), "{status} {body}: {state:?}");
        }
    }
    for state in answered(PipelineKind::ArgoCd, &[(409, r#"{"code":6,"message":"window exists"}"#)]).await {
        assert_eq!(state.unwrap_err().to_string(), "it refused: window exists");
    }
}

#[tokio::test]
async fn argo_cd_is_told_of_the_version_that_was_read() {
    let fake = Fake::start(PipelineKind::ArgoCd).await;
    let line = Line::at(PipelineKind::ArgoCd, &fake.address).await;
    let peer = Peer::start().await;
    let late = Line::at(PipelineKind::ArgoCd, &peer.address).await;
    peer.always_answers("GET ", 200, fake.known().to_string());
    line.hold().await.unwrap();
    assert!(late.hold().await.is_err());
    let put = peer.received().pop().unwrap();
    assert_eq!(put.line, "PUT /api/v1/projects/edx-project HTTP/1.1");
    let sent: Value = serde_json::from_str(&put.body).unwrap();
    assert_eq!(sent["project"]["metadata"]["resourceVersion"], "41");
    // Without one the update would hit whatever is there by then; of another project it would hit that.
    for metadata in [json!({ "name": "edx-project" }), json!({ "name": "other", "resourceVersion": "1" })] {
        peer.always_answers("GET ", 200, json!({ "metadata": metadata, "spec": {} }).to_string());
        assert!(matches!(late.hold().await, Err(NoAnswer::NotRead)));
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_is_found_done_the_next_time() {
    for (kind, write) in [(PipelineKind::GoCd, "POST "), (PipelineKind::ArgoCd, "PUT ")] {
        for lost in [Mishap::Resets, Mishap::BreaksOff(200)] {
            let peer = Peer::start().await;
            let line = Line::at(kind, &peer.address).await;
            peer.always_answers("GET ", 200, said(kind, true));
            peer.will(write, lost);
            assert!(matches!(line.hold().await, Err(NoAnswer::Http(_))), "{kind:?}");
            peer.always_answers("GET ", 200, said(kind, false));
            assert_eq!(line.state().await.unwrap(), State::Ours);
            if kind == PipelineKind::GoCd {
                assert_eq!(line.hold().await.unwrap(), State::Ours);
            }
            assert_eq!(peer.received().iter().filter(|r| r.line.starts_with(write)).count(), 1);
        }
    }
}

#[tokio::test]
async fn hostile_names_never_leave_their_place() {
    let hostile = "../a/b?c#d\r\n e%2f\"é";
    for (kind, id, want) in [
        (
            PipelineKind::GoCd,
            hostile,
            "GET /go/api/pipelines/..%2Fa%2Fb%3Fc%23d%0D%0A%20e%252f%22%C3%A9/status HTTP/1.1",
        ),
        (PipelineKind::ArgoCd, "a?b/../c", "GET /api/v1/projects/a%3Fb HTTP/1.1"),
        (PipelineKind::CodePipeline, "a\"b\n/c", "POST / HTTP/1.1"),
    ] {
        let peer = Peer::start().await;
        let line = Line::at(kind, &peer.address).await;
        let state = pipelines::state(&line.place(), id, &service("edxapp")).await;
        assert!(state.is_err(), "{state:?}");
        let asked = peer.received().pop().unwrap();
        assert_eq!(asked.line, want);
        if kind == PipelineKind::CodePipeline {
            assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), json!({ "name": "a\"b\n" }));
        }
        for id in ["..", ".", "", "../x", "/x"] {
            let state = pipelines::state(&line.place(), id, &service("edxapp")).await;
            assert!(state.is_err(), "{kind:?} {id} {state:?}");
            let lines: Vec<String> = peer.received().into_iter().map(|request| request.line).collect();
            assert!(
                lines
                    .iter()
                    .all(|line| line.starts_with("POST / ") || line.contains("..%2Fx") || line.contains("%2Fx")),
                "{lines:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_the_configuration_lacks_is_said() {
    for kind in KINDS {
        let peer = Peer::start().await;
        let mut line = Line::at(kind, &peer.address).await;
        line.stage.house.aws = None;
        line.pipeline.secret = None;
        let lacks = if kind == PipelineKind::CodePipeline { "an account of AWS" } else { "a secret" };
        assert_eq!(line.state().await.unwrap_err().to_string(), format!("its configuration lacks {lacks}"));
        line.pipeline.secret = Some("nowhere".to_owned());
        assert!(line.state().await.is_err());
        line.pipeline.url = None;
        assert!(line.state().await.is_err());
        assert!(peer.received().is_empty());
    }
    let root = Fake::start(PipelineKind::GoCd).await;
    let line = Line::at(PipelineKind::GoCd, &format!("{}/go", root.address)).await;
    assert_eq!(line.state().await.unwrap(), State::Open, "its root may be written with /go");
}

#[tokio::test]
async fn the_clock_asks_for_the_secrets_of_what_is_held() {
    let text = format!(
        "{}[pipelines.gocd]\nurl = \"https://gocd.example.com\"\n[pipelines.argo-cd]\nurl = \"https://argo.example.com\"\n\
         [pipelines.codepipeline]\n",
        configuration(&["edxapp"])
    );
    let held =
        text.replacen("[services.edxapp]\n", "[services.edxapp]\nholds = [\"gocd:edxapp\", \"codepipeline:a/b\"]\n", 1);
    let secrets = |text: &str| {
        let configuration = aws::settings::Configuration::parse(text, &aws::settings::no_files).unwrap();
        on_schedule::secrets(&configuration)
    };
    // Also of those that nobody holds any more: what we hold there has to be let go.
    assert_eq!(secrets(&text), ["argo-cd", "gocd"]);
    assert_eq!(secrets(&held), ["argo-cd", "gocd"]);
}

#[test]
fn what_the_sample_shows_of_pipelines_is_right() {
    let sample = std::fs::read_to_string(root().join("infra/recent-deployers.toml")).unwrap();
    let (_, rest) = sample.split_once("# ---- what waits meanwhile").unwrap();
    let (shown, _) = rest.split_once("# ---- whom we tell").unwrap();
    let of_toml = |line: &&str| ["[", "url", "secret"].iter().any(|start| line.starts_with(start));
    let lines: Vec<&str> = shown.lines().filter_map(|line| line.strip_prefix("# ")).filter(of_toml).collect();
    let text = format!("{}{}", configuration(&["edxapp"]), lines.join("\n"));
    let configuration = aws::settings::Configuration::parse(&text, &aws::settings::no_files).unwrap();
    let kinds: Vec<PipelineKind> = configuration.pipelines.values().map(|pipeline| pipeline.kind).collect();
    assert_eq!(kinds, [PipelineKind::ArgoCd, PipelineKind::CodePipeline, PipelineKind::GoCd]);
}

#[tokio::test]
async fn a_job_that_waits_is_approved_or_told_why_it_waits_and_never_rejected() {
    let (stage, peer) = (Stage::new().await, Peer::start().await);
    let headers =
        vec![("authorization", "Bearer ghs_x".to_owned()), ("accept", "application/vnd.github+json".to_owned())];
    let api = Api::new(&stage.house.http, &peer.address, headers);
    let repository = "OpenEdx/Edx-Platform".parse().unwrap();
    let review =
        async |approve, comment: &str| github::review(&api, &repository, 123, "production #1", approve, comment).await;
    let long = "x".repeat(2000);
    for (approve, comment, want) in [
        (
            true,
            "the freeze is\n over",
            json!({ "environment_name": "production #1", "state": "approved", "comment": "the freeze is over" }),
        ),
        (false, "Gratitude week", json!({ "environment_name": "production #1", "comment": "Gratitude week" })),
        (false, &long, json!({ "environment_name": "production #1", "comment": format!("{}…", "x".repeat(1023)) })),
    ] {
        peer.will_answer(204, "");
        review(approve, comment).await.unwrap();
        let asked = peer.received().pop().unwrap();
        assert_eq!(asked.line, "POST /repos/openedx/edx-platform/actions/runs/123/deployment_protection_rule HTTP/1.1");
        assert_eq!((asked.header("authorization"), asked.header("content-type")), ("Bearer ghs_x", "application/json"));
        assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), want);
    }
    for status in [302, 401, 403, 404, 409, 422, 500] {
        peer.will_answer(status, "{\"message\":\"ghs_x\"}");
        let error = review(true, "x").await.unwrap_err();
        assert!(matches!(error, Unanswered::Status(s) if s == status), "{error}");
    }
    for lost in [Mishap::Resets, Mishap::BreaksOff(500)] {
        peer.will("POST ", lost);
        assert!(matches!(review(true, "x").await, Err(Unanswered::Http(_))));
    }
}
