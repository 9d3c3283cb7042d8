//! Pull requests that are open, or were until now, and comments on one.
//! <https://learn.microsoft.com/azure/devops/service-hooks/events#pull-request-commented-on>

use aws::given::{list, number, time, word};
use aws::{Malformed, Reading};
use domain::OpenPull;
use domain::on_merge::MergeEvent;
use jiff::Timestamp;
use serde_json::Value;

use super::{FORGE, account, address, branch, repository};
use crate::senders::pulls::{self, Asking, Command};

type Read = Result<Reading<Vec<MergeEvent>>, Malformed>;

fn url(pull: &Value, number: u64) -> Option<String> {
    let page = word(pull, "/_links/web/href").map(str::to_owned);
    page.or_else(|| address(pull, &format!("pullrequest/{number}")))
}

/// Created or updated; `None` before Azure has looked at its commits.
pub(super) fn open(pull: &Value, number: u64, at: Timestamp) -> Result<Option<MergeEvent>, Malformed> {
    let Some(head) = word(pull, "/lastMergeSourceCommit/commitId") else { return Ok(None) };
    let author = pulls::author(FORGE, account(pull.get("createdBy")));
    let base = word(pull, "/targetRefName").unwrap_or("");
    let labels = list(pull, "/labels").filter(|l| l.get("active") != Some(&Value::Bool(false)));
    let open = OpenPull {
        number,
        head: head.parse()?,
        author: author.ok_or_else(|| Malformed::new("a pull request without createdBy"))?,
        title: word(pull, "/title").unwrap_or("").to_owned(),
        url: url(pull, number),
        base: branch(base).unwrap_or(base).to_owned(),
        draft: pull.get("isDraft") == Some(&Value::Bool(true)),
        fork: pull.get("forkSource").is_some_and(Value::is_object),
        labels: labels.filter_map(|label| word(label, "/name")).map(str::to_owned).collect(),
    };
    Ok(Some(pulls::open(repository(pull)?, open, at)))
}

/// Abandoned.
pub(super) fn closed(event: &Value, pull: &Value, number: u64) -> Read {
    let at = time(pull, "/closedDate").or_else(|| time(event, "/createdDate"));
    let at = at.ok_or_else(|| Malformed::new("an abandoned pull request without closedDate"))?;
    Ok(pulls::one(pulls::gone(repository(pull)?, number, at)))
}

/// A comment that was written, not one that was changed: both are the same event.
pub(super) fn commented(event: &Value, resource: &Value) -> Read {
    let published = time(resource, "/comment/publishedDate");
    let changed = time(resource, "/comment/lastContentUpdatedDate");
    let is_new = changed.is_none_or(|changed| Some(changed) == published);
    let is_deleted = resource.pointer("/comment/isDeleted") == Some(&Value::Bool(true));
    let command = Command::of(word(resource, "/comment/content").unwrap_or(""));
    let Some(command) = command.filter(|_| is_new && !is_deleted) else {
        return Ok(Reading::ignored(pulls::NOT_ASKED));
    };
    let lacking = |what: &str| Malformed::new(format!("a comment without {what}"));
    let pull = resource.get("pullRequest").filter(|pull| pull.is_object());
    let pull = pull.ok_or_else(|| lacking("pullRequest: choose resource version 2.0"))?;
    if word(pull, "/status").is_some_and(|status| !status.eq_ignore_ascii_case("active")) {
        return Ok(Reading::ignored(pulls::OVER));
    }
    let number = pull.get("pullRequestId").and_then(number).ok_or_else(|| lacking("pullRequestId"))?;
    let url = url(pull, number);
    let asking = Asking {
        number,
        head: word(pull, "/lastMergeSourceCommit/commitId").and_then(|id| id.parse().ok()),
        title: word(pull, "/title").unwrap_or(""),
        url: url.as_deref(),
        by: account(resource.pointer("/comment/author")).ok_or_else(|| lacking("author"))?,
        at: published.or_else(|| time(event, "/createdDate")).ok_or_else(|| lacking("publishedDate"))?,
        command: Some(command),
    };
    Ok(pulls::one(asking.event(repository(pull)?)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::read;
    use super::*;

    const HEAD: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";

    fn told(event: &Value) -> Value {
        crate::senders::tests::told(read(event.to_string().as_bytes()))
    }

    fn pull(status: &str) -> Value {
        json!({
            "pullRequestId": 12, "title": "Pay once", "status": status, "isDraft": true,
            "createdBy": { "uniqueName": "usama@example.com" }, "closedDate": "2026-11-24T09:00:00Z",
            "targetRefName": "refs/heads/release", "lastMergeSourceCommit": { "commitId": HEAD },
            "labels": [{ "name": "risky", "active": true }], "forkSource": { "name": "refs/heads/pay" },
            "repository": {
                "name": "edx-platform", "project": { "name": "edx" },
                "webUrl": "https://dev.azure.com/edx/edx/_git/edx-platform"
            }
        })
    }

    fn event(kind: &str, status: &str) -> Value {
        json!({ "eventType": kind, "createdDate": "2026-11-24T09:00:03Z", "resource": pull(status) })
    }

    #[test]
    fn an_open_pull_request_and_one_that_is_gone() {
        let open = json!({ "open": [{
            "number": 12, "head": HEAD, "author": "email:usama@example.com", "title": "Pay once",
            "url": "https://dev.azure.com/edx/edx/_git/edx-platform/pullrequest/12", "base": "release", "draft": true,
            "fork": true, "labels": ["risky"]
        }, "2026-11-24T09:00:03Z"] });
        for kind in ["git.pullrequest.created", "git.pullrequest.updated"] {
            assert_eq!(told(&event(kind, "active")), json!([{ "pull": ["edx/edx-platform", open] }]), "{kind}");
        }
        // That its merge is tried says nothing new about it.
        let tried = told(&event("git.pullrequest.merged", "active"));
        assert_eq!(tried, "pull request active: nothing was merged or approved");
        let gone = json!({ "gone": { "number": 12, "at": "2026-11-24T09:00:00Z" } });
        assert_eq!(told(&event("git.pullrequest.updated", "abandoned"))[0]["pull"][1], gone);
        let mut early = event("git.pullrequest.created", "active");
        early["resource"]["lastMergeSourceCommit"] = Value::Null;
        assert_eq!(told(&early), "pull request active: nothing was merged or approved");
    }

    #[test]
    fn a_command_asks_by_whoever_writes_it() {
        let comment = |words: &str, changed: &str| {
            let comment = json!({
                "content": words, "author": { "uniqueName": "ned@example.com" },
                "publishedDate": "2026-11-24T09:00:00Z", "lastContentUpdatedDate": changed
            });
            json!({
                "eventType": "ms.vss-code.git-pullrequest-comment-event", "createdDate": "2026-11-24T09:00:03Z",
                "resource": { "comment": comment, "pullRequest": pull("active") }
            })
        };
        let mut event = comment("/expedite it is down", "2026-11-24T09:00:00Z");
        let asked = &told(&event)[0]["pull"][1]["expedite"];
        assert_eq!((&asked["by"], &asked["reason"]), (&json!("email:ned@example.com"), &json!("it is down")));
        assert_eq!((&asked["head"], &asked["at"]), (&json!(HEAD), &json!("2026-11-24T09:00:00Z")));
        let not_asked = "a comment that does not ask for the lane of urgent fixes";
        assert_eq!(told(&comment("This is my comment.", "2026-11-24T09:00:00Z")), not_asked);
        assert_eq!(told(&comment("/expedite", "2026-11-24T09:10:00Z")), not_asked);
        event["resource"]["comment"]["isDeleted"] = json!(true);
        assert_eq!(told(&event), not_asked);
        event["resource"]["comment"]["isDeleted"] = json!(false);
        event["resource"]["pullRequest"]["status"] = json!("completed");
        assert_eq!(told(&event), "about a pull request that is merged or closed already");
        event["resource"]["pullRequest"] = Value::Null;
        assert_eq!(told(&event), "400: a comment without pullRequest: choose resource version 2.0");
    }
}
