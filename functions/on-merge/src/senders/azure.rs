//! Azure DevOps (Azure Repos): `git.pullrequest.*`, comments on pull requests, and `git.push` of service hooks.
//!
//! `git.pullrequest.merged` is sent whenever a merge is tried, also to see whether an active pull request could be
//! merged: only the status `completed` says that it was. Until then its votes and its auto-complete are noted.
//! <https://learn.microsoft.com/azure/devops/service-hooks/events>

mod pulls;

use aws::given::{list, number, time, word};
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::on_merge::{Approved, Enqueued, MergeEvent};
use domain::{Change, Commit, Credit, Login, Merger, Repository, text};
use serde_json::Value;

use super::{MOST_APPROVERS, Merged, commits, credited, is_nothing, title_and_body};

pub const SENDER: Sender<Vec<MergeEvent>> = Sender {
    name: "azure",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide {
        title: "Azure DevOps",
        steps: &[
            "In Project settings, Service hooks, Create subscription, Web Hooks; a subscription for each of these events:",
            "Code pushed, Pull request created, Pull request updated (also for votes and auto-complete), Pull request merge attempted, Pull request commented on",
            "Action: URL {url}, any basic authentication username, password {secret}, Resource details to send: All",
        ],
        reads: "`git.pullrequest.merged` and `git.pullrequest.updated` of completed pull requests; `git.pullrequest.created` and `.updated` of active and abandoned ones, with votes and auto-complete; comments with `/expedite reason`; `git.push` to branches",
        ignores: "merge attempts that complete nothing, other comments, tags, new and deleted branches, every other event",
        docs: "https://learn.microsoft.com/azure/devops/service-hooks/services/webhooks",
    },
};

const FORGE: &str = "azure";

fn read(body: &[u8]) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let event: Value = parse(body)?;
    let Some(kind) = word(&event, "/eventType") else {
        return Ok(Reading::ignored("not a merge: the message has no eventType"));
    };
    let resource = || {
        let told = event.get("resource").filter(|r| r.is_object());
        told.ok_or_else(|| Malformed::new("a service hook that sends no resource details: choose All"))
    };
    if kind == "git.push" {
        return pushed(&event, resource()?);
    }
    if kind.starts_with("git.pullrequest.") {
        return pull_request(&event, resource()?);
    }
    if kind == "ms.vss-code.git-pullrequest-comment-event" {
        return pulls::commented(&event, resource()?);
    }
    Ok(Reading::ignored(format!("{}: nothing was merged", text::line(kind, 60))))
}

/// An address, or an account such as `FABRIKAM\jamal`; a service is marked as every forge's bots are.
fn account(identity: Option<&Value>) -> Option<Login> {
    let identity = identity?;
    let names = [word(identity, "/uniqueName"), word(identity, "/id")];
    if is_service(identity) {
        return names.into_iter().flatten().find_map(|name| Login::new(FORGE, &format!("{name}[bot]")).ok());
    }
    names.into_iter().flatten().find_map(|name| {
        // `Windows Live ID\jamal@example.com`
        let own = name.rsplit_once('\\').map_or(name, |(_, own)| own);
        Login::from_email(own).ok().or_else(|| Login::new(FORGE, name).ok())
    })
}

/// The service itself, a pipeline, or another principal that is nobody.
fn is_service(identity: &Value) -> bool {
    let starts = |path: &str, starts: &[&str]| {
        word(identity, path).is_some_and(|name| starts.iter().any(|start| name.starts_with(start)))
    };
    starts("/descriptor", &["svc.", "s2s.", "aadsp."])
        || starts("/displayName", &["Microsoft.VisualStudio.Services.", "Microsoft.TeamFoundation."])
        || starts("/uniqueName", &["Build\\", "AgentPool\\"])
        || word(identity, "/displayName").is_some_and(|name| name.contains("Build Service ("))
}

/// `project/repository`, as both stand in its address: names may hold blanks.
fn repository(resource: &Value) -> Result<Repository, Malformed> {
    let names = word(resource, "/repository/project/name").zip(word(resource, "/repository/name"));
    let (project, name) = names.ok_or_else(|| Malformed::new("the field `repository.project.name` is missing"))?;
    Ok(format!("{}/{}", escaped(project), escaped(name)).parse()?)
}

/// Percent-encoded where a repository's name cannot hold it.
fn escaped(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_graphic() && !br##"#<>"/%"##.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02x}"));
        }
    }
    out
}

fn is_default(resource: &Value, base: &str) -> bool {
    super::is_default(word(resource, "/repository/defaultBranch").map(|told| branch(told).unwrap_or(told)), base)
}

fn branch(reference: &str) -> Option<&str> {
    reference.strip_prefix("refs/heads/")
}

/// Where a person looks at something in the repository.
fn address(resource: &Value, path: &str) -> Option<String> {
    let home = word(resource, "/repository/webUrl").or_else(|| word(resource, "/repository/remoteUrl"));
    let home = home.filter(|home| !home.contains('@'))?;
    text::url(&format!("{}/{path}", home.trim_end_matches('/')))
}

fn pull_request(event: &Value, pull: &Value) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let number = pull.get("pullRequestId").and_then(number);
    let number = number.ok_or_else(|| Malformed::new("a pull request without pullRequestId"))?;
    let status = text::line(word(pull, "/status").unwrap_or("without status"), 40).to_lowercase();
    match (status.as_str(), word(pull, "/mergeStatus")) {
        ("completed", Some("conflicts" | "failure" | "rejectedByPolicy")) => {
            Ok(Reading::ignored("the pull request could not be merged"))
        }
        ("completed", _) => merged(event, pull, number),
        ("active", _) => on_its_way(event, pull, number),
        ("abandoned", _) => pulls::closed(event, pull, number),
        (other, _) => Ok(Reading::ignored(format!("pull request {other}: nothing was merged"))),
    }
}

fn merged(event: &Value, pull: &Value, number: u64) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let commit = word(pull, "/lastMergeCommit/commitId")
        .ok_or_else(|| Malformed::new("a completed pull request without lastMergeCommit"))?;
    let merged_at = time(pull, "/closedDate").or_else(|| time(event, "/createdDate"));
    let base = word(pull, "/targetRefName").ok_or_else(|| Malformed::new("a pull request without targetRefName"))?;
    let base = branch(base).unwrap_or(base);
    let author = account(pull.get("createdBy"));
    let merger = merger(event, pull, author.as_ref())
        .ok_or_else(|| Malformed::new("a completed pull request without closedBy or createdBy"))?;
    let (title, body) = (word(pull, "/title").unwrap_or(""), word(pull, "/description").unwrap_or(""));
    let labels = list(pull, "/labels").filter(|l| l.get("active") != Some(&Value::Bool(false)));
    // Newest first.
    let listed = list(pull, "/commits").rev().filter_map(|c| word(c, "/commitId"));
    let page = word(pull, "/_links/web/href").and_then(text::url);
    let merged = Merged {
        repository: repository(pull)?,
        commit: commit.parse()?,
        number: Some(number),
        title,
        body,
        base,
        base_is_default: is_default(pull, base),
        author,
        merger,
        merged_at: merged_at.ok_or_else(|| Malformed::new("a completed pull request without closedDate"))?,
    };
    Ok(Reading::Event(super::pulls::merged(Change {
        url: page.or_else(|| address(pull, &format!("pullrequest/{number}"))),
        labels: labels.filter_map(|l| word(l, "/name")).take(20).map(|l| text::line(l, 60)).collect(),
        approvers: approvers(pull).collect(),
        commits: commits(listed, commit),
        ..merged.change()
    })))
}

/// Who completed it; where the service did, who set auto-complete; else the author.
fn merger(event: &Value, pull: &Value, author: Option<&Login>) -> Option<Merger> {
    let closer = account(pull.get("closedBy")).or_else(|| named_closer(event, pull));
    let auto = account(pull.get("autoCompleteSetBy")).filter(|login| !login.is_bot());
    match auto.filter(|_| closer.as_ref().is_none_or(Login::is_bot)) {
        Some(login) => Some(Merger { login, credit: Credit::Enqueued }),
        None => credited(closer, author, Credit::Merged),
    }
}

/// Where `closedBy` is not sent, the message says by whom it was completed: `Jamal Hartnett marked the pull request as
/// completed`. Taken where exactly one account of the pull request has this name.
fn named_closer(event: &Value, pull: &Value) -> Option<Login> {
    let said = word(event, "/message/text")?;
    let words = [" marked the pull request as completed", " has created a pull request merge commit"];
    let name = words.iter().find_map(|words| Some(said.split_once(words)?.0))?;
    let people = pull.get("createdBy").into_iter().chain(pull.get("autoCompleteSetBy")).chain(list(pull, "/reviewers"));
    let mut named = people.filter(|p| word(p, "/displayName") == Some(name)).filter_map(|p| account(Some(p)));
    let first = named.next()?;
    named.all(|other| other == first).then_some(first)
}

/// Who voted 10, approved, or 5, approved with suggestions. A group's vote is that of its members, who are listed.
fn approvers(pull: &Value) -> impl Iterator<Item = Login> {
    let voted = list(pull, "/reviewers").filter(|r| r.get("isContainer") != Some(&Value::Bool(true)));
    let approved = voted.filter(|r| r.get("vote").and_then(number).is_some_and(|vote| vote >= 5));
    approved.filter_map(|r| account(Some(r))).take(MOST_APPROVERS)
}

/// An active pull request: who has approved it, and who wants it to be completed when it can be.
fn on_its_way(event: &Value, pull: &Value, number: u64) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let auto = account(pull.get("autoCompleteSetBy"));
    let at = time(event, "/createdDate").or_else(|| time(pull, "/creationDate"));
    let at = at.ok_or_else(|| Malformed::new("a service hook without createdDate"))?;
    let repository = repository(pull)?;
    // That a merge is tried says nothing new about the pull request.
    let is_changed = matches!(word(event, "/eventType"), Some("git.pullrequest.created" | "git.pullrequest.updated"));
    let open = if is_changed { pulls::open(pull, number, at)? } else { None };
    let enqueued =
        auto.map(|by| MergeEvent::Enqueued(Enqueued { repository: repository.clone(), number, by, at, sure: true }));
    let approved =
        approvers(pull).map(|by| MergeEvent::Approved(Approved { repository: repository.clone(), number, by, at }));
    let events: Vec<MergeEvent> = enqueued.into_iter().chain(approved).chain(open).collect();
    if events.is_empty() {
        return Ok(Reading::ignored("pull request active: nothing was merged or approved"));
    }
    Ok(Reading::Event(events))
}

/// `git.push`: each branch that it moves. It lists no files.
fn pushed(event: &Value, push: &Value) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let branches = list(push, "/refUpdates").map(|update| {
        let (old, new) = (word(update, "/oldObjectId").unwrap_or(""), word(update, "/newObjectId").unwrap_or(""));
        let Some(base) = word(update, "/name").and_then(branch) else {
            return Ok(Reading::ignored("push of a tag: nothing was merged"));
        };
        if is_nothing(new) {
            return Ok(Reading::ignored("push: a branch was deleted"));
        }
        // A branch that is only taken for the default branch was none before it was created.
        let is_known = word(push, "/repository/defaultBranch").is_some() && is_default(push, base);
        if is_nothing(old) && !is_known {
            return Ok(Reading::ignored("push: a branch was created"));
        }
        moved(event, push, base, new).map(Reading::Event)
    });
    super::pushed(branches, "push without refUpdates")
}

fn moved(event: &Value, push: &Value, base: &str, new: &str) -> Result<Change, Malformed> {
    // Newest first; of several branches it is not said which commit is whose.
    let is_only = list(push, "/refUpdates").nth(1).is_none();
    let tip = list(push, "/commits").find(|c| word(c, "/commitId") == Some(new));
    let tip = tip.or_else(|| list(push, "/commits").next().filter(|_| is_only));
    // The documentation's own sample writes something else for the object's name.
    let last = || tip.and_then(|tip| word(tip, "/commitId")?.parse().ok());
    let commit = new.parse::<Commit>().or_else(|why| last().ok_or(why))?;
    let author = tip.and_then(|tip| Login::from_email(word(tip, "/author/email")?).ok());
    let merger = credited(account(push.get("pushedBy")), author.as_ref(), Credit::Pushed)
        .ok_or_else(|| Malformed::new("a push without pushedBy"))?;
    let at = time(push, "/date").or_else(|| time(event, "/createdDate"));
    let pushed = format!("push to {base}");
    let (title, body) = title_and_body(tip.and_then(|tip| word(tip, "/comment")).unwrap_or(&pushed));
    let listed = list(push, "/commits").rev().filter(|_| is_only).filter_map(|c| word(c, "/commitId"));
    Ok(Change {
        url: address(push, &format!("commit/{commit}")),
        commits: commits(listed, commit.as_str()),
        ..Merged {
            repository: repository(push)?,
            commit,
            number: merged_number(title),
            title,
            body,
            base,
            base_is_default: is_default(push, base),
            author,
            merger,
            merged_at: at.ok_or_else(|| Malformed::new("a push without date"))?,
        }
        .change()
    })
}

/// The number in the message that Azure Repos writes when it merges: `Merged PR 12: Title`.
fn merged_number(title: &str) -> Option<u64> {
    title.strip_prefix("Merged PR ")?.split_once(':')?.0.parse().ok()
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

    fn person(name: &str) -> Value {
        json!({ "displayName": name, "uniqueName": format!("{name}@example.com"), "id": "54d1" })
    }

    fn service() -> Value {
        json!({
            "displayName": "Microsoft.VisualStudio.Services.TFS", "descriptor": "s2s.MDAw",
            "uniqueName": "00000002-0000-8888-8000-000000000000@2c895908-04e0-4952-89fd-54b0046d6288"
        })
    }

    fn completed() -> Value {
        json!({
            "subscriptionId": "4f6e", "eventType": "git.pullrequest.merged", "createdDate": "2026-11-24T09:00:03.1234567Z",
            "message": { "text": "ned marked the pull request as completed" },
            "resource": {
                "pullRequestId": 12, "title": "Pay once", "status": "completed", "mergeStatus": "succeeded",
                "createdBy": person("usama"), "closedBy": person("feanil"),
                "closedDate": "2026-11-24T09:00:00.3660573Z", "targetRefName": "refs/heads/release",
                "lastMergeCommit": { "commitId": TIP },
                "labels": [{ "name": "risky", "active": true }, { "name": "gone", "active": false }],
                "reviewers": [
                    { "vote": 10, "displayName": "ned", "uniqueName": "ned@example.com" },
                    { "vote": "5", "displayName": "kyle", "uniqueName": "EDX\\kyle" },
                    { "vote": -5, "displayName": "dave", "uniqueName": "dave@example.com" },
                    { "vote": 10, "displayName": "[edX]\\Team", "uniqueName": "vstfs:///x\\Team", "isContainer": true }
                ],
                "repository": {
                    "name": "edx-platform", "project": { "name": "Open edX" }, "defaultBranch": "refs/heads/release",
                    "webUrl": "https://dev.azure.com/edx/Open%20edX/_git/edx-platform"
                }
            }
        })
    }

    #[test]
    fn a_completed_pull_request_is_merged() {
        let told = told(&completed());
        let merged = &told[0]["merged"];
        assert_eq!(merged["id"], json!({ "repository": "open%20edx/edx-platform", "commit": TIP }));
        assert_eq!(merged["merger"], json!({ "login": "email:feanil@example.com", "credit": "merged" }));
        assert_eq!(merged["author"], "email:usama@example.com");
        assert_eq!(merged["approvers"], json!(["email:ned@example.com", "azure:edx\\kyle"]));
        assert_eq!(merged["labels"], json!(["risky"]));
        assert_eq!(merged["base_is_default"], true);
        assert_eq!(merged["url"], "https://dev.azure.com/edx/Open%20edX/_git/edx-platform/pullrequest/12");
    }

    #[test]
    fn who_completed_it_is_told_in_several_ways() {
        for (closed_by, auto, message, want) in [
            (person("feanil"), person("kyle"), "", ("email:feanil@example.com", "merged")),
            (service(), person("feanil"), "", ("email:feanil@example.com", "enqueued")),
            (service(), Value::Null, "", ("email:usama@example.com", "author_of_bot_merge")),
            (Value::Null, Value::Null, "ned marked the pull request as completed", ("email:ned@example.com", "merged")),
            (Value::Null, Value::Null, "x created a merge commit", ("email:usama@example.com", "author_of_bot_merge")),
        ] {
            let mut event = completed();
            let resource = &mut event["resource"];
            (resource["closedBy"], resource["autoCompleteSetBy"]) = (closed_by, auto);
            event["message"]["text"] = json!(message);
            let merger = &told(&event)[0]["merged"]["merger"];
            assert_eq!(merger, &json!({ "login": want.0, "credit": want.1 }), "{event}");
        }
    }

    #[test]
    fn a_merge_that_is_only_tried_merges_nothing_but_tells_of_its_way() {
        let mut event = completed();
        event["resource"]["status"] = json!("active");
        event["resource"]["autoCompleteSetBy"] = person("feanil");
        let noted = told(&event);
        assert_eq!(noted[0]["enqueued"]["by"], "email:feanil@example.com");
        assert_eq!(noted[1]["approved"]["by"], "email:ned@example.com");
        assert_eq!(noted.as_array().map(Vec::len), Some(3));
    }

    fn push(updates: &Value) -> Value {
        let commit = |id: &str| json!({ "commitId": id, "comment": "Merged PR 7: Pay once", "author": { "email": "usama@example.com" } });
        json!({
            "eventType": "git.push", "createdDate": "2026-11-24T09:00:03Z",
            "resource": {
                "refUpdates": updates, "date": "2026-11-24T09:00:00Z",
                "commits": [commit(TIP), commit("1111111111111111111111111111111111111111")],
                "pushedBy": { "uniqueName": "Windows Live ID\\feanil@example.com" },
                "repository": {
                    "name": "edx-platform", "project": { "name": "edx" },
                    "remoteUrl": "https://user@dev.azure.com/edx/edx/_git/edx-platform"
                }
            }
        })
    }

    fn update(name: &str, old: &str, new: &str) -> Value {
        json!({ "name": name, "oldObjectId": old, "newObjectId": new })
    }

    #[test]
    fn a_push_moves_each_of_its_branches() {
        let one = told(&push(&json!([update("refs/heads/main", "2222222", TIP)])));
        let merged = &one[0]["merged"];
        assert_eq!(merged["kind"], json!({ "pull_request": { "number": 7 } }));
        assert_eq!(merged["merger"], json!({ "login": "email:feanil@example.com", "credit": "pushed" }));
        assert_eq!(merged["author"], "email:usama@example.com");
        assert_eq!(merged["commits"], json!(["1111111111111111111111111111111111111111"]));
        assert_eq!((&merged["url"], &merged["base_is_default"]), (&Value::Null, &json!(true)));
        let other = "3333333333333333333333333333333333333333";
        let updates = json!([update("refs/heads/fix", "2222222", other), update("refs/heads/main", "2222222", TIP)]);
        let two = told(&push(&updates));
        assert_eq!((&two[0]["merged"]["base"], &two[1]["merged"]["title"]), (&json!("main"), &json!("push to fix")));
    }

    #[test]
    fn what_merges_nothing_is_ignored_and_says_why() {
        let with = |path: &str, value: Value| {
            let mut event = completed();
            *event.pointer_mut(path).unwrap() = value;
            event
        };
        for (event, why) in [
            (with("/resource/status", json!("notSet")), "pull request notset: nothing was merged"),
            (with("/resource/mergeStatus", json!("conflicts")), "the pull request could not be merged"),
            (with("/eventType", json!("build.complete")), "build.complete: nothing was merged"),
            (
                with("/eventType", json!("ms.vss-code.git-pullrequest-comment-event")),
                "a comment that does not ask for the lane of urgent fixes",
            ),
            (with("/resource", json!(null)), "400: a service hook that sends no resource details: choose All"),
            (with("/resource/lastMergeCommit", json!(null)), "400: a completed pull request without lastMergeCommit"),
            (push(&json!([])), "push without refUpdates"),
            (push(&json!([update("refs/tags/v1", NOTHING, TIP)])), "push of a tag: nothing was merged"),
            (push(&json!([update("refs/heads/main", TIP, NOTHING)])), "push: a branch was deleted"),
            (push(&json!([update("refs/heads/fix", NOTHING, TIP)])), "push: a branch was created"),
            (json!({}), "not a merge: the message has no eventType"),
        ] {
            assert_eq!(told(&event), why, "{event}");
        }
    }
}
