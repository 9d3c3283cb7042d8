//! GitHub: pull requests as `gh api repos/{owner}/{repo}/pulls?state=closed` or `gh pr list --json` tell them; deployments and their
//! statuses as `gh api repos/{owner}/{repo}/deployments` and `.../deployments/{id}/statuses` do. Each becomes the webhook that told it.
//!
//! The list of pull requests does not say who merged: then it is taken to be the author. A deployment without any status is taken to have
//! succeeded when it was made.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Exported;

fn text<'a>(object: &'a Value, path: &str) -> Option<&'a str> {
    object.pointer(path)?.as_str()
}

fn time(object: &Value, path: &str) -> Option<Timestamp> {
    text(object, path)?.parse().ok()
}

/// The repository that an address of the API or of the site is of.
fn repository(url: &str) -> Option<String> {
    let path = url.split_once("://")?.1.split_once('/')?.1;
    let path = path.strip_prefix("api/v3/").unwrap_or(path);
    let mut parts = path.strip_prefix("repos/").unwrap_or(path).split('/');
    Some(format!("{}/{}", parts.next()?, parts.next()?))
}

/// A pull request: its merge, or nothing if it was closed without. `None`: it is none.
pub(super) fn pull(object: &Value) -> Option<Option<Exported>> {
    object.get("merged_at").or_else(|| object.get("mergedAt"))?;
    Some(by_rest(object).or_else(|| by_command(object)))
}

fn by_rest(pull: &Value) -> Option<Exported> {
    let at = time(pull, "/merged_at")?;
    let url = text(pull, "/html_url").or(text(pull, "/url"))?;
    let full_name = text(pull, "/base/repo/full_name").map(str::to_owned).or_else(|| repository(url))?;
    let branch = text(pull, "/base/repo/default_branch").or(text(pull, "/base/ref"))?;
    let mut told = pull.clone();
    told["merged"] = json!(true);
    if told.get("merged_by").is_none_or(Value::is_null) {
        told["merged_by"] = pull.get("user").cloned().unwrap_or_default();
    }
    Some(closed(at, told, &full_name, branch))
}

/// `gh pr list --state merged --json number,title,author,mergedBy,mergedAt,mergeCommit,baseRefName,url,additions,deletions,changedFiles,labels`
fn by_command(pull: &Value) -> Option<Exported> {
    let at = time(pull, "/mergedAt")?;
    let full_name = repository(text(pull, "/url")?)?;
    let branch = text(pull, "/baseRefName").unwrap_or("main");
    let account = |path: &str| {
        let bot = pull.pointer(&format!("{path}/is_bot")).and_then(Value::as_bool).unwrap_or(false);
        let login = text(pull, &format!("{path}/login"))?;
        // The command calls a bot `app/renovate`, webhooks call it `renovate[bot]`.
        let login = login.strip_prefix("app/").map_or_else(|| login.to_owned(), |app| format!("{app}[bot]"));
        Some(json!({ "login": login, "type": if bot { "Bot" } else { "User" } }))
    };
    let author = account("/author")?;
    let told = json!({
        "number": pull.get("number")?,
        "title": pull.get("title")?,
        "html_url": pull.get("url")?,
        "state": "closed",
        "merged": true,
        "merged_at": at,
        "closed_at": at,
        "merge_commit_sha": text(pull, "/mergeCommit/oid")?,
        "merged_by": account("/mergedBy").unwrap_or_else(|| author.clone()),
        "user": author,
        "labels": pull.get("labels").cloned().unwrap_or_else(|| json!([])),
        "base": { "ref": branch },
        "body": pull.get("body"),
        "additions": pull.get("additions"),
        "deletions": pull.get("deletions"),
        "changed_files": pull.get("changedFiles")
    });
    Some(closed(at, told, &full_name, branch))
}

fn closed(at: Timestamp, pull: Value, full_name: &str, default_branch: &str) -> Exported {
    let body = json!({
        "action": "closed",
        "number": pull.get("number"),
        "sender": pull.get("merged_by"),
        "pull_request": pull,
        "repository": { "full_name": full_name, "default_branch": default_branch }
    });
    Exported::delivered(at, "/merge/github", &body)
}

/// Deployments and statuses, until both are known.
#[derive(Default)]
pub(super) struct Deployments {
    deployments: BTreeMap<(String, u64), Value>,
    statuses: BTreeMap<(String, u64), Vec<Value>>,
}

impl Deployments {
    /// Keeps a deployment or a status. `None`: it is neither.
    pub(super) fn add(&mut self, object: &Value) -> Option<()> {
        if let Some(url) = text(object, "/deployment_url") {
            object.get("state")?;
            let id = url.rsplit('/').next()?.parse().ok()?;
            self.statuses.entry((repository(url)?, id)).or_default().push(object.clone());
            return Some(());
        }
        text(object, "/sha")?;
        text(object, "/environment")?;
        let url = text(object, "/repository_url").or(text(object, "/url"))?;
        self.deployments.insert((repository(url)?, object.get("id")?.as_u64()?), object.clone());
        Some(())
    }

    pub(super) fn events(mut self) -> Vec<Exported> {
        let mut events = Vec::new();
        for (key, deployment) in &self.deployments {
            let known = self.statuses.remove(key).unwrap_or_else(|| assumed(deployment));
            let moved = known.iter().filter_map(|status| {
                let body = json!({
                    "action": "created",
                    "deployment_status": status,
                    "deployment": deployment,
                    "repository": { "full_name": key.0 }
                });
                Some(Exported::delivered(time(status, "/created_at")?, "/deploy/github", &body))
            });
            events.extend(moved);
        }
        events
    }
}

/// Nothing is told of how it went.
fn assumed(deployment: &Value) -> Vec<Value> {
    let at = deployment.get("created_at");
    vec![
        json!({ "id": 0, "state": "success", "environment": deployment.get("environment"), "created_at": at, "updated_at": at }),
    ]
}
