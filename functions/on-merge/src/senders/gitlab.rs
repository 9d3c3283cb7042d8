//! GitLab: `merge_request` (merged, approved, set to merge later; opened, changed, closed, labelled), `note` on one, and
//! `push` to a branch; of projects, groups and system hooks, which share their shapes.
//!
//! The event is told by `object_kind`, not by `X-Gitlab-Event`: the header is not part of what is signed.
//! <https://docs.gitlab.com/user/project/integrations/webhook_events/#merge-request-events>

mod people;
mod project;
mod pulls;
mod push;

use aws::given::{moment, number, word};
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::change::{Files, Lines, Size};
use domain::on_merge::{Approved, Enqueued, MergeEvent};
use domain::{Change, Commit, Credit, Login, Merger, text};
use serde_json::Value;

use super::{Merged, is_default};
use people::{People, is_bot};
use project::repository;

pub const SENDER: Sender<Vec<MergeEvent>> = Sender {
    name: "gitlab",
    proofs: &[Proof::StandardWebhooks, Proof::Header("x-gitlab-token")],
    parse: read,
    guide: Guide {
        title: "GitLab",
        steps: &[
            "In the project's or group's Settings > Webhooks, Add new webhook:",
            "URL {url}, Secret token {secret}",
            "Where GitLab offers a signing token (`whsec_...`), take that instead, and keep it as this source's secret",
            "Trigger: Push events (All branches), Merge request events, Comments",
        ],
        reads: "`merge_request` merged, approved, set to auto-merge, opened, reopened, updated (new commits, target branch, draft, the label `expedite`), closed; `note` on one with `/expedite reason`; `push` to a branch",
        ignores: "tags, deleted branches, other labels and comments, every other event and action",
        docs: "https://docs.gitlab.com/user/project/integrations/webhook_events/",
    },
};

const FORGE: &str = "gitlab";

type Read = Result<Reading<Vec<MergeEvent>>, Malformed>;

fn read(body: &[u8]) -> Read {
    let mut event: Value = parse(body)?;
    without_blanks(&mut event);
    // System hooks of pushes have an `event_name` only.
    let kind = ["/object_kind", "/event_name", "/event_type"].iter().find_map(|key| word(&event, key));
    match kind {
        Some("merge_request") => merge_request(&event),
        Some("push") => push::pushed(&event),
        Some("note") => pulls::noted(&event),
        Some("tag_push") => Ok(Reading::ignored("push of a tag: nothing was merged")),
        Some(other) => Ok(Reading::ignored(format!("{}: nothing was merged", text::line(other, 40)))),
        None => Ok(Reading::ignored("not a message of GitLab: it has no object_kind")),
    }
}

/// Some versions are documented with a blank behind the names of attributes.
fn without_blanks(event: &mut Value) {
    if let Some(attributes) = event.get_mut("object_attributes").and_then(Value::as_object_mut)
        && attributes.keys().any(|name| name.ends_with(' '))
    {
        *attributes = std::mem::take(attributes).into_iter().map(|(name, v)| (name.trim().to_owned(), v)).collect();
    }
}

/// An attribute of the merge request.
fn attribute<'a>(event: &'a Value, name: &str) -> Option<&'a Value> {
    event.get("object_attributes")?.get(name).filter(|value| !value.is_null())
}

fn merge_request(event: &Value) -> Read {
    let action = attribute(event, "action").and_then(Value::as_str).unwrap_or("").trim();
    let state = attribute(event, "state").and_then(Value::as_str).unwrap_or("").trim();
    match (action, state) {
        // Before GitLab 7 there was no action.
        ("merge", _) | ("", "merged") => return Ok(Reading::Event(super::pulls::merged(merged(event)?))),
        ("close", _) => return pulls::closed(event),
        (_, "merged" | "closed") => {
            return Ok(Reading::ignored("merge_request: about one that is merged or closed already"));
        }
        _ => {}
    }
    let approved = if matches!(action, "approved" | "approval") { approved(event)? } else { None };
    let on_its_way = approved.into_iter().chain(enqueued(event)?);
    let events: Vec<MergeEvent> = on_its_way.chain(pulls::changed(event, action)?).collect();
    if events.is_empty() {
        return Ok(Reading::ignored(format!("merge_request {}: nothing was merged", text::line(action, 40))));
    }
    Ok(Reading::Event(events))
}

/// When it happened. `actioned_at` says so since GitLab 18; before, approvals do not touch `updated_at`.
fn at(event: &Value, names: &[&str]) -> Result<jiff::Timestamp, Malformed> {
    let told = names.iter().find_map(|name| moment(attribute(event, name)?.as_str()?));
    told.ok_or_else(|| Malformed::new("a merge request without a time of what happened, such as updated_at"))
}

fn iid(event: &Value) -> Result<u64, Malformed> {
    attribute(event, "iid").and_then(number).ok_or_else(|| Malformed::new("a merge request without iid"))
}

fn merged(event: &Value) -> Result<Change, Malformed> {
    let people = People::of(event);
    let merger = merger(event, &people)
        .ok_or_else(|| Malformed::new("a merged merge request without user, author or last_commit"))?;
    let told = |name: &str| attribute(event, name).and_then(Value::as_str).unwrap_or("");
    let base = text::line(told("target_branch"), 200);
    if base.is_empty() {
        return Err(Malformed::new("a merged merge request without target_branch"));
    }
    let default = ["/project/default_branch", "/object_attributes/target/default_branch"];
    let default = default.iter().find_map(|key| word(event, key));
    let commits = commits(event);
    let commit = commits.first().ok_or_else(|| Malformed::new("a merged merge request without any commit"))?;
    let merged = Merged {
        repository: repository(event)?,
        commit: commit.clone(),
        number: Some(iid(event)?),
        title: told("title").trim(),
        body: told("description"),
        base_is_default: is_default(default, &base),
        base: &base,
        author: author(event, &people),
        merger,
        merged_at: at(event, &["merged_at", "actioned_at", "updated_at"])?,
    };
    Ok(Change {
        url: text::url(told("url")),
        size: size(event),
        labels: labels(event),
        approvers: people.approvers(),
        commits: super::commits(commits.iter().rev().map(Commit::as_str), commit.as_str()),
        files: files(event),
        ..merged.change()
    })
}

/// Its commits, that which the base branch then ends in first. A fast-forward makes none of its own: the branch ends in
/// the last commit, or in the one into which all were squashed.
fn commits(event: &Value) -> Vec<Commit> {
    let names = ["merge_commit_sha", "squash_commit_sha", "merged_commit_sha"];
    let told = names.iter().filter_map(|name| attribute(event, name)?.as_str());
    let last = word(event, "/object_attributes/last_commit/id");
    let mut commits: Vec<Commit> = Vec::new();
    for commit in told.chain(last).filter_map(|id| id.parse().ok()) {
        if !commits.contains(&commit) {
            commits.push(commit);
        }
    }
    commits
}

/// Who made it. Only an id tells; where nobody of that id is named, who made its last commit.
fn author(event: &Value, people: &People<'_>) -> Option<Login> {
    let last = || people.by_address(word(event, "/object_attributes/last_commit/author/email")?);
    people.by_id(attribute(event, "author_id").and_then(number)).or_else(last)
}

/// Who merged: GitLab names who pressed the button or set it to merge later; where a bot did, the author.
fn merger(event: &Value, people: &People<'_>) -> Option<Merger> {
    let by = event.get("user").and_then(people::login);
    if let Some(login) = by.clone().filter(|login| !is_bot(login)) {
        return Some(Merger { login, credit: Credit::Merged });
    }
    let told_to = people.by_id(attribute(event, "merge_user_id").and_then(number));
    if let Some(login) = told_to.filter(|login| !is_bot(login)) {
        return Some(Merger { login, credit: Credit::Enqueued });
    }
    let login = author(event, people).or(by)?;
    Some(Merger { login, credit: Credit::AuthorOfBotMerge })
}

fn labels(event: &Value) -> Vec<String> {
    let listed = event.get("labels").or_else(|| attribute(event, "labels")).and_then(Value::as_array);
    let titles = listed.into_iter().flatten().filter_map(|label| word(label, "/title"));
    titles.take(20).map(|title| text::line(title, 60)).collect()
}

/// How large it is, where GitLab says: `diff_stats`, or in newer versions the attributes themselves.
fn size(event: &Value) -> Option<Size> {
    let attributes = event.get("object_attributes")?;
    let places = [attributes.pointer("/diff_stats/summary"), attributes.get("diff_stats"), Some(attributes)];
    places.into_iter().flatten().find_map(|place| {
        let told = |names: [&str; 2]| names.iter().find_map(|name| number(place.get(name)?));
        Some(Size {
            files: told(["file_count", "files_count"])?,
            added: told(["additions", "added_lines"])?,
            deleted: told(["deletions", "deleted_lines"])?,
        })
    })
}

fn files(event: &Value) -> Option<Files> {
    let stats = attribute(event, "diff_stats")?;
    let within = || stats.as_object()?.values().find_map(Value::as_array);
    let listed = stats.as_array().or_else(within)?;
    let touched: Vec<_> = listed.iter().filter_map(touched).collect();
    (!touched.is_empty()).then(|| Files::counted(touched))
}

fn touched(file: &Value) -> Option<(&str, Option<Lines>)> {
    let path = word(file, "/path").or_else(|| word(file, "/new_path"))?;
    let count = |name: &str| file.get(name).and_then(number);
    let lines = count("additions").zip(count("deletions")).map(|(added, deleted)| Lines { added, deleted });
    Some((path, lines))
}

/// What bots approve says nothing about who answers.
fn approved(event: &Value) -> Result<Option<MergeEvent>, Malformed> {
    let by = event.get("user").and_then(people::login);
    let by = by.ok_or_else(|| Malformed::new("an approval without user"))?;
    if is_bot(&by) {
        return Ok(None);
    }
    let (repository, number) = (repository(event)?, iid(event)?);
    Ok(Some(MergeEvent::Approved(Approved { repository, number, by, at: at(event, &["actioned_at", "updated_at"])? })))
}

/// Who set it to merge later, if it is, and if that account is named.
fn enqueued(event: &Value) -> Result<Option<MergeEvent>, Malformed> {
    let switches = ["merge_when_pipeline_succeeds", "auto_merge_enabled", "merge_when_build_succeeds"];
    let is_on = |name: &&str| attribute(event, name) == Some(&Value::Bool(true));
    if !switches.iter().any(is_on) {
        return Ok(None);
    }
    let just_now = |name: &&str| event.pointer(&format!("/changes/{name}/current")) == Some(&Value::Bool(true));
    let by = if switches.iter().any(just_now) {
        event.get("user").and_then(people::login)
    } else {
        People::of(event).by_id(attribute(event, "merge_user_id").and_then(number))
    };
    let Some(by) = by.filter(|by| !is_bot(by)) else { return Ok(None) };
    let (repository, number) = (repository(event)?, iid(event)?);
    Ok(Some(MergeEvent::Enqueued(Enqueued {
        repository,
        number,
        by,
        at: at(event, &["updated_at", "actioned_at"])?,
        sure: true,
    })))
}

#[cfg(test)]
mod tests;
