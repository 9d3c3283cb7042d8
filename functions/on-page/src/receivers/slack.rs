//! Slack: a direct message to a person, or a message in a channel. What is said about one subject is one thread; what
//! somebody has to see at once is shown in the conversation too. Slack knows no repetitions.
//! <https://docs.slack.dev/reference/methods/chat.postMessage>

mod blocks;

use aws::secrets::Secret;
use aws::slack;
use aws::store::Thread;
use aws::wire::error_chain;
use domain::message::Link;
use domain::{Kind, Message, Step, Subject};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Letter, Undelivered, post};
use blocks::Shown;

/// What Slack says where the thread, not the message, is at fault.
const THREAD_AT_FAULT: [&str; 5] = [
    "cannot_reply_to_message",
    "message_not_found",
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
    "thread_not_found",
];

pub(super) async fn send(letter: &Letter<'_>) -> Result<(), Undelivered> {
    let token = letter.secret()?;
    let offer = shown(letter);
    let subject = subject(letter.message);
    let thread = match &subject {
        Some(subject) => known_thread(letter, subject).await,
        None => None,
    };
    let said = match say(letter, &token, &offer, thread.as_ref()).await {
        Err(why) if thread.is_some() && is_of_the_thread(&why) => say(letter, &token, &offer, None).await?,
        said => said?,
    };
    if let (Some(subject), None, Some(begun)) = (&subject, &thread, said) {
        remember(letter, subject, &begun).await;
    }
    Ok(())
}

/// What the message is about, if others will be about the same. What is said of a service as such is no conversation.
fn subject(message: &Message) -> Option<String> {
    match &message.key.subject {
        Subject::Change(_) | Subject::Incident(_) => Some(message.key.subject.to_string()),
        Subject::Shift(_) => Some(format!("{}#{}", message.key.service, message.key.subject)),
        // Nobody follows a thread about a freeze: each word of it is one of its own.
        Subject::Freeze(_) | Subject::Expedite(_) | Subject::Service => None,
    }
}

/// Without the table a message is not in its thread; it is sent all the same.
async fn known_thread(letter: &Letter<'_>, subject: &str) -> Option<Thread> {
    let thread = letter.house.store.thread(&letter.receiver.name, letter.address, subject).await;
    thread.unwrap_or_else(|error| {
        tracing::warn!(cause = error_chain(&error), "a thread cannot be looked up: the message stands alone");
        None
    })
}

async fn remember(letter: &Letter<'_>, subject: &str, thread: &Thread) {
    let (store, now) = (&letter.house.store, letter.house.now());
    let begun = store.begin_thread(&letter.receiver.name, letter.address, subject, thread, now).await;
    if let Err(error) = begun {
        tracing::warn!(cause = error_chain(&error), "a thread cannot be remembered: the next message stands alone");
    }
}

/// Posts the message, and says where it stands now.
async fn say(
    letter: &Letter<'_>,
    token: &Secret,
    offer: &Shown,
    thread: Option<&Thread>,
) -> Result<Option<Thread>, Undelivered> {
    let url = format!("{}/chat.postMessage", letter.receiver.url);
    let authorization = format!("Bearer {}", token.expose());
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json; charset=utf-8")];
    let body = body(letter.message, letter.address, offer, thread).to_string();
    let answer = post::send(letter, "POST", &url, &headers, body.as_bytes()).await?;
    if !(200..300).contains(&answer.status) {
        return Err(Undelivered::Status(answer.status));
    }
    let unreadable = |_| Undelivered::refused("its answer cannot be read");
    let said: Said = serde_json::from_slice(&answer.body).map_err(unreadable)?;
    if !said.ok {
        return Err(why(&said.error, answer.retry_after));
    }
    Ok(said.channel.zip(said.ts).map(|(channel, first)| Thread { channel, first }))
}

/// What Slack answers: with 200, also where it refuses.
#[derive(Deserialize)]
struct Said {
    ok: bool,
    #[serde(default)]
    error: String,
    channel: Option<String>,
    ts: Option<String>,
}

fn why(error: &str, retry_after: Option<u64>) -> Undelivered {
    match error {
        "channel_not_found" | "user_not_found" | "users_not_found" | "user_not_visible" | "user_disabled" => {
            Undelivered::UnknownPerson
        }
        "ratelimited" | "rate_limited" => Undelivered::LimitedFor(retry_after.unwrap_or(1)),
        // `internal_error` and `fatal_error` too, though it may have been posted: the next contact is told.
        other => Undelivered::refused(other),
    }
}

fn is_of_the_thread(why: &Undelivered) -> bool {
    matches!(why, Undelivered::Refused(code) if THREAD_AT_FAULT.contains(&code.as_str()))
        || matches!(why, Undelivered::UnknownPerson)
}

fn body(message: &Message, address: &str, offer: &Shown, thread: Option<&Thread>) -> Value {
    let mut body = json!({
        "channel": thread.map_or(address, |thread| thread.channel.as_str()),
        "text": blocks::text(message),
        "blocks": blocks::blocks(message, offer),
        "mrkdwn": false,
        "parse": "none",
        "unfurl_links": false,
        "unfurl_media": false,
    });
    if let Some(thread) = thread {
        body["thread_ts"] = json!(thread.first);
        body["reply_broadcast"] = json!(has_to_be_seen(message));
    }
    body
}

/// Whether it must not go by unseen at the end of a thread: somebody is asked for something, or their turn starts.
fn has_to_be_seen(message: &Message) -> bool {
    message.kind == Kind::Page || matches!(message.key.step, Step::Ask | Step::Started)
}

/// The buttons, where Slack tells us who pressed them, and the links. A person's own link has no place in a channel, where
/// others could open it.
fn shown(letter: &Letter<'_>) -> Shown {
    let mut shown = Shown::default();
    let in_channel = letter.address.starts_with(['C', 'G']);
    let is_channel = letter.house.settings().is_channel(&letter.message.key.person);
    for offer in letter.offers {
        let told = letter.receiver.signing_secret.is_some();
        let doing = if told { slack::doing(&offer.carried, &offer.clicks, &offer.suspects) } else { Vec::new() };
        let alone = letter.offers.len() == 1 && !doing.is_empty();
        let label = if alone { "Open".to_owned() } else { offer.link.label.clone() };
        if !in_channel && !is_channel {
            shown.links.push(Link { label, url: offer.link.url.clone() });
        }
        shown.doing.extend(doing);
    }
    shown.links.extend(letter.message.links.iter().cloned());
    shown
}
