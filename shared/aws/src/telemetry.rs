//! Logs: one JSON line a decision on AWS, short lines on a terminal. Never a body, never a secret.

use std::str::FromStr;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;

/// What is logged. `RECENT_DEPLOYERS_LOG=info` shows every decision. What the SDK and the embedded engine say of
/// an ordinary conflict is not news: we log its outcome.
fn targets(default: Level) -> Targets {
    let level = std::env::var("RECENT_DEPLOYERS_LOG").ok().and_then(|text| Level::from_str(&text).ok());
    Targets::new()
        .with_default(level.unwrap_or(default))
        .with_target("dynoxide", Level::ERROR)
        .with_target("aws_smithy_runtime", Level::ERROR)
}

/// JSON lines, for Lambda.
pub fn json() {
    let lines = fmt::layer().json().flatten_event(true).with_target(false);
    let subscriber = tracing_subscriber::registry().with(lines).with(targets(Level::INFO));
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Short lines on standard error, for a person.
pub fn terminal() {
    // A log that cannot be written is no reason to stop, nor one to say so where it cannot be said.
    let lines = fmt::layer().compact().with_target(false).with_writer(std::io::stderr).log_internal_errors(false);
    let subscriber = tracing_subscriber::registry().with(lines).with(targets(Level::WARN));
    let _ = tracing::subscriber::set_global_default(subscriber);
}
