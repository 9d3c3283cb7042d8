//! A message as Slack's blocks. Titles and summaries are strangers' words: they are plain text, escaped besides, so that
//! none of them mentions, links, shouts or hides anything.
//! <https://docs.slack.dev/reference/block-kit/blocks>, <https://docs.slack.dev/messaging/formatting-message-text>

use domain::Message;
use domain::message::Link;
use serde_json::{Value, json};

/// The longest header. Slack does not say what it counts, so bytes are counted, escapes included.
const MOST_HEADER: usize = 150;
/// The longest section; Slack takes 3,000.
const MOST_SECTION: usize = 2_900;
/// All blocks together may have about 13,000, which is written nowhere.
const MOST_SECTIONS: usize = 3;
/// The most links: a context block takes 10 elements.
const MOST_LINKS: usize = 10;
/// How much of the message stands in a notification, or is read aloud.
const MOST_TEXT: usize = 3_000;

/// What can be done about a message, and where to read more.
#[derive(Debug, Default)]
pub(super) struct Offer {
    pub buttons: Vec<Button>,
    pub links: Vec<Link>,
}

/// A button that Slack tells us of.
#[derive(Debug)]
pub(super) struct Button {
    pub label: &'static str,
    /// What it does, as a form would send it.
    pub does: &'static str,
    pub value: String,
}

/// The message in plain words, for notifications and for who listens to it.
pub(super) fn text(message: &Message) -> String {
    let lines: Vec<String> = std::iter::once(&message.title).chain(&message.lines).map(|line| clean(line)).collect();
    escaped(&lines.join("\n"), MOST_TEXT)
}

pub(super) fn blocks(message: &Message, offer: &Offer) -> Vec<Value> {
    let mut blocks = vec![title(&clean(&message.title))];
    blocks.extend(sections(&message.lines).iter().map(|text| section(text)));
    let buttons = buttons(&offer.buttons);
    if !buttons.is_empty() {
        blocks.push(json!({ "type": "actions", "elements": buttons }));
    }
    let links: Vec<Value> = offer.links.iter().filter_map(link).take(MOST_LINKS).collect();
    if !links.is_empty() {
        blocks.push(json!({ "type": "context", "elements": links }));
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

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": plain(text) })
}

/// Plain text: nothing in it is a mention, a link, markup or an emoji.
fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// The lines, as many to a section as it holds; what is too much is cut.
fn sections(lines: &[String]) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    for line in lines.iter().map(|line| escaped(&clean(line), MOST_SECTION)).filter(|line| !line.is_empty()) {
        let full = sections.len() == MOST_SECTIONS;
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
    sections
}

fn buttons(buttons: &[Button]) -> Vec<Value> {
    let mut shown: Vec<Value> = Vec::new();
    for button in buttons {
        // Slack refuses a message in which two have one id.
        if shown.iter().any(|other| other["action_id"] == button.does) {
            continue;
        }
        let (text, does, value) = (plain(button.label), button.does, &button.value);
        shown.push(json!({ "type": "button", "text": text, "action_id": does, "value": value }));
    }
    if let Some(first) = shown.first_mut() {
        first["style"] = json!("primary");
    }
    shown
}

/// `<url|label>`; what is no web address is left out.
fn link(link: &Link) -> Option<Value> {
    let url = domain::text::url(&link.url)?.replace('&', "&amp;");
    // The first bar ends the address; a label has none, so that there is no doubt.
    let label = escaped(&domain::text::line(&link.label, 60).replace('|', "¦"), 300);
    let text = if label.is_empty() { format!("<{url}>") } else { format!("<{url}|{label}>") };
    Some(json!({ "type": "mrkdwn", "text": text, "verbatim": true }))
}

fn clean(text: &str) -> String {
    domain::text::line(text, 1_000)
}

/// The text with Slack's three characters escaped, of at most so many bytes; what is cut ends in `…`.
fn escaped(text: &str, most: usize) -> String {
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

#[cfg(test)]
mod tests;
