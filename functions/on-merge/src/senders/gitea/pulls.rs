//! `pull_request` of one that is open, or was until now, and comments on one.
//! <https://docs.gitea.com/usage/webhooks>
//!
//! Of labels only those are told that are there now, and who changed one of them (services/webhook/notifier.go): they ask for
//! nothing.

use aws::given::{list, number, time, word};
use aws::{Malformed, Reading};
use domain::OpenPull;
use domain::on_merge::MergeEvent;
use jiff::Timestamp;
use serde_json::Value;

use super::{FORGE, account, index, repository};
use crate::senders::pulls::{self, Asking, Command};

type Read = Result<Reading<Vec<MergeEvent>>, Malformed>;

fn at(pull: &Value, places: &[&str]) -> Result<Timestamp, Malformed> {
    let told = places.iter().find_map(|place| time(pull, place));
    told.ok_or_else(|| Malformed::new("a pull request without updated_at"))
}

/// A draft is one by its title, which newer versions say beside.
fn is_draft(pull: &Value) -> bool {
    let title = word(pull, "/title").unwrap_or("").to_ascii_uppercase();
    let said = pull.get("draft").and_then(Value::as_bool);
    said.unwrap_or_else(|| ["WIP:", "[WIP]"].iter().any(|start| title.starts_with(start)))
}

/// Whether an edit says something new about it: of its branch, or of its title.
pub(super) fn is_changed(event: &Value) -> bool {
    ["/changes/ref", "/changes/title"].iter().any(|place| event.pointer(place).is_some_and(Value::is_object))
}

pub(super) fn open(event: &Value, pull: &Value) -> Read {
    let lacking = |what: &str| Malformed::new(format!("a pull request without {what}"));
    let told = |place: &str| word(pull, place).unwrap_or("").to_owned();
    let home = |side: &str| {
        let place = format!("/{side}/repo_id");
        pull.pointer(&place).or_else(|| pull.pointer(&format!("/{side}/repo/id"))).and_then(number)
    };
    let open = OpenPull {
        number: index(event, pull)?,
        head: word(pull, "/head/sha").ok_or_else(|| lacking("head.sha"))?.parse()?,
        author: pulls::author(FORGE, account(pull.get("user"))).ok_or_else(|| lacking("user"))?,
        title: told("/title"),
        url: Some(told("/html_url")),
        base: word(pull, "/base/ref").or_else(|| word(pull, "/base/label")).unwrap_or("").to_owned(),
        draft: is_draft(pull),
        fork: home("head") != home("base"),
        labels: list(pull, "/labels").filter_map(|label| word(label, "/name")).map(str::to_owned).collect(),
    };
    Ok(pulls::one(pulls::open(repository(event)?, open, at(pull, &["/updated_at", "/created_at"])?)))
}

/// Closed without being merged.
pub(super) fn closed(event: &Value, pull: &Value) -> Read {
    let at = at(pull, &["/closed_at", "/updated_at"])?;
    Ok(pulls::one(pulls::gone(repository(event)?, index(event, pull)?, at)))
}

/// Some label was put on or taken off. Which, and whether it was there before, is not told: who touched another one would ask in
/// its name, so here only the command asks.
pub(super) const LABELLED: &str =
    "a label was put on or taken off: by Gitea's word nobody can tell which, comment /expedite <reason>";

/// A comment that was written, not one that was changed.
pub(super) fn commented(event: &Value, action: &str) -> Read {
    let of_pull = event.get("is_pull") == Some(&Value::Bool(true))
        || event.pointer("/issue/pull_request").is_some_and(Value::is_object);
    let command = Command::of(word(event, "/comment/body").unwrap_or(""));
    let Some(command) = command.filter(|_| of_pull && action == "created") else {
        return Ok(Reading::ignored(pulls::NOT_ASKED));
    };
    if word(event, "/issue/state") == Some("closed") {
        return Ok(Reading::ignored(pulls::OVER));
    }
    let lacking = |what: &str| Malformed::new(format!("a comment without {what}"));
    let at = ["/comment/created_at", "/issue/updated_at"].iter().find_map(|place| time(event, place));
    let asking = Asking {
        number: event.pointer("/issue/number").and_then(number).ok_or_else(|| lacking("issue.number"))?,
        head: None,
        title: word(event, "/issue/title").unwrap_or(""),
        url: word(event, "/issue/html_url").or_else(|| word(event, "/comment/html_url")),
        by: account(event.pointer("/comment/user")).ok_or_else(|| lacking("user"))?,
        at: at.ok_or_else(|| lacking("created_at"))?,
        command: Some(command),
    };
    Ok(pulls::one(asking.event(repository(event)?)))
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

    fn pull(action: &str) -> Value {
        json!({
            "action": action, "number": 12, "sender": { "id": 7, "login": "feanil" },
            "repository": { "full_name": "openedx/edx-platform" },
            "pull_request": {
                "number": 12, "state": "open", "title": "WIP: pay once", "user": { "id": 8, "login": "usama" }, "merged": false,
                "html_url": "https://git.example.com/openedx/edx-platform/pulls/12", "labels": [{ "name": "bug" }],
                "head": { "sha": HEAD, "repo_id": 4 }, "base": { "ref": "trunk", "repo_id": 3 },
                "updated_at": "2026-11-24T10:00:00+01:00", "closed_at": null
            }
        })
    }

    #[test]
    fn an_open_pull_request_is_told_whatever_opened_it() {
        let open = json!([{ "pull": ["openedx/edx-platform", { "open": [{
            "number": 12, "head": HEAD, "author": "gitea:usama", "title": "WIP: pay once",
            "url": "https://git.example.com/openedx/edx-platform/pulls/12", "base": "trunk", "draft": true, "fork": true,
            "labels": ["bug"]
        }, "2026-11-24T09:00:00Z"] }] }]);
        for action in ["opened", "reopened", "synchronized"] {
            assert_eq!(told(&pull(action)), open, "{action}");
        }
        let mut edited = pull("edited");
        assert_eq!(told(&edited), "pull_request edited: nothing was merged");
        edited["changes"] = json!({ "ref": { "from": "main" } });
        assert_eq!(told(&edited), open);
        edited["pull_request"]["draft"] = json!(false);
        assert_eq!(told(&edited)[0]["pull"][1]["open"][0]["draft"], false);
        let gone = json!({ "gone": { "number": 12, "at": "2026-11-24T09:00:00Z" } });
        assert_eq!(told(&pull("closed"))[0]["pull"][1], gone);
        edited["pull_request"]["head"] = Value::Null;
        assert_eq!(told(&edited), "400: a pull request without head.sha");
    }

    #[test]
    fn a_label_asks_for_nothing() {
        for action in ["label_updated", "label_cleared"] {
            let mut event = pull(action);
            event["pull_request"]["labels"] = json!([{ "name": "bug" }, { "name": "EXPEDITE" }]);
            assert_eq!(told(&event), LABELLED);
        }
    }

    #[test]
    fn a_command_asks_by_whoever_writes_it() {
        let comment = |action: &str, body: &str, is_pull: bool| {
            json!({
                "action": action, "is_pull": is_pull, "repository": { "full_name": "openedx/edx-platform" },
                "issue": { "number": 12, "state": "open", "title": "Pay once", "updated_at": "2026-11-24T09:00:00Z" },
                "comment": { "body": body, "user": { "id": 8, "login": "usama" }, "created_at": "0001-01-01T00:00:00Z" }
            })
        };
        let asked = json!({ "expedite": {
            "number": 12, "by": "gitea:usama", "at": "2026-11-24T09:00:00Z", "reason": "it is down", "title": "Pay once"
        } });
        assert_eq!(told(&comment("created", "/expedite it is down", true))[0]["pull"][1], asked);
        for event in [
            comment("created", "/expedite", false),
            comment("edited", "/expedite", true),
            comment("deleted", "/expedite", true),
            comment("created", "run gofmt", true),
        ] {
            assert_eq!(told(&event), "a comment that does not ask for the lane of urgent fixes", "{event}");
        }
    }
}
