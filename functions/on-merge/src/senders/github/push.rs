//! `push`: a direct push, or the push that merging a pull request makes. It alone lists the files.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#push>

use aws::Malformed;
use aws::sender::Reading;
use aws::wire::Moment;
use domain::change::Files;
use domain::on_merge::MergeEvent;
use domain::{Change, ChangeId, ChangeKind, Credit, Login, Merger, revert, text, times};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Account, FORGE, MOST_TITLE, Repository, ignore, login};

#[derive(Deserialize)]
pub(super) struct PushEvent {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    created: bool,
    #[serde(default)]
    deleted: bool,
    head_commit: Option<Commit>,
    #[serde(default)]
    commits: Vec<Touched>,
    pusher: Pusher,
    repository: Repository,
    sender: Option<Account>,
}

#[derive(Deserialize)]
struct Commit {
    id: String,
    #[serde(default)]
    message: String,
    timestamp: Moment,
    url: Option<String>,
    author: Option<Signer>,
    committer: Option<Signer>,
}

/// Which files a commit of the push touches.
#[derive(Deserialize)]
struct Touched {
    id: Option<String>,
    #[serde(default)]
    added: Vec<String>,
    #[serde(default)]
    removed: Vec<String>,
    #[serde(default)]
    modified: Vec<String>,
}

#[derive(Deserialize)]
struct Signer {
    username: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
struct Pusher {
    name: String,
}

pub(super) fn pushed(event: PushEvent) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let Some(branch) = event.reference.strip_prefix("refs/heads/") else {
        return ignore("push of a tag: nothing was merged");
    };
    if event.deleted {
        return ignore("push: a branch was deleted");
    }
    let base_is_default = event.repository.default_branch.as_deref() == Some(branch);
    if event.created && !base_is_default {
        return ignore("push: a branch was created");
    }
    let Some(head) = &event.head_commit else {
        return ignore("push without commits");
    };
    let pusher = Login::new(FORGE, &event.pusher.name).ok().or_else(|| login(event.sender.as_ref()));
    let pusher = pusher.ok_or_else(|| Malformed::new("a push without pusher"))?;
    let username =
        |signer: &Option<Signer>| signer.as_ref().and_then(|s| Login::new(FORGE, s.username.as_deref()?).ok());
    // GitHub gives no account for an address that it does not know; the roster may.
    let address = head.author.as_ref().and_then(|s| Login::from_email(s.email.as_deref()?).ok());
    let author = username(&head.author).or(address).unwrap_or_else(|| pusher.clone());
    let merger = if pusher.is_bot() {
        Merger { login: author.clone(), credit: Credit::AuthorOfBotMerge }
    } else {
        Merger { login: pusher, credit: Credit::Pushed }
    };
    let by_forge = username(&head.committer).is_some_and(|l| l.name() == "web-flow");
    let number = pull_request_number(&head.message).filter(|_| by_forge);
    let pushed_at = event
        .repository
        .pushed_at
        .as_ref()
        .and_then(Value::as_i64)
        .and_then(|s| Timestamp::from_second(s).ok())
        .filter(|at| times::plausible(*at));
    let (title, body) = head.message.split_once('\n').unwrap_or((&head.message, ""));
    let repository = event.repository.id()?;
    Ok(Reading::Event(vec![MergeEvent::Merged(Box::new(Change {
        reverts: revert::read(title, body, &repository),
        id: ChangeId { repository, commit: head.id.parse()? },
        kind: number.map_or(ChangeKind::DirectPush, |number| ChangeKind::PullRequest { number }),
        title: text::line(title, MOST_TITLE),
        url: head.url.as_deref().and_then(text::url),
        base: text::line(branch, 200),
        base_is_default,
        author,
        merger,
        merged_at: pushed_at.unwrap_or(head.timestamp.0),
        size: None,
        labels: Vec::new(),
        approvers: Vec::new(),
        commits: super::super::commits(event.commits.iter().filter_map(|c| c.id.as_deref()), &head.id),
        files: files(&event.commits),
    }))]))
}

/// The number in the message that GitHub writes when it merges: `Merge pull request #5 from` or `Title (#5)`.
fn pull_request_number(message: &str) -> Option<u64> {
    let first = message.lines().next()?;
    let digits = match first.strip_prefix("Merge pull request #") {
        Some(rest) => rest.split(' ').next()?,
        None => first.trim_end().strip_suffix(')')?.rsplit_once("(#")?.1,
    };
    digits.parse().ok()
}

/// Every file of every commit; none where GitHub lists none.
fn files(commits: &[Touched]) -> Option<Files> {
    let touched = || commits.iter().flat_map(|c| c.added.iter().chain(&c.removed).chain(&c.modified));
    touched().next()?;
    Some(Files::of(touched().map(String::as_str)))
}
