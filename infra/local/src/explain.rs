//! `explain <function> <sender> <file>`: what a payload is read into. `explain <incident>`: who is paged for it, and when.

use std::path::Path;

use aws::{Malformed, Reading, Sender};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// Why a payload cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    #[error("{0} is not a function that reads payloads; there are on-merge, on-deploy and on-alert")]
    Function(String),
    #[error("{function} has no sender {sender}; there are {known}")]
    Sender { function: String, sender: String, known: String },
    #[error("{path} cannot be read")]
    File {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the payload is larger than {} bytes", aws::wire::MOST_BYTES)]
    TooLarge,
    #[error("the payload cannot be read")]
    Malformed(#[from] Malformed),
}

/// Reads a file as `function` would read it from `sender`: the event, or `{"ignored": reason}`.
pub fn explain(function: &str, sender: &str, file: &Path) -> Result<Value, ExplainError> {
    let body = std::fs::read(file).map_err(|source| ExplainError::File { path: file.display().to_string(), source })?;
    explain_bytes(function, sender, &body)
}

/// The same for a payload in memory.
pub fn explain_bytes(function: &str, sender: &str, body: &[u8]) -> Result<Value, ExplainError> {
    if body.len() > aws::wire::MOST_BYTES {
        return Err(ExplainError::TooLarge);
    }
    match function {
        "on-merge" => read(function, on_merge::senders::SENDERS, sender, body),
        "on-deploy" => read(function, on_deploy::senders::SENDERS, sender, body),
        "on-alert" => read(function, on_alert::senders::SENDERS, sender, body),
        other => Err(ExplainError::Function(domain::text::line(other, 40))),
    }
}

/// The ladder of an incident, as `GET /incidents/{id}` says it, and why nobody was paged: for a terminal. Times are UTC.
#[must_use]
pub fn ladder(said: &Value) -> String {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    let list = |name: &str| said.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let round = said.get("round").and_then(Value::as_u64).unwrap_or(0) + 1;
    let since = time(said.get("since"));
    let mut lines = vec![
        format!("{} ({})", text(said, "headline"), text(said, "incident")),
        format!("{}, since {since} UTC, round {round}", text(said, "state")),
        String::new(),
    ];
    let rows = list("ladder")
        .into_iter()
        .map(|row| [time(row.get("at")), text(&row, "name"), text(&row, "step"), standing(&row), text(&row, "why")]);
    let head = ["time (UTC)", "who", "step", "paged", "why"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(rows).collect();
    if rows.len() == 1 {
        lines.push("Nobody was paged.".to_owned());
    } else {
        lines.extend(table(&rows));
    }
    if let Some(held) = said.get("held").filter(|held| held.is_object()) {
        let until = held.get("until").filter(|at| at.is_string());
        let until = until.map(|at| format!(", until {} UTC", time(Some(at)))).unwrap_or_default();
        lines.extend([String::new(), format!("Nobody is paged: {}{until}.", text(held, "why"))]);
    }
    let holds = list("holds");
    if !holds.is_empty() {
        lines.extend([String::new(), "It was held:".to_owned()]);
        lines.extend(holds.iter().rev().map(|hold| format!("  {}  {}", time(hold.get("at")), text(hold, "why"))));
    }
    lines.join("\n")
}

fn standing(row: &Value) -> String {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    match text("standing").unwrap_or("") {
        "paged" => {
            let again = row.get("again").and_then(Value::as_u64).filter(|again| *again > 0);
            let again = again.map(|again| {
                let times = domain::text::count(usize::try_from(again).unwrap_or(usize::MAX), "time", "times");
                format!(", again {times}, last {}", time(row.get("again_at")))
            });
            format!("paged{}; {}", again.unwrap_or_default(), text("delivery").unwrap_or(""))
        }
        "later" => "not yet".to_owned(),
        "stopped" => "no: somebody is at it".to_owned(),
        "held" => "no: held".to_owned(),
        other => other.to_owned(),
    }
}

/// `Fri 2026-03-20 12:05`, as the board says it.
fn time(at: Option<&Value>) -> String {
    let at = at.and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    at.map(|at| at.strftime("%a %Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

/// Columns as wide as what is in them; the last one is not filled up.
fn table(rows: &[[String; 5]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn read<E: Serialize>(function: &str, senders: &[Sender<E>], name: &str, body: &[u8]) -> Result<Value, ExplainError> {
    let Some(sender) = senders.iter().find(|s| s.name == name) else {
        let known: Vec<&str> = senders.iter().map(|s| s.name).collect();
        return Err(ExplainError::Sender {
            function: function.to_owned(),
            sender: domain::text::line(name, 40),
            known: known.join(", "),
        });
    };
    Ok(match (sender.parse)(body)? {
        Reading::Event(event) => {
            let mut event = serde_json::to_value(event).map_err(|e| Malformed::new(e.to_string()))?;
            // One event stands for itself.
            let only = event.as_array_mut().filter(|events| events.len() == 1).map(|events| events.remove(0));
            only.unwrap_or(event)
        }
        Reading::Ignored(why) => json!({ "ignored": why }),
    })
}
