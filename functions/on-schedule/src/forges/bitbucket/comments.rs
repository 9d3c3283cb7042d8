//! The one comment at a merged pull request. The token needs `pullrequest:write`.
//! <https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-comments-post>

use aws::wire::Moment;
use domain::comments::Answer;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::api::{self, Unanswered};
use super::super::comments::{Found, Place, edited, left};
use super::Page;

#[derive(Deserialize)]
struct Comment {
    id: u64,
    content: Option<Content>,
    created_on: Moment,
    deleted: Option<bool>,
}

#[derive(Deserialize)]
struct Content {
    raw: Option<String>,
}

/// Where the pull requests are, of which one is enough.
pub fn pulls(place: &Place<'_>) -> (String, &'static str) {
    (format!("/repositories/{}/pullrequests", api::path(place.repository)), "pagelen=1")
}

fn comments(place: &Place<'_>) -> String {
    format!("{}/{}/comments", pulls(place).0, place.number)
}

fn body(text: &str) -> Value {
    json!({ "content": { "raw": text } })
}

pub async fn leave(place: &Place<'_>, text: &str) -> Result<Answer, Unanswered> {
    left(&place.api.send_json("POST", &comments(place), &body(text)).await?)
}

pub async fn edit(place: &Place<'_>, id: u64, text: &str) -> Result<Answer, Unanswered> {
    edited(&place.api.send_json("PUT", &format!("{}/{id}", comments(place)), &body(text)).await?, id)
}

/// What was deleted is told too.
pub async fn newest(place: &Place<'_>) -> Result<Vec<Found>, Unanswered> {
    let page: Page<Comment> = place.api.get(&format!("{}?sort=-created_on&pagelen=100", comments(place))).await?;
    let there = page.values.into_iter().filter(|one| one.deleted != Some(true));
    Ok(there.map(|one| Found::new(one.id, one.content.and_then(|content| content.raw), one.created_on)).collect())
}
