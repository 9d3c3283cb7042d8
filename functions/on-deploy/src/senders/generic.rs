//! Ours: one flat object that a script sends with one `curl`, for pipelines that have no file here.
//!
//! ```json
//! {"service": "edxapp", "environment": "prod", "commit": "8c1c06a1a8", "state": "started"}
//! {"image": "ghcr.io/openedx/lms:2.1", "repository": "openedx/edx-platform", "commit": "8c1c06a1a8"}
//! ```
//!
//! The second tells what an image was made of. A field that we do not know is refused: a slip of the pen that is passed
//! over would be found out during an incident.

use aws::given::moment;
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::{Commit, DeployEvent, DeploymentEvent, DeploymentState, Manner, Reference, Repository, Revision};
use domain::{StandsFor, text};
use jiff::Timestamp;
use serde_json::{Map, Value};

pub const SENDER: Sender<Vec<DeployEvent>> = Sender {
    name: "generic",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide {
        title: "Any script, with `curl`",
        steps: &[
            "Before and after it deploys, the script sends one line; `state` is started, succeeded, failed or aborted:",
            r#"curl -fsS {url} -H 'Authorization: Bearer {secret}' -d '{"service": "edxapp", "environment": "prod", "commit": "'$(git rev-parse HEAD)'", "state": "started"}'"#,
            "Images: `image` in place of `commit`; where it is built, once, `image`, `commit` and `repository` without a `state`.",
            "Optional: `id`, `at`, `progressive` (true), `test` (a suite's name), `url`, `note`.",
        ],
        reads: "`service` or `repository`, `environment`, `commit` or `image`, `state`",
        ignores: "states before anything moves, such as pending; unknown fields and states are refused",
        docs: "https://curl.se/docs/manpage.html",
    },
};

const SOURCE: &str = "generic";
const FIELDS: [&str; 12] = [
    "service",
    "repository",
    "environment",
    "commit",
    "image",
    "state",
    "id",
    "at",
    "progressive",
    "test",
    "url",
    "note",
];

fn read(body: &[u8]) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let fields = Fields(parse(body)?);
    if fields.0.keys().any(|name| !FIELDS.contains(&name.as_str())) {
        return Err(Malformed::new(format!("a field has none of these names: {}", FIELDS.join(", "))));
    }
    let repository: Option<Repository> = fields.text("repository")?.map(|name| name.parse()).transpose()?;
    let commit: Option<Commit> = fields.text("commit")?.map(|commit| commit.parse()).transpose()?;
    let image = fields.text("image")?.map(|image| Reference::image(&image)).transpose()?;
    let told = image.clone().zip(commit.clone()).map(|(reference, commit)| StandsFor {
        reference,
        repository: repository.clone(),
        revision: Revision::Commit(commit),
    });
    let told = told.map(DeployEvent::StandsFor);
    let Some(word) = fields.text("state")? else {
        let only = "expected `state`, or `image` and `commit` to tell what an image was made of";
        return told.map(|told| Reading::Event(vec![told])).ok_or_else(|| Malformed::new(only));
    };
    let Some((state, canary)) = state(&word)? else {
        return Ok(Reading::ignored("nothing has moved yet"));
    };
    let revision = commit.map(Revision::Commit).or_else(|| image.map(Revision::Named)).unwrap_or(Revision::Untold);
    let moved = deployment(&fields, repository, revision, state, canary)?;
    Ok(Reading::Event(std::iter::once(DeployEvent::Moved(Box::new(moved))).chain(told).collect()))
}

fn deployment(
    fields: &Fields,
    repository: Option<Repository>,
    revision: Revision,
    state: DeploymentState,
    canary: bool,
) -> Result<DeploymentEvent, Malformed> {
    let (service, environment) = (fields.text("service")?, fields.text("environment")?);
    if service.is_none() && repository.is_none() {
        return Err(Malformed::new("expected `service` or `repository`"));
    }
    let what = match &revision {
        Revision::Commit(commit) => Some(commit.as_str()),
        Revision::Named(reference) => Some(reference.as_str().trim_start_matches("image:")),
        Revision::Untold => None,
    };
    let own = what.map(|what| format!("{what}-{}", environment.as_deref().unwrap_or_default()));
    let given = fields.perhaps("id")?;
    let id = given.clone().or_else(|| Some(own?.trim_end_matches('-').to_owned()));
    let id = id.ok_or_else(|| Malformed::new("expected `commit` or `image`, or the `id` of the deployment"))?;
    Ok(DeploymentEvent {
        recurs: given.is_none(),
        source: SOURCE.to_owned(),
        id: text::line(&id, 300),
        repository,
        names: service.into_iter().collect(),
        environments: environment.into_iter().collect(),
        revision,
        manner: manner(fields, canary)?,
        state,
        at: fields.time("at")?,
        created_at: None,
        note: fields.perhaps("note")?.map(|note| text::line(&note, 300)),
        url: fields
            .perhaps("url")?
            .map(|url| text::url(&url).ok_or_else(|| wrong("url", "a web address")))
            .transpose()?,
    })
}

fn manner(fields: &Fields, canary: bool) -> Result<Manner, Malformed> {
    let progressive = match fields.0.get("progressive") {
        None | Some(Value::Null) => canary,
        Some(Value::Bool(told)) => *told || canary,
        Some(Value::String(told)) if told == "true" => true,
        Some(Value::String(told)) if told == "false" => canary,
        Some(_) => return Err(wrong("progressive", "true or false")),
    };
    match (fields.perhaps("test")?, progressive) {
        (Some(_), true) => Err(Malformed::new("expected `test` or `progressive`: tests move nothing")),
        (Some(suite), false) => Ok(super::run_of(&suite)),
        (None, true) => Ok(Manner::Progressive),
        (None, false) => Ok(Manner::Whole),
    }
}

/// The state, and whether the word says that only a part of the traffic was moved. `None`: nothing has moved yet.
fn state(word: &str) -> Result<Option<(DeploymentState, bool)>, Malformed> {
    let word = word.to_lowercase().replace([' ', '-'], "_");
    Ok(Some(match word.as_str() {
        "canary" => (DeploymentState::Started, true),
        "started" | "start" | "starting" | "in_progress" | "inprogress" | "running" | "deploying" | "progressing"
        | "paused" => (DeploymentState::Started, false),
        "succeeded" | "success" | "successful" | "passed" | "completed" | "complete" | "done" | "finished"
        | "deployed" | "live" => (DeploymentState::Succeeded, false),
        "failed" | "failure" | "fail" | "error" | "errored" => (DeploymentState::Failed, false),
        "aborted" | "abort" | "cancelled" | "canceled" | "stopped" | "rolled_back" | "rolledback" | "rollback" => {
            (DeploymentState::Aborted, false)
        }
        "pending" | "queued" | "waiting" | "scheduled" | "created" => return Ok(None),
        _ => return Err(wrong("state", "started, succeeded, failed or aborted")),
    }))
}

struct Fields(Map<String, Value>);

impl Fields {
    /// A field that may be absent, but not empty.
    fn text(&self, name: &str) -> Result<Option<String>, Malformed> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::String(told)) => {
                let line = text::line(told, 400);
                if line.is_empty() { Err(wrong(name, "a text that is not empty")) } else { Ok(Some(line)) }
            }
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err(wrong(name, "a text")),
        }
    }

    /// A field that scripts often leave empty.
    fn perhaps(&self, name: &str) -> Result<Option<String>, Malformed> {
        let empty = self.0.get(name).and_then(Value::as_str).is_some_and(|told| told.trim().is_empty());
        if empty { Ok(None) } else { self.text(name) }
    }

    /// `2026-03-20T10:00:00Z`, or what `date +%s` says.
    fn time(&self, name: &str) -> Result<Option<Timestamp>, Malformed> {
        let Some(told) = self.perhaps(name)? else { return Ok(None) };
        moment(&told).map(Some).ok_or_else(|| wrong(name, "a time such as 2026-03-20T10:00:00Z, or seconds since 1970"))
    }
}

fn wrong(name: &str, expected: &str) -> Malformed {
    Malformed::new(format!("expected as `{name}` {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";

    fn events(body: &str) -> Result<Vec<DeployEvent>, String> {
        match read(body.replace("SHA", SHA).as_bytes()) {
            Ok(Reading::Event(events)) => Ok(events),
            Ok(Reading::Ignored(why)) => Err(format!("ignored: {why}")),
            Err(why) => Err(why.to_string()),
        }
    }

    fn moved(body: &str) -> DeploymentEvent {
        match events(body).unwrap().remove(0) {
            DeployEvent::Moved(event) => *event,
            other @ (DeployEvent::StandsFor(_) | DeployEvent::Waits(_)) => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_line_is_a_deployment() {
        let event = moved(
            r#"{"service":"edxapp","environment":"prod","commit":"SHA","state":"started","at":"2026-03-20T10:00:00Z"}"#,
        );
        assert_eq!((event.names, event.environments), (vec!["edxapp".to_owned()], vec!["prod".to_owned()]));
        assert_eq!(event.id, format!("{SHA}-prod"));
        assert_eq!(event.revision, Revision::Commit(SHA.parse().unwrap()));
        assert_eq!(event.at, Some("2026-03-20T10:00:00Z".parse().unwrap()));
        let event =
            moved(r#"{"repository":"Openedx/Edx-Platform","image":"lms:2.1","state":"success","at":1774000800}"#);
        assert_eq!(event.repository.unwrap().as_str(), "openedx/edx-platform");
        assert_eq!((event.id.as_str(), event.at), ("lms:2.1", Some("2026-03-20T10:00:00Z".parse().unwrap())));
        let event =
            moved(r#"{"service":"a","id":7,"state":"failed","note":"out of\nmemory","url":"","at":"","test":null}"#);
        assert_eq!((event.id.as_str(), event.revision, event.at), ("7", Revision::Untold, None));
        assert_eq!(event.note.as_deref(), Some("out of memory"));
    }

    #[test]
    fn states_and_manners_have_many_names() {
        for (fields, state, manner) in [
            (r#""state":"In Progress""#, DeploymentState::Started, Manner::Whole),
            (r#""state":"canary""#, DeploymentState::Started, Manner::Progressive),
            (r#""state":"rolled-back","progressive":"true""#, DeploymentState::Aborted, Manner::Progressive),
            (r#""state":"ERROR","test":"e2e""#, DeploymentState::Failed, Manner::Test("e2e".to_owned())),
            (r#""state":"done","progressive":false"#, DeploymentState::Succeeded, Manner::Whole),
            (r#""state":"done","progressive":"false""#, DeploymentState::Succeeded, Manner::Whole),
            (r#""state":"canary","progressive":"false""#, DeploymentState::Started, Manner::Progressive),
        ] {
            let event = moved(&format!(r#"{{"service":"edxapp","commit":"SHA",{fields}}}"#));
            assert_eq!((event.state, event.manner), (state, manner), "{fields}");
        }
    }

    #[test]
    fn what_an_image_was_made_of_is_told_with_a_deployment_or_without() {
        for (body, count) in [
            (r#"{"image":"lms:2.1","commit":"SHA","repository":"openedx/edx-platform"}"#, 1),
            (r#"{"image":"lms:2.1","commit":"SHA","service":"edxapp","state":"started"}"#, 2),
        ] {
            let events = events(body).unwrap();
            assert_eq!(events.len(), count);
            let Some(DeployEvent::StandsFor(told)) = events.last() else { panic!("{events:?}") };
            assert_eq!(told.reference.as_str(), "image:lms:2.1");
            assert_eq!(told.revision, Revision::Commit(SHA.parse().unwrap()));
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_refused_in_our_words() {
        let known = format!("a field has none of these names: {}", FIELDS.join(", "));
        for (body, want) in [
            (r#"{"service":"a","enviroment":"prod","commit":"SHA","state":"started"}"#, known.as_str()),
            (
                r#"{"service":"a","commit":"SHA"}"#,
                "expected `state`, or `image` and `commit` to tell what an image was made of",
            ),
            (
                r#"{"service":"a","commit":"SHA","state":"<b>"}"#,
                "expected as `state` started, succeeded, failed or aborted",
            ),
            (r#"{"service":"a","commit":"","state":"started"}"#, "expected as `commit` a text that is not empty"),
            (r#"{"service":"a","commit":"main","state":"started"}"#, "expected commit: 7 to 64 hexadecimal digits"),
            (r#"{"service":["a"],"commit":"SHA","state":"started"}"#, "expected as `service` a text"),
            (r#"{"commit":"SHA","state":"started"}"#, "expected `service` or `repository`"),
            (r#"{"service":"a","state":"started"}"#, "expected `commit` or `image`, or the `id` of the deployment"),
            (
                r#"{"service":"a","commit":"SHA","state":"started","at":"soon"}"#,
                "expected as `at` a time such as 2026-03-20T10:00:00Z, or seconds since 1970",
            ),
            (
                r#"{"service":"a","commit":"SHA","state":"started","url":"javascript:x"}"#,
                "expected as `url` a web address",
            ),
            (
                r#"{"service":"a","commit":"SHA","state":"canary","test":"e2e"}"#,
                "expected `test` or `progressive`: tests move nothing",
            ),
            (
                r#"{"service":"a","commit":"SHA","state":"started","progressive":"perhaps"}"#,
                "expected as `progressive` true or false",
            ),
            (r#"{"service":"a","commit":"SHA","state":"queued"}"#, "ignored: nothing has moved yet"),
            ("[]", "not the JSON that was expected at line 1, column 0"),
        ] {
            assert_eq!(events(body).unwrap_err(), want, "{body}");
        }
    }
}
