//! A merge request as GitLab's API tells it, and the change that it became: the same that its webhook reports.
//! <https://docs.gitlab.com/api/merge_requests/#get-single-mr>

use aws::wire::Moment;
use domain::on_merge::errands::{Errand, Which};
use domain::{Change, ChangeId, ChangeKind, Commit, Credit, Login, Merger, Repository, revert, text};
use jiff::Timestamp;
use serde::Deserialize;

use super::super::api::{Api, Unanswered, encoded};
use super::super::pull::{MOST_TITLE, away, is_near};
use super::project;

const FORGE: &str = "gitlab";

#[derive(Deserialize)]
struct MergeRequest {
    iid: u64,
    title: Option<String>,
    description: Option<String>,
    state: Option<String>,
    web_url: Option<String>,
    target_branch: String,
    author: Option<Account>,
    /// Who merged, or set it to merge later; `merged_by` in old versions.
    merge_user: Option<Account>,
    merged_by: Option<Account>,
    merged_at: Option<Moment>,
    updated_at: Option<Moment>,
    merge_commit_sha: Option<String>,
    squash_commit_sha: Option<String>,
    sha: Option<String>,
    labels: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Account {
    username: String,
}

#[derive(Deserialize)]
struct Project {
    default_branch: Option<String>,
}

/// The merge request of this number, of this commit, or of this branch.
pub async fn merged(api: &Api<'_>, errand: &Errand) -> Result<Change, Unanswered> {
    let home = format!("/projects/{}", project(&errand.repository));
    let number = match &errand.which {
        Which::Number(number) => *number,
        Which::Commit(commit) => {
            let listed: Vec<_> = api.get(&format!("{home}/repository/commits/{commit}/merge_requests")).await?;
            found(&listed, errand).ok_or(Unanswered::UnknownChange)?
        }
        Which::Named(name) => {
            let name = encoded(&name.replace('%', "%25"));
            let listed: Vec<_> = api.get(&format!("{home}/merge_requests?state=merged&source_branch={name}")).await?;
            found(&listed, errand).ok_or(Unanswered::UnknownChange)?
        }
    };
    let request: MergeRequest = api.get(&format!("{home}/merge_requests/{number}")).await?;
    if !request.is_merged() {
        return Err(Unanswered::NotMerged);
    }
    let Project { default_branch } = api.get(&home).await?;
    request.change(&errand.repository, default_branch.as_deref())
}

/// The number of the one that the errand is about: of several the one merged closest to the time that was told.
fn found(listed: &[MergeRequest], errand: &Errand) -> Option<u64> {
    let any_time = matches!(errand.which, Which::Commit(_));
    let merged = listed.iter().filter(|one| one.is_merged());
    let timed = merged.filter_map(|one| Some((one.iid, one.at()?)));
    let is_it = timed.filter(|(_, at)| any_time || is_near(*at, errand));
    is_it.min_by_key(|(iid, at)| (away(*at, errand), *iid)).map(|(iid, _)| iid)
}

impl MergeRequest {
    fn is_merged(&self) -> bool {
        self.state.as_deref() == Some("merged")
    }

    fn at(&self) -> Option<Timestamp> {
        self.merged_at.or(self.updated_at).map(|Moment(at)| at)
    }

    fn change(self, repository: &Repository, default_branch: Option<&str>) -> Result<Change, Unanswered> {
        let lacking = |what: &str| Unanswered::malformed(&format!("a merged merge request without {what}"));
        let merged_at = self.at().ok_or_else(|| lacking("merged_at"))?;
        let merger = self.merger().ok_or_else(|| lacking("merge_user and author"))?;
        let mut commits = self.commits();
        let commit = commits.first().cloned().ok_or_else(|| lacking("any commit"))?;
        // Oldest first, and without the one by which it is known.
        commits.retain(|own| *own != commit);
        commits.reverse();
        let (title, body) = (self.title.as_deref().unwrap_or("").trim(), self.description.as_deref().unwrap_or(""));
        let base = text::line(&self.target_branch, 200);
        Ok(Change {
            reverts: revert::read(title, body, repository),
            id: ChangeId { repository: repository.clone(), commit },
            kind: ChangeKind::PullRequest { number: self.iid },
            title: text::line(title, MOST_TITLE),
            url: self.web_url.as_deref().and_then(text::url),
            base_is_default: default_branch == Some(base.as_str()),
            base,
            author: login(self.author.as_ref()).unwrap_or_else(|| merger.login.clone()),
            merger,
            merged_at,
            size: None,
            labels: self.labels.iter().flatten().take(20).map(|label| text::line(label, 60)).collect(),
            approvers: Vec::new(),
            commits,
            files: None,
        })
    }

    /// Its commits, that which the target branch then ends in first; a fast-forward makes none of its own.
    fn commits(&self) -> Vec<Commit> {
        let mut commits: Vec<Commit> = Vec::new();
        let told = [&self.merge_commit_sha, &self.squash_commit_sha, &self.sha];
        for commit in told.into_iter().flatten().filter_map(|id| id.parse().ok()) {
            if !commits.contains(&commit) {
                commits.push(commit);
            }
        }
        commits
    }

    /// Who merged; where a bot did, the author.
    fn merger(&self) -> Option<Merger> {
        let by = login(self.merge_user.as_ref()).or_else(|| login(self.merged_by.as_ref()));
        if let Some(login) = by.clone().filter(|login| !login.is_bot()) {
            return Some(Merger { login, credit: Credit::Merged });
        }
        let login = login(self.author.as_ref()).or(by)?;
        Some(Merger { login, credit: Credit::AuthorOfBotMerge })
    }
}

fn login(account: Option<&Account>) -> Option<Login> {
    Login::new(FORGE, &account?.username).ok()
}
