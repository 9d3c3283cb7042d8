//! The one note at a merged merge request. The token needs the scope `api`.
//! <https://docs.gitlab.com/api/notes/#merge-requests>

use aws::wire::Moment;
use domain::comments::Answer;
use serde::Deserialize;
use serde_json::json;

use super::super::api::Unanswered;
use super::super::comments::{Found, Place, edited, left};
use super::project;

#[derive(Deserialize)]
struct Note {
    id: u64,
    body: Option<String>,
    created_at: Moment,
}

/// Where the pull requests are, of which one is enough.
pub fn pulls(place: &Place<'_>) -> (String, &'static str) {
    (format!("/projects/{}/merge_requests", project(place.repository)), "per_page=1")
}

fn notes(place: &Place<'_>) -> String {
    format!("{}/{}/notes", pulls(place).0, place.number)
}

pub async fn leave(place: &Place<'_>, text: &str) -> Result<Answer, Unanswered> {
    left(&place.api.send_json("POST", &notes(place), &json!({ "body": text })).await?)
}

pub async fn edit(place: &Place<'_>, id: u64, text: &str) -> Result<Answer, Unanswered> {
    edited(&place.api.send_json("PUT", &format!("{}/{id}", notes(place)), &json!({ "body": text })).await?, id)
}

pub async fn newest(place: &Place<'_>) -> Result<Vec<Found>, Unanswered> {
    let path = format!("{}?sort=desc&order_by=created_at&per_page=100", notes(place));
    let all: Vec<Note> = place.api.get(&path).await?;
    Ok(all.into_iter().map(|one| Found::new(one.id, one.body, one.created_at)).collect())
}
