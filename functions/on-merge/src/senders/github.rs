//! GitHub: `pull_request` (merged, enqueued, auto-merge enabled; opened, changed, closed, labelled), `issue_comment` on
//! one, `pull_request_review` (approvals) and `push` to a branch.
//!
//! The event is told by the body's shape, not by `X-GitHub-Event`: the header is not part of what is signed.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request>

mod merge_group;
mod pulls;
mod push;

use aws::verify::Signature;
use aws::wire::{Moment, parse};
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::change::Size;
use domain::on_merge::{Approved, Enqueued, MergeEvent};
use domain::{Change, Credit, Login, Merger, text};
use serde::Deserialize;
use serde_json::Value;

pub const SENDER: Sender<Vec<MergeEvent>> = Sender {
    name: "github",
    proofs: &[Proof::Signature(Signature::sha256("x-hub-signature-256"))],
    parse: read,
    guide: Guide {
        title: "GitHub",
        steps: &[
            "In the repository's or organisation's Settings, Webhooks, Add webhook:",
            "Payload URL {url}, content type application/json, secret {secret}",
            "Let me select individual events: Pull requests, Pull request reviews, Issue comments, Merge groups, Pushes",
        ],
        reads: "`pull_request` merged, enqueued, auto-merge enabled, opened, reopened, synchronize, to and from draft, edited to another base, closed, (un)labeled `expedite`; `issue_comment` created with `/expedite reason`; `merge_group` checks requested; `pull_request_review` that approves; `push` to a branch",
        ignores: "`merge_group` destroyed (its merge comes as `pull_request`), other labels and comments, every other event and action",
        docs: "https://docs.github.com/en/webhooks/webhook-events-and-payloads",
    },
};

use super::Merged;

const FORGE: &str = "github";

#[derive(Deserialize)]
struct PullRequestEvent {
    pull_request: PullRequest,
    repository: Repository,
    sender: Option<Account>,
}

#[derive(Deserialize)]
struct PullRequest {
    number: u64,
    title: Option<String>,
    body: Option<String>,
    html_url: Option<String>,
    user: Option<Account>,
    merged_by: Option<Account>,
    merged_at: Option<Moment>,
    updated_at: Option<Moment>,
    merge_commit_sha: Option<String>,
    auto_merge: Option<AutoMerge>,
    base: Base,
    #[serde(default)]
    labels: Vec<Label>,
    additions: Option<u64>,
    deletions: Option<u64>,
    changed_files: Option<u64>,
}

#[derive(Deserialize)]
struct ReviewEvent {
    review: Review,
    pull_request: Reviewed,
    repository: Repository,
}

#[derive(Deserialize)]
struct Review {
    state: String,
    user: Option<Account>,
    submitted_at: Option<Moment>,
}

#[derive(Deserialize)]
struct Reviewed {
    number: u64,
}

#[derive(Deserialize)]
struct AutoMerge {
    enabled_by: Option<Account>,
}

#[derive(Deserialize)]
struct Base {
    #[serde(rename = "ref")]
    branch: String,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

#[derive(Deserialize)]
struct Account {
    login: String,
}

#[derive(Deserialize)]
struct Repository {
    full_name: Option<String>,
    name: Option<String>,
    owner: Option<Owner>,
    default_branch: Option<String>,
    /// Seconds in `push`, a text elsewhere.
    pushed_at: Option<Value>,
}

#[derive(Deserialize)]
struct Owner {
    /// A push calls it `name` too.
    login: Option<String>,
    name: Option<String>,
}

impl Repository {
    /// `owner/name`; some relays leave out the whole of it, and send its parts.
    fn id(&self) -> Result<domain::Repository, Malformed> {
        if let Some(whole) = &self.full_name {
            return Ok(whole.parse()?);
        }
        let owner = self.owner.as_ref().and_then(|owner| owner.login.as_ref().or(owner.name.as_ref()));
        match (owner, &self.name) {
            (Some(owner), Some(name)) => Ok(format!("{owner}/{name}").parse()?),
            _ => Err(Malformed::new("the field `repository.full_name` is missing")),
        }
    }
}

fn read(body: &[u8]) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let event: Value = parse(body)?;
    let has = |key: &str| event.get(key).is_some_and(|v| !v.is_null());
    let action = text::line(event.get("action").and_then(Value::as_str).unwrap_or(""), 40);
    if has("pull_request") && has("number") && !has("review") && !has("comment") && !has("thread") {
        return match action.as_str() {
            "closed" if event.pointer("/pull_request/merged") == Some(&Value::Bool(true)) => merged(parse(body)?),
            "closed" => pulls::closed(&parse(body)?),
            "opened" | "reopened" | "synchronize" | "ready_for_review" | "converted_to_draft" => {
                pulls::open(parse(body)?)
            }
            "edited" if event.pointer("/changes/base").is_some_and(Value::is_object) => pulls::open(parse(body)?),
            "labeled" | "unlabeled" => pulls::labelled(&parse(body)?, action == "labeled"),
            "enqueued" | "auto_merge_enabled" => enqueued(parse(body)?),
            other => Ok(Reading::ignored(format!("pull_request {other}: nothing was merged"))),
        };
    }
    if has("review") && has("pull_request") && action == "submitted" {
        return approved(parse(body)?);
    }
    if has("pusher") && has("ref") && event.get("before").is_some() {
        return push::pushed(parse(body)?);
    }
    if has("merge_group") {
        return merge_group::tried(&parse(body)?);
    }
    if has("issue") && has("comment") {
        return match action.as_str() {
            "created" => pulls::commented(&parse(body)?),
            _ => Ok(Reading::ignored("a comment was changed or deleted: it asks for nothing")),
        };
    }
    Ok(Reading::ignored(if has("zen") && has("hook") {
        "ping: the webhook is connected".to_owned()
    } else if has("pull_request") {
        "a review or comment on a pull request: nothing was merged".to_owned()
    } else {
        "not a merge: only pull_request and push are read here".to_owned()
    }))
}

fn login(account: Option<&Account>) -> Option<Login> {
    account.and_then(|a| Login::new(FORGE, &a.login).ok())
}

fn merged(event: PullRequestEvent) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let pull = &event.pull_request;
    let commit = pull
        .merge_commit_sha
        .as_deref()
        .ok_or_else(|| Malformed::new("a merged pull request without merge_commit_sha"))?;
    let Moment(merged_at) = pull.merged_at.ok_or_else(|| Malformed::new("a merged pull request without merged_at"))?;
    let merger = merger(pull, event.sender.as_ref())
        .ok_or_else(|| Malformed::new("a merged pull request without merged_by, sender or user"))?;
    let size = match (pull.changed_files, pull.additions, pull.deletions) {
        (Some(files), Some(added), Some(deleted)) => Some(Size { files, added, deleted }),
        _ => None,
    };
    let base = text::line(&pull.base.branch, 200);
    let merged = Merged {
        repository: event.repository.id()?,
        commit: commit.parse()?,
        number: Some(pull.number),
        title: pull.title.as_deref().unwrap_or(""),
        body: pull.body.as_deref().unwrap_or(""),
        base_is_default: event.repository.default_branch.as_deref() == Some(base.as_str()),
        base: &base,
        author: login(pull.user.as_ref()),
        merger,
        merged_at,
    };
    Ok(Reading::Event(super::pulls::merged(Change {
        url: pull.html_url.as_deref().and_then(text::url),
        size,
        labels: pull.labels.iter().take(20).map(|l| text::line(&l.name, 60)).collect(),
        ..merged.change()
    })))
}

/// Who merged: the person who pressed the button; where a bot did, who told it to, else the author.
fn merger(pull: &PullRequest, sender: Option<&Account>) -> Option<Merger> {
    let by = login(pull.merged_by.as_ref()).or_else(|| login(sender));
    if let Some(login) = by.clone().filter(|l| !l.is_bot()) {
        return Some(Merger { login, credit: Credit::Merged });
    }
    let enabled_by = login(pull.auto_merge.as_ref().and_then(|a| a.enabled_by.as_ref()));
    if let Some(login) = enabled_by.filter(|l| !l.is_bot()) {
        return Some(Merger { login, credit: Credit::Enqueued });
    }
    let login = login(pull.user.as_ref()).or(by)?;
    Some(Merger { login, credit: Credit::AuthorOfBotMerge })
}

fn enqueued(event: PullRequestEvent) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let by = event.sender.ok_or_else(|| Malformed::new("an enqueued pull request without sender"))?;
    let Moment(at) =
        event.pull_request.updated_at.ok_or_else(|| Malformed::new("an enqueued pull request without updated_at"))?;
    Ok(Reading::Event(vec![MergeEvent::Enqueued(Enqueued {
        repository: event.repository.id()?,
        number: event.pull_request.number,
        by: Login::new(FORGE, &by.login)?,
        at,
        sure: true,
    })]))
}

fn approved(event: ReviewEvent) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    if event.review.state != "approved" {
        return Ok(Reading::ignored("a review that approves nothing: nothing was merged"));
    }
    let by = event.review.user.ok_or_else(|| Malformed::new("an approval without user"))?;
    let Moment(at) = event.review.submitted_at.ok_or_else(|| Malformed::new("an approval without submitted_at"))?;
    Ok(Reading::Event(vec![MergeEvent::Approved(Approved {
        repository: event.repository.id()?,
        number: event.pull_request.number,
        by: Login::new(FORGE, &by.login)?,
        at,
    })]))
}
