//! `pr:opened`, `pr:from_ref_updated`, `pr:modified` to another branch, `pr:declined`, `pr:deleted`, and
//! `pr:comment:added`. The server has no labels.
//! <https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html>

use aws::given::{list, number, time, word};
use aws::{Malformed, Reading};
use domain::OpenPull;
use domain::on_merge::MergeEvent;
use jiff::Timestamp;
use serde_json::Value;

use super::{FORGE, account, address, branch, pull_request_id, repository};
use crate::senders::pulls::{self, Asking, Command};

type Read = Result<Reading<Vec<MergeEvent>>, Malformed>;

fn pull(event: &Value) -> Result<&Value, Malformed> {
    event.get("pullRequest").ok_or_else(|| Malformed::new("an event of a pull request without pullRequest"))
}

fn at(event: &Value, pull: &Value, places: &[&str]) -> Result<Timestamp, Malformed> {
    let told = places.iter().find_map(|place| time(pull, place)).or_else(|| time(event, "/date"));
    told.ok_or_else(|| Malformed::new("a pull request without updatedDate"))
}

fn url(pull: &Value) -> Option<String> {
    let told = list(pull, "/links/self").find_map(|link| word(link, "/href")).map(str::to_owned);
    let path = || Some(format!("pull-requests/{}", pull.get("id").and_then(number)?));
    told.or_else(|| address(pull.pointer("/toRef/repository"), &path()?))
}

pub(super) fn open(event: &Value) -> Read {
    let pull = pull(event)?;
    let lacking = |what: &str| Malformed::new(format!("a pull request without {what}"));
    let home = |side: &str| pull.pointer(&format!("/{side}/repository/id")).and_then(number);
    let author = pulls::author(FORGE, account(pull.pointer("/author/user")));
    let open = OpenPull {
        number: pull_request_id(pull)?,
        head: word(pull, "/fromRef/latestCommit").ok_or_else(|| lacking("fromRef.latestCommit"))?.parse()?,
        author: author.ok_or_else(|| lacking("author"))?,
        title: word(pull, "/title").unwrap_or("").to_owned(),
        url: url(pull),
        base: pull.get("toRef").and_then(branch).ok_or_else(|| lacking("toRef"))?.to_owned(),
        draft: pull.get("draft") == Some(&Value::Bool(true)),
        fork: home("fromRef") != home("toRef"),
        labels: Vec::new(),
    };
    let at = at(event, pull, &["/updatedDate"])?;
    Ok(pulls::one(pulls::open(repository(pull.pointer("/toRef/repository"))?, open, at)))
}

/// Of its title, its description or its branch: only the last is told again.
pub(super) fn modified(event: &Value) -> Read {
    let (before, now) = (word(event, "/previousTarget/id"), word(event, "/pullRequest/toRef/id"));
    if before.is_none() || before == now {
        return Ok(Reading::ignored("pr:modified: it is to be merged into the same branch"));
    }
    open(event)
}

/// Declined or deleted.
pub(super) fn closed(event: &Value) -> Read {
    let pull = pull(event)?;
    let at = at(event, pull, &["/closedDate", "/updatedDate"])?;
    Ok(pulls::one(pulls::gone(repository(pull.pointer("/toRef/repository"))?, pull_request_id(pull)?, at)))
}

pub(super) fn commented(event: &Value) -> Read {
    let Some(command) = Command::of(word(event, "/comment/text").unwrap_or("")) else {
        return Ok(Reading::ignored(pulls::NOT_ASKED));
    };
    let pull = pull(event)?;
    if word(pull, "/state").is_some_and(|state| state != "OPEN") {
        return Ok(Reading::ignored(pulls::OVER));
    }
    let by = account(event.pointer("/comment/author")).or_else(|| account(event.get("actor")));
    let at = time(event, "/comment/createdDate").or_else(|| time(event, "/date"));
    let url = url(pull);
    let asking = Asking {
        number: pull_request_id(pull)?,
        head: word(pull, "/fromRef/latestCommit").and_then(|id| id.parse().ok()),
        title: word(pull, "/title").unwrap_or(""),
        url: url.as_deref(),
        by: by.ok_or_else(|| Malformed::new("a comment without author"))?,
        at: at.ok_or_else(|| Malformed::new("a comment without createdDate"))?,
        command: Some(command),
    };
    Ok(pulls::one(asking.event(repository(pull.pointer("/toRef/repository"))?)))
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

    fn person(name: &str) -> Value {
        json!({ "name": name, "slug": name, "type": "NORMAL" })
    }

    fn pull(key: &str) -> Value {
        let of = |id: u64| json!({ "id": id, "slug": "edx-platform", "project": { "key": "EDX" } });
        json!({
            "eventKey": key, "date": "2026-11-24T10:00:03+0100", "actor": person("feanil"),
            "pullRequest": {
                "id": 12, "title": "Pay once", "state": "OPEN", "updatedDate": 1_795_510_800_000_i64,
                "author": { "user": person("usama") },
                "fromRef": { "id": "refs/heads/pay", "latestCommit": HEAD, "repository": of(84) },
                "toRef": { "id": "refs/heads/main", "displayId": "main", "repository": of(84) },
                "links": { "self": [{ "href": "https://git.example.com/projects/EDX/repos/edx-platform/pull-requests/12" }] }
            }
        })
    }

    #[test]
    fn an_open_pull_request_and_one_that_is_gone() {
        let open = json!([{ "pull": ["edx/edx-platform", { "open": [{
            "number": 12, "head": HEAD, "author": "bitbucket:usama", "title": "Pay once",
            "url": "https://git.example.com/projects/EDX/repos/edx-platform/pull-requests/12", "base": "main",
            "draft": false, "fork": false
        }, "2026-11-24T09:00:00Z"] }] }]);
        for key in ["pr:opened", "pr:from_ref_updated"] {
            assert_eq!(told(&pull(key)), open, "{key}");
        }
        let mut modified = pull("pr:modified");
        let nothing = "pr:modified: it is to be merged into the same branch";
        assert_eq!(told(&modified), nothing);
        modified["previousTarget"] = json!({ "id": "refs/heads/main" });
        assert_eq!(told(&modified), nothing);
        modified["previousTarget"] = json!({ "id": "refs/heads/old" });
        assert_eq!(told(&modified), open);
        for key in ["pr:declined", "pr:deleted"] {
            assert_eq!(
                told(&pull(key))[0]["pull"][1],
                json!({ "gone": { "number": 12, "at": "2026-11-24T09:00:00Z" } })
            );
        }
        let mut fork = pull("pr:opened");
        fork["pullRequest"]["fromRef"]["repository"]["id"] = json!(85);
        assert_eq!(told(&fork)[0]["pull"][1]["open"][0]["fork"], true);
    }

    #[test]
    fn a_command_asks_by_whoever_writes_it() {
        let mut event = pull("pr:comment:added");
        assert_eq!(told(&event), "a comment that does not ask for the lane of urgent fixes");
        event["comment"] =
            json!({ "text": "/expedite it is down", "author": person("ned"), "createdDate": 1_795_510_802_000_i64 });
        let asked = &told(&event)[0]["pull"][1]["expedite"];
        assert_eq!((&asked["by"], &asked["reason"]), (&json!("bitbucket:ned"), &json!("it is down")));
        assert_eq!((&asked["head"], &asked["at"]), (&json!(HEAD), &json!("2026-11-24T09:00:02Z")));
        event["eventKey"] = json!("pr:comment:edited");
        assert_eq!(told(&event), "pr:comment:edited: nothing was merged");
        (event["eventKey"], event["pullRequest"]["state"]) = (json!("pr:comment:added"), json!("MERGED"));
        assert_eq!(told(&event), "about a pull request that is merged or closed already");
    }
}
