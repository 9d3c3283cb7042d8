//! Jenkins: builds of the jobs that deploy, as three of its plugins post them: Notification, CloudEvents (the same with
//! other spellings) and Generic Event.
//!
//! Jenkins knows jobs, not deployments: which job deploys is told by who adds the plugin's endpoint to it, and where to
//! by the job's name and by parameters such as `ENVIRONMENT`.
//! <https://plugins.jenkins.io/notification/>

use aws::given::{list, plain, time, told};
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::text;
use domain::{Commit, DeployEvent, DeploymentEvent, DeploymentState, Reference, Repository, Revision};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub const SENDER: Sender<Vec<DeployEvent>> = Sender {
    name: "jenkins",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide {
        title: "Jenkins",
        steps: &[
            "Install the Notification plugin. In the configuration of the job that deploys: Job Notifications, Add Endpoint",
            "Format JSON, protocol HTTP, event All Events, URL {url_with_secret}",
            "To keep the secret out of the job, choose URL Source Secret and a Secret Text credential with that address.",
            "Let the job take its environment as parameter `ENVIRONMENT`, and `COMMIT` or `IMAGE` unless it deploys its own checkout.",
        ],
        reads: "builds that start, end or are aborted; jobs named e2e, smoke or acceptance are tests",
        ignores: "queued builds, builds of pull requests, `NOT_BUILT`",
        docs: "https://plugins.jenkins.io/notification/",
    },
};

const SOURCE: &str = "jenkins";
const MOST_PARAMETERS: usize = 200;

/// Parameters that name where to, what and of which repository, the most telling first.
const ENVIRONMENTS: [&str; 14] = [
    "environment",
    "env",
    "deploy_environment",
    "deploy_env",
    "target_environment",
    "target_env",
    "environment_name",
    "env_name",
    "stage",
    "target",
    "deploy_to",
    "cluster",
    "namespace",
    "inventory",
];
const COMMITS: [&str; 11] = [
    "commit",
    "git_commit",
    "commit_sha",
    "git_sha",
    "sha",
    "commit_id",
    "commit_hash",
    "git_commit_sha",
    "revision",
    "git_revision",
    "version",
];
const IMAGES: [&str; 6] = ["image", "docker_image", "container_image", "image_uri", "image_url", "image_name"];
const TAGS: [&str; 6] = ["image_tag", "docker_tag", "tag", "docker_image_tag", "container_tag", "version"];
const REPOSITORIES: [&str; 6] = ["repository", "repo", "git_repository", "git_repo", "git_url", "repo_url"];

fn read(body: &[u8]) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let event: Value = parse(body)?;
    if let Some(build) = event.get("build").filter(|build| build.is_object()) {
        return Build::of_notification(&event, build).read();
    }
    let kind = event.get("type").and_then(Value::as_str).filter(|kind| kind.starts_with("run."));
    match (kind, event.get("data").filter(|data| data.is_object())) {
        (Some(kind), Some(data)) => Build::of_run(&event, kind, data).read(),
        _ => Ok(Reading::ignored("not a build of a job")),
    }
}

/// What the plugins have in common.
struct Build {
    /// `folder/job/branch`, with its slashes in the names as Jenkins escapes them.
    job: Option<String>,
    display_name: Option<String>,
    number: Option<String>,
    phase: String,
    status: Option<String>,
    at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    url: Option<String>,
    parameters: Vec<(String, String)>,
    repository: Option<Repository>,
    commit: Option<Commit>,
    branch: Option<String>,
}

impl Build {
    /// The Notification plugin and, in camel case, the CloudEvents plugin.
    fn of_notification(event: &Value, build: &Value) -> Self {
        let either = |one: &str, other: &str| told(build, one).or_else(|| told(build, other));
        let scm = build.get("scm").or_else(|| build.get("scmState")).unwrap_or(&Value::Null);
        let phase = told(build, "/phase").unwrap_or_default().to_uppercase();
        let at = time(build, "/timestamp");
        let duration = build.get("duration").and_then(Value::as_i64).filter(|ms| (0..=YEAR_MS).contains(ms));
        // A build that is over was started so much earlier; `FINALIZED` comes a moment after its end.
        let over = matches!(phase.as_str(), "COMPLETED" | "FINALIZED" | "FINISHED");
        let started_at = if over {
            at.zip(duration).and_then(|(at, ms)| at.checked_sub(SignedDuration::from_millis(ms)).ok())
        } else {
            at
        };
        Self {
            job: told(event, "/url").and_then(|path| job_name(&path)).or_else(|| told(event, "/name")),
            display_name: told(event, "/display_name").or_else(|| told(event, "/displayName")),
            number: told(build, "/number"),
            phase,
            status: told(build, "/status"),
            at,
            started_at,
            url: either("/full_url", "/fullUrl").as_deref().and_then(text::url),
            parameters: parameters(build.get("parameters")),
            repository: told(scm, "/url").as_deref().and_then(super::repository_in),
            commit: told(scm, "/commit").and_then(|commit| commit.parse().ok()),
            branch: told(scm, "/branch"),
        }
    }

    /// The Generic Event plugin, which knows nothing of the checkout.
    fn of_run(event: &Value, kind: &str, data: &Value) -> Self {
        let run = data.get("run").filter(|run| run.is_object()).unwrap_or(data);
        let phase = match kind {
            "run.initialize" => "QUEUED",
            other => other.trim_start_matches("run."),
        };
        let actions = list(run, "/actions").take(50);
        let started_at = time(run, "/timestamp");
        Self {
            job: told(event, "/source").and_then(|path| job_name(&path)),
            display_name: None,
            number: told(run, "/number"),
            phase: phase.to_uppercase(),
            status: told(run, "/result"),
            at: if phase == "started" { started_at } else { time(event, "/time") },
            started_at,
            url: None,
            parameters: actions.flat_map(|action| parameters(action.get("parameters"))).take(MOST_PARAMETERS).collect(),
            repository: None,
            commit: None,
            branch: None,
        }
    }

    fn read(self) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
        let need = |what: &Option<String>, name: &str| {
            what.clone().ok_or_else(|| Malformed::new(format!("a Jenkins build without {name}")))
        };
        let (job, number) = (need(&self.job, "its job's name")?, need(&self.number, "`number`")?);
        let last = job.rsplit('/').next().unwrap_or(&job);
        let is_request = ["PR-", "MR-"].iter().any(|prefix| last.strip_prefix(prefix).is_some_and(is_number));
        let test = job.split('/').rev().find(|part| super::is_test(part));
        let state = match self.state(test.is_some()) {
            _ if is_request => return Ok(Reading::ignored("a build of a pull request: nothing was moved")),
            Ok(state) => state,
            Err(why) => return Ok(Reading::Ignored(why)),
        };
        let unstable = self.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("unstable"));
        let (repository, revision) = self.revision();
        Ok(Reading::Event(vec![DeployEvent::Moved(Box::new(DeploymentEvent {
            recurs: false,
            source: SOURCE.to_owned(),
            id: text::line(&format!("{job}/{number}"), 300),
            repository,
            names: names(&job, self.display_name.as_deref(), self.branch.as_deref()),
            environments: all(&self.parameters, &ENVIRONMENTS).map(str::to_owned).take(5).collect(),
            revision,
            manner: super::run_of_any(test),
            state,
            at: self.at,
            created_at: self.started_at,
            note: unstable.then(|| "the build is unstable".to_owned()),
            url: self.url,
        }))]))
    }

    fn state(&self, is_test: bool) -> Result<DeploymentState, String> {
        match self.phase.as_str() {
            "STARTED" => return Ok(DeploymentState::Started),
            "QUEUED" => return Err("a queued build: nothing has moved yet".to_owned()),
            // `NONE`: a pipeline's `notifyEndpoints` step, which says a phase only if it is told one.
            // Old versions of the plugin say FINISHED and FAILED.
            "COMPLETED" | "FINALIZED" | "FINISHED" | "NONE" | "" => {}
            other => return Err(format!("build {}: not a phase we read", text::line(other, 40))),
        }
        match self.status.as_deref().map(str::to_uppercase).as_deref() {
            Some("SUCCESS") => Ok(DeploymentState::Succeeded),
            Some("UNSTABLE") if is_test => Ok(DeploymentState::Failed),
            Some("UNSTABLE") => Ok(DeploymentState::Succeeded),
            Some("FAILURE" | "FAILED") => Ok(DeploymentState::Failed),
            Some("ABORTED") => Ok(DeploymentState::Aborted),
            Some("NOT_BUILT") => Err("NOT_BUILT: nothing was moved".to_owned()),
            Some(other) => Err(format!("build {}: not a status we know", text::line(other, 40))),
            None => Err("a build that does not say how it ended".to_owned()),
        }
    }

    /// What the parameters ask for; else the checkout.
    fn revision(&self) -> (Option<Repository>, Revision) {
        let of = |names: &[&'static str]| all(&self.parameters, names).map(str::to_owned).collect::<Vec<_>>();
        let named = of(&REPOSITORIES);
        let repository = named.iter().find_map(|name| super::repository_told(name));
        let repository = repository.or_else(|| self.repository.clone());
        let commit = of(&COMMITS).iter().find_map(|told| told.parse::<Commit>().ok().filter(|c| is_commit(c.as_str())));
        let tag = of(&TAGS).into_iter().next();
        let image = of(&IMAGES).into_iter().next().map(|image| match tag {
            // The name may have no tag of its own: `localhost:5000/edxapp`.
            Some(tag) if !image.rsplit('/').next().unwrap_or("").contains([':', '@']) => format!("{image}:{tag}"),
            _ => image,
        });
        let revision = commit.map(Revision::Commit);
        let revision = revision.or_else(|| Some(Revision::Named(Reference::image(&image?).ok()?)));
        let checkout = || self.commit.clone().map(Revision::Commit);
        (repository, revision.or_else(checkout).unwrap_or(Revision::Untold))
    }
}

const YEAR_MS: i64 = 366 * 24 * 3_600_000;

/// `folder/job/branch` of `job/folder/job/job/job/branch/`.
fn job_name(path: &str) -> Option<String> {
    let path = path.split_once("job/")?.1.trim_end_matches('/');
    let parts: Vec<&str> = path.split("/job/").filter(|part| !part.is_empty()).take(20).collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The whole name, the name without its last part (which may be a branch), and each part. What a multibranch job does
/// for a branch that is not merged says nothing of the job itself.
fn names(job: &str, display_name: Option<&str>, branch: Option<&str>) -> Vec<String> {
    let last = job.rsplit('/').next().unwrap_or(job);
    let branch = branch.map(|branch| branch.trim_start_matches("origin/"));
    let plain = |text: &str| text.replace("%252F", "/").replace("%2F", "/");
    let feature = branch == Some(plain(last).as_str()) && !matches!(last, "main" | "master" | "trunk");
    if feature {
        return vec![job.to_owned()];
    }
    let parent = job.rsplit_once('/').map(|(parent, _)| parent);
    let mut names: Vec<String> = Vec::new();
    for name in std::iter::once(job).chain(parent).chain(job.rsplit('/')).chain(display_name).take(25) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// A number alone is a version or a build.
fn is_commit(text: &str) -> bool {
    text.len() == 40 || text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// A map, or a list of names and values.
fn parameters(given: Option<&Value>) -> Vec<(String, String)> {
    let pairs = given.and_then(Value::as_object).into_iter().flatten();
    let pairs = pairs.filter_map(|(name, value)| Some((name.to_lowercase(), plain(value)?)));
    let list = given.and_then(Value::as_array).into_iter().flatten();
    let list = list.filter_map(|one| Some((told(one, "/name")?.to_lowercase(), plain(one.get("value")?)?)));
    pairs.chain(list).take(MOST_PARAMETERS).collect()
}

/// The values of these parameters, in this order.
fn all<'a>(parameters: &'a [(String, String)], names: &'a [&'static str]) -> impl Iterator<Item = &'a str> {
    names.iter().filter_map(|name| parameters.iter().find(|(known, _)| known == name)).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Manner;
    use serde_json::json;

    const SHA: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";

    fn notification(phase: &str, status: Option<&str>, parameters: &Value) -> Value {
        json!({
            "name": "main", "display_name": "main", "url": "job/lms/job/edxapp/job/main/",
            "build": {
                "full_url": "https://ci.example.com/job/lms/job/edxapp/job/main/12/", "number": 12, "queue_id": 3,
                "phase": phase, "status": status, "timestamp": 1_774_000_000_000_i64, "duration": 60_000,
                "url": "job/lms/job/edxapp/job/main/12/", "parameters": parameters,
                "scm": { "url": "git@github.com:openedx/edx-platform.git", "branch": "origin/main", "commit": SHA },
            },
        })
    }

    fn outcome(body: &Value) -> Result<DeploymentEvent, String> {
        match read(body.to_string().as_bytes()) {
            Ok(Reading::Event(mut events)) => match events.remove(0) {
                DeployEvent::Moved(event) => Ok(*event),
                DeployEvent::StandsFor(_) | DeployEvent::Waits(_) => Err("stands for".to_owned()),
            },
            Ok(Reading::Ignored(why)) => Err(why),
            Err(why) => Err(format!("malformed: {why}")),
        }
    }

    #[test]
    fn a_build_of_a_job_is_a_deployment() {
        for (phase, status, want) in [
            ("STARTED", None, Ok(DeploymentState::Started)),
            ("COMPLETED", Some("SUCCESS"), Ok(DeploymentState::Succeeded)),
            ("FINALIZED", Some("UNSTABLE"), Ok(DeploymentState::Succeeded)),
            ("FINALIZED", Some("FAILURE"), Ok(DeploymentState::Failed)),
            ("COMPLETED", Some("ABORTED"), Ok(DeploymentState::Aborted)),
            ("QUEUED", None, Err("a queued build: nothing has moved yet")),
            ("FINALIZED", Some("NOT_BUILT"), Err("NOT_BUILT: nothing was moved")),
            ("FINALIZED", None, Err("a build that does not say how it ended")),
            ("FINALIZED", Some("DANCED"), Err("build DANCED: not a status we know")),
        ] {
            let got = outcome(&notification(phase, status, &json!({ "ENVIRONMENT": "prod" })));
            assert_eq!(got.as_ref().map(|e| e.state).map_err(String::as_str), want, "{phase} {status:?}");
            let Ok(event) = got else { continue };
            assert_eq!(event.names, ["lms/edxapp/main", "lms/edxapp", "main", "edxapp", "lms"]);
            assert_eq!((event.id.as_str(), event.environments), ("lms/edxapp/main/12", vec!["prod".to_owned()]));
            assert_eq!(event.revision, Revision::Commit(SHA.parse().unwrap()));
            assert_eq!(event.repository.unwrap().as_str(), "openedx/edx-platform");
            let began = event.at.unwrap().duration_since(event.created_at.unwrap()).as_secs();
            assert_eq!(began, if phase == "STARTED" { 0 } else { 60 });
        }
    }

    #[test]
    fn parameters_say_what_is_deployed_rather_than_the_checkout() {
        let commit = |sha: &str| Revision::Commit(sha.parse().unwrap());
        let image = |name: &str| Revision::Named(Reference::image(name).unwrap());
        for (parameters, want) in [
            (json!({ "COMMIT": "8c1c06a1" }), commit("8c1c06a1")),
            (json!({ "Version": "8c1c06a1" }), commit("8c1c06a1")),
            (json!({ "VERSION": "20260320" }), commit(SHA)),
            (json!({ "COMMIT": "main" }), commit(SHA)),
            (json!({ "IMAGE": "ghcr.io/openedx/lms:2.1", "TAG": "9" }), image("ghcr.io/openedx/lms:2.1")),
            (json!({ "IMAGE_NAME": "localhost:5000/lms", "IMAGE_TAG": "2.1" }), image("localhost:5000/lms:2.1")),
            (json!({ "DRY_RUN": true }), commit(SHA)),
        ] {
            assert_eq!(outcome(&notification("STARTED", None, &parameters)).unwrap().revision, want, "{parameters}");
        }
    }

    #[test]
    fn the_other_plugins_say_the_same_in_other_words() {
        let camel = json!({
            "name": "edxapp", "displayName": "edxapp", "url": "job/edxapp/",
            "build": {
                "fullUrl": "https://ci.example.com/job/edxapp/13/", "number": 13, "timestamp": "2026-03-20T10:00:00.1+00:00",
                "phase": "STARTED", "status": null, "parameters": { "env": "stage" },
                "scmState": { "url": "https://github.com/openedx/edx-platform.git", "commit": SHA },
            },
        });
        let event = outcome(&camel).unwrap();
        assert_eq!((event.id.as_str(), event.environments[0].as_str()), ("edxapp/13", "stage"));
        assert_eq!(event.revision, Revision::Commit(SHA.parse().unwrap()));
        assert_eq!(event.url.as_deref(), Some("https://ci.example.com/job/edxapp/13/"));
        let run = |kind: &str, result: Value| {
            json!({
                "type": kind, "source": "job/lms/job/edxapp-e2e/", "time": "2026-03-20T18:05:00.000+0800", "id": "x",
                "data": {
                    "number": 2, "result": result, "timestamp": 1_774_000_000_000_i64,
                    "actions": [{ "parameters": [{ "name": "ENV", "value": "prod" }] }, {}],
                },
            })
        };
        let failed = outcome(&run("run.completed", json!("UNSTABLE"))).unwrap();
        assert_eq!((failed.state, failed.manner), (DeploymentState::Failed, Manner::Test("edxapp-e2e".to_owned())));
        assert_eq!(failed.at, Some("2026-03-20T10:05:00Z".parse().unwrap()));
        assert_eq!(outcome(&run("run.started", Value::Null)).unwrap().state, DeploymentState::Started);
        assert_eq!(outcome(&run("run.deleted", json!("SUCCESS"))).unwrap_err(), "build DELETED: not a phase we read");
    }

    #[test]
    fn what_a_job_does_for_a_branch_that_is_not_merged_is_not_called_as_the_job_is() {
        let mut feature = notification("STARTED", None, &Value::Null);
        feature["url"] = json!("job/lms/job/edxapp/job/faster%252Fgrades/");
        feature["build"]["scm"]["branch"] = json!("origin/faster/grades");
        assert_eq!(outcome(&feature).unwrap().names, ["lms/edxapp/faster%252Fgrades"]);
        feature["build"]["scm"]["branch"] = json!("origin/main");
        assert!(outcome(&feature).unwrap().names.contains(&"edxapp".to_owned()));
    }

    #[test]
    fn what_moves_nothing_is_ignored() {
        let mut request = notification("FINALIZED", Some("SUCCESS"), &Value::Null);
        request["url"] = json!("job/edxapp/job/PR-12/");
        assert_eq!(outcome(&request).unwrap_err(), "a build of a pull request: nothing was moved");
        assert_eq!(outcome(&json!({ "ciUrl": "x", "status": "LEFT" })).unwrap_err(), "not a build of a job");
        let mut bare = notification("STARTED", None, &Value::Null);
        bare["build"]["number"] = Value::Null;
        assert_eq!(outcome(&bare).unwrap_err(), "malformed: a Jenkins build without `number`");
        // Before 1.11 the plugin told no times.
        bare["build"] = json!({ "number": "7", "phase": "STARTED" });
        assert_eq!(outcome(&bare).unwrap().at, None);
    }
}
