//! What GitHub could not deliver. It does not send again by itself, so now and then its list of deliveries is read,
//! and what failed is asked for again; that comes through the ordinary door, with its signature. No payload is read
//! here. Absent: webhooks of organizations and of GitHub Apps, whose deliveries only other tokens may list.
//! <https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries>

mod github;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aws::settings::Configuration;
use aws::store::Look;
use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::{Repository, text};
use github::{Attempt, Hook, Webhooks};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::forges::Unanswered;

/// How often a repository is looked at. A look takes about three requests and GitHub answers 5000 an hour, which the
/// other questions need too: so of many repositories each is looked at less often.
const EVERY: SignedDuration = SignedDuration::from_mins(5);
const REPOSITORIES_EACH_TIME: usize = 40;
/// GitHub's list may show a delivery this late.
const SHOWN_LATE: SignedDuration = SignedDuration::from_mins(10);
/// Where the very first look begins. What failed an hour before may well have failed because we were just being set
/// up, and is still of use; what is older was sent before we were there, and would tell people of turns long past.
const BEFORE_US: SignedDuration = SignedDuration::from_hours(1);
/// For how long GitHub keeps deliveries.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 3);
/// How often a delivery is tried in all, GitHub's own try included.
const MOST_ATTEMPTS: usize = 3;
/// What failed a second time is left for so long: whatever is wrong may need somebody to mend it.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(30);
const MOST_A_LOOK: usize = 50;
/// How often it is said that GitHub refuses to tell.
const WARN_EVERY: SignedDuration = SignedDuration::from_hours(24);
const REPOSITORIES_AT_ONCE: usize = 8;
/// How long all looks may take together.
const LOOKS_TAKE: Duration = Duration::from_secs(20);

/// What our functions read, by the first part of their address.
const DOORS: [(&str, &[&str]); 2] = [
    ("merge", &["pull_request", "push", "pull_request_review", "merge_group", "issue_comment"]),
    ("deploy", &["deployment_status", "workflow_run"]),
];

/// A delivery that never arrived and that another attempt may mend.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Missed {
    hook: u64,
    /// Its newest attempt.
    attempt: u64,
    guid: String,
    event: String,
    status: i64,
    attempts: usize,
    first_at: Timestamp,
    /// Whether it is time to try again.
    due: bool,
}

/// Asks for what GitHub could not deliver, from each repository whose API we have a token for. Whoever has pages to
/// send does not wait for this. What fails is logged here, and tried again.
pub async fn catch_up(house: &House) {
    let repositories: BTreeSet<&Repository> =
        repositories(house).filter(|r| house.configuration.forge_of("github", r).is_some()).collect();
    let times = repositories.len().div_ceil(REPOSITORIES_EACH_TIME).max(1);
    let every = EVERY * i32::try_from(times).unwrap_or(i32::MAX);
    let (deadline, gate) = (Instant::now() + LOOKS_TAKE, Arc::new(Semaphore::new(REPOSITORIES_AT_ONCE)));
    let mut looks = JoinSet::new();
    for repository in repositories {
        let (house, repository, gate) = (house.clone(), repository.clone(), Arc::clone(&gate));
        looks.spawn(async move {
            let looking = async {
                let _one_of_a_few = gate.acquire().await;
                look(&house, &repository, every).await
            };
            match tokio::time::timeout_at(deadline, looking).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(%repository, cause = error_chain(&error), "its deliveries were not looked at");
                }
                Err(_) => tracing::info!(%repository, "there was no time left to look at its deliveries"),
            }
        });
    }
    while let Some(ended) = looks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "deliveries were not looked at");
        }
    }
}

/// Every repository from which something goes live. GitHub's have an owner and a name.
fn repositories(house: &House) -> impl Iterator<Item = &Repository> {
    let named = house.settings().services().flat_map(|service| {
        let upstreams = service.upstreams.iter().map(|u| &u.repository);
        service.repositories.iter().map(|r| &r.repository).chain(upstreams)
    });
    named.filter(|repository| repository.as_str().split('/').count() == 2)
}

/// One look at one repository, unless there was one lately. Only a look that GitHub answered moves the time up to
/// which everything is settled.
async fn look(house: &House, repository: &Repository, every: SignedDuration) -> Result<(), StoreError> {
    let now = house.now();
    let Some(mut look) = house.store.begin_look(repository, every, now - BEFORE_US, now).await? else {
        return Ok(());
    };
    match ask(house, repository, &look, now).await {
        Ok(settled_until) => look.settled_until = settled_until,
        Err(why @ Unanswered::Status(401 | 403 | 404)) => {
            if look.warned_at.is_some_and(|at| now.duration_since(at) < WARN_EVERY) {
                return Ok(());
            }
            tracing::warn!(
                %repository,
                cause = error_chain(&why),
                reason = "deliveries_refused",
                "what GitHub cannot deliver is not sent again: its token needs the permission `Webhooks: read and write`"
            );
            look.warned_at = Some(now);
        }
        Err(why) => {
            tracing::info!(%repository, cause = error_chain(&why), reason = "deliveries_not_told", "tried again soon");
            return Ok(());
        }
    }
    house.store.end_look(repository, &look, now).await
}

/// Finds what is missed and asks for it. Returns until when everything is settled: what was asked for is not yet, so
/// the next look sees all its attempts again.
async fn ask(house: &House, repository: &Repository, look: &Look, now: Timestamp) -> Result<Timestamp, Unanswered> {
    let api = Webhooks::of(house, repository)?;
    let from = (look.settled_until - SHOWN_LATE).max(now - KEPT);
    let mut missing = Vec::new();
    for (hook, events) in ours(&api.hooks().await?, &house.configuration, repository) {
        missing.extend(missed(hook, &api.attempts(hook, from).await?, events, from, now));
    }
    missing.sort_by_key(|missed| (missed.first_at, missed.attempt));
    let (mut accepted, mut refused) = (false, None);
    for missed in missing.iter().filter(|missed| missed.due).take(MOST_A_LOOK) {
        match api.redeliver(missed.hook, missed.attempt).await {
            Ok(()) => {
                accepted = true;
                tell(repository, missed);
            }
            // This one cannot be had again, or none can: then nothing is settled.
            Err(why @ Unanswered::Status(400 | 404 | 422)) => refused = Some(why),
            Err(why) => return Err(why),
        }
    }
    if let Some(why) = refused.filter(|_| !accepted) {
        return Err(why);
    }
    // Never back: what is older than the first look is none of ours.
    Ok(missing.first().map_or(now, |oldest| oldest.first_at.max(look.settled_until)))
}

fn tell(repository: &Repository, missed: &Missed) {
    tracing::info!(
        %repository,
        delivery.guid = text::line(&missed.guid, 60),
        delivery.event = missed.event,
        delivery.status = missed.status,
        delivery.sent_at = %missed.first_at,
        delivery.attempt = missed.attempts + 1,
        reason = "delivery_missed",
        "GitHub is asked to send again what it could not deliver"
    );
}

/// The webhooks that come to us, and the events that we read of each. A proxy may know us by another name than ours,
/// so the end of the path is enough, unless a webhook has all of our address: then others are another house's.
fn ours(hooks: &[Hook], configuration: &Configuration, repository: &Repository) -> Vec<(u64, &'static [&'static str])> {
    let speaks = |source: &str| {
        let known = configuration.senders.get(source);
        known.is_some_and(|s| s.kind == "github" && s.speaks_for_repository(repository))
    };
    let own = place(&configuration.settings.public_url);
    let mut like = Vec::new();
    for hook in hooks.iter().filter(|hook| hook.active) {
        let Some((host, path)) = place(&hook.config.url) else { continue };
        let Some((before, source)) = path.rsplit_once('/') else { continue };
        let Some((before, door)) = before.rsplit_once('/') else { continue };
        if let Some((_, events)) = DOORS.iter().find(|(name, _)| *name == door)
            && speaks(source)
        {
            like.push((own.as_ref().is_some_and(|own| *own == (host, before)), hook.id, *events));
        }
    }
    let named = like.iter().any(|(exactly, ..)| *exactly);
    like.into_iter().filter(|(exactly, ..)| *exactly || !named).map(|(_, id, events)| (id, events)).collect()
}

/// Host and path of an address, without what may be secret: who asks, and the query.
fn place(url: &str) -> Option<(String, &str)> {
    let (_, rest) = url.split_once("://")?;
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    Some((host.to_ascii_lowercase(), path.trim_end_matches('/')))
}

/// What never arrived of what was first sent since `from`, and another attempt may mend. Whose first attempt is not
/// in sight was settled before.
fn missed(hook: u64, attempts: &[Attempt], events: &[&str], from: Timestamp, now: Timestamp) -> Vec<Missed> {
    let mut deliveries: BTreeMap<&str, Vec<&Attempt>> = BTreeMap::new();
    for attempt in attempts.iter().filter(|attempt| events.contains(&attempt.event.as_str())) {
        deliveries.entry(&attempt.guid).or_default().push(attempt);
    }
    let missed = |(guid, attempts): (&str, Vec<&Attempt>)| {
        let first_at = attempts.iter().filter(|a| !a.redelivery).map(|a| a.delivered_at.0).min()?;
        let newest = attempts.iter().max_by_key(|a| (a.delivered_at.0, a.id))?;
        let arrived = attempts.iter().any(|a| (200..300).contains(&a.status()));
        if first_at < from || arrived || attempts.len() >= MOST_ATTEMPTS || !is_mendable(newest.status()) {
            return None;
        }
        let rested = attempts.len() == 1 || now.duration_since(newest.delivered_at.0) >= AGAIN_AFTER;
        Some(Missed {
            hook,
            attempt: newest.id,
            guid: guid.to_owned(),
            event: newest.event.clone(),
            status: newest.status(),
            attempts: attempts.len(),
            first_at,
            due: rested,
        })
    };
    deliveries.into_iter().filter_map(missed).collect()
}

/// Whether it failed for a reason that passes: nobody answered (0), too slowly, or could not just then. What was
/// refused for good would be refused again.
fn is_mendable(status: i64) -> bool {
    matches!(status, 0 | 408 | 429 | 500..=599)
}

#[cfg(test)]
#[path = "deliveries_tests.rs"]
mod tests;
