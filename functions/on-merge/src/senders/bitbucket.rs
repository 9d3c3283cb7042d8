//! Bitbucket Cloud: `pullrequest:fulfilled`, `pullrequest:approved`, those of open pull requests, and `repo:push`.
//!
//! The event is told by the body's shape, not by `X-Event-Key`: the header is not part of what is signed.
//!
//! A pull request names its merge commit by twelve digits, the push of the same merge by all forty. So that both are
//! reports of one change, a change is known by twelve digits here; the whole name is among its `commits`.
//! <https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/>

mod pulls;

use aws::given::{list, number, time, word};
use aws::verify::Signature;
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender};
use domain::on_merge::{Approved, MergeEvent};
use domain::{Change, Credit, Login, Repository, text};
use serde_json::Value;

use super::{MOST_APPROVERS, Merged, commits, credited, title_and_body};

pub const SENDER: Sender<Vec<MergeEvent>> = Sender {
    name: "bitbucket",
    proofs: &[Proof::Signature(Signature::sha256("x-hub-signature"))],
    parse: read,
    guide: Guide {
        title: "Bitbucket Cloud",
        steps: &[
            "In the repository's Repository settings, Webhooks, Add webhook (or the same in the workspace's settings):",
            "URL {url}, Secret {secret}, Status Active",
            "Triggers, Choose from a full list of triggers: Repository Push; Pull request Created, Updated, Approved, Merged, Declined and Comment created",
        ],
        reads: "`pullrequest:fulfilled`, `pullrequest:approved`, `pullrequest:created`, `pullrequest:updated`, `pullrequest:rejected`, `pullrequest:comment_created` with `/expedite reason`, `repo:push` to one or several branches",
        ignores: "tags, new and deleted branches, withdrawn approvals, other comments, build statuses, every other event",
        docs: "https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/",
    },
};

const FORGE: &str = "bitbucket";
/// As many digits of a commit's name are told of a merge.
const DIGITS: usize = 12;

fn read(body: &[u8]) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let event: Value = parse(body)?;
    let has = |key: &str| event.get(key).is_some_and(|v| !v.is_null());
    if has("push") {
        return pushed(&event);
    }
    let Some(pull) = event.get("pullrequest").filter(|p| p.is_object()) else {
        return Ok(Reading::ignored(if has("commit_status") {
            "a build status: nothing was merged"
        } else {
            "not a merge: only pull requests and pushes are read here"
        }));
    };
    // A comment on a merged pull request carries the merged pull request.
    if let Some(comment) = event.get("comment").filter(|c| !c.is_null()) {
        return pulls::commented(&event, pull, comment);
    }
    if has("changes_request") {
        return Ok(Reading::ignored("a review that approves nothing: nothing was merged"));
    }
    if let Some(approval) = event.get("approval").filter(|a| a.is_object()) {
        return approved(&event, pull, approval);
    }
    match word(pull, "/state").map(|state| text::line(state, 40)) {
        Some(state) if state.eq_ignore_ascii_case("MERGED") => merged(&event, pull),
        Some(state) if state.eq_ignore_ascii_case("OPEN") => pulls::open(&event, pull),
        Some(state) if ["DECLINED", "SUPERSEDED"].iter().any(|s| state.eq_ignore_ascii_case(s)) => {
            pulls::closed(&event, pull)
        }
        Some(state) => Ok(Reading::ignored(format!("pullrequest {}: nothing was merged", state.to_lowercase()))),
        None => Err(Malformed::new("a pull request without state")),
    }
}

/// Names are no longer unique, but what people know; where one cannot stand in a login, the id.
fn account(user: Option<&Value>) -> Option<Login> {
    let user = user?;
    let uuid = word(user, "/uuid").map(|uuid| uuid.trim_matches(['{', '}']));
    let names = [word(user, "/nickname"), word(user, "/username"), word(user, "/account_id"), uuid];
    // Access tokens and apps: marked as every forge's bots are.
    let bot = if word(user, "/type") == Some("app_user") { "[bot]" } else { "" };
    names.into_iter().flatten().find_map(|name| Login::new(FORGE, &format!("{name}{bot}")).ok())
}

/// Who asks for something: by an id alone, since anybody can give themselves a colleague's nickname.
fn authority(user: Option<&Value>) -> Option<Login> {
    let user = user?;
    let bot = if word(user, "/type") == Some("app_user") { "[bot]" } else { "" };
    let uuid = word(user, "/uuid").map(|uuid| uuid.trim_matches(['{', '}']));
    let ids = [word(user, "/account_id"), uuid];
    ids.into_iter().flatten().find_map(|id| Login::new(FORGE, &format!("{id}{bot}")).ok())
}

fn repository(event: &Value) -> Result<Repository, Malformed> {
    let name = word(event, "/repository/full_name")
        .or_else(|| word(event, "/pullrequest/destination/repository/full_name"))
        .ok_or_else(|| Malformed::new("the field `repository.full_name` is missing"))?;
    Ok(name.parse()?)
}

fn is_default(event: &Value, branch: &str) -> bool {
    super::is_default(word(event, "/repository/mainbranch/name"), branch)
}

fn id(pull: &Value) -> Result<u64, Malformed> {
    pull.get("id").and_then(number).ok_or_else(|| Malformed::new("a pull request without id"))
}

fn merged(event: &Value, pull: &Value) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    // Fast-forwarded: the branch's last commit is the base's.
    let commit = word(pull, "/merge_commit/hash")
        .or_else(|| word(pull, "/source/commit/hash"))
        .ok_or_else(|| Malformed::new("a merged pull request without merge_commit"))?;
    let merged_at = time(pull, "/closed_on")
        .or_else(|| time(pull, "/updated_on"))
        .or_else(|| time(pull, "/merge_commit/date"))
        .ok_or_else(|| Malformed::new("a merged pull request without updated_on"))?;
    let branch = word(pull, "/destination/branch/name")
        .ok_or_else(|| Malformed::new("a merged pull request without destination"))?;
    let author = account(pull.get("author"));
    let closer = account(pull.get("closed_by")).or_else(|| account(event.get("actor")));
    let merger = credited(closer, author.as_ref(), Credit::Merged)
        .ok_or_else(|| Malformed::new("a merged pull request without closed_by, actor or author"))?;
    let approved = list(pull, "/participants").filter(|p| p.get("approved") == Some(&Value::Bool(true)));
    let merged = Merged {
        repository: repository(event)?,
        commit: short(commit).parse()?,
        number: Some(id(pull)?),
        title: word(pull, "/title").unwrap_or(""),
        body: word(pull, "/description").or_else(|| word(pull, "/summary/raw")).unwrap_or(""),
        base: branch,
        base_is_default: is_default(event, branch),
        author,
        merger,
        merged_at,
    };
    Ok(Reading::Event(super::pulls::merged(Change {
        url: word(pull, "/links/html/href").and_then(text::url),
        approvers: approved.filter_map(|p| account(p.get("user"))).take(MOST_APPROVERS).collect(),
        commits: commits(std::iter::once(commit), short(commit)),
        ..merged.change()
    })))
}

/// `pullrequest:approved`. An approval that is withdrawn looks the same, but for what the participant then thinks.
fn approved(event: &Value, pull: &Value, approval: &Value) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let user = approval.get("user").or_else(|| event.get("actor"));
    let by = account(user).ok_or_else(|| Malformed::new("an approval without user"))?;
    let mut participants = list(pull, "/participants").peekable();
    let is_told = participants.peek().is_some();
    let own = participants.find(|p| account(p.get("user")).as_ref() == Some(&by));
    let stands = own.map_or(!is_told, |p| p.get("approved") != Some(&Value::Bool(false)));
    if !stands {
        return Ok(Reading::ignored("an approval was withdrawn: nothing was merged"));
    }
    let at = time(approval, "/date").or_else(|| time(pull, "/updated_on"));
    let at = at.ok_or_else(|| Malformed::new("an approval without date"))?;
    Ok(Reading::Event(vec![MergeEvent::Approved(Approved {
        repository: repository(event)?,
        number: id(pull)?,
        by,
        at,
    })]))
}

/// `repo:push`: each branch that it moves. It lists no files.
fn pushed(event: &Value) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    let branches = list(event, "/push/changes").map(|change| {
        let Some(new) = change.get("new").filter(|new| new.is_object()) else {
            return Ok(Reading::ignored("push: a branch or tag was deleted"));
        };
        if word(new, "/type").is_some_and(|kind| kind != "branch") {
            return Ok(Reading::ignored("push of a tag: nothing was merged"));
        }
        let branch = word(new, "/name").ok_or_else(|| Malformed::new("a push without the branch's name"))?;
        // A branch that is only taken for the default branch was none before it was created.
        let is_new = change.get("old").is_none_or(Value::is_null);
        if is_new && word(event, "/repository/mainbranch/name") != Some(branch) {
            return Ok(Reading::ignored("push: a branch was created"));
        }
        moved(event, change, new, branch).map(Reading::Event)
    });
    super::pushed(branches, "push without changes")
}

fn moved(event: &Value, change: &Value, new: &Value, branch: &str) -> Result<Change, Malformed> {
    let commit = word(new, "/target/hash").ok_or_else(|| Malformed::new("a push without the branch's commit"))?;
    let at = time(new, "/target/date").ok_or_else(|| Malformed::new("a push without the commit's date"))?;
    let address = || Login::from_email(word(new, "/target/author/raw")?.rsplit_once('<')?.1.trim_end_matches('>')).ok();
    let author = account(new.pointer("/target/author/user")).or_else(address);
    let merger = credited(account(event.get("actor")), author.as_ref(), Credit::Pushed)
        .ok_or_else(|| Malformed::new("a push without actor"))?;
    let (title, body) = title_and_body(word(new, "/target/message").unwrap_or(""));
    // Newest first.
    let listed = list(change, "/commits").rev().filter_map(|c| word(c, "/hash")).filter(|hash| *hash != commit);
    Ok(Change {
        url: word(new, "/target/links/html/href").and_then(text::url),
        commits: commits(listed.chain(std::iter::once(commit)), short(commit)),
        ..Merged {
            repository: repository(event)?,
            commit: short(commit).parse()?,
            number: merged_number(title),
            title,
            body,
            base: branch,
            base_is_default: is_default(event, branch),
            author,
            merger,
            merged_at: at,
        }
        .change()
    })
}

fn short(commit: &str) -> &str {
    commit.get(..DIGITS).unwrap_or(commit)
}

/// The number in the message that Bitbucket writes when it merges: `Merged in branch (pull request #5)`.
fn merged_number(title: &str) -> Option<u64> {
    let named = title.strip_prefix("Merged in ")?.trim_end().strip_suffix(')')?;
    named.rsplit_once("(pull request #")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FULL: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";

    fn told(event: &Value) -> Value {
        crate::senders::tests::told(read(event.to_string().as_bytes()))
    }

    fn person(nickname: &str) -> Value {
        json!({ "type": "user", "nickname": nickname, "account_id": "5b90d9:f1", "uuid": "{18aa}" })
    }

    fn fulfilled() -> Value {
        json!({
            "actor": person("feanil"),
            "repository": { "full_name": "OpenEdX/edx-platform", "mainbranch": { "name": "release" } },
            "pullrequest": {
                "id": 12, "title": "Revert \"Pay twice\"", "state": "MERGED", "updated_on": "2026-11-24T09:00:00.5+00:00",
                "author": person("usama"), "closed_by": person("Feanil"),
                "merge_commit": { "hash": "8c1c06a1a89e" },
                "destination": { "branch": { "name": "release" } },
                "participants": [
                    { "user": person("ned"), "approved": true }, { "user": person("kyle"), "approved": false }
                ],
                "links": { "html": { "href": "javascript:alert(1)" } }
            }
        })
    }

    #[test]
    fn a_merge_is_of_who_pressed_the_button() {
        let merged = &told(&fulfilled())[0]["merged"];
        assert_eq!(merged["id"], json!({ "repository": "openedx/edx-platform", "commit": "8c1c06a1a89e" }));
        assert_eq!(merged["merger"], json!({ "login": "bitbucket:feanil", "credit": "merged" }));
        assert_eq!(merged["author"], "bitbucket:usama");
        assert_eq!(merged["approvers"], json!(["bitbucket:ned"]));
        assert_eq!(merged["base_is_default"], true);
        assert_eq!(merged["reverts"]["of"], json!([{ "title": "Pay twice" }]));
        assert_eq!(merged["url"], Value::Null);
    }

    #[test]
    fn accounts_are_told_by_the_name_that_can_stand() {
        for (user, want) in [
            (person("feanil"), Some("bitbucket:feanil")),
            (person("Feanil Patel (edX)"), Some("bitbucket:5b90d9:f1")),
            (json!({ "username": "old" }), Some("bitbucket:old")),
            (json!({ "uuid": "{18aa-05}" }), Some("bitbucket:18aa-05")),
            (json!({ "type": "app_user", "nickname": "deployer" }), Some("bitbucket:deployer[bot]")),
            (json!({ "nickname": "<b>" }), None),
            (Value::Null, None),
        ] {
            assert_eq!(account(Some(&user)).map(|l| l.to_string()).as_deref(), want, "{user}");
        }
    }

    #[test]
    fn where_a_bot_merged_the_author_answers() {
        let mut event = fulfilled();
        event["pullrequest"]["closed_by"] = json!({ "type": "app_user", "nickname": "deployer" });
        let merger = &told(&event)[0]["merged"]["merger"];
        assert_eq!(merger, &json!({ "login": "bitbucket:usama", "credit": "author_of_bot_merge" }));
    }

    #[test]
    fn an_approval_that_stands_is_noted() {
        let mut event = fulfilled();
        event["pullrequest"]["state"] = json!("OPEN");
        for (user, noted) in [("ned", true), ("kyle", false), ("nobody-there", false)] {
            event["approval"] = json!({ "date": "2026-11-24T08:00:00+00:00", "user": person(user) });
            assert_eq!(told(&event)[0]["approved"].is_object(), noted, "{user}");
        }
    }

    fn push(changes: &Value) -> Value {
        json!({ "actor": person("feanil"), "repository": { "full_name": "openedx/edx-platform" }, "push": { "changes": changes } })
    }

    fn branch(name: &str, message: &str) -> Value {
        json!({
            "old": { "type": "branch", "name": name },
            "new": { "type": "branch", "name": name, "target": {
                "hash": FULL, "date": "2026-11-24T09:00:00+00:00", "message": message,
                "author": { "raw": "Usama <usama@example.com>" }
            } },
            "commits": [{ "hash": FULL }, { "hash": "1111111111111111111111111111111111111111" }]
        })
    }

    #[test]
    fn each_branch_of_a_push_is_a_change_the_default_branch_first() {
        let changes = json!([branch("hotfix", "Fix"), branch("main", "Merged in fix (pull request #7)\n\nFix it")]);
        let told = told(&push(&changes));
        assert_eq!((&told[0]["merged"]["base"], &told[1]["merged"]["base"]), (&json!("main"), &json!("hotfix")));
        let merged = &told[0]["merged"];
        // As the pull request names it; the whole name is among the commits, the last.
        assert_eq!(merged["id"]["commit"], FULL[..12]);
        assert_eq!(merged["commits"], json!(["1111111111111111111111111111111111111111", FULL]));
        assert_eq!(merged["kind"], json!({ "pull_request": { "number": 7 } }));
        assert_eq!(merged["author"], "email:usama@example.com");
        assert_eq!(merged["merger"]["credit"], "pushed");
    }

    #[test]
    fn what_merges_nothing_is_ignored_and_says_why() {
        let state = |state: &str| {
            let mut event = fulfilled();
            event["pullrequest"]["state"] = json!(state);
            event
        };
        let with = |key: &str| {
            let mut event = fulfilled();
            event[key] = json!({ "id": 1 });
            event
        };
        let (mut created, mut tag) = (branch("main", ""), branch("v1", ""));
        (created["old"], tag["new"]["type"]) = (Value::Null, json!("tag"));
        for (event, why) in [
            (state("QUEUED\u{202e}"), "pullrequest queued: nothing was merged"),
            (with("comment"), "a comment that does not ask for the lane of urgent fixes"),
            (with("changes_request"), "a review that approves nothing: nothing was merged"),
            (json!({ "commit_status": {} }), "a build status: nothing was merged"),
            (push(&json!([])), "push without changes"),
            (push(&json!([{ "new": null, "old": {} }])), "push: a branch or tag was deleted"),
            (push(&json!([created])), "push: a branch was created"),
            (push(&json!([tag])), "push of a tag: nothing was merged"),
            (json!([1]), "not a merge: only pull requests and pushes are read here"),
        ] {
            assert_eq!(told(&event), why, "{event}");
        }
    }

    #[test]
    fn a_merge_that_lacks_what_it_must_have_is_malformed() {
        for path in ["id", "state", "updated_on", "destination"] {
            let mut event = fulfilled();
            event["pullrequest"][path] = json!("../x");
            event["pullrequest"]["merge_commit"]["hash"] = json!("<script>");
            let told = told(&event).to_string();
            assert!(told.starts_with("\"400: ") || path == "state", "{path}: {told}");
            assert!(!told.contains("script"), "{told}");
        }
    }
}
