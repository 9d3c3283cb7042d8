//! The monitors. To add one: a file here, a line below, a payload in the tests.

mod alertmanager;
pub mod cloudwatch;

use aws::Sender;
use domain::on_alert::AlertEvent;

pub const SENDERS: &[Sender<AlertEvent>] = &[alertmanager::SENDER, cloudwatch::SENDER];

/// At most this many alerts of one message are read; Alertmanager's `max_alerts` is usually far below.
const MOST_ALERTS: usize = 500;
