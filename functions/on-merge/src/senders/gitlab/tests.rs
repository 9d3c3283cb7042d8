//! Small messages written from the documentation, one point each.

use serde_json::json;

use domain::PullEvent;

use super::*;

pub(super) const TIP: &str = "78a76ee6b4992a6baf64c59fc4c44c7323d60438";
pub(super) const LAST: &str = "c4c79227ed610f1151f05bbc5be33b4f340d39c8";

/// A merge request of which `change` is different.
pub(super) fn request(change: &Value) -> Value {
    let mut event = json!({
        "object_kind": "merge_request",
        "user": {"id": 1, "username": "anna", "email": "[REDACTED]"},
        "project": {"path_with_namespace": "group/sub/app", "default_branch": "main"},
        "object_attributes": {
            "iid": 5, "author_id": 2, "action": "merge", "state": "merged", "target_branch": "main", "title": "Fix it",
            "description": "", "updated_at": "2026-03-20 10:00:00 UTC", "merge_commit_sha": TIP,
            "url": "https://gitlab.com/group/sub/app/-/merge_requests/5",
            "last_commit": {"id": LAST, "author": {"name": "Carl", "email": "carl@example.com"}},
        },
        "labels": [{"title": "API"}],
        "reviewers": [{"id": 2, "username": "bob", "state": "approved"}, {"id": 3, "username": "dora", "state": "reviewed"}],
    });
    merge(&mut event, change);
    event
}

fn push(change: &Value) -> Value {
    let mut event = json!({
        "object_kind": "push", "before": LAST, "after": TIP, "ref": "refs/heads/main",
        "user_username": "anna", "user_email": "anna@example.com",
        "project": {"path_with_namespace": "group/app", "default_branch": "main"},
        "commits": [
            {"id": TIP, "message": "Fix it\n", "timestamp": "2026-03-20T10:00:00+02:00", "added": ["a"],
             "modified": ["b"], "removed": [], "author": {"email": "carl@example.com"}},
        ],
        "total_commits_count": 1,
    });
    merge(&mut event, change);
    event
}

pub(super) fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change.clone(),
    }
}

/// What a message is read into, on one line.
pub(super) fn check(event: &Value) -> String {
    match read(event.to_string().as_bytes()) {
        Ok(Reading::Event(events)) => events.iter().map(line).collect::<Vec<_>>().join("; "),
        Ok(Reading::Ignored(why)) => format!("ignored: {why}"),
        Err(why) => format!("malformed: {why}"),
    }
}

fn line(event: &MergeEvent) -> String {
    match event {
        MergeEvent::Merged(c) => {
            let base = if c.base_is_default { "default" } else { "other" };
            let by = &c.merger;
            let commit = &c.id.commit.as_str()[..7];
            format!("{} {base} {commit} of {} by {} {:?}", c.label(), c.author, by.login, by.credit)
        }
        MergeEvent::Enqueued(e) => format!("#{} enqueued by {} at {}", e.number, e.by, e.at),
        MergeEvent::Approved(a) => format!("#{} approved by {} at {}", a.number, a.by, a.at),
        MergeEvent::Unread(told) => panic!("GitLab says who merged: {told:?}"),
        MergeEvent::Pull(of, PullEvent::Open(p, at)) => {
            let kind = [(p.draft, " draft"), (p.fork, " fork")].map(|(is, kind)| if is { kind } else { "" }).concat();
            format!(
                "{of}#{}{kind} open at {} of {} into {} with {:?} at {at}",
                p.number,
                &p.head.as_str()[..7],
                p.author,
                p.base,
                p.labels
            )
        }
        MergeEvent::Pull(_, PullEvent::Gone { number, at }) => format!("#{number} gone at {at}"),
        MergeEvent::Pull(_, PullEvent::Expedite { number, head, by, at, reason, .. }) => {
            format!("#{number} expedite {} by {by} at {at}: {reason:?}", &head.as_ref().unwrap().as_str()[..7])
        }
        MergeEvent::Pull(_, PullEvent::NoExpedite { number, by, at }) => {
            format!("#{number} no expedite by {by} at {at}")
        }
    }
}

#[test]
fn a_merge_is_credited_and_found() {
    let of = |attributes: Value| json!({"object_attributes": attributes});
    for (change, want) in [
        (json!({}), "app#5 default 78a76ee of gitlab:bob by gitlab:anna Merged"),
        (
            json!({"object_kind": null, "event_type": "merge_request"}),
            "app#5 default 78a76ee of gitlab:bob by gitlab:anna Merged",
        ),
        (of(json!({"target_branch": "1.x"})), "app#5 other 78a76ee of gitlab:bob by gitlab:anna Merged"),
        (of(json!({"author_id": "1"})), "app#5 default 78a76ee of gitlab:anna by gitlab:anna Merged"),
        (of(json!({"author_id": 9})), "app#5 default 78a76ee of email:carl@example.com by gitlab:anna Merged"),
        (
            of(json!({"author_id": 9, "last_commit": {"author": {"email": "[REDACTED]"}}})),
            "app#5 default 78a76ee of gitlab:anna by gitlab:anna Merged",
        ),
        // Fast-forward, with and without squashing.
        (of(json!({"merge_commit_sha": null})), "app#5 default c4c7922 of gitlab:bob by gitlab:anna Merged"),
        (
            of(json!({"merge_commit_sha": null, "squash_commit_sha": "1234567890"})),
            "app#5 default 1234567 of gitlab:bob by gitlab:anna Merged",
        ),
        // Bots.
        (
            json!({"user": {"id": 8, "username": "project_12_bot_ab"}}),
            "app#5 default 78a76ee of gitlab:bob by gitlab:bob AuthorOfBotMerge",
        ),
        (
            json!({"user": {"id": 8, "username": "gitlab-bot"}, "object_attributes": {"merge_user_id": 3}}),
            "app#5 default 78a76ee of gitlab:bob by gitlab:dora Enqueued",
        ),
        // Old shapes.
        (of(json!({"action": null})), "app#5 default 78a76ee of gitlab:bob by gitlab:anna Merged"),
        (
            of(json!({"iid": "5", "updated_at": "2026-03-20T10:00:00Z"})),
            "app#5 default 78a76ee of gitlab:bob by gitlab:anna Merged",
        ),
        (
            of(json!({"iid": null, "iid ": 6, "title ": "x "})),
            "app#6 default 78a76ee of gitlab:bob by gitlab:anna Merged",
        ),
        // Lacking what it must have.
        (
            of(json!({"updated_at": "soon"})),
            "malformed: a merge request without a time of what happened, such as updated_at",
        ),
        (
            of(json!({"merge_commit_sha": "<x>", "last_commit": null})),
            "malformed: a merged merge request without any commit",
        ),
        (
            json!({"project": {"path_with_namespace": "../x"}}),
            "malformed: expected repository: a path of at least two segments such as `owner/name`",
        ),
    ] {
        let told = check(&request(&change));
        // Whatever is merged is no longer open.
        let (merged, gone) = told.split_once("; ").unwrap_or((&told, ""));
        assert_eq!(merged, want, "{change}");
        assert!(gone.ends_with(" gone at 2026-03-20T10:00:00Z") != want.starts_with("malformed"), "{told}");
    }
}

#[test]
fn approvals_and_auto_merge_are_noted() {
    let of = |attributes: Value| json!({"object_attributes": attributes});
    let approved = "#5 approved by gitlab:anna at 2026-03-20T10:00:00Z";
    let later =
        json!({"action": "update", "state": "opened", "merge_when_pipeline_succeeds": true, "merge_user_id": 3});
    for (change, want) in [
        (of(json!({"action": "approved", "state": "opened"})), approved.to_owned()),
        (of(json!({"action": "approval", "state": "opened"})), approved.to_owned()),
        (
            of(json!({"action": "approved", "state": "opened", "actioned_at": "2026-03-20 11:00:00 UTC"})),
            "#5 approved by gitlab:anna at 2026-03-20T11:00:00Z".to_owned(),
        ),
        (of(later.clone()), "#5 enqueued by gitlab:dora at 2026-03-20T10:00:00Z".to_owned()),
        (
            json!({"object_attributes": later, "changes": {"merge_when_pipeline_succeeds": {"current": true}}}),
            "#5 enqueued by gitlab:anna at 2026-03-20T10:00:00Z".to_owned(),
        ),
        (
            of(
                json!({"action": "approved", "state": "opened", "merge_when_pipeline_succeeds": true, "merge_user_id": 3}),
            ),
            format!("{approved}; #5 enqueued by gitlab:dora at 2026-03-20T10:00:00Z"),
        ),
    ] {
        assert_eq!(check(&request(&change)), want, "{change}");
    }
}

#[test]
fn pushes_are_read_and_merges_among_them_known() {
    let merge = |message: &str| {
        json!({"commits": [
            {"id": TIP, "message": message, "timestamp": "2026-03-20T10:00:00Z", "author": {"email": "anna@example.com"}},
            {"id": LAST, "message": "x", "timestamp": "2026-03-19T10:00:00Z", "author": {"email": "carl@example.com"}},
        ]})
    };
    let merged = "Merge branch 'x' into 'main'\n\nFix it\n\nSee merge request Group/App!7";
    for (change, want) in [
        (json!({}), "app@78a76ee6b4 default 78a76ee of email:carl@example.com by gitlab:anna Pushed"),
        (
            json!({"user_email": "Carl@example.com"}),
            "app@78a76ee6b4 default 78a76ee of gitlab:anna by gitlab:anna Pushed",
        ),
        (
            json!({"object_kind": null, "event_name": "push"}),
            "app@78a76ee6b4 default 78a76ee of email:carl@example.com by gitlab:anna Pushed",
        ),
        (
            json!({"ref": "refs/heads/1.x"}),
            "app@78a76ee6b4 other 78a76ee of email:carl@example.com by gitlab:anna Pushed",
        ),
        (
            json!({"user_username": "marge-bot"}),
            "app@78a76ee6b4 default 78a76ee of email:carl@example.com by email:carl@example.com AuthorOfBotMerge",
        ),
        (merge(merged), "app#7 default 78a76ee of email:carl@example.com by gitlab:anna Pushed"),
        (
            merge("Merge\n\nSee merge request other/app!7"),
            "app@78a76ee6b4 default 78a76ee of gitlab:anna by gitlab:anna Pushed",
        ),
        (
            merge(&format!("{merged}\n\n(cherry picked from commit 1234567)")),
            "app@78a76ee6b4 default 78a76ee of gitlab:anna by gitlab:anna Pushed",
        ),
        (json!({"ref": "refs/tags/v1"}), "ignored: push of a tag: nothing was merged"),
        (json!({"object_kind": "tag_push"}), "ignored: push of a tag: nothing was merged"),
        (json!({"after": "0000000000000000000000000000000000000000"}), "ignored: push: a branch was deleted"),
        (json!({"before": "0000000", "ref": "refs/heads/x"}), "ignored: push: a branch was created"),
        (json!({"commits": []}), "ignored: push without commits"),
        (json!({"after": "<script>"}), "malformed: expected commit: 7 to 64 hexadecimal digits"),
    ] {
        assert_eq!(check(&push(&change)), want, "{change}");
    }
}

#[test]
fn what_merges_nothing_is_ignored_with_a_reason() {
    for (change, want) in [
        (
            json!({"object_attributes": {"action": "open", "state": "opened", "last_commit": null}}),
            "ignored: merge_request open: nothing was merged",
        ),
        (
            json!({"object_attributes": {"action": "update", "state": "opened"}, "changes": {"title": {"current": "x"}}}),
            "ignored: merge_request update: nothing was merged",
        ),
        (
            json!({"object_attributes": {"action": "update"}}),
            "ignored: merge_request: about one that is merged or closed already",
        ),
        (
            json!({"object_attributes": {"action": "unapproved", "state": "opened"}}),
            "ignored: merge_request unapproved: nothing was merged",
        ),
        (json!({"object_kind": "wiki\u{202e}"}), "ignored: wiki: nothing was merged"),
        (json!({"object_kind": 7, "event_type": null}), "ignored: not a message of GitLab: it has no object_kind"),
    ] {
        assert_eq!(check(&request(&change)), want, "{change}");
    }
    assert_eq!(check(&json!([[]])), "ignored: not a message of GitLab: it has no object_kind");
    assert!(read(b"{\"object_kind\":").is_err());
}

#[test]
fn what_is_told_beside_is_kept() {
    let change = |event: &Value| match read(event.to_string().as_bytes()) {
        Ok(Reading::Event(events)) => match events.into_iter().next() {
            Some(MergeEvent::Merged(change)) => *change,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let stats = json!({"summary": {"additions": 3, "deletions": 1, "file_count": 2},
        "files": [{"path": "a.rs", "additions": 2, "deletions": 1}, {"path": "b.rs", "additions": 1, "deletions": 0}]});
    let merged = change(&request(&json!({"object_attributes": {
        "diff_stats": stats, "title": "Fix\n<!channel>", "url": "javascript:alert(1)", "merged_at": "2026-03-20 09:59:00 UTC"}})));
    assert_eq!(merged.size, Some(Size { files: 2, added: 3, deleted: 1 }));
    assert_eq!(merged.files.map(|files| files.lines.len()), Some(2));
    assert_eq!((merged.title.as_str(), merged.url), ("Fix <!channel>", None));
    assert_eq!(merged.merged_at.to_string(), "2026-03-20T09:59:00Z");
    assert_eq!(merged.approvers, [Login::new("gitlab", "bob").unwrap()]);
    assert_eq!(merged.commits, [LAST.parse().unwrap()]);
    assert_eq!(merged.labels, ["API"]);
    let reverting = change(&request(&json!({"object_attributes": {
        "title": "Revert \"Fix it\"", "description": "This reverts merge request !4"}})));
    assert!(reverting.reverts.is_some());

    let files = |count: u64| change(&push(&json!({"total_commits_count": count}))).files.unwrap();
    assert_eq!(files(1).paths.into_iter().collect::<Vec<_>>(), ["a", "b"]);
    assert!(files(21).cut && !files(1).cut);
}
