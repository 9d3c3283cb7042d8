//! CodePipeline: executions of a pipeline, of its stages and of its actions. All reports of one execution have its id;
//! which commit it carries is told by its source action, or by what started it.
//! <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html>

use aws::given::{list, plain, told};
use aws::{Malformed, Reading};
use domain::{Commit, DeployEvent, DeploymentEvent, DeploymentState, Repository, Revision, StandsFor, text};
use serde_json::Value;

use super::super::{is_test, repository_in, run_of_any};
use super::{Event, SOURCE, reference, time};

pub(super) fn execution(event: &Event<'_>) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    moved(event, None, None)
}

pub(super) fn stage(event: &Event<'_>) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    // Older events name no stage.
    let stage = event.word("stage");
    let name = stage.as_deref().unwrap_or("").to_lowercase();
    if matches!(name.as_str(), "source" | "build") {
        return Ok(Reading::ignored("a stage that gets or builds the source: nothing has moved yet"));
    }
    if name.contains("approv") {
        return Ok(Reading::ignored("an approval: nothing has moved yet"));
    }
    let suite = stage.clone().filter(|stage| is_test(stage));
    moved(event, stage, suite)
}

pub(super) fn action(event: &Event<'_>) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let kind = event.detail.get("type").unwrap_or(&Value::Null);
    let (stage, action) = (event.word("stage"), event.word("action"));
    let suite =
        action.clone().filter(|action| is_test(action)).or_else(|| stage.clone().filter(|stage| is_test(stage)));
    match told(kind, "/category").as_deref() {
        Some("Source") => source(event),
        Some("Deploy") => deploy(event, stage, suite),
        Some("Approval") => Ok(Reading::ignored("an approval: nothing has moved yet")),
        Some(_) | None if suite.is_some() => moved(event, stage, suite),
        Some(_) | None => Ok(Reading::ignored("an action that deploys nothing")),
    }
}

/// An action that deploys. The deployment that it gave to CodeDeploy or ECS stands for its execution.
fn deploy(
    event: &Event<'_>,
    stage: Option<String>,
    suite: Option<String>,
) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let moved = moved(event, stage, suite)?;
    let Reading::Event(mut events) = moved else { return Ok(moved) };
    let result = event.detail.get("execution-result").unwrap_or(&Value::Null);
    let given = told(result, "/external-execution-id").and_then(|id| match id.split_once(['-', '/']) {
        Some(("d", _)) => reference(&format!("codedeploy:{id}")).ok(),
        Some(("ecs", _)) if id.starts_with("ecs-svc/") => reference(&format!("ecs:{id}")).ok(),
        Some(_) | None => None,
    });
    if let (Some(reference), Some(DeployEvent::Moved(moved))) = (given, events.first()) {
        let (repository, revision) = (moved.repository.clone(), moved.revision.clone());
        events.push(DeployEvent::StandsFor(StandsFor { reference, repository, revision }));
    }
    Ok(Reading::Event(events))
}

fn moved(
    event: &Event<'_>,
    stage: Option<String>,
    suite: Option<String>,
) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let (pipeline, id) = (event.need("pipeline")?, event.need("execution-id")?);
    let told = event.need("state")?;
    let state = match told.as_str() {
        "STARTED" | "RESUMED" => DeploymentState::Started,
        "SUCCEEDED" => DeploymentState::Succeeded,
        "FAILED" => DeploymentState::Failed,
        "CANCELED" | "CANCELLED" | "STOPPED" | "SUPERSEDED" | "ABANDONED" => DeploymentState::Aborted,
        "STOPPING" => return Ok(Reading::ignored("STOPPING: what has been stopped will tell")),
        other => return Ok(Reading::ignored(format!("pipeline {}: not a state we know", text::line(other, 40)))),
    };
    let (repository, commit) = started_by(event);
    let named = || Ok::<_, Malformed>(Revision::Named(reference(&format!("codepipeline:{id}"))?));
    let began = time(event.detail, "/start-time").filter(|began| event.at.is_none_or(|at| *began <= at));
    let started = event.at.filter(|_| state == DeploymentState::Started);
    Ok(Reading::Event(vec![DeployEvent::Moved(Box::new(DeploymentEvent {
        recurs: false,
        source: SOURCE.to_owned(),
        repository,
        names: names(&pipeline, stage.as_deref()),
        environments: stage.into_iter().collect(),
        revision: commit.map_or_else(named, |commit| Ok(Revision::Commit(commit)))?,
        manner: run_of_any(suite.as_deref()),
        state,
        at: event.at,
        created_at: began.or(started),
        note: note(event, &told),
        url: event.console(&["codesuite", "codepipeline", "pipelines", &pipeline, "executions", &id, "timeline"]),
        id,
    }))]))
}

fn names(pipeline: &str, stage: Option<&str>) -> Vec<String> {
    let with_stage = stage.map(|stage| format!("{pipeline}/{stage}"));
    with_stage.into_iter().chain([pipeline.to_owned()]).collect()
}

/// The commit that started the execution, where the event says so.
fn started_by(event: &Event<'_>) -> (Option<Repository>, Option<Commit>) {
    let trigger = event.detail.get("execution-trigger").map(|trigger| (trigger, "full-repository-name", "commit-id"));
    let sources = list(event.whole, "/additionalAttributes/sourceActions")
        .take(20)
        .filter_map(|source| source.get("sourceActionVariables"));
    let sources = sources.map(|variables| (variables, "FullRepositoryName", "CommitId"));
    let mut told = trigger.into_iter().chain(sources).filter_map(|(of, repository, commit)| {
        let commit: Commit = plain(of.get(commit)?)?.parse().ok()?;
        Some((of.get(repository).and_then(plain).and_then(|name| name.parse().ok()), Some(commit)))
    });
    told.next().unwrap_or((None, None))
}

/// A source action that succeeded tells which commit its execution carries.
fn source(event: &Event<'_>) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    if event.word("state").as_deref() != Some("SUCCEEDED") {
        return Ok(Reading::ignored("a source action that has not succeeded: nothing has moved yet"));
    }
    let result = event.detail.get("execution-result").unwrap_or(&Value::Null);
    let address = told(result, "/external-execution-url");
    let (repository, in_address) = address.as_deref().map_or((None, None), at_forge);
    let commit = told(result, "/external-execution-id").and_then(|id| id.parse().ok()).or(in_address);
    let Some(commit) = commit else { return Ok(Reading::ignored("a source action that names no commit")) };
    let reference = reference(&format!("codepipeline:{}", event.need("execution-id")?))?;
    let (told_repository, _) = started_by(event);
    Ok(Reading::Event(vec![DeployEvent::StandsFor(StandsFor {
        reference,
        repository: repository.or(told_repository),
        revision: Revision::Commit(commit),
    })]))
}

/// Repository and commit of the address of a commit: at a forge, or of the console's redirection to one.
fn at_forge(address: &str) -> (Option<Repository>, Option<Commit>) {
    let parameter = |name: &str| address.split(['?', '&']).skip(1).find_map(|pair| pair.strip_prefix(name));
    let full = parameter("FullRepositoryId=").map(|id| id.replace("%2F", "/").replace("%2f", "/"));
    let (before, after) =
        address.split_once("/commit/").or_else(|| address.split_once("/commits/")).unwrap_or((address, ""));
    // CodeCommit's repositories have no owner, and stand in addresses of the console.
    let of_address = || repository_in(before).filter(|_| !after.is_empty() && !before.contains("console.aws."));
    let repository = full.and_then(|full| full.parse().ok()).or_else(of_address);
    let commit = parameter("Commit=").unwrap_or(after.split(['?', '#', '/']).next().unwrap_or(""));
    (repository, commit.parse().ok())
}

fn note(event: &Event<'_>, state: &str) -> Option<String> {
    if state == "SUPERSEDED" {
        return Some("a newer execution took its place".to_owned());
    }
    let failed = event.whole.pointer("/additionalAttributes/failedActions/0/additionalInformation");
    let summary = event.detail.pointer("/execution-result/external-execution-summary").filter(|_| state == "FAILED");
    let why = failed.or(summary).or_else(|| event.detail.get("stop-execution-comments"))?.as_str()?;
    Some(text::line(why, 300)).filter(|why| !why.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{event, events, moved};
    use super::*;
    use domain::Manner;
    use serde_json::json;

    const SHA: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";
    const PIPELINE: &str = "CodePipeline Pipeline Execution State Change";
    const STAGE: &str = "CodePipeline Stage Execution State Change";
    const ACTION: &str = "CodePipeline Action Execution State Change";

    fn detail(state: &str, more: Value) -> Value {
        let mut detail = json!({ "pipeline": "edxapp", "execution-id": "e-1", "state": state, "version": 1 });
        detail.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        detail
    }

    #[test]
    fn executions_stages_and_deploy_actions_are_one_deployment() {
        let deploy = json!({ "stage": "prod", "action": "roll", "type": { "category": "Deploy" } });
        for (kind, state, more, want, environments) in [
            (PIPELINE, "STARTED", json!({}), DeploymentState::Started, &[][..]),
            (PIPELINE, "SUPERSEDED", json!({}), DeploymentState::Aborted, &[]),
            (PIPELINE, "CANCELED", json!({}), DeploymentState::Aborted, &[]),
            (STAGE, "RESUMED", json!({ "stage": "prod" }), DeploymentState::Started, &["prod"]),
            (STAGE, "SUCCEEDED", json!({ "stage": "prod" }), DeploymentState::Succeeded, &["prod"]),
            (STAGE, "STOPPED", json!({ "stage": "prod" }), DeploymentState::Aborted, &["prod"]),
            (STAGE, "STARTED", json!({}), DeploymentState::Started, &[]),
            (ACTION, "FAILED", deploy.clone(), DeploymentState::Failed, &["prod"]),
            (ACTION, "ABANDONED", deploy, DeploymentState::Aborted, &["prod"]),
        ] {
            let event = moved(&event(kind, &[], &detail(state, more))).unwrap();
            assert_eq!((event.state, event.id.as_str()), (want, "e-1"), "{kind} {state}");
            assert_eq!(event.environments, environments);
            assert_eq!(event.names.last().unwrap(), "edxapp");
            assert_eq!(event.revision, Revision::Named("codepipeline:e-1".parse().unwrap()));
            assert_eq!(event.at, Some("2026-03-20T10:05:00Z".parse().unwrap()));
            assert!(event.url.unwrap().ends_with("/pipelines/edxapp/executions/e-1/timeline?region=eu-west-1"));
        }
    }

    #[test]
    fn stages_and_actions_of_tests_are_tests_and_the_rest_is_ignored() {
        let action =
            |category: &str, name: &str| json!({ "stage": "Check", "action": name, "type": { "category": category } });
        for (kind, more, want) in [
            (STAGE, json!({ "stage": "E2E" }), Ok(Manner::Test("E2E".to_owned()))),
            (ACTION, action("Build", "smoke-test"), Ok(Manner::Test("smoke-test".to_owned()))),
            (STAGE, json!({ "stage": "Source" }), Err("a stage that gets or builds the source: nothing has moved yet")),
            (STAGE, json!({ "stage": "ApproveProd" }), Err("an approval: nothing has moved yet")),
            (ACTION, action("Approval", "prod"), Err("an approval: nothing has moved yet")),
            (ACTION, action("Build", "docker"), Err("an action that deploys nothing")),
        ] {
            let got = moved(&event(kind, &[], &detail("SUCCEEDED", more.clone()))).map(|event| event.manner);
            assert_eq!(got.as_ref().map_err(String::as_str), want.as_ref().map_err(|why| *why), "{more}");
        }
        assert_eq!(
            moved(&event(STAGE, &[], &detail("STOPPING", json!({})))).unwrap_err(),
            "STOPPING: what has been stopped will tell"
        );
        assert_eq!(
            moved(&event(PIPELINE, &[], &detail("DANCING", json!({})))).unwrap_err(),
            "pipeline DANCING: not a state we know"
        );
        let source = json!({ "stage": "Source", "action": "Source", "type": { "category": "Source" } });
        assert_eq!(
            moved(&event(ACTION, &[], &detail("STARTED", source))).unwrap_err(),
            "a source action that has not succeeded: nothing has moved yet"
        );
        let nameless = event(STAGE, &[], &json!({ "state": "STARTED" }));
        assert_eq!(moved(&nameless).unwrap_err(), "malformed: an AWS event without `detail.pipeline`");
    }

    #[test]
    fn a_source_action_tells_which_commit_an_execution_carries() {
        let redirect = format!(
            "https://eu-west-1.console.aws.amazon.com/codesuite/settings/connections/redirect?connectionArn=arn&referenceType=COMMIT&FullRepositoryId=openedx/edx-platform&Commit={SHA}"
        );
        let console = format!("https://eu-west-1.console.aws.amazon.com/codecommit/home#/repository/lms/commit/{SHA}");
        let ours = Some("openedx/edx-platform");
        for (id, url, want) in [
            (SHA, redirect.as_str(), Ok(ours)),
            ("", redirect.as_str(), Ok(ours)),
            (SHA, &format!("https://github.com/openedx/edx-platform/commit/{SHA}"), Ok(ours)),
            (SHA, console.as_str(), Ok(None)),
            (SHA, "", Ok(None)),
            ("bXlWZXJzaW9u", "https://console.aws.amazon.com/s3", Err("a source action that names no commit")),
        ] {
            let more = json!({
                "stage": "Source", "action": "Source", "type": { "category": "Source", "provider": "CodeStarSourceConnection" },
                "execution-result": { "external-execution-id": id, "external-execution-url": url },
            });
            let got = events(&event(ACTION, &[], &detail("SUCCEEDED", more))).map(|mut events| events.remove(0));
            match (&got, want) {
                (Ok(DeployEvent::StandsFor(told)), Ok(repository)) => {
                    assert_eq!(told.reference.as_str(), "codepipeline:e-1");
                    assert_eq!(told.revision, Revision::Commit(SHA.parse().unwrap()), "{url}");
                    assert_eq!(told.repository.as_ref().map(Repository::as_str), repository, "{url}");
                }
                _ => assert_eq!(got.unwrap_err(), want.unwrap_err()),
            }
        }
    }

    #[test]
    fn what_an_action_gave_to_codedeploy_or_ecs_stands_for_its_execution() {
        for (id, want) in
            [("d-1", Some("codedeploy:d-1")), ("ecs-svc/7", Some("ecs:ecs-svc/7")), ("i-1", None), ("", None)]
        {
            let more = json!({
                "stage": "prod", "action": "roll", "type": { "category": "Deploy" }, "execution-result": { "external-execution-id": id },
            });
            let events = events(&event(ACTION, &[], &detail("SUCCEEDED", more))).unwrap();
            let told = match events.get(1) {
                Some(DeployEvent::Waits(waiting)) => panic!("{waiting:?}"),
                Some(DeployEvent::StandsFor(told)) => Some((told.reference.as_str(), &told.revision)),
                Some(DeployEvent::Moved(_)) | None => None,
            };
            let execution = Revision::Named("codepipeline:e-1".parse().unwrap());
            assert_eq!(told, want.map(|reference| (reference, &execution)));
        }
    }

    #[test]
    fn what_started_an_execution_may_be_told_with_it() {
        let trigger =
            json!({ "execution-trigger": { "full-repository-name": "openedx/edx-platform", "commit-id": SHA } });
        let with_trigger = event(PIPELINE, &[], &detail("SUCCEEDED", trigger));
        let mut notification = event(PIPELINE, &[], &detail("FAILED", json!({})));
        notification["additionalAttributes"] = json!({
            "sourceActions": [{ "sourceActionVariables": { "CommitId": SHA, "FullRepositoryName": "openedx/edx-platform" } }],
            "failedActions": [{ "action": "Deploy", "additionalInformation": "Deployment d-1\nfailed" }],
        });
        for event in [&with_trigger, &notification] {
            let event = moved(event).unwrap();
            assert_eq!(event.revision, Revision::Commit(SHA.parse().unwrap()));
            assert_eq!(event.repository.unwrap().as_str(), "openedx/edx-platform");
        }
        assert_eq!(moved(&notification).unwrap().note.as_deref(), Some("Deployment d-1 failed"));
    }
}
