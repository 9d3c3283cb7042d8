//! Bitbucket Server and Data Center: `pr:merged`, `pr:reviewer:approved`, those of open pull requests, and
//! `repo:refs_changed`.
//!
//! The event is told by `eventKey` in the body. Its dates are milliseconds or texts, as the server is configured.
//! <https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html>

mod pulls;

use aws::given::{list, number, time, word};
use aws::verify::Signature;
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::on_merge::{Approved, MergeEvent};
use domain::{Change, Credit, Login, Repository, text};
use serde_json::Value;

use super::{MOST_APPROVERS, Merged, commits, credited, is_default, title_and_body};

pub const SENDER: Sender<Vec<MergeEvent>> = Sender {
    name: "bitbucket-server",
    // It signs where it has a secret; newer versions may send a user name and password instead.
    proofs: &[Proof::Signature(Signature::sha256("x-hub-signature")), Proof::Token],
    parse: read,
    guide: Guide {
        title: "Bitbucket Data Center",
        steps: &[
            "In the repository's or project's settings, Webhooks, Create webhook:",
            "URL {url}, secret {secret} (or basic authentication with any user name and {secret} as password), Active",
            "Events: Repository Push; Pull request Opened, Source branch updated, Modified, Approved, Merged, Declined, Deleted and Comment added",
        ],
        reads: "`pr:merged`, `pr:reviewer:approved`, `pr:opened`, `pr:from_ref_updated`, `pr:modified` to another branch, `pr:declined`, `pr:deleted`, `pr:comment:added` with `/expedite reason`, `repo:refs_changed` of one or several branches",
        ignores: "tags, new and deleted branches, other comments, every other event; Test connection is answered",
        docs: "https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html",
    },
};

const FORGE: &str = "bitbucket";

fn read(body: &[u8]) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let event: Value = parse(body)?;
    if event.get("test") == Some(&Value::Bool(true)) {
        return Ok(Reading::ignored("test: the webhook is connected"));
    }
    match word(&event, "/eventKey") {
        Some("pr:merged") => merged(&event),
        Some("pr:reviewer:approved") => approved(&event),
        Some("pr:opened" | "pr:from_ref_updated") => pulls::open(&event),
        Some("pr:modified") => pulls::modified(&event),
        Some("pr:declined" | "pr:deleted") => pulls::closed(&event),
        Some("pr:comment:added") => pulls::commented(&event),
        Some("repo:refs_changed") => pushed(&event),
        Some("diagnostics:ping") => Ok(Reading::ignored("test: the webhook is connected")),
        Some(other) => Ok(Reading::ignored(format!("{}: nothing was merged", text::line(other, 60)))),
        None => Ok(Reading::ignored("not a merge: the message has no eventKey")),
    }
}

fn account(user: Option<&Value>) -> Option<Login> {
    let user = user?;
    // What the server calls a service user; marked as every forge's bots are.
    let bot = if word(user, "/type") == Some("SERVICE") { "[bot]" } else { "" };
    let names = [word(user, "/name"), word(user, "/slug")];
    names.into_iter().flatten().find_map(|name| Login::new(FORGE, &format!("{name}{bot}")).ok())
}

/// Who signed a commit: the account, where the server knows it, else the address.
fn signer(person: Option<&Value>) -> Option<Login> {
    let person = person?;
    let known = account(Some(person)).filter(|_| word(person, "/slug").is_some());
    known.or_else(|| Login::from_email(word(person, "/emailAddress")?).ok())
}

fn repository(of: Option<&Value>) -> Result<Repository, Malformed> {
    let missing = || Malformed::new("the field `repository` is missing");
    let of = of.ok_or_else(missing)?;
    let (project, slug) = word(of, "/project/key").zip(word(of, "/slug")).ok_or_else(missing)?;
    Ok(format!("{project}/{slug}").parse()?)
}

fn pull_request_id(pull: &Value) -> Result<u64, Malformed> {
    pull.get("id").and_then(number).ok_or_else(|| Malformed::new("a pull request without id"))
}

fn branch(reference: &Value) -> Option<&str> {
    let id = word(reference, "/id").and_then(|id| id.strip_prefix("refs/heads/"));
    id.or_else(|| word(reference, "/displayId"))
}

/// Where a person looks at something in the repository.
fn address(repository: Option<&Value>, path: &str) -> Option<String> {
    let browse = list(repository?, "/links/self").find_map(|link| word(link, "/href"))?;
    text::url(&format!("{}/{path}", browse.strip_suffix("/browse")?))
}

fn merged(event: &Value) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let pull = event.get("pullRequest").ok_or_else(|| Malformed::new("pr:merged without pullRequest"))?;
    let to = pull.get("toRef").ok_or_else(|| Malformed::new("a merged pull request without toRef"))?;
    // Fast-forwarded: the branch's last commit is the base's.
    let commit = word(pull, "/properties/mergeCommit/id")
        .or_else(|| word(pull, "/fromRef/latestCommit"))
        .ok_or_else(|| Malformed::new("a merged pull request without mergeCommit"))?;
    let merged_at = ["/closedDate", "/updatedDate"].iter().find_map(|path| time(pull, path));
    let merged_at = merged_at.or_else(|| time(event, "/date"));
    let merged_at = merged_at.ok_or_else(|| Malformed::new("a merged pull request without closedDate"))?;
    let base = branch(to).ok_or_else(|| Malformed::new("a merged pull request without its branch"))?;
    let author = account(pull.pointer("/author/user"));
    let merger = credited(account(event.get("actor")), author.as_ref(), Credit::Merged)
        .ok_or_else(|| Malformed::new("a merged pull request without actor or author"))?;
    let number = pull_request_id(pull)?;
    let url = list(pull, "/links/self").find_map(|link| word(link, "/href")).and_then(text::url);
    let merged = Merged {
        repository: repository(to.get("repository"))?,
        commit: commit.parse()?,
        number: Some(number),
        title: word(pull, "/title").unwrap_or(""),
        body: word(pull, "/description").unwrap_or(""),
        base,
        base_is_default: is_default(None, base),
        author,
        merger,
        merged_at,
    };
    Ok(Reading::Event(super::pulls::merged(Change {
        url: url.or_else(|| address(to.get("repository"), &format!("pull-requests/{number}"))),
        approvers: approvers(pull),
        ..merged.change()
    })))
}

fn approvers(pull: &Value) -> Vec<Login> {
    let reviewers = list(pull, "/reviewers").chain(list(pull, "/participants"));
    let approved = |r: &&Value| r.get("approved") == Some(&Value::Bool(true)) || word(r, "/status") == Some("APPROVED");
    let mut logins: Vec<Login> = Vec::new();
    for login in reviewers.filter(approved).filter_map(|r| account(r.get("user"))).take(MOST_APPROVERS) {
        if !logins.contains(&login) {
            logins.push(login);
        }
    }
    logins
}

fn approved(event: &Value) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let pull = event.get("pullRequest").ok_or_else(|| Malformed::new("an approval without pullRequest"))?;
    let by = account(event.pointer("/participant/user")).or_else(|| account(event.get("actor")));
    let at = time(event, "/date").or_else(|| time(pull, "/updatedDate"));
    Ok(Reading::Event(vec![MergeEvent::Approved(Approved {
        repository: repository(pull.pointer("/toRef/repository"))?,
        number: pull_request_id(pull)?,
        by: by.ok_or_else(|| Malformed::new("an approval without participant"))?,
        at: at.ok_or_else(|| Malformed::new("an approval without date"))?,
    })]))
}

/// `repo:refs_changed`: each branch that it moves. What the commits say is told by newer versions.
fn pushed(event: &Value) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let branches = list(event, "/changes").map(|change| {
        let id = word(change, "/ref/id").or_else(|| word(change, "/refId"));
        let id = id.ok_or_else(|| Malformed::new("a push without the branch's name"))?;
        let Some(base) = id.strip_prefix("refs/heads/") else {
            return Ok(Reading::ignored("push of a tag: nothing was merged"));
        };
        match word(change, "/type") {
            Some("DELETE") => Ok(Reading::ignored("push: a branch was deleted")),
            // Even `main`: it was no default branch before.
            Some("ADD") => Ok(Reading::ignored("push: a branch was created")),
            Some(_) | None => moved(event, change, base).map(Reading::Event),
        }
    });
    super::pushed(branches, "push without changes")
}

fn moved(event: &Value, change: &Value, base: &str) -> Result<Change, Malformed> {
    let commit = word(change, "/toHash").ok_or_else(|| Malformed::new("a push without the branch's commit"))?;
    let tip = event.get("toCommit").into_iter().chain(list(event, "/commits"));
    let tip = tip.into_iter().find(|c| word(c, "/id") == Some(commit));
    let at = time(event, "/date").or_else(|| time(tip?, "/committerTimestamp"));
    let author = signer(tip.and_then(|tip| tip.get("author")));
    let merger = credited(account(event.get("actor")), author.as_ref(), Credit::Pushed)
        .ok_or_else(|| Malformed::new("a push without actor"))?;
    let pushed = format!("push to {base}");
    let (title, body) = title_and_body(tip.and_then(|tip| word(tip, "/message")).unwrap_or(&pushed));
    let of = event.get("repository");
    // Newest first; of several branches it is not said which commit is whose.
    let is_only = list(event, "/changes").nth(1).is_none();
    let listed = list(event, "/commits").rev().filter(|_| is_only).filter_map(|c| word(c, "/id"));
    Ok(Change {
        url: address(of, &format!("commits/{commit}")),
        commits: commits(listed, commit),
        ..Merged {
            repository: repository(of)?,
            commit: commit.parse()?,
            number: merged_number(title),
            title,
            body,
            base,
            // No payload names it.
            base_is_default: is_default(None, base),
            author,
            merger,
            merged_at: at.ok_or_else(|| Malformed::new("a push without date"))?,
        }
        .change()
    })
}

/// The number in the message that the server writes when it merges: `Pull request #5: Title`, formerly
/// `Merge pull request #5 in`.
fn merged_number(title: &str) -> Option<u64> {
    let (rest, end) = match title.strip_prefix("Pull request #") {
        Some(rest) => (rest, ':'),
        None => (title.strip_prefix("Merge pull request #")?, ' '),
    };
    rest.split_once(end)?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TIP: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";

    fn told(event: &Value) -> Value {
        crate::senders::tests::told(read(event.to_string().as_bytes()))
    }

    fn person(name: &str) -> Value {
        json!({ "name": name, "slug": name, "emailAddress": format!("{name}@example.com"), "type": "NORMAL" })
    }

    fn of() -> Value {
        json!({
            "slug": "edx-platform", "project": { "key": "~USAMA" },
            "links": { "self": [null, { "href": "https://git.example.com/users/usama/repos/edx-platform/browse" }] }
        })
    }

    fn merged() -> Value {
        json!({
            "eventKey": "pr:merged", "date": "2026-11-24T10:00:00+0100", "actor": person("feanil"),
            "pullRequest": {
                "id": 12, "title": "Pay once", "closedDate": 1_795_510_800_000_i64, "author": { "user": person("usama") },
                "fromRef": { "id": "refs/heads/pay", "latestCommit": "1111111111111111111111111111111111111111" },
                "toRef": { "id": "refs/heads/main", "displayId": "main", "repository": of() },
                "reviewers": [
                    { "user": person("ned"), "approved": true, "status": "APPROVED" },
                    { "user": person("kyle"), "approved": false, "status": "NEEDS_WORK" }
                ],
                "participants": [{ "user": person("ned"), "status": "APPROVED" }],
                "properties": { "mergeCommit": { "id": TIP } },
                "links": { "self": [null] }
            }
        })
    }

    #[test]
    fn a_merge_is_of_who_pressed_the_button() {
        let told = told(&merged());
        let merged = &told[0]["merged"];
        assert_eq!(merged["id"], json!({ "repository": "~usama/edx-platform", "commit": TIP }));
        assert_eq!(merged["merger"], json!({ "login": "bitbucket:feanil", "credit": "merged" }));
        assert_eq!(merged["author"], "bitbucket:usama");
        assert_eq!(merged["approvers"], json!(["bitbucket:ned"]));
        assert_eq!(merged["url"], "https://git.example.com/users/usama/repos/edx-platform/pull-requests/12");
        assert_eq!(merged["merged_at"], "2026-11-24T09:00:00Z");
    }

    #[test]
    fn dates_are_milliseconds_or_texts() {
        for (date, at) in [
            (json!(1_795_510_800_000_i64), Some("2026-11-24T09:00:00Z")),
            (json!("2026-11-24T10:00:00+0100"), Some("2026-11-24T09:00:00Z")),
            (json!("2026-11-24T09:00:00Z"), Some("2026-11-24T09:00:00Z")),
            (json!(i64::MAX), None),
            (json!("1066-10-14T09:00:00Z"), None),
            (json!(null), None),
        ] {
            let found = time(&json!({ "date": date }), "/date").map(|at| at.to_string());
            assert_eq!(found.as_deref(), at, "{date}");
        }
    }

    #[test]
    fn a_fast_forward_and_a_service_user() {
        let mut event = merged();
        event["pullRequest"]["properties"] = Value::Null;
        event["actor"]["type"] = json!("SERVICE");
        let merged = &told(&event)[0]["merged"];
        assert_eq!(merged["id"]["commit"], "1111111111111111111111111111111111111111");
        assert_eq!(merged["merger"], json!({ "login": "bitbucket:usama", "credit": "author_of_bot_merge" }));
    }

    #[test]
    fn an_approval_is_of_the_participant() {
        let mut event = merged();
        (event["eventKey"], event["participant"]) = (json!("pr:reviewer:approved"), json!({ "user": person("ned") }));
        let approved = &told(&event)[0]["approved"];
        assert_eq!((&approved["by"], &approved["number"]), (&json!("bitbucket:ned"), &json!(12)));
        assert_eq!(approved["at"], "2026-11-24T09:00:00Z");
    }

    fn push(changes: &Value) -> Value {
        json!({
            "eventKey": "repo:refs_changed", "date": "2026-11-24T09:00:00Z", "actor": person("feanil"),
            "repository": of(), "changes": changes
        })
    }

    fn change(id: &str, kind: &str) -> Value {
        json!({ "ref": { "id": id }, "toHash": TIP, "type": kind })
    }

    #[test]
    fn a_push_says_what_its_version_tells() {
        let mut event = push(&json!([change("refs/heads/main", "UPDATE")]));
        let bare = told(&event);
        assert_eq!(bare[0]["merged"]["title"], "push to main");
        assert_eq!(bare[0]["merged"]["author"], "bitbucket:feanil");
        let message = "Pull request #7: Pay once\n\nMerge in ~USAMA/edx-platform from pay to main";
        let author = json!({ "name": "Usama", "emailAddress": "usama@example.com" });
        event["toCommit"] = json!({ "id": TIP, "message": message, "author": author });
        event["commits"] = json!([{ "id": TIP }, { "id": "1111111111111111111111111111111111111111" }]);
        let merged = &told(&event)[0]["merged"];
        assert_eq!(merged["kind"], json!({ "pull_request": { "number": 7 } }));
        assert_eq!(merged["author"], "email:usama@example.com");
        assert_eq!(merged["commits"], json!(["1111111111111111111111111111111111111111"]));
        assert!(merged["url"].as_str().unwrap().ends_with(&format!("/edx-platform/commits/{TIP}")));
    }

    #[test]
    fn what_merges_nothing_is_ignored_and_says_why() {
        for (event, why) in [
            (json!({ "test": true }), "test: the webhook is connected"),
            (json!({ "eventKey": "pr:declined" }), "400: an event of a pull request without pullRequest"),
            (json!({ "eventKey": "pr:reviewer:unapproved" }), "pr:reviewer:unapproved: nothing was merged"),
            (json!({ "eventKey": "mirror:repo_synchronized" }), "mirror:repo_synchronized: nothing was merged"),
            (json!("pr:merged"), "not a merge: the message has no eventKey"),
            (push(&json!([])), "push without changes"),
            (push(&json!([change("refs/heads/main", "DELETE")])), "push: a branch was deleted"),
            (push(&json!([change("refs/heads/main", "ADD")])), "push: a branch was created"),
            (push(&json!([change("refs/tags/v1", "UPDATE")])), "push of a tag: nothing was merged"),
            (json!({ "eventKey": "pr:merged" }), "400: pr:merged without pullRequest"),
        ] {
            assert_eq!(told(&event), why, "{event}");
        }
    }
}
