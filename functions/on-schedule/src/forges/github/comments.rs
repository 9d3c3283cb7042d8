//! The one comment at a merged pull request. A fine-grained token needs `Pull requests: read and write`, a classic one the scope
//! `repo`. Editing tells nobody.
//! <https://docs.github.com/en/rest/issues/comments>

use aws::wire::Moment;
use domain::comments::Answer;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::super::api::{self, Unanswered};
use super::super::comments::{Found, Place, edited, left};

#[derive(Deserialize)]
struct Comment {
    id: u64,
    body: Option<String>,
    created_at: Moment,
}

fn home(place: &Place<'_>) -> String {
    format!("/repos/{}/issues", api::path(place.repository))
}

/// Where the pull requests are, of which one is enough.
pub fn pulls(place: &Place<'_>) -> (String, &'static str) {
    (format!("/repos/{}/pulls", api::path(place.repository)), "per_page=1")
}

/// The same at Gitea, as the others here.
pub async fn leave(place: &Place<'_>, text: &str) -> Result<Answer, Unanswered> {
    let path = format!("{}/{}/comments", home(place), place.number);
    left(&place.api.send_json("POST", &path, &json!({ "body": text })).await?)
}

pub async fn edit(place: &Place<'_>, id: u64, text: &str) -> Result<Answer, Unanswered> {
    let path = format!("{}/comments/{id}", home(place));
    edited(&place.api.send_json("PATCH", &path, &json!({ "body": text })).await?, id)
}

/// The first hundred since then.
pub async fn since(place: &Place<'_>, since: Timestamp) -> Result<Vec<Found>, Unanswered> {
    let since = since.strftime("%Y-%m-%dT%H:%M:%SZ");
    let path = format!("{}/{}/comments?since={since}&per_page=100", home(place), place.number);
    let all: Vec<Comment> = place.api.get(&path).await?;
    Ok(all.into_iter().map(|one| Found::new(one.id, one.body, one.created_at)).collect())
}
