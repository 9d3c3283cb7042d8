//! The forges. To add one: a file here, a line below, a payload in the tests.

mod azure;
mod bitbucket;
mod bitbucket_server;
mod gitea;
mod github;
mod gitlab;

use aws::Sender;
use domain::Commit;
use domain::change::MOST_COMMITS;
use domain::on_merge::MergeEvent;

pub const SENDERS: &[Sender<Vec<MergeEvent>>] =
    &[github::SENDER, gitlab::SENDER, bitbucket::SENDER, bitbucket_server::SENDER, gitea::SENDER, azure::SENDER];

/// How much of a title is kept, in characters.
const MOST_TITLE: usize = 200;

/// The commits that came with a change, beside its own: the newest, where there are too many. Oldest first.
fn commits<'a>(listed: impl Iterator<Item = &'a str>, tip: &str) -> Vec<Commit> {
    let mut commits: Vec<Commit> = listed.filter(|id| *id != tip).filter_map(|id| id.parse().ok()).collect();
    commits.drain(..commits.len().saturating_sub(MOST_COMMITS));
    commits
}
