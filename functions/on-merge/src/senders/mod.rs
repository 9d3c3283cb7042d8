//! The forges. To add one: a file here, a line below, a payload in the tests.

mod github;

use aws::Sender;
use domain::on_merge::MergeEvent;

pub const SENDERS: &[Sender<MergeEvent>] = &[github::SENDER];
