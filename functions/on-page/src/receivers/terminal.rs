//! The terminal that `cargo run` was started from. Texts are free of control characters since they were read.

use domain::message::Link;
use domain::{Kind, Message};

use super::{Letter, Undelivered};

const WIDTH: usize = 92;

pub(super) fn send(letter: &Letter<'_>) -> Result<(), Undelivered> {
    let print = letter.house.terminal.as_ref().ok_or(Undelivered::NoTerminal)?;
    let name = letter.house.settings().roster.name_of(&letter.message.key.person);
    print(&render(letter.message, name, letter.actions)).map_err(Undelivered::Terminal)
}

/// The message as it is printed.
#[must_use]
pub fn render(message: &Message, name: &str, actions: &[Link]) -> String {
    let kind = match message.kind {
        Kind::Page => "PAGE",
        Kind::Notice | Kind::Update => "notice",
    };
    let head = format!("── {kind} to {name} ");
    let rule = "─".repeat(WIDTH.saturating_sub(head.chars().count()));
    let mut lines = vec![format!("{head}{rule}"), format!("  {}", message.title)];
    lines.extend(message.lines.iter().map(|line| format!("  {line}")));
    lines.extend(actions.iter().chain(&message.links).map(|link| format!("  {}: {}", link.label, link.url)));
    lines.join("\n")
}
