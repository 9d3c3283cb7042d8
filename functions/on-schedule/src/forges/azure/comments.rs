//! The one comment at a completed pull request: the first of a thread that is closed, since an open one may keep a pull request from
//! being completed. The token needs `Code: read and write`.
//! <https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-request-threads/create>
//! <https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-request-thread-comments/update>

use aws::wire::{Moment, parse};
use domain::comments::Answer;
use serde::Deserialize;
use serde_json::json;

use super::super::api::Unanswered;
use super::super::comments::{Found, Place, edited, left, unseen};
use super::{List, VERSION, home};

/// Known by the thread's name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Thread {
    id: u64,
    is_deleted: Option<bool>,
    published_date: Option<Moment>,
    comments: Option<Vec<Comment>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comment {
    id: u64,
    content: Option<String>,
    is_deleted: Option<bool>,
}

/// Where the pull requests are, of which one is enough.
pub fn pulls(place: &Place<'_>) -> (String, &'static str) {
    (format!("{}/pullRequests", home(place.repository)), VERSION)
}

fn threads(place: &Place<'_>) -> String {
    format!("{}/{}/threads", pulls(place).0, place.number)
}

pub async fn leave(place: &Place<'_>, text: &str) -> Result<Answer, Unanswered> {
    let comment = json!({ "parentCommentId": 0, "content": text, "commentType": "text" });
    let body = json!({ "comments": [comment], "status": "closed" });
    left(&place.api.send_json("POST", &format!("{}?{VERSION}", threads(place)), &body).await?)
}

pub async fn edit(place: &Place<'_>, id: u64, text: &str) -> Result<Answer, Unanswered> {
    let path = format!("{}/{id}", threads(place));
    let seen = place.api.ask(&format!("{path}?{VERSION}")).await?;
    if seen.status != 200 {
        return unseen(&seen);
    }
    let thread: Thread = parse(&seen.body).map_err(Unanswered::Malformed)?;
    let first = thread.comments.into_iter().flatten().next().filter(|first| first.is_deleted != Some(true));
    let Some(first) = first.filter(|_| thread.is_deleted != Some(true)) else { return Ok(Answer::Deleted) };
    let path = format!("{path}/comments/{}?{VERSION}", first.id);
    edited(&place.api.send_json("PATCH", &path, &json!({ "content": text })).await?, id)
}

pub async fn all(place: &Place<'_>) -> Result<Vec<Found>, Unanswered> {
    let list: List<Thread> = place.api.get(&format!("{}?{VERSION}", threads(place))).await?;
    let there = list.value.into_iter().filter(|thread| thread.is_deleted != Some(true));
    let found = there.filter_map(|thread| {
        let first = thread.comments.into_iter().flatten().next()?;
        Some(Found::new(thread.id, first.content, thread.published_date?))
    });
    Ok(found.collect())
}
