//! `merge_group`: the merge queue is about to try. It names who caused that, and the last of its pull requests in the
//! name of its branch: `gh-readonly-queue/main/pr-104-929f82...`.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#merge_group>

use aws::wire::Moment;
use aws::{Malformed, Reading};
use domain::Login;
use domain::on_merge::{Enqueued, MergeEvent};
use serde::Deserialize;

use super::{Account, FORGE, Repository};

#[derive(Deserialize)]
pub(super) struct MergeGroupEvent {
    action: String,
    #[serde(default)]
    reason: Option<String>,
    merge_group: MergeGroup,
    repository: Repository,
    sender: Account,
}

#[derive(Deserialize)]
struct MergeGroup {
    head_ref: String,
    head_commit: Option<HeadCommit>,
}

#[derive(Deserialize)]
struct HeadCommit {
    timestamp: Moment,
}

pub(super) fn tried(event: &MergeGroupEvent) -> Result<Reading<Vec<MergeEvent>>, Malformed> {
    match (event.action.as_str(), event.reason.as_deref()) {
        ("checks_requested", _) => {}
        ("destroyed", Some("merged")) => {
            return Ok(Reading::ignored("merge_group destroyed: merged, which comes as pull_request closed"));
        }
        ("destroyed", _) => return Ok(Reading::ignored("merge_group destroyed: nothing was merged")),
        _ => return Ok(Reading::ignored("merge_group: nothing was merged")),
    }
    let (Some(number), Some(commit)) = (number(&event.merge_group.head_ref), &event.merge_group.head_commit) else {
        return Ok(Reading::ignored("merge_group without the number of a pull request or a time"));
    };
    Ok(Reading::Event(vec![MergeEvent::Enqueued(Enqueued {
        repository: event.repository.id()?,
        number,
        by: Login::new(FORGE, &event.sender.login)?,
        at: commit.timestamp.0,
        // The queue tries again when another pull request of it fails, and then names whoever caused that.
        sure: false,
    })]))
}

fn number(head_ref: &str) -> Option<u64> {
    let (_, name) = head_ref.split_once("gh-readonly-queue/")?;
    let (_, name) = name.rsplit_once("/pr-")?;
    name.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_branch_of_the_queue_names_its_last_pull_request() {
        for (name, want) in [
            ("refs/heads/gh-readonly-queue/main/pr-104-929f8209d40f", Some(104)),
            ("refs/heads/gh-readonly-queue/release/pr-of-may/pr-7-929f", Some(7)),
            ("refs/heads/main", None),
            ("refs/heads/gh-readonly-queue/main/pr-x-1", None),
            ("", None),
        ] {
            assert_eq!(number(name), want, "{name}");
        }
    }
}
