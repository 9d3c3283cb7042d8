//! The monitors. To add one: a file here, a line below, a payload in the tests.

mod alertmanager;
mod azure_monitor;
pub mod cloudwatch;
mod datadog;
mod gcp_monitoring;
mod generic;
mod grafana;
mod jira_service_management;
mod labels;
mod new_relic;
mod opsgenie;
mod opsgenie_shape;
mod pagerduty;
mod prometheus_shape;
mod sentry;

use std::cmp::Reverse;

use aws::Sender;
use aws::verify::{hmac_sha256, to_hex};
use domain::alert::MOST_DETAIL;
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, text};
use jiff::SignedDuration;

pub const SENDERS: &[Sender<AlertEvent>] = &[
    alertmanager::SENDER,
    grafana::SENDER,
    cloudwatch::SENDER,
    datadog::SENDER,
    new_relic::SENDER,
    pagerduty::SENDER,
    opsgenie::SENDER,
    jira_service_management::SENDER,
    sentry::SENDER,
    gcp_monitoring::SENDER,
    azure_monitor::SENDER,
    generic::SENDER,
];

/// Those of them by which we page too: they tell us of our own pages.
pub const PAGERS: [&str; 3] = [pagerduty::SENDER.name, opsgenie::SENDER.name, jira_service_management::SENDER.name];

/// At most this many alerts of one message are read; Alertmanager's `max_alerts` is usually far below.
const MOST_ALERTS: usize = 2000;
/// Of a message with more than this, the first are looked at: each takes memory, whatever little the message says of it.
const MOST_LOOKED_AT: usize = 2 * MOST_ALERTS;

/// The alerts that could be read, of a message with `of`. Too many: the most severe that fire, then what is over.
fn bounded(mut alerts: Vec<Alert>, of: usize) -> AlertEvent {
    if alerts.len() > MOST_ALERTS {
        alerts.sort_by_key(|a| (a.state != AlertState::Firing, Reverse(a.severity)));
        alerts.truncate(MOST_ALERTS);
    }
    AlertEvent { left_out: of.saturating_sub(alerts.len()), alerts, brief: false }
}

/// One alert of a monitor whose later messages may lack what says where it belongs.
fn brief(alert: Alert) -> AlertEvent {
    AlertEvent { brief: true, ..bounded(vec![alert], 1) }
}

/// What an alert says beside its summary, as far as it is looked through for what it names: its beginning and its end, since a trace may have
/// what matters at either.
fn detail<'a>(said: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let whole = said.into_iter().collect::<Vec<_>>().join("\n");
    let half = MOST_DETAIL / 2;
    let cut = if whole.len() <= MOST_DETAIL {
        whole
    } else {
        let (head, tail) = (whole.floor_char_boundary(half), whole.ceil_char_boundary(whole.len() - half));
        format!("{}\n{}", &whole[..head], &whole[tail..])
    };
    (!cut.trim().is_empty()).then_some(cut)
}

/// How long after it fired what a monitor never ends is over by itself, if it does not fire again.
const UNENDED: SignedDuration = SignedDuration::from_hours(1);

/// What identifies an alert, short enough for a key. What is cut ends in a digest of all of it, so that the same is the
/// same, and different things stay different.
fn identity(text: &str) -> String {
    const MOST: usize = 200;
    // `line` keeps one place for the mark of what it cuts. Of marks that nobody sees nothing would be left.
    let line = text::line(text, MOST + 1);
    if text.chars().count() <= MOST && !line.is_empty() {
        return line;
    }
    let digest = to_hex(&hmac_sha256(b"identity", &[text.as_bytes()])[..8]);
    format!("{}{digest}", text::line(text, MOST - 16))
}

#[cfg(test)]
mod tests {
    use aws::{Malformed, Reading};
    use serde_json::{Value, json};

    use super::*;

    /// What is made of a message: its first alert as JSON, why it is ignored, or why it cannot be read.
    pub(super) fn said(reading: Result<Reading<AlertEvent>, Malformed>) -> Value {
        match reading {
            Ok(Reading::Event(event)) => json!(event.alerts[0]),
            Ok(Reading::Ignored(why)) => json!(why),
            Err(why) => json!({"malformed": why.to_string()}),
        }
    }

    #[test]
    fn long_identities_stay_different() {
        let (a, b) = (format!("{}a", "x".repeat(300)), format!("{}b", "x".repeat(300)));
        assert_eq!(identity(&a), identity(&a));
        assert_ne!(identity(&a), identity(&b));
        assert!(identity(&a).chars().count() <= 200);
        assert_eq!(identity(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(identity("7/host:a"), "7/host:a");
    }
}
