//! `merge_request` of one that is open, or was until now, and `note` on one.
//! <https://docs.gitlab.com/user/project/integrations/webhook_events/#merge-request-events>
//!
//! GitLab takes lines such as `/close` out of comments, but only those that are commands of its own
//! (lib/gitlab/quick_actions/extractor.rb): `/expedite` stays.

use aws::given::{list, number, time, word};
use aws::{Malformed, Reading};
use domain::on_merge::MergeEvent;
use domain::{OpenPull, PullEvent};
use serde_json::Value;

use super::people::{self, People};
use super::project::repository;
use super::{FORGE, Read, at, attribute, author, iid, labels};
use crate::senders::pulls::{self, Asking, Command};

/// What may change without new commits, and is told again.
const CHANGES: [&str; 3] = ["target_branch", "draft", "work_in_progress"];

/// What is told of one that is open.
pub(super) fn changed(event: &Value, action: &str) -> Result<Vec<MergeEvent>, Malformed> {
    let has_new_commits = attribute(event, "oldrev").is_some();
    let changed = |name: &&str| event.pointer(&format!("/changes/{name}")).is_some_and(|change| !change.is_null());
    let (opened, labelled) = match action {
        "open" | "reopen" => (true, false),
        // With new commits all labels are told as if they were new (gitlab-org/gitlab#22023).
        "update" => (has_new_commits || CHANGES.iter().any(changed), !has_new_commits),
        _ => (false, false),
    };
    let mut events: Vec<MergeEvent> = Vec::new();
    if opened {
        events.extend(open(event)?);
    }
    if labelled {
        events.extend(label(event)?);
    }
    Ok(events)
}

/// None before GitLab knows its commit.
fn open(event: &Value) -> Result<Option<MergeEvent>, Malformed> {
    let Some(head) = word(event, "/object_attributes/last_commit/id") else { return Ok(None) };
    let people = People::of(event);
    let told = |name: &str| attribute(event, name).and_then(Value::as_str).unwrap_or("").trim().to_owned();
    let is = |name: &str| attribute(event, name) == Some(&Value::Bool(true));
    let author = author(event, &people).or_else(|| event.get("user").and_then(people::login));
    let (from, to) = (attribute(event, "source_project_id"), attribute(event, "target_project_id"));
    let pull = OpenPull {
        number: iid(event)?,
        head: head.parse()?,
        author: pulls::author(FORGE, author).ok_or_else(|| Malformed::new("a merge request without author"))?,
        title: told("title"),
        url: Some(told("url")),
        base: told("target_branch"),
        draft: is("draft") || is("work_in_progress"),
        fork: from.and_then(number) != to.and_then(number),
        labels: labels(event),
    };
    let at = at(event, &["updated_at", "actioned_at", "created_at"])?;
    Ok(Some(pulls::open(repository(event)?, pull, at)))
}

/// Merged by somebody else is told by itself.
pub(super) fn closed(event: &Value) -> Read {
    let at = at(event, &["closed_at", "actioned_at", "updated_at"])?;
    Ok(pulls::one(pulls::gone(repository(event)?, iid(event)?, at)))
}

/// The label was put on, or taken off.
fn label(event: &Value) -> Result<Option<MergeEvent>, Malformed> {
    let has = |side: &str| {
        list(event, &format!("/changes/labels/{side}")).filter_map(|l| word(l, "/title")).any(pulls::is_expedite)
    };
    let (was, is) = (has("previous"), has("current"));
    if was == is {
        return Ok(None);
    }
    let by = event.get("user").and_then(people::login).ok_or_else(|| Malformed::new("a label without user"))?;
    let (repository, number, at) = (repository(event)?, iid(event)?, at(event, &["actioned_at", "updated_at"])?);
    if was {
        return Ok(Some(MergeEvent::Pull(repository, PullEvent::NoExpedite { number, by, at })));
    }
    let told = |place: &str| word(event, place);
    let asking = Asking {
        number,
        head: told("/object_attributes/last_commit/id").and_then(|id| id.parse().ok()),
        title: told("/object_attributes/title").unwrap_or(""),
        url: told("/object_attributes/url"),
        by,
        at,
        command: None,
    };
    Ok(Some(asking.event(repository)))
}

/// A comment that was written, not one that was changed; older versions do not tell which.
pub(super) fn noted(event: &Value) -> Read {
    let told = |place: &str| word(event, place);
    let of_request = told("/object_attributes/noteable_type") == Some("MergeRequest");
    let by_system = attribute(event, "system") == Some(&Value::Bool(true));
    let (created, updated) = (attribute(event, "created_at"), attribute(event, "updated_at"));
    let is_new = told("/object_attributes/action").map_or(created == updated, |action| action == "create");
    let words = told("/object_attributes/note").or_else(|| told("/object_attributes/description")).unwrap_or("");
    let Some(command) = Command::of(words).filter(|_| of_request && is_new && !by_system) else {
        return Ok(Reading::ignored(pulls::NOT_ASKED));
    };
    if matches!(told("/merge_request/state"), Some("merged" | "closed")) {
        return Ok(Reading::ignored(pulls::OVER));
    }
    let lacking = |what: &str| Malformed::new(format!("a comment without {what}"));
    let number = event.pointer("/merge_request/iid").and_then(number);
    let at = time(event, "/object_attributes/created_at");
    let asking = Asking {
        number: number.ok_or_else(|| lacking("merge_request.iid"))?,
        head: told("/merge_request/last_commit/id").and_then(|id| id.parse().ok()),
        title: told("/merge_request/title").unwrap_or(""),
        url: told("/merge_request/url").or_else(|| told("/object_attributes/url")),
        by: event.get("user").and_then(people::login).ok_or_else(|| lacking("user"))?,
        at: at.ok_or_else(|| lacking("created_at"))?,
        command: Some(command),
    };
    Ok(pulls::one(asking.event(repository(event)?)))
}
