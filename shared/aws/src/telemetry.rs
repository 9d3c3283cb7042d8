//! Logs: one JSON line a decision on AWS, short lines on a terminal. Never a body, never a secret.

use std::str::FromStr;

use tracing::Level;
use tracing_subscriber::fmt;

fn level(default: Level) -> Level {
    std::env::var("RECENT_DEPLOYERS_LOG").ok().and_then(|text| Level::from_str(&text).ok()).unwrap_or(default)
}

/// JSON lines, for Lambda.
pub fn json() {
    let subscriber = fmt().json().flatten_event(true).with_max_level(level(Level::INFO)).with_target(false).finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Short lines on standard error, for a person. `RECENT_DEPLOYERS_LOG=info` shows every decision.
pub fn terminal() {
    let subscriber =
        fmt().compact().with_max_level(level(Level::WARN)).with_target(false).with_writer(std::io::stderr).finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
}
