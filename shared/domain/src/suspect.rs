//! Which changes may have caused a failure, most likely first, with the evidence in words.
//!
//! Here the order is: most recently live first. Ranking on more evidence has an issue of its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::because::Because;
use crate::deployment::Deployment;
use crate::ids::{ChangeId, PersonId};
use crate::service::Policy;
use crate::text;
use crate::window::{Closed, Phase, Window};

/// How many suspects an incident keeps and shows.
pub const MOST_SUSPECTS: usize = 5;

/// Where the suspect's window stood when the failure began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stand {
    /// Its responder is on call: paged first.
    Active,
    /// Its turn is over: shown, paged only if nobody answers.
    Tail,
}

/// A change that may have caused the failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    pub change: ChangeId,
    pub label: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub responder: PersonId,
    /// Why this person answers for it.
    pub because: Because,
    pub stand: Stand,
    pub live_since: Timestamp,
    /// Why it is here, in words.
    pub evidence: Vec<String>,
}

/// The suspects of a failure that was going on at `at`, best first, at most [`MOST_SUSPECTS`].
#[must_use]
pub fn suspects(windows: &[Window<'_>], policy: &Policy, at: Timestamp) -> Vec<Suspect> {
    let mut found: Vec<(Suspect, Timestamp)> = windows
        .iter()
        .filter_map(|window| {
            let (deployment, stand) = exposed(window, policy, at)?;
            Some((suspect(window, deployment, stand, at), window.change.merged_at))
        })
        .collect();
    found.sort_by(|(a, a_merged), (b, b_merged)| {
        b.live_since.cmp(&a.live_since).then(b_merged.cmp(a_merged)).then(a.change.cmp(&b.change))
    });
    found.into_iter().take(MOST_SUSPECTS).map(|(suspect, _)| suspect).collect()
}

/// The deployment by which the window's change was in front of users at `at`, if it was.
fn exposed<'a>(window: &Window<'a>, policy: &Policy, at: Timestamp) -> Option<(&'a Deployment, Stand)> {
    if let Phase::Closed { reason: Closed::RevertedBeforeLive | Closed::OtherPaths, .. } = window.phase {
        return None;
    }
    let was =
        window.turns.iter().rev().find(|t| t.release.suspect_since().is_some_and(|since| since <= at) && at < t.over);
    if let Some(turn) = was {
        return Some((turn.release, if at < turn.until { Stand::Active } else { Stand::Tail }));
    }
    let tried = window.attempts.iter().rev().find(|attempt| {
        let ended = attempt.failed_at.map(|failed| failed + policy.after_failure);
        attempt.suspect_since().is_some_and(|since| since <= at) && ended.is_some_and(|ended| at < ended)
    })?;
    Some((*tried, Stand::Active))
}

fn suspect(window: &Window<'_>, deployment: &Deployment, stand: Stand, at: Timestamp) -> Suspect {
    let live_since = deployment.suspect_since().unwrap_or(deployment.created_at);
    let minutes = at.duration_since(live_since).as_mins();
    let age = match minutes {
        ..1 => "less than a minute".to_owned(),
        1..120 => format!("{minutes} min"),
        _ => format!("{} h", minutes / 60),
    };
    let mut evidence = vec![if deployment.has_failed() {
        format!("took traffic {age} before the alert, in a deployment that failed")
    } else {
        format!("live {age} before the alert")
    }];
    if let Some(size) = window.change.size {
        evidence.push(format!(
            "{} changed, +{} -{}",
            text::count(usize::try_from(size.files).unwrap_or(usize::MAX), "file", "files"),
            size.added,
            size.deleted
        ));
    }
    evidence.extend(window.lineage.clone());
    evidence.extend(window.pinned_by.map(|by| format!("went live with {}", by.label())));
    if stand == Stand::Tail {
        evidence.push("its turn was over".to_owned());
    }
    Suspect {
        change: window.change.id.clone(),
        label: window.change.label(),
        title: window.change.title.clone(),
        url: window.change.url.clone(),
        responder: window.holder.person.clone(),
        because: window.holder.because.clone(),
        stand,
        live_since,
        evidence,
    }
}
