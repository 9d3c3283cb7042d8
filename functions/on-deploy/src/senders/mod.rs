//! The pipelines. To add one: a file here, a line below, a payload in the tests.

mod argo_cd;
mod argo_rollouts;
pub mod aws_events;
mod cdevents;
mod flagger;
mod flux;
mod generic;
mod github;
mod gitlab;
mod gocd;
mod jenkins;
mod spinnaker;

use aws::Sender;
use domain::DeployEvent;

pub const SENDERS: &[Sender<Vec<DeployEvent>>] = &[
    github::SENDER,
    gitlab::SENDER,
    argo_cd::SENDER,
    argo_rollouts::SENDER,
    flagger::SENDER,
    flux::SENDER,
    gocd::SENDER,
    aws_events::SENDER,
    spinnaker::SENDER,
    jenkins::SENDER,
    cdevents::SENDER,
    generic::SENDER,
];

/// Whether a stage, job or workflow of this name runs end-to-end tests rather than moves anything.
fn is_test(name: &str) -> bool {
    let name: String = name.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let words = ["e2e", "end-to-end", "smoke", "acceptance"];
    words.iter().any(|word| format!("-{name}-").contains(&format!("-{word}-")))
}
