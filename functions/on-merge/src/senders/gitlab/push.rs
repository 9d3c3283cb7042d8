//! `push`: a direct push, or the push that merging a merge request makes. It alone lists the files.
//! <https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events>

use aws::given::{number, time, word};
use aws::{Malformed, Reading};
use domain::change::Files;
use domain::{Change, Credit, Login, Merger, Repository, text};
use serde_json::Value;

use super::people::{at_address, is_bot};
use super::project::repository;
use super::{FORGE, Read};
use crate::senders::{self, MOST_TITLE, Merged, is_default, is_nothing, merge, title_and_body};

pub(super) fn pushed(event: &Value) -> Read {
    let Some(branch) = word(event, "/ref").and_then(|name| name.strip_prefix("refs/heads/")) else {
        return Ok(Reading::ignored("push of a tag: nothing was merged"));
    };
    let Some(after) = word(event, "/after").or_else(|| word(event, "/checkout_sha")).filter(|id| !is_nothing(id))
    else {
        return Ok(Reading::ignored("push: a branch was deleted"));
    };
    let base_is_default = is_default(word(event, "/project/default_branch"), branch);
    if word(event, "/before").is_some_and(is_nothing) && !base_is_default {
        return Ok(Reading::ignored("push: a branch was created"));
    }
    let listed = event.get("commits").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_tip = |commit: &&Value| word(commit, "/id") == Some(after);
    // A system hook may list none; a branch that is set back has none.
    let Some(head) = listed.iter().find(is_tip).or_else(|| listed.last()) else {
        return Ok(Reading::ignored("push without commits"));
    };
    let repository = repository(event)?;
    let message = head.get("message").and_then(Value::as_str).unwrap_or("");
    let number = merge_request_number(message, &repository);
    // A merge's own commit is the merger's; what it merged comes before it.
    let made = listed.iter().rev().find(|commit| number.is_some() && !is_tip(commit)).unwrap_or(head);
    let (author, merger) = who(event, made).ok_or_else(|| Malformed::new("a push without user_username"))?;
    let (title, body) = title_and_body(message);
    let merged = Merged {
        repository,
        commit: after.parse()?,
        number,
        title,
        body,
        base: branch,
        base_is_default,
        author: Some(author),
        merger,
        merged_at: time(head, "/timestamp").ok_or_else(|| Malformed::new("a push whose commit has no timestamp"))?,
    };
    Ok(merge(Change {
        title: text::line(number.and_then(|_| merged_title(body)).unwrap_or(title), MOST_TITLE),
        url: word(head, "/url").and_then(text::url),
        commits: senders::commits(listed.iter().filter_map(|commit| word(commit, "/id")), after),
        files: files(event, listed),
        ..merged.change()
    }))
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
