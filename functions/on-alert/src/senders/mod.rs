//! The monitors. To add one: a file here, a line below, a payload in the tests.

mod alertmanager;
mod azure_monitor;
pub mod cloudwatch;
mod datadog;
mod gcp_monitoring;
mod generic;
mod given;
mod grafana;
mod jira_service_management;
mod new_relic;
mod opsgenie;
mod opsgenie_shape;
mod pagerduty;
mod prometheus_shape;
mod sentry;

use std::cmp::Reverse;

use aws::Sender;
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState};
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

/// How long after it fired what a monitor never ends is over by itself, if it does not fire again.
const UNENDED: SignedDuration = SignedDuration::from_hours(1);
