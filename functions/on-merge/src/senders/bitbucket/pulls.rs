//! Pull requests that are open, or were until now, and `pullrequest:comment_created`. Bitbucket has no labels.
//! <https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/#Pull-request-events>
//!
//! What happened to a comment is told only by the header, which is not signed: a new one is known by its times.

use aws::given::{time, word};
use aws::{Malformed, Reading};
use domain::OpenPull;
use domain::on_merge::MergeEvent;
use jiff::SignedDuration;
use serde_json::Value;

use super::{FORGE, account, authority, id, repository};
use crate::senders::pulls::{self, Asking, Command};

type Read = Result<Reading<Vec<MergeEvent>>, Malformed>;

/// A new comment is written and updated within the same moment.
const SAME_TIME: SignedDuration = SignedDuration::from_secs(2);

pub(super) fn open(event: &Value, pull: &Value) -> Read {
    let lacking = |what: &str| Malformed::new(format!("a pull request without {what}"));
    let told = |place: &str| word(pull, place).unwrap_or("").to_owned();
    let home = |side: &str| word(pull, &format!("/{side}/repository/full_name")).map(str::to_lowercase);
    let author = pulls::author(FORGE, account(pull.get("author")));
    let open = OpenPull {
        number: id(pull)?,
        head: word(pull, "/source/commit/hash").ok_or_else(|| lacking("source.commit"))?.parse()?,
        author: author.ok_or_else(|| lacking("author"))?,
        title: told("/title"),
        url: Some(told("/links/html/href")),
        base: told("/destination/branch/name"),
        draft: pull.get("draft") == Some(&Value::Bool(true)),
        fork: home("source") != home("destination"),
        labels: Vec::new(),
    };
    let at = time(pull, "/updated_on").or_else(|| time(pull, "/created_on"));
    Ok(pulls::one(pulls::open(repository(event)?, open, at.ok_or_else(|| lacking("updated_on"))?)))
}

/// Declined, or superseded.
pub(super) fn closed(event: &Value, pull: &Value) -> Read {
    let at = time(pull, "/closed_on").or_else(|| time(pull, "/updated_on"));
    let at = at.ok_or_else(|| Malformed::new("a pull request without updated_on"))?;
    Ok(pulls::one(pulls::gone(repository(event)?, id(pull)?, at)))
}

pub(super) fn commented(event: &Value, pull: &Value, comment: &Value) -> Read {
    let (created, updated) = (time(comment, "/created_on"), time(comment, "/updated_on"));
    let was_changed =
        updated.zip(created).is_some_and(|(updated, created)| updated.duration_since(created) >= SAME_TIME);
    let is_over =
        comment.get("deleted") == Some(&Value::Bool(true)) || comment.get("resolution").is_some_and(Value::is_object);
    let command = Command::of(word(comment, "/content/raw").unwrap_or(""));
    let Some(command) = command.filter(|_| !was_changed && !is_over) else {
        return Ok(Reading::ignored(pulls::NOT_ASKED));
    };
    if word(pull, "/state").is_some_and(|state| !state.eq_ignore_ascii_case("OPEN")) {
        return Ok(Reading::ignored(pulls::OVER));
    }
    let by = authority(comment.get("user")).or_else(|| authority(event.get("actor")));
    let asking = Asking {
        number: id(pull)?,
        head: word(pull, "/source/commit/hash").and_then(|hash| hash.parse().ok()),
        title: word(pull, "/title").unwrap_or(""),
        url: word(pull, "/links/html/href"),
        by: by.ok_or_else(|| Malformed::new("a comment without user"))?,
        at: created.ok_or_else(|| Malformed::new("a comment without created_on"))?,
        command: Some(command),
    };
    Ok(pulls::one(asking.event(repository(event)?)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::read;
    use super::*;

    fn told(event: &Value) -> Value {
        crate::senders::tests::told(read(event.to_string().as_bytes()))
    }

    fn person(nickname: &str) -> Value {
        json!({ "type": "user", "nickname": nickname, "account_id": "5b90d9:f1" })
    }

    fn pull(state: &str) -> Value {
        json!({
            "actor": person("feanil"), "repository": { "full_name": "OpenEdX/edx-platform" },
            "pullrequest": {
                "id": 12, "title": "Pay once", "state": state, "author": person("usama"), "draft": true,
                "updated_on": "2026-11-24T09:00:00.5+00:00",
                "source": { "commit": { "hash": "8c1c06a1a89e" }, "repository": { "full_name": "usama/edx-platform" } },
                "destination": { "branch": { "name": "main" }, "repository": { "full_name": "openedx/edx-platform" } },
                "links": { "html": { "href": "https://bitbucket.org/openedx/edx-platform/pull-requests/12" } }
            }
        })
    }

    #[test]
    fn an_open_pull_request_and_one_that_is_gone() {
        let open = json!({ "open": [{
            "number": 12, "head": "8c1c06a1a89e", "author": "bitbucket:usama", "title": "Pay once",
            "url": "https://bitbucket.org/openedx/edx-platform/pull-requests/12", "base": "main", "draft": true, "fork": true
        }, "2026-11-24T09:00:00.5Z"] });
        assert_eq!(told(&pull("OPEN")), json!([{ "pull": ["openedx/edx-platform", open] }]));
        for state in ["DECLINED", "SUPERSEDED"] {
            let gone = json!({ "gone": { "number": 12, "at": "2026-11-24T09:00:00.5Z" } });
            assert_eq!(told(&pull(state))[0]["pull"][1], gone);
        }
        let mut event = pull("OPEN");
        event["pullrequest"]["source"]["commit"] = Value::Null;
        assert_eq!(told(&event), "400: a pull request without source.commit");
    }

    #[test]
    fn a_command_asks_by_whoever_writes_it() {
        let comment = |words: &str, change: &Value| {
            let mut event = pull("OPEN");
            event["comment"] = json!({
                "content": { "raw": words }, "user": person("ned"), "deleted": false,
                "created_on": "2026-11-24T09:00:00.1+00:00", "updated_on": "2026-11-24T09:00:00.2+00:00"
            });
            for (key, value) in change.as_object().unwrap() {
                event["comment"][key] = value.clone();
            }
            event
        };
        let asked = &told(&comment("/expedite it is down", &json!({})))[0]["pull"][1]["expedite"];
        assert_eq!((&asked["by"], &asked["reason"]), (&json!("bitbucket:5b90d9:f1"), &json!("it is down")));
        assert_eq!((&asked["head"], &asked["at"]), (&json!("8c1c06a1a89e"), &json!("2026-11-24T09:00:00.1Z")));
        for (words, change) in [
            ("test comment", json!({})),
            ("/expedite", json!({ "updated_on": "2026-11-24T09:05:00+00:00" })),
            ("/expedite", json!({ "deleted": true })),
            ("/expedite", json!({ "resolution": {} })),
        ] {
            let event = comment(words, &change);
            assert_eq!(told(&event), "a comment that does not ask for the lane of urgent fixes", "{change}");
        }
        let mut merged = comment("/expedite", &json!({}));
        merged["pullrequest"]["state"] = json!("MERGED");
        assert_eq!(told(&merged), "about a pull request that is merged or closed already");
    }
}
