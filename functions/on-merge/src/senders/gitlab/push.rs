//! `push`: a direct push, or the push that merging a merge request makes. It alone lists the files.
//! <https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events>

use aws::{Malformed, Reading};
use domain::change::Files;
use domain::on_merge::MergeEvent;
use domain::{Change, ChangeId, ChangeKind, Credit, Login, Merger, Repository, revert, text};
use serde_json::Value;

use super::people::{at_address, is_bot};
use super::told::{is_default, moment, number, repository, word};
use super::{FORGE, MOST_TITLE, Read, ignore};

pub(super) fn pushed(event: &Value) -> Read {
    let Some(branch) = word(event, "/ref").and_then(|name| name.strip_prefix("refs/heads/")) else {
        return ignore("push of a tag: nothing was merged");
    };
    let Some(after) = word(event, "/after").or_else(|| word(event, "/checkout_sha")).filter(|id| !is_none(id)) else {
        return ignore("push: a branch was deleted");
    };
    let base_is_default = is_default(branch, word(event, "/project/default_branch"));
    if word(event, "/before").is_some_and(is_none) && !base_is_default {
        return ignore("push: a branch was created");
    }
    let commits = event.get("commits").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_tip = |commit: &&Value| word(commit, "/id") == Some(after);
    // A system hook may list none; a branch that is set back has none.
    let Some(head) = commits.iter().find(is_tip).or_else(|| commits.last()) else {
        return ignore("push without commits");
    };
    let merged_at = word(head, "/timestamp").and_then(moment);
    let repository = repository(event)?;
    let message = head.get("message").and_then(Value::as_str).unwrap_or("");
    let number = merge_request_number(message, &repository);
    // A merge's own commit is the merger's; what it merged comes before it.
    let made = commits.iter().rev().find(|commit| number.is_some() && !is_tip(commit)).unwrap_or(head);
    let (author, merger) = who(event, made).ok_or_else(|| Malformed::new("a push without user_username"))?;
    let (title, body) = message.split_once('\n').unwrap_or((message, ""));
    Ok(Reading::Event(vec![MergeEvent::Merged(Box::new(Change {
        reverts: revert::read(title, body, &repository),
        id: ChangeId { repository, commit: after.parse()? },
        kind: number.map_or(ChangeKind::DirectPush, |number| ChangeKind::PullRequest { number }),
        title: text::line(number.and_then(|_| merged_title(body)).unwrap_or(title), MOST_TITLE),
        url: word(head, "/url").and_then(text::url),
        base: text::line(branch, 200),
        base_is_default,
        author,
        merger,
        merged_at: merged_at.ok_or_else(|| Malformed::new("a push whose commit has no timestamp"))?,
        size: None,
        labels: Vec::new(),
        approvers: Vec::new(),
        commits: super::super::commits(commits.iter().filter_map(|commit| word(commit, "/id")), after),
        files: files(event, commits),
    }))]))
}

/// The id of no commit: only zeros.
fn is_none(id: &str) -> bool {
    id.bytes().all(|b| b == b'0')
}

/// Who made it and who pushed it. Commits name no accounts, only addresses.
fn who(event: &Value, made: &Value) -> Option<(Login, Merger)> {
    let address = word(made, "/author/email");
    let own = word(event, "/user_email");
    let username = word(event, "/user_username").and_then(|name| Login::new(FORGE, name).ok());
    let pusher = username.or_else(|| at_address(own?)).or_else(|| at_address(address?))?;
    let is_own = address.zip(own).is_some_and(|(address, own)| address.eq_ignore_ascii_case(own));
    let author = address.filter(|_| !is_own).and_then(at_address).unwrap_or_else(|| pusher.clone());
    let merger = if is_bot(&pusher) {
        Merger { login: author.clone(), credit: Credit::AuthorOfBotMerge }
    } else {
        Merger { login: pusher, credit: Credit::Pushed }
    };
    Some((author, merger))
}

/// The number in the message that GitLab writes when it merges: `See merge request group/project!5`. One that is
/// picked to another branch is another change.
fn merge_request_number(message: &str, repository: &Repository) -> Option<u64> {
    if message.contains("(cherry picked from commit") {
        return None;
    }
    let named = message.lines().rev().find_map(|line| line.trim().strip_prefix("See merge request "))?;
    let (path, digits) = named.rsplit_once('!')?;
    let is_here = path.is_empty() || path.eq_ignore_ascii_case(repository.as_str());
    digits.parse().ok().filter(|_| is_here)
}

/// The title of the merge request, which stands below that of the merge.
fn merged_title(body: &str) -> Option<&str> {
    let first = body.lines().map(str::trim).find(|line| !line.is_empty())?;
    (!first.starts_with("See merge request ")).then_some(first)
}

/// Every file of every commit; none where GitLab lists none. Of many commits only the newest twenty are listed.
fn files(event: &Value, commits: &[Value]) -> Option<Files> {
    let names = ["added", "modified", "removed"];
    let lists = commits.iter().flat_map(|commit| names.map(|name| commit.get(name).and_then(Value::as_array)));
    let mut paths = lists.flatten().flatten().filter_map(Value::as_str).peekable();
    paths.peek()?;
    let mut files = Files::of(paths);
    files.cut |= event.get("total_commits_count").and_then(number).is_some_and(|all| all > commits.len() as u64);
    Some(files)
}
