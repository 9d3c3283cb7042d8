//! GitLab: `deployment`, and the jobs of `pipeline` and `build` that deploy to an environment or run end-to-end tests.
//!
//! A deployment that a job makes has that job's id in all three, so that it does not matter which of them are sent.
//! The event is told by `object_kind`, not by `X-Gitlab-Event`: the header is not part of what is signed.
//! <https://docs.gitlab.com/user/project/integrations/webhook_events/#deployment-events>

mod jobs;

use aws::given::{number, time, word};
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::{Commit, DeployEvent, DeploymentEvent, DeploymentState, Manner, Repository, Revision, text};
use serde_json::Value;

pub const SENDER: Sender<Vec<DeployEvent>> = Sender {
    name: "gitlab",
    proofs: &[Proof::StandardWebhooks, Proof::Header("x-gitlab-token")],
    parse: read,
    guide: Guide {
        title: "GitLab",
        steps: &[
            "In the project's or group's Settings > Webhooks, Add new webhook:",
            "URL {url}, Secret token {secret}",
            "Where GitLab offers a signing token (`whsec_...`), take that instead, and keep it as this source's secret",
            "Trigger: Deployment events; for end-to-end tests Pipeline events too",
            "Deployments come from jobs with `environment:`, or from the API",
        ],
        reads: "`deployment` running, success, failed, canceled; jobs of `pipeline` and `build` with an environment, and end-to-end tests on the default branch or a tag; a `pipeline` without these, for `deployed_as`",
        ignores: "what has not started, environments stopped, review apps, other jobs; `release`",
        docs: "https://docs.gitlab.com/user/project/integrations/webhook_events/#deployment-events",
    },
};

type Read = Result<Reading<Vec<DeployEvent>>, Malformed>;

fn read(body: &[u8]) -> Read {
    let event: Value = parse(body)?;
    match word(&event, "/object_kind").or_else(|| word(&event, "/event_name")) {
        Some("deployment") => deployment(&event),
        Some("pipeline") => jobs::pipeline(&event),
        Some("build" | "job") => jobs::job(&event),
        Some("release") => Ok(Reading::ignored("release: nothing was deployed; the deployment will tell")),
        Some(other) => Ok(Reading::ignored(format!("{}: nothing was deployed", text::line(other, 40)))),
        None => Ok(Reading::ignored("not a message of GitLab: it has no object_kind")),
    }
}

fn state(status: &str) -> Option<DeploymentState> {
    match status {
        "running" => Some(DeploymentState::Started),
        "success" => Some(DeploymentState::Succeeded),
        "failed" => Some(DeploymentState::Failed),
        "canceled" => Some(DeploymentState::Aborted),
        // created, waiting_for_resource, preparing, pending, manual, scheduled, blocked, skipped, canceling
        _ => None,
    }
}

/// What all messages tell of their project.
struct Project<'a> {
    repository: Option<Repository>,
    web_url: Option<&'a str>,
}

impl<'a> Project<'a> {
    /// By its full path, else by its addresses: a `build` has nothing else.
    fn of(event: &'a Value) -> Self {
        let addresses = ["/project/web_url", "/project/homepage", "/repository/homepage"];
        let web_url = addresses.iter().find_map(|place| word(event, place));
        let path = word(event, "/project/path_with_namespace").and_then(|path| path.parse().ok());
        let cloned_from = || word(event, "/repository/git_http_url").or_else(|| word(event, "/repository/url"));
        let addressed = || web_url.or_else(cloned_from).and_then(super::repository_in);
        Self { repository: path.or_else(addressed), web_url }
    }

    /// `group/project/production`, `group/project/deploy-prod`, `group/project`: what `deployed_as` can be written for.
    fn names(&self, parts: &[Option<&str>]) -> Vec<String> {
        let Some(repository) = &self.repository else { return Vec::new() };
        let within = parts.iter().flatten().map(|part| text::line(&format!("{repository}/{part}"), 300));
        within.chain([repository.to_string()]).collect()
    }
}

/// By convention `review/<branch>`: an environment for one branch, which nobody depends on. A branch's name may say
/// `prod` all the same.
fn is_review_app(environment: &str) -> bool {
    environment.starts_with("review/")
}

/// The tier of an environment, where it says what the environment is for whatever it is called.
fn tier(tier: Option<&str>) -> Option<&str> {
    tier.filter(|tier| matches!(*tier, "production" | "staging"))
}

fn deployment(event: &Value) -> Read {
    let status = word(event, "/status").unwrap_or("");
    let Some(state) = state(status) else {
        return Ok(Reading::ignored(format!("deployment {}: nothing has moved", text::line(status, 40))));
    };
    let environment = word(event, "/environment");
    if environment.is_some_and(is_review_app) {
        return Ok(Reading::ignored("deployment to a review app"));
    }
    let project = Project::of(event);
    let url = word(event, "/deployable_url").or_else(|| word(event, "/environment_external_url"));
    Ok(Reading::Event(vec![DeployEvent::Moved(Box::new(DeploymentEvent {
        recurs: false,
        source: "gitlab".to_owned(),
        id: id(event).ok_or_else(|| Malformed::new("a deployment without deployable_id and deployment_id"))?,
        names: project.names(&[environment]),
        repository: project.repository,
        environments: environment
            .into_iter()
            .chain(tier(word(event, "/environment_tier")))
            .map(|e| text::line(e, 100))
            .collect(),
        revision: commit(event).map_or(Revision::Untold, Revision::Commit),
        manner: Manner::Whole,
        state,
        // Old versions do not say when.
        at: time(event, "/status_changed_at"),
        created_at: None,
        note: None,
        url: url.and_then(text::url),
    }))]))
}

/// That of the job which deploys; the API deploys without one.
fn id(event: &Value) -> Option<String> {
    let told = |name: &str| event.get(name).and_then(number);
    let job = told("deployable_id").map(|id| format!("job-{id}"));
    job.or_else(|| told("deployment_id").map(|id| format!("deployment-{id}")))
}

/// The address of the commit has it whole.
fn commit(event: &Value) -> Option<Commit> {
    let whole =
        word(event, "/commit_url").and_then(|url| url.split(['?', '#']).next()?.rsplit('/').next()?.parse().ok());
    whole.or_else(|| word(event, "/short_sha")?.parse().ok())
}

#[cfg(test)]
mod tests;
