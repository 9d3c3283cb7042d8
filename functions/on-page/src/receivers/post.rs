//! One request to a receiver's API, with what holds for all of them: a deadline, one more try where that is harmless,
//! and no waiting for long.

use std::time::Duration;

use aws::clients::{Answer, HttpError};
use aws::signed::Post;

use super::{Letter, Undelivered};

/// How long a receiver has to answer, in seconds. With one more try it has to stay below `domain::on_page::CLAIM`.
pub(super) const DEADLINE_SECONDS: u64 = 8;
/// A receiver that asks for more patience than this, in seconds, is passed over for now.
const MOST_PATIENCE: u64 = 2;

/// Sends one request and returns what it is answered, whatever its status, but for what says "later": that is tried
/// once more if the receiver knows a repetition by its key (or surely did not take the first), and is an error else.
pub(super) async fn send(
    letter: &Letter<'_>,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, Undelivered> {
    match once(letter, method, url, headers, body).await {
        Err(Later { wait, taken: false, .. }) if wait <= MOST_PATIENCE => {
            tokio::time::sleep(Duration::from_secs(wait)).await;
        }
        Err(Later { wait, .. }) if letter.receiver.kind.traits().knows_repeats && wait <= MOST_PATIENCE => {
            tokio::time::sleep(Duration::from_secs(wait)).await;
        }
        Err(later) => return Err(later.why),
        Ok(answer) => return Ok(answer),
    }
    once(letter, method, url, headers, body).await.map_err(|later| later.why)
}

/// The same to an API of AWS, signed for our account. `service` is its name where it checks the signature.
pub(super) async fn send_signed(
    letter: &Letter<'_>,
    service: &str,
    url: &str,
    content_type: &str,
    body: &[u8],
) -> Result<Answer, Undelivered> {
    let aws = letter.house.aws.as_ref().ok_or(Undelivered::NoAccount)?;
    let post = Post { service, url, headers: &[("content-type", content_type)], body };
    let headers = post.sign(aws, letter.house.now()).map_err(Undelivered::Unsignable)?;
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    send(letter, "POST", url, &headers, body).await
}

/// Why a request has to be made again.
struct Later {
    why: Undelivered,
    /// For how many seconds not.
    wait: u64,
    /// Whether it may have been taken all the same.
    taken: bool,
}

async fn once(
    letter: &Letter<'_>,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, Later> {
    let agent = [("user-agent", "recent-deployers")];
    let headers: Vec<(&str, &str)> = agent.iter().chain(headers).copied().collect();
    let sent = letter.house.http.send(method, url, &headers, body.to_vec(), DEADLINE_SECONDS).await;
    let later = |why, wait, taken| Later { why, wait, taken };
    match sent {
        // Whoever let us wait for the whole deadline is not given another.
        Err(error @ HttpError::Timeout(_)) => Err(later(Undelivered::Http(error), u64::MAX, true)),
        Err(HttpError::Cut { status }) if status < 300 && !letter.receiver.kind.traits().knows_repeats => {
            Ok(Answer { status, link: None, location: None, retry_after: None, error_type: None, body: Vec::new() })
        }
        Err(error @ (HttpError::Connection(_) | HttpError::Cut { .. })) => {
            Err(later(Undelivered::Http(error), 0, true))
        }
        Err(error @ (HttpError::Invalid | HttpError::TooLarge)) => Err(later(Undelivered::Http(error), u64::MAX, true)),
        Ok(answer) if answer.status == 429 => {
            let wait = answer.retry_after.unwrap_or(1);
            Err(later(Undelivered::LimitedFor(wait), wait, false))
        }
        Ok(answer) if answer.status >= 500 => {
            Err(later(Undelivered::Status(answer.status), answer.retry_after.unwrap_or(0), true))
        }
        Ok(mut answer) => {
            // Some are sent it in the body. Their words are shown to whoever reads the board.
            if let Ok(secret) = letter.secret() {
                aws::echo::forget_text(secret.expose(), &mut answer.body);
            }
            Ok(answer)
        }
    }
}
