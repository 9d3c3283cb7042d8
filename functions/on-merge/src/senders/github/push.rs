//! `push`: a direct push, or the push that merging a pull request makes. It alone lists the files.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#push>

use aws::wire::Moment;
use aws::{Malformed, Reading, given};
use domain::change::Files;
use domain::on_merge::MergeEvent;
use domain::{Change, Credit, Login, text};
use serde::Deserialize;

use super::{Account, FORGE, Repository, login};
use crate::senders::{Merged, commits, credited, merge, title_and_body};

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
        return Ok(Reading::ignored("push of a tag: nothing was merged"));
    };
    if event.deleted {
        return Ok(Reading::ignored("push: a branch was deleted"));
    }
    let base_is_default = event.repository.default_branch.as_deref() == Some(branch);
    if event.created && !base_is_default {
        return Ok(Reading::ignored("push: a branch was created"));
    }
    let Some(head) = &event.head_commit else {
        return Ok(Reading::ignored("push without commits"));
    };
    let pusher = Login::new(FORGE, &event.pusher.name).ok().or_else(|| login(event.sender.as_ref()));
    let username =
        |signer: &Option<Signer>| signer.as_ref().and_then(|s| Login::new(FORGE, s.username.as_deref()?).ok());
    // GitHub gives no account for an address that it does not know; the roster may.
    let address = head.author.as_ref().and_then(|s| Login::from_email(s.email.as_deref()?).ok());
    let author = username(&head.author).or(address).or_else(|| pusher.clone());
    let merger = pusher.and_then(|pusher| credited(Some(pusher), author.as_ref(), Credit::Pushed));
    let by_forge = username(&head.committer).is_some_and(|l| l.name() == "web-flow");
    let pushed_at = event.repository.pushed_at.as_ref().filter(|at| at.is_number()).and_then(|at| given::time(at, ""));
    let (title, body) = title_and_body(&head.message);
    let merged = Merged {
        repository: event.repository.id()?,
        commit: head.id.parse()?,
        number: pull_request_number(&head.message).filter(|_| by_forge),
        title,
        body,
        base: branch,
        base_is_default,
        author,
        merger: merger.ok_or_else(|| Malformed::new("a push without pusher"))?,
        merged_at: pushed_at.unwrap_or(head.timestamp.0),
    };
    Ok(merge(Change {
        url: head.url.as_deref().and_then(text::url),
        commits: commits(event.commits.iter().filter_map(|c| c.id.as_deref()), &head.id),
        files: files(&event.commits),
        ..merged.change()
    }))
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
