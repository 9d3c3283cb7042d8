//! `explain <function> <sender> <file>`: what a payload is read into.

use std::path::Path;

use aws::{Malformed, Reading, Sender};
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
