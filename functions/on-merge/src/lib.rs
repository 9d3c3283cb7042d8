//! A forge says a change was merged.

pub mod senders;

use aws::sender::{self, Reading};
use aws::store::MergeOutcome;
use aws::{House, Refusal, Request, Response, StoreError};
use domain::on_merge::{self, Enqueued, Merge, MergeDecision, MergeEvent};
use domain::{Reason, Settings};
use jiff::Timestamp;
use serde_json::json;

/// `POST /merge/{sender}`
pub async fn handle(house: &House, request: Request) -> Response {
    receive(house, &request).await.unwrap_or_else(Response::from)
}

async fn receive(house: &House, request: &Request) -> Result<Response, Refusal> {
    let sender = sender::verify(house, senders::SENDERS, request)?;
    match (sender.parse)(&request.body)? {
        Reading::Event(event) => keep(house, event).await,
        Reading::Ignored(why) => Ok(Response::ignored(&why)),
    }
}

/// Load, decide, commit: again where somebody else was faster.
async fn keep(house: &House, event: MergeEvent) -> Result<Response, Refusal> {
    let now = house.now();
    for _ in 0..3 {
        let enqueued = load(house, &event).await?;
        let decision = on_merge::decide(event.clone(), enqueued.as_ref(), house.settings(), now);
        match commit(house, decision, &event, enqueued.is_some(), now).await {
            Err(StoreError::Conflict) => {}
            result => return Ok(result?),
        }
    }
    Err(StoreError::Conflict.into())
}

/// Only a bot's merge needs anything read: who put it into the queue.
async fn load(house: &House, event: &MergeEvent) -> Result<Option<Enqueued>, StoreError> {
    match on_merge::wants_enqueuer(event) {
        Some((repository, number)) => Ok(house.store.queued(repository, number).await?.enqueued),
        None => Ok(None),
    }
}

async fn commit(
    house: &House,
    decision: MergeDecision,
    event: &MergeEvent,
    enqueuer_known: bool,
    now: Timestamp,
) -> Result<Response, StoreError> {
    match decision {
        MergeDecision::Nothing(reason) => Ok(Response::ignored(&reason.to_string())),
        MergeDecision::Keep(merge) => {
            let unknown = on_merge::wants_enqueuer(event).map(|(_, number)| number).filter(|_| !enqueuer_known);
            keep_merge(house, &merge, unknown, now).await
        }
        MergeDecision::NoteEnqueue(enqueued) => {
            let queued = house.store.note_enqueued(&enqueued, now).await?;
            if let Some(commit) = queued.merged {
                let id = domain::ChangeId { repository: enqueued.repository.clone(), commit };
                return credit_late(house, &id, &enqueued, house.settings(), now).await;
            }
            Ok(Response::decided(&Reason::EnqueueNoted, &json!({ "by": enqueued.by })))
        }
    }
}

async fn keep_merge(
    house: &House,
    merge: &Merge,
    unknown_enqueuer: Option<u64>,
    now: Timestamp,
) -> Result<Response, StoreError> {
    let outcome = house.store.keep_merge(merge, unknown_enqueuer, now).await?;
    let windows: Vec<_> = merge
        .windows
        .iter()
        .map(|(service, responder, entry)| json!({ "service": service, "responder": responder, "why": entry.reason.to_string() }))
        .collect();
    let details = json!({ "change": merge.change.id.to_string(), "windows": windows });
    if outcome == MergeOutcome::Known {
        return Ok(Response::decided(&Reason::AlreadyKnown, &details));
    }
    for (service, responder, entry) in &merge.windows {
        tracing::info!(
            service.name = %service,
            change.id = %merge.change.id,
            person = %responder,
            reason = entry.reason.name(),
            "{}: {}", entry.what, entry.reason
        );
        (house.nudge)(service);
    }
    Ok(Response::decided(&Reason::MergedOnStandby, &details))
}

/// The merge came before the news of who had enqueued it: its responder is corrected.
async fn credit_late(
    house: &House,
    id: &domain::ChangeId,
    enqueued: &Enqueued,
    settings: &Settings,
    now: Timestamp,
) -> Result<Response, StoreError> {
    let noted = Response::decided(&Reason::EnqueueNoted, &json!({ "by": enqueued.by }));
    let Some(change) = house.store.change(id).await? else {
        return Ok(noted);
    };
    match on_merge::decide(MergeEvent::Merged(Box::new(change)), Some(enqueued), settings, now) {
        MergeDecision::Keep(merge) => keep_merge(house, &merge, None, now).await,
        MergeDecision::NoteEnqueue(_) | MergeDecision::Nothing(_) => Ok(noted),
    }
}
