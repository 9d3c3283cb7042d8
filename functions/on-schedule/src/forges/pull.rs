//! A pull request as the APIs of GitHub, Gitea and Forgejo tell it, while it is open and as the change that it became:
//! the same that the forge's own webhook reports, so that whichever comes second says nothing new.
//! <https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request>

use aws::wire::Moment;
use domain::change::Size;
use domain::on_merge::errands::{Errand, Which};
use domain::{Change, ChangeId, ChangeKind, Credit, InvalidId, Login, Merger, OpenPull, Repository, revert, text};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::api::Unanswered;

pub const MOST_TITLE: usize = 200;
/// A branch may have been merged before under the same name: what was merged at another time is not what was told.
const SAME_TIME: SignedDuration = SignedDuration::from_hours(24);

#[derive(Deserialize)]
pub struct Pull {
    pub number: u64,
    title: Option<String>,
    body: Option<String>,
    html_url: Option<String>,
    user: Option<Account>,
    merged_by: Option<Account>,
    merged_at: Option<Moment>,
    merge_commit_sha: Option<String>,
    auto_merge: Option<AutoMerge>,
    base: Branch,
    head: Option<Branch>,
    labels: Option<Vec<Label>>,
    draft: Option<bool>,
    additions: Option<u64>,
    deletions: Option<u64>,
    changed_files: Option<u64>,
}

#[derive(Deserialize)]
struct Account {
    login: String,
    id: Option<i64>,
}

#[derive(Deserialize)]
struct AutoMerge {
    enabled_by: Option<Account>,
}

#[derive(Deserialize)]
struct Branch {
    #[serde(rename = "ref")]
    name: String,
    sha: Option<String>,
    /// None where the fork was deleted.
    repo: Option<Home>,
}

#[derive(Deserialize)]
struct Home {
    default_branch: Option<String>,
    full_name: Option<String>,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

/// The number of the one that the errand is about: of several the one merged closest to the time that was told.
pub fn found(listed: &[Pull], errand: &Errand) -> Option<u64> {
    let merged = listed.iter().filter_map(|pull| Some((pull, pull.merged_at.map(|Moment(at)| away(at, errand))?)));
    let is_it = |(pull, away): &(&Pull, SignedDuration)| match &errand.which {
        Which::Number(number) => pull.number == *number,
        Which::Commit(_) => true,
        Which::Named(name) => pull.head.as_ref().is_some_and(|head| head.name == *name) && *away <= SAME_TIME,
    };
    merged.filter(is_it).min_by_key(|(pull, away)| (*away, pull.number)).map(|(pull, _)| pull.number)
}

/// How far a merge is from the time that was told.
pub fn away(merged_at: Timestamp, errand: &Errand) -> SignedDuration {
    merged_at.duration_since(errand.at).abs()
}

/// Whether it can be the merge that was told.
pub fn is_near(merged_at: Timestamp, errand: &Errand) -> bool {
    away(merged_at, errand) <= SAME_TIME
}

impl Branch {
    fn home(&self) -> Option<String> {
        Some(self.repo.as_ref()?.full_name.as_ref()?.to_lowercase())
    }
}

impl Pull {
    /// While it is open; none where its commit is not told, of which nothing can be said.
    pub fn open(self, forge: &str) -> Option<OpenPull> {
        let head = self.head?;
        let title = self.title.unwrap_or_default();
        // Gitea's drafts are known by their titles, which newer versions say beside.
        let is_draft = ["WIP:", "[WIP]"].iter().any(|start| title.to_ascii_uppercase().starts_with(start));
        Some(OpenPull {
            number: self.number,
            head: head.sha.as_deref()?.parse().ok()?,
            author: login(forge, self.user.as_ref()).or_else(|| Login::new(forge, "ghost").ok())?,
            draft: self.draft.unwrap_or(is_draft && forge == "gitea"),
            title,
            url: self.html_url,
            fork: head.home() != self.base.home(),
            base: self.base.name,
            labels: self.labels.into_iter().flatten().map(|label| label.name).collect(),
        })
    }

    /// The change that it became.
    pub fn change(self, forge: &str, repository: &Repository) -> Result<Change, Unanswered> {
        let Some(Moment(merged_at)) = self.merged_at else { return Err(Unanswered::NotMerged) };
        let lacking = |what: &str| Unanswered::malformed(&format!("a merged pull request without {what}"));
        let commit = self.merge_commit_sha.as_deref().ok_or_else(|| lacking("merge_commit_sha"))?;
        let commit = commit.parse().map_err(|e: InvalidId| Unanswered::Malformed(e.into()))?;
        let merger = self.merger(forge).ok_or_else(|| lacking("merged_by and user"))?;
        let size = match (self.changed_files, self.additions, self.deletions) {
            (Some(files), Some(added), Some(deleted)) if files > 0 => Some(Size { files, added, deleted }),
            _ => None,
        };
        let (title, body) = (self.title.as_deref().unwrap_or(""), self.body.as_deref().unwrap_or(""));
        let base = self.base.name.strip_prefix("refs/heads/").unwrap_or(&self.base.name);
        let base = text::line(base, 200);
        let default = self.base.repo.as_ref().and_then(|home| home.default_branch.as_deref());
        Ok(Change {
            reverts: revert::read(title, body, repository),
            id: ChangeId { repository: repository.clone(), commit },
            kind: ChangeKind::PullRequest { number: self.number },
            title: text::line(title, MOST_TITLE),
            url: self.html_url.as_deref().and_then(text::url),
            base_is_default: default == Some(base.as_str()),
            base,
            author: login(forge, self.user.as_ref()).unwrap_or_else(|| merger.login.clone()),
            merger,
            merged_at,
            size,
            labels: self.labels.iter().flatten().take(20).map(|label| text::line(&label.name, 60)).collect(),
            approvers: Vec::new(),
            commits: Vec::new(),
            files: None,
        })
    }

    /// Who merged: the person who pressed the button; where a bot did, who told it to, else the author.
    fn merger(&self, forge: &str) -> Option<Merger> {
        let by = login(forge, self.merged_by.as_ref());
        if let Some(login) = by.clone().filter(|login| !login.is_bot()) {
            return Some(Merger { login, credit: Credit::Merged });
        }
        let told_to = self.auto_merge.as_ref().and_then(|auto| login(forge, auto.enabled_by.as_ref()));
        if let Some(login) = told_to.filter(|login| !login.is_bot()) {
            return Some(Merger { login, credit: Credit::Enqueued });
        }
        let login = login(forge, self.user.as_ref()).or(by)?;
        Some(Merger { login, credit: Credit::AuthorOfBotMerge })
    }
}

/// An account; those of Gitea that are no person's have ids below zero.
fn login(forge: &str, account: Option<&Account>) -> Option<Login> {
    let account = account?;
    match (account.id, account.login.as_str()) {
        (Some(-1), _) => None,
        (Some(..-1), name) | (_, name @ ("gitea-actions" | "forgejo-actions")) => {
            Login::new(forge, &format!("{name}[bot]")).ok()
        }
        (Some(_) | None, name) => Login::new(forge, name).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pull(changes: &Value) -> Pull {
        let mut pull = json!({
            "number": 12, "title": "Fix it", "body": "", "html_url": "https://github.com/o/r/pull/12", "merged": true,
            "user": { "login": "feanil", "id": 7 }, "merged_by": { "login": "usama", "id": 8 },
            "merged_at": "2026-03-20T10:05:00Z", "merge_commit_sha": "a".repeat(40), "labels": [{ "name": "bug" }],
            "base": { "ref": "main", "repo": { "default_branch": "main" } }, "head": { "ref": "usama/fix" },
            "additions": 3, "deletions": 1, "changed_files": 2,
        });
        for (key, value) in changes.as_object().unwrap() {
            pull[key] = value.clone();
        }
        serde_json::from_value(pull).unwrap()
    }

    #[test]
    fn who_merged_is_told_as_the_webhook_tells_it() {
        let bot = json!({ "login": "merge[bot]", "id": 9 });
        for (changes, want) in [
            (json!({}), "github:usama merged"),
            (json!({ "merged_by": bot }), "github:feanil author_of_bot_merge"),
            (json!({ "merged_by": null }), "github:feanil author_of_bot_merge"),
            (json!({ "merged_by": bot, "auto_merge": { "enabled_by": { "login": "anna" } } }), "github:anna enqueued"),
            (json!({ "merged_by": { "login": "gitea-actions", "id": -2 } }), "github:feanil author_of_bot_merge"),
            (json!({ "merged_at": null }), "it is not merged yet"),
            (json!({ "merge_commit_sha": null }), "the forge's answer cannot be read"),
            (json!({ "merge_commit_sha": "../x" }), "the forge's answer cannot be read"),
        ] {
            let said = match pull(&changes).change("github", &"o/r".parse().unwrap()) {
                Ok(Change { merger: Merger { login, credit }, .. }) => {
                    format!("{login} {}", serde_json::to_value(credit).unwrap().as_str().unwrap())
                }
                Err(why) => why.to_string(),
            };
            assert_eq!(said, want, "{changes}");
        }
        let change = pull(&json!({})).change("github", &"o/r".parse().unwrap()).unwrap();
        assert_eq!(change.size, Some(Size { files: 2, added: 3, deleted: 1 }));
        assert!(change.base_is_default && change.labels == ["bug"]);
    }

    #[test]
    fn of_several_the_one_that_was_told_is_found() {
        let listed = [
            pull(&json!({ "number": 1, "merged_at": "2026-01-01T10:00:00Z" })),
            pull(&json!({ "number": 2, "merged_at": null })),
            pull(&json!({ "number": 3, "head": { "ref": "other" } })),
            pull(&json!({ "number": 4 })),
        ];
        let at: Timestamp = "2026-03-20T10:05:02Z".parse().unwrap();
        let errand =
            |which: Which| Errand { repository: "o/r".parse().unwrap(), which, forge: None, at, tries: 0, last: at };
        assert_eq!(found(&listed, &errand(Which::Named("usama/fix".to_owned()))), Some(4));
        assert_eq!(found(&listed[..2], &errand(Which::Named("usama/fix".to_owned()))), None);
        assert_eq!(found(&listed[..2], &errand(Which::Commit("a".repeat(40).parse().unwrap()))), Some(1));
    }
}
