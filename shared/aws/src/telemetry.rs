//! Logs: one JSON line a decision on AWS, short lines on a terminal. Never a body, never a secret.

use std::str::FromStr;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;

/// What of ours may say as much as is asked for. They are compared by their beginnings: `aws` would be the SDK too.
const OURS: [&str; 9] = [
    "aws::",
    "on_alert",
    "on_deploy",
    "on_merge",
    "on_page",
    "on_request",
    "on_schedule",
    "recent_deployers",
    "replay",
];

/// What is logged. `RECENT_DEPLOYERS_LOG=info` shows every decision. Whatever is asked for, others say no more than warnings: at
/// `trace` whoever signs requests writes them down over several lines, perhaps with what is in them. What the SDK and the embedded
/// engine say of an ordinary conflict is not news: we log its outcome.
fn targets(default: LevelFilter) -> Targets {
    let level = std::env::var("RECENT_DEPLOYERS_LOG").ok().and_then(|text| LevelFilter::from_str(&text).ok());
    up_to(level.unwrap_or(default))
}

/// What is logged at this level.
#[must_use]
pub fn up_to(level: LevelFilter) -> Targets {
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(OURS.map(|ours| (ours, level)))
        .with_target("dynoxide", LevelFilter::ERROR)
        .with_target("aws_smithy_runtime", LevelFilter::ERROR)
}

/// JSON lines, for Lambda.
pub fn json() {
    let lines = fmt::layer().json().flatten_event(true).with_target(false);
    let subscriber = tracing_subscriber::registry().with(lines).with(targets(LevelFilter::INFO));
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Short lines on standard error, for a person.
pub fn terminal() {
    // A log that cannot be written is no reason to stop, nor one to say so where it cannot be said.
    let lines = fmt::layer().compact().with_target(false).with_writer(std::io::stderr).log_internal_errors(false);
    let subscriber = tracing_subscriber::registry().with(lines).with(targets(LevelFilter::WARN));
    let _ = tracing::subscriber::set_global_default(subscriber);
}
