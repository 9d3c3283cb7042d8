//! The pipelines. To add one: a file here, a line below, a payload in the tests.

mod github;

use aws::Sender;
use domain::DeploymentEvent;

pub const SENDERS: &[Sender<DeploymentEvent>] = &[github::SENDER];
