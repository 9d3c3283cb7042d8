//! A message as Slack's blocks. Titles and summaries are strangers' words: they are plain text, escaped besides, so that
//! none of them mentions, links, shouts or hides anything.
//! <https://docs.slack.dev/reference/block-kit/blocks>, <https://docs.slack.dev/messaging/formatting-message-text>

use aws::slack::{self, MOST_SECTION, escaped, plain, section};
use domain::Message;
use domain::message::Link;
use serde_json::{Value, json};

/// The longest header. Slack does not say what it counts, so bytes are counted, escapes included.
const MOST_HEADER: usize = 150;
/// All blocks together may have about 13,000, which is written nowhere.
const MOST_SECTIONS: usize = 3;
/// The most links: a context block takes 10 elements.
const MOST_LINKS: usize = 10;
/// How much of the message stands in a notification, or is read aloud.
const MOST_TEXT: usize = 3_000;

/// What can be done about a message, and where to read more.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Blocks, as [`aws::slack::doing`] makes them.
    pub doing: Vec<Value>,
    pub links: Vec<Link>,
}

/// The message in plain words, for notifications and for who listens to it.
pub(super) fn text(message: &Message) -> String {
    let lines: Vec<String> = std::iter::once(&message.title).chain(&message.lines).map(|line| clean(line)).collect();
    escaped(&lines.join("\n"), MOST_TEXT)
}

pub(super) fn blocks(message: &Message, shown: &Shown) -> Vec<Value> {
    let mut blocks = vec![title(&clean(&message.title))];
    blocks.extend(slack::sections(&message.lines, MOST_SECTIONS));
    blocks.extend(doing(&shown.doing));
    let links: Vec<Value> =
        shown.links.iter().filter_map(|link| slack::link(&link.label, &link.url)).take(MOST_LINKS).collect();
    if !links.is_empty() {
        blocks.push(json!({ "type": "context", "elements": links }));
    }
    blocks
}

/// The first button stands out.
fn doing(blocks: &[Value]) -> Vec<Value> {
    let mut blocks = blocks.to_vec();
    let first = blocks.iter_mut().find_map(|block| {
        let elements = block.get_mut("elements").and_then(Value::as_array_mut)?;
        elements.iter_mut().find(|element| element["type"] == "button")
    });
    if let Some(button) = first {
        button["style"] = json!("primary");
    }
    blocks
}

/// A header where it fits, else a section: what broke matters more than how large it stands there.
fn title(title: &str) -> Value {
    let whole = escaped(title, MOST_SECTION);
    match whole.len() {
        0 => section("(without a title)"),
        1..=MOST_HEADER => json!({ "type": "header", "text": plain(&whole) }),
        _ => section(&whole),
    }
}

fn clean(text: &str) -> String {
    domain::text::line(text, 1_000)
}

#[cfg(test)]
mod tests;
