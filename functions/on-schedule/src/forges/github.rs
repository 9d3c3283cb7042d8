//! GitHub's compare API: which commits are in one commit and not in another.
//! <https://docs.github.com/en/rest/commits/commits#compare-two-commits>

use aws::House;
use aws::clients::Http;
use aws::wire::parse;
use domain::Commit;
use domain::on_deploy::Question;
use serde::Deserialize;

use super::{Commits, Unanswered};

pub(crate) const API: &str = "https://api.github.com";
const PER_PAGE: usize = 100;
const MOST_COMMITS: usize = 2000;
pub(crate) const DEADLINE_SECONDS: u64 = 10;

/// GitHub, where the configuration names a token for it.
pub struct Forge<'a> {
    api: &'a str,
    token: &'a str,
    house: &'a House,
}

#[derive(Deserialize)]
struct Comparison {
    total_commits: usize,
    commits: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    sha: String,
}

/// The headers of every request to GitHub.
pub(crate) fn headers(authorization: &str) -> [(&str, &str); 4] {
    [
        ("authorization", authorization),
        ("accept", "application/vnd.github+json"),
        ("x-github-api-version", "2022-11-28"),
        ("user-agent", "recent-deployers"),
    ]
}

impl<'a> Forge<'a> {
    #[must_use]
    pub fn configured(house: &'a House) -> Option<Self> {
        let github = house.configuration.senders.get("github")?;
        let token = github.api_token.as_deref()?;
        Some(Self { api: github.api_url.as_deref().unwrap_or(API), token, house })
    }

    /// Every page of the comparison. Repository and commits are ids, so nothing in the address is anybody's text.
    pub async fn compare(&self, http: &Http, question: &Question) -> Result<Commits, Unanswered> {
        let token = self.house.secrets.first(self.token).map_err(Unanswered::Token)?;
        let authorization = format!("Bearer {}", token.expose());
        let headers = headers(&authorization);
        let mut commits = Commits::new();
        for page in 1..=MOST_COMMITS / PER_PAGE {
            let url = format!(
                "{}/repos/{}/compare/{}...{}?per_page={PER_PAGE}&page={page}",
                self.api, question.repository, question.base, question.head
            );
            let answer =
                http.send("GET", &url, &headers, Vec::new(), DEADLINE_SECONDS).await.map_err(Unanswered::Http)?;
            if answer.status != 200 {
                return Err(Unanswered::Status(answer.status));
            }
            let comparison: Comparison = parse(&answer.body).map_err(Unanswered::Malformed)?;
            let full = comparison.commits.len() == PER_PAGE;
            for listed in comparison.commits {
                commits.insert(listed.sha.parse::<Commit>().map_err(|e| Unanswered::Malformed(e.into()))?);
            }
            if !full || commits.len() >= comparison.total_commits {
                return Ok(commits);
            }
        }
        Err(Unanswered::TooMany(MOST_COMMITS))
    }
}
