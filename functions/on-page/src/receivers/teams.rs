//! Microsoft Teams: a card by the webhook of a workflow, whose address is the secret. The workflow says "accepted" before
//! the card is shown, knows no repetitions, and cannot tell us who pressed a button: what can be done are links.
//! <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook>

mod card;

use super::{Letter, Undelivered, post};

pub(super) async fn send(letter: &Letter<'_>) -> Result<(), Undelivered> {
    let address = letter.secret()?;
    let body = card::body(letter.message, letter.actions).to_string();
    let headers = [("content-type", "application/json; charset=utf-8")];
    let answer = post::send(letter, "POST", address.expose(), &headers, body.as_bytes()).await?;
    if (200..300).contains(&answer.status) { Ok(()) } else { Err(Undelivered::Status(answer.status)) }
}
