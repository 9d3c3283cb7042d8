//! A message as an Adaptive Card. Strangers' words stand in text runs, the one element that Teams reads no Markdown in.
//! <https://adaptivecards.io/explorer/RichTextBlock.html>

use domain::message::Link;
use domain::{Kind, Message};
use serde_json::{Value, json};

/// What all lines together may weigh. Teams drops messages of more than 28 KB as it writes them, without telling us; the
/// rest of the 20 KB that we allow ourselves is for the title and the links.
const MOST_LINES: usize = 9_000;
/// The most buttons that a card shows without a menu.
const MOST_BUTTONS: usize = 6;

/// The body that a workflow made from Microsoft's template posts.
pub(super) fn body(message: &Message, actions: &[Link]) -> Value {
    json!({
        "type": "message",
        "summary": clean(&message.title, 150),
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card(message, actions),
        }],
    })
}

fn card(message: &Message, actions: &[Link]) -> Value {
    let mut body = vec![title(message)];
    body.extend(lines(&message.lines).iter().map(|line| paragraph(json!({ "type": "TextRun", "text": line }))));
    let buttons: Vec<Value> = actions.iter().chain(&message.links).filter_map(button).take(MOST_BUTTONS).collect();
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": { "width": "Full" },
        "body": body,
        "actions": buttons,
    })
}

fn title(message: &Message) -> Value {
    let colour = match message.kind {
        Kind::Page => "Attention",
        Kind::Notice | Kind::Update => "Default",
    };
    let text = clean(&message.title, 300);
    paragraph(json!({ "type": "TextRun", "text": text, "size": "Large", "weight": "Bolder", "color": colour }))
}

fn paragraph(run: Value) -> Value {
    json!({ "type": "RichTextBlock", "inlines": [run] })
}

/// The lines that there is room for.
fn lines(lines: &[String]) -> Vec<String> {
    let (mut kept, mut weight) = (Vec::new(), 0);
    for line in lines.iter().map(|line| clean(line, 600)).filter(|line| !line.is_empty()) {
        weight += weigh(&line);
        if weight > MOST_LINES {
            kept.push("…".to_owned());
            break;
        }
        kept.push(line);
    }
    kept
}

/// What a line costs at most: whatever is not ASCII may be written as `\u1234`, and each line has its braces.
fn weigh(line: &str) -> usize {
    let of = |c: char| if c.is_ascii() { 1 + usize::from("\"\\<>&'".contains(c)) * 5 } else { 6 * c.len_utf16() };
    60 + line.chars().map(of).sum::<usize>()
}

/// A button that opens a web address; what is none is left out.
fn button(link: &Link) -> Option<Value> {
    let url = domain::text::url(&link.url)?;
    Some(json!({ "type": "Action.OpenUrl", "title": clean(&link.label, 60), "url": url }))
}

/// One line in which nothing is a placeholder (`{{DATE(…)}}`, `${…}`) or a mention (`<at>…</at>`), should a text run
/// be read for such after all.
fn clean(text: &str, most: usize) -> String {
    let mut clean = String::new();
    let mut before = ' ';
    for c in domain::text::line(text, most).chars() {
        if matches!((before, c), ('{' | '$', '{') | ('<', 'a' | 'A')) {
            clean.push(' ');
        }
        clean.push(c);
        before = c;
    }
    clean
}

#[cfg(test)]
mod tests;
