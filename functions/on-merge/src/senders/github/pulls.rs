//! `pull_request` of one that is open, or was until now, and `issue_comment` on one.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request>
//!
//! A label that is there when a pull request is opened asks for nothing: it may come from a template, or from the name of
//! the branch. Who puts it on asks.

use aws::wire::Moment;
use aws::{Malformed, Reading};
use domain::on_merge::MergeEvent;
use domain::{Login, OpenPull, PullEvent};
use jiff::Timestamp;
use serde::Deserialize;

use super::{Account, Base, FORGE, Label, Repository, login};
use crate::senders::pulls::{self, Asking, Command};

#[derive(Deserialize)]
pub(super) struct Told {
    pull_request: Pull,
    repository: Repository,
    sender: Option<Account>,
    label: Option<Label>,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    state: Option<String>,
    title: Option<String>,
    html_url: Option<String>,
    user: Option<Account>,
    head: Head,
    base: Base,
    draft: Option<bool>,
    #[serde(default)]
    labels: Vec<Label>,
    updated_at: Option<Moment>,
    closed_at: Option<Moment>,
}

#[derive(Deserialize)]
struct Head {
    sha: String,
    /// Nothing where the fork was deleted.
    repo: Option<Repository>,
}

#[derive(Deserialize)]
pub(super) struct Commented {
    issue: Issue,
    comment: Comment,
    repository: Repository,
}

#[derive(Deserialize)]
struct Issue {
    number: u64,
    state: Option<String>,
    title: Option<String>,
    html_url: Option<String>,
    /// There if it is a pull request.
    pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Comment {
    body: Option<String>,
    user: Option<Account>,
    created_at: Option<Moment>,
}

impl Pull {
    fn at(&self) -> Result<Timestamp, Malformed> {
        let told = self.updated_at.ok_or_else(|| Malformed::new("a pull request without updated_at"))?;
        Ok(told.0)
    }
}

pub(super) fn open(told: Told) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let (pull, repository) = (told.pull_request, told.repository.id()?);
    let at = pull.at()?;
    let from = pull.head.repo.as_ref().and_then(|repo| repo.id().ok());
    let author = pulls::author(FORGE, login(pull.user.as_ref()));
    let open = OpenPull {
        number: pull.number,
        head: pull.head.sha.parse()?,
        author: author.ok_or_else(|| Malformed::new("a pull request without user"))?,
        title: pull.title.unwrap_or_default(),
        url: pull.html_url,
        base: pull.base.branch,
        draft: pull.draft == Some(true),
        fork: from.as_ref() != Some(&repository),
        labels: pull.labels.into_iter().map(|label| label.name).collect(),
    };
    Ok(pulls::one(pulls::open(repository, open, at)))
}

/// Closed without being merged.
pub(super) fn closed(told: &Told) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let pull = &told.pull_request;
    let at = pull.closed_at.map_or_else(|| pull.at(), |Moment(at)| Ok(at))?;
    Ok(pulls::one(pulls::gone(told.repository.id()?, pull.number, at)))
}

/// A label was put on, or taken off.
pub(super) fn labelled(told: &Told, on: bool) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let pull = &told.pull_request;
    if !told.label.as_ref().is_some_and(|label| pulls::is_expedite(&label.name)) {
        return Ok(Reading::ignored("a label that does not ask for the lane of urgent fixes"));
    }
    if pull.state.as_deref() == Some("closed") {
        return Ok(Reading::ignored(pulls::OVER));
    }
    let by = told.sender.as_ref().ok_or_else(|| Malformed::new("a label without sender"))?;
    let (repository, by, at) = (told.repository.id()?, Login::new(FORGE, &by.login)?, pull.at()?);
    if !on {
        return Ok(pulls::one(MergeEvent::Pull(repository, PullEvent::NoExpedite { number: pull.number, by, at })));
    }
    let asking = Asking {
        number: pull.number,
        head: Some(pull.head.sha.parse()?),
        title: pull.title.as_deref().unwrap_or(""),
        url: pull.html_url.as_deref(),
        by,
        at,
        command: None,
    };
    Ok(pulls::one(asking.event(repository)))
}

/// A comment that was written, not one that was changed.
pub(super) fn commented(told: &Commented) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let (issue, comment) = (&told.issue, &told.comment);
    let Some(command) = Command::of(comment.body.as_deref().unwrap_or("")).filter(|_| issue.pull_request.is_some())
    else {
        return Ok(Reading::ignored(pulls::NOT_ASKED));
    };
    if issue.state.as_deref() == Some("closed") {
        return Ok(Reading::ignored(pulls::OVER));
    }
    let by = login(comment.user.as_ref()).ok_or_else(|| Malformed::new("a comment without user"))?;
    let Moment(at) = comment.created_at.ok_or_else(|| Malformed::new("a comment without created_at"))?;
    let asking = Asking {
        number: issue.number,
        head: None,
        title: issue.title.as_deref().unwrap_or(""),
        url: issue.html_url.as_deref(),
        by,
        at,
        command: Some(command),
    };
    Ok(pulls::one(asking.event(told.repository.id()?)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::read;

    const HEAD: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";

    fn told(event: &Value) -> Value {
        crate::senders::tests::told(read(event.to_string().as_bytes()))
    }

    fn pull(action: &str) -> Value {
        json!({
            "action": action, "number": 12, "sender": { "login": "Feanil" },
            "repository": { "full_name": "openedx/edx-platform", "default_branch": "master" },
            "pull_request": {
                "number": 12, "state": "open", "title": "Pay\nonce", "html_url": "https://github.com/openedx/edx-platform/pull/12",
                "user": { "login": "usama" }, "draft": true, "labels": [{ "name": "Expedite" }, { "name": "x\u{202e}" }],
                "head": { "sha": HEAD, "ref": "pay", "repo": { "full_name": "Openedx/Edx-Platform" } },
                "base": { "ref": "master" }, "merged": false,
                "updated_at": "2026-11-24T09:00:00Z", "closed_at": "2026-11-24T09:00:01Z"
            }
        })
    }

    fn comment(action: &str, body: &str) -> Value {
        json!({
            "action": action, "sender": { "login": "somebody" }, "repository": { "full_name": "openedx/edx-platform" },
            "issue": {
                "number": 12, "state": "open", "title": "Pay once", "pull_request": { "url": "https://api.github.com/x" },
                "html_url": "https://github.com/openedx/edx-platform/pull/12"
            },
            "comment": { "body": body, "user": { "login": "usama" }, "created_at": "2026-11-24T09:00:00Z" }
        })
    }

    #[test]
    fn an_open_pull_request_is_told_whatever_opened_it() {
        let open = json!([{ "pull": ["openedx/edx-platform", { "open": [{
            "number": 12, "head": HEAD, "author": "github:usama", "title": "Pay once",
            "url": "https://github.com/openedx/edx-platform/pull/12", "base": "master", "draft": true, "fork": false,
            "labels": ["Expedite", "x"]
        }, "2026-11-24T09:00:00Z"] }] }]);
        for action in ["opened", "reopened", "synchronize", "ready_for_review", "converted_to_draft"] {
            assert_eq!(told(&pull(action)), open, "{action}");
        }
        let mut edited = pull("edited");
        assert_eq!(told(&edited), "pull_request edited: nothing was merged");
        edited["changes"] = json!({ "base": { "ref": { "from": "main" } } });
        assert_eq!(told(&edited), open);
        let (mut fork, mut ghost) = (pull("opened"), pull("opened"));
        fork["pull_request"]["head"]["repo"] = Value::Null;
        assert_eq!(told(&fork)[0]["pull"][1]["open"][0]["fork"], true);
        ghost["pull_request"]["user"] = Value::Null;
        assert_eq!(told(&ghost)[0]["pull"][1]["open"][0]["author"], "github:ghost");
        ghost["pull_request"]["head"]["sha"] = json!("<script>");
        assert_eq!(told(&ghost), "400: expected commit: 7 to 64 hexadecimal digits");
    }

    #[test]
    fn closed_is_gone_and_merged_is_both() {
        let gone = json!({ "gone": { "number": 12, "at": "2026-11-24T09:00:01Z" } });
        assert_eq!(told(&pull("closed")), json!([{ "pull": ["openedx/edx-platform", gone] }]));
        let mut merged = pull("closed");
        let pull = &mut merged["pull_request"];
        (pull["merged"], pull["merge_commit_sha"], pull["merged_at"]) =
            (json!(true), json!(HEAD), json!("2026-11-24T09:00:01Z"));
        let both = told(&merged);
        assert_eq!(both[0]["merged"]["id"]["commit"], HEAD);
        assert_eq!(both[1]["pull"][1], gone);
    }

    #[test]
    fn the_label_asks_by_whoever_puts_it_on() {
        let (mut on, mut off) = (pull("labeled"), pull("unlabeled"));
        for event in [&mut on, &mut off] {
            assert_eq!(told(event), "a label that does not ask for the lane of urgent fixes");
            event["label"] = json!({ "name": "EXPEDITE" });
        }
        let asked = json!({ "expedite": {
            "number": 12, "head": HEAD, "by": "github:feanil", "at": "2026-11-24T09:00:00Z", "title": "Pay once",
            "url": "https://github.com/openedx/edx-platform/pull/12"
        } });
        assert_eq!(told(&on), json!([{ "pull": ["openedx/edx-platform", asked] }]));
        let withdrawn = json!({ "no_expedite": { "number": 12, "by": "github:feanil", "at": "2026-11-24T09:00:00Z" } });
        assert_eq!(told(&off), json!([{ "pull": ["openedx/edx-platform", withdrawn] }]));
        on["pull_request"]["state"] = json!("closed");
        assert_eq!(told(&on), "about a pull request that is merged or closed already");
    }

    #[test]
    fn a_command_asks_by_whoever_writes_it() {
        let asked = told(&comment("created", "/expedite payments are down\nsee above"));
        let event = json!({ "expedite": {
            "number": 12, "by": "github:usama", "at": "2026-11-24T09:00:00Z", "reason": "payments are down",
            "title": "Pay once", "url": "https://github.com/openedx/edx-platform/pull/12"
        } });
        assert_eq!(asked, json!([{ "pull": ["openedx/edx-platform", event] }]));
        let not_asked = "a comment that does not ask for the lane of urgent fixes";
        let (mut issue, mut closed) = (comment("created", "/expedite"), comment("created", "/expedite"));
        issue["issue"]["pull_request"] = Value::Null;
        closed["issue"]["state"] = json!("closed");
        for (event, why) in [
            (comment("created", "looks good"), not_asked),
            (issue, not_asked),
            (closed, "about a pull request that is merged or closed already"),
            (comment("edited", "/expedite"), "a comment was changed or deleted: it asks for nothing"),
            (comment("deleted", "/expedite"), "a comment was changed or deleted: it asks for nothing"),
        ] {
            assert_eq!(told(&event), why, "{event}");
        }
    }
}
