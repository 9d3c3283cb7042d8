//! Argo CD goes back: the application is rolled back to the entry of its history before the release.
//! <https://argo-cd.readthedocs.io/en/stable/user-guide/commands/argocd_app_rollback/>
//!
//! Argo CD refuses it for what it syncs by itself, which would go forward again at once. Nothing is pruned: to delete is for people.
//! The token's account needs `applications, get` and `applications, sync` of the application.

use domain::autopilot::Back;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::{NoAnswer, Place, Rolled, read, segment};

/// Clocks differ, and a sync is entered into the history when it is done.
const SLACK: SignedDuration = SignedDuration::from_mins(2);

#[derive(Deserialize)]
struct Application {
    spec: Option<Spec>,
    status: Option<Status>,
    /// It is asked to do something just now.
    operation: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    project: Option<String>,
    sync_policy: Option<SyncPolicy>,
}

#[derive(Deserialize)]
struct SyncPolicy {
    automated: Option<Automated>,
}

#[derive(Deserialize)]
struct Automated {
    enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    history: Vec<Entry>,
    operation_state: Option<OperationState>,
}

#[derive(Deserialize)]
struct OperationState {
    phase: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: u64,
    #[serde(default)]
    revision: String,
    deployed_at: Option<Timestamp>,
}

impl Entry {
    /// Whether it is the release: by its commit, or, where manifests have a repository of their own, by when it was made.
    fn is(&self, back: &Back) -> bool {
        let same = back.commit.as_ref().is_some_and(|commit| self.revision == commit.as_str());
        let about = |at: Timestamp| back.live_since - SLACK <= at && at <= back.succeeded_at + SLACK;
        same || self.deployed_at.is_some_and(about)
    }
}

pub(super) async fn roll_back(place: &Place<'_>, id: &str, back: &Back, act: bool) -> Result<Rolled, NoAnswer> {
    let Some((project, name)) = id.split_once('/') else { return Err(NoAnswer::UnknownPipeline) };
    let url = format!("{}/api/v1/applications/{}", place.url()?, segment(name)?);
    let answer = place.ask("GET", &format!("{url}?project={}", segment(project)?), &[], None).await?;
    if answer.status != 200 {
        return Err(place.refused(&answer));
    }
    let application: Application = read(&answer.body)?;
    let Some(spec) = application.spec.filter(|spec| spec.project.as_deref() == Some(project)) else {
        return Err(NoAnswer::UnknownPipeline);
    };
    let Some(status) = application.status else { return Err(NoAnswer::NotRead) };
    let mut history: Vec<&Entry> = status.history.iter().collect();
    history.sort_by_key(|entry| entry.id);
    // Of several syncs of the release the last one; before it, what it was not.
    let Some(at) = history.iter().rposition(|entry| entry.is(back)) else {
        return Ok(Rolled::Not("its history does not have the release".to_owned()));
    };
    let release = history[at];
    let Some(before) = history[..at].iter().rfind(|entry| !entry.is(back) && entry.revision != release.revision) else {
        return Ok(Rolled::Not("its history has nothing before the release".to_owned()));
    };
    if let Some(last) = history.last().filter(|last| last.id != release.id) {
        let there = last.revision == before.revision;
        return Ok(if there {
            went(before)
        } else {
            Rolled::Not("something else was synced after the release".to_owned())
        });
    }
    let runs =
        status.operation_state.is_some_and(|state| matches!(state.phase.as_deref(), Some("Running" | "Terminating")));
    if runs || application.operation.is_some() {
        // Perhaps it is going back as we asked.
        return Err(NoAnswer::Changed);
    }
    let automated = spec.sync_policy.and_then(|policy| policy.automated);
    if automated.is_some_and(|automated| automated.enabled != Some(false)) {
        return Ok(Rolled::Not("its sync is automated: it would go forward again at once".to_owned()));
    }
    if !act {
        return Ok(Rolled::Not("it did not go back".to_owned()));
    }
    let body = json!({ "name": name, "id": before.id, "project": project, "prune": false, "dryRun": false });
    let answer = place.ask("POST", &format!("{url}/rollback"), &[], Some(&body)).await?;
    if answer.status == 200 { Ok(went(before)) } else { Err(place.refused(&answer)) }
}

fn went(entry: &Entry) -> Rolled {
    Rolled::Back(if entry.revision.is_empty() { format!("entry {}", entry.id) } else { entry.revision.clone() })
}
