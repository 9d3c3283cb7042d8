//! Any bytes, through every forge's reader and the decision about what was read.
#![no_main]

use domain::change::{Change, MOST_COMMITS};
use domain::on_merge::{self, MergeEvent, Way};
use domain::pull::PullEvent;
use domain::times::plausible;
use house_fuzz::{Target, bytes_of, is_line, is_url, now, settings};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

const TARGET: Target<Vec<MergeEvent>> = Target { name: "on_merge", senders: ::on_merge::senders::SENDERS, holds };

fuzz_target!(init: TARGET.prepare(), |data: &[u8]| TARGET.run(data));
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    house_fuzz::mutate(data, size, max_size, seed)
});

fn holds(_: &str, events: &Vec<MergeEvent>) {
    assert!(events.len() <= 200, "{} events of one message", events.len());
    for event in events {
        if let MergeEvent::Merged(change) = event {
            bounded(change);
        }
        if let MergeEvent::Pull(_, pull) = event {
            pull_bounded(pull);
        }
        let at = match event {
            MergeEvent::Merged(change) => Some(change.merged_at),
            MergeEvent::Enqueued(enqueued) => Some(enqueued.at),
            MergeEvent::Approved(approved) => Some(approved.at),
            MergeEvent::Unread(unread) => unread.at,
            MergeEvent::Pull(_, pull) => Some(pull.at()),
        };
        assert!(at.is_none_or(plausible), "a time that cannot be right: {at:?}");
        decided(event.clone());
        // The same of a repository that a service deploys.
        let mut served = event.clone();
        let repository = "acme/shop".parse().unwrap();
        match &mut served {
            MergeEvent::Merged(change) => (change.id.repository, change.base_is_default) = (repository, true),
            MergeEvent::Enqueued(enqueued) => enqueued.repository = repository,
            MergeEvent::Approved(approved) => approved.repository = repository,
            MergeEvent::Unread(unread) => unread.repository = repository,
            MergeEvent::Pull(of, _) => *of = repository,
        }
        decided(served);
    }
}

fn decided(event: MergeEvent) {
    let _ = on_merge::wants_way(&event, settings());
    let _ = on_merge::decide(event, &Way::default(), settings(), now());
}

fn pull_bounded(event: &PullEvent) {
    match event {
        PullEvent::Open(pull, _) => {
            is_line("title", &pull.title, 200);
            is_line("base", &pull.base, 200);
            is_url(pull.url.as_deref());
            assert!(pull.labels.len() <= 20, "{} labels", pull.labels.len());
            pull.labels.iter().for_each(|label| is_line("label", label, 60));
        }
        PullEvent::Expedite { title, reason, url, .. } => {
            is_line("title", title, 200);
            is_line("reason", reason.as_deref().unwrap_or(""), 200);
            is_url(url.as_deref());
        }
        PullEvent::Gone { .. } | PullEvent::NoExpedite { .. } => {}
    }
}

fn bounded(change: &Change) {
    is_line("title", &change.title, 200);
    is_line("base", &change.base, 200);
    is_url(change.url.as_deref());
    assert!(change.labels.len() <= 50, "{} labels", change.labels.len());
    change.labels.iter().for_each(|label| is_line("label", label, 100));
    assert!(change.approvers.len() <= 100, "{} approvers", change.approvers.len());
    assert!(change.commits.len() <= MOST_COMMITS, "{} commits", change.commits.len());
    assert!(change.reverts.as_ref().is_none_or(|r| r.of.len() <= domain::revert::MOST_CLAIMS));
    if let Some(files) = &change.files {
        assert!(files.paths.len() <= 100, "{} paths", files.paths.len());
        files.paths.iter().for_each(|path| is_line("path", path, 160));
        assert!(files.lines.keys().all(|path| files.paths.contains(path)));
    }
    assert!(bytes_of(change) <= 100_000, "a change of {} bytes", bytes_of(change));
}
