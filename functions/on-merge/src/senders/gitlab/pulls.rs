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
use super::{FORGE, Read, at, attribute, iid, labels};
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
    let user = || event.get("user").and_then(people::login);
    // Whoever opens it is its author; else often only an address is told.
    let opener =
        attribute(event, "action").and_then(Value::as_str).filter(|action| *action == "open").and_then(|_| user());
    let author = people.by_id(attribute(event, "author_id").and_then(number)).or(opener);
    let author = author.or_else(|| super::author(event, &people)).or_else(user);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{LAST, TIP, check, merge, request};
    use super::*;

    #[test]
    fn an_open_merge_request_is_told_when_it_changes() {
        let opened = |changes: Value, attributes: Value| {
            let mut event = request(
                &json!({"changes": changes, "object_attributes": {"state": "opened", "merge_commit_sha": null}}),
            );
            merge(&mut event, &json!({"object_attributes": attributes}));
            event
        };
        let open = "group/sub/app#5 open at c4c7922 of gitlab:bob into main with [\"API\"] at 2026-03-20T10:00:00Z";
        let now = json!({"current": true});
        for (event, want) in [
            (opened(json!(null), json!({"action": "open"})), open.to_owned()),
            (opened(json!(null), json!({"action": "reopen", "author_id": 1})), open.replace("bob", "anna")),
            (opened(json!(null), json!({"action": "open", "author_id": 9})), open.replace("bob", "anna")),
            (
                opened(json!(null), json!({"action": "reopen", "author_id": 9})),
                open.replace("gitlab:bob", "email:carl@example.com"),
            ),
            (opened(json!(null), json!({"action": "update", "oldrev": TIP})), open.to_owned()),
            (opened(json!({"target_branch": now}), json!({"action": "update"})), open.to_owned()),
            (
                opened(
                    json!({"draft": now}),
                    json!({"action": "update", "draft": true, "source_project_id": 7, "target_project_id": 8}),
                ),
                open.replace("#5", "#5 draft fork"),
            ),
            (
                opened(json!(null), json!({"action": "close", "state": "closed"})),
                "#5 gone at 2026-03-20T10:00:00Z".to_owned(),
            ),
        ] {
            assert_eq!(check(&event), want, "{event}");
        }
    }

    #[test]
    fn the_label_and_the_command_ask_for_the_lane() {
        let label = json!([{"title": "API"}, {"title": "Expedite"}]);
        let labelled = |previous: &Value, current: &Value, attributes: Value| {
            let mut event = request(&json!({"changes": {"labels": {"previous": previous, "current": current}},
                "object_attributes": {"action": "update", "state": "opened"}}));
            merge(&mut event, &json!({"object_attributes": attributes}));
            check(&event)
        };
        let nothing = "ignored: merge_request update: nothing was merged";
        let none = json!([]);
        let asked = "#5 expedite c4c7922 by gitlab:anna at 2026-03-20T10:00:00Z: None";
        assert_eq!(labelled(&none, &label, json!({})), asked);
        assert_eq!(labelled(&label, &none, json!({})), "#5 no expedite by gitlab:anna at 2026-03-20T10:00:00Z");
        assert_eq!(labelled(&label, &label, json!({})), nothing);
        assert_eq!(labelled(&none, &json!([{"title": "API"}]), json!({})), nothing);
        // With new commits every label is told as new.
        assert!(!labelled(&none, &label, json!({"oldrev": TIP})).contains("expedite c4c7922"));
        assert!(!labelled(&none, &label, json!({"action": "open"})).contains("expedite c4c7922"));

        let note = |change: &Value| {
            let mut event = json!({
                "object_kind": "note", "user": {"username": "anna"}, "project": {"path_with_namespace": "group/app"},
                "object_attributes": {"note": "/expedite payments are down\nsee above", "noteable_type": "MergeRequest", "system": false,
                    "action": "create", "created_at": "2026-03-20 10:00:00 UTC", "updated_at": "2026-03-20 10:00:00 UTC"},
                "merge_request": {"iid": 5, "state": "opened", "title": "Fix it", "url": "https://gitlab.com/x", "last_commit": {"id": LAST}},
            });
            merge(&mut event, change);
            check(&event)
        };
        let of = |name: &str, value: Value| note(&json!({"object_attributes": {name: value}}));
        let asked = "#5 expedite c4c7922 by gitlab:anna at 2026-03-20T10:00:00Z: Some(\"payments are down\")";
        assert_eq!(note(&json!({})), asked);
        assert_eq!(of("action", json!(null)), asked);
        assert_eq!(of("note", json!("Expedite: payments are down")), asked);
        let not_asked = "ignored: a comment that does not ask for the lane of urgent fixes";
        for (name, value) in [
            ("note", json!("lgtm")),
            ("action", json!("update")),
            ("system", json!(true)),
            ("noteable_type", json!("Issue")),
        ] {
            assert_eq!(of(name, value), not_asked, "{name}");
        }
        let edited = json!({"object_attributes": {"action": null, "updated_at": "2026-03-20 10:05:00 UTC"}});
        assert_eq!(note(&edited), not_asked);
        assert_eq!(
            note(&json!({"merge_request": {"state": "merged"}})),
            "ignored: about a pull request that is merged or closed already"
        );
        assert_eq!(note(&json!({"merge_request": {"iid": null}})), "malformed: a comment without merge_request.iid");
    }
}
