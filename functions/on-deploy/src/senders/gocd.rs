//! GoCD: the status of a stage, as the server tells its notification plugins and as these post it: bare, or as `data`
//! beside a `type`.
//!
//! A pipeline that is started by another one has no commit of its own: its revision is the stage before it, and each
//! stage that passes tells what it stands for.
//! <https://plugin-api.gocd.org/current/notifications/#stage-status-changed>

use aws::given::{list, plain, told};
use aws::verify::Signature;
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender, given};
use domain::{DeployEvent, DeploymentEvent, DeploymentState, Reference, Repository, Revision, StandsFor};
use domain::{text, times};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use serde_json::Value;

pub const SENDER: Sender<Vec<DeployEvent>> = Sender {
    name: "gocd",
    proofs: &[Proof::Signature(Signature::bare("x-gocd-signature")), Proof::Token],
    parse: read,
    guide: Guide {
        title: "GoCD",
        steps: &[
            "Install a plugin that posts stage notifications, such as getsentry/gocd-webhook-notification-plugin.",
            "Admin, Server Configuration, Plugins, the gear beside GoCD WebHook Notification plugin: WebHook URL {url}",
            "It signs with {secret} where its secret is given beside the address; plugins that cannot sign send basic auth: {url_with_secret}",
        ],
        reads: "stages: building, passed, failed, cancelled; stages named e2e, smoke or acceptance are tests",
        ignores: "agents, stages that are still failing",
        docs: "https://plugin-api.gocd.org/current/notifications/#stage-status-changed",
    },
};

const SOURCE: &str = "gocd";
const MOST_MATERIALS: usize = 50;

fn read(body: &[u8]) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let whole: Value = parse(body)?;
    let event = whole.get("data").filter(|data| data.is_object()).unwrap_or(&whole);
    if event.get("agent_state").is_some() || event.get("agent_config_state").is_some() {
        return Ok(Reading::ignored("the state of an agent: nothing was moved"));
    }
    match event.get("pipeline").filter(|pipeline| pipeline.is_object()) {
        Some(pipeline) => read_stage(pipeline),
        None => Ok(Reading::ignored("not the status of a stage")),
    }
}

fn read_stage(pipeline: &Value) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let stage = pipeline.get("stage").unwrap_or(&Value::Null);
    let need = |of: &Value, key: &str| {
        of.get(key).and_then(plain).ok_or_else(|| Malformed::new(format!("a GoCD stage notification without `{key}`")))
    };
    let (name, counter) = (need(pipeline, "name")?, need(pipeline, "counter")?);
    let (stage_name, stage_counter) = (need(stage, "name")?, told(stage, "/counter").unwrap_or_else(|| "1".to_owned()));
    let state = match state(stage) {
        Ok(state) => state,
        Err(why) => return Ok(Reading::Ignored(why)),
    };
    let created_at = time(stage, "/create-time");
    let at = if state == DeploymentState::Started { created_at } else { ended(stage).or(created_at) };
    let id = text::line(&format!("{name}/{counter}/{stage_name}/{stage_counter}"), 300);
    let (repository, revision) = revision(pipeline);
    let group = told(pipeline, "/group");
    let names =
        [Some(format!("{name}/{stage_name}")), Some(name.clone()), group.map(|group| format!("{group}/{name}"))];
    let moved = DeployEvent::Moved(Box::new(DeploymentEvent {
        recurs: false,
        source: SOURCE.to_owned(),
        id: id.clone(),
        repository: repository.clone(),
        names: names.into_iter().flatten().collect(),
        environments: vec![stage_name.clone(), name],
        revision: revision.clone(),
        manner: super::run_of_any(Some(stage_name.as_str()).filter(|stage| super::is_test(stage))),
        state,
        at,
        created_at,
        note: failed_jobs(stage),
        url: None,
    }));
    let passed = state == DeploymentState::Succeeded && revision != Revision::Untold;
    let told = reference(&id).filter(|_| passed).map(|reference| StandsFor { reference, repository, revision });
    Ok(Reading::Event(std::iter::once(moved).chain(told.map(DeployEvent::StandsFor)).collect()))
}

fn state(stage: &Value) -> Result<DeploymentState, String> {
    let words = ["state", "result"].map(|key| stage.get(key).and_then(plain).unwrap_or_default().to_lowercase());
    match words.each_ref().map(String::as_str) {
        ["building" | "scheduled" | "started", _] => Ok(DeploymentState::Started),
        ["passed", _] | ["completed", "passed"] => Ok(DeploymentState::Succeeded),
        ["failed", _] | ["completed", "failed"] => Ok(DeploymentState::Failed),
        ["cancelled" | "canceled", _] | ["completed", "cancelled" | "canceled"] => Ok(DeploymentState::Aborted),
        ["failing", _] => Err("a job has failed, the others still run: the stage will tell".to_owned()),
        [other, _] => Err(format!("stage {}: not a state we know", text::line(other, 40))),
    }
}

/// What the run was made of: the git material that changed, else the stage that did; else the first of each.
fn revision(pipeline: &Value) -> (Option<Repository>, Revision) {
    let causes: Vec<&Value> = list(pipeline, "/build-cause").take(MOST_MATERIALS).collect();
    let of = |cause: &Value| told(cause, "/modifications/0/revision");
    let git = |cause: &&Value| {
        let kind = cause.pointer("/material/type").and_then(Value::as_str);
        if !matches!(kind, None | Some("git" | "scm" | "plugin")) {
            return None;
        }
        let commit = of(cause)?.parse().ok()?;
        let address =
            cause.pointer("/material/git-configuration/url").or(cause.pointer("/material/scm-configuration/url"));
        Some((address.and_then(Value::as_str).and_then(super::repository_in), Revision::Commit(commit)))
    };
    let upstream = |cause: &&Value| {
        let is_stage = cause.pointer("/material/type").is_some_and(|kind| kind == "pipeline");
        Some((None, Revision::Named(reference(&of(cause)?)?))).filter(|_| is_stage)
    };
    let changed = || causes.iter().filter(|cause| cause.get("changed") == Some(&Value::Bool(true)));
    // What did not change may be the scripts that deploy.
    let started_by = changed().find_map(git).or_else(|| changed().find_map(upstream));
    let made_of = || causes.iter().find_map(git).or_else(|| causes.iter().find_map(upstream));
    started_by.or_else(made_of).unwrap_or((None, Revision::Untold))
}

/// A run of a stage, as the pipelines that it starts call it: `build/7/package/1`.
fn reference(run: &str) -> Option<Reference> {
    format!("gocd:{run}").parse().ok()
}

fn ended(stage: &Value) -> Option<Timestamp> {
    let jobs = list(stage, "/jobs").take(MOST_MATERIALS);
    time(stage, "/last-transition-time").or_else(|| jobs.filter_map(|job| time(job, "/complete-time")).max())
}

fn failed_jobs(stage: &Value) -> Option<String> {
    let jobs = list(stage, "/jobs").take(MOST_MATERIALS);
    let failed = jobs.filter(|job| job.get("result").is_some_and(|result| result == "Failed"));
    let names: Vec<String> = failed.filter_map(|job| told(job, "/name")).take(5).collect();
    (!names.is_empty()).then(|| text::line(&format!("failed: {}", names.join(", ")), 300))
}

/// As everybody writes it, or `Aug 28, 2024, 9:31:00 PM`, which plugins write without a zone: taken for UTC.
fn time(of: &Value, pointer: &str) -> Option<Timestamp> {
    given::time(of, pointer).or_else(|| {
        let told = given::word(of, pointer)?;
        // Newer Javas put a narrow space before AM and PM.
        let plain: String = told.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        let forms = ["%b %d, %Y, %I:%M:%S %p", "%b %d, %Y %I:%M:%S %p"];
        let local = forms.iter().find_map(|form| DateTime::strptime(form, &plain).ok())?;
        TimeZone::UTC.to_timestamp(local).ok().filter(|at| times::plausible(*at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Manner;
    use serde_json::json;

    const SHA: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";

    fn git(url: &str, revision: &str, changed: bool) -> Value {
        json!({
            "material": { "type": "git", "git-configuration": { "url": url, "branch": "main" } },
            "changed": changed,
            "modifications": [{ "revision": revision, "modified-time": "2026-03-20T10:00:00.000+0000" }],
        })
    }

    fn upstream(revision: &str) -> Value {
        json!({ "material": { "type": "pipeline" }, "changed": true, "modifications": [{ "revision": revision }] })
    }

    fn notification(state: &str, stage: &str, causes: &[Value]) -> Value {
        json!({ "pipeline": {
            "name": "edxapp", "counter": 7, "group": "lms", "build-cause": causes,
            "stage": {
                "name": stage, "counter": "1", "state": state, "result": "Unknown",
                "create-time": "2026-03-20T10:01:00.000+0000", "last-transition-time": "2026-03-20T10:05:00.000+0000",
                "jobs": [{ "name": "migrate", "result": "Failed" }, { "name": "restart", "result": "Passed" }],
            },
        } })
    }

    fn events(body: &Value) -> Vec<DeployEvent> {
        match read(body.to_string().as_bytes()).unwrap() {
            Reading::Event(events) => events,
            Reading::Ignored(why) => panic!("ignored: {why}"),
        }
    }

    fn moved(body: &Value) -> DeploymentEvent {
        let DeployEvent::Moved(event) = events(body).remove(0) else { panic!("not moved") };
        *event
    }

    #[test]
    fn a_stage_is_a_deployment_and_each_of_its_states_is_told() {
        let causes = [git("https://github.com/openedx/edx-platform.git", SHA, true)];
        for (word, state, at) in [
            ("Building", DeploymentState::Started, "10:01"),
            ("Passed", DeploymentState::Succeeded, "10:05"),
            ("Failed", DeploymentState::Failed, "10:05"),
            ("Cancelled", DeploymentState::Aborted, "10:05"),
        ] {
            let event = moved(&json!({ "type": "stage", "data": notification(word, "prod", &causes) }));
            assert_eq!(
                (event.state, event.at),
                (state, Some(format!("2026-03-20T{at}:00Z").parse().unwrap())),
                "{word}"
            );
            assert_eq!(event.id, "edxapp/7/prod/1");
            assert_eq!(event.names, ["edxapp/prod", "edxapp", "lms/edxapp"]);
            assert_eq!(event.environments, ["prod", "edxapp"]);
            assert_eq!(event.repository.unwrap().as_str(), "openedx/edx-platform");
            assert_eq!(event.revision, Revision::Commit(SHA.parse().unwrap()));
            assert_eq!(event.note.as_deref(), Some("failed: migrate"));
        }
        assert_eq!(moved(&notification("Passed", "smoke-tests", &causes)).manner, Manner::Test("smoke-tests".into()));
    }

    #[test]
    fn the_commit_is_that_of_the_git_material_which_changed() {
        let (config, app) = (git("git@github.com:openedx/config.git", &"a1".repeat(20), false), |changed| {
            git("https://github.com/openedx/edx-platform", SHA, changed)
        });
        let revision_of = |causes: &[Value]| moved(&notification("Building", "prod", causes)).revision;
        let ours = Revision::Commit(SHA.parse().unwrap());
        assert_eq!(revision_of(&[config.clone(), app(true)]), ours);
        assert_eq!(revision_of(&[app(false), config]), ours, "started by hand: nothing changed");
        assert_eq!(revision_of(&[git("http://svn.example.com", "41", true)]), Revision::Untold);
        assert_eq!(revision_of(&[]), Revision::Untold);
        let after = Revision::Named("gocd:build/3/package/1".parse().unwrap());
        assert_eq!(revision_of(&[upstream("build/3/package/1")]), after);
    }

    #[test]
    fn a_stage_that_passed_says_what_it_stands_for() {
        let told =
            events(&notification("Passed", "package", &[git("https://github.com/openedx/edx-platform", SHA, true)]));
        let DeployEvent::StandsFor(told) = &told[1] else { panic!("nothing told") };
        assert_eq!(told.reference.as_str(), "gocd:edxapp/7/package/1");
        assert_eq!(told.revision, Revision::Commit(SHA.parse().unwrap()));
        assert_eq!(events(&notification("Passed", "package", &[])).len(), 1, "it stands for nothing that we know");
    }

    #[test]
    fn times_come_in_two_forms() {
        for given in [
            "2024-08-28T21:31:00.000+0000",
            "2024-08-28T21:31:00Z",
            "Aug 28, 2024, 9:31:00 PM",
            "Aug 28, 2024, 9:31:00\u{202f}PM",
        ] {
            assert_eq!(time(&json!([given]), "/0"), Some("2024-08-28T21:31:00Z".parse().unwrap()), "{given}");
        }
        for given in ["", "yesterday", "1066-10-14T09:00:00.000+0000"] {
            assert_eq!(time(&json!([given]), "/0"), None, "{given}");
        }
    }

    #[test]
    fn what_is_no_deployment_is_ignored_and_what_lacks_its_name_is_malformed() {
        let mut nameless = notification("Passed", "prod", &[]);
        nameless["pipeline"]["name"] = Value::Null;
        for (body, want) in [
            (json!({ "agent_state": "building", "uuid": "x" }), "the state of an agent: nothing was moved"),
            (json!({ "zen": "x" }), "not the status of a stage"),
            (notification("Failing", "prod", &[]), "a job has failed, the others still run: the stage will tell"),
            (notification("<b>", "prod", &[]), "stage <b>: not a state we know"),
            (nameless, "malformed: a GoCD stage notification without `name`"),
        ] {
            let got = match read(body.to_string().as_bytes()) {
                Ok(Reading::Ignored(why)) => why,
                Ok(Reading::Event(events)) => format!("{events:?}"),
                Err(why) => format!("malformed: {why}"),
            };
            assert_eq!(got, want);
        }
    }
}
