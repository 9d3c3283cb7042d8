//! Gitea and Forgejo: `pull_request` (merged; opened, changed, closed), its approvals and comments, and `push` to a
//! branch.
//!
//! The event is told by the body's shape, not by `X-Gitea-Event`: the header is not part of what is signed.
//! <https://docs.gitea.com/usage/webhooks>, <https://forgejo.org/docs/latest/user/webhooks/>

mod pulls;

use aws::given::{list, number, time, word};
use aws::verify::Signature;
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::change::{Files, Size};
use domain::on_merge::{Approved, MergeEvent};
use domain::{Change, Credit, Login, Repository, text};
use serde_json::Value;

use super::{Merged, commits, credited, is_nothing, merge, title_and_body};

pub const SENDER: Sender<Vec<MergeEvent>> = Sender {
    name: "gitea",
    // Forgejo sends both; Gitea the second only.
    proofs: &[
        Proof::Signature(Signature::bare("x-forgejo-signature")),
        Proof::Signature(Signature::bare("x-gitea-signature")),
    ],
    parse: read,
    guide: Guide {
        title: "Gitea and Forgejo",
        steps: &[
            "In the repository's or organisation's Settings, Webhooks, Add Webhook, Gitea (or Forgejo):",
            "Target URL {url}, HTTP Method POST, POST Content Type application/json, Secret {secret}",
            "Trigger On, Custom Events: Push, Pull Request, Pull Request Labeled, Pull Request Comment, Pull Request Reviewed, Pull Request Synchronized (in Forgejo the same, without the words Pull Request)",
        ],
        reads: "`pull_request` merged, opened, reopened, synchronized, edited in branch or title, closed; comments with `/expedite reason`; `pull_request` reviewed with an approval; `push` to a branch",
        ignores: "tags, new and deleted branches, other comments, other reviews, every other event; Test Delivery is answered",
        docs: "https://docs.gitea.com/usage/webhooks",
    },
};

const FORGE: &str = "gitea";

fn read(body: &[u8]) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let event: Value = parse(body)?;
    let has = |key: &str| event.get(key).is_some_and(|v| !v.is_null());
    let action = text::line(word(&event, "/action").unwrap_or(""), 40);
    if has("comment") || has("issue") {
        return pulls::commented(&event, &action);
    }
    if let Some(pull) = event.get("pull_request").filter(|p| p.is_object()) {
        return match action.as_str() {
            "closed" if pull.get("merged") == Some(&Value::Bool(true)) => merged(&event, pull),
            "closed" => pulls::closed(&event, pull),
            "opened" | "reopened" | "synchronized" => pulls::open(&event, pull),
            "edited" if pulls::is_changed(&event) => pulls::open(&event, pull),
            "label_updated" | "label_cleared" => Ok(Reading::ignored(pulls::LABELLED)),
            "reviewed" => reviewed(&event, pull),
            other => Ok(Reading::ignored(format!("pull_request {other}: nothing was merged"))),
        };
    }
    if has("ref") && has("after") && has("before") {
        return pushed(&event);
    }
    Ok(Reading::ignored(if has("ref_type") {
        "a branch or tag was created or deleted: nothing was merged"
    } else {
        "not a merge: only pull requests and pushes are read here"
    }))
}

fn account(user: Option<&Value>) -> Option<Login> {
    let user = user?;
    let names = [word(user, "/login"), word(user, "/username")];
    let name = names.into_iter().flatten().find(|name| Login::new(FORGE, name).is_ok())?;
    match (user.get("id").and_then(Value::as_i64), name) {
        // The account of everybody who was deleted.
        (Some(-1), _) => None,
        // Actions act under an account of their own; marked as every forge's bots are.
        (Some(..-1), _) | (_, "gitea-actions" | "forgejo-actions") => Login::new(FORGE, &format!("{name}[bot]")).ok(),
        (Some(_) | None, name) => Login::new(FORGE, name).ok(),
    }
}

fn repository(event: &Value) -> Result<Repository, Malformed> {
    let name = word(event, "/repository/full_name");
    Ok(name.ok_or_else(|| Malformed::new("the field `repository.full_name` is missing"))?.parse()?)
}

fn is_default(event: &Value, branch: &str) -> bool {
    super::is_default(word(event, "/repository/default_branch"), branch)
}

fn index(event: &Value, pull: &Value) -> Result<u64, Malformed> {
    let told = [pull.get("number"), event.get("number")].into_iter().flatten();
    let index = told.filter_map(number).find(|n| *n > 0);
    index.ok_or_else(|| Malformed::new("a pull request without number"))
}

/// Older versions count nothing.
fn size(pull: &Value) -> Option<Size> {
    let count = |name: &str| pull.get(name).and_then(Value::as_u64);
    let (files, added, deleted) = (count("changed_files")?, count("additions")?, count("deletions")?);
    (files > 0).then_some(Size { files, added, deleted })
}

fn merged(event: &Value, pull: &Value) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let commit = word(pull, "/merge_commit_sha").or_else(|| word(pull, "/merged_commit_id"));
    let commit = commit.ok_or_else(|| Malformed::new("a merged pull request without merge_commit_sha"))?;
    let merged_at = ["/merged_at", "/closed_at", "/updated_at"].iter().find_map(|path| time(pull, path));
    let base = word(pull, "/base/ref").or_else(|| word(pull, "/base/label"));
    let base = base.ok_or_else(|| Malformed::new("a merged pull request without its branch"))?;
    let base = base.strip_prefix("refs/heads/").unwrap_or(base);
    let author = account(pull.get("user"));
    let by = account(pull.get("merged_by")).or_else(|| account(event.get("sender")));
    let merger = credited(by, author.as_ref(), Credit::Merged)
        .ok_or_else(|| Malformed::new("a merged pull request without merged_by, sender or user"))?;
    let merged = Merged {
        repository: repository(event)?,
        commit: commit.parse()?,
        number: Some(index(event, pull)?),
        title: word(pull, "/title").unwrap_or(""),
        body: word(pull, "/body").unwrap_or(""),
        base,
        base_is_default: is_default(event, base),
        author,
        merger,
        merged_at: merged_at.ok_or_else(|| Malformed::new("a merged pull request without merged_at"))?,
    };
    Ok(Reading::Event(super::pulls::merged(Change {
        url: word(pull, "/html_url").and_then(text::url),
        size: size(pull),
        labels: list(pull, "/labels").filter_map(|l| word(l, "/name")).take(20).map(|l| text::line(l, 60)).collect(),
        ..merged.change()
    })))
}

/// The review says what it is, `pull_request_review_approved`; who reviewed is the sender.
fn reviewed(event: &Value, pull: &Value) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let approves = word(event, "/review/type").is_some_and(|kind| kind.ends_with("_approved"));
    if !approves {
        return Ok(Reading::ignored("a review that approves nothing: nothing was merged"));
    }
    let by = account(event.get("sender")).ok_or_else(|| Malformed::new("an approval without sender"))?;
    let at = time(pull, "/updated_at").ok_or_else(|| Malformed::new("an approval without updated_at"))?;
    Ok(Reading::Event(vec![MergeEvent::Approved(Approved {
        repository: repository(event)?,
        number: index(event, pull)?,
        by,
        at,
    })]))
}

fn pushed(event: &Value) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let Some(base) = word(event, "/ref").and_then(|reference| reference.strip_prefix("refs/heads/")) else {
        return Ok(Reading::ignored("push of a tag: nothing was merged"));
    };
    let (before, after) = (word(event, "/before").unwrap_or(""), word(event, "/after").unwrap_or(""));
    if before == after {
        return Ok(Reading::ignored("test delivery: the webhook is connected"));
    }
    if is_nothing(after) {
        return Ok(Reading::ignored("push: a branch was deleted"));
    }
    if is_nothing(before) && word(event, "/repository/default_branch") != Some(base) {
        return Ok(Reading::ignored("push: a branch was created"));
    }
    let mut listed = event.get("head_commit").into_iter().chain(list(event, "/commits"));
    match listed.find(|c| word(c, "/id") == Some(after)) {
        Some(head) => moved(event, base, head, after),
        None => Ok(Reading::ignored("push without commits")),
    }
}

fn moved(event: &Value, base: &str, head: &Value, commit: &str) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let known = word(head, "/author/username").and_then(|name| Login::new(FORGE, name).ok());
    let address = || Login::from_email(word(head, "/author/email")?).ok();
    let author = known.or_else(address);
    let by = account(event.get("pusher")).or_else(|| account(event.get("sender")));
    let merger =
        credited(by, author.as_ref(), Credit::Pushed).ok_or_else(|| Malformed::new("a push without pusher"))?;
    let at = time(head, "/timestamp").or_else(|| time(event, "/repository/updated_at"));
    let (title, body) = title_and_body(word(head, "/message").unwrap_or(""));
    let merged = Merged {
        repository: repository(event)?,
        commit: commit.parse()?,
        number: merged_number(title),
        title,
        body,
        base,
        base_is_default: is_default(event, base),
        author,
        merger,
        merged_at: at.ok_or_else(|| Malformed::new("a push without timestamp"))?,
    };
    Ok(merge(Change {
        url: word(head, "/url").and_then(text::url),
        // Newest first.
        commits: commits(list(event, "/commits").rev().filter_map(|c| word(c, "/id")), commit),
        files: files(event),
        ..merged.change()
    }))
}

/// The number in the message that Gitea writes when it merges: `Merge pull request 'Title' (#5) from branch into main`.
fn merged_number(title: &str) -> Option<u64> {
    let named = title.strip_prefix("Merge pull request '")?;
    named.rsplit_once("' (#")?.1.split_once(')')?.0.parse().ok()
}

/// Every file of every commit that is listed: the newest five, unless configured otherwise.
fn files(event: &Value) -> Option<Files> {
    let touched = || {
        let lists = list(event, "/commits").flat_map(|c| ["/added", "/removed", "/modified"].map(|path| list(c, path)));
        lists.flatten().filter_map(Value::as_str)
    };
    touched().next()?;
    let mut files = Files::of(touched());
    let total = event.get("total_commits").and_then(Value::as_u64).unwrap_or(0);
    files.cut |= total > list(event, "/commits").count() as u64;
    Some(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TIP: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";
    const NOTHING: &str = "0000000000000000000000000000000000000000";

    fn told(event: &Value) -> Value {
        crate::senders::tests::told(read(event.to_string().as_bytes()))
    }

    fn person(login: &str) -> Value {
        json!({ "id": 7, "login": login, "username": login })
    }

    fn pull(action: &str) -> Value {
        json!({
            "action": action, "number": 12, "sender": person("feanil"), "commit_id": "", "review": null,
            "repository": { "full_name": "openedx/edx-platform", "default_branch": "trunk" },
            "pull_request": {
                "number": 12, "title": "Pay once", "user": person("usama"), "merged": true, "merged_by": person("Feanil"),
                "merged_at": "2026-11-24T10:00:00+01:00", "updated_at": "2026-11-24T09:00:01Z", "merge_commit_sha": TIP,
                "base": { "ref": "trunk" }, "labels": [{ "name": "risky\u{202e}" }], "assignees": null,
                "additions": 3, "deletions": 1, "changed_files": 2
            }
        })
    }

    #[test]
    fn a_merge_is_of_who_pressed_the_button() {
        let told = told(&pull("closed"));
        let merged = &told[0]["merged"];
        assert_eq!(merged["id"], json!({ "repository": "openedx/edx-platform", "commit": TIP }));
        assert_eq!(merged["merger"], json!({ "login": "gitea:feanil", "credit": "merged" }));
        assert_eq!(merged["size"], json!({ "files": 2, "added": 3, "deleted": 1 }));
        assert_eq!(merged["labels"], json!(["risky"]));
        assert_eq!(merged["base_is_default"], true);
        assert_eq!(merged["merged_at"], "2026-11-24T09:00:00Z");
    }

    #[test]
    fn actions_are_a_bot_and_a_ghost_is_nobody() {
        for (merged_by, user, want) in [
            (json!({ "id": -2, "login": "gitea-actions" }), person("usama"), ("gitea:usama", "author_of_bot_merge")),
            (json!({ "login": "forgejo-actions" }), person("usama"), ("gitea:usama", "author_of_bot_merge")),
            (Value::Null, json!({ "id": -1, "login": "Ghost" }), ("gitea:feanil", "merged")),
        ] {
            let mut event = pull("closed");
            (event["pull_request"]["merged_by"], event["pull_request"]["user"]) = (merged_by, user);
            let told = told(&event);
            assert_eq!(told[0]["merged"]["merger"], json!({ "login": want.0, "credit": want.1 }), "{event}");
            assert_eq!(told[0]["merged"]["author"], want.0);
        }
    }

    #[test]
    fn a_review_that_approves_is_noted() {
        let mut event = pull("reviewed");
        event["review"] = json!({ "type": "pull_request_review_approved", "content": "" });
        let approved = json!({
            "repository": "openedx/edx-platform", "number": 12, "by": "gitea:feanil", "at": "2026-11-24T09:00:01Z"
        });
        assert_eq!(told(&event), json!([{ "approved": approved }]));
        event["review"]["type"] = json!("pull_request_review_rejected");
        assert_eq!(told(&event), "a review that approves nothing: nothing was merged");
    }

    fn push(reference: &str, before: &str, after: &str) -> Value {
        let commit = |id: &str, file: &str| {
            json!({
                "id": id, "message": "Merge pull request 'Pay (again) (#3)' (#12) from pay into trunk\n\nbody",
                "timestamp": "2026-11-24T09:00:00Z", "author": { "email": "usama@example.com", "username": "" },
                "added": [file], "removed": null, "modified": []
            })
        };
        json!({
            "ref": reference, "before": before, "after": after, "pusher": person("feanil"), "total_commits": 9,
            "repository": { "full_name": "openedx/edx-platform", "default_branch": "trunk" },
            "head_commit": null,
            "commits": [commit(TIP, "b.rs"), commit("1111111111111111111111111111111111111111", "a.rs")]
        })
    }

    #[test]
    fn a_push_lists_its_files_as_far_as_it_goes() {
        let told = told(&push("refs/heads/trunk", "2222222", TIP));
        let merged = &told[0]["merged"];
        assert_eq!(merged["files"], json!({ "paths": ["a.rs", "b.rs"], "cut": true }));
        assert_eq!(merged["commits"], json!(["1111111111111111111111111111111111111111"]));
        assert_eq!(merged["kind"], json!({ "pull_request": { "number": 12 } }));
        assert_eq!(merged["merger"], json!({ "login": "gitea:feanil", "credit": "pushed" }));
        assert_eq!(merged["author"], "email:usama@example.com");
    }

    #[test]
    fn what_merges_nothing_is_ignored_and_says_why() {
        let mut commented = pull("closed");
        commented["comment"] = json!({ "body": "x" });
        let mut without = pull("closed");
        without["pull_request"]["merge_commit_sha"] = Value::Null;
        for (event, why) in [
            (commented, "a comment that does not ask for the lane of urgent fixes"),
            (pull("assigned"), "pull_request assigned: nothing was merged"),
            (push("refs/tags/v1", "2222222", TIP), "push of a tag: nothing was merged"),
            (push("refs/heads/trunk", TIP, NOTHING), "push: a branch was deleted"),
            (push("refs/heads/pay", NOTHING, TIP), "push: a branch was created"),
            (push("refs/heads/trunk", TIP, TIP), "test delivery: the webhook is connected"),
            (push("refs/heads/trunk", TIP, "2222222"), "push without commits"),
            (json!({ "ref": "v1", "ref_type": "tag" }), "a branch or tag was created or deleted: nothing was merged"),
            (json!(null), "not a merge: only pull requests and pushes are read here"),
            (without, "400: a merged pull request without merge_commit_sha"),
        ] {
            assert_eq!(told(&event), why, "{event}");
        }
    }
}
