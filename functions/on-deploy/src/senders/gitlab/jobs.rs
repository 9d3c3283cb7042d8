//! Jobs: alone (`build`), or all of a pipeline's each time that its status changes. What matters are those that deploy
//! to an environment, and end-to-end tests of what was merged.
//! <https://docs.gitlab.com/user/project/integrations/webhook_events/#pipeline-events>

use aws::Reading;
use aws::given::{list, moment, number, time, word};
use domain::{Commit, DeployEvent, DeploymentEvent, DeploymentState, Manner, Revision, text};
use jiff::Timestamp;
use serde_json::Value;

use super::super::{is_test, run_of};
use super::{Project, Read, is_review_app, state, tier};

/// So many jobs of one pipeline are reported.
const MOST: usize = 100;

/// What the jobs of one pipeline share.
struct Run<'a> {
    project: Project<'a>,
    commit: Option<Commit>,
    /// Of the default branch or a tag, and not of a merge request: it tests what was merged.
    is_of_merged: bool,
    finished_at: Option<Timestamp>,
}

/// One job, whichever message tells of it.
struct Job<'a> {
    told: &'a Value,
    /// `build_` in a message of its own.
    prefix: &'static str,
}

pub(super) fn pipeline(event: &Value) -> Read {
    let attribute = |name: &str| word(event, &format!("/object_attributes/{name}"));
    let is_request = attribute("source") == Some("merge_request_event");
    let is_tag = event.pointer("/object_attributes/tag") == Some(&Value::Bool(true));
    let run = Run {
        project: Project::of(event),
        commit: attribute("sha").and_then(|sha| sha.parse().ok()),
        is_of_merged: !is_request && (is_tag || is_default(event, attribute("ref"))),
        finished_at: time(event, "/object_attributes/finished_at"),
    };
    let jobs = list(event, "/builds").map(|told| Job { told, prefix: "" });
    let jobs: Vec<(Job<'_>, Manner)> = jobs.filter_map(|job| job.manner(&run).map(|manner| (job, manner))).collect();
    let none = jobs.is_empty();
    let events: Vec<_> = jobs.into_iter().filter_map(|(job, manner)| job.moved(&run, manner)).take(MOST).collect();
    match (events.is_empty(), none, run.is_of_merged) {
        (false, ..) => Ok(Reading::Event(events)),
        (true, true, true) => whole(event, &run),
        (true, true, false) => {
            Ok(Reading::ignored("pipeline: of what is not merged, and no job of it deploys to an environment"))
        }
        (true, false, _) => Ok(Reading::ignored("pipeline: no job that deploys has started")),
    }
}

/// A pipeline none of whose jobs has an environment: a deployment for those who say so by `deployed_as`.
fn whole(event: &Value, run: &Run<'_>) -> Read {
    let attribute = |name: &str| word(event, &format!("/object_attributes/{name}"));
    let id = event.pointer("/object_attributes/id").and_then(number);
    let (Some(id), Some(state)) = (id, attribute("status").and_then(state)) else {
        return Ok(Reading::ignored("pipeline: it has not started"));
    };
    let created_at = time(event, "/object_attributes/created_at");
    let at = if state == DeploymentState::Started { created_at } else { run.finished_at };
    let url = run.project.web_url.map(|project| format!("{}/-/pipelines/{id}", project.trim_end_matches('/')));
    Ok(Reading::Event(vec![DeployEvent::Moved(Box::new(DeploymentEvent {
        recurs: false,
        source: "gitlab".to_owned(),
        id: format!("pipeline-{id}"),
        names: run.project.names(&[attribute("name"), Some("pipeline")]),
        repository: run.project.repository.clone(),
        environments: Vec::new(),
        revision: run.commit.clone().map_or(Revision::Untold, Revision::Commit),
        manner: Manner::Whole,
        state,
        at,
        created_at,
        note: None,
        url: url.as_deref().and_then(text::url),
    }))]))
}

pub(super) fn job(event: &Value) -> Read {
    let run = Run {
        project: Project::of(event),
        commit: word(event, "/sha").or_else(|| word(event, "/commit/sha")).and_then(|sha| sha.parse().ok()),
        is_of_merged: event.get("tag") == Some(&Value::Bool(true)) || is_default(event, word(event, "/ref")),
        finished_at: None,
    };
    let job = Job { told: event, prefix: "build_" };
    let Some(manner) = job.manner(&run) else {
        return Ok(Reading::ignored("job: it does not deploy to an environment or test end to end what was merged"));
    };
    match job.moved(&run, manner) {
        Some(event) => Ok(Reading::Event(vec![event])),
        None => Ok(Reading::ignored("job: nothing has moved")),
    }
}

/// A `build` of older versions does not tell which branch is the default.
fn is_default(event: &Value, branch: Option<&str>) -> bool {
    match word(event, "/project/default_branch") {
        Some(default) => branch == Some(default),
        None => matches!(branch, Some("main" | "master")),
    }
}

impl<'a> Job<'a> {
    fn attribute(&self, name: &str) -> Option<&'a Value> {
        self.told.get(format!("{}{name}", self.prefix))
    }

    fn word(&self, name: &str) -> Option<&'a str> {
        self.attribute(name)?.as_str()
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        moment(self.word(name)?)
    }

    fn environment(&self) -> Option<&'a str> {
        word(self.told, "/environment/name").or_else(|| word(self.told, "/environment"))
    }

    /// Whether it makes a deployment: not if it only stops, prepares, verifies or accesses an environment.
    fn deploys(&self) -> bool {
        let action = word(self.told, "/environment/action");
        self.environment().is_some_and(|name| !is_review_app(name)) && action.is_none_or(|action| action == "start")
    }

    /// How it moves something, if it does. A test may name the environment that it runs against; a deployment may go to
    /// one that is called `acceptance`.
    fn manner(&self, run: &Run<'_>) -> Option<Manner> {
        let (name, stage) = (self.word("name").unwrap_or(""), self.word("stage").unwrap_or(""));
        let says_deploy = name.to_lowercase().contains("deploy") || stage.eq_ignore_ascii_case("deploy");
        let tests = is_test(name) || is_test(stage);
        if self.deploys() && (says_deploy || !tests) {
            return Some(Manner::Whole);
        }
        let suite = if is_test(name) { name.to_owned() } else { format!("{stage} {name}") };
        (tests && run.is_of_merged).then(|| run_of(&suite))
    }

    /// What it says has happened, if anything has.
    fn moved(&self, run: &Run<'_>, manner: Manner) -> Option<DeployEvent> {
        let id = number(self.attribute("id")?)?;
        let state = state(self.word("status")?)?;
        let (created, started, finished) = (self.time("created_at"), self.time("started_at"), self.time("finished_at"));
        // Of what was cancelled before it started nothing has moved.
        if state == DeploymentState::Aborted && started.is_none() {
            return None;
        }
        let at = if state == DeploymentState::Started { started } else { finished.or(run.finished_at) };
        let environment = self.environment();
        let told = environment.into_iter().chain(tier(word(self.told, "/environment/deployment_tier")));
        let mut environments: Vec<String> = told.map(|name| text::line(name, 100)).collect();
        environments.dedup();
        let url = run.project.web_url.map(|project| format!("{}/-/jobs/{id}", project.trim_end_matches('/')));
        Some(DeployEvent::Moved(Box::new(DeploymentEvent {
            recurs: false,
            source: "gitlab".to_owned(),
            id: format!("job-{id}"),
            names: run.project.names(&[environment, self.word("name")]),
            repository: run.project.repository.clone(),
            environments,
            revision: run.commit.clone().map_or(Revision::Untold, Revision::Commit),
            manner,
            state,
            at,
            created_at: started.or(created),
            note: self.note(state),
            url: url.as_deref().and_then(text::url),
        })))
    }

    /// Why it failed. The reason stands there whatever became of the job.
    fn note(&self, state: DeploymentState) -> Option<String> {
        let reason = self.word("failure_reason").filter(|_| state == DeploymentState::Failed)?;
        (reason != "unknown_failure")
            .then(|| text::line(&reason.replace('_', " "), 200))
            .filter(|note| !note.is_empty())
    }
}
