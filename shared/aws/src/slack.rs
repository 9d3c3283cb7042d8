//! What several functions need of Slack: its markup of buttons and text, and one call of its Web API. Titles and names are
//! strangers' words: plain text, escaped besides. Whom something is said to, and what, is each function's own.
//! <https://docs.slack.dev/reference/block-kit>, <https://docs.slack.dev/apis/web-api>

use domain::text;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::House;
use crate::clients::HttpError;
use crate::links::{Click, Fill};
use crate::receiver::ReceiverConfig;
use crate::secrets::SecretError;

/// The longest `block_id`: what a menu is about travels in it.
const MOST_BLOCK_ID: usize = 255;
/// The longest text and value of a menu's option.
const MOST_OPTION: usize = 75;
const MOST_VALUE: usize = 150;
/// How much may be written in a line.
const MOST_WORDS: usize = 200;
/// What a menu says where none of the suspects is meant.
const NONE: &str = "none";

/// The blocks by which something is done: `carried` is [`crate::links::button`]'s, and says about what. `suspects`: what may be
/// chosen among, by change and in words. A line that is written is sent by Enter, so that no dialog has to be opened within 3 s.
#[must_use]
pub fn doing(carried: &str, clicks: &[&Click], suspects: &[(String, String)]) -> Vec<Value> {
    let (mut elements, mut inputs) = (Vec::new(), Vec::new());
    for click in clicks {
        // What has no value of its own is known by its block.
        if click.is_filled_in() && about(carried, click).is_none() {
            continue;
        }
        match click.fill {
            Fill::Words(_) => inputs.extend(about(carried, click).map(|block| line(&block, click))),
            Fill::Suspect(_) if suspects.is_empty() => {}
            Fill::Suspect(_) => elements.push(menu(click, options(click, suspects))),
            Fill::Person(_) => elements.push(json!({
                "type": "users_select", "action_id": click.id(), "placeholder": plain(click.label),
            })),
            Fill::Nothing | Fill::Always(..) | Fill::Oneself(_) => elements.push(button(carried, click)),
        }
    }
    let mut blocks = Vec::new();
    if !elements.is_empty() {
        let mut block = json!({ "type": "actions", "elements": elements });
        if carried.len() <= MOST_BLOCK_ID {
            block["block_id"] = json!(carried);
        }
        blocks.push(block);
    }
    blocks.extend(inputs);
    blocks
}

/// What a block is about, by its name.
#[must_use]
pub fn named(block: &str) -> &str {
    block.split(' ').next().unwrap_or("")
}

/// The name of a block that says what it is about. Each of a message has another.
fn about(carried: &str, click: &Click) -> Option<String> {
    let name = match click.fill {
        Fill::Words(_) => format!("{carried} {}", click.id()),
        Fill::Nothing | Fill::Always(..) | Fill::Oneself(_) | Fill::Person(_) | Fill::Suspect(_) => carried.to_owned(),
    };
    Some(name).filter(|name| name.len() <= MOST_BLOCK_ID)
}

fn button(carried: &str, click: &Click) -> Value {
    let mut button = json!({ "type": "button", "text": plain(click.label), "action_id": click.id(), "value": carried });
    if let Some(sure) = click.sure {
        button["confirm"] = json!({
            "title": plain(click.label), "text": plain(sure), "confirm": plain("Yes"), "deny": plain("No"),
        });
    }
    button
}

fn menu(click: &Click, options: Vec<Value>) -> Value {
    json!({
        "type": "static_select", "action_id": click.id(), "placeholder": plain(click.label), "options": options,
    })
}

fn options(click: &Click, suspects: &[(String, String)]) -> Vec<Value> {
    let none = if click.does == "judge" { domain::wording::NO_CHANGE } else { "I do not know whose" };
    let option = |value: &str, text: &str| json!({ "text": plain(&escaped(&text::line(text, 60), MOST_OPTION)), "value": value });
    let shown = suspects.iter().filter(|(change, _)| change.len() <= MOST_VALUE);
    shown.map(|(change, words)| option(change, words)).chain([option(NONE, none)]).collect()
}

/// A line that is written, and sent by Enter.
fn line(block: &str, click: &Click) -> Value {
    json!({
        "type": "input",
        "block_id": block,
        "dispatch_action": true,
        "label": plain(click.label),
        "element": {
            "type": "plain_text_input",
            "action_id": click.id(),
            "max_length": MOST_WORDS,
            "dispatch_action_config": { "trigger_actions_on": ["on_enter_pressed"] },
        },
    })
}

/// The longest section, in bytes; Slack takes 3,000 characters.
pub const MOST_SECTION: usize = 2_900;

/// A section of text that is escaped already.
#[must_use]
pub fn section(text: &str) -> Value {
    json!({ "type": "section", "text": plain(text) })
}

/// The lines, as many to a section as it holds; what is too much for so many sections is cut.
#[must_use]
pub fn sections(lines: &[String], most: usize) -> Vec<Value> {
    let mut sections: Vec<String> = Vec::new();
    let lines = lines.iter().map(|line| escaped(&text::line(line, 1_000), MOST_SECTION));
    for line in lines.filter(|line| !line.is_empty()) {
        let full = sections.len() == most;
        match sections.last_mut() {
            Some(last) if last.len() + 1 + line.len() <= MOST_SECTION => {
                last.push('\n');
                last.push_str(&line);
            }
            Some(last) if full => {
                last.push_str("\n…");
                break;
            }
            Some(_) | None => sections.push(line),
        }
    }
    sections.iter().map(|text| section(text)).collect()
}

/// Plain text: nothing in it is a mention, a link, markup or an emoji.
#[must_use]
pub fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// `<url|label>` for a context block; what is no web address is left out.
#[must_use]
pub fn link(label: &str, url: &str) -> Option<Value> {
    let url = text::url(url)?.replace('&', "&amp;");
    // The first bar ends the address; a label has none, so that there is no doubt.
    let label = escaped(&text::line(label, 60).replace('|', "¦"), 300);
    let text = if label.is_empty() { format!("<{url}>") } else { format!("<{url}|{label}>") };
    Some(json!({ "type": "mrkdwn", "text": text, "verbatim": true }))
}

/// The text with Slack's three characters escaped, of at most so many bytes; what is cut ends in `…`.
#[must_use]
pub fn escaped(text: &str, most: usize) -> String {
    let escape = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        other => other.to_string(),
    };
    let whole: String = text.chars().map(escape).collect();
    if whole.len() <= most {
        return whole;
    }
    let mut cut = String::with_capacity(most);
    for piece in text.chars().map(escape) {
        if cut.len() + piece.len() + '…'.len_utf8() > most {
            break;
        }
        cut.push_str(&piece);
    }
    cut.push('…');
    cut
}

/// What Slack wrote: it escapes three characters.
#[must_use]
pub fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// What the app may do, beside `chat:write` and `commands`, so that it keeps a channel's topic; of a private channel the other two.
pub const TOPIC_SCOPES: [&str; 4] = ["channels:read", "channels:write.topic", "groups:read", "groups:write.topic"];
/// So that it keeps a user group.
pub const GROUP_SCOPES: [&str; 2] = ["usergroups:read", "usergroups:write"];

/// Why Slack did not do what it was asked. Never holds the secret.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    #[error("its configuration lacks a secret")]
    NoSecret,
    #[error("its secret cannot be read")]
    Secret(#[source] SecretError),
    #[error("it cannot be reached")]
    Http(#[source] HttpError),
    #[error("it answered {0}")]
    Status(u16),
    #[error("it asks to be left alone for {0} s")]
    LimitedFor(u64),
    #[error("its answer cannot be read")]
    NotRead,
    #[error("the app lacks the scope {0}: add it, and install the app again")]
    Scope(String),
    #[error("the app is not in the channel: invite it")]
    NotInChannel,
    #[error(
        "it knows no such channel or user group, or the app may not see it: correct the configuration, or invite the app"
    )]
    Unknown,
    #[error("it refused: {0}")]
    Refused(String),
}

/// What is sent along.
pub enum Said<'a> {
    /// Methods that read take nothing else.
    Form(&'a [(&'a str, &'a str)]),
    Json(&'a Value),
}

#[derive(Deserialize)]
struct Answered {
    ok: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    needed: String,
}

/// One call of a method, once: whoever asks comes again by the clock, or does not need it any more.
pub async fn call(
    house: &House,
    receiver: &ReceiverConfig,
    method: &str,
    said: Said<'_>,
    seconds: u64,
) -> Result<Value, NotDone> {
    let name = receiver.secret.as_ref().ok_or(NotDone::NoSecret)?;
    let authorization = format!("Bearer {}", house.secrets.first(name).map_err(NotDone::Secret)?.expose());
    let (kind, body) = match said {
        Said::Form(fields) => (
            "application/x-www-form-urlencoded",
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish(),
        ),
        Said::Json(body) => ("application/json; charset=utf-8", body.to_string()),
    };
    let headers =
        [("authorization", authorization.as_str()), ("content-type", kind), ("user-agent", "recent-deployers")];
    let url = format!("{}/{method}", receiver.url);
    let answer = house.http.send("POST", &url, &headers, body.into_bytes(), seconds).await.map_err(NotDone::Http)?;
    match answer.status {
        200..300 => {}
        429 => return Err(NotDone::LimitedFor(answer.retry_after.unwrap_or(60))),
        status => return Err(NotDone::Status(status)),
    }
    let body: Value = serde_json::from_slice(&answer.body).map_err(|_| NotDone::NotRead)?;
    let told = Answered::deserialize(&body).map_err(|_| NotDone::NotRead)?;
    if told.ok { Ok(body) } else { Err(why(&told, answer.retry_after)) }
}

fn why(told: &Answered, retry_after: Option<u64>) -> NotDone {
    match told.error.as_str() {
        "missing_scope" => NotDone::Scope(text::line(&told.needed, 60)),
        "ratelimited" | "rate_limited" => NotDone::LimitedFor(retry_after.unwrap_or(60)),
        "not_in_channel" => NotDone::NotInChannel,
        "channel_not_found" | "no_such_subteam" | "subteam_not_found" | "is_archived" => NotDone::Unknown,
        other => NotDone::Refused(text::line(other, 60)),
    }
}

#[cfg(test)]
#[path = "slack_tests.rs"]
mod tests;
