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
use domain::address::repository_in;
use domain::{DeployEvent, Manner, Repository, text};

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

/// A run of the suite of this name: as much of it as a message to those who are told has room for.
fn run_of(suite: &str) -> Manner {
    Manner::Test(text::line(suite, 100))
}

/// A run of the suite, where there is one; else something that moves.
fn run_of_any(suite: Option<&str>) -> Manner {
    suite.map_or(Manner::Whole, run_of)
}

/// The repository that an address or its name, `owner/name`, tells.
fn repository_told(told: &str) -> Option<Repository> {
    repository_in(told).or_else(|| told.parse().ok())
}

/// What a thing in a cluster is called: `name`, `namespace/name`.
fn names_in(namespace: Option<&str>, name: &str) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(namespace.map(|namespace| format!("{namespace}/{name}"))).collect()
}

#[cfg(test)]
mod tests {
    use aws::Reading;
    use domain::DeploymentEvent;

    use super::*;

    /// What a message is read into: its first event, or why it is ignored.
    pub(super) fn moved(reading: Reading<Vec<DeployEvent>>) -> Result<DeploymentEvent, String> {
        match reading {
            Reading::Event(events) => match events.into_iter().next() {
                Some(DeployEvent::Moved(event)) => Ok(*event),
                other => panic!("{other:?}"),
            },
            Reading::Ignored(why) => Err(why),
        }
    }

    #[test]
    fn a_repository_is_told_by_address_or_name() {
        for (told, want) in [
            ("https://github.com/openedx/edx-platform.git", Some("openedx/edx-platform")),
            ("openedx/edx-platform", Some("openedx/edx-platform")),
            ("edx-platform", None),
        ] {
            assert_eq!(repository_told(told), want.map(|w| w.parse().unwrap()), "{told}");
        }
    }

    #[test]
    fn a_stage_is_known_for_tests_by_its_name() {
        assert!(["E2E", "run-e2e-tests", "End to end", "Smoke tests"].iter().all(|n| is_test(n)));
        assert!(["deploy", "prod", "latest", "e2eish"].iter().all(|n| !is_test(n)));
    }
}
