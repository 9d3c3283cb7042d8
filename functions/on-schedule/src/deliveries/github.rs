//! GitHub's API of webhooks and their deliveries, for one repository. A fine-grained token needs the repository
//! permission `Webhooks: read and write`, a classic one the scope `repo`.
//! <https://docs.github.com/en/rest/repos/webhooks>

use aws::House;
use aws::clients::Answer;
use aws::wire::{Moment, parse};
use domain::Repository;
use jiff::Timestamp;
use serde::Deserialize;

use crate::forges::api::{self, Api, Unanswered};
use crate::forges::github;

const MOST_PAGES: usize = 10;

/// A webhook of the repository. Its address may carry a token: never logged.
#[derive(Deserialize)]
pub(super) struct Hook {
    pub id: u64,
    #[serde(default)]
    pub active: bool,
    pub config: Target,
}

#[derive(Deserialize)]
pub(super) struct Target {
    #[serde(default)]
    pub url: String,
}

/// One attempt at a delivery. All attempts at one have its guid.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Attempt {
    pub id: u64,
    pub guid: String,
    pub delivered_at: Moment,
    #[serde(default)]
    pub redelivery: bool,
    #[serde(default)]
    pub status_code: Option<i64>,
    pub event: String,
}

impl Attempt {
    /// What was answered; 0 if nothing was.
    pub fn status(&self) -> i64 {
        self.status_code.unwrap_or(0)
    }
}

/// The API of one repository's webhooks.
pub(super) struct Webhooks<'a> {
    api: Api<'a>,
    path: String,
}

impl<'a> Webhooks<'a> {
    /// With the token of the source that speaks for the repository.
    pub fn of(house: &'a House, repository: &Repository) -> Result<Self, Unanswered> {
        let source = house.configuration.forge_of("github", repository);
        let base = source.and_then(|s| s.api_url.as_deref()).unwrap_or(github::API);
        let token = source.and_then(|s| s.api_token.as_deref()).unwrap_or_default();
        let token = house.secrets.first(token).map_err(Unanswered::Token)?;
        let api = Api::new(&house.http, base, github::headers(token.expose()));
        Ok(Self { api, path: format!("/repos/{}/hooks", api::path(repository)) })
    }

    /// The repository's webhooks; it can have 20 an event.
    pub async fn hooks(&self) -> Result<Vec<Hook>, Unanswered> {
        let answer = self.send("GET", "?per_page=100").await?;
        parse(&answer.body).map_err(Unanswered::Malformed)
    }

    /// A webhook's deliveries, back from the newest to `from`: the page on which that is, whole.
    pub async fn attempts(&self, hook: u64, from: Timestamp) -> Result<Vec<Attempt>, Unanswered> {
        let mut attempts = Vec::new();
        let mut after = String::new();
        for _ in 0..MOST_PAGES {
            let answer = self.send("GET", &format!("/{hook}/deliveries?per_page=100{after}")).await?;
            let page: Vec<Attempt> = parse(&answer.body).map_err(Unanswered::Malformed)?;
            let reached = page.last().is_none_or(|oldest| oldest.delivered_at.0 < from);
            attempts.extend(page);
            let Some(cursor) = answer.link.as_deref().and_then(next_cursor).filter(|_| !reached) else {
                return Ok(attempts);
            };
            after = format!("&cursor={cursor}");
        }
        tracing::warn!(hook, read = attempts.len(), "the webhook has more deliveries than are read at a look");
        Ok(attempts)
    }

    /// Has an attempt made again.
    pub async fn redeliver(&self, hook: u64, attempt: u64) -> Result<(), Unanswered> {
        self.send("POST", &format!("/{hook}/deliveries/{attempt}/attempts")).await.map(drop)
    }

    async fn send(&self, method: &str, path: &str) -> Result<Answer, Unanswered> {
        let answer = self.api.send(method, &format!("{}{path}", self.path)).await?;
        if (200..300).contains(&answer.status) { Ok(answer) } else { Err(Unanswered::Status(answer.status)) }
    }
}

/// The cursor of the next page, which GitHub tells in no other way. Only that is taken of the address: our token goes
/// nowhere but where the configuration says.
fn next_cursor(link: &str) -> Option<&str> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let (_, query) = next.split_once('<')?.1.split_once('>')?.0.split_once('?')?;
    let cursor = query.split('&').find_map(|pair| pair.strip_prefix("cursor="))?;
    let plain = cursor.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~%=".contains(&b));
    (plain && !cursor.is_empty() && cursor.len() <= 200).then_some(cursor)
}

#[cfg(test)]
mod tests {
    use super::next_cursor;

    #[test]
    fn the_next_page_is_where_the_link_says_and_nowhere_else() {
        let at = |cursor: &str| format!("<https://api.github.com/x?per_page=100&cursor={cursor}>; rel=\"next\"");
        for (link, want) in [
            (at("v1_42"), Some("v1_42")),
            (format!("<https://api.github.com/x?cursor=v1_1>; rel=\"prev\", {}", at("v1_2")), Some("v1_2")),
            ("<https://api.github.com/x?cursor=v1_1>; rel=\"prev\"".to_owned(), None),
            (at("v1 42\r\nx"), None),
            (at("/../.."), None),
            (at(""), None),
            ("rel=\"next\"".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(next_cursor(&link), want, "{link}");
        }
    }
}
