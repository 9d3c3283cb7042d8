//! The one comment at a merged pull request. The token needs to read the repository. Whoever edits says which version they saw.
//! <https://developer.atlassian.com/server/bitbucket/rest/v809/api-group-pull-requests/>

use aws::wire::parse;
use domain::comments::Answer;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::super::api::Unanswered;
use super::super::comments::{Found, Place, edited, left, unseen};
use super::{PER_PAGE, Page, home};

/// Somebody else may edit it meanwhile.
const MOST_TRIES: usize = 2;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Activity {
    comment_action: Option<String>,
    comment: Option<Comment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comment {
    id: u64,
    text: Option<String>,
    created_date: i64,
}

#[derive(Deserialize)]
struct Seen {
    version: u64,
}

/// Where the pull requests are, of which one is enough.
pub fn pulls(place: &Place<'_>) -> (String, &'static str) {
    (format!("{}/pull-requests", home(place.repository)), "limit=1")
}

fn pull(place: &Place<'_>) -> String {
    format!("{}/{}", pulls(place).0, place.number)
}

pub async fn leave(place: &Place<'_>, text: &str) -> Result<Answer, Unanswered> {
    left(&place.api.send_json("POST", &format!("{}/comments", pull(place)), &json!({ "text": text })).await?)
}

pub async fn edit(place: &Place<'_>, id: u64, text: &str) -> Result<Answer, Unanswered> {
    let path = format!("{}/comments/{id}", pull(place));
    for _ in 0..MOST_TRIES {
        let seen = place.api.ask(&path).await?;
        if seen.status != 200 {
            return unseen(&seen);
        }
        let Seen { version } = parse(&seen.body).map_err(Unanswered::Malformed)?;
        let put = place.api.send_json("PUT", &path, &json!({ "text": text, "version": version })).await?;
        if put.status != 409 {
            return edited(&put, id);
        }
    }
    Ok(Answer::Refused("somebody else edits the comment too".to_owned()))
}

pub async fn newest(place: &Place<'_>) -> Result<Vec<Found>, Unanswered> {
    let page: Page<Activity> = place.api.get(&format!("{}/activities?limit={PER_PAGE}", pull(place))).await?;
    let said = page.values.into_iter().filter(|one| one.comment_action.as_deref() == Some("ADDED"));
    let found = said.filter_map(|one| one.comment).filter_map(|comment| {
        let at = Timestamp::from_millisecond(comment.created_date).ok()?;
        Some(Found { id: comment.id, text: comment.text.unwrap_or_default(), at })
    });
    Ok(found.collect())
}
